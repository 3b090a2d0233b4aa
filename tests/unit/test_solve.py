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

from friendshore.document.terminal import plain_text
from friendshore.domain.change import Change
from friendshore.domain.plan import Plan, PlanLevel, PlanStatus
from friendshore.errors import InputError, OutOfTimeError, SolverError, VerificationError
from friendshore.program import compile_program
from friendshore.program.matrix import Entries, Linear
from friendshore.recommend import Recommendation
from friendshore.report import plan_document
from friendshore.rules.kinds.export_control import ExportControl
from friendshore.rules.kinds.limits import Budget, MaxShare, MinShare, MinSuppliers, Pin
from friendshore.solve import linking, solve
from friendshore.solve.components import empty_rows, split
from friendshore.solve.engine import Ask, SolverOutcome
from friendshore.solve.engines import solve_with_glop as solve_lp
from friendshore.solve.engines import solve_with_highs, solve_with_scip
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
    rule,
    short,
    source,
    stock,
    store,
)

# --------------------------------------------------------------------------------------------------------- one objective


def linear(cost: list[float], rows: list[list[float]], least: list[float], whole: bool = False, **more: Any) -> Linear:
    """Minimise cost @ x subject to rows @ x >= least and 0 <= x <= 10."""
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
    out, err = capfd.readouterr()
    return out, err


# ---------------------------------------------------------------------------------------------------------------- engines


@pytest.mark.parametrize("engine", [solve_lp, solve_with_highs, solve_with_scip], ids=["glop", "highs", "scip"])
def test_engines_agree_and_say_nothing(engine: Callable[[Linear], Any], capfd: pytest.CaptureFixture[str]) -> None:
    """The sum of x and y at least 4, x at 1 up to 3, y at 2: 3 + 2 = 5; and what cannot hold is told as that, not as an error."""
    best = engine(linear([1, 2], [[1, 1]], [4], upper=np.array([3.0, 10.0])))
    assert (best.outcome, best.objective, best.bound) == (SolverOutcome.OPTIMAL, 5, 5)
    assert best.x.tolist() == pytest.approx([3, 1])
    assert engine(linear([1, 2], [[1, 1]], [21])).outcome is SolverOutcome.INFEASIBLE
    assert flushed(capfd) == ("", "")


def test_whole_columns_are_whole() -> None:
    """2 x at least 3, x whole: 2; with half of it allowed 1.5."""
    assert solve_with_highs(linear([1], [[2]], [3], whole=True)).objective == 2
    assert solve_lp(linear([1], [[2]], [3])).objective == 1.5


def test_a_whole_program_that_cannot_hold_is_told_as_that() -> None:
    """2 x between 3 and 3 has no whole x; nor has one with columns that have no upper end."""
    given = linear([1, 0], [[2, 0]], [3], whole=True, row_upper=np.array([3.0]))
    assert solve_with_highs(given).outcome is SolverOutcome.INFEASIBLE
    open_ended = replace(given, upper=np.array([np.inf, np.inf]), integer=np.array([True, False]))
    assert solve_with_highs(open_ended).outcome is SolverOutcome.INFEASIBLE


@pytest.mark.parametrize("engine", [solve_lp, solve_with_highs, solve_with_scip], ids=["glop", "highs", "scip"])
def test_a_breakdown_is_told_in_words(engine: Callable[[Linear], Any]) -> None:
    """A program without a least value, and one with a number that is none: neither is taken for an answer."""
    with pytest.raises(SolverError, match="please report"):
        engine(linear([-1], [[1]], [0], upper=np.array([np.inf])))
    with pytest.raises(SolverError, match="please report"):
        engine(linear([float("nan")], [[1]], [1]))


@pytest.mark.parametrize(
    ("count", "asked"),
    [
        (20_000, [0, 127, 128, 16_383, 16_384, 19_999]),
        (16_385, [0, 127, 128, 255, 16_383, 16_384]),
        (16_384, [0, 127, 128, 255, 16_382, 16_383]),
        (129, [0, 1, 64, 126, 127, 128]),
        (128, [0, 1, 63, 64, 126, 127]),
        (127, [0, 1, 63, 64, 125, 126]),
    ],
)
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
    assert solve_lp(given).outcome is SolverOutcome.INFEASIBLE
    assert (
        solve_lp(replace(given, row_upper=np.append(np.full(6, np.inf), 14 - count))).outcome
        is SolverOutcome.INFEASIBLE
    )


