"""Full prices of offers, the cash of a plan, and its spend at the ends of price ranges."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import MAX_PREC, Context, Decimal, Inexact, localcontext
from fractions import Fraction
from functools import cache, cached_property
from typing import Any, Literal, TypeAlias, TypeVar

from ..domain.base import Number, Record, as_decimal
from ..domain.runtime import cached_method
from ..problem.compliance_classes import ComplianceClass
from ..problem.network import Node
from ..problem.offers import End, has_range, prices_at
from ..verify import Line, VerifiedPlan
from ..verify.money import Costing
from .eligibility import Eligibilities

Cash: TypeAlias = dict[Any, Fraction]
"""Undiscounted money by period: of the order, or in which it is due if it belongs to no purchase."""
Label: TypeAlias = "Callable[[int, Line], Hashable]"
"""Function that returns the label of a purchase, from its position in `VerifiedPlan.lines` and the purchase."""
Pool: TypeAlias = tuple[str, str, str]
Shares: TypeAlias = dict[Pool, dict[Pool, Fraction]]
"""Pool -> pool that takes kilograms from it -> share."""

ON_PURCHASES = ("price", "charges", "freight")
Key = TypeVar("Key")
Part = TypeVar("Part")

_NOTHING = Fraction(0)
_EXACT = Context(prec=MAX_PREC, traps=[Inexact])


@dataclass(frozen=True, slots=True)
class TracedCash:
    """The cash of a plan by its destination. All parts together equal the plan's nominal cost."""

    inputs: tuple[Fraction, ...]
    """Of each purchase, in the order of `VerifiedPlan.lines`."""
    by_demand: Mapping[str, Cash]
    stock: Cash
    unused: Cash
    """Cash for units that are made and not bought, with their inputs."""
    separate: Mapping[str, Cash]
    """Part of `Cost` -> money that belongs to no purchase."""

    @property
    def total(self) -> Fraction:
        parts = (*self.by_demand.values(), self.stock, self.unused, *self.separate.values())
        return sum((amount for cash in parts for amount in cash.values()), _NOTHING)


@dataclass(slots=True)
class _Flows:
    # Kilograms by pool and demand, by pool and maker that takes from it, and by maker and pool of its goods.
    paid: dict[Pool, Cash] = field(default_factory=lambda: defaultdict(dict))
    to_demands: dict[Pool, dict[str, Fraction]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(Fraction))
    )
    to_makers: dict[Pool, dict[str, Fraction]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(Fraction))
    )
    from_makers: dict[str, dict[Pool, Fraction]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(Fraction))
    )
    end_stock: dict[Pool, Fraction] = field(default_factory=lambda: defaultdict(Fraction))
    makers: list[tuple[str, Decimal]] = field(default_factory=list)
    unused: Cash = field(default_factory=dict)

    def outflow(self, pool: Pool) -> Fraction:
        leaving = (*self.to_demands[pool].values(), *self.to_makers[pool].values(), self.end_stock[pool])
        return sum(leaving, _NOTHING)


