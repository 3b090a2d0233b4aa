"""Rule packs: named sets of rules as data, read from the `pack.toml` of a folder."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import Field

from ..domain.base import Record, Tables
from ..domain.case import Scenario
from ..domain.change import Change
from ..errors import Diagnostic, InputError
from ..reading.records import record
from ..reading.textfile import read_bytes, read_text
from ..reading.tomltext import key_lines, toml_data
from .base import PhaseStatus

M = TypeVar("M", bound=Record)

PACK_FILE = "pack.toml"
"""The file that makes a folder a rule pack."""

_TABLES = ("rule", "bill", "scenario")
"""Lists of tables in a pack."""
_NEEDED = ("kind", "id", "citation")
"""What every rule of a pack states: a rule of law without its clause cannot be checked by anybody."""


class LegislativeBill(Record):
    """A named list of changes that a scenario switches on as one: `enable = "<id of the bill>"`."""

    id: str
    """What scenarios switch on."""
    title: str
    """One line."""
    citation: str = ""
    """The bill and its section."""
    source: str = ""
    """Where its text was read."""
    status: PhaseStatus = PhaseStatus.PENDING
    """Where it stands."""
    note: str = ""
    """What to know: doubts, what was not read, where it stands."""
    change: tuple[Change, ...] = ()
    """What it would change."""


class RulePack(Tables):
    """A named set of rules. The rules are data until a registry, which knows their kinds, makes them."""

    id: str
    title: str
    authority: str = ""
    """Who makes these rules."""
    as_of: date
    """Day on which the law was read."""
    licence: str = ""
    """Of the pack's text and data."""
    note: str = ""
    rules: tuple[dict[str, Any], ...] = ()
    """One table a rule: `kind`, `id`, `citation`, and the fields of its kind."""
    bills: tuple[LegislativeBill, ...] = ()
    scenarios: tuple[Scenario, ...] = ()
    """Named lists of changes that any case using the pack may ask for by name."""
    digest: str = ""
    """SHA-256 of the parsed content; comments, layout and the order of rules do not count."""
    folder: Path | None = Field(default=None, exclude=True)
    """Where it was read."""
    lines: tuple[int, ...] = Field(default=(), exclude=True)
    """Line of `pack.toml` at which each rule begins; empty where not known."""

    @property
    def file(self) -> str:
        """The file it was read from; its id, if from none."""
        return str(self.folder / PACK_FILE) if self.folder else self.id


class PackHead(Record):
    """`pack.toml` as it is written, without its rules and bills."""

    schema_: Literal[1] = Field(alias="schema")
    """Version of the format."""
    id: str = Field(min_length=1)
    """Name by which cases use it."""
    title: str
    """One line."""
    authority: str = ""
    """Who makes these rules."""
    as_of: date
    """Day on which the law was read."""
    licence: str = ""
    """Of the pack's text and data."""
    note: str = ""
    """What a reader should know."""


def read_pack(folder: Path) -> RulePack:
    """Reads the rule pack in `folder`.

    Raises:
        InputError: with everything that is wrong with the file, except with the fields that only a rule's kind knows.
    """
    path = folder / PACK_FILE
    text, data = _parsed(path)
    found = _Found(str(path), [])
    heads = found.records(PackHead, [{key: value for key, value in data.items() if key not in _TABLES}], ())
    lines = key_lines(text)
    found.problems[:] = [replace(problem, row=lines.get((problem.column,))) for problem in found.problems]
    rules, rule_lines = found.tables(data, "rule"), _lines(text, "rule")
    tables, bill_lines = found.tables(data, "bill"), _lines(text, "bill")
    found.needs(rules, rule_lines)
    bills = found.records(LegislativeBill, tables, bill_lines)
    found.repeated([*rules, *tables], (*rule_lines, *bill_lines))
    stories, story_lines = found.tables(data, "scenario"), _lines(text, "scenario")
    scenarios = found.records(Scenario, stories, story_lines)
    found.repeated(stories, story_lines, "name")
    if found.problems:
        raise InputError(found.problems)
    return RulePack(
        **heads[0].model_dump(exclude={"schema_"}),
        rules=tuple(rules),
        bills=tuple(bills),
        scenarios=tuple(scenarios),
        digest=_digest(data),
        folder=folder,
        lines=rule_lines if len(rule_lines) == len(rules) else (),
    )


