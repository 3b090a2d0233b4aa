"""Folders and workbooks of the user's own, named where something installed could be."""

from __future__ import annotations

from pathlib import Path

from ..errors import Diagnostic, InputError
from ..readers import reader_in
from .names import What


def is_folder(name: str) -> bool:
    """Whether a name in a case means a folder rather than something installed: `acme-erp:lists/a.csv` is what a reader is asked for."""
    return name.startswith(".") or (reader_in(name) is None and ("/" in name or "\\" in name))


def folder_of(name: str, base: Path | None, what: What) -> Path:
    """Where a folder or workbook is that a case names.

    Args:
        name: as the case writes it.
        base: the folder that a relative path starts from; None: the current one.
        what: what is to be in it.

    Raises:
        InputError: if there is none.
    """
    from ..reading.workbook import is_workbook

    folder = Path(name) if base is None else base / name
    if what == "catalog" and is_workbook(folder):
        if folder.is_file():
            return folder
        fix = "check the path; it starts from the folder of the file that names it"
        raise InputError(Diagnostic("there is no such workbook", str(folder), found=f"`{name}`", fix=fix))
    if folder.is_file():
        old = folder.suffix.lower() in (".xls", ".xlsm", ".xlsb", ".ods")
        message = "is a workbook of another format" if old and what == "catalog" else "is a file"
        expected = f"a folder{' or an .xlsx workbook' if what == 'catalog' else ''} for the {what}"
        fix = (
            f"save it as .xlsx, and name {folder.with_suffix('.xlsx').name}" if old else "name the folder that holds it"
        )
        raise InputError(Diagnostic(message, str(folder), found=f"`{name}`", expected=expected, fix=fix))
    if not folder.is_dir():
        fix = "check the path; it starts from the folder of the file that names it"
        raise InputError(Diagnostic(f"there is no folder for the {what}", str(folder), found=f"`{name}`", fix=fix))
    return folder