def test_a_user_who_has_had_enough_ends_glop() -> None:
    """24,000 flows out of 80 places at a fixed cost each, which takes seconds: ended while it is searched, it has no answer, and is not called a breakdown."""
    places, users = 80, 300
    dice = np.random.default_rng(0)
    flow = np.arange(places * users).reshape(places, users)
    place = places * users + np.arange(places)
    wanted = dice.integers(5, 35, users).astype(float)
    most = dice.integers(10, 160, places) * 1.2 * users / places
    far = np.linalg.norm(dice.random((places, 1, 2)) - dice.random((users, 2)), axis=2)
    links = users + places + flow
    blocks = [
        (np.tile(np.arange(users), places), flow.ravel(), np.ones(flow.size)),
        (users + np.repeat(np.arange(places), users), flow.ravel(), np.tile(wanted, places)),
        (users + np.arange(places), place, -most),
        (links.ravel(), flow.ravel(), np.ones(flow.size)),
        (links.ravel(), np.repeat(place, users), -np.ones(flow.size)),
    ]
    count, rows = flow.size + places, users + places + flow.size
    fixed = np.sqrt(most) * dice.integers(100, 110, places)
    given = Linear(
        cost=np.append((10 * far * wanted).ravel(), fixed), lower=np.zeros(count), upper=np.ones(count), integer=np.zeros(count, dtype=bool),
        entries=Entries.summed(*(np.concatenate(part) for part in zip(*blocks, strict=True)), (rows, count)),
        row_lower=np.append(np.ones(users), np.full(rows - users, -np.inf)), row_upper=np.append(np.ones(users), np.zeros(rows - users)),
    )  # fmt: skip
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
    assert answer.out_of_time
    assert answer.outcome is SolverOutcome.FEASIBLE
    assert answer.x is not None
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


# ------------------------------------------------------------------------------------------------------------------ parts


def parts(given: Any, facts: Any, *rules: Any) -> int:
    """How many independent parts with rows a case has."""
    return sum(1 for p in split(compile_program(built(given, facts, *rules)).linear) if len(p.rows))


def test_what_hangs_together_is_one_part() -> None:
    """Two goods are two parts; a joint capacity, a recipe, a budget or a store makes one of what it joins."""
    two = catalog(source("CN", 10), source("AU", 5, "salt"))
    given = case(demand("metal", "civil", 10), demand("salt", "civil", 10))
    assert parts(given, two) == 2
    assert parts(given, two, rule(Budget, amount=100)) == 1
    assert parts(given, two, rule(MaxShare, by="country", share="0.5")) == 2
    joint = catalog(facility("cn", "CN", 5), source("CN", 10), source("CN", 5, "salt"))
    assert parts(given, joint) == 1
    fed = catalog(source("CN", 10, "oxide"), maker("AU", 5))
    assert parts(case(demand("metal", "civil", 1), demand("oxide", "civil", 1)), fed) == 2  # oxide is bought elsewhere
    at_home = case(demand("metal", "civil", 1), demand("oxide", "civil", 1, place="AU"))
    assert parts(at_home, fed) == 1


def test_parts_and_the_whole_come_to_the_same() -> None:
    """Solved apart or as one program: the same cost."""
    given = case(demand("metal", "civil", 100, 50), demand("salt", "civil", 10, 30), demand("oxide", "civil", 7, 7))
    sold = [source(c, p, g, max_per_year=20) for c, p in (("CN", 3), ("AU", 8)) for g in ("salt", "oxide", "metal")]
    program = compile_program(built(given, catalog(facility("cn", "CN"), facility("au", "AU"), *sold)))
    # Metal: 40 of 100 and 40 of 50 kg at 3 and 8, the rest short at 1000; salt: 10, then 20 and 10; oxide: 14 at 3.
    expected = [2 * 20 * 11 + 70 * 1000, 10 * 3 + 20 * 3 + 10 * 3, 14 * 3]
    assert solve_lp(program.linear).objective == pytest.approx(sum(expected))
    pieces = [solve_lp(p.linear).objective for p in split(program.linear) if len(p.rows)]
    assert sorted(pieces) == pytest.approx(sorted(expected))


