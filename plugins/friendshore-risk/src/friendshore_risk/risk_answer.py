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
from friendshore.explain.results import QuestionCounter, QuestionResult
from friendshore.program.decode import decode
from friendshore.program.matrix import Floats
from friendshore.session import MIN_SEARCH_SHARE, Session
from friendshore.solve import SolverOutcome, Watch
from friendshore.verify import VerifiedPlan, verify

from .events import Event, RiskScenario
from .loss_program import ready_costs
from .losses import offers_with_unknown_route
from .staged_case import PartStage, RiskPart, StagedCase, stage_case
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
from .twostage.solving import best_seconds, solve_or_check, stage_costs


class ScenarioEvent(Record):
    """An event of a scenario."""

    event: str
    start: date
    factor: Number | None = None
    lasts: Number | None = None
    """Duration in months. None to the end of the plan."""
    title: str = ""


class ShortOf(Record):
    """Shortage of a material over the plan."""

    material: str
    kilograms: Number


class ScenarioOutcome(Record):
    """Result of a scenario under the recommended plan, for the whole case, including priced shortage."""

    name: str
    events: tuple[ScenarioEvent, ...]
    probability: Number
    objective: Number
    spent: Number | None = None
    """Present value of the money alone. None in older answers."""
    current_plan: Number | None
    """Objective if the plan that ignores events is followed until the date. None if it can't be followed or wasn't computed in time."""
    known_in_advance: Number | None
    """Objective if the events were known from the start. None if it wasn't computed in time."""
    short: tuple[ShortOf, ...]


class EarlyOrder(Record):
    """A decision before the date."""

    offer: str
    material: str
    kilograms: Number
    today: Number


class EarlyStock(Record):
    """Kilograms of a material in stock or on order when the events become known."""

    material: str
    kilograms: Number
    today: Number


class Decision(Record):
    """A nonzero column of the first stage."""

    about: str
    value: float


class FrontierPoint(Record):
    """A plan between the lowest expected cost and the lowest CVaR."""

    weight: Number
    expected: Number
    cvar: Number
    objectives: tuple[Number, ...]
    decisions: tuple[Decision, ...]


class SampleGap(Record):
    """Quality of the plan of a sample, by independent samples."""

    batches: int
    size: int
    estimate: Number
    """Mean cost of the plan above the best plan of each batch. It usually exceeds the true gap."""
    max: Number


class Risk(QuestionResult):
    """Decisions before events are known."""

    TABLES: ClassVar[tuple[str, ...]] = ("scenarios", "before", "held", "frontier")

    case: str
    currency: str
    day: date
    alpha: Number
    weight: Number
    seed: str
    draws: int = 0
    expected: Number
    cvar: Number
    minimized: Number
    bound: Number
    expected_money: Number
    """Expected present value of the money spent, without penalties."""
    without_events: Number
    without_events_money: Number | None = None
    """Present value of the money in it. None in older answers."""
    today: Number
    today_money: Number | None = None
    vss: Number | None
    """Expected saving from planning for the events. None if the current plan can't be followed until the date, or wasn't computed in time."""
    evpi: Number | None
    """Value of knowing the events from the start. None if it wasn't computed in time."""
    today_short: tuple[ShortOf, ...]
    expected_short: tuple[ShortOf, ...]
    any_short: Number
    more_short: Number
    scenarios: tuple[ScenarioOutcome, ...]
    """Scenarios in the order of enumeration: those with fewer events first."""
    before: tuple[EarlyOrder, ...]
    """Offers with more or less on order before the date than in the current plan, those with the largest difference first."""
    held: tuple[EarlyStock, ...]
    onboarded: tuple[str, ...]
    frontier: tuple[FrontierPoint, ...] = ()
    gap: SampleGap | None = None
    """Quality of a sample's plan. None without a sample."""
    decisions: tuple[Decision, ...] = ()
    unknown_routes: tuple[str, ...] = ()
    """For events that cut a place on the way: offers that cross a border by an unknown way, which are assumed to remain available."""
    evaluated: int = 0


