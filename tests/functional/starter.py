"""Starts friendshore's command line, or some lines of Python, over and over, each time in a process of its own, from one that has imported it.

To import friendshore and its solvers takes ten times as long as what most tests ask of it. `program.py` starts this script once and
sends it requests; for each a process is forked off that becomes the program `python -m friendshore`, or `python -c CODE`, with its own
arguments, folder, environment and streams, and ends as it does. What a plugin brings is imported there and nowhere else.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from functools import cache
from typing import Any

STREAMS = ("stdin", "stdout", "stderr")
OUTSIDE = ("openpyxl", "rich.console", "rich.progress", "scipy.sparse.csgraph")


def get_ready() -> None:
    """Imports what any command may import, but no plugin, and makes what each would make at its first time."""
    import typer.main
    from pydantic import BaseModel
    from rich.cells import cell_len

    import friendshore
    from friendshore.cli import app
    from friendshore.domain.countries import country_names, country_words
    from friendshore.plugins.registry import Registry
    from friendshore.recommend.describe import _versions

    for module in pkgutil.walk_packages(friendshore.__path__, "friendshore."):
        if module.name not in ("friendshore.__main__", "friendshore_testing.pytest_plugin"):
            importlib.import_module(module.name)
    for name in OUTSIDE:
        importlib.import_module(name)
    country_names(), country_words(), _versions()
    Registry.discover()
    for model in models(BaseModel):
        model.model_rebuild()
    typer.main.get_command = cache(typer.main.get_command)
    for command in commands(typer.main.get_command(app)):
        command.make_context(command.name, [], resilient_parsing=True)
    cell_len("×")
    gc.collect()
    gc.freeze()


def commands(group: Any) -> Iterator[Any]:
    """All commands of a group and its groups."""
    for command in group.commands.values():
        if hasattr(command, "commands"):
            yield from commands(command)
        else:
            yield command


def models(kind: type[Any]) -> Iterator[type[Any]]:
    """The classes of friendshore that are of a kind."""
    for one in kind.__subclasses__():
        if one.__module__.startswith("friendshore."):
            yield one
        yield from models(one)


def become(request: dict[str, Any], given: list[int], base: list[str]) -> None:
    """Makes this process one that has just been started to do what is requested, with these files as its streams."""
    os.setpgid(0, 0)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, (name, is_open) in enumerate(zip(STREAMS, request["streams"], strict=True)):
        if is_open:
            descriptor = given.pop(0)
            os.dup2(descriptor, number)
            os.close(descriptor)
        else:
            os.close(number)
            setattr(sys, name, None)
    for number, stream in ((1, sys.stdout), (2, sys.stderr)):
        if stream is not None:  # what was made for a file cannot write to a pipe
            new = os.fdopen(number, "w", 1 if number == 2 else -1, stream.encoding, stream.errors, closefd=False)
            setattr(sys, STREAMS[number], new)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    if encoding := request["env"].get("PYTHONIOENCODING"):
        sys.stdout.reconfigure(encoding=encoding, errors="strict")  # type: ignore[union-attr]
        sys.stderr.reconfigure(encoding=encoding)  # type: ignore[union-attr]
    further = [entry for entry in request["env"].get("PYTHONPATH", "").split(os.pathsep) if entry]
    sys.path[:] = [request["cwd"], *further, *base]
    sys.argv[:] = ["friendshore" if request["code"] is None else "-c", *request["arguments"]]
    importlib.invalidate_caches()


def serve(door: socket.socket, modules: list[str]) -> dict[str, Any] | None:
    """Answers requests at a door until nobody is left who may ask: each gets the number of its process and, in the end, its exit code.

    Programs import these modules, or whatever a command may. Returns None in the end; in each process that is to do one, what is requested.
    """
    base = sys.path[1:]
    if modules:
        for module in modules:
            importlib.import_module(module)
        gc.freeze()
    else:
        get_ready()
    woken, wake = os.pipe()
    for end in (woken, wake):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    asking = [door.accept()[0]]
    running: dict[int, socket.socket] = {}
    while asking:
        looked_at: list[socket.socket | int] = [door, woken, *asking]
        ready, _, _ = select.select(looked_at, [], [])
        if woken in ready:
            os.read(woken, 2**10)
            tell_ended(running)
        if door in ready:
            asking.append(door.accept()[0])
        for asked in set(asking).intersection(ready):
            text, given, _, _ = socket.recv_fds(asked, 2**20, 1 + len(STREAMS))
            if not text:
                asking.remove(asked)
                continue
            answers = socket.socket(fileno=given.pop(0))
            pid = os.fork()
            if pid == 0:
                for one in (door, answers, *asking, *running.values()):
                    one.close()
                os.close(woken)
                os.close(wake)
                request: dict[str, Any] = json.loads(text)
                become(request, given, base)
                return request
            for descriptor in given:
                os.close(descriptor)
            answers.send(str(pid).encode())
            running[pid] = answers
    return None


def tell_ended(running: dict[int, socket.socket]) -> None:
    """Says of the processes that have ended how they have."""
    for pid in list(running):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            with running.pop(pid) as answers, contextlib.suppress(BrokenPipeError):  # nobody may wait for it any more
                answers.send(str(os.waitstatus_to_exitcode(status)).encode())


def leave(code: object) -> None:
    """Ends this process as Python does, but for taking apart all that was imported: that takes longer than what most tests ask."""
    if threading.active_count() == 1 and isinstance(code, int | None):
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code or 0)


if __name__ == "__main__":
    requested = serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[2:])
    try:
        if requested is not None and requested["code"] is not None:
            exec(requested["code"], {"__name__": "__main__"})
        elif requested is not None:
            runpy.run_module("friendshore", run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        leave(ended.code)
        raise
