"""A plan: purchases, production, transfers, stock, deliveries, and shortages, with their exact cost. Periods are indices into the case's horizon.
Quantities are kilograms in the material's basis. `compliance_class` is the label of the compliance class that a kilogram may serve. Purchases are parallel
arrays, so that a plan with a hundred thousand of them is created and verified without a record for each.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, overload

from pydantic import Field, PlainSerializer, WrapValidator

from .base import Number, Record, SharedValues, Tables, exact, totals, without_trailing_zeros
from .values import PERIODS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Index = Annotated[int, Field(ge=-(PERIODS.maximum or 0), le=PERIODS.maximum)]
"""Position of a period, from 0. One outside any plan is rejected when it is read, and one outside this plan when the plan is checked."""


class Purchase(Record):
    """One material bought from an offer for one place."""

    offer: str
    material: str
    place: str
    compliance_class: str
    ordered: Index
    """Period of the order. Inputs are drawn and the price applies then."""
    delivered: Index
    """Period of arrival. Duty, export control, and freight apply then."""
    quantity: Number
    licenses: tuple[str, ...] = ()
    """Licenses of limited quantity under which it moves."""


_SHARING = SharedValues()


@dataclass(frozen=True, slots=True, eq=False)
class PurchaseTable(Sequence[Purchase]):
    """Purchases by column. Records are created on access."""

    lines: Sequence[tuple[str, str, str]]
    """Offer, material, and place."""
    line: NDArray[np.intp]
    """Position in `lines`."""
    labels: Sequence[str]
    compliance_class: NDArray[np.intp]
    """Position in `labels`."""
    ordered: NDArray[np.intp]
    delivered: NDArray[np.intp]
    unit: Decimal
    counts: NDArray[Any]
    """In whole numbers of units."""
    licenses: Mapping[int, tuple[str, ...]]
    """By position of the purchase."""

    def of(self, materials: Collection[str]) -> PurchaseTable:
        is_included = [material in materials for _, material, _ in self.lines]
        positions = [position for position, line in enumerate(self.line.tolist()) if is_included[line]]
        licenses = {new: self.licenses[old] for new, old in enumerate(positions) if old in self.licenses}
        return replace(
            self,
            line=self.line[positions],
            compliance_class=self.compliance_class[positions],
            ordered=self.ordered[positions],
            delivered=self.delivered[positions],
            counts=self.counts[positions],
            licenses=licenses,
        )

    def relabeled(self, labels: Mapping[str, str]) -> PurchaseTable:
        import numpy as np

        used, compliance_class = np.unique(self.compliance_class, return_inverse=True)
        new_labels = [labels[self.labels[position]] for position in used.tolist()]
        return replace(self, labels=new_labels, compliance_class=compliance_class)

    def __len__(self) -> int:
        return len(self.line)

    @overload
    def __getitem__(self, position: int) -> Purchase: ...
    @overload
    def __getitem__(self, position: slice) -> tuple[Purchase, ...]: ...
    def __getitem__(self, position: int | slice) -> Purchase | tuple[Purchase, ...]:
        if isinstance(position, slice):
            return tuple(self[i] for i in range(*position.indices(len(self))))
        index = range(len(self))[position]
        columns = (self.line, self.compliance_class, self.ordered, self.delivered, self.counts)
        return self._record(index, *(column[index : index + 1].tolist()[0] for column in columns))

    def __iter__(self) -> Iterator[Purchase]:
        columns = (self.line, self.compliance_class, self.ordered, self.delivered, self.counts)
        yield from map(self._record, range(len(self)), *(column.tolist() for column in columns))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def _record(
        self, position: int, line: int, compliance_class: int, ordered: int, delivered: int, count: int
    ) -> Purchase:
        offer, material, place = self.lines[line]
        fields: dict[str, object] = {
            "offer": offer,
            "material": material,
            "place": place,
            "compliance_class": self.labels[compliance_class],
            "ordered": ordered,
            "delivered": delivered,
            "quantity": without_trailing_zeros(count * self.unit),
            "licenses": self.licenses.get(position, ()),
        }
        return _SHARING.unchecked_record(Purchase, fields)


OPTIMAL_GAP = Decimal("1e-4")
"""Largest relative gap to the bound of an optimal plan. A user may request a wider gap, but the plan isn't called optimal then."""
OPTIMAL_MONEY = Decimal("1e-6")
"""Distance in money from the bound that is always allowed, because a relative gap is undefined for a plan that costs nothing."""