EXPECTED = RiskMeasure()
_ZERO = Decimal(0)
FALLBACK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class VerifiedPart:
    """A part of the case under a plan, verified."""

    verified: VerifiedPlan
    ready: Decimal

    @property
    def objective(self) -> Decimal:
        return exact(self.verified.cost.objective + self.ready)

    @property
    def money(self) -> Decimal:
        return exact(self.verified.cost.total + self.ready)


class RiskSearch:
    """A case with its events, to plan under several measures."""

    def __init__(
        self,
        session: Session,
        events: Sequence[Event],
        scenarios: Sequence[RiskScenario],
        day: date,
        counted: QuestionCounter,
        batches: Sequence[Sequence[RiskScenario]] = (),
    ) -> None:
        self.session, self.scenarios, self.counted, self.batches = session, scenarios, counted, batches
        batch_scenarios = [scenario for batch in batches for scenario in batch]
        self.unsaid = offers_with_unknown_route(session.problem, (event.lose for event in events))
        self.staged: StagedCase = stage_case(session, events, scenarios, day, batch_scenarios)
        self.program = replace(self.staged.program, branches=self.staged.branches(scenarios))
        self.day = day
        self.solver = solver_within(session.limits, session.cancel, session.answers)
        self.slack = session.problem.case.resolution * session.problem.case.horizon.count

    @property
    def probabilities(self) -> Floats:
        return self.program.probabilities

    @cached_property
    def unaffected_cost(self) -> Decimal:
        cost_by_part = {id(part): self._planned_cost(part) for part in self.staged.parts}
        return exact(
            self.session.verified.cost.objective - sum((objective for objective, _ in cost_by_part.values()), _ZERO)
        )

    @cached_property
    def unaffected_money(self) -> Decimal:
        return exact(
            self.session.verified.cost.total - sum((self._planned_cost(p)[1] for p in self.staged.parts), _ZERO)
        )

    def _planned_cost(self, part: RiskPart) -> tuple[Decimal, Decimal]:
        cost = self.session.part_plan(part.members, part.rules).verified.cost
        return cost.objective, cost.total

    def best(self, measure: RiskMeasure) -> RecourseAnswer:
        """Return the best decisions. Raises InputError if rules conflict with any decisions, and OutOfTimeError if no plan is found in time."""
        self.counted.questions += 1
        program, limits = self.program.only(self._branches_with_calm), self.session.limits
        watch = Watch(limits.next_seconds(), self.session.cancel)  # so that the remaining time is known afterward
        answer = solve_recourse(program, measure, self.solver, limits.gap, watch.stopped)
        if answer is None or not np.isfinite(answer.costs).all():
            answer = self._fallback_answer(program, measure)
        if answer is None or not np.isfinite(answer.costs).all():
            self._refuse_conflicts()
            raise OutOfTimeError.ended("before a plan was found", self.session.canceled)
        if not np.isfinite(answer.bound):
            raise OutOfTimeError.ended("before a bound was found", self.session.canceled)
        seconds = [np.empty(0)] * len(self.program.stages)
        for number, values in zip(self._needed_stages, answer.seconds, strict=True):
            seconds[number] = values
        return replace(answer, seconds=tuple(seconds), costs=answer.costs[: len(self.program.branches)])

    def _fallback_answer(self, program: RecourseProgram, measure: RiskMeasure) -> RecourseAnswer | None:
        """Return the current plan followed in every scenario, or the result of a first step from it, if time ended before any plan was found."""
        limits, session = self.session.limits, self.session
        if not session.stopped or limits.seconds is None:
            return None
        last_limits = replace(limits, until=None, seconds=max(FALLBACK_SECONDS, MIN_SEARCH_SHARE * limits.seconds))
        solver = solver_within(last_limits, session.cancel, session.answers)
        calm_answer = self._calm_answer(solver)
        return None if calm_answer is None else followed(program, measure, calm_answer.x, solver, limits.gap)

    def _calm_answer(self, solver: Solver) -> RecourseAnswer | None:
        calm_stages = tuple(part.numbers[0] for part in self.staged.parts)
        return solve_recourse(self.program.only([ScenarioBranch(1.0, calm_stages)]), EXPECTED, solver)

    @cached_property
    def _branches_with_calm(self) -> list[ScenarioBranch]:
        calm_branch = ScenarioBranch(0.0, tuple(part.numbers[0] for part in self.staged.parts))
        return [*self.program.branches, calm_branch]

    @cached_property
    def _needed_stages(self) -> list[int]:
        return sorted({stage for branch in self._branches_with_calm for stage in branch.stages})

    def gap(self, answer: RecourseAnswer, measure: RiskMeasure) -> GapInterval | None:
        """Return the quality of a plan by the batches. None without batches, or if one of them wasn't solved in time."""
        if not self.batches or self.session.stopped:
            return None
        return gap_interval(answer.x, [self.staged.of(batch) for batch in self.batches], measure, self.solver)

    def _refuse_conflicts(self) -> None:
        if self.session.stopped:
            return
        for scenario, cost in zip(self.scenarios, self.known, strict=True):
            if cost == np.inf:
                raise InputError(
                    f"rules conflict in the scenario `{scenario.name}`",
                    fix="run `friendshore plan` with `--change` for each of its events to see the conflict",
                    code="FS763",
                )

    @cached_property
    def known(self) -> Floats:
        """Objective of every scenario if known from the start, without unaffected parts. Infinite if there is no plan, NaN if not found in time."""
        costs = np.full(len(self.program.stages), np.inf)
        for part in self.staged.parts:
            for number, stage in zip(part.numbers, part.stages, strict=True):
                if number in self._needed_stages:
                    stage_answer = solve_or_check(stage.program.linear, self.solver)
                    cost_without_plan = np.inf if stage_answer.outcome is SolverOutcome.INFEASIBLE else np.nan
                    costs[number] = cost_without_plan if stage_answer.x is None else stage_answer.objective
        return self.program.costs(costs)

    @cached_property
    def as_it_is(self) -> RecourseAnswer | None:
        """Plan that ignores events, with the decisions after events. None if not found."""
        calm_answer = self._calm_answer(self.solver)
        return None if calm_answer is None else self.follow(calm_answer.x)

    def follow(self, x: Floats) -> RecourseAnswer:
        """Return the responses to first-stage decisions. A second stage that can't follow them has no values and an infinite cost."""
        program = self.program.only(self._branches_with_calm)
        seconds = [
            np.full(len(stage.cost), np.nan) if values is None else values
            for values, stage in zip(best_seconds(program, x, self.solver), program.stages, strict=True)
        ]
        branches = program.costs(stage_costs(program, x, seconds))[: len(self.program.branches)]
        return RecourseAnswer(x, tuple(seconds), branches, float(self.probabilities @ branches), -np.inf)

    def verified_stages(self, answer: RecourseAnswer) -> dict[int, VerifiedPart]:
        """Return every second stage of an answer as a plan, verified by itself, with the same decisions before the date."""
        part_by_stage: dict[int, VerifiedPart] = {}
        for part in self.staged.parts:
            for number, stage in zip(part.numbers, part.stages, strict=True):
                if number not in self._needed_stages:
                    continue
                x = stage.values(answer.x, answer.seconds[number])
                plan = decode(stage.program, x, PlanStatus.FEASIBLE, 0.0, 0.0)
                used_offers = {purchase.offer for purchase in plan.purchases}
                ready_cost = exact(sum(ready_costs(stage.program, x, used_offers).values()))
                cost = exact(float(stage.program.linear.cost @ x) + stage.program.linear.constant - float(ready_cost))
                part_by_stage[number] = VerifiedPart(
                    verify(stage.program.problem, plan.but(objective=cost, bound=cost)), ready_cost
                )
                _check_routes(stage, plan)
            self._check_same_before(part, part_by_stage)
        return part_by_stage

    def _check_same_before(self, part: RiskPart, carried: Mapping[int, VerifiedPart]) -> None:
        """Check that no order or delivery before the date anticipates events. Deliveries that a scenario prevents may be missing in it."""
        period = self.staged.period
        base_orders = _order_quantities(carried[part.numbers[0]].verified, period)
        base_deliveries = _deliveries(carried[part.numbers[0]].verified, period)
        problems = []
        for number, stage in zip(part.numbers[1:], part.stages[1:], strict=True):
            if number not in carried:
                continue
            orders = _order_quantities(carried[number].verified, period)
            for key in sorted(base_orders.keys() | orders.keys()):
                quantity, base_quantity = orders.get(key, _ZERO), base_orders.get(key, _ZERO)
                is_canceled = quantity < base_quantity and key[-1] >= period
                if abs(quantity - base_quantity) > self.slack and not is_canceled:
                    problems.append(
                        _anticipation_problem(f"the orders from `{key[0]}`", stage.event_key, quantity, base_quantity)
                    )
            deliveries = _deliveries(carried[number].verified, period)
            for delivery_key in sorted(base_deliveries.keys() | deliveries.keys()):
                quantity, base_quantity = deliveries.get(delivery_key, _ZERO), base_deliveries.get(delivery_key, _ZERO)
                if abs(quantity - base_quantity) > self.slack:
                    problems.append(
                        _anticipation_problem(
                            f"the deliveries for `{delivery_key[0]}`", stage.event_key, quantity, base_quantity
                        )
                    )
        if problems:
            raise VerificationError(problems)

    def first_stage_values(self, decisions: Sequence[Decision]) -> Floats:
        """Return recorded decisions as values of the first stage. Others are zero. Raises InputError for decisions that are unknown or duplicated."""
        position_by_key = {key_text(key): position for position, key in enumerate(self.staged.keys)}
        x = np.zeros(len(position_by_key))
        problems = []
        duplicates = {name for name, count in Counter(decision.about for decision in decisions).items() if count > 1}
        for decision in decisions:
            if decision.about in duplicates:
                problems.append(
                    Diagnostic(
                        "a decision is listed twice",
                        found=decision.about,
                        expected="one value for each decision",
                        code="FS984",
                    )
                )
            elif decision.about in position_by_key:
                x[position_by_key[decision.about]] = decision.value
            else:
                problems.append(
                    Diagnostic(
                        "the case doesn't have this decision",
                        found=decision.about,
                        expected="a decision of the plan",
                        code="FS984",
                    )
                )
        if problems:
            raise InputError(problems)
        return x

    def decisions(self, x: Floats) -> tuple[Decision, ...]:
        return tuple(
            Decision(about=key_text(key), value=value)
            for key, value in zip(self.staged.keys, x.tolist(), strict=True)
            if value
        )


