"""The catalogs that come with friendshore: they read, every figure has evidence, and nothing counts twice."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest

from friendshore.catalog import read_catalogs, review
from friendshore.domain.case import Accept
from friendshore.domain.evidence import Confidence
from friendshore.domain.facts import Catalog, Facility, Feed, Offer, Status
from friendshore.domain.stages import Stage

ROOT = Path(__file__).parents[2]
OPEN_DATA = ROOT / "catalogs" / "friendshore_catalogs"
NAMES = ("materials", "usgs-2026", "world", "australia", "kazakhstan")
TONNE = Decimal(1000)
MTU_W = Decimal("7.93")
"""Kilograms of tungsten in a metric ton unit."""

USGS_2025 = {
    "W": "AT 840, AU 1000, BO 1700, CN 67000, ES 800, KP 2000, KZ 2400, PT 700, RU 2000, RW 1300, VN 3000",
    "Sb": "AU 1300, BO 5000, CN 40000, GT 50, IR 90, KG 700, KZ 800, LA 200, MM 4500, MX 600, PK 260, RU 32000, "
    "TJ 22000, TR 3000, VN 220",
    "Ta": "AU 50, BI 2, BO 2, BR 190, CD 1300, CN 80, ET 40, MZ 1, NG 390, RU 30, RW 400",
    "Ga": "CN 900, JP 3, RU 6",
    "Ti": "CN 260000, IN 300, JP 53000, KZ 16000, RU 25000, SA 12000",
    "C": "AT 200, BR 65000, CA 8000, CN 1400000, DE 140, IN 17000, KP 8000, KR 500, MG 80000, MX 740, MZ 60000, NO 6600, "
    "RU 25000, LK 3200, TZ 75000, TR 2200, UA 800, VN 500",
    "Co": "US 300, AU 3700, CA 3500, CN 2000, CD 230000, CU 2000, ID 44000, MG 3900, PG 2800, PH 3700, RU 7700, TR 1900",
    "Mg": "BR 20000, CN 950000, IR 5000, IL 20000, KZ 13000, RU 60000, TR 15000",
    "F": "BR 100000, CN 6000000, DE 35000, IR 70000, MX 1500000, MN 1500000, PK 50000, ZA 410000, ES 140000, TJ 15000, "
    "TH 55000, VN 160000",
    "Bi": "BO 50, BG 50, CN 14000, JP 500, KZ 180, KR 1000, LA 500",
    "In": "BE 19, CA 40, CN 760, FR 21, JP 65, KR 180, RU 5, UZ 1",
    "Te": "BG 1, CA 28, CN 800, JP 61, RU 67, ZA 5, UZ 18",
    "Be": "US 230, BR 80, CN 77, MG 1, MZ 3, NG 40, RW 1",
}
"""Tonnes made in 2025 by country: USGS Mineral Commodity Summaries 2026, doi 10.5066/P1WKQ63T."""

FORMS = {
    "titanium-ingot", "titanium-mill-product", "graphite-anode", "graphite-purified-fines", "beryllium-copper-master-alloy",
    "beryllium-copper", "aluminium-beryllium", "magnesium-alloy", "cobalt-superalloy", "yttria-zirconia", "cadmium-telluride",
    "bismuth-telluride", "indium-antimonide", "indium-phosphide", "hydrogen-fluoride",
}  # fmt: skip
"""What defense buys of the materials from titanium to fluorspar."""

OPEN_FEED = [
    "caremag-heavy-dy-oxide", "caremag-heavy-tb-oxide", "caremag-ndpr-oxide", "clarksville-antimony", "clarksville-gallium",
    "clarksville-germanium", "dowa-gallium-metal-4n", "eneabba-ndpr-oxide", "jp-titanium-sponge", "korea-zinc-germanium-dioxide",
    "la-rochelle-dy-oxide", "la-rochelle-ndpr-oxide", "la-rochelle-sm-oxide", "la-rochelle-tb-oxide", "metlen-gallium",
    "noveon-magnet", "nui-phao-apt", "onsan-antimony-metal", "port-pirie-antimony", "reetec-ndpr-oxide", "silmet-heavy-dy-oxide",
    "silmet-heavy-tb-oxide", "silmet-ndpr-oxide", "src-dy-oxide", "src-tb-oxide", "uktmp-sponge", "ulba-beryllium-metal",
    "ulba-tantalum-powder", "vaudreuil-gallium-metal-4n", "vinh-bao-ferrotungsten", "vsmpo-sponge", "trail-germanium-metal",
    "white-mesa-dy-oxide", "white-mesa-ndpr-oxide", "yanbu-sponge",
]  # fmt: skip
"""Offers whose feed is purchased or various, so that no list of mines is complete."""


class Place(NamedTuple):
    """A catalog folder as the reader wants it."""

    folder: Path
    distribution: str = ""


@pytest.fixture(scope="module")
def catalogs() -> dict[str, Catalog]:
    """All five, read together."""
    plugins = {
        name: ROOT / "plugins" / f"friendshore-{name}" / "src" / f"friendshore_{name}" / "catalog" for name in NAMES[3:]
    }
    return {c.name: c for c in read_catalogs([Place(plugins.get(name, OPEN_DATA / name)) for name in NAMES])}


@pytest.fixture(scope="module")
def offers(catalogs: dict[str, Catalog]) -> dict[str, Offer]:
    """All offers by id."""
    return {o.id: o for c in catalogs.values() for o in c.offers}


@pytest.fixture(scope="module")
def facilities(catalogs: dict[str, Catalog]) -> dict[str, Facility]:
    """All facilities by id."""
    return {f.id: f for c in catalogs.values() for f in c.facilities}


@pytest.fixture(scope="module")
def confidence(catalogs: dict[str, Catalog]) -> dict[str, Confidence]:
    """How far each source is to be trusted."""
    return {s.id: s.confidence for c in catalogs.values() for s in c.sources}


def most(facility: Facility) -> Decimal:
    """The highest yearly capacity among its steps, whatever their status."""
    return max((step.per_year or Decimal(0) for step in facility.capacity), default=Decimal(0))


def performed(offer: Offer, stage: Stage) -> list[tuple[frozenset[str], bool]]:
    """Countries and completeness of an offer's entries of one stage."""
    return [(entry.countries, entry.complete) for entry in offer.chain if entry.main_stage is stage]


