"""The ledger: cost and shortage without some items, with all of them, and the part of each item."""

# Savings from one more unit are found by changing the case and planning again. A dual value would give the same for a linear program without degeneracy.
# An increment of a stated size is valid for any program, including minima and fixed costs, and a buyer can act on it.

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar

import numpy as np

from friendshore.domain.base import Number, Record, as_decimal, exact
from friendshore.domain.change import Change
from friendshore.explain.pieces import answer_concurrently
from friendshore.explain.results import (
    Difference,
    Effort,
    QuestionCounter,
    QuestionResult,
    between,
    difference,
    names_of,
)
from friendshore.problem import Problem
from friendshore.recommend import PlanSource, session_of
from friendshore.rules.base import longest_run
from friendshore.session import Answer, PartPlan, Session
from friendshore.solve import Progress
from friendshore.verify.amounts import pool_use

from .items import (
    Coalition,
    Coalitions,
    Item,
    ItemKind,
    Method,
    Split,
    Weights,
    confidence_half_width,
    demanded_materials,
    items_named,
    plan_value,
    round_to_total,
    rule_items,
)

INCREMENT = Decimal("0.01")
"""Share by which a capacity or a demand is increased."""


class CapacityValue(Record):
    """Savings from more of one capacity."""

    facility: str
    full_periods: tuple[str, ...]
    """Periods in which the plan uses the whole capacity."""
    added_kg: Number
    """Additional kilograms over the plan: the increment, in every period."""
    saving: Difference
    """Decrease of the objective."""
    per_kg: Number
    """Saving per additional kilogram."""


class WaiverValue(Record):
    """Savings from a waiver of one rule."""

    rule: str
    demand: str
    waived_kg: Number
    """Kilograms that may be delivered under it over the plan. If the law bounds the length of a waiver, over that time from its start."""
    saving: Difference
    per_kg: Number


class Margins(Record):
    """Savings from one more unit of each, largest first."""

    increment: Number
    """Relative increase of a capacity, and of the demand of a waiver."""
    capacities: tuple[CapacityValue, ...]
    waivers: tuple[WaiverValue, ...]


def margins(session: Session, *, increment: Decimal = INCREMENT, progress: Progress | None = None) -> Margins:
    """Return the savings from a relative increase of each scarce capacity, and from a waiver of each rule of origin that applies to a demand."""
    counted = QuestionCounter(session, progress)
    scarce = list(_full_capacities(session))
    waivable = [] if session.verified.plan.infeasible else list(_waivable(session.problem))
    question_count = len(scarce) + len(waivable)
    capacities: list[CapacityValue] = []
    waivers: list[WaiverValue] = []

    for number, periods in scarce:
        session.raise_if_stopped(len(capacities), question_count, "questions about one more unit")
        pool = session.problem.pools[number]
        answer = session.what_if(Change(capacity=pool.facility, factor=1 + increment))
        added_kg = increment * sum((kg for kg in pool.capacity if kg is not None), Decimal(0))
        saves = _saved(answer)
        per_kg = exact(saves.value / added_kg)
        capacities.append(
            CapacityValue(
                facility=pool.facility, full_periods=periods, added_kg=exact(added_kg), saving=saves, per_kg=per_kg
            )
        )
        counted.report_progress(len(capacities) + len(waivers), question_count)
    for rule, demand, kilograms in waivable:
        session.raise_if_stopped(len(capacities) + len(waivers), question_count, "questions about one more unit")
        quantity = exact(increment * kilograms)
        saves = _saved(session.what_if(_waiver(session.problem, rule, demand, quantity)))
        per_kg = exact(saves.value / quantity)
        waivers.append(WaiverValue(rule=rule, demand=demand, waived_kg=quantity, saving=saves, per_kg=per_kg))
        counted.report_progress(len(capacities) + len(waivers), question_count)
    return Margins(
        increment=increment,
        capacities=tuple(sorted(capacities, key=lambda each: (-each.per_kg, each.facility))),
        waivers=tuple(sorted(waivers, key=lambda each: (-each.per_kg, each.rule, each.demand))),
    )


def _full_capacities(session: Session) -> Iterator[tuple[int, tuple[str, ...]]]:
    verified, problem = session.verified, session.problem
    if not problem.pools:
        return
    used, pieces, _ = pool_use(verified.ledger, verified.costing.placed)
    slack = float(problem.case.resolution) * (pieces + 1) / 2 + 1e-9 * used
    full = (used > 0) & (used >= problem.capacity - slack)
    for number in np.flatnonzero(full.any(axis=1)).tolist():
        yield number, tuple(problem.case.horizon.label(t) for t in np.flatnonzero(full[number]).tolist())


