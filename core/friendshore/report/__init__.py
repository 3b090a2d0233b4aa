"""A run, a check or a list, told: as text for a terminal and as JSON. Pure functions; nothing is printed or written here.

What is named here is loaded when it is first used: a list of plugins needs none of the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy_exports import load_on_use

if TYPE_CHECKING:
    from .alternatives import alternatives_document
    from .calendar import calendar_document
    from .checks import check_data, check_document, run_check_data, run_check_document
    from .comparison import comparison_document
    from .conformance import conformance_data, conformance_document
    from .insurance import insurance_document
    from .law import pack_data, pack_document, rule_document, rule_listing, rule_row
    from .ledger import ledger_document
    from .listing import (
        Listing,
        catalog_data,
        catalog_document,
        catalog_listing,
        plugin_data,
        plugin_document,
        plugin_listing,
    )
    from .page import page_document
    from .plan import plan_document, summary_document
    from .problems import errors_data, problem_data, problem_lines
    from .repairs import repairs_document
    from .stress import stress_document
    from .why_not import why_not_document

__all__ = [
    "Listing",
    "alternatives_document",
    "calendar_document",
    "catalog_data",
    "catalog_document",
    "catalog_listing",
    "check_data",
    "check_document",
    "comparison_document",
    "conformance_data",
    "conformance_document",
    "errors_data",
    "insurance_document",
    "ledger_document",
    "pack_data",
    "pack_document",
    "page_document",
    "plan_document",
    "plugin_data",
    "plugin_document",
    "plugin_listing",
    "problem_data",
    "problem_lines",
    "repairs_document",
    "rule_document",
    "rule_listing",
    "rule_row",
    "run_check_data",
    "run_check_document",
    "stress_document",
    "summary_document",
    "why_not_document",
]

_EXPORTS = {
    "Listing": "listing",
    "alternatives_document": "alternatives",
    "calendar_document": "calendar",
    "catalog_data": "listing",
    "catalog_listing": "listing",
    "catalog_document": "listing",
    "check_data": "checks",
    "check_document": "checks",
    "comparison_document": "comparison",
    "conformance_data": "conformance",
    "conformance_document": "conformance",
    "errors_data": "problems",
    "insurance_document": "insurance",
    "ledger_document": "ledger",
    "page_document": "page",
    "pack_data": "law",
    "pack_document": "law",
    "plan_document": "plan",
    "summary_document": "plan",
    "plugin_data": "listing",
    "plugin_listing": "listing",
    "plugin_document": "listing",
    "problem_data": "problems",
    "problem_lines": "problems",
    "repairs_document": "repairs",
    "rule_listing": "law",
    "rule_row": "law",
    "rule_document": "law",
    "run_check_data": "checks",
    "run_check_document": "checks",
    "stress_document": "stress",
    "why_not_document": "why_not",
}

__getattr__, __dir__ = load_on_use(__name__, _EXPORTS)
