"""What all edits come to: a list of changes that, applied to the case of today, gives the facts that the workbook says. Proved, or refused whole."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from ..case.book import CaseWorkbook
from ..case.keys import made
from ..domain.base import UnreadableError
from ..domain.case import LicenceSpec, WaiverSpec
from ..domain.change import Change
from ..domain.facts import Status
from ..domain.quantities import Mass
from ..domain.suggest import did_you_mean
from ..errors import Diagnostic, InputError
from ..problem.changes import apply_changes, shortest
from ..problem.demands import demand_name
from ..reading import kinds as k
from ..reading.fields import Layout
from ..reading.records import Entry
from ..rules.amend import figure_of, with_figure
from ..rules.base import Rule
from .allowed import refused
from .edits import CELLS, editable
from .facts import EditedFacts, about, edited_facts, entry_of
from .merge import AddedRow, Differences, Edit, differences
from .offered import changes_of_catalogs
from .proved import ProvedEdits
from .tables import COUNTRIES, RULE, CaseTables, layout_of


def scenario_of(book: CaseWorkbook, today: CaseTables, found: list[Diagnostic]) -> tuple[Change, ...]:
    """The changes that the edits of a workbook come to; none: nothing was changed.

    `found` holds what is wrong with its sheets already, and all of it is told together.

    Raises:
        InputError: with every mistake, conflict, and edit that no change says, by its cell.
    """
    edits = differences(book, today, found)
    found.extend(refused(book, today, edits))
    facts = edited_facts(book, today, edits, found)
    stating = _Stating(book, today, edits, found)
    said = [*stating.of_rules(), *stating.of_settings(), *stating.of_rows(), *stating.of_removals()]
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
    """Finds the changes that edits of the case's own sheets come to."""

    def __init__(self, book: CaseWorkbook, today: CaseTables, edits: Differences, found: list[Diagnostic]) -> None:
        self.book, self.today, self.edits, self.found = book, today, edits, found
        self.case = today.gathered.case

    def tell(self, edit: Edit, message: str, expected: str = "", fix: str = "") -> None:
        """Records what is wrong with an edited cell."""
        found = f"`{edit.after}`" if edit.after else "a blank cell"
        column = self.book.at(edit.sheet, edit.line, edit.column)
        self.found.append(Diagnostic(message, str(self.book.path), None, column, found, expected, fix))

    def _read(self, edit: Edit, layout: Layout, column: str) -> object:
        """What an edited cell holds; None, once told, if it cannot be read."""
        try:
            return layout.by_name[column].kind.read(edit.after)
        except UnreadableError as bad:
            self.tell(edit, "cannot be read", bad.expected, bad.fix)
            return None

    def of_rules(self) -> Iterator[Change]:
        """Rules switched on and off, moved and loosened."""
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
        """Return the change that states another figure of a limit; none if the cell says the same figure in other words."""
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
        """What a status of capacity counts for, and what is taken as proved."""
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
        """Licences, waivers and stock that are added."""
        for row in self.edits.added:
            layout = _ADDED.get(row.sheet)
            if layout is None:
                continue
            entry = entry_of(self.book, layout, row.sheet, row.line, row.texts, self.found)
            change = self._added(row, entry) if entry is not None else None
            if change is not None:
                yield change

    def _added(self, row: AddedRow, entry: Entry) -> Change | None:
        values, given = entry.values, self.today.gathered
        rules = [rule.id for rule in given.rules]
        materials = [one.id for catalog in given.read for one in catalog.materials]
        wanted = [*(demand_name(one, self.case) for one in self.case.demands), *materials]
        known = {"rule": rules, "material": materials, "demand": wanted}
        for column, names in known.items():
            if column in values and values[column] not in names:
                entry.problem(column, f"no such {column} in the case", fix=did_you_mean(str(values[column]), names))
                entry.bad.add(column)
        if row.sheet == "stock":
            return self._stock(entry)
        if row.sheet == "licence":
            licence = made(entry, LicenceSpec, about(self.today))
            return None if licence is None else _bounded("grant", licence.exporter, licence)
        waiver = made(entry, WaiverSpec, about(self.today))
        if waiver is None or waiver.demand:
            return None if waiver is None else _bounded("waive", waiver.demand, waiver)
        entry.problem("demand", "a scenario waives a rule for one demand or material", "its name")
        return None

    def _stock(self, entry: Entry) -> Change | None:
        values = entry.values
        for column in ("quantity", "countries", "material"):
            if column not in values and column not in entry.bad:
                entry.problem(column, "this cell is needed", entry.layout.by_name[column].wanted)
                entry.bad.add(column)
        quantity = values.get("quantity")
        if isinstance(quantity, Mass) and quantity.substance:
            entry.problem("quantity", "a substance cannot be named here", "kilograms of the material's basis")
            return None
        if entry.bad or not isinstance(quantity, Mass):
            return None
        said = {"stock": values["material"], "quantity": quantity.kg, "countries": values["countries"]}
        return Change.model_validate(said | {"why": values.get("why", "")})

    def of_removals(self) -> Iterator[Change]:
        """Offers and facilities whose rows are deleted, and demands of which nothing is wanted."""
        tables, deleted = self.today.tables, self.edits.deleted
        for row in deleted.get("demand", ()):
            yield Change(demand=f"demand:{demand_name(self.case.demands[row], self.case)}", factor=Decimal(0))
        facilities = {tables["facilities"].text(row, "id") for row in deleted.get("facilities", ())}
        yield from (Change(remove=f"facility:{name}") for name in sorted(facilities))
        for row in deleted.get("offers", ()):
            if tables["offers"].text(row, "facility") not in facilities:
                yield Change(remove=f"offer:{tables['offers'].text(row, 'id')}")

    def of_orders(self, facts: EditedFacts) -> Iterator[Change]:
        """New quantities of open orders."""
        for row, order in facts.orders.items():
            if order.quantity != self.case.orders[row].quantity:
                yield Change(order=self.case.order_names[row], quantity=order.quantity)

    def of_demands(self, facts: EditedFacts) -> Iterator[Change]:
        """New quantities of demands, and new demands."""
        for demand in facts.more_demands:
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
        for row, wanted in facts.demands.items():
            before = self.case.demands[row]
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
                fix = f"edit a figure too, or undo it; what can be edited: {editable('demand')}"
                self.tell(edit, "a reason alone changes nothing", fix=fix)


def _bounded(subject: str, of: str, record: LicenceSpec | WaiverSpec) -> Change:
    said = {"from": record.start, "until": record.end, "why": record.why, "quantity": record.quantity}
    return Change.model_validate({subject: record.rule, "of": of, **said})


_ADDED = {
    "licence": layout_of("licence"),
    "waiver": layout_of("waiver"),
    "stock": Layout(
        "stock", "", (*(f for f in layout_of("stock").fields if f.name in ("material", "quantity", "why")), COUNTRIES)
    ),
}
