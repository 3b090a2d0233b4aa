"""The bill of compliance: what a plan costs and lacks without any of some items, with all of them, and each one's part of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import cached_property
from typing import ClassVar

from ..domain.base import Number, Record, exact
from ..domain.plan import PlanStatus
from ..session import PartPlan, Session
from .items import Item, ItemKind, Lattice, items_named, rule_items
from .pieces import Piece
from .results import Counted, Difference, Effort, Result, between
from .shapley import Coalition, Weights, exact_weights, half_width, in_units, mean_weights, sampled_orders

EXACT_UP_TO = 10
"""Items of an independent part up to which its Shapley values are exact."""
SAMPLES = 200
"""Orders drawn where there are more."""
CENTS = 100
LINES = ("spent", "penalties", "shortage")
"""What an amount is the sum of."""

Asked = Callable[[int, int, float], None]
"""Called with the questions asked, the questions in all as far as is known, and the seconds gone."""


class Method(StrEnum):
    """How parts were found."""

    ORDER = "order"
    """Items come in one after the other, as was asked."""
    EXACT = "exact"
    """Shapley values over every coalition."""
    SAMPLED = "sampled"
    """Shapley values over orders drawn at random."""
    CONFLICT = "conflict"
    """Not split: with some of the items on, the rules conflict."""


class Bill(Record):
    """Money, to the cent, and kilograms."""

    amount: Number
    """Spent, penalties and priced shortage together, discounted."""
    spent: Number
    penalties: Number
    """Priced misses of soft rules."""
    shortage: Number
    """Priced shortage."""
    short_kg: Number


class LedgerItem(Record):
    """What one item adds."""

    name: str
    kind: ItemKind
    title: str
    adds: Bill
    """Its part of the whole: all of them add up to it."""
    difference: Difference
    """The same amount before rounding, with what is proved of it."""
    error: Number | None
    """Half of the 95 % confidence interval of what was sampled; None: nothing was."""
    off_alone: Difference
    """What the plan is dearer by with it than with all others. These do not add up."""
    on_alone: Difference
    """What it adds to a plan with none of the others. Nor do these."""
    parts: int
    """Independent parts of the case to which it can make a difference."""


class LedgerPart(Record):
    """One independent part of the case."""

    materials: tuple[str, ...]
    method: Method
    items: tuple[str, ...]
    """Those that can make a difference to it."""
    adds: Bill
    conflict: tuple[str, ...] = ()
    """Rules that cannot hold together with some of the items on."""


class LedgerCell(Record):
    """What one item adds to one part."""

    part: int
    """Position in `parts`."""
    item: str
    adds: Bill


class Ledger(Result):
    """From the plan without any of the items to the plan with all of them."""

    TABLES: ClassVar[tuple[str, ...]] = ("items", "parts", "cells")

    method: Method
    """`order` if an order was asked for, else `sampled` if any part is, else `exact`."""
    before: Bill
    """Of the whole case with all items off, but for parts that are not split."""
    after: Bill
    """With all of them on."""
    adds: Bill
    """The difference, which is what the items' parts add up to."""
    items: tuple[LedgerItem, ...]
    idle: tuple[str, ...]
    """Items that make no difference to any part, whichever others are on."""
    parts: tuple[LedgerPart, ...]
    cells: tuple[LedgerCell, ...]
    exact_up_to: int
    samples: int
    seed: int
    ranked: bool
    """Whether the case ranks objectives: cost is then what the ranked plan costs."""
    effort: Effort


