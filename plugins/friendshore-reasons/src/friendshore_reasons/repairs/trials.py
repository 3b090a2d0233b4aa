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

from .levers import Amounts, Lever, LeverFacts, LeverKind, Members, Need, affected_facts, without_irrelevant_rules
from .relaxation import Relaxation, SetProgram

_CLOSE = 0.01
"""Shortage that counts as none, as a part of the resolution: less than rounding shows."""

_SURE = 1e-6
"""Shortage that counts as none in a refutation without a trial, as a part of the demand, because a proof uses doubles."""

_MAX_SLOPES = 60
"""Maximum number of linear pieces of the shortage that are followed."""

_ROUNDS_OF_CHOICES = 4
"""Searches near the choices of the last plan. The bracket is halved once after each."""


class SearchEndedError(Exception):
    """The allowance is used up, or the user ended the search. Callers catch it and report the results so far."""


class Trials:
    """Solver for the smallest shortage of some demands with levers. Its methods raise SearchEndedError if the search is over.

    No other demand may be shorter than in the plan in any period, since taking supply from another demand is no repair.
    """

    def __init__(self, session: Session, need: Need, levers: Sequence[Lever]) -> None:
        self.session = session
        self.need = need
        self.levers = levers
        self.until = inf
        self.on_solve: Callable[[], object] = lambda: None
        self._tried = 0
        changes = [change for lever in levers for change in lever.changes(lever.max_amounts)]
        self.inputs = without_irrelevant_rules(affected_facts(session, need, changes), changes)
        case = session.problem.case
        demanded_kg = sum((sum(d.quantity) for d in session.problem.demands if d.id in need.demands), Decimal(0))
        self.strict_tolerance = float(case.resolution) * _CLOSE
        """Kilograms that count as no shortage before a plan is rounded."""
        self.tolerance = self.strict_tolerance + 1e-9 * float(demanded_kg)
        """Kilograms that count as no shortage, including a solver's error for large demands."""
        self.refuting_kg = max(2 * self.tolerance, _SURE * float(demanded_kg))
        """Kilograms short that refute a set without a trial."""
        self._bounds_by_changes: dict[tuple[Change, ...], tuple[float, float]] = {}
        """Changes -> shortage in kilograms after them: lower bound, and value of the best plan."""
        self._choices: Choices = session.choices
        """Choices of a plan that searches start from."""
        self._relaxation: Relaxation | None = None
        self._last: tuple[tuple[Change, ...], tuple[Program, Linear, Ints]] | None = None

    @property
    def relaxation(self) -> Relaxation:
        if self._relaxation is None:
            facts = LeverFacts(self.inputs, self.levers, self.refuting_kg, self._before_solve)
            self._relaxation = Relaxation(facts, self.need.demands, self._shortage_program)
        return self._relaxation

    def short(self, amounts: Amounts) -> float:
        """Return the smallest shortage in kilograms. Infinite if the rules conflict."""
        changes = self.changes(amounts)
        lower, upper = self._bounds_by_changes.get(changes, (0.0, inf))
        if lower != upper:
            lower, upper = self._bounds_by_changes[changes] = self._shortage_bounds(changes)
        return upper

    def within(self, amounts: Amounts, enough: float) -> bool:
        """Return True if the shortage can be at most `enough`. The solve stops as soon as that is decided."""
        changes = self.changes(amounts)
        lower, upper = self._bounds_by_changes.get(changes, (0.0, inf))
        if lower <= enough < upper:
            lower, upper = self._bounds_by_changes[changes] = self._shortage_bounds(changes, enough)
        return upper <= enough

    def changes(self, amounts: Amounts) -> tuple[Change, ...]:
        return tuple(change for i in sorted(amounts) for change in self.levers[i].changes(amounts[i]))

    def allowed_shortage(self, amounts: Amounts) -> float:
        """Return the permitted shortage in kilograms with amounts below these, which serve the demands. A plan shows none of it if possible."""
        return self.strict_tolerance if self.within(amounts, self.strict_tolerance) else self.tolerance

    def at_bounds(self, chosen: Sequence[int]) -> Amounts | None:
        """Return amounts within their bounds that serve the demands, as large as possible. None if there are none."""
        max_amounts = {i: self.levers[i].max_amounts for i in chosen}
        # More of a lever is never worse, except of a delay: laws that begin in the meantime then apply. So every delay is tried,
        # with the same number of periods for all demands.
        for delay in self._delays(chosen):
            amounts = {**max_amounts, **delay}
            if not self.refuted(amounts) and self.within(amounts, self.tolerance):
                return amounts
        return None

    def refuted(self, amounts: Amounts) -> bool:
        """Return True if the demands are provably short, without a trial."""
        delays = [amounts[i] for i, lever in enumerate(self.levers) if lever.kind is LeverKind.LATER and i in amounts]
        uniform = all(len(set(months)) == 1 for months in delays)  # else it takes as much to lay out as a trial
        return uniform and not self.need.rules and self.relaxation.refuted(amounts)

    def program_of_set(self, amounts: Amounts) -> SetProgram | None:
        """Return the program of a set of levers at these amounts, for questions about smaller ones. None if that takes trials."""
        if self.need.rules:
            return None
        if self._last is None or self._last[0] != self.changes(amounts):
            inputs = self.inputs.after(self.changes(amounts))
            self._last = self.changes(amounts), self._shortage_program(inputs, inputs.problem())
        return self.relaxation.program_of_set(amounts, *self._last[1], self._compare)

    def begin_from(self, choices: Choices) -> None:
        self._choices = {**self.session.choices, **choices}

    def widened(self, members: Members, grow: bool) -> Members | None:
        """Return a superset that provably doesn't serve the demands, as large as possible if `grow`. None if these levers may serve them."""
        if self.need.rules:
            return None
        return self.relaxation.widened(members, self._delays, grow)

    def best(self) -> float:
        """Return the shortage in kilograms with all levers at their bounds. Infinite if the rules still conflict."""
        max_amounts = {i: lever.max_amounts for i, lever in enumerate(self.levers)}
        return min(self.short({**max_amounts, **delay}) for delay in self._delays(range(len(self.levers))))

    def _delays(self, chosen: Iterable[int]) -> list[Amounts]:
        delaying = [i for i in chosen if self.levers[i].kind is LeverKind.LATER]
        choices = []
        for i in delaying:
            lever = self.levers[i]
            step_count = int(lever.max_amounts[0] / lever.step)
            choices.append([(i, (lever.step * steps,) * len(lever.max_amounts)) for steps in range(step_count + 1)])
        return [dict(choice) for choice in product(*choices)]

    @property
    def solved(self) -> int:
        return self._tried + (0 if self._relaxation is None else self._relaxation.facts.solved)

    def _before_solve(self) -> None:
        self.on_solve()
        if self.solved >= self.until or self.session.stopped:
            raise SearchEndedError

    def _compare(self, linear: Linear, enough: float, start: Floats | None, /, *, sure: bool = True) -> SolverAnswer:
        """Compare the smallest shortage of a program with `enough`. With `sure`, a second solver confirms the answer."""
        self._before_solve()
        self._tried += 1
        limits = Limits(seconds=self.session.limits.seconds, workers=1, until=self.session.limits.until)
        limits = limits if sure else replace(limits, engines=replace(limits.engines, second=()))
        answer = compared(linear, enough, limits, self.session.cancel, start)
        if sure and answer.outcome not in (SolverOutcome.OPTIMAL, SolverOutcome.INFEASIBLE):
            raise SearchEndedError
        return answer

    def _shortage_bounds(self, changes: Sequence[Change], enough: float = -inf) -> tuple[float, float]:
        """Return a lower bound on the shortage in kilograms, and that of the best plan. The search ends once both are on one side of `enough`."""
        try:
            inputs = self.inputs.after(changes)
            program, linear, shortage_columns = self._shortage_program(inputs, inputs.problem())
        except InputError:  # together they make no case, as where a plant that comes to count closes a loop of recipes
            return inf, inf
        self._last = tuple(changes), (program, linear, shortage_columns)
        assert len(shortage_columns) or self.need.rules, "demands to be served are in the facts that are asked about"
        rows = empty_rows(linear)
        if self.need.rules & {owner.removeprefix("rule ") for owner in program.owners_of(rows)}:
            return inf, inf
        cost = np.zeros(len(linear.cost))
        cost[shortage_columns if len(shortage_columns) else np.arange(len(cost))] = 1.0
        shortage_program = replace(linear, cost=cost, constant=0.0)
        answer = self._compare(
            shortage_program, enough if len(shortage_columns) else -inf, program.start(self._choices)
        )
        if answer.outcome is SolverOutcome.INFEASIBLE:
            return inf, inf
        if not len(shortage_columns):
            return 0.0, 0.0  # there is no demand, so any plan will do
        if answer.objective <= enough or answer.bound > enough > -inf:
            return min(answer.bound, answer.objective), answer.objective
        return answer.objective, answer.objective

    def _shortage_program(self, inputs: Inputs, problem: Problem) -> tuple[Program, Linear, Ints]:
        program = compile_program(problem)
        count = problem.case.horizon.count
        upper = program.linear.upper.copy()
        for position, demand in enumerate(problem.demands):
            if demand.id in self._ceilings:
                first = program.columns.short + position * count
                upper[first : first + count] = np.minimum(upper[first : first + count], self._ceilings[demand.id])
        linear = replace(program.linear, upper=upper, row_lower=self._row_minima(program, inputs))
        return program, linear, program.short_of(self.need.demands)

    def _row_minima(self, program: Program, inputs: Inputs) -> Floats:
        """Return the minimum of each row if stock from a lever is drawn only as it helps."""
        own_stocks = {stock.id for stock in self.inputs.case.stocks}
        granted_lots = {f"lot {stock.id}" for stock in inputs.case.stocks if stock.id not in own_stocks}
        lower = program.linear.row_lower.copy()
        # Otherwise the rest would have to be held, perhaps without room or money for it, so that more stock could be worse.
        lower[[first for first, owner in program.owners if owner in granted_lots]] = 0.0
        return lower

    @cached_property
    def _ceilings(self) -> dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]]:
        """Maximum shortage of every other demand: that in the plan plus a step of the resolution. Demands whose rules conflict are left out."""
        problem, plan = self.session.problem, self.session.verified.plan
        conflicting = {name for part in plan.infeasible for name in part.demands}
        ceilings = {
            d.id: np.full(problem.case.horizon.count, float(problem.case.resolution))
            for d in problem.demands
            if d.id not in conflicting and d.id not in self.need.demands
        }
        for entry in plan.shorts:
            if entry.demand in ceilings:
                ceilings[entry.demand][entry.period] += float(entry.quantity)
        return ceilings


