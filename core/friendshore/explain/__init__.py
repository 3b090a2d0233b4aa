"""Why the plan is as it is: what is short, what a ranked objective costs, what an unknown rule would forbid, what is kept out."""

from .exposed import Exposed, exposed
from .kept_out import KeptOut, kept_out
from .ranks import UNPRICED, RankPrice, rank_prices
from .shortages import Reason, shortage_reasons

__all__ = [
    "UNPRICED",
    "Exposed",
    "KeptOut",
    "RankPrice",
    "Reason",
    "exposed",
    "kept_out",
    "rank_prices",
    "shortage_reasons",
]
