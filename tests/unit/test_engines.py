"""Engines that give up: another one is asked, and a question goes on with what is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from friendshore.domain.case import Scenario
from friendshore.domain.change import Change
from friendshore.domain.plan import PlanStatus
from friendshore.errors import Diagnostic, SolverError
from friendshore.problem.inputs import Inputs
from friendshore.program.matrix import Entries, Floats, Linear
from friendshore.questions.alternatives.search import alternatives
from friendshore.questions.calendar.search import calendar
from friendshore.questions.compare.search import compare
from friendshore.questions.ledger.search import ledger
from friendshore.questions.repairs.search import repairs
from friendshore.questions.why_not.search import why_not
from friendshore.rules.kinds.exclude import Exclude
from friendshore.rules.kinds.limits import Budget, Pin
from friendshore.session import Session
from friendshore.solve import Limits
from friendshore.solve.engine import Ask, BreakdownError, Engine, Engines, SolverAnswer, SolverOutcome
from friendshore.solve.engines import ENGINES, Reasked, solve_with_highs
from friendshore.solve.engines import solve_with_glop as solve_lp
from friendshore_risk.stress.insurance import insurance
from friendshore_risk.stress.search import stress

from ..building import case, catalog, demand, facility, metals, rule, source, store

DEAR = Change(price="cn-metal", factor=Decimal(6))


def gives_up(_linear: Linear, _ask: Ask, _hint: Floats | None = None) -> SolverAnswer:
    """An engine that comes to no answer, whatever it is asked."""
    raise BreakdownError(Diagnostic("HighsModelStatus was Unknown"))


def denies(_linear: Linear, _ask: Ask, _hint: Floats | None = None) -> SolverAnswer:
    """An engine that says of everything that it is unavailable."""
    return SolverAnswer(SolverOutcome.INFEASIBLE)


def after(first: Engine) -> Limits:
    """One worker, and an engine that is asked before those there are."""
    return Limits(workers=1, engines=ENGINES.after(first))


def only(engine: Engine) -> Limits:
    """One worker and one engine."""
    return Limits(workers=1, engines=Engines((engine,), (engine,)))


def two_goods(limits: Limits | None = None) -> Session:
    """Metal of three countries, one with an order minimum, and salt, under a budget that joins the two; Chinese metal is excluded."""
    sites = [facility(c.lower(), c, 90) for c in ("CN", "AU", "JP")]
    facts = catalog(
        *sites,
        source("CN", 10),
        source("AU", 50, min_order=20),
        source("JP", 80),
        source("AU", 4, "salt"),
        source("JP", 6, "salt"),
    )
    given = case(
        demand("metal", "civil", 60, 60, price=300),
        demand("salt", "civil", 40, 40, price=90),
        stores=(store("metal", 1), store("salt", 1)),
        scenarios=(Scenario(name="dear", title="Dear", change=(DEAR,)),),
    )
    rules = (rule(Budget, amount=5200, per="period"), rule(Exclude, id="no-cn", countries=["CN"]))
    return Session.open(Inputs(given, (facts,), rules), limits or Limits(workers=1))


QUESTIONS: dict[str, Callable[[Session], Any]] = {
    "plan": lambda session: session.verified.plan,
    "compare": lambda session: compare(session, (), (Change(disable="no-cn"), DEAR)),
    "alternatives": alternatives,
    "why-not": lambda session: why_not(session, "jp-metal"),
    "ledger": ledger,
    "repairs": repairs,
    "stress": stress,
    "calendar": calendar,
    "insurance": insurance,
}


# At the edge of what solvers can tell apart: the first row asks for half a billionth less than there is.
EDGE = Linear(
    cost=np.array([2.0, 5.0, 2.0]),
    lower=np.zeros(3),
    upper=np.ones(3),
    integer=np.zeros(3, dtype=bool),
    entries=Entries.of(sp.csr_matrix(np.array([[1.0, 1.2, 0.5], [1.7, 1.7, 0.1], [1.0, 1.0, 1.0]]))),
    row_lower=np.array([-np.inf, -np.inf, 1.0]),
    row_upper=np.array([0.5 * (1 - 1e-9), 1.7, 1.0]),
)


CYCLING = Linear(
    cost=np.array([0.0927, 5.81, 0.656, 23.2, 1.45e6, 0.127]),
    lower=np.zeros(6),
    upper=np.array([8.0, 2.0, 4.0, 0.5, 7.63e-6, 8.0]),
    integer=np.zeros(6, dtype=bool),
    entries=Entries.of(
        sp.csr_matrix(
            np.array([
                [4.15e-6, 0, 8.1e-7, 0, 0.783, 5.35e-6],
                [0.12, 0, 0.241, 0, 1.42e-12, 0.169],
                [0.25, 1, 0.5, 0, 0, 0],
                [0, 0, 0, 1.53e-5, 1, 0],
                [0, 0, 0, 0, 0, 0.25],
            ])
        )
    ),
    row_lower=np.array([-np.inf, -np.inf, 2.0, 7.63e-6, 2.0]),
    row_upper=np.array([8e-5, 2.62, 2.0, 7.63e-6, 2.0]),
)  # fmt: skip
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
    assert after(denies).engines.linear(fine).objective == pytest.approx(2)
    assert after(denies).engines.search(fine).objective == pytest.approx(2)
    nothing = replace(EDGE, row_upper=np.array([0.1, 1.7, 1.0]))
    assert ENGINES.linear(nothing).outcome is SolverOutcome.INFEASIBLE
    both = Engines((denies, gives_up), (denies, gives_up))
    assert both.linear(fine).outcome is SolverOutcome.INFEASIBLE
    assert Engines((gives_up,), (gives_up,)).linear(fine).outcome is SolverOutcome.BROKEN


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_question_is_answered_though_an_engine_gives_up(name: str) -> None:
    """The engine asked first never comes to an answer: each question says what it says without that one, to 12 digits."""
    ask = QUESTIONS[name]
    found, expected = (
        _in_digits(ask(session).model_dump(mode="json")) for session in (two_goods(after(gives_up)), two_goods())
    )
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
        if set(linear.cost.tolist()) <= {0.0, *(2.0**power for power in range(-30, 31))} and linear.cost.any():
            return gives_up(linear, ask)
        return solve_with_highs(linear, ask)

    changes = (Change(disable="no-cn"),)
    full, less = (compare(two_goods(limits), (), changes) for limits in (None, only(not_by_moves)))
    assert (full.least_moved, less.least_moved) == (True, False)
    assert less.difference == full.difference
    assert less.materials
    assert float(less.cost_after.objective) == pytest.approx(float(full.cost_after.objective))


def test_a_plan_that_no_engine_finds_is_short_and_not_proved() -> None:
    """All engines give up but where nothing is bought: everything is short, which is not called cheapest; nor is a rule in conflict."""

    def idle(linear: Linear, ask: Ask, _hint: Floats | None = None) -> SolverAnswer:
        return solve_lp(linear) if (linear.upper == 0).any() and not linear.integer.any() else gives_up(linear, ask)

    given = case(demand("metal", "civil", 100, price=60), stores=(store("metal", 1),))
    plan = Session.open(Inputs(given, (metals(),), ()), only(idle)).verified.plan
    assert plan.status is PlanStatus.FEASIBLE
    assert sum(short.quantity for short in plan.shorts) == 100
    assert plan.bound <= 1000


def test_it_is_said_where_no_engine_comes_to_anything() -> None:
    """A rule asks for purchases, and no engine finds any: in words, and no trace."""
    given = case(demand("metal", "civil", 100))
    with pytest.raises(SolverError, match="no solver came to a plan"):
        Session.open(Inputs(given, (metals(),), (rule(Pin, offer="au-metal", at_least=30),)), only(gives_up))


def test_a_program_that_is_asked_again_has_the_optimum_that_it_has_when_asked_alone() -> None:
    """With random costs and ends of rows and columns, among them such as leave no plan, after which others do: optimum, plan and duals are those of
    these, and not of the ones before.
    """
    dice = np.random.default_rng(4)
    rows, columns = 12, 30
    matrix = sp.csr_matrix(np.where(dice.random((rows, columns)) < 0.3, dice.integers(1, 9, (rows, columns)), 0.0))
    need = np.append(np.zeros(rows - 2), [25.0, 40.0])
    linear = Linear(
        cost=dice.integers(1, 20, columns).astype(float),
        lower=np.zeros(columns),
        upper=np.full(columns, 9.0),
        integer=np.zeros(columns, dtype=bool),
        entries=Entries.of(matrix),
        row_lower=need,
        row_upper=np.append(np.full(rows - 2, 60.0), [np.inf, np.inf]),
    )
    again, outcomes = Reasked(), set()
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
        assert found.objective == pytest.approx(alone.objective, abs=1e-6)
        assert found.bound == pytest.approx(alone.objective, abs=1e-6)
        assert (found.x <= upper).all()
        assert (found.x >= lower).all()
        assert (linear.entries @ found.x <= row_upper + 1e-6).all()
        reduced = asked.cost - linear.entries.transposed() @ found.duals
        ends = (np.where(found.duals > 0, need, np.where(np.isfinite(row_upper), row_upper, 0.0)), upper)
        proved = found.duals @ ends[0] + np.minimum(reduced, 0.0) @ ends[1] + np.maximum(reduced, 0.0) @ lower
        proved += asked.constant
        assert proved == pytest.approx(found.objective, abs=1e-6), "its duals prove another optimum"
    assert outcomes == {SolverOutcome.OPTIMAL, SolverOutcome.INFEASIBLE}
