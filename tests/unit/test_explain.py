"""Why a plan is as it is: causes of every shortage, exposure to unknown law, and what is kept out by which clause."""

from __future__ import annotations

import json
from calendar import monthrange
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from friendshore.document.markdown import markdown
from friendshore.domain.change import Change
from friendshore.domain.facts import CapacityStep, Status
from friendshore.domain.plan import Stock
from friendshore.explain import counted_shorts, exclusions, shortage_causes
from friendshore.plugins import Registry
from friendshore.questions.alternatives.find_alternatives import alternatives
from friendshore.recommend import Recommendation, reverify
from friendshore.recommend.describe import RunContext, run_of
from friendshore.recommend.recheck import recheck
from friendshore.report import page_document, plan_document
from friendshore.report.caveats import exposures
from friendshore.report.headline import headline_of
from friendshore.rules.base import Rule
from friendshore.rules.kinds import Exclude, ExportControl, Tariff
from friendshore.rules.kinds.limits import Budget, MaxShare, Pin
from friendshore.verify import examine

from ..building import (
    METAL,
    SOURCE,
    ban,
    bought,
    built,
    case,
    catalog,
    chain,
    demand,
    facility,
    maker,
    metals,
    offer,
    opened,
    planned,
    rule,
    short,
    source,
    stock,
    store,
    text,
    unstored,
    unwrapped,
)

WANTED = demand("metal", "defense", 10, 10)
CN_ONLY = catalog(source("CN", 10))
THIRTY = catalog(facility("cn", "CN", 30), source("CN", 10))


def causes(found: Recommendation, period: str, demand: str = "metal-defense") -> list[list[tuple[str, list[str]]]]:
    """Return kind and names of every restriction of every cause in a period."""
    (entry,) = [short for short in found.run.shortages if (short.demand, short.period) == (demand, period)]
    return [[(each.kind, each.names) for each in cause.restrictions] for cause in entry.causes]


def served(found: Recommendation) -> dict[tuple[str, ...], float]:
    """Return the kilograms that would be served without each cause, by the kinds of its restrictions, over all shortages."""
    total: dict[tuple[str, ...], float] = {}
    for entry in found.run.shortages:
        for cause in entry.causes:
            kinds = tuple(each.kind for each in cause.restrictions)
            total[kinds] = total.get(kinds, 0.0) + float(cause.served_kg or 0)
    return total


def without(found: Recommendation, *changes: Change) -> float:
    """Return the kilograms short in the same case after some changes, planned again."""
    return sum(float(short.quantity) for part in found.session.what_if(*changes).after for short in part.plan.shorts)


def test_law_that_keeps_the_supply_out_is_named_with_the_offer() -> None:
    """Chinese metal alone, and a ban from 2027."""
    found = planned(case(WANTED), CN_ONLY, ban("melted"))
    assert causes(found, "2027") == [[("law", ["ban"])]]
    assert found.run.shortages[0].causes[0].restrictions[0].offers == ["cn-metal"]
    assert served(found) == {("law",): 10}
    told = "metal for defense, 2027: prohibited by ban (cn-metal) (without it 10 kg would be served)"
    assert told in unwrapped(plan_document(found.run))
    assert "prohibited by ban (cn-metal)" in markdown(page_document(found.run))


def test_shortages_that_rounding_gathers_have_an_undetermined_cause() -> None:
    """Two grams less than wanted can be made each month, which is within rounding. All 24 in one month are more than rounding explains."""
    wanted = [round(100 * monthrange(2026, month)[1] + 0.002, 3) for month in range(1, 13)]
    given = case(demand("metal", "civil", *wanted), length="month", stores=(store("metal", 0),))
    session = planned(given, catalog(facility("jp", "JP", 36_500), source("JP", 10))).session
    plan = session.verified.plan
    assert [short.quantity for short in plan.shorts] == [Decimal("0.002")] * 12
    assert {cause.kinds for (cause,) in shortage_causes(session).values()} == {"rounding"}

    first, *later = plan.deliveries
    gathered = plan.but(
        deliveries=(
            first.but(quantity=first.quantity - Decimal("0.022")),
            *(each.but(quantity=each.quantity + Decimal("0.002")) for each in later),
        ),
        stocks=tuple(
            Stock(
                material="metal",
                place=plan.purchases[0].place,
                compliance_class=first.compliance_class,
                period=period,
                quantity=(11 - period) * Decimal("0.002"),
            )
            for period in range(11)
        ),
        shorts=(plan.shorts[0].but(quantity=Decimal("0.024")),),
    )
    verified, problems = examine(session.problem, gathered)
    assert verified is not None, problems
    assert [cause.kinds for (cause,) in shortage_causes(replace(session, verified=verified)).values()] == [
        "undetermined"
    ]


