"""Comparison of names: their parsing, a score for two names, and an index of many."""

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
_ALIAS_MARK = r"(?:also known as|formerly known as|previously known as|formerly|a\.?k\.?a\.?|f\.?k\.?a\.?|alias)"
_ALIAS = re.compile(rf"\(\s*{_ALIAS_MARK}:?\s+([^)]+)\)|,?\s{_ALIAS_MARK}:?\s+([^(]+)", re.IGNORECASE)
_SEPARATOR = re.compile(rf"(?<=\w\w)/|\s/\s|;|,?\s{_ALIAS_MARK}:?\s|,\s+and\s", re.IGNORECASE)
MAX_NAME_LENGTH = 400
"""Maximum number of characters to compare. No real name is longer."""
MIN_PART_LETTERS = 4
"""Minimum number of letters of a part that may be a name by itself."""
_DIGIT_WITHIN = re.compile(r"(?<=[a-z])[01345](?=[a-z])")
"""A digit between letters, typed instead of a letter: `n0rinco`."""
_DIGITS = str.maketrans("01345", "oleas")
_WORD = re.compile(r"[a-z]+|[0-9]+")
_LETTERS = re.compile(r"[^\W\d_]+")
_LOOKALIKES = str.maketrans(
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0423\u0406\u0408\u0405"
    "\u0430\u0441\u0435\u043e\u0440\u0445\u0443\u0456\u0458\u0455\u04bb\u0501\u051b\u051d"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03bf\u03c1\u03bd",
    "ABEKMHOPCTXYIJSaceopxyijshdqwABEZHIKMNOPTYXopv",
)
"""Cyrillic and Greek letters that look like Latin ones. Within a Latin word, they are read as these."""
_ROMAN_NUMBER = re.compile(r"(x{0,3})(ix|iv|v?i{0,3})")
MIN_LONG_FORM = 8
"""Minimum number of letters at which a legal form is recognized despite one typing error."""


@dataclass(frozen=True, slots=True)
class Name:
    """A parsed name."""

    stated: str
    words: tuple[str, ...]
    """Words in order without the legal form, or all words if none would be left."""
    form: str
    """Family of its legal form. Empty if it has none."""
    form_words: tuple[str, ...] = ()
    joined: str = ""
    """Text before or after the form as one word, including joining words."""


