"""Why the plan is as it is: what is short, what a ranked objective costs, what an unknown rule would forbid, what is kept out,
what each loss costs, what each rule adds, when what is available.
"""
# ruff: noqa: I001 - what the package offers is imported as itself, once, the names of a module together

from typing import TYPE_CHECKING

from .causes import SupplyCause as SupplyCause, SupplyCauses as SupplyCauses
from .eligibility import least_confidence as least_confidence
from .floors import floors_from as floors_from
from .holdings import Holding as Holding, holdings as holdings
from .kept_out import Exposed as Exposed, KeptOut as KeptOut, exposed as exposed, kept_out as kept_out
from .moved import forwarded
from .obstacles import Obstacle as Obstacle
from .ranks import UNPRICED as UNPRICED, RankPrice as RankPrice, rank_prices as rank_prices
from .shortages import Reason as Reason, limiting_rules as limiting_rules, shortage_reasons as shortage_reasons
from .whole_periods import ByMonths as ByMonths, by_months as by_months, rounded as rounded

# To a type checker the old names are gone.
if not TYPE_CHECKING:
    __getattr__ = forwarded(__name__)
