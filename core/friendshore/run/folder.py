"""Run folders: atomic writing, reading that reports all errors together, and file hashes.

`SHA256SUMS` contains the hash of every file of a run folder in the format of coreutils. `sha256sum -c SHA256SUMS` checks it.
"""

from __future__ import annotations

import errno
import io
import json
import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

from ..domain.run import Run
from ..errors import Diagnostic, FriendshoreError, InputError
from ..inert import json_inert, original_cell
from ..reading.csvfile import Table, read_table
from ..reading.fields import Field, Layout
from ..reading.kinds import Kind
from ..reading.records import record
from ..reading.textfile import json_object, read_bytes, read_text
from ..writing import aside, replace_file, sync, write_file
from .tables import FACTS_FILE, RUN_FILE, TABLES, RunTable, RunVerdict, rows_of, table_text

CERTIFICATE_FILE = "certificate.json"
"""Proof of the bound, if the run has one."""
SUMS_FILE = "SHA256SUMS"
SIGNATURE_FILE = "SHA256SUMS.sig"
"""Signature of `SHA256SUMS`, if the run is signed."""
FILES = (RUN_FILE, FACTS_FILE, *(table.file for table in TABLES), CERTIFICATE_FILE, SUMS_FILE, SIGNATURE_FILE)
"""All files that a run folder may contain."""
SIGNATURE_HEAD = b"friendshore "
"""Start of a signature made by friendshore. Other tools use the same file name."""

_LARGEST = 4_000_000_000
"""Maximum bytes of a file of a run, more than the facts of the largest case take."""
_LINE = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9._-]+)")


def sums_text(contents: Mapping[str, bytes]) -> str:
    """Return one line for each file, with its hash and name, sorted by name."""
    return "".join(f"{sha256(contents[name]).hexdigest()}  {name}\n" for name in sorted(contents))


def read_sums(folder: Path) -> dict[str, str] | None:
    """Return file -> hash from the folder's sums file. None if it is missing, or if friendshore would not write it that way.

    Raises:
        OSError: If it can't be read.
    """
    path = folder / SUMS_FILE
    if not path.is_file():
        return None
    lines = [_LINE.fullmatch(line) for line in read_bytes(path).decode("utf-8", "replace").splitlines()]
    return {line[2]: line[1] for line in lines if line} if all(lines) else None


def changed(folder: Path, sums: Mapping[str, str]) -> list[str]:
    """Return the names of entries that were added to a folder or changed since it was written.

    Raises:
        OSError: If a file can't be read.
    """
    return sorted(entry.name for entry in folder.iterdir() if not _written(entry, sums))


def _written(entry: Path, sums: Mapping[str, str]) -> bool:
    """Return True if an entry of a run folder is as friendshore wrote it."""
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
    """Return errors for changed files, and notes on tables saved again with equal cells and on files that aren't part of a run.

    Files in `told_of` are skipped, since they have been reported.
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


_TEXT = Kind("text", str)
_ATTEMPTS = 100
"""Maximum number of attempts to put a run in place while other processes do the same."""
_BY_OTHERS = frozenset({errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST})
"""Rename errors if another process has restored the old run or put its own in place."""


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A run folder as read."""

    folder: Path
    run: Run
    told: Mapping[str, Any]
    """`run.json` as read."""
    facts: Mapping[str, object]
    tables: Mapping[str, Table]
    """File -> table with cells as text."""
    certificate: Mapping[str, object] | None = None
    """Proof of the bound as read. None if there is none."""


def json_text(data: object, *, ascii_only: bool = False) -> str:
    """Return JSON as written in files and on stdout. Equal data give equal bytes.

    With `ascii_only`, characters beyond ASCII are escaped, for a stdout that can't encode some of them.
    """
    text = io.StringIO()  # piece by piece: `json.dumps` would hold all pieces of a large text at once
    text.writelines(json.JSONEncoder(indent=2, ensure_ascii=ascii_only).iterencode(data))
    text.write("\n")
    return json_inert(text.getvalue())


