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
from ..problem.law import licence_id, waiver_id
from ..problem.network import Node, final_node
from .money import Placed
from .plan_entries import EPSILON, SLACK, PlanEntries

Flow = tuple[Node, str]
"""A node and a compliance class."""


class Amounts:
    """Check of every quantity in a plan."""

    def __init__(self, ledger: PlanEntries, placed: Sequence[Placed] = ()) -> None:
        """Check the entries of a plan. `placed` are the order terms with orders."""
        self.ledger = ledger
        self.problem = ledger.problem
        self.placed = placed
        self.stock: dict[tuple[Node, int], Decimal] = {}
        """Kilograms at a node at the end of a period, over compliance classes and unused lots."""
        self.pieces: dict[tuple[Node, int], Decimal] = {}
        """Number of rounded values behind each stock, weighted by their coefficients."""
        self.reserved: dict[tuple[Flow, int], tuple[Decimal, Decimal]] = {}
        """Kilograms at a node for one compliance class at the end of a period, and the number of rounded values behind them."""

    def check(self) -> None:
        self._balances()
        self._demand()
        self._pools()
        self._own_limits()
        self._outputs()
        self._lots()
        self._stores()
        self._waivers()
        self._licences()

    def _balances(self) -> None:
        """Check that stock equals previous stock plus arrivals, less draws and deliveries, and is never negative."""
        flow, weight, stated = (self._by_period() for _ in range(3))
        delivered = self._by_period()
        for kind, t, quantity, roundings in self._arrivals():
            flow[kind][t] += quantity
            weight[kind][t] += roundings
        for node, requirement, t, quantity, offer in self.ledger.draws():
            kind = (node, requirement)
            flow[kind][t] -= quantity
            inputs = self.problem.offers[offer].offer.inputs
            per_unit = sum((line.per_unit for line in inputs if line.material == node[0]), Decimal(0))
            weight[kind][t] += per_unit * self.ledger.roundings(offer)
        finals = [final_node(demand.use) for demand in self.problem.demands]
        for delivery, demand in self.ledger.deliveries:
            kind = (finals[demand], delivery.requirement)
            flow[kind][delivery.period] -= delivery.quantity
            delivered[kind][delivery.period] += 1
        told: set[tuple[Flow, int]] = set()
        for stock in self.ledger.plan.stocks:
            kind = (stock.material, stock.place), stock.requirement
            if (kind, stock.period) in told:
                label = self.problem.case.horizon.periods[stock.period].label
                self.ledger.find(f"the stock of `{stock.material}` at `{stock.place}` in {label} is told twice")
            told.add((kind, stock.period))
            stated[kind][stock.period] = stock.quantity
        for kind in sorted(flow.keys() | stated.keys()):
            self._balance(kind, flow[kind], weight[kind], delivered[kind], stated[kind])

    def _by_period(self) -> defaultdict[Flow, list[Decimal]]:
        """Return zeros by period for every node and compliance class."""
        return defaultdict(lambda: [Decimal(0)] * self.problem.case.horizon.count)

    def _arrivals(self) -> Iterator[tuple[Flow, int, Decimal, int]]:
        """Yield the arrivals at each node for each compliance class and period, with the number of rounded values in the sum."""
        columns, network = self.ledger.columns, self.problem.network
        position = {node: i for i, node in enumerate(network.nodes)}
        node = np.array([position[arc.node] for arc in network.arcs], dtype=np.intp)[columns.arc]
        shape = len(network.nodes), len(columns.labels), self.problem.case.horizon.count
        cells = np.ravel_multi_index((node, columns.requirement, columns.delivered), shape)
        roundings = added_up(columns.roundings, cells, math.prod(shape))
        found = np.flatnonzero(roundings)
        sums = columns.kilograms(added_up(columns.counts, cells, math.prod(shape))[found])
        places = zip(*(part.tolist() for part in np.unravel_index(found, shape)), strict=True)
        for (n, label, t), quantity, pieces in zip(places, sums, roundings[found].tolist(), strict=True):
            yield (network.nodes[n], columns.labels[label]), t, quantity, pieces

    def _balance(
        self,
        kind: Flow,
        flow: Sequence[Decimal],
        weight: Sequence[Decimal],
        delivered: Sequence[Decimal],
        stated: Sequence[Decimal],
    ) -> None:
        node, horizon = kind[0], self.problem.case.horizon
        store = self.problem.stores.get(node)
        held = terms = served = Decimal(0)
        for t, (more, pieces, found) in enumerate(zip(flow, weight, stated, strict=True)):
            if store is not None and store.kept[t] != 1:
                held, roundings = self.ledger.carried(node, held, t)
                terms += roundings
            held += more
            terms += pieces
            if held < 0:
                where = _where(kind, horizon.label(t))
                self.ledger.miss(-held, terms, f"more {where} is taken than is there")
                held = Decimal(0)
            if found != held and abs(found - held) > SLACK * max(held, found, Decimal(1)):
                self.ledger.find(
                    f"stock of {_where(kind, horizon.label(t))} does not follow from what comes and goes",
                    found=f"{found} kg",
                    expected=f"{held} kg",
                )
            served += delivered[t]
            self.reserved[kind, t] = (held, terms + served)
            at = (node, t)
            self.stock[at] = self.stock.get(at, Decimal(0)) + held
            self.pieces[at] = self.pieces.get(at, Decimal(0)) + terms + served

    def _demand(self) -> None:
        given: defaultdict[tuple[str, int], Decimal] = defaultdict(Decimal)
        for delivery, _ in self.ledger.deliveries:
            given[delivery.demand, delivery.period] += delivery.quantity
        for short in self.ledger.plan.shorts:
            given[short.demand, short.period] += short.quantity
            if short.quantity < 0:
                self.ledger.find(f"a shortage of `{short.demand}` is negative", found=f"{short.quantity} kg")
        for demand in self.problem.demands:
            for t, wanted in enumerate(demand.quantity):
                found = given.pop((demand.id, t), Decimal(0))
                if found != wanted:
                    label = self.problem.case.horizon.label(t)
                    message = f"deliveries and shortage of `{demand.id}` in {label} do not come to its demand"
                    self.ledger.find(message, found=f"{found} kg", expected=f"{wanted} kg")
        for name, period in given:
            self.ledger.find(f"something is delivered to `{name}` in period {period}, which is no demand of this plan")

    def _pools(self) -> None:
        """Check that no capacity is exceeded in any period."""
        orders, pools, count = self.ledger.orders, self.problem.pools, self.problem.case.horizon.count
        used, pieces, setups = pool_use(self.ledger, self.placed)
        capacity = self.problem.capacity
        bounded = np.isfinite(capacity)
        terms = np.array([len(pool.offers) for pool in pools], dtype=np.intp)[:, None] + 8
        off = np.where(bounded, terms * EPSILON * (used + np.abs(capacity)), 0.0)

        def exactly(cell: int) -> tuple[Decimal, Decimal, str]:
            number, t = divmod(cell, count)
            pool = pools[number]
            members = np.array(pool.offers, dtype=np.intp)
            each = [self.problem.offers[offer].offer.capacity_use for offer in pool.offers]
            units = orders.decimals(members, np.full(len(members), t))
            taken = sum(map(mul, each, units), setups[number, t])
            rounded = sum(map(mul, each, map(Decimal, orders.pieces[members, t].tolist())), Decimal(0))
            label = self.problem.case.horizon.label(t)
            message = f"more is taken from `{pool.facility}` in {label} than its capacity"
            return taken - (pool.capacity[t] or 0), rounded, message

        self.ledger.misses((used - capacity).ravel(), off.ravel(), pieces.ravel(), exactly)

    def _own_limits(self) -> None:
        orders, count = self.ledger.orders, self.problem.case.horizon.count
        offers = [(i, f) for i, f in enumerate(self.problem.offers) if f.limited]
        units = self.ledger.units() if offers else {}
        for offer, facts in offers:
            for t in np.flatnonzero(orders.pieces[offer]).tolist():
                amount, pieces = units[offer, t], Decimal(self.ledger.pieces(offer, t))
                ordered = f"is ordered from `{facts.offer.id}` in {self.problem.case.horizon.label(t)} than"
                most, least = facts.most[t], facts.offer.min_order
                if most is not None:
                    self.ledger.miss(amount - most, pieces, f"more {ordered} it offers")
                if least and amount > 0:
                    self.ledger.miss(least - amount, pieces, f"less {ordered} its order minimum")
        for offer, facts in offers:
            if facts.offer.total is not None and orders.pieces[offer].any():
                total = sum((units.get((offer, t), Decimal(0)) for t in range(count)), Decimal(0))
                parts, name = Decimal(int(orders.pieces[offer].sum())), facts.offer.id
                self.ledger.miss(total - facts.offer.total, parts, f"more is ordered from `{name}` than it has in all")

    def _outputs(self) -> None:
        """Check that no more of a co-product is bought than was made, in its own compliance class or lent by a stricter one."""
        room: defaultdict[tuple[int, str, str, int], Decimal] = defaultdict(Decimal)
        terms: defaultdict[tuple[int, str, str, int], Decimal] = defaultdict(Decimal)
        for make, offer in self.ledger.makes:
            for line in self.problem.offers[offer].offer.outputs:
                key = (offer, line.material, make.requirement, make.period)
                room[key] += line.per_unit * make.units
                terms[key] += line.per_unit * self.ledger.roundings(offer)
        for transfer, offer in self.ledger.transfers:
            for label, sign in ((transfer.from_requirement, -1), (transfer.to_requirement, 1)):
                key = (offer, transfer.material, label, transfer.period)
                room[key] += sign * transfer.quantity
                terms[key] += 1
        columns = self.ledger.columns
        for position in np.flatnonzero((columns.offer >= 0) & ~columns.single).tolist():
            item = self.ledger.bought[position]
            own = item.requirement if self.problem.offers[item.arc.offer].offer.inputs else ""
            key = (item.arc.offer, item.material, own, item.ordered)
            room[key] -= item.quantity
            terms[key] += 1
        for key, left in sorted(room.items()):
            offer, material, _, t = key
            name = self.problem.offers[offer].offer.id
            label = self.problem.case.horizon.label(t)
            self.ledger.miss(-left, terms[key], f"more {material} is taken from `{name}` in {label} than it makes")

    def _lots(self) -> None:
        used, pieces = self.ledger.set_aside()
        for number, lot in enumerate(self.problem.lots):
            self.ledger.miss(
                used[number] - lot.quantity, Decimal(pieces[number]), f"more is taken from `{lot.id}` than is there"
            )
        for lot, t, rest, roundings in self.ledger.rests:
            node = (lot.material, lot.place.id)
            self.pieces[node, t] = self.pieces.get((node, t), Decimal(0)) + roundings
            self.stock[node, t] = self.stock.get((node, t), Decimal(0)) + rest

    def _stores(self) -> None:
        for (node, t), held in sorted(self.stock.items()):
            store = self.problem.stores.get(node)
            most = None if store is None else store.limit[t]
            if most is None or node[0] in self.ledger.unplanned:
                continue
            label = self.problem.case.horizon.label(t)
            self.ledger.miss(
                held - most,
                self.pieces.get((node, t), Decimal(0)) + 1,
                f"more {node[0]} is held at {node[1]} in {label} than may be",
            )

    def _waivers(self) -> None:
        known = {waiver_id(w): w for w in self.problem.case.waivers}
        used: defaultdict[str, Decimal] = defaultdict(Decimal)
        for delivery, _ in self.ledger.deliveries:
            for name in delivery.waivers:
                used[name] += delivery.quantity
                if name not in known:
                    self.ledger.find(f"`{delivery.demand}` draws on a waiver `{name}` that the case does not hold")
        for name, quantity in used.items():
            if name in known:
                pieces = sum(1 for d, _ in self.ledger.deliveries if name in d.waivers)
                self.ledger.miss(
                    quantity - known[name].quantity, Decimal(pieces), f"more is delivered under `{name}` than it allows"
                )

    def _licences(self) -> None:
        known = {licence_id(licence): licence for licence in self.problem.case.licences}
        used = ((name, item.quantity) for item in self.ledger.licensed for name in item.licences)
        for name, quantity in totals(used).items():
            licence = known.get(name)
            if licence is not None and licence.quantity is not None:
                pieces = sum(2 if self.ledger.in_lots(i) else 1 for i in self.ledger.licensed if name in i.licences)
                self.ledger.miss(
                    quantity - licence.quantity, Decimal(pieces), f"more moves under `{name}` than it allows"
                )


