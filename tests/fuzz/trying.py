"""Inputs made, commands run on them, and what is wrong with how that went; in several processes that live long."""

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
    """One input, and what came of it."""

    number: int
    kind: str
    done: tuple[running.Done, ...]
    faults: tuple[str, ...]


def attempt(number: int, seed: int, base: Path, keep: Path, *, always: bool = False, kind: str = "") -> Tried:
    """Makes one input and, if it is of the kind, runs its commands. One on which something is wrong is kept in a folder of its number."""
    with tempfile.TemporaryDirectory(prefix="friendshore-input-") as folder:
        scratch = Path(folder).resolve()
        (scratch / "in").mkdir()
        made = inputs.make(number, seed, base, scratch / "in")
        if kind and made.kind != kind:
            return Tried(number, made.kind, (), ())
        original = scratch / "original"
        shutil.copytree(made.folder, original, symlinks=True, ignore=_pipes)
        done, faults = _run(made, scratch)
        if faults or always:
            place = keep / str(number)
            shutil.rmtree(place, ignore_errors=True)
            shutil.copytree(original, place, symlinks=True)
        return Tried(number, made.kind, tuple(done), tuple(faults))


def _pipes(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if Path(folder, name).is_fifo()]


def _run(made: inputs.Input, scratch: Path) -> tuple[list[running.Done], list[str]]:
    own = [made.folder / name for name in made.written]
    before = judging.state(made.folder, own)
    done: list[running.Done] = []
    faults: list[str] = []
    for command in made.commands:
        if command[0] in ("verify", "report") and "out" in command and (not done or done[-1].code):
            continue  # no run was written
        one = running.run(command, made.folder, scratch, made.site)
        if one.code is None:  # a machine that is busy for a moment makes no hang
            one = running.run(command, made.folder, scratch, made.site, 3 * running.HANG)
            one = replace(one, code=None) if one.computed > running.HANG else one
        done.append(one)
        faults += [f"`{' '.join(command)[:200]}`: {fault}" for fault in judging.faults(one)]
        if one.code is None:
            break  # the next would most likely hang too
    faults += judging.disagreements(done)
    after = judging.state(made.folder, own)
    faults += [f"changed {path}" for path in sorted({*before, *after}) if before.get(path) != after.get(path)]
    return done, faults


def tried(numbers: Sequence[int], seed: int, base: Path, keep: Path, workers: int, kind: str = "") -> Iterator[Tried]:
    """Tries inputs in several processes, and yields each as it is done."""
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
    """In each process: loads friendshore once, then tries one input after the other."""
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
