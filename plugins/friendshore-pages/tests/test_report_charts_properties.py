"""The charts of a run's report hold the run's own figures: what flows in flows out, bars add up, money comes to what is spent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from tests.building import planned
from tests.property.compare import each_worked, planned_once
from tests.property.settings import examples
from tests.property.strategies import Tiny, tiny_cases

from friendshore.document import charts
from friendshore.document import elements as doc
from friendshore.domain.base import totals
from friendshore.domain.run import Run, RunDemand
from friendshore_pages.charts.parts import supplier_names
from friendshore_pages.charts.supply import MAX_BARS
from friendshore_pages.html import html
from friendshore_pages.report import report_document
from friendshore_testing.generated_cases import generate_cases, without_offers, without_optional_facts

CLOSE = Decimal("0.00001")
"""Kilograms and money that rounding to the resolution may leave, beside a millionth of the sum."""


def near(left: Decimal, right: Decimal, whole: Decimal = Decimal(0), slack: Decimal = Decimal(0)) -> bool:
    """Whether two sums are the same but for rounding."""
    return abs(left - right) <= CLOSE + slack + max(abs(left), abs(right), abs(whole)) / 10**6


def missed(run: Run) -> Decimal:
    """Kilograms by which what comes to a stock and what leaves it may differ, since quantities are whole multiples of the resolution."""
    return run.largest_miss_kg * len(run.periods) * len(run.compliance_classes)


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Their sum."""
    return sum(amounts, Decimal(0))


def kilograms(rows: Iterable[Any], **fields: str) -> Decimal:
    """Kilograms in rows that have some values, of demands what is wanted."""
    some = [one for one in rows if all(getattr(one, name) == value for name, value in fields.items())]
    return total(one.wanted_kg if isinstance(one, RunDemand) else one.quantity_kg for one in some)


def drawings(elements: tuple[doc.Element, ...]) -> Iterator[doc.Drawing]:
    """All charts below some elements."""
    for one in elements:
        if isinstance(one, doc.Drawing):
            yield one
        elif isinstance(one, doc.Section):
            yield from drawings(one.parts)


def scale(unit: str) -> int:
    """Kilograms to a unit."""
    return 1000 if unit.split(maxsplit=1)[0] == "t" else 1


def tables(elements: tuple[doc.Element, ...], title: str = "") -> Iterator[tuple[str, doc.DataTable]]:
    """All tables below some elements, those of charts included, with the title of their section or chart."""
    for one in elements:
        if isinstance(one, doc.DataTable):
            yield title, one
        elif isinstance(one, doc.Drawing):
            yield one.title, one.table
        elif isinstance(one, doc.Section):
            yield from tables(one.parts, one.title)


def table_of(document: doc.Document, *words: str) -> doc.DataTable:
    """The first table with these first headings."""
    for _, one in tables(document.parts):
        if tuple(column.title for column in one.columns[: len(words)]) == words:
            return one
    raise AssertionError(words)


def money(table: doc.DataTable, place: int, unit: str = "") -> Decimal:
    """The amounts of a column, without its total."""
    cells = [row.cells[place] for row in table.rows if not row.strong]
    scale_of_unit = 10**6 if table.columns[place].unit.endswith("million") else 1
    assert unit in table.columns[place].unit
    return total(cell.value for cell in cells if isinstance(cell, doc.Amount)) * scale_of_unit


def holds(run: Run) -> None:
    """Asserts that every chart of the report says what the run says."""
    document = report_document(run)
    charts_: dict[tuple[type, str], Any] = {(type(one.chart), one.title): one for one in drawings(document.parts)}
    for material in {one.material for one in run.purchases}:
        name = run.names.material(material)
        if bars := charts_.get((charts.Bars, f"{name}: arrivals by supplier")):
            _over_time(run, material, bars.chart)
            _mix(run, material, bars.table)
        else:
            _is_steady(run, material)
        if flow := charts_.get((charts.Flow, f"{name}: from mine to user")):
            _mine_to_user(run, material, flow.chart)
        inputs = [
            draw
            for purchase in run.purchases
            if purchase.material == material
            for draw in run.draws
            if draw.offer == purchase.offer
        ]
        assert bool(flow) == bool(inputs)
    if run.purchases:
        _money(run, document, charts_)
    assert html(document) == html(report_document(run))


