"""Why the plan is as it is: what is short, what a ranked objective costs, what an unknown rule would forbid, what is kept out,
what each loss costs, what each rule adds, when what is available.
"""
# ruff: noqa: I001 - what the package offers is imported as itself, once, the names of a module together

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ..lazy_exports import moved
from .causes import SupplyCause as SupplyCause, SupplyCauses as SupplyCauses
from .holdings import Holding as Holding, holdings as holdings
from .eligibility import (
    Exposed as Exposed,
    KeptOut as KeptOut,
    exposed as exposed,
    kept_out as kept_out,
    least_confidence as least_confidence,
)
from .obstacles import Obstacle as Obstacle
from .replanned import (
    UNPRICED as UNPRICED,
    RankPrice as RankPrice,
    floors_from as floors_from,
    rank_prices as rank_prices,
)
from .shortages import Reason as Reason, limiting_rules as limiting_rules, shortage_reasons as shortage_reasons
from .whole_periods import ByMonths as ByMonths, by_months as by_months, rounded as rounded

_HOME = "friendshore.questions"
_MODULES = {
    "affected": "calendar.stretches",
    "alternatives": "alternatives.search",
    "billed": "ledger.records",
    "break_even": "why_not.break_even",
    "calendar": "calendar.search",
    "compare": "compare.search",
    "compared": "compare.records",
    "compliance": "alternatives.compliance",
    "demand_levers": "repairs.demand_levers",
    "differing": "compare.records",
    "insurance": "stress.insurance",
    "insured": "stress.insured",
    "insuring": "stress.insured",
    "items": "ledger.items",
    "landed": "alternatives.compliance",
    "lattice": "repairs.levers",
    "ledger": "ledger.search",
    "lever_search": "repairs.demand_levers",
    "levers": "repairs.levers",
    "losses": "stress.losses",
    "margins": "ledger.margins",
    "nearest": "compare.planned",
    "planned": "compare.planned",
    "programs": "ledger.items",
    "repaired": "repairs.records",
    "repairs": "repairs.search",
    "shapley": "ledger.splitting",
    "splitting": "ledger.splitting",
    "stress": "stress.search",
    "stretches": "calendar.stretches",
    "supply_levers": "repairs.supply_levers",
    "trials": "repairs.trials",
    "upstream_supply": "repairs.supply_levers",
    "usage_range": "alternatives.usage_range",
    "why_not": "why_not.search",
}
"""Module that was here until version 0.1 and is a question's own now -> where it is below the questions: found by its old name for one version more."""
_OFFERED = {
    "alternatives.compliance": "Landed StageCheck",
    "alternatives.search": "Alternative Alternatives MaterialMix alternatives",
    "alternatives.usage_range": "UsageShare",
    "calendar.search": "Calendar Cause Cliff Interval Stretch calendar day_of",
    "calendar.stretches": "Concerned",
    "compare.records": "Comparison FactLine MaterialLine MixLine Step",
    "compare.search": "compare compare_plans scenario_walk",
    "ledger.items": "Item ItemKind",
    "ledger.margins": "CapacityValue Margins WaiverValue margins",
    "ledger.records": "Bill Ledger LedgerCell LedgerItem LedgerPart Method",
    "ledger.search": "ledger",
    "repairs.levers": "LeverBounds LeverKind stated_bounds",
    "repairs.records": "Gap LeverUse Repair Repairs",
    "repairs.search": "repairs",
    "stress.insurance": "first_loss insurance",
    "stress.insured": "Insurance LossMet StockNeeded",
    "stress.losses": "KINDS Loss LossKind first_day loss_kind losses",
    "stress.search": "Shortfall Stress Stressed stress",
    "why_not.break_even": "BreakEven break_even_price",
    "why_not.search": "Asked Relaxed WhyNot why_not",
}
"""Module below the questions -> its names that this package offered."""
_NAMES = {name: module for module, names in _OFFERED.items() for name in names.split()}
_RENAMED = {"Entering": "BreakEven", "Lifted": "Relaxed", "Share": "UsageShare", "Use": "LeverUse"}
"""Names that classes had until version 0.1."""


def forwarded(package: str) -> Callable[[str], Any]:
    """A package's `__getattr__` (PEP 562) that finds what has moved; its modules can be imported by their old names too.

    Args:
        package: its name.
    """
    for name, home in _MODULES.items():
        sys.modules.setdefault(f"{package}.{name}", _Moved(f"{package}.{name}", f"{_HOME}.{home}"))

    def get(name: str) -> Any:
        now = _RENAMED.get(name, name)
        if now in _NAMES:
            return moved(f"{package}.{name}", f"{_HOME}.{_NAMES[now]}.{now}")
        if name in _MODULES:
            return sys.modules[f"{package}.{name}"]
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return get


class _Moved(ModuleType):
    """A module that is elsewhere now, and loaded when something of it is asked for."""

    def __init__(self, name: str, home: str) -> None:
        super().__init__(name)
        self.__dict__["_home"] = home

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return moved(f"{self.__name__}.{name}", f"{self.__dict__['_home']}.{name}")


# To a type checker the old names are gone.
if not TYPE_CHECKING:
    __getattr__ = forwarded(__name__)