def test_a_budget_that_joins_two_goods_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """100 kg at 3 and 10 kg at 5: 350. Under 400 the budget is left out; under 210 the two goods are solved jointly.

    So few columns are else solved at once, which comes to the same.
    """
    two = catalog(source("CN", 3), source("AU", 5, "salt"))
    given = case(demand("metal", "civil", 100), demand("salt", "civil", 10))
    for amount, how, spent in ((400, "left out", 350), (210, "joint", 210)):
        program = compile_program(built(given, two, rule(Budget, amount=amount)))
        at_once = solve(program)
        with monkeypatch.context() as patched:
            patched.setattr(linking, "FEW_ENTRIES", 0)
            solution = solve(program)
        assert (at_once.joined, at_once.objective) == ((), pytest.approx(solution.objective))
        assert [(j.owners, j.parts, j.how) for j in solution.joined] == [(("budget",), 2, how)]
        assert solution.status is PlanStatus.OPTIMAL
        assert planned(given, two, rule(Budget, amount=amount)).cost.total == spent
    assert solve(compile_program(built(given, two))).joined == ()


def test_a_budget_over_goods_with_switches_that_nothing_can_meet_is_named() -> None:
    """30 kg of each of three goods is the least order, and pinned: 30 x 3 + 30 x 4 + 30 x 5 = 360 is more than the budget."""
    goods = {"metal": 3, "salt": 4, "oxide": 5}
    two = catalog(facility("cn", "CN"), *(source("CN", p, g, min_order=30) for g, p in goods.items()))
    given = case(*(demand(g, "civil", 40) for g in goods))
    pins = [rule(Pin, id=f"pin-{g}", offer=f"cn-{g}", at_least=10) for g in goods]
    for amount in (359, 360):
        found = planned(given, two, *pins, rule(Budget, amount=amount))
        assert (found.status is PlanStatus.INFEASIBLE) is (amount == 359)
    assert planned(given, two, *pins, rule(Budget, amount=300)).run.conflicts[0].rules == [
        "budget",
        "pin-metal",
        "pin-oxide",
        "pin-salt",
    ]


def test_rows_that_nothing_can_meet_are_found() -> None:
    """A row without columns holds if zero lies within it, and only then."""
    empty = linear([1], [[0], [0], [1]], [0, 1, 0])
    assert empty_rows(empty).tolist() == [1]


# --------------------------------------------------------------------------------------------------------------- conflicts


def test_a_part_whose_rules_conflict_is_named_and_the_others_are_planned() -> None:
    """60 % Australian and 60 % Japanese of what is bought cannot be; a cap beside them has no part in it. Salt is planned."""
    given = case(demand("metal", "civil", 100), demand("salt", "civil", 10))
    facts = metals(source("CN", 3, "salt"))
    floors = (
        rule(MinShare, id="floor-au", countries=["AU"], share="0.6", of="purchases", materials=["metal"]),
        rule(MinShare, id="floor-jp", countries=["JP"], share="0.6", of="purchases", materials=["metal"]),
        rule(Pin, id="some", offer="cn-metal", at_least=10),
    )
    cap = rule(MaxShare, id="cap", by="country", share="0.9", materials=["metal"])
    found = planned(given, facts, *floors, cap)
    assert found.status is PlanStatus.INFEASIBLE
    assert found.verified
    assert [(c.rules, c.materials, c.demands) for c in found.run.conflicts] == [
        (["floor-au", "floor-jp", "some"], ["metal"], ["metal-civil"])
    ]
    assert all(words for words in found.run.conflicts[0].sentences)
    assert bought(found) == {"cn-salt": 10}
    assert {(s.demand, cause.kinds) for s in found.run.shortages for cause in s.causes} == {("metal-civil", "conflict")}
    # Each of the three is needed: without any one of them the others hold.
    for left_out in floors:
        rest = [r for r in floors if r is not left_out]
        assert planned(given, facts, *rest, cap).status is PlanStatus.OPTIMAL


