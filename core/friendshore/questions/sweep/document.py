"""A sweep as a planner reads it: what scenarios come to, what each thing that is varied does, how the mix moves, and what failed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from ...document import charts
from ...document import elements as doc
from ...document.figures import count, large_money, mass, unit_for
from ...domain.base import grouped, totals
from ...domain.plan import Cost
from ..told import ladder, left_out
from .records import ScenarioPurchase, Sweep, SweptScenario

MATERIALS = 4
"""Materials of which a chart shows how the mix moves."""
OFFERS = 6
"""Offers that such a chart tells apart."""
VALUES = 40
"""Values of what is varied that a chart holds."""
_TONNE = Decimal(1000)
_NONE = Decimal(0)


def sweep_document(found: Sweep, shown: int) -> doc.Document:
    """All of it; of each table the first `shown` rows (0: all)."""
    return doc.document(
        f"Scenarios of {found.case}",
        doc.sentence(_head(found)),
        _scenarios(found, shown),
        *(_axis(found, axis, shown) for axis in found.axes if len(found.axes) > 1),
        _mix(found, shown),
        _failures(found, shown),
    )


def sweep_notes(found: Sweep) -> tuple[str, ...]:
    """What was not planned, or failed."""
    failed = count(len(found.failed), "scenario")
    left = count(found.unasked, "scenario")
    told = (
        [f"{failed} could not be planned: each row says why; --rerun failed tries them again"] if found.failed else []
    )
    told += [f"the sweep was ended: {left} not planned; --resume goes on, if it has a folder"] if found.unasked else []
    return tuple(told)


def _planned(found: Sweep) -> list[tuple[SweptScenario, Cost]]:
    return [(one, one.plan.cost) for one in found.scenarios if one.plan.cost is not None]


def _head(found: Sweep) -> str:
    planned, currency = _planned(found), found.currency
    told = f"{count(len(planned), 'scenario')} planned"
    if planned:
        cheapest, dearest = (end(planned, key=lambda pair: pair[1].objective) for end in (min, max))
        told += f", shortage included, from {large_money(cheapest[1].objective, currency)} ({cheapest[0].name})"
        told += f" to {large_money(dearest[1].objective, currency)} ({dearest[0].name})"
    if found.objective is not None:
        told += f"; the plan without any of them comes to {large_money(found.objective, currency)}"
    return told + "."


def _scenarios(found: Sweep, shown: int) -> doc.Section | None:
    planned = _planned(found)
    if not planned:
        return None
    in_order = not shown or len(planned) <= shown
    kept = planned if in_order else sorted(planned, key=lambda pair: (-pair[1].objective, pair[0].number))[:shown]
    rungs = [
        charts.Rung(
            one.name,
            cost.objective,
            f"{large_money(cost.objective, found.currency)}, of which {large_money(cost.total, found.currency)} spent",
            doc.Tone.BAD if one.plan.message else doc.Tone.PLAIN,
        )
        for one, cost in kept
    ]
    columns = [doc.figures(""), doc.Column("Scenario"), doc.figures("Comes to", found.currency)]
    columns += [doc.figures("Spent"), doc.figures("Demands short"), doc.Column("Status")]
    rows = [
        (
            doc.Count(one.number),
            one.name,
            doc.Amount(cost.objective),
            doc.Amount(cost.total),
            doc.Count(one.plan.demands_short),
            one.plan.message or one.plan.status,
        )
        for one, cost in kept
    ]
    told = f"What each scenario comes to, shortage included, in {found.currency}; where rules conflict it looks bad."
    title = "Scenarios" if in_order else "The dearest scenarios"
    notes = doc.notes(left_out(len(planned) - len(kept), "more scenario", "more scenarios"))
    return doc.section(title, ladder(title, told, rungs, found.currency, doc.table(columns, rows)), notes)


def _axis(found: Sweep, axis: str, shown: int) -> doc.Section | None:
    """What the scenarios of each value come to, on average and at the ends."""
    groups = grouped((one.varied.get(axis, ""), cost) for one, cost in _planned(found))
    if len(groups) < 2:
        return None
    kept = list(groups.items())[: shown or None]
    mean = {value: _mean(cost.objective for cost in costs) for value, costs in kept}
    rungs = [
        charts.Rung(value, mean[value], f"{large_money(mean[value], found.currency)} on average of {len(costs):,}")
        for value, costs in kept
    ]
    columns = [doc.Column("Value"), doc.figures("Scenarios"), doc.figures("On average", found.currency)]
    columns += [doc.figures("Least"), doc.figures("Most"), doc.figures("Spent on average")]
    rows = [
        (
            value,
            doc.Count(len(costs)),
            doc.Amount(mean[value]),
            doc.Amount(min(cost.objective for cost in costs)),
            doc.Amount(max(cost.objective for cost in costs)),
            doc.Amount(_mean(cost.total for cost in costs)),
        )
        for value, costs in kept
    ]
    told = f"What scenarios come to on average by the value of {axis}, in {found.currency}, shortage included."
    notes = doc.notes(left_out(len(groups) - len(kept), "more value", "more values"))
    return doc.section(f"By {axis}", ladder(axis, told, rungs, found.currency, doc.table(columns, rows)), notes)


def _mean(amounts: Iterable[Decimal]) -> Decimal:
    found = list(amounts)
    return sum(found, _NONE) / len(found)


Line = tuple[str, str]
"""Material and offer."""


def _mix(found: Sweep, shown: int) -> doc.Section | None:
    """Which offers are bought from more in some scenarios than in others."""
    planned = [one for one, _ in _planned(found)]
    bought = [_bought(one.plan.purchases) for one in planned]
    lines = sorted({line for each in bought for line in each})
    spread = {line: _ends([each.get(line, _NONE) for each in bought]) for line in lines}
    moved = [line for line in lines if spread[line][0] != spread[line][1]]
    if len(planned) < 2 or not moved:
        return None
    moved.sort(key=lambda line: (spread[line][0] - spread[line][1], line))
    of = [totals((material, kg) for (material, _), kg in each.items()) for each in bought]
    kept = moved[: shown or None]

    def share(line: Line, end: int) -> doc.Share:
        shares = [each.get(line, _NONE) / by[line[0]] for each, by in zip(bought, of, strict=True) if by.get(line[0])]
        return doc.Share(_ends(shares)[end])

    rows = [
        (
            material,
            offer,
            doc.Count(sum(1 for each in bought if (material, offer) in each)),
            doc.Kilograms(spread[material, offer][0]),
            doc.Kilograms(spread[material, offer][1]),
            share((material, offer), 0),
            share((material, offer), 1),
        )
        for material, offer in kept
    ]
    columns = [doc.Column("Material"), doc.Column("Offer"), doc.figures("Scenarios")]
    columns += [doc.figures("Least"), doc.figures("Most"), doc.figures("Least share"), doc.figures("Most share")]
    materials = list(dict.fromkeys(material for material, _ in moved))[:MATERIALS]
    drawn = [_drawing(found, planned, bought, material) for material in materials]
    notes = doc.notes(left_out(len(moved) - len(kept), "more offer", "more offers"))
    sections = (doc.section(material, one) for material, one in zip(materials, drawn, strict=True) if one is not None)
    return doc.section("How the mix moves", doc.table(columns, rows), notes, *sections)


def _bought(purchases: Iterable[ScenarioPurchase]) -> Mapping[Line, Decimal]:
    return totals(((one.material, one.offer), one.quantity_kg) for one in purchases)


def _ends(amounts: Sequence[Decimal]) -> tuple[Decimal, Decimal]:
    return min(amounts), max(amounts)


def _drawing(
    found: Sweep, planned: Sequence[SweptScenario], bought: Sequence[Mapping[Line, Decimal]], material: str
) -> doc.Drawing | None:
    """Bars of what is bought of a material by offer, and what is short: by value where one thing is varied, else by scenario."""
    if len(planned) > VALUES:
        return None
    named = len(found.axes) == 1
    labels = tuple(one.varied.get(found.axes[0], one.name) if named else str(one.number) for one in planned)
    whole = totals((offer, kg) for each in bought for (name, offer), kg in each.items() if name == material)
    offers = sorted(whole, key=lambda offer: (-whole[offer], offer))
    first, rest = offers[:OFFERS], offers[OFFERS:]
    short = [_NONE + sum(one.short_kg for one in each.plan.materials if one.material == material) for each in planned]
    parts = [(offer, [each.get((material, offer), _NONE) for each in bought], doc.Tone.PLAIN) for offer in first]
    if rest:
        others = [sum((each.get((material, offer), _NONE) for offer in rest), _NONE) for each in bought]
        parts.append((f"{len(rest):,} others", others, doc.Tone.ASIDE))
    if any(short):
        parts.append(("short", short, doc.Tone.BAD))
    unit = unit_for(kg for _, amounts, _ in parts for kg in amounts)
    by = _TONNE if unit == "t" else Decimal(1)
    series = tuple(charts.Series(name, tuple(kg / by for kg in amounts), tone) for name, amounts, tone in parts)
    rows: list[list[doc.Cell]] = [
        [label, *(doc.Kilograms(amounts[i]) for _, amounts, _ in parts)] for i, label in enumerate(labels)
    ]
    columns = [doc.Column(found.axes[0] if named else "Scenario"), *(doc.figures(name) for name, _, _ in parts)]
    most = max(sum((each.get((material, offer), _NONE) for offer in offers), _NONE) for each in bought)
    told = f"Over the whole plan, in {unit}, scenario by scenario: {mass(most)} of {material} are bought at most."
    return doc.Drawing(
        f"{material}: what is bought, of which offer", told, charts.Bars(labels, series, unit), doc.table(columns, rows)
    )


def _failures(found: Sweep, shown: int) -> doc.Section | None:
    if not found.failed:
        return None
    kept = found.failed[: shown or None]
    columns = [doc.figures(""), doc.Column("Scenario"), doc.Column("Why")]
    rows = [(doc.Count(one.number), one.name, one.plan.message) for one in kept]
    notes = doc.notes(left_out(len(found.failed) - len(kept), "more scenario", "more scenarios"))
    return doc.section("Not planned", doc.table(columns, rows), notes, tone=doc.Tone.BAD)
