"""The question `repairs`: every minimal set of steps that serves a shortage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from friendshore.questions.base import Question, Setting

if TYPE_CHECKING:
    from friendshore.document.elements import Document
    from friendshore.recommend import Opened
    from friendshore.solve import Progress

    from .search import Repairs


@dataclass(frozen=True, slots=True)
class RepairsOptions:
    """Options of the question."""

    material: Annotated[str, Setting("Only demands of this material.", argument=True)] = ""
    size: Annotated[int, Setting("Maximum number of steps in a repair.", "N", least=1, most=100)] = 3
    trials: Annotated[
        int,
        Setting(
            "Maximum number of programs to solve, for all sets of steps and amounts. Incomplete results are marked.",
            "N",
            least=0,
        ),
    ] = 10_000
    bound: Annotated[
        tuple[str, ...],
        Setting(
            "Maximum size of a step: later (periods), capacity (additional share), stock (years of demand), lead (multiple of "
            "demand). Repeatable.",
            "NAME=NUMBER",
        ),
    ] = ()
    top: Annotated[int, Setting("Number of repairs to show per shortage with --full. 0 means all.", "N", least=0)] = 10
    toml: Annotated[bool, Setting("Print the repairs as scenarios for the case file.")] = False


class RepairsQuestion(Question[RepairsOptions, "Repairs"]):
    """Find every minimal set of steps that would serve a shortage or resolve a conflict of rules, proved and priced."""

    name = "repairs"
    options = RepairsOptions
    doing = "repairing"
    counted = "gaps"

    def check(self, options: RepairsOptions) -> None:
        from .levers import stated_bounds

        stated_bounds(options.bound)

    def ask(self, opened: Opened, options: RepairsOptions, progress: Progress | None) -> Repairs:
        from .levers import stated_bounds
        from .search import repairs

        return repairs(
            opened.session, options.material, size=options.size, trials=options.trials,
            bounds=stated_bounds(options.bound), progress=progress,
        )  # fmt: skip

    def document(self, result: Repairs, options: RepairsOptions) -> Document:
        from .document import repairs_document

        return repairs_document(result, options.top)

    def text(self, result: Repairs, options: RepairsOptions) -> str | None:
        from .document import repairs_toml

        return repairs_toml(result).rstrip("\n") if options.toml else None
