"""Engines: those that give up, a third one, and the confirmation of an optimum by a second."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from threading import Event
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from friendshore.domain.case import Scenario
from friendshore.domain.change import Change
from friendshore.domain.plan import Confirmation, PlanStatus
from friendshore.errors import Diagnostic, SolverError
from friendshore.program import compile_program
from friendshore.program.limits import Goal
from friendshore.program.matrix import Entries, Floats, Linear, continuous
from friendshore.questions.alternatives.find_alternatives import alternatives
from friendshore.questions.compare.compare_plans import compare
from friendshore.questions.why_not.find_why_not import why_not
from friendshore.rules.kinds import Exclude
from friendshore.rules.kinds.limits import Budget, Pin
from friendshore.session import Session
from friendshore.solve import ENGINES, Ask, BreakdownError, Engines, Limits, SolverAnswer, SolverOutcome, solve
from friendshore.solve.component_search import Search
from friendshore.solve.engine import Engine, Watch
from friendshore.solve.engines import WarmStartedSolver, scip, solve_with_highs, solve_with_scip
from friendshore.solve.engines import solve_with_glop as solve_lp
from friendshore.solve.mip import solve_mip
from friendshore.solve.solving import solve_lexicographic
from friendshore_reasons.calendar.search import calendar
from friendshore_reasons.ledger.search import ledger
from friendshore_reasons.repairs.search import repairs
from friendshore_risk.stress_answer import insurance, stress

from ..building import built, case, catalog, demand, facility, hard_case, metals, opened, planned, rule, source, store
from .test_solve import hard_part

DEAR = Change(price="cn-metal", factor=Decimal(6))


def gives_up(_linear: Linear, _ask: Ask, _hint: Floats | None = None) -> SolverAnswer:
    """An engine that comes to no answer, whatever it is asked."""
    raise BreakdownError(Diagnostic("HighsModelStatus was Unknown"))


def finds_nothing(_linear: Linear, _ask: Ask, _hint: Floats | None = None) -> SolverAnswer:
    """An engine that ends without a plan."""
    return SolverAnswer(SolverOutcome.NOTHING)


def wrong_optimum(linear: Linear, _ask: Ask, _hint: Floats | None = None) -> SolverAnswer:
    """An engine that calls the most expensive plan the optimum."""
    value = float(linear.cost @ linear.upper)
    return SolverAnswer(SolverOutcome.OPTIMAL, linear.upper.copy(), value, value, solver="wrong")


def denies(_linear: Linear, _ask: Ask, _hint: Floats | None = None) -> SolverAnswer:
    """An engine that says of everything that it is unavailable."""
    return SolverAnswer(SolverOutcome.INFEASIBLE, solver="wrong")


def only(*engines: Engine) -> Engines:
    """No engines but these."""
    return Engines(engines, engines)


SITES = [facility(c.lower(), c, 90) for c in ("CN", "AU", "JP")]
SOLD = [
    source("CN", 10), source("AU", 50, min_order=20), source("JP", 80), source("AU", 4, "salt"),
    source("JP", 6, "salt"),
]  # fmt: skip
TWO_GOODS = case(
    demand("metal", "civil", 60, 60, price=300),
    demand("salt", "civil", 40, 40, price=90),
    stores=(store("metal", 1), store("salt", 1)),
    scenarios=(Scenario(name="dear", title="Dear", change=(DEAR,)),),
)
BUDGET = rule(Budget, amount=5200, per="period")
NO_CN = rule(Exclude, id="no-cn", countries=["CN"])
GIVEN = (TWO_GOODS, catalog(*SITES, *SOLD), BUDGET, NO_CN)
"""Metal of three countries, one with an order minimum, and salt, under a budget that joins the two; Chinese metal is excluded."""


def two_goods(engines: Engines = ENGINES) -> Session:
    """The same, solved."""
    return opened(*GIVEN, workers=1, engines=engines)


QUESTIONS: dict[str, Callable[[Session], Any]] = {
    "plan": lambda session: session.verified.plan,
    "compare": lambda session: compare(session, (), (Change(disable="no-cn"), DEAR)), "alternatives": alternatives,
    "why-not": lambda session: why_not(session, "jp-metal"), "ledger": ledger, "repairs": repairs, "stress": stress,
    "calendar": calendar, "insurance": insurance,
}  # fmt: skip


def program(cost: Any, matrix: Any, upper: Any, row_lower: Any, row_upper: Any, *, whole: bool = False) -> Linear:
    """A program of columns from 0 on."""
    costs = np.array(cost, dtype=float)
    ends = (np.zeros(len(costs)), np.broadcast_to(np.array(upper, dtype=float), costs.shape))
    entries = Entries.of(sp.csr_matrix(np.array(matrix, dtype=float)))
    return Linear(costs, *ends, np.full(len(costs), whole), entries, np.array(row_lower), np.array(row_upper))


# At the edge of what solvers can tell apart: the first row asks for half a billionth less than there is.
EDGE = program(
    [2, 5, 2], [[1, 1.2, 0.5], [1.7, 1.7, 0.1], [1, 1, 1]], 1, [-np.inf, -np.inf, 1.0], [0.5 * (1 - 1e-9), 1.7, 1.0]
)


CYCLING = program(
    [0.0927, 5.81, 0.656, 23.2, 1.45e6, 0.127],
    [
        [4.15e-6, 0, 8.1e-7, 0, 0.783, 5.35e-6],
        [0.12, 0, 0.241, 0, 1.42e-12, 0.169],
        [0.25, 1, 0.5, 0, 0, 0],
        [0, 0, 0, 1.53e-5, 1, 0],
        [0, 0, 0, 0, 0, 0.25],
    ],
    [8.0, 2.0, 4.0, 0.5, 7.63e-6, 8.0],
    [-np.inf, -np.inf, 2.0, 7.63e-6, 2.0],
    [8e-5, 2.62, 2.0, 7.63e-6, 2.0],
)
"""Found in a search that ran for minutes past its time limit: GLOP 9.15 cycles on it forever, with and without presolve."""


@pytest.mark.parametrize("presolve", [False, True])
def test_an_engine_that_cycles_is_given_up(presolve: bool) -> None:
    """The next engine solves the program."""
    with pytest.raises(BreakdownError):
        solve_lp(CYCLING, presolve=presolve)
    assert ENGINES.linear(CYCLING).objective == pytest.approx(solve_with_highs(CYCLING).objective)


def test_a_row_missed_by_half_a_billionth_is_no_breakdown() -> None:
    """Some engines give up on it; asked in turn, they return an answer."""
    assert ENGINES.search(EDGE).objective == pytest.approx(2)
    assert ENGINES.linear(EDGE).outcome in (SolverOutcome.OPTIMAL, SolverOutcome.INFEASIBLE)


def test_one_engine_is_not_believed_that_there_is_no_plan() -> None:
    """Of a linear program: a second has to say so; where all others give up, the one is believed."""
    fine = replace(EDGE, row_upper=np.array([0.6, 1.7, 1.0]))
    assert ENGINES.after(denies).linear(fine).objective == pytest.approx(2)
    assert ENGINES.after(denies).search(fine).objective == pytest.approx(2)
    nothing = replace(EDGE, row_upper=np.array([0.1, 1.7, 1.0]))
    assert ENGINES.linear(nothing).outcome is SolverOutcome.INFEASIBLE
    assert only(denies, gives_up).linear(fine).outcome is SolverOutcome.INFEASIBLE
    assert only(gives_up).linear(fine).outcome is SolverOutcome.BROKEN


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_question_is_answered_though_an_engine_gives_up(name: str) -> None:
    """The engine asked first never comes to an answer: each question says what it says without that one, to 12 digits."""
    sessions = two_goods(ENGINES.after(gives_up)), two_goods()
    found, expected = (_in_digits(QUESTIONS[name](session).model_dump(mode="json")) for session in sessions)
    assert found == expected


def _in_digits(data: Any) -> Any:
    """Round all numbers of JSON-ready data to 12 digits. Two ways to the same optimum add up in another order."""
    if isinstance(data, dict):
        return {key: _in_digits(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_in_digits(value) for value in data]
    return float(f"{data:.12g}") if isinstance(data, float) else data


def test_a_comparison_goes_without_what_no_engine_solves() -> None:
    """No engine finds the plan that moves least: both plans are compared all the same, and it is said that fewer might move."""

    def not_by_moves(linear: Linear, ask: Ask, _hint: Floats | None = None) -> SolverAnswer:
        powers = {0.0, *(2.0**power for power in range(-30, 31))}
        by_moves = set(linear.cost.tolist()) <= powers and linear.cost.any()
        return gives_up(linear, ask) if by_moves else solve_with_highs(linear, ask)

    full, less = (compare(two_goods(one), (), (Change(disable="no-cn"),)) for one in (ENGINES, only(not_by_moves)))
    assert (full.min_moved_proved, less.min_moved_proved) == (True, False)
    assert less.difference == full.difference
    assert less.materials
    assert float(less.cost_after.objective) == pytest.approx(float(full.cost_after.objective))


def test_a_plan_that_no_engine_finds_is_short_and_not_proved() -> None:
    """All engines give up but where nothing is bought: everything is short, which is not called cheapest; nor is a rule in conflict."""

    def idle(linear: Linear, ask: Ask, _hint: Floats | None = None) -> SolverAnswer:
        return solve_lp(linear) if (linear.upper == 0).any() and not linear.integer.any() else gives_up(linear, ask)

    given = case(demand("metal", "civil", 100, price=60), stores=(store("metal", 1),))
    plan = opened(given, metals(), workers=1, engines=only(idle)).verified.plan
    assert plan.status is PlanStatus.FEASIBLE
    assert sum(short.quantity for short in plan.shorts) == 100
    assert plan.bound <= 1000


def test_it_is_said_where_no_engine_comes_to_anything() -> None:
    """A rule asks for purchases, and no engine finds any: in words, and no trace."""
    pin = rule(Pin, offer="au-metal", at_least=30)
    with pytest.raises(SolverError) as caught:
        opened(case(demand("metal", "civil", 100)), metals(), pin, workers=1, engines=only(gives_up))
    assert [problem.code for problem in caught.value.problems] == ["FS702"]


def test_a_program_that_is_asked_again_has_the_optimum_that_it_has_when_asked_alone() -> None:
    """With random costs and ends, among them such as leave no plan, after which others do: optimum, plan and duals are not of the ones before."""
    dice = np.random.default_rng(4)
    rows, columns = 12, 30
    matrix = np.where(dice.random((rows, columns)) < 0.3, dice.integers(1, 9, (rows, columns)), 0.0)
    linear = program(np.ones(columns), matrix, 9, np.zeros(rows), np.full(rows, np.inf))
    again, outcomes = WarmStartedSolver(), set()
    for _ in range(40):
        upper = np.where(dice.random(columns) < 0.5, 0.0, dice.integers(0, 9, columns).astype(float))
        row_upper = np.append(dice.integers(10, 60, rows - 2).astype(float), [np.inf, np.inf])
        lower = np.where((dice.random(columns) < 0.2) & (upper > 0), 1.0, 0.0)
        need = np.append(np.zeros(rows - 2), dice.integers(5, 40, 2).astype(float))
        asked = replace(
            linear, cost=dice.integers(1, 20, columns).astype(float), lower=lower, upper=upper, row_lower=need,
            row_upper=row_upper, constant=float(dice.integers(0, 9)),
        )  # fmt: skip
        found, alone = again.optimum(asked), ENGINES.linear(asked)
        outcomes.add(found.outcome)
        assert found.outcome is alone.outcome
        if found.x is None or found.duals is None:
            continue
        assert (found.objective, found.bound) == (pytest.approx(alone.objective, abs=1e-6),) * 2
        assert ((lower <= found.x) & (found.x <= upper)).all()
        assert (linear.entries @ found.x <= row_upper + 1e-6).all()
        reduced = asked.cost - linear.entries.transposed() @ found.duals
        ends = (np.where(found.duals > 0, need, np.where(np.isfinite(row_upper), row_upper, 0.0)), upper)
        proved = found.duals @ ends[0] + np.minimum(reduced, 0.0) @ ends[1] + np.maximum(reduced, 0.0) @ lower
        assert proved + asked.constant == pytest.approx(found.objective, abs=1e-6), "its duals prove another optimum"
    assert outcomes == {SolverOutcome.OPTIMAL, SolverOutcome.INFEASIBLE}


def without_duals(linear: Linear, ask: Ask, hint: Floats | None = None) -> SolverAnswer:
    """An engine that says no more than a plan and a bound, as one of a user's own may."""
    return replace(solve_with_highs(linear, ask, hint), duals=None, solver="")


