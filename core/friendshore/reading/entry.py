"""One entry of a file, a table of TOML or a row of CSV, parsed, and able to say what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Report = Callable[[str, str, str, str], None]
"""Records a mistake: column or key, message, expected, fix."""


@dataclass(slots=True)
class Entry:
    """Parsed values by column or key."""

    report: Report
    values: dict[str, Any] = field(default_factory=dict)
    """A value that is blank or cannot be read is absent. A table within is an `Entry`, a list of tables a list of them."""
    others: dict[str, Any] = field(default_factory=dict)
    """What stands under other names, as it is, where the layout keeps it."""
    bad: set[str] = field(default_factory=set)
    """Columns that cannot be read, or are missing though needed."""

    def problem(self, column: str, message: str, expected: str = "", fix: str = "") -> None:
        """Records a mistake; `column` may be empty for the entry as a whole."""
        self.report(column, message, expected, fix)

    def part(self, name: str) -> Entry:
        """The table `name` within; an empty one if it is not there."""
        found = self.values.get(name)
        return found if isinstance(found, Entry) else Entry(self.report)

    def parts(self, name: str) -> list[Entry]:
        """The list of tables `name` within."""
        found = self.values.get(name, [])
        return found if isinstance(found, list) else []

    def pick(self, **names: str) -> dict[str, Any]:
        """The values under the names of a record's fields (`field="column"`); blank ones are left out."""
        return {name: self.values[column] for name, column in names.items() if column in self.values}
