"""Suppliers, parents and owners against screening lists, each match explained and priced: a plugin for friendshore."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from friendshore.hookspecs import hookimpl

if TYPE_CHECKING:
    from friendshore.readers import CaseFacts
    from friendshore.rules.pack import RulePack

    from .screen import ScreenQuestion
    from .screened import ScreeningSettings


@hookimpl
def friendshore_settings() -> list[type[ScreeningSettings]]:
    """What a case can set."""
    from .screened import ScreeningSettings

    return [ScreeningSettings]


@hookimpl
def friendshore_questions() -> list[ScreenQuestion]:
    """The question `screen`."""
    from .screen import ScreenQuestion

    return [ScreenQuestion()]


@hookimpl
def friendshore_case_packs(facts: CaseFacts) -> Iterator[RulePack]:
    """What the lists of a case bar, one pack a list."""
    from .screened import packs_of

    return packs_of(facts)