def _check_routes(stage: PartStage, plan: Plan) -> None:
    problems = [
        Diagnostic(
            f"the plan orders from `{purchase.offer}` on a lost route",
            found=f"{purchase.quantity} kg to {purchase.place}",
            code="FS985",
        )
        for moves, periods in stage.lost_moves
        for purchase in plan.purchases
        if purchase.ordered in periods and (purchase.offer, purchase.place) in moves
    ]
    if problems:
        raise VerificationError(problems)


def _anticipation_problem(subject: str, happened: object, here: Decimal, there: Decimal) -> Diagnostic:
    message = f"{subject} differ before the date in the scenario {happened}"
    return Diagnostic(message, found=str(here), expected=str(there), code="FS985")


def key_text(key: object) -> str:
    if isinstance(key, tuple):
        return f"({' '.join(key_text(part) for part in key)})"
    return "-" if key is None else str(key)


def _order_quantities(verified: VerifiedPlan, period: int) -> dict[tuple[str, str, str, int, int], Decimal]:
    before = (p for p in verified.plan.purchases if p.ordered < period)
    return totals(((p.offer, p.material, p.place, p.ordered, p.delivered), p.quantity) for p in before)


def _deliveries(verified: VerifiedPlan, period: int) -> dict[tuple[str, int], Decimal]:
    before = (d for d in verified.plan.deliveries if d.period < period)
    return totals(((d.demand, d.period), d.quantity) for d in before)


WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
Short = dict[str, Decimal]


def risk_of(
    search: RiskSearch, measure: RiskMeasure, *, frontier: bool = False, seed: str = "", draws: int = 0
) -> Risk:
    """Return the answer under a measure. Raises the errors of `RiskSearch.best`, and VerificationError if a plan fails verification."""
    steps = 2 + (len(WEIGHTS) if frontier else 0)
    answer = search.best(measure)
    search.counted.report_progress(1, steps)
    result = recompute_answer(search, answer, measure, seed, draws)
    search.counted.report_progress(2, steps)
    return result.but(frontier=_frontier(search, measure.alpha, steps)) if frontier else result


def recompute_answer(search: RiskSearch, answer: RecourseAnswer, measure: RiskMeasure, seed: str, draws: int) -> Risk:
    result = _AnswerBuilder(search, answer).answer(measure, seed, draws)
    interval = search.gap(answer, measure)
    if interval is None:
        return result
    return result.but(
        gap=SampleGap(batches=interval.batches, size=draws, estimate=exact(interval.gap), max=exact(interval.most))
    )


class _AnswerBuilder:
    def __init__(self, search: RiskSearch, answer: RecourseAnswer) -> None:
        self.search, self.search_answer = search, answer
        self.verified_stages = search.verified_stages(answer)
        self.chances = [scenario.probability for scenario in search.scenarios]
        self.objectives = self._by_scenario(
            {n: each.objective for n, each in self.verified_stages.items()}, search.unaffected_cost
        )
        self.shortage_today = _short_of(search.session.verified)
        self.slack = search.slack

    def _by_scenario(self, amount_by_stage: Mapping[int, Decimal], rest: Decimal) -> list[Decimal]:
        branches = self.search.program.branches
        return [exact(sum((amount_by_stage[n] for n in branch.stages), rest)) for branch in branches]

    @property
    def expected(self) -> Decimal:
        return mean(self.objectives, self.chances)

    def of(self, measure: RiskMeasure) -> Decimal:
        return exact(measure.of(np.array([float(each) for each in self.objectives]), self.search.probabilities))

    def cvar(self, alpha: float) -> Decimal:
        return exact(cvar_of([float(each) for each in self.objectives], self.search.probabilities, alpha))

    def answer(self, measure: RiskMeasure, seed: str, draws: int) -> Risk:
        search, minimized = self.search, self.of(measure)
        session = search.session
        calm_parts = [self.verified_stages[part.numbers[0]] for part in search.staged.parts]
        calm_objectives = [part.objective for part in calm_parts]
        money = self._by_scenario({n: part.money for n, part in self.verified_stages.items()}, search.unaffected_money)
        current_costs = self._current_costs()
        finite_costs = [cost for cost in current_costs if cost is not None]
        informed_costs = [
            exact(float(cost)) + search.unaffected_cost if np.isfinite(cost) else None for cost in search.known
        ]
        finite_informed_costs = [cost for cost in informed_costs if cost is not None]
        shortage_by_scenario = self._shortages_by_scenario()
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
            minimized=minimized,
            bound=min(exact(self.search_answer.bound + float(search.unaffected_cost)), minimized),
            expected_money=mean(money, self.chances),
            without_events=exact(sum(calm_objectives, search.unaffected_cost)),
            without_events_money=exact(sum((part.money for part in calm_parts), search.unaffected_money)),
            today=session.verified.cost.objective,
            today_money=session.verified.cost.total,
            vss=exact(mean(finite_costs, self.chances) - self.expected)
            if len(finite_costs) == len(current_costs)
            else None,
            evpi=exact(self.expected - mean(finite_informed_costs, self.chances))
            if len(finite_informed_costs) == len(informed_costs)
            else None,
            today_short=self._shortage_records(self.shortage_today),
            expected_short=self._shortage_records(_mean_short(shortage_by_scenario, self.chances)),
            any_short=self._chance([any(kg > self.slack for kg in short.values()) for short in shortage_by_scenario]),
            more_short=self._chance([bool(self._beyond(short)) for short in shortage_by_scenario]),
            scenarios=self._scenarios(money, current_costs, informed_costs, shortage_by_scenario),
            names=names_of(session.problem, [facts.offer.id for facts in session.problem.offers]),
            before=self._early_orders(),
            held=self._early_stock(),
            onboarded=self._onboarded(),
            unknown_routes=search.unsaid,
            decisions=search.decisions(self.search_answer.x),
        )

    def _chance(self, comes: Sequence[bool]) -> Decimal:
        return as_decimal(sum((c for c, true in zip(self.chances, comes, strict=True) if true), Fraction(0)))

    def _current_costs(self) -> list[Decimal | None]:
        """Return the objective of every scenario if the current plan stays in place until the date. None if impossible."""
        as_it_is = self.search.as_it_is
        if as_it_is is None:
            return [None] * len(self.objectives)
        return [exact(float(c)) + self.search.unaffected_cost if np.isfinite(c) else None for c in as_it_is.costs]

    def _scenarios(
        self,
        money: Sequence[Decimal],
        current_costs: Sequence[Decimal | None],
        informed_costs: Sequence[Decimal | None],
        shortage_by_scenario: Sequence[Short],
    ) -> tuple[ScenarioOutcome, ...]:
        lines = zip(
            self.search.scenarios,
            self.objectives,
            money,
            current_costs,
            informed_costs,
            shortage_by_scenario,
            strict=True,
        )
        return tuple(
            ScenarioOutcome(
                name=scenario.name,
                events=tuple(
                    ScenarioEvent(
                        event=event.event.name,
                        start=event.start,
                        factor=event.factor,
                        lasts=event.lasts,
                        title=event.event.title,
                    )
                    for event in scenario.events
                ),
                probability=as_decimal(scenario.probability),
                objective=objective,
                spent=spent,
                current_plan=as_it_is,
                known_in_advance=None if informed_cost is None else exact(informed_cost),
                short=self._shortage_records(self._beyond(short)),
            )
            for scenario, objective, spent, as_it_is, informed_cost, short in lines
        )

    def _shortages_by_scenario(self) -> list[Short]:
        affected_materials = frozenset[str]().union(*(part.members for part in self.search.staged.parts))
        unaffected = {name: kg for name, kg in self.shortage_today.items() if name not in affected_materials}
        shortages = []
        for branch in self.search.program.branches:
            shortage = totals(
                item for n in branch.stages for item in _short_of(self.verified_stages[n].verified).items()
            )
            shortages.append({**unaffected, **shortage})
        return shortages

    def _beyond(self, short: Mapping[str, Decimal]) -> Short:
        increase = {name: kg - self.shortage_today.get(name, _ZERO) for name, kg in short.items()}
        return {name: kg for name, kg in increase.items() if kg > self.slack}

    def _shortage_records(self, short: Mapping[str, Decimal]) -> tuple[ShortOf, ...]:
        return tuple(
            ShortOf(material=name, kilograms=exact(kg)) for name, kg in sorted(short.items()) if kg > self.slack
        )

    def _pairs(self) -> list[tuple[VerifiedPlan, VerifiedPlan]]:
        parts = self.search.staged.parts
        current_plans = [self.search.session.part_plan(part.members, part.rules).verified for part in parts]
        return [
            (self.verified_stages[part.numbers[0]].verified, current_plan)
            for part, current_plan in zip(parts, current_plans, strict=True)
        ]

    def _early_orders(self) -> tuple[EarlyOrder, ...]:
        planned, current = self._planned_and_current(_orders)
        orders = [
            EarlyOrder(
                offer=offer,
                material=name,
                kilograms=planned.get((offer, name), _ZERO),
                today=current.get((offer, name), _ZERO),
            )
            for offer, name in sorted(planned.keys() | current.keys())
        ]
        changed_orders = [order for order in orders if abs(order.kilograms - order.today) > self.slack]
        return tuple(
            sorted(changed_orders, key=lambda order: (-abs(order.kilograms - order.today), order.offer, order.material))
        )

    def _early_stock(self) -> tuple[EarlyStock, ...]:
        planned, current = self._planned_and_current(_stock_and_orders)
        stocks = [
            EarlyStock(material=name, kilograms=planned.get(("", name), _ZERO), today=current.get(("", name), _ZERO))
            for _, name in sorted(planned.keys() | current.keys())
        ]
        changed_stocks = [stock for stock in stocks if abs(stock.kilograms - stock.today) > self.slack]
        return tuple(sorted(changed_stocks, key=lambda stock: (-abs(stock.kilograms - stock.today), stock.material)))

    def _planned_and_current(self, read: _Read) -> tuple[_Table, _Table]:
        period, pairs = self.search.staged.period, self._pairs()
        return (
            totals(entry for verified, _ in pairs for entry in read(verified, period).items()),
            totals(entry for _, current in pairs for entry in read(current, period).items()),
        )

    def _onboarded(self) -> tuple[str, ...]:
        keys = zip(self.search.staged.keys, self.search_answer.x.tolist(), strict=True)
        return tuple(sorted(str(key[2]) for key, value in keys if key[1] == "onboard" and value > 0.5))


