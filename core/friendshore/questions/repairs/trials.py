"""Whether some demands can be served once levers are used: by the least that they can then be short of."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import ROUND_CEILING, Decimal
from itertools import product
from math import ceil, inf

import numpy as np

from ...domain.change import Change
from ...errors import InputError
from ...problem.float_tables import Floats
from ...problem.impact import impact
from ...problem.inputs import Inputs
from ...program import Program, compile_program
from ...session import Session
from ...solve import Limits, least
from ...solve.components import empty_rows
from .levers import Lever, LeverKind, Need

Amounts = Mapping[int, tuple[Decimal, ...]]
"""Lever, by its place -> how much of it is used; nothing for a matter of yes or no."""


_CLOSE = 0.01
"""Part of the resolution that may be short: less than rounding would show."""


class TimeIsUpError(Exception):
    """The time for a question is over, or the user ended it. Never passed on: what is found by then is told."""


def worked() -> float:
    """Processor seconds of this process and of those that it started and that are done: what waits for a busy machine is no work."""
    return sum(os.times()[:4])


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
        """When to stop, by what has been `worked`."""
        self.solved = 0
        changes = [change for lever in levers for change in lever.make(lever.most)]
        about = {d.use.material.id for d in session.problem.demands if d.id in need.demands} | need.materials
        part_of = session.parts.of_material
        own = {session.parts.members[part_of[name]] for name in about if name in part_of}
        parts = [part for part in impact(session.parts, changes) if about & part.members]
        members = frozenset().union(*own, *(part.members for part in parts))
        rules = frozenset().union(*(part.rules for part in parts))
        self.inputs = _weighed(session.parts.part(members, rules), changes)
        case = session.problem.case
        wanted = sum((sum(d.quantity) for d in session.problem.demands if d.id in need.demands), Decimal(0))
        self.close = float(case.resolution) * _CLOSE
        """Kilograms below which nothing is short even before a plan is rounded."""
        self.nothing = self.close + 1e-9 * float(wanted)
        """Kilograms that a solver may be out by where much is wanted."""
        self._known: dict[tuple[Change, ...], float] = {}

    def short(self, amounts: Amounts) -> float:
        """Kilograms that the demands are short of at best; infinite if the rules conflict.

        Raises:
            TimeIsUpError: if there is no time left.
        """
        changes = tuple(change for i in sorted(amounts) for change in self.levers[i].make(amounts[i]))
        if changes not in self._known:
            self._known[changes] = self._least(changes)
        return self._known[changes]

    def serves(self, amounts: Amounts) -> bool:
        """Whether the demands can be served in full."""
        return self.short(amounts) <= self.nothing

    def allowed(self, amounts: Amounts) -> float:
        """Kilograms that may be short with smaller amounts than these, which serve the demands: none that a plan would show, if it can be."""
        return self.close if self.short(amounts) <= self.close else self.nothing

    def at_bounds(self, chosen: Sequence[int]) -> Amounts | None:
        """Amounts within their bounds that serve the demands, as large as may be; None if none do.

        More of a lever is never worse (of a stock only what helps is drawn), but for demand that is wanted later: laws that begin in the meantime hold for it, so
        every number of periods is tried, the same for all demands.
        """
        free = {i: self.levers[i].most for i in chosen}
        for later in self._laters(chosen):
            amounts = {**free, **later}
            if self.serves(amounts):
                return amounts
        return None

    def best(self) -> float:
        """Kilograms that the demands are short of with all levers at their bounds; infinite if the rules still conflict.

        Raises:
            TimeIsUpError: if there is no time left.
        """
        free = {i: lever.most for i, lever in enumerate(self.levers)}
        return min(self.short({**free, **later}) for later in self._laters(range(len(self.levers))))

    def _laters(self, chosen: Sequence[int]) -> list[dict[int, tuple[Decimal, ...]]]:
        """Every delay of the levers that have one, the least first."""
        moved = [i for i in chosen if self.levers[i].kind is LeverKind.LATER]
        choices = []
        for i in moved:
            lever = self.levers[i]
            count = int(lever.most[0] / lever.step)
            choices.append([(i, (lever.step * n,) * len(lever.most)) for n in range(count + 1)])
        return [dict(choice) for choice in product(*choices)]

    def _least(self, changes: Sequence[Change]) -> float:
        left = self.until - worked()
        cancel = self.session.cancel
        if left <= 0 or (cancel is not None and cancel.is_set()):
            raise TimeIsUpError
        self.solved += 1
        try:
            inputs = self.inputs.after(changes)
            problem = inputs.problem()
        except InputError:  # together they make no case, as where a plant that comes to count closes a loop of recipes
            return inf
        program = compile_program(problem)
        count = problem.case.horizon.count
        upper = program.linear.upper.copy()
        wanted: list[int] = []
        for position, demand in enumerate(problem.demands):
            first = program.columns.short + position * count
            if demand.id in self.need.demands:
                wanted.extend(range(first, first + count))
            elif demand.id in self._ceilings:
                upper[first : first + count] = np.minimum(upper[first : first + count], self._ceilings[demand.id])
        linear = replace(program.linear, upper=upper, row_lower=self._drawn(program, inputs))
        program = replace(program, linear=linear)
        assert wanted or self.need.rules, "demands to be served are in the facts that are asked about"
        rows = empty_rows(program.linear)
        if self.need.rules & {owner.removeprefix("rule ") for owner in program.owners_of(rows)}:
            return inf
        columns = np.array(wanted, dtype=np.intp) if wanted else np.arange(len(upper))
        found = least(program, columns, Limits(seconds=left, workers=1), cancel)
        if found is None:
            raise TimeIsUpError
        return found if wanted or found == inf else 0.0  # nothing is wanted: what counts is whether there is any plan

    def _drawn(self, program: Program, inputs: Inputs) -> Floats:
        """The rows' least values where of a stock that is granted only as much is drawn as helps: what is left would have to be held,
        for which there may be neither room nor money, so that more of it could be worse.
        """
        given = {stock.id for stock in self.inputs.case.stocks}
        granted = {f"lot {stock.id}" for stock in inputs.case.stocks if stock.id not in given}
        lower = program.linear.row_lower.copy()
        lower[[first for first, owner in program.owners if owner in granted]] = 0.0
        return lower

    @property
    def _ceilings(self) -> dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]]:
        """What every other demand is short of in the plan, and a step of the resolution more; those whose rules conflict are left out."""
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


def _weighed(inputs: Inputs, changes: Sequence[Change]) -> Inputs:
    """The same facts without rules that bear on nothing: those that find nothing against any offer with all levers used, and, where no
    limit asks for money, those that only charge. What can be served does not depend on them.
    """
    world = inputs.after(changes).problem()
    judgements = world.judgements.values()
    silent = {
        rule.id
        for number, rule in enumerate(world.rules)
        if rule.verbs == {"judge"} and not any(number in j.chain or number in j.trade for j in judgements)
    }
    if all(term.unit != "money" for _, row in world.limit_rows for term in row.asked):
        silent |= {rule.id for rule in world.rules if rule.verbs == {"charge"}}
    return replace(inputs, rules=tuple(rule for rule in inputs.rules if rule.id not in silent))


def least_amounts(trials: Trials, amounts: Amounts) -> dict[int, tuple[Decimal, ...]]:
    """Amounts of which none can be smaller: each as small as the ones before it, at their least, and the ones after it, at their bounds, allow.

    Raises:
        TimeIsUpError: if there is no time left.
    """
    found = dict(amounts)
    for lever in sorted(found):
        for position in range(len(found[lever])):
            allowed = trials.allowed(found)
            search = _one_by_one if trials.levers[lever].one_by_one else _bracketed
            found[lever] = search(trials, found, lever, position, allowed)
    return found


def _with(found: Mapping[int, tuple[Decimal, ...]], lever: int, position: int, amount: Decimal) -> tuple[Decimal, ...]:
    old = found[lever]
    return (*old[:position], amount, *old[position + 1 :])


def _one_by_one(
    trials: Trials, found: dict[int, tuple[Decimal, ...]], lever: int, position: int, allowed: float
) -> tuple[Decimal, ...]:
    """The first of few amounts that will do."""
    step, most = trials.levers[lever].step, found[lever][position]
    for n in range(int(most / step)):
        tried = _with(found, lever, position, step * n)
        if trials.short({**found, lever: tried}) <= allowed:
            return tried
    return found[lever]


def _bracketed(
    trials: Trials, found: dict[int, tuple[Decimal, ...]], lever: int, position: int, allowed: float
) -> tuple[Decimal, ...]:
    """The least multiple of the step that will do: shown by a trial with it, and one with a step less.

    What is short falls with the amount, in most cases as a convex function of straight pieces: the line through the two largest amounts that
    do not do meets zero no further than the function does. Where that gains little, the bracket is halved.
    """
    step = trials.levers[lever].step

    def short(n: int) -> float:
        return trials.short({**found, lever: _with(found, lever, position, step * n)})

    low, high = 0, int((found[lever][position] / step).to_integral_value(ROUND_CEILING))
    points = [(low, short(low))]
    if points[0][1] <= allowed:
        return _with(found, lever, position, Decimal(0))
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
    return _with(found, lever, position, step * high)


def _meets_zero(points: Sequence[tuple[int, float]], nothing: float) -> int | None:
    """Where the line through two points meets zero; None without two, or where it falls nowhere."""
    if len(points) < 2 or not points[0][1] < inf or points[1][1] >= points[0][1]:
        return None
    (n, first), (m, last) = points
    return ceil(m + (last - nothing) * (m - n) / (first - last))
