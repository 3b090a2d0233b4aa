"""What bears on orders beyond a price for each unit: capacity, price schedules, terms of trade and take-or-pay, as the case sees them.

Take-or-pay is what is due on what is not taken of an offer that is used, year by year.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from ..domain.base import as_decimal, exact, grouped
from ..domain.case import Case
from ..domain.evidence import Confidence
from ..domain.facts import paid_without_end
from ..domain.quantities import readable
from ..domain.terms import SPANS, Terms
from ..domain.time import Span, stretches
from ..errors import Diagnostic, InputError
from .capacity import Capacities, Pool
from .merged import Merged, around, exchange, rate_wanting
from .moves import Moves
from .network import Network
from .offers import Assumption, OfferFacts
from .schedules import PriceSpan, Sellers, resolve_schedules


@dataclass(frozen=True, slots=True)
class TermSpan:
    """Terms of trade over one span: they hold on all that is ordered in it."""

    terms: Terms
    label: str
    """The span: a period, a calendar year, or `horizon`."""
    offers: tuple[int, ...]
    """Offers that are added up."""
    periods: tuple[int, ...]
    """Order periods that are added up."""
    fixed: Decimal
    """Money due if anything is ordered, in the case's currency."""
    pools: tuple[int, ...] = ()
    """Pools of capacity that a set-up takes from."""

    @property
    def due(self) -> int:
        """Period in which the fixed money is due."""
        return self.periods[0]

    def goes(self, place: str) -> bool:
        """Whether what is delivered to a place is meant."""
        return not self.terms.places or place in self.terms.places

    def __str__(self) -> str:
        return f"{self.terms.name} in {self.label}"


def resolve_terms(
    merged: Merged, case: Case, counted: Sequence[OfferFacts], sellers: Sellers, pools: Sequence[Pool]
) -> tuple[tuple[TermSpan, ...], list[Assumption]]:
    """All terms over every span in which something that counts may be ordered under them.

    They count on any evidence: they only ever ask for more.

    Raises:
        InputError: if a currency has no rate, or runs of several outputs would have to be told apart by place.
    """
    troubles: list[Diagnostic] = []
    assumptions: list[Assumption] = []
    spans: list[TermSpan] = []
    for terms in merged.terms:
        about = sellers.under(terms)
        if not about:
            continue
        troubles += _without_place(terms, about, counted)
        spans += _spans(terms, about, _drawn_on(terms, about, merged, pools), merged, case, troubles)
        confidence = merged.confidence(terms.source)
        if confidence is Confidence.ASSUMED or not confidence.reaches(case.accept.confidence):
            text = f"terms of {terms.name} ({SPANS[terms.per]}) are {confidence.value}"
            assumptions += [Assumption(counted[i].offer.id, text) for i in about]
    if troubles:
        raise InputError(list(dict.fromkeys(troubles)))
    return tuple(spans), assumptions


def _spans(
    terms: Terms,
    offers: tuple[int, ...],
    pools: tuple[int, ...],
    merged: Merged,
    case: Case,
    troubles: list[Diagnostic],
) -> Iterator[TermSpan]:
    dates = Span(start=terms.start, end=terms.end)
    periods = [period for period in case.horizon.periods if dates.meets(period.span)]
    for label, indices in stretches(periods, terms.per):
        currency = terms.currency or case.currency
        rate = exchange(merged.rates, currency, case.currency, case.horizon.periods[indices[0]].start)
        if rate is None:
            troubles.append(rate_wanting(currency, case, f"the terms of {terms.name}", "terms.fixed"))
            return
        yield TermSpan(terms, label, offers, indices, exact((terms.fixed or Decimal(0)) * rate), pools)


def _drawn_on(terms: Terms, about: Sequence[int], merged: Merged, pools: Sequence[Pool]) -> tuple[int, ...]:
    """Pools that a set-up takes from: of the facility that is set up, and of those whose capacity it shares."""
    if not terms.setup_use:
        return ()
    name = merged.offers[terms.id].facility if terms.of == "offer" else terms.id
    sites = {site.id for site in around(name, merged.facilities)}
    return tuple(i for i, pool in enumerate(pools) if pool.facility in sites and set(pool.offers) & set(about))


def _without_place(terms: Terms, about: Sequence[int], counted: Sequence[OfferFacts]) -> Iterator[Diagnostic]:
    for offer in about:
        if terms.places and not counted[offer].single:
            yield Diagnostic(
                f"terms of {terms.name} are about some places, but `{counted[offer].offer.id}` makes several goods in one run: "
                "for which place is a run?",
                column="terms.places",
                expected="no places, or offers with one output each",
                fix="leave `places` blank, or name the materials of other offers",
            )


