"""The question `risk`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

from friendshore.domain.time import Horizon, add_months
from friendshore.errors import InputError
from friendshore.questions import Opened, Progress, Question, Setting

from ..events.records import RiskSettings
from ..events.scenarios import RiskScenario, count_of, enumerated, sampled

if TYPE_CHECKING:
    from friendshore.document.elements import Document

PLUGIN = "friendshore-risk"


@dataclass(frozen=True)
class RiskOptions:
    """What can be set."""

    most: Annotated[
        int, Setting("Combinations of events up to which all are planned for; of more, a sample.", "N", least=1)
    ] = 200
    sample: Annotated[int, Setting("Draws of a sample.", "N", least=1)] = 200
    seed: Annotated[str, Setting("What a sample's draws follow from.")] = "1"


@dataclass(frozen=True, slots=True)
class Risk:
    """The answer."""

    case: str
    currency: str
    day: date
    scenarios: tuple[RiskScenario, ...]
    seed: str
    """What the sample follows from; empty: these are all scenarios."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready data."""
        return {
            "case": self.case,
            "currency": self.currency,
            "day": self.day.isoformat(),
            "seed": self.seed or None,
            "scenarios": [
                {
                    "events": [{"event": one.event.name, "from": one.start.isoformat()} for one in scenario.events],
                    "probability": float(scenario.probability),
                }
                for scenario in self.scenarios
            ],
        }


class RiskQuestion(Question[RiskOptions, Risk]):
    """What may happen, and how likely every combination of events is.

    Events are stated in the case, under `[plugin.friendshore-risk]`.
    """

    name = "risk"
    options = RiskOptions
    doing = "planning for"
    counted = "scenarios"

    def ask(self, opened: Opened, options: RiskOptions, progress: Progress | None) -> Risk:
        """The answer."""
        settings = settings_of(opened)
        case = opened.session.problem.case
        day = known_from(settings, case.horizon)
        seed = ""
        if count_of(settings.event, day, case.horizon, options.most) <= options.most:
            found = enumerated(settings.event, day, case.horizon)
        else:
            seed = options.seed
            found = sampled(settings.event, day, case.horizon, options.sample, seed)
        return Risk(case.name, case.currency, day, tuple(found), seed)

    def document(self, result: Risk, options: RiskOptions) -> Document:
        """Scenarios and their probabilities."""
        from .document import risk_document

        return risk_document(result)

    def notes(self, result: Risk) -> Sequence[str]:
        """That the case states no event."""
        if any(scenario.events for scenario in result.scenarios):
            return ()
        return (f"the case states no event: state what may happen under [[plugin.{PLUGIN}.event]]",)


def settings_of(opened: Opened) -> RiskSettings:
    """What the case says of events; of one that says nothing, that there are none."""
    settings = opened.settings(PLUGIN)
    return settings if isinstance(settings, RiskSettings) else RiskSettings()


def known_from(settings: RiskSettings, horizon: Horizon) -> date:
    """The first day of the period from which it is known which events come.

    Raises:
        InputError: for a day outside the plan, and for events that begin before it.
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
    day = horizon.periods[period].start
    early = [event for event in settings.event if event.start is not None and event.start < day]
    if early:
        raise InputError(
            f"event `{early[0].name}` begins before it is known whether it comes",
            column=f"plugin.{PLUGIN}.event",
            found=str(early[0].start),
            expected=f"a day from {day} on",
            fix="let it begin later, or let events become known earlier: `day`",
        )
    return day
