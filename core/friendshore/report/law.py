"""Rules and rule packs, listed and shown: from their data alone, so that no plugin's code is needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TypeGuard

from ..document.elements import Document, Pairs, Quoted, Tone, apart, document, notes, section_if_any, sentence
from ..document.figures import count
from ..domain.used import aged
from ..rules.pack import RulePack
from .listing import Listing

_COLUMNS = (("id", "Rule"), ("kind", "Kind"), ("status", "Status"), ("title", "What"), ("pack", "Pack"))


def rule_row(rule: Mapping[str, object], pack: str = "", distribution: str = "") -> dict[str, object]:
    """A rule's data with the pack it stands in."""
    data = {key: _plain(value) for key, value in rule.items()}
    return {**data, "status": _status(rule), "pack": pack, "distribution": distribution}


def rule_listing(
    rows: Iterable[Mapping[str, object]], packs: Iterable[RulePack] = (), day: date | None = None
) -> Listing:
    """Rules, with the age of the packs they come from."""
    notes = tuple(f"pack {pack.id}, {aged(pack.as_of, day)}" for pack in packs)
    found = tuple(rows)
    notes += tuple(f"pack {row['pack']}: {row['error']}" for row in found if row.get("error"))
    return Listing("rules", _COLUMNS, found, notes)


def pack_data(pack: RulePack, distribution: str = "") -> dict[str, object]:
    """A pack as JSON-ready data."""
    return {**pack.model_dump(mode="json", by_alias=True), "distribution": distribution}


def pack_document(pack: RulePack, day: date, distribution: str = "") -> Document:
    """A pack: its head with its age on a day, its rules and its bills."""
    head: list[str | Quoted] = [
        pack.title,
        f"{pack.authority or 'no authority stated'}; {aged(pack.as_of, day)}; {pack.licence or 'no licence stated'}",
        f"from {distribution or 'a folder'}; {count(len(pack.rules), 'rule')}, {count(len(pack.bills), 'bill')}; "
        f"data {pack.digest[:12]}",
        *([Quoted(pack.note)] if pack.note else []),
    ]
    stories = [f"{scenario.name}: {scenario.title or 'no title'}" for scenario in pack.scenarios]
    bills = [f"{bill.id} ({bill.status}): {bill.title}" for bill in pack.bills]
    scenarios = "Scenarios, for --scenario of any case that uses the pack"
    return document(
        pack.id,
        sentence(pack.id, strong=True),
        notes(head),
        apart(*rule_listing(rule_row(rule, pack.id) for rule in pack.rules).parts()),
        section_if_any("Bills, switched on by a scenario", notes(bills), tone=Tone.PLAIN),
        section_if_any(scenarios, notes(stories), tone=Tone.PLAIN),
    )


def rule_document(row: Mapping[str, object]) -> Document:
    """Everything that one rule states."""
    first = ("title", "citation", "source", "pack", "distribution", "kind", "status")
    order = [*(key for key in first if row.get(key)), *(key for key in row if key not in (*first, "id"))]
    name = str(row.get("id", ""))
    stated = Pairs(tuple((key, _told(row[key])) for key in order if row[key] != ""))
    return document(name, sentence(name, strong=True), stated)


def _status(rule: Mapping[str, object]) -> str:
    phases = rule.get("phases", ())
    found = [str(p.get("status", "enacted")) for p in phases if isinstance(p, Mapping)] if _is_list(phases) else []
    return ", ".join(dict.fromkeys(found)) or "enacted"


def _is_list(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _plain(value: object) -> object:
    """A TOML value as JSON-ready data."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if _is_list(value):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)


def _told(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_told(item)}" for key, item in value.items())
    if _is_list(value):
        between = "\n" if any(isinstance(item, Mapping) for item in value) else ", "
        return between.join(_told(item) for item in value)
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
