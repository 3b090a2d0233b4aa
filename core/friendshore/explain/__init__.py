"""Why the plan is as it is: what is short, what a ranked objective costs, what an unknown rule would forbid, what is kept out,
what each loss costs, what each rule adds, when what can be had.
"""

from .alternatives import Alternative, Alternatives, MaterialMix, alternatives
from .billed import Bill, Ledger, LedgerCell, LedgerItem, LedgerPart, Method
from .by_months import ByMonths, by_months
from .calendar import Calendar, Cause, Cliff, Interval, Stretch, calendar
from .causes import SupplyCause, SupplyCauses
from .compare import compare, compare_plans, scenario_walk
from .compared import Comparison, FactLine, MaterialLine, MixLine, Step
from .compliance import StageCheck
from .concerned import Concerned
from .entering import Entering, enters_at
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
from .levers import Bounds, LeverKind, stated_bounds
from .losses import KINDS, Loss, LossKind, day_of, first_day, loss_kind, losses
from .margins import CapacityValue, Margins, WaiverValue, margins
from .obstacles import Obstacle
from .ranks import UNPRICED, RankPrice, rank_prices
from .repaired import Gap, Repair, Repairs, Use
from .repairs import repairs
from .rounded import rounded
from .shortages import Reason, limiting_rules, shortage_reasons
from .stress import Shortfall, Stress, Stressed, stress
from .using import Share
from .why_not import Asked, Lifted, WhyNot, why_not

__all__ = [
    "KINDS",
    "UNPRICED",
    "Alternative",
    "Alternatives",
    "Asked",
    "Bill",
    "Bounds",
    "ByMonths",
    "Calendar",
    "CapacityValue",
    "Cause",
    "Cliff",
    "Comparison",
    "Concerned",
    "Entering",
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
    "LeverKind",
    "Lifted",
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
    "Repair",
    "Repairs",
    "Share",
    "Shortfall",
    "StageCheck",
    "Step",
    "StockNeeded",
    "Stress",
    "Stressed",
    "Stretch",
    "SupplyCause",
    "SupplyCauses",
    "Use",
    "WaiverValue",
    "WhyNot",
    "alternatives",
    "by_months",
    "calendar",
    "compare",
    "compare_plans",
    "day_of",
    "enters_at",
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
