# The names of this package for type checkers; `__init__.py` lists the same.
# ruff: noqa: I001 - a module to a statement

from .break_even import BreakEven as BreakEven, break_even_price as break_even_price
from .causes import (
    Causes as Causes,
    competing as competing,
    counted_shorts as counted_shorts,
    shortage_causes as shortage_causes,
)
from .dependence import (
    DependentSums as DependentSums,
    PlanDependence as PlanDependence,
    PurchaseDependence as PurchaseDependence,
    judge_purchases as judge_purchases,
    material_dependence as material_dependence,
    plan_dependence as plan_dependence,
    sum_of as sum_of,
)
from .eligibility import (
    Exposed as Exposed,
    KeptOut as KeptOut,
    exposed as exposed,
    kept_out as kept_out,
    least_confidence as least_confidence,
)
from .full_prices import Cash as Cash, TracedCash as TracedCash, trace_cash as trace_cash
from .held import Holding as Holding, holdings as holdings
from .obstacles import Obstacle as Obstacle
from .offer_prices import OfferPrice as OfferPrice, OfferPrices as OfferPrices
from .ranges import RangedSpend as RangedSpend, spend_at_ends as spend_at_ends
from .replanned import (
    UNPRICED as UNPRICED,
    RankPrice as RankPrice,
    floors_from as floors_from,
    rank_prices as rank_prices,
)
from .results import materials_of as materials_of, names_of as names_of, short_more as short_more
from .urgency import OrderDay as OrderDay, order_days as order_days
from .whole_periods import ByMonths as ByMonths, by_months as by_months, rounded as rounded
