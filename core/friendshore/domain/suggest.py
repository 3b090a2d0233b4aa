"""Suggestions for misspelled names, and detection of misleading names: mixed alphabets, invisible characters, and styled letters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from difflib import SequenceMatcher, get_close_matches
from functools import lru_cache

MAX_COMPARED = 5_000
"""Maximum number of known words to compare with a word. More would take longer than reading the file."""

# Maximum number of known words for which results are cached.
_MAX_CACHED = 100
# Maximum number of comparisons for all words of one reading. They take about a second.
_MAX_COMPARISONS = 50_000


def nearest(word: str, known: Collection[str], min_similarity: float = 0.6) -> str | None:
    """Return the most similar known word. None if no similarity reaches `min_similarity`, from 0 to 1."""
    return (
        _nearest_of_few(word, tuple(known), min_similarity)
        if len(known) <= _MAX_CACHED
        else _nearest(word, known, min_similarity)
    )


@lru_cache(maxsize=4096)
def _nearest_of_few(word: str, known: tuple[str, ...], min_similarity: float) -> str | None:
    # A file has the same keys in many tables, each compared with the same few words.
    return _nearest(word, known, min_similarity)


def _nearest(word: str, known: Collection[str], min_similarity: float) -> str | None:
    folded = word.casefold()
    candidates: Iterable[str] = known
    if len(known) > MAX_COMPARED:
        candidates = [k for k in known if k[:2].casefold() == folded[:2] and abs(len(k) - len(word)) <= 3]
    forms: dict[str, str] = {}
    for candidate in sorted(candidates)[:MAX_COMPARED]:
        forms.setdefault(candidate.casefold(), candidate)
    close = get_close_matches(folded, forms, n=5, cutoff=min_similarity)
    if not close:
        return None
    # Among equally similar words, prefer one with the same start, because misspellings are rarer there.
    best = max(close, key=lambda form: (SequenceMatcher(None, form, folded).ratio(), form[:2] == folded[:2]))
    return forms[best]


class Suggestions:
    """Suggestions for one reading, up to a maximum number of comparisons. If all ids of a column were renamed, thousands of them would not help."""

    def __init__(self) -> None:
        self._comparisons_left = _MAX_COMPARISONS
        self._suggestions: dict[tuple[str, str], str] = {}

    def of(self, kind: str, word: str, known: Collection[str]) -> str:
        key = (kind, word)
        if key not in self._suggestions:
            self._comparisons_left -= min(len(known), MAX_COMPARED)
            self._suggestions[key] = did_you_mean(word, known) if self._comparisons_left >= 0 else ""
        return self._suggestions[key]


def did_you_mean(word: str, known: Collection[str], min_similarity: float = 0.6) -> str:
    match = nearest(word, known, min_similarity)
    return f"did you mean `{match}`?" if match else ""


def closest(word: str, known: Iterable[str]) -> str:
    """Return a suggestion of the nearest known name, or else of the shortest one with the word as a part: `Hanau` of `hanau-magnetik-gmbh`."""
    names = sorted({name for name in known if name})
    fix = did_you_mean(word, names)
    if fix or len(word) < _MIN_PART_LENGTH:
        return fix
    part = re.compile(rf"(?<![^\W_]){re.escape(word.casefold())}")
    match = min((name for name in names if part.search(name.casefold())), key=len, default="")
    return f"did you mean `{match}`?" if match else ""


_MIN_PART_LENGTH = 3
_WORD = re.compile(r"\w+")
# Unicode categories of characters that are invisible or end a line.
_INVISIBLE = frozenset({"Cc", "Cf", "Zl", "Zp", "Co", "Cs", "Cn"})
# Alphabets with letters that look like those of another.
_SIMILAR_ALPHABETS = frozenset({"LATIN", "CYRILLIC", "GREEK", "COPTIC", "ARMENIAN", "CHEROKEE"})
# Unicode decompositions of styled letters and digits.
_STYLED = ("<wide>", "<narrow>", "<font>")


def misleading(text: str) -> str:
    """Return how the look of a text misleads, as the end of a sentence. Empty if it doesn't."""
    if text.isascii() and text.isprintable():
        return ""
    invisible = next((char for char in text if unicodedata.category(char) in _INVISIBLE), None)
    if invisible is not None:
        return f"contains an invisible character (U+{ord(invisible):04X}, {_name(invisible)})"
    for word in _WORD.findall(text):
        char_by_alphabet = {unicodedata.name(char, "").partition(" ")[0]: char for char in word if char.isalpha()}
        alphabets = sorted(_SIMILAR_ALPHABETS & char_by_alphabet.keys(), key=lambda alphabet: alphabet != "LATIN")
        if len(alphabets) > 1:
            char = char_by_alphabet[alphabets[1]]
            return f"mixes letters of two alphabets: `{char}` is U+{ord(char):04X}, {_name(char)}"
    styled = next((char for char in text if unicodedata.decomposition(char).startswith(_STYLED)), None)
    if styled is None:
        return ""
    return f"contains a character that looks like another (U+{ord(styled):04X}, {_name(styled)})"


def _name(char: str) -> str:
    return unicodedata.name(char, "a control character").lower()
