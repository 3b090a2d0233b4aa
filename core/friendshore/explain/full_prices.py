"""Full prices: the cash of a plan, traced along the flow of kilograms from purchases to final uses.

What is paid for a material at a place, for one compliance class, forms a pool. A pool hands its cash on in equal shares per kilogram to all
that is taken out of it over the plan: deliveries, inputs of makers, and what is left in stock. A maker hands the cash of its inputs on to what is
bought of its goods, in equal shares per kilogram. So the full price of a purchase is its own price, duty, and freight plus its share of the inputs.

Stock in hand and open orders bring kilograms without cash, since their cash lies in the past. Money of no purchase stays apart: discounts
settled over a span, onboarding, fixed costs, take-or-pay, holding. Everything is exact: fractions, and a linear system where recipes form a circle.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import MAX_PREC, Context, Decimal, Inexact, localcontext
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

if TYPE_CHECKING:
    from ..verify import Line, VerifiedPlan

Cash: TypeAlias = dict[Any, Fraction]
"""Undiscounted money by period: of the order, or in which it is due if it belongs to no purchase. `trace_cash` can use another label of purchases."""
Label: TypeAlias = "Callable[[int, Line], Hashable]"
"""Label of a purchase, by its position in `VerifiedPlan.lines` and the purchase."""
Pool: TypeAlias = tuple[str, str, str]
"""Material, place, and compliance class."""
Shares: TypeAlias = dict[Pool, dict[Pool, Fraction]]
"""Pool -> pool that takes kilograms out of it -> share."""

ON_PURCHASES = ("price", "charges", "freight")
"""Parts of `Cost` that belong to purchases."""
Key = TypeVar("Key")
Part = TypeVar("Part")

_NOTHING = Fraction(0)
_EXACT = Context(prec=MAX_PREC, traps=[Inexact])
"""Sums of decimals in which nothing is rounded."""


@dataclass(frozen=True, slots=True)
class TracedCash:
    """The cash of a plan by where it ends. All parts together equal the plan's nominal cost."""

    inputs: tuple[Fraction, ...]
    """Cash of the inputs of each purchase, in the order of `VerifiedPlan.lines`."""
    by_demand: Mapping[str, Cash]
    stock: Cash
    """On what is in stock at the end."""
    unused: Cash
    """On goods that nothing takes: units that are made and not bought, with their inputs."""
    separate: Mapping[str, Cash]
    """Part of `Cost` -> money that belongs to no purchase."""

    @property
    def total(self) -> Fraction:
        """All of it."""
        parts = (*self.by_demand.values(), self.stock, self.unused, *self.separate.values())
        return sum((amount for cash in parts for amount in cash.values()), _NOTHING)


@dataclass(slots=True)
class _Flows:
    """Cash and kilograms into and out of every pool."""

    paid: dict[Pool, Cash] = field(default_factory=lambda: defaultdict(dict))
    taken: dict[Pool, dict[str, Fraction]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Fraction)))
    """Pool -> demand -> kilograms."""
    drawn: dict[Pool, dict[str, Fraction]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Fraction)))
    """Pool -> maker that takes it in -> kilograms."""
    made: dict[str, dict[Pool, Fraction]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Fraction)))
    """Maker -> pool of its good -> kilograms."""
    held: dict[Pool, Fraction] = field(default_factory=lambda: defaultdict(Fraction))
    """Kilograms in stock at the end."""
    makers: list[tuple[str, Decimal]] = field(default_factory=list)
    """Maker and kilograms of every purchase."""
    unused: Cash = field(default_factory=dict)

    def out(self, pool: Pool) -> Fraction:
        """Return the kilograms that leave a pool, stock at the end included."""
        leaving = (*self.taken[pool].values(), *self.drawn[pool].values(), self.held[pool])
        return sum(leaving, _NOTHING)


