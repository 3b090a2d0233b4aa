"""The edits of a workbook: the ones that a scenario can state, and the facts with them.

Three versions are compared: the workbook as it was written, the case of today, and the workbook as it is now. A cell that wasn't edited has the
value of the case of today. An edited cell counts if the case of today still has the old value. If it has neither the old nor the new value, that
is a conflict.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from operator import itemgetter
from typing import Any

from friendshore.case import keys
from friendshore.case.keys import About
from friendshore.catalog import read_catalogs, united
from friendshore.catalog.convert import Texts
from friendshore.catalog.tables import read_rows
from friendshore.domain.case import Case, DemandSpec, OrderSpec
from friendshore.domain.change import Change, TermKind
from friendshore.domain.differences import paired
from friendshore.domain.facts import CapacityStep, Catalog, Facility, Offer
from friendshore.domain.market import BenchmarkPrice
from friendshore.domain.suggest import did_you_mean
from friendshore.errors import Diagnostic, InputError
from friendshore.plugins.isolated import CatalogRef
from friendshore.problem.changes import OFFER_TERMS, apply_changes
from friendshore.readers import CatalogRows, TableRows
from friendshore.reading import kinds as k
from friendshore.reading.csvfile import BAD_CELL
from friendshore.reading.fields import Layout
from friendshore.reading.kinds import Kind
from friendshore.reading.records import Entry

from .case_book import CaseWorkbook, EditedSheet, RowTexts, WrittenSheet
from .case_tables import AFTER, CATALOG, CELLS, ROWS_ADDED, ROWS_DELETED, CaseTable, CaseTables, editable


@dataclass(frozen=True, slots=True)
class Edit:
    """An edited cell."""

    sheet: str
    row: int
    """Number of the row in the table of today."""
    column: str
    before: str
    """Today's value in the case."""
    after: str
    line: int
    """Number of the row in the sheet."""


@dataclass(frozen=True, slots=True)
class AddedRow:
    """A row that only the workbook has."""

    sheet: str
    line: int
    texts: RowTexts


@dataclass(slots=True)
class Differences:
    """The differences between the workbook and the case of today."""

    edits: list[Edit] = field(default_factory=list)
    added: list[AddedRow] = field(default_factory=list)
    deleted: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    """Sheet -> rows of the table of today."""
    lines: dict[tuple[str, int], int] = field(default_factory=dict)
    """Sheet and row of the table of today -> row of the sheet."""


def differences(book: CaseWorkbook, today: CaseTables, found: list[Diagnostic]) -> Differences:
    """Compare the three versions. Conflicts go to `found`."""
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
    """None if the case no longer has any of it."""
    result: Differences
    found: list[Diagnostic]

    def compare(self) -> None:
        """Compare the three versions row by row."""
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
                if texts[column] != BAD_CELL and not self._kind(column).same(texts[column], before[column]):
                    self._cell(line, column, texts[column], before[column], at, today)
        known = set(to_today.values())
        others = [texts for number, texts in enumerate(today) if number not in known]
        taken = set(to_now.values())
        for number, (line, texts) in enumerate(self.edited.rows):
            if number not in taken and not any(self._alike(texts, other) for other in others):
                self.result.added.append(AddedRow(self.name, line, texts))

    def _today(self) -> list[RowTexts]:
        table = self.table
        if table is None:
            return []
        blank = dict.fromkeys(self.written.columns, "")
        return [{**blank, **dict(zip(table.columns, row, strict=True))} for row in table.rows]

    def _kind(self, column: str) -> Kind:
        field = None if self.table is None else self.table.fields.get(column)
        return k.TEXT if field is None else field.kind

    def _alike(self, one: RowTexts, other: RowTexts) -> bool:
        return all(self._kind(column).same(one[column], other[column]) for column in self.written.columns)

    def _gone(self, before: RowTexts, at: int | None, today: Sequence[RowTexts]) -> None:
        """Record a row that was deleted in the workbook."""
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

    def _cell(self, line: int, column: str, now: str, before: str, at: int | None, today: Sequence[RowTexts]) -> None:
        kind, of_today = self._kind(column), None if at is None else today[at][column]
        if of_today is not None and kind.same(now, of_today):
            return
        if at is not None and of_today is not None and kind.same(before, of_today):
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