def _waivable(problem: Problem) -> Iterator[tuple[str, str, Decimal]]:
    periods = problem.case.horizon.periods
    applying = {i for i, _ in enumerate(problem.rules) if any(problem.law.in_force(i, p.span) for p in periods)}
    for demand in problem.demands:
        kilograms = sum(demand.quantity, Decimal(0))
        for rule in sorted(applying & set(problem.judgements[demand.use].chain)):
            if kilograms:
                yield problem.rules[rule].id, demand.id, kilograms


def _waiver(problem: Problem, rule: str, demand: str, quantity: Decimal) -> Change:
    terms = next(each.waivers for each in problem.rules if each.id == rule)
    periods = problem.case.horizon.periods
    run = longest_run(terms, periods[0].start, periods[-1].end)
    days = {"from": run.start, "until": run.end} if terms else {}
    return Change.model_validate({"waive": rule, "of": demand, "quantity": quantity, **days})


def _saved(answer: Answer) -> Difference:
    rise = difference(answer)
    if rise.low is None or rise.high is None:
        return rise.but(value=-rise.value)
    return between(-rise.value, -rise.high, -rise.low, answer.cost.objective)


class Bill(Record):
    """Money, to the cent, and kilograms."""

    cash: Number = Decimal(0)
    """Cash spent, not discounted."""
    spent: Number
    """Present value of the cash."""
    penalties: Number
    """Penalties for violated soft rules, which are not paid."""
    shortage: Number
    """Penalties for shortage as present value, which are not paid."""
    amount: Number
    """Present value spent, plus penalties. This amount is split."""
    short_kg: dict[str, Number]
    """Material -> kilograms short, without zeros."""


class LedgerItem(Record):
    """Part of one item."""

    name: str
    kind: ItemKind
    title: str
    adds: Bill
    """Its part of the total. All parts sum to the total."""
    difference: Difference
    """Amount before rounding, with its proved bounds."""
    error: Number | None
    """Half of the 95% confidence interval of a sampled part. None if nothing was sampled."""
    off_alone: Difference
    """Rise of the cost by this item on top of all others. These don't add up."""
    on_alone: Difference
    """Rise of the cost by this item alone. These don't add up either."""
    parts: int
    """Number of independent parts of the case that it can affect."""


class LedgerPart(Record):
    """One independent part of the case."""

    materials: tuple[str, ...]
    method: Method
    items: tuple[str, ...]
    adds: Bill
    conflict: tuple[str, ...] = ()
    """Rules that conflict with some of the items on."""


class LedgerCell(Record):
    """Share of one item in one part."""

    part: int
    """Position in `parts`."""
    item: str
    adds: Bill


class Ledger(QuestionResult):
    """The way from the plan without the items to the plan with all of them."""

    TABLES: ClassVar[tuple[str, ...]] = ("items", "parts", "cells")
    DOCUMENT_FUNCTION: ClassVar[str] = "friendshore_reasons.ledger.document:ledger_document"

    currency: str
    method: Method
    """`order` if an order was given. Otherwise `sampled` if any part is sampled, else `exact`."""
    before: Bill
    """The whole case with all items off, except parts that are not split."""
    after: Bill
    """The whole case with all items on."""
    adds: Bill
    """The difference, which is the sum of the items' parts."""
    items: tuple[LedgerItem, ...]
    without_effect: tuple[str, ...]
    """Items that affect no part, regardless of the others."""
    parts: tuple[LedgerPart, ...]
    cells: tuple[LedgerCell, ...]
    exact_up_to: int
    samples: int
    seed: int
    ranked: bool
    """True if the case ranks objectives. The cost is then that of the ranked plan."""
    margins: Margins | None
    """Savings from one more unit of scarce capacity and of waivers. None if not requested."""
    effort: Effort


EXACT_UP_TO = 10
"""Maximum number of items of an independent part for exact Shapley values."""
SAMPLES = 200
"""Number of sampled orders for larger parts."""
CENTS = 100


