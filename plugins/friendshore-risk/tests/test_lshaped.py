"""Two-stage programs by decomposition: what comes out is what one program of all scenarios says, put down here by another hand."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, count, product, repeat

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from tests.property.settings import at_depth

from friendshore.program.matrix import Entries, Linear
from friendshore.solve import SolverAnswer, SolverOutcome
from friendshore_risk.twostage import (
    RecourseProgram,
    RiskMeasure,
    ScenarioBranch,
    SecondStage,
    branch_costs_at,
    solve_recourse,
    solver_within,
)
from friendshore_risk.twostage.lshaped import Decomposed, StagePricer, solve_by_cuts

from .test_published_recourse import lands
from .test_random_cases import Program, add

EXPECTED = RiskMeasure()
MEASURES = (EXPECTED, RiskMeasure(0.4, 0.6), RiskMeasure(1.0, 0.5))


@pytest.fixture
def decomposed(monkeypatch: pytest.MonkeyPatch) -> None:
    """However small a program is."""
    monkeypatch.setattr("friendshore_risk.twostage.solving.LARGE", 0)


def drawn(seed: int) -> RecourseProgram:
    """Plants opened or not and capacity bought, in two parts that have nothing to do with each other; then flows, of which some cannot follow every decision."""
    dice = np.random.default_rng(seed)
    sites, parts = 3, 2
    columns = 2 * sites * parts
    opened = np.tile(np.repeat([True, False], sites), parts)
    first = Linear(
        np.where(opened, dice.integers(5, 40, columns), dice.integers(1, 6, columns)).astype(float),
        np.zeros(columns), np.where(opened, 1.0, 20.0), opened,
        Entries.of(csr_matrix(np.kron(np.eye(parts), np.hstack([20.0 * np.eye(sites), -np.eye(sites)])))),
        np.zeros(sites * parts), np.full(sites * parts, np.inf),
    )  # fmt: skip
    stages: list[SecondStage] = []
    kinds = [[_stage(dice, part, sites, columns) for _ in range(3)] for part in range(parts)]
    for some in kinds:
        stages += some
    branches = [ScenarioBranch(float(dice.integers(1, 9)), pair) for pair in product(range(3), range(3, 6))]
    total = sum(branch.probability for branch in branches)
    weighed = tuple(ScenarioBranch(branch.probability / total, branch.stages) for branch in branches)
    return RecourseProgram(first, tuple(stages), weighed)


def _stage(dice: np.random.Generator, part: int, sites: int, columns: int) -> SecondStage:
    """Flows from sites to two customers, who may go short unless one of them may not."""
    customers, own = 2, 2 * sites * part
    flows = sites * customers
    recourse = np.zeros((customers + sites, flows + customers))
    for site in range(sites):
        for customer in range(customers):
            recourse[customer, site * customers + customer] = 1.0
            recourse[customers + site, site * customers + customer] = 1.0
    recourse[:customers, flows:] = np.eye(customers)
    technology = np.zeros((customers + sites, columns))
    technology[customers:, own + sites : own + 2 * sites] = -np.eye(sites)
    wanted = dice.integers(1, 12, customers).astype(float)
    before = np.zeros(columns)
    before[own + sites] = dice.choice([0.0, 0.5])
    return SecondStage(
        cost=np.concatenate([dice.integers(1, 9, flows), [60.0, 80.0]]).astype(float),
        lower=np.zeros(flows + customers),
        upper=np.concatenate([np.full(flows, np.inf), [np.inf, dice.choice([0.0, np.inf])]]),
        integer=np.zeros(flows + customers, dtype=bool),
        technology=Entries.of(csr_matrix(technology)),
        recourse=Entries.of(csr_matrix(recourse)),
        row_lower=np.concatenate([wanted, np.full(sites, -np.inf)]),
        row_upper=np.concatenate([wanted, np.zeros(sites)]),
        before=before,
        constant=float(dice.integers(0, 5)),
    )


def least(program: RecourseProgram, measure: RiskMeasure) -> float:
    """By one program with a copy of the second stages for every branch, by scipy's interface to HiGHS."""
    whole, first, branches = Program(constant=program.first.constant), program.first, []
    columns(whole, first)
    whole.cost[:] = first.cost.tolist()
    rows = range(len(first.row_lower))
    whole.rows += [(_row(first.entries, r), first.row_lower[r], first.row_upper[r]) for r in rows]
    for branch in program.branches:
        money: dict[int, float] = {}
        for stage in (program.stages[s] for s in branch.stages):
            own = columns(whole, stage)
            for at, value in [*enumerate(stage.before), *zip(own, stage.cost, strict=True)]:
                add(money, at, value)
            for r in range(stage.recourse.shape[0]):
                row = _row(stage.technology, r) | {own[c]: v for c, v in _row(stage.recourse, r).items()}
                whole.rows.append((row, stage.row_lower[r], stage.row_upper[r]))
        fixed = sum(program.stages[s].constant for s in branch.stages)
        branches.append((branch.probability, money, fixed))
    whole.weighed(branches, measure)
    return whole.solved()


