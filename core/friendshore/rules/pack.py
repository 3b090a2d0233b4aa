"""Rule packs: named sets of rules as data, from the `pack.toml` of a folder."""

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

_TABLES = ("rule", "bill", "scenario")
# Keys that every rule of a pack must have. Without its clause, a rule of law can't be checked.
_REQUIRED = ("kind", "id", "citation")


class LegislativeBill(Record):
    """A named list of changes that a scenario enables together: `enable = "<id of the bill>"`."""

    id: Annotated[str, Written("hr-1")]
    """Id for scenarios."""
    title: Annotated[str, Written("A bill")]
    """One line."""
    citation: Annotated[str, Written("H.R. 1, section 2")] = ""
    """Bill and section."""
    source: Annotated[str, Written("https://www.congress.gov/bill/1")] = ""
    """Source of its text."""
    status: Annotated[PhaseStatus, Written("pending")] = PhaseStatus.PENDING
    """Legal status. Defaults to pending."""
    note: Annotated[str, Written("passed one house", sort="prose")] = ""
    """Remarks: doubts, texts that were not read, and progress of the bill."""
    change: tuple[Change, ...] = ()
    """Its changes."""


class RulePack(Tables):
    """A named set of rules. The rules are data until a registry, which knows their kinds, creates them."""

    id: Annotated[str, Written("us-10usc4872")]
    """Name for cases."""
    title: Annotated[str, Written("10 U.S.C. 4872")]
    """One line."""
    authority: Annotated[str, Written("US Congress")] = ""
    """Authority that makes these rules."""
    as_of: Annotated[date, Written("2026-11-01")]
    """Date of the last review of the law."""
    license: Annotated[str, Written("public domain")] = ""
    """License of the pack's text and data."""
    note: Annotated[str, Written("regulations were not read", sort="prose")] = ""
    """Remarks for readers."""
    rules: tuple[dict[str, Any], ...] = ()
    """One table per rule: `kind`, `id`, `citation`, and the fields of its kind."""
    bills: tuple[LegislativeBill, ...] = ()
    scenarios: tuple[Scenario, ...] = ()
    """Scenarios that any case with the pack may use."""
    good_until: date | None = None
    """Last day on which a case accepts it. Later, a warning appears, and `--strict` refuses it. None means any day."""
    notes: tuple[str, ...] = ()
    """Notes for every plan of the case that the pack was made for."""
    digest: str = ""
    """SHA-256 of the parsed content. Comments, layout, and the order of rules don't affect it."""
    folder: Path | None = Field(default=None, exclude=True)
    """Folder that it was read from."""
    lines: tuple[int, ...] = Field(default=(), exclude=True)
    """Line of `pack.toml` at which each rule begins. Empty if unknown."""

    @property
    def file(self) -> str:
        return str(self.folder / PACK_FILE) if self.folder else self.id

    def of_rules(self, rules: Iterable[Rule]) -> RulePack:
        """Return a pack that was made for a case, with its rules as created and the digest of everything that a run stores of it."""
        data = tuple(map(as_data, rules))
        return self.but(rules=data, digest=digest_of_case_pack(self, data))


@cache
def pack_layout() -> Layout:
    # The parsers are slow to load, and lists of packs need none.
    from ..reading import kinds as k
    from ..reading.fields import Field as Key
    from ..reading.fields import Layout, layout
    from .keys import CHANGE, RULE, SCENARIO

    doc = 'A named list of changes that a scenario enables together: `enable = "<id of the bill>"`.'
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
    return [key for key in _REQUIRED if not isinstance(rule.get(key), str) or not rule[key]]


def as_data(rule: Rule) -> dict[str, object]:
    """Return a rule as JSON-ready data, from which a registry can create it again."""
    data = rule.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return {**data, "kind": rule.kind, "id": rule.id}


# Fields of a pack that a run stores in addition to its rules.
KEPT = ("id", "as_of", "good_until", "notes", "bills", "scenarios")


def digest_of_case_pack(pack: Record, rules: Iterable[Mapping[str, object]]) -> str:
    head = pack.model_dump(mode="json", by_alias=True, exclude_defaults=True, include=set(KEPT))
    return hashlib.sha256(_canonical([head, sorted(map(_canonical, rules))]).encode()).hexdigest()


