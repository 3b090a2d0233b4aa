"""The parts of a case as robust programs: decisions before a loss, until there is time to react, and after."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from itertools import combinations

import numpy as np

from friendshore.domain.base import exact, totals
from friendshore.domain.change import Change
from friendshore.domain.plan import Plan
from friendshore.domain.runtime import cached_method
from friendshore.errors import InputError, VerificationError
from friendshore.problem import Problem
from friendshore.problem.compliance_classes import ComplianceClass
from friendshore.problem.network import final_node
from friendshore.problem.parts import Members
from friendshore.program import Program
from friendshore.program.matrix import Entries, Floats, Ints, Linear
from friendshore.rules.base import Rule
from friendshore.session import Session
from friendshore.solve import Limits, Solution, SolverAnswer, optimum, split
from friendshore.verify import VerifiedPlan, examine, rules_in_effect

from .loss_program import closed_columns, early_columns, with_shortage_bounds
from .losses import PossibleLoss, orders_of
from .robust import Losses, ResponseCache, RobustComponent, RobustPlan, RobustProgram
from .stress_answer import CostedPlan, decoded

_PRECISE_GAP = 1e-6
"""Relative gap of results that must be settled, regardless of the gap for costs."""


@dataclass(frozen=True, slots=True, eq=False)
class LossDay:
    """Periods of losses."""

    loss_period: int
    react_period: int
    """First period with orders beyond the plan. One beyond the last if the plan ends before."""


@dataclass(frozen=True, slots=True, eq=False)
class PartProgram:
    """A part of the case, with its independent components that a loss affects."""

    members: Members
    program: Program
    today: Solution
    components: tuple[RobustComponent, ...]
    weight: Floats

    def today_of(self, component: RobustComponent) -> Floats:
        values = np.zeros(len(component.columns))
        is_own = component.columns < len(self.today.x)
        values[is_own] = self.today.x[component.columns[is_own]]
        return values

    def values(self, by_component: Sequence[Floats]) -> Floats:
        values = self.today.x.copy()
        for component, x in zip(self.components, by_component, strict=True):
            is_own = component.columns < len(values)
            values[component.columns[is_own]] = x[is_own]
        return values


def part_program(session: Session, members: Members, losses: Sequence[PossibleLoss], day: LossDay) -> PartProgram:
    program, today = session.compiled(members)
    price = np.array([float(price) for price in program.problem.shortage_price])
    weight = np.where(price > 0, price, price.max() or 1.0) / (price.max() or 1.0)
    if today.conflicts:
        return PartProgram(members, program, today, (), weight)
    column_count = len(program.linear.cost)
    linear = _with_missing(program, today.x)
    shared = np.append(early_columns(program, day.loss_period), np.zeros(len(weight), dtype=bool))
    offer_ids = {facts.offer.id for facts in program.problem.offers}
    reducible_columns = np.setdiff1d(
        closed_columns(program, offer_ids, day.loss_period), closed_columns(program, offer_ids, day.react_period)
    )
    columns_by_loss = {
        number: _removed_columns(session, members, program, loss, day.loss_period) for number, loss in enumerate(losses)
    }
    balances = next(first_row for first_row, owner in [*program.owners, (column_count, "")] if owner != "balance")
    precise_limits = replace(session.limits, gap=min(session.limits.gap, _PRECISE_GAP))
    components = []
    for component in split(linear):
        columns_here = {
            loss: np.flatnonzero(np.isin(component.columns, columns)) for loss, columns in columns_by_loss.items()
        }
        columns_here = {
            loss: columns for loss, columns in columns_here.items() if component.linear.upper[columns].any()
        }
        if columns_here:
            is_early = shared[component.columns]
            missing_columns = np.flatnonzero(component.columns >= column_count)
            robust = RobustProgram(
                component.linear,
                is_early,
                np.flatnonzero(np.isin(component.columns, reducible_columns)),
                missing_columns,
                weight[component.columns[missing_columns] - column_count],
                np.flatnonzero(component.rows < balances),
            )
            tolerance = float(program.problem.case.resolution) / 100
            components.append(
                RobustComponent(
                    robust,
                    component.columns,
                    component.columns[missing_columns] - column_count,
                    {loss: columns[~is_early[columns]] for loss, columns in columns_here.items()},
                    {loss: columns[is_early[columns]] for loss, columns in columns_here.items()},
                    _solver(session, session.limits),
                    _solver(session, precise_limits),
                    tolerance,
                    lambda: session.stopped,
                )
            )
    return PartProgram(members, program, today, tuple(components), weight)


def _solver(session: Session, limits: Limits) -> Callable[[Linear], SolverAnswer]:
    return lambda linear: optimum(linear, limits, session.cancel, session.answers)


def _with_missing(program: Program, x: Floats) -> Linear:
    """Return a program that limits shortages to those of the plan `x`, plus one column for each demand, which is closed until a loss."""
    import scipy.sparse as sp

    bounded = with_shortage_bounds(program, x)
    count, first = bounded.entries.shape[0], program.linear.entries.shape[0]
    missing_count = count - first
    missing_terms = sp.csr_matrix(
        (-np.ones(missing_count), (np.arange(first, count), np.arange(missing_count))), shape=(count, missing_count)
    )
    return replace(
        bounded,
        cost=np.append(bounded.cost, np.zeros(missing_count)),
        lower=np.append(bounded.lower, np.zeros(missing_count)),
        upper=np.append(bounded.upper, np.zeros(missing_count)),
        integer=np.append(bounded.integer, np.zeros(missing_count, dtype=bool)),
        entries=Entries.of(sp.hstack([bounded.matrix, missing_terms])),
    )


def _removed_columns(session: Session, members: Members, program: Program, loss: PossibleLoss, period: int) -> Ints:
    if loss.rule:
        return _prohibited_columns(session, members, program, loss.rule, period)
    return orders_of(program, loss.moves, range(period, program.problem.case.horizon.count))


def _prohibited_columns(session: Session, members: Members, program: Program, rule: str, period: int) -> Ints:
    """Return the columns of arrivals from a period on that the rule prohibits for some possible delivery, if it applies from then on.

    Raises InputError if the rule prohibits anything but these arrivals, or makes anything more expensive.
    """
    inputs = session.parts.part(members)
    if all(rule_.id != rule for rule_ in inputs.rules):
        return np.empty(0, dtype=np.intp)
    problem = program.problem
    change = Change(enable=rule, start=problem.case.horizon.periods[period].start)
    changed_problem = inputs.after((change,)).problem()
    if changed_problem.moves.charges != problem.moves.charges:
        raise _unsupported_rule(rule)
    class_by_outlet = {
        outlet: compliance_class
        for compliance_class in changed_problem.compliance_classes
        for outlet in compliance_class.outlets
    }
    prohibited_cells: set[tuple[int, int, int]] = set()
    for compliance_class in problem.compliance_classes:
        for outlet in compliance_class.outlets:
            if outlet.period < period:
                continue
            changed_class = class_by_outlet.get(outlet)
            if changed_class is None or _terms(changed_class) != _terms(compliance_class):
                raise _unsupported_rule(rule)
            reachable_arcs = problem.network.reach(final_node(problem.demands[outlet.demand].use))[0]
            new_cells = changed_class.blocked_cells - compliance_class.blocked_cells
            prohibited_cells |= {
                (arc, t, compliance_class.index)
                for arc, t in new_cells
                if arc in reachable_arcs and period <= t <= outlet.period
            }
    columns, moves = program.columns, problem.moves
    keys = zip(
        moves.arc[columns.buy_move].tolist(),
        moves.delivered[columns.buy_move].tolist(),
        columns.buy_compliance_class.tolist(),
        strict=True,
    )
    prohibited_columns: Ints = columns.buy[np.array([key in prohibited_cells for key in keys], dtype=bool)]
    return prohibited_columns


def _unsupported_rule(rule: str) -> InputError:
    message = "the end of the suspension of this rule can't be a loss, because it affects more than arriving goods"
    return InputError(
        message,
        column="--lose",
        found=f"rule:{rule}",
        expected="a rule that only prohibits arrivals from that day on, such as an export control without licenses",
        fix="make it an event of `risk` with a probability",
        code="FS981",
    )


def _terms(compliance_class: ComplianceClass) -> tuple[object, ...]:
    return (
        compliance_class.blocked,
        compliance_class.permits,
        compliance_class.surcharges,
        compliance_class.final,
        compliance_class.order_periods,
    )


_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, eq=False)
class ResponseJudge:
    """Decisions before losses in one part of a case, and its permitted shortages."""

    problem: Problem
    day: LossDay
    first: Plan
    onboarded: Collection[str]
    short_today: Mapping[str, Decimal]

    @property
    def slack(self) -> Decimal:
        return self.problem.case.resolution * self.problem.case.horizon.count

    def faults(self, after: Plan) -> list[str]:
        """Return the reasons why a verified plan isn't a response under the first plan to any losses. Shortages are permitted."""
        reasons = []
        actual_orders, planned_orders = (
            _orders(after, 0, self.day.loss_period),
            _orders(self.first, 0, self.day.loss_period),
        )
        if self._differs(
            {key: amount for key, amount in planned_orders.items() if key not in self.dropped(after)}, actual_orders
        ):
            reasons.append("its orders before the loss differ")
        planned_late, actual_late = (
            _orders(plan, self.day.loss_period, self.day.react_period) for plan in (self.first, after)
        )
        if any(kilograms > planned_late.get(key, _ZERO) + self.slack for key, kilograms in actual_late.items()):
            reasons.append("it orders more than planned before there is time to react")
        new_offers = {purchase.offer for purchase in after.purchases} - set(self.onboarded)
        if any(facts.onboarding and facts.offer.id in new_offers for facts in self.problem.offers):
            reasons.append("it uses an offer that isn't onboarded")
        return reasons

    def dropped(self, after: Plan) -> frozenset[_OrderKey]:
        """Return early orders of the first plan that would arrive after the losses and are missing here. Only a rule can prohibit them."""
        late = {key for key, arrives in _arrivals(self.first).items() if key[4] < self.day.loss_period <= arrives}
        return frozenset(late - _orders(after).keys())

    def lawful(self, after: VerifiedPlan, rules: Collection[Rule]) -> bool:
        """Return True if some rules, as they then apply, find nothing against any purchase of a plan."""
        return not rules_in_effect(after, tuple(rules)) if rules else True

    def orders(self, after: Plan) -> frozenset[tuple[str, str]]:
        """Return the offers with orders from the day on, each with its destination. None of these may be lost."""
        return frozenset((p.offer, p.place) for p in after.purchases if p.ordered >= self.day.loss_period)

    def missing(self, after: Plan) -> dict[str, Decimal]:
        increase = {
            name: kilograms - self.short_today.get(name, _ZERO) for name, kilograms in after.short_by_demand.items()
        }
        return {name: kilograms for name, kilograms in increase.items() if kilograms > self.slack}

    def _differs(self, first: Mapping[_OrderKey, Decimal], second: Mapping[_OrderKey, Decimal]) -> bool:
        return any(
            abs(first.get(key, _ZERO) - second.get(key, _ZERO)) > self.slack for key in first.keys() | second.keys()
        )


