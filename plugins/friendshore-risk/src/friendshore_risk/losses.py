"""Losses of suppliers, companies, countries, catalogs, and routes, and the changes that remove them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import combinations
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import PlainSerializer

from friendshore.domain.base import Record, grouped, totals
from friendshore.domain.change import Change
from friendshore.domain.suggest import did_you_mean
from friendshore.domain.time import Horizon
from friendshore.errors import Diagnostic, InputError
from friendshore.problem import Problem
from friendshore.problem.changes import OFFERS, names_offer
from friendshore.problem.network import Arc
from friendshore.problem.offers import OfferFacts
from friendshore.session import Session
from friendshore.session.decided import day_of_plan

if TYPE_CHECKING:
    from friendshore.domain.facts import Facility, Lane, Offer
    from friendshore.program import Program
    from friendshore.program.matrix import Ints


_ROUTE, _VIA = "route:", "via:"
_MAX_NAMED = 3
"""Maximum number of named offers, followed by the number of others."""
Moved = frozenset[tuple[str, str]]
"""Offers, each with a destination."""
ROUTES = (
    "a route between two countries or places, as `route:AU>US`, all that leaves one, `route:CN>`, or comes into one, `route:>US`, "
    "or a place on the way, as `via:suez`"
)
"""Syntax of a route, for messages."""


@dataclass(frozen=True, slots=True)
class SupplyRoute:
    """A route of goods."""

    origin: str = ""
    """Country or place of origin. Empty means any beyond the border."""
    to: str = ""
    """Country or place of destination. Empty means any beyond the border."""
    via: str = ""
    """Port, strait, canal, or country on the way, as stated by lanes. Empty means any."""

    @classmethod
    def of(cls, word: str) -> SupplyRoute | None:
        """Return the route in a word such as `route:AU>US` or `via:suez`. None if there is none."""
        kind, colon, name = word.partition(":")
        if kind + colon == _VIA and name.strip():
            return cls(via=name.strip())
        origin, arrow, to = (part.strip() for part in name.partition(">"))
        return cls(origin, to) if kind + colon == _ROUTE and arrow and (origin or to) else None

    @property
    def told(self) -> str:
        """The route in words."""
        if self.via:
            return f"the way by {self.via}"
        if self.origin and self.to:
            return f"the route {self.origin} to {self.to}"
        return f"all routes out of {self.origin}" if self.origin else f"all routes into {self.to}"

    def takes(self, arc: Arc) -> bool:
        """Return True if deliveries on an arc use the route. A lane that passes a place only from some day on always counts."""
        if arc.offer < 0:
            return False
        origin, to = arc.move.origin, arc.move.to
        if self.via:
            return self._passed(lane for lane in arc.chained.offer.lanes if lane.to == to.id)
        if self.origin and self.to:
            return self.origin in (origin.id, origin.country) and self.to in (to.id, to.country)
        own = (origin.id, origin.country) if self.origin else (to.id, to.country)
        return arc.move.crosses and (self.origin or self.to) in own

    def may_take(self, offer: Offer, facility: Facility) -> bool:
        """Return True if an offer can use the route to any destination."""
        if self.via:
            return self._passed(offer.lanes)
        return self.origin in ("", facility.country, facility.place)

    def _passed(self, lanes: Iterable[Lane]) -> bool:
        return any(self.via in passed_by(lane) for lane in lanes)


def passed_by(lane: Lane) -> frozenset[str]:
    """Return the ports, straits, canals, and countries on a lane, as far as its catalog states them."""
    return lane.fact("via", frozenset) or frozenset()


def moves_on(route: SupplyRoute, problem: Problem) -> Moved:
    """Return the offers on a route, each with its destination."""
    return moved(problem, (arc for arc in problem.network.arcs if route.takes(arc)))


def moved(problem: Problem, arcs: Iterable[Arc]) -> Moved:
    """Return the offers of some arcs, each with its destination."""
    return frozenset((problem.offers[arc.offer].offer.id, arc.node[1]) for arc in arcs)


def words_of(problem: Problem) -> set[str]:
    """Return all words for routes between two countries, or for places on the way, that any offer for a demand may use."""
    found = set()
    for arc in problem.network.arcs:
        if arc.offer >= 0 and arc.move.crosses:
            found.add(f"{_ROUTE}{arc.move.origin.country}>{arc.move.to.country}")
        if arc.offer >= 0:
            lanes = (lane for lane in arc.chained.offer.lanes if lane.to == arc.move.to.id)
            found |= {f"{_VIA}{place}" for lane in lanes for place in passed_by(lane)}
    return found


def unsaid(problem: Problem, words: Iterable[str]) -> tuple[str, ...]:
    """Return the offers that cross a border on an unknown way, if any of the words is a place on the way. They may pass it too."""
    if not any(word.startswith(_VIA) for word in words):
        return ()
    found = set()
    for arc in problem.network.arcs:
        if arc.offer >= 0 and arc.move.crosses:
            lanes = [lane for lane in arc.chained.offer.lanes if lane.to == arc.move.to.id]
            if not all(map(passed_by, lanes)) or not lanes:
                found.add(arc.chained.offer.id)
    return tuple(sorted(found))


def unsaid_told(offers: Sequence[str]) -> list[str]:
    """Return a note on these offers, if there are any."""
    if not offers:
        return []
    more = f" and {len(offers) - _MAX_NAMED} more" if len(offers) > _MAX_NAMED else ""
    named = ", ".join(offers[:_MAX_NAMED])
    return [
        f"nobody says what {named}{more} pass on the way, so that no place on it is lost to them: state `via` of their lanes"
    ]


def orders_of(program: Program, moves: Moved, periods: range) -> Ints:
    """Return the columns of orders from some offers for some places in some periods, and of production by offers that lose all destinations."""
    import numpy as np

    problem, columns = program.problem, program.columns
    arcs = problem.network.arcs
    taken = [arc.offer >= 0 and (problem.offers[arc.offer].offer.id, arc.node[1]) in moves for arc in arcs]
    buys = columns.buy_move
    ordered = problem.moves.ordered[buys]
    lost = np.array(taken, dtype=bool)[problem.moves.arc[buys]]
    bought = columns.buy[lost & (ordered >= periods.start) & (ordered < periods.stop)]
    kept = {arc.offer for arc, gone in zip(arcs, taken, strict=True) if not gone}
    whole = {arc.offer for arc, gone in zip(arcs, taken, strict=True) if gone} - kept
    made = [column for (offer, _, t), column in columns.make.items() if offer in whole and t in periods]
    found: Ints = np.sort(np.concatenate([bought, np.array(made, dtype=np.intp)]))
    return found


LossKind = Literal["supplier", "parent", "country", "catalog"]
"""Kinds of losses."""
KINDS: tuple[LossKind, ...] = ("supplier", "parent", "country", "catalog")

_NAME_BY_KIND: Mapping[LossKind, Callable[[OfferFacts], str]] = {
    "supplier": lambda facts: facts.facility.supplier,
    "parent": lambda facts: facts.facility.owner,
    "country": lambda facts: facts.facility.country,
    "catalog": lambda facts: facts.offer.catalog,
}


class Loss(Record):
    """A supplier, company, country, or catalog that stops delivering."""

    by: tuple[LossKind, ...]
    """Kinds. A supplier and a parent with the same offers are one loss."""
    names: tuple[str, ...]
    """Name of the lost party, or two countries lost together."""
    also: tuple[str, ...] = ()
    """Other losses of exactly the same offers, such as `country KZ`."""
    offers: int
    """Number of lost offers that can reach a demand."""

    @property
    def name(self) -> str:
        """The loss in words."""
        return " and ".join(self.names)

    def takes(self, facts: OfferFacts) -> bool:
        """Return True if an offer is lost."""
        return _NAME_BY_KIND[self.by[0]](facts) in self.names

    def changes(self, start: date) -> tuple[Change, ...]:
        """Return the changes that remove its offers from a day on."""
        return tuple(Change(remove=f"{self.by[0]}:{name}", start=start) for name in self.names)


def _groups(problem: Problem) -> dict[LossKind, dict[str, frozenset[int]]]:
    """Return the offers that can reach a demand, by kind and name of their loss."""
    reached = sorted({arc.offer for arc in problem.network.arcs if arc.offer >= 0})
    groups: dict[LossKind, dict[str, frozenset[int]]] = {}
    for kind, name_of in _NAME_BY_KIND.items():
        found = grouped((name_of(problem.offers[offer]), offer) for offer in reached)
        groups[kind] = {name: frozenset(offers) for name, offers in sorted(found.items()) if name}
    return groups


def losses(
    session: Session, kinds: Sequence[LossKind] = KINDS, *, everything: bool = False, pairs: bool = False
) -> list[Loss]:
    """Return the possible losses, without duplicates and in canonical order: sellers in the plan, or with `everything` all that could deliver.

    `kinds` are the kinds of losses. `pairs` adds every two countries that the plan buys from.
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
    names = {purchase.offer for purchase in session.verified.plan.purchases}
    return frozenset(i for i, facts in enumerate(session.problem.offers) if facts.offer.id in names)


