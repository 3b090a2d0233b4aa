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

from .lists import CACHE_SIZE, ListEntry, ScreeningList, file_error
from .names import Band, Bands, Name, NameComparison, NameIndex, Weights, parse_name, readings
from .ownership import INDEPENDENT, Stake

ALL, NOTHING = Fraction(1), Fraction(0)


@dataclass(frozen=True, slots=True)
class Party:
    """A screened company, person, or facility."""

    name: str
    roles: tuple[str, ...]
    """`supplier`, `parent`, `owner`, `facility`. Lists also name plants."""
    facilities: tuple[str, ...]
    """Facilities that it runs or that have its name, with the facilities within them."""
    behind: tuple[str, ...]
    """These, and the facilities of operators that it owns along any chain, with any share."""
    countries: tuple[str, ...] = ()


def facilities_of(catalogs: Iterable[Catalog], overlaps: Iterable[Overlap]) -> tuple[Facility, ...]:
    """Return the facilities of a case, each with the operator of the nearest surrounding plant that names one.

    If the case identifies several records as one facility, all of them are returned with the same id, because each can name the operator.
    """
    kept_id = {name: overlap.keep.partition(":")[2] for overlap in overlaps for name in overlap.dropped}
    records: dict[str, list[Facility]] = defaultdict(list)
    for catalog in catalogs:
        homes = (catalog.name, *catalog.requires)
        for facility in catalog.facilities:
            facility_id = kept_id.get(f"{catalog.name}:{facility.id}", facility.id)
            kept_surroundings = (kept_id[name] for home in homes if (name := f"{home}:{facility.within}") in kept_id)
            records[facility_id].append(facility.but(id=facility_id, within=next(kept_surroundings, facility.within)))
    return tuple(
        facility.but(operator=operating.operator, parent=facility.parent or operating.parent)
        for facility_id in sorted(records)
        for facility in records[facility_id]
        for operating in _records_with_operator(facility, records)
    )


def _records_with_operator(facility: Facility, records: Mapping[str, Sequence[Facility]]) -> tuple[Facility, ...]:
    """Return the nearest records of a facility and its surrounding plants that name an operator. The facility itself if none does."""
    nearest: list[Facility] = [facility]
    seen = {facility.id}
    while nearest and not any(record.operator for record in nearest):
        surroundings = {record.within for record in nearest} & records.keys() - seen
        seen |= surroundings
        nearest = [record for name in sorted(surroundings) for record in records[name]]
    return tuple(record for record in nearest if record.operator) or (facility,)


def facilities_by_name(facilities: Iterable[Facility]) -> dict[str, set[str]]:
    records: dict[str, list[Facility]] = defaultdict(list)
    for facility in facilities:
        records[facility.id].append(facility)
    by_name: dict[str, set[str]] = defaultdict(set)
    for facility_id in records:
        seen, waiting = {facility_id}, [facility_id]
        while waiting:
            for record in records[waiting.pop()]:
                if record.name:
                    by_name[record.name].add(facility_id)
                if record.within in records and record.within not in seen:
                    seen.add(record.within)
                    waiting.append(record.within)
    return by_name


def company_names(facilities: Iterable[Facility]) -> frozenset[str]:
    names: set[str] = set()
    for facility in facilities:
        names |= {facility.supplier, *map(str.strip, facility.parent.split(";"))}
    return frozenset(names - {""})


def stated_stakes(facilities: Iterable[Facility]) -> tuple[Stake, ...]:
    """Return the stakes of the column `parent`. A single parent owns all of the operator. The shares of several parents are unknown."""
    stakes: dict[tuple[str, str], Stake] = {}
    for facility in facilities:
        parents = [text for part in facility.parent.split(";") if (text := part.strip())]
        for parent in parents:
            if _have_same_words(parent, facility.supplier):
                continue
            min_share = ALL if len(parents) == 1 else NOTHING
            source = f"parent of facility `{facility.id}`"
            stakes.setdefault(
                (parent, facility.supplier), Stake(parent, facility.supplier, min_share, ALL, source=source)
            )
    return _without_contradictions(stakes.values())


def _without_contradictions(stakes: Iterable[Stake]) -> tuple[Stake, ...]:
    """Return the stakes, with unknown shares where facilities name different parents for the same operator."""
    by_company: dict[str, list[Stake]] = defaultdict(list)
    for stake in stakes:
        by_company[stake.owned].append(stake)
    return tuple(
        stake if len(company_stakes) == 1 else Stake(stake.owner, stake.owned, NOTHING, ALL, source=stake.source)
        for company_stakes in by_company.values()
        for stake in company_stakes
    )


