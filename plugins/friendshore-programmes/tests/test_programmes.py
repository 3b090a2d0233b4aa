"""Demand from bills of materials, and plans told by programme: as a planner uses them, on cases small enough to follow by hand."""

from __future__ import annotations

import csv
import json
import re
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from friendshore.cli.app import app
from friendshore.document.terminal import plain_text
from friendshore.errors import InputError
from friendshore.explain.spending import LEFT, _followed
from friendshore.plugins import Registry
from friendshore.recommend import reopen
from friendshore.recommend.check import check
from friendshore_programmes.bill import read_bill
from friendshore_programmes.built import Held, ProgrammeLine
from friendshore_programmes.question import Programmes, ProgrammesQuestion, SpendLine, Spent

HEAD = "part,programme,material,content,end_use,place,parts_per_year\n"
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
PARTS = (
    HEAD + "array,patriot,ga,10 g,defense,US,400\n"
    "array,patriot,ge,1 g,defense,US,400\n"
    "mount,patriot,ga,5 g,defense,US,400\n"
    "lamp,light,ga,1 g,civil,US,2000\n"
)


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """A case of two programmes, one of which waits for germanium until the middle of the year."""
    (tmp_path / "catalog").mkdir()
    for name, text in CATALOG.items():
        (tmp_path / "catalog" / name).write_text(text)
    (tmp_path / "case.toml").write_text(CASE)
    (tmp_path / "parts.csv").write_text(PARTS)
    return tmp_path


def asked(*words: str) -> dict[str, object]:
    """What a command prints as JSON."""
    done = CliRunner().invoke(app, [*words, "--json", "--quiet"])
    assert done.exit_code == 0, done.output
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_lines_that_agree_in_what_a_demand_says_come_to_one_demand(case: Path) -> None:
    """Kilograms a year are parts a year times what a part takes, added up over parts."""
    _, rolled = read_bill(case / "parts.csv")
    assert {one.id: one.kilograms for one in rolled} == {
        "light/ga/civil/US": Decimal(2),
        "patriot/ga/defense/US": Decimal(6),
        "patriot/ge/defense/US": Decimal("0.4"),
    }
    opened = reopen(case)
    quantities = {demand.id: sum(demand.quantity) for demand in opened.session.problem.demands}
    assert {name: round(float(kilograms), 2) for name, kilograms in quantities.items()} == {
        "light/ga/civil/US": 2,
        "patriot/ga/defense/US": 6,
        "patriot/ge/defense/US": 0.4,
    }


