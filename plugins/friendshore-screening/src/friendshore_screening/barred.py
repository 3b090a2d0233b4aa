"""What follows of what is found: which facilities are barred by which law, directly and through ownership, on which days."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from friendshore.domain.facts import Facility
from friendshore.domain.time import Span, stretches_between
from friendshore.rules.base import Phase, PhaseStatus, Rule

from .law import RULES, ListLaw, day_before
from .matching import ListHit
from .names.score import Band
from .ownership import OwnershipFinding, OwnerStanding, Stake, Structure

DOUBT = "it is not known whether the company is the listed one, or owned by such"
"""What is said of a phase that is not known to hold for a company."""


@dataclass(frozen=True, slots=True)
class ListBar:
    """What one law bars of one company, or may bar."""

    law: ListLaw
    company: str
    facilities: tuple[str, ...]
    """Those that it runs."""
    phases: tuple[Phase, ...]
    """Of unknown status where it is not known whether the company is meant."""
    sure: bool
    """Whether it is meant on some day."""
    why: str
    """Which entry it is, or who owns it, or may."""
    file: str
    """List by which it is so."""


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
    """Companies that are on a list, or owned by such."""
    doubts: tuple[ListBar, ...]
    """Companies that may be."""
    owned: tuple[OwnedBy, ...]
    """Operators owned by listed parties, surely or possibly."""
    unknown: tuple[str, ...]
    """Operators of which nobody states all owners, so that no rule of ownership clears them."""

    @property
    def facilities(self) -> frozenset[str]:
        """All that some law bars on some day."""
        return frozenset(facility for bar in self.bars for facility in bar.facilities)


def unchanged(stakes: Iterable[Stake], start: date, end: date) -> list[Span]:
    """Stretches of a plan in which nobody's shares change."""
    turns = {stake.start for stake in stakes if stake.start is not None and start < stake.start <= end}
    turns |= {stake.end + timedelta(days=1) for stake in stakes if stake.end is not None and start <= stake.end < end}
    return stretches_between(start, end, sorted(turns))


def consequences(
    hits: Sequence[ListHit],
    facilities: Sequence[Facility],
    stakes: Sequence[Stake],
    laws: Iterable[ListLaw],
    horizon: tuple[date, date],
    threshold: float | None = None,
    places: frozenset[str] | None = None,
) -> Consequences:
    """What follows, where those that match are on the list, and those under review may be.

    Args:
        hits: what was found.
        facilities: those of the case.
        stakes: who holds what of whom.
        laws: what each list bars.
        horizon: first and last day.
        threshold: score from which on names count as the listed ones, in the place of bands; a decision counts all the same.
        places: countries of the buyers; None: of whatever country they are.
    """
    runs: dict[str, set[str]] = defaultdict(set)
    for facility in facilities:
        runs[facility.supplier].add(facility.id)
    structures = [
        (span.start, span.end, Structure(stakes, span.start))
        for span in unchanged(stakes, *horizon)
        if span.start is not None and span.end is not None  # none is open at an end
    ]
    bars: list[ListBar] = []
    owned: list[OwnedBy] = []
    unknown: set[str] = set()
    for law in laws:
        if not law.id and not law.ownership:
            continue
        own = [hit for hit in hits if law.is_about(hit.entry) and hit.band is not Band.NONE]
        sure = {hit.party.name for hit in own if counts(hit, threshold)}
        may = {hit.party.name for hit in own if hit.band is Band.REVIEW} - sure
        meant: dict[str, list[tuple[date, date, bool, str]]] = defaultdict(list)
        for first, last, structure in structures:
            found = structure.findings(sure, may, RULES[law.ownership], runs) if law.ownership else {}
            told = [
                _owned(one, found[one], law, first, runs) for one in sorted(found) if one in runs and one not in sure
            ]
            exposed = reached(stakes, sure | may, first)
            owned += [one for one in told if one.company in exposed]
            unknown |= {one.company for one in told if one.finding.standing is OwnerStanding.UNPROVEN}
            for company in sorted((sure | may) & runs.keys()):
                why = _entry(company, [hit for hit in own if hit.party.name == company], sure=company in sure)
                meant[company].append((first, last, company in sure, why))
            for one in told:
                standing = one.finding.standing
                if standing is OwnerStanding.OWNED or (standing is OwnerStanding.UNPROVEN and one.company in exposed):
                    if one.company in may:  # owned, or perhaps, and under review: the surer of the two counts
                        del meant[one.company][-1]
                    owners = [hit for hit in own if one.company in reached(stakes, {hit.party.name}, first)]
                    why = _owners(one, owners or own)
                    meant[one.company].append((first, last, standing is OwnerStanding.OWNED, why))
        if law.id and (places is None or law.binds(places)):
            bars += [_bar(law, one, found, runs[one], own, horizon) for one, found in sorted(meant.items())]
    held = [bar for bar in bars if bar.phases]
    return Consequences(
        tuple(bar for bar in held if bar.sure),
        tuple(bar for bar in held if not bar.sure),
        tuple(owned),
        tuple(sorted(unknown)),
    )


