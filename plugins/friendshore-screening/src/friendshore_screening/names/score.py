"""Two names compared word by word: a score from 0 to 1, and what it rests on."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from rapidfuzz.distance import OSA

from .normal import Name, tables

ORDINARY = 0.35
"""Weight of an ordinary word, against 1 of a word of the company's own."""
JOINING = 0.05
DISTINCT = 0.7
"""Weight from which on a word is the company's own: one such word has to agree, or all words."""
BOTH_LACK = 2.0
"""How much more a word counts that is left over where the other name has one left over too: they contradict each other."""
ONE_LACKS = 0.5
"""How much a word counts that only one of the names has: names are cut short. A place and a number count whole: they tell branches apart."""
OTHER_FORM, NEAR_FORM = 0.8, 0.97
"""What is left of a score where the legal forms contradict each other, and where they only differ: both of limited liability, or of shares."""
_SHORT = {1: ORDINARY, 2: 0.5, 3: 0.8}
"""Most that a word of so many letters weighs."""
_VOWELS = frozenset("aeiouy")
SHORT = 6
"""Letters below which a word without a vowel is an acronym."""
SHORT_SLIP = 0.85
"""Likeness of one slip in fewer than six letters, and less: where no other word agrees, somebody has to look, however high the score."""
SHAKY = 0.77
"""Likeness of two slips in fewer than eight letters, and less: one such word alone says nothing."""
SOUNDED = 4
"""Letters that are left at least of words that sound alike: acronyms do not."""
AS_ONE_WORD = 0.97
"""Likeness of what differs only in where words are parted."""
NUMBER = 0.5
"""Weight of a number: names that differ in it are members of one series."""
_SOUNDS = (
    ("tsch", "ch"), ("sch", "sh"), ("shch", "sh"), ("kh", "h"), ("ph", "f"), ("ck", "k"), ("ts", "c"), ("tz", "c"),
    ("zh", "j"), ("yu", "u"), ("ya", "a"), ("ye", "e"), ("y", "i"), ("q", "k"), ("w", "v"), ("ks", "x"),
)  # fmt: skip
"""What is written in several ways, and how it is read here, one after another."""
SURE_OF = 4
"""Ordinary words that have to agree before a name that was cut short may match; with fewer, somebody has to look."""
MATCH, REVIEW = 0.82, 0.55
"""Scores from which on two names are taken for one, and are to be looked at."""


class Band(StrEnum):
    """What is to be done about two names."""

    MATCH = "match"
    REVIEW = "review"
    NONE = "no match"


@dataclass(frozen=True, slots=True)
class Bands:
    """Scores from which on names match, or are to be looked at."""

    match: float = MATCH
    review: float = REVIEW

    def of(self, score: float) -> Band:
        """Which band a score falls in."""
        return Band.MATCH if score >= self.match else Band.REVIEW if score >= self.review else Band.NONE


@dataclass(frozen=True)
class Weights:
    """How much each word says: 1 for one of a company's own, less for what many names share."""

    shared: Mapping[str, float] = field(default_factory=dict)
    """Word -> weight, of words that are frequent in the names that were counted."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Word -> how many of the names that were counted have it."""
    total: int = 0
    """Names that were counted."""

    @classmethod
    def of(cls, names: Iterable[Name]) -> Weights:
        """Those of a list: a word in more than one of 400 names weighs less, down to an ordinary word's weight in one of 40."""
        counted: Counter[str] = Counter()
        total = 0
        for one in names:
            counted.update(set(one.words))
            total += 1
        shared = {}
        if total >= 2000:
            for word, n in counted.items():
                if n * 400 > total:
                    grown = math.log(n * 400 / total) / math.log(10)
                    shared[word] = max(ORDINARY, 1 - (1 - ORDINARY) * grown)
        return cls(shared, counted, total)

    def single_out(self, words: Iterable[str]) -> bool:
        """Return True if fewer than two names of the list would have all these words by chance: what is common in a language may be rare in a list."""
        if not self.total:
            return False
        return self.total * math.prod(self.counts.get(word, 0) / self.total for word in words) <= 2

    def weigh(self, word: str) -> float:
        """Weight of one word."""
        return min(self.shared.get(word, 1.0), _weight(word))


@lru_cache(maxsize=1 << 16)
def _weight(word: str) -> float:
    """Most that a word weighs, whatever the list."""
    known = tables()
    if word in known.joining:
        return JOINING
    if word.isdigit():
        return NUMBER
    if word in known.ordinary or word in known.places:
        return ORDINARY
    return _SHORT.get(len(word), 1.0)


@dataclass(frozen=True, slots=True)
class Agreed:
    """Words of both names that are taken for the same."""

    words: str
    """Of the first name."""
    other: str
    """Of the second."""
    likeness: float
    """1: the same."""
    weight: float


