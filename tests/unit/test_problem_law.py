"""Law in a problem: which rules hold when, goods made in some countries, and the origin of scrap."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from friendshore.case import load_case
from friendshore.catalog import load_catalog
from friendshore.document.markdown import markdown
from friendshore.domain.case import Case
from friendshore.domain.facts import Catalog, ChainEntry, Feed, Offer
from friendshore.errors import InputError
from friendshore.problem.case_checks import NOT_ASKED, UNEXAMINED
from friendshore.report import page_document, plan_document, summary_document
from friendshore.rules.base import Rule
from friendshore.rules.kinds.limits import MaxShare, MinShare
from friendshore.rules.kinds.origin_ban import OriginBan
from friendshore.rules.kinds.trade import Exclude, ExportControl

from ..building import (
    METAL,
    ban,
    bought,
    built,
    case,
    catalog,
    chain,
    changed,
    demand,
    done,
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
from .tin_case import CASE, write_case, write_catalog

# ------------------------------------------------------------------------------------------------------- rules and dates


NOTHING_HELD = (store("metal", 0, limit=0),)


def control(**more: Any) -> Rule:
    """A Chinese control on metal, by license."""
    return rule(ExportControl, **{"id": "control", "exporters": ["CN"], "effect": "license", **more})


def wanted(end_use: str, *quantities: float, **more: Any) -> Case:
    """Metal of which nothing can be held."""
    return case(demand("metal", end_use, *quantities), stores=NOTHING_HELD, **more)


def arriving(name: str) -> list[dict[str, Any]]:
    """An order of 10 kg that arrives in May 2026."""
    return [{"offer": name, "quantity": 10, "arrives": "2026-05-01"}]


@pytest.mark.parametrize(
    ("given", "rules", "classes"),
    [
        pytest.param(
            case(demand("metal", "defense", 1, 1), demand("metal", "civil", 1, 1)), [ban("mined"), ban("mined", id="silent", countries="RU")],
            [["metal-civil 2026", "metal-civil 2027", "metal-defense 2026"], ["metal-defense 2027"]], id="alike before the ban, and a rule without effect"),
        pytest.param(
            case(demand("metal", "a", 1), demand("metal", "b", 1)),
            [ban(stage, id=use, start=None, end_uses=[use]) for stage, use in (("mined", "a"), ("refined", "b"))],
            [["metal-a 2026", "metal-b 2026"]], id="two rules that forbid the same"),
    ],
)  # fmt: skip
def test_uses_that_no_rule_tells_apart_are_one_class(given: Case, rules: list[Rule], classes: list[list[str]]) -> None:
    """What counts is the answer, not the rule."""
    problem = built(given, metals(), *rules)
    label = given.horizon.label
    assert [
        [f"{problem.demands[outlet.demand].id} {label(outlet.period)}" for outlet in found.outlets]
        for found in problem.compliance_classes
    ] == classes


def row(name: str, given: Case, kilograms: dict[str, float], *rules: Rule, facts: Catalog | None = None) -> Any:
    """What is bought under some rules: of Chinese metal at 10 and Australian at 50, unless facts are given."""
    return pytest.param(given, facts or metals(), rules, kilograms, id=name)


MET = {"au-metal": 10}
HALF = {"cn-metal": 10, "au-metal": 10}
CHINESE = chain("CN", *METAL)
COTS = [{"id": "cots", "when": [{"fact": "cots", "equals": True}]}]
TWO_USES = (demand("metal", "defense", 10), demand("metal", "civil", 10))
BY_ORDER = ban("mined", start="2026-01-01", dated_by="order")
PROHIBITED = control(effect="prohibit")
THREE, FOUR, NINE = (
    {"id": "a", "rule": "control", "quantity": 3},
    {"id": "b", "rule": "control", "quantity": 4},
    {"id": "b", "rule": "other", "quantity": 9},
)
HOME = catalog(source("US", 10), source("AU", 20))


def park(operator: str) -> Catalog:
    """A melter of Australian oxide at a site where another company runs a plant too."""
    sites = [facility(name, "JP", place="park", operator=by) for name, by in (("jp", operator), ("zz", "Other"))]
    return catalog(*sites, maker("JP", 5), source("AU", 40, "oxide"))


LAW = [
    row("a ban from the last day of a period applies to all of it", wanted("defense", 10, 10), {"au-metal": 20}, ban("mined", start="2026-12-31")),
    row("a ban from the next day", wanted("defense", 10, 10), HALF, ban("mined", start="2027-01-01")),
    row("two licenses add up", wanted("defense", 10, licenses=[THREE, FOUR]), {"cn-metal": 7, "au-metal": 3}, control()),
    row("two controls want a license each", wanted("defense", 10, licenses=[THREE, NINE]), {"cn-metal": 3, "au-metal": 7}, control(),
        control(id="other")),
    row("a prohibition has no license", wanted("civil", 10, licenses=[{"rule": "control"}], assume={"license": {"civil": "granted"}}), MET, PROHIBITED),
    row("stock crosses no border any more", wanted("civil", 10, stocks=(stock("metal", 10, CHINESE),)), {}, control()),
    row("an order has still to cross the border", wanted("civil", 10, orders=arriving("cn-metal")), MET, control()),
    row("an order from who is kept out is barred within the country", wanted("civil", 10, orders=arriving("us-metal")), MET,
        rule(Exclude, facilities=["us"]), facts=HOME),
    row("stock of who is kept out", wanted("civil", 10, stocks=(stock("metal", 10, chain("US", *METAL)),)), {}, rule(Exclude, facilities=["us"]),
        facts=HOME),
    row("a waiver lifts its rule alone", wanted("defense", 10, waivers=[{"rule": "ban", "quantity": 40}]), MET, ban("mined", start=None),
        ban("refined", id="other", start=None)),
    row("acquired before a rule dated by order", wanted("defense", 10, stocks=(stock("metal", 10, CHINESE, acquired=date(2025, 12, 31)),)), {},
        BY_ORDER),
    row("acquired on the day of such a rule", wanted("defense", 10, stocks=(stock("metal", 10, CHINESE, acquired=date(2026, 1, 1)),)), MET, BY_ORDER),
    row("a fact of the item that is stated lifts a ban",
        case(demand("metal", "defense", 10, facts=(("cots", True),), id="shelf"), demand("metal", "defense", 10, id="other")),
        HALF, ban("mined", start=None, exceptions=COTS)),
    row("only the buyer named is kept from it",
        case(demand("metal", "civil", 10, buyer="Big Prime Inc.", id="a"), demand("metal", "civil", 10, id="b")),
        HALF, control(effect="prohibit", buyers=["Big Prime"])),
    row("a second plant at a site does not hide whose it is", wanted("civil", 10), {},
        control(exporters=["AU"], effect="prohibit", buyers=["Big Prime"]), facts=park("Big Prime KK")),
    row("who is not named may take it there", wanted("civil", 10), {"jp-melt": 10, "au-oxide": 20},
        control(exporters=["AU"], effect="prohibit", buyers=["Big Prime"]), facts=park("Third")),
]  # fmt: skip


@pytest.mark.parametrize("status", ["pending", "suspended", "unknown", "enacted"])
def test_only_enacted_phases_apply(status: str) -> None:
    """And those that the case names, or `strict` enforces."""
    given, law = case(demand("metal", "defense", 10)), ban("mined", phases=[{"status": status}])
    named = given.but(accept=given.accept.but(rule_status=(status,)))
    found = [planned(given, metals(), law), planned(named, metals(), law), planned(given, metals(), law, strict=True)]
    applies = [status == "enacted", True, status in ("enacted", "unknown")]
    assert [bought(one) for one in found] == [{"au-metal": 10} if one else {"cn-metal": 10} for one in applies]


def vague() -> Any:
    """Chinese metal at 10 that may be Australian, metal of an incomplete list at 20, and proved metal at 50."""
    return catalog(
        source("CN", 10, chain=chain("CN/AU", *METAL)),
        source("AU", 20, name="au-vague", chain=chain("AU?", *METAL)),
        source("AU", 50),
    )


def test_what_is_not_proved_is_kept_out_and_shown() -> None:
    """Possible countries and incomplete lists are no proof: both offers stand under `unproven` with the stage."""
    found = planned(case(demand("metal", "defense", 10)), vague(), ban("mined", start=None))
    assert bought(found) == {"au-metal": 10}
    unproven = {(row.offer, row.rule, row.stage) for row in found.run.unproven}
    assert unproven == {("cn-metal", "ban", "mined"), ("au-vague", "ban", "mined")}
    assert found.run.blocked == []


def test_a_case_may_let_the_unproven_pass_and_it_is_told() -> None:
    """The cheapest is bought; the run says how much went without proof, and why. What fails outright is still kept out."""
    facts = vague()
    facts = facts.but(offers=(*facts.offers, source("CN", 5, name="cn-sure")))
    found = planned(case(demand("metal", "defense", 10), accept={"unproven": True}), facts, ban("mined", start=None))
    assert bought(found) == {"cn-metal": 10}
    assert "10 kg accepted under `ban` without proof" in told(found, "cn-metal")
    assert [row.offer for row in found.run.blocked] == ["cn-sure"]


def test_compliance_travels_through_a_recipe() -> None:
    """A Japanese melter takes 2 kg of Australian oxide at 40 for defense, and of Chinese oxide at 10 for civil use."""
    facts = catalog(maker("JP", 5), source("AU", 40, "oxide"), source("CN", 10, "oxide"))
    found = planned(case(*TWO_USES), facts, ban("mined", start=None))
    assert bought(found) == {"jp-melt": 20, "au-oxide": 20, "cn-oxide": 20}
    assert float(found.cost.price) == 10 * 85 + 10 * 25
    assert {("au-oxide", "defense"), ("cn-oxide", "civil")} < {(p.offer, p.end_use) for p in found.run.purchases}
    assert {(d.offer, float(d.quantity_kg)) for d in found.run.draws} == {("jp-melt", 20)}


@pytest.mark.parametrize(
    ("license", "chinese"),
    [
        ({}, 20), ({"quantity": 7}, 7), ({"quantity": 7, "from": "2027-01-01"}, 7), ({"from": "2027-01-01"}, 10), ({"from": "2027-01-02"}, 0),
        ({"until": "2026-12-30"}, 0), ({"exporter": "CN"}, 20), ({"exporter": "cn"}, 20), ({"exporter": "AU"}, 0),
    ],
)  # fmt: skip
def test_a_license_is_bounded_in_kilograms_days_and_exporter(license: dict[str, Any], chinese: float) -> None:
    """10 kg in each of two years; without a license Chinese metal cannot come. It must cover every day of the arrival's period."""
    given = wanted("defense", 10, 10, licenses=[{"id": "L", "rule": "control", **license}])
    found = planned(given, metals(), control())
    kilograms = {"cn-metal": chinese, "au-metal": 20 - chinese}
    assert bought(found) == {name: quantity for name, quantity in kilograms.items() if quantity}
    drawn = {name for p in found.plan.plan.purchases for name in p.licenses}
    assert drawn == ({"L"} if "quantity" in license else set())


