"""The question `interactive`."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from friendshore.domain.change import Change
from friendshore.errors import InputError
from friendshore.program import compile_program
from friendshore.questions import Opened, Progress, Question

from .levers import ALL, FEW, PageLevers, find_levers, why_not

if TYPE_CHECKING:
    from friendshore.document.elements import Document
    from friendshore.session import Session


@dataclass(frozen=True)
class NoOptions:
    """Nothing can be set but what all questions have."""


@dataclass(frozen=True, slots=True, eq=False)
class Situation:
    """The case as it is, or with one rule switched off that decides what can be bought at all."""

    title: str
    change: str
    """As `--change` takes it; empty: the case as it is."""
    levers: PageLevers


@dataclass(frozen=True, slots=True, eq=False)
class Interactive:
    """All that a page needs."""

    session: Session
    path: str
    situations: tuple[Situation, ...]
    refusal: str = ""
    """Why there is no page; empty: there is one."""

    def to_dict(self) -> dict[str, object]:
        """What the page can do: JSON-ready data."""
        return {
            "case": self.session.problem.case.name,
            "refusal": self.refusal,
            "situations": [
                {
                    "title": one.title,
                    "levers": [{"kind": lever.kind, "name": lever.name} for lever in one.levers.levers],
                    "not_together": len(one.levers.apart),
                    "left_out": list(one.levers.left_out),
                }
                for one in self.situations
            ],
        }


class InteractiveQuestion(Question[NoOptions, Interactive]):
    """A page that plans anew in the browser, without a network: prices, capacities, demand, losses and rules as levers.

    The page is printed: `friendshore interactive CASE > page.html`. It holds the program of the case and the solver HiGHS; what it cannot change exactly
    it does not offer. Cases with integer decisions or ranked objectives have no such page.
    """

    name = "interactive"
    options = NoOptions
    doing = "trying out"
    counted = "levers"

    def ask(self, opened: Opened, options: NoOptions, progress: Progress | None) -> Interactive:
        """The levers, each tried out."""
        began = monotonic()

        def told(done: int, of: int) -> None:
            if progress is not None:
                progress(done, of, monotonic() - began)

        session = opened.session
        refusal = why_not(session.program)
        if refusal:
            return Interactive(session, str(opened.path), (), refusal)
        asis = find_levers(session.inputs, session.program, ALL, told)
        situations = [Situation("as the case has them", "", asis)]
        for kind, name in (left.split(" ", 1) for left in asis.left_out):
            if kind != "disable":
                continue
            without = session.inputs.after([Change(disable=name)])
            found = find_levers(without, compile_program(without.problem()), FEW, told)
            situations.append(Situation(f"without {name}", f"{kind}={name}", found))
        return Interactive(session, str(opened.path), tuple(situations))

    def text(self, result: Interactive, options: NoOptions) -> str:
        """The page.

        Raises:
            InputError: if the case can have none.
        """
        from .page import page

        if result.refusal:
            raise InputError(result.refusal, fix="ask `friendshore plan` with --change, which plans any case")
        return page(result)

    def document(self, result: Interactive, options: NoOptions) -> Document:
        """What the page can do."""
        from .page import summary

        return summary(result)
