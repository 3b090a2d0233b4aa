"""Conversion of a solver's answer to a plan, rounded to the resolution and recomputed in decimals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from ..domain.base import SharedValues, without_trailing_zeros
from ..domain.plan import Delivery, Infeasible, LotUse, Make, Plan, PlanStatus, PurchaseTable, Short, Stock, Transfer
from ..domain.runtime import without_gc
from ..problem.decimal_arrays import Whole, added_up, whole
from ..problem.demands import round_to
from ..problem.network import final_node
from .compile import Program
from .matrix import Floats, Ints, joined
from .rounding import balance_repaired, in_whole_lots, to_steps, within_tiers

_NOTHING = 1e-6
"""Share of a resolution step that is numerical noise of a solver, not rounding."""
Cell = tuple[int, int, int]
"""Node, compliance class, and period."""


@dataclass(slots=True)
class _Part:
    demand: int
    compliance_class: int
    waivers: tuple[str, ...]
    quantity: Decimal


@without_gc()
def decode(
    program: Program,
    x: np.ndarray,
    status: PlanStatus,
    objective: float,
    bound: float,
    infeasible: Sequence[Infeasible] = (),
) -> Plan:
    """Return the plan for the column values `x`."""
    return _Decoder(program, x).plan(status, objective, bound, infeasible)


def columns_of(program: Program, plan: Plan, x: Floats) -> Floats:
    """Return the columns of a plan that was decoded from `x`. Columns that a plan doesn't state keep their values."""
    problem, columns, moves = program.problem, program.columns, program.problem.moves
    index = {label: each.index for label, each in problem.class_of.items()}
    offers = {facts.offer.id: number for number, facts in enumerate(problem.offers)}
    demands = {demand.id: number for number, demand in enumerate(problem.demands)}
    nodes = problem.network.position
    lots = {arc.name: arc.index for arc in problem.network.arcs if arc.lot >= 0}
    found, count, table = x.copy(), problem.case.horizon.count, plan.purchases
    assert isinstance(table, PurchaseTable)
    found[program.rounded()] = 0.0
    for first in columns.stock.values():
        found[first : first + count] = 0.0
    # Every compliance class buys a move in one column at most.
    of_move = columns.buy_compliance_class * len(moves) + columns.buy_move
    order = np.argsort(of_move, kind="stable")
    bought = [table.requirement * len(moves) + moves.slots[table.line, table.ordered]]
    bought += [
        np.array([index[lot.requirement] * len(moves) + moves.slots[lots[lot.lot], lot.period]]) for lot in plan.lots
    ]
    quantities = [step * float(table.unit) for step in table.counts.tolist()] + [
        float(lot.quantity) for lot in plan.lots
    ]
    found[columns.buy[order[np.searchsorted(of_move[order], joined(bought))]]] = quantities
    for make in plan.makes:
        found[columns.make[offers[make.offer], index.get(make.requirement, -1), make.period]] = float(make.units)
    for lent in plan.transfers:
        offer = offers[lent.offer]
        output = next(i for i, line in enumerate(problem.offers[offer].offer.outputs) if line.material == lent.material)
        key = (offer, output, lent.period, index[lent.from_requirement], index[lent.to_requirement])
        found[columns.transfer[key]] = float(lent.quantity)
    for held in plan.stocks:
        first = columns.stock[nodes[held.material, held.place], index[held.requirement]]
        found[first + held.period] = float(held.quantity)
    deliver = dict(zip(columns.deliver_key, columns.deliver, strict=True))
    for delivery in plan.deliveries:
        used = demands[delivery.demand], delivery.period, index[delivery.requirement], delivery.waivers
        found[deliver[used]] = float(delivery.quantity)
    for short in plan.shorts:
        found[columns.short + demands[short.demand] * count + short.period] = float(short.quantity)
    return found