def matched(old: Sequence[RowTexts], new: Sequence[RowTexts], key: Sequence[str]) -> dict[int, int]:
    """Match rows of `old` with rows of `new`: equal rows first, then rows with equal keys, then rows whose keys differ only in the last columns."""
    found: dict[int, int] = {}
    columns = tuple(old[0]) if old else ()
    ways: list[tuple[str, ...]] = [columns, tuple(key)]
    # Of what is in a catalog its name alone says nothing.
    ways += [tuple(key[:-count]) for count in range(1, len(key)) if len(key) - count > (key[0] == CATALOG.name)]
    for way in ways:
        _pair(old, new, found, _by(way))
    return found


def _by(columns: Sequence[str]) -> Callable[[RowTexts], Hashable]:
    """Return a function that names a row by some columns. The name is None if they are blank."""

    def called(texts: RowTexts) -> Hashable:
        found = tuple(texts.get(column, "") for column in columns)
        return found if any(found) else None

    return called


def _pair(
    old: Sequence[RowTexts], new: Sequence[RowTexts], found: dict[int, int], name: Callable[[RowTexts], Hashable]
) -> None:
    """Match remaining rows with the same name, in their order."""
    taken = set(found.values())
    waiting: Mapping[Hashable, list[int]] = defaultdict(list)
    for number in range(len(new) - 1, -1, -1):
        called = name(new[number])
        if number not in taken and called is not None:
            waiting[called].append(number)
    for number, texts in enumerate(old):
        if number not in found and waiting[name(texts)]:
            found[number] = waiting[name(texts)].pop()


_LIFTED = {field for kind, terms in OFFER_TERMS.items() if kind is not TermKind.LEAD_TIME for field in terms}
BLANK_ONLY = _LIFTED - {"start", "end"} | {"from"}
"""Columns of offers that can only be made blank."""


def refused(book: CaseWorkbook, today: CaseTables, merged: Differences) -> Iterator[Diagnostic]:
    """Yield an error for each edit that no change of a scenario can state, whatever its value."""
    for edit in merged.edits:
        if not _may(edit, today):
            yield Diagnostic(
                "no scenario can say this",
                str(book.path),
                column=book.at(edit.sheet, edit.line, edit.column),
                found=f"`{edit.after}`" if edit.after else "a blank cell",
                expected=f"`{edit.before}`, as it was" if edit.before else "a blank cell, as it was",
                fix=f"undo it, or edit the case itself; what can be edited: {editable(edit.sheet)}",
            )
    for row in merged.added:
        yield from _row(row, book)
        yield from _of_no_catalog(row, book, today)
    for sheet, rows in merged.deleted.items():
        for number in rows:
            if sheet not in ROWS_DELETED and not goes_along(sheet, number, today, merged):
                yield Diagnostic(
                    "no scenario can delete this row",
                    str(book.path),
                    column=sheet,
                    found=f"no row of `{today.tables[sheet].called(number)}`",
                    fix=f"take it back, or edit the case itself; what can be edited: {editable(sheet)}",
                )


def _may(edit: Edit, today: CaseTables) -> bool:
    """Return True if a change may state an edit, judging by its place alone."""
    table = today.tables[edit.sheet]
    if edit.column not in CELLS.get(edit.sheet, {}):
        return False
    if edit.sheet == "settings":
        section, key = table.text(edit.row, "section"), table.text(edit.row, "key")
        return section == "accept.capacity" or (section, key) == ("accept", "proven")
    if edit.sheet == "offers":
        return not (edit.column in BLANK_ONLY and edit.after)
    if edit.sheet == "rule":
        bill = table.text(edit.row, "kind") == "bill"
        return edit.after in ("yes", "no") if edit.column == "on" else not bill
    return edit.sheet != "terms" or not edit.after


