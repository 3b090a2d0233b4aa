"""Hashes of the files of a run, which show whether they are those that were written.

`SHA256SUMS` has the hash of every file of a run folder. The format is that of coreutils: `sha256sum -c SHA256SUMS` checks it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from hashlib import file_digest, sha256
from pathlib import Path

from ..errors import Diagnostic
from ..reading.textfile import read_bytes
from .tables import FACTS_FILE, RUN_FILE, TABLES

CERTIFICATE_FILE = "certificate.json"
"""What proves the bound, if the run has one."""
SUMS_FILE = "SHA256SUMS"
SIGNATURE_FILE = "SHA256SUMS.sig"
"""A signature of `SHA256SUMS`, if the run is signed."""
FILES = (RUN_FILE, FACTS_FILE, *(table.file for table in TABLES), CERTIFICATE_FILE, SUMS_FILE, SIGNATURE_FILE)
"""All files that a run folder may hold."""
SIGNATURE_HEAD = b"friendshore "
"""How a signature that friendshore made begins: other tools call theirs by the same name."""

_LARGEST = 4_000_000_000
"""Bytes of a file of a run: more than the facts of the largest case take."""
_LINE = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9._-]+)")


def sums_text(contents: Mapping[str, bytes]) -> str:
    """The hashes of files, a line each, by name."""
    return "".join(f"{sha256(contents[name]).hexdigest()}  {name}\n" for name in sorted(contents))


def read_sums(folder: Path) -> dict[str, str] | None:
    """File -> hash, as the folder says; None: it says nothing, or nothing that friendshore would write.

    Raises:
        OSError: if it cannot be read.
    """
    path = folder / SUMS_FILE
    if not path.is_file():
        return None
    lines = [_LINE.fullmatch(line) for line in read_bytes(path).decode("utf-8", "replace").splitlines()]
    return {line[2]: line[1] for line in lines if line} if all(lines) else None


def changed(folder: Path, sums: Mapping[str, str]) -> list[str]:
    """Names in a folder of what is not the file that was written: added, or changed since.

    Raises:
        OSError: if a file cannot be read.
    """
    return sorted(entry.name for entry in folder.iterdir() if not _written(entry, sums))


def _written(entry: Path, sums: Mapping[str, str]) -> bool:
    """Whether an entry of a run folder is as friendshore wrote it."""
    if entry.is_symlink() or not entry.is_file():
        return False
    if entry.name == SUMS_FILE:
        return True
    if entry.name == SIGNATURE_FILE:
        return read_bytes(entry, len(SIGNATURE_HEAD)) == SIGNATURE_HEAD
    if entry.name not in sums or entry.stat().st_size > _LARGEST:
        return False
    with entry.open("rb") as stream:
        return sums[entry.name] == file_digest(stream, "sha256").hexdigest()


def other_files(folder: Path, told_of: Collection[str]) -> tuple[list[Diagnostic], list[str]]:
    """Files that are not those that were written, but for those that something is `told_of` already: findings; tables that were saved anew and
    say the same, and what is no file of a run.
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
        if name not in (*files, CERTIFICATE_FILE) or name in told_of:
            continue
        if name in (RUN_FILE, FACTS_FILE, CERTIFICATE_FILE):
            message = f"is not the file that was written: {SUMS_FILE} has another hash of it"
            found.append(Diagnostic(message, str(folder / name), expected=sums.get(name, "no such file")))
        else:
            saved.append(f"{name} was saved anew since it was written; its cells say the same")
    if CERTIFICATE_FILE in sums and not (folder / CERTIFICATE_FILE).exists():
        found.append(Diagnostic(f"is missing, and {SUMS_FILE} names it", str(folder / CERTIFICATE_FILE)))
    others = sorted({entry.name for entry in folder.iterdir()} - set(FILES))
    saved += [f"{name} lies in the folder, and is no file of a run: nothing of it was looked at" for name in others]
    return found, saved
