"""Whom a plan can lose: suppliers, parent companies, countries and catalogs, as changes that take their offers away."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from itertools import combinations
from typing import Literal

from friendshore.domain.base import Record, grouped
from friendshore.domain.change import Change
from friendshore.domain.suggest import did_you_mean
from friendshore.domain.time import Horizon
from friendshore.errors import InputError
from friendshore.problem import Problem
from friendshore.problem.offers import OfferFacts
from friendshore.session import Session
from friendshore.session.decided import day_of_plan

LossKind = Literal["supplier", "parent", "country", "catalog"]
"""By what losses are told apart."""
KINDS: tuple[LossKind, ...] = ("supplier", "parent", "country", "catalog")

_NAMED: Mapping[LossKind, Callable[[OfferFacts], str]] = {
    "supplier": lambda facts: facts.facility.supplier,
    "parent": lambda facts: facts.facility.owner,
    "country": lambda facts: facts.facility.country,
    "catalog": lambda facts: facts.offer.catalog,
}


class Loss(Record):
    """Somebody who delivers nothing any more."""

    by: tuple[LossKind, ...]
    """What it is; a supplier and a parent with the same offers are one loss."""
    names: tuple[str, ...]
    """Who is lost: one, or two countries together."""
    also: tuple[str, ...] = ()
    """What else is lost with the very same offers, like `country KZ`."""
    offers: int
    """Offers that are lost with it, of those that can reach a demand."""

    @property
    def name(self) -> str:
        """Who is lost, in words."""
        return " and ".join(self.names)

    def takes(self, facts: OfferFacts) -> bool:
        """Whether an offer is lost with it."""
        return _NAMED[self.by[0]](facts) in self.names

    def changes(self, start: date) -> tuple[Change, ...]:
        """The changes that take its offers away from a day on."""
        return tuple(Change(remove=f"{self.by[0]}:{name}", start=start) for name in self.names)


def _groups(problem: Problem) -> dict[LossKind, dict[str, frozenset[int]]]:
    """All offers that can reach a demand, by whom they are lost with."""
    reached = sorted({arc.offer for arc in problem.network.arcs if arc.offer >= 0})
    groups: dict[LossKind, dict[str, frozenset[int]]] = {}
    for kind, name_of in _NAMED.items():
        found = grouped((name_of(problem.offers[offer]), offer) for offer in reached)
        groups[kind] = {name: frozenset(offers) for name, offers in sorted(found.items()) if name}
    return groups


def losses(
    session: Session, kinds: Sequence[LossKind] = KINDS, *, everything: bool = False, pairs: bool = False
) -> list[Loss]:
    """Whom the plan can lose, each once, in canonical order: those that it buys from, or with `everything` all who could deliver.

    `kinds` say by what losses are told apart; with `pairs` there are also every two countries that the plan buys from.
    """
    problem = session.problem
    groups = _groups(problem)
    used = _used(session)
    found: dict[frozenset[int], Loss] = {}
    for kind in kinds:
        for name, offers in groups[kind].items():
            if not everything and not offers & used:
                continue
            known = found.get(offers)
            if known is None:
                found[offers] = Loss(by=(kind,), names=(name,), offers=len(offers))
            elif known.names == (name,):
                found[offers] = known.but(by=(*known.by, kind))
            else:
                found[offers] = known.but(also=(*known.also, f"{kind} {name}"))
    if pairs:
        countries = [name for name, offers in groups["country"].items() if offers & used]
        for one, other in combinations(countries, 2):
            offers = groups["country"][one] | groups["country"][other]
            found.setdefault(offers, Loss(by=("country",), names=(one, other), offers=len(offers)))
    return list(found.values())


def _used(session: Session) -> frozenset[int]:
    """Offers that the plan buys from."""
    names = {purchase.offer for purchase in session.verified.plan.purchases}
    return frozenset(i for i, facts in enumerate(session.problem.offers) if facts.offer.id in names)


def loss_kind(word: str) -> LossKind:
    """The kind of loss that a word means.

    Raises:
        InputError: for a word that means none.
    """
    for kind in KINDS:
        if kind == word:
            return kind
    raise InputError(
        "unknown kind of loss", found=word, expected=f"{', '.join(KINDS)} or none", fix=did_you_mean(word, KINDS)
    )


def first_day(horizon: Horizon, word: str) -> date:
    """The day that a word for a moment of the plan means: a date, or the label of a period, which begins then.

    Raises:
        InputError: for anything else, and for days outside the plan.
    """
    return day_of_plan(horizon, word, "the moment of a loss")
