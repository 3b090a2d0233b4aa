"""The edits of a workbook as a scenario: changes that, applied to the case of today, give exactly the facts of the workbook.

If no changes do, all edits are refused.
"""

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
from friendshore.problem.changes import OFFER_TERMS, TERMS_FIGURES, apply_changes, shortest
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
    ProvedEdits,
    differences,
    edited_facts,
    entry_of,
    refused,
)


def changes_of(book: CaseWorkbook, today: CaseTables, found: list[Diagnostic]) -> tuple[Change, ...]:
    """Return the edits of a workbook as changes.

    `found` contains the errors in its sheets. All errors are reported together.

    Raises:
        InputError: With every error, conflict, and edit that no change can state, by its cell.
    """
    edits = differences(book, today, found)
    found.extend(refused(book, today, edits))
    facts = edited_facts(book, today, edits, found)
    stating = _Stating(book, today, edits, found)
    said = [*stating.of_rules(), *stating.of_settings(), *stating.of_rows(), *stating.of_removals()]
    stating.check_reasons()
    if found or facts is None:
        raise InputError(book.sorted(found))
    removals = [change for change in said if change.remove]
    said += stating.of_demands(facts)
    said += stating.of_orders(facts)
    said += changes_of_catalogs(today.gathered.read, facts.catalogs, today.gathered.case.assume.lead_time)
    found += [] if found else ProvedEdits(book, today, edits, facts).mistakes(said, removals)
    if found:
        raise InputError(book.sorted(found))
    given = today.gathered
    return tuple(shortest(change, given.case, given.catalogs) for change in said)


