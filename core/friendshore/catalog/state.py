"""One catalog while it is being read: its tables, what they may refer to, and the conversions they need."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from ..domain.base import exact
from ..domain.facts import Material, RecipeLine
from ..domain.market import Factors, basis_factor, missing_factor
from ..domain.quantities import Mass, UnitPrice
from ..domain.suggest import Suggestions
from ..errors import Diagnostic
from ..reading.csvfile import TABLE_ROWS, Table, TableRow
from ..reading.fields import Layout
from .columns import SOURCES
from .known import ALL_IDS, IDS_IN, Known, no_source, no_such
from .tables import CatalogTables

M = TypeVar("M", bound=BaseModel)

_ENDS = frozenset(("price_low", "price_high"))
"""Columns of the ends of a price's range, which has one currency with it."""
_WEIGHED = frozenset({Mass, UnitPrice})
"""What is of a substance, or of a material's basis."""


@dataclass(slots=True)
class CatalogReading:
    """The state of reading one catalog."""

    name: str
    tables: CatalogTables
    """Where its tables are."""
    known: Known
    found: list[Diagnostic]
    read: dict[str, Table | None] = field(default_factory=dict)
    """File name -> table as far as they have been read; None: there is no such file."""
    factors: Factors = field(default_factory=Factors)
    factors_broken: bool = False
    """Whether a factor row has a mistake: then a conversion that fails is no mistake of its own."""
    _full: dict[str, str] = field(default_factory=dict)
    """What cells call a source -> its full id."""
    _rows: int = 0
    """Rows of all tables read so far."""
    _too_many: bool = False
    _kilograms: dict[str, RecipeLine] = field(default_factory=dict)
    _ratios: dict[tuple[str, str], Decimal | None] = field(default_factory=dict)
    _suggestions: Suggestions = field(default_factory=Suggestions)

    def table(self, layout: Layout) -> Table:
        """The table of this layout, read when it is first asked for; without rows if there is no such file."""
        if layout.name not in self.read:
            table = None if self._too_many else self.tables.table(layout, self.found)
            self.read[layout.name] = table
            if table is not None:
                self._count(table)
                if not table.whole:
                    self.known.unsure.update(IDS_IN.get(layout.name, ()))
        return self.read[layout.name] or Table(layout, layout.name, self.found)

    def _count(self, table: Table) -> None:
        """Adds a table's rows to those of the others; where they are too many in all, none is looked at any more."""
        self._rows += len(table.rows)
        if self._rows > TABLE_ROWS:
            table.too_many(f"{self._rows:,}", "rows, together with the catalog's other tables")
            self._too_many = True
            self.known.unsure |= ALL_IDS
            for other in filter(None, self.read.values()):
                other.let_go()

    def refers(
        self, table: Table, row: TableRow, column: str, known: Collection[str], what: str, fix: str = ""
    ) -> bool:
        """Whether a cell names something that exists; a blank cell does not, and is no mistake here."""
        word = row.values.get(column)
        if word is None:
            return False
        if word in known:
            return True
        if what in self.known.unsure:
            return False  # what keeps it from being found has been said
        became = self.known.renamed(what, word)
        table.entry(row).tell([no_such(what, became or self._suggestions.of(what, word, known) or fix)], {"": column})
        return False

    def source(self, table: Table, row: TableRow, column: str = "source") -> str:
        """Full id of the evidence that a cell names; empty for none."""
        word: str = row.values.get(column, "")
        if not word:
            return ""
        known = self._full.get(word)
        if known is not None:
            return known
        full = word if ":" in word else f"{self.name}:{word}"
        if full in self.known.sources:
            self._full[word] = full
            return full
        if "source" in self.known.unsure:
            return ""
        if ":" not in word and self.read[SOURCES.name] is None:
            self._sources_missing(table)
            return ""
        own = f"{self.name}:"
        names = [s.removeprefix(own) for s in self.known.sources]
        fix = self._suggestions.of("source", word, names) or f"add a row `{word}` to sources.csv"
        table.entry(row).tell([no_source(fix)], {"": column})
        return ""

    def _sources_missing(self, table: Table) -> None:
        """Says once that there are no sources at all, in place of once for every figure."""
        file = str(Path(table.file).with_name(SOURCES.name)) if table.file.endswith(".csv") else table.file
        problem = Diagnostic(
            f"there is no {SOURCES.name}, which rows of {Path(table.file).name} and others name sources of",
            file,
            expected="a row for every source, with its id, reference, date and confidence",
            fix="add the file; if it is there, see that it comes into the package",
        )
        if not any(one.expected == problem.expected for one in self.found):
            self.found.append(problem)

    def material(self, table: Table, row: TableRow, column: str = "material") -> Material | None:
        """The material that a cell names; None for none, for one that does not exist, or one with a mistake in its row."""
        materials = self.known.materials
        if self.refers(
            table, row, column, materials, "material", "add it to materials.csv, or its catalog to `requires`"
        ):
            return materials[row.values[column]]
        return None

    def kilogram(self, material: Material) -> RecipeLine:
        """A kilogram of a material, as the one output of an offer; the same for all that deliver it."""
        if material.id not in self._kilograms:
            self._kilograms[material.id] = RecipeLine(material=material.id, per_unit=Decimal(1))
        return self._kilograms[material.id]

    def ratio(self, material: Material, substance: str) -> Decimal | None:
        """Kilograms of the material's basis per kilogram of `substance`."""
        key = (material.id, substance)
        if key not in self._ratios:
            self._ratios[key] = basis_factor(material, substance, self.factors)
        return self._ratios[key]

    def _in_basis(
        self, table: Table, row: TableRow, column: str, amount: Mass | UnitPrice, material: Material
    ) -> Mass | UnitPrice | None:
        """A mass or a price by mass of a material's basis that a cell says of another substance; None, once told, if that cannot be
        converted.
        """
        assert amount.substance is not None
        ratio = self.ratio(material, amount.substance)
        if ratio is not None:
            if isinstance(amount, UnitPrice):
                return UnitPrice(exact(amount.amount / ratio), amount.currency, None)
            return Mass(exact(amount.kg * ratio), None)
        if not self.factors_broken:
            element, compound = missing_factor(material, amount.substance, self.factors)
            table.problem(
                row,
                column,
                f"kilograms of {amount.substance} cannot be converted to the basis of `{material.id}` ({material.basis})",
                expected=f"a factor that says how much {element} is in a kilogram of {compound}",
                fix=f"add to factors.csv: {element},{compound},<kg per kg>,<source>",
            )
        return None

    def given(
        self,
        table: Table,
        row: TableRow,
        record: type[BaseModel],
        one: Material | Callable[[str], Material | None] | None = None,
    ) -> dict[str, Any]:
        """The fields of a record that a row states, amounts in the material's basis, sources by their full id.

        Where an amount cannot be converted, that has been told, and its column is bad. `one` is the material in whose basis amounts are to
        be, or finds it for a column that names a substance, and tells if there is none.
        """
        values = row.values
        for column in [c for c, value in values.items() if type(value) in _WEIGHED and value.substance is not None]:
            material = one(column) if callable(one) else one
            amount = values.pop(column)
            converted = None if material is None else self._in_basis(table, row, column, amount, material)
            if converted is None:
                row.bad |= {column}
            else:
                values[column] = converted
        for column in _ENDS & values.keys() if "price" in values else ():
            if values[column].currency != values["price"].currency:
                expected = f"an amount in {values['price'].currency}, as the price"
                table.problem(row, column, "the range is in another currency than the price", expected)
                row.bad |= {column}
                del values[column]
        found = table.layout.stated(record, values)
        source = table.layout.columns(record).get("source")
        return found if source is None else found | {"source": self.source(table, row, source)}


class Alike:
    """Records of rows that give the same, made once: very many rows of a large table are alike in all but their names."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._known: dict[tuple[object, ...], BaseModel] = {}

    def made(self, row: TableRow, model: type[M], given: Mapping[str, object]) -> M | None:
        """The record of a row, or that of an earlier one that gives the same: see `Table.made`."""
        if row.bad:
            return self.table.made(row, model, given)
        key = (model, *given, *given.values())
        known = self._known.get(key)
        if not isinstance(known, model):  # new, or wrong: that is told of every row
            known = self.table.made(row, model, given)
            if known is not None:
                self._known[key] = known
        return known
