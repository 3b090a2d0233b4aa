"""Atomic writing: to a hidden temporary folder, then renamed. A killed process may leave that folder, `.NAME.*.friendshore`, which can be deleted."""

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

# Creation date of every workbook, so that files don't depend on the time of writing.
_CREATED = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)
# Errors of a disk that don't name the file.
_SYSTEM_ERRORS = frozenset(
    {errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EROFS}
)


def system_input_error(error: OSError) -> InputError:
    """Return an error of the system as an input error, or raise it again if it is a bug."""
    message = f"cannot be read or written: {error.strerror or error}"
    if error.filename is not None:
        fix = "check the path and its permissions"
        return InputError(message, os.fsdecode(error.filename), fix=fix, code="FS050")
    if error.errno in _SYSTEM_ERRORS:
        return InputError(f"a file {message}", code="FS050")
    if is_working_folder_gone():
        return InputError("the working folder doesn't exist", fix="change to another folder, like `cd ~`", code="FS081")
    raise error


def is_working_folder_gone() -> bool:
    try:
        Path.cwd()
    except OSError:
        return True
    return False


def write_file(path: Path, content: bytes | Iterable[bytes]) -> None:
    with path.open("xb") as file:
        file.writelines([content] if isinstance(content, bytes) else content)
        file.flush()
        os.fsync(file.fileno())


def sync(folder: Path) -> None:
    with suppress(OSError):  # Windows can't open folders, and some file systems can't sync them
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def temporary_path(place: Path) -> Iterator[Path]:
    """Yield a path with the same name in a hidden temporary folder beside a place. Missing parents are created."""
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
    """Yield a path to write to. If the block succeeds, it replaces the file `place`, or becomes the new folder `place`, in one rename."""
    with temporary_path(place) as new:
        yield new
        if new.is_dir() and (place.exists() or place.is_symlink()):
            raise FileExistsError(errno.EEXIST, "already exists", str(place))
        new.replace(place)
        sync(place.parent)


def replace_file(place: Path, content: bytes | Iterable[bytes]) -> None:
    """Replace or create a file. Readers see either the old or the new file."""
    with atomic_write_path(Path(os.path.realpath(place))) as new:
        write_file(new, content)


def add_files(folder: Path, contents: Mapping[PurePosixPath, bytes]) -> None:
    """Write new files below a folder, which is created if necessary. If one exists or can't be written, none is left."""
    _reject(existing_paths(folder, contents))
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
        for file in written:
            file.unlink()
        raise


def existing_paths(folder: Path, contents: Mapping[PurePosixPath, bytes]) -> list[Path]:
    paths = [folder / path for path in contents]
    return [path for path in paths if path.exists() or path.is_symlink()]


def reject_existing(*paths: Path) -> None:
    """Raise an InputError with each path that exists."""
    _reject([path for path in paths if path.exists() or path.is_symlink()])


def _reject(existing: list[Path]) -> None:
    message, fix = "already exists and wasn't changed", "name another folder, or move the file"
    if existing:
        raise InputError([Diagnostic(message, str(path), fix=fix, code="FS080") for path in existing])


def new_workbook(file: str, stream: BytesIO) -> xlsxwriter.Workbook:
    """Return an empty workbook, which is written to a stream when it is closed. Its bytes depend only on its cells."""
    try:
        import xlsxwriter
    except ImportError as error:
        fix = 'pip install "friendshore[xlsx]"'
        message = "writing workbooks requires XlsxWriter, which isn't installed"
        raise InputError(message, file, fix=fix, code="FS070") from error
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    book.set_properties({"created": _CREATED})
    return book
