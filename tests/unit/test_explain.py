"""Why a plan is as it is: causes of every shortage, exposure to unknown law, and what is kept out by which clause."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from friendshore.document.markdown import markdown
from friendshore.domain.change import Change
from friendshore.domain.facts import CapacityStep, Status
from friendshore.domain.unmet import RunSupplyCause
from friendshore.explain import counted_shorts, exposed, kept_out, shortage_causes
from friendshore.plugins import Registry
from friendshore.questions.alternatives.search import alternatives
from friendshore.recommend import Recommendation, reverify
from friendshore.recommend.describe import RunContext, run_of
from friendshore.recommend.recheck import recheck
from friendshore.report import page_document, plan_document, screen_document
from friendshore.report.plan import exposed_lines, met
from friendshore.rules.base import Rule
from friendshore.rules.kinds.exclude import Exclude
from friendshore.rules.kinds.export_control import ExportControl
from friendshore.rules.kinds.limits import Budget, MaxShare, Pin
from friendshore.rules.kinds.tariff import Tariff

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
    unwrapped,
)

# --------------------------------------------------------------------------------------------------- causes of shortages


WANTED = demand("metal", "defense", 10, 10)
CN_ONLY = catalog(source("CN", 10))


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
    return sum(float(short.quantity) for part in found.session.after(*changes).after for short in part.plan.shorts)


def test_law_that_keeps_the_supply_out_is_named_with_the_offer() -> None:
    """Chinese metal alone, and a ban from 2027."""
    found = planned(case(WANTED), CN_ONLY, ban("melted"))
    assert causes(found, "2027") == [[("law", ["ban"])]]
    assert found.run.shortages[0].causes[0].restrictions[0].offers == ["cn-metal"]
    assert served(found) == {("law",): 10}
    shown = unwrapped(plan_document(found.run))
    assert "metal for defense, 2027: law: ban (cn-metal) (without it 10 kg would be served)" in shown
    assert "law: ban (cn-metal)" in markdown(page_document(found.run))


@pytest.mark.parametrize(
    ("facts", "rules", "expected"),
    [
        pytest.param(catalog(source("AU", 50, lead_time=6)), [], ("lead time", ["au-metal"]), id="lead time"),
        pytest.param(catalog(source("AU", 50, start=date(2027, 1, 1))), [], ("date", ["au-metal"]), id="date"),
        pytest.param(catalog(facility("au", "AU", 4), source("AU", 50)), [], ("capacity", ["au-metal"]), id="capacity"),
        pytest.param(catalog(facility("au", "AU", capacity=()), source("AU", 50)), [], ("no offer", ["au-metal"]), id="lead"),
        pytest.param(catalog(source("AU", 50, "oxide")), [], ("no offer", []), id="nobody"),
        pytest.param(CN_ONLY, [rule(ExportControl, id="control", exporters=["CN"], effect="licence")], ("law", ["control"]), id="license"),
        pytest.param(
            catalog(facility("au", "AU"), offer("au-metal", "au", "metal", 5, chain("AU/CN?", *METAL))),
            [ban("melted", start=None)], ("proof", ["au-metal"]), id="unproven",
        ),
        pytest.param(catalog(source("AU", 50)), [rule(Budget, id="purse", amount=250, per="year")], ("limit", ["purse"]), id="budget"),
    ],
)  # fmt: skip
def test_each_cause_is_named(facts: Any, rules: list[Any], expected: tuple[str, list[str]]) -> None:
    """In the first year, one cause each."""
    assert causes(planned(case(WANTED), facts, *rules), "2026") == [[expected]]


def test_capacity_that_begins_later_says_when() -> None:
    """A plant that runs from 2027 on."""
    step = CapacityStep(start=date(2027, 1, 1), per_year=Decimal(30), status=Status.OPERATING, source=SOURCE)
    sites = facility("au", "AU").but(capacity=(step,))
    found = planned(case(WANTED), catalog(sites, source("AU", 50)))
    assert causes(found, "2026") == [[("date", ["au-metal"])]]
    assert found.run.shortages[0].causes[0].restrictions[0].first == "2027"


def test_a_shortage_price_below_the_cost_is_a_cause_with_the_marginal_cost() -> None:
    """Metal costs 50 a kilogram and 3 of freight; going without costs 40."""
    found = planned(case(demand("metal", "defense", 10, price=40), assume={"freight": 3}), catalog(source("AU", 50)))
    (entry,) = found.run.shortages
    (cause,) = entry.causes
    (price,) = cause.restrictions
    assert [price.kind, float(price.marginal_cost or 0), price.shortage_price] == ["price", pytest.approx(53), 40]
    assert "costs USD 53/kg, more than its shortage price of 40" in unwrapped(screen_document(found.run))
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
    assert {name: causes(found, "2026", name) for name in ("gmlrs", "pac3")} == {
        name: [[("lead time", ["au-metal"])]] for name in ("gmlrs", "pac3")
    }
    assert served(found) == {("lead time",): 36}
    assert without(found, Change(lift="lead-time")) == 0
    shown = text(screen_document(found.run)).splitlines()
    (line,) = [line for line in shown if "lead time" in line]
    assert line.split() == ["metal", "defense", "36", "kg", "36", "2027", "lead", "time:", "arrives", "2027"]


def test_a_budget_is_named_with_the_kilograms_that_it_keeps_out() -> None:
    """250 a year buy 5 of 10 kg; in the first year, whose money is left over, it is lead time that keeps them out."""
    facts = catalog(source("AU", 50, lead_time=12))
    found = planned(
        case(demand("metal", "defense", 10, 10, 10), discount=0.1),
        facts,
        rule(Budget, id="purse", amount=250, per="year"),
    )
    assert causes(found, "2026") == [[("lead time", ["au-metal"])]]
    assert causes(found, "2027") == [[("limit", ["purse"])]]
    assert served(found) == {("limit",): 10, ("lead time",): 5}
    assert without(found, Change(disable="purse")) == 10
    assert without(found, Change(lift="lead-time")) == 15
    assert "limit: purse (10 kg), lead time: arrives 2027 (5 kg)" in unwrapped(screen_document(found.run), 140)


def test_two_laws_that_keep_out_the_same_offer_are_one_cause() -> None:
    """Neither is a cause by itself."""
    found = planned(case(WANTED), CN_ONLY, ban("melted", start=None), ban("mined", id="other", start=None))
    assert causes(found, "2026") == [[("law", ["ban"]), ("law", ["other"])]]
    assert [without(found, Change(disable=name)) for name in ("ban", "other")] == [20, 20]
    assert without(found, Change(disable="ban"), Change(disable="other")) == 0


def test_causes_by_themselves_are_named_one_by_one() -> None:
    """Half from one country, and Japan has but 2 kg a year: more of either would do."""
    facts = catalog(facility("jp", "JP", 2), source("AU", 50), source("JP", 80))
    found = planned(case(WANTED), facts, rule(MaxShare, id="half", by="country", share="50 %", per="year"))
    assert sorted(causes(found, "2026")) == [[("capacity", ["jp-metal"])], [("limit", ["half"])]]
    assert without(found, Change(disable="half")) == 0


def test_a_law_upstream_is_the_cause_of_what_a_maker_lacks() -> None:
    """Metal is melted in Japan from oxide that comes from China alone, which the ban reaches."""
    facts = catalog(source("CN", 3, material="oxide"), maker("JP", 20))
    found = planned(case(WANTED), facts, ban("mined", start=None))
    assert causes(found, "2026") == [[("law", ["ban"])]]


def test_an_input_that_nobody_offers_is_named() -> None:
    """Metal is melted in Japan from oxide."""
    found = planned(case(WANTED), catalog(maker("JP", 20)))
    assert causes(found, "2026") == [[("inputs", ["oxide"])]]


def test_stock_that_more_urgent_demand_takes_is_a_cause_if_nobody_offers_more() -> None:
    """5 kg in stock; defense comes first."""
    given = case(
        demand("metal", "defense", 5, price=9000),
        demand("metal", "civil", 5),
        stocks=(stock("metal", 5, chain("AU", *METAL)),),
    )
    found = planned(given, catalog(source("AU", 50, "oxide")))
    assert causes(found, "2026", "metal-civil") == [[("competition", ["metal-defense"])]]


def test_a_search_that_the_time_limit_ends_says_so() -> None:
    """It never guesses."""
    found = planned(case(WANTED), metals(), time_limit=0)
    assert [causes(found, period) for period in ("2026", "2027")] == [[[("undetermined", [])]]] * 2


def test_a_cause_that_names_what_is_not_in_the_facts_is_found() -> None:
    """Causes take solves to find, and are taken from a run as far as its facts bear them out."""
    found = planned(case(WANTED), metals(cn=3, au=3, jp=1), ban("melted"))
    told = found.run
    first = told.shortages[0]
    cause = first.causes[0]
    for forged in (
        cause.but(restrictions=[cause.restrictions[0].but(names=["nobody"])]),
        cause.but(served_kg=first.quantity_kg + 1),
    ):
        changed = told.but(shortages=[first.but(causes=[forged]), *told.shortages[1:]])
        again = recheck(found.facts(), changed, Registry.of())
        assert again.run.shortages[0].causes == []
    again = recheck(found.facts(), told, Registry.of())
    assert again.run.shortages == told.shortages
    assert reverify(found.facts(), Registry.of())[1] == []


@pytest.mark.parametrize("kind", ["rank", "conflict"])
def test_a_cause_that_names_a_rank_or_rules_in_conflict_is_taken_from_a_run(kind: str) -> None:
    """Objectives and stores are in the facts, though neither is an offer, a material, or a rule."""
    if kind == "rank":
        objectives = [{"minimise": "concentration"}, {"minimise": "cost"}]
        found = planned(case(demand("metal", "defense", 10, price=5), objectives=objectives), metals())
    else:
        given = case(demand("metal", "defense", 10), stores=[store("metal", 1, limit=0)])
        rules = (rule(Pin, offer="au-metal", at_least=30), rule(Budget, amount=1))
        found = planned(given, metals(), *rules)
    kinds = {each.kind for entry in found.run.shortages for cause in entry.causes for each in cause.restrictions}
    assert kind in kinds
    again = recheck(found.facts(), found.run, Registry.of())
    assert again.run.shortages == found.run.shortages


@pytest.mark.parametrize(
    "forgery",
    [
        {"kind": "law", "names": ["idle"], "first": ""},
        {"kind": "limit", "names": ["idle"], "first": ""},
        {"kind": "limit", "names": ["salts"], "first": ""},
        {"kind": "proof", "names": ["au-metal"], "first": ""},
        {"kind": "date"},
        {"kind": "storage", "names": [], "first": ""},
        {"kind": "inputs", "names": ["salt"], "first": ""},
        {"kind": "competition", "names": ["metal-defense"], "first": ""},
        {"kind": "competition", "names": ["au-metal"], "first": ""},
        {"kind": "rounding", "names": [], "first": ""},
        {"kind": "conflict", "names": ["idle"], "first": ""},
        {"kind": "rank", "names": ["cost"], "first": ""},
        {"kind": "price", "names": [], "first": "", "currency": "USD", "shortage_price": Decimal(1)},
        {"first": "2026"},
        {"offers": ["jp-salt"]},
        {"names": ["jp-salt"]},
    ],
    ids=str,
)  # fmt: skip
def test_a_forged_cause_that_names_real_things_is_not_taken_from_a_run(forgery: dict[str, Any]) -> None:
    """Australian metal takes half a year, so that nothing comes in 2026. Each forgery names what is in the facts, and they contradict it."""
    salt = offer("jp-salt", "jp", "salt", 5, chain("JP", "mined", "refined"), lead_time=6)
    facts = catalog(facility("jp", "JP"), source("AU", 50, lead_time=6), salt)
    rules = (
        ban("melted", start=None, id="idle", countries="RU"),
        rule(MaxShare, id="salts", share="50 %", materials=["salt"]),
    )
    found = planned(case(WANTED, demand("salt", "civil", 1, 1)), facts, *rules)
    told = found.run
    (first,) = [row for row in told.shortages if (row.demand, row.period) == ("metal-defense", "2026")]
    (cause,) = first.causes
    assert [each.kind for each in cause.restrictions] == ["lead time"]

    def taken(forged: RunSupplyCause) -> list[RunSupplyCause]:
        rows = [row.but(causes=[forged]) if row == first else row for row in told.shortages]
        again = recheck(found.facts(), told.but(shortages=rows), Registry.of()).run
        assert again is not None
        return next(row.causes for row in again.shortages if (row.demand, row.period) == ("metal-defense", "2026"))

    assert taken(cause) == [cause]
    assert taken(cause.but(restrictions=[cause.restrictions[0].but(**forgery)])) == []


# --------------------------------------------------------------------------------------------------------------- reasons


def reasons(given: Any, facts: Any, *rules: Rule) -> dict[str, str]:
    """Return the kinds of the causes of each demand's shortage."""
    found = shortage_causes(opened(given, facts, *rules))
    return {name: "; ".join(cause.kinds for cause in causes) for (name, _), causes in found.items()}


