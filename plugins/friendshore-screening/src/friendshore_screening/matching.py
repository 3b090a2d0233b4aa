"""Matches between the parties of a case and the entries of screening lists, with decisions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from friendshore.domain.base import Record
from friendshore.domain.case import Overlap
from friendshore.domain.facts import Catalog, Facility
from friendshore.domain.time import today
from friendshore.domain.written import Written
from friendshore.errors import Diagnostic
from friendshore.readers import read_record_rows

from .lists import KEPT, ListEntry, ScreeningList, refused
from .names import Band, Bands, Name, NameComparison, NameIndex, Weights, name, readings
from .ownership import INDEPENDENT, Stake

ALL, NOTHING = Fraction(1), Fraction(0)


@dataclass(frozen=True, slots=True)
class Party:
    """A screened company, person, or facility."""

    name: str
    roles: tuple[str, ...]
    """All its roles: `supplier`, `parent`, `owner`, `facility`. Lists also name plants."""
    facilities: tuple[str, ...]
    """Facilities that it runs or that have its name, with the facilities within them."""
    behind: tuple[str, ...]
    """These, and the facilities of operators that it owns along any chain, with any share."""
    countries: tuple[str, ...] = ()
    """Countries of these facilities."""


def facilities_of(catalogs: Iterable[Catalog], overlaps: Iterable[Overlap]) -> tuple[Facility, ...]:
    """Return the facilities of a case. One without an operator gets the operator of the plant or surrounding plant that it belongs to.

    If the case identifies several records as one facility, all of them are returned with the name of the record that counts. A record that doesn't
    count can still name the operator.

    Args:
        catalogs: Catalogs as read.
        overlaps: Facilities that the case identifies as one.
    """
    into = {name: one.keep.partition(":")[2] for one in overlaps for name in one.dropped}
    listed: dict[str, list[Facility]] = defaultdict(list)
    for catalog in catalogs:
        homes = (catalog.name, *catalog.requires)
        for facility in catalog.facilities:
            own = into.get(f"{catalog.name}:{facility.id}", facility.id)
            around = (into[name] for home in homes if (name := f"{home}:{facility.within}") in into)
            listed[own].append(facility.but(id=own, within=next(around, facility.within)))
    return tuple(
        facility.but(operator=runs.operator, parent=facility.parent or runs.parent)
        for own in sorted(listed)
        for facility in listed[own]
        for runs in _run_by(facility, listed)
    )


def _run_by(facility: Facility, listed: Mapping[str, Sequence[Facility]]) -> tuple[Facility, ...]:
    """Return the nearest of a facility and its surrounding plants that name an operator. The facility itself if none does."""
    nearest: list[Facility] = [facility]
    seen = {facility.id}
    while nearest and not any(one.operator for one in nearest):
        around = {one.within for one in nearest} & listed.keys() - seen
        seen |= around
        nearest = [one for name in sorted(around) for one in listed[name]]
    return tuple(one for one in nearest if one.operator) or (facility,)


def plants(facilities: Iterable[Facility]) -> dict[str, set[str]]:
    """Return name -> facilities with the name, and all facilities within them."""
    listed: dict[str, list[Facility]] = defaultdict(list)
    for facility in facilities:
        listed[facility.id].append(facility)
    found: dict[str, set[str]] = defaultdict(set)
    for own in listed:
        seen, waiting = {own}, [own]
        while waiting:
            for one in listed[waiting.pop()]:
                if one.name:
                    found[one.name].add(own)
                if one.within in listed and one.within not in seen:
                    seen.add(one.within)
                    waiting.append(one.within)
    return found


def called(facilities: Iterable[Facility]) -> frozenset[str]:
    """Return the names of suppliers and parents, with several parents separated."""
    names: set[str] = set()
    for facility in facilities:
        names |= {facility.supplier, *map(str.strip, facility.parent.split(";"))}
    return frozenset(names - {""})


def stated_stakes(facilities: Iterable[Facility]) -> tuple[Stake, ...]:
    """Return the stakes of the column `parent`: all of the operator, on every day. With several parents separated by `;`, the shares are unknown."""
    found: dict[tuple[str, str], Stake] = {}
    for facility in facilities:
        parents = [text for part in facility.parent.split(";") if (text := part.strip())]
        for parent in parents:
            if _same(parent, facility.supplier):
                continue
            least = ALL if len(parents) == 1 else NOTHING
            source = f"parent of facility `{facility.id}`"
            found.setdefault((parent, facility.supplier), Stake(parent, facility.supplier, least, ALL, source=source))
    return _consistent(found.values())


def _consistent(stakes: Iterable[Stake]) -> tuple[Stake, ...]:
    """Make the shares unknown if facilities name different parents for the same operator."""
    of: dict[str, list[Stake]] = defaultdict(list)
    for stake in stakes:
        of[stake.owned].append(stake)
    return tuple(
        stake if len(held) == 1 else Stake(stake.owner, stake.owned, NOTHING, ALL, source=stake.source)
        for held in of.values()
        for stake in held
    )


def all_stakes(facilities: Iterable[Facility], owners: Iterable[Stake]) -> tuple[Stake, ...]:
    """Return the stakes of the owner table, and those of `parent` for companies that the table doesn't cover.

    If the table covers a company but not its parent, the parent may own the remaining share.
    """
    told = tuple(owners)
    owned = {stake.owned for stake in told}
    named = {(name(stake.owner).words, stake.owned) for stake in told}
    return told + tuple(
        stake if stake.owned not in owned else replace(stake, least=NOTHING)
        for stake in stated_stakes(facilities)
        if (name(stake.owner).words, stake.owned) not in named
    )


def parties(facilities: Iterable[Facility], stakes: Iterable[Stake]) -> tuple[Party, ...]:
    """Return all parties behind some facilities, with the names of these, sorted by name. `independent` is not a party."""
    listed = tuple(facilities)
    runs: dict[str, set[str]] = defaultdict(set)
    roles: dict[str, set[str]] = defaultdict(set)
    lies = {facility.id: facility.country for facility in listed}
    for facility in listed:
        if facility.operator or facility.name:
            runs[facility.supplier].add(facility.id)
            roles[facility.supplier].add("supplier")
        if facility.name not in ("", facility.supplier):
            roles[facility.name].add("facility")
        for parent in filter(None, map(str.strip, facility.parent.split(";"))):
            roles[parent].add("parent")
    owned: dict[str, set[str]] = defaultdict(set)
    for stake in stakes:
        if stake.owner != INDEPENDENT:
            owned[stake.owner].add(stake.owned)
            roles[stake.owner].add("owner")
    called_so = plants(listed)
    found = []
    for one in sorted(roles):
        own = runs.get(one, set()) | called_so.get(one, set())
        behind = _behind(one, owned, runs) | own
        where = tuple(sorted({lies[facility] for facility in behind if lies[facility]}))
        found.append(Party(one, tuple(sorted(roles[one])), tuple(sorted(own)), tuple(sorted(behind)), where))
    return tuple(found)


def _behind(one: str, owned: Mapping[str, set[str]], runs: Mapping[str, set[str]]) -> set[str]:
    """Return the facilities that a party runs, or that companies it owns run."""
    seen, waiting, found = {one}, [one], set()
    while waiting:
        company = waiting.pop()
        found |= runs.get(company, set())
        new = owned.get(company, set()) - seen
        seen |= new
        waiting.extend(sorted(new))
    return found


def _same(one: str, other: str) -> bool:
    return name(one).words == name(other).words


class ReviewDecision(Record):
    """A row of the decision table."""

    party: Annotated[str, Written("Example Metals")]
    """Party of the case."""
    list: Annotated[str, Written("us-sdn")]
    entry: Annotated[str, Written("12345")]
    """Id of the entry, as shown by `screen`."""
    decision: Annotated[Literal["same", "other"], Written("other")]
    """`same` if the party is the listed one, `other` if not."""
    by: Annotated[str, Written("J. Doe")]
    """Name of the reviewer."""
    day: Annotated[date, Written("2026-11-27", "date")]
    """Day of the decision."""
    reason: Annotated[str, Written("registered in another country, other directors")]
    content: Annotated[str, Written("5d697dd96d13afe5")]
    """Hash of the entry at the time of the decision, as shown by `screen`. If the entry changes, the decision lapses."""

    def honoured(self, entry: ListEntry) -> bool:
        """Return True if the entry hasn't changed."""
        return self.content == entry.digest