def test_a_year_s_column_makes_a_demand_of_that_year(case: Path) -> None:
    """A bill with a column a year says what each year needs; a blank one, nothing."""
    head = "part,programme,material,content,end_use,parts_2027,parts_2028\n"
    (case / "parts.csv").write_text(
        head + 'array,patriot,ga,10 g,defense,"1,000",\narray,patriot,ge,1 g,defense,,500\n'
    )
    _, rolled = read_bill(case / "parts.csv")
    assert [(one.id, one.stated["from"], one.stated["until"], one.kilograms) for one in rolled] == [
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
    (case / "parts.csv").write_text(PARTS.replace(old, new, 1))
    (one,) = (one for one in check(case, Registry.discover()).suggestions if "ambiguous" in one.message)
    assert (one.file, one.row, one.column, one.fix) == (str(case / "parts.csv"), 2, column, fix)


def test_a_substance_that_a_bill_names_is_what_its_demand_is_of(case: Path) -> None:
    """Grams of an oxide stay grams of it: the catalogs know what that is of the metal."""
    (case / "parts.csv").write_text(
        HEAD + "array,patriot,ga,10 g Ga2O3,defense,US,400\nmount,patriot,ga,5 g,defense,US,400\n"
    )
    _, rolled = read_bill(case / "parts.csv")
    assert [(one.id, one.cells["per_year"]) for one in rolled] == [
        ("patriot/ga/defense/US", "4 kg Ga2O3/year"),
        ("patriot/ga/defense/US/2", "2 kg/year"),
    ]


def test_all_mistakes_of_a_bill_are_told_at_once_with_row_and_column(tmp_path: Path) -> None:
    """As of any table of friendshore."""
    path = tmp_path / "parts.csv"
    path.write_text(
        "part,programme,material,content,end_use,parts_per_year,parts_2027\n"
        "a b,patriot,ga,10 g,defense,400,\n"
        "array,17,ga,10,defense,400,\n"
        "array,patriot,ga,10 g,defense,,\n"
        "array,patriot,ga,10 g,defense,4,4\n"
        "mount,patriot,ga,10 g,defense,,many\n"
    )
    with pytest.raises(InputError) as caught:
        read_bill(path)
    assert [(one.row, one.column) for one in caught.value.problems] == [(2, "part"), (3, "content")]
    path.write_text(path.read_text().replace("a b", "ab").replace(",10,", ",10 g,"))
    with pytest.raises(InputError) as caught:
        read_bill(path)
    assert [(one.row, one.column) for one in caught.value.problems] == [
        (3, "programme"),
        (4, "parts_per_year"),
        (5, "parts_per_year"),
        (6, "parts_2027"),
    ]


def test_what_a_part_takes_of_a_material_is_said_once(tmp_path: Path) -> None:
    """Twice the same line is more likely a slip than a part that takes it twice."""
    path = tmp_path / "parts.csv"
    path.write_text(PARTS + "array,patriot,ga,10 g,defense,US,400\n")
    with pytest.raises(InputError, match="line 2 already says"):
        read_bill(path)


def test_a_mistake_that_only_a_demand_knows_is_told_at_the_bill_s_line(case: Path) -> None:
    """An end use that escapes every rule is refused at the line where it stands."""
    (case / "parts.csv").write_text(PARTS.replace("civil", "civl"))
    done = CliRunner().invoke(app, ["check", str(case)])
    assert done.exit_code == 2
    assert "parts.csv:5 [end_use]" in done.output


def test_a_workbook_says_the_same_as_a_table(case: Path) -> None:
    """Planners keep bills of materials as workbooks."""
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in csv.reader(PARTS.splitlines()):
        book.active.append([int(cell) if cell.isdigit() else cell for cell in row])
    book.create_sheet("notes").append(["mine alone"])
    book.save(case / "parts.xlsx")
    assert [one.cells for one in read_bill(case / "parts.xlsx")[1]] == [
        one.cells for one in read_bill(case / "parts.csv")[1]
    ]


def test_a_workbook_of_two_tables_is_refused(tmp_path: Path) -> None:
    """Nobody can tell which is meant."""
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["part"])
    book.create_sheet("other").append(["part"])
    book.save(tmp_path / "parts.xlsx")
    with pytest.raises(InputError, match="not one table"):
        read_bill(tmp_path / "parts.xlsx")


def test_a_programme_waits_for_its_last_part_and_a_part_for_its_last_material(case: Path) -> None:
    """Germanium is there from the third quarter on: what needs none of it is built from the first."""
    found = asked("programmes", str(case))
    lines = {line["programme"]: line for line in found["programmes"]}
    assert not lines["light"]["late"]
    assert (lines["patriot"]["met_from"], lines["patriot"]["held_by"], lines["patriot"]["parts"]) == (
        "2027-Q3",
        ["ge"],
        2,
    )
    assert lines["patriot"]["late_parts"] == [{"part": "array", "met_from": "2027-Q3", "held_by": ["ge"]}]
    assert lines["patriot"]["short_kg"]["ge"] == pytest.approx(0.4 * 181 / 365, abs=1e-3)


