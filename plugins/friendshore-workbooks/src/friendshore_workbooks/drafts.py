"""An unknown before anything is planned, and what all of them are made with: who is asked, what evidence there is, which figures are doubted.

No figure is invented: one that is stated is tried better and worse by a share that is told as an assumption; where none is, the best case
is a bound that no answer can beat.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from friendshore.domain.change import Change
from friendshore.domain.evidence import Confidence
from friendshore.domain.facts import Offer
from friendshore.domain.quantities import readable
from friendshore.problem.offers import Lead, OfferFacts, resolve_offers
from friendshore.session import Session

from .records import EvidenceToday, Unasked, UnknownKind

NOT_KNOWN = EvidenceToday(reference="", date=None, confidence="")
"""Where there is no evidence."""


@dataclass(frozen=True, slots=True)
class Try:
    """One answer, and what it makes of the case."""

    answer: str
    changes: tuple[Change, ...]
    bound: bool = False
    """Whether no answer could save more."""
    same: bool = False
    """Whether the facts of the plan are then what they are today."""
    further: bool = False
    """Whether it goes beyond the one before it, and is told only where that makes a difference."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An unknown with the answers that are to be tried; its fields are those of `Unknown`."""

    kind: UnknownKind
    subject: str
    material: str
    question: str
    whom: str
    country: str
    known: EvidenceToday
    taken: str
    tries: tuple[Try, ...]
    never_full: str = ""
    """The facility whose capacity is taken to be never used up; empty: none is."""
    unpriced: str = ""
    """The offer of which nobody published a price; empty: it is about something else."""


@dataclass(frozen=True, slots=True)
class Doubts:
    """What unknowns of a session are made with."""

    session: Session
    spread: Decimal
    """Share by which a figure without a stated range is tried better and worse."""
    unasked: list[Unasked] = field(default_factory=list)
    """What cannot be tried, as it is found."""

    def wanted(self, offer: Offer) -> bool:
        """Whether anything that an offer delivers may be wanted."""
        return any(line.material in self.session.parts.of_material for line in offer.outputs)

    def leads(self) -> list[Lead]:
        """Offers that do not count and may be wanted: those also that only other leads could take something of."""
        problem = self.session.problem
        _, leads, _ = resolve_offers(problem.merged, problem.case)
        return [lead for lead in leads if self.wanted(lead.offer)]

    def counting(self) -> list[OfferFacts]:
        """Offers that count and may be wanted."""
        return [facts for facts in self.session.problem.offers if self.wanted(facts.offer)]

    def doubted(self, source: str) -> bool:
        """Whether evidence is no better than assumed or recalled, or less than the case asks for."""
        problem = self.session.problem
        confidence = problem.merged.confidence(source)
        return not (confidence.reaches(Confidence.REPORTED) and confidence.reaches(problem.case.accept.confidence))

    def known(self, source: str, prefix: str = "") -> EvidenceToday:
        """The evidence behind a figure."""
        found = self.session.problem.merged.sources.get(source)
        if found is None:
            return NOT_KNOWN
        return EvidenceToday(reference=f"{prefix}{found.reference}", date=found.date, confidence=found.confidence.value)

    def draft(
        self,
        kind: UnknownKind,
        offer: Offer,
        question: str,
        known: EvidenceToday,
        taken: str,
        tries: tuple[Try, ...],
        unpriced: bool = False,
    ) -> Draft:
        """An unknown about one offer, which its supplier is asked."""
        facility = self.session.problem.merged.facilities[offer.facility]
        return Draft(
            kind=kind,
            subject=offer.id,
            material=goods(offer),
            question=question,
            whom=facility.supplier,
            country=facility.country,
            known=known,
            taken=taken,
            tries=tries,
            unpriced=offer.id if unpriced else "",
        )

    def named(self, offer: Offer) -> str:
        """An offer in words: its goods, and where they come from."""
        facility = self.session.problem.merged.facilities[offer.facility]
        return f"{goods(offer)} of {facility.name or facility.id}"

    def either_way(self, told: Callable[[Decimal], str], change: Callable[[Decimal], Change]) -> tuple[Try, ...]:
        """A figure less and more by the spread, told and changed by the factor that makes."""
        return tuple(Try(told(factor), (change(factor),)) for factor in (1 - self.spread, 1 + self.spread))

    @property
    def by_spread(self) -> str:
        """The assumption of a range, in words."""
        return f"assumption: no range is stated, {percent(self.spread)} less and more are tried"


def goods(offer: Offer) -> str:
    """What an offer delivers."""
    return " and ".join(sorted(line.material for line in offer.outputs))


def percent(share: Decimal) -> str:
    """A share in words."""
    return f"{readable(share * 100)} %"


def tonnes(kilograms: Decimal | None) -> str:
    """A mass in words."""
    size = kilograms or Decimal(0)
    return f"{readable(size / 1000)} t" if size >= 1000 else f"{readable(size)} kg"