def ledger(
    source: PlanSource,
    *,
    order: Sequence[str] = (),
    items: Sequence[str] = (),
    applied: Sequence[str] = (),
    exact_up_to: int = EXACT_UP_TO,
    samples: int = SAMPLES,
    seed: int = 0,
    more_units: bool = False,
    progress: Progress | None = None,
) -> Ledger:
    """Split the cost of compliance over rules, scenarios, and kinds of terms.

    Shortage penalties and holding costs stay those of the case, so that every plan values a kilogram of shortage alike.

    Args:
        source: A recommendation, a session, or a case.
        order: Items in the order in which they enter. Their parts are marginal costs. Empty means Shapley values.
        items: Items with Shapley values. Empty means every rule of the case.
        applied: Scenarios that are already applied to the case.
        exact_up_to: Maximum number of items of an independent part for which all coalitions are planned.
        samples: Number of sampled orders for larger parts.
        seed: Seed of the samples.
        more_units: True to include the savings from one more unit of each scarce capacity and of each waiver.
        progress: Progress callback.

    Raises:
        InputError: For an unknown name.
    """
    session = session_of(source)
    names = order or items
    ledger_items = items_named(session, names, applied) if names else rule_items(session)
    counted = QuestionCounter(session)
    coalitions = Coalitions(session, ledger_items)
    splits = [Split(coalitions, piece) for piece in coalitions.pieces.all]
    splits = [split for split in splits if split.players]
    for split in splits:
        split.choose_coalitions(bool(order), exact_up_to, samples, seed)
    _plan_coalitions(session, splits, progress)
    counted.questions = sum(split.planned_count for split in splits)
    result = _LedgerBuilder(session, ledger_items, splits).build(
        bool(order), exact_up_to, samples, seed, counted.effort
    )
    if not more_units:
        return result
    unit_margins = margins(session, progress=progress)
    counted.questions += len(unit_margins.capacities) + len(unit_margins.waivers)
    return result.but(margins=unit_margins, effort=counted.effort)


def _plan_coalitions(session: Session, splits: Sequence[Split], progress: Progress | None) -> None:
    groups = [[(split, coalition) for coalition in split.needed] for split in splits]

    def value(task: tuple[Split, Coalition]) -> None:
        session.raise_if_stopped(sum(split.planned_count for split in splits), sum(map(len, groups)), "plans")
        split, coalition = task
        split.value(coalition)

    answer_concurrently(session, sorted(groups, key=len, reverse=True), lambda: value, progress)