def test_money_goes_to_programmes_and_places_by_kilograms_against_budgets(case: Path) -> None:
    """Eight kilograms of gallium at 100 and half a year of germanium at 1,000."""
    (case / "budgets.csv").write_text('programme,place,year,amount\npatriot,,2027,"1,000 USD"\n,US,2027,500 USD\n')
    spent = asked("programmes", str(case), "--budgets", str(case / "budgets.csv"))["spent"]
    germanium = 1000 * 0.4 * 184 / 365
    by_programme = {row["programme"]: row for row in spent["by_programme"]}
    assert by_programme["light"]["spent"] == pytest.approx(200, abs=1)
    assert by_programme["patriot"] == {
        "programme": "patriot",
        "year": 2027,
        "spent": pytest.approx(600 + germanium, abs=2),
        "budget": 1000,
    }
    assert spent["by_place"] == [
        {"place": "US", "year": 2027, "spent": pytest.approx(800 + germanium, abs=2), "budget": 500}
    ]
    assert spent["others"] == pytest.approx(0)
    text = CliRunner().invoke(app, ["programmes", str(case), "--budgets", str(case / "budgets.csv"), "--quiet"]).output
    assert "left" in text
    assert "over" in text


def test_budgets_in_another_currency_or_said_twice_are_refused(case: Path) -> None:
    """At their lines."""
    (case / "budgets.csv").write_text("programme,year,amount\npatriot,2027,5 EUR\npatriot,2027,5 USD\n")
    done = CliRunner().invoke(app, ["programmes", str(case), "--budgets", str(case / "budgets.csv")])
    assert done.exit_code == 2
    assert "budgets.csv:2 [amount]" in done.output
    assert "budgets.csv:3 [year]" in done.output


def test_a_run_is_told_by_programme_and_with_its_bill_by_part(case: Path) -> None:
    """A run keeps its demand, and not the bill; another bill than that of the run is refused."""
    run, bill = str(case / "run"), case / "parts.csv"
    assert CliRunner().invoke(app, ["plan", str(case), "--out", run, "--quiet"]).exit_code == 0
    without = asked("programmes", run)
    assert [line["parts"] for line in without["programmes"]] == [0, 0]
    assert "--bom" in without["notes"][0]
    with_bill = asked("programmes", run, "--bom", str(bill))
    assert [line["parts"] for line in with_bill["programmes"]] == [1, 2]
    bill.write_text(PARTS.replace("light", "lantern"))
    done = CliRunner().invoke(app, ["programmes", run, "--bom", str(bill)])
    assert done.exit_code == 2
    assert "is not the one that was planned for" in done.output


def test_a_report_tells_programmes_and_places_against_budgets(case: Path) -> None:
    """`report RUN --with` sets the options of a question by name, several of one question in one answer."""
    run, bill, budgets = str(case / "run"), case / "parts.csv", case / "budgets.csv"
    budgets.write_text('programme,place,year,amount\npatriot,,2027,"1,000 USD"\n,US,2027,500 USD\n')
    assert CliRunner().invoke(app, ["plan", str(case), "--out", run, "--quiet"]).exit_code == 0
    asked_of = ["report", run, "--no-verify", "--with"]
    told = CliRunner().invoke(app, [*asked_of, f"programmes:bom={bill},programmes:budgets={budgets}"]).output
    assert told.count("Spent by programme") == told.count("Spent by place") == 1
    assert told.count("against the budget") == 2
    assert "Parts of patriot that are late" in told
    wrong = CliRunner().invoke(app, [*asked_of, "programmes:budget=x.csv"])
    assert wrong.exit_code == 2
    assert "programmes:bom=…, programmes:budgets=…" in wrong.output


def test_a_case_without_programmes_says_so_and_tells_no_dust() -> None:
    """What it wants is told as one; less than one dollar that lies in stock is what rounding leaves, and is not told."""
    line = ProgrammeLine(Held("(none)", "2028-Q1", late=True, held_by=("ge",)), (), 0, (("ge", Decimal(4)),))
    spent = Spent((SpendLine("(none)", 2027, Decimal(5), None),), (), Decimal("0.011"), Decimal(7))
    question = ProgrammesQuestion()
    told = plain_text(question.document(Programmes("x", "USD", "", (line,), spent), question.options()), 200)
    assert told.startswith("The case names no programme")
    assert "Besides, USD 7 belong to no purchase" in told
    assert "0.011" not in told


