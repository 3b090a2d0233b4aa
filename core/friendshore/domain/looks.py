"""Names that are not what they look like: letters of two alphabets in one word, and signs that nobody sees."""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"\w+")
_UNSEEN = frozenset({"Cc", "Cf", "Zl", "Zp", "Co", "Cs", "Cn"})
"""General categories of signs that take no place, or end a line."""
_ALIKE = frozenset({"LATIN", "CYRILLIC", "GREEK", "COPTIC", "ARMENIAN", "CHEROKEE"})
"""Alphabets that have letters which look like one another's."""
_STYLED = ("<wide>", "<narrow>", "<font>")
"""Letters and digits that are others in another dress."""


def misleading(text: str) -> str:
    """What about a text does not meet the eye, as the end of a sentence; empty: nothing.

    Args:
        text: a name, or words.
    """
    if text.isascii() and text.isprintable():
        return ""
    unseen = next((sign for sign in text if unicodedata.category(sign) in _UNSEEN), None)
    if unseen is not None:
        return f"holds a sign that nobody sees (U+{ord(unseen):04X}, {_name(unseen)})"
    for word in _WORD.findall(text):
        found = {_alphabet(sign): sign for sign in word if sign.isalpha()}
        alike = sorted(_ALIKE & found.keys(), key=lambda alphabet: alphabet != "LATIN")
        if len(alike) > 1:
            sign = found[alike[1]]
            return f"mixes letters of two alphabets: `{sign}` is U+{ord(sign):04X}, {_name(sign)}"
    other = next((sign for sign in text if unicodedata.decomposition(sign).startswith(_STYLED)), None)
    return "" if other is None else f"holds a sign that looks like another (U+{ord(other):04X}, {_name(other)})"


def _alphabet(sign: str) -> str:
    return unicodedata.name(sign, "").partition(" ")[0]


def _name(sign: str) -> str:
    return unicodedata.name(sign, "a control character").lower()
