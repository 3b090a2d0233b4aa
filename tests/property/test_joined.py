"""Linking constraints between otherwise separate parts: the same optimum as the whole solved as one, whichever way it was found."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from friendshore.program.matrix import Entries, Linear
from friendshore.solve import linking, search
from friendshore.solve.engine import Watch
from friendshore.solve.engines import ENGINES
from friendshore.solve.linking import LinkingMethod, joint_of
from friendshore.solve.search import Search

from .random_cases.facts import Draw
from .settings import examples

GAP = 1e-6


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


def together(parts: list[Linear], rows: np.ndarray, lower: np.ndarray, upper: np.ndarray, misses: np.ndarray) -> Linear:
    """The parts under rows over all their columns, each of which may be missed at a price where one is given."""
    soft = np.flatnonzero(misses)
    sign = np.where(np.isfinite(lower), 1.0, -1.0)[soft]
    miss = sp.csr_matrix((sign, (soft, np.arange(len(soft)))), (len(rows), len(soft)))
    matrix = sp.bmat([[sp.block_diag([p.matrix for p in parts]), None], [sp.csr_matrix(rows), miss]])

    def joined(name: str, more: np.ndarray) -> Any:
        return np.concatenate([*(getattr(p, name) for p in parts), more])

    return Linear(
        cost=joined("cost", misses[soft]),
        lower=joined("lower", np.zeros(len(soft))),
        upper=joined("upper", np.full(len(soft), np.inf)),
        integer=joined("integer", np.zeros(len(soft), dtype=bool)),
        entries=Entries.of(sp.csr_matrix(matrix)),
        row_lower=joined("row_lower", lower),
        row_upper=joined("row_upper", upper),
    )


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


def same_as_whole(program: Linear, gap: float = GAP) -> LinkingMethod | None:
    """Asserts that the search finds what one call of HiGHS finds; how it dealt with the linking constraints."""
    answer = Search(Watch(), gap).component(program)
    whole = ENGINES.search(program)
    assert answer.outcome is whole.outcome
    if answer.x is None:
        return None
    allowed = 2 * gap * max(1.0, abs(whole.objective))
    assert answer.objective == pytest.approx(whole.objective, abs=allowed)
    assert answer.objective - allowed <= answer.bound <= whole.objective + allowed
    assert answer.objective == pytest.approx(float(program.cost @ answer.x))
    activity = program.matrix @ answer.x
    assert (activity >= program.row_lower - 1e-6).all()
    assert (activity <= program.row_upper + 1e-6).all()
    assert (answer.x[program.integer] == np.round(answer.x[program.integer])).all()
    return answer.joined.how if answer.joined else None


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A linear program of few entries counts as one of many: its joining rows are looked for."""
    monkeypatch.setattr(linking, "FEW_ENTRIES", 0)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program of a few choices counts as one of many: its joining rows are priced before all is solved as one."""
    monkeypatch.setattr(search, "MANY_CHOICES", 1)


@examples(60)
@given(joined_programs())
def test_parts_under_joining_rows_come_to_the_optimum_of_the_whole(program: Linear) -> None:
    """Left out or solved jointly: the same objective, a bound that holds, and a plan that keeps every row."""
    same_as_whole(program)


@pytest.mark.usefixtures("few")
@examples(60)
@given(joined_programs())
def test_priced_rows_come_to_the_optimum_of_the_whole(program: Linear) -> None:
    """The same, priced as programs of many choices are."""
    same_as_whole(program)


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize(("count", "seed"), [(2, 3), pytest.param(4, 7, marks=pytest.mark.deep)])
def test_each_way_is_taken_where_it_suffices(count: int, seed: int) -> None:
    """A wide budget is left out; a binding one is priced where that closes the gap; all three ways are met."""
    dice = np.random.default_rng(seed)
    ways: Counter[LinkingMethod | None] = Counter()
    for _ in range(count):
        parts = [a_part(dice, 3, True) for _ in range(12)]
        rows = np.concatenate([p.cost * (p.cost != 100.0) for p in parts])[None, :]
        most = float(rows[0] @ np.concatenate([p.upper for p in parts]))
        for share, gap in ((1.0, GAP), (0.15, 0.01), (0.15, GAP)):
            end = np.array([share * most])
            ways[same_as_whole(together(parts, rows, np.array([-np.inf]), end, np.zeros(1)), gap)] += 1
    assert ways[None] == 0
    assert ways[LinkingMethod.LEFT_OUT] == count
    assert ways[LinkingMethod.PRICED] > 0
    assert ways[LinkingMethod.JOINT] > 0


def test_few_choices_under_a_row_that_binds_are_solved_as_one() -> None:
    """Prices of the row come before that only where there are many choices."""
    dice = np.random.default_rng(3)
    parts = [a_part(dice, 3, True) for _ in range(12)]
    rows = np.concatenate([p.cost * (p.cost != 100.0) for p in parts])[None, :]
    end = 0.15 * rows @ np.concatenate([p.upper for p in parts])
    assert same_as_whole(together(parts, rows, np.array([-np.inf]), end, np.zeros(1)), 0.01) is LinkingMethod.JOINT


def test_rows_that_join_are_found() -> None:
    """One budget over three goods joins them; a cap on one good, or a plant that all share all the way, does not."""
    dice = np.random.default_rng(3)
    parts = [a_part(dice, 3, True) for _ in range(3)]
    width = sum(len(p.cost) for p in parts)
    budget = np.ones((1, width))
    joint = joint_of(together(parts, budget, np.array([-np.inf]), np.array([50.0]), np.array([1.0])))
    assert (joint.rows.tolist(), len(joint.parts), joint.loose.tolist()) == ([12], 3, [width])
    assert joint_of(parts[0]) is None
    own = np.zeros((2, width))
    own[0] = 1.0
    own[1, : len(parts[0].cost)] = 1.0
    ends = np.array([50.0, 40.0])
    joint = joint_of(together(parts, own, np.full(2, -np.inf), ends, np.zeros(2)))
    assert joint.rows.tolist() == [12]
