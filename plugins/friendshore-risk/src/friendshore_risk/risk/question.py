"""The question `risk`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from friendshore.document.figures import count
from friendshore.domain.time import Horizon, add_months
from friendshore.errors import InputError
from friendshore.questions import Question, Setting

from ..events.records import RiskSettings
from ..telling import Telling
from .records import Risk

if TYPE_CHECKING:
    from friendshore.document.elements import Document
    from friendshore.questions import Opened, Progress

    from ..events.scenarios import RiskScenario

PLUGIN = "friendshore-risk"
BATCHES = 10
"""Samples that say how good the plan of a sample is."""


@dataclass(frozen=True)
class RiskOptions:
    """What can be set."""

    weight: Annotated[
        Decimal,
        Setting(
            "Weight of the worst cases (CVaR) in what is minimised; the rest is that of the expected cost.",
            "SHARE",
            least=0,
            most=1,
        ),
    ] = Decimal(0)
    alpha: Annotated[Decimal, Setting("The worst cases are the worst 1 - ALPHA.", "ALPHA", least=0, most=0.999)] = (
        Decimal("0.9")
    )
    frontier: Annotated[bool, Setting("Also plans between the least expected cost and the least CVaR.")] = False
    check: Annotated[
        Path | None,
        Setting(
            "An answer saved with --json: all of it is derived again from its decisions, and better ones are looked for.",
            "FILE",
        ),
    ] = None
    top: Annotated[int, Setting("Rows shown of each table with --full; 0: all.", "N", least=0)] = 12
    most: Annotated[
        int, Setting("Combinations of events up to which all are planned for; of more, a sample.", "N", least=1)
    ] = 200
    sample: Annotated[int, Setting("Draws of a sample.", "N", least=1)] = 200
    seed: Annotated[str, Setting("What a sample's draws follow from.", "SEED")] = "1"


class RiskQuestion(Question[RiskOptions, Risk]):
    """What to decide before anybody knows which of the events of a case come, and what each combination of them then costs.

    Events are stated in the case, under `[plugin.friendshore-risk]`. Orders, stock and onboarding before the day are the same whatever comes.
    """

    name = "risk"
    options = RiskOptions
    doing = "planning for"
    counted = "scenarios"

    def ask(self, opened: Opened, options: RiskOptions, progress: Progress | None) -> Risk:
        """The answer."""
        from friendshore.explain.results import Counted

        from ..events.scenarios import count_of, enumerated, sampled
        from ..twostage import RiskMeasure
        from .answer import risk_of
        from .search import RiskSearch

        settings = settings_of(opened)
        case = opened.session.problem.case
        day = known_from(settings, case.horizon)
        events, seed, draws = settings.event, "", 0
        batches: list[list[RiskScenario]] = []
        if count_of(events, day, case.horizon, options.most) <= options.most:
            scenarios = enumerated(events, day, case.horizon)
        else:
            seed, draws = options.seed, options.sample
            scenarios = sampled(events, day, case.horizon, draws, seed)
            batches = [
                sampled(events, day, case.horizon, draws, f"{seed}, batch {number}") for number in range(BATCHES)
            ]
        search = RiskSearch(opened.session, events, scenarios, day, Counted(opened.session, progress), batches)
        if options.check is not None:
            from .saved import check_saved, read_answer

            saved = read_answer(options.check)
            return saved.but(evaluated=check_saved(search, saved, seed, draws))
        measure = RiskMeasure(float(options.weight), float(options.alpha))
        return risk_of(search, measure, frontier=options.frontier, seed=seed, draws=draws)

    def document(self, result: Risk, options: RiskOptions) -> Document:
        """Scenarios and their probabilities."""
        from .document import risk_document

        return risk_document(result, Telling(options.top))

    def screen(self, result: Risk, options: RiskOptions) -> Document:
        """The same: of each table as many rows as there is room for."""
        from .document import risk_document

        return risk_document(result, Telling(options.top, screen=True))

    def notes(self, result: Risk) -> Sequence[str]:
        """That the case states no event, or what was derived again."""
        from ..routes import unsaid_told

        if result.evaluated:
            return (
                f"{count(result.evaluated, 'plan')} derived again, in every scenario: all is as it is told, and nothing that costs less was found",
            )
        if any(scenario.events for scenario in result.scenarios):
            return unsaid_told(result.unsaid)
        return (f"the case states no event: state what may happen under [[plugin.{PLUGIN}.event]]",)


def settings_of(opened: Opened) -> RiskSettings:
    """What the case says of events; of one that says nothing, that there are none."""
    settings = opened.settings(PLUGIN)
    return settings if isinstance(settings, RiskSettings) else RiskSettings()


def known_from(settings: RiskSettings, horizon: Horizon) -> date:
    """The first day of the period from which it is known which events come.

    Raises:
        InputError: for a day outside the plan.
    """
    if settings.day is None:
        year = [period.index for period in horizon.periods if period.start >= add_months(horizon.start, 12)]
        period: int | None = min([*year, horizon.count // 2])
    else:
        period = horizon.find(settings.day)
    if period is None:
        raise InputError(
            "the day on which events become known lies outside the plan",
            column=f"plugin.{PLUGIN}.day",
            found=str(settings.day),
            expected=f"a day of {horizon.span}",
        )
    return horizon.periods[period].start
