"""Files and folders put in place whole or not at all: written in a hidden temporary folder beside their place, and then renamed.

A process that is killed may leave the hidden folder, `.NAME.*.friendshore`, behind. It can be deleted.
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
"""The day that stands in every workbook, so that none differs by when it was written."""
_OF_THE_MACHINE = frozenset(
    {errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EROFS}
)
"""What a disk refuses without naming the file."""


def refused_by_the_machine(error: OSError) -> InputError:
    """What the machine refuses, as a mistake of what was named.

    Raises:
        OSError: the same, if it is none of the machine's: then it is a bug of ours.
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
    """Write a new file, whole or in pieces, and see it onto the disk.

    Raises:
        OSError: if it is there, or cannot be written.
    """
    with path.open("xb") as file:
        file.writelines([content] if isinstance(content, bytes) else content)
        file.flush()
        os.fsync(file.fileno())


def sync(folder: Path) -> None:
    """Write a folder's entries to the disk, where the system can."""
    with suppress(OSError):  # no folder can be opened on Windows, and not all file systems take it
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def aside(place: Path) -> Iterator[Path]:
    """Yield a path of the same name in a hidden temporary folder beside a place, whose parents are made if they are missing.

    Raises:
        OSError: if it cannot be made.
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
def written_aside(place: Path) -> Iterator[Path]:
    """Yield where to write a file or folder; it is put at its place in one rename once the block has ended well.

    A file that is there is replaced; nothing may be there in the place of a folder.

    Raises:
        OSError: if it cannot be written.
    """
    with aside(place) as new:
        yield new
        if new.is_dir() and (place.exists() or place.is_symlink()):
            raise FileExistsError(errno.EEXIST, "is there already", str(place))
        new.replace(place)
        sync(place.parent)


def replace_file(place: Path, content: bytes | Iterable[bytes]) -> None:
    """Write a file, whole or in pieces, in place of one that is there: a reader finds the one or the other.

    Raises:
        OSError: if it cannot be written.
    """
    with written_aside(Path(os.path.realpath(place))) as new:
        write_file(new, content)


def add_files(folder: Path, contents: Mapping[PurePosixPath, bytes]) -> None:
    """Write new files below a folder, which is made if it is missing. If one can't be written, none is left.

    Raises:
        InputError: if one of them is there.
        OSError: if they cannot be written.
    """
    _refuse(present(folder, contents))
    if not folder.is_dir():
        with written_aside(Path(os.path.realpath(folder))) as new:
            for path, content in contents.items():
                (new / path).parent.mkdir(parents=True, exist_ok=True)
                write_file(new / path, content)
        return
    written: list[Path] = []
    try:
        for path, content in contents.items():
            with written_aside(folder / path) as new:
                write_file(new, content)
            written.append(folder / path)
    except BaseException:
        for made in written:
            made.unlink()
        raise


def present(folder: Path, contents: Mapping[PurePosixPath, bytes]) -> list[Path]:
    """Those of the files that are there already."""
    paths = [folder / path for path in contents]
    return [path for path in paths if path.exists() or path.is_symlink()]


def refuse_present(*paths: Path) -> None:
    """Refuse to write files that are there already.

    Raises:
        InputError: with each that is.
    """
    _refuse([path for path in paths if path.exists() or path.is_symlink()])


def _refuse(there: list[Path]) -> None:
    fix = "name another folder, or move the file away"
    if there:
        raise InputError([Diagnostic("is there already, and is left as it is", str(path), fix=fix) for path in there])


def new_workbook(file: str, stream: BytesIO) -> xlsxwriter.Workbook:
    """An empty workbook, which is written to a stream when it is closed: the same bytes of the same cells, whenever that is.

    XlsxWriter is an extra (`pip install "friendshore[xlsx]"`), and is imported when a workbook is written.

    Raises:
        InputError: if it is not installed; `file` is what it is needed for.
    """
    try:
        import xlsxwriter
    except ImportError as error:
        fix = 'pip install "friendshore[xlsx]"'
        raise InputError("workbooks are written with XlsxWriter, which is not installed", file, fix=fix) from error
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    book.set_properties({"created": _CREATED})
    return book