def test_many_late_programmes_and_their_money_are_one_screen() -> None:
    """Twelve programmes with ninety parts late in each: those that there is no room for are counted, with their money and parts; parts go first."""
    parts = tuple(Held(f"part-{number}", "2028-Q1", late=True, held_by=("ge",)) for number in range(90))
    lines = tuple(
        ProgrammeLine(
            Held(f"programme-{number}", "2028-Q1", late=True, held_by=("ge",)), parts, 100, (("ge", Decimal(4)),)
        )
        for number in range(12)
    )
    spent = Spent(
        tuple(SpendLine(line.whole.name, 2027, Decimal(5), None) for line in lines), (), Decimal(0), Decimal(0)
    )
    question = ProgrammesQuestion()
    screen = question.screen(Programmes("x", "USD", "", lines, spent), question.options())
    told = plain_text(screen, 100, most=40).splitlines()
    assert len(told) <= 40
    text = "\n".join(told)
    for title in ("Programmes", "Spent by programme"):
        table = text.split(f"\n{title}\n")[1].split("\n\n")[0]
        shown = len(re.findall(r"^programme-\d+ ", table, re.MULTILINE))
        assert shown + sum(map(int, re.findall(r"^(\d+) more \(--full\)$", table, re.MULTILINE))) == 12
        assert shown > 5
    left = re.search(r"(\d+) more sections \(--full\): Parts of programme-", text)
    assert left is not None
    assert int(left[1]) + text.count("that are late\n") == 12


def test_a_scenario_that_changes_demand_is_said(case: Path) -> None:
    """Parts are still told, by the quantities that were planned."""
    found = asked("programmes", str(case), "--change", "demand=light/ga/civil/US, factor=50 %")
    assert any("light/ga/civil/US" in note for note in found["notes"])


@pytest.mark.parametrize("name", ["recipes", "stock", "tiers", "orders"])
def test_money_adds_up_to_what_the_plan_spends(name: str) -> None:
    """Also where materials are made of each other, stock lies at the end and terms of trade cost money by themselves."""
    path = Path(__file__).parents[3] / "docs/cases/small" / name
    spent = asked("programmes", str(path))["spent"]
    shared = sum(row["spent"] for row in spent["by_programme"]) + spent["stock"] + spent["others"]
    assert shared == pytest.approx(float(reopen(path).session.verified.cost.nominal))
    assert sum(row["spent"] for row in spent["by_place"]) == pytest.approx(
        sum(row["spent"] for row in spent["by_programme"])
    )


@given(st.data())
def test_money_that_goes_round_in_circles_ends_where_following_it_step_by_step_ends(data: st.DataObject) -> None:
    """Against the power series: what is sent on a hundred times over."""
    pools = [(name, "", "") for name in "abcd"[: data.draw(st.integers(1, 4))]]
    shares: dict[tuple[str, str, str], dict[tuple[str, str, str] | str, Fraction]] = {}
    for pool in pools:
        weights = [data.draw(st.integers(0, 3)) for _ in pools]
        end = data.draw(st.integers(1, 3))  # something leaves every pool: a circle loses
        whole = sum(weights) + end + 1
        goes = {target: Fraction(weight, whole) for target, weight in zip(pools, weights, strict=True) if weight}
        shares[pool] = {**goes, "use": Fraction(end, whole), LEFT: Fraction(1, whole)}
    paid = {pool: {2027: Fraction(data.draw(st.integers(0, 9)))} for pool in pools}
    money = {pool: float(amounts[2027]) for pool, amounts in paid.items()}
    expected = {"use": 0.0, LEFT: 0.0}
    for _ in range(400):
        onward = dict.fromkeys(pools, 0.0)
        for pool, amount in money.items():
            for target, share in shares[pool].items():
                if isinstance(target, str):
                    expected[target] += amount * float(share)
                else:
                    onward[target] += amount * float(share)
        money = onward
    ends = _followed(paid, {pool: dict(goes) for pool, goes in shares.items()})
    for end, amount in expected.items():
        assert float(ends.get(end, {}).get(2027, 0)) == pytest.approx(amount, abs=1e-9)


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