def check_target(folder: Path) -> None:
    """Reject a target folder unless it is new, empty, or a run as friendshore wrote it, which may be replaced.

    Raises:
        InputError: If anything else would be lost.
    """
    _recover(Path(os.path.realpath(folder)))
    fix = "name a folder that does not exist yet"
    if folder.is_symlink() and not folder.exists():
        raise InputError("is a link that leads nowhere; it is left as it is", str(folder), fix=fix)
    if not folder.exists():
        for parent in folder.absolute().parents:
            if parent.exists():
                if not parent.is_dir():
                    raise InputError(f"{parent} is a file, so no run can be written in it", str(folder), fix=fix)
                return
    if not folder.is_dir():
        raise InputError("is a file, not a run folder; it is left as it is", str(folder), fix=fix)
    names = sorted(entry.name for entry in folder.iterdir())
    if names:
        message, strange = _not_replaced(folder, names)
        if strange:
            found = ", ".join(strange[:5]) + (f" and {len(strange) - 5} more" if len(strange) > 5 else "")
            fix += ", or move away or delete what is in this one yourself"
            expected = "a new folder, or one of a run as it was written"
            raise InputError(f"{message}; it is left as it is", str(folder), None, "", found, expected, fix)


def _not_replaced(folder: Path, names: Sequence[str]) -> tuple[str, list[str]]:
    """Return the reason why a folder can't be replaced, and the files responsible. No files means that it can."""
    others = [name for name in names if name not in FILES]
    if others:
        return "holds what is not part of a run", others
    sums = read_sums(folder)
    if sums is None or not {RUN_FILE, FACTS_FILE} <= set(sums) <= set(FILES):
        return f"holds no {SUMS_FILE} of a run, so that nothing tells what friendshore wrote from what others did", [
            *names
        ]
    return "holds files that were changed since they were written", changed(folder, sums)


def write_run(
    folder: Path,
    run: Run,
    facts: Mapping[str, object],
    verdicts: Sequence[RunVerdict] = (),
    sign: Callable[[bytes], bytes] | None = None,
    certificate: str | None = None,
) -> None:
    """Write a run folder with the facts of the run, all verdicts on its purchases, and the certificate of its bound, if any.

    An existing run is replaced only when this one is complete. `sign` makes a signature of the hashes of all files (see `signer`). None leaves the run
    unsigned.

    Raises:
        InputError: If the folder contains anything but a run as written, or can't be written.
    """
    contents = {
        RUN_FILE: json_text(run.model_dump(mode="json", by_alias=True)).encode(),
        FACTS_FILE: json_text(facts).encode(),
        **{table.file: table_text(table, rows_of(table, run, verdicts)).encode() for table in TABLES},
    }
    if certificate is not None:
        contents[CERTIFICATE_FILE] = certificate.encode()
    contents[SUMS_FILE] = sums_text(contents).encode()
    if sign is not None:
        contents[SIGNATURE_FILE] = sign(contents[SUMS_FILE])
    place = Path(os.path.realpath(folder))
    try:
        for attempt in range(_ATTEMPTS):
            try:
                check_target(folder)
                _put_in_place(contents, place)
                break
            except OSError as error:
                if attempt + 1 == _ATTEMPTS or error.errno not in _BY_OTHERS:
                    raise
    except OSError as error:
        message = f"cannot be written: {error.strerror or error}"
        raise InputError(message, str(folder), fix="choose a folder that you may write to") from error


def sign_run(folder: Path, sign: Callable[[bytes], bytes]) -> Path:
    """Sign the hashes of a run's files with a `signer`, and return the signature file. An existing one is replaced.

    Raises:
        InputError: If it can't be written.
    """
    path = folder / SIGNATURE_FILE
    try:
        replace_file(path, sign(read_bytes(folder / SUMS_FILE)))
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror or error}", str(path)) from error
    return path


def _put_in_place(contents: Mapping[str, bytes], place: Path) -> None:
    """Write the files to a temporary folder and rename it. An existing run is moved away first, and restored if that fails."""
    with aside(place) as new:
        new.mkdir()
        for name, content in contents.items():
            write_file(new / name, content)
        try:
            if place.exists():
                place.rename(_old(place))
            new.rename(place)
        finally:
            _recover(place)
    sync(place.parent)


def _old(place: Path) -> Path:
    """Return the path of a run while another one replaces it."""
    return place.with_name(f".{place.name}.old")


def _recover(place: Path) -> None:
    """Restore a run whose replacement wasn't finished, or delete one whose replacement is in place.

    Raises:
        InputError: If something else is in its place, or if it was changed in the meantime.
        OSError: If a file operation fails.
    """
    old = _old(place)
    if not old.exists():
        return
    if not place.exists():
        old.rename(place)
    elif (place / SUMS_FILE).is_file():
        _delete(old)
    else:
        fix = f"move it away; the run that was being replaced is in {old}"
        raise InputError("was put in the place of a run that was being replaced", str(place), fix=fix)


