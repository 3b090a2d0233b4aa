"""Text that others wrote, made such that nothing acts on it and it can still be read.

A name in a case, a catalog, a pack or a plugin may hold any sign: escape sequences that a terminal obeys, marks that turn the
direction of writing, breaks that begin a line of their own, or what takes no room and hides in a word. Printed as it is, a name
could colour, move or forge what stands around it. What is printed anywhere goes through here; what is stored stays as it was typed.
"""

from __future__ import annotations

import json
import re

UNSEEN = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # controls
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # direction of writing
    "\u2028\u2029"  # ends of lines and paragraphs
    "\xad\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb"  # takes no room
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "\ud800-\udfff"  # halves of a sign, which no file can hold
    "]"
)
"""A sign that cannot be seen, or that acts on what stands around it. Spaces are none, nor what joins Persian or Indic letters."""

_FORMULA = "=+\\-@＝＋－＠"
"""Signs with which a spreadsheet begins to compute; the wide ones count where Japanese is written."""
_COMPUTED = re.compile(rf"(?:^|;)\s*[{_FORMULA}]")
"""Where a cell begins to be computed, also for a program that sets cells apart by semicolons."""
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_MARKUP = re.compile(r"[\\`*_{}\[\]<>#&~^$|]|/(?=/)|(?<=\w)\.(?=[^\W\d_])|^[-+=](?!\d)")
"""Signs of Markdown and of its common dialects, HTML and formulas included, and what makes a link of a bare address."""
_LISTED = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")
"""What begins a list."""
_BREAKS = str.maketrans("\t\n\v\f\r", " " * 5)


def visible(text: str) -> str:
    r"""A text in one line, each sign that cannot be seen shown by its number: `\x1b`, `\n`, `\u202e`."""
    return UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def visible_lines(text: str) -> str:
    """The same of a text of several lines."""
    return "\n".join(map(visible, text.split("\n")))


def json_inert(text: str) -> str:
    r"""A JSON text that holds the same, each sign that cannot be seen written as `\u202e`."""
    if not UNSEEN.search(text.replace("\n", "")):  # one pass over what may be very long
        return text
    return "\n".join(UNSEEN.sub(lambda found: json.dumps(found[0])[1:-1], line) for line in text.split("\n"))


def markdown_inert(text: str) -> str:
    """A text as one line of Markdown that shows it and does nothing: no link, image, HTML, table or list comes of it."""
    plain = " ".join(visible(text.translate(_BREAKS)).split())
    escaped = _LISTED.sub(r"\1\\\2", _MARKUP.sub(lambda found: f"\\{found[0]}", plain))
    # A mail address or a user's name: an escaped sign would still make a link of it.
    return re.sub(r"@+", r"`\g<0>`", escaped)


def cell_inert(text: str) -> str:
    """A text as the cell of a CSV table: one that a spreadsheet would compute, or a reader would not give back, as a JSON string."""
    if _NUMBER.fullmatch(text):
        return text
    if not (text[:1] == '"' or text != text.strip() or UNSEEN.search(text) or _COMPUTED.search(text)):
        return text
    quoted = json_inert(json.dumps(text, ensure_ascii=False))
    return re.sub(rf"(?<=;)(\s*)([{_FORMULA}])", lambda found: f"{found[1]}\\u{ord(found[2]):04x}", quoted)


def computed(text: str) -> bool:
    """Return True if a spreadsheet would compute a text of a CSV table, or a reader would take it for one that was made inert."""
    return text[:1] == '"' or _COMPUTED.search(text) is not None


def cell_typed(cell: str) -> str:
    """The text that `cell_inert` made a cell of."""
    if len(cell) < 2 or cell[0] != '"' or cell[-1] != '"':
        return cell
    try:
        return str(json.loads(cell))
    except ValueError:
        return cell
