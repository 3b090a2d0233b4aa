"""Routes that may be lost: from one country or place to another, or by a place on the way. Events and losses name them alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from friendshore.domain.facts import Facility, Lane, Offer
    from friendshore.problem import Problem
    from friendshore.problem.network import Arc
    from friendshore.program import Program
    from friendshore.program.matrix import Ints

_ROUTE, _VIA = "route:", "via:"
_NAMED = 3
"""Offers that are named; then it is said how many more there are."""
Moved = frozenset[tuple[str, str]]
"""Offers, each with a place that it delivers to."""
ROUTES = (
    "a route between two countries or places, as `route:AU>US`, all that leaves one, `route:CN>`, or comes into one, `route:>US`, "
    "or a place on the way, as `via:suez`"
)
"""What may name a route, for messages."""


@dataclass(frozen=True, slots=True)
class SupplyRoute:
    """A way that goods are moved."""

    origin: str = ""
    """Country or place that it begins in; empty: any beyond the border."""
    to: str = ""
    """Country or place that it leads to; empty: any beyond the border."""
    via: str = ""
    """Port, strait, canal or country that it passes, as lanes state it; empty: any."""

    @classmethod
    def of(cls, word: str) -> SupplyRoute | None:
        """The route that a word names, such as `route:AU>US` or `via:suez`; None: it names none."""
        kind, colon, name = word.partition(":")
        if kind + colon == _VIA and name.strip():
            return cls(via=name.strip())
        origin, arrow, to = (part.strip() for part in name.partition(">"))
        return cls(origin, to) if kind + colon == _ROUTE and arrow and (origin or to) else None

    @property
    def told(self) -> str:
        """In words."""
        if self.via:
            return f"the way by {self.via}"
        if self.origin and self.to:
            return f"the route {self.origin} to {self.to}"
        return f"all routes out of {self.origin}" if self.origin else f"all routes into {self.to}"

    def takes(self, arc: Arc) -> bool:
        """Whether what an offer delivers by an arc goes this way; where a lane passes a place from some day on only, it always does."""
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
        """Whether an offer may go this way at all, wherever it is wanted."""
        if self.via:
            return self._passed(offer.lanes)
        return self.origin in ("", facility.country, facility.place)

    def _passed(self, lanes: Iterable[Lane]) -> bool:
        return any(self.via in passed_by(lane) for lane in lanes)


def passed_by(lane: Lane) -> frozenset[str]:
    """Ports, straits, canals and countries that a lane passes, as far as its catalog says."""
    return lane.fact("via", frozenset) or frozenset()


def moves_on(route: SupplyRoute, problem: Problem) -> Moved:
    """Offers that go a way, each with the place that it delivers to."""
    return moved(problem, (arc for arc in problem.network.arcs if route.takes(arc)))


def moved(problem: Problem, arcs: Iterable[Arc]) -> Moved:
    """Offers of some arcs, each with the place that it delivers to."""
    return frozenset((problem.offers[arc.offer].offer.id, arc.node[1]) for arc in arcs)


def words_of(problem: Problem) -> set[str]:
    """All words that name a route between two countries, or a place on the way, that anything which could reach a demand may go."""
    found = set()
    for arc in problem.network.arcs:
        if arc.offer >= 0 and arc.move.crosses:
            found.add(f"{_ROUTE}{arc.move.origin.country}>{arc.move.to.country}")
        if arc.offer >= 0:
            lanes = (lane for lane in arc.chained.offer.lanes if lane.to == arc.move.to.id)
            found |= {f"{_VIA}{place}" for lane in lanes for place in passed_by(lane)}
    return found


def unsaid(problem: Problem, words: Iterable[str]) -> tuple[str, ...]:
    """Offers that cross a border by a way of which nobody says what it passes, where any of some words is a place on the way: they may pass it all the same."""
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
    """The same in words, if there are any."""
    if not offers:
        return []
    more = f" and {len(offers) - _NAMED} more" if len(offers) > _NAMED else ""
    named = ", ".join(offers[:_NAMED])
    return [
        f"nobody says what {named}{more} pass on the way, so that no place on it is lost to them: state `via` of their lanes"
    ]


def orders_of(program: Program, moves: Moved, periods: range) -> Ints:
    """The columns that order some offers for some places in some periods, or make anything of offers of which nothing else is left."""
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
