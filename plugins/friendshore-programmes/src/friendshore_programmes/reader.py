"""The reader `bom`: a case says `demand = "bom:parts.csv"`."""

from __future__ import annotations

from friendshore.readers import Reader, ReadRequest, TableRows

from .bill import read_bill


class BomReader(Reader):
    """A bill of materials as demand: a row for every programme, material, end use and place."""

    name = "bom"
    example = "example/parts.csv"

    def demand(self, asked: ReadRequest) -> TableRows:
        """The demands that the bill comes to."""
        file, rolled = read_bill(asked.path)
        columns = list(dict.fromkeys(name for one in rolled for name in one.cells))
        return TableRows(columns, [(one.line, [one.cells.get(name) for name in columns]) for one in rolled], file)
