"""A run as a document, in the order in which a planner reads it; its costs in full, which no page shows so."""

from __future__ import annotations

from decimal import Decimal

from ..document.elements import (
    NOTHING,
    Amount,
    Cell,
    Column,
    Count,
    DataRow,
    Document,
    Kilograms,
    Section,
    Share,
    document,
    figures,
    notes,
    section,
    table,
)
from ..document.figures import count, money, percent, written
from ..domain.run import Run, RunDiscount, RunLevel
from .demand import demands, shortages, whole_periods
from .ground import assumptions, kept_out, limits, rules, versions
from .heading import heading, unexamined, warnings
from .mix import holdings, mix, orders


def plan_document(run: Run) -> Document:
    """Everything."""
    return document(
        run.case,
        *heading(run),
        *warnings(run),
        ranks(run),
        demands(run),
        mix(run),
        holdings(run),
        shortages(run),
        whole_periods(run),
        orders(run),
        discounts(run),
        costs(run),
        limits(run),
        kept_out(run),
        rules(run),
        assumptions(run),
        versions(run),
    )


def summary_document(run: Run) -> Document:
    """The heading, and what it must not be read without."""
    return document(run.case, *heading(run), unexamined(run))


MOST = 12
"""Settlements of price schedules that are told; those that take off or add most come first."""
_PARTS = {
    "price": "price",
    "discounts": "discounts and lumps of price schedules",
    "charges": "duties and other charges",
    "freight": "freight",
    "onboarding": "onboarding",
    "fixed": "fixed costs of ordering",
    "untaken": "paid for, not taken",
    "holding": "holding",
}
"""Parts of what is spent, in words."""


def costs(run: Run) -> Section:
    """Money by part."""
    cost = run.cost
    parts = [(title, getattr(cost, name)) for name, title in _PARTS.items()]
    rows = [DataRow((title, Amount(amount))) for title, amount in parts if amount]
    rows.append(DataRow(("spent", Amount(cost.total)), strong=True))
    if cost.nominal != cost.total:
        rows.append(DataRow(("spent, not discounted", Amount(cost.nominal))))
    weighed = [("penalties of soft rules", cost.penalties), ("shortage, at its price", cost.shortage)]
    rows += [DataRow((name, Amount(amount))) for name, amount in weighed if amount]
    if cost.objective != cost.total:
        rows.append(DataRow(("minimised", Amount(cost.objective))))
    title = "Cost" if cost.nominal == cost.total else "Cost, discounted to the start"
    return section(title, table([Column("Part"), figures("", run.currency)], rows))


def discounts(run: Run) -> Section | None:
    """Every settlement of a price schedule, with what is bought, where its tier and the next begin, and the money taken off."""
    if not run.discounts:
        return None
    told = sorted(run.discounts, key=lambda d: (-abs(d.discount), d.schedule, d.span))
    columns = [Column("Price schedule of"), Column("Span", whole=True), figures("Bought")]
    columns += [figures("Tier from"), figures("Next from"), figures(f"{run.currency} off")]
    rest = told[MOST:]
    off = money(sum((d.discount for d in rest), Decimal(0)))
    more = (
        [f"{count(len(rest), 'more settlement')}, {run.currency} {off} off (all with --json or --out)"] if rest else []
    )
    return section("Price schedules", table(columns, [_settled(d, run) for d in told[:MOST]]), notes(more))


def _settled(one: RunDiscount, run: Run) -> list[Cell]:
    following = NOTHING if one.next is None else _measured(one, one.next, run)
    bought, least = _measured(one, one.measured, run), _measured(one, one.least, run)
    return [one.schedule, one.span, bought, least, following, Amount(one.discount)]


def _measured(one: RunDiscount, amount: Decimal, run: Run) -> Cell:
    if not amount:
        return "0"
    return Amount(amount, run.currency) if one.measure == "money" else Kilograms(amount)


def ranks(run: Run) -> Section | None:
    """Lexicographic objectives: every level with its value and gap, what ranking it gains, and by how much it raises the objective."""
    if not run.levels:
        return None
    columns = [figures("#"), Column("As small as those above it allow"), figures("Comes to"), figures("Gap")]
    columns += [figures("Ranking it saves"), figures("and adds", run.currency)]
    return section("Lexicographic objectives", table(columns, [_level(level, run) for level in run.levels]))


def _level(level: RunLevel, run: Run) -> list[Cell]:
    return [
        Count(level.rank),
        _what(level, run),
        _amount(level, level.value, run),
        Share(level.gap),
        NOTHING if level.gained is None else _amount(level, level.gained, run),
        NOTHING if level.raised_objective is None else Amount(level.raised_objective),
    ]


def _what(level: RunLevel, run: Run) -> str:
    """What it is about; where later levels may make it worse, from where on."""
    if not level.within:
        return level.sentence
    least = written(_amount(level, level.least, run))
    return f"{level.sentence} (least {least}; later ones may add {percent(level.within)})"


def _amount(level: RunLevel, amount: Decimal, run: Run) -> Amount | Kilograms:
    return Amount(amount, run.currency) if level.unit == run.currency else Kilograms(amount)
