"""Explanations of a plan: causes of shortages, prices, excluded offers, and dependence on countries."""

from ..lazy_exports import load_on_use

_NAMES = {
    ".break_even": ["BreakEven", "break_even_price"],
    ".causes": ["Causes", "competing", "counted_shorts", "shortage_causes"],
    ".dependence": [
        "DependentSums",
        "PlanDependence",
        "PurchaseDependence",
        "judge_purchases",
        "material_dependence",
        "plan_dependence",
        "sum_of",
    ],
    ".eligibility": ["Exclusion", "Obstacle", "exposed", "exclusions", "least_confidence"],
    ".full_prices": ["Cash", "OfferPrice", "OfferPrices", "RangedSpend", "TracedCash", "spend_at_ends", "trace_cash"],
    ".relaxations": ["described_relaxation"],
    ".replanned": ["ByMonths", "RankPrice", "UNPRICED", "by_months", "first_feasible_days", "rank_prices", "rounded"],
    ".results": ["materials_of", "names_of", "short_more"],
    ".stock": ["OrderDay", "holdings", "order_days"],
}

__getattr__, __dir__, __all__ = load_on_use(__name__, _NAMES)
