"""Did you mean: the known word nearest to one that is not known."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import SequenceMatcher, get_close_matches

MOST_COMPARED = 5_000
"""Known words that one word is compared with; beyond that a suggestion would take longer than reading the file."""

_MOST_IN_ALL = 50_000
"""Comparisons for all the words of one reading: about a second."""


def nearest(word: str, known: Collection[str], alike: float = 0.6) -> str | None:
    """The known word most like `word`, or None if none is.

    Args:
        word: what was written.
        known: what could have been meant.
        alike: how alike the two must be, from 0 to 1.
    """
    folded = word.casefold()
    candidates: Iterable[str] = known
    if len(known) > MOST_COMPARED:
        candidates = [k for k in known if k[:2].casefold() == folded[:2] and abs(len(k) - len(word)) <= 3]
    forms: dict[str, str] = {}
    for candidate in sorted(candidates)[:MOST_COMPARED]:
        forms.setdefault(candidate.casefold(), candidate)
    close = get_close_matches(folded, forms, n=5, cutoff=alike)
    if not close:
        return None
    # Of words equally like it, the one that begins like it: slips are rarer at the start of a word.
    best = max(close, key=lambda form: (SequenceMatcher(None, form, folded).ratio(), form[:2] == folded[:2]))
    return forms[best]


class Suggestions:
    """The suggestions of one reading: each word is looked up once, and after so many comparisons none is made any more.

    A column of ids that were all renamed is no slip: thousands of suggestions would take longer than reading the file, and help nobody.
    """

    def __init__(self) -> None:
        self._left = _MOST_IN_ALL
        self._made: dict[tuple[str, str], str] = {}

    def of(self, what: str, word: str, known: Collection[str]) -> str:
        """A fix that names the nearest known word; empty if there is none, or if enough were looked for.

        Args:
            what: what it is a name of: names of different things are looked up apart.
            word: what was written.
            known: what could have been meant.
        """
        key = (what, word)
        if key not in self._made:
            self._left -= min(len(known), MOST_COMPARED)
            self._made[key] = did_you_mean(word, known) if self._left >= 0 else ""
        return self._made[key]


def did_you_mean(word: str, known: Collection[str], alike: float = 0.6) -> str:
    """A fix that names the nearest known word; empty if there is none."""
    found = nearest(word, known, alike)
    return f"did you mean `{found}`?" if found else ""
