"""The answer to `stress`: the cost of each loss, and the cheapest plan from which every loss can be met."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import ClassVar

import numpy as np

from friendshore.domain.base import Number, Record, exact, totals
from friendshore.domain.change import Change
from friendshore.domain.plan import Plan, PlanStatus
from friendshore.domain.time import Horizon, add_months
from friendshore.errors import InputError, VerificationError
from friendshore.explain.results import (
    Difference,
    Effort,
    QuestionCounter,
    QuestionResult,
    between,
    difference,
    names_of,
    short_more,
)
from friendshore.problem.demands import round_to
from friendshore.problem.parts import Members
from friendshore.program import Program
from friendshore.program.decode import decode
from friendshore.program.matrix import Floats, Ints, Linear
from friendshore.recommend import PlanSource, session_of
from friendshore.session import Answer, Session
from friendshore.session.decided import first_foreseen_day, keep_decisions
from friendshore.solve import Progress, Solution, SolverAnswer, SolverOutcome, optimum, split
from friendshore.verify import VerifiedPlan, examine, verify

from .loss_program import TwoStage, closed_columns, early_columns, ready_costs, with_shortage_bounds
from .losses import KINDS, Loss, LossKind, losses


class Shortfall(Record):
    """Change of the shortage of a material relative to the current plan."""

    material: str
    kilograms: Number
    """Over the plan and all its demands. Negative if it falls."""


class LossResult(Record):
    """The plan after one loss."""

    loss: Loss
    rise: Difference
    cash: Number
    """Rise of the cash spent. Negative if unavailable goods aren't paid for."""
    spent: Number
    shortage: Number
    penalties: Number = Decimal(0)
    short: tuple[Shortfall, ...]
    conflict: tuple[str, ...] = ()
    """Rules that conflict after the loss. Their part then isn't planned, and `rise` covers the rest."""
    beyond_sum: Number | None = None
    """For two countries together, the rise beyond the sum of both alone. None for one, or if unknown."""
    tied: bool = False


class Stress(QuestionResult):
    """The plan without each dependency, the most expensive loss first."""

    TABLES: ClassVar[tuple[str, ...]] = ("losses", "pairs")
    DOCUMENT_FUNCTION: ClassVar[str] = "friendshore_risk.stress:stress_document"

    currency: str
    start: date
    """First day from which lost offers take no orders. Earlier orders still arrive."""
    objective: Number
    cash: Number = Decimal(0)
    all_suppliers: bool
    """True if all possible suppliers were removed in turn. False if only those with purchases in the plan."""
    losses: tuple[LossResult, ...]
    pairs: tuple[LossResult, ...]
    not_tried: int
    decided_before: date | None = None
    """Orders before this day stay as they are after each loss. None if everything is replanned."""
    foreseen: bool = False
    effort: Effort


