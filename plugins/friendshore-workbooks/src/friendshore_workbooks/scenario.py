"""The edits of a workbook as a scenario: changes that turn the current case into exactly the facts of the workbook."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal, localcontext
from pathlib import Path

from friendshore.case.keys import DEMAND
from friendshore.domain.base import DIGITS, UnreadableError, exact, grouped
from friendshore.domain.case import Scenario
from friendshore.domain.change import Change, TermKind
from friendshore.domain.facts import CapacityStep, Catalog, Facility, Offer, Status
from friendshore.domain.market import BenchmarkPrice
from friendshore.domain.suggest import did_you_mean
from friendshore.domain.terms import Terms
from friendshore.domain.time import add_months
from friendshore.errors import Diagnostic, InputError
from friendshore.problem.changes import OFFER_TERMS, TERMS_FIGURES, apply_changes, without_kind
from friendshore.problem.demands import demand_name
from friendshore.reading import kinds as k
from friendshore.reading.fields import Layout
from friendshore.reading.records import Entry
from friendshore.reading.tomlfile import TomlFile, read_section, toml_data, toml_text
from friendshore.reading.workbook import is_workbook
from friendshore.recommend.gather import Gathered
from friendshore.rules.amend import figure_of, with_figure
from friendshore.rules.base import Rule
from friendshore.rules.keys import CHANGE, SCENARIO, scenario
from friendshore.rules.keys import change as change_of
from friendshore.writing import replace_file

from .case_book import CaseWorkbook, read_case_workbook
from .case_tables import CELLS, ROWS_ADDED, RULE, CaseTables, case_tables, editable
from .edits import (
    Differences,
    Edit,
    EditedFacts,
    EditsCheck,
    differences,
    edited_facts,
    inexpressible_edits,
    read_row,
)


def changes_of(book: CaseWorkbook, current: CaseTables, problems: list[Diagnostic]) -> tuple[Change, ...]:
    """Return the edits of a workbook as changes. Raise an `InputError` with all errors by cell, including the `problems` of its sheets."""
    edits = differences(book, current, problems)
    problems.extend(inexpressible_edits(book, current, edits))
    facts = edited_facts(book, current, edits, problems)
    case_sheets = _ChangesOfCaseSheets(book, current, edits, problems)
    changes = [*case_sheets.of_rules(), *case_sheets.of_settings(), *case_sheets.of_rows(), *case_sheets.of_removals()]
    case_sheets.check_reasons()
    if problems or facts is None:
        raise InputError(book.sorted(problems))
    removals = [change for change in changes if change.remove]
    changes += case_sheets.of_demands(facts)
    changes += case_sheets.of_orders(facts)
    changes += catalog_changes(current.gathered.read, facts.catalogs, current.gathered.case.assume.lead_time)
    problems += [] if problems else EditsCheck(book, current, edits, facts).problems(changes, removals)
    if problems:
        raise InputError(book.sorted(problems))
    gathered = current.gathered
    return tuple(without_kind(change, gathered.case, gathered.catalogs) for change in changes)


class _ChangesOfCaseSheets:
    def __init__(self, book: CaseWorkbook, current: CaseTables, edits: Differences, problems: list[Diagnostic]) -> None:
        self.book, self.current, self.edits, self.problems = book, current, edits, problems
        self.case = current.gathered.case

    def report(self, edit: Edit, message: str, expected: str = "", fix: str = "", *, code: str) -> None:
        found = f"`{edit.after}`" if edit.after else "a blank cell"
        column = self.book.cell_name(edit.sheet, edit.line, edit.column)
        self.problems.append(Diagnostic(message, str(self.book.path), None, column, found, expected, fix, code))

    def _read(self, edit: Edit, layout: Layout, column: str) -> object:
        try:
            return layout.by_name[column].kind.read(edit.after)
        except UnreadableError as error:
            self.report(edit, "cannot be read", error.expected, error.fix, code=error.code)
            return None

    def of_rules(self) -> Iterator[Change]:
        table, rules = self.current.tables["rule"], {rule.id: rule for rule in self.current.gathered.rules}
        moved: dict[str, dict[str, object]] = {}
        last_edit: dict[str, Edit] = {}
        for edit in self.edits.edits:
            if edit.sheet != "rule" or edit.column not in CELLS["rule"]:
                continue
            if edit.column == "on" and edit.after not in ("yes", "no"):
                continue
            name = table.text(edit.row, "id")
            if edit.column == "on":
                change = Change.model_validate({"enable" if edit.after == "yes" else "disable": name})
                yield from self._switched(edit, change)
            elif name in rules and (value := self._read(edit, RULE, edit.column)) is not None:
                if edit.column == "loosen":
                    yield from self._loosened(edit, rules[name], value)
                elif edit.column == "limit":
                    yield from self._limited(edit, rules[name])
                else:
                    moved.setdefault(name, {"move": name})[edit.column] = value
                    last_edit[name] = edit
        for keys in moved.values():
            try:
                yield Change.model_validate(keys)
            except ValueError:
                edit = last_edit[str(keys["move"])]
                self.report(edit, "`until` is before `from`", "a later date", "swap or correct the dates", code="FS012")

    def _switched(self, edit: Edit, change: Change) -> Iterator[Change]:
        gathered = self.current.gathered
        if apply_changes([change], self.case, (), gathered.rules, gathered.bills)[2] == gathered.rules:
            phases = self.current.tables["rule"].text(edit.row, "phases")
            message = f"the edit has no effect, because the rule is {phases}"
            self.report(edit, message, fix="undo the edit (a suspended phase can't be switched on)", code="FS905")
        else:
            yield change

    def _loosened(self, edit: Edit, rule: Rule, value: object) -> Iterator[Change]:
        if type(rule).rows is Rule.rows:
            message = f"a rule of kind `{rule.kind}` has no bound to loosen"
            self.report(edit, message, "a limit", "undo the edit", code="FS903")
        elif value:
            yield Change.model_validate({"loosen": rule.id, "by": value})

    def _limited(self, edit: Edit, rule: Rule) -> Iterator[Change]:
        if not figure_of(rule):
            message = f"rule `{rule.id}` has no single figure to change"
            self.report(edit, message, "a limit with one figure", "undo the edit", code="FS903")
            return
        try:
            changed = with_figure(rule, edit.after)
        except InputError as error:
            problem, fix = error.problems[0], "correct the figure, or undo the edit"
            self.report(edit, problem.message, "a figure like the one before", fix, code=problem.code or "FS012")
            return
        if changed != rule:
            yield Change(limit=rule.id, at=edit.after)

    def of_settings(self) -> Iterator[Change]:
        table = self.current.tables["settings"]
        for edit in self.edits.edits:
            if edit.sheet != "settings":
                continue
            section, key = table.text(edit.row, "section"), table.text(edit.row, "key")
            if section == "accept.capacity":
                share = self._share(edit)
                if share is not None and share != self.case.accept.counts(Status(key)):
                    yield Change.model_validate({"accept": key, "factor": share})
            elif (section, key) == ("accept", "proven"):
                yield from self._proven(edit)

    def _share(self, edit: Edit) -> Decimal | None:
        try:
            share: Decimal = k.FRACTION.read(edit.after)
        except UnreadableError as error:
            self.report(edit, "cannot be read", error.expected, error.fix, code=error.code)
            return None
        return share

    def _proven(self, edit: Edit) -> Iterator[Change]:
        before, after = (
            [name.strip() for name in text.split(";") if name.strip()] for text in (edit.before, edit.after)
        )
        offers = [offer.id for catalog in self.current.gathered.read for offer in catalog.offers]
        for name in sorted({*before} - {*after}):
            message, fix = f"a scenario can't remove `{name}` from this list", "put it back, or edit the case itself"
            self.report(edit, message, fix=fix, code="FS903")
        for name in sorted({*after} - {*before}):
            if name in offers:
                yield Change(prove=name)
            else:
                message, fix = f"the case has no offer `{name}`", did_you_mean(name, offers)
                self.report(edit, message, "ids of offers", fix or "correct the id", code="FS908")

    def of_rows(self) -> Iterator[Change]:
        for row in self.edits.added:
            layout = _LAYOUT_OF_ADDED_ROWS.get(row.sheet)
            entry = layout and read_row(self.book, layout, row.sheet, row.line, row.texts, self.problems)
            if entry:
                self._check_names(entry)
                change = change_of(entry)
                if change is not None:
                    yield change

    def _check_names(self, entry: Entry) -> None:
        gathered = self.current.gathered
        materials = [material.id for catalog in gathered.read for material in catalog.materials]
        known_names = {
            "rule": [rule.id for rule in gathered.rules],
            "material": materials,
            "demand": [*(demand_name(demand, self.case) for demand in self.case.demands), *materials],
        }
        for column, names in known_names.items():
            if column in entry.values and entry.values[column] not in names:
                fix = did_you_mean(str(entry.values[column]), names) or "correct the name"
                entry.problem(column, f"the case has no such {column}", fix=fix, code="FS908")
                entry.bad |= {column}

    def of_removals(self) -> Iterator[Change]:
        tables, deleted = self.current.tables, self.edits.deleted
        for row in deleted.get("demand", ()):
            yield Change(demand=f"demand:{demand_name(self.case.demands[row], self.case)}", factor=Decimal(0))
        facilities = {tables["facilities"].text(row, "id") for row in deleted.get("facilities", ())}
        yield from (Change(remove=f"facility:{name}") for name in sorted(facilities))
        for row in deleted.get("offers", ()):
            if tables["offers"].text(row, "facility") not in facilities:
                yield Change(remove=f"offer:{tables['offers'].text(row, 'id')}")

    def of_orders(self, facts: EditedFacts) -> Iterator[Change]:
        for name, before, order in zip(self.case.order_names, self.case.orders, facts.case.orders, strict=True):
            if order.quantity != before.quantity:
                yield Change(order=name, quantity=order.quantity)

    def of_demands(self, facts: EditedFacts) -> Iterator[Change]:
        for demand in facts.case.demands[len(self.case.demands) :]:
            default_name = f"{demand.material}/{demand.end_use}/{demand.place or self.case.place}"
            price = (
                {}
                if demand.shortage_price is None
                else {"shortage_price": demand.shortage_price, "currency": self.case.currency}
            )
            yield Change.model_validate(
                {
                    "want": demand.material,
                    "called": "" if demand.id == default_name else demand.id,
                    **{
                        name: getattr(demand, name)
                        for name in ("end_use", "place", "buyer", "per_year", "quantities", "why")
                    },
                    **price,
                    "from": demand.start,
                    "until": demand.end,
                }
            )
        for row, (before, edited) in enumerate(zip(self.case.demands, facts.case.demands, strict=False)):
            if edited is before or row in self.edits.deleted.get("demand", ()):
                continue
            why = edited.why if edited.why != before.why else ""
            values: dict[str, object] = {}
            if edited.per_year is not None and edited.per_year != before.per_year:
                values["per_year"] = edited.per_year
            elif edited.quantities and edited.quantities != before.quantities:
                values["quantities"] = edited.quantities
            if edited.shortage_price is not None and edited.shortage_price != before.shortage_price:
                values |= {"shortage_price": edited.shortage_price, "currency": self.case.currency}
            if values:
                yield Change.model_validate({"demand": f"demand:{demand_name(before, self.case)}", "why": why} | values)
            elif why:
                edit = next(e for e in self.edits.edits if (e.sheet, e.row, e.column) == ("demand", row, "why"))
                self._report_lone_reason(edit)

    def check_reasons(self) -> None:
        table, rows = (
            self.current.tables["demand"],
            dict(self.book.edited["demand"].rows if "demand" in self.book.edited else ()),
        )
        figure_columns = [column for column in CELLS["demand"] if column != "why"]
        for edit in self.edits.edits:
            if (edit.sheet, edit.column) != ("demand", "why") or not edit.after:
                continue
            texts = rows[edit.line]
            if all(
                DEMAND.by_name[column].kind.same(texts.get(column, ""), table.text(edit.row, column))
                for column in figure_columns
            ):
                self._report_lone_reason(edit)

    def _report_lone_reason(self, edit: Edit) -> None:
        fix = f"edit a figure too, or undo the edit (a scenario can edit: {editable('demand')})"
        self.report(edit, "a reason alone has no effect", fix=fix, code="FS905")


def _layout_of_added_rows(sheet: str, required: Collection[str], **key_by_column: str) -> Layout:
    """Return the columns of the rows that a sheet may add, each with the key of the change, which usually has the same name."""
    fields = ((column, CHANGE.by_name[key_by_column.get(column, column)]) for column in ROWS_ADDED[sheet][0])
    return Layout(sheet, "", tuple(replace(field, name=name, required=name in required) for name, field in fields))


_LAYOUT_OF_ADDED_ROWS = {
    "license": _layout_of_added_rows("license", {"rule"}, rule="grant", exporter="of"),
    "waiver": _layout_of_added_rows("waiver", {"rule", "demand", "quantity"}, rule="waive", demand="of"),
    "stock": _layout_of_added_rows("stock", {"material", "quantity", "countries"}, material="stock"),
}


_DAY = timedelta(days=1)


def catalog_changes(old: Sequence[Catalog], new: Sequence[Catalog], lead_time: Decimal) -> Iterator[Change]:
    """Yield changes that may turn catalogs into others of the same names. `lead_time` applies to offers without their own."""
    for before, after in zip(old, new, strict=True):
        if before is after or before.digest == after.digest:
            continue
        offers = {offer.id: offer for offer in after.offers}
        for offer in before.offers:
            yield from _offer_changes(offer, offers[offer.id], lead_time)
        facilities = {facility.id: facility for facility in after.facilities}
        for facility in before.facilities:
            yield from _facility_changes(facility, facilities[facility.id])
        prices = grouped((row.id, row) for row in after.prices)
        for name, rows in grouped((row.id, row) for row in before.prices).items():
            yield from _benchmark_changes(rows, prices.get(name, []))
        subjects = {(schedule.of, schedule.id) for schedule in after.schedules}
        for of, name in dict.fromkeys((schedule.of, schedule.id) for schedule in before.schedules):
            if (of, name) not in subjects:
                yield Change(lift=TermKind.TIERS, of=_prefixed(of, name))
        yield from _terms_changes(before.terms, after.terms)


def factor_between(old: Decimal, new: Decimal) -> Decimal | None:
    """Return the factor of a change from one number to another. None if no factor with the digits of a change gives it exactly."""
    if not old:
        return None
    with localcontext() as context:
        context.prec = DIGITS
        quotient = new / old
        candidates = (quotient, quotient.next_plus(), quotient.next_minus())
    return next((candidate for candidate in candidates if exact(old * candidate) == new), None)


def _offer_changes(old: Offer, new: Offer, lead_time: Decimal) -> Iterator[Change]:
    if old == new:
        return
    price, before = new.price, old.price
    if price is not None and price.amount is not None and (before is None or before.amount != price.amount):
        yield Change(price=f"offer:{old.id}", amount=price.amount, currency=price.currency)
    elif price is not None and before is not None and price.premium != before.premium:
        yield from _price_factor(f"offer:{old.id}", factor_between(1 + before.premium, 1 + price.premium))
    elif len(old.quotes) == len(new.quotes) and old.quotes != new.quotes:
        old_quote, new_quote = next((a, b) for a, b in zip(old.quotes, new.quotes, strict=True) if a != b)
        yield from _price_factor(f"offer:{old.id}", factor_between(old_quote.amount, new_quote.amount))
    if new.end is not None and new.end != old.end:
        yield Change(remove=f"offer:{old.id}", start=new.end + _DAY)
    yield from _lifted_terms(old, new)
    if new.lead_time and new.lead_time != old.lead_time:
        factor = factor_between(lead_time if old.lead_time is None else old.lead_time, new.lead_time)
        yield from [] if factor is None else [Change(lead_time=f"offer:{old.id}", factor=factor)]
    for line, new_line in zip((*old.inputs, *old.outputs), (*new.inputs, *new.outputs), strict=False):
        factor = None if line.per_unit == new_line.per_unit else factor_between(line.per_unit, new_line.per_unit)
        yield from [] if factor is None else [Change(recipe=old.id, of=line.material, factor=factor)]


def _lifted_terms(old: Offer, new: Offer) -> Iterator[Change]:
    """Yield changes that lift kinds of terms whose fields were all cleared, without kinds that another kind includes."""
    cleared: dict[TermKind, set[str]] = {}
    for kind, cleared_values in OFFER_TERMS.items():
        changed = {field for field in cleared_values if getattr(old, field) != getattr(new, field)}
        if changed and all(getattr(new, field) == blank for field, blank in cleared_values.items()):
            cleared[kind] = changed
    for kind, changed in cleared.items():
        if not any(changed < others for others in cleared.values()):
            yield Change(lift=kind, of=f"offer:{old.id}")


def _price_factor(name: str, factor: Decimal | None) -> Iterator[Change]:
    if factor is not None:
        yield Change(price=name, factor=factor)


def _benchmark_changes(old: Sequence[BenchmarkPrice], new: Sequence[BenchmarkPrice]) -> Iterator[Change]:
    if old == new or len(old) != len(new):
        return
    factors = {factor_between(before.amount, row.amount) for before, row in zip(old, new, strict=True)}
    if len({(row.amount, row.currency) for row in new}) == 1:
        yield Change(price=f"benchmark:{new[0].id}", amount=new[0].amount, currency=new[0].currency)
    elif (
        len(factors) == 1
        and None not in factors
        and all(a.currency == b.currency for a, b in zip(old, new, strict=True))
    ):
        yield from _price_factor(f"benchmark:{new[0].id}", *factors)
    else:
        for before, row in zip(old, new, strict=True):
            if (before.amount, before.currency) != (row.amount, row.currency):
                yield Change(price=f"benchmark:{row.id}", date=row.date, amount=row.amount, currency=row.currency)


def _facility_changes(old: Facility, new: Facility) -> Iterator[Change]:
    steps, new_steps = old.capacity, new.capacity
    if [*map(_without_source, steps)] == [*map(_without_source, new_steps)] or len(new_steps) < len(steps):
        return
    starts = [step.start for step in (*steps, *new_steps[len(steps) :])]
    ends = [None if start is None else start - _DAY for start in [*starts[1:], None]]
    for number, (step, end) in enumerate(zip(new_steps, ends, strict=True)):
        before = steps[number] if number < len(steps) else None
        if before is None or _without_source(step) != _without_source(before):
            # The first step has no known start. Only a change of its quantity needs a date.
            without_start = number == 0 and before is not None and step.per_year == before.per_year
            yield from _step_changes(old.id, before, step, end, without_start)


def _without_source(step: CapacityStep) -> CapacityStep:
    return step.but(source="")


def _step_changes(
    name: str, old: CapacityStep | None, new: CapacityStep, end: date | None, without_start: bool
) -> Iterator[Change]:
    keys: dict[str, object] = {"capacity": name, "until": end}
    if old is None:
        if new.per_year is not None:
            yield Change.model_validate(keys | {"per_year": new.per_year, "status": new.status, "from": new.start})
        return
    if new.start is not None and old.start is not None and new.start < old.start and new.per_year is not None:
        # A delay can't be negative, so an earlier capacity is stated from its new day on.
        yield Change.model_validate(keys | {"per_year": new.per_year, "status": new.status, "from": new.start})
        return
    keys["from"] = None if without_start else old.start
    if new.per_year != old.per_year and new.per_year is not None:
        keys["per_year"] = new.per_year
    if new.status != old.status:
        keys["status"] = new.status
    if new.start != old.start and new.start is not None and old.start is not None:
        months = (new.start.year - old.start.year) * 12 + new.start.month - old.start.month
        if months > 0 and add_months(old.start, months) == new.start:
            keys["delay"] = Decimal(months)
    if keys.keys() & {"per_year", "status", "delay"}:
        yield Change.model_validate(keys)


def _terms_changes(old: Iterable[Terms], new: Iterable[Terms]) -> Iterator[Change]:
    """Yield changes that lift the cleared figures of terms. A change lifts all terms of a kind of its subject."""
    lifted: dict[tuple[TermKind, str], None] = {}
    remaining = {_without_figures(terms): terms for terms in new}
    for terms in old:
        new_terms = remaining.get(_without_figures(terms))
        for kind, figure in TERMS_FIGURES.items():
            if getattr(terms, figure) is not None and (new_terms is None or getattr(new_terms, figure) is None):
                lifted[kind, _prefixed(terms.of, terms.id)] = None
    for kind, name in lifted:
        yield Change(lift=kind, of=name)


def _without_figures(terms: Terms) -> Terms:
    return terms.model_copy(update={**dict.fromkeys(TERMS_FIGURES.values()), "currency": "", "source": ""})


def _prefixed(kind: str, name: str) -> str:
    return f"{kind}:{name}"


@dataclass(frozen=True, slots=True)
class Edits:
    """Edits of the workbook of a case."""

    scenario: Scenario
    toml: str
    """The scenario in the notation of a case file. Empty without changes."""


def edits_of(path: Path, gathered: Gathered, name: str) -> Edits:
    """Return the edits of a workbook as a scenario of the current case. Raise an `InputError` with all errors by cell."""
    case = gathered.case
    if any(existing.name == name for existing in case.scenarios):
        fix = "choose another name with `--scenario NAME`, or delete that scenario"
        message, file = f"the case already has a scenario `{name}`", str(case.file or case.name)
        raise InputError(message, file, column="scenario", fix=fix, code="FS906")
    problems: list[Diagnostic] = []
    book = read_case_workbook(path, problems)
    if book.case != case.name:
        expected = f"a workbook of the case `{case.name}`"
        fix = "name the case of the workbook, or write a workbook of this case"
        message, found = "is the workbook of another case", f"`{book.case}`"
        raise InputError(message, str(path), found=found, expected=expected, fix=fix, code="FS900")
    changes = changes_of(book, case_tables(gathered), problems)
    title = f"Edits of {path.name}"
    try:
        scenario = Scenario(name=name, title=title, change=changes)
    except ValueError as error:
        raise InputError(
            "invalid name of a scenario",
            found=f"`{name}`",
            expected="letters, digits, `-`, and `_`",
            fix="choose another name with `--scenario NAME`",
            code="FS012",
        ) from error
    if not changes:
        return Edits(scenario, "")
    table = {"name": name, "title": title, "change": [change.as_written(case.currency) for change in changes]}
    return Edits(scenario, toml_text({"scenario": [table]}))


def add_scenario(file: Path, edits: Edits) -> None:
    """Append a scenario to a case file, after checking that it reads back unchanged."""
    if is_workbook(file):
        fix = "leave out `--write` and copy the printed scenario to a case file, or edit the workbook of the case"
        raise InputError("a scenario can't be written to a workbook", str(file), fix=fix, code="FS907")
    try:
        before = file.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise InputError("isn't UTF-8 text", str(file), fix="save it as UTF-8", code="FS011") from error
    line_end = "\r\n" if "\r\n" in before else "\n"
    text = before.rstrip() + line_end * 2 + edits.toml.replace("\n", line_end)
    data = toml_data(text.removeprefix("\ufeff"), str(file))
    problems: list[Diagnostic] = []
    table = data["scenario"][-1]
    read_back = scenario(read_section(TomlFile(str(file), table, {}, problems), SCENARIO, table))
    if problems or read_back != edits.scenario:
        fix = "leave out `--write`, and copy the printed scenario to the case file"
        message = "the scenario isn't written, because it would be read back differently"
        raise InputError(message, str(file), fix=fix, code="FS907")
    replace_file(file, text.encode())