STARTS_IN_2027 = CapacityStep(start=date(2027, 1, 1), per_year=Decimal(30), status=Status.OPERATING, source=SOURCE)
UNPROVEN = offer("au-metal", "au", "metal", 5, chain("AU/CN?", *METAL))
LICENSE = rule(ExportControl, id="control", exporters=["CN"], effect="license")
PURSE = rule(Budget, id="purse", amount=250, per="year")
HALF = rule(MaxShare, id="half", by="country", share="50%", per="year")
TWO_OF_JP = catalog(facility("jp", "JP", 2), source("AU", 50), source("JP", 80))


@pytest.mark.parametrize(
    ("facts", "rules", "expected"),
    [
        pytest.param(catalog(source("AU", 50, lead_time=6)), [], [("lead time", ["au-metal"], "2027")], id="lead time"),
        pytest.param(catalog(source("AU", 50, start=date(2027, 1, 1))), [], [("date", ["au-metal"], "2027")], id="date"),
        pytest.param(catalog(facility("au", "AU", capacity=(STARTS_IN_2027,)), source("AU", 50)), [], [("date", ["au-metal"], "2027")], id="first day"),
        pytest.param(catalog(facility("au", "AU", 4), source("AU", 50)), [], [("capacity", ["au-metal"], "")], id="capacity"),
        pytest.param(catalog(facility("au", "AU", capacity=()), source("AU", 50)), [], [("no offer", ["au-metal"], "")], id="lead"),
        pytest.param(catalog(source("AU", 50, "oxide")), [], [("no offer", [], "")], id="nobody"),
        pytest.param(catalog(maker("JP", 20)), [], [("inputs", ["oxide"], "")], id="inputs that nobody offers"),
        pytest.param(CN_ONLY, [LICENSE], [("law", ["control"], "")], id="license"),
        pytest.param(catalog(source("CN", 3, "oxide"), maker("JP", 20)), [ban("mined", start=None)], [("law", ["ban"], "")], id="law upstream"),
        pytest.param(catalog(UNPROVEN), [ban("melted", start=None)], [("proof", ["au-metal"], "")], id="unproven"),
        pytest.param(catalog(source("AU", 50)), [PURSE], [("limit", ["purse"], "")], id="budget"),
        pytest.param(TWO_OF_JP, [HALF], [("limit", ["half"], ""), ("capacity", ["jp-metal"], "")], id="either would do"),
    ],
)  # fmt: skip
def test_each_cause_is_named(facts: Any, rules: list[Any], expected: list[tuple[str, list[str], str]]) -> None:
    """In the first year, with the period in which it could be otherwise: half from one country, and 2 kg a year of Japan, are two causes."""
    found = planned(case(WANTED), facts, *rules)
    (entry,) = [short for short in found.run.shortages if short.period == "2026"]
    assert [(each.kind, each.names, each.first) for cause in entry.causes for each in cause.restrictions] == expected
    assert all(len(cause.restrictions) == 1 for cause in entry.causes)
    if facts is TWO_OF_JP:
        assert without(found, Change(disable="half")) == 0


def test_a_shortage_price_below_the_cost_is_a_cause_with_the_marginal_cost() -> None:
    """Metal costs 50 a kilogram and 3 of freight; going without costs 40."""
    found = planned(case(demand("metal", "defense", 10, price=40), assume={"freight": 3}), catalog(source("AU", 50)))
    (price,) = found.run.shortages[0].causes[0].restrictions
    assert [price.kind, float(price.marginal_cost), price.shortage_price] == ["price", pytest.approx(53), 40]
    assert "costs USD 53/kg, more than its shortage price of 40" in unwrapped(plan_document(found.run).on_screen())
    assert without(found, Change(demand="metal-defense", shortage_price=Decimal(54))) == 0


