"""Solving: optima worked out by hand, and ranked objectives."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from threading import Event
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from pydantic import ValidationError

from friendshore.domain.case import Case
from friendshore.domain.change import Change
from friendshore.domain.facts import Catalog
from friendshore.domain.plan import Plan, PlanLevel, PlanStatus
from friendshore.errors import OutOfTimeError, SolverError, VerificationError
from friendshore.program import compile_program
from friendshore.program.matrix import Entries, Linear
from friendshore.recommend import Recommendation
from friendshore.report import plan_document
from friendshore.rules.kinds.limits import Budget, MaxShare, MinShare, MinSuppliers, Pin
from friendshore.rules.kinds.trade import ExportControl
from friendshore.small_lp import proposed_minimum
from friendshore.solve import lagrangian, solve
from friendshore.solve.component_search import Search, _single_column_answer
from friendshore.solve.components import empty_rows, split
from friendshore.solve.engine import Ask, SolverOutcome, UnboundedError, Watch
from friendshore.solve.engines import ENGINES as ALL_ENGINES
from friendshore.solve.engines import solve_with_glop as solve_lp
from friendshore.solve.engines import solve_with_highs, solve_with_scip
from friendshore.solve.forcing import dual_bound
from friendshore.solve.scaling import scaled
from friendshore.verify import verify

from ..building import (
    LONGER,
    METAL,
    bought,
    built,
    case,
    catalog,
    chain,
    demand,
    facility,
    hard_case,
    maker,
    metals,
    ordered,
    planned,
    refused,
    rule,
    short,
    source,
    stock,
    store,
    text,
)

# --------------------------------------------------------------------------------------------------------- one objective


def linear(cost: Any, rows: Any, least: Any, whole: bool = False, **more: Any) -> Linear:
    """Minimize cost @ x subject to rows @ x >= least and 0 <= x <= 10."""
    count = len(cost)
    given = {
        "cost": np.array(cost, dtype=float),
        "lower": np.zeros(count),
        "upper": np.full(count, 10.0),
        "integer": np.full(count, whole),
        "entries": Entries.of(sp.csr_matrix(np.array(rows, dtype=float))),
        "row_lower": np.array(least, dtype=float),
        "row_upper": np.full(len(rows), np.inf),
    }
    return Linear(**{**given, **more})


def flushed(capfd: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """All that was written to stdout and stderr, by Python and by the C library."""
    ctypes.CDLL(None).fflush(None)
    return tuple(capfd.readouterr())


def canceled() -> Event:
    """A user who has had enough before anything is solved."""
    cancel = Event()
    cancel.set()
    return cancel


# ---------------------------------------------------------------------------------------------------------------- engines


ENGINES = pytest.mark.parametrize(
    "engine", [solve_lp, solve_with_highs, solve_with_scip], ids=["glop", "highs", "scip"]
)


@ENGINES
def test_engines_agree_and_say_nothing(engine: Callable[[Linear], Any], capfd: pytest.CaptureFixture[str]) -> None:
    """The sum of x and y at least 4, x at 1 up to 3, y at 2: 3 + 2 = 5; and what cannot hold is told as that, not as an error."""
    best = engine(linear([1, 2], [[1, 1]], [4], upper=np.array([3.0, 10.0])))
    assert (best.outcome, best.objective, best.bound) == (SolverOutcome.OPTIMAL, 5, 5)
    assert best.x.tolist() == pytest.approx([3, 1])
    assert engine(linear([1, 2], [[1, 1]], [21])).outcome is SolverOutcome.INFEASIBLE
    assert flushed(capfd) == ("", "")


def test_whole_columns_are_whole() -> None:
    """2 x at least 3, x whole: 2; with half of it allowed 1.5. 2 x = 3 has no whole x, nor with columns that have no upper end."""
    assert solve_with_highs(linear([1], [[2]], [3], whole=True)).objective == 2
    assert solve_lp(linear([1], [[2]], [3])).objective == 1.5
    given = linear([1, 0], [[2, 0]], [3], whole=True, row_upper=np.array([3.0]))
    open_ended = replace(given, upper=np.array([np.inf, np.inf]), integer=np.array([True, False]))
    assert {solve_with_highs(one).outcome for one in (given, open_ended)} == {SolverOutcome.INFEASIBLE}


@ENGINES
@pytest.mark.parametrize(
    "given", [linear([-1], [[1]], [0], upper=np.array([np.inf])), linear([float("nan")], [[1]], [1])]
)
def test_a_breakdown_is_told_in_words(engine: Callable[[Linear], Any], given: Linear) -> None:
    """A program without a least value, and one with a number that is none: neither is taken for an answer."""
    with pytest.raises(SolverError) as caught:
        engine(given)
    assert caught.value.problems[0].code in {"FS703", "FS704"}


@pytest.mark.parametrize(
    ("count", "asked"),
    [
        (20_000, [0, 127, 128, 16_383, 16_384, 19_999]), (16_385, [0, 127, 128, 255, 16_383, 16_384]), (16_384, [0, 127, 128, 255, 16_382, 16_383]),
        (129, [0, 1, 64, 126, 127, 128]), (128, [0, 1, 63, 64, 126, 127]), (127, [0, 1, 63, 64, 125, 126]),
    ],
)  # fmt: skip
def test_glop_reads_every_column_and_every_end(count: int, asked: list[int]) -> None:
    """Six rows ask for one column each, the last for the sum of all: column, row and price of each are its own, however many there are."""
    columns = np.array([*asked, *range(count)])
    rows = np.repeat(np.arange(7), [1] * 6 + [count])
    given = Linear(
        cost=np.linspace(3, 4, count), lower=np.full(count, -1.0), upper=np.full(count, np.inf), integer=np.zeros(count, dtype=bool),
        entries=Entries.summed(rows, columns, np.where(rows < 6, rows + 1.0, 1.0), (7, count)),
        row_lower=np.array([1.0, 4.0, 9.0, 16.0, 25.0, -np.inf, -np.inf]), row_upper=np.array([1.0, *[np.inf] * 4, -12.0, 1e6]),
    )  # fmt: skip
    expected = np.full(count, -1.0)
    expected[asked] = [1, 2, 3, 4, 5, -1]
    answer = solve_lp(replace(given, row_upper=np.array([1.0, *[np.inf] * 4, -6.0, 1e6])))
    assert answer.x.tolist() == expected.tolist()
    assert answer.duals.tolist() == pytest.approx([*(given.cost[asked[:5]] / [1, 2, 3, 4, 5]), 0, 0])
    too_small = replace(given, row_upper=np.append(np.full(6, np.inf), 14 - count))
    assert {solve_lp(one).outcome for one in (given, too_small)} == {SolverOutcome.INFEASIBLE}


@pytest.mark.parametrize("seed", range(60))
def test_a_single_column_needs_no_engine(seed: int) -> None:
    """Its plan, cost, and duals are those of GLOP. Without a plan or a minimum, an engine says so."""
    generator = np.random.default_rng(seed)
    rows = int(generator.integers(1, 4))
    ends = np.sort(generator.integers(-3, 9, (rows, 2)) / 4, axis=1)
    open_ends = generator.random((rows, 2)) < 0.4
    program = Linear(
        cost=generator.integers(-2, 3, 1) / 2,
        lower=np.zeros(1),
        upper=generator.choice([0.5, 2.0, np.inf], 1),
        integer=np.zeros(1, dtype=bool),
        entries=Entries(generator.choice([-2.0, -1.0, 0.5, 3.0], rows), np.zeros(rows, int), np.arange(rows + 1), (rows, 1)),
        row_lower=np.where(open_ends[:, 0], -np.inf, ends[:, 0]),
        row_upper=np.where(open_ends[:, 1], np.inf, ends[:, 1]),
    )  # fmt: skip
    found = _single_column_answer(program)
    try:
        answer = ALL_ENGINES.linear(scaled(program)[0])
    except UnboundedError:
        assert found is None
        return
    assert (found is None) == (answer.outcome is not SolverOutcome.OPTIMAL)
    if found is not None:
        assert found.x is not None
        assert found.duals is not None
        least = Search(Watch(), 0.0, engines=ALL_ENGINES.after(solve_lp)).solve_as_one(program)
        assert found.objective == pytest.approx(least.objective, abs=1e-9)
        assert program.lower[0] <= found.x[0] <= program.upper[0]
        assert found.bound == found.objective == pytest.approx(dual_bound(program, found.duals), abs=1e-9)


def test_a_user_who_has_had_enough_ends_glop() -> None:
    """3,000 columns in 300 rows take seconds: ended while it is searched, it has no answer, and is not called a breakdown."""
    dice = np.random.default_rng(0)
    rows = dice.random((300, 3000)) * (dice.random((300, 3000)) < 0.3)
    given = linear(dice.random(3000) + 1, rows, np.full(300, 300.0))
    assert solve_lp(given, Ask(stopped=iter([False, *[True] * 9]).__next__)).outcome is SolverOutcome.NOTHING


def hard_part(offers: int, periods: int, seed: int) -> Linear:
    """The one part of a hard case, scaled as it is solved."""
    parts = split(compile_program(built(*hard_case(offers, periods, seed))).linear)
    assert len(parts) == 1
    return scaled(parts[0].linear)[0]


def test_highs_stops_at_its_time_with_a_plan_and_a_bound() -> None:
    """A search that is not done holds its best plan, which keeps all rows, and a bound below it."""
    given = hard_part(40, 8, 4)
    tried = (solve_with_highs(given, Ask(seconds, 1e-6)) for seconds in LONGER)
    answer = next(answer for answer in tried if answer.x is not None and answer.bound > 0)
    assert (answer.out_of_time, answer.outcome) == (True, SolverOutcome.FEASIBLE)
    activity = given.matrix @ answer.x
    assert (activity >= given.row_lower - 1e-6).all()
    assert (activity <= given.row_upper + 1e-6).all()
    assert 0 < answer.bound < answer.objective == pytest.approx(float(given.cost @ answer.x))


def test_highs_without_time_has_nothing() -> None:
    """Not even a plan: told as that."""
    assert solve_with_highs(hard_part(40, 8, 4), Ask(0.0, 1e-6)).outcome is SolverOutcome.NOTHING


@pytest.mark.parametrize("nodes", [1, 100])
def test_highs_prints_nothing(nodes: int, capfd: pytest.CaptureFixture[str]) -> None:
    """HiGHS prints neither a banner nor a line about a plan that it repairs, which would end up within JSON."""
    assert solve_with_highs(hard_part(10, 3, 3), Ask(60.0, 1e-6, nodes=nodes)).x is not None
    assert flushed(capfd) == ("", "")


def test_a_small_program_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    """X + 2 y <= 4 and 3 x + y <= 6 leave the most of x + y where both bind."""
    x = proposed_minimum(np.array([-1.0, -1.0]), np.array([[1.0, 2.0], [3.0, 1.0]]), np.array([4.0, 6.0]), upper=np.inf)
    assert x is not None
    assert x == pytest.approx([1.6, 1.2])
    assert proposed_minimum(np.array([-1.0]), np.array([[0.0]]), np.array([0.0]), upper=np.inf) is None
    assert flushed(capfd) == ("", "")


# ------------------------------------------------------------------------------------------------------------------ parts


TWO = catalog(source("CN", 10), source("AU", 5, "salt"))
FED = catalog(source("CN", 10, "oxide"), maker("AU", 5))


def wanted(**places: str) -> Case:
    """10 kg of each of these materials, in the US or elsewhere."""
    return case(*(demand(good, "civil", 10, place=place) for good, place in places.items()))


@pytest.mark.parametrize(
    ("given", "facts", "rules", "parts"),
    [
        (wanted(metal="", salt=""), TWO, [], 2),
        (wanted(metal="", salt=""), TWO, [rule(Budget, amount=100)], 1),
        (wanted(metal="", salt=""), TWO, [rule(MaxShare, by="country", share="0.5")], 2),
        (wanted(metal="", salt=""), catalog(facility("cn", "CN", 5), source("CN", 10), source("CN", 5, "salt")), [], 1),
        (wanted(metal="", oxide=""), FED, [], 2),  # oxide is bought elsewhere
        (wanted(metal="", oxide="AU"), FED, [], 1),
    ],
    ids=["goods", "a budget", "a share", "a joint capacity", "a recipe", "a recipe at home"],
)
def test_what_hangs_together_is_one_part(given: Case, facts: Catalog, rules: list[Any], parts: int) -> None:
    """Two goods are two parts; a joint capacity, a recipe or a budget makes one of what it joins."""
    pieces = split(compile_program(built(given, facts, *rules)).linear)
    assert sum(1 for piece in pieces if len(piece.rows)) == parts


@pytest.mark.parametrize(("amount", "how", "spent"), [(400, "left out", 350), (210, "joint", 210)])
def test_a_budget_that_joins_two_goods_is_told(
    amount: int, how: str, spent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """100 kg at 3 and 10 kg at 5: 350. Under 400 the budget is left out; under 210 the two goods are solved jointly.

    So few columns are else solved at once, which comes to the same.
    """
    two = catalog(source("CN", 3), source("AU", 5, "salt"))
    given = case(demand("metal", "civil", 100), demand("salt", "civil", 10))
    budget = rule(Budget, amount=amount)
    program = compile_program(built(given, two, budget))
    at_once = solve(program)
    assert planned(given, two, budget).cost.total == spent
    monkeypatch.setattr(lagrangian, "FEW_ENTRIES", 0)
    solution = solve(program)
    assert (at_once.joined, at_once.objective) == ((), pytest.approx(solution.objective))
    assert [(j.owners, j.parts, j.method) for j in solution.joined] == [(("budget",), 2, how)]
    assert solution.status is PlanStatus.OPTIMAL
    assert solve(compile_program(built(given, two))).joined == ()


def test_a_budget_over_goods_with_switches_that_nothing_can_meet_is_named() -> None:
    """30 kg of each of three goods is the least order, and pinned: 30 x 3 + 30 x 4 + 30 x 5 = 360 is more than the budget."""
    goods = {"metal": 3, "salt": 4, "oxide": 5}
    facts = catalog(facility("cn", "CN"), *(source("CN", p, g, min_order=30) for g, p in goods.items()))
    given = case(*(demand(g, "civil", 40) for g in goods))
    pins = [rule(Pin, id=f"pin-{g}", offer=f"cn-{g}", at_least=10) for g in goods]
    found = {amount: planned(given, facts, *pins, rule(Budget, amount=amount)) for amount in (300, 359, 360)}
    assert [amount for amount, one in found.items() if one.status is PlanStatus.INFEASIBLE] == [300, 359]
    assert found[300].run.conflicts[0].rules == ["budget", "pin-metal", "pin-oxide", "pin-salt"]


def test_rows_that_nothing_can_meet_are_found() -> None:
    """A row without columns holds if zero lies within it, and only then."""
    assert empty_rows(linear([1], [[0], [0], [1]], [0, 1, 0])).tolist() == [1]


# --------------------------------------------------------------------------------------------------------------- conflicts


def test_a_part_whose_rules_conflict_is_named_and_the_others_are_planned() -> None:
    """60% Australian and 60% Japanese of what is bought cannot be; a cap beside them has no part in it. Salt is planned."""
    given = case(demand("metal", "civil", 100), demand("salt", "civil", 10))
    facts = metals(source("CN", 3, "salt"))
    floor = {"share": "0.6", "of": "purchases", "materials": ["metal"]}
    rules = (
        rule(MinShare, id="floor-au", countries=["AU"], **floor),
        rule(MinShare, id="floor-jp", countries=["JP"], **floor),
        rule(Pin, id="some", offer="cn-metal", at_least=10),
    )
    cap = rule(MaxShare, id="cap", by="country", share="0.9", materials=["metal"])
    found = planned(given, facts, *rules, cap)
    assert (found.status, found.verified) == (PlanStatus.INFEASIBLE, True)
    (conflict,) = found.run.conflicts
    assert (conflict.rules, conflict.materials) == (["floor-au", "floor-jp", "some"], ["metal"])
    assert conflict.demands == ["metal-civil"]
    assert all(conflict.sentences)
    assert bought(found) == {"cn-salt": 10}
    assert {(s.demand, cause.kinds) for s in found.run.shortages for cause in s.causes} == {("metal-civil", "conflict")}
    # Each of the three is needed: without any one of them the others hold.
    for left_out in rules:
        rest = [r for r in rules if r is not left_out]
        assert planned(given, facts, *rest, cap).status is PlanStatus.OPTIMAL


PIN = rule(Pin, offer="cn-metal", at_least=30, at_most=50)
FEW = rule(MinSuppliers, count=2)


SWITCHES = catalog(
    *(facility(c.lower(), c, 100) for c in ("CN", "AU", "JP")),
    source("CN", 10, min_order=60),
    source("AU", 50, onboarding=100, onboarding_currency="USD"),
    source("JP", 80),
)
FULL = {"stocks": (stock("metal", 20, chain("AU", *METAL)),), "stores": (store("metal", 1, limit=2),)}


@pytest.mark.parametrize(
    ("given", "facts", "rules", "named", "purchases"),
    [
        # Four suppliers of three; an order minimum of 60 under a pin of 50; two of three suppliers for a budget of 10.
        (case(demand("metal", "civil", 100, price=60)), SWITCHES, [rule(MinSuppliers, count=4)], ["min-suppliers"], {}),
        (case(demand("metal", "civil", 100, price=60)), SWITCHES, [PIN, FEW], ["pin"], {}),
        (case(demand("metal", "civil", 100, price=60)), SWITCHES, [FEW, rule(Budget, amount=10)], ["budget", "min-suppliers"], {}),
        # 20 kg in hand, 15 wanted, room for 2: the store is named.
        (case(demand("metal", "civil", 15), **FULL), metals(), [], ["store of metal at US"], {}),
        # Chinese metal is pinned, and may not come: the pin is named, and all else is planned.
        (case(demand("metal", "civil", 100)), metals(), [rule(ExportControl, exporters=["CN"], effect="prohibit"), PIN], ["pin"], {"au-metal": 100}),
    ],
    ids=["suppliers", "order minimum", "budget", "store", "pinned and prohibited"],
)  # fmt: skip
def test_what_conflicts_is_named(
    given: Case, facts: Catalog, rules: list[Any], named: list[str], purchases: dict[str, float]
) -> None:
    """Rules, and stores that cannot hold what lies there."""
    found = planned(given, facts, *rules)
    assert found.status is PlanStatus.INFEASIBLE
    assert [(c.rules, c.materials) for c in found.run.conflicts] == [(named, ["metal"])]
    assert bought(found) == purchases


# ------------------------------------------------------------------------------------------------------------------- limits


def holds(found: Recommendation, status: PlanStatus = PlanStatus.FEASIBLE) -> None:
    """A plan that was stopped is verified all the same, and says how far off it may be."""
    assert (found.verified, found.status) == (True, status)
    assert found.run.bound <= found.run.objective
    assert float(found.run.gap) == pytest.approx(float((found.run.objective - found.run.bound) / found.run.objective))
    for purchase in found.plan.plan.makes:
        offer = next(f.offer for f in found.plan.problem.offers if f.offer.id == purchase.offer)
        assert offer.min_order is not None
        assert abs(purchase.units - offer.min_order) <= Decimal("0.001")


def test_a_time_limit_gives_the_best_plan_so_far_with_a_bound() -> None:
    """A search of minutes, stopped: feasible, verified, every order whole, with a gap that is stated."""
    tried = (planned(*hard_case(), time_limit=seconds) for seconds in LONGER[1:])
    found = next(found for found in tried if found.run.purchases and found.bound > 0)
    assert found.gap > 0
    holds(found)


@pytest.mark.parametrize("seconds", [0.0, 0.02, 0.1])
def test_a_time_limit_of_next_to_nothing_still_gives_a_plan(seconds: float) -> None:
    """Whatever the search had by then, or nothing bought at all: verified, with a bound."""
    found = planned(*hard_case(), time_limit=seconds)
    holds(found)
    assert found.run.purchases or all(d.delivered_kg == 0 for d in found.run.demands)


def test_without_time_soft_rules_are_missed_at_their_price_and_stock_is_used() -> None:
    """Nothing is ordered: 20 of 100 kg are in stock, 80 are short at 60, half of the demand is missed at 3."""
    held = stock("metal", 20, chain("CN", *METAL))
    given = case(demand("metal", "civil", 100, price=60), stocks=(held,), stores=(store("metal", 1, limit=0),))
    found = planned(given, metals(), rule(MinShare, countries=["AU"], share="0.5", penalty=3), time_limit=0)
    assert (found.status, short(found)) == (PlanStatus.FEASIBLE, {"metal-civil": 80})
    assert found.objective == 80 * 60 + 50 * 3
    assert {cause.kinds for s in found.run.shortages for cause in s.causes} == {"undetermined"}


def test_without_time_a_rule_that_asks_for_purchases_leaves_no_plan() -> None:
    """It is said that more time is needed, not that the plan does not hold."""
    with pytest.raises(SolverError, match=r"^FS701 .*more time"):
        planned(case(demand("metal", "civil", 100)), metals(), rule(Pin, offer="au-metal", at_least=30), time_limit=0)


def test_cancelled_beforehand_nothing_is_bought() -> None:
    """A plan all the same: everything is short. Where a rule asks for purchases there is none, and no advice about a limit that is not there."""
    given = case(demand("metal", "civil", 100, price=60))
    found = planned(given, metals(), cancel=canceled())
    assert (found.status, short(found)) == (PlanStatus.INTERRUPTED, {"metal-civil": 100})
    assert found.bound <= 1000  # what the best plan costs
    with pytest.raises(OutOfTimeError, match="was canceled") as caught:
        planned(given, metals(), rule(Pin, offer="au-metal", at_least=30), cancel=canceled())
    assert "time" not in str(caught.value)


@pytest.mark.deep
def test_cancelled_during_the_search_the_best_plan_is_returned() -> None:
    """Asked to stop at some sign of progress, a later one while nothing is bought yet: interrupted, verified, with a bound."""

    def stopped_after(signs: int) -> Recommendation:
        cancel, told = Event(), iter(range(signs))
        return planned(
            *hard_case(), cancel=cancel, progress=lambda *_: cancel.set() if next(told, None) is None else None
        )

    found = next(found for found in map(stopped_after, (8, 40, 200, 1000)) if found.run.purchases)
    assert found.gap > 0
    holds(found, PlanStatus.INTERRUPTED)


def test_cancelled_after_the_end_changes_nothing() -> None:
    """A finished search is optimal, whenever the user loses patience."""
    cancel = Event()
    progress = lambda done, total, _: cancel.set() if done == total else None  # noqa: E731
    found = planned(case(demand("metal", "civil", 100)), metals(), cancel=cancel, progress=progress)
    assert (cancel.is_set(), found.status) == (True, PlanStatus.OPTIMAL)


def test_what_is_good_enough_is_not_called_optimal() -> None:
    """A gap of a half is asked for: the search ends by itself, states a gap no wider, and claims no more than that."""
    found = planned(*hard_case(), gap=0.5)
    assert 0 < found.gap <= 0.5
    holds(found)


# ------------------------------------------------------------------------------------------------------------ exact choices


@pytest.mark.parametrize(
    ("onboarding", "expected", "grams"),
    [
        # 5 g of oxide: 12.50 from Japan and its onboarding, against a least order of 20 g for 20 from Australia.
        (7, {"jp-oxide": 0.005}, (7, 12.5)),
        (8, {"au-oxide": 0.02}, (0.25, 20)),
    ],
)
def test_grams_beside_kilotons_are_on_or_off_exactly(
    onboarding: float, expected: dict[str, float], grams: tuple[float, float]
) -> None:
    """One part holds 7 kt of metal, bought in orders of 2 kt at least, and 5 g of oxide: a joint plant ties them together.

    Metal: 5 kt at most from China at 10 with 1,000,000 once, the rest from Australia at 12: 4,000,000 more without China.
    """
    sites = [facility(n, "AU", c, within="all") for n, c in (("cn", 5_000_000), ("au", None), ("jp", None))]
    facts = catalog(
        facility("all", "AU", 9_000_000),
        *sites,
        source("CN", 10, min_order=2_000_000, onboarding=1_000_000, onboarding_currency="USD"),
        source("AU", 12, min_order=1_500_000),
        source("AU", 1000, "oxide", min_order=0.02, onboarding=0.25, onboarding_currency="USD"),
        source("JP", 2500, "oxide", onboarding=onboarding, onboarding_currency="USD"),
    )
    found = planned(case(demand("metal", "civil", 7_000_000), demand("oxide", "civil", 0.005, price=1_000_000)), facts)
    assert found.status is PlanStatus.OPTIMAL
    assert bought(found) == {"cn-metal": 5_000_000, "au-metal": 2_000_000, **expected}
    assert float(found.cost.onboarding) == 1_000_000 + grams[0]
    assert float(found.cost.total) == 75_000_000 + sum(grams)


@pytest.mark.parametrize(
    ("holding", "orders", "total"),
    [
        # A gram too much in 2026 is held for two years at 2 each: 3 x 333.33 + 4.
        (2000, [("cn", 33.333), ("cn", 33.333), ("cn", 33.333)], 1003.99),
        # At 100 a gram and year, Australian metal for 366.652 is cheaper in 2026 than 333.33 + 100.
        (100_000, [("au", 33.332), ("cn", 33.333), ("cn", 33.334)], 366.652 + 333.33 + 333.34),
    ],
)
def test_a_least_order_is_kept_to_the_gram(holding: float, orders: list[tuple[str, float]], total: float) -> None:
    """Orders of 33.333 kg at least; 33.332, 33.333 and 33.334 are wanted in three years."""
    facts = catalog(source("CN", 10, min_order=33.333), source("AU", 11))
    given = case(demand("metal", "civil", 33.332, 33.333, 33.334, price=5000), stores=(store("metal", holding),))
    found = planned(given, facts)
    assert ordered(found) == {(f"{c}-metal", str(year)): kg for year, (c, kg) in enumerate(orders, 2026)}
    assert float(found.cost.total) == pytest.approx(total)


# ----------------------------------------------------------------------------------------------------- ranked objectives


WANTED = (demand("metal", "civil", 100, price=60), demand("metal", "defense", 40, price=20))
SHORTAGE = {"minimize": "shortage", "of": ["defense"]}
CONCENTRATION = {"minimize": "concentration"}


def ranked(*levels: dict[str, Any], **options: Any) -> Recommendation:
    """140 kg of metal wanted, 60 at 10 from China, 70 at 50 from Australia, the rest at 80 from Japan; defense offers least for it."""
    given = case(*WANTED, objectives=levels)
    return planned(given, metals(cn=60, au=70), *options.pop("rules", ()), **options)


def test_defence_first_leaves_the_rest_to_cost() -> None:
    """Cost alone leaves defense short; first, it gets all of its 40 kg, and civil demand pays up to 60: it goes without Japanese metal."""
    cheapest, found = ranked(), ranked(SHORTAGE)
    assert (short(cheapest), cheapest.run.levels, short(found)) == ({"metal-defense": 40}, [], {"metal-civil": 10})
    first, last = found.run.levels
    assert (first.value, first.unit, first.reduction, first.objective_increase) == (
        0,
        "USD",
        40 * 20,
        30 * 50 + 600 - 800,
    )
    assert (last.minimize, last.implied, last.value) == ("cost", True, found.cost.objective)
    assert found.status is PlanStatus.OPTIMAL
    told = cheapest.plan.plan.but(levels=found.plan.plan.levels)  # passed off as one that puts defense first
    with pytest.raises(VerificationError, match=r"FS634 level 1 .* is exceeded"):
        verify(found.plan.problem, told)


def test_spending_nothing_first_buys_nothing() -> None:
    """The money spent alone: a shortage is no reason to spend any."""
    found = ranked({"minimize": "spend"})
    assert (bought(found), found.run.levels[0].value) == ({}, 0)
    assert {str(cause) for short in found.run.shortages for cause in short.causes} == {"ranked lower than spend"}


def test_parts_that_a_level_says_nothing_of_are_planned_by_cost() -> None:
    """A level about metal leaves salt alone, and each part's plan is its own."""
    salt = demand("salt", "civil", 10, price=5)
    found = planned(case(*WANTED, salt, objectives=[{"minimize": "shortage", "of": ["metal"]}]), metals())
    assert short(found) == {"salt-civil": 10}
    assert found.run.levels[0].value == 0


