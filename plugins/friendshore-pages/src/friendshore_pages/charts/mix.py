"""A material over time: what arrives in each period from whom, beside what is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Literal

from friendshore.document import charts
from friendshore.document import elements as doc
from friendshore.document.excerpts import period_columns
from friendshore.document.figures import count, unit_for
from friendshore.domain.base import grouped, totals
from friendshore.domain.run import Run, RunPurchase
from friendshore.questions.wording import mass_of
from friendshore.report.mix import chain, kilograms_of, prices_of, used_for

from .parts import added, in_unit, largest, rounding

PARTS = 5
"""Suppliers that a chart tells apart."""
ROWS = 25
"""Suppliers that a table tells apart."""
_ROOM = 9

Amounts = Mapping[str, Decimal]
"""Period -> kilograms."""


class Balance:
    """What arrives of a material in each period, and what becomes of it."""

    def __init__(self, run: Run, material: str, purchases: Sequence[RunPurchase]) -> None:
        self.run = run
        self.arrives = totals((one.delivered, one.quantity_kg) for one in purchases)
        self.delivered = totals((one.period, one.quantity_kg) for one in run.deliveries if one.material == material)
        self.taken = totals((one.period, one.quantity_kg) for one in run.draws if one.material == material)
        self.short = totals((one.period, one.quantity_kg) for one in run.shortages if one.material == material)

    def needed(self, period: str) -> Decimal:
        """What is wanted, and what makers take."""
        return added(each.get(period, Decimal(0)) for each in (self.delivered, self.taken, self.short))

    @property
    def even(self) -> bool:
        """Whether in every period just so much arrives as is used."""
        return not any(
            self.into_stock(period) or self.from_stock(period)
            for period in {*self.arrives, *self.delivered, *self.taken}
        )

    def into_stock(self, period: str) -> Decimal:
        """What arrives beyond what is used."""
        return self._beyond(self.arrives.get(period, Decimal(0)), self._used(period))

    def from_stock(self, period: str) -> Decimal:
        """What is used beyond what arrives: stock in hand, orders placed before, and what came in earlier."""
        return self._beyond(self._used(period), self.arrives.get(period, Decimal(0)))

    def _used(self, period: str) -> Decimal:
        return self.delivered.get(period, Decimal(0)) + self.taken.get(period, Decimal(0))

    def _beyond(self, more: Decimal, less: Decimal) -> Decimal:
        """By how much one is more than the other, but for rounding."""
        return more - less if more - less > rounding(self.run, max(more, less)) else Decimal(0)


def mix_elements(run: Run, material: str, purchases: Sequence[RunPurchase]) -> list[doc.Element]:
    """Bars of what arrives by supplier, what comes out of stock and what is short, under a line of what is needed; a sentence where one supplier
    brings just that in every period; and the table of either.
    """
    balance = Balance(run, material, purchases)
    labels = [period.label for period in run.periods]
    needed = {label: balance.needed(label) for label in labels}
    stock = {label: balance.from_stock(label) for label in labels}
    by_name = _by_supplier(run, purchases)
    beside = [("from stock", stock, doc.Tone.ASIDE)] if any(stock.values()) else []
    beside += [("short", balance.short, doc.Tone.BAD)] if balance.short else []
    wants = ["wanted"] if balance.delivered or balance.short else []
    what = " and ".join([*wants, *(["taken by makers"] if balance.taken else [])]) or "wanted"
    table = _table(run, purchases, [*((name, amounts) for name, amounts, _ in beside), (what, needed)])
    if len(by_name) == 1 and not beside and balance.even:
        (name,) = by_name
        return [doc.sentence(f"{name} brings just what is {what}, in every period."), table]
    bars = [*((name, amounts, doc.Tone.PLAIN) for name, amounts in _kept(by_name, PARTS)), *beside]
    unit = unit_for([*needed.values(), *balance.arrives.values()])
    weight = f"{unit} {run.names.basis(material)}".rstrip()
    chart = charts.Bars(
        tuple(labels),
        tuple(charts.Series(name, _values(labels, amounts, unit), tone) for name, amounts, tone in bars),
        weight,
        charts.Series(what, _values(labels, needed, unit)),
    )
    told = (
        f"By period of arrival, in {weight}: {mass_of(run.names, material, kilograms_of(purchases))} from {count(len(by_name), 'supplier')}; "
        f"{mass_of(run.names, material, added(needed.values()))} {what}"
        + (f", {mass_of(run.names, material, added(balance.short.values()))} of it short." if balance.short else ".")
    )
    return [doc.Drawing(f"{run.names.material(material)}: arrivals by supplier", told, chart, table)]


def _by_supplier(run: Run, purchases: Sequence[RunPurchase]) -> dict[str, Amounts]:
    """Supplier -> kilograms by period of arrival."""
    found = grouped((run.names.offer(one.offer), one) for one in purchases)
    return {name: totals((one.delivered, one.quantity_kg) for one in group) for name, group in found.items()}


def _kept(by_name: Mapping[str, Amounts], most: int) -> list[tuple[str, Amounts]]:
    """The largest, and all others as one."""
    names = largest({name: added(amounts.values()) for name, amounts in by_name.items()}, most)
    rest = [amounts for name, amounts in by_name.items() if name not in set(names)]
    others = totals((label, kilograms) for amounts in rest for label, kilograms in amounts.items())
    return [*((name, by_name[name]) for name in names), *([(f"{len(rest):,} others", others)] if rest else [])]


def _values(labels: Sequence[str], amounts: Amounts, unit: Literal["kg", "t"]) -> tuple[Decimal, ...]:
    return tuple(in_unit(amounts.get(label, Decimal(0)), unit) for label in labels)


def _table(run: Run, purchases: Sequence[RunPurchase], beside: Sequence[tuple[str, Amounts]]) -> doc.DataTable:
    """Supplier by supplier with chain, use, price and evidence; then what arrives in all, and what stands beside it."""
    periods = period_columns(((one.label, one.start.year) for one in run.periods), _ROOM)
    unit = unit_for(one.quantity_kg for one in purchases)
    groups = grouped(((one.offer, one.place, one.end_use), one) for one in purchases)
    kept = largest({key: kilograms_of(group) for key, group in groups.items()}, ROWS)
    rest = [one for key, group in groups.items() if key not in set(kept) for one in group]

    def row(
        amounts: Amounts,
        *first: doc.Cell,
        last: Sequence[doc.Cell] = (*[doc.NOTHING] * (2 if run.draws else 1), ""),
        strong: bool = False,
    ) -> doc.DataRow:
        figures = (doc.Kilograms(amounts.get(one.label, Decimal(0)), unit, bare=True) for one in run.periods)
        whole = doc.Kilograms(added(amounts.values()), unit, bare=True)
        return doc.DataRow((*first, *figures, whole, *last), strong)

    def of(group: Sequence[RunPurchase], *first: doc.Cell, evidence: str = "", strong: bool = False) -> doc.DataRow:
        amounts = totals((one.delivered, one.quantity_kg) for one in group)
        return row(amounts, *first, last=(*prices_of(run, group), evidence), strong=strong)

    rows = [
        of(
            groups[key],
            run.names.offer(key[0]),
            chain(run, groups[key][0]),
            used_for(run, groups[key][0]),
            evidence=groups[key][0].confidence,
        )
        for key in kept
    ]
    rows += [of(rest, count(len(groups) - len(kept), "other"), "", "")] if rest else []
    rows.append(of(purchases, "arrives", "", "", strong=True))
    rows += [row(amounts, name, "", "") for name, amounts in beside]
    columns = [doc.Column("Supplier"), doc.Column("Chain"), doc.Column("For"), *periods, doc.figures("All", unit)]
    columns += [doc.figures("", f"{run.currency}/kg"), *([doc.figures("of it fee")] if run.draws else [])]
    return doc.table([*columns, doc.Column("Evidence")], rows)
