"""Capacity of facilities, and what an offer gives at most in a period and in all."""

from __future__ import annotations

from ..draft import Draft


def add_pools(draft: Draft) -> None:
    """No more of a facility's capacity is taken in a period than there is."""
    for pool in draft.problem.pools:
        for t, capacity in enumerate(pool.capacity):
            if capacity is None:
                continue
            columns: list[int] = []
            use: list[float] = []
            for offer in pool.offers:
                found = draft.units.get((offer, t), [])
                columns += found
                use += [float(draft.problem.offers[offer].offer.capacity_use)] * len(found)
            if columns:
                draft.at_most(columns, use, float(capacity), f"capacity of {pool.facility}")


def add_limits(draft: Draft) -> None:
    """No more is ordered of an offer than it gives, in a period and in all."""
    for index, facts in enumerate(draft.problem.offers):
        everything: list[int] = []
        for t, most in enumerate(facts.most):
            columns = draft.units.get((index, t), [])
            everything += columns
            if most is not None and columns:
                draft.at_most(columns, 1.0, float(most), f"limit of {facts.offer.id}")
        if facts.offer.total is not None and everything:
            draft.at_most(everything, 1.0, float(facts.offer.total), f"total of {facts.offer.id}")
