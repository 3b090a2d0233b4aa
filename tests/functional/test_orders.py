"""From a plan to purchase orders and back: order sheets, open orders, and a case rolled forward to a later day."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from friendshore.case import load_case
from friendshore.cli.cases import write_starter
from friendshore.plugins import Registry
from friendshore.recommend import plan
from friendshore.run import read_run

from .case_books import friendshore, opened

LOTS = """
# What lies at the plant.
[[stock]]
id = "shelf"
material = "gallium-4n"
quantity = "300 kg"   # counted in September
acquired = 2024-05-01
chain = [{ stage = "mined", countries = ["AU"], complete = true }, { stage = "refined", countries = ["JP"], complete = true }]

# Under way.
[[order]]
id = "afloat"
offer = "quebec-gallium"
quantity = "700 kg"
ordered = 2026-09-15
arrives = 2027-02-01
"""
FILL_IN = ("order_number", "date_placed", "confirmed_arrival", "confirmed_kg")
Sheet = Callable[..., Path]
Fill = Mapping[str, tuple[str, str, str, str]]
"""Line -> what is filled in."""
ARRIVED: Fill = {
    "1": ("PO-1", "2026-10-01", "2026-12-29", "1400"),
    "2": ("PO-2", "2027-01-04", "2027-04-02", "1495.89"),
}
"""Line 1 arrives before March 2027, 79.452 kg less than planned; line 2 is open."""


def plan_in(folder: Path, text: str = "") -> Path:
    """Plan the case of a folder, or the starter case with some text added; the run lies beside it."""
    if not (folder / "case").exists():
        write_starter(folder / "case")
        with (folder / "case" / "case.toml").open("a") as file:
            file.write(text)
    told = friendshore("plan", folder / "case", "--out", folder / "run", "--quiet")
    assert told.exit_code == 0, told.output
    return folder


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the starter case, one stock, one open order, and the run of its plan."""
    return plan_in(tmp_path_factory.mktemp("orders"), LOTS)


def write_rows(file: Path, rows: Sequence[Mapping[str, str]]) -> Path:
    """Write the rows of a sheet."""
    with file.open("w", newline="") as out:
        writer = csv.DictWriter(out, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return file


@pytest.fixture
def sheet(planned: Path, tmp_path: Path) -> Sheet:
    """Return a function that writes the order sheet, with some lines filled in and some cells edited."""

    def written(fill: Fill, edits: Mapping[tuple[str, str], str] | None = None) -> Path:
        file = tmp_path / "orders.csv"
        file.unlink(missing_ok=True)
        assert friendshore("orders", planned / "run", "--out", file).exit_code == 0
        rows = lines_of(file)
        for row in rows:
            row.update(zip(FILL_IN, fill.get(row["line"], ()), strict=False))
        for (line, column), text in (edits or {}).items():
            next(row for row in rows if row["line"] == line)[column] = text
        return write_rows(file, rows)

    return written


def lines_of(file: Path) -> list[dict[str, str]]:
    """Return the rows of a sheet."""
    return list(csv.DictReader(file.read_text().splitlines()))


def filled_in(folder: Path, file: Path) -> Result:
    """Read a sheet that was filled in."""
    return friendshore("orders", folder / "run", "--filled", file, "--json")


def rolled(folder: Path, out: Path, to: str = "2027-03-01", *more: str | Path, case: Path | None = None) -> Result:
    """Roll the case of a folder with its run, or another case, to a later day."""
    run = ("--run", folder / "run", "--out", out, "--json")
    return friendshore("case", "roll", case or folder / "case", "--to", to, *run, *more)


def answer(told: Result) -> dict[str, Any]:
    """Return the answer of `--json`."""
    assert told.exit_code == 0, told.output
    found: dict[str, Any] = json.loads(told.output)
    return found


def problems(told: Result) -> list[dict[str, Any]]:
    """Return the errors of `--json`."""
    assert told.exit_code == 2, told.output
    found: list[dict[str, Any]] = json.loads(told.output)["errors"]
    return found


def replace_in(file: Path, before: str, after: str) -> None:
    """Replace a text of a file."""
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after))


# ---------------------------------------------------------------------------------------------------------- order sheet


