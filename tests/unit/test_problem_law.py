"""Law in a problem: which rules hold when, goods made in some countries, and the origin of scrap."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from friendshore.case import load_case
from friendshore.catalog import read_catalog
from friendshore.document.markdown import markdown
from friendshore.domain.facts import ChainEntry, Feed, Offer
from friendshore.errors import InputError
from friendshore.problem import Problem
from friendshore.problem.given import NOT_ASKED, UNEXAMINED
from friendshore.report import page_document, plan_document, summary_document
from friendshore.rules.base import Rule
from friendshore.rules.kinds.exclude import Exclude
from friendshore.rules.kinds.export_control import ExportControl
from friendshore.rules.kinds.limits import MaxShare, MinShare
from friendshore.rules.kinds.origin_ban import OriginBan

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
    lines,
    maker,
    metals,
    offer,
    ordered,
    planned,
    refused,
    rule,
    short,
    source,
    stock,
    store,
    text,
    told,
)

# ------------------------------------------------------------------------------------------------------- rules and dates


NOTHING_HELD = (store("metal", 0, limit=0),)


def control(**more: Any) -> Rule:
    """A Chinese control on metal, by licence."""
    return rule(ExportControl, id="control", exporters=["CN"], effect="licence", **more)


def uses(problem: Problem) -> list[list[str]]:
    """Demands and periods of every compliance class."""
    found = []
    for requirement in problem.compliance_classes:
        label = problem.case.horizon.label
        found.append([f"{problem.demands[o.demand].id} {label(o.period)}" for o in requirement.outlets])
    return found


def test_uses_that_no_rule_can_tell_apart_are_one_requirement() -> None:
    """Before the ban of 2027 defence and civil use are alike; then two; rules in force without any effect make no more."""
    given = case(demand("metal", "defense", 1, 1), demand("metal", "civil", 1, 1))
    silent = ban("mined", id="silent", countries="RU")
    assert uses(built(given, metals(), ban("mined"), silent)) == [
        ["metal-civil 2026", "metal-civil 2027", "metal-defense 2026"],
        ["metal-defense 2027"],
    ]


def test_two_rules_that_forbid_the_same_make_one_requirement() -> None:
    """What counts is the answer, not the rule."""
    given = case(demand("metal", "a", 1), demand("metal", "b", 1))
    rules = ban("mined", id="one", start=None, end_uses=["a"]), ban("refined", id="two", start=None, end_uses=["b"])
    assert uses(built(given, metals(), *rules)) == [["metal-a 2026", "metal-b 2026"]]


def test_a_ban_that_begins_on_the_last_day_of_a_period_applies_to_all_of_it() -> None:
    """Any day is enough to forbid: in force on 31 December 2026."""
    given = case(demand("metal", "defense", 10, 10), stores=NOTHING_HELD)
    assert bought(planned(given, metals(), ban("mined", start="2026-12-31"))) == {"au-metal": 20}
    assert bought(planned(given, metals(), ban("mined", start="2027-01-01"))) == {"cn-metal": 10, "au-metal": 10}


@pytest.mark.parametrize(
    ("status", "applies"), [("pending", False), ("suspended", False), ("unknown", False), ("enacted", True)]
)
def test_only_enacted_phases_apply(status: str, applies: bool) -> None:
    """And those that the case names, or `strict` enforces."""
    given = case(demand("metal", "defense", 10))
    law = ban("mined", phases=[{"status": status}])
    assert bought(planned(given, metals(), law)) == ({"au-metal": 10} if applies else {"cn-metal": 10})
    named = given.but(accept=given.accept.but(rule_status=(status,)))
    assert bought(planned(named, metals(), law)) == {"au-metal": 10}
    strict = planned(given, metals(), law, strict=True)
    assert bought(strict) == ({"au-metal": 10} if applies or status == "unknown" else {"cn-metal": 10})


def vague() -> Any:
    """Chinese metal at 10 that may be Australian, metal of an incomplete list at 20, and proved metal at 50."""
    return catalog(
        source("CN", 10, chain=chain("CN/AU", *METAL)),
        source("AU", 20, name="au-vague", chain=chain("AU?", *METAL)),
        source("AU", 50),
    )


def test_what_is_not_proved_is_kept_out_and_shown() -> None:
    """Possible countries and incomplete lists are no proof: both offers stand under `unproven` with the stage and the reason."""
    found = planned(case(demand("metal", "defense", 10)), vague(), ban("mined", start=None))
    assert bought(found) == {"au-metal": 10}
    assert {(row.offer, row.rule, row.stage) for row in found.run.unproven} == {
        ("cn-metal", "ban", "mined"),
        ("au-vague", "ban", "mined"),
    }
    assert found.run.blocked == []


def test_a_case_may_let_the_unproven_pass_and_it_is_told() -> None:
    """The cheapest is bought; the run says how much went without proof, and why. What fails outright is still kept out."""
    facts = vague()
    facts = facts.but(offers=(*facts.offers, source("CN", 5, name="cn-sure")))
    found = planned(case(demand("metal", "defense", 10), accept={"unproven": True}), facts, ban("mined", start=None))
    assert bought(found) == {"cn-metal": 10}
    assert "10 kg let pass by `ban` without proof" in told(found, "cn-metal")
    assert [row.offer for row in found.run.blocked] == ["cn-sure"]


def test_compliance_travels_through_a_recipe() -> None:
    """A Japanese melter is clean, Chinese oxide is not: for defence he draws Australian oxide, for civil use Chinese.

    2 kg of oxide a kilogram of metal: 10 x (5 + 2 x 40) for defence, 10 x (5 + 2 x 10) for civil use.
    """
    facts = catalog(maker("JP", 5), source("AU", 40, "oxide"), source("CN", 10, "oxide"))
    given = case(demand("metal", "defense", 10), demand("metal", "civil", 10))
    found = planned(given, facts, ban("mined", start=None))
    assert bought(found) == {"jp-melt": 20, "au-oxide": 20, "cn-oxide": 20}
    assert float(found.cost.price) == 10 * 85 + 10 * 25
    by_requirement = {(p.offer, p.end_use) for p in found.run.purchases}
    assert ("au-oxide", "defense") in by_requirement
    assert ("cn-oxide", "civil") in by_requirement
    assert {(d.offer, float(d.quantity_kg)) for d in found.run.draws} == {("jp-melt", 20)}


@pytest.mark.parametrize(
    ("licence", "kilograms"),
    [
        ({}, {"cn-metal": 20}),
        ({"quantity": 7}, {"cn-metal": 7, "au-metal": 13}),
        ({"quantity": 7, "from": "2027-01-01"}, {"cn-metal": 7, "au-metal": 13}),
        ({"from": "2027-01-01"}, {"cn-metal": 10, "au-metal": 10}),
        ({"from": "2027-01-02"}, {"au-metal": 20}),
        ({"until": "2026-12-30"}, {"au-metal": 20}),
        ({"exporter": "CN"}, {"cn-metal": 20}),
        ({"exporter": "cn"}, {"cn-metal": 20}),
        ({"exporter": "AU"}, {"au-metal": 20}),
    ],
    ids=["any", "quantity", "both", "from", "not the whole period", "ends too early", "country", "site", "of another"],
)
def test_a_licence_is_bounded_in_kilograms_days_and_exporter(
    licence: dict[str, Any], kilograms: dict[str, float]
) -> None:
    """10 kg in each of two years; without a licence Chinese metal cannot come. It must cover every day of the arrival's period."""
    given = case(
        demand("metal", "defense", 10, 10), licences=[{"id": "L", "rule": "control", **licence}], stores=NOTHING_HELD
    )
    found = planned(given, metals(), control())
    assert bought(found) == kilograms
    drawn = {name for p in found.plan.plan.purchases for name in p.licences}
    assert drawn == ({"L"} if "quantity" in licence and "cn-metal" in kilograms else set())


