"""HTML pages with charts, XLSX reports, notebook output, and the interactive page, as a plugin for friendshore."""

from __future__ import annotations

from typing import TYPE_CHECKING

from friendshore.hookspecs import hookimpl

if TYPE_CHECKING:
    from friendshore.report import Format

    from .interactive.question import InteractiveQuestion


@hookimpl
def friendshore_questions() -> list[InteractiveQuestion]:
    from .interactive.question import InteractiveQuestion

    return [InteractiveQuestion()]


@hookimpl
def friendshore_formats() -> list[Format]:
    from .formats import Html, Xlsx

    return [Html(), Xlsx()]
