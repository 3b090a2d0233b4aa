"""Limits of a year after a case was rolled forward within it: what was ordered and wanted before still counts."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from friendshore.case import load_case
from friendshore.domain.run import Run, RunPurchase
from friendshore.orders.carryover import _purchases
from friendshore.orders.lines import order_lines
from friendshore.orders.sheet import PlacedLine
from friendshore.plugins import Registry
from friendshore.recommend import plan
from friendshore.rules.rows import single_rows
from friendshore.run import read_run

from .case_books import friendshore
from .test_orders import FILL_IN, lines_of, problems

RULES = "".join(
    "[[rule]]\n" + "\n".join(keys) + "\n"
    for keys in (
        ('kind = "budget"', 'id = "purse"', "amount = 1500000", 'per = "year"'),
        ('kind = "max-share"', 'id = "cap"', 'by = "supplier"', 'suppliers = ["Example Gallium"]', "each = false", 'share = "50%"', 'of = "demand"', 'per = "year"', "include_stock = false"),
        ('kind = "min-share"', 'id = "floor"', 'countries = ["CA"]', 'share = "10%"', 'of = "demand"', 'per = "year"', 'penalty = "50 USD/kg"'),
        ('kind = "pin"', 'id = "pinned"', 'offer = "quebec-gallium"', 'at_most = "3 t"', 'per = "horizon"'),
    )
)  # fmt: skip
CAP = ("cap", "gallium-4n together 2027")
NEXT = ("cap", "gallium-4n together 2028")


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the starter case from 2027 on, under limits of a year and of the plan, and the run of its plan."""
    folder = tmp_path_factory.mktemp("carryovers")
    assert friendshore("init", "--start", "2027-01-01", folder / "case").exit_code == 0
    file = folder / "case" / "case.toml"
    share = '[[rule]]\nkind = "max-share"'
    text = file.read_text().replace(share, RULES + "\n" + share)
    file.write_text(text.replace("[assume] ", '[assume]\nholding = "6%/year" '))
    planned(folder / "case", folder / "run")
    return folder


def planned(case: Path, run: Path) -> Path:
    """The run of a case's plan."""
    told = friendshore("plan", case, "--out", run, "--quiet")
    assert told.exit_code == 0, told.output
    return run


def roll(
    case: Path, run: Path, out: Path, to: str, share: str = "1", late: Mapping[str, str] = MappingProxyType({})
) -> dict[str, Any]:
    """Roll a case with all orders placed that were due before a day, each for a share of what was planned, some late."""
    sheet = out.with_suffix(".csv")
    assert friendshore("orders", run, "--out", sheet).exit_code == 0
    rows = lines_of(sheet)
    for row in rows:
        if row["order_by"] and row["order_by"] < to:
            arrives = late.get(row["line"], row["needed_on"])
            kilograms = str((Decimal(row["quantity_kg"]) * Decimal(share)).quantize(Decimal("0.001")))
            row.update(zip(FILL_IN, (f"PO-{to}-{row['line']}", row["order_by"], arrives, kilograms), strict=True))
    with sheet.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    told = friendshore("case", "roll", case, "--to", to, "--run", run, "--orders", sheet, "--out", out, "--json")
    assert told.exit_code == 0, told.output
    found: dict[str, Any] = json.loads(told.output)
    return found


def carried(case: Path) -> dict[tuple[str, str], tuple[Decimal, Decimal]]:
    """Rule and row -> used and allowed before the plan."""
    return {(one.rule, one.row): (one.used, one.allowed) for one in load_case(case).carryovers}


def bought_before(run: Path, day: str) -> list[RunPurchase]:
    """Purchases of a run that were due before a day."""
    return [one for one in read_run(run).run.purchases if one.order_by.isoformat() < day]


def kilograms(purchases: Iterable[RunPurchase], offer: str, delivered: str = "") -> Decimal:
    """Kilograms of an offer, of those delivered in a year."""
    of = (one for one in purchases if one.offer == f"{offer}-gallium" and one.delivered.startswith(delivered))
    return sum((one.quantity_kg for one in of), Decimal(0))


def spent(purchases: Iterable[RunPurchase]) -> float:
    """Money for what is ordered in 2027."""
    return float(sum(one.price + one.charges + one.freight for one in purchases if one.ordered[:4] == "2027"))


def again(case: Path) -> Run:
    """The plan of a case that was rolled."""
    return plan(load_case(case), registry=Registry.of(), workers=1).run


