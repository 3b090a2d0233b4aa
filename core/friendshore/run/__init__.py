"""Run folder <-> Run: what is written, what is read back, and where the two differ."""
# ruff: noqa: I001 - what the package offers is imported as itself, once, the names of a module together

from __future__ import annotations

from .compare import (
    differences as differences,
    differences_in_rows as differences_in_rows,
    differences_in_table as differences_in_table,
)
from .folder import (
    RunFolder as RunFolder,
    check_target as check_target,
    json_text as json_text,
    read_run as read_run,
    sign_run as sign_run,
    write_run as write_run,
)
from .sums import (
    CERTIFICATE_FILE as CERTIFICATE_FILE,
    SIGNATURE_FILE as SIGNATURE_FILE,
    SUMS_FILE as SUMS_FILE,
    read_sums as read_sums,
)
from .tables import (
    FACTS_FILE as FACTS_FILE,
    PURCHASES as PURCHASES,
    RUN_FILE as RUN_FILE,
    TABLES as TABLES,
    RunVerdict as RunVerdict,
    rows_of as rows_of,
)
