"""Host of plugin code: import on demand, hook calls, checks of the results, and creation of rules."""

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
from .attribution import defect_error, exception_error, is_plugin_fault, running
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


@dataclass(frozen=True, slots=True)
class Yielded:
    """Objects that a plugin's hooks yield."""

    kinds: Mapping[str, type[Rule]] = field(default_factory=dict)
    packs: Mapping[str, Path] = field(default_factory=dict)
    catalogs: Mapping[str, Path] = field(default_factory=dict)
    named: Mapping[str, Named] = field(default_factory=dict)
    settings: type[BaseModel] | None = None


def checked_results(plugin: Plugin, hook: Hook) -> Yielded:
    """Call a hook of a plugin, and return the checked results. Raises `PluginError` unless they are exactly what the manifest announces."""
    info = plugin.info
    items = call_hook(plugin, hook)
    if hook == "friendshore_settings":
        return Yielded(settings=model_in(items, info))
    what = next((what for what, named_hook in HOOKS.items() if named_hook == hook), None)
    if what is not None:
        objects = named(items, info, hook)
        if what == "reader":
            _check_readers(objects, info)
        _check_matches_manifest(info, hook, names_of(plugin, what), objects)
        return Yielded(named=objects)
    kinds: dict[str, type[Rule]] = {}
    packs: dict[str, Path] = {}
    catalogs: dict[str, Path] = {}
    for item in items:
        if isinstance(item, Path):
            file, key, into = (
                (PACK_FILE, "id", packs) if hook == "friendshore_rules" else (CATALOG_FILE, "name", catalogs)
            )
            _add(info, into, stated_name(item / file, key), item)
        elif hook == "friendshore_rules" and isinstance(item, type) and issubclass(item, Rule):
            _add(info, kinds, kind_of(item, info), item)
        else:
            expected = "folders" if hook == "friendshore_catalogs" else "subclasses of Rule, and folders of rule packs"
            raise defect_error(info, f"its hook `{hook}` yields an invalid object", repr(item), expected)
    if hook == "friendshore_catalogs":
        _check_matches_manifest(info, hook, set(info.catalogs) - set(plugin.catalogs), catalogs)
    else:
        _check_matches_manifest(info, hook, info.kinds, kinds)
        _check_matches_manifest(info, hook, set(info.packs) - set(plugin.packs), packs)
    return Yielded(kinds, packs, catalogs)


class HookResults:
    """Cache of hook results. Each hook is called once, even if it fails."""

    def __init__(self) -> None:
        # By `id()` of the plugin, which the registry keeps alive.
        self._answers: dict[tuple[int, Hook], Yielded | PluginError] = {}
        self._lock = RLock()

    def __call__(self, plugin: Plugin, hook: Hook) -> Yielded:
        key = (id(plugin), hook)
        with self._lock:
            if key not in self._answers:
                try:
                    yielded = checked_results(plugin, hook) if plugin.info.package != OWN else own_results(plugin.info)
                except PluginError as error:
                    self._answers[key] = error
                    raise
                self._answers[key] = yielded
            result = self._answers[key]
        if isinstance(result, PluginError):
            raise type(result)(result.problems)
        return result


def call_hook(plugin: Plugin, hook: Hook, **arguments: object) -> list[Any]:
    """Call a hook of a plugin, and return the unchecked results. A hook with arguments may raise `InputError` for errors in them."""
    info = plugin.info
    assert plugin.entry is not None  # a plugin without code announces nothing that needs a hook
    return _hook_results(info, manager_of(info, plugin.entry), hook, arguments)


def named(things: Iterable[Any], info: PluginInfo, hook: Hook = "friendshore_questions") -> dict[str, Any]:
    objects: dict[str, Any] = {}
    noun = hook.removeprefix("friendshore_").replace("_", " ")
    for thing in things:
        try:
            with running(info.package, f"the name of one of its {noun}"):
                name = thing.name
        except Exception:  # noqa: BLE001 - an object without a usable name
            name = None
        if not isinstance(name, str) or not name:
            raise defect_error(info, f"its hook `{hook}` yields an object without a name", repr(thing), noun)
        _add(info, objects, name, thing)
    return objects