def all_stakes(facilities: Iterable[Facility], owners: Iterable[Stake]) -> tuple[Stake, ...]:
    """Return the stakes of the owner table, and those of `parent`, which may have any share of a company that the table covers."""
    table_stakes = tuple(owners)
    covered = {stake.owned for stake in table_stakes}
    stated_pairs = {(parse_name(stake.owner).words, stake.owned) for stake in table_stakes}
    return table_stakes + tuple(
        stake if stake.owned not in covered else replace(stake, min_share=NOTHING)
        for stake in stated_stakes(facilities)
        if (parse_name(stake.owner).words, stake.owned) not in stated_pairs
    )


def parties(facilities: Iterable[Facility], stakes: Iterable[Stake]) -> tuple[Party, ...]:
    """Return all parties behind some facilities, sorted by name. `independent` is not a party."""
    records = tuple(facilities)
    operated: dict[str, set[str]] = defaultdict(set)
    roles: dict[str, set[str]] = defaultdict(set)
    country_of = {facility.id: facility.country for facility in records}
    for facility in records:
        if facility.operator or facility.name:
            operated[facility.supplier].add(facility.id)
            roles[facility.supplier].add("supplier")
        if facility.name not in ("", facility.supplier):
            roles[facility.name].add("facility")
        for parent in filter(None, map(str.strip, facility.parent.split(";"))):
            roles[parent].add("parent")
    owned_companies: dict[str, set[str]] = defaultdict(set)
    for stake in stakes:
        if stake.owner != INDEPENDENT:
            owned_companies[stake.owner].add(stake.owned)
            roles[stake.owner].add("owner")
    named_facilities = facilities_by_name(records)
    parties = []
    for name in sorted(roles):
        own_facilities = operated.get(name, set()) | named_facilities.get(name, set())
        behind = _behind(name, owned_companies, operated) | own_facilities
        countries = tuple(sorted({country_of[facility] for facility in behind if country_of[facility]}))
        parties.append(
            Party(name, tuple(sorted(roles[name])), tuple(sorted(own_facilities)), tuple(sorted(behind)), countries)
        )
    return tuple(parties)


def _behind(party: str, owned_companies: Mapping[str, set[str]], operated: Mapping[str, set[str]]) -> set[str]:
    seen, waiting, facilities = {party}, [party], set()
    while waiting:
        company = waiting.pop()
        facilities |= operated.get(company, set())
        new = owned_companies.get(company, set()) - seen
        seen |= new
        waiting.extend(sorted(new))
    return facilities


def _have_same_words(first: str, second: str) -> bool:
    return parse_name(first).words == parse_name(second).words


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

    def applies_to(self, entry: ListEntry) -> bool:
        return self.content == entry.digest


def read_decisions(path: Path) -> tuple[ReviewDecision, ...]:
    file, rows = read_record_rows(path, ReviewDecision, "Decisions of reviewers about similar names.")
    seen: dict[tuple[str, str, str], int] = {}
    problems = []
    for row in rows:
        key = (row.record.party, row.record.list, row.record.entry)
        first_line = seen.setdefault(key, row.line)
        if first_line != row.line:
            message = f"line {first_line} has a decision on the same entry"
            problems.append(Diagnostic(message, file, row.line, fix="delete one", code="FS948"))
        if not all(text.strip() for text in (row.record.by, row.record.reason)):
            fix = "fill in `by` and `reason`"
            problems.append(Diagnostic("reviewer or reason is missing", file, row.line, fix=fix, code="FS948"))
        if row.record.day > today():
            day, expected = str(row.record.day), f"{today()} or earlier"
            message = "the decision has a future date"
            problems.append(Diagnostic(message, file, row.line, "date", day, expected, "correct the date", "FS948"))
    if problems:
        raise file_error(problems)
    return tuple(row.record for row in rows)


def decision_rows(rows: Sequence[tuple[str, ListEntry]]) -> str:
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("party", "list", "entry", "decision", "by", "date", "reason", "content"))
    writer.writerows((party, entry.list, entry.id, "", "", "", "", entry.digest) for party, entry in rows)
    return text.getvalue()


_NO_COMPANY = frozenset({"vessel", "aircraft"})
_PERSON = "individual"


