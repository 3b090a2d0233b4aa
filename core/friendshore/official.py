"""Official plugins: the distributions of friendshore's repository."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import NamedTuple


class OfficialPlugin(NamedTuple):
    """A distribution and its additions."""

    distribution: str
    catalogs: tuple[str, ...] = ()
    packs: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    case_formats: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    names: Mapping[str, tuple[str, ...]] = {}
    """Names in the package `friendshore`, by the module that defines them."""

    @property
    def package(self) -> str:
        return self.distribution.replace("-", "_")

    @property
    def is_installed(self) -> bool:
        return find_spec(self.package) is not None

    @property
    def install(self) -> str:
        return f"pip install {self.distribution}"


# Errors name the distribution to install. A test compares the table with the manifests of the plugins.
# `import friendshore` loads this module, so it imports nothing that takes time.
OFFICIAL = (
    OfficialPlugin("friendshore-australia", catalogs=("australia",)),
    OfficialPlugin("friendshore-china-controls", packs=("cn-export-controls",)),
    OfficialPlugin("friendshore-dossier", questions=("dossier",), checks=("forms",)),
    OfficialPlugin("friendshore-eu-crma", packs=("eu-crma",)),
    OfficialPlugin("friendshore-kazakhstan", catalogs=("kazakhstan",)),
    OfficialPlugin("friendshore-pages", questions=("interactive",), formats=("html", "xlsx")),
    OfficialPlugin("friendshore-programs", questions=("programs",)),
    OfficialPlugin("friendshore-proof", commands=("sign",), checks=("optimality", "signature")),
    OfficialPlugin(
        "friendshore-reasons",
        questions=("repairs", "ledger", "calendar", "what-if"),
        names={
            "friendshore_reasons.calendar.search": ("Calendar", "calendar"),
            "friendshore_reasons.ledger.search": ("Ledger", "ledger"),
            "friendshore_reasons.repairs.search": ("Repairs", "repairs"),
        },
    ),
    OfficialPlugin(
        "friendshore-risk",
        questions=("frontier", "risk", "stress", "withstand"),
        names={
            "friendshore_risk.frontier": ("Frontier", "frontier"),
            "friendshore_risk.stress_answer": ("Insurance", "Stress", "insurance", "stress"),
        },
    ),
    OfficialPlugin("friendshore-sanctions", packs=("sanctions",)),
    OfficialPlugin("friendshore-screening", questions=("screen",)),
    OfficialPlugin("friendshore-serve", commands=("mcp", "serve")),
    OfficialPlugin(
        "friendshore-sweep",
        questions=("sweep",),
        names={"friendshore_sweep.planning": ("sweep",), "friendshore_sweep.results": ("Sweep",)},
    ),
    OfficialPlugin("friendshore-tariffs", packs=("us-tariffs",)),
    OfficialPlugin("friendshore-testing", commands=("plugins check", "plugins new")),
    OfficialPlugin("friendshore-us-defense", packs=("us-10usc4872", "us-specialty-metals")),
    OfficialPlugin("friendshore-watch", commands=("watch",)),
    OfficialPlugin(
        "friendshore-workbooks",
        questions=("ask",),
        commands=("case to-xlsx", "case from-xlsx", "catalogs convert"),
        case_formats=("xlsx",),
        names={"friendshore_workbooks.ask": ("ask",), "friendshore_workbooks.unknowns": ("Unknowns",)},
    ),
)


def names_by_module() -> dict[str, tuple[str, ...]]:
    """Return the names that installed plugins add to the package `friendshore`, by module."""
    return {
        module: names
        for plugin in OFFICIAL
        if plugin.names and plugin.is_installed
        for module, names in plugin.names.items()
    }


def is_official(distribution: str) -> bool:
    """Return True for a plugin of this repository, which is as much part of friendshore as its kernel."""
    return any(plugin.distribution == distribution for plugin in OFFICIAL)


def plugin_with_name(name: str) -> OfficialPlugin | None:
    return next((plugin for plugin in OFFICIAL if any(name in names for names in plugin.names.values())), None)


def plugin_with_command(name: str) -> OfficialPlugin | None:
    """Return the plugin that adds a command, a group of commands, or a question, or None."""
    return next(
        (
            plugin
            for plugin in OFFICIAL
            if any(known == name or known.startswith(f"{name} ") for known in (*plugin.questions, *plugin.commands))
        ),
        None,
    )


def plugin_bringing(field: str, name: str) -> OfficialPlugin | None:
    return next((plugin for plugin in OFFICIAL if name in getattr(plugin, field, ())), None)