def trace_cash(verified: VerifiedPlan, label: Label | None = None) -> TracedCash:
    """Return where the cash of a plan ends, and what of it the inputs of each purchase carry.

    Args:
        verified: The plan.
        label: What the cash of purchases is kept apart by. None: the period of the order. With a label, units made of which nothing is bought are left
            out, since no purchase pays for them.
    """
    flows = _flows(verified, label)
    pools = sorted({*flows.paid, *flows.taken, *flows.drawn, *flows.held})
    out = {pool: flows.out(pool) for pool in pools}
    made = {maker: sum(goods.values(), _NOTHING) for maker, goods in flows.made.items()}
    onward: Shares = {pool: defaultdict(Fraction) for pool in pools}
    for pool in pools:
        for maker, kilograms in flows.drawn[pool].items() if out[pool] else ():
            for good, part in flows.made[maker].items() if made.get(maker) else ():
                onward[pool][good] += kilograms * part / (out[pool] * made[maker])
    passed, unused = pass_on(dict(flows.paid), onward)
    _add(unused, flows.unused)
    by_demand: dict[str, Cash] = {}
    stock: Cash = {}
    inputs: dict[str, Fraction] = defaultdict(Fraction)
    for pool in pools:
        cash = passed[pool]
        if not out[pool]:
            _add(unused, cash)
            continue
        for demand, kilograms in flows.taken[pool].items():
            _add(by_demand.setdefault(demand, {}), cash, kilograms / out[pool])
        for maker, kilograms in flows.drawn[pool].items():
            if made.get(maker):
                inputs[maker] += sum(cash.values(), _NOTHING) * kilograms / out[pool]
            else:
                _add(unused, cash, kilograms / out[pool])
        _add(stock, cash, flows.held[pool] / out[pool])
    separate = {
        name: {t: Fraction(amount) for t, amount in by_period.items() if amount}
        for name, by_period in verified.costing.spent().items()
        if name not in ON_PURCHASES
    }
    return TracedCash(
        inputs=tuple(
            inputs[maker] * Fraction(kilograms) / made[maker] if maker in inputs and kilograms else _NOTHING
            for maker, kilograms in flows.makers
        ),
        by_demand=by_demand,
        stock=stock,
        unused=unused,
        separate={name: cash for name, cash in separate.items() if cash},
    )


def pass_on(paid: Mapping[Pool, Cash], onward: Shares) -> tuple[dict[Pool, Cash], Cash]:
    """Return the cash that passes through every pool, and what circles for ever in pools that nothing leaves.

    Pools are eliminated one by one, suppliers first; those in a circle in any order. The cash of each is then found backward.

    Args:
        paid: Cash on purchases into each pool.
        onward: Share of each pool that other pools take, or itself. The rest of it leaves for good.
    """
    targets: Shares = {
        pool: {target: share for target, share in goes.items() if share} for pool, goes in onward.items()
    }
    sources: Shares = {pool: {} for pool in targets}
    for pool, goes in targets.items():
        for target, share in goes.items():
            sources[target][pool] = share
    arrived = {pool: dict(paid.get(pool, {})) for pool in targets}
    steps: list[tuple[Pool, Cash, dict[Pool, Fraction], Fraction]] = []
    for pool in _in_order(targets, sources):
        leaving, entering = targets.pop(pool), sources.pop(pool)
        own = leaving.pop(pool, _NOTHING)
        entering.pop(pool, None)
        steps.append((pool, arrived[pool], entering, own))
        for target, share in leaving.items():
            del sources[target][pool]
            _add(arrived[target], arrived[pool], share / (1 - own))
        for source, through in entering.items():
            del targets[source][pool]
            for target, share in leaving.items():
                more = targets[source].get(target, _NOTHING) + through * share / (1 - own)
                targets[source][target] = sources[target][source] = more
    passed: dict[Pool, Cash] = {}
    circling: Cash = {}
    for pool, cash, entering, own in reversed(steps):
        found: Cash = {}
        _add(found, cash)
        for source, share in entering.items():
            _add(found, passed[source], share)
        if own == 1:
            _add(circling, found)
        else:
            found = {t: amount / (1 - own) for t, amount in found.items()}
        passed[pool] = found
    return passed, circling


