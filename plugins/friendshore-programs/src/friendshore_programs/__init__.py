"""Demand from bills of materials, and results by program, part, and site: a plugin for friendshore."""

from __future__ import annotations

from typing import TYPE_CHECKING

from friendshore.hookspecs import hookimpl

if TYPE_CHECKING:
    from .bill import BomReader
    from .programs import ProgramsQuestion


@hookimpl
def friendshore_readers() -> list[BomReader]:
    from .bill import BomReader

    return [BomReader()]


@hookimpl
def friendshore_questions() -> list[ProgramsQuestion]:
    from .programs import ProgramsQuestion

    return [ProgramsQuestion()]
