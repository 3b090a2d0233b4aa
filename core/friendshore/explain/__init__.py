"""Why the plan is as it is: what is short, what a ranked objective costs, what an unknown rule would forbid, what is kept out,
what each loss costs, what each rule adds, when what is available.
"""

import warnings
from typing import TYPE_CHECKING

from .affected import Concerned
from .alternatives import Alternative, Alternatives, MaterialMix, alternatives
from .billed import Bill, Ledger, LedgerCell, LedgerItem, LedgerPart, Method
from .break_even import BreakEven, break_even_price
from .by_months import ByMonths, by_months
from .calendar import Calendar, Cause, Cliff, Interval, Stretch, calendar
from .causes import SupplyCause, SupplyCauses
from .compare import compare, compare_plans, scenario_walk
from .compared import Comparison, FactLine, MaterialLine, MixLine, Step
from .compliance import StageCheck
from .evidence import least_confidence
from .exposed import Exposed, exposed
from .floors import floors_from
from .holdings import Holding, holdings
from .insurance import first_loss, insurance
from .insured import Insurance, LossMet, StockNeeded
from .items import Item, ItemKind
from .kept_out import KeptOut, kept_out
from .landed import Landed
from .ledger import ledger
from .levers import LeverBounds, LeverKind, stated_bounds
from .losses import KINDS, Loss, LossKind, day_of, first_day, loss_kind, losses
from .margins import CapacityValue, Margins, WaiverValue, margins
from .obstacles import Obstacle
from .ranks import UNPRICED, RankPrice, rank_prices
from .repaired import Gap, LeverUse, Repair, Repairs
from .repairs import repairs
from .rounded import rounded
from .shortages import Reason, limiting_rules, shortage_reasons
from .stress import Shortfall, Stress, Stressed, stress
from .usage_range import UsageShare
from .why_not import Asked, Relaxed, WhyNot, why_not

__all__ = [
    "KINDS",
    "UNPRICED",
    "Alternative",
    "Alternatives",
    "Asked",
    "Bill",
    "BreakEven",
    "ByMonths",
    "Calendar",
    "CapacityValue",
    "Cause",
    "Cliff",
    "Comparison",
    "Concerned",
    "Exposed",
    "FactLine",
    "Gap",
    "Holding",
    "Insurance",
    "Interval",
    "Item",
    "ItemKind",
    "KeptOut",
    "Landed",
    "Ledger",
    "LedgerCell",
    "LedgerItem",
    "LedgerPart",
    "LeverBounds",
    "LeverKind",
    "LeverUse",
    "Loss",
    "LossKind",
    "LossMet",
    "Margins",
    "MaterialLine",
    "MaterialMix",
    "Method",
    "MixLine",
    "Obstacle",
    "RankPrice",
    "Reason",
    "Relaxed",
    "Repair",
    "Repairs",
    "Shortfall",
    "StageCheck",
    "Step",
    "StockNeeded",
    "Stress",
    "Stressed",
    "Stretch",
    "SupplyCause",
    "SupplyCauses",
    "UsageShare",
    "WaiverValue",
    "WhyNot",
    "alternatives",
    "break_even_price",
    "by_months",
    "calendar",
    "compare",
    "compare_plans",
    "day_of",
    "exposed",
    "first_day",
    "first_loss",
    "floors_from",
    "holdings",
    "insurance",
    "kept_out",
    "least_confidence",
    "ledger",
    "limiting_rules",
    "loss_kind",
    "losses",
    "margins",
    "rank_prices",
    "repairs",
    "rounded",
    "scenario_walk",
    "shortage_reasons",
    "stated_bounds",
    "stress",
    "why_not",
]

_RENAMED = {"Entering": BreakEven, "Lifted": Relaxed, "Share": UsageShare, "Use": LeverUse}

# To a type checker the old names are gone.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> type:
        """Names that classes had until version 0.1, for one version more (PEP 562)."""
        if name not in _RENAMED:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        now = _RENAMED[name]
        warnings.warn(f"{__name__}.{name} is now {__name__}.{now.__name__}", DeprecationWarning, stacklevel=2)
        return now
