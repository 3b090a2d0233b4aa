"""HTML and SVG as text that is known to be safe: a name becomes part of a page through `text` or an attribute alone, and is escaped there."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import NewType

from friendshore.inert import visible

Markup = NewType("Markup", str)
"""What stands in a page as it is. Only this module makes it of texts."""

_EMPTY = frozenset(("meta", "input"))
"""Elements of HTML that have no end."""
_CLOSED = frozenset(("path", "rect", "circle", "line", "use"))
"""Elements of SVG that are closed where they begin, unless they hold something."""


def text(value: str) -> Markup:
    """A text that shows what was written and does nothing; signs that cannot be seen are shown by their number."""
    return Markup(escape(visible(value)))


def own(value: str) -> Markup:
    """A text of this package's own: a style sheet, a script."""
    return Markup(value)


def joined(parts: Iterable[Markup], between: str = "") -> Markup:
    """Parts that follow each other."""
    return Markup(between.join(parts))


def tag(name: str, /, *content: Markup, **attributes: str | float | None) -> Markup:
    """An element. Attributes of None are left out; `class_` is written `class`, and `aria_label` `aria-label`."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _EMPTY:
        return Markup(f"<{name}{written}>")
    if name in _CLOSED and not content:
        return Markup(f"<{name}{written}/>")
    return Markup(f"<{name}{written}>{''.join(content)}</{name}>")


def _value(value: str | float) -> str:
    return escape(visible(value)) if isinstance(value, str) else plain(value)


def framed(page: str, name: str, height: int) -> Markup:
    """A page within a page: nothing of it reaches out of its frame, and no script runs in it."""
    looks = f"width:100%;height:{height}px;border:0"
    return Markup(f'<iframe title="{_value(name)}" style="{looks}" sandbox="" srcdoc="{escape(page)}"></iframe>')


def plain(value: float) -> str:
    """A length in pixels: a tenth of one is as fine as anybody sees."""
    return f"{round(value, 1) + 0.0:.1f}".removesuffix(".0")