def ledger(
    session: Session,
    *,
    order: Sequence[str] = (),
    items: Sequence[str] = (),
    applied: Sequence[str] = (),
    exact_up_to: int = EXACT_UP_TO,
    samples: int = SAMPLES,
    seed: int = 0,
    progress: Asked | None = None,
) -> Ledger:
    """Splits what compliance costs over rules, scenarios and kinds of terms.

    Prices of shortage and of holding stock stay what they are in the case, also where they follow from the dearest offer, duties
    included: kilograms short are then measured alike in every plan.

    Args:
        session: the case.
        order: items in the order in which they come in; their parts are marginal costs. Nothing: Shapley values.
        items: which items the Shapley values are of; nothing: every rule of the case.
        applied: scenarios that are applied to the case already.
        exact_up_to: items of an independent part up to which all coalitions are planned.
        samples: orders drawn where there are more.
        seed: of the draw.
        progress: told how far it is.

    Raises:
        InputError: for a name that names nothing.
        SolverError: if a solver breaks down.
        VerificationError: if a plan does not hold.
        PluginError: if a plugin's rule raises.
    """
    session = session.steady
    names = order or items
    meant = items_named(session, names, applied) if names else rule_items(session)
    counted = Counted(session)
    lattice = Lattice(session, meant)
    split = [_Split(lattice, piece, counted) for piece in lattice.pieces.all]
    split = [one for one in split if one.players]
    for one in split:
        one.choose(bool(order), exact_up_to, samples, seed)
    _ask(split, progress)
    return _Adding(session, meant, split).ledger(bool(order), exact_up_to, samples, seed, counted.effort)


@dataclass(frozen=True, slots=True)
class _Value:
    """What a coalition costs one piece."""

    lines: tuple[Fraction, ...]
    """Spent, penalties, shortage, kilograms short."""
    slack: Decimal
    """By how much the bound may lie lower."""
    proved: bool
    conflict: tuple[str, ...]

    @property
    def amount(self) -> Fraction:
        return sum(self.lines[:3], Fraction(0))


class _Split:
    """One piece, its players, and how its total is split over them."""

    def __init__(self, lattice: Lattice, piece: Piece, counted: Counted) -> None:
        self.lattice, self.piece, self.counted = lattice, piece, counted
        self.players = lattice.players(piece)
        self.none: Coalition = frozenset()
        self.whole: Coalition = frozenset(self.players)
        self.weights: dict[int, Weights] = {}
        self.orders: list[list[int]] = []
        self.method = Method.EXACT
        self._known: dict[Coalition, _Value] = {}

    def choose(self, in_order: bool, exact_up_to: int, samples: int, seed: int) -> None:
        """Fixes which coalitions count for what."""
        if in_order:
            self.method, self.orders = Method.ORDER, [self.players]
        elif len(self.players) > exact_up_to:
            self.method, self.orders = Method.SAMPLED, sampled_orders(self.players, samples, seed)
        self.weights = mean_weights(self.orders) if self.orders else exact_weights(self.players)

    @property
    def needed(self) -> list[Coalition]:
        """Every coalition that is asked about, in an order that does not depend on chance."""
        alone = [frozenset({i}) for i in self.players] + [self.whole - {i} for i in self.players]
        found = {c for weights in self.weights.values() for c in weights} | {self.none, self.whole, *alone}
        found = {self.lattice.least(self.piece, coalition) for coalition in found}
        return sorted(found, key=lambda coalition: (len(coalition), sorted(coalition)))

    def value(self, coalition: Coalition) -> _Value:
        """What the piece costs with some of the items on."""
        coalition = self.lattice.least(self.piece, coalition)
        if coalition not in self._known:
            self.counted.questions += 1
            changes = self.lattice.changes(self.piece, coalition)
            self._known[coalition] = _value(self.lattice.pieces.plan(self.piece, changes))
        return self._known[coalition]

    @cached_property
    def conflict(self) -> tuple[str, ...]:
        """Rules that conflict in some coalition that counts: the piece then has no cost, and is not split."""
        counting = {c for weights in self.weights.values() for c in weights} | {self.none, self.whole}
        return tuple(sorted({name for c in counting for name in self.value(c).conflict}))

    def part(self, player: int) -> list[Fraction]:
        """A player's part of every line."""
        weights = self.weights[player]
        values = [(weight, self.value(c).lines) for c, weight in weights.items() if weight]
        return [sum((w * lines[at] for w, lines in values), Fraction(0)) for at in range(4)]

    def rise(self) -> list[Fraction]:
        """What all items together add to every line."""
        return [a - b for a, b in zip(self.value(self.whole).lines, self.value(self.none).lines, strict=True)]

    def weighed(self, weights: Mapping[Coalition, Fraction]) -> tuple[Fraction, Fraction, Fraction] | None:
        """A weighed sum of the values of coalitions: as found, at least and at most; None where rules conflict."""
        values = [(weight, self.value(c)) for c, weight in weights.items() if weight]
        if any(value.conflict for _, value in values):
            return None
        found = sum((w * v.amount for w, v in values), Fraction(0))
        low = sum((w * Fraction(v.slack) for w, v in values if w > 0), Fraction(0))
        high = sum((-w * Fraction(v.slack) for w, v in values if w < 0), Fraction(0))
        return found, found - low, found + high

    @property
    def proved(self) -> bool:
        """Whether every plan asked about is proved cheapest."""
        return all(value.proved for value in self._known.values())


