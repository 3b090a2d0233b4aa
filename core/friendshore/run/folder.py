"""Run folders: atomic writing, reading that reports all errors together, and file hashes."""

# `SHA256SUMS` contains the hash of every file of a run folder in the format of coreutils. `sha256sum -c SHA256SUMS` checks it.

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

from ..domain.base import Tables
from ..domain.run import Run
from ..errors import Diagnostic, FriendshoreError, InputError
from ..inert import original_cell
from ..reading.csvfile import Table, read_table
from ..reading.fields import Field, Layout
from ..reading.kinds import Kind
from ..reading.records import record
from ..reading.textfile import json_object, read_bytes, read_text
from ..writing import replace_file, sync, temporary_path, write_file
from .json_files import json_pieces
from .tables import FACTS_FILE, RUN_FILE, TABLES, RunTable, RunVerdict, table_pieces

CERTIFICATE_FILE = "certificate.json"
"""Proof of the bound, if the run has one."""
SUMS_FILE = "SHA256SUMS"
SIGNATURE_FILE = "SHA256SUMS.sig"
"""Signature of `SHA256SUMS`, if the run is signed."""
FILES = (RUN_FILE, FACTS_FILE, *(table.file for table in TABLES), CERTIFICATE_FILE, SUMS_FILE, SIGNATURE_FILE)
"""All files that a run folder may contain."""
SIGNATURE_HEAD = b"friendshore "
"""Start of a signature made by friendshore. Other tools use the same file name."""

_MAX_BYTES = 4_000_000_000
"""Maximum bytes of a file of a run, more than the facts of the largest case take."""
_MAX_JSON_BYTES = 512_000_000
"""Maximum bytes of a file of a run that is read as a whole. A plan of 100,000 offers over 24 months has a run.json of 361 MB."""
_LINE = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9._-]+)")


def sums_text(hashes: Mapping[str, str]) -> str:
    return "".join(f"{hashes[name]}  {name}\n" for name in sorted(hashes))


def read_sums(folder: Path) -> dict[str, str] | None:
    """Return file -> hash from the sums file of a folder. None if it is missing or friendshore wouldn't write it that way."""
    path = folder / SUMS_FILE
    if not path.is_file():
        return None
    matches = [_LINE.fullmatch(line) for line in read_bytes(path).decode("utf-8", "replace").splitlines()]
    return {line[2]: line[1] for line in matches if line} if all(matches) else None


def changed(folder: Path, sums: Mapping[str, str]) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir() if not _is_unchanged(entry, sums))


def _is_unchanged(entry: Path, sums: Mapping[str, str]) -> bool:
    if entry.is_symlink() or not entry.is_file():
        return False
    if entry.name == SUMS_FILE:
        return True
    if entry.name == SIGNATURE_FILE:
        return read_bytes(entry, len(SIGNATURE_HEAD)) == SIGNATURE_HEAD
    if entry.name not in sums or entry.stat().st_size > _MAX_BYTES:
        return False
    with entry.open("rb") as stream:
        return sums[entry.name] == file_digest(stream, "sha256").hexdigest()


def other_files(folder: Path, reported: Collection[str]) -> tuple[list[Diagnostic], list[str]]:
    """Return errors for changed files, and notes on tables that were saved again and on files that aren't part of a run. Files in `reported` are skipped."""
    sums = read_sums(folder)
    files = (RUN_FILE, FACTS_FILE, *(table.file for table in TABLES))
    if sums is None or not set(files) <= set(sums):
        message = "doesn't list the files of the run with their hashes, so that changes can't be detected"
        return [Diagnostic(message, str(folder / SUMS_FILE), fix="plan the case again", code="FS601")], []
    problems: list[Diagnostic] = []
    notes: list[str] = []
    added = added_files(sums)
    for name in changed(folder, sums):
        if name not in (*files, CERTIFICATE_FILE, *added) or name in reported:
            continue
        if name in (RUN_FILE, FACTS_FILE, CERTIFICATE_FILE, *added):
            message = f"was changed after it was written: its hash differs from {SUMS_FILE}"
            expected = sums.get(name, "no such file")
            problems.append(Diagnostic(message, str(folder / name), expected=expected, code="FS602"))
        else:
            notes.append(f"{name} was saved again with the same cells")
    for name in (CERTIFICATE_FILE, *added):
        if name in sums and not (folder / name).exists():
            message = f"is missing, although {SUMS_FILE} lists it"
            problems.append(Diagnostic(message, str(folder / name), code="FS602"))
    unknown_files = sorted({entry.name for entry in folder.iterdir()} - set(FILES) - set(added))
    notes += [f"{name} isn't a file of a run, and wasn't checked" for name in unknown_files]
    return problems, notes