@pytest.mark.parametrize(
    "engines",
    [replace(only(without_duals), second=(solve_with_scip,)), ENGINES.after(without_duals)],
    ids=["alone", "asked first"],
)
def test_an_engine_without_duals_finds_what_the_others_find(engines: Engines) -> None:
    """The same least cost; `plan` takes engines, and the plan is verified like any other."""
    one, other = (solve(compile_program(built(*GIVEN)), Limits(workers=1, engines=some)) for some in (engines, ENGINES))
    assert one.objective == pytest.approx(other.objective)
    assert (one.status, other.status) == (PlanStatus.OPTIMAL, PlanStatus.OPTIMAL)
    found = planned(*GIVEN, engines=engines)
    assert (found.status, found.verified, found.objective) == (PlanStatus.OPTIMAL, True, planned(*GIVEN).objective)


def covering(seed: int = 1, rows: int = 8, columns: int = 16) -> Linear:
    """A small covering program with integer variables, whose relaxation is cheaper than its optimum."""
    dice = np.random.default_rng(seed)
    cost, matrix = dice.integers(10, 60, columns), dice.integers(0, 9, (rows, columns))
    return program(cost, matrix, 1, np.full(rows, 20.0), np.full(rows, np.inf), whole=True)


class Patience:
    """A user who stops the search after a number of looks."""

    def __init__(self, times: int) -> None:
        self.left = times

    def is_set(self) -> bool:
        self.left -= 1
        return self.left < 0


