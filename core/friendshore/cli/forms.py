"""The forms in which a document is written to a file, and which renderer writes each: for every command that writes one."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from ..errors import InputError
from ..writing import add_files

if TYPE_CHECKING:
    from ..document.elements import Document


class Form(StrEnum):
    """Forms of a document, by the ending of a file's name."""

    MARKDOWN = "md"
    HTML = "html"
    XLSX = "xlsx"

    @staticmethod
    def of(file: Path) -> Form:
        """That which the name of a file says.

        Raises:
            InputError: if it says none.
        """
        try:
            return Form(file.suffix.removeprefix("."))
        except ValueError:
            expected = ", ".join(f".{form}" for form in Form)
            raise InputError(
                "the name says no form that can be written", str(file), expected=f"one that ends in {expected}"
            ) from None


def rendered(document: Document, form: Form, file: str = "") -> bytes:
    """The bytes of a document in a form; `file` is what it is called, for messages.

    Raises:
        InputError: if what writes a workbook is not installed.
    """
    match form:
        case Form.MARKDOWN:
            from ..document.markdown import markdown

            return markdown(document).encode()
        case Form.HTML:
            from ..document.html import html

            return html(document).encode()
        case Form.XLSX:
            from ..document.workbook import workbook

            return workbook(document, file)


def write_document(file: Path, document: Document, form: Form) -> Path:
    """Writes a document where nothing is yet, and returns where.

    Raises:
        InputError: if something is there, or what writes a workbook is not installed.
        OSError: if it cannot be written.
    """
    add_files(file.parent, {PurePosixPath(file.name): rendered(document, form, file.name)})
    return file
