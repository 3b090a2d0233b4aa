"""Optimal is claimed only where a bound, another solver, or another search confirms it; and long searches stop when the user stops them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from threading import Event

import numpy as np
import pytest
import scipy.sparse as sp

from friendshore.domain.plan import Confirmation, PlanStatus
from friendshore.program.matrix import Entries, Floats, Linear
from friendshore.program.objectives import Goal
from friendshore.questions.alternatives.search import alternatives
from friendshore.session import Session
from friendshore.solve.engine import Ask, BreakdownError, Engine, Engines, SolverAnswer, SolverOutcome, Watch
from friendshore.solve.engines import ENGINES, scip, solve_with_highs, solve_with_scip
from friendshore.solve.lexicographic import solve_lexicographic
from friendshore.solve.mip import solve_mip
from friendshore.solve.search import Search

from ..building import case, demand, hard_case, metals, opened
from .test_solve import hard_part


def covering(seed: int = 1, rows: int = 8, columns: int = 16) -> Linear:
    """A small covering program with integer variables, whose relaxation is cheaper than its optimum."""
    dice = np.random.default_rng(seed)
    return Linear(
        cost=dice.integers(10, 60, columns).astype(float),
        lower=np.zeros(columns),
        upper=np.ones(columns),
        integer=np.ones(columns, dtype=bool),
        entries=Entries.of(sp.csr_matrix(dice.integers(0, 9, (rows, columns)).astype(float))),
        row_lower=np.full(rows, 20.0),
        row_upper=np.full(rows, np.inf),
    )


class Patience:
    """A user who stops the search after a number of looks."""

    def __init__(self, times: int) -> None:
        self.left = times

    def is_set(self) -> bool:
        """Return True once the user stops the search."""
        self.left -= 1
        return self.left < 0


def wrong_optimum(linear: Linear, _ask: Ask, _hint: Floats | None = None) -> SolverAnswer:
    """Call the most expensive plan the optimum."""
    x = linear.upper.copy()
    value = float(linear.cost @ x)
    return SolverAnswer(SolverOutcome.OPTIMAL, x, value, value, solver="wrong")


def wrong_infeasible(_linear: Linear, _ask: Ask, _hint: Floats | None = None) -> SolverAnswer:
    """Deny that there is any plan."""
    return SolverAnswer(SolverOutcome.INFEASIBLE, solver="wrong")


def gives_up(_linear: Linear, _ask: Ask, _hint: Floats | None = None) -> SolverAnswer:
    """Return nothing."""
    return SolverAnswer(SolverOutcome.NOTHING)


def answered(first: Engine, *second: Engine) -> SolverAnswer:
    """Return the answer for the covering program, with one engine for the search and others for second opinions."""
    return solve_mip(covering(), Engines(ENGINES.simplex, (first,), second), Watch(), 1e-6)


OPTIMUM = solve_with_highs(covering()).objective


def test_another_solver_confirms_an_optimum() -> None:
    """HiGHS and SCIP find the same cost."""
    answer = answered(solve_with_highs, solve_with_scip)
    assert (answer.outcome, answer.objective) == (SolverOutcome.OPTIMAL, pytest.approx(OPTIMUM))
    assert answer.confirmed_by == {Confirmation.SECOND_SOLVER}


def test_another_search_of_the_same_solver_confirms_an_optimum() -> None:
    """It takes another seed and other tolerances, and the answer says that it was the same solver."""
    paths = []

    def highs(linear: Linear, ask: Ask, hint: Floats | None = None) -> SolverAnswer:
        paths.append(ask.path)
        return solve_with_highs(linear, ask, hint)

    answer = answered(highs, highs)
    assert answer.confirmed_by == {Confirmation.SECOND_SEARCH}
    assert paths == [0, 1]


@pytest.mark.parametrize("outcome", [SolverOutcome.OPTIMAL, SolverOutcome.FEASIBLE])
def test_a_solver_that_goes_astray_from_a_start_searches_again_without_it(outcome: SolverOutcome) -> None:
    """HiGHS took a plan that it was given for cheaper than it is, and returned it as optimal, or as good enough."""

    def astray(linear: Linear, ask: Ask, hint: Floats | None = None) -> SolverAnswer:
        if hint is None:
            return solve_with_highs(linear, ask)
        return SolverAnswer(
            outcome, hint, float(linear.cost @ hint), 0.0 if outcome is SolverOutcome.OPTIMAL else -np.inf
        )

    linear = covering()
    known = SolverAnswer(SolverOutcome.FEASIBLE, linear.upper, float(linear.cost.sum()), 1.0)
    answer = solve_mip(linear, Engines(ENGINES.simplex, (astray,), (solve_with_scip,)), Watch(), 1e-6, known)
    assert (answer.outcome, answer.objective) == (SolverOutcome.OPTIMAL, pytest.approx(OPTIMUM))


@pytest.mark.parametrize("second", [(), (gives_up,)], ids=["nobody", "a solver that gives up"])
def test_nothing_confirms_an_optimum(second: tuple[Engine, ...]) -> None:
    """One run of one solver never suffices, whatever it says of itself."""
    answer = answered(solve_with_highs, *second)
    assert (answer.outcome, answer.objective) == (SolverOutcome.UNCONFIRMED, pytest.approx(OPTIMUM))
    assert not answer.confirmed_by


def test_a_false_optimum_is_refuted_and_the_true_one_confirmed() -> None:
    """The second opinion finds a cheaper plan, which the third confirms."""
    answer = answered(wrong_optimum, solve_with_scip, solve_with_highs)
    assert (answer.outcome, answer.objective) == (SolverOutcome.OPTIMAL, pytest.approx(OPTIMUM))
    assert answer.confirmed_by == {Confirmation.SECOND_SOLVER}
    assert answered(wrong_optimum, solve_with_scip).outcome is SolverOutcome.UNCONFIRMED


def test_a_second_opinion_that_is_wrong_confirms_nothing() -> None:
    """Its bound lies above a plan that is known, or it denies that there is a plan: the next one is asked."""
    for wrong in (wrong_infeasible, gives_up):
        answer = answered(solve_with_highs, wrong, solve_with_scip)
        assert answer.confirmed_by == {Confirmation.SECOND_SOLVER}
        assert answer.objective == pytest.approx(OPTIMUM)


def test_that_there_is_no_plan_needs_a_second_opinion_too() -> None:
    """A solver that denies every plan is refuted by another one."""
    answer = answered(wrong_infeasible, solve_with_scip, solve_with_highs)
    assert (answer.outcome, answer.objective) == (SolverOutcome.OPTIMAL, pytest.approx(OPTIMUM))


def test_a_relaxation_that_reaches_the_plan_confirms_it() -> None:
    """Its duals prove the bound, so nobody else is asked."""
    linear = replace(covering(), entries=Entries.of(sp.csr_matrix(np.eye(8, 16))), row_lower=np.full(8, 1.0))
    known = SolverAnswer(SolverOutcome.FEASIBLE, np.repeat([1.0, 0.0], 8), float(linear.cost[:8].sum()))
    bound = float(linear.cost[:8].sum())
    answer = solve_mip(linear, Engines((), (), ()), Watch(), 1e-6, replace(known, bound=bound))
    assert answer.confirmed_by == {Confirmation.BOUND}


def planned(engines: Engines, **terms: Decimal | int) -> Session:
    """A plan with an order minimum, hence with integer variables; without one, a linear program."""
    given = case(demand("metal", "civil", 100, 100, price=400))
    return opened(given, metals(**terms), workers=1, engines=engines)


def test_the_plan_says_what_confirms_it() -> None:
    """One without integer decisions needs nothing, since duals prove it; one whose optimum nobody confirms isn't called optimal."""
    linear = planned(replace(ENGINES, second=())).verified.plan
    assert (linear.status, linear.confirmed_by) == (PlanStatus.OPTIMAL, ())
    given, facts = hard_case(offers=8, periods=2)
    for engines, status in ((ENGINES, PlanStatus.OPTIMAL), (replace(ENGINES, second=()), PlanStatus.UNCONFIRMED)):
        plan = opened(given, facts, workers=1, engines=engines).verified.plan
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
    tried = (
        solve_with_highs(linear, Ask(600.0, 1e-6, stopped=Patience(times).is_set)) for times in (20, 40, 80, 160, 320)
    )
    answer = next(answer for answer in tried if answer.x is not None and answer.bound > 0)
    assert answer.outcome is SolverOutcome.FEASIBLE
    assert answer.x is not None
    activity = linear.matrix @ answer.x
    assert (activity >= linear.row_lower - 1e-6).all()
    assert (activity <= linear.row_upper + 1e-6).all()
    assert 0 < answer.bound < answer.objective == pytest.approx(float(linear.cost @ answer.x))