def test_each_has_a_license_a_date_and_nothing_to_mend(catalogs: dict[str, Catalog]) -> None:
    """Every catalog says its license and as-of date, and a review finds leads only."""
    assert sorted(catalogs) == sorted(NAMES)
    for catalog in catalogs.values():
        day = "2026-11-27" if catalog.name in ("materials", "usgs-2026") else "2026-12-07"
        assert (catalog.license, str(catalog.as_of)) == ("CC0-1.0", day)
        remarks = review(catalog, [catalogs[name] for name in catalog.requires])
        assert [str(r) for r in remarks if "lead" not in r.message] == []


def test_capacities_chains_and_benchmarks_are_never_assumed(
    catalogs: dict[str, Catalog], confidence: dict[str, Confidence]
) -> None:
    """Only conversion prices and yields are assumptions, and each says so in its first word."""
    for catalog in catalogs.values():
        figures = [step.source for f in catalog.facilities for step in f.capacity]
        figures += [entry.source for o in catalog.offers for entry in o.chain] + [p.source for p in catalog.prices]
        assert not [s for s in figures if confidence[s] is Confidence.ASSUMED]
        for source in catalog.sources:
            assert source.reference.startswith("Assumed") == (source.confidence is Confidence.ASSUMED), source.id
            assert not (source.states and source.confidence is Confidence.RECALLED), source.id


