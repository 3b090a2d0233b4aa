"""A command of friendshore in a forked process, with limits and a list of written files."""

from __future__ import annotations

import atexit
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
from os import _exit  # the command line replaces it
from pathlib import Path
from typing import Any

from tests.functional.starter import get_ready

_HANG, _HANG_OF_CHECKS = 10.0, 30.0
MEMORY = 2**30
"""Maximum memory of a command in bytes."""
_ADDRESSES = 8 * 2**30
"""Maximum address space in bytes. Libraries reserve more than they use."""
_FILE = 2**29
"""Maximum file size in bytes."""
_WRITING = {
    "os.mkdir": (0,), "os.rmdir": (0,), "os.remove": (0,), "os.truncate": (0,), "os.chmod": (0,), "os.rename": (0, 1),
    "os.link": (1,), "os.symlink": (1,), "os.utime": (0,),
}  # fmt: skip
"""Audit event -> positions of arguments that are changed paths."""
_FOLDER = {
    "os.mkdir": 2, "os.rmdir": 1, "os.remove": 1, "os.rename": 2, "os.link": 2, "os.symlink": 2, "os.chmod": 2, "os.utime": 3,
}  # fmt: skip
"""Audit event -> position of the argument with the open folder of relative paths."""


@dataclass(frozen=True, slots=True)
class Done:
    """Result of a command."""

    command: tuple[str, ...]
    code: int | None
    """Exit code. Negative for a signal, and None if it was killed after a hang."""
    seconds: float
    computed: float
    """CPU seconds."""
    memory: int
    """Maximum memory in bytes of it or of a child process."""
    out: bytes
    err: bytes
    outside: tuple[str, ...]
    """Paths that it shouldn't have written to."""


def hang(command: Sequence[str]) -> float:
    """Return the time limit of a command in seconds. `plugins check` makes some fifty checks, and plans for many of them."""
    return _HANG_OF_CHECKS if tuple(command[:2]) == ("plugins", "check") else _HANG


def run(command: Sequence[str], cwd: Path, scratch: Path, site: Path | None = None, limit: float | None = None) -> Done:
    """Run a command (without the word `friendshore`) in a folder, the only one that it may write to.

    `scratch` gets its output and temporary files. `site` contains an installed plugin. The command is killed after `limit` seconds, by default its time limit.
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
    ended = bool(look.poll((limit or hang(command)) * 1000))
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
    """Prepare the child process, run the command, and exit."""
    code = 1  # Python's own, of what nobody caught
    try:
        _prepare(cwd, scratch, site)
        from friendshore.cli.app import main  # runs the program as a shell does, plugins watched

        sys.argv = ["friendshore", *command]
        code = main()
        for thread in threading.enumerate():
            if thread is not threading.current_thread() and not thread.daemon:
                thread.join()
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:  # noqa: BLE001 - whatever it is, it is told and is a fault
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        _exit(code)


def _prepare(cwd: Path, scratch: Path, site: Path | None) -> None:
    os.setsid()
    atexit._clear()  # of the process that judges
    for number, name in enumerate((os.devnull, str(scratch / "out"), str(scratch / "err"))):
        descriptor = os.open(name, os.O_RDWR)
        os.dup2(descriptor, number)
        os.close(descriptor)
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
    log = os.open(scratch / "outside", os.O_WRONLY | os.O_APPEND)
    allowed = (os.path.realpath(cwd), os.path.realpath(scratch / "tmp"), "/dev/", "/proc/")

    def look(event: str, arguments: tuple[Any, ...]) -> None:
        for path in _written(event, arguments):
            if not path.startswith(allowed):
                os.write(log, f"{event} {path}\n".encode("utf-8", "backslashreplace"))

    sys.addaudithook(look)


def _written(event: str, arguments: tuple[Any, ...]) -> Iterator[str]:
    """Yield the real paths that an event changes."""
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
    """Import everything that commands need before forking."""
    os.environ["SOURCE_DATE_EPOCH"] = "1795694400"
    get_ready()
