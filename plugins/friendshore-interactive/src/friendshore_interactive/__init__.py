"""A page that plans anew: a plan, its program and HiGHS as WebAssembly in one HTML file, a plugin for friendshore."""

from __future__ import annotations

from typing import TYPE_CHECKING

from friendshore.hookspecs import hookimpl

if TYPE_CHECKING:
    from .question import InteractiveQuestion


@hookimpl
def friendshore_questions() -> list[InteractiveQuestion]:
    """The question `interactive`."""
    from .question import InteractiveQuestion

    return [InteractiveQuestion()]