def test_used_and_allowed_are_those_of_the_orders_and_the_demand_before(limited: Path, tmp_path: Path) -> None:
    """By hand: money and kilograms of the orders, and half of what was wanted from April to June."""
    before = bought_before(limited / "run", "2027-07-01")
    roll(limited / "case", limited / "run", tmp_path / "next", "2027-07-01")
    found = carried(tmp_path / "next")
    china = kilograms(before, "guangxi", "2027")
    assert china > 0
    assert found[CAP] == (china, pytest.approx(Decimal(8000) * 91 / 365 / 2, abs=Decimal("0.01")))
    assert found["pinned", "quebec-gallium"] == (kilograms(before, "quebec"), 0)
    assert not [one for one in read_run(limited / "run").run.stocks if one.period < "2027-Q3"]
    money = sum(one.price + one.charges + one.freight for one in before)
    assert found["purse", "2027"] == (pytest.approx(money, abs=Decimal("0.01")), 0)


@pytest.mark.parametrize("day", ["2027-04-01", "2027-05-15", "2027-07-01", "2027-10-01"])
@pytest.mark.parametrize("share", ["1", "0.6"])
def test_two_plans_together_keep_the_limits_of_the_year(day: str, share: str, limited: Path, tmp_path: Path) -> None:
    """What was ordered by the first plan and what the second one buys: no more than the budget, the cap, and the pin."""
    roll(limited / "case", limited / "run", tmp_path / "next", day, share)
    new = again(tmp_path / "next")
    assert new.verified
    assert any(one.subject == "purse" and "[[carryover]]" in one.text for one in new.assumptions)
    before, part = bought_before(limited / "run", day), Decimal(share)
    # Quarters from May 15 on belong to the year in which they begin, so that 2027 wants until February 14.
    wanted = 8000 * (275 if day != "2027-05-15" else 275 + 45) / 365
    assert float(part) * spent(before) + spent(new.purchases) <= 1_500_001
    china, quebec = (
        float(part * kilograms(before, *of) + kilograms(new.purchases, *of))
        for of in (("guangxi", "2027"), ("quebec",))
    )
    assert china <= wanted / 2 + 0.01
    assert quebec <= 3000.01


def test_a_second_roll_adds_to_the_first(limited: Path, tmp_path: Path) -> None:
    """Each roll adds what its own plan ordered, and last year's rows are gone after the year."""
    roll(limited / "case", limited / "run", tmp_path / "one", "2027-04-01")
    first = carried(tmp_path / "one")
    run = planned(tmp_path / "one", tmp_path / "run")
    roll(tmp_path / "one", run, tmp_path / "two", "2027-07-01")
    second = carried(tmp_path / "two")
    assert second[CAP][0] == first[CAP][0] + kilograms(bought_before(run, "2027-07-01"), "guangxi", "2027")
    assert float(second[CAP][1] - first[CAP][1]) == pytest.approx(8000 * 91 / 365 / 2, abs=0.01)
    roll(tmp_path / "two", planned(tmp_path / "two", tmp_path / "run2"), tmp_path / "three", "2028-01-01")
    third = carried(tmp_path / "three")
    assert CAP not in third
    assert ("purse", "2027") not in third
    assert third["pinned", "quebec-gallium"][0] >= second["pinned", "quebec-gallium"][0]


def test_a_late_order_counts_in_the_year_in_which_it_arrives(limited: Path, tmp_path: Path) -> None:
    """The cap counts deliveries: what is confirmed for January takes nothing from this year, and takes it from the next."""
    sheet = tmp_path / "all.csv"
    assert friendshore("orders", limited / "run", "--out", sheet).exit_code == 0
    line = next(row for row in lines_of(sheet) if row["offer"] == "guangxi-gallium" and row["needed_on"][:4] == "2027")
    amount = Decimal(line["quantity_kg"])
    roll(limited / "case", limited / "run", tmp_path / "one", "2027-10-01")
    roll(limited / "case", limited / "run", tmp_path / "two", "2027-10-01", late={line["line"]: "2028-01-05"})
    on_time, late = carried(tmp_path / "one"), carried(tmp_path / "two")
    assert on_time[CAP][0] - late[CAP][0] == amount > 0
    assert late[NEXT][0] - (on_time[NEXT][0] if NEXT in on_time else 0) == amount
    assert on_time["purse", "2027"] == late["purse", "2027"]


