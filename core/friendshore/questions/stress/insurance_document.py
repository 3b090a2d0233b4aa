"""What it costs to be able to lose anybody, as a planner reads it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from ...document.elements import (
    NOTHING,
    Amount,
    Cell,
    Column,
    Document,
    Kilograms,
    Section,
    apart,
    document,
    figures,
    notes,
    section,
    sentence,
    table,
)
from ...document.figures import count, large_money, mass, money, percent
from ...explain.results import CENT
from ..told import effort, rise
from .document import SHOWN
from .insured import Insurance, LossMet
from .search import Shortfall

_WHO = {"supplier": "supplier", "parent": "parent company", "country": "country", "catalog": "catalog"}


def insurance_document(found: Insurance, shown: int = SHOWN) -> Document:
    """The premium, what becomes of each loss, what the insured plan does otherwise, and the stock that would do instead.

    Args:
        found: the insurance.
        shown: rows shown of each table; 0: all.
    """
    title = f"Insured against the loss of any one {_WHO[found.by]} from {found.start} on"
    return document(
        "What surviving any loss costs",
        section(title, sentence(_premium(found))),
        _losses(found, shown),
        *_otherwise(found, shown),
        _stock(found),
        effort(found.effort),
    )


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


def _losses(found: Insurance, shown: int) -> Section:
    felt = [row for row in found.losses if row.exposed or not row.met]
    kept = felt[: shown or None]
    told = []
    if len(kept) < len(felt):
        told.append(f"{count(len(felt) - len(kept), 'more loss', 'more losses')}: --top 0 shows all")
    calm = len(found.losses) - len(felt)
    if calm:
        other = "other " if felt else ""
        told.append(
            f"{count(calm, f'{other}loss leaves', f'{other}losses leave')} nothing more short, as things are and insured"
        )
    columns = [Column("If lost"), Column("Short in addition, today"), Column("Insured")]
    columns += [figures("Then dearer by", found.currency)]
    rows: list[list[Cell]] = [
        [row.loss.name, _short(row.exposed) or NOTHING, _outcome(row), _costs(row)] for row in kept
    ]
    return section("What each loss leaves short", table(columns, rows) if rows else None, notes(told))


def _short(short: Sequence[Shortfall]) -> str:
    return ", ".join(f"{each.material} {mass(each.kilograms)}" for each in short)


def _outcome(row: LossMet) -> str:
    if row.met:
        return "nothing more short"
    return row.reason + (f": {_short(row.unmet)}" if row.unmet else "")


def _costs(row: LossMet) -> Cell:
    return NOTHING if row.costs is None else Amount(row.costs, form="signed")


def _otherwise(found: Insurance, shown: int) -> list[Section]:
    title = "What the insured plan does otherwise before the loss"
    if not found.ordered and not found.ready and not found.onboarded:
        return [section(title, sentence("nothing: the plan as it is already does"))]
    kept = found.ordered[: shown or None]
    rows = [[row.offer + (" (new)" if row.new else ""), _or_none(row.kilograms), _or_none(row.today)] for row in kept]
    left = len(found.ordered) - len(kept)
    told = [f"{count(left, 'more offer')}: --top 0 shows all"] if left else []
    told += [
        f"{one.offer} is onboarded for {found.currency} {money(one.cost)}, and only used if a loss comes"
        for one in found.onboarded
    ]
    insured, today = figures("Insured"), figures("Today")
    made = table([Column("Ordered from"), insured, today], rows) if rows else None
    parts = [section(title, made, notes(told))]
    if found.ready:
        ready = [[row.material, _or_none(row.kilograms), _or_none(row.today)] for row in found.ready]
        parts.append(apart(table([Column("In stock or on its way when the loss comes"), insured, today], ready)))
    return parts


def _or_none(kilograms: Decimal) -> Cell:
    return Kilograms(kilograms) if kilograms else NOTHING


def _stock(found: Insurance) -> Section | None:
    if not found.stock:
        return None
    columns = [Column("Material"), figures("Stock"), Column("For the loss of")]
    columns += [figures("Holding a year", found.currency), Column("Proved")]
    rows: list[list[Cell]] = [
        [
            row.material,
            Kilograms(row.kilograms),
            row.loss,
            NOTHING if row.holding is None else Amount(row.holding),
            "yes" if row.proved else "no: some loss still leaves it short",
        ]
        for row in found.stock
    ]
    note = "lawful stock in hand when the loss comes; the price of buying it is not in it"
    return section("Stock that would do instead, with the plan as it is", table(columns, rows), notes([note]))
