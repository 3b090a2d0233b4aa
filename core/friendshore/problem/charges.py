"""What rules charge on every move: weighted by days, the dearest of several possible customs origins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache

from ..domain.base import as_decimal, exact
from ..domain.facts import Material
from ..domain.time import Horizon
from ..domain.use import Use
from ..plugins import attributed
from ..rules.answers import as_charge
from ..rules.base import Phase, PhaseStatus, Rule, part_held
from ..rules.verdicts import is_origin_unknown, possible_origins, told_apart
from .judging import Judgement, Law
from .kept import Answers, ByRule, Charged
from .network import Arc, Network
from .offers import OfferFacts
from .signatures import Surcharges

_NOTHING = Decimal(0)


class Charges:
    """Charges per kilogram by arc and order period, in the case's currency, undiscounted."""

    def __init__(
        self, network: Network, law: Law, offers: Sequence[OfferFacts], answers: Answers | None = None
    ) -> None:
        """Asks for nothing yet; nor later for what is among `answers`."""
        self.answers = answers
        self.network = network
        self.law = law
        self.offers = offers
        self.horizon: Horizon = law.case.horizon
        self.rules: list[Rule] = [rule for rule in law.rules if "charge" in rule.verbs]
        weights = [_weights(rule.phases, self.horizon, law.statuses) for rule in self.rules]
        self._weights = list(zip(*weights, strict=True)) or [()] * self.horizon.count
        """By period, the part of its days on which each rule holds."""
        first: dict[tuple[Decimal, ...], int] = {}
        self._alike = [first.setdefault(weights, t) for t, weights in enumerate(self._weights)]
        """By period, the first one in which all rules hold as in it."""
        self._values: dict[int, Sequence[Decimal]] = {}
        self._told: dict[tuple[int, Use, Decimal, int], dict[str, Decimal]] = {}
        self._told_before: dict[tuple[int, int, str], dict[Charged, ByRule]] = {}
        self._asked: dict[tuple[int, int, str], list[tuple[Rule, Decimal, dict[Charged, Decimal]]]] = {}
        self._may_charge: dict[tuple[int, str], list[tuple[Rule, Decimal]]] = {}
        self._others: Sequence[str] | None = None
        """Countries that stand for all, once they are asked for."""
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
        known: dict[tuple[Decimal, int], Decimal] = {}
        charges: list[Decimal] = []
        last: tuple[Decimal | None, int] = None, -1
        charge = Decimal(0)
        for t, value in enumerate(self._values_of(arc.offer)):
            arrival = arc.arrival(t)
            if arrival >= self.horizon.count:
                charges.append(Decimal(0))
                continue
            alike = self._alike[arrival]
            if value is not last[0] or alike != last[1]:  # most prices are one object for all periods
                last = key = value, alike
                if key not in known:
                    known[key] = self._dearest(arc, use, *key)
                charge = known[key]
            charges.append(charge)
        return tuple(charges)

    def value(self, arc: Arc, t: int) -> Decimal:
        """The price of one kilogram of an arc ordered in period `t`, as rules are told it: nothing, where it is below zero."""
        return self._values_of(arc.offer)[t]

    def _values_of(self, offer: int) -> Sequence[Decimal]:
        found = self._values.get(offer)
        if found is None:
            facts, nothing = self.offers[offer], Decimal(0)
            mass = facts.mass_per_unit
            found = facts.price if facts.single else tuple([exact(price / mass) for price in facts.price])
            if min(found) < nothing:
                found = tuple([max(price, nothing) for price in found])
            self._values[offer] = found
        return found

    def _dearest(self, arc: Arc, use: Use, value: Decimal, arrival: int) -> Decimal:
        return exact(sum(self._dearest_parts(arc, use, value, arrival).values(), Decimal(0)))

    def parts(self, arc: Arc, use: Use, t: int) -> dict[str, Decimal]:
        """What each rule that charges anything does on one kilogram of an arc ordered in period `t`: the parts of what `of_arc` gives."""
        arrival = arc.arrival(t)
        if arc.offer < 0 or arrival >= self.horizon.count or not self.rules:
            return {}
        key = arc.index, use, self.value(arc, t), self._alike[arrival]
        if key not in self._told:
            found = self._dearest_parts(arc, use, *key[2:])
            self._told[key] = {rule: amount for rule, amount in found.items() if amount}
        return self._told[key]

    def parts_at(self, arc: Arc, use: Use, t: int, value: Decimal) -> Mapping[str, Decimal]:
        """Return the same if the price of a kilogram was another."""
        arrival = arc.arrival(t)
        if arc.offer < 0 or arrival >= self.horizon.count or not self.rules:
            return {}
        return self._dearest_parts(arc, use, value, self._alike[arrival])

    def charging(self, arc: Arc, use: Use, t: int) -> set[str]:
        """Rules that charge anything on an arc ordered in period `t`, for any of its possible origins."""
        arrival = arc.arrival(t)
        if arc.offer < 0 or arrival >= self.horizon.count or not self.rules:
            return set()
        value, alike = self.value(arc, t), self._alike[arrival]
        found = (self._parts(arc, use, origin, value, alike) for origin in self._origins(arc))
        return {rule for parts in found for rule, amount in parts.items() if amount}

    def _dearest_parts(self, arc: Arc, use: Use, value: Decimal, arrival: int) -> ByRule:
        found = [self._parts(arc, use, origin, value, arrival) for origin in self._origins(arc)]
        if len(found) == 1:
            return found[0]
        return max(found, key=lambda parts: sum(parts.values(), Decimal(0)))

    def _origins(self, arc: Arc) -> Sequence[str]:
        """Return the customs origins that a purchase may have; any country, where the chain leaves it open."""
        if not is_origin_unknown(arc.chained):
            return sorted(arc.chained.origins[0])
        if self._others is None:
            self._others = told_apart(self.rules)
        return possible_origins(arc.chained, self._others)

    def _parts(self, arc: Arc, use: Use, origin: str, value: Decimal, arrival: int) -> ByRule:
        material = arc.chained.material
        told = self._known_parts(use, arrival, material)
        key = id(arc.chained), id(arc.move), origin, str(value)
        found = told.get(key)
        if found is None:
            found = told[key] = {}
            for rule, weight, known in self._answered(use, arrival, material):
                charge = known.get(key)
                if charge is None:
                    with attributed(rule):
                        charge = as_charge(rule.charge(arc.chained, arc.move, use, origin, value))
                    known[key] = charge
                found[rule.id] = charge * weight if charge else _NOTHING
        return found

    def _answered(
        self, use: Use, arrival: int, material: Material
    ) -> list[tuple[Rule, Decimal, dict[Charged, Decimal]]]:
        """The rules that may charge on a material in a period, each with the part of its days and with what it has charged so far."""
        if self.answers is None:
            return [(rule, part, {}) for rule, part in self._holding(arrival, material)]
        key = id(use), arrival, material.id
        if key not in self._asked:
            charges = self.answers.charges
            self._asked[key] = [(rule, part, charges(rule, use)) for rule, part in self._holding(arrival, material)]
        return self._asked[key]

    def _holding(self, arrival: int, material: Material) -> list[tuple[Rule, Decimal]]:
        """The rules that may charge on a material in a period, each with the part of its days."""
        key = arrival, material.id
        if key not in self._may_charge:
            held = [(rule, part) for rule, part in zip(self.rules, self._weights[arrival], strict=True) if part]
            self._may_charge[key] = [(rule, part) for rule, part in held if self._charges_on(rule, material)]
        return self._may_charge[key]

    @staticmethod
    def _charges_on(rule: Rule, material: Material) -> bool:
        with attributed(rule):
            return rule.charges_on(material)

    def _known_parts(self, use: Use, arrival: int, material: Material) -> dict[Charged, ByRule]:
        if self.answers is None:
            return {}
        key = id(use), arrival, material.id
        if key not in self._told_before:
            self._told_before[key] = self.answers.parts(self._holding(arrival, material), use)
        return self._told_before[key]


@lru_cache(maxsize=4096)
def _weights(phases: tuple[Phase, ...], horizon: Horizon, statuses: frozenset[PhaseStatus]) -> tuple[Decimal, ...]:
    """By period, the part of its days on which a rule with such phases holds, as a stored number. Kept from one problem to the next:
    a question makes hundreds, and most of their rules are the same.
    """
    return tuple(as_decimal(part_held(phases, period.span, statuses)) for period in horizon.periods)
