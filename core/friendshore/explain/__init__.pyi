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
    Exclusion as Exclusion,
    Obstacle as Obstacle,
    exposed as exposed,
    exclusions as exclusions,
    least_confidence as least_confidence,
)
from .full_prices import (
    Cash as Cash,
    OfferPrice as OfferPrice,
    OfferPrices as OfferPrices,
    RangedSpend as RangedSpend,
    TracedCash as TracedCash,
    spend_at_ends as spend_at_ends,
    trace_cash as trace_cash,
)
from .relaxations import described_relaxation as described_relaxation
from .replanned import (
    ByMonths as ByMonths,
    RankPrice as RankPrice,
    UNPRICED as UNPRICED,
    by_months as by_months,
    first_feasible_days as first_feasible_days,
    rank_prices as rank_prices,
    rounded as rounded,
)
from .results import materials_of as materials_of, names_of as names_of, short_more as short_more
from .stock import OrderDay as OrderDay, holdings as holdings, order_days as order_days
