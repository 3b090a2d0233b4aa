"""One entry of a file, a table of TOML or a row of CSV, parsed, and able to say what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ..domain.base import Fault, Fitting
from ..domain.quantities import Mass, UnitPrice
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
    others: dict[str, object] = field(default_factory=dict)
    """What stands under other names, as it is, where the layout keeps it."""
    bad: set[str] = field(default_factory=set)
    """Columns that cannot be read, or are missing though needed."""

    def problem(self, column: str, message: str, expected: str = "", fix: str = "") -> None:
        """Records a mistake; `column` may be empty for the entry as a whole."""
        self.report(column, message, expected, fix)

    def made(self, model: type[M], given: Mapping[str, object]) -> M | None:
        """The record of this entry from its fields as far as they could be read; None, once what is wrong has been recorded, if it cannot be made."""
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

    def record(self, model: type[M], currency: str = "", **more: Any) -> M | None:
        """The record that stands in this entry; None, once what is wrong has been recorded, if it cannot be made.

        `currency` is that of prices for which the record has no field; empty: any. `more` are fields that do not stand in it as they are.
        """
        return self.made(model, {**self.layout.stated(model, self.values), **self._of_what(model, currency), **more})

    def _of_what(self, model: type[BaseModel], currency: str) -> dict[str, Any]:
        """What its amounts are of, and the chain within it, where the record has fields for these; an amount that does not fit is told."""
        found: dict[str, Any] = {}
        if "substance" in model.model_fields:
            found["substance"] = self._substance()
        for column, amount in self._amounts():
            field = self.layout.of(model).get(column)
            if field is not None and amount.substance and "substance" not in model.model_fields:
                said = "kilograms as moved, like `300 kg`" if isinstance(amount, Mass) else "money per mass alone"
                self.problem(column, "a substance cannot be named here", said, "leave the substance out")
            apart = isinstance(amount, UnitPrice) and currency not in ("", amount.currency)
            if apart and field is not None and not field.currency:
                self.problem(column, f"the case is in {currency}", f"an amount in {currency}", "convert the amount")
        if "chain" in model.model_fields:
            from ..domain.facts import ChainEntry  # a run is read without the records of facts

            found["chain"] = tuple(filter(None, [part.record(ChainEntry) for part in self.parts("chain")]))
        return found

    def _amounts(self) -> Iterator[tuple[str, Mass | UnitPrice]]:
        """Every mass, and every price by mass, with its key."""
        for name in self.layout.names:
            value = self.values.get(name)
            for one in value if type(value) is tuple else (value,):
                if isinstance(one, Mass | UnitPrice):
                    yield name, one

    def _substance(self) -> str:
        """The one substance that the masses and prices of an entry are of; empty for the material's basis."""
        named: dict[str, str] = {}
        for column, amount in self._amounts():
            if not isinstance(amount, Mass) or amount.kg:
                named.setdefault(amount.substance or "", column)
        substances = sorted(name for name in named if name)
        if substances and len(named) > 1:
            odd, other = named.get("", named[substances[-1]]), named[substances[0]]
            own = "no substance" if "" in named else substances[-1]
            self.problem(
                odd,
                f"amounts of one entry are of different substances: `{odd}` names {own}, `{other}` names {substances[0]}",
                f"the same substance in `{odd}` and `{other}`",
                f"name {substances[0]} in both, or no substance in either",
            )
        return substances[0] if substances else ""

    def tell(self, faults: Iterable[Fault], columns: Mapping[str, str] = MappingProxyType({})) -> None:
        """Records what does not fit, by fields of a record; `columns`: field -> column, where the two are called otherwise."""
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
