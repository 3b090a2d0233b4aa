"""Workbooks for planners who use Excel: a case as one workbook, spreadsheets as catalogs, bid sheets, and the question `ask`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from friendshore.hookspecs import hookimpl

if TYPE_CHECKING:
    from friendshore.cli import Command

    from .case_book import WorkbookCase
    from .question import AskQuestion


@hookimpl
def friendshore_case_formats() -> list[WorkbookCase]:
    from .case_book import WorkbookCase

    return [WorkbookCase()]


@hookimpl
def friendshore_commands() -> list[Command]:
    from friendshore.cli import Command

    from .commands import convert, from_xlsx, to_xlsx

    return [
        Command("case to-xlsx", to_xlsx),
        Command("case from-xlsx", from_xlsx),
        Command("catalogs convert", convert),
    ]


@hookimpl
def friendshore_questions() -> list[AskQuestion]:
    from .question import AskQuestion

    return [AskQuestion()]
