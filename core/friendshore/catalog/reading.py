"""State of a catalog while it is read: records from rows, in the basis of materials, checked against other rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from ..domain.base import exact
from ..domain.basis import Factors, basis_factor, missing_factor
from ..domain.facts import Material, RecipeLine, WithFacts
from ..domain.quantities import Mass, UnitPrice
from ..errors import Diagnostic
from ..reading.csvfile import TABLE_ROWS, Table, TableRow
from ..reading.fields import Layout
from .columns import SOURCES
from .known import ALL_IDS, IDS_IN, CrossChecks, KnownIds, key_of
from .tables import CatalogTables

M = TypeVar("M", bound=BaseModel)

_ENDS = frozenset(("price_low", "price_high"))
"""Columns of the ends of a price range, which share its currency."""
_WEIGHED = frozenset({Mass, UnitPrice})
"""Quantities that refer to a substance or a material's basis."""


@dataclass(slots=True)
class CatalogReading:
    """A catalog while it is read: its tables, the ids known so far, and the errors found."""

    name: str
    tables: CatalogTables
    """Location of its tables."""
    known: KnownIds
    found: list[Diagnostic]
    read: dict[str, Table | None] = field(default_factory=dict)
    """File name -> table, for tables that were read. None if there is no such file."""
    factors: Factors = field(default_factory=Factors)
    factors_broken: bool = False
    """True if a factor row has an error, so that a failed conversion isn't one of its own."""
    offers_broken: bool = False
    """True if an offer's row has an error, so that the outputs of its facility are unknown."""
    _rows: int = 0
    """Number of rows read so far."""
    _too_many: bool = False
    _full: dict[str, str] = field(default_factory=dict)
    """Name of evidence in cells -> full id."""
    _kilograms: dict[str, RecipeLine] = field(default_factory=dict)
    _ratios: dict[tuple[str, str], Decimal | None] = field(default_factory=dict)
    checks: CrossChecks = field(init=False)

    def __post_init__(self) -> None:
        self.checks = CrossChecks(self.name, self.known)
        self.checks.sites |= self.known.places
        self.checks.series |= {name: material for name, material in self.known.benchmarks.items() if material}

    def table(self, layout: Layout) -> Table:
        """Return a table, read on first access. Without a file it has no rows."""
        if layout.name not in self.read:
            table = None if self._too_many else self.tables.table(layout, self.found)
            self.read[layout.name] = table
            if table is not None:
                self._count(table)
                if not table.whole:
                    self.known.unsure.update(IDS_IN.get(layout.name, ()))
        return self.read[layout.name] or Table(layout, layout.name, self.found)

    def _count(self, table: Table) -> None:
        """Count a table's rows. Beyond the limit for all tables together, its rows are dropped."""
        self._rows += len(table.rows)
        if self._rows > TABLE_ROWS:
            table.too_many(f"{self._rows:,}", "rows, together with the catalog's other tables")
            self._too_many = True
            self.known.unsure |= ALL_IDS
            for other in filter(None, self.read.values()):
                other.let_go()

    def refers(self, row: TableRow, column: str, what: str, ids: Collection[str] | None = None) -> bool:
        """Return True if a cell names something that exists, one of `ids` if they are given. A blank cell is no mistake here."""
        word = row.values.get(column)
        if word is None:
            return False
        ids = self.known.named(what) if ids is None else ids
        if word in ids:
            return True
        row.tell(self.checks.unknown(what, word, column, ids))
        return False

    def full(self, word: str) -> str:
        """Return the full id of the evidence that a cell names: the same text for all cells."""
        if word not in self._full:
            self._full[word] = word if ":" in word or not word else f"{self.name}:{word}"
        return self._full[word]

    def _check(self, row: TableRow, model: type[BaseModel], given: Mapping[str, Any], only: str) -> None:
        """Report what doesn't fit between the fields of a row and other rows."""
        for fault in self.checks.faults(model, given):
            column = row.layout.columns(model)[fault.field]
            if column in row.bad or only not in ("", fault.field):
                continue
            if fault.field == "source" and self.read[SOURCES.name] is None and ":" not in row.values[column]:
                self._sources_missing(row.table)
            else:
                row.problem(column, fault.message, fault.expected, fault.fix)

    def _sources_missing(self, table: Table) -> None:
        """Report missing sources once for the table instead of for every figure."""
        file = str(Path(table.file).with_name(SOURCES.name)) if table.file.endswith(".csv") else table.file
        problem = Diagnostic(
            f"there is no {SOURCES.name}, which rows of {Path(table.file).name} and others name sources of",
            file,
            expected="a row for every source, with its id, reference, date and confidence",
            fix="add the file; if it is there, see that it comes into the package",
        )
        if not any(one.expected == problem.expected for one in self.found):
            self.found.append(problem)

    def material(self, row: TableRow) -> Material | None:
        """Return the material that a row names. Return None if it names none, or if the material's row has a mistake."""
        return self.known.materials.get(row.values.get("material", ""))

    def kilogram(self, material: Material) -> RecipeLine:
        """Return a kilogram of a material as the only output of an offer. All such offers share it."""
        if material.id not in self._kilograms:
            self._kilograms[material.id] = RecipeLine(material=material.id, per_unit=Decimal(1))
        return self._kilograms[material.id]

    def ratio(self, material: Material, substance: str) -> Decimal | None:
        """Return the kilograms of the material's basis per kilogram of `substance`."""
        key = (material.id, substance)
        if key not in self._ratios:
            self._ratios[key] = basis_factor(material, substance, self.factors)
        return self._ratios[key]

    def _in_basis(
        self, row: TableRow, column: str, amount: Mass | UnitPrice, material: Material
    ) -> Mass | UnitPrice | None:
        """Return a mass or price in the material's basis. If it can't be converted, record an error and return None."""
        assert amount.substance is not None
        ratio = self.ratio(material, amount.substance)
        if ratio is not None:
            if isinstance(amount, UnitPrice):
                return UnitPrice(exact(amount.amount / ratio), amount.currency, None)
            return Mass(exact(amount.kg * ratio), None)
        if not self.factors_broken:
            element, compound = missing_factor(material, amount.substance, self.factors)
            row.problem(
                column,
                f"kilograms of {amount.substance} cannot be converted to the basis of `{material.id}` ({material.basis})",
                expected=f"a factor that says how much {element} is in a kilogram of {compound}",
                fix=f"add to factors.csv: {element},{compound},<kg per kg>,<source>",
            )
        return None

    def given(
        self,
        row: TableRow,
        record: type[BaseModel],
        one: Material | Callable[[str], Material | None] | None = None,
        only: str = "",
    ) -> dict[str, Any]:
        """The fields of a record that a row states, amounts in the material's basis, sources by their full id.

        Where an amount cannot be converted, that has been told, and its column is bad. `one` is the material in whose basis amounts are to
        be, or finds it for a column that names a substance, and tells if there is none. `only`: the field whose references are checked;
        empty: all.
        """
        values = row.values
        for column in [c for c, value in values.items() if type(value) in _WEIGHED and value.substance is not None]:
            material = one(column) if callable(one) else one
            amount = values.pop(column)
            converted = None if material is None else self._in_basis(row, column, amount, material)
            if converted is None:
                row.bad |= {column}
            else:
                values[column] = converted
        for column in _ENDS & values.keys() if "price" in values else ():
            if values[column].currency != values["price"].currency:
                expected = f"an amount in {values['price'].currency}, as the price"
                row.problem(column, "the range is in another currency than the price", expected)
                row.bad |= {column}
                del values[column]
        found = row.layout.stated(record, values)
        source = row.layout.columns(record).get("source")
        if source is not None:
            found["source"] = self.full(values.get(source, ""))
        if issubclass(record, WithFacts):
            found["facts"] = row.facts
        self._check(row, record, found, only)
        return found

    def made(self, layout: Layout, model: type[M]) -> Iterator[tuple[TableRow, M]]:
        """Yield the rows of a table that make a record, with it."""
        for row in self.table(layout).unique():
            record = row.made(model, self.given(row, model))
            if record is not None:
                yield row, record

    def records(self, layout: Layout, model: type[M]) -> tuple[M, ...]:
        """Return the records of a table, sorted by their key."""
        attributes, _ = key_of(model, layout)
        records = (record for _, record in self.made(layout, model))
        return tuple(sorted(records, key=lambda record: tuple(getattr(record, name) for name in attributes)))
