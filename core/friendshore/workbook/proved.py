"""That the changes say what was edited, and nothing else: applied to the case of today they give the facts that the workbook makes."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TypeVar

from ..case.book import CaseWorkbook
from ..domain.case import Case, DemandSpec
from ..domain.change import Change
from ..domain.facts import CapacityStep, Catalog, Facility, Offer
from ..errors import Diagnostic, InputError
from ..problem.changes import apply_changes
from .edits import editable
from .facts import EditedFacts
from .merge import Differences
from .tables import CaseTables

T = TypeVar("T", Facility, Offer)


class ProvedEdits:
    """Compares the facts after the changes with those that the workbook says."""

    def __init__(self, book: CaseWorkbook, today: CaseTables, edits: Differences, facts: EditedFacts) -> None:
        self.book, self.today, self.edits, self.facts = book, today, edits, facts

    def mistakes(self, said: Sequence[Change], removals: Sequence[Change]) -> list[Diagnostic]:
        """Edits of which the changes do not give what was asked for; none: they do, and the case can be put together."""
        given = self.today.gathered
        try:
            case, catalogs, _ = apply_changes(said, given.case, given.catalogs, given.rules, given.bills)
            wanted, others, _ = apply_changes(removals, self._case(), self.facts.united, given.rules, given.bills)
            wrong = [*_apart(case, wanted, catalogs, others)]
            if not wrong:
                given.inputs.after(said).problem()
        except InputError as error:
            return [self._placed(problem) for problem in error.problems]
        return [problem for sheets, name in dict.fromkeys(wrong) for problem in self._told(sheets, name)]

    def _placed(self, problem: Diagnostic) -> Diagnostic:
        """What does not fit in the case as a whole, told of the edit that names it."""
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

    def _case(self) -> Case:
        """The case as the workbook says it; of demands that are deleted nothing is wanted."""
        case, gone = self.today.gathered.case, self.edits.deleted.get("demand", ())
        demands = [self.facts.demands.get(row, demand) for row, demand in enumerate(case.demands)]
        kept = tuple(_nothing_of(one) if row in gone else one for row, one in enumerate(demands))
        orders = tuple(self.facts.orders.get(row, order) for row, order in enumerate(case.orders))
        return case.but(demands=(*kept, *self.facts.more_demands), orders=orders)

    def _told(self, sheets: Sequence[str], name: str) -> Iterator[Diagnostic]:
        """The edits that bear on something that comes out otherwise than they say."""
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


def _nothing_of(demand: DemandSpec) -> DemandSpec:
    per_year = None if demand.per_year is None else Decimal(0)
    return demand.but(per_year=per_year, quantities=tuple(Decimal(0) for _ in demand.quantities))


def _apart(
    case: Case, wanted: Case, catalogs: Sequence[Catalog], others: Sequence[Catalog]
) -> Iterator[tuple[tuple[str, ...], str]]:
    """What comes out otherwise: sheets that may say it, and its name."""
    for one, other in zip(case.demands, wanted.demands, strict=True):
        if one.but(why="") != other.but(why=""):
            yield ("demand",), next(filter(None, (one.id, one.material)))
    for first, second in zip(case.orders, wanted.orders, strict=True):
        if first != second:
            yield ("order",), first.id or first.offer
    for before, after in zip(catalogs, others, strict=True):
        if before == after:
            continue
        yield from _differing(("capacity", "facilities"), before.facilities, after.facilities, _of_facility)
        yield from _differing(("offers", "quotes"), before.offers, after.offers, _of_priced)
        for name in sorted({row.id for row in (*before.prices, *after.prices)}):
            if _of_benchmark(before, name) != _of_benchmark(after, name):
                yield ("prices",), name
        for sheet, one_s, other_s in (
            ("tiers", before.schedules, after.schedules),
            ("terms", before.terms, after.terms),
        ):
            for bearing in {*one_s} ^ {*other_s}:
                yield (sheet,), bearing.id


def _differing(
    sheets: tuple[str, ...], one: Sequence[T], other: Sequence[T], stated: Callable[[T], Hashable]
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Records of one id that say different things, and those that only one side has."""
    before: dict[str, T] = {record.id: record for record in one}
    after: dict[str, T] = {record.id: record for record in other}
    for name in sorted({*before, *after}):
        first, second = before.get(name), after.get(name)
        if first is None or second is None or (first != second and stated(first) != stated(second)):
            yield sheets, name


def _of_facility(facility: Facility) -> Hashable:
    """What a facility is, whatever its capacity rests on. That it makes nothing until something is published goes without saying."""
    steps: list[CapacityStep] = []
    for step in (one.but(source="") for one in facility.capacity):
        last = steps[-1] if steps else None
        if last is None and step.start is None and not step.per_year and step.per_year is not None:
            continue
        if last is None or (last.per_year, last.status) != (step.per_year, step.status):
            steps.append(step)
    return facility.but(capacity=tuple(steps))


def _of_benchmark(catalog: Catalog, name: str) -> Hashable:
    return tuple(row.but(source="", low=None, high=None) for row in catalog.prices if row.id == name)


def _of_priced(offer: Offer) -> Hashable:
    """What an offer is, whatever its price rests on, and whatever range it has."""
    price = None if offer.price is None else offer.price.but(source="", low=None, high=None)
    return offer.but(price=price, quotes=tuple(quote.but(low=None, high=None) for quote in offer.quotes))
