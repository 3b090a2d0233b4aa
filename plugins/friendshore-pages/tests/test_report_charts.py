"""A run's report for whoever opens it in a browser: what it must not lose, what it leaves out, how large it may become."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.test_report import DEMAND, PURCHASE, SHORT, run

from friendshore.document import charts
from friendshore.document import elements as doc
from friendshore.document.markdown import markdown
from friendshore.domain.run import Run
from friendshore.report import page_document
from friendshore_pages.html import html
from friendshore_pages.report import report_document


def drawings(a_run: Run) -> dict[str, doc.Drawing]:
    """The charts of its report by title."""
    found: dict[str, doc.Drawing] = {}
    left: list[doc.Element] = list(report_document(a_run).parts)
    while left:
        one = left.pop()
        if isinstance(one, doc.Drawing):
            found[one.title] = one
        elif isinstance(one, doc.Section):
            left += one.parts
    return found


def rule(name: str, phases: list[str], **more: Any) -> dict[str, Any]:
    """A rule as a run tells it."""
    given = {"id": name, "kind": "origin-ban", "title": name, "citation": "", "sentence": "", "status": "enacted"}
    return {**given, "phases": phases, "bites": True, **more}


def test_nothing_that_the_page_says_is_lost() -> None:
    """Every sentence and note of the page of Markdown stands in the report too."""
    a_run = run(
        exposed=[
            {
                "rule": "stayed",
                "title": "A stay",
                "cost": 7,
                "materials": {"dysprosium-oxide": 5},
                "offers": ["a"],
                "first": "2027-Q1",
            }
        ],
        conflicts=[{"rules": ["cap"], "sentences": ["At most 1 kg"], "materials": ["tin"], "demands": []}],
        assumptions=[{"subject": "a", "text": "no price was published"}],
        rules=[rule("ban", ["2027-01-01.. enacted"], keeps_out=3)],
    )
    told = markdown(report_document(a_run))
    head, _, rest = markdown(page_document(a_run)).partition("## Who supplies it")
    sure = rest[rest.index("## How sure this is") : rest.index("- Made with")]
    assert f"## Made with\n\n- {', '.join(f'{name} {number}' for name, number in a_run.versions.items())}" in told
    lines = [line for part in (head, sure) for line in part.splitlines() if line and not line.startswith(("|", "#"))]
    assert len(lines) > 8
    assert [line for line in lines if line not in told] == []
    for figure in ("| Dysprosium oxide (dysprosium-oxide) | defense |", "1,235", "1,000", "2026-12-31", "ban"):
        assert figure in told


def test_orders_lead_to_stretches_of_arrivals_and_days_of_rules_are_marked() -> None:
    """The first order's last day, the time until it is there, the periods in which goods arrive, anew after a break; a rule that begins, one that ends, and one that may hold."""
    rules = [
        rule("begins", ["2028-01-01.. enacted"], keeps_out=1),
        rule("ends", ["..2029-06-30 enacted"], charges=5),
        rule("may", ["2027-01-01..2027-03-31 suspended", "2027-04-01.. unknown"], bites=False),
        rule("idle", ["2028-07-01.. enacted"]),
    ]
    exposed = [{"rule": "may", "title": "", "cost": 7, "materials": {}, "offers": [], "first": "2027-Q1"}]
    ways = [("2027-01-01", "2027-Q2"), ("2027-03-31", "2027-Q3"), ("2027-12-31", "2028-Q1")]
    orders = [PURCHASE | {"order_by": day, "delivered": arrives} for day, arrives in ways]
    found = drawings(run(rules=rules, exposed=exposed, purchases=orders))
    chart = found["Orders and lead times"].chart
    assert isinstance(chart, charts.Timeline)
    ((way, arrives, again),) = [row.spans for row in chart.rows]
    assert (str(way.start), str(way.end)) == ("2027-01-01", "2027-03-31")
    assert (str(arrives.start), str(arrives.end)) == ("2027-04-01", "2027-09-28")
    assert "2,469 t" in arrives.told
    assert (str(again.start), str(again.end)) == ("2028-01-01", "2028-03-28")
    assert [str(mark.day) for row in chart.rows for mark in row.marks] == ["2027-01-01", "2027-12-31"]
    assert [(str(mark.day), mark.tone) for mark in chart.marks] == [
        ("2027-01-01", doc.Tone.ASIDE), ("2027-04-01", doc.Tone.DOUBTFUL), ("2028-01-01", doc.Tone.BAD), ("2029-07-01", doc.Tone.GOOD)
    ]  # fmt: skip
    over_time = found["Rules over time"].chart
    assert isinstance(over_time, charts.Timeline)
    assert {row.name for row in over_time.rows} == {"begins", "ends", "may"}
    assert all(chart.start <= span.start <= span.end <= chart.end for row in over_time.rows for span in row.spans)


