"""Command groups with the commands of plugins. Help comes from manifests, so it imports no plugin code."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from functools import wraps
from importlib.metadata import Distribution, distributions
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

from typer import style
from typer.core import TyperCommand, TyperGroup

from ..errors import FriendshoreError
from ..official import plugin_with_command
from .options import installed
from .output import answering, answers_alone
from .questions import command_for, refusal, typed_command, values_of


@dataclass(frozen=True, slots=True)
class Command:
    """A command of a plugin. Yield it from the hook `friendshore_commands`."""

    name: str
    """Name, as the manifest announces it: `sign`, or `case to-sql` for a command in a group."""
    function: Callable[..., Any]
    """Function that returns the exit code. Its parameters are typer's arguments and options, and its docstring is the help text."""


MANIFEST = "friendshore.toml"
_GROUP = "[friendshore]"
_MAX_HELP = 200
"""Maximum characters of a command's line of help."""


def own_questions() -> dict[str, str]:
    return _manifest_table(Path(__file__).parents[1], "questions")


def announced_commands() -> dict[str, str]:
    """Return the commands of all installed plugins by name, such as `case to-sql`, each with its line of help."""
    return _entries_of_all_plugins("commands")


def _entries_of_all_plugins(key: str) -> dict[str, str]:
    return dict(
        sorted(
            (name, line)
            for distribution in distributions()
            for name, line in _entries_of_distribution(distribution, key)
        )
    )


def _entries_of_distribution(distribution: Distribution, key: str) -> Iterator[tuple[str, str]]:
    with suppress(OSError, ValueError, ImportError, AttributeError):
        text = distribution.read_text("entry_points.txt") or ""
        for package in _plugin_packages(text) if _GROUP in text else ():
            spec = find_spec(package)
            for folder in (spec.submodule_search_locations if spec is not None else None) or ():
                if (Path(folder) / MANIFEST).is_file():
                    yield from _manifest_table(Path(folder), key).items()


def _plugin_packages(text: str) -> Iterator[str]:
    group = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            group = line
        elif group == _GROUP and "=" in line:
            yield line.partition("=")[2].strip().partition(":")[0].partition(".")[0]


def _manifest_table(folder: Path, key: str) -> dict[str, str]:
    """Return a table of the manifest in a folder. Raise `OSError` or `ValueError` if it can't be read."""
    lines = tomllib.loads((folder / MANIFEST).read_text(encoding="utf-8-sig")).get(key, {})
    return {str(name): str(line) for name, line in lines.items()}


_OTHER_NAMES = {"new": "init", "create": "init", "validate": "check", "solve": "plan", "run": "plan"}
"""Other tools' names of commands that have no similar spelling here."""


_TOPICS = {
    "Plan": ("init", "check", "plan", "verify", "lock", "case"),
    "Explain": ("alternatives", "why-not", "what-if", "repairs", "ask", "ledger", "calendar", "compare", "programs"),
    "Risk": ("frontier", "stress", "withstand", "risk", "sweep"),
    "Law": ("rules", "screen", "watch"),
    "Share": ("report", "orders", "dossier", "interactive", "sign", "serve", "mcp"),
    "Data": ("catalogs", "plugins"),
}
"""Commands of the top group by topic. Those of other plugins come last."""


