"""Several catalogs: read together in the order of what needs what, and facilities that two of them describe."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from friendshore.catalog import likely_duplicates, read_catalogs, review
from friendshore.catalog.folder import load_catalog
from friendshore.domain.case import Case, Overlap
from friendshore.domain.facts import Catalog
from friendshore.errors import Diagnostic, InputError, PluginError
from friendshore.recommend import gather

from ..building import (
    bought,
    case,
    catalog,
    changed,
    demand,
    facility,
    planned,
    refused,
    schedule,
    source,
    terms,
    tier,
    told,
)
from ..property.settings import examples

BASE = {
    "sources.csv": "id,reference,confidence\ns,a paper,verified\n",
    "materials.csv": "id,element,basis,stages\napt,W,WO3,mined;refined\n",
    "factors.csv": "element,compound,kg_per_kg,source\nW,WO3,0.793,s\n",
    "prices.csv": "id,material,date,price,source\nrotterdam,apt,2026-01-01,1000 USD/mtu,s\n",
    "facilities.csv": "id,country\nbase-mine,KR\n",
    "offers.csv": "id,facility,material,benchmark,source\nbase-apt,base-mine,apt,rotterdam,s\n",
}
MORE = {
    "sources.csv": "id,reference,confidence\ns,a paper,verified\n",
    "facilities.csv": "id,country\nmore-mine,AU\n",
    "offers.csv": "id,facility,material,benchmark,max_per_year,source\nmore-apt,more-mine,apt,rotterdam,793 kg W/year,s\n",
}


class CatalogPlace(NamedTuple):
    """Where a catalog lies."""

    folder: Path
    distribution: str = ""


class Shelf:
    """Catalog folders by name."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.places: dict[str, CatalogPlace] = {}

    def put(
        self, name: str, tables: Mapping[str, str], requires: str = "", folder: str = "", by: str = ""
    ) -> CatalogPlace:
        """Writes a catalog."""
        place = CatalogPlace(self.root / (folder or name), by)
        place.folder.mkdir(parents=True)
        head = f'schema = 1\nname = "{name}"\nrequires = [{requires}]\n'
        for file, text in {"catalog.toml": head, **tables}.items():
            (place.folder / file).write_text(text, encoding="utf-8")
        self.places[name] = place
        return place

    def complaints(self, *wanted: CatalogPlace) -> list[Diagnostic]:
        return refused(read_catalogs, wanted, self.find)

    def find(self, name: str) -> CatalogPlace:
        if name not in self.places:
            raise PluginError(f"no catalog `{name}` is installed")
        return self.places[name]


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """An empty shelf of catalogs."""
    return Shelf(tmp_path)


def test_a_required_catalog_is_read_along_without_its_offers(shelf: Shelf) -> None:
    """What is only required gives materials, prices and factors, and no supply that the case did not name."""
    shelf.put("base", BASE)
    base, top = read_catalogs([shelf.put("more", MORE, '"base"')], shelf.find)
    assert (base.name, top.name) == ("base", "more")
    assert all((base.materials, base.prices, base.factors))
    assert (base.offers, base.facilities) == ((), ())
    assert top.offers[0].max_per_year == 1000


def test_the_order_of_the_wanted_changes_nothing(shelf: Shelf) -> None:
    """Catalogs come back by name, each once, however often and in whatever order they are named."""
    base, more = shelf.put("base", BASE), shelf.put("more", MORE, '"base"')
    assert read_catalogs([base, more], shelf.find) == read_catalogs([more, base, more], shelf.find)
    assert [len(c.offers) for c in read_catalogs([base, more])] == [1, 1]


