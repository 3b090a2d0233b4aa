"""What events do to the facts of a case, from the day on which they are known: nothing before it changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal

from friendshore.domain.base import exact
from friendshore.domain.case import Case, DemandSpec
from friendshore.domain.change import Change
from friendshore.domain.facts import Catalog, Offer, Quote
from friendshore.domain.suggest import did_you_mean
from friendshore.domain.time import Horizon, add_months
from friendshore.errors import Diagnostic, InputError
from friendshore.problem import Problem
from friendshore.problem.change_kinds import names_offer, reprices, resizes
from friendshore.problem.changes import scenario_changes, with_bills
from friendshore.problem.inputs import Inputs
from friendshore.problem.merged import CASE_SOURCE
from friendshore.problem.offers import OfferFacts
from friendshore.problem.parts import Parts

from ..routes import ROUTES, SupplyRoute, moves_on, words_of
from .records import Event
from .scenarios import Begun

DATED = ("enable", "disable", "remove", "capacity", "waive", "grant")
"""Subjects of changes that have a first day. What holds for the whole plan would change what is decided before an event is known."""

_ANY = Decimal(2)
"""Any factor: what a change of a price or demand names does not turn on it."""


def bearing(event: Event, start: date, parts: Parts) -> tuple[Change, ...]:
    """Changes that touch what the event touches, bills spelt out: for finding the parts of a case that it bears on.

    Raises:
        InputError: for an event that changes what was before it, and for a route that nothing goes.
    """
    if event.price:
        return (Change(price=event.price, factor=_ANY),)
    if event.demand:
        return (Change(demand=event.demand, factor=_ANY),)
    route = SupplyRoute.of(event.lose)
    if route is not None:
        return tuple(Change(remove=f"offer:{name}", start=start) for name in _going(event, route, parts))
    if event.lose:
        return (Change(remove=event.lose, start=start),)
    return tuple(_stated(event, start, parts.inputs))


def _going(event: Event, route: SupplyRoute, parts: Parts) -> list[str]:
    """Offers that may go a route, counted today or not: another event may let them count."""
    problem = parts.problem
    if not moves_on(route, problem):
        message = f"event `{event.name}` loses a route that nothing goes which could reach a demand"
        raise InputError(_wrong(message, event.lose, ROUTES, did_you_mean(event.lose, words_of(problem))))
    return [offer.id for offer in parts.offers if route.may_take(offer, problem.merged.facilities[offer.facility])]


def _stated(event: Event, start: date, inputs: Inputs) -> Iterator[Change]:
    """The changes of an event that states some, each from a day on which it is known."""
    given = scenario_changes(inputs.case, (event.scenario,)) if event.scenario else event.change
    wrong: list[Diagnostic] = []
    for change in with_bills(given, inputs.bills):
        if change.subject not in DATED:
            message = f"event `{event.name}` changes `{change.subject}`, which holds for the whole plan"
            fix = "`price`, `demand` and `lose` of an event hold from its first day on"
            wrong.append(_wrong(message, change.told, f"one of {', '.join(DATED)}", fix))
        elif change.start is None:
            yield change.but(start=start)
        elif change.start < start:
            message = f"event `{event.name}` changes something before it is known whether it comes"
            wrong.append(_wrong(message, change.told, f"`from` {start} or later, or none", ""))
        else:
            yield change
    if wrong:
        raise InputError(wrong)


def _wrong(message: str, found: str, expected: str, fix: str) -> Diagnostic:
    return Diagnostic(message, column="plugin.friendshore-risk.event", found=found, expected=expected, fix=fix)


def facts_after(inputs: Inputs, problem: Problem, happened: Sequence[Begun]) -> Inputs:
    """The facts once some events have come. A route that is lost is no fact of them: see `lost_routes`.

    Args:
        inputs: the facts as they are.
        problem: the same, resolved.
        happened: the events; those that touch nothing of these facts change nothing.

    Raises:
        InputError: for an event that names nothing, or whose consequences have no date.
        PluginError: if a plugin's rule raises.
    """
    stated = [change for one in happened for change in _of_facts(one, inputs)]
    if stated:  # they may let offers count that did not, which are then lost, or dearer, as well
        inputs = inputs.after(stated)
        problem = inputs.problem()
    moved = _Moved(problem)
    lost: list[Change] = []
    for begun in happened:
        event, days = begun.event, periods_of(begun, problem.case.horizon)
        if event.price:
            moved.reprice(begun, days)
        elif event.demand:
            moved.resize(begun, days)
        elif event.lose and SupplyRoute.of(event.lose) is None:
            lost.extend(moved.lose(begun, days))
    return moved.applied(inputs.after(lost) if lost else inputs)


def _of_facts(begun: Begun, inputs: Inputs) -> Iterator[Change]:
    """The changes that an event states, if it states any."""
    if begun.event.scenario or begun.event.change:
        yield from _stated(begun.event, begun.start, inputs)


def lost_routes(happened: Sequence[Begun], horizon: Horizon) -> list[tuple[SupplyRoute, range]]:
    """Routes that are lost with some events, each with the periods in which nothing is ordered on it; what was ordered before still comes."""
    found = ((SupplyRoute.of(begun.event.lose), periods_of(begun, horizon)) for begun in happened)
    return [(route, periods) for route, periods in found if route is not None]


def periods_of(begun: Begun, horizon: Horizon) -> range:
    """The periods on all or some of whose days an event holds: in those that it ends or begins within it holds throughout."""
    end = horizon.periods[-1].end
    if begun.lasts is not None:
        end = min(end, add_months(begun.start, int(begun.lasts)) - timedelta(days=1))
    held = [p.index for p in horizon.periods if p.end >= begun.start and p.start <= end]
    return range(held[0], held[-1] + 1) if held else range(0)


@dataclass(slots=True)
class _Moved:
    """Prices, quantities and openness of offers and demands that events move, period by period."""

    problem: Problem
    price: dict[str, list[Decimal]] = field(default_factory=dict)
    """Offer -> by what its price is multiplied in each period."""
    closed: dict[str, set[int]] = field(default_factory=dict)
    """Offer -> periods in which nothing can be ordered of it."""
    wanted: dict[str, list[Decimal]] = field(default_factory=dict)
    """Demand -> by what its quantity is multiplied in each period."""

    @property
    def _count(self) -> int:
        return self.problem.case.horizon.count

    def reprice(self, begun: Begun, periods: range) -> None:
        """Multiplies prices."""
        event, factor = begun.event, begun.factor
        assert factor is not None
        change = Change(price=event.price, factor=_ANY)
        for facts in self.problem.offers:
            benchmark = facts.offer.price.benchmark if facts.offer.price is not None else ""
            if reprices(change, facts.offer, facts.facility) or event.price == benchmark:
                factors = self.price.setdefault(facts.offer.id, [Decimal(1)] * self._count)
                for t in periods:
                    factors[t] *= factor

    def resize(self, begun: Begun, periods: range) -> None:
        """Multiplies demand."""
        factor = begun.factor
        assert factor is not None
        change = Change(demand=begun.event.demand, factor=_ANY)
        for demand in self.problem.demands:
            if resizes(change, demand.spec, self.problem.case):
                factors = self.wanted.setdefault(demand.id, [Decimal(1)] * self._count)
                for t in periods:
                    factors[t] *= factor

    def lose(self, begun: Begun, periods: range) -> Iterator[Change]:
        """Takes offers away: for good, for a time, or a share of what plants can make."""
        event, start, lasts = begun.event, begun.start, begun.lasts
        hit = [facts for facts in self.problem.offers if names_offer(event.lose, facts.offer, facts.facility)]
        if event.share == 1:
            if lasts is None:
                if hit:
                    yield Change(remove=event.lose, start=start)
                return
            for facts in hit:
                self.closed.setdefault(facts.offer.id, set()).update(periods)
            return
        end = None if lasts is None else add_months(start, int(lasts)) - timedelta(days=1)
        self._shareable(event, hit)
        for name in sorted({facts.facility.id for facts in hit}):
            yield Change(capacity=name, factor=1 - event.share, start=start, end=end)

    def _shareable(self, event: Event, hit: Sequence[OfferFacts]) -> None:
        """Refuses a share of what has no stated capacity, or of a plant with other offers than are named."""
        lost = {facts.offer.id for facts in hit}
        plants = {facts.facility.id for facts in hit}
        wrong = []
        for facts in hit:
            steps = facts.facility.capacity
            if not steps or any(step.per_year is None for step in steps) or facts.facility.id not in facts.pools:
                message = f"event `{event.name}` takes a share of `{facts.offer.id}`, whose plant states no capacity that it draws on"
                wrong.append(_wrong(message, str(event.share), "all of it", "leave `share` out"))
        for facts in self.problem.offers:
            if facts.facility.id in plants and facts.offer.id not in lost:
                message = f"event `{event.name}` takes a share of a plant that also makes `{facts.offer.id}`"
                wrong.append(_wrong(message, event.lose, f"the facility `{facts.facility.id}`, or all of it", ""))
        if wrong:
            raise InputError(wrong)

    def applied(self, inputs: Inputs) -> Inputs:
        """The facts with what moved."""
        case = inputs.case
        if self.wanted:
            case = case.but(demands=tuple(map(self._resized(case), case.demands)))
        moved = set(self.price) | {name for name, periods in self.closed.items() if periods}
        if not moved:
            return replace(inputs, case=case)
        self._without_tiers(inputs.catalogs)
        given = tuple(one.but(price=None) if one.id in moved else one for one in case.assume.offer)
        case = case.but(assume=case.assume.but(offer=given))
        of = {facts.offer.id: facts for facts in self.problem.offers}

        def quoted(offer: Offer) -> Offer:
            return offer.but(price=None, quotes=self._quotes(of[offer.id])) if offer.id in moved else offer

        catalogs = tuple(one.but(offers=tuple(map(quoted, one.offers))) for one in inputs.catalogs)
        return replace(inputs, case=case, catalogs=catalogs)

    def _resized(self, case: Case) -> _Resize:
        return _Resize(self.problem, self.wanted, case)

    def _without_tiers(self, catalogs: Sequence[Catalog]) -> None:
        """Refuses prices of offers that sell in tiers at prices of their own: these have no dates."""
        wrong = [
            _wrong(
                f"the price of `{one.id}` moves, and it sells in tiers at prices that have no date",
                one.id,
                "offers without such tiers",
                "name those whose price moves one by one",
            )
            for catalog in catalogs
            for one in catalog.schedules
            if one.of == "offer" and one.id in self.price and any(tier.price is not None for tier in one.tiers)
        ]
        if wrong:
            raise InputError(wrong)

    def _quotes(self, facts: OfferFacts) -> tuple[Quote, ...]:
        """What an offer costs in each period in which it can be ordered, in the case's currency."""
        factors = self.price.get(facts.offer.id, [Decimal(1)] * self._count)
        closed = self.closed.get(facts.offer.id, set())
        found: list[Quote] = []
        for period in self.problem.case.horizon.periods:
            t = period.index
            if t in closed or facts.most[t] == 0:
                continue
            amount = exact(facts.price[t] * factors[t])
            if found and found[-1].amount == amount and found[-1].end == period.start - timedelta(days=1):
                found[-1] = found[-1].but(end=period.end)
                continue
            found.append(
                Quote(
                    start=period.start,
                    end=period.end,
                    amount=amount,
                    currency=self.problem.case.currency,
                    source=CASE_SOURCE,
                )
            )
        return tuple(found)


@dataclass(frozen=True, slots=True)
class _Resize:
    """A demand with its quantities period by period, multiplied; of one that falls to nothing a step of the resolution is left.

    What was bought for it is then still bought for a use that the scenario knows.
    """

    problem: Problem
    wanted: dict[str, list[Decimal]]
    case: Case

    def __call__(self, spec: DemandSpec) -> DemandSpec:
        for number, demand in enumerate(self.problem.demands):
            if demand.spec == spec and demand.id in self.wanted:
                factors = zip(demand.quantity, self.wanted[demand.id], strict=True)
                quantities = tuple(exact(q * f) or min(q, self.case.resolution) for q, f in factors)
                price = self.problem.shortage_price[number]
                return spec.but(
                    id=demand.id,
                    per_year=None,
                    quantities=quantities,
                    start=None,
                    end=None,
                    later=0,
                    substance="",
                    shortage_price=price,
                )
        return spec