class _LedgerBuilder:
    """Sums over pieces, in which rows and columns add up to the cent and the gram."""

    def __init__(self, session: Session, items: Sequence[Item], splits: Sequence[Split]) -> None:
        self.session, self.items, self.splits = session, items, splits
        self.without_conflict = [split for split in splits if not split.conflict]
        self.grams = 1 / Fraction(session.problem.case.resolution)
        self.materials = demanded_materials(session)
        self.ends = self._totals_before_and_after()
        self.totals = [_units(b, u) - _units(a, u) for a, b, u in zip(*self.ends, self.units, strict=True)]

    @property
    def units(self) -> tuple[Fraction, ...]:
        """Number of units of each line: cents, and steps of the case's resolution."""
        return (*[Fraction(CENTS)] * 4, *[self.grams] * len(self.materials))

    def _totals_before_and_after(self) -> tuple[list[Fraction], list[Fraction]]:
        totals = plan_value(PartPlan(frozenset(), self.session.verified), self.materials).lines
        before, after = list(totals), list(totals)
        for split in self.without_conflict:
            case = plan_value(split.coalitions.pieces.plan(split.piece, ()), self.materials).lines
            for line in range(len(totals)):
                before[line] += split.value(split.none).lines[line] - case[line]
                after[line] += split.value(split.whole).lines[line] - case[line]
        return before, after

    def build(self, in_order: bool, exact_up_to: int, samples: int, seed: int, effort: Effort) -> Ledger:
        players = sorted({i for split in self.splits for i in split.players})
        cells = self._cells(players)
        items = [self._item(i, cells) for i in players]
        if not in_order:
            items.sort(key=lambda item: (-item.adds.amount, item.name))
        methods = {split.method for split in self.without_conflict}
        ledger_cells = [
            LedgerCell(part=number, item=self.items[i].name, adds=self._bill(cells[number, i]))
            for number, split in enumerate(self.without_conflict)
            for i in split.players
        ]
        return Ledger(
            currency=self.session.problem.case.currency,
            names=names_of(self.session.problem, ()),
            method=Method.ORDER if in_order else Method.SAMPLED if Method.SAMPLED in methods else Method.EXACT,
            before=self._bill([_units(v, u) for v, u in zip(self.ends[0], self.units, strict=True)]),
            after=self._bill([_units(v, u) for v, u in zip(self.ends[1], self.units, strict=True)]),
            adds=self._bill(self.totals),
            items=tuple(items),
            without_effect=tuple(item.name for i, item in enumerate(self.items) if i not in players),
            parts=self._parts(cells),
            cells=tuple(ledger_cells),
            exact_up_to=exact_up_to,
            samples=samples,
            seed=seed,
            ranked=bool(self.session.problem.objectives),
            margins=None,
            effort=effort,
        )

    def _cells(self, players: Sequence[int]) -> dict[tuple[int, int], list[int]]:
        parts = {
            (number, i): split.part_of(i) for number, split in enumerate(self.without_conflict) for i in split.players
        }
        cells: dict[tuple[int, int], list[int]] = {key: [0] * len(self.units) for key in parts}
        for line, unit in enumerate(self.units):
            keys = {i: [key for key in parts if key[1] == i] for i in players}
            keys = {i: item_keys for i, item_keys in keys.items() if item_keys}
            sums = [sum((parts[key][line] * unit for key in item_keys), Fraction(0)) for item_keys in keys.values()]
            for total, item_keys in zip(round_to_total(self.totals[line], sums), keys.values(), strict=True):
                for key, units in zip(
                    item_keys, round_to_total(total, [parts[key][line] * unit for key in item_keys]), strict=True
                ):
                    cells[key][line] = units
        return cells

    def _parts(self, cells: Mapping[tuple[int, int], Sequence[int]]) -> tuple[LedgerPart, ...]:
        parts = []
        for number, split in enumerate(self.without_conflict):
            parts.append(self._part(split, split.method, [cells[number, i] for i in split.players]))
        parts += [self._part(split, Method.CONFLICT, []) for split in self.splits if split.conflict]
        return tuple(parts)

    def _part(self, split: Split, method: Method, cells: Sequence[Sequence[int]]) -> LedgerPart:
        return LedgerPart(
            materials=tuple(name for name in split.piece.demanded if name in self.materials),
            method=method,
            items=tuple(self.items[i].name for i in split.players),
            adds=self._bill([sum(cell[line] for cell in cells) for line in range(len(self.units))]),
            conflict=split.conflict,
        )

    def _item(self, player: int, cells: Mapping[tuple[int, int], Sequence[int]]) -> LedgerItem:
        item, pieces = self.items[player], [split for split in self.without_conflict if player in split.players]
        item_cells = [cell for (_, i), cell in cells.items() if i == player]
        errors = [
            confidence_half_width(split.orders, player, split.amount) ** 2
            for split in pieces
            if split.method is Method.SAMPLED
        ]
        return LedgerItem(
            name=item.name,
            kind=item.kind,
            title=item.title,
            adds=self._bill([sum(cell[line] for cell in item_cells) for line in range(len(self.units))]),
            difference=self._difference(pieces, lambda split: split.weights[player]),
            error=exact(sum(errors) ** 0.5) if errors else None,
            off_alone=self._difference(
                pieces, lambda split: {split.whole: Fraction(1), split.whole - {player}: Fraction(-1)}
            ),
            on_alone=self._difference(
                pieces, lambda split: {frozenset({player}): Fraction(1), split.none: Fraction(-1)}
            ),
            parts=len(pieces),
        )

    def _difference(self, pieces: Sequence[Split], weights: Callable[[Split], Weights]) -> Difference:
        """Return a weighted sum over pieces with its proved bounds. If the case ranks objectives, it has none unless all are proved."""
        piece_sums = [sums for split in pieces if (sums := split.weighted_sum(weights(split))) is not None]
        value, low, high = (sum((sums[position] for sums in piece_sums), Fraction(0)) for position in range(3))
        after = self.ends[1]
        is_proved = len(piece_sums) == len(pieces) and (
            not self.session.problem.objectives or all(split.proved for split in pieces)
        )
        infinity = Decimal("Infinity")
        bounds = (as_decimal(low), as_decimal(high)) if is_proved else (-infinity, infinity)
        return between(as_decimal(value), *bounds, as_decimal(sum(after[:3], Fraction(0))))

    def _bill(self, units: Sequence[int]) -> Bill:
        spent, penalties, shortage, cash, *short = (
            Decimal(count) * as_decimal(1 / unit) for count, unit in zip(units, self.units, strict=True)
        )
        return Bill(
            amount=spent + penalties + shortage,
            spent=spent,
            penalties=penalties,
            shortage=shortage,
            cash=cash,
            short_kg={name: kg for name, kg in zip(self.materials, short, strict=True) if kg},
        )


def _units(value: Fraction, unit: Fraction) -> int:
    return round(value * unit)