def trace_cash(verified: VerifiedPlan, label: Label | None = None) -> TracedCash:
    """Return the destinations of a plan's cash, by order period or `label`. With a label, units without a buyer are left out."""
    flows = _flows(verified, label)
    pools = sorted({*flows.paid, *flows.to_demands, *flows.to_makers, *flows.end_stock})
    out_kg = {pool: flows.outflow(pool) for pool in pools}
    output_kg = {maker: sum(goods.values(), _NOTHING) for maker, goods in flows.from_makers.items()}
    shares: Shares = {pool: defaultdict(Fraction) for pool in pools}
    for pool in pools:
        for maker, kilograms in flows.to_makers[pool].items() if out_kg[pool] else ():
            for good, part in flows.from_makers[maker].items() if output_kg.get(maker) else ():
                shares[pool][good] += kilograms * part / (out_kg[pool] * output_kg[maker])
    passing, unused = cash_through_pools(dict(flows.paid), shares)
    _add_share(unused, flows.unused)
    by_demand: dict[str, Cash] = {}
    stock: Cash = {}
    inputs: dict[str, Fraction] = defaultdict(Fraction)
    for pool in pools:
        cash = passing[pool]
        if not out_kg[pool]:
            _add_share(unused, cash)
            continue
        for demand, kilograms in flows.to_demands[pool].items():
            _add_share(by_demand.setdefault(demand, {}), cash, kilograms / out_kg[pool])
        for maker, kilograms in flows.to_makers[pool].items():
            if output_kg.get(maker):
                inputs[maker] += sum(cash.values(), _NOTHING) * kilograms / out_kg[pool]
            else:
                _add_share(unused, cash, kilograms / out_kg[pool])
        _add_share(stock, cash, flows.end_stock[pool] / out_kg[pool])
    separate = {
        name: {t: Fraction(amount) for t, amount in by_period.items() if amount}
        for name, by_period in verified.costing.spent().items()
        if name not in ON_PURCHASES
    }
    return TracedCash(
        inputs=tuple(
            inputs[maker] * Fraction(kilograms) / output_kg[maker] if maker in inputs and kilograms else _NOTHING
            for maker, kilograms in flows.makers
        ),
        by_demand=by_demand,
        stock=stock,
        unused=unused,
        separate={name: cash for name, cash in separate.items() if cash},
    )


def cash_through_pools(paid: Mapping[Pool, Cash], onward: Shares) -> tuple[dict[Pool, Cash], Cash]:
    """Return the cash that passes through every pool, and the cash that circulates in pools without an outflow.

    Pools are eliminated one by one, suppliers first. The part of a pool that `onward` doesn't name leaves the system.
    """
    targets: Shares = {
        pool: {target: share for target, share in shares.items() if share} for pool, shares in onward.items()
    }
    sources: Shares = {pool: {} for pool in targets}
    for pool, shares in targets.items():
        for target, share in shares.items():
            sources[target][pool] = share
    arrived = {pool: dict(paid.get(pool, {})) for pool in targets}
    eliminated: list[tuple[Pool, Cash, dict[Pool, Fraction], Fraction]] = []
    for pool in _suppliers_first(targets, sources):
        leaving, entering = targets.pop(pool), sources.pop(pool)
        own_share = leaving.pop(pool, _NOTHING)
        entering.pop(pool, None)
        eliminated.append((pool, arrived[pool], entering, own_share))
        for target, share in leaving.items():
            del sources[target][pool]
            _add_share(arrived[target], arrived[pool], share / (1 - own_share))
        for source, through in entering.items():
            del targets[source][pool]
            for target, share in leaving.items():
                share_via_pool = targets[source].get(target, _NOTHING) + through * share / (1 - own_share)
                targets[source][target] = sources[target][source] = share_via_pool
    # Back substitution: pools that still fed a pool were eliminated after it, so their totals are known.
    passed: dict[Pool, Cash] = {}
    circulating: Cash = {}
    for pool, cash, entering, own_share in reversed(eliminated):
        total: Cash = {}
        _add_share(total, cash)
        for source, share in entering.items():
            _add_share(total, passed[source], share)
        if own_share == 1:
            _add_share(circulating, total)
        else:
            total = {t: amount / (1 - own_share) for t, amount in total.items()}
        passed[pool] = total
    return passed, circulating


def _suppliers_first(targets: Shares, sources: Shares) -> Iterator[Pool]:
    ready = deque(pool for pool in targets if not sources[pool].keys() - {pool})
    while targets:
        pool = ready.popleft() if ready else next(iter(targets))  # any pool of a cycle
        if pool not in targets:
            continue
        after = [target for target in targets[pool] if target != pool]
        yield pool
        ready.extend(target for target in after if target in sources and not sources[target].keys() - {target})


def _add_share(to: Cash, cash: Mapping[int, Fraction], share: Fraction = Fraction(1)) -> None:
    for t, amount in cash.items() if share else ():
        to[t] = to.get(t, _NOTHING) + amount * share


