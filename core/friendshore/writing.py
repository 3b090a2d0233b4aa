"""Atomic writing of files and folders: written in a hidden temporary folder beside their place, and then renamed.

A killed process may leave the hidden folder, `.NAME.*.friendshore`. It can be deleted.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from .errors import Diagnostic, InputError

if TYPE_CHECKING:
    import xlsxwriter

_CREATED = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)
"""Creation date of every workbook, so that files don't depend on the time of writing."""
_OF_THE_MACHINE = frozenset(
    {errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EROFS}
)
"""Errors of a disk that don't name the file."""


def system_input_error(error: OSError) -> InputError:
    """Return an error of the system as an input error.

    Raises:
        OSError: The error itself, if it isn't due to the system and is therefore a bug.
    """
    message = f"cannot be read or written: {error.strerror or error}"
    if error.filename is not None:
        fix = "check the path, and who may read and write there"
        return InputError(message, os.fsdecode(error.filename), fix=fix)
    if error.errno in _OF_THE_MACHINE:
        return InputError(f"a file {message}")
    try:
        Path.cwd()
    except OSError:
        return InputError("the folder in which you are working is gone", fix="change to one that is there")
    raise error


def write_file(path: Path, content: bytes | Iterable[bytes]) -> None:
    """Write a new file from bytes or pieces, and sync it to the disk.

    Raises:
        OSError: If it exists or can't be written.
    """
    with path.open("xb") as file:
        file.writelines([content] if isinstance(content, bytes) else content)
        file.flush()
        os.fsync(file.fileno())


def sync(folder: Path) -> None:
    """Sync a folder's entries to the disk, if the system can."""
    with suppress(OSError):  # no folder can be opened on Windows, and not all file systems take it
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def aside(place: Path) -> Iterator[Path]:
    """Yield a path with the same name in a hidden temporary folder beside a place. Missing parents are created.

    Raises:
        OSError: If it can't be created.
    """
    missing = [parent for parent in place.parents if not parent.exists()]
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        with TemporaryDirectory(prefix=f".{place.name}.", suffix=".friendshore", dir=place.parent) as folder:
            yield Path(folder) / place.name
    except BaseException:
        for parent in missing:  # innermost first
            with suppress(OSError):
                parent.rmdir()
        raise


@contextmanager
def atomic_write_path(place: Path) -> Iterator[Path]:
    """Yield a path to write a file or folder to. If the block succeeds, it is moved to its place in one rename.

    An existing file is replaced. For a folder, nothing may exist at its place.

    Raises:
        OSError: If it can't be written.
    """
    with aside(place) as new:
        yield new
        if new.is_dir() and (place.exists() or place.is_symlink()):
            raise FileExistsError(errno.EEXIST, "is there already", str(place))
        new.replace(place)
        sync(place.parent)


def replace_file(place: Path, content: bytes | Iterable[bytes]) -> None:
    """Replace a file by bytes or pieces. Readers see either the old or the new file.

    Raises:
        OSError: If it can't be written.
    """
    with atomic_write_path(Path(os.path.realpath(place))) as new:
        write_file(new, content)


def add_files(folder: Path, contents: Mapping[PurePosixPath, bytes]) -> None:
    """Write new files below a folder, which is created if necessary. If one can't be written, none is left.

    Raises:
        InputError: If one of them exists.
        OSError: If they can't be written.
    """
    _refuse(present(folder, contents))
    if not folder.is_dir():
        with atomic_write_path(Path(os.path.realpath(folder))) as new:
            for path, content in contents.items():
                (new / path).parent.mkdir(parents=True, exist_ok=True)
                write_file(new / path, content)
        return
    written: list[Path] = []
    try:
        for path, content in contents.items():
            with atomic_write_path(folder / path) as new:
                write_file(new, content)
            written.append(folder / path)
    except BaseException:
        for made in written:
            made.unlink()
        raise


def present(folder: Path, contents: Mapping[PurePosixPath, bytes]) -> list[Path]:
    """Return the paths of the files that exist."""
    paths = [folder / path for path in contents]
    return [path for path in paths if path.exists() or path.is_symlink()]


def reject_existing(*paths: Path) -> None:
    """Reject files that exist already.

    Raises:
        InputError: With each existing file.
    """
    _refuse([path for path in paths if path.exists() or path.is_symlink()])


def _refuse(there: list[Path]) -> None:
    fix = "name another folder, or move the file away"
    if there:
        raise InputError([Diagnostic("is there already, and is left as it is", str(path), fix=fix) for path in there])


def new_workbook(file: str, stream: BytesIO) -> xlsxwriter.Workbook:
    """Return an empty workbook, which is written to a stream when it is closed. Its bytes depend only on its cells.

    XlsxWriter is an extra (`pip install "friendshore[xlsx]"`), and is imported when a workbook is written.

    Raises:
        InputError: If it isn't installed. `file` is the file that needs it.
    """
    try:
        import xlsxwriter
    except ImportError as error:
        fix = 'pip install "friendshore[xlsx]"'
        raise InputError("workbooks are written with XlsxWriter, which is not installed", file, fix=fix) from error
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    book.set_properties({"created": _CREATED})
    return book