def test_assumed_licenses_let_pass_and_are_told() -> None:
    """Granted for civil use alone: defense still buys elsewhere."""
    found = planned(case(*TWO_USES, assume={"license": {"civil": "granted"}}), metals(), control())
    assert bought(found) == {"cn-metal": 10, "au-metal": 10}
    assert "civil" in told(found, "licenses")


@pytest.mark.parametrize(
    ("waiver", "chinese"),
    [
        ({"quantity": 4}, 4), ({"quantity": 40}, 20), ({"quantity": 40, "demand": "metal-defense"}, 20), ({"quantity": 40, "demand": "metal"}, 20),
        ({"quantity": 40, "from": "2027-01-01"}, 10), ({"quantity": 40, "until": "2027-12-30"}, 10),
    ],
)  # fmt: skip
def test_a_waiver_is_bounded_in_kilograms_and_days(waiver: dict[str, Any], chinese: float) -> None:
    """10 kg for defense in each of two years; a waiver must cover every day of the delivery's period."""
    given = wanted("defense", 10, 10, waivers=[{"id": "W", "rule": "ban", **waiver}])
    found = planned(given, metals(), ban("mined", start=None))
    kilograms = {"cn-metal": chinese, "au-metal": 20 - chinese}
    assert bought(found) == {name: quantity for name, quantity in kilograms.items() if quantity}
    assert sum(float(d.quantity_kg) for d in found.run.deliveries if d.waivers == ["W"]) == chinese