def answered(first: Engine, *second: Engine) -> SolverAnswer:
    """Return the answer for the covering program, with one engine for the search and others for second opinions."""
    return solve_mip(covering(), Engines(ENGINES.simplex, (first,), second), Watch(), 1e-6)


OPTIMUM = solve_with_highs(covering()).objective


def test_another_search_of_the_same_solver_confirms_an_optimum() -> None:
    """It takes another seed and other tolerances, and the answer says that it was the same solver."""
    paths = []

    def highs(linear: Linear, ask: Ask, hint: Floats | None = None) -> SolverAnswer:
        paths.append(ask.path)
        return solve_with_highs(linear, ask, hint)

    answer = answered(highs, highs)
    assert answer.confirmed_by == {Confirmation.SECOND_SEARCH}
    assert paths == [0, 1]


@pytest.mark.parametrize(("outcome", "bound"), [(SolverOutcome.OPTIMAL, 0.0), (SolverOutcome.FEASIBLE, -np.inf)])
def test_a_solver_that_goes_astray_from_a_start_searches_again_without_it(outcome: SolverOutcome, bound: float) -> None:
    """HiGHS took a plan that it was given for cheaper than it is, and returned it as optimal, or as good enough."""

    def astray(linear: Linear, ask: Ask, hint: Floats | None = None) -> SolverAnswer:
        if hint is None:
            return solve_with_highs(linear, ask)
        return SolverAnswer(outcome, hint, float(linear.cost @ hint), bound)

    linear = covering()
    known = SolverAnswer(SolverOutcome.FEASIBLE, linear.upper, float(linear.cost.sum()), 1.0)
    answer = solve_mip(linear, Engines(ENGINES.simplex, (astray,), (solve_with_scip,)), Watch(), 1e-6, known)
    assert (answer.outcome, answer.objective) == (SolverOutcome.OPTIMAL, pytest.approx(OPTIMUM))