def stress(
    source: PlanSource,
    *,
    kinds: Sequence[LossKind] = KINDS,
    everything: bool = False,
    pairs: bool = True,
    start: date | None = None,
    decided_before: date | None = None,
    progress: Progress | None = None,
) -> Stress:
    """Return new plans without each dependency, verified, ranked by the cost of the loss.

    The loss is known from the start. Everything is replanned, including earlier periods, except decided orders. An offer is closed in every period that
    the loss reaches, so a loss within a period counts for all of it.

    Args:
        source: A recommendation, a session, or a case.
        kinds: Kinds of losses.
        everything: Remove all possible suppliers, not only those of the plan.
        pairs: Remove also every pair of countries that the plan buys from.
        start: First day of the loss. None means `decided_before`, or the first day of the plan.
        decided_before: Orders before this day stay as they are. None if each plan knows of its loss from the start.
        progress: Called with the number of answered questions, of all questions, and seconds.

    Raises:
        InputError: If a loss begins before decisions end.
    """
    session = session_of(source)
    day = start or decided_before or session.problem.case.horizon.start
    if decided_before is not None:
        if day < decided_before:
            message, expected = "the loss begins before the day of --decided-before", f"{decided_before} or later"
            raise InputError(
                message, found=str(day), expected=expected, fix=f"use --from {decided_before}", code="FS706"
            )
        session = keep_decisions(session, decided_before)
    counted = QuestionCounter(session, progress)
    losses_to_ask = losses(session, kinds, everything=everything, pairs=pairs)
    results = []
    for number, loss in enumerate(losses_to_ask, 1):
        if session.stopped:
            break
        counted.questions += 1
        results.append(_stressed(session, loss, session.what_if(*loss.changes(day))))
        counted.report_progress(number, len(losses_to_ask))
    single_results = [result for result in results if len(result.loss.names) == 1]
    return Stress(
        currency=session.problem.case.currency,
        names=names_of(session.problem, ()),
        start=day,
        objective=session.verified.cost.objective,
        cash=session.verified.cost.nominal,
        all_suppliers=everything,
        losses=_ranked(single_results),
        pairs=_ranked([_with_beyond(result, single_results) for result in results if len(result.loss.names) > 1]),
        not_tried=len(losses_to_ask) - len(results),
        decided_before=decided_before,
        foreseen=decided_before is None and first_foreseen_day(session, [day]) is not None,
        effort=counted.effort,
    )


def _stressed(session: Session, loss: Loss, answer: Answer) -> LossResult:
    known_rules = {rule for part in session.verified.plan.infeasible for rule in part.rules}
    conflict_rules = {rule for part in answer.infeasible for rule in part.rules}
    rise = difference(answer)
    if any(
        part.plan.infeasible for part in (*answer.before, *answer.after)
    ):  # the rise covers only the other parts, so it proves nothing
        rise = rise.but(low=None, high=None, proved=False)
    return LossResult(
        loss=loss,
        rise=rise,
        cash=answer.rise_shown.nominal,
        spent=answer.rise_shown.total,
        shortage=answer.rise_shown.shortage,
        penalties=answer.rise_shown.penalties,
        short=shortfalls(session, answer),
        conflict=tuple(sorted(conflict_rules - known_rules)),
    )


def _with_beyond(pair: LossResult, single_results: Sequence[LossResult]) -> LossResult:
    rise_by_name = {word: each.rise.value for each in single_results if not each.conflict for word in _words(each.loss)}
    separate_rises = [rise_by_name.get(f"country {name}") for name in pair.loss.names]
    known_rises = [rise for rise in separate_rises if rise is not None]
    if pair.conflict or len(known_rises) < len(separate_rises):
        return pair
    return pair.but(beyond_sum=exact(pair.rise.value - sum(known_rises, Decimal(0))))


def _words(loss: Loss) -> list[str]:
    return [*(f"{kind} {loss.name}" for kind in loss.by), *loss.also]


def shortfalls(session: Session, answer: Answer) -> tuple[Shortfall, ...]:
    return tuple(Shortfall(material=name, kilograms=kg) for name, kg in short_more(session, answer).items())


def _ranked(results: Sequence[LossResult]) -> tuple[LossResult, ...]:
    """Return losses that cause conflicts of rules, then the others, the most expensive first. Losses that may swap ranks are marked."""
    ranked = sorted(results, key=lambda each: (not each.conflict, -each.rise.value, each.loss.names))
    is_tied = [_may_swap(first, second) for first, second in pairwise(ranked)]
    return tuple(
        each.but(tied=True) if has_tie else each for each, has_tie in zip(ranked, [*is_tied, False], strict=False)
    )


def _may_swap(first: LossResult, second: LossResult) -> bool:
    if first.rise.proved and second.rise.proved:
        return False
    low, high = first.rise.low, second.rise.high
    return low is None or high is None or low < high


class InsuredLoss(Record):
    """One loss under the current plan and under the insured one."""

    loss: Loss
    exposed: tuple[Shortfall, ...]
    """Smallest additional shortage if the current plan stays in place until the loss."""
    met: bool
    """True if the insured plan increases no shortage after the loss, to within one step of the resolution per period. The plan after the loss has the same
    orders before it and is verified on the facts after it.
    """
    costs: Number | None
    unmet: tuple[Shortfall, ...] = ()
    """Smallest additional shortage in kilograms with any decisions before the loss, for demand that can't be met."""
    reason: str = ""


