"""Purchases of a plan as parallel arrays: a plan of a hundred thousand is made, and verified, without a record for each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, overload

from pydantic import Field

from .base import Number, Record
from .values import PERIODS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


Index = Annotated[int, Field(ge=-(PERIODS.most or 0), le=PERIODS.most)]
"""A period by its position in the plan, counted from 0. One outside the plan is found by the check of the plan; one outside of
every plan is refused as it is read."""


class Purchase(Record):
    """One material bought from an offer for one place."""

    offer: str
    material: str
    place: str
    requirement: str
    ordered: Index
    """Period of the order; inputs are drawn and the price applies then."""
    delivered: Index
    """Period of arrival; duty, export control and freight apply then."""
    quantity: Number
    licences: tuple[str, ...] = ()
    """Licences of bounded quantity under which it moves."""


@dataclass(frozen=True, slots=True, eq=False)
class PurchaseTable(Sequence[Purchase]):
    """Purchases by column; each is made into a record when it is looked at."""

    lines: Sequence[tuple[str, str, str]]
    """Offer, material and place of all that is bought."""
    line: NDArray[np.intp]
    """Position of each purchase's line."""
    labels: Sequence[str]
    """Of compliance classes."""
    requirement: NDArray[np.intp]
    """Position of each purchase's label."""
    ordered: NDArray[np.intp]
    delivered: NDArray[np.intp]
    unit: Decimal
    counts: NDArray[Any]
    """Quantities as whole numbers of units."""
    licences: Mapping[int, tuple[str, ...]]
    """Licences of those that move under some."""

    def __len__(self) -> int:
        return len(self.line)

    @overload
    def __getitem__(self, position: int) -> Purchase: ...
    @overload
    def __getitem__(self, position: slice) -> tuple[Purchase, ...]: ...
    def __getitem__(self, position: int | slice) -> Purchase | tuple[Purchase, ...]:
        """A purchase, or several."""
        if isinstance(position, slice):
            return tuple(self[i] for i in range(*position.indices(len(self))))
        at = range(len(self))[position]
        columns = (self.line, self.requirement, self.ordered, self.delivered, self.counts)
        return self._record(at, *(column[at : at + 1].tolist()[0] for column in columns))

    def __iter__(self) -> Iterator[Purchase]:
        columns = (self.line, self.requirement, self.ordered, self.delivered, self.counts)
        yield from map(self._record, range(len(self)), *(column.tolist() for column in columns))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def _record(self, position: int, line: int, requirement: int, ordered: int, delivered: int, count: int) -> Purchase:
        offer, material, place = self.lines[line]
        return Purchase(
            offer=offer,
            material=material,
            place=place,
            requirement=self.labels[requirement],
            ordered=ordered,
            delivered=delivered,
            quantity=count * self.unit,
            licences=self.licences.get(position, ()),
        )