def least_amounts(trials: Trials, amounts: Amounts) -> dict[int, tuple[Decimal, ...]]:
    """Return amounts that can't be reduced one by one: each is minimal with earlier ones at their minimum and later ones at their bounds."""
    reduced = dict(amounts)
    delaying = [i for i in sorted(reduced) if trials.levers[i].kind is LeverKind.LATER]
    _reduce(trials, reduced, delaying)
    rest = [i for i in sorted(reduced) if i not in delaying]
    by_rows = _amounts_by_rows(trials, dict(reduced), rest)
    if by_rows is not None and trials.within(by_rows, trials.allowed_shortage(reduced)):
        return by_rows
    _reduce(trials, reduced, rest)
    return reduced


def _amounts_by_rows(
    trials: Trials, amounts: dict[int, tuple[Decimal, ...]], rest: Sequence[int]
) -> dict[int, tuple[Decimal, ...]] | None:
    """Return the smallest amounts from the program of the set. None if the amounts aren't only bounds of rows."""
    program = trials.program_of_set(amounts) if any(amounts[i] for i in rest) else None
    if program is None or (program.integer and any(amounts[i] and trials.levers[i].tried_one_by_one for i in rest)):
        return None
    for lever in rest:
        if not amounts[lever]:
            continue
        allowed_shortage = (
            trials.strict_tolerance if program.within(amounts, trials.strict_tolerance) else trials.tolerance
        )
        step, high = trials.levers[lever].step, _steps(trials.levers[lever], amounts[lever][0])
        if trials.levers[lever].tried_one_by_one:
            counts = (n for n in range(high) if program.within({**amounts, lever: (step * n,)}, allowed_shortage))
            amounts[lever] = (step * next(counts, high),)
            continue
        if program.integer:
            steps: int | None = _by_choices(step, high, program, amounts, lever, allowed_shortage)
        else:
            steps = _by_slopes(step, high, program.short, amounts, lever, allowed_shortage)
        if steps is None:
            return None
        amounts[lever] = (step * steps,)
    trials.begin_from(program.choices)
    return amounts


