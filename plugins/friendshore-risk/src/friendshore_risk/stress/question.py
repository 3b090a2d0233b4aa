"""`stress`: what it costs to lose each supplier, company, country or catalog, and to insure against that."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

from friendshore.questions import Question, Setting

if TYPE_CHECKING:
    from friendshore.document.elements import Document
    from friendshore.questions import Opened, Progress

    from .insured import Insurance
    from .search import Stress


@dataclass(frozen=True, slots=True)
class StressOptions:
    """What can be set."""

    everything: Annotated[
        bool, Setting("Everyone who could deliver, not only those that the plan buys from.", flags=("--all",))
    ] = False
    start: Annotated[
        str,
        Setting("When the loss begins; the plan's start, if not given.", "DATE|PERIOD", flags=("--from",)),
    ] = ""
    decided_before: Annotated[
        str,
        Setting(
            "Keep everything that the plan orders before a day: without it, plans know of a later loss from the start. The loss begins then, if --from does not say otherwise.",
            "DATE|PERIOD",
        ),
    ] = ""
    pairs: Annotated[bool, Setting("Also every two countries that the plan buys from.")] = True
    top: Annotated[int, Setting("Losses shown of each table with --full; 0: all.", "N", least=0)] = 15
    by: Annotated[
        str,
        Setting("What the insured plan survives the loss of: supplier, parent, country, catalog or none.", "KIND"),
    ] = "supplier"
    loss_from: Annotated[
        str,
        Setting("When it survives it: a year after the start or the middle of the plan, if not given.", "DATE|PERIOD"),
    ] = ""


@dataclass(frozen=True, slots=True)
class StressAnswer:
    """What losses cost, and what insurance against any one of them does."""

    losses: Stress
    insurance: Insurance | None
    left_out: str = ""
    """Why there is no insurance, though it was asked for."""


class StressQuestion(Question[StressOptions, StressAnswer]):
    """What each supplier, parent company, country and catalog is worth: the plan made again without it.

    Then what it costs to survive any one loss: the cheapest plan that leaves nothing more short after it.
    """

    name = "stress"
    options = StressOptions
    doing = "taking away"
    counted = "losses"

    def check(self, options: StressOptions) -> None:
        """Refuses a word that names no kind of loss."""
        from .losses import loss_kind

        if options.by != "none":
            loss_kind(options.by)

    def ask(self, opened: Opened, options: StressOptions, progress: Progress | None) -> StressAnswer:
        """The losses, and the insured plan."""
        from friendshore.session.decided import day_of_plan

        from .insurance import insurance
        from .losses import first_day, loss_kind
        from .search import stress

        session = opened.session
        horizon = session.problem.case.horizon
        start = first_day(horizon, options.start) if options.start else None
        later = first_day(horizon, options.loss_from) if options.loss_from else None
        word = options.decided_before
        decided = day_of_plan(horizon, word, "the day before which all is decided") if word else None
        losses = stress(
            session,
            everything=options.everything,
            pairs=options.pairs,
            start=start,
            decided_before=decided,
            progress=progress,
        )
        if options.by == "none":
            return StressAnswer(losses, None)
        if session.stopped:
            return StressAnswer(losses, None, "the search was ended: what surviving a loss costs is left out")
        if session.problem.objectives:
            why = "the case ranks objectives: what surviving a loss costs is told for cost alone, and left out"
            return StressAnswer(losses, None, why)
        return StressAnswer(losses, insurance(session, by=loss_kind(options.by), start=later, progress=progress))

    def document(self, result: StressAnswer, options: StressOptions) -> Document:
        """The losses in order of what they cost, then the insured plan."""
        from .document import insurance_document, stress_document

        losses = stress_document(result.losses, options.top)
        if result.insurance is None:
            return losses
        return replace(losses, parts=(*losses.parts, *insurance_document(result.insurance, options.top).parts))

    def screen(self, result: StressAnswer, options: StressOptions) -> Document:
        """The dearest losses, what two cost together, and what surviving any one takes."""
        from .screen import stress_screen

        return stress_screen(result.losses, result.insurance, options.top)

    def data(self, result: StressAnswer, options: StressOptions) -> dict[str, object]:
        """The losses, with the insured plan as one entry."""
        insured = None if result.insurance is None else result.insurance.to_dict()
        return {**result.losses.to_dict(), "insurance": insured}

    def notes(self, result: StressAnswer) -> tuple[str, ...]:
        """Why there is no insured plan."""
        return (result.left_out,) if result.left_out else ()
