"""Inputs of made goods: planned on the order sheet, confirmed by the buyer, and judged after the case is rolled forward."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from friendshore.case import load_case
from friendshore.cli.cases import write_starter
from friendshore.domain.run import RunHolding
from friendshore.plugins import Registry
from friendshore.recommend import plan

from .case_books import friendshore
from .test_orders import answer, filled_in, lines_of, plan_in, problems, replace_in, rolled, write_rows

MAKER = {
    "materials.csv": "gallium-crude,Crude gallium,Ga,metal,3N,Ga,1,8112.92,mined,invented\n",
    "facilities.csv": "dresden,Dresden refinery,Example Refining,DE,invented\nkarratha,Karratha works,Example Crude,AU,invented\nhenan,Henan works,Example Henan,CN,invented\n",
    "capacity.csv": "dresden,,100 t/year,operating,invented\nkarratha,,100 t/year,operating,invented\nhenan,,100 t/year,operating,invented\n",
    "chain.csv": "dresden-gallium,refined,DE,yes,invented\nkarratha-crude,mined,AU,yes,invented\nhenan-crude,mined,CN,yes,invented\n",
    "offers.csv": (
        "dresden-gallium,dresden,gallium-4n,20 USD/kg,invented,,1 quarter,invented\n"
        "karratha-crude,karratha,gallium-crude,60 USD/kg,invented,,0 days,invented\n"
        "henan-crude,henan,gallium-crude,30 USD/kg,invented,,0 days,invented\n"
    ),
}  # fmt: skip
COLUMNS = (
    "order_number", "date_placed", "confirmed_arrival", "confirmed_kg", "confirmed_inputs", "inputs_document", "inputs_date",
)  # fmt: skip
ORDERED = ("2027-01-04", "2027-04-01", "450")
SIGNED = ("AB-17", "2027-01-08")


DAY = "2027-02-01"
"""Day to which the case is rolled."""


@dataclass(frozen=True)
class Made:
    """A case in which Dresden refines crude gallium of two mines, the run of its plan, and the rows of its order sheet."""

    folder: Path
    rows: list[dict[str, str]]

    def first(self, material: str) -> dict[str, str]:
        """Return the first line of Dresden with an input."""
        return next(row for row in self.rows if (row["offer"], row["inputs"]) == ("dresden-gallium", material))

    def sheet(self, file: Path, *fill: tuple[dict[str, str], Mapping[str, str]]) -> Path:
        """Write the sheet with cells of some lines filled in or edited."""
        cells = {row["line"]: edits for row, edits in fill}
        return write_rows(file, [{**row, **cells.get(row["line"], {})} for row in self.rows])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Return the case, its run, and its order sheet."""
    folder = tmp_path_factory.mktemp("inputs")
    write_starter(folder / "case")
    catalog = folder / "case" / "catalog"
    for name, rows in MAKER.items():
        with (catalog / name).open("a") as file:
            file.write(rows)
    recipe = "offer,role,material,per_unit,source\ndresden-gallium,input,gallium-crude,1.1,invented\n"
    (catalog / "recipe.csv").write_text(recipe)
    replace_in(folder / "case" / "case.toml", 'stages = ["refined"]\n', 'stages = ["mined", "refined"]\n')
    replace_in(folder / "case" / "case.toml", "share = 0.8", "share = 1")
    return sheet_of(plan_in(folder))


def sheet_of(folder: Path) -> Made:
    """Return a folder with the rows of the order sheet of its run."""
    assert friendshore("orders", folder / "run", "--out", folder / "empty.csv").exit_code == 0
    return Made(folder, lines_of(folder / "empty.csv"))


def order(number: str, *confirmed: str) -> dict[str, str]:
    """Return an order that is filled in, and perhaps what its supplier confirms."""
    return dict(zip(COLUMNS, (number, *ORDERED, *confirmed), strict=False))


def holdings(case: Path) -> dict[str, RunHolding]:
    """Return what a new plan says of stock and open orders."""
    return {one.lot: one for one in plan(load_case(case), registry=Registry.of(), workers=1).run.holdings}


def usable(holding: RunHolding) -> dict[str, bool]:
    """Return for each end use whether no rule keeps the lot from it on any day."""
    return {use.end_use: not use.prohibitions for use in holding.uses}


