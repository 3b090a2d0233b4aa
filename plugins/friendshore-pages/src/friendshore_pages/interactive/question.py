"""The question `interactive`."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from friendshore.errors import InputError
from friendshore.questions import Question

if TYPE_CHECKING:
    from friendshore.document.elements import Document
    from friendshore.questions import Opened, Progress
    from friendshore.session import Session

    from .offered import Offered


@dataclass(frozen=True)
class NoOptions:
    """Nothing can be set but what all questions have."""


@dataclass(frozen=True, slots=True, eq=False)
class Interactive:
    """All that a page needs."""

    session: Session
    case: str
    """The case, and what is applied to it, as a command line takes them."""
    offered: Offered | None
    """None: there is no page."""
    refusal: str = ""
    """Why there is none."""

    def to_dict(self) -> dict[str, object]:
        """What the page can do: JSON-ready data."""
        found = self.offered
        return {
            "case": self.session.problem.case.name,
            "refusal": self.refusal,
            "levers": [
                {"kind": lever.kind, "name": lever.name, "choice": lever.choice, "change": lever.words}
                for lever in (found.levers if found else ())
            ],
            "programs": len(found.programs) if found else 0,
            "not_together": sum(len(program.apart) for program in found.programs) if found else 0,
            "left_out": [{"what": what, "why": why} for what, why in (found.left_out if found else ())],
        }


class InteractiveQuestion(Question[NoOptions, Interactive]):
    """A page that plans anew in the browser, without a network: prices, capacities, demand, dates, losses and rules as levers.

    The page is printed, or written by `friendshore interactive CASE --html page.html`. It holds the program of the case and the solver HiGHS; what it cannot change exactly
    it does not offer. Cases that rank objectives have no such page.
    """

    name = "interactive"
    options = NoOptions
    doing = "trying out"
    counted = "changes"
    text_is_page = True

    def ask(self, opened: Opened, options: NoOptions, progress: Progress | None) -> Interactive:
        """The levers, each tried out."""
        from .levers import in_words
        from .offered import offered, why_not

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
        """The page.

        Raises:
            InputError: if the case can have none.
        """
        from .page import page

        if result.offered is None:
            raise InputError(result.refusal, fix="ask `friendshore plan` with --change, which plans any case")
        return page(result, result.offered)

    def document(self, result: Interactive, options: NoOptions) -> Document:
        """What the page can do."""
        from .page import summary

        return summary(result)
