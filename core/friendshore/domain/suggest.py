"""Did you mean: the known word nearest to one that is not known."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import SequenceMatcher, get_close_matches

MOST_COMPARED = 5_000
"""Known words that one word is compared with; beyond that a suggestion would take longer than reading the file."""


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


def did_you_mean(word: str, known: Collection[str], alike: float = 0.6) -> str:
    """A fix that names the nearest known word; empty if there is none."""
    found = nearest(word, known, alike)
    return f"did you mean `{found}`?" if found else ""
