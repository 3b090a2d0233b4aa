"""Plugins imported, and asked for what they make, in processes of their own with a time limit: what hangs or crashes there does no harm here."""

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
from .elsewhere import Ended, as_said, as_told, elsewhere, plugin_told, problem_of
from .hosting import Hook, ask, manager_of
from .manifest import Plugin, PluginInfo
from .registry import Registry

LIMIT = 10.0
"""Seconds that a plugin may take to be imported."""
_AT_ONCE = 4
"""Imports that go on at the same time, however many processors there are: one that hangs takes none."""


class ImportOutcome(StrEnum):
    """How importing a plugin ended."""

    IMPORTED = "imported"
    FAILED = "failed"
    """Its code raised, or implements no hook of ours."""
    ENDED = "ended the process"
    HUNG = "hung"
    """It was given up."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """How importing a plugin went."""

    info: PluginInfo
    seconds: float | None = None
    """What it took, friendshore's own start left out; None: it was not imported to the end."""
    problem: Diagnostic | None = None
    """What went wrong."""
    how: ImportOutcome = ImportOutcome.IMPORTED


def load(info: PluginInfo, entry: EntryPoint, limit: float = LIMIT) -> Loaded:
    """Imports a plugin in another process, given up after `limit` seconds, and looks at the hooks it implements without calling them."""
    ended = elsewhere(f"{__name__}:imported", as_told(info, entry), limit)
    problem = problem_of(info, ended, "imported", limit)
    if problem is None:
        return Loaded(info, ended.said["seconds"])
    ran = ImportOutcome.ENDED if ended.said is None else ImportOutcome.FAILED
    return Loaded(info, problem=problem, how=ImportOutcome.HUNG if ended.code is None else ran)


def load_all(plugins: Sequence[tuple[PluginInfo, EntryPoint]], limit: float = LIMIT) -> list[Loaded]:
    """The same of several, a few at once, in their order: those that hang cost the limit once, unless they are many."""
    with ThreadPoolExecutor(_AT_ONCE) as workers:
        return list(workers.map(lambda plugin: load(plugin[0], plugin[1], limit), plugins))


@dataclass(frozen=True, slots=True)
class DataLocation:
    """Where a catalog or rule pack is, or why that is unavailable."""

    name: str
    owner: str
    """Distribution and version that bring it."""
    folder: Path | None = None
    problem: Diagnostic | None = None


def places(registry: Registry, what: Literal["catalog", "rule pack"], limit: float = LIMIT) -> list[DataLocation]:
    """Where all catalogs or rule packs are that can be used, by name: those that code makes are asked for in processes of their own.

    A plugin is given up after `limit` seconds.
    """
    hook: Hook = "friendshore_catalogs" if what == "catalog" else "friendshore_rules"
    made = [plugin for info in registry.plugins if (plugin := registry.made_by(info, hook)) is not None]
    with ThreadPoolExecutor(_AT_ONCE) as workers:
        answers = list(workers.map(lambda plugin: _asked(plugin, hook, limit), made))
    asked = {plugin.info.label: answer for plugin, answer in zip(made, answers, strict=True)}
    owners = registry.catalogs if what == "catalog" else registry.packs
    found = []
    for name, owner in owners.items():
        folder = registry.folder_at_hand(what, name)
        if folder is not None:
            found.append(DataLocation(name, owner, folder))
            continue
        ended, problem = asked[owner]
        folder = None if problem else Path(ended.said["folders"][name])
        found.append(DataLocation(name, owner, folder, problem))
    return found


def _asked(plugin: Plugin, hook: Hook, limit: float) -> tuple[Ended, Diagnostic | None]:
    assert plugin.entry is not None
    data = {"catalogs": sorted(plugin.catalogs), "packs": sorted(plugin.packs), "hook": hook}
    ended = elsewhere(f"{__name__}:asked", {**as_told(plugin.info, plugin.entry), **data}, limit)
    return ended, problem_of(plugin.info, ended, f"asked for `{hook}`", limit)


def asked(data: Mapping[str, Any]) -> dict[str, Any]:
    """What the other process does: it asks a plugin for the folders of catalogs or rule packs that it makes."""
    info, entry = plugin_told(data)
    here = {name: {one: Path() for one in data[name]} for name in ("catalogs", "packs")}
    try:
        yielded = ask(Plugin(info, entry, here["catalogs"], here["packs"]), data["hook"])
    except FriendshoreError as error:
        return as_said(error)
    return {"folders": {name: str(path.resolve()) for name, path in {**yielded.catalogs, **yielded.packs}.items()}}


def imported(data: Mapping[str, Any]) -> dict[str, Any]:
    """What the other process does: it imports a plugin, and says how that went."""
    info, entry = plugin_told(data)
    began = time.perf_counter()
    try:
        manager_of(info, entry)
    except PluginError as error:
        return as_said(error)
    return {"seconds": time.perf_counter() - began}
