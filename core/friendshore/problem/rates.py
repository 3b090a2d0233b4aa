"""Exchange rates that a plan would need and no catalog of the case gives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..domain.case import Case
from ..domain.evidence import Confidence
from ..domain.facts import Offer, Price, Quote
from ..domain.terms import Terms
from ..domain.tiers import PriceSchedule
from ..domain.time import Span
from ..errors import Diagnostic
from .merged import Merged, around, exchange
from .paths import Paths


def missing_rates(merged: Merged, case: Case) -> Iterator[Diagnostic]:
    """Amounts in a currency that cannot be turned into the case's, of all offers that may be bought for what is wanted.

    Without the rate the amount is as good as unknown: an offer would silently be none, or freight be free.
    """
    offers = list(_wanted(merged, case))
    paths = Paths(merged, case)
    assumed = {one.id: one.price for one in case.assume.offer if one.price is not None}
    onboarded = {today.offer for today in case.incumbents}
    for offer in offers:
        stated = _prices(paths, offer, assumed.get(offer.id))
        for column, currency in (*stated, *_other_costs(offer, onboarded=offer.id in onboarded)):
            if _lacks(merged, case, currency):
                home = "" if column.startswith("assume") else f"catalog {offer.catalog}"
                yield no_rate(currency, case.currency, f"offer `{offer.id}`", home, column, offer.id)
    subjects: dict[str, set[str]] = {"offer": {offer.id for offer in offers}, "facility": set(), "supplier": set()}
    for offer in offers:
        for facility in around(offer.facility, merged.facilities):
            subjects["facility"].add(facility.id)
            subjects["supplier"].add(facility.supplier)
    for table, some in (("tiers", merged.schedules), ("terms", merged.terms)):
        for one in _about(some, subjects):
            if _lacks(merged, case, one.currency):
                home = _home(one, merged)
                column = "terms.fixed" if table == "terms" else "tiers.price"
                yield no_rate(one.currency, case.currency, f"{table} of {one.name}", home, column, one.id)


def no_rate(currency: str, to: str, of: str, file: str, column: str, subject: str) -> Diagnostic:
    """That an amount cannot be turned into the case's currency."""
    return Diagnostic(
        f"no exchange rate from {currency} to {to} for the {of}",
        file=file if file != "catalog " else "",
        column=column,
        found=f"`{subject}`",
        expected=f"a row for {currency} in rates.csv",
        fix=f"add the rate of {currency} to a catalog of the case, with its source, or state the amount in {to}",
    )


def _lacks(merged: Merged, case: Case, currency: str) -> bool:
    return bool(currency) and exchange(merged.rates, currency, case.currency, case.horizon.start) is None


def _wanted(merged: Merged, case: Case) -> Iterator[Offer]:
    """Offers of what the case wants, and of what goes into that, in order of their ids."""
    makers: dict[str, list[Offer]] = {}
    for offer in merged.offers.values():
        for line in offer.outputs:
            makers.setdefault(line.material, []).append(offer)
    found: dict[str, Offer] = {}
    materials = [demand.material for demand in case.demands]
    seen = set(materials)
    while materials:
        for offer in makers.get(materials.pop(), ()):
            found[offer.id] = offer
            more = {line.material for line in offer.inputs} - seen
            seen |= more
            materials += more
    return (found[name] for name in sorted(found))


def _prices(paths: Paths, offer: Offer, given: Price | None) -> Iterator[tuple[str, str]]:
    """Column and currency of the prices of an offer, as far as they count; `given`: what the case assumes in their place."""
    case, merged = paths.case, paths.merged
    price = offer.price if given is None else given
    if price is not None and price.amount is not None:
        if given is not None or _counts(merged, case, price.source):
            yield ("offers.price" if given is None else "assume.offer.id"), price.currency
    elif price is not None:
        rows = paths.rows(price.benchmark)
        yield from (("offers.benchmark", currency) for currency in sorted({row.currency for row in rows}))
    quotes = offer.quotes if given is None else ()
    held = {q.currency for q in quotes if _counts(merged, case, q.source) and _holds(q, case)}
    yield from (("quotes.price", currency) for currency in sorted(held))


def _other_costs(offer: Offer, *, onboarded: bool) -> Iterator[tuple[str, str]]:
    """Column and currency of what else it costs."""
    if offer.onboarding and not onboarded:
        yield "offers.onboarding", offer.onboarding_currency
    lanes = {lane.currency for lane in offer.lanes if lane.freight is not None}
    yield from (("lanes.freight", currency) for currency in sorted(lanes))


def _holds(quote: Quote, case: Case) -> bool:
    dates = Span(start=quote.start, end=quote.end)
    return any(dates.covers(period.span) for period in case.horizon.periods)


def _counts(merged: Merged, case: Case, source: str) -> bool:
    """Whether a price counts on its evidence; what is assumed does, and is shown so."""
    confidence = merged.confidence(source)
    return confidence.reaches(case.accept.confidence) or confidence in (Confidence.ASSUMED, Confidence.COMPUTED)


def _about(
    some: Iterable[PriceSchedule] | Iterable[Terms], subjects: dict[str, set[str]]
) -> Iterator[PriceSchedule | Terms]:
    return (one for one in some if one.id in subjects[one.of])


def _home(one: PriceSchedule | Terms, merged: Merged) -> str:
    """The catalog that a schedule or terms come from: that of their source."""
    return f"catalog {one.source.partition(':')[0]}" if one.source in merged.sources else ""
