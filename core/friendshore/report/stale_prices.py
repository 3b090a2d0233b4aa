"""Prices that are older than the case allows: on one line for a screen, a page and a check, and all of them in a table."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from ..document import elements as doc
from ..document.figures import count, large_money, percent
from ..domain.base import grouped
from ..domain.run import Run
from ..domain.used import PriceDate, RunPriceDate


def stale_prices(run: Run) -> list[RunPriceDate]:
    """Prices and freights that the plan pays and that were older than the case allows on the day on which it was made, the most money first."""
    limit = run.oldest_price_days
    found = [] if limit is None else [one for one in run.price_dates if one.is_older(limit, run.made)]
    return sorted(found, key=lambda one: (-one.cost, one.order()))


_TOLD = 10
"""Prices with their days that a sentence tells where there is room."""


def stale_line(run: Run, most: int = _TOLD) -> str:
    """How much of a plan is paid at such prices, and which they are; empty: none is."""
    stale = stale_prices(run)
    if not stale or run.oldest_price_days is None:
        return ""
    spent = sum((one.cost for one in stale), Decimal(0))
    share = f"{percent(spent / run.cost.nominal)} of spend, " if 0 < spent <= run.cost.nominal else ""
    buying = len({one.offer for one in run.purchases})
    offers = f"{len({one.offer for one in stale}):,} of {count(buying, 'offer')}"
    paid = f"{large_money(spent, run.currency)} ({share}{offers}) is paid at prices {_older(run.oldest_price_days)}"
    return f"{paid}: {few_dated(stale, run.made, most)}"


def few_dated(stale: Sequence[PriceDate], today: datetime.date | None, most: int) -> str:
    """The first of some prices by what gives them, each once with its day, and how many more there are."""
    named = grouped(((one.given_by or one.offer, one.dated(today)), one.offer) for one in stale)
    told = [f"{given_by.rpartition(':')[2]} {dated}" for given_by, dated in named]
    more = [f"{len(told) - most} more"] if len(told) > most else []
    return "; ".join([*told[:most], *more])


def stale_section(run: Run) -> doc.Section | None:
    """All of them, with what the plan pays at each."""
    stale = stale_prices(run)
    if not stale or run.oldest_price_days is None:
        return None
    columns = [
        doc.Column("Offer"),
        doc.Column("Material"),
        doc.Column("By"),
        *map(doc.figures, ("Stated", "Of", "Days")),
    ]
    columns += [replace(doc.figures("Quantity"), from_width=120), doc.figures("Paid", run.currency)]
    rows = [doc.DataRow(_cells(one, run)) for one in stale]
    whole = doc.Amount(sum((one.cost for one in stale), Decimal(0)))
    rows.append(doc.DataRow(("all", "", "", "", "", "", "", whole), strong=True))
    told = "Paid is not discounted, and without duties. They are planned with all the same: `--strict` refuses them."
    title = f"Prices {_older(run.oldest_price_days)}"
    return doc.section(title, doc.table(columns, rows), doc.sentence(told), tone=doc.Tone.DOUBTFUL)


def stale_in_check(stale: Sequence[PriceDate], limit: int | None, of: int, day: datetime.date | None) -> str:
    """The same of a case that is not planned, of all prices at which something may be bought."""
    if not stale or limit is None:
        return ""
    return f"{len(stale):,} of {count(of, 'price')} {'is' if len(stale) == 1 else 'are'} {_older(limit)}: {few_dated(stale, day, 3)}"


def _older(days: int) -> str:
    return f"older than the {count(days, 'day')} that the case allows"


def _cells(one: RunPriceDate, run: Run) -> tuple[doc.Cell, ...]:
    by = one.given_by if one.of == "price" else f"{one.given_by} (freight)"
    stated = doc.Amount(one.amount, one.currency)
    day = one.oldest or doc.NOTHING
    age = None if run.made is None else one.age(run.made)
    old = doc.NOTHING if age is None else doc.Count(age)
    return (one.offer, one.material, by, stated, day, old, doc.Kilograms(one.quantity_kg), doc.Amount(one.cost))