def _by_slopes(
    step: Decimal,
    high: int,
    short: Callable[[Amounts, Amounts | None], tuple[float, float]],
    amounts: Amounts,
    lever: int,
    allowed_shortage: float,
    first: int = 0,
    exactly: bool = True,
) -> int | None:
    """Return the smallest sufficient number of steps from `first`, or one more by rounding if not `exactly`. None if slopes don't lead to it."""

    def with_steps(n: int) -> Amounts:
        return {**amounts, lever: (step * n,)}

    # The shortage is a convex function of an amount that bounds rows. It is therefore above its tangent, and can't reach the
    # permitted shortage before the tangent does.
    n, is_minimal = first, not exactly
    for _ in range(_MAX_SLOPES):
        value, slope = short(with_steps(n), with_steps(n + 1))
        if value <= allowed_shortage:
            return None if n and not is_minimal and short(with_steps(n - 1), None)[0] <= allowed_shortage else n
        if not value < inf or slope >= 0:
            return None
        increase = ceil((value - allowed_shortage) / -slope * (1 - 1e-12))
        is_minimal = not exactly or increase <= 1 or value + slope * (increase - 1) > 2 * allowed_shortage
        n += max(1, increase)
        if n > high:
            return None
    return None


def _by_choices(
    step: Decimal, high: int, program: SetProgram, amounts: Amounts, lever: int, allowed_shortage: float
) -> int:
    """Return the smallest sufficient number of steps in a program with integer variables. `high` must suffice."""
    # From the choices of a plan that is nearly sufficient, slopes lead to its sufficient amount. One search shows that a step
    # less doesn't suffice.
    low = -1
    first = _by_slopes(step, high, program.short, amounts, lever, allowed_shortage, exactly=False)
    if first is not None:
        program.look_for_plan({**amounts, lever: (step * first,)}, allowed_shortage)
        if first and program.short({**amounts, lever: (step * (first - 1),)})[0] > allowed_shortage:
            low = first - 1
    for round_number in count(1):
        estimate = _by_slopes(
            step, high, program.short_as_chosen, amounts, lever, allowed_shortage, low + 1, exactly=False
        )
        high = high if estimate is None else estimate
        if high - low <= 1:
            return high
        bisect = estimate is None or round_number % _ROUNDS_OF_CHOICES == 0
        n = (low + high) // 2 if bisect else high - 1
        if program.within({**amounts, lever: (step * n,)}, allowed_shortage):
            high = n
        else:
            low = n
    raise AssertionError