def test_mistakes_of_all_catalogs_come_at_once(shelf: Shelf) -> None:
    """One run reports what is wrong in every catalog, and a broken material is not unknown to the others."""
    base = shelf.put("base", BASE | {"materials.csv": "id,element,basis,stages\napt,W,WO3,mind\n"})
    more = shelf.put("more", MORE | {"facilities.csv": "id,country\nmore-mine,Atlantis\n"}, '"base"')
    found = shelf.complaints(base, more)
    assert sorted((Path(p.file).parent.name, p.column) for p in found) == [("base", "stages"), ("more", "country")]


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("facilities.csv", "id,country\nbase-mine,AU\n", "facility `base-mine`"),
        ("materials.csv", "id,element,basis,stages\napt,W,gross,mined;refined\n", "material `apt`"),
        ("prices.csv", "id,material,date,price,source\nrotterdam,apt,2026-02-01,9 USD/kg,s\n", "benchmark `rotterdam`"),
        ("materials.csv", BASE["materials.csv"], ""),
    ],
    ids=["facility", "material", "benchmark", "the same material"],
)
def test_the_same_id_in_two_catalogs_names_both(shelf: Shelf, file: str, text: str, message: str) -> None:
    """Two definitions of one thing name both catalogs and the distributions they came with; the same definition twice is fine."""
    base = shelf.put("base", BASE, by="dist-a 1.0")
    needs = "" if file == "materials.csv" else '"base"'
    other = shelf.put("other", {"sources.csv": MORE["sources.csv"], file: text}, needs, by="dist-b 2.0")
    if not message:
        assert len(read_catalogs([base, other], shelf.find)) == 2
        return
    (clash,) = shelf.complaints(base, other)
    assert message in clash.message
    assert [name in clash.found for name in ("dist-a 1.0", "dist-b 2.0")] == [True, True]


def test_a_site_lies_in_one_country(shelf: Shelf) -> None:
    """Export controls go by where a site lies: another catalog cannot move it by giving a site of its own that name."""
    base = shelf.put("base", BASE | {"facilities.csv": "id,country,place\nbase-mine,CN,yard\n"})
    moved = shelf.put("moved", {"facilities.csv": "id,country,place\nz,JP,yard\n"})
    same = shelf.put("same", {"facilities.csv": "id,country,place\nz,CN,yard\n"})
    found = shelf.complaints(base, moved)
    assert [p.message for p in found] == ["site `yard` is defined by two catalogs, and differently"]
    assert len(read_catalogs([base, same], shelf.find)) == 2


def test_two_catalogs_of_one_name_or_in_a_circle_are_refused(shelf: Shelf) -> None:
    """The same name in two folders names both folders; catalogs that require one another are named."""
    clash = shelf.complaints(shelf.put("base", BASE, by="dist-a 1.0"), shelf.put("base", BASE, folder="copy"))[0]
    assert (clash.code, clash.column) == ("FS121", "name")
    assert [name in clash.found for name in ("dist-a 1.0", "copy")] == [True, True]
    circle = shelf.complaints(shelf.put("one", {}, '"two"'), shelf.put("two", {}, '"one"'))
    assert circle[0].code == "FS120"


def test_a_required_catalog_must_be_found(shelf: Shelf) -> None:
    """Without it the catalog cannot be read; the finder's own error is passed on."""
    more = shelf.put("more", MORE, '"base"')
    with pytest.raises(PluginError, match="base"):
        read_catalogs([more], shelf.find)
    with pytest.raises(InputError, match="FS118"):
        read_catalogs([more])


def test_an_offer_of_a_facility_that_is_left_out_is_refused(shelf: Shelf) -> None:
    """An offer from a facility of a catalog that the case does not use says which catalog to add."""
    shelf.put("base", BASE)
    offers = "id,facility,material,benchmark,source\nx,base-mine,apt,rotterdam,s\n"
    extra = shelf.put("extra", {"sources.csv": MORE["sources.csv"], "offers.csv": offers}, '"base"')
    assert '"base"' in shelf.complaints(extra)[0].fix


def test_review_tells_what_is_not_fatal(shelf: Shelf) -> None:
    """Leads, evidence that nothing uses, contents that contradict the factors, and a benchmark that cannot be converted are told, not refused."""
    tables = BASE | {
        "sources.csv": "id,reference,confidence\ns,a paper,verified\nspare,another,verified\n",
        "materials.csv": "id,element,basis,content,stages\napt,W,WO3,0.5,mined;refined\nscrap,W,gross,,mined\n",
        "offers.csv": "id,facility,material,benchmark,source\nbase-apt,base-mine,apt,,s\nbase-scrap,base-mine,scrap,rotterdam,s\n",
    }
    notes = review(load_catalog(shelf.put("base", tables).folder))
    places = {(note.code, note.file.rpartition("/")[2]) for note in notes}
    assert places >= {
        ("FS132", "capacity.csv"),
        ("FS132", "offers.csv"),
        ("FS133", "chain.csv"),
        ("FS134", "sources.csv"),
        ("FS135", "materials.csv"),
        ("FS136", "offers.csv"),
    }


HERE, THERE = "acme:smelter", "desk:plant-7"


