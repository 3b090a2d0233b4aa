"""Inputs of made goods: planned on the order sheet, confirmed by the buyer, and judged after the case is rolled forward."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from friendshore.case import load_case
from friendshore.cli.cases import write_starter
from friendshore.domain.held import RunHolding
from friendshore.plugins import Registry
from friendshore.recommend import plan

from .case_books import friendshore
from .test_orders import lines_of, problems

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


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a case in which Dresden refines crude gallium of two mines, and the run of its plan."""
    folder = tmp_path_factory.mktemp("inputs")
    write_starter(folder / "case")
    catalog = folder / "case" / "catalog"
    for name, rows in MAKER.items():
        with (catalog / name).open("a") as file:
            file.write(rows)
    (catalog / "recipe.csv").write_text(
        "offer,role,material,per_unit,source\ndresden-gallium,input,gallium-crude,1.1,invented\n"
    )
    text = (folder / "case" / "case.toml").read_text()
    text = text.replace('stages = ["refined"]\ncountries = ["CN"]', 'stages = ["mined", "refined"]\ncountries = ["CN"]')
    (folder / "case" / "case.toml").write_text(text.replace("share = 0.8", "share = 1"))
    told = friendshore("plan", folder / "case", "--out", folder / "run", "--quiet")
    assert told.exit_code == 0, told.output
    return folder


