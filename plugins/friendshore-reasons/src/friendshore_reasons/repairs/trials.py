"""Trials of sets of levers: the smallest shortage that each set can reach, and its smallest amounts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import ROUND_CEILING, Decimal
from functools import cached_property
from itertools import count, product
from math import ceil, inf

import numpy as np

from friendshore.domain.change import Change
from friendshore.errors import InputError
from friendshore.problem import Problem
from friendshore.problem.decimal_arrays import Floats
from friendshore.problem.inputs import Inputs
from friendshore.program import Choices, Program, compile_program
from friendshore.program.matrix import Ints, Linear
from friendshore.session import Session
from friendshore.solve import Limits, SolverAnswer, SolverOutcome, compared
from friendshore.solve.components import empty_rows

from .levers import Amounts, Lever, LeverFacts, LeverKind, Members, Need, facts_about, weighed
from .relaxation import Relaxation, SetProgram

_CLOSE = 0.01
"""Shortage that counts as none, as a part of the resolution: less than rounding shows."""

_SURE = 1e-6
"""Shortage that counts as none in a refutation without a trial, as a part of the demand, because a proof uses doubles."""

_MOST_SLOPES = 60
"""Maximum number of linear pieces of the shortage that are followed."""

_ROUNDS_OF_CHOICES = 4
"""Searches near the choices of the last plan. The bracket is halved once after each."""


class SearchEndedError(Exception):
    """The allowance is used up, or the user ended the search. Callers catch it and report the results so far."""


class Trials:
    """Solver for the smallest shortage of some demands with levers.

    No other demand may be shorter than in the plan in any period, since taking supply from another demand is no repair.
    """

    def __init__(self, session: Session, need: Need, levers: Sequence[Lever]) -> None:
        self.session = session
        self.need = need
        self.levers = levers
        self.until = inf
        """Limit on `solved`."""
        self.heard: Callable[[], object] = lambda: None
        """Called before each solve."""
        self._tried = 0
        changes = [change for lever in levers for change in lever.make(lever.most)]
        self.inputs = weighed(facts_about(session, need, changes), changes)
        case = session.problem.case
        wanted = sum((sum(d.quantity) for d in session.problem.demands if d.id in need.demands), Decimal(0))
        self.close = float(case.resolution) * _CLOSE
        """Kilograms that count as no shortage before a plan is rounded."""
        self.nothing = self.close + 1e-9 * float(wanted)
        """Tolerance in kilograms, including a solver's error for large demands."""
        self.sure = max(2 * self.nothing, _SURE * float(wanted))
        """Kilograms short that refute a set without a trial."""
        self._known: dict[tuple[Change, ...], tuple[float, float]] = {}
        """Changes -> shortage in kilograms after them: lower bound, and value of the best plan."""
        self._choices: Choices = session.choices
        """Choices of a plan that searches start from."""
        self._relaxed: Relaxation | None = None
        self._last: tuple[tuple[Change, ...], tuple[Program, Linear, Ints]] | None = None

    @property
    def relaxed(self) -> Relaxation:
        """Relaxation that refutes sets of levers."""
        if self._relaxed is None:
            facts = LeverFacts(self.inputs, self.levers, self.sure, self._go_on)
            self._relaxed = Relaxation(facts, self.need.demands, self._laid_out)
        return self._relaxed

    def short(self, amounts: Amounts) -> float:
        """Return the smallest shortage in kilograms. Infinite if the rules conflict.

        Raises:
            SearchEndedError: If the search is over.
        """
        changes = self._changes(amounts)
        least, most = self._known.get(changes, (0.0, inf))
        if least != most:
            least, most = self._known[changes] = self._least(changes)
        return most

    def within(self, amounts: Amounts, enough: float) -> bool:
        """Return True if the shortage can be at most `enough`. The solve stops as soon as that is decided.

        Raises:
            SearchEndedError: If the search is over.
        """
        changes = self._changes(amounts)
        least, most = self._known.get(changes, (0.0, inf))
        if least <= enough < most:
            least, most = self._known[changes] = self._least(changes, enough)
        return most <= enough

    def _changes(self, amounts: Amounts) -> tuple[Change, ...]:
        return tuple(change for i in sorted(amounts) for change in self.levers[i].make(amounts[i]))

    def allowed(self, amounts: Amounts) -> float:
        """Return the permitted shortage in kilograms with smaller amounts than these, which serve the demands. A plan shows none of it if possible."""
        return self.close if self.within(amounts, self.close) else self.nothing

    def at_bounds(self, chosen: Sequence[int]) -> Amounts | None:
        """Return amounts within their bounds that serve the demands, as large as possible. None if there are none.

        More of a lever is never worse (stock is drawn only as it helps), except of a delay of demand: laws that begin in the meantime then apply to it.
        Every delay is therefore tried, with the same number of periods for all demands.
        """
        free = {i: self.levers[i].most for i in chosen}
        for later in self._laters(chosen):
            amounts = {**free, **later}
            if not self.refuted(amounts) and self.within(amounts, self.nothing):
                return amounts
        return None

    def refuted(self, amounts: Amounts) -> bool:
        """Return True if the demands are provably short, without a trial."""
        moved = [amounts[i] for i, lever in enumerate(self.levers) if lever.kind is LeverKind.LATER and i in amounts]
        alike = all(len(set(months)) == 1 for months in moved)  # else it takes as much to lay out as a trial
        return alike and not self.need.rules and self.relaxed.refuted(amounts)

    def of_set(self, amounts: Amounts) -> SetProgram | None:
        """Return the program of a set of levers at these amounts, for questions about smaller ones. None if that takes trials."""
        if self.need.rules:
            return None
        if self._last is None or self._last[0] != self._changes(amounts):
            inputs = self.inputs.after(self._changes(amounts))
            self._last = self._changes(amounts), self._laid_out(inputs, inputs.problem())
        return self.relaxed.of_set(amounts, *self._last[1], self._compared)

    def begin_from(self, choices: Choices) -> None:
        """Start searches from the choices of a plan, or of the case's plan if it has none."""
        self._choices = {**self.session.choices, **choices}

    def widened(self, members: Members, far: bool) -> Members | None:
        """Return a set of levers that contains some and provably doesn't serve the demands, as large as possible if `far`. None if even these may serve them.

        Raises:
            SearchEndedError: If the search is over.
        """
        if self.need.rules:
            return None
        return self.relaxed.widened(members, self._laters, far)

    def best(self) -> float:
        """Return the shortage in kilograms with all levers at their bounds. Infinite if the rules still conflict.

        Raises:
            SearchEndedError: If the search is over.
        """
        free = {i: lever.most for i, lever in enumerate(self.levers)}
        return min(self.short({**free, **later}) for later in self._laters(range(len(self.levers))))

    def _laters(self, chosen: Iterable[int]) -> list[Amounts]:
        """Return every delay of the levers that have one, the shortest first."""
        moved = [i for i in chosen if self.levers[i].kind is LeverKind.LATER]
        choices = []
        for i in moved:
            lever = self.levers[i]
            count = int(lever.most[0] / lever.step)
            choices.append([(i, (lever.step * n,) * len(lever.most)) for n in range(count + 1)])
        return [dict(choice) for choice in product(*choices)]

    @property
    def solved(self) -> int:
        """Number of programs solved for the smallest shortage: of sets, and of relaxations of sets."""
        return self._tried + (0 if self._relaxed is None else self._relaxed.facts.solved)

    def _go_on(self) -> None:
        """Prepare the next solve.

        Raises:
            SearchEndedError: If the search is over.
        """
        self.heard()
        if self.solved >= self.until or self.session.stopped:
            raise SearchEndedError

    def _compared(self, linear: Linear, enough: float, start: Floats | None, /, *, sure: bool = True) -> SolverAnswer:
        """Compare the smallest shortage of a program with `enough`, or find it if no shortage is enough. With `sure`, a second solver confirms it.

        Raises:
            SearchEndedError: If the search is over.
        """
        self._go_on()
        self._tried += 1
        limits = Limits(seconds=self.session.limits.seconds, workers=1, until=self.session.limits.until)
        limits = limits if sure else replace(limits, engines=replace(limits.engines, second=()))
        answer = compared(linear, enough, limits, self.session.cancel, start)
        if sure and answer.outcome not in (SolverOutcome.OPTIMAL, SolverOutcome.INFEASIBLE):
            raise SearchEndedError
        return answer

    def _least(self, changes: Sequence[Change], enough: float = -inf) -> tuple[float, float]:
        """Return the shortage in kilograms: a lower bound, and the value of the best plan. The search may end once both are on one side of `enough`."""
        try:
            inputs = self.inputs.after(changes)
            program, linear, wanted = self._laid_out(inputs, inputs.problem())
        except InputError:  # together they make no case, as where a plant that comes to count closes a loop of recipes
            return inf, inf
        self._last = tuple(changes), (program, linear, wanted)
        assert len(wanted) or self.need.rules, "demands to be served are in the facts that are asked about"
        rows = empty_rows(linear)
        if self.need.rules & {owner.removeprefix("rule ") for owner in program.owners_of(rows)}:
            return inf, inf
        cost = np.zeros(len(linear.cost))
        cost[wanted if len(wanted) else np.arange(len(cost))] = 1.0
        asked = replace(linear, cost=cost, constant=0.0)
        answer = self._compared(asked, enough if len(wanted) else -inf, program.start(self._choices))
        if answer.outcome is SolverOutcome.INFEASIBLE:
            return inf, inf
        if not len(wanted):
            return 0.0, 0.0  # nothing is wanted: what counts is whether there is any plan
        if answer.objective <= enough or answer.bound > enough > -inf:
            return min(answer.bound, answer.objective), answer.objective
        return answer.objective, answer.objective

    def _laid_out(self, inputs: Inputs, problem: Problem) -> tuple[Program, Linear, Ints]:
        """Return the program of some facts for the smallest shortage, and the columns of the shortage."""
        program = compile_program(problem)
        count = problem.case.horizon.count
        upper = program.linear.upper.copy()
        for position, demand in enumerate(problem.demands):
            if demand.id in self._ceilings:
                first = program.columns.short + position * count
                upper[first : first + count] = np.minimum(upper[first : first + count], self._ceilings[demand.id])
        linear = replace(program.linear, upper=upper, row_lower=self._drawn(program, inputs))
        return program, linear, program.short_of(self.need.demands)

    def _drawn(self, program: Program, inputs: Inputs) -> Floats:
        """Return the minimum of each row if stock granted by a lever is drawn only as it helps.

        Otherwise the rest would have to be held, perhaps without room or money for it, so that more stock could be worse.
        """
        given = {stock.id for stock in self.inputs.case.stocks}
        granted = {f"lot {stock.id}" for stock in inputs.case.stocks if stock.id not in given}
        lower = program.linear.row_lower.copy()
        lower[[first for first, owner in program.owners if owner in granted]] = 0.0
        return lower

    @cached_property
    def _ceilings(self) -> dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]]:
        """Maximum shortage of every other demand: that in the plan plus a step of the resolution. Demands whose rules conflict are left out."""
        problem, plan = self.session.problem, self.session.verified.plan
        conflicting = {name for part in plan.infeasible for name in part.demands}
        found = {
            d.id: np.full(problem.case.horizon.count, float(problem.case.resolution))
            for d in problem.demands
            if d.id not in conflicting and d.id not in self.need.demands
        }
        for entry in plan.shorts:
            if entry.demand in found:
                found[entry.demand][entry.period] += float(entry.quantity)
        return found


