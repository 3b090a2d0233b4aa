"""Parts of a program: joined by linking rows, and many that share capacities."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from friendshore.program.matrix import Entries, Linear
from friendshore.solve import component_search, lagrangian
from friendshore.solve.component_search import Search
from friendshore.solve.engine import Ask, LinkingMethod, SolverAnswer, SolverOutcome, Watch
from friendshore.solve.engines import ENGINES
from friendshore.solve.lagrangian import LagrangianPrices, linked_program, shared_capacity_program
from friendshore.solve.shared import SharedCapacitySearch, with_all_choices

from .random_cases.facts import Draw
from .settings import examples
from .test_first_plans import GAP, OPEN, keeps_rows, program

# ---------------------------------------------------------------------------------------------- parts under linking rows


def a_part(dice: np.random.Generator, offers: int, whole: bool) -> Linear:
    """One good: a need, offers with a price, a capacity and perhaps a cost of being used at all, and a dear shortage first."""
    need = float(dice.integers(20, 80))
    price = dice.integers(1, 20, offers).astype(float)
    most = dice.integers(10, 50, offers).astype(float)
    switches = offers if whole else 0
    links = np.hstack([np.zeros((switches, 1)), np.eye(switches, offers), -np.diag(most[:switches])])
    demand = np.concatenate([np.ones(offers + 1), np.zeros(switches)])
    return Linear(
        cost=np.concatenate([[100.0], price, dice.integers(1, 100, switches)]),
        lower=np.zeros(1 + offers + switches),
        upper=np.concatenate([[need], most, np.ones(switches)]),
        integer=np.arange(1 + offers + switches) > offers,
        entries=Entries.of(sp.csr_matrix(np.vstack([demand, links]))),
        row_lower=np.concatenate([[need], np.full(switches, -np.inf)]),
        row_upper=np.concatenate([[need], np.zeros(switches)]),
    )


def together(parts: list[Linear], rows: np.ndarray, lower: Any, upper: Any, misses: Any = 0.0) -> Linear:
    """The parts under rows over all their columns, each of which may be missed at a price where one is given."""
    lower, upper, misses = (np.broadcast_to(np.asarray(x, float), len(rows)) for x in (lower, upper, misses))
    soft = np.flatnonzero(misses)
    sign = np.where(np.isfinite(lower), 1.0, -1.0)[soft]
    miss = sp.csr_matrix((sign, (soft, np.arange(len(soft)))), (len(rows), len(soft)))
    matrix = sp.bmat([[sp.block_diag([p.matrix for p in parts]), None], [sp.csr_matrix(rows), miss]])
    more = {
        "cost": misses[soft], "lower": np.zeros(len(soft)), "upper": np.full(len(soft), np.inf),
        "integer": np.zeros(len(soft), dtype=bool), "row_lower": lower, "row_upper": upper,
    }  # fmt: skip
    joined = {name: np.concatenate([*(getattr(p, name) for p in parts), values]) for name, values in more.items()}
    return Linear(entries=Entries.of(sp.csr_matrix(matrix)), **joined)


@st.composite
def joined_programs(draw: Draw[Any]) -> Linear:
    """Two to six goods under one to three caps or floors on what they spend, hard or soft, loose to impossible."""
    dice = np.random.default_rng(draw(st.integers(0, 10**6)))
    mixed = draw(st.sampled_from((True, True, False)))
    count = draw(st.integers(2, 6))
    parts = [a_part(dice, draw(st.integers(1, 4)), mixed and draw(st.booleans())) for _ in range(count)]
    # What is short is not spent.
    spent = np.concatenate([p.cost * (p.cost != 100.0) for p in parts])
    most = np.concatenate([p.upper for p in parts])
    joining = draw(st.integers(1, 3))
    rows = spent * dice.choice([0.0, 0.5, 1.0, 1.0], (joining, len(spent)))
    ends = rows @ most * [draw(st.sampled_from((0.0, 0.05, 0.2, 0.35, 0.6, 1.0))) for _ in range(joining)]
    floor = np.array([draw(st.integers(0, 4)) == 0 for _ in range(joining)])
    misses = np.array([draw(st.sampled_from((0.0, 0.0, 0.3, 2.0))) for _ in range(joining)])
    return together(parts, rows, np.where(floor, ends, -np.inf), np.where(floor, np.inf, ends), misses)


def is_plan(program: Linear, answer: Any) -> None:
    """Asserts that an answer is a plan that keeps all rows and costs what it says."""
    assert keeps_rows(program, answer.x)
    assert (answer.x[program.integer] == np.round(answer.x[program.integer])).all()
    assert answer.objective == pytest.approx(float(program.cost @ answer.x))


def same_as_whole(program: Linear, gap: float = GAP) -> LinkingMethod | None:
    """Asserts that the search finds what one call of HiGHS finds; how it dealt with the linking constraints."""
    answer = Search(Watch(), gap).solve_component(program)
    whole = ENGINES.search(program)
    assert answer.outcome is whole.outcome
    if answer.x is None:
        return None
    allowed = 2 * gap * max(1.0, abs(whole.objective))
    assert answer.objective == pytest.approx(whole.objective, abs=allowed)
    assert answer.objective - allowed <= answer.bound <= whole.objective + allowed
    is_plan(program, answer)
    return answer.joined.method if answer.joined else None


def goods(dice: np.random.Generator) -> list[Linear]:
    """Twelve goods with choices."""
    return [a_part(dice, 3, True) for _ in range(12)]


def under_a_budget(parts: list[Linear], share: float) -> Linear:
    """Goods under one cap on what they spend, of what they could spend in all."""
    spent = np.concatenate([p.cost * (p.cost != 100.0) for p in parts])[None, :]
    return together(parts, spent, -np.inf, share * spent @ np.concatenate([p.upper for p in parts]))


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A linear program of few entries counts as one of many: its joining rows are looked for."""
    monkeypatch.setattr(lagrangian, "FEW_ENTRIES", 0)


