# The names of this package for type checkers; `__init__.py` lists the same.
# ruff: noqa: I001 - a module to a statement

from .caveats import not_advice as not_advice
from .checks import (
    by_cause as by_cause,
    check_data as check_data,
    check_document as check_document,
    errors_data as errors_data,
    problem_data as problem_data,
    problem_document as problem_document,
    problem_lines as problem_lines,
    run_check_data as run_check_data,
    run_check_document as run_check_document,
)
from .formats import Format as Format
from .headline import Headline as Headline, headline_of as headline_of
from .listing import (
    Listing as Listing,
    bill_row as bill_row,
    catalog_data as catalog_data,
    catalog_document as catalog_document,
    catalog_listing as catalog_listing,
    kind_data as kind_data,
    kind_document as kind_document,
    pack_data as pack_data,
    pack_document as pack_document,
    plugin_data as plugin_data,
    plugin_document as plugin_document,
    plugin_listing as plugin_listing,
    rule_document as rule_document,
    rule_listing as rule_listing,
    rule_row as rule_row,
)
from .page import page_document as page_document
from .plan import plan_document as plan_document, summary_document as summary_document
