"""Rule packs: named sets of rules as data, read from the `pack.toml` of a folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import cache
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from ..domain.base import Record, Tables
from ..domain.case import Scenario
from ..domain.change import Change
from ..domain.written import Written
from ..errors import Diagnostic, InputError, all_of
from ..reading.textfile import read_bytes
from ..reading.tomlfile import toml_data
from .base import PhaseStatus, Rule

if TYPE_CHECKING:
    from ..reading.fields import Layout
    from ..reading.tomlfile import TomlFile, TomlTable

PACK_FILE = "pack.toml"
"""The file that makes a folder a rule pack."""

_TABLES = ("rule", "bill", "scenario")
"""Lists of tables in a pack."""
_NEEDED = ("kind", "id", "citation")
"""What every rule of a pack states: a rule of law without its clause cannot be checked by anybody."""


class LegislativeBill(Record):
    """A named list of changes that a scenario switches on as one: `enable = "<id of the bill>"`."""

    id: Annotated[str, Written("hr-1")]
    """What scenarios switch on."""
    title: Annotated[str, Written("A bill")]
    """One line."""
    citation: Annotated[str, Written("H.R. 1, section 2")] = ""
    """The bill and its section."""
    source: Annotated[str, Written("https://www.congress.gov/bill/1")] = ""
    """Where its text was read."""
    status: Annotated[PhaseStatus, Written("pending")] = PhaseStatus.PENDING
    """Where it stands; blank: pending."""
    note: Annotated[str, Written("passed one house", sort="prose")] = ""
    """What to know: doubts, what was not read, where it stands."""
    change: tuple[Change, ...] = ()
    """What it would change."""


class RulePack(Tables):
    """A named set of rules. The rules are data until a registry, which knows their kinds, makes them."""

    id: Annotated[str, Written("us-10usc4872")]
    """Name by which cases use it."""
    title: Annotated[str, Written("10 U.S.C. 4872")]
    """One line."""
    authority: Annotated[str, Written("US Congress")] = ""
    """Who makes these rules."""
    as_of: Annotated[date, Written("2026-11-01")]
    """Day on which the law was read."""
    licence: Annotated[str, Written("public domain")] = ""
    """Of the pack's text and data."""
    note: Annotated[str, Written("regulations were not read", sort="prose")] = ""
    """What a reader should know."""
    rules: tuple[dict[str, Any], ...] = ()
    """One table a rule: `kind`, `id`, `citation`, and the fields of its kind."""
    bills: tuple[LegislativeBill, ...] = ()
    scenarios: tuple[Scenario, ...] = ()
    """Named lists of changes that any case using the pack may ask for by name."""
    good_until: date | None = None
    """Last day on which a case takes it, where that sets one; later it is told, and `--strict` refuses it. None: any day."""
    notes: tuple[str, ...] = ()
    """What to know of it in a case, where it was made for one: told with every plan."""
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

    def of_rules(self, made: Iterable[Rule]) -> RulePack:
        """The same pack, made for a case, with its rules as they were made of their tables, and with the digest of all that a run keeps of it."""
        rules = tuple(map(as_data, made))
        return self.but(rules=rules, digest=digest_of_made(self, rules))


@cache
def pack_layout() -> Layout:
    """The keys and sections of `pack.toml`, made from the records above; what reads is loaded when the first pack is read."""
    from ..reading import kinds as k
    from ..reading.fields import Field as Key
    from ..reading.fields import Layout, layout
    from .keys import CHANGE, RULE, SCENARIO

    doc = 'A named list of changes that a scenario switches on as one: `enable = "<id of the bill>"`.'
    change = Key("change", k.TABLES, "The changes, in order.", inside=CHANGE, repeated=True)
    parts = (
        Layout(RULE.name, "A rule of any kind.", (), "kept", RULE.others_doc),
        layout("[[bill]]", doc, LegislativeBill, change),
        SCENARIO,
    )
    return layout(
        PACK_FILE,
        "A named set of rules.",
        Key("schema", k.VERSION, "Version of the format.", 1, required=True),
        RulePack,
        *(Key(part.name.strip("[]"), k.TABLES, part.doc, inside=part, repeated=True) for part in parts),
    )


def unstated(rule: Mapping[str, Any]) -> list[str]:
    """What every rule of a pack states, whatever its kind, and one does not."""
    return [key for key in _NEEDED if not isinstance(rule.get(key), str) or not rule[key]]


def as_data(rule: Rule) -> dict[str, object]:
    """A rule as JSON-ready data, from which a registry makes it again."""
    data = rule.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return {**data, "kind": rule.kind, "id": rule.id}


KEPT = ("id", "as_of", "good_until", "notes", "bills", "scenarios")
"""What a run keeps of a pack beside its rules."""


