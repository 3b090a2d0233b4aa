"""Commands of plugins: what the hook `friendshore_commands` yields, and how the command line makes a command of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Command:
    """A command that a plugin brings.

    Errors that the function raises as `FriendshoreError` are printed like those of any command: as text on stderr, or as one JSON object on
    stdout if it has a parameter `as_json` that is set.
    """

    name: str
    """Name, as the manifest announces it: `sign`, or `case to-sql` for a command in a group."""
    function: Callable[..., Any]
    """Function that returns the exit code. Its parameters are typer's arguments and options, and its docstring is the help text."""