def test_a_store_that_cannot_hold_what_lies_there_is_a_conflict() -> None:
    """20 kg in hand, 15 wanted, room for 2: the store is named."""
    given = case(
        demand("metal", "civil", 15),
        stocks=(stock("metal", 20, chain("AU", *METAL)),),
        stores=(store("metal", 1, limit=2),),
    )
    found = planned(given, metals())
    assert found.run.conflicts[0].rules == ["store of metal at US"]
    assert found.run.conflicts[0].materials == ["metal"]


def test_a_rule_that_nothing_lawful_can_meet_is_named() -> None:
    """Chinese metal is pinned, and may not come: the pin is named, and all else is planned."""
    control = rule(ExportControl, exporters=["CN"], effect="prohibit")
    found = planned(case(demand("metal", "civil", 100)), metals(), control, rule(Pin, offer="cn-metal", at_least=10))
    assert found.status is PlanStatus.INFEASIBLE
    assert [c.rules for c in found.run.conflicts] == [["pin"]]
    assert bought(found) == {"au-metal": 100}


def test_conflicts_with_on_off_choices_are_found() -> None:
    """Four suppliers of three; an order minimum of 60 under a pin of 50; two of three suppliers for a budget of 10."""
    facts = catalog(
        *(facility(c.lower(), c, 100) for c in ("CN", "AU", "JP")),
        source("CN", 10, min_order=60),
        source("AU", 50, onboarding=100, onboarding_currency="USD"),
        source("JP", 80),
    )
    given = case(demand("metal", "civil", 100, price=60))
    pin = rule(Pin, offer="cn-metal", at_least=30, at_most=50)
    few, budget = rule(MinSuppliers, count=2), rule(Budget, amount=10)
    for rules, named in (
        ((rule(MinSuppliers, count=4),), ["min-suppliers"]),
        ((pin, few), ["pin"]),
        ((few, budget), ["budget", "min-suppliers"]),
    ):
        found = planned(given, facts, *rules)
        assert [c.rules for c in found.run.conflicts] == [named]
        assert short(found) == {"metal-civil": 100}


# ------------------------------------------------------------------------------------------------------------------- limits


def holds(found: Recommendation) -> None:
    """A plan that was stopped is verified all the same, and says how far off it may be."""
    assert found.verified
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
    assert found.status is PlanStatus.FEASIBLE
    assert found.gap > 0
    assert found.bound > 0
    assert found.run.purchases
    holds(found)


@pytest.mark.parametrize("seconds", [0.0, 0.02, 0.1])
def test_a_time_limit_of_next_to_nothing_still_gives_a_plan(seconds: float) -> None:
    """Whatever the search had by then, or nothing bought at all: verified, with a bound."""
    found = planned(*hard_case(), time_limit=seconds)
    assert found.status is PlanStatus.FEASIBLE
    holds(found)
    if not found.run.purchases:
        assert all(d.delivered_kg == 0 for d in found.run.demands)


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
    with pytest.raises(SolverError, match="more time"):
        planned(case(demand("metal", "civil", 100)), metals(), rule(Pin, offer="au-metal", at_least=30), time_limit=0)


def test_canceled_without_a_plan_is_not_told_to_take_more_time() -> None:
    """The user ended it: no advice about a limit that there is none of."""
    cancel = Event()
    cancel.set()
    pin = rule(Pin, offer="au-metal", at_least=30)
    with pytest.raises(OutOfTimeError, match="was canceled") as caught:
        planned(case(demand("metal", "civil", 100)), metals(), pin, cancel=cancel)
    assert "time" not in str(caught.value)


@pytest.mark.deep
def test_cancelled_during_the_search_the_best_plan_is_returned() -> None:
    """Asked to stop at some sign of progress, a later one while nothing is bought yet: interrupted, verified, with a bound."""

    def stopped_after(signs: int) -> Recommendation:
        cancel, told = Event(), iter(range(signs))

        def progress(*_: object) -> None:
            if next(told, None) is None:
                cancel.set()

        return planned(*hard_case(), cancel=cancel, progress=progress)

    found = next(found for found in map(stopped_after, (8, 40, 200, 1000)) if found.run.purchases)
    assert found.status is PlanStatus.INTERRUPTED
    assert found.run.purchases
    assert found.gap > 0
    holds(found)


