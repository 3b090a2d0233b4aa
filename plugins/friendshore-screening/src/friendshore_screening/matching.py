"""Parties of a case against entries of lists: what matches, what is to be looked at, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from .decisions import ReviewDecision
from .lists.entries import KEPT, ListEntry, ScreeningList
from .names.index import NameIndex
from .names.normal import Name, readings
from .names.score import Band, Bands, NameComparison, Weights
from .parties import Party

_NO_COMPANY = frozenset({"vessel", "aircraft"})
_PERSON = "individual"


@dataclass(frozen=True, slots=True)
class ListHit:
    """A party that may stand on a list."""

    party: Party
    entry: ListEntry
    listed_as: str
    """The entry's name that is most alike."""
    band: Band
    """After what a reviewer decided."""
    comparison: NameComparison
    file: str
    edition: date
    decision: ReviewDecision | None = None
    """What was decided about it, where the entry is as it was."""
    lapsed: ReviewDecision | None = None
    """What was decided about it before the entry changed."""

    @property
    def score(self) -> float:
        """How much the names are alike, from 0 to 1."""
        return self.comparison.score

    @property
    def why(self) -> str:
        """What agrees and what does not, in words."""
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
    """Whether an entry stands on its list on a day or later."""
    return entry.end is None or entry.end >= day


def screen(
    parties: Sequence[Party],
    lists: Iterable[ScreeningList],
    bands: Bands,
    decisions: Iterable[ReviewDecision] = (),
    day: date = date.min,
) -> list[ListHit]:
    """Everybody who matches or is to be looked at, and what was decided to be another; by party, the most alike first.

    Of an entry the name counts that is most alike; a weak alias is to be looked at, at most. Ships and aircraft are no company, and a person
    is compared with owners alone. Entries that ended before `day` are left out.
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
    """Entries of lists, and what was found of names that were looked up in them: a name is looked up once."""

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
        """Each party with each entry whose score is high enough: of all that either may be called, the names that are most alike."""
        asked = list(parties)
        self._look_up({party.name for party in asked} - self._found.keys())
        for party in asked:
            for at, (comparison, stated) in self._found[party.name].items():
                yield party, at, comparison, stated

    def _look_up(self, names: Iterable[str]) -> None:
        asked = [(name, reading) for name in sorted(names) for reading in readings(name)]
        for name in names:
            self._found[name] = {}
        for n, found in self._index.find([reading for _, reading in asked], self._least):
            best = self._found[asked[n][0]]
            for hit in found:
                at, stated = self._of[hit.at]
                if at not in best or hit.comparison.score > best[at][0].score:
                    best[at] = hit.comparison, stated


@lru_cache(maxsize=KEPT)
def _entries_of(lists: tuple[ScreeningList, ...], day: date, least: float) -> _Entries:
    """Those of some lists that have not ended on a day, for names whose score is `least` or more; kept for other cases."""
    return _Entries(lists, day, least)
