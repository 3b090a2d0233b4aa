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
    """Write a page that plans again in the browser, without a network. You change prices, capacities, demand, dates, losses, and rules.

    The page is printed, or written by `friendshore interactive CASE --out page.html`. It contains the program of the case and the solver HiGHS, and
    offers only changes that it can make exactly. Cases that rank objectives have no such page.
    """

    name = "interactive"
    options = NoOptions
    doing = "trying out"
    counted = "changes"
    text_is_page = True

    def ask(self, opened: Opened, options: NoOptions, progress: Progress | None) -> Interactive:
        """Return the tested levers."""
        from time import monotonic

        from .levers import in_words, offered, why_not
        from .page import Interactive

        began = monotonic()

        def told(done: int, of: int) -> None:
            if progress is not None:
                progress(done, of, monotonic() - began)

        session = opened.session
        applied = [f"--scenario {name}" for name in opened.applied.scenario]
        applied += [f"--change '{in_words(change)}'" for change in opened.applied.changes]
        applied += ["--strict"] if opened.applied.strict else []
        case = " ".join([str(opened.path), *applied])
        refusal = why_not(session)
        if refusal:
            return Interactive(session, case, None, refusal)
        found = offered(session, told)
        if not found.levers:
            return Interactive(session, case, None, "nothing in the case can be changed exactly")
        return Interactive(session, case, found)

    def text(self, result: Interactive, options: NoOptions) -> str:
        """Return the page.

        Raises:
            InputError: If the case can't have one.
        """
        from .page import page

        if result.offered is None:
            raise InputError(result.refusal, fix="ask `friendshore plan` with --change, which plans any case")
        return page(result, result.offered)

    def document(self, result: Interactive, options: NoOptions) -> Document:
        """Return a summary of the page."""
        from .page import summary

        return summary(result)