@dataclass(frozen=True, slots=True)
class Commitment:
    """What an offer, if it is used at all, is paid for in a year, taken or not."""

    offer: int
    label: str
    """The calendar year."""
    periods: tuple[int, ...]
    """Order periods of the year in which it may be ordered."""
    quantity: Decimal
    """Units paid for, whatever is taken."""
    rate: Decimal
    """Money due on a unit that is not taken, in the case's currency."""

    @property
    def due(self) -> int:
        """Period in which what is not taken is paid."""
        return self.periods[-1]


def resolve_commitments(
    case: Case, counted: Sequence[OfferFacts], network: Network, moves: Moves
) -> tuple[Commitment, ...]:
    """Every year of every offer with take-or-pay, over the periods in which an order can be placed and still arrives."""
    binding = {index for index, facts in enumerate(counted) if facts.offer.take_or_pay}
    found = []
    for index, open_in in sorted(_open_periods(binding, network, moves).items()):
        facts = counted[index]
        periods = [period for period in case.horizon.periods if period.index in open_in]
        for label, indices in stretches(periods, "year"):
            years = sum((case.horizon.periods[t].years for t in indices), Fraction(0))
            quantity = as_decimal(Fraction(facts.offer.take_or_pay or 0) * years)
            rate = exact(facts.offer.take_or_pay_share * facts.price[indices[-1]])
            if quantity and rate:
                found.append(Commitment(index, label, indices, quantity, rate))
    return tuple(found)


def _open_periods(offers: Collection[int], network: Network, moves: Moves) -> dict[int, set[int]]:
    """Periods in which some offers have a move."""
    found: dict[int, set[int]] = {}
    for arc in network.arcs if offers else ():
        if arc.offer in offers:
            ordered = moves.ordered[moves.first[arc.index] : moves.first[arc.index + 1]]
            found.setdefault(arc.offer, set()).update(ordered.tolist())
    return found


@dataclass(frozen=True, slots=True)
class Trade:
    """All that bears on the orders of offers that can reach a demand."""

    pools: tuple[Pool, ...]
    price_spans: tuple[PriceSpan, ...]
    """Price schedules, one entry a span."""
    term_spans: tuple[TermSpan, ...]
    """Terms of trade, one entry a span."""
    commitments: tuple[Commitment, ...]
    """Take-or-pay, one entry a year of an offer."""


def resolve_trade(
    merged: Merged,
    case: Case,
    counted: Sequence[OfferFacts],
    network: Network,
    moves: Moves,
    capacities: Capacities,
) -> tuple[Trade, list[Assumption]]:
    """All of it in the case's currency, with what is assumed.

    Raises:
        InputError: for terms that contradict each other, leave something open, or name a currency without a rate.
    """
    reached = sorted({arc.offer for arc in network.arcs if arc.offer >= 0})
    pools = _pools(capacities, counted, reached)
    sellers = Sellers(merged, counted, reached)
    price_spans, assumed = resolve_schedules(merged, case, counted, sellers)
    term_spans, also_assumed = resolve_terms(merged, case, counted, sellers, pools)
    commitments = resolve_commitments(case, counted, network, moves)
    bound = {offer for span in price_spans for offer in span.offers}
    paid = [i for i in reached if counted[i].offer.paid]
    wrong = [trouble for i in paid for trouble in _paid_for(counted[i], i in bound, case)]
    if wrong:
        raise InputError(wrong)
    return Trade(pools, price_spans, term_spans, commitments), assumed + also_assumed


def _paid_for(facts: OfferFacts, scheduled: bool, case: Case) -> Iterator[Diagnostic]:
    """What keeps an offer from a price below zero that a case or a change gives it, or that the price list of others bears on."""
    below = facts.paid_periods
    if not below:
        return
    name, found = facts.offer.id, f"{readable(facts.price[below[0]])} {case.currency} in {case.horizon.label(below[0])}"
    for fault in paid_without_end(dict(facts.offer), facts.offer.prices):
        column = f"offers.{fault.field}"
        yield Diagnostic(f"`{name}`: {fault.message}", "", None, column, found, fault.expected, fault.fix)
    if scheduled:
        yield Diagnostic(
            f"a price schedule bears on `{name}`, whose price is below zero: a share of that is no discount",
            column="tiers.id",
            found=found,
            expected="prices of zero or more",
            fix="leave the offer out of the schedule, by `materials` for instance",
        )


def _pools(capacities: Capacities, counted: Sequence[OfferFacts], reached: Sequence[int]) -> tuple[Pool, ...]:
    users = grouped((name, index) for index in reached for name in counted[index].pools)
    return tuple(Pool(name, capacities.of(name), tuple(users[name])) for name in sorted(users))
