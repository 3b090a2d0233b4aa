"""Importing a plugin in a process of its own, with a time limit: what hangs or crashes there does no harm here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from tempfile import TemporaryDirectory

from ..errors import PluginError, Problem
from .hosting import manager_of
from .manifest import GROUP, PluginInfo

LIMIT = 10.0
"""Seconds that a plugin may take to be imported."""
_AT_ONCE = 4
_CODE = "from friendshore.plugins.loading import child; child()"


@dataclass(frozen=True, slots=True)
class Loaded:
    """How importing a plugin went."""

    info: PluginInfo
    seconds: float | None = None
    """What it took, friendshore's own start left out; None: it was not imported to the end."""
    problem: Problem | None = None
    """What went wrong."""


def load(info: PluginInfo, entry: EntryPoint, limit: float = LIMIT) -> Loaded:
    """Imports a plugin in another process, and looks at the hooks it implements without calling them.

    Args:
        info: the plugin.
        entry: where its code is.
        limit: seconds after which it is given up.
    """
    with TemporaryDirectory() as folder:
        said = Path(folder, "said.json")
        told = json.dumps(
            {"info": info.model_dump(mode="json"), "name": entry.name, "value": entry.value, "said": str(said)}
        )
        # The other process finds the plugin where this one does.
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        child = subprocess.Popen(  # noqa: S603 - this Python, with code of ours
            [sys.executable, "-c", _CODE, told],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
        )  # fmt: skip
        try:
            code = child.wait(limit)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
            message = f"{info.label} was not imported within {limit:g} s, and was given up"
            return Loaded(
                info, problem=Problem(message, info.file, fix="let its package do nothing when it is imported")
            )
        if not said.is_file():
            message = f"{info.label} ended the process that imported it, with exit code {code}"
            return Loaded(
                info, problem=Problem(message, info.file, fix="let its package do nothing when it is imported")
            )
        answer = json.loads(said.read_text(encoding="utf-8"))
    problem = Problem(**answer["problem"]) if "problem" in answer else None
    return Loaded(info, answer.get("seconds"), problem)


def load_all(plugins: Sequence[tuple[PluginInfo, EntryPoint]], limit: float = LIMIT) -> list[Loaded]:
    """The same of several, a few at once, in their order."""
    with ThreadPoolExecutor(min(_AT_ONCE, os.cpu_count() or 1)) as workers:
        return list(workers.map(lambda plugin: load(plugin[0], plugin[1], limit), plugins))


def child() -> None:
    """What the other process does: imports, and writes down how it went."""
    told = json.loads(sys.argv[1])
    info, entry = PluginInfo.model_validate(told["info"]), EntryPoint(told["name"], told["value"], GROUP)
    began = time.perf_counter()
    try:
        manager_of(info, entry)
    except PluginError as error:
        (problem,) = error.problems
        fields = {name: getattr(problem, name) for name in ("message", "file", "row", "found", "expected", "fix")}
        answer: dict[str, object] = {"problem": fields}
    else:
        answer = {"seconds": time.perf_counter() - began}
    Path(told["said"]).write_text(json.dumps(answer), encoding="utf-8")
    # Threads that the plugin has left running must not keep this process alive.
    os._exit(0)
