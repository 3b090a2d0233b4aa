"""Several catalogs: read together in the order of what needs what, and facilities that two of them describe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from friendshore.catalog import read_catalogs, review, twins
from friendshore.catalog.folder import read_catalog
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
    short,
    source,
    terms,
    tier,
    told,
)
from ..property.settings import examples

# --------------------------------------------------------------------------------------------------------- read together


@dataclass(frozen=True)
class Place:
    """Where a catalog lies."""

    folder: Path
    distribution: str = ""


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


class Shelf:
    """Catalog folders by name."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.places: dict[str, Place] = {}

    def put(self, name: str, tables: Mapping[str, str], requires: str = "", folder: str = "", by: str = "") -> Place:
        """Writes a catalog."""
        place = Place(self.root / (folder or name), by)
        place.folder.mkdir(parents=True)
        head = f'schema = 1\nname = "{name}"\nrequires = [{requires}]\n'
        for file, text in {"catalog.toml": head, **tables}.items():
            (place.folder / file).write_text(text, encoding="utf-8")
        self.places[name] = place
        return place

    def find(self, name: str) -> Place:
        """Where the catalog called `name` lies."""
        if name not in self.places:
            raise PluginError(f"no catalog `{name}` is installed")
        return self.places[name]


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """An empty shelf of catalogs."""
    return Shelf(tmp_path)


def complaints(shelf: Shelf, *wanted: Place) -> list[Diagnostic]:
    """What is wrong with these catalogs together."""
    return refused(read_catalogs, wanted, shelf.find)


def test_a_required_catalog_is_read_along_without_its_offers(shelf: Shelf) -> None:
    """What is only required gives materials, prices and factors, and no supply that the case did not name."""
    shelf.put("base", BASE)
    more = shelf.put("more", MORE, '"base"')
    base, top = read_catalogs([more], shelf.find)
    assert (base.name, top.name) == ("base", "more")
    assert base.materials
    assert base.prices
    assert base.factors
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
    found = complaints(shelf, base, more)
    assert sorted((Path(p.file).parent.name, p.column) for p in found) == [("base", "stages"), ("more", "country")]


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("facilities.csv", "id,country\nbase-mine,AU\n", "facility `base-mine`"),
        ("materials.csv", "id,element,basis,stages\napt,W,gross,mined;refined\n", "material `apt`"),
        ("prices.csv", "id,material,date,price,source\nrotterdam,apt,2026-02-01,9 USD/kg,s\n", "benchmark `rotterdam`"),
    ],
)
def test_the_same_id_in_two_catalogs_names_both(shelf: Shelf, file: str, text: str, message: str) -> None:
    """Two definitions of one thing name both catalogs and the distributions they came with."""
    base = shelf.put("base", BASE, by="dist-a 1.0")
    other = {"sources.csv": MORE["sources.csv"], file: text}
    needs = "" if file == "materials.csv" else '"base"'
    clash = complaints(shelf, base, shelf.put("other", other, needs, by="dist-b 2.0"))
    assert len(clash) == 1
    assert message in clash[0].message
    assert "dist-a 1.0" in clash[0].found
    assert "dist-b 2.0" in clash[0].found


def test_a_site_lies_in_one_country(shelf: Shelf) -> None:
    """Export controls go by where a site lies: another catalog cannot move it by giving a site of its own that name."""
    base = shelf.put("base", BASE | {"facilities.csv": "id,country,place\nbase-mine,CN,yard\n"})
    moved = shelf.put("moved", {"facilities.csv": "id,country,place\nz,JP,yard\n"})
    same = shelf.put("same", {"facilities.csv": "id,country,place\nz,CN,yard\n"})
    found = complaints(shelf, base, moved)
    assert [p.message for p in found] == ["site `yard` is defined by two catalogs, and differently"]
    assert len(read_catalogs([base, same], shelf.find)) == 2


def test_the_same_material_twice_is_fine(shelf: Shelf) -> None:
    """Catalogs that stand on their own may define the same material in the same way."""
    base = shelf.put("base", BASE)
    alone = shelf.put("alone", {"materials.csv": BASE["materials.csv"]})
    assert len(read_catalogs([base, alone])) == 2


def test_two_catalogs_of_one_name_are_refused(shelf: Shelf) -> None:
    """The same name in two folders names both folders."""
    one, two = shelf.put("base", BASE, by="dist-a 1.0"), shelf.put("base", BASE, folder="copy")
    clash = complaints(shelf, one, two)
    assert "two catalogs are called `base`" in clash[0].message
    assert "dist-a 1.0" in clash[0].found
    assert "copy" in clash[0].found


