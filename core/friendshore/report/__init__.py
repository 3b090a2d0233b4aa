"""A run, a check or a list, told: as text for a terminal and as JSON. Pure functions; nothing is printed or written here."""

from __future__ import annotations

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
from .stress import stress_report
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
    "stress_report",
    "why_not_report",
]
