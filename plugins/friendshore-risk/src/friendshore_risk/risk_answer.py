"""The answer to `risk`: the best plan before events are known, and its records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import ClassVar

import numpy as np

from friendshore.domain.base import Number, Record, as_decimal, exact, totals
from friendshore.domain.plan import Plan, PlanStatus
from friendshore.errors import Diagnostic, InputError, OutOfTimeError, VerificationError
from friendshore.explain import names_of
from friendshore.explain.results import Counted, QuestionResult
from friendshore.program.decode import decode
from friendshore.program.matrix import Floats
from friendshore.session import MIN_SEARCH_SHARE, Session
from friendshore.solve import SolverOutcome, Watch
from friendshore.verify import VerifiedPlan, verify

from .events import Event, RiskScenario
from .loss_program import kept_ready
from .losses import unsaid
from .staging import PartStage, RiskPart, StagedCase, staged
from .twostage import (
    GapInterval,
    RecourseAnswer,
    RecourseProgram,
    RiskMeasure,
    ScenarioBranch,
    Solver,
    cvar_of,
    followed,
    gap_interval,
    solve_recourse,
    solver_within,
)
from .twostage.solving import answered, best_seconds, stage_costs


class ComesTrue(Record):
    """An event that happens."""

    event: str
    start: date
    """First day."""
    factor: Number | None = None
    """Factor of a price or a demand."""
    lasts: Number | None = None
    """Duration in months. None to the end of the plan."""
    title: str = ""


class ShortOf(Record):
    """Kilograms of a material short over the plan."""

    material: str
    kilograms: Number


class ScenarioOutcome(Record):
    """Result of a scenario under the recommended plan, for the whole case, including priced shortage."""

    name: str
    events: tuple[ComesTrue, ...]
    probability: Number
    objective: Number
    """Discounted money, with penalties for shortage and violated limits."""
    spent: Number | None = None
    """Present value of the money alone. None in older answers."""
    as_it_is: Number | None
    """Objective if the plan that ignores events is followed until the date. None if it can't be followed or wasn't computed in time."""
    known: Number | None
    """Objective if the events were known from the start. None if it wasn't computed in time."""
    short: tuple[ShortOf, ...]
    """Shortages beyond those of the plan as it is without events."""


class BeforeTheDay(Record):
    """A decision before the date."""

    offer: str
    material: str
    kilograms: Number
    """Kilograms that this plan orders before the date."""
    today: Number
    """Kilograms in the plan that ignores events."""


class HeldBefore(Record):
    """Kilograms of a material in stock or on order when the events become known."""

    material: str
    kilograms: Number
    today: Number
    """Kilograms in the plan that ignores events."""


class Decision(Record):
    """A column of the first stage, by its subject."""

    about: str
    value: float


class FrontierPoint(Record):
    """A plan between the lowest expected cost and the lowest CVaR."""

    weight: Number
    """Weight of CVaR."""
    expected: Number
    cvar: Number
    objectives: tuple[Number, ...]
    """Objective of every scenario, in order."""
    decisions: tuple[Decision, ...]


class SampleGap(Record):
    """Quality of the plan of a sample, by independent samples."""

    batches: int
    size: int
    """Draws per sample."""
    estimate: Number
    """Mean cost of the plan above the best plan of each batch. It usually exceeds the true gap."""
    most: Number
    """Upper bound on the gap with a confidence of 95 %."""


