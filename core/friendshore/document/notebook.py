"""Output of results in notebooks: the screen as HTML with friendshore-pages, else as Markdown."""

from __future__ import annotations

from pkgutil import resolve_name
from typing import ClassVar

from .elements import Document
from .markdown import markdown

_RENDERER = "friendshore_pages.notebook:framed"
"""Function of friendshore-pages that returns a document as HTML for a notebook."""


class ShownOnScreen:
    """An object with a screen, which a notebook shows if the object is the last value of a cell."""

    __slots__ = ()
    DOCUMENT_FUNCTION: ClassVar[str] = ""
    """Function that makes its document, as `package.module:name`. A name avoids a circular import, since that module imports the object's class."""

    def screen(self) -> Document:
        """Return the document for a screen, the most important content first.

        Raises:
            NotImplementedError: If `DOCUMENT_FUNCTION` is empty. A notebook then prints the object in a line.
        """
        if not self.DOCUMENT_FUNCTION:
            raise NotImplementedError
        return document_by(self.DOCUMENT_FUNCTION, self).on_screen()

    def _repr_html_(self) -> str | None:
        """Return the screen as HTML. None without friendshore-pages, so that the notebook shows Markdown."""
        try:
            shown: str = resolve_name(_RENDERER)(self.screen())
        except ModuleNotFoundError:
            return None
        return shown

    def _repr_markdown_(self) -> str:
        return markdown(self.screen())


def document_by(name: str, what: object) -> Document:
    """Return the document that a named function makes of an object."""
    told: Document = resolve_name(name)(what)
    return told
