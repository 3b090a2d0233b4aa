"""Import of plugins, and location of the data that their code makes, in separate processes with a time limit."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, Literal

from ..errors import Diagnostic, FriendshoreError, PluginError
from .hosting import Hook, checked_results, manager_of
from .isolated import CallResult, call_once, plugin_data, plugin_from, problem_data, problem_of
from .manifest import Plugin, PluginInfo
from .registry import Registry

LIMIT = 10.0  # seconds
# Number of processes at the same time. It doesn't depend on the processors, since one that hangs uses none.
_MAX_RUNNING = 4


class ImportOutcome(StrEnum):
    """Outcome of the import of a plugin."""

    IMPORTED = "imported"
    FAILED = "failed"
    ENDED = "ended the process"
    HUNG = "hung"


@dataclass(frozen=True, slots=True)
class Loaded:
    """Result of the import of a plugin."""

    info: PluginInfo
    seconds: float | None = None
    """Duration, without friendshore's own start. None if the import failed."""
    problem: Diagnostic | None = None
    how: ImportOutcome = ImportOutcome.IMPORTED


def load(info: PluginInfo, entry: EntryPoint, limit: float = LIMIT) -> Loaded:
    """Import a plugin in another process for at most `limit` seconds, and check the hooks that it implements without calling them."""
    result = call_once(f"{__name__}:imported", plugin_data(info, entry), limit)
    problem = problem_of(info, result, "its import", limit)
    if problem is None:
        return Loaded(info, result.answer["seconds"])
    if result.code is None:
        return Loaded(info, problem=problem, how=ImportOutcome.HUNG)
    return Loaded(info, problem=problem, how=ImportOutcome.FAILED if result.answer else ImportOutcome.ENDED)


def load_all(plugins: Sequence[tuple[PluginInfo, EntryPoint]], limit: float = LIMIT) -> list[Loaded]:
    with ThreadPoolExecutor(_MAX_RUNNING) as workers:
        return list(workers.map(lambda plugin: load(plugin[0], plugin[1], limit), plugins))


@dataclass(frozen=True, slots=True)
class DataLocation:
    """Folder of a catalog or rule pack, or the reason why it is unavailable."""

    name: str
    owner: str
    folder: Path | None = None
    problem: Diagnostic | None = None


def data_locations(
    registry: Registry, what: Literal["catalog", "rule pack"], limit: float = LIMIT
) -> list[DataLocation]:
    """Return the locations of all usable catalogs or rule packs. Code that makes some runs in processes of its own."""
    hook: Hook = "friendshore_catalogs" if what == "catalog" else "friendshore_rules"
    makers = [plugin for info in registry.plugins if (plugin := registry.pending_plugin(info, hook)) is not None]
    with ThreadPoolExecutor(_MAX_RUNNING) as workers:
        results = list(workers.map(lambda plugin: _ask_folders(plugin, hook, limit), makers))
    result_by_owner = {plugin.info.label: result for plugin, result in zip(makers, results, strict=True)}
    locations = []
    for name, owner in registry.names(what).items():
        folder = registry.available_folder(what, name)
        if folder is not None:
            locations.append(DataLocation(name, owner, folder))
            continue
        result, problem = result_by_owner[owner]
        folder = None if problem else Path(result.answer["folders"][name])
        locations.append(DataLocation(name, owner, folder, problem))
    return locations


def _ask_folders(plugin: Plugin, hook: Hook, limit: float) -> tuple[CallResult, Diagnostic | None]:
    assert plugin.entry is not None
    data = {"catalogs": sorted(plugin.catalogs), "packs": sorted(plugin.packs), "hook": hook}
    result = call_once(f"{__name__}:folders", {**plugin_data(plugin.info, plugin.entry), **data}, limit)
    return result, problem_of(plugin.info, result, f"its hook `{hook}`", limit)


# The next two functions run in the other process.


def folders(data: Mapping[str, Any]) -> dict[str, Any]:
    info, entry = plugin_from(data)
    catalogs, packs = ({name: Path() for name in data[key]} for key in ("catalogs", "packs"))
    try:
        yielded = checked_results(Plugin(info, entry, catalogs, packs), data["hook"])
    except FriendshoreError as error:
        return problem_data(error)
    return {"folders": {name: str(path.resolve()) for name, path in {**yielded.catalogs, **yielded.packs}.items()}}


def imported(data: Mapping[str, Any]) -> dict[str, Any]:
    info, entry = plugin_from(data)
    start = time.perf_counter()
    try:
        manager_of(info, entry)
    except PluginError as error:
        return problem_data(error)
    return {"seconds": time.perf_counter() - start}
