"""friendshore's command line as a program of its own, its output in files; quick, since the process that it is forked from has imported it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

PATIENCE = 200.0
"""Seconds after which a command is taken to hang."""
COMMAND = (sys.executable, "-m", "friendshore")


@cache
def _starter() -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, str(Path(__file__).with_name("starter.py"))]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)


def _is_read_at_start(name: str) -> bool:
    return name.startswith(("PYTHON", "LC_", "LANG")) and name not in ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")


def call(arguments: list[str], env: Mapping[str, str], cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Runs `friendshore` in an environment; where Python itself would read another one than it has here, from the start.

    Raises:
        subprocess.TimeoutExpired: if it hangs; nothing of it is left running.
    """
    command = [*COMMAND, *arguments]
    other = {name for name in {*env, *os.environ} if env.get(name) != os.environ.get(name)}
    if not hasattr(os, "pidfd_open") or any(map(_is_read_at_start, other)):
        return subprocess.run(
            command, cwd=cwd, env=env, capture_output=True, encoding="utf-8", check=False, timeout=PATIENCE
        )
    starter = _starter()
    assert starter.stdin is not None
    assert starter.stdout is not None
    with tempfile.TemporaryDirectory() as scratch:
        out, err = Path(scratch) / "stdout", Path(scratch) / "stderr"
        for path in (out, err):
            path.touch()
        request = {
            "arguments": arguments, "env": dict(env), "cwd": str((cwd or Path.cwd()).absolute()), "seconds": PATIENCE,
            "stdin": os.devnull, "stdout": str(out), "stderr": str(err),
        }  # fmt: skip
        print(json.dumps(request), file=starter.stdin, flush=True)
        code = json.loads(starter.stdout.readline())
        told = [path.read_text(encoding="utf-8") for path in (out, err)]
    if code is None:
        raise subprocess.TimeoutExpired(command, PATIENCE, *told)
    return subprocess.CompletedProcess(command, code, *told)
