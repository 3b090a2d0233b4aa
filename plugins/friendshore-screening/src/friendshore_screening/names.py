"""Comparison of names: spelling, a score for two names, and an index of many."""

from __future__ import annotations

import math
import re
import tomllib
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from anyascii import anyascii
from rapidfuzz.distance import OSA
from rapidfuzz.process import cdist

_SCRIPT = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]+")
_SCRIPT_FORMS = re.compile(
    "(?:股份|责任|責任)?有限(?:责任|責任)?公司|集团公司|集團公司|公司|株式会社|株式會社|合同会社|주식회사"
)
_QUOTES = re.compile(r"['\u2018\u2019\u02bc\u02b9\u0060\u00b4]")
_KNOWN = r"(?:also known as|formerly known as|previously known as|formerly|a\.?k\.?a\.?|f\.?k\.?a\.?|alias)"
_KNOWN_AS = re.compile(rf"\(\s*{_KNOWN}:?\s+([^)]+)\)|,?\s{_KNOWN}:?\s+([^(]+)", re.IGNORECASE)
_PARTED = re.compile(rf"(?<=\w\w)/|\s/\s|;|,?\s{_KNOWN}:?\s|,\s+and\s", re.IGNORECASE)
LONGEST_NAME = 400
"""Maximum number of characters to compare. No real name is longer."""
PART = 4
"""Minimum number of letters of a part that is read as a name of its own."""
_DIGIT_WITHIN = re.compile(r"(?<=[a-z])[01345](?=[a-z])")
"""A digit between letters, typed instead of a letter: `n0rinco`."""
_DIGITS = str.maketrans("01345", "oleas")
_WORD = re.compile(r"[a-z]+|[0-9]+")
_LETTERS = re.compile(r"[^\W\d_]+")
_ALIKE = str.maketrans(
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0423\u0406\u0408\u0405"
    "\u0430\u0441\u0435\u043e\u0440\u0445\u0443\u0456\u0458\u0455\u04bb\u0501\u051b\u051d"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03bf\u03c1\u03bd",
    "ABEKMHOPCTXYIJSaceopxyijshdqwABEZHIKMNOPTYXopv",
)
"""Cyrillic and Greek letters that look like Latin ones. Within a Latin word, they are read as these."""
_ROMAN_NUMBER = re.compile(r"(x{0,3})(ix|iv|v?i{0,3})")
LONG_FORM = 8
"""Minimum number of letters at which a legal form is recognized despite one typing error."""


@dataclass(frozen=True, slots=True)
class Name:
    """A parsed name."""

    stated: str
    """The name as written."""
    words: tuple[str, ...]
    """Words in order without the legal form, or all words if none would be left."""
    form: str
    """Family of its legal form. Empty if it has none."""
    form_words: tuple[str, ...] = ()
    """Words of the form."""
    joined: str = ""
    """Text before or after the form as one word, including joining words."""


@dataclass(frozen=True, slots=True)
class WordTables:
    """The words of `words.toml`."""

    forms: Mapping[tuple[str, ...], str]
    """Spelling of a form, as words -> its family."""
    long_forms: tuple[tuple[str, str, int], ...]
    """Forms recognized despite a typing error: spelling as one word, family, and number of words."""
    near: Mapping[str, str]
    """Family of forms -> its kind (limited liability or shares), or the family itself if neither."""
    ordinary: frozenset[str]
    joining: frozenset[str]
    places: frozenset[str]
    abbreviations: Mapping[str, str]
    phrases: Mapping[tuple[str, ...], tuple[str, ...]]
    numbers: Mapping[str, int]


