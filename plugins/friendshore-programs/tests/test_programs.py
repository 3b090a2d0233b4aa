"""Demand from bills of materials, and plans told by program: as a planner uses them, on cases small enough to follow by hand."""

from __future__ import annotations

import csv
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.building import refused
from typer.testing import CliRunner

from friendshore.cli.app import app
from friendshore.document.terminal import plain_text
from friendshore.plugins import Registry
from friendshore.recommend import reopen
from friendshore.recommend.check import check
from friendshore_programs.bill import BuildStatus, ProgramStatus, read_bill
from friendshore_programs.programs import Programs, ProgramsQuestion, Spend, SpendLine

HEAD = "part,program,material,content,end_use,place,parts_per_year\n"
CATALOG = {
    "catalog.toml": 'schema = 1\nname = "small"\ntitle = "Invented"\nas_of = 2026-10-01\n',
    "sources.csv": "id,reference,date,confidence\ns,Invented,2026-10-01,verified\n",
    "materials.csv": "id,element,form,basis,stages,source\nga,Ga,metal,gross,refined,s\nge,Ge,metal,gross,refined,s\n",
    "facilities.csv": "id,name,operator,country,source\nplant,Plant,Acme,AU,s\nworks,Works,Bolt,AU,s\n",
    "capacity.csv": "facility,from,per_year,status,material,source\nplant,,10 kg/year,operating,ga,s\n"
    "works,2027-07-01,4 kg/year,operating,ge,s\n",
    "offers.csv": "id,facility,material,price,price_source,lead_time,source\n"
    "ga-au,plant,ga,100 USD/kg,s,0,s\nge-au,works,ge,1000 USD/kg,s,0,s\n",
    "chain.csv": "offer,stage,countries,complete,source\nga-au,refined,AU,yes,s\nge-au,refined,AU,yes,s\n",
}
CASE = """schema = 1
[case]
name = "small"
start = 2027-01-01
periods = 4
period = "quarter"
place = "US"
[use]
catalogs = ["./catalog"]
demand = "bom:parts.csv"
"""
PART_NUMBERS = ("Part No", "Part No.", "PART NUMBER", "P/N", "part")
PARTS = (
    HEAD + "array,patriot,ga,10 g,defense,US,400\n"
    "array,patriot,ge,1 g,defense,US,400\n"
    "mount,patriot,ga,5 g,defense,US,400\n"
    "lamp,light,ga,1 g,civil,US,2000\n"
)


BUDGETS = 'program,place,year,amount\npatriot,,2027,"1,000 USD"\n,US,2027,500 USD\n'


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """A case of two programs, one of which waits for germanium until the middle of the year."""
    (tmp_path / "catalog").mkdir()
    for name, text in CATALOG.items():
        (tmp_path / "catalog" / name).write_text(text)
    (tmp_path / "case.toml").write_text(CASE)
    (tmp_path / "parts.csv").write_text(PARTS)
    return tmp_path