def _check_readers(objects: Mapping[str, object], info: PluginInfo) -> None:
    for name, reader in objects.items():
        if not isinstance(reader, Reader):
            message = "its hook `friendshore_readers` yields an object that isn't a reader"
            raise defect_error(
                info, message, f"`{name}`, a {type(reader).__name__}", "instances of subclasses of Reader"
            )


def kind_of(rule: type[Rule], info: PluginInfo) -> str:
    name = rule.model_fields["kind"].default
    if not isinstance(name, str) or not name:
        expected = 'kind: Literal["a-name"] = "a-name"'
        raise defect_error(info, f"its rule class {rule.__name__} has no kind", "", expected, code="FS423")
    if not rule.verbs:
        raise defect_error(
            info, f"its rule class {rule.__name__} implements no verb", "", "judge, charge, or rows", code="FS423"
        )
    if rule.judge_scope not in ("chain", "trade"):
        raise defect_error(
            info,
            f"its rule class {rule.__name__} has an invalid `judge_scope`",
            repr(rule.judge_scope),
            "chain or trade",
            code="FS423",
        )
    return name


def manager_of(info: PluginInfo, entry: EntryPoint) -> pluggy.PluginManager:
    """Return a plugin manager for one plugin alone, so that an error can't be attributed to another."""
    try:
        with running(info.package, "its import", may_change_decimals=True):
            code = entry.load()
    except BaseException as error:  # SystemExit too, since the program would seem to succeed
        if not is_plugin_fault(error):
            raise
        raise exception_error(info, error, "cannot be imported") from error
    manager = pluggy.PluginManager("friendshore")
    manager.add_hookspecs(hookspecs)
    try:
        manager.register(code, name=info.label)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        hooks = ", ".join(f"{hook}()" for hook in get_args(Hook) if hook != "friendshore_case_packs")
        hooks += ", without arguments, and friendshore_case_packs(facts)"
        text = " ".join(str(error).split())
        raise defect_error(
            info, f"it implements an unknown hook: {text}", "", hooks, getattr(code, "__file__", ""), code="FS424"
        ) from error
    return manager


def _hook_results(
    info: PluginInfo, manager: pluggy.PluginManager, hook: Hook, arguments: Mapping[str, object]
) -> list[Any]:
    """Return everything that the implementations of a hook yield. A generator is consumed here, so that its exceptions are attributed to the plugin."""
    things: list[Any] = []
    implementations = getattr(manager.hook, hook).get_hookimpls()
    if not implementations:
        raise defect_error(
            info,
            f"it has no hook `{hook}`, although {MANIFEST} announces it",
            "",
            "a function of that name, marked with hookimpl",
            code="FS424",
        )
    for implementation in implementations:
        try:
            with running(info.package, f"its hook `{hook}`", may_change_decimals=True):
                yielded = implementation.function(**{name: arguments[name] for name in implementation.argnames})
                things += [] if yielded is None else yielded
        except BaseException as error:
            if not is_plugin_fault(error) or (arguments and isinstance(error, InputError)):
                raise
            raise exception_error(info, error, f"failed in its hook `{hook}`") from error
        if yielded is None:  # a forgotten `return` must not count as an empty result
            raise defect_error(info, f"its hook `{hook}` returns None", "None", "what it brings, or an empty list")
    return things


def _check_matches_manifest(info: PluginInfo, hook: Hook, announced: Iterable[str], yielded: Iterable[str]) -> None:
    missing, unannounced = sorted(set(announced) - set(yielded)), sorted(set(yielded) - set(announced))
    parts = [f"does not yield {', '.join(missing)}"] if missing else []
    parts += [f"yields {', '.join(unannounced)}, which the manifest doesn't announce"] if unannounced else []
    if parts:
        raise defect_error(
            info,
            f"its hook `{hook}` {' and '.join(parts)}",
            "",
            "exactly what friendshore.toml announces",
            code="FS424",
        )