def test_a_minimum_order_is_a_cause() -> None:
    """900 kg at 50 cost more than going without 20; so does the price of the shortage, since at 2,250 a kilogram the order would pay."""
    found = planned(case(WANTED), catalog(source("AU", 50, min_order=900)))
    assert causes(found, "2026") == [[("terms", ["au-metal"])], [("price", [])]]
    assert found.run.shortages[0].causes[1].restrictions[0].marginal_cost == 2250
    assert without(found, Change(lift="minimum-load")) == 0
    assert without(found, Change(demand="metal-defense", shortage_price=Decimal(2251))) == 0


def test_demands_that_compete_have_the_cause_of_their_joint_shortage_and_share_a_line() -> None:
    """What is in stock serves a part of both at once; the rest of both comes too late. It was the shortage price that was blamed for one of them."""
    wanted = [demand("metal", "defense", 19, 19, id=name, price=1500) for name in ("gmlrs", "pac3")]
    given = case(*wanted, stocks=(stock("metal", 2, chain("AU", *METAL)),))
    found = planned(given, catalog(source("AU", 50, lead_time=12)))
    assert [causes(found, "2026", one.id) for one in wanted] == [[[("lead time", ["au-metal"])]]] * 2
    assert served(found) == {("lead time",): 36}
    assert without(found, Change(lift="lead-time")) == 0
    lines = text(plan_document(found.run).on_screen()).splitlines()
    (line,) = [line for line in lines if "lead time" in line and not line.startswith("Settled by")]
    assert line.split()[:4] == ["metal", "defense", "36", "kg"]


def test_a_budget_is_named_with_the_kilograms_that_it_keeps_out() -> None:
    """250 a year buy 5 of 10 kg; in the first year, whose money is left over, it is lead time that keeps them out."""
    given = case(demand("metal", "defense", 10, 10, 10), discount=0.1)
    found = planned(given, catalog(source("AU", 50, lead_time=12)), PURSE)
    assert causes(found, "2026") == [[("lead time", ["au-metal"])]]
    assert causes(found, "2027") == [[("limit", ["purse"])]]
    assert served(found) == {("limit",): 10, ("lead time",): 5}
    assert without(found, Change(disable="purse")) == 10
    assert without(found, Change(lift="lead-time")) == 15


def test_two_laws_that_keep_out_the_same_offer_are_one_cause() -> None:
    """Neither is a cause by itself."""
    found = planned(case(WANTED), CN_ONLY, ban("melted", start=None), ban("mined", id="other", start=None))
    assert causes(found, "2026") == [[("law", ["ban"]), ("law", ["other"])]]
    assert [without(found, Change(disable=name)) for name in ("ban", "other")] == [20, 20]
    assert without(found, Change(disable="ban"), Change(disable="other")) == 0


def test_stock_that_more_urgent_demand_takes_is_a_cause_if_nobody_offers_more() -> None:
    """5 kg in stock; defense comes first."""
    held = stock("metal", 5, chain("AU", *METAL))
    given = case(demand("metal", "defense", 5, price=9000), demand("metal", "civil", 5), stocks=(held,))
    found = planned(given, catalog(source("AU", 50, "oxide")))
    assert causes(found, "2026", "metal-civil") == [[("competition", ["metal-defense"])]]


def test_a_search_that_the_time_limit_ends_says_so() -> None:
    """It never guesses."""
    found = planned(case(WANTED), metals(), time_limit=0)
    assert [causes(found, period) for period in ("2026", "2027")] == [[[("undetermined", [])]]] * 2


def test_a_cause_that_names_what_is_not_in_the_facts_is_found() -> None:
    """Causes take solves to find, and are taken from a run as far as its facts bear them out."""
    found = planned(case(WANTED), metals(cn=3, au=3, jp=1), ban("melted"))
    first, *others = found.run.shortages
    cause = first.causes[0]
    nobody = cause.but(restrictions=[cause.restrictions[0].but(names=["nobody"])])
    for forged in (nobody, cause.but(served_kg=first.quantity_kg + 1)):
        changed = found.run.but(shortages=[first.but(causes=[forged]), *others])
        assert recheck(found.facts(), changed, Registry.of()).run.shortages[0].causes == []
    assert recheck(found.facts(), found.run, Registry.of()).run.shortages == found.run.shortages
    assert reverify(found.facts(), Registry.of())[1] == []


