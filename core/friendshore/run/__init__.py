"""Run folders: writing, reading, and differences from the facts."""
# ruff: noqa: I001 - what the package offers is imported as itself, once, the names of a module together

from __future__ import annotations

from .folder import (
    CERTIFICATE_FILE as CERTIFICATE_FILE,
    RunFolder as RunFolder,
    SIGNATURE_FILE as SIGNATURE_FILE,
    SUMS_FILE as SUMS_FILE,
    add_to_run as add_to_run,
    added_files as added_files,
    check_target as check_target,
    read_run as read_run,
    read_sums as read_sums,
    sign_run as sign_run,
    write_run as write_run,
)
from .json_files import json_text as json_text
from .tables import (
    FACTS_FILE as FACTS_FILE,
    PURCHASES as PURCHASES,
    RUN_FILE as RUN_FILE,
    RunVerdict as RunVerdict,
    TABLES as TABLES,
    differences as differences,
    differences_in_rows as differences_in_rows,
    differences_in_table as differences_in_table,
    rows_of as rows_of,
)
