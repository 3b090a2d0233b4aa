"""Output of results in notebooks: the screen as HTML with friendshore-pages, else as Markdown."""

from __future__ import annotations

from pkgutil import resolve_name
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from .elements import Document

_RENDERER = "friendshore_pages.notebook:framed"


class ShownOnScreen:
    """An object with a screen, which a notebook shows if the object is the last value of a cell."""

    __slots__ = ()
    DOCUMENT_FUNCTION: ClassVar[str] = ""
    """Function that makes its document, as `package.module:name`, since an import would be circular."""

    def screen(self) -> Document:
        """Return the document for a screen, or raise `NotImplementedError` so that a notebook prints the object in a line."""
        if not self.DOCUMENT_FUNCTION:
            raise NotImplementedError
        return document_by(self.DOCUMENT_FUNCTION, self).on_screen()

    def _repr_html_(self) -> str | None:
        try:
            shown: str = resolve_name(_RENDERER)(self.screen())
        except ModuleNotFoundError:
            return None
        return shown

    def _repr_markdown_(self) -> str:
        from .markdown import markdown  # a program that only plans draws nothing

        return markdown(self.screen())


def document_by(name: str, shown_object: object) -> Document:
    document: Document = resolve_name(name)(shown_object)
    return document
