"""TOML files: limits on numbers and depth, lines of keys, and sections with all errors collected."""

from __future__ import annotations

import pickle
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import tomli_w

from ..domain.base import UnreadableError, out_of_range_error, stated_number
from ..domain.suggest import did_you_mean, nearest
from ..errors import Diagnostic, InputError
from .fields import Field, Layout
from .records import Entry, path_of
from .textfile import SURROGATE, WHOLE, read_text

Key = tuple[str | int, ...]
"""Path of a value: `("demand", 0, "per_year")`."""

DEEPEST = 16
"""Maximum depth of tables and lists. Friendshore's own files need 6."""
LONGEST = 16_000_000
"""Maximum characters of a file: more than 100,000 tables of a case."""

_SHORT = 200_000
"""Maximum characters of a text in the cache."""
_NAME = r"""(?:[\w-]++|"(?:[^"\\]|\\.)*+"|'[^']*+')"""
_PART = re.compile(_NAME)
_BEGINS = re.compile(rf"[ \t]*+(\[\[?+)?[ \t]*+({_NAME}(?:[ \t]*+\.[ \t]*+{_NAME})*+)[ \t]*+(?(1)\]\]?+|=)[ \t]*+(.*)")
"""A line that begins a table or sets a key: brackets, dotted key, and rest."""
_MOST_HELD = 20_000_000
"""Maximum key parts that Python's parser may keep at once, about 160 MB. A case of 100,000 tables needs under a million."""
_LONGEST_KEY = 200
"""Maximum parts of a dotted key. The time of Python's parser grows with their square."""
_ERROR_PLACE = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$")
_MANY_DIGITS = re.compile(r"\d[\d_]{4000,}")
"""Integers that Python refuses: over 4,300 digits."""
_LONGEST_BARE = 200
"""Maximum characters of a line that is searched for an unquoted value."""
_BARE = re.compile(r"([\w-]+)\s*=\s*([^\s\"'\[\]{}#][^\"'\[\]{}#]*?)\s*(?:#.*)?")
"""A key with an unquoted value."""
_OTHER_DAY = re.compile(r"\d{1,2}([./-])\d{1,2}\1\d{4}")
"""A date in another format: 31.01.2027."""
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class _Refused:
    """A number out of range."""

    text: str
    error: UnreadableError


def toml_data(text: str, file: str, number: Callable[[str], object] = Decimal) -> dict[str, Any]:
    """Return the data of a TOML text. Short texts are parsed once per process, since a pack is asked for its name before it is read.

    `number` converts the text of a number with a point or an exponent.

    Raises:
        InputError: If it isn't TOML. With all numbers out of range, and everything nested too deeply.
    """
    if len(text) > _SHORT:
        return _parsed(text, file, number)
    data: dict[str, Any] = pickle.loads(_kept(text, file, number))  # noqa: S301 - of our own making, so that whoever asks gets data of his own
    return data


@lru_cache(maxsize=64)
def _kept(text: str, file: str, number: Callable[[str], object]) -> bytes:
    return pickle.dumps(_parsed(text, file, number))


def _parsed(text: str, file: str, number: Callable[[str], object]) -> dict[str, Any]:
    if len(text) > LONGEST:
        found, expected = f"{len(text):,} characters", f"no more than {LONGEST:,}"
        fix = "write long lists as tables in CSV files, or make several cases of it"
        raise InputError("is too long", file, found=found, expected=expected, fix=fix)

    if half := SURROGATE.search(text):  # in a text that was not read from a file
        row = text.count("\n", 0, half.start()) + 1
        raise InputError("contains half of a character", file, row, expected=WHOLE)
    if (line := _first_beyond_dots(text)) is not None:
        raise InputError(replace(_too_deep(), file=file, row=line))

    def read(digits: str) -> object:
        try:
            stated_number(digits)
        except UnreadableError as error:
            return _Refused(digits, error)
        return number(digits)

    try:
        data = tomllib.loads(text, parse_float=read)
    except tomllib.TOMLDecodeError as error:
        raise InputError(toml_problem(error, file, text)) from error
    except RecursionError as error:
        raise InputError(replace(_too_deep(), file=file)) from error
    except ValueError as error:
        raise InputError(_long_integers(text, file)) from error
    beyond = list(_beyond(data))
    if beyond:
        lines = key_lines(text)
        told_in = [replace(told, file=file, row=line_of(lines, key)) for key, told in beyond]
        raise InputError(sorted(told_in, key=lambda told: told.row or 0))
    return data


