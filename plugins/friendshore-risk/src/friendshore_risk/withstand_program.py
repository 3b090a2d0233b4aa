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
from friendshore.verify import VerifiedPlan, bearing, examine

from .loss_program import closed_by, decided_before, with_shortage_bounds
from .losses import PossibleLoss, orders_of
from .robust import Branching, Generated, Losses, RobustComponent, RobustProgram
from .stress_answer import Carried, decoded

_CLOSELY = 1e-6
"""Relative gap of results that must be settled, regardless of the gap for costs."""


@dataclass(frozen=True, slots=True, eq=False)
class LossDay:
    """Timing of losses, by period."""

    comes: int
    """First period without orders from lost parties."""
    reacts: int
    """First period with orders beyond the plan. One beyond the last if the plan ends before."""


@dataclass(frozen=True, slots=True, eq=False)
class PartProgram:
    """A part of the case, with its independent components that a loss affects."""

    members: Members
    program: Program
    today: Solution
    """The cheapest plan as things are."""
    components: tuple[RobustComponent, ...]
    weight: Floats
    """Weight of a missing kilogram of each demand."""

    def today_of(self, component: RobustComponent) -> Floats:
        """Return the values of a component's columns in the plan as it is, where nothing is missing."""
        found = np.zeros(len(component.columns))
        own = component.columns < len(self.today.x)
        found[own] = self.today.x[component.columns[own]]
        return found

    def values(self, by_component: Sequence[Floats]) -> Floats:
        """Return the values of the program's columns, with those of components as given, and the others as in the plan as it is."""
        found = self.today.x.copy()
        for component, x in zip(self.components, by_component, strict=True):
            own = component.columns < len(found)
            found[component.columns[own]] = x[own]
        return found


def part_program(session: Session, members: Members, losses: Sequence[PossibleLoss], day: LossDay) -> PartProgram:
    """Return the program of a part, with the effects of losses.

    Raises:
        SolverError: If a solver breaks down.
    """
    program, today = session.compiled(members)
    price = np.array([float(price) for price in program.problem.shortage_price])
    weight = np.where(price > 0, price, price.max() or 1.0) / (price.max() or 1.0)
    if today.conflicts:
        return PartProgram(members, program, today, (), weight)
    own = len(program.linear.cost)
    linear = _with_missing(program, today.x)
    shared = np.append(decided_before(program, day.comes), np.zeros(len(weight), dtype=bool))
    every = {facts.offer.id for facts in program.problem.offers}
    held = np.setdiff1d(closed_by(program, every, day.comes), closed_by(program, every, day.reacts))
    taken = {number: _taken(session, members, program, loss, day.comes) for number, loss in enumerate(losses)}
    balances = next(first for first, owner in [*program.owners, (own, "")] if owner != "balance")
    closely = replace(session.limits, gap=min(session.limits.gap, _CLOSELY))
    found = []
    for part in split(linear):
        here = {loss: np.flatnonzero(np.isin(part.columns, columns)) for loss, columns in taken.items()}
        here = {loss: columns for loss, columns in here.items() if part.linear.upper[columns].any()}
        if here:
            before = shared[part.columns]
            missing = np.flatnonzero(part.columns >= own)
            robust = RobustProgram(
                part.linear,
                before,
                np.flatnonzero(np.isin(part.columns, held)),
                missing,
                weight[part.columns[missing] - own],
                np.flatnonzero(part.rows < balances),
            )
            tolerance = float(program.problem.case.resolution) / 100
            found.append(
                RobustComponent(
                    robust,
                    part.columns,
                    part.columns[missing] - own,
                    {loss: columns[~before[columns]] for loss, columns in here.items()},
                    {loss: columns[before[columns]] for loss, columns in here.items()},
                    _solver(session, session.limits),
                    _solver(session, closely),
                    tolerance,
                    lambda: session.stopped,
                )
            )
    return PartProgram(members, program, today, tuple(found), weight)


def _solver(session: Session, limits: Limits) -> Callable[[Linear], SolverAnswer]:
    return lambda linear: optimum(linear, limits, session.cancel, session.answers)


