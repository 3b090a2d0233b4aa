"""Output of results in notebooks: the screen of each, as HTML if friendshore-pages is installed, else as Markdown."""

from __future__ import annotations

from pkgutil import resolve_name
from typing import ClassVar

from .elements import Document
from .markdown import markdown

_RENDERER = "friendshore_pages.notebook:framed"
"""Function of friendshore-pages that returns a document as HTML for a notebook."""


class ShownOnScreen:
    """Something that is told on a screen, and shown so by a notebook where it stands last in a cell."""

    __slots__ = ()
    TOLD_BY: ClassVar[str] = ""
    """The function that makes its document, as `package.module:name`. It is named and not imported: whoever tells something knows what it tells."""

    def screen(self) -> Document:
        """It as it is told on a screen, what matters most first.

        Raises:
            NotImplementedError: if nobody says how: a notebook then prints it in a line.
        """
        if not self.TOLD_BY:
            raise NotImplementedError
        return told_by(self.TOLD_BY, self).on_screen()

    def _repr_html_(self) -> str | None:
        """Return the screen as HTML; None without friendshore-pages: the notebook then shows Markdown."""
        try:
            shown: str = resolve_name(_RENDERER)(self.screen())
        except ModuleNotFoundError:
            return None
        return shown

    def _repr_markdown_(self) -> str:
        return markdown(self.screen())


def told_by(name: str, what: object) -> Document:
    """The document that a function makes of something."""
    told: Document = resolve_name(name)(what)
    return told