RANKED = case(demand("metal", "defense", 10, price=5), objectives=[{"minimize": "concentration"}, {"minimize": "cost"}])
UNHELD = case(demand("metal", "defense", 10), stores=[store("metal", 1, limit=0)])
CONFLICT = (rule(Pin, offer="au-metal", at_least=30), rule(Budget, amount=1))


@pytest.mark.parametrize(("kind", "given", "rules"), [("rank", RANKED, ()), ("conflict", UNHELD, CONFLICT)])
def test_a_cause_that_names_a_rank_or_rules_in_conflict_is_taken_from_a_run(kind: str, given: Any, rules: Any) -> None:
    """Objectives and stores are in the facts, though neither is an offer, a material, or a rule."""
    found = planned(given, metals(), *rules)
    causes = [cause for entry in found.run.shortages for cause in entry.causes]
    assert kind in {each.kind for cause in causes for each in cause.restrictions}
    assert recheck(found.facts(), found.run, Registry.of()).run.shortages == found.run.shortages


@pytest.fixture(scope="module")
def late() -> Recommendation:
    """Return a plan with nothing in 2026, since Australian metal takes half a year."""
    salts = rule(MaxShare, id="salts", share="50%", materials=["salt"])
    facts = catalog(source("AU", 50, lead_time=6), source("JP", 5, "salt", lead_time=6))
    idle = ban("melted", start=None, id="idle", countries="RU")
    return planned(case(WANTED, demand("salt", "civil", 1, 1)), facts, idle, salts)


@pytest.mark.parametrize(
    "forgery",
    [
        {"kind": "law", "names": ["idle"], "first": ""}, {"kind": "limit", "names": ["idle"], "first": ""},
        {"kind": "limit", "names": ["salts"], "first": ""}, {"kind": "proof", "names": ["au-metal"], "first": ""},
        {"kind": "date"}, {"kind": "storage", "names": [], "first": ""},
        {"kind": "inputs", "names": ["salt"], "first": ""},
        {"kind": "competition", "names": ["metal-defense"], "first": ""},
        {"kind": "competition", "names": ["au-metal"], "first": ""}, {"kind": "rounding", "names": [], "first": ""},
        {"kind": "conflict", "names": ["idle"], "first": ""}, {"kind": "rank", "names": ["cost"], "first": ""},
        {"kind": "price", "names": [], "first": "", "currency": "USD", "shortage_price": Decimal(1)}, {"first": "2026"},
        {"offers": ["jp-salt"]}, {"names": ["jp-salt"]}, {},
    ],
    ids=str,
)  # fmt: skip
def test_a_forged_cause_that_names_real_things_is_not_taken_from_a_run(
    late: Recommendation, forgery: dict[str, Any]
) -> None:
    """Each forgery names what is in the facts, and they contradict it. Without one, the cause is taken."""
    (first,) = [row for row in late.run.shortages if (row.demand, row.period) == ("metal-defense", "2026")]
    (cause,) = first.causes
    assert [each.kind for each in cause.restrictions] == ["lead time"]
    rows = [
        row.but(causes=[cause.but(restrictions=[cause.restrictions[0].but(**forgery)])]) if row == first else row
        for row in late.run.shortages
    ]
    again = recheck(late.facts(), late.run.but(shortages=rows), Registry.of()).run
    (row,) = [row for row in again.shortages if (row.demand, row.period) == ("metal-defense", "2026")]
    assert row.causes == ([] if forgery else [cause])


TWO_USES = case(demand("metal", "civil", 30, price=20), demand("metal", "defense", 30, price=90))
METAL_AND_SALT = case(demand("metal", "civil", 10), demand("salt", "civil", 10, price=2))