def test_two_licences_add_up() -> None:
    """3 kg under one, 4 under another: 7 of 10."""
    papers = [{"id": "a", "rule": "control", "quantity": 3}, {"id": "b", "rule": "control", "quantity": 4}]
    found = planned(case(demand("metal", "defense", 10), licences=papers), metals(), control())
    assert bought(found) == {"cn-metal": 7, "au-metal": 3}


def test_two_controls_want_a_licence_each() -> None:
    """A kilogram that both bear on draws on both: no more than the smaller of the two."""
    papers = [{"id": "a", "rule": "control", "quantity": 3}, {"id": "b", "rule": "other", "quantity": 9}]
    other = control().but(id="other")
    found = planned(case(demand("metal", "defense", 10), licences=papers), metals(), control(), other)
    assert bought(found) == {"cn-metal": 3, "au-metal": 7}


def test_assumed_licences_let_pass_and_are_told() -> None:
    """Granted for civil use alone: defence still buys elsewhere."""
    given = case(demand("metal", "defense", 10), demand("metal", "civil", 10), assume={"licence": {"civil": "granted"}})
    found = planned(given, metals(), control())
    assert bought(found) == {"cn-metal": 10, "au-metal": 10}
    assert "civil" in told(found, "licences")


def test_a_prohibition_has_no_licence() -> None:
    """What is prohibited stays out, licence or not."""
    prohibition = rule(ExportControl, id="control", exporters=["CN"], effect="prohibit")
    given = case(demand("metal", "civil", 10), licences=[{"rule": "control"}], assume={"licence": {"civil": "granted"}})
    assert bought(planned(given, metals(), prohibition)) == {"au-metal": 10}


