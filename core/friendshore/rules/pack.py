"""Rule packs: named sets of rules as data, read from the `pack.toml` of a folder."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from ..domain.base import Record
from ..domain.change import Change
from ..errors import FriendshoreError, InputError, Problem
from ..reading.records import record
from .base import PhaseStatus

PACK_FILE = "pack.toml"
"""The file that makes a folder a rule pack."""

_NEEDED = ("kind", "id", "citation")
"""What every rule of a pack states: a rule of law without its clause cannot be checked by anybody."""


class Bill(Record):
    """A named list of changes that a scenario switches on as one: `enable = "<id of the bill>"`."""

    id: str
    title: str
    citation: str = ""
    """The bill and its section."""
    source: str = ""
    """Where its text was read."""
    status: PhaseStatus = PhaseStatus.PENDING
    note: str = ""
    """What to know: doubts, what was not read, where it stands."""
    change: tuple[Change, ...] = ()


class RulePack(Record):
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
    bills: tuple[Bill, ...] = ()
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


class _PackFile(Record):
    """`pack.toml` as it is written."""

    schema_: Literal[1] = Field(alias="schema")
    id: str = Field(min_length=1)
    title: str
    authority: str = ""
    as_of: date
    licence: str = ""
    note: str = ""
    rule: tuple[dict[str, Any], ...] = ()
    bill: tuple[dict[str, Any], ...] = ()


def read_pack(folder: Path) -> RulePack:
    """Reads the rule pack in `folder`.

    Raises:
        InputError: with everything that is wrong with the file, except with the fields that only a rule's kind knows.
    """
    path = folder / PACK_FILE
    text, data = _parsed(path)
    file = str(path)
    problems: list[Problem] = []
    rule_lines, bill_lines = _lines(text, "rule"), _lines(text, "bill")
    try:
        head = record(_PackFile, data, file)
    except FriendshoreError as error:
        raise InputError([*error.problems, *_whatever_else(data, file, rule_lines, bill_lines)]) from error
    bills = _bills(head.bill, file, bill_lines, problems)
    problems += _rule_problems(head.rule, file, rule_lines)
    problems += _repeated((*head.rule, *head.bill), (*rule_lines, *bill_lines), file)
    if problems:
        raise InputError(problems)
    return RulePack(
        **head.model_dump(exclude={"schema_", "rule", "bill"}),
        rules=head.rule,
        bills=tuple(bills),
        digest=_digest(data),
        folder=folder,
        lines=rule_lines if len(rule_lines) == len(head.rule) else (),
    )


def pack_id(folder: Path) -> str:
    """The id that `folder`'s `pack.toml` states; the folder's name where it states none or cannot be read."""
    return stated_name(folder / PACK_FILE, "id")


def stated_name(path: Path, key: str) -> str:
    """The name a TOML file states under `key`; its folder's name where it states none or cannot be read.

    What is wrong with the file is the business of whoever reads it in full.
    """
    try:
        name = tomllib.loads(path.read_text(encoding="utf-8")).get(key)
    except (OSError, ValueError):
        name = None
    return name if isinstance(name, str) and name else path.parent.name


def _parsed(path: Path) -> tuple[str, dict[str, Any]]:
    file = str(path)
    try:
        text = path.read_text(encoding="utf-8")
        return text, tomllib.loads(text)
    except FileNotFoundError as error:
        if path.parent.is_dir():
            problem = Problem(f"the folder holds no {PACK_FILE}, so it is no rule pack", str(path.parent))
        else:
            problem = Problem("there is no such folder", str(path.parent), fix="check the path of the rule pack")
        raise InputError(problem) from error
    except OSError as error:
        raise InputError(Problem(f"cannot be read: {error.strerror or error}", file)) from error
    except UnicodeDecodeError as error:
        raise InputError(Problem("is not UTF-8 text", file, fix="save the file with the encoding UTF-8")) from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(toml_problem(error, file)) from error


def toml_problem(error: tomllib.TOMLDecodeError, file: str) -> Problem:
    """A syntax error of TOML, with its line."""
    said = str(error)
    place = re.search(r"\s*\(at (?:line (\d+), column \d+|end of document)\)$", said)
    message = f"is not valid TOML: {said[: place.start()] if place else said}"
    if place and place[1]:
        return Problem(message, file, row=int(place[1]), fix="mend this line")
    return Problem(message, file, fix="mend the end of the file")


def _lines(text: str, table: str) -> tuple[int, ...]:
    """Lines on which an entry of a list of tables begins."""
    header = re.compile(rf"\s*\[\[\s*{table}\s*\]\]")
    return tuple(number for number, line in enumerate(text.splitlines(), 1) if header.match(line))


def _line(lines: tuple[int, ...], position: int) -> int | None:
    return lines[position] if position < len(lines) else None


def _whatever_else(
    data: Mapping[str, Any], file: str, rule_lines: tuple[int, ...], bill_lines: tuple[int, ...]
) -> list[Problem]:
    """What is wrong with the rules and bills of a file whose head is wrong already."""
    problems: list[Problem] = []
    tables = {name: [t for t in _as_list(data.get(name)) if isinstance(t, dict)] for name in ("rule", "bill")}
    _bills(tables["bill"], file, bill_lines, problems)
    return problems + _rule_problems(tables["rule"], file, rule_lines)


def _as_list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _bills(
    tables: tuple[dict[str, Any], ...] | list[dict[str, Any]],
    file: str,
    lines: tuple[int, ...],
    problems: list[Problem],
) -> list[Bill]:
    bills = []
    for position, table in enumerate(tables):
        try:
            bills.append(record(Bill, table, file, _line(lines, position)))
        except FriendshoreError as error:
            problems += error.problems
    return bills


def _rule_problems(
    tables: tuple[dict[str, Any], ...] | list[dict[str, Any]], file: str, lines: tuple[int, ...]
) -> list[Problem]:
    """What every rule of a pack must state, whatever its kind."""
    return [
        Problem(
            f"rule {table.get('id') or position + 1} of a pack needs `{key}`",
            file,
            _line(lines, position),
            column=key,
            found="" if table.get(key) is None else str(table[key]) or "nothing",
            expected="text",
            fix=f"add `{key}`",
        )
        for position, table in enumerate(tables)
        for key in _NEEDED
        if not isinstance(table.get(key), str) or not table[key]
    ]


def _repeated(tables: tuple[dict[str, Any], ...], lines: tuple[int, ...], file: str) -> list[Problem]:
    """Ids that stand for two rules or bills."""
    problems, first = [], dict[str, int]()
    for position, table in enumerate(tables):
        name = table.get("id")
        if not isinstance(name, str) or not name:
            continue
        if name in first:
            before = _line(lines, first[name])
            message = f"`{name}` is the id of two entries" + (f", first on line {before}" if before else "")
            problems.append(Problem(message, file, _line(lines, position), "id", fix="rename one of the two"))
        first.setdefault(name, position)
    return problems


def _digest(data: Mapping[str, Any]) -> str:
    """SHA-256 of what the file says, whatever the order of its rules and bills."""

    def in_order(tables: object) -> list[str]:
        return sorted(_canonical(t) for t in _as_list(tables))

    head = {key: value for key, value in data.items() if key not in ("rule", "bill")}
    content = {"head": head, "rule": in_order(data.get("rule")), "bill": in_order(data.get("bill"))}
    return hashlib.sha256(_canonical(content).encode()).hexdigest()


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str, separators=(",", ":"))
