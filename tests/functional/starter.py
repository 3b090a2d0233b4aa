"""Starter of friendshore's command line or of Python code, each in a process forked from one that has imported friendshore.

Importing friendshore and its solvers takes ten times as long as most tests. `program.py` starts this script once, and sends it requests. The fork for
each becomes `python -m friendshore` or `python -c CODE` with its own arguments, folder, environment, and streams. Only it imports plugins.
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
from os import _exit  # the command line replaces it
from pathlib import Path
from typing import Any

STREAMS = ("stdin", "stdout", "stderr")
OUTSIDE = ("openpyxl", "rich.console", "rich.progress", "scipy.sparse.csgraph")


def get_ready() -> None:
    """Import everything that a command may import, except plugins, and fill the caches of first calls."""
    import typer.main
    from pydantic import BaseModel
    from rich.cells import cell_len

    import friendshore
    from friendshore.cli import app
    from friendshore.domain.countries import country_names, country_words
    from friendshore.plugins import manifest, registry
    from friendshore.recommend.describe import _versions

    for module in pkgutil.walk_packages(friendshore.__path__, "friendshore."):
        if module.name not in ("friendshore.__main__", "friendshore_testing.pytest_plugin"):
            importlib.import_module(module.name)
    for name in OUTSIDE:
        importlib.import_module(name)
    country_names(), country_words(), _versions()
    installed = manifest.discover()
    vars(registry)["discover"] = lambda: manifest.discover() if may_add_plugins() else installed
    for model in models(BaseModel):
        model.model_rebuild()
    typer.main.get_command = cache(typer.main.get_command)
    for command in commands(typer.main.get_command(app)):
        command.make_context(command.name, [], resilient_parsing=True)
    cell_len("×")
    gc.collect()
    gc.freeze()


def may_add_plugins() -> bool:
    """Return True if this process finds packages that the starter didn't: by its environment, or in its working directory."""
    return bool(os.environ.get("PYTHONPATH")) or any(
        path.name.startswith("friendshore_") or path.name.endswith("-info") for path in Path.cwd().iterdir()
    )


def commands(group: Any) -> Iterator[Any]:
    for command in group.commands.values():
        if hasattr(command, "commands"):
            yield from commands(command)
        else:
            yield command


def models(kind: type[Any]) -> Iterator[type[Any]]:
    for subclass in kind.__subclasses__():
        if subclass.__module__.startswith("friendshore."):
            yield subclass
        yield from models(subclass)


def become(request: dict[str, Any], descriptors: list[int], base: list[str]) -> None:
    """Turn this process into a newly started one that performs a request, with these descriptors as its streams."""
    os.setpgid(0, 0)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, (name, is_open) in enumerate(zip(STREAMS, request["streams"], strict=True)):
        if is_open:
            descriptor = descriptors.pop(0)
            os.dup2(descriptor, number)
            os.close(descriptor)
        else:
            os.close(number)
            setattr(sys, name, None)
    for number, stream in ((1, sys.stdout), (2, sys.stderr)):
        if stream is not None:  # a stream for a file can't write to a pipe
            new = os.fdopen(number, "w", 1 if number == 2 else -1, stream.encoding, stream.errors, closefd=False)
            setattr(sys, STREAMS[number], new)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    if encoding := request["env"].get("PYTHONIOENCODING"):
        sys.stdout.reconfigure(encoding=encoding, errors="strict")  # type: ignore[union-attr]
        sys.stderr.reconfigure(encoding=encoding)  # type: ignore[union-attr]
    extra_paths = [entry for entry in request["env"].get("PYTHONPATH", "").split(os.pathsep) if entry]
    sys.path[:] = [request["cwd"], *extra_paths, *base]
    sys.argv[:] = ["friendshore" if request["code"] is None else "-c", *request["arguments"]]
    importlib.invalidate_caches()


def serve(listener: socket.socket, modules: list[str]) -> dict[str, Any] | None:
    """Answer requests until no client is left: each gets a process id, and later its exit code.

    This process imports `modules`, or everything that a command may. Returns None at the end, and in each child process its request.
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
    clients = [listener.accept()[0]]
    running: dict[int, socket.socket] = {}
    while clients:
        watched: list[socket.socket | int] = [listener, woken, *clients]
        ready, _, _ = select.select(watched, [], [])
        if woken in ready:
            os.read(woken, 2**10)
            report_ended(running)
        if listener in ready:
            clients.append(listener.accept()[0])
        for client in set(clients).intersection(ready):
            text, descriptors, _, _ = socket.recv_fds(client, 2**20, 1 + len(STREAMS))
            if not text:
                clients.remove(client)
                continue
            answers = socket.socket(fileno=descriptors.pop(0))
            pid = os.fork()
            if pid == 0:
                for inherited in (listener, answers, *clients, *running.values()):
                    inherited.close()
                os.close(woken)
                os.close(wake)
                request: dict[str, Any] = json.loads(text)
                become(request, descriptors, base)
                return request
            for descriptor in descriptors:
                os.close(descriptor)
            answers.send(str(pid).encode())
            running[pid] = answers
    return None


def report_ended(running: dict[int, socket.socket]) -> None:
    """Send the exit codes of ended processes."""
    for pid in list(running):
        ended_pid, status = os.waitpid(pid, os.WNOHANG)
        if ended_pid:
            with running.pop(pid) as answers, contextlib.suppress(BrokenPipeError):  # no one may be waiting any more
                answers.send(str(os.waitstatus_to_exitcode(status)).encode())


def leave(code: object) -> None:
    """Exit as Python does, but without freeing all modules, which takes longer than most tests."""
    if threading.active_count() == 1 and isinstance(code, int | None):
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        _exit(code or 0)


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
