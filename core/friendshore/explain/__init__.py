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
from .break_even import BreakEven as BreakEven, break_even_price as break_even_price
from .causes import SupplyCause as SupplyCause, SupplyCauses as SupplyCauses
from .eligibility import (
    Exposed as Exposed,
    KeptOut as KeptOut,
    exposed as exposed,
    kept_out as kept_out,
    least_confidence as least_confidence,
)
from .holdings import Holding as Holding, holdings as holdings
from .obstacles import Obstacle as Obstacle
from .ranges import RangedSpend as RangedSpend, spend_at_ends as spend_at_ends
from .replanned import (
    UNPRICED as UNPRICED,
    RankPrice as RankPrice,
    floors_from as floors_from,
    rank_prices as rank_prices,
)
from .shortages import Reason as Reason, limiting_rules as limiting_rules, shortage_reasons as shortage_reasons
from .whole_periods import ByMonths as ByMonths, by_months as by_months, rounded as rounded

_HOME = "friendshore.questions"
_MOVED = {
    "alternatives.compliance": ("compliance landed", "Landed StageCheck"),
    "alternatives.search": ("alternatives", "Alternative Alternatives MaterialMix alternatives"),
    "alternatives.usage_range": ("usage_range", "UsageShare"),
    "calendar.search": ("calendar", "Calendar Cause Cliff Interval Stretch calendar day_of"),
    "calendar.stretches": ("affected stretches", "Concerned"),
    "compare.planned": ("nearest planned", ""),
    "compare.records": ("compared differing", "Comparison FactLine MaterialLine MixLine Step"),
    "compare.search": ("compare", "compare compare_plans scenario_walk"),
    "ledger.items": ("items programs", "Item ItemKind"),
    "ledger.margins": ("margins", "CapacityValue Margins WaiverValue margins"),
    "ledger.records": ("billed", "Bill Ledger LedgerCell LedgerItem LedgerPart Method"),
    "ledger.search": ("ledger", "ledger"),
    "ledger.splitting": ("shapley splitting", ""),
    "repairs.demand_levers": ("demand_levers lever_search", ""),
    "repairs.levers": ("lattice levers", "LeverBounds LeverKind stated_bounds"),
    "repairs.records": ("repaired", "Gap LeverUse Repair Repairs"),
    "repairs.search": ("repairs", "repairs"),
    "repairs.supply_levers": ("supply_levers upstream_supply", ""),
    "repairs.trials": ("trials", ""),
    "stress.insurance": ("insurance", "first_loss insurance"),
    "stress.insured": ("insured insuring", "Insurance LossMet StockNeeded"),
    "stress.losses": ("losses", "KINDS Loss LossKind first_day loss_kind losses"),
    "stress.search": ("stress", "Shortfall Stress Stressed stress"),
    "why_not.search": ("why_not", "Asked Relaxed WhyNot why_not"),
}
"""Module below the questions -> modules that were here until version 0.1 and are that one now, and names that this package offered of it.

What is a question's own now is found by its old name for one version more.
"""
_MODULES = {name: home for home, (modules, _) in _MOVED.items() for name in modules.split()}
_NAMES = {name: home for home, (_, names) in _MOVED.items() for name in names.split()}
_RENAMED = {"Entering": "BreakEven", "Lifted": "Relaxed", "Share": "UsageShare", "Use": "LeverUse"}
"""Names that classes had until version 0.1."""


def forwarded(package: str) -> Callable[[str], Any]:
    """A package's `__getattr__` (PEP 562) that finds what has moved; its modules can be imported by their old names too."""
    for name, home in _MODULES.items():
        sys.modules.setdefault(f"{package}.{name}", _Moved(f"{package}.{name}", f"{_HOME}.{home}"))

    def get(name: str) -> Any:
        now = _RENAMED.get(name, name)
        if now in globals():
            return moved(f"{package}.{name}", f"{package}.{now}")
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