def test_a_sheet_lists_every_order_of_the_plan(planned: Path, sheet: Sheet) -> None:
    """With days, prices in the offer's currency, and totals; the open order is filled in."""
    rows = lines_of(sheet({}))
    run = read_run(planned / "run").run
    assert list(rows[0])[:4] == ["supplier", "facility", "item", "quantity_kg"]
    bought = sorted((one.offer, one.order_by.isoformat(), one.quantity_kg, one.price) for one in run.purchases)
    told = [row for row in rows if row["order_by"]]
    assert sum(Decimal(row["quantity_kg"]) for row in told) == sum(quantity for _, _, quantity, _ in bought)
    assert {(row["offer"], row["order_by"]) for row in told} == {(offer, day) for offer, day, _, _ in bought}
    for row in told:
        price = sum(money for offer, day, _, money in bought if (offer, day) == (row["offer"], row["order_by"]))
        assert Decimal(row["total"]) == pytest.approx(price, abs=Decimal("0.01"))
        assert row["currency"] == "USD"
    assert [rows[-1][name] for name in FILL_IN] == ["afloat", "2026-09-15", "2027-02-01", "700"]


def test_a_workbook_and_a_csv_file_are_read_alike(planned: Path, tmp_path: Path) -> None:
    """Numbers and days are typed into cells."""
    file = tmp_path / "orders.xlsx"
    assert friendshore("orders", planned / "run", "--out", file).exit_code == 0
    book = opened(file)
    heads = {cell.value: cell.column for cell in book["orders"][1]}
    for name, value in zip(FILL_IN, (4711, date(2026, 10, 1), date(2026, 12, 29), 1400.5), strict=True):
        book["orders"].cell(2, heads[name]).value = value
    book.save(file)
    assert answer(filled_in(planned, file))["orders"][0] == {
        "id": "4711", "offer": "guangxi-gallium", "place": "US", "quantity": "1400.5 kg", "ordered": "2026-10-01", "arrives": "2026-12-29",
    }  # fmt: skip


def test_filled_in_lines_are_open_orders_of_the_case(planned: Path, tmp_path: Path, sheet: Sheet) -> None:
    """`--write` adds them, and changes the order that the case has; a second time changes nothing."""
    shutil.copytree(planned / "case", tmp_path / "case")
    filled = sheet({**ARRIVED, "open-afloat": ("afloat", "2026-09-15", "2027-02-20", "650")})
    before = (tmp_path / "case" / "case.toml").read_text()
    for _ in range(2):
        told = friendshore("orders", planned / "run", "--filled", filled, "--write", tmp_path / "case")
        assert told.exit_code == 0, told.output
    after = (tmp_path / "case" / "case.toml").read_text()
    orders = {one.id: (one.quantity, one.arrives) for one in load_case(tmp_path / "case").orders}
    assert orders == {
        "afloat": (650, date(2027, 2, 20)), "PO-1": (1400, date(2026, 12, 29)), "PO-2": (Decimal("1495.89"), date(2027, 4, 2)),
    }  # fmt: skip
    assert set(before.splitlines()) - set(after.splitlines()) == {'quantity = "700 kg"', "arrives = 2027-02-01"}


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("start = 2026-10-01", "start = 2027-01-01", "FS218"),
        ('id = "afloat"', 'id = "PO-1"', "FS221"),
    ],
)
def test_a_row_that_does_not_fit_the_case_is_named_with_its_sheet(
    old: str, new: str, code: str, planned: Path, tmp_path: Path, sheet: Sheet
) -> None:
    """The case was edited after it was planned."""
    shutil.copytree(planned / "case", tmp_path / "case")
    replace_in(tmp_path / "case" / "case.toml", old, new)
    filled = sheet(ARRIVED)
    told = friendshore("orders", planned / "run", "--filled", filled, "--write", tmp_path / "case", "--json")
    assert (code, str(filled), 2) in {(one["code"], one["file"], one["row"]) for one in problems(told)}


def test_nothing_is_ordered_by_a_run_that_was_edited(planned: Path, tmp_path: Path) -> None:
    """One edited fact is enough."""
    shutil.copytree(planned / "run", tmp_path / "run")
    replace_in(tmp_path / "run" / "facts.json", '"CN"', '"CA"')
    told = friendshore("orders", tmp_path / "run", "--out", tmp_path / "orders.csv", "--json")
    assert (told.exit_code, "FS210" in told.output) == (4, True)
    assert not (tmp_path / "orders.csv").exists()


