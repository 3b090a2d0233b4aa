"""Several catalogs are read together, in the order of what needs what, and must not contradict each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from friendshore.catalog import read_catalogs, review
from friendshore.catalog.folder import read_catalog
from friendshore.errors import Diagnostic, InputError, PluginError

from ..building import refused


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
