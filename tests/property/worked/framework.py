"""What the worked cases are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.building import case, catalog, demand, facility, source

from friendshore.domain.case import Case
from friendshore.domain.facts import Facility

from ..strategies import Tiny

ALL = ("mined", "refined", "melted", "produced")
METAL = ("mined", "refined", "melted")
OXIDE = ("mined", "refined")


@dataclass(frozen=True)
class Worked(Tiny):
    """A case and the objective worked out by hand; infinite if nothing satisfies its rules."""

    name: str
    objective: float


CASES: list[Worked] = []
"""All worked cases, in the order in which they are written."""


def worked(build: Callable[[], Any]) -> None:
    """Registers a case: a function that gives case, catalog, rules and objective, its working in its docstring."""
    made, facts, rules, objective = build()
    CASES.append(Worked(made, facts, rules, build.__name__, objective))


def rows(*facts: Any, **cases: tuple[Case, Any, float]) -> None:
    """Registers cases of the same facts: each a case, its rule or rules, and the objective, the working above it."""
    for name, (made, rules, objective) in cases.items():
        CASES.append(Worked(made, catalog(*facts), rules if isinstance(rules, tuple) else (rules,), name, objective))


def plants(**more: Any) -> tuple[Facility, ...]:
    """A plant in each of three countries, unlimited unless it says otherwise."""
    return tuple(facility(country.lower(), country, **more) for country in ("AU", "CN", "JP"))


THREE = (*plants(), source("CN", 10), source("AU", 50), source("JP", 80))
"""Chinese metal at 10, Australian at 50, Japanese at 80."""


def metal(*quantities: float, price: float = 1000, **more: Any) -> Case:
    """A case of civil metal."""
    return case(demand("metal", "civil", *quantities, price=price), **more)