@dataclass(frozen=True, slots=True)
class NameComparison:
    """How two names compare."""

    score: float
    agreed: tuple[Agreed, ...]
    lacking: tuple[str, ...]
    """Words of the first name that the second has not."""
    others: tuple[str, ...]
    """Words of the second that the first has not."""
    forms: tuple[str, str] = ("", "")
    """Legal forms, where they contradict each other."""
    gated: bool = False
    """Whether only ordinary words agree that many names have, or one word with several slips, which are never enough."""


def slips(letters: int) -> int:
    """How many slips of the pen a word of so many letters may have: none below 4, one below 6, two below 11, three."""
    return 0 if letters < 4 else 1 if letters < 6 else 2 if letters < 11 else 3


def likeness(one: str, other: str) -> float:
    """How much two words are alike, from 0 to 1: slips of the pen (letters exchanged, left out or put in), fewer the shorter the words; digits have none."""
    if one == other:
        return 1.0
    if one.isdigit() or other.isdigit():
        return 0.0
    if len(sounded(one)) >= SOUNDED and sounded(one) == sounded(other):
        return 0.96
    short, long = sorted((len(one), len(other)))
    allowed = slips(short)
    if short < SHORT and not (_VOWELS & set(one) and _VOWELS & set(other)):
        return 0.0
    distance = OSA.distance(one, other, score_cutoff=allowed)
    if distance > allowed:
        return 0.0
    return 1 - 1.1 * distance / (long + 2)


@lru_cache(maxsize=1 << 16)
def sounded(word: str) -> str:
    """A word without what transliterations differ in: `muromskiy` and `muromskij`, `qaida` and `kaida`."""
    for written, read in _SOUNDS:
        word = word.replace(written, read)
    return "".join(letter for n, letter in enumerate(word) if not n or letter != word[n - 1])


def compare(one: Name, other: Name, weights: Weights) -> NameComparison:
    """The score of two names, and what it rests on. Symmetric in its score."""
    pairs = _aligned(one.words, other.words, weights)
    left = _left(one.words, [p.words for p in pairs])
    right = _left(other.words, [p.other for p in pairs])
    together = sum(pair.likeness * pair.weight for pair in pairs)
    whole = sum(pair.weight for pair in pairs)
    base = together / (whole + _lost(left, right, weights)) if pairs else 0.0
    distinct = any(pair.weight >= DISTINCT for pair in pairs)
    alone = len(pairs) == 1 and pairs[0].likeness < SHAKY
    gated = bool(pairs) and (alone or not distinct and not all(map(tells_branches, left + right)))
    cut = _cut_short(pairs, left, right, weights) if gated else 0
    if cut:
        gated, base = False, base if cut >= SURE_OF else min(base, MATCH - 0.01)
    score = 0.0 if gated else base
    joined = _as_one_word(one, other)
    if joined > score:
        agreed = (Agreed(" ".join(one.words), " ".join(other.words), joined, 1.0),)
        pairs, left, right, score, gated = agreed, (), (), joined, False
    if len(pairs) == 1 and pairs[0].likeness <= SHORT_SLIP:
        score = min(score, MATCH - 0.01)
    apart = bool(one.form and other.form and one.form != other.form and not {one.form, other.form} & {"company", "inc"})
    if apart:
        near = tables().near
        score *= NEAR_FORM if near[one.form] == near[other.form] else OTHER_FORM
    forms = (" ".join(one.form_words), " ".join(other.form_words)) if apart else ("", "")
    return NameComparison(round(score, 4), tuple(pairs), tuple(left), tuple(right), forms, gated)


def _cut_short(pairs: tuple[Agreed, ...], left: tuple[str, ...], right: tuple[str, ...], weights: Weights) -> int:
    """Return how many words agree of two names of which one lacks a word of the other's, if these words single out the name; else 0.

    Only the same words count, and at least two, one of them no place. The word that is lacking must be an ordinary one, unless at least `SURE_OF`
    agree; a word that tells a branch, and one on both sides, contradict.
    """
    joining = tables().joining
    lacking = [word for word in left + right if word not in joining]
    same = [pair.words for pair in pairs if pair.words not in joining]
    if len(lacking) != 1 or any(pair.likeness < 1 for pair in pairs) or tells_branches(lacking[0]):
        return 0
    if len(same) < 2 or all(map(tells_branches, same)) or not weights.single_out(same):
        return 0
    return len(same) if len(same) >= SURE_OF or weights.weigh(lacking[0]) < DISTINCT else 0


def both_lost(one: float, other: float) -> float:
    """What it comes to that two names have so much each that the other has not; the least that it comes to if one of them is 0."""
    return BOTH_LACK * min(one, other) + ONE_LACKS * abs(one - other)