def test_a_shortage_that_is_cheaper_than_supply() -> None:
    """Japan at 80 could deliver; a shortage costs 60."""
    assert reasons(case(demand("metal", "civil", 100, price=60)), metals(cn=20, au=20)) == {
        "metal-civil": "capacity; price"
    }


def test_a_shortage_that_takes_from_another_demand() -> None:
    """30 kg for two demands: the one that costs less is short for the capacity, and not for its price, though it could be met at the cost of the other."""
    given = case(demand("metal", "civil", 30, price=20), demand("metal", "defense", 30, price=90))
    found = reasons(given, catalog(facility("cn", "CN", 30), source("CN", 10)))
    assert found == {"metal-civil": "capacity"}


def test_shortages_of_conflicting_rules_and_of_others_have_their_own_reasons() -> None:
    """A pin of more than there is; salt, beside it, is short for its own reason."""
    given = case(demand("metal", "civil", 10), demand("salt", "civil", 10, price=2))
    facts = metals(source("AU", 3, "salt"), cn=20)
    found = reasons(given, facts, rule(Pin, offer="cn-metal", at_least=50))
    assert found == {"metal-civil": "conflict", "salt-civil": "price"}


def unknown(**more: Any) -> Rule:
    """A ban of which nobody knows whether it holds."""
    return ban("mined", id="maybe", phases=[{"status": "unknown", **more}])