@pytest.mark.parametrize(
    ("given", "facts", "rules", "expected"),
    [
        # Japan at 80 could deliver; a shortage costs 60.
        (case(demand("metal", "civil", 100, price=60)), metals(cn=20, au=20), [], {"metal-civil": "capacity; price"}),
        # 30 kg for two demands: the cheaper one is short for the capacity, though it could be met at the cost of the other.
        (TWO_USES, catalog(facility("cn", "CN", 30), source("CN", 10)), [], {"metal-civil": "capacity"}),
        # A pin of more than there is; salt, beside it, is short for its own reason.
        (METAL_AND_SALT, metals(source("AU", 3, "salt"), cn=20), [rule(Pin, offer="cn-metal", at_least=50)], {"metal-civil": "conflict", "salt-civil": "price"}),
    ],
    ids=["cheaper than supply", "taken from another demand", "conflict"],
)  # fmt: skip
def test_the_reasons_of_each_shortage(given: Any, facts: Any, rules: list[Rule], expected: dict[str, str]) -> None:
    """The kinds of the causes by demand."""
    found = shortage_causes(opened(given, facts, *rules))
    assert {name: "; ".join(cause.kinds for cause in causes) for (name, _), causes in found.items()} == expected


def unknown(**more: Any) -> Rule:
    """A ban of which nobody knows whether it holds."""
    return ban("mined", id="maybe", phases=[{"status": "unknown", **more}])


def test_exposed_states_kilograms_and_cost_of_what_unknown_law_would_forbid() -> None:
    """47 kg are Chinese, with price, duty and freight: one compliance class, so that any of it may end in defense."""
    given = case(demand("metal", "defense", 100), demand("metal", "civil", 7), assume={"freight": 3})
    duty = rule(Tariff, rate="0.25", origins=["CN"])
    found = planned(given, metals(), unknown(), duty, rule(Pin, offer="au-metal", exactly=60))
    assert bought(found)["cn-metal"] == 47
    (row,) = found.run.exposed
    assert (row.rule, row.offers, row.first) == ("maybe", ["cn-metal"], "2026")
    assert (row.materials, float(row.cost)) == ({"metal": 47}, 47 * (10 + 2.5 + 3))


OXIDE_UNDER_A_MELTER = catalog(maker("JP", 5), source("CN", 10, "oxide"))
CHINESE_STOCK = stock("metal", 10, chain("CN", *METAL))
UNKNOWN_CONTROL = {"exporters": ["CN"], "effect": "prohibit", "phases": [{"from": "2027-01-01", "status": "unknown"}]}
UNKNOWN_LICENSE = {"exporters": ["CN"], "effect": "license", "phases": [{"status": "unknown"}]}


@pytest.mark.parametrize(
    ("given", "facts", "law", "expected"),
    [
        pytest.param(case(demand("metal", "defense", 10)), metals(), unknown(until="2025-12-31"), [], id="over before the delivery"),
        pytest.param(unstored(10, 10), metals(), rule(ExportControl, **UNKNOWN_CONTROL), [({"metal": 10}, 100, "2027", ["cn-metal"])], id="from a day on"),
        pytest.param(case(demand("metal", "defense", 10)), OXIDE_UNDER_A_MELTER, unknown(), [({"oxide": 20}, 200, "2026", ["cn-oxide"])], id="up the chain"),
        pytest.param(case(demand("metal", "defense", 10), stocks=(CHINESE_STOCK,)), metals(), unknown(), [({"metal": 10}, 0, "2026", ["stock-metal-US"])], id="stock"),
        pytest.param(case(demand("metal", "civil", 10)), metals(), rule(ExportControl, **UNKNOWN_LICENSE), [({"metal": 10}, 100, "2026", ["cn-metal"])], id="no license"),
        pytest.param(case(demand("metal", "civil", 10), licenses=[{"rule": "export-control"}]), metals(), rule(ExportControl, **UNKNOWN_LICENSE), [], id="a license of the case"),
    ],
)  # fmt: skip
def test_exposed_follows_dates_chain_stock_and_licenses(given: Any, facts: Any, law: Rule, expected: list[Any]) -> None:
    """Materials, cost, first period and offers. What law of unknown status would leave alone is not exposed, nor with `strict` what it forbids."""
    rows = planned(given, facts, law).run.exposed
    assert [(row.materials, float(row.cost), row.first, row.offers) for row in rows] == expected
    assert planned(given, facts, law, strict=True).run.exposed == []


