"""Proofs of a bound against brute force: by search, and by certificates."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product
from random import Random

import numpy as np
import pytest
from hypothesis import given
from tests.property.compare import RELATIVE, WORKED, each_worked, planned_once, rounding
from tests.property.oracle import optimum
from tests.property.settings import DEPTH, examples
from tests.property.strategies import Tiny, tiny_cases
from tests.property.test_first_plans import program

from friendshore.program.matrix import Entries, Linear
from friendshore.solve import Watch, relaxation
from friendshore_proof.certificate import CertificateError, Steps, proved
from friendshore_proof.cuts import Cut, ExactRows
from friendshore_proof.exact import Multipliers
from friendshore_proof.proving import prove_optimality
from friendshore_proof.search import Branch, Leaf, Tree


@each_worked
def test_what_was_worked_out_by_hand_is_proved_and_no_more(worked: str) -> None:
    """The proved bound is the objective that the working beside the case gives, and not above it."""
    objective = WORKED[worked].objective
    if math.isinf(objective):
        return
    proof = prove_optimality(planned_once(worked).plan, seconds=60)
    assert proof.findings == ()
    assert proof.proved, proof.text
    assert proof.bound is not None
    assert proof.bound <= Fraction(objective) + Fraction(1e-9 * max(1.0, abs(objective)))


@examples(300, least=5)
@given(tiny_cases())
def test_no_bound_lies_above_the_optimum(tiny: Tiny) -> None:
    """On random tiny cases the bound is at most what brute force finds, and the plan is proved to be optimal."""
    answer = optimum(tiny.case, [tiny.catalog], tiny.rules).objective
    found = tiny.planned()
    proof = prove_optimality(found.plan, seconds=60)
    assert proof.findings == ()
    if not math.isinf(answer):
        assert proof.bound is not None
        assert float(proof.bound) <= answer + RELATIVE * max(1.0, abs(answer))
        slack = rounding(tiny.case, [tiny.catalog], found) + RELATIVE * max(1.0, abs(answer))
        assert proof.proved or float(proof.bound) >= answer - slack, proof.text


@pytest.fixture(autouse=True)
def cuts_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs as small as these are branched to the end before any cut is looked for: here cuts come first."""
    monkeypatch.setattr("friendshore_proof.search.BEFORE_CUTS", 0)


def drawn(dice: Random) -> Linear:
    """A few integer columns and a continuous one, under a few rows, costs on either side of zero."""
    columns, rows = range(dice.randint(2, 4)), range(dice.randint(1, 3))
    upper = [float(dice.randint(1, 3)) for _ in columns]
    figures = [[float(dice.randint(-3, 5)) for _ in columns] for _ in rows]
    cost = [dice.randint(-40, 90) / 10 for _ in columns]
    least = [float(dice.randint(-1, 6)) for _ in rows]
    most = [dice.choice([np.inf, float(dice.randint(6, 9))]) for _ in rows]
    return program(figures, least, most, upper, len(columns) - 1, cost)


def least_cost(linear: Linear) -> float | None:
    """The least cost, by trying all whole numbers; None: there is no plan."""
    whole = np.flatnonzero(linear.integer)
    found: list[float] = []
    for values in product(*(range(int(linear.upper[j]) + 1) for j in whole)):
        lower, upper = linear.lower.copy(), linear.upper.copy()
        lower[whole] = upper[whole] = values
        answer = relaxation(replace(linear, lower=lower, upper=upper), Watch())
        if answer.x is not None:
            found.append(answer.objective)
    return min(found, default=None)


def lots(dice: Random) -> Linear:
    """A store over a few periods, orders with a fixed cost and a limit, and what is not delivered costs much: what cuts are for."""
    periods, most = dice.randint(2, 4), float(dice.randint(5, 12))
    demand = np.array([float(dice.randint(0, 6)) for _ in range(periods)])
    order, stock, short, choice = (np.arange(periods) + periods * kind for kind in range(4))
    flow = [(t, order[t], 1.0) for t in range(periods)] + [(t, short[t], 1.0) for t in range(periods)]
    flow += [(t, stock[t], -1.0) for t in range(periods)] + [(t + 1, stock[t], 1.0) for t in range(periods - 1)]
    link = [(periods + t, order[t], 1.0) for t in range(periods)]
    link += [(periods + t, choice[t], -most) for t in range(periods)]
    rows, columns, values = (np.array(one) for one in zip(*flow, *link, strict=True))
    cost = [[0.0] * periods, [dice.randint(1, 9) / 10] * periods, [40.0] * periods]
    fixed = [float(dice.randint(1, 9)) for _ in range(periods)]
    return Linear(
        cost=np.array([*cost[0], *cost[1], *cost[2], *fixed]),
        lower=np.zeros(4 * periods),
        upper=np.array([most] * periods + [np.inf] * periods + demand.tolist() + [1.0] * periods),
        integer=np.arange(4 * periods) >= 3 * periods,
        entries=Entries.summed(rows, columns, values, (2 * periods, 4 * periods)),
        row_lower=np.append(demand, np.full(periods, -np.inf)),
        row_upper=np.append(demand, np.zeros(periods)),
    )


def drawn_cut(dice: Random, rows: ExactRows, count: int) -> Cut:
    """Any multipliers of rows and of cuts before it, and any ends."""
    used = sorted(dice.sample(range(count), dice.randint(1, min(4, count))))
    given = tuple((row, dice.choice([-7, -3, -2, -1, 1, 2, 3, 5])) for row in used)
    ends = tuple(j for j in range(len(rows.upper)) if dice.random() < 0.3)
    return Cut(Multipliers(dice.randint(1, 12), given), ends)


