"""Parties barred by a list: the law of each list, the companies that listed parties own, and the effect on a case."""

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
from .matching import ListHit, plants
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
    """Programs of the list that another law covers."""
    id: str = ""
    """Empty if it bars no purchases."""
    title: str = ""
    says: str = ""
    """Effect of a law that bars no purchases."""
    citation: str
    source: str
    note: str = ""
    buyers: tuple[str, ...] = ()
    """Countries or groups whose buyers it binds. Empty means all."""
    end_uses: tuple[str, ...] = ()
    """End uses that it covers. Empty means all."""
    ownership: OwnershipRule = ""
    """Rule for companies that listed parties own. Empty if it doesn't cover them."""
    phases: tuple[Phase, ...] = ()

    def is_about(self, entry: ListEntry) -> bool:
        """Return True if it covers an entry: one of its list and of one of its programs."""
        told = set(entry.programs)
        mine = not self.programs or bool(told & set(self.programs))
        return entry.list == self.list and mine and not (told and told <= set(self.besides))

    @property
    def places(self) -> frozenset[str]:
        """Country codes of the buyers that it binds. Empty means all."""
        found = frozenset(code for word in self.buyers for code in countries_of(word))
        return found | _POSSESSIONS if "US" in found else found

    def binds(self, places: Iterable[str]) -> bool:
        """Return True if it binds a buyer in one of the countries."""
        return not self.buyers or not self.places.isdisjoint(places)

    def status(self, day: date) -> str:
        """Return its status on a day: `unknown` if its dates are unknown, empty if it isn't in force."""
        if not self.phases:
            return "unknown"
        held = (phase for phase in self.phases if phase.span.meets(Span(start=day, end=day)))
        return next((phase.status.value for phase in held), "")

    def rule(self, name: str, party: str, facilities: Iterable[str], phases: Sequence[Phase], why: str) -> Rule:
        """Return a rule that excludes the output of a party's facilities from a plan, with the reason."""
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
        """Return its phases, limited to a date range."""
        cut = (_cut(phase, start, end) for phase in self.phases)
        return tuple(phase for phase in cut if phase is not None)


def _cut(phase: Phase, start: date | None, end: date | None) -> Phase | None:
    first = max((day for day in (phase.start, start) if day is not None), default=None)
    last = min((day for day in (phase.end, end) if day is not None), default=None)
    if first is not None and last is not None and last < first:
        return None
    return phase.model_copy(update={"start": first, "end": last})


def day_before(day: date) -> date:
    """Return the day before a day."""
    return day - timedelta(days=1)


@lru_cache(maxsize=1)
def laws() -> tuple[ListLaw, ...]:
    """Return the contents of `law.toml`, with the laws that bar purchases first."""
    data = tomllib.loads(files(__package__).joinpath("law.toml").read_text(encoding="utf-8"))
    return tuple(ListLaw.model_validate(one) for key in ("bar", "other") for one in data[key])


DOUBT = "it is not known whether the company is the listed one, or owned by such"
"""Reason for a phase that may not apply to a company."""


