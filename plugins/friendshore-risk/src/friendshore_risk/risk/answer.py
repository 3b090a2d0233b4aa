"""The answer to `risk`, put together of verified plans."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

import numpy as np

from friendshore.domain.base import as_decimal, exact, totals
from friendshore.explain import names_of
from friendshore.verify import VerifiedPlan

from ..twostage import RecourseAnswer, RiskMeasure, cvar_of
from .records import BeforeTheDay, ComesTrue, FrontierPoint, HeldBefore, Risk, SampleGap, ScenarioOutcome, ShortOf
from .search import RiskSearch

_NONE = Decimal(0)
WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Of CVaR, along the frontier."""
Short = dict[str, Decimal]
"""Kilograms by material."""


def risk_of(
    search: RiskSearch, measure: RiskMeasure, *, frontier: bool = False, seed: str = "", draws: int = 0
) -> Risk:
    """The answer under a measure.

    Args:
        search: the case and its events, laid out.
        measure: what is minimised.
        frontier: also plans between the least expected cost and the least CVaR.
        seed: what a sample follows from; empty: the scenarios are all that there are.
        draws: of the sample.

    Raises:
        InputError: if rules conflict in some scenario whatever is decided.
        OutOfTimeError: if no plan is found in time.
        SolverError: if a solver breaks down.
        VerificationError: if a plan does not hold.
    """
    steps = 2 + (len(WEIGHTS) if frontier else 0)
    answer = search.best(measure)
    search.counted.told(1, steps)
    found = told_again(search, answer, measure, seed, draws)
    search.counted.told(2, steps)
    return found.but(frontier=_frontier(search, measure.alpha, steps)) if frontier else found


def told_again(search: RiskSearch, answer: RecourseAnswer, measure: RiskMeasure, seed: str, draws: int) -> Risk:
    """All that is told of decisions and what follows them, but for the frontier.

    Raises:
        VerificationError: if a plan does not hold.
    """
    found = _Told(search, answer).answer(measure, seed, draws)
    gap = search.gap(answer, measure)
    if gap is None:
        return found
    return found.but(gap=SampleGap(batches=gap.batches, size=draws, estimate=exact(gap.gap), most=exact(gap.most)))