@lru_cache(maxsize=1)
def tables() -> WordTables:
    """Return the contents of `words.toml`, read once."""
    data: Mapping[str, Any] = tomllib.loads(files(__package__).joinpath("words.toml").read_text(encoding="utf-8"))
    forms = {tuple(way.split()): family for family, ways in data["forms"].items() for way in ways}
    long = tuple(
        ("".join(way), family, len(way)) for way, family in forms.items() if len("".join(way)) >= 2 * LONG_FORM
    )
    return WordTables(
        forms,
        long,
        {family: family for family in data["forms"]}
        | {family: group for group, families in data["near"].items() for family in families},
        frozenset(data["ordinary"]["words"].split()) | frozenset(data["abbreviations"].values()),
        frozenset(data["ordinary"]["joining"]),
        frozenset(data["places"]["words"].split()),
        data["abbreviations"],
        {tuple(phrase.split()): tuple(words.split()) for phrase, words in data["phrases"].items()},
        data["numbers"],
    )


def readings(stated: str) -> tuple[Name, ...]:
    """Return all names that a text may mean: the text itself, and its parts around a slash or `also known as`, as for a joint venture.

    Text in brackets is part of a name, since it tells branches apart. A part with fewer than four letters is not a name.
    """
    stated = stated[: LONGEST_NAME * 5]
    known_as = [found for pair in _KNOWN_AS.findall(stated) for found in pair if found]
    bare = _KNOWN_AS.sub(" ", stated)
    parts = [part for one in (bare, *known_as) for part in _PARTED.split(one)]
    texts = dict.fromkeys([bare, *(part for part in parts if sum(map(str.isalpha, part)) >= PART)])
    found = {(one.words, one.form): one for one in reversed([name(text.strip()) for text in texts]) if one.words}
    return tuple(reversed(found.values()))


def name(stated: str) -> Name:
    """Return a name in the form for comparison. An unreadable name has no words and matches nothing."""
    found = _phrases(_words(stated[:LONGEST_NAME]))
    core, form, form_words = _without_form(found)
    return Name(stated, tuple(_numbers(_told(core))), form, form_words, "".join(core))


def _words(text: str) -> list[str]:
    """Return words of lowercase Latin letters and digits. Adjacent single letters form one word."""
    text = _SCRIPT_FORMS.sub(" co ltd ", unicodedata.normalize("NFKC", text))
    text = _SCRIPT.sub(lambda found: f" {anyascii(found[0]).casefold()} ", text)
    text = _QUOTES.sub("", text)
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    seen = _LETTERS.sub(
        lambda found: found[0].translate(_ALIKE) if re.search("[A-Za-z]", found[0]) else found[0], plain
    )
    latin = _QUOTES.sub("", anyascii(seen)).casefold().replace("&", " and ")
    latin = _DIGIT_WITHIN.sub(lambda found: found[0].translate(_DIGITS), latin)
    words: list[str] = []
    open_ = False  # whether the last word is of letters that stood alone, and grows by another that does
    for chunk in latin.split():
        parts = _WORD.findall(chunk)
        alone = len(parts) == 1 and len(parts[0]) == 1 and parts[0].isalpha()
        if alone and open_:
            words[-1] += parts[0]
        else:
            words.extend(_joined(parts))
        open_ = alone
    return words


def _joined(parts: Sequence[str]) -> Iterator[str]:
    """Yield the words of a text without spaces. Adjacent single letters form one word."""
    letters = ""
    for part in parts:
        if len(part) == 1 and part.isalpha():
            letters += part
            continue
        if letters:
            yield letters
        letters = ""
        yield part
    if letters:
        yield letters


def _phrases(words: Sequence[str]) -> list[str]:
    known = tables().phrases
    done: list[str] = []
    at = 0
    while at < len(words):
        for long in (4, 3, 2):
            told = known.get(tuple(words[at : at + long]))
            if told is not None and at + long <= len(words):
                done.extend(told)
                at += long
                break
        else:
            done.append(words[at])
            at += 1
    return done


def _without_form(words: list[str]) -> tuple[list[str], str, tuple[str, ...]]:
    """Return the words without leading and trailing forms, the family of the most specific form, and its words.

    `Co Ltd` is one form. Among several adjacent forms, `company` and `inc` are the least specific.
    """
    left = list(words)
    found: list[str] = []
    told: list[str] = []
    while len(left) > 1:
        behind = _form_behind(left)
        if behind is None:
            break
        family, long = behind
        found.append(family)
        told[:0] = left[-long:]
        left = left[:-long]
    while len(left) > 1:
        front = _form_in_front(left)
        if front is None:
            break
        family, long = front
        found.append(family)
        told += left[:long]
        left = left[long:]
    if left and left[0] == "the" and len(left) > 1:
        left = left[1:]
    strong = [family for family in found if family not in ("company", "inc")] or found
    return left, (strong[0] if strong else ""), tuple(told)