_Table = dict[tuple[str, str], Decimal]
_Read = Callable[[VerifiedPlan, int], _Table]


def _orders(verified: VerifiedPlan, period: int) -> _Table:
    return totals(
        ((purchase.offer, purchase.material), purchase.quantity)
        for purchase in verified.plan.purchases
        if purchase.ordered < period
    )


def _stock_and_orders(verified: VerifiedPlan, period: int) -> _Table:
    stock_entries = [
        (("", stock.material), stock.quantity) for stock in verified.plan.stocks if stock.period == period - 1
    ]
    purchases = verified.plan.purchases
    return totals(
        stock_entries
        + [
            (("", purchase.material), purchase.quantity)
            for purchase in purchases
            if purchase.ordered < period <= purchase.delivered
        ]
    )


def mean(values: Sequence[Decimal], chances: Sequence[Fraction]) -> Decimal:
    total = sum((Fraction(value) * chance for value, chance in zip(values, chances, strict=True)), Fraction(0))
    return as_decimal(total)


def _short_of(verified: VerifiedPlan) -> Short:
    materials = {demand.id: demand.use.material.id for demand in verified.problem.demands}
    return totals((materials[name], kg) for name, kg in verified.plan.short_by_demand.items())


def _mean_short(shorts: Sequence[Short], chances: Sequence[Fraction]) -> Short:
    names = sorted({name for short in shorts for name in short})
    return {name: mean([short.get(name, _ZERO) for short in shorts], chances) for name in names}


def _frontier(search: RiskSearch, alpha: float, steps: int) -> tuple[FrontierPoint, ...]:
    """Return plans from the lowest expected cost to the lowest CVaR, each verified. Of several with equal costs, the first."""
    points: list[FrontierPoint] = []
    for index, weight in enumerate(WEIGHTS):
        search.session.raise_if_stopped(index, len(WEIGHTS), "plans of the frontier")
        answer = search.best(RiskMeasure(weight, alpha))
        builder = _AnswerBuilder(search, answer)
        point = FrontierPoint(
            weight=exact(weight),
            expected=builder.expected,
            cvar=builder.cvar(alpha),
            objectives=tuple(builder.objectives),
            decisions=search.decisions(answer.x),
        )
        if not any(_cost_the_same(point, other) for other in points):
            points.append(point)
        search.counted.report_progress(3 + index, steps)
    return tuple(points)


def _cost_the_same(first: FrontierPoint, second: FrontierPoint) -> bool:
    pairs = ((first.expected, second.expected), (first.cvar, second.cvar))
    return all(abs(a - b) <= Decimal("1e-6") * max(abs(a), Decimal(1)) for a, b in pairs)
