"""Rows for all orders of an offer, whatever their place and compliance class: capacity, limits, and binary decisions.

Terms of trade are a fixed charge with variable bounds. Their binary variable is linked to each offer and period by a row of its own, which is tighter
than one row for all (Padberg, Van Roy and Wolsey, Operations Research 33, 1985).

Price schedules subtract a discount from list prices. They use the multiple-choice formulation, whose linear relaxation is the lower convex envelope
of the cost (Croxton, Gendron and Magnanti, Management Science 49, 2003). Discounts that never rise are convex and need no binary variable.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

import numpy as np

from ..problem.decimal_arrays import as_floats, table
from ..problem.trade import PriceSpan
from .bounds import lots_in
from .draft import ProgramDraft
from .matrix import Ints, joined

Cell = tuple[int, int]  # offer, order period


@dataclass(frozen=True, slots=True)
class _Segment:
    """Tier as a segment of the cost, with a lump-sum discount and a discount per unit."""

    tier: int
    low: float
    high: float
    rates: dict[Cell, float]
    """Discount per measured unit, by cell or for all (the one key is `ALL`)."""
    lump: float


# Share of a threshold that every solver can resolve: twice the loosest tolerance in use (`solve.engines`).
_RESOLVABLE = 2e-7
ALL: Cell = (-1, -1)


def add_price_spans(draft: ProgramDraft) -> None:
    for number, span in enumerate(draft.problem.price_spans):
        cells = {(o, t): draft.units[o, t] for o in span.offers for t in span.periods if draft.units.get((o, t))}
        rows = _PriceSpanRows(draft, number, span, cells)
        if rows.weights:
            rows.add()


class _PriceSpanRows:
    def __init__(self, draft: ProgramDraft, number: int, span: PriceSpan, cells: dict[Cell, list[int]]) -> None:
        self.draft, self.number, self.span = draft, number, span
        offers = draft.problem.offers
        self.list_price = {cell: offers[cell[0]].price[cell[1]] for cell in cells}
        weights = {cell: float(span.weight(price)) for cell, price in self.list_price.items()}
        self.weights = {cell: weight for cell, weight in weights.items() if weight}
        self.columns = {cell: cells[cell] for cell in self.weights}
        self.max_units = {cell: draft.bounds.units[cell] * weight for cell, weight in self.weights.items()}
        self.discount = float(draft.discount[span.settlement_period])
        self.owner = f"price schedule of {span}"

    def add(self) -> None:
        rates = self._rates()
        if rates is None:
            self._refund_list_money()
            rates = [{ALL: -float(tier.price or 0)} for tier in self.span.tiers]
        segments = self._segments(rates)
        reachable = [segment for segment in segments if segment.low <= sum(self.max_units.values())]
        self.draft.columns.priced[self.number] = {
            column: self.span.weight(self.list_price[cell])
            for cell, columns in self.columns.items()
            for column in columns
        }
        has_maximum = any(self.span.tiers[segment.tier].most is not None for segment in reachable)
        if not has_maximum and not any(segment.lump or any(segment.rates.values()) for segment in reachable):
            return  # no reachable tier changes the cost or has a maximum
        if self._is_convex(reachable):
            self._add_filled_tiers(reachable)
        else:
            self._add_chosen_tier(reachable)

    def _rates(self) -> list[dict[Cell, float]] | None:
        """Return the discount of each tier per measured unit, by cell if cells differ. None if tiers state prices and list prices differ."""
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

    def _refund_list_money(self) -> None:
        """Add a column that refunds all money at list prices. The prices of the tiers replace it."""
        max_money = sum(float(price) * self.draft.bounds.units[cell] for cell, price in self.list_price.items())
        column = self._add_column(1.0, max_money)
        self.draft.columns.list_money[self.number] = column
        paid_columns = ((self.columns[cell], float(price)) for cell, price in self.list_price.items())
        self.draft.assembly.add_row(0.0, 0.0, self.owner, *paid_columns, (column, -1.0))

    def _segments(self, rates: list[dict[Cell, float]]) -> list[_Segment]:
        span, segments = self.span, []
        starts = [float(tier.least) for tier in span.tiers]
        earlier_discounts = 0.0
        for k, tier in enumerate(span.tiers):
            lump = -float(tier.lump)
            if not span.all_units:
                rate = rates[k][ALL]
                lump += earlier_discounts - rate * starts[k]
                earlier_discounts += rate * (starts[k + 1] - starts[k]) if k + 1 < len(starts) else 0.0
            high = float(sum(self.max_units.values()))
            if k + 1 < len(starts):
                distance = 0.0
                if self._next_is_more_expensive(k, rates):
                    self.draft.columns.below_costlier_tier.add((self.number, k))
                    distance = self._distance_below(starts[k + 1])
                high = max(0.0, min(high, starts[k + 1] - distance))
            if tier.most is not None:
                high = min(high, float(tier.most))
            segments.append(_Segment(k, starts[k], high, rates[k], lump))
        return segments

    def _next_is_more_expensive(self, k: int, rates: list[dict[Cell, float]]) -> bool:
        tiers = self.span.tiers
        has_lower_discount = self.span.all_units and any(rates[k + 1][cell] < rates[k][cell] for cell in rates[k])
        return has_lower_discount or tiers[k + 1].lump > tiers[k].lump

    def _distance_below(self, threshold: float) -> float:
        """Return the distance that a plan keeps below a more expensive tier. Neither rounding nor a solver's tolerance may reach the tier."""
        max_steps = sum(weight * len(self.columns[cell]) for cell, weight in self.weights.items())
        return max(float(self.draft.problem.case.resolution) * max_steps, _RESOLVABLE * threshold)

    def _is_convex(self, segments: list[_Segment]) -> bool:
        rates = [segment.rates.get(ALL, 0.0) for segment in segments]
        has_lump_sum = any(self.span.tiers[segment.tier].lump for segment in segments)
        is_separate = len(segments) > 1 and (self.span.all_units or ALL not in segments[0].rates)
        has_gaps = any(segment.high < next_segment.low for segment, next_segment in pairwise(segments))
        return (
            not has_lump_sum
            and not is_separate
            and not has_gaps
            and all(later <= rate for rate, later in pairwise(rates))
        )

    def _add_filled_tiers(self, segments: list[_Segment]) -> None:
        if ALL not in segments[0].rates:
            self._add_chosen_tier(segments)
            return
        row = self._add_total_row()
        for segment in segments:
            column = self._add_column(segment.rates[ALL], segment.high - segment.low)
            self.draft.columns.tier[self.number, segment.tier, -1, -1] = column
            self.draft.assembly.add_entries(row, column, -1.0)

    def _add_chosen_tier(self, segments: list[_Segment]) -> None:
        assembly, columns = self.draft.assembly, self.draft.columns
        is_shared = ALL in segments[0].rates
        rows = (
            {ALL: self._add_total_row()}
            if is_shared
            else {c: assembly.add_row(0.0, 0.0, self.owner, (self.columns[c], 1.0)) for c in self.weights}
        )
        switches = self._add_switches(segments)
        for segment in segments:
            parts: dict[Cell, int] = {}
            for cell, row in rows.items():
                weight = 1.0 if is_shared else self.weights[cell]
                upper = segment.high if is_shared else min(segment.high / weight, self.max_units[cell] / weight)
                parts[cell] = self._add_column(segment.rates[cell], upper)
                columns.tier[self.number, segment.tier, *cell] = parts[cell]
                assembly.add_entries(row, parts[cell], -1.0)
            self._add_links(segment, parts, switches)

    def _add_switches(self, segments: list[_Segment]) -> dict[int, int]:
        """Add a binary variable for each tier, except for a first tier without a lump sum. That one applies if no other is reached."""
        switches = {}
        for segment in segments:
            if segment.tier or segment.lump:
                column = self._add_column(segment.lump, 1.0, integer=True)
                self.draft.columns.tier_reached[self.number, segment.tier] = column
                switches[segment.tier] = column
        if len(switches) > 1:
            self.draft.at_most(switches.values(), 1.0, 1.0, self.owner)
        return switches

    def _add_links(self, segment: _Segment, parts: dict[Cell, int], switches: dict[int, int]) -> None:
        weights = [1.0 if cell == ALL else self.weights[cell] for cell in parts]
        self._limit_if_reached(segment, list(parts.values()), weights, segment.high, switches)
        if segment.low:
            start = switches[segment.tier], -segment.low
            self.draft.assembly.add_row(0.0, np.inf, self.owner, (list(parts.values()), weights), start)
        for cell, column in parts.items():
            if cell != ALL and self.max_units[cell] < segment.high:
                self._limit_if_reached(segment, [column], [self.weights[cell]], self.max_units[cell], switches)

    def _limit_if_reached(
        self, segment: _Segment, columns: list[int], weights: list[float], limit: float, switches: dict[int, int]
    ) -> None:
        assembly = self.draft.assembly
        if segment.tier in switches:
            assembly.add_row(-np.inf, 0.0, self.owner, (switches[segment.tier], -limit), (columns, weights))
        else:
            assembly.add_row(-np.inf, limit, self.owner, (list(switches.values()), limit), (columns, weights))

    def _add_total_row(self) -> int:
        purchases = ((self.columns[cell], weight) for cell, weight in self.weights.items())
        return self.draft.assembly.add_row(0.0, 0.0, self.owner, *purchases)

    def _add_column(self, saving: float, upper: float, *, integer: bool = False) -> int:
        """Add a column that saves `saving` per unit, in the period of settlement."""
        column = self.draft.assembly.add_columns(1, 0.0 - saving * self.discount, upper, integer=integer)
        self.draft.columns.savings.setdefault(self.number, []).append((column, saving))
        return column