WRONG: list[tuple[Fill, Mapping[tuple[str, str], str], str, str]] = [
    ({"1": ("PO-1", "2026-10-01", "2026-09-29", "1400")}, {}, "confirmed_arrival", "FS217"),
    ({"1": ("PO-1", "tomorrow", "2026-12-29", "1400")}, {}, "date_placed", "cannot be read"),
    ({"1": ("PO-1", "2026-10-01", "2026-12-29", "0")}, {}, "confirmed_kg", "FS219"),
    ({"1": ("PO-1", "2026-10-01", "2026-12-29", "-5")}, {}, "confirmed_kg", "cannot be read"),
    ({"1": ("PO-1", "2026-10-01", "2999-12-29", "5")}, {}, "confirmed_arrival", "FS218"),
    ({"1": ("PO-1", "", "2026-12-29", "5")}, {}, "date_placed", "FS216"),
    ({"1": ("=1+1", "2026-10-01", "2026-12-29", "5")}, {}, "order_number", "cannot be read"),
    ({**ARRIVED, "3": ("PO-1", "2027-04-01", "2027-07-01", "5")}, {}, "order_number", "FS221"),
    ({"1": ("afloat", "2026-10-01", "2026-12-29", "5")}, {}, "order_number", "FS221"),
    ({"1": ("PO-1", "2026-10-01", "2026-12-29", "1400 kg or so")}, {}, "confirmed_kg", "cannot be read"),
    ({"1": ("PO-1", "2026-10-01", "2026-12-29", "14000")}, {}, "confirmed_kg", "FS219"),
    (ARRIVED, {("1", "supplier"): "Example Alumina"}, "supplier", "FS215"),
    (ARRIVED, {("1", "material"): "gallium-6n"}, "material", "FS215"),
    (ARRIVED, {("1", "item"): "Gallium oxide"}, "item", "FS215"),
    (ARRIVED, {("1", "kilograms_of"): "the goods as they are"}, "kilograms_of", "FS215"),
    (ARRIVED, {("1", "quantity_kg"): "1480"}, "quantity_kg", "FS215"),
    (ARRIVED, {("1", "destination"): "CA"}, "destination", "FS215"),
    (ARRIVED, {("1", "line"): "99"}, "line", "FS214"),
    (ARRIVED, {("1", "plan"): "0123456789ab"}, "plan", "FS214"),
]  # fmt: skip


@pytest.mark.parametrize(("fill", "edits", "column", "code"), WRONG)
def test_a_sheet_that_says_something_else_is_refused(
    fill: Fill, edits: Mapping[tuple[str, str], str], column: str, code: str, planned: Path, sheet: Sheet
) -> None:
    """With the file, the row, and the column of the mistake."""
    file = sheet(fill, edits)
    found = [
        one
        for one in problems(filled_in(planned, file))
        if one["column"] == column and code in (one.get("code"), one["message"]) and one["row"]
    ]
    assert {one["file"] for one in found} == {str(file)}


@pytest.mark.parametrize("kilograms", ["700", "1400"])
def test_a_line_may_be_ordered_in_parts_and_not_twice(kilograms: str, planned: Path, sheet: Sheet) -> None:
    """Two rows of one line are two orders, and together no more than the line."""
    file = sheet({"1": ("PO-1", "2026-10-01", "2026-12-29", kilograms)})
    head, first, *rest = file.read_text().splitlines()
    file.write_text("\n".join([head, first, first.replace("PO-1", "PO-1b"), *rest]) + "\n")
    told = filled_in(planned, file)
    if kilograms == "1400":
        assert [(one["row"], one["column"]) for one in problems(told)] == [(3, "confirmed_kg")]
    else:
        found = [(one["id"], one["quantity"]) for one in answer(told)["orders"]]
        assert found[:2] == [("PO-1", "700 kg"), ("PO-1b", "700 kg")]


def test_all_mistakes_are_told_at_once(planned: Path, sheet: Sheet) -> None:
    """A bad day, a quantity of nothing, and an edited supplier, in three rows."""
    fill = {"1": ("PO-1", "soon", "2026-12-29", "5"), "2": ("PO-2", "2027-01-04", "2027-04-02", "0")}
    found = problems(filled_in(planned, sheet(fill, {("3", "supplier"): "Acme"})))
    told = sorted((one["row"], one["column"]) for one in found)
    assert told == [(2, "date_placed"), (3, "confirmed_kg"), (4, "supplier")]


