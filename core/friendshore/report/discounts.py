"""What price schedules make of the plan: the tier that each span comes to, and what that takes off."""

from __future__ import annotations

from decimal import Decimal

from rich.console import RenderableType

from ..domain.run import Run, RunDiscount
from .figures import NOTHING, count, mass, money
from .tables import Column, figures, lines, section, table

MOST = 12
"""Settlements that are told; those that take off or add most come first."""


def discounts(run: Run, width: int) -> RenderableType | None:
    """Every settlement, with what is bought, where its tier and the next begin, and the money taken off."""
    if not run.discounts:
        return None
    told = sorted(run.discounts, key=lambda d: (-abs(d.discount), d.schedule, d.span))
    rows = [
        [d.schedule, d.span, _amount(d, d.measured, run), _amount(d, d.least, run), _next(d, run), money(d.discount)]
        for d in told[:MOST]
    ]
    columns = [Column("Price schedule of"), Column("Span", whole=True), figures("Bought")]
    columns += [figures("Tier from"), figures("Next from"), figures(f"{run.currency} off")]
    rest = told[MOST:]
    more = []
    if rest:
        off = money(sum((d.discount for d in rest), Decimal(0)))
        more = [lines([f"{count(len(rest), 'more settlement')}, {run.currency} {off} off (all with --json or --out)"])]
    return section("Price schedules", table(columns, rows, width), *more)


def _amount(discount: RunDiscount, amount: Decimal, run: Run) -> str:
    if not amount:
        return "0"
    return f"{run.currency} {money(amount)}" if discount.measure == "money" else mass(amount)


def _next(discount: RunDiscount, run: Run) -> str:
    return NOTHING if discount.next is None else _amount(discount, discount.next, run)
