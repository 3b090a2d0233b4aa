"""Why the plan is as it is: what is short, what a ranked objective costs, what an unknown rule would forbid, what is kept out,
what each loss costs, what each rule adds, when what is available.
"""

from typing import TYPE_CHECKING

from .causes import SupplyCause, SupplyCauses
from .eligibility import least_confidence
from .floors import floors_from
from .holdings import Holding, holdings
from .kept_out import Exposed, KeptOut, exposed, kept_out
from .moved import forwarded
from .obstacles import Obstacle
from .ranks import UNPRICED, RankPrice, rank_prices
from .shortages import Reason, limiting_rules, shortage_reasons
from .whole_periods import ByMonths, by_months, rounded

__all__ = [
    "UNPRICED",
    "ByMonths",
    "Exposed",
    "Holding",
    "KeptOut",
    "Obstacle",
    "RankPrice",
    "Reason",
    "SupplyCause",
    "SupplyCauses",
    "by_months",
    "exposed",
    "floors_from",
    "holdings",
    "kept_out",
    "least_confidence",
    "limiting_rules",
    "rank_prices",
    "rounded",
    "shortage_reasons",
]

# To a type checker the old names are gone.
if not TYPE_CHECKING:
    __getattr__ = forwarded(__name__)