def least_amounts(trials: Trials, amounts: Amounts) -> dict[int, tuple[Decimal, ...]]:
    """Return amounts that can't be reduced one by one.

    Each is as small as possible with earlier amounts at their minimum and later ones at their bounds.

    Raises:
        SearchEndedError: If the search is over.
    """
    found = dict(amounts)
    moving = [i for i in sorted(found) if trials.levers[i].kind is LeverKind.LATER]
    _reduce(trials, found, moving)
    rest = [i for i in sorted(found) if i not in moving]
    by_rows = _by_rows(trials, dict(found), rest)
    if by_rows is not None and trials.within(by_rows, trials.allowed(found)):
        return by_rows
    _reduce(trials, found, rest)
    return found


def _by_rows(
    trials: Trials, found: dict[int, tuple[Decimal, ...]], rest: Sequence[int]
) -> dict[int, tuple[Decimal, ...]] | None:
    """Return the least amounts by the program of the set, if they are only ends of rows. None otherwise."""
    program = trials.of_set(found) if any(found[i] for i in rest) else None
    if program is None or (program.integer and any(found[i] and trials.levers[i].one_by_one for i in rest)):
        return None
    for lever in rest:
        if not found[lever]:
            continue
        allowed = trials.close if program.within(found, trials.close) else trials.nothing
        step, high = trials.levers[lever].step, _steps(trials.levers[lever], found[lever][0])
        if trials.levers[lever].one_by_one:
            n = next((n for n in range(high) if program.within({**found, lever: (step * n,)}, allowed)), high)
            found[lever] = (step * n,)
            continue
        if program.integer:
            least: int | None = _by_choices(step, high, program, found, lever, allowed)
        else:
            least = _by_slopes(step, high, program.short, found, lever, allowed)
        if least is None:
            return None
        found[lever] = (step * least,)
    trials.begin_from(program.choices)
    return found


