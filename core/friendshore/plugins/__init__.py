"""Plugins: discovered without running them, and run only on request.

registry = Registry.discover()
registry.catalog_folder("australia").folder
registry.pack_rules(registry.pack("us-10usc4872"))
"""
# ruff: noqa: I001 - each name is re-exported under its own name

from .attribution import attributed_object as attributed_object, attributed as attributed, sentence_of as sentence_of
from .isolated import CatalogRef as CatalogRef
from .files import (
    changes as changes,
    digest_of as digest_of,
    importable as importable,
    is_source as is_source,
    is_wheel as is_wheel,
    kind_digest as kind_digest,
    plugin_files as plugin_files,
    source_plugins as source_plugins,
    wheel_plugins as wheel_plugins,
)
from .interface import Interface as Interface, newest as newest, supported_versions as supported_versions
from .manifest import PluginInfo as PluginInfo, PluginStatus as PluginStatus
from .names import Block as Block, Blocker as Blocker
from .packages import is_folder as is_folder
from .registry import Registry as Registry