@pytest.mark.parametrize(
    ("parts", "tonnes"),
    [
        ("port-pirie port-pirie-full", 5000), ("thompson-falls thompson-falls-full", Decimal(6000) * Decimal("0.90718474")),
        ("sangdong sangdong-2", Decimal(4600) * Decimal("0.793")), ("independence mp-10x", 10000),
        ("white-mesa-dy white-mesa-dy-2", 240), ("white-mesa-tb white-mesa-tb-2", 66),
        # Phase 1 counts the 25 t of its campaign, and phase 2 the 6,000 t less the nameplate of 1,000.
        ("white-mesa-ndpr", 25), ("white-mesa-ndpr-2", 5000),
        # Not the old 1.4 million pounds of Wodgina.
        ("gam-mines", 50), ("spmp", Decimal(20000) * Decimal("0.8354")), ("mt-carbine", Decimal("104.112") * MTU_W), ("cn-germanium", 140),
    ],
)  # fmt: skip
def test_capacities_add_up_to_the_published_total(facilities: dict[str, Facility], parts: str, tonnes: Decimal) -> None:
    """In the unit that the source says. A total that contains an earlier phase is never added on top of it."""
    assert float(sum(most(facilities[part]) for part in parts.split())) == pytest.approx(float(tonnes * TONNE))


@pytest.mark.parametrize("name", ["vulcan", "hai-phong", "narva", "sumter", "stillwater", "japan-magnets"])
def test_a_magnet_plant_does_not_prove_where_its_alloy_was_melted(offers: dict[str, Offer], name: str) -> None:
    """The sources name the plant and what it makes; who makes its alloy they do not say."""
    for offer in (f"{name}-magnet", f"{name}-magnet-dy"):
        assert not any(complete for _, complete in performed(offers[offer], Stage.MELTED))
        assert all(complete for _, complete in performed(offers[offer], Stage.PRODUCED))


def test_the_day_of_the_facts_is_not_the_day_on_which_they_were_read(catalogs: dict[str, Catalog]) -> None:
    """What was read has the day on which it was; its facts are older, or of a day that is not known."""
    for source in (source for catalog in catalogs.values() for source in catalog.sources):
        if source.confidence in (Confidence.VERIFIED, Confidence.REPORTED):
            assert source.read is not None
            assert source.date is None or source.date < source.read, source.id


@pytest.mark.parametrize(
    ("name", "held"),
    [("mibra", "reported"), ("big-hill", "reported"), ("hai-phong", "reported"), ("spmp", "reported"), ("dolphin", "reported"), ("gtp", "computed")],
)  # fmt: skip
def test_what_is_old_or_an_aim_is_not_verified(
    facilities: dict[str, Facility], confidence: dict[str, Confidence], name: str, held: str
) -> None:
    """A figure of 2017, an aim or a nameplate never reached counts only in a case that asks for what is reported."""
    assert {confidence[step.source] for step in facilities[name].capacity} == {held}


def test_figures_that_were_misread(catalogs: dict[str, Catalog], facilities: dict[str, Facility]) -> None:
    """Each figure of the day and for the good that its source says; events and superseded plans are no capacity."""
    assert most(facilities["gtp"]) <= Decimal("0.3") * 8200 * TONNE
    prices = {(p.id, str(p.date)): p.amount for p in catalogs["usgs-2026"].prices}
    assert prices["dy-oxide-europe", "2025-04-06"] == (250 + 310) / 2
    assert prices["tb-oxide-europe", "2025-04-06"] == (930 + 1000) / 2
    assert prices["ferrotungsten-rotterdam", "2025-12-12"] == (101 + 106) / Decimal(2)
    statuses = {step.status for f in facilities.values() for step in f.capacity}
    assert statuses.isdisjoint({Status.EVENT, Status.SUPERSEDED})
    named = [most(f) for f in facilities.values() if f.within == "cn-germanium"]
    assert (len(named), sum(named) > most(facilities["cn-germanium"])) == (3, True), "they share the country's total"


