"""TOML files whose keys know their lines, read section by section with all mistakes collected."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import tomli_w

from ..domain.suggest import did_you_mean, nearest
from ..errors import Diagnostic, InputError
from .entry import Entry, Report
from .fields import Field, Layout, UnreadableError
from .records import path_of
from .textfile import read_text
from .tomltext import Key, key_lines, line_of, toml_data


@dataclass(slots=True)
class TomlFile:
    """A TOML file as read."""

    file: str
    data: dict[str, Any]
    lines: dict[Key, int]
    """Where headers and keys stand, as far as a plain scan of the text can tell."""
    found: list[Diagnostic]
    """Where problems are put."""

    def line(self, key: Key) -> int | None:
        """Line of a key, or of the nearest thing around it that has one."""
        return line_of(self.lines, key)

    def place(self, key: Key) -> tuple[str, int | None]:
        """File and line of a key."""
        return self.file, self.line(key)

    def told(self, problems: list[Diagnostic]) -> list[Diagnostic]:
        """Mistakes as they are shown."""
        return problems

    def problem(self, key: Key, message: str, found: str = "", expected: str = "", fix: str = "") -> None:
        """Records a mistake at a key."""
        self.found.append(Diagnostic(message, self.file, self.line(key), path_of(key), found, expected, fix))


def read_toml(path: Path, found: list[Diagnostic], number: Callable[[str], object] = Decimal) -> TomlFile | None:
    """Reads a TOML file; None, with a problem recorded, if it cannot be read at all. `number` is as in `toml_data`."""
    text = read_text(path, found)
    if text is None:
        return None
    try:
        data = toml_data(text, str(path), number)
    except InputError as error:
        found.extend(error.problems)
        return None
    return TomlFile(str(path), data, key_lines(text), found)


def read_section(toml: TomlFile, layout: Layout, data: Mapping[str, object], at: Key = ()) -> Entry:
    """The parsed values of a table and all tables within it. A key that is not given or cannot be read is absent."""
    entry = Entry(_reporter(toml, data, at), layout)
    meant = {near for _, near, _ in _strangers(layout, data)}
    for field in layout.fields:
        value = data.get(field.name, "")
        if value in ("", []):
            if field.required:
                entry.bad.add(field.name)
            if field.required and field.name not in meant:
                fix = f"add `{field.name}`"
                toml.problem((*at, field.name), "a needed key is missing", expected=field.wanted, fix=fix)
        elif field.inside is None:
            _read_value(entry, field, value)
        elif field.repeated:
            entry.values[field.name] = _read_tables(toml, field.inside, value, (*at, field.name))
        elif isinstance(value, dict):
            entry.values[field.name] = read_section(toml, field.inside, value, (*at, field.name))
        else:
            entry.problem(field.name, "a table is needed", expected=field.inside.name)
    _read_others(entry, layout, data)
    return entry


def _reporter(toml: TomlFile, data: Mapping[str, object], at: Key) -> Report:
    def report(column: str, message: str, expected: str, fix: str) -> None:
        found = written(data[column]) if column in data else ""
        toml.problem((*at, column) if column else at, message, found, expected, fix)

    return report


def _read_value(entry: Entry, field: Field, value: object) -> None:
    try:
        entry.values[field.name] = field.kind.read(value)
    except UnreadableError as error:
        entry.bad.add(field.name)
        entry.problem(field.name, "cannot be read", error.expected, error.fix)


def _read_tables(toml: TomlFile, inside: Layout, value: object, at: Key) -> list[Entry]:
    items = value if isinstance(value, list) else []
    if not isinstance(value, list):
        toml.problem(at, "a list of tables is needed", written(value), inside.name)
    entries = []
    for number, item in enumerate(items):
        if isinstance(item, dict):
            entries.append(read_section(toml, inside, item, (*at, number)))
        else:
            toml.problem((*at, number), "a table is needed", written(item), inside.name)
    return entries


def _strangers(layout: Layout, data: Mapping[str, object]) -> Iterator[tuple[str, str | None, list[str]]]:
    """Keys that are none of the layout's fields, each with the field that is probably meant, and all fields that the data leave out."""
    known = set(layout.names)
    free = [name for name in layout.names if name not in data]
    for name in data:
        if name not in known:
            yield name, nearest(name, free, alike=0.75), free


def _read_others(entry: Entry, layout: Layout, data: Mapping[str, object]) -> None:
    """Keys that are none of the layout's fields."""
    for name, near, free in _strangers(layout, data):
        value = data[name]
        if layout.others == "kept" and near is None:
            entry.others[name] = value
            continue
        suggested = f"did you mean `{near}`?" if near else did_you_mean(name, free)
        fix = layout.stranger(name, suggested) or "delete it"
        expected = "one of " + ", ".join(layout.names)
        table = isinstance(value, dict) or (isinstance(value, list) and any(isinstance(item, dict) for item in value))
        entry.bad.add(name)
        entry.problem(name, "no such table" if table else "no such key", expected, fix)


def written(value: object) -> str:
    """A value as it may stand in a message."""
    if isinstance(value, bool):
        return "`true`" if value else "`false`"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        if len(value) > 5:
            return f"a list of {len(value)}"
        return "`[" + ", ".join(written(v).strip("`") for v in value) + "]`"
    text = str(value)
    return f"`{text[:77]}…`" if len(text) > 80 else f"`{text}`" if text else "an empty text"


def toml_text(data: Mapping[str, object]) -> str:
    """TOML that reads back as `data`, whatever signs its texts hold; decimals are written in full, sets in order."""
    return tomli_w.dumps({key: _as_toml(value) for key, value in data.items()})


def toml_line(value: object) -> str:
    """A value in one line of TOML."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(key)} = {toml_line(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml_line, value)) + "]"
    return tomli_w.dumps({"x": _as_toml(value)}).removeprefix("x = ").rstrip()


def _key(name: str) -> str:
    return tomli_w.dumps({name: 1}).removesuffix(" = 1\n")


def _as_toml(value: object) -> object:
    """A value as one that TOML has."""
    if isinstance(value, dict):
        return {key: _as_toml(inner) for key, inner in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, list | tuple):
        return [_as_toml(inner) for inner in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else Decimal(f"{value.normalize():f}")
    return str(value) if isinstance(value, str) else value  # an enumeration's word is a text