def _flows(verified: VerifiedPlan, label: Label | None) -> _Flows:
    problem, flows, ledger = verified.problem, _Flows(), verified.ledger
    # Goods made for one class may serve another. Their maker then counts as one for all classes.
    transferred = {entry.offer for entry in verified.plan.transfers}

    @cache
    def maker(offer: int, compliance_class: str) -> str:
        name = problem.offers[offer].offer.id
        return name if name in transferred else f"{name} {compliance_class}"

    uses = [problem.demands[position].use for _, position in ledger.deliveries]
    last = problem.case.horizon.count - 1
    _add_payments(flows, verified, maker, label)
    _sum_into(
        flows.to_makers,
        (
            ((material, place, compliance_class), maker(offer, compliance_class), kg)
            for (material, place), compliance_class, _, kg, offer in ledger.draws()
        ),
    )
    _sum_into(
        flows.to_demands,
        (
            ((use.material.id, use.place.id, delivery.compliance_class), delivery.demand, delivery.quantity)
            for use, (delivery, _) in zip(uses, ledger.deliveries, strict=True)
        ),
    )
    for stock in verified.plan.stocks:
        if stock.period == last:
            flows.end_stock[stock.material, stock.place, stock.compliance_class] += Fraction(stock.quantity)
    return flows


def _add_payments(flows: _Flows, verified: VerifiedPlan, maker: Callable[[int, str], str], label: Label | None) -> None:
    problem, lines = verified.problem, verified.lines
    bought_kg: dict[tuple[int, int], Decimal] = defaultdict(Decimal)
    co_products: list[tuple[Pool, tuple[int, int], Decimal, Any]] = []
    # Adding decimals first is much faster for large plans.
    paid, made = defaultdict[tuple[Pool, Any], Decimal](Decimal), defaultdict[tuple[str, Pool], Decimal](Decimal)
    with localcontext(_EXACT):
        for number, line in enumerate(lines):
            offer, t = line.arc.offer, line.ordered
            pool, name = (line.material, line.place, line.compliance_class), maker(offer, line.compliance_class)
            label_of_line = t if label is None else label(number, line)
            paid[pool, label_of_line] += line.direct + line.charges + line.freight
            made[name, pool] += line.quantity
            flows.makers.append((name, line.quantity))
            if not problem.offers[offer].has_one_output:
                co_products.append((pool, (offer, t), line.quantity, label_of_line))
                bought_kg[offer, t] += line.quantity
    _add(flows.paid, paid)
    _add(flows.from_makers, made)
    run_cost: dict[tuple[int, int], Fraction] = defaultdict(Fraction)
    for make, offer in verified.ledger.makes:
        run_cost[offer, make.period] += Fraction(problem.offers[offer].price[make.period]) * Fraction(make.units)
    for pool, run, kilograms, label_of_line in co_products:
        if kilograms:
            _add_share(
                flows.paid[pool], {label_of_line: run_cost[run] * Fraction(kilograms) / Fraction(bought_kg[run])}
            )
    for run, cost in run_cost.items():
        if not bought_kg.get(run) and label is None:
            _add_share(flows.unused, {run[1]: cost})


def _sum_into(sums_by_key: Mapping[Key, dict[Part, Fraction]], amounts: Iterable[tuple[Key, Part, Decimal]]) -> None:
    sums = defaultdict[tuple[Key, Part], Decimal](Decimal)
    rows = list(amounts)  # before the context, in which they would be exact too
    with localcontext(_EXACT):
        for key, part, amount in rows:
            sums[key, part] += amount
    _add(sums_by_key, sums)


def _add(sums_by_key: Mapping[Key, dict[Part, Fraction]], sums: Mapping[tuple[Key, Part], Decimal]) -> None:
    for (key, part), amount in sums.items():
        sums_by_key[key][part] = sums_by_key[key].get(part, _NOTHING) + Fraction(amount)


_Prices = Mapping[tuple[Node, int], Fraction]


class OfferPrice(Record):
    """Cost of a kilogram of an offer with all its inputs, not discounted."""

    how: Literal["traced", "marginal"]
    """`traced`: average over the purchases of the plan. `marginal`: for an offer that isn't bought, in the first period in which it can be ordered."""
    own: Number
    """Its own price with duty and freight. A fee if it takes inputs."""
    inputs: Number
    """Cost of its inputs. 0 if it takes none."""
    full_price: Number
    ordered: str = ""
    """Period of the order of a marginal price."""


