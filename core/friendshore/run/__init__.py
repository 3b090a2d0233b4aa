"""Run folder <-> Run: what is written, what is read back, and where the two differ."""

from __future__ import annotations

from .compare import differences, differences_in_rows, differences_in_table
from .folder import FACTS_FILE, RUN_FILE, RunFolder, check_target, json_text, read_run, write_run
from .tables import PURCHASES, TABLES, VERDICTS, RunTable, RunVerdict, rows_of

__all__ = [
    "FACTS_FILE",
    "PURCHASES",
    "RUN_FILE",
    "TABLES",
    "VERDICTS",
    "RunFolder",
    "RunTable",
    "RunVerdict",
    "check_target",
    "differences",
    "differences_in_rows",
    "differences_in_table",
    "json_text",
    "read_run",
    "rows_of",
    "write_run",
]
