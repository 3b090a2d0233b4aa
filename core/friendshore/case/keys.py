"""Sections of a case file, and the records of their tables.

Records in `friendshore.domain` define the meaning, unit, range, and example of each key. This module defines the sections, and the keys that
belong to no record. The reader, the JSON schema, and the reference page use it.
"""

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
    LicenceSpec,
    OfferAssumption,
    OrderSpec,
    Overlap,
    StockSpec,
    StoreSpec,
    WaiverSpec,
    misfits,
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
    "One stage that was performed, as in `chain.csv`.",
    ChainEntry,
    only="stage countries complete feed",
    examples={"countries": ["AU"], "complete": True},
)
_CHAIN = Field("chain", k.TABLES, "Where its stages happened.", inside=CHAIN, repeated=True)

CASE = layout(
    "[case]",
    "What is planned.",
    Case,
    only="name start periods period currency place discount resolution",
)

USE = layout(
    "[use]",
    "Which catalogs and rule packs are used. Nothing that is installed is used unless it is named here.",
    Case,
    Field(
        "demand",
        k.TEXT,
        "CSV file beside the case with the columns of [[demand]], or a reader of a plugin and what it is to read: `acme-erp:orders-2027`.",
        "demand.csv",
    ),
    only="catalogs packs block demand",
)

ACCEPT_CAPACITY = layout(
    "[accept.capacity]",
    "What share of a capacity of each status counts, on top of its start date.",
    *(
        Field(
            status.value, k.FRACTION, f"Share of `{status.value}` capacity that counts; blank: {counts}.", float(counts)
        )
        for status, counts in CAPACITY_COUNTS.items()
        if status not in (Status.SUPERSEDED, Status.EVENT)
    ),
)

ACCEPT = layout(
    "[accept]",
    "What is taken as given.",
    Accept,
    Field(
        "rule_status",
        k.several("rule statuses", PhaseStatus),
        example=["enacted"],
        record=Accept,
        attribute="rule_status",
    ),
    Field("capacity", k.TABLE, "What a capacity of each status counts for.", inside=ACCEPT_CAPACITY),
)

ASSUME_LICENCE = layout(
    "[assume.licence]",
    'Export licences taken as given, by end use: `civil = "granted"`.',
    others="The key is an end use, the value `granted`.",
)

ASSUME_OFFER = layout(
    "[[assume.offer]]",
    "A figure given to a lead, or put in the place of a published one.",
    OfferAssumption,
    Field("chain", k.TABLES, "Stages that take the place of the offer's own.", inside=CHAIN, repeated=True),
    only="id capacity from price benchmark premium chain why",
)

ASSUME = layout(
    "[assume]",
    "What is assumed; printed in every output.",
    Assume,
    Field("licence", k.TABLE, "Export licences taken as given.", inside=ASSUME_LICENCE),
    Field("offer", k.TABLES, "Figures given to offers.", inside=ASSUME_OFFER, repeated=True),
)

CONCERN = layout(
    "[concern]",
    "Countries of concern. The plan reports the money that depends on them.",
    Concern,
)

DEMAND = layout(
    "[[demand]]",
    "What is wanted. A demand gives exactly one of per_year, quantity and quantities.",
    DemandSpec,
    Field("quantity", k.MASS, "The same mass in each period in which it is wanted.", "500 kg"),
    first="id material end_use place buyer per_year quantity",
    others='Every other key states a fact of the item, such as `cots = true` or `tungsten_share = "60 %"`.',
)

STOCK = layout(
    "[[stock]]",
    "Stock in hand at the start.",
    StockSpec,
    _CHAIN,
    first="id material place quantity acquired offer chain",
)
ORDER = layout("[[order]]", "An order already placed: paid for, and on its way.", OrderSpec)
INCUMBENT = layout(
    "[[incumbent]]",
    "An offer that is bought from today: qualified already, and what churn is measured against.",
    IncumbentSpec,
)
LICENCE = layout("[[licence]]", "An export licence in hand.", LicenceSpec)
WAIVER = layout("[[waiver]]", "A waiver of one rule, bounded in quantity and dates.", WaiverSpec)
STORE = layout("[[store]]", "How a material is held at a place.", StoreSpec)

CARRYOVER = layout(
    "[[carryover]]",
    "What a limit of a year, or of the whole plan, counts of the time before the plan.",
    CarryoverSpec,
)

OBJECTIVE = layout(
    "[[objective]]",
    "Lexicographic objectives, in place of one cost: each is made as small as those before it allow; cost settles the rest.",
    Level,
)

OVERLAP = layout(
    "[[overlap]]",
    "Facilities of different catalogs that look like one. Without it both count; with `keep` they are one facility.",
    Overlap,
    Field("distinct", k.YES_NO, "In place of `keep`: they are different facilities, and both count.", True),
    first="facilities keep offers distinct",
)

