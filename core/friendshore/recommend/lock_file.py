"""The lock file: its records, its reader, and its plugins that aren't installed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import Field

from ..domain.base import Record, grouped
from ..domain.case import Case
from ..errors import Diagnostic, InputError
from ..plugins import Registry
from ..plugins.interface import OWN
from ..plugins.manifest import Plugin, PluginInfo, PluginStatus, normalized_name
from ..reading.records import record
from ..reading.textfile import read_object

LOCK_FILE = "friendshore.lock"
"""Name of the lock file in the folder of the case."""


class Locked(Record):
    """A catalog, pack, reader, rule kind, or plugin as locked."""

    kind: Literal["catalog", "pack", "reader", "rule kind", "plugin"]
    name: str
    distribution: str
    """Distribution and version that it comes from. Empty if it was beside the case."""
    digest: str
    """SHA-256 of its facts. For a reader, of its data. For a plugin or its rule kind, of all files of the plugin."""
    records: dict[str, str] = {}
    """Record, or file of a plugin -> start of its hash, which identifies changes."""


class Lock(Record):
    """Everything that determines the result of a case, except the case itself."""

    schema_: Literal[2] = Field(default=2, alias="schema")
    case: str
    versions: dict[str, str]
    """Versions of the distributions that read, solve, and verify."""
    locked: tuple[Locked, ...]


def read_lock(path: Path) -> Lock:
    return record(Lock, read_object(path, "write it with `friendshore lock`"), str(path))


def absent(case: Case, registry: Registry) -> tuple[Plugin, ...]:
    """Return the plugins in the lock beside a case that aren't installed, as broken ones. Empty without a lock."""
    path = None if case.folder is None else case.folder / LOCK_FILE
    if path is None or not path.is_file():
        return ()
    try:
        lock = read_lock(path)
    except InputError:
        return ()  # planning with this lock reports its errors
    return tuple(_broken_plugin(label, locked, str(path)) for label, locked in _missing_plugins(lock, registry))


def _missing_plugins(lock: Lock, registry: Registry) -> Iterator[tuple[str, list[Locked]]]:
    """Yield distribution and version of each plugin that isn't installed, with those of its locked entries that no other plugin has."""
    installed = {normalized_name(info.distribution) for info in registry.plugins} | {OWN}
    brought = {name for info in registry.plugins for name in info.brings}
    for label, locked in grouped((entry.distribution, entry) for entry in lock.locked if entry.distribution).items():
        if normalized_name(label.partition(" ")[0]) not in installed:
            yield label, [entry for entry in locked if entry.name not in brought]


def _broken_plugin(label: str, locked: list[Locked], file: str) -> Plugin:
    distribution, _, version = label.partition(" ")
    requirement = f"{distribution}=={version}" if version else distribution
    message = f"{label} is in the lock beside the case, but isn't installed"
    problem = Diagnostic(message, file, fix=f"pip install '{requirement}'", code="FS623")
    names = grouped((entry.kind, entry.name) for entry in locked)
    info = PluginInfo(
        distribution=distribution,
        version=version,
        catalogs=tuple(names.get("catalog", ())),
        packs=tuple(names.get("pack", ())),
        kinds=tuple(names.get("rule kind", ())),
        readers=tuple(name.partition(" ")[0] for name in names.get("reader", ())),
        status=PluginStatus.BROKEN,
        error=str(problem),
    )
    return Plugin(info, problems=(problem,))