def _delete(old: Path) -> None:
    """Delete a replaced run if it is as friendshore wrote it. It is moved away first, so that other processes never see half of it.

    Raises:
        InputError: If it was changed.
    """
    before = _identity(old)
    strange = changed(old, read_sums(old) or {})
    if _identity(old) != before:
        return  # another process has just deleted it
    if strange:
        fix = "move it away: friendshore keeps a run under this name while another one takes its place"
        found = ", ".join(strange)
        raise InputError(
            "is in the way of a run that is replaced, and is left as it is", str(old), found=found, fix=fix
        )
    with suppress(FileNotFoundError), aside(old) as away:
        old.rename(away)


def read_run(folder: Path) -> RunFolder:
    """Read a run folder as a whole. If it is replaced during reading, return the new run.

    Raises:
        InputError: With everything that can't be read.
    """
    place = Path(os.path.realpath(folder))
    while True:
        with suppress(
            OSError, InputError
        ):  # where nothing may be written, and where it is somebody else's, it stays as it is
            _recover(place)
        before = _identity(place)
        try:
            read = _read_run(folder)
        except InputError:
            if _identity(place) == before:
                raise
        else:
            if _identity(place) == before:
                return read


def _identity(place: Path) -> tuple[int, int] | None:
    """Return the identity of a folder, which distinguishes it from a replacement. None if it doesn't exist."""
    try:
        found = place.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _read_run(folder: Path) -> RunFolder:
    """Read the current files of a run folder.

    Raises:
        InputError: With everything that can't be read.
    """
    if folder.suffix == ".toml" or (folder / "case.toml").is_file() and not (folder / RUN_FILE).is_file():
        message = "this is a case, and not yet a run of it"
        fix = f"plan it first: `friendshore plan {folder} --out RUN`, then name RUN"
        raise InputError(message, str(folder), expected="a folder written by `plan --out`", fix=fix)
    if not folder.is_dir():
        message = "there is no such run folder"
        raise InputError(message, str(folder), expected="a folder written by `plan --out`", fix="check the path")
    found: list[Diagnostic] = []
    told = _read_json(folder / RUN_FILE, found)
    if told is not None:
        _check_version(folder / RUN_FILE, told)
    facts = _read_json(folder / FACTS_FILE, found)
    tables = {table.file: _read(folder, table, found) for table in TABLES}
    certified = os.path.lexists(folder / CERTIFICATE_FILE)
    certificate = _read_json(folder / CERTIFICATE_FILE, found) if certified else None
    run: Run | None = None
    if told is not None:
        try:
            run = record(Run, told, str(folder / RUN_FILE))
        except FriendshoreError as error:
            found.extend(error.problems)
    if found or run is None or told is None or facts is None:
        raise InputError(found)
    return RunFolder(folder, run, told, facts, tables, certificate)


def _check_version(path: Path, told: Mapping[str, object]) -> None:
    """Reject a run of another format, whose tables would otherwise be reported column by column.

    Raises:
        InputError: If it has a version other than the current one.
    """
    current, version = Run.model_fields["schema_version"].default, told.get("schema_version")
    if isinstance(version, int) and version != current:
        raise InputError(
            "the run was written in another format",
            str(path),
            column="schema_version",
            found=str(version),
            expected=str(current),
            fix="plan the case again, or use the version of friendshore that wrote the run",
        )


def _read(folder: Path, table: RunTable, found: list[Diagnostic]) -> Table:
    fields = tuple(
        Field(name, _TEXT, f"column {name} of a run's {table.file}", required=False) for name in table.columns
    )
    read = read_table(folder / table.file, Layout(table.file, "", fields), found, parsed=False)
    typed = cache(original_cell)  # most cells of a table are equal to many others, and are kept once
    for row in read.rows:
        row.cells = list(map(typed, row.cells))
    if read.columns:
        missing = [name for name in table.columns if name not in read.columns]
        found += [Diagnostic("a column is missing", str(folder / table.file), 1, name) for name in missing]
    return read


def _read_json(path: Path, found: list[Diagnostic]) -> dict[str, object] | None:
    text = read_text(path, found)
    return None if text is None else json_object(text, str(path), found, fix="plan again")
