"""What stood here until version 0.1 and is a question's own now: found by its old name, which says the new one, for one version more."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

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
    "differing": "compare.differing",
    "insurance": "stress.insurance",
    "insured": "stress.insured",
    "insuring": "stress.insuring",
    "items": "ledger.items",
    "landed": "alternatives.landed",
    "lattice": "repairs.lattice",
    "ledger": "ledger.search",
    "lever_search": "repairs.lever_search",
    "levers": "repairs.levers",
    "losses": "stress.losses",
    "margins": "ledger.margins",
    "nearest": "compare.nearest",
    "planned": "compare.planned",
    "programs": "ledger.items",
    "repaired": "repairs.records",
    "repairs": "repairs.search",
    "shapley": "ledger.shapley",
    "splitting": "ledger.splitting",
    "stress": "stress.search",
    "stretches": "calendar.stretches",
    "supply_levers": "repairs.supply_levers",
    "trials": "repairs.trials",
    "upstream_supply": "repairs.supply_levers",
    "usage_range": "alternatives.usage_range",
    "why_not": "why_not.search",
}
"""Module that was here -> where it is below the questions."""
_NAMES = {
    "Alternative": "alternatives.search",
    "Alternatives": "alternatives.search",
    "Asked": "why_not.search",
    "Bill": "ledger.records",
    "BreakEven": "why_not.break_even",
    "Calendar": "calendar.search",
    "CapacityValue": "ledger.margins",
    "Cause": "calendar.search",
    "Cliff": "calendar.search",
    "Comparison": "compare.records",
    "Concerned": "calendar.stretches",
    "FactLine": "compare.records",
    "Gap": "repairs.records",
    "Insurance": "stress.insured",
    "Interval": "calendar.search",
    "Item": "ledger.items",
    "ItemKind": "ledger.items",
    "KINDS": "stress.losses",
    "Landed": "alternatives.landed",
    "Ledger": "ledger.records",
    "LedgerCell": "ledger.records",
    "LedgerItem": "ledger.records",
    "LedgerPart": "ledger.records",
    "LeverBounds": "repairs.levers",
    "LeverKind": "repairs.levers",
    "LeverUse": "repairs.records",
    "Loss": "stress.losses",
    "LossKind": "stress.losses",
    "LossMet": "stress.insured",
    "Margins": "ledger.margins",
    "MaterialLine": "compare.records",
    "MaterialMix": "alternatives.search",
    "Method": "ledger.records",
    "MixLine": "compare.records",
    "Relaxed": "why_not.search",
    "Repair": "repairs.records",
    "Repairs": "repairs.records",
    "Shortfall": "stress.search",
    "StageCheck": "alternatives.compliance",
    "Step": "compare.records",
    "StockNeeded": "stress.insured",
    "Stress": "stress.search",
    "Stressed": "stress.search",
    "Stretch": "calendar.search",
    "UsageShare": "alternatives.usage_range",
    "WaiverValue": "ledger.margins",
    "WhyNot": "why_not.search",
    "alternatives": "alternatives.search",
    "break_even_price": "why_not.break_even",
    "calendar": "calendar.search",
    "compare": "compare.search",
    "compare_plans": "compare.search",
    "day_of": "calendar.search",
    "first_day": "stress.losses",
    "first_loss": "stress.insurance",
    "insurance": "stress.insurance",
    "ledger": "ledger.search",
    "loss_kind": "stress.losses",
    "losses": "stress.losses",
    "margins": "ledger.margins",
    "repairs": "repairs.search",
    "scenario_walk": "compare.search",
    "stated_bounds": "repairs.levers",
    "stress": "stress.search",
    "why_not": "why_not.search",
}
"""Name that this package offered -> the module that holds it."""
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
            return _found(f"{package}.{name}", f"{_HOME}.{_NAMES[now]}", now)
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
        return _found(f"{self.__name__}.{name}", self.__dict__["_home"], name)


def _found(old: str, home: str, name: str) -> Any:
    found = getattr(import_module(home), name)
    warnings.warn(f"{old} is now {home}.{name}", DeprecationWarning, stacklevel=3)
    return found
