"""The edits of a workbook, those that a scenario can express, and the facts with them.

The workbook as it was written, the current case, and the edited workbook are compared. A cell that wasn't edited has the current value of the
case. An edited cell counts if the case still has the old value. If the case has neither the old nor the new value, that is a conflict.

"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from operator import itemgetter
from typing import Any

from friendshore.case import keys
from friendshore.case.keys import CaseContext
from friendshore.catalog import merge_facilities, read_catalogs
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
from friendshore.problem.demands import demand_name
from friendshore.readers import CatalogRows, TableRows
from friendshore.reading import kinds as k
from friendshore.reading.csvfile import BAD_CELL
from friendshore.reading.fields import Layout
from friendshore.reading.kinds import Kind
from friendshore.reading.records import Entry

from .case_book import CaseWorkbook, EditedSheet, RowTexts, WrittenSheet
from .case_tables import CATALOG, CELLS, DELETED_WITH, ROWS_ADDED, ROWS_DELETED, CaseTable, CaseTables, editable

_WRITE_AGAIN = "write the workbook again and repeat the edit"


@dataclass(frozen=True, slots=True)
class Edit:
    """An edited cell."""

    sheet: str
    row: int
    column: str
    before: str
    after: str
    line: int


@dataclass(frozen=True, slots=True)
class AddedRow:
    """A row that only the workbook has."""

    sheet: str
    line: int
    texts: RowTexts


@dataclass(slots=True)
class Differences:
    """Differences between the workbook and the current case."""

    edits: list[Edit] = field(default_factory=list)
    added: list[AddedRow] = field(default_factory=list)
    deleted: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    lines: dict[tuple[str, int], int] = field(default_factory=dict)


def differences(book: CaseWorkbook, current: CaseTables, problems: list[Diagnostic]) -> Differences:
    """Compare the three versions. Conflicts go to `problems`."""
    result = Differences()
    for name, written in book.written.items():
        edited = book.edited.get(name)
        if edited is not None and len(edited.letters) == len(written.columns):
            _SheetComparison(book, name, written, edited, current.tables.get(name), result, problems).compare()
    return result


@dataclass(frozen=True, slots=True)
class _SheetComparison:
    book: CaseWorkbook
    name: str
    written: WrittenSheet
    edited: EditedSheet
    table: CaseTable | None
    """Current table. None if the case no longer has any row of it."""
    result: Differences
    problems: list[Diagnostic]

    def compare(self) -> None:
        current_rows = self._current_rows()
        edited_rows = [texts for _, texts in self.edited.rows]
        key = self.table.key if self.table is not None else self.written.columns[:1]
        current_of = matched(self.written.rows, current_rows, key)
        edited_of = matched(self.written.rows, edited_rows, key)
        for number, before in enumerate(self.written.rows):
            position, edited_position = current_of.get(number), edited_of.get(number)
            if edited_position is None:
                self._record_deletion(before, position, current_rows)
                continue
            line, texts = self.edited.rows[edited_position]
            if position is not None:
                self.result.lines[self.name, position] = line
            for column in self.written.columns:
                if texts[column] != BAD_CELL and not self._kind(column).same(texts[column], before[column]):
                    self._record_edit(line, column, texts[column], before[column], position, current_rows)
        matched_positions = set(current_of.values())
        unmatched = [texts for number, texts in enumerate(current_rows) if number not in matched_positions]
        matched_edited = set(edited_of.values())
        for number, (line, texts) in enumerate(self.edited.rows):
            if number not in matched_edited and not any(self._are_equal(texts, other) for other in unmatched):
                self.result.added.append(AddedRow(self.name, line, texts))

    def _current_rows(self) -> list[RowTexts]:
        table = self.table
        if table is None:
            return []
        blank = dict.fromkeys(self.written.columns, "")
        return [{**blank, **dict(zip(table.columns, row, strict=True))} for row in table.rows]

    def _kind(self, column: str) -> Kind:
        field = None if self.table is None else self.table.fields.get(column)
        return k.TEXT if field is None else field.kind

    def _are_equal(self, first: RowTexts, second: RowTexts) -> bool:
        return all(self._kind(column).same(first[column], second[column]) for column in self.written.columns)

    def _record_deletion(self, before: RowTexts, position: int | None, current_rows: Sequence[RowTexts]) -> None:
        if position is None:
            return
        if self._are_equal(before, current_rows[position]):
            self.result.deleted[self.name].append(position)
            return
        assert self.table is not None
        self.problems.append(
            Diagnostic(
                "the row was deleted here, but the case has changed it since the workbook was written",
                str(self.book.path),
                column=self.name,
                found=f"`{self.table.row_name(position)}`",
                fix=_WRITE_AGAIN,
                code="FS904",
            )
        )

    def _record_edit(
        self, line: int, column: str, after: str, before: str, position: int | None, current_rows: Sequence[RowTexts]
    ) -> None:
        kind, current = self._kind(column), None if position is None else current_rows[position][column]
        if current is not None and kind.same(after, current):
            return
        if position is not None and current is not None and kind.same(before, current):
            self.result.edits.append(Edit(self.name, position, column, current, after, line))
            return
        in_case = "the case no longer has the row" if current is None else f"`{current}` in the current case"
        self.problems.append(
            Diagnostic(
                "was edited here, but the case has changed since the workbook was written",
                str(self.book.path),
                column=self.book.cell_name(self.name, line, column),
                found=f"`{after}` here, {in_case}",
                expected=f"`{before}`, as it was",
                fix=_WRITE_AGAIN,
                code="FS904",
            )
        )


def matched(old: Sequence[RowTexts], new: Sequence[RowTexts], key: Sequence[str]) -> dict[int, int]:
    """Match rows of `old` with rows of `new` by position: equal rows first, then equal keys, then keys that differ only in the last columns."""
    matches: dict[int, int] = {}
    columns = tuple(old[0]) if old else ()
    column_sets: list[tuple[str, ...]] = [columns, tuple(key)]
    # The name of a catalog alone identifies no row.
    column_sets += [tuple(key[:-count]) for count in range(1, len(key)) if len(key) - count > (key[0] == CATALOG.name)]
    for columns_to_match in column_sets:
        _match_rows(old, new, matches, _name_by(columns_to_match))
    return matches


def _name_by(columns: Sequence[str]) -> Callable[[RowTexts], Hashable]:
    def name(texts: RowTexts) -> Hashable:
        cells = tuple(texts.get(column, "") for column in columns)
        return cells if any(cells) else None

    return name


def _match_rows(
    old: Sequence[RowTexts], new: Sequence[RowTexts], matches: dict[int, int], name_of: Callable[[RowTexts], Hashable]
) -> None:
    matched_positions = set(matches.values())
    unmatched: Mapping[Hashable, list[int]] = defaultdict(list)
    for number in range(len(new) - 1, -1, -1):
        name = name_of(new[number])
        if number not in matched_positions and name is not None:
            unmatched[name].append(number)
    for number, texts in enumerate(old):
        if number not in matches and unmatched[name_of(texts)]:
            matches[number] = unmatched[name_of(texts)].pop()


_LIFTED_FIELDS = {field for kind, terms in OFFER_TERMS.items() if kind is not TermKind.LEAD_TIME for field in terms}
CLEARED_ONLY = _LIFTED_FIELDS - {"start", "end"} | {"from"}


def inexpressible_edits(book: CaseWorkbook, current: CaseTables, differences: Differences) -> Iterator[Diagnostic]:
    for edit in differences.edits:
        if not _is_expressible(edit, current):
            yield Diagnostic(
                "a scenario can't express this edit",
                str(book.path),
                column=book.cell_name(edit.sheet, edit.line, edit.column),
                found=f"`{edit.after}`" if edit.after else "a blank cell",
                expected=f"`{edit.before}`, as it was" if edit.before else "a blank cell, as it was",
                fix=_undo(editable(edit.sheet)),
                code="FS903",
            )
    for row in differences.added:
        yield from _inexpressible_row(row, book)
        yield from _unknown_catalog(row, book, current)
    for sheet, rows in differences.deleted.items():
        for number in rows:
            if sheet not in ROWS_DELETED and not is_deleted_with_subject(sheet, number, current, differences):
                yield Diagnostic(
                    "a scenario can't delete this row",
                    str(book.path),
                    column=sheet,
                    found=f"no row of `{current.tables[sheet].row_name(number)}`",
                    fix=_undo(editable(sheet)),
                    code="FS903",
                )


def _undo(edits: str) -> str:
    return f"undo the edit, or edit the case itself (a scenario can edit: {edits})"


def _is_expressible(edit: Edit, current: CaseTables) -> bool:
    table = current.tables[edit.sheet]
    if edit.column not in CELLS.get(edit.sheet, {}):
        return False
    if edit.sheet == "settings":
        section, key = table.text(edit.row, "section"), table.text(edit.row, "key")
        return section == "accept.capacity" or (section, key) == ("accept", "proven")
    if edit.sheet == "offers":
        return not (edit.column in CLEARED_ONLY and edit.after)
    if edit.sheet == "rule":
        is_bill = table.text(edit.row, "kind") == "bill"
        return edit.after in ("yes", "no") if edit.column == "on" else not is_bill
    return edit.sheet != "terms" or not edit.after


def _inexpressible_row(row: AddedRow, book: CaseWorkbook) -> Iterator[Diagnostic]:
    filled = [column for column, text in row.texts.items() if text]
    allowed, _ = ROWS_ADDED.get(row.sheet, ((), ""))
    for column in filled[:1] if not allowed else filled:
        if column not in allowed:
            yield Diagnostic(
                f"a scenario can't state this in a row added to `{row.sheet}`"
                if allowed
                else "a scenario can't add this row",
                str(book.path),
                column=book.cell_name(row.sheet, row.line, column),
                found=f"`{row.texts[column]}`",
                expected=f"cells in {', '.join(allowed)}" if allowed else "",
                fix=_undo(editable(row.sheet)),
                code="FS903",
            )


def _unknown_catalog(row: AddedRow, book: CaseWorkbook, current: CaseTables) -> Iterator[Diagnostic]:
    name = row.texts.get(CATALOG.name, "")
    if row.sheet in ROWS_ADDED and CATALOG.name in row.texts and name not in current.gathered.named:
        yield Diagnostic(
            f"the case doesn't name a catalog `{name}`" if name else "the catalog of the row is missing",
            str(book.path),
            column=book.cell_name(row.sheet, row.line, CATALOG.name),
            found=f"`{name}`" if name else "a blank cell",
            expected="one of " + ", ".join(sorted(current.catalogs.keys() & current.gathered.named.keys())),
            fix=did_you_mean(name, current.catalogs) or "write the name of a catalog of the case",
            code="FS908",
        )


@dataclass(frozen=True, slots=True)
class EditedFacts:
    """The case with the edits in its own files."""

    case: Case
    """With demands of added rows at the end. Deleted demands have a quantity of 0."""
    catalogs: tuple[Catalog, ...]
    merge_facilities: tuple[Catalog, ...]


def case_facts(current: CaseTables) -> CaseContext:
    case = current.gathered.case
    return CaseContext(case.currency, case.place, case.horizon)


def read_row(
    book: CaseWorkbook, layout: Layout, sheet: str, line: int, texts: Mapping[str, str], problems: list[Diagnostic]
) -> Entry | None:
    cells = {name: text for name, text in texts.items() if text or name in layout.names}
    rows = TableRows(tuple(cells), [(line, tuple(cells.values()))], book.place(sheet))
    table = read_rows(rows, layout, book.place(sheet), problems)
    return table.rows[0] if table.rows else None


def edited_facts(
    book: CaseWorkbook, current: CaseTables, differences: Differences, problems: list[Diagnostic]
) -> EditedFacts | None:
    return _EditedTables(book, current, differences, problems).facts()


@dataclass(frozen=True, slots=True)
class _EditedTables:
    book: CaseWorkbook
    current: CaseTables
    differences: Differences
    problems: list[Diagnostic]

    def facts(self) -> EditedFacts | None:
        before, case = len(self.problems), self.current.gathered.case
        demands, orders = (*self._demands(), *self._added_demands()), tuple(self._orders())
        catalogs: tuple[Catalog, ...] = self.current.gathered.read
        edited = {*self._edited_catalogs()}
        if edited:
            refs = {
                name: self._edited_catalog(name) if name in edited else ref
                for name, (ref, _) in self.current.catalogs.items()
            }
            named = [refs[name] for name in refs if name in self.current.gathered.named]
            try:
                catalogs = read_catalogs(named, lambda name: refs[name], case.overlaps)
            except InputError as error:
                self.problems.extend(error.problems)
        if len(self.problems) > before:
            return None
        return EditedFacts(
            case.but(demands=demands, orders=orders), catalogs, merge_facilities(catalogs, case.overlaps)
        )

    def _demands(self) -> Iterator[DemandSpec]:
        for row, before in enumerate(self.current.gathered.case.demands):
            edits = self._edits_of("demand", row)
            entry = self._edited_row(keys.DEMAND, "demand", row, _without_range("per_year", edits) | edits)
            edited_demand = keys.demand(entry, case_facts(self.current)) if entry is not None else None
            yield (
                _without_quantity(before)
                if row in self.differences.deleted.get("demand", ())
                else edited_demand or before
            )

    def _added_demands(self) -> Iterator[DemandSpec]:
        for row in (row for row in self.differences.added if row.sheet == "demand"):
            entry = read_row(self.book, keys.DEMAND, "demand", row.line, row.texts, self.problems)
            demand = keys.demand(entry, case_facts(self.current)) if entry is not None else None
            if demand is not None and demand.substance and entry is not None:
                amounts = ("per_year", "quantity", "quantities", "shortage_price")
                column = next(name for name in amounts if row.texts.get(name))
                message = "the amount of a new demand can't name a substance"
                fix = "state kilograms of the material's basis, such as `5 t`"
                entry.problem(column, message, "kilograms of the material's basis", fix, "FS012")
            elif demand is not None:
                yield demand

    def _orders(self) -> Iterator[OrderSpec]:
        for row, before in enumerate(self.current.gathered.case.orders):
            edits = self._edits_of("order", row)
            entry = self._edited_row(keys.ORDER, "order", row, edits if "quantity" in edits else {})
            edited_order = keys.table_record(entry, OrderSpec, case_facts(self.current)) if entry is not None else None
            if edited_order is not None and entry is not None and edited_order.substance != before.substance:
                expected = before.substance or "kilograms of the material's basis"
                message, fix = "the quantity isn't in the order's substance", "use the order's substance"
                entry.problem("quantity", message, expected, fix, "FS012")
            yield edited_order or before

    def _edited_row(self, layout: Layout, sheet: str, row: int, edits: RowTexts) -> Entry | None:
        if not edits:
            return None
        table = self.current.tables[sheet]
        texts = {**dict(zip(table.columns, table.rows[row], strict=True)), **edits}
        return read_row(self.book, layout, sheet, self.differences.lines[sheet, row], texts, self.problems)

    def _edits_of(self, sheet: str, row: int) -> dict[str, str]:
        return {edit.column: edit.after for edit in self.differences.edits if (edit.sheet, edit.row) == (sheet, row)}

    def _edited_catalogs(self) -> Iterator[str]:
        for sheet, row in [*((edit.sheet, edit.row) for edit in self.differences.edits), *self._rows_to_omit()]:
            table = self.current.tables[sheet]
            if table.origins:
                yield table.origins[row][0]
        for added in self.differences.added:
            if added.texts.get(CATALOG.name) in self.current.catalogs:
                yield added.texts[CATALOG.name]

    def _rows_to_omit(self) -> list[tuple[str, int]]:
        """Return the deleted rows to omit here. Rows of a deleted offer stay until a change removes the offer."""
        return [("tiers", row) for row in self.differences.deleted.get("tiers", ())]

    def _edited_catalog(self, name: str) -> CatalogRef:
        ref, texts = self.current.catalogs[name]
        sheets_with_new_rows = (row.sheet for row in self.differences.added if row.texts.get(CATALOG.name) == name)
        sheets = dict.fromkeys([*(file.removesuffix(".csv") for file in texts.tables), *sheets_with_new_rows])
        tables = {sheet: self._edited_table(name, sheet) for sheet in sheets}
        head = {key: list(value) if isinstance(value, tuple) else value for key, value in texts.head.items()}
        return ref.but(reading=None, rows=CatalogRows(head, tables, str(self.book.path)))

    def _edited_table(self, catalog: str, sheet: str) -> TableRows:
        table, (_, texts) = self.current.tables.get(sheet), self.current.catalogs[catalog]
        header, rows_before = texts.tables.get(f"{sheet}.csv", ((), ()))
        records: list[tuple[int, dict[str, str]]] = [(0, dict(zip(header, row, strict=True))) for row in rows_before]
        position_by_row = (
            {}
            if table is None
            else {row: position for row, (name, position) in enumerate(table.origins) if name == catalog}
        )
        for row, position in position_by_row.items():
            records[position] = (self.differences.lines.get((sheet, row), 0), records[position][1])
        edits = [edit for edit in self.differences.edits if edit.sheet == sheet and edit.row in position_by_row]
        for edit in edits:
            record = records[position_by_row[edit.row]][1]
            blank = _without_range("price", (edit.column,))
            record.update({end: text for end, text in blank.items() if end in record}, **{edit.column: edit.after})
        repriced = self._offers_with_new_price()
        for edit in edits:
            record = _with_evidence(sheet, records[position_by_row[edit.row]][1], texts)
            if sheet == "offers" and record["id"] in repriced:
                record |= dict.fromkeys(("benchmark", "premium"), "")
        omitted = {
            position_by_row[row]
            for of_sheet, row in self._rows_to_omit()
            if of_sheet == sheet and row in position_by_row
        }
        remaining = [
            item
            for position, item in enumerate(records)
            if position not in omitted and not (sheet == "quotes" and item[1]["offer"] in repriced)
        ]
        for item in self.differences.added:
            if item.sheet == sheet and item.texts.get(CATALOG.name) == catalog:
                record = {column: text for column, text in item.texts.items() if column != CATALOG.name and text}
                remaining.append((item.line, _with_evidence(sheet, record, texts)))
        columns = tuple(dict.fromkeys((*header, *(name for _, record in remaining for name in record))))
        rows = [(line, tuple(record.get(column, "") for column in columns)) for line, record in remaining]
        return TableRows(columns, rows, self.book.place(sheet))

    def _offers_with_new_price(self) -> set[str]:
        edits = (
            edit for edit in self.differences.edits if (edit.sheet, edit.column) == ("offers", "price") and edit.after
        )
        return {self.current.tables["offers"].text(edit.row, "id") for edit in edits}


def _without_quantity(demand: DemandSpec) -> DemandSpec:
    per_year = None if demand.per_year is None else Decimal(0)
    return demand.but(per_year=per_year, quantities=tuple(Decimal(0) for _ in demand.quantities))


def _without_range(column: str, edited: Collection[str]) -> dict[str, str]:
    """Return blank cells for the range of an edited figure, because the range belonged to the old figure."""
    return dict.fromkeys((f"{column}_low", f"{column}_high"), "") if column in edited else {}


def _with_evidence(sheet: str, record: dict[str, str], texts: Texts) -> dict[str, str]:
    """Return a row with a source. A scenario's figure comes from the case, which no table can name as a source, so any source serves."""
    header, rows = texts.tables.get("sources.csv", ((), ()))
    if rows and not record.get("source") and sheet in ("capacity", "offers"):
        record["price_source" if sheet == "offers" else "source"] = rows[0][header.index("id")]
    return record