def test_a_circle_of_catalogs_is_refused(shelf: Shelf) -> None:
    """Catalogs that require one another are named."""
    one, two = shelf.put("one", {}, '"two"'), shelf.put("two", {}, '"one"')
    assert "circle" in complaints(shelf, one, two)[0].message


def test_a_required_catalog_must_be_found(shelf: Shelf) -> None:
    """Without it the catalog cannot be read; the finder's own error is passed on."""
    more = shelf.put("more", MORE, '"base"')
    with pytest.raises(PluginError, match="base"):
        read_catalogs([more], shelf.find)
    with pytest.raises(InputError, match="not to be found"):
        read_catalogs([more])


def test_an_offer_of_a_facility_that_is_left_out_is_refused(shelf: Shelf) -> None:
    """An offer from a facility of a catalog that the case does not use says which catalog to add."""
    shelf.put("base", BASE)
    tables = {
        "sources.csv": MORE["sources.csv"],
        "offers.csv": "id,facility,material,benchmark,source\nx,base-mine,apt,rotterdam,s\n",
    }
    problem = complaints(shelf, shelf.put("extra", tables, '"base"'))[0]
    assert '"base"' in problem.fix


def test_review_tells_what_is_not_fatal(shelf: Shelf) -> None:
    """Leads, evidence that nothing uses and contents that contradict the factors are told, not refused."""
    tables = BASE | {
        "sources.csv": "id,reference,confidence\ns,a paper,verified\nspare,another,verified\n",
        "materials.csv": "id,element,basis,content,stages\napt,W,WO3,0.5,mined;refined\n",
        "offers.csv": "id,facility,material,source\nbase-apt,base-mine,apt,s\n",
    }
    told = "\n".join(map(str, review(read_catalog(shelf.put("base", tables).folder))))
    for words in ("no capacity", "no price", "no chain", "`base:spare` is not used", "disagree by more than 1 %"):
        assert words in told


def test_review_tells_of_benchmarks_that_cannot_be_converted(shelf: Shelf) -> None:
    """An offer priced by a benchmark of another element, or of unknown content, is told."""
    tables = BASE | {
        "materials.csv": BASE["materials.csv"] + "scrap,W,gross,mined\n",
        "offers.csv": "id,facility,material,benchmark,source\nbase-scrap,base-mine,scrap,rotterdam,s\n",
    }
    told = [p.message for p in review(read_catalog(shelf.put("base", tables).folder))]
    assert any("cannot be priced" in message for message in told)


# --------------------------------------------------------------------------------- facilities that two catalogs describe


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


def refusal(given_case: Case, *catalogs: Catalog) -> str:
    """What is said of a case that is refused."""
    return "\n".join(map(str, refused(gather, given_case, catalogs=catalogs)))


def test_two_records_of_one_plant_count_twice_and_the_plan_says_so() -> None:
    """Nothing is merged that the case does not merge: both capacities count, and a reader is told."""
    found = planned(wanting(), [acme(), desk()])
    assert short(found) == {"metal-civil": 12}
    assert told(found, "counted twice") == (
        "`acme:smelter` and `desk:plant-7` count as two facilities, though both sell metal of the same company in AU; "
        "[[overlap]] would make them one"
    )


def test_made_one_their_offers_draw_on_one_capacity() -> None:
    """Ten a year in all, the cheaper offer first; what the plan rests on is said."""
    found = planned(wanting(one()), [acme(), desk()])
    assert (bought(found), short(found)) == ({"desk-metal": 10}, {"metal-civil": 20})
    assert told(found, "overlap") == (
        "`desk:plant-7` is taken to be `acme:smelter`, whose record and capacity count; offers of all draw on it (same address)"
    )
    kept_there = planned(wanting(one(keep=THERE)), [acme(), desk()])
    assert (bought(kept_there), short(kept_there)) == ({"desk-metal": 8}, {"metal-civil": 22})


def test_made_one_with_the_offers_of_one() -> None:
    """The other catalog's offers are not on the market."""
    found = planned(wanting(one(offers="kept")), [acme(), desk()])
    assert (bought(found), short(found)) == ({"acme-metal": 10}, {"metal-civil": 20})
    assert "its offers alone count" in told(found, "overlap")


def test_called_distinct_both_count_and_nothing_is_said() -> None:
    """The planner has looked: they are two plants."""
    apart = Overlap(facilities=(HERE, THERE), why="two lines, two permits")
    found = planned(wanting(apart), [acme(), desk()])
    assert (short(found), told(found, "counted twice")) == ({"metal-civil": 12}, "")


def test_the_same_name_in_both_is_refused_until_the_case_says_which_to_keep() -> None:
    """The message says how; then it is one plant."""
    both = (acme(), desk(plant="smelter"))
    with pytest.raises(InputError, match=r"facility `smelter` is defined by two catalogs.*\[\[overlap\]\]"):
        planned(wanting(), both)
    found = planned(wanting(one(facilities=(HERE, "desk:smelter"))), both)
    assert bought(found) == {"desk-metal": 10}