def test_orders_of_other_inputs_are_other_lines(made: Made) -> None:
    """Dresden refines Australian crude for defense and Chinese crude for lighting: two orders."""
    assert {row["inputs"] for row in made.rows if row["offer"] == "dresden-gallium"} == {
        "karratha-crude",
        "henan-crude",
    }
    assert made.first("karratha-crude")["made_from"] == "Crude gallium from Karratha works, AU (mined AU)"
    others = [row for row in made.rows if row["offer"] != "dresden-gallium"]
    assert {row["made_from"] + row["inputs"] for row in others} == {""}


def test_confirmed_inputs_keep_their_proof_through_open_order_and_stock(made: Made, tmp_path: Path) -> None:
    """What the plan proved for defense stays proved after two rolls; a blank stays unproven, and is reported with the fix."""
    defense, civil = made.first("karratha-crude"), made.first("henan-crude")
    fill = ((defense, order("PO-1", "yes", *SIGNED)), (civil, order("PO-2", "yes", *SIGNED)))
    sheet = made.sheet(tmp_path / "sheet.csv", *fill)
    found = answer(rolled(made.folder, tmp_path / "case", DAY, "--orders", sheet))
    assert not any("no document confirms" in note for note in found["notes"])
    held = holdings(tmp_path / "case")
    assert usable(held["PO-1"]) == {"defense": True, "civil": True}
    assert usable(held["PO-2"]) == {"defense": False, "civil": True}
    stated = {
        one.id: (one.inputs, one.confirmed_by, str(one.confirmed_on)) for one in load_case(tmp_path / "case").orders
    }
    assert stated == {"PO-1": (("karratha-crude",), *SIGNED), "PO-2": (("henan-crude",), *SIGNED)}
    answer(rolled(plan_in(tmp_path), tmp_path / "later", "2027-04-15"))
    held = {name: one for name, one in holdings(tmp_path / "later").items() if one.kind == "stock"}
    assert {name: usable(one)["defense"] for name, one in held.items()} == {"PO-1": True, "PO-2": False}

    blank = made.sheet(tmp_path / "blank.csv", (defense, order("PO-1")), (civil, order("PO-2")))
    notes = answer(rolled(made.folder, tmp_path / "unproven", DAY, "--orders", blank))["notes"]
    words = ("no document confirms", "PO-1, PO-2", "inputs_document")
    assert [note for note in notes if all(word in note for word in words)]
    assert not usable(holdings(tmp_path / "unproven")["PO-1"])["defense"]


def test_a_correction_counts_in_place_of_the_plan(made: Made, tmp_path: Path) -> None:
    """The supplier used Chinese crude where Australian was planned, and both for the other order."""
    fill = (
        (made.first("karratha-crude"), order("PO-1", "henan-crude", *SIGNED)),
        (made.first("henan-crude"), order("PO-2", "karratha-crude; henan-crude", *SIGNED)),
    )
    answer(rolled(made.folder, tmp_path / "next", DAY, "--orders", made.sheet(tmp_path / "sheet.csv", *fill)))
    held = {name: usable(one)["defense"] for name, one in holdings(tmp_path / "next").items()}
    assert held == {"PO-1": False, "PO-2": False}


WRONG = [
    pytest.param({"confirmed_inputs": "yes"}, {"inputs_document", "inputs_date"}, id="no document"),
    pytest.param({"inputs_document": "AB-17"}, {"confirmed_inputs", "inputs_date"}, id="only a document"),
    pytest.param({"confirmed_inputs": "mount-nowhere"}, {"confirmed_inputs"}, id="unknown offer"),
    pytest.param({"confirmed_inputs": "quebec-gallium"}, {"confirmed_inputs"}, id="no input of it"),
    pytest.param({"confirmed_inputs": "karratha-crude; quebec-gallium"}, {"confirmed_inputs"}, id="one too many"),
    pytest.param({"inputs_date": "2027-01-01"}, {"inputs_date"}, id="signed before the order"),
    pytest.param({"inputs_date": "2999-01-01"}, {"inputs_date"}, id="signed after the plan"),
    pytest.param({"inputs_document": "n/a"}, {"inputs_document"}, id="no document by that name"),
    pytest.param({"inputs_document": "?"}, {"inputs_document"}, id="a question mark"),
    pytest.param({"inputs_date": "soon"}, {"inputs_date"}, id="no date"),
    pytest.param({"inputs": "quebec-gallium"}, {"inputs"}, id="planned inputs edited"),
    pytest.param({"made_from": "Crude gallium from Quebec, CA (mined CA)"}, {"made_from"}, id="planned origin edited"),
    pytest.param({"order_number": ""}, {"order_number"}, id="confirmed and not ordered"),
]