def acme(per_year: float | None = 10, **more: object) -> Catalog:
    """A catalog with one plant, whose metal costs 50."""
    plant = facility("smelter", "AU", per_year, operator="Acme", **more).but(name="Smelter of Acme")
    return catalog(plant, source("AU", 50, name="acme-metal", plant="smelter")).but(name="acme")


def desk(
    *more: object, per_year: float | None = 8, country: str = "AU", plant: str = "plant-7", **said: object
) -> Catalog:
    """A planner's own catalog with the same plant under another name, its metal at 40."""
    place = facility(plant, country, per_year).but(**{"operator": "ACME ", **said})
    sold = source(country, 40, name="desk-metal", plant=plant)
    return catalog(place, sold, *more).but(name="desk")


def one(keep: str = HERE, offers: str = "all", facilities: tuple[str, ...] = (HERE, THERE)) -> Overlap:
    """What a case says of the two: they are one."""
    return Overlap.model_validate({"facilities": facilities, "keep": keep, "offers": offers, "why": "same address"})


def wanting(*overlaps: Overlap, metal: float = 30) -> Case:
    """A case of one year."""
    return case(demand("metal", "civil", metal)).but(overlaps=overlaps)


DISTINCT = Overlap(facilities=(HERE, THERE), why="two lines, two permits")
BEARINGS = (
    terms("plant-7", of="facility", fixed=Decimal(100), currency="USD"),
    schedule("plant-7", tier(0), tier(5, discount=0.5), of="facility"),
)
LINE = (
    facility("line-1", "AU", None, within="plant-7", operator="Acme"),
    source("AU", 30, name="line-metal", plant="line-1"),
)
OXIDE = changed(desk(), "desk-metal", outputs=[{"material": "oxide", "per_unit": 1}], chain=())
TWICE = (
    "`acme:smelter` and `desk:plant-7` count as two facilities, although both sell metal of the same company in AU; "
    "merge them with [[overlap]] if they are one"
)
ONE = "`desk:plant-7` is assumed to be `acme:smelter`, whose record and capacity count; the offers of all use its capacity (same address)"
BOTH = 8 * 40 + 10 * 50 + 12 * 1000
OVERLAPS = {
    "nothing is merged that the case does not merge": ([], desk(), {"acme-metal": 10, "desk-metal": 8}, BOTH, "counted twice", TWICE),
    "called distinct": ([DISTINCT], desk(), {"acme-metal": 10, "desk-metal": 8}, BOTH, "counted twice", ""),
    # Ten a year in all, the cheaper offer first.
    "made one": ([one()], desk(), {"desk-metal": 10}, 10 * 40 + 20 * 1000, "overlap", ONE),
    "of which the other is kept": ([one(keep=THERE)], desk(), {"desk-metal": 8}, 8 * 40 + 22 * 1000, "overlap", ""),
    "with the offers of one": ([one(offers="kept")], desk(), {"acme-metal": 10}, 10 * 50 + 20 * 1000, "overlap", "only its own offers count"),
    "the same name in both": ([one(facilities=(HERE, "desk:smelter"))], desk(plant="smelter"), {"desk-metal": 10}, 10 * 40 + 20 * 1000, "overlap", ""),
    # What ordering from it costs, or saves, is not escaped by calling it something else.
    "terms and prices of the plant left out": ([one()], desk(*BEARINGS), {"desk-metal": 10}, 100 + 10 * 20 + 20 * 1000, "overlap", ""),
    "but not where its offers are left out": ([one(offers="kept")], desk(*BEARINGS), {"acme-metal": 10}, 10 * 50 + 20 * 1000, "overlap", ""),
    "a line within the plant left out": ([one()], desk(*LINE), {"line-metal": 10}, 10 * 30 + 20 * 1000, "overlap", ""),
    "offers of oxide are left out": ([one(offers="kept")], OXIDE, {"acme-metal": 10}, 10 * 50 + 20 * 1000, "overlap", ""),
}  # fmt: skip


@pytest.mark.parametrize(("overlaps", "other", "expected", "cost", "subject", "words"), OVERLAPS.values(), ids=OVERLAPS)
def test_what_two_records_of_one_plant_come_to(
    overlaps: list[Overlap], other: Catalog, expected: dict[str, float], cost: float, subject: str, words: str
) -> None:
    """What is bought of 30 kg that are wanted, what it costs, and what the plan says that it rests on."""
    found = planned(wanting(*overlaps), [acme(), other])
    assert (bought(found), found.run.objective) == (expected, cost)
    assert words in told(found, subject)
    assert words or subject == "overlap" or not told(found, subject)