def test_stock_in_hand_needs_no_export_licence_but_an_order_on_its_way_does() -> None:
    """What lies in the country does not cross a border any more; what was ordered has still to come."""
    lying = case(demand("metal", "civil", 10), stocks=(stock("metal", 10, chain("CN", *METAL)),))
    assert bought(planned(lying, metals(), control())) == {}
    coming = case(demand("metal", "civil", 10), orders=[{"offer": "cn-metal", "quantity": 10, "arrives": "2026-05-01"}])
    assert bought(planned(coming, metals(), control())) == {"au-metal": 10}


def test_an_order_from_a_supplier_that_is_kept_out_still_has_to_come_within_the_country() -> None:
    """It crosses no border, and is barred like one from abroad; what lies in stock already moves no more."""
    facts = catalog(source("US", 10), source("AU", 20))
    order = [{"offer": "us-metal", "quantity": 10, "arrives": "2026-05-01"}]
    law = rule(Exclude, facilities=["us"])
    assert bought(planned(case(demand("metal", "civil", 10), orders=order), facts, law)) == {"au-metal": 10}
    lying = case(demand("metal", "civil", 10), stocks=(stock("metal", 10, chain("US", *METAL)),))
    assert bought(planned(lying, facts, law)) == {}


@pytest.mark.parametrize(
    ("waiver", "kilograms"),
    [
        ({"quantity": 4}, {"cn-metal": 4, "au-metal": 16}),
        ({"quantity": 40}, {"cn-metal": 20}),
        ({"quantity": 40, "demand": "metal-defense"}, {"cn-metal": 20}),
        ({"quantity": 40, "demand": "metal"}, {"cn-metal": 20}),
        ({"quantity": 40, "from": "2027-01-01"}, {"cn-metal": 10, "au-metal": 10}),
        ({"quantity": 40, "until": "2027-12-30"}, {"cn-metal": 10, "au-metal": 10}),
    ],
    ids=["quantity", "enough", "demand", "material", "from", "until"],
)
def test_a_waiver_is_bounded_in_kilograms_and_days(waiver: dict[str, Any], kilograms: dict[str, float]) -> None:
    """10 kg for defence in each of two years; a waiver must cover every day of the delivery's period."""
    given = case(
        demand("metal", "defense", 10, 10), waivers=[{"id": "W", "rule": "ban", **waiver}], stores=NOTHING_HELD
    )
    found = planned(given, metals(), ban("mined", start=None))
    assert bought(found) == kilograms
    under = sum(float(d.quantity_kg) for d in found.run.deliveries if d.waivers == ["W"])
    assert under == kilograms["cn-metal"]


def test_a_waiver_lifts_its_rule_alone() -> None:
    """Two bans bar Chinese metal: the waiver of one does not help."""
    given = case(demand("metal", "defense", 10), waivers=[{"rule": "ban", "quantity": 40}])
    found = planned(given, metals(), ban("mined", start=None), ban("refined", id="other", start=None))
    assert bought(found) == {"au-metal": 10}


def test_an_export_control_cannot_be_waived() -> None:
    """Its own government licenses it."""
    given = case(demand("metal", "defense", 10), waivers=[{"rule": "control", "quantity": 4}])
    with pytest.raises(InputError, match="cannot waive"):
        built(given, metals(), control())


