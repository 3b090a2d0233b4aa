"""Leaves of a run folder: values in JSON files and cells in tables, with four ways to change each."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

Step = str | int
WAYS = ("other", "empty", "removed", "type")
"""Another value of the same type, an empty value or zero, no value, and a value of another type."""
SAME = object()
"""Result of a way that changes nothing."""
GONE = object()
"""Result of a way that removes the leaf."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value in a file of a run."""

    file: str
    path: tuple[Step, ...]
    """Keys and positions that lead to it. For a table, row number and column name."""

    @property
    def pattern(self) -> str:
        """Path without positions, shared by all leaves of its kind."""
        return ".".join("*" if isinstance(step, int) else step for step in self.path)

    def __str__(self) -> str:
        return f"{self.file} {'.'.join(map(str, self.path))}"


class Folder:
    """Files of a run as text and data."""

    def __init__(self, folder: Path) -> None:
        self.texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.iterdir())}
        self.data = {name: json.loads(text) for name, text in self.texts.items() if name.endswith(".json")}
        self.tables = {
            name: list(csv.reader(io.StringIO(text))) for name, text in self.texts.items() if name.endswith(".csv")
        }

    def leaves(self) -> Iterator[Leaf]:
        for name, data in self.data.items():
            for path in _paths(data, ()):
                yield Leaf(name, path)
        for name, (header, *rows) in self.tables.items():
            for number in range(len(rows)):
                for column in header:
                    yield Leaf(name, (number, column))

    def value(self, leaf: Leaf) -> Any:
        if leaf.file in self.tables:
            number, column = leaf.path
            header, *rows = self.tables[leaf.file]
            return rows[int(number)][header.index(str(column))]
        return at(self.data[leaf.file], leaf.path)

    def changed(self, leaf: Leaf, value: Any) -> str:
        """Return the text of the leaf's file with another value of the leaf."""
        if leaf.file in self.tables:
            header, *rows = self.tables[leaf.file]
            number = int(leaf.path[0])
            return _csv([header, *rows[:number], self._row(leaf, value), *rows[number + 1 :]])
        with self.mutated(leaf, value) as data:
            return json.dumps(data, ensure_ascii=False)

    @contextmanager
    def mutated(self, leaf: Leaf, value: Any) -> Iterator[Any]:
        """Change the leaf's JSON data within a `with` block."""
        holder = at(self.data[leaf.file], leaf.path[:-1])
        whole = holder.copy()
        try:
            if value is GONE:
                del holder[leaf.path[-1]]
            else:
                holder[leaf.path[-1]] = value
            yield self.data[leaf.file]
        finally:
            holder.clear()
            (holder.update if isinstance(holder, dict) else holder.extend)(whole)

    def row(self, leaf: Leaf, value: Any) -> str:
        """Return the text of the leaf's table with only its row, and another value of the leaf."""
        return _csv([self.tables[leaf.file][0], self._row(leaf, value)])

    def _row(self, leaf: Leaf, value: Any) -> list[Any]:
        number, column = leaf.path
        header, *rows = self.tables[leaf.file]
        place, row = header.index(str(column)), list(rows[int(number)])
        row[place : place + 1] = [] if value is GONE else [value]
        return row


def _csv(rows: Sequence[Sequence[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _paths(data: Any, path: tuple[Step, ...]) -> Iterator[tuple[Step, ...]]:
    if isinstance(data, dict | list) and data:
        for key, value in data.items() if isinstance(data, dict) else enumerate(data):
            yield from _paths(value, (*path, key))
    else:
        yield path


def at(data: Any, path: Sequence[Step]) -> Any:
    for step in path:
        data = data[step]
    return data


def changed(value: Any, way: str, alike: Sequence[Any] = ()) -> Any:
    """Return a changed value. `alike` are values of the same kind, which are plausible."""
    if way == "removed":
        return GONE
    new = _other(value, alike) if way == "other" else _of_type(value)[way == "type"]
    return SAME if new is SAME or (type(new) is type(value) and new == value) else new


def _other(value: Any, alike: Sequence[Any]) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value * 2 + 1
    if isinstance(value, str):
        with suppress(ValueError):
            return f"{float(value) * 2 + 1:.6f}"
        with suppress(ValueError):
            return (date.fromisoformat(value) + timedelta(days=1)).isoformat()
        return next(
            (candidate for candidate in alike if isinstance(candidate, str) and candidate not in (value, "")),
            value + "x",
        )
    if isinstance(value, list):
        return ["x"]
    return {"x": "x"} if isinstance(value, dict) else "x"


def _of_type(value: Any) -> tuple[Any, Any]:
    """Return an empty value, and a value of another type."""
    if isinstance(value, bool):
        return None, "perhaps"
    if isinstance(value, int | float):
        return 0, "many"
    if isinstance(value, str):
        return "", 7
    return (SAME, {"x": 1}) if value is None else (None, "x")