def test_exposed_states_kilograms_and_cost_of_what_unknown_law_would_forbid() -> None:
    """40 of 100 kg for defence are Chinese: 400 of price, 100 of duty and 120 of freight hang on it; civil metal does not."""
    given = case(demand("metal", "defense", 100), demand("metal", "civil", 7), assume={"freight": 3})
    duty = rule(Tariff, rate="0.25", origins=["CN"])
    pin = rule(Pin, offer="au-metal", exactly=60)
    found = planned(given, metals(), unknown(), duty, pin)
    # Defence takes the Australian metal, since civil use could be met by either: the solver may split it otherwise.
    chinese = sum(float(p.quantity_kg) for p in found.run.purchases if p.offer == "cn-metal")
    assert chinese == 47
    rows = found.run.exposed
    assert [(r.rule, r.offers, r.first) for r in rows] == [("maybe", ["cn-metal"], "2026")]
    assert float(sum(rows[0].materials.values())) == 47  # one compliance class: any of it may end in defence
    assert float(rows[0].cost) == 47 * (10 + 2.5 + 3)
    assert {k: float(v) for k, v in rows[0].materials.items()} == {"metal": 47}


def test_nothing_is_exposed_to_law_that_is_strictly_kept_or_over() -> None:
    """With `strict` it applies; a phase that ended before the delivery would forbid nothing."""
    given = case(demand("metal", "defense", 100))
    assert planned(given, metals(), unknown(), strict=True).run.exposed == []
    assert planned(given, metals(), unknown(until="2025-12-31")).run.exposed == []
    control = rule(
        ExportControl, exporters=["CN"], effect="prohibit", phases=[{"from": "2027-01-01", "status": "unknown"}]
    )
    late = planned(case(demand("metal", "civil", 10, 10), stores=(store("metal", 0, limit=0),)), metals(), control)
    assert [(r.materials, r.first) for r in late.run.exposed] == [({"metal": 10}, "2027")]


