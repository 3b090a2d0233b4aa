"""What the worked cases are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.building import chain, facility, offer

from friendshore.domain.case import Case
from friendshore.domain.facts import Catalog, Facility
from friendshore.rules.base import Rule
from friendshore.rules.kinds.export_control import ExportControl

ALL = ("mined", "refined", "melted", "produced")
METAL = ("mined", "refined", "melted")
OXIDE = ("mined", "refined")


@dataclass(frozen=True)
class Worked:
    """A case and the objective worked out by hand; infinite if nothing satisfies its rules."""

    name: str
    case: Case
    catalog: Catalog
    rules: tuple[Rule, ...]
    objective: float


CASES: list[Callable[[], Worked]] = []
"""All worked cases, in the order in which they are written."""


def worked(build: Callable[[], Any]) -> Callable[[], Worked]:
    """Registers a case: a function that gives case, catalog, rules and objective, its working in its docstring."""

    def made() -> Worked:
        return Worked(build.__name__, *build())

    CASES.append(made)
    return made


def plants(**more: Any) -> tuple[Facility, ...]:
    """A plant in each of three countries, unlimited unless it says otherwise."""
    return tuple(facility(country.lower(), country, **more) for country in ("AU", "CN", "JP"))


def three() -> tuple[Any, ...]:
    """Chinese metal at 10, Australian at 50, Japanese at 80."""
    prices = (("cn", 10), ("au", 50), ("jp", 80))
    return (*plants(), *(offer(f"{p}-metal", p, "metal", price, chain(p.upper(), *METAL)) for p, price in prices))


def control(**more: Any) -> ExportControl:
    """China lets nothing out for defence use, wherever it is."""
    given = {"id": "control", "exporters": ["CN"], "effect": "prohibit", "end_uses": ["defense"]}
    return ExportControl.model_validate({**given, **more})
