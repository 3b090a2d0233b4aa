"""The parts of a case as robust programs: what is decided before a loss, what until there is time to react, and what after."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from friendshore.domain.change import Change
from friendshore.errors import InputError
from friendshore.problem.compliance_classes import ComplianceClass
from friendshore.problem.network import final_node
from friendshore.problem.parts import Members
from friendshore.program import Program
from friendshore.program.matrix import Entries, Floats, Ints, Linear
from friendshore.session import Session
from friendshore.solve import Limits, Solution, SolverAnswer, optimum, split

from ..routes import orders_of
from ..stress.twostage import closed_by, decided_before, with_shortage_bounds
from .component import RobustComponent
from .losses import PossibleLoss
from .robust import RobustProgram

_CLOSELY = 1e-6
"""Relative gap of what has to be settled, whatever gap is asked for in costs."""


@dataclass(frozen=True, slots=True, eq=False)
class LossDay:
    """When losses come, by period."""

    comes: int
    """The first period in which nothing can be ordered any more of what is lost."""
    reacts: int
    """The first period in which anything can be ordered beyond what was planned; one beyond the last: the plan ends before."""


@dataclass(frozen=True, slots=True, eq=False)
class PartProgram:
    """A part of the case, and its independent components that a loss touches."""

    members: Members
    program: Program
    today: Solution
    """The cheapest plan as things are."""
    components: tuple[RobustComponent, ...]
    weight: Floats
    """Of each demand: what a kilogram that is missing of it counts for."""

    def today_of(self, component: RobustComponent) -> Floats:
        """Values of a component's columns in the plan as it is, in which nothing is missing."""
        found = np.zeros(len(component.columns))
        own = component.columns < len(self.today.x)
        found[own] = self.today.x[component.columns[own]]
        return found

    def values(self, by_component: Sequence[Floats]) -> Floats:
        """Values of the program's columns where each component's are as given, and all else as in the plan as it is."""
        found = self.today.x.copy()
        for component, x in zip(self.components, by_component, strict=True):
            own = component.columns < len(found)
            found[component.columns[own]] = x[own]
        return found


def part_program(session: Session, members: Members, losses: Sequence[PossibleLoss], day: LossDay) -> PartProgram:
    """The program of a part and what losses do in it.

    Raises:
        SolverError: if a solver breaks down.
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
    """A program in which no demand is short of more than in the plan `x`, but for one column each by which it is: closed, until a loss comes."""
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
    """The columns that a loss takes away: what is ordered or made from a period on; of a rule, what arrives from then on and is barred."""
    if loss.rule:
        return _barred(session, members, program, loss.rule, period)
    return orders_of(program, loss.moves, range(period, program.problem.case.horizon.count))


def _barred(session: Session, members: Members, program: Program, rule: str, period: int) -> Ints:
    """The columns of what arrives from a period on and is barred for some delivery that it may end in, if a rule applies from then on.

    Raises:
        InputError: if the rule bars, or makes dearer, anything but what arrives from then on.
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
    """What a rule that bars moves leaves as it is."""
    return each.blocked, each.permits, each.surcharges, each.final, each.order_periods
