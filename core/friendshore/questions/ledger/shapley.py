"""Who bears how much of a total: marginal values in an order, Shapley values, and amounts that add up to the cent.

L. S. Shapley, A value for n-person games, in: Contributions to the Theory of Games II, 1953, 307-317: the value of a player is
his marginal contribution, averaged over all orders in which the players may come in. Sampled: J. Castro, D. Gómez, J. Tejada,
Polynomial calculation of the Shapley value based on sampling, Computers & Operations Research 36, 2009, 1726-1730.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import combinations
from math import comb, sqrt
from random import Random
from statistics import fmean, variance

Coalition = frozenset[int]
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
