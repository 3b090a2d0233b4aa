"""Conditions for every command, and on commands with the same input."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from friendshore.cli.options import EXIT_CODES, FAILED

from .running import HANG, MEMORY, Done

CODES = frozenset(code for code, _, _ in EXIT_CODES) - {FAILED}
"""Documented exit codes, without that of a failure of friendshore itself."""
BROKEN = "Traceback (most recent call last)"
_CONTROL = frozenset(map(chr, (*range(0x20), 0x7F, *range(0x80, 0xA0)))) - {"\n", "\t"}
"""Control characters of terminals."""


def faults(done: Done) -> Iterator[str]:
    """Yield the faults of one command."""
    if done.code is None:
        yield f"hang: not done after {HANG:g} s"
        return
    yield from _code_faults(done, done.code)
    if done.memory > MEMORY:
        yield f"memory: {done.memory / 2**20:,.0f} MiB"
    for path in done.outside:
        yield f"wrote outside its folder: {path}"
    texts = {}
    for name, data in (("stdout", done.out), ("stderr", done.err)):
        try:
            texts[name] = data.decode("utf-8")
        except UnicodeDecodeError as error:
            yield f"{name} is not UTF-8: {error.reason} at {error.start}"
            continue
        if BROKEN in texts[name]:
            yield f"traceback: {texts[name].strip().splitlines()[-1][:200]}"
        controls = sorted(_CONTROL.intersection(texts[name]))
        if controls:
            yield f"{name} holds control characters: {controls[:5]}"
    if "--json" in done.command and len(texts) == 2:
        yield from _json_faults(done, texts["stdout"], texts["stderr"])


def _code_faults(done: Done, code: int) -> Iterator[str]:
    if code < 0:
        yield f"ended by signal {-code}"
    elif code == 1:
        yield "exit code 1: friendshore itself failed"
    elif code not in CODES:
        yield f"exit code {code} is none of the documented ones"
    if code and not (done.out.strip() or done.err.strip()):
        yield f"exit code {code} without a word"


def _json_faults(done: Done, out: str, err: str) -> Iterator[str]:
    if done.code == 2 and not out and err.startswith("Usage: "):
        return  # a mistyped command line is told on stderr alone
    try:
        data = json.loads(out, parse_constant=_no_number, object_pairs_hook=_once)
    except ValueError as error:
        yield f"--json is not valid JSON: {error}"
        return
    if not isinstance(data, dict):
        yield f"--json is no object: {type(data).__name__}"


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if len(names) != len(set(names)):
        raise ValueError("a key stands twice")
    return dict(pairs)


def disagreements(done: Sequence[Done]) -> Iterator[str]:
    """Yield contradictions between commands, such as a case that `check` accepts and `plan` rejects."""
    codes = {result.command[0]: result.code for result in done}
    planned = next((result for result in done if result.command[0] == "plan"), None)
    if codes.get("check") == 0 and codes.get("plan") == 2 and planned and "--scenario" not in planned.command:
        yield f"`check` finds no mistake, and `plan` ends in {codes['plan']}"
    if codes.get("plan") == 4:
        yield "`plan` makes a plan that does not hold"
    if planned is not None and "--out" in planned.command and planned.code == 0:
        for name in ("verify", "report"):
            if codes.get(name) not in (0, None):
                yield f"`plan` writes a run on which `{name}` ends in {codes[name]}"


def state(folder: Path, excluded: Sequence[Path] = ()) -> Mapping[str, str]:
    """Return path -> hash of everything below a folder, without some paths."""
    hash_by_path = {}
    for head, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if Path(head, name) not in excluded]
        for name in (*folders, *files):
            path = Path(head, name)
            if path not in excluded:
                hash_by_path[str(path.relative_to(folder))] = _kind(path)
    return hash_by_path


def _kind(path: Path) -> str:
    kind = path.lstat().st_mode
    if stat.S_ISLNK(kind):
        return f"link to {path.readlink()}"
    if stat.S_ISREG(kind):
        return hashlib.sha256(path.read_bytes()).hexdigest()
    return "folder" if stat.S_ISDIR(kind) else "other"