def is_deleted_with_subject(sheet: str, row: int, current: CaseTables, differences: Differences) -> bool:
    column = DELETED_WITH.get(sheet)
    if column is None:
        return False
    deleted_ids = {
        current.tables[table].text(number, "id")
        for table in ("offers", "facilities")
        for number in differences.deleted.get(table, ())
    }
    facility_of_offer = (
        {
            current.tables["offers"].text(number, "id"): current.tables["offers"].text(number, "facility")
            for number in range(len(current.tables["offers"].rows))
        }
        if "offers" in current.tables
        else {}
    )
    subject = current.tables[sheet].text(row, column)
    return subject in deleted_ids or facility_of_offer.get(subject) in deleted_ids


_ROW_OF_SUBJECT: Mapping[str, str] = {"want": "demand", "grant": "license", "waive": "waiver", "stock": "stock"}
"""Subject of a change that an added row states -> sheet of the row."""
_CELLS_OF_SUBJECT: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("enable", "disable", "move", "loosen", "limit"), ("rule",)),
    **dict.fromkeys(("accept", "prove"), ("settings",)),
    "demand": ("demand",), "order": ("order",), "capacity": ("capacity",), "price": ("offers", "quotes", "prices"),
    "lead_time": ("offers",), "remove": ("offers",), "lift": ("offers", "terms", "tiers"), "recipe": ("recipe",),
}  # fmt: skip
"""Subject of a change that edited cells state -> their sheets."""


