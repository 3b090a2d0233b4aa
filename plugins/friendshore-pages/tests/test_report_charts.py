"""A run's report for whoever opens it in a browser: what it must not lose, what it leaves out, how large it may become."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
    return {**given, "phases": phases, "applies": True, **more}


def test_nothing_that_the_page_says_is_lost() -> None:
    """Every sentence and note of the page of Markdown stands in the report too."""
    told_of = {
        "assumptions": [{"subject": "a", "text": "no price was published"}],
        "exposed": [EXPOSED],
        "conflicts": [CONFLICT],
    }
    a_run = run(**told_of, rules=[rule("ban", ["2027-01-01.. enacted"], excluded_offers=3)])
    told = markdown(report_document(a_run))
    head, _, rest = markdown(page_document(a_run)).partition("## Suppliers")
    sure = rest[rest.index("## Proof") :]
    assert f"## Made with\n\n- {', '.join(f'{name} {number}' for name, number in a_run.versions.items())}" in told
    lines = [line for part in (head, sure) for line in part.splitlines() if line and not line.startswith(("|", "#"))]
    assert len(lines) > 8
    assert [line for line in lines if line not in told] == []
    for figure in ("| Dysprosium oxide (dysprosium-oxide) | defense |", "1,235", "1,000", "2026-12-31", "ban"):
        assert figure in told


def sections(parts: Sequence[doc.Element]) -> Iterator[doc.Section]:
    """All sections, those within others included."""
    for one in parts:
        if isinstance(one, doc.Section):
            yield one
            yield from sections(one.parts)


def section(title: str, **changed: Any) -> doc.Section:
    """The section of a run's report whose title starts so."""
    return next(one for one in sections(report_document(run(**changed)).parts) if one.title.startswith(title))


def table(part: doc.Section) -> doc.DataTable:
    """The first table of a section."""
    return next(one for one in part.parts if isinstance(one, doc.DataTable))


def test_the_first_screen_has_the_headline_four_figures_needs_and_orders() -> None:
    """In this order, before anything else; nothing of it is folded."""
    parts = report_document(run()).parts
    headline, figures, small_print, needs, orders = parts[:5]
    assert isinstance(headline, doc.Sentence)
    assert isinstance(figures, doc.KeyFigures)
    assert [one.name for one in figures.figures[:2]] == ["Needs met", "Cash to spend"]
    assert isinstance(small_print, doc.Sentence)
    assert isinstance(needs, doc.Section)
    assert isinstance(orders, doc.Section)
    assert (needs.title, orders.title) == ("Unmet needs", "Next orders")
    assert not needs.folded | orders.folded
    assert [column.title for column in table(needs).columns[:3]] == ["Material", "Short", "Reason"]


def test_the_cheapest_fix_of_each_need_is_beside_it_if_repairs_were_asked_for() -> None:
    """The first row of each table of repairs, whatever further columns it has; the others stand where answers stand."""
    columns = [
        doc.figures("#"),
        doc.Column("Kind"),
        doc.Column("Steps"),
        doc.figures("Penalty"),
        doc.figures("Cash", "USD"),
    ]
    rows = [
        ["1", "proof", "proof for A", "", doc.Amount(Decimal(5))],
        ["2", "", "proof for B", "", doc.Amount(Decimal(9))],
    ]
    repairs = doc.section("gold: short of 9 kg", doc.table(columns, rows))
    document = report_document(run(), answers=[doc.Document("Repairs", (repairs,), question="repairs")])
    (fixes,) = (one for one in sections(document.parts) if one.title == "Cheapest fix of each")
    assert [row.cells for row in table(fixes).rows] == [("gold", "proof for A", doc.Amount(Decimal(5)))]
    assert "proof for B" in markdown(document)


def cells_below(data: doc.DataTable, heading: str) -> list[doc.Cell]:
    """Return the cells of a column."""
    position = [column.heading for column in data.columns].index(heading)
    return [row.cells[position] for row in data.rows]


