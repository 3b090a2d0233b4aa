"""friendshore's command line as a program of its own; quick, since the process that it is forked from has imported it."""

from __future__ import annotations

import atexit
import fcntl
import hashlib
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

PATIENCE = 200.0
"""Seconds after which a command is taken to hang."""
COMMAND = (sys.executable, "-m", "friendshore")
CLOSED = -9
"""In place of a stream: the program is started without it."""
FOLLOWED = ("PYTHONPATH", "PYTHONIOENCODING", "PYTHONDONTWRITEBYTECODE")
"""What Python reads when it starts and `starter.py` goes by too."""
SHARED = "FRIENDSHORE_TEST_STARTERS"
"""The folder of the ways to what starts programs: all workers of a run have them from one process."""
_LOCK = threading.Lock()
_BEGUN: list[subprocess.Popen[bytes]] = []
"""What was begun here: it ends once nobody has a way to it any more."""
IMPORTED = re.compile(r"\bfrom (\S+) import\b")


class Started:
    """A program that runs, with what tests and `friendshore.plugins.isolated` use of `subprocess.Popen`."""

    def __init__(self, args: list[str], answers: socket.socket) -> None:
        self.args = args
        self.returncode: int | None = None
        self._answers = answers
        self.pid: int = self._told()

    def poll(self) -> int | None:
        """The exit code; None: it still runs."""
        if self.returncode is None and select.select([self._answers], [], [], 0)[0]:
            return self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = PATIENCE) -> int:
        """The exit code, once it has ended; if that takes too long, nothing of it is left running."""
        if self.returncode is None:
            in_time = bool(select.select([self._answers], [], [], timeout)[0])
            if not in_time:
                os.killpg(self.pid, signal.SIGKILL)
            self.returncode = self._told()
            self._answers.close()
            if not in_time:
                raise subprocess.TimeoutExpired(self.args, timeout)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Sends a signal, if it has not ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Ends it, if it has not ended."""
        self.send_signal(signal.SIGKILL)

    def _told(self) -> int:
        return int(self._answers.recv(100))


@cache
def _starter(modules: tuple[str, ...], seed: str | None) -> socket.socket:
    """The way to what starts programs that need these modules and go through sets in the order of this seed, for all workers of a run."""
    place = _place(modules, seed)
    ours = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with place.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            ours.connect(str(place))
        except OSError:  # nobody has begun one, or it has ended with the last who had a way to it
            place.unlink(missing_ok=True)
            _begin(place, modules, seed)
            ours.connect(str(place))
    return ours


def way_to_starter() -> Path:
    """Return the socket of what starts commands of friendshore, which then runs."""
    _starter((), None)
    return _place((), None)


def _place(modules: tuple[str, ...], seed: str | None) -> Path:
    return shared_folder() / hashlib.sha256(repr((modules, seed)).encode()).hexdigest()[:16]


def shared_folder() -> Path:
    """A folder that all workers of a run know: the first process that asks for it makes it, those that it starts find it in their environment."""
    if SHARED not in os.environ:
        os.environ[SHARED] = tempfile.mkdtemp(prefix="friendshore-")
        atexit.register(shutil.rmtree, os.environ[SHARED], ignore_errors=True)
    return Path(os.environ[SHARED])


def made_once(name: str, make: Callable[[Path], str]) -> tuple[Path, str]:
    """A folder that takes long to make, and what was said of it: the first of all workers that asks for it makes it, the others wait for that.

    So do all runs that find the same folder in the environment as `FRIENDSHORE_MADE`: `.ci/run` has one for its steps.
    """
    folder = Path(os.environ.get("FRIENDSHORE_MADE") or shared_folder()) / name
    told = folder.with_suffix(".txt")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not told.exists():
            told.write_text(make(folder), encoding="utf-8")
    return folder, told.read_text(encoding="utf-8")


def _begin(place: Path, modules: tuple[str, ...], seed: str | None) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHASHSEED")}
    if seed is not None:
        environment["PYTHONHASHSEED"] = seed
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as theirs:
        theirs.bind(str(place))
        theirs.listen()
        command = [sys.executable, str(Path(__file__).with_name("starter.py")), str(theirs.fileno()), *modules]
        _BEGUN.append(subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, env=environment))


def _is_read_at_start(name: str) -> bool:
    return name.startswith(("PYTHON", "LC_", "LANG")) and name not in FOLLOWED


def start(
    arguments: list[str], env: Mapping[str, str], stdin: int, stdout: int, stderr: int, cwd: Path | None = None
) -> Started | subprocess.Popen[bytes]:
    """Starts `friendshore` with some streams; where Python itself would read another environment than it has here, anew."""
    return _forked(None, arguments, env, (stdin, stdout, stderr), cwd)


def python(
    command: list[str], env: Mapping[str, str], stdin: int, stdout: int, stderr: int, cwd: Path | None = None
) -> Started | subprocess.Popen[bytes]:
    """The same of `python -c CODE` with arguments, which needs friendshore; called like `subprocess.Popen`."""
    program, flag, code, *arguments = command
    assert (program, flag) == (sys.executable, "-c")
    return _forked(code, arguments, env, (stdin, stdout, stderr), cwd)


def _forked(
    code: str | None, arguments: list[str], env: Mapping[str, str], streams: tuple[int, int, int], cwd: Path | None
) -> Started | subprocess.Popen[bytes]:
    command = [*COMMAND, *arguments] if code is None else [sys.executable, "-c", code, *arguments]
    other = {name for name in {*env, *os.environ} if env.get(name) != os.environ.get(name)}
    if code is not None:
        other.discard("PYTHONHASHSEED")  # a starter of so few modules is worth it for each
    if sys.platform != "linux" or any(map(_is_read_at_start, other)):
        assert CLOSED not in streams
        stdin, stdout, stderr = streams
        return subprocess.Popen(command, cwd=cwd, env=env, stdin=stdin, stdout=stdout, stderr=stderr)
    request = {
        "code": code, "arguments": arguments, "env": dict(env), "cwd": str((cwd or Path.cwd()).absolute()),
        "streams": [stream != CLOSED for stream in streams],
    }  # fmt: skip
    with _LOCK:  # several threads may ask for the first
        starter = _starter(() if code is None else tuple(IMPORTED.findall(code)), env.get("PYTHONHASHSEED"))
    answers, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs, Path(os.devnull).open("r+b") as nothing:
        given = [nothing.fileno() if stream == subprocess.DEVNULL else stream for stream in streams if stream != CLOSED]
        socket.send_fds(starter, [json.dumps(request).encode()], [theirs.fileno(), *given])
    return Started(command, answers)


def here(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Runs `friendshore` in this process: for tests of what it answers, to which nothing that a process has matters."""
    from typer.testing import CliRunner

    from friendshore.cli import app

    done = CliRunner(env={"COLUMNS": "100"}).invoke(app, [*map(str, arguments)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return subprocess.CompletedProcess([*COMMAND, *map(str, arguments)], done.exit_code, done.stdout, done.stderr)


def call(
    arguments: list[str], env: Mapping[str, str], cwd: Path | None = None, **streams: int
) -> subprocess.CompletedProcess[str]:
    """Runs `friendshore` in an environment to its end. Streams are numbers here, `subprocess.DEVNULL` or `CLOSED`; else they are kept."""
    with ExitStack() as stack:
        files: dict[str, Any] = {name: stack.enter_context(tempfile.TemporaryFile()) for name in ("stdout", "stderr")}
        given = {"stdin": subprocess.DEVNULL, **{name: file.fileno() for name, file in files.items()}, **streams}
        code = start(arguments, env, cwd=cwd, **given).wait(PATIENCE)
        for file in files.values():
            file.seek(0)
        told = [file.read().decode("utf-8") for file in files.values()]
    return subprocess.CompletedProcess([*COMMAND, *arguments], code, *told)