def _bar(
    law: ListLaw,
    company: str,
    meant: Sequence[tuple[date, date, bool, str]],
    facilities: Iterable[str],
    hits: Sequence[ListHit],
    horizon: tuple[date, date],
) -> ListBar:
    """What a law bars of a company that is meant, or may be, on some days of a plan."""
    phases: list[Phase] = []
    for alike in _joined(meant):
        first, last, sure, _ = alike
        whole = (first, last) == horizon
        for phase in law.within(None if whole else first, None if whole else last):
            doubtful = not sure and phase.status is PhaseStatus.ENACTED
            phases.append(phase.but(status=PhaseStatus.UNKNOWN, note=DOUBT) if doubtful else phase)
    surest = max(meant, key=lambda one: one[2])
    by = next((hit.file for hit in hits if hit.party.name == company), hits[0].file)
    return ListBar(law, company, tuple(sorted(facilities)), tuple(phases), surest[2], surest[3], by)


def _joined(meant: Iterable[tuple[date, date, bool, str]]) -> list[tuple[date, date, bool, str]]:
    """Stretches of days, those put into one that follow each other and say the same."""
    found: list[tuple[date, date, bool, str]] = []
    for first, last, sure, why in meant:
        if found and found[-1][2:] == (sure, why) and day_before(first) == found[-1][1]:
            found[-1] = (found[-1][0], last, sure, why)
        else:
            found.append((first, last, sure, why))
    return found


def _entry(company: str, hits: Sequence[ListHit], *, sure: bool) -> str:
    """Which entry a company is, or may be."""
    best = max(hits, key=lambda hit: (hit.band is Band.MATCH, hit.score))
    if sure:
        return f"{company} is {entry_of(best)}"
    return f"{company} may be {entry_of(best)}: score {best.score:.2f}, {best.why}"


def _owners(one: OwnedBy, hits: Sequence[ListHit]) -> str:
    """Through whom a company is owned by listed parties, or may be."""
    least, most = one.finding.least, one.finding.most
    share = f"{float(least):.4g}" if least == most else f"{float(least):.4g} to {float(most):.4g}"
    verb = "is" if one.finding.standing is OwnerStanding.OWNED else "may be"
    owners = dict.fromkeys(f"{hit.party.name}, {entry_of(hit)}" for hit in hits)
    return (
        f"{one.company} {verb} owned by listed parties (a share of {share} by {one.law.ownership}): {'; '.join(owners)}"
    )


def entry_of(hit: ListHit) -> str:
    """An entry as it is named: `entry 7 of us-sdn (Example Metals Ltd.; sdn.csv of 2026-11-20)`."""
    return f"entry {hit.entry.id} of {hit.entry.list} ({hit.listed_as}; {hit.file} of {hit.edition})"


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


def rules_of(bars: Iterable[ListBar]) -> dict[str, tuple[ListBar, Rule]]:
    """Bars as rules, each under a name of its own."""
    made: dict[str, tuple[ListBar, Rule]] = {}
    for bar in bars:
        name = own = f"{bar.law.id}-{_slug(bar.company)}"
        number = 2
        while name in made:
            name, number = f"{own}-{number}", number + 1
        made[name] = (bar, bar.law.rule(name, bar.company, bar.facilities, bar.phases, bar.why))
    return made


def _slug(text: str) -> str:
    """A company's name as a part of a rule's."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or hashlib.sha256(text.encode()).hexdigest()[:8]