class OfferPrices:
    """Full prices of the offers of a planned case."""

    def __init__(self, verified: VerifiedPlan) -> None:
        self.verified = verified
        self.problem = verified.problem
        self.eligibilities = Eligibilities(verified.problem)

    def of(self, name: str, material: str) -> OfferPrice | None:
        """Return the full price, for the permitted use with the most expensive inputs. None if the offer, or one of its inputs, can't be bought."""
        position = next((i for i, facts in enumerate(self.problem.offers) if facts.offer.id == name), None)
        if position is None:
            return None
        if (position, material) in self._traced:
            return self._traced[position, material]
        prices = [self._marginal_price(entry, position, material) for entry in self.problem.compliance_classes]
        return max((entry for entry in prices if entry is not None), key=lambda entry: entry.full_price, default=None)

    @cached_property
    def _traced(self) -> dict[tuple[int, str], OfferPrice]:
        sums: dict[tuple[int, str], list[Fraction]] = {}
        for line, inputs in zip(self.verified.lines, trace_cash(self.verified).inputs, strict=True):
            sums_of_offer = sums.setdefault((line.arc.offer, line.material), [Fraction(0)] * 3)
            for number, amount in enumerate((Fraction(line.quantity), Fraction(line.total), inputs)):
                sums_of_offer[number] += amount
        return {
            key: OfferPrice(
                how="traced",
                own=as_decimal(own / kilograms),
                inputs=as_decimal(inputs / kilograms),
                full_price=as_decimal((own + inputs) / kilograms),
            )
            for key, (kilograms, own, inputs) in sums.items()
            if kilograms
        }

    def _marginal_price(self, compliance_class: ComplianceClass, offer: int, material: str) -> OfferPrice | None:
        arcs = [arc for arc in self.problem.network.arcs if arc.offer == offer and arc.node[0] == material]
        moves = self.problem.moves
        candidates: list[tuple[int, Fraction, Fraction]] = []
        for arc in arcs:
            for move in range(int(moves.first[arc.index]), int(moves.first[arc.index + 1])):
                if arc.node in compliance_class.nodes and self._can_order(compliance_class, move):
                    ordered = int(moves.ordered[move])
                    inputs = self._input_cost(offer, ordered, self._input_prices(compliance_class.label))
                    if inputs is not None:
                        candidates.append((ordered, self._landed_price(compliance_class, move), inputs))
        if not candidates:
            return None
        ordered, own, inputs = min(candidates, key=lambda entry: (entry[0], entry[1] + entry[2]))
        label = self.problem.case.horizon.label(ordered)
        return OfferPrice(
            how="marginal",
            own=as_decimal(own),
            inputs=as_decimal(inputs),
            full_price=as_decimal(own + inputs),
            ordered=label,
        )

    def _can_order(self, compliance_class: ComplianceClass, move: int) -> bool:
        moves, arc = self.problem.moves, self.problem.network.arcs[int(self.problem.moves.arc[move])]
        ordered = int(moves.ordered[move])
        in_time = compliance_class.final != arc.node or ordered in (compliance_class.order_periods or ())
        admitted = in_time and compliance_class.admits(arc.index, int(moves.delivered[move]))
        return admitted and arc.offer >= 0 and self.eligibilities.units(arc.offer, ordered) != 0

    def _landed_price(self, compliance_class: ComplianceClass, move: int) -> Fraction:
        """Return the landed price of a kilogram. If several goods are made together, each kilogram costs the same."""
        moves = self.problem.moves
        index, ordered = int(moves.arc[move]), int(moves.ordered[move])
        facts = self.problem.offers[self.problem.network.arcs[index].offer]
        money = Fraction(moves.money(move))
        if compliance_class.surcharges is not None:
            money += Fraction(
                compliance_class.surcharges.get((index, ordered), Decimal(0)) - moves.charges[index][ordered]
            )
        return money if facts.has_one_output else money + Fraction(facts.price[ordered]) / Fraction(facts.mass_per_unit)

    def _input_cost(self, offer: int, ordered: int, prices: _Prices) -> Fraction | None:
        facts, cost = self.problem.offers[offer], Fraction(0)
        for line in facts.offer.inputs:
            price = prices.get(((line.material, facts.place), ordered))
            if price is None:
                return None
            cost += Fraction(line.per_unit) * price
        return cost if facts.has_one_output else cost / Fraction(facts.mass_per_unit)

    @cached_method
    def _input_prices(self, label: str) -> _Prices:
        problem, moves, compliance_class = self.problem, self.problem.moves, self.problem.class_of[label]
        arriving: list[list[int]] = [[] for _ in problem.case.horizon.periods]
        for index in sorted(self._upstream):
            if problem.network.arcs[index].node in compliance_class.nodes:
                for move in range(int(moves.first[index]), int(moves.first[index + 1])):
                    if self._can_order(compliance_class, move):
                        arriving[int(moves.delivered[move])].append(move)
        prices: dict[tuple[Node, int], Fraction] = {}
        for t, arriving_moves in enumerate(arriving):
            self._carry_over(prices, t)
            own_price = {move: self._landed_price(compliance_class, move) for move in arriving_moves}
            for _ in range(len(compliance_class.nodes) + 1):
                lowered = [self._lower_price(prices, move, own_price[move]) for move in arriving_moves]
                if not any(lowered):
                    break
        return prices

    def _lower_price(self, prices: dict[tuple[Node, int], Fraction], move: int, own_price: Fraction) -> bool:
        arc = self.problem.network.arcs[int(self.problem.moves.arc[move])]
        inputs = self._input_cost(arc.offer, int(self.problem.moves.ordered[move]), prices)
        destination = arc.node, int(self.problem.moves.delivered[move])
        if inputs is None or (destination in prices and prices[destination] <= own_price + inputs):
            return False
        prices[destination] = own_price + inputs
        return True

    def _carry_over(self, prices: dict[tuple[Node, int], Fraction], t: int) -> None:
        for node, store in self.problem.stores.items():
            before = prices.get((node, t - 1))
            if before is not None and store.limit[t - 1] != 0 and store.kept[t]:
                prices[node, t] = before / Fraction(store.kept[t])

    @cached_property
    def _upstream(self) -> frozenset[int]:
        network = self.problem.network
        feeds = {feed for feeds in network.feeds.values() for feed in feeds}
        return frozenset().union(*(network.reach(feed)[0] for feed in feeds))


