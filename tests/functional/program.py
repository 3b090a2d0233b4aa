"""friendshore's command line as a separate program. It is fast, because it is forked from a process that has imported it."""

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
"""Seconds until a command counts as hanging."""
COMMAND = (sys.executable, "-m", "friendshore")
CLOSED = -9
"""Stream that is closed in the program."""
FOLLOWED = ("PYTHONPATH", "PYTHONIOENCODING", "PYTHONDONTWRITEBYTECODE")
"""Variables that Python reads at its start, and that `starter.py` follows too."""
SHARED = "FRIENDSHORE_TEST_STARTERS"
"""Variable with the folder of sockets, which all workers share."""
_LOCK = threading.Lock()
_BEGUN: list[subprocess.Popen[bytes]] = []
"""Starters begun here. Each ends when no process has its socket open."""
_USED: list[socket.socket] = []
"""Sockets of starters that this process uses."""
IMPORTED = re.compile(r"\bfrom (\S+) import\b")


class Started:
    """A running program, with the methods of `subprocess.Popen` that tests and `friendshore.plugins.isolated` use."""

    def __init__(self, args: list[str], answers: socket.socket) -> None:
        self.args = args
        self.returncode: int | None = None
        self._answers = answers
        self.pid: int = self._receive()

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""
        if self.returncode is None and select.select([self._answers], [], [], 0)[0]:
            return self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = PATIENCE) -> int:
        """Return the exit code when it has ended. After the timeout, kill everything it started."""
        if self.returncode is None:
            in_time = bool(select.select([self._answers], [], [], timeout)[0])
            if not in_time:
                os.killpg(self.pid, signal.SIGKILL)
            self.returncode = self._receive()
            self._answers.close()
            if not in_time:
                raise subprocess.TimeoutExpired(self.args, timeout)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _receive(self) -> int:
        return int(self._answers.recv(100))


@cache
def _starter(modules: tuple[str, ...], seed: str | None) -> socket.socket:
    """Return the socket of the starter for programs with these modules and hash seed, shared by all workers."""
    place = _place(modules, seed)
    ours = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    _USED.append(ours)
    with place.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            ours.connect(str(place))
        except OSError:  # there is none yet, or the last one has ended
            place.unlink(missing_ok=True)
            _begin(place, modules, seed)
            ours.connect(str(place))
    return ours


def leave_starters() -> None:
    """Close the sockets of starters. They end when all workers have done so."""
    _starter.cache_clear()
    while _USED:
        _USED.pop().close()


def await_starters() -> None:
    """Wait for the end of the starters begun here."""
    leave_starters()
    for starter in _BEGUN:
        starter.wait()  # as long as the longest test of another worker


def way_to_starter() -> Path:
    """Start the starter of commands if necessary, and return its socket."""
    _starter((), None)
    return _place((), None)


def _place(modules: tuple[str, ...], seed: str | None) -> Path:
    return shared_folder() / hashlib.sha256(repr((modules, seed)).encode()).hexdigest()[:16]


def shared_folder() -> Path:
    """Return a folder that all workers of a run share. The first process creates it, and its children find it in their environment."""
    if SHARED not in os.environ:
        os.environ[SHARED] = tempfile.mkdtemp(prefix="friendshore-")
        atexit.register(shutil.rmtree, os.environ[SHARED], ignore_errors=True)
    return Path(os.environ[SHARED])


def create_once(name: str, make: Callable[[Path], str]) -> tuple[Path, str]:
    """Create a folder once for all workers, and return it with the output of `make`. Runs with the same `FRIENDSHORE_MADE` share it too."""
    folder = Path(os.environ.get("FRIENDSHORE_MADE") or shared_folder()) / name
    log_file = folder.with_suffix(".txt")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not log_file.exists():
            log_file.write_text(make(folder), encoding="utf-8")
    return folder, log_file.read_text(encoding="utf-8")


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
    """Start `friendshore` with some streams. If the environment affects Python's start, use a new interpreter."""
    return _forked(None, arguments, env, (stdin, stdout, stderr), cwd)


def python(
    command: list[str], env: Mapping[str, str], stdin: int, stdout: int, stderr: int, cwd: Path | None = None
) -> Started | subprocess.Popen[bytes]:
    """Start `python -c CODE` with arguments, called like `subprocess.Popen`. CODE needs friendshore."""
    program, flag, code, *arguments = command
    assert (program, flag) == (sys.executable, "-c")
    return _forked(code, arguments, env, (stdin, stdout, stderr), cwd)


def _forked(
    code: str | None, arguments: list[str], env: Mapping[str, str], streams: tuple[int, int, int], cwd: Path | None
) -> Started | subprocess.Popen[bytes]:
    command = [*COMMAND, *arguments] if code is None else [sys.executable, "-c", code, *arguments]
    other = {name for name in {*env, *os.environ} if env.get(name) != os.environ.get(name)}
    if code is not None:
        other.discard("PYTHONHASHSEED")  # a starter with few modules is cheap
    if sys.platform != "linux" or any(map(_is_read_at_start, other)):
        assert CLOSED not in streams
        stdin, stdout, stderr = streams
        return subprocess.Popen(command, cwd=cwd, env=env, stdin=stdin, stdout=stdout, stderr=stderr)
    request = {
        "code": code, "arguments": arguments, "env": dict(env), "cwd": str((cwd or Path.cwd()).absolute()),
        "streams": [stream != CLOSED for stream in streams],
    }  # fmt: skip
    with _LOCK:  # several threads may need the first one
        starter = _starter(() if code is None else tuple(IMPORTED.findall(code)), env.get("PYTHONHASHSEED"))
    answers, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs, Path(os.devnull).open("r+b") as nothing:
        descriptors = [
            nothing.fileno() if stream == subprocess.DEVNULL else stream for stream in streams if stream != CLOSED
        ]
        socket.send_fds(starter, [json.dumps(request).encode()], [theirs.fileno(), *descriptors])
    return Started(command, answers)


def here(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run `friendshore` in this process."""
    from typer.testing import CliRunner

    from friendshore.cli import app

    done = CliRunner(env={"COLUMNS": "100"}).invoke(app, [*map(str, arguments)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return subprocess.CompletedProcess([*COMMAND, *map(str, arguments)], done.exit_code, done.stdout, done.stderr)


def call(
    arguments: list[str], env: Mapping[str, str], cwd: Path | None = None, **streams: int
) -> subprocess.CompletedProcess[str]:
    """Run `friendshore` in an environment to its end. Streams are numbers, `subprocess.DEVNULL`, or `CLOSED`, and captured by default."""
    with ExitStack() as stack:
        files: dict[str, Any] = {name: stack.enter_context(tempfile.TemporaryFile()) for name in ("stdout", "stderr")}
        streams_by_name = {
            "stdin": subprocess.DEVNULL,
            **{name: file.fileno() for name, file in files.items()},
            **streams,
        }
        code = start(arguments, env, cwd=cwd, **streams_by_name).wait(PATIENCE)
        for file in files.values():
            file.seek(0)
        texts = [file.read().decode("utf-8") for file in files.values()]
    return subprocess.CompletedProcess([*COMMAND, *arguments], code, *texts)