def test_what_a_change_does_under_a_ranking() -> None:
    """With half of the Australian capacity gone defense is still served, by Japan."""
    found = ranked(SHORTAGE)
    answer = found.session.what_if(Change(capacity="au", factor=Decimal("0.5")))
    assert (answer.levels[0], answer.levels[1]) == (0, answer.cost.objective)
    assert answer.rise.objective == 35 * (60 - 50)  # civil demand goes without what Australia no longer sells
    assert answer.rise_between == (350, 350)


def test_a_rule_stands_above_every_rank() -> None:
    """What a rule demands is bought though spending comes first; and rules that conflict are named."""
    pin, never = rule(Pin, offer="jp-metal", at_least=5), rule(MinShare, countries=["KZ"], share="0.5")
    assert bought(ranked({"minimize": "spend"}, rules=[pin])) == {"jp-metal": 5}
    assert ranked(SHORTAGE, rules=[never]).status is PlanStatus.INFEASIBLE


@pytest.mark.parametrize(
    ("level", "fix"),
    [
        ({"minimize": "shortage", "of": ["defence"]}, "did you mean `defense`?"),
        ({"minimize": "concentration", "of": ["mettal"]}, "did you mean `metal`?"),
    ],
)
def test_a_name_that_is_not_there_is_refused(level: dict[str, Any], fix: str) -> None:
    """With what was probably meant; and an objective that names what it does not look at."""
    (problem,) = refused(ranked, level)
    assert (problem.column, problem.fix) == ("objective.of", fix)
    with pytest.raises(ValidationError, match="FS029"):
        ranked({"minimize": "spend", "of": ["metal"]})


