"""A command of friendshore in a process of its own: forked, so that it need not start anew, and watched for what it must not do."""

from __future__ import annotations

import os
import resource
import select
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.functional.starter import get_ready

HANG = 10.0
"""Seconds that a command may take."""
MEMORY = 2**30
"""Bytes of memory that a command may hold."""
_ADDRESSES = 8 * 2**30
"""Bytes of address space, so that the machine outlives a command that takes too much; libraries reserve more than they use."""
_FILE = 2**29
"""Bytes that a file may be written to."""
_WRITING = {
    "os.mkdir": (0,), "os.rmdir": (0,), "os.remove": (0,), "os.truncate": (0,), "os.chmod": (0,), "os.rename": (0, 1),
    "os.link": (1,), "os.symlink": (1,), "os.utime": (0,),
}  # fmt: skip
"""Event of an audit -> which of its arguments are paths that are changed."""
_FOLDER = {
    "os.mkdir": 2, "os.rmdir": 1, "os.remove": 1, "os.rename": 2, "os.link": 2, "os.symlink": 2, "os.chmod": 2, "os.utime": 3,
}  # fmt: skip
"""Event -> which argument is the open folder that paths begin at."""


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a command."""

    command: tuple[str, ...]
    code: int | None
    """Its exit code; negative: the signal that ended it; None: it hung, and was ended."""
    seconds: float
    computed: float
    """Seconds of processor time."""
    memory: int
    """Most bytes that it, or a process that it started and waited for, held."""
    out: bytes
    err: bytes
    outside: tuple[str, ...]
    """Paths that it wrote to and should not have."""


def run(command: Sequence[str], cwd: Path, scratch: Path, site: Path | None = None, limit: float = HANG) -> Done:
    """Runs a command, its words without `friendshore`, in a folder, the only one that it may write to.

    What it says, and its temporary files, lie in `scratch`; a plugin installed for it in `site`; it is ended after `limit` seconds.
    """
    for name in ("out", "err", "outside"):
        (scratch / name).write_bytes(b"")
    (scratch / "tmp").mkdir(exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    started = time.monotonic()
    child = os.fork()
    if not child:
        _command(command, cwd, scratch, site)
    watched = os.pidfd_open(child)
    look = select.poll()
    look.register(watched, select.POLLIN)
    ended = bool(look.poll(limit * 1000))
    seconds = time.monotonic() - started
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)  # it, or what it left running
    _, status, used = os.wait4(child, 0)
    os.close(watched)
    out, err, outside = ((scratch / name).read_bytes() for name in ("out", "err", "outside"))
    code = os.waitstatus_to_exitcode(status) if ended else None
    written = tuple(outside.decode().splitlines())
    computed = used.ru_utime + used.ru_stime
    return Done(tuple(command), code, seconds, computed, used.ru_maxrss * 1024, out, err, written)


def _command(command: Sequence[str], cwd: Path, scratch: Path, site: Path | None) -> None:
    """In the child: prepares it, runs the command, and ends without a way back."""
    code = 1  # Python's own, of what nobody caught
    try:
        _prepare(cwd, scratch, site)
        from friendshore.cli.app import main  # runs the program as a shell does, plugins watched

        sys.argv = ["friendshore", *command]
        code = main()
        for thread in threading.enumerate():
            if thread is not threading.current_thread() and not thread.daemon:
                thread.join()
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:  # noqa: BLE001 - whatever it is, it is told and is a fault
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _prepare(cwd: Path, scratch: Path, site: Path | None) -> None:
    os.setsid()
    for number, name in enumerate((os.devnull, str(scratch / "out"), str(scratch / "err"))):
        opened = os.open(name, os.O_RDWR)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = os.fdopen(0, "r", encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)
    os.chdir(cwd)
    sys.dont_write_bytecode = True
    os.environ.update(TMPDIR=str(scratch / "tmp"), PYTHONDONTWRITEBYTECODE="1", NO_COLOR="1")
    tempfile.tempdir = None
    if site is not None:
        sys.path.insert(0, str(site))
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESSES, _ADDRESSES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE, _FILE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    told = os.open(scratch / "outside", os.O_WRONLY | os.O_APPEND)
    allowed = (os.path.realpath(cwd), os.path.realpath(scratch / "tmp"), "/dev/", "/proc/")

    def look(event: str, arguments: tuple[Any, ...]) -> None:
        for path in _written(event, arguments):
            if not path.startswith(allowed):
                os.write(told, f"{event} {path}\n".encode("utf-8", "backslashreplace"))

    sys.addaudithook(look)


def _written(event: str, arguments: tuple[Any, ...]) -> Iterator[str]:
    """The real paths that an event changes."""
    if event == "open":
        path, _, flags = arguments
        if isinstance(path, str | bytes) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC):
            yield os.path.realpath(os.fsdecode(path))
        return
    for number in _WRITING.get(event, ()):
        if isinstance(arguments[number], int):
            continue
        path = os.fsdecode(os.fspath(arguments[number]))
        folder = arguments[_FOLDER[event]] if event in _FOLDER else -1
        if isinstance(folder, int) and folder >= 0:
            path = os.path.join(os.readlink(f"/proc/self/fd/{folder}"), path)  # noqa: PTH118, PTH115 - as the system does
        # The entry itself is changed, not what it leads to.
        head, tail = os.path.split(path.rstrip("/"))
        yield os.path.join(os.path.realpath(head), tail)  # noqa: PTH118


def load() -> None:
    """Makes ready what commands need, so that each child has it from the start."""
    os.environ["SOURCE_DATE_EPOCH"] = "1795694400"
    get_ready()
