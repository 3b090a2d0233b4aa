"""Many parts that share capacities: plan and bound hold, and the search ends where one call of HiGHS ends."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from friendshore.program.matrix import Entries, Linear
from friendshore.solve.engine import Ask, SolverAnswer, SolverOutcome, Watch
from friendshore.solve.engines import ENGINES
from friendshore.solve.lagrangian import LagrangianPrices
from friendshore.solve.linking import sharing_of
from friendshore.solve.search import Search
from friendshore.solve.shared import completed

from .random_cases.facts import Draw
from .settings import examples

PERIODS = 3
MISSED = 100.0


def a_good(dice: np.random.Generator, offers: int) -> tuple[Linear, np.ndarray]:
    """A good over some periods, and which of its columns buy: stock, dear shortage, order minima, offers that cost at once.

    Columns: buy (offer x period), stock, short, order (offer x period), use.
    """
    cells = offers * PERIODS
    need = dice.integers(5, 30, PERIODS).astype(float)
    most = dice.integers(5, 30, offers).astype(float)
    least = np.round(most * dice.choice([0.0, 0.3, 0.8], offers))
    each = np.eye(PERIODS)
    buy = np.hstack([each] * offers)
    balance = [buy, np.diag(np.ones(PERIODS - 1), -1) - each, each, np.zeros((PERIODS, cells + offers))]
    ordered, used = np.eye(cells), np.repeat(np.eye(offers), PERIODS, axis=0)
    middle, month = np.zeros((cells, 2 * PERIODS)), np.repeat(most, PERIODS)[:, None]
    below = [ordered, middle, -ordered * month, np.zeros((cells, offers))]
    above = [ordered, middle, -ordered * np.repeat(least, PERIODS)[:, None], np.zeros((cells, offers))]
    boarded = [ordered, middle, np.zeros((cells, cells)), -used * month]
    zero, endless = np.zeros(cells), np.full(cells, np.inf)
    linear = Linear(
        cost=np.concatenate(
            [
                np.repeat(dice.integers(1, 20, offers), PERIODS),
                np.full(PERIODS, 0.5),
                np.full(PERIODS, MISSED),
                zero,
                dice.integers(1, 100, offers),
            ]
        ).astype(float),
        lower=np.zeros(2 * cells + 2 * PERIODS + offers),
        upper=np.concatenate([month.ravel(), np.full(PERIODS, 100.0), need, np.ones(cells + offers)]),
        integer=np.arange(2 * cells + 2 * PERIODS + offers) >= cells + 2 * PERIODS,
        entries=Entries.of(sp.csr_matrix(np.vstack([np.hstack(row) for row in (balance, below, above, boarded)]))),
        row_lower=np.concatenate([need, -endless, zero, -endless]),
        row_upper=np.concatenate([need, zero, endless, zero]),
    )
    return linear, np.arange(2 * cells + 2 * PERIODS + offers) < cells


def sharing(dice: np.random.Generator, goods: int, offers: int, plants: int, room: float) -> Linear:
    """Goods whose offers come from plants with a capacity a period; some capacities are soft."""
    parts = [a_good(dice, offers) for _ in range(goods)]
    buys = np.concatenate([buy for _, buy in parts])
    plant = dice.integers(0, plants, goods * offers)
    rows = np.zeros((plants * PERIODS, len(buys)))
    for offer, position in enumerate(np.flatnonzero(buys).reshape(goods * offers, PERIODS)):
        rows[plant[offer] * PERIODS + np.arange(PERIODS), position] = dice.choice([0.8, 1.0, 1.25])
    most = np.repeat(np.round(room * np.bincount(plant, minlength=plants) * 15), PERIODS)
    soft = np.flatnonzero(dice.random(len(rows)) < 0.2)
    miss = sp.csr_matrix((-np.ones(len(soft)), (soft, np.arange(len(soft)))), (len(rows), len(soft)))

    def joined(name: str, more: Any) -> Any:
        return np.concatenate([*(getattr(part, name) for part, _ in parts), more])

    return Linear(
        cost=joined("cost", np.full(len(soft), 30.0)),
        lower=joined("lower", np.zeros(len(soft))),
        upper=joined("upper", np.full(len(soft), np.inf)),
        integer=joined("integer", np.zeros(len(soft), dtype=bool)),
        entries=Entries.of(sp.bmat([[sp.block_diag([p.matrix for p, _ in parts]), None], [sp.csr_matrix(rows), miss]])),
        row_lower=joined("row_lower", np.full(len(rows), -np.inf)),
        row_upper=joined("row_upper", most),
    )


@st.composite
def sharing_programs(draw: Draw[Any]) -> Linear:
    """Four to seven goods of two or three offers each, with little room to more than enough."""
    dice = np.random.default_rng(draw(st.integers(0, 10**6)))
    goods, offers, plants = draw(st.integers(4, 7)), draw(st.integers(2, 3)), draw(st.integers(2, 5))
    return sharing(dice, goods, offers, plants, draw(st.sampled_from((0.15, 0.3, 0.5, 1.0))))


@examples(12, least=1)
@given(sharing_programs(), st.sampled_from((0.05, 1e-6)))
def test_a_plan_and_a_bound_with_the_optimum_between(program: Linear, gap: float) -> None:
    """Priced and bettered part by part, then searched as one: the plan keeps all rows, and the optimum lies within the gap."""
    joint = sharing_of(program, choices=1, parts=2)
    if joint is None:
        return
    search = Search(Watch(), gap)
    whole = ENGINES.search(program, Ask(gap=1e-7))
    answer = search.sharing(joint)
    assert answer.outcome is SolverOutcome.OPTIMAL
    assert answer.x is not None
    slack = 1e-6 * max(1.0, abs(whole.objective))
    assert answer.bound <= whole.objective + slack
    assert whole.bound - slack <= answer.objective <= whole.objective + gap * abs(answer.objective) + slack
    assert answer.objective == pytest.approx(float(program.cost @ answer.x))
    activity = program.matrix @ answer.x
    assert (activity >= program.row_lower - 1e-6).all()
    assert (activity <= program.row_upper + 1e-6).all()
    assert (answer.x[program.integer] == np.round(answer.x[program.integer])).all()


@examples(12, least=1)
@given(sharing_programs())
def test_what_parts_cost_too_much_is_within_the_gap(program: Linear) -> None:
    """No part of a plan costs less at the prices than it must, and all together are too dear by no more than lies between plan and bound."""
    joint = sharing_of(program, choices=1, parts=2)
    if joint is None:
        return
    plan = ENGINES.search(program, Ask(gap=1e-7))
    assert plan.x is not None
    prices = LagrangianPrices(joint, Search(Watch(), 1e-6), np.zeros(len(joint.rows)), 1e-6)
    prices.run(4)
    excess, slack = prices.excess(plan.x), 1e-6 * max(1.0, abs(plan.objective))
    assert prices.bound <= plan.objective + slack
    assert (excess >= -slack).all()
    assert excess.sum() <= plan.objective - prices.bound + slack


@pytest.mark.parametrize("gap", [0.03, 0.001])
@pytest.mark.parametrize("goods", [5, pytest.param(8, marks=pytest.mark.deep)])
def test_the_same_program_gives_the_same_plan(goods: int, gap: float) -> None:
    """Twice, with one worker and with two; to a wide gap, and to one for which all choices are searched together."""
    program = sharing(np.random.default_rng(5), goods, 2, 4, 0.4)
    joint = sharing_of(program, choices=1, parts=2)
    assert joint is not None
    found = [Search(Watch(), gap, workers).sharing(joint) for workers in (1, 2)]
    assert found[0].x is not None
    assert found[1].x is not None
    assert (found[0].x == found[1].x).all()
    assert found[0].bound == found[1].bound


def test_few_choices_or_few_parts_are_solved_as_one() -> None:
    """Nothing is priced where HiGHS is done at once; nor where nothing is shared."""
    program = sharing(np.random.default_rng(5), 12, 3, 5, 0.4)
    assert sharing_of(program) is None
    assert sharing_of(program, choices=1, parts=20) is None
    apart = replace(program, row_upper=np.where(np.isinf(program.row_lower), np.inf, program.row_upper))
    assert sharing_of(replace(apart, integer=np.ones(len(apart.cost), dtype=bool)), choices=1) is None


def test_orders_that_do_not_all_fit_are_decided() -> None:
    """Two orders of at least four of something else each, in a place for six: begun both, only one can be made; there is a plan all the same."""
    # Columns: bought of one and of the other, whether they are ordered, short of one and of the other.
    program = Linear(
        cost=np.array([1.0, 2.0, 0.0, 0.0, MISSED, MISSED]),
        lower=np.zeros(6),
        upper=np.array([6.0, 6.0, 1.0, 1.0, 3.0, 3.0]),
        integer=np.array([False, False, True, True, False, False]),
        entries=Entries.of(
            sp.csr_matrix(
                [
                    [1, 0, -6, 0, 0, 0],
                    [0, 1, 0, -6, 0, 0],
                    [1, 0, -4, 0, 0, 0],
                    [0, 1, 0, -4, 0, 0],
                    [1, 1, 0, 0, 0, 0],
                    [1, 0, 0, 0, 1, 0],
                    [0, 1, 0, 0, 0, 1],
                ],
                dtype=np.float64,
            )
        ),
        row_lower=np.array([-np.inf, -np.inf, 0.0, 0.0, -np.inf, 3.0, 3.0]),
        row_upper=np.array([0.0, 0.0, np.inf, np.inf, 6.0, np.inf, np.inf]),
    )
    begun = np.array([3.0, 3.0, 0.6, 0.6, 0.0, 0.0])
    plan = SolverAnswer(SolverOutcome.FEASIBLE, begun, float(program.cost @ begun))
    found = completed(program, np.zeros(6, dtype=bool), plan, ENGINES, Watch())
    assert found.objective == pytest.approx(4 + 3 * MISSED)
    assert np.round(found.x[2:4]).tolist() == [1.0, 0.0]