@pytest.mark.parametrize("seconds", [0, 0.5])
def test_out_of_time_the_levels_have_values_and_bounds(seconds: float) -> None:
    """A search that is ended early says of each level what it comes to and what it surely does not come below."""
    given, facts = hard_case(offers=15, periods=4)
    objectives = [{"minimize": "shortage", "of": ["metal"]}, {"minimize": "spend", "within": "0.05"}, CONCENTRATION]
    found = planned(given.but(objectives=case(*WANTED, objectives=objectives).objectives), facts, time_limit=seconds)
    assert (found.status, len(found.run.levels)) == (PlanStatus.FEASIBLE, 4)
    assert all(level.bound <= level.value and level.reduction is None for level in found.run.levels)


def test_the_report_tells_the_levels() -> None:
    """Rank, value and price of each; later levels use up what one may give up."""
    run = ranked(SHORTAGE, {"minimize": "cost", "within": "0.1"}, CONCENTRATION).run
    _, cost, largest, last = run.levels
    assert cost.value == last.value
    assert float(cost.value) == pytest.approx(1.1 * float(cost.best_value), rel=1e-4)
    assert (largest.unit, largest.reduction is not None and largest.reduction > 0) == ("kg", True)
    said = text(plan_document(run), 120)
    for words in ("Lexicographic objectives", "shortage of defense, at its price", "later objectives may add 10%"):
        assert words in said


