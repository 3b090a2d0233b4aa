"""What a sweep comes to: the plan of each of many scenarios in a few figures, and three tables of them all."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from ...domain.base import Number, Record
from ...domain.plan import Cost
from ...explain.results import QuestionResult
from ...problem.inputs import Applied

if TYPE_CHECKING:
    import pandas

FAILED = "error"
"""The status of a scenario that could not be planned."""


class SweepScenario(Record):
    """One scenario of a sweep, before it is planned."""

    name: str
    """What it is called: what is varied, with its values."""
    varied: dict[str, str] = {}
    """What is varied -> its value, as it was stated."""
    applied: Applied
    """All that is applied to the facts of the case."""


class ScenarioMaterial(Record):
    """A material in the plan of a scenario, over the whole plan."""

    material: str
    wanted_kg: Number
    """By all demands; what makers take is not in it."""
    short_kg: Number
    bought_kg: Number
    cost: Number
    """Price, charges and freight of what is bought, not discounted."""


class ScenarioPurchase(Record):
    """What the plan of a scenario buys of an offer for some end uses at a place, over the whole plan."""

    material: str
    end_use: str
    """End uses it may serve."""
    offer: str
    facility: str
    country: str
    place: str
    quantity_kg: Number
    share: Number
    """Of the kilograms that are bought of the material."""
    cost: Number
    """Price, charges and freight, not discounted."""


class ScenarioPlan(Record):
    """The plan of one scenario."""

    status: Literal["optimal", "feasible", "infeasible", "interrupted", "error"]
    """As of a plan; `error`: there is none, and the message says why."""
    message: str = ""
    """What went wrong; of rules that cannot hold together, which."""
    bound: Number | None = None
    """No plan has a lower objective."""
    cost: Cost | None = None
    """Money spent by part, and the objective, as `plan` tells them."""
    demands_short: int = 0
    """Demands of which anything is short."""
    materials: tuple[ScenarioMaterial, ...] = ()
    purchases: tuple[ScenarioPurchase, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether there is no plan."""
        return self.status == FAILED


class SweptScenario(Record):
    """A scenario of a sweep with its plan."""

    number: Annotated[int, Field(ge=1)]
    """Its place in the order in which scenarios were given."""
    name: str
    varied: dict[str, str] = {}
    """What is varied -> its value, as it was stated."""
    plan: ScenarioPlan


_PLAN = ("status", "message", "bound", "demands_short")
Row = dict[str, object]
"""A row of a table: column -> text, number, or nothing."""


class Sweep(QuestionResult):
    """Many scenarios of a case, each planned by itself as `plan` would plan it, in the order in which they were given."""

    TABLES: ClassVar[tuple[str, ...]] = ("totals", "materials", "purchases")
    """A row a scenario; a row a scenario and material; a row a scenario, material, end use, offer and place."""

    case: str
    currency: str
    axes: tuple[str, ...] = ()
    """What is varied, in order."""
    objective: Number | None = None
    """Of the plan without any of the scenarios; None: it was not made."""
    scenarios: tuple[SweptScenario, ...] = ()
    unasked: int = 0
    """Scenarios that were not planned, since the user ended the sweep, or its time was up."""

    @property
    def failed(self) -> tuple[SweptScenario, ...]:
        """Scenarios without a plan."""
        return tuple(one for one in self.scenarios if one.plan.failed)

    def columns(self, table: str) -> tuple[str, ...]:
        """The columns of a table, in order."""
        if table == "totals":
            return ("number", "name", *self.axes, *_PLAN, *Cost.model_fields)
        record = ScenarioMaterial if table == "materials" else ScenarioPurchase
        return ("number", "name", *record.model_fields)

    def rows(self, table: str) -> Iterator[Row]:
        """The rows of a table, in order."""
        for one in self.scenarios:
            head: Row = {"number": one.number, "name": one.name}
            if table == "totals":
                yield {**head, **_axes(self.axes, one), **_totals(one.plan)}
            else:
                entries = one.plan.materials if table == "materials" else one.plan.purchases
                yield from ({**head, **entry.__dict__} for entry in entries)

    def to_frame(self, table: str = "") -> pandas.DataFrame:
        """One of `TABLES`, the totals if none is named, as a data frame; numbers are doubles.

        Raises:
            ValueError: for another table.
        """
        import pandas

        name = table or self.TABLES[0]
        if name not in self.TABLES:
            raise ValueError(f"no table `{name}`: one of {', '.join(self.TABLES)}")
        rows = [{key: as_double(value) for key, value in row.items()} for row in self.rows(name)]
        return pandas.DataFrame(rows, columns=list(self.columns(name)))


def as_double(value: object) -> Any:
    """A cell as tools for tables take it."""
    return float(value) if isinstance(value, Decimal) else value


def _axes(axes: tuple[str, ...], one: SweptScenario) -> Row:
    return {axis: one.varied.get(axis, "") for axis in axes}


def _totals(plan: ScenarioPlan) -> Row:
    cost = {name: None if plan.cost is None else getattr(plan.cost, name) for name in Cost.model_fields}
    return {**{name: getattr(plan, name) for name in _PLAN}, **cost}
