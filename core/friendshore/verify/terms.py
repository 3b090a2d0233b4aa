"""Are orders what their offers and terms of trade ask for? Whole lots, quantities over spans, what is due at once or untaken."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from ..problem.trade import Commitment, TermSpan
from .ledger import PlanEntries

_DIGITS = Decimal("1e-13")
"""Part of a number that its 15 digits leave open."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Terms of trade over a span in which something is ordered under them."""

    span: TermSpan
    position: int
    """Of the span among all."""
    units: Decimal
    """What is ordered."""
    pieces: int
    """Rounded numbers that it is the sum of."""


def placed_orders(ledger: PlanEntries) -> list[Placed]:
    """Every span of terms in which something is ordered under them, in canonical order."""
    spans: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for position, span in enumerate(ledger.problem.term_spans):
        for offer in span.offers:
            for t in span.periods:
                spans[offer, t].append(position)
    if not spans:
        return []
    units: defaultdict[int, Decimal] = defaultdict(Decimal)
    pieces: defaultdict[int, int] = defaultdict(int)
    for offer, t, place, quantity, roundings in ledger.ordered():
        for position in spans.get((offer, t), ()):
            if place is None or ledger.problem.term_spans[position].goes(place):
                units[position] += quantity
                pieces[position] += roundings
    return [
        Placed(ledger.problem.term_spans[position], position, units[position], pieces[position])
        for position in sorted(units)
        if units[position] > 0
    ]


@dataclass(frozen=True, slots=True)
class Untaken:
    """What is paid for and not taken of an offer in a year."""

    commitment: Commitment
    position: int
    """Of the commitment among all."""
    units: Decimal
    pieces: int
    """Rounded numbers that it follows from."""

    @property
    def due(self) -> Decimal:
        """Undiscounted money."""
        return self.units * self.commitment.rate


def untaken_quantities(ledger: PlanEntries) -> list[Untaken]:
    """Every year of take-or-pay in which less is taken than is paid for, of offers that are used, in canonical order."""
    units = ledger.units() if ledger.problem.commitments else {}
    used = {offer for (offer, _), amount in units.items() if amount > 0}
    found = []
    for position, commitment in enumerate(ledger.problem.commitments):
        cells = [(commitment.offer, t) for t in commitment.periods]
        left = commitment.quantity - sum((units.get(cell, Decimal(0)) for cell in cells), Decimal(0))
        if commitment.offer in used and left > 0:
            found.append(Untaken(commitment, position, left, sum(ledger.pieces(*cell) for cell in cells)))
    return found


def check_terms(ledger: PlanEntries, placed: list[Placed]) -> None:
    """No less and no more than terms of trade ask for; every order in whole lots."""
    for found in placed:
        terms = found.span.terms
        if terms.least is not None:
            by = terms.least - found.units
            ledger.miss(by, found.pieces, f"less is ordered under the terms of {found.span} than they ask for")
        if terms.most is not None:
            by = found.units - terms.most
            ledger.miss(by, found.pieces, f"more is ordered under the terms of {found.span} than they allow")
    lots_of = {i: facts.offer.lot for i, facts in enumerate(ledger.problem.offers) if facts.offer.lot is not None}
    for (offer, t), units in sorted(ledger.units().items()) if lots_of else ():
        if offer not in lots_of:
            continue
        facts, lot = ledger.problem.offers[offer].offer, lots_of[offer]
        lots = (units / lot).to_integral_value()
        label = ledger.problem.case.horizon.label(t)
        if abs(units - lots * lot) > _DIGITS * units:
            ledger.find(
                f"what is ordered from `{facts.id}` in {label} is no whole number of lots",
                found=f"{units.normalize():f} kg",
                expected=f"a multiple of {lot.normalize():f} kg",
            )
        if facts.max_lots is not None and lots > facts.max_lots:
            ledger.find(
                f"more lots are ordered from `{facts.id}` in {label} than it offers",
                found=f"{lots}",
                expected=f"at most {facts.max_lots}",
            )