@lru_cache(maxsize=256)
def toml_value(data: bytes, file: str, key: str) -> object:
    """Return the value of a key in a file's text. Equal bytes are parsed once per process.

    Raises:
        InputError: Like `toml_data`.
        UnicodeDecodeError: If it isn't text.
    """
    return toml_data(data.decode("utf-8-sig"), file, float).get(key)


def _first_beyond_dots(text: str) -> int | None:
    """The line of a dotted key that is too long, or of the longest where all together hold more than is read; None: they hold less.

    Python's parser keeps every beginning of a dotted key, with the path of its table: a line of 20,000 dots takes gigabytes.
    """
    held = around = 0
    longest = (0, 0)
    for number, line in enumerate(text.splitlines(), 1):
        found = _BEGINS.match(line)
        if not found:
            continue
        parts = len(_PART.findall(found[2]))
        if parts > _LONGEST_KEY:
            return number
        longest = max(longest, (parts, -number))
        if found[1]:
            around = parts
        held += parts if found[1] else (around + parts) * (parts - 1)
        if held > _MOST_HELD:
            return -longest[1]
    return None


def toml_problem(error: tomllib.TOMLDecodeError, file: str, text: str) -> Diagnostic:
    """Return the diagnostic for a syntax error, with its line."""
    said = str(error)
    place = _ERROR_PLACE.search(said)
    message = f"is not valid TOML: {said[: place.start()] if place else said}"
    if not place or not place[1]:
        return Diagnostic(message, file, fix="mend the end of the file; the rest is read after that")
    row = int(place[1])
    lines = text.split("\n")
    line = lines[row - 1].strip() if row <= len(lines) else ""
    if "Illegal character '\\n'" in said:
        message, fix = "is not valid TOML: a text has no closing quote", "add the quote at the end of the text"
    else:
        fix = _fix(said, line)
    found = f"`{line if len(line) <= _SHOWN else line[:_SHOWN] + '…'}`" if line else ""
    return Diagnostic(message, file, row, found=found, fix=fix)


def _fix(said: str, line: str) -> str:
    """Return the fix for a line with a syntax error."""
    of_the_value = said.startswith(("Invalid value", "Expected newline")) and len(line) <= _LONGEST_BARE
    stated = _BARE.fullmatch(line) if of_the_value else None
    if stated is None:
        return "mend this line; the rest of the file is read after that"
    key, value = stated.groups()
    if _OTHER_DAY.fullmatch(value):
        return f"write the day as year, month and day, like {key} = 2027-01-31"
    return f'put quotes around the value: {key} = "{value}"'


def _long_integers(text: str, file: str) -> list[Diagnostic]:
    """Return errors for integers with more digits than Python accepts."""
    return [
        replace(_no_number((), found[0], out_of_range_error()), file=file, row=number)
        for number, line in enumerate(text.splitlines(), 1)
        for found in _MANY_DIGITS.finditer(line)
    ]


def _beyond(data: Mapping[str, object]) -> Iterator[tuple[Key, Diagnostic]]:
    """Yield errors for numbers out of range and for excessive depth, each with its key."""
    waiting: list[tuple[Key, object]] = [((), data)]
    while waiting:
        key, value = waiting.pop()
        if isinstance(value, dict | list):
            if len(key) > DEEPEST:
                yield key, _too_deep(path_of(key))
                continue
            waiting += [
                ((*key, step), one) for step, one in (value.items() if isinstance(value, dict) else enumerate(value))
            ]
        elif isinstance(value, _Refused):
            yield key, _no_number(key, value.text, value.error)
        elif type(value) is int:
            try:
                stated_number(value)
            except UnreadableError as error:
                yield key, _no_number(key, _in_digits(value), error)


