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
from friendshore.domain.countries import country_in_text, country_name
from friendshore.domain.suggest import did_you_mean
from friendshore.domain.time import Horizon
from friendshore.errors import Diagnostic, InputError
from friendshore.problem import Problem
from friendshore.problem.changes import OFFERS, names_offer
from friendshore.problem.network import Arc
from friendshore.problem.offers import OfferFacts
from friendshore.questions.wording import first_few
from friendshore.session import Session
from friendshore.session.decided import day_of_plan

if TYPE_CHECKING:
    from friendshore.domain.facts import Facility, Lane, Offer
    from friendshore.program import Program
    from friendshore.program.matrix import Ints


_ROUTE, _VIA = "route:", "via:"
_MAX_NAMES = 3
OfferMoves = frozenset[tuple[str, str]]
ROUTES = (
    "a route between two countries or places such as `route:AU>US`, all routes out of one such as `route:CN>` or into one such as `route:>US`, "
    "or a place on the way such as `via:suez`"
)


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
    def of(cls, text: str) -> SupplyRoute | None:
        """Return the route in a word such as `route:AU>US` or `via:suez`. None if there is none."""
        kind, colon, name = text.partition(":")
        if kind + colon == _VIA and name.strip():
            return cls(via=name.strip())
        origin, arrow, to = (part.strip() for part in name.partition(">"))
        return cls(origin, to) if kind + colon == _ROUTE and arrow and (origin or to) else None

    @property
    def text(self) -> str:
        if self.via:
            return f"all routes via {self.via}"
        origin, to = country_in_text(self.origin), country_in_text(self.to)
        if self.origin and self.to:
            return f"the route from {origin} to {to}"
        return f"all routes out of {origin}" if self.origin else f"all routes into {to}"

    def takes(self, arc: Arc) -> bool:
        if arc.offer < 0:
            return False
        origin, to = arc.move.origin, arc.move.to
        if self.via:
            return self._passes(lane for lane in arc.chained.offer.lanes if lane.to == to.id)
        if self.origin and self.to:
            return self.origin in (origin.id, origin.country) and self.to in (to.id, to.country)
        sites = (origin.id, origin.country) if self.origin else (to.id, to.country)
        return arc.move.crosses and (self.origin or self.to) in sites

    def may_take(self, offer: Offer, facility: Facility) -> bool:
        if self.via:
            return self._passes(offer.lanes)
        return self.origin in ("", facility.country, facility.place)

    def _passes(self, lanes: Iterable[Lane]) -> bool:
        return any(self.via in places_on_lane(lane) for lane in lanes)


def places_on_lane(lane: Lane) -> frozenset[str]:
    return lane.fact("via", frozenset) or frozenset()


def moves_on_route(route: SupplyRoute, problem: Problem) -> OfferMoves:
    return moves_of_arcs(problem, (arc for arc in problem.network.arcs if route.takes(arc)))


def moves_of_arcs(problem: Problem, arcs: Iterable[Arc]) -> OfferMoves:
    return frozenset((problem.offers[arc.offer].offer.id, arc.node[1]) for arc in arcs)


def route_words(problem: Problem) -> set[str]:
    """Return all words for routes between two countries, or for places on the way, that any offer for a demand may use."""
    words = set()
    for arc in problem.network.arcs:
        if arc.offer >= 0 and arc.move.crosses:
            words.add(f"{_ROUTE}{arc.move.origin.country}>{arc.move.to.country}")
        if arc.offer >= 0:
            lanes = (lane for lane in arc.chained.offer.lanes if lane.to == arc.move.to.id)
            words |= {f"{_VIA}{place}" for lane in lanes for place in places_on_lane(lane)}
    return words


def offers_with_unknown_route(problem: Problem, words: Iterable[str]) -> tuple[str, ...]:
    """Return the offers that cross a border on an unknown way, if any of the words is a place on the way. They may pass it too."""
    if not any(word.startswith(_VIA) for word in words):
        return ()
    offers = set()
    for arc in problem.network.arcs:
        if arc.offer >= 0 and arc.move.crosses:
            lanes = [lane for lane in arc.chained.offer.lanes if lane.to == arc.move.to.id]
            if not all(map(places_on_lane, lanes)) or not lanes:
                offers.add(arc.chained.offer.id)
    return tuple(sorted(offers))


def unknown_route_notes(offers: Sequence[str]) -> list[str]:
    if not offers:
        return []
    names = first_few(offers, _MAX_NAMES, " and ")
    return [
        f"the way of {names} is unknown, so they are assumed not to pass the lost places. Fill in `via` of their lanes"
    ]


