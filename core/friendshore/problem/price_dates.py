"""Of which day every price and freight is at which offers of a problem may be bought."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from ..domain.market import Price, Quote
from ..domain.time import Period, Span
from ..domain.used import PriceDate
from .merged import CASE_SOURCE, Merged, rate_on
from .network import Arc, lane_on, lanes_to
from .offers import OfferFacts
from .problem import Problem
from .rates import Paths


class PriceDates:
    """Looks up the days of prices and freights of a problem's offers, period by period."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._paths = Paths(problem.merged, problem.case)

    def all(self) -> list[PriceDate]:
        """Of all offers that may serve a demand, directly or as an input, in the periods in which they may be ordered; in order of their names."""
        problem, found = self._problem, set[PriceDate]()
        periods = problem.case.horizon.periods
        for arc in problem.network.arcs:
            if arc.offer < 0:
                continue
            for period, most in zip(periods, problem.offers[arc.offer].most, strict=True):
                if most != 0 and arc.arrival(period.index) < len(periods):
                    found.update(self.of(arc, period.index, arc.arrival(period.index)))
        return sorted(found, key=PriceDate.order)

    def of(self, arc: Arc, ordered: int, delivered: int) -> Iterator[PriceDate]:
        """Of what comes over an arc, ordered and delivered in two periods: its price, and its freight if it has one."""
        facts, periods = self._problem.offers[arc.offer], self._problem.case.horizon.periods
        material = facts.offer.outputs[arc.output].material
        yield from self._price(facts, material, periods[ordered])
        lane = lane_on(lanes_to(facts.offer, arc.move.to.id), periods[delivered].start)
        if lane is not None and lane.freight is not None:
            yield from self._dated(
                PriceDate(
                    offer=facts.offer.id,
                    material=material,
                    of="freight",
                    given_by=lane.source,
                    amount=lane.freight,
                    currency=lane.currency or self._problem.case.currency,
                    day=_day(self._problem.merged, lane.source),
                ),
                self._problem.case.horizon.start,
            )

    def _price(self, facts: OfferFacts, material: str, period: Period) -> Iterator[PriceDate]:
        offer, price = facts.offer, facts.offer.price
        named = {"offer": offer.id, "material": material, "of": "price"}
        stated: Price | Quote | None = price
        if offer.quotes:
            held = [one for one in offer.quotes if Span(start=one.start, end=one.end).covers(period.span)]
            stated = held[0] if held and held[0].end is None else None
        elif price is not None and price.benchmark:
            row = self._paths.rows(price.benchmark)[period.index]
            given = {
                "given_by": price.benchmark if row.source != CASE_SOURCE else CASE_SOURCE,
                "day": self._known(row.date, row.source),
            }
            found = PriceDate.model_validate({**named, **given, "amount": row.amount, "currency": row.currency})
            yield from self._dated(found, period.start)
            return
        if stated is not None and stated.amount is not None:
            given = {"given_by": stated.source, "day": _day(self._problem.merged, stated.source)}
            found = PriceDate.model_validate({**named, **given, "amount": stated.amount, "currency": stated.currency})
            yield from self._dated(found, period.start)

    def _dated(self, found: PriceDate, day: date) -> Iterator[PriceDate]:
        """A price with the day of its exchange rate; nothing where the case states it."""
        if found.given_by == CASE_SOURCE:
            return
        case = self._problem.case
        if found.currency == case.currency:
            yield found
            return
        rate = rate_on(self._problem.merged.rates, found.currency, case.currency, day)
        yield found if rate is None else found.but(exchanged=self._known(rate.start, rate.source))

    def _known(self, day: date | None, source: str) -> date | None:
        """The day of a row of a series: a forecast is as old as its source, not of the day that it is about."""
        known = _day(self._problem.merged, source)
        return min(day, known) if day and known else day


def _day(merged: Merged, source: str) -> date | None:
    """The day of the facts of a source."""
    return merged.sources[source].date if source in merged.sources else None
