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
from .manifest import Announced, Plugin, PluginInfo, PluginStatus, normalized_name

if TYPE_CHECKING:
    from ..reading.fields import FactColumns

# Environment variable: plugins that count as not installed, separated by commas.
BLOCK = "FRIENDSHORE_BLOCK"


class Blocker(StrEnum):
    """Origin of a block, as named in messages and runs."""

    ENVIRONMENT = BLOCK
    FLAG = "--block"
    CASE = "[use] block"
    CALL = "blocked="
    RUN = "the run"
    """A run that was made without the plugin, and is verified or reopened."""


_UNDO = {
    Blocker.ENVIRONMENT: f"remove `{{}}` from the environment variable {BLOCK}",
    Blocker.FLAG: "omit `--block {}`",
    Blocker.CASE: "remove `{}` from `block` under [use] in the case",
    Blocker.CALL: "remove `{}` from `blocked` of the call",
    Blocker.RUN: "make the run again without blocking `{}`",
}


class Block(Record):
    """A blocked name."""

    name: str
    """Distribution, entry point, or package; with `:name`, only the thing of that name."""
    by: Blocker

    @property
    def undo(self) -> str:
        return _UNDO[self.by].format(self.name)

    @property
    def is_whole_plugin(self) -> bool:
        return ":" not in self.name

    def meets(self, info: PluginInfo, name: str = "") -> bool:
        """Return True if the block matches a plugin, or its thing called `name`. An empty name matches any."""
        plugin, _, thing = self.name.partition(":")
        names = filter(None, (info.distribution, info.name, info.package))
        if normalized_name(plugin) not in map(normalized_name, names):
            return False
        return self.is_whole_plugin or (thing in info.brings and name in ("", thing))


def environment_blocks() -> tuple[Block, ...]:
    names = (name.strip() for name in os.environ.get(BLOCK, "").split(","))
    return tuple(Block(name=name, by=Blocker.ENVIRONMENT) for name in names if name)


def with_blocks(plugin: Plugin, blocks: Iterable[Block]) -> Plugin:
    """Mark a plugin as blocked, in whole or in part. Its names stay known, so that an error can explain the block."""
    matching = _matching_blocks(plugin.info, blocks)
    whole_blocks = [block for block in matching if block.is_whole_plugin]
    if not whole_blocks:
        withheld = tuple(sorted({block.name.partition(":")[2] for block in matching}))
        return replace(plugin, info=plugin.info.but(withheld=withheld)) if withheld else plugin
    error = f"blocked by {_origins_text(whole_blocks)}; fix: {_undo_text(whole_blocks)}"
    return Plugin(plugin.info.but(status=PluginStatus.BLOCKED, error=error), plugin.entry)


def _blocked_problem(what: str, name: str, info: PluginInfo, blocks: Iterable[Block]) -> Diagnostic:
    matching = _matching_blocks(info, blocks, name)
    message = f"{what} `{name}` belongs to {info.label}, which is blocked by {_origins_text(matching)}"
    name_with_manifest = f"`{name}`, announced by {info.file}" if info.file else f"`{name}`"
    return Diagnostic(
        message,
        found=name_with_manifest,
        expected=f"a {what} that is not blocked",
        fix=_undo_text(matching),
        code="FS403",
    )


def _matching_blocks(info: PluginInfo, blocks: Iterable[Block], name: str = "") -> list[Block]:
    return list(dict.fromkeys(block for block in blocks if block.meets(info, name)))


def _origins_text(blocks: Sequence[Block]) -> str:
    return " and by ".join(dict.fromkeys(block.by.value for block in blocks))


def _undo_text(blocks: Sequence[Block]) -> str:
    return ", and ".join(dict.fromkeys(block.undo for block in blocks))