def rules_in(folder: Path) -> tuple[str, tuple[dict[str, Any], ...], tuple[int, ...]]:
    """File, rules and their lines of a pack that has mistakes elsewhere; no rules if it cannot be read at all.

    Only those that say their kind and name: of the others it has been told.
    """
    path = folder / PACK_FILE
    try:
        text, data = _parsed(path)
    except InputError:
        return str(path), (), ()
    rules, lines = _Found(str(path), []).tables(data, "rule"), _lines(text, "rule")
    kept = [
        (rule, line)
        for rule, line in zip(rules, lines, strict=False)
        if isinstance(rule.get("kind"), str) and isinstance(rule.get("id"), str)
    ]
    return str(path), tuple(rule for rule, _ in kept), tuple(line for _, line in kept)


def stated_name(path: Path, key: str) -> str:
    """The name a TOML file states under `key`; its folder's name where it states none or cannot be read.

    What is wrong with the file is the business of whoever reads it in full.
    """
    try:
        name = toml_data(read_bytes(path).decode("utf-8-sig"), str(path)).get(key)
    except (OSError, UnicodeDecodeError, InputError):
        name = None
    return name if isinstance(name, str) and name else path.parent.name


def _parsed(path: Path) -> tuple[str, dict[str, Any]]:
    if not path.parent.is_dir():
        raise InputError(Diagnostic("there is no such folder", str(path.parent), fix="check the path of the rule pack"))
    if not path.exists():
        raise InputError(Diagnostic(f"the folder holds no {PACK_FILE}, so it is no rule pack", str(path.parent)))
    found: list[Diagnostic] = []
    text = read_text(path, found)
    if text is None:
        raise InputError(found)
    return text, toml_data(text, str(path), float)


def _lines(text: str, table: str) -> tuple[int, ...]:
    """Lines on which an entry of a list of tables begins."""
    header = re.compile(rf"\s*\[\[\s*{table}\s*\]\]")
    return tuple(number for number, line in enumerate(text.splitlines(), 1) if header.match(line))


def _line(lines: tuple[int, ...], position: int) -> int | None:
    return lines[position] if position < len(lines) else None


@dataclass(frozen=True, slots=True)
class _Found:
    """A file, and all that is wrong with it so far."""

    file: str
    problems: list[Diagnostic]

    def tables(self, data: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
        """The entries of a list of tables."""
        entries = data.get(name, [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            self.problems.append(
                Diagnostic("a list of tables is needed", self.file, column=name, fix=f"write [[{name}]]")
            )
            return []
        return entries

    def records(self, model: type[M], tables: Sequence[Mapping[str, Any]], lines: tuple[int, ...]) -> list[M]:
        """The records that tables make."""
        made = []
        for position, table in enumerate(tables):
            try:
                made.append(record(model, table, self.file, _line(lines, position)))
            except InputError as error:
                self.problems.extend(error.problems)
        return made

    def needs(self, tables: Sequence[Mapping[str, Any]], lines: tuple[int, ...]) -> None:
        """What every rule of a pack must state, whatever its kind."""
        for position, table in enumerate(tables):
            for key in _NEEDED:
                if isinstance(table.get(key), str) and table[key]:
                    continue
                message = f"rule {table.get('id') or position + 1} of a pack needs `{key}`"
                found = str(table[key]) if key in table else ""
                place = _line(lines, position)
                self.problems.append(Diagnostic(message, self.file, place, key, found, "text", f"add `{key}`"))

    def repeated(self, tables: Sequence[Mapping[str, Any]], lines: tuple[int, ...], key: str = "id") -> None:
        """Names that stand for two entries."""
        first: dict[str, int] = {}
        for position, table in enumerate(tables):
            name = table.get(key)
            if not isinstance(name, str) or first.setdefault(name, position) == position or not name:
                continue
            before = _line(lines, first[name])
            message = f"`{name}` is the {key} of two entries" + (f", first on line {before}" if before else "")
            place = _line(lines, position)
            self.problems.append(Diagnostic(message, self.file, place, key, fix="rename one of the two"))


def _digest(data: Mapping[str, Any]) -> str:
    """SHA-256 of what the file says, whatever the order of its rules, bills and scenarios."""

    def in_order(tables: object) -> list[str]:
        return sorted(_canonical(table) for table in tables) if isinstance(tables, list) else []

    head = {key: value for key, value in data.items() if key not in _TABLES}
    content = {"head": head} | {
        name: in_order(data.get(name)) for name in _TABLES if name != "scenario" or name in data
    }
    return hashlib.sha256(_canonical(content).encode()).hexdigest()


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str, separators=(",", ":"))
