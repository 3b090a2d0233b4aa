"""Price schedules as the case sees them: which offers and periods each adds up, in the case's currency; and whose orders a schedule or terms of trade are about."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from ..domain.base import exact, grouped
from ..domain.case import Case
from ..domain.evidence import Confidence
from ..domain.facts import Facility, Offer
from ..domain.quantities import readable
from ..domain.terms import SPANS, Bearing, PriceSchedule, Tier, TierKind, bears_too, overlapping
from ..domain.time import Span, stretches
from ..errors import Diagnostic, InputError
from .merged import Merged, around, exchange, rate_wanting
from .offers import Assumption, OfferFacts

Subject = tuple[str, str]
"""`offer`, `facility` or `supplier`, and which."""


def subjects_of(offer: Offer, facilities: Mapping[str, Facility]) -> list[Subject]:
    """What may bear on an offer: what is said of itself, its supplier, its facility, and those around that."""
    sites = around(offer.facility, facilities)
    return [("offer", offer.id), ("supplier", sites[0].supplier), *(("facility", site.id) for site in sites)]


def covers(bearing: Bearing, offer: Offer, facilities: Mapping[str, Facility]) -> bool:
    """Whether something is about what is bought from an offer: with several outputs, only if it is about all of them."""
    meant = not bearing.materials or all(line.material in bearing.materials for line in offer.outputs)
    return meant and (bearing.of, bearing.id) in subjects_of(offer, facilities)


class Sellers:
    """The offers that can reach a demand, by what may bear on them."""

    def __init__(self, merged: Merged, counted: Sequence[OfferFacts], reached: Collection[int]) -> None:
        self.facilities = merged.facilities
        self.counted = counted
        self.reached = reached

    @cached_property
    def _found(self) -> dict[Subject, list[int]]:
        offers = ((i, self.counted[i].offer) for i in sorted(self.reached))
        return grouped((subject, i) for i, offer in offers for subject in subjects_of(offer, self.facilities))

    def under(self, bearing: Bearing) -> tuple[int, ...]:
        """Positions of those that something is about."""
        candidates = self._found.get((bearing.of, bearing.id), ())
        return tuple(i for i in candidates if covers(bearing, self.counted[i].offer, self.facilities))


@dataclass(frozen=True, slots=True)
class PriceSpan:
    """A price schedule over one span: what is bought in it decides the tier, and is settled in its last period."""

    schedule: PriceSchedule
    label: str
    """The span: a period, a calendar year, or `horizon`."""
    offers: tuple[int, ...]
    """Offers that are added up."""
    periods: tuple[int, ...]
    """Order periods that are added up."""
    tiers: tuple[Tier, ...]
    """The tiers in the case's currency; and whose orders a schedule or terms of trade are about."""

    @property
    def settled(self) -> int:
        """Period in which the difference to list prices is settled."""
        return self.periods[-1]

    @property
    def by_money(self) -> bool:
        """Whether money is added up, not units."""
        return self.schedule.measure == "money"

    @property
    def all_units(self) -> bool:
        """Whether the tier reached bears on everything."""
        return self.schedule.kind is TierKind.ALL_UNITS

    def __str__(self) -> str:
        return f"{self.schedule.name} in {self.label}"

    def weight(self, list_price: Decimal) -> Decimal:
        """What one unit counts for in what is added up."""
        return list_price if self.by_money else Decimal(1)

    @staticmethod
    def rate(tier: Tier, list_price: Decimal) -> Decimal:
        """Money that a tier takes off one unit of a list price; negative: adds to it."""
        if tier.price is not None:
            return list_price - tier.price
        return (tier.discount or Decimal(0)) * list_price

    @property
    def jumps(self) -> bool:
        """Whether a tier may have to be reached, or reaching it may lower the whole bill, so that it may pay to buy more than is needed."""
        return self.all_units or any(tier.lump or tier.most is not None for tier in self.tiers)

    def reach(self, list_price: Decimal) -> Decimal:
        """Most units, at a list price, that may be bought to reach the last tier, needed or not."""
        weight = self.weight(list_price)
        return self.tiers[-1].least / weight if self.jumps and weight else Decimal(0)


