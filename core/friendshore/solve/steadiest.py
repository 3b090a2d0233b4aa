"""Tie-breaking among the cheapest plans: least spend on countries of concern, then the steadiest orders, then the latest ones.

It replaces the plan of each component that is proved optimal by another optimum of the same program. Integer variables and violations of soft limits keep
their values. These are minimized in turn, each as far as the levels before it allow:

1. undiscounted money for purchases that are, or may be, of concern because of their seller or their own steps (`rules.verdicts`)
2. the part of it for purchases that certainly are
3. the sum of `|q(t) - q(t-1)|` over all offers, where `q(t)` is the quantity ordered in period t
4. how early orders are placed, in kilograms times periods
5. a sum of orders with arbitrary weights that depend only on names and dates of orders
6. a sum with arbitrary weights of all columns

So the same facts give the same orders, and a change moves only orders that it affects. The inputs of a made good count at their purchase.

Each level keeps the levels before it by complementary slackness. Given optimal duals, a plan is optimal exactly if each column with a reduced cost is
at its bound, and each row with a dual is too (Bertsimas and Tsitsiklis, Introduction to Linear Optimization, 1997, theorem 4.5). So these columns are
fixed, and these rows become equations. The remaining program is small, and no tolerance lets costs rise.

If rounding costs money, the program is shifted to contain the rounded plan, and a vertex is sought between whole steps near the steadiest plan.
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
from .lagrangian import LinkedProgram, linked_program
from .scaling import scaled
from .solving import Limits, Solution, goals_within, is_large

# Threshold of noise: a share of the terms that a reduced cost sums and of the usual cost, or a dual's contribution to any reduced cost.
NOISE = 1e-8
# Share of a cost by which two computations of the same optimum may differ.
EQUAL_COST_SHARE = 1e-9
# Maximum distance of a value from a bound that it is at, relative to the value or to 1.
AT_BOUND = 1e-7

# Values are rounded to this share of the case's resolution, so that the solver's last digits don't decide how they are rounded.
GRAIN = 1e-3
# Steps by which a plan must be able to buy more or less of an offer to be called equal to others. Rounding explains a few.
MIN_EXCHANGE_STEPS = 100
# Steps by which a quantity may be moved to make all whole.
MAX_STEP_DISTANCE = 8
NODES = 100
# Relative gap of the search for whole quantities near the steadiest plan.
WHOLE_STEPS_GAP = 0.5
# Maximum difference of costs that count as equal.
EQUAL_MONEY = 1e-5


Bits = NDArray[np.uint64]


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    columns: Ints
    face: Linear | None
    """Program in which all plans cost the same, with minimum spend on purchases of concern. None before rounding, when it isn't needed again."""
    x: Floats