def _lost(left: tuple[str, ...], right: tuple[str, ...], weights: Weights) -> float:
    """What the words come to that only one of two names has."""
    one, other = (sum(map(weights.weigh, words)) for words in (left, right))
    if min(one, other) > 0:
        return both_lost(one, other)
    return sum(weights.weigh(word) * (1.0 if tells_branches(word) else ONE_LACKS) for word in left + right)


def tells_branches(word: str) -> bool:
    """Whether a word says which branch or member of a series is meant."""
    return word.isdigit() or word in tables().places


def _as_one_word(one: Name, other: Name) -> float:
    """Names that differ in where words are parted: `Goodwill`, `Good Will`; `SiemensAG`."""
    numbers = [sorted(word for word in each.words if word.isdigit()) for each in (one, other)]
    if numbers[0] != numbers[1] or len(one.words) == len(other.words) and not one.form and not other.form:
        return 0.0
    ways = [(one.joined, other.joined)]
    ways += [(one.joined + "".join(one.form_words), other.joined)] if one.form and not other.form else []
    ways += [(one.joined, other.joined + "".join(other.form_words))] if other.form and not one.form else []
    return max(_one_slip(first, second) for first, second in ways)


def _one_slip(one: str, other: str) -> float:
    """Likeness of two names written as one word, with one slip of the pen at most."""
    if min(len(one), len(other)) < 5:
        return 0.0
    if sounded(one) == sounded(other):
        return AS_ONE_WORD
    if OSA.distance(one, other, score_cutoff=1) > 1:
        return 0.0
    return AS_ONE_WORD * (1 - 1.1 / (max(len(one), len(other)) + 2))


def _aligned(one: tuple[str, ...], other: tuple[str, ...], weights: Weights) -> tuple[Agreed, ...]:
    """Words of two names put together, best first; each word once, two that stand together may be one of the other's."""
    found: list[tuple[float, int, int, int, int, Agreed]] = []
    for i, word in enumerate(one):
        for j, against in enumerate(other):
            alike = _alike(word, against)
            if alike:
                weight = min(weights.weigh(word), weights.weigh(against))
                found.append((-alike * (1 + weight), i, i + 1, j, j + 1, Agreed(word, against, alike, weight)))
    found += _parted(one, other, weights, swapped=False)
    found += _parted(other, one, weights, swapped=True)
    found.sort(key=lambda entry: entry[:5])
    taken_one: set[int] = set()
    taken_other: set[int] = set()
    pairs = []
    for _, i, i_end, j, j_end, agreed in found:
        if taken_one.isdisjoint(range(i, i_end)) and taken_other.isdisjoint(range(j, j_end)):
            taken_one.update(range(i, i_end))
            taken_other.update(range(j, j_end))
            pairs.append(agreed)
    return tuple(pairs)


@lru_cache(maxsize=1 << 18)
def _alike(word: str, against: str) -> float:
    alike = likeness(word, against)
    return alike or shortened(word, against)


def shortened(word: str, against: str) -> float:
    """An ordinary word written short: `TECHN`, `SRVCS`. A word of a company's own is never taken to be written short."""
    short, long = sorted((word, against), key=len)
    if len(short) < 3 or len(short) == len(long) or short[0] != long[0] or long not in tables().ordinary:
        return 0.0
    if long.startswith(short):
        return 0.9
    left = iter(long)
    return 0.85 if not set(short[1:]) & set("aeiou") and all(letter in left for letter in short) else 0.0


def _parted(
    one: tuple[str, ...], other: tuple[str, ...], weights: Weights, swapped: bool
) -> Iterable[tuple[float, int, int, int, int, Agreed]]:
    """Two neighbouring words of the first name that the second writes as one."""
    for i in range(len(one) - 1):
        both = one[i] + one[i + 1]
        if len(both) < 5 or not both.isalpha():
            continue
        for j, word in enumerate(other):
            if abs(len(word) - len(both)) <= 2 and sounded(word) == sounded(both):
                alike = AS_ONE_WORD
                weight = max(weights.weigh(word), weights.weigh(one[i]), weights.weigh(one[i + 1]))
                apart = f"{one[i]} {one[i + 1]}"
                rank = -alike * (1 + weight) - 0.1
                if swapped:
                    yield rank, j, j + 1, i, i + 2, Agreed(word, apart, alike, weight)
                else:
                    yield rank, i, i + 2, j, j + 1, Agreed(apart, word, alike, weight)


def _left(words: tuple[str, ...], agreed: Iterable[str]) -> tuple[str, ...]:
    """Words that are in no pair, each as often as it stands there."""
    used = Counter(word for pair in agreed for word in pair.split())
    left = []
    for word in words:
        if used[word]:
            used[word] -= 1
        else:
            left.append(word)
    return tuple(left)
