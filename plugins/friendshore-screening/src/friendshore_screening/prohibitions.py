"""Prohibitions of lists: the law of each list, the companies that listed parties own, and the effect on a case."""

from __future__ import annotations

import hashlib
import re
import tomllib
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache
from importlib.resources import files
from typing import Literal

from friendshore.domain.base import Record
from friendshore.domain.countries import countries_of
from friendshore.domain.facts import Facility
from friendshore.domain.time import Span, stretches_between
from friendshore.rules.base import Phase, PhaseStatus, Rule
from friendshore.rules.kinds.trade import Exclude

from .lists import ListEntry
from .matching import ListHit, facilities_by_name
from .names import Band
from .ownership import Attributed, OwnershipFinding, OwnerStanding, Share50, Stake, Structure

OwnershipRule = Literal["", "ofac-50", "bis-50", "eu-50", "control", "feoc-25"]
RULES: Mapping[str, Share50 | Attributed] = {
    "ofac-50": Share50(),
    "bis-50": Share50(),
    "eu-50": Share50(control=True),
    "control": Share50(more_than=True, control=True),
    "feoc-25": Attributed(),
}
"""How each rule counts shares. `eu-50` and `control` also count control, which no share disproves."""

_POSSESSIONS = frozenset({"AS", "GU", "MP", "PR", "UM", "VI"})
"""Possessions of the United States with their own country codes. US law binds buyers there."""


class ListLaw(Record):
    """Prohibitions or other statements of a list."""

    list: str
    programs: tuple[str, ...] = ()
    """Programs of the list that it covers. Empty means all but `besides`."""
    besides: tuple[str, ...] = ()
    id: str = ""
    """Empty if it prohibits no purchases."""
    title: str = ""
    says: str = ""
    """Effect of a law that prohibits no purchases."""
    citation: str
    source: str
    note: str = ""
    buyers: tuple[str, ...] = ()
    """Countries or groups whose buyers it binds. Empty means all."""
    end_uses: tuple[str, ...] = ()
    ownership: OwnershipRule = ""
    """Rule for companies that listed parties own. Empty if it doesn't cover them."""
    phases: tuple[Phase, ...] = ()

    def covers(self, entry: ListEntry) -> bool:
        programs = set(entry.programs)
        is_covered = not self.programs or bool(programs & set(self.programs))
        return entry.list == self.list and is_covered and not (programs and programs <= set(self.besides))

    @property
    def places(self) -> frozenset[str]:
        codes = frozenset(code for word in self.buyers for code in countries_of(word))
        return codes | _POSSESSIONS if "US" in codes else codes

    def binds(self, places: Iterable[str]) -> bool:
        return not self.buyers or not self.places.isdisjoint(places)

    def status(self, day: date) -> str:
        """Return the status on a day: `unknown` if its dates are unknown, empty if it isn't in force."""
        if not self.phases:
            return "unknown"
        in_force = (phase for phase in self.phases if phase.span.meets(Span(start=day, end=day)))
        return next((phase.status.value for phase in in_force), "")

    def rule(self, name: str, party: str, facilities: Iterable[str], phases: Sequence[Phase], why: str) -> Rule:
        return Exclude(
            id=name,
            title=f"{self.title}: {party}",
            citation=self.citation,
            note=self.note,
            source=self.source,
            facilities=frozenset(facilities),
            end_uses=frozenset(self.end_uses),
            places=self.places,
            why=why,
            phases=tuple(phases),
        )

    def within(self, start: date | None, end: date | None) -> tuple[Phase, ...]:
        limited = (_limited_to(phase, start, end) for phase in self.phases)
        return tuple(phase for phase in limited if phase is not None)


def _limited_to(phase: Phase, start: date | None, end: date | None) -> Phase | None:
    first = max((day for day in (phase.start, start) if day is not None), default=None)
    last = min((day for day in (phase.end, end) if day is not None), default=None)
    if first is not None and last is not None and last < first:
        return None
    return phase.model_copy(update={"start": first, "end": last})


