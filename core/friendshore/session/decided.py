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
        """Yield for each period a row for every decided line, and a row that excludes other orders.

        Raises:
            InputError: If a decided order is no longer offered.
        """
        known = {chained.offer.id for chained in facts.offers if chained.material.id == self.material}
        gone = sorted({line.offer for line in self.ordered if line.offer not in known})
        if gone:
            raise self.undone(gone)
        by_period = grouped((line.period, line) for line in self.ordered)
        for period in facts.horizon.periods[: self.periods]:
            lines = by_period.get(period.index, [])
            for line in lines:
                bought = self._bought(facts, period.index, {(line.offer, line.place)})
                least = max(Decimal(0), line.kilograms - line.rounded)
                label = f"{line.offer} {line.place} {period.label}"
                yield self._row(label, bought, least, line.kilograms + line.rounded)
            others = self._bought(facts, period.index, {(line.offer, line.place) for line in lines}, others=True)
            yield self._row(f"nothing else {period.label}", others, None, self.step)

    def _bought(
        self, facts: Facts, period: int, lines: Collection[tuple[str, str]], *, others: bool = False
    ) -> BoughtTerm:
        """Return the orders in a period from some offers and places, or with `others` from all others."""

        def counts(chained: Chained, place: Place) -> Decimal:
            meant = ((chained.offer.id, place.id) in lines) is not others
            return Decimal(int(meant and chained.material.id == self.material))

        return facts.bought(counts, [period])

    def _row(self, label: str, bought: BoughtTerm, at_least: Decimal | None, at_most: Decimal) -> Row:
        return Row(label, (bought,), at_least, at_most, reads=frozenset({self.material}))

    def undone(self, what: Sequence[str]) -> InputError:
        """Return the error for a change that makes decided orders impossible."""
        return InputError(
            f"the change takes away what is ordered of {self.material} before {self.before}",
            column="decided_before",
            found=", ".join(what),
            expected="a change that leaves alone what is decided",
            fix=f"let the change take effect later: from = {self.before}",
        )

    def sentence(self) -> str:
        return f"Order what the plan orders of {self.material} before {self.before}, and nothing else before then."


def keep_decisions(session: Session, day: date) -> Session:
    """Return a session in which every plan keeps this plan's orders before a day, up to rounding.

    A period that begins before the day and ends on it or later is open as a whole.

    Raises:
        SolverError: If a solver fails.
        VerificationError: If the plan fails verification.
        PluginError: If a plugin's rule raises.
    """
    began, problem = monotonic(), session.problem
    periods = sum(period.end < day for period in problem.case.horizon.periods)
    step = problem.case.resolution
    purchases = [p for p in session.verified.plan.purchases if p.ordered < periods]
    lines = [(p.material, p.offer, p.place, p.ordered) for p in purchases]
    sums = totals((line, p.quantity) for line, p in zip(lines, purchases, strict=True))
    entries = Counter(lines)  # each purchase is rounded by itself
    ordered: dict[str, list[DecidedLine]] = {}
    for line, kilograms in sorted(sums.items()):
        material, offer, place, period = line
        decided = DecidedLine(
            offer=offer, place=place, period=period, kilograms=kilograms, rounded=entries[line] * step
        )
        ordered.setdefault(material, []).append(decided)
    rules = tuple(
        DecidedOrders(
            id=f"decided-{material}",
            material=material,
            before=day,
            periods=periods,
            step=step,
            ordered=tuple(ordered.get(material, ())),
        )
        for material in sorted({material for material, _ in problem.network.nodes} if periods else ())
    )
    inputs = replace(session.inputs, rules=(*session.inputs.rules, *rules))
    return session.beside(inputs, compile_program(inputs.problem()), began)


def reject_impossible_orders(session: Session, conflicts: Iterable[Sequence[str]]) -> None:
    """Reject changes that make decided orders impossible, whatever other rules require. `conflicts` are sets of conflicting rules.

    Raises:
        InputError: If a conflict consists only of decided orders.
    """
    decided = {rule.id: rule for rule in session.inputs.rules if isinstance(rule, DecidedOrders)}
    for rules in conflicts:
        if rules and all(name in decided for name in rules):
            rule = decided[rules[0]]
            raise rule.undone(sorted({line.offer for line in rule.ordered}))


def day_of_plan(horizon: Horizon, word: str, what: str) -> date:
    """Return the day meant by a date or by the label of a period, which means its first day. `what` describes the day in messages.

    Raises:
        InputError: For anything else, and for days outside the plan.
    """
    by_label: Mapping[str, date] = {period.label: period.start for period in horizon.periods}
    day = by_label.get(word) or _day(word)
    if day is None or horizon.find(day) is None:
        expected = f"a date from {horizon.span.start} to {horizon.span.end}, or a period like {horizon.label(0)}"
        raise InputError(f"{what} is no day of the plan", found=word, expected=expected)
    return day


def _day(word: str) -> date | None:
    try:
        return date.fromisoformat(word)
    except ValueError:
        return None


def foreseen(session: Session, days: Iterable[date | None]) -> date | None:
    """Return the earliest day after the first period: plans may order in anticipation of it. None if there is none."""
    ends = session.problem.case.horizon.periods[0].end
    return min((day for day in days if day is not None and day > ends), default=None)


def days_of(session: Session, changes: Iterable[Change]) -> list[date | None]:
    """Return the first day of each change, with bills expanded. None means the start of the plan."""
    return [change.start for change in with_bills(list(changes), session.inputs.bills)]
