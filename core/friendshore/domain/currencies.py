"""Currencies by ISO 4217 code; the list is pycountry's, imported when the first currency is read."""

from __future__ import annotations

from functools import cache

COMMON = ("USD", "EUR", "GBP", "JPY", "CNY", "AUD", "CAD", "CHF", "INR", "KRW", "KZT", "MYR", "SEK", "VND", "ZAR")
"""Currencies in which metals are mostly priced: what a mistyped code is likely to mean."""


@cache
def currency_codes() -> frozenset[str]:
    """All alphabetic codes."""
    from pycountry import currencies

    return frozenset(str(c.alpha_3) for c in currencies)


def is_currency(code: str) -> bool:
    """Whether `code` is an ISO 4217 code."""
    return code in currency_codes()
