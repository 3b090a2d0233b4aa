"""What holds on all that is ordered of an offer, whatever its place and compliance class: capacity, limits, and binary decisions."""

from __future__ import annotations

from ..draft import ProgramDraft
from .commitments import add_commitments
from .onboarding import add_onboarding
from .orders import add_lots, add_order_minima
from .quantities import add_limits, add_pools
from .tiers import add_price_spans
from .trade import add_term_spans


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