CONFIRMED = {
    "another solver": (solve_with_highs, [solve_with_scip], True),
    "nobody": (solve_with_highs, [], False),
    "a solver that gives up": (solve_with_highs, [finds_nothing], False),
    "the next after one that gives up": (solve_with_highs, [finds_nothing, solve_with_scip], True),
    "the next after one that denies the plan": (solve_with_highs, [denies, solve_with_scip], True),
    "the third, of a cheaper plan that refutes a false optimum": (wrong_optimum, [solve_with_scip, solve_with_highs], True),
    "nobody, of that cheaper plan": (wrong_optimum, [solve_with_scip], False),
    "the third, where the first denies every plan": (denies, [solve_with_scip, solve_with_highs], True),
}  # fmt: skip


@pytest.mark.parametrize(("first", "second", "confirmed"), CONFIRMED.values(), ids=CONFIRMED)
def test_one_run_of_one_solver_never_suffices(first: Engine, second: list[Engine], confirmed: bool) -> None:
    """Whatever it says of itself; the least cost is found all the same."""
    answer = answered(first, *second)
    outcome = SolverOutcome.OPTIMAL if confirmed else SolverOutcome.UNCONFIRMED
    assert (answer.outcome, answer.objective) == (outcome, pytest.approx(OPTIMUM))
    assert answer.confirmed_by == ({Confirmation.SECOND_SOLVER} if confirmed else set())


def test_a_relaxation_that_reaches_the_plan_confirms_it() -> None:
    """Its duals prove the bound, so nobody else is asked."""
    linear = replace(covering(), entries=Entries.of(sp.csr_matrix(np.eye(8, 16))), row_lower=np.full(8, 1.0))
    cost = float(linear.cost[:8].sum())
    known = SolverAnswer(SolverOutcome.FEASIBLE, np.repeat([1.0, 0.0], 8), cost, cost)
    assert solve_mip(linear, Engines((), (), ()), Watch(), 1e-6, known).confirmed_by == {Confirmation.BOUND}