class _Decoder:
    def __init__(self, program: Program, x: np.ndarray) -> None:
        self.program = program
        self.problem = program.problem
        self.in_lots = in_whole_lots(program, x)
        self.x = within_tiers(program, x)
        self.x[list(self.in_lots)] = [float(quantity) for quantity in self.in_lots.values()]
        self.resolution = self.problem.case.resolution
        self.nodes = self.problem.network.position
        self.inflow: defaultdict[Cell, Decimal] = defaultdict(Decimal)
        self.planned = self._planned()
        taken = {cell: float(sum(part.quantity for part in parts)) for cell, parts in self.planned.items()}
        if not self._is_in_steps():
            self.x = balance_repaired(program, self.x, taken)

    def _is_in_steps(self) -> bool:
        steps = self.x[self.program.rounded()] / float(self.resolution)
        return bool((np.abs(steps - np.rint(steps)) < _NOTHING).all())

    def plan(self, status: PlanStatus, objective: float, bound: float, infeasible: Sequence[Infeasible]) -> Plan:
        purchases, lots = self._bought()
        makes = self._makes()
        transfers = self._transfers()
        deliveries, stocks = self._flow()
        return Plan(
            status=status,
            objective=Decimal(repr(float(objective))),
            bound=Decimal(repr(float(bound))),
            purchases=purchases,
            makes=tuple(makes),
            lots=tuple(lots),
            transfers=tuple(transfers),
            stocks=tuple(stocks),
            deliveries=tuple(deliveries),
            shorts=tuple(self._shorts(deliveries)),
            infeasible=tuple(infeasible),
        )

    def _values(self, columns: Ints) -> list[Decimal]:
        """Return the values of some columns: in whole lots where they buy in lots, else rounded to the nearest step."""
        steps = to_steps(self.x[columns], self.resolution)
        found = [step * self.resolution for step in steps.tolist()]
        if self.in_lots:
            found = [self.in_lots.get(column, value) for column, value in zip(columns.tolist(), found, strict=True)]
        return found

    def _bought(self) -> tuple[PurchaseTable, list[LotUse]]:
        columns, moves, network = self.program.columns, self.problem.moves, self.problem.network
        counts, unit = to_steps(self.x[columns.buy], self.resolution), self.resolution
        if self.in_lots:
            counts, unit = whole(self._values(columns.buy), unit)
        some = np.flatnonzero(counts > 0)
        counts, compliance_class, move = counts[some], columns.buy_compliance_class[some], columns.buy_move[some]
        licences = {i: columns.buy_licences[at] for i, at in enumerate(some.tolist()) if columns.buy_licences[at]}
        arc, ordered, delivered = moves.arc[move], moves.ordered[move], moves.delivered[move]
        self._arrive(arc, compliance_class, delivered, counts, unit)
        offer = network.offers[arc]
        self._take(offer, compliance_class, ordered, counts, unit)
        lots = [
            LotUse(
                lot=network.arcs[arc[i]].name, material=network.arcs[arc[i]].node[0],
                place=network.arcs[arc[i]].node[1], requirement=self.problem.compliance_classes[compliance_class[i]].label,
                period=int(delivered[i]), quantity=int(counts[i]) * unit, licences=licences.get(i, ()),
            )
            for i in np.flatnonzero(offer < 0).tolist()
        ]  # fmt: skip
        own = np.flatnonzero(offer >= 0)
        purchases = PurchaseTable(
            lines=tuple([(a.name, *a.node) for a in network.arcs]),
            line=arc[own],
            labels=tuple([each.label for each in self.problem.compliance_classes]),
            requirement=compliance_class[own],
            ordered=ordered[own],
            delivered=delivered[own],
            unit=unit,
            counts=counts[own],
            licences={i: licences[at] for i, at in enumerate(own.tolist()) if at in licences} if licences else {},
        )
        return purchases, lots

    def _arrive(self, arc: Ints, compliance_class: Ints, delivered: Ints, counts: Whole, unit: Decimal) -> None:
        node = self.problem.network.ends[arc]
        shape = len(self.nodes), len(self.problem.compliance_classes), self.problem.case.horizon.count
        cells, place = np.unique(np.ravel_multi_index((node, compliance_class, delivered), shape), return_inverse=True)
        sums = added_up(counts, place, len(cells)).tolist()
        keys = zip(*(part.tolist() for part in np.unravel_index(cells, shape)), strict=True)
        for cell, count in zip(keys, sums, strict=True):
            self.inflow[cell] += count * unit

    def _take(self, offer: Ints, compliance_class: Ints, ordered: Ints, counts: Whole, unit: Decimal) -> None:
        """Subtract the inputs of purchases from single-output offers from the inflow."""
        fed = [facts.single and bool(facts.offer.inputs) for facts in self.problem.offers]
        own = np.flatnonzero(np.array([*fed, False], dtype=bool)[offer])
        parts = (offer[own], compliance_class[own], ordered[own], counts[own])
        for one, label, t, count in zip(*(part.tolist() for part in parts), strict=True):
            self._draw(one, label, t, count * unit)

    def _draw(self, offer: int, compliance_class: int, period: int, units: Decimal) -> None:
        facts = self.problem.offers[offer]
        for line in facts.offer.inputs:
            self.inflow[self.nodes[line.material, facts.place], compliance_class, period] -= line.per_unit * units

    def _makes(self) -> list[Make]:
        makes = []
        made = self.program.columns.make
        values = self._values(np.fromiter(made.values(), dtype=np.intp, count=len(made)))
        for (offer, compliance_class, period), units in zip(made, values, strict=True):
            if units <= 0:
                continue
            label = self.problem.compliance_classes[compliance_class].label if compliance_class >= 0 else ""
            name = self.problem.offers[offer].offer.id
            makes.append(Make(offer=name, requirement=label, period=period, units=units))
            if compliance_class >= 0:
                self._draw(offer, compliance_class, period, units)
        return makes

    def _transfers(self) -> list[Transfer]:
        transfers = []
        lent = self.program.columns.transfer
        values = self._values(np.fromiter(lent.values(), dtype=np.intp, count=len(lent)))
        for (offer, output, period, giver, taker), quantity in zip(lent, values, strict=True):
            if quantity > 0:
                facts = self.problem.offers[offer].offer
                transfers.append(
                    Transfer(
                        offer=facts.id, material=facts.outputs[output].material, period=period,
                        from_requirement=self.problem.compliance_classes[giver].label,
                        to_requirement=self.problem.compliance_classes[taker].label, quantity=quantity,
                    )
                )  # fmt: skip
        return transfers

    def _flow(self) -> tuple[list[Delivery], list[Stock]]:
        """Return deliveries and stocks. In each period, available material serves the planned deliveries, and the rest is stock."""
        deliveries: list[Delivery] = []
        stocks: list[Stock] = []
        nothing, made = Decimal(0), SharedValues().made  # very many records, of values that are valid as they are
        demands = [demand.id for demand in self.problem.demands]
        for compliance_class in self.problem.compliance_classes:
            label = compliance_class.label
            for node in sorted(compliance_class.nodes):
                held, number = nothing, self.nodes[node]
                for t, kept in enumerate(self.problem.stores[node].kept):
                    cell = (number, compliance_class.index, t)
                    if kept != 1:  # rounded, so that what is left of the stock never takes more digits than are kept
                        held = round_to(held * kept, self.resolution)
                    held += self.inflow.get(cell, nothing)
                    for part in self.planned.get(cell, ()):
                        quantity = min(part.quantity, max(held, nothing))
                        held -= quantity
                        if quantity > 0:
                            fields = {
                                "demand": demands[part.demand], "period": t, "requirement": label,
                                "quantity": without_trailing_zeros(quantity), "waivers": part.waivers,
                            }  # fmt: skip
                            deliveries.append(made(Delivery, fields))
                    held = max(held, nothing)  # inputs rounded short; the miss is within half a resolution a draw
                    if held > 0:
                        fields = {
                            "material": node[0], "place": node[1], "requirement": label, "period": t,
                            "quantity": without_trailing_zeros(held),
                        }  # fmt: skip
                        stocks.append(made(Stock, fields))
        return deliveries, stocks

    def _planned(self) -> dict[Cell, list[_Part]]:
        """Return the solver's deliveries, rounded so that with the shortage they sum to the demand."""
        columns = self.program.columns
        count = self.problem.case.horizon.count
        by_demand: defaultdict[tuple[int, int], list[_Part]] = defaultdict(list)
        values = self._values(np.array(columns.deliver, dtype=np.intp))
        for value, (demand, period, compliance_class, waivers) in zip(values, columns.deliver_key, strict=True):
            by_demand[demand, period].append(_Part(demand, compliance_class, waivers, value))
        shorts = self._values(columns.short + np.arange(len(self.problem.demands) * count))
        planned: defaultdict[Cell, list[_Part]] = defaultdict(list)
        for (demand, period), parts in by_demand.items():
            facts = self.problem.demands[demand]
            short = shorts[demand * count + period]
            left = facts.quantity[period] - short
            for part in parts:
                left -= part.quantity
            largest = max(parts, key=lambda part: part.quantity)
            largest.quantity = max(Decimal(0), largest.quantity + left)
            node = self.nodes[final_node(facts.use)]
            for part in parts:
                if part.quantity > 0:
                    planned[node, part.compliance_class, period].append(part)
        return dict(planned)

    def _shorts(self, deliveries: Sequence[Delivery]) -> list[Short]:
        given: defaultdict[tuple[str, int], Decimal] = defaultdict(Decimal)
        for delivery in deliveries:
            given[delivery.demand, delivery.period] += delivery.quantity
        return [
            Short(demand=demand.id, period=t, quantity=wanted - given[demand.id, t])
            for demand in self.problem.demands
            for t, wanted in enumerate(demand.quantity)
            if wanted > given[demand.id, t]
        ]
