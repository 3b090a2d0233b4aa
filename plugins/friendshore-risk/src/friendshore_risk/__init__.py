"""Plans under disruption: the cost of losses, events with probabilities, and decisions before they are known. A plugin for friendshore."""

from __future__ import annotations

from typing import TYPE_CHECKING

from friendshore.hookspecs import hookimpl

if TYPE_CHECKING:
    from .events import RiskSettings
    from .questions import FrontierQuestion, RiskQuestion, StressQuestion, WithstandQuestion


@hookimpl
def friendshore_settings() -> list[type[RiskSettings]]:
    from .events import RiskSettings

    return [RiskSettings]


@hookimpl
def friendshore_questions() -> list[FrontierQuestion | RiskQuestion | StressQuestion | WithstandQuestion]:
    from .questions import FrontierQuestion, RiskQuestion, StressQuestion, WithstandQuestion

    return [FrontierQuestion(), RiskQuestion(), StressQuestion(), WithstandQuestion()]
