"""`SHA256SUMS`: the hash of every file of a run folder, so that what friendshore wrote is told from what others did.

The format is that of coreutils: `sha256sum -c SHA256SUMS` checks it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import file_digest, sha256
from pathlib import Path

from ..reading.textfile import read_bytes

SUMS_FILE = "SHA256SUMS"
SIGNATURE_FILE = "SHA256SUMS.sig"
"""A signature of `SHA256SUMS`, if the run is signed."""
_LARGEST = 4_000_000_000
"""Bytes of a file of a run: more than the facts of the largest case take."""
SIGNATURE_HEAD = b"friendshore "
"""How a signature that friendshore made begins: other tools call theirs by the same name."""

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