class _Stating:
    """Changes for the edits of the case's own sheets."""

    def __init__(self, book: CaseWorkbook, today: CaseTables, edits: Differences, found: list[Diagnostic]) -> None:
        self.book, self.today, self.edits, self.found = book, today, edits, found
        self.case = today.gathered.case

    def tell(self, edit: Edit, message: str, expected: str = "", fix: str = "") -> None:
        """Record an error at an edited cell."""
        found = f"`{edit.after}`" if edit.after else "a blank cell"
        column = self.book.at(edit.sheet, edit.line, edit.column)
        self.found.append(Diagnostic(message, str(self.book.path), None, column, found, expected, fix))

    def _read(self, edit: Edit, layout: Layout, column: str) -> object:
        """Return the value of an edited cell. None, with an error recorded, if it can't be read."""
        try:
            return layout.by_name[column].kind.read(edit.after)
        except UnreadableError as bad:
            self.tell(edit, "cannot be read", bad.expected, bad.fix)
            return None

    def of_rules(self) -> Iterator[Change]:
        """Yield changes that switch rules on and off, move, limit, and loosen them."""
        table, rules = self.today.tables["rule"], {rule.id: rule for rule in self.today.gathered.rules}
        moved: dict[str, dict[str, object]] = {}
        last: dict[str, Edit] = {}
        for edit in self.edits.edits:
            if edit.sheet != "rule" or edit.column not in CELLS["rule"]:
                continue
            if edit.column == "on" and edit.after not in ("yes", "no"):
                continue
            name = table.text(edit.row, "id")
            if edit.column == "on":
                change = Change.model_validate({"enable" if edit.after == "yes" else "disable": name})
                yield from self._of_rule(edit, change)
            elif name in rules and (value := self._read(edit, RULE, edit.column)) is not None:
                if edit.column == "loosen":
                    yield from self._loosened(edit, rules[name], value)
                elif edit.column == "limit":
                    yield from self._limited(edit, rules[name])
                else:
                    moved.setdefault(name, {"move": name})[edit.column] = value
                    last[name] = edit
        for said in moved.values():
            try:
                yield Change.model_validate(said)
            except ValueError:
                self.tell(
                    last[str(said["move"])],
                    "comes before `from`",
                    "a day on or after it",
                    "exchange the two, or mend one",
                )

    def _of_rule(self, edit: Edit, change: Change) -> Iterator[Change]:
        given = self.today.gathered
        if apply_changes([change], self.case, (), given.rules, given.bills)[2] == given.rules:
            said = self.today.tables["rule"].text(edit.row, "phases")
            self.tell(edit, f"changes nothing: the rule is {said}", fix="undo it; what its maker suspended stays so")
        else:
            yield change

    def _loosened(self, edit: Edit, rule: Rule, value: object) -> Iterator[Change]:
        if type(rule).rows is Rule.rows:
            self.tell(edit, f"a rule of kind `{rule.kind}` has no bound", "a rule that limits", "undo it")
        elif value:
            yield Change.model_validate({"loosen": rule.id, "by": value})

    def _limited(self, edit: Edit, rule: Rule) -> Iterator[Change]:
        """Yield the change to another figure of a limit, unless the cell states the same figure in other words."""
        if not figure_of(rule):
            self.tell(edit, f"rule `{rule.id}` states no figure, or several", "a limit with one figure", "undo it")
            return
        try:
            changed = with_figure(rule, edit.after)
        except InputError as error:
            self.tell(edit, error.problems[0].message, "a figure like the one before", "correct it, or undo it")
            return
        if changed != rule:
            yield Change(limit=rule.id, at=edit.after)

    def of_settings(self) -> Iterator[Change]:
        """Yield changes of the share that a capacity status counts for, and of facts assumed to be proved."""
        table = self.today.tables["settings"]
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
        except UnreadableError as bad:
            self.tell(edit, "cannot be read", bad.expected, bad.fix)
            return None
        return share

    def _proven(self, edit: Edit) -> Iterator[Change]:
        before, after = ([one.strip() for one in text.split(";") if one.strip()] for text in (edit.before, edit.after))
        offers = [offer.id for catalog in self.today.gathered.read for offer in catalog.offers]
        for name in sorted({*before} - {*after}):
            self.tell(edit, f"`{name}` cannot be taken out by a scenario", fix="put it back, or edit the case itself")
        for name in sorted({*after} - {*before}):
            if name in offers:
                yield Change(prove=name)
            else:
                self.tell(edit, f"`{name}` is no offer of the case", "ids of offers", did_you_mean(name, offers))

    def of_rows(self) -> Iterator[Change]:
        """Yield changes that add licences, waivers, and stock."""
        for row in self.edits.added:
            layout = _ADDED.get(row.sheet)
            entry = layout and entry_of(self.book, layout, row.sheet, row.line, row.texts, self.found)
            if entry:
                self._check_names(entry)
                added = change_of(entry)
                if added is not None:
                    yield added

    def _check_names(self, entry: Entry) -> None:
        """Report each rule, material, and demand of an added row that the case doesn't have."""
        given = self.today.gathered
        materials = [one.id for catalog in given.read for one in catalog.materials]
        known = {
            "rule": [rule.id for rule in given.rules],
            "material": materials,
            "demand": [*(demand_name(one, self.case) for one in self.case.demands), *materials],
        }
        for column, names in known.items():
            if column in entry.values and entry.values[column] not in names:
                fix = did_you_mean(str(entry.values[column]), names)
                entry.problem(column, f"no such {column} in the case", fix=fix)
                entry.bad |= {column}

    def of_removals(self) -> Iterator[Change]:
        """Yield changes that remove offers and facilities, and that set deleted demands to 0."""
        tables, deleted = self.today.tables, self.edits.deleted
        for row in deleted.get("demand", ()):
            yield Change(demand=f"demand:{demand_name(self.case.demands[row], self.case)}", factor=Decimal(0))
        facilities = {tables["facilities"].text(row, "id") for row in deleted.get("facilities", ())}
        yield from (Change(remove=f"facility:{name}") for name in sorted(facilities))
        for row in deleted.get("offers", ()):
            if tables["offers"].text(row, "facility") not in facilities:
                yield Change(remove=f"offer:{tables['offers'].text(row, 'id')}")

    def of_orders(self, facts: EditedFacts) -> Iterator[Change]:
        """Yield changes of the quantities of open orders."""
        for name, before, order in zip(self.case.order_names, self.case.orders, facts.case.orders, strict=True):
            if order.quantity != before.quantity:
                yield Change(order=name, quantity=order.quantity)

    def of_demands(self, facts: EditedFacts) -> Iterator[Change]:
        """Yield changes of quantities and penalties of demands, and new demands."""
        for demand in facts.case.demands[len(self.case.demands) :]:
            usual = f"{demand.material}/{demand.end_use}/{demand.place or self.case.place}"
            price = (
                {}
                if demand.shortage_price is None
                else {"shortage_price": demand.shortage_price, "currency": self.case.currency}
            )
            yield Change.model_validate(
                {
                    "want": demand.material,
                    "called": "" if demand.id == usual else demand.id,
                    **{
                        name: getattr(demand, name)
                        for name in ("end_use", "place", "buyer", "per_year", "quantities", "why")
                    },
                    **price,
                    "from": demand.start,
                    "until": demand.end,
                }
            )
        for row, (before, wanted) in enumerate(zip(self.case.demands, facts.case.demands, strict=False)):
            if wanted is before or row in self.edits.deleted.get("demand", ()):
                continue
            why = wanted.why if wanted.why != before.why else ""
            stated: dict[str, object] = {}
            if wanted.per_year is not None and wanted.per_year != before.per_year:
                stated["per_year"] = wanted.per_year
            elif wanted.quantities and wanted.quantities != before.quantities:
                stated["quantities"] = wanted.quantities
            if wanted.shortage_price is not None and wanted.shortage_price != before.shortage_price:
                stated |= {"shortage_price": wanted.shortage_price, "currency": self.case.currency}
            if stated:
                yield Change.model_validate({"demand": f"demand:{demand_name(before, self.case)}", "why": why} | stated)
            elif why:
                edit = next(e for e in self.edits.edits if (e.sheet, e.row, e.column) == ("demand", row, "why"))
                self._reason_alone(edit)

    def check_reasons(self) -> None:
        """Report each reason of a demand whose row has no edited figure. Wrong and conflicting figures count as edited."""
        table, rows = (
            self.today.tables["demand"],
            dict(self.book.edited["demand"].rows if "demand" in self.book.edited else ()),
        )
        figures = [column for column in CELLS["demand"] if column != "why"]
        for edit in self.edits.edits:
            if (edit.sheet, edit.column) != ("demand", "why") or not edit.after:
                continue
            texts = rows[edit.line]
            if all(DEMAND.by_name[one].kind.same(texts.get(one, ""), table.text(edit.row, one)) for one in figures):
                self._reason_alone(edit)

    def _reason_alone(self, edit: Edit) -> None:
        fix = f"edit a figure too, or undo it; what can be edited: {editable('demand')}"
        self.tell(edit, "a reason alone changes nothing", fix=fix)


