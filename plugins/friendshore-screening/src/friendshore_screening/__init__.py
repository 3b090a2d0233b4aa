"""Suppliers, parents and owners against screening lists, each match explained and priced: a plugin for friendshore."""

from __future__ import annotations

from typing import TYPE_CHECKING

from friendshore.hookspecs import hookimpl

if TYPE_CHECKING:
    from .question import ScreenQuestion
    from .settings import ScreeningSettings


@hookimpl
def friendshore_settings() -> list[type[ScreeningSettings]]:
    """What a case can set."""
    from .settings import ScreeningSettings

    return [ScreeningSettings]


@hookimpl
def friendshore_questions() -> list[ScreenQuestion]:
    """The question `screen`."""
    from .question import ScreenQuestion

    return [ScreenQuestion()]
