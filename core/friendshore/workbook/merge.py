"""Three ways: what stood in the workbook when it was written, what the case says today, and what the workbook says now.

A cell that was not edited is what the case says today. One that was edited counts if the case still says what it said then; if not, and the two
differ, that is a conflict.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from ..case.book import CaseWorkbook, EditedSheet, Texts, WrittenSheet, same
from ..errors import Diagnostic
from ..reading import kinds as k
from ..reading.csvfile import BAD_CELL
from ..reading.fields import Field
from .tables import CATALOG, CaseTable, CaseTables

_TEXT = Field("", k.TEXT)


@dataclass(frozen=True, slots=True)
class Edit:
    """A cell that is to say something else."""

    sheet: str
    row: int
    """Number of the row in the table of today."""
    column: str
    before: str
    """What the case says today."""
    after: str
    line: int
    """Number of the row in the sheet."""


@dataclass(frozen=True, slots=True)
class AddedRow:
    """A row that is in the workbook only."""

    sheet: str
    line: int
    texts: Texts


@dataclass(slots=True)
class Differences:
    """What the workbook says otherwise than the case of today."""

    edits: list[Edit] = field(default_factory=list)
    added: list[AddedRow] = field(default_factory=list)
    deleted: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    """Sheet -> rows of the table of today."""
    lines: dict[tuple[str, int], int] = field(default_factory=dict)
    """Sheet and row of the table of today -> row of the sheet."""


def differences(book: CaseWorkbook, today: CaseTables, found: list[Diagnostic]) -> Differences:
    """Compares the three; conflicts go to `found`."""
    result = Differences()
    for name, written in book.written.items():
        edited = book.edited.get(name)
        if edited is not None and len(edited.letters) == len(written.columns):
            _Sheet(book, name, written, edited, today.tables.get(name), result, found).compare()
    return result


@dataclass(frozen=True, slots=True)
class _Sheet:
    book: CaseWorkbook
    name: str
    written: WrittenSheet
    edited: EditedSheet
    table: CaseTable | None
    """None: the case has nothing of it any more."""
    result: Differences
    found: list[Diagnostic]

    def compare(self) -> None:
        """Tells the three apart, row by row."""
        today = self._today()
        now = [texts for _, texts in self.edited.rows]
        key = self.table.key if self.table is not None else self.written.columns[:1]
        to_today = matched(self.written.rows, today, key)
        to_now = matched(self.written.rows, now, key)
        for number, before in enumerate(self.written.rows):
            at, on = to_today.get(number), to_now.get(number)
            if on is None:
                self._gone(before, at, today)
                continue
            line, texts = self.edited.rows[on]
            if at is not None:
                self.result.lines[self.name, at] = line
            for column in self.written.columns:
                if texts[column] != BAD_CELL and not same(self._field(column), texts[column], before[column]):
                    self._cell(line, column, texts[column], before[column], at, today)
        known = set(to_today.values())
        others = [texts for number, texts in enumerate(today) if number not in known]
        taken = set(to_now.values())
        for number, (line, texts) in enumerate(self.edited.rows):
            if number not in taken and not any(self._alike(texts, other) for other in others):
                self.result.added.append(AddedRow(self.name, line, texts))

    def _today(self) -> list[Texts]:
        table = self.table
        if table is None:
            return []
        blank = dict.fromkeys(self.written.columns, "")
        return [{**blank, **dict(zip(table.columns, row, strict=True))} for row in table.rows]

    def _field(self, column: str) -> Field:
        return _TEXT if self.table is None else self.table.fields.get(column, _TEXT)

    def _alike(self, one: Texts, other: Texts) -> bool:
        return all(same(self._field(column), one[column], other[column]) for column in self.written.columns)

    def _gone(self, before: Texts, at: int | None, today: Sequence[Texts]) -> None:
        """A row that was deleted in the workbook."""
        if at is None:
            return
        if self._alike(before, today[at]):
            self.result.deleted[self.name].append(at)
            return
        assert self.table is not None
        self.found.append(
            Diagnostic(
                "the row was deleted here, and changed in the case since the workbook was written",
                str(self.book.path),
                column=self.name,
                found=f"`{self.table.called(at)}`",
                fix="write the workbook anew, and edit that",
            )
        )

    def _cell(self, line: int, column: str, now: str, before: str, at: int | None, today: Sequence[Texts]) -> None:
        """A cell that was edited."""
        said, of_today = self._field(column), None if at is None else today[at][column]
        if of_today is not None and same(said, now, of_today):
            return
        if at is not None and of_today is not None and same(said, before, of_today):
            self.result.edits.append(Edit(self.name, at, column, of_today, now, line))
            return
        changed = "the row is gone from the case" if of_today is None else f"`{of_today}` in the case of today"
        self.found.append(
            Diagnostic(
                "was edited here, and changed in the case since the workbook was written",
                str(self.book.path),
                column=self.book.at(self.name, line, column),
                found=f"`{now}` here, {changed}",
                expected=f"`{before}`, as it was",
                fix="write the workbook anew, and edit that",
            )
        )


def matched(old: Sequence[Texts], new: Sequence[Texts], key: Sequence[str]) -> dict[int, int]:
    """Rows of old -> rows of new that are the same: equal ones first, then by what tells rows apart, then by all of that but its last."""
    found: dict[int, int] = {}
    columns = tuple(old[0]) if old else ()
    ways: list[tuple[str, ...]] = [columns, tuple(key)]
    # Of what is in a catalog its name alone says nothing.
    ways += [tuple(key[:-count]) for count in range(1, len(key)) if len(key) - count > (key[0] == CATALOG.name)]
    for way in ways:
        _pair(old, new, found, _by(way))
    return found


def _by(columns: Sequence[str]) -> Callable[[Texts], Hashable]:
    """What calls a row by some columns; None: nothing stands in them."""

    def called(texts: Texts) -> Hashable:
        found = tuple(texts.get(column, "") for column in columns)
        return found if any(found) else None

    return called


def _pair(old: Sequence[Texts], new: Sequence[Texts], found: dict[int, int], name: Callable[[Texts], Hashable]) -> None:
    """Pairs rows that are not paired yet and are called the same, in their order."""
    taken = set(found.values())
    waiting: Mapping[Hashable, list[int]] = defaultdict(list)
    for number in range(len(new) - 1, -1, -1):
        called = name(new[number])
        if number not in taken and called is not None:
            waiting[called].append(number)
    for number, texts in enumerate(old):
        if number not in found and waiting[name(texts)]:
            found[number] = waiting[name(texts)].pop()
