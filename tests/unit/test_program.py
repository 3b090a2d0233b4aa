"""Programs: from a problem to arrays and back, whole numbers as exact as decimals, and grams beside kilotons."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import friendshore
from friendshore import Registry
from friendshore.domain.base import exact
from friendshore.domain.plan import Plan, PlanStatus, Purchase, PurchaseTable
from friendshore.problem import build_problem
from friendshore.problem.decimal_arrays import Scaled, added_up, as_multiples, table
from friendshore.problem.demands import round_to
from friendshore.program import compile_program
from friendshore.program.bounds import Bounds
from friendshore.program.decode import decode
from friendshore.program.limits import LimitRows
from friendshore.program.matrix import Assembly, owners_of
from friendshore.program.rounding import to_steps
from friendshore.recommend import gather
from friendshore.recommend.suggest import out_of_scale
from friendshore.rules.kinds.limits import Budget, Pin
from friendshore.solve import solve
from friendshore.verify import examine
from friendshore.verify.plan_entries import EPSILON, PlanEntries

from ..building import (
    ban,
    bought,
    built,
    case,
    catalog,
    changed,
    demand,
    facility,
    lines,
    maker,
    metals,
    planned,
    rule,
    short,
    source,
    store,
)

# ---------------------------------------------------------------------------------------------------------------- arrays


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


def test_bounds_are_what_demand_can_take_down_the_chain() -> None:
    """100 kg of metal: 200 of oxide at 2 a kilogram, 60 where the site makes no more, and no less than one least order."""
    facts = metals(maker("JP", 5), source("AU", 1, "oxide"), source("CN", 1, "oxide", min_order=500), cn=60)
    problem = built(case(demand("metal", "civil", 100)), facts)
    bounds = Bounds.of(problem, LimitRows(problem.limit_rows).may_exceed_need)
    found = {one.offer.id: bounds.units[i, 0] for i, one in enumerate(problem.offers)}
    assert found["jp-melt"] >= 100
    assert found["au-oxide"] >= 200
    assert (found["cn-oxide"], found["cn-metal"]) == (60, 60)
    # None is looser than a few times what could ever be used.
    assert max(found.values()) <= 1200


def test_what_a_pin_forces_is_not_cut_off_by_demand() -> None:
    """350 kg for a demand of 100: the order minimum's link leaves room for it."""
    facts = changed(metals(), "jp-metal", min_order=20)
    found = planned(case(demand("metal", "civil", 100)), facts, rule(Pin, offer="jp-metal", exactly=350))
    assert bought(found) == {"jp-metal": 350}


def test_what_fits_is_not_short_by_the_grams_that_rounding_leaves_over() -> None:
    """Ten plants, nine of them at capacity every month: nothing is short, nothing is left over.

    What a plant makes in the days of a month ends in a fraction of a gram, so that nine rounded each by itself are grams off.
    """
    plants = [facility(f"f{i}", "AU", 1000) for i in range(10)]
    offers = [source("AU", 10 + i, name=f"o{i}", plant=f"f{i}") for i in range(10)]
    given = case(demand("metal", "civil", *[760] * 12), length="month", stores=(store("metal", 200),))
    found = planned(given, catalog(*plants, *offers))
    assert (found.run.shortage_kg, found.session.verified.plan.stocks) == ({}, ())


def test_an_answer_is_rounded_to_the_gram_and_still_holds() -> None:
    """Noise of a few tenths of a gram in every column changes nothing: quantities are whole grams, demand is met to the gram."""
    given = case(demand("metal", "civil", 33.333, 66.667), stores=(store("metal", 1),))
    program = compile_program(built(given, metals(cn=40)))
    solution = solve(program)
    noise = np.where(solution.x > 0, 0.0004 * np.sin(np.arange(len(solution.x))), 0.0)
    exact, noisy = (
        decode(program, x, PlanStatus.OPTIMAL, solution.objective, solution.bound)
        for x in (solution.x, solution.x + noise)
    )
    assert noisy == exact
    assert all(p.quantity % Decimal("0.001") == 0 for p in noisy.purchases)
    assert examine(program.problem, noisy)[0] is not None


@pytest.mark.parametrize(("held", "stock", "shortage"), [(1.0, [0.7], []), (0.0, [], [0.3])])
def test_what_is_missing_falls_on_stock_or_shortage(held: float, stock: list[float], shortage: list[float]) -> None:
    """0.3 kg less than planned were bought. With 1 kg over, 0.7 are left in stock; with none, 0.3 are short."""
    program = compile_program(built(case(demand("metal", "civil", 10), stores=(store("metal", 0),)), metals()))
    x = solve(program).x.copy()
    x[next(c for c in program.columns.buy if x[c] > 0)] += held - 0.3
    plan = decode(program, x, PlanStatus.FEASIBLE, 0.0, 0.0)
    assert [float(s.quantity) for s in plan.stocks] == pytest.approx(stock)
    assert [float(s.quantity) for s in plan.shorts] == pytest.approx(shortage)
    assert sum(d.quantity for d in plan.deliveries) + sum(s.quantity for s in plan.shorts) == 10