def test_exposed_says_on_which_days_nobody_knows_whether_the_rule_holds() -> None:
    """Each stretch of the plan's time with what the rule notes of it; what was over before, or is known, is left out."""
    phases = [
        {"until": "2025-12-31", "status": "unknown", "note": "over"},
        {"from": "2026-01-01", "until": "2026-06-30", "status": "suspended"},
        {"from": "2026-07-01", "until": "2026-09-30", "status": "unknown", "note": "Said to be extended."},
        {"from": "2026-10-01", "status": "unknown", "note": "Resumes unless extended."},
    ]
    found = planned(case(demand("metal", "defense", 100)), metals(), ban("mined", id="maybe", phases=phases))
    row = found.run.exposed[0]
    assert [(str(d.start), str(d.end), d.note) for d in row.unknown] == [
        ("2026-07-01", "2026-09-30", "Said to be extended."),
        ("2026-10-01", "None", "Resumes unless extended."),
    ]
    line = next(exposed_lines(found.run))
    assert (
        "Not known whether it holds from 2026-07-01 to 2026-09-30: Said to be extended; from 2026-10-01 on: Resumes unless extended"
        in line
    )
    assert f"Exposed: {line}" in markdown(page_document(found.run))
    assert json.loads(found.run.model_dump_json())["exposed"][0]["unknown"][1]["start"] == "2026-10-01"


