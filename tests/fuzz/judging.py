"""Conditions for every command, and on commands with the same input."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from friendshore.cli.options import EXIT_CODES, FAILED, STOPPED

from .running import MEMORY, Done, hang

CODES = frozenset(code for code, _, _ in EXIT_CODES) - {FAILED, STOPPED}
"""Documented exit codes, without those of a failure of friendshore itself and of Ctrl-C."""
ENDING = {"os.abort()": -signal.SIGABRT, "raise KeyboardInterrupt": STOPPED}
"""Code of a plugin that ends the process -> exit code. Nothing can catch an abort, and an interrupt by a plugin looks like Ctrl-C."""
WRITING = "__dict__['parent'] = "
"""Code of a plugin that changes a fact in memory. `plan` doesn't watch plugins (docs/decisions/trust.md), so `verify` must find the change."""
BROKEN = "Traceback (most recent call last)"
_CONTROL = frozenset(map(chr, (*range(0x20), 0x7F, *range(0x80, 0xA0)))) - {"\n", "\t"}
"""Control characters of terminals."""


def faults(done: Done, plugin: str = "", written: Sequence[Path] = ()) -> Iterator[str]:
    """Yield the faults of one command, with the code of the input's plugin and the paths that the command may write."""
    if done.code is None:
        yield f"hang: not done after {hang(done.command):g} s"
        return
    is_ended = any(code in plugin and done.code == exit_code for code, exit_code in ENDING.items())
    if is_ended:
        yield from (f"ended by its plugin, and wrote {path.name}" for path in written if path.exists())
    else:
        yield from _code_faults(done.code)
    if done.code and not (done.out.strip() or done.err.strip()):
        yield f"exit code {done.code} without a word"
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
    if is_ended and done.out:
        yield "ended by its plugin after part of an answer"
    elif not is_ended and "--json" in done.command and len(texts) == 2:
        yield from _json_faults(done, texts["stdout"], texts["stderr"])


def _code_faults(code: int) -> Iterator[str]:
    if code < 0:
        yield f"ended by signal {-code}"
    elif code == 1:
        yield "exit code 1: friendshore itself failed"
    elif code not in CODES:
        yield f"exit code {code} is none of the expected ones"


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


def disagreements(done: Sequence[Done], plugin: str = "") -> Iterator[str]:
    """Yield contradictions between commands, such as a case that `check` accepts and `plan` rejects."""
    codes = {result.command[0]: result.code for result in done}
    planned = next((result for result in done if result.command[0] == "plan"), None)
    if codes.get("check") == 0 and codes.get("plan") == 2 and planned and "--scenario" not in planned.command:
        yield f"`check` finds no mistake, and `plan` ends in {codes['plan']}"
    if codes.get("plan") == 4:
        yield "`plan` makes a plan that does not hold"
    if planned is not None and "--out" in planned.command and planned.code == 0:
        for result in done:
            if result.command[0] in ("verify", "report") and result.code and not _is_change_found(result, plugin):
                yield f"`plan` writes a run on which `{result.command[0]}` ends in {result.code}"


def _is_change_found(done: Done, plugin: str) -> bool:
    """Return True if `verify` names the fact that the plugin changed in memory."""
    return WRITING in plugin and done.command[0] == "verify" and done.code == 4 and b"FS618" in done.out


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