def test_stock_ordered_before_a_rule_dated_by_order_may_be_used() -> None:
    """Acquired in 2025: free. Acquired on the day on which the rule begins: barred."""
    for acquired, expected in ((date(2025, 12, 31), {}), (date(2026, 1, 1), {"au-metal": 10})):
        held = stock("metal", 10, chain("CN", *METAL), acquired=acquired)
        given = case(demand("metal", "defense", 10), stocks=(held,))
        found = planned(given, metals(), ban("mined", start="2026-01-01", dated_by="order"))
        assert bought(found) == expected


def test_an_export_control_counts_on_arrival() -> None:
    """In force in 2027 only; metal takes a year. Ordered in 2026 it arrives under the control."""
    facts = metals()
    slow = facts.but(offers=tuple(o.but(lead_time=12) for o in facts.offers))
    law = control(phases=[{"from": "2027-01-01", "until": "2027-12-31"}])
    found = planned(case(demand("metal", "civil", 0, 10, 10), stores=NOTHING_HELD), slow, law)
    assert ordered(found) == {("au-metal", "2026"): 10, ("cn-metal", "2027"): 10}


def test_facts_of_the_item_lift_a_ban() -> None:
    """A demand that states it is off the shelf is excepted; one that does not is not."""
    cots = {"id": "cots", "when": [{"fact": "cots", "equals": True}]}
    law = rule(OriginBan, id="ban", stages=["mined"], countries=["CN"], end_uses=["defense"], exceptions=[cots])
    given = case(
        demand("metal", "defense", 10, facts=(("cots", True),), id="shelf"), demand("metal", "defense", 10, id="other")
    )
    found = planned(given, metals(), law)
    assert bought(found) == {"cn-metal": 10, "au-metal": 10}


def test_a_rule_about_buyers_asks_the_buyer() -> None:
    """Only the buyer named is kept from Australian goods."""
    law = rule(ExportControl, id="listed", exporters=["CN"], effect="prohibit", buyers=["Big Prime"])
    given = case(demand("metal", "civil", 10, buyer="Big Prime Inc.", id="a"), demand("metal", "civil", 10, id="b"))
    assert bought(planned(given, metals(), law)) == {"cn-metal": 10, "au-metal": 10}


def test_what_goes_to_a_site_goes_to_all_who_run_a_plant_there() -> None:
    """Oxide for a listed party's melter: a second plant at the site, of another company, does not hide whose it is."""
    law = rule(ExportControl, id="listed", exporters=["AU"], effect="prohibit", buyers=["Big Prime"])
    given, plants = (
        case(demand("metal", "civil", 10)),
        (facility("au", "AU"), maker("JP", 5), source("AU", 40, "oxide")),
    )
    for who, kilograms in (("Big Prime KK", {"metal-civil": 10}), ("Third", {})):
        park = [facility(f, "JP", place="park", operator=by) for f, by in (("jp", who), ("zz", "Other"))]
        assert short(planned(given, catalog(*park, *plants), law)) == kilograms


def test_a_stage_that_nobody_answers_for_is_unproven() -> None:
    """The melter's oxide says nothing of where it was mined: the metal is not proved, and the oxide is what is shown."""
    silent = offer("au-oxide", "au", "oxide", 40, chain("AU", "refined"))
    facts = catalog(facility("au", "AU"), maker("JP", 5), silent)
    found = planned(case(demand("metal", "defense", 10)), facts, ban(*METAL, start=None))
    assert short(found) == {"metal-defense": 10}
    assert [(row.offer, row.stage) for row in found.run.unproven] == [("au-oxide", "mined")]


def test_a_lane_is_the_only_way_an_offer_moves() -> None:
    """A lane to Germany does not bring metal to the United States; a lane there brings its freight along."""
    for to, expected in (("DE", {"au-metal": 10}), ("US", {"cn-metal": 10})):
        facts = metals()
        lanes = [{"to": to, "freight": 3, "currency": "USD"}]
        one = source("CN", 10, lanes=lanes)
        others = tuple(o for o in facts.offers if o.id != "cn-metal")
        found = planned(case(demand("metal", "civil", 10)), facts.but(offers=(one, *others)))
        assert bought(found) == expected
        assert float(found.cost.freight) == (30 if to == "US" else 0)