def _added(sheet: str, needed: Collection[str], **keys: str) -> Layout:
    """Return the columns of the rows that a sheet may add, each with the key of the change: by default its name."""
    fields = ((column, CHANGE.by_name[keys.get(column, column)]) for column in ROWS_ADDED[sheet][0])
    return Layout(sheet, "", tuple(replace(field, name=name, required=name in needed) for name, field in fields))


_ADDED = {
    "licence": _added("licence", {"rule"}, rule="grant", exporter="of"),
    "waiver": _added("waiver", {"rule", "demand", "quantity"}, rule="waive", demand="of"),
    "stock": _added("stock", {"material", "quantity", "countries"}, material="stock"),
}


_DAY = timedelta(days=1)


def changes_of_catalogs(old: Sequence[Catalog], new: Sequence[Catalog], lead_time: Decimal) -> Iterator[Change]:
    """Yield changes that may turn catalogs into others of the same names. `lead_time` applies to offers without their own."""
    for before, after in zip(old, new, strict=True):
        if before is after or before.digest == after.digest:
            continue
        offers = {offer.id: offer for offer in after.offers}
        for offer in before.offers:
            yield from _of_offer(offer, offers[offer.id], lead_time)
        facilities = {facility.id: facility for facility in after.facilities}
        for facility in before.facilities:
            yield from _of_facility(facility, facilities[facility.id])
        prices = grouped((row.id, row) for row in after.prices)
        for name, rows in grouped((row.id, row) for row in before.prices).items():
            yield from _of_benchmark(rows, prices.get(name, []))
        subjects = {(one.of, one.id) for one in after.schedules}
        for of, name in dict.fromkeys((one.of, one.id) for one in before.schedules):
            if (of, name) not in subjects:
                yield Change(lift=TermKind.TIERS, of=_named(of, name))
        yield from _of_terms(before.terms, after.terms)


def factor_between(old: Decimal, new: Decimal) -> Decimal | None:
    """Return the factor of a change from one number to another. None if no factor with the digits of a change gives it exactly."""
    if not old:
        return None
    with localcontext() as context:
        context.prec = DIGITS
        quotient = new / old
        steps = (quotient, quotient.next_plus(), quotient.next_minus())
    return next((step for step in steps if exact(old * step) == new), None)