def test_the_program_does_not_depend_on_the_order_of_facts() -> None:
    """The same columns and rows in the same places, whichever way round the catalog stands."""
    facts = metals(maker("JP", 5), source("CN", 10, "oxide"), cn=60)
    given = case(demand("metal", "civil", 100), demand("metal", "defense", 7))
    turned = facts.but(offers=facts.offers[::-1], facilities=facts.facilities[::-1])
    one = compile_program(built(given, facts))
    other = compile_program(built(given.but(demands=given.demands[::-1]), turned))
    assert (one.linear.matrix != other.linear.matrix).nnz == 0
    assert (one.linear.cost.tolist(), one.owners) == (other.linear.cost.tolist(), other.owners)


def test_the_order_of_an_offers_lines_decides_nothing() -> None:
    """Inputs and products in another order give the same program, and so the same of several plans of equal cost."""
    given = case(demand("metal", "civil", 10), demand("magnet", "civil", 10))
    split = source("US", 1, name="split", inputs=lines(oxide=1, salt=2), outputs=lines(metal=0.5, magnet=0.25))
    turned = split.but(inputs=split.inputs[::-1], outputs=split.outputs[::-1])
    inputs = source("US", 1, "oxide"), source("US", 1, "salt")
    one, other = (compile_program(built(given, catalog(*inputs, each))) for each in (split, turned))
    assert (one.linear.entries.data == other.linear.entries.data).all()
    assert (one.linear.entries.indices == other.linear.entries.indices).all()


def test_a_case_of_nothing_is_a_program_of_nothing() -> None:
    """A part of a case in which nothing is wanted has no column that could cost anything."""
    program = compile_program(build_problem(case(count=1), (metals(),), (), part=True))
    assert not program.linear.cost.any()
    empty = solve(program)
    assert (empty.objective, empty.status) == (0, PlanStatus.OPTIMAL)


# --------------------------------------------------------------------------------------------------------- whole numbers


KILOGRAMS = st.decimals(-(10**9), 10**9, places=3)
WHOLE = st.integers(0, 10**9)
QUANTITIES = st.floats(0, 1e12) | st.builds(lambda n, parts: n / parts, WHOLE, st.sampled_from([8, 2000]))


@pytest.mark.parametrize("step", [Decimal(text) for text in ("0.001", "1", "0.25", "5", "0.003")])
@given(x=QUANTITIES)
@example(x=0.0005)
@example(x=0.0015)
@example(x=2.5)
@example(x=0.00049999999999999999)
def test_a_quantity_goes_to_the_step_that_decimals_find(step: Decimal, x: float) -> None:
    """The nearest whole number of steps to the number as it is written, half to even, however near the middle it lies."""
    (found,) = to_steps(np.array([x]), step).tolist()
    assert found * step == round_to(Decimal(repr(x)), step)


@given(st.lists(st.tuples(KILOGRAMS, st.integers(0, 4)), max_size=30))
def test_sums_are_those_of_decimals(parts: list[tuple[Decimal, int]]) -> None:
    """Cell by cell, to the last digit."""
    counts, unit = as_multiples([amount for amount, _ in parts], Decimal("0.001"))
    sums = added_up(counts, np.array([cell for _, cell in parts], dtype=np.intp), 5)
    for cell in range(5):
        assert int(sums[cell]) * unit == sum((amount for amount, at in parts if at == cell), Decimal(0))


def test_numbers_too_large_or_too_fine_for_the_resolution_stay_exact() -> None:
    """Beyond 64 bits whole numbers are Python's own; a digit below the resolution makes the unit smaller."""
    counts, unit = as_multiples([Decimal("9e15"), Decimal("0.0000001")], Decimal("0.001"))
    assert unit == Decimal("0.0000001")
    assert [count * unit for count in counts.tolist()] == [Decimal("9e15"), Decimal("0.0000001")]
    assert int(added_up(counts, np.zeros(2, dtype=np.intp), 1)[0]) == 9 * 10**22 + 1


AMOUNTS = st.decimals(0, 10**6, places=3) | st.decimals("1e-15", 10**12).map(exact)
FACTORS = st.decimals(-1, 3, places=3) | st.decimals("0.5", 3).map(exact)


