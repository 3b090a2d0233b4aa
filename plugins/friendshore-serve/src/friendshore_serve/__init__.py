"""Servers of questions about plans, for assistants and applications. A plugin for friendshore."""

from __future__ import annotations

from friendshore.cli import Command
from friendshore.hookspecs import hookimpl


@hookimpl
def friendshore_commands() -> list[Command]:
    from .commands import mcp, serve

    return [Command("mcp", mcp), Command("serve", serve)]
