"""Runs, checks, and lists as documents and as JSON."""

from ..lazy_exports import load_on_use

# Loaded on first use, because a list of plugins needs few of these modules.
_NAMES = {
    ".caveats": ["not_advice"],
    ".checks": [
        "by_cause",
        "check_data",
        "check_document",
        "errors_data",
        "problem_data",
        "problem_document",
        "problem_lines",
        "run_check_data",
        "run_check_document",
    ],
    ".formats": ["Format"],
    ".headline": ["Headline", "headline_of"],
    ".listing": [
        "Listing",
        "bill_row",
        "catalog_data",
        "catalog_document",
        "catalog_listing",
        "kind_data",
        "kind_document",
        "pack_data",
        "pack_document",
        "plugin_data",
        "plugin_document",
        "plugin_listing",
        "rule_document",
        "rule_listing",
        "rule_row",
    ],
    ".page": ["page_document"],
    ".plan": ["plan_document", "summary_document"],
}

__getattr__, __dir__, __all__ = load_on_use(__name__, _NAMES)