def test_days_by_which_orders_are_late_have_a_column_of_their_own() -> None:
    """Where any is late: the days of orders stay dates, which a workbook can sort."""
    orders = [
        PURCHASE | {"order_by": "2026-11-01", "late_days": 26},
        PURCHASE | {"order_by": "2026-12-31", "place": "JP"},
    ]
    table = drawings(run(purchases=orders))["Orders and lead times"].table
    assert isinstance(table, doc.DataTable)
    assert [column.title for column in table.columns[:3]] == ["Order by", "Days late", "Material"]
    assert [row.cells[:2] for row in table.rows] == [(date(2026, 11, 1), doc.Count(26)), (date(2026, 12, 31), "")]
    on_time = drawings(run())["Orders and lead times"].table
    assert isinstance(on_time, doc.DataTable)
    assert [column.title for column in on_time.columns[:2]] == ["Order by", "Material"]


def test_what_is_short_is_drawn_as_bad_and_a_material_that_nobody_brings_has_no_empty_chart() -> None:
    """Short in its own tone under the line of what is wanted; without purchases no chart of it, and its cause is told."""
    met = DEMAND | {
        "id": "other",
        "material": "gold",
        "wanted_kg": 9,
        "delivered_kg": 0,
        "short_kg": 9,
        "first_met": "",
    }
    none = SHORT | {"demand": "other", "material": "gold", "period": "2027-Q1", "quantity_kg": 9, "wanted_kg": 9}
    shorts = [SHORT | {"period": "2026-Q4"}, SHORT | {"period": "2027-Q1"}, none]
    a_run = run(demands=[DEMAND, met], shortages=shorts)
    found = drawings(a_run)
    bars = found["Dysprosium oxide: arrivals by supplier"].chart
    assert isinstance(bars, charts.Bars)
    assert [(one.name, one.tone, sum(one.values)) for one in bars.series if one.tone is doc.Tone.BAD] == [
        ("short", doc.Tone.BAD, Decimal("0.5"))
    ]
    assert not [title for title in found if title.startswith("gold")]
    assert "gold | defense | capacity, 2027-Q1" in markdown(report_document(a_run))


def test_demands_met_in_full_are_one_rung_where_there_are_many() -> None:
    """What is short stands out, each by itself and first; the others are told when they are pointed at."""
    met = [
        DEMAND | {"id": f"d{n}", "end_use": f"use-{n}", "delivered_kg": DEMAND["wanted_kg"], "short_kg": 0}
        for n in range(6)
    ]

    def rungs(demands: list[dict[str, Any]]) -> list[tuple[str, str]]:
        chart = drawings(run(demands=demands))["Part of each demand that is delivered"].chart
        assert isinstance(chart, charts.Ladder)
        return [(one.name, one.tone.value) for one in chart.rungs]

    assert [name for name, _ in rungs([*met[:5], DEMAND])] == [
        "Dysprosium oxide for defense", *(f"Dysprosium oxide for use-{n}" for n in range(5))
    ]  # fmt: skip
    assert rungs([*met, DEMAND]) == [("Dysprosium oxide for defense", "doubtful"), ("6 met in full", "good")]


