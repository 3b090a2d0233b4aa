"""Sweeps: many scenarios of a case at once. A plugin for friendshore."""

from __future__ import annotations

from typing import TYPE_CHECKING

from friendshore.hookspecs import hookimpl

if TYPE_CHECKING:
    from .sweep import SweepQuestion


@hookimpl
def friendshore_questions() -> list[SweepQuestion]:
    from .sweep import SweepQuestion

    return [SweepQuestion()]