def read_pack(folder: Path) -> RulePack:
    """Read the rule pack in a folder, or raise `InputError` with all errors except in fields that only a rule's kind knows."""
    from .keys import changes, scenario

    toml, top = _read_toml_file(folder)
    rules = [rule.others for rule in top.parts("rule")]
    bills = [bill.record(LegislativeBill, change=changes(bill)) for bill in top.parts("bill")]
    scenarios = [scenario(entry) for entry in top.parts("scenario")]
    _report_missing(toml, rules)
    _report_duplicates(toml, ("rule", "bill"), "id")
    _report_duplicates(toml, ("scenario",), "name")
    if toml.problems:
        raise all_of(toml.problems)
    lines = _rule_lines(toml, rules)
    return RulePack(
        **top.layout.attributes(RulePack, top.values),
        rules=tuple(rules),
        bills=tuple(filter(None, bills)),
        scenarios=tuple(filter(None, scenarios)),
        digest=_digest(toml.data),
        folder=folder,
        lines=tuple(line for line in lines if line) if all(lines) else (),
    )


def identified_rules(folder: Path) -> tuple[str, tuple[dict[str, Any], ...], tuple[int | None, ...]]:
    """Return the file, the rules with a kind and an id, and their lines, of a pack that may have errors. No rules if it can't be read."""
    try:
        toml, top = _read_toml_file(folder)
    except InputError:
        return str(folder / PACK_FILE), (), ()
    rules = [rule.others for rule in top.parts("rule")]
    is_identified = [all(isinstance(rule.get(key), str) for key in ("kind", "id")) for rule in rules]
    return toml.file, tuple(compress(rules, is_identified)), tuple(compress(_rule_lines(toml, rules), is_identified))


def stated_name(path: Path, key: str) -> str:
    """Return the name that a TOML file states under `key`, or else the name of its folder. Never raises, since the file's own reader reports errors."""
    try:
        name = toml_data(read_bytes(path).decode("utf-8-sig"), str(path)).get(key)
    except (OSError, UnicodeDecodeError, InputError):
        name = None
    return name if isinstance(name, str) and name else path.parent.name


def _read_toml_file(folder: Path) -> tuple[TomlFile, TomlTable]:
    from ..reading.tomlfile import read_section, read_toml

    path = folder / PACK_FILE
    if not folder.is_dir():
        raise InputError("the folder doesn't exist", str(folder), fix="check the path of the rule pack", code="FS307")
    if not path.exists():
        raise InputError(
            f"the folder isn't a rule pack, since it has no {PACK_FILE}",
            str(folder),
            fix=f"add {PACK_FILE}, or name another folder",
            code="FS307",
        )
    problems: list[Diagnostic] = []
    toml = read_toml(path, problems, float)
    if toml is None:
        raise InputError(problems)
    return toml, read_section(toml, pack_layout(), toml.data)


def _rule_lines(toml: TomlFile, rules: Sequence[object]) -> list[int | None]:
    return [toml.lines.get(("rule", number)) for number in range(len(rules))]


def _report_missing(toml: TomlFile, rules: Sequence[Mapping[str, Any]]) -> None:
    for position, rule in enumerate(rules):
        for key in unstated(rule):
            message = f"rule {rule.get('id') or position + 1} has no `{key}`, which every rule of a pack needs"
            found, line = str(rule.get(key, "")), toml.line(("rule", position))
            toml.problems.append(Diagnostic(message, toml.file, line, key, found, "text", f"add `{key}`", "FS002"))


def _report_duplicates(toml: TomlFile, sections: Sequence[str], key: str) -> None:
    line_by_name: dict[str, int | None] = {}
    for name in sections:
        tables = toml.data.get(name)
        for position, table in enumerate(tables if isinstance(tables, list) else ()):
            value, line = table.get(key) if isinstance(table, dict) else None, toml.line((name, position))
            if not isinstance(value, str) or not value:
                continue
            if value in line_by_name:
                first_line = f", the first on line {line_by_name[value]}" if line_by_name[value] else ""
                message = f"two entries have the {key} `{value}`{first_line}"
                toml.problems.append(Diagnostic(message, toml.file, line, key, fix="rename one of them", code="FS308"))
            line_by_name.setdefault(value, line)


def _digest(data: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the parsed file, independent of the order of its rules, bills, and scenarios."""

    def sorted_texts(tables: object) -> list[str]:
        return sorted(_canonical(table) for table in tables) if isinstance(tables, list) else []

    head = {key: value for key, value in data.items() if key not in _TABLES}
    content = {"head": head} | {
        name: sorted_texts(data.get(name)) for name in _TABLES if name != "scenario" or name in data
    }
    return hashlib.sha256(_canonical(content).encode()).hexdigest()


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str, separators=(",", ":"))
