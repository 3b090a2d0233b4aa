"""From a problem to arrays and back: what lies where, how tight it is, and how an answer becomes a plan of whole grams."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from friendshore.domain.plan import PlanStatus
from friendshore.problem import build_problem
from friendshore.program import compile_program
from friendshore.program.bounds import Bounds
from friendshore.program.decode import decode
from friendshore.program.limits import LimitRows
from friendshore.program.matrix import Assembly, owners_of
from friendshore.rules.kinds.limits import Pin
from friendshore.solve import solve
from friendshore.verify import examine

from ..building import (
    METAL,
    bought,
    built,
    case,
    catalog,
    chain,
    changed,
    demand,
    facility,
    lines,
    maker,
    metals,
    offer,
    planned,
    rule,
    source,
    store,
)


def test_coefficients_of_one_place_add_up_and_zeros_vanish() -> None:
    """A column that is named twice in a row counts twice; two that cancel leave nothing."""
    assembly = Assembly()
    first = assembly.add_columns(3, [1, 2, 3], 10)
    row = assembly.add_rows(2, 0, [5, 6], "one")
    other = assembly.add_rows(1, -np.inf, 7, "other")
    assembly.add_entries(row, [first, first], [1, 2])
    assembly.add_entries([row + 1, row + 1], [first + 1, first + 1], [4, -4])
    assembly.add_entries(other, first + 2, 9)
    linear = assembly.linear()
    assert linear.matrix.toarray().tolist() == [[3, 0, 0], [0, 0, 0], [0, 0, 9]]
    assert linear.matrix.nnz == 2
    assert owners_of(assembly.owners, range(3)) == ["one", "one", "other"]


def units(problem: Any) -> dict[str, float]:
    """Most units of every offer in the first period that links of binary variables are made tight with."""
    bounds = Bounds.of(problem, LimitRows.ask(problem).forces)
    return {facts.offer.id: bounds.units[i, 0] for i, facts in enumerate(problem.offers)}


def test_bounds_are_what_demand_can_take_down_the_chain() -> None:
    """100 kg of metal: 200 of oxide at 2 a kilogram, 60 where the site makes no more, and no less than one least order."""
    facts = metals(maker("JP", 5), source("AU", 1, "oxide"), source("CN", 1, "oxide", min_order=500), cn=60)
    found = units(built(case(demand("metal", "civil", 100)), facts))
    assert found["jp-melt"] >= 100
    assert found["au-oxide"] >= 200
    assert found["cn-oxide"] == 60
    assert found["cn-metal"] == 60
    # None is looser than a few times what could ever be used.
    assert max(found.values()) <= 1200


def test_a_recipe_that_loses_on_the_way_round_is_planned() -> None:
    """Oxide back from metal: 3 kg a kilogram, while metal takes 2 of oxide. Nobody goes round; metal is melted from mined oxide."""
    back = offer("jp-back", "jp", "oxide", 1, chain("JP", "refined"), inputs=lines(metal=3))
    facts = catalog(facility("jp", "JP"), facility("au", "AU"), maker("JP", 5), back, source("AU", 40, "oxide"))
    found = planned(case(demand("metal", "civil", 10)), facts)
    assert bought(found) == {"jp-melt": 10, "au-oxide": 20}


def test_what_a_pin_forces_is_not_cut_off_by_demand() -> None:
    """350 kg for a demand of 100: the order minimum's link leaves room for it."""
    facts = changed(metals(), "jp-metal", min_order=20)
    found = planned(case(demand("metal", "civil", 100)), facts, rule(Pin, offer="jp-metal", exactly=350))
    assert bought(found) == {"jp-metal": 350}


def answered(given: Any, facts: Any) -> tuple[Any, Any]:
    """The program of a case and its solution."""
    program = compile_program(built(given, facts))
    return program, solve(program)


def test_what_fits_is_not_short_by_the_grams_that_rounding_leaves_over() -> None:
    """Ten plants, nine of them at capacity every month: nothing is short, nothing is left over.

    What a plant makes in the days of a month ends in a fraction of a gram, so that nine rounded each by itself are grams off.
    """
    plants = [facility(f"f{i}", "AU", 1000) for i in range(10)]
    offers = [offer(f"o{i}", f"f{i}", "metal", 10 + i, chain("AU", *METAL)) for i in range(10)]
    wanted = demand("metal", "civil", *[760] * 12)
    found = planned(case(wanted, length="month", stores=(store("metal", 200),)), catalog(*plants, *offers))
    assert found.run.shortage_kg == {}
    assert [stock.quantity for stock in found.session.verified.plan.stocks] == []


def test_an_answer_is_rounded_to_the_gram_and_still_holds() -> None:
    """Noise of a few tenths of a gram in every column changes nothing: quantities are whole grams, demand is met to the gram."""
    given = case(demand("metal", "civil", 33.333, 66.667), stores=(store("metal", 1),))
    program, solution = answered(given, metals(cn=40))
    exact = decode(program, solution.x, PlanStatus.OPTIMAL, solution.objective, solution.bound)
    noise = np.where(solution.x > 0, 0.0004 * np.sin(np.arange(len(solution.x))), 0.0)
    noisy = decode(program, solution.x + noise, PlanStatus.OPTIMAL, solution.objective, solution.bound)
    assert noisy == exact
    assert all(p.quantity % Decimal("0.001") == 0 for p in noisy.purchases)
    assert examine(program.problem, noisy)[0] is not None


@pytest.mark.parametrize(("held", "stock", "shortage"), [(1.0, [0.7], []), (0.0, [], [0.3])])
def test_what_is_missing_falls_on_stock_and_else_on_shortage(
    held: float, stock: list[float], shortage: list[float]
) -> None:
    """0.3 kg less than planned were bought. With 1 kg over, 0.7 are left in stock; with none, 0.3 are short."""
    given = case(demand("metal", "civil", 10), stores=(store("metal", 0),))
    program, solution = answered(given, metals())
    x = solution.x.copy()
    column = next(c for c in program.columns.buy if x[c] > 0)
    x[column] += held - 0.3
    plan = decode(program, x, PlanStatus.FEASIBLE, 0.0, 0.0)
    assert [float(s.quantity) for s in plan.stocks] == pytest.approx(stock)
    assert [float(s.quantity) for s in plan.shorts] == pytest.approx(shortage)
    assert sum(d.quantity for d in plan.deliveries) + sum(s.quantity for s in plan.shorts) == 10


def test_the_program_does_not_depend_on_the_order_of_facts() -> None:
    """The same columns and rows in the same places, whichever way round the catalog stands."""
    facts = metals(maker("JP", 5), source("CN", 10, "oxide"), cn=60)
    given = case(demand("metal", "civil", 100), demand("metal", "defense", 7))
    turned = facts.model_copy(update={"offers": facts.offers[::-1], "facilities": facts.facilities[::-1]})
    turned_case = given.model_copy(update={"demands": given.demands[::-1]})
    one, other = compile_program(built(given, facts)), compile_program(built(turned_case, turned))
    assert (one.linear.matrix != other.linear.matrix).nnz == 0
    assert one.linear.cost.tolist() == other.linear.cost.tolist()
    assert one.owners == other.owners


def test_a_case_of_nothing_is_a_program_of_nothing() -> None:
    """A part of a case in which nothing is wanted has no column that could cost anything."""
    given = case(demand("metal", "civil", 1)).model_copy(update={"demands": ()})
    program = compile_program(build_problem(given, (metals(),), (), part=True))
    assert not program.linear.cost.any()
    empty = solve(replace(program))
    assert (empty.objective, empty.status) == (0, PlanStatus.OPTIMAL)