class _Told:
    """One plan, with what becomes of it in every scenario."""

    def __init__(self, search: RiskSearch, answer: RecourseAnswer) -> None:
        self.search, self.found = search, answer
        self.carried = search.carried(answer)
        self.chances = [scenario.probability for scenario in search.scenarios]
        self.objectives = self._by_scenario({n: one.objective for n, one in self.carried.items()}, search.rest)
        self.base = _short_of(search.session.verified)
        self.slack = search.slack

    def _by_scenario(self, of_stages: Mapping[int, Decimal], rest: Decimal) -> list[Decimal]:
        branches = self.search.program.branches
        return [exact(sum((of_stages[n] for n in branch.stages), rest)) for branch in branches]

    @property
    def expected(self) -> Decimal:
        """Expected cost."""
        return mean(self.objectives, self.chances)

    def of(self, measure: RiskMeasure) -> Decimal:
        """What the plan comes to under a measure."""
        return exact(measure.of(np.array([float(one) for one in self.objectives]), self.search.chances))

    def cvar(self, alpha: float) -> Decimal:
        """The mean of the worst cases."""
        return exact(cvar_of([float(one) for one in self.objectives], self.search.chances, alpha))

    def answer(self, measure: RiskMeasure, seed: str, draws: int) -> Risk:
        """All that is told of it."""
        search, minimised = self.search, self.of(measure)
        session = search.session
        first = [self.carried[part.numbers[0]] for part in search.staged.parts]
        nothing = [one.objective for one in first]
        money = self._by_scenario({n: one.money for n, one in self.carried.items()}, search.rest_money)
        today = self._today()
        followed = [cost for cost in today if cost is not None]
        known = [exact(float(cost)) + search.rest if np.isfinite(cost) else None for cost in search.known]
        knew = [cost for cost in known if cost is not None]
        shorts = self._shorts()
        return Risk(
            case=session.problem.case.name,
            currency=session.problem.case.currency,
            day=search.day,
            alpha=exact(measure.alpha),
            weight=exact(measure.weight),
            seed=seed,
            draws=draws,
            expected=self.expected,
            cvar=self.cvar(measure.alpha),
            minimised=minimised,
            bound=min(exact(self.found.bound + float(search.rest)), minimised),
            expected_money=mean(money, self.chances),
            nothing=exact(sum(nothing, search.rest)),
            nothing_money=exact(sum((one.money for one in first), search.rest_money)),
            today=session.verified.cost.objective,
            today_money=session.verified.cost.total,
            vss=exact(mean(followed, self.chances) - self.expected) if len(followed) == len(today) else None,
            evpi=exact(self.expected - mean(knew, self.chances)) if len(knew) == len(known) else None,
            today_short=self._told_short(self.base),
            expected_short=self._told_short(_mean_short(shorts, self.chances)),
            any_short=self._chance([any(kg > self.slack for kg in short.values()) for short in shorts]),
            more_short=self._chance([bool(self._beyond(short)) for short in shorts]),
            scenarios=self._scenarios(money, today, known, shorts),
            names=names_of(session.problem, [facts.offer.id for facts in session.problem.offers]),
            before=self._ordered(),
            held=self._held(),
            onboarded=self._onboarded(),
            unsaid=search.unsaid,
            decisions=search.decisions(self.found.x),
        )

    def _chance(self, comes: Sequence[bool]) -> Decimal:
        return as_decimal(sum((c for c, true in zip(self.chances, comes, strict=True) if true), Fraction(0)))

    def _today(self) -> list[Decimal | None]:
        """What every scenario comes to where the plan as it is is followed until the day; None: it cannot be."""
        as_it_is = self.search.as_it_is
        if as_it_is is None:
            return [None] * len(self.objectives)
        return [exact(float(c)) + self.search.rest if np.isfinite(c) else None for c in as_it_is.costs]

    def _scenarios(
        self,
        money: Sequence[Decimal],
        today: Sequence[Decimal | None],
        known: Sequence[Decimal | None],
        shorts: Sequence[Short],
    ) -> tuple[ScenarioOutcome, ...]:
        lines = zip(self.search.scenarios, self.objectives, money, today, known, shorts, strict=True)
        return tuple(
            ScenarioOutcome(
                name=scenario.name,
                events=tuple(
                    ComesTrue(
                        event=one.event.name,
                        start=one.start,
                        factor=one.factor,
                        lasts=one.lasts,
                        title=one.event.title,
                    )
                    for one in scenario.events
                ),
                probability=as_decimal(scenario.probability),
                objective=objective,
                spent=spent,
                as_it_is=as_it_is,
                known=None if knew is None else exact(knew),
                short=self._told_short(self._beyond(short)),
            )
            for scenario, objective, spent, as_it_is, knew, short in lines
        )

    def _shorts(self) -> list[Short]:
        """What every scenario leaves short, in the whole case."""
        touched = frozenset[str]().union(*(part.members for part in self.search.staged.parts))
        rest = {name: kg for name, kg in self.base.items() if name not in touched}
        found = []
        for branch in self.search.program.branches:
            own = totals(item for n in branch.stages for item in _short_of(self.carried[n].verified).items())
            found.append({**rest, **own})
        return found

    def _beyond(self, short: Mapping[str, Decimal]) -> Short:
        """What is short beyond the plan as it is."""
        more = {name: kg - self.base.get(name, _NONE) for name, kg in short.items()}
        return {name: kg for name, kg in more.items() if kg > self.slack}

    def _told_short(self, short: Mapping[str, Decimal]) -> tuple[ShortOf, ...]:
        return tuple(
            ShortOf(material=name, kilograms=exact(kg)) for name, kg in sorted(short.items()) if kg > self.slack
        )

    def _pairs(self) -> list[tuple[VerifiedPlan, VerifiedPlan]]:
        """The plan where nothing happens, and the plan as it is, of every part."""
        parts = self.search.staged.parts
        planned = [self.search.session.part_plan(part.members, part.rules).verified for part in parts]
        return [(self.carried[part.numbers[0]].verified, one) for part, one in zip(parts, planned, strict=True)]

    def _ordered(self) -> tuple[BeforeTheDay, ...]:
        now, then = self._both(_orders)
        found = [
            BeforeTheDay(
                offer=offer,
                material=name,
                kilograms=now.get((offer, name), _NONE),
                today=then.get((offer, name), _NONE),
            )
            for offer, name in sorted(now.keys() | then.keys())
        ]
        moved = [one for one in found if abs(one.kilograms - one.today) > self.slack]
        return tuple(sorted(moved, key=lambda one: (-abs(one.kilograms - one.today), one.offer, one.material)))

    def _held(self) -> tuple[HeldBefore, ...]:
        now, then = self._both(_there)
        found = [
            HeldBefore(material=name, kilograms=now.get(("", name), _NONE), today=then.get(("", name), _NONE))
            for _, name in sorted(now.keys() | then.keys())
        ]
        moved = [one for one in found if abs(one.kilograms - one.today) > self.slack]
        return tuple(sorted(moved, key=lambda one: (-abs(one.kilograms - one.today), one.material)))

    def _both(self, read: _Read) -> tuple[_Table, _Table]:
        """Something of the plan and of the plan as it is."""
        period, pairs = self.search.staged.period, self._pairs()
        return (
            totals(entry for here, _ in pairs for entry in read(here, period).items()),
            totals(entry for _, there in pairs for entry in read(there, period).items()),
        )

    def _onboarded(self) -> tuple[str, ...]:
        keys = zip(self.search.staged.keys, self.found.x.tolist(), strict=True)
        return tuple(sorted(str(key[2]) for key, value in keys if key[1] == "onboard" and value > 0.5))


