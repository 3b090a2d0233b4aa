"""What is installed, as the command line sees it: the one place where commands get it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Annotated

import typer

from .output import warn

if TYPE_CHECKING:
    from ..plugins import Registry

Blocked = Annotated[
    list[str] | None,
    typer.Option(
        "--block",
        metavar="NAME",
        help="Plugin (distribution or entry point) that counts as not installed, or PLUGIN:NAME for one thing of it; may repeat.",
    ),
]


_ALONE: ContextVar[bool] = ContextVar("_ALONE", default=False)


def alone(program: Callable[[], int]) -> int:
    """Runs a program that has its process to itself: code of plugins is then watched from another one.

    Args:
        program: what returns the exit code.
    """
    token = _ALONE.set(True)
    try:
        code = program()
    finally:
        _ALONE.reset(token)
    watching = sys.modules.get("friendshore.plugins.watching")
    if watching is not None:
        watching.finish(code)
    return code


def installed(block: list[str] | None) -> Registry:
    """What is installed, less what `--block` and the environment rule out.

    A name in the environment that rules out nothing is told on stderr, since one setting may serve several installations.

    Raises:
        PluginError: if `--block` names what is not installed, which a slip of the pen must not pass for done.
    """
    from ..errors import PluginError
    from ..plugins import Blocker, Registry, watching

    if _ALONE.get():
        watching.start()
    registry = Registry.discover().blocking(block or (), Blocker.FLAG)
    wrong = registry.idle_blocks(Blocker.FLAG)
    if wrong:
        raise PluginError(wrong)
    for problem in registry.idle_blocks(Blocker.ENVIRONMENT):
        warn(str(problem))
    return registry