class Risk(QuestionResult):
    """Decisions before events are known."""

    TABLES: ClassVar[tuple[str, ...]] = ("scenarios", "before", "held", "frontier")

    case: str
    currency: str
    day: date
    """Date from which the events are known."""
    alpha: Number
    weight: Number
    seed: str
    """Seed of the sample. Empty if these are all scenarios."""
    draws: int = 0
    """Draws of the sample."""
    expected: Number
    """Expected cost, penalties included."""
    cvar: Number
    """Mean cost of the worst `1 - alpha` of cases."""
    minimised: Number
    bound: Number
    """Lower bound on the objective."""
    expected_money: Number
    """Expected present value of the money spent, without penalties."""
    nothing: Number
    """Cost of the plan without events, penalties included."""
    nothing_money: Number | None = None
    """Present value of the money in it. None in older answers."""
    today: Number
    """Cost of the plan as it is without events, penalties included."""
    today_money: Number | None = None
    """Present value of the money in it."""
    vss: Number | None
    """Expected saving from planning for the events, relative to following the plan as it is until the date. None if that can't be followed, or wasn't
    computed in time.
    """
    evpi: Number | None
    """Value of knowing the events from the start. None if it wasn't computed in time."""
    today_short: tuple[ShortOf, ...]
    """Shortages of the plan as it is without events."""
    expected_short: tuple[ShortOf, ...]
    """Expected kilograms short."""
    any_short: Number
    """Probability of any shortage."""
    more_short: Number
    """Probability of more shortage than in the plan as it is without events."""
    scenarios: tuple[ScenarioOutcome, ...]
    """Scenarios in the order of enumeration: those with fewer events first."""
    before: tuple[BeforeTheDay, ...]
    """Offers with more or less on order before the date than in the plan as it is, those with the largest difference first."""
    held: tuple[HeldBefore, ...]
    onboarded: tuple[str, ...]
    frontier: tuple[FrontierPoint, ...] = ()
    gap: SampleGap | None = None
    """Quality of a sample's plan. None without a sample."""
    decisions: tuple[Decision, ...] = ()
    """All decisions before the date, from which the rest can be recomputed."""
    unsaid: tuple[str, ...] = ()
    """For events that cut a place on the way: offers that cross a border by an unknown way, which are assumed to remain available."""
    evaluated: int = 0
    """Plans of a saved answer that were recomputed and confirmed."""


EXPECTED = RiskMeasure()
_NONE = Decimal(0)
LAST_SECONDS = 1.0
"""Seconds for the plan as it is, if time ended before any plan was found. A tenth of the time if that is longer."""


@dataclass(frozen=True, slots=True)
class CarriedPart:
    """A part of the case under a plan, verified."""

    verified: VerifiedPlan
    ready: Decimal
    """Cost of onboarded offers without purchases."""

    @property
    def objective(self) -> Decimal:
        """Total cost."""
        return exact(self.verified.cost.objective + self.ready)

    @property
    def money(self) -> Decimal:
        """Total cost without priced shortage."""
        return exact(self.verified.cost.total + self.ready)