def _row(row: AddedRow, book: CaseWorkbook) -> Iterator[Diagnostic]:
    filled = [column for column, text in row.texts.items() if text]
    may, _ = ROWS_ADDED.get(row.sheet, ((), ""))
    for column in filled[:1] if not may else filled:
        if column not in may:
            yield Diagnostic(
                f"no scenario can say this of a row added to `{row.sheet}`" if may else "no scenario can add this row",
                str(book.path),
                column=book.at(row.sheet, row.line, column),
                found=f"`{row.texts[column]}`",
                expected=f"cells in {', '.join(may)}" if may else "",
                fix=f"delete it, or edit the case itself; what can be edited: {editable(row.sheet)}",
            )


def _of_no_catalog(row: AddedRow, book: CaseWorkbook, today: CaseTables) -> Iterator[Diagnostic]:
    """Yield an error if a row is added to a catalog that the case doesn't name."""
    name = row.texts.get(CATALOG.name, "")
    if row.sheet in ROWS_ADDED and CATALOG.name in row.texts and name not in today.gathered.named:
        yield Diagnostic(
            "no such catalog in the case" if name else "this cell is needed",
            str(book.path),
            column=book.at(row.sheet, row.line, CATALOG.name),
            found=f"`{name}`" if name else "a blank cell",
            expected="one of " + ", ".join(sorted(today.catalogs.keys() & today.gathered.named.keys())),
            fix=did_you_mean(name, today.catalogs),
        )


@dataclass(frozen=True, slots=True)
class EditedFacts:
    """The case with the edits in its own files."""

    case: Case
    """With the demands of added rows at the end. Deleted demands have a quantity of 0."""
    catalogs: tuple[Catalog, ...]
    """All catalogs, including those without edits."""
    united: tuple[Catalog, ...]


def about(today: CaseTables) -> About:
    """Return the facts of the case that its tables depend on."""
    case = today.gathered.case
    return About(case.currency, case.place, case.horizon)


def entry_of(
    book: CaseWorkbook, layout: Layout, sheet: str, line: int, texts: Mapping[str, str], found: list[Diagnostic]
) -> Entry | None:
    """Read one row of a sheet by a layout. None if it is blank."""
    cells = {name: text for name, text in texts.items() if text or name in layout.names}
    rows = TableRows(tuple(cells), [(line, tuple(cells.values()))], book.place(sheet))
    table = read_rows(rows, layout, book.place(sheet), found)
    return table.rows[0] if table.rows else None


def edited_facts(
    book: CaseWorkbook, today: CaseTables, merged: Differences, found: list[Diagnostic]
) -> EditedFacts | None:
    """Return the facts with the edits. None, with every error in `found`, if they can't be read."""
    return _EditedTables(book, today, merged, found).facts()