def add_term_spans(draft: ProgramDraft) -> None:
    for number, span in enumerate(draft.problem.term_spans):
        terms, owner = span.terms, f"terms of {span}"
        _, ordered, _ = draft.ordering(span.offers, span.periods, terms.places)
        if not len(ordered):
            continue
        switch = None
        if terms.switches:
            cost = float(span.fixed) * draft.discount[span.due_period]
            switch = draft.switch(span.offers, span.periods, owner, cost, terms.places)
            assert switch is not None
            draft.columns.placed[number] = switch
        if terms.least and switch is not None:
            draft.assembly.add_row(0.0, np.inf, owner, (ordered, 1.0), (switch, -float(terms.least)))
        if terms.most is not None:
            max_units = float(terms.most)
            switch_entries = [] if switch is None else [(switch, -max_units)]
            draft.assembly.add_row(
                -np.inf, 0.0 if switch_entries else max_units, owner, (ordered, 1.0), *switch_entries
            )


def add_pools(draft: ProgramDraft) -> None:
    """Limit the use of each facility's capacity in a period, including set-ups."""
    problem, units, count = draft.problem, draft.units, draft.count
    pools = problem.pools
    members = [offer for pool in pools for offer in pool.offers]
    capacity_use = as_floats([problem.offers[offer].offer.capacity_use for offer in members])
    pool = np.repeat(np.arange(len(pools)), [len(pool.offers) for pool in pools])
    periods = np.arange(count)
    cells = (np.array(members, dtype=np.intp)[:, None] * count + periods).ravel()
    groups = (pool[:, None] * count + periods).ravel()
    columns, entry = units.of(cells)
    setups = [
        (pool * count + span.periods[0], draft.columns.placed[number], float(span.terms.setup_use or 0))
        for number, span in enumerate(problem.term_spans)
        for pool in span.pools
        if number in draft.columns.placed
    ]
    owners = [f"capacity of {pool.facility}" for pool in pools]
    draft.all_at_most(
        np.concatenate([groups[entry], np.array([group for group, _, _ in setups], dtype=np.intp)]),
        joined([columns, np.array([column for _, column, _ in setups], dtype=np.intp)]),
        np.concatenate([np.repeat(capacity_use, count)[entry], [setup_use for _, _, setup_use in setups]]),
        problem.capacity.ravel(),
        lambda group: owners[group // count],
    )


def add_limits(draft: ProgramDraft) -> None:
    offers, units, count = draft.problem.offers, draft.units, draft.count
    limits = np.full((len(offers), count + 1), np.inf)
    limits[:, :count] = table([facts.max_units for facts in offers], count)
    for index, facts in enumerate(offers):
        if facts.offer.total is not None:
            limits[index, count] = float(facts.offer.total)
    limited = np.flatnonzero(np.isfinite(limits).any(axis=1))
    cells = (limited[:, None] * count + np.arange(count)).ravel()
    groups = (np.arange(len(limited))[:, None] * (count + 1) + np.arange(count)).ravel()
    columns, entry = units.of(cells)
    group_of_entry = groups[entry]
    total_group = group_of_entry // (count + 1) * (count + 1) + count

    def owner(group: int) -> str:
        offer, t = divmod(group, count + 1)
        return f"{'limit' if t < count else 'total'} of {offers[int(limited[offer])].offer.id}"

    draft.all_at_most(
        np.concatenate([group_of_entry, total_group]),
        np.concatenate([columns, columns]),
        np.ones(2 * len(columns)),
        limits[limited].ravel(),
        owner,
    )


def add_commitments(draft: ProgramDraft) -> None:
    for number, commitment in enumerate(draft.problem.commitments):
        owner = f"take-or-pay of {draft.problem.offers[commitment.offer].offer.id} in {commitment.label}"
        used = draft.switch([commitment.offer], range(draft.count), owner)
        if used is None:
            continue
        draft.columns.onboard[commitment.offer] = used
        cost = float(commitment.rate) * draft.discount[commitment.due_period]
        column = draft.assembly.add_columns(1, cost, float(commitment.quantity))
        draft.columns.untaken[number] = column
        _, ordered, _ = draft.ordering([commitment.offer], commitment.periods)
        min_units = used, -float(commitment.quantity)
        draft.assembly.add_row(0.0, np.inf, owner, (ordered, 1.0), (column, 1.0), min_units)


def add_order_minima(draft: ProgramDraft) -> None:
    offers = draft.problem.offers
    cells, columns, entry = draft.ordering(
        [i for i, facts in enumerate(offers) if facts.offer.min_order], range(draft.count)
    )
    offer = (cells // draft.count).tolist()
    owners = [f"order minimum of {offers[i].offer.id}" for i in offer]
    switches = draft.switches(cells, owners)
    draft.columns.order.update(zip(_pairs(draft, cells), switches.tolist(), strict=True))
    row = draft.assembly.add_rows(len(cells), 0.0, np.inf, owners)
    draft.assembly.add_entries(row + entry, columns, 1.0)
    draft.assembly.add_entries(row + np.arange(len(cells)), switches, -as_floats([offers[i].min_units for i in offer]))


def add_lots(draft: ProgramDraft) -> None:
    offers = draft.problem.offers
    cells, columns, entry = draft.ordering(
        [i for i, facts in enumerate(offers) if facts.offer.lot is not None], range(draft.count)
    )
    offer = (cells // draft.count).tolist()
    lots = as_floats([offers[i].offer.lot or Decimal(1) for i in offer])
    max_lots = lots_in(draft.bounds.units.ravel()[cells], lots)
    lot_columns = draft.assembly.add_columns(len(cells), 0.0, max_lots, integer=True) + np.arange(len(cells))
    draft.columns.lot.update(zip(_pairs(draft, cells), lot_columns.tolist(), strict=True))
    row = draft.assembly.add_rows(len(cells), 0.0, 0.0, [f"lots of {offers[i].offer.id}" for i in offer])
    draft.assembly.add_entries(row + entry, columns, 1.0)
    draft.assembly.add_entries(row + np.arange(len(cells)), lot_columns, -lots)


def _pairs(draft: ProgramDraft, cells: Ints) -> list[tuple[int, int]]:
    return [divmod(cell, draft.count) for cell in cells.tolist()]


def add_onboarding(draft: ProgramDraft) -> None:
    for index, facts in enumerate(draft.problem.offers):
        if not facts.onboarding:
            continue
        owner = f"onboarding of {facts.offer.id}"
        column = draft.switch([index], range(draft.count), owner, float(facts.onboarding))
        if column is not None:
            draft.columns.onboard[index] = column


def add_order_terms(draft: ProgramDraft) -> None:
    add_term_spans(draft)  # before capacity, which set-ups take
    add_pools(draft)
    add_limits(draft)
    add_onboarding(draft)
    add_order_minima(draft)
    add_lots(draft)
    add_commitments(draft)
    add_price_spans(draft)
