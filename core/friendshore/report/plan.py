"""A run as a document, in the order in which a planner reads it."""

from __future__ import annotations

from ..document.elements import Document, document
from ..domain.run import Run
from .costs import costs, discounts, ranks
from .demand import demands, shortages, whole_periods
from .ground import assumptions, kept_out, limits, rules, versions
from .heading import heading, unexamined, warnings
from .holdings import holdings
from .mix import mix, orders


def plan_document(run: Run) -> Document:
    """Everything."""
    return document(
        run.case,
        *heading(run),
        *warnings(run),
        ranks(run),
        demands(run),
        mix(run),
        holdings(run),
        shortages(run),
        whole_periods(run),
        orders(run),
        discounts(run),
        costs(run),
        limits(run),
        kept_out(run),
        rules(run),
        assumptions(run),
        versions(run),
    )


def summary_document(run: Run) -> Document:
    """The heading, and what it must not be read without."""
    return document(run.case, *heading(run), unexamined(run))
