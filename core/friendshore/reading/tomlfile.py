"""TOML files, with limits on numbers and depth, lines of keys, and all errors collected."""

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
from typing import Any, TypeGuard

from ..domain.base import UnreadableError, out_of_range_error, stated_number
from ..errors import Diagnostic, InputError
from .fields import Field, Layout
from .records import Entry, path_of
from .textfile import SURROGATE, WHOLE, json_object, read_text

Key = tuple[str | int, ...]

MAX_DEPTH = 16
"""Friendshore's own files need 6 levels of tables and lists."""
MAX_CHARACTERS = 16_000_000
"""Maximum characters of a file: more than 100,000 tables of a case."""

# Maximum characters of a text in the cache.
_MAX_CACHED = 200_000
_NAME = r"""(?:[\w-]++|"(?:[^"\\]|\\.)*+"|'[^']*+')"""
_PART = re.compile(_NAME)
# A line that begins a table or sets a key, in the groups brackets, dotted key, and rest.
_BEGINNING = re.compile(
    rf"[ \t]*+(\[\[?+)?[ \t]*+({_NAME}(?:[ \t]*+\.[ \t]*+{_NAME})*+)[ \t]*+(?(1)\]\]?+|=)[ \t]*+(.*)"
)
# Maximum key parts that Python's parser may keep at once, about 160 MB. A case of 100,000 tables needs under a million.
_MAX_PARTS_IN_MEMORY = 20_000_000
# Maximum parts of a dotted key. The time of Python's parser grows with their square.
_MAX_KEY_PARTS = 200
_ERROR_PLACE = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$")
# Python refuses integers with over 4,300 digits.
_MANY_DIGITS = re.compile(r"\d[\d_]{4000,}")
# Maximum characters of a line that is searched for an unquoted value.
_MAX_UNQUOTED_LINE = 200
_UNQUOTED = re.compile(r"([\w-]+)\s*=\s*([^\s\"'\[\]{}#][^\"'\[\]{}#]*?)\s*(?:#.*)?")
# A date in another format, like 31.01.2027.
_OTHER_DATE = re.compile(r"\d{1,2}([./-])\d{1,2}\1\d{4}")
_MAX_SHOWN = 40


@dataclass(frozen=True, slots=True)
class _OutOfRangeNumber:
    text: str
    error: UnreadableError


def toml_data(text: str, file: str, number: Callable[[str], object] = Decimal) -> dict[str, Any]:
    """Return the data of a TOML text, or raise an InputError with all errors. `number` converts numbers with a point or an exponent."""
    # Short texts are parsed once per process, because the name of a pack is read before the pack.
    if len(text) > _MAX_CACHED:
        return _parsed(text, file, number)
    data: dict[str, Any] = pickle.loads(_pickled(text, file, number))  # noqa: S301 - our own data, copied for each caller
    return data


@lru_cache(maxsize=64)
def _pickled(text: str, file: str, number: Callable[[str], object]) -> bytes:
    return pickle.dumps(_parsed(text, file, number))


def _parsed(text: str, file: str, number: Callable[[str], object]) -> dict[str, Any]:
    if len(text) > MAX_CHARACTERS:
        found, expected = f"{len(text):,} characters", f"at most {MAX_CHARACTERS:,}"
        fix = "move long lists into CSV files, or split the case"
        raise InputError("is too long", file, None, "", found, expected, fix, code="FS051")

    if half := SURROGATE.search(text):  # possible only in a text in memory
        row = text.count("\n", 0, half.start()) + 1
        raise InputError("contains half of a character", file, row, expected=WHOLE, code="FS055")
    if (line := _line_with_long_key(text)) is not None:
        raise InputError(replace(_too_deep(), file=file, row=line))

    def read(digits: str) -> object:
        try:
            stated_number(digits)
        except UnreadableError as error:
            return _OutOfRangeNumber(digits, error)
        return number(digits)

    try:
        data = tomllib.loads(text, parse_float=read)
    except tomllib.TOMLDecodeError as error:
        raise InputError(toml_problem(error, file, text)) from error
    except RecursionError as error:
        raise InputError(replace(_too_deep(), file=file)) from error
    except ValueError as error:
        raise InputError(_long_integers(text, file)) from error
    errors = list(_limit_errors(data))
    if errors:
        lines = key_lines(text)
        placed = [replace(problem, file=file, row=line_of(lines, key)) for key, problem in errors]
        raise InputError(sorted(placed, key=lambda problem: problem.row or 0))
    return data


