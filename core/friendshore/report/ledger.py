"""The bill of compliance, as a planner reads it: what each item adds, to the cent, and what it took to find out."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from rich.console import RenderableType

from ..explain.billed import Bill, Ledger, LedgerItem, Method
from ..explain.margins import Margins
from ..explain.results import Difference
from .common import effort_line, rise
from .figures import NOTHING, count, large_money, mass, money, percent
from .tables import Column, Text, figures, lines, section, table

SHOWN = 12
"""Rows shown of what one more unit saves; all of it is in the JSON form."""


def ledger_report(found: Ledger, currency: str, width: int) -> list[RenderableType]:
    """What all items add together, what each adds, and each by itself.

    Args:
        found: the bill.
        currency: of its money.
        width: characters of a line.
    """
    told = [item for item in found.items if not _unfelt(item)]
    parts: list[RenderableType | None] = [
        Text(_head(found, currency)),
        section(_title(found), _split(found, told, currency, width), lines(_notes(found))) if found.items else None,
        _alone(told, currency, width),
        _pieces(found, currency, width),
        *_margins(found.margins, currency, width),
        Text(""),
        Text(effort_line(found.effort), style="dim"),
    ]
    return [part for part in parts if part is not None]


def _unfelt(item: LedgerItem) -> bool:
    """Whether an item changes no plan, in whatever order it comes."""
    differences = (item.difference, item.off_alone, item.on_alone)
    return not item.adds.amount and not item.adds.short_kg and all(map(_nothing, differences))


def _head(found: Ledger, currency: str) -> str:
    if not found.items:
        return f"Nothing asked about can bear on the plan, which comes to {_bill(found.after, currency)}."
    several = len(found.items) > 1
    return (
        f"Without {'any of these ' + count(len(found.items), 'item') if several else found.items[0].name}, the plan comes to "
        f"{_bill(found.before, currency)}; with {'all of them' if several else 'it'}, to {_bill(found.after, currency)}. "
        f"That is {currency} {abs(found.adds.amount):,.2f} {'less' if found.adds.amount < 0 else 'more'}."
    )


def _bill(bill: Bill, currency: str) -> str:
    lacking = f", {large_money(bill.shortage, currency)} of it for want of {_short(bill)}" if bill.short_kg else ""
    return f"{large_money(bill.amount, currency)}{lacking}"


def _title(found: Ledger) -> str:
    if found.method is Method.ORDER:
        return "What each adds to those above it"
    return "What each adds, averaged over all orders in which they may come (Shapley)"


def _split(found: Ledger, told: Sequence[LedgerItem], currency: str, width: int) -> RenderableType:
    columns = [Column("Item"), figures(f"Adds, {currency}"), figures("of it spent"), figures("for shortage")]
    soft = bool(found.adds.penalties) or any(item.adds.penalties for item in found.items)
    columns += [figures("for misses")] if soft else []
    rows: list[Sequence[str | Text]] = [
        _row(item.name + ("" if item.difference.proved else " ~"), item.adds, soft) for item in told
    ]
    rows.append([Text(cell, style="bold") for cell in _row("all together", found.adds, soft)])
    return table([*columns, Column("Short")], rows, width)


def _row(name: str, bill: Bill, soft: bool) -> list[str]:
    money_ = [bill.amount, bill.spent, bill.shortage, *([bill.penalties] if soft else [])]
    return [name, *(cents(amount) for amount in money_), _short(bill, "+") or NOTHING]


def _short(bill: Bill, sign: str = "") -> str:
    """Kilograms short of each material."""
    return ", ".join(f"{name} {sign if kg > 0 else ''}{mass(kg)}" for name, kg in bill.short_kg.items())


def cents(amount: Decimal) -> str:
    """Money to the cent, with its sign."""
    return f"{amount:+,.2f}" if amount else NOTHING


def _notes(found: Ledger) -> list[str]:
    notes = []
    if found.method is Method.SAMPLED:
        worst = max((item.error for item in found.items if item.error is not None), default=Decimal(0))
        notes.append(
            f"parts of the case with more than {found.exact_up_to} items are sampled: {found.samples} orders, seed {found.seed}; "
            f"95 % of such draws come within {money(worst)} of the true value of the item that is least sure"
        )
    notes += [f"~ {item.name}: {rise(item.difference)}" for item in found.items if not item.difference.proved]
    still = [item.name for item in found.items if _unfelt(item)]
    if still:
        notes.append(f"could bear on the plan, and change nothing in it: {', '.join(still)}")
    if found.idle:
        notes.append(f"cannot bear on this plan: {count(len(found.idle), 'item')} (--json names them)")
    notes += [
        f"not split, and not counted here: {', '.join(part.materials)}, where {', '.join(part.conflict)} cannot hold together"
        for part in found.parts
        if part.method is Method.CONFLICT
    ]
    if found.ranked:
        notes.append("the case ranks objectives: this is what its ranked plans cost, not what is least")
    return notes


def _alone(told: Sequence[LedgerItem], currency: str, width: int) -> RenderableType | None:
    if len(told) < 2:
        return None
    name, last = Column("Item", whole=True), Column("Added to none of them", "right")
    columns = [name, Column(f"Added to all others, {currency}", "right"), last]
    rows = [[item.name, _alone_cell(item.off_alone), _alone_cell(item.on_alone)] for item in told]
    return section("Each by itself; these do not add up", table(columns, rows, width))


def _alone_cell(found: Difference) -> str:
    if found.proved:
        return NOTHING if _nothing(found) else cents(found.value)
    return rise(found)


def _nothing(found: Difference) -> bool:
    return found.proved and abs(found.value) < Decimal("0.005")


def _pieces(found: Ledger, currency: str, width: int) -> RenderableType | None:
    split = [part for part in found.parts if part.method is not Method.CONFLICT]
    if len(split) < 2:
        return None
    felt = [part for part in split if part.adds.amount or part.adds.short_kg]
    rows = [
        [", ".join(part.materials), str(len(part.items)), cents(part.adds.amount), _row("", part.adds, soft=False)[-1]]
        for part in sorted(felt, key=lambda part: (-part.adds.amount, part.materials))
    ]
    columns = [Column("Materials"), figures("Items"), figures(f"Adds, {currency}"), Column("Short")]
    none = len(split) - len(felt)
    more = lines([f"{count(none, 'more part')} in which the items change nothing"]) if none else None
    return section("By independent part of the case", table(columns, rows, width), more)


def _margins(found: Margins | None, currency: str, width: int) -> list[RenderableType]:
    if found is None:
        return []
    more = percent(found.increment)
    parts: list[RenderableType] = []
    capacities = [each for each in found.capacities if _saves(each.saves)]
    if found.capacities:
        rows = [
            [each.facility, _periods(each.full_in), mass(each.more_kg), rise(each.saves), money(each.per_kg)]
            for each in capacities[:SHOWN]
        ]
        columns = [Column("Facility"), Column("Full in"), figures("More"), figures(f"Saves, {currency}")]
        columns.append(figures("per kg"))
        none = len(found.capacities) - len(capacities)
        notes = lines(
            _rest(
                len(capacities),
                none,
                "capacity is full, and more of it saves",
                "capacities are full, and more of them saves",
            )
        )
        body = table(columns, rows, width) if rows else None
        parts.append(section(f"{more} more of each capacity that is used up, in every period", body, notes))
    waivers = [each for each in found.waivers if _saves(each.saves)]
    if found.waivers:
        rows = [
            [each.rule, each.demand, mass(each.waived_kg), rise(each.saves), money(each.per_kg)]
            for each in waivers[:SHOWN]
        ]
        columns = [
            Column("Rule"),
            Column("Demand"),
            figures("Waived"),
            figures(f"Saves, {currency}"),
            figures("per kg"),
        ]
        none = len(found.waivers) - len(waivers)
        notes = lines(_rest(len(waivers), none, "waiver alone saves", "waivers, each alone, save"))
        body = table(columns, rows, width) if rows else None
        parts.append(section(f"A waiver of each rule for {more} of a demand over the plan", body, notes))
    return parts


def _saves(saved: Difference) -> bool:
    """Whether it is worth telling: less than one of the currency is what rounding makes."""
    return not saved.proved or abs(saved.value) >= 1


def _rest(worth: int, none: int, one: str, many: str) -> list[str]:
    notes = [f"{worth - SHOWN} more that save something (--json holds all)"] if worth > SHOWN else []
    return notes + ([f"{count(none, one, many)} nothing (--json names them)"] if none else [])


def _periods(labels: Sequence[str]) -> str:
    return labels[0] if len(labels) == 1 else f"{count(len(labels), 'period')} from {labels[0]}"