def test_exposure_follows_the_chain() -> None:
    """Chinese oxide under a clean melter: what is exposed is the oxide, 20 kg at 10."""
    facts = catalog(maker("JP", 5), source("CN", 10, "oxide"))
    found = opened(case(demand("metal", "defense", 10)), facts, unknown())
    rows = exposed(found.verified)
    assert [(r.rule, float(sum(i.entry.quantity for i in r.items)), float(r.cost)) for r in rows] == [
        ("maybe", 20, 200)
    ]
    assert [item.entry.material for item in rows[0].items] == ["oxide"]


def test_stock_is_exposed_too() -> None:
    """Chinese stock that serves defence: kilograms, and no money spent on it."""
    given = case(demand("metal", "defense", 10), stocks=(stock("metal", 10, chain("CN", *METAL)),))
    found = planned(given, metals(), unknown())
    assert [(float(sum(r.materials.values())), float(r.cost), r.offers) for r in found.run.exposed] == [
        (10, 0, ["stock-metal-US"])
    ]


def test_an_exposed_control_counts_the_licences_of_the_case() -> None:
    """A control of unknown status by licence: without one all is exposed, with one nothing."""
    law = rule(ExportControl, exporters=["CN"], effect="licence", phases=[{"status": "unknown"}])
    bare = case(demand("metal", "civil", 10))
    assert [float(sum(r.materials.values())) for r in planned(bare, metals(), law).run.exposed] == [10]
    licensed = case(demand("metal", "civil", 10), licences=[{"rule": "export-control"}])
    assert planned(licensed, metals(), law).run.exposed == []


def test_what_is_kept_out_names_rule_stage_country_and_clause() -> None:
    """Chinese metal for defence: by the ban, at mining, in China, under its clause; civil use is not kept from it."""
    given = case(demand("metal", "defense", 10), demand("metal", "civil", 10))
    found = planned(given, metals(), ban("mined", start=None))
    assert [(b.offer, b.end_use, b.rule, b.stage, b.countries, b.clause) for b in found.run.blocked] == [
        ("cn-metal", "defense", "ban", "mined", ["CN"], "ban (a)")
    ]
    assert "mined in CN" in found.run.blocked[0].reason


def test_what_one_rule_forbids_is_not_told_as_unproven_by_another() -> None:
    """No proof would let it pass."""
    vague = source("CN", 10, chain=(*chain("CN", "mined"), *chain("AU/CN", "refined", "melted")))
    facts = catalog(facility("cn", "CN"), vague, source("AU", 50))
    laws = ban("mined", start=None), ban("refined", id="other", start=None)
    found = kept_out(built(case(demand("metal", "defense", 10)), facts, *laws))
    assert [(k.verdict.rule, k.unproven) for k in found] == [("ban", False)]
    alone = kept_out(built(case(demand("metal", "defense", 10)), facts, laws[1]))
    assert [(k.verdict.rule, k.unproven) for k in alone] == [("other", True)]


@pytest.mark.parametrize("status", ["pending", "unknown", "suspended"])
def test_law_that_does_not_bite_keeps_nothing_out(status: str) -> None:
    """Nor does law whose time is over, or yet to come."""
    given = case(demand("metal", "defense", 10))
    assert kept_out(built(given, metals(), ban("mined", phases=[{"status": status}]))) == []
    assert kept_out(built(given, metals(), ban("mined", start="2027-01-01"))) == []


def test_exclusions_and_controls_stand_among_what_is_kept_out() -> None:
    """A planner's own exclusion with its reason; a control for want of a licence as unproven, until it is granted."""
    rules = rule(Exclude, countries=["JP"]), rule(ExportControl, exporters=["CN"], effect="licence")
    bare = planned(case(demand("metal", "civil", 10)), metals(), *rules)
    assert [(b.offer, b.countries) for b in bare.run.blocked] == [("jp-metal", ["JP"])]
    assert [u.offer for u in bare.run.unproven] == ["cn-metal"]
    granted = planned(case(demand("metal", "civil", 10), assume={"licence": {"civil": "granted"}}), metals(), *rules)
    assert granted.run.unproven == []
    assert bought(granted) == {"cn-metal": 10}


