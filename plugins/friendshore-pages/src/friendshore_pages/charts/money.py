"""Money: spent by year of order on what, added by which rule, and resting on which evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from friendshore.document import charts
from friendshore.document import elements as doc
from friendshore.document.figures import count, large_money, percent
from friendshore.domain.base import grouped, totals
from friendshore.domain.evidence import Confidence
from friendshore.domain.run import Run, RunPurchase
from friendshore.report.ground import with_effect
from friendshore.report.mix import by_material, cost_of, kilograms_of

from .parts import added, largest, years_of

MATERIALS = 7
"""Materials that a chart tells apart."""
ROWS = 40
"""Materials of the table."""
RULES = 30
"""Rules whose charges are shown."""
PRICES = 12
"""Prices of a material that are listed."""

Amounts = Mapping[str, Decimal]
"""Year -> money."""


def spend_drawing(run: Run) -> doc.Drawing | None:
    """Bars of money by year of order and material, over a table that adds up to all that is spent."""
    if not run.purchases:
        return None
    year = years_of(run)
    years = list(dict.fromkeys(year.values()))
    by_name = {
        material: totals((year[one.ordered], one.cost) for one in purchases)
        for material, purchases in by_material(run).items()
    }
    whole = {material: added(amounts.values()) for material, amounts in by_name.items()}
    kept = largest(whole, MATERIALS)
    others = [by_name[material] for material in by_name if material not in set(kept)]
    series = [charts.Series(run.names.material(material), _values(years, by_name[material])) for material in kept]
    series += [charts.Series(f"{len(others)} others", _values(years, _sum(others)), doc.Tone.ASIDE)] if others else []
    chart = charts.Bars(tuple(years), tuple(series), run.currency)
    told = (
        f"What is ordered in each year, at landed cost in {run.currency}: price, charges and freight, not discounted."
    )
    return doc.Drawing("Spend by year of order", told, chart, _spend_table(run, years, by_name))


def _sum(some: Sequence[Amounts]) -> Amounts:
    return totals((year, money) for amounts in some for year, money in amounts.items())


def _values(years: Sequence[str], amounts: Amounts) -> tuple[Decimal, ...]:
    return tuple(amounts.get(year, Decimal(0)) for year in years)


def _spend_table(run: Run, years: Sequence[str], by_name: Mapping[str, Amounts]) -> doc.DataTable:
    """A row a material; then what price schedules take off, and what is due otherwise, of which a run tells no year: in all, what is spent."""
    year = years_of(run)
    kept = largest({material: added(amounts.values()) for material, amounts in by_name.items()}, ROWS)
    rest = [by_name[material] for material in by_name if material not in set(kept)]
    off = totals((year[one.settled], -one.discount) for one in run.discounts)
    bought = _sum([*by_name.values()])
    other = run.cost.nominal - added(bought.values()) - added(off.values())

    def row(name: str, amounts: Amounts, *, strong: bool = False) -> doc.DataRow:
        figures = (doc.Amount(amounts[each]) if amounts.get(each) else doc.NOTHING for each in years)
        return doc.DataRow((name, *figures, doc.Amount(added(amounts.values()))), strong)

    rows = [row(run.names.material_with_id(material), by_name[material]) for material in kept]
    rows += [row(count(len(rest), "other material"), _sum(rest))] if rest else []
    rows.append(row("bought, at landed cost", bought, strong=True))
    rows += [row("less and more by price schedules", off)] if off else []
    blank = (doc.NOTHING,) * len(years)
    due = "holding, onboarding and what else is due, of which no year is told"
    rows += [doc.DataRow((due, *blank, doc.Amount(other)))] if other else []
    rows.append(doc.DataRow(("spent, not discounted", *blank, doc.Amount(run.cost.nominal)), strong=True))
    return doc.table([doc.Column("Material"), *map(doc.figures, years), doc.figures("All", run.currency)], rows)


def charges_drawing(run: Run) -> doc.Drawing | None:
    """What each rule adds in charges, dearest first."""
    charging = sorted((rule for rule in with_effect(run) if rule.charges), key=lambda rule: (-rule.charges, rule.id))
    if not charging:
        return None
    kept = charging[:RULES]
    rest = added(rule.charges for rule in charging[RULES:])
    rungs = [
        charts.Rung(rule.id, rule.charges, f"{rule.title or rule.sentence}: {large_money(rule.charges, run.currency)}")
        for rule in kept
    ]
    rows = [
        doc.DataRow((rule.id, doc.Amount(rule.charges), rule.citation, rule.title or rule.sentence)) for rule in kept
    ]
    rows += [doc.DataRow((count(len(charging) - RULES, "other rule"), doc.Amount(rest), "", ""))] if rest else []
    rows.append(doc.DataRow(("all", doc.Amount(added(rule.charges for rule in charging)), "", ""), strong=True))
    columns = [doc.Column("Rule"), doc.figures("Adds", run.currency), doc.Column("Citation"), doc.Column("What")]
    told = f"What rules add to the plan in duties and other charges, in {run.currency}, not discounted."
    return doc.Drawing("Charges by rule", told, charts.Ladder(tuple(rungs), run.currency), doc.table(columns, rows))


_TONES = {
    Confidence.ASSUMED.value: doc.Tone.BAD,
    Confidence.RECALLED.value: doc.Tone.BAD,
    Confidence.COMPUTED.value: doc.Tone.DOUBTFUL,
}


def evidence_drawing(run: Run) -> doc.Drawing | None:
    """How much of the money rests on facts of which confidence, and of which catalog."""
    if not run.purchases:
        return None
    whole = cost_of(run.purchases)
    groups = grouped((one.confidence or "not told", one) for one in run.purchases)
    order = sorted(groups, key=lambda name: -cost_of(groups[name]))
    rungs = [
        charts.Rung(name, cost_of(groups[name]), _weight(run, groups[name], whole), _TONES.get(name, doc.Tone.PLAIN))
        for name in order
    ]
    cells = grouped(((one.confidence or "not told", one.catalog), one) for one in run.purchases)
    rows: list[list[doc.Cell]] = [
        [
            confidence,
            catalog,
            doc.Count(len({one.offer for one in some})),
            doc.Amount(cost_of(some)),
            doc.Share(cost_of(some) / whole) if whole else doc.NOTHING,
        ]
        for (confidence, catalog), some in sorted(cells.items(), key=lambda item: (order.index(item[0][0]), item[0][1]))
    ]
    columns = [
        doc.Column("Least confidence of capacity, price and chain"),
        doc.Column("Catalog"),
        doc.figures("Offers"),
    ]
    columns += [doc.figures("Spent on them", run.currency), doc.figures("Share")]
    told = "Money by the least sure of the facts that it rests on: capacity, price or chain of the offer."
    return doc.Drawing(
        "What the money rests on", told, charts.Ladder(tuple(rungs), run.currency), doc.table(columns, rows)
    )


def _weight(run: Run, purchases: Sequence[RunPurchase], whole: Decimal) -> str:
    spent = cost_of(purchases)
    share = f", {percent(spent / whole)} of all" if whole else ""
    return f"{large_money(spent, run.currency)}{share}, {count(len({one.offer for one in purchases}), 'offer')}"


def prices_table(run: Run) -> tuple[doc.DataTable, int]:
    """Prices paid by material and offer, on average over the plan, with where they come from; and how many are left out."""
    rows: list[list[doc.Cell]] = []
    left = 0
    for number, (material, purchases) in enumerate(by_material(run).items()):
        if number >= ROWS:
            left += len({one.offer for one in purchases})
            continue
        groups = grouped((one.offer, one) for one in purchases)
        kept = largest({offer: cost_of(group) for offer, group in groups.items()}, PRICES)
        left += len(groups) - len(kept)
        rows += [
            [
                run.names.material_with_id(material),
                run.names.offer(offer),
                *_prices(run, groups[offer]),
                groups[offer][0].catalog,
                groups[offer][0].confidence,
            ]
            for offer in kept
        ]
    columns = [doc.Column("Material"), doc.Column("Supplier"), *map(doc.figures, ("Price", "Charges", "Freight"))]
    if run.ranges:
        columns[3:3] = [doc.figures("Low"), doc.figures("High")]
    made = [doc.figures("Inputs"), doc.figures("Full price", f"{run.currency}/kg")] if run.draws else []
    columns += [doc.figures("Fee or landed price" if made else "Landed", f"{run.currency}/kg"), *made]
    columns += [doc.Column("Catalog"), doc.Column("Evidence")]
    return doc.table(columns, rows), left


def _prices(run: Run, purchases: Sequence[RunPurchase]) -> list[doc.Cell]:
    """Price, with the ends of its range if any price has one, charges, freight and all of them, each a kilogram; inputs and the full price."""
    weight = kilograms_of(purchases)
    price, *rest = (added(getattr(one, name) for one in purchases) for name in ("price", "charges", "freight", "cost"))
    about = (purchases[0].offer, purchases[0].material)
    ends = next(
        ([one.price_low, one.price_high] for one in run.ranges if (one.offer, one.material) == about), [Decimal(0)] * 2
    )
    inputs = added(one.inputs_cost for one in purchases)
    parts = [price, *(ends if run.ranges else []), *rest, *([inputs, rest[-1] + inputs] if run.draws else [])]
    return [doc.Amount(part / weight) if part and weight else doc.NOTHING for part in parts]
