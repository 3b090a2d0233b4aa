"""Price schedules: what is taken off list prices by the tier that a span ends in.

The multiple-choice formulation: what is bought is split over the tiers, all of it in the one that is reached, so that the
linear relaxation is the lower convex envelope of the cost (Croxton, Gendron and Magnanti, Management Science 49, 2003). Where
every tier takes off as much of a unit whatever offer and period it is of, one column a tier does; else a discount on all units
has a column for every offer, period and tier. Rising incremental prices are convex and need no binary variable at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ...problem.trade import PriceSpan
from ..draft import ProgramDraft

Cell = tuple[int, int]
"""Offer and order period."""


@dataclass(frozen=True, slots=True)
class _Segment:
    """A tier as a stretch of the cost: between two amounts, so much is taken off at once and off each unit of the amount."""

    tier: int
    low: float
    high: float
    rates: dict[Cell, float]
    """Money taken off one unit of what is measured; of one cell, or of all (the one key is `ALL`)."""
    at_once: float


_SEEN = 2e-7
"""Share of a threshold that every solver tells apart: twice the loosest tolerance that one is asked for (`solve.engines`)."""
ALL: Cell = (-1, -1)


def add_price_spans(draft: ProgramDraft) -> None:
    """The columns and rows of every price schedule, span by span."""
    for number, span in enumerate(draft.problem.price_spans):
        cells = {(o, t): draft.units[o, t] for o in span.offers for t in span.periods if draft.units.get((o, t))}
        measured = _Span(draft, number, span, cells)
        if measured.weights:
            measured.add()


class _Span:
    def __init__(self, draft: ProgramDraft, number: int, span: PriceSpan, cells: dict[Cell, list[int]]) -> None:
        self.draft, self.number, self.span = draft, number, span
        offers = draft.problem.offers
        self.list_price = {cell: offers[cell[0]].price[cell[1]] for cell in cells}
        weights = {cell: float(span.weight(price)) for cell, price in self.list_price.items()}
        self.weights = {cell: weight for cell, weight in weights.items() if weight}
        self.columns = {cell: cells[cell] for cell in self.weights}
        self.most = {cell: draft.bounds.units[cell] * weight for cell, weight in self.weights.items()}
        self.discount = float(draft.discount[span.settled])
        self.owner = f"price schedule of {span}"

    def add(self) -> None:
        rates = self._rates()
        if rates is None:
            self._give_back_list_money()
            rates = [{ALL: -float(tier.price or 0)} for tier in self.span.tiers]
        segments = self._segments(rates)
        kept = [segment for segment in segments if segment.low <= sum(self.most.values())]
        self.draft.columns.priced[self.number] = {
            column: self.span.weight(self.list_price[cell]) for cell, found in self.columns.items() for column in found
        }
        ends = any(self.span.tiers[segment.tier].most is not None for segment in kept)
        if not ends and not any(segment.at_once or any(segment.rates.values()) for segment in kept):
            return  # no tier within reach takes off or adds anything, or ends
        if self._falling(kept):
            self._fill(kept)
        else:
            self._choose(kept)

    def _rates(self) -> list[dict[Cell, float]] | None:
        """What each tier takes off one unit of what is measured; None where tiers give prices, and list prices differ.

        One rate for all, if there is one; else, if the tier reached bears on all units, one a cell.
        """
        span = self.span
        if span.by_money:
            return [{ALL: float(tier.discount or 0)} for tier in span.tiers]
        prices = set(self.list_price.values())
        if len(prices) == 1:
            (price,) = prices
            return [{ALL: float(span.rate(tier, price))} for tier in span.tiers]
        if all(tier.price is not None for tier in span.tiers):
            return None
        return [{cell: float(span.rate(tier, price)) for cell, price in self.list_price.items()} for tier in span.tiers]

    def _give_back_list_money(self) -> None:
        """A column for what was paid at list prices, all of which is given back: the tiers' prices are paid in its place."""
        most = sum(float(price) * self.draft.bounds.units[cell] for cell, price in self.list_price.items())
        column = self._column(1.0, most)
        self.draft.columns.list_money[self.number] = column
        row = self.draft.assembly.add_rows(1, 0.0, 0.0, self.owner)
        for cell, price in self.list_price.items():
            self.draft.assembly.add_entries(row, self.columns[cell], float(price))
        self.draft.assembly.add_entries(row, column, -1.0)

    def _segments(self, rates: list[dict[Cell, float]]) -> list[_Segment]:
        """The tiers as stretches, each up to where it ends or the next begins."""
        span, segments = self.span, []
        least = [float(tier.least) for tier in span.tiers]
        within = 0.0
        for k, tier in enumerate(span.tiers):
            at_once = -float(tier.lump)
            if not span.all_units:
                rate = rates[k][ALL]
                at_once += within - rate * least[k]
                within += rate * (least[k + 1] - least[k]) if k + 1 < len(least) else 0.0
            high = float(sum(self.most.values()))
            if k + 1 < len(least):
                apart = 0.0
                if self._dearer(k, rates):
                    self.draft.columns.below_dearer.add((self.number, k))
                    apart = self._apart(least[k + 1])
                high = max(0.0, min(high, least[k + 1] - apart))
            if tier.most is not None:
                high = min(high, float(tier.most))
            segments.append(_Segment(k, least[k], high, rates[k], at_once))
        return segments

    def _dearer(self, k: int, rates: list[dict[Cell, float]]) -> bool:
        """Whether the tier after the `k`th is dearer where it begins, so that a plan would rather count as below it."""
        tiers = self.span.tiers
        worse = self.span.all_units and any(rates[k + 1][cell] < rates[k][cell] for cell in rates[k])
        return worse or tiers[k + 1].lump > tiers[k].lump

    def _apart(self, least: float) -> float:
        """How far below a dearer tier a plan stays: each order is rounded by less than a step, and must not round into it.

        Nor may a solver, whose tolerances are shares of what is usual in a row, take both sides of the threshold for one.
        """
        pieces = sum(weight * len(self.columns[cell]) for cell, weight in self.weights.items())
        return max(float(self.draft.problem.case.resolution) * pieces, _SEEN * least)

    def _falling(self, segments: list[_Segment]) -> bool:
        """Whether each unit more takes off no more than the one before, nothing is due at once and nothing left out: the cost is convex."""
        rates = [segment.rates.get(ALL, 0.0) for segment in segments]
        lumps = any(self.span.tiers[segment.tier].lump for segment in segments)
        separate = len(segments) > 1 and (self.span.all_units or ALL not in segments[0].rates)
        gaps = any(one.high < above.low for one, above in pairwise(segments))
        return not lumps and not separate and not gaps and all(later <= rate for rate, later in pairwise(rates))

    def _fill(self, segments: list[_Segment]) -> None:
        """Tiers filled one after the other, which a plan does of itself."""
        if ALL not in segments[0].rates:
            self._choose(segments)
            return
        row = self._all_is_split()
        for segment in segments:
            column = self._column(segment.rates[ALL], segment.high - segment.low)
            self.draft.columns.tier[self.number, segment.tier, -1, -1] = column
            self.draft.assembly.add_entries(row, column, -1.0)

    def _choose(self, segments: list[_Segment]) -> None:
        """All that is bought lies in the one tier that is reached."""
        assembly, columns = self.draft.assembly, self.draft.columns
        shared = ALL in segments[0].rates
        rows = {ALL: self._all_is_split()} if shared else {cell: self._cell_is_split(cell) for cell in self.weights}
        switches = self._switches(segments)
        for segment in segments:
            parts: dict[Cell, int] = {}
            for cell, row in rows.items():
                weight = 1.0 if shared else self.weights[cell]
                most = segment.high if shared else min(segment.high / weight, self.most[cell] / weight)
                parts[cell] = self._column(segment.rates[cell], most)
                columns.tier[self.number, segment.tier, *cell] = parts[cell]
                assembly.add_entries(row, parts[cell], -1.0)
            self._link(segment, parts, switches)

    def _switches(self, segments: list[_Segment]) -> dict[int, int]:
        """A binary variable for each tier; a first tier that nothing is due in at once needs none: it is where no other is reached."""
        switches = {}
        for segment in segments:
            if segment.tier or segment.at_once:
                column = self._column(segment.at_once, 1.0, integer=True)
                self.draft.columns.tier_reached[self.number, segment.tier] = column
                switches[segment.tier] = column
        if len(switches) > 1:
            self.draft.at_most(switches.values(), 1.0, 1.0, self.owner)
        return switches

    def _link(self, segment: _Segment, parts: dict[Cell, int], switches: dict[int, int]) -> None:
        """Something lies in a tier only if it is reached, and then no less than where it begins and no more than where it ends."""
        weights = [1.0 if cell == ALL else self.weights[cell] for cell in parts]
        self._only_if(segment, list(parts.values()), weights, segment.high, switches)
        if segment.low:
            row = self.draft.assembly.add_rows(1, 0.0, np.inf, self.owner)
            self.draft.assembly.add_entries(row, list(parts.values()), weights)
            self.draft.assembly.add_entries(row, switches[segment.tier], -segment.low)
        for cell, column in parts.items():
            if cell != ALL and self.most[cell] < segment.high:
                self._only_if(segment, [column], [self.weights[cell]], self.most[cell], switches)

    def _only_if(
        self, segment: _Segment, parts: list[int], weights: list[float], most: float, switches: dict[int, int]
    ) -> None:
        assembly = self.draft.assembly
        if segment.tier in switches:
            row = assembly.add_rows(1, -np.inf, 0.0, self.owner)
            assembly.add_entries(row, switches[segment.tier], -most)
        else:
            row = assembly.add_rows(1, -np.inf, most, self.owner)
            assembly.add_entries(row, list(switches.values()), most)
        assembly.add_entries(row, parts, weights)

    def _all_is_split(self) -> int:
        row = self.draft.assembly.add_rows(1, 0.0, 0.0, self.owner)
        for cell, weight in self.weights.items():
            self.draft.assembly.add_entries(row, self.columns[cell], weight)
        return row

    def _cell_is_split(self, cell: Cell) -> int:
        row = self.draft.assembly.add_rows(1, 0.0, 0.0, self.owner)
        self.draft.assembly.add_entries(row, self.columns[cell], 1.0)
        return row

    def _column(self, off: float, upper: float, *, integer: bool = False) -> int:
        """A column that takes off so much money a unit, in the period of settlement."""
        column = self.draft.assembly.add_columns(1, 0.0 - off * self.discount, upper, integer=integer)
        self.draft.columns.settled.setdefault(self.number, []).append((column, off))
        return column
