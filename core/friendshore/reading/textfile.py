"""Text files: UTF-8 and nothing else; what another file looks like is told, and how to save it."""

from __future__ import annotations

import codecs
import errno
import json
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from ..errors import Diagnostic, InputError

LARGEST = 64_000_000
"""Bytes of a file that are read, where no other limit is said: four bytes for every character of the longest TOML file."""
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


def read_text(path: Path, found: list[Diagnostic], most: int = LARGEST) -> str | None:
    """Text of a UTF-8 file of at most so many bytes, with or without a mark at its beginning; None, with a problem recorded, if it cannot be read."""
    try:
        data = read_bytes(path, most + 1)
        if len(data) > most:
            size = f"{path.stat().st_size:,} bytes"
            fix = "make several of it, or delete what is not needed"
            found.append(Diagnostic("is too large", str(path), found=size, expected=f"no more than {most:,}", fix=fix))
            return None
    except OSError as error:
        found.append(Diagnostic(f"cannot be read: {error.strerror or error}", file=str(path)))
        return None
    other = _other(data)
    if other is not None:
        message, fix = other
        found.append(Diagnostic(message, file=str(path), expected="UTF-8", fix=fix))
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        likely = "Windows-1251 (Cyrillic)" if _CYRILLIC.search(data) else "Windows-1252 (Western European)"
        message, byte = f"is not UTF-8 text; it looks like {likely}", f"byte 0x{data[error.start]:02x}"
        found.append(Diagnostic(message, str(path), line, found=byte, expected="UTF-8", fix=_SAVE))
        return None


SURROGATE = re.compile(r"[\ud800-\udfff]")
"""Half of a character: JSON can escape one, and no encoding can write it."""
WHOLE = "text of whole characters"
"""Expected value if a text contains half of a character."""
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_SHOWN = 3


def json_object(text: str, file: str, found: list[Diagnostic], fix: str = "") -> dict[str, object] | None:
    """Return the only JSON object in a file's text. If there is none, record an error with `fix` and return None."""
    twice: list[str] = []

    def told_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        held = dict(pairs)
        if len(held) < len(pairs):
            names = [name for name, _ in pairs]
            twice.extend(name for name in held if names.count(name) > 1)
        return held

    try:
        data = json.loads(text, object_pairs_hook=told_once)
    except json.JSONDecodeError as error:
        found.append(Diagnostic(f"is not valid JSON: {error.msg}", file, row=error.lineno, fix=fix))
        return None
    except ValueError:  # Python's own limit on the digits of a whole number
        found.append(Diagnostic("holds a whole number of thousands of digits", file, fix=fix))
        return None
    except RecursionError:
        found.append(Diagnostic("is nested too deeply to be read", file, fix=fix))
        return None
    if twice:  # one reader would take the first, another the last
        found.extend(
            Diagnostic("a key stands twice in one object", file, column=name, fix=fix) for name in dict.fromkeys(twice)
        )
        return None
    if not isinstance(data, dict):
        found.append(Diagnostic("must hold one JSON object", file, found=type(data).__name__, fix=fix))
        return None
    if halves := list(islice(_halves(data), _SHOWN)) if _HALF.search(text) or SURROGATE.search(text) else []:
        found.extend(
            Diagnostic("contains half of a character", file, column=column, found=shown, expected=WHOLE, fix=fix)
            for column, shown in halves
        )
        return None
    return data


def _halves(data: object) -> Iterator[tuple[str, str]]:
    """Yield the path of every text with half of a character in it, and that text with the half escaped."""
    waiting: list[tuple[str, object]] = [("", data)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, str) and SURROGATE.search(value):
            yield path, json.dumps(value)
        elif isinstance(value, list):
            waiting += [(f"{path}[{number}]", one) for number, one in enumerate(value, 1)][::-1]
        elif isinstance(value, dict):
            for key, one in reversed(value.items()):
                inside = f"{path}.{key}" if path else str(key)
                waiting += [(inside, one), (path, key)]


def read_object(path: Path, fix: str) -> dict[str, object]:
    """Return the only JSON object in a file.

    Args:
        path: The file.
        fix: Instruction for a file without one.

    Raises:
        InputError: If it doesn't exist, or can't be read.
    """
    problems: list[Diagnostic] = []
    text = read_text(path, problems)
    told = None if text is None else json_object(text, str(path), problems)
    if told is None:
        raise InputError([replace(problem, fix=fix) for problem in problems])
    return told


def read_bytes(path: Path, most: int | None = None) -> bytes:
    """Return the contents of a file.

    Args:
        path: The file.
        most: Maximum bytes to return. None means all.

    Raises:
        OSError: If it can't be read, or is a pipe, socket, or device, which may never begin or end. Also if all of it is more than `LARGEST`.
    """
    mode, size = path.stat().st_mode, path.stat().st_size
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):  # of a folder the machine itself says why not
        raise OSError(errno.EINVAL, f"it is {_kind(mode)}, not a file", str(path))
    if most is None:
        if size > LARGEST:
            raise OSError(errno.EFBIG, f"it is larger than {LARGEST:,} bytes", str(path))
        most = LARGEST
    with path.open("rb") as stream:
        data = stream.read(min(most, size + 1))  # not `most` at once: memory for all of it would be asked for
        return data if len(data) <= size else data + stream.read(most - len(data))  # it has grown, or says no size


def _kind(mode: int) -> str:
    kinds = ((stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"))
    return next((name for is_one, name in kinds if is_one(mode)), "a device")


def non_file_diagnostic(path: Path) -> Diagnostic | None:
    """Return an error if a path is neither a file nor missing, or None. A link that leads nowhere is an error."""
    if path.is_file() or not os.path.lexists(path):
        return None
    if path.is_dir():
        return Diagnostic(
            "is a folder, where a file is needed", str(path), fix="put the file in its place, or delete it"
        )
    if path.exists():
        message = f"is {_kind(path.stat().st_mode)}, not a file"
        return Diagnostic(message, str(path), fix="put a file in its place, or delete it")
    message = "is a link in a circle" if _circles(path) else "is a link that leads to no file"
    return Diagnostic(message, str(path), found=f"a link to `{path.readlink()}`", fix="mend the link, or delete it")


def _circles(path: Path) -> bool:
    """Return True if following a link never ends."""
    try:
        path.stat()
    except OSError as error:
        return error.errno == errno.ELOOP
    return False


def _other(data: bytes) -> tuple[str, str] | None:
    """Return the format of a file that can't be UTF-8, by its first bytes, and the fix."""
    if data.startswith((_ARCHIVE, OLD_WORKBOOK)):
        return (
            "is a workbook or an archive, not text",
            "save the sheet as `CSV UTF-8`, or a whole case or catalog as .xlsx, and name that file",
        )
    for mark, name in _MARKS:
        if data.startswith(mark):
            return f"is {name} text", _SAVE
    if b"\0" in data[:1000]:
        return "is not text, or UTF-16 text", _SAVE
    return None
