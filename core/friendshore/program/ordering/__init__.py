"""What holds on all that is ordered of an offer, whatever its place and compliance class: capacity, limits, and binary decisions.

Terms of trade are a fixed charge with variable lower and upper bounds. The link between a span's binary variable and its orders is a row for each
offer and period, with the bound of that order: tighter than one row for all of them (Padberg, Van Roy and Wolsey, Operations Research 33, 1985); and a row
for each place and compliance class that an order goes to, with what the place can still take (`ProgramDraft.switch`).
"""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from ...problem.decimal_arrays import as_floats, table
from ...problem.network import ranges
from ..bounds import lots_in
from ..draft import ProgramDraft
from ..matrix import Ints, joined
from .tiers import add_price_spans


def add_term_spans(draft: ProgramDraft) -> None:
    """The columns and rows of all terms of trade, span by span."""
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
            row = draft.assembly.add_rows(1, 0.0, np.inf, owner)
            draft.assembly.add_entries(row, ordered, 1.0)
            draft.assembly.add_entries(row, switch, -float(terms.least))
        if terms.most is not None:
            row = draft.assembly.add_rows(1, -np.inf, 0.0 if switch is not None else float(terms.most), owner)
            draft.assembly.add_entries(row, ordered, 1.0)
            if switch is not None:
                draft.assembly.add_entries(row, switch, -float(terms.most))


def add_pools(draft: ProgramDraft) -> None:
    """No more of a facility's capacity is taken in a period than there is, set-ups included."""
    problem, units, count = draft.problem, draft.units, draft.count
    pools = problem.pools
    members = [offer for pool in pools for offer in pool.offers]
    use = as_floats([problem.offers[offer].offer.capacity_use for offer in members])
    pool = np.repeat(np.arange(len(pools)), [len(pool.offers) for pool in pools])
    periods = np.arange(count)
    cells = (np.array(members, dtype=np.intp)[:, None] * count + periods).ravel()
    groups = (pool[:, None] * count + periods).ravel()
    first, last = units.first[cells], units.first[cells + 1]
    setups = [
        (pool * count + span.periods[0], draft.columns.placed[number], float(span.terms.setup_use or 0))
        for number, span in enumerate(problem.term_spans)
        for pool in span.pools
        if number in draft.columns.placed
    ]
    owners = [f"capacity of {pool.facility}" for pool in pools]
    draft.all_at_most(
        np.concatenate([np.repeat(groups, last - first), np.array([group for group, _, _ in setups], dtype=np.intp)]),
        joined([units.columns[ranges(first, last)], np.array([column for _, column, _ in setups], dtype=np.intp)]),
        np.concatenate([np.repeat(np.repeat(use, count), last - first), [taken for _, _, taken in setups]]),
        problem.capacity.ravel(),
        lambda group: owners[group // count],
    )


def add_limits(draft: ProgramDraft) -> None:
    """No more is ordered of an offer than it gives, in a period and in all: a group for each period, and one for the whole."""
    offers, units, count = draft.problem.offers, draft.units, draft.count
    most = np.full((len(offers), count + 1), np.inf)
    most[:, :count] = table([facts.most for facts in offers], count)
    for index, facts in enumerate(offers):
        if facts.offer.total is not None:
            most[index, count] = float(facts.offer.total)
    own = np.flatnonzero(np.isfinite(most).any(axis=1))
    cells = (own[:, None] * count + np.arange(count)).ravel()
    groups = (np.arange(len(own))[:, None] * (count + 1) + np.arange(count)).ravel()
    first, last = units.first[cells], units.first[cells + 1]
    each = np.repeat(groups, last - first)
    columns = units.columns[ranges(first, last)]
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
    """A column for what is not taken in each year: with what is taken it comes to the quantity, or the offer is not used."""
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
        row = draft.assembly.add_rows(1, 0.0, np.inf, owner)
        draft.assembly.add_entries(row, taken, 1.0)
        draft.assembly.add_entries(row, column, 1.0)
        draft.assembly.add_entries(row, used, -float(commitment.quantity))


def add_order_minima(draft: ProgramDraft) -> None:
    """A binary variable for every order with a minimum: what is ordered is zero, or between the minimum and the bound."""
    offers = draft.problem.offers
    cells, columns, entry = _orders(draft, [i for i, facts in enumerate(offers) if facts.offer.min_order])
    offer = (cells // draft.count).tolist()
    owners = [f"order minimum of {offers[i].offer.id}" for i in offer]
    switches = draft.switches(cells, owners)
    draft.columns.order.update(zip(_pairs(draft, cells), switches.tolist(), strict=True))
    row = draft.assembly.add_rows(len(cells), 0.0, np.inf, owners)
    draft.assembly.add_entries(row + entry, columns, 1.0)
    draft.assembly.add_entries(row + np.arange(len(cells)), switches, -as_floats([offers[i].least for i in offer]))


def add_lots(draft: ProgramDraft) -> None:
    """An integer variable for every order sold in lots: what is ordered is so many lots."""
    offers = draft.problem.offers
    cells, columns, entry = _orders(draft, [i for i, facts in enumerate(offers) if facts.offer.lot is not None])
    offer = (cells // draft.count).tolist()
    lots = as_floats([offers[i].offer.lot or Decimal(1) for i in offer])
    most = lots_in(draft.bounds.units.ravel()[cells], lots)
    made = draft.assembly.add_columns(len(cells), 0.0, most, integer=True) + np.arange(len(cells))
    draft.columns.lot.update(zip(_pairs(draft, cells), made.tolist(), strict=True))
    row = draft.assembly.add_rows(len(cells), 0.0, 0.0, [f"lots of {offers[i].offer.id}" for i in offer])
    draft.assembly.add_entries(row + entry, columns, 1.0)
    draft.assembly.add_entries(row + np.arange(len(cells)), made, -lots)


def _orders(draft: ProgramDraft, offers: list[int]) -> tuple[Ints, Ints, Ints]:
    """All orders of some offers, as `Draft.ordering` gives them."""
    return draft.ordering(offers, range(draft.count))


def _pairs(draft: ProgramDraft, cells: Ints) -> list[tuple[int, int]]:
    """Offer and period of cells."""
    return [divmod(cell, draft.count) for cell in cells.tolist()]


def add_onboarding(draft: ProgramDraft) -> None:
    """A binary variable for every offer with an onboarding cost: nothing is ordered of it in any period unless it is 1."""
    for index, facts in enumerate(draft.problem.offers):
        if not facts.onboarding:
            continue
        owner = f"onboarding of {facts.offer.id}"
        column = draft.switch([index], range(draft.count), owner, float(facts.onboarding))
        if column is not None:
            draft.columns.onboard[index] = column


def add_order_terms(draft: ProgramDraft) -> None:
    """Adds the rows of all terms, in canonical order."""
    add_term_spans(draft)  # before capacity, which set-ups take
    add_pools(draft)
    add_limits(draft)
    add_onboarding(draft)
    add_order_minima(draft)
    add_lots(draft)
    add_commitments(draft)
    add_price_spans(draft)


__all__ = ["add_order_terms"]