PLUGIN = layout(
    "[plugin.NAME]",
    "What is set for a plugin, by its distribution, entry point or package.",
    others="The keys are the plugin's own, and its model says what each may be.",
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
    Field(
        "plugin", k.TABLE, "What is set for plugins, each a table of its own: `[plugin.acme-screening]`.", inside=PLUGIN
    ),
    *(
        Field(part.name.strip("[]"), k.TABLES, part.doc, inside=part, repeated=True)
        for part in (
            DEMAND,
            STOCK,
            ORDER,
            INCUMBENT,
            LICENCE,
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
class About:
    """Facts of the case that its tables depend on."""

    currency: str
    """Empty if it couldn't be read."""
    place: str
    horizon: Horizon | None
    """None if it couldn't be read."""


def made(entry: Entry, record: type[M], about: About, **more: Any) -> M | None:
    """Return the record of a table, or None after recording errors. Without a name it is named after its other fields.

    Args:
        entry: Table.
        record: Type of the record.
        about: Facts of the case.
        more: Fields that don't come from the table directly.
    """
    found = entry.record(record, about.currency, **more)
    if found is None and about.horizon is not None:  # else it is checked with the case
        entry.tell(misfits(entry.layout.stated(record, entry.values), about.horizon))
    called = _CALLED.get(record)
    if found is None or called is None or vars(found)["id"]:
        return found
    return found.model_copy(update={"id": called(found, about.place)})


_CALLED: Mapping[type[BaseModel], Callable[[Any, str], str]] = {
    DemandSpec: lambda demand, place: f"{demand.material}/{demand.end_use}/{demand.place or place}",
    StockSpec: lambda stock, place: f"{stock.material}/{stock.place or place}",
    LicenceSpec: lambda licence, _: f"{licence.rule}/{licence.exporter or '*'}",
    WaiverSpec: lambda waiver, _: f"{waiver.rule}/{waiver.demand or '*'}",
}
"""Default name of each type of record."""


def demand(entry: Entry, about: About) -> DemandSpec | None:
    """Return a demand, or None if it can't be read."""
    stated = [name for name in _AMOUNTS if name in entry.values]
    if len(stated) > 1:
        expected = "exactly one of " + ", ".join(_AMOUNTS)
        entry.problem(stated[1], "the demand says its quantity twice", expected)
        for name in stated[1:]:
            del entry.values[name]
    more: dict[str, object] = {"facts": _facts(entry)}
    if "quantity" in entry.values:
        more["quantities"] = _in_each(entry.values, about) or (Decimal(0),)
    return made(entry, DemandSpec, about, **more)


def _in_each(values: Mapping[str, Any], about: About) -> tuple[Decimal, ...]:
    """Return quantities by period: the same kilograms in each period with demand."""
    wanted = Span(start=values.get("from"), end=values.get("until"))
    periods = about.horizon.periods if about.horizon is not None else ()
    return tuple(values["quantity"].kg if wanted.meets(period.span) else Decimal(0) for period in periods)


def _facts(entry: Entry) -> tuple[tuple[str, Fact], ...]:
    """Return the stated facts of the item, sorted by name."""
    facts: list[tuple[str, Fact]] = []
    for name, value in sorted(entry.others.items()):
        if isinstance(value, bool):
            facts.append((name, value))
        elif isinstance(value, int | Decimal):
            facts.append((name, Decimal(value)))
        elif isinstance(value, str):
            facts.append((name, _fact(value)))
        else:
            entry.problem(name, "a fact of the item is a plain value", "true, false, a number, a share or a text")
    return tuple(facts)


def _fact(text: str) -> Fact:
    """Return a fact given as text. Yes, no, numbers, and shares are converted."""
    if text.casefold() in _WORDS:
        return _WORDS[text.casefold()]
    for parse in (parse_number, parse_share):
        try:
            return parse(text)
        except ValueError:
            continue
    return text


def overlap(entry: Entry, about: About) -> Overlap | None:
    """Return an overlap: facilities that several catalogs describe."""
    values = entry.values
    said = values.keys() | entry.bad  # what cannot be read has been said already
    if ("keep" in said) == bool(values.get("distinct", "distinct" in entry.bad)):
        entry.problem(
            "", "an overlap says which facility to keep, or that they are distinct", "`keep` or `distinct = true`"
        )
    elif "keep" in said:
        if "offers" not in said:
            entry.problem("offers", "which offers stay is not said", '`offers = "all"` or `offers = "kept"`')
    elif "offers" in values:
        entry.problem("offers", "distinct facilities keep all their offers", fix="delete it")
    return made(entry, Overlap, about)