def test_exposed_says_on_which_days_nobody_knows_whether_the_rule_holds() -> None:
    """Each stretch of the plan's time with what the rule notes of it; what was over before, or is known, is left out."""
    phases = [
        {"until": "2025-12-31", "status": "unknown", "note": "over"},
        {"from": "2026-01-01", "until": "2026-06-30", "status": "suspended"},
        {"from": "2026-07-01", "until": "2026-09-30", "status": "unknown", "note": "Said to be extended."},
        {"from": "2026-10-01", "status": "unknown", "note": "Resumes unless extended."},
    ]
    found = planned(case(demand("metal", "defense", 100)), metals(), ban("mined", id="maybe", phases=phases))
    assert [(str(d.start), str(d.end), d.note) for d in found.run.exposed[0].unknown] == [
        ("2026-07-01", "2026-09-30", "Said to be extended."),
        ("2026-10-01", "None", "Resumes unless extended."),
    ]
    caveat = next(exposures(found.run))
    assert "unknown from 2026-07-01 to 2026-09-30: Said to be extended; from 2026-10-01 on" in caveat.text
    assert caveat.code == "FS835"
    assert caveat.with_code in markdown(page_document(found.run))
    assert json.loads(found.run.model_dump_json())["exposed"][0]["unknown"][1]["start"] == "2026-10-01"


def test_what_is_kept_out_names_rule_stage_country_and_clause() -> None:
    """Chinese metal for defense: by the ban, at mining, in China, under its clause; civil use is not kept from it."""
    given = case(demand("metal", "defense", 10), demand("metal", "civil", 10))
    (b,) = planned(given, metals(), ban("mined", start=None)).run.blocked
    assert (b.offer, b.end_use, b.rule, b.stage) == ("cn-metal", "defense", "ban", "mined")
    assert (b.countries, b.clause) == (["CN"], "ban (a)")
    assert "mined in CN" in b.reason


def test_what_one_rule_forbids_is_not_told_as_unproven_by_another() -> None:
    """No proof would let it pass."""
    vague = source("CN", 10, chain=(*chain("CN", "mined"), *chain("AU/CN", "refined", "melted")))
    mined, refined = ban("mined", start=None), ban("refined", id="other", start=None)
    for laws, expected in (((mined, refined), ("ban", False)), ((refined,), ("other", True))):
        found = exclusions(built(case(demand("metal", "defense", 10)), catalog(vague, source("AU", 50)), *laws))
        assert [(k.verdict.rule, k.unproven) for k in found] == [expected]


@pytest.mark.parametrize(
    "phase", [{"status": "pending"}, {"status": "unknown"}, {"status": "suspended"}, {"from": "2027-01-01"}], ids=str
)
def test_law_that_does_not_apply_keeps_nothing_out(phase: dict[str, str]) -> None:
    """Nor does law whose time is yet to come."""
    assert exclusions(built(case(demand("metal", "defense", 10)), metals(), ban("mined", phases=[phase]))) == []


def test_exclusions_and_controls_stand_among_what_is_kept_out() -> None:
    """A planner's own exclusion with its reason; a control for want of a license as unproven, until it is granted."""
    rules = rule(Exclude, countries=["JP"]), rule(ExportControl, exporters=["CN"], effect="license")
    bare = planned(case(demand("metal", "civil", 10)), metals(), *rules)
    assert [(b.offer, b.countries) for b in bare.run.blocked] == [("jp-metal", ["JP"])]
    assert [u.offer for u in bare.run.unproven] == ["cn-metal"]
    granted = planned(case(demand("metal", "civil", 10), assume={"license": {"civil": "granted"}}), metals(), *rules)
    assert granted.run.unproven == []
    assert bought(granted) == {"cn-metal": 10}


def test_what_is_short_is_told_by_period_with_its_cause() -> None:
    """30 a year for 50 and 20, nothing held: 20 are short in 2026, and from 2027 on it is met."""
    found = planned(unstored(50, 20), THIRTY)
    assert [(s.period, float(s.quantity_kg), float(s.wanted_kg)) for s in found.run.shortages] == [("2026", 20, 50)]
    assert [cause.kinds for cause in found.run.shortages[0].causes] == ["capacity"]
    assert found.run.demands[0].first_met == "2027"
    assert short(found) == {"metal-civil": 20}
    assert {m: dict(u) for m, u in found.run.shortage_kg.items()} == {"metal": {"civil": 20}}