def test_the_plan_says_what_confirms_it() -> None:
    """One without integer decisions needs nothing, since duals prove it; one whose optimum nobody confirms isn't called optimal."""
    alone = replace(ENGINES, second=())
    linear = opened(case(demand("metal", "civil", 100, 100, price=400)), metals(), workers=1, engines=alone)
    assert (linear.verified.plan.status, linear.verified.plan.confirmed_by) == (PlanStatus.OPTIMAL, ())
    for engines, status in ((ENGINES, PlanStatus.OPTIMAL), (alone, PlanStatus.UNCONFIRMED)):
        plan = opened(*hard_case(offers=8, periods=2), workers=1, engines=engines).verified.plan
        assert plan.status is status
        assert bool(plan.confirmed_by) == (status is PlanStatus.OPTIMAL)


@pytest.mark.parametrize("engine", [solve_with_highs, solve_with_scip], ids=["highs", "scip"])
def test_a_search_that_the_user_stops_ends(engine: Callable[[Linear, Ask], SolverAnswer]) -> None:
    """Long before it is done, and without a claim."""
    looks = Patience(3)
    answer = engine(hard_part(40, 8, 4), Ask(600.0, 1e-9, stopped=looks.is_set))
    assert answer.outcome in (SolverOutcome.NOTHING, SolverOutcome.FEASIBLE)
    assert looks.left < 0


def test_a_stopped_search_returns_its_best_plan_and_bound() -> None:
    """The plan satisfies all rows, and the bound is below it."""
    linear = hard_part(40, 8, 4)
    stops = (Patience(times).is_set for times in (20, 40, 80, 160, 320))
    tried = (solve_with_highs(linear, Ask(600.0, 1e-6, stopped=stop)) for stop in stops)
    answer = next(answer for answer in tried if answer.x is not None and answer.bound > 0)
    assert answer.outcome is SolverOutcome.FEASIBLE
    activity = linear.matrix @ answer.x
    assert ((linear.row_lower - 1e-6 <= activity) & (activity <= linear.row_upper + 1e-6)).all()
    assert 0 < answer.bound < answer.objective == pytest.approx(float(linear.cost @ answer.x))


def test_scip_gives_the_same_answer_in_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long search moves there, so that it can be killed. The second program is larger than what a pipe holds at once."""
    large = continuous(covering(rows=60, columns=200))
    here = [solve_with_scip(linear, Ask(600.0)) for linear in (covering(), large)]
    monkeypatch.setattr(scip, "_BRIEF_SECONDS", 0.0)
    for one, linear in zip(here, (covering(), large), strict=True):
        there = solve_with_scip(linear, Ask(600.0))
        assert one.outcome is there.outcome is SolverOutcome.OPTIMAL
        assert one.x.tolist() == there.x.tolist()
        assert (one.objective, one.bound) == (there.objective, there.bound)
    with pytest.raises(BreakdownError, match="relative_gap_tolerance"):
        solve_with_scip(covering(), Ask(60.0, gap=-1.0))


def test_after_the_user_stops_nothing_more_is_solved() -> None:
    """Questions end with what is known and say what is open; the best plan so far is verified."""
    enough = Event()
    session = opened(*hard_case(offers=8, periods=2), cancel=enough)
    enough.set()
    solved = session.answers.solved
    found = alternatives(session)
    assert session.min_shortage(0) is None
    assert session.answers.solved <= solved + len(session.parts.members)
    assert all(one.rise is None or one.rise.value == 0 for one in found.offers)


def test_a_plan_that_is_stopped_in_the_middle_of_its_search_is_verified() -> None:
    """The user stops a search of minutes and gets the best plan so far."""
    session = opened(*hard_case(), cancel=Patience(12))
    assert session.solution.status is session.verified.plan.status is PlanStatus.INTERRUPTED


def test_a_ranked_objective_whose_search_was_cut_short_has_a_finite_bound() -> None:
    """The search found a plan and proved nothing of it: no cost is below what every column costs at the least."""
    linear = covering()

    def unproved(linear: Linear, ask: Ask, hint: Floats | None = None) -> SolverAnswer:
        answer = solve_with_highs(linear, ask, hint)
        return replace(answer, outcome=SolverOutcome.FEASIBLE, bound=float("-inf"), out_of_time=True)

    goals = [
        Goal(np.ones(len(linear.cost)), 0.0, is_whole_objective=False),
        Goal(linear.cost, 0.0, is_whole_objective=True),
    ]
    search = Search(Watch(), 1e-6, engines=Engines((unproved,), (unproved,)))
    answer = solve_lexicographic(search, linear, goals)
    assert answer.outcome is SolverOutcome.FEASIBLE
    assert [level.bound >= 0 for level in answer.levels] == [True, True]
