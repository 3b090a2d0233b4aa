"""UTF-8 text files and JSON objects in them, with errors for other encodings and formats."""

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

MAX_FILE_BYTES = 64_000_000
"""Default maximum bytes of a file: four bytes for every character of the longest TOML file."""
# Byte order marks of other encodings. UTF-32 is first, because one of its marks starts like one of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
OLD_WORKBOOK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""First bytes of an `.xls`, and of an `.xlsx` with a password."""
_ARCHIVE = b"PK\x03\x04"
# Letters of a Cyrillic word in Windows-1251. Western text rarely has three accented letters in a row.
_CYRILLIC = re.compile(rb"[\xa8\xb8\xc0-\xff]{3}")
_SAVE = "save it with the encoding UTF-8 (in a spreadsheet program: `CSV UTF-8`)"


def read_text(path: Path, problems: list[Diagnostic], max_bytes: int = MAX_FILE_BYTES) -> str | None:
    """Return the text of a UTF-8 file, or add an error to `problems` and return None. A byte order mark is removed."""
    try:
        data = read_bytes(path, max_bytes + 1)
        if len(data) > max_bytes:
            found, expected = f"{path.stat().st_size:,} bytes", f"at most {max_bytes:,}"
            fix = "split the file, or delete parts that aren't needed"
            problems.append(Diagnostic("is too large", str(path), None, "", found, expected, fix, code="FS051"))
            return None
    except OSError as error:
        fix = "check the path and its permissions"
        problems.append(Diagnostic(f"cannot be read: {error.strerror or error}", str(path), fix=fix, code="FS050"))
        return None
    other_format = _other_format(data)
    if other_format is not None:
        message, fix = other_format
        problems.append(Diagnostic(message, str(path), expected="UTF-8", fix=fix, code="FS052"))
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        likely = "Windows-1251 (Cyrillic)" if _CYRILLIC.search(data) else "Windows-1252 (Western European)"
        message, byte = f"isn't UTF-8 text; it looks like {likely}", f"byte 0x{data[error.start]:02x}"
        problems.append(Diagnostic(message, str(path), line, "", byte, "UTF-8", _SAVE, code="FS052"))
        return None


SURROGATE = re.compile(r"[\ud800-\udfff]")
"""Half of a character. JSON can escape it, but UTF-8 can't encode it."""
WHOLE = "text of whole characters"
"""Expected value if a text contains half of a character."""
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_MAX_REPORTED = 3


def json_object(text: str, file: str, problems: list[Diagnostic], fix: str = "") -> dict[str, object] | None:
    """Return the only JSON object in a text, or add an error with `fix` to `problems` and return None."""
    duplicates: list[str] = []

    def as_dict(pairs: list[tuple[str, object]]) -> dict[str, object]:
        values = dict(pairs)
        if len(values) < len(pairs):
            names = [name for name, _ in pairs]
            duplicates.extend(name for name in values if names.count(name) > 1)
        return values

    try:
        data = json.loads(text, object_pairs_hook=as_dict)
    except json.JSONDecodeError as error:
        problems.append(Diagnostic(f"isn't valid JSON: {error.msg}", file, error.lineno, fix=fix, code="FS054"))
        return None
    except ValueError:  # Python's limit on the digits of an integer
        problems.append(Diagnostic("contains an integer with thousands of digits", file, fix=fix, code="FS013"))
        return None
    except RecursionError:
        problems.append(Diagnostic("is nested too deeply", file, fix=fix, code="FS007"))
        return None
    if duplicates:  # other programs may read the first value, or the last
        message = "an object has this key more than once"
        problems.extend(
            Diagnostic(message, file, column=name, fix=fix, code="FS005") for name in dict.fromkeys(duplicates)
        )
        return None
    if not isinstance(data, dict):
        message, kind = "must contain one JSON object", type(data).__name__
        problems.append(Diagnostic(message, file, found=kind, fix=fix, code="FS006"))
        return None
    if _ESCAPED_SURROGATE.search(text) or SURROGATE.search(text):
        halves = [
            Diagnostic("contains half of a character", file, None, path, shown, WHOLE, fix, code="FS055")
            for path, shown in islice(_half_characters(data), _MAX_REPORTED)
        ]
        problems.extend(halves)
        return None if halves else data
    return data


