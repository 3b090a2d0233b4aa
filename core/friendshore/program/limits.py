"""Limit rules' rows as rows of the program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from itertools import groupby

import numpy as np

from ..problem import Problem
from ..rules.base import Rule
from ..rules.rows import Row, Rows, one_by_one
from ..rules.terms import LackingTerm
from .matrix import Assembly
from .term_columns import TermColumns


@dataclass(eq=False)
class LimitRows:
    """All rows that limit rules ask for, and the binary variables their `used` terms need."""

    asked: Sequence[tuple[Rule, Row | Rows]]
    program_rows: list[int] = field(default_factory=list)
    """Position of each row in the program."""
    misses: list[tuple[int, int, float]] = field(default_factory=list)
    """Row, column and price of each allowed miss."""

    @staticmethod
    def ask(problem: Problem) -> LimitRows:
        """Asks every limit rule for its rows."""
        return LimitRows(problem.limit_rows)

    @cached_property
    def rows(self) -> list[tuple[Rule, Row]]:
        """All rows one by one."""
        return [(rule, row) for rule, rows in self.asked for row in one_by_one(rows)]

    @cached_property
    def forces(self) -> bool:
        """Whether some row may make a plan buy, hold or spend more than its need."""
        terms = [term for _, row in self.asked for term in row.asked]
        if any(least is not None for _, row in self.asked for least in row.floors):
            return True
        return any(isinstance(term, LackingTerm) or term.times < 0 or (term.weight < 0).any() for term in terms)


def compile_limits(limits: LimitRows, reader: TermColumns) -> None:
    """Adds every limit row to the program; rows of one rule that need no column of their own as one block.

    What they count of purchases is added by `TermColumns.add_bought`, once for all.
    """
    assembly = reader.assembly
    for (name, plain), group in groupby(limits.asked, key=lambda asked: (asked[0].id, _is_plain(asked[1]))):
        blocks = [rows for _, rows in group]
        if plain:
            first = assembly.add_rows(sum(map(_number, blocks)), *_ends(blocks), f"rule {name}")
            limits.program_rows.extend(range(first, assembly.rows))
            for rows in blocks:
                reader.read_plain(first, rows)
                first += _number(rows)
        else:
            for row in (row for rows in blocks for row in one_by_one(rows)):
                position = len(limits.program_rows)
                index = assembly.add_rows(1, *_ends([row]), f"rule {name}")
                limits.program_rows.append(index)
                for term in row.terms:
                    reader.read(index, term, row)
                if row.penalty is not None:
                    _allow_miss(limits, position, index, row, row.penalty, assembly)


def _number(rows: Row | Rows) -> int:
    return 1 if isinstance(rows, Row) else len(rows)


def _ends(blocks: Sequence[Row | Rows]) -> tuple[list[float], list[float]]:
    """The least and the most of all rows, infinite where there is none."""
    least: list[float] = []
    most: list[float] = []
    for rows in blocks:
        if isinstance(rows, Row):
            least.append(-np.inf if rows.at_least is None else float(rows.at_least))
            most.append(np.inf if rows.at_most is None else float(rows.at_most))
        else:
            least += [-np.inf] * len(rows) if rows.at_least is None else map(float, rows.at_least)
            most += [np.inf] * len(rows) if rows.at_most is None else map(float, rows.at_most)
    return least, most


def _is_plain(rows: Row | Rows) -> bool:
    return rows.penalty is None and all(term.is_linear for term in rows.asked)


def _allow_miss(limits: LimitRows, position: int, index: int, row: Row, price: Decimal, assembly: Assembly) -> None:
    for bound, sign in ((row.at_least, 1.0), (row.at_most, -1.0)):
        if bound is not None:
            column = assembly.add_columns(1, float(price))
            assembly.add_entries(index, column, sign)
            limits.misses.append((position, column, float(price)))
