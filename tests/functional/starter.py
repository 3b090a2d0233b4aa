"""Starts friendshore's command line over and over, each time in a process of its own, from one that has imported it.

To import friendshore and its solvers takes ten times as long as what most tests ask of it. `program.py` starts this script once and
writes it a request a line; each is forked off, becomes the program `python -m friendshore` with its own arguments, folder, environment
and files to write to, and ends as it does. What a plugin brings is imported there and nowhere else.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import sys
from typing import Any

OUTSIDE = ("openpyxl", "pandas", "rich.progress", "scipy.optimize", "scipy.sparse.csgraph")


def get_ready() -> None:
    """Imports what any command may import, but no plugin."""
    import friendshore

    for module in pkgutil.walk_packages(friendshore.__path__, "friendshore."):
        if module.name not in ("friendshore.__main__", "friendshore.testing.pytest_plugin"):
            importlib.import_module(module.name)
    for name in OUTSIDE:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()


def become(request: dict[str, Any], base: list[str]) -> None:
    """Makes this process one that has just been started to do what is requested."""
    os.setpgid(0, 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name, descriptor in (("stdin", 0), ("stdout", 1), ("stderr", 2)):
        mode = os.O_RDONLY if name == "stdin" else os.O_WRONLY
        opened = os.open(request[name], mode)
        os.dup2(opened, descriptor)
        os.close(opened)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    further = [entry for entry in request["env"].get("PYTHONPATH", "").split(os.pathsep) if entry]
    sys.path[:] = [request["cwd"], *further, *base]
    sys.argv[:] = ["friendshore", *request["arguments"]]
    importlib.invalidate_caches()


def ended(pid: int, seconds: float) -> int | None:
    """The exit code of a process, as `subprocess` gives it; None: it took too long, and is ended with all that it started."""
    handle = os.pidfd_open(pid)
    in_time, _, _ = select.select([handle], [], [], seconds)
    os.close(handle)
    if not in_time:
        os.killpg(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status) if in_time else None


def serve() -> bool:
    """Answers requests until there are no more; true in each process that is to do one."""
    base = sys.path[1:]
    get_ready()
    for line in sys.stdin:
        request = json.loads(line)
        pid = os.fork()
        if pid == 0:
            become(request, base)
            return True
        print(json.dumps(ended(pid, request["seconds"])), flush=True)  # noqa: T201 - This is the answer.
    return False


if __name__ == "__main__" and serve():
    runpy.run_module("friendshore", run_name="__main__", alter_sys=True)
