"""Sections of a case file: the records of `friendshore.domain`, and keys that belong to no record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from pydantic import BaseModel

from ..domain.case import (
    CAPACITY_COUNTS,
    Accept,
    Assume,
    CarryoverSpec,
    Case,
    Concern,
    DemandSpec,
    IncumbentSpec,
    Level,
    LicenseSpec,
    OfferAssumption,
    OrderSpec,
    Overlap,
    StockSpec,
    StoreSpec,
    WaiverSpec,
    horizon_faults,
)
from ..domain.facts import ChainEntry, Status
from ..domain.quantities import parse_number, parse_share
from ..domain.time import Horizon, Span
from ..domain.use import Fact
from ..reading import kinds as k
from ..reading.fields import Field, layout
from ..reading.records import Entry
from ..rules.base import PhaseStatus
from ..rules.keys import RULE, SCENARIO

CHAIN = layout(
    "chain = [{ … }]",
    "A stage that was performed, as in `chain.csv`.",
    ChainEntry,
    only="stage countries complete feed",
    examples={"countries": ["AU"], "complete": True},
)
_CHAIN = Field("chain", k.TABLES, "Stages that it went through, with their countries.", inside=CHAIN, repeated=True)

CASE = layout(
    "[case]",
    "Name, horizon, and currency of the plan.",
    Case,
    only="name title start periods period currency place discount resolution",
)

USE = layout(
    "[use]",
    "Catalogs and rule packs of the case. friendshore uses only installed ones that are named here.",
    Case,
    Field(
        "demand",
        k.TEXT,
        "CSV file beside the case with the columns of [[demand]], or a plugin's reader and the name of its data: `acme-erp:orders-2027`.",
        "demand.csv",
    ),
    only="catalogs packs block demand",
)

ACCEPT_CAPACITY = layout(
    "[accept.capacity]",
    "Share of a capacity that counts from its start date, by status.",
    *(
        Field(
            status.value, k.FRACTION, f"Share of `{status.value}` capacity that counts. Blank: {counts}.", float(counts)
        )
        for status, counts in CAPACITY_COUNTS.items()
        if status not in (Status.SUPERSEDED, Status.EVENT)
    ),
)

ACCEPT = layout(
    "[accept]",
    "Data that the plan accepts.",
    Accept,
    Field(
        "rule_status",
        k.enums_kind("rule statuses", PhaseStatus),
        example=["enacted"],
        record=Accept,
        attribute="rule_status",
    ),
    Field("capacity", k.TABLE, "Share of a capacity that counts, by status.", inside=ACCEPT_CAPACITY),
)

ASSUME_LICENSE = layout(
    "[assume.license]",
    'Export licenses assumed to be granted, by end use: `civil = "granted"`.',
    others="The key is an end use, the value `granted`.",
)

ASSUME_OFFER = layout(
    "[[assume.offer]]",
    "A figure for a lead, or instead of a published one.",
    OfferAssumption,
    Field("chain", k.TABLES, "Stages that replace those of the offer.", inside=CHAIN, repeated=True),
    only="id capacity from price benchmark premium chain why",
)

ASSUME = layout(
    "[assume]",
    "Assumptions. Every output prints them.",
    Assume,
    Field("license", k.TABLE, "Export licenses assumed to be granted.", inside=ASSUME_LICENSE),
    Field("offer", k.TABLES, "Figures for offers.", inside=ASSUME_OFFER, repeated=True),
)

CONCERN = layout(
    "[concern]",
    "Countries of concern. The plan reports the money that depends on them.",
    Concern,
)

DEMAND = layout(
    "[[demand]]",
    "Material that is needed. A demand has exactly one of `per_year`, `quantity`, and `quantities`.",
    DemandSpec,
    Field("quantity", k.MASS, "Mass in each period of the demand.", "500 kg"),
    first="id material end_use place buyer per_year quantity",
    others='Any other key is a fact of the item, such as `cots = true` or `tungsten_share = "60%"`.',
)

STOCK = layout(
    "[[stock]]",
    "Stock at the start of the plan.",
    StockSpec,
    _CHAIN,
    first="id material place quantity acquired offer chain",
)
ORDER = layout("[[order]]", "An order that has been placed and paid.", OrderSpec)
INCUMBENT = layout(
    "[[incumbent]]",
    "An offer that you buy today. It is qualified, and churn is measured against it.",
    IncumbentSpec,
)
LICENSE = layout("[[license]]", "An export license that you have.", LicenseSpec)
WAIVER = layout("[[waiver]]", "A waiver of one rule, limited in quantity and dates.", WaiverSpec)
STORE = layout("[[store]]", "Storage of a material at a place.", StoreSpec)

CARRYOVER = layout(
    "[[carryover]]",
    "Amounts before the plan that a limit per year, or over the whole plan, counts.",
    CarryoverSpec,
)

OBJECTIVE = layout(
    "[[objective]]",
    "Lexicographic objectives instead of one cost. Each is minimized without worsening those before it. Cost comes last.",
    Level,
)

OVERLAP = layout(
    "[[overlap]]",
    "Facilities of different catalogs that are probably the same. Without it, both count. With `keep`, they are one facility.",
    Overlap,
    Field("distinct", k.YES_NO, "True instead of `keep` if they are different facilities, so that both count.", True),
    first="facilities keep offers distinct",
)

PLUGIN = layout(
    "[plugin.NAME]",
    "Settings of a plugin, by the name of its distribution, entry point, or package.",
    others="The plugin defines the keys and their values.",
)

FILE = layout(
    "case.toml",
    "The whole file.",
    Field("schema", k.VERSION, "Version of the format.", 1, required=True),
    Field("case", k.TABLE, CASE.doc, required=True, inside=CASE),
    *(
        Field(n, k.TABLE, t.doc, inside=t)
        for n, t in (("use", USE), ("accept", ACCEPT), ("assume", ASSUME), ("concern", CONCERN))
    ),
    Field("plugin", k.TABLE, "Settings of plugins, each in its own table: `[plugin.acme-screening]`.", inside=PLUGIN),
    *(
        Field(part.name.strip("[]"), k.TABLES, part.doc, inside=part, repeated=True)
        for part in (
            DEMAND,
            STOCK,
            ORDER,
            INCUMBENT,
            LICENSE,
            WAIVER,
            STORE,
            CARRYOVER,
            OVERLAP,
            RULE,
            OBJECTIVE,
            SCENARIO,
        )
    ),
)


M = TypeVar("M", bound=BaseModel)

_AMOUNTS = ("per_year", "quantity", "quantities")
_WORDS = {"yes": True, "no": False, "true": True, "false": False}


@dataclass(frozen=True, slots=True)
class CaseContext:
    """Facts of the case that its tables depend on."""

    currency: str
    """Empty if it can't be read."""
    place: str
    horizon: Horizon | None
    """None if it can't be read."""


