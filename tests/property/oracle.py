"""The optimum of a tiny case by brute force.

1. List every complete supply tree of every delivery (`trees`), under no waiver and under each that covers it.
2. Judge each tree by the law alone (`law`): no classes of uses, no pools, no flows.
3. A plan is so many kilograms of each lawful tree, of each shortage, and of *surplus*: what is bought in excess because an
   order has a minimum or a rule a floor. It may lie anywhere on the way to a use that might have it, to the end, and costs
   its holding. What is left of a lot lies to the end as well.
4. An offer with several outputs is run in *batches*, one variable for each history of its inputs; trees take their output
   from a batch, and what no tree takes costs nothing. A batch of inputs moved under licenses may lend to one of the same
   inputs that needs none of them.
5. What is used on days between one arrival of an order already placed and the next is delivered by itself: of lots that are there on
   the first of these days, and no more than these days' part of the demand. Inputs are there on the day on which their order may be placed at the latest.
6. Enumerate the binary patterns of all discrete decisions; each pattern is a linear program (`patterns`).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from itertools import combinations, pairwise, permutations
from typing import Any

from friendshore.domain.case import Case, DemandSpec, WaiverSpec
from friendshore.domain.facts import Catalog
from friendshore.rules.base import Rule

from .law import Law
from .limits import Reader, may_force
from .orders import may_force as orders_may_force
from .orders import read_orders, setups
from .patterns import Amount, Answer, Bound, Choice, Column, Count, Enumeration
from .pricing import Priced
from .trees import Forest, Tree
from .world import World, within

_Judges = tuple[tuple[Rule, ...], frozenset[str]]


def optimum(case: Case, catalogs: Sequence[Catalog], rules: Sequence[Rule]) -> Answer:
    """The least objective of a case, by brute force."""
    return Oracle(World(case, catalogs, rules)).solve()


class Oracle:
    """Turns the trees of one world into columns, its facts into rows, its decisions into choices."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.forest = Forest(world)
        self.law = Law(self.forest)
        self.columns: list[Column] = []
        self.batches: dict[Amount, Tree] = {}
        self.lawful: dict[Tree, DemandSpec] = {}

    def solve(self) -> Answer:
        """Lists, judges, enumerates."""
        choices, counts, bounds = self.laid_out()
        return Enumeration(self.columns, bounds).optimum(choices, counts)

    def laid_out(self) -> tuple[list[Choice], list[Count], list[Bound]]:
        """All decisions and rows, once all columns are listed."""
        for name, demand in self.world.demands.items():
            for period in range(self.world.count):
                if self.world.wanted(demand, period) > 0:
                    self._deliveries(name, demand, period)
        if self._surplus_may_help():
            self._surplus()
        self._rests()
        self._batches()
        self.columns += [Column(1.0, {("onboarding", o.id): 1.0}) for o in self.world.offers.values() if o.onboarding]
        amounts = [amount for column in self.columns for amount in column.amounts]
        nodes = {node for end in self.world.nodes() for node in self.forest.leading_to(*end)}
        orders = read_orders(self.world, amounts, nodes)
        self.columns += orders.columns
        self.reader = Reader(self.law, (amount for column in self.columns for amount in column.amounts))
        extra = self.reader.read()
        self.columns += extra.columns
        choices = [*self._minima(), *self._onboarding(), *orders.choices, *extra.choices]
        return choices, extra.counts, [*self._bounds(), *orders.bounds, *extra.bounds]

    # ------------------------------------------------------------------------------------------------------- columns

    def _deliveries(self, name: str, demand: DemandSpec, period: int) -> None:
        world = self.world
        price = demand.shortage_price if demand.shortage_price is not None else Priced(world, self.law).short(demand)
        short = {("delivered", name, period): 1.0, ("short", name, period): 1.0}
        self.columns.append(Column(float(price) * world.discount(period), short))
        node, firsts = world.node(demand), self._first_days(demand, period)
        for tree, day in [(tree, first) for first in firsts for tree in self.forest.trees(*node, period, first)]:
            for waivers in self._waivers(name, demand, period):
                for lawful in self.law.deliveries(tree, demand, period, frozenset(w.rule for w in waivers)):
                    amounts = self._amounts(lawful, demand)
                    amounts["delivered", name, period] = 1.0
                    amounts["used", name, period, day] = 1.0
                    self._add(amounts | {("waiver", w.id): 1.0 for w in waivers})
                    self.lawful.update((node, demand) for node in lawful.nodes())

    def _first_days(self, demand: DemandSpec, period: int) -> list[date]:
        """First day of each stretch of a period between days on which orders already placed arrive where a demand takes its good."""
        return [self.world.spans[period][0], *self.world.arrivals_within(*self.world.node(demand), period)]

    def _waivers(self, name: str, demand: DemandSpec, period: int) -> list[tuple[WaiverSpec, ...]]:
        """Every set of waivers of different rules that cover every day of a delivery; none of them is a set as well."""
        found = [
            waiver
            for waiver in self.world.case.waivers
            if waiver.demand in ("", name, demand.material)
            and all(within(day, waiver.start, waiver.end) for day in self.world.spans[period])
        ]
        sets = [chosen for size in range(len(found) + 1) for chosen in combinations(found, size)]
        return [chosen for chosen in sets if len({w.rule for w in chosen}) == len(chosen)]

    def _surplus_may_help(self) -> bool:
        """Whether what an order must come to, a rule, a price below zero or a lot that does not fit its store may make a plan buy beyond need."""
        crowded = bool(self.world.lots) and any(store.limit is not None for store in self.world.case.stores)
        world = self.world
        paid = any(world.price(offer, t) < 0 for offer in world.offers.values() for t in range(world.count))
        return crowded or paid or orders_may_force(world) or may_force(self.law)

    def _surplus(self) -> None:
        """What is bought beyond need: anything that some use might have, at any place on the way to it, kept to the end."""
        found: dict[tuple[Tree, str], DemandSpec] = {}
        for name, demand in self.world.demands.items():
            end = self.world.node(demand)
            for place in self.forest.leading_to(*end):
                for tree in self.forest.trees(*place, self.world.count):
                    if not tree.lot:
                        for bans, waived in self._law_of(name, demand, tree.ordered if place == end else None):
                            ways = self.law.ways(tree, demand, bans, waived)
                            found |= dict.fromkeys(((way, demand.end_use) for way in ways), demand)
        for (tree, _), demand in found.items():
            self.lawful.update((node, demand) for node in tree.nodes())
            self._add(self._amounts(tree, demand))

    def _law_of(self, name: str, demand: DemandSpec, ordered: int | None) -> set[_Judges]:
        """Each set of rules of origin that some delivery of a demand is judged by, with the rules that are waived."""
        return {
            (self.law.asked(period, when, waived), waived)
            for period in range(self.world.count)
            if self.world.wanted(demand, period) > 0
            for waivers in self._waivers(name, demand, period)
            for waived in [frozenset(w.rule for w in waivers)]
            for when in ([ordered] if ordered is not None else range(period + 1))
        }

    def _rests(self) -> None:
        """What is left of a lot."""
        end = self.world.count
        for lot in self.world.lots:
            rest = Tree(lot.material, lot.place, end, lot.there, lot=lot.id)
            self._add(self._amounts(rest, None))

    def _batches(self) -> None:
        """Units made of offers with several outputs; batches of their inputs may turn up on the way."""
        done: set[Amount] = set()
        while missing := self.batches.keys() - done:
            for batch in sorted(missing, key=repr):
                done.add(batch)
                node = self.batches[batch]
                amounts: dict[Amount, float] = defaultdict(float)
                amounts["batch", batch] = 1.0
                self._run(node, 1.0, self.lawful[node], amounts)
                self._add(amounts)
        for giver, taker in permutations(self.batches, 2):
            if _serves(giver, taker):
                for line in self.world.offers[giver[0]].outputs:
                    self._add({("output", giver, line.material): 1.0, ("output", taker, line.material): -1.0})

    def _add(self, amounts: dict[Amount, float]) -> None:
        cost = sum(value * self._cost(amount) for amount, value in amounts.items())
        self.columns.append(Column(cost, dict(amounts)))

    # ------------------------------------------------------------------------------------- what a kilogram comes to

    def _amounts(self, tree: Tree, demand: DemandSpec | None) -> dict[Amount, float]:
        amounts: dict[Amount, float] = defaultdict(float)
        self._count(tree, 1.0, demand, amounts)
        return amounts

    def _count(self, tree: Tree, kilograms: float, demand: DemandSpec | None, amounts: dict[Amount, float]) -> None:
        for period in range(tree.arrives, tree.used):
            left = kilograms * self.world.needed(tree.material, tree.place, period, tree.used)
            amounts["held", tree.material, tree.place, period] += left
        kilograms *= self.world.needed(tree.material, tree.place, tree.arrives, tree.used)
        for license in tree.licenses:
            amounts["license", license] += kilograms
        if tree.lot:
            amounts["lot", tree.lot] += kilograms
            return
        assert demand is not None
        offer = self.world.offers[tree.offer]
        amounts["moved", offer.id, tree.material, tree.place, tree.ordered, tree.arrives, demand.end_use] += kilograms
        amounts["charges", tree.arrives] += kilograms * self.law.charges(tree)
        if len(offer.outputs) == 1:
            self._run(tree, kilograms / float(offer.outputs[0].per_unit), demand, amounts)
        else:
            batch = (offer.id, tree.ordered, tree.inputs)
            self.batches.setdefault(batch, tree)
            self.lawful.setdefault(tree, demand)
            amounts["output", batch, tree.material] += kilograms

    def _run(self, tree: Tree, units: float, demand: DemandSpec, amounts: dict[Amount, float]) -> None:
        """Units ordered of a tree's offer, and what they take."""
        offer = self.world.offers[tree.offer]
        amounts["units", offer.id, tree.ordered] += units
        for line, used in zip(offer.inputs, tree.inputs, strict=True):
            self._count(used, units * float(line.per_unit), demand, amounts)

    def _cost(self, amount: Amount) -> float:
        """Money for one of an amount, discounted."""
        world = self.world
        match amount:
            case ("units", offer, ordered):
                return world.price(world.offers[offer], ordered) * world.discount(ordered)
            case ("moved", offer, _, place, _, arrives, _):
                route = world.routes(world.offers[offer], place)
                return route[1][arrives] * world.discount(arrives)
            case ("charges", arrives):
                return world.discount(arrives)
            case ("held", material, place, period):
                return world.holding(material, place, period) * world.years[period] * world.discount(period)
        return 0.0

    # ---------------------------------------------------------------------------------------------- rows and choices

    def _bounds(self) -> Iterator[Bound]:
        world = self.world
        for name, demand in world.demands.items():
            for period in range(world.count):
                if (wanted := world.wanted(demand, period)) > 0:
                    yield Bound({("delivered", name, period): 1.0}, wanted, wanted)
                    for first, until in pairwise([*self._first_days(demand, period), date.max]):
                        most = wanted * world.used_between(demand, period, first, until)
                        yield Bound({("used", name, period, first): 1.0}, at_most=most)
        for lot in world.lots:
            yield Bound({("lot", lot.id): 1.0}, lot.kilograms, lot.kilograms)
        for batch, tree in self.batches.items():
            for line in world.offers[tree.offer].outputs:
                weights = {("output", batch, line.material): 1.0, ("batch", batch): -float(line.per_unit)}
                yield Bound(weights, at_most=0.0)
        for waiver in world.case.waivers:
            yield Bound({("waiver", waiver.id): 1.0}, at_most=float(waiver.quantity))
        for license in world.case.licenses:
            if license.quantity is not None:
                yield Bound({("license", license.id): 1.0}, at_most=float(license.quantity))
        yield from self._capacities()
        yield from self._offer_limits()
        yield from self._store_limits()

    def _capacities(self) -> Iterator[Bound]:
        world = self.world
        for facility in world.facilities.values():
            if not facility.capacity:
                continue
            sharing = [o for o in world.offers.values() if world.shares(o.facility, facility.id)]
            for period in range(world.count):
                if (capacity := world.capacity(facility, period)) < math.inf:
                    weights = {("units", o.id, period): float(o.capacity_use) for o in sharing}
                    yield Bound(weights | setups(world, facility.id, period), at_most=capacity)

    def _offer_limits(self) -> Iterator[Bound]:
        world = self.world
        for offer in world.offers.values():
            units = [("units", offer.id, period) for period in range(world.count)]
            for period in range(world.count):
                if offer.max_order is not None:
                    yield Bound({units[period]: 1.0}, at_most=float(offer.max_order))
                if offer.max_per_year is not None:
                    yield Bound({units[period]: 1.0}, at_most=float(offer.max_per_year) * world.years[period])
            if offer.total is not None:
                yield Bound(dict.fromkeys(units, 1.0), at_most=float(offer.total))

    def _store_limits(self) -> Iterator[Bound]:
        world = self.world
        for material, place in {world.node(store) for store in world.case.stores}:
            for period in range(world.count):
                most = world.limit(material, place, period)
                if most < math.inf:
                    yield Bound({("held", material, place, period): 1.0}, at_most=most)

    def _minima(self) -> Iterator[Choice]:
        """Each offer with a minimum is ordered in a period, or not."""
        for offer in self.world.offers.values():
            if offer.min_order:
                for period in range(self.world.count):
                    units = {("units", offer.id, period): 1.0}
                    on = Bound(units, at_least=float(offer.min_order))
                    yield Choice(f"{offer.id} in {period}", (Bound(units, at_most=0.0),), (on,))

    def _onboarding(self) -> Iterator[Choice]:
        """Each offer with a one-off cost is used at all, or not."""
        for offer in self.world.offers.values():
            if offer.onboarding:
                assert offer.onboarding_currency in ("", self.world.case.currency)
                units = {("units", offer.id, period): 1.0 for period in range(self.world.count)}
                paid = Bound({("onboarding", offer.id): 1.0}, at_least=float(offer.onboarding))
                yield Choice(f"{offer.id} used", (Bound(units, at_most=0.0),), (paid,))


def _serves(giver: Any, taker: Any) -> bool:
    """Whether two batches are of the same inputs, the first moved under licenses of the second's and more."""
    if giver[:2] != taker[:2]:
        return False
    pairs = [(list(one.nodes()), list(other.nodes())) for one, other in zip(giver[2], taker[2], strict=True)]
    if any(len(ones) != len(others) for ones, others in pairs):
        return False
    nodes = [pair for ones, others in pairs for pair in zip(ones, others, strict=True)]
    alike = all(replace(one, inputs=(), licenses=()) == replace(other, inputs=(), licenses=()) for one, other in nodes)
    return alike and all(set(other.licenses) <= set(one.licenses) for one, other in nodes)
