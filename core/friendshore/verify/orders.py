"""Orders: whole lots, quantities over spans, what terms of trade make due at once or untaken; and what price schedules take off, in decimals."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from ..domain.base import grouped
from ..domain.terms import Tier
from ..problem.schedules import PriceSpan
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


@dataclass(frozen=True, slots=True)
class Settled:
    """A price schedule over a span in which something is bought under it."""

    span: PriceSpan
    position: int
    """Of the span among all."""
    measured: Decimal
    """What comes together: units, or undiscounted money at list prices."""
    tier: int
    """The tier it is in."""
    at_list: Decimal
    """Undiscounted money at list prices."""
    off: Decimal
    """Undiscounted money taken off, less what is due at once; negative: added."""
    rate: Decimal
    """Most that any tier takes off one unit, or adds to it."""
    pieces: int
    """Rounded numbers that it is the sum of."""


def settle(ledger: PlanEntries) -> list[Settled]:
    """Every span in which something is bought under a schedule, in canonical order; what rounding misses goes to the ledger."""
    problem = ledger.problem
    units = ledger.units() if problem.price_spans else {}
    by_offer = grouped(sorted(units))
    found = []
    for position, span in enumerate(problem.price_spans):
        bought = [
            _Part(problem.offers[o].price[t], units[o, t], ledger.pieces(o, t))
            for o in span.offers
            for t in by_offer.get(o, ())
            if t in span.periods and units[o, t]
        ]
        measured = sum((span.weight(part.price) * part.units for part in bought), Decimal(0))
        if measured > 0:
            slack = problem.case.resolution / 2 * sum((span.weight(p.price) * p.pieces for p in bought), Decimal(0))
            one = _settled(span, position, measured, bought, slack)
            found.append(one)
            least, most = span.tiers[one.tier].least, span.tiers[one.tier].most
            beyond = Decimal(0) if most is None else measured - most
            more = f"what is bought under {span} is more than its tier ends at, and less than the next begins at"
            if not span.by_money:
                ledger.miss(least - measured, one.pieces, f"less than a tier of {span} begins at is bought")
                ledger.miss(beyond, 2 * one.pieces, more)
            elif beyond > 2 * slack:
                ledger.find(more, found=f"{measured.normalize():f} {problem.case.currency}")
    return found


@dataclass(frozen=True, slots=True)
class _Part:
    """What is bought of an offer in a period."""

    price: Decimal
    """List price."""
    units: Decimal
    pieces: int
    """Rounded numbers that `units` is the sum of."""


def _settled(span: PriceSpan, position: int, measured: Decimal, bought: list[_Part], slack: Decimal) -> Settled:
    """The tier reached; where only rounding keeps the sum from the next, that one if it is cheaper, or if the sum is beyond its own.

    Beyond its end a sum may be by twice as much, since orders are rounded up to where a tier begins.

    A sum may miss a row by half a resolution for each number in it, here as everywhere. It is never the other way round: what
    comes to the beginning of a dearer tier is in it.
    """
    tiers = span.tiers
    reached = max(k for k, tier in enumerate(tiers) if tier.least <= measured)
    tier, off = reached, _off(span, reached, measured, bought)
    if reached + 1 < len(tiers):
        above, most = _off(span, reached + 1, measured, bought), tiers[reached].most
        in_gap = most is not None and measured - most > 2 * slack
        if tiers[reached + 1].least - measured <= slack and (in_gap or above > off):
            tier, off = reached + 1, above
    return Settled(
        span=span,
        position=position,
        measured=measured,
        tier=tier,
        at_list=sum((part.price * part.units for part in bought), Decimal(0)),
        off=off,
        rate=max(abs(span.rate(t, part.price)) for t in tiers for part in bought),
        pieces=sum(part.pieces for part in bought),
    )


def _off(span: PriceSpan, reached: int, measured: Decimal, bought: list[_Part]) -> Decimal:
    """Money that a span takes off if it ends in a tier."""
    tiers, lump = span.tiers, span.tiers[reached].lump
    if span.all_units:
        return sum((span.rate(tiers[reached], part.price) * part.units for part in bought), Decimal(0)) - lump
    off = -lump
    priced = all(tier.price is not None for tier in tiers)
    if priced:
        off += sum((part.price * part.units for part in bought), Decimal(0))
    for k in range(reached + 1):
        end = tiers[k + 1].least if k < reached else measured
        within = end - tiers[k].least
        off += _incremental_rate(span, tiers[k], bought, priced=priced) * within
    return off


def _incremental_rate(span: PriceSpan, tier: Tier, bought: list[_Part], *, priced: bool) -> Decimal:
    """Money that a tier takes off one unit of what is measured within it; where tiers give prices, list money apart."""
    if priced:
        return -(tier.price or Decimal(0))
    if span.by_money:
        return tier.discount or Decimal(0)
    return span.rate(tier, bought[0].price)  # one list price for all: the problem has seen to that
