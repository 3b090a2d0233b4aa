"""What rules charge on every move: weighted by days, the dearest of several possible customs origins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from ..domain.base import exact
from ..domain.time import Horizon
from ..domain.use import Use
from ..plugins import attributed
from ..rules.answers import as_charge
from ..rules.base import Rule
from .judging import Judgement, Law
from .network import Arc, Network
from .offers import OfferFacts
from .requirements import Surcharges


class Charges:
    """Charges per kilogram by arc and order period, in the case's currency, undiscounted."""

    def __init__(self, network: Network, law: Law, offers: Sequence[OfferFacts]) -> None:
        self.network = network
        self.law = law
        self.offers = offers
        self.horizon: Horizon = law.case.horizon
        self.rules: list[Rule] = [rule for rule in law.rules if "charge" in rule.verbs]
        weights = [[exact_weight(rule, law, t) for t in range(self.horizon.count)] for rule in self.rules]
        self._weights = weights
        self.by_use = any(rule.charge_reads_use for rule in self.rules)

    def common(self, judgements: Mapping[Use, Judgement]) -> list[tuple[Decimal, ...]]:
        """For every arc, the charge by order period for any of the uses it can reach; zeros where it depends on the use."""
        nothing = (Decimal(0),) * self.horizon.count
        found = [nothing] * len(self.network.arcs)
        if self.by_use or not self.rules:
            return found
        for use, judgement in judgements.items():
            for index in judgement.reach:
                if found[index] is nothing:
                    found[index] = self.of_arc(self.network.arcs[index], use)
        return found

    def surcharges(self, judgements: Mapping[Use, Judgement]) -> dict[Use, Surcharges]:
        """All charges of every use, where some rule makes them depend on it."""
        if not self.by_use:
            return {}
        return {
            use: tuple(
                (index, t, amount)
                for index in sorted(judgement.reach)
                for t, amount in enumerate(self.of_arc(self.network.arcs[index], use))
                if amount
            )
            for use, judgement in judgements.items()
        }

    def of_arc(self, arc: Arc, use: Use) -> tuple[Decimal, ...]:
        """The charge on one kilogram of an arc, by order period. What is already paid for is charged nothing more."""
        if arc.offer < 0 or not self.rules:
            return (Decimal(0),) * self.horizon.count
        known: dict[tuple[object, ...], Decimal] = {}
        charges = []
        for t in range(self.horizon.count):
            arrival = t + arc.lag
            if arrival >= self.horizon.count:
                charges.append(Decimal(0))
                continue
            value = self.value(arc, t)
            weights = tuple(w[arrival] for w in self._weights)
            if (value, weights) not in known:
                known[value, weights] = self._dearest(arc, use, value, weights)
            charges.append(known[value, weights])
        return tuple(charges)

    def value(self, arc: Arc, t: int) -> Decimal:
        """The price of one kilogram of an arc ordered in period `t`, as rules are told it."""
        facts = self.offers[arc.offer]
        return facts.price[t] if facts.single else exact(facts.price[t] / facts.mass_per_unit)

    def _dearest(self, arc: Arc, use: Use, value: Decimal, weights: Sequence[Decimal]) -> Decimal:
        return exact(sum(self._dearest_parts(arc, use, value, weights).values(), Decimal(0)))

    def parts(self, arc: Arc, use: Use, t: int) -> dict[str, Decimal]:
        """What each rule charges on one kilogram of an arc ordered in period `t`: the parts of what `of_arc` gives."""
        arrival = t + arc.lag
        if arc.offer < 0 or arrival >= self.horizon.count or not self.rules:
            return {}
        return self._dearest_parts(arc, use, self.value(arc, t), [weights[arrival] for weights in self._weights])

    def _dearest_parts(self, arc: Arc, use: Use, value: Decimal, weights: Sequence[Decimal]) -> dict[str, Decimal]:
        origins, _ = arc.chained.origins
        found = [self._parts(arc, use, origin, value, weights) for origin in sorted(origins)]
        return max(found, key=lambda parts: sum(parts.values(), Decimal(0)))

    def _parts(self, arc: Arc, use: Use, origin: str, value: Decimal, weights: Sequence[Decimal]) -> dict[str, Decimal]:
        parts = {}
        for rule, weight in zip(self.rules, weights, strict=True):
            if weight:
                with attributed(rule):
                    parts[rule.id] = as_charge(rule.charge(arc.chained, arc.move, use, origin, value)) * weight
        return parts


def exact_weight(rule: Rule, law: Law, period: int) -> Decimal:
    """The part of a period's days on which a rule's phases hold, as a stored number."""
    weight = rule.weight(law.case.horizon.periods[period].span, law.statuses)
    return exact(Decimal(weight.numerator) / Decimal(weight.denominator))