@dataclass(frozen=True, slots=True)
class ListBar:
    """Definite or possible effect of one law on one company or facility."""

    law: ListLaw
    company: str
    """Name of the company or the facility."""
    facilities: tuple[str, ...]
    """Facilities that the company runs, or that have the name."""
    phases: tuple[Phase, ...]
    """Phases, with status unknown if the match is uncertain."""
    sure: bool
    """True if the match is certain on some day."""
    why: str
    """Matching entry or listed owner, certain or possible."""
    file: str
    """List that causes it."""


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
    """All effects of the lists on a case."""

    bars: tuple[ListBar, ...]
    """Companies that are listed, or that listed parties own."""
    doubts: tuple[ListBar, ...]
    """Companies that may be listed or owned by listed parties."""
    owned: tuple[OwnedBy, ...]
    """Operators that listed parties own, definitely or possibly."""
    unknown: tuple[str, ...]
    """Operators without a complete list of owners, which no ownership rule clears."""

    @property
    def facilities(self) -> frozenset[str]:
        """Facilities barred by some law on some day."""
        return frozenset(facility for bar in self.bars for facility in bar.facilities)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Days of a plan with the same shares and the same entries."""

    first: date
    last: date
    stakes: tuple[Stake, ...]
    """Stakes held on these days."""
    structure: Structure


@dataclass(frozen=True, slots=True)
class _Meant:
    """A definite or possible match of a company or facility with a law on some days."""

    first: date
    last: date
    sure: bool
    why: str
    file: str
    """List that causes it."""


def unchanged(stakes: Iterable[Stake], entries: Iterable[ListEntry], start: date, end: date) -> list[Span]:
    """Return the date ranges of a plan in which the shares and the entries stay the same."""
    spans = [(one.start, one.end) for one in stakes] + [(one.start, one.end) for one in entries]
    turns = {first for first, _ in spans if first is not None and start < first <= end}
    turns |= {last + timedelta(days=1) for _, last in spans if last is not None and start <= last < end}
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
    """Return the effects of the lists. Matches are listed and reviews may be, from the first day of the entry to the last.

    Args:
        hits: Matches and reviews.
        facilities: Facilities of the case.
        stakes: Shares of parties in companies.
        laws: Laws of the lists.
        horizon: First and last day.
        threshold: Minimum score at which names count as listed, instead of bands. Decisions still apply.
        places: Countries of the buyers. None means any country.
    """
    runs: dict[str, set[str]] = defaultdict(set)
    for facility in facilities:
        runs[facility.supplier].add(facility.id)
    called = plants(facilities)
    bears = {name: runs.get(name, set()) | called.get(name, set()) for name in runs.keys() | called.keys()}
    stretches = _stretches(hits, stakes, horizon)
    bars: list[ListBar] = []
    owned: list[OwnedBy] = []
    for law in laws:
        if law.id or law.ownership:
            own = [hit for hit in hits if law.is_about(hit.entry) and hit.band is not Band.NONE]
            meant = _by_law(law, own, stretches, (runs, bears), threshold, owned)
            if law.id and (places is None or law.binds(places)):
                bars += [_bar(law, name, days, bears[name], horizon) for name, days in sorted(meant.items())]
    held = [bar for bar in bars if bar.phases]
    unknown = {one.company for one in owned if one.finding.standing is OwnerStanding.UNPROVEN}
    return Consequences(
        tuple(bar for bar in held if bar.sure),
        tuple(bar for bar in held if not bar.sure),
        tuple(one for one in owned if one.exposed),
        tuple(sorted(unknown)),
    )


def _stretches(hits: Iterable[ListHit], stakes: Sequence[Stake], horizon: tuple[date, date]) -> list[_Stretch]:
    """Return the stretches of a plan."""
    return [
        _Stretch(span.start, span.end, tuple(s for s in stakes if s.held(span.start)), Structure(stakes, span.start))
        for span in unchanged(stakes, (hit.entry for hit in hits), *horizon)
        if span.start is not None and span.end is not None  # none is open at an end
    ]


def _by_law(
    law: ListLaw,
    hits: Sequence[ListHit],
    stretches: Iterable[_Stretch],
    facilities: tuple[Mapping[str, set[str]], Mapping[str, set[str]]],
    threshold: float | None,
    owned: list[OwnedBy],
) -> dict[str, list[_Meant]]:
    """Return the definite and possible matches by company and facility, in order of days. Add results of the ownership rule to `owned`.

    `facilities` maps operators to the facilities that they run, and every name that an entry may contain to the facilities with that name.
    """
    runs, bears = facilities
    meant: dict[str, list[_Meant]] = defaultdict(list)
    for stretch in stretches:
        now = [hit for hit in hits if hit.entry.stands(stretch.first)]
        sure = {hit.party.name for hit in now if counts(hit, threshold)}
        may = {hit.party.name for hit in now if hit.band is Band.REVIEW} - sure
        found = _owned(law, stretch, sure, may, runs)
        owned += found
        named, held = _named(stretch, now, sure, may, bears), _held(stretch, now, found)
        # Who is owned, or perhaps, and under review: the surer of the two counts.
        for name, one in {**dict(named), **dict(held)}.items():
            meant[name].append(one)
    return meant


def _owned(
    law: ListLaw, stretch: _Stretch, sure: set[str], may: set[str], runs: Mapping[str, set[str]]
) -> list[OwnedBy]:
    """Return the result of the ownership rule for each operator that isn't itself listed."""
    if not law.ownership:
        return []
    findings = stretch.structure.findings(sure, may, RULES[law.ownership], runs)
    exposed = reached(stretch.stakes, sure | may)
    return [
        OwnedBy(one, law, findings[one], stretch.first, tuple(sorted(runs[one])), one in exposed)
        for one in sorted(findings)
        if one in runs and one not in sure
    ]


def _named(
    stretch: _Stretch, hits: Sequence[ListHit], sure: set[str], may: set[str], bears: Mapping[str, set[str]]
) -> Iterator[tuple[str, _Meant]]:
    """Yield the operators and facilities that entries name, definitely or possibly."""
    for name in sorted((sure | may) & bears.keys()):
        own = [hit for hit in hits if hit.party.name == name]
        why = _entry(name, own, sure=name in sure)
        yield name, _Meant(stretch.first, stretch.last, name in sure, why, own[0].file)