class TieBreaker:
    """Tie-breaking in steps, while the rounded solution costs more: `steadiest`, again from the rounded plan, `in_whole_steps`, and `without_loss`."""

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
        """Start from the columns of the `rounded` plan, if there is one. `faces` are those of an earlier attempt."""
        self.program, self.solution = program, solution
        self.search = Search(Watch(limits.next_seconds(), cancel), limits.gap, 1, answers, limits.engines)
        self.from_rounded = rounded is not None
        self.start = solution.x if rounded is None else _with_whole_deliveries(program, rounded)
        self.first = solution.x if rounded is None else rounded
        self.rounded_columns, self.unit = program.rounded(), float(program.problem.case.resolution)
        self.line, self.periods = _order_lines(program)
        self.parts: list[_Part] = []
        self.faces = {} if faces is None else faces

    def steadiest(self, *, equal_offers: bool = True) -> Solution:
        """Return the steadiest solution that costs as much as the original, with no more money for purchases of concern."""
        program, proved, concern = self.program, self.solution.proved, _Concern(self.program)
        is_violation, exchangeable = np.zeros(len(self.start), dtype=bool), np.zeros(len(self.start), dtype=bool)
        is_violation[[column for _, column, _ in program.limits.misses]] = True
        for component in split(program.linear):
            columns = component.columns
            if proved is None or self.search.watch.stopped():
                break
            if (
                not proved[columns[0]]
                or (part := self._steadiest_part(component, is_violation[columns], concern)) is None
            ):
                continue
            if equal_offers and part.face is not None:
                offer = np.where(self.line[columns] < 0, -1, self.line[columns] // self.periods)
                exchangeable[columns] = _exchangeable(
                    part.face, part.x, offer, MIN_EXCHANGE_STEPS * self.unit, self.search
                )
            self.parts.append(part if self.from_rounded else replace(part, face=None))
        return self._solution(self.parts, exchangeable)

    def _steadiest_part(self, component: Component, is_violation: Mask, concern: _Concern) -> _Part | None:
        columns, linear = component.columns, component.linear
        x, line = self.solution.x[columns], self.line[columns]
        if columns[0] in self.faces:
            face = self.faces[columns[0]]
        else:
            linear = fix(linear, linear.integer, x)
            linear = replace(
                linear, lower=np.where(is_violation, x, linear.lower), upper=np.where(is_violation, x, linear.upper)
            )
            ranked = [(goal.cost, goal.within) for _, goal in goals_within(self.program.goals, columns)]
            face = _optimal_program(linear, x, ranked or [(linear.cost, 0.0)], self.search)
            if not is_large(len(self.start)):  # duals of large programs are cached, and their faces take much memory
                self.faces[columns[0]] = face
        if face is not None and self.from_rounded:
            face = _shifted(face, self.start[columns], self.rounded_columns[columns], self.unit)
        face = None if face is None else _least_concern(face, concern, columns, self.search)
        steadiest = (
            None
            if face is None
            else _steadiest_plan(
                face, x, line, self.periods, partial(_weights_by_name, self.program, columns), self.search
            )
        )
        return None if face is None or steadiest is None else _Part(columns, face, steadiest)

    def in_whole_steps(self, steady: Solution, rounded: Floats | None) -> Solution:
        """Return the solution with whole steps where rounding loses money. Without `rounded`, that plan is invalid, and everything that isn't whole changes."""
        is_lossy, parts = self._lossy_columns(steady, rounded), []
        start = steady.x if rounded is None else _with_whole_deliveries(self.program, rounded)
        for part in self.parts:
            columns = part.columns
            if is_lossy[columns[0]] and part.face is not None:
                cost = _earliness(self.line[columns], self.periods) + 0.1 * _weights_by_name(
                    self.program, columns, np.arange(len(columns))
                )
                x = _in_steps(part.face, part.x, cost, self.rounded_columns[columns], self.unit, self.search)
                parts.append(replace(part, x=x))
            else:
                parts.append(replace(part, x=start[columns]))
        return self._solution(parts, steady.exchangeable)

    def without_loss(self, steady: Solution, rounded: Floats | None) -> Solution:
        is_lossy = self._lossy_columns(steady, rounded)
        start = steady.x if rounded is None else _with_whole_deliveries(self.program, rounded)
        lossless = [replace(part, x=start[part.columns]) for part in self.parts if not is_lossy[part.columns[0]]]
        return self._solution(lossless, steady.exchangeable)

    def _solution(self, parts: Sequence[_Part], exchangeable: Mask | None) -> Solution:
        x, tie_broken = self.start.copy(), np.zeros(len(self.start), dtype=bool)
        grain = self.unit * GRAIN
        for part in parts:
            x[part.columns] = np.round(part.x / grain) * grain
            tie_broken[part.columns] = True
        equal = None if exchangeable is None else exchangeable & tie_broken
        return replace(self.solution, x=x, tie_broken=tie_broken, exchangeable=equal, from_rounded=self.from_rounded)

    def _lossy_columns(self, steady: Solution, rounded: Floats | None) -> Mask:
        """Return the columns of components in which rounding costs money or increases a shortage, or without an outcome, those that aren't whole."""
        labels = column_labels(self.program.linear.entries)
        if rounded is None:
            steps = steady.x / self.unit
            loss = np.bincount(labels, self.rounded_columns & (np.abs(steps - np.rint(steps)) > GRAIN / 2))
        else:
            cost_increase = self.program.linear.cost * (rounded - self.first)
            is_shortage = np.zeros(len(labels), dtype=bool)
            is_shortage[self.program.shorts()] = True
            loss = np.maximum(
                np.bincount(labels, cost_increase), np.bincount(labels, np.where(is_shortage, cost_increase, 0.0))
            )
        is_lossy: Mask = loss[labels] > EQUAL_MONEY
        return is_lossy


class _Concern:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.countries = program.problem.case.concern.countries
        self.make_key = {column: (offer, period) for (offer, _, period), column in program.columns.make.items()}
        self._dependence_by_offer: dict[int, Dependence] = {}

    def costs(self, columns: Ints) -> Floats:
        """Return two rows of costs per unit: of columns that are or may be of concern, and of those that certainly are."""
        costs = np.zeros((2, len(columns)))
        columns_by_kind, problem = self.program.columns, self.program.problem
        positions, is_buying = (part.tolist() for part in _buy_positions(self.program, columns))
        for index, (column, position, buys) in enumerate(zip(columns.tolist(), positions, is_buying, strict=True)):
            if column in self.make_key:
                facts, period = problem.offers[self.make_key[column][0]], self.make_key[column][1]
                dependence = worst_of(map(self._dependence, facts.chained))
                price = facts.price[period]
            elif buys:
                move = int(columns_by_kind.buy_move[position])
                arc = problem.network.arcs[int(problem.moves.arc[move])]
                dependence = Dependence.NO if arc.offer < 0 else self._dependence(arc.chained)
                charges = problem.compliance_classes[columns_by_kind.buy_compliance_class[position]].surcharges or {}
                price = problem.moves.money(move) + charges.get((arc.index, int(problem.moves.ordered[move])), 0)
            else:
                continue
            if dependence is not Dependence.NO:
                costs[: 1 if dependence is Dependence.MAY_BE else 2, index] = float(price)
        return costs

    def _dependence(self, offer: Chained) -> Dependence:
        if id(offer) not in self._dependence_by_offer:
            self._dependence_by_offer[id(offer)] = dependence_of(offer, self.countries)
        return self._dependence_by_offer[id(offer)]


def _order_lines(program: Program) -> tuple[Ints, int]:
    """Return each column's order line, `offer * periods + period of order` or -1, and the number of periods."""
    problem, columns = program.problem, program.columns
    periods = problem.case.horizon.count
    lines = np.full(len(program.linear.cost), -1, dtype=np.intp)
    moves = problem.moves
    offer, ordered = problem.network.offers[moves.arc[columns.buy_move]], moves.ordered[columns.buy_move]
    lines[columns.buy] = np.where(offer >= 0, offer * periods + ordered, -1)
    return lines, periods


def _optimal_program(
    linear: Linear, x: Floats, ranked: Sequence[tuple[Floats, float]], search: Search
) -> Linear | None:
    """Return the program of all plans that are as good as an optimal one. None if it can't be proved."""
    for cost, within in ranked:
        level = replace(linear, cost=cost, constant=0.0)
        if within:  # later ranks may worsen this one, but tie-breaking may not
            linear = capped(linear, cost, float(cost @ x))
            continue
        duals = _duals(level, float(cost @ x), search)
        if duals is None:
            return None
        linear = _face(level, x, duals)
    return linear


def _duals(linear: Linear, cost: float, search: Search) -> Floats | None:
    cached_answer = search.answer_cache.peek(digest(linear))
    if cached_answer is not None and cached_answer.duals is not None:
        return cached_answer.duals
    linked = linked_program(linear)
    if linked is not None and (duals := _duals_of_parts(linked, cost, search)) is not None:
        return duals
    answer = search.solve_as_one(linear) if linked is None else search.solve_large(linear, -np.inf)
    if answer.outcome is not SolverOutcome.OPTIMAL or not _reaches(answer.objective, cost):
        return None
    return _row_duals(linear, answer)


def _reaches(bound: float, cost: float) -> bool:
    """Return True if a bound reaches a plan's cost except for rounding. Duals within the optimality gap may prove another plan."""
    return cost - bound <= EQUAL_COST_SHARE * max(1.0, abs(cost))


def _row_duals(linear: Linear, answer: SolverAnswer) -> Floats | None:
    return answer.duals if linear.entries.shape[0] else np.zeros(0)


def _duals_of_parts(linked: LinkedProgram, cost: float, search: Search) -> Floats | None:
    """Return the duals of the parts if they prove the whole, which they do if the linking constraints cost nothing."""
    linear, duals = linked.linear, np.zeros(linked.linear.entries.shape[0])
    bound = float(linear.cost[linked.loose] @ linear.cheapest[linked.loose])
    for part in linked.parts:
        answer = search.solve_as_one(part.linear)
        if answer.duals is None:
            return None
        duals[part.rows] = answer.duals
        bound += answer.objective
    return duals if _reaches(bound, cost) else None


def _face(linear: Linear, x: Floats, duals: Floats) -> Linear:
    """Return the program with only its optimal plans. `x` is one, and `duals` prove it."""
    scaled_program, scale = scaled(linear)  # as the solver sees it, so that noise does not depend on units
    entries, prices = scaled_program.entries, duals * scale.rows / scale.money
    rows, columns = entries.rows, entries.indices
    terms = entries.data * prices[rows]
    reduced = scaled_program.cost - np.bincount(columns, terms, minlength=len(x))
    noise = NOISE * (1.0 + np.abs(scaled_program.cost) + np.bincount(columns, np.abs(terms), minlength=len(x)))
    bound = np.where(reduced > 0, linear.lower, linear.upper)
    is_fixed = (np.abs(reduced) > noise) & _are_at(x, bound)
    is_binding = np.zeros(len(duals), dtype=bool)
    is_binding[rows[np.abs(terms) > noise[columns]]] = True
    row_bound = np.where(duals > 0, linear.row_lower, linear.row_upper)
    is_binding &= _are_at(linear.entries @ x, row_bound)
    return replace(
        linear,
        lower=np.where(is_fixed, bound, linear.lower),
        upper=np.where(is_fixed, bound, linear.upper),
        row_lower=np.where(is_binding, row_bound, linear.row_lower),
        row_upper=np.where(is_binding, row_bound, linear.row_upper),
    )


def _with_whole_deliveries(program: Program, rounded: Floats) -> Floats:
    """Return a rounded plan with whole deliveries. Rounded inputs may have left a part of a step undelivered."""
    columns, count = program.columns, program.problem.case.horizon.count
    unit, values = float(program.problem.case.resolution), rounded.copy()
    for column, (demand, period, *_) in zip(columns.deliver, columns.deliver_key, strict=True):
        steps = rounded[column] / unit
        values[column] = np.ceil(steps - GRAIN) * unit
        values[columns.short + demand * count + period] -= values[column] - rounded[column]
    return values


def _shifted(face: Linear, x: Floats, rounded_columns: Mask, unit: float) -> Linear:
    """Return the program shifted to contain a rounded plan `x`. All its plans cost as much."""
    is_free, is_equation, activity = face.lower < face.upper, face.row_lower == face.row_upper, face.entries @ x
    in_fractions = ~rounded_columns[face.entries.indices] | (face.entries.data != np.rint(face.entries.data))
    is_whole = np.bincount(face.entries.rows, in_fractions, minlength=len(activity)) == 0
    bounds = (face.lower, face.upper, rounded_columns), (face.row_lower, face.row_upper, is_whole)
    (lower, upper), (row_lower, row_upper) = (
        (
            np.where(is_rounded, np.ceil(low / unit - GRAIN) * unit, low),
            np.where(is_rounded, np.floor(high / unit + GRAIN) * unit, high),
        )
        for low, high, is_rounded in bounds
    )
    return replace(
        face,
        lower=np.where(is_free, np.minimum(lower, x), x),
        upper=np.where(is_free, np.maximum(upper, x), x),
        row_lower=np.where(is_equation, activity, np.minimum(row_lower, activity)),
        row_upper=np.where(is_equation, activity, np.maximum(row_upper, activity)),
    )


def _least_concern(face: Linear, concern: _Concern, columns: Ints, search: Search) -> Linear | None:
    is_free = face.lower < face.upper
    free_columns = np.flatnonzero(is_free)
    costs = concern.costs(columns[free_columns]) if concern.countries else np.zeros((0, 0))
    if len(costs) and (costs[0] == costs[1]).all():
        costs = costs[:1]
    if not costs.any():
        return face
    free_program = _without_fixed(face, face.lower, free_columns)
    for cost in costs[costs.any(axis=1)]:
        optimal = _optimal_face(replace(free_program, cost=cost), search)
        if optimal is None:
            return None
        free_program, _ = optimal
    reduced = replace(face, lower=face.lower.copy(), upper=face.upper.copy())
    reduced.lower[free_columns], reduced.upper[free_columns] = free_program.lower, free_program.upper
    has_free = np.bincount(face.entries.rows[is_free[face.entries.indices]], minlength=len(face.row_lower)) > 0
    fixed_activity = (face.entries @ np.where(is_free, 0.0, face.lower))[has_free]
    row_lower, row_upper = face.row_lower.copy(), face.row_upper.copy()
    row_lower[has_free] = free_program.row_lower + fixed_activity
    row_upper[has_free] = free_program.row_upper + fixed_activity
    return replace(reduced, row_lower=row_lower, row_upper=row_upper)


def _optimal_face(level: Linear, search: Search) -> tuple[Linear, Floats] | None:
    answer = search.solve_as_one(level)
    duals = _row_duals(level, answer)
    if answer.outcome is not SolverOutcome.OPTIMAL or answer.x is None or duals is None:
        return None
    return _face(level, answer.x, duals), answer.x


def _are_at(values: Floats, bounds: Floats) -> Mask:
    at_bound: Mask = np.abs(values - bounds) <= AT_BOUND * np.maximum(1.0, np.abs(values))
    return at_bound


def _steadiest_plan(
    face: Linear, x: Floats, line: Ints, periods: int, by_name: Callable[[Ints], Floats], search: Search
) -> Floats | None:
    is_free = face.lower < face.upper
    plan, free_columns = np.where(is_free, x, face.lower), np.flatnonzero(is_free)
    free_program, changes = _with_changes(_without_fixed(face, plan, free_columns), plan, free_columns, line, periods)
    earliness = _earliness(line[free_columns], periods)
    costs = np.zeros((4, len(free_columns) + 2 * changes))
    costs[0, len(free_columns) :] = 1.0
    costs[1, : len(free_columns)] = earliness
    costs[2, : len(free_columns)] = by_name(free_columns)
    costs[3, : len(free_columns)] = _arbitrary_weights(free_columns)
    for cost in costs[costs.any(axis=1)]:
        optimal = _optimal_face(replace(free_program, cost=cost), search)
        if optimal is None:
            return None
        free_program, x = optimal
        plan[free_columns] = x[: len(free_columns)]
    return plan


def _earliness(line: Ints, periods: int) -> Ints:
    earliness: Ints = np.where(line >= 0, periods - line % periods, 0)
    return earliness


def _in_steps(face: Linear, x: Floats, cost: Floats, rounded_columns: Mask, unit: float, search: Search) -> Floats:
    """Return a plan near `x` in whole steps of `unit` kilograms. Some quantities stay fractions if there is none."""
    free_columns = np.flatnonzero(face.lower < face.upper)
    free_program, is_rounded = _without_fixed(face, x, free_columns), rounded_columns[free_columns]
    steps = np.where(is_rounded, np.round(x[free_columns] / (unit * GRAIN)) * GRAIN, 0.0)
    lower = np.where(is_rounded, np.maximum(free_program.lower, np.floor(steps) * unit), free_program.lower)
    upper = np.where(is_rounded, np.minimum(free_program.upper, np.ceil(steps) * unit), free_program.upper)
    between_steps = replace(free_program, cost=cost[free_columns], lower=lower, upper=np.maximum(lower, upper))
    answer = search.solve_as_one(between_steps)
    if answer.outcome is not SolverOutcome.OPTIMAL or answer.x is None:
        return x
    plan, values = x.copy(), answer.x
    if (np.abs(values / unit - np.rint(values / unit))[is_rounded] > GRAIN).any():
        whole_values = _nearest_whole_steps(free_program, steps, is_rounded, unit, search)
        values = values if whole_values is None else whole_values
    plan[free_columns] = values
    return plan


def _nearest_whole_steps(
    free_program: Linear, steps: Floats, must_be_whole: Mask, unit: float, search: Search
) -> Floats | None:
    """Return a plan in whole steps as near to `steps` as possible. None if none is found."""
    is_whole = must_be_whole & (steps > 0)
    lower = np.where(must_be_whole, 0.0, free_program.lower / unit)
    upper = np.where(must_be_whole, 0.0, free_program.upper / unit)
    lower[is_whole] = np.maximum(lower[is_whole], np.floor(steps[is_whole]) - MAX_STEP_DISTANCE)
    upper[is_whole] = np.minimum(
        free_program.upper[is_whole] / unit + GRAIN, np.ceil(steps[is_whole]) + MAX_STEP_DISTANCE
    )
    near_steps = replace(
        free_program,
        lower=lower,
        upper=upper,
        integer=is_whole,
        row_lower=free_program.row_lower / unit,
        row_upper=free_program.row_upper / unit,
    )
    whole_columns = np.flatnonzero(is_whole)
    numbers = np.arange(len(whole_columns))
    distance_program = with_differences(
        near_steps,
        Entries.summed(numbers, whole_columns, np.ones(len(whole_columns)), (len(whole_columns), len(steps))),
        steps[whole_columns],
    )
    distance_program = replace(
        distance_program, cost=np.where(np.arange(len(distance_program.cost)) < len(steps), 0.0, 1.0)
    )
    answer = search.engines.search(distance_program, Ask(search.watch.seconds_left(), WHOLE_STEPS_GAP, nodes=NODES))
    if answer.x is None:
        return None
    values = answer.x[: len(steps)]
    return np.where(is_whole, np.rint(values), values) * unit


def _exchangeable(face: Linear, x: Floats, offer: Ints, unit: float, search: Search) -> Mask:
    """Return the columns of offers whose total differs from `x` by more than `unit` in another plan of the same cost."""
    no_columns = np.zeros(len(x), dtype=bool)
    free_columns = np.flatnonzero(face.lower < face.upper)
    free_offers = np.flatnonzero(np.bincount(offer[free_columns][offer[free_columns] >= 0]))
    if len(free_offers) < 2:
        return no_columns
    free_program, is_order = _without_fixed(face, x, free_columns), offer >= 0
    bought = np.bincount(offer[is_order], x[is_order], minlength=int(free_offers[-1]) + 1)
    min_bought, max_bought = bought.copy(), bought.copy()

    def record_plan(weights: Floats) -> bool:
        cost = np.where(is_order[free_columns], -weights[offer[free_columns]], 0.0)
        answer = search.solve_as_one(replace(free_program, cost=cost))
        if answer.outcome is not SolverOutcome.OPTIMAL or answer.x is None:
            return False
        other_plan = x.copy()
        other_plan[free_columns] = answer.x
        sums = np.bincount(offer[is_order], other_plan[is_order], minlength=len(bought))
        np.minimum(min_bought, sums, out=min_bought)
        np.maximum(max_bought, sums, out=max_bought)
        return True

    weights = np.zeros(len(bought))
    while True:
        not_bought = free_offers[max_bought[free_offers] <= unit]
        weights[:] = 0.0
        weights[not_bought] = 1.0
        if not len(not_bought) or not record_plan(weights) or (max_bought[not_bought] <= unit).all():
            break
    weights[:] = 0.0
    weights[free_offers] = _arbitrary_weights(free_offers)
    if record_plan(weights):
        record_plan(-weights)
    is_exchangeable = max_bought - min_bought > unit
    return np.where(is_order, is_exchangeable[offer], False) if len(is_exchangeable) else no_columns


def _without_fixed(linear: Linear, x: Floats, free_columns: Ints) -> Linear:
    """Return the program of the free columns. The others have the values `x`."""
    free_entries, fixed_x = linear.entries.within(free_columns), x.copy()
    fixed_x[free_columns] = 0.0
    fixed_activity, has_entries = linear.entries @ fixed_x, free_entries.counts > 0
    return Linear(
        cost=np.zeros(len(free_columns)),
        lower=linear.lower[free_columns],
        upper=linear.upper[free_columns],
        integer=np.zeros(len(free_columns), dtype=bool),
        entries=free_entries[has_entries],
        row_lower=(linear.row_lower - fixed_activity)[has_entries],
        row_upper=(linear.row_upper - fixed_activity)[has_entries],
    )


def _with_changes(linear: Linear, x: Floats, free_columns: Ints, line: Ints, periods: int) -> tuple[Linear, int]:
    """Add two columns and a row for each change of orders between periods that depends on a free column: its increase and its decrease."""
    order_columns = np.flatnonzero(line >= 0)
    lines, line_numbers = np.unique(line[order_columns], return_inverse=True)
    line_of = np.full(len(line), -1)
    line_of[order_columns] = line_numbers
    has_free_column = np.bincount(line_of[free_columns] + 1, minlength=len(lines) + 1)[1:] > 0
    later_lines = 1 + np.flatnonzero(
        (np.diff(lines) == 1) & (lines[1:] % periods != 0) & (has_free_column[1:] | has_free_column[:-1])
    )
    count = len(later_lines)
    row = np.full(len(lines) + 2, -1)
    row[later_lines] = np.arange(count)
    arriving = np.flatnonzero(row[line_of[free_columns]] >= 0)
    leaving = np.flatnonzero(row[line_of[free_columns] + 1] >= 0)
    change = Entries.summed(
        np.concatenate([row[line_of[free_columns[arriving]]], row[line_of[free_columns[leaving]] + 1]]),
        np.concatenate([arriving, leaving]),
        np.repeat([1.0, -1.0], [len(arriving), len(leaving)]),
        (count, len(free_columns)),
    )
    is_free = np.zeros(len(line), dtype=bool)
    is_free[free_columns] = True
    fixed_orders = order_columns[~is_free[order_columns]]
    fixed_quantity = np.bincount(line_of[fixed_orders], x[fixed_orders], minlength=len(lines)).astype(
        np.float64, copy=False
    )
    targets = fixed_quantity[later_lines - 1] - fixed_quantity[later_lines]
    return with_differences(linear, change, targets), count


def _weights_by_name(program: Program, columns: Ints, positions: Ints) -> Floats:
    """Return a number from 1 to 2 for each column that buys, by names and dates of its order, and 0 for others."""
    problem, columns_by_kind = program.problem, program.columns
    buy_index, is_buying = _buy_positions(program, columns)
    move, arcs, weights = columns_by_kind.buy_move[buy_index[is_buying]], problem.network.arcs, np.zeros(len(columns))
    arc = problem.moves.arc[move]
    starts = np.array([period.start.toordinal() for period in problem.case.horizon.periods], dtype=np.uint64)
    bits = _hashes(arc, lambda index: "\n".join((arcs[index].name, *arcs[index].node)))
    for key in (
        _ranks(arc, columns_by_kind.buy_compliance_class[buy_index[is_buying]]),
        starts[problem.moves.ordered[move]],
        starts[problem.moves.delivered[move]],
    ):
        bits = _splitmix(bits) ^ key
    weights[is_buying] = _weights(bits)
    return weights[positions]


def _buy_positions(program: Program, columns: Ints) -> tuple[Ints, Mask]:
    """Return where each column is, or would be, among those that buy, and True if it is one."""
    buy = program.columns.buy
    columns = columns.astype(buy.dtype, copy=False)  # numpy would convert all of `buy` for each component
    first, last = (np.searchsorted(buy, columns, side=side) for side in ("left", "right"))
    return first, first < last


def _ranks(groups: Ints, values: Ints) -> Bits:
    pairs, inverse = np.unique(np.stack((groups, values)), axis=1, return_inverse=True)
    ranks = np.arange(pairs.shape[1]) - np.searchsorted(pairs[0], pairs[0])
    rank_of_value: Bits = ranks.astype(np.uint64)[inverse.reshape(-1)]
    return rank_of_value


def _hashes(positions: Ints, name: Callable[[int], str]) -> Bits:
    distinct, inverse = np.unique(positions, return_inverse=True)
    hashes = [
        int.from_bytes(blake2b(name(position).encode(), digest_size=8).digest()) for position in distinct.tolist()
    ]
    hashes_of_positions: Bits = np.array(hashes, dtype=np.uint64)[inverse]
    return hashes_of_positions


def _arbitrary_weights(positions: Ints) -> Floats:
    return _weights(positions.astype(np.uint64))


def _weights(bits: Bits) -> Floats:
    mixed: Floats = 1.0 + _splitmix(bits).astype(np.float64) / 2.0**64
    return mixed


def _splitmix(bits: Bits) -> Bits:
    """Return the next output of SplitMix64 for each state (Steele, Lea, and Flood, OOPSLA 2014, 453-472)."""
    with np.errstate(over="ignore"):
        bits = (bits + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return bits ^ (bits >> np.uint64(31))