def day_before(day: date) -> date:
    return day - timedelta(days=1)


@lru_cache(maxsize=1)
def laws() -> tuple[ListLaw, ...]:
    """Return the contents of `law.toml`, with the laws that prohibit purchases first."""
    data = tomllib.loads(files(__package__).joinpath("law.toml").read_text(encoding="utf-8"))
    return tuple(ListLaw.model_validate(law) for key in ("bar", "other") for law in data[key])


DOUBT = "it isn't known whether the company is listed, or owned by listed parties"


@dataclass(frozen=True, slots=True)
class Prohibition:
    """Certain or possible effect of one law on one company or facility."""

    law: ListLaw
    company: str
    facilities: tuple[str, ...]
    """Facilities that the company runs, or that have the name."""
    phases: tuple[Phase, ...]
    """Phases, with status unknown if the match is uncertain."""
    certain: bool
    """True if the match is certain on some day."""
    why: str
    file: str
    causes: tuple[ListHit, ...]


@dataclass(frozen=True, slots=True)
class OwnedBy:
    """Result of an ownership rule for an operator that listed or possibly listed parties own in part."""

    company: str
    law: ListLaw
    finding: OwnershipFinding
    start: date
    facilities: tuple[str, ...]
    exposed: bool
    """True if a listed or possibly listed party has any stated share in it."""


