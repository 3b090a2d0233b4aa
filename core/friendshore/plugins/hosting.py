"""Host of plugin code: import on demand, hook calls, checks of the results, and creation of rules.

friendshore's own rules and questions, and objects given in memory, use the same structure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from importlib.metadata import EntryPoint
from pathlib import Path
from threading import RLock
from typing import Any, Literal, get_args

import pluggy
from pydantic import BaseModel

from .. import hookspecs
from ..errors import FriendshoreError, InputError, PluginError
from ..hookspecs import Named
from ..readers import Reader
from ..reading.records import record
from ..reading.tomlfile import toml_data
from ..rules.base import Rule
from ..rules.kinds import builtin_kinds
from ..rules.pack import PACK_FILE, stated_name
from .attribution import blame, is_plugin_fault, running, wrong
from .interface import OWN, __version__, is_own, package_of
from .manifest import CATALOG_FILE, Announced, Plugin, PluginInfo, announced
from .names import FIELD, names_of
from .packages import MANIFEST
from .settings import model_in

Hook = Literal[
    "friendshore_catalogs",
    "friendshore_rules",
    "friendshore_questions",
    "friendshore_readers",
    "friendshore_settings",
    "friendshore_case_packs",
    "friendshore_commands",
    "friendshore_formats",
    "friendshore_checks",
    "friendshore_case_formats",
]


HookedWhat = Literal["question", "reader", "command", "format", "check", "case format"]
HOOKS: Mapping[HookedWhat, Hook] = {
    "question": "friendshore_questions",
    "reader": "friendshore_readers",
    "command": "friendshore_commands",
    "format": "friendshore_formats",
    "check": "friendshore_checks",
    "case format": "friendshore_case_formats",
}
"""Sort -> hook that yields named objects of this sort."""


@dataclass(frozen=True, slots=True)
class Yielded:
    """Objects that a plugin's hooks yield."""

    kinds: Mapping[str, type[Rule]] = field(default_factory=dict)
    packs: Mapping[str, Path] = field(default_factory=dict)
    catalogs: Mapping[str, Path] = field(default_factory=dict)
    named: Mapping[str, Named] = field(default_factory=dict)
    """Questions, readers, commands, formats, or checks, by name."""
    settings: type[BaseModel] | None = None


def ask(plugin: Plugin, hook: Hook) -> Yielded:
    """Import a plugin and call one of its hooks.

    Raises:
        PluginError: If the import or the hook fails, if the hook is misspelled, or if it yields other things than the manifest announces.
    """
    info = plugin.info
    things = called(plugin, hook)
    if hook == "friendshore_settings":
        return Yielded(settings=model_in(things, info))
    what = next((what for what, one in HOOKS.items() if one == hook), None)
    if what is not None:
        found = named(things, info, hook)
        if what == "reader":
            _refuse_no_reader(found, info)
        _announced(info, hook, names_of(plugin, what), found)
        return Yielded(named=found)
    kinds: dict[str, type[Rule]] = {}
    packs: dict[str, Path] = {}
    catalogs: dict[str, Path] = {}
    for thing in things:
        if isinstance(thing, Path):
            file, key, into = (
                (PACK_FILE, "id", packs) if hook == "friendshore_rules" else (CATALOG_FILE, "name", catalogs)
            )
            _put(info, into, stated_name(thing / file, key), thing)
        elif hook == "friendshore_rules" and isinstance(thing, type) and issubclass(thing, Rule):
            _put(info, kinds, kind_of(thing, info), thing)
        else:
            expected = "folders" if hook == "friendshore_catalogs" else "subclasses of Rule, and folders of rule packs"
            raise wrong(info, f"its hook `{hook}` yields something else", repr(thing), expected)
    if hook == "friendshore_catalogs":
        _announced(info, hook, set(info.catalogs) - set(plugin.catalogs), catalogs)
    else:
        _announced(info, hook, info.kinds, kinds)
        _announced(info, hook, set(info.packs) - set(plugin.packs), packs)
    return Yielded(kinds, packs, catalogs)


class HookAnswers:
    """Cache of hook results. Each hook is called once, even if it fails."""

    def __init__(self) -> None:
        self._answers: dict[tuple[int, Hook], Yielded | PluginError] = {}
        """Results by `id()` of the plugin, which the registry keeps alive."""
        self._lock = RLock()

    def __call__(self, plugin: Plugin, hook: Hook) -> Yielded:
        key = (id(plugin), hook)
        with self._lock:
            if key not in self._answers:
                try:
                    answer = ask(plugin, hook) if plugin.info.package != OWN else asked_of_us(plugin.info)
                except PluginError as error:
                    self._answers[key] = error
                    raise
                self._answers[key] = answer
            found = self._answers[key]
        if isinstance(found, PluginError):
            raise type(found)(found.problems)
        return found


