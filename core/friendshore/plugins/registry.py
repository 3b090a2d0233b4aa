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
from .hosting import HOOKS, Hook, HookAnswers, HookedWhat, all_rules, built_in, given_in_memory, made_rule
from .isolated import CatalogRef, Reading, packs_by, read_by
from .isolated import What as ReadWhat
from .manifest import CATALOG_FILE, Plugin, PluginInfo, PluginStatus, discover, normal
from .names import (
    Block,
    Blocker,
    What,
    barred,
    broken,
    environment_blocks,
    fact_columns,
    idle,
    known_as,
    provider,
    usable,
    with_clashes,
)
from .packages import folder_of, is_folder
from .settings import Line, made, nowhere, plugin_named, settled

if TYPE_CHECKING:
    from ..domain.case import Case
    from ..domain.facts import Catalog
    from ..reading.fields import FactColumns
    from .isolated import OtherProcess


class Registry:
    """Everything that a case can name. Immutable. Plugin code runs only on request.

    Attributes:
        plugins: All plugins, including broken and blocked ones with their errors.
    """

    def __init__(
        self, plugins: Iterable[Plugin], blocks: Iterable[Block] = (), settings: Mapping[str, BaseModel] | None = None
    ) -> None:
        self._found = tuple(plugins)
        self._blocks = tuple(dict.fromkeys(blocks))
        left = tuple(barred(plugin, self._blocks) for plugin in self._found)
        self._plugins = tuple(with_clashes(plugin, left) for plugin in left)
        self._set = settings or {}
        self._ask = HookAnswers()

    def __reduce__(self) -> tuple[type[Registry], tuple[object, ...]]:
        return Registry, (self._found, self._blocks, self._set)  # hooks are asked again where it is read back

    @classmethod
    def discover(cls, blocked: Iterable[str] = ()) -> Registry:
        """Return the registry of everything installed. Never raises, and imports no plugin.

        Args:
            blocked: Plugins that count as not installed, by distribution, entry point, or package (`plugin:name` for one thing), in
                addition to those in the environment's `FRIENDSHORE_BLOCK`. Friendshore's own kinds are the entry point `built-in`.
        """
        return cls([built_in(), *discover()], environment_blocks()).blocking(blocked, Blocker.CALL)

    def blocking(self, names: Iterable[str], by: Blocker) -> Registry:
        """Return a registry with more plugins blocked.

        Args:
            names: Distributions, entry points, or packages; with `:name`, one thing.
            by: Origin of the block.
        """
        more = [Block(name=name, by=by) for name in names]
        return Registry(self._found, (*self._blocks, *more), self._set) if more else self

    def beside(self, plugins: Sequence[Plugin]) -> Registry:
        """Return a registry with more plugins. Each replaces an installed one of its distribution, and none is blocked."""
        names = {normal(plugin.info.distribution) for plugin in plugins}
        packages = {plugin.info.package for plugin in plugins}
        kept = [p for p in self._found if normal(p.info.distribution) not in names and p.info.package not in packages]
        return Registry([*(barred(plugin, self._blocks) for plugin in kept), *plugins])

    def lacking(self, plugins: Sequence[Plugin]) -> Registry:
        """Return a registry with plugins that are needed but not installed, so that errors can name them."""
        return Registry([*self._found, *plugins], self._blocks, self._set)

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
        """Return a registry of friendshore's own kinds and the given things only.

        Args:
            kinds: Rule classes.
            catalogs: Folders by name.
            packs: Folders by id.
            questions: Questions.
            checks: Checks of runs.
            formats: Output formats.
            case_formats: Case formats.
        """
        things: dict[HookedWhat, Iterable[Named]] = {
            "question": questions,
            "check": checks,
            "format": formats,
            "case format": case_formats,
        }
        given = given_in_memory(kinds, catalogs or {}, packs or {}, things)
        return cls([built_in(), given] if given.info.brings else [built_in()])

    def setting(
        self, given: Mapping[str, Mapping[str, object]], where: str = "", line: Line = nowhere
    ) -> tuple[Registry, list[FriendshoreError]]:
        """Return a registry with the settings of a case, and all errors in them: see `settled`."""
        done, errors = settled(given, self._plugins, self.settings_model, where, line)
        return (Registry(self._found, self._blocks, {**self._set, **done}) if given else self), errors

    def settings_of(self, name: str) -> Any:
        """Return the settings of a plugin: a record of its model, with defaults for missing values. None if it takes no settings.

        Args:
            name: Distribution, entry point, or package.

        Raises:
            InputError: If a required setting is missing.
            PluginError: If there is no such plugin, or it is broken or blocked.
        """
        info = self.named(name)[0]
        if not info.settings:
            return None
        known = self._set.get(info.package)
        return known if known is not None else made(self.settings_model(info), {}, info, info.name or info.distribution)

    def settings_model(self, info: PluginInfo) -> type[BaseModel]:
        """Return the model of a plugin's settings.

        Raises:
            PluginError: If its code can't be used.
        """
        if self.code(info) is None:
            raise PluginError(f"{info.label} cannot be used: {info.error or info.status}", info.file)
        model = self._ask(self._of(info), "friendshore_settings").settings
        assert model is not None  # its hook was asked
        return model

    @property
    def plugins(self) -> tuple[PluginInfo, ...]:
        """All plugins, including broken and blocked ones with their errors."""
        return tuple(plugin.info for plugin in self._plugins)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Blocks in force."""
        return self._blocks

    def idle_blocks(self, *by: Blocker) -> tuple[Diagnostic, ...]:
        """Return a diagnostic for each block of these origins that matches nothing."""
        return idle((block for block in self._blocks if block.by in by), self.plugins)

    def named(self, name: str) -> tuple[PluginInfo, ...]:
        """Return the plugins of a distribution, or the one of an entry point or package.

        Raises:
            PluginError: If there is none.
        """
        return known_as(name, self.plugins)

    def problems(self, info: PluginInfo) -> tuple[Diagnostic, ...]:
        """Return the errors of a plugin. Empty if it can be used."""
        return self._of(info).problems or ((Diagnostic(info.error, info.file),) if info.error else ())

    @property
    def broken(self) -> tuple[Diagnostic, ...]:
        """Errors of all broken plugins."""
        return tuple(problem for plugin in self._plugins for problem in broken(plugin))

    def code(self, info: PluginInfo) -> EntryPoint | None:
        """Return the entry point of a plugin's code. None if it has none, can't be used, or is blocked."""
        return self._of(info).entry if info.status in (PluginStatus.OK, PluginStatus.CLASH) else None

    def runs(self, info: PluginInfo) -> bool:
        """Return True if anything of a plugin requires running its code."""
        plugin = self._of(info)
        given = (name for things in plugin.given.values() for name in things)
        data = {*plugin.catalogs, *plugin.packs, *plugin.classes, *given}
        return self.code(info) is not None and (info.case_packs or not data.issuperset(info.brings))

    def made_by(self, info: PluginInfo, hook: Hook) -> Plugin | None:
        """Return a plugin whose code must run for some of its catalogs or rule packs. None if all are available, or if it can't be used."""
        plugin = self._of(info)
        told, here = (info.catalogs, plugin.catalogs) if hook == "friendshore_catalogs" else (info.packs, plugin.packs)
        return plugin if self.code(info) is not None and set(told) - set(here) else None

    def _of(self, info: PluginInfo) -> Plugin:
        return next(plugin for plugin in self._plugins if plugin.info == info)

    @property
    def catalogs(self) -> Mapping[str, str]:
        """Names of all usable catalogs, each with distribution and version."""
        return usable(self._plugins, "catalog")

    @property
    def packs(self) -> Mapping[str, str]:
        """Ids of all usable rule packs, each with distribution and version."""
        return usable(self._plugins, "rule pack")

    @property
    def kinds(self) -> Mapping[str, str]:
        """All usable kinds of rules, each with distribution and version."""
        return usable(self._plugins, "kind of rule")

    @property
    def readers(self) -> Mapping[str, str]:
        """Names of all usable readers, each with distribution and version."""
        return self.names("reader")

    @property
    def questions(self) -> Mapping[str, str]:
        """Names of all usable questions, each with distribution and version."""
        return self.names("question")

    def question(self, name: str) -> tuple[Named, PluginInfo]:
        """Return a question and its plugin, which is imported if necessary.

        Raises:
            PluginError: If no plugin or several bring it, or if the plugin is broken or blocked.
        """
        return self.thing("question", name)

    def thing(self, what: HookedWhat, name: str) -> tuple[Named, PluginInfo]:
        """Return an object that a plugin's hook yields, and the plugin, which is imported if necessary.

        Raises:
            PluginError: If no plugin or several bring it, or if the plugin is broken or blocked.
        """
        plugin = self._provider(what, name)
        found = plugin.given.get(what) or self._ask(plugin, HOOKS[what]).named
        return found[name], plugin.info

    def names(self, what: What) -> Mapping[str, str]:
        """Return the names of all usable things of a sort, each with distribution and version."""
        return usable(self._plugins, what)

    def catalog_folder(self, name: str, base: Path | None = None) -> CatalogRef:
        """Return the catalog that a case names: an installed one, a folder or workbook (if the name contains `/` or starts with `.`), or one from a reader.

        Args:
            name: Entry under `[use] catalogs`.
            base: Folder that a relative path starts from. None means the current one.

        Raises:
            PluginError: If no plugin or several bring it, or if the plugin is broken or blocked.
            InputError: If there is no such folder or workbook, or with all errors that a reader finds.
        """
        return self._catalog(name, base).but(columns=self.fact_columns)

    @property
    def fact_columns(self) -> FactColumns:
        """Columns of facts that plugins declare for all catalogs."""
        return fact_columns(self.plugins)

    def _catalog(self, name: str, base: Path | None) -> CatalogRef:
        if reader_in(name) is not None:
            return self.read(name, "catalog", base).catalog(base or Path())
        if is_folder(name):
            from ..reading.workbook import stated

            folder = folder_of(name, base, "catalog")
            named = stated(folder) if folder.is_file() else stated_name(folder / CATALOG_FILE, "name")
            return CatalogRef(name=named, folder=folder)
        plugin = self._provider("catalog", name)
        found = plugin.catalogs.get(name) or self._ask(plugin, "friendshore_catalogs").catalogs[name]
        return CatalogRef(name=name, folder=found, distribution=plugin.info.label)

    def reader(self, name: str) -> Reader:
        """Return a reader. Its plugin is imported here, unlike in `read`.

        Raises:
            PluginError: If no plugin or several bring it, or if the plugin is broken or blocked.
        """
        reader = self.thing("reader", name)[0]
        assert isinstance(reader, Reader)  # its hook was checked
        return reader

    def read(self, name: str, what: ReadWhat, base: Path | None = None) -> Reading:
        """Run a plugin's reader in a process of its own.

        Args:
            name: Reader and argument, like `acme-erp:orders-2027`.
            what: Catalog or demand.
            base: Folder that a relative path starts from. None means the current one.

        Raises:
            InputError: With all errors that the reader finds.
            PluginError: If no plugin or several bring the reader, or if the plugin is broken, blocked, or fails.
        """
        plugin = self._provider("reader", (reader_in(name) or (name, ""))[0])
        given = self._set.get(plugin.info.package)
        settings = {} if given is None else given.model_dump(mode="json", by_alias=True)
        return read_by(plugin, name, what, base or Path(), settings)

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
        """Return the rule packs that follow from a case's settings for a plugin, each with the plugin's label.

        Args:
            name: The plugin's name in the case.
            case: The case.
            catalogs: Catalogs of the case.
            process: Process to use, which may have served other cases. None means a new one.

        Raises:
            InputError: With all errors that the plugin finds in the settings or in what they name.
            PluginError: If the plugin can't be used, or fails.
        """
        info = self.taking_settings(name)
        settings = self.settings_of(info.package).model_dump(mode="json", by_alias=True)
        made, by = packs_by(self._of(info), name, case, catalogs, settings, process=process), info.label
        return tuple((pack.of_rules(self.rules(pack.rules, f"{by}, pack {pack.id}")), by) for pack in made)

    def folder_at_hand(self, what: What, name: str) -> Path | None:
        """Return the folder of an installed catalog or rule pack, if no code needs to run for it."""
        plugin = self._provider(what, name)
        return (plugin.catalogs if what == "catalog" else plugin.packs).get(name)

    def pack(self, name: str, base: Path | None = None) -> RulePack:
        """Return a rule pack: an installed one, or one in a folder; see `catalog_folder`.

        Raises:
            PluginError: If no plugin or several bring it, or if the plugin is broken or blocked.
            InputError: If there is no such folder, or with all errors in its file.
        """
        if is_folder(name):
            return read_pack(folder_of(name, base, "rule pack"))
        plugin = self._provider("rule pack", name)
        return read_pack(plugin.packs.get(name) or self._ask(plugin, "friendshore_rules").packs[name])

    def kind(self, name: str) -> type[Rule]:
        """Return the class of a kind of rule. Its plugin is imported if necessary.

        Raises:
            PluginError: If no plugin or several bring it, or if the plugin is broken or blocked.
        """
        return self._kind(name)[0]

    def owner(self, kind: str) -> str:
        """Return the label of the plugin that brings a kind of rule.

        Raises:
            PluginError: Like `kind`.
        """
        return self._provider("kind of rule", kind).info.label

    def rule(self, data: Mapping[str, object], where: str = "", row: int | None = None) -> Rule:
        """Create a rule from its data.

        Args:
            data: `kind`, and the fields of that kind.
            where: File, for messages.
            row: Line where the rule begins.

        Raises:
            InputError: With all errors in the data.
            PluginError: If there is no such kind, or its plugin can't be used.
        """
        kind = data.get("kind")
        if not isinstance(kind, str) or not kind:
            found = "" if kind is None else str(kind)
            expected = "one of " + ", ".join(self.kinds)
            raise InputError("a rule needs `kind`", where, row, "kind", found, expected, "add `kind`")
        try:
            model, info = self._kind(kind)
        except PluginError as error:
            # What is wrong with a plugin has the plugin's own file; a name that is nowhere stands in the user's.
            at = [p if p.file else replace(p, file=where, row=row, column="kind") for p in error.problems]
            raise PluginError(at) from error
        settings = self.settings_of(info.package) if info.settings else None
        return made_rule(model, data, where, row, info, settings)

    def rules(
        self, tables: Sequence[Mapping[str, object]], where: str = "", rows: Sequence[int | None] = ()
    ) -> tuple[Rule, ...]:
        """Create rules from their data. A rule without an id gets its kind and position as its id.

        Args:
            tables: Data of the rules.
            where: File, for messages.
            rows: Line where each rule begins, if known.

        Raises:
            InputError: With all errors in the data, unknown kinds included.
            PluginError: If only plugins are at fault.
        """
        return all_rules(self.rule, tables, where, rows)

    def pack_rules(self, pack: RulePack) -> tuple[Rule, ...]:
        """Create the rules of a pack.

        Raises:
            InputError, PluginError: Like `rules`.
        """
        return self.rules(pack.rules, pack.file, pack.lines)

    def _kind(self, name: str) -> tuple[type[Rule], PluginInfo]:
        plugin = self._provider("kind of rule", name)
        return plugin.classes.get(name) or self._ask(plugin, "friendshore_rules").kinds[name], plugin.info

    def _provider(self, what: What, name: str) -> Plugin:
        return provider(what, name, self._plugins, self._blocks)