def test_a_country_that_is_kept_out_is_told_and_so_are_those_in_which_a_stage_may_lie() -> None:
    """Bought from, barred, both, or neither: each looks otherwise, and a place that is a plant lies where the plant does."""
    plant = PURCHASE | {
        "offer": "feed",
        "facility_id": "works",
        "country": "AU",
        "countries": {"mined": ["AU"]},
        "place": "site",
    }
    site = PURCHASE | {
        "offer": "made",
        "facility_id": "site",
        "country": "MY",
        "countries": {"mined": ["AU", "MM"], "refined": ["MY"]},
    }
    barred = {
        "offer": "x", "material": "dysprosium-oxide", "end_use": "defense", "demand_material": "dysprosium-oxide", "rule": "ban",
        "stage": "mined", "clause": "", "reason": "",
    }  # fmt: skip
    blocked = [barred | {"countries": ["CN"]}, barred | {"countries": ["MY"], "offer": "y"}]
    chart = drawings(run(purchases=[plant, site], blocked=blocked))["Where it is bought, and where not"].chart
    assert isinstance(chart, charts.WorldMap)
    looks = {one.code: (one.amount is not None, one.tone) for one in chart.countries}
    assert looks == {
        "AU": (True, doc.Tone.PLAIN), "MY": (True, doc.Tone.DOUBTFUL), "CN": (False, doc.Tone.BAD), "MM": (False, doc.Tone.ASIDE)
    }  # fmt: skip
    assert [(one.source, one.target) for one in chart.routes] == [("AU", "MY"), ("MY", "US")]


def made(of: list[tuple[str, str, str, int]], **more: Any) -> Run:
    """Magnets of metal of oxide; the oxide of one mine also goes to others. What makers take: offer, material, place, kilograms."""
    plants = [
        ("mine", "oxide", "AU", "PLANT-A", {"mined": ["AU"], "separated": ["MY"]}, 900), ("mine", "oxide", "AU", "US", {"mined": ["AU"]}, 50),
        ("smelter", "metal", "CA", "PLANT-B", {"refined": ["CA"]}, 600), ("works", "magnet", "US", "US", {"melted": ["US"], "produced": ["US"]}, 1500),
        ("abroad", "magnet", "CN", "US", {"mined": ["CN"], "produced": ["CN"]}, 100),
    ]  # fmt: skip
    purchases = [
        PURCHASE | {"offer": offer, "material": material, "country": country, "place": place, "countries": countries, "quantity_kg": kilograms}
        for offer, material, country, place, countries, kilograms in plants
    ]  # fmt: skip
    draws = [
        {"offer": offer, "material": material, "place": place, "requirement": "a", "period": "2027-Q1", "quantity_kg": kilograms}
        for offer, material, place, kilograms in of
    ]  # fmt: skip
    return run(purchases=purchases, draws=draws, shortages=[], deliveries=[], **more)


def test_a_flow_goes_through_makers_to_the_mine() -> None:
    """Each stream weighs what it is: oxide to the smelter, metal to the works, magnets to users; what others take of an input is told."""
    found = drawings(made([("smelter", "oxide", "PLANT-A", 880), ("works", "metal", "PLANT-B", 600)]))
    drawn = found["magnet: from mine to user"]
    chart = drawn.chart
    assert isinstance(chart, charts.Flow)
    assert chart.layers == ("oxide", "to a maker at", "metal", "to a maker at", "magnet", "delivered to", "goes to")
    names = {node.id: (chart.layers[node.layer], node.name) for node in chart.nodes}
    flows = {(*names[one.source], *names[one.target]): one.amount for one in chart.streams}
    unit = 1000 if chart.unit == "t" else 1
    assert {key: value * unit for key, value in flows.items() if key[2] != "goes to" or key[3].startswith("to others")} == {
        ("oxide", "AU→MY", "to a maker at", "PLANT-A"): 900,
        ("to a maker at", "PLANT-A", "metal", "CA"): 880,
        ("to a maker at", "PLANT-A", "goes to", "to others, or left"): 20,
        ("metal", "CA", "to a maker at", "PLANT-B"): 600,
        ("to a maker at", "PLANT-B", "magnet", "US"): 600,
        ("magnet", "US", "delivered to", "US"): 1500,
        ("magnet", "CN", "delivered to", "US"): 100,
    }  # fmt: skip
    assert [str(row.cells[2]) for row in drawn.table.rows][:2] == ["oxide", "oxide"]


def streams(found: dict[str, doc.Drawing], title: str) -> dict[tuple[str, str], Decimal]:
    """From and to, as the table of a flow says it, and kilograms."""
    chart = found[title].chart
    assert isinstance(chart, charts.Flow)
    unit = 1000 if chart.unit == "t" else 1
    cells = [row.cells for row in found[title].table.rows]
    return {(str(one[0]), str(one[1])): flow.amount * unit for one, flow in zip(cells, chart.streams, strict=True)}


