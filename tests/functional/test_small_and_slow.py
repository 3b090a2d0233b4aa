"""Small inputs that took minutes, or memory without bound: each is told in words, or read in no time."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from friendshore.case import load_case
from friendshore.cli.cases import write_starter
from friendshore.domain.facts import Material
from friendshore.domain.time import EPOCH, today
from friendshore.errors import FriendshoreError, InputError
from friendshore.plugins import Registry
from friendshore.reading.workbook import added_text
from friendshore.recommend import check, plan

from ..building import case as building_case
from ..building import catalog, demand, facility, lines, offer, planned


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """The small case of `init`."""
    write_starter(tmp_path / "case")
    return tmp_path / "case"


def add(file: Path, text: str) -> None:
    """Add some text to a file."""
    file.write_text(file.read_text(encoding="utf-8") + text, encoding="utf-8")


def told(case: Path) -> list[str]:
    """All mistakes of a case."""
    return [error.message for error in check(case, Registry.of()).errors]


@pytest.mark.deep
def test_thousands_of_ids_that_were_renamed_are_all_told(case: Path) -> None:
    """Only the first are looked up for a suggestion."""
    plants = range(1200)
    add(case / "catalog" / "facilities.csv", "".join(f"plant-{i},P,O,CA,invented\n" for i in plants))
    offers = (f"o{i},plnat-{i},gallium-4n,1 USD/kg,invented,,,invented\n" for i in plants)
    add(case / "catalog" / "offers.csv", "".join(offers))
    found = [one for one in check(case, Registry.of()).errors if "facility" in one.message + one.column]
    assert len(found) == len(plants)
    assert "did you mean `plant-0`?" in found[0].fix
    assert "did you mean" not in found[-1].fix


def test_facilities_one_in_the_other_without_end_are_told(case: Path) -> None:
    """A chain of thousands is no site."""
    count = 5000
    chain = "".join(f"f{i},P,O,CA,{f'f{i + 1}' if i < count - 1 else ''},invented\n" for i in range(count))
    head = "id,name,operator,country,within,source\nquebec,P,O,CA,f0,invented\nguangxi,P,O,CN,,invented\nkwinana,P,O,AU,,invented\n"
    (case / "catalog" / "facilities.csv").write_text(head + chain, encoding="utf-8")
    assert "FS108" in [error.code for error in check(case, Registry.of()).errors]


@pytest.mark.deep
def test_scenarios_that_inherit_without_end_are_told(case: Path) -> None:
    """A chain of thousands is refused, and one that doubles at each step takes no time."""
    one = '[[scenario]]\nname = "s{0}"\ninherits = [{1}]\nchange = [{{ disable = "defense-origin" }}]\n'
    deep = "".join(one.format(i, f'"s{i + 1}"') for i in range(300)) + one.format(300, "")
    twice = "".join(one.format(f"{i}{side}", f'"s{i + 1}a", "s{i + 1}b"') for i in range(60) for side in "ab")
    twice += one.format("60a", "") + one.format("60b", "")
    text = (case / "case.toml").read_text(encoding="utf-8")
    (case / "case.toml").write_text(text + twice, encoding="utf-8")
    found = plan(load_case(case), registry=Registry.of(), scenario="s0a", workers=1)
    assert found.run.scenario == ["s0a"]
    (case / "case.toml").write_text(text + deep, encoding="utf-8")
    with pytest.raises(InputError, match="FS245"):
        plan(load_case(case), registry=Registry.of(), scenario="s0", workers=1)
    assert any("inherits through more than 100 others" in message for message in told(case))


def test_a_number_format_longer_than_any_is_told() -> None:
    """A million brackets were read from each of them on."""
    assert added_text("[" * 1_000_000, Decimal(1)) == "the text of a format with 1,000,000 characters"


@pytest.mark.parametrize("name", ["case.toml", "catalog/catalog.toml"])
def test_a_file_larger_than_any_is_refused(case: Path, name: str) -> None:
    """A file of 200 GB that takes no disk is not read into memory."""
    with (case / name).open("ab") as file:
        file.truncate(200_000_000_000)
    with pytest.raises((FriendshoreError, OSError), match=r"is too large|is larger than"):
        plan(load_case(case), registry=Registry.of(), workers=1)


@pytest.mark.parametrize("seconds", ["9" * 30, "x", "-1", ""])
def test_a_clock_that_says_no_day_is_passed_by(monkeypatch: pytest.MonkeyPatch, seconds: str) -> None:
    """What is no number of seconds is no day."""
    monkeypatch.delenv(EPOCH, raising=False)
    here = today()
    monkeypatch.setenv(EPOCH, seconds)
    assert today() >= here


def deep(count: int, made_of: Sequence[tuple[int, int]], mine: bool = True) -> tuple[float, str]:
    """Return the kilograms short, and the causes, where the second of each pair of materials is made of the first.

    A mine gives 1 t of the first material; 100 t of the last are wanted.
    """
    materials = [
        Material(id=f"m{i}", element="X", form="metal", basis="gross", content=1, hs="", stages=())
        for i in range(count)
    ]
    offers = [offer(f"o{i}-{j}", "works", f"m{j}", 1, inputs=lines(**{f"m{i}": 1})) for i, j in made_of]
    offers += [offer("mined", "mine", "m0", 1)] * mine
    facts = catalog(facility("mine", "CA", 1000), facility("works", "AU", 10**9), *offers).but(materials=materials)
    (only,) = planned(building_case(demand(f"m{count - 1}", "civil", 100_000, price=100_000)), facts).run.shortages
    return float(only.quantity_kg), "; ".join(cause.kinds for cause in only.causes)


@pytest.mark.deep
@pytest.mark.parametrize("loop", [False, True], ids=["chain", "loop"])
def test_recipes_hundreds_of_steps_deep_are_planned(loop: bool) -> None:
    """A chain of 300 makers, and one that goes round, bring what the mine gives."""
    steps = [(i, i + 1) for i in range(299)] + [(299, 0)] * loop
    assert deep(300, steps) == (99_000, "capacity")


@pytest.mark.parametrize("mine", [True, False], ids=["a mine", "no mine"])
def test_a_dozen_materials_made_of_each_other_are_planned(mine: bool) -> None:
    """There are more ways through them than could be followed."""
    steps = [(i, j) for i in range(12) for j in range(12) if i != j]
    assert deep(12, steps, mine) == ((99_000, "capacity") if mine else (100_000, "inputs"))
