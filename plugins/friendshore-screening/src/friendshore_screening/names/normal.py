"""A company's name as it is compared: small Latin letters, words, numbers, the legal form apart."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from anyascii import anyascii
from rapidfuzz.distance import OSA

_SCRIPT = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]+")
_SCRIPT_FORMS = re.compile(
    "(?:股份|责任|責任)?有限(?:责任|責任)?公司|集团公司|集團公司|公司|株式会社|株式會社|合同会社|주식회사"
)
_QUOTES = re.compile(r"['\u2018\u2019\u02bc\u02b9\u0060\u00b4]")
_KNOWN = r"(?:also known as|formerly known as|previously known as|formerly|a\.?k\.?a\.?|f\.?k\.?a\.?|alias)"
_KNOWN_AS = re.compile(rf"\(\s*{_KNOWN}:?\s+([^)]+)\)|,?\s{_KNOWN}:?\s+([^(]+)", re.IGNORECASE)
_PARTED = re.compile(rf"(?<=\w\w)/|\s/\s|;|,?\s{_KNOWN}:?\s|,\s+and\s", re.IGNORECASE)
LONGEST_NAME = 400
"""Characters of a name that are compared: what is longer is no name of anybody."""
PART = 4
"""Letters that a part of a name has at least, to be read as a name of its own."""
_DIGIT_WITHIN = re.compile(r"(?<=[a-z])[01345](?=[a-z])")
"""A digit between letters, typed in the place of one: `n0rinco`."""
_DIGITS = str.maketrans("01345", "oleas")
_WORD = re.compile(r"[a-z]+|[0-9]+")
_LETTERS = re.compile(r"[^\W\d_]+")
_ALIKE = str.maketrans(
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0423\u0406\u0408\u0405"
    "\u0430\u0441\u0435\u043e\u0440\u0445\u0443\u0456\u0458\u0455\u04bb\u0501\u051b\u051d"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03bf\u03c1\u03bd",
    "ABEKMHOPCTXYIJSaceopxyijshdqwABEZHIKMNOPTYXopv",
)
"""Cyrillic and Greek letters that look like Latin ones: within a Latin word they are meant for these."""
_ROMAN = {"i": 1, "v": 5, "x": 10, "l": 50}
_ROMAN_NUMBER = re.compile(r"(x{0,3})(ix|iv|v?i{0,3})")
LONG_FORM = 8
"""Letters from which on a legal form is known in spite of one slip of the pen."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name, read."""

    stated: str
    """As it was written."""
    words: tuple[str, ...]
    """Its words in their order, without its legal form; all of them where nothing else would be left."""
    form: str
    """Its legal form, by the family of forms it belongs to; empty: none is stated."""
    form_words: tuple[str, ...] = ()
    """The words that say the form."""
    joined: str = ""
    """All that stands before or behind the form as one word, those that only join included."""


@dataclass(frozen=True, slots=True)
class WordTables:
    """The words of `words.toml`."""

    forms: Mapping[tuple[str, ...], str]
    """A way of writing a form, as words -> its family."""
    long_forms: tuple[tuple[str, str, int], ...]
    """Those that are known in spite of a slip: written as one word, family, how many words it has."""
    near: Mapping[str, str]
    """Family of forms -> what it is one of: of limited liability, or of shares; itself, if neither."""
    ordinary: frozenset[str]
    joining: frozenset[str]
    places: frozenset[str]
    abbreviations: Mapping[str, str]
    phrases: Mapping[tuple[str, ...], tuple[str, ...]]
    numbers: Mapping[str, int]


@lru_cache(maxsize=1)
def tables() -> WordTables:
    """What `words.toml` says, read once."""
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
    """All names that a text may mean: itself, and what a stroke or an `also known as` parts, as in a joint venture's.

    What stands in brackets is part of a name: it says which branch is meant. A part that has fewer than four letters is no name of its own.
    """
    stated = stated[: LONGEST_NAME * 5]
    known_as = [found for pair in _KNOWN_AS.findall(stated) for found in pair if found]
    bare = _KNOWN_AS.sub(" ", stated)
    parts = [part for one in (bare, *known_as) for part in _PARTED.split(one)]
    texts = dict.fromkeys([bare, *(part for part in parts if sum(map(str.isalpha, part)) >= PART)])
    found = {(one.words, one.form): one for one in reversed([name(text.strip()) for text in texts]) if one.words}
    return tuple(reversed(found.values()))


def name(stated: str) -> Name:
    """A name as it is compared. A name of which nothing can be read has no words, and matches nothing."""
    found = _phrases(_words(stated[:LONGEST_NAME]))
    core, form, form_words = _without_form(found)
    return Name(stated, tuple(_numbers(_told(core))), form, form_words, "".join(core))


def _words(text: str) -> list[str]:
    """Words of small Latin letters and digits; letters that stand alone one after another are one word."""
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
    """The words of what stands without a blank; letters that stand alone there, one after another, are one word."""
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
    """The words without the forms that stand behind and in front, the family of the most telling one, and its words.

    `Co Ltd` is one form; of several, one after another, `company` and `inc` say least.
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
    """Forms stand in front where they are no word of a name: neither `company` nor one that is one letter off."""
    known = tables()
    for long in range(min(6, len(words) - 1), 0, -1):
        family = known.forms.get(tuple(words[:long]))
        if family is not None and family not in ("company", "inc"):
            return family, long
    return None


def _slipped(tail: str, long: int) -> str:
    """The family of a long form with one letter too many, too few or another; empty: it is none."""
    for way, family, words in tables().long_forms:
        if words == long and abs(len(tail) - len(way)) <= 1 and OSA.distance(tail, way, score_cutoff=1) <= 1:
            return family
    return ""


def _told(words: Sequence[str]) -> Iterator[str]:
    """Words without those that only join, each written in one way; all of them where nothing else would be left."""
    known = tables()
    telling = [word for word in words if word not in known.joining] or words
    for word in telling:
        yield known.abbreviations.get(word, word)


def _numbers(words: Iterator[str]) -> Iterator[str]:
    """Numbers in digits: `forty four` is 44, `1 st` is 1, a Roman number behind a name is what it counts."""
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
    """What a Roman number of up to 39 comes to; None: it is none."""
    found = _ROMAN_NUMBER.fullmatch(word)
    if found is None or not word:
        return None
    ones = {"": 0, "i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6, "vii": 7, "viii": 8, "ix": 9}
    return str(10 * len(found[1]) + ones[found[2]])
