"""The question `interactive`. Heavy modules are loaded when it is used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from friendshore.errors import InputError
from friendshore.questions import Question

if TYPE_CHECKING:
    from friendshore.document.elements import Document
    from friendshore.questions import Opened, Progress

    from .page import Interactive


@dataclass(frozen=True)
class NoOptions:
    """No options besides those of all questions."""


class InteractiveQuestion(Question[NoOptions, "Interactive"]):
    """Write a page that plans the case again in the browser, without a network.

    In the page, you change prices, capacities, demand, dates, losses, and rules. The command prints the page, or writes it with `--out page.html`. The
    page contains the program of the case and the solver HiGHS, and offers only changes that it can make exactly. Cases that rank objectives can't have
    such a page.
    """

    name = "interactive"
    options = NoOptions
    doing = "testing"
    counted = "changes"
    text_is_page = True

    def ask(self, opened: Opened, options: NoOptions, progress: Progress | None) -> Interactive:
        from time import monotonic

        from .levers import in_words, offered_levers, refusal_reason
        from .page import Interactive

        start = monotonic()

        def report(done: int, total: int) -> None:
            if progress is not None:
                progress(done, total, monotonic() - start)

        session = opened.session
        options_text = [f"--scenario {name}" for name in opened.applied.scenario]
        options_text += [f"--change '{in_words(change)}'" for change in opened.applied.changes]
        options_text += ["--strict"] if opened.applied.strict else []
        case = " ".join([str(opened.path), *options_text])
        refusal = refusal_reason(session)
        if refusal:
            return Interactive(session, case, None, refusal)
        levers = offered_levers(session, report)
        if not levers.levers:
            return Interactive(session, case, None, "no change of the case has a proportional effect")
        return Interactive(session, case, levers)

    def text(self, result: Interactive, options: NoOptions) -> str:
        """Return the page. Raises InputError if the case can't have one."""
        from .page import page

        if result.offered is None:
            fix = (
                "plan the case with a change, as in `friendshore plan CASE --change 'demand=demand:radar, factor=1.2'`"
            )
            raise InputError(result.refusal, fix=fix, code="FS990")
        return page(result, result.offered)

    def document(self, result: Interactive, options: NoOptions) -> Document:
        from .page import summary

        return summary(result)
