"""friendshore: the cheapest compliant supplier mix for critical materials.

    import friendshore

    case = friendshore.load_case("case.toml")
    recommendation = friendshore.plan(case)
    print(recommendation.status, recommendation.cost.total)
    print(recommendation.to_frame("purchases"))

Importing friendshore does nothing and loads nothing heavy; what is named here is loaded when it is first used.
"""

from .lazy_exports import stated_names

__getattr__, __dir__, __all__ = stated_names(__name__, __file__)
