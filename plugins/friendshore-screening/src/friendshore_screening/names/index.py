"""Many names looked up among many: only names that can reach a score are compared, and none that can is left out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

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


class NameIndex:
    """Names of a list, by what they can be found by.

    A score above nothing needs a word of a company's own that agrees, or all words but those that tell branches, or the whole as one word: so a
    name is compared with those alone that share one of these, up to slips of the pen. (`tests` hold this against comparing everything.)
    """

    def __init__(self, names: Sequence[Name], weights: Weights) -> None:
        self.names = names
        self.weights = weights
        self._having: dict[str, list[int]] = defaultdict(list)
        """Word -> names that have it."""
        self._parted: dict[str, list[int]] = defaultdict(list)
        """Two neighbouring words as one, as it sounds -> names that have them."""
        self._whole: dict[str, list[int]] = defaultdict(list)
        """A whole name as one word, and without one of its letters -> names."""
        for at, one in enumerate(names):
            for term in dict.fromkeys(one.words):
                self._having[term].append(at)
            for pair in _pairs(one):
                self._parted[sounded(pair)].append(at)
            for variant in _wholes(one):
                self._whole[variant].append(at)
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
        alike = self._alike(asked)
        for at, one in enumerate(asked):
            hits = []
            for other in sorted(self._candidates(one, alike, least)):
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

    def _candidates(self, one: Name, alike: dict[str, list[str]], least: float) -> set[int]:
        """Names of the list whose score may be so much."""
        found = self._all_plain(one, alike)
        for term in one.words:
            found.update(self._parted.get(sounded(term), ()))
        for pair in _pairs(one):
            for other in self._sounds.get(sounded(pair), ()):
                found.update(self._having[other])
        for variant in _wholes(one):
            found.update(self._whole.get(variant, ()))
        found.update(self._own_agreeing(one, alike, least))
        return found

    def _own_agreeing(self, one: Name, alike: dict[str, list[str]], least: float) -> Iterator[int]:
        """Names that share a word of the company's own, whose score may be so much by what is left over at least.

        What agrees is taken for as much as it can be, twice if need be, and what is left over for as little.
        """
        weigh = self.weights.weigh
        agreeing: dict[int, float] = defaultdict(float)
        soft: dict[int, float] = defaultdict(
            float
        )  # words of one's own that may agree with an ordinary word of the other
        own = plain = yielding = 0.0
        for term in one.words:
            weight = weigh(term)
            others = {*alike[term], *self._shortened(term)}
            if weight < DISTINCT:
                plain += weight
                for other in others:
                    if weigh(other) >= DISTINCT:
                        for at in self._having[other]:
                            soft[at] += weigh(other)
                continue
            own += weight
            if any(weigh(other) < DISTINCT for other in others):
                yielding += weight
            for other in alike[term]:
                if weigh(other) >= DISTINCT:
                    for at in self._having[other]:
                        agreeing[at] += max(weight, weigh(other))
        for at, agreed in agreeing.items():
            whole = agreed + min(plain + yielding, self._plain[at] + soft.get(at, 0.0))
            lost = max(0.0, own - yielding - agreed), max(0.0, self._own[at] - soft.get(at, 0.0) - agreed)
            if whole >= least * (whole + both_lost(*lost)) - 1e-4:
                yield at

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
