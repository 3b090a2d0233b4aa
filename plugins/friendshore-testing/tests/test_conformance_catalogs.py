"""The checks of catalogs: a sound one passes them all, and for each check there is a catalog that it alone finds."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from tests.functional.depth import few
from tests.functional.sample_plugins import TABLES

from friendshore.catalog import read_catalogs
from friendshore.catalog.convert import texts_of, write_workbook
from friendshore.plugins import Registry
from friendshore_testing import Check, checks_of, conforms
from friendshore_testing.catalogs import rewriting_differences

BUNDLED = Path(__file__).parents[3] / "catalogs" / "friendshore_catalogs"


def write(folder: Path, name: str = "tin", **changes: tuple[str, str]) -> Path:
    """A catalog, each named table changed: old text, new text."""
    folder.mkdir()
    for file, text in TABLES.items():
        old, new = changes.get(file.partition(".")[0], ("acme-tin", name))
        assert old in text or file not in ("catalog.toml", *(f"{table}.csv" for table in changes))
        (folder / file).write_text(text.replace(old, new))
    return folder


def found(checks: Iterable[Check]) -> dict[str, str]:
    return {c.name: "; ".join(map(str, o.problems)) for c in checks if (o := c.outcome()).problems}


@pytest.mark.parametrize("check", checks_of(BUNDLED), ids=str)
def test_bundled_catalogs_conform(check: Check) -> None:
    """Like everybody's."""
    check.require()


def test_a_sound_catalog_passes_all_checks(tmp_path: Path) -> None:
    """Nothing at all is found, not even to note: stages come with inputs, and a blank country says that nobody knows."""
    assert found(checks_of(write(tmp_path / "tin"), Registry.of())) == {}


ASSUMED = "quote,a quote of Acme,2026-10-01,assumed"
BAD: dict[str, tuple[str, dict[str, tuple[str, str]], str]] = {
    "old benchmark": ("dates", {"prices": (TABLES["prices.csv"], TABLES["prices.csv"].replace("2026-10", "2023-06").replace("2026-09", "2023-05"))}, r"\[benchmark\]: FS951 .*`tin-lme`.*3\.4 years"),
    "unknown unit": ("read", {"offers": ("30 USD/kg", "30 USD/litre")}, r"offers\.csv:2 \[price\]"),
    "mass without a unit": ("read", {"capacity": ("100 t/year", "100")}, r"capacity\.csv:2 \[per_year\].*a number with a unit"),
    "price for no mass": ("read", {"offers": ("30 USD/kg", "30 USD")}, r"money per mass"),
    "oxide for contained": ("read", {"offers": ("30 USD/kg", "30 USD/kg SnO2")}, r"FS112 .*factors\.csv: Sn,SnO2,"),
    "unit of another metal": ("read", {"offers": ("30 USD/kg", "300 USD/mtu")}, r"FS112 .*to the basis of `tin`"),
    "figure without a source": ("read", {"capacity": ("100 t/year,operating,quote", "100 t/year,operating,")}, r"capacity\.csv:2 \[source\].*a blank cell"),
    "price without a source": ("read", {"offers": ("30 USD/kg,quote,,5 t,quote", "30 USD/kg,,,5 t,")}, r"offers\.csv:2 \[price_source\].*the price has no source"),
    "content without a source": ("evidence", {"materials": ("gross,1,mined;refined,quote", "gross,1,mined;refined,")}, r"materials\.csv:2 \[source\]: FS104 .*`tin`"),
    "stage of an input left out": ("stages", {"recipe": ("tin-jp,input,tin-oxide,1.3,list\n", "")}, r"\[stage\]: FS950 .*`tin-jp`.* mined"),
    "stage left out": ("stages", {"chain": ("oxide-au,mined,AU,yes,quote\n", "")}, r"chain\.csv:4 \[stage\]: FS950 .*`countries`"),
    "not read": ("evidence", {"sources": ("list,a list,2026-09-01,computed", "list,a list,,reported"), "capacity": ("9 t/year,operating,list", "9 t/year,operating,quote")}, r"sources\.csv:3 \[read\]: FS950 source `list`"),
    "stage not stated": ("stated", {"sources": ("mined;refined", "mined")}, r"chain\.csv:3 \[complete\]: FS950 .*`tin-au`.*refined.* AU.*states mined.*complete = no"),
    "step not stated": ("stated", {"sources": ("smelting", "melting")}, r"chain\.csv:6 \[complete\]: FS950 .*`tin-jp`.*smelting.* JP.*states melting"),
    "capacity of no day": ("dates", {"sources": ("a quote of Acme,2026-10-01,verified", "a quote of Acme,,computed")}, r"capacity\.csv:2 \[source\]: FS951 .*`smelter`.*computed.*`reported`"),
    "dear by a thousand": ("prices", {"offers": ("30 USD/kg", "31500 USD/kg")}, r"offers\.csv:2 \[price\]: FS952 .*per tonne .*per kilogram"),
    "cheap by a thousand": ("prices", {"offers": ("30 USD/kg", "30 USD/t")}, r"offers\.csv:2 \[price\]: FS952 .*per kilogram .*per tonne"),
    "dear by its element": ("prices", {"offers": ("26 USD/kg", "26000 USD/kg")}, r"FS952 .*`oxide-au`"),
    "benchmark off": ("prices", {"prices": ("tin-lme,tin,2026-09-01,31 USD/kg", "tin-nyc,tin,2026-09-01,31000 USD/kg")}, r"FS952 .*`tin-"),
    "source after the catalog": ("dates", {"sources": ("2026-09-01", "2026-12-24")}, r"FS951 source `list` .*2026-12-24"),
    "old source": ("old", {"sources": ("2026-09-01,computed", "2019-09-01,reported")}, r"FS951 source `list` .*2019-09-01, 7\.2 years"),
    "stale price": ("dates", {"sources": ("2026-10-01", "2024-09-01")}, r"offers\.csv:2 \[price\]: FS951 .*`tin-au`.*2024-09-01, 2\.2 years"),
    "no sources": ("read", {"sources": (TABLES["sources.csv"], "")}, r"sources\.csv.*(no header|empty)"),
    "assumed figures": ("weak", {"sources": ("quote,a quote of Acme,2026-10-01,verified", ASSUMED)}, r"FS950 .*smelter.*assumed"),
    "lead": ("review", {"capacity": ("works,2020-01-01,9 t/year,operating,list\n", "")}, r"`works` has no capacity"),
}  # fmt: skip


