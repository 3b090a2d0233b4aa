"""Work in another process, because it may hang, end its process, or have to start again; and the messages to and from a process that runs plugin code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from importlib.metadata import EntryPoint
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ..errors import Diagnostic, FriendshoreError
from .manifest import GROUP, PluginInfo
from .running import wants_tracebacks

_START = 60.0
"""Seconds that friendshore itself may take to start there."""
_LOOKS = 0.01
"""Seconds between two looks how far it is."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How another process ended."""

    code: int | None
    """Its exit code; None: it was given up."""
    said: Any = None
    """What it has to say; None: it came to no end of its own."""


class OtherProcess:
    """Another process, which is asked one thing after another, and begins with the first: it finds plugins where this one does.

    What it prints is lost; where the environment asks for tracebacks of plugins, its stderr is not.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        """With further variables of the environment."""
        self._environment = dict(environment or {})
        self._asked = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._asks = -1
        """Where it is told what is asked."""
        self._folder: TemporaryDirectory[str] | None = None

    def ask(self, function: str, told: object, limit: float | None = None) -> Ended:
        """Has it call a function of friendshore. If it ends of that or is given up, what is asked next is asked of another.

        Args:
            function: module and name, like `friendshore.plugins.loading:imported`.
            told: what the function is given, as JSON; it returns what can be written as JSON.
            limit: seconds after which it is given up, friendshore's own start left out, which a busy machine makes long; None: never.
        """
        self._folder = self._folder or TemporaryDirectory()
        self._asked += 1
        given, begun, said = (Path(self._folder.name, f"{name}-{self._asked}") for name in ("given", "begun", "said"))
        given.write_text(json.dumps(told), encoding="utf-8")
        try:
            process = self._running(function)
            with suppress(OSError):  # it has ended: that is seen below
                os.write(self._asks, json.dumps([function, *map(str, (given, begun, said))]).encode() + b"\n")
            _wait(process, begun, _START)
            _wait(process, said, limit)
        except subprocess.TimeoutExpired:
            self._stop()
            return Ended(None)
        except BaseException:
            self._stop()
            raise
        answer = said.read_text(encoding="utf-8") if said.is_file() else None
        for file in (given, begun, said):
            file.unlink(missing_ok=True)
        if answer is not None:
            return Ended(0, json.loads(answer))
        code = process.wait()
        self._stop()
        return Ended(code)

    def close(self) -> None:
        """Ends it."""
        self._stop()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _running(self, function: str) -> subprocess.Popen[bytes]:
        if self._process is None:
            module, _, name = function.partition(":")
            code = f"from {__name__} import serve; from {module} import {name}; serve()"
            path = os.pathsep.join(filter(None, sys.path))
            asked, self._asks = os.pipe()
            try:
                self._process = subprocess.Popen(  # noqa: S603 - this Python, with code of ours
                    [sys.executable, "-c", code],
                    stdin=asked,
                    stdout=subprocess.DEVNULL,
                    stderr=None if wants_tracebacks() else subprocess.DEVNULL,
                    env={**os.environ, "PYTHONPATH": path, **self._environment},
                )
            finally:
                os.close(asked)
        return self._process

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        if self._asks >= 0:
            os.close(self._asks)
            self._asks = -1


def elsewhere(
    function: str, told: object, limit: float | None = None, environment: Mapping[str, str] | None = None
) -> Ended:
    """The same of a process that is asked nothing else."""
    with closing(OtherProcess(environment)) as process:
        return process.ask(function, told, limit)


def _wait(process: subprocess.Popen[bytes], file: Path, seconds: float | None) -> None:
    """Waits until the other process has written a file, or has ended.

    Raises:
        subprocess.TimeoutExpired: if it does neither.
    """
    until = None if seconds is None else time.monotonic() + seconds
    while not file.exists() and process.poll() is None:
        if until is not None and time.monotonic() > until:
            raise subprocess.TimeoutExpired(process.args, seconds or 0)
        time.sleep(_LOOKS)


def serve() -> None:
    """What the other process does: what it is asked, until nobody asks any more."""
    with os.fdopen(os.dup(0), encoding="utf-8") as lines, Path(os.devnull).open(encoding="utf-8") as nothing:
        os.dup2(nothing.fileno(), 0)  # what a plugin reads from its standard input is not what is asked
        for line in lines:
            function, *paths = json.loads(line)
            given, begun, said = map(Path, paths)
            module, _, name = function.partition(":")
            do = getattr(import_module(module), name)
            begun.touch()
            part = said.with_suffix(".part")
            part.write_text(json.dumps(do(json.loads(given.read_text(encoding="utf-8")))), encoding="utf-8")
            part.replace(said)
    # Threads that a plugin has left running must not keep this process alive.
    os._exit(0)


def as_told(info: PluginInfo, entry: EntryPoint) -> dict[str, Any]:
    """A plugin as the other process is told of it."""
    return {"info": info.model_dump(mode="json"), "name": entry.name, "value": entry.value}


def plugin_told(data: Mapping[str, Any]) -> tuple[PluginInfo, EntryPoint]:
    """The plugin that it was told of."""
    return PluginInfo.model_validate(data["info"]), EntryPoint(data["name"], data["value"], GROUP)


def as_said(error: FriendshoreError) -> dict[str, Any]:
    """What the other process says where a plugin failed."""
    return {"problem": asdict(error.problems[0])}


def problem_of(info: PluginInfo, ended: Ended, done: str, limit: float | None) -> Diagnostic | None:
    """What is wrong with a plugin, by how the process ended in which it was `done`."""
    if ended.said is not None:
        return Diagnostic(**ended.said["problem"]) if "problem" in ended.said else None
    message = f"{info.label} ended the process in which it was {done}, with exit code {ended.code}"
    expected = "an answer, and that the process goes on"
    if ended.code is None:
        message, expected = (
            f"{info.label} was not {done} within {limit:g} s, and was given up",
            f"an end within {limit:g} s",
        )
    fix = f"upgrade or uninstall {info.distribution}, or block it; its author: let the package do nothing when it is imported, and hooks come to their end"
    return Diagnostic(message, info.file, expected=expected, fix=fix)


def mistakes_in(said: Mapping[str, Any], by: str) -> Iterator[Diagnostic]:
    """What the other process says is wrong with the data that a plugin was given; what has no place is told to be `by` it."""
    for one in said["mistakes"]:
        problem = Diagnostic(**one)
        yield problem if problem.file or problem.column else replace(problem, file=by)