# ---------------------------------------------------------------------------------------------------------------- roll


def test_every_figure_of_a_rolled_case_reconciles(planned: Path, tmp_path: Path, sheet: Sheet) -> None:
    """Opening stock, arrivals, and the plan's use up to the day, counted by hand.

    Gallium refined in China that has arrived stays barred from defense, by the same rule.
    """
    found = answer(rolled(planned, tmp_path / "next", "2027-03-01", "--orders", sheet(ARRIVED)))
    # 59 of the 90 days of 2027-Q1, 2 t a year for radar and 6 t for lighting.
    radar, lighting = (Decimal(per_year) * 59 / 365 for per_year in (2000, 6000))
    (total,) = found["materials"]
    assert (total["opening_kg"], total["received_kg"], total["basis"]) == (300, 2100, "assumed")
    assert total["used_kg"] + total["uncovered_kg"] == pytest.approx(float(radar + lighting), abs=0.002)
    assert total["new_kg"] == pytest.approx(total["opening_kg"] + total["received_kg"] - total["used_kg"], abs=1e-9)
    assert total["new_kg"] == pytest.approx(sum(lot["left_kg"] for lot in found["lots"]), abs=1e-9)
    new = load_case(tmp_path / "next")
    assert (new.horizon.start, new.horizon.count, new.horizon.span.end) == (date(2027, 3, 1), 5, date(2028, 5, 31))
    assert float(sum(stock.quantity for stock in new.stocks)) == pytest.approx(total["new_kg"], abs=1e-9)
    offers = {stock.id: stock.offer for stock in new.stocks if stock.offer}
    assert offers == {"PO-1": "guangxi-gallium", "afloat": "quebec-gallium"}
    (order,) = new.orders
    assert (order.id, order.quantity, order.ordered) == ("PO-2", Decimal("1495.89"), date(2027, 1, 4))
    assert all("assumed, not counted" in stock.why for stock in new.stocks)
    run = plan(new, registry=Registry.of(), workers=1).run
    assert run.verified
    held = {one.lot: one for one in run.holdings}
    assert {use.end_use: use.verdict for use in held["PO-1"].uses} == {"defense": "barred", "civil": "may be used"}
    assert [bar.rule for use in held["PO-1"].uses for bar in use.prohibitions] == ["defense-origin"]
    assert {use.verdict for use in held["afloat"].uses} == {"may be used"}


def test_all_else_of_the_case_stays_as_it_is(planned: Path, tmp_path: Path, sheet: Sheet) -> None:
    """Comments, rules, demands, and scenarios by line, the catalog by byte; nothing is copied that the case doesn't name."""
    (planned / "case" / "notes.txt").write_text("mine")
    answer(rolled(planned, tmp_path / "next", "2027-01-10", "--orders", sheet(ARRIVED)))
    before, after = (
        (folder / "case.toml").read_text().splitlines() for folder in (planned / "case", tmp_path / "next")
    )
    assert [line for line in before if line not in after] == [
        "start = 2026-10-01        # first day of the plan",
        "periods = 6               # this many periods ...",
        'quantity = "300 kg"   # counted in September',
    ]
    assert "start = 2027-01-10  # first day of the plan" in after
    for file in (planned / "case" / "catalog").iterdir():
        assert (tmp_path / "next" / "catalog" / file.name).read_bytes() == file.read_bytes()
    assert not (tmp_path / "next" / "notes.txt").exists()