def test_the_day_on_which_a_source_was_read_does_not_make_its_facts_younger(tmp_path: Path) -> None:
    """A figure of 2017 that somebody read last month is a figure of 2017: no verified capacity, and no price."""
    read = (
        "id,reference,date,read,confidence,states\nquote,a quote of Acme,2017-01-31,2026-10-20,verified,mined;refined\n"
        "list,a list,2026-09-01,2026-10-20,computed,smelting\n"
    )
    said = found(checks_of(write(tmp_path / "tin", sources=(TABLES["sources.csv"], read)), Registry.of()))
    assert set(said) == {"dates", "old"}
    assert re.search(r"capacity\.csv:2 \[source\]: FS951 .*`smelter`.*2017-01-31, 9\.7 years", said["dates"])
    assert re.search(r"offers\.csv:2 \[price\]: FS951 .*`tin-au`.*2017-01-31", said["dates"])


@pytest.mark.parametrize("name", few(BAD, 5, whole=True))
def test_each_check_finds_the_catalog_that_breaks_it(tmp_path: Path, name: str) -> None:
    """The check is named that the catalog breaks, and it alone; what is wrong is said with its place."""
    check, changes, words = BAD[name]
    said = found(checks_of(write(tmp_path / "tin", **changes), Registry.of()))
    assert set(said) == {check}, said
    assert re.search(words, said[check]), said[check]


def test_a_workbook_is_checked_like_a_folder(tmp_path: Path) -> None:
    """The same catalog in one file passes, and is found what is found of the folder."""
    pytest.importorskip("openpyxl")
    write_workbook(texts_of(write(tmp_path / "tin")), tmp_path / "tin.xlsx")
    assert found(checks_of(tmp_path / "tin.xlsx", Registry.of())) == {}
    dear = write(tmp_path / "dear", offers=("30 USD/kg", "31500 USD/kg"))
    write_workbook(texts_of(dear), tmp_path / "dear.xlsx")
    assert set(found(checks_of(tmp_path / "dear.xlsx", Registry.of()))) == {"prices"}


def test_what_an_installed_catalog_has_too_is_told(tmp_path: Path) -> None:
    """The same id in two catalogs is a mistake; the same plant under another name is noted."""
    registry = Registry.of(catalogs={"tin": write(tmp_path / "tin")})
    clashing = write(tmp_path / "other", "other")
    said = found(checks_of(clashing, registry))
    assert "offer `tin-au` is defined by two catalogs" in said["clashes"]
    names = {"tin-au": "au-1", "oxide-au": "au-2", "tin-jp": "jp-1", "smelter": "s", "works": "w", "tin-lme": "lme"}
    for file in clashing.glob("*.csv"):
        text = file.read_text()
        for old, new in names.items():
            text = re.sub(rf"(?<![\w-]){old}(?![\w-])", new, text)
        file.write_text(text)
    said = found(checks_of(clashing, registry))
    assert set(said) == {"doubles"}, said
    assert re.search("FS954 `s` and `smelter` of catalog `tin`", said["doubles"])


def test_facts_that_change_when_written_anew_are_told(tmp_path: Path) -> None:
    """A catalog is compared with its tables in another order of rows and with kilograms."""
    registry = Registry.of()
    one, other = (registry.catalog_folder(str(write(tmp_path / name))) for name in ("tin", "changed"))
    (catalog,) = read_catalogs([one])
    assert list(rewriting_differences(catalog, one, registry)) == []
    offers = other.folder / "offers.csv"
    offers.write_text(offers.read_text().replace("5 t", "6 t"))
    (problem,) = rewriting_differences(catalog, other, registry)
    assert (problem.code, "offers" in problem.message) == ("FS953", True)


def test_all_that_is_found_is_raised_at_once(tmp_path: Path) -> None:
    """A plain call fails with every mistake of every check, and does not fail for notes."""
    folder = write(tmp_path / "tin", offers=("30 USD/kg", "31500 USD/kg"), chain=("tin-au,mined,AU,yes,quote\n", ""))
    with pytest.raises(AssertionError, match=r"check `stages`[\s\S]*check `prices`"):
        conforms(folder, Registry.of())
    conforms(write(tmp_path / "lead", capacity=("works,2020-01-01,9 t/year,operating,list\n", "")), Registry.of())