def resolve_schedules(
    merged: Merged, case: Case, counted: Sequence[OfferFacts], sellers: Sellers
) -> tuple[tuple[PriceSpan, ...], list[Assumption]]:
    """Every schedule over every span in which something that counts may be ordered under it.

    Raises:
        InputError: if two schedules of one thing overlap, a discount has no one price to be taken off, discounts come to more
            than the price, or a currency has no rate.
    """
    troubles = list(_overlapping(merged.schedules))
    assumptions: list[Assumption] = []
    spans: list[PriceSpan] = []
    for schedule in merged.schedules:
        about = sellers.under(schedule)
        if not about:
            continue
        found = list(_spans(schedule, about, merged, case, troubles))
        confidence = merged.confidence(schedule.source)
        accepted = confidence.reaches(case.accept.confidence)
        counts = accepted or confidence in (Confidence.ASSUMED, Confidence.COMPUTED) or not _takes_off(found, counted)
        if not accepted or confidence is Confidence.ASSUMED:
            text = f"price schedule of {schedule.name} ({schedule.kind}, {SPANS[schedule.per]}) is {confidence.value}"
            text += "" if counts else " and does not count: list prices do"
            assumptions += [Assumption(counted[i].offer.id, text) for i in about]
        if not counts:
            continue
        spans += found
    for span in spans:
        troubles += _without_price(span, counted)
    troubles += _more_than_the_price(spans, counted, case)
    if troubles:
        raise InputError(list(dict.fromkeys(troubles)))
    return tuple(spans), assumptions


def _spans(
    schedule: PriceSchedule, offers: tuple[int, ...], merged: Merged, case: Case, troubles: list[Diagnostic]
) -> Iterator[PriceSpan]:
    dates = Span(start=schedule.start, end=schedule.end)
    periods = [period for period in case.horizon.periods if dates.covers(period.span)]
    for label, indices in stretches(periods, schedule.per):
        currency = schedule.currency or case.currency
        day = case.horizon.periods[indices[-1]].start
        rate = exchange(merged.rates, currency, case.currency, day)
        if rate is None:
            troubles.append(rate_wanting(currency, case, f"the price schedule of {schedule.name}", "tiers.price"))
            return
        tiers = tuple(_in_case_currency(tier, rate, schedule) for tier in schedule.tiers)
        yield PriceSpan(schedule, label, offers, indices, tiers)


def _in_case_currency(tier: Tier, rate: Decimal, schedule: PriceSchedule) -> Tier:
    money: dict[str, Decimal | None] = {"lump": exact(tier.lump * rate)}
    if schedule.measure == "money":
        money |= {"least": exact(tier.least * rate), "most": None if tier.most is None else exact(tier.most * rate)}
    if tier.price is not None:
        money["price"] = exact(tier.price * rate)
    return tier.but(**money)


def _takes_off(spans: Sequence[PriceSpan], counted: Sequence[OfferFacts]) -> bool:
    """Whether some tier is cheaper than the list price: what makes things dearer counts on any evidence."""
    return any(
        span.rate(tier, counted[i].price[t]) > 0
        for span in spans
        for tier in span.tiers
        for i in span.offers
        for t in span.periods
    )


def _overlapping(schedules: Sequence[PriceSchedule]) -> Iterator[Diagnostic]:
    """Schedules that catalogs by themselves do not see side by side."""
    for _, position in overlapping(schedules):
        fault = bears_too(schedules[position])
        yield Diagnostic(fault.message, column="tiers.id", expected=fault.expected, fix=fault.fix)


def _ordered_at(facts: OfferFacts, periods: Iterable[int]) -> list[Decimal]:
    """List prices of an offer in those periods in which it may be ordered."""
    return [facts.price[t] for t in periods if facts.most[t] != 0]


def _without_price(span: PriceSpan, counted: Sequence[OfferFacts]) -> Iterator[Diagnostic]:
    """A discount on units of a tier must know which price it is taken off."""
    if span.all_units or span.by_money or all(tier.price is not None for tier in span.tiers):
        return
    prices = sorted({price for i in span.offers for price in _ordered_at(counted[i], span.periods)})
    if len(prices) > 1:
        yield Diagnostic(
            f"the incremental discount of {span} is off several list prices: which of the units lie in which tier?",
            column="tiers.discount",
            found=f"{readable(prices[0])} to {readable(prices[-1])} a unit",
            expected="one list price for all that is added up",
            fix="give thresholds in money, a price for each tier, or kind all-units",
        )


def _more_than_the_price(spans: Sequence[PriceSpan], counted: Sequence[OfferFacts], case: Case) -> Iterator[Diagnostic]:
    """All discounts together leave something to pay: else a plan would buy for the discount's sake."""
    bearing = grouped((offer, span) for span in spans for offer in span.offers)
    for offer, found in bearing.items():
        for t, price in enumerate(counted[offer].price):
            here = [span for span in found if t in span.periods]
            most = sum((max(span.rate(tier, price) for tier in span.tiers) for span in here), Decimal(0))
            if len(here) > 1 and most > price:
                yield Diagnostic(
                    f"the discounts on offer `{counted[offer].offer.id}` come to more than its price",
                    column="tiers.discount",
                    found=f"up to {readable(most)} off {readable(price)} in {case.horizon.label(t)}",
                    fix="each discount is off the list price: check "
                    + " and ".join(sorted({span.schedule.name for span in here})),
                )
                break
