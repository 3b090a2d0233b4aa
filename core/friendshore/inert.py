"""Inert forms of foreign text. Printed unchanged, a name could color, move, or forge the text around it, or be executed. All printed text passes through here."""

from __future__ import annotations

import json
import re

INVISIBLE = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # controls
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # direction of writing
    "\u2028\u2029"  # ends of lines and paragraphs
    "\xad\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb"  # takes no room
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "\ud800-\udfff"  # halves of a character, which UTF-8 cannot encode
    "]"
)
"""A character that is invisible or affects its neighbors, except for spaces and joiners of Persian and Indic letters."""

# First characters of formulas in spreadsheets. The wide ones count in Japanese versions.
_FORMULA = "=+\\-@＝＋－＠"
# Start of a formula, also for a program that separates cells by semicolons.
_COMPUTED = re.compile(rf"(?:^|;)\s*[{_FORMULA}]")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
# Markup of Markdown, its common dialects, HTML, and formulas, and the parts of bare addresses that make links.
_MARKUP = re.compile(r"[\\`*_{}\[\]<>#&~^$|]|/(?=/)|(?<=\w)\.(?=[^\W\d_])|^[-+=](?!\d)")
_LIST_ITEM = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")
_BREAKS = str.maketrans("\t\n\v\f\r", " " * 5)


def visible(text: str) -> str:
    r"""Return a text in one line, with each invisible character escaped: `\x1b`, `\n`, `\u202e`."""
    return INVISIBLE.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def visible_lines(text: str) -> str:
    return "\n".join(map(visible, text.split("\n")))


def json_inert(text: str) -> str:
    r"""Return a JSON text with equal content, with each invisible character escaped as `\u202e`."""
    if not INVISIBLE.search(text.replace("\n", "")):  # one pass, since the text may be very long
        return text
    return "\n".join(INVISIBLE.sub(lambda match: json.dumps(match[0])[1:-1], line) for line in text.split("\n"))


def markdown_inert(text: str) -> str:
    """Return a text as one line of Markdown that can't form a link, image, HTML, table, or list."""
    plain = " ".join(visible(text.translate(_BREAKS)).split())
    escaped = _LIST_ITEM.sub(r"\1\\\2", _MARKUP.sub(lambda match: f"\\{match[0]}", plain))
    # Even an escaped `@` would make a link of an email address or a user name.
    return re.sub(r"@+", r"`\g<0>`", escaped)


def cell_inert(text: str) -> str:
    """Return a text as the cell of a CSV table. A text that a spreadsheet would compute, or a reader would change, becomes a JSON string."""
    if _NUMBER.fullmatch(text):
        return text
    if not (text[:1] == '"' or text != text.strip() or INVISIBLE.search(text) or _COMPUTED.search(text)):
        return text
    quoted = json_inert(json.dumps(text, ensure_ascii=False))
    return re.sub(rf"(?<=;)(\s*)([{_FORMULA}])", lambda match: f"{match[1]}\\u{ord(match[2]):04x}", quoted)


def is_computed(text: str) -> bool:
    """Return True if a spreadsheet would compute a text of a CSV table, or `original_cell` would take it for the result of `cell_inert`."""
    return text[:1] == '"' or _COMPUTED.search(text) is not None


def original_cell(cell: str) -> str:
    if len(cell) < 2 or cell[0] != '"' or cell[-1] != '"':
        return cell
    try:
        return str(json.loads(cell))
    except ValueError:
        return cell
