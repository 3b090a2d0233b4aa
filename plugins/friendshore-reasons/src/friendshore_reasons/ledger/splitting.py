"""One independent piece of a case, what each coalition of items costs it, and how the whole of that is split over them.

L. S. Shapley, A value for n-person games, in: Contributions to the Theory of Games II, 1953, 307-317: the value of a player is
his marginal contribution, averaged over all orders in which the players may come in. Sampled: J. Castro, D. Gómez, J. Tejada,
Polynomial calculation of the Shapley value based on sampling, Computers & Operations Research 36, 2009, 1726-1730.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from itertools import combinations
from math import comb, lcm, sqrt
from random import Random
from statistics import fmean, variance

from friendshore.domain.plan import PlanStatus
from friendshore.explain.pieces import Piece
from friendshore.session import PartPlan, Session
from friendshore.verify import bearing

from .items import Coalition, Coalitions
from .records import Method

Weights = dict[Coalition, Fraction]
"""What the value of each coalition counts for in a player's part."""
NORMAL = 1.96
"""Standard deviations of the mean on both sides that hold 95 % of a normal distribution."""


def exact_weights(players: Sequence[int]) -> dict[int, Weights]:
    """Shapley value of each player as weights of coalition values: `1 / (n * C(n-1, s))` with the player, minus that without."""
    found: dict[int, Weights] = {}
    for player in players:
        others, weights = [p for p in players if p != player], {}
        for size in range(len(players)):
            share = Fraction(1, len(players) * comb(len(players) - 1, size))
            for some in combinations(others, size):
                weights[frozenset({*some, player})] = share
                weights[frozenset(some)] = -share
        found[player] = weights
    return found


def mean_weights(orders: Sequence[Sequence[int]]) -> dict[int, Weights]:
    """Marginal value of each player, averaged over some orders, as weights of coalition values. They add up in any case."""
    found: dict[int, Weights] = {player: {} for player in orders[0]}
    share = Fraction(1, len(orders))
    for order in orders:
        for position, player in enumerate(order):
            before, after = frozenset(order[:position]), frozenset(order[: position + 1])
            weights = found[player]
            weights[after] = weights.get(after, Fraction(0)) + share
            weights[before] = weights.get(before, Fraction(0)) - share
    return found


def sampled_orders(players: Sequence[int], count: int, seed: int) -> list[list[int]]:
    """Orders drawn at random, the same for the same seed."""
    dice = Random(seed)  # noqa: S311 - no secret: the same every time
    return [dice.sample(list(players), len(players)) for _ in range(count)]


def half_width(orders: Sequence[Sequence[int]], player: int, value: Callable[[Coalition], float]) -> float:
    """Half of the 95 % confidence interval of a sampled Shapley value, by the normal approximation."""
    seen = []
    for order in orders:
        position = order.index(player)
        seen.append(value(frozenset(order[: position + 1])) - value(frozenset(order[:position])))
    return NORMAL * sqrt(variance(seen, fmean(seen)) / len(seen)) if len(seen) > 1 else float("inf")