@dataclass(frozen=True, slots=True)
class _EditedTables:
    """The tables of the case of today with the edits."""

    book: CaseWorkbook
    today: CaseTables
    merged: Differences
    found: list[Diagnostic]

    def facts(self) -> EditedFacts | None:
        """Read the tables."""
        before, case = len(self.found), self.today.gathered.case
        demands, orders = (*self._demands(), *self._more_demands()), tuple(self._orders())
        catalogs: tuple[Catalog, ...] = self.today.gathered.read
        edited = {*self._edited_catalogs()}
        if edited:
            refs = {name: self._ref(name) if name in edited else ref for name, (ref, _) in self.today.catalogs.items()}
            named = [refs[name] for name in refs if name in self.today.gathered.named]
            try:
                catalogs = read_catalogs(named, lambda name: refs[name], case.overlaps)
            except InputError as error:
                self.found.extend(error.problems)
        if len(self.found) > before:
            return None
        return EditedFacts(case.but(demands=demands, orders=orders), catalogs, united(catalogs, case.overlaps))

    def _demands(self) -> Iterator[DemandSpec]:
        for row, before in enumerate(self.today.gathered.case.demands):
            after = self._after("demand", row)
            entry = self._edited_row(keys.DEMAND, "demand", row, _without_range("per_year", after) | after)
            record = keys.demand(entry, about(self.today)) if entry is not None else None
            yield _nothing_of(before) if row in self.merged.deleted.get("demand", ()) else record or before

    def _more_demands(self) -> Iterator[DemandSpec]:
        for row in (row for row in self.merged.added if row.sheet == "demand"):
            entry = entry_of(self.book, keys.DEMAND, "demand", row.line, row.texts, self.found)
            record = keys.demand(entry, about(self.today)) if entry is not None else None
            if record is not None and record.substance and entry is not None:
                amounts = ("per_year", "quantity", "quantities", "shortage_price")
                stated = next(column for column in amounts if row.texts.get(column))
                entry.problem(stated, "a substance cannot be named here", "kilograms of the material's basis")
            elif record is not None:
                yield record

    def _orders(self) -> Iterator[OrderSpec]:
        for row, before in enumerate(self.today.gathered.case.orders):
            after = self._after("order", row)
            entry = self._edited_row(keys.ORDER, "order", row, after if "quantity" in after else {})
            record = keys.made(entry, OrderSpec, about(self.today)) if entry is not None else None
            if record is not None and entry is not None and record.substance != before.substance:
                of, fix = (
                    before.substance or "kilograms of the material's basis",
                    "state it of the same, or edit the case itself",
                )
                entry.problem("quantity", "is stated of something else than the order", of, fix)
            yield record or before

    def _edited_row(self, layout: Layout, sheet: str, row: int, after: RowTexts) -> Entry | None:
        """Read a row of today by a layout, with its edits. None if it has none."""
        if not after:
            return None
        table = self.today.tables[sheet]
        texts = {**dict(zip(table.columns, table.rows[row], strict=True)), **after}
        return entry_of(self.book, layout, sheet, self.merged.lines[sheet, row], texts, self.found)

    def _after(self, sheet: str, row: int) -> dict[str, str]:
        return {edit.column: edit.after for edit in self.merged.edits if (edit.sheet, edit.row) == (sheet, row)}

    def _edited_catalogs(self) -> Iterator[str]:
        for sheet, row in [*((edit.sheet, edit.row) for edit in self.merged.edits), *self._left_out()]:
            table = self.today.tables[sheet]
            if table.origins:
                yield table.origins[row][0]
        for added in self.merged.added:
            if added.texts.get(CATALOG.name) in self.today.catalogs:
                yield added.texts[CATALOG.name]

    def _left_out(self) -> list[tuple[str, int]]:
        """Return the deleted rows to leave out at once. Rows of a deleted offer stay until a change removes the offer."""
        return [("tiers", row) for row in self.merged.deleted.get("tiers", ())]

    def _ref(self, name: str) -> CatalogRef:
        """Return where an edited catalog is."""
        ref, texts = self.today.catalogs[name]
        added = (row.sheet for row in self.merged.added if row.texts.get(CATALOG.name) == name)
        sheets = dict.fromkeys([*(file.removesuffix(".csv") for file in texts.tables), *added])
        tables = {sheet: self._rows(name, sheet) for sheet in sheets}
        head = {key: list(value) if isinstance(value, tuple) else value for key, value in texts.head.items()}
        return ref.but(reading=None, rows=CatalogRows(head, tables, str(self.book.path)))

    def _rows(self, catalog: str, sheet: str) -> TableRows:
        """Return a table of a catalog, each row with its number in the sheet."""
        table, (_, texts) = self.today.tables.get(sheet), self.today.catalogs[catalog]
        header, given = texts.tables.get(f"{sheet}.csv", ((), ()))
        records: list[tuple[int, dict[str, str]]] = [(0, dict(zip(header, row, strict=True))) for row in given]
        numbers = {} if table is None else {row: at for row, (name, at) in enumerate(table.origins) if name == catalog}
        for row, at in numbers.items():
            records[at] = (self.merged.lines.get((sheet, row), 0), records[at][1])
        touched = [edit for edit in self.merged.edits if edit.sheet == sheet and edit.row in numbers]
        for edit in touched:
            record = records[numbers[edit.row]][1]
            blank = _without_range("price", (edit.column,))
            record.update({end: text for end, text in blank.items() if end in record}, **{edit.column: edit.after})
        priced = self._priced()
        for edit in touched:
            record = _with_evidence(sheet, records[numbers[edit.row]][1], texts)
            if sheet == "offers" and record["id"] in priced:
                record |= dict.fromkeys(("benchmark", "premium"), "")
        gone = {numbers[row] for where, row in self._left_out() if where == sheet and row in numbers}
        kept = [
            one
            for at, one in enumerate(records)
            if at not in gone and not (sheet == "quotes" and one[1]["offer"] in priced)
        ]
        for one in self.merged.added:
            if one.sheet == sheet and one.texts.get(CATALOG.name) == catalog:
                record = {column: text for column, text in one.texts.items() if column != CATALOG.name and text}
                kept.append((one.line, _with_evidence(sheet, record, texts)))
        columns = tuple(dict.fromkeys((*header, *(name for _, record in kept for name in record))))
        rows = [(line, tuple(record.get(column, "") for column in columns)) for line, record in kept]
        return TableRows(columns, rows, self.book.place(sheet))

    def _priced(self) -> set[str]:
        """Return the offers with an edited price, which replaces their benchmark or quotes."""
        edits = (edit for edit in self.merged.edits if (edit.sheet, edit.column) == ("offers", "price") and edit.after)
        return {self.today.tables["offers"].text(edit.row, "id") for edit in edits}


