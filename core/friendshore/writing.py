"""Files and folders put in place whole or not at all: written aside, in a hidden folder beside their place, and then renamed.

The hidden folder is called after the place, `.NAME.friendshore`. It is there only while something is written. A process that is
killed leaves it; whoever next reads or writes at that place puts things right: what was moved aside comes back, what was not
complete is deleted. A lock of the operating system, which ends with the process that holds it, tells a writer from what one left.
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from .errors import Diagnostic, InputError

if TYPE_CHECKING:
    import xlsxwriter

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_CREATED = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)
"""The day that stands in every workbook, so that none differs by when it was written."""
NEW, READY, OLD, LOCK = "new", "ready", "old", "lock"
_OURS = frozenset({NEW, READY, OLD, LOCK})
"""All that the hidden folder may hold."""
_OF_THE_MACHINE = frozenset(
    {errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EROFS}
)
"""What a disk refuses without naming the file."""
_NO_LOCKS = frozenset({errno.ENOTSUP, errno.ENOLCK, errno.ENOSYS, errno.EINVAL})
"""What a file system says that has no locks: there, two who write at once may each be told that the other's files are in the way."""


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


def hidden(place: Path) -> Path:
    """The hidden folder of a place; that of the root lies in it."""
    return place.with_name(f".{place.name}.friendshore") if place.name else place / ".friendshore"


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Holds a hidden folder for this process alone, waiting for another that does; it is gone afterwards unless it holds something.

    Raises:
        InputError: if it holds what friendshore did not put there.
        OSError: if it cannot be made.
    """
    lock = _locked(folder)
    try:
        strange = sorted(entry.name for entry in folder.iterdir() if entry.name not in _OURS)
        if strange or folder.is_symlink():
            raise in_the_way(folder, strange)
        yield
    finally:
        _release(folder, lock)


def in_the_way(path: Path, found: Sequence[str] = ()) -> InputError:
    """What is told of a hidden folder, or what lies in it, that friendshore did not put where it writes aside; `found`: what it holds."""
    fix = "move it away: friendshore writes aside in a folder of this name"
    return InputError("is in the way, and is left as it is", str(path), found=", ".join(found), fix=fix)


def _locked(folder: Path) -> int:
    """The lock of a hidden folder, which is made if it is not there.

    Raises:
        InputError: if what has its name is no folder.
    """
    while True:
        try:
            folder.mkdir(exist_ok=True)
        except FileExistsError:
            raise in_the_way(folder) from None
        try:
            lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
        except FileNotFoundError:
            continue  # another process has just ended, and taken the folder with it
        try:
            _lock(lock)
            if os.path.samestat(os.fstat(lock), (folder / LOCK).stat()):
                return lock
        except FileNotFoundError:
            pass  # the lock waited for is gone with the process that held it
        except BaseException:
            os.close(lock)
            raise
        os.close(lock)


def _lock(lock: int) -> None:
    """Waits for the lock."""
    try:
        if sys.platform == "win32":
            msvcrt.locking(lock, msvcrt.LK_LOCK, 1)
        else:
            fcntl.flock(lock, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise


def _release(folder: Path, lock: int) -> None:
    """Gives up the lock, and deletes it and the folder if nothing else is in it."""
    if sys.platform == "win32":
        os.close(lock)  # an open file cannot be deleted there, not even by who opened it
    with suppress(OSError):  # another process waits for it, or something is left for the next to put right
        if not any((folder / name).exists() for name in (NEW, READY, OLD)):
            (folder / LOCK).unlink()
            folder.rmdir()
    if sys.platform != "win32":
        os.close(lock)


def write_file(path: Path, content: bytes | Iterable[bytes]) -> None:
    """Writes a new file, whole or in pieces, and sees it onto the disk.

    Raises:
        OSError: if it is there, or cannot be written.
    """
    with path.open("xb") as file:
        file.writelines([content] if isinstance(content, bytes) else content)
        file.flush()
        os.fsync(file.fileno())


def move(source: Path, target: Path) -> None:
    """Renames, and sees it onto the disk where folders can be.

    Raises:
        OSError: if it cannot be done.
    """
    source.rename(target)
    for folder in {source.parent, target.parent}:
        _sync(folder)


def _sync(folder: Path) -> None:
    with suppress(OSError):  # no folder can be opened on Windows, and not all file systems take it
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def drop(path: Path) -> None:
    """Deletes what lies in a hidden folder: a file, or a folder with all that is in it.

    Raises:
        OSError: if it cannot be deleted.
    """
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def written_aside(place: Path) -> Iterator[Path]:
    """Where to write what is to stand at a place, under its own name; it is put there in one rename once the block has ended well.

    A file that is there is replaced; nothing may be there in the place of a folder.

    Raises:
        InputError: if the hidden folder is not ours.
        OSError: if it cannot be written.
    """
    missing = [parent for parent in place.parents if not parent.exists()]
    place.parent.mkdir(parents=True, exist_ok=True)
    aside = hidden(place) / NEW
    try:
        with held(hidden(place)):
            drop_new(aside, [place.name])
            try:
                aside.mkdir()
                yield aside / place.name
                if (aside / place.name).is_dir() and (place.exists() or place.is_symlink()):
                    raise FileExistsError(errno.EEXIST, "is there already", str(place))
                (aside / place.name).replace(place)
                _sync(place.parent)
            finally:
                drop(aside)
    except BaseException:
        for parent in missing:  # innermost first
            with suppress(OSError):
                parent.rmdir()
        raise


def tidy(place: Path) -> None:
    """Deletes what a process left that was killed while it wrote a file, or a folder that was not there, aside.

    Raises:
        InputError: if the hidden folder is not ours.
        OSError: if it cannot be deleted.
    """
    folder = hidden(Path(os.path.realpath(place)))
    if folder.exists():
        with held(folder):
            drop_new(folder / NEW, [place.name])


def drop_new(new: Path, ours: Collection[str]) -> None:
    """Deletes a new folder in the hidden one that was not complete when its process was killed, and nothing but what is `ours`, by name.

    Raises:
        InputError: if it holds anything else.
        OSError: if it cannot be deleted.
    """
    strange = sorted({entry.name for entry in new.iterdir()} - {*ours}) if new.is_dir() else []
    if strange or (new.exists() and not new.is_dir()):
        raise in_the_way(new, strange)
    drop(new)


def replace_file(place: Path, content: bytes | Iterable[bytes]) -> None:
    """Writes a file, whole or in pieces, in the place of one that is there: whoever reads it finds the one or the other.

    Raises:
        InputError: if the hidden folder is not ours.
        OSError: if it cannot be written.
    """
    with written_aside(Path(os.path.realpath(place))) as new:
        write_file(new, content)


def add_files(folder: Path, contents: Mapping[PurePosixPath, bytes]) -> None:
    """Writes new files below a folder, made if it is not there: all of them, also where this process is killed and another one goes on.

    Where the folder is there, the last of them is put in place last.

    Raises:
        InputError: if one of them is there, or the hidden folder is not ours.
        OSError: if they cannot be written.
    """
    if not folder.is_dir():
        _refuse(present(folder, contents))
        with written_aside(Path(os.path.realpath(folder))) as new:
            _write_all(new, contents)
        return
    begun = finish_adding(folder)
    aside = _within(folder)
    with held(aside):
        if begun:  # by another of the same command
            contents = {path: content for path, content in contents.items() if not _holds(folder / path, content)}
        _refuse(present(folder, contents))
        try:
            _write_all(aside / NEW, contents)
            move(aside / NEW, aside / READY)
        finally:
            drop(aside / NEW)
        _finish(folder)


def finish_adding(folder: Path) -> bool:
    """Puts right what a process left that was killed while it added files below a folder, or had just made it; tells if any were put in place.

    Raises:
        InputError: if something was put in the place of one since, or the hidden folder is not ours.
        OSError: if they cannot be moved.
    """
    tidy(folder)
    if not _within(folder).is_dir():
        return False
    with held(_within(folder)):
        return _finish(folder)


def _within(folder: Path) -> Path:
    """The hidden folder of new files in a folder that is there: in it, so that they can be renamed wherever it lies."""
    return folder / ".friendshore"


def _finish(folder: Path) -> bool:
    """Puts files in place that are complete, and tells whether there were any; deletes those that are not."""
    aside = _within(folder)
    drop(aside / NEW)
    ready = aside / READY
    if not ready.is_dir():
        return False
    _refuse(_into(ready, folder))
    drop(ready)
    return True


def _holds(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content


def _into(ready: Path, folder: Path) -> list[Path]:
    """Moves what lies in one folder to another, folders that are there entry by entry; returns what is there already."""
    there: list[Path] = []
    for entry in sorted(ready.iterdir(), key=lambda one: (not one.is_dir(), one.name)):
        target = folder / entry.name
        if entry.is_dir() and target.is_dir():
            there += _into(entry, target)
        elif target.exists() or target.is_symlink():
            there.append(target)
        else:
            move(entry, target)
    return there


def present(folder: Path, contents: Mapping[PurePosixPath, bytes]) -> list[Path]:
    """Those of the files that are there already."""
    paths = [folder / path for path in contents]
    return [path for path in paths if path.exists() or path.is_symlink()]


def refuse_present(*paths: Path) -> None:
    """Refuses to write files that are there already.

    Raises:
        InputError: with each that is.
    """
    _refuse([path for path in paths if path.exists() or path.is_symlink()])


def _refuse(there: list[Path]) -> None:
    fix = "name another folder, or move the file away"
    if there:
        raise InputError([Diagnostic("is there already, and is left as it is", str(path), fix=fix) for path in there])


def _write_all(folder: Path, contents: Mapping[PurePosixPath, bytes]) -> None:
    folder.mkdir()
    for path, content in contents.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        write_file(target, content)


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
