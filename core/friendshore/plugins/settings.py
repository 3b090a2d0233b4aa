"""Settings of plugins: the table `[plugin.NAME]` of a case, validated with the plugin's model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from ..domain.suggest import did_you_mean
from ..errors import Diagnostic, FriendshoreError, InputError, PluginError
from ..reading.records import record
from .attribution import defect_error, exception_error, is_plugin_fault, running
from .manifest import Plugin, PluginInfo, normalized_name
from .names import broken

# Function that returns the line of a key, given its path, like `("plugin", "acme", "depth")`.
Line = Callable[[tuple[str, ...]], int | None]
TABLE = "plugin"


def table_of(name: str) -> str:
    return f"{TABLE}.{name}"


def no_line(_: tuple[str, ...]) -> int | None:
    return None


def model_in(things: Sequence[Any], info: PluginInfo) -> type[BaseModel]:
    if len(things) == 1 and isinstance(things[0], type) and issubclass(things[0], BaseModel):
        return things[0]
    raise defect_error(
        info, "its hook `friendshore_settings` must yield a single model", repr(things), "one pydantic model"
    )


def plugin_named(name: str, plugins: Sequence[Plugin]) -> PluginInfo:
    matches = [
        plugin
        for plugin in plugins
        if normalized_name(name)
        in map(normalized_name, (plugin.info.distribution, plugin.info.name, plugin.info.package))
    ]
    if causes := [problem for plugin in matches for problem in broken(plugin)]:
        raise PluginError(causes)
    infos = [plugin.info for plugin in matches]
    with_settings = [info for info in infos if info.settings]
    if len(with_settings) == 1:
        return with_settings[0]
    names = sorted({plugin.info.distribution for plugin in plugins if plugin.info.settings})
    message = f"no plugin `{name}` is installed"
    if infos:
        message = (
            f"{infos[0].label} takes no settings" if not with_settings else f"several plugins have the name `{name}`"
        )
    suggestion = did_you_mean(name, names)
    code = "FS401"
    if infos:
        code = "FS402" if with_settings else "FS404"
    fix = "delete the table" if infos else suggestion or "install it, or delete the table"
    expected = f"one of {', '.join(names)}" if names else ""
    raise InputError(message, found=f"`{name}`", expected=expected, fix=fix, code=code)


def validated_settings(
    data_by_name: Mapping[str, Mapping[str, Any]],
    plugins: Sequence[Plugin],
    model_of: Callable[[PluginInfo], type[BaseModel]],
    where: str,
    line: Line,
) -> tuple[dict[str, BaseModel], list[FriendshoreError]]:
    """Return the validated settings of a case by package, and all errors in them. `where` is the file, for messages."""
    settings: dict[str, BaseModel] = {}
    errors: list[FriendshoreError] = []
    for name, data in data_by_name.items():
        try:
            info = plugin_named(name, plugins)
            settings[info.package] = settings_record(model_of(info), data, info, name, where, line)
        except FriendshoreError as error:
            path = (TABLE, name)
            placed = [
                problem if problem.file else replace(problem, file=where, row=line(path), column=".".join(path))
                for problem in error.problems
            ]
            errors.append(type(error)(placed))
    return settings, errors


def settings_record(
    model: type[BaseModel], data: Mapping[str, Any], info: PluginInfo, name: str, where: str = "", line: Line = no_line
) -> BaseModel:
    """Return the settings of a plugin as a record of its model, or raise `InputError` with all errors. `name` is the plugin's name in the case."""
    keys = [field.alias or field_name for field_name, field in model.model_fields.items()]
    unknown = [key for key in data if key not in keys]
    expected = "one of " + ", ".join(keys)
    problems = [
        Diagnostic(
            "unknown key", column=key, expected=expected, fix=did_you_mean(key, keys) or "delete it", code="FS001"
        )
        for key in unknown
    ]
    settings: BaseModel | None = None
    try:
        with running(info.package, "reading its settings"):
            settings = record(model, {key: value for key, value in data.items() if key not in unknown})
    except InputError as error:
        problems += error.problems
    except BaseException as error:
        if isinstance(error, FriendshoreError) or not is_plugin_fault(error):
            raise
        raise exception_error(info, error, "failed to read its settings") from error
    if problems or settings is None:
        raise InputError(_placed(problem, name, where, line) for problem in problems)
    return settings


def _placed(problem: Diagnostic, name: str, where: str, line: Line) -> Diagnostic:
    key = problem.column.partition(".")[0].partition("[")[0]
    place = line((TABLE, name, key)) if key else line((TABLE, name))
    column = f"{TABLE}.{name}.{problem.column}" if problem.column else f"{TABLE}.{name}"
    return replace(problem, file=where, row=place, column=column)