def _nothing_of(demand: DemandSpec) -> DemandSpec:
    per_year = None if demand.per_year is None else Decimal(0)
    return demand.but(per_year=per_year, quantities=tuple(Decimal(0) for _ in demand.quantities))


def _without_range(column: str, edited: Collection[str]) -> dict[str, str]:
    """Return blank cells for the range of an edited figure, because the range belonged to the old figure."""
    return dict.fromkeys((f"{column}_low", f"{column}_high"), "") if column in edited else {}


def _with_evidence(sheet: str, record: dict[str, str], texts: Texts) -> dict[str, str]:
    """Return a row with a source. The source of a scenario's figure is the case, which no table can name."""
    header, rows = texts.tables.get("sources.csv", ((), ()))
    if rows and not record.get("source") and sheet in ("capacity", "offers"):
        record["price_source" if sheet == "offers" else "source"] = rows[0][header.index("id")]
    return record


def goes_along(sheet: str, row: int, today: CaseTables, merged: Differences) -> bool:
    """Return True if the offer or facility of a deleted row is deleted too."""
    column = AFTER.get(sheet)
    if column is None:
        return False
    gone = {today.tables[of].text(one, "id") for of in ("offers", "facilities") for one in merged.deleted.get(of, ())}
    offers = (
        {
            today.tables["offers"].text(one, "id"): today.tables["offers"].text(one, "facility")
            for one in range(len(today.tables["offers"].rows))
        }
        if "offers" in today.tables
        else {}
    )
    named = today.tables[sheet].text(row, column)
    return named in gone or offers.get(named) in gone