def level(plan: Plan, rank: int, **update: Any) -> Plan:
    """The plan with another statement of one level."""
    changed = [n.model_copy(update=update) if i == rank else n for i, n in enumerate(plan.levels, 1)]
    return plan.but(levels=tuple(changed))


@pytest.mark.parametrize(
    ("tamper", "words"),
    [
        (lambda plan: level(plan, 1, bound=Decimal(5)), "the bound of level 1"),
        (lambda plan: level(plan, 2, max_value=Decimal(4000)), "level 2 .* is exceeded"),
        (lambda plan: level(plan, 1, max_value=Decimal(50)), "level 1 .* another share"),
        (lambda plan: level(plan, 2, best_value=Decimal(9000)), "level 2 .* another share"),
        (lambda plan: plan.but(levels=plan.levels[:1]), "states 1 ranked objectives"),
        (lambda plan: plan.but(levels=()), "states 0 ranked objectives"),
        (lambda plan: plan.but(levels=(*plan.levels, PlanLevel(best_value=0, bound=0, max_value=0))), "states 3"),
    ],
)  # fmt: skip
def test_what_a_plan_says_of_a_level_is_checked(tamper: Callable[[Plan], Plan], words: str) -> None:
    """Values are counted again on the plan; a bound above them, or a share that the case does not give, is found."""
    found = ranked(SHORTAGE)
    with pytest.raises(VerificationError, match=words):
        verify(found.plan.problem, tamper(found.plan.plan))