def test_cancelled_beforehand_nothing_is_bought() -> None:
    """A plan all the same: everything is short."""
    cancel = Event()
    cancel.set()
    found = planned(case(demand("metal", "civil", 100, price=60)), metals(), cancel=cancel)
    assert (found.status, short(found)) == (PlanStatus.INTERRUPTED, {"metal-civil": 100})
    assert found.bound <= 1000  # what the best plan costs


def test_cancelled_after_the_end_changes_nothing() -> None:
    """A finished search is optimal, whenever the user loses patience."""
    cancel = Event()

    def progress(done: int, total: int, _: float) -> None:
        if done == total:
            cancel.set()

    found = planned(case(demand("metal", "civil", 100)), metals(), cancel=cancel, progress=progress)
    assert cancel.is_set()
    assert found.status is PlanStatus.OPTIMAL


def test_what_is_good_enough_is_not_called_optimal() -> None:
    """A gap of a half is asked for: the search ends by itself, states a gap no wider, and claims no more than that."""
    found = planned(*hard_case(), gap=0.5)
    assert found.status is PlanStatus.FEASIBLE
    assert 0 < found.gap <= 0.5
    holds(found)


# ------------------------------------------------------------------------------------------------------------ exact choices


@pytest.mark.parametrize(
    ("onboarding", "expected"),
    [
        # 5 g of oxide: 12.50 from Japan and its onboarding, against a least order of 20 g for 20 from Australia.
        (7, {"jp-oxide": 0.005}),
        (8, {"au-oxide": 0.02}),
    ],
)
def test_grams_beside_kilotons_are_on_or_off_exactly(onboarding: float, expected: dict[str, float]) -> None:
    """One part holds 7 kt of metal, bought in orders of 2 kt at least, and 5 g of oxide: a joint plant ties them together.

    Metal: 5 kt at most from China at 10 with 1,000,000 once, the rest from Australia at 12: 4,000,000 more without China.
    """
    plant = facility("all", "AU", 9_000_000)
    sites = [facility(n, "AU", c, within="all") for n, c in (("cn", 5_000_000), ("au", None), ("jp", None))]
    facts = catalog(
        plant,
        *sites,
        source("CN", 10, min_order=2_000_000, onboarding=1_000_000, onboarding_currency="USD"),
        source("AU", 12, min_order=1_500_000),
        source("AU", 1000, "oxide", min_order=0.02, onboarding=0.25, onboarding_currency="USD"),
        source("JP", 2500, "oxide", onboarding=onboarding, onboarding_currency="USD"),
    )
    given = case(demand("metal", "civil", 7_000_000), demand("oxide", "civil", 0.005, price=1_000_000))
    found = planned(given, facts)
    assert found.status is PlanStatus.OPTIMAL
    assert bought(found) == {"cn-metal": 5_000_000, "au-metal": 2_000_000, **expected}
    grams = onboarding if "jp-oxide" in expected else 0.25
    assert float(found.cost.onboarding) == 1_000_000 + grams
    assert float(found.cost.total) == 75_000_000 + grams + (12.5 if "jp-oxide" in expected else 20)


@pytest.mark.parametrize(
    ("holding", "orders", "total"),
    [
        # A gram too much in 2026 is held for two years at 2 each: 3 x 333.33 + 4.
        (2000, {("cn-metal", "2026"): 33.333, ("cn-metal", "2027"): 33.333, ("cn-metal", "2028"): 33.333}, 1003.99),
        # At 100 a gram and year, Australian metal for 366.652 is cheaper in 2026 than 333.33 + 100.
        (
            100_000,
            {("au-metal", "2026"): 33.332, ("cn-metal", "2027"): 33.333, ("cn-metal", "2028"): 33.334},
            366.652 + 333.33 + 333.34,
        ),
    ],
)
def test_a_least_order_is_kept_to_the_gram(holding: float, orders: dict[tuple[str, str], float], total: float) -> None:
    """Orders of 33.333 kg at least; 33.332, 33.333 and 33.334 are wanted in three years."""
    facts = catalog(source("CN", 10, min_order=33.333), source("AU", 11))
    given = case(demand("metal", "civil", 33.332, 33.333, 33.334, price=5000), stores=(store("metal", holding),))
    found = planned(given, facts)
    assert ordered(found) == orders
    assert float(found.cost.total) == pytest.approx(total)