def test_what_goes_round_is_followed_once() -> None:
    """Oxide of metal of oxide: from the metal back to the oxide, and no further, each kilogram once."""
    found = streams(
        drawings(made([("smelter", "oxide", "PLANT-A", 880), ("mine", "metal", "PLANT-B", 600)])),
        "metal: from mine to user",
    )
    assert found["oxide from Australia → Malaysia", "oxide at PLANT-A"] == 900
    assert found["oxide at PLANT-A", "metal from Canada"] == 880
    assert found["PLANT-B", "into oxide"] == 600
    assert not [pair for pair in found if pair[1].startswith("oxide from")]


def test_what_a_plant_takes_for_two_inputs_is_told_once() -> None:
    """One plant makes two of the inputs of one works: its ore is drawn once, and inputs that stand in one layer have their names."""
    base = {"place": "US", "countries": {"mined": ["AU"]}, "country": "AU"}
    purchases = [PURCHASE | base | {"offer": offer, "material": material, "quantity_kg": kilograms} for offer, material, kilograms in (
        ("pit", "ore", 100), ("plant", "neodymium", 30), ("plant", "dysprosium", 10), ("works", "magnet", 40),
    )]  # fmt: skip
    draws = [{"offer": offer, "material": material, "place": "US", "requirement": "a", "period": "2027-Q1", "quantity_kg": kilograms} for offer, material, kilograms in (
        ("plant", "ore", 100), ("works", "neodymium", 30), ("works", "dysprosium", 10),
    )]  # fmt: skip
    found = drawings(run(purchases=purchases, draws=draws, shortages=[], deliveries=[]))
    flows = streams(found, "magnet: from mine to user")
    assert sum(kilograms for (source, _), kilograms in flows.items() if source == "ore at United States") == 100
    assert flows["neodymium at United States", "magnet from Australia"] == 30
    assert flows["dysprosium at United States", "magnet from Australia"] == 10
    chart = found["magnet: from mine to user"].chart
    assert isinstance(chart, charts.Flow)
    assert chart.layers[:3] == ("ore", "to a maker at", "dysprosium, neodymium")


@pytest.mark.nightly
def test_a_run_of_very_many_offers_fits_in_two_megabytes() -> None:
    """100,000 suppliers of 300 materials, as many rows of everything else: the page is capped, and says how much is left out."""
    many = 100_000
    names = [f"a-material-with-a-name-{k % 300}" for k in range(many)]
    purchases = [
        PURCHASE
        | {
            "offer": f"offer-{k}",
            "facility": f"A plant with quite a long name, {k}",
            "facility_id": f"plant-{k}",
            "material": names[k],
        }
        for k in range(many)
    ]
    demands = [DEMAND | {"id": f"demand-{k}", "material": f"a-material-with-a-name-{k}"} for k in range(300)]
    reasons = {"reason": "a reason that takes some words to tell", "clause": "a clause"}
    kept_out = {"end_use": "defense", "demand_material": names[0], "rule": "ban", "stage": "mined"}
    blocked = [
        {**kept_out, **reasons, "offer": f"barred-{k}", "material": names[k], "countries": ["CN"]} for k in range(many)
    ]
    unproven = [
        {**kept_out, "reason": f"unproven {k}", "offer": f"unproven-{k}", "material": names[k]} for k in range(many)
    ]
    leads = [
        {
            "offer": f"lead-{k}",
            "materials": [names[k]],
            "facility": f"plant {k}",
            "country": "AU",
            "reasons": ["no capacity"],
        }
        for k in range(many)
    ]
    assumptions = [{"subject": f"offer-{k}", "text": f"something of {k % 1000}"} for k in range(many)]
    a_run = run(
        purchases=purchases, demands=demands, blocked=blocked, unproven=unproven, leads=leads, assumptions=assumptions,
        rules=[rule(f"rule-{k}", ["2027-01-01.. enacted"], keeps_out=1, charges=1) for k in range(1000)],
        shortages=[SHORT | {"demand": f"demand-{k}", "material": f"a-material-with-a-name-{k}", "period": "2027-Q1"} for k in range(300)],
    )  # fmt: skip
    page = html(report_document(a_run))
    assert len(page.encode()) < 2_000_000
    assert "99,920 more orders" in page
    assert "260 more materials" in page