@lru_cache(maxsize=256)
def toml_value(data: bytes, file: str, key: str) -> object:
    """Return the value of a key in a file's text, or raise an InputError or UnicodeDecodeError. Equal bytes are parsed once per process."""
    return toml_data(data.decode("utf-8-sig"), file, float).get(key)


def _line_with_long_key(text: str) -> int | None:
    """Return the line of a dotted key that would make Python's parser use too much memory: a very long one, or the longest if all together are too many. Otherwise None."""
    total_parts = table_parts = 0
    longest = (0, 0)
    for number, line in enumerate(text.splitlines(), 1):
        match = _BEGINNING.match(line)
        if not match:
            continue
        parts = len(_PART.findall(match[2]))
        if parts > _MAX_KEY_PARTS:
            return number
        longest = max(longest, (parts, -number))
        if match[1]:
            table_parts = parts
        total_parts += parts if match[1] else (table_parts + parts) * (parts - 1)
        if total_parts > _MAX_PARTS_IN_MEMORY:
            return -longest[1]
    return None


def toml_problem(error: tomllib.TOMLDecodeError, file: str, text: str) -> Diagnostic:
    reason = str(error)
    place = _ERROR_PLACE.search(reason)
    message = f"isn't valid TOML: {reason[: place.start()] if place else reason}"
    if not place or not place[1]:
        return Diagnostic(
            message, file, fix="correct the end of the file; the rest is checked after that", code="FS056"
        )
    row = int(place[1])
    lines = text.split("\n")
    line = lines[row - 1].strip() if row <= len(lines) else ""
    if "Illegal character '\\n'" in reason:
        message, fix = "isn't valid TOML: a text has no closing quote", "add the quote at the end of the text"
    else:
        fix = _syntax_fix(reason, line)
    found = f"`{line if len(line) <= _MAX_SHOWN else line[:_MAX_SHOWN] + '…'}`" if line else ""
    return Diagnostic(message, file, row, found=found, fix=fix, code="FS056")


def _syntax_fix(reason: str, line: str) -> str:
    is_about_value = reason.startswith(("Invalid value", "Expected newline")) and len(line) <= _MAX_UNQUOTED_LINE
    match = _UNQUOTED.fullmatch(line) if is_about_value else None
    if match is None:
        return "correct this line; the rest of the file is checked after that"
    key, value = match.groups()
    if _OTHER_DATE.fullmatch(value):
        return f"write the date as year, month, and day, like {key} = 2027-01-31"
    return f'put quotes around the value: {key} = "{value}"'


def _long_integers(text: str, file: str) -> list[Diagnostic]:
    return [
        replace(_number_error((), match[0], out_of_range_error()), file=file, row=number)
        for number, line in enumerate(text.splitlines(), 1)
        for match in _MANY_DIGITS.finditer(line)
    ]


def _limit_errors(data: Mapping[str, object]) -> Iterator[tuple[Key, Diagnostic]]:
    """Yield errors for numbers out of range and for excessive depth, each with its key."""
    stack: list[tuple[Key, object]] = [((), data)]
    while stack:
        key, value = stack.pop()
        if isinstance(value, dict | list):
            if len(key) > MAX_DEPTH:
                yield key, _too_deep(path_of(key))
                continue
            items = value.items() if isinstance(value, dict) else enumerate(value)
            stack += [((*key, step), entry) for step, entry in items]
        elif isinstance(value, _OutOfRangeNumber):
            yield key, _number_error(key, value.text, value.error)
        elif type(value) is int:
            try:
                stated_number(value)
            except UnreadableError as error:
                yield key, _number_error(key, f"{Decimal(value):f}", error)  # `str` refuses thousands of digits


def _too_deep(column: str = "") -> Diagnostic:
    expected, fix = f"at most {MAX_DEPTH} nested tables and lists", "check the brackets and the dots in the key"
    return Diagnostic("is nested too deeply", column=column, expected=expected, fix=fix, code="FS007")


def _number_error(key: Key, text: str, error: UnreadableError) -> Diagnostic:
    shown = text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}… ({len(text):,} characters)"
    return Diagnostic("cannot be read", "", None, path_of(key), f"`{shown}`", error.expected, error.fix, error.code)


