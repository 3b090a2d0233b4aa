"""Starts friendshore's command line over and over, each time in a process of its own, from one that has imported it.

To import friendshore and its solvers takes ten times as long as what most tests ask of it. `program.py` starts this script once and
sends it one request after the other; for each a process is forked off that becomes the program `python -m friendshore` with its own
arguments, folder, environment and streams, and ends as it does. What a plugin brings is imported there and nowhere else.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from functools import cache
from typing import Any

import pydantic
import typer.main

STREAMS = ("stdin", "stdout", "stderr")
OUTSIDE = ("openpyxl", "pandas", "rich.console", "rich.progress", "scipy.optimize", "scipy.sparse.csgraph")


def get_ready() -> None:
    """Imports what any command may import, but no plugin, and makes what each would make at its first time."""
    import friendshore
    from friendshore.cli import app
    from friendshore.domain.countries import country_names, country_words
    from friendshore.plugins.registry import Registry

    for module in pkgutil.walk_packages(friendshore.__path__, "friendshore."):
        if module.name not in ("friendshore.__main__", "friendshore.testing.pytest_plugin"):
            importlib.import_module(module.name)
    for name in OUTSIDE:
        importlib.import_module(name)
    country_names(), country_words()
    Registry.discover()
    for model in models(pydantic.BaseModel):
        model.model_rebuild()
    typer.main.get_command = cache(typer.main.get_command)
    typer.main.get_command(app)
    gc.collect()
    gc.freeze()


def models(kind: type[pydantic.BaseModel]) -> Iterator[type[pydantic.BaseModel]]:
    """The classes of friendshore that are of a kind."""
    for one in kind.__subclasses__():
        if one.__module__.startswith("friendshore."):
            yield one
        yield from models(one)


def become(request: dict[str, Any], given: list[int], base: list[str]) -> None:
    """Makes this process one that has just been started to do what is requested, with these files as its streams."""
    os.setpgid(0, 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, (name, is_open) in enumerate(zip(STREAMS, request["streams"], strict=True)):
        if is_open:
            descriptor = given.pop(0)
            os.dup2(descriptor, number)
            os.close(descriptor)
        else:
            os.close(number)
            setattr(sys, name, None)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    if encoding := request["env"].get("PYTHONIOENCODING"):
        sys.stdout.reconfigure(encoding=encoding, errors="strict")  # type: ignore[union-attr]
        sys.stderr.reconfigure(encoding=encoding)  # type: ignore[union-attr]
    further = [entry for entry in request["env"].get("PYTHONPATH", "").split(os.pathsep) if entry]
    sys.path[:] = [request["cwd"], *further, *base]
    sys.argv[:] = ["friendshore", *request["arguments"]]
    importlib.invalidate_caches()


def serve(asked: socket.socket) -> bool:
    """Answers requests until there are no more, each with the number of its process and, once it has ended, its exit code.

    Returns:
        False in the end; true in each process that is to do one.
    """
    base = sys.path[1:]
    get_ready()
    while True:
        text, given, _, _ = socket.recv_fds(asked, 2**20, len(STREAMS))
        if not text:
            return False
        pid = os.fork()
        if pid == 0:
            asked.close()
            become(json.loads(text), given, base)
            return True
        for descriptor in given:
            os.close(descriptor)
        asked.send(str(pid).encode())
        _, status = os.waitpid(pid, 0)
        asked.send(str(os.waitstatus_to_exitcode(status)).encode())


def leave(code: object) -> None:
    """Ends this process as Python does, but for taking apart all that was imported: that takes longer than what most tests ask."""
    if threading.active_count() == 1 and isinstance(code, int | None):
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code or 0)


if __name__ == "__main__" and serve(socket.socket(fileno=int(sys.argv[1]))):
    try:
        runpy.run_module("friendshore", run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        leave(ended.code)
        raise
