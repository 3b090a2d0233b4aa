"""Price schedules as read, settled, refused, counted in budgets, changed and kept in a run's facts."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_matrix

from friendshore.catalog import load_catalog
from friendshore.domain.case import Case, DemandSpec
from friendshore.domain.change import Change
from friendshore.domain.evidence import Confidence, Source
from friendshore.domain.facts import Catalog
from friendshore.domain.plan import PlanStatus, Short
from friendshore.domain.terms import Tier, TierKind
from friendshore.plugins import Registry
from friendshore.program import compile_program
from friendshore.recommend import Recommendation
from friendshore.recommend.recheck import reverify
from friendshore.report import plan_document
from friendshore.rules.kinds.limits import Budget, Pin
from friendshore.verify import examine

from ..building import (
    GUESS,
    bought,
    built,
    case,
    demand,
    facility,
    lines,
    metals,
    offer,
    ordered,
    planned,
    refused,
    rule,
    schedule,
    short,
    source,
    store,
    text,
    tier,
    told,
)

GOOD = Path(__file__).parents[1] / "data" / "good-catalog"
HEADER = "of,id,materials,kind,per,least,price,discount,lump,from,until,source\n"
GAPS = "of,id,materials,kind,per,least,most,price,discount,lump,from,until,source\n"
CIVIL = demand("metal", "civil", 100)
UNSTORED = {"stores": [store("metal", 0, limit=0)]}
EURO = Decimal("113.493064312736")  # 90 USD/kg WO3, 0.793 kg W each


def tiered(*tiers: Tier, wanted: Any = None, **more: Any) -> Recommendation:
    """The plan of 100 kg, with tiers of the Chinese offer."""
    return planned(wanted or case(CIVIL), metals(schedule("cn-metal", *tiers, **more)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the good catalog."""
    return Path(shutil.copytree(GOOD, tmp_path / "small"))


# ---------------------------------------------------------------------------------------------------------------- reading


def test_rows_become_schedules_in_kilograms_and_money() -> None:
    """Rows of one schedule are put together in any order; masses and prices of a substance are those of the material's basis."""
    found = {(s.of, s.id): s for s in load_catalog(GOOD).schedules}
    powder, lynas, works = found["offer", "powder"], found["supplier", "Lynas"], found["facility", "powder-works"]
    assert powder.kind is TierKind.INCREMENTAL
    assert [(float(t.least), t.price) for t in powder.tiers] == [(0, EURO), (79_300, Decimal("100.882723833544"))]
    assert (lynas.measure, lynas.currency, lynas.per) == ("money", "EUR", "horizon")
    assert [(t.least, t.discount, t.lump) for t in lynas.tiers] == [(0, None, 5000), (2_000_000, Decimal("0.1"), 0)]
    assert lynas.materials == {"dy-oxide", "ndpr-oxide"}
    assert works.tiers[1].discount == Decimal("-0.05")


def test_the_first_tier_is_the_price_of_an_offer_without_one(folder: Path) -> None:
    """A price list need not be told twice; its rows say where a tier ends, in masses, of a substance too, and in money."""
    file = folder / "offers.csv"
    file.write_text(file.read_text().replace(",,,apt-rotterdam,25%,", ",,,,,"), encoding="utf-8")
    powder = next(o for o in load_catalog(folder).offers if o.id == "powder")
    assert (powder.price.amount, powder.price.source) == (EURO, "small:paper")
    shutil.copy(GOOD / "offers.csv", file)
    rows = (
        ",powder,,incremental,period,0,10 t WO3,,,,,,paper",
        ",powder,,incremental,period,100 t WO3,,,,,,,paper",
        "supplier,Lynas,,all-units,horizon,0,2 EUR,,,,,,paper",
    )
    (folder / "tiers.csv").write_text(GAPS + "\n".join(rows) + "\n", encoding="utf-8")
    found = {s.id: s for s in load_catalog(folder).schedules}
    assert [(t.least, t.most) for t in found["powder"].tiers] == [(0, 7930), (79_300, None)]
    assert (found["Lynas"].measure, found["Lynas"].currency, found["Lynas"].tiers[0].most) == ("money", "EUR", 2)