def _too_deep(column: str = "") -> Diagnostic:
    expected = f"no more than {DEEPEST} tables and lists within one another"
    return Diagnostic(
        "is nested too deeply", column=column, expected=expected, fix="mend the brackets, or the dots of the key"
    )


def _in_digits(whole: int) -> str:
    """Return an integer as text, abbreviated if it has thousands of digits."""
    return f"{Decimal(whole):f}"


def _no_number(key: Key, found: str, error: UnreadableError) -> Diagnostic:
    shown = found if len(found) <= _SHOWN else f"{found[:_SHOWN]}… ({len(found):,} characters)"
    return Diagnostic("cannot be read", column=path_of(key), found=f"`{shown}`", expected=error.expected, fix=error.fix)


def line_of(lines: Mapping[Key, int], key: Key) -> int | None:
    """Return the line of a key from `key_lines`, or of the nearest enclosing table or list that has one."""
    while key:
        if key in lines:
            return lines[key]
        key = key[:-1]
    return None


def key_lines(text: str) -> dict[Key, int]:
    """Return the lines of headers, keys, and items of multi-line lists that start with a brace."""
    lines: dict[Key, int] = {}
    counts: dict[Key, int] = {}
    table: Key = ()
    items: Key | None = None
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if items is not None:
            if stripped.startswith("{"):
                counts[items] = counts.get(items, -1) + 1
                lines[(*items, counts[items])] = number
            elif stripped.startswith("]"):
                items = None
            continue
        begins = _BEGINS.match(line)
        if begins is None:
            continue
        brackets, key, rest = begins.groups()
        if not brackets:
            path = (*table, *_parts(key))
            lines.setdefault(path, number)
            if rest.strip() == "[":
                items = path
        elif not rest or rest.startswith("#"):
            table = _table(_parts(key), brackets == "[[", counts)
            lines.setdefault(table, number)
            lines.setdefault(table[:-1] if isinstance(table[-1], int) else table, number)
    return lines


def _parts(dotted: str) -> Key:
    """Return the parts of a dotted key, up to a limit, since thousands of parts would take seconds to compare."""
    return tuple(found[0].strip("\"'") for found in islice(_PART.finditer(dotted), DEEPEST + 1))


def _table(names: Key, repeated: bool, counts: dict[Key, int]) -> Key:
    """Return the path of a table. Repeated tables are followed by their number."""
    path: Key = ()
    for position, name in enumerate(names):
        path = (*path, name)
        last = position == len(names) - 1
        if last and repeated:
            counts[path] = counts.get(path, -1) + 1
        if path in counts and (repeated or not last):
            path = (*path, counts[path])
    return path


@dataclass(slots=True)
class TomlFile:
    """A TOML file as read."""

    file: str
    data: dict[str, Any]
    lines: dict[Key, int]
    """Lines of headers and keys, from a plain scan of the text."""
    found: list[Diagnostic]
    """List that receives errors."""

    def line(self, key: Key) -> int | None:
        """Return the line of a key, or of the nearest enclosing table or list that has one."""
        return line_of(self.lines, key)

    def place(self, key: Key) -> tuple[str, int | None]:
        """Return the file and line of a key."""
        return self.file, self.line(key)

    def told(self, problems: list[Diagnostic]) -> list[Diagnostic]:
        """Return errors in the form in which they are printed."""
        return problems

    def problem(
        self, key: Key, message: str, found: str = "", expected: str = "", fix: str = "", code: str = ""
    ) -> None:
        """Record a mistake at a key."""
        self.found.append(Diagnostic(message, self.file, self.line(key), path_of(key), found, expected, fix, code))


def read_toml(path: Path, found: list[Diagnostic], number: Callable[[str], object] = Decimal) -> TomlFile | None:
    """Read a TOML file; None, with a problem recorded, if it cannot be read at all. `number` is as in `toml_data`."""
    text = read_text(path, found)
    if text is None:
        return None
    try:
        data = toml_data(text, str(path), number)
    except InputError as error:
        found.extend(error.problems)
        return None
    return TomlFile(str(path), data, key_lines(text), found)