class RiskSearch:
    """A case with its events, to plan under several measures."""

    def __init__(
        self,
        session: Session,
        events: Sequence[Event],
        scenarios: Sequence[RiskScenario],
        day: date,
        counted: Counted,
        batches: Sequence[Sequence[RiskScenario]] = (),
    ) -> None:
        """Lay out all scenarios. `batches` are samples that estimate the quality of a sample's plan."""
        self.session, self.scenarios, self.counted, self.batches = session, scenarios, counted, batches
        others = [one for batch in batches for one in batch]
        self.unsaid = unsaid(session.problem, (event.lose for event in events))
        self.staged: StagedCase = staged(session, events, scenarios, day, others)
        self.program = replace(self.staged.program, branches=self.staged.branches(scenarios))
        """Two-stage program with all second stages, including those of batches."""
        self.day = day
        self.solver = solver_within(session.limits, session.cancel, session.answers)
        self.slack = session.problem.case.resolution * session.problem.case.horizon.count

    @property
    def chances(self) -> Floats:
        """Probabilities of the scenarios."""
        return self.program.probabilities

    @cached_property
    def rest(self) -> Decimal:
        """Objective of the parts of the case that no event affects."""
        touched = {id(part): self._as_planned(part) for part in self.staged.parts}
        return exact(self.session.verified.cost.objective - sum((o for o, _ in touched.values()), _NONE))

    @cached_property
    def rest_money(self) -> Decimal:
        """Their objective without priced shortage."""
        return exact(self.session.verified.cost.total - sum((self._as_planned(p)[1] for p in self.staged.parts), _NONE))

    def _as_planned(self, part: RiskPart) -> tuple[Decimal, Decimal]:
        cost = self.session.part_plan(part.members, part.rules).verified.cost
        return cost.objective, cost.total

    def best(self, measure: RiskMeasure) -> RecourseAnswer:
        """Return the best decisions under a measure.

        Raises:
            InputError: If rules conflict in some scenario with any decisions.
            OutOfTimeError: If no plan is found in time.
        """
        self.counted.questions += 1
        asked, limits = self.program.only(self._asked), self.session.limits
        watch = Watch(limits.left(), self.session.cancel)  # what is left then tells what follows
        found = solve_recourse(asked, measure, self.solver, limits.gap, watch.stopped)
        if found is None or not np.isfinite(found.costs).all():
            found = self._as_it_is_in_all(asked, measure)
        if found is None or not np.isfinite(found.costs).all():
            self._refuse_conflicts()
            raise OutOfTimeError.ended("before a plan was found", self.session.canceled)
        if not np.isfinite(found.bound):
            raise OutOfTimeError.ended("before a bound was found", self.session.canceled)
        seconds = [np.empty(0)] * len(self.program.stages)
        for number, values in zip(self._needed, found.seconds, strict=True):
            seconds[number] = values
        return replace(found, seconds=tuple(seconds), costs=found.costs[: len(self.program.branches)])

    def _as_it_is_in_all(self, asked: RecourseProgram, measure: RiskMeasure) -> RecourseAnswer | None:
        """Return the plan as it is, followed in every scenario, or the result of a first step from it, if time ended before any plan was found."""
        limits, session = self.session.limits, self.session
        if not session.stopped or limits.seconds is None:
            return None
        least = replace(limits, until=None, seconds=max(LAST_SECONDS, MIN_SEARCH_SHARE * limits.seconds))
        solver = solver_within(least, session.cancel, session.answers)
        found = self._if_nothing_happens(solver)
        return None if found is None else followed(asked, measure, found.x, solver, limits.gap)

    def _if_nothing_happens(self, solver: Solver) -> RecourseAnswer | None:
        """Return the plan that ignores events. None if not found."""
        nothing = tuple(part.numbers[0] for part in self.staged.parts)
        return solve_recourse(self.program.only([ScenarioBranch(1.0, nothing)]), EXPECTED, solver)

    @cached_property
    def _asked(self) -> list[ScenarioBranch]:
        """All scenarios, then the one without events. Its probability is zero if it isn't a scenario, or is one already."""
        nothing = ScenarioBranch(0.0, tuple(part.numbers[0] for part in self.staged.parts))
        return [*self.program.branches, nothing]

    @cached_property
    def _needed(self) -> list[int]:
        """Second stages of the scenarios, and that without events."""
        return sorted({stage for branch in self._asked for stage in branch.stages})

    def gap(self, answer: RecourseAnswer, measure: RiskMeasure) -> GapInterval | None:
        """Return the quality of a plan by the batches. None without batches, or if one of them wasn't solved in time."""
        if not self.batches or self.session.stopped:
            return None
        return gap_interval(answer.x, [self.staged.of(one) for one in self.batches], measure, self.solver)

    def _refuse_conflicts(self) -> None:
        if self.session.stopped:
            return
        for scenario, cost in zip(self.scenarios, self.known, strict=True):
            if cost == np.inf:
                raise InputError(
                    f"rules conflict where this comes: {scenario.name}",
                    fix="see what conflicts with `friendshore plan --change`",
                )

    @cached_property
    def known(self) -> Floats:
        """Objective of every scenario if known from the start, without the parts of the case that no event affects. Infinite if there is
        no plan, and NaN if none was found in time.
        """
        costs = np.full(len(self.program.stages), np.inf)
        for part in self.staged.parts:
            for number, stage in zip(part.numbers, part.stages, strict=True):
                if number in self._needed:
                    found = answered(stage.program.linear, self.solver)
                    none = np.inf if found.outcome is SolverOutcome.INFEASIBLE else np.nan
                    costs[number] = none if found.x is None else found.objective
        return self.program.costs(costs)

    @cached_property
    def as_it_is(self) -> RecourseAnswer | None:
        """Plan that ignores events, with the decisions after events. None if not found."""
        found = self._if_nothing_happens(self.solver)
        return None if found is None else self.following(found.x)

    def following(self, x: Floats) -> RecourseAnswer:
        """Return the decisions after given first decisions. A second stage that can't follow them has no values and an infinite cost."""
        asked = self.program.only(self._asked)
        seconds = [
            np.full(len(stage.cost), np.nan) if own is None else own
            for own, stage in zip(best_seconds(asked, x, self.solver), asked.stages, strict=True)
        ]
        branches = asked.costs(stage_costs(asked, x, seconds))[: len(self.program.branches)]
        return RecourseAnswer(x, tuple(seconds), branches, float(self.chances @ branches), -np.inf)

    def carried(self, answer: RecourseAnswer) -> dict[int, CarriedPart]:
        """Return every second stage of an answer as a plan, verified by itself, with the same decisions before the date.

        Raises:
            VerificationError: If a plan fails verification, or decisions before the date differ.
        """
        found: dict[int, CarriedPart] = {}
        for part in self.staged.parts:
            for number, stage in zip(part.numbers, part.stages, strict=True):
                if number not in self._needed:
                    continue
                x = stage.values(answer.x, answer.seconds[number])
                plan = decode(stage.program, x, PlanStatus.FEASIBLE, 0.0, 0.0)
                used = {purchase.offer for purchase in plan.purchases}
                ready = exact(sum(kept_ready(stage.program, x, used).values()))
                cost = exact(float(stage.program.linear.cost @ x) + stage.program.linear.constant - float(ready))
                found[number] = CarriedPart(verify(stage.program.problem, plan.but(objective=cost, bound=cost)), ready)
                _check_routes(stage, plan)
            self._check_same_before(part, found)
        return found

    def _check_same_before(self, part: RiskPart, carried: Mapping[int, CarriedPart]) -> None:
        """Check that no order or delivery before the date anticipates events. Deliveries that a scenario prevents may be missing in it."""
        period = self.staged.period
        base = _order_quantities(carried[part.numbers[0]].verified, period)
        served = _deliveries(carried[part.numbers[0]].verified, period)
        wrong = []
        for number, stage in zip(part.numbers[1:], part.stages[1:], strict=True):
            if number not in carried:
                continue
            orders = _order_quantities(carried[number].verified, period)
            for key in sorted(base.keys() | orders.keys()):
                here, there = orders.get(key, _NONE), base.get(key, _NONE)
                cancelled = here < there and key[-1] >= period
                if abs(here - there) > self.slack and not cancelled:
                    wrong.append(_otherwise(f"of `{key[0]}` other kilograms are ordered", stage.happened, here, there))
            own = _deliveries(carried[number].verified, period)
            for name in sorted(served.keys() | own.keys()):
                here, there = own.get(name, _NONE), served.get(name, _NONE)
                if abs(here - there) > self.slack:
                    wrong.append(_otherwise(f"`{name[0]}` gets other kilograms", stage.happened, here, there))
        if wrong:
            raise VerificationError(wrong)

    def decided(self, decisions: Sequence[Decision]) -> Floats:
        """Return recorded decisions as values of the first stage. Others are zero.

        Raises:
            InputError: For decisions that are unknown or duplicated.
        """
        places = {told(key): place for place, key in enumerate(self.staged.keys)}
        x = np.zeros(len(places))
        wrong = []
        twice = {name for name, times in Counter(one.about for one in decisions).items() if times > 1}
        for one in decisions:
            if one.about in twice:
                wrong.append(Diagnostic("a decision is told twice", found=one.about, expected="one value of each"))
            elif one.about in places:
                x[places[one.about]] = one.value
            else:
                wrong.append(Diagnostic("the case knows no such decision", found=one.about, expected="one of the plan"))
        if wrong:
            raise InputError(wrong)
        return x

    def decisions(self, x: Floats) -> tuple[Decision, ...]:
        """Return all nonzero decisions before the date."""
        return tuple(
            Decision(about=told(key), value=value)
            for key, value in zip(self.staged.keys, x.tolist(), strict=True)
            if value
        )