def test_what_is_bought_after_a_co_product_was_lent_cannot_be_in_it() -> None:
    """Metal made in 2026 for magnets is lent to defence, lawfully: the ban on its ore's export begins in 2027.

    Oxide bought in 2027 for more magnets cannot end in that metal, though defence takes it in 2027.
    """
    ore, melted = chain("AU", "mined", "refined"), chain("AU", "melted", "produced")
    offers = (
        offer("circuit", "au", "oxide", 5, ore, outputs=lines(oxide=1, salt=0.5), min_order=5),
        offer("metal-m", "au", "metal", 5, chain("AU", "melted"), inputs=lines(oxide=1.25)),
        offer("both", "cn", "metal", 5, melted, outputs=lines(metal=1, magnet=0.5), inputs=lines(oxide=1)),
        offer("metal-s", "au", "metal", 5, (*ore, *chain("AU", "melted"))),
    )
    barred = rule(
        ExportControl,
        id="barred",
        exporters=["AU"],
        effect="prohibit",
        judged_on="use",
        end_uses=["defense"],
        phases=[{"from": "2027-02-15"}],
    )
    floor = rule(MinShare, id="floor", per="period", stage="refined", countries=["AU", "JP"], share="0.1")
    wanted = case(
        demand("metal", "defense", 0, 39, 0, shortage_price=60),
        demand("magnet", "civil", 0, 0, 29, shortage_price=1000),
    )
    found = planned(wanted, catalog(facility("au", "AU"), facility("cn", "CN"), *offers), barred, floor)
    oxide = {p.ordered for p in found.run.purchases if p.material == "oxide" and p.requirement == "R1"}
    assert {"2027", "2028"} <= oxide
    assert found.plan.plan.transfers
    assert short(found) == {}


def test_goods_for_defence_that_no_rule_of_origin_looks_at_are_named_before_the_mix() -> None:
    """Chinese salt, a material that the ban does not cover: the plan meets all demand with it, and must not pass for lawful."""
    of_metal = ban("melted", materials=["metal"])
    given = case(demand("salt", "defense", 5, 5), demand("metal", "defense", 5, 5), demand("salt", "civil", 5, 5))
    facts = metals(source("CN", 3, material="salt"))
    found = planned(given, facts, of_metal)
    said = told(found, UNEXAMINED)
    assert said.startswith("for defense: salt. No rule in use asks where it comes from"), said
    shown = text(plan_document(found.run))
    assert shown.index("Looked at by no rule of origin") < shown.index("Demand"), shown
    assert "for defense: salt" in text(summary_document(found.run)), "the short form says it too"
    assert "for defense: salt" in markdown(page_document(found.run))
    assert {d.id: d.origin_rules for d in found.run.demands} == {
        "metal-defense": ["ban"], "salt-defense": [], "salt-civil": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rules", "named"),
    [
        pytest.param([], True, id="no rule at all"),
        pytest.param([ban("melted")], False, id="a ban on all materials"),
        pytest.param([ban("melted", start="2028-01-01")], True, id="a ban after the plan"),
        pytest.param([ban("melted", end_uses=["civil"])], True, id="a ban for civil use"),
        pytest.param([rule(Exclude, offers=["jp-metal"])], True, id="an exclusion by name"),
        pytest.param([ban("melted", end_uses=[], asks_proof=False)], True, id="sanctions, which ask for no proof"),
        pytest.param([rule(ExportControl, exporters=["CN"], effect="prohibit")], True, id="an export control"),
    ],
)
def test_a_rule_looks_at_what_it_is_about_while_it_is_in_force(rules: list[Rule], named: bool) -> None:
    """No rule of origin that is in force when the metal is wanted, and about its use: it is named."""
    found = planned(case(demand("metal", "defense", 5, 5)), metals(), *rules)
    assert bool(told(found, UNEXAMINED)) is named


def test_an_end_use_that_a_rule_of_origin_names_is_watched_like_defence() -> None:
    """A ban for `reactor` use on magnets: metal for reactors is looked at by nobody; civil metal is nobody's business."""
    of_magnets = ban("melted", materials=["magnet"], end_uses=["reactor"])
    given = case(demand("metal", "reactor", 5, 5), demand("metal", "civil", 5, 5))
    assert told(planned(given, metals(), of_magnets), UNEXAMINED).startswith("for reactor: metal.")