@dataclass(frozen=True, slots=True)
class ListHit:
    """A party that may be on a list."""

    party: Party
    entry: ListEntry
    listed_as: str
    band: Band
    comparison: NameComparison
    file: str
    edition: date
    decision: ReviewDecision | None = None
    """None if there is none, or if the entry has changed since."""
    lapsed: ReviewDecision | None = None
    """Decision from before the entry changed."""

    @property
    def score(self) -> float:
        return self.comparison.score

    @property
    def why(self) -> str:
        comparison = self.comparison
        parts = []
        same = [pair.words for pair in comparison.agreed if pair.likeness == 1]
        similar = [f"{pair.words} ~ {pair.other}" for pair in comparison.agreed if pair.likeness < 1]
        if same or similar:
            parts.append("agree: " + ", ".join(same + similar))
        if comparison.lacking:
            parts.append("only in the case: " + " ".join(comparison.lacking))
        if comparison.others:
            parts.append("only on the list: " + " ".join(comparison.others))
        if comparison.forms != ("", ""):
            parts.append(f"different legal forms: {comparison.forms[0]}, {comparison.forms[1]}")
        if self.listed_as in self.entry.weak:
            parts.append("weak alias of the list")
        return "; ".join(parts)


def is_active_from(entry: ListEntry, day: date) -> bool:
    return entry.end is None or entry.end >= day


def screen(
    parties: Sequence[Party],
    lists: Iterable[ScreeningList],
    bands: Bands,
    decisions: Iterable[ReviewDecision] = (),
    day: date = date.min,
) -> list[ListHit]:
    """Return matches, reviews, and parties decided to be others, by party and with the most similar first.

    The most similar name of an entry counts. A weak alias leads to a review at most. Persons are compared only with owners.
    """
    entries = _entry_index(tuple(lists), day, bands.review)
    decision_by_key = {(each.party, each.list, each.entry): each for each in decisions}
    hits = []
    for party, position, comparison, listed_name in entries.best(parties):
        screening_list, entry = entries.entries[position]
        if entry.kind == _PERSON and "owner" not in party.roles:
            continue
        band = bands.of(comparison.score)
        if listed_name in entry.weak and band is Band.MATCH:
            band = Band.REVIEW
        decision = decision_by_key.get((party.name, entry.list, entry.id))
        applicable = decision if decision is not None and decision.applies_to(entry) else None
        if applicable is not None:
            band = Band.MATCH if applicable.decision == "same" else Band.NONE
        lapsed = decision if applicable is None else None
        hits.append(
            ListHit(
                party,
                entry,
                listed_name,
                band,
                comparison,
                screening_list.file,
                screening_list.edition,
                applicable,
                lapsed,
            )
        )
    return sorted(hits, key=lambda hit: (hit.party.name, -hit.score, hit.entry.list, hit.entry.id))


class _EntryIndex:
    """Search index of the entries of lists, with cached results for each name."""

    def __init__(self, lists: Iterable[ScreeningList], day: date, min_score: float) -> None:
        self.entries = [
            (screening_list, entry)
            for screening_list in lists
            for entry in screening_list.entries
            if is_active_from(entry, day) and entry.kind not in _NO_COMPANY
        ]
        self._min_score = min_score
        self._source_of_name: list[tuple[int, str]] = []
        names: list[Name] = []
        for position, (_, entry) in enumerate(self.entries):
            for listed_name in entry.names:
                possible_names = readings(listed_name)
                names += possible_names
                self._source_of_name += [(position, listed_name)] * len(possible_names)
        self._index = NameIndex(names, Weights.of(names))
        self._results: dict[str, dict[int, tuple[NameComparison, str]]] = {}

    def best(self, parties: Iterable[Party]) -> Iterator[tuple[Party, int, NameComparison, str]]:
        party_list = list(parties)
        self._look_up({party.name for party in party_list} - self._results.keys())
        for party in party_list:
            for position, (comparison, listed_name) in self._results[party.name].items():
                yield party, position, comparison, listed_name

    def _look_up(self, names: Iterable[str]) -> None:
        queries = [(name, reading) for name in sorted(names) for reading in readings(name)]
        for spelled in names:
            self._results[spelled] = {}
        for query, hits in self._index.find([reading for _, reading in queries], self._min_score):
            best = self._results[queries[query][0]]
            for hit in hits:
                position, listed_name = self._source_of_name[hit.position]
                if position not in best or hit.comparison.score > best[position][0].score:
                    best[position] = hit.comparison, listed_name


@lru_cache(maxsize=CACHE_SIZE)
def _entry_index(lists: tuple[ScreeningList, ...], day: date, min_score: float) -> _EntryIndex:
    return _EntryIndex(lists, day, min_score)
