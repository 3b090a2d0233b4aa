"""What a sweep comes to: the plan of each of many scenarios in a few figures, and three tables of them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from functools import cached_property
from operator import eq
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, overload

from pydantic import Field, PlainSerializer, WrapValidator

from friendshore.domain.base import Number, Record
from friendshore.domain.plan import Cost
from friendshore.explain.results import QuestionResult
from friendshore.problem.inputs import Applied

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

    status: Literal["optimal", "feasible", "infeasible", "interrupted", "unconfirmed", "error"]
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

    @cached_property
    def failed(self) -> bool:
        """Whether there is no plan."""
        return self.status == FAILED


class KeptScenario(Record):
    """The plan of one scenario as it is kept: in a few figures, and whole, so that they can be checked."""

    told: ScenarioPlan
    entries: str = ""
    """The plan itself, as compressed JSON; empty: there is none."""


class SweptScenario(Record):
    """A scenario of a sweep with its plan."""

    number: Annotated[int, Field(ge=1)]
    """Its place in the order in which scenarios were given."""
    name: str
    varied: dict[str, str] = {}
    """What is varied -> its value, as it was stated."""
    plan: ScenarioPlan


class Scenarios(Sequence[SweepScenario]):
    """The scenarios of a sweep, each made when it is looked at: of many only what they are made of is held."""

    def __init__(self, count: int, make: Callable[[int], SweepScenario]) -> None:
        """So many, made by their places, from 0."""
        self._count, self._make = count, make

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> SweepScenario: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[SweepScenario, ...]: ...
    def __getitem__(self, place: int | slice) -> SweepScenario | tuple[SweepScenario, ...]:
        """One of them, or several."""
        here = range(self._count)[place]
        return self._make(here) if isinstance(here, int) else tuple(map(self._make, here))


class SweptScenarios(Sequence[SweptScenario]):
    """Scenarios with their plans, each read when it is looked at."""

    def __init__(self, asked: Sequence[SweepScenario], places: Sequence[int], plan: Callable[[int], str]) -> None:
        """Those of some places, from 0, of all that were asked; `plan` yields the JSON of each."""
        self._asked, self._places, self._plan = asked, places, plan

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, place: int) -> SweptScenario: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[SweptScenario, ...]: ...
    def __getitem__(self, place: int | slice) -> SweptScenario | tuple[SweptScenario, ...]:
        """One of them, or several."""
        found = self._places[place]
        return self._read(found) if isinstance(found, int) else tuple(map(self._read, found))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and all(map(eq, self, other))

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __reduce__(self) -> tuple[type[tuple[SweptScenario, ...]], tuple[tuple[SweptScenario, ...]]]:
        return tuple, (tuple(self),)

    def _read(self, place: int) -> SweptScenario:
        one = self._asked[place]
        kept = KeptScenario.model_validate_json(self._plan(place))
        return SweptScenario(number=place + 1, name=one.name, varied=one.varied, plan=kept.told)


def _kept(value: Any, validated: Callable[[Any], Sequence[SweptScenario]]) -> Sequence[SweptScenario]:
    return value if isinstance(value, SweptScenarios) else tuple(validated(value))


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
    """Of the plan without any of the scenarios: present value, penalties included. None: it was not made."""
    cash: Number | None = None
    """Cash that this plan spends."""
    scenarios: Annotated[
        Sequence[SweptScenario], WrapValidator(_kept), PlainSerializer(tuple, return_type=tuple[SweptScenario, ...])
    ] = ()
    """A tuple, or `SweptScenarios`, which reads each when it is looked at."""
    unasked: int = 0
    """Scenarios that were not planned, since the user ended the sweep, or its time was up."""
    kept: int = Field(default=0, exclude=True)
    """Scenarios whose plans its folder held before; no part of its data, which are the same without."""

    @cached_property
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
            yield from self.rows_of(one, table)

    def rows_of(self, one: SweptScenario, table: str) -> Iterator[Row]:
        """Those of one scenario."""
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