def _of_offer(old: Offer, new: Offer, lead_time: Decimal) -> Iterator[Change]:
    if old == new:
        return
    price, before = new.price, old.price
    if price is not None and price.amount is not None and (before is None or before.amount != price.amount):
        yield Change(price=f"offer:{old.id}", amount=price.amount, currency=price.currency)
    elif price is not None and before is not None and price.premium != before.premium:
        yield from _multiplied(f"offer:{old.id}", factor_between(1 + before.premium, 1 + price.premium))
    elif len(old.quotes) == len(new.quotes) and old.quotes != new.quotes:
        one, other = next((a, b) for a, b in zip(old.quotes, new.quotes, strict=True) if a != b)
        yield from _multiplied(f"offer:{old.id}", factor_between(one.amount, other.amount))
    if new.end is not None and new.end != old.end:
        yield Change(remove=f"offer:{old.id}", start=new.end + _DAY)
    yield from _lifted(old, new)
    if new.lead_time and new.lead_time != old.lead_time:
        factor = factor_between(lead_time if old.lead_time is None else old.lead_time, new.lead_time)
        yield from [] if factor is None else [Change(lead_time=f"offer:{old.id}", factor=factor)]
    for line, now in zip((*old.inputs, *old.outputs), (*new.inputs, *new.outputs), strict=False):
        factor = None if line.per_unit == now.per_unit else factor_between(line.per_unit, now.per_unit)
        yield from [] if factor is None else [Change(recipe=old.id, of=line.material, factor=factor)]


def _lifted(old: Offer, new: Offer) -> Iterator[Change]:
    """Yield changes that lift kinds of terms whose fields were all cleared, without kinds that another kind includes."""
    freed: dict[TermKind, set[str]] = {}
    for kind, gone in OFFER_TERMS.items():
        changed = {field for field in gone if getattr(old, field) != getattr(new, field)}
        if changed and all(getattr(new, field) == none for field, none in gone.items()):
            freed[kind] = changed
    for kind, changed in freed.items():
        if not any(changed < others for others in freed.values()):
            yield Change(lift=kind, of=f"offer:{old.id}")


def _multiplied(name: str, factor: Decimal | None) -> Iterator[Change]:
    if factor is not None:
        yield Change(price=name, factor=factor)


def _of_benchmark(old: Sequence[BenchmarkPrice], new: Sequence[BenchmarkPrice]) -> Iterator[Change]:
    """Yield one change if all prices of a benchmark become equal or are multiplied by the same factor, otherwise one per date."""
    if old == new or len(old) != len(new):
        return
    factors = {factor_between(one.amount, other.amount) for one, other in zip(old, new, strict=True)}
    if len({(row.amount, row.currency) for row in new}) == 1:
        yield Change(price=f"benchmark:{new[0].id}", amount=new[0].amount, currency=new[0].currency)
    elif (
        len(factors) == 1
        and None not in factors
        and all(a.currency == b.currency for a, b in zip(old, new, strict=True))
    ):
        yield from _multiplied(f"benchmark:{new[0].id}", *factors)
    else:
        for one, row in zip(old, new, strict=True):
            if (one.amount, one.currency) != (row.amount, row.currency):
                yield Change(price=f"benchmark:{row.id}", date=row.date, amount=row.amount, currency=row.currency)


def _of_facility(old: Facility, new: Facility) -> Iterator[Change]:
    steps, others = old.capacity, new.capacity
    if [*map(_stated, steps)] == [*map(_stated, others)] or len(others) < len(steps):
        return
    starts = [step.start for step in (*steps, *others[len(steps) :])]
    ends = [None if start is None else start - _DAY for start in [*starts[1:], None]]
    for number, (step, end) in enumerate(zip(others, ends, strict=True)):
        before = steps[number] if number < len(steps) else None
        if before is None or _stated(step) != _stated(before):
            # The first holds since ever as far as anything is known: only what states a quantity must say from when on.
            first = number == 0 and before is not None and step.per_year == before.per_year
            yield from _of_step(old.id, before, step, end, first)


def _stated(step: CapacityStep) -> CapacityStep:
    return step.but(source="")