def _reduce(trials: Trials, amounts: dict[int, tuple[Decimal, ...]], levers: Sequence[int]) -> None:
    for lever in levers:
        step = trials.levers[lever].step
        for position in range(len(amounts[lever])):
            allowed_shortage = trials.allowed_shortage(amounts)

            def with_steps(n: int, lever: int = lever, position: int = position, step: Decimal = step) -> Amounts:
                return {**amounts, lever: _with_amount(amounts, lever, position, step * n)}

            high = _steps(trials.levers[lever], amounts[lever][position])
            if trials.levers[lever].tried_one_by_one:
                sufficient = (
                    n
                    for n in range(high)
                    if not trials.refuted(with_steps(n)) and trials.within(with_steps(n), allowed_shortage)
                )
                n = next(sufficient, high)
            else:
                n = _bracketed(lambda n: trials.short(with_steps(n)), high, allowed_shortage)
            amounts[lever] = _with_amount(amounts, lever, position, step * n)


def _steps(lever: Lever, amount: Decimal) -> int:
    return int((amount / lever.step).to_integral_value(ROUND_CEILING))


def _with_amount(
    amounts: Mapping[int, tuple[Decimal, ...]], lever: int, position: int, amount: Decimal
) -> tuple[Decimal, ...]:
    lever_amounts = amounts[lever]
    return (*lever_amounts[:position], amount, *lever_amounts[position + 1 :])


def _bracketed(short: Callable[[int], float], high: int, allowed_shortage: float) -> int:
    """Return the smallest sufficient number of steps up to `high`, which must suffice. Trials with it and with one step less prove it."""
    # The shortage falls with the amount, usually as a convex, piecewise linear function. The line through the two largest
    # insufficient amounts then meets zero no later than the function does. If that gains little, the bracket is halved.
    low = 0
    points = [(low, short(low))]
    if points[0][1] <= allowed_shortage:
        return 0
    by_estimate = False
    while high - low > 1:
        estimate = None if by_estimate else _estimated_zero(points, allowed_shortage)
        n = (low + high) // 2 if estimate is None else min(max(estimate, low + 1), high - 1)
        value = short(n)
        by_estimate = estimate is not None
        if value > allowed_shortage:
            points, low = [points[-1], (n, value)], n
            continue
        high = n
        if by_estimate and high - low > 1:  # if the line is the function, a step less will not do
            value = short(n - 1)
            low, high = (n - 1, n) if value > allowed_shortage else (low, n - 1)
    return high


def _estimated_zero(points: Sequence[tuple[int, float]], allowed_shortage: float) -> int | None:
    """Return the zero of the line through two points. None without two points, or if it doesn't fall."""
    if len(points) < 2 or not points[0][1] < inf or points[1][1] >= points[0][1]:
        return None
    (n, first), (m, last) = points
    return ceil(m + (last - allowed_shortage) * (m - n) / (first - last))
