"""A run folder checked against itself: its facts against its plan, its plan against all that is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import PluginError, VerificationError
from ..errors import Problem as Finding
from ..plugins import Registry
from ..run import (
    PURCHASES,
    RUN_FILE,
    TABLES,
    RunFolder,
    differences,
    differences_in_rows,
    differences_in_table,
    read_run,
    rows_of,
)
from .recheck import Rechecked, recheck
from .verdicts import verdicts

_FREE_OF_RULES = ("quantity_kg", "price", "freight", "countries", "country", "facility", "supplier", "delivered")
"""What of a purchase no rule has a say in."""
_OF_FACTS = (*_FREE_OF_RULES, "cost", "charges", "share_of_demand", "confidence", "catalog")
"""What of a purchase follows from the facts even of a plan that does not hold."""


@dataclass(frozen=True, slots=True)
class RunCheck:
    """What a check of a run folder finds."""

    case: str
    findings: tuple[Finding, ...]
    """All that is not so."""
    unchecked: tuple[Finding, ...]
    """Rules left unverified: their plugin is missing here, or is not the one used."""
    notes: tuple[str, ...]
    """Installed data that is not what was used; no mistake of the run."""

    @property
    def verified(self) -> bool:
        """Whether everything in the folder was derived again, and is so."""
        return not self.findings and not self.unchecked

    @property
    def exit_code(self) -> int:
        """That of the worst finding."""
        if self.findings:
            return VerificationError.exit_code
        return PluginError.exit_code if self.unchecked else 0


def verify_run(folder: Path, registry: Registry) -> RunCheck:
    """Checks a run folder from its files alone.

    Raises:
        InputError: if a file of it is missing or cannot be read.
        PluginError: if its facts cannot be put together for want of a plugin.
    """
    stored = read_run(folder)
    again = recheck(stored.facts, stored.run, registry)
    told = _whole(stored, again) if again.run is not None else _purchases(stored, again)
    found = dict.fromkeys((*again.findings, *told))
    return RunCheck(stored.run.case, tuple(found), again.unchecked, again.notes)


def _whole(stored: RunFolder, again: Rechecked) -> list[Finding]:
    """Everything that `run.json` and the tables say, against what the facts give."""
    assert again.run is not None and again.verified is not None
    expected = again.run.model_dump(mode="json", by_alias=True)
    found = differences(stored.told, expected, stored.folder / RUN_FILE)
    judged = verdicts(again.verified)
    for table in TABLES:
        found += differences_in_table(table, stored.tables[table.file], rows_of(table, again.run, judged))
    return found


def _purchases(stored: RunFolder, again: Rechecked) -> list[Finding]:
    """Where the plan does not hold, or a rule is missing: the purchases, and whether the tables say what `run.json` says."""
    only = _FREE_OF_RULES if again.verified is not None else _OF_FACTS
    expected = [purchase.model_dump(mode="json", by_alias=True) for purchase in again.purchases]
    found = differences_in_rows(stored.told["purchases"], expected, PURCHASES.field, stored.folder / RUN_FILE, only)
    for table in TABLES:
        if table.field:
            rows = rows_of(table, stored.run, ())
            found += differences_in_table(table, stored.tables[table.file], rows, f"{RUN_FILE} gives")
    return found
