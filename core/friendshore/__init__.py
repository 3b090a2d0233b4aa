"""friendshore: the cheapest compliant supplier mix for critical materials.

    import friendshore

    case = friendshore.load_case("case.toml")
    recommendation = friendshore.plan(case)
    print(recommendation.status, recommendation.cost.total)
    print(recommendation.to_frame("purchases"))

Importing friendshore does nothing and loads nothing heavy; what is named here is loaded when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .lazy_exports import load_on_use

if TYPE_CHECKING:
    from .case import load_case
    from .catalog import read_catalog
    from .explain.alternatives import Alternatives, alternatives
    from .explain.billed import Ledger
    from .explain.calendar import Calendar, calendar
    from .explain.compare import compare, compare_plans
    from .explain.compared import Comparison
    from .explain.insurance import insurance
    from .explain.insured import Insurance
    from .explain.ledger import ledger
    from .explain.repaired import Repairs
    from .explain.repairs import repairs
    from .explain.stress import Stress, stress
    from .explain.why_not import WhyNot, why_not
    from .plugins import Registry
    from .plugins.interface import __version__
    from .recommend import Recommendation, plan

__all__ = [
    "Alternatives",
    "Calendar",
    "Comparison",
    "Insurance",
    "Ledger",
    "Recommendation",
    "Registry",
    "Repairs",
    "Stress",
    "WhyNot",
    "__version__",
    "alternatives",
    "calendar",
    "compare",
    "compare_plans",
    "insurance",
    "ledger",
    "load_case",
    "plan",
    "read_catalog",
    "repairs",
    "stress",
    "why_not",
]

_EXPORTS = {
    "__version__": "plugins.interface",
    "Calendar": "explain",
    "calendar": "explain",
    "Alternatives": "explain",
    "alternatives": "explain",
    "Comparison": "explain",
    "compare": "explain",
    "compare_plans": "explain",
    "Insurance": "explain",
    "Recommendation": "recommend",
    "Ledger": "explain",
    "Registry": "plugins",
    "Repairs": "explain",
    "Stress": "explain",
    "insurance": "explain",
    "ledger": "explain",
    "load_case": "case",
    "plan": "recommend",
    "read_catalog": "catalog",
    "repairs": "explain",
    "stress": "explain",
    "WhyNot": "explain",
    "why_not": "explain",
}

__getattr__, __dir__ = load_on_use(__name__, _EXPORTS)
