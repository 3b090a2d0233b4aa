"""Many names looked up among many: only names that can reach a score are compared, and none that can is left out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from rapidfuzz.distance import OSA
from rapidfuzz.process import cdist

from .normal import Name, tables
from .score import DISTINCT, NameComparison, Weights, both_lost, compare, shortened, slips, sounded, tells_branches

BLOCK = 512
"""Words that are compared with all others at once."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A name of the list that a name was compared with."""

    at: int
    """Its place in the list."""
    comparison: NameComparison


@dataclass(slots=True)
class _Sharing:
    """What a name shares with names of a list, at most."""

    agreeing: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    """Name of the list -> weight of the words of both companies' own that may agree."""
    crossing: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    """Name of the list -> weight of its own words that may agree with ordinary ones of the name."""
    plains: list[tuple[float, frozenset[str]]] = field(default_factory=list)
    """Each ordinary word of the name: its weight, and words of the list that it may agree with."""
    all_plains: set[str] = field(default_factory=set)
    own: float = 0.0
    """Weight of the name's own words."""
    yielding: float = 0.0
    """Of these, what may agree with ordinary words of the list."""
    plain: float = 0.0
    """Weight of its ordinary words."""


class NameIndex:
    """Names of a list, by what they can be found by.

    A score above nothing needs a word of a company's own that agrees, or all words but those that tell branches, or all but one, or the whole as one word: so a
    name is compared with those alone that share one of these, up to slips of the pen. (`tests` hold this against comparing everything.)
    """

    def __init__(self, names: Sequence[Name], weights: Weights) -> None:
        self.names = names
        self.weights = weights
        self._having: dict[str, list[int]] = defaultdict(list)
        """Word -> names that have it."""
        self._parted: dict[str, list[int]] = defaultdict(list)
        """Two neighbouring words as one, as it sounds -> names that have them."""
        for at, one in enumerate(names):
            for term in dict.fromkeys(one.words):
                self._having[term].append(at)
            for pair in _pairs(one):
                self._parted[sounded(pair)].append(at)
        self._sounds: dict[str, list[str]] = defaultdict(list)
        self._initials: dict[tuple[str, bool], list[str]] = defaultdict(list)
        """First letter, and whether ordinary -> words."""
        ordinary = tables().ordinary
        for term in self._having:
            self._sounds[sounded(term)].append(term)
            self._initials[term[0], term in ordinary].append(term)
        self._short: dict[str, list[str]] = {}
        shares = [self._shares(one) for one in names]
        self._own = [own for own, _ in shares]
        self._plain = [plain for _, plain in shares]

    def find(self, asked: Sequence[Name], least: float) -> Iterator[tuple[int, list[Hit]]]:
        """For each name, by its place, the names of the list whose score is `least` or more, above nothing; the best first."""
        alike, whole = self._alike(asked), self._whole(asked)
        for at, one in enumerate(asked):
            hits = []
            for other in sorted(self._candidates(one, alike, whole, least)):
                found = compare(one, self.names[other], self.weights)
                if found.score >= least and found.score > 0:
                    hits.append(Hit(other, found))
            hits.sort(key=lambda hit: (-hit.comparison.score, hit.at))
            yield at, hits

    def _alike(self, asked: Sequence[Name]) -> dict[str, list[str]]:
        """Words that are asked for -> words of the list that are the same, up to slips and what they sound like."""
        terms = sorted({term for one in asked for term in one.words})
        known = sorted(self._having)
        found = {term: {*self._sounds.get(sounded(term), ())} | ({term} & self._having.keys()) for term in terms}
        for short, long in ((4, 5), (6, 10), (11, 99)):
            mine = [term for term in terms if short <= len(term) <= long and term.isalpha()]
            slip = slips(long)
            theirs = [term for term in known if short - slip <= len(term) <= long + slip and term.isalpha()]
            for begin in range(0, len(mine) if theirs else 0, BLOCK):
                block = mine[begin : begin + BLOCK]
                distances = cdist(block, theirs, scorer=OSA.distance, score_cutoff=slip, dtype=np.uint8)
                for row, column in zip(*np.nonzero(distances <= slip), strict=True):
                    found[block[row]].add(theirs[column])
        return {term: sorted(others) for term, others in found.items()}

    def _whole(self, asked: Sequence[Name]) -> dict[str, list[int]]:
        """What is asked for as one word, and without one of its letters -> names of the list that are the same, or so written."""
        found: dict[str, list[int]] = {variant: [] for one in asked for variant in _wholes(one)}
        for at, one in enumerate(self.names):
            for variant in _wholes(one):
                if variant in found:
                    found[variant].append(at)
        return found

    def _candidates(
        self, one: Name, alike: dict[str, list[str]], whole: dict[str, list[int]], least: float
    ) -> set[int]:
        """Names of the list whose score may be so much."""
        found = self._all_plain(one, alike)
        for term in one.words:
            found.update(self._parted.get(sounded(term), ()))
        for pair in _pairs(one):
            for other in self._sounds.get(sounded(pair), ()):
                found.update(self._having[other])
        for variant in _wholes(one):
            found.update(whole[variant])
        found.update(self._own_agreeing(one, alike, least))
        found.update(self._cut_short(one))
        return found

    def _cut_short(self, one: Name) -> Iterator[int]:
        """Yield the names that have all words of the name but one, or one more: they have its rarest word, or the next."""
        telling = [term for term in dict.fromkeys(one.words) if term not in tables().joining]
        for term in sorted(telling, key=lambda term: len(self._having.get(term, ())))[:2]:
            yield from self._having.get(term, ())

    def _own_agreeing(self, one: Name, alike: dict[str, list[str]], least: float) -> Iterator[int]:
        """Names that share a word of the company's own, whose score may be so much by what is left over at least.

        What agrees is taken for as much as it can be, twice if need be, and what is left over for as little.
        """
        held = self._sharing(one, alike)
        for at, agreed in held.agreeing.items():
            crossing = held.crossing.get(at, 0.0)
            theirs = max(0.0, self._own[at] - crossing - agreed)
            mine = max(0.0, held.own - held.yielding - agreed)
            most = agreed + min(held.plain + held.yielding, self._plain[at] + crossing)
            if not _reaches(most, mine, theirs, least):
                continue
            if (
                not held.yielding and not crossing
            ):  # ordinary words agree with ordinary words alone: how many do is soon told
                words = self.names[at].words
                shared = sum(weight for weight, others in held.plains if not others.isdisjoint(words))
                shared_theirs = sum(self.weights.weigh(word) for word in words if word in held.all_plains)
                mine += held.plain - shared
                theirs += max(0.0, self._plain[at] - shared_theirs)
                if not _reaches(agreed + min(shared, shared_theirs), mine, theirs, least):
                    continue
            yield at

    def _sharing(self, one: Name, alike: dict[str, list[str]]) -> _Sharing:
        """Which names of the list share words with a name, and how much at most."""
        weigh = self.weights.weigh
        held = _Sharing()
        for term in one.words:
            weight = weigh(term)
            others = {*alike[term], *self._shortened(term)}
            own = [other for other in others if weigh(other) >= DISTINCT]
            if weight < DISTINCT:
                held.plain += weight
                held.plains.append((weight, frozenset(others)))
                held.all_plains |= others
                for other in own:
                    for at in self._having[other]:
                        held.crossing[at] += weigh(other)
                continue
            held.own += weight
            held.yielding += weight if len(own) < len(others) else 0.0
            for other in own:
                for at in self._having[other]:
                    held.agreeing[at] += max(weight, weigh(other))
        return held

    def _shares(self, one: Name) -> tuple[float, float]:
        """Weight of the words that are a company's own, and of the others."""
        weights = [self.weights.weigh(term) for term in one.words]
        own = sum(weight for weight in weights if weight >= DISTINCT)
        return own, sum(weights) - own

    def _all_plain(self, one: Name, alike: dict[str, list[str]]) -> set[int]:
        """Names all of whose words agree though none is a company's own: those that have the rarest of its words that tell no branch."""
        telling = [term for term in one.words if not tells_branches(term)]
        if not telling:
            return {at for term in one.words for other in alike[term] for at in self._having[other]}
        best: set[int] = set()
        for n, term in enumerate(dict.fromkeys(telling)):
            own = self.weights.weigh(term) >= DISTINCT
            others = {
                other
                for other in (*alike[term], *self._shortened(term))
                if not own or self.weights.weigh(other) < DISTINCT
            }
            postings = {at for other in others for at in self._having[other]}
            if not n or len(postings) < len(best):
                best = postings
            if not best:
                break
        return best

    def _shortened(self, term: str) -> list[str]:
        """Words of the list that are written short for one, or that it is written short for."""
        if term not in self._short:
            kinds = (True, False) if term in tables().ordinary else (True,)
            others = (other for kind in kinds for other in self._initials.get((term[0], kind), ()))
            self._short[term] = [other for other in others if shortened(term, other)]
        return self._short[term]


def _reaches(whole: float, mine: float, theirs: float, least: float) -> bool:
    """Whether a score may be so much where so much agrees at most, and so much is left over at least."""
    return whole >= least * (whole + both_lost(mine, theirs)) - 1e-4


def _pairs(one: Name) -> Iterator[str]:
    """Neighbouring words as one."""
    for first, second in zip(one.words, one.words[1:], strict=False):
        if len(first) + len(second) >= 5 and (first + second).isalpha():
            yield first + second


def _wholes(one: Name) -> set[str]:
    """The name as one word, without its form and with it: as it sounds, and without one of its letters.

    Two texts one slip apart have one of these in common.
    """
    found = set()
    for written in {one.joined, one.joined + "".join(one.form_words)}:
        if len(written) >= 5:
            found |= {written, f"~{sounded(written)}", *(written[:n] + written[n + 1 :] for n in range(len(written)))}
    return found