@pytest.mark.parametrize(
    ("rows", "column", "row", "words"),
    [
        (",ores,,all-units,year,0,,,,,,paper", "id", 2, "no such offer"),
        ("supplier,Linas,,all-units,year,0,,,,,,paper", "id", 2, "no such supplier"),
        (",ore,,all-units,year,1 t,9 USD/kg,,,,,paper", "least", 2, "FS034"),
        (",ore,,all-units,year,0,9 USD/kg,5%,,,,paper", "discount", 2, "FS027"),
        (",ore,,all-units,year,0,,,,,,paper\n,ore,,all-units,year,900 USD,9 USD/kg,,,,,paper", "price", 3, "FS034"),
        (",ore,,all-units,year,0,,,,,,paper\n,ore,,all-units,year,0 t,,5%,,,,paper", "of", 3, "line 2 already"),
        (",ore,,all-units,year,0,,,,,,paper\n,ore,,all-units,year,9 USD,,5%,,,,paper\n,ore,,all-units,year,9 t,,6%,,,,paper", "least", 3, "others at an amount of money"),
        (",ore,,all-units,year,0,9 USD/kg,,,,,paper\n,ore,,all-units,year,9 t,8 EUR/kg,,,,,paper", "price", 3, "several currencies"),
        ("facility,circuit,,all-units,year,0,9 USD/kg Dy,,,,,paper", "price", 2, "several materials"),
        (",ore,,all-units,year,0,,,,,,paper\n,ore,,incremental,period,0,,,,,,paper", "id", 3, "FS025"),
        (",ore,tin,all-units,year,0,,,,,,paper", "materials", 2, "no such material"),
        (",ore,,all-units,year,0,,,,2027-02-01,2027-01-01,paper", "until", 2, "FS020"),
        (",ore,,all-units,year,0,,150%,,,,paper", "discount", 2, "FS013"),
        (",ore,,all-units,year,5 pood,,5%,,,,paper", "least", 2, "FS011"),
        (GAPS + ",ore,,all-units,year,0,,,,,,,paper\n,ore,,all-units,year,9 t,8 t,,,,,,paper", "most", 3, "FS021"),
        (GAPS + ",ore,,all-units,year,0,9 t,,,,,,paper\n,ore,,all-units,year,8 t,,,,,,,paper", "most", 2, "FS034"),
        (GAPS + ",ore,,all-units,year,0,9 USD,,,,,,paper\n,ore,,all-units,year,8 t,,,,,,,paper", "most", 2, "others at an amount of money"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_at_its_cell(folder: Path, rows: str, column: str, row: int, words: str) -> None:
    """Each mistake of a price list is told at its line and column, with what was expected or how to mend it."""
    (folder / "tiers.csv").write_text((rows if rows.startswith(GAPS) else HEADER + rows) + "\n", encoding="utf-8")
    (problem,) = refused(load_catalog, folder)
    assert (problem.column, problem.row) == (column, row)
    assert words in str(problem)
    assert problem.expected or problem.fix


def test_contracts_may_bear_on_the_offers_of_another_catalog(tmp_path: Path) -> None:
    """A planner's own catalog holds the prices agreed for offers of a catalog that it requires."""
    context = (load_catalog(GOOD),)
    (tmp_path / "catalog.toml").write_text('schema = 1\nname = "mine"\nrequires = ["small"]\n', encoding="utf-8")
    (tmp_path / "tiers.csv").write_text(
        HEADER
        + ",ore,,all-units,year,0,,,,,,small:paper\nsupplier,Almonty,,all-units,year,0,,1%,,,,small:paper\n"
        + ",stock,,all-units,year,1 t WO3,,2%,,,,small:paper\n,stock,,all-units,year,0,,,,,,small:paper\n",
        encoding="utf-8",
    )
    assert [s.id for s in load_catalog(tmp_path, context=context).schedules] == ["ore", "stock", "Almonty"]


# ------------------------------------------------------------------------------------------------------------- settlement


@pytest.mark.parametrize(("least", "total", "number"), [(100, 700, 2), (100.001, 1000, 1)])
def test_what_lies_exactly_at_a_threshold_is_in_the_tier_that_begins_there(
    least: float, total: int, number: int
) -> None:
    """100 kg with a tier from 100: the tier's price; from 100.001 kg: not."""
    found = tiered(tier(0, 10), tier(least, 7), wanted=case(CIVIL, **UNSTORED))
    assert (found.cost.total, found.run.discounts[0].tier) == (total, number)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (case(CIVIL), {"cn-metal": 120}),
        (case(demand("metal", "civil", 200)), {"cn-metal": 150, "au-metal": 50}),
        (case(CIVIL, **UNSTORED), {"au-metal": 100}),
    ],
)
def test_what_a_price_list_leaves_out_is_not_bought(wanted: Case, expected: dict[str, float]) -> None:
    """None or 120 kg and more: 20 kg too many are cheaper than another's metal; of 150 kg at most, the rest is another's."""
    found = tiered(tier(0, most=0), tier(120, most=150), kind="incremental", wanted=wanted)
    assert bought(found) == expected
    if "cn-metal" in expected:
        (row,) = found.run.discounts
        assert (row.tier, row.tier_min, row.tier_max, row.next_tier_min) == (2, 120, 150, None)
        assert "Tier from      To  Next from" in text(plan_document(found.run))


def test_a_dearer_tier_is_paid_for_or_kept_out_of() -> None:
    """Everything at 60 from 80 kg on: the plan stays a gram below and buys the rest elsewhere, at 50."""
    dearer = schedule("cn-metal", tier(0, 10), tier(80, 60))
    assert bought(planned(case(CIVIL), metals(dearer))) == {"cn-metal": 79.999, "au-metal": 20.001}
    forced = planned(case(CIVIL), metals(dearer), rule(Pin, offer="cn-metal", exactly=80))
    assert forced.cost.total == 80 * 60 + 20 * 50


def test_tonnes_below_a_dearer_tier_are_not_rounded_into_it() -> None:
    """From 50 t on 10% off and a fee of 100: at 0.01 a kilogram that costs more, and three orders of 49,999.99 kg stay below it."""
    facts = metals(schedule("cn-metal", tier(0), tier(50_000, discount=0.1, lump=100)), cn=400_000)
    given = case(demand("metal", "civil", 20_000, 37_000, 92_999.97, price=0.5), length="quarter")
    found = planned(given, facts.but(offers=(source("CN", 0.01),)))
    assert found.cost.total == Decimal("1499.9997")
    assert [d.tier for d in found.run.discounts] == [1, 1, 1]
    assert list(ordered(found).values()) == [49_999.99] * 3


def test_many_small_pieces_never_round_into_a_dearer_tier() -> None:
    """Thirty uses buy of one order: the sum of what is rounded stays below where the dear tier begins."""
    names = [f"site-{i:02}" for i in range(30)]
    wanted = [demand("metal", "civil", round(1 + i / 7, 4), id=f"d{i:02}", place=names[i]) for i in range(30)]
    facts = metals(*(facility(n, "US", place=n) for n in names), schedule("cn-metal", tier(0, 10), tier(60, 60)))
    (settled,) = planned(case(*wanted, count=1), facts).plan.settlements
    assert settled.tier == 0
    assert Decimal("59.9") < settled.measured < 60


def test_what_is_bought_to_reach_a_tier_is_rounded_up_into_it() -> None:
    """Half off everything from 34 of money on: 2.8333… kg at 12 are ordered as 2.834, not as 2.833 that would miss it."""
    facts = metals(schedule("cn-metal", tier(0), tier(34, discount=0.5), measure="money"))
    found = planned(case(demand("metal", "civil", 2)), facts.but(offers=(source("CN", 12),)))
    assert bought(found) == {"cn-metal": 2.834}
    assert (found.run.discounts[0].measured >= 34, found.plan.largest_miss) == (True, 0)


def test_a_discount_of_a_span_is_settled_in_its_last_period() -> None:
    """Half a year each, 25% interest: list prices when ordered, the year's discount in its second half."""
    given = case(demand("metal", "civil", 50, 50), length="quarter", count=2, discount="0.5625")
    found = tiered(tier(0), tier(100, discount=0.1), per="year", wanted=given)
    later = 1.5625**-0.25
    assert found.run.discounts[0].settled == "2026-Q2"
    assert float(found.cost.price) == pytest.approx(500 + 500 * later)
    assert float(found.cost.discounts) == pytest.approx(-100 * later)
    assert found.cost.nominal == 900


def test_a_supplier_gives_his_discount_over_materials_and_plants() -> None:
    """5% off all that Acme sells, once it comes to 1,500 money; what others sell does not count."""
    sites = (facility("one", "AU", operator="Acme"), facility("two", "JP", operator="Acme"), facility("cn", "CN"))
    sold = (
        source("AU", 10, name="a-metal", plant="one"),
        source("JP", 20, "salt", name="a-salt", plant="two"),
        source("CN", 9.9, name="c-metal"),
    )
    terms = schedule("Acme", tier(0), tier(1500, discount=0.05), of="supplier", measure="money")
    facts = metals(terms).but(facilities=sites, offers=sold)
    given = case(CIVIL, demand("salt", "civil", 30))
    found = planned(given, facts)
    assert bought(found) == {"a-metal": 100, "a-salt": 30}
    assert (found.cost.price, found.cost.discounts) == (1600, -80)
    apart = planned(given, facts.but(schedules=(terms.but(materials=frozenset({"metal"})),)))
    assert bought(apart) == {"c-metal": 100, "a-salt": 30}


RUN = offer("run", "au", "metal", 60, outputs=lines(metal=1, salt=3))
OWN = schedule("cn-metal", tier(0, 10), tier(50, 8))


@pytest.mark.parametrize(
    ("wanted", "facts", "changes", "cost"),
    [
        # 60 kg for defense and 40 for civil use, at two places, reach a tier of 100.
        ((demand("metal", "civil", 40), demand("metal", "defense", 60, place="JP")), metals(schedule("cn-metal", tier(0, 10), tier(100, 7))), (), (1000, -300)),
        # 20 runs give 20 kg of metal and 60 of salt: the tier counts the runs.
        ((demand("metal", "civil", 20), demand("salt", "civil", 60)), metals(schedule("run", tier(0), tier(20, discount=0.5))).but(offers=(RUN,)), (), (1200, -600)),

        # List 10: the offer's own tier takes 3 off, its supplier 10% of 10.
        ((CIVIL,), metals(schedule("cn-metal", tier(0, 7)), schedule("cn", tier(0, discount=0.1), of="supplier")), (), (1000, -400)),
        # Prices of its own list double; a discount follows the list price of itself.
        ((CIVIL,), metals(OWN, schedule("cn", tier(0, discount=0.1), of="supplier")), (Change(price="cn-metal", factor="2"),), (2000, -600)),
    ],
    ids=["places and uses", "runs", "own tiers and the supplier's", "a changed price"],
)  # fmt: skip
def test_what_is_taken_off_list_prices(
    wanted: tuple[DemandSpec, ...], facts: Catalog, changes: tuple[Change, ...], cost: tuple[int, int]
) -> None:
    """What a schedule counts is added up over all that it bears on, and several take off the list price each."""
    found = planned(case(*wanted), facts, changes=changes)
    assert (found.cost.price, found.cost.discounts) == cost


def test_a_plan_that_costs_nothing_is_proved_cheapest() -> None:
    """A bound of a millionth below nothing is no gap, though it is more than any share of nothing."""
    given = case(demand("metal", "civil", 2), **UNSTORED)
    found = tiered(tier(0, 0), tier(3, 0, lump=5), tier(4, 0), kind="incremental", wanted=given)
    assert found.status is PlanStatus.OPTIMAL


def test_dates_of_a_contract_bound_its_orders() -> None:
    """A contract from 2027 on: the first year at list price, and its quantity does not count."""
    given = case(demand("metal", "civil", 100, 100, 60))
    found = tiered(tier(0), tier(150, discount=0.5), per="horizon", start="2027-01-01", wanted=given)
    assert found.cost.discounts == -800
    assert [d.measured for d in found.run.discounts] == [160]


# ------------------------------------------------------------------------------------------------------ chains and bounds


# --------------------------------------------------------------------------------------------------------------- refusals


def refusal(facts: Catalog, *wanted: Any) -> str:
    """What a case is refused for."""
    return "; ".join(map(str, refused(built, case(*(wanted or (CIVIL,))), facts)))


def test_what_is_not_defined_is_refused_with_the_way_out() -> None:
    """An incremental discount off several prices, discounts above the price, and two schedules for one purchase."""
    both = metals(
        source("CN", 3, "salt"), schedule("cn", tier(0), tier(9, discount=0.1), of="facility", kind="incremental")
    )
    wanted = (CIVIL, demand("salt", "civil", 20))
    assert "state thresholds in money, a price for each tier, or the kind `all-units`" in refusal(both, *wanted)
    assert built(case(CIVIL), both).price_spans  # of one price only, it is defined
    priced = schedule("cn", tier(0, 5), tier(9, 4), of="facility", kind="incremental")
    assert built(case(*wanted), both.but(schedules=(priced,))).price_spans
    own = schedule("cn-metal", tier(0, 2))
    assert "FS263" in refusal(metals(own, schedule("cn", tier(0, discount=0.5), of="supplier")))
    assert "FS025" in refusal(metals(own, schedule("cn-metal", tier(0, 3), kind="incremental")))
    assert "no exchange rate from EUR" in refusal(metals(schedule("cn-metal", tier(0, 2), currency="EUR")))


@pytest.mark.parametrize(
    "tiers",
    [
        (), ({"least": 1, "price": 5},), ({"least": 0, "price": 5}, {"least": 0, "price": 4}), ({"least": 0, "price": 5, "discount": 0.1},),
        ({"least": 0, "price": -1},), ({"least": 0, "lump": -1},), ({"least": 0, "discount": 1.5},), ({"least": 0, "most": 5}, {"least": 4}),
        ({"least": 0}, {"least": 4, "most": 3}),
    ],
)  # fmt: skip
def test_a_record_refuses_what_is_no_schedule(tiers: tuple[dict[str, Any], ...]) -> None:
    """Made in memory, a schedule is held to the same as one that is read."""
    words = r"FS034|FS027|FS021|zero or more|a share from"
    with pytest.raises(ValueError, match=words):
        schedule("cn-metal", *(tier(**one) for one in tiers))


@pytest.mark.parametrize(
    ("price", "evidence", "total", "words"),
    [
        (5, "tiny:r", 1000, "doesn't count, so list prices apply"),
        (5, GUESS, 500, "price schedule of offer cn-metal (all-units, per period) is assumed"),
        (15, "tiny:r", 1500, ""),
    ],
)
def test_a_discount_that_is_not_well_founded_does_not_count_and_is_said(
    price: int, evidence: str, total: int, words: str
) -> None:
    """What is only recalled takes nothing off; what is assumed counts; a dearer tier counts on any evidence. Each is said."""
    recalled = Source(id="tiny:r", reference="heard somewhere", confidence=Confidence.RECALLED)
    facts = metals(schedule("cn-metal", tier(0, price), source=evidence))
    found = planned(case(CIVIL), facts.but(sources=(*facts.sources, recalled)))
    assert found.cost.total == total
    assert words in told(found, "cn-metal")


# ------------------------------------------------------------------------------------------- budgets, changes, facts, proof


def test_a_budget_counts_what_is_taken_off_and_what_is_due_at_once() -> None:
    """750 of money: 100 kg at 7 and a lump of 50, no more; with list prices alone only 75 kg would be available."""
    facts = metals(schedule("cn-metal", tier(0), tier(60, 7, lump=50)))
    tight, less = (planned(case(CIVIL), facts, rule(Budget, amount=amount)) for amount in (750, 400))
    assert (bought(tight), tight.run.limits[0].value) == ({"cn-metal": 100}, 750)
    assert short(less) == {"metal-civil": 50 + 10}  # 40 kg at 10 are more than the (400 - 50) / 7 kg that reach no tier
    both = metals(source("CN", 3, "salt"), schedule("cn", tier(0), tier(60, discount=0.5), of="facility"))
    part = planned(case(CIVIL, demand("salt", "civil", 1)), both, rule(Budget, amount=600, materials=["metal"]))
    assert float(part.run.limits[0].value) <= 600  # a discount for metal and salt together is no money of metal alone
    assert bought(part)["cn-metal"] == 60


def test_a_question_after_the_plan_sees_what_a_suppliers_discount_joins() -> None:
    """Salt becomes dear and is bought elsewhere: 20 kg of metal more keep the discount that both had together."""
    terms = schedule("cn", tier(0), tier(120, discount=0.5), of="supplier")
    facts = metals(source("CN", 60, "salt"), source("AU", 70, "salt"), terms)
    given, change = case(CIVIL, demand("salt", "civil", 20)), Change(price="cn-salt", factor="100")
    answer = planned(given, facts).session.what_if(change)
    fresh = planned(given, facts, changes=[change])
    assert answer.cost.objective == fresh.cost.objective == 120 * 5 + 20 * 70
    assert answer.rise.discounts == 1100 - 600


def test_a_run_is_checked_again_from_its_facts_alone() -> None:
    """The facts hold the schedules; without one, the plan no longer costs what it says."""
    money = {"of": "supplier", "measure": "money", "materials": frozenset({"metal"})}
    terms = (
        OWN.but(per="year"),
        schedule("idle", tier(0, discount=0.9), of="supplier"),
        schedule("cn", tier(0), tier(900, discount=0.1), **money),
    )
    found = planned(case(CIVIL), metals(facility("idle", "AU"), *terms))
    kept = found.facts()
    assert [s["id"] for s in kept["catalogs"][0]["schedules"]] == ["cn-metal", "idle", "cn"]
    verified, findings, unchecked = reverify(kept, Registry.of())
    assert not [*findings, *unchecked]
    assert verified.cost == found.cost
    kept["catalogs"][0]["schedules"].pop()
    again, findings, _ = reverify(kept, Registry.of())
    assert again is None
    assert any(f.code == "FS634" for f in findings)


def one_less(found: Recommendation, cost: int) -> tuple[Any, list[str]]:
    """What is found of the plan with 99 kg and a shortage of 1 kg, at 1,000, instead of 100 kg."""
    plan = found.plan.plan
    ninety_nine = {name: (getattr(plan, name)[0].but(quantity=Decimal(99)),) for name in ("purchases", "deliveries")}
    missing = {"shorts": (Short(demand="metal-civil", period=0, quantity=Decimal(1)),)}
    told = {**plan.model_dump(), **ninety_nine, **missing, "objective": plan.objective + cost}
    verified, findings = examine(found.plan.problem, type(plan).model_validate(told))
    return verified, [str(f) for f in findings]


def test_a_plan_that_claims_a_tier_it_does_not_reach_is_a_finding() -> None:
    """99 kg and a shortage of 1 kg instead of 100 kg: the bill is another."""
    verified, findings = one_less(tiered(tier(0, 10), tier(100, 5)), 1000 - 5)
    assert verified is None
    assert any(words.startswith("FS634 the plan's objective") for words in findings)


@pytest.mark.parametrize(("measure", "unit"), [("quantity", 1), ("money", 10)])
def test_a_plan_that_buys_what_a_price_list_leaves_out_is_a_finding(measure: str, unit: int) -> None:
    """99 kg and a shortage of 1 kg where nothing between 60 kg and 100 kg may be bought, or between 600 and 1,000 of money."""
    verified, findings = one_less(tiered(tier(0, most=60 * unit), tier(100 * unit), measure=measure), 1000 - 10)
    assert verified is None
    assert any(words.startswith("FS633") for words in findings), findings


@pytest.mark.parametrize("need", [10, 45, 70, 100])
def test_the_relaxation_of_falling_prices_is_their_convex_envelope(need: int) -> None:
    """Without integer variables the cost of `need` kg is the chord below the cost of 0 to 100 kg, which falls below no chord."""
    facts = metals(schedule("cn-metal", tier(0, 10), tier(30, 8), tier(70, 4), kind="incremental"), cn=100)
    given = case(demand("metal", "civil", need, price=10**6), demand("metal", "defense", 100 - need, price=0))
    linear = compile_program(built(given, facts.but(offers=facts.offers[:1]))).linear
    rows = LinearConstraint(csr_matrix(linear.matrix), linear.row_lower, linear.row_upper)
    result = milp(linear.cost, constraints=rows, bounds=Bounds(linear.lower, linear.upper))
    assert result.fun == pytest.approx((30 * 10 + 40 * 8 + 30 * 4) * need / 100)
    assert np.flatnonzero(linear.integer).size


def test_a_plan_with_schedules_is_proved_and_stands_in_the_report() -> None:
    """The settlement is in the run's tables."""
    found = tiered(tier(0), tier(50, discount=0.2), per="year", wanted=case(demand("metal", "civil", 60, 60)))
    assert found.status is PlanStatus.OPTIMAL
    assert ordered(found) == {("cn-metal", "2026"): 60, ("cn-metal", "2027"): 60}
    said = text(plan_document(found.run))
    assert "Price schedules" in said
    assert "discounts and lump sums of price schedules" in said
    frame = found.to_frame("discounts")
    assert (list(frame["span"]), list(frame["discount"])) == (["2026", "2027"], [120, 120])
