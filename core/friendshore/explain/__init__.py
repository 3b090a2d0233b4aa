"""Why the plan is as it is: what is short, what a ranked objective costs, what an unknown rule would forbid, what is kept out,
what each loss costs.
"""

from .evidence import least_confidence
from .exposed import Exposed, exposed
from .kept_out import KeptOut, kept_out
from .losses import KINDS, Loss, LossKind, first_day, losses
from .ranks import UNPRICED, RankPrice, rank_prices
from .shortages import Reason, shortage_reasons
from .stress import Shortfall, Stress, Stressed, stress

__all__ = [
    "KINDS",
    "UNPRICED",
    "Exposed",
    "KeptOut",
    "Loss",
    "LossKind",
    "RankPrice",
    "Reason",
    "Shortfall",
    "Stress",
    "Stressed",
    "exposed",
    "first_day",
    "kept_out",
    "least_confidence",
    "losses",
    "rank_prices",
    "shortage_reasons",
    "stress",
]
