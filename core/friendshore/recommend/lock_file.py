"""What a lock file says, and how it is read."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from ..domain.base import Record
from ..reading.records import record
from ..reading.textfile import read_object

LOCK_FILE = "friendshore.lock"
"""Name of the lock file, in the folder of the case."""


class Locked(Record):
    """One catalog, pack, reader, kind of rule or plugin, as it was when it was locked."""

    kind: Literal["catalog", "pack", "reader", "rule kind", "plugin"]
    name: str
    distribution: str
    """Distribution and version that brought it; empty: it lay beside the case."""
    digest: str
    """SHA-256 of its facts; of a reader, of what it read; of a plugin, and of a kind of rule that it brings, of every file of the plugin."""
    records: dict[str, str] = {}
    """Every record of it, or every file of a plugin, by its name, with the beginning of its hash: tells what changed."""


class Lock(Record):
    """All that decides the result of a case, beside the case itself."""

    schema_: Literal[2] = Field(default=2, alias="schema")
    case: str
    versions: dict[str, str]
    """Of what reads, solves and verifies."""
    locked: tuple[Locked, ...]


def read_lock(path: Path) -> Lock:
    """Reads a lock file.

    Raises:
        InputError: if it is not there or cannot be read.
    """
    return record(Lock, read_object(path, "write it with `friendshore lock`"), str(path))
