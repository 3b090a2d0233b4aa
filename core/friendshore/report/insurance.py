"""What it costs to be able to lose anybody, as a planner reads it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from rich.console import RenderableType

from ..document.figures import signed
from ..explain.insured import Insurance, LossMet
from ..explain.results import CENT
from ..explain.stress import Shortfall
from .common import effort_line, rise
from .figures import NOTHING, count, large_money, mass, money, percent
from .stress import SHOWN
from .tables import Column, Text, figures, lines, section, table

_WHO = {"supplier": "supplier", "parent": "parent company", "country": "country", "catalog": "catalog"}


def insurance_report(found: Insurance, width: int, shown: int = SHOWN) -> list[RenderableType]:
    """The premium, what becomes of each loss, what the insured plan does otherwise, and the stock that would do instead.

    Args:
        found: the insurance.
        width: characters of a line.
        shown: rows shown of each table; 0: all.
    """
    parts: list[RenderableType] = [
        section(f"Insured against the loss of any one {_WHO[found.by]} from {found.start} on", Text(_premium(found)))
    ]
    parts += _losses(found, width, shown)
    parts += _otherwise(found, width, shown)
    parts += _stock(found, width)
    return [*parts, Text(""), Text(effort_line(found.effort), style="dim")]


def _premium(found: Insurance) -> str:
    open_still = [row for row in found.losses if not row.met]
    but = f", but {count(len(open_still), 'loss', 'losses')} below that nothing insures in full" if open_still else ""
    return (
        f"To be short of no more after any one loss than today{but}, the plan costs {_price(found)} where no loss comes. "
        "Nobody knows beforehand which loss comes: orders, stock and onboarding before it are the same for all."
    )


def _price(found: Insurance) -> str:
    if not found.premium.proved:
        return f"{found.currency} {rise(found.premium)}, more"
    if abs(found.premium.value) < CENT:
        return "nothing more"
    share = f" ({percent(found.premium.value / found.objective)} of what it comes to)" if found.objective else ""
    return f"{large_money(found.premium.value, found.currency)} more{share}"


def _losses(found: Insurance, width: int, shown: int) -> list[RenderableType]:
    felt = [row for row in found.losses if row.exposed or not row.met]
    kept = felt[: shown or None]
    notes = []
    if len(kept) < len(felt):
        notes.append(f"{count(len(felt) - len(kept), 'more loss', 'more losses')}: --top 0 shows all")
    calm = len(found.losses) - len(felt)
    if calm:
        other = "other " if felt else ""
        notes.append(
            f"{count(calm, f'{other}loss leaves', f'{other}losses leave')} nothing more short, as things are and insured"
        )
    columns = [Column("If lost"), Column("Short in addition, today"), Column("Insured")]
    columns += [figures(f"Then dearer by, {found.currency}")]
    rows = [[row.loss.name, _short(row.exposed), _outcome(row), _costs(row)] for row in kept]
    body = table(columns, rows, width) if rows else None
    return [section("What each loss leaves short", body, lines(notes) if notes else None)]


def _short(short: Sequence[Shortfall]) -> str:
    return ", ".join(f"{each.material} {mass(each.kilograms)}" for each in short) or NOTHING


def _outcome(row: LossMet) -> str:
    if row.met:
        return "nothing more short"
    return row.reason + (f": {_short(row.unmet)}" if row.unmet else "")


def _costs(row: LossMet) -> str:
    return NOTHING if row.costs is None else signed(row.costs)


def _otherwise(found: Insurance, width: int, shown: int) -> list[RenderableType]:
    title = "What the insured plan does otherwise before the loss"
    if not found.ordered and not found.ready and not found.onboarded:
        return [section(title, Text("nothing: the plan as it is already does"))]
    kept = found.ordered[: shown or None]
    rows = [[row.offer + (" (new)" if row.new else ""), _or_none(row.kilograms), _or_none(row.today)] for row in kept]
    left = len(found.ordered) - len(kept)
    notes = [f"{count(left, 'more offer')}: --top 0 shows all"] if left else []
    notes += [
        f"{one.offer} is onboarded for {found.currency} {money(one.cost)}, and only used if a loss comes"
        for one in found.onboarded
    ]
    note = lines(notes) if notes else None
    columns = [Column("Ordered from"), figures("Insured"), figures("Today")]
    parts: list[RenderableType] = [section(title, table(columns, rows, width) if rows else None, note)]
    if found.ready:
        ready = [[row.material, _or_none(row.kilograms), _or_none(row.today)] for row in found.ready]
        columns = [Column("In stock or on its way when the loss comes"), figures("Insured"), figures("Today")]
        parts += ["", table(columns, ready, width)]
    return parts


def _or_none(kilograms: Decimal) -> str:
    return mass(kilograms) if kilograms else NOTHING


def _stock(found: Insurance, width: int) -> list[RenderableType]:
    if not found.stock:
        return []
    columns = [
        Column("Material"),
        figures("Stock"),
        Column("For the loss of"),
        figures(f"Holding a year, {found.currency}"),
    ]
    columns += [Column("Proved")]
    rows = [
        [
            row.material,
            mass(row.kilograms),
            row.loss,
            NOTHING if row.holding is None else money(row.holding),
            "yes" if row.proved else "no: some loss still leaves it short",
        ]
        for row in found.stock
    ]
    note = "lawful stock in hand when the loss comes; the price of buying it is not in it"
    title = "Stock that would do instead, with the plan as it is"
    return [section(title, table(columns, rows, width), lines([note]))]
