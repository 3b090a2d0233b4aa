"""Do the limits hold? Every row of every limit rule, read on the finished plan."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import overload

import numpy as np

from ..domain.base import grouped
from ..problem.decimal_arrays import as_floats
from ..problem.parts import materials_of
from ..rules import terms
from ..rules.base import Rule
from ..rules.kinds.limits import Budget
from ..rules.rows import Row, Rows, one_by_one
from .amounts import Amounts
from .ledger import EPSILON, PlanEntries
from .money import Costing
from .rows import limit_rows
from .term_values import TermValues

_DIGITS = Decimal("1e-9")
"""By how much a row may be missed whatever its size, relative to its largest end or value."""


@dataclass(frozen=True, slots=True)
class RowReading:
    """A row, and what the plan makes of it."""

    rule: Rule
    row: Row
    value: Decimal
    tolerance: Decimal
    """By how much rounding may miss it."""
    miss: Decimal
    """By how much it is missed."""
    unplanned: bool
    """Whether it speaks of materials that are not planned, because rules conflict."""


@dataclass(frozen=True, slots=True, eq=False)
class Readings(Sequence[RowReading]):
    """All readings; where a rule asks for many rows at once, each is made when it is looked at."""

    values: TermValues
    blocks: list[tuple[Rule, Rows] | list[RowReading]] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    """How many readings there are up to the end of each block."""

    def add(self, block: tuple[Rule, Rows] | list[RowReading]) -> None:
        """Adds readings, or a rule with the rows to read."""
        self.blocks.append(block)
        self.ends.append(len(self) + (len(block) if isinstance(block, list) else len(block[1])))

    def __len__(self) -> int:
        return self.ends[-1] if self.ends else 0

    @overload
    def __getitem__(self, position: int) -> RowReading: ...
    @overload
    def __getitem__(self, position: slice) -> tuple[RowReading, ...]: ...
    def __getitem__(self, position: int | slice) -> RowReading | tuple[RowReading, ...]:
        """A reading, or several."""
        if isinstance(position, slice):
            return tuple(self[i] for i in range(*position.indices(len(self))))
        at = range(len(self))[position]
        number = bisect_right(self.ends, at)
        block, within = self.blocks[number], at - (self.ends[number - 1] if number else 0)
        if isinstance(block, list):
            return block[within]
        rule, rows = block
        return _read(rule, rows[within], self.values)

    def __iter__(self) -> Iterator[RowReading]:
        for block in self.blocks:
            if isinstance(block, list):
                yield from block
            else:
                rule, rows = block
                yield from (_read(rule, row, self.values) for row in one_by_one(rows))

    @property
    def rules(self) -> Counter[str]:
        """How many rows each rule asks for."""
        found: Counter[str] = Counter()
        for block in self.blocks:
            if isinstance(block, list):
                found.update(reading.rule.id for reading in block)
            else:
                rule, rows = block
                found[rule.id] += len(rows)
        return found


def read_limits(ledger: PlanEntries, amounts: Amounts, costing: Costing) -> tuple[Readings, Decimal]:
    """Every row with its value, hard misses recorded as findings; and what soft misses cost."""
    values = TermValues(ledger, amounts, costing)
    readings = Readings(values)
    penalties = Decimal(0)
    asked = limit_rows(ledger.problem)
    for own in grouped((rule.id, (rule, rows)) for rule, rows in asked if isinstance(rule, Budget)).values():
        _check_counted(own[0][0], [row for _, rows in own for row in one_by_one(rows)], values)
    for rule, rows in asked:
        if isinstance(rows, Rows) and rows.penalty is None:
            readings.add((rule, rows))
            for position in _doubtful(rows, values):
                _check(_read(rule, rows[position], values), values)
            continue
        found = [_read(rule, row, values) for row in one_by_one(rows)]
        readings.add(found)
        for reading in found:
            if reading.row.penalty is not None:
                penalties += reading.row.penalty * reading.miss
            else:
                _check(reading, values)
    return readings, penalties


def _check_counted(rule: Rule, rows: Sequence[Row], values: TermValues) -> None:
    """Find purchases that the rows of a budget count, and the budget doesn't by their offer, or the reverse."""
    assert isinstance(rule, Budget)
    problem = values.problem
    spent = [term for row in rows for term in row.terms if isinstance(term, terms.SpentTerm)]
    whole, tainted = (
        {int(move) for term in spent if _is_of_tainted(term) is made for move in term.moves} for made in (False, True)
    )
    periods = problem.case.horizon.periods
    for item in values.ledger.bought:
        move = problem.moves.at(item.arc.index, item.ordered)
        if move is None or item.arc.offer < 0 or not rule.applies(periods[item.ordered].span, problem.law.statuses):
            continue
        offer = item.arc.chained
        if rule.counts(offer) != (move in whole) or rule.counts_if_tainted(offer) != (move in tainted):
            values.ledger.find(f"rule `{rule.id}` counts other purchases than it is about", found=str(item))


