"""Demands, and what all tables of a case share: money, chains and substances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ..domain.case import DemandSpec, Level
from ..domain.facts import ChainEntry
from ..domain.quantities import parse_number, parse_share
from ..domain.time import Horizon, Span
from ..domain.use import Fact
from ..reading.entry import Entry

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
    values = entry.values
    stated = [name for name in _AMOUNTS if name in values]
    if len(stated) > 1:
        expected = "exactly one of " + ", ".join(_AMOUNTS)
        entry.problem(stated[1], "the demand says its quantity twice", expected)
    given = entry.pick(
        id="id",
        material="material",
        end_use="end_use",
        place="place",
        buyer="buyer",
        start="from",
        end="until",
        why="why",
    )
    given |= {
        "substance": substance_of(entry, (*_AMOUNTS, "shortage_price")),
        "shortage_price": money(entry, "shortage_price", about),
        "facts": _facts(entry),
    }
    amounts = {name: values[name] for name in stated[:1]}
    if "per_year" in amounts:
        given["per_year"] = values["per_year"].kg
    elif amounts:
        given["quantities"] = _quantities(values, about) or (Decimal(0),)
    found = entry.made(DemandSpec, given)
    if found is None or found.id:
        return found
    return found.model_copy(update={"id": f"{found.material}/{found.end_use}/{found.place or about.place}"})


def _quantities(values: Mapping[str, Any], about: About) -> tuple[Decimal, ...]:
    """Kilograms in each period, where they are given so."""
    if about.horizon is None:
        return ()
    if "quantity" in values:
        wanted = Span(start=values.get("from"), end=values.get("until"))
        return tuple(values["quantity"].kg if wanted.meets(p.span) else Decimal(0) for p in about.horizon.periods)
    return tuple(mass.kg for mass in values["quantities"])


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


def objective(entry: Entry) -> Level | None:
    """One of several lexicographic objectives."""
    given = entry.pick(minimise="minimise", of="of", by="by", stage="stage", per="per", within="within")
    return entry.made(Level, given)


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
    made = [
        part.made(ChainEntry, part.pick(stage="stage", countries="countries", complete="complete", feed="feed"))
        for part in entry.parts("chain")
    ]
    return tuple(found for found in made if found is not None)