@pytest.mark.parametrize("many", [400, 1], ids=["few choices", "many choices"])
@examples(60)
@given(program=joined_programs())
def test_parts_under_joining_rows_come_to_the_optimum_of_the_whole(many: int, program: Linear) -> None:
    """Left out, priced before all is solved as one, or solved jointly: the same objective, a bound that holds, and a plan that keeps every row."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(component_search, "MANY_CHOICES", many)
        same_as_whole(program)


@pytest.mark.parametrize(("count", "seed"), [(2, 3), pytest.param(4, 7, marks=pytest.mark.deep)])
def test_each_way_is_taken_where_it_suffices(count: int, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wide budget is left out; a binding one is priced where that closes the gap; all three ways are met."""
    monkeypatch.setattr(component_search, "MANY_CHOICES", 1)
    ways: Counter[LinkingMethod | None] = Counter()
    dice = np.random.default_rng(seed)
    for parts in [goods(dice) for _ in range(count)]:
        for share, gap in ((1.0, GAP), (0.15, 0.01), (0.15, GAP)):
            ways[same_as_whole(under_a_budget(parts, share), gap)] += 1
    assert ways[None] == 0
    assert ways[LinkingMethod.LEFT_OUT] == count
    assert ways[LinkingMethod.PRICED] > 0
    assert ways[LinkingMethod.JOINT] > 0


def test_few_choices_under_a_row_that_binds_are_solved_as_one() -> None:
    """Prices of the row come before that only where there are many choices."""
    assert same_as_whole(under_a_budget(goods(np.random.default_rng(3)), 0.15), 0.01) is LinkingMethod.JOINT


def test_rows_that_join_are_found() -> None:
    """One budget over three goods joins them; a cap on one good, or a plant that all share all the way, does not."""
    dice = np.random.default_rng(3)
    parts = [a_part(dice, 3, True) for _ in range(3)]
    width = sum(len(p.cost) for p in parts)
    joint = linked_program(together(parts, np.ones((1, width)), -np.inf, 50.0, 1.0))
    assert (joint.rows.tolist(), len(joint.parts), joint.loose.tolist()) == ([12], 3, [width])
    assert linked_program(parts[0]) is None
    own = np.array([np.ones(width), np.arange(width) < len(parts[0].cost)])
    assert linked_program(together(parts, own, -np.inf, [50.0, 40.0])).rows.tolist() == [12]


