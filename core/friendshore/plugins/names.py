"""Names of catalogs, rule packs, kinds, questions and readers, and what is said where two plugins bring the same one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal

from ..domain.suggest import did_you_mean
from ..errors import Diagnostic, PluginError
from .blocking import BLOCK
from .manifest import Plugin, PluginInfo, PluginStatus, normal

What = Literal["catalog", "rule pack", "kind of rule", "question", "reader"]
FIELD: dict[What, Literal["catalogs", "packs", "kinds", "questions", "readers"]] = {
    "catalog": "catalogs",
    "rule pack": "packs",
    "kind of rule": "kinds",
    "question": "questions",
    "reader": "readers",
}
"""What is named -> where a plugin lists the names."""


def names_of(plugin: Plugin, what: What) -> tuple[str, ...]:
    """The names of a sort that a plugin announces."""
    if what == "question":
        return tuple(question.name for question in plugin.info.questions)
    names: tuple[str, ...] = getattr(plugin.info, FIELD[what])
    return names


def claimed(plugin: Plugin, what: What) -> tuple[str, ...]:
    """Those of them that are not blocked. What is wrong with a plugin plays no part: which of two is meant must not turn on it."""
    if plugin.info.status is PluginStatus.BLOCKED:
        return ()
    return tuple(name for name in names_of(plugin, what) if name not in plugin.info.withheld)


def with_clashes(plugin: Plugin, all_plugins: Sequence[Plugin]) -> Plugin:
    """The plugin, marked if it brings a name that another brings too."""
    if plugin.info.status is not PluginStatus.OK:
        return plugin
    problems = []
    for what in FIELD:
        for name in claimed(plugin, what):
            claims = [p for p in all_plugins if name in claimed(p, what)]
            if len(claims) > 1:
                problems.append(clash(what, name, claims))
    if not problems:
        return plugin
    update = {"status": PluginStatus.CLASH, "error": "\n".join(map(str, problems))}
    return replace(plugin, info=plugin.info.model_copy(update=update), problems=tuple(problems))


def usable(plugins: Iterable[Plugin], what: What) -> dict[str, str]:
    """Names that can be used, each with the distribution and version of the one plugin that brings it."""
    found: dict[str, list[str]] = {}
    for plugin in plugins:
        if plugin.info.status in (PluginStatus.OK, PluginStatus.CLASH):
            for name in claimed(plugin, what):
                found.setdefault(name, []).append(plugin.info.label)
    return {name: owners[0] for name, owners in sorted(found.items()) if len(owners) == 1}


def known_as(name: str, plugins: Iterable[PluginInfo]) -> tuple[PluginInfo, ...]:
    """The plugins of a distribution, or the one of an entry point or package.

    Raises:
        PluginError: if there is none.
    """
    listed = list(plugins)
    found = [i for i in listed if normal(name) in map(normal, (i.distribution, i.name, i.package))]
    if not found:
        names = sorted({info.distribution for info in listed})
        fix = did_you_mean(name, names) or "see `friendshore plugins list`"
        raise PluginError(Diagnostic(f"no plugin `{name}` is installed", found=f"`{name}`", fix=fix))
    return tuple(found)


def clash(what: What, name: str, claims: Sequence[Plugin]) -> Diagnostic:
    """What is said of a name that several plugins bring."""
    files = " and ".join(f"{p.info.label} ({p.info.file or 'no file'})" for p in claims)
    last = f"{claims[-1].info.distribution}:{name}"
    fix = f"uninstall one of them, or block one: `--block {last}`, `block` under [use] in the case, or {BLOCK}={last}"
    return Diagnostic(
        f"{what} `{name}` is brought by {files}", found=f"`{name}`", expected="one plugin that brings it", fix=fix
    )


def unknown(what: What, name: str, usable: Iterable[str], plugins: Iterable[PluginInfo]) -> Diagnostic:
    """What is said of a name that no plugin brings.

    Args:
        what: what is named.
        name: the name.
        usable: the names that could have been meant.
        plugins: all plugins, those that cannot be used too.
    """
    known = list(usable)
    message = f"no {what} `{name}` is installed"
    unfit = [info for info in plugins if info.status in (PluginStatus.BROKEN, PluginStatus.BLOCKED)]
    if unfit:
        listing = ", ".join(f"{info.label} ({info.status})" for info in unfit)
        message += f"; it may be in a plugin that cannot be used: {listing} (see `friendshore plugins list`)"
    fix = did_you_mean(name, known) or "install the plugin that brings it"
    if what in ("catalog", "rule pack"):
        fix += f", or write ./{name} for a folder of your own"
    return Diagnostic(message, found=f"`{name}`", expected="one of " + (", ".join(known) or "none"), fix=fix)
