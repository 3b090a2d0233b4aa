"""Settings of plugins: the table `[plugin.NAME]` of a case, validated with the plugin's model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from ..domain.suggest import did_you_mean
from ..errors import Diagnostic, FriendshoreError, InputError, PluginError
from ..reading.records import record
from .attribution import blame, is_plugin_fault, running, wrong
from .manifest import Plugin, PluginInfo, normal
from .names import broken

Line = Callable[[tuple[str, ...]], int | None]
"""Function that returns the line of a key, given its path, like `("plugin", "acme", "depth")`."""
TABLE = "plugin"
"""Table of a case that contains the settings."""


def table_of(name: str) -> str:
    """Return the name of the table with a plugin's settings."""
    return f"{TABLE}.{name}"


def nowhere(_: tuple[str, ...]) -> int | None:
    """Return None: settings in memory have no line."""
    return None


def model_in(things: Sequence[Any], info: PluginInfo) -> type[BaseModel]:
    """Return the only model that a plugin's hook yields.

    Raises:
        PluginError: If it yields anything else.
    """
    if len(things) == 1 and isinstance(things[0], type) and issubclass(things[0], BaseModel):
        return things[0]
    raise wrong(info, "its hook `friendshore_settings` yields something else", repr(things), "one pydantic model")


def plugin_named(name: str, plugins: Sequence[Plugin]) -> PluginInfo:
    """Return the only plugin that a table of settings is for.

    Raises:
        PluginError: If it is broken.
        InputError: If there is none or several, or if it takes no settings.
    """
    named = [p for p in plugins if normal(name) in map(normal, (p.info.distribution, p.info.name, p.info.package))]
    if causes := [problem for plugin in named for problem in broken(plugin)]:
        raise PluginError(causes)
    found = [plugin.info for plugin in named]
    taking = [info for info in found if info.settings]
    if len(taking) == 1:
        return taking[0]
    names = sorted({plugin.info.distribution for plugin in plugins if plugin.info.settings})
    message = f"no plugin `{name}` is installed"
    if found:
        message = f"{found[0].label} takes no settings" if not taking else f"several plugins are called `{name}`"
    meant = did_you_mean(name, names)
    fix = "delete the table" if found else f"install it, or delete the table{f'; {meant}' if meant else ''}"
    expected = f"one of {', '.join(names)}" if names else ""
    raise InputError(message, found=f"`{name}`", expected=expected, fix=fix)


def settled(
    given: Mapping[str, Mapping[str, Any]],
    plugins: Sequence[Plugin],
    model_of: Callable[[PluginInfo], type[BaseModel]],
    where: str,
    line: Line,
) -> tuple[dict[str, BaseModel], list[FriendshoreError]]:
    """Return the validated settings of a case by package, and all errors in them.

    Args:
        given: Data by distribution, entry point, or package.
        plugins: All plugins.
        model_of: Function that returns the model of a plugin.
        where: File, for messages.
        line: Function that returns the line of a key.
    """
    done: dict[str, BaseModel] = {}
    errors: list[FriendshoreError] = []
    for name, data in given.items():
        try:
            info = plugin_named(name, plugins)
            done[info.package] = made(model_of(info), data, info, name, where, line)
        except FriendshoreError as error:
            at = (TABLE, name)
            placed = [
                p if p.file else replace(p, file=where, row=line(at), column=".".join(at)) for p in error.problems
            ]
            errors.append(type(error)(placed))
    return done, errors


def made(
    model: type[BaseModel], data: Mapping[str, Any], info: PluginInfo, name: str, where: str = "", line: Line = nowhere
) -> BaseModel:
    """Return the settings of a plugin as a record of its model.

    Args:
        model: The plugin's model.
        data: Contents of the table.
        info: The plugin.
        name: Its name in the case.
        where: File, for messages.
        line: Function that returns the line of a key.

    Raises:
        InputError: With all errors in the settings, each with its line.
        PluginError: If a validator of the plugin raises something else.
    """
    strange = [key for key in data if key not in _keys(model)]
    found = [_strange(key, _keys(model)) for key in strange]
    settings: BaseModel | None = None
    try:
        with running(info.package, "reading its settings"):
            settings = record(model, {key: value for key, value in data.items() if key not in strange})
    except InputError as error:
        found += error.problems
    except BaseException as error:
        if isinstance(error, FriendshoreError) or not is_plugin_fault(error):
            raise
        raise blame(info, error, "failed to read its settings") from error
    if found or settings is None:
        raise InputError(_placed(problem, name, where, line) for problem in found)
    return settings


def _keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _strange(key: str, keys: Sequence[str]) -> Diagnostic:
    return Diagnostic(
        "no such key", column=key, expected="one of " + ", ".join(keys), fix=did_you_mean(key, keys) or "delete it"
    )


def _placed(problem: Diagnostic, name: str, where: str, line: Line) -> Diagnostic:
    key = problem.column.partition(".")[0].partition("[")[0]
    place = line((TABLE, name, key)) if key else line((TABLE, name))
    column = f"{TABLE}.{name}.{problem.column}" if problem.column else f"{TABLE}.{name}"
    return replace(problem, file=where, row=place, column=column)