@dataclass(frozen=True, slots=True)
class RangedSpend:
    """Undiscounted spend of a plan at both ends of every price range."""

    lines: Mapping[str, tuple[Sequence[Line], Sequence[Line], Sequence[Line]]]
    """Offer with a price range -> its purchases at its price, at the low end, and at the high end."""
    low: Decimal
    high: Decimal


def spend_at_ends(verified: VerifiedPlan) -> RangedSpend | None:
    """Return the cost of a plan at the ends of price ranges, with duties and discounts computed again. None without a range."""
    problem = verified.problem
    bought = sorted({line.arc.offer for line in verified.lines})
    ranged_offers = [problem.offers[offer] for offer in bought if has_range(problem.offers[offer], problem.merged)]
    if not ranged_offers:
        return None
    low, high = (_costing_at(verified, prices_at(end, ranged_offers, problem.merged, problem.case)) for end in _ENDS)
    ranged_names = {facts.offer.id for facts in ranged_offers}
    lines: defaultdict[str, tuple[list[Line], list[Line], list[Line]]] = defaultdict(lambda: ([], [], []))
    for number, costing in enumerate((verified.costing, low, high)):
        for line in costing.lines:
            offer = problem.offers[line.arc.offer].offer.id
            if offer in ranged_names:
                lines[offer][number].append(line)
    return RangedSpend(lines, *(costing.cost(Decimal(0)).nominal for costing in (low, high)))


_ENDS: tuple[End, End] = ("low", "high")


def _costing_at(verified: VerifiedPlan, prices: Mapping[str, Sequence[Decimal]]) -> Costing:
    problem = verified.problem
    offers = tuple(
        facts._replace(price=prices[facts.offer.id]) if facts.offer.id in prices else facts for facts in problem.offers
    )
    ledger = replace(verified.ledger, problem=replace(problem, offers=offers, shared=None))
    return Costing(ledger, verified.costing.placed)
