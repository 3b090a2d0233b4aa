"""Budgets: how much may be spent in a year on a programme, at a place, or in all."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from friendshore.domain.base import Record
from friendshore.domain.values import CurrencyOrBlank, Lots, Money, SiteOrBlank
from friendshore.domain.written import Written
from friendshore.errors import Diagnostic, InputError
from friendshore.readers import read_record_rows

_YEARS = range(1900, 10_000)


class BudgetLine(Record):
    """Money for a year."""

    programme: Annotated[str, Written("patriot")] = ""
    """Programme it is for; blank: all."""
    place: Annotated[SiteOrBlank, Written("US")] = ""
    """Place it is for, where what is bought is wanted; blank: all."""
    year: Annotated[Lots, Written("2027")]
    """Calendar year."""
    amount: Annotated[Money, Written("60,000,000 USD")]
    """Money, in the case's currency."""
    amount_currency: CurrencyOrBlank = ""


def read_budgets(path: Path, currency: str) -> tuple[BudgetLine, ...]:
    """The lines of a table of budgets.

    Raises:
        InputError: with all that is wrong with it, another currency than the case's among it.
    """
    file, rows = read_record_rows(path, BudgetLine, "What may be spent.")
    found: list[Diagnostic] = []
    seen: dict[tuple[str, str, int], int] = {}
    for row in rows:
        line = row.record
        if line.amount_currency != currency:
            expected = f"an amount in {currency}, the currency of the case"
            found.append(Diagnostic("is in another currency", file, row.line, "amount", line.amount_currency, expected))
        if line.year not in _YEARS:
            found.append(Diagnostic("is no year", file, row.line, "year", str(line.year), "a calendar year, like 2027"))
        before = seen.setdefault((line.programme, line.place, line.year), row.line)
        if before != row.line:
            message = f"line {before} already says the budget of that programme, place and year"
            found.append(Diagnostic(message, file, row.line, "year", fix="delete one of the two"))
    if found:
        raise InputError(found)
    return tuple(row.record for row in rows)
