"""A case as one workbook, and what a planner edits in it as a scenario of the case."""

from .tables import case_tables
from .write import case_workbook

__all__ = ["case_tables", "case_workbook"]