def _is_of_tainted(term: terms.SpentTerm) -> bool:
    return term.for_uses is not None and bool(term.for_uses.not_free_of)


_PLANNED = (
    terms.BoughtTerm,
    terms.UsedTerm,
    terms.SpentTerm,
    terms.DeliveredTerm,
    terms.MakingTerm,
    terms.OnboardingTerm,
)
"""Terms that count nothing where nothing is planned."""


def _check(reading: RowReading, values: TermValues) -> None:
    """A row that is missed is a finding, unless rules conflict in what it counts: then nothing of that is planned."""
    if reading.miss <= reading.tolerance:
        return
    counted = any(values.value(term)[0] for term in reading.row.terms if isinstance(term, _PLANNED))
    if counted or not reading.unplanned:
        rule, row = reading.rule, reading.row
        values.ledger.find(
            f"rule `{rule.id}` does not hold: {row.sentence or row.label}",
            found=f"{reading.value.normalize():f}",
            expected=_expected(row),
        )


def _doubtful(rows: Rows, values: TermValues) -> list[int]:
    """Rows that doubles cannot show to hold, with a bound on what these may be wrong by."""
    bought, count = rows.bought, len(rows)
    row = np.repeat(np.arange(count), np.diff(bought.first))
    sums = values.bought(bought.for_uses)
    each = bought.weight * sums.near[bought.moves]
    value = np.bincount(row, each, count)
    size = np.bincount(row, np.abs(each), count)
    least = as_floats(rows.at_least) if rows.at_least is not None else np.full(count, -np.inf)
    most = as_floats(rows.at_most) if rows.at_most is not None else np.full(count, np.inf)
    ends = np.maximum(*(np.where(np.isfinite(end), np.abs(end), 0.0) for end in (least, most)))
    off = (np.diff(bought.first) + 8) * EPSILON * (size + ends)
    halves = np.bincount(row, np.abs(bought.weight) * sums.parts[bought.moves], count)
    tolerance = float(values.resolution) / 2 * halves
    tolerance += np.maximum(np.maximum(np.abs(value), ends), 1.0) * float(_DIGITS)
    miss = np.maximum(least - value, value - most)
    found: list[int] = np.flatnonzero(miss + 2 * off > tolerance * (1 - 1e-9)).tolist()
    return found


def _expected(row: Row) -> str:
    parts = []
    if row.at_least is not None:
        parts.append(f"at least {row.at_least.normalize():f}")
    if row.at_most is not None:
        parts.append(f"at most {row.at_most.normalize():f}")
    return " and ".join(parts)


def _read(rule: Rule, row: Row, values: TermValues) -> RowReading:
    value = tolerance = Decimal(0)
    for term in row.terms:
        amount, slack = values.value(term)
        value += amount
        tolerance += slack
    miss = Decimal(0)
    if row.at_least is not None:
        miss = max(miss, row.at_least - value)
    if row.at_most is not None:
        miss = max(miss, value - row.at_most)
    bounds = [abs(bound) for bound in (row.at_least, row.at_most) if bound is not None]
    scale = max(abs(value), *bounds, Decimal(1))
    return RowReading(rule, row, value, tolerance + scale * _DIGITS, miss, _touches_unplanned(rule, row, values.ledger))


def _touches_unplanned(rule: Rule, row: Row, ledger: PlanEntries) -> bool:
    """Whether a row cannot be asked to hold: it conflicts with others, which the plan says, and its materials are not planned."""
    if not ledger.plan.infeasible:
        return False
    materials = materials_of(ledger.problem, row)
    if not materials:
        return any(rule.id in part.rules for part in ledger.plan.infeasible)
    return bool(materials & ledger.unplanned)