def _of_step(name: str, old: CapacityStep | None, new: CapacityStep, end: date | None, first: bool) -> Iterator[Change]:
    """Yield the change of one step of a capacity. `old` is None for a new step."""
    said: dict[str, object] = {"capacity": name, "until": end}
    if old is None:
        if new.per_year is not None:
            yield Change.model_validate(said | {"per_year": new.per_year, "status": new.status, "from": new.start})
        return
    if new.start is not None and old.start is not None and new.start < old.start and new.per_year is not None:
        # No file delays by less than nothing: what holds earlier is stated from that day on.
        yield Change.model_validate(said | {"per_year": new.per_year, "status": new.status, "from": new.start})
        return
    said["from"] = None if first else old.start
    if new.per_year != old.per_year and new.per_year is not None:
        said["per_year"] = new.per_year
    if new.status != old.status:
        said["status"] = new.status
    if new.start != old.start and new.start is not None and old.start is not None:
        months = (new.start.year - old.start.year) * 12 + new.start.month - old.start.month
        if months > 0 and add_months(old.start, months) == new.start:
            said["delay"] = Decimal(months)
    if said.keys() & {"per_year", "status", "delay"}:
        yield Change.model_validate(said)


def _of_terms(old: Iterable[Terms], new: Iterable[Terms]) -> Iterator[Change]:
    """Yield changes that lift the cleared figures of terms. A change lifts all terms of a kind of its subject."""
    lifted: dict[tuple[TermKind, str], None] = {}
    left = {_about(one): one for one in new}
    for one in old:
        now = left.get(_about(one))
        for kind, figure in TERMS_FIGURES.items():
            if getattr(one, figure) is not None and (now is None or getattr(now, figure) is None):
                lifted[kind, _named(one.of, one.id)] = None
    for kind, name in lifted:
        yield Change(lift=kind, of=name)


def _about(one: Terms) -> Terms:
    """Return terms without their figures."""
    return one.model_copy(update={**dict.fromkeys(TERMS_FIGURES.values()), "currency": "", "source": ""})


def _named(of: str, name: str) -> str:
    return f"{of}:{name}"


@dataclass(frozen=True, slots=True)
class Edits:
    """The edits of the workbook of a case."""

    scenario: Scenario
    """Scenario. Without changes if nothing was edited."""
    toml: str
    """The scenario in the notation of a case file. Empty if there is none."""


def edits_of(path: Path, gathered: Gathered, name: str) -> Edits:
    """Return the edits of a workbook since it was written, as a scenario of the case of today.

    Args:
        path: The workbook.
        gathered: The case of today, with everything that it names.
        name: Name of the scenario.

    Raises:
        InputError: With all errors by cell. Also if the workbook is of another case, or the name is taken.
    """
    case = gathered.case
    if any(one.name == name for one in case.scenarios):
        fix = "call it otherwise, or delete that one"
        raise InputError(f"the case has a scenario `{name}`", str(case.file or case.name), column="scenario", fix=fix)
    found: list[Diagnostic] = []
    book = read_case_workbook(path, found)
    if book.case != case.name:
        expected = f"a workbook of the case `{case.name}`"
        raise InputError("is the workbook of another case", str(path), found=f"`{book.case}`", expected=expected)
    changes = changes_of(book, case_tables(gathered), found)
    title = f"Edits of {path.name}"
    try:
        made = Scenario(name=name, title=title, change=changes)
    except ValueError as error:
        raise InputError(
            "is no name of a scenario", found=f"`{name}`", expected="letters, digits, `-` and `_`"
        ) from error
    if not changes:
        return Edits(made, "")
    stated = {"name": name, "title": title, "change": [change.as_written(case.currency) for change in changes]}
    return Edits(made, toml_text({"scenario": [stated]}))


def add_scenario(file: Path, edits: Edits) -> None:
    """Write a scenario at the end of a case file, after checking that it reads back unchanged.

    Raises:
        InputError: If it doesn't, or the file can't be read, or is a workbook.
        OSError: If it can't be written.
    """
    if is_workbook(file):
        fix = "leave `--write` out, and put what is printed into the case file; or edit the cells of the workbook"
        raise InputError("is a workbook, and scenarios are written into case files", str(file), fix=fix)
    try:
        before = file.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise InputError("is not UTF-8 text", str(file)) from error
    end = "\r\n" if "\r\n" in before else "\n"
    text = before.rstrip() + end * 2 + edits.toml.replace("\n", end)
    data = toml_data(text.removeprefix("\ufeff"), str(file))
    found: list[Diagnostic] = []
    last = data["scenario"][-1]
    again = scenario(read_section(TomlFile(str(file), last, {}, found), SCENARIO, last))
    if found or again != edits.scenario:
        raise InputError("the scenario would not read back as it is, and is not written", str(file))
    replace_file(file, text.encode())
