"""`compare`: two plans side by side, and the effect of each change between them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from ..base import OptionsError, Question, Setting

if TYPE_CHECKING:
    from ...document.elements import Document
    from ...recommend import Opened
    from ...solve import Progress
    from .comparison import Comparison


@dataclass(frozen=True, slots=True)
class CompareOptions:
    """Options of `compare`."""

    other: Annotated[
        Path | None, Setting("A second case or run, in place of scenarios.", "CASE|RUN", argument=True)
    ] = None
    scenario: Annotated[
        tuple[str, ...], Setting("Scenario to compare with the case as it is; or two, with each other.", "NAME")
    ] = ()
    change: Annotated[
        tuple[str, ...],
        Setting(
            "Change that the second plan differs by, on top of its scenario, in the words of a `change` table of a case file; may repeat.",
            "CHANGE",
        ),
    ] = ()
    decided_before: Annotated[
        str,
        Setting(
            "Keep everything that the case's own plan orders before a day: without it, plans know of later changes from the start.",
            "DATE|PERIOD",
        ),
    ] = ""
    top: Annotated[int, Setting("Rows shown of each table with --full; 0: all.", "N", least=0)] = 12


@dataclass(frozen=True, slots=True)
class ComparisonAnswer:
    """A comparison with notes."""

    found: Comparison
    notes: tuple[str, ...] = ()
    """Notes on the second case or run."""


class CompareQuestion(Question[CompareOptions, ComparisonAnswer]):
    """Compare two plans side by side, with the kilograms and money that each change moved."""

    name = "compare"
    options = CompareOptions
    doing = "comparing"
    counted = "steps"

    def check(self, options: CompareOptions) -> None:
        """Reject too few or too many plans to compare."""
        from ...case import stated_changes

        named = bool(options.scenario or options.change)
        if (options.other is not None) == named or len(options.scenario) > 2:
            raise OptionsError("give one --scenario or two, a --change, or a second case or run")
        if options.other is not None and options.decided_before:
            raise OptionsError("--decided-before needs a --scenario or a --change, not a second case or run")
        stated_changes(options.change)

    def ask(self, opened: Opened, options: CompareOptions, progress: Progress | None) -> ComparisonAnswer:
        from ...case import changes_stated
        from ...session.decided import day_of_plan
        from .compare_plans import compare, compare_plans, scenario_walk

        if options.other is not None:
            second = opened.beside(options.other, progress)
            names = (str(opened.path), str(options.other))
            return ComparisonAnswer(compare_plans(opened.session, second.session, names=names), second.notes)
        with changes_stated(options.change) as changes:
            session = opened.session
            before, after, called = scenario_walk(session, options.scenario, changes)
            word, horizon = options.decided_before, session.problem.case.horizon
            day = day_of_plan(horizon, word, "the day before which all is decided") if word else None
            return ComparisonAnswer(
                compare(session, before, after, names=called, decided_before=day, progress=progress)
            )

    def document(self, result: ComparisonAnswer, options: CompareOptions) -> Document:
        from .comparison_document import comparison_document

        return comparison_document(result.found, options.top)

    def data(self, result: ComparisonAnswer, options: CompareOptions) -> dict[str, object]:
        return result.found.to_dict()

    def notes(self, result: ComparisonAnswer) -> tuple[str, ...]:
        return result.notes


QUESTION = CompareQuestion()
