"""What `screen` answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from .barred import Consequences, ListBar, OwnedBy
from .law import ListLaw
from .matching import ListHit
from .names.score import Band, Bands


@dataclass(frozen=True, slots=True)
class ListRead:
    """A list that was screened against."""

    file: str
    format: str
    edition: date
    entries: int
    age: int
    """Days since the edition."""
    old: bool
    """Whether it is older than the case allows."""


@dataclass(frozen=True, slots=True)
class AtStake:
    """What of a plan hangs on some facilities."""

    kilograms: Mapping[str, Decimal]
    """Material -> kilograms bought."""
    money: Decimal
    """Price, charges and freight, not discounted."""


@dataclass(frozen=True, slots=True)
class PlanWithout:
    """The plan without what is barred."""

    threshold: float | None
    """Score from which on names counted as the listed ones; None: as the bands and decisions say."""
    facilities: tuple[str, ...]
    """What is barred in it."""
    same: bool
    """Whether it is the plan as it is, which buys nothing there on days on which it is barred."""
    spent: Decimal
    """Cash."""
    rise: Decimal
    """Of the objective, shortage at its price included."""
    short: Mapping[str, Decimal]
    """Material -> kilograms that are short in addition."""
    conflict: bool = False
    """Whether the rules of the case cannot hold together with it."""


@dataclass(frozen=True, slots=True)
class Screening:
    """The answer."""

    case: str
    currency: str
    bands: Bands
    lists: tuple[ListRead, ...]
    parties: int
    facilities: int
    hits: tuple[ListHit, ...]
    at_stake: Mapping[str, AtStake]
    """Party -> what of the plan hangs on the facilities behind it."""
    consequences: Consequences
    laws: tuple[ListLaw, ...]
    """Of the lists on which anybody was found."""
    spent: Decimal
    """Cash of the plan as it is."""
    without: PlanWithout
    with_reviews: PlanWithout | None
    """As if all that are under review were the listed ones; None: nobody is, or it changes nothing."""
    steps: tuple[PlanWithout, ...] = ()
    """By threshold, the highest first."""
    notes: tuple[str, ...] = ()

    def of(self, band: Band) -> tuple[ListHit, ...]:
        """Hits of a band."""
        return tuple(hit for hit in self.hits if hit.band is band)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready data."""
        return {
            "case": self.case,
            "currency": self.currency,
            "match": self.bands.match,
            "review": self.bands.review,
            "lists": [
                {"file": one.file, "format": one.format, "edition": one.edition.isoformat(), "entries": one.entries,
                 "age": one.age, "old": one.old}
                for one in self.lists
            ],
            "parties": self.parties,
            "hits": [self._hit(hit) for hit in self.hits],
            "bars": [_bar(bar) for bar in self.consequences.bars],
            "doubts": [_bar(bar) for bar in self.consequences.doubts],
            "owned": [_owned(one) for one in self.consequences.owned],
            "owners_unknown": list(self.consequences.unknown),
            "spent": float(self.spent),
            "without": _without(self.without),
            "with_reviews": None if self.with_reviews is None else _without(self.with_reviews),
            "steps": [_without(step) for step in self.steps],
            "notes": list(self.notes),
        }  # fmt: skip

    def _hit(self, hit: ListHit) -> dict[str, Any]:
        stakes = self.at_stake.get(hit.party.name)
        return {
            "party": hit.party.name,
            "roles": list(hit.party.roles),
            "facilities": list(hit.party.behind),
            "list": hit.entry.list,
            "entry": hit.entry.id,
            "name": hit.entry.name,
            "listed_as": hit.listed_as,
            "programs": list(hit.entry.programs),
            "countries": list(hit.entry.countries),
            "file": hit.file,
            "edition": hit.edition.isoformat(),
            "content": hit.entry.digest,
            "band": hit.band.value,
            "score": hit.score,
            "why": hit.why,
            "decision": None if hit.decision is None else hit.decision.model_dump(mode="json"),
            "lapsed": None if hit.lapsed is None else hit.lapsed.model_dump(mode="json"),
            "kilograms": {} if stakes is None else {name: float(kg) for name, kg in stakes.kilograms.items()},
            "money": 0.0 if stakes is None else float(stakes.money),
        }


def _bar(bar: ListBar) -> dict[str, Any]:
    phases = [phase.model_dump(mode="json", by_alias=True) for phase in bar.phases]
    return {
        "law": bar.law.id, "list": bar.law.list, "citation": bar.law.citation, "source": bar.law.source,
        "facilities": list(bar.facilities), "by": [bar.company], "why": bar.why, "end_uses": list(bar.law.end_uses), "phases": phases,
    }  # fmt: skip


def _owned(one: OwnedBy) -> dict[str, Any]:
    return {
        "company": one.company, "list": one.law.list, "rule": one.law.ownership, "status": one.law.status(one.start), "standing": one.finding.standing.value,
        "least": str(one.finding.least), "most": str(one.finding.most), "through": list(one.finding.through),
        "from": one.start.isoformat(), "facilities": list(one.facilities),
    }  # fmt: skip


def _without(plan: PlanWithout) -> dict[str, Any]:
    return {
        "threshold": plan.threshold, "facilities": list(plan.facilities), "same": plan.same, "spent": float(plan.spent),
        "rise": float(plan.rise), "short_kg": {name: float(kg) for name, kg in plan.short.items()}, "conflict": plan.conflict,
    }  # fmt: skip
