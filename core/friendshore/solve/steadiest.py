"""Tie-breaking among the cheapest plans: least spend on countries of concern, then the steadiest orders, then the latest ones.

It replaces the plan of each component that is proved optimal by another optimum of the same program. Integer variables and violations of soft limits keep
their values. These are minimized in turn, each as far as the levels before it allow:

1. money for purchases that are, or may be, of concern because of their seller or their own steps (`rules.verdicts`), not discounted
2. the part of it for purchases that certainly are
3. the sum of `|q(t) - q(t-1)|` over all offers, where `q(t)` is the quantity ordered in period t
4. how early orders are placed, in kilograms times periods
5. a sum of orders with arbitrary weights that depend only on names and dates of orders
6. a sum with arbitrary weights of all columns

So the same facts give the same orders, and a change moves only orders that it affects.

A made good is also of concern because of its inputs. The program doesn't trace goods through stocks, so the first two levels count its inputs
at their purchase, and its own price only because of its own steps.

Each level keeps the levels before it by complementary slackness. Given optimal duals, a plan is optimal exactly if each column with a reduced cost is
at its bound, and each row with a dual is too (Bertsimas and Tsitsiklis, Introduction to Linear Optimization, 1997, theorem 4.5). So these columns are
fixed, and these rows become equations. The remaining program is small, and no tolerance lets costs rise.

Equal quantities are rarely whole numbers of the resolution, and rounding each of them may cost money. Then the program is shifted by the rounding
of the plan that was found: it contains that plan, and all its plans cost the same. Near the steadiest plan, a vertex is sought
between whole steps. It is mostly whole, because most rows only add up quantities. Yields leave fractions, which a small integer program removes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from ..domain.use import Chained
from ..program import Program
from ..program.matrix import Entries, Floats, Ints, Linear, Mask, capped, with_differences
from ..rules.verdicts import Dependence, dependence_of, worst_of
from .component_search import Search
from .components import AnswerCache, Component, column_labels, digest, split
from .engine import Ask, Cancel, SolverAnswer, SolverOutcome, Watch
from .first_plan import fix
from .lagrangian import Joint, joint_of
from .scaling import scaled
from .solving import Limits, Solution, goals_within

NOISE = 1e-8
"""Threshold of noise. A reduced cost counts as 0 below this share of the terms that it sums and of the usual cost. A dual counts as 0 if it adds
no more than that to the reduced cost of any column.
"""
SAME = 1e-9
"""Share of a cost by which two computations of the same optimum may differ."""
AT_END = 1e-7
"""Maximum distance of a value from a bound that it is at, relative to the value or to 1."""

GRAIN = 1e-3
"""Values are rounded to this share of the case's resolution, so that the solver's last digits don't decide how they are rounded to the resolution."""
CLEAR = 100
"""Steps by which a plan must be able to buy more or less of an offer to be called equal to others. Rounding explains a few."""
NEAR = 8
"""Steps by which a quantity may be moved to make all whole."""
NODES = 100
"""Nodes of the search for whole quantities."""
CLOSE_ENOUGH = 0.5
"""Relative excess of their distance from the steadiest plan over the proved minimum at which the search ends."""
MONEY = 1e-5
"""Maximum difference of costs that count as equal."""


Bits = NDArray[np.uint64]


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    columns: Ints
    face: Linear
    """Program in which all plans cost the same, with minimum spend on purchases of concern."""
    x: Floats


