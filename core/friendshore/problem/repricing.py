"""Changes of prices: multiplied or stated, of offers, of all that deliver a material, or of benchmarks."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import TypeVar

from ..domain.case import Case
from ..domain.change import Change
from ..domain.facts import Catalog, Offer
from ..domain.market import BenchmarkPrice, Price, Quote
from ..domain.terms import Tier
from ..errors import Diagnostic
from .change_kinds import Facts, benchmark_named, follows, reprices, unknown
from .merged import CASE_SOURCE

P = TypeVar("P", Price, Quote, BenchmarkPrice)


def reprice(change: Change, case: Case, catalogs: tuple[Catalog, ...], troubles: list[Diagnostic]) -> Facts:
    """Multiplies the prices of an offer, of all offers of a material, or of a benchmark; or states that of offers."""
    if change.amount is not None:
        return _priced(change, case, catalogs, troubles)
    factor = change.factor
    assert factor is not None
    facilities = {f.id: f for catalog in catalogs for f in catalog.facilities}
    found = False

    def repriced(offer: Offer) -> Offer:
        nonlocal found
        if not reprices(change, offer, facilities[offer.facility]) or (offer.price is None and not offer.quotes):
            return offer
        found = True
        price = offer.price
        if price is None:
            quotes = tuple(_times(quote, factor) for quote in offer.quotes)
            return offer.but(quotes=quotes)
        if price.amount is not None:
            return offer.but(price=_times(price, factor))
        return offer.but(price=price.but(premium=(1 + price.premium) * factor - 1))

    changed = []
    for catalog in catalogs:
        prices = tuple(_times(row, factor) if follows(change, row) else row for row in catalog.prices)
        found = found or any(follows(change, row) for row in catalog.prices)
        offers = tuple(map(repriced, catalog.offers))
        changed.append(catalog.but(offers=offers, prices=prices))
    hit = {
        offer.id
        for before, after in zip(catalogs, changed, strict=True)
        for offer, other in zip(before.offers, after.offers, strict=True)
        if offer is not other
    }
    changed = [_repriced_tiers(catalog, hit, factor) for catalog in changed]
    if not found:
        _unpriced(change, catalogs, troubles)
    return case, tuple(changed)


def _times(price: P, factor: Decimal) -> P:
    """A price a multiple of itself, with the range that it has."""
    figures = {"amount": price.amount, "low": price.low, "high": price.high}
    return price.but(**{name: figure * factor for name, figure in figures.items() if figure is not None})


def _priced_names(catalogs: Sequence[Catalog]) -> list[str]:
    """Names of all that has a price."""
    offers = [offer.id for catalog in catalogs for offer in catalog.offers]
    materials = [material.id for catalog in catalogs for material in catalog.materials]
    return [*offers, *materials, *(price.id for catalog in catalogs for price in catalog.prices)]


def _unpriced(change: Change, catalogs: Sequence[Catalog], troubles: list[Diagnostic]) -> None:
    """Notes a price that is none: by its name, or by the day of a benchmark that has others."""
    days = [str(row.date) for catalog in catalogs for row in catalog.prices if row.id == benchmark_named(change)]
    if change.date is None or not days:
        what = "an offer, a material or a benchmark" if change.date is None else "a benchmark"
        unknown(change, change.price, what, troubles, _priced_names(catalogs))
        return
    message = f"the benchmark `{benchmark_named(change)}` has no price of that day"
    troubles.append(Diagnostic(message, column="date", found=str(change.date), expected="one of " + ", ".join(days)))


def _priced(change: Change, case: Case, catalogs: tuple[Catalog, ...], troubles: list[Diagnostic]) -> Facts:
    """States the price of offers, in place of what they quote, or of a benchmark."""
    facilities = {f.id: f for catalog in catalogs for f in catalog.facilities}
    hit = {o.id for catalog in catalogs for o in catalog.offers if reprices(change, o, facilities[o.facility])}
    if not hit and not any(follows(change, row) for catalog in catalogs for row in catalog.prices):
        _unpriced(change, catalogs, troubles)
    currency = change.currency or case.currency
    price = Price(amount=change.amount, currency=currency, source=CASE_SOURCE)

    def stated(offer: Offer) -> Offer:
        return offer.but(price=price, quotes=()) if offer.id in hit else offer

    def followed(row: BenchmarkPrice) -> BenchmarkPrice:
        if not follows(change, row):
            return row
        return row.but(amount=change.amount, low=None, high=None, currency=currency, source=CASE_SOURCE)

    return case, tuple(
        c.but(offers=tuple(map(stated, c.offers)), prices=tuple(map(followed, c.prices))) for c in catalogs
    )


def _repriced_tiers(catalog: Catalog, offers: Collection[str], factor: Decimal) -> Catalog:
    """A catalog in which the prices of some offers' own tiers are multiplied; discounts follow the list price of themselves."""

    def repriced(tier: Tier) -> Tier:
        return tier if tier.price is None else tier.but(price=tier.price * factor)

    schedules = tuple(
        schedule.but(tiers=tuple(map(repriced, schedule.tiers)))
        if schedule.of == "offer" and schedule.id in offers
        else schedule
        for schedule in catalog.schedules
    )
    return catalog.but(schedules=schedules)