def read_decisions(path: Path) -> tuple[ReviewDecision, ...]:
    """Read the decision table.

    Raises:
        InputError: With all errors in it, including two decisions on the same entry and future dates.
    """
    file, rows = read_record_rows(path, ReviewDecision, "What a reviewer decided about names that look alike.")
    seen: dict[tuple[str, str, str], int] = {}
    found = []
    for row in rows:
        key = (row.record.party, row.record.list, row.record.entry)
        before = seen.setdefault(key, row.line)
        if before != row.line:
            found.append(Diagnostic(f"line {before} already decides about this", file, row.line, fix="delete one"))
        if not all(text.strip() for text in (row.record.by, row.record.reason)):
            found.append(Diagnostic("does not say by whom, or why", file, row.line, expected="a name and a reason"))
        if row.record.day > today():
            found.append(
                Diagnostic("is of a day to come", file, row.line, "date", str(row.record.day), f"{today()} or before")
            )
    if found:
        raise refused(found)
    return tuple(row.record for row in rows)


def draft(rows: Sequence[tuple[str, ListEntry]]) -> str:
    """Return table rows for open decisions, with party, list, entry, and hash."""
    import csv
    import io

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("party", "list", "entry", "decision", "by", "date", "reason", "content"))
    writer.writerows((party, entry.list, entry.id, "", "", "", "", entry.digest) for party, entry in rows)
    return out.getvalue()


