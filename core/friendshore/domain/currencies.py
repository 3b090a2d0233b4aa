"""Currencies by ISO 4217 code; the list is pycountry's, imported when the first currency is read."""

from __future__ import annotations

from functools import cache


@cache
def currency_codes() -> frozenset[str]:
    """All alphabetic codes."""
    from pycountry import currencies

    return frozenset(str(c.alpha_3) for c in currencies)


def is_currency(code: str) -> bool:
    """Whether `code` is an ISO 4217 code."""
    return code in currency_codes()
