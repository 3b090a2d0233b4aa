"""What the figures of an offer rest on."""

from __future__ import annotations

from ..domain.evidence import Confidence
from ..domain.facts import Facility, Offer
from ..domain.use import Chained
from ..problem import Problem
from ..problem.capacity import accepted_steps
from ..problem.merged import Merged


def least_confidence(problem: Problem, chained: Chained) -> Confidence:
    """The least confidence among the evidence of an offer's capacity, price and chain."""
    steps = accepted_steps(chained.facility, problem.merged, problem.case)
    sources = [step.source for step in steps] + _figures(problem.merged, chained.offer)
    return min((problem.merged.confidence(s) for s in sources), key=lambda c: c.rank, default=Confidence.ASSUMED)


def references(merged: Merged, offer: Offer, facility: Facility) -> list[str]:
    """Where the figures of an offer were read, each once: title, address or document."""
    sources = [step.source for step in facility.capacity] + _figures(merged, offer)
    return list(dict.fromkeys(merged.sources[name].reference for name in sources if name in merged.sources))


def _figures(merged: Merged, offer: Offer) -> list[str]:
    """Sources of an offer's chain, quantity and price."""
    sources = [entry.source for entry in offer.chain]
    if offer.max_per_year is not None or offer.total is not None:
        sources.append(offer.source)
    sources += [quote.source for quote in offer.quotes]
    if offer.price is not None and offer.price.amount is not None:
        sources.append(offer.price.source)
    elif offer.price is not None:
        sources += [row.source for row in merged.prices.get(offer.price.benchmark, ())][-1:]
    return sources
