"""Inputs in several processes: create them, run their commands, and collect faults."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path

from . import inputs, judging, running

_CONTEXT = multiprocessing.get_context("fork")


@dataclass(frozen=True, slots=True)
class Tried:
    """An input with its results."""

    number: int
    kind: str
    done: tuple[running.Done, ...]
    faults: tuple[str, ...]


def attempt(number: int, seed: int, base: Path, keep: Path, *, always: bool = False, kind: str = "") -> Tried:
    """Create an input, and run its commands if it has the kind. An input with faults is kept."""
    with tempfile.TemporaryDirectory(prefix="friendshore-input-") as folder:
        scratch = Path(folder).resolve()
        (scratch / "in").mkdir()
        target = inputs.make(number, seed, base, scratch / "in")
        if kind and target.kind != kind:
            return Tried(number, target.kind, (), ())
        original = scratch / "original"
        shutil.copytree(target.folder, original, symlinks=True, ignore=_pipes)
        done, faults = _run(target, scratch)
        if faults or always:
            place = keep / str(number)
            shutil.rmtree(place, ignore_errors=True)
            shutil.copytree(original, place, symlinks=True)
        return Tried(number, target.kind, tuple(done), tuple(faults))


def _pipes(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if Path(folder, name).is_fifo()]


def _run(target: inputs.Input, scratch: Path) -> tuple[list[running.Done], list[str]]:
    own_paths = [target.folder / name for name in target.written]
    before = judging.state(target.folder, own_paths)
    codes = sorted(target.site.glob("*/__init__.py")) if target.site else []
    plugin = "".join(path.read_text(encoding="utf-8", errors="replace") for path in codes)
    done: list[running.Done] = []
    faults: list[str] = []
    for command in target.commands:
        if command[0] in ("verify", "report") and "out" in command and (not done or done[-1].code):
            continue  # no run was written
        result = running.run(command, target.folder, scratch, target.site)
        if result.code is None:  # a machine that is busy for a moment makes no hang
            result = running.run(command, target.folder, scratch, target.site, 10 * running.hang(command))
            result = replace(result, code=None) if result.computed > running.hang(command) else result
        done.append(result)
        faults += [f"`{' '.join(command)[:200]}`: {fault}" for fault in judging.faults(result, plugin, own_paths)]
        if result.code is None:
            break  # the next would most likely hang too
    faults += judging.disagreements(done, plugin)
    after = judging.state(target.folder, own_paths)
    faults += [f"changed {path}" for path in sorted({*before, *after}) if before.get(path) != after.get(path)]
    return done, faults


def try_inputs(
    numbers: Sequence[int], seed: int, base: Path, keep: Path, workers: int, kind: str = ""
) -> Iterator[Tried]:
    """Try inputs in several processes. Yield each when it is done."""
    following = _CONTEXT.Value("l", 0)
    processes, open_ends = [], []
    for _ in range(workers):
        here, there = _CONTEXT.Pipe(duplex=False)
        process = _CONTEXT.Process(target=_work, args=(numbers, following, seed, base, keep, kind, there))
        process.start()
        there.close()
        processes.append(process)
        open_ends.append(here)
    try:
        while open_ends:
            for end in wait(open_ends):
                assert isinstance(end, Connection)
                try:
                    yield end.recv()
                except EOFError:
                    open_ends.remove(end)
        for process in processes:
            process.join()
    finally:
        for process in processes:
            process.terminate()
    broken = [process.exitcode for process in processes if process.exitcode]
    if broken:
        raise RuntimeError(f"a process that tries inputs ended with {broken}: what it had at hand is not judged")


def _work(
    numbers: Sequence[int], following: object, seed: int, base: Path, keep: Path, kind: str, end: Connection
) -> None:
    """Import friendshore, then try inputs until none are left."""
    running.load()
    while True:
        with following.get_lock():  # type: ignore[attr-defined]
            place = following.value  # type: ignore[attr-defined]
            following.value = place + 1  # type: ignore[attr-defined]
        if place >= len(numbers):
            break
        end.send(attempt(numbers[place], seed, base, keep, kind=kind))
    end.close()
    sys.stdout.flush()
    os._exit(0)
