"""Ranked objectives by brute force: the whole enumeration once for each level, what the levels before it came to held by a row."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from friendshore.domain.case import Case, Level
from friendshore.domain.facts import Catalog
from friendshore.rules.base import Rule
from friendshore.rules.kinds.limits import MaxShare

from .limits import may_be
from .oracle import Oracle
from .patterns import Bound, Column, Enumeration
from .world import World

SLACKS = (1e-9, 1e-7, 1e-6)
"""What a level may be missed by, as a share of what it came to or of one: as little as leaves the solver any plan."""


def least_of_each(case: Case, catalogs: Sequence[Catalog], rules: Sequence[Rule]) -> list[float]:
    """What each level comes to, cost last; nothing if no plan keeps the rules."""
    return _Ranks(World(case, catalogs, rules)).solve_in_turn()


class _Ranks(Oracle):
    """The columns and rows of the oracle, and the columns and rows that levels need."""

    def solve_in_turn(self) -> list[float]:
        """Level by level."""
        choices, counts, bounds = self.laid_out()
        assert all(count.penalty == math.inf for count in counts), "a missed number is priced outside of the columns"
        levels = [*self.world.case.objectives, Level(minimize="cost")]
        largest = [list(self._largest(rank, level, bounds)) for rank, level in enumerate(levels)]
        columns = [*self.columns, *(column for found in largest for column in found)]
        costs = [
            [self._adds(level, c, set(map(id, found))) for c in columns]
            for level, found in zip(levels, largest, strict=True)
        ]
        columns = [
            replace(c, amounts={**c.amounts, **{("level", i): cost[j] for i, cost in enumerate(costs)}})
            for j, c in enumerate(columns)
        ]
        found: list[float] = []
        for rank in range(len(levels)):
            step = [replace(c, cost=c.amounts["level", rank]) for c in columns]
            for slack in SLACKS:
                kept = [
                    Bound({("level", i): 1.0}, at_most=v * (1 + float(levels[i].within)) + slack * max(1.0, abs(v)))
                    for i, v in enumerate(found)
                ]
                answer = Enumeration(step, [*bounds, *kept]).optimum(choices, counts)
                if not math.isinf(answer.objective):
                    break
            else:
                return []
            found.append(answer.objective)
        return found

    def _adds(self, level: Level, column: Column, largest: set[int]) -> float:
        """What one of a column adds to a level."""
        short = next((amount for amount in column.amounts if amount[0] == "short"), None)
        missed = any(amount[0] == "miss" for amount in column.amounts)
        if level.minimize == "concentration":
            return float(id(column) in largest)
        if level.minimize == "cost":
            return column.cost
        if level.minimize == "spend":
            return 0.0 if short or missed else column.cost
        return column.cost if short and self._is_of(short[1], level.of) else 0.0

    def _is_of(self, demand: str, names: tuple[str, ...]) -> bool:
        spec = self.world.demands[demand]
        return not names or bool({demand, spec.end_use, spec.material} & set(names))

    def _largest(self, rank: int, level: Level, bounds: list[Bound]) -> Iterator[Column]:
        """One column for every group and stretch, no less than what may come from anyone; its rows are added to `bounds`."""
        if level.minimize != "concentration":
            return
        known = {name for name in level.of if name in self.world.materials}
        given: dict[str, Any] = {"materials": sorted(known), "elements": sorted(set(level.of) - known)}
        rule = MaxShare(id="largest", share=Decimal(1), by=level.by, stage=level.stage, per=level.per, **given)
        for group in self.reader.groups(rule):
            for periods in self.world.stretches(level.per, range(self.world.count)):
                key = ("largest", rank, group, tuple(periods))
                for name in self.reader.capped(rule, group):
                    found = self.reader.bought(rule, group, periods, "", may_be({name}))
                    bounds.append(Bound({**found, key: -1.0}, at_most=0.0))
                yield Column(0.0, {key: 1.0})