def test_a_budget_that_is_raised_still_counts_what_was_spent(limited: Path, tmp_path: Path) -> None:
    """The carryover is an amount used, and no new limit: the case's own figure stays what it was."""
    roll(limited / "case", limited / "run", tmp_path / "next", "2027-07-01")
    file = tmp_path / "next" / "case.toml"
    assert "amount = 1500000\n" in file.read_text()
    used = carried(tmp_path / "next")["purse", "2027"][0]
    for amount in (1_500_000, 1_900_000):
        file.write_text(file.read_text().replace("amount = 1500000", f"amount = {amount}"))
        problem = plan(load_case(file), registry=Registry.of(), workers=1).session.verified.problem
        rows = [row for rule, rows in problem.limit_rows if rule.id == "purse" for row in single_rows(rows)]
        assert [row.at_most for row in rows if row.label == "2027"] == [amount - used]


def test_a_carryover_is_of_a_rule_of_the_case_once(limited: Path, tmp_path: Path) -> None:
    """A row that is listed twice, and a rule that nobody knows."""
    roll(limited / "case", limited / "run", tmp_path / "next", "2027-07-01")
    file = tmp_path / "next" / "case.toml"
    text = file.read_text()
    file.write_text(text + '\n[[carryover]]\nrule = "purse"\nrow = "2027"\nused = -1\n')
    (found,) = problems(friendshore("plan", file, "--json", "--quiet"))
    assert found["column"].endswith(".row")
    file.write_text(text + '\n[[carryover]]\nrule = "purze"\nrow = "2027"\nused = 1\n')
    assert [one["found"] for one in problems(friendshore("plan", file, "--json", "--quiet"))] == ["purze"]


def test_a_capacity_is_taken_once_where_a_roll_cuts_a_period(limited: Path, tmp_path: Path) -> None:
    """Quebec makes 3 t a year. What was ordered from April to mid-May is taken off what it can make from then to mid-August."""
    found = roll(limited / "case", limited / "run", tmp_path / "next", "2027-05-15")
    due = bought_before(limited / "run", "2027-05-15")
    before = float(kilograms((one for one in due if one.ordered == "2027-Q2"), "quebec"))
    whole = 3000 * 136 / 365
    assert before > 3000 * 44 / 365
    (left,) = [one for one in found["left"] if "quebec" in one["rule"]]
    assert left["at_most_kg"] == pytest.approx(whole - before, abs=0.01)
    new = again(tmp_path / "next")
    after = [one for one in new.purchases if one.ordered == new.periods[0].label]
    assert before + float(kilograms(after, "quebec")) <= whole + 0.01


def test_a_parcel_is_sold_once(limited: Path, tmp_path: Path) -> None:
    """An offer of 1500 kg in all: after three rolls no more than that was ordered of it."""
    case = tmp_path / "case"
    shutil.copytree(limited / "case", case)
    offers = (case / "catalog" / "offers.csv").read_text().splitlines()
    rows = [f"{row},{'1500 kg' if 'guangxi' in row else ''}" for row in offers[1:]]
    (case / "catalog" / "offers.csv").write_text("\n".join([f"{offers[0]},total", *rows]) + "\n")
    ordered, now = Decimal(0), case
    for number, day in enumerate(("2027-04-01", "2027-07-01", "2027-10-01")):
        run = planned(now, tmp_path / f"run{number}")
        ordered += kilograms(bought_before(run, day), "guangxi")
        roll(now, run, tmp_path / f"next{number}", day)
        now = tmp_path / f"next{number}"
    assert 0 < ordered + kilograms(again(now).purchases, "guangxi") <= 1500


@pytest.mark.parametrize("confirmed", ["36350.334", "20000", "0.001"])
def test_parts_of_an_order_for_two_uses_add_up_to_what_is_confirmed(confirmed: str, limited: Path) -> None:
    """An order that comes short by a gram or by half: each part is whole grams, which a budget can count."""
    verified = plan(load_case(limited / "case"), registry=Registry.of(), workers=1).plan
    line = next(one for one in order_lines(verified) if one.by_class)
    (material,) = line.by_class
    split = {"R1": Decimal("21227.047"), "R2": Decimal("15123.288")}
    line = replace(line, quantity=Decimal("36350.335"), by_class={material: split})
    placed = PlacedLine(line, "PO-1", date(2027, 1, 1), date(2027, 4, 1), Decimal(confirmed), 1)
    parts = [one.quantity for one in _purchases(placed, Decimal("0.001"))]
    assert sum(parts) == Decimal(confirmed)
    assert all(part % Decimal("0.001") == 0 for part in parts)