_NO_COMPANY = frozenset({"vessel", "aircraft"})
_PERSON = "individual"


@dataclass(frozen=True, slots=True)
class ListHit:
    """A party that may be on a list."""

    party: Party
    entry: ListEntry
    listed_as: str
    """Most similar name of the entry."""
    band: Band
    """Band, with the reviewer's decision applied."""
    comparison: NameComparison
    file: str
    edition: date
    decision: ReviewDecision | None = None
    """Decision on the entry. None if there is none, or if the entry has changed since."""
    lapsed: ReviewDecision | None = None
    """Decision before the entry changed. None if there is none."""

    @property
    def score(self) -> float:
        """Similarity of the names, from 0 to 1."""
        return self.comparison.score

    @property
    def why(self) -> str:
        """Agreements and differences, in words."""
        found = self.comparison
        told = []
        same = [pair.words for pair in found.agreed if pair.likeness == 1]
        like = [f"{pair.words} ~ {pair.other}" for pair in found.agreed if pair.likeness < 1]
        if same or like:
            told.append("agree: " + ", ".join(same + like))
        if found.lacking:
            told.append("only here: " + " ".join(found.lacking))
        if found.others:
            told.append("only on the list: " + " ".join(found.others))
        if found.forms != ("", ""):
            told.append(f"another legal form: {found.forms[0]}, {found.forms[1]}")
        if self.listed_as in self.entry.weak:
            told.append("an alias that the list calls weak")
        return "; ".join(told)


def active(entry: ListEntry, day: date) -> bool:
    """Return True if an entry is on its list on a day or later."""
    return entry.end is None or entry.end >= day


def screen(
    parties: Sequence[Party],
    lists: Iterable[ScreeningList],
    bands: Bands,
    decisions: Iterable[ReviewDecision] = (),
    day: date = date.min,
) -> list[ListHit]:
    """Return matches, reviews, and parties decided to be others, by party and with the most similar first.

    The most similar name of an entry counts. A weak alias leads to a review at most. Ships and aircraft are skipped, and persons are compared only
    with owners. Entries that ended before `day` are left out.
    """
    found = _entries_of(tuple(lists), day, bands.review)
    known = {(one.party, one.list, one.entry): one for one in decisions}
    hits = []
    for party, at, comparison, stated in found.best(parties):
        one, entry = found.entries[at]
        if entry.kind == _PERSON and "owner" not in party.roles:
            continue
        band = bands.of(comparison.score)
        if stated in entry.weak and band is Band.MATCH:
            band = Band.REVIEW
        told = known.get((party.name, entry.list, entry.id))
        decided = told if told is not None and told.honoured(entry) else None
        if decided is not None:
            band = Band.MATCH if decided.decision == "same" else Band.NONE
        lapsed = told if decided is None else None
        hits.append(ListHit(party, entry, stated, band, comparison, one.file, one.edition, decided, lapsed))
    return sorted(hits, key=lambda hit: (hit.party.name, -hit.score, hit.entry.list, hit.entry.id))


class _Entries:
    """Entries of lists, with cached results for each name."""

    def __init__(self, lists: Iterable[ScreeningList], day: date, least: float) -> None:
        self.entries = [
            (one, entry)
            for one in lists
            for entry in one.entries
            if active(entry, day) and entry.kind not in _NO_COMPANY
        ]
        self._least = least
        self._of: list[tuple[int, str]] = []
        names: list[Name] = []
        for at, (_, entry) in enumerate(self.entries):
            for stated in entry.names:
                read = readings(stated)
                names += read
                self._of += [(at, stated)] * len(read)
        self._index = NameIndex(names, Weights.of(names))
        self._found: dict[str, dict[int, tuple[NameComparison, str]]] = {}

    def best(self, parties: Iterable[Party]) -> Iterator[tuple[Party, int, NameComparison, str]]:
        """Yield each party with each entry whose score is high enough, and their most similar names."""
        asked = list(parties)
        self._look_up({party.name for party in asked} - self._found.keys())
        for party in asked:
            for at, (comparison, stated) in self._found[party.name].items():
                yield party, at, comparison, stated

    def _look_up(self, names: Iterable[str]) -> None:
        asked = [(name, reading) for name in sorted(names) for reading in readings(name)]
        for spelled in names:
            self._found[spelled] = {}
        for n, found in self._index.find([reading for _, reading in asked], self._least):
            best = self._found[asked[n][0]]
            for hit in found:
                at, stated = self._of[hit.at]
                if at not in best or hit.comparison.score > best[at][0].score:
                    best[at] = hit.comparison, stated


@lru_cache(maxsize=KEPT)
def _entries_of(lists: tuple[ScreeningList, ...], day: date, least: float) -> _Entries:
    """Return the entries of lists that haven't ended on a day, for names with a score of at least `least`. They are cached for other cases."""
    return _Entries(lists, day, least)
