"""Work that is done in another process, because it may hang, end its process, or have to begin anew."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any


@dataclass(frozen=True, slots=True)
class Ended:
    """How another process ended."""

    code: int | None
    """Its exit code; None: it was given up."""
    said: Any = None
    """What it has to say; None: it came to no end of its own."""


def elsewhere(
    function: str, told: object, limit: float | None = None, environment: Mapping[str, str] | None = None
) -> Ended:
    """Calls a function of friendshore in another process, which finds plugins where this one does; what it prints is lost.

    Args:
        function: module and name, like `friendshore.plugins.loading:imported`.
        told: what it is given, as JSON; it returns what can be written as JSON.
        limit: seconds after which it is given up; None: never.
        environment: further variables.
    """
    module, _, name = function.partition(":")
    with TemporaryDirectory() as folder:
        given, said = Path(folder, "told.json"), Path(folder, "said.json")
        given.write_text(json.dumps(told), encoding="utf-8")
        code = f"from {__name__} import child; from {module} import {name}; child({name})"
        path = os.pathsep.join(filter(None, sys.path))
        process = subprocess.Popen(  # noqa: S603 - this Python, with code of ours
            [sys.executable, "-c", code, str(given), str(said)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path, **(environment or {})},
        )
        try:
            ended = process.wait(limit)
        except subprocess.TimeoutExpired:
            return Ended(None)
        finally:
            process.kill()
            process.wait()
        return Ended(ended, json.loads(said.read_text(encoding="utf-8")) if said.is_file() else None)


def child(function: Any) -> None:
    """What the other process does."""
    given, said = map(Path, sys.argv[1:3])
    answer = function(json.loads(given.read_text(encoding="utf-8")))
    said.write_text(json.dumps(answer), encoding="utf-8")
    # Threads that a plugin has left running must not keep this process alive.
    os._exit(0)