_OrderKey = tuple[str, str, str, str, int]


def _arrivals(plan: Plan) -> dict[_OrderKey, int]:
    """Return the period in which each order arrives, or the last one if it arrives in parts."""
    arrival_by_order: dict[_OrderKey, int] = {}
    for purchase in plan.purchases:
        key = (purchase.offer, purchase.material, purchase.place, purchase.compliance_class, purchase.ordered)
        arrival_by_order[key] = max(purchase.delivered, arrival_by_order.get(key, purchase.delivered))
    return arrival_by_order


def rules_after_losses(
    session: Session, members: Members, losses: Sequence[PossibleLoss], day: LossDay
) -> dict[int, Rule]:
    """Return loss -> rule that begins to apply with it, in the form of that time. Only rules that affect this part of the case are included."""
    inputs = session.parts.part(members)
    start = session.problem.case.horizon.periods[day.loss_period].start
    rule_by_loss = {}
    for number, loss in enumerate(losses):
        if any(rule.id == loss.rule for rule in inputs.rules):
            after = inputs.after((Change(enable=loss.rule, start=start),))
            rule_by_loss[number] = next(rule for rule in after.rules if rule.id == loss.rule)
    return rule_by_loss


def _orders(plan: Plan, first: int = 0, last: int | None = None) -> dict[_OrderKey, Decimal]:
    """Return kilograms ordered from one period up to, but not including, another, and units produced by offers with several goods."""
    order_quantities = [
        (
            (purchase.offer, purchase.material, purchase.place, purchase.compliance_class, purchase.ordered),
            purchase.quantity,
        )
        for purchase in plan.purchases
    ]
    production_units = [((make.offer, "", "", make.compliance_class, make.period), make.units) for make in plan.makes]
    selected = [
        (key, amount)
        for key, amount in (*order_quantities, *production_units)
        if first <= key[4] and (last is None or key[4] < last)
    ]
    return totals(selected)