def test_an_export_control_cannot_be_waived() -> None:
    """Its own government licenses it."""
    with pytest.raises(InputError, match="FS244"):
        built(wanted("defense", 10, waivers=[{"rule": "control", "quantity": 4}]), metals(), control())


def test_an_export_control_counts_on_arrival() -> None:
    """In force in 2027 only; metal takes a year. Ordered in 2026 it arrives under the control."""
    facts = metals()
    slow = facts.but(offers=tuple(o.but(lead_time=12) for o in facts.offers))
    law = control(phases=[{"from": "2027-01-01", "until": "2027-12-31"}])
    found = planned(wanted("civil", 0, 10, 10), slow, law)
    assert ordered(found) == {("au-metal", "2026"): 10, ("cn-metal", "2027"): 10}


def test_a_stage_that_nobody_answers_for_is_unproven() -> None:
    """The melter's oxide says nothing of where it was mined: the metal is not proved, and the oxide is what is shown."""
    silent = offer("au-oxide", "au", "oxide", 40, chain("AU", "refined"))
    facts = catalog(maker("JP", 5), silent)
    found = planned(case(demand("metal", "defense", 10)), facts, ban(*METAL, start=None))
    assert short(found) == {"metal-defense": 10}
    assert [(row.offer, row.stage) for row in found.run.unproven] == [("au-oxide", "mined")]