def asked(*words: str | Path) -> Any:
    done = CliRunner().invoke(app, [*map(str, words), "--json", "--quiet"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def output_of(*words: str | Path, code: int = 0) -> str:
    done = CliRunner().invoke(app, [*map(str, words)])
    assert done.exit_code == code, done.output
    return done.output


def bill(case: Path, text: str) -> Path:
    """A case's bill with another text."""
    path = case / "parts.csv"
    path.write_text(text)
    return path


def cells(path: Path) -> list[object]:
    return [one.cells for one in read_bill(path)[1]]


def test_lines_that_agree_in_what_a_demand_says_come_to_one_demand(case: Path) -> None:
    """Kilograms a year are parts a year times what a part takes, added up over parts."""
    expected = {"light/ga/civil/US": 2, "patriot/ga/defense/US": 6, "patriot/ge/defense/US": Decimal("0.4")}
    assert {one.id: one.kilograms for one in read_bill(case / "parts.csv")[1]} == expected
    quantities = {demand.id: sum(demand.quantity) for demand in reopen(case).session.problem.demands}
    assert {name: round(kilograms, 2) for name, kilograms in quantities.items()} == expected


def test_a_year_s_column_makes_a_demand_of_that_year(case: Path) -> None:
    """A bill with a column a year says what each year needs; a blank one, nothing."""
    head = "part,program,material,content,end_use,parts_2027,parts_2028\n"
    rows = 'array,patriot,ga,10 g,defense,"1,000",\narray,patriot,ge,1 g,defense,,500\n'
    _, rolled = read_bill(bill(case, head + rows))
    assert [(one.id, one.demand_columns["from"], one.demand_columns["until"], one.kilograms) for one in rolled] == [
        ("patriot/ga/defense/2027", "2027-01-01", "2027-12-31", Decimal(10)),
        ("patriot/ge/defense/2028", "2028-01-01", "2028-12-31", Decimal("0.5")),
    ]


@pytest.mark.parametrize(
    ("old", "new", "column", "fix"),
    [
        ("10 g", "10.500 g", "content", "write `10.5 g` or `10500 g`"),
        (",400", ",4.000", "parts_per_year", "write `4` or `4000`"),
    ],
)
def test_an_amount_of_a_bill_that_some_read_a_thousandfold_larger_is_pointed_out(
    case: Path, old: str, new: str, column: str, fix: str
) -> None:
    """At its row and column in the bill, not in the demand that it comes to."""
    path = bill(case, PARTS.replace(old, new, 1))
    (one,) = (
        suggestion for suggestion in check(case, Registry.discover()).suggestions if "ambiguous" in suggestion.message
    )
    assert (one.file, one.row, one.column, one.fix) == (str(path), 2, column, fix)


@pytest.mark.parametrize(
    ("old", "new"),
    [(",", ";"), (",", "\t")]
    + [(HEAD, f"{part},Program,Material,Content,End use,Place,Parts per year\n") for part in PART_NUMBERS],
)
def test_a_bill_may_be_written_otherwise(case: Path, old: str, new: str) -> None:
    """With semicolons or tabs between its cells, as spreadsheets write it where a comma is the decimal sign; with headings in words."""
    plain = cells(case / "parts.csv")
    assert cells(bill(case, PARTS.replace(old, new))) == plain


def test_amounts_of_a_bill_with_semicolons_are_never_read_a_thousandfold(case: Path) -> None:
    """`1.200 g` and `1,200 g` are 1.2 g for some and 1200 g for others: each is an error, with both spellings."""
    text = PARTS.replace(",", ";").replace("10 g", "1.200 g").replace("5 g", "1,200 g")
    problems = refused(read_bill, bill(case, text.replace("1 g;civil", "1,5 g;civil")))
    assert {(p.row, p.column, p.found, p.fix) for p in problems} == {
        (2, "content", "`1.200 g`", "write `1.2 g` or `1200 g`"),
        (4, "content", "`1,200 g`", "write `1200 g` or `1.2 g`"),
        (5, "content", "`1,5 g`", "write 1.5 (with a point as the decimal separator)"),
    }


@pytest.mark.parametrize(
    ("text", "code"),
    [
        # Nobody says which of two part numbers is meant.
        (PARTS.replace("part,program", "part,Part No", 1), ""),
        # Twice the same line is more likely a slip than a part that takes it twice.
        (PARTS + "array,patriot,ga,10 g,defense,US,400\n", "FS966"),
    ],
)
def test_a_bill_that_says_something_twice_is_refused(case: Path, text: str, code: str) -> None:
    """At its column."""
    assert "part" in [p.column for p in refused(read_bill, bill(case, text)) if not code or p.code == code]


def test_a_substance_that_a_bill_names_is_what_its_demand_is_of(case: Path) -> None:
    """Grams of an oxide stay grams of it: the catalogs know what that is of the metal."""
    rows = "array,patriot,ga,10 g Ga2O3,defense,US,400\nmount,patriot,ga,5 g,defense,US,400\n"
    assert [(one.id, one.cells["per_year"]) for one in read_bill(bill(case, HEAD + rows))[1]] == [
        ("patriot/ga/defense/US", "4 kg Ga2O3/year"),
        ("patriot/ga/defense/US/2", "2 kg/year"),
    ]


def test_all_mistakes_of_a_bill_are_told_at_once_with_row_and_column(tmp_path: Path) -> None:
    """As of any table of friendshore."""
    rows = "a b,patriot,ga,10 g,defense,400,\narray,17,ga,10,defense,400,\narray,patriot,ga,10 g,defense,,\n"
    rows += "array,patriot,ga,10 g,defense,4,4\nmount,patriot,ga,10 g,defense,,many\n"
    path = bill(tmp_path, f"part,program,material,content,end_use,parts_per_year,parts_2027\n{rows}")
    assert [(one.row, one.column) for one in refused(read_bill, path)] == [(2, "part"), (3, "content")]
    bill(tmp_path, path.read_text().replace("a b", "ab").replace(",10,", ",10 g,"))
    told = [(one.row, one.column) for one in refused(read_bill, path)]
    assert told == [(3, "program"), (4, "parts_per_year"), (5, "parts_per_year"), (6, "parts_2027")]


def test_a_mistake_that_only_a_demand_knows_is_told_at_the_bill_s_line(case: Path) -> None:
    """An end use that escapes every rule is refused at the line where it stands."""
    bill(case, PARTS.replace("civil", "civl"))
    assert "parts.csv:5 [end_use]" in output_of("check", case, code=2)


def test_a_workbook_says_the_same_as_a_table(case: Path) -> None:
    """Planners keep bills of materials as workbooks; of two tables nobody can tell which is meant."""
    openpyxl = pytest.importorskip("openpyxl")
    book, two = openpyxl.Workbook(), openpyxl.Workbook()
    for row in csv.reader(PARTS.splitlines()):
        book.active.append([int(cell) if cell.isdigit() else cell for cell in row])
    book.create_sheet("notes").append(["mine alone"])
    book.save(case / "parts.xlsx")
    assert cells(case / "parts.xlsx") == cells(case / "parts.csv")
    for sheet in (two.active, two.create_sheet("other")):
        sheet.append(["part"])
    two.save(case / "two.xlsx")
    assert refused(read_bill, case / "two.xlsx")[0].code == "FS076"


def test_a_program_waits_for_its_last_part_and_a_part_for_its_last_material(case: Path) -> None:
    """Germanium is there from the third quarter on: what needs none of it is built from the first."""
    lines = {line["program"]: line for line in asked("programs", case)["programs"]}
    assert not lines["light"]["late"]
    patriot = lines["patriot"]
    assert (patriot["buildable_from"], patriot["delayed_by"], patriot["parts"]) == ("2027-Q3", ["ge"], 2)
    assert patriot["late_parts"] == [{"part": "array", "buildable_from": "2027-Q3", "delayed_by": ["ge"]}]
    assert patriot["short_kg"]["ge"] == pytest.approx(0.4 * 181 / 365, abs=1e-3)


def test_money_goes_to_programs_and_places_by_kilograms_against_budgets(case: Path) -> None:
    """Eight kilograms of gallium at 100 and half a year of germanium at 1,000."""
    (case / "budgets.csv").write_text(BUDGETS)
    spent = asked("programs", case, "--budgets", case / "budgets.csv")["spent"]
    germanium = 1000 * 0.4 * 184 / 365
    light, patriot = sorted(spent["by_program"], key=lambda row: row["program"])
    assert light["spent"] == pytest.approx(200, abs=1)
    money = {"spent": pytest.approx(600 + germanium, abs=2), "budget": 1000}
    assert patriot == {"program": "patriot", "year": 2027, **money}
    money = {"spent": pytest.approx(800 + germanium, abs=2), "budget": 500}
    assert spent["by_place"] == [{"place": "US", "year": 2027, **money}]
    assert spent["others"] == pytest.approx(0)
    text = output_of("programs", case, "--budgets", case / "budgets.csv", "--quiet")
    assert "left" in text
    assert "over" in text


def test_budgets_in_another_currency_or_said_twice_are_refused(case: Path) -> None:
    """At their lines."""
    (case / "budgets.csv").write_text("program,year,amount\npatriot,2027,5 EUR\npatriot,2027,5 USD\n")
    output = output_of("programs", case, "--budgets", case / "budgets.csv", code=2)
    assert "budgets.csv:2 [amount]" in output
    assert "budgets.csv:3 [year]" in output


def test_a_run_is_told_by_program_and_with_its_bill_by_part(case: Path) -> None:
    """A run keeps its demand, and not the bill; another bill than that of the run is refused."""
    run = case / "run"
    output_of("plan", case, "--out", run, "--quiet")
    without = asked("programs", run)
    assert [line["parts"] for line in without["programs"]] == [0, 0]
    assert "--bom" in without["notes"][0]
    with_bill = asked("programs", run, "--bom", case / "parts.csv")
    assert [line["parts"] for line in with_bill["programs"]] == [1, 2]
    path = bill(case, PARTS.replace("light", "lantern"))
    assert "FS967" in output_of("programs", run, "--bom", path, code=2)


def test_a_report_tells_programs_and_places_against_budgets(case: Path) -> None:
    """`report RUN --with` sets the options of a question by name, several of one question in one answer."""
    run, budgets = case / "run", case / "budgets.csv"
    budgets.write_text(BUDGETS)
    output_of("plan", case, "--out", run, "--quiet")
    report = "report", run, "--no-verify", "--with"
    output = output_of(*report, f"programs:bom={case / 'parts.csv'},programs:budgets={budgets}")
    assert output.count("Spend by program") == output.count("Spend by place") == 1
    assert output.count("Compared with budget") == 2
    assert "Late parts of patriot" in output
    assert "programs:bom=…, programs:budgets=…" in output_of(*report, "programs:budget=x.csv", code=2)


def line(name: str, parts: tuple[BuildStatus, ...] = ()) -> ProgramStatus:
    """A program that waits for germanium."""
    return ProgramStatus(late(name), parts, len(parts), (("ge", Decimal(4)),))


def late(name: str) -> BuildStatus:
    return BuildStatus(name, "2028-Q1", late=True, delayed_by=("ge",))


def answer(*lines: ProgramStatus, dust: str = "0", rest: int = 0) -> Programs:
    """An answer in which each program has spent five dollars."""
    spent = tuple(SpendLine(line.status.name, 2027, Decimal(5), None) for line in lines)
    return Programs("x", "USD", "", lines, Spend(spent, (), Decimal(dust), Decimal(rest)))


def test_a_case_without_programs_says_so_and_tells_no_dust() -> None:
    """Its demand is one entry. Less than a dollar in stock is rounding, and isn't reported."""
    question = ProgramsQuestion()
    found = answer(line("(none)"), dust="0.011", rest=7)
    told = plain_text(question.document(found, question.options()), 200)
    assert told.startswith("! The case names no program")
    assert "USD 7 belongs to no purchase" in told
    assert "0.011" not in told


def test_many_late_programs_and_their_money_are_one_screen() -> None:
    """Twelve programs with ninety parts late in each: those that there is no room for are counted, with their money and parts; parts go first."""
    parts = tuple(late(f"part-{number}") for number in range(90))
    question = ProgramsQuestion()
    found = answer(*(line(f"program-{number}", parts) for number in range(12)))
    told = plain_text(question.document(found, question.options()), 100, max_lines=40).splitlines()
    assert len(told) <= 40
    text = "\n".join(told)
    for title in ("Programs", "Spend by program"):
        table = text.split(f"\n{title}\n")[1].split("\n\n")[0]
        shown = len(re.findall(r"^program-\d+ ", table, re.MULTILINE))
        assert shown + sum(map(int, re.findall(r"^(\d+) more \(--full\)$", table, re.MULTILINE))) == 12
        assert shown > 5
    left = re.search(r"(\d+) more sections \(--full\): Late parts of program-", text)
    assert int(left[1]) + text.count("\nLate parts of ") == 12


def test_a_scenario_that_changes_demand_is_said(case: Path) -> None:
    """Parts are still told, by the quantities that were planned."""
    found = asked("programs", case, "--change", "demand=light/ga/civil/US, factor=50%")
    assert any("light/ga/civil/US" in note for note in found["notes"])


@pytest.mark.parametrize("name", ["recipes", "stock", "tiers", "orders"])
def test_money_adds_up_to_what_the_plan_spends(name: str) -> None:
    """Also where materials are made of each other, stock lies at the end and terms of trade cost money by themselves."""
    path = Path(__file__).parents[3] / "docs/cases/small" / name
    spent = asked("programs", path)["spent"]
    of_programs, of_places = (sum(row["spent"] for row in spent[by]) for by in ("by_program", "by_place"))
    nominal = float(reopen(path).session.verified.cost.nominal)
    assert of_programs + spent["stock"] + spent["others"] == pytest.approx(nominal)
    assert of_places == pytest.approx(of_programs)


def test_a_shortage_without_a_price_is_told_at_the_row_of_the_bill(case: Path) -> None:
    """Nothing that is sold has a price above zero: the first line of each such demand is named, in a case of its own the demand's id."""
    for name in ("offers.csv", "chain.csv"):
        head, *_ = (case / "catalog" / name).read_text().splitlines()
        (case / "catalog" / name).write_text(head + "\n")
    done = CliRunner().invoke(app, ["check", str(case), "--json"])
    told = {(Path(one["file"]).name, one["row"], one["found"]) for one in json.loads(done.stdout)["errors"]}
    assert told == {
        ("parts.csv", 2, "`patriot/ga/defense/US`"),
        ("parts.csv", 3, "`patriot/ge/defense/US`"),
        ("parts.csv", 5, "`light/ga/civil/US`"),
    }
    stated = '[[demand]]\nid = "lamps"\nmaterial = "ga"\nend_use = "civil"\nper_year = "1 kg"\n'
    (case / "case.toml").write_text(CASE.replace('demand = "bom:parts.csv"\n', "") + stated)
    (error,) = json.loads(CliRunner().invoke(app, ["check", str(case), "--json"]).stdout)["errors"]
    assert (error["row"], error["found"]) == (CASE.count("\n") + 1, "`lamps`")