def _with_missing(program: Program, x: Floats) -> Linear:
    """Return a program that limits shortages to those of the plan `x`, plus one column for each demand, which is closed until a loss."""
    import scipy.sparse as sp

    bounded = with_shortage_bounds(program, x)
    count, first = bounded.entries.shape[0], program.linear.entries.shape[0]
    more = count - first
    taken = sp.csr_matrix((-np.ones(more), (np.arange(first, count), np.arange(more))), shape=(count, more))
    return replace(
        bounded,
        cost=np.append(bounded.cost, np.zeros(more)),
        lower=np.append(bounded.lower, np.zeros(more)),
        upper=np.append(bounded.upper, np.zeros(more)),
        integer=np.append(bounded.integer, np.zeros(more, dtype=bool)),
        entries=Entries.of(sp.hstack([bounded.matrix, taken])),
    )


def _taken(session: Session, members: Members, program: Program, loss: PossibleLoss, period: int) -> Ints:
    """Return the columns that a loss removes: orders and production from a period on, or for a rule, barred arrivals from then on."""
    if loss.rule:
        return _barred(session, members, program, loss.rule, period)
    return orders_of(program, loss.moves, range(period, program.problem.case.horizon.count))


def _barred(session: Session, members: Members, program: Program, rule: str, period: int) -> Ints:
    """Return the columns of arrivals from a period on that the rule bars for some possible delivery, if it applies from then on.

    Raises:
        InputError: If the rule bars anything but these arrivals, or makes anything more expensive.
    """
    inputs = session.parts.part(members)
    if all(one.id != rule for one in inputs.rules):
        return np.empty(0, dtype=np.intp)
    problem = program.problem
    change = Change(enable=rule, start=problem.case.horizon.periods[period].start)
    then = inputs.after((change,)).problem()
    if then.moves.charges != problem.moves.charges:
        raise _does_more(rule)
    of_outlet = {outlet: each for each in then.compliance_classes for outlet in each.outlets}
    barred: set[tuple[int, int, int]] = set()
    for each in problem.compliance_classes:
        for outlet in each.outlets:
            if outlet.period < period:
                continue
            other = of_outlet.get(outlet)
            if other is None or _terms(other) != _terms(each):
                raise _does_more(rule)
            reach = problem.network.reach(final_node(problem.demands[outlet.demand].use))[0]
            more = other.blocked_cells - each.blocked_cells
            barred |= {(arc, t, each.index) for arc, t in more if arc in reach and period <= t <= outlet.period}
    columns, moves = program.columns, problem.moves
    keys = zip(
        moves.arc[columns.buy_move].tolist(),
        moves.delivered[columns.buy_move].tolist(),
        columns.buy_compliance_class.tolist(),
        strict=True,
    )
    found: Ints = columns.buy[np.array([key in barred for key in keys], dtype=bool)]
    return found


def _does_more(rule: str) -> InputError:
    message = "a suspension can be lost of a rule that bars what crosses a border, and nothing else"
    return InputError(
        message,
        column="--lose",
        found=f"rule:{rule}",
        expected="a rule that bars, from the day on, what arrives, and tells apart nothing else: an export control without licences",
        fix="state it as an event of `risk`, with a probability: what is bought before the day is set aside there for uses that it may come to tell apart",
    )


def _terms(each: ComplianceClass) -> tuple[object, ...]:
    """Return the terms that a rule for moves doesn't change."""
    return each.blocked, each.permits, each.surcharges, each.final, each.order_periods


_NONE = Decimal(0)