def pool_use(ledger: PlanEntries, placed: Sequence[Placed]) -> tuple[Floats, Floats, Mapping[tuple[int, int], Decimal]]:
    """Return kilograms used by pool and period as doubles, the number of rounded values behind them, and the set-ups among them in decimals.

    Rounded values are weighted by their coefficients. The kilograms include set-ups.
    """
    problem, orders = ledger.problem, ledger.orders
    setups: defaultdict[tuple[int, int], Decimal] = defaultdict(Decimal)
    for found in placed:
        for number in found.span.pools:
            setups[number, found.span.periods[0]] += found.span.terms.setup_use or 0
    pools, count = problem.pools, problem.case.horizon.count
    used, pieces = np.zeros((len(pools), count)), np.zeros((len(pools), count))
    for (number, t), setup in setups.items():
        used[number, t] = float(setup)
    member = np.array([offer for pool in pools for offer in pool.offers], dtype=np.intp)
    of_pool = np.repeat(np.arange(len(pools)), [len(pool.offers) for pool in pools])
    use = as_floats([problem.offers[offer].offer.capacity_use for offer in member.tolist()])[:, None]
    some = np.flatnonzero([bool(pool.offers) for pool in pools])
    if len(some):
        first = np.searchsorted(of_pool, some)
        used[some] += np.add.reduceat(use * (orders.counts[member].astype(np.float64) * float(orders.unit)), first)
        pieces[some] = np.add.reduceat(use * orders.pieces[member], first)
    return used, pieces, setups


def _where(kind: Flow, label: str) -> str:
    node, requirement = kind
    return f"{node[0]} at {node[1]} for {requirement} in {label}"