@given(st.lists(AMOUNTS, min_size=3, max_size=3).map(tuple), st.lists(FACTORS, max_size=4), st.booleans())
@example(amounts=(Decimal("999999999.999"), Decimal("0.001"), Decimal(7)), factors=[Decimal("1.123456")], limited=False)
@example(amounts=(Decimal("1e12"), Decimal("1e-15"), Decimal("0.1")), factors=[Decimal("1.1")], limited=True)
def test_numbers_times_a_factor_are_those_of_decimals(
    amounts: tuple[Decimal, ...], factors: list[Decimal], limited: bool
) -> None:
    """One by one, and in doubles beside other numbers and what has no limit."""
    scaled = [Scaled(amounts, factor) for factor in factors]
    written = [[exact(amount * factor) for amount in amounts] for factor in factors]
    assert [[str(number) for number in row] for row in scaled] == [[str(number) for number in row] for row in written]
    assert [[str(row[t]) for t in range(3)] for row in scaled] == [[str(number) for number in row] for row in written]
    others: list[tuple[Decimal | None, ...]] = [(None, *amounts[1:]) if limited else amounts]
    found = table([*others, *scaled, *others], 3).tolist()
    floats = [[float("inf") if number is None else float(number) for number in row] for row in (*others, *written)]
    assert found == [*floats, floats[0]]


def _ledger() -> PlanEntries:
    problem = built(case(demand("metal", "civil", 10)), catalog(source("AU", 1)))
    return PlanEntries.of(problem, Plan(status=PlanStatus.OPTIMAL, objective=Decimal(0), bound=Decimal(0)))


BY = st.decimals(Decimal("-0.01"), Decimal("0.01"), places=9) | st.integers(-8, 8).map(lambda n: n * Decimal("0.0005"))


@given(st.lists(st.tuples(BY, st.integers(0, 4)), max_size=12))
def test_rows_looked_at_in_doubles_first_give_the_same_findings_and_largest_miss(
    rows: list[tuple[Decimal, int]],
) -> None:
    """Those that rounding explains to the last digit, and those that it does not by a hair, fall as in decimals."""
    every, some = _ledger(), _ledger()
    for number, (by, pieces) in enumerate(rows):
        every.report_excess("FS627", by, pieces, f"row {number}")
    near, pieces_of = (np.array([float(row[i]) for row in rows]) for i in (0, 1))
    some.report_excesses(
        "FS627", near, 4 * EPSILON * np.abs(near), pieces_of, lambda number: (*rows[number], f"row {number}")
    )
    assert [found.message for found in some.findings] == [found.message for found in every.findings]
    assert some.largest_miss == every.largest_miss


def test_purchases_by_column_are_what_they_are_one_by_one() -> None:
    """A plan says the same, and is the same, whichever way it holds its purchases."""
    columns = PurchaseTable(
        lines=(("a", "metal", "US"), ("b", "oxide", "JP")), line=np.array([1, 0, 1]), labels=("R1", "R2"), compliance_class=np.array([0, 1, 1]),
        ordered=np.array([0, 0, 2]), delivered=np.array([0, 1, 3]), unit=Decimal("0.001"), counts=np.array([1500, 1, 20000]), licenses={2: ("L",)},
    )  # fmt: skip
    records = tuple(columns)
    first = {"offer": "b", "material": "oxide", "place": "JP", "compliance_class": "R1", "ordered": 0, "delivered": 0}
    assert columns[0] == records[0] == Purchase(**first, quantity=Decimal("1.5"))
    assert (len(columns), columns[-1], columns[-1].licenses) == (3, records[2], ("L",))
    assert (columns[1:], columns) == (records[1:], records)
    with pytest.raises(IndexError):
        columns[3]
    by_column = Plan(status=PlanStatus.OPTIMAL, objective=Decimal(1), bound=Decimal(1), purchases=columns)
    single_rows = by_column.but(purchases=records)
    assert by_column.purchases is columns
    assert by_column == single_rows
    assert by_column.model_dump(mode="json") == single_rows.model_dump(mode="json")
    assert Plan.model_validate(by_column.model_dump(mode="json")) == by_column


def test_what_is_bought_in_all_is_not_exceeded_to_close_balances() -> None:
    """1 kg a period of three: two sell 300.4 g at most, 399.2 g of the third come to all that it has. Rounded, 1 g is missing in each of ten
    periods, and only the third may bring it: 4,000 g would be 8 more than there is, so that most periods stay 1 g short.
    """
    few = [source(c, 10, max_order=0.3004) for c in ("CN", "JP")]
    given = case(demand("metal", "civil", *[1] * 10, price=900), stores=(store("metal", 5),))
    plan = planned(given, catalog(*few, source("AU", 50, total=3.992)))
    assert bought(plan) == {"cn-metal": 3.0, "jp-metal": 3.0, "au-metal": pytest.approx(3.992, abs=5e-4)}
    assert short(plan) == {"metal-civil": pytest.approx(0.008, abs=5e-4)}


# ----------------------------------------------------------------------------------------------------------------- scale