def _by_slopes(
    step: Decimal,
    high: int,
    short: Callable[[Amounts, Amounts | None], tuple[float, float]],
    found: Amounts,
    lever: int,
    allowed: float,
    first: int = 0,
    exactly: bool = True,
) -> int | None:
    """Return the smallest sufficient number of steps from `first`, or one more by rounding if not `exactly`. None if slopes don't lead to it.

    The shortage is a convex function of an amount that is an end of rows. The function is therefore above its tangent, and can't reach the permitted
    shortage before the tangent does.
    """

    def at(n: int) -> Amounts:
        return {**found, lever: (step * n,)}

    n, known = first, not exactly
    for _ in range(_MOST_SLOPES):
        value, slope = short(at(n), at(n + 1))
        if value <= allowed:
            return None if n and not known and short(at(n - 1), None)[0] <= allowed else n
        if not value < inf or slope >= 0:
            return None
        more = ceil((value - allowed) / -slope * (1 - 1e-12))
        known = not exactly or more <= 1 or value + slope * (more - 1) > 2 * allowed
        n += max(1, more)
        if n > high:
            return None
    return None


def _by_choices(step: Decimal, high: int, program: SetProgram, found: Amounts, lever: int, allowed: float) -> int:
    """Return the smallest sufficient number of steps in a program with integer variables. `high` must suffice.

    From the choices of a plan that is nearly sufficient, slopes lead to its sufficient amount. One search shows that a step less doesn't suffice.
    """
    low = -1
    first = _by_slopes(step, high, program.short, found, lever, allowed, exactly=False)
    if first is not None:
        program.look_for_plan({**found, lever: (step * first,)}, allowed)
        if first and program.short({**found, lever: (step * (first - 1),)})[0] > allowed:
            low = first - 1
    for number in count(1):
        near = _by_slopes(step, high, program.short_as_chosen, found, lever, allowed, low + 1, exactly=False)
        high = high if near is None else near
        if high - low <= 1:
            return high
        by_halves = near is None or number % _ROUNDS_OF_CHOICES == 0
        n = (low + high) // 2 if by_halves else high - 1
        if program.within({**found, lever: (step * n,)}, allowed):
            high = n
        else:
            low = n
    raise AssertionError


