"""Run folder <-> Run: what is written, what is read back, and where the two differ."""

from __future__ import annotations

from .compare import differences, differences_in_rows, differences_in_table
from .folder import RunFolder, check_target, json_text, read_run, sign_run, write_run
from .signing import SIGNATURE_FILE, SUMS_FILE, read_sums
from .tables import FACTS_FILE, PURCHASES, RUN_FILE, TABLES, VERDICTS, RunTable, RunVerdict, rows_of

__all__ = [
    "FACTS_FILE",
    "PURCHASES",
    "RUN_FILE",
    "SIGNATURE_FILE",
    "SUMS_FILE",
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
    "read_sums",
    "rows_of",
    "sign_run",
    "write_run",
]