def _in_order(targets: Shares, sources: Shares) -> Iterator[Pool]:
    """Yield every pool once; one that no other pool feeds any more comes first, as long as there is one."""
    ready = deque(pool for pool in targets if not sources[pool].keys() - {pool})
    while targets:
        pool = ready.popleft() if ready else next(iter(targets))
        if pool not in targets:
            continue
        after = [target for target in targets[pool] if target != pool]
        yield pool
        ready.extend(target for target in after if target in sources and not sources[target].keys() - {target})


def _add(to: Cash, cash: Mapping[int, Fraction], share: Fraction = Fraction(1)) -> None:
    """Add a share of some cash; nothing of it where the share is 0."""
    for t, amount in cash.items() if share else ():
        to[t] = to.get(t, _NOTHING) + amount * share


def _flows(verified: VerifiedPlan, label: Label | None) -> _Flows:
    problem, flows, ledger = verified.problem, _Flows(), verified.ledger
    # What is made for one class may serve another. Its maker is then one for all classes.
    moved = {entry.offer for entry in verified.plan.transfers}

    def maker(offer: int, requirement: str) -> str:
        name = problem.offers[offer].offer.id
        return name if name in moved else f"{name} {requirement}"

    uses = [problem.demands[position].use for _, position in ledger.deliveries]
    last = problem.case.horizon.count - 1
    _pay(flows, verified, maker, label)
    _sum_into(
        flows.drawn,
        (
            ((material, place, label), maker(offer, label), kg)
            for (material, place), label, _, kg, offer in ledger.draws()
        ),
    )
    _sum_into(
        flows.taken,
        (
            ((use.material.id, use.place.id, delivery.requirement), delivery.demand, delivery.quantity)
            for use, (delivery, _) in zip(uses, ledger.deliveries, strict=True)
        ),
    )
    for stock in verified.plan.stocks:
        if stock.period == last:
            flows.held[stock.material, stock.place, stock.requirement] += Fraction(stock.quantity)
    return flows


def _pay(flows: _Flows, verified: VerifiedPlan, maker: Callable[[int, str], str], label: Label | None) -> None:
    """Add what is paid into every pool, and who makes how much of it."""
    problem, paid, made = verified.problem, list[tuple[Pool, Any, Decimal]](), list[tuple[str, Pool, Decimal]]()
    bought: dict[tuple[int, int], Decimal] = defaultdict(Decimal)
    several: list[tuple[Pool, tuple[int, int], Decimal, Any]] = []
    for number, line in enumerate(verified.lines):
        entry, offer, t = line.item.entry, line.item.arc.offer, line.item.ordered
        pool, name = (entry.material, entry.place, entry.requirement), maker(offer, entry.requirement)
        at = t if label is None else label(number, line)
        paid += [(pool, at, line.direct), (pool, at, line.charges), (pool, at, line.freight)]
        made.append((name, pool, entry.quantity))
        flows.makers.append((name, entry.quantity))
        if not problem.offers[offer].single:
            several.append((pool, (offer, t), entry.quantity, at))
            bought[offer, t] += entry.quantity
    _sum_into(flows.paid, paid)
    _sum_into(flows.made, made)
    runs: dict[tuple[int, int], Fraction] = defaultdict(Fraction)
    for make, offer in verified.ledger.makes:
        runs[offer, make.period] += Fraction(problem.offers[offer].price[make.period]) * Fraction(make.units)
    for pool, run, kilograms, at in several:
        if kilograms:
            _add(flows.paid[pool], {at: runs[run] * Fraction(kilograms) / Fraction(bought[run])})
    for run, cost in runs.items():
        if not bought.get(run) and label is None:
            _add(flows.unused, {run[1]: cost})


def _sum_into(found: Mapping[Key, dict[Part, Fraction]], amounts: Iterable[tuple[Key, Part, Decimal]]) -> None:
    """Add amounts by key and part. Decimals are added first: that is much faster where there are very many."""
    sums: dict[tuple[Key, Part], Decimal] = defaultdict(Decimal)
    rows = list(amounts)
    with localcontext(_EXACT):
        for key, part, amount in rows:
            sums[key, part] += amount
    for (key, part), amount in sums.items():
        found[key][part] = found[key].get(part, _NOTHING) + Fraction(amount)