def unused_blocks(blocks: Iterable[Block], plugins: Sequence[PluginInfo]) -> tuple[Diagnostic, ...]:
    """Return a diagnostic for each block that matches nothing. Blocks of a run are exempt, since it may have been made elsewhere."""
    unused = (b for b in blocks if b.by is not Blocker.RUN and not any(map(b.meets, plugins)))
    known = {name for info in plugins for name in (info.distribution, info.name) if name}
    known |= {f"{name}:{thing}" for info in plugins for name in (info.distribution, info.name) for thing in info.brings}
    return tuple(
        Diagnostic(
            f"{block.by.value} names `{block.name}`, but nothing of that name is installed",
            found=f"`{block.name}`",
            expected="the distribution, entry point, or package of an installed plugin, with `:name` for one thing in it",
            fix=did_you_mean(block.name, sorted(known)) or f"see `friendshore plugins list`, or {block.undo}",
            code="FS405",
        )
        for block in dict.fromkeys(unused)
    )


_USABLE = (PluginStatus.OK, PluginStatus.CLASH)
What = Literal[
    "catalog", "rule pack", "kind of rule", "question", "reader", "command", "format", "check", "case format"
]
# Field of `PluginInfo` by sort.
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


# Maximum number of names in an error. Beyond that it names the command that lists them.
_MAX_LISTED = 8
# Command group that lists a sort, if other than `plugins`.
_LISTED_BY: dict[What, str] = {"catalog": "catalogs", "rule pack": "rules"}


def names_of(plugin: Plugin, what: What) -> tuple[str, ...]:
    things: tuple[str | Announced, ...] = getattr(plugin.info, FIELD[what])
    return tuple(thing if isinstance(thing, str) else thing.name for thing in things)


def _claimed(plugin: Plugin, what: What) -> tuple[str, ...]:
    """Return the names that aren't blocked. Broken plugins count too, so that a clash doesn't depend on them."""
    if plugin.info.status is PluginStatus.BLOCKED:
        return ()
    return tuple(name for name in names_of(plugin, what) if name not in plugin.info.withheld)


def with_clashes(plugin: Plugin, all_plugins: Sequence[Plugin]) -> Plugin:
    if plugin.info.status is not PluginStatus.OK:
        return plugin
    problems = []
    for what in FIELD:
        for name in _claimed(plugin, what):
            claims = [p for p in all_plugins if name in _claimed(p, what)]
            if len(claims) > 1:
                problems.append(_clash_problem(what, name, claims))
    if not problems:
        return plugin
    update = {"status": PluginStatus.CLASH, "error": "\n".join(map(str, problems))}
    return replace(plugin, info=plugin.info.but(**update), problems=tuple(problems))


def usable(plugins: Iterable[Plugin], what: What) -> dict[str, str]:
    fit = (plugin for plugin in plugins if plugin.info.status in _USABLE)
    owners_by_name = grouped((name, plugin.info.label) for plugin in fit for name in _claimed(plugin, what))
    return {name: owners[0] for name, owners in sorted(owners_by_name.items()) if len(owners) == 1}


def plugins_named(name: str, plugins: Iterable[PluginInfo]) -> tuple[PluginInfo, ...]:
    infos = list(plugins)
    matches = [
        info
        for info in infos
        if normalized_name(name) in map(normalized_name, (info.distribution, info.name, info.package))
    ]
    if not matches:
        names = sorted({info.distribution for info in infos})
        fix = did_you_mean(name, names) or "see `friendshore plugins list`"
        raise PluginError(f"no plugin `{name}` is installed", found=f"`{name}`", fix=fix, code="FS401")
    return tuple(matches)


def _clash_problem(what: What, name: str, claims: Sequence[Plugin]) -> Diagnostic:
    files = " and ".join(f"{p.info.label} ({p.info.file or 'no file'})" for p in claims)
    last = f"{claims[-1].info.distribution}:{name}"
    fix = (
        f"uninstall one of them, or block one, with `--block {last}`, with `block` under [use] in the case, or with {BLOCK}={last} in the "
        "environment"
    )
    return Diagnostic(
        f"several plugins bring {what} `{name}`: {files}",
        found=f"`{name}`",
        expected="one plugin",
        fix=fix,
        code="FS402",
    )


