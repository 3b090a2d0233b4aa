"""What to find out next, and whom to ask: a plugin for friendshore."""

from __future__ import annotations

from typing import TYPE_CHECKING

from friendshore.hookspecs import hookimpl

if TYPE_CHECKING:
    from .question import AskQuestion


@hookimpl
def friendshore_questions() -> list[AskQuestion]:
    """The question `ask`."""
    from .question import AskQuestion

    return [AskQuestion()]
