"""The journal of a sweep: each plan as it comes, written so that it outlives the process, and believed again only as it was written.

A line is the SHA-256 of the rest of it, then a JSON object: the key of a scenario, and its plan. The key is the hash of all that the plan turns
on (`keys`), so that a plan is found again wherever the same is asked, and nowhere else. A line that was cut off, changed, or is no plan is passed
over, and its scenario planned again. A hash proves nothing against whoever writes it anew: each plan is verified again before it is believed (`worker`).
"""

from __future__ import annotations

import json
import os
import weakref
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from tempfile import SpooledTemporaryFile

from pydantic import ValidationError

from friendshore.domain.used import RunPlugin
from friendshore.errors import InputError
from friendshore.plugins.processes import versions
from friendshore.problem.changes import scenario_changes
from friendshore.problem.inputs import Applied, Inputs
from friendshore.writing import replace_file

from .records import KeptScenario

JOURNAL = "journal.jsonl"
MOST_HELD = 32 * 2**20
"""Bytes of plans that are held in memory; more lie in a file without a name."""
_FORMAT = 2
"""Of a line; a plan of another one is not believed."""


def keys(
    facts: Inputs, plugins: Iterable[RunPlugin], settings: Mapping[str, object], asked: Iterable[Applied]
) -> list[str]:
    """For each scenario, what tells its plan from all others: the facts as they were given, the code that reads them, the settings, and what is applied.

    What a scenario is called does not matter, nor which others the case has: its changes do.
    """
    used = [one.model_dump_json() for one in plugins]
    same = json.dumps(
        [_FORMAT, versions(), version("friendshore-sweep"), dict(settings), facts.digest, used], sort_keys=True
    )
    return [sha256(f"{same} {_spelt_out(facts, one)}".encode()).hexdigest() for one in asked]


def _spelt_out(facts: Inputs, applied: Applied) -> str:
    try:
        changes = (*scenario_changes(facts.case, applied.scenario), *applied.changes)
    except InputError:  # no such scenario, as its plan will say
        return applied.model_dump_json()
    return applied.but(scenario=(), changes=changes).model_dump_json()


class Journal:
    """The plans that are known, in a file of its own, and where new ones are written."""

    def __init__(self, file: Path | None, known: Iterable[tuple[str, str]] = ()) -> None:
        """Knows some plans by key, as JSON; without a file, nothing is kept beyond this process."""
        self._held = SpooledTemporaryFile(MOST_HELD)  # noqa: SIM115 - as long as anybody may look at a plan
        weakref.finalize(self, self._held.close)
        self._places: dict[str, tuple[int, int]] = {}
        self._believed: set[str] = set()
        for key, plan in known:
            self._hold(key, plan)
        self._file = None if file is None else file.open("ab")
        if self._file is not None and self._file.tell():
            self._file.write(b"\n")  # the last line may be cut off

    def __contains__(self, key: str) -> bool:
        """Whether a plan is known, and was made or checked by this process."""
        return key in self._believed

    def known(self, key: str) -> str | None:
        """Return a plan as JSON, checked or not; None: there is none."""
        return self.plan(key) if key in self._places else None

    def plan(self, key: str) -> str:
        """Return a plan that is known, as JSON."""
        start, length = self._places[key]
        self._held.seek(start)
        return self._held.read(length).decode()

    def add(self, key: str, plan: str) -> None:
        """Believe a plan, given as JSON, and see it onto the disk, unless it is there already.

        Raises:
            OSError: if it cannot be written.
        """
        self._believed.add(key)
        if self.known(key) == plan:
            return
        self._hold(key, plan)
        if self._file is not None:
            self._file.write(_line(key, plan))
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Ends writing; what is known can still be looked at."""
        if self._file is not None:
            self._file.close()

    def _hold(self, key: str, plan: str) -> None:
        start = self._held.seek(0, os.SEEK_END)
        self._places[key] = start, self._held.write(plan.encode())


@contextmanager
def kept(folder: Path | None, *, resume: bool, rerun: bool) -> Iterator[Journal]:
    """The journal of a folder, which is made if it is not there; None: nothing is kept.

    Args:
        folder: where the sweep is kept.
        resume: whether what it holds is taken up; else it must not be there.
        rerun: whether scenarios that failed are planned again.

    Raises:
        InputError: if the folder is there and is not to be taken up, or is no folder of a sweep.
        OSError: if it cannot be read or written.
    """
    if folder is None:
        yield Journal(None)
        return
    file = folder / JOURNAL
    if (folder.exists() or folder.is_symlink()) and not resume:
        raise InputError(
            "is there already, and is left as it is",
            str(folder),
            fix="go on with the sweep in it: --resume; or name another folder",
        )
    if folder.exists() and not file.is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError("is no folder of a sweep, and is left as it is", str(folder), fix="name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    journal = Journal(file, _read(file, rerun=rerun) if file.is_file() else ())
    try:
        yield journal
    finally:
        journal.close()


_KEY, _PLAN = b'{"key":"', b'","plan":'
"""What stands before the key, and between it and the plan."""


def _line(key: str, plan: str) -> bytes:
    rest = b"".join((_KEY, key.encode(), _PLAN, plan.encode(), b"}"))
    return sha256(rest).hexdigest().encode() + b" " + rest + b"\n"


def _read(file: Path, *, rerun: bool) -> Iterator[tuple[str, str]]:
    """Key and plan of every line that is as it was written."""
    with file.open("rb") as lines:
        for line in lines:
            told, _, rest = line.rstrip(b"\n").partition(b" ")
            if not line.endswith(b"}\n") or sha256(rest).hexdigest().encode() != told:
                continue
            key, between, plan = rest.removeprefix(_KEY)[:-1].partition(_PLAN)
            try:
                known = KeptScenario.model_validate_json(plan)
            except ValidationError:
                continue
            if between and not (rerun and known.told.failed):
                yield key.decode(), plan.decode()


def put_in_order(folder: Path, keys: Iterable[str], journal: Journal) -> None:
    """Writes the journal of a sweep that is done anew: its scenarios in their order, and nothing else.

    Raises:
        OSError: if it cannot be written.
    """
    replace_file(folder / JOURNAL, (_line(key, journal.plan(key)) for key in dict.fromkeys(keys)))