def called(plugin: Plugin, hook: Hook, **given: object) -> list[Any]:
    """Import a plugin if necessary, call one of its hooks, and return the unchecked results.

    Raises:
        PluginError: If the import or the hook fails, or if the hook is misspelled.
        InputError: If a hook with arguments reports errors in them.
    """
    info = plugin.info
    assert plugin.entry is not None  # what is announced without code has its folder or class at hand
    return _call(info, manager_of(info, plugin.entry), hook, given)


def named(things: Iterable[Any], info: PluginInfo, hook: Hook = "friendshore_questions") -> dict[str, Any]:
    """Return the objects that a hook yields, by name.

    Raises:
        PluginError: If one has no name, or two have the same.
    """
    found: dict[str, Any] = {}
    what = hook.removeprefix("friendshore_").replace("_", " ")
    for thing in things:
        try:
            with running(info.package, f"the name of one of its {what}"):
                name = thing.name
        except Exception:  # noqa: BLE001 - whatever it is: it has no name
            name = None
        if not isinstance(name, str) or not name:
            raise wrong(info, f"its hook `{hook}` yields something else", repr(thing), what)
        _put(info, found, name, thing)
    return found


def _refuse_no_reader(found: Mapping[str, object], info: PluginInfo) -> None:
    """Raise `PluginError` if one of the objects isn't a reader."""
    for name, reader in found.items():
        if not isinstance(reader, Reader):
            message = "its hook `friendshore_readers` yields something else"
            raise wrong(info, message, f"`{name}`, a {type(reader).__name__}", "subclasses of Reader, made")


def kind_of(rule: type[Rule], info: PluginInfo) -> str:
    """Return the kind of a rule class.

    Raises:
        PluginError: If it has none, or does nothing.
    """
    name = rule.model_fields["kind"].default
    if not isinstance(name, str) or not name:
        raise wrong(info, f"its rule class {rule.__name__} sets no kind", "", 'kind: Literal["a-name"] = "a-name"')
    if not rule.verbs:
        raise wrong(info, f"its rule class {rule.__name__} does nothing", "", "judge, charge or rows")
    if rule.bears_on not in ("chain", "trade"):
        raise wrong(
            info, f"its rule class {rule.__name__} bears on something else", repr(rule.bears_on), "chain or trade"
        )
    return name


def manager_of(info: PluginInfo, entry: EntryPoint) -> pluggy.PluginManager:
    """Return a plugin manager for one plugin alone, so that an error can't be attributed to another.

    Raises:
        PluginError: If it can't be imported, or implements an unknown hook.
    """
    try:
        with running(info.package, "its import", whole=True):
            code = entry.load()
    except BaseException as error:  # whatever it raises, it must not end the program as if all were well
        if not is_plugin_fault(error):
            raise
        raise blame(info, error, "cannot be imported") from error
    manager = pluggy.PluginManager("friendshore")
    manager.add_hookspecs(hookspecs)
    try:
        manager.register(code, name=info.label)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        hooks = ", ".join(f"{hook}()" for hook in get_args(Hook) if hook != "friendshore_case_packs")
        hooks += ", without arguments, and friendshore_case_packs(facts)"
        said = " ".join(str(error).split())
        raise wrong(
            info, f"it implements a hook that there is not: {said}", "", hooks, getattr(code, "__file__", "")
        ) from error
    return manager


def _call(info: PluginInfo, manager: pluggy.PluginManager, hook: Hook, given: Mapping[str, object]) -> list[Any]:
    """Return everything that the implementations of a hook yield. A generator is consumed here, so that its exceptions are attributed to the plugin."""
    things: list[Any] = []
    implementations = getattr(manager.hook, hook).get_hookimpls()
    if not implementations:
        raise wrong(
            info, f"it has no hook `{hook}`", "", f"a function of that name, marked with hookimpl, as {MANIFEST} says"
        )
    for implementation in implementations:
        try:
            with running(info.package, f"its hook `{hook}`", whole=True):
                answer = implementation.function(**{name: given[name] for name in implementation.argnames})
                things += [] if answer is None else answer
        except BaseException as error:
            if not is_plugin_fault(error) or (given and isinstance(error, InputError)):
                raise
            raise blame(info, error, f"failed in its hook `{hook}`") from error
        if answer is None:  # a `return` that was forgotten must not pass for nothing
            raise wrong(
                info, f"its hook `{hook}` answers None", "None", "what it brings; where that is nothing, an empty list"
            )
    return things


