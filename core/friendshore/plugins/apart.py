"""What is said to and by a process of its own in which a plugin's code runs, and what is wrong where it came to no end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import EntryPoint
from typing import Any

from ..errors import Diagnostic, FriendshoreError
from .elsewhere import Ended
from .manifest import GROUP, PluginInfo


def told(info: PluginInfo, entry: EntryPoint) -> dict[str, Any]:
    """A plugin as the other process is told of it."""
    return {"info": info.model_dump(mode="json"), "name": entry.name, "value": entry.value}


def plugin_told(data: Mapping[str, Any]) -> tuple[PluginInfo, EntryPoint]:
    """The plugin that it was told of."""
    return PluginInfo.model_validate(data["info"]), EntryPoint(data["name"], data["value"], GROUP)


def said(error: FriendshoreError) -> dict[str, Any]:
    """What the other process says where a plugin failed."""
    return {"problem": asdict(error.problems[0])}


def problem_of(info: PluginInfo, ended: Ended, done: str, limit: float | None) -> Diagnostic | None:
    """What is wrong with a plugin, by how the process ended in which it was `done`."""
    if ended.said is not None:
        return Diagnostic(**ended.said["problem"]) if "problem" in ended.said else None
    message = f"{info.label} ended the process in which it was {done}, with exit code {ended.code}"
    if ended.code is None:
        message = f"{info.label} was not {done} within {limit:g} s, and was given up"
    fix = f"upgrade or uninstall {info.distribution}, or block it; its author: let the package do nothing when it is imported, and hooks come to their end"
    within = f"an end within {limit:g} s" if limit is not None else "an end"
    return Diagnostic(message, info.file, expected=within, fix=fix)