class PlanStatus(StrEnum):
    """Result of the search for a plan."""

    OPTIMAL = "optimal"
    """Proved optimal within the requested gap. If objectives are ranked, every level is proved."""
    FEASIBLE = "feasible"
    """A limit ended the search. The bound limits the distance from the optimum."""
    INTERRUPTED = "interrupted"
    """The user ended the search. The bound limits the distance from the optimum."""
    UNCONFIRMED = "unconfirmed"
    """One solver reports it as optimal. A limit ended the search for a confirmation."""
    INFEASIBLE = "infeasible"
    """Hard rules conflict in at least one component. The others are planned."""


class Confirmation(StrEnum):
    """Confirmation that a plan with integer decisions is optimal. A single run of one solver is never enough."""

    BOUND = "bound"
    """The duals of a linear relaxation prove that no plan costs less."""
    SECOND_SOLVER = "second solver"
    """Another solver, with no code in common, found no cheaper plan."""
    SECOND_SEARCH = "second search"
    """The same solver, with another seed and other tolerances, found no cheaper plan."""


class Make(Record):
    """Units made of an offer with several outputs. Outputs that are used are bought as `Purchase`."""

    offer: str
    compliance_class: str
    """Compliance class of its inputs. Empty for a source."""
    period: Index
    units: Number


class LotUse(Record):
    """Part of a stock in hand or an open order that is set aside for a compliance class."""

    lot: str
    material: str
    place: str
    compliance_class: str
    period: Index
    """First period in which it is available."""
    quantity: Number
    licenses: tuple[str, ...] = ()


class Transfer(Record):
    """A co-product made under one compliance class that serves another. The other class admits everything that the first admits."""

    offer: str
    material: str
    period: Index
    from_compliance_class: str
    to_compliance_class: str
    quantity: Number


class Stock(Record):
    """Material in stock at the end of a period."""

    material: str
    place: str
    compliance_class: str
    period: Index
    quantity: Number


class Delivery(Record):
    """A delivery to a demand."""

    demand: str
    period: Index
    compliance_class: str
    quantity: Number
    waivers: tuple[str, ...] = ()
    """Waivers under which it is delivered."""


class Short(Record):
    """Shortage of a demand."""

    demand: str
    period: Index
    quantity: Number


class Infeasible(Record):
    """A component whose hard rules conflict, so that it isn't planned."""

    materials: tuple[str, ...]
    demands: tuple[str, ...]
    rules: tuple[str, ...]
    """A minimal set of conflicting rules."""


def _table_or_tuple(value: Any, validate: Callable[[Any], Sequence[Purchase]]) -> Sequence[Purchase]:
    return value if isinstance(value, PurchaseTable) else tuple(validate(value))


class PlanLevel(Record):
    """Value of one of several ranked objectives, as the solver found it."""

    best_value: Number
    """Smallest value that the earlier levels allow."""
    bound: Number
    """Lower bound on this level among plans that keep the earlier levels."""
    max_value: Number
    """Largest value that later levels may give it."""


class Exchangeable(Record):
    """Offers that could replace one another at the same cost, and with no more money for purchases of concern."""

    material: str
    place: str
    offers: tuple[str, ...]


