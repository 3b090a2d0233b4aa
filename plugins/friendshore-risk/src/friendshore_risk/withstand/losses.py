"""Whom, and which routes, a plan may have to do without: named by a planner, or all who could deliver."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated

from pydantic import PlainSerializer

from friendshore.domain.base import Record, totals
from friendshore.domain.plan import Purchase
from friendshore.domain.suggest import did_you_mean
from friendshore.errors import Diagnostic, InputError
from friendshore.problem import Problem
from friendshore.problem.change_kinds import OFFERS, names_offer
from friendshore.problem.network import Arc
from friendshore.session import Session

from ..routes import ROUTES, SupplyRoute, moved, moves_on, words_of
from ..stress.losses import loss_kind, losses

KINDS = ("supplier", "parent", "country")
"""By what losses are told apart if none are named."""
ROUTE_KINDS = ("route", "via")
"""Kinds of losses that are ways: between two countries, or by a place that lanes pass."""
_RULE = "rule:"


class PossibleLoss(Record):
    """Somebody, or a route, that may be lost together with others."""

    word: str
    """As it is named: an offer, facility, supplier or parent, `country:XX`, `catalog:NAME`, a route, `route:XX>YY` or `via:NAME`, or `rule:ID`."""
    name: str
    """Who or what is lost, in words."""
    also: tuple[str, ...] = ()
    """What else is lost with the very same offers, like `country KZ`."""
    rule: str = ""
    """The rule that comes to apply, where the loss is that of its suspension; nobody is then lost, and what it bars comes no more."""
    moves: Annotated[frozenset[tuple[str, str]], PlainSerializer(sorted, return_type=list[tuple[str, str]])]
    """Offers that are lost with it, each with the place that it would deliver to."""

    def takes(self, offer: str, place: str) -> bool:
        """Whether what an offer delivers to a place is lost with it."""
        return (offer, place) in self.moves


def named_losses(session: Session, words: Sequence[str]) -> list[PossibleLoss]:
    """The losses of some names, in their order, each once.

    Raises:
        InputError: for every name that takes nothing away which could reach a demand.
    """
    arcs = _arcs(session.problem)
    found, troubles = [], []
    rules = {rule.id: rule for rule in session.problem.rules}
    for word in dict.fromkeys(words):
        rule = rules.get(word.removeprefix(_RULE)) if word.startswith(_RULE) else None
        if rule is not None:
            found.append(PossibleLoss(word=word, name=f"the suspension of {rule.id}", rule=rule.id, moves=frozenset()))
            continue
        moves = moved(session.problem, (arc for arc in arcs if _names(word, arc, session.problem)))
        if moves:
            found.append(PossibleLoss(word=word, name=_in_words(word), moves=moves))
        else:
            troubles.append(_unknown(word, session.problem, arcs))
    if troubles:
        raise InputError(troubles)
    return found


def usual_losses(session: Session, kinds: Sequence[str] = KINDS, most: int = 0) -> tuple[list[PossibleLoss], int]:
    """Everybody who could deliver, as `stress` tells them apart, and every route (`ROUTE_KINDS`), each once, and how many are left out.

    Of more than `most` (0: any number) those are kept that the plan spends most with; then those with the most offers.

    Raises:
        InputError: for a word that means no kind of loss.
    """
    problem = session.problem
    arcs = _arcs(problem)
    found = []
    for loss in losses(session, [loss_kind(kind) for kind in kinds if kind not in ROUTE_KINDS], everything=True):
        moves = moved(problem, (arc for arc in arcs if loss.takes(problem.offers[arc.offer])))
        found.append(PossibleLoss(word=f"{loss.by[0]}:{loss.name}", name=loss.name, also=loss.also, moves=moves))
    for kind in ROUTE_KINDS:
        for word in sorted(words_of(problem)) if kind in kinds else ():
            route = SupplyRoute.of(word)
            if route is not None and word.startswith(kind):
                _add_route(found, PossibleLoss(word=word, name=route.told, moves=moves_on(route, problem)))
    if not most or len(found) <= most:
        return found, 0
    spent: dict[str, Decimal] = totals(
        (line.item.entry.offer, line.total) for line in session.verified.lines if isinstance(line.item.entry, Purchase)
    )

    def rank(loss: PossibleLoss) -> tuple[Decimal, int, str]:
        return (
            -sum((spent.get(offer, _NONE) for offer in {offer for offer, _ in loss.moves}), _NONE),
            -len(loss.moves),
            loss.word,
        )

    kept = {loss.word for loss in sorted(found, key=rank)[:most]}
    return [loss for loss in found if loss.word in kept], len(found) - len(kept)


def _add_route(found: list[PossibleLoss], route: PossibleLoss) -> None:
    """Adds a route, unless somebody's loss takes away the very same: it is then lost with him."""
    for place, other in enumerate(found):
        if other.moves == route.moves:
            found[place] = other.but(also=(*other.also, route.name))
            return
    found.append(route)


_NONE = Decimal(0)


def _arcs(problem: Problem) -> list[Arc]:
    return [arc for arc in problem.network.arcs if arc.offer >= 0]


def _names(word: str, arc: Arc, problem: Problem) -> bool:
    route = SupplyRoute.of(word)
    if route is not None:
        return route.takes(arc)
    facts = problem.offers[arc.offer]
    return names_offer(word, facts.offer, facts.facility)


def _in_words(word: str) -> str:
    route = SupplyRoute.of(word)
    if route is not None:
        return route.told
    kind, colon, name = word.partition(":")
    return name if colon and kind in ("country", "supplier", "parent", "catalog") else word


def _unknown(word: str, problem: Problem, arcs: Sequence[Arc]) -> Diagnostic:
    facts = [problem.offers[arc.offer] for arc in arcs]
    known = {one.offer.id for one in facts} | {one.facility.id for one in facts}
    known |= {one.facility.supplier for one in facts} | {f"country:{one.facility.country}" for one in facts}
    known |= {f"{_RULE}{rule.id}" for rule in problem.rules}
    known |= words_of(problem)
    return Diagnostic(
        "nothing that could reach a demand is lost with this",
        column="--lose",
        found=word,
        expected=f"{OFFERS}; {ROUTES}; or a rule that may come to apply, `rule:ID`",
        fix=did_you_mean(word, known),
    )