class Ordered(Record):
    """Orders of an offer before the loss, common to all losses."""

    offer: str
    kilograms: Number
    today: Number
    new: bool


class KeptReady(Record):
    """An offer onboarded only for a possible loss."""

    offer: str
    cost: Number


class Ready(Record):
    """Stock and open orders when the loss begins."""

    material: str
    kilograms: Number
    today: Number


class StockNeeded(Record):
    """Stock of a material that would make every loss harmless by itself."""

    material: str
    kilograms: Number
    """Stock on hand at the loss, lawful for every use: the largest shortage of any one loss."""
    loss: str
    holding: Number | None
    """Yearly cost of holding it in the most expensive period. None if the case has no holding rate."""
    proved: bool
    """True if a verified new plan with it in stock has no additional shortage after any single loss."""


class Insurance(QuestionResult):
    """Cost of insurance: no single loss leaves more shortage than the current plan."""

    TABLES: ClassVar[tuple[str, ...]] = ("losses", "stock", "ordered", "ready")
    DOCUMENT_FUNCTION: ClassVar[str] = "friendshore_risk.stress:insurance_document"

    currency: str
    by: LossKind
    start: date
    """First day of the loss, which lasts to the end of the plan. The lost one is unknown before that day."""
    objective: Number
    premium: Difference
    losses: tuple[InsuredLoss, ...]
    """Losses with a shortage in the current plan or that aren't met, then all others, by name."""
    ordered: tuple[Ordered, ...]
    onboarded: tuple[KeptReady, ...]
    """Offers onboarded for a possible loss, without purchases if there is none. The premium includes their cost."""
    ready: tuple[Ready, ...]
    stock: tuple[StockNeeded, ...]
    effort: Effort


Kilograms = dict[str, Decimal]
_TOLERANCE_KG = 1e-6


@dataclass(eq=False)
class InsuredPart:
    """The columns of a part's plan that meets its losses, and of the decisions after each."""

    program: Program
    x: Floats
    today: Floats
    bound: float
    """Lower bound on the cost of plans that meet the same losses."""
    today_bound: float
    rise: tuple[float, float]
    """Lower and upper bound on its cost above that of the cheapest plan."""
    closed: Mapping[int, Ints]
    """Loss -> columns that it closes. Empty if the loss doesn't affect the part."""
    unmet: dict[int, Kilograms] = field(default_factory=dict)
    """Loss -> smallest additional shortage with any decisions before it, which can't be insured."""
    exposed: dict[int, Kilograms] = field(default_factory=dict)
    """Loss -> smallest additional shortage if the current plan stays in place until the loss."""
    not_together: set[int] = field(default_factory=set)
    conflicts: set[int] = field(default_factory=set)
    unknown: set[int] = field(default_factory=set)
    _pieces: dict[int, list[tuple[Ints, Floats]]] = field(default_factory=dict)

    def after(self, loss: int) -> Floats:
        """Return the values of all columns after a loss. They are meaningless after a loss with conflicting rules or an unknown one."""
        all_values = self.x.copy()
        for columns, values in self._pieces.get(loss, ()):
            all_values[columns] = values
        return all_values

    def keep(self, loss: int, columns: Ints, values: Floats) -> None:
        self._pieces.setdefault(loss, []).append((columns, values))