def line_of(lines: Mapping[Key, int], key: Key) -> int | None:
    """Return the line of a key, or of the nearest enclosing table or list that has one."""
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
        beginning = _BEGINNING.match(line)
        if beginning is None:
            continue
        brackets, key, rest = beginning.groups()
        if not brackets:
            path = (*table, *_key_parts(key))
            lines.setdefault(path, number)
            if rest.strip() == "[":
                items = path
        elif not rest or rest.startswith("#"):
            table = _table_path(_key_parts(key), brackets == "[[", counts)
            lines.setdefault(table, number)
            lines.setdefault(table[:-1] if isinstance(table[-1], int) else table, number)
    return lines


def _key_parts(dotted: str) -> Key:
    # Up to a limit, since thousands of parts would take seconds to compare.
    return tuple(match[0].strip("\"'") for match in islice(_PART.finditer(dotted), MAX_DEPTH + 1))


def _table_path(names: Key, is_list: bool, counts: dict[Key, int]) -> Key:
    """Return the path of a table. Tables in a list are followed by their number."""
    path: Key = ()
    for position, name in enumerate(names):
        path = (*path, name)
        is_last = position == len(names) - 1
        if is_last and is_list:
            counts[path] = counts.get(path, -1) + 1
        if path in counts and (is_list or not is_last):
            path = (*path, counts[path])
    return path


@dataclass(slots=True)
class TomlFile:
    """A TOML file after reading."""

    file: str
    data: dict[str, Any]
    lines: dict[Key, int]
    problems: list[Diagnostic]
    """List that receives errors."""

    def line(self, key: Key) -> int | None:
        return line_of(self.lines, key)

    def place(self, key: Key) -> tuple[str, int | None]:
        return self.file, self.line(key)

    def printable(self, problems: list[Diagnostic]) -> list[Diagnostic]:
        """Return errors in the form in which they are printed. Formats that aren't TOML override this."""
        return problems

    def problem(
        self, key: Key, message: str, found: str = "", expected: str = "", fix: str = "", code: str = ""
    ) -> None:
        self.problems.append(Diagnostic(message, self.file, self.line(key), path_of(key), found, expected, fix, code))


def read_toml(path: Path, problems: list[Diagnostic], number: Callable[[str], object] = Decimal) -> TomlFile | None:
    """Read a TOML file, or add an error to `problems` and return None. `number` is as in `toml_data`."""
    text = read_text(path, problems)
    if text is None:
        return None
    try:
        data = toml_data(text, str(path), number)
    except InputError as error:
        problems.extend(error.problems)
        return None
    return TomlFile(str(path), data, key_lines(text), problems)


def toml_of(source: str | Mapping[str, object], name: str, problems: list[Diagnostic]) -> TomlFile | None:
    """Return data in memory as if it had been read from a file. If it isn't valid, add errors to `problems` and return None.

    Args:
        source: TOML text, JSON text (which starts with a brace), or a mapping. None values in a mapping count as absent.
        name: Name of the data in messages.
        problems: List that receives errors, also later ones.
    """
    if not isinstance(source, str):
        return TomlFile(name, _plain(source), {}, problems)
    if source.lstrip().startswith("{"):
        data = json_object(source, name, problems)
        return None if data is None else TomlFile(name, _plain(data), {}, problems)
    try:
        return TomlFile(name, toml_data(source, name, Decimal), key_lines(source), problems)
    except InputError as error:
        problems.extend(error.problems)
        return None


def is_text(source: object) -> TypeGuard[str]:
    """Return True for TOML or JSON text. Another string is a path, without line breaks and without a brace at its start."""
    return isinstance(source, str) and ("\n" in source or source.lstrip().startswith("{"))