def test_orders_of_the_first_day_are_shown_and_later_ones_folded() -> None:
    """The largest eight, then the others of a year, then later ones by day; bars say how far the money depends on countries of concern."""
    first = [PURCHASE | {"offer": f"o{n}", "cost": 1000 + n, "concern": "is" if n % 2 else "no"} for n in range(10)]
    days = ("2027-06-30", "2028-06-30", "2029-06-30")
    later = [PURCHASE | {"offer": "x", "order_by": day, "cost": 1, "ordered": f"{day[:4]}-Q1"} for day in days]
    orders = section("Next orders", purchases=[*first, *later])
    amounts = cells_below(table(orders), "USD")
    assert [one.value for one in amounts if isinstance(one, doc.Amount)] == [1009 - n for n in range(8)]
    tones = [one.parts[0][0] for one in amounts if isinstance(one, doc.Amount)]
    assert tones == [doc.Tone.CONCERN, doc.Tone.PLAIN] * 4
    within, rest = (one for one in orders.parts if isinstance(one, doc.Section))
    assert within.folded & rest.folded
    assert cells_below(table(within), "Order by") == [date(2026, 12, 31)] * 2 + [date(2027, 6, 30)]
    assert [row.cells[0] for row in table(rest).rows] == [date(2028, 6, 30), date(2029, 6, 30)]


def test_what_could_make_a_plan_look_compliant_is_never_folded() -> None:
    """Goods without an origin rule, and law checked in part, stand open; notes on data are folded below them."""
    texts = {"FS800": "any origin passes", "FS801": "part of the law", "FS816": "a penalty"}
    told = [{"subject": "a", "text": text, "code": code} for code, text in texts.items()]
    before = section("Before you rely", assumptions=told)
    open_notes = [text for one in before.parts if isinstance(one, doc.Notes) for text in one.texts]
    assert [any(texts[code] in str(note) for note in open_notes) for code in texts] == [True, True, False]
    assert [one.folded for one in before.parts if isinstance(one, doc.Section)] == [True]


def test_rules_that_change_during_the_plan_are_drawn_by_their_titles() -> None:
    """In force, suspended, or of unknown status; one that always applies is not drawn, and neither is one without any effect."""
    rules = [
        rule("begins", ["2028-01-01.. enacted"], excluded_offers=1),
        rule("ends", ["..2029-06-30 enacted"], charges=5),
        rule("may", ["2027-01-01..2027-03-31 suspended", "2027-04-01.. unknown"], applies=False),
        rule("idle", ["2028-07-01.. enacted"]),
        rule("always", ["2020-01-01.. enacted"], excluded_offers=1),
    ]
    told = {"rules": rules, "exposed": [EXPOSED | {"rule": "may"}]}
    over_time = chart(charts.Timeline, "Rules that change", **told)
    assert [row.name for row in over_time.rows] == ["begins", "ends", "may"]
    spans = [span for row in over_time.rows for span in row.spans]
    assert all(over_time.start <= span.start <= span.end <= over_time.end for span in spans)
    assert [span.tone for span in spans] == [doc.Tone.TITLE, doc.Tone.TITLE, doc.Tone.ASIDE, doc.Tone.UNKNOWN]
    assert "Rules that change" not in drawings(rules=[rules[-1]])


def test_days_by_which_orders_are_late_have_a_column_of_their_own() -> None:
    """Where any is late: the days of orders stay dates, which a workbook can sort."""
    late = PURCHASE | {"order_by": "2026-11-01", "late_days": 26}
    others = [PURCHASE | {"offer": "b", "order_by": "2026-11-02", "late_days": 25}, PURCHASE | {"place": "JP"}]
    with_late = table(section("2 more orders", purchases=[late, *others]))
    on_time = table(section("1 more order", purchases=[PURCHASE, PURCHASE | {"order_by": "2027-02-01", "offer": "b"}]))
    assert [column.title for column in with_late.columns[:3]] == ["Order by", "Days late", "Material"]
    assert [row.cells[:2] for row in with_late.rows] == [(date(2026, 11, 2), doc.Count(25)), (date(2026, 12, 31), "")]
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


