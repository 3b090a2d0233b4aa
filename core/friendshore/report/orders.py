"""What to order by when, and what it all costs."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from rich.console import RenderableType

from ..domain.run import Run, RunPurchase
from .figures import count, large_money, mass, money
from .tables import Column, Text, figures, lines, section, table

SOON = 2
"""Order periods that are told order by order."""
WIDE = 96
"""Characters from which on an order says what it is for."""


def orders(run: Run, width: int) -> RenderableType | None:
    """Orders by their last day: the next two periods in full, then one line a period."""
    if not run.purchases:
        return None
    by_period: defaultdict[str, list[RunPurchase]] = defaultdict(list)
    for purchase in sorted(run.purchases, key=lambda p: (p.order_by, p.material, p.offer, p.place, p.delivered)):
        by_period[purchase.ordered].append(purchase)
    soon, later = list(by_period)[:SOON], list(by_period)[SOON:]
    rows = [row for label in soon for row in _period_rows(by_period[label])]
    columns = [
        Column("Order"),
        Column("Material"),
        figures("Quantity"),
        Column("To", whole=True),
    ]
    columns += [Column("Arrives", whole=True), figures(run.currency), Column("For")]
    if width < WIDE:  # the mix says what for
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    made = table(columns, rows, width)
    rest = [f"{label}: {_summary(run, by_period[label])}" for label in later]
    more: list[RenderableType] = []
    if rest:
        more = [Text("Later (all orders with --json or --out)", style="bold"), lines(rest)]
    return section("What to order by when", made, *more)


def _period_rows(purchases: list[RunPurchase]) -> list[list[str | Text]]:
    """The last day of a period, and its orders by material."""
    total = Text(money(sum((p.cost for p in purchases), Decimal(0))), style="bold")
    rows: list[list[str | Text]] = [[Text(f"by {purchases[0].order_by}", style="bold"), "", "", "", "", total, ""]]
    for (offer, material, place, delivered), group in in_orders(purchases).items():
        quantity = sum((p.quantity_kg for p in group), Decimal(0))
        uses = ", ".join(dict.fromkeys(use for p in group for use in p.end_use.split("+")))
        cost = money(sum((p.cost for p in group), Decimal(0)))
        rows.append([f"  {offer}", material, mass(quantity), place, delivered, cost, uses])
    return rows


def in_orders(purchases: list[RunPurchase]) -> dict[tuple[str, str, str, str], list[RunPurchase]]:
    """Purchases that make one order, whatever uses they are for."""
    groups: defaultdict[tuple[str, str, str, str], list[RunPurchase]] = defaultdict(list)
    for purchase in purchases:
        groups[purchase.offer, purchase.material, purchase.place, purchase.delivered].append(purchase)
    return dict(groups)


def _summary(run: Run, purchases: list[RunPurchase]) -> str:
    cost = sum((p.cost for p in purchases), Decimal(0))
    return f"{count(len(in_orders(purchases)), 'order')}, {large_money(cost, run.currency)}"


def costs(run: Run, width: int) -> RenderableType:
    """Money by part."""
    cost = run.cost
    rows: list[list[str | Text]] = [
        [name, money(amount)]
        for name, amount in (
            ("price", cost.price),
            ("discounts and lumps of price schedules", cost.discounts),
            ("duties and other charges", cost.charges),
            ("freight", cost.freight),
            ("onboarding", cost.onboarding),
            ("fixed costs of ordering", cost.fixed),
            ("paid for, not taken", cost.untaken),
            ("holding", cost.holding),
        )
        if amount
    ]
    rows.append([Text("spent", style="bold"), Text(money(cost.total), style="bold")])
    if cost.nominal != cost.total:
        rows.append(["spent, not discounted", money(cost.nominal)])
    weighed = [("penalties of soft rules", cost.penalties), ("shortage, at its price", cost.shortage)]
    rows += [[name, money(amount)] for name, amount in weighed if amount]
    if cost.objective != cost.total:
        rows.append(["minimised", money(cost.objective)])
    title = "Cost" if cost.nominal == cost.total else "Cost, discounted to the start"
    return section(title, table([Column("Part"), figures(run.currency)], rows, width))