def test_scip_gives_the_same_answer_in_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long search moves there, so that it can be killed."""
    here = solve_with_scip(covering(), Ask(600.0))
    monkeypatch.setattr(scip, "_BRIEF_SECONDS", 0.0)
    there = solve_with_scip(covering(), Ask(600.0))
    assert here.outcome is there.outcome is SolverOutcome.OPTIMAL
    assert here.x.tolist() == there.x.tolist()
    assert (here.objective, here.bound) == (there.objective, there.bound)
    with pytest.raises(BreakdownError, match="relative_gap_tolerance"):
        solve_with_scip(covering(), Ask(60.0, gap=-1.0))


def test_after_the_user_stops_nothing_more_is_solved() -> None:
    """Questions end with what is known and say what is open; the best plan so far is verified."""
    enough = Event()
    given, facts = hard_case(offers=8, periods=2)
    session = opened(given, facts, cancel=enough)
    enough.set()
    solved = session.answers.solved
    found = alternatives(session)
    assert session.least_short(0) is None
    assert session.answers.solved <= solved + len(session.parts.members)
    assert all(one.rise is None or one.rise.value == 0 for one in found.offers)


def test_a_plan_that_is_stopped_in_the_middle_of_its_search_is_verified() -> None:
    """The user stops a search of minutes and gets the best plan so far."""
    given, facts = hard_case()
    session = opened(given, facts, cancel=Patience(12))
    assert session.solution.status is PlanStatus.INTERRUPTED
    assert session.verified.plan.status is PlanStatus.INTERRUPTED


def test_a_ranked_objective_whose_search_was_cut_short_has_a_finite_bound() -> None:
    """The search found a plan and proved nothing of it: no cost is below what every column costs at the least."""
    linear = covering()

    def unproved(linear: Linear, ask: Ask, hint: Floats | None = None) -> SolverAnswer:
        answer = solve_with_highs(linear, ask, hint)
        return replace(answer, outcome=SolverOutcome.FEASIBLE, bound=float("-inf"), out_of_time=True)

    goals = [Goal(np.ones(len(linear.cost)), 0.0, whole=False), Goal(linear.cost, 0.0, whole=True)]
    search = Search(Watch(), 1e-6, engines=Engines((unproved,), (unproved,)))
    answer = solve_lexicographic(search, linear, goals)
    assert answer.outcome is SolverOutcome.FEASIBLE
    assert [level.bound >= 0 for level in answer.levels] == [True, True]