def bent_cuts(dice: Random, cuts: Sequence[Cut]) -> tuple[Cut, ...]:
    """The same with one changed: a multiplier by one, the denominator, an end, or a row."""
    at = dice.randrange(len(cuts))
    over, rows, ends = cuts[at].multipliers.over, list(cuts[at].multipliers.rows), set(cuts[at].ends)
    way, which = dice.randrange(4), dice.randrange(len(rows))
    row, times = rows[which]
    if way == 0:
        rows[which] = row, times + dice.choice([-1, 1])
    elif way == 1:
        over += dice.choice([1, 2, over])
    elif way == 2:
        ends ^= {dice.randrange(8)}
    else:
        rows[which] = max(0, row + dice.choice([-1, 1])), times
    return *cuts[:at], Cut(Multipliers(over, tuple(rows)), tuple(sorted(ends))), *cuts[at + 1 :]


def bent(dice: Random, steps: Steps) -> Steps:
    """The same with something changed: a multiplier, a denominator, a split, a leaf said to be empty, or steps lost, doubled or moved."""
    new, at, way = list(steps), dice.randrange(len(steps)), dice.randrange(6)
    step = new[at]
    if way == 0:
        new.insert(at, dice.choice(new))
    elif way == 1:
        del new[at]
    elif way == 2:
        dice.shuffle(new)
    elif isinstance(step, Branch):
        new[at] = Branch(step.column + dice.randint(-1, 1), step.at + dice.randint(-2, 2))
    elif way == 3:
        new[at] = Leaf(step.multipliers, not step.empty)
    else:
        over = max(1, step.multipliers.over + dice.choice([-1, 0, 0, 1]) * dice.randint(0, 3))
        rows = tuple((row, times + dice.randint(-9, 9) * over // 3) for row, times in step.multipliers.rows)
        new[at] = Leaf(Multipliers(over, rows), step.empty)
    return tuple(new)


@pytest.mark.parametrize("seed", range(int(12 + 388 * min(1.0, DEPTH))))
@pytest.mark.parametrize("draw", [drawn, lots])
def test_no_certificate_proves_more_than_the_optimum(draw: Callable[[Random], Linear], seed: int) -> None:
    """That of a search proves the optimum; one of twenty that were bent proves no more, and no plan where there is one is never denied."""
    dice = Random(seed)
    linear = draw(dice)
    best = least_cost(linear)
    tree = Tree(linear, 1e6, Watch())
    tree.raise_bound(Fraction(10**6))
    steps = tuple(tree.steps)
    bound, empty = proved(linear, 1e6, steps, Watch(), tree.cuts)
    assert empty == (best is None)
    if best is not None:
        assert bound is not None
        assert float(bound) == pytest.approx(best, rel=1e-7, abs=1e-7)
    for number in range(20):
        at_cuts = bool(tree.cuts) and number % 2
        given = (steps, bent_cuts(dice, tree.cuts)) if at_cuts else (bent(dice, steps), tree.cuts)
        try:
            bound, empty = proved(linear, 1e6, given[0], Watch(), given[1])
        except CertificateError:
            continue
        assert best is None or not empty
        assert best is None or bound is None or float(bound) <= best + 1e-7 * max(1.0, abs(best))


@pytest.mark.parametrize("seed", range(int(12 + 388 * min(1.0, DEPTH))))
@pytest.mark.parametrize("draw", [drawn, lots])
def test_every_plan_keeps_a_cut_whatever_it_is_made_of(draw: Callable[[Random], Linear], seed: int) -> None:
    """Cuts of any multipliers and ends, made of rows and of each other: the least that a plan makes of one, by brute force, is enough."""
    dice = Random(seed)
    linear = draw(dice)
    linear = replace(linear, upper=linear.upper + np.where(linear.integer, dice.choice([0.0, 0.5]), 0.0))
    rows = ExactRows(linear, np.where(np.isinf(linear.upper), 100.0, linear.upper))
    for _ in range(8):
        cut = rows.of(drawn_cut(dice, rows, rows.program_row_count + len(rows.cuts)))
        if cut is None:
            continue
        rows.cuts.append(cut)
        values = np.zeros(len(linear.cost))
        values[list(cut.entries)] = list(cut.entries.values())
        least = least_cost(replace(linear, cost=values))
        assert cut.lower is not None
        assert least is None or least >= cut.lower - 1e-6 * max(1.0, float(np.abs(values).max())), seed


@pytest.mark.parametrize("seed", range(10))
def test_large_figures_of_a_cut_are_rounded_to_what_it_still_proves(seed: int) -> None:
    """A row of continuous columns, each figure of fifteen digits: a cut made of it alone holds at all corners of it, in exact fractions."""
    dice = Random(seed)
    figures = [dice.randint(10**14, 10**15 - 1) for _ in range(4)]
    row = [figure / 10.0 for figure in figures[:3]]
    linear = program([row], [figures[3] / 10.0], [np.inf], [np.inf] * 3, 0, np.zeros(3))
    cut = ExactRows(linear, linear.upper).of(Cut(Multipliers(1, ((0, 10),)), ()))
    assert cut.lower is not None
    for column, value in cut.entries.items():
        assert value * Fraction(figures[3], figures[column]) >= cut.lower
        assert float(value) * figures[3] == pytest.approx(float(cut.lower) * figures[column], rel=1e-11)


def test_lots_are_proved_without_branching() -> None:
    """What orders of a few periods cost: the relaxation says less, and with cuts one leaf is enough in most cases."""
    trees = [Tree(lots(Random(seed)), 1e6, Watch()) for seed in range(12)]
    for tree in trees:
        tree.raise_bound(Fraction(10**6))
    cut = [tree for tree in trees if tree.cuts]
    assert len(cut) >= 6
    assert sum(tree.done and len(list(tree.steps)) == 1 for tree in cut) >= len(cut) / 2
