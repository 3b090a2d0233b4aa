"""The bill of compliance: what a plan costs and lacks without any of some items, with all of them, and each one's part of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

from friendshore.domain.base import as_decimal, exact
from friendshore.errors import A_SESSION, takes
from friendshore.explain.pieces import ask_apart
from friendshore.explain.results import Counted, Difference, Effort, between, names_of
from friendshore.session import PartPlan, Session
from friendshore.solve import Progress

from .items import Coalition, Coalitions, Item, items_named, rule_items
from .margins import margins, questions
from .records import Bill, Ledger, LedgerCell, LedgerItem, LedgerPart, Method
from .splitting import Split, Weights, demanded, half_width, in_units, value_of

EXACT_UP_TO = 10
"""Items of an independent part up to which its Shapley values are exact."""
SAMPLES = 200
"""Orders drawn where there are more."""
CENTS = 100


@takes(Session, A_SESSION)
def ledger(
    session: Session,
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
        more_units: also ask what one more unit of each scarce capacity and of each waiver would save.
        progress: told how far it is.

    Raises:
        InputError: for a name that names nothing.
        SolverError: if a solver breaks down.
        VerificationError: if a plan does not hold.
        PluginError: if a plugin's rule raises.
    """
    names = order or items
    meant = items_named(session, names, applied) if names else rule_items(session)
    counted = Counted(session)
    lattice = Coalitions(session, meant)
    split = [Split(lattice, piece) for piece in lattice.pieces.all]
    split = [one for one in split if one.players]
    for one in split:
        one.choose(bool(order), exact_up_to, samples, seed)
    _ask(session, split, progress)
    counted.questions = sum(one.questions for one in split)
    found = _Adding(session, meant, split).ledger(bool(order), exact_up_to, samples, seed, counted.effort)
    if not more_units:
        return found
    more = margins(session, progress=progress)
    counted.questions += questions(more)
    return found.but(margins=more, effort=counted.effort)


def _ask(session: Session, split: Sequence[Split], progress: Progress | None) -> None:
    """Asks every question: pieces side by side, the largest first, the coalitions of each one after the other."""
    groups = [[(one, coalition) for coalition in one.needed] for one in split]

    def value(asked: tuple[Split, Coalition]) -> None:
        session.go_on(sum(one.questions for one in split), sum(map(len, groups)), "plans")
        one, coalition = asked
        one.value(coalition)

    ask_apart(session, sorted(groups, key=len, reverse=True), lambda: value, progress)


class _Adding:
    """Adds pieces up, so that rows and columns add up to the cent and the gram."""

    def __init__(self, session: Session, items: Sequence[Item], split: Sequence[Split]) -> None:
        self.session, self.items, self.all = session, items, split
        self.split = [one for one in split if not one.conflict]
        self.grams = 1 / Fraction(session.problem.case.resolution)
        self.materials = demanded(session)
        self.ends = self._ends()
        self.totals = [_units(b, u) - _units(a, u) for a, b, u in zip(*self.ends, self.units, strict=True)]

    @property
    def units(self) -> tuple[Fraction, ...]:
        """Units in one of each line: cents, and steps of the case's resolution."""
        return (*[Fraction(CENTS)] * 4, *[self.grams] * len(self.materials))

    def _ends(self) -> tuple[list[Fraction], list[Fraction]]:
        """Every line of the whole case with all items off, and with all of them on."""
        base = value_of(PartPlan(frozenset(), self.session.verified), self.materials).lines
        before, after = list(base), list(base)
        for one in self.split:
            case = value_of(one.lattice.pieces.plan(one.piece, ()), self.materials).lines
            for at in range(len(base)):
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
            currency=self.session.problem.case.currency,
            names=names_of(self.session.problem, ()),
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
            margins=None,
            effort=effort,
        )

    def _cells(self, players: Sequence[int]) -> dict[tuple[int, int], list[int]]:
        """Whole units of every line by piece and item: first the items' share of the whole, then each one's pieces."""
        parts = {(number, i): one.part(i) for number, one in enumerate(self.split) for i in one.players}
        cells: dict[tuple[int, int], list[int]] = {key: [0] * len(self.units) for key in parts}
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

    def _part(self, one: Split, method: Method, cells: Sequence[Sequence[int]]) -> LedgerPart:
        return LedgerPart(
            materials=self._wanted(one),
            method=method,
            items=tuple(self.items[i].name for i in one.players),
            adds=self._bill([sum(cell[at] for cell in cells) for at in range(len(self.units))]),
            conflict=one.conflict,
        )

    def _wanted(self, one: Split) -> tuple[str, ...]:
        """Materials of a piece that are demanded."""
        demanded = {demand.use.material.id for demand in self.session.problem.demands}
        return tuple(name for name in one.piece.demanded if name in demanded)

    def _item(self, player: int, cells: Mapping[tuple[int, int], Sequence[int]]) -> LedgerItem:
        item, pieces = self.items[player], [one for one in self.split if player in one.players]
        own = [cell for (_, i), cell in cells.items() if i == player]
        errors = [half_width(one.orders, player, one.amount) ** 2 for one in pieces if one.method is Method.SAMPLED]
        return LedgerItem(
            name=item.name,
            kind=item.kind,
            title=item.title,
            adds=self._bill([sum(cell[at] for cell in own) for at in range(len(self.units))]),
            difference=self._difference(pieces, lambda one: one.weights[player]),
            error=exact(sum(errors) ** 0.5) if errors else None,
            off_alone=self._difference(
                pieces, lambda one: {one.whole: Fraction(1), one.whole - {player}: Fraction(-1)}
            ),
            on_alone=self._difference(pieces, lambda one: {frozenset({player}): Fraction(1), one.none: Fraction(-1)}),
            parts=len(pieces),
        )

    def _difference(self, pieces: Sequence[Split], weights: Callable[[Split], Weights]) -> Difference:
        """A weighed sum over pieces, with what is proved of it. Where the case ranks objectives, that is nothing unless all is."""
        found = [sums for one in pieces if (sums := one.weighed(weights(one))) is not None]
        value, low, high = (sum((sums[at] for sums in found), Fraction(0)) for at in range(3))
        after = self.ends[1]
        sure = len(found) == len(pieces) and (not self.session.problem.objectives or all(one.proved for one in pieces))
        nothing = Decimal("Infinity")
        bounds = (as_decimal(low), as_decimal(high)) if sure else (-nothing, nothing)
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
    """Whole units, the nearest."""
    return round(value * unit)