def test_what_a_law_asks_and_no_chain_records_is_on_the_first_screen() -> None:
    """A plan whose goods pass such a rule is lawful only in part, and says so; one without goods under the rule doesn't."""
    in_part = ban("mined", start=None, not_asked="where iron was mined", citation="some law (b)(3)")
    found = planned(case(demand("metal", "defense", 10), demand("metal", "civil", 10)), metals(), in_part)
    (told,) = (row.text for row in found.run.assumptions if row.subject == NOT_ASKED)
    assert (
        told
        == "where iron was mined (metal). some law (b)(3) asks it, and no chain records it: `ban` finds only part of it lawful"
    )
    assert "where iron was mined (metal)" in " ".join(markdown(plan_document(found.run)).split())
    other = planned(case(demand("metal", "civil", 10)), metals(), in_part)
    assert NOT_ASKED not in {row.subject for row in other.run.assumptions}


# ------------------------------------------------------------------------------------------ goods made in some countries


COUNTRIES = ("US", "JP", "DE", "MY")


def law(**more: Any) -> Rule:
    """Metal melted in the United States; or in Japan or Germany, in goods made in one of them."""
    allied = {"id": "allied", "citation": "(d)", "where": "an allied country", "countries": ["JP", "DE"]}
    words = {"stages": ["melted"], "allow": ["US"], "end_uses": ["defense"], "made_in": [{**allied, **more}]}
    return rule(OriginBan, id="melt", citation="the law", **words)


def made(country: str, **more: Any) -> Offer:
    """Magnets made in a country at 1, from bought metal."""
    name = country.lower()
    return offer(f"{name}-magnet", name, "magnet", 1, chain(country, "produced"), inputs=lines(metal=1), **more)


def supply(maker: str, **prices: float) -> Any:
    """One maker, and metal of several countries at these prices."""
    sites = [facility(c.lower(), c) for c in COUNTRIES]
    return catalog(*sites, made(maker), *(source(c, price) for c, price in prices.items()))


MAGNETS = case(demand("magnet", "defense", 10))


@pytest.mark.parametrize(
    ("maker", "metal"), [("JP", "jp-metal"), ("DE", "jp-metal"), ("MY", "us-metal"), ("US", "us-metal")]
)
def test_metal_is_judged_by_the_maker_who_takes_it(maker: str, metal: str) -> None:
    """Japanese metal at 10 goes to makers in Japan and Germany; those in Malaysia and the United States take American at 50."""
    found = planned(MAGNETS, supply(maker, JP=10, US=50, MY=5), law())
    assert bought(found) == {metal: 10, f"{maker.lower()}-magnet": 10}
    assert found.run.verified


def test_what_keeps_it_out_is_told() -> None:
    """The reason names where the metal is melted, and what the exception asks for."""
    found = planned(MAGNETS, supply("MY", JP=10), law())
    assert short(found) == {"magnet-defense": 10}
    (row,) = [row for row in found.run.blocked if row.offer == "jp-metal"]
    assert row.stage == "melted"
    assert "melted in JP" in row.reason
    assert "(d) excepts only goods known to be made in an allied country" in row.reason


def whole(made_in: str) -> Any:
    """Magnets of Japanese metal, all of whose chain one plant performs."""
    links = (*chain("JP", "mined", "refined", "melted"), *chain(made_in, "produced"))
    return catalog(facility("jp", "JP"), offer("jp-magnet", "jp", "magnet", 10, links))


@pytest.mark.parametrize(
    ("made_in", "group"),
    [("JP", "bought"), ("DE", "bought"), ("MY", "blocked"), ("US", "blocked"), ("JP?", "unproven")],
)
def test_the_good_is_judged_by_where_it_is_made(made_in: str, group: str) -> None:
    """In an allied country, elsewhere, or nobody knows."""
    found = planned(MAGNETS, whole(made_in), law())
    rows = {"blocked": found.run.blocked, "unproven": found.run.unproven}
    assert bought(found) == ({"jp-magnet": 10} if group == "bought" else {})
    assert [name for name, group_rows in rows.items() if group_rows] == ([] if group == "bought" else [group])


def test_material_bought_as_such_is_not_excepted() -> None:
    """Nobody makes a good of it: metal for defence must be American."""
    wanted = case(demand("metal", "defense", 10))
    found = planned(wanted, catalog(source("JP", 10), source("US", 50)), law())
    assert bought(found) == {"us-metal": 10}


def test_an_exception_may_turn_on_a_fact_and_on_any_one_country() -> None:
    """Under an agreement metal and magnet may both be Malaysian; unstated, it claims nothing."""
    agreement = law(countries=[], material=["JP"], when=[{"fact": "agreement", "equals": True}])
    facts = supply("MY", MY=5)
    assert short(planned(MAGNETS, facts, agreement)) == {"magnet-defense": 10}
    stated = case(demand("magnet", "defense", 10, facts=(("agreement", True),)))
    found = planned(stated, facts, agreement)
    assert bought(found) == {"my-metal": 10, "my-magnet": 10}
    assert not told(found, "melt")