def _form_behind(words: Sequence[str]) -> tuple[str, int] | None:
    known = tables()
    for long in range(min(7, len(words) - 1), 0, -1):
        tail = tuple(words[-long:])
        family = known.forms.get(tail) or _slipped("".join(tail), long)
        if family:
            return family, long
    return None


def _form_in_front(words: Sequence[str]) -> tuple[str, int] | None:
    """Return a leading form and its length, or None. `company` and forms one letter away from it are part of the name."""
    known = tables()
    for long in range(min(6, len(words) - 1), 0, -1):
        family = known.forms.get(tuple(words[:long]))
        if family is not None and family not in ("company", "inc"):
            return family, long
    return None


def _slipped(tail: str, long: int) -> str:
    """Return the family of a long form with one letter added, missing, or changed. Empty if there is none."""
    for way, family, words in tables().long_forms:
        if words == long and abs(len(tail) - len(way)) <= 1 and OSA.distance(tail, way, score_cutoff=1) <= 1:
            return family
    return ""


def _told(words: Sequence[str]) -> Iterator[str]:
    """Yield the words without joining words, in normal spelling, or all words if none would be left."""
    known = tables()
    telling = [word for word in words if word not in known.joining] or words
    for word in telling:
        yield known.abbreviations.get(word, word)


def _numbers(words: Iterator[str]) -> Iterator[str]:
    """Yield numbers as digits: `forty four` is 44, `1 st` is 1, and a Roman numeral after a name is its number."""
    known = tables().numbers
    listed = list(words)
    at = 0
    while at < len(listed):
        word = listed[at]
        following = listed[at + 1] if at + 1 < len(listed) else ""
        value = known.get(word)
        if value is not None and value >= 20 and 0 < known.get(following, 0) < 10:
            yield str(value + known[following])
            at += 2
        elif value is not None and value >= 20 and following.isdigit() and len(following) == 1:
            yield str(value + int(following))
            at += 2
        elif word.isdigit() and following in ("st", "nd", "rd", "th"):
            yield str(int(word))
            at += 2
        else:
            roman = _roman(word) if at else None
            yield str(value) if value is not None else roman or (str(int(word)) if word.isdigit() else word)
            at += 1


