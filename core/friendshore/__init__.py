"""friendshore: the cheapest compliant supplier mix for critical materials.

    import friendshore

    case = friendshore.load_case("case.toml")
    recommendation = friendshore.plan(case)
    print(recommendation.status, recommendation.cost.total)
    print(recommendation.to_frame("purchases"))

Importing friendshore loads nothing heavy: each name is loaded on first use.
"""

from .lazy_exports import load_on_use

_NAMES = {
    ".case": ["load_case"],
    ".catalog": ["read_catalog"],
    ".plugins": ["Registry"],
    ".plugins.interface": ["__version__"],
    ".questions.alternatives.search": ["Alternatives", "alternatives"],
    ".questions.calendar.search": ["Calendar", "calendar"],
    ".questions.compare.records": ["Comparison"],
    ".questions.compare.search": ["compare", "compare_plans"],
    ".questions.ledger.records": ["Ledger"],
    ".questions.ledger.search": ["ledger"],
    ".questions.repairs.records": ["Repairs"],
    ".questions.repairs.search": ["repairs"],
    ".questions.why_not.search": ["WhyNot", "why_not"],
    ".recommend": ["Recommendation", "plan"],
}

__getattr__, __dir__, __all__ = load_on_use(__name__, _NAMES)
