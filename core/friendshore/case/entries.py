"""From a table of a case to its record: names that follow from the rest, demands, overlaps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from pydantic import BaseModel

from ..domain.case import DemandSpec, LicenceSpec, Overlap, StockSpec, WaiverSpec
from ..domain.quantities import parse_number, parse_share
from ..domain.time import Horizon, Span
from ..domain.use import Fact
from ..reading.entry import Entry

M = TypeVar("M", bound=BaseModel)

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


def made(entry: Entry, record: type[M], about: About, **more: Any) -> M | None:
    """The record that a table makes, called as its other fields say where it gives no name; None, once told, if it makes none.

    Args:
        entry: the table.
        record: what it is to become.
        about: the case.
        more: fields that do not stand in it as they are.
    """
    found = entry.record(record, about.currency, **more)
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
"""What a record without a name is called."""


def demand(entry: Entry, about: About) -> DemandSpec | None:
    """One demand; None if it cannot be read."""
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
    """The same kilograms in each period in which they are wanted."""
    wanted = Span(start=values.get("from"), end=values.get("until"))
    periods = about.horizon.periods if about.horizon is not None else ()
    return tuple(values["quantity"].kg if wanted.meets(period.span) else Decimal(0) for period in periods)


def _facts(entry: Entry) -> tuple[tuple[str, Fact], ...]:
    """What is stated of the item, sorted by name."""
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
    """A fact written as text: yes and no, numbers and shares are read as such."""
    if text.casefold() in _WORDS:
        return _WORDS[text.casefold()]
    for parse in (parse_number, parse_share):
        try:
            return parse(text)
        except ValueError:
            continue
    return text


def overlap(entry: Entry, about: About) -> Overlap | None:
    """What is said of facilities that more than one catalog describes."""
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