def _reduce(trials: Trials, found: dict[int, tuple[Decimal, ...]], which: Sequence[int]) -> None:
    """Minimize the amounts of some levers one after the other."""
    for lever in which:
        step = trials.levers[lever].step
        for position in range(len(found[lever])):
            allowed = trials.allowed(found)

            def at(n: int, lever: int = lever, position: int = position, step: Decimal = step) -> Amounts:
                return {**found, lever: _with(found, lever, position, step * n)}

            high = _steps(trials.levers[lever], found[lever][position])
            if trials.levers[lever].one_by_one:
                do = (n for n in range(high) if not trials.refuted(at(n)) and trials.within(at(n), allowed))
                n = next(do, high)
            else:
                n = _bracketed(lambda n: trials.short(at(n)), high, allowed)
            found[lever] = _with(found, lever, position, step * n)


def _steps(lever: Lever, amount: Decimal) -> int:
    return int((amount / lever.step).to_integral_value(ROUND_CEILING))


def _with(found: Mapping[int, tuple[Decimal, ...]], lever: int, position: int, amount: Decimal) -> tuple[Decimal, ...]:
    old = found[lever]
    return (*old[:position], amount, *old[position + 1 :])


def _bracketed(short: Callable[[int], float], high: int, allowed: float) -> int:
    """Return the smallest sufficient number of steps up to `high`, which must suffice. Trials with it and with one step less prove it.

    The shortage falls with the amount, usually as a convex, piecewise linear function. The line through the two largest insufficient amounts
    then meets zero no later than the function does. If that gains little, the bracket is halved.
    """
    low = 0
    points = [(low, short(low))]
    if points[0][1] <= allowed:
        return 0
    by_line = False
    while high - low > 1:
        line = None if by_line else _meets_zero(points, allowed)
        n = (low + high) // 2 if line is None else min(max(line, low + 1), high - 1)
        value = short(n)
        by_line = line is not None
        if value > allowed:
            points, low = [points[-1], (n, value)], n
            continue
        high = n
        if by_line and high - low > 1:  # if the line is the function, a step less will not do
            value = short(n - 1)
            low, high = (n - 1, n) if value > allowed else (low, n - 1)
    return high


def _meets_zero(points: Sequence[tuple[int, float]], nothing: float) -> int | None:
    """Return the zero of the line through two points. None without two points, or if it doesn't fall."""
    if len(points) < 2 or not points[0][1] < inf or points[1][1] >= points[0][1]:
        return None
    (n, first), (m, last) = points
    return ceil(m + (last - nothing) * (m - n) / (first - last))
