"""Explanations of a plan: a plugin for friendshore with the questions ledger, repairs, calendar, and what-if."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from friendshore.hookspecs import hookimpl

if TYPE_CHECKING:
    from friendshore.questions import Question


@hookimpl
def friendshore_questions() -> list[Question[Any, Any]]:
    from .calendar import CalendarQuestion
    from .ledger import LedgerQuestion
    from .repairs import RepairsQuestion
    from .what_if import WhatIfQuestion

    return [RepairsQuestion(), LedgerQuestion(), CalendarQuestion(), WhatIfQuestion()]
