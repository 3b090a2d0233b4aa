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
    from .plugins import Registry
    from .plugins.interface import __version__
    from .questions.alternatives.search import Alternatives, alternatives
    from .questions.calendar.search import Calendar, calendar
    from .questions.compare.records import Comparison
    from .questions.compare.search import compare, compare_plans
    from .questions.ledger.records import Ledger
    from .questions.ledger.search import ledger
    from .questions.repairs.records import Repairs
    from .questions.repairs.search import repairs
    from .questions.stress.insurance import insurance
    from .questions.stress.insured import Insurance
    from .questions.stress.search import Stress, stress
    from .questions.why_not.search import WhyNot, why_not
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
    "Calendar": "questions.calendar.search",
    "calendar": "questions.calendar.search",
    "Alternatives": "questions.alternatives.search",
    "alternatives": "questions.alternatives.search",
    "Comparison": "questions.compare.records",
    "compare": "questions.compare.search",
    "compare_plans": "questions.compare.search",
    "Insurance": "questions.stress.insured",
    "Recommendation": "recommend",
    "Ledger": "questions.ledger.records",
    "Registry": "plugins",
    "Repairs": "questions.repairs.records",
    "Stress": "questions.stress.search",
    "insurance": "questions.stress.insurance",
    "ledger": "questions.ledger.search",
    "load_case": "case",
    "plan": "recommend",
    "read_catalog": "catalog",
    "repairs": "questions.repairs.search",
    "stress": "questions.stress.search",
    "WhyNot": "questions.why_not.search",
    "why_not": "questions.why_not.search",
}

__getattr__, __dir__ = load_on_use(__name__, _EXPORTS)
