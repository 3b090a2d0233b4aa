"""Rows for all orders of an offer, whatever their place and compliance class: capacity, limits, and binary decisions.

Terms of trade are a fixed charge with variable lower and upper bounds. The link between a span's binary variable and its orders is a row for each
offer and period, with the bound of that order. This is tighter than one row for all of them (Padberg, Van Roy and Wolsey, Operations Research 33, 1985).
There is also a row for each place and compliance class of an order, with the amount that the place can still take (`ProgramDraft.switch`).

Price schedules subtract a discount from list prices, by the tier in which a span ends. They use the multiple-choice formulation: purchases are split
over the tiers, with all of them in the tier that is reached. The linear relaxation is the lower convex envelope of the cost (Croxton, Gendron and
Magnanti, Management Science 49, 2003). If every tier discounts all offers and periods equally, each tier has one column. Otherwise, a discount on
all units has a column for every offer, period, and tier. Rising incremental prices are convex and need no binary variable.
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

Cell = tuple[int, int]
"""Offer and order period."""


@dataclass(frozen=True, slots=True)
class _Segment:
    """A tier as a segment of the cost: between two amounts, with a lump-sum discount and a discount per unit."""

    tier: int
    low: float
    high: float
    rates: dict[Cell, float]
    """Discount per measured unit, by cell or for all (the one key is `ALL`)."""
    at_once: float


_SEEN = 2e-7
"""Share of a threshold that every solver can resolve: twice the loosest tolerance in use (`solve.engines`)."""
ALL: Cell = (-1, -1)


def add_price_spans(draft: ProgramDraft) -> None:
    """Add the columns and rows of every price schedule, span by span."""
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
        """Return the discount of each tier per measured unit. None if tiers state prices and list prices differ.

        One rate for all if there is only one. Otherwise, if the tier reached applies to all units, one per cell.
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
        """Add a column that refunds all money at list prices. The prices of the tiers replace it."""
        most = sum(float(price) * self.draft.bounds.units[cell] for cell, price in self.list_price.items())
        column = self._column(1.0, most)
        self.draft.columns.list_money[self.number] = column
        paid = ((self.columns[cell], float(price)) for cell, price in self.list_price.items())
        self.draft.assembly.add_row(0.0, 0.0, self.owner, *paid, (column, -1.0))

    def _segments(self, rates: list[dict[Cell, float]]) -> list[_Segment]:
        """Return the tiers as segments, each up to its end or the start of the next one."""
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
        """Return True if the tier after the `k`th is more expensive where it begins, so that a plan would rather stay below it."""
        tiers = self.span.tiers
        worse = self.span.all_units and any(rates[k + 1][cell] < rates[k][cell] for cell in rates[k])
        return worse or tiers[k + 1].lump > tiers[k].lump

    def _apart(self, least: float) -> float:
        """Return the distance that a plan keeps below a more expensive tier.

        Rounding moves each order by less than a step and must not reach the tier. The distance must also exceed the tolerance of solvers, which is
        relative to the usual numbers of a row.
        """
        pieces = sum(weight * len(self.columns[cell]) for cell, weight in self.weights.items())
        return max(float(self.draft.problem.case.resolution) * pieces, _SEEN * least)

    def _falling(self, segments: list[_Segment]) -> bool:
        """Return True if the cost is convex: discounts per unit never rise, and there are no lump sums and no gaps."""
        rates = [segment.rates.get(ALL, 0.0) for segment in segments]
        lumps = any(self.span.tiers[segment.tier].lump for segment in segments)
        separate = len(segments) > 1 and (self.span.all_units or ALL not in segments[0].rates)
        gaps = any(one.high < above.low for one, above in pairwise(segments))
        return not lumps and not separate and not gaps and all(later <= rate for rate, later in pairwise(rates))

    def _fill(self, segments: list[_Segment]) -> None:
        """Add tiers that a plan fills in order without binary variables."""
        if ALL not in segments[0].rates:
            self._choose(segments)
            return
        row = self._all_is_split()
        for segment in segments:
            column = self._column(segment.rates[ALL], segment.high - segment.low)
            self.draft.columns.tier[self.number, segment.tier, -1, -1] = column
            self.draft.assembly.add_entries(row, column, -1.0)

    def _choose(self, segments: list[_Segment]) -> None:
        """Add columns that put all purchases in the one tier that is reached."""
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
        """Add a binary variable for each tier. A first tier without a lump sum needs none: it applies if no other is reached."""
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
        """Limit the purchases in a tier to its range if it is reached, and to zero if not."""
        weights = [1.0 if cell == ALL else self.weights[cell] for cell in parts]
        self._only_if(segment, list(parts.values()), weights, segment.high, switches)
        if segment.low:
            begins = switches[segment.tier], -segment.low
            self.draft.assembly.add_row(0.0, np.inf, self.owner, (list(parts.values()), weights), begins)
        for cell, column in parts.items():
            if cell != ALL and self.most[cell] < segment.high:
                self._only_if(segment, [column], [self.weights[cell]], self.most[cell], switches)

    def _only_if(
        self, segment: _Segment, parts: list[int], weights: list[float], most: float, switches: dict[int, int]
    ) -> None:
        assembly = self.draft.assembly
        if segment.tier in switches:
            assembly.add_row(-np.inf, 0.0, self.owner, (switches[segment.tier], -most), (parts, weights))
        else:
            assembly.add_row(-np.inf, most, self.owner, (list(switches.values()), most), (parts, weights))

    def _all_is_split(self) -> int:
        bought = ((self.columns[cell], weight) for cell, weight in self.weights.items())
        return self.draft.assembly.add_row(0.0, 0.0, self.owner, *bought)

    def _cell_is_split(self, cell: Cell) -> int:
        return self.draft.assembly.add_row(0.0, 0.0, self.owner, (self.columns[cell], 1.0))

    def _column(self, off: float, upper: float, *, integer: bool = False) -> int:
        """Add a column that saves `off` per unit, in the period of settlement."""
        column = self.draft.assembly.add_columns(1, 0.0 - off * self.discount, upper, integer=integer)
        self.draft.columns.settled.setdefault(self.number, []).append((column, off))
        return column


