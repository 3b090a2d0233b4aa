"""Output formats HTML and XLSX."""

from __future__ import annotations

from collections.abc import Sequence

from friendshore.document.elements import Document
from friendshore.domain.run import Run
from friendshore.recommend import RunCheck
from friendshore.report import Format

from .report import report_document


class Html(Format):
    """One HTML page with charts that loads nothing else."""

    name = "html"

    def of_run(self, run: Run, checked: RunCheck | None, answers: Sequence[Document]) -> Document:
        return report_document(run, checked, answers)

    def render(self, document: Document, file: str = "") -> bytes:
        from .html import html

        return html(document).encode()


class Xlsx(Format):
    """A workbook with a sheet for each table, and charts."""

    name = "xlsx"
    is_text = False

    def of_run(self, run: Run, checked: RunCheck | None, answers: Sequence[Document]) -> Document:
        from .run_workbook import run_workbook

        return run_workbook(run, checked, answers)

    def render(self, document: Document, file: str = "") -> bytes:
        """Return a document as the bytes of a workbook. Raises InputError if XlsxWriter isn't installed."""
        from .workbook import workbook

        return workbook(document, file)