def columns(whole: Program, of: Linear | SecondStage) -> list[int]:
    """New columns with these bounds."""
    ends = zip(of.lower.tolist(), of.upper.tolist(), of.integer.tolist(), strict=True)
    return [whole.column(high, lower=low, integer=integer) for low, high, integer in ends]


def _row(entries: Entries, row: int) -> dict[int, float]:
    within = slice(int(entries.indptr[row]), int(entries.indptr[row + 1]))
    return dict(zip(entries.indices[within].tolist(), entries.data[within].tolist(), strict=True))


@pytest.mark.usefixtures("decomposed")
@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.deep) for n in range(1, 3 + at_depth(30)))])
def test_cuts_come_to_what_one_program_of_all_scenarios_says(seed: int) -> None:
    """Choices before, parts that share nothing, decisions that cannot be followed; expected cost, CVaR and a mix."""
    program, solver = drawn(seed), solver_within()
    for measure in MEASURES:
        answer = solve_recourse(program, measure, solver)
        assert answer.objective == pytest.approx(least(program, measure), rel=1e-6)
        assert answer.bound <= answer.objective * (1 + 1e-9)
        assert answer.objective - answer.bound <= 1e-6 * answer.objective
        costs = branch_costs_at(program, answer.x, solver)
        assert measure.of(costs, program.probabilities) == pytest.approx(answer.objective, rel=1e-7)


@pytest.mark.parametrize("seed", range(6))
def test_no_second_stage_costs_less_than_its_planes_say(seed: int) -> None:
    """Planes made at some decisions, held against what second stages come to at others; where nothing can follow, against that too."""
    program, dice = drawn(seed), np.random.default_rng(seed)
    following = StagePricer(program.stages)
    some = [dice.random(len(program.first.cost)) * program.first.upper * size for size in (0, 0.05, 0.3, 1)]
    for number in range(len(program.stages)):
        own = [following.at(number, x) for x in some]
        for one, x in zip(own, some, strict=True):
            assert (one.values is None) == (one.cost == np.inf)
            if one.values is not None:
                assert one.constant + float(one.slope @ x) == pytest.approx(one.cost, rel=1e-7)
            for other, y in zip(own, some, strict=True):
                says = one.constant + float(one.slope @ y)
                if one.values is None:
                    assert other.values is None or says <= 1e-7, "decisions that can be followed are cut off"
                else:
                    assert says <= other.cost * (1 + 1e-7) + 1e-7, "a plane lies above what it is to lie below"