@dataclass(frozen=True, slots=True, eq=False)
class FollowsJudge:
    """Decisions before losses in one part of a case, and its permitted shortages."""

    problem: Problem
    day: LossDay
    first: Plan
    """Plan that is followed until losses occur."""
    onboarded: Collection[str]
    """Offers ready for use, with or without purchases."""
    short_today: Mapping[str, Decimal]
    """Demand -> kilograms of shortage without losses."""

    @property
    def slack(self) -> Decimal:
        """Maximum rounding error in kilograms: one step of the resolution per period."""
        return self.problem.case.resolution * self.problem.case.horizon.count

    def faults(self, after: Plan) -> list[str]:
        """Return the reasons why a verified plan isn't a response under the first plan to any losses. Shortages are permitted."""
        found = []
        came, ordered = _orders(after, 0, self.day.comes), _orders(self.first, 0, self.day.comes)
        if self._differs({key: amount for key, amount in ordered.items() if key not in self.dropped(after)}, came):
            found.append("it orders something else before the loss")
        planned, then = (_orders(plan, self.day.comes, self.day.reacts) for plan in (self.first, after))
        if any(kilograms > planned.get(key, _NONE) + self.slack for key, kilograms in then.items()):
            found.append("it orders more than was planned before there is time to react")
        new = {purchase.offer for purchase in after.purchases} - set(self.onboarded)
        if any(facts.onboarding and facts.offer.id in new for facts in self.problem.offers):
            found.append("it uses an offer that is not onboarded")
        return found

    def dropped(self, after: Plan) -> frozenset[_Order]:
        """Return early orders of the first plan that would arrive after the losses and are missing here. Only a rule can bar them."""
        late = {key for key, arrives in _arrivals(self.first).items() if key[4] < self.day.comes <= arrives}
        return frozenset(late - _orders(after).keys())

    def lawful(self, after: VerifiedPlan, rules: Collection[Rule]) -> bool:
        """Return True if some rules, as they then apply, find nothing against any purchase of a plan."""
        return not bearing(after, tuple(rules)) if rules else True

    def orders(self, after: Plan) -> frozenset[tuple[str, str]]:
        """Return the offers with orders from the day on, each with its destination. None of these may be lost."""
        return frozenset((p.offer, p.place) for p in after.purchases if p.ordered >= self.day.comes)

    def missing(self, after: Plan) -> dict[str, Decimal]:
        """Return demand -> kilograms of additional shortage."""
        found = {
            name: kilograms - self.short_today.get(name, _NONE) for name, kilograms in after.short_by_demand.items()
        }
        return {name: kilograms for name, kilograms in found.items() if kilograms > self.slack}

    def _differs(self, one: Mapping[_Order, Decimal], other: Mapping[_Order, Decimal]) -> bool:
        return any(abs(one.get(key, _NONE) - other.get(key, _NONE)) > self.slack for key in one.keys() | other.keys())


_Order = tuple[str, str, str, str, int]
"""Offer, material, place, compliance class, and period of the order."""


def _arrivals(plan: Plan) -> dict[_Order, int]:
    """Return the period in which each order arrives, or the last one if it arrives in parts."""
    found: dict[_Order, int] = {}
    for p in plan.purchases:
        key = (p.offer, p.material, p.place, p.requirement, p.ordered)
        found[key] = max(p.delivered, found.get(key, p.delivered))
    return found


def rules_then(session: Session, members: Members, losses: Sequence[PossibleLoss], day: LossDay) -> dict[int, Rule]:
    """Return loss -> rule that begins to apply with it, in the form of that time. Only rules that affect this part of the case are included."""
    inputs = session.parts.part(members)
    start = session.problem.case.horizon.periods[day.comes].start
    found = {}
    for number, loss in enumerate(losses):
        if any(rule.id == loss.rule for rule in inputs.rules):
            after = inputs.after((Change(enable=loss.rule, start=start),))
            found[number] = next(rule for rule in after.rules if rule.id == loss.rule)
    return found


def _orders(plan: Plan, first: int = 0, last: int | None = None) -> dict[_Order, Decimal]:
    """Return kilograms ordered from one period up to, but not including, another, and units produced by offers with several goods."""
    bought = [((p.offer, p.material, p.place, p.requirement, p.ordered), p.quantity) for p in plan.purchases]
    made = [((m.offer, "", "", m.requirement, m.period), m.units) for m in plan.makes]
    within = [(key, amount) for key, amount in (*bought, *made) if first <= key[4] and (last is None or key[4] < last)]
    return totals(within)


@dataclass(frozen=True, slots=True, eq=False)
class PreparedComponent:
    """A plan of one component that withstands a number of losses, with its responses."""

    found: Generated[Losses]
    following: Branching


@dataclass(frozen=True, slots=True, eq=False)
class AfterLosses:
    """Result of a part after losses."""

    rise: Decimal
    """Increase of the objective over the case without losses."""
    missing: Mapping[str, Decimal]
    """Demand -> kilograms of additional shortage."""
    plan: Plan | None
    """None if rules conflict after the losses."""


