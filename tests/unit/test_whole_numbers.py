"""Quantities as arrays of whole numbers: rounded, added up and screened in doubles exactly as decimals do it one by one."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from friendshore.domain.base import exact
from friendshore.domain.plan import Plan, PlanStatus, Purchase, PurchaseTable
from friendshore.problem.demands import round_to
from friendshore.problem.fixed_point import added_up, whole
from friendshore.problem.float_tables import Repeated, Scaled, table
from friendshore.program.rounding import to_steps
from friendshore.verify.ledger import EPSILON, PlanEntries

from ..building import bought, built, case, catalog, demand, facility, planned, short, source, store

STEPS = [Decimal(text) for text in ("0.001", "1", "0.25", "5", "0.003")]
KILOGRAMS = st.decimals(-(10**9), 10**9, places=3)


@pytest.mark.parametrize("step", STEPS)
@given(
    x=st.floats(0, 1e12) | st.integers(0, 10**9).map(lambda n: n / 2000) | st.integers(0, 10**9).map(lambda n: n / 8)
)
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
    counts, unit = whole([amount for amount, _ in parts], Decimal("0.001"))
    sums = added_up(counts, np.array([cell for _, cell in parts], dtype=np.intp), 5)
    for cell in range(5):
        assert int(sums[cell]) * unit == sum((amount for amount, at in parts if at == cell), Decimal(0))


def test_numbers_too_large_or_too_fine_for_the_resolution_stay_exact() -> None:
    """Beyond 64 bits whole numbers are Python's own; a digit below the resolution makes the unit smaller."""
    counts, unit = whole([Decimal("9e15"), Decimal("0.0000001")], Decimal("0.001"))
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


POSITIONS = st.lists(st.integers(0, 1), min_size=3, max_size=3).map(tuple)


@given(st.lists(st.tuples(AMOUNTS, AMOUNTS), max_size=4), POSITIONS, POSITIONS)
def test_numbers_of_which_few_differ_are_those_of_lists(
    numbers: list[tuple[Decimal, Decimal]], one: tuple[int, ...], other: tuple[int, ...]
) -> None:
    """One by one, in stretches, and in doubles, whichever of them each period has."""
    repeated = [Repeated(two, at) for two in numbers for at in (one, other)]
    written = [tuple(two[i] for i in at) for two in numbers for at in (one, other)]
    assert [tuple(row) for row in repeated] == written == [row[:] for row in repeated]
    assert [[row[t] for t in range(3)] for row in repeated] == [list(row) for row in written]
    assert repeated == written
    assert table(repeated, 3).tolist() == [list(map(float, row)) for row in written]


def _ledger() -> PlanEntries:
    problem = built(case(demand("metal", "civil", 10)), catalog(facility("au", "AU"), source("AU", 1)))
    return PlanEntries.of(problem, Plan(status=PlanStatus.OPTIMAL, objective=Decimal(0), bound=Decimal(0)))


MISSES = st.lists(
    st.tuples(
        st.decimals(Decimal("-0.01"), Decimal("0.01"), places=9)
        | st.integers(-8, 8).map(lambda n: n * Decimal("0.0005")),
        st.integers(0, 4),
    ),
    max_size=12,
)


@given(MISSES)
def test_rows_looked_at_in_doubles_first_give_the_same_findings_and_largest_miss(
    rows: list[tuple[Decimal, int]],
) -> None:
    """Those that rounding explains to the last digit, and those that it does not by a hair, fall as in decimals."""
    every, some = _ledger(), _ledger()
    for number, (by, pieces) in enumerate(rows):
        every.miss(by, pieces, f"row {number}")
    near = np.array([float(by) for by, _ in rows])
    some.misses(
        near,
        4 * EPSILON * np.abs(near),
        np.array([float(pieces) for _, pieces in rows]),
        lambda number: (*rows[number], f"row {number}"),
    )
    assert [found.message for found in some.findings] == [found.message for found in every.findings]
    assert some.largest_miss == every.largest_miss


def _purchases() -> PurchaseTable:
    return PurchaseTable(
        lines=(("a", "metal", "US"), ("b", "oxide", "JP")),
        line=np.array([1, 0, 1]),
        labels=("R1", "R2"),
        requirement=np.array([0, 1, 1]),
        ordered=np.array([0, 0, 2]),
        delivered=np.array([0, 1, 3]),
        unit=Decimal("0.001"),
        counts=np.array([1500, 1, 20000]),
        licences={2: ("L",)},
    )


def test_purchases_by_column_are_what_they_are_one_by_one() -> None:
    """A plan says the same, and is the same, whichever way it holds its purchases."""
    columns = _purchases()
    records = tuple(columns)
    assert len(columns) == len(records) == 3
    assert (
        columns[0]
        == records[0]
        == Purchase(
            offer="b", material="oxide", place="JP", requirement="R1", ordered=0, delivered=0, quantity=Decimal("1.5")
        )
    )
    assert columns[-1] == records[2]
    assert columns[-1].licences == ("L",)
    assert columns[1:] == records[1:]
    assert columns == records
    with pytest.raises(IndexError):
        columns[3]
    by_column = Plan(status=PlanStatus.OPTIMAL, objective=Decimal(1), bound=Decimal(1), purchases=columns)
    one_by_one = by_column.model_copy(update={"purchases": records})
    assert by_column.purchases is columns
    assert by_column == one_by_one
    assert by_column.model_dump(mode="json") == one_by_one.model_dump(mode="json")
    assert Plan.model_validate(by_column.model_dump(mode="json")) == by_column


def test_what_is_bought_in_all_is_not_exceeded_to_close_balances() -> None:
    """1 kg a period of three: two sell 300.4 g at most, 399.2 g of the third come to all that it has. Rounded, 1 g is missing in each of ten
    periods, and only the third may bring it: 4,000 g would be 8 more than there is, so that most periods stay 1 g short.
    """
    sites = [facility(c.lower(), c) for c in ("CN", "AU", "JP")]
    few = [source(c, 10, max_order=0.3004) for c in ("CN", "JP")]
    facts = catalog(*sites, *few, source("AU", 50, total=3.992))
    given = case(demand("metal", "civil", *[1] * 10, price=900), stores=(store("metal", 5),))
    plan = planned(given, facts)
    assert bought(plan) == {"cn-metal": 3.0, "jp-metal": 3.0, "au-metal": pytest.approx(3.992, abs=5e-4)}
    assert short(plan) == {"metal-civil": pytest.approx(0.008, abs=5e-4)}
