"""The registry: catalogs, rule packs, kinds of rules and questions by name, whoever brings them."""

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
    """What can be named in a case. Made once, never changed, and no plugin's code runs until something of it is asked for.

    Attributes:
        plugins: all plugins, the broken and the blocked too, with what is wrong with them.
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
        """The registry of what is installed, with friendshore's own kinds. Never raises, and imports no plugin.

        Args:
            blocked: plugins that count as not installed, by distribution, entry point or package (`plugin:name` for one catalog, rule
                pack or kind of it), beside those in the environment's `FRIENDSHORE_BLOCK`; friendshore's own kinds are the entry
                point `built-in`.
        """
        return cls([built_in(), *discover()], environment_blocks()).blocking(blocked, Blocker.CALL)

    def blocking(self, names: Iterable[str], by: Blocker) -> Registry:
        """The same with some more plugins ruled out, `by` whom: distributions, entry points or packages; with `:name`, one thing that it brings."""
        more = [Block(name=name, by=by) for name in names]
        return Registry(self._found, (*self._blocks, *more), self._set) if more else self

    def beside(self, plugins: Sequence[Plugin]) -> Registry:
        """The same with some more plugins, each in the place of an installed one of its distribution; none of them is blocked."""
        names = {normal(plugin.info.distribution) for plugin in plugins}
        packages = {plugin.info.package for plugin in plugins}
        kept = [p for p in self._found if normal(p.info.distribution) not in names and p.info.package not in packages]
        return Registry([*(barred(plugin, self._blocks) for plugin in kept), *plugins])

    def lacking(self, plugins: Sequence[Plugin]) -> Registry:
        """The same with plugins that are needed and not installed, to say so."""
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
        """A sealed registry: friendshore's own kinds and what is given, whatever is installed.

        Args:
            kinds: further kinds of rules.
            catalogs: folders by name.
            packs: folders by id.
            questions: further questions.
            checks: checks of runs.
            formats: output formats.
            case_formats: formats of cases.
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
        """The same with what a case sets for plugins, and everything that is wrong with that: see `settled`."""
        done, errors = settled(given, self._plugins, self.settings_model, where, line)
        return (Registry(self._found, self._blocks, {**self._set, **done}) if given else self), errors

    def settings_of(self, name: str) -> Any:
        """What is set for a plugin: a record of its model, with the model's defaults where a case sets nothing; None: it takes no settings.

        Args:
            name: its distribution, entry point or package.

        Raises:
            InputError: if something must be set and is not.
            PluginError: if there is no such plugin, or it is broken or blocked.
        """
        info = self.named(name)[0]
        if not info.settings:
            return None
        known = self._set.get(info.package)
        return known if known is not None else made(self.settings_model(info), {}, info, info.name or info.distribution)

    def settings_model(self, info: PluginInfo) -> type[BaseModel]:
        """The model of what may be set for a plugin that takes settings. Raises `PluginError` if its code cannot be used."""
        if self.code(info) is None:
            raise PluginError(f"{info.label} cannot be used: {info.error or info.status}", info.file)
        model = self._ask(self._of(info), "friendshore_settings").settings
        assert model is not None  # its hook was asked
        return model

    @property
    def plugins(self) -> tuple[PluginInfo, ...]:
        """All plugins, the broken and the blocked too, with what is wrong with them."""
        return tuple(plugin.info for plugin in self._plugins)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """What is ruled out, and by whom."""
        return self._blocks

    def idle_blocks(self, *by: Blocker) -> tuple[Diagnostic, ...]:
        """What is said of names that rule out nothing, for nothing of that name is installed; `by` whom they were named."""
        return idle((block for block in self._blocks if block.by in by), self.plugins)

    def named(self, name: str) -> tuple[PluginInfo, ...]:
        """The plugins of a distribution, or the one of an entry point or package.

        Raises:
            PluginError: if there is none.
        """
        return known_as(name, self.plugins)

    def problems(self, info: PluginInfo) -> tuple[Diagnostic, ...]:
        """What is wrong with what a plugin says of itself; nothing if it can be used."""
        return self._of(info).problems or ((Diagnostic(info.error, info.file),) if info.error else ())

    @property
    def broken(self) -> tuple[Diagnostic, ...]:
        """What is wrong with broken plugins, as errors of whoever needs one say it."""
        return tuple(problem for plugin in self._plugins for problem in broken(plugin))

    def code(self, info: PluginInfo) -> EntryPoint | None:
        """Where a plugin's code is; None where it has none of its own, cannot be used, or is ruled out."""
        return self._of(info).entry if info.status in (PluginStatus.OK, PluginStatus.CLASH) else None

    def runs(self, info: PluginInfo) -> bool:
        """Whether anything of a plugin is had by running its code."""
        plugin = self._of(info)
        given = (name for things in plugin.given.values() for name in things)
        data = {*plugin.catalogs, *plugin.packs, *plugin.classes, *given}
        return self.code(info) is not None and (info.case_packs or not data.issuperset(info.brings))

    def made_by(self, info: PluginInfo, hook: Hook) -> Plugin | None:
        """A plugin that must run code for some of its catalogs, or of its rule packs; None: all of them are at hand, or it cannot be used."""
        plugin = self._of(info)
        told, here = (info.catalogs, plugin.catalogs) if hook == "friendshore_catalogs" else (info.packs, plugin.packs)
        return plugin if self.code(info) is not None and set(told) - set(here) else None

    def _of(self, info: PluginInfo) -> Plugin:
        return next(plugin for plugin in self._plugins if plugin.info == info)

    @property
    def catalogs(self) -> Mapping[str, str]:
        """Names of all catalogs that can be used, with the distribution and version that bring each."""
        return usable(self._plugins, "catalog")

    @property
    def packs(self) -> Mapping[str, str]:
        """Ids of all rule packs that can be used, likewise."""
        return usable(self._plugins, "rule pack")

    @property
    def kinds(self) -> Mapping[str, str]:
        """All kinds of rules that can be used, likewise."""
        return usable(self._plugins, "kind of rule")

    @property
    def readers(self) -> Mapping[str, str]:
        """Names of all readers that can be used, likewise."""
        return self.names("reader")

    @property
    def questions(self) -> Mapping[str, str]:
        """Names of all questions that can be asked, likewise."""
        return self.names("question")

    def question(self, name: str) -> tuple[Named, PluginInfo]:
        """A question, and the plugin that brings it, which is imported if it has not been.

        Raises:
            PluginError: if no plugin brings it, more than one does, or the one that does is broken or blocked.
        """
        return self.thing("question", name)

    def thing(self, what: HookedWhat, name: str) -> tuple[Named, PluginInfo]:
        """Return an object that a hook of a plugin yields, by its name, and the plugin, which is imported if it wasn't yet.

        Raises:
            PluginError: If no plugin brings it, several do, or the one that does is broken or blocked.
        """
        plugin = self._provider(what, name)
        found = plugin.given.get(what) or self._ask(plugin, HOOKS[what]).named
        return found[name], plugin.info

    def names(self, what: What) -> Mapping[str, str]:
        """Return the names of all usable things of a sort, each with the distribution and version that brings it."""
        return usable(self._plugins, what)

    def catalog_folder(self, name: str, base: Path | None = None) -> CatalogRef:
        """Where the catalog `name` is: an installed one, or a folder or workbook if the name holds a `/` or begins with a `.`, or what a reader reads.

        Args:
            name: what a case writes under `[use] catalogs`.
            base: the folder that a relative path starts from; None: the current one.

        Raises:
            PluginError: if no plugin brings it, more than one does, or the one that does is broken or blocked.
            InputError: if there is no such folder or workbook, or with all that a reader finds wrong.
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
        """A reader; its plugin is imported if it has not been, which `read` does elsewhere.

        Raises:
            PluginError: as `question` does.
        """
        reader = self.thing("reader", name)[0]
        assert isinstance(reader, Reader)  # its hook was checked
        return reader

    def read(self, name: str, what: ReadWhat, base: Path | None = None) -> Reading:
        """What a plugin's reader reads, asked for in a process of its own.

        Args:
            name: reader and argument, like `acme-erp:orders-2027`.
            what: a catalog or demands.
            base: the folder that a relative path starts from; None: the current one.

        Raises:
            InputError: with all that the reader says is wrong in what it reads.
            PluginError: if no plugin brings the reader or more than one does, or its plugin is broken, blocked or fails.
        """
        plugin = self._provider("reader", (reader_in(name) or (name, ""))[0])
        given = self._set.get(plugin.info.package)
        settings = {} if given is None else given.model_dump(mode="json", by_alias=True)
        return read_by(plugin, name, what, base or Path(), settings)

    def taking_settings(self, name: str) -> PluginInfo:
        """Return the one plugin that a table of settings is for, by the name that a case gives it: see `plugin_named`."""
        return plugin_named(name, self._plugins)

    def makes_packs(self, name: str) -> bool:
        """Return True if rule packs follow from what a case sets for a plugin, by the name that the case gives it; False if it cannot be used."""
        try:
            return self.taking_settings(name).case_packs
        except FriendshoreError:
            return False

    def case_packs(
        self, name: str, case: Case, catalogs: Sequence[Catalog], process: OtherProcess | None = None
    ) -> tuple[tuple[RulePack, str], ...]:
        """The rule packs that follow from what a case sets for a plugin, given the catalogs that it names, each with the distribution that makes it.

        The plugin, which a case calls `name`, is asked in the `process` in which it was asked of other cases; None: in a new one.

        Raises:
            InputError: with all that the plugin says is wrong with what the case sets or names.
            PluginError: if its plugin cannot be used, or fails.
        """
        info = self.taking_settings(name)
        settings = self.settings_of(info.package).model_dump(mode="json", by_alias=True)
        made, by = packs_by(self._of(info), name, case, catalogs, settings, process=process), info.label
        return tuple((pack.of_rules(self.rules(pack.rules, f"{by}, pack {pack.id}")), by) for pack in made)

    def folder_at_hand(self, what: What, name: str) -> Path | None:
        """Where an installed catalog or rule pack is, if no code need be run to know."""
        plugin = self._provider(what, name)
        return (plugin.catalogs if what == "catalog" else plugin.packs).get(name)

    def pack(self, name: str, base: Path | None = None) -> RulePack:
        """The rule pack `name`: an installed one, or one in a folder; see `catalog_folder`.

        Raises:
            PluginError: if no plugin brings it, more than one does, or the one that does is broken or blocked.
            InputError: if there is no such folder, or with everything that is wrong with its file.
        """
        if is_folder(name):
            return read_pack(folder_of(name, base, "rule pack"))
        plugin = self._provider("rule pack", name)
        return read_pack(plugin.packs.get(name) or self._ask(plugin, "friendshore_rules").packs[name])

    def kind(self, name: str) -> type[Rule]:
        """The class of a kind of rule; its plugin is imported if it has not been.

        Raises:
            PluginError: if no plugin brings it, more than one does, or the one that does is broken or blocked.
        """
        return self._kind(name)[0]

    def owner(self, kind: str) -> str:
        """Distribution and version that bring a kind of rule.

        Raises:
            PluginError: as `kind` does.
        """
        return self._provider("kind of rule", kind).info.label

    def rule(self, data: Mapping[str, object], where: str = "", row: int | None = None) -> Rule:
        """A rule from its data.

        Args:
            data: `kind`, and the fields of that kind.
            where: the file it stands in, for messages.
            row: the line at which it begins.

        Raises:
            InputError: with everything that is wrong with the data.
            PluginError: if there is no such kind, or its plugin cannot be used.
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
        """Rules from their data, with all that is wrong with any of them; one without an id gets its kind and position.

        Args:
            tables: one mapping a rule.
            where: the file they stand in, for messages.
            rows: the line at which each begins, if known.

        Raises:
            InputError: with everything that is wrong with the data, unknown kinds included.
            PluginError: if nothing but plugins is wrong.
        """
        return all_rules(self.rule, tables, where, rows)

    def pack_rules(self, pack: RulePack) -> tuple[Rule, ...]:
        """The rules of a pack.

        Raises:
            InputError, PluginError: as `rules` does.
        """
        return self.rules(pack.rules, pack.file, pack.lines)

    def _kind(self, name: str) -> tuple[type[Rule], PluginInfo]:
        plugin = self._provider("kind of rule", name)
        return plugin.classes.get(name) or self._ask(plugin, "friendshore_rules").kinds[name], plugin.info

    def _provider(self, what: What, name: str) -> Plugin:
        return provider(what, name, self._plugins, self._blocks)