def table_record(entry: Entry, record: type[M], case_facts: CaseContext, **more: Any) -> M | None:
    """Return the record of a table, or report its errors and return None. A missing id is derived from other fields."""
    value = entry.record(record, case_facts.currency, **more)
    if value is None and case_facts.horizon is not None:  # otherwise it is checked with the case
        entry.report(horizon_faults(entry.layout.attributes(record, entry.values), case_facts.horizon))
    default_id = _DEFAULT_IDS.get(record)
    if value is None or default_id is None or vars(value)["id"]:
        return value
    return value.model_copy(update={"id": default_id(value, case_facts.place)})


_DEFAULT_IDS: Mapping[type[BaseModel], Callable[[Any, str], str]] = {
    DemandSpec: lambda demand, place: f"{demand.material}/{demand.end_use}/{demand.place or place}",
    StockSpec: lambda stock, place: f"{stock.material}/{stock.place or place}",
    LicenseSpec: lambda license, _: f"{license.rule}/{license.exporter or '*'}",
    WaiverSpec: lambda waiver, _: f"{waiver.rule}/{waiver.demand or '*'}",
}


def demand(entry: Entry, case_facts: CaseContext) -> DemandSpec | None:
    amounts = [name for name in _AMOUNTS if name in entry.values]
    if len(amounts) > 1:
        expected = "exactly one of " + ", ".join(_AMOUNTS)
        entry.problem(amounts[1], "the demand has more than one quantity", expected, "delete all but one", "FS202")
        for name in amounts[1:]:
            del entry.values[name]
    more: dict[str, object] = {"facts": _facts(entry)}
    if "quantity" in entry.values:
        more["quantities"] = _quantity_by_period(entry.values, case_facts) or (Decimal(0),)
    return table_record(entry, DemandSpec, case_facts, **more)


def _quantity_by_period(values: Mapping[str, Any], case_facts: CaseContext) -> tuple[Decimal, ...]:
    dates = Span(start=values.get("from"), end=values.get("until"))
    periods = case_facts.horizon.periods if case_facts.horizon is not None else ()
    return tuple(values["quantity"].kg if dates.meets(period.span) else Decimal(0) for period in periods)


def _facts(entry: Entry) -> tuple[tuple[str, Fact], ...]:
    facts: list[tuple[str, Fact]] = []
    for name, value in sorted(entry.others.items()):
        if isinstance(value, bool):
            facts.append((name, value))
        elif isinstance(value, int | Decimal):
            facts.append((name, Decimal(value)))
        elif isinstance(value, str):
            facts.append((name, _fact(value)))
        else:
            expected, fix = (
                "true, false, a number, a share, or a text",
                f"write a single value, such as `{name} = true`",
            )
            entry.problem(name, "a fact of the item must be a single value", expected, fix, "FS011")
    return tuple(facts)


def _fact(text: str) -> Fact:
    if text.casefold() in _WORDS:
        return _WORDS[text.casefold()]
    for parse in (parse_number, parse_share):
        try:
            return parse(text)
        except ValueError:
            continue
    return text


def overlap(entry: Entry, case_facts: CaseContext) -> Overlap | None:
    values = entry.values
    present = values.keys() | entry.bad  # unreadable values are reported elsewhere
    if ("keep" in present) == bool(values.get("distinct", "distinct" in entry.bad)):
        message = "an overlap needs either the facility to keep or `distinct = true`"
        fix = 'write `keep = "CATALOG:FACILITY"` or `distinct = true`'
        entry.problem("", message, "`keep` or `distinct = true`", fix, "FS203")
    elif "keep" in present:
        if "offers" not in present:
            expected, fix = '`offers = "all"` or `offers = "kept"`', 'write `offers = "all"` to keep the offers of all'
            entry.problem("offers", "an overlap with `keep` needs `offers`", expected, fix, "FS203")
    elif "offers" in values:
        entry.problem("offers", "distinct facilities keep all their offers", fix="delete this key", code="FS203")
    return table_record(entry, Overlap, case_facts)
