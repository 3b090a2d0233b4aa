"""What a plan is: what is bought, made, moved, stored, delivered and short, with its exact cost.

Periods are indices into the case's horizon. Quantities are kilograms in the material's basis. `requirement` is the label
of the class of uses that a kilogram may serve. Purchases are parallel arrays: a plan of a hundred thousand is made, and verified, without a
record for each.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, overload

from pydantic import Field, PlainSerializer, WrapValidator

from .base import Number, Record, Tables, exact, totals
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

    def of(self, materials: Collection[str]) -> PurchaseTable:
        """Those of some materials."""
        wanted = [line[1] in materials for line in self.lines]
        kept = [number for number, line in enumerate(self.line.tolist()) if wanted[line]]
        licences = {new: self.licences[old] for new, old in enumerate(kept) if old in self.licences}
        return replace(
            self,
            line=self.line[kept],
            requirement=self.requirement[kept],
            ordered=self.ordered[kept],
            delivered=self.delivered[kept],
            counts=self.counts[kept],
            licences=licences,
        )

    def relabelled(self, labels: Mapping[str, str]) -> PurchaseTable:
        """Return the same purchases with other labels of compliance classes, those that no purchase has left out."""
        import numpy as np

        used, requirement = np.unique(self.requirement, return_inverse=True)
        return replace(self, labels=[labels[self.labels[at]] for at in used.tolist()], requirement=requirement)

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


OPTIMAL_GAP = Decimal("1e-4")
"""Relative distance from the bound up to which a plan may be called the cheapest; a wider gap may be asked for, not so called."""
OPTIMAL_MONEY = Decimal("1e-6")
"""Money by which the bound may lie lower in any case: of a plan that costs nothing there are no shares."""


class PlanStatus(StrEnum):
    """How a plan came about."""

    OPTIMAL = "optimal"
    """Proved cheapest within the asked gap; where objectives are ranked, every level is proved."""
    FEASIBLE = "feasible"
    """A limit ended the search; the bound says how far off it may be."""
    INTERRUPTED = "interrupted"
    """The user ended the search; the bound says how far off it may be."""
    UNCONFIRMED = "unconfirmed"
    """One solver calls it cheapest. A limit ended the search that would have confirmed this."""
    INFEASIBLE = "infeasible"
    """Hard rules conflict in at least one component; the others are planned."""


class Confirmation(StrEnum):
    """What confirms that a plan with yes-or-no decisions, or with counts, is the cheapest. One run of one solver never does."""

    BOUND = "bound"
    """The duals of a linear relaxation prove that no plan costs less."""
    SECOND_SOLVER = "second solver"
    """Another solver, with no code in common, found no cheaper plan."""
    SECOND_SEARCH = "second search"
    """The same solver found no cheaper plan on another path, with another seed and other tolerances."""


class Make(Record):
    """Units made of an offer with several outputs; what of them is wanted is bought as `Purchase`."""

    offer: str
    requirement: str
    """Of its inputs; empty for a source."""
    period: Index
    units: Number


class LotUse(Record):
    """Part of a stock in hand, or of an order already placed, set aside for a compliance class."""

    lot: str
    material: str
    place: str
    requirement: str
    period: Index
    """Period from which it is there."""
    quantity: Number
    licences: tuple[str, ...] = ()


class Transfer(Record):
    """A co-product made under one compliance class that serves another which admits all that the first admits."""

    offer: str
    material: str
    period: Index
    from_requirement: str
    to_requirement: str
    quantity: Number


class Stock(Record):
    """Material held at the end of a period."""

    material: str
    place: str
    requirement: str
    period: Index
    quantity: Number


class Delivery(Record):
    """What a demand gets."""

    demand: str
    period: Index
    requirement: str
    quantity: Number
    waivers: tuple[str, ...] = ()
    """Waivers under which it is delivered, if any."""


class Short(Record):
    """Demand not met."""

    demand: str
    period: Index
    quantity: Number


class Infeasible(Record):
    """A component whose hard rules conflict: nothing is planned in it."""

    materials: tuple[str, ...]
    demands: tuple[str, ...]
    rules: tuple[str, ...]
    """A minimal set of rules that cannot hold together."""


def _kept(value: Any, validated: Callable[[Any], Sequence[Purchase]]) -> Sequence[Purchase]:
    return value if isinstance(value, PurchaseTable) else tuple(validated(value))


class PlanLevel(Record):
    """What one of several ranked objectives comes to, as the solver found it."""

    least: Number
    """As small as the levels before it allow."""
    bound: Number
    """No plan that keeps the levels before it comes to less."""
    most: Number
    """What later levels may make of it."""


class Exchangeable(Record):
    """Offers that could replace one another at the same cost, and with no more money for purchases of concern."""

    material: str
    place: str
    offers: tuple[str, ...]


class Plan(Tables):
    """A plan as the solver left it, rounded; nothing in it has been checked yet."""

    status: PlanStatus
    objective: Number
    """Discounted money spent plus priced shortage, as the solver found it."""
    bound: Number
    """No plan has a lower objective than this; where objectives are ranked, none that keeps the levels before cost."""
    confirmed_by: tuple[Confirmation, ...] = ()
    """What confirms an optimal plan. Empty for plans without integer decisions: the duals prove a linear program's optimum."""
    not_tie_broken: tuple[str, ...] = ()
    """Materials whose plan may be one of several that cost the same, and not the one that is least of concern or the steadiest."""
    exchangeable: tuple[Exchangeable, ...] = ()
    """Offers of one material at one place. The plan could buy more or less of each at the same cost."""
    levels: tuple[PlanLevel, ...] = ()
    """Ranked objectives, in order."""
    purchases: Annotated[
        Sequence[Purchase], WrapValidator(_kept), PlainSerializer(tuple, return_type=tuple[Purchase, ...])
    ] = ()
    """A tuple, or `PurchaseTable`."""
    makes: tuple[Make, ...] = ()
    lots: tuple[LotUse, ...] = ()
    transfers: tuple[Transfer, ...] = ()
    stocks: tuple[Stock, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    shorts: tuple[Short, ...] = ()
    infeasible: tuple[Infeasible, ...] = ()

    def within(self, materials: Collection[str], offers: Collection[str], demands: Collection[str]) -> Plan:
        """What of it has to do with some materials, the offers that make them, and the demands for them; its objective stays that of all of it."""
        bought = self.purchases
        return self.but(
            purchases=bought.of(materials)
            if isinstance(bought, PurchaseTable)
            else tuple(one for one in bought if one.material in materials),
            makes=tuple(one for one in self.makes if one.offer in offers),
            lots=tuple(one for one in self.lots if one.material in materials),
            transfers=tuple(one for one in self.transfers if one.material in materials),
            stocks=tuple(one for one in self.stocks if one.material in materials),
            deliveries=tuple(one for one in self.deliveries if one.demand in demands),
            shorts=tuple(one for one in self.shorts if one.demand in demands),
        )

    def relabelled(self, labels: Mapping[str, str]) -> Plan:
        """Return the same plan with other labels of compliance classes."""
        bought = self.purchases
        return self.but(
            purchases=bought.relabelled(labels)
            if isinstance(bought, PurchaseTable)
            else tuple(one.but(requirement=labels[one.requirement]) for one in bought),
            makes=tuple(one.but(requirement=labels[one.requirement]) if one.requirement else one for one in self.makes),
            lots=tuple(one.but(requirement=labels[one.requirement]) for one in self.lots),
            transfers=tuple(
                one.but(
                    from_requirement=labels[one.from_requirement],
                    to_requirement=labels[one.to_requirement],
                )
                for one in self.transfers
            ),
            stocks=tuple(one.but(requirement=labels[one.requirement]) for one in self.stocks),
            deliveries=tuple(one.but(requirement=labels[one.requirement]) for one in self.deliveries),
        )

    @property
    def short_by_demand(self) -> dict[str, Decimal]:
        """Demand -> kilograms short over the plan; what is met in full is left out."""
        found = totals((short.demand, short.quantity) for short in self.shorts)
        return {name: kilograms for name, kilograms in found.items() if kilograms}


class Cost(Record):
    """Money, in the case's currency. Each figure is discounted to the start of the plan unless it says otherwise."""

    price: Number
    """At list prices, before what price schedules take off."""
    discounts: Number = Decimal(0)
    """What price schedules take off (negative) or add, their lumps included."""
    charges: Number
    """Duties and other charges of rules."""
    freight: Number
    onboarding: Number
    fixed: Number = Decimal(0)
    """What terms of trade make due because anything is ordered at all."""
    untaken: Number = Decimal(0)
    """What take-or-pay makes due on quantities that are paid for and not taken."""
    holding: Number
    total: Number
    """The sum of the above: what the plan spends."""
    nominal: Number
    """The same, not discounted."""
    penalties: Number
    """Priced misses of soft rules."""
    shortage: Number
    """Priced shortage; not spent."""
    objective: Number
    """`total` + `penalties` + `shortage`: what is minimised."""

    def plus(self, other: Cost) -> Cost:
        """Both together, line by line."""
        return self._line_by_line(other, 1)

    def minus(self, other: Cost) -> Cost:
        """What this one is dearer by, line by line."""
        return self._line_by_line(other, -1)

    def _line_by_line(self, other: Cost, sign: int) -> Cost:
        names = type(self).model_fields
        return Cost(**{name: exact(getattr(self, name) + sign * getattr(other, name)) for name in names})