@pytest.mark.parametrize(("to", "name", "freight"), [("DE", "au-metal", 0), ("US", "cn-metal", 30)])
def test_a_lane_is_the_only_way_an_offer_moves(to: str, name: str, freight: float) -> None:
    """A lane to Germany does not bring metal to the United States; a lane there brings its freight along."""
    lanes = [{"to": to, "freight": 3, "currency": "USD"}]
    found = planned(case(demand("metal", "civil", 10)), changed(metals(), "cn-metal", lanes=lanes))
    assert (bought(found), float(found.cost.freight)) == ({name: 10}, freight)


def test_what_is_bought_after_a_co_product_was_lent_cannot_be_in_it() -> None:
    """Metal made in 2026 for magnets is lent to defense, lawfully: the ban on its ore's export begins in 2027.

    Oxide bought in 2027 for more magnets cannot end in that metal, though defense takes it in 2027.
    """
    ore, melted = chain("AU", "mined", "refined"), chain("AU", "melted", "produced")
    offers = (
        offer("circuit", "au", "oxide", 5, ore, outputs=lines(oxide=1, salt=0.5), min_order=5),
        offer("metal-m", "au", "metal", 5, chain("AU", "melted"), inputs=lines(oxide=1.25)),
        offer("both", "cn", "metal", 5, melted, outputs=lines(metal=1, magnet=0.5), inputs=lines(oxide=1)),
        offer("metal-s", "au", "metal", 5, (*ore, *chain("AU", "melted"))),
    )
    words = {"judged_on": "use", "end_uses": ["defense"], "phases": [{"from": "2027-02-15"}]}
    barred = control(exporters=["AU"], effect="prohibit", **words)
    floor = rule(MinShare, id="floor", per="period", stage="refined", countries=["AU", "JP"], share="0.1")
    given = case(demand("metal", "defense", 0, 39, 0, shortage_price=60), demand("magnet", "civil", 0, 0, 29))
    found = planned(given, catalog(*offers), barred, floor)
    oxide = {p.ordered for p in found.run.purchases if p.material == "oxide" and p.compliance_class == "R1"}
    assert {"2027", "2028"} <= oxide
    assert found.plan.plan.transfers
    assert short(found) == {}


def test_goods_for_defence_that_no_rule_of_origin_looks_at_are_named_before_the_mix() -> None:
    """Chinese salt, a material that the ban does not cover: the plan meets all demand with it, and must not pass for lawful."""
    given = case(demand("salt", "defense", 5, 5), demand("metal", "defense", 5, 5), demand("salt", "civil", 5, 5))
    found = planned(given, metals(source("CN", 3, material="salt")), ban("melted", materials=["metal"]))
    assert told(found, UNEXAMINED).startswith("for defense: salt.")
    shown = text(plan_document(found.run))
    assert shown.index("No origin rule") < shown.index("Demand"), shown
    for other in (text(summary_document(found.run)), markdown(page_document(found.run))):
        assert "for defense: salt" in other
    by_demand = {one.id: one.origin_rules for one in found.run.demands}
    assert by_demand == {"metal-defense": ["ban"], "salt-defense": [], "salt-civil": []}


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
    found = planned(case(*TWO_USES), metals(), in_part)
    said = told(found, NOT_ASKED)
    assert said.startswith("where iron was mined (metal). some law (b)(3) requires it")
    assert "`ban` checks only part of the law" in said
    assert "where iron was mined (metal)" in " ".join(markdown(plan_document(found.run)).split())
    assert not told(planned(case(demand("metal", "civil", 10)), metals(), in_part), NOT_ASKED)


# ------------------------------------------------------------------------------------------ goods made in some countries


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
    return catalog(made(maker), *(source(c, price) for c, price in prices.items()))