@pytest.mark.parametrize(
    ("before", "after", "refused"),
    [
        pytest.param("guangxi-gallium,refined,CN,yes", "guangxi-gallium,refined,AU,yes", True, id="moved"),
        pytest.param("guangxi-gallium,refined,CN,yes", "guangxi-gallium,refined,,no", True, id="no longer known"),
        pytest.param("guangxi-gallium,refined,CN,yes,invented\n", "", True, id="no longer stated"),
        pytest.param("quebec-gallium,mined,CA,no", "quebec-gallium,mined,CA,yes", False, id="proved since"),
        pytest.param("quebec-gallium,mined,CA,no", "quebec-gallium,mined,US,yes", True, id="proved to be another"),
    ],
)
def test_goods_that_were_bought_cannot_change_their_origin(
    before: str, after: str, refused: bool, planned: Path, tmp_path: Path
) -> None:
    """A supplier that moves needs another offer; proof of what was unknown is accepted."""
    shutil.copytree(planned / "case", tmp_path / "case")
    chain = tmp_path / "case" / "catalog" / "chain.csv"
    if "quebec" in before:
        replace_in(chain, "quebec-gallium,mined,CA,yes", before)
    plan_in(tmp_path)
    sheet = tmp_path / "sheet.csv"
    assert friendshore("orders", tmp_path / "run", "--out", sheet).exit_code == 0
    rows = lines_of(sheet)
    next(row for row in rows if row["offer"] == "guangxi-gallium").update(zip(FILL_IN, ARRIVED["1"], strict=True))
    replace_in(chain, before, after)
    told = rolled(tmp_path, tmp_path / "next", "2027-03-01", "--orders", write_rows(sheet, rows))
    assert told.exit_code == (2 if refused else 0), told.output
    assert not refused or problems(told)[0]["code"] == "FS225"


def test_a_count_takes_the_place_of_the_planned_use(planned: Path, tmp_path: Path, sheet: Sheet) -> None:
    """Lots hold what was counted; what is gone was used."""
    (tmp_path / "count.csv").write_text("lot,quantity_kg\nshelf,0\nPO-1,1000\nafloat,650.5\n")
    more = ("--orders", sheet(ARRIVED), "--count", tmp_path / "count.csv")
    (total,) = answer(rolled(planned, tmp_path / "next", "2027-03-01", *more))["materials"]
    assert (total["used_kg"], total["new_kg"], total["uncovered_kg"], total["basis"]) == (749.5, 1650.5, 0, "counted")
    stocks = load_case(tmp_path / "next").stocks
    assert {stock.id: stock.quantity for stock in stocks} == {"PO-1": 1000, "afloat": Decimal("650.5")}
    assert all(stock.why.startswith("counted on 2027-03-01") for stock in stocks)


@pytest.mark.parametrize(
    ("count", "code"),
    [
        ("shelf,301\n", "FS219"),
        ("shelv,3\n", "FS224"),
        ("shelf,-3\n", "cannot be read"),
        ("shelf,3\nshelf,4\n", "line 2 already has the same lot"),
    ],
)
def test_a_count_that_cannot_be_is_refused(count: str, code: str, planned: Path, tmp_path: Path) -> None:
    """Row by row, and nothing is written."""
    (tmp_path / "count.csv").write_text(f"lot,quantity_kg\n{count}")
    found = problems(rolled(planned, tmp_path / "next", "2027-03-01", "--count", tmp_path / "count.csv"))
    assert [one for one in found if code in (one.get("code"), one["message"])]
    assert not (tmp_path / "next").exists()


def test_nothing_is_written_over_and_nothing_outside_the_plan_is_rolled(planned: Path, tmp_path: Path) -> None:
    """An existing target, a day before or after the plan, and a run of another state of the case are refused."""
    (tmp_path / "there").mkdir()
    assert problems(rolled(planned, tmp_path / "there"))[0]["code"] == "FS080"
    for day in ("2026-10-01", "2030-01-01"):
        assert problems(rolled(planned, tmp_path / "next", day))[0]["column"] == "--to"
    other = shutil.copytree(planned / "case", tmp_path / "other")
    replace_in(other / "case.toml", 'per_year = "2 t"', 'per_year = "3 t"')
    problem = problems(rolled(planned, tmp_path / "next", case=other))[0]
    assert (problem["code"], "`demands`" in problem["message"]) == ("FS211", True)
    assert not (tmp_path / "next").exists()


def test_an_order_that_did_not_come_covers_nothing(planned: Path, tmp_path: Path) -> None:
    """Without the sheet nothing was ordered: use that no stock covers is told, and no stock falls below zero."""
    found = answer(rolled(planned, tmp_path / "next"))
    (total,) = found["materials"]
    assert total["uncovered_kg"] > 0
    assert total["new_kg"] >= 0
    for words in ("neither stock nor received orders cover", "are not on the sheet"):
        assert any(words in note for note in found["notes"])


