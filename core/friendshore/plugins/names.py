"""Names of catalogs, packs, kinds, questions, and so on: blocking, clashes, and lookup."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from ..domain.base import Record, grouped
from ..domain.suggest import did_you_mean
from ..errors import Diagnostic, PluginError
from ..official import plugin_bringing
from .manifest import Announced, Plugin, PluginInfo, PluginStatus, normal

if TYPE_CHECKING:
    from ..reading.fields import FactColumns

BLOCK = "FRIENDSHORE_BLOCK"
"""Environment variable: plugins that count as not installed, separated by commas."""


class Blocker(StrEnum):
    """Origin of a block, as named in messages and runs."""

    ENVIRONMENT = BLOCK
    FLAG = "--block"
    CASE = "[use] block"
    CALL = "blocked="
    """A program that calls friendshore."""
    RUN = "the run"
    """A run that was made without the plugin and is verified or asked again."""


_UNDO = {
    Blocker.ENVIRONMENT: f"take `{{}}` out of {BLOCK} in the environment",
    Blocker.FLAG: "leave out `--block {}`",
    Blocker.CASE: "take `{}` out of `block` under [use] in the case",
    Blocker.CALL: "take `{}` out of what the call blocks",
    Blocker.RUN: "make the run again without blocking `{}`",
}


class Block(Record):
    """A blocked name."""

    name: str
    """Distribution, entry point, or package; with `:name`, only the thing of that name."""
    by: Blocker

    @property
    def undo(self) -> str:
        """Instruction that removes the block."""
        return _UNDO[self.by].format(self.name)

    @property
    def whole(self) -> bool:
        """True if the whole plugin is blocked."""
        return ":" not in self.name

    def meets(self, info: PluginInfo, name: str = "") -> bool:
        """Return True if the block matches a plugin, or its thing called `name`. An empty name matches any."""
        plugin, _, one = self.name.partition(":")
        names = filter(None, (info.distribution, info.name, info.package))
        if normal(plugin) not in map(normal, names):
            return False
        return self.whole or (one in info.brings and name in ("", one))


def environment_blocks() -> tuple[Block, ...]:
    """Return the blocks of the environment."""
    names = (name.strip() for name in os.environ.get(BLOCK, "").split(","))
    return tuple(Block(name=name, by=Blocker.ENVIRONMENT) for name in names if name)


def barred(plugin: Plugin, blocks: Iterable[Block]) -> Plugin:
    """Mark a plugin as blocked, in whole or in part. Its names stay known, so that an error can explain the block."""
    met = _meeting(plugin.info, blocks)
    found = [block for block in met if block.whole]
    if not found:
        withheld = tuple(sorted({block.name.partition(":")[2] for block in met}))
        return replace(plugin, info=plugin.info.but(withheld=withheld)) if withheld else plugin
    error = f"blocked by {_blockers(found)}; fix: {_undoing(found)}"
    return Plugin(plugin.info.but(status=PluginStatus.BLOCKED, error=error), plugin.entry)


def _refused(what: str, name: str, info: PluginInfo, blocks: Iterable[Block]) -> Diagnostic:
    found = _meeting(info, blocks, name)
    message = f"{what} `{name}` comes with {info.label}, which is blocked by {_blockers(found)}"
    brought = f"`{name}`, announced by {info.file}" if info.file else f"`{name}`"
    return Diagnostic(message, found=brought, expected=f"a {what} that is not blocked", fix=_undoing(found))


def _meeting(info: PluginInfo, blocks: Iterable[Block], name: str = "") -> list[Block]:
    """Return the distinct blocks that match a plugin or its thing called `name`."""
    return list(dict.fromkeys(block for block in blocks if block.meets(info, name)))


def _blockers(blocks: Sequence[Block]) -> str:
    return " and by ".join(dict.fromkeys(block.by.value for block in blocks))


def _undoing(blocks: Sequence[Block]) -> str:
    return ", and ".join(dict.fromkeys(block.undo for block in blocks))


def idle(blocks: Iterable[Block], plugins: Sequence[PluginInfo]) -> tuple[Diagnostic, ...]:
    """Return a diagnostic for each block that matches nothing. Blocks of a run are exempt, since it was made elsewhere."""
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


_USABLE = (PluginStatus.OK, PluginStatus.CLASH)
What = Literal[
    "catalog", "rule pack", "kind of rule", "question", "reader", "command", "format", "check", "case format"
]
FIELD: dict[What, str] = {
    "catalog": "catalogs",
    "rule pack": "packs",
    "kind of rule": "kinds",
    "question": "questions",
    "reader": "readers",
    "command": "commands",
    "format": "formats",
    "check": "checks",
    "case format": "case_formats",
}
"""Sort -> field of `PluginInfo` with the names of that sort."""


MOST_LISTED = 8
"""Maximum number of names in an error. Beyond that it names the command that lists them."""
_LISTED_BY: dict[What, str] = {"catalog": "catalogs", "rule pack": "rules"}
"""Sort -> command group that lists it, if other than `plugins`."""


def names_of(plugin: Plugin, what: What) -> tuple[str, ...]:
    """Return the names of a sort that a plugin announces."""
    things: tuple[str | Announced, ...] = getattr(plugin.info, FIELD[what])
    return tuple(thing if isinstance(thing, str) else thing.name for thing in things)


def _claimed(plugin: Plugin, what: What) -> tuple[str, ...]:
    """Return the names that aren't blocked. Broken plugins count too, so that a clash doesn't depend on them."""
    if plugin.info.status is PluginStatus.BLOCKED:
        return ()
    return tuple(name for name in names_of(plugin, what) if name not in plugin.info.withheld)


def with_clashes(plugin: Plugin, all_plugins: Sequence[Plugin]) -> Plugin:
    """Mark a plugin if another brings one of its names too."""
    if plugin.info.status is not PluginStatus.OK:
        return plugin
    problems = []
    for what in FIELD:
        for name in _claimed(plugin, what):
            claims = [p for p in all_plugins if name in _claimed(p, what)]
            if len(claims) > 1:
                problems.append(_clash(what, name, claims))
    if not problems:
        return plugin
    update = {"status": PluginStatus.CLASH, "error": "\n".join(map(str, problems))}
    return replace(plugin, info=plugin.info.but(**update), problems=tuple(problems))


def usable(plugins: Iterable[Plugin], what: What) -> dict[str, str]:
    """Return the usable names of a sort, each with the distribution and version of its only plugin."""
    fit = (plugin for plugin in plugins if plugin.info.status in _USABLE)
    found = grouped((name, plugin.info.label) for plugin in fit for name in _claimed(plugin, what))
    return {name: owners[0] for name, owners in sorted(found.items()) if len(owners) == 1}


def known_as(name: str, plugins: Iterable[PluginInfo]) -> tuple[PluginInfo, ...]:
    """Return the plugins of a distribution, or the one of an entry point or package.

    Raises:
        PluginError: If there is none.
    """
    listed = list(plugins)
    found = [i for i in listed if normal(name) in map(normal, (i.distribution, i.name, i.package))]
    if not found:
        names = sorted({info.distribution for info in listed})
        fix = did_you_mean(name, names) or "see `friendshore plugins list`"
        raise PluginError(f"no plugin `{name}` is installed", found=f"`{name}`", fix=fix)
    return tuple(found)


def _clash(what: What, name: str, claims: Sequence[Plugin]) -> Diagnostic:
    files = " and ".join(f"{p.info.label} ({p.info.file or 'no file'})" for p in claims)
    last = f"{claims[-1].info.distribution}:{name}"
    fix = f"uninstall one of them, or block one: `--block {last}`, `block` under [use] in the case, or {BLOCK}={last}"
    return Diagnostic(
        f"{what} `{name}` is brought by {files}", found=f"`{name}`", expected="one plugin that brings it", fix=fix
    )


def broken(plugin: Plugin) -> tuple[Diagnostic, ...]:
    """Return the errors of a broken plugin, for the error of a request that needs it. Empty for any other plugin."""
    if plugin.info.status is not PluginStatus.BROKEN:
        return ()
    label = plugin.info.label
    return tuple(
        replace(
            problem,
            message=problem.message
            if problem.message.startswith(label)
            else f"the plugin {label}, which is broken, cannot be used: {problem.message}",
            file=problem.file or plugin.info.file,
            fix=problem.fix or f"repair or upgrade {plugin.info.distribution}",
        )
        for problem in plugin.problems
    )


def _unknown(what: What, name: str, plugins: Sequence[Plugin]) -> list[Diagnostic]:
    """Return the errors for an unknown name. If no name is similar, broken plugins may be the cause and come first."""
    names = usable(plugins, what)
    message = f"no {what} `{name}` is installed"
    unfit = [p.info for p in plugins if p.info.status in (PluginStatus.BROKEN, PluginStatus.BLOCKED)]
    if unfit:
        listing = ", ".join(f"{info.label} ({info.status})" for info in unfit)
        message += f"; it may be in a plugin that cannot be used: {listing} (see `friendshore plugins list`)"
    meant = did_you_mean(name, names)
    causes = [] if meant else [problem for plugin in plugins for problem in broken(plugin)]
    repaired = " or ".join(info.distribution for info in unfit if info.status is PluginStatus.BROKEN)
    official = plugin_bringing(FIELD[what], name)
    install = "install the plugin that brings it" if official is None else official.install
    fix = meant or (f"repair {repaired}" if causes else install)
    if what in ("catalog", "rule pack"):
        fix += f", or write ./{name} for a folder of your own"
    expected = "" if causes or not names else f"one of {', '.join(names)}"
    if len(names) > MOST_LISTED and not causes:
        expected = f"one of the {len(names)} that `friendshore {_LISTED_BY.get(what, 'plugins')} list` shows"
    return [*causes, Diagnostic(message, found=f"`{name}`", expected=expected, fix=fix)]


def provider(what: What, name: str, plugins: Sequence[Plugin], blocks: Iterable[Block]) -> Plugin:
    """Return the only plugin that brings a name.

    Raises:
        PluginError: If there is none or several, or if it is broken or blocked.
    """
    bringing = [plugin for plugin in plugins if name in names_of(plugin, what)]
    claims = [plugin for plugin in bringing if name in _claimed(plugin, what)]
    if len(claims) > 1:
        raise PluginError(_clash(what, name, claims))
    if not bringing:
        raise PluginError(_unknown(what, name, plugins))
    plugin = (claims or bringing)[0]
    if not claims:
        raise PluginError(_refused(what, name, plugin.info, blocks))
    if plugin.info.status is PluginStatus.BROKEN:
        raise PluginError(broken(plugin))
    return plugin


def fact_columns(plugins: Iterable[PluginInfo]) -> FactColumns:
    """Return the columns that usable plugins declare, and explanations for those of other plugins."""
    from ..reading.fields import FactColumns

    declared = grouped(((one.table, one.name), (info, one.column)) for info in plugins for one in info.columns)
    known, elsewhere = [], []
    for (table, name), owners in sorted(declared.items(), key=lambda item: item[0]):
        usable = [(info, column) for info, column in owners if info.status in _USABLE]
        if len({(column.type, column.unit) for _, column in usable}) == 1:
            info, column = usable[0]
            known.append((table, name, column, info.distribution))
        else:
            elsewhere.append((table, name, _undeclared([info for info, _ in usable], [info for info, _ in owners])))
    return FactColumns(tuple(known), tuple(elsewhere))


def _undeclared(usable: Sequence[PluginInfo], owners: Sequence[PluginInfo]) -> str:
    if usable:
        both = " and ".join(info.label for info in usable)
        return f"{both} declare it, and otherwise: block one of them"
    return "; ".join(
        f"{info.label} declares it, and is {info.status}: see `friendshore plugins list`" for info in owners
    )