def added_files(sums: Mapping[str, str]) -> list[str]:
    """Return the files that plugins added to a run."""
    return sorted(set(sums) - set(FILES))


def add_to_run(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write further files into a run folder, and their hashes into its sums. Raise `InputError` if the run was changed, is signed, or can't be written."""
    sums = read_sums(folder)
    edited = None if sums is None else [name for name in changed(folder, sums) if name in FILES or name in sums]
    if sums is None or edited:
        message = "was changed since it was written, so nothing can be added"
        found = ", ".join(edited or [SUMS_FILE])
        raise InputError(message, str(folder), found=found, fix="plan the case again", code="FS602")
    if (folder / SIGNATURE_FILE).exists():
        message = "the run is signed, and more files would make its signature invalid"
        fix = f"delete {SIGNATURE_FILE}, add the files, and sign the run again"
        raise InputError(message, str(folder / SIGNATURE_FILE), fix=fix, code="FS608")
    hashes = {name: sha256(content).hexdigest() for name, content in contents.items()}
    try:
        for name, content in contents.items():
            replace_file(folder / name, content)
        replace_file(folder / SUMS_FILE, sums_text({**sums, **hashes}).encode())
    except OSError as error:
        message = f"can't be written: {error.strerror or error}"
        raise InputError(message, str(folder), fix="make the folder of the run writable", code="FS604") from error


_TEXT = Kind("text", str)
_ATTEMPTS = 100
"""Maximum number of attempts to put a run in place while other processes do the same."""
_RACE_ERRORS = frozenset({errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST})
"""Rename errors if another process has restored the old run or put its own in place."""


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A run folder as read."""

    folder: Path
    run: Run
    data: Mapping[str, Any]
    """`run.json` as read."""
    facts: Mapping[str, object]
    tables: Mapping[str, Table]
    """File -> table with cells as text."""
    certificate: Mapping[str, object] | None = None
    """Proof of the bound as read. None if there is none."""


def check_target(folder: Path) -> None:
    _recover(Path(os.path.realpath(folder)))
    fix = "choose a folder that doesn't exist yet"
    if folder.is_symlink() and not folder.exists():
        raise InputError("is a broken link, so no run can be written there", str(folder), fix=fix, code="FS603")
    if not folder.exists():
        parent = next((parent for parent in folder.absolute().parents if parent.exists()), None)
        if parent is not None and not parent.is_dir():
            raise InputError(f"no run can be written in {parent}, which is a file", str(folder), fix=fix, code="FS603")
        return
    if not folder.is_dir():
        raise InputError("is a file, not a run folder, and wasn't replaced", str(folder), fix=fix, code="FS603")
    names = sorted(entry.name for entry in folder.iterdir())
    if names:
        message, obstacles = _replacement_obstacles(folder, names)
        if obstacles:
            shown_names = ", ".join(obstacles[:5]) + (f" and {len(obstacles) - 5} more" if len(obstacles) > 5 else "")
            fix += ", or move or delete the files in this one"
            expected = "a new folder, or one of a run as it was written"
            raise InputError(
                f"{message}, and wasn't replaced", str(folder), None, "", shown_names, expected, fix, "FS603"
            )


def _replacement_obstacles(folder: Path, names: Sequence[str]) -> tuple[str, list[str]]:
    """Return the reason why a folder can't be replaced, and the files responsible, if any."""
    others = [name for name in names if name not in FILES]
    if others:
        return "contains files that aren't part of a run", others
    sums = read_sums(folder)
    if sums is None or not {RUN_FILE, FACTS_FILE} <= set(sums) <= set(FILES):
        return f"has no {SUMS_FILE} of a run, which would show who wrote its files", [*names]
    return "contains files that were changed since they were written", changed(folder, sums)


def write_run(
    folder: Path,
    run: Run,
    facts: Mapping[str, object] | Tables,
    verdicts: Sequence[RunVerdict] = (),
    sign: Callable[[bytes], bytes] | None = None,
    certificate: str | None = None,
) -> None:
    """Write a run folder. An existing run is replaced only when the new one is complete.

    `sign` makes a signature from the hashes of all files. Raises `InputError` if the folder contains anything but an unchanged run, or can't be written.
    """
    contents: dict[str, Iterable[bytes]] = {
        RUN_FILE: json_pieces(run),
        FACTS_FILE: json_pieces(facts, exclude_defaults=True),
        **{table.file: table_pieces(table, run, verdicts) for table in TABLES},
    }
    if certificate is not None:
        contents[CERTIFICATE_FILE] = [certificate.encode()]
    place = Path(os.path.realpath(folder))
    try:
        check_target(folder)
        with temporary_path(place) as new:
            _write_files(new, contents, sign)
            for attempt in range(_ATTEMPTS):
                try:
                    check_target(folder)
                    _put_in_place(new, place)
                    break
                except OSError as error:
                    if attempt + 1 == _ATTEMPTS or error.errno not in _RACE_ERRORS:
                        raise
    except OSError as error:
        message = f"can't be written: {error.strerror or error}"
        raise InputError(message, str(folder), fix="choose a folder that you may write to", code="FS604") from error


def _write_files(folder: Path, contents: Mapping[str, Iterable[bytes]], sign: Callable[[bytes], bytes] | None) -> None:
    folder.mkdir()
    hashes: dict[str, str] = {}
    for name, pieces in contents.items():
        digest = sha256()
        write_file(folder / name, _hashed(pieces, digest.update))
        hashes[name] = digest.hexdigest()
    sums = sums_text(hashes).encode()
    write_file(folder / SUMS_FILE, sums)
    if sign is not None:
        write_file(folder / SIGNATURE_FILE, sign(sums))


def _hashed(pieces: Iterable[bytes], update: Callable[[bytes], None]) -> Iterator[bytes]:
    for piece in pieces:
        update(piece)
        yield piece


def sign_run(folder: Path, sign: Callable[[bytes], bytes]) -> Path:
    path = folder / SIGNATURE_FILE
    try:
        replace_file(path, sign(read_bytes(folder / SUMS_FILE)))
    except OSError as error:
        message = f"can't be written: {error.strerror or error}"
        raise InputError(message, str(path), fix="make the folder of the run writable", code="FS604") from error
    return path


def _put_in_place(new: Path, place: Path) -> None:
    """Rename a new run. An existing one is moved away first, and restored if that fails."""
    try:
        if place.exists():
            place.rename(_replaced_path(place))
        new.rename(place)
    finally:
        _recover(place)
    sync(place.parent)


def _replaced_path(place: Path) -> Path:
    return place.with_name(f".{place.name}.old")


def _recover(place: Path) -> None:
    """Restore a run whose replacement wasn't finished, or delete one whose replacement is in place."""
    old = _replaced_path(place)
    if not old.exists():
        return
    if not place.exists():
        old.rename(place)
    elif (place / SUMS_FILE).is_file():
        _delete(old)
    else:
        fix = f"move it away; the run that was being replaced is in {old}"
        raise InputError(
            "isn't a run, but has the place of one that was being replaced", str(place), fix=fix, code="FS605"
        )


def _delete(old: Path) -> None:
    """Delete a replaced run, unless it was changed. It is moved away first, so that other processes never see half of it."""
    before = _identity(old)
    edited = changed(old, read_sums(old) or {})
    if _identity(old) != before:
        return  # another process has just deleted it
    if edited:
        fix = "move it away; friendshore uses this name for a run while another one replaces it"
        message = "contains changed files, so that the run can't be replaced"
        raise InputError(message, str(old), found=", ".join(edited), fix=fix, code="FS605")
    with suppress(FileNotFoundError), temporary_path(old) as away:
        old.rename(away)


def read_run(folder: Path) -> RunFolder:
    """Read a run folder, or the new one if it is replaced during reading. All problems are reported together."""
    place = Path(os.path.realpath(folder))
    while True:
        # A folder that can't be written, or that isn't a run, can still be read.
        with suppress(OSError, InputError):
            _recover(place)
        before = _identity(place)
        try:
            stored = _read_run(folder)
        except InputError:
            if _identity(place) == before:
                raise
        else:
            if _identity(place) == before:
                return stored


def _identity(place: Path) -> tuple[int, int] | None:
    """Return the identity of a folder, which distinguishes it from a replacement. None if it doesn't exist."""
    try:
        stat = place.stat()
    except OSError:
        return None
    return stat.st_dev, stat.st_ino


_EXPECTED_FOLDER = "a folder written by `plan --out`"


def _read_run(folder: Path) -> RunFolder:
    if folder.suffix == ".toml" or (folder / "case.toml").is_file() and not (folder / RUN_FILE).is_file():
        fix = f"plan it with `friendshore plan {folder} --out RUN`, then use RUN"
        raise InputError("is a case, not a run", str(folder), expected=_EXPECTED_FOLDER, fix=fix, code="FS606")
    if not folder.is_dir():
        message, fix = "this run folder doesn't exist", "check the path"
        raise InputError(message, str(folder), expected=_EXPECTED_FOLDER, fix=fix, code="FS606")
    problems: list[Diagnostic] = []
    data = _read_json(folder / RUN_FILE, problems)
    facts = _read_json(folder / FACTS_FILE, problems)
    if data is not None:
        _check_version(folder / RUN_FILE, data)
    tables = {table.file: _read(folder, table, problems) for table in TABLES}
    certified = os.path.lexists(folder / CERTIFICATE_FILE)
    certificate = _read_json(folder / CERTIFICATE_FILE, problems) if certified else None
    run: Run | None = None
    if data is not None:
        try:
            run = record(Run, data, str(folder / RUN_FILE))
        except FriendshoreError as error:
            problems.extend(error.problems)
    if problems or run is None or data is None or facts is None:
        raise InputError(problems)
    return RunFolder(folder, run, data, facts, tables, certificate)


def _check_version(path: Path, data: Mapping[str, object]) -> None:
    current, version = Run.model_fields["schema_version"].default, data.get("schema_version")
    if isinstance(version, int) and version != current:
        raise InputError(
            "the run has another format",
            str(path),
            column="schema_version",
            found=str(version),
            expected=str(current),
            fix="plan the case again, or use the version of friendshore that wrote the run",
            code="FS607",
        )


def _read(folder: Path, table: RunTable, problems: list[Diagnostic]) -> Table:
    fields = tuple(
        Field(name, _TEXT, f"column {name} of a run's {table.file}", required=False) for name in table.columns
    )
    csv_table = read_table(folder / table.file, Layout(table.file, "", fields), problems, parsed=False)
    parse_cell = cache(original_cell)  # Most cells of a table are equal to many others. Each text is stored once.
    for row in csv_table.rows:
        row.cells = list(map(parse_cell, row.cells))
    if csv_table.columns:
        missing = [name for name in table.columns if name not in csv_table.columns]
        problems += [
            Diagnostic(
                "a column is missing", str(folder / table.file), 1, name, fix="plan the case again", code="FS602"
            )
            for name in missing
        ]
    return csv_table


def _read_json(path: Path, problems: list[Diagnostic]) -> dict[str, object] | None:
    text = read_text(path, problems, _MAX_JSON_BYTES)
    return None if text is None else json_object(text, str(path), problems, fix="plan again")
