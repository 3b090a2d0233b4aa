"""A run, a check or a list, told: as text for a terminal and as JSON. Pure functions; nothing is printed or written here.

What is named here is loaded when it is first used: a list of plugins needs none of the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy_exports import load_on_use

if TYPE_CHECKING:
    from .alternatives import alternatives_report
    from .calendar import calendar_report
    from .checks import check_data, check_report, run_check_data, run_check_report
    from .comparison import comparison_report
    from .conformance import conformance_data, conformance_report
    from .insurance import insurance_report
    from .law import pack_data, pack_text, rule_listing, rule_row, rule_text
    from .ledger import ledger_report
    from .listing import Listing, catalog_data, catalog_listing, catalog_text, plugin_data, plugin_listing, plugin_text
    from .markdown import markdown_report
    from .plan import plan_report, plan_summary
    from .problems import errors_data, problem_data, problem_lines
    from .repairs import repairs_report, repairs_toml
    from .stress import stress_document
    from .why_not import why_not_report

__all__ = [
    "Listing",
    "alternatives_report",
    "calendar_report",
    "catalog_data",
    "catalog_listing",
    "catalog_text",
    "check_data",
    "check_report",
    "comparison_report",
    "conformance_data",
    "conformance_report",
    "errors_data",
    "insurance_report",
    "ledger_report",
    "markdown_report",
    "pack_data",
    "pack_text",
    "plan_report",
    "plan_summary",
    "plugin_data",
    "plugin_listing",
    "plugin_text",
    "problem_data",
    "problem_lines",
    "repairs_report",
    "repairs_toml",
    "rule_listing",
    "rule_row",
    "rule_text",
    "run_check_data",
    "run_check_report",
    "stress_document",
    "why_not_report",
]

_EXPORTS = {
    "Listing": "listing",
    "alternatives_report": "alternatives",
    "calendar_report": "calendar",
    "catalog_data": "listing",
    "catalog_listing": "listing",
    "catalog_text": "listing",
    "check_data": "checks",
    "check_report": "checks",
    "comparison_report": "comparison",
    "conformance_data": "conformance",
    "conformance_report": "conformance",
    "errors_data": "problems",
    "insurance_report": "insurance",
    "ledger_report": "ledger",
    "markdown_report": "markdown",
    "pack_data": "law",
    "pack_text": "law",
    "plan_report": "plan",
    "plan_summary": "plan",
    "plugin_data": "listing",
    "plugin_listing": "listing",
    "plugin_text": "listing",
    "problem_data": "problems",
    "problem_lines": "problems",
    "repairs_report": "repairs",
    "repairs_toml": "repairs",
    "rule_listing": "law",
    "rule_row": "law",
    "rule_text": "law",
    "run_check_data": "checks",
    "run_check_report": "checks",
    "stress_document": "stress",
    "why_not_report": "why_not",
}

__getattr__, __dir__ = load_on_use(__name__, _EXPORTS)
