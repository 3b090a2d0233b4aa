"""Small inputs that took minutes, or memory without bound: each is told in words, or read in no time."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from friendshore.case import load_case
from friendshore.cli.cases import write_starter
from friendshore.errors import FriendshoreError, InputError
from friendshore.plugins import Registry
from friendshore.reading.numberformat import adds
from friendshore.reading.today import EPOCH, today
from friendshore.recommend import check, plan

REFUSED = (FriendshoreError, OSError)


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """The small case of `init`."""
    write_starter(tmp_path / "case")
    return tmp_path / "case"


def added(file: Path, lines: str) -> None:
    """Adds lines to a file."""
    file.write_text(file.read_text(encoding="utf-8") + lines, encoding="utf-8")


def told(case: Path) -> list[str]:
    """All mistakes of a case."""
    return [error.message for error in check(case, Registry.discover()).errors]


@pytest.mark.deep
def test_thousands_of_ids_that_were_renamed_are_all_told(case: Path) -> None:
    """Each is told; only the first are looked up for a suggestion."""
    plants = range(1200)
    added(case / "catalog" / "facilities.csv", "".join(f"plant-{i},P,O,CA,invented\n" for i in plants))
    added(
        case / "catalog" / "offers.csv",
        "".join(f"o{i},plnat-{i},gallium-4n,1 USD/kg,invented,,,invented\n" for i in plants),
    )
    found = [
        error
        for error in check(case, Registry.discover()).errors
        if "no facility" in error.message or "facility" in error.column
    ]
    assert len(found) == len(plants)
    assert "did you mean `plant-0`?" in found[0].fix
    assert "did you mean" not in found[-1].fix


def test_facilities_one_in_the_other_without_end_are_told(case: Path) -> None:
    """A chain of thousands is no site."""
    count = 5000
    chain = "".join(f"f{i},P,O,CA,{f'f{i + 1}' if i < count - 1 else ''},invented\n" for i in range(count))
    head = "id,name,operator,country,within,source\nquebec,P,O,CA,f0,invented\nguangxi,P,O,CN,,invented\nkwinana,P,O,AU,,invented\n"
    (case / "catalog" / "facilities.csv").write_text(head + chain, encoding="utf-8")
    assert "the facility lies within more than 100 others, one in the other" in told(case)


@pytest.mark.deep
def test_scenarios_that_inherit_without_end_are_told(case: Path) -> None:
    """A chain of thousands is refused, and one that doubles at each step takes no time."""
    one = '[[scenario]]\nname = "s{0}"\ninherits = [{1}]\nchange = [{{ disable = "defense-origin" }}]\n'
    deep = "".join(one.format(i, f'"s{i + 1}"') for i in range(300)) + one.format(300, "")
    twice = "".join(one.format(f"{i}{side}", f'"s{i + 1}a", "s{i + 1}b"') for i in range(60) for side in "ab")
    twice += one.format("60a", "") + one.format("60b", "")
    text = (case / "case.toml").read_text(encoding="utf-8")
    (case / "case.toml").write_text(text + twice, encoding="utf-8")
    found = plan(load_case(case), registry=Registry.discover(), scenario="s0a", workers=1)
    assert found.run.scenario == ["s0a"]
    (case / "case.toml").write_text(text + deep, encoding="utf-8")
    with pytest.raises(InputError, match="inherits over more than 100 others"):
        plan(load_case(case), registry=Registry.discover(), scenario="s0", workers=1)
    assert any("inherits over more than 100 others" in message for message in told(case))


def test_a_number_format_longer_than_any_is_told() -> None:
    """A million brackets were read from each of them on."""
    assert adds("[" * 1_000_000, Decimal(1)) == "what a format of 1,000,000 characters says"


@pytest.mark.parametrize("name", ["case.toml", "catalog/catalog.toml"])
def test_a_file_larger_than_any_is_refused(case: Path, name: str) -> None:
    """A file of 200 GB that takes no disk is not read into memory."""
    with (case / name).open("ab") as file:
        file.truncate(200_000_000_000)
    with pytest.raises(REFUSED, match=r"is too large|is larger than"):
        plan(load_case(case), registry=Registry.discover(), workers=1)


@pytest.mark.parametrize("seconds", ["9" * 30, "x", "-1", ""])
def test_a_clock_that_says_no_day_is_passed_by(monkeypatch: pytest.MonkeyPatch, seconds: str) -> None:
    """What is no number of seconds is no day."""
    monkeypatch.delenv(EPOCH, raising=False)
    here = today()
    monkeypatch.setenv(EPOCH, seconds)
    assert today() >= here


def recipes(case: Path, count: int, made_of: Sequence[tuple[int, int]], source: bool = True) -> None:
    """Puts `count` materials into the small case, and a maker of the second of the first for each pair; the last is wanted."""
    catalog, steps = case / "catalog", [f"o{taken}-{made},kwinana,m{made},1 USD/kg,invented" for taken, made in made_of]
    (catalog / "materials.csv").write_text(
        "id,name,element,form,basis,content,stages,source\n"
        + "".join(f"m{i},M,X,metal,gross,1,,invented\n" for i in range(count)),
        encoding="utf-8",
    )
    (catalog / "chain.csv").write_text("offer,stage,countries,complete,source\n", encoding="utf-8")
    offers = ["id,facility,material,price,price_source,source"]
    offers += ["mined,quebec,m0,1 USD/kg,invented,invented"] * source
    (catalog / "offers.csv").write_text(
        "".join(f"{line}\n" for line in (*offers, *(f"{one},invented" for one in steps))), encoding="utf-8"
    )
    (catalog / "capacity.csv").write_text(
        "facility,from,per_year,status,material,source\n"
        "quebec,,1 t/year,operating,m0,invented\nkwinana,,1000000 t/year,operating,m0,invented\n",
        encoding="utf-8",
    )
    (catalog / "recipe.csv").write_text(
        "offer,role,material,per_unit,source\n"
        + "".join(f"o{taken}-{made},input,m{taken},1,invented\n" for taken, made in made_of),
        encoding="utf-8",
    )
    (case / "case.toml").write_text(
        'schema = 1\n[case]\nname = "deep"\nstart = 2026-01-01\nperiods = 1\nperiod = "year"\ncurrency = "USD"\n'
        'place = "US"\n[use]\ncatalogs = ["./catalog"]\n[accept]\nconfidence = "assumed"\n'
        f'[[demand]]\nmaterial = "m{count - 1}"\nend_use = "civil"\nquantities = ["100 t"]\n'
        'shortage_price = "100000 USD/kg"\n',
        encoding="utf-8",
    )


def short(case: Path) -> tuple[Decimal, str]:
    """Kilograms that a plan lacks, and the kinds of the causes."""
    (only,) = plan(load_case(case), registry=Registry.discover(), workers=1).run.shortages
    return only.quantity_kg, "; ".join(cause.kinds for cause in only.causes)


@pytest.mark.deep
@pytest.mark.parametrize("loop", [False, True], ids=["chain", "loop"])
def test_recipes_hundreds_of_steps_deep_are_planned(case: Path, loop: bool) -> None:
    """A chain of 300 makers, and one that goes round, bring what the mine gives."""
    count = 300
    recipes(case, count, [(i, i + 1) for i in range(count - 1)] + [(count - 1, 0)] * loop)
    kilograms, why = short(case)
    assert kilograms == 99_000
    assert why == "capacity"


@pytest.mark.parametrize("source", [True, False], ids=["a mine", "no mine"])
def test_a_dozen_materials_made_of_each_other_are_planned(case: Path, source: bool) -> None:
    """There are more ways through them than could be followed."""
    recipes(case, 12, [(i, j) for i in range(12) for j in range(12) if i != j], source)
    kilograms, why = short(case)
    assert kilograms == (99_000 if source else 100_000)
    assert why == ("capacity" if source else "inputs")
