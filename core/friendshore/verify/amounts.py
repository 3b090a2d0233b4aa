"""Kilogram balances in decimals: stock, capacities, order quantities, lots, and stores."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from operator import mul

import numpy as np

from ..domain.base import totals
from ..problem.decimal_arrays import Floats, added_up, as_floats
from ..problem.law import license_id, waiver_id
from ..problem.network import Node, final_node
from .money import PlacedTerms
from .plan_entries import EPSILON, SLACK, PlanEntries

Flow = tuple[Node, str]
"""A node and a compliance class."""


class Amounts:
    """Check of every quantity in a plan."""

    def __init__(self, ledger: PlanEntries, placed: Sequence[PlacedTerms] = ()) -> None:
        self.ledger = ledger
        self.problem = ledger.problem
        self.placed = placed
        self.stock: dict[tuple[Node, int], Decimal] = {}
        """Kilograms at a node at the end of a period, over compliance classes and unused lots."""
        self.stock_roundings: dict[tuple[Node, int], Decimal] = {}
        """Number of rounded values behind each stock, weighted by their coefficients."""
        self.reserved: dict[tuple[Flow, int], tuple[Decimal, Decimal]] = {}
        """Kilograms at a node for one compliance class at the end of a period, and the number of rounded values behind them."""

    def check(self) -> None:
        self._balances()
        self._demand()
        self._pools()
        self._offer_limits()
        self._outputs()
        self._lots()
        self._stores()
        self._waivers()
        self._licenses()

    def _balances(self) -> None:
        flow, roundings_by_flow, stated = (self._zeros_by_period() for _ in range(3))
        delivered = self._zeros_by_period()
        for flow_key, t, quantity, count_of_roundings in self._arrivals():
            flow[flow_key][t] += quantity
            roundings_by_flow[flow_key][t] += count_of_roundings
        for node, compliance_class, t, quantity, offer in self.ledger.draws():
            flow_key = (node, compliance_class)
            flow[flow_key][t] -= quantity
            inputs = self.problem.offers[offer].offer.inputs
            per_unit = sum((line.per_unit for line in inputs if line.material == node[0]), Decimal(0))
            roundings_by_flow[flow_key][t] += per_unit * self.ledger.half_steps(offer)
        finals = [final_node(demand.use) for demand in self.problem.demands]
        for delivery, demand in self.ledger.deliveries:
            flow_key = (finals[demand], delivery.compliance_class)
            flow[flow_key][delivery.period] -= delivery.quantity
            delivered[flow_key][delivery.period] += 1
        listed: set[tuple[Flow, int]] = set()
        for stock in self.ledger.plan.stocks:
            flow_key = (stock.material, stock.place), stock.compliance_class
            if (flow_key, stock.period) in listed:
                label = self.problem.case.horizon.periods[stock.period].label
                message = f"the stock of `{stock.material}` at `{stock.place}` in {label} is listed twice"
                self.ledger.report("FS624", message)
            listed.add((flow_key, stock.period))
            stated[flow_key][stock.period] = stock.quantity
        for flow_key in sorted(flow.keys() | stated.keys()):
            self._balance(flow_key, flow[flow_key], roundings_by_flow[flow_key], delivered[flow_key], stated[flow_key])

    def _zeros_by_period(self) -> defaultdict[Flow, list[Decimal]]:
        return defaultdict(lambda: [Decimal(0)] * self.problem.case.horizon.count)

    def _arrivals(self) -> Iterator[tuple[Flow, int, Decimal, int]]:
        columns, network = self.ledger.columns, self.problem.network
        position = {node: i for i, node in enumerate(network.nodes)}
        node = np.array([position[arc.node] for arc in network.arcs], dtype=np.intp)[columns.arc]
        shape = len(network.nodes), len(columns.labels), self.problem.case.horizon.count
        cells = np.ravel_multi_index((node, columns.compliance_class, columns.delivered), shape)
        roundings = added_up(columns.roundings, cells, math.prod(shape))
        occupied = np.flatnonzero(roundings)
        sums = columns.kilograms(added_up(columns.counts, cells, math.prod(shape))[occupied])
        places = zip(*(part.tolist() for part in np.unravel_index(occupied, shape)), strict=True)
        for (n, label, t), quantity, rounded_values in zip(places, sums, roundings[occupied].tolist(), strict=True):
            yield (network.nodes[n], columns.labels[label]), t, quantity, rounded_values

    def _balance(
        self,
        flow_key: Flow,
        flow: Sequence[Decimal],
        roundings_by_period: Sequence[Decimal],
        delivered: Sequence[Decimal],
        stated: Sequence[Decimal],
    ) -> None:
        node, horizon = flow_key[0], self.problem.case.horizon
        store = self.problem.stores.get(node)
        stock = rounded_values = rounded_deliveries = Decimal(0)
        for t, (added, roundings_of_period, stated_stock) in enumerate(
            zip(flow, roundings_by_period, stated, strict=True)
        ):
            if store is not None and store.kept[t] != 1:
                stock, roundings = self.ledger.carried(node, stock, t)
                rounded_values += roundings
            stock += added
            rounded_values += roundings_of_period
            if stock < 0:
                where = _flow_text(flow_key, horizon.label(t))
                self.ledger.report_excess("FS625", -stock, rounded_values, f"more {where} is taken than is available")
                stock = Decimal(0)
            if stated_stock != stock and abs(stated_stock - stock) > SLACK * max(stock, stated_stock, Decimal(1)):
                message = f"the stock of {_flow_text(flow_key, horizon.label(t))} does not follow from arrivals and use"
                self.ledger.report("FS626", message, found=f"{stated_stock} kg", expected=f"{stock} kg")
            rounded_deliveries += delivered[t]
            self.reserved[flow_key, t] = (stock, rounded_values + rounded_deliveries)
            cell = (node, t)
            self.stock[cell] = self.stock.get(cell, Decimal(0)) + stock
            self.stock_roundings[cell] = (
                self.stock_roundings.get(cell, Decimal(0)) + rounded_values + rounded_deliveries
            )

    def _demand(self) -> None:
        supplied: defaultdict[tuple[str, int], Decimal] = defaultdict(Decimal)
        for delivery, _ in self.ledger.deliveries:
            supplied[delivery.demand, delivery.period] += delivery.quantity
        for short in self.ledger.plan.shorts:
            supplied[short.demand, short.period] += short.quantity
            if short.quantity < 0:
                message = f"a shortage of `{short.demand}` is negative"
                self.ledger.report("FS624", message, found=f"{short.quantity} kg")
        for demand in self.problem.demands:
            for t, demanded in enumerate(demand.quantity):
                quantity = supplied.pop((demand.id, t), Decimal(0))
                if quantity != demanded:
                    label = self.problem.case.horizon.label(t)
                    message = f"deliveries and shortage of `{demand.id}` in {label} do not add up to its demand"
                    self.ledger.report("FS626", message, found=f"{quantity} kg", expected=f"{demanded} kg")
        for name, period in supplied:
            message = f"something is delivered to `{name}` in period {period}, which is not a demand of this plan"
            self.ledger.report("FS624", message)

    def _pools(self) -> None:
        orders, pools, count = self.ledger.orders, self.problem.pools, self.problem.case.horizon.count
        used, roundings, setups = pool_use(self.ledger, self.placed)
        capacity = self.problem.capacity
        bounded = np.isfinite(capacity)
        terms = np.array([len(pool.offers) for pool in pools], dtype=np.intp)[:, None] + 8
        error = np.where(bounded, terms * EPSILON * (used + np.abs(capacity)), 0.0)

        def excess_of(cell: int) -> tuple[Decimal, Decimal, str]:
            number, t = divmod(cell, count)
            pool = pools[number]
            members = np.array(pool.offers, dtype=np.intp)
            each = [self.problem.offers[offer].offer.capacity_use for offer in pool.offers]
            units = orders.decimals(members, np.full(len(members), t))
            used_kg = sum(map(mul, each, units), setups[number, t])
            rounded = sum(map(mul, each, map(Decimal, orders.roundings[members, t].tolist())), Decimal(0))
            label = self.problem.case.horizon.label(t)
            message = f"more is taken from `{pool.facility}` in {label} than its capacity"
            return used_kg - (pool.capacity[t] or 0), rounded, message

        self.ledger.report_excesses("FS627", (used - capacity).ravel(), error.ravel(), roundings.ravel(), excess_of)

    def _offer_limits(self) -> None:
        orders, count = self.ledger.orders, self.problem.case.horizon.count
        offers = [(i, f) for i, f in enumerate(self.problem.offers) if f.has_limit]
        units = self.ledger.units() if offers else {}
        for offer, facts in offers:
            for t in np.flatnonzero(orders.roundings[offer]).tolist():
                amount, roundings = units[offer, t], Decimal(self.ledger.total_roundings(offer, t))
                ordered = f"is ordered from `{facts.offer.id}` in {self.problem.case.horizon.label(t)} than"
                max_units, min_order = facts.max_units[t], facts.offer.min_order
                if max_units is not None:
                    self.ledger.report_excess("FS627", amount - max_units, roundings, f"more {ordered} it offers")
                if min_order and amount > 0:
                    self.ledger.report_excess(
                        "FS627", min_order - amount, roundings, f"less {ordered} its order minimum"
                    )
        for offer, facts in offers:
            if facts.offer.total is not None and orders.roundings[offer].any():
                total = sum((units.get((offer, t), Decimal(0)) for t in range(count)), Decimal(0))
                parts, name = Decimal(int(orders.roundings[offer].sum())), facts.offer.id
                message = f"more is ordered from `{name}` than it has in total"
                self.ledger.report_excess("FS627", total - facts.offer.total, parts, message)

    def _outputs(self) -> None:
        unsold: defaultdict[tuple[int, str, str, int], Decimal] = defaultdict(Decimal)
        roundings: defaultdict[tuple[int, str, str, int], Decimal] = defaultdict(Decimal)
        for make, offer in self.ledger.makes:
            for line in self.problem.offers[offer].offer.outputs:
                key = (offer, line.material, make.compliance_class, make.period)
                unsold[key] += line.per_unit * make.units
                roundings[key] += line.per_unit * self.ledger.half_steps(offer)
        for transfer, offer in self.ledger.transfers:
            for label, sign in ((transfer.from_compliance_class, -1), (transfer.to_compliance_class, 1)):
                key = (offer, transfer.material, label, transfer.period)
                unsold[key] += sign * transfer.quantity
                roundings[key] += 1
        columns = self.ledger.columns
        for position in np.flatnonzero((columns.offer >= 0) & ~columns.single).tolist():
            item = self.ledger.bought[position]
            own_class = item.compliance_class if self.problem.offers[item.arc.offer].offer.inputs else ""
            key = (item.arc.offer, item.material, own_class, item.ordered)
            unsold[key] -= item.quantity
            roundings[key] += 1
        for key, remainder in sorted(unsold.items()):
            offer, material, _, t = key
            name = self.problem.offers[offer].offer.id
            label = self.problem.case.horizon.label(t)
            message = f"more {material} is taken from `{name}` in {label} than it makes"
            self.ledger.report_excess("FS625", -remainder, roundings[key], message)

    def _lots(self) -> None:
        used, roundings_by_lot = self.ledger.set_aside()
        for number, lot in enumerate(self.problem.lots):
            excess, message = used[number] - lot.quantity, f"more is taken from `{lot.id}` than is available"
            self.ledger.report_excess("FS625", excess, Decimal(roundings_by_lot[number]), message)
        for lot, t, unused, unused_roundings in self.ledger.unused_lots:
            node = (lot.material, lot.place.id)
            self.stock_roundings[node, t] = self.stock_roundings.get((node, t), Decimal(0)) + unused_roundings
            self.stock[node, t] = self.stock.get((node, t), Decimal(0)) + unused

    def _stores(self) -> None:
        for (node, t), stock in sorted(self.stock.items()):
            store = self.problem.stores.get(node)
            limit = None if store is None else store.limit[t]
            if limit is None or node[0] in self.ledger.unplanned:
                continue
            label = self.problem.case.horizon.label(t)
            message = f"more {node[0]} is stored at {node[1]} in {label} than is allowed"
            self.ledger.report_excess(
                "FS627", stock - limit, self.stock_roundings.get((node, t), Decimal(0)) + 1, message
            )

    def _waivers(self) -> None:
        waivers = {waiver_id(w): w for w in self.problem.case.waivers}
        used_by_waiver: defaultdict[str, Decimal] = defaultdict(Decimal)
        for delivery, _ in self.ledger.deliveries:
            for name in delivery.waivers:
                used_by_waiver[name] += delivery.quantity
                if name not in waivers:
                    self.ledger.report("FS624", f"`{delivery.demand}` uses a waiver `{name}` that the case lacks")
        for name, quantity in used_by_waiver.items():
            if name in waivers:
                roundings = sum(1 for d, _ in self.ledger.deliveries if name in d.waivers)
                message = f"more is delivered under `{name}` than it allows"
                self.ledger.report_excess("FS627", quantity - waivers[name].quantity, Decimal(roundings), message)

    def _licenses(self) -> None:
        permits = {license_id(permit): permit for permit in self.problem.case.licenses}
        quantities = ((name, item.quantity) for item in self.ledger.licensed for name in item.licenses)
        for name, quantity in totals(quantities).items():
            permit = permits.get(name)
            if permit is not None and permit.quantity is not None:
                roundings = sum(2 if self.ledger.in_lots(i) else 1 for i in self.ledger.licensed if name in i.licenses)
                message = f"more moves under `{name}` than it allows"
                self.ledger.report_excess("FS627", quantity - permit.quantity, Decimal(roundings), message)


def pool_use(
    ledger: PlanEntries, placed: Sequence[PlacedTerms]
) -> tuple[Floats, Floats, Mapping[tuple[int, int], Decimal]]:
    """Return kilograms by pool and period as doubles, the number of roundings in them (weighted), and the set-ups among them in decimals."""
    problem, orders = ledger.problem, ledger.orders
    setups: defaultdict[tuple[int, int], Decimal] = defaultdict(Decimal)
    for placement in placed:
        for number in placement.span.pools:
            setups[number, placement.span.periods[0]] += placement.span.terms.setup_use or 0
    pools, count = problem.pools, problem.case.horizon.count
    used, roundings = np.zeros((len(pools), count)), np.zeros((len(pools), count))
    for (number, t), setup in setups.items():
        used[number, t] = float(setup)
    member = np.array([offer for pool in pools for offer in pool.offers], dtype=np.intp)
    pool_of_offer = np.repeat(np.arange(len(pools)), [len(pool.offers) for pool in pools])
    use = as_floats([problem.offers[offer].offer.capacity_use for offer in member.tolist()])[:, None]
    nonempty = np.flatnonzero([bool(pool.offers) for pool in pools])
    if len(nonempty):
        first = np.searchsorted(pool_of_offer, nonempty)
        used[nonempty] += np.add.reduceat(use * (orders.counts[member].astype(np.float64) * float(orders.unit)), first)
        roundings[nonempty] = np.add.reduceat(use * orders.roundings[member], first)
    return used, roundings, setups


def _flow_text(flow_key: Flow, label: str) -> str:
    node, compliance_class = flow_key
    return f"{node[0]} at {node[1]} for {compliance_class} in {label}"