def _mix(run: Run, material: str, table: doc.DataTable) -> None:
    """What arrives is what is bought, and the rest of the table what is short and needed."""
    (arrives,) = (row for row in table.rows if row.strong)
    place = [column.title for column in table.columns].index("All")
    unit = scale(table.columns[place].unit)
    cells = {str(row.cells[0]): row.cells[place] for row in table.rows if isinstance(row.cells[place], doc.Kilograms)}
    bought, short = kilograms(run.purchases, material=material), kilograms(run.shortages, material=material)
    assert isinstance(arrives.cells[place], doc.Kilograms)
    assert near(arrives.cells[place].value, bought, bought)
    assert unit in (1, 1000)
    if short:
        assert near(cells["short"].value, short, bought)


def _over_time(run: Run, material: str, chart: charts.Bars) -> None:
    """Bars come up to what is needed, or to what arrives where that is more; the parts that are no stock are what is bought and what is short."""
    assert chart.line is not None
    unit = scale(chart.unit)
    rows = (run.deliveries, run.shortages, run.draws, run.purchases, run.demands)
    delivered, short, taken, bought, wanted = (kilograms(some, material=material) for some in rows)
    whole = delivered + short + taken + bought
    assert near(total(chart.line.values) * unit, wanted + taken, whole)
    own = [one for one in chart.series if one.name not in ("from stock", "short")]
    assert near(total(value for one in own for value in one.values) * unit, bought, whole)
    lacking = [one for one in chart.series if one.name == "short"]
    assert near(total(value for one in lacking for value in one.values) * unit, short, whole)
    assert all(one.tone is doc.Tone.BAD for one in lacking)
    for number, line in enumerate(chart.line.values):
        bar = total(one.values[number] for one in chart.series)
        level = near(bar * unit, line * unit, whole, missed(run))
        assert bar >= line or level
        assert level or not any(one.values[number] for one in chart.series if one.name == "from stock")


def _is_steady(run: Run, material: str) -> None:
    """Where no bars are drawn, every supplier and the shortage have about the same share of the need at any time."""
    many = len(run.periods) > MAX_BARS
    label_of = {one.label: str(one.start.year) if many else one.label for one in run.periods}
    names = supplier_names(run, material)
    used = [(one.period, one.quantity_kg) for one in (*run.deliveries, *run.draws) if one.material == material]
    used += [(one.period, one.quantity_kg) for one in run.shortages if one.material == material]
    needed = totals((label_of[period], kg) for period, kg in used)
    for name in set(names.values()):
        own = totals(
            (label_of[one.delivered], one.quantity_kg)
            for one in run.purchases
            if one.material == material and names[one.place, one.offer] == name
        )
        shares = [own.get(label, Decimal(0)) / kg for label, kg in needed.items() if kg]
        assert len(set(label_of.values())) == 1 or not shares or max(shares) - min(shares) <= Decimal("0.05")