def insure_part(
    session: Session, program: Program, today: Solution, losses: Mapping[int, frozenset[str]], period: int
) -> InsuredPart | None:
    """Return the cheapest plan of a part that meets every loss that can be met. None if rules conflict today.

    Each loss removes some offers from `period` on.
    """
    if today.conflicts:
        return None
    closed = {loss: closed_columns(program, offers, period) for loss, offers in losses.items()}
    insured_part = InsuredPart(program, today.x.copy(), today.x, today.bound, today.bound, (0.0, 0.0), closed)
    bounded_program = with_shortage_bounds(program, today.x)
    shared = early_columns(program, period)
    own_rows = program.linear.entries.shape[0]
    for part in split(bounded_program):
        columns_by_loss = {loss: np.flatnonzero(np.isin(part.columns, columns)) for loss, columns in closed.items()}
        columns_by_loss = {
            loss: columns for loss, columns in columns_by_loss.items() if part.linear.upper[columns].any()
        }
        if columns_by_loss:
            rows = np.flatnonzero(part.rows >= own_rows)
            demands = (part.rows[rows] - own_rows).tolist()
            materials = [program.problem.demands[demand].use.material.id for demand in demands]
            stage = TwoStage(part.linear, shared[part.columns], rows)
            _Component(session, insured_part, stage, part.columns, materials, columns_by_loss).insure()
    return insured_part


class _Component:
    def __init__(
        self,
        session: Session,
        insured_part: InsuredPart,
        stage: TwoStage,
        columns: Ints,
        materials: Sequence[str],
        closed: Mapping[int, Ints],
    ) -> None:
        self.session, self.insured_part, self.stage = session, insured_part, stage
        self.columns, self.materials, self.closed = columns, materials, closed

    def insure(self) -> None:
        current_values = self.insured_part.today[self.columns]
        for loss, columns in self.closed.items():
            exposed_answer = self._solve(self.stage.afterwards(current_values, columns, "least"))
            _add(self.insured_part.exposed, loss, self._short(exposed_answer))
        cheapest = self._solve(self.stage.linear)
        covered = list(self.closed)
        answer = self._solve_insured(covered)
        if answer.x is None:
            covered, answer = self._largest_coverable()
        if answer.x is None or cheapest.x is None:
            self.insured_part.unknown.update(self.closed)
            return
        own_values = answer.x[: len(self.columns)]
        self.insured_part.x[self.columns] = own_values
        self.insured_part.bound += answer.bound - cheapest.bound
        low, high = self.insured_part.rise
        self.insured_part.rise = low + answer.bound - cheapest.objective, high + answer.objective - cheapest.bound
        for loss, columns in self.closed.items():
            after_answer = self._solve(
                self.stage.afterwards(own_values, columns, "bounded" if loss in covered else "priced")
            )
            if after_answer.x is not None:
                self.insured_part.keep(loss, self.columns, self.stage.completed(own_values, after_answer.x))
            elif loss in covered:
                self.insured_part.keep(loss, self.columns, self.stage.values_after(answer.x, covered.index(loss)))
            else:
                self.insured_part.conflicts.add(loss)

    def _largest_coverable(self) -> tuple[list[int], SolverAnswer]:
        """Return the losses that can be met together, with their plan. Losses that no plan can meet are left out first."""
        coverable = [loss for loss in self.closed if self._can_be_met(loss)]
        answer = self._solve_insured(coverable)
        if answer.x is not None:
            return coverable, answer
        covered: list[int] = []
        answer = self._solve_insured(covered)
        for loss in coverable:
            larger = self._solve_insured([*covered, loss])
            if larger.x is None:
                is_infeasible = larger.outcome is SolverOutcome.INFEASIBLE
                (self.insured_part.not_together if is_infeasible else self.insured_part.unknown).add(loss)
            else:
                covered, answer = [*covered, loss], larger
        return covered, answer

    def _can_be_met(self, loss: int) -> bool:
        """Return True if decisions before a loss can meet it. Otherwise store its smallest shortage."""
        answer = self._solve(self.stage.least_short(self.closed[loss]))
        if answer.outcome is SolverOutcome.INFEASIBLE:
            self.insured_part.conflicts.add(loss)
        elif answer.x is None or (answer.bound <= _TOLERANCE_KG < answer.objective):
            self.insured_part.unknown.add(loss)
        elif answer.objective > _TOLERANCE_KG:
            _add(self.insured_part.unmet, loss, self._short(answer))
        else:
            return True
        return False

    def _solve_insured(self, losses: Sequence[int]) -> SolverAnswer:
        return self._solve(self.stage.insured([self.closed[loss] for loss in losses]))

    def _short(self, answer: SolverAnswer) -> Kilograms:
        """Return the additional shortage in kilograms by material: the last columns of an elastic program."""
        kilograms_by_material: Kilograms = {}
        if answer.x is not None:
            excess_values = answer.x[len(answer.x) - len(self.materials) :].tolist()
            for material, value in zip(self.materials, excess_values, strict=True):
                if value > _TOLERANCE_KG:
                    kilograms_by_material[material] = kilograms_by_material.get(material, Decimal(0)) + exact(value)
        return kilograms_by_material

    def _solve(self, linear: Linear) -> SolverAnswer:
        return optimum(linear, self.session.limits, self.session.cancel, self.session.answers)


