"""What it takes to use an offer: from how much on it counts as used, what that costs, and how much of it plans can have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import Literal

from ...domain.base import Number, Record, exact
from ...domain.plan import PlanStatus
from ...errors import NoPlanError
from ...explain.eligibility import Eligibilities, Eligibility
from ...explain.results import Difference, PlanRise, between, difference, plan_rise
from ...problem.offers import OfferFacts
from ...rules.kinds.limits import MinSuppliers, Pin
from ...session import Session
from ...verify import VerifiedPlan
from .compliance import bought

USED_FROM: Decimal = MinSuppliers.model_fields["least_share"].default
"""Share of a material's demand from which on an offer counts as used."""
Role = Literal["must", "may", "never", "not proved"]


class UsageShare(Record):
    """What is bought of an offer for the places where its material is wanted, as a share of the demand, in plans that cost little
    more than the cheapest. What is bought beyond all demand that it comes in time for is no share of it.
    """

    least: Number
    """Smallest in a plan that was found."""
    least_bound: Number
    """Surely no plan has less."""
    most: Number
    """Largest in a plan that was found."""
    most_bound: Number
    """Surely no plan has more."""
    role: Role
    """`must`: no plan does without it. `never`: no plan has any. `may`: some do and some do not."""


_NOTHING = PlanRise(cash=Decimal(0), spent=Decimal(0), penalty=Decimal(0), short_kg={})


@dataclass(frozen=True, slots=True)
class CheapestUse:
    """The cheapest plan that uses an offer."""

    kilograms: Decimal
    """From so much on it counts as used."""
    rise: Difference | None
    """By how much its objective, penalties included, is above the recommended plan's; None: none was found in the time given."""
    verified: VerifiedPlan | None
    """That plan, of the parts of the case it is about; None: likewise."""
    adds: PlanRise = _NOTHING
    """What it adds to the recommended plan."""


class UsageRange:
    """Asks a session what using offers takes."""

    def __init__(self, session: Session, standings: Eligibilities) -> None:
        self.session = session
        self.standings = standings
        self.questions = 0
        """Questions asked so far."""

    def use(self, material: str, name: str) -> CheapestUse | None:
        """The cheapest plan that uses an offer that counts; None if there is none, or rules conflict."""
        session, standings, resolution = self.session, self.standings, self.session.problem.case.resolution
        position, standing = self._position(name), self._standing(material, name)
        if standing is None or session.part_of(material).plan.infeasible:
            return None
        places, could = standings.places[material], standings.could_give(position, material)
        limits = [USED_FROM * standings.wanted[material], standing.reachable, *([] if could is None else [could])]
        least = _down(min(limits), resolution)
        while least >= resolution:
            if bought(session.verified, name, material, places) >= least:
                return CheapestUse(least, self._already(material), session.verified)
            if session.stopped:
                return CheapestUse(least, None, None)
            self.questions += 1
            try:
                answer = session.after(rules=[_pin(name, material, places, least)])
            except NoPlanError:
                return CheapestUse(least, None, None)
            if not any(part.plan.infeasible for part in answer.after):
                rise = self._no_cheaper(difference(answer))
                return CheapestUse(least, rise, answer.after[0].verified, plan_rise(session, answer))
            self.questions += 1
            try:
                most = session.extreme(material, _of(name, places), None, largest=True, output=material)
            except NoPlanError:
                return CheapestUse(least, None, None)
            can = _down(bought(most.part.verified, name, material, places), resolution)
            least = can if can < least else least - resolution
        return None

    def share(self, material: str, name: str, within: Decimal) -> UsageShare | None:
        """Return the smallest and largest share of an offer in plans that cost more by at most `within` of the money spent; None: rules conflict."""
        session, wanted, places = self.session, self.standings.wanted[material], self.standings.places[material]
        if session.part_of(material).plan.infeasible:
            return None
        reach = self._standing(material, name)
        cap = reach.reachable if reach is not None else Decimal(0)
        own = bought(session.verified, name, material, places)
        least = least_bound = Decimal(0)
        counts = _of(name, places)
        if own:
            self.questions += 1
            try:
                smallest = session.extreme(material, counts, within, largest=False, output=material)
                least, least_bound = smallest.value, max(smallest.bound, Decimal(0))
            except NoPlanError:  # the recommended plan is one of those meant
                least = own
        self.questions += 1
        try:
            largest = session.extreme(material, counts, within, largest=True, output=material)
            most, most_bound = largest.value, largest.bound
        except NoPlanError:
            most, most_bound = own, cap
        return UsageShare(
            least=exact(min(least, cap) / wanted),
            least_bound=exact(min(least_bound, cap) / wanted),
            most=exact(min(most, cap) / wanted),
            most_bound=exact(min(most_bound, cap) / wanted),
            role=_role((least, least_bound), (most, most_bound), session.problem.case.resolution),
        )

    def _position(self, name: str) -> int:
        return next(i for i, facts in enumerate(self.session.problem.offers) if facts.offer.id == name)

    def _standing(self, material: str, name: str) -> Eligibility | None:
        return self.standings.standing.get((self._position(name), material))

    def _no_cheaper(self, found: Difference) -> Difference:
        """A difference that a further rule makes: of what is least, it never makes anything less."""
        ranked = bool(self.session.problem.objectives)
        sure = found.low is not None and found.low < 0 and not ranked and not found.proved
        return found.but(low=Decimal(0)) if sure else found

    def _already(self, material: str) -> Difference:
        """The recommended plan uses it: nothing is added, unless a cheaper plan that does not is still to be found."""
        plan = self.session.part_of(material).plan
        gap = Decimal(0) if plan.status is PlanStatus.OPTIMAL else max(Decimal(0), plan.objective - plan.bound)
        return between(Decimal(0), Decimal(0), gap, plan.objective)


NOT_AT_ALL = UsageShare(least=Decimal(0), least_bound=Decimal(0), most=Decimal(0), most_bound=Decimal(0), role="never")
"""The share of what may not be delivered at all."""


def _role(least: tuple[Decimal, Decimal], most: tuple[Decimal, Decimal], resolution: Decimal) -> Role:
    """What the least and the most that was found, each with its bound, say of an offer; less than a resolution is nothing."""
    if least[1] >= resolution:
        return "must"
    if most[1] < resolution:
        return "never"
    return "may" if least[0] < resolution and most[0] >= resolution else "not proved"


def _of(name: str, places: Sequence[str]) -> Callable[[OfferFacts, str, int], float]:
    """Counts the purchases from one offer for some places."""
    return lambda facts, place, _period: float(facts.offer.id == name and place in places)


def _pin(name: str, material: str, places: Sequence[str], least: Decimal) -> Pin:
    return Pin(id=f"use of {name}", offer=name, material=material, places=tuple(places), at_least=least)


def _down(kilograms: Decimal, resolution: Decimal) -> Decimal:
    return (kilograms / resolution).to_integral_value(ROUND_FLOOR) * resolution