def _mine_to_user(run: Run, material: str, chart: charts.Flow) -> None:
    """What comes to a node leaves it, but for a maker, who turns what it draws into something else; uses get what is delivered, and lack what is short."""
    unit = scale(chart.unit)
    out = totals((one.source, one.amount * unit) for one in chart.streams)
    come = totals((one.target, one.amount * unit) for one in chart.streams)
    whole = total(out.values())
    layer = {node.id: node.layer for node in chart.nodes}
    assert all(layer[one.source] < layer[one.target] for one in chart.streams)
    assert layer.keys() == out.keys() | come.keys()
    linked = "to a maker at" in chart.layers
    places = {number for number, name in enumerate(chart.layers) if name in ("to a maker at", "delivered to")}
    through = out.keys() & come.keys()
    makers = {node for node in through if linked and layer[node] not in places}
    for node in through - makers:
        assert near(out[node], come[node], whole, missed(run) * 2), node
    drawn_in_all, taken = kilograms(run.draws), total(come[node] for node in makers)
    assert taken <= drawn_in_all or near(taken, drawn_in_all, whole, missed(run) * 2)
    bought = kilograms((*run.purchases, *run.lots), material=material)
    short = kilograms(run.shortages, material=material)
    arrives = {node for node in layer if chart.layers[layer[node]] == "delivered to"}
    assert near(total(come[node] for node in arrives & come.keys()), bought, whole, missed(run) * 2)
    assert near(total(out[node] for node in arrives - come.keys()), short, whole, missed(run) * 2)
    drawing = {one.offer for one in run.draws if one.material == material}
    made = {tuple(sorted({one.material for one in run.purchases if one.offer == offer})) for offer in drawing}
    into = {one.target.partition(":into ")[2] for one in chart.streams if ":into " in one.target}
    assert {tuple(sorted(name.split(" + "))) for name in into} == made
    for use in {one.end_use for one in run.demands if one.material == material}:
        got = total(one.amount for one in chart.streams if one.target.endswith(f":{use} use")) * unit
        assert near(got, kilograms(run.demands, material=material, end_use=use), whole, missed(run))


def _money(run: Run, document: doc.Document, charts_: dict[tuple[type, str], Any]) -> None:
    """Bars by year, countries, materials and evidence come to what purchases cost; with what else is due, to all that is spent."""
    cost = total(one.cost for one in run.purchases)
    spend = charts_[charts.Bars, "Spend by year of order"]
    assert near(total(value for one in spend.chart.series for value in one.values), cost)
    *rows, last = spend.table.rows
    assert near(last.cells[-1].value, run.cost.nominal, cost)
    for place in range(1, len(spend.table.columns)):
        parts = total(row.cells[place].value for row in rows if isinstance(row.cells[place], doc.Amount))
        whole = last.cells[place].value if isinstance(last.cells[place], doc.Amount) else Decimal(0)
        assert near(parts, whole, cost, slack=Decimal(len(rows)))
    due = [row.cells[-1].value for row in rows if str(row.cells[0]).startswith("holding")]
    if run.cost.nominal == run.cost.total:
        assert near(
            total(due),
            run.cost.onboarding + run.cost.fixed + run.cost.untaken + run.cost.holding,
            cost,
            slack=Decimal(1),
        )
    for words, place in (("Seller in",), 1), (("Material", "", "For", "Quantity"), 1):
        table = table_of(document, *words)
        assert near(money(table, place, run.currency), cost, cost)
        cells = [row.cells[place] for row in table.rows]
        assert all(
            near(total(part for _, part in cell.parts), cell.value) for cell in cells if isinstance(cell, doc.Amount)
        )
    assert near(money(table_of(document, "Lowest confidence of capacity, price, and chain"), 3), cost, cost)
    told = [one for title, one in tables(document.parts) if title == "Charges by rule"]
    assert near(total(money(one, 3) for one in told), total(one.charges for one in run.purchases), cost)


@each_worked
def test_charts_of_what_was_worked_out_by_hand_add_up(worked: str) -> None:
    """Every chart of every worked case comes to the figures of its run."""
    holds(planned_once(worked).run)


@pytest.mark.parametrize(
    ("count", "seed"), [pytest.param(9, 5, marks=pytest.mark.deep), pytest.param(120, 6, marks=pytest.mark.nightly)]
)
def test_charts_of_made_up_cases_add_up(count: int, seed: int) -> None:
    """Cases with stock, orders placed, price schedules, terms of trade, two goods of one run; without origins; with nobody who offers."""
    found = [*generate_cases((), count=count, seed=seed)]
    for world in (*found, *map(without_optional_facts, found), *map(without_offers, found[:3])):
        holds(planned(world.case, world.catalog).run)


@examples(300, least=5)
@given(tiny_cases())
def test_charts_add_up(tiny: Tiny) -> None:
    """So does any of a random tiny case."""
    holds(tiny.planned().run)