def _value(part: PartPlan) -> _Value:
    plan, cost = part.plan, part.verified.cost
    short = sum((one.quantity for one in plan.shorts), Decimal(0))
    return _Value(
        tuple(Fraction(line) for line in (cost.total, cost.penalties, cost.shortage, short)),
        max(Decimal(0), plan.objective - plan.bound),
        plan.status is PlanStatus.OPTIMAL,
        tuple(name for one in plan.infeasible for name in one.rules),
    )


def _ask(split: Sequence[_Split], progress: Asked | None) -> None:
    """Asks every question, telling how far it is."""
    begun, questions = time.monotonic(), [(one, coalition) for one in split for coalition in one.needed]
    for number, (one, coalition) in enumerate(questions, 1):
        one.value(coalition)
        if progress is not None:
            progress(number, len(questions), time.monotonic() - begun)


class _Adding:
    """Adds pieces up, so that rows and columns add up to the cent and the gram."""

    def __init__(self, session: Session, items: Sequence[Item], split: Sequence[_Split]) -> None:
        self.session, self.items, self.all = session, items, split
        self.split = [one for one in split if not one.conflict]
        self.grams = 1 / Fraction(session.problem.case.resolution)
        self.ends = self._ends()
        self.totals = [_units(b, u) - _units(a, u) for a, b, u in zip(*self.ends, self.units, strict=True)]

    @property
    def units(self) -> tuple[Fraction, ...]:
        """Units in one of each line: cents, and steps of the case's resolution."""
        return (Fraction(CENTS), Fraction(CENTS), Fraction(CENTS), self.grams)

    def _ends(self) -> tuple[list[Fraction], list[Fraction]]:
        """Every line of the whole case with all items off, and with all of them on."""
        base = _value(PartPlan(frozenset(), self.session.verified)).lines
        before, after = list(base), list(base)
        for one in self.split:
            case = _value(one.lattice.pieces.plan(one.piece, ())).lines
            for at in range(4):
                before[at] += one.value(one.none).lines[at] - case[at]
                after[at] += one.value(one.whole).lines[at] - case[at]
        return before, after

    def ledger(self, in_order: bool, exact_up_to: int, samples: int, seed: int, effort: Effort) -> Ledger:
        players = sorted({i for one in self.all for i in one.players})
        cells = self._cells(players)
        found = [self._item(i, cells) for i in players]
        if not in_order:
            found.sort(key=lambda item: (-item.adds.amount, item.name))
        methods = {one.method for one in self.split}
        shown = [
            LedgerCell(part=number, item=self.items[i].name, adds=self._bill(cells[number, i]))
            for number, one in enumerate(self.split)
            for i in one.players
        ]
        return Ledger(
            method=Method.ORDER if in_order else Method.SAMPLED if Method.SAMPLED in methods else Method.EXACT,
            before=self._bill([_units(v, u) for v, u in zip(self.ends[0], self.units, strict=True)]),
            after=self._bill([_units(v, u) for v, u in zip(self.ends[1], self.units, strict=True)]),
            adds=self._bill(self.totals),
            items=tuple(found),
            idle=tuple(item.name for i, item in enumerate(self.items) if i not in players),
            parts=self._parts(cells),
            cells=tuple(shown),
            exact_up_to=exact_up_to,
            samples=samples,
            seed=seed,
            ranked=bool(self.session.problem.objectives),
            effort=effort,
        )

    def _cells(self, players: Sequence[int]) -> dict[tuple[int, int], list[int]]:
        """Whole units of every line by piece and item: first the items' share of the whole, then each one's pieces."""
        parts = {(number, i): one.part(i) for number, one in enumerate(self.split) for i in one.players}
        cells: dict[tuple[int, int], list[int]] = {key: [0] * 4 for key in parts}
        for at, unit in enumerate(self.units):
            keys = {i: [key for key in parts if key[1] == i] for i in players}
            keys = {i: some for i, some in keys.items() if some}
            sums = [sum((parts[key][at] * unit for key in some), Fraction(0)) for some in keys.values()]
            for total, some in zip(in_units(self.totals[at], sums), keys.values(), strict=True):
                for key, units in zip(some, in_units(total, [parts[key][at] * unit for key in some]), strict=True):
                    cells[key][at] = units
        return cells

    def _parts(self, cells: Mapping[tuple[int, int], Sequence[int]]) -> tuple[LedgerPart, ...]:
        """Every piece, those that are not split last."""
        found = []
        for number, one in enumerate(self.split):
            found.append(self._part(one, one.method, [cells[number, i] for i in one.players]))
        found += [self._part(one, Method.CONFLICT, []) for one in self.all if one.conflict]
        return tuple(found)

    def _part(self, one: _Split, method: Method, cells: Sequence[Sequence[int]]) -> LedgerPart:
        return LedgerPart(
            materials=self._wanted(one),
            method=method,
            items=tuple(self.items[i].name for i in one.players),
            adds=self._bill([sum(cell[at] for cell in cells) for at in range(4)]),
            conflict=one.conflict,
        )

    def _wanted(self, one: _Split) -> tuple[str, ...]:
        """Materials of a piece that are demanded."""
        demanded = {demand.use.material.id for demand in self.session.problem.demands}
        return tuple(name for name in one.piece.demanded if name in demanded)

    def _item(self, player: int, cells: Mapping[tuple[int, int], Sequence[int]]) -> LedgerItem:
        item, pieces = self.items[player], [one for one in self.split if player in one.players]
        own = [cell for (_, i), cell in cells.items() if i == player]
        errors = [
            half_width(one.orders, player, lambda c, one=one: float(one.value(c).amount)) ** 2  # type: ignore[misc]
            for one in pieces
            if one.method is Method.SAMPLED
        ]
        return LedgerItem(
            name=item.name,
            kind=item.kind,
            title=item.title,
            adds=self._bill([sum(cell[at] for cell in own) for at in range(4)]),
            difference=self._difference(pieces, lambda one: one.weights[player]),
            error=exact(sum(errors) ** 0.5) if errors else None,
            off_alone=self._difference(
                pieces, lambda one: {one.whole: Fraction(1), one.whole - {player}: Fraction(-1)}
            ),
            on_alone=self._difference(pieces, lambda one: {frozenset({player}): Fraction(1), one.none: Fraction(-1)}),
            parts=len(pieces),
        )

    def _difference(self, pieces: Sequence[_Split], weights: Callable[[_Split], Weights]) -> Difference:
        """A weighed sum over pieces, with what is proved of it. Where the case ranks objectives, that is nothing unless all is."""
        found = [sums for one in pieces if (sums := one.weighed(weights(one))) is not None]
        value, low, high = (sum((sums[at] for sums in found), Fraction(0)) for at in range(3))
        after = self.ends[1]
        sure = len(found) == len(pieces) and (not self.session.problem.objectives or all(one.proved for one in pieces))
        nothing = Decimal("Infinity")
        bounds = (_decimal(low), _decimal(high)) if sure else (-nothing, nothing)
        return between(_decimal(value), *bounds, _decimal(sum(after[:3], Fraction(0))))

    def _bill(self, units: Sequence[int]) -> Bill:
        spent, penalties, shortage, short = (
            Decimal(count) * _decimal(1 / unit) for count, unit in zip(units, self.units, strict=True)
        )
        return Bill(
            amount=spent + penalties + shortage, spent=spent, penalties=penalties, shortage=shortage, short_kg=short
        )


def _units(value: Fraction, unit: Fraction) -> int:
    """Whole units, the nearest."""
    return round(value * unit)


def _decimal(value: Fraction) -> Decimal:
    return exact(Decimal(value.numerator) / Decimal(value.denominator))
