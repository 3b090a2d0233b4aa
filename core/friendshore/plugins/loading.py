"""Importing a plugin in a process of its own, with a time limit: what hangs or crashes there does no harm here."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import EntryPoint
from typing import Any

from ..errors import PluginError, Problem
from .elsewhere import elsewhere
from .hosting import manager_of
from .manifest import GROUP, PluginInfo

LIMIT = 10.0
"""Seconds that a plugin may take to be imported."""
_AT_ONCE = 4
"""Imports that go on at the same time, however many processors there are: one that hangs takes none."""


class How(StrEnum):
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
    problem: Problem | None = None
    """What went wrong."""
    how: How = How.IMPORTED


def load(info: PluginInfo, entry: EntryPoint, limit: float = LIMIT) -> Loaded:
    """Imports a plugin in another process, and looks at the hooks it implements without calling them.

    Args:
        info: the plugin.
        entry: where its code is.
        limit: seconds after which it is given up.
    """
    told = {"info": info.model_dump(mode="json"), "name": entry.name, "value": entry.value}
    ended = elsewhere(f"{__name__}:imported", told, limit)
    if ended.said is not None:
        if "problem" in ended.said:
            return Loaded(info, problem=Problem(**ended.said["problem"]), how=How.FAILED)
        return Loaded(info, ended.said["seconds"])
    how, message = How.ENDED, f"{info.label} ended the process that imported it, with exit code {ended.code}"
    if ended.code is None:
        how, message = How.HUNG, f"{info.label} was not imported within {limit:g} s, and was given up"
    fix = f"let its package do nothing when it is imported; till then, upgrade or uninstall {info.distribution}, or block it"
    expected = f"an import that comes to its end within {limit:g} s"
    return Loaded(info, problem=Problem(message, info.file, expected=expected, fix=fix), how=how)


def load_all(plugins: Sequence[tuple[PluginInfo, EntryPoint]], limit: float = LIMIT) -> list[Loaded]:
    """The same of several, a few at once, in their order: those that hang cost the limit once, unless they are many."""
    with ThreadPoolExecutor(_AT_ONCE) as workers:
        return list(workers.map(lambda plugin: load(plugin[0], plugin[1], limit), plugins))


def imported(told: Mapping[str, Any]) -> dict[str, Any]:
    """What the other process does: it imports a plugin, and says how that went."""
    info, entry = PluginInfo.model_validate(told["info"]), EntryPoint(told["name"], told["value"], GROUP)
    began = time.perf_counter()
    try:
        manager_of(info, entry)
    except PluginError as error:
        (problem,) = error.problems
        names = ("message", "file", "row", "found", "expected", "fix")
        return {"problem": {name: getattr(problem, name) for name in names}}
    return {"seconds": time.perf_counter() - began}
