"""What follows of what is found: which facilities are barred by which law, directly and through ownership, on which days."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from friendshore.domain.facts import Facility
from friendshore.rules.base import Phase, Rule

from .law import RULES, ListLaw, day_before
from .matching import ListHit
from .names.score import Band
from .ownership import OwnershipFinding, OwnerStanding, Stake, Structure


@dataclass(frozen=True, slots=True)
class ListBar:
    """Facilities that one law bars on some days."""

    law: ListLaw
    facilities: tuple[str, ...]
    phases: tuple[Phase, ...]
    by: tuple[str, ...]
    """Parties on the list, or owned by such."""

    def rule(self, number: int) -> Rule:
        """As a rule of a plan."""
        return self.law.rule(self.facilities, self.phases, f"{self.law.id}-{number}" if number else self.law.id)


@dataclass(frozen=True, slots=True)
class OwnedBy:
    """What a rule of ownership says of an operator of which listed parties, or such as may be, hold anything."""

    company: str
    law: ListLaw
    finding: OwnershipFinding
    start: date
    facilities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Consequences:
    """All that follows."""

    bars: tuple[ListBar, ...]
    owned: tuple[OwnedBy, ...]
    """Operators owned by listed parties, surely or possibly."""
    unknown: tuple[str, ...]
    """Operators of which nobody states all owners, so that no rule of ownership clears them."""

    @property
    def facilities(self) -> frozenset[str]:
        """All that some law bars on some day."""
        return frozenset(facility for bar in self.bars for facility in bar.facilities)


def stretches(stakes: Iterable[Stake], start: date, end: date) -> Iterator[tuple[date, date]]:
    """Days of a plan in which nobody's shares change."""
    days = {start}
    for stake in stakes:
        if stake.start is not None and start < stake.start <= end:
            days.add(stake.start)
        if stake.end is not None and start <= stake.end < end:
            days.add(date.fromordinal(stake.end.toordinal() + 1))
    ordered = sorted(days)
    for n, day in enumerate(ordered):
        yield day, day_before(ordered[n + 1]) if n + 1 < len(ordered) else end


def consequences(
    hits: Sequence[ListHit],
    facilities: Sequence[Facility],
    stakes: Sequence[Stake],
    laws: Iterable[ListLaw],
    places: frozenset[str],
    horizon: tuple[date, date],
    threshold: float | None = None,
) -> Consequences:
    """What follows, where those that match are on the list, and those under review may be.

    Args:
        hits: what was found.
        facilities: those of the case.
        stakes: who holds what of whom.
        laws: what each list bars.
        places: countries in which the case takes delivery.
        horizon: first and last day.
        threshold: score from which on names count as the listed ones, in the place of bands; a decision counts all the same.
    """
    runs: dict[str, set[str]] = defaultdict(set)
    for facility in facilities:
        runs[facility.supplier].add(facility.id)
    spans = list(stretches(stakes, *horizon))
    structures = [(span, Structure(stakes, span[0])) for span in spans]
    bars: list[ListBar] = []
    owned: list[OwnedBy] = []
    unknown: set[str] = set()
    for law in laws:
        sure = {hit.party.name for hit in hits if law.is_about(hit.entry) and counts(hit, threshold)}
        may = {hit.party.name for hit in hits if law.is_about(hit.entry) and hit.band is Band.REVIEW} - sure
        if not law.id and not law.ownership:
            continue
        before: dict[tuple[str, ...], tuple[list[Phase], tuple[str, ...]]] = {}
        for (first, last), structure in structures:
            found = structure.findings(sure, may, RULES[law.ownership], runs) if law.ownership else {}
            told = [
                _owned(one, found[one], law, first, runs) for one in sorted(found) if one in runs and one not in sure
            ]
            exposed = reached(stakes, sure | may, first)
            owned += [one for one in told if one.company in exposed]
            unknown |= {
                one
                for one in runs
                if one in found and one not in sure and found[one].standing is OwnerStanding.UNPROVEN
            }
            companies = sorted(
                {one.company for one in told if one.finding.standing is OwnerStanding.OWNED} | (sure & runs.keys())
            )
            barred = tuple(sorted({facility for one in companies for facility in runs[one]}))
            if barred and law.id and law.binds(places):
                phases, _ = before.setdefault(barred, ([], tuple(companies)))
                whole = len(spans) == 1
                phases += law.within(None if whole else first, None if whole else last)
        bars += [ListBar(law, which, tuple(phases), by) for which, (phases, by) in before.items() if phases]
    return Consequences(tuple(bars), tuple(owned), tuple(sorted(unknown)))


def reached(stakes: Iterable[Stake], parties: Iterable[str], day: date) -> set[str]:
    """Companies of which some parties hold anything on a day, along any chain."""
    held = [stake for stake in stakes if stake.held(day) and stake.most]
    found = set(parties)
    while grown := {stake.owned for stake in held if stake.owner in found} - found:
        found |= grown
    return found - set(parties)


def counts(hit: ListHit, threshold: float | None) -> bool:
    """Whether a hit counts as the listed party."""
    if threshold is None or hit.decision is not None:
        return hit.band is Band.MATCH
    return hit.score >= threshold


def _owned(company: str, finding: OwnershipFinding, law: ListLaw, first: date, runs: Mapping[str, set[str]]) -> OwnedBy:
    return OwnedBy(company, law, finding, first, tuple(sorted(runs[company])))


def rules_of(bars: Sequence[ListBar]) -> tuple[Rule, ...]:
    """Bars as rules, each under a name of its own."""
    seen: dict[str, int] = {}
    made = []
    for bar in bars:
        number = seen.get(bar.law.id, 0)
        seen[bar.law.id] = number + 1
        made.append(bar.rule(number))
    return tuple(made)