def test_named_mines_stay_within_the_country_totals(
    catalogs: dict[str, Catalog], facilities: dict[str, Facility]
) -> None:
    """What operates in a country, all catalogs together, is at most what USGS says the country made."""
    elements = {m.id: m.element for m in catalogs["materials"].materials}
    counted = {
        "antimony-concentrate", "tungsten-concentrate", "tantalum-concentrate", "gallium-metal-4n", "titanium-sponge",
        "graphite-natural", "cobalt-concentrate", "magnesium-metal", "fluorspar", "bismuth-metal", "indium-metal",
        "tellurium-metal", "beryllium-concentrate",
    }  # fmt: skip
    running = (Status.OPERATING, Status.RAMPING)
    totals: dict[tuple[str, str], dict[str, Decimal]] = {}
    for offer in (o for c in catalogs.values() for o in c.offers):
        facility = facilities[offer.facility]
        outputs = {line.material for line in offer.outputs}
        mined_here = outputs & counted or facility.id in ("cn-antimony", "cn-tungsten")
        if offer.inputs or not mined_here or not any(s.status in running for s in facility.capacity):
            continue
        root = facilities[facility.within] if facility.within else facility
        totals.setdefault((elements[outputs.pop()], facility.country), {})[root.id] = most(root)
    rows = ((element, *entry.split()) for element, row in USGS_2025.items() for entry in row.split(", "))
    known = {(element, country): int(tonnes) for element, country, tonnes in rows}
    assert {place for place in totals if place not in known} == {("W", "KR")}, "USGS has South Korea among the others"
    for place, tonnes in known.items():
        assert sum(totals[place].values()) <= tonnes * TONNE, place


@pytest.mark.parametrize("name", OPEN_FEED)
def test_purchased_feed_is_never_a_complete_list(offers: dict[str, Offer], name: str) -> None:
    """A plant that buys feed proves no mine, not even with a clean-looking list."""
    assert not any(complete for _, complete in performed(offers[name], Stage.MINED))


def test_what_counts_nothing(facilities: dict[str, Facility]) -> None:
    """Where only a sum over several products was published, until the case gives a split; and gallium that is only announced."""
    leads = ("caremag-heavy", "eneabba", "la-rochelle", "silmet", "silmet-heavy", "clarksville", "lcm")
    assert [name for name in leads if facilities[name].capacity] == []
    (step,) = facilities["wagerup"].capacity
    assert (step.per_year, step.status, str(step.start)) == (100 * TONNE, Status.ANNOUNCED, "2026-12-31")
    assert Accept().counts(step.status) == 0


def test_boguty_and_fort_worth(offers: dict[str, Offer], facilities: dict[str, Facility]) -> None:
    """Kazakh concentrate can only go to China, and its APT is Chinese; MP's plant makes metal, alloy and magnets from oxide."""
    assert [lane.to for lane in offers["boguty-concentrate"].lanes] == ["CN"]
    apt = offers["boguty-apt"]
    assert performed(apt, Stage.MINED) == [(frozenset({"KZ"}), True)]
    assert performed(apt, Stage.REFINED) == [(frozenset({"CN"}), True)]
    assert (facilities[apt.facility].country, facilities[apt.facility].within) == ("CN", "boguty")
    magnet = offers["independence-magnet"]
    assert [line.material for line in magnet.inputs] == ["ndpr-oxide"]
    assert {entry.main_stage for entry in magnet.chain} == {Stage.REFINED, Stage.MELTED, Stage.PRODUCED}


@pytest.mark.parametrize(
    ("name", "dy", "tb"),
    [("nolans-heavy-oxides", 25, 8), ("mountain-pass-heavy-oxides", 3, 1), ("lynas-heavy-oxides", 5, 1)],
)
def test_fixed_proportions_are_outputs(offers: dict[str, Offer], name: str, dy: int, tb: int) -> None:
    """Dysprosium and terbium of one circuit come together in the published proportion."""
    given = {line.material: line.per_unit for line in offers[name].outputs}
    assert float(given["dy-oxide"] / given["tb-oxide"]) == pytest.approx(dy / tb, rel=1e-3)


def test_magnets_outside_china_are_made_of_what_the_plan_buys(offers: dict[str, Offer]) -> None:
    """Every magnet maker outside China takes metal, alloy or oxide as input, or recycles: its chain is really followed."""
    for offer in offers.values():
        magnet = any("magnet" in line.material for line in offer.outputs)
        made_in = frozenset().union(*(countries for countries, _ in performed(offer, Stage.PRODUCED)))
        if magnet and made_in != {"CN"} and offer.facility != "irel-smco":
            assert offer.inputs or any(entry.feed is Feed.RECYCLED for entry in offer.chain), offer.id