MAGNETS = case(demand("magnet", "defense", 10))
STATED = case(demand("magnet", "defense", 10, facts=(("agreement", True),)))
# Under an agreement metal and magnet may both be Malaysian; unstated, it claims nothing.
AGREEMENT = law(countries=[], material=["JP"], when=[{"fact": "agreement", "equals": True}])
# What this ban does not bar is free as ever; of what it bars, only makers in Japan may take Malaysian metal.
BARRED = ban(
    "mined",
    "melted",
    countries="CN/MY",
    start=None,
    made_in=[{"id": "allied", "countries": ["JP"], "material": ["MY"]}],
)
GERMAN = offer("de-metal", "de", "metal", 10, (*chain("DE", "mined", "refined"), *chain("MY", "melted")))
MADE_IN = [
    *(
        row(f"a maker in {country} takes metal of {metal}", MAGNETS, {f"{metal}-metal": 10, f"{country}-magnet": 10}, law(),
            facts=supply(country.upper(), JP=10, US=50, MY=5))
        for country, metal in (("jp", "jp"), ("de", "jp"), ("my", "us"), ("us", "us"))
    ),
    row("metal bought as such is not excepted", wanted("defense", 10), {"us-metal": 10}, law(), facts=catalog(source("JP", 10), source("US", 50))),
    row("a fact that is not stated", MAGNETS, {}, AGREEMENT, facts=supply("MY", MY=5)),
    row("a fact that is stated", STATED, {"my-metal": 10, "my-magnet": 10}, AGREEMENT, facts=supply("MY", MY=5)),
    row("barred metal for a maker who may take it", MAGNETS, {"de-metal": 10, "jp-magnet": 10}, BARRED, facts=catalog(made("JP"), GERMAN)),
    row("barred metal for another maker", MAGNETS, {}, BARRED, facts=catalog(made("US"), GERMAN)),
]  # fmt: skip


def test_what_keeps_it_out_is_told() -> None:
    """The reason names where the metal is melted, and what the exception asks for."""
    found = planned(MAGNETS, supply("MY", JP=10), law())
    assert short(found) == {"magnet-defense": 10}
    (row,) = [row for row in found.run.blocked if row.offer == "jp-metal"]
    assert (row.stage, "melted in JP" in row.reason, "(d) exempts only" in row.reason) == ("melted", True, True)


@pytest.mark.parametrize(
    ("made_in", "group"),
    [("JP", "bought"), ("DE", "bought"), ("MY", "blocked"), ("US", "blocked"), ("JP?", "unproven")],
)
def test_the_good_is_judged_by_where_it_is_made(made_in: str, group: str) -> None:
    """Of Japanese metal, in one plant that performs the whole chain: in an allied country, elsewhere, or nobody knows."""
    links = (*chain("JP", "mined", "refined", "melted"), *chain(made_in, "produced"))
    found = planned(MAGNETS, catalog(offer("jp-magnet", "jp", "magnet", 10, links)), law())
    groups = {"bought": bought(found), "blocked": found.run.blocked, "unproven": found.run.unproven}
    assert [name for name, rows in groups.items() if rows] == [group]


# ----------------------------------------------------------------------------------------------------------------- scrap


SCRAP = (done("collection", "JP"), *chain("JP", "refined", "melted"))
"""Collected and worked again in Japan."""


def test_collection_is_of_scrap() -> None:
    """The step alone says that the feed is recycled; primary feed of it is refused."""
    assert ChainEntry(stage="collection").feed is Feed.RECYCLED
    assert ChainEntry(stage="mining").feed is Feed.PRIMARY
    with pytest.raises(ValueError, match="FS012"):
        ChainEntry(stage="collection", feed=Feed.PRIMARY)


@pytest.mark.parametrize("stage", ["mined", "refined"])
def test_scrap_does_not_prove_where_its_metal_was_mined_or_refined(stage: str) -> None:
    """Scrap collected and refined again in Japan passes no ban on Chinese metal; for civil use it is bought."""
    found = planned(wanted("defense", 10), sold(SCRAP), ban(stage, start=None))
    assert bought(found) == {"au-metal": 10}
    (row,) = found.run.unproven
    assert (row.offer, row.stage, "made from recycled material" in row.reason) == ("jp-metal", stage, True)
    assert bought(planned(wanted("civil", 10), sold(SCRAP), ban(stage, start=None))) == {"jp-metal": 10}