def test_what_is_short_is_told_by_period_with_its_cause() -> None:
    """30 a year for 50 and 20, nothing held: 20 are short in 2026, and from 2027 on it is met."""
    given = case(demand("metal", "civil", 50, 20), stores=(store("metal", 0, limit=0),))
    found = planned(given, catalog(facility("cn", "CN", 30), source("CN", 10)))
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
    given = case(demand("metal", "civil", 50, 20), stores=(store("metal", 0, limit=0),), resolution=1)
    verified = opened(given, catalog(facility("cn", "CN", 30), source("CN", 10))).verified
    (short_,) = verified.plan.shorts
    some = replace(verified, plan=verified.plan.but(shorts=(short_.but(quantity=Decimal(kilograms)),)))
    told = RunContext(None, (), (), False, {}, (), {}, 1, (), {}, (), (), {}, {})
    run = run_of(some, told)
    (wanted,) = run.demands
    assert bool(run.shortages) is bool(run.shortage_kg) is bool(wanted.short_kg) is counts
    assert wanted.delivered_kg == 70 - Decimal(kilograms)
    assert counts or wanted.first_met == "2026"
    assert (met(run) == "all demand is met") is not counts


def test_a_demand_of_less_than_the_resolution_is_not_met_by_nothing() -> None:
    """All that is wanted in a period is short, however little it is."""
    given = case(demand("metal", "civil", 50), stores=(store("metal", 0, limit=0),), resolution=1)
    verified = opened(given, catalog(facility("cn", "CN", 30), source("CN", 10))).verified
    coarse = replace(verified.problem, case=verified.problem.case.but(resolution=Decimal(1000)))
    (short_,) = verified.plan.shorts
    assert counted_shorts(replace(verified, problem=coarse)) == ()
    alone = verified.plan.but(shorts=(short_.but(quantity=Decimal(50)),))
    assert counted_shorts(replace(verified, problem=coarse, plan=alone)) == alone.shorts


def test_a_lead_time_of_a_maker_counts_its_inputs() -> None:
    """Metal is ordered in the first quarter at the earliest in which the oxide is there, and is three more months under way: the third one."""
    far = {"lead_time": 3}
    sites = (facility("au", "AU"), facility("jp", "JP"))
    chained = catalog(*sites, source("AU", 1, "oxide", **far), maker("JP", 1, needs=1, **far))
    wanted = demand("metal", "defense", 10, 10, 10)
    found = planned(case(wanted, start=date(2027, 1, 1), length="quarter"), chained)
    assert [short.period for short in found.run.shortages] == ["2027-Q1", "2027-Q2"]
    (cause,) = [cause for short in found.run.shortages for cause in short.causes if short.period == "2027-Q2"]
    assert [(each.kind, each.names, each.first) for each in cause.restrictions] == [
        ("lead time", ["jp-melt", "au-oxide"], "2027-Q3")
    ]
    assert [one.first_delivery for one in alternatives(found.session, ["metal"]).offers] == ["2027-Q3"]
    assert recheck(found.facts(), found.run, Registry.of()).findings == ()


def test_a_maker_with_inputs_in_stock_delivers_after_its_own_lead_time() -> None:
    """Oxide for a quarter is in stock: the first metal can arrive three months after the first day, whatever the oxide from Australia takes."""
    far = {"lead_time": 3}
    sites = (facility("au", "AU"), facility("jp", "JP"))
    chained = catalog(*sites, source("AU", 1, "oxide", **far), maker("JP", 1, needs=1, **far))
    held = stock("oxide", 10, chain("AU", "mined", "refined"), place="JP")
    wanted = demand("metal", "defense", 10, 10, 10)
    found = planned(case(wanted, start=date(2027, 1, 1), length="quarter", stocks=(held,)), chained)
    assert [one.first_delivery for one in alternatives(found.session, ["metal"]).offers] == ["2027-Q2"]


def test_the_period_of_a_lead_time_is_that_of_lawful_goods() -> None:
    """Chinese metal is there in the second quarter, and barred from defense: what defense may have comes from Australia, in the third one."""
    sites = (facility("cn", "CN"), facility("au", "AU"))
    facts = catalog(*sites, source("CN", 10, lead_time=3), source("AU", 11, lead_time=6))
    wanted = [demand("metal", use, 10, 10, 10) for use in ("defense", "civil")]
    found = planned(case(*wanted, start=date(2027, 1, 1), length="quarter"), facts, ban("mined", start=None))
    first = {
        (short.demand, each.first)
        for short in found.run.shortages
        for cause in short.causes
        for each in cause.restrictions
        if each.kind == "lead time"
    }
    assert first == {("metal-defense", "2027-Q3"), ("metal-civil", "2027-Q2")}
    assert recheck(found.facts(), found.run, Registry.of()).findings == ()