def orders_of(program: Program, moves: OfferMoves, periods: range) -> Ints:
    """Return the columns of orders from some offers for some places in some periods, and of production by offers that lose all destinations."""
    import numpy as np

    problem, columns = program.problem, program.columns
    arcs = problem.network.arcs
    is_lost_arc = [arc.offer >= 0 and (problem.offers[arc.offer].offer.id, arc.node[1]) in moves for arc in arcs]
    buys = columns.buy_move
    ordered = problem.moves.ordered[buys]
    is_lost_arc_of_move = np.array(is_lost_arc, dtype=bool)[problem.moves.arc[buys]]
    order_columns = columns.buy[is_lost_arc_of_move & (ordered >= periods.start) & (ordered < periods.stop)]
    reachable = {arc.offer for arc, gone in zip(arcs, is_lost_arc, strict=True) if not gone}
    lost_offers = {arc.offer for arc, gone in zip(arcs, is_lost_arc, strict=True) if gone} - reachable
    production_columns = [
        column for (offer, _, t), column in columns.make.items() if offer in lost_offers and t in periods
    ]
    lost_columns: Ints = np.sort(np.concatenate([order_columns, np.array(production_columns, dtype=np.intp)]))
    return lost_columns


LossKind = Literal["supplier", "parent", "country", "catalog"]
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
    also: tuple[str, ...] = ()
    """Other losses of exactly the same offers, such as `country KZ`."""
    offers: int

    @property
    def name(self) -> str:
        return " and ".join(self.names)

    @property
    def shown(self) -> str:
        """Name for readers, with the names of countries."""
        return " and ".join(map(country_name, self.names)) if "country" in self.by else self.name

    @property
    def shown_kinds(self) -> str:
        """Kinds and other losses for readers, such as `supplier and parent, country Malaysia`."""
        others = (word.partition(" ") for word in self.also)
        named = (f"{kind} {country_name(name) if kind == 'country' else name}" for kind, _, name in others)
        return ", ".join([" and ".join(self.by), *named])

    def takes(self, facts: OfferFacts) -> bool:
        return _NAME_BY_KIND[self.by[0]](facts) in self.names

    def changes(self, start: date) -> tuple[Change, ...]:
        return tuple(Change(remove=f"{self.by[0]}:{name}", start=start) for name in self.names)


def _offers_by_loss(problem: Problem) -> dict[LossKind, dict[str, frozenset[int]]]:
    reachable_offers = sorted({arc.offer for arc in problem.network.arcs if arc.offer >= 0})
    groups: dict[LossKind, dict[str, frozenset[int]]] = {}
    for kind, name_of_offer in _NAME_BY_KIND.items():
        offers_by_name = grouped((name_of_offer(problem.offers[offer]), offer) for offer in reachable_offers)
        groups[kind] = {name: frozenset(offers) for name, offers in sorted(offers_by_name.items()) if name}
    return groups


def losses(
    session: Session, kinds: Sequence[LossKind] = KINDS, *, everything: bool = False, pairs: bool = False
) -> list[Loss]:
    """Return distinct losses in canonical order: sellers in the plan, or `everything` that could deliver. `pairs` adds pairs of countries in the plan."""
    problem = session.problem
    groups = _offers_by_loss(problem)
    used_offers = _used_offers(session)
    loss_by_offers: dict[frozenset[int], Loss] = {}
    for kind in kinds:
        for name, offers in groups[kind].items():
            if not everything and not offers & used_offers:
                continue
            existing = loss_by_offers.get(offers)
            if existing is None:
                loss_by_offers[offers] = Loss(by=(kind,), names=(name,), offers=len(offers))
            elif existing.names == (name,):
                loss_by_offers[offers] = existing.but(by=(*existing.by, kind))
            else:
                loss_by_offers[offers] = existing.but(also=(*existing.also, f"{kind} {name}"))
    if pairs:
        countries = [name for name, offers in groups["country"].items() if offers & used_offers]
        for first, second in combinations(countries, 2):
            offers = groups["country"][first] | groups["country"][second]
            loss_by_offers.setdefault(offers, Loss(by=("country",), names=(first, second), offers=len(offers)))
    return list(loss_by_offers.values())


def _used_offers(session: Session) -> frozenset[int]:
    names = {purchase.offer for purchase in session.verified.plan.purchases}
    return frozenset(i for i, facts in enumerate(session.problem.offers) if facts.offer.id in names)


def parse_loss_kind(word: str) -> LossKind:
    for kind in KINDS:
        if kind == word:
            return kind
    raise InputError(
        "unknown kind of loss",
        found=word,
        expected=f"{', '.join(KINDS)}, or none",
        fix=did_you_mean(word, KINDS),
        code="FS003",
    )


def first_day(horizon: Horizon, word: str) -> date:
    return day_of_plan(horizon, word, "the first day of a loss")


DEFAULT_KINDS = ("supplier", "parent", "country")
ROUTE_KINDS = ("route", "via")
_RULE = "rule:"


class PossibleLoss(Record):
    """A party or a route whose loss may occur together with others."""

    word: str
    """Name as written: an offer, facility, supplier, or parent, `country:XX`, `catalog:NAME`, a route as `route:XX>YY` or `via:NAME`, or `rule:ID`."""
    name: str
    also: tuple[str, ...] = ()
    """Other losses of exactly the same offers, such as `country KZ`."""
    rule: str = ""
    """Rule that begins to apply, if the loss is the end of its suspension. No party is then lost, and prohibited goods no longer arrive."""
    moves: Annotated[frozenset[tuple[str, str]], PlainSerializer(sorted, return_type=list[tuple[str, str]])]

    def takes(self, offer: str, place: str) -> bool:
        return (offer, place) in self.moves


