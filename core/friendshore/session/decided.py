"""Questions as of a later day: all orders that the plan places before it are decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from time import monotonic
from typing import Literal

from ..domain.base import Number, Record, grouped, totals
from ..domain.change import Change
from ..domain.facts import Place
from ..domain.time import Horizon
from ..domain.use import Chained
from ..errors import InputError
from ..program import compile_program
from ..rules.amend import with_bills
from ..rules.base import Facts, Rule
from ..rules.rows import Row
from ..rules.terms import BoughtTerm
from . import Session


class DecidedLine(Record):
    """Order of a material from an offer for a place in a period."""

    offer: str
    place: str
    period: int
    kilograms: Number
    rounded: Number
    """Maximum rounding of the kilograms. They may exceed a capacity by as much."""


class DecidedOrders(Rule):
    """Orders of a material in the first periods of a plan, which are fixed in every further plan."""

    kind: Literal["decided"] = "decided"
    dated_by: Literal["delivery", "order"] = "order"
    may_count_orders = True

    material: str
    before: date
    """First day that is still open."""
    periods: int
    """Number of decided periods."""
    ordered: tuple[DecidedLine, ...]
    step: Number
    """Kilograms to which plans are rounded."""

    def rows(self, facts: Facts) -> Iterator[Row]:
        """Yield a row for every decided line, and one per period that excludes other orders."""
        offers = {chained.offer.id for chained in facts.offers if chained.material.id == self.material}
        missing_offers = sorted({line.offer for line in self.ordered if line.offer not in offers})
        if missing_offers:
            raise self.impossible_orders_error(missing_offers)
        by_period = grouped((line.period, line) for line in self.ordered)
        for period in facts.horizon.periods[: self.periods]:
            lines = by_period.get(period.index, [])
            for line in lines:
                orders = self._orders(facts, period.index, {(line.offer, line.place)})
                min_kg = max(Decimal(0), line.kilograms - line.rounded)
                label = f"{line.offer} {line.place} {period.label}"
                yield self._row(label, orders, min_kg, line.kilograms + line.rounded)
            other_orders = self._orders(facts, period.index, {(line.offer, line.place) for line in lines}, others=True)
            yield self._row(f"other orders {period.label}", other_orders, None, self.step)

    def _orders(
        self, facts: Facts, period: int, lines: Collection[tuple[str, str]], *, others: bool = False
    ) -> BoughtTerm:
        def weight(chained: Chained, place: Place) -> Decimal:
            matches = ((chained.offer.id, place.id) in lines) is not others
            return Decimal(int(matches and chained.material.id == self.material))

        return facts.bought(weight, [period])

    def _row(self, label: str, orders: BoughtTerm, at_least: Decimal | None, at_most: Decimal) -> Row:
        return Row(label, (orders,), at_least, at_most, reads=frozenset({self.material}))

    def impossible_orders_error(self, offers: Sequence[str]) -> InputError:
        return InputError(
            f"the change makes orders of {self.material} before {self.before} impossible, which are decided",
            column="decided_before",
            found=", ".join(offers),
            expected="a change that doesn't affect decided orders",
            fix=f"let the change start later, with `from = {self.before}`",
            code="FS706",
        )

    def sentence(self) -> str:
        return f"Before {self.before}, order {self.material} exactly as in the plan."


def keep_decisions(session: Session, day: date) -> Session:
    """Return a session in which every plan keeps this plan's orders before a day, up to rounding. A period that ends on the day or later is open."""
    started, problem = monotonic(), session.problem
    periods = sum(period.end < day for period in problem.case.horizon.periods)
    step = problem.case.resolution
    purchases = [purchase for purchase in session.verified.plan.purchases if purchase.ordered < periods]
    lines = [(purchase.material, purchase.offer, purchase.place, purchase.ordered) for purchase in purchases]
    kg_by_line = totals((line, purchase.quantity) for line, purchase in zip(lines, purchases, strict=True))
    purchase_count = Counter(lines)  # each purchase is rounded by itself
    lines_by_material: dict[str, list[DecidedLine]] = {}
    for line, kilograms in sorted(kg_by_line.items()):
        material, offer, place, period = line
        decided = DecidedLine(
            offer=offer, place=place, period=period, kilograms=kilograms, rounded=purchase_count[line] * step
        )
        lines_by_material.setdefault(material, []).append(decided)
    rules = tuple(
        DecidedOrders(
            id=f"decided-{material}",
            material=material,
            before=day,
            periods=periods,
            step=step,
            ordered=tuple(lines_by_material.get(material, ())),
        )
        for material in sorted({material for material, _ in problem.network.nodes} if periods else ())
    )
    inputs = replace(session.inputs, rules=(*session.inputs.rules, *rules))
    return session.with_inputs(inputs, compile_program(inputs.problem()), started)


def reject_impossible_orders(session: Session, conflicts: Iterable[Sequence[str]]) -> None:
    """Raise `InputError` if a set of conflicting rules in `conflicts` consists only of decided orders."""
    decided_rules = {rule.id: rule for rule in session.inputs.rules if isinstance(rule, DecidedOrders)}
    for rules in conflicts:
        if rules and all(name in decided_rules for name in rules):
            rule = decided_rules[rules[0]]
            raise rule.impossible_orders_error(sorted({line.offer for line in rule.ordered}))


def day_of_plan(horizon: Horizon, text: str, subject: str) -> date:
    """Return the day meant by a date, or by the label of a period for its first day. `subject` names the day in the `InputError` for anything else."""
    by_label: Mapping[str, date] = {period.label: period.start for period in horizon.periods}
    day = by_label.get(text) or _date(text)
    if day is None or horizon.find(day) is None:
        expected = f"a date from {horizon.span.start} to {horizon.span.end}, or a period like {horizon.label(0)}"
        fix = f"write a date such as `{horizon.span.start}`"
        raise InputError(f"{subject} isn't a date of the plan", found=text, expected=expected, fix=fix, code="FS705")
    return day


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def first_foreseen_day(session: Session, days: Iterable[date | None]) -> date | None:
    """Return the earliest day after the first period, since plans may order in anticipation of it. None if there is none."""
    ends = session.problem.case.horizon.periods[0].end
    return min((day for day in days if day is not None and day > ends), default=None)


def days_of(session: Session, changes: Iterable[Change]) -> list[date | None]:
    """Return the first day of each change, with bills expanded. None means the start of the plan."""
    return [change.start for change in with_bills(list(changes), session.inputs.bills)]
