"""Plugins that the user rules out: by whom, how that is undone, and which names rule out nothing."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from enum import StrEnum

from ..domain.base import Record
from ..domain.suggest import did_you_mean
from ..errors import Diagnostic
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
    """A distribution, entry point or package; with `:name`, only the catalog, rule pack or kind of rule of that name which it brings."""
    by: Blocker

    @property
    def undo(self) -> str:
        """How it is taken back."""
        return _UNDO[self.by].format(self.name)

    @property
    def whole(self) -> bool:
        """Whether a plugin is ruled out with all that it brings."""
        return ":" not in self.name

    def meets(self, info: PluginInfo, name: str = "") -> bool:
        """Whether a plugin is meant, or something that it brings.

        Args:
            info: the plugin.
            name: a catalog, rule pack or kind of rule that must be meant; empty: any of them, or the plugin.
        """
        plugin, _, one = self.name.partition(":")
        names = filter(None, (info.distribution, info.name, info.package))
        if normal(plugin) not in map(normal, names):
            return False
        return self.whole or (one in info.brings and name in ("", one))


def environment_blocks() -> tuple[Block, ...]:
    """What the environment rules out."""
    names = (name.strip() for name in os.environ.get(BLOCK, "").split(","))
    return tuple(Block(name=name, by=Blocker.ENVIRONMENT) for name in names if name)


def barred(plugin: Plugin, blocks: Iterable[Block]) -> Plugin:
    """The plugin, marked as blocked in whole or in part: its names stay known, so that asking for one says why not."""
    met = meeting(plugin.info, blocks)
    found = [block for block in met if block.whole]
    if not found:
        withheld = tuple(sorted({block.name.partition(":")[2] for block in met}))
        return replace(plugin, info=plugin.info.model_copy(update={"withheld": withheld})) if withheld else plugin
    error = f"blocked by {blockers(found)}; fix: {undoing(found)}"
    return Plugin(plugin.info.model_copy(update={"status": PluginStatus.BLOCKED, "error": error}), plugin.entry)


def refused(what: str, name: str, info: PluginInfo, blocks: Iterable[Block]) -> Diagnostic:
    """What is said of asking for something of a blocked plugin."""
    found = meeting(info, blocks, name)
    message = f"{what} `{name}` comes with {info.label}, which is blocked by {blockers(found)}"
    brought = f"`{name}`, announced by {info.file}" if info.file else f"`{name}`"
    return Diagnostic(message, found=brought, expected=f"a {what} that is not blocked", fix=undoing(found))


def meeting(info: PluginInfo, blocks: Iterable[Block], name: str = "") -> list[Block]:
    """The blocks that mean a plugin, or one thing that it brings, each once."""
    return list(dict.fromkeys(block for block in blocks if block.meets(info, name)))


def blockers(blocks: Sequence[Block]) -> str:
    """Who rules it out, in words."""
    return " and by ".join(dict.fromkeys(block.by.value for block in blocks))


def undoing(blocks: Sequence[Block]) -> str:
    """What to do so that it can be used."""
    return ", and ".join(dict.fromkeys(block.undo for block in blocks))


def idle(blocks: Iterable[Block], plugins: Sequence[PluginInfo]) -> tuple[Diagnostic, ...]:
    """The names that rule out nothing, for want of a plugin of that name; those of a run are left out: it was made elsewhere."""
    wrong = (b for b in blocks if b.by is not Blocker.RUN and not any(map(b.meets, plugins)))
    known = {name for info in plugins for name in (info.distribution, info.name) if name}
    known |= {f"{name}:{one}" for info in plugins for name in (info.distribution, info.name) for one in info.brings}
    expected = (
        "the distribution, entry point or package of an installed plugin, with `:name` for one thing that it brings"
    )
    said = Diagnostic("", expected=expected)
    return tuple(
        replace(
            said,
            message=f"{block.by.value} names `{block.name}`, and nothing of that name is installed: it blocks nothing",
            found=f"`{block.name}`",
            fix=did_you_mean(block.name, sorted(known)) or f"see `friendshore plugins list`, or {block.undo}",
        )
        for block in dict.fromkeys(wrong)
    )