def test_a_list_of_barred_countries_may_have_such_an_exception_too() -> None:
    """What the ban does not bar is free as ever; of what it bars, only makers in the countries named may take it."""
    words = {"stages": ["mined", "melted"], "countries": ["CN", "MY"], "end_uses": ["defense"]}
    exception = [{"id": "allied", "countries": ["JP"], "material": ["MY"]}]
    barred = rule(OriginBan, id="melt", **words, made_in=exception)
    links = (*chain("DE", "mined", "refined"), *chain("MY", "melted"))
    metal = offer("de-metal", "de", "metal", 10, links)
    for country, expected in (("JP", {"de-metal": 10, "jp-magnet": 10}), ("US", {})):
        sites = [facility(c.lower(), c) for c in COUNTRIES]
        assert bought(planned(MAGNETS, catalog(*sites, made(country), metal), barred)) == expected


# ----------------------------------------------------------------------------------------------------------------- scrap


SCRAP = (
    ChainEntry(stage="collection", countries=frozenset({"JP"}), complete=True, source=SOURCE),
    *chain("JP", *(stage for stage in METAL if stage != "mined")),
)
"""Collected and worked again in Japan."""


def facts() -> Any:
    """Japanese metal from scrap at 10, Australian metal from a mine at 50."""
    return catalog(source("JP", 10, chain=SCRAP), source("AU", 50))


def test_collection_is_of_scrap() -> None:
    """The step alone says that the feed is recycled; primary feed of it is refused."""
    assert ChainEntry(stage="collection").feed is Feed.RECYCLED
    assert ChainEntry(stage="mining").feed is Feed.PRIMARY
    with pytest.raises(ValueError, match="no primary feed"):
        ChainEntry(stage="collection", feed=Feed.PRIMARY)


@pytest.mark.parametrize("stage", ["mined", "refined"])
def test_scrap_does_not_prove_where_its_metal_was_mined_or_refined(stage: str) -> None:
    """Scrap collected and refined again in Japan passes no ban on Chinese metal; for civil use it is bought."""
    found = planned(case(demand("metal", "defense", 10)), facts(), ban(stage, start=None))
    assert bought(found) == {"au-metal": 10}
    (row,) = found.run.unproven
    assert (row.offer, row.stage) == ("jp-metal", stage)
    assert "made from recycled material" in row.reason
    assert bought(planned(case(demand("metal", "civil", 10)), facts(), ban(stage, start=None))) == {"jp-metal": 10}


def test_what_is_done_to_scrap_in_a_barred_country_is_barred() -> None:
    """Refined again in China it was refined there, whatever it was before."""
    entries = tuple(e.but(countries=frozenset({"CN"})) if e.stage == "refined" else e for e in SCRAP)
    given = catalog(source("JP", 10, chain=entries))
    found = planned(case(demand("metal", "defense", 10)), given, ban("refined", start=None))
    assert short(found) == {"metal-defense": 10}
    assert [row.stage for row in found.run.blocked] == ["refined"]


def test_a_rule_may_say_which_stages_scrap_went_through() -> None:
    """Where only melting is asked and scrap is melted again, the last melting counts unless the rule says otherwise."""
    given, wanted = catalog(source("JP", 10, chain=SCRAP)), case(demand("metal", "defense", 10))
    words: dict[str, Any] = {"id": "ban", "stages": ["melted"], "countries": ["CN"], "end_uses": ["defense"]}
    assert bought(planned(wanted, given, rule(OriginBan, **words))) == {"jp-metal": 10}
    assert short(planned(wanted, given, rule(OriginBan, **words, scrap=["melted"]))) == {"metal-defense": 10}


def test_scrap_counts_for_no_mine() -> None:
    """A floor on Japanese mines is not met by Japanese scrap, and a cap on any mine counts what may come from there."""
    wanted = case(demand("metal", "civil", 10))
    floor = rule(MinShare, id="floor", countries=["JP"], stage="mined", share="50 %", of="purchases")
    assert bought(planned(wanted, facts(), floor)) == {}
    cap = rule(MaxShare, id="cap", countries=["CN"], stage="mined", share="40 %", of="purchases")
    assert bought(planned(wanted, facts(), cap)) == {"jp-metal": 4, "au-metal": 6}