class TieBreaking:
    """Tie-breaking of a solution.

    Each step is taken only if the last solution, rounded, costs more than the plan that was found: `steadiest`, the same from the
    rounded plan, `in_whole_steps`, then `without_loss`.
    """

    def __init__(
        self,
        program: Program,
        solution: Solution,
        limits: Limits,
        cancel: Cancel | None,
        answers: AnswerCache,
        rounded: Floats | None = None,
        faces: dict[int, Linear | None] | None = None,
    ) -> None:
        """Prepare tie-breaking.

        Args:
            faces: Programs of all optimal plans, by first column of their component, from another attempt at the same solution.
            rounded: Columns of the plan to which the solution is rounded. All solutions then cost as much as that plan. None means as much as the solution.
        """
        self.program, self.solution = program, solution
        self.search = Search(Watch(limits.left(), cancel), limits.gap, 1, answers, limits.engines)
        self.is_rounded = rounded is not None
        self.start = solution.x if rounded is None else _as_planned(program, rounded)
        self.first = solution.x if rounded is None else rounded
        self.counted, self.unit = program.rounded(), float(program.problem.case.resolution)
        self.line, self.periods = _order_lines(program)
        self.parts: list[_Part] = []
        self.faces = {} if faces is None else faces

    def steadiest(self, *, equal_offers: bool = True) -> Solution:
        """Return the steadiest solution that costs as much as the given one, with no more money for purchases of concern.

        Args:
            equal_offers: False to skip the search for offers that could replace one another.
        """
        program, proved, concern = self.program, self.solution.proved, _Concern(self.program)
        missed, exchangeable = np.zeros(len(self.start), dtype=bool), np.zeros(len(self.start), dtype=bool)
        missed[[column for _, column, _ in program.limits.misses]] = True
        for component in split(program.linear):
            of = component.columns
            if proved is None or self.search.watch.stopped():
                break
            if not proved[of[0]] or (part := self._steadied(component, missed[of], concern)) is None:
                continue
            self.parts.append(part)
            if equal_offers:
                offer = np.where(self.line[of] < 0, -1, self.line[of] // self.periods)
                exchangeable[of] = _exchangeable(part.face, part.x, offer, CLEAR * self.unit, self.search)
        return self._solution(self.parts, exchangeable)

    def _steadied(self, component: Component, missed: Mask, concern: _Concern) -> _Part | None:
        """Return a component with its ties broken. None if that can't be proved."""
        of, linear = component.columns, component.linear
        x, line = self.solution.x[of], self.line[of]
        if of[0] not in self.faces:
            linear = fix(linear, linear.integer, x)
            linear = replace(linear, lower=np.where(missed, x, linear.lower), upper=np.where(missed, x, linear.upper))
            ranked = [(goal.cost, goal.within) for _, goal in goals_within(self.program.goals, of)]
            self.faces[of[0]] = _cheapest(linear, x, ranked or [(linear.cost, 0.0)], self.search)
        face = self.faces[of[0]]
        if face is not None and self.is_rounded:
            face = _moved(face, self.start[of], self.counted[of], self.unit)
        face = None if face is None else _least_concern(face, concern, of, self.search)
        found = (
            None
            if face is None
            else _steadied(face, x, line, self.periods, partial(_by_name, self.program, of), self.search)
        )
        return None if face is None or found is None else _Part(of, face, found)

    def in_whole_steps(self, steady: Solution, outcome: Floats | None) -> Solution:
        """Return the solution, with each component that loses money by rounding in whole steps of the resolution.

        Args:
            outcome: Columns of the plan to which the solution is rounded. None if that plan is invalid. Then everything that isn't whole is changed.
        """
        lossy, found = self._lossy(steady, outcome), []
        start = steady.x if outcome is None else _as_planned(self.program, outcome)
        for part in self.parts:
            of = part.columns
            if lossy[of[0]]:
                late_first = _early(self.line[of], self.periods) + 0.1 * _by_name(self.program, of, np.arange(len(of)))
                whole = _in_steps(part.face, part.x, late_first, self.counted[of], self.unit, self.search)
                found.append(replace(part, x=whole))
            else:
                found.append(replace(part, x=start[of]))
        return self._solution(found, steady.exchangeable)

    def without_loss(self, steady: Solution, outcome: Floats | None) -> Solution:
        """Return the solution, with the original plan for each component that still loses money by rounding."""
        lossy = self._lossy(steady, outcome)
        start = steady.x if outcome is None else _as_planned(self.program, outcome)
        kept = [replace(part, x=start[part.columns]) for part in self.parts if not lossy[part.columns[0]]]
        return self._solution(kept, steady.exchangeable)

    def _solution(self, parts: Sequence[_Part], exchangeable: Mask | None) -> Solution:
        """Return the solution with the original plan in all components except some."""
        x, tie_broken = self.start.copy(), np.zeros(len(self.start), dtype=bool)
        grain = self.unit * GRAIN
        for part in parts:
            x[part.columns] = np.round(part.x / grain) * grain
            tie_broken[part.columns] = True
        equal = None if exchangeable is None else exchangeable & tie_broken
        return replace(self.solution, x=x, tie_broken=tie_broken, exchangeable=equal, from_rounded=self.is_rounded)

    def _lossy(self, steady: Solution, outcome: Floats | None) -> Mask:
        """Return the columns of components in which rounding costs money or increases a shortage. If the plan is invalid, those of all that aren't whole."""
        labels = column_labels(self.program.linear.entries)
        if outcome is None:
            steps = steady.x / self.unit
            loss = np.bincount(labels, self.counted & (np.abs(steps - np.rint(steps)) > GRAIN / 2))
        else:
            rise, short = self.program.linear.cost * (outcome - self.first), np.zeros(len(labels), dtype=bool)
            short[self.program.shorts()] = True
            loss = np.maximum(np.bincount(labels, rise), np.bincount(labels, np.where(short, rise, 0.0)))
        found: Mask = loss[labels] > MONEY
        return found


class _Concern:
    """Money for purchases of concern, by column."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.countries = program.problem.case.concern.countries
        self.made = {column: (offer, period) for (offer, _, period), column in program.columns.make.items()}
        self._known: dict[int, Dependence] = {}

    def costs(self, columns: Ints) -> Floats:
        """Return two rows of costs per unit: of columns that are or may be of concern, and of those that certainly are."""
        found = np.zeros((2, len(columns)))
        bought, problem = self.program.columns, self.program.problem
        place = np.minimum(np.searchsorted(bought.buy, columns), len(bought.buy) - 1)
        for at, (column, position) in enumerate(zip(columns.tolist(), place.tolist(), strict=True)):
            if column in self.made:
                facts, period = problem.offers[self.made[column][0]], self.made[column][1]
                dependence = worst_of(map(self._dependence, facts.chained))
                money = facts.price[period]
            elif position >= 0 and bought.buy[position] == column:
                move = int(bought.buy_move[position])
                arc = problem.network.arcs[int(problem.moves.arc[move])]
                dependence = Dependence.NO if arc.offer < 0 else self._dependence(arc.chained)
                charges = problem.compliance_classes[bought.buy_compliance_class[position]].surcharges or {}
                money = problem.moves.money(move) + charges.get((arc.index, int(problem.moves.ordered[move])), 0)
            else:
                continue
            if dependence is not Dependence.NO:
                found[: 1 if dependence is Dependence.MAY_BE else 2, at] = float(money)
        return found

    def _dependence(self, offer: Chained) -> Dependence:
        if id(offer) not in self._known:
            self._known[id(offer)] = dependence_of(offer, self.countries)
        return self._known[id(offer)]


def _order_lines(program: Program) -> tuple[Ints, int]:
    """Return each column's order line, `offer * periods + period of order` or -1, and the number of periods."""
    problem, columns = program.problem, program.columns
    periods = problem.case.horizon.count
    line = np.full(len(program.linear.cost), -1, dtype=np.intp)
    moves = problem.moves
    offer, ordered = problem.network.offers[moves.arc[columns.buy_move]], moves.ordered[columns.buy_move]
    line[columns.buy] = np.where(offer >= 0, offer * periods + ordered, -1)
    return line, periods


def _cheapest(linear: Linear, x: Floats, ranked: Sequence[tuple[Floats, float]], search: Search) -> Linear | None:
    """Return the program of all plans that are as good as an optimal one. None if it can't be proved."""
    for cost, within in ranked:
        level = replace(linear, cost=cost, constant=0.0)
        if within:  # later ranks had leave to make this one worse by some; tie-breaking has not
            linear = capped(linear, cost, float(cost @ x))
            continue
        duals = _duals(level, float(cost @ x), search)
        if duals is None:
            return None
        linear = _face(level, x, duals)
    return linear


def _duals(linear: Linear, cost: float, search: Search) -> Floats | None:
    """Return duals that prove that no plan costs less than `cost`. None if none are found."""
    known = search.answer_cache.peek(digest(linear))
    if known is not None and known.duals is not None:
        return known.duals
    joint = joint_of(linear)
    if joint is not None and (duals := _duals_apart(joint, cost, search)) is not None:
        return duals
    answer = search.alone(linear) if joint is None else search.large(linear, -np.inf)
    if answer.outcome is not SolverOutcome.OPTIMAL or not _reaches(answer.objective, cost):
        return None
    return _of_rows(linear, answer)


def _reaches(bound: float, cost: float) -> bool:
    """Return True if a bound reaches the cost of a plan except for rounding. The gap of `optimal` is too wide: such duals prove another plan."""
    return cost - bound <= SAME * max(1.0, abs(cost))


def _of_rows(linear: Linear, answer: SolverAnswer) -> Floats | None:
    """Return the duals of an optimum. None if the engine gives none. A program without rows needs no engine."""
    return answer.duals if linear.entries.shape[0] else np.zeros(0)


def _duals_apart(joint: Joint, cost: float, search: Search) -> Floats | None:
    """Return the duals of the parts if they prove the whole, which they do if the linking constraints cost nothing."""
    linear, duals = joint.linear, np.zeros(joint.linear.entries.shape[0])
    least = float(linear.cost[joint.loose] @ linear.cheapest[joint.loose])
    for part in joint.parts:
        answer = search.alone(part.linear)
        if answer.duals is None:
            return None
        duals[part.rows] = answer.duals
        least += answer.objective
    return duals if _reaches(least, cost) else None


def _face(linear: Linear, x: Floats, duals: Floats) -> Linear:
    """Return the program with only its optimal plans. `x` is one, and `duals` prove it."""
    near_one, scale = scaled(linear)  # as the solver sees it: what is noise doesn't depend on units
    entries, prices = near_one.entries, duals * scale.rows / scale.money
    rows, columns = entries.rows, entries.indices
    terms = entries.data * prices[rows]
    reduced = near_one.cost - np.bincount(columns, terms, minlength=len(x))
    noise = NOISE * (1.0 + np.abs(near_one.cost) + np.bincount(columns, np.abs(terms), minlength=len(x)))
    at = np.where(reduced > 0, linear.lower, linear.upper)
    fixed = (np.abs(reduced) > noise) & _equal(x, at)
    priced = np.zeros(len(duals), dtype=bool)
    priced[rows[np.abs(terms) > noise[columns]]] = True
    end = np.where(duals > 0, linear.row_lower, linear.row_upper)
    priced &= _equal(linear.entries @ x, end)
    return replace(
        linear,
        lower=np.where(fixed, at, linear.lower),
        upper=np.where(fixed, at, linear.upper),
        row_lower=np.where(priced, end, linear.row_lower),
        row_upper=np.where(priced, end, linear.row_upper),
    )


def _as_planned(program: Program, rounded: Floats) -> Floats:
    """Return the columns of a rounded plan with whole deliveries. Rounded inputs may have left a part of a step undelivered."""
    columns, count = program.columns, program.problem.case.horizon.count
    unit, found = float(program.problem.case.resolution), rounded.copy()
    for column, (demand, period, *_) in zip(columns.deliver, columns.deliver_key, strict=True):
        steps = rounded[column] / unit
        found[column] = np.ceil(steps - GRAIN) * unit
        found[columns.short + demand * count + period] -= found[column] - rounded[column]
    return found


def _moved(face: Linear, x: Floats, counted: Mask, unit: float) -> Linear:
    """Return a program in which all plans cost the same, shifted to contain a rounded plan `x`. All its plans cost as much as that one.

    Limits on sums of quantities are also rounded to whole steps.
    """
    loose, equal, rows = face.lower < face.upper, face.row_lower == face.row_upper, face.entries @ x
    partial = ~counted[face.entries.indices] | (face.entries.data != np.rint(face.entries.data))
    whole = np.bincount(face.entries.rows, partial, minlength=len(rows)) == 0
    ends = (face.lower, face.upper, counted), (face.row_lower, face.row_upper, whole)
    (lower, upper), (row_lower, row_upper) = (
        (
            np.where(mine, np.ceil(low / unit - GRAIN) * unit, low),
            np.where(mine, np.floor(high / unit + GRAIN) * unit, high),
        )
        for low, high, mine in ends
    )
    return replace(
        face,
        lower=np.where(loose, np.minimum(lower, x), x),
        upper=np.where(loose, np.maximum(upper, x), x),
        row_lower=np.where(equal, rows, np.minimum(row_lower, rows)),
        row_upper=np.where(equal, rows, np.maximum(row_upper, rows)),
    )


def _least_concern(face: Linear, concern: _Concern, columns: Ints, search: Search) -> Linear | None:
    """Return the program without plans that spend more than needed on purchases of concern. None if it can't be proved."""
    loose = face.lower < face.upper
    free = np.flatnonzero(loose)
    costs = concern.costs(columns[free]) if concern.countries else np.zeros((0, 0))
    if len(costs) and (costs[0] == costs[1]).all():
        costs = costs[:1]
    if not costs.any():
        return face
    rest = _without_fixed(face, face.lower, free)
    for cost in costs[costs.any(axis=1)]:
        best = _best(replace(rest, cost=cost), search)
        if best is None:
            return None
        rest, _ = best
    found = replace(face, lower=face.lower.copy(), upper=face.upper.copy())
    found.lower[free], found.upper[free] = rest.lower, rest.upper
    left = np.bincount(face.entries.rows[loose[face.entries.indices]], minlength=len(face.row_lower)) > 0
    of_fixed = (face.entries @ np.where(loose, 0.0, face.lower))[left]
    row_lower, row_upper = face.row_lower.copy(), face.row_upper.copy()
    row_lower[left], row_upper[left] = rest.row_lower + of_fixed, rest.row_upper + of_fixed
    return replace(found, row_lower=row_lower, row_upper=row_upper)


def _best(level: Linear, search: Search) -> tuple[Linear, Floats] | None:
    """Return the program of all optimal plans of a program, and one of them. None if no duals prove them."""
    answer = search.alone(level)
    duals = _of_rows(level, answer)
    if answer.outcome is not SolverOutcome.OPTIMAL or answer.x is None or duals is None:
        return None
    return _face(level, answer.x, duals), answer.x


def _equal(values: Floats, ends: Floats) -> Mask:
    """Return True where values are at finite bounds, within the solver's tolerance. A dual that says otherwise is noise."""
    found: Mask = np.abs(values - ends) <= AT_END * np.maximum(1.0, np.abs(values))
    return found


def _steadied(
    face: Linear, x: Floats, line: Ints, periods: int, by_name: Callable[[Ints], Floats], search: Search
) -> Floats | None:
    """Return the steadiest plan of a program in which all plans cost the same. None if it can't be found.

    Args:
        line: Order line of each column, as in `_order_lines`.
        by_name: Function that returns weights of some columns by the names of their orders.
    """
    loose = face.lower < face.upper
    found, free = np.where(loose, x, face.lower), np.flatnonzero(loose)
    rest, changes = _with_changes(_without_fixed(face, found, free), found, free, line, periods)
    early = _early(line[free], periods)
    costs = np.zeros((4, len(free) + 2 * changes))
    costs[0, len(free) :] = 1.0
    costs[1, : len(free)], costs[2, : len(free)], costs[3, : len(free)] = early, by_name(free), _arbitrary(free)
    for cost in costs[costs.any(axis=1)]:
        best = _best(replace(rest, cost=cost), search)
        if best is None:
            return None
        rest, x = best
        found[free] = x[: len(free)]
    return found


def _early(line: Ints, periods: int) -> Ints:
    """Return how early each column orders, in periods from the end. 0 for columns without orders."""
    found: Ints = np.where(line >= 0, periods - line % periods, 0)
    return found


def _in_steps(face: Linear, x: Floats, cost: Floats, counted: Mask, unit: float, search: Search) -> Floats:
    """Return a plan near `x` in whole steps of the resolution. Some quantities stay fractions if there is none.

    Args:
        face: Program in which all plans cost the same.
        cost: Costs that decide where the last step goes.
        counted: Columns that are rounded.
        unit: Kilograms per step.
    """
    free = np.flatnonzero(face.lower < face.upper)
    rest, held = _without_fixed(face, x, free), counted[free]
    steps = np.where(held, np.round(x[free] / (unit * GRAIN)) * GRAIN, 0.0)
    lower = np.where(held, np.maximum(rest.lower, np.floor(steps) * unit), rest.lower)
    upper = np.where(held, np.minimum(rest.upper, np.ceil(steps) * unit), rest.upper)
    between = replace(rest, cost=cost[free], lower=lower, upper=np.maximum(lower, upper))
    answer = search.alone(between)
    if answer.outcome is not SolverOutcome.OPTIMAL or answer.x is None:
        return x
    found, near = x.copy(), answer.x
    if (np.abs(near / unit - np.rint(near / unit))[held] > GRAIN).any():
        whole = _whole(rest, steps, held, unit, search)
        near = near if whole is None else whole
    found[free] = near
    return found


def _whole(rest: Linear, steps: Floats, held: Mask, unit: float, search: Search) -> Floats | None:
    """Return a plan of a program whose quantities are whole steps, as near as possible to given ones. None if none is found.

    Columns without an order keep that.

    Args:
        steps: Quantities in steps.
        held: Columns that have to be whole.
    """
    whole = held & (steps > 0)
    lower, upper = np.where(held, 0.0, rest.lower / unit), np.where(held, 0.0, rest.upper / unit)
    lower[whole] = np.maximum(lower[whole], np.floor(steps[whole]) - NEAR)
    upper[whole] = np.minimum(rest.upper[whole] / unit + GRAIN, np.ceil(steps[whole]) + NEAR)
    near = replace(
        rest,
        lower=lower,
        upper=upper,
        integer=whole,
        row_lower=rest.row_lower / unit,
        row_upper=rest.row_upper / unit,
    )
    mine = np.flatnonzero(whole)
    each = np.arange(len(mine))
    wide = with_differences(near, Entries.summed(each, mine, np.ones(len(mine)), (len(mine), len(steps))), steps[mine])
    wide = replace(wide, cost=np.where(np.arange(len(wide.cost)) < len(steps), 0.0, 1.0))
    answer = search.engines.search(wide, Ask(search.watch.left(), CLOSE_ENOUGH, nodes=NODES))
    if answer.x is None:
        return None
    found = answer.x[: len(steps)]
    return np.where(whole, np.rint(found), found) * unit


def _exchangeable(face: Linear, x: Floats, offer: Ints, unit: float, search: Search) -> Mask:
    """Return the columns of offers whose quantity over all periods differs from `x` in another plan of the same cost.

    Unused offers are bought as much as possible, until no other one is bought. Then sums with arbitrary weights move the purchases.

    Args:
        offer: Offer of each ordering column. -1 for others.
        unit: Kilograms that count as a difference.
    """
    none = np.zeros(len(x), dtype=bool)
    free = np.flatnonzero(face.lower < face.upper)
    moving = np.flatnonzero(np.bincount(offer[free][offer[free] >= 0]))
    if len(moving) < 2:
        return none
    rest, orders = _without_fixed(face, x, free), offer >= 0
    before = np.bincount(offer[orders], x[orders], minlength=int(moving[-1]) + 1)
    least, most = before.copy(), before.copy()

    def plan_most(weights: Floats) -> bool:
        """Note the plan of the same cost with the largest purchases, by weights of offers."""
        wanted = np.where(orders[free], -weights[offer[free]], 0.0)
        answer = search.alone(replace(rest, cost=wanted))
        if answer.outcome is not SolverOutcome.OPTIMAL or answer.x is None:
            return False
        other = x.copy()
        other[free] = answer.x
        sums = np.bincount(offer[orders], other[orders], minlength=len(before))
        np.minimum(least, sums, out=least)
        np.maximum(most, sums, out=most)
        return True

    weights = np.zeros(len(before))
    while True:
        unseen = moving[most[moving] <= unit]
        weights[:] = 0.0
        weights[unseen] = 1.0
        if not len(unseen) or not plan_most(weights) or (most[unseen] <= unit).all():
            break
    weights[:] = 0.0
    weights[moving] = _arbitrary(moving)
    if plan_most(weights):
        plan_most(-weights)
    moved = most - least > unit
    return np.where(orders, moved[offer], False) if len(moved) else none


def _without_fixed(linear: Linear, x: Floats, free: Ints) -> Linear:
    """Return the program of the free columns. The others have the values `x`."""
    inner, fixed = linear.entries.within(free), x.copy()
    fixed[free] = 0.0
    rest, left = linear.entries @ fixed, inner.counts > 0
    return Linear(
        cost=np.zeros(len(free)),
        lower=linear.lower[free],
        upper=linear.upper[free],
        integer=np.zeros(len(free), dtype=bool),
        entries=inner[left],
        row_lower=(linear.row_lower - rest)[left],
        row_upper=(linear.row_upper - rest)[left],
    )


def _with_changes(linear: Linear, x: Floats, free: Ints, line: Ints, periods: int) -> tuple[Linear, int]:
    """Add two columns and a row for each change from one period to the next: the increase and the decrease of orders.

    A change counts only if the offer can be ordered in both periods, and if it depends on a free column. `x` has the values of the fixed columns.
    """
    orders = np.flatnonzero(line >= 0)
    lines, number = np.unique(line[orders], return_inverse=True)
    of = np.full(len(line), -1)
    of[orders] = number
    changing = np.bincount(of[free] + 1, minlength=len(lines) + 1)[1:] > 0
    second = 1 + np.flatnonzero((np.diff(lines) == 1) & (lines[1:] % periods != 0) & (changing[1:] | changing[:-1]))
    count = len(second)
    row = np.full(len(lines) + 2, -1)
    row[second] = np.arange(count)
    into, out = np.flatnonzero(row[of[free]] >= 0), np.flatnonzero(row[of[free] + 1] >= 0)
    change = Entries.summed(
        np.concatenate([row[of[free[into]]], row[of[free[out]] + 1]]),
        np.concatenate([into, out]),
        np.repeat([1.0, -1.0], [len(into), len(out)]),
        (count, len(free)),
    )
    loose = np.zeros(len(line), dtype=bool)
    loose[free] = True
    fixed = orders[~loose[orders]]
    before = np.bincount(of[fixed], x[fixed], minlength=len(lines)).astype(np.float64, copy=False)
    end = before[second - 1] - before[second]
    return with_differences(linear, change, end), count


def _by_name(program: Program, of: Ints, some: Ints) -> Floats:
    """Return a number from 1 to 2 for each column that buys, by names and dates of its order, and 0 for others.

    Compliance classes have no names that a scenario keeps, so they count by their order among the classes that buy along an arc.

    Args:
        of: Columns of a component.
        some: Positions of columns in the component.
    """
    problem, placed = program.problem, program.columns
    at = np.searchsorted(placed.buy, of)
    buys = np.isin(of, placed.buy)
    move, arcs, found = placed.buy_move[at[buys]], problem.network.arcs, np.zeros(len(of))
    arc = problem.moves.arc[move]
    starts = np.array([period.start.toordinal() for period in problem.case.horizon.periods], dtype=np.uint64)
    bits = _hashed(arc, lambda index: "\n".join((arcs[index].name, *arcs[index].node)))
    for more in (
        _ranks(arc, placed.buy_compliance_class[at[buys]]),
        starts[problem.moves.ordered[move]],
        starts[problem.moves.delivered[move]],
    ):
        bits = _mixed(bits) ^ more
    found[buys] = _weights(bits)
    return found[some]


def _ranks(groups: Ints, values: Ints) -> Bits:
    """Return the position of each value among the distinct values of its group, in order."""
    pairs, inverse = np.unique(np.stack((groups, values)), axis=1, return_inverse=True)
    ranks = np.arange(pairs.shape[1]) - np.searchsorted(pairs[0], pairs[0])
    found: Bits = ranks.astype(np.uint64)[inverse.reshape(-1)]
    return found


def _hashed(positions: Ints, name: Callable[[int], str]) -> Bits:
    """Return a hash of the name of each position."""
    known, inverse = np.unique(positions, return_inverse=True)
    hashes = [int.from_bytes(blake2b(name(position).encode(), digest_size=8).digest()) for position in known.tolist()]
    found: Bits = np.array(hashes, dtype=np.uint64)[inverse]
    return found


def _arbitrary(positions: Ints) -> Floats:
    """Return a number from 1 to 2 for each position."""
    return _weights(positions.astype(np.uint64))


def _weights(bits: Bits) -> Floats:
    mixed: Floats = 1.0 + _mixed(bits).astype(np.float64) / 2.0**64
    return mixed


def _mixed(bits: Bits) -> Bits:
    """Return the next output of SplitMix64 for each state (Steele, Lea, and Flood, OOPSLA 2014, 453-472)."""
    with np.errstate(over="ignore"):
        bits = (bits + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return bits ^ (bits >> np.uint64(31))
