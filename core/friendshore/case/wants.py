"""Demands, and what all tables of a case share: money, chains, substances and names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from ..domain.case import DemandSpec, Level, Minimise
from ..domain.facts import ChainEntry, Feed
from ..domain.quantities import TwoReadingsError, parse_number, parse_share
from ..domain.stages import COLLECTION
from ..domain.time import Horizon, Span
from ..domain.use import Fact
from ..reading.entry import Entry

T = TypeVar("T")

_AMOUNTS = ("per_year", "quantity", "quantities")
_WORDS = {"yes": True, "no": False, "true": True, "false": False}


@dataclass(frozen=True, slots=True)
class About:
    """What the tables must know of the case."""

    currency: str
    """Empty if it could not be read."""
    place: str
    horizon: Horizon | None
    """None if it could not be read."""


def demand(entry: Entry, about: About) -> DemandSpec | None:
    """One demand; None if it cannot be read."""
    given = [name for name in _AMOUNTS if name in entry.values]
    if len(given) != 1 and entry.bad.isdisjoint(_AMOUNTS):
        message = "the demand says no quantity" if not given else "the demand says its quantity twice"
        entry.problem(given[1] if given else "", message, "exactly one of " + ", ".join(_AMOUNTS))
    order_of_dates(entry)
    substance = substance_of(entry, (*_AMOUNTS, "shortage_price"))
    price = money(entry, "shortage_price", about)
    facts = _facts(entry)
    quantities = _quantities(entry, about)
    if entry.bad or len(given) != 1:
        return None
    values = entry.values
    place = values.get("place", about.place)
    return DemandSpec(
        id=values.get("id", f"{values['material']}/{values['end_use']}/{place}"),
        **entry.pick(
            material="material", end_use="end_use", place="place", buyer="buyer", start="from", end="until", why="why"
        ),
        per_year=values["per_year"].kg if "per_year" in values else None,
        quantities=quantities,
        shortage_price=price,
        substance=substance,
        facts=facts,
    )


def _quantities(entry: Entry, about: About) -> tuple[Decimal, ...]:
    """Kilograms in each period, where they are given so."""
    horizon, values = about.horizon, entry.values
    if horizon is None:
        return ()
    if "quantity" in values:
        wanted = Span(start=values.get("from"), end=values.get("until"))
        return tuple(values["quantity"].kg if wanted.meets(p.span) else Decimal(0) for p in horizon.periods)
    listed = values.get("quantities", ())
    if "quantities" in values and len(listed) != horizon.count:
        entry.problem("quantities", f"{len(listed)} masses are listed", f"{horizon.count}, one for each period")
    return tuple(mass.kg for mass in listed)


def _facts(entry: Entry) -> tuple[tuple[str, Fact], ...]:
    """What is stated of the item, sorted by name."""
    facts: list[tuple[str, Fact]] = []
    for name, value in sorted(entry.others.items()):
        if isinstance(value, bool):
            facts.append((name, value))
        elif isinstance(value, int | Decimal):
            facts.append((name, Decimal(value)))
        elif isinstance(value, str):
            try:
                facts.append((name, _fact(value)))
            except TwoReadingsError as error:
                entry.problem(name, "cannot be read", str(error))
        else:
            entry.problem(name, "a fact of the item is a plain value", "true, false, a number, a share or a text")
    return tuple(facts)


def _fact(text: str) -> Fact:
    """A fact written as text: yes and no, numbers and shares are read as such."""
    if text.casefold() in _WORDS:
        return _WORDS[text.casefold()]
    for parse in (parse_number, parse_share):
        try:
            return parse(text)
        except TwoReadingsError:
            raise
        except ValueError:
            continue
    return text


def objectives(entries: Sequence[Entry]) -> tuple[Level, ...]:
    """Objectives in order of rank."""
    found = [_objective(entry) for entry in entries]
    return tuple(level for level in found if level is not None)


def _objective(entry: Entry) -> Level | None:
    minimise = entry.values.get("minimise")
    if minimise is None:
        return None
    counted = minimise is Minimise.CONCENTRATION
    for name in ("by", "stage", "per"):
        if name in entry.values and not counted:
            entry.problem(name, f"says nothing of `{minimise}`", "only with `concentration`", "delete the line")
    if "of" in entry.values and not (counted or minimise is Minimise.SHORTAGE):
        entry.problem(
            "of",
            f"`{minimise}` is that of the whole plan",
            "only with `shortage` or `concentration`",
            "delete the line",
        )
    if "stage" in entry.values and entry.values.get("by", "country") != "country":
        entry.problem("stage", "a stage is performed in a country", 'by = "country"', "delete one of the two lines")
    if entry.bad:
        return None
    return Level(**entry.pick(minimise="minimise", of="of", by="by", stage="stage", per="per", within="within"))


def order_of_dates(entry: Entry, first: str = "from", last: str = "until") -> None:
    """Refuses a last day before the first."""
    start, end = entry.values.get(first), entry.values.get(last)
    if start and end and start > end:
        entry.problem(last, f"is before `{first}` ({start})", "a later day", "exchange or mend the dates")


def money(entry: Entry, column: str, about: About) -> Decimal | None:
    """Money per kilogram, in the case's currency."""
    price = entry.values.get(column)
    if price is None:
        return None
    if about.currency and price.currency != about.currency:
        entry.problem(
            column, f"the case is in {about.currency}", f"an amount in {about.currency}", "convert the amount"
        )
    return Decimal(price.amount)