def test_terms_and_prices_of_the_plant_left_out_bear_on_the_one_kept() -> None:
    """What ordering from it costs, or saves, is not escaped by calling it something else."""
    bearings = (
        terms("plant-7", of="facility", fixed=Decimal(100), currency="USD"),
        schedule("plant-7", tier(0), tier(5, discount=0.5), of="facility"),
    )
    found = planned(wanting(one()), [acme(), desk(*bearings)])
    assert bought(found) == {"desk-metal": 10}
    assert found.run.objective == 100 + 10 * 20 + 20 * 1000
    without = planned(wanting(one(offers="kept")), [acme(), desk(*bearings)])
    assert without.run.objective == 10 * 50 + 20 * 1000


def test_what_lies_within_the_plant_left_out_lies_within_the_one_kept() -> None:
    """A line of it shares the capacity of the one that counts."""
    line = facility("line-1", "AU", None, within="plant-7", operator="Acme")
    more = source("AU", 30, name="line-metal", plant="line-1")
    found = planned(wanting(one()), [acme(), desk(line, more)])
    assert (bought(found), short(found)) == ({"line-metal": 10}, {"metal-civil": 20})


@pytest.mark.parametrize(
    ("overlap", "catalogs", "words"),
    [
        (one(), [acme(), desk(country="MY")], "cannot be one facility: they lie in different countries"),
        (one(facilities=(HERE, "desk:plant-8")), [acme(), desk()], "there is no facility `desk:plant-8`"),
        (one(facilities=(HERE, "dusk:plant-7")), [acme(), desk()], "there is no facility `dusk:plant-7`"),
        (
            one(),
            [acme(), desk(terms("ACME ", of="supplier", fixed=Decimal(9), currency="USD"))],
            "terms or prices of supplier ACME  in catalog `desk` would no longer bear on the offers of `desk:plant-7`",
        ),
        (one(), [acme(within="line"), desk(facility("line", "AU", 5, within="plant-7"))], "would lie within itself"),
    ],
)  # fmt: skip
def test_what_cannot_be_one_is_refused(overlap: Overlap, catalogs: list[Catalog], words: str) -> None:
    """With what is wrong, and what would have to be otherwise."""
    said = refusal(wanting(overlap), *catalogs)
    assert words.split(" found ", maxsplit=1)[0] in said, said


def test_capacities_that_count_kilograms_of_other_things_are_not_shared() -> None:
    """Ten tonnes of metal a year are not ten of oxide: its offers cannot draw on them."""
    oxide = changed(desk(), "desk-metal", outputs=[{"material": "oxide", "per_unit": 1}], chain=())
    assert "count kilograms of other things than the capacity of `acme:smelter`" in refusal(
        wanting(one()), acme(), oxide
    )
    assert bought(planned(wanting(one(offers="kept")), [acme(), oxide])) == {"acme-metal": 10}


def test_what_the_record_left_out_says_is_told_before_anything_is_planned() -> None:
    """A parent, a place, a capacity that no longer counts: a planner sees it in the check."""
    gathered = gather(wanting(one()), catalogs=[acme(), desk(parent="State Holding")])
    said = [(p.message, p.found, p.expected) for p in gathered.overridden]
    assert (
        "`parent` of `desk:plant-7` does not count: the case keeps `acme:smelter`",
        "State Holding",
        "nothing",
    ) in said
    assert any(m.startswith("`capacity` of `desk:plant-7`") and f == "8 kg/year from ever" for m, f, _ in said)


def test_only_what_is_alike_in_two_catalogs_is_taken_for_one() -> None:
    """The same name in one country, or the same company selling the same material; not within a catalog, not across a border."""
    assert [pair.names for pair in twins([desk(), acme()])] == [(HERE, THERE)]
    named = desk(name="SMELTER OF ACME", operator="Somebody else")
    assert [pair.why for pair in twins([acme(), named])] == ["both are called SMELTER OF ACME, in AU"]
    assert twins([acme(), desk(country="MY")]) == []
    assert twins([acme(), desk(operator="Beta")]) == []
    other = changed(desk(), "desk-metal", outputs=[{"material": "oxide", "per_unit": 1}])
    assert twins([acme(), other]) == []
    lines = catalog(facility("a", "AU", 1, operator="Acme"), facility("b", "AU", 1, operator="Acme"))
    assert twins([lines]) == []
    assert twins([acme(), desk()], [one(), Overlap(facilities=(HERE, THERE))]) == []


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
    united = planned(wanting(one(HERE if keep_here else THERE, offers)), [first, second])
    assert united.run.objective == planned(wanting(), by_hand).run.objective