class EditsCheck:
    """Comparison of the facts after the changes with the facts of the workbook."""

    def __init__(self, book: CaseWorkbook, current: CaseTables, edits: Differences, facts: EditedFacts) -> None:
        self.book, self.current, self.edits, self.facts = book, current, edits, facts

    def problems(self, changes: Sequence[Change], removals: Sequence[Change]) -> list[Diagnostic]:
        """Return errors for edits that the changes don't reproduce, or with which the case can't be planned."""
        gathered, facts = self.current.gathered, self.facts
        rules, bills = gathered.rules, gathered.bills
        try:
            case, catalogs, _ = apply_changes(changes, gathered.case, gathered.catalogs, rules, bills)
            target, target_catalogs, _ = apply_changes(removals, facts.case, facts.merge_facilities, rules, bills)
            records = [*_differing_records(case, target, catalogs, target_catalogs)]
            if not records:
                gathered.inputs.after(changes).problem()
        except InputError as error:
            return list(self._problems_by_change(changes)) or list(error.problems)
        return [problem for sheets, name in dict.fromkeys(records) for problem in self._not_reproduced(sheets, name)]

    def _problems_by_change(self, changes: Sequence[Change]) -> Iterator[Diagnostic]:
        """Yield the errors of the case with the changes, each at the edit of the change that adds it.

        An error of the whole case names no edit, so this searches for the first change that adds errors, and again without this change.
        """
        rest = list(changes)
        known = set(self._errors(()))
        while added := [problem for problem in self._errors(rest) if problem not in known]:
            # The first `valid` changes add no error, and the first `invalid` changes do.
            valid, invalid = 0, len(rest)
            while invalid - valid > 1:
                middle = (valid + invalid) // 2
                problems = [problem for problem in self._errors(rest[:middle]) if problem not in known]
                if problems:
                    invalid, added = middle, problems
                else:
                    valid = middle
            column = self._cell_of(changes, rest.pop(valid))
            for problem in added:
                yield replace(problem, file=str(self.book.path), row=None, column=column) if column else problem
        yield from self._errors(rest)

    def _errors(self, changes: Sequence[Change]) -> tuple[Diagnostic, ...]:
        try:
            self.current.gathered.inputs.after(changes).problem()
        except InputError as error:
            return error.problems
        return ()

    def _cell_of(self, changes: Sequence[Change], change: Change) -> str:
        subject = change.subject
        if subject in _ROW_OF_SUBJECT:  # each added row of the sheet states one change, in order
            rows = [row for row in self.edits.added if row.sheet == _ROW_OF_SUBJECT[subject]]
            same_kind = [other for other in changes if other.subject == subject]
            row = rows[same_kind.index(change)]
            return self.book.cell_name(row.sheet, row.line)
        value = str(change.of if subject == "lift" else getattr(change, subject))
        name = "proven" if subject == "prove" else value.partition(":")[2] or value
        sheets = _CELLS_OF_SUBJECT[subject]
        for row in self.edits.added:
            if row.sheet in sheets and name in row.texts.values():
                return self.book.cell_name(row.sheet, row.line)
        for edit in self.edits.edits:
            if edit.sheet in sheets and name in self._names_in_row(edit):
                return self.book.cell_name(edit.sheet, edit.line, edit.column)
        return ""

    def _names_in_row(self, edit: Edit) -> set[str]:
        case, cells = self.current.gathered.case, {*self.current.tables[edit.sheet].rows[edit.row]}
        if edit.sheet == "demand":
            cells.add(demand_name(case.demands[edit.row], case))
        if edit.sheet == "order":
            cells.add(case.order_names[edit.row])
        return cells

    def _not_reproduced(self, sheets: Sequence[str], name: str) -> Iterator[Diagnostic]:
        file, fix = str(self.book.path), _undo("; ".join(map(editable, sheets[:1])))
        message = f"a scenario can't express all edits of `{name}` together"
        edits = [
            edit
            for edit in self.edits.edits
            if edit.sheet in sheets and name in self.current.tables[edit.sheet].rows[edit.row]
        ]
        for edit in edits:
            cell = self.book.cell_name(edit.sheet, edit.line, edit.column)
            found = f"`{edit.after}`" if edit.after else "a blank cell"
            yield Diagnostic(message, file, None, cell, found, f"`{edit.before}`, as it was", fix, "FS903")
        rows = [row for row in self.edits.added if row.sheet in sheets and name in row.texts.values()]
        for row in rows:
            yield Diagnostic(message, file, None, self.book.cell_name(row.sheet, row.line), fix=fix, code="FS903")
        if not edits and not rows:
            yield Diagnostic(message, file, None, sheets[0], f"`{name}`", fix=fix, code="FS903")


