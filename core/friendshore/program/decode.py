"""From a solver's answer to a plan: rounded to the resolution, the rest recomputed in decimals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from ..domain.plan import Delivery, Infeasible, LotUse, Make, Plan, PlanStatus, Purchase, Short, Stock, Transfer
from ..problem.demands import round_to
from ..problem.network import final_node
from .compile import Program
from .rounding import in_whole_lots, up_to_thresholds

Cell = tuple[int, int, int]
"""Node, requirement, period."""


@dataclass(slots=True)
class _Part:
    """One planned delivery."""

    demand: int
    requirement: int
    waivers: tuple[str, ...]
    quantity: Decimal


def decode(
    program: Program,
    x: np.ndarray,
    status: PlanStatus,
    objective: float,
    bound: float,
    infeasible: Sequence[Infeasible] = (),
) -> Plan:
    """The plan that the columns' values `x` describe."""
    return _Decoder(program, x).plan(status, objective, bound, infeasible)


class _Decoder:
    def __init__(self, program: Program, x: np.ndarray) -> None:
        self.program = program
        self.problem = program.problem
        self.in_lots = in_whole_lots(program, x)
        self.x = up_to_thresholds(program, x)
        self.resolution = self.problem.case.resolution
        self.nodes = {node: i for i, node in enumerate(self.problem.network.nodes)}
        self.inflow: defaultdict[Cell, Decimal] = defaultdict(Decimal)

    def plan(self, status: PlanStatus, objective: float, bound: float, infeasible: Sequence[Infeasible]) -> Plan:
        purchases, lots = self._bought()
        makes = self._makes()
        transfers = self._transfers()
        deliveries, stocks = self._flow()
        return Plan(
            status=status,
            objective=Decimal(repr(float(objective))),
            bound=Decimal(repr(float(bound))),
            purchases=tuple(purchases),
            makes=tuple(makes),
            lots=tuple(lots),
            transfers=tuple(transfers),
            stocks=tuple(stocks),
            deliveries=tuple(deliveries),
            shorts=tuple(self._shorts(deliveries)),
            infeasible=tuple(infeasible),
        )

    def _value(self, column: int) -> Decimal:
        if column in self.in_lots:
            return self.in_lots[column]
        return round_to(Decimal(repr(float(self.x[column]))), self.resolution)

    def _bought(self) -> tuple[list[Purchase], list[LotUse]]:
        purchases: list[Purchase] = []
        lots: list[LotUse] = []
        columns, moves, network = self.program.columns, self.problem.moves, self.problem.network
        for column, move, requirement, licences in zip(
            columns.buy.tolist(),
            columns.buy_move.tolist(),
            columns.buy_requirement.tolist(),
            columns.buy_licences,
            strict=True,
        ):
            quantity = self._value(column)
            if quantity <= 0:
                continue
            arc = network.arcs[int(moves.arc[move])]
            ordered, delivered = int(moves.ordered[move]), int(moves.delivered[move])
            material, place = arc.node
            self.inflow[self.nodes[arc.node], requirement, delivered] += quantity
            label = self.problem.requirements[requirement].label
            if arc.lot >= 0:
                lot = self.problem.lots[arc.lot].id
                lots.append(
                    LotUse(
                        lot=lot, material=material, place=place, requirement=label, period=delivered,
                        quantity=quantity, licences=licences,
                    )
                )  # fmt: skip
                continue
            purchases.append(
                Purchase(
                    offer=arc.chained.offer.id, material=material, place=place, requirement=label, ordered=ordered,
                    delivered=delivered, quantity=quantity, licences=licences,
                )
            )  # fmt: skip
            if self.problem.offers[arc.offer].single:
                self._draw(arc.offer, requirement, ordered, quantity)
        return purchases, lots

    def _draw(self, offer: int, requirement: int, period: int, units: Decimal) -> None:
        facts = self.problem.offers[offer]
        for line in facts.offer.inputs:
            self.inflow[self.nodes[line.material, facts.place], requirement, period] -= line.per_unit * units

    def _makes(self) -> list[Make]:
        makes = []
        for (offer, requirement, period), column in self.program.columns.make.items():
            units = self._value(column)
            if units <= 0:
                continue
            label = self.problem.requirements[requirement].label if requirement >= 0 else ""
            name = self.problem.offers[offer].offer.id
            makes.append(Make(offer=name, requirement=label, period=period, units=units))
            if requirement >= 0:
                self._draw(offer, requirement, period, units)
        return makes

    def _transfers(self) -> list[Transfer]:
        transfers = []
        for (offer, output, period, giver, taker), column in self.program.columns.transfer.items():
            quantity = self._value(column)
            if quantity > 0:
                facts = self.problem.offers[offer].offer
                transfers.append(
                    Transfer(
                        offer=facts.id, material=facts.outputs[output].material, period=period,
                        from_requirement=self.problem.requirements[giver].label,
                        to_requirement=self.problem.requirements[taker].label, quantity=quantity,
                    )
                )  # fmt: skip
        return transfers

    def _flow(self) -> tuple[list[Delivery], list[Stock]]:
        """Period by period: what is there serves the planned deliveries; what is left is stock."""
        planned = self._planned()
        deliveries: list[Delivery] = []
        stocks: list[Stock] = []
        count = self.problem.case.horizon.count
        for requirement in self.problem.requirements:
            for node in sorted(requirement.nodes):
                held = Decimal(0)
                kept = self.problem.stores[node].kept
                for t in range(count):
                    cell = (self.nodes[node], requirement.index, t)
                    if (
                        kept[t] != 1
                    ):  # what is left of the stock is rounded, so that it never takes more digits than are kept
                        held = round_to(held * kept[t], self.resolution)
                    held += self.inflow[cell]
                    for part in planned.get(cell, ()):
                        quantity = min(part.quantity, max(held, Decimal(0)))
                        held -= quantity
                        if quantity > 0:
                            deliveries.append(
                                Delivery(
                                    demand=self.problem.demands[part.demand].id, period=t,
                                    requirement=requirement.label, quantity=quantity, waivers=part.waivers,
                                )
                            )  # fmt: skip
                    held = max(held, Decimal(0))  # inputs rounded short; the miss is within half a resolution a draw
                    if held > 0:
                        material, place = node
                        stocks.append(
                            Stock(
                                material=material, place=place, requirement=requirement.label, period=t, quantity=held
                            )
                        )
        return deliveries, stocks

    def _planned(self) -> dict[Cell, list[_Part]]:
        """Deliveries as the solver left them, rounded so that with the shortage they come to the demand."""
        columns = self.program.columns
        count = self.problem.case.horizon.count
        by_demand: defaultdict[tuple[int, int], list[_Part]] = defaultdict(list)
        for column, (demand, period, requirement, waivers) in zip(columns.deliver, columns.deliver_key, strict=True):
            by_demand[demand, period].append(_Part(demand, requirement, waivers, self._value(column)))
        planned: defaultdict[Cell, list[_Part]] = defaultdict(list)
        for (demand, period), parts in by_demand.items():
            facts = self.problem.demands[demand]
            short = self._value(columns.short + demand * count + period)
            left = facts.quantity[period] - short - sum((part.quantity for part in parts), Decimal(0))
            largest = max(parts, key=lambda part: part.quantity)
            largest.quantity = max(Decimal(0), largest.quantity + left)
            node = self.nodes[final_node(facts.use)]
            for part in parts:
                if part.quantity > 0:
                    planned[node, part.requirement, period].append(part)
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