def filled(made: Path, file: Path, fill: Mapping[str, Mapping[str, str]]) -> Path:
    """Write the order sheet of the plan, with some cells of its lines filled in or edited, by line."""
    assert friendshore("orders", made / "run", "--out", file).exit_code == 0
    rows = lines_of(file)
    for row in rows:
        row.update(fill.get(row["line"], {}))
    with file.open("w", newline="") as out:
        writer = csv.DictWriter(out, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return file


def first_lines(made: Path, file: Path) -> dict[str, dict[str, str]]:
    """Planned input -> the first line of Dresden that is made from it."""
    assert friendshore("orders", made / "run", "--out", file).exit_code == 0
    rows = [row for row in lines_of(file) if row["offer"] == "dresden-gallium"]
    file.unlink()
    return {row["inputs"]: row for row in reversed(rows)}


def order(number: str, *confirmed: str) -> dict[str, str]:
    """An order that is filled in, and perhaps what its supplier confirms."""
    return dict(zip(COLUMNS, (number, *ORDERED, *confirmed), strict=False))


def rolled(made: Path, sheet: Path, out: Path, to: str = "2027-02-01") -> dict[str, Any]:
    """The case as of a later day."""
    more = ("--to", to, "--run", made / "run", "--orders", sheet, "--out", out, "--json")
    told = friendshore("case", "roll", made / "case", *more)
    assert told.exit_code == 0, told.output
    found: dict[str, Any] = json.loads(told.output)
    return found


def holdings(case: Path) -> dict[str, RunHolding]:
    """What a new plan says of stock and open orders."""
    return {one.lot: one for one in plan(load_case(case), registry=Registry.of(), workers=1).run.holdings}


def usable(holding: RunHolding) -> dict[str, bool]:
    """End use -> True if no rule keeps it from that use on any day."""
    return {use.end_use: not use.bars for use in holding.uses}


def test_orders_of_other_inputs_are_other_lines(made: Path, tmp_path: Path) -> None:
    """Dresden refines Australian crude for defense and Chinese crude for lighting: two orders, each with its plants and countries."""
    lines = first_lines(made, tmp_path / "sheet.csv")
    assert set(lines) == {"karratha-crude", "henan-crude"}
    assert lines["karratha-crude"]["made_from"] == "Crude gallium from Karratha works, AU (mined AU)"
    others = [row for row in lines_of(filled(made, tmp_path / "sheet.csv", {})) if row["offer"] != "dresden-gallium"]
    assert {row["made_from"] + row["inputs"] for row in others} == {""}


def test_confirmed_inputs_keep_their_proof_through_open_order_and_stock(made: Path, tmp_path: Path) -> None:
    """What the plan proved for defense is proved after the roll, and after the next one; a blank stays unproven, and is listed with the fix."""
    lines = first_lines(made, tmp_path / "sheet.csv")
    defense, civil = lines["karratha-crude"]["line"], lines["henan-crude"]["line"]
    fill = {defense: order("PO-1", "yes", *SIGNED), civil: order("PO-2", "yes", *SIGNED)}
    found = rolled(made, filled(made, tmp_path / "sheet.csv", fill), tmp_path / "next")
    assert not any("no document confirms" in note for note in found["notes"])
    held = holdings(tmp_path / "next")
    assert usable(held["PO-1"]) == {"defense": True, "civil": True}
    assert usable(held["PO-2"]) == {"defense": False, "civil": True}
    stated = {
        one.id: (one.inputs, one.confirmed_by, str(one.confirmed_on)) for one in load_case(tmp_path / "next").orders
    }
    assert stated == {"PO-1": (("karratha-crude",), *SIGNED), "PO-2": (("henan-crude",), *SIGNED)}

    more = ("--to", "2027-04-15", "--run", tmp_path / "run", "--out", tmp_path / "later", "--json")
    assert friendshore("plan", tmp_path / "next", "--out", tmp_path / "run", "--quiet").exit_code == 0
    told = friendshore("case", "roll", tmp_path / "next", *more)
    assert told.exit_code == 0, told.output
    held = {name: one for name, one in holdings(tmp_path / "later").items() if one.kind == "stock"}
    assert {name: usable(one)["defense"] for name, one in held.items()} == {"PO-1": True, "PO-2": False}

    blank = filled(made, tmp_path / "blank.csv", {defense: order("PO-1"), civil: order("PO-2")})
    found = rolled(made, blank, tmp_path / "unproven")
    assert [
        note
        for note in found["notes"]
        if "no document confirms" in note and "PO-1, PO-2" in note and "inputs_document" in note
    ]
    assert not usable(holdings(tmp_path / "unproven")["PO-1"])["defense"]


def test_a_correction_counts_in_place_of_the_plan(made: Path, tmp_path: Path) -> None:
    """The supplier used Chinese crude where Australian was planned, and both for the other order."""
    lines = first_lines(made, tmp_path / "sheet.csv")
    fill = {
        lines["karratha-crude"]["line"]: order("PO-1", "henan-crude", *SIGNED),
        lines["henan-crude"]["line"]: order("PO-2", "karratha-crude; henan-crude", *SIGNED),
    }
    rolled(made, filled(made, tmp_path / "sheet.csv", fill), tmp_path / "next")
    assert {name: usable(one)["defense"] for name, one in holdings(tmp_path / "next").items()} == {
        "PO-1": False,
        "PO-2": False,
    }


WRONG = [
    pytest.param({"confirmed_inputs": "yes"}, {("inputs_document"), ("inputs_date")}, id="no document"),
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
    edits: Mapping[str, str], columns: set[str], made: Path, tmp_path: Path
) -> None:
    """Cell by cell, and nothing is read."""
    line = first_lines(made, tmp_path / "sheet.csv")["henan-crude"]["line"]
    signed = ("yes", *SIGNED) if len(columns) == 1 else ()
    sheet = filled(made, tmp_path / "sheet.csv", {line: {**order("PO-1", *signed), **edits}})
    found = problems(friendshore("orders", made / "run", "--filled", sheet, "--json"))
    assert {one["column"] for one in found} == columns
    assert all(one["row"] and (one.get("fix") or one["expected"]) for one in found)


def test_inputs_are_confirmed_for_made_goods_only_and_before_the_day_of_the_roll(made: Path, tmp_path: Path) -> None:
    """A purchase of what is mined takes no inputs; a document of next month proves nothing today."""
    rows = lines_of(filled(made, tmp_path / "sheet.csv", {}))
    crude = next(row["line"] for row in rows if row["offer"] == "karratha-crude")
    (tmp_path / "sheet.csv").unlink()
    sheet = filled(made, tmp_path / "sheet.csv", {crude: order("PO-1", "yes", *SIGNED)})
    found = problems(friendshore("orders", made / "run", "--filled", sheet, "--json"))
    assert [(one["column"], one["message"]) for one in found] == [("confirmed_inputs", "the offer takes no inputs")]
    sheet.unlink()
    line = first_lines(made, tmp_path / "sheet.csv")["henan-crude"]["line"]
    sheet = filled(made, tmp_path / "sheet.csv", {line: order("PO-1", "yes", "AB-17", "2027-02-02")})
    more = ("--to", "2027-02-01", "--run", made / "run", "--orders", sheet, "--out", tmp_path / "next", "--json")
    assert [one["column"] for one in problems(friendshore("case", "roll", made / "case", *more))] == ["inputs_date"]


def test_goods_keep_the_origin_of_inputs_that_were_confirmed(made: Path, tmp_path: Path) -> None:
    """The mine of an input is another one from now on: what was bought before would move with it."""
    line = first_lines(made, tmp_path / "sheet.csv")["henan-crude"]["line"]
    sheet = filled(made, tmp_path / "sheet.csv", {line: order("PO-1", "yes", *SIGNED)})
    shutil.copytree(made / "case", tmp_path / "case")
    chain = tmp_path / "case" / "catalog" / "chain.csv"
    chain.write_text(chain.read_text().replace("henan-crude,mined,CN", "henan-crude,mined,AU"))
    more = ("--to", "2027-02-01", "--run", made / "run", "--orders", sheet, "--out", tmp_path / "next", "--json")
    told = problems(friendshore("case", "roll", tmp_path / "case", *more))
    assert ["would change their origin" in one["message"] for one in told] == [True]


def test_a_supplier_that_is_renamed_and_moved_is_still_moved(made: Path, tmp_path: Path) -> None:
    """A new id for the offer hides no other mine: the alias leads from the old one to it."""
    line = first_lines(made, tmp_path / "sheet.csv")["henan-crude"]["line"]
    sheet = filled(made, tmp_path / "sheet.csv", {line: order("PO-1", "yes", *SIGNED)})
    shutil.copytree(made / "case", tmp_path / "case")
    catalog = tmp_path / "case" / "catalog"
    for name in ("offers.csv", "chain.csv"):
        (catalog / name).write_text((catalog / name).read_text().replace("henan-crude", "henan-ore"))
    (catalog / "aliases.csv").write_text("of,old,new,date,reason\noffer,henan-crude,henan-ore,2027-01-10,renamed\n")
    more = ("--to", "2027-02-01", "--run", made / "run", "--orders", sheet, "--out", tmp_path / "next", "--json")
    assert friendshore("case", "roll", tmp_path / "case", *more).exit_code == 0
    shutil.rmtree(tmp_path / "next")
    chain = (catalog / "chain.csv").read_text()
    (catalog / "chain.csv").write_text(chain.replace("henan-ore,mined,CN", "henan-ore,mined,AU"))
    told = problems(friendshore("case", "roll", tmp_path / "case", *more))
    assert ["would change their origin" in one["message"] for one in told] == [True]


def test_a_stock_of_unknown_origin_cannot_be_confirmed(made: Path, tmp_path: Path) -> None:
    """Crude that the case states by its own chain has no offer that a supplier could confirm."""
    shutil.copytree(made / "case", tmp_path / "case")
    stock = '\n[[stock]]\nid = "heap"\nmaterial = "gallium-crude"\nplace = "DE"\nquantity = "300 kg"\nchain = [{ stage = "mined", countries = ["AU"], complete = true }]\n'
    with (tmp_path / "case" / "case.toml").open("a") as file:
        file.write(stock)
    assert friendshore("plan", tmp_path / "case", "--out", tmp_path / "run", "--quiet").exit_code == 0
    rows = lines_of(filled(tmp_path, tmp_path / "sheet.csv", {}))
    row = next(row for row in rows if "heap" in row["made_from"])
    assert "of unknown origin" in row["made_from"]
    (tmp_path / "sheet.csv").unlink()
    sheet = filled(tmp_path, tmp_path / "sheet.csv", {row["line"]: order("PO-1", "yes", *SIGNED)})
    found = problems(friendshore("orders", tmp_path / "run", "--filled", sheet, "--json"))
    assert [("heap" in one["message"], one["column"]) for one in found] == [(True, "confirmed_inputs")]