_Table = dict[tuple[str, str], Decimal]
"""Kilograms by offer (or none) and material."""
_Read = Callable[[VerifiedPlan, int], _Table]


def _orders(verified: VerifiedPlan, period: int) -> _Table:
    """Kilograms ordered before a period."""
    return totals(((p.offer, p.material), p.quantity) for p in verified.plan.purchases if p.ordered < period)


def _there(verified: VerifiedPlan, period: int) -> _Table:
    """Kilograms in stock at the end of the period before, or ordered by then and still to come."""
    held = [(("", stock.material), stock.quantity) for stock in verified.plan.stocks if stock.period == period - 1]
    bought = verified.plan.purchases
    return totals(held + [(("", p.material), p.quantity) for p in bought if p.ordered < period <= p.delivered])


def mean(values: Sequence[Decimal], chances: Sequence[Fraction]) -> Decimal:
    """An expected value."""
    total = sum((Fraction(value) * chance for value, chance in zip(values, chances, strict=True)), Fraction(0))
    return as_decimal(total)


def _short_of(verified: VerifiedPlan) -> Short:
    materials = {demand.id: demand.use.material.id for demand in verified.problem.demands}
    return totals((materials[name], kg) for name, kg in verified.plan.short_by_demand.items())


def _mean_short(shorts: Sequence[Short], chances: Sequence[Fraction]) -> Short:
    names = sorted({name for short in shorts for name in short})
    return {name: mean([short.get(name, _NONE) for short in shorts], chances) for name in names}


def _frontier(search: RiskSearch, alpha: float, steps: int) -> tuple[FrontierPoint, ...]:
    """Plans from the least expected cost to the least CVaR, each verified; of several that come to the same, the first."""
    found: list[FrontierPoint] = []
    for place, weight in enumerate(WEIGHTS):
        search.session.go_on(place, len(WEIGHTS), "plans of the frontier")
        answer = search.best(RiskMeasure(weight, alpha))
        told = _Told(search, answer)
        point = FrontierPoint(
            weight=exact(weight),
            expected=told.expected,
            cvar=told.cvar(alpha),
            objectives=tuple(told.objectives),
            decisions=search.decisions(answer.x),
        )
        if not any(_alike(point, other) for other in found):
            found.append(point)
        search.counted.told(3 + place, steps)
    return tuple(found)


def _alike(one: FrontierPoint, other: FrontierPoint) -> bool:
    """Whether two points cost the same, to a millionth."""
    pairs = ((one.expected, other.expected), (one.cvar, other.cvar))
    return all(abs(a - b) <= Decimal("1e-6") * max(abs(a), Decimal(1)) for a, b in pairs)