def in_units(total: int, parts: Sequence[Fraction]) -> list[int]:
    """Whole units for every part, as near to it as can be, that add up to `total` exactly: the largest remainders get one more.

    What is nothing stays nothing, unless nothing else is there to take what is over.
    """
    found = [part.numerator // part.denominator for part in parts]
    left = total - sum(found)
    able = [i for i, part in enumerate(parts) if part] or list(range(len(parts)))
    able.sort(key=lambda i: (found[i] - parts[i], i))
    step = 1 if left > 0 else -1
    for turn in range(abs(left)):
        found[(able if left > 0 else able[::-1])[turn % len(able)]] += step
    return found


@dataclass(frozen=True, slots=True)
class Value:
    """What a coalition costs one piece."""

    lines: tuple[Fraction, ...]
    """Present value spent, penalties, shortage, cash, then kilograms short of each demanded material of the case."""
    slack: Decimal
    """By how much the bound may lie lower."""
    proved: bool
    conflict: tuple[str, ...]

    @property
    def amount(self) -> Fraction:
        return sum(self.lines[:3], Fraction(0))


def total(values: Sequence[Value]) -> Value:
    """Return what a coalition costs several pieces together."""
    return Value(
        tuple(sum(lines, Fraction(0)) for lines in zip(*(value.lines for value in values), strict=True)),
        sum((value.slack for value in values), Decimal(0)),
        all(value.proved for value in values),
        tuple(name for value in values for name in value.conflict),
    )


class Split:
    """One piece, its players, and how its total is split over them."""

    def __init__(self, lattice: Coalitions, piece: Piece) -> None:
        self.lattice, self.piece = lattice, piece
        self.players = lattice.players(piece)
        self.none: Coalition = frozenset()
        self.whole: Coalition = frozenset(self.players)
        self.weights: dict[int, Weights] = {}
        self.orders: list[list[int]] = []
        self.method = Method.EXACT
        self._known: dict[Coalition, Value] = {}
        self._first: dict[tuple[Coalition, int], Coalition] = {}
        """By what tells coalitions that make the same case, the first that was planned."""
        self._untouched: dict[Coalition, frozenset[int]] = {}
        """By coalition whose plan is known, the rules outside it that would leave its plan as lawful and as dear as it is."""
        apart = lattice.apart(piece) if len(self.players) > 1 else None
        self._link: int | None = None
        """The limit rule that alone joins what else were several pieces; None if there is none."""
        self._pieces: tuple[Split, ...] = ()
        """These pieces. A coalition without the rule costs what it costs each of them, and few of its rules bear on the same one."""
        if apart is not None and apart[0] in self.players:
            self._link, finer, pieces = apart
            self._pieces = tuple(Split(finer, each) for each in pieces)

    def choose(self, in_order: bool, exact_up_to: int, samples: int, seed: int) -> None:
        """Fixes which coalitions count for what."""
        if in_order:
            self.method, self.orders = Method.ORDER, [self.players]
        elif len(self.players) > exact_up_to:
            self.method, self.orders = Method.SAMPLED, sampled_orders(self.players, samples, seed)
        self.weights = mean_weights(self.orders) if self.orders else exact_weights(self.players)

    @property
    def questions(self) -> int:
        """How many plans were asked for."""
        return len(self._known)

    @property
    def needed(self) -> list[Coalition]:
        """Every coalition that is asked about, in an order that does not depend on chance."""
        alone = [frozenset({i}) for i in self.players] + [self.whole - {i} for i in self.players]
        found = {c for weights in self.weights.values() for c in weights} | {self.none, self.whole, *alone}
        found = {self.lattice.least(self.piece, coalition) for coalition in found}
        return sorted(found, key=lambda coalition: (len(coalition), sorted(coalition)))

    def value(self, coalition: Coalition) -> Value:
        """What the piece costs with some of the items on."""
        coalition = self.lattice.least(self.piece, coalition)
        if coalition not in self._known:
            self._known[coalition] = self._found(coalition)
        return self._known[coalition]

    def _found(self, coalition: Coalition) -> Value:
        if self._link is not None and self._link not in coalition:
            return total([each.value(coalition.intersection(each.players)) for each in self._pieces])
        return self._implied(coalition) or self._alike(coalition) or self._planned(coalition)

    def _planned(self, coalition: Coalition) -> Value:
        plan = self.lattice.pieces.plan(self.piece, self.lattice.changes(self.piece, coalition))
        value = value_of(plan, demanded(self.lattice.pieces.session))
        rules = self.lattice.restricting(self.piece, coalition)
        restricting = {i: rules[i] for i in self.players if i in rules and i not in coalition}
        if restricting and value.proved and not value.conflict:
            against = bearing(plan.verified, list(restricting.values()))
            self._untouched[coalition] = frozenset(i for i, rule in restricting.items() if rule.id not in against)
            told = self.lattice.told_by_what_is_forbidden(self.piece, coalition)
            if told is not None:
                self._first.setdefault(told, coalition)
        return value

    def _alike(self, coalition: Coalition) -> Value | None:
        """What another coalition costs whose rules forbid the same between them: its plan is the cheapest here as well, if verification
        has found that none of the rules that are on here alone bears on it.
        """
        told = self.lattice.told_by_what_is_forbidden(self.piece, coalition)
        other = self._first.get(told) if told is not None else None
        if other is None or not coalition - other <= self._untouched[other]:
            return None
        self._untouched[coalition] = (self._untouched[other] | other) - coalition
        return self._known[other]

    def _implied(self, coalition: Coalition) -> Value | None:
        """What a smaller coalition costs, if all that comes on top is rules that find against nothing in its plan, and charge nothing
        on it. Rules that forbid and charge take plans away and make them dearer: the cheapest plan that stays is the cheapest still.
        """
        smaller = (c for c, rules in self._untouched.items() if c < coalition and coalition - c <= rules)
        return next((self._known[c] for c in smaller), None)

    def amount(self, coalition: Coalition) -> float:
        """What the piece costs with some of the items on, as a float: for how far an estimate may be off."""
        return float(self.value(coalition).amount)

    @cached_property
    def conflict(self) -> tuple[str, ...]:
        """Rules that conflict in some coalition that counts: the piece then has no cost, and is not split."""
        counting = {c for weights in self.weights.values() for c in weights} | {self.none, self.whole}
        return tuple(sorted({name for c in counting for name in self.value(c).conflict}))

    def part(self, player: int) -> list[Fraction]:
        """A player's part of every line."""
        weights = self.weights[player]
        values = [(weight, self.value(c).lines) for c, weight in weights.items() if weight]
        return [_products([(w, lines[at]) for w, lines in values if lines[at]]) for at in range(len(values[0][1]))]

    def rise(self) -> list[Fraction]:
        """What all items together add to every line."""
        return [a - b for a, b in zip(self.value(self.whole).lines, self.value(self.none).lines, strict=True)]

    def weighed(self, weights: Mapping[Coalition, Fraction]) -> tuple[Fraction, Fraction, Fraction] | None:
        """A weighed sum of the values of coalitions: as found, at least and at most; None where rules conflict."""
        values = [(weight, self.value(c)) for c, weight in weights.items() if weight]
        if any(value.conflict for _, value in values):
            return None
        found = sum((w * v.amount for w, v in values), Fraction(0))
        low = sum((w * Fraction(v.slack) for w, v in values if w > 0), Fraction(0))
        high = sum((-w * Fraction(v.slack) for w, v in values if w < 0), Fraction(0))
        return found, found - low, found + high

    @property
    def proved(self) -> bool:
        """Whether every plan asked about is proved cheapest."""
        return all(value.proved for value in self._known.values())


def _products(pairs: Sequence[tuple[Fraction, Fraction]]) -> Fraction:
    """The sum of the products of pairs, in whole numbers over one denominator: it is reduced once, not after each."""
    over = lcm(*(weight.denominator for weight, _ in pairs))
    under = lcm(*(line.denominator for _, line in pairs))
    whole = (w.numerator * (over // w.denominator) * line.numerator * (under // line.denominator) for w, line in pairs)
    return Fraction(sum(whole), over * under)


def demanded(session: Session) -> tuple[str, ...]:
    """Every demanded material of a case, in order."""
    return tuple(sorted({demand.use.material.id for demand in session.problem.demands}))


def value_of(part: PartPlan, materials: Sequence[str]) -> Value:
    """What a plan comes to, line by line; kilograms of different materials are never added up."""
    plan, cost = part.plan, part.verified.cost
    of = {demand.id: demand.use.material.id for demand in part.verified.problem.demands}
    short = dict.fromkeys(materials, Decimal(0))
    for one in plan.shorts:
        short[of[one.demand]] += one.quantity
    return Value(
        tuple(Fraction(line) for line in (cost.total, cost.penalties, cost.shortage, cost.nominal, *short.values())),
        max(Decimal(0), plan.objective - plan.bound),
        plan.status is PlanStatus.OPTIMAL,
        tuple(name for one in plan.infeasible for name in one.rules),
    )