@pytest.mark.parametrize(
    ("kilograms", "counts"), [("0.4", False), ("0.999", False), ("1", True), ("20", True), ("50", True)]
)
def test_a_shortage_below_the_resolution_counts_as_met(kilograms: str, counts: bool) -> None:
    """In the demand, in the totals, and in the table of shortages; what is delivered stays exact."""
    verified = opened(unstored(50, 20, resolution=1), THIRTY).verified
    (short_,) = verified.plan.shorts
    some = replace(verified, plan=verified.plan.but(shorts=(short_.but(quantity=Decimal(kilograms)),)))
    run = run_of(some, RunContext(None, (), (), False, {}, (), {}, 1, (), {}, (), (), {}, {}))
    (wanted,) = run.demands
    assert bool(run.shortages) is bool(run.shortage_kg) is bool(wanted.short_kg) is counts
    assert wanted.delivered_kg == 70 - Decimal(kilograms)
    assert counts or wanted.first_met == "2026"
    assert (headline_of(run).needs_unmet == 0) is not counts


def test_a_demand_of_less_than_the_resolution_is_not_met_by_nothing() -> None:
    """All that is wanted in a period is short, however little it is."""
    verified = opened(unstored(50, resolution=1), THIRTY).verified
    coarse = replace(verified.problem, case=verified.problem.case.but(resolution=Decimal(1000)))
    (short_,) = verified.plan.shorts
    assert counted_shorts(replace(verified, problem=coarse)) == ()
    alone = verified.plan.but(shorts=(short_.but(quantity=Decimal(50)),))
    assert counted_shorts(replace(verified, problem=coarse, plan=alone)) == alone.shorts


def quarters(*end_uses: str, **more: Any) -> Any:
    """10 kg of metal in each of three quarters."""
    return case(
        *(demand("metal", use, 10, 10, 10) for use in end_uses), start=date(2027, 1, 1), length="quarter", **more
    )


FAR_MAKER = catalog(source("AU", 1, "oxide", lead_time=3), maker("JP", 1, needs=1, lead_time=3))


def test_a_lead_time_of_a_maker_counts_its_inputs() -> None:
    """Metal is ordered in the first quarter at the earliest in which the oxide is there, and is three more months under way: the third one."""
    found = planned(quarters("defense"), FAR_MAKER)
    assert [short.period for short in found.run.shortages] == ["2027-Q1", "2027-Q2"]
    (cause,) = [cause for short in found.run.shortages for cause in short.causes if short.period == "2027-Q2"]
    told = [(each.kind, each.names, each.first) for each in cause.restrictions]
    assert told == [("lead time", ["jp-melt", "au-oxide"], "2027-Q3")]
    assert [one.first_delivery for one in alternatives(found.session, ["metal"]).offers] == ["2027-Q3"]
    assert recheck(found.facts(), found.run, Registry.of()).findings == ()
    # With oxide for a quarter in stock, the first metal can arrive after the maker's own lead time.
    held = stock("oxide", 10, chain("AU", "mined", "refined"), place="JP")
    session = opened(quarters("defense", stocks=(held,)), FAR_MAKER)
    assert [one.first_delivery for one in alternatives(session, ["metal"]).offers] == ["2027-Q2"]


def test_the_period_of_a_lead_time_is_that_of_lawful_goods() -> None:
    """Chinese metal is there in the second quarter, and barred from defense: what defense may have comes from Australia, in the third one."""
    facts = catalog(source("CN", 10, lead_time=3), source("AU", 11, lead_time=6))
    found = planned(quarters("defense", "civil"), facts, ban("mined", start=None))
    causes = [
        (short.demand, each) for short in found.run.shortages for one in short.causes for each in one.restrictions
    ]
    first = {(name, each.first) for name, each in causes if each.kind == "lead time"}
    assert first == {("metal-defense", "2027-Q3"), ("metal-civil", "2027-Q2")}
    assert recheck(found.facts(), found.run, Registry.of()).findings == ()
