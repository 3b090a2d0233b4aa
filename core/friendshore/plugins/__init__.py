"""Plugins: found without being run, listed with what is wrong with them, and run only where something of them is asked for.

registry = Registry.discover()
registry.catalog_folder("australia").folder
registry.pack_rules(registry.pack("us-10usc4872"))
"""

from __future__ import annotations

from .attribution import asked_of, attributed, sentence_of
from .files import changes, digest_of, kind_digest, package_files, plugin_files
from .interface import Interface, newest, taken
from .manifest import Manifest, PluginInfo, PluginStatus
from .names import BLOCK, Block, Blocker
from .registry import CatalogRef, Registry, is_folder
from .source import importable, is_source, is_wheel, source_plugins, wheel_plugins

__all__ = [
    "BLOCK",
    "Block",
    "Blocker",
    "CatalogRef",
    "Interface",
    "Manifest",
    "PluginInfo",
    "PluginStatus",
    "Registry",
    "asked_of",
    "attributed",
    "changes",
    "digest_of",
    "importable",
    "is_folder",
    "is_source",
    "is_wheel",
    "kind_digest",
    "newest",
    "package_files",
    "plugin_files",
    "sentence_of",
    "source_plugins",
    "taken",
    "wheel_plugins",
]
