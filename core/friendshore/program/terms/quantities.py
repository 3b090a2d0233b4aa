"""Capacity of facilities, and what an offer gives at most in a period and in all."""

from __future__ import annotations

import numpy as np

from ...problem.float_tables import as_floats, table
from ...problem.moves import ranges
from ..draft import ProgramDraft
from ..matrix import joined


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
    draft.all_at_most(
        np.concatenate([np.repeat(groups, last - first), np.array([group for group, _, _ in setups], dtype=np.intp)]),
        joined([units.columns[ranges(first, last)], np.array([column for _, column, _ in setups], dtype=np.intp)]),
        np.concatenate([np.repeat(np.repeat(use, count), last - first), [taken for _, _, taken in setups]]),
        problem.capacity.ravel(),
        lambda group: f"capacity of {pools[group // count].facility}",
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
