"""The output formats HTML and XLSX."""

from __future__ import annotations

from collections.abc import Sequence

from friendshore.document.elements import Document
from friendshore.domain.run import Run
from friendshore.recommend import RunCheck
from friendshore.report import Format

from .report import report_document


class _Whole(Format):
    """A format in which the report of a run contains all tables and charts."""

    def of_run(self, run: Run, checked: RunCheck | None, answers: Sequence[Document]) -> Document:
        """Return a document with everything about a run."""
        return report_document(run, checked, answers)


class Html(_Whole):
    """One HTML page with charts that loads nothing else."""

    name = "html"

    def render(self, document: Document, file: str = "") -> bytes:
        """Return a document as a page."""
        from .html import html

        return html(document).encode()


class Xlsx(_Whole):
    """A workbook with a sheet for each table, and charts."""

    name = "xlsx"
    is_text = False

    def render(self, document: Document, file: str = "") -> bytes:
        """Return a document as a workbook.

        Raises:
            InputError: If XlsxWriter isn't installed.
        """
        from .workbook import workbook

        return workbook(document, file)