class Plan(Tables):
    """A plan as the solver returned it, rounded. It isn't verified yet."""

    status: PlanStatus
    objective: Number
    """Discounted money spent plus shortage penalties, as the solver found it."""
    bound: Number
    """Lower bound on the objective. If objectives are ranked, among plans that keep the levels before cost."""
    confirmed_by: tuple[Confirmation, ...] = ()
    """Confirmations of an optimal plan. Empty for plans without integer decisions, because the duals prove a linear program's optimum."""
    not_tie_broken: tuple[str, ...] = ()
    """Materials whose plan may be one of several with the same cost, and not the one of least concern or the steadiest."""
    exchangeable: tuple[Exchangeable, ...] = ()
    """Offers of one material at one place. The plan could buy more or less of each at the same cost."""
    levels: tuple[PlanLevel, ...] = ()
    """Ranked objectives, in order."""
    purchases: Annotated[
        Sequence[Purchase], WrapValidator(_table_or_tuple), PlainSerializer(tuple, return_type=tuple[Purchase, ...])
    ] = ()
    makes: tuple[Make, ...] = ()
    lots: tuple[LotUse, ...] = ()
    transfers: tuple[Transfer, ...] = ()
    stocks: tuple[Stock, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    shorts: tuple[Short, ...] = ()
    infeasible: tuple[Infeasible, ...] = ()

    def within(self, materials: Collection[str], offers: Collection[str], demands: Collection[str]) -> Plan:
        """Return the part of the plan for some materials, offers, and demands. The objective stays that of the whole plan."""
        purchases = self.purchases
        return self.but(
            purchases=purchases.of(materials)
            if isinstance(purchases, PurchaseTable)
            else tuple(p for p in purchases if p.material in materials),
            makes=tuple(make for make in self.makes if make.offer in offers),
            lots=tuple(lot for lot in self.lots if lot.material in materials),
            transfers=tuple(transfer for transfer in self.transfers if transfer.material in materials),
            stocks=tuple(stock for stock in self.stocks if stock.material in materials),
            deliveries=tuple(delivery for delivery in self.deliveries if delivery.demand in demands),
            shorts=tuple(short for short in self.shorts if short.demand in demands),
        )

    def relabeled(self, labels: Mapping[str, str]) -> Plan:
        purchases = self.purchases
        return self.but(
            purchases=purchases.relabeled(labels)
            if isinstance(purchases, PurchaseTable)
            else tuple(p.but(compliance_class=labels[p.compliance_class]) for p in purchases),
            makes=tuple(
                make.but(compliance_class=labels[make.compliance_class]) if make.compliance_class else make
                for make in self.makes
            ),
            lots=tuple(lot.but(compliance_class=labels[lot.compliance_class]) for lot in self.lots),
            transfers=tuple(
                transfer.but(
                    from_compliance_class=labels[transfer.from_compliance_class],
                    to_compliance_class=labels[transfer.to_compliance_class],
                )
                for transfer in self.transfers
            ),
            stocks=tuple(stock.but(compliance_class=labels[stock.compliance_class]) for stock in self.stocks),
            deliveries=tuple(
                delivery.but(compliance_class=labels[delivery.compliance_class]) for delivery in self.deliveries
            ),
        )

    @property
    def short_by_demand(self) -> dict[str, Decimal]:
        """Demand -> kilograms short over the plan. Demands without a shortage are left out."""
        shortages = totals((short.demand, short.quantity) for short in self.shorts)
        return {demand: kilograms for demand, kilograms in shortages.items() if kilograms}


_HALF_A_CENT, _SHARE, _UNIT = Decimal("0.005"), Decimal("0.00001"), Decimal(1)


def without_residue(difference: Decimal, *totals: Decimal) -> Decimal:
    """Return a difference between two plans' money, or 0 if it is below the resolution of the totals.

    Quantities are rounded to grams, and plans are proved cheapest to a millionth. A difference is a residue of that below one unit of money and
    below 0.001% of the totals, the smallest share that is shown. Below half a cent, it always is.
    """
    resolution = min(max(_SHARE * max(map(abs, totals)), _HALF_A_CENT), _UNIT)
    return difference if abs(difference) >= resolution else Decimal(0)


class Cost(Record):
    """Money, in the case's currency, discounted to the start of the plan unless a field says otherwise."""

    price: Number
    """At list prices, before price schedules apply."""
    discounts: Number = Decimal(0)
    """Effect of price schedules, lumps included: discounts are negative, surcharges positive."""
    charges: Number
    """Duties and other charges of rules."""
    freight: Number
    onboarding: Number
    fixed: Number = Decimal(0)
    """Fixed costs, due under terms of trade if anything is ordered."""
    untaken: Number = Decimal(0)
    """Take-or-pay payments for quantities that aren't taken."""
    holding: Number
    total: Number
    """Sum of the above: spend of the plan."""
    nominal: Number
    """The total, not discounted."""
    penalties: Number
    """Penalties for violations of soft rules."""
    shortage: Number
    """Shortage penalty. Not spent."""
    objective: Number
    """`total` + `penalties` + `shortage`: the minimized objective."""

    def plus(self, other: Cost) -> Cost:
        return self._line_by_line(other, 1)

    def minus(self, other: Cost) -> Cost:
        return self._line_by_line(other, -1)

    def rise_from(self, before: Cost) -> Cost:
        """Return the difference from another plan's cost, without residues of rounding. Lines need not add up exactly."""
        rise, totals = self.minus(before), (self.objective, before.objective)
        return Cost(**{name: without_residue(getattr(rise, name), *totals) for name in type(self).model_fields})

    def _line_by_line(self, other: Cost, sign: int) -> Cost:
        names = type(self).model_fields
        return Cost(**{name: exact(getattr(self, name) + sign * getattr(other, name)) for name in names})