def broken(plugin: Plugin) -> tuple[Diagnostic, ...]:
    """Return the errors of a broken plugin, for a request that needs it. Empty for any other plugin."""
    if plugin.info.status is not PluginStatus.BROKEN:
        return ()
    label = plugin.info.label
    return tuple(
        replace(
            problem,
            message=problem.message
            if problem.message.startswith(label)
            else f"the plugin {label} is broken: {problem.message}",
            file=problem.file or plugin.info.file,
            fix=problem.fix or f"repair or upgrade {plugin.info.distribution}",
        )
        for problem in plugin.problems
    )


def _unknown_name_problems(what: What, name: str, plugins: Sequence[Plugin]) -> list[Diagnostic]:
    """Return the errors for an unknown name. If no name is similar, broken plugins may be the cause and come first."""
    names = usable(plugins, what)
    message = f"no {what} `{name}` is installed"
    unusable = [p.info for p in plugins if p.info.status in (PluginStatus.BROKEN, PluginStatus.BLOCKED)]
    if unusable:
        listing = ", ".join(f"{info.label} ({info.status})" for info in unusable)
        message += f", but it may belong to a plugin that can't be used: {listing} (see `friendshore plugins list`)"
    suggestion = did_you_mean(name, names)
    causes = [] if suggestion else [problem for plugin in plugins for problem in broken(plugin)]
    broken_names = " or ".join(info.distribution for info in unusable if info.status is PluginStatus.BROKEN)
    official = plugin_bringing(FIELD[what], name)
    install_fix = "install the plugin that brings it" if official is None else official.install
    fix = suggestion or (f"repair {broken_names}" if causes else install_fix)
    if what in ("catalog", "rule pack"):
        fix += f", or write ./{name} for your own folder"
    expected = "" if causes or not names else f"one of {', '.join(names)}"
    if len(names) > _MAX_LISTED and not causes:
        expected = f"one of the {len(names)} names in `friendshore {_LISTED_BY.get(what, 'plugins')} list`"
    return [*causes, Diagnostic(message, found=f"`{name}`", expected=expected, fix=fix, code="FS401")]


def provider(what: What, name: str, plugins: Sequence[Plugin], blocks: Iterable[Block]) -> Plugin:
    owners = [plugin for plugin in plugins if name in names_of(plugin, what)]
    claims = [plugin for plugin in owners if name in _claimed(plugin, what)]
    if len(claims) > 1:
        raise PluginError(_clash_problem(what, name, claims))
    if not owners:
        raise PluginError(_unknown_name_problems(what, name, plugins))
    plugin = (claims or owners)[0]
    if not claims:
        raise PluginError(_blocked_problem(what, name, plugin.info, blocks))
    if plugin.info.status is PluginStatus.BROKEN:
        raise PluginError(broken(plugin))
    return plugin


def fact_columns(plugins: Iterable[PluginInfo]) -> FactColumns:
    from ..reading.fields import FactColumns

    owners_by_column = grouped(
        ((declaration.table, declaration.name), (info, declaration.column))
        for info in plugins
        for declaration in info.columns
    )
    usable_columns, unusable_columns = [], []
    for (table, name), all_owners in sorted(owners_by_column.items(), key=lambda item: item[0]):
        usable_owners = [(info, column) for info, column in all_owners if info.status in _USABLE]
        if len({(column.type, column.unit) for _, column in usable_owners}) == 1:
            info, column = usable_owners[0]
            usable_columns.append((table, name, column, info.distribution))
        else:
            unusable_columns.append(
                (
                    table,
                    name,
                    _missing_declaration([info for info, _ in usable_owners], [info for info, _ in all_owners]),
                )
            )
    return FactColumns(tuple(usable_columns), tuple(unusable_columns))


def _missing_declaration(usable: Sequence[PluginInfo], owners: Sequence[PluginInfo]) -> str:
    if usable:
        labels = " and ".join(info.label for info in usable)
        return f"{labels} declare it with different types, so block one of them"
    return "; ".join(
        f"{info.label} declares it, but is {info.status}; see `friendshore plugins list`" for info in owners
    )