def substance_of(entry: Entry, columns: Sequence[str]) -> str:
    """The one substance that the masses and prices of an entry are of; empty for the material's basis."""
    named: dict[str, str] = {}
    for column in columns:
        value = entry.values.get(column, ())
        for quantity in value if isinstance(value, tuple) and not hasattr(value, "substance") else (value,):
            if getattr(quantity, "kg", 1) != 0:
                named.setdefault(quantity.substance or "", column)
    substances = sorted(name for name in named if name)
    if substances and len(named) > 1:
        odd = named.get("", named[substances[-1]])
        entry.problem(
            odd,
            "the masses of one entry are of different substances",
            f"kilograms of {substances[0]}, as in `{named[substances[0]]}`",
            f"name {substances[0]} here too, or nowhere",
        )
    return substances[0] if substances else ""


def plain_mass(entry: Entry, column: str) -> Decimal | None:
    """Kilograms of a mass that is not of one material, and so cannot name a substance."""
    mass = entry.values.get(column)
    if mass is None:
        return None
    if mass.substance:
        entry.problem(
            column, "a substance cannot be named here", "kilograms as moved, like `300 kg`", "leave the substance out"
        )
    return Decimal(mass.kg)


def chain_of(entry: Entry) -> tuple[ChainEntry, ...]:
    """The chain of an entry."""
    parts = entry.parts("chain")
    entries = []
    for part in parts:
        collected = part.values.get("stage") == COLLECTION
        feed = part.values.get("feed", Feed.RECYCLED if collected else Feed.PRIMARY)
        countries = part.values.get("countries", frozenset())
        if collected and feed is not Feed.RECYCLED and "feed" not in part.bad:
            part.problem(
                "feed",
                "what is collected is scrap, and no primary feed",
                "recycled, or blank",
                "name the step `mining` or `concentration` where the feed comes out of the ground",
            )
            continue
        complete = part.values.get("complete", False)
        if complete and not countries and feed is not Feed.RECYCLED and "countries" not in part.bad:
            part.problem(
                "complete",
                "the list of countries is said to be complete but is empty",
                "the countries, or complete = false",
                "list the countries",
            )
        if not part.bad:
            entries.append(ChainEntry(stage=part.values["stage"], countries=countries, complete=complete, feed=feed))
    return tuple(entries)


def distinct(
    entries: Sequence[Entry],
    records: Sequence[T | None],
    column: str,
    name: Callable[[T], Any] = lambda record: getattr(record, "id"),  # noqa: B009
) -> tuple[T, ...]:
    """The records that could be read; two of the same name are a mistake of the second."""
    seen: set[Any] = set()
    kept: list[T] = []
    for entry, record in zip(entries, records, strict=True):
        if record is None:
            continue
        if name(record) in seen:
            entry.problem(
                column if column in entry.values else "",
                f"there are two called `{name(record)}`",
                "different names",
                f"give each its own `{column}`",
            )
        seen.add(name(record))
        kept.append(record)
    return tuple(kept)
