"""Edits of a case file that leave all other lines as they are."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from ..errors import InputError
from ..reading.tomlfile import Key, key_lines, toml_data, toml_line, toml_text


class CaseText:
    """A case file that is being edited: as data, and as the text that says the same."""

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.end = "\r\n" if "\r\n" in text else "\n"
        self._lines = text.splitlines()
        self._original = text
        self._numbers = key_lines(text)
        self.data: dict[str, Any] = toml_data(text.removeprefix("\ufeff"), file)
        self._new = deepcopy(self.data)
        self._removed: set[Key] = set()
        self._added: list[tuple[str, dict[str, Any]]] = []
        self._values: dict[Key, Any] = {}

    def set(self, key: Key, value: Any) -> None:
        """Give a key of a table another value; None deletes it."""
        at: Any = self._new
        for part in key[:-1]:
            at = at[part]
        if value is None:
            at.pop(key[-1], None)
        else:
            at[key[-1]] = value
        self._values[key] = value

    def remove(self, name: str, number: int) -> None:
        """Remove a table of a list, such as the third `[[stock]]`."""
        self._removed.add((name, number))

    def add(self, name: str, table: Mapping[str, Any]) -> None:
        """Add a table to a list, at the end of the file."""
        self._added.append((name, dict(table)))

    @property
    def result(self) -> dict[str, Any]:
        """The data after all edits."""
        found = deepcopy(self._new)
        for name, number in sorted(self._removed, key=str, reverse=True):
            found[str(name)][number] = None
        for name in {str(key[0]) for key in self._removed}:
            found[name] = [table for table in found[name] if table is not None]
            if not found[name]:
                del found[name]
        for name, table in self._added:
            found.setdefault(name, []).append(deepcopy(table))
        return found

    def text(self) -> tuple[str, bool]:
        """Return the text after all edits, and True if it keeps every other line.

        A file whose layout a plain edit cannot follow, such as `stock = [{ … }]`, is written whole again, without its comments.
        """
        edited = self._edited()
        wanted = self.result
        try:
            if toml_data(edited.removeprefix("\ufeff"), self.file) == wanted:
                return edited, True
        except InputError:  # a plain edit made no TOML of it
            pass
        return toml_text(wanted), False

    def _edited(self) -> str:
        lines: list[str | None] = list(self._lines)
        inserted: dict[int, list[str]] = {}
        for key, value in self._values.items():
            number = self._numbers.get(key)
            if number is not None:
                lines[number - 1] = None if value is None else self._replaced(number, key, value)
            elif value is not None:
                header = self._numbers.get(key[:-1], 0)
                inserted.setdefault(header, []).append(f"{key[-1]} = {toml_line(value)}")
        for key in self._removed:
            for number in self._block(key):
                lines[number - 1] = None
        found = []
        for number, line in enumerate(lines, 1):
            if line is not None:
                found.append(line)
            found += inserted.get(number, [])
        while found and not found[-1].strip():
            found.pop()
        for name, table in self._added:
            found += ["", f"[[{name}]]", *(f"{key} = {toml_line(value)}" for key, value in table.items())]
        return self.end.join(found) + self.end

    def _replaced(self, number: int, key: Key, value: Any) -> str:
        """Return a line with another value: of a key, or of a table in a list that has a line of its own."""
        line = self._lines[number - 1]
        indent = line[: len(line) - len(line.lstrip())]
        if isinstance(key[-1], int):
            return f"{indent}{toml_line(value)},"
        name, _, rest = line.strip().partition("=")
        comment = rest.partition(" #")[
            2
        ]  # the result is compared with what it must say, so a `#` in a text does no harm
        return f"{indent}{name.rstrip()} = {toml_line(value)}" + (f"  #{comment}" if comment else "")

    def _block(self, key: Key) -> range:
        """Return the lines of a table, and the blank ones after it; comments before the next table stay."""
        first = self._numbers.get(key, 0)
        headers = [
            number
            for path, number in self._numbers.items()
            if self._lines[number - 1].lstrip().startswith("[") and path[: len(key)] != key and number > first
        ]
        end = min(headers, default=len(self._lines) + 1)
        while end - 1 > first and (not self._lines[end - 2].strip() or self._lines[end - 2].lstrip().startswith("#")):
            end -= 1
        while end <= len(self._lines) and not self._lines[end - 1].strip():
            end += 1
        return range(first, end)