def _check_routes(stage: PartStage, plan: Plan) -> None:
    wrong = [
        Diagnostic(
            f"of `{p.offer}` something is ordered on a route that is lost", found=f"{p.quantity} kg to {p.place}"
        )
        for moves, periods in stage.lost
        for p in plan.purchases
        if p.ordered in periods and (p.offer, p.place) in moves
    ]
    if wrong:
        raise VerificationError(wrong)


def _otherwise(what: str, happened: object, here: Decimal, there: Decimal) -> Diagnostic:
    return Diagnostic(f"before the day {what} where this comes: {happened}", found=str(here), expected=str(there))


def told(key: object) -> str:
    """Return the subject of a column as text."""
    if isinstance(key, tuple):
        return f"({' '.join(told(part) for part in key)})"
    return "-" if key is None else str(key)


def _order_quantities(verified: VerifiedPlan, period: int) -> dict[tuple[str, str, str, int, int], Decimal]:
    before = (p for p in verified.plan.purchases if p.ordered < period)
    return totals(((p.offer, p.material, p.place, p.ordered, p.delivered), p.quantity) for p in before)


def _deliveries(verified: VerifiedPlan, period: int) -> dict[tuple[str, int], Decimal]:
    before = (d for d in verified.plan.deliveries if d.period < period)
    return totals(((d.demand, d.period), d.quantity) for d in before)


WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Weights of CVaR along the frontier."""
Short = dict[str, Decimal]
"""Kilograms by material."""


def risk_of(
    search: RiskSearch, measure: RiskMeasure, *, frontier: bool = False, seed: str = "", draws: int = 0
) -> Risk:
    """Return the answer under a measure.

    Args:
        search: The case and its events, laid out.
        measure: The objective.
        frontier: True to include plans between the lowest expected cost and the lowest CVaR.
        seed: Seed of the sample. Empty if the scenarios are complete.
        draws: Draws of the sample.

    Raises:
        InputError: If rules conflict in some scenario with any decisions.
        OutOfTimeError: If no plan is found in time.
        SolverError: If a solver fails.
        VerificationError: If a plan fails verification.
    """
    steps = 2 + (len(WEIGHTS) if frontier else 0)
    answer = search.best(measure)
    search.counted.told(1, steps)
    found = told_again(search, answer, measure, seed, draws)
    search.counted.told(2, steps)
    return found.but(frontier=_frontier(search, measure.alpha, steps)) if frontier else found


def told_again(search: RiskSearch, answer: RecourseAnswer, measure: RiskMeasure, seed: str, draws: int) -> Risk:
    """Return the answer for given decisions without the frontier.

    Raises:
        VerificationError: If a plan fails verification.
    """
    found = _Told(search, answer).answer(measure, seed, draws)
    gap = search.gap(answer, measure)
    if gap is None:
        return found
    return found.but(gap=SampleGap(batches=gap.batches, size=draws, estimate=exact(gap.gap), most=exact(gap.most)))


class _Told:
    """One plan, with its result in every scenario."""

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
        """Return the objective of the plan under a measure."""
        return exact(measure.of(np.array([float(one) for one in self.objectives]), self.search.chances))

    def cvar(self, alpha: float) -> Decimal:
        """Return the mean of the worst cases."""
        return exact(cvar_of([float(one) for one in self.objectives], self.search.chances, alpha))

    def answer(self, measure: RiskMeasure, seed: str, draws: int) -> Risk:
        """Return the answer."""
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
        """Return the objective of every scenario if the plan as it is stays in place until the date. None if impossible."""
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
        """Return the shortages of every scenario in the whole case."""
        touched = frozenset[str]().union(*(part.members for part in self.search.staged.parts))
        rest = {name: kg for name, kg in self.base.items() if name not in touched}
        found = []
        for branch in self.search.program.branches:
            own = totals(item for n in branch.stages for item in _short_of(self.carried[n].verified).items())
            found.append({**rest, **own})
        return found

    def _beyond(self, short: Mapping[str, Decimal]) -> Short:
        """Return shortages beyond those of the plan as it is."""
        more = {name: kg - self.base.get(name, _NONE) for name, kg in short.items()}
        return {name: kg for name, kg in more.items() if kg > self.slack}

    def _told_short(self, short: Mapping[str, Decimal]) -> tuple[ShortOf, ...]:
        return tuple(
            ShortOf(material=name, kilograms=exact(kg)) for name, kg in sorted(short.items()) if kg > self.slack
        )

    def _pairs(self) -> list[tuple[VerifiedPlan, VerifiedPlan]]:
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
        period, pairs = self.search.staged.period, self._pairs()
        return (
            totals(entry for here, _ in pairs for entry in read(here, period).items()),
            totals(entry for _, there in pairs for entry in read(there, period).items()),
        )

    def _onboarded(self) -> tuple[str, ...]:
        keys = zip(self.search.staged.keys, self.found.x.tolist(), strict=True)
        return tuple(sorted(str(key[2]) for key, value in keys if key[1] == "onboard" and value > 0.5))


_Table = dict[tuple[str, str], Decimal]
"""Kilograms by offer, which may be empty, and material."""
_Read = Callable[[VerifiedPlan, int], _Table]


def _orders(verified: VerifiedPlan, period: int) -> _Table:
    return totals(((p.offer, p.material), p.quantity) for p in verified.plan.purchases if p.ordered < period)


def _there(verified: VerifiedPlan, period: int) -> _Table:
    """Return kilograms in stock at the end of the previous period, or on order by then."""
    held = [(("", stock.material), stock.quantity) for stock in verified.plan.stocks if stock.period == period - 1]
    bought = verified.plan.purchases
    return totals(held + [(("", p.material), p.quantity) for p in bought if p.ordered < period <= p.delivered])


def mean(values: Sequence[Decimal], chances: Sequence[Fraction]) -> Decimal:
    """Return an expected value."""
    total = sum((Fraction(value) * chance for value, chance in zip(values, chances, strict=True)), Fraction(0))
    return as_decimal(total)


def _short_of(verified: VerifiedPlan) -> Short:
    materials = {demand.id: demand.use.material.id for demand in verified.problem.demands}
    return totals((materials[name], kg) for name, kg in verified.plan.short_by_demand.items())


def _mean_short(shorts: Sequence[Short], chances: Sequence[Fraction]) -> Short:
    names = sorted({name for short in shorts for name in short})
    return {name: mean([short.get(name, _NONE) for short in shorts], chances) for name in names}


def _frontier(search: RiskSearch, alpha: float, steps: int) -> tuple[FrontierPoint, ...]:
    """Return plans from the lowest expected cost to the lowest CVaR, each verified. Of several with equal costs, the first."""
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
    """Return True if two points cost the same, to a millionth."""
    pairs = ((one.expected, other.expected), (one.cvar, other.cvar))
    return all(abs(a - b) <= Decimal("1e-6") * max(abs(a), Decimal(1)) for a, b in pairs)