def test_a_lone_step_counts_for_no_country() -> None:
    """Ore concentrated in Japan may come from any mine: it meets no floor on Japanese mines, and a cap on any mine counts it."""
    concentrated = chain("JP", "concentration", *(stage for stage in METAL if stage != "mined"))
    offers = catalog(source("JP", 10, chain=concentrated), source("AU", 50))
    wanted = case(demand("metal", "civil", 10))
    floor = rule(MinShare, id="floor", countries=["JP"], stage="mined", share="50 %", of="purchases")
    assert bought(planned(wanted, offers, floor)) == {}
    cap = rule(MaxShare, id="cap", countries=["CN"], stage="mined", share="40 %", of="purchases")
    assert bought(planned(wanted, offers, cap)) == {"jp-metal": 4, "au-metal": 6}


def test_a_floor_on_recycled_feed_counts_where_scrap_was_collected() -> None:
    """That is what such a floor asks: Japanese scrap meets a Japanese one, and no German one."""
    wanted, words = case(demand("metal", "civil", 10)), {"stage": "mined", "feed": "recycled", "of": "purchases"}
    dear = catalog(source("JP", 80, chain=SCRAP), source("AU", 50))
    for country, expected in (("JP", {"jp-metal": 4, "au-metal": 6}), ("DE", {})):
        floor = rule(MinShare, id="floor", countries=[country], share="40 %", **words)
        assert bought(planned(wanted, dear, floor)) == expected


def test_scrap_still_counts_where_it_is_refined_again() -> None:
    """Refining is done in Japan, whatever the feed."""
    floor = rule(MinShare, id="floor", countries=["JP"], stage="refined", share="50 %", of="purchases")
    assert bought(planned(case(demand("metal", "civil", 10)), facts(), floor)) == {"jp-metal": 10}


CHAIN = "offer,stage,countries,complete,feed,source\nscrap,collection,JP,yes,{feed},paper\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A catalog of one offer, of which only the chain is missing."""
    (tmp_path / "catalog.toml").write_text(
        'schema = 1\nname = "mine"\ntitle = "Mine"\nas_of = 2026-01-01\nlicence = "CC0-1.0"\n', encoding="utf-8"
    )
    tables = {
        "sources": "id,reference,date,confidence\npaper,A paper,2026-01-01,verified\n",
        "materials": "id,element,form,basis,content,stages,source\nmetal,Ga,metal,Ga,1,mined;refined,paper\n",
        "facilities": "id,country,source\nplant,JP,paper\n",
        "offers": "id,facility,material,price,source\nscrap,plant,metal,1 USD/kg,paper\n",
    }
    for name, table in tables.items():
        (tmp_path / f"{name}.csv").write_text(table, encoding="utf-8")
    return tmp_path


def test_a_blank_feed_of_collection_is_recycled(folder: Path) -> None:
    """Nobody need say twice that it is scrap."""
    (folder / "chain.csv").write_text(CHAIN.format(feed=""), encoding="utf-8")
    (offer,) = read_catalog(folder).offers
    assert [entry.feed for entry in offer.chain] == [Feed.RECYCLED]


def test_primary_feed_of_collection_is_refused_in_files(folder: Path, tmp_path: Path) -> None:
    """With row and column, in the catalog and in the case alike."""
    (folder / "chain.csv").write_text(CHAIN.format(feed="primary"), encoding="utf-8")
    (problem,) = refused(read_catalog, folder)
    assert (problem.row, problem.column, problem.found) == (2, "feed", "`primary`")
    assert problem.expected == "recycled, or blank"
    (tmp_path / "case.toml").write_text(
        'schema = 1\n[case]\nname = "c"\nstart = 2027-01-01\nperiods = 1\nperiod = "year"\ncurrency = "USD"\nplace = "US"\n'
        '[use]\ncatalogs = ["./mine"]\n[[demand]]\nmaterial = "metal"\nend_use = "civil"\nper_year = "1 t"\n'
        '[[stock]]\nmaterial = "metal"\nquantity = "1 t"\nchain = [{ stage = "collection", countries = ["JP"], feed = "primary" }]\n',
        encoding="utf-8",
    )
    (problem,) = refused(load_case, tmp_path / "case.toml")
    assert problem.column.endswith("feed")
    assert "no primary feed" in problem.message
