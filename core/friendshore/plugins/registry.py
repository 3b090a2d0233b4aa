"""Registry of catalogs, rule packs, rule kinds, and other things of plugins, by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from ..errors import Diagnostic, FriendshoreError, InputError, PluginError
from ..hookspecs import Named
from ..readers import Reader, reader_in
from ..rules.base import Rule
from ..rules.pack import RulePack, read_pack, stated_name
from .hosting import HOOKS, Hook, HookedWhat, HookResults, built_in, create_rule, create_rules, plugin_in_memory
from .isolated import CatalogRef, Reading, make_packs, run_reader
from .isolated import What as ReadWhat
from .manifest import CATALOG_FILE, Plugin, PluginInfo, PluginStatus, discover, normalized_name
from .names import (
    Block,
    Blocker,
    What,
    broken,
    environment_blocks,
    fact_columns,
    plugins_named,
    provider,
    unused_blocks,
    usable,
    with_blocks,
    with_clashes,
)
from .packages import folder_of, is_folder
from .settings import Line, no_line, plugin_named, settings_record, validated_settings

if TYPE_CHECKING:
    from ..domain.case import Case
    from ..domain.facts import Catalog
    from ..reading.fields import FactColumns
    from .isolated import OtherProcess


class Registry:
    """Everything that a case can name. Immutable. Plugin code runs only on request. Lookups by name raise `PluginError` if no plugin or several bring
    the name, or if its plugin is broken or blocked.
    """

    def __init__(
        self, plugins: Iterable[Plugin], blocks: Iterable[Block] = (), settings: Mapping[str, BaseModel] | None = None
    ) -> None:
        self._discovered = tuple(plugins)
        self._blocks = tuple(dict.fromkeys(blocks))
        with_marks = tuple(with_blocks(plugin, self._blocks) for plugin in self._discovered)
        self._plugins = tuple(with_clashes(plugin, with_marks) for plugin in with_marks)
        self._settings = settings or {}
        self._results = HookResults()

    def __reduce__(self) -> tuple[type[Registry], tuple[object, ...]]:
        return Registry, (self._discovered, self._blocks, self._settings)  # the copy calls hooks again

    @classmethod
    def discover(cls, blocked: Iterable[str] = ()) -> Registry:
        """Return the registry of everything installed, without importing or raising. `blocked` (distributions, entry points, or packages, or `plugin:name`) adds to `FRIENDSHORE_BLOCK`."""
        return cls([built_in(), *discover()], environment_blocks()).blocking(blocked, Blocker.CALL)

    def blocking(self, names: Iterable[str], by: Blocker) -> Registry:
        more = [Block(name=name, by=by) for name in names]
        return Registry(self._discovered, (*self._blocks, *more), self._settings) if more else self

    def beside(self, plugins: Sequence[Plugin]) -> Registry:
        """Return a registry with more plugins. Each replaces an installed one of its distribution, and none is blocked."""
        names = {normalized_name(plugin.info.distribution) for plugin in plugins}
        packages = {plugin.info.package for plugin in plugins}
        others = [
            plugin
            for plugin in self._discovered
            if normalized_name(plugin.info.distribution) not in names and plugin.info.package not in packages
        ]
        return Registry([*(with_blocks(plugin, self._blocks) for plugin in others), *plugins])

    def lacking(self, plugins: Sequence[Plugin]) -> Registry:
        """Return a registry with plugins that are required but not installed, so that errors can name them."""
        return Registry([*self._discovered, *plugins], self._blocks, self._settings)

    @classmethod
    def of(
        cls,
        kinds: Iterable[type[Rule]] = (),
        catalogs: Mapping[str, Path] | None = None,
        packs: Mapping[str, Path] | None = None,
        questions: Iterable[Named] = (),
        checks: Iterable[Named] = (),
        formats: Iterable[Named] = (),
        case_formats: Iterable[Named] = (),
    ) -> Registry:
        """Return a registry of friendshore's own kinds and the given things only."""
        things: dict[HookedWhat, Iterable[Named]] = {
            "question": questions,
            "check": checks,
            "format": formats,
            "case format": case_formats,
        }
        in_memory = plugin_in_memory(kinds, catalogs or {}, packs or {}, things)
        return cls([built_in(), in_memory] if in_memory.info.brings else [built_in()])

    def setting(
        self, data_by_name: Mapping[str, Mapping[str, object]], where: str = "", line: Line = no_line
    ) -> tuple[Registry, list[FriendshoreError]]:
        """Return a registry with the settings of a case, and all errors in them."""
        settings, errors = validated_settings(data_by_name, self._plugins, self.settings_model, where, line)
        return (
            Registry(self._discovered, self._blocks, {**self._settings, **settings}) if data_by_name else self
        ), errors

    def settings_of(self, name: str) -> Any:
        """Return a plugin's settings as a record of its model. None if it takes no settings. Raises `InputError` if a required one is missing."""
        info = self.named(name)[0]
        if not info.settings:
            return None
        settings = self._settings.get(info.package)
        return (
            settings
            if settings is not None
            else settings_record(self.settings_model(info), {}, info, info.name or info.distribution)
        )

    def settings_model(self, info: PluginInfo) -> type[BaseModel]:
        if self.code(info) is None:
            raise PluginError(f"{info.label} can't be used: {info.error or info.status}", info.file, code="FS407")
        model = self._results(self._of(info), "friendshore_settings").settings
        assert model is not None  # its hook was called
        return model

    @property
    def plugins(self) -> tuple[PluginInfo, ...]:
        return tuple(plugin.info for plugin in self._plugins)

    @property
    def blocks(self) -> tuple[Block, ...]:
        return self._blocks

    def idle_blocks(self, *by: Blocker) -> tuple[Diagnostic, ...]:
        return unused_blocks((block for block in self._blocks if block.by in by), self.plugins)

    def named(self, name: str) -> tuple[PluginInfo, ...]:
        """Return the plugins of a distribution, or the one of an entry point or package."""
        return plugins_named(name, self.plugins)

    def problems(self, info: PluginInfo) -> tuple[Diagnostic, ...]:
        return self._of(info).problems or ((Diagnostic(info.error, info.file, code="FS407"),) if info.error else ())

    @property
    def broken(self) -> tuple[Diagnostic, ...]:
        return tuple(problem for plugin in self._plugins for problem in broken(plugin))

    def code(self, info: PluginInfo) -> EntryPoint | None:
        """Return the entry point of a plugin's code. None if it has none, can't be used, or is blocked."""
        return self._of(info).entry if info.status in (PluginStatus.OK, PluginStatus.CLASH) else None

    def runs(self, info: PluginInfo) -> bool:
        plugin = self._of(info)
        names_in_memory = (name for things in plugin.in_memory.values() for name in things)
        available = {*plugin.catalogs, *plugin.packs, *plugin.classes, *names_in_memory}
        return self.code(info) is not None and (info.case_packs or not available.issuperset(info.brings))

    def pending_plugin(self, info: PluginInfo, hook: Hook) -> Plugin | None:
        """Return a plugin whose code must run for some of its catalogs or rule packs. None if all are available, or if it can't be used."""
        plugin = self._of(info)
        announced, available = (
            (info.catalogs, plugin.catalogs) if hook == "friendshore_catalogs" else (info.packs, plugin.packs)
        )
        return plugin if self.code(info) is not None and set(announced) - set(available) else None

    def _of(self, info: PluginInfo) -> Plugin:
        return next(plugin for plugin in self._plugins if plugin.info == info)

    @property
    def catalogs(self) -> Mapping[str, str]:
        """Names of all usable catalogs, each with distribution and version."""
        return usable(self._plugins, "catalog")

    @property
    def packs(self) -> Mapping[str, str]:
        return usable(self._plugins, "rule pack")

    @property
    def kinds(self) -> Mapping[str, str]:
        return usable(self._plugins, "kind of rule")

    @property
    def readers(self) -> Mapping[str, str]:
        return self.names("reader")

    @property
    def questions(self) -> Mapping[str, str]:
        return self.names("question")

    def question(self, name: str) -> tuple[Named, PluginInfo]:
        return self.thing("question", name)

    def thing(self, what: HookedWhat, name: str) -> tuple[Named, PluginInfo]:
        """Return an object that a plugin's hook yields, and its plugin, which is imported if necessary."""
        plugin = self._provider(what, name)
        objects = plugin.in_memory.get(what) or self._results(plugin, HOOKS[what]).named
        return objects[name], plugin.info

    def names(self, what: What) -> Mapping[str, str]:
        return usable(self._plugins, what)

    def catalog_folder(self, name: str, base: Path | None = None) -> CatalogRef:
        """Return the catalog that a case names: installed, a folder or workbook (with a `/` or leading `.`, relative to `base`), or of a reader, which may raise `InputError`."""
        return self._catalog(name, base).but(columns=self.fact_columns)

    @property
    def fact_columns(self) -> FactColumns:
        return fact_columns(self.plugins)

    def _catalog(self, name: str, base: Path | None) -> CatalogRef:
        if reader_in(name) is not None:
            return self.read(name, "catalog", base).catalog(base or Path())
        if is_folder(name):
            from ..reading.workbook import value_of_key

            folder = folder_of(name, base, "catalog")
            catalog_name = value_of_key(folder) if folder.is_file() else stated_name(folder / CATALOG_FILE, "name")
            return CatalogRef(name=catalog_name, folder=folder)
        plugin = self._provider("catalog", name)
        installed_folder = plugin.catalogs.get(name) or self._results(plugin, "friendshore_catalogs").catalogs[name]
        return CatalogRef(name=name, folder=installed_folder, distribution=plugin.info.label)

    def reader(self, name: str) -> Reader:
        """Return a reader. Its plugin is imported here, unlike in `read`."""
        reader = self.thing("reader", name)[0]
        assert isinstance(reader, Reader)  # its hook was checked
        return reader

    def read(self, name: str, what: ReadWhat, base: Path | None = None) -> Reading:
        """Run a plugin's reader in a process of its own, or raise `InputError` with all errors that it finds."""
        plugin = self._provider("reader", (reader_in(name) or (name, ""))[0])
        record = self._settings.get(plugin.info.package)
        settings = {} if record is None else record.model_dump(mode="json", by_alias=True)
        return run_reader(plugin, name, what, base or Path(), settings)

    def taking_settings(self, name: str) -> PluginInfo:
        """Return the plugin that a table of settings is for, by its name in a case: see `plugin_named`."""
        return plugin_named(name, self._plugins)

    def makes_packs(self, name: str) -> bool:
        """Return True if rule packs follow from the settings of a plugin, by its name in a case. False if it can't be used."""
        try:
            return self.taking_settings(name).case_packs
        except FriendshoreError:
            return False

    def case_packs(
        self, name: str, case: Case, catalogs: Sequence[Catalog], process: OtherProcess | None = None
    ) -> tuple[tuple[RulePack, str], ...]:
        """Return the rule packs that follow from a case's settings for a plugin, each with the plugin's label. `process` may have served other cases.

        Raises:
            InputError: With all errors that the plugin finds in the settings or in what they name.
        """
        info = self.taking_settings(name)
        settings = self.settings_of(info.package).model_dump(mode="json", by_alias=True)
        packs, label = make_packs(self._of(info), name, case, catalogs, settings, process=process), info.label
        return tuple((pack.of_rules(self.rules(pack.rules, f"{label}, pack {pack.id}")), label) for pack in packs)

    def available_folder(self, what: What, name: str) -> Path | None:
        """Return the folder of an installed catalog or rule pack. None if code must run for it."""
        plugin = self._provider(what, name)
        return (plugin.catalogs if what == "catalog" else plugin.packs).get(name)

    def pack(self, name: str, base: Path | None = None) -> RulePack:
        """Return a rule pack: an installed one, or one in a folder; see `catalog_folder`."""
        if is_folder(name):
            return read_pack(folder_of(name, base, "rule pack"))
        plugin = self._provider("rule pack", name)
        return read_pack(plugin.packs.get(name) or self._results(plugin, "friendshore_rules").packs[name])

    def kind(self, name: str) -> type[Rule]:
        return self._kind(name)[0]

    def owner(self, kind: str) -> str:
        return self._provider("kind of rule", kind).info.label

    def rule(self, data: Mapping[str, object], where: str = "", row: int | None = None) -> Rule:
        """Create a rule from its data, or raise `InputError` with all errors. `where` and `row` are their place."""
        kind = data.get("kind")
        if not isinstance(kind, str) or not kind:
            found = "" if kind is None else str(kind)
            expected = "one of " + ", ".join(self.kinds)
            raise InputError("a rule has no `kind`", where, row, "kind", found, expected, "add `kind`", "FS002")
        try:
            model, info = self._kind(kind)
        except PluginError as error:
            # An error in a plugin has the plugin's own file. An unknown name is in the user's file.
            problems = [
                problem if problem.file else replace(problem, file=where, row=row, column="kind")
                for problem in error.problems
            ]
            raise PluginError(problems) from error
        settings = self.settings_of(info.package) if info.settings else None
        return create_rule(model, data, where, row, info, settings)

    def rules(
        self, tables: Sequence[Mapping[str, object]], where: str = "", rows: Sequence[int | None] = ()
    ) -> tuple[Rule, ...]:
        """Create rules from their data. A rule without an id gets its kind and position as its id. Raises `InputError` with all errors, or `PluginError` if only plugins are at fault."""
        return create_rules(self.rule, tables, where, rows)

    def pack_rules(self, pack: RulePack) -> tuple[Rule, ...]:
        return self.rules(pack.rules, pack.file, pack.lines)

    def _kind(self, name: str) -> tuple[type[Rule], PluginInfo]:
        plugin = self._provider("kind of rule", name)
        return plugin.classes.get(name) or self._results(plugin, "friendshore_rules").kinds[name], plugin.info

    def _provider(self, what: What, name: str) -> Plugin:
        return provider(what, name, self._plugins, self._blocks)