@dataclass(frozen=True, slots=True)
class WordTables:
    """Words of `words.toml`."""

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
    data: Mapping[str, Any] = tomllib.loads(files(__package__).joinpath("words.toml").read_text(encoding="utf-8"))
    forms = {tuple(spelling.split()): family for family, spellings in data["forms"].items() for spelling in spellings}
    long_forms = tuple(
        ("".join(spelling), family, len(spelling))
        for spelling, family in forms.items()
        if len("".join(spelling)) >= 2 * MIN_LONG_FORM
    )
    return WordTables(
        forms,
        long_forms,
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

    Text in parentheses is part of a name, since it tells branches apart. A part with fewer than four letters is not a name.
    """
    stated = stated[: MAX_NAME_LENGTH * 5]
    aliases = [alias for pair in _ALIAS.findall(stated) for alias in pair if alias]
    without_aliases = _ALIAS.sub(" ", stated)
    parts = [part for text in (without_aliases, *aliases) for part in _SEPARATOR.split(text)]
    texts = dict.fromkeys(
        [without_aliases, *(part for part in parts if sum(map(str.isalpha, part)) >= MIN_PART_LETTERS)]
    )
    names = {
        (name.words, name.form): name for name in reversed([parse_name(text.strip()) for text in texts]) if name.words
    }
    return tuple(reversed(names.values()))


def parse_name(stated: str) -> Name:
    """Return a name in the form for comparison. An unreadable name has no words and matches nothing."""
    words = _phrases(_words(stated[:MAX_NAME_LENGTH]))
    name_words, form, form_words = _without_form(words)
    return Name(stated, tuple(_numbers(_normalized(name_words))), form, form_words, "".join(name_words))


def _words(text: str) -> list[str]:
    """Return words of lowercase Latin letters and digits. Adjacent single letters form one word."""
    text = _SCRIPT_FORMS.sub(" co ltd ", unicodedata.normalize("NFKC", text))
    text = _SCRIPT.sub(lambda match: f" {anyascii(match[0]).casefold()} ", text)
    text = _QUOTES.sub("", text)
    without_accents = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    in_latin_letters = _LETTERS.sub(
        lambda match: match[0].translate(_LOOKALIKES) if re.search("[A-Za-z]", match[0]) else match[0], without_accents
    )
    latin = _QUOTES.sub("", anyascii(in_latin_letters)).casefold().replace("&", " and ")
    latin = _DIGIT_WITHIN.sub(lambda match: match[0].translate(_DIGITS), latin)
    words: list[str] = []
    last_is_initials = False  # the last word consists of single letters, and the next single letter is appended
    for chunk in latin.split():
        parts = _WORD.findall(chunk)
        is_single_letter = len(parts) == 1 and len(parts[0]) == 1 and parts[0].isalpha()
        if is_single_letter and last_is_initials:
            words[-1] += parts[0]
        else:
            words.extend(_joined(parts))
        last_is_initials = is_single_letter
    return words


def _joined(parts: Sequence[str]) -> Iterator[str]:
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
    phrases = tables().phrases
    replaced: list[str] = []
    position = 0
    while position < len(words):
        for length in (4, 3, 2):
            replacement = phrases.get(tuple(words[position : position + length]))
            if replacement is not None and position + length <= len(words):
                replaced.extend(replacement)
                position += length
                break
        else:
            replaced.append(words[position])
            position += 1
    return replaced


def _without_form(words: list[str]) -> tuple[list[str], str, tuple[str, ...]]:
    """Return the words without leading and trailing forms, the family of the most specific form, and its words."""
    rest = list(words)
    families: list[str] = []
    form_words: list[str] = []
    while len(rest) > 1:
        trailing = _trailing_form(rest)
        if trailing is None:
            break
        family, length = trailing
        families.append(family)
        form_words[:0] = rest[-length:]
        rest = rest[:-length]
    while len(rest) > 1:
        leading = _leading_form(rest)
        if leading is None:
            break
        family, length = leading
        families.append(family)
        form_words += rest[:length]
        rest = rest[length:]
    if rest and rest[0] == "the" and len(rest) > 1:
        rest = rest[1:]
    specific = [family for family in families if family not in ("company", "inc")] or families
    return rest, (specific[0] if specific else ""), tuple(form_words)


def _trailing_form(words: Sequence[str]) -> tuple[str, int] | None:
    word_tables = tables()
    for length in range(min(7, len(words) - 1), 0, -1):
        tail = tuple(words[-length:])
        family = word_tables.forms.get(tail) or _misspelled_form("".join(tail), length)
        if family:
            return family, length
    return None


def _leading_form(words: Sequence[str]) -> tuple[str, int] | None:
    """Return a leading form and its length. `company` and `inc` are part of the name there, as is a misspelled form."""
    word_tables = tables()
    for length in range(min(6, len(words) - 1), 0, -1):
        family = word_tables.forms.get(tuple(words[:length]))
        if family is not None and family not in ("company", "inc"):
            return family, length
    return None


def _misspelled_form(tail: str, length: int) -> str:
    """Return the family of a long form with one letter added, missing, or changed. Empty if there is none."""
    for spelling, family, word_count in tables().long_forms:
        if (
            word_count == length
            and abs(len(tail) - len(spelling)) <= 1
            and OSA.distance(tail, spelling, score_cutoff=1) <= 1
        ):
            return family
    return ""


def _normalized(words: Sequence[str]) -> Iterator[str]:
    """Yield the words without joining words, in normal spelling, or all words if none would be left."""
    word_tables = tables()
    content_words = [word for word in words if word not in word_tables.joining] or words
    for word in content_words:
        yield word_tables.abbreviations.get(word, word)


def _numbers(words: Iterator[str]) -> Iterator[str]:
    """Yield numbers as digits: `forty four` is 44, `1 st` is 1, and a Roman numeral after a name is its number."""
    values = tables().numbers
    all_words = list(words)
    position = 0
    while position < len(all_words):
        word = all_words[position]
        following = all_words[position + 1] if position + 1 < len(all_words) else ""
        value = values.get(word)
        if value is not None and value >= 20 and 0 < values.get(following, 0) < 10:
            yield str(value + values[following])
            position += 2
        elif value is not None and value >= 20 and following.isdigit() and len(following) == 1:
            yield str(value + int(following))
            position += 2
        elif word.isdigit() and following in ("st", "nd", "rd", "th"):
            yield str(int(word))
            position += 2
        else:
            roman = _roman(word) if position else None
            yield str(value) if value is not None else roman or (str(int(word)) if word.isdigit() else word)
            position += 1


def _roman(word: str) -> str | None:
    match = _ROMAN_NUMBER.fullmatch(word)
    if match is None or not word:
        return None
    ones = {"": 0, "i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6, "vii": 7, "viii": 8, "ix": 9}
    return str(10 * len(match[1]) + ones[match[2]])


ORDINARY = 0.35
"""Weight of an ordinary word. A distinctive word has 1."""
JOINING = 0.05
DISTINCT = 0.7
"""Minimum weight of a distinctive word. One such word must agree, or all words."""
BOTH_LEFT_OVER = 2.0
"""Factor for a leftover word if the other name has one too, because they contradict each other."""
ONE_LEFT_OVER = 0.5
"""Factor for a word in only one of the names, because names are often shortened. Places and numbers count fully, since they tell branches apart."""
OTHER_FORM, NEAR_FORM = 0.8, 0.97
"""Factors on a score for contradicting legal forms, and for different forms of one kind: both of limited liability, or both of shares."""
_SHORT_WORD_WEIGHTS = {1: ORDINARY, 2: 0.5, 3: 0.8}
"""Maximum weight of a word by its number of letters."""
_VOWELS = frozenset("aeiouy")
ACRONYM_BELOW = 6
"""Number of letters below which a word without a vowel is an acronym."""
SHORT_MISSPELLED = 0.85
"""Maximum similarity of words with one typing error in fewer than six letters. If no other word agrees, the match needs a review at any score."""
DOUBTFUL_PAIR = 0.77
"""Maximum similarity of words with two typing errors in fewer than eight letters. One such word alone is no match."""
MIN_SOUND_LETTERS = 4
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
MIN_SHORTENED_WORDS = 4
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
        return Band.MATCH if score >= self.match else Band.REVIEW if score >= self.review else Band.NONE


@dataclass(frozen=True)
class Weights:
    """Weight of each word: 1 if distinctive, less if many names have it."""

    shared: Mapping[str, float] = field(default_factory=dict)
    """Word -> weight, for frequent words of the counted names."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Word -> number of counted names that contain it."""
    total: int = 0

    @classmethod
    def of(cls, names: Iterable[Name]) -> Weights:
        """Return the weights of a list. A word's weight falls from one in 400 names to that of an ordinary word at one in 40."""
        counts: Counter[str] = Counter()
        total = 0
        for name in names:
            counts.update(set(name.words))
            total += 1
        shared = {}
        if total >= 2000:
            for word, name_count in counts.items():
                if name_count * 400 > total:
                    commonness = math.log(name_count * 400 / total) / math.log(10)
                    shared[word] = max(ORDINARY, 1 - (1 - ORDINARY) * commonness)
        return cls(shared, counts, total)

    def identifies_name(self, words: Iterable[str]) -> bool:
        """Return True if fewer than two names of the list would contain all these words by chance."""
        if not self.total:
            return False
        return self.total * math.prod(self.counts.get(word, 0) / self.total for word in words) <= 2

    def weigh(self, word: str) -> float:
        return min(self.shared.get(word, 1.0), _weight(word))


@lru_cache(maxsize=1 << 16)
def _weight(word: str) -> float:
    word_tables = tables()
    if word in word_tables.joining:
        return JOINING
    if word.isdigit():
        return NUMBER
    if word in word_tables.ordinary or word in word_tables.places:
        return ORDINARY
    return _SHORT_WORD_WEIGHTS.get(len(word), 1.0)


@dataclass(frozen=True, slots=True)
class WordPair:
    """Words of two names that count as equal."""

    words: str
    other: str
    likeness: float
    weight: float


@dataclass(frozen=True, slots=True)
class NameComparison:
    """Comparison of two names."""

    score: float
    agreed: tuple[WordPair, ...]
    lacking: tuple[str, ...]
    others: tuple[str, ...]
    forms: tuple[str, str] = ("", "")
    """Legal forms, if they contradict each other."""
    gated: bool = False
    """True if only frequent ordinary words agree, or one word with several typing errors. That is never a match."""


def allowed_typos(letters: int) -> int:
    return 0 if letters < 4 else 1 if letters < 6 else 2 if letters < 11 else 3


def likeness(first: str, second: str) -> float:
    """Return the similarity of two words, from 0 to 1. Numbers must be equal."""
    if first == second:
        return 1.0
    if first.isdigit() or second.isdigit():
        return 0.0
    if len(by_sound(first)) >= MIN_SOUND_LETTERS and by_sound(first) == by_sound(second):
        return 0.96
    short, long = sorted((len(first), len(second)))
    allowed = allowed_typos(short)
    if short < ACRONYM_BELOW and not (_VOWELS & set(first) and _VOWELS & set(second)):
        return 0.0
    distance = OSA.distance(first, second, score_cutoff=allowed)
    if distance > allowed:
        return 0.0
    return 1 - 1.1 * distance / (long + 2)


@lru_cache(maxsize=1 << 16)
def by_sound(word: str) -> str:
    """Return a word without differences of transliteration: `muromskiy` and `muromskij`, `qaida` and `kaida`."""
    for written, read in _SOUNDS:
        word = word.replace(written, read)
    return "".join(letter for n, letter in enumerate(word) if not n or letter != word[n - 1])


def compare(first: Name, second: Name, weights: Weights) -> NameComparison:
    """Return the score of two names with its reasons. The score is symmetric."""
    pairs = _word_pairs(first.words, second.words, weights)
    first_left = _leftover(first.words, [p.words for p in pairs])
    second_left = _leftover(second.words, [p.other for p in pairs])
    agreement = sum(pair.likeness * pair.weight for pair in pairs)
    max_agreement = sum(pair.weight for pair in pairs)
    score_by_words = (
        agreement / (max_agreement + _leftover_of_words(first_left, second_left, weights)) if pairs else 0.0
    )
    has_distinctive = any(pair.weight >= DISTINCT for pair in pairs)
    only_doubtful = len(pairs) == 1 and pairs[0].likeness < DOUBTFUL_PAIR
    is_gated = bool(pairs) and (
        only_doubtful or not has_distinctive and not all(map(tells_branches, first_left + second_left))
    )
    shortened_words = _shortened_agreement(pairs, first_left, second_left, weights) if is_gated else 0
    if shortened_words:
        is_gated, score_by_words = (
            False,
            score_by_words if shortened_words >= MIN_SHORTENED_WORDS else min(score_by_words, MATCH - 0.01),
        )
    score = 0.0 if is_gated else score_by_words
    joined_score = _as_one_word(first, second)
    if joined_score > score:
        agreed = (WordPair(" ".join(first.words), " ".join(second.words), joined_score, 1.0),)
        pairs, first_left, second_left, score, is_gated = agreed, (), (), joined_score, False
    if len(pairs) == 1 and pairs[0].likeness <= SHORT_MISSPELLED:
        score = min(score, MATCH - 0.01)
    forms_differ = bool(
        first.form and second.form and first.form != second.form and not {first.form, second.form} & {"company", "inc"}
    )
    if forms_differ:
        kind_of_form = tables().near
        score *= NEAR_FORM if kind_of_form[first.form] == kind_of_form[second.form] else OTHER_FORM
    forms = (" ".join(first.form_words), " ".join(second.form_words)) if forms_differ else ("", "")
    return NameComparison(round(score, 4), tuple(pairs), tuple(first_left), tuple(second_left), forms, is_gated)


def _shortened_agreement(
    pairs: tuple[WordPair, ...], left: tuple[str, ...], right: tuple[str, ...], weights: Weights
) -> int:
    """Return the number of agreeing words if one name lacks a word of the other and the words identify the name, otherwise 0.

    Only equal words count, at least two, one of them not a place. The missing word must be ordinary, unless enough words agree. A word that tells
    branches apart, or leftover words in both names, contradict the match.
    """
    joining = tables().joining
    missing = [word for word in left + right if word not in joining]
    equal = [pair.words for pair in pairs if pair.words not in joining]
    if len(missing) != 1 or any(pair.likeness < 1 for pair in pairs) or tells_branches(missing[0]):
        return 0
    if len(equal) < 2 or all(map(tells_branches, equal)) or not weights.identifies_name(equal):
        return 0
    return len(equal) if len(equal) >= MIN_SHORTENED_WORDS or weights.weigh(missing[0]) < DISTINCT else 0


def leftover_penalty(first: float, second: float) -> float:
    return BOTH_LEFT_OVER * min(first, second) + ONE_LEFT_OVER * abs(first - second)


def _leftover_of_words(left: tuple[str, ...], right: tuple[str, ...], weights: Weights) -> float:
    first, second = (sum(map(weights.weigh, words)) for words in (left, right))
    if min(first, second) > 0:
        return leftover_penalty(first, second)
    return sum(weights.weigh(word) * (1.0 if tells_branches(word) else ONE_LEFT_OVER) for word in left + right)


def tells_branches(word: str) -> bool:
    return word.isdigit() or word in tables().places


def _as_one_word(first: Name, second: Name) -> float:
    """Return the similarity of names that differ in word breaks: `Goodwill`, `Good Will`; `SiemensAG`."""
    numbers = [sorted(word for word in name.words if word.isdigit()) for name in (first, second)]
    if numbers[0] != numbers[1] or len(first.words) == len(second.words) and not first.form and not second.form:
        return 0.0
    spellings = [(first.joined, second.joined)]
    spellings += [(first.joined + "".join(first.form_words), second.joined)] if first.form and not second.form else []
    spellings += [(first.joined, second.joined + "".join(second.form_words))] if second.form and not first.form else []
    return max(_similarity_with_one_typo(first_text, second_text) for first_text, second_text in spellings)


def _similarity_with_one_typo(first: str, second: str) -> float:
    if min(len(first), len(second)) < 5:
        return 0.0
    if by_sound(first) == by_sound(second):
        return AS_ONE_WORD
    if OSA.distance(first, second, score_cutoff=1) > 1:
        return 0.0
    return AS_ONE_WORD * (1 - 1.1 / (max(len(first), len(second)) + 2))


def _word_pairs(first: tuple[str, ...], second: tuple[str, ...], weights: Weights) -> tuple[WordPair, ...]:
    """Return pairs of words of two names, best first. Each word occurs once, and two adjacent words may match one of the other name."""
    candidates: list[tuple[float, int, int, int, int, WordPair]] = []
    for i, word in enumerate(first):
        for j, other_word in enumerate(second):
            similarity = _similarity(word, other_word)
            if similarity:
                weight = min(weights.weigh(word), weights.weigh(other_word))
                candidates.append(
                    (-similarity * (1 + weight), i, i + 1, j, j + 1, WordPair(word, other_word, similarity, weight))
                )
    candidates += _split_words(first, second, weights, swapped=False)
    candidates += _split_words(second, first, weights, swapped=True)
    candidates.sort(key=lambda entry: entry[:5])
    taken_first: set[int] = set()
    taken_second: set[int] = set()
    pairs = []
    for _, i, i_end, j, j_end, pair in candidates:
        if taken_first.isdisjoint(range(i, i_end)) and taken_second.isdisjoint(range(j, j_end)):
            taken_first.update(range(i, i_end))
            taken_second.update(range(j, j_end))
            pairs.append(pair)
    return tuple(pairs)


@lru_cache(maxsize=1 << 18)
def _similarity(word: str, other: str) -> float:
    spelling_similarity = likeness(word, other)
    return spelling_similarity or abbreviated(word, other)


def abbreviated(word: str, other: str) -> float:
    """Return the similarity if an ordinary word is abbreviated: `TECHN`, `SRVCS`. Distinctive words don't count as abbreviated."""
    short, long = sorted((word, other), key=len)
    if len(short) < 3 or len(short) == len(long) or short[0] != long[0] or long not in tables().ordinary:
        return 0.0
    if long.startswith(short):
        return 0.9
    remaining = iter(long)
    return 0.85 if not set(short[1:]) & set("aeiou") and all(letter in remaining for letter in short) else 0.0


def _split_words(
    first: tuple[str, ...], second: tuple[str, ...], weights: Weights, swapped: bool
) -> Iterable[tuple[float, int, int, int, int, WordPair]]:
    for i in range(len(first) - 1):
        joined = first[i] + first[i + 1]
        if len(joined) < 5 or not joined.isalpha():
            continue
        for j, word in enumerate(second):
            if abs(len(word) - len(joined)) <= 2 and by_sound(word) == by_sound(joined):
                similarity = AS_ONE_WORD
                weight = max(weights.weigh(word), weights.weigh(first[i]), weights.weigh(first[i + 1]))
                separate = f"{first[i]} {first[i + 1]}"
                rank = -similarity * (1 + weight) - 0.1
                if swapped:
                    yield rank, j, j + 1, i, i + 2, WordPair(word, separate, similarity, weight)
                else:
                    yield rank, i, i + 2, j, j + 1, WordPair(separate, word, similarity, weight)


def _leftover(words: tuple[str, ...], agreed: Iterable[str]) -> tuple[str, ...]:
    used = Counter(word for pair in agreed for word in pair.split())
    leftover = []
    for word in words:
        if used[word]:
            used[word] -= 1
        else:
            leftover.append(word)
    return tuple(leftover)


BLOCK_SIZE = 512


@dataclass(frozen=True, slots=True)
class Hit:
    """A name of the list, by its position, with its comparison."""

    position: int
    comparison: NameComparison


@dataclass(slots=True)
class _SharedWords:
    """Upper bounds on the agreement of a name with names of a list."""

    agreement_by_name: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    """Name of the list -> weight of the distinctive words of both that may agree."""
    crossover_by_name: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    """Name of the list -> weight of its distinctive words that may agree with ordinary words of the name."""
    ordinary_words: list[tuple[float, frozenset[str]]] = field(default_factory=list)
    """Ordinary words of the name, each with its weight and the words of the list that may agree."""
    all_ordinary: set[str] = field(default_factory=set)
    distinctive: float = 0.0
    flexible: float = 0.0
    """Part of this weight that may agree with ordinary words of the list."""
    ordinary: float = 0.0


class NameIndex:
    """Search index of the names of a list.

    A score above 0 requires an agreeing distinctive word, all words except those that tell branches apart, all but one word, or the whole name as
    one word. A name is only compared with names that share one of these, up to typing errors. Tests compare this with a full search.
    """

    def __init__(self, names: Sequence[Name], weights: Weights) -> None:
        self.names = names
        self.weights = weights
        self._names_with_word: dict[str, list[int]] = defaultdict(list)
        self._names_with_pair: dict[str, list[int]] = defaultdict(list)
        """Two adjacent words as one, by sound -> names that contain them."""
        for position, name in enumerate(names):
            for word in dict.fromkeys(name.words):
                self._names_with_word[word].append(position)
            for pair in _adjacent_pairs(name):
                self._names_with_pair[by_sound(pair)].append(position)
        self._words_by_sound: dict[str, list[str]] = defaultdict(list)
        self._words_by_initial: dict[tuple[str, bool], list[str]] = defaultdict(list)
        """First letter, and True if ordinary -> words."""
        ordinary = tables().ordinary
        for word in self._names_with_word:
            self._words_by_sound[by_sound(word)].append(word)
            self._words_by_initial[word[0], word in ordinary].append(word)
        self._abbreviations: dict[str, list[str]] = {}
        weights_by_name = [self._weights_of(name) for name in names]
        self._distinctive_weights = [distinctive for distinctive, _ in weights_by_name]
        self._ordinary_weights = [ordinary_weight for _, ordinary_weight in weights_by_name]

    def find(self, queries: Sequence[Name], min_score: float) -> Iterator[tuple[int, list[Hit]]]:
        """Yield the position of each query, with the names of the list that score above 0 and at least `min_score`, best first."""
        similar_words, names_by_variant = self._similar_words(queries), self._names_by_variant(queries)
        for position, query in enumerate(queries):
            hits = []
            for candidate in sorted(self._candidates(query, similar_words, names_by_variant, min_score)):
                comparison = compare(query, self.names[candidate], self.weights)
                if comparison.score >= min_score and comparison.score > 0:
                    hits.append(Hit(candidate, comparison))
            hits.sort(key=lambda hit: (-hit.comparison.score, hit.position))
            yield position, hits

    def _similar_words(self, queries: Sequence[Name]) -> dict[str, list[str]]:
        words = sorted({word for query in queries for word in query.words})
        list_words = sorted(self._names_with_word)
        similar = {
            word: {*self._words_by_sound.get(by_sound(word), ())} | ({word} & self._names_with_word.keys())
            for word in words
        }
        for min_length, max_length in ((4, 5), (6, 10), (11, 99)):
            own_words = [word for word in words if min_length <= len(word) <= max_length and word.isalpha()]
            typos = allowed_typos(max_length)
            candidates = [
                word for word in list_words if min_length - typos <= len(word) <= max_length + typos and word.isalpha()
            ]
            for start in range(0, len(own_words) if candidates else 0, BLOCK_SIZE):
                block = own_words[start : start + BLOCK_SIZE]
                distances = cdist(block, candidates, scorer=OSA.distance, score_cutoff=typos, dtype=np.uint8)
                for row, column in zip(*np.nonzero(distances <= typos), strict=True):
                    similar[block[row]].add(candidates[column])
        return {word: sorted(others) for word, others in similar.items()}

    def _names_by_variant(self, queries: Sequence[Name]) -> dict[str, list[int]]:
        by_variant: dict[str, list[int]] = {variant: [] for query in queries for variant in _one_word_variants(query)}
        for position, name in enumerate(self.names):
            for variant in _one_word_variants(name):
                if variant in by_variant:
                    by_variant[variant].append(position)
        return by_variant

    def _candidates(
        self, query: Name, similar_words: dict[str, list[str]], names_by_variant: dict[str, list[int]], min_score: float
    ) -> set[int]:
        candidates = self._sharing_all_words(query, similar_words)
        for word in query.words:
            candidates.update(self._names_with_pair.get(by_sound(word), ()))
        for pair in _adjacent_pairs(query):
            for similar in self._words_by_sound.get(by_sound(pair), ()):
                candidates.update(self._names_with_word[similar])
        for variant in _one_word_variants(query):
            candidates.update(names_by_variant[variant])
        candidates.update(self._sharing_distinctive(query, similar_words, min_score))
        candidates.update(self._sharing_rare_words(query))
        return candidates

    def _sharing_rare_words(self, query: Name) -> Iterator[int]:
        identifying = [word for word in dict.fromkeys(query.words) if word not in tables().joining]
        for word in sorted(identifying, key=lambda word: len(self._names_with_word.get(word, ())))[:2]:
            yield from self._names_with_word.get(word, ())

    def _sharing_distinctive(self, query: Name, similar_words: dict[str, list[str]], min_score: float) -> Iterator[int]:
        """Yield the names that share a distinctive word and may reach the score. Agreement is overestimated, and leftover words underestimated."""
        bounds = self._shared_words(query, similar_words)
        for position, agreement in bounds.agreement_by_name.items():
            crossover = bounds.crossover_by_name.get(position, 0.0)
            list_leftover = max(0.0, self._distinctive_weights[position] - crossover - agreement)
            query_leftover = max(0.0, bounds.distinctive - bounds.flexible - agreement)
            max_agreement = agreement + min(
                bounds.ordinary + bounds.flexible, self._ordinary_weights[position] + crossover
            )
            if not _can_reach(max_agreement, query_leftover, list_leftover, min_score):
                continue
            if not bounds.flexible and not crossover:
                # Ordinary words can then agree only with ordinary words, which is cheap to count.
                words = self.names[position].words
                shared = sum(weight for weight, others in bounds.ordinary_words if not others.isdisjoint(words))
                shared_of_list = sum(self.weights.weigh(word) for word in words if word in bounds.all_ordinary)
                query_leftover += bounds.ordinary - shared
                list_leftover += max(0.0, self._ordinary_weights[position] - shared_of_list)
                if not _can_reach(agreement + min(shared, shared_of_list), query_leftover, list_leftover, min_score):
                    continue
            yield position

    def _shared_words(self, query: Name, similar_words: dict[str, list[str]]) -> _SharedWords:
        weigh = self.weights.weigh
        bounds = _SharedWords()
        for word in query.words:
            weight = weigh(word)
            list_words = {*similar_words[word], *self._abbreviations_of(word)}
            distinctive = [list_word for list_word in list_words if weigh(list_word) >= DISTINCT]
            if weight < DISTINCT:
                bounds.ordinary += weight
                bounds.ordinary_words.append((weight, frozenset(list_words)))
                bounds.all_ordinary |= list_words
                for list_word in distinctive:
                    for position in self._names_with_word[list_word]:
                        bounds.crossover_by_name[position] += weigh(list_word)
                continue
            bounds.distinctive += weight
            bounds.flexible += weight if len(distinctive) < len(list_words) else 0.0
            for list_word in distinctive:
                for position in self._names_with_word[list_word]:
                    bounds.agreement_by_name[position] += max(weight, weigh(list_word))
        return bounds

    def _weights_of(self, name: Name) -> tuple[float, float]:
        weights = [self.weights.weigh(word) for word in name.words]
        distinctive = sum(weight for weight in weights if weight >= DISTINCT)
        return distinctive, sum(weights) - distinctive

    def _sharing_all_words(self, query: Name, similar_words: dict[str, list[str]]) -> set[int]:
        """Return the names whose words may all agree without a distinctive one: those with the rarest word that doesn't tell branches apart."""
        identifying = [word for word in query.words if not tells_branches(word)]
        if not identifying:
            return {
                position
                for word in query.words
                for list_word in similar_words[word]
                for position in self._names_with_word[list_word]
            }
        fewest: set[int] = set()
        for number, word in enumerate(dict.fromkeys(identifying)):
            is_distinctive = self.weights.weigh(word) >= DISTINCT
            list_words = {
                list_word
                for list_word in (*similar_words[word], *self._abbreviations_of(word))
                if not is_distinctive or self.weights.weigh(list_word) < DISTINCT
            }
            postings = {position for list_word in list_words for position in self._names_with_word[list_word]}
            if not number or len(postings) < len(fewest):
                fewest = postings
            if not fewest:
                break
        return fewest

    def _abbreviations_of(self, word: str) -> list[str]:
        if word not in self._abbreviations:
            ordinary_flags = (True, False) if word in tables().ordinary else (True,)
            list_words = (
                list_word
                for is_ordinary in ordinary_flags
                for list_word in self._words_by_initial.get((word[0], is_ordinary), ())
            )
            self._abbreviations[word] = [list_word for list_word in list_words if abbreviated(word, list_word)]
        return self._abbreviations[word]


def _can_reach(max_agreement: float, first_left: float, second_left: float, min_score: float) -> bool:
    return max_agreement >= min_score * (max_agreement + leftover_penalty(first_left, second_left)) - 1e-4


def _adjacent_pairs(name: Name) -> Iterator[str]:
    for first, second in zip(name.words, name.words[1:], strict=False):
        if len(first) + len(second) >= 5 and (first + second).isalpha():
            yield first + second


def _one_word_variants(name: Name) -> set[str]:
    """Return the name as one word, also with one letter removed, so that texts one typing error apart share a variant."""
    variants = set()
    for text in {name.joined, name.joined + "".join(name.form_words)}:
        if len(text) >= 5:
            variants |= {
                text,
                f"~{by_sound(text)}",
                *(text[:position] + text[position + 1 :] for position in range(len(text))),
            }
    return variants
