"""Plugins that the user rules out: by whom, how that is undone, and which names rule out nothing."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from enum import StrEnum

from ..domain.base import Record
from ..errors import Problem
from ..reading.suggest import did_you_mean
from .manifest import Plugin, PluginInfo, PluginStatus, normal

BLOCK = "FRIENDSHORE_BLOCK"
"""Environment variable: plugins that count as not installed, set apart by commas."""


class Blocker(StrEnum):
    """Who rules a plugin out, as messages and runs call it."""

    ENVIRONMENT = BLOCK
    FLAG = "--block"
    CASE = "[use] block"
    CALL = "blocked="
    """The program that calls friendshore."""
    RUN = "the run"
    """A run that was made without it, and is verified or asked anew."""


_UNDO = {
    Blocker.ENVIRONMENT: f"take `{{}}` out of {BLOCK} in the environment",
    Blocker.FLAG: "leave out `--block {}`",
    Blocker.CASE: "take `{}` out of `block` under [use] in the case",
    Blocker.CALL: "take `{}` out of what the call blocks",
    Blocker.RUN: "make the run again without blocking `{}`",
}


class Block(Record):
    """One name that is ruled out."""

    name: str
    """A distribution, entry point or package."""
    by: Blocker

    @property
    def undo(self) -> str:
        """How it is taken back."""
        return _UNDO[self.by].format(self.name)

    def meets(self, info: PluginInfo) -> bool:
        """Whether a plugin is meant."""
        return normal(self.name) in map(normal, (info.distribution, info.name, info.package))


def environment_blocks() -> tuple[Block, ...]:
    """What the environment rules out."""
    names = (name.strip() for name in os.environ.get(BLOCK, "").split(","))
    return tuple(Block(name=name, by=Blocker.ENVIRONMENT) for name in names if name)


def barred(plugin: Plugin, blocks: Iterable[Block]) -> Plugin:
    """The plugin, marked as blocked if a block means it: its names stay known, so that asking for one says why not."""
    found = meeting(plugin.info, blocks)
    if not found:
        return plugin
    error = f"blocked by {blockers(found)}; fix: {undoing(found)}"
    return Plugin(plugin.info.model_copy(update={"status": PluginStatus.BLOCKED, "error": error}), plugin.entry)


def refused(what: str, name: str, info: PluginInfo, blocks: Iterable[Block]) -> Problem:
    """What is said of asking for something of a blocked plugin."""
    found = meeting(info, blocks)
    message = f"{what} `{name}` comes with {info.label}, which is blocked by {blockers(found)}"
    brought = f"`{name}`, announced by {info.file}" if info.file else f"`{name}`"
    return Problem(message, found=brought, expected=f"a {what} of a plugin that is not blocked", fix=undoing(found))


def meeting(info: PluginInfo, blocks: Iterable[Block]) -> list[Block]:
    """The blocks that mean a plugin, each once."""
    return list(dict.fromkeys(block for block in blocks if block.meets(info)))


def blockers(blocks: Sequence[Block]) -> str:
    """Who rules it out, in words."""
    return " and by ".join(dict.fromkeys(block.by.value for block in blocks))


def undoing(blocks: Sequence[Block]) -> str:
    """What to do so that it can be used."""
    return ", and ".join(dict.fromkeys(block.undo for block in blocks))


def idle(blocks: Iterable[Block], plugins: Sequence[PluginInfo]) -> tuple[Problem, ...]:
    """The names that rule out nothing, for want of a plugin of that name; those of a run are left out: it was made elsewhere."""
    wrong = (b for b in blocks if b.by is not Blocker.RUN and not any(map(b.meets, plugins)))
    known = sorted({name for info in plugins for name in (info.distribution, info.name) if name})
    said = Problem("", expected="the distribution, entry point or package of an installed plugin")
    return tuple(
        replace(
            said,
            message=f"{block.by.value} names `{block.name}`, and no plugin of that name is installed: it blocks nothing",
            fix=did_you_mean(block.name, known) or f"see `friendshore plugins list`, or {block.undo}",
        )
        for block in dict.fromkeys(wrong)
    )
