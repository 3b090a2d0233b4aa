"""Screening of suppliers, parents, and owners against lists, with explained and priced matches: a plugin for friendshore."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from friendshore.hookspecs import hookimpl

if TYPE_CHECKING:
    from friendshore.readers import CaseFacts
    from friendshore.rules.pack import RulePack

    from .screen import ScreenQuestion
    from .screened_case import ScreeningSettings


@hookimpl
def friendshore_settings() -> list[type[ScreeningSettings]]:
    from .screened_case import ScreeningSettings

    return [ScreeningSettings]


@hookimpl
def friendshore_questions() -> list[ScreenQuestion]:
    from .screen import ScreenQuestion

    return [ScreenQuestion()]


@hookimpl
def friendshore_case_packs(facts: CaseFacts) -> Iterator[RulePack]:
    from .screened_case import packs_of

    return packs_of(facts)