def _roman(word: str) -> str | None:
    """Return the value of a Roman numeral up to 39. None if it isn't one."""
    found = _ROMAN_NUMBER.fullmatch(word)
    if found is None or not word:
        return None
    ones = {"": 0, "i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6, "vii": 7, "viii": 8, "ix": 9}
    return str(10 * len(found[1]) + ones[found[2]])


ORDINARY = 0.35
"""Weight of an ordinary word. A distinctive word has 1."""
JOINING = 0.05
DISTINCT = 0.7
"""Minimum weight of a distinctive word. One such word must agree, or all words."""
BOTH_LACK = 2.0
"""Factor for a leftover word if the other name has one too, because they contradict each other."""
ONE_LACKS = 0.5
"""Factor for a word in only one of the names, because names are often shortened. Places and numbers count fully, since they tell branches apart."""
OTHER_FORM, NEAR_FORM = 0.8, 0.97
"""Factors on a score for contradicting legal forms, and for different forms of one kind: both of limited liability, or both of shares."""
_SHORT = {1: ORDINARY, 2: 0.5, 3: 0.8}
"""Maximum weight of a word by its number of letters."""
_VOWELS = frozenset("aeiouy")
SHORT = 6
"""Number of letters below which a word without a vowel is an acronym."""
SHORT_SLIP = 0.85
"""Maximum similarity of words with one typing error in fewer than six letters. If no other word agrees, the match needs a review at any score."""
SHAKY = 0.77
"""Maximum similarity of words with two typing errors in fewer than eight letters. One such word alone is no match."""
SOUNDED = 4
"""Minimum number of letters that remain of words that sound alike, which excludes acronyms."""
AS_ONE_WORD = 0.97
"""Similarity of names that differ only in word breaks."""
NUMBER = 0.5
"""Weight of a number. Names that differ in it are members of a series."""
_SOUNDS = (
    ("tsch", "ch"), ("sch", "sh"), ("shch", "sh"), ("kh", "h"), ("ph", "f"), ("ck", "k"), ("ts", "c"), ("tz", "c"),
    ("zh", "j"), ("yu", "u"), ("ya", "a"), ("ye", "e"), ("y", "i"), ("q", "k"), ("w", "v"), ("ks", "x"),
)  # fmt: skip
"""Spelling variants and how they are read, applied in order."""
SURE_OF = 4
"""Number of ordinary words that must agree for a shortened name to match. With fewer, it needs a review."""
MATCH, REVIEW = 0.82, 0.55
"""Minimum scores for a match and for a review."""


class Band(StrEnum):
    """Treatment of two names."""

    MATCH = "match"
    REVIEW = "review"
    NONE = "no match"


@dataclass(frozen=True, slots=True)
class Bands:
    """Minimum scores for a match and for a review."""

    match: float = MATCH
    review: float = REVIEW

    def of(self, score: float) -> Band:
        """Return the band of a score."""
        return Band.MATCH if score >= self.match else Band.REVIEW if score >= self.review else Band.NONE


@dataclass(frozen=True)
class Weights:
    """Weight of each word: 1 if distinctive, less if many names have it."""

    shared: Mapping[str, float] = field(default_factory=dict)
    """Word -> weight, for frequent words of the counted names."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Word -> number of counted names that contain it."""
    total: int = 0
    """Number of counted names."""

    @classmethod
    def of(cls, names: Iterable[Name]) -> Weights:
        """Return the weights of a list. A word's weight falls from one in 400 names to the weight of an ordinary word at one in 40."""
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
        """Return True if fewer than two names of the list would contain all these words by chance. Words common in a language may be rare in a list."""
        if not self.total:
            return False
        return self.total * math.prod(self.counts.get(word, 0) / self.total for word in words) <= 2

    def weigh(self, word: str) -> float:
        """Return the weight of a word."""
        return min(self.shared.get(word, 1.0), _weight(word))


@lru_cache(maxsize=1 << 16)
def _weight(word: str) -> float:
    """Return the maximum weight of a word for any list."""
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
    """Words of two names that count as equal."""

    words: str
    """Words of the first name."""
    other: str
    """Words of the second name."""
    likeness: float
    """Similarity. 1 if equal."""
    weight: float


@dataclass(frozen=True, slots=True)
class NameComparison:
    """Comparison of two names."""

    score: float
    agreed: tuple[Agreed, ...]
    lacking: tuple[str, ...]
    """Words only in the first name."""
    others: tuple[str, ...]
    """Words only in the second name."""
    forms: tuple[str, str] = ("", "")
    """Legal forms, if they contradict each other."""
    gated: bool = False
    """True if only frequent ordinary words agree, or one word with several typing errors. These are never enough for a match."""


def slips(letters: int) -> int:
    """Return the number of typing errors allowed for a number of letters: none below 4, one below 6, two below 11, and three otherwise."""
    return 0 if letters < 4 else 1 if letters < 6 else 2 if letters < 11 else 3


def likeness(one: str, other: str) -> float:
    """Return the similarity of two words, from 0 to 1. Short words allow fewer swapped, missing, or added letters, and digits allow none."""
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
    """Return a word without differences of transliteration: `muromskiy` and `muromskij`, `qaida` and `kaida`."""
    for written, read in _SOUNDS:
        word = word.replace(written, read)
    return "".join(letter for n, letter in enumerate(word) if not n or letter != word[n - 1])


def compare(one: Name, other: Name, weights: Weights) -> NameComparison:
    """Return the score of two names with its reasons. The score is symmetric."""
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
    """Return the number of agreeing words if one name lacks a word of the other and the words single out the name, else 0.

    Only equal words count, at least two, one of them not a place. The missing word must be ordinary, unless at least `SURE_OF` words agree. A word
    that tells branches apart, or leftover words in both names, contradict the match.
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
    """Return the penalty for the weights that are only in one of two names, or its lower bound if one weight is 0."""
    return BOTH_LACK * min(one, other) + ONE_LACKS * abs(one - other)


def _lost(left: tuple[str, ...], right: tuple[str, ...], weights: Weights) -> float:
    """Return the penalty for words in only one of two names."""
    one, other = (sum(map(weights.weigh, words)) for words in (left, right))
    if min(one, other) > 0:
        return both_lost(one, other)
    return sum(weights.weigh(word) * (1.0 if tells_branches(word) else ONE_LACKS) for word in left + right)


def tells_branches(word: str) -> bool:
    """Return True if a word tells apart the branches or members of a series."""
    return word.isdigit() or word in tables().places


def _as_one_word(one: Name, other: Name) -> float:
    """Return the similarity of names that differ in word breaks: `Goodwill`, `Good Will`; `SiemensAG`."""
    numbers = [sorted(word for word in each.words if word.isdigit()) for each in (one, other)]
    if numbers[0] != numbers[1] or len(one.words) == len(other.words) and not one.form and not other.form:
        return 0.0
    ways = [(one.joined, other.joined)]
    ways += [(one.joined + "".join(one.form_words), other.joined)] if one.form and not other.form else []
    ways += [(one.joined, other.joined + "".join(other.form_words))] if other.form and not one.form else []
    return max(_one_slip(first, second) for first, second in ways)


def _one_slip(one: str, other: str) -> float:
    """Return the similarity of two names as one word, with at most one typing error."""
    if min(len(one), len(other)) < 5:
        return 0.0
    if sounded(one) == sounded(other):
        return AS_ONE_WORD
    if OSA.distance(one, other, score_cutoff=1) > 1:
        return 0.0
    return AS_ONE_WORD * (1 - 1.1 / (max(len(one), len(other)) + 2))


def _aligned(one: tuple[str, ...], other: tuple[str, ...], weights: Weights) -> tuple[Agreed, ...]:
    """Return pairs of words of two names, best first. Each word occurs once, and two adjacent words may match one of the other name."""
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
    """Return the similarity if an ordinary word is abbreviated: `TECHN`, `SRVCS`. Distinctive words don't count as abbreviated."""
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
    """Yield two adjacent words of the first name that the second writes as one."""
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
    """Return the words in no pair, as often as they occur."""
    used = Counter(word for pair in agreed for word in pair.split())
    left = []
    for word in words:
        if used[word]:
            used[word] -= 1
        else:
            left.append(word)
    return tuple(left)


BLOCK = 512
"""Number of words compared with all others at a time."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A name of the list with its comparison."""

    at: int
    """Position in the list."""
    comparison: NameComparison


@dataclass(slots=True)
class _Sharing:
    """Upper bounds on the agreement of a name with names of a list."""

    agreeing: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    """Name of the list -> weight of the distinctive words of both that may agree."""
    crossing: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    """Name of the list -> weight of its distinctive words that may agree with ordinary words of the name."""
    plains: list[tuple[float, frozenset[str]]] = field(default_factory=list)
    """Ordinary words of the name, each with its weight and the words of the list that may agree."""
    all_plains: set[str] = field(default_factory=set)
    own: float = 0.0
    """Weight of the name's distinctive words."""
    yielding: float = 0.0
    """Part of this weight that may agree with ordinary words of the list."""
    plain: float = 0.0
    """Weight of its ordinary words."""


class NameIndex:
    """Search index of the names of a list.

    A score above 0 requires an agreeing distinctive word, all words except those that tell branches apart, all but one word, or the whole name as
    one word. A name is therefore only compared with names that share one of these, up to typing errors. Tests compare this with a full search.
    """

    def __init__(self, names: Sequence[Name], weights: Weights) -> None:
        self.names = names
        self.weights = weights
        self._having: dict[str, list[int]] = defaultdict(list)
        """Word -> names that contain it."""
        self._parted: dict[str, list[int]] = defaultdict(list)
        """Two adjacent words as one, by sound -> names that contain them."""
        for at, one in enumerate(names):
            for term in dict.fromkeys(one.words):
                self._having[term].append(at)
            for pair in _pairs(one):
                self._parted[sounded(pair)].append(at)
        self._sounds: dict[str, list[str]] = defaultdict(list)
        self._initials: dict[tuple[str, bool], list[str]] = defaultdict(list)
        """First letter, and True if ordinary -> words."""
        ordinary = tables().ordinary
        for term in self._having:
            self._sounds[sounded(term)].append(term)
            self._initials[term[0], term in ordinary].append(term)
        self._short: dict[str, list[str]] = {}
        shares = [self._shares(one) for one in names]
        self._own = [own for own, _ in shares]
        self._plain = [plain for _, plain in shares]

    def find(self, asked: Sequence[Name], least: float) -> Iterator[tuple[int, list[Hit]]]:
        """Yield the position of each name, with the names of the list whose score is positive and at least `least`, best first."""
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
        """Return words to find -> equal words of the list, up to typing errors and sound."""
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
        """Return names as one word, also with one letter removed -> names of the list with the same variant."""
        found: dict[str, list[int]] = {variant: [] for one in asked for variant in _wholes(one)}
        for at, one in enumerate(self.names):
            for variant in _wholes(one):
                if variant in found:
                    found[variant].append(at)
        return found

    def _candidates(
        self, one: Name, alike: dict[str, list[str]], whole: dict[str, list[int]], least: float
    ) -> set[int]:
        """Return the names of the list whose score may reach `least`."""
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
        """Yield the names that contain all words of the name but one, or one more. They contain its rarest or second rarest word."""
        telling = [term for term in dict.fromkeys(one.words) if term not in tables().joining]
        for term in sorted(telling, key=lambda term: len(self._having.get(term, ())))[:2]:
            yield from self._having.get(term, ())

    def _own_agreeing(self, one: Name, alike: dict[str, list[str]], least: float) -> Iterator[int]:
        """Yield the names that share a distinctive word and may reach the score despite the leftover words.

        The agreement is overestimated, if necessary by counting it twice, and the leftover is underestimated.
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
        """Return the names of the list that share words with a name, with upper bounds."""
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
        """Return the weight of the distinctive words, and of the others."""
        weights = [self.weights.weigh(term) for term in one.words]
        own = sum(weight for weight in weights if weight >= DISTINCT)
        return own, sum(weights) - own

    def _all_plain(self, one: Name, alike: dict[str, list[str]]) -> set[int]:
        """Return the names whose words may all agree without a distinctive one: those with the rarest word that doesn't tell branches apart."""
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
        """Return the words of the list that abbreviate the term, or that it abbreviates."""
        if term not in self._short:
            kinds = (True, False) if term in tables().ordinary else (True,)
            others = (other for kind in kinds for other in self._initials.get((term[0], kind), ()))
            self._short[term] = [other for other in others if shortened(term, other)]
        return self._short[term]


def _reaches(whole: float, mine: float, theirs: float, least: float) -> bool:
    """Return True if a score may reach `least`, given the maximum agreement and the minimum leftover."""
    return whole >= least * (whole + both_lost(mine, theirs)) - 1e-4


def _pairs(one: Name) -> Iterator[str]:
    """Yield adjacent words as one."""
    for first, second in zip(one.words, one.words[1:], strict=False):
        if len(first) + len(second) >= 5 and (first + second).isalpha():
            yield first + second


def _wholes(one: Name) -> set[str]:
    """Return the name as one word, with and without its form: by sound, and with one letter removed.

    Two texts one typing error apart have one of these in common.
    """
    found = set()
    for written in {one.joined, one.joined + "".join(one.form_words)}:
        if len(written) >= 5:
            found |= {written, f"~{sounded(written)}", *(written[:n] + written[n + 1 :] for n in range(len(written)))}
    return found
