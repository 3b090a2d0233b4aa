"""State of a catalog while it is read: rows become records in the basis of materials, checked against other rows."""

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
from ..reading.csvfile import MAX_TABLE_ROWS, Table, TableRow
from ..reading.fields import Layout
from .columns import SOURCES
from .known import ALL_IDS, IDS_IN, CrossChecks, KnownIds, key_fields
from .tables import CatalogTables

M = TypeVar("M", bound=BaseModel)

_RANGE_COLUMNS = frozenset(("price_low", "price_high"))
_PER_MASS = frozenset({Mass, UnitPrice})


@dataclass(slots=True)
class CatalogReading:
    """A catalog while it is read: its tables, the ids known so far, and its problems."""

    name: str
    tables: CatalogTables
    known: KnownIds
    problems: list[Diagnostic]
    table_by_name: dict[str, Table | None] = field(default_factory=dict)
    """Tables that were read, by file name. None if there is no such file."""
    factors: Factors = field(default_factory=Factors)
    factors_broken: bool = False
    """True if a factor row has an error, so that a failed conversion isn't one of its own."""
    offers_broken: bool = False
    """True if an offer's row has an error, so that the outputs of its facility are unknown."""
    _row_count: int = 0
    _has_too_many_rows: bool = False
    _source_ids: dict[str, str] = field(default_factory=dict)
    """Name of evidence in cells -> full id. All records of a source share the text."""
    _kilograms: dict[str, RecipeLine] = field(default_factory=dict)
    _ratios: dict[tuple[str, str], Decimal | None] = field(default_factory=dict)
    checks: CrossChecks = field(init=False)

    def __post_init__(self) -> None:
        self.checks = CrossChecks(self.name, self.known)
        self.checks.country_by_site |= self.known.places
        self.checks.material_by_benchmark |= {
            name: material for name, material in self.known.benchmarks.items() if material
        }

    def table(self, layout: Layout) -> Table:
        """Return a table, read on first access. Without a file it has no rows."""
        if layout.name not in self.table_by_name:
            table = None if self._has_too_many_rows else self.tables.table(layout, self.problems)
            self.table_by_name[layout.name] = table
            if table is not None:
                self._limit_rows(table)
                if not table.is_complete:
                    self.known.unsure.update(IDS_IN.get(layout.name, ()))
        return self.table_by_name[layout.name] or Table(layout, layout.name, self.problems)

    def _limit_rows(self, table: Table) -> None:
        self._row_count += len(table.rows)
        if self._row_count > MAX_TABLE_ROWS:
            table.drop_excess_rows(f"{self._row_count:,}", "rows, together with the catalog's other tables")
            self._has_too_many_rows = True
            self.known.unsure |= ALL_IDS
            for other in filter(None, self.table_by_name.values()):
                other.drop_rows()

    def check_reference(self, row: TableRow, column: str, sort: str, ids: Collection[str] | None = None) -> bool:
        """Return True if a cell names one of `ids`, which defaults to all ids of a sort. Report an unknown id, but not a blank cell."""
        name = row.values.get(column)
        if name is None:
            return False
        ids = self.known.named(sort) if ids is None else ids
        if name in ids:
            return True
        row.report(self.checks.unknown(sort, name, column, ids))
        return False

    def source_id(self, name: str) -> str:
        if name not in self._source_ids:
            self._source_ids[name] = name if ":" in name or not name else f"{self.name}:{name}"
        return self._source_ids[name]

    def _check_fields(self, row: TableRow, model: type[BaseModel], fields: Mapping[str, Any], only: str) -> None:
        for fault in self.checks.faults(model, fields):
            column = row.layout.columns(model)[fault.field]
            if column in row.bad or only not in ("", fault.field):
                continue
            if fault.field == "source" and self.table_by_name[SOURCES.name] is None and ":" not in row.values[column]:
                self._report_missing_sources(row.table)
            else:
                row.problem(column, fault.message, fault.expected, fault.fix, fault.code)

    def _report_missing_sources(self, table: Table) -> None:
        file = str(Path(table.file).with_name(SOURCES.name)) if table.file.endswith(".csv") else table.file
        problem = Diagnostic(
            f"the catalog has no {SOURCES.name}, but rows of {Path(table.file).name} name sources",
            file,
            expected="a row for every source, with id, reference, date, and confidence",
            fix=f"add {SOURCES.name}, or include it in the package",
            code="FS103",
        )
        if not any((p.code, p.expected) == (problem.code, problem.expected) for p in self.problems):
            self.problems.append(problem)

    def material(self, row: TableRow) -> Material | None:
        """Return the material that a row names. None if it names none, or if the material's row has an error."""
        return self.known.materials.get(row.values.get("material", ""))

    def kilogram(self, material: Material) -> RecipeLine:
        """Return a kilogram of a material as the only output of an offer. All such offers share it."""
        if material.id not in self._kilograms:
            self._kilograms[material.id] = RecipeLine(material=material.id, per_unit=Decimal(1))
        return self._kilograms[material.id]

    def ratio(self, material: Material, substance: str) -> Decimal | None:
        key = (material.id, substance)
        if key not in self._ratios:
            self._ratios[key] = basis_factor(material, substance, self.factors)
        return self._ratios[key]

    def _in_basis(
        self, row: TableRow, column: str, amount: Mass | UnitPrice, material: Material
    ) -> Mass | UnitPrice | None:
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
                f"no factor converts kilograms of {amount.substance} to the basis of `{material.id}` ({material.basis})",
                expected=f"a factor with the kilograms of {element} in a kilogram of {compound}",
                fix=f"add to factors.csv: {element},{compound},<kg per kg>,<source>",
                code="FS112",
            )
        return None

    def fields(
        self,
        row: TableRow,
        record: type[BaseModel],
        basis: Material | Callable[[str], Material | None] | None = None,
        only: str = "",
    ) -> dict[str, Any]:
        """Return the fields of a record from a row, with full source ids and amounts per kilogram of a material's basis.

        If an amount can't be converted, report it and mark its column as bad.

        Args:
            row: Row of a table.
            record: Type of the record.
            basis: Material in whose basis amounts are returned, or a function that returns it for a column. The function reports
                an error if it returns None.
            only: Field whose references are checked. Empty means all.
        """
        values = row.values
        for column in [c for c, value in values.items() if type(value) in _PER_MASS and value.substance is not None]:
            material = basis(column) if callable(basis) else basis
            amount = values.pop(column)
            converted = None if material is None else self._in_basis(row, column, amount, material)
            if converted is None:
                row.bad |= {column}
            else:
                values[column] = converted
        for column in _RANGE_COLUMNS & values.keys() if "price" in values else ():
            if values[column].currency != values["price"].currency:
                expected = f"an amount in {values['price'].currency}, like the price"
                message = "the price range and the price have different currencies"
                row.problem(column, message, expected, "convert one of them", "FS115")
                row.bad |= {column}
                del values[column]
        fields = row.layout.attributes(record, values)
        source = row.layout.columns(record).get("source")
        if source is not None:
            fields["source"] = self.source_id(values.get(source, ""))
        if issubclass(record, WithFacts):
            fields["facts"] = row.facts
        self._check_fields(row, record, fields, only)
        return fields

    def rows_with_records(self, layout: Layout, model: type[M]) -> Iterator[tuple[TableRow, M]]:
        for row in self.table(layout).unique():
            record = row.record_from(model, self.fields(row, model))
            if record is not None:
                yield row, record

    def records(self, layout: Layout, model: type[M]) -> tuple[M, ...]:
        attributes, _ = key_fields(model, layout)
        records = (record for _, record in self.rows_with_records(layout, model))
        return tuple(sorted(records, key=lambda record: tuple(getattr(record, name) for name in attributes)))