def loss_kind(word: str) -> LossKind:
    """Return the kind of loss that a word means.

    Raises:
        InputError: If there is no such kind.
    """
    for kind in KINDS:
        if kind == word:
            return kind
    raise InputError(
        "unknown kind of loss", found=word, expected=f"{', '.join(KINDS)} or none", fix=did_you_mean(word, KINDS)
    )


def first_day(horizon: Horizon, word: str) -> date:
    """Return the day of a moment in the plan: a date, or the first day of a period given by its label.

    Raises:
        InputError: If it is neither, or outside the plan.
    """
    return day_of_plan(horizon, word, "the moment of a loss")


USUAL_KINDS = ("supplier", "parent", "country")
"""Default kinds of losses."""
ROUTE_KINDS = ("route", "via")
"""Kinds of lost routes: between two countries, or via a place that lanes pass."""
_RULE = "rule:"


class PossibleLoss(Record):
    """A party or a route whose loss may occur together with others."""

    word: str
    """Name as written: an offer, facility, supplier, or parent, `country:XX`, `catalog:NAME`, a route as `route:XX>YY` or `via:NAME`, or `rule:ID`."""
    name: str
    """The loss in words."""
    also: tuple[str, ...] = ()
    """Other losses of exactly the same offers, such as `country KZ`."""
    rule: str = ""
    """Rule that begins to apply, if the loss is the end of its suspension. No party is then lost, and barred goods no longer arrive."""
    moves: Annotated[frozenset[tuple[str, str]], PlainSerializer(sorted, return_type=list[tuple[str, str]])]
    """Lost offers, each with its destination."""

    def takes(self, offer: str, place: str) -> bool:
        """Return True if deliveries from an offer to a place are lost."""
        return (offer, place) in self.moves


