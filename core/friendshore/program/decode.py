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
from ..problem.decimal_arrays import Integers, added_up, as_multiples
from ..problem.demands import round_to
from ..problem.network import final_node
from .compile import Program
from .matrix import Floats, Ints, joined
from .rounding import balance_repaired, in_whole_lots, to_steps, within_tiers

# Share of a resolution step that is numerical noise of a solver, not rounding.
_NOTHING = 1e-6
Cell = tuple[int, int, int]  # node, compliance class, period


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
    return _Decoder(program, x).plan(status, objective, bound, infeasible)


def columns_of(program: Program, plan: Plan, x: Floats) -> Floats:
    """Return the columns of a plan that was decoded from `x`. Columns that a plan doesn't state keep their values."""
    problem, columns, moves = program.problem, program.columns, program.problem.moves
    class_index = {label: compliance_class.index for label, compliance_class in problem.class_of.items()}
    offers = {facts.offer.id: number for number, facts in enumerate(problem.offers)}
    demands = {demand.id: number for number, demand in enumerate(problem.demands)}
    nodes = problem.network.position
    lots = {arc.name: arc.index for arc in problem.network.arcs if arc.lot >= 0}
    values, count, table = x.copy(), problem.case.horizon.count, plan.purchases
    assert isinstance(table, PurchaseTable)
    values[program.rounded()] = 0.0
    for first in columns.stock.values():
        values[first : first + count] = 0.0
    # Every compliance class buys a move in one column at most.
    move_keys = columns.buy_compliance_class * len(moves) + columns.buy_move
    by_key = np.argsort(move_keys, kind="stable")
    bought_keys = [table.compliance_class * len(moves) + moves.slots[table.line, table.ordered]]
    bought_keys += [
        np.array([class_index[lot.compliance_class] * len(moves) + moves.slots[lots[lot.lot], lot.period]])
        for lot in plan.lots
    ]
    quantities = [step * float(table.unit) for step in table.counts.tolist()] + [
        float(lot.quantity) for lot in plan.lots
    ]
    values[columns.buy[by_key[np.searchsorted(move_keys[by_key], joined(bought_keys))]]] = quantities
    for make in plan.makes:
        values[columns.make[offers[make.offer], class_index.get(make.compliance_class, -1), make.period]] = float(
            make.units
        )
    for transfer in plan.transfers:
        offer = offers[transfer.offer]
        output = next(
            i for i, line in enumerate(problem.offers[offer].offer.outputs) if line.material == transfer.material
        )
        transfer_key = (
            offer,
            output,
            transfer.period,
            class_index[transfer.from_compliance_class],
            class_index[transfer.to_compliance_class],
        )
        values[columns.transfer[transfer_key]] = float(transfer.quantity)
    for stock in plan.stocks:
        first = columns.stock[nodes[stock.material, stock.place], class_index[stock.compliance_class]]
        values[first + stock.period] = float(stock.quantity)
    deliver = dict(zip(columns.deliver_key, columns.deliver, strict=True))
    for delivery in plan.deliveries:
        key = demands[delivery.demand], delivery.period, class_index[delivery.compliance_class], delivery.waivers
        values[deliver[key]] = float(delivery.quantity)
    for shortage in plan.shorts:
        values[columns.short + demands[shortage.demand] * count + shortage.period] = float(shortage.quantity)
    return values