def _add(info: PluginInfo, things: dict[str, Any], name: str, thing: object) -> None:
    if name in things:
        raise defect_error(info, f"it yields `{name}` twice", f"{things[name]} and {thing}", "different names")
    things[name] = thing


_OWN_MANIFEST = Path(__file__).parents[1] / MANIFEST


def own_questions() -> tuple[Announced, ...]:
    return announced(toml_data(_OWN_MANIFEST.read_text(encoding="utf-8"), str(_OWN_MANIFEST))["questions"])


def built_in() -> Plugin:
    info = PluginInfo(distribution=OWN, version=__version__, name="built-in", package=OWN)
    classes = {kind_of(rule, info): rule for rule in builtin_kinds()}
    return Plugin(info.but(kinds=tuple(classes), questions=own_questions()), classes=classes)


def own_results(info: PluginInfo) -> Yielded:
    """Return friendshore's own questions. They are in a layer above this one, and so are imported on demand."""
    code = import_module(f"{OWN}.questions")
    return Yielded(named=named(code.friendshore_questions(), info))


def plugin_in_memory(
    kinds: Iterable[type[Rule]],
    catalogs: Mapping[str, Path],
    packs: Mapping[str, Path],
    things: Mapping[HookedWhat, Iterable[Named]],
) -> Plugin:
    info = PluginInfo(distribution="given in memory")
    classes = {kind_of(rule, info): rule for rule in kinds}
    objects = {what: named(group, info, HOOKS[what]) for what, group in things.items()}
    info = info.but(
        catalogs=tuple(catalogs),
        packs=tuple(packs),
        kinds=tuple(classes),
        **{FIELD[what]: announced(dict.fromkeys(by_name, "")) for what, by_name in objects.items()},
    )
    return Plugin(info, None, dict(catalogs), dict(packs), classes, objects)


def create_rule(
    model: type[Rule], data: Mapping[str, object], where: str, row: int | None, info: PluginInfo, settings: Any
) -> Rule:
    if is_own(model):
        return record(model, data, where, row)
    try:
        with running(package_of(model), f"making a rule of kind `{data['kind']}`"):
            return record(model, data, where, row).with_settings(settings)
    except FriendshoreError:
        raise
    except BaseException as error:
        if not is_plugin_fault(error):
            raise
        raise exception_error(info, error, f"failed to make a rule of kind `{data['kind']}`") from error


def create_rules(
    make: Callable[[Mapping[str, object], str, int | None], Rule],
    tables: Sequence[Mapping[str, object]],
    where: str,
    rows: Sequence[int | None],
) -> tuple[Rule, ...]:
    rules: list[Rule] = []
    errors: list[FriendshoreError] = []
    for position, table in enumerate(tables):
        if not isinstance(table, Mapping):
            type_name, expected = f"`{type(table).__name__}`", "a table (a dict) with `kind`"
            fix = "pass rule objects to `friendshore.plan(case, rules=[...])`"
            errors.append(
                InputError(
                    "a rule isn't a table", where, None, f"rules[{position + 1}]", type_name, expected, fix, "FS011"
                )
            )
            continue
        row = rows[position] if position < len(rows) else None
        data = table if table.get("id") else {**table, "id": f"{table.get('kind')}-{position + 1}"}
        try:
            rules.append(make(data, where, row))
        except FriendshoreError as error:
            file = f"{where}, rule `{data['id']}`" if where and row is None else where
            errors.append(
                type(error)(
                    replace(problem, file=file) if problem.file == where else problem for problem in error.problems
                )
            )
    if errors:
        problems = [problem for error in errors for problem in error.problems]
        only_plugins = all(isinstance(error, PluginError) for error in errors)
        raise PluginError(problems) if only_plugins else InputError(problems)
    return tuple(rules)
