"""What the same plan would cost if prices were at the ends of the ranges that are given for them: sums over what it buys, and no other plan."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from ..problem.offers import End, has_range, prices_at
from ..verify import Line, VerifiedPlan
from ..verify.money import Costing


@dataclass(frozen=True, slots=True)
class RangedSpend:
    """Money, not discounted, of a plan at prices as they are and with every price that has a range at its low or high end."""

    lines: Mapping[str, tuple[Sequence[Line], Sequence[Line], Sequence[Line]]]
    """Offer -> its purchases at its price, at the low and at the high end; offers that are bought at a price with a range."""
    low: Decimal
    """All that is spent."""
    high: Decimal


def spend_at_ends(verified: VerifiedPlan) -> RangedSpend | None:
    """What a plan would cost at the ends of the ranges of prices; None: nothing that it buys has one.

    Duties, premiums, discounts and what take-or-pay makes due are worked out anew, by the code that costs every plan.
    """
    problem = verified.problem
    bought = sorted({line.item.arc.offer for line in verified.lines})
    ranged = [problem.offers[offer] for offer in bought if has_range(problem.offers[offer], problem.merged)]
    if not ranged:
        return None
    low, high = (_costed(verified, prices_at(end, ranged, problem.merged, problem.case)) for end in _ENDS)
    names = {facts.offer.id for facts in ranged}
    lines: defaultdict[str, tuple[list[Line], list[Line], list[Line]]] = defaultdict(lambda: ([], [], []))
    for number, costing in enumerate((verified.costing, low, high)):
        for line in costing.lines:
            offer = problem.offers[line.item.arc.offer].offer.id
            if offer in names:
                lines[offer][number].append(line)
    return RangedSpend(lines, *(costing.cost(Decimal(0)).nominal for costing in (low, high)))


_ENDS: tuple[End, End] = ("low", "high")


def _costed(verified: VerifiedPlan, prices: Mapping[str, Sequence[Decimal]]) -> Costing:
    """The money of a plan at other prices."""
    problem = verified.problem
    offers = tuple(
        facts._replace(price=prices[facts.offer.id]) if facts.offer.id in prices else facts for facts in problem.offers
    )
    ledger = replace(verified.ledger, problem=replace(problem, offers=offers, kept=None))
    return Costing(ledger, verified.costing.placed)