def add_term_spans(draft: ProgramDraft) -> None:
    """Add the columns and rows of all terms of trade, span by span."""
    for number, span in enumerate(draft.problem.term_spans):
        terms, owner = span.terms, f"terms of {span}"
        _, ordered, _ = draft.ordering(span.offers, span.periods, terms.places)
        if not len(ordered):
            continue
        switch = None
        if terms.switches:
            cost = float(span.fixed) * draft.discount[span.due]
            switch = draft.switch(span.offers, span.periods, owner, cost, terms.places)
            assert switch is not None
            draft.columns.placed[number] = switch
        if terms.least and switch is not None:
            draft.assembly.add_row(0.0, np.inf, owner, (ordered, 1.0), (switch, -float(terms.least)))
        if terms.most is not None:
            most = float(terms.most)
            switched = [] if switch is None else [(switch, -most)]
            draft.assembly.add_row(-np.inf, 0.0 if switched else most, owner, (ordered, 1.0), *switched)


def add_pools(draft: ProgramDraft) -> None:
    """Limit the use of each facility's capacity in a period, including set-ups."""
    problem, units, count = draft.problem, draft.units, draft.count
    pools = problem.pools
    members = [offer for pool in pools for offer in pool.offers]
    use = as_floats([problem.offers[offer].offer.capacity_use for offer in members])
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
        np.concatenate([np.repeat(use, count)[entry], [taken for _, _, taken in setups]]),
        problem.capacity.ravel(),
        lambda group: owners[group // count],
    )


