"""What is minimised of a cost that nobody knows beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from friendshore.program.matrix import Floats


@dataclass(frozen=True, slots=True)
class RiskMeasure:
    """A mix of the expected cost and of the mean of the worst."""

    weight: float = 0.0
    """Of CVaR; the rest is that of the expected cost. 0: the expected cost alone; 1: CVaR alone, and of plans alike in it the one with the least
    expected cost."""
    alpha: float = 0.9
    """CVaR is the mean of the worst `1 - alpha` of cases: of the worst tenth at 0.9."""

    def of(self, costs: Floats, probabilities: Floats) -> float:
        """What a cost comes to that takes these values with these probabilities."""
        expected = float(probabilities @ costs)
        if not self.weight:
            return expected
        return (1 - self.weight) * expected + self.weight * cvar_of(costs, probabilities, self.alpha)


def cvar_of(costs: Sequence[float] | Floats, probabilities: Sequence[float] | Floats, alpha: float) -> float:
    """The mean of the worst `1 - alpha` of a cost that takes some values with some probabilities.

    Where the worst values together are more probable than that, the least of them counts for what is left.
    """
    values, chances = np.asarray(costs, dtype=float), np.asarray(probabilities, dtype=float)
    shares = worst_shares(values, chances, alpha)
    counted = shares > 0
    return float(shares[counted] @ values[counted])


def worst_shares(costs: Floats, probabilities: Floats, alpha: float) -> Floats:
    """What share of the worst `1 - alpha` each value is: CVaR is the mean of the costs with these weights."""
    found = np.zeros(len(costs))
    left = 1.0 - alpha
    for number in np.argsort(-costs, kind="stable").tolist():
        chance = float(probabilities[number])
        if chance > 0:
            found[number] = min(left, chance) if left > 0 else chance
            left -= chance
            if left <= 0:
                break
    shares: Floats = found / found.sum()
    return shares