class _Decoder:
    def __init__(self, program: Program, x: np.ndarray) -> None:
        self.program = program
        self.problem = program.problem
        self.in_lots = in_whole_lots(program, x)
        self.x = within_tiers(program, x)
        if self.in_lots:
            self.x = self.x.copy()
            self.x[list(self.in_lots)] = [float(quantity) for quantity in self.in_lots.values()]
        self.resolution = self.problem.case.resolution
        self.nodes = self.problem.network.position
        self.inflow: defaultdict[Cell, Decimal] = defaultdict(Decimal)
        self.planned = self._planned_deliveries()
        delivered_kg = {cell: float(sum(part.quantity for part in parts)) for cell, parts in self.planned.items()}
        if not self._is_in_steps():
            self.x = balance_repaired(program, self.x, delivered_kg)

    def _is_in_steps(self) -> bool:
        steps = self.x[self.program.rounded()] / float(self.resolution)
        return bool((np.abs(steps - np.rint(steps)) < _NOTHING).all())

    def plan(self, status: PlanStatus, objective: float, bound: float, infeasible: Sequence[Infeasible]) -> Plan:
        purchases, lots = self._bought()
        makes = self._makes()
        transfers = self._transfers()
        deliveries, stocks = self._deliveries_and_stocks()
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
        steps = to_steps(self.x[columns], self.resolution)
        values = [step * self.resolution for step in steps.tolist()]
        if self.in_lots:
            values = [self.in_lots.get(column, value) for column, value in zip(columns.tolist(), values, strict=True)]
        return values

    def _bought(self) -> tuple[PurchaseTable, list[LotUse]]:
        columns, moves, network = self.program.columns, self.problem.moves, self.problem.network
        counts, unit = to_steps(self.x[columns.buy], self.resolution), self.resolution
        if self.in_lots:
            counts, unit = as_multiples(self._values(columns.buy), unit)
        bought = np.flatnonzero(counts > 0)
        counts, compliance_class, move = counts[bought], columns.buy_compliance_class[bought], columns.buy_move[bought]
        licenses = {
            i: columns.buy_licenses[position]
            for i, position in enumerate(bought.tolist() if columns.buy_licenses else ())
            if position in columns.buy_licenses
        }
        arc, ordered, delivered = moves.arc[move], moves.ordered[move], moves.delivered[move]
        self._add_arrivals(arc, compliance_class, delivered, counts, unit)
        offer = network.offers[arc]
        self._draw_inputs(offer, compliance_class, ordered, counts, unit)
        lots = [
            LotUse(
                lot=network.arcs[arc[i]].name, material=network.arcs[arc[i]].node[0],
                place=network.arcs[arc[i]].node[1], compliance_class=self.problem.compliance_classes[compliance_class[i]].label,
                period=int(delivered[i]), quantity=int(counts[i]) * unit, licenses=licenses.get(i, ()),
            )
            for i in np.flatnonzero(offer < 0).tolist()
        ]  # fmt: skip
        from_offers = np.flatnonzero(offer >= 0)
        purchases = PurchaseTable(
            lines=tuple([(arc.name, *arc.node) for arc in network.arcs]),
            line=arc[from_offers],
            labels=tuple([compliance_class.label for compliance_class in self.problem.compliance_classes]),
            compliance_class=compliance_class[from_offers],
            ordered=ordered[from_offers],
            delivered=delivered[from_offers],
            unit=unit,
            counts=counts[from_offers],
            licenses={i: licenses[position] for i, position in enumerate(from_offers.tolist()) if position in licenses}
            if licenses
            else {},
        )
        return purchases, lots

    def _add_arrivals(
        self, arc: Ints, compliance_class: Ints, delivered: Ints, counts: Integers, unit: Decimal
    ) -> None:
        node = self.problem.network.ends[arc]
        shape = len(self.nodes), len(self.problem.compliance_classes), self.problem.case.horizon.count
        cells, cell_of_purchase = np.unique(
            np.ravel_multi_index((node, compliance_class, delivered), shape), return_inverse=True
        )
        sums = added_up(counts, cell_of_purchase, len(cells)).tolist()
        keys = zip(*(values.tolist() for values in np.unravel_index(cells, shape)), strict=True)
        for cell, count in zip(keys, sums, strict=True):
            self.inflow[cell] += count * unit

    def _draw_inputs(self, offer: Ints, compliance_class: Ints, ordered: Ints, counts: Integers, unit: Decimal) -> None:
        needs_inputs = [facts.has_one_output and bool(facts.offer.inputs) for facts in self.problem.offers]
        drawing = np.flatnonzero(np.array([*needs_inputs, False], dtype=bool)[offer])
        parts = (offer[drawing], compliance_class[drawing], ordered[drawing], counts[drawing])
        for offer_index, class_index, t, count in zip(*(values.tolist() for values in parts), strict=True):
            self._draw_inputs_of(offer_index, class_index, t, count * unit)

    def _draw_inputs_of(self, offer: int, compliance_class: int, period: int, units: Decimal) -> None:
        facts = self.problem.offers[offer]
        for line in facts.offer.inputs:
            self.inflow[self.nodes[line.material, facts.place], compliance_class, period] -= line.per_unit * units

    def _makes(self) -> list[Make]:
        makes = []
        column_by_key = self.program.columns.make
        values = self._values(np.fromiter(column_by_key.values(), dtype=np.intp, count=len(column_by_key)))
        for (offer, compliance_class, period), units in zip(column_by_key, values, strict=True):
            if units <= 0:
                continue
            label = self.problem.compliance_classes[compliance_class].label if compliance_class >= 0 else ""
            name = self.problem.offers[offer].offer.id
            makes.append(Make(offer=name, compliance_class=label, period=period, units=units))
            if compliance_class >= 0:
                self._draw_inputs_of(offer, compliance_class, period, units)
        return makes

    def _transfers(self) -> list[Transfer]:
        transfers = []
        column_by_key = self.program.columns.transfer
        values = self._values(np.fromiter(column_by_key.values(), dtype=np.intp, count=len(column_by_key)))
        for (offer, output, period, giver, taker), quantity in zip(column_by_key, values, strict=True):
            if quantity > 0:
                facts = self.problem.offers[offer].offer
                transfers.append(
                    Transfer(
                        offer=facts.id, material=facts.outputs[output].material, period=period,
                        from_compliance_class=self.problem.compliance_classes[giver].label,
                        to_compliance_class=self.problem.compliance_classes[taker].label, quantity=quantity,
                    )
                )  # fmt: skip
        return transfers

    def _deliveries_and_stocks(self) -> tuple[list[Delivery], list[Stock]]:
        deliveries: list[Delivery] = []
        stocks: list[Stock] = []
        zero = Decimal(0)
        make_record = SharedValues().unchecked_record  # there are very many records, and their values are valid
        demands = [demand.id for demand in self.problem.demands]
        for compliance_class in self.problem.compliance_classes:
            label = compliance_class.label
            for node in sorted(compliance_class.nodes):
                stock, node_index = zero, self.nodes[node]
                for t, share_kept in enumerate(self.problem.stores[node].kept):
                    cell = (node_index, compliance_class.index, t)
                    if share_kept != 1:  # rounded, so that losses add no digits below the resolution
                        stock = round_to(stock * share_kept, self.resolution)
                    stock += self.inflow.get(cell, zero)
                    for part in self.planned.get(cell, ()):
                        quantity = min(part.quantity, max(stock, zero))
                        stock -= quantity
                        if quantity > 0:
                            fields = {
                                "demand": demands[part.demand], "period": t, "compliance_class": label,
                                "quantity": without_trailing_zeros(quantity), "waivers": part.waivers,
                            }  # fmt: skip
                            deliveries.append(make_record(Delivery, fields))
                    stock = max(stock, zero)  # rounded inputs may exceed the stock by half a step each
                    if stock > 0:
                        fields = {
                            "material": node[0], "place": node[1], "compliance_class": label, "period": t,
                            "quantity": without_trailing_zeros(stock),
                        }  # fmt: skip
                        stocks.append(make_record(Stock, fields))
        return deliveries, stocks

    def _planned_deliveries(self) -> dict[Cell, list[_Part]]:
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
            shortage = shorts[demand * count + period]
            unassigned = facts.quantity[period] - shortage
            for part in parts:
                unassigned -= part.quantity
            largest = max(parts, key=lambda part: part.quantity)
            largest.quantity = max(Decimal(0), largest.quantity + unassigned)
            node = self.nodes[final_node(facts.use)]
            for part in parts:
                if part.quantity > 0:
                    planned[node, part.compliance_class, period].append(part)
        return dict(planned)

    def _shorts(self, deliveries: Sequence[Delivery]) -> list[Short]:
        delivered: defaultdict[tuple[str, int], Decimal] = defaultdict(Decimal)
        for delivery in deliveries:
            delivered[delivery.demand, delivery.period] += delivery.quantity
        return [
            Short(demand=demand.id, period=t, quantity=quantity - delivered[demand.id, t])
            for demand in self.problem.demands
            for t, quantity in enumerate(demand.quantity)
            if quantity > delivered[demand.id, t]
        ]