def _plain(value: Any) -> Any:
    """Return a value as TOML would have it: lists for tuples, decimals for floats, and no None in tables."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return Decimal(str(value)) if isinstance(value, float) else value


class TomlTable(Entry):
    """A table of a TOML file after reading."""

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
        found = quoted(self.data[column]) if column in self.data else ""
        self.toml.problem((*self.at, column) if column else self.at, message, found, expected, fix, code)

    def part(self, name: str) -> TomlTable:
        table = self.values.get(name)
        if isinstance(table, TomlTable):
            return table
        layout = next((field.inside for field in self.layout.fields if field.name == name), None)
        return TomlTable(self.toml, layout or self.layout, self.data, self.at)


def read_section(toml: TomlFile, layout: Layout, data: Mapping[str, object], at: Key = ()) -> TomlTable:
    """Parse a table and all tables in it. Missing and unreadable keys are absent."""
    entry = TomlTable(toml, layout, data, at)
    misspelled = {near for _, near in _unknown_keys(layout, data)}
    for field in layout.fields:
        value = data.get(field.name, "")
        if value in ("", []):
            if field.required:
                entry.bad |= {field.name}
            if field.required and field.name not in misspelled:
                message, fix = "a required key is missing", f"add `{field.name}`"
                toml.problem((*at, field.name), message, expected=field.expected, fix=fix, code="FS002")
        elif field.inside is None:
            _read_value(entry, field, value)
        elif field.repeated:
            entry.values[field.name] = _read_tables(toml, field.inside, value, (*at, field.name))
        elif isinstance(value, dict):
            entry.values[field.name] = read_section(toml, field.inside, value, (*at, field.name))
        else:
            entry.problem(field.name, "must be a table", expected=field.inside.name, code="FS006")
    _read_others(entry, layout, data)
    return entry


def _read_value(entry: Entry, field: Field, value: object) -> None:
    try:
        entry.values[field.name] = field.kind.read(value)
    except UnreadableError as error:
        entry.bad |= {field.name}
        entry.problem(field.name, "cannot be read", error.expected, error.fix, error.code)


def _read_tables(toml: TomlFile, inside: Layout, value: object, at: Key) -> list[TomlTable]:
    items = value if isinstance(value, list) else []
    if not isinstance(value, list):
        toml.problem(at, "must be a list of tables", quoted(value), inside.name, code="FS006")
    entries = []
    for number, item in enumerate(items):
        if isinstance(item, dict):
            entries.append(read_section(toml, inside, item, (*at, number)))
        else:
            toml.problem((*at, number), "must be a table", quoted(item), inside.name, code="FS006")
    return entries


def _unknown_keys(layout: Layout, data: Mapping[str, object]) -> Iterator[tuple[str, str | None]]:
    """Yield each key outside the layout and the missing field that it probably misspells."""
    names = set(layout.names)
    missing = [name for name in layout.names if name not in data]
    for name in data:
        if name not in names:
            yield name, layout.misspelled(name, missing)


def _read_others(entry: TomlTable, layout: Layout, data: Mapping[str, object]) -> None:
    for name, near in _unknown_keys(layout, data):
        value = data[name]
        if layout.others == "kept" and near is None:
            entry.others[name] = value
            continue
        suggested = f"did you mean `{near}`?" if near else ""
        fix = layout.unknown_key_fix(name, suggested) or "delete it"
        expected = "one of " + ", ".join(layout.names)
        is_table = isinstance(value, dict) or (isinstance(value, list) and any(isinstance(v, dict) for v in value))
        entry.bad |= {name, near} if near else {name}
        entry.problem(name, "unknown table" if is_table else "unknown key", expected, fix, "FS001")


def quoted(value: object) -> str:
    if isinstance(value, bool):
        return "`true`" if value else "`false`"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        if len(value) > 5:
            return f"a list of {len(value)}"
        return "`[" + ", ".join(quoted(v).strip("`") for v in value) + "]`"
    text = str(value)
    return f"`{text[:77]}…`" if len(text) > 80 else f"`{text}`" if text else "an empty text"


def toml_text(data: Mapping[str, object]) -> str:
    """Return TOML text that reads back as `data`. Decimals are written in full, and sets are sorted."""
    return _written({key: _as_toml(value) for key, value in data.items()})


def _written(data: Mapping[str, object]) -> str:
    import tomli_w  # a plan on the screen writes no TOML

    return tomli_w.dumps(data)


def toml_line(value: object) -> str:
    if isinstance(value, dict):
        keys = {key: _written({key: 1}).removesuffix("1\n") for key in value}
        return "{ " + ", ".join(f"{keys[key]}{toml_line(entry)}" for key, entry in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml_line, value)) + "]"
    return _written({"x": _as_toml(value)}).removeprefix("x = ").rstrip()


def _as_toml(value: object) -> object:
    if isinstance(value, dict):
        return {key: _as_toml(inner) for key, inner in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, list | tuple):
        return [_as_toml(inner) for inner in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else Decimal(f"{value.normalize():f}")
    return str(value) if isinstance(value, str) else value  # `str` converts enum members
