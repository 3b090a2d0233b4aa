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
        tuple[str, ...],
        Setting("Scenario to compare with the case as it is, or two to compare with each other.", "NAME"),
    ] = ()
    change: Annotated[
        tuple[str, ...],
        Setting(
            "Change of the second plan, in addition to its scenario, written as in a `change` table of a case file. Repeatable.",
            "CHANGE",
        ),
    ] = ()
    decided_before: Annotated[
        str,
        Setting(
            "Keep all orders of the case's own plan before this date. Otherwise, the plans know later changes from the start.",
            "DATE|PERIOD",
        ),
    ] = ""
    top: Annotated[int, Setting("Rows of each table with --full. 0 means all.", "N", least=0)] = 12


@dataclass(frozen=True, slots=True)
class ComparisonAnswer:
    """A comparison with notes."""

    comparison: Comparison
    notes: tuple[str, ...] = ()


class CompareQuestion(Question[CompareOptions, ComparisonAnswer]):
    """Compare two plans side by side, with the kilograms and money that each change moved."""

    name = "compare"
    options = CompareOptions
    doing = "comparing"
    counted = "steps"

    def check(self, options: CompareOptions) -> None:
        from ...case import parse_changes

        has_change = bool(options.scenario or options.change)
        if (options.other is not None) == has_change or len(options.scenario) > 2:
            raise OptionsError(
                "it isn't clear which plans to compare",
                fix="name one or two scenarios, a change, or a second case or run, such as `--scenario ban`",
                code="FS520",
            )
        if options.other is not None and options.decided_before:
            raise OptionsError(
                "--decided-before doesn't work with a second case or run",
                fix="name a scenario or a change instead, such as `--scenario ban`",
                code="FS520",
            )
        parse_changes(options.change)

    def ask(self, opened: Opened, options: CompareOptions, progress: Progress | None) -> ComparisonAnswer:
        from ...case import parsed_changes
        from ...session.decided import day_of_plan
        from .compare_plans import compare, compare_plans, scenario_walk

        if options.other is not None:
            second = opened.beside(options.other, progress)
            names = (str(opened.path), str(options.other))
            return ComparisonAnswer(compare_plans(opened.session, second.session, names=names), second.notes)
        with parsed_changes(options.change) as changes:
            session = opened.session
            before, after, names = scenario_walk(session, options.scenario, changes)
            word, horizon = options.decided_before, session.problem.case.horizon
            day = day_of_plan(horizon, word, "the day before which all is decided") if word else None
            return ComparisonAnswer(compare(session, before, after, names=names, decided_before=day, progress=progress))

    def document(self, result: ComparisonAnswer, options: CompareOptions) -> Document:
        from .comparison_document import comparison_document

        return comparison_document(result.comparison, options.top)

    def data(self, result: ComparisonAnswer, options: CompareOptions) -> dict[str, object]:
        return result.comparison.to_dict()

    def notes(self, result: ComparisonAnswer) -> tuple[str, ...]:
        return result.notes


QUESTION = CompareQuestion()