@pytest.mark.parametrize(("edits", "columns"), WRONG)
def test_a_confirmation_that_cannot_be_is_refused(
    edits: Mapping[str, str], columns: set[str], made: Made, tmp_path: Path
) -> None:
    """With the row, the column, and what would do."""
    signed = ("yes", *SIGNED) if len(columns) == 1 else ()
    fill = (made.first("henan-crude"), {**order("PO-1", *signed), **edits})
    found = problems(filled_in(made.folder, made.sheet(tmp_path / "sheet.csv", fill)))
    assert {one["column"] for one in found} == columns
    assert all(one["row"] and (one.get("fix") or one["expected"]) for one in found)


def test_inputs_are_confirmed_for_made_goods_only_and_before_the_day_of_the_roll(made: Made, tmp_path: Path) -> None:
    """What is mined takes no inputs; a document of next month proves nothing today."""
    crude = next(row for row in made.rows if row["offer"] == "karratha-crude")
    sheet = made.sheet(tmp_path / "sheet.csv", (crude, order("PO-1", "yes", *SIGNED)))
    found = problems(filled_in(made.folder, sheet))
    assert [(one["column"], one["code"]) for one in found] == [("confirmed_inputs", "FS220")]
    late = (made.first("henan-crude"), order("PO-1", "yes", "AB-17", "2027-02-02"))
    sheet = made.sheet(tmp_path / "sheet.csv", late)
    found = problems(rolled(made.folder, tmp_path / "next", DAY, "--orders", sheet))
    assert [one["column"] for one in found] == ["inputs_date"]


@pytest.mark.parametrize("renamed", [False, True])
def test_goods_keep_the_origin_of_inputs_that_were_confirmed(renamed: bool, made: Made, tmp_path: Path) -> None:
    """If the mine of an input moves, what was bought before can't move with it. A new id of the offer doesn't hide that."""
    fill = (made.first("henan-crude"), order("PO-1", "yes", *SIGNED))
    more = (DAY, "--orders", made.sheet(tmp_path / "sheet.csv", fill))
    case, name = Path(shutil.copytree(made.folder / "case", tmp_path / "case")), "henan-crude"
    catalog = case / "catalog"
    if renamed:
        name = "henan-ore"
        for table in ("offers.csv", "chain.csv"):
            replace_in(catalog / table, "henan-crude", name)
        alias = f"of,old,new,date,reason\noffer,henan-crude,{name},2027-01-10,renamed\n"
        (catalog / "aliases.csv").write_text(alias)
        answer(rolled(made.folder, tmp_path / "same", *more, case=case))
    replace_in(catalog / "chain.csv", f"{name},mined,CN", f"{name},mined,AU")
    told = problems(rolled(made.folder, tmp_path / "next", *more, case=case))
    assert [one["code"] for one in told] == ["FS225"]


def test_a_stock_of_unknown_origin_cannot_be_confirmed(made: Made, tmp_path: Path) -> None:
    """Crude that the case states by its own chain has no offer that a supplier could confirm."""
    shutil.copytree(made.folder / "case", tmp_path / "case")
    chain = '[{ stage = "mined", countries = ["AU"], complete = true }]'
    with (tmp_path / "case" / "case.toml").open("a") as file:
        file.write('\n[[stock]]\nid = "heap"\nmaterial = "gallium-crude"\nplace = "DE"\nquantity = "300 kg"\n')
        file.write(f"chain = {chain}\n")
    own = sheet_of(plan_in(tmp_path))
    row = next(row for row in own.rows if "heap" in row["made_from"])
    assert "of unknown origin" in row["made_from"]
    found = problems(filled_in(tmp_path, own.sheet(tmp_path / "sheet.csv", (row, order("PO-1", "yes", *SIGNED)))))
    assert [("heap" in one["message"], one["column"]) for one in found] == [(True, "confirmed_inputs")]
