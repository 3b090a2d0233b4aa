"""Whether the files of a run folder are those that were written, and who signed them."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from ..errors import Diagnostic
from ..reading.textfile import read_bytes
from ..run import FACTS_FILE, RUN_FILE, TABLES
from ..run.folder import FILES
from ..run.signing import mismatch
from ..run.sums import SIGNATURE_FILE, SUMS_FILE, changed, read_sums


def other_files(folder: Path, told_of: Collection[str]) -> tuple[list[Diagnostic], list[str]]:
    """Files that are not those that were written: findings; tables that were saved anew and say the same, and what is no file of a run.

    Args:
        folder: the run.
        told_of: names of files in which something is found already.
    """
    sums = read_sums(folder)
    files = (RUN_FILE, FACTS_FILE, *(table.file for table in TABLES))
    if sums is None or not set(files) <= set(sums):
        message = (
            "does not name the files of a run with their hashes: nothing tells whether they are those that were written"
        )
        return [Diagnostic(message, str(folder / SUMS_FILE), fix="plan the case again")], []
    found: list[Diagnostic] = []
    saved: list[str] = []
    for name in changed(folder, sums):
        if name not in files or name in told_of:
            continue
        if name in (RUN_FILE, FACTS_FILE):
            message = f"is not the file that was written: {SUMS_FILE} has another hash of it"
            found.append(Diagnostic(message, str(folder / name), expected=sums[name]))
        else:
            saved.append(f"{name} was saved anew since it was written; its cells say the same")
    others = sorted({entry.name for entry in folder.iterdir()} - set(FILES))
    saved += [f"{name} lies in the folder, and is no file of a run: nothing of it was looked at" for name in others]
    return found, saved


def signature(folder: Path, signed_by: Path | None) -> tuple[str, list[Diagnostic]]:
    """What is known of who signed a run, and what failed verification.

    Args:
        folder: the run.
        signed_by: public key of who is said to have signed it; None: nobody asks.

    Raises:
        InputError: if the key cannot be read, or what checks signatures is not installed.
    """
    path = folder / SIGNATURE_FILE
    there = path.is_file()
    if signed_by is None:
        asked = "there is one, and it was not checked: give --signed-by PUBLIC"
        return f"signature: {asked if there else 'none'}", []
    if not there:
        return "signature: none", [
            Diagnostic("the run is not signed", str(path), expected=f"signed by the key of {signed_by}")
        ]
    wrong = mismatch(read_bytes(folder / SUMS_FILE), read_bytes(path), signed_by)
    if wrong:
        return "signature: not of this key", [
            Diagnostic(wrong, str(path), expected=f"signed by the key of {signed_by}")
        ]
    return f"signature: by the holder of the key of {signed_by}", []