@pytest.mark.parametrize("alpha", [0.0, 0.5, 0.7])
def test_of_decisions_alike_in_the_worst_cases_the_cheaper_are_taken_either_way(
    alpha: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CVaR alone asks nothing of what is not among the worst: the expected cost is the same whether decomposed or not."""
    program, solver, measure = lands(), solver_within(), RiskMeasure(1.0, alpha)
    whole = solve_recourse(program, measure, solver)
    monkeypatch.setattr("friendshore_risk.twostage.solving.LARGE", 0)
    answer = solve_recourse(program, measure, solver)
    assert answer.objective == pytest.approx(whole.objective, rel=1e-6)
    expected = [float(branch_costs_at(program, one.x, solver) @ program.probabilities) for one in (whole, answer)]
    assert expected[1] == pytest.approx(expected[0], rel=1e-6)


@pytest.mark.usefixtures("decomposed")
@pytest.mark.parametrize("measure", MEASURES)
def test_decisions_that_cannot_be_followed_are_cut_off_and_no_others(measure: RiskMeasure) -> None:
    """Four or seven have to be served, by what was built at one each: seven are built, and not a gram more."""
    one, free, zero = Entries.of(csr_matrix([[1.0]])), np.zeros(1, dtype=bool), np.zeros(1)
    below, nothing = np.array([-np.inf]), Entries.of(csr_matrix((0, 1)))
    first = Linear(np.ones(1), zero, np.full(1, 10.0), free, nothing, np.empty(0), np.empty(0))
    built = Entries.of(csr_matrix([[-1.0]]))
    stages = [
        SecondStage(zero, np.full(1, wanted), np.full(1, 9.0), free, built, one, below, zero, zero)
        for wanted in (4.0, 7.0)
    ]
    program = RecourseProgram(first, tuple(stages), (ScenarioBranch(0.9, (0,)), ScenarioBranch(0.1, (1,))))
    answer = solve_recourse(program, measure, solver_within())
    assert answer.rounds > 1
    assert answer.x == pytest.approx([7.0], rel=1e-9)
    assert answer.bound == pytest.approx(7.0, rel=1e-6)


@pytest.mark.usefixtures("decomposed")
def test_second_stages_with_integer_columns_are_not_cut() -> None:
    """No multipliers prove what they come to: CVaR looks at the worst alone then, and expected cost is one program."""
    program = lands()
    whole = np.ones(len(program.stages[0].cost), dtype=bool)
    program = replace(program, stages=tuple(replace(stage, integer=whole) for stage in program.stages))
    for measure in MEASURES:
        answer = solve_recourse(program, measure, solver_within())
        assert answer.objective == pytest.approx(least(program, measure), rel=1e-6)


def cut_off(program: RecourseProgram, measure: RiskMeasure, rounds: int) -> Decomposed:
    """Return the result of cuts after some rounds."""
    asked = count()
    return solve_by_cuts(program, measure, solver_within(), 1e-6, lambda: next(asked) >= rounds)


def test_when_time_is_up_the_best_that_is_known_is_the_answer() -> None:
    """With a bound that no decisions fall below: the optimum lies between the two."""
    program, solver = lands(), solver_within()
    some = [cut_off(program, EXPECTED, rounds) for rounds in (10**6, 0, 1, 4)]
    best, *worth = (float(branch_costs_at(program, one.x, solver) @ program.probabilities) for one in some)
    assert all(one.bound <= best * (1 + 1e-6) for one in some[1:])
    assert min(worth) >= best
    assert worth[0] > best


@pytest.mark.parametrize("measure", MEASURES)
def test_when_time_is_up_choices_are_made_and_told_with_a_bound(measure: RiskMeasure) -> None:
    """However early it ends, also while choices are open to fractions: no plan comes to less than the bound, which is one from the first cuts on."""
    program, solver = drawn(0), solver_within()
    optimum, bounds = least(program, measure), []
    for rounds in (0, 2, 6):
        some = cut_off(program, measure, rounds)
        assert not (some.x % 1)[program.first.integer].any()
        assert measure.of(branch_costs_at(program, some.x, solver), program.probabilities) >= optimum * (1 - 1e-6)
        assert some.bound <= optimum * (1 + 1e-6)
        bounds.append(some.bound)
    assert 0 < bounds[0] < bounds[-1]


@pytest.mark.parametrize("measure", MEASURES)
def test_a_solver_that_has_no_time_left_takes_no_bound_away(measure: RiskMeasure) -> None:
    """After the first program, or while choices are open to fractions: the best decisions are told with the bound that was known."""
    program, solver, bounds = drawn(0), solver_within(), []
    followed = tuple(replace(stage, upper=np.full(len(stage.cost), np.inf)) for stage in program.stages)
    program = replace(program, stages=followed)  # whatever is decided
    for programs in (1, 6):
        answers = chain(repeat(solver, programs), repeat(lambda linear: SolverAnswer(SolverOutcome.NOTHING)))
        some = solve_by_cuts(
            program, measure, lambda linear, answers=answers: next(answers)(linear), 1e-6, lambda: False
        )
        bounds.append(some.bound)
    assert 0 < bounds[0] < bounds[1] <= least(program, measure) * (1 + 1e-6)
