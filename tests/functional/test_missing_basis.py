"""Materials that trade weighs in more than one way: `check` and `catalogs convert` ask what their kilograms weigh."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from friendshore.cli.cases import write_starter
from friendshore.plugins import Registry
from friendshore.recommend import check

from .case_books import friendshore

OXIDE = "gallium-oxide,Gallium oxide,Ga,oxide,,{basis},,,,invented\n"
DEMAND = """
[[demand]]
id = "wafers"
material = "gallium-oxide"
end_use = "civil"
per_year = "{quantity}"
shortage_price = "900 USD/kg"
why = "invented"
"""


def case_of(folder: Path, basis: str, quantity: str = "300 kg") -> Path:
    """The starter case with a demand for an oxide."""
    write_starter(folder)
    with (folder / "catalog" / "materials.csv").open("a", encoding="utf-8") as file:
        file.write(OXIDE.format(basis=basis))
    (folder / "catalog" / "factors.csv").write_text(
        "element,compound,kg_per_kg,source\nGa,Ga2O3,0.7439,invented\n", encoding="utf-8"
    )
    with (folder / "case.toml").open("a", encoding="utf-8") as file:
        file.write(DEMAND.format(quantity=quantity))
    return folder


@pytest.mark.parametrize(("basis", "asked"), [("", 1), ("gross", 0), ("Ga", 0), ("Ga2O3", 0)])
def test_a_blank_basis_is_asked_for(basis: str, asked: int, tmp_path: Path) -> None:
    """By both commands, with what it may be; a stated one is taken as it is."""
    folder = case_of(tmp_path / "case", basis)
    found = [one for one in check(folder, Registry.of()).suggestions if "has no basis" in one.message]
    assert [(one.column, one.expected) for one in found] == [("basis", "`Ga`, `Ga2O3`, `gross`")] * asked
    told = json.loads(friendshore("catalogs", "convert", folder / "catalog", tmp_path / "new", "--json").stdout)
    assert [one["column"] for one in told["doubts"]] == ["basis"] * asked


@pytest.mark.parametrize(
    ("basis", "quantity", "asked"),
    [("Ga", "300 kg", 1), ("Ga", "300 kg Ga2O3", 0), ("Ga", "300 kg Ga", 0), ("gross", "300 kg", 0)],
)
def test_a_demand_in_plain_kilograms_is_asked_about(basis: str, quantity: str, asked: int, tmp_path: Path) -> None:
    """With what they count as, and what that equals; a substance that is named is taken."""
    folder = case_of(tmp_path / "case", basis, quantity)
    found = [one for one in check(folder, Registry.of()).suggestions if "what its kilograms weigh" in one.message]
    assert [one.found for one in found] == ["`wafers`"] * asked
    assert all("count as Ga, of which 1 kg is 1.344 kg of Ga2O3" in one.message for one in found)