# ------------------------------------------------------------------------------------------- parts that share capacities


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
    price, once = np.repeat(dice.integers(1, 20, offers), PERIODS), dice.integers(1, 100, offers)
    linear = Linear(
        cost=np.concatenate([price, np.full(PERIODS, 0.5), np.full(PERIODS, MISSED), zero, once]).astype(float),
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
    misses = np.where(dice.random(len(rows)) < 0.2, 30.0, 0.0)
    return together([part for part, _ in parts], rows, -np.inf, most, misses)


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
    joint = shared_capacity_program(program, choices=1, parts=2)
    if joint is None:
        return
    search = Search(Watch(), gap)
    whole = ENGINES.search(program, Ask(gap=1e-7))
    answer = search.solve_shared_capacities(joint)
    assert answer.outcome is SolverOutcome.OPTIMAL
    assert answer.x is not None
    slack = 1e-6 * max(1.0, abs(whole.objective))
    assert answer.bound <= whole.objective + slack
    assert whole.bound - slack <= answer.objective <= whole.objective + gap * abs(answer.objective) + slack
    is_plan(program, answer)


@examples(12, least=1)
@given(sharing_programs())
def test_what_parts_cost_too_much_is_within_the_gap(program: Linear) -> None:
    """No part of a plan costs less at the prices than it must, and all together are too dear by no more than lies between plan and bound."""
    joint = shared_capacity_program(program, choices=1, parts=2)
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
    joint = shared_capacity_program(program, choices=1, parts=2)
    assert joint is not None
    found = [Search(Watch(), gap, workers).solve_shared_capacities(joint) for workers in (1, 2)]
    assert found[0].x is not None
    assert found[1].x is not None
    assert (found[0].x == found[1].x).all()
    assert found[0].bound == found[1].bound


@pytest.mark.parametrize("seed", [5, pytest.param(6, marks=pytest.mark.deep), pytest.param(7, marks=pytest.mark.deep)])
def test_the_bound_of_a_search_with_a_time_limit_is_below_the_optimum(seed: int) -> None:
    """The search of the whole for a bound is a relaxation, and a plan that it leads to keeps all rows."""
    program = sharing(np.random.default_rng(seed), 5, 2, 4, 0.4)
    joint = shared_capacity_program(program, choices=1, parts=2)
    assert joint is not None
    search = SharedCapacitySearch(joint, Search(Watch(1000.0), 1e-9))
    answer = search.run()
    whole = ENGINES.search(program, Ask(gap=1e-7))
    assert np.isfinite(search.unconfirmed_bound)
    assert search.unconfirmed_bound * search.scale.money <= whole.objective * (1 + 1e-6)
    assert answer.x is not None
    is_plan(
        program, replace(answer, x=answer.x * search.scale.columns, objective=answer.objective * search.scale.money)
    )


def test_few_choices_or_few_parts_are_solved_as_one() -> None:
    """Nothing is priced where HiGHS is done at once; nor where nothing is shared."""
    program = sharing(np.random.default_rng(5), 12, 3, 5, 0.4)
    assert shared_capacity_program(program) is None
    assert shared_capacity_program(program, choices=1, parts=20) is None
    apart = replace(program, row_upper=np.where(np.isinf(program.row_lower), np.inf, program.row_upper))
    assert shared_capacity_program(replace(apart, integer=np.ones(len(apart.cost), dtype=bool)), choices=1) is None


def test_orders_that_do_not_all_fit_are_decided() -> None:
    """Two orders of at least four of something else each, in a place for six: begun both, only one can be made; there is a plan all the same."""
    # Columns: bought of one and of the other, short of one and of the other, whether they are ordered.
    rows: list[list[float]] = [
        [1, 0, 0, 0, -6, 0], [0, 1, 0, 0, 0, -6], [1, 0, 0, 0, -4, 0], [0, 1, 0, 0, 0, -4], [1, 1, 0, 0, 0, 0], [1, 0, 1, 0, 0, 0],
        [0, 1, 0, 1, 0, 0],
    ]  # fmt: skip
    ends = [-OPEN, -OPEN, 0, 0, -OPEN, 3, 3], [0, 0, OPEN, OPEN, 6, OPEN, OPEN]
    both = program(rows, *ends, [6, 6, 3, 3, 1, 1], 2, [1.0, 2.0, MISSED, MISSED, 0.0, 0.0])
    begun = np.array([3.0, 3.0, 0.0, 0.0, 0.6, 0.6])
    plan = SolverAnswer(SolverOutcome.FEASIBLE, begun, float(both.cost @ begun))
    found = with_all_choices(both, np.zeros(6, dtype=bool), plan, ENGINES, Watch())
    assert found.objective == pytest.approx(4 + 3 * MISSED)
    assert np.round(found.x[4:]).tolist() == [1.0, 0.0]