@dataclass(frozen=True, slots=True)
class Consequences:
    """Effects of the lists on a case."""

    prohibitions: tuple[Prohibition, ...]
    """Of companies that are listed, or that listed parties own."""
    possible: tuple[Prohibition, ...]
    """Of companies that may be listed or owned by listed parties."""
    owned: tuple[OwnedBy, ...]
    unknown: tuple[str, ...]
    """Operators without a complete list of owners, which no ownership rule clears."""

    @property
    def facilities(self) -> frozenset[str]:
        return frozenset(facility for prohibition in self.prohibitions for facility in prohibition.facilities)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Days of a plan with the same shares and the same entries."""

    first: date
    last: date
    stakes: tuple[Stake, ...]
    structure: Structure


@dataclass(frozen=True, slots=True)
class _Match:
    """A certain or possible match of a company or facility with a law on some days."""

    first: date
    last: date
    certain: bool
    why: str
    file: str
    causes: tuple[ListHit, ...]


def spans_without_change(stakes: Iterable[Stake], entries: Iterable[ListEntry], start: date, end: date) -> list[Span]:
    spans = [(stake.start, stake.end) for stake in stakes] + [(entry.start, entry.end) for entry in entries]
    change_days = {first for first, _ in spans if first is not None and start < first <= end}
    change_days |= {last + timedelta(days=1) for _, last in spans if last is not None and start <= last < end}
    return stretches_between(start, end, sorted(change_days))


def consequences(
    hits: Sequence[ListHit],
    facilities: Sequence[Facility],
    stakes: Sequence[Stake],
    laws: Iterable[ListLaw],
    horizon: tuple[date, date],
    threshold: float | None = None,
    places: frozenset[str] | None = None,
) -> Consequences:
    """Return the effects of the lists. Matches are certain and reviews possible, while the entry is on its list.

    Args:
        threshold: Minimum score of names that count as listed, in place of bands. Decisions still apply.
        places: Countries of the buyers. None means any country.
    """
    operated: dict[str, set[str]] = defaultdict(set)
    for facility in facilities:
        operated[facility.supplier].add(facility.id)
    named = facilities_by_name(facilities)
    facilities_with_name = {
        name: operated.get(name, set()) | named.get(name, set()) for name in operated.keys() | named.keys()
    }
    stretches = _stretches(hits, stakes, horizon)
    prohibitions: list[Prohibition] = []
    owned: list[OwnedBy] = []
    for law in laws:
        if law.id or law.ownership:
            covered = [hit for hit in hits if law.covers(hit.entry) and hit.band is not Band.NONE]
            matches = _matches_of_law(law, covered, stretches, (operated, facilities_with_name), threshold, owned)
            if law.id and (places is None or law.binds(places)):
                prohibitions += [
                    _prohibition(law, name, days, facilities_with_name[name], horizon)
                    for name, days in sorted(matches.items())
                ]
    in_force = [prohibition for prohibition in prohibitions if prohibition.phases]
    unknown = {result.company for result in owned if result.finding.standing is OwnerStanding.UNPROVEN}
    return Consequences(
        tuple(prohibition for prohibition in in_force if prohibition.certain),
        tuple(prohibition for prohibition in in_force if not prohibition.certain),
        tuple(result for result in owned if result.exposed),
        tuple(sorted(unknown)),
    )


def _stretches(hits: Iterable[ListHit], stakes: Sequence[Stake], horizon: tuple[date, date]) -> list[_Stretch]:
    return [
        _Stretch(
            span.start,
            span.end,
            tuple(stake for stake in stakes if stake.is_held(span.start)),
            Structure(stakes, span.start),
        )
        for span in spans_without_change(stakes, (hit.entry for hit in hits), *horizon)
        if span.start is not None and span.end is not None  # every span has both ends
    ]


def _matches_of_law(
    law: ListLaw,
    hits: Sequence[ListHit],
    stretches: Iterable[_Stretch],
    facilities: tuple[Mapping[str, set[str]], Mapping[str, set[str]]],
    threshold: float | None,
    owned: list[OwnedBy],
) -> dict[str, list[_Match]]:
    """Return the matches by company and facility. `facilities` is by operator, and by any name that an entry may contain."""
    operated, facilities_by_name = facilities
    matches: dict[str, list[_Match]] = defaultdict(list)
    for stretch in stretches:
        current = [hit for hit in hits if hit.entry.is_active(stretch.first)]
        certain = {hit.party.name for hit in current if is_listed_party(hit, threshold)}
        possible = {hit.party.name for hit in current if hit.band is Band.REVIEW} - certain
        owned_now = _ownership_results(law, stretch, certain, possible, operated)
        owned += owned_now
        named_matches, owner_matches = (
            _named_parties(stretch, current, certain, possible, facilities_by_name),
            _owned_operators(stretch, current, owned_now),
        )
        # An operator under review may also be owned by listed parties, which is at least as certain.
        for name, match in {**dict(named_matches), **dict(owner_matches)}.items():
            matches[name].append(match)
    return matches


def _ownership_results(
    law: ListLaw, stretch: _Stretch, certain: set[str], possible: set[str], operated: Mapping[str, set[str]]
) -> list[OwnedBy]:
    if not law.ownership:
        return []
    findings = stretch.structure.findings(certain, possible, RULES[law.ownership], operated)
    exposed = owned_by(stretch.stakes, certain | possible)
    return [
        OwnedBy(company, law, findings[company], stretch.first, tuple(sorted(operated[company])), company in exposed)
        for company in sorted(findings)
        if company in operated and company not in certain
    ]


def _named_parties(
    stretch: _Stretch,
    hits: Sequence[ListHit],
    certain: set[str],
    possible: set[str],
    facilities_by_name: Mapping[str, set[str]],
) -> Iterator[tuple[str, _Match]]:
    for name in sorted((certain | possible) & facilities_by_name.keys()):
        own_hits = [hit for hit in hits if hit.party.name == name]
        best = max(own_hits, key=lambda hit: (hit.band is Band.MATCH, hit.score))
        why = _why_named(name, best, certain=name in certain)
        yield name, _Match(stretch.first, stretch.last, name in certain, why, own_hits[0].file, (best,))


def _owned_operators(
    stretch: _Stretch, hits: Sequence[ListHit], results: Iterable[OwnedBy]
) -> Iterator[tuple[str, _Match]]:
    for result in results:
        standing = result.finding.standing
        if standing is OwnerStanding.OWNED or (standing is OwnerStanding.UNPROVEN and result.exposed):
            owners = [hit for hit in hits if result.company in owned_by(stretch.stakes, {hit.party.name})] or hits
            why = _why_owned(result, owners)
            file = next((hit.file for hit in hits if hit.party.name == result.company), hits[0].file)
            yield (
                result.company,
                _Match(stretch.first, stretch.last, standing is OwnerStanding.OWNED, why, file, tuple(owners)),
            )


def _prohibition(
    law: ListLaw, name: str, matches: Sequence[_Match], facilities: Iterable[str], horizon: tuple[date, date]
) -> Prohibition:
    phases: list[Phase] = []
    for match in _joined(matches):
        is_whole_plan = (match.first, match.last) == horizon
        for phase in law.within(None if is_whole_plan else match.first, None if is_whole_plan else match.last):
            doubtful = not match.certain and phase.status is PhaseStatus.ENACTED
            phases.append(phase.but(status=PhaseStatus.UNKNOWN, note=DOUBT) if doubtful else phase)
    most_certain = max(matches, key=lambda match: match.certain)
    return Prohibition(
        law,
        name,
        tuple(sorted(facilities)),
        tuple(phases),
        most_certain.certain,
        most_certain.why,
        matches[0].file,
        most_certain.causes,
    )


def _joined(matches: Iterable[_Match]) -> list[_Match]:
    joined: list[_Match] = []
    for match in matches:
        before = joined[-1] if joined else None
        if (
            before is not None
            and day_before(match.first) == before.last
            and (before.certain, before.why) == (match.certain, match.why)
        ):
            joined[-1] = replace(before, last=match.last)
        else:
            joined.append(match)
    return joined


def _why_named(company: str, hit: ListHit, *, certain: bool) -> str:
    if certain:
        return f"{company} is {entry_of(hit)}"
    return f"{company} may be {entry_of(hit)}: score {hit.score:.2f}, {hit.why}"


def _why_owned(result: OwnedBy, hits: Sequence[ListHit]) -> str:
    min_share, max_share = result.finding.min_share, result.finding.max_share
    share = f"{float(min_share):.4g}" if min_share == max_share else f"{float(min_share):.4g} to {float(max_share):.4g}"
    verb = "is" if result.finding.standing is OwnerStanding.OWNED else "may be"
    owners = dict.fromkeys(f"{hit.party.name}, {entry_of(hit)}" for hit in hits)
    return f"{result.company} {verb} owned by listed parties (a share of {share} by {result.law.ownership}): {'; '.join(owners)}"


def entry_of(hit: ListHit) -> str:
    return f"entry {hit.entry.id} of {hit.entry.list} ({hit.listed_as}; {hit.file} of {hit.edition})"


def owned_by(stakes: Iterable[Stake], parties: Iterable[str]) -> set[str]:
    """Return the companies in which some parties have any share along any chain of stakes."""
    chains = [stake for stake in stakes if stake.max_share]
    companies = set(parties)
    while grown := {stake.owned for stake in chains if stake.owner in companies} - companies:
        companies |= grown
    return companies - set(parties)


def is_listed_party(hit: ListHit, threshold: float | None) -> bool:
    if threshold is None or hit.decision is not None:
        return hit.band is Band.MATCH
    return hit.score >= threshold


def rules_of(prohibitions: Iterable[Prohibition]) -> dict[str, tuple[Prohibition, Rule]]:
    rules: dict[str, tuple[Prohibition, Rule]] = {}
    for prohibition in prohibitions:
        name = base = f"{prohibition.law.id}-{_slug(prohibition.company)}"
        number = 2
        while name in rules:
            name, number = f"{base}-{number}", number + 1
        rules[name] = (
            prohibition,
            prohibition.law.rule(
                name, prohibition.company, prohibition.facilities, prohibition.phases, prohibition.why
            ),
        )
    return rules


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or hashlib.sha256(text.encode()).hexdigest()[:8]
