"""A run, a check or a list, told: as text for a terminal and as JSON. Pure functions; nothing is printed or written here.

What is named here is loaded when it is first used: a list of plugins needs none of the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy_exports import load_on_use

if TYPE_CHECKING:
    from .checks import check_data, check_document, run_check_data, run_check_document
    from .conformance import conformance_data, conformance_document
    from .law import pack_data, pack_document, rule_document, rule_listing, rule_row
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

__all__ = [
    "Listing",
    "catalog_data",
    "catalog_document",
    "catalog_listing",
    "check_data",
    "check_document",
    "conformance_data",
    "conformance_document",
    "errors_data",
    "pack_data",
    "pack_document",
    "page_document",
    "plan_document",
    "plugin_data",
    "plugin_document",
    "plugin_listing",
    "problem_data",
    "problem_lines",
    "rule_document",
    "rule_listing",
    "rule_row",
    "run_check_data",
    "run_check_document",
    "summary_document",
]

_EXPORTS = {
    "Listing": "listing",
    "catalog_data": "listing",
    "catalog_listing": "listing",
    "catalog_document": "listing",
    "check_data": "checks",
    "check_document": "checks",
    "conformance_data": "conformance",
    "conformance_document": "conformance",
    "errors_data": "problems",
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
    "rule_listing": "law",
    "rule_row": "law",
    "rule_document": "law",
    "run_check_data": "checks",
    "run_check_document": "checks",
}

__getattr__, __dir__ = load_on_use(__name__, _EXPORTS)