class ProvedEdits:
    """Comparison of the facts after the changes with those of the workbook."""

    def __init__(self, book: CaseWorkbook, today: CaseTables, edits: Differences, facts: EditedFacts) -> None:
        self.book, self.today, self.edits, self.facts = book, today, edits, facts

    def mistakes(self, said: Sequence[Change], removals: Sequence[Change]) -> list[Diagnostic]:
        """Return errors for edits that the changes don't reproduce, and for a case that can't be assembled."""
        given = self.today.gathered
        try:
            case, catalogs, _ = apply_changes(said, given.case, given.catalogs, given.rules, given.bills)
            wanted, others, _ = apply_changes(removals, self.facts.case, self.facts.united, given.rules, given.bills)
            wrong = [*_apart(case, wanted, catalogs, others)]
            if not wrong:
                given.inputs.after(said).problem()
        except InputError as error:
            return [self._placed(problem) for problem in error.problems]
        return [problem for sheets, name in dict.fromkeys(wrong) for problem in self._told(sheets, name)]

    def _placed(self, problem: Diagnostic) -> Diagnostic:
        """Return an error about the whole case at the edit that it names."""
        names = set(re.findall(r"`([^`]+)`", f"{problem.message} {problem.found}")) | {problem.found}
        for row in self.edits.added:
            place = row.texts.get("place") or self.today.gathered.case.place
            called = "/".join(
                (row.texts.get("material", ""), row.texts.get("end_use", ""), place)
            )  # a new demand without a name
            if names & {*row.texts.values(), called} - {""}:
                return replace(problem, file=str(self.book.path), row=None, column=self.book.at(row.sheet, row.line))
        for edit in self.edits.edits:
            if names & set(self.today.tables[edit.sheet].rows[edit.row]) - {""}:
                at = self.book.at(edit.sheet, edit.line, edit.column)
                return replace(problem, file=str(self.book.path), row=None, column=at)
        return problem

    def _told(self, sheets: Sequence[str], name: str) -> Iterator[Diagnostic]:
        """Yield an error for each edit of a record that the changes don't reproduce."""
        fix = f"undo it, or edit the case itself; what can be edited: {'; '.join(map(editable, sheets[:1]))}"
        message = "no change of a scenario says this, together with what else is edited of it"
        found = False
        for edit in self.edits.edits:
            table = self.today.tables[edit.sheet]
            if edit.sheet in sheets and name in table.rows[edit.row]:
                found = True
                at = self.book.at(edit.sheet, edit.line, edit.column)
                shown = f"`{edit.after}`" if edit.after else "a blank cell"
                yield Diagnostic(message, str(self.book.path), None, at, shown, f"`{edit.before}`, as it was", fix)
        for row in self.edits.added:
            if row.sheet in sheets and name in row.texts.values():
                found = True
                yield Diagnostic(message, str(self.book.path), None, self.book.at(row.sheet, row.line), fix=fix)
        if not found:
            yield Diagnostic(message, str(self.book.path), None, sheets[0], f"`{name}`", fix=fix)


def _apart(
    case: Case, wanted: Case, catalogs: Sequence[Catalog], others: Sequence[Catalog]
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield each difference: the sheets that may state it, and the name of its record."""
    for one, other in zip(case.demands, wanted.demands, strict=True):
        if one.but(why="") != other.but(why=""):
            yield ("demand",), next(filter(None, (one.id, one.material)))
    for first, second in zip(case.orders, wanted.orders, strict=True):
        if first != second:
            yield ("order",), first.id or first.offer
    for before, after in zip(catalogs, others, strict=True):
        for table, (sheets, stated) in _STATED.items() if before != after else ():
            records = ([(record.id, record) for record in getattr(catalog, table)] for catalog in (before, after))
            for name, ours, theirs in sorted(paired(*records), key=itemgetter(0)):
                if ours != theirs and (None in (ours, theirs) or stated(ours) != stated(theirs)):
                    yield sheets, name


def _of_facility(facility: Facility) -> Hashable:
    """Return a facility without the sources of its capacity and without an initial capacity of 0, which is implied."""
    steps: list[CapacityStep] = []
    for step in (one.but(source="") for one in facility.capacity):
        last = steps[-1] if steps else None
        if last is None and step.start is None and not step.per_year and step.per_year is not None:
            continue
        if last is None or (last.per_year, last.status) != (step.per_year, step.status):
            steps.append(step)
    return facility.but(capacity=tuple(steps))


def _of_benchmark(row: BenchmarkPrice) -> Hashable:
    return row.but(source="", low=None, high=None)


def _of_priced(offer: Offer) -> Hashable:
    """Return an offer without the source and range of its price."""
    price = None if offer.price is None else offer.price.but(source="", low=None, high=None)
    return offer.but(price=price, quotes=tuple(quote.but(low=None, high=None) for quote in offer.quotes))


_STATED: Mapping[str, tuple[tuple[str, ...], Callable[[Any], Hashable]]] = {
    "facilities": (("capacity", "facilities"), _of_facility),
    "offers": (("offers", "quotes"), _of_priced),
    "prices": (("prices",), _of_benchmark),
    "schedules": (("tiers",), lambda schedule: schedule),
    "terms": (("terms",), lambda terms: terms),
}
"""Table of a catalog -> the sheets that may state its records, and the part of a record that a change can state."""
