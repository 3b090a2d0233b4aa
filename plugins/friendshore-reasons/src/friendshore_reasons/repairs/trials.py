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
"""Part of the resolution that may be short: less than rounding would show."""

_SURE = 1e-6
"""Part of what is wanted, likewise where sets are refuted without a trial: a proof is in doubles."""

_MOST_SLOPES = 60
"""Straight pieces of what is short by an amount that are followed."""

_ROUNDS_OF_CHOICES = 4
"""Searches near the choices of the last plan, after each of which the bracket is halved once."""


class SearchEndedError(Exception):
    """So much as was allowed has been solved for, or the user ended it. Never passed on: what is found by then is told."""


class Trials:
    """Solves for the least shortage of some demands with levers used.

    No other demand may be short of more than it is in the plan, in any period: serving one by taking from another is no repair.
    """

    def __init__(self, session: Session, need: Need, levers: Sequence[Lever]) -> None:
        """Nothing is solved yet."""
        self.session = session
        self.need = need
        self.levers = levers
        self.until = inf
        """When to stop, by how much has been `solved`."""
        self.heard: Callable[[], object] = lambda: None
        """Called each time that something is to be solved."""
        self._tried = 0
        changes = [change for lever in levers for change in lever.make(lever.most)]
        self.inputs = weighed(facts_about(session, need, changes), changes)
        case = session.problem.case
        wanted = sum((sum(d.quantity) for d in session.problem.demands if d.id in need.demands), Decimal(0))
        self.close = float(case.resolution) * _CLOSE
        """Kilograms below which nothing is short even before a plan is rounded."""
        self.nothing = self.close + 1e-9 * float(wanted)
        """Kilograms that a solver may be out by where much is wanted."""
        self.sure = max(2 * self.nothing, _SURE * float(wanted))
        """Kilograms short by which a set is refuted without a trial."""
        self._known: dict[tuple[Change, ...], tuple[float, float]] = {}
        """Changes -> kilograms that are short after them: at least, and at most in the best plan."""
        self._choices: Choices = session.choices
        """Choices of a plan that searches begin from."""
        self._relaxed: Relaxation | None = None
        self._last: tuple[tuple[Change, ...], tuple[Program, Linear, Ints]] | None = None
        """The last program, with its changes."""

    @property
    def relaxed(self) -> Relaxation:
        """Relaxation that refutes sets of levers."""
        if self._relaxed is None:
            facts = LeverFacts(self.inputs, self.levers, self.sure, self._go_on)
            self._relaxed = Relaxation(facts, self.need.demands, self._laid_out)
        return self._relaxed

    def short(self, amounts: Amounts) -> float:
        """Kilograms that the demands are short of at best; infinite if the rules conflict.

        Raises:
            SearchEndedError: if no more is to be solved.
        """
        changes = self._changes(amounts)
        least, most = self._known.get(changes, (0.0, inf))
        if least != most:
            least, most = self._known[changes] = self._least(changes)
        return most

    def within(self, amounts: Amounts, enough: float) -> bool:
        """Return True if the shortage can be at most `enough`. The solve stops as soon as that is decided.

        Raises:
            SearchEndedError: if no more is to be solved.
        """
        changes = self._changes(amounts)
        least, most = self._known.get(changes, (0.0, inf))
        if least <= enough < most:
            least, most = self._known[changes] = self._least(changes, enough)
        return most <= enough

    def _changes(self, amounts: Amounts) -> tuple[Change, ...]:
        return tuple(change for i in sorted(amounts) for change in self.levers[i].make(amounts[i]))

    def allowed(self, amounts: Amounts) -> float:
        """Kilograms that may be short with smaller amounts than these, which serve the demands: none that a plan would show, if it can be."""
        return self.close if self.within(amounts, self.close) else self.nothing

    def at_bounds(self, chosen: Sequence[int]) -> Amounts | None:
        """Amounts within their bounds that serve the demands, as large as may be; None if none do.

        More of a lever is never worse (of a stock only what helps is drawn), but for demand that is wanted later: laws that begin in the meantime hold for it, so
        every number of periods is tried, the same for all demands.
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
        """The program of a set of levers at these amounts, to be asked about smaller ones; None where that takes trials."""
        if self.need.rules:
            return None
        if self._last is None or self._last[0] != self._changes(amounts):
            inputs = self.inputs.after(self._changes(amounts))
            self._last = self._changes(amounts), self._laid_out(inputs, inputs.problem())
        return self.relaxed.of_set(amounts, *self._last[1], self._compared)

    def begin_from(self, choices: Choices) -> None:
        """Begin searches from the choices of a plan; where it makes none, from those of the case's plan."""
        self._choices = {**self.session.choices, **choices}

    def widened(self, members: Members, far: bool) -> Members | None:
        """A set of levers that holds some, as large as may be if `far`, and surely does not serve the demands; None if it may even with these.

        Raises:
            SearchEndedError: if no more is to be solved.
        """
        if self.need.rules:
            return None
        return self.relaxed.widened(members, self._laters, far)

    def best(self) -> float:
        """Kilograms that the demands are short of with all levers at their bounds; infinite if the rules still conflict.

        Raises:
            SearchEndedError: if no more is to be solved.
        """
        free = {i: lever.most for i, lever in enumerate(self.levers)}
        return min(self.short({**free, **later}) for later in self._laters(range(len(self.levers))))

    def _laters(self, chosen: Iterable[int]) -> list[Amounts]:
        """Every delay of the levers that have one, the least first."""
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
        """Goes on to what is solved next.

        Raises:
            SearchEndedError: if no more is to be solved.
        """
        self.heard()
        if self.solved >= self.until or self.session.stopped:
            raise SearchEndedError

    def _compared(self, linear: Linear, enough: float, start: Floats | None, /, *, sure: bool = True) -> SolverAnswer:
        """Compare the smallest shortage of a program with `enough`, or find it if no shortage is enough. A second solver confirms it if `sure`.

        Raises:
            SearchEndedError: if no more is to be solved.
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
        """Kilograms that are short: at least, and at most in the best plan. The same, or one of them on this side of what is enough."""
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
        """The program of some facts, as it is asked for the least shortage, and the columns of what is short."""
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
        """The rows' least values where of a stock that is granted only as much is drawn as helps: what is left would have to be held,
        for which there may be neither room nor money, so that more of it could be worse.
        """
        given = {stock.id for stock in self.inputs.case.stocks}
        granted = {f"lot {stock.id}" for stock in inputs.case.stocks if stock.id not in given}
        lower = program.linear.row_lower.copy()
        lower[[first for first, owner in program.owners if owner in granted]] = 0.0
        return lower

    @cached_property
    def _ceilings(self) -> dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]]:
        """Shortage of every other demand in the plan plus a step of the resolution. Demands whose rules conflict are left out."""
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
    """Amounts of which none can be smaller: each as small as the ones before it, at their least, and the ones after it, at their bounds, allow.

    Raises:
        SearchEndedError: if no more is to be solved.
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
    """The same of the program of the set, where the amounts are ends of rows; None where they are more than that."""
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
    """The least number of steps, from the first on, that will do, or one more by rounding if not `exactly`. None where slopes do not lead there.

    What is short is a convex function of an amount that is an end of rows: where its tangent meets what is allowed, it is no less itself.
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
    """The least number of steps that will do in a program with integer variables; `high` will do.

    With the choices of a plan that is nearly enough, slopes lead to the amount with which it is. One search shows that a step less will not do.
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
    """Makes the amounts of some levers as small as may be, one after the other."""
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
    """The least number of steps that will do, of `high` that do: shown by a trial with it, and one with a step less.

    What is short falls with the amount, in most cases as a convex function of straight pieces: the line through the two largest amounts that
    do not do meets zero no further than the function does. Where that gains little, the bracket is halved.
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