def add_limits(draft: ProgramDraft) -> None:
    """Limit the orders of each offer, per period and in total."""
    offers, units, count = draft.problem.offers, draft.units, draft.count
    most = np.full((len(offers), count + 1), np.inf)
    most[:, :count] = table([facts.most for facts in offers], count)
    for index, facts in enumerate(offers):
        if facts.offer.total is not None:
            most[index, count] = float(facts.offer.total)
    own = np.flatnonzero(np.isfinite(most).any(axis=1))
    cells = (own[:, None] * count + np.arange(count)).ravel()
    groups = (np.arange(len(own))[:, None] * (count + 1) + np.arange(count)).ravel()
    columns, entry = units.of(cells)
    each = groups[entry]
    whole = each // (count + 1) * (count + 1) + count

    def owner(group: int) -> str:
        offer, t = divmod(group, count + 1)
        return f"{'limit' if t < count else 'total'} of {offers[int(own[offer])].offer.id}"

    draft.all_at_most(
        np.concatenate([each, whole]),
        np.concatenate([columns, columns]),
        np.ones(2 * len(columns)),
        most[own].ravel(),
        owner,
    )


def add_commitments(draft: ProgramDraft) -> None:
    """Add a column for the untaken units of each year. If the offer is used, taken and untaken units sum to at least the quantity."""
    for number, commitment in enumerate(draft.problem.commitments):
        owner = f"take-or-pay of {draft.problem.offers[commitment.offer].offer.id} in {commitment.label}"
        used = draft.switch([commitment.offer], range(draft.count), owner)
        if used is None:
            continue
        draft.columns.onboard[commitment.offer] = used
        cost = float(commitment.rate) * draft.discount[commitment.due]
        column = draft.assembly.add_columns(1, cost, float(commitment.quantity))
        draft.columns.untaken[number] = column
        _, taken, _ = draft.ordering([commitment.offer], commitment.periods)
        least = used, -float(commitment.quantity)
        draft.assembly.add_row(0.0, np.inf, owner, (taken, 1.0), (column, 1.0), least)


def add_order_minima(draft: ProgramDraft) -> None:
    """Add a binary variable for every order with a minimum: it is zero, or between the minimum and the bound."""
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
    draft.assembly.add_entries(row + np.arange(len(cells)), switches, -as_floats([offers[i].least for i in offer]))


def add_lots(draft: ProgramDraft) -> None:
    """Add an integer variable for every order in lots: the number of lots."""
    offers = draft.problem.offers
    cells, columns, entry = draft.ordering(
        [i for i, facts in enumerate(offers) if facts.offer.lot is not None], range(draft.count)
    )
    offer = (cells // draft.count).tolist()
    lots = as_floats([offers[i].offer.lot or Decimal(1) for i in offer])
    most = lots_in(draft.bounds.units.ravel()[cells], lots)
    made = draft.assembly.add_columns(len(cells), 0.0, most, integer=True) + np.arange(len(cells))
    draft.columns.lot.update(zip(_pairs(draft, cells), made.tolist(), strict=True))
    row = draft.assembly.add_rows(len(cells), 0.0, 0.0, [f"lots of {offers[i].offer.id}" for i in offer])
    draft.assembly.add_entries(row + entry, columns, 1.0)
    draft.assembly.add_entries(row + np.arange(len(cells)), made, -lots)


def _pairs(draft: ProgramDraft, cells: Ints) -> list[tuple[int, int]]:
    return [divmod(cell, draft.count) for cell in cells.tolist()]


def add_onboarding(draft: ProgramDraft) -> None:
    """Add a binary variable for every offer with an onboarding cost. If it is 0, the offer has no orders in any period."""
    for index, facts in enumerate(draft.problem.offers):
        if not facts.onboarding:
            continue
        owner = f"onboarding of {facts.offer.id}"
        column = draft.switch([index], range(draft.count), owner, float(facts.onboarding))
        if column is not None:
            draft.columns.onboard[index] = column


def add_order_terms(draft: ProgramDraft) -> None:
    """Add the rows of all terms, in canonical order."""
    add_term_spans(draft)  # before capacity, which set-ups take
    add_pools(draft)
    add_limits(draft)
    add_onboarding(draft)
    add_order_minima(draft)
    add_lots(draft)
    add_commitments(draft)
    add_price_spans(draft)