@dataclass(frozen=True, slots=True, eq=False)
class PreparedComponent:
    """A plan of one component that withstands a number of losses, with its responses."""

    robust_plan: RobustPlan[Losses]
    following: ResponseCache


@dataclass(frozen=True, slots=True, eq=False)
class LossOutcome:
    """Result of a part after losses."""

    rise: Decimal
    missing: Mapping[str, Decimal]
    plan: Plan | None
    """None if rules conflict after the losses."""


@dataclass(eq=False)
class PreparedPart:
    """A part under the plan that withstands a number of losses."""

    part: PartProgram
    levels: Sequence[PreparedComponent]
    losses: Sequence[PossibleLoss]
    judge: ResponseJudge
    rules: Mapping[int, Rule]
    first: CostedPlan
    _plans: dict[tuple[Losses, ...], _ResponsePlan | None] = field(default_factory=dict)

    @cached_property
    def affecting_losses(self) -> Losses:
        component_losses = frozenset(loss for component in self.part.components for loss in component.closed)
        return component_losses | self.rules.keys()

    @property
    def is_proved(self) -> bool:
        return all(level.following.is_proved for level in self.levels)

    @property
    def plans(self) -> int:
        return len(self.response_plans)

    @property
    def response_plans(self) -> list[Plan]:
        return [response_plan.plan for response_plan in self._plans.values() if response_plan is not None]

    @cached_method
    def after(self, losses: Losses) -> LossOutcome:
        """Return the response to some of the losses that affect it. Raises VerificationError if its plan is invalid, or isn't a response to them."""
        responses = [
            level.following.of(losses & frozenset(component.closed))
            for component, level in zip(self.part.components, self.levels, strict=True)
        ]
        key = tuple(response.losses for response in responses)
        if key not in self._plans:
            response_values = [response.x for response in responses if response.x is not None]
            self._plans[key] = self._response_plan(response_values) if len(response_values) == len(responses) else None
        response_plan = self._plans[key]
        if response_plan is None:
            return LossOutcome(_ZERO, {}, None)
        if any(move in response_plan.orders for loss in losses for move in self.losses[loss].moves):
            names = " and ".join(self.losses[loss].name for loss in sorted(losses))
            raise VerificationError(f"the plan after the loss of {names} orders from lost offers", code="FS985")
        rules = frozenset(losses & self.rules.keys())
        if rules not in response_plan.is_lawful_under:
            rules_in_force = [self.rules[loss] for loss in sorted(rules)]
            response_plan.is_lawful_under[rules] = self.judge.lawful(response_plan.verified, rules_in_force)
        if not response_plan.is_lawful_under[rules] or (response_plan.dropped and not rules):
            names = " and ".join(self.losses[loss].name for loss in sorted(losses)) or "nothing"
            raise VerificationError(
                f"the plan after the loss of {names} isn't lawful or lacks arriving orders", code="FS985"
            )
        return LossOutcome(response_plan.rise, response_plan.missing, response_plan.plan)

    def _response_plan(self, values: Sequence[Floats]) -> _ResponsePlan:
        plan, idle_costs = decoded(self.part.program, self.part.values(values))
        verified, findings = examine(self.part.program.problem, plan, all_rules=False)
        if verified is None:
            raise VerificationError(findings)
        faults = self.judge.faults(plan)
        if faults:
            raise VerificationError(
                f"a plan after losses doesn't follow the first plan: {'; '.join(faults)}", code="FS985"
            )
        rise = exact(CostedPlan(verified, idle_costs).objective - self.first.objective)
        judge = self.judge
        return _ResponsePlan(verified, rise, judge.missing(plan), judge.orders(plan), judge.dropped(plan))


