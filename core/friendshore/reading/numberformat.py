"""Number formats of spreadsheets: whether a cell shows its number as it is, or something else."""

from __future__ import annotations

import re
from decimal import Decimal

_TOKEN = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]|General|E[+-]|.', re.DOTALL | re.IGNORECASE)
_LONGEST = 255
"""Characters of a format: no spreadsheet program writes a longer one."""
_SCALED = re.compile(r"[0#?],+(?![0#?,])")
"""A comma with no digit after it: it shows thousands in the place of ones."""
_PLAIN = frozenset("0123456789#?.,/@ -+()\xa0\u202f")
"""Signs that lay digits out, and add no meaning to them."""


def adds(number_format: str, value: Decimal) -> str:
    """What a format, as the spreadsheet stores it, makes of a number beside laying out its digits; empty: nothing.

    The number decides which section of the format it is shown by. `%` stands for a share shown in hundredths. Rounding to fewer digits is
    nothing: no unit changes by it.
    """
    if len(number_format) > _LONGEST:
        return f"what a format of {len(number_format):,} characters says"
    sections = _sections(number_format)
    section = sections[0]
    if value < 0 and len(sections) > 1:
        section = sections[1]
    elif value == 0 and len(sections) > 2:
        section = sections[2]
    said, digits = _said(section)
    if not digits and not said:
        return "nothing: the number is hidden"
    scaled = _SCALED.search("".join(token if len(token) == 1 else " " for token in section)) is not None
    return f"{said} (in thousands)".strip() if scaled else said


def _sections(number_format: str) -> list[list[str]]:
    """Tokens of each section: of positive numbers, negative ones, zero and text."""
    sections: list[list[str]] = [[]]
    for token in _TOKEN.findall(number_format or "General"):
        if token == ";":
            sections.append([])
        else:
            sections[-1].append(token)
    return sections


def _said(section: list[str]) -> tuple[str, bool]:
    """The words and signs that a section adds, and whether it shows the number at all."""
    said, digits = "", False
    for token in section:
        if token.casefold() == "general" or token in "0#?@":
            digits = True
        elif token[0] == '"':
            said += token[1:-1]
        elif token[0] == "\\" and len(token) > 1:
            said += token[1] if token[1] not in _PLAIN else " "
        elif token[0] == "[":
            said += _bracketed(token[1:-1])
        elif len(token) == 1 and token not in _PLAIN:
            said += token
    return " ".join(said.split()), digits


def _bracketed(word: str) -> str:
    """What stands in brackets: a currency or a condition says something, a colour or a language does not."""
    if word.startswith("$"):
        return word[1:].partition("-")[0]
    return f"[{word}]" if word[:1] in ("<", ">", "=") else ""
