"""Parties of a case against entries of lists: what matches, what is to be looked at, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from .decisions import ReviewDecision
from .lists.entries import ListEntry, ScreeningList
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
    listed = [
        (one, entry) for one in lists for entry in one.entries if active(entry, day) and entry.kind not in _NO_COMPANY
    ]
    known = {(one.party, one.list, one.entry): one for one in decisions}
    hits = []
    for party, at, comparison, stated in _best(parties, [entry for _, entry in listed], bands.review):
        one, entry = listed[at]
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


def _best(
    parties: Sequence[Party], entries: Sequence[ListEntry], least: float
) -> Iterator[tuple[Party, int, NameComparison, str]]:
    """Each party with each entry whose score is so much: of all that either may be called, the names that are most alike."""
    names: list[Name] = []
    of: list[tuple[int, str]] = []
    for at, entry in enumerate(entries):
        for stated in entry.names:
            read = readings(stated)
            names += read
            of += [(at, stated)] * len(read)
    asked = [(party, reading) for party in parties for reading in readings(party.name)]
    best: dict[tuple[str, int], tuple[Party, int, NameComparison, str]] = {}
    for n, found in NameIndex(names, Weights.of(names)).find([reading for _, reading in asked], least):
        party = asked[n][0]
        for hit in found:
            at, stated = of[hit.at]
            before = best.get((party.name, at))
            if before is None or hit.comparison.score > before[2].score:
                best[party.name, at] = party, at, hit.comparison, stated
    yield from best.values()
