"""A case as one workbook, and what a planner edits in it as a scenario of the case."""

from .read_back import Edits, edits_of, with_scenario
from .tables import case_tables
from .write import case_workbook

__all__ = ["Edits", "case_tables", "case_workbook", "edits_of", "with_scenario"]