def digest_of_made(pack: Record, rules: Iterable[Mapping[str, object]]) -> str:
    """SHA-256 of a pack that was made for a case, by what a run keeps of it: its `KEPT` fields, and its rules as data."""
    head = pack.model_dump(mode="json", by_alias=True, exclude_defaults=True, include=set(KEPT))
    return hashlib.sha256(_canonical([head, sorted(map(_canonical, rules))]).encode()).hexdigest()


def read_pack(folder: Path) -> RulePack:
    """Read the rule pack in `folder`.

    Raises:
        InputError: with everything that is wrong with the file, except with the fields that only a rule's kind knows.
    """
    from .keys import changes, scenario

    toml, top = _parsed(folder)
    rules = [rule.others for rule in top.parts("rule")]
    bills = [bill.record(LegislativeBill, change=changes(bill)) for bill in top.parts("bill")]
    scenarios = [scenario(told) for told in top.parts("scenario")]
    _need(toml, rules)
    _tell_apart(toml, ("rule", "bill"), "id")
    _tell_apart(toml, ("scenario",), "name")
    if toml.found:
        raise all_of(toml.found)
    lines = _lines(toml, rules)
    return RulePack(
        **top.layout.stated(RulePack, top.values),
        rules=tuple(rules),
        bills=tuple(filter(None, bills)),
        scenarios=tuple(filter(None, scenarios)),
        digest=_digest(toml.data),
        folder=folder,
        lines=tuple(line for line in lines if line) if all(lines) else (),
    )


def rules_in(folder: Path) -> tuple[str, tuple[dict[str, Any], ...], tuple[int | None, ...]]:
    """File, rules and their lines of a pack that has mistakes elsewhere; no rules if it cannot be read at all.

    Only those that say their kind and name: of the others it has been told.
    """
    try:
        toml, top = _parsed(folder)
    except InputError:
        return str(folder / PACK_FILE), (), ()
    rules = [rule.others for rule in top.parts("rule")]
    named = [all(isinstance(rule.get(key), str) for key in ("kind", "id")) for rule in rules]
    return toml.file, tuple(compress(rules, named)), tuple(compress(_lines(toml, rules), named))


def stated_name(path: Path, key: str) -> str:
    """The name a TOML file states under `key`; its folder's name where it states none or cannot be read.

    What is wrong with the file is the business of whoever reads it in full.
    """
    try:
        name = toml_data(read_bytes(path).decode("utf-8-sig"), str(path)).get(key)
    except (OSError, UnicodeDecodeError, InputError):
        name = None
    return name if isinstance(name, str) and name else path.parent.name


def _parsed(folder: Path) -> tuple[TomlFile, TomlTable]:
    """A pack's file, and what stands in it as far as it can be read.

    Raises:
        InputError: if it cannot be read at all.
    """
    from ..reading.tomlfile import read_section, read_toml

    path = folder / PACK_FILE
    if not folder.is_dir():
        raise InputError("there is no such folder", str(folder), fix="check the path of the rule pack")
    if not path.exists():
        raise InputError(f"the folder holds no {PACK_FILE}, so it is no rule pack", str(folder))
    found: list[Diagnostic] = []
    toml = read_toml(path, found, float)
    if toml is None:
        raise InputError(found)
    return toml, read_section(toml, pack_layout(), toml.data)


def _lines(toml: TomlFile, rules: Sequence[object]) -> list[int | None]:
    """The line at which each rule begins."""
    return [toml.lines.get(("rule", number)) for number in range(len(rules))]


def _need(toml: TomlFile, rules: Sequence[Mapping[str, Any]]) -> None:
    """Report what every rule of a pack must state, whatever its kind, and one does not."""
    for position, rule in enumerate(rules):
        for key in unstated(rule):
            message = f"rule {rule.get('id') or position + 1} of a pack needs `{key}`"
            found, line = str(rule.get(key, "")), toml.line(("rule", position))
            toml.found.append(Diagnostic(message, toml.file, line, key, found, "text", f"add `{key}`"))


def _tell_apart(toml: TomlFile, lists: Sequence[str], key: str) -> None:
    """Report names that stand for two entries."""
    first: dict[str, int | None] = {}
    for name in lists:
        tables = toml.data.get(name)
        for position, table in enumerate(tables if isinstance(tables, list) else ()):
            called, line = table.get(key) if isinstance(table, dict) else None, toml.line((name, position))
            if not isinstance(called, str) or not called:
                continue
            if called in first:
                before = f", first on line {first[called]}" if first[called] else ""
                message = f"`{called}` is the {key} of two entries{before}"
                toml.found.append(Diagnostic(message, toml.file, line, key, fix="rename one of the two"))
            first.setdefault(called, line)


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
