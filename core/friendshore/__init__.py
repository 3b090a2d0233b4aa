"""friendshore: the cheapest compliant supplier mix for critical materials.

    import friendshore

    case = friendshore.load_case("case.toml")
    recommendation = friendshore.plan(case)
    print(recommendation.status, recommendation.cost.total)
    print(recommendation.to_frame("purchases"))

These names, those of `friendshore.document`, and those of `friendshore.solve` are the public interface (docs/reference/library). Everything else may
change without notice. Importing friendshore loads nothing heavy: each name is loaded on first use. Official plugins add names, such as
`friendshore.repairs`.
"""

from .lazy_exports import load_on_use
from .official import names_by_module, plugin_with_name

_NAMES = {
    ".case": ["CaseFormat", "load_case"],
    ".catalog": ["load_catalog"],
    ".cli": ["Command"],
    ".domain.case": ["Case", "DemandSpec"],
    ".domain.change": ["Change"],
    ".domain.evidence": ["Confidence", "Source"],
    ".domain.facts": [
        "CapacityStep",
        "Catalog",
        "ChainEntry",
        "Facility",
        "Lane",
        "Material",
        "Offer",
        "Place",
        "RecipeLine",
        "Status",
    ],
    ".domain.market": ["Price", "Rate"],
    ".domain.plan": ["Cost", "PlanStatus"],
    ".domain.run": ["Run"],
    ".domain.stages": ["Stage"],
    ".domain.time": ["Horizon", "PeriodLength"],
    ".domain.use": ["PASS", "Chained", "Move", "Result", "Use", "Verdict"],
    ".errors": [
        "Diagnostic",
        "FriendshoreError",
        "InputError",
        "OutOfTimeError",
        "PluginError",
        "SolverError",
        "VerificationError",
    ],
    ".hookspecs": ["hookimpl"],
    ".plugins": ["Registry"],
    ".plugins.interface": ["__version__"],
    ".questions": ["Question", "Setting"],
    ".questions.base": ["question_named"],
    ".questions.alternatives.find_alternatives": ["Alternatives", "alternatives"],
    ".questions.compare.comparison": ["Comparison"],
    ".questions.compare.compare_plans": ["compare", "compare_plans"],
    ".questions.why_not.find_why_not": ["WhyNot", "why_not"],
    ".readers": ["CaseFacts", "CatalogRows", "Reader", "ReadRequest", "TableRows"],
    ".recommend": ["CheckAnswer", "CheckRequest", "Opened", "Recommendation", "RunChecker", "plan", "reopen"],
    ".report": ["Format"],
    ".rules.base": ["Facts", "Phase", "Rule"],
    ".rules.pack": ["RulePack"],
    ".rules.rows": ["Row", "Rows"],
    ".run": ["read_run"],
    ".session": ["Answer", "Session"],
}

_load, __dir__, __all__ = load_on_use(__name__, {**_NAMES, **names_by_module()})


def __getattr__(name: str) -> object:
    try:
        return _load(name)
    except AttributeError:
        plugin = plugin_with_name(name)
        if plugin is None or plugin.is_installed:
            raise
    raise ModuleNotFoundError(
        f"`friendshore.{name}` is in the plugin {plugin.distribution}, which isn't installed: {plugin.install}",
        name=plugin.package,
    )