def named_losses(session: Session, words: Sequence[str]) -> list[PossibleLoss]:
    """Return the losses of some names in order, without duplicates. Raises InputError for every name without an offer that could reach a demand."""
    arcs = _offer_arcs(session.problem)
    possible_losses, problems = [], []
    rules = {rule.id: rule for rule in session.problem.rules}
    for word in dict.fromkeys(words):
        rule = rules.get(word.removeprefix(_RULE)) if word.startswith(_RULE) else None
        if rule is not None:
            possible_losses.append(
                PossibleLoss(
                    word=word, name=f"the suspension of {rule.title or rule.id}", rule=rule.id, moves=frozenset()
                )
            )
            continue
        moves = moves_of_arcs(session.problem, (arc for arc in arcs if _is_on_arc(word, arc, session.problem)))
        if moves:
            possible_losses.append(PossibleLoss(word=word, name=_loss_name(word), moves=moves))
        else:
            problems.append(_unknown_loss(word, session.problem, arcs))
    if problems:
        raise InputError(problems)
    return possible_losses


def default_losses(
    session: Session, kinds: Sequence[str] = DEFAULT_KINDS, max_count: int = 0
) -> tuple[list[PossibleLoss], int]:
    """Return all possible losses as in `stress`, and all routes (`ROUTE_KINDS`), without duplicates, and the number left out.

    If there are more than `max_count` (0 means no limit), those with the highest spending of the plan are kept, then those with the most offers.
    """
    problem = session.problem
    arcs = _offer_arcs(problem)
    possible_losses = []
    for loss in losses(session, [parse_loss_kind(kind) for kind in kinds if kind not in ROUTE_KINDS], everything=True):
        moves = moves_of_arcs(problem, (arc for arc in arcs if loss.takes(problem.offers[arc.offer])))
        possible_losses.append(
            PossibleLoss(word=f"{loss.by[0]}:{loss.name}", name=loss.shown, also=loss.also, moves=moves)
        )
    for kind in ROUTE_KINDS:
        for word in sorted(route_words(problem)) if kind in kinds else ():
            route = SupplyRoute.of(word)
            if route is not None and word.startswith(kind):
                _add_route(
                    possible_losses, PossibleLoss(word=word, name=route.text, moves=moves_on_route(route, problem))
                )
    if not max_count or len(possible_losses) <= max_count:
        return possible_losses, 0
    spend_by_offer: dict[str, Decimal] = totals((line.name, line.total) for line in session.verified.lines)

    def rank(loss: PossibleLoss) -> tuple[Decimal, int, str]:
        return (
            -sum((spend_by_offer.get(offer, _ZERO) for offer in {offer for offer, _ in loss.moves}), _ZERO),
            -len(loss.moves),
            loss.word,
        )

    kept_words = {loss.word for loss in sorted(possible_losses, key=rank)[:max_count]}
    return [loss for loss in possible_losses if loss.word in kept_words], len(possible_losses) - len(kept_words)


def _add_route(possible_losses: list[PossibleLoss], route: PossibleLoss) -> None:
    for index, other in enumerate(possible_losses):
        if other.moves == route.moves:
            possible_losses[index] = other.but(also=(*other.also, route.name))
            return
    possible_losses.append(route)


_ZERO = Decimal(0)


def _offer_arcs(problem: Problem) -> list[Arc]:
    return [arc for arc in problem.network.arcs if arc.offer >= 0]


def _is_on_arc(word: str, arc: Arc, problem: Problem) -> bool:
    route = SupplyRoute.of(word)
    if route is not None:
        return route.takes(arc)
    facts = problem.offers[arc.offer]
    return names_offer(word, facts.offer, facts.facility)


def _loss_name(word: str) -> str:
    route = SupplyRoute.of(word)
    if route is not None:
        return route.text
    kind, colon, name = word.partition(":")
    if colon and kind == "country":
        return country_name(name)
    return name if colon and kind in ("supplier", "parent", "catalog") else word


def _unknown_loss(word: str, problem: Problem, arcs: Sequence[Arc]) -> Diagnostic:
    facts = [problem.offers[arc.offer] for arc in arcs]
    known_words = {offer_facts.offer.id for offer_facts in facts} | {offer_facts.facility.id for offer_facts in facts}
    known_words |= {offer_facts.facility.supplier for offer_facts in facts} | {
        f"country:{offer_facts.facility.country}" for offer_facts in facts
    }
    known_words |= {f"{_RULE}{rule.id}" for rule in problem.rules}
    known_words |= route_words(problem)
    return Diagnostic(
        "no offer that could serve a demand has this name",
        column="--lose",
        found=word,
        expected=f"{OFFERS}; {ROUTES}; or `rule:ID` for a suspended rule",
        fix=did_you_mean(word, known_words),
        code="FS981",
    )