def _half_characters(data: object) -> Iterator[tuple[str, str]]:
    stack: list[tuple[str, object]] = [("", data)]
    while stack:
        path, value = stack.pop()
        if isinstance(value, str) and SURROGATE.search(value):
            yield path, json.dumps(value)
        elif isinstance(value, list):
            stack += [(f"{path}[{number}]", entry) for number, entry in enumerate(value, 1)][::-1]
        elif isinstance(value, dict):
            for key, entry in reversed(value.items()):
                stack += [(f"{path}.{key}" if path else str(key), entry), (path, key)]


def read_object(path: Path, fix: str) -> dict[str, object]:
    """Return the only JSON object in a file. Errors get `fix` as their fix."""
    problems: list[Diagnostic] = []
    text = read_text(path, problems)
    data = None if text is None else json_object(text, str(path), problems)
    if data is None:
        raise InputError([replace(problem, fix=fix) for problem in problems])
    return data


def read_bytes(path: Path, max_bytes: int | None = None) -> bytes:
    """Return a file's contents or first `max_bytes`. Raise OSError if unreadable, a pipe, socket, or device, or, without `max_bytes`, above the limit."""
    mode, size = path.stat().st_mode, path.stat().st_size
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):  # for a folder, the system's own error is clearer
        raise OSError(errno.EINVAL, f"it is {_kind(mode)}, not a file", str(path))
    if max_bytes is None:
        if size > MAX_FILE_BYTES:
            raise OSError(errno.EFBIG, f"it is larger than {MAX_FILE_BYTES:,} bytes", str(path))
        max_bytes = MAX_FILE_BYTES
    with path.open("rb") as stream:
        # `read(max_bytes)` would allocate that much. The second call is for files that grew, or that state no size.
        data = stream.read(min(max_bytes, size + 1))
        return data if len(data) <= size else data + stream.read(max_bytes - len(data))


def _kind(mode: int) -> str:
    kinds = ((stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"))
    return next((name for matches, name in kinds if matches(mode)), "a device")


def non_file_diagnostic(path: Path) -> Diagnostic | None:
    """Return an error if a path is neither a file nor missing."""
    if path.is_file() or not os.path.lexists(path):
        return None
    if path.is_dir():
        return Diagnostic(
            "is a folder, not a file", str(path), fix="replace it with a file, or delete it", code="FS053"
        )
    if path.exists():
        message = f"is {_kind(path.stat().st_mode)}, not a file"
        return Diagnostic(message, str(path), fix="replace it with a file, or delete it", code="FS053")
    message = "is a link that leads back to itself" if _is_circular(path) else "is a link to a missing file"
    found, fix = f"a link to `{path.readlink()}`", "correct the link, or delete it"
    return Diagnostic(message, str(path), found=found, fix=fix, code="FS053")


def _is_circular(path: Path) -> bool:
    try:
        path.stat()
    except OSError as error:
        return error.errno == errno.ELOOP
    return False


def _other_format(data: bytes) -> tuple[str, str] | None:
    if data.startswith((_ARCHIVE, OLD_WORKBOOK)):
        return (
            "is a workbook or an archive, not text",
            "save the sheet as `CSV UTF-8`, or save the whole case or catalog as .xlsx and name that file",
        )
    for mark, name in _MARKS:
        if data.startswith(mark):
            return f"is {name} text", _SAVE
    if b"\0" in data[:1000]:
        return "isn't text, or is UTF-16 text", _SAVE
    return None