SUPPLIER_TERMS = terms("ACME ", of="supplier", fixed=Decimal(9), currency="USD")


@pytest.mark.parametrize(
    ("overlaps", "here", "there", "words"),
    [
        ([], acme(), desk(plant="smelter"), "FS122 facility `smelter`"),
        ([one()], acme(), desk(country="MY"), "found MY and AU"),
        ([one(facilities=(HERE, "desk:plant-8"))], acme(), desk(), "FS102 no facility `desk:plant-8`"),
        ([one(facilities=(HERE, "dusk:plant-7"))], acme(), desk(), "FS102 no facility `dusk:plant-7`"),
        ([one()], acme(), desk(SUPPLIER_TERMS), "FS123 terms or prices of supplier ACME  in catalog `desk`"),
        ([one()], acme(within="line"), desk(facility("line", "AU", 5, within="plant-7")), "found line in smelter in line"),
        ([one()], acme(), OXIDE, "found oxide; expected metal"),
    ],
)  # fmt: skip
def test_what_cannot_be_one_is_refused(overlaps: list[Overlap], here: Catalog, there: Catalog, words: str) -> None:
    """With what is wrong, and what would have to be otherwise."""
    said = "\n".join(map(str, refused(planned, wanting(*overlaps), [here, there])))
    assert words in said
    assert overlaps or "[[overlap]]" in said


def test_what_the_record_left_out_says_is_told_before_anything_is_planned() -> None:
    """A parent, a place, a capacity that no longer counts: a planner sees it in the check."""
    gathered = gather(wanting(one()), catalogs=[acme(), desk(parent="State Holding")])
    assert {p.code for p in gathered.ignored_figures} == {"FS124"}
    notes = {p.message.partition(" is ignored")[0]: (p.found, p.expected) for p in gathered.ignored_figures}
    assert notes["`parent` of `desk:plant-7`"] == ("State Holding", "nothing")
    assert notes["`capacity` of `desk:plant-7`"][0] == "8 kg/year"


LINES = catalog(facility("a", "AU", 1, operator="Acme"), facility("b", "AU", 1, operator="Acme"))


@pytest.mark.parametrize(
    ("catalogs", "why"),
    [
        ([desk(), acme()], "both sell metal of the same company in AU"),
        ([acme(), desk(name="SMELTER OF ACME", operator="Somebody else")], "both are called SMELTER OF ACME, in AU"),
        ([acme(), desk(country="MY")], ""),
        ([acme(), desk(operator="Beta")], ""),
        ([acme(), OXIDE], ""),
        ([LINES], ""),
    ],
    ids=["company", "name", "across a border", "another company", "another material", "within a catalog"],
)
def test_only_what_is_alike_in_two_catalogs_is_taken_for_one(catalogs: list[Catalog], why: str) -> None:
    """The same name in one country, or the same company selling the same material; what the case says of them is not asked again."""
    assert [(pair.names, pair.why) for pair in likely_duplicates(catalogs)] == ([((HERE, THERE), why)] if why else [])
    assert likely_duplicates(catalogs, [one()]) == likely_duplicates(catalogs, [DISTINCT]) == []


@examples(30)
@given(
    st.integers(1, 30),
    st.integers(1, 30),
    st.integers(1, 90),
    st.integers(1, 90),
    st.sampled_from(["all", "kept"]),
    st.booleans(),
)
def test_made_one_is_what_one_catalog_would_have_said(
    here: int, there: int, price: int, other: int, offers: str, keep_here: bool
) -> None:
    """The same cost as a single catalog in which both offers, or the kept one, come from the one plant."""
    sold = [
        source("AU", price, name="acme-metal", plant="smelter"),
        source("AU", other, name="desk-metal", plant="smelter"),
    ]
    if offers == "kept":
        sold = [sold[0] if keep_here else sold[1]]
    by_hand = catalog(facility("smelter", "AU", here if keep_here else there, operator="Acme"), *sold)
    first = changed(acme(here), "acme-metal", price={"amount": price, "currency": "USD", "source": "tiny:s"})
    second = changed(desk(per_year=there), "desk-metal", price={"amount": other, "currency": "USD", "source": "tiny:s"})
    merge_facilities = planned(wanting(one(HERE if keep_here else THERE, offers)), [first, second])
    assert merge_facilities.run.objective == planned(wanting(), by_hand).run.objective