def _add(table: dict[int, Kilograms], loss: int, short: Kilograms) -> None:
    for material, kilograms in short.items():
        kilograms_by_material = table.setdefault(loss, {})
        kilograms_by_material[material] = kilograms_by_material.get(material, Decimal(0)) + kilograms


Touched = tuple[Program, Solution, Mapping[int, frozenset[str]]]


def first_loss(horizon: Horizon) -> date:
    """Return the default date of a loss: the first period that begins a year or more after the plan's start, or the middle if that is earlier."""
    later_periods = [period.index for period in horizon.periods if period.start >= add_months(horizon.start, 12)]
    return horizon.periods[min([*later_periods, horizon.count // 2])].start


def insurance(
    source: PlanSource,
    *,
    by: LossKind = "supplier",
    start: date | None = None,
    stock: bool = True,
    progress: Progress | None = None,
) -> Insurance:
    """Return the cheapest plan from which each loss can be met, with its cost above the cheapest plan.

    A loss is met if no demand is shorter over the plan than in the current plan. All possible suppliers may be lost, each alone, since the insured plan
    may depend on others than the current plan. By default, the loss begins on the day that `first_loss` returns.

    Raises:
        InputError: If the case ranks objectives, because a premium concerns cost alone.
        VerificationError: If a plan fails verification.
    """
    session = session_of(source)
    if session.problem.objectives:
        raise InputError("insurance doesn't support ranked objectives", column="objective", code="FS982")
    horizon = session.problem.case.horizon
    day = start or first_loss(horizon)
    period = horizon.find(day)
    if period is None:
        message = "the first day of the loss is outside the plan"
        raise InputError(message, found=str(day), expected=f"a day from {horizon.span}", code="FS705")
    return _InsuranceSearch(session, by, horizon.periods[period].start, period, progress).result(stock)


@dataclass(frozen=True, slots=True, eq=False)
class CostedPlan:
    """A plan and the cost of offers kept ready, with or without a loss."""

    verified: VerifiedPlan
    ready: Mapping[str, Decimal]

    @property
    def objective(self) -> Decimal:
        return exact(self.verified.cost.objective + sum(self.ready.values(), _ZERO))


class _InsuranceSearch:
    def __init__(self, session: Session, by: LossKind, day: date, period: int, progress: Progress | None) -> None:
        self.session, self.by, self.day, self.period = session, by, day, period
        self.counted, self.steps_done = QuestionCounter(session, progress), 0
        self.losses = losses(session, (by,), everything=True)
        self.resolution = session.problem.case.resolution
        self.slack = self.resolution * session.problem.case.horizon.count

    def result(self, stock: bool) -> Insurance:
        session, parts = self.session, self.session.parts.members
        self.steps = len(parts) + len(self.losses)
        # HiGHS blocks Ctrl-C in its own thread, so the main thread only waits.
        part_inputs = [self._touched(members) for members in parts]
        with ThreadPoolExecutor(session.limits.workers or os.cpu_count() or 1) as pool:
            insured = []
            for insured_part in pool.map(self._insured, part_inputs):
                insured.append(insured_part)
                self._step()
        verified = [None if part is None else self._verified(part) for part in insured]
        premium = self._premium(insured, verified)
        rows = [self._insured_loss(number, loss, insured, verified) for number, loss in enumerate(self.losses)]
        exposed = [row for row in rows if row.exposed or not row.met]
        harmless = [row for row in rows if not row.exposed and row.met]
        return Insurance(
            currency=session.problem.case.currency,
            names=names_of(session.problem, [facts.offer.id for facts in session.problem.offers]),
            by=self.by,
            start=self.day,
            objective=session.verified.cost.objective,
            premium=premium,
            losses=(*sorted(exposed, key=_worst_first), *harmless),
            ordered=self._ordered(verified),
            onboarded=tuple(
                KeptReady(offer=name, cost=money)
                for plan in verified
                for name, money in sorted(plan.ready.items() if plan is not None else ())
            ),
            ready=self._ready(verified),
            stock=self._stock(rows) if stock else (),
            effort=self.counted.effort,
        )

    def _step(self) -> None:
        self.steps_done += 1
        self.counted.report_progress(min(self.steps_done, self.steps), self.steps)

    def _insured(self, part: Touched) -> InsuredPart | None:
        program, today, losses = part
        return insure_part(self.session, program, today, losses, self.period)

    def _touched(self, members: Members) -> Touched:
        program, today = self.session.compiled(members)
        self.counted.questions += 1
        offers = program.problem.offers
        offers_by_loss = {
            number: frozenset(facts.offer.id for facts in offers if loss.takes(facts))
            for number, loss in enumerate(self.losses)
        }
        return program, today, {number: offers for number, offers in offers_by_loss.items() if offers}

    def _verified(self, part: InsuredPart) -> CostedPlan:
        """Return the insured plan without a loss. Its cost is the solver's, less that of offers kept ready without purchases."""
        program = part.program
        plan, idle_costs = decoded(program, part.x)
        cost = exact(
            float(program.linear.cost @ part.x) + program.linear.constant - float(sum(idle_costs.values(), _ZERO))
        )
        costed_plan = plan.but(objective=cost, bound=min(exact(part.today_bound), cost))
        return CostedPlan(verify(program.problem, costed_plan), idle_costs)

    def _premium(self, parts: Sequence[InsuredPart | None], verified: Sequence[CostedPlan | None]) -> Difference:
        value = low = high = Decimal(0)
        for members, part, plan in zip(self.session.parts.members, parts, verified, strict=True):
            if part is not None and plan is not None:
                current_cost = self.session.part_plan(members).verified.cost.objective
                value += plan.objective - current_cost
                low, high = low + exact(part.rise[0]), high + exact(part.rise[1])
        return between(value, min(low, value), max(high, value), self.session.verified.cost.objective)

    def _insured_loss(
        self, number: int, loss: Loss, parts: Sequence[InsuredPart | None], verified: Sequence[CostedPlan | None]
    ) -> InsuredLoss:
        exposed: Kilograms = {}
        unmet: Kilograms = {}
        reasons: set[str] = set()
        costs = Decimal(0)
        for members, part, plan in zip(self.session.parts.members, parts, verified, strict=True):
            if part is None or plan is None:
                reasons.add(_CONFLICT)
            elif number in part.closed:
                add_up(exposed, part.exposed.get(number, {}))
                add_up(unmet, part.unmet.get(number, {}))
                part_reasons = _reasons(number, part)
                if not part_reasons & {_CONFLICT, _UNKNOWN}:
                    after = self._plan_after_loss(loss, number, members, part)
                    costs += after.objective - plan.objective
                    part_reasons = part_reasons or self._breaches(plan.verified, after.verified, members)
                reasons |= part_reasons
        self._step()
        return InsuredLoss(
            loss=loss,
            exposed=self._shortfall_records(exposed),
            met=not reasons,
            costs=None if reasons & {_CONFLICT, _UNKNOWN, _OTHERWISE, _MORE_SHORT} else exact(costs),
            unmet=self._shortfall_records(unmet),
            reason="; ".join(sorted(reasons)),
        )

    def _shortfall_records(self, short: Kilograms) -> tuple[Shortfall, ...]:
        """Return kilograms to the resolution, without rounding errors."""
        kilograms_by_material = {
            name: round_to(kilograms, self.resolution) for name, kilograms in sorted(short.items())
        }
        return tuple(
            Shortfall(material=name, kilograms=kg) for name, kg in kilograms_by_material.items() if kg > self.slack
        )

    def _plan_after_loss(self, loss: Loss, number: int, members: Members, part: InsuredPart) -> CostedPlan:
        linear = part.program.linear
        upper = linear.upper.copy()
        upper[part.closed[number]] = 0.0
        x = part.after(number)
        program = replace(part.program, linear=replace(linear, upper=upper))
        plan, idle_costs = decoded(program, x)
        facts = self.session.parts.part(members).after(loss.changes(self.day)).problem()
        # Its cost is computed on the facts after the loss: a lost party isn't paid for goods that it doesn't deliver.
        verified, findings = examine(facts, plan, all_rules=False)
        if verified is None:
            raise VerificationError(findings)
        return CostedPlan(verified, idle_costs)

    def _breaches(self, insured: VerifiedPlan, after: VerifiedPlan, members: Members) -> set[str]:
        reasons = set()
        insured_orders, later_orders = _before(insured, self.period), _before(after, self.period)
        if any(
            abs(insured_orders.get(key, _ZERO) - later_orders.get(key, _ZERO)) > self.slack
            for key in insured_orders.keys() | later_orders.keys()
        ):
            reasons.add(_OTHERWISE)
        current_short = self.session.part_plan(members).plan.short_by_demand
        if any(kg > current_short.get(demand, _ZERO) + self.slack for demand, kg in after.plan.short_by_demand.items()):
            reasons.add(_MORE_SHORT)
        return reasons

    def _ordered(self, verified: Sequence[CostedPlan | None]) -> tuple[Ordered, ...]:
        current, insured = (
            ordered_before(self.session.verified, self.period),
            self._total_by_material(verified, ordered_before),
        )
        return changed_orders(self.session, current, insured, self.slack)

    def _ready(self, verified: Sequence[CostedPlan | None]) -> tuple[Ready, ...]:
        current, insured = ready_at(self.session.verified, self.period), self._total_by_material(verified, ready_at)
        stocks = [
            Ready(material=name, kilograms=insured.get(name, _ZERO), today=current.get(name, _ZERO))
            for name in sorted(current | insured)
        ]
        return tuple(stock for stock in stocks if abs(stock.kilograms - stock.today) > self.slack)

    def _total_by_material(
        self, plans: Sequence[CostedPlan | None], quantities_of: Callable[[VerifiedPlan, int], Kilograms]
    ) -> Kilograms:
        tables = [quantities_of(plan.verified, self.period) for plan in plans if plan is not None]
        return totals(entry for kilograms in tables for entry in kilograms.items())

    def _stock(self, rows: Sequence[InsuredLoss]) -> tuple[StockNeeded, ...]:
        worst_by_material: dict[str, tuple[Decimal, str]] = {}
        for row in rows:
            for short in row.exposed:
                if short.kilograms > worst_by_material.get(short.material, _NO_SHORTAGE)[0]:
                    worst_by_material[short.material] = short.kilograms, row.loss.shown
        problem = self.session.problem
        place = problem.merged.place(problem.case.place)
        home_countries = frozenset({place.country})
        changes = [
            Change(stock=name, quantity=kilograms, countries=home_countries)
            for name, (kilograms, _) in sorted(worst_by_material.items())
        ]
        still_short = self._still_short([row for row in rows if row.exposed], changes)
        needs = []
        for change in changes:
            store = problem.stores.get((change.stock, place.id))
            assert change.quantity is not None
            needs.append(
                StockNeeded(
                    material=change.stock,
                    kilograms=change.quantity,
                    loss=worst_by_material[change.stock][1],
                    holding=exact(max(store.holding) * change.quantity)
                    if store is not None and any(store.holding)
                    else None,
                    proved=change.stock not in still_short,
                )
            )
        return tuple(needs)

    def _still_short(self, rows: Sequence[InsuredLoss], stocks: Sequence[Change]) -> set[str]:
        """Return the materials with additional shortage after some loss despite the stocks of all its short materials."""
        short_materials: set[str] = set()
        for row in rows:
            short = {each.material for each in row.exposed}
            own_changes = [change for change in stocks if change.stock in short]
            self.counted.questions += 1
            answer = self.session.what_if(*own_changes, *row.loss.changes(self.day))
            short_materials |= {each.material for each in shortfalls(self.session, answer) if each.kilograms > 0}
            if any(part.plan.infeasible for part in answer.after):
                short_materials |= short
            self._step()
        return short_materials


_ZERO = Decimal(0)
_NO_SHORTAGE = _ZERO, ""
_CONFLICT = "rules conflict"
_UNKNOWN = "not known in time"
_OTHERWISE = "not verified, because orders before the loss differ"
_MORE_SHORT = "additional shortage"


def _reasons(number: int, part: InsuredPart) -> set[str]:
    reasons = set()
    if number in part.unmet:
        reasons.add("can't be met at any price")
    if number in part.not_together:
        reasons.add("can be met alone, but not together with the others")
    if number in part.conflicts:
        reasons.add(_CONFLICT)
    if number in part.unknown:
        reasons.add(_UNKNOWN)
    return reasons


def decoded(program: Program, x: Floats) -> tuple[Plan, Mapping[str, Decimal]]:
    plan = decode(program, x, PlanStatus.FEASIBLE, 0.0, 0.0)
    used_offers = {purchase.offer for purchase in plan.purchases}
    return plan, {name: exact(money) for name, money in ready_costs(program, x, used_offers).items()}


def add_up(table: dict[str, Decimal], more: Mapping[str, Decimal]) -> None:
    for name, amount in more.items():
        table[name] = table.get(name, Decimal(0)) + amount


def _before(verified: VerifiedPlan, period: int) -> dict[tuple[str, str, str, str, int], Decimal]:
    purchases = (purchase for purchase in verified.plan.purchases if purchase.ordered < period)
    return totals(
        (
            (purchase.offer, purchase.material, purchase.place, purchase.compliance_class, purchase.ordered),
            purchase.quantity,
        )
        for purchase in purchases
    )


def ordered_before(verified: VerifiedPlan, period: int) -> Kilograms:
    return totals(
        (purchase.offer, purchase.quantity) for purchase in verified.plan.purchases if purchase.ordered < period
    )


def changed_orders(session: Session, current: Kilograms, planned: Kilograms, slack: Decimal) -> tuple[Ordered, ...]:
    """Return the offers whose orders differ by more than `slack`, the largest difference first."""
    used_offers = {purchase.offer for purchase in session.verified.plan.purchases}
    orders = [
        Ordered(
            offer=name,
            kilograms=planned.get(name, _ZERO),
            today=current.get(name, _ZERO),
            new=name not in used_offers,
        )
        for name in current | planned
    ]
    changed = [order for order in orders if abs(order.kilograms - order.today) > slack]
    return tuple(sorted(changed, key=lambda order: (-abs(order.kilograms - order.today), order.offer)))


def ready_at(verified: VerifiedPlan, period: int) -> Kilograms:
    stock_entries = [(stock.material, stock.quantity) for stock in verified.plan.stocks if stock.period == period - 1]
    purchases = verified.plan.purchases
    return totals(
        stock_entries
        + [
            (purchase.material, purchase.quantity)
            for purchase in purchases
            if purchase.ordered < period <= purchase.delivered
        ]
    )


def _worst_first(row: InsuredLoss) -> tuple[bool, Decimal, str]:
    return row.met, -sum((each.kilograms for each in row.exposed), Decimal(0)), row.loss.name