def test_what_is_done_to_scrap_in_a_barred_country_is_barred() -> None:
    """Refined again in China it was refined there, whatever it was before."""
    entries = (SCRAP[0], done("refined", "CN"), SCRAP[2])
    found = planned(wanted("defense", 10), sold(entries), ban("refined", start=None))
    assert bought(found) == MET
    assert [row.stage for row in found.run.blocked] == ["refined"]


CONCENTRATED = chain("JP", "concentration", "refined", "melted")
SHARED = {"jp-metal": 4, "au-metal": 6}


def share(kind: type[Rule], country: str, share: str, **words: Any) -> Rule:
    """A limit on what is bought of a country's mines, unless it says otherwise."""
    return rule(kind, **{"countries": [country], "share": share, "stage": "mined", "of": "purchases", **words})


def sold(links: tuple[ChainEntry, ...], price: float = 10) -> Catalog:
    """Metal of a chain, and Australian metal from a mine at 50."""
    return catalog(source("JP", price, chain=links), source("AU", 50))


OF_SCRAP = [
    row("scrap is of no mine that a floor asks for", wanted("civil", 10), {}, share(MinShare, "JP", "50%"), facts=sold(SCRAP)),
    row("scrap may be of any mine that a cap counts", wanted("civil", 10), SHARED, share(MaxShare, "CN", "40%"), facts=sold(SCRAP)),
    row("a lone step is of no mine that a floor asks for", wanted("civil", 10), {}, share(MinShare, "JP", "50%"), facts=sold(CONCENTRATED)),
    row("a lone step may be of any mine that a cap counts", wanted("civil", 10), SHARED, share(MaxShare, "CN", "40%"), facts=sold(CONCENTRATED)),
    row("a floor on recycled feed asks where scrap was collected", wanted("civil", 10), SHARED, share(MinShare, "JP", "40%", feed="recycled"),
        facts=sold(SCRAP, 80)),
    row("collected elsewhere", wanted("civil", 10), {}, share(MinShare, "DE", "40%", feed="recycled"), facts=sold(SCRAP, 80)),
    row("scrap is refined where it is refined again", wanted("civil", 10), {"jp-metal": 10}, share(MinShare, "JP", "50%", stage="refined"),
        facts=sold(SCRAP)),
    row("the last melting of scrap counts", wanted("defense", 10), {"jp-metal": 10}, ban("melted", start=None), facts=sold(SCRAP)),
    row("unless the rule says that scrap was melted before", wanted("defense", 10), MET, ban("melted", start=None, scrap=["melted"]),
        facts=sold(SCRAP)),
]  # fmt: skip


@pytest.mark.parametrize(("given", "facts", "rules", "kilograms"), [*LAW, *MADE_IN, *OF_SCRAP])
def test_what_is_bought_under_rules(given: Case, facts: Catalog, rules: Any, kilograms: dict[str, float]) -> None:
    """The cheapest that the rules admit, and nothing that they do not."""
    assert bought(planned(given, facts, *rules)) == kilograms


def recycled(folder: Path, feed: str) -> Path:
    """A catalog of one offer, collected in Japan of some feed."""
    tables = {
        "materials.csv": "id,element,form,basis,stages\ntin,Sn,metal,gross,mined;refined\n",
        "facilities.csv": "id,country,source\nplant,JP,s\n",
        "offers.csv": "id,facility,material,price,source\nscrap,plant,tin,1 USD/kg,s\n",
        "chain.csv": f"offer,stage,countries,complete,feed,source\nscrap,collection,JP,yes,{feed},s\n",
    }
    write_catalog(folder, tables)
    return folder / "ours"


def test_a_blank_feed_of_collection_is_recycled(tmp_path: Path) -> None:
    """Nobody need say twice that it is scrap."""
    (offer,) = load_catalog(recycled(tmp_path, "")).offers
    assert [entry.feed for entry in offer.chain] == [Feed.RECYCLED]


def test_primary_feed_of_collection_is_refused_in_files(tmp_path: Path) -> None:
    """With row and column, in the catalog and in the case alike."""
    (problem,) = refused(load_catalog, recycled(tmp_path, "primary"))
    assert (problem.row, problem.column, problem.found) == (2, "feed", "`primary`")
    assert problem.expected == "recycled, or blank"
    held = 'chain = [{ stage = "collection", countries = ["JP"], feed = "primary" }]\n'
    file = write_case(tmp_path, f'{CASE}[[stock]]\nmaterial = "tin"\nquantity = "1 t"\n{held}')
    (problem,) = refused(load_case, file)
    assert problem.column.endswith("feed")
    assert problem.code == "FS012"
