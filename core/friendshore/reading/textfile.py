"""Text files: UTF-8 and nothing else; what another file looks like is told, and how to save it."""

from __future__ import annotations

import codecs
import errno
import re
import stat
from pathlib import Path

from ..errors import Problem

_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
"""Beginnings of files in other encodings; UTF-32 first, since one of its marks begins like one of UTF-16's."""
OLD_WORKBOOK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""How an `.xls` begins, and an `.xlsx` with a password."""
_ARCHIVE = b"PK\x03\x04"
_CYRILLIC = re.compile(rb"[\xa8\xb8\xc0-\xff]{3}")
"""Letters of a Cyrillic word in Windows-1251; Western letters with accents hardly ever stand three in a row."""
_SAVE = "save it with the encoding UTF-8 (in a spreadsheet program: `CSV UTF-8`)"


def read_text(path: Path, found: list[Problem]) -> str | None:
    """Text of a UTF-8 file, with or without a mark at its beginning; None, with one problem recorded, if it cannot be read."""
    try:
        data = read_bytes(path)
    except OSError as error:
        found.append(Problem(f"cannot be read: {error.strerror or error}", file=str(path)))
        return None
    other = _other(data)
    if other is not None:
        message, fix = other
        found.append(Problem(message, file=str(path), expected="UTF-8", fix=fix))
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = f"byte 0x{data[error.start]:02x}"
        found.append(
            Problem(
                f"is not UTF-8 text; it looks like {_legacy(data)}",
                file=str(path),
                row=line,
                found=byte,
                expected="UTF-8",
                fix=_SAVE,
            )
        )
        return None


def read_bytes(path: Path) -> bytes:
    """What a file holds.

    Raises:
        OSError: if it cannot be read, or is a pipe, a socket or a device: those may never begin, or never end.
    """
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):  # of a folder the machine itself says why not
        kinds = ((stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"))
        kind = next((name for is_one, name in kinds if is_one(mode)), "a device")
        raise OSError(errno.EINVAL, f"it is {kind}, not a file", str(path))
    return path.read_bytes()


def _other(data: bytes) -> tuple[str, str] | None:
    """What a file is that cannot be UTF-8 from its first bytes on, and how to mend it."""
    if data.startswith((_ARCHIVE, OLD_WORKBOOK)):
        return "is a workbook or an archive, not text", "save the sheet as `CSV UTF-8`, and name that file"
    for mark, name in _MARKS:
        if data.startswith(mark):
            return f"is {name} text", _SAVE
    if b"\0" in data[:1000]:
        return "is not text, or UTF-16 text", _SAVE
    return None


def _legacy(data: bytes) -> str:
    """The encoding that bytes which are no UTF-8 are most likely in."""
    return "Windows-1251 (Cyrillic)" if _CYRILLIC.search(data) else "Windows-1252 (Western European)"