class Commands(TyperGroup):
    """A group of commands: the kernel's own, and those in manifests of plugins. The top group has all questions too."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(dict.fromkeys((*super().list_commands(ctx), *_cached_additions(ctx))))

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the commands of the top group by topic, before the options."""
        if ctx.parent is not None:
            super().format_options(ctx, formatter)
            return
        lines = {
            name: command.get_short_help_str(_MAX_HELP)
            for name in self.list_commands(ctx)
            if (command := self.get_command(ctx, name)) is not None and not command.hidden
        }
        others = set(lines).difference(*_TOPICS.values())
        width = max(map(len, lines))
        for topic, names in (*_TOPICS.items(), ("Plugins", sorted(others))):
            rows = [(name.ljust(width), lines[name]) for name in names if name in lines]
            if rows:
                with formatter.section(style(topic, bold=True)):
                    formatter.write_dl(rows)
        TyperCommand.format_options(cast(TyperCommand, self), ctx, formatter)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        command = super().get_command(ctx, cmd_name)
        if command is not None:
            return command
        of_plugins = _cached_additions(ctx)
        if cmd_name not in of_plugins:
            return None
        text = of_plugins[cmd_name]
        if text is None:
            return Commands(name=cmd_name, help="Commands of plugins.", no_args_is_help=True, rich_markup_mode=None)
        return TyperCommand(cmd_name, short_help=text)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and not ctx.resilient_parsing and self.get_command(ctx, args[0]) is None:
            self._refuse_unknown(ctx, args[0])
        name, command, remaining = super().resolve_command(ctx, args)
        if command is None or name is None or (name in self.commands and name not in own_questions()):
            return name, command, remaining
        path = " ".join((*_group_path(ctx), name))
        if path in announced_commands():
            return name, plugin_command(path, remaining), remaining
        return name, command if isinstance(command, Commands) else command_for(name, remaining), remaining

    def _refuse_unknown(self, ctx: Any, name: str) -> None:
        path = " ".join((*_group_path(ctx), name))
        plugin = plugin_with_command(path)
        if plugin is not None:
            ctx.fail(f"The command '{path}' is in the plugin {plugin.distribution}: {plugin.install}")
        matches = [_OTHER_NAMES[name]] if name in _OTHER_NAMES else get_close_matches(name, self.list_commands(ctx))
        if matches:
            ctx.fail(f"No such command '{name}'. Did you mean {', '.join(map(repr, matches))}?")


def _cached_additions(ctx: Any) -> dict[str, str | None]:
    """Return what plugins add to a group, read from their manifests once for each command line."""
    group = _group_path(ctx)
    key = f"{__name__}: {' '.join(group)}"
    if key not in ctx.meta:
        ctx.meta[key] = _additions(group)
    added: dict[str, str | None] = ctx.meta[key]
    return added


def _group_path(ctx: Any) -> tuple[str, ...]:
    return () if ctx.parent is None else (*_group_path(ctx.parent), ctx.info_name)


def _additions(group: tuple[str, ...]) -> dict[str, str | None]:
    """Return what plugins add to a group: commands with their line of help, and groups with None."""
    additions: dict[str, str | None] = {} if group else dict(_entries_of_all_plugins("questions"))
    for name, line in announced_commands().items():
        *words, last = name.split()
        if tuple(words) == group:
            additions[last] = line
        elif words and not group:
            additions.setdefault(words[0], None)
    return dict(sorted(additions.items()))


def placeholder() -> None:
    """Placeholder for one of friendshore's own questions."""


def plugin_command(name: str, args: Sequence[str]) -> TyperCommand:
    """Return a plugin's command, or one that reports why it is unavailable. Plugins blocked in `args` are ignored."""
    from ..plugins.attribution import attributed_object, defect_error

    last, as_json = name.rpartition(" ")[2], "--json" in args
    try:
        with answers_alone():
            command, info = installed(list(values_of(args, "--block"))).thing("command", name)
            if not isinstance(command, Command):
                raise defect_error(
                    info, f"its command `{name}` can't be run", repr(command), "an object of friendshore.cli.Command"
                )
    except FriendshoreError as error:
        return refusal(last, error, as_json)

    @wraps(command.function)
    def run(*arguments: Any, **named: Any) -> int:
        with attributed_object(command, name, "command", command.function):
            code = command.function(*arguments, **named)
        return int(code or 0)

    try:
        return typed_command(last, answering(run))
    except (TypeError, RuntimeError) as error:  # typer raises these for parameters that it can't read
        return refusal(
            last, defect_error(info, f"its command `{name}` has options that can't be read: {error}"), as_json
        )
