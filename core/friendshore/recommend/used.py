"""What a case uses of plugins, for its run and its lock."""

from __future__ import annotations

from collections.abc import Sequence

from ..domain.facts import Catalog
from ..domain.used import RunPlugin
from ..plugins import Registry, digest_of, plugin_files
from ..plugins.files import SHORT
from ..plugins.interface import OWN
from ..plugins.readings import Reading
from ..rules.base import Rule
from ..rules.pack import RulePack


def plugins_used(
    catalogs: Sequence[Catalog],
    packs: Sequence[tuple[RulePack, str]],
    rules: Sequence[Rule],
    readings: Sequence[Reading],
    registry: Registry,
) -> tuple[RunPlugin, ...]:
    """Return all that a case uses of plugins and of folders beside it, each with its hash."""
    found = [
        RunPlugin(name=c.name, kind="catalog", distribution=c.distribution, digest=c.digest, as_of=c.as_of)
        for c in catalogs
    ]
    found += [
        RunPlugin(name=pack.id, kind="pack", distribution=owner, digest=pack.digest, as_of=pack.as_of)
        for pack, owner in packs
    ]
    found += [
        RunPlugin(name=f"{one.name} ({one.what})", kind="reader", distribution=one.distribution, digest=one.digest)
        for one in readings
    ]
    kinds = {kind: owner for kind in {rule.kind for rule in rules} if (owner := _owner(registry, kind))}
    digests: dict[str, str] = {}
    for label in sorted({*(plugin.distribution for plugin in found), *kinds.values()}):
        name = label.partition(" ")[0]
        files = plugin_files(registry, name) if name != OWN else {}
        digests[label] = digest_of(files)
        if files:
            short = {file: digest[:SHORT] for file, digest in files.items()}
            found.append(RunPlugin(name=name, kind="plugin", distribution=label, digest=digests[label], files=short))
    found += [
        RunPlugin(name=kind, kind="rule kind", distribution=label, digest=digests[label])
        for kind, label in kinds.items()
    ]
    return tuple(sorted(found, key=lambda plugin: (plugin.kind, plugin.name)))


def _owner(registry: Registry, kind: str) -> str:
    """The plugin that brings a kind of rule; empty for friendshore's own, and for the class of a rule given in memory."""
    owner = registry.owner(kind) if kind in registry.kinds else ""
    return "" if owner.partition(" ")[0] == OWN else owner