# ----------------------------------------------------------------------------------------------------- ranked objectives


WANTED = (demand("metal", "civil", 100, price=60), demand("metal", "defense", 40, price=20))
SHORTAGE = {"minimise": "shortage", "of": ["defense"]}
CONCENTRATION = {"minimise": "concentration"}


def ranked(*levels: dict[str, Any], **options: Any) -> Recommendation:
    """140 kg of metal wanted, 60 at 10 from China, 70 at 50 from Australia, the rest at 80 from Japan; defence offers least for it."""
    given = case(*WANTED, objectives=levels)
    return planned(given, metals(cn=60, au=70), *options.pop("rules", ()), **options)


def test_cost_alone_leaves_defence_short() -> None:
    """What a shortage costs decides: nothing is ranked, and the run has no levels."""
    found = ranked()
    assert (short(found), found.run.levels) == ({"metal-defense": 40}, [])


def test_defence_first_leaves_the_rest_to_cost() -> None:
    """Defence gets all of its 40 kg; civil demand pays up to 60, so that it goes without Japanese metal."""
    found = ranked(SHORTAGE)
    assert short(found) == {"metal-civil": 10}
    first, last = found.run.levels
    assert (first.value, first.unit, first.gained, first.raised_objective) == (0, "USD", 40 * 20, 30 * 50 + 600 - 800)
    assert (last.minimise, last.implied, last.value) == ("cost", True, found.cost.objective)
    assert found.status is PlanStatus.OPTIMAL


def test_spending_nothing_first_buys_nothing() -> None:
    """The money spent alone: a shortage is no reason to spend any."""
    found = ranked({"minimise": "spend"})
    assert (bought(found), found.run.levels[0].value) == ({}, 0)
    assert {str(cause) for short in found.run.shortages for cause in short.causes} == {"ranked lower than spend"}


def test_the_largest_is_made_as_small_as_the_shortage_allows() -> None:
    """A third of 140 kg each; civil demand is met for the sake of the rank of all shortage."""
    found = ranked({"minimise": "shortage"}, CONCENTRATION)
    assert bought(found) == pytest.approx({"cn-metal": 46.667, "au-metal": 46.667, "jp-metal": 46.666}, abs=0.002)
    assert float(found.run.levels[1].value) == pytest.approx(140 / 3, abs=0.002)
    assert found.run.levels[1].unit == "kg"


def test_later_levels_use_up_what_one_may_give_up() -> None:
    """Cost may rise by a tenth, of which every dollar goes into a smaller largest country."""
    found = ranked({"minimise": "cost", "within": "0.1"}, CONCENTRATION)
    cost, largest, last = found.run.levels
    assert cost.value == last.value == pytest.approx(cost.least * Decimal("1.1"))
    assert largest.gained is not None
    assert largest.gained > 0
    assert last.implied


def test_parts_that_a_level_says_nothing_of_are_planned_by_cost() -> None:
    """A level about metal leaves salt alone, and each part's plan is its own."""
    salt = demand("salt", "civil", 10, price=5)
    found = planned(case(*WANTED, salt, objectives=[{"minimise": "shortage", "of": ["metal"]}]), metals())
    assert short(found) == {"salt-civil": 10}
    assert found.run.levels[0].value == 0


def test_what_a_change_does_under_a_ranking() -> None:
    """With half of the Australian capacity gone defence is still served, by Japan."""
    found = ranked(SHORTAGE)
    answer = found.session.after(Change(capacity="au", factor=Decimal("0.5")))
    assert (answer.levels[0], answer.levels[1]) == (0, answer.cost.objective)
    assert answer.rise.objective == 35 * (60 - 50)  # civil demand goes without what Australia no longer sells
    assert answer.rise_between == (350, 350)