WAIVED = """
[[waiver]]
id = "for-radar"
rule = "defense-origin"
demand = "radar"
quantity = "600 kg"
from = 2027-01-01
until = 2027-12-31
"""


def test_a_waiver_loses_what_was_delivered_under_it(tmp_path: Path) -> None:
    """The new plan may not deliver the same kilograms under it again. Periods that are over are no longer listed."""
    write_starter(tmp_path / "case")
    file = tmp_path / "case" / "case.toml"
    replace_in(file, 'per_year = "2 t"', 'quantities = ["0 t", "0.2 t", "0.3 t", "0.4 t", "0.5 t", "0.6 t"]')
    file.write_text(file.read_text() + WAIVED)
    run = read_run(plan_in(tmp_path) / "run").run
    assert sum(one.quantity_kg for one in run.deliveries if one.waivers and one.period == "2027-Q1") == 200
    found = answer(rolled(tmp_path, tmp_path / "next", "2027-04-01"))
    assert found["allowances"] == [{"kind": "waiver", "id": "for-radar", "used_kg": 200}]
    new = load_case(tmp_path / "next")
    assert [(one.id, one.quantity) for one in new.waivers] == [("for-radar", 400)]
    assert next(demand for demand in new.demands if demand.id == "radar").quantities == (300, 400, 500, 600)
    for to, *more in (("2027-05-01",), ("2027-04-01", "--period", "month")):
        assert problems(rolled(tmp_path, tmp_path / "no", to, *more))[0]["code"] == "FS213"


def test_the_new_periods_may_be_months(planned: Path, tmp_path: Path, sheet: Sheet) -> None:
    """From a day within a quarter, up to the same last day."""
    more = ("--orders", sheet({"1": ARRIVED["1"]}), "--period", "month")
    found = answer(rolled(planned, tmp_path / "next", "2026-11-01", *more))
    assert (found["periods"], found["until"]) == (17, "2028-03-31")
    assert load_case(tmp_path / "next").horizon.length.value == "month"


def test_an_order_that_the_run_does_not_know_needs_its_sheet(planned: Path, tmp_path: Path, sheet: Sheet) -> None:
    """Orders that `--write` put into the case are rolled with their sheet, and come to the same as without `--write`."""
    case, filled = shutil.copytree(planned / "case", tmp_path / "case"), sheet(ARRIVED)
    assert friendshore("orders", planned / "run", "--filled", filled, "--write", case).exit_code == 0
    told = problems(rolled(planned, tmp_path / "no", case=case))
    assert [one["message"].split("`")[1] for one in told] == ["PO-1", "PO-2"]
    one = answer(rolled(planned, tmp_path / "one", "2027-03-01", "--orders", filled, case=case))
    other = answer(rolled(planned, tmp_path / "two", "2027-03-01", "--orders", filled))
    assert (one["materials"], one["lots"]) == (other["materials"], other["lots"])
    assert sorted(map(str, one["open"])) == sorted(map(str, other["open"]))


def test_what_lies_outside_the_folder_cannot_be_copied(planned: Path, tmp_path: Path) -> None:
    """A catalog beside the folder of the case wouldn't be beside the new one."""
    shutil.copytree(planned / "case", tmp_path / "case")
    shutil.move(tmp_path / "case" / "catalog", tmp_path / "catalog")
    replace_in(tmp_path / "case" / "case.toml", '"./catalog"', '"../catalog"')
    told = problems(rolled(plan_in(tmp_path), tmp_path / "next"))
    assert [one["code"] for one in told] == ["FS227"]


def test_what_is_lost_in_store_must_be_counted(tmp_path: Path) -> None:
    """The day of the loss is unknown, so nothing is assumed without a count."""
    plan_in(tmp_path, f'{LOTS}\n[[store]]\nmaterial = "gallium-4n"\nloss = "2%/year"\n')
    told = problems(rolled(tmp_path, tmp_path / "next", "2027-01-01"))
    assert [one["code"] for one in told] == ["FS224"]
    (tmp_path / "count.csv").write_text("lot,quantity_kg\nshelf,298\n")
    found = answer(rolled(tmp_path, tmp_path / "next", "2027-01-01", "--count", tmp_path / "count.csv"))
    assert found["materials"][0]["new_kg"] == 298