def test_materials_carry_the_stages_of_the_law(catalogs: dict[str, Catalog]) -> None:
    """No oxide is produced, covered materials are, and rare earths are separated."""
    for material in catalogs["materials"].materials:
        stages = set(material.stages)
        assert material.form != "oxide" or Stage.PRODUCED not in stages
        assert ("covered-4872" in material.tags) == (Stage.PRODUCED in stages)
        if "rare-earth" in material.tags and material.form not in ("concentrate", "carbonate"):
            assert Stage.SEPARATED in stages
        assert ("permanent-magnet" in material.tags) == (material.form == "magnet")


def test_what_nobody_quotes_has_no_price(offers: dict[str, Offer]) -> None:
    """Every offer is priced but those of three raw goods, and of what is made of the materials from titanium to fluorspar, that nobody quotes."""
    bare = [o for o in offers.values() if o.price is None]
    assert {line.material for o in bare if o.inputs for line in o.outputs} == FORMS
    raw = {o.id: line.material for o in bare if not o.inputs for line in o.outputs}
    assert set(raw.values()) == {"beryllium-concentrate", "re-carbonate", "re-concentrate"}
    others = sorted(name for name in raw if not name.endswith("-beryllium-concentrate"))
    assert others == ["browns-range-concentrate", "serra-verde-carbonate"]


def test_every_form_that_defence_buys_of_a_new_material_has_a_recipe_with_its_source(
    catalogs: dict[str, Catalog], offers: dict[str, Offer], confidence: dict[str, Confidence]
) -> None:
    """No offer of one stands without an input, none of which is assumed, recalled, or of more of an element than there is."""
    materials = {m.id: m for m in catalogs["materials"].materials}
    makers = [o for o in offers.values() if {line.material for line in o.outputs} & FORMS]
    assert {line.material for o in makers for line in o.outputs} == FORMS
    for offer in makers:
        assert offer.inputs, offer.id
        for line in (*offer.inputs, *(offer.outputs if len(offer.outputs) > 1 else ())):
            assert confidence[line.source].reaches(Confidence.REPORTED), (offer.id, line.material)
        made = materials[offer.outputs[0].material]
        taken = [(line.per_unit, materials[line.material]) for line in offer.inputs]
        held = sum(units * (each.content or 0) for units, each in taken if each.element == made.element)
        # Nobody says how much fluorine fluorspar of all grades holds.
        assert made.content is None or made.element == "F" or held >= made.content * Decimal("0.999"), offer.id


def test_cobalt_refining_is_known_of_2015_alone(
    catalogs: dict[str, Catalog],
    offers: dict[str, Offer],
    facilities: dict[str, Facility],
    confidence: dict[str, Confidence],
) -> None:
    """Capacities ten years old count only in a case that takes what is reported."""
    refined = [o for o in offers.values() if {line.material for line in o.outputs} == {"cobalt-metal"}]
    assert len(refined) == 17
    for offer in refined:
        assert {confidence[step.source] for step in facilities[offer.facility].capacity} == {Confidence.REPORTED}


@pytest.mark.parametrize(
    ("name", "floor"), [("usgs-2026", "0"), ("world", "0.84"), ("australia", "0.84"), ("kazakhstan", "0.57")]
)
def test_owners_of_producing_facilities(name: str, floor: str, catalogs: dict[str, Catalog]) -> None:
    """At least this share of the facilities with a capacity has an owner. Rows of a whole country have none."""
    producing = [facility for facility in catalogs[name].facilities if facility.capacity]
    owned = [facility for facility in producing if facility.owners]
    assert Decimal(len(owned)) / len(producing) >= Decimal(floor), [f.id for f in producing if not f.owners]
    assert all(owner.source for facility in owned for owner in facility.owners)
    assert all(sum(owner.share or 0 for owner in facility.owners) <= 1 for facility in owned)
