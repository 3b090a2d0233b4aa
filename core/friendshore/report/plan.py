"""A run as text, in the order in which a planner reads it."""

from __future__ import annotations

from rich.console import RenderableType

from ..domain.run import Run
from .demand import demands, shortages
from .discounts import discounts
from .ground import assumptions, kept_out, rules, versions
from .heading import heading, unexamined, warnings
from .holdings import holdings
from .limits import limits
from .mix import mix
from .orders import costs, orders
from .ranks import ranks
from .whole_periods import whole_periods


def plan_report(run: Run, width: int) -> list[RenderableType]:
    """Everything, for a terminal of `width` characters."""
    parts = [
        heading(run),
        warnings(run),
        ranks(run, width),
        demands(run, width),
        mix(run, width),
        holdings(run, width),
        shortages(run, width),
        whole_periods(run, width),
        orders(run, width),
        discounts(run, width),
        costs(run, width),
        limits(run),
        kept_out(run),
        rules(run, width),
        assumptions(run),
        versions(run),
    ]
    return [part for part in parts if part is not None]


def plan_summary(run: Run) -> list[RenderableType]:
    """The heading, and what it must not be read without."""
    parts = [heading(run), unexamined(run)]
    return [part for part in parts if part is not None]
