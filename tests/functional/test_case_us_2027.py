"""The worked case: its README tells what the command prints, and the pending bills do what it says."""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any

import pytest

import friendshore
from friendshore import Recommendation
from friendshore.document.excerpts import LINES
from friendshore.report import headline_of
from friendshore_pages.html import html
from friendshore_pages.report import report_document

from ..golden.screens import WIDTHS, held
from .depth import few

CASE = Path(__file__).parents[2] / "docs" / "cases" / "us-2027"
README = (CASE / "README.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| ([a-z0-9-]+) \| (civil|defense) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| (\S+) \|$", re.MULTILINE)


OPTIONS: dict[str, dict[str, Any]] = {
    "enacted": {},
    "strict": {"strict": True},
    **{name: {"scenario": name} for name in ("s1803", "hr9073", "projects-on-time")},
}
"""The case as enacted, with unknown phases in force, and with each of its scenarios."""


@cache
def planned(name: str) -> Recommendation:
    """One of the plans."""
    return friendshore.plan(friendshore.load_case(CASE), **OPTIONS[name])


@pytest.mark.parametrize("name", few(OPTIONS, 1))
def test_every_plan_is_optimal_and_verified(name: str) -> None:
    """Each is the cheapest, proved, and checked by the verifier."""
    assert (planned(name).status.value, planned(name).verified) == ("optimal", True)


def test_its_report_is_a_small_file_that_names_every_supplier() -> None:
    """One page of at most 600 kB; whoever is bought from stands in it, and whatever is short."""
    run = planned("enacted").run
    page = html(report_document(run))
    assert len(page.encode()) <= 600_000
    text = unescape(re.sub("</?i>", "", page))  # names with hyphens are kept on one line
    named = [one.facility for one in run.purchases] + [one.material for one in run.demands]
    assert [one for one in named if one not in text] == []
    assert page == html(report_document(run))


def test_table_of_demand() -> None:
    """The README's table is the run's demands, in tonnes."""
    told = {
        (m, use): ([int(n.replace(",", "")) for n in (w, d, s)], since)
        for m, use, w, d, s, since in ROW.findall(README)
    }
    demands = planned("enacted").run.demands
    assert told.keys() == {(one.material, one.end_use) for one in demands}
    for key, (tonnes, since) in told.items():
        of = [one for one in demands if (one.material, one.end_use) == key]
        totals = (sum(getattr(one, f"{what}_kg") for one in of) for what in ("wanted", "delivered", "short"))
        assert [round(total / 1000) for total in totals] == tonnes, key
        assert max(one.first_met or "never" for one in of) == since, key


@pytest.mark.parametrize("width", WIDTHS)
def test_the_screen_holds_the_answer(width: int) -> None:
    """The whole output of `plan` at 100 and at 80 characters a line, as a reader checked it: 50 lines. The README shows the wider one."""
    shown = held(planned("enacted").run, "us-2027", date(2026, 11, 27), width)
    assert len(shown.splitlines()) <= LINES
    assert all(len(line) <= width for line in shown.splitlines())
    assert width != WIDTHS[0] or f"```text\n{shown}```" in README


NEVER = {
    "gallium-metal-4n", "germanium-metal-5n", "ndfeb-magnet", "ndfeb-magnet-dy", "smco-alloy", "smco-magnet", "tantalum-powder",
    "tungsten-heavy-alloy",
}  # fmt: skip
"""What the README says is not available at all for defense."""


def test_the_heading_says_how_many_demands_are_met_and_which_never() -> None:
    """Antimony is short until concentrate arrives. All else that is short can never be had."""
    run = planned("enacted").run
    lacking = {(d.material, d.end_use, d.first_met or "never") for d in run.demands if d.short_kg}
    assert lacking == {(name, "defense", "never") for name in NEVER} | {("antimony-metal", "defense", "2027-Q2")}
    told = headline_of(run)
    assert (told.needs, told.needs_unmet, told.needs_never_met, told.unmet_end_uses) == (23, 10, 9, ("defense",))
    assert "cannot be met" in told.text
    plan_row = next(row for row in run.dependence if row.scope == "plan")
    assert told.concern_share_max == plan_row.share
    chinese, late = (
        sum(each.cost for each in run.purchases if each.concern == "is"),
        sum(each.cost for each in run.purchases if each.late_days),
    )
    assert (told.concern_spend, told.overdue_spend) == (pytest.approx(chinese), pytest.approx(late))


def test_costs() -> None:
    """The README's costs are the run's."""
    cost = planned("enacted").cost
    for figure, text in (
        (cost.nominal, "billion dollars"), (cost.total, "billion discounted"), (cost.charges, "billion of that are duties"),
    ):  # fmt: skip
        assert f"{float(figure) / 1e9:,.1f} {text}" in README


@pytest.mark.deep
@pytest.mark.parametrize("bill", ["s1803", "hr9073"])
def test_pending_bills_bring_the_magnets_that_the_extension_leaves_unproved(bill: str) -> None:
    """Either bill leaves no magnet without dysprosium short, and all else as it is."""
    short, with_bill = (
        {d.id: round(d.short_kg / 1000) for d in planned(name).run.demands} for name in ("enacted", bill)
    )
    changed = {name for name in short if short[name] != with_bill[name]}
    assert changed == {"ndfeb-block-stockpile", "ndfeb-magnets-defense"}
    assert not any(with_bill[name] for name in changed)
    assert f"all {sum(short[name] for name in changed)} t of magnets without dysprosium come from Fort Worth" in README


def test_no_defense_magnet_is_bought_without_proof() -> None:
    """No source says where the iron and boron of any magnet were mined and refined."""
    assert not [one for one in planned("enacted").run.purchases if "ndfeb" in one.material and one.end_use == "defense"]


def test_unknown_phases_are_exposed() -> None:
    """What an unknown suspension would forbid stands beside the mix. Antimony metal costs the same elsewhere, so none of it comes from China."""
    exposed = {row.rule: row for row in planned("enacted").run.exposed}
    materials = set(exposed["cn-46-2-minerals"].materials)
    assert {"gallium-metal-4n", "germanium-metal-5n"} <= materials
    assert "antimony-metal" not in materials


@pytest.mark.deep
def test_strict_lets_unknown_phases_bite() -> None:
    """With `--strict` nothing stands beside the mix any more, and gallium runs short for civil use too."""
    assert planned("strict").run.exposed == []
    short = {d.id: round(float(d.short_kg) / 1000, 1) for d in planned("strict").run.demands if "gallium" in d.id}
    assert short == {"gallium-civil": 56.4, "gallium-defense": 7.6}
    assert "56 t of it go short over the plan" in README


@pytest.mark.deep
def test_projects_on_time_lift_none_of_the_shortages() -> None:
    """Mines and refineries on time do not bring the converters and proofs that are missing."""
    assert {d.material for d in planned("projects-on-time").run.demands if not d.first_met} == NEVER
    assert planned("projects-on-time").cost.nominal < planned("enacted").cost.nominal
