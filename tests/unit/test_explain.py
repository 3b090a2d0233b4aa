"""Why a plan is as it is: the reason of every shortage, what unknown law would forbid, what is kept out and by which clause."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from friendshore.document.markdown import markdown
from friendshore.explain import counted_shorts, exposed, kept_out, shortage_causes
from friendshore.recommend.describe import RunContext, run_of
from friendshore.report.page import page_document
from friendshore.report.plan import exposed_lines, met
from friendshore.rules.base import Rule
from friendshore.rules.kinds.exclude import Exclude
from friendshore.rules.kinds.export_control import ExportControl
from friendshore.rules.kinds.limits import Budget, Pin
from friendshore.rules.kinds.tariff import Tariff

from ..building import (
    METAL,
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
    opened,
    planned,
    rule,
    short,
    source,
    stock,
    store,
)


def reasons(given: Any, facts: Any, *rules: Rule) -> dict[str, str]:
    """Return the kinds of the causes of each demand's shortage."""
    found = shortage_causes(opened(given, facts, *rules))
    return {name: "; ".join(cause.kinds for cause in causes) for (name, _), causes in found.items()}


def test_a_shortage_that_nobody_can_supply() -> None:
    """30 kg exist for 100: no more, whatever a shortage costs."""
    facts = catalog(facility("cn", "CN", 30), source("CN", 10))
    assert reasons(case(demand("metal", "civil", 100, price=11)), facts) == {"metal-civil": "capacity"}


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


def test_a_shortage_by_law_is_no_supply() -> None:
    """Enough is offered, none of it lawful."""
    found = reasons(
        case(demand("metal", "defense", 10)), catalog(facility("cn", "CN"), source("CN", 10)), ban("mined", start=None)
    )
    assert found == {"metal-defense": "law"}


def test_a_shortage_for_lack_of_money_is_due_to_the_budget() -> None:
    """500 buy 50 kg at 10."""
    found = reasons(case(demand("metal", "civil", 100)), metals(), rule(Budget, amount=500))
    assert found == {"metal-civil": "limit"}


def test_shortages_of_conflicting_rules_and_of_others_have_their_own_reasons() -> None:
    """A pin of more than there is; salt, beside it, is short for its own reason."""
    given = case(demand("metal", "civil", 10), demand("salt", "civil", 10, price=2))
    facts = metals(source("AU", 3, "salt"), cn=20)
    found = reasons(given, facts, rule(Pin, offer="cn-metal", at_least=50))
    assert found == {"metal-civil": "conflict", "salt-civil": "price"}


def test_what_is_met_has_no_reason() -> None:
    """Nothing is short, nothing is said."""
    assert reasons(case(demand("metal", "civil", 100)), metals()) == {}


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
    facts = catalog(*(facility(c.lower(), c) for c in ("JP", "CN")), maker("JP", 5), source("CN", 10, "oxide"))
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
    facts = catalog(facility("cn", "CN"), facility("au", "AU"), vague, source("AU", 50))
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
