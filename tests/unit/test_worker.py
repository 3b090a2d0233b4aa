"""A long search in a process of its own: the same answer, and ended as soon as nobody wants it any more."""

from __future__ import annotations

import tempfile
from pathlib import Path
from threading import Event

import numpy as np
import pytest
import scipy.sparse as sp

from friendshore.domain.plan import PlanStatus
from friendshore.problem.inputs import Inputs
from friendshore.program.matrix import Entries, Linear
from friendshore.questions.alternatives.search import alternatives
from friendshore.session import Session
from friendshore.solve.engine import Ask, BreakdownError, SolverOutcome
from friendshore.solve.engines import mathopt, solve_with_highs, worker

from .building import hard_case
from .test_solve import hard_part


def covering(seed: int = 1, rows: int = 8, columns: int = 16) -> Linear:
    """A small covering program with integer variables."""
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
    """A user who has had enough after being asked a number of times."""

    def __init__(self, times: int) -> None:
        self.left = times

    def is_set(self) -> bool:
        """Whether it is enough."""
        self.left -= 1
        return self.left < 0


def test_the_same_answer_here_and_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a program is searched makes no difference to what is found."""
    monkeypatch.setattr(mathopt, "BRIEF", 600.0)
    here = solve_with_highs(covering(), Ask(600.0))
    monkeypatch.undo()
    there = solve_with_highs(covering(), Ask(600.0))
    assert here.outcome is there.outcome is SolverOutcome.OPTIMAL
    assert here.x is not None
    assert there.x is not None
    assert here.x.tolist() == there.x.tolist()
    assert (here.objective, here.bound) == (there.objective, there.bound)


def test_where_no_file_can_be_written_the_search_is_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine whose disk is full, or may not be written to, gets its answer all the same."""
    there = solve_with_highs(covering(), Ask(60.0))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    here = solve_with_highs(covering(), Ask(60.0))
    assert here.outcome is SolverOutcome.OPTIMAL
    assert (here.objective, here.bound) == (there.objective, there.bound)


def test_a_search_that_nobody_wants_is_ended() -> None:
    """No answer, rather than one that comes late."""
    assert solve_with_highs(covering(), Ask(60.0, stopped=lambda: True)).outcome is SolverOutcome.NOTHING


def test_an_ended_search_leaves_its_best_plan_and_bound_behind() -> None:
    """What HiGHS wrote before its process was ended: a plan that keeps all rows, and a bound below it."""
    given = hard_part(40, 8, 4)
    tried = (
        solve_with_highs(given, Ask(600.0, 1e-6, stopped=Patience(times).is_set)) for times in (20, 40, 80, 160, 320)
    )
    answer = next(answer for answer in tried if answer.x is not None and answer.bound > 0)
    assert answer.outcome is SolverOutcome.FEASIBLE
    assert answer.x is not None
    activity = given.matrix @ answer.x
    assert (activity >= given.row_lower - 1e-6).all()
    assert (activity <= given.row_upper + 1e-6).all()
    assert 0 < answer.bound < answer.objective == pytest.approx(float(given.cost @ answer.x))


def test_of_what_an_ended_search_wrote_the_last_whole_plan_counts(tmp_path: Path) -> None:
    """A plan that it was still writing does not, nor does a number that is none; the bound is a little below what is printed."""
    assert worker._found_so_far(tmp_path) is None
    whole = "Objective 7\n# Columns 2\n 0.5\n 1e-3\n"
    (tmp_path / "plans").write_text("Objective 9\n# Columns 2\n 1\n 1\n" + whole + "Objective 5\n# Columns 2\n 0\n")
    found = worker._found_so_far(tmp_path)
    assert found is not None
    assert list(found.solutions[0].primal_solution.variable_values.values) == [0.5, 1e-3]
    assert found.termination.objective_bounds.dual_bound == float("-inf")
    (tmp_path / "plans").write_text("Objective 9\n# Columns 1\n nan\n")
    line = " L  {0}  0  0   0.00%   {1}  inf  inf  0  0  0  0  0.0s\n"
    (tmp_path / "log").write_text("Solving\n" + line.format(0, "-inf") + line.format(1, "21.5") + "Src  Proc.\n")
    found = worker._found_so_far(tmp_path)
    assert found is not None
    assert not found.solutions
    assert 21.4999 < found.termination.objective_bounds.dual_bound < 21.5


def test_what_the_solver_refuses_there_is_said_here() -> None:
    """The solver's own words come back from the other process."""
    with pytest.raises(BreakdownError, match="relative_gap_tolerance"):
        solve_with_highs(covering(), Ask(60.0, gap=-1.0))


@pytest.mark.deep
def test_nothing_is_printed_there(capfd: pytest.CaptureFixture[str]) -> None:
    """Whatever HiGHS prints, standard output holds what the program around it prints."""
    assert solve_with_highs(covering(), Ask(60.0)).objective
    assert solve_with_highs(hard_part(10, 3, 3), Ask(60.0, 1e-6, nodes=1)).objective  # a search on which it does
    assert capfd.readouterr().out == ""


def test_after_the_user_has_had_enough_nothing_is_solved_any_more() -> None:
    """Questions end with what is known, and what is not known is said to be open; the best plan found is verified."""
    enough = Event()
    given, facts = hard_case(offers=8, periods=2)
    session = Session.open(Inputs(given, (facts,), ()), cancel=enough)
    enough.set()
    solved = session.answers.solved
    found = alternatives(session)
    assert session.least_short(0) is None
    assert session.answers.solved <= solved + len(session.parts.members)
    assert all(one.rise is None or one.rise.value == 0 for one in found.offers)


def test_a_plan_in_the_middle_of_its_search_is_given_as_it_is() -> None:
    """The user stops a search of minutes while a process of its own is at it: the best plan so far, verified."""
    given, facts = hard_case()
    session = Session.open(Inputs(given, (facts,), ()), cancel=Patience(12))
    assert session.solution.status is PlanStatus.INTERRUPTED
    assert session.verified.plan.status is PlanStatus.INTERRUPTED
