"""What of the money that a plan spends is spent on which demand, by the year of the order.

Money follows the kilograms: what is paid for a material at a place, for one compliance class, goes in equal shares a kilogram to all that is taken out of it
over the plan: deliveries, inputs of what is made of it, and what is left in stock. What is made of inputs carries their money on. What belongs to no
purchase (onboarding, discounts settled over a span, take-or-pay, holding) is shared out to nobody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from ..verify import Line, VerifiedPlan

Money: TypeAlias = dict[Any, Fraction]
"""Year of the order, or another label of purchases -> undiscounted money."""
Pool: TypeAlias = tuple[str, str, str]
"""Material, place and compliance class."""
LEFT = ""
"""What is in stock at the end, in the place of a demand."""


@dataclass(frozen=True, slots=True)
class Spending:
    """The money of a plan."""

    by_demand: Mapping[str, Money]
    left: Money
    """On what is still in stock at the end."""
    others: Fraction
    """What belongs to no purchase."""


@dataclass(slots=True)
class _Flows:
    """What goes into and out of every pool."""

    paid: dict[Pool, Money] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Fraction)))
    taken: dict[Pool, dict[str, Fraction]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Fraction)))
    """Pool -> demand -> kilograms."""
    drawn: dict[Pool, dict[str, Fraction]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Fraction)))
    """Pool -> what takes it as an input -> kilograms."""
    made: dict[str, dict[Pool, Fraction]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Fraction)))
    """What takes inputs -> pool of what is made -> kilograms."""
    left: dict[Pool, Fraction] = field(default_factory=lambda: defaultdict(Fraction))


def spending(verified: VerifiedPlan, by: Callable[[int, Line], Hashable] | None = None) -> Spending:
    """Return the money by demand.

    Args:
        verified: The plan.
        by: Label of a purchase, by its position in `verified.lines` and the purchase. None means the year of its order.
    """
    flows = _flows(verified, by or (lambda _, line: _year(verified, line)))
    at_ends = _followed(dict(flows.paid), _shares(flows))
    left = at_ends.pop(LEFT, {})
    shared = sum((sum(money.values()) for money in (*at_ends.values(), left)), Fraction(0))
    return Spending(at_ends, left, Fraction(verified.cost.nominal) - shared)


def _shares(flows: _Flows) -> dict[Pool, dict[Pool | str, Fraction]]:
    """Pool -> where its kilograms go, another pool, a demand or `LEFT` -> share."""
    shares: dict[Pool, dict[Pool | str, Fraction]] = {}
    for pool in sorted({*flows.paid, *flows.taken, *flows.drawn, *flows.left}):
        goes: dict[Pool | str, Fraction] = defaultdict(Fraction)
        for demand, kilograms in flows.taken[pool].items():
            goes[demand] += kilograms
        for taker, kilograms in flows.drawn[pool].items():
            made = flows.made[taker]
            whole = sum(made.values())
            for target, part in made.items() if whole else [(LEFT, Fraction(1))]:
                goes[target] += kilograms * part / (whole or 1)
        goes[LEFT] += flows.left[pool]
        out = sum(goes.values())
        shares[pool] = (
            {target: kilograms / out for target, kilograms in goes.items() if kilograms} if out else {LEFT: Fraction(1)}
        )
    return shares


def _followed(paid: dict[Pool, Money], shares: dict[Pool, dict[Pool | str, Fraction]]) -> dict[str, Money]:
    """The money where it ends: pools are taken out one by one, and what came into each goes on to where it sends it.

    Materials may be made of each other (swarf goes back into oxide): what a pool sends to itself comes round for ever smaller, a geometric series.
    """
    ends: dict[str, Money] = {}
    sources: dict[Pool, set[Pool]] = {pool: set() for pool in shares}
    for pool, goes in shares.items():
        for target in goes:
            if not isinstance(target, str):
                sources[target].add(pool)
    while shares:
        pool = next((one for one in shares if not sources[one] - {one}), None) or next(iter(shares))
        goes = shares.pop(pool)
        again = 1 - goes.pop(pool, Fraction(0))
        goes = {target: share / again for target, share in goes.items()}
        for source in sources.pop(pool) & shares.keys():
            through = shares[source].pop(pool)
            for target, share in goes.items():
                shares[source][target] = shares[source].get(target, Fraction(0)) + through * share
                if not isinstance(target, str):
                    sources[target].add(source)
        for target, share in goes.items():
            if isinstance(target, str):
                _add(ends.setdefault(target, {}), paid.get(pool, {}), share)
            else:
                _add(paid.setdefault(target, {}), paid.get(pool, {}), share)
                sources[target].discard(pool)
    return ends


def _add(to: Money, money: Mapping[int, Fraction], share: Fraction) -> None:
    for year, amount in money.items():
        to[year] = to.get(year, Fraction(0)) + amount * share


def _year(verified: VerifiedPlan, line: Line) -> int:
    return verified.problem.case.horizon.periods[line.item.ordered].start.year


def _flows(verified: VerifiedPlan, by: Callable[[int, Line], Hashable]) -> _Flows:
    problem, flows = verified.problem, _Flows()
    moved = {entry.offer for entry in verified.plan.transfers}

    def taker(offer: str, requirement: str) -> str:
        """What takes inputs: an offer for one class, or for all where what it makes serves another than it was made for."""
        return offer if offer in moved else f"{offer} {requirement}"

    for number, line in enumerate(verified.lines):
        entry = line.item.entry
        pool = (entry.material, entry.place, entry.requirement)
        flows.paid[pool][by(number, line)] += Fraction(line.total)
        flows.made[taker(problem.offers[line.item.arc.offer].offer.id, entry.requirement)][pool] += Fraction(
            entry.quantity
        )
    for (material, place), requirement, _, kilograms, offer in verified.ledger.draws():
        flows.drawn[material, place, requirement][taker(problem.offers[offer].offer.id, requirement)] += Fraction(
            kilograms
        )
    for demand, pool, delivered in _deliveries(verified):
        flows.taken[pool][demand] += delivered
    last = problem.case.horizon.count - 1
    for stock in verified.plan.stocks:
        if stock.period == last:
            flows.left[stock.material, stock.place, stock.requirement] += Fraction(stock.quantity)
    return flows


def _deliveries(verified: VerifiedPlan) -> Iterator[tuple[str, Pool, Fraction]]:
    for delivery, position in verified.ledger.deliveries:
        use = verified.problem.demands[position].use
        pool = (use.material.id, use.place.id, delivery.requirement)
        yield delivery.demand, pool, Fraction(delivery.quantity)