def test_a_rule_stands_above_every_rank() -> None:
    """What a rule demands is bought though spending comes first; and rules that conflict are named."""
    pin = rule(Pin, offer="jp-metal", at_least=5)
    assert bought(ranked({"minimise": "spend"}, rules=[pin])) == {"jp-metal": 5}
    never = rule(MinShare, countries=["KZ"], share="0.5")
    found = ranked(SHORTAGE, rules=[never])
    assert found.status is PlanStatus.INFEASIBLE


@pytest.mark.parametrize(
    ("level", "words"),
    [
        ({"minimise": "shortage", "of": ["defence"]}, "did you mean `defense`"),
        ({"minimise": "concentration", "of": ["mettal"]}, "did you mean `metal`"),
    ],
)
def test_a_name_that_is_not_there_is_refused(level: dict[str, Any], words: str) -> None:
    """With what was probably meant."""
    with pytest.raises(InputError, match=r"objective\.of") as caught:
        ranked(level)
    assert words in str(caught.value)


def test_what_says_nothing_of_an_objective_is_refused() -> None:
    """In memory as in a file."""
    with pytest.raises(ValidationError, match="is that of the whole plan"):
        ranked({"minimise": "spend", "of": ["metal"]})


@pytest.mark.parametrize("seconds", [0, 0.5])
def test_out_of_time_the_levels_have_values_and_bounds(seconds: float) -> None:
    """A search that is ended early says of each level what it comes to and what it surely does not come below."""
    given, facts = hard_case(offers=15, periods=4)
    objectives = [{"minimise": "shortage", "of": ["metal"]}, {"minimise": "spend", "within": "0.05"}, CONCENTRATION]
    found = planned(given.but(objectives=case(*WANTED, objectives=objectives).objectives), facts, time_limit=seconds)
    assert found.status is PlanStatus.FEASIBLE
    assert len(found.run.levels) == 4
    assert all(level.bound <= level.value for level in found.run.levels)
    assert all(level.gained is None for level in found.run.levels)


def test_the_report_tells_the_levels() -> None:
    """Rank, value and price of each."""
    run = ranked(SHORTAGE, {"minimise": "cost", "within": "0.1"}, CONCENTRATION).run
    said = plain_text(plan_document(run), 120)
    assert "Lexicographic objectives" in said
    assert "shortage of defense, at its price" in said
    assert "later ones may add 10 %" in said


def level(plan: Plan, rank: int, **update: Any) -> Plan:
    """The plan with another statement of one level."""
    changed = [n.model_copy(update=update) if i == rank else n for i, n in enumerate(plan.levels, 1)]
    return plan.but(levels=tuple(changed))


@pytest.mark.parametrize(
    ("tamper", "words"),
    [
        (lambda plan: level(plan, 1, bound=Decimal(5)), "the bound of level 1"),
        (lambda plan: level(plan, 2, most=Decimal(4000)), "level 2 .* is not kept"),
        (lambda plan: level(plan, 1, most=Decimal(50)), "level 1 .* another share"),
        (lambda plan: level(plan, 2, least=Decimal(9000)), "level 2 .* another share"),
        (lambda plan: plan.but(levels=plan.levels[:1]), "states 1 ranked objectives"),
        (lambda plan: plan.but(levels=()), "states 0 ranked objectives"),
        (lambda plan: plan.but(levels=(*plan.levels, PlanLevel(least=0, bound=0, most=0))), "states 3"),
    ],
)  # fmt: skip
def test_what_a_plan_says_of_a_level_is_checked(tamper: Callable[[Plan], Plan], words: str) -> None:
    """Values are counted again on the plan; a bound above them, or a share that the case does not give, is found."""
    found = ranked(SHORTAGE)
    with pytest.raises(VerificationError, match=words):
        verify(found.plan.problem, tamper(found.plan.plan))


def test_a_plan_that_neglects_a_level_does_not_hold() -> None:
    """The cheapest plan, passed off as one that puts defence first."""
    cheapest, found = ranked().plan.plan, ranked(SHORTAGE).plan
    told = cheapest.but(levels=found.plan.levels)
    with pytest.raises(VerificationError, match=r"level 1 .* is not kept"):
        verify(found.problem, told)