def _differing_records(
    case: Case, target: Case, catalogs: Sequence[Catalog], target_catalogs: Sequence[Catalog]
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the name of each differing record, with the sheets that may state it."""
    for demand, target_demand in zip(case.demands, target.demands, strict=True):
        if demand.but(why="") != target_demand.but(why=""):
            yield ("demand",), next(filter(None, (demand.id, demand.material)))
    for order, target_order in zip(case.orders, target.orders, strict=True):
        if order != target_order:
            yield ("order",), order.id or order.offer
    for before, after in zip(catalogs, target_catalogs, strict=True):
        for table, (sheets, expressible) in _SHEETS_OF_RECORDS.items() if before != after else ():
            records = ([(record.id, record) for record in getattr(catalog, table)] for catalog in (before, after))
            for name, record, target_record in sorted(paired(*records), key=itemgetter(0)):
                if record != target_record and (
                    None in (record, target_record) or expressible(record) != expressible(target_record)
                ):
                    yield sheets, name


def _expressible_facility(facility: Facility) -> Hashable:
    """Return a facility without the sources of its capacity and without an initial capacity of 0, which is implied."""
    steps: list[CapacityStep] = []
    for step in (step.but(source="") for step in facility.capacity):
        last = steps[-1] if steps else None
        if last is None and step.start is None and not step.per_year and step.per_year is not None:
            continue
        if last is None or (last.per_year, last.status) != (step.per_year, step.status):
            steps.append(step)
    return facility.but(capacity=tuple(steps))


def _expressible_price(row: BenchmarkPrice) -> Hashable:
    return row.but(source="", low=None, high=None)


def _expressible_offer(offer: Offer) -> Hashable:
    price = None if offer.price is None else offer.price.but(source="", low=None, high=None)
    return offer.but(price=price, quotes=tuple(quote.but(low=None, high=None) for quote in offer.quotes))


_SHEETS_OF_RECORDS: Mapping[str, tuple[tuple[str, ...], Callable[[Any], Hashable]]] = {
    "facilities": (("capacity", "facilities"), _expressible_facility),
    "offers": (("offers", "quotes"), _expressible_offer),
    "prices": (("prices",), _expressible_price),
    "schedules": (("tiers",), lambda schedule: schedule),
    "terms": (("terms",), lambda terms: terms),
}
"""Table of a catalog -> the sheets that may state its records, and the part of a record that a change can state."""
