"""The charts of a run's report hold the run's own figures: what flows in flows out, bars add up, money comes to what is spent."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import given
from tests.property.compare import planned, planned_once
from tests.property.settings import examples
from tests.property.strategies import Tiny, tiny_cases
from tests.property.worked import Worked, cases

from friendshore.document import charts
from friendshore.document import elements as doc
from friendshore.domain.base import totals
from friendshore.domain.run import Run
from friendshore_pages.html import html
from friendshore_pages.report import report_document
from friendshore_testing.worlds import bare, empty, worlds

CLOSE = Decimal("0.00001")
"""Kilograms and money that rounding to the resolution may leave, beside a millionth of the sum."""


def near(left: Decimal, right: Decimal, whole: Decimal = Decimal(0), slack: Decimal = Decimal(0)) -> bool:
    """Whether two sums are the same but for rounding."""
    return abs(left - right) <= CLOSE + slack + max(abs(left), abs(right), abs(whole)) / 10**6


def missed(run: Run) -> Decimal:
    """Kilograms by which what comes to a stock and what leaves it may differ, since quantities are whole multiples of the resolution."""
    return run.largest_miss_kg * len(run.periods) * len(run.requirements)


def drawings(elements: tuple[doc.Element, ...]) -> Iterator[doc.Drawing]:
    """All charts below some elements."""
    for one in elements:
        if isinstance(one, doc.Drawing):
            yield one
        elif isinstance(one, doc.Section):
            yield from drawings(one.parts)


def total(amounts: Iterator[Decimal] | list[Decimal]) -> Decimal:
    """Their sum."""
    return sum(amounts, Decimal(0))


def scale(unit: str) -> int:
    """Kilograms to a unit."""
    return 1000 if unit.split(maxsplit=1)[0] == "t" else 1


def holds(run: Run) -> None:
    """Asserts that every chart of the report says what the run says."""
    document = report_document(run)
    by_kind: dict[type, dict[str, doc.Drawing]] = {}
    for one in drawings(document.parts):
        by_kind.setdefault(type(one.chart), {})[one.title] = one
    for material in {one.material for one in run.purchases}:
        bars = by_kind.get(charts.Bars, {}).get(f"{run.names.material(material)}: arrivals by supplier")
        if bars is not None:
            assert isinstance(bars.chart, charts.Bars)
            _over_time(run, material, bars.chart)
        else:
            _one_brings_it(run, material)
        flow = by_kind.get(charts.Flow, {}).get(f"{run.names.material(material)}: from mine to user")
        if flow is not None:
            assert isinstance(flow.chart, charts.Flow)
            _mine_to_user(run, material, flow.chart)
    if run.purchases:
        _money(run, by_kind)
    page = html(document)
    assert page == html(report_document(run))


def _over_time(run: Run, material: str, chart: charts.Bars) -> None:
    """Bars come up to what is needed, or to what arrives where that is more; the parts that are no stock are what is bought and what is short."""
    assert chart.line is not None
    kilograms = scale(chart.unit)
    delivered = total([one.quantity_kg for one in run.deliveries if one.material == material])
    short = total([one.quantity_kg for one in run.shortages if one.material == material])
    taken = total([one.quantity_kg for one in run.draws if one.material == material])
    bought = total([one.quantity_kg for one in run.purchases if one.material == material])
    whole = delivered + short + taken + bought
    wanted = total([one.wanted_kg for one in run.demands if one.material == material])
    assert near(total(iter(chart.line.values)) * kilograms, wanted + taken, whole)
    own = [one for one in chart.series if one.name not in ("from stock", "short")]
    assert near(total(value for one in own for value in one.values) * kilograms, bought, whole)
    lacking = [one for one in chart.series if one.name == "short"]
    assert near(total(value for one in lacking for value in one.values) * kilograms, short, whole)
    assert all(one.tone is doc.Tone.BAD for one in lacking)
    for number, line in enumerate(chart.line.values):
        bar = total([one.values[number] for one in chart.series])
        assert bar >= line or near(bar * kilograms, line * kilograms, whole, missed(run))
        beside = [one.values[number] for one in chart.series if one.name == "from stock" and one.values[number]]
        assert not beside or near(bar * kilograms, line * kilograms, whole, missed(run))


def _one_brings_it(run: Run, material: str) -> None:
    """Where no bars are drawn, one supplier brings in every period what is delivered and taken, and nothing is short."""
    assert len({one.facility for one in run.purchases if one.material == material}) == 1
    assert not [one for one in run.shortages if one.material == material]
    for period in run.periods:
        arrives = total(
            [one.quantity_kg for one in run.purchases if (one.material, one.delivered) == (material, period.label)]
        )
        used = total(
            [one.quantity_kg for one in run.deliveries if (one.material, one.period) == (material, period.label)]
        )
        used += total([one.quantity_kg for one in run.draws if (one.material, one.period) == (material, period.label)])
        assert near(arrives, used, slack=missed(run))


def _mine_to_user(run: Run, material: str, chart: charts.Flow) -> None:
    """What comes to a node leaves it, but for a maker, who turns what it draws into something else; uses get what is delivered, and lack what is short."""
    kilograms = scale(chart.unit)
    out = totals((one.source, one.amount * kilograms) for one in chart.streams)
    come = totals((one.target, one.amount * kilograms) for one in chart.streams)
    whole = total(iter(out.values()))
    layer = {node.id: node.layer for node in chart.nodes}
    assert all(layer[one.source] < layer[one.target] for one in chart.streams)
    assert layer.keys() == out.keys() | come.keys()
    linked = "to a maker at" in chart.layers
    places = {number for number, name in enumerate(chart.layers) if name in ("to a maker at", "delivered to")}
    through = out.keys() & come.keys()
    makers = {node for node in through if linked and layer[node] not in places}
    for node in through - makers:
        assert near(out[node], come[node], whole, missed(run) * 2), node
    drawn_in_all = total([one.quantity_kg for one in run.draws])
    taken = total(come[node] for node in makers)
    assert taken <= drawn_in_all or near(taken, drawn_in_all, whole, missed(run) * 2)
    bought = total([one.quantity_kg for one in run.purchases if one.material == material])
    bought += total([one.quantity_kg for one in run.lots if one.material == material])
    short = total([one.quantity_kg for one in run.shortages if one.material == material])
    arrives = {node for node in layer if chart.layers[layer[node]] == "delivered to"}
    assert near(total(come[node] for node in arrives & come.keys()), bought, whole, missed(run) * 2)
    assert near(total(out[node] for node in arrives - come.keys()), short, whole, missed(run) * 2)
    makes = {
        one.offer: sorted({each.material for each in run.purchases if each.offer == one.offer}) for one in run.draws
    }
    drawn = [(" + ".join(makes[one.offer]), one.quantity_kg) for one in run.draws if one.material == material]
    into = {one.target.partition(":into ")[2] for one in chart.streams if ":into " in one.target}
    assert {" + ".join(sorted(name.split(" + "))) for name in into} == {name for name, _ in drawn}
    for use in {one.end_use for one in run.demands if one.material == material}:
        wanted = total([one.wanted_kg for one in run.demands if (one.material, one.end_use) == (material, use)])
        got = total(one.amount for one in chart.streams if one.target.endswith(f":{use} use")) * kilograms
        assert near(got, wanted, whole, missed(run))


def _money(run: Run, by_kind: dict[type, dict[str, doc.Drawing]]) -> None:
    """Bars by year, countries and evidence come to what purchases cost; with what else is due, to all that is spent."""
    cost = total([one.cost for one in run.purchases])
    spend = by_kind[charts.Bars]["Spend by year of order"]
    assert isinstance(spend.chart, charts.Bars)
    assert near(total(value for one in spend.chart.series for value in one.values), cost)
    ((_, *_, nominal),) = [row.cells for row in spend.table.rows if row.cells[0] == "spent, not discounted"]
    assert nominal == doc.Amount(run.cost.nominal)
    listed = [row for row in spend.table.rows if not row.strong]
    assert near(
        total(row.cells[-1].value for row in listed if isinstance(row.cells[-1], doc.Amount)), run.cost.nominal, cost
    )
    ((_, *_, due),) = [row.cells for row in spend.table.rows if str(row.cells[0]).startswith("holding")] or [
        ("", doc.Amount(Decimal(0)))
    ]
    assert isinstance(due, doc.Amount)
    if run.cost.nominal == run.cost.total:
        assert near(due.value, run.cost.onboarding + run.cost.fixed + run.cost.untaken + run.cost.holding, cost)
    world = by_kind[charts.WorldMap]["Where it is bought, and where not"].chart
    assert isinstance(world, charts.WorldMap)
    assert near(total(one.amount for one in world.countries if one.amount is not None), cost)
    rest = by_kind[charts.Ladder]["What the money rests on"].chart
    assert isinstance(rest, charts.Ladder)
    assert near(total(one.value for one in rest.rungs if one.value is not None), cost)
    charges = by_kind[charts.Ladder].get("Charges by rule")
    told = (
        total(one.value for one in charges.chart.rungs if one.value)
        if charges and isinstance(charges.chart, charts.Ladder)
        else Decimal(0)
    )
    assert near(told, total([one.charges for one in run.purchases]), cost)


@pytest.mark.parametrize("worked", cases(), ids=lambda w: w.name)
def test_charts_of_what_was_worked_out_by_hand_add_up(worked: Worked) -> None:
    """Every chart of every worked case comes to the figures of its run."""
    holds(planned_once(worked).run)


def _drawn(count: int, seed: int) -> None:
    """Cases with stock, orders placed, price schedules, terms of trade, two goods of one run; without origins; with nobody who offers."""
    found = [*worlds((), count=count, seed=seed)]
    for world in (*found, *map(bare, found), *map(empty, found[:3])):
        holds(planned(world.case, [world.catalog], ()).run)


@pytest.mark.deep
def test_charts_of_made_up_cases_add_up() -> None:
    """With all that orders come to, and with nothing."""
    _drawn(count=9, seed=5)


@pytest.mark.nightly
def test_charts_of_many_made_up_cases_add_up() -> None:
    """The same for many."""
    _drawn(count=120, seed=6)


def _add_up(tiny: Tiny) -> None:
    holds(planned(tiny.case, [tiny.catalog], tiny.rules).run)


@examples(15)
@given(tiny_cases())
def test_charts_add_up(tiny: Tiny) -> None:
    """So does any of a random tiny case."""
    _add_up(tiny)


@pytest.mark.deep
@examples(300)
@given(tiny_cases())
def test_charts_of_many_add_up(tiny: Tiny) -> None:
    """The same for many."""
    _add_up(tiny)