@dataclass(eq=False)
class PreparedPart:
    """A part under the plan that withstands a number of losses."""

    part: PartProgram
    levels: Sequence[PreparedComponent]
    """Plan of each component."""
    losses: Sequence[PossibleLoss]
    judge: FollowsJudge
    rules: Mapping[int, Rule]
    """Loss -> rule that begins to apply with it, in the form of that time."""
    first: Carried
    _plans: dict[tuple[Losses, ...], _Follower | None] = field(default_factory=dict)

    @cached_property
    def touching(self) -> Losses:
        """Losses that affect it."""
        found = frozenset(loss for component in self.part.components for loss in component.closed)
        return found | self.rules.keys()

    @property
    def settled(self) -> bool:
        """True if all results so far are proved."""
        return all(level.following.settled for level in self.levels)

    @property
    def plans(self) -> int:
        """Number of plans that respond to losses."""
        return len(self.followers)

    @property
    def followers(self) -> list[Plan]:
        """Plans that respond to losses."""
        return [follower.plan for follower in self._plans.values() if follower is not None]

    @cached_method
    def after(self, losses: Losses) -> AfterLosses:
        """Return the response to some of the losses that affect it.

        Raises:
            VerificationError: If its plan is invalid, or isn't a response to them.
        """
        found = [
            level.following.of(losses & frozenset(component.closed))
            for component, level in zip(self.part.components, self.levels, strict=True)
        ]
        key = tuple(one.losses for one in found)
        if key not in self._plans:
            values = [one.x for one in found if one.x is not None]
            self._plans[key] = self._follower(values) if len(values) == len(found) else None
        follower = self._plans[key]
        if follower is None:
            return AfterLosses(_NONE, {}, None)
        if any(move in follower.orders for loss in losses for move in self.losses[loss].moves):
            names = " and ".join(self.losses[loss].name for loss in sorted(losses))
            raise VerificationError(f"what is to follow the loss of {names} orders what is lost")
        rules = frozenset(losses & self.rules.keys())
        if rules not in follower.lawful:
            applied = [self.rules[loss] for loss in sorted(rules)]
            follower.lawful[rules] = self.judge.lawful(follower.verified, applied)
        if not follower.lawful[rules] or (follower.dropped and not rules):
            names = " and ".join(self.losses[loss].name for loss in sorted(losses)) or "nobody"
            raise VerificationError(f"what is to follow the loss of {names} is not lawful, or lacks what comes")
        return AfterLosses(follower.rise, follower.missing, follower.plan)

    def _follower(self, values: Sequence[Floats]) -> _Follower:
        plan, idle = decoded(self.part.program, self.part.values(values))
        verified, findings = examine(self.part.program.problem, plan, all_rules=False)
        if verified is None:
            raise VerificationError(findings)
        faults = self.judge.faults(plan)
        if faults:
            raise VerificationError(f"what is to follow losses does not follow the plan: {'; '.join(faults)}")
        rise = exact(Carried(verified, idle).objective - self.first.objective)
        judge = self.judge
        return _Follower(verified, rise, judge.missing(plan), judge.orders(plan), judge.dropped(plan))


@dataclass(frozen=True, slots=True, eq=False)
class _Follower:
    """A verified plan that responds to losses under the first one."""

    verified: VerifiedPlan
    rise: Decimal
    missing: Mapping[str, Decimal]
    orders: frozenset[tuple[str, str]]
    dropped: Collection[object]
    """Orders that don't arrive."""
    lawful: dict[Losses, bool] = field(default_factory=dict)
    """Rules that begin to apply -> True if it is lawful under them."""

    @property
    def plan(self) -> Plan:
        """The plan."""
        return self.verified.plan


def prepared(component: RobustComponent, most: int, before: PreparedComponent | None) -> PreparedComponent | None:
    """Return the plan that withstands a number of losses, based on the one for one loss less. None if the search was ended."""
    found = component.withstanding(most, () if before is None else before.found.keys)
    if found is None or not found.proved or not component.unavoidable.settled:
        return None
    return PreparedComponent(found, component.following(found))


def smallest(part: PreparedPart, most: int) -> Iterator[tuple[Losses, list[str]]]:
    """Yield the sets of losses that cause shortages, with the demands that no smaller subset makes short. Rule conflicts have no demands."""
    known: list[tuple[Losses, frozenset[str]]] = []
    for size in range(1, most + 1):
        for chosen in combinations(sorted(part.touching), size):
            losses = frozenset(chosen)
            after = part.after(losses)
            below = [(one, demands) for one, demands in known if one < losses]
            if after.plan is None:
                if all(demands for _, demands in below):
                    known.append((losses, frozenset()))
                    yield losses, []
                continue
            new = set(after.missing) - {demand for _, demands in below for demand in demands}
            if new:
                known.append((losses, frozenset(new)))
                yield losses, sorted(new)