SMALL = Path(__file__).parents[2] / "docs" / "cases" / "small"


@pytest.mark.parametrize("milligrams", [1, 10**3, 10**6])
@pytest.mark.parametrize("onboarding", [None, 1000])
def test_grams_of_an_input_beside_kilotons_of_what_is_made_of_it(milligrams: int, onboarding: int | None) -> None:
    """Metal takes so many milligrams of oxide a kilogram, of which the cheap plant makes just half of what is needed.

    8,000 t of metal are wanted, and 50 g of oxide for itself: one component of grams and kilotons, planned to the cent.
    """
    per_kg = Decimal(milligrams) / 10**6
    half = per_kg * 2_000_000
    cheap = source("AU", 20, "oxide", onboarding=onboarding, onboarding_currency="USD" if onboarding else "")
    facts = catalog(facility("au", "AU", float(half)), cheap, source("CN", 40, "oxide"), maker("JP", 3, float(per_kg)))
    given = case(demand("metal", "civil", 4_000_000, 4_000_000), demand("oxide", "civil", "0.05", "0.05", price=10**6))
    assert list(out_of_scale(built(given, facts))) == []
    found = planned(given, facts)
    all_dear = 40 * (per_kg * 8_000_000 + Decimal("0.1"))
    assert found.cost.objective == 24_000_000 + all_dear + min(0, (onboarding or 0) - 20 * 2 * half)
    assert found.gap == 0


def test_prices_that_no_solver_tells_apart_are_warned_of() -> None:
    """A budget puts 5 g of salt at a dollar beside 50,000 t of metal into one program."""
    facts = catalog(source("CN", 3), source("AU", 4), source("AU", 1, "salt"), source("CN", 2, "salt"))
    given = case(demand("metal", "civil", 50_000_000), demand("salt", "civil", "0.005", price=10**7))
    (warning,) = out_of_scale(built(given, facts, rule(Budget, amount=10**10)))
    assert warning.code == "FS658"
    assert (
        "the cost of salt from `au-salt` is negligible beside the cost of a shortage of `metal-civil`"
        in warning.message
    )
    assert warning.file == "tiny: offers.csv"
    assert "times apart" in warning.found
    assert list(out_of_scale(built(given, facts))) == []  # without the budget they have nothing to do with each other


def test_an_order_minimum_that_is_nothing_beside_the_order_is_warned_of() -> None:
    """At least 10 g, of an offer that may bring five million tonnes."""
    facts = catalog(source("CN", 3, min_order="0.01"))
    (warning,) = out_of_scale(built(case(demand("metal", "civil", 5 * 10**9)), facts))
    assert "an order of `cn-metal` is negligible beside metal from `cn-metal`" in warning.message
    assert "order minimum of cn-metal" in warning.message


def test_what_is_below_the_resolution_is_warned_of_and_rounded_up() -> None:
    """0.4 g of oxide in all 4,000 t of metal: a plan to the gram buys one."""
    facts = catalog(source("AU", 5, "oxide"), maker("JP", 3, "1e-10"))
    given = case(demand("metal", "civil", 4_000_000))
    finer = given.but(resolution=Decimal("1e-7"))
    warned, fine = ([one.message for one in out_of_scale(built(some, facts))] for some in (given, finer))
    what = ("offer `au-oxide` can deliver", "offer `jp-melt` can use of oxide")
    for message, words in zip(warned[-2:], what, strict=True):
        assert message.startswith(f"the maximum that {words} in any period is below 0.001 kg, the resolution")
    assert not any("below" in message for message in fine)
    assert bought(planned(given, facts)) == {"jp-melt": 4_000_000, "au-oxide": 0.001}
    assert bought(planned(finer, facts))["au-oxide"] == pytest.approx(0.0004)


def test_an_input_is_bought_though_the_capacity_of_its_plant_is_used_up() -> None:
    """The 0.194 kg that defense leaves of the plant's capacity make 0.155 kg of metal for civil use, of 0.039 kg of oxide from there."""
    oxides = source("AU", 10, "oxide"), source("CN", 5000, "oxide")
    facts = catalog(facility("au", "AU", 40.194), facility("cn", "CN"), *oxides, maker("AU", 5, 0.25))
    given = case(demand("metal", "defense", 32), demand("metal", "civil", 9, price=900), resolution=Decimal("0.1"))
    assert bought(planned(given, facts, ban("mined", start=None))) == {"au-melt": 32.2, "au-oxide": 8.1}


@pytest.mark.parametrize("name", sorted(p.name for p in SMALL.iterdir()))
def test_the_worked_cases_are_in_scale(name: str) -> None:
    """No warning for any of the small cases of the documentation."""
    loaded = friendshore.load_case(SMALL / name)
    assert list(out_of_scale(gather(loaded, Registry.of()).inputs.problem())) == []
