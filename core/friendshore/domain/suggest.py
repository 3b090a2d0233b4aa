"""Suggestions for misspelled names, and detection of misleading names: mixed alphabets, invisible characters, and styled letters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from difflib import SequenceMatcher, get_close_matches
from functools import lru_cache

MAX_COMPARED = 5_000
"""Maximum number of known words to compare with a word. More would take longer than reading the file."""

_FEW = 100
"""Maximum number of known words for which results are cached."""

_MOST_IN_ALL = 50_000
"""Maximum number of comparisons for all words of one reading. They take about a second."""


def nearest(word: str, known: Collection[str], alike: float = 0.6) -> str | None:
    """Return the most similar known word. None if no similarity reaches `alike`, from 0 to 1."""
    return _nearest_of_few(word, tuple(known), alike) if len(known) <= _FEW else _nearest(word, known, alike)


@lru_cache(maxsize=4096)
def _nearest_of_few(word: str, known: tuple[str, ...], alike: float) -> str | None:
    """Return the cached result, because a file has the same keys in many tables, each compared with the same few words."""
    return _nearest(word, known, alike)


def _nearest(word: str, known: Collection[str], alike: float) -> str | None:
    folded = word.casefold()
    candidates: Iterable[str] = known
    if len(known) > MAX_COMPARED:
        candidates = [k for k in known if k[:2].casefold() == folded[:2] and abs(len(k) - len(word)) <= 3]
    forms: dict[str, str] = {}
    for candidate in sorted(candidates)[:MAX_COMPARED]:
        forms.setdefault(candidate.casefold(), candidate)
    close = get_close_matches(folded, forms, n=5, cutoff=alike)
    if not close:
        return None
    # Of words equally like it, the one that begins like it: slips are rarer at the start of a word.
    best = max(close, key=lambda form: (SequenceMatcher(None, form, folded).ratio(), form[:2] == folded[:2]))
    return forms[best]


class Suggestions:
    """Suggestions for one reading. Each word is looked up once, up to a maximum number of comparisons.

    In a column where all ids were renamed, thousands of suggestions would take longer than reading the file, without any use.
    """

    def __init__(self) -> None:
        self._left = _MOST_IN_ALL
        self._made: dict[tuple[str, str], str] = {}

    def of(self, what: str, word: str, known: Collection[str]) -> str:
        """Return a suggestion of the nearest known word. Empty if there is none, or after the maximum number of comparisons.

        `what` names the kind of thing. Kinds are looked up separately.
        """
        key = (what, word)
        if key not in self._made:
            self._left -= min(len(known), MAX_COMPARED)
            self._made[key] = did_you_mean(word, known) if self._left >= 0 else ""
        return self._made[key]


def did_you_mean(word: str, known: Collection[str], alike: float = 0.6) -> str:
    """Return a suggestion of the nearest known word, or an empty string."""
    found = nearest(word, known, alike)
    return f"did you mean `{found}`?" if found else ""


def closest(word: str, known: Iterable[str]) -> str:
    """Return a suggestion of the nearest known name, or else of the shortest one with the word as a part: `Hanau` of `hanau-magnetik-gmbh`."""
    names = sorted({name for name in known if name})
    fix = did_you_mean(word, names)
    if fix or len(word) < _LEAST_PART:
        return fix
    part = re.compile(rf"(?<![^\W_]){re.escape(word.casefold())}")
    found = min((name for name in names if part.search(name.casefold())), key=len, default="")
    return f"did you mean `{found}`?" if found else ""


_LEAST_PART = 3
"""Minimum length of a word to search for within names."""
_WORD = re.compile(r"\w+")
_UNSEEN = frozenset({"Cc", "Cf", "Zl", "Zp", "Co", "Cs", "Cn"})
"""Unicode categories of characters that are invisible or end a line."""
_ALIKE = frozenset({"LATIN", "CYRILLIC", "GREEK", "COPTIC", "ARMENIAN", "CHEROKEE"})
"""Alphabets with letters that look like those of another."""
_STYLED = ("<wide>", "<narrow>", "<font>")
"""Unicode decompositions of styled letters and digits."""


def misleading(text: str) -> str:
    """Return how the look of a text misleads, as the end of a sentence. Empty if it doesn't."""
    if text.isascii() and text.isprintable():
        return ""
    unseen = next((sign for sign in text if unicodedata.category(sign) in _UNSEEN), None)
    if unseen is not None:
        return f"holds a sign that nobody sees (U+{ord(unseen):04X}, {_name(unseen)})"
    for word in _WORD.findall(text):
        found = {unicodedata.name(sign, "").partition(" ")[0]: sign for sign in word if sign.isalpha()}
        alike = sorted(_ALIKE & found.keys(), key=lambda alphabet: alphabet != "LATIN")
        if len(alike) > 1:
            sign = found[alike[1]]
            return f"mixes letters of two alphabets: `{sign}` is U+{ord(sign):04X}, {_name(sign)}"
    other = next((sign for sign in text if unicodedata.decomposition(sign).startswith(_STYLED)), None)
    return "" if other is None else f"holds a sign that looks like another (U+{ord(other):04X}, {_name(other)})"


def _name(sign: str) -> str:
    return unicodedata.name(sign, "a control character").lower()
