"""What to order by when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from ..document.elements import Amount, Column, DataRow, Kilograms, Section, figures, notes, section, sentence, table
from ..document.figures import count, large_money
from ..domain.run import Run, RunPurchase

SOON = 2
"""Order periods that are told order by order."""
WIDE = 96
"""Characters from which on an order says what it is for, as the mix does."""


def orders(run: Run) -> Section | None:
    """Orders by their last day: the next two periods in full, then one line a period."""
    if not run.purchases:
        return None
    by_period: defaultdict[str, list[RunPurchase]] = defaultdict(list)
    for purchase in sorted(run.purchases, key=lambda p: (p.order_by, p.material, p.offer, p.place, p.delivered)):
        by_period[purchase.ordered].append(purchase)
    soon, later = list(by_period)[:SOON], list(by_period)[SOON:]
    rows = [row for label in soon for row in _period_rows(by_period[label])]
    columns = [Column("Order"), Column("Material"), figures("Quantity"), Column("To", whole=True)]
    columns += [Column("Arrives", whole=True), figures("", run.currency), Column("For", from_width=WIDE)]
    rest = notes(f"{label}: {_summary(run, by_period[label])}" for label in later)
    head = sentence("Later (all orders with --json or --out)", strong=True) if rest else None
    return section("What to order by when", table(columns, rows), head, rest)


def _period_rows(purchases: list[RunPurchase]) -> list[DataRow]:
    """The last day of a period, and its orders by material."""
    rows = [DataRow((f"by {purchases[0].order_by}", "", "", "", "", Amount(cost_of(purchases)), ""), strong=True)]
    for (offer, material, place, delivered), group in in_orders(purchases).items():
        uses = ", ".join(dict.fromkeys(use for p in group for use in p.end_use.split("+")))
        cells = (offer, material, Kilograms(kilograms_of(group)), place, delivered, Amount(cost_of(group)), uses)
        rows.append(DataRow(cells, level=1))
    return rows


def in_orders(purchases: list[RunPurchase]) -> dict[tuple[str, str, str, str], list[RunPurchase]]:
    """Purchases that make one order, whatever uses they are for."""
    groups: defaultdict[tuple[str, str, str, str], list[RunPurchase]] = defaultdict(list)
    for purchase in purchases:
        groups[purchase.offer, purchase.material, purchase.place, purchase.delivered].append(purchase)
    return dict(groups)


def kilograms_of(purchases: Iterable[RunPurchase]) -> Decimal:
    """What they weigh together; of one material."""
    return sum((purchase.quantity_kg for purchase in purchases), Decimal(0))


def cost_of(purchases: Iterable[RunPurchase]) -> Decimal:
    """Their landed cost."""
    return sum((purchase.cost for purchase in purchases), Decimal(0))


def _summary(run: Run, purchases: list[RunPurchase]) -> str:
    return f"{count(len(in_orders(purchases)), 'order')}, {large_money(cost_of(purchases), run.currency)}"
