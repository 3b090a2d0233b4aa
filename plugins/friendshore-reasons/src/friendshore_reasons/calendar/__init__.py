"""The question `calendar`: the dates on which compliance changes, and the end of each shortage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from friendshore.questions.base import Question, Setting

if TYPE_CHECKING:
    from friendshore.document.elements import Document
    from friendshore.recommend import Opened
    from friendshore.solve import Progress

    from .search import Calendar


@dataclass(frozen=True, slots=True)
class CalendarOptions:
    """Options of the question."""

    until: Annotated[
        str, Setting("Last day, which may be after the plan. Default: the last day of the plan.", "DATE")
    ] = ""
    every: Annotated[
        bool, Setting("With --full, also show every change, and every demand stretch by stretch.", flags=("--all",))
    ] = False


class CalendarQuestion(Question[CalendarOptions, "Calendar"]):
    """Show the dates on which compliance changes, the supply between them, and the start, end, and causes of each shortage.

    Each stretch between two dates is planned as a year at its own rates, without stock and lead times.
    """

    name = "calendar"
    options = CalendarOptions
    doing = "planning"
    counted = "stretches"

    def check(self, options: CalendarOptions) -> None:
        from .search import day_of

        if options.until:
            day_of(options.until)

    def ask(self, opened: Opened, options: CalendarOptions, progress: Progress | None) -> Calendar:
        from .search import calendar, day_of

        until = day_of(options.until) if options.until else None
        return calendar(opened.session, until=until, progress=progress)

    def document(self, result: Calendar, options: CalendarOptions) -> Document:
        from .document import calendar_document

        return calendar_document(result, every=options.every)