def test_countries_are_told_by_money_and_those_excluded_below() -> None:
    """The largest first, with the part that depends on countries of concern; a country that rules exclude is named."""
    barred = {"offer": "x", "material": "dysprosium-oxide", "end_use": "defense", "demand_material": "dysprosium-oxide"}
    barred |= {"rule": "ban", "stage": "mined", "clause": "", "reason": "", "countries": ["IR"]}
    malaysia = PURCHASE | {"country": "MY", "cost": 3_000_000, "concern": "no"}
    china = PURCHASE | {"country": "CN", "cost": 9_000_000, "concern": "is"}
    countries = section("Where the money goes", purchases=[malaysia, china], blocked=[barred])
    assert [row.cells[:3] for row in table(countries).rows] == [
        ("China", doc.Amount(Decimal(9), parts=((doc.Tone.CONCERN, Decimal(9)),)), doc.Share(Decimal("0.75"))),
        ("Malaysia", doc.Amount(Decimal(3), parts=((doc.Tone.PLAIN, Decimal(3)),)), doc.Share(Decimal("0.25"))),
    ]
    notes = [text for one in countries.parts if isinstance(one, doc.Notes) for text in one.texts]
    assert notes == ["Rules exclude some goods of Iran."]


def test_offers_that_could_be_exchanged_are_one_part_of_a_chart() -> None:
    """The solver's choice among them means nothing."""
    ways = [("a", "2027-Q1"), ("b", "2027-Q2"), ("c", "2027-Q3")]
    plants = [
        PURCHASE | {"offer": name, "facility": f"plant {name}", "facility_id": name, "delivered": period}
        for name, period in ways
    ]
    tied = [{"material": PURCHASE["material"], "place": "US", "offers": ["a", "b"]}]

    def names(**told: Any) -> list[str]:
        bars = chart(charts.Bars, "Dysprosium oxide: arrivals by supplier", purchases=plants, **told)
        return [one.name for one in bars.series if one.name not in ("short", "from stock")]

    assert len(names()) == 3
    assert [name for name in names(exchangeable=tied) if name.startswith("any of ")] == ["any of plant a; plant b"]
    assert len(names(exchangeable=tied)) == 2
    assert len(names(exchangeable=[*tied, tied[0] | {"place": "JP", "offers": ["b", "c"]}])) == 2


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
    purchases = [dict(zip(names, plant, strict=True)) | {"facility": f"The {plant[0]}"} for plant in plants]
    return flowing(purchases, list(draws))


def test_a_flow_goes_through_makers_to_the_mine() -> None:
    """Each stream weighs what it is: oxide to the smelter, metal to the works, magnets to users; what other goods take of an input is shown. Plants have their names."""
    drawn = made(("smelter", "oxide", "PLANT-A", 880), ("works", "metal", "PLANT-B", 600))["magnet: from mine to user"]
    flow = drawn.chart
    assert isinstance(flow, charts.Flow)
    assert flow.layers == ("oxide", "to a maker at", "metal", "to a maker at", "magnet", "delivered to", "goes to")
    names = {node.id: (flow.layers[node.layer], node.name) for node in flow.nodes}
    flows = {(*names[one.source], *names[one.target]): one.amount for one in flow.streams}
    unit = 1000 if flow.unit == "t" else 1
    assert {key: value * unit for key, value in flows.items() if key[2] != "goes to" or key[3].startswith("to others")} == {
        ("oxide", "Australia → Malaysia", "to a maker at", "The smelter"): 900,
        ("to a maker at", "The smelter", "metal", "Canada"): 880,
        ("to a maker at", "The smelter", "goes to", "to others, or left over"): 20,
        ("metal", "Canada", "to a maker at", "The works"): 600,
        ("to a maker at", "The works", "magnet", "United States"): 600,
        ("magnet", "United States", "delivered to", "United States"): 1500,
        ("magnet", "China", "delivered to", "United States"): 100,
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
    assert found["oxide from Australia → Malaysia", "oxide at The smelter"] == 900
    assert found["oxide at The smelter", "metal from Canada"] == 880
    assert found["The mine", "into oxide"] == 600
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
        rules=[rule(f"rule-{k}", ["2027-01-01.. enacted"], excluded_offers=1, charges=1) for k in range(1000)],
        shortages=[SHORT | {"demand": f"demand-{k}", "material": names[k], "period": "2027-Q1"} for k in few],
    )
    page = html(report_document(a_run))
    assert len(page.encode()) < 2_000_000
    assert "99,992 more orders" in page
    assert "260 more materials" in page