def _announced(info: PluginInfo, hook: Hook, announced: Iterable[str], yielded: Iterable[str]) -> None:
    """Raise `PluginError` if a plugin yields more or less than it announces."""
    less, more = sorted(set(announced) - set(yielded)), sorted(set(yielded) - set(announced))
    parts = [f"does not yield {', '.join(less)}"] if less else []
    parts += [f"yields {', '.join(more)}, which the manifest does not announce"] if more else []
    if parts:
        raise wrong(
            info, f"its hook `{hook}` {' and '.join(parts)}", "", "what friendshore.toml says, no more and no less"
        )


def _put(info: PluginInfo, into: dict[str, Any], name: str, thing: object) -> None:
    if name in into:
        raise wrong(info, f"it yields `{name}` twice", f"{into[name]} and {thing}", "names that differ")
    into[name] = thing


_OWN_MANIFEST = Path(__file__).parents[1] / MANIFEST


def own_questions() -> tuple[Announced, ...]:
    """Return friendshore's own questions, from its manifest."""
    return announced(toml_data(_OWN_MANIFEST.read_text(encoding="utf-8"), str(_OWN_MANIFEST))["questions"])


def built_in() -> Plugin:
    """Return friendshore's own kinds and questions as a plugin."""
    info = PluginInfo(distribution=OWN, version=__version__, name="built-in", package=OWN)
    classes = {kind_of(rule, info): rule for rule in builtin_kinds()}
    return Plugin(info.but(kinds=tuple(classes), questions=own_questions()), classes=classes)


def asked_of_us(info: PluginInfo) -> Yielded:
    """Return friendshore's own questions. They are in a layer above this one and are imported on demand."""
    code = import_module(f"{OWN}.questions")
    return Yielded(named=named(code.friendshore_questions(), info))


def given_in_memory(
    kinds: Iterable[type[Rule]],
    catalogs: Mapping[str, Path],
    packs: Mapping[str, Path],
    things: Mapping[HookedWhat, Iterable[Named]],
) -> Plugin:
    """Return objects given in memory as a plugin.

    Raises:
        PluginError: If a kind or an object has no name, or two have the same.
    """
    info = PluginInfo(distribution="given in memory")
    classes = {kind_of(rule, info): rule for rule in kinds}
    given = {what: named(some, info, HOOKS[what]) for what, some in things.items()}
    told = info.but(
        catalogs=tuple(catalogs),
        packs=tuple(packs),
        kinds=tuple(classes),
        **{FIELD[what]: announced(dict.fromkeys(some, "")) for what, some in given.items()},
    )
    return Plugin(told, None, dict(catalogs), dict(packs), classes, given)


def made_rule(
    model: type[Rule], data: Mapping[str, object], where: str, row: int | None, info: PluginInfo, settings: Any
) -> Rule:
    """Create a rule from its data and the settings of its plugin: see `Registry.rule`."""
    if is_own(model):
        return record(model, data, where, row)
    try:
        with running(package_of(model), f"making a rule of kind `{data['kind']}`"):
            return record(model, data, where, row).given(settings)
    except FriendshoreError:
        raise
    except BaseException as error:
        if not is_plugin_fault(error):
            raise
        raise blame(info, error, f"failed to make a rule of kind `{data['kind']}`") from error


def all_rules(
    make: Callable[[Mapping[str, object], str, int | None], Rule],
    tables: Sequence[Mapping[str, object]],
    where: str,
    rows: Sequence[int | None],
) -> tuple[Rule, ...]:
    """Create rules from their data: see `Registry.rules`.

    Raises:
        InputError: With all errors in the data, unknown kinds included.
        PluginError: If only plugins are at fault.
    """
    found: list[Rule] = []
    errors: list[FriendshoreError] = []
    for position, table in enumerate(tables):
        if not isinstance(table, Mapping):
            found_there, expected = f"`{type(table).__name__}`", "a table (a dict) with `kind`"
            fix = "give rules that are objects to `friendshore.plan(case, rules=[...])`"
            errors.append(
                InputError("a rule is no table", where, None, f"rules[{position + 1}]", found_there, expected, fix)
            )
            continue
        row = rows[position] if position < len(rows) else None
        named = table if table.get("id") else {**table, "id": f"{table.get('kind')}-{position + 1}"}
        try:
            found.append(make(named, where, row))
        except FriendshoreError as error:
            at = f"{where}, rule `{named['id']}`" if where and row is None else where
            errors.append(type(error)(replace(p, file=at) if p.file == where else p for p in error.problems))
    if errors:
        problems = [problem for error in errors for problem in error.problems]
        only_plugins = all(isinstance(error, PluginError) for error in errors)
        raise PluginError(problems) if only_plugins else InputError(problems)
    return tuple(found)
