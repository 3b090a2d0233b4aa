"""Settings of plugins: `[plugin.NAME]` of a case, checked against the model that the plugin brings, and handed to its rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from ..domain.suggest import did_you_mean
from ..errors import Diagnostic, FriendshoreError, InputError, PluginError
from ..reading.records import record
from .attribution import blame, running, to_blame, wrong
from .manifest import Plugin, PluginInfo, normal
from .names import broken

Line = Callable[[tuple[str, ...]], int | None]
"""Line at which a key stands, by its path: `("plugin", "acme", "depth")`."""
TABLE = "plugin"
"""The table of a case that holds them."""


def table_of(name: str) -> str:
    """The table of a case that holds what it sets for a plugin."""
    return f"{TABLE}.{name}"


def nowhere(_: tuple[str, ...]) -> int | None:
    """What is set in memory stands on no line."""
    return None


def model_in(things: Sequence[Any], info: PluginInfo) -> type[BaseModel]:
    """The one model that a plugin's hook yields.

    Raises:
        PluginError: if it yields anything else.
    """
    if len(things) == 1 and isinstance(things[0], type) and issubclass(things[0], BaseModel):
        return things[0]
    raise wrong(info, "its hook `friendshore_settings` yields something else", repr(things), "one pydantic model")


def plugin_named(name: str, plugins: Sequence[Plugin]) -> PluginInfo:
    """Return the one plugin that a table of settings is for.

    Raises:
        PluginError: if it is broken.
        InputError: if there is none, several, or one that takes no settings.
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
    """What a case sets for plugins, by package, and everything that is wrong with that.

    Settings are `given` by distribution, entry point or package; `where` is the file they stand in, and `line` says on which line a key stands.
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
    """The settings of a plugin, which the case calls `name`, as a record of its model; `where` and `line` say where they stand, for messages.

    Raises:
        InputError: with everything that is wrong with them, each with its line.
        PluginError: if a validator of the plugin's raises something else.
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
        if isinstance(error, FriendshoreError) or not to_blame(error):
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