def _held(stretch: _Stretch, hits: Sequence[ListHit], owned: Iterable[OwnedBy]) -> Iterator[tuple[str, _Meant]]:
    """Yield the operators that listed parties own, or may own because they have some share."""
    for one in owned:
        standing = one.finding.standing
        if standing is OwnerStanding.OWNED or (standing is OwnerStanding.UNPROVEN and one.exposed):
            owners = [hit for hit in hits if one.company in reached(stretch.stakes, {hit.party.name})] or hits
            why = _owners(one, owners)
            file = next((hit.file for hit in hits if hit.party.name == one.company), hits[0].file)
            yield one.company, _Meant(stretch.first, stretch.last, standing is OwnerStanding.OWNED, why, file)


def _bar(
    law: ListLaw, name: str, meant: Sequence[_Meant], facilities: Iterable[str], horizon: tuple[date, date]
) -> ListBar:
    """Return the effect of a law on a company or facility that it covers, definitely or possibly, on some days of a plan."""
    phases: list[Phase] = []
    for one in _joined(meant):
        whole = (one.first, one.last) == horizon
        for phase in law.within(None if whole else one.first, None if whole else one.last):
            doubtful = not one.sure and phase.status is PhaseStatus.ENACTED
            phases.append(phase.but(status=PhaseStatus.UNKNOWN, note=DOUBT) if doubtful else phase)
    surest = max(meant, key=lambda one: one.sure)
    return ListBar(law, name, tuple(sorted(facilities)), tuple(phases), surest.sure, surest.why, meant[0].file)


def _joined(meant: Iterable[_Meant]) -> list[_Meant]:
    """Merge adjacent stretches with the same contents."""
    found: list[_Meant] = []
    for one in meant:
        before = found[-1] if found else None
        if (
            before is not None
            and day_before(one.first) == before.last
            and (before.sure, before.why) == (one.sure, one.why)
        ):
            found[-1] = replace(before, last=one.last)
        else:
            found.append(one)
    return found


def _entry(company: str, hits: Sequence[ListHit], *, sure: bool) -> str:
    """Return the entry that the company matches, definitely or possibly."""
    best = max(hits, key=lambda hit: (hit.band is Band.MATCH, hit.score))
    if sure:
        return f"{company} is {entry_of(best)}"
    return f"{company} may be {entry_of(best)}: score {best.score:.2f}, {best.why}"


def _owners(one: OwnedBy, hits: Sequence[ListHit]) -> str:
    """Return the owners through which listed parties own a company, definitely or possibly."""
    least, most = one.finding.least, one.finding.most
    share = f"{float(least):.4g}" if least == most else f"{float(least):.4g} to {float(most):.4g}"
    verb = "is" if one.finding.standing is OwnerStanding.OWNED else "may be"
    owners = dict.fromkeys(f"{hit.party.name}, {entry_of(hit)}" for hit in hits)
    return (
        f"{one.company} {verb} owned by listed parties (a share of {share} by {one.law.ownership}): {'; '.join(owners)}"
    )


def entry_of(hit: ListHit) -> str:
    """Return the name of an entry: `entry 7 of us-sdn (Example Metals Ltd.; sdn.csv of 2026-11-20)`."""
    return f"entry {hit.entry.id} of {hit.entry.list} ({hit.listed_as}; {hit.file} of {hit.edition})"


def reached(held: Iterable[Stake], parties: Iterable[str]) -> set[str]:
    """Return the companies in which some parties have any share along any chain of held stakes."""
    chains = [stake for stake in held if stake.most]
    found = set(parties)
    while grown := {stake.owned for stake in chains if stake.owner in found} - found:
        found |= grown
    return found - set(parties)


def counts(hit: ListHit, threshold: float | None) -> bool:
    """Return True if a hit counts as the listed party."""
    if threshold is None or hit.decision is not None:
        return hit.band is Band.MATCH
    return hit.score >= threshold


def rules_of(bars: Iterable[ListBar]) -> dict[str, tuple[ListBar, Rule]]:
    """Return the bars as rules with unique names."""
    made: dict[str, tuple[ListBar, Rule]] = {}
    for bar in bars:
        name = own = f"{bar.law.id}-{_slug(bar.company)}"
        number = 2
        while name in made:
            name, number = f"{own}-{number}", number + 1
        made[name] = (bar, bar.law.rule(name, bar.company, bar.facilities, bar.phases, bar.why))
    return made


def _slug(text: str) -> str:
    """Return a company's name as a part of a rule's name."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or hashlib.sha256(text.encode()).hexdigest()[:8]
