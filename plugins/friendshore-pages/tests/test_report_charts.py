"""A run's report for whoever opens it in a browser: what it must not lose, what it leaves out, how large it may become."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

import pytest
from tests.unit.test_report import CONFLICT, DEMAND, EXPOSED, PURCHASE, SHORT, run

from friendshore.document import charts
from friendshore.document import elements as doc
from friendshore.document.markdown import markdown
from friendshore.report import page_document
from friendshore_pages.html import html
from friendshore_pages.report import report_document


def drawings(**changed: Any) -> dict[str, doc.Drawing]:
    """The charts of the report of a run by title."""
    found: dict[str, doc.Drawing] = {}
    left: list[doc.Element] = list(report_document(run(**changed)).parts)
    while left:
        one = left.pop()
        if isinstance(one, doc.Drawing):
            found[one.title] = one
        elif isinstance(one, doc.Section):
            left += one.parts
    return found


Kind = TypeVar("Kind")


def chart(kind: type[Kind], title: str, **changed: Any) -> Kind:
    """One of them."""
    drawn = drawings(**changed)[title].chart
    assert isinstance(drawn, kind)
    return drawn


def rule(name: str, phases: list[str], **more: Any) -> dict[str, Any]:
    """A rule as a run tells it."""
    given = {"id": name, "kind": "origin-ban", "title": name, "citation": "", "sentence": "", "status": "enacted"}
    return {**given, "phases": phases, "bites": True, **more}


def test_nothing_that_the_page_says_is_lost() -> None:
    """Every sentence and note of the page of Markdown stands in the report too."""
    error_texts = {
        "assumptions": [{"subject": "a", "text": "no price was published"}],
        "exposed": [EXPOSED],
        "conflicts": [CONFLICT],
    }
    a_run = run(**error_texts, rules=[rule("ban", ["2027-01-01.. enacted"], keeps_out=3)])
    told = markdown(report_document(a_run))
    head, _, rest = markdown(page_document(a_run)).partition("## Suppliers")
    sure = rest[rest.index("## Proof") :]
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
    ways = [("2027-01-01", "2027-Q2"), ("2027-03-31", "2027-Q3"), ("2027-12-31", "2028-Q1")]
    orders = [PURCHASE | {"order_by": day, "delivered": arrives} for day, arrives in ways]
    told = {"rules": rules, "exposed": [EXPOSED | {"rule": "may"}], "purchases": orders}
    drawn = chart(charts.Timeline, "Orders and lead times", **told)
    ((way, arrives, again),) = [row.spans for row in drawn.rows]
    assert [(str(span.start), str(span.end)) for span in (way, arrives, again)] == [
        ("2027-01-01", "2027-03-31"), ("2027-04-01", "2027-09-28"), ("2028-01-01", "2028-03-28")
    ]  # fmt: skip
    assert "2,469 t" in arrives.told
    assert [str(mark.day) for row in drawn.rows for mark in row.marks] == ["2027-01-01", "2027-12-31"]
    assert [(str(mark.day), mark.tone) for mark in drawn.marks] == [
        ("2027-01-01", doc.Tone.ASIDE), ("2027-04-01", doc.Tone.DOUBTFUL), ("2028-01-01", doc.Tone.BAD), ("2029-07-01", doc.Tone.GOOD)
    ]  # fmt: skip
    over_time = chart(charts.Timeline, "Rules over time", **told)
    assert {row.name for row in over_time.rows} == {"begins", "ends", "may"}
    spans = [span for row in over_time.rows for span in row.spans]
    assert all(drawn.start <= span.start <= span.end <= drawn.end for span in spans)


def test_days_by_which_orders_are_late_have_a_column_of_their_own() -> None:
    """Where any is late: the days of orders stay dates, which a workbook can sort."""
    late = PURCHASE | {"order_by": "2026-11-01", "late_days": 26}
    table = drawings(purchases=[late, PURCHASE | {"place": "JP"}])["Orders and lead times"].table
    on_time = drawings()["Orders and lead times"].table
    assert isinstance(table, doc.DataTable)
    assert isinstance(on_time, doc.DataTable)
    assert [column.title for column in table.columns[:3]] == ["Order by", "Days late", "Material"]
    assert [row.cells[:2] for row in table.rows] == [(date(2026, 11, 1), doc.Count(26)), (date(2026, 12, 31), "")]
    assert [column.title for column in on_time.columns[:2]] == ["Order by", "Material"]


def test_what_is_short_is_drawn_as_bad_and_a_material_that_nobody_brings_has_no_empty_chart() -> None:
    """Short in its own tone under the line of what is wanted; without purchases no chart of it, and its cause is told."""
    gold = {"material": "gold", "wanted_kg": 9}
    never = DEMAND | gold | {"id": "other", "delivered_kg": 0, "short_kg": 9, "first_met": ""}
    shorts = [SHORT | {"period": period} for period in ("2026-Q4", "2027-Q1")]
    shorts.append(SHORT | gold | {"demand": "other", "period": "2027-Q1", "quantity_kg": 9})
    told = {"demands": [DEMAND, never], "shortages": shorts}
    bars = chart(charts.Bars, "Dysprosium oxide: arrivals by supplier", **told)
    bad = [(one.name, sum(one.values)) for one in bars.series if one.tone is doc.Tone.BAD]
    assert bad == [("short", Decimal("0.5"))]
    assert not [title for title in drawings(**told) if title.startswith("gold")]
    assert "gold | defense | 9 kg | all | 2027-Q1 | capacity |" in markdown(report_document(run(**told)))


def test_demands_met_in_full_are_one_rung_where_there_are_many() -> None:
    """What is short stands out, each by itself and first; the others are told when they are pointed at."""
    full = {"delivered_kg": DEMAND["wanted_kg"], "short_kg": 0}
    met = [DEMAND | full | {"id": f"d{n}", "end_use": f"use-{n}"} for n in range(6)]

    def rungs(demands: list[dict[str, Any]]) -> list[tuple[str, str]]:
        ladder = chart(charts.Ladder, "Delivered share of each demand", demands=demands)
        return [(one.name, one.tone.value) for one in ladder.rungs]

    uses = ["defense", *(f"use-{n}" for n in range(5))]
    assert [name for name, _ in rungs([*met[:5], DEMAND])] == [f"Dysprosium oxide for {use}" for use in uses]
    assert rungs([*met, DEMAND]) == [("Dysprosium oxide for defense", "doubtful"), ("6 met in full", "good")]


def test_a_country_that_is_kept_out_is_told_and_so_are_those_in_which_a_stage_may_lie() -> None:
    """Bought from, barred, both, or neither: each looks otherwise, and a place that is a plant lies where the plant does."""
    plant = {"offer": "feed", "facility_id": "works", "country": "AU", "countries": {"mined": ["AU"]}, "place": "site"}
    site = {"offer": "made", "facility_id": "site", "countries": {"mined": ["AU", "MM"], "refined": ["MY"]}}
    barred = {"offer": "x", "material": "dysprosium-oxide", "end_use": "defense", "demand_material": "dysprosium-oxide"}
    barred |= {"rule": "ban", "stage": "mined", "clause": "", "reason": ""}
    blocked = [barred | {"countries": ["CN"]}, barred | {"countries": ["MY"], "offer": "y"}]
    told = {"purchases": [PURCHASE | plant, PURCHASE | site], "blocked": blocked}
    drawn = chart(charts.WorldMap, "Purchases and exclusions by country", **told)
    assert {one.code: (one.amount is not None, one.tone) for one in drawn.countries} == {
        "AU": (True, doc.Tone.PLAIN), "MY": (True, doc.Tone.DOUBTFUL), "CN": (False, doc.Tone.BAD), "MM": (False, doc.Tone.ASIDE)
    }  # fmt: skip
    assert [(one.source, one.target) for one in drawn.routes] == [("AU", "MY"), ("MY", "US")]


def flowing(purchases: list[dict[str, Any]], draws: list[tuple[str, str, str, int]]) -> dict[str, doc.Drawing]:
    """The charts of a run with these purchases, and what makers take: offer, material, place, kilograms."""
    base = {"compliance_class": "a", "period": "2027-Q1"}
    taken = [dict(zip(("offer", "material", "place", "quantity_kg"), one, strict=True)) | base for one in draws]
    return drawings(purchases=[PURCHASE | one for one in purchases], draws=taken, shortages=[], deliveries=[])


def made(*draws: tuple[str, str, str, int]) -> dict[str, doc.Drawing]:
    """Magnets of metal of oxide; the oxide of one mine also goes to others."""
    names = ("offer", "material", "country", "place", "countries", "quantity_kg")
    plants = [
        ("mine", "oxide", "AU", "PLANT-A", {"mined": ["AU"], "separated": ["MY"]}, 900), ("mine", "oxide", "AU", "US", {"mined": ["AU"]}, 50),
        ("smelter", "metal", "CA", "PLANT-B", {"refined": ["CA"]}, 600), ("works", "magnet", "US", "US", {"melted": ["US"], "produced": ["US"]}, 1500),
        ("abroad", "magnet", "CN", "US", {"mined": ["CN"], "produced": ["CN"]}, 100),
    ]  # fmt: skip
    return flowing([dict(zip(names, plant, strict=True)) for plant in plants], list(draws))


def test_a_flow_goes_through_makers_to_the_mine() -> None:
    """Each stream weighs what it is: oxide to the smelter, metal to the works, magnets to users; what others take of an input is told."""
    drawn = made(("smelter", "oxide", "PLANT-A", 880), ("works", "metal", "PLANT-B", 600))["magnet: from mine to user"]
    flow = drawn.chart
    assert isinstance(flow, charts.Flow)
    assert flow.layers == ("oxide", "to a maker at", "metal", "to a maker at", "magnet", "delivered to", "goes to")
    names = {node.id: (flow.layers[node.layer], node.name) for node in flow.nodes}
    flows = {(*names[one.source], *names[one.target]): one.amount for one in flow.streams}
    unit = 1000 if flow.unit == "t" else 1
    assert {key: value * unit for key, value in flows.items() if key[2] != "goes to" or key[3].startswith("to others")} == {
        ("oxide", "AU→MY", "to a maker at", "PLANT-A"): 900,
        ("to a maker at", "PLANT-A", "metal", "CA"): 880,
        ("to a maker at", "PLANT-A", "goes to", "to others, or left over"): 20,
        ("metal", "CA", "to a maker at", "PLANT-B"): 600,
        ("to a maker at", "PLANT-B", "magnet", "US"): 600,
        ("magnet", "US", "delivered to", "US"): 1500,
        ("magnet", "CN", "delivered to", "US"): 100,
    }  # fmt: skip
    assert [str(row.cells[2]) for row in drawn.table.rows][:2] == ["oxide", "oxide"]


def streams(drawn: doc.Drawing) -> dict[tuple[str, str], Decimal]:
    """From and to, as the table of a flow says it, and kilograms."""
    assert isinstance(drawn.chart, charts.Flow)
    unit = 1000 if drawn.chart.unit == "t" else 1
    pairs = zip(drawn.table.rows, drawn.chart.streams, strict=True)
    return {(str(row.cells[0]), str(row.cells[1])): flow.amount * unit for row, flow in pairs}


def test_what_goes_round_is_followed_once() -> None:
    """Oxide of metal of oxide: from the metal back to the oxide, and no further, each kilogram once."""
    charts_of = made(("smelter", "oxide", "PLANT-A", 880), ("mine", "metal", "PLANT-B", 600))
    found = streams(charts_of["metal: from mine to user"])
    assert found["oxide from Australia → Malaysia", "oxide at PLANT-A"] == 900
    assert found["oxide at PLANT-A", "metal from Canada"] == 880
    assert found["PLANT-B", "into oxide"] == 600
    assert not [pair for pair in found if pair[1].startswith("oxide from")]


def test_what_a_plant_takes_for_two_inputs_is_told_once() -> None:
    """One plant makes two of the inputs of one works: its ore is drawn once, and inputs that stand in one layer have their names."""
    base = {"place": "US", "countries": {"mined": ["AU"]}, "country": "AU"}
    sold = (("pit", "ore", 100), ("plant", "neodymium", 30), ("plant", "dysprosium", 10), ("works", "magnet", 40))
    draws = [("plant", "ore", "US", 100), ("works", "neodymium", "US", 30), ("works", "dysprosium", "US", 10)]
    purchases = [base | {"offer": offer, "material": what, "quantity_kg": kg} for offer, what, kg in sold]
    drawn = flowing(purchases, draws)["magnet: from mine to user"]
    flows = streams(drawn)
    assert sum(kilograms for (source, _), kilograms in flows.items() if source == "ore at United States") == 100
    assert flows["neodymium at United States", "magnet from Australia"] == 30
    assert flows["dysprosium at United States", "magnet from Australia"] == 10
    assert isinstance(drawn.chart, charts.Flow)
    assert drawn.chart.layers[:3] == ("ore", "to a maker at", "dysprosium, neodymium")


@pytest.mark.nightly
def test_a_run_of_very_many_offers_fits_in_two_megabytes() -> None:
    """100,000 suppliers of 300 materials, as many rows of everything else: the page is capped, and says how much is left out."""
    many, few = range(100_000), range(300)
    names = [f"a-material-with-a-name-{k % 300}" for k in many]
    plants = [{"facility": f"A plant with quite a long name, {k}", "facility_id": f"plant-{k}"} for k in many]
    reason = {"reason": "a reason that takes some words to tell", "clause": "a clause", "countries": ["CN"]}
    out = {"end_use": "defense", "demand_material": names[0], "rule": "ban", "stage": "mined"}
    lead = {"country": "AU", "reasons": ["no capacity"]}
    a_run = run(
        purchases=[PURCHASE | plants[k] | {"offer": f"offer-{k}", "material": names[k]} for k in many],
        demands=[DEMAND | {"id": f"demand-{k}", "material": names[k]} for k in few],
        blocked=[out | reason | {"offer": f"barred-{k}", "material": names[k]} for k in many],
        unproven=[out | {"reason": f"unproven {k}", "offer": f"unproven-{k}", "material": names[k]} for k in many],
        leads=[lead | {"offer": f"lead-{k}", "materials": [names[k]], "facility": f"plant {k}"} for k in many],
        assumptions=[{"subject": f"offer-{k}", "text": f"something of {k % 1000}"} for k in many],
        rules=[rule(f"rule-{k}", ["2027-01-01.. enacted"], keeps_out=1, charges=1) for k in range(1000)],
        shortages=[SHORT | {"demand": f"demand-{k}", "material": names[k], "period": "2027-Q1"} for k in few],
    )
    page = html(report_document(a_run))
    assert len(page.encode()) < 2_000_000
    assert "99,920 more orders" in page
    assert "260 more materials" in page