class TomlTable(Entry):
    """A table of a TOML file as read."""

    __slots__ = ("at", "data", "layout", "others", "toml")

    def __init__(self, toml: TomlFile, layout: Layout, data: Mapping[str, object], at: Key) -> None:
        self.toml = toml
        self.layout: Layout = layout
        self.data = data
        self.at = at
        self.values = {}
        self.others: dict[str, Any] = {}
        self.bad = frozenset()

    def problem(self, column: str, message: str, expected: str = "", fix: str = "", code: str = "") -> None:
        """Report a mistake at a key."""
        found = written(self.data[column]) if column in self.data else ""
        self.toml.problem((*self.at, column) if column else self.at, message, found, expected, fix, code)

    def part(self, name: str) -> TomlTable:
        """Return the table `name` within, or an empty one if it isn't there."""
        found = self.values.get(name)
        return found if isinstance(found, TomlTable) else TomlTable(self.toml, self._inside(name), self.data, self.at)

    def _inside(self, name: str) -> Layout:
        return next((field.inside for field in self.layout.fields if field.name == name), None) or self.layout


def read_section(toml: TomlFile, layout: Layout, data: Mapping[str, object], at: Key = ()) -> TomlTable:
    """Parse a table and all tables in it. Missing and unreadable keys are absent."""
    entry = TomlTable(toml, layout, data, at)
    meant = {near for _, near, _ in _strangers(layout, data)}
    for field in layout.fields:
        value = data.get(field.name, "")
        if value in ("", []):
            if field.required:
                entry.bad |= {field.name}
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


def _read_value(entry: Entry, field: Field, value: object) -> None:
    try:
        entry.values[field.name] = field.kind.read(value)
    except UnreadableError as error:
        entry.bad |= {field.name}
        entry.problem(field.name, "cannot be read", error.expected, error.fix)


def _read_tables(toml: TomlFile, inside: Layout, value: object, at: Key) -> list[TomlTable]:
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
    """Yield the keys outside the layout, each with the field that is probably meant, and all missing fields."""
    known = set(layout.names)
    free = [name for name in layout.names if name not in data]
    for name in data:
        if name not in known:
            yield name, nearest(name, free, alike=0.75), free


def _read_others(entry: TomlTable, layout: Layout, data: Mapping[str, object]) -> None:
    """Read the keys outside the layout."""
    for name, near, free in _strangers(layout, data):
        value = data[name]
        if layout.others == "kept" and near is None:
            entry.others[name] = value
            continue
        suggested = f"did you mean `{near}`?" if near else did_you_mean(name, free)
        fix = layout.unknown_key_fix(name, suggested) or "delete it"
        expected = "one of " + ", ".join(layout.names)
        table = isinstance(value, dict) or (isinstance(value, list) and any(isinstance(item, dict) for item in value))
        entry.bad |= {name}
        entry.problem(name, "no such table" if table else "no such key", expected, fix)


def written(value: object) -> str:
    """Return a value for a message."""
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
    """Return TOML text that reads back as `data`. Decimals are written in full, and sets are sorted."""
    return tomli_w.dumps({key: _as_toml(value) for key, value in data.items()})


def toml_line(value: object) -> str:
    """Return a value as one line of TOML."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(key)} = {toml_line(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml_line, value)) + "]"
    return tomli_w.dumps({"x": _as_toml(value)}).removeprefix("x = ").rstrip()


def _key(name: str) -> str:
    return tomli_w.dumps({name: 1}).removesuffix(" = 1\n")


def _as_toml(value: object) -> object:
    """Return a value as a type that TOML has."""
    if isinstance(value, dict):
        return {key: _as_toml(inner) for key, inner in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, list | tuple):
        return [_as_toml(inner) for inner in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else Decimal(f"{value.normalize():f}")
    return str(value) if isinstance(value, str) else value  # an enumeration's word is a text