@dataclass(frozen=True, slots=True, eq=False)
class _ResponsePlan:
    verified: VerifiedPlan
    rise: Decimal
    missing: Mapping[str, Decimal]
    orders: frozenset[tuple[str, str]]
    dropped: Collection[object]
    is_lawful_under: dict[Losses, bool] = field(default_factory=dict)

    @property
    def plan(self) -> Plan:
        return self.verified.plan


def prepare_component(
    component: RobustComponent, max_losses: int, before: PreparedComponent | None
) -> PreparedComponent | None:
    """Return the plan that withstands a number of losses, based on the one for one loss less. None if the search was ended."""
    plan = component.find_plan(max_losses, () if before is None else before.robust_plan.keys)
    if plan is None or not plan.proved or not component.unavoidable.is_proved:
        return None
    return PreparedComponent(plan, component.following(plan))


def smallest_loss_sets(part: PreparedPart, max_losses: int) -> Iterator[tuple[Losses, list[str]]]:
    """Yield the sets of losses that cause shortages, with the demands that no smaller subset makes short. Rule conflicts have no demands."""
    known_sets: list[tuple[Losses, frozenset[str]]] = []
    for size in range(1, max_losses + 1):
        for loss_numbers in combinations(sorted(part.affecting_losses), size):
            losses = frozenset(loss_numbers)
            after = part.after(losses)
            subsets = [(subset, demands) for subset, demands in known_sets if subset < losses]
            if after.plan is None:
                if all(demands for _, demands in subsets):
                    known_sets.append((losses, frozenset()))
                    yield losses, []
                continue
            new_demands = set(after.missing) - {demand for _, demands in subsets for demand in demands}
            if new_demands:
                known_sets.append((losses, frozenset(new_demands)))
                yield losses, sorted(new_demands)
