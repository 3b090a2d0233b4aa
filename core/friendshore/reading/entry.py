"""One entry of a file, a table of TOML or a row of CSV, parsed, and able to say what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ..domain.base import Fault, Fitting
from .fields import Layout
from .records import complaints

M = TypeVar("M", bound=BaseModel)

Report = Callable[[str, str, str, str], None]
"""Records a mistake: column or key, message, expected, fix."""


@dataclass(slots=True)
class Entry:
    """Parsed values by column or key."""

    report: Report
    layout: Layout
    values: dict[str, Any] = field(default_factory=dict)
    """A value that is blank or cannot be read is absent. A table within is an `Entry`, a list of tables a list of them."""
    others: dict[str, Any] = field(default_factory=dict)
    """What stands under other names, as it is, where the layout keeps it."""
    bad: set[str] = field(default_factory=set)
    """Columns that cannot be read, or are missing though needed."""

    def problem(self, column: str, message: str, expected: str = "", fix: str = "") -> None:
        """Records a mistake; `column` may be empty for the entry as a whole."""
        self.report(column, message, expected, fix)

    def made(self, model: type[M], given: Mapping[str, Any]) -> M | None:
        """The record of this entry; None, once what is wrong has been recorded, if it cannot be made.

        Args:
            model: what it is to become.
            given: its fields, as far as they could be read.
        """
        columns = self.layout.columns(model)
        if self.bad:
            unread = {field for field, column in columns.items() if column in self.bad} | self.bad
            if issubclass(model, Fitting):
                self.tell((fault for fault in model.faults(given) if fault.known(unread)), columns)
            return None
        try:
            return model(**given)
        except ValidationError as error:
            for told in complaints(model, error):
                self.problem(columns.get(told.column, told.column), told.message, told.expected, told.fix)
            return None

    def tell(self, faults: Iterable[Fault], columns: Mapping[str, str] = MappingProxyType({})) -> None:
        """Records what does not fit.

        Args:
            faults: by fields of a record.
            columns: field -> column, where the two are called otherwise.
        """
        for fault in faults:
            self.problem(columns.get(fault.field, fault.field), fault.message, fault.expected, fault.fix)

    def part(self, name: str) -> Entry:
        """The table `name` within; an empty one if it is not there."""
        found = self.values.get(name)
        inside = next((field.inside for field in self.layout.fields if field.name == name), None)
        return found if isinstance(found, Entry) else Entry(self.report, inside or self.layout)

    def parts(self, name: str) -> list[Entry]:
        """The list of tables `name` within."""
        found = self.values.get(name, [])
        return found if isinstance(found, list) else []

    def pick(self, **names: str) -> dict[str, Any]:
        """The values under the names of a record's fields (`field="column"`); blank ones are left out."""
        return {name: self.values[column] for name, column in names.items() if column in self.values}