def named_losses(session: Session, words: Sequence[str]) -> list[PossibleLoss]:
    """Return the losses of some names in order, without duplicates.

    Raises:
        InputError: For every name without an offer that could reach a demand.
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


def default_losses(
    session: Session, kinds: Sequence[str] = USUAL_KINDS, most: int = 0
) -> tuple[list[PossibleLoss], int]:
    """Return all possible losses as in `stress`, and all routes (`ROUTE_KINDS`), without duplicates, and the number left out.

    If there are more than `most` (0 means no limit), those with the highest spending of the plan are kept, then those with the most offers.

    Raises:
        InputError: If a word isn't a kind of loss.
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
    spent: dict[str, Decimal] = totals((line.name, line.total) for line in session.verified.lines)

    def rank(loss: PossibleLoss) -> tuple[Decimal, int, str]:
        return (
            -sum((spent.get(offer, _NONE) for offer in {offer for offer, _ in loss.moves}), _NONE),
            -len(loss.moves),
            loss.word,
        )

    kept = {loss.word for loss in sorted(found, key=rank)[:most]}
    return [loss for loss in found if loss.word in kept], len(found) - len(kept)


def _add_route(found: list[PossibleLoss], route: PossibleLoss) -> None:
    """Add a route. If another loss has exactly the same offers, merge it with that loss."""
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
