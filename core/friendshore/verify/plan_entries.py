"""Entries of a plan as integer columns, matched with the facts that they name, and the findings on them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from functools import cached_property
from itertools import repeat
from operator import mul
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..domain.base import Record
from ..domain.plan import Delivery, LotUse, Make, Plan, Purchase, PurchaseTable, Transfer
from ..errors import Diagnostic
from ..problem import Problem
from ..problem.decimal_arrays import Floats, Integers, added_up, as_multiples, integer_array
from ..problem.demands import Lot
from ..problem.network import Arc, Node
from ..problem.shared import Answers

Ints = NDArray[np.intp]
Entry = TypeVar("Entry")
OfOffer = TypeVar("OfOffer", Make, Transfer)


@dataclass(slots=True, eq=False)
class Bought:
    """A purchase or a used stock lot, with its arc."""

    arc: Arc
    compliance_class: str
    ordered: int
    """Period of the order. For a stock lot, the period from which it is available."""
    delivered: int
    quantity: Decimal
    licenses: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.arc.name

    @property
    def material(self) -> str:
        return self.arc.node[0]

    @property
    def place(self) -> str:
        return self.arc.node[1]

    def __str__(self) -> str:
        return f"{self.name} to {self.place} ({self.material}, {self.compliance_class}, period {self.ordered})"


def in_lots(problem: Problem, offer: int) -> bool:
    """Return True if a purchase is part of a lot, and needn't be a multiple of the resolution. An `offer` of -1 is a stock lot."""
    return offer >= 0 and problem.offers[offer].has_one_output and problem.offers[offer].offer.lot is not None


def in_columns(entries: Sequence[Purchase | LotUse], unit: Decimal) -> PurchaseTable:
    """Return entries as columns. Used stock lots become purchases in their period, with the lot as offer."""
    if isinstance(entries, PurchaseTable):
        return entries
    lines: dict[tuple[str, str, str], int] = {}
    labels: dict[str, int] = {}
    named = [(e.offer if isinstance(e, Purchase) else e.lot, e.material, e.place) for e in entries]
    counts, unit = as_multiples([entry.quantity for entry in entries], unit)
    return PurchaseTable(
        line=_ints([lines.setdefault(name, len(lines)) for name in named]),
        compliance_class=_ints([labels.setdefault(entry.compliance_class, len(labels)) for entry in entries]),
        lines=tuple(lines),
        labels=tuple(labels),
        ordered=_ints([e.ordered if isinstance(e, Purchase) else e.period for e in entries]),
        delivered=_ints([e.delivered if isinstance(e, Purchase) else e.period for e in entries]),
        unit=unit,
        counts=counts,
        licenses={i: entry.licenses for i, entry in enumerate(entries) if entry.licenses},
    )


def _counts_in_unit(table: PurchaseTable, unit: Decimal) -> Integers:
    times = int(table.unit / unit)
    return integer_array([count * times for count in table.counts.tolist()])


@dataclass(frozen=True, slots=True, eq=False)
class PurchaseColumns:
    """Parallel arrays with one entry per purchase or used stock lot."""

    unit: Decimal
    counts: Integers
    """Kilograms, in units of `unit`."""
    arc: Ints
    offer: Ints
    """-1 for a stock lot."""
    lot: Ints
    """-1 for a purchase."""
    ordered: Ints
    """Period of the order. For a stock lot, the period from which it is available."""
    delivered: Ints
    compliance_class: Ints
    """Position in `labels`."""
    labels: Sequence[str]
    single: NDArray[np.bool_]
    """True if a unit of the offer is one kilogram."""
    roundings: Ints
    """Maximum rounding error in half steps of the resolution: 2 if part of a lot, else 1."""

    licenses: Mapping[int, tuple[str, ...]]
    """Licenses by entry, for entries with any."""

    @staticmethod
    def of(problem: Problem, *tables: tuple[PurchaseTable, Ints]) -> PurchaseColumns:
        unit = min(table.unit for table, _ in tables)
        scaled = [table.counts if table.unit == unit else _counts_in_unit(table, unit) for table, _ in tables]
        network, offers = problem.network.arcs, problem.offers
        arc = joined([arcs for _, arcs in tables])
        offer, lot = _ints([a.offer for a in network])[arc], _ints([a.lot for a in network])[arc]
        single = np.array([*(facts.has_one_output for facts in offers), False], dtype=bool)[offer]
        sold_in_lots = np.array([*(facts.offer.lot is not None for facts in offers), False], dtype=bool)[offer]
        codes: dict[str, int] = {}
        for table, _ in tables:
            for label in table.labels:
                codes.setdefault(label, len(codes))
        first = np.cumsum([0, *(len(table) for table, _ in tables)]).tolist()
        return PurchaseColumns(
            unit=unit,
            counts=np.concatenate(scaled),
            arc=arc,
            offer=offer,
            lot=lot,
            ordered=joined([table.ordered for table, _ in tables]),
            delivered=joined([table.delivered for table, _ in tables]),
            compliance_class=joined(
                [_ints([codes[label] for label in t.labels])[t.compliance_class] for t, _ in tables]
            ),
            labels=tuple(codes),
            single=single,
            roundings=np.where(single & sold_in_lots, 2, 1),
            licenses={
                start + i: names
                for start, (table, _) in zip(first, tables, strict=False)
                for i, names in table.licenses.items()
            },
        )

    def kilograms(self, counts: Integers) -> list[Decimal]:
        return list(map(mul, map(Decimal, counts.tolist()), repeat(self.unit)))

    def as_doubles(self, counts: Integers) -> Floats:
        """Return sums of counts as doubles, exact up to one or two roundings."""
        doubles: Floats = counts.astype(np.float64) * float(self.unit)
        return doubles


@dataclass(frozen=True, slots=True, eq=False)
class Orders:
    """Units ordered by offer and period, and the number of rounded values in each sum."""

    unit: Decimal
    counts: Integers
    """In units of `unit`."""
    roundings: Ints

    @staticmethod
    def of(
        columns: PurchaseColumns, runs: Sequence[tuple[int, int, Decimal, int]], offers: int, periods: int
    ) -> Orders:
        """Return the orders of offers with one output, and the runs of the others (offer, period, units, roundings)."""
        single = columns.single
        counts, unit = columns.counts[single], columns.unit
        if runs:
            of_runs, finer = as_multiples([units for _, _, units, _ in runs], unit)
            times = int(unit / finer)
            counts = integer_array([*(count * times for count in counts.tolist()), *of_runs.tolist()])
            unit = finer
        offer = np.concatenate([columns.offer[single], _ints(offer for offer, _, _, _ in runs)])
        period = np.concatenate([columns.ordered[single], _ints(t for _, t, _, _ in runs)])
        roundings = np.concatenate([columns.roundings[single], _ints(roundings for _, _, _, roundings in runs)])
        cells, size = offer * periods + period, offers * periods
        return Orders(
            unit=unit,
            counts=added_up(counts, cells, size).reshape(offers, periods),
            roundings=added_up(roundings, cells, size).reshape(offers, periods),
        )

    def decimals(self, offer: Ints, period: Ints) -> list[Decimal]:
        return list(map(mul, map(Decimal, self.counts[offer, period].tolist()), repeat(self.unit)))


def _ints(numbers: Iterable[int]) -> Ints:
    return np.array(list(numbers), dtype=np.intp)


def joined(columns: Sequence[Ints]) -> Ints:
    return np.concatenate([np.empty(0, dtype=np.intp), *columns])


class _Matcher:
    """Search for the facts that the entries of a plan name. Entries without a match or with an impossible quantity are findings."""

    def __init__(self, problem: Problem, report: Callable[..., None]) -> None:
        self.problem = problem
        self.report = report
        self.offers = {facts.offer.id: i for i, facts in enumerate(problem.offers)}
        self.demands: dict[str, int] = {demand.id: i for i, demand in enumerate(problem.demands)}
        self.lots = {lot.id: lot for lot in problem.lots}
        self.arcs = {(arc.lot >= 0, arc.name, *arc.node): arc for arc in problem.network.arcs}
        """Arcs by offer or lot, and destination."""

    def columns(self, plan: Plan) -> PurchaseColumns:
        step = self.problem.case.resolution
        table = in_columns(plan.purchases, step)
        matches = [self.arcs.get((False, *line)) for line in table.lines]
        arcs = _ints(-1 if arc is None else arc.index for arc in matches)[table.line]
        if not self._all_match(table, arcs):
            matches_of_entries = [
                (entry, arc) for entry in plan.purchases if (arc := self._arc_of_purchase(entry)) is not None
            ]
            table = in_columns([entry for entry, _ in matches_of_entries], step)
            arcs = _ints(arc for _, arc in matches_of_entries)
        lots = [(lot, arc) for lot in plan.lots if (arc := self._arc_of_lot(lot)) is not None]
        of_lots = in_columns([lot for lot, _ in lots], step), _ints(arc for _, arc in lots)
        return PurchaseColumns.of(self.problem, (table, arcs), of_lots)

    def _all_match(self, table: PurchaseTable, arcs: Ints) -> bool:
        if (arcs < 0).any():
            return False
        columns = PurchaseColumns.of(self.problem, (table, arcs))
        if not (columns.counts > 0).all() or not _in_steps(columns, self.problem):
            return False
        if columns.ordered.min(initial=0) < 0 or columns.ordered.max(initial=0) >= self.problem.case.horizon.count:
            return False
        move = self.problem.moves.slots[columns.arc, columns.ordered]
        return not (move < 0).any() and bool((self.problem.moves.delivered[move] == columns.delivered).all())

    def _arc_of_purchase(self, purchase: Purchase) -> int | None:
        if purchase.offer not in self.offers:
            self._unknown("offer", purchase.offer)
            return None
        arc = self.arcs.get((False, purchase.offer, purchase.material, purchase.place))
        if arc is None:
            message = f"offer `{purchase.offer}` can't deliver {purchase.material} to {purchase.place}"
            self.report("FS624", message)
            return None
        item, horizon = _entry_text(purchase), self.problem.case.horizon
        if not 0 <= purchase.ordered <= purchase.delivered < horizon.count:
            self.report("FS624", f"{item} is outside the periods of the plan")
            return None
        arrival = arc.arrival(purchase.ordered)
        if purchase.delivered != arrival:
            self.report(
                "FS624",
                f"{item} arrives in {horizon.label(purchase.delivered)}",
                expected=f"{horizon.label(arrival)}, {arc.lags[purchase.ordered]} periods after the order",
            )
        if self.problem.offers[arc.offer].max_units[purchase.ordered] == 0:
            self.report("FS624", f"{item} is ordered in a period in which it isn't offered")
        return arc.index if self._has_valid_quantity(purchase, arc.offer) else None

    def _arc_of_lot(self, lot: LotUse) -> int | None:
        facts = self.lots.get(lot.lot)
        if facts is None:
            self._unknown("lot", lot.lot)
            return None
        if (lot.material, lot.place, lot.period) != (facts.material, facts.place.id, facts.period):
            expected = f"{facts.material} at {facts.place.id}"
            self.report("FS624", f"{_entry_text(lot)} differs from the stock or order of the case", expected=expected)
            return None
        return self.arcs[True, lot.lot, lot.material, lot.place].index if self._has_valid_quantity(lot, -1) else None

    def of_offers(self, entries: Iterable[OfOffer]) -> list[tuple[OfOffer, int]]:
        return self._with_positions("offer", ((entry, entry.offer) for entry in entries), self.offers)

    def of_demands(self, entries: Iterable[Delivery]) -> list[tuple[Delivery, int]]:
        return self._with_positions("demand", ((entry, entry.demand) for entry in entries), self.demands)

    def _with_positions(
        self, noun: str, named: Iterable[tuple[Entry, str]], positions: Mapping[str, int]
    ) -> list[tuple[Entry, int]]:
        matched = []
        for entry, name in named:
            if name in positions:
                matched.append((entry, positions[name]))
            else:
                self._unknown(noun, name)
        return matched

    def _unknown(self, noun: str, name: str) -> None:
        self.report("FS624", f"{noun} `{name}` does not count in this case: it is unknown, or only a lead")

    def _has_valid_quantity(self, entry: Purchase | LotUse, offer: int) -> bool:
        resolution = self.problem.case.resolution
        # As fractions: the remainder of decimals has no more digits than their context.
        off_step = Fraction(entry.quantity) % Fraction(resolution) and not in_lots(self.problem, offer)
        if entry.quantity > 0 and not off_step:
            return True
        self.report(
            "FS624",
            f"{_entry_text(entry)} has a quantity of {entry.quantity} kg",
            expected=f"a positive multiple of {resolution} kg",
        )
        return False


def _entry_text(entry: Purchase | LotUse) -> str:
    name, period = (entry.offer, entry.ordered) if isinstance(entry, Purchase) else (entry.lot, entry.period)
    return f"{name} to {entry.place} ({entry.material}, {entry.compliance_class}, period {period})"


def _in_steps(columns: PurchaseColumns, problem: Problem) -> bool:
    step = problem.case.resolution / columns.unit
    whole_steps = columns.counts[columns.roundings == 1]
    return step == int(step) and not np.any(whole_steps % int(step))


_NOUNS_OF_DATED = {
    "makes": "a run of",
    "transfers": "a transfer of",
    "stocks": "a stock of",
    "deliveries": "a delivery to",
    "shorts": "a shortage of",
}
"""Fields of a plan whose entries have one period -> words for messages."""


def _within_time(problem: Problem, plan: Plan, report: Callable[..., None]) -> Plan:
    count = problem.case.horizon.count
    entries_in_time: dict[str, tuple[Record, ...]] = {}
    for name, noun in _NOUNS_OF_DATED.items():
        entries = getattr(plan, name)
        outside = [entry for entry in entries if not 0 <= entry.period < count]
        if outside:
            entries_in_time[name] = tuple(entry for entry in entries if 0 <= entry.period < count)
        for entry in outside:
            about = getattr(entry, "offer", "") or getattr(entry, "demand", "") or entry.material
            message = f"{noun} `{about}` is outside the periods of the plan"
            report("FS624", message, found=f"period {entry.period}")
    return plan.but(**entries_in_time)


SLACK = Decimal("1e-9")
"""Relative difference of 15-digit numbers that is still equal."""

EPSILON = 2.0**-52
"""Relative error bound of an operation on doubles."""


@dataclass(eq=False)
class PlanEntries:
    """Entries of a plan, matched with the facts that they name."""

    problem: Problem
    plan: Plan
    columns: PurchaseColumns
    """Purchases and used stock lots as integer columns."""
    makes: list[tuple[Make, int]]
    """With the positions of their offers."""
    transfers: list[tuple[Transfer, int]]
    """With the positions of their offers."""
    deliveries: list[tuple[Delivery, int]]
    """With the positions of their demands."""
    findings: list[Diagnostic]
    unplanned: frozenset[str]
    """Materials of components with conflicting rules."""
    largest_miss: Decimal = Decimal(0)
    """Largest violation of a row through rounding, in kilograms."""

    @staticmethod
    def of(problem: Problem, plan: Plan) -> PlanEntries:
        findings: list[Diagnostic] = []

        def report(code: str, message: str, *, found: str = "", expected: str = "") -> None:
            findings.append(Diagnostic(message, found=found, expected=expected, code=code))

        plan = _within_time(problem, plan, report)
        matcher = _Matcher(problem, report)
        return PlanEntries(
            problem=problem,
            plan=plan,
            columns=matcher.columns(plan),
            makes=matcher.of_offers(plan.makes),
            transfers=matcher.of_offers(plan.transfers),
            deliveries=matcher.of_demands(plan.deliveries),
            findings=findings,
            unplanned=frozenset(m for part in plan.infeasible for m in part.materials),
        )

    @property
    def answers(self) -> Answers | None:
        """Answers of rules, shared by the verifications of a session. None if they aren't kept."""
        caches = self.problem.shared
        return caches.verified if caches is not None else None

    @cached_property
    def bought(self) -> list[Bought]:
        arcs, columns = self.problem.network.arcs, self.columns
        parts = (columns.arc, columns.compliance_class, columns.ordered, columns.delivered)
        rows = zip(*(part.tolist() for part in parts), columns.kilograms(columns.counts), strict=True)
        return [
            Bought(
                arc=arcs[arc],
                compliance_class=columns.labels[label],
                ordered=ordered,
                delivered=delivered,
                quantity=quantity,
                licenses=columns.licenses.get(position, ()),
            )
            for position, (arc, label, ordered, delivered, quantity) in enumerate(rows)
        ]

    @property
    def licensed(self) -> list[Bought]:
        return [self.bought[position] for position in self.columns.licenses]

    def report(self, code: str, message: str, *, found: str = "", expected: str = "") -> None:
        self.findings.append(Diagnostic(message, found=found, expected=expected, code=code))

    def report_excess(self, code: str, excess: Decimal, roundings: Decimal | int, message: str) -> None:
        """Record a violation by `excess` kilograms, as a finding if it is larger than `roundings` explain. 0 or less is none."""
        if excess <= 0:
            return
        if excess > self.problem.case.resolution / 2 * roundings + SLACK:
            self.report(code, message, found=f"a violation by {excess.normalize():f} kg")
        else:
            self.largest_miss = max(self.largest_miss, excess)

    def report_excesses(
        self,
        code: str,
        excess: Floats,
        error: Floats,
        roundings: Floats,
        excess_of: Callable[[int], tuple[Decimal, Decimal | int, str]],
    ) -> None:
        """Record violations of many rows, given as doubles. `excess_of` returns exact arguments of `report_excess` for rows that may matter."""
        allowed = (float(self.problem.case.resolution) / 2 * roundings + float(SLACK)) * (1 - 1e-9)
        may_matter = excess + error > allowed
        min_largest = float(np.max(excess - error, initial=0.0, where=~may_matter))
        for position in np.flatnonzero(may_matter | ((excess + error > 0) & (excess + error >= min_largest))).tolist():
            self.report_excess(code, *excess_of(position))

    def carried(self, node: Node, stock: Decimal, period: int) -> tuple[Decimal, int]:
        """Return the stock carried over from the period before, and the number of additional roundings, since losses are rounded."""
        retained_share = self.problem.stores[node].kept[period] if node in self.problem.stores else Decimal(1)
        if retained_share == 1:
            return stock, 0
        return (stock * retained_share / self.problem.case.resolution).to_integral_value(
            ROUND_HALF_EVEN
        ) * self.problem.case.resolution, 1

    @cached_property
    def unused_lots(self) -> list[tuple[Lot, int, Decimal, int]]:
        """Unused rest of each lot at the end of each period, and the number of rounded values behind it."""
        unused_by_period, (used, roundings_by_lot) = list[tuple[Lot, int, Decimal, int]](), self.set_aside()
        for number, lot in enumerate(self.problem.lots):
            remainder, roundings = max(lot.quantity - used[number], Decimal(0)), roundings_by_lot[number]
            unused_by_period.append((lot, lot.period, remainder, roundings))
            for period in range(lot.period + 1, self.problem.case.horizon.count):
                remainder, extra_roundings = self.carried((lot.material, lot.place.id), remainder, period)
                roundings += extra_roundings
                unused_by_period.append((lot, period, remainder, roundings))
        return unused_by_period

    def set_aside(self) -> tuple[list[Decimal], list[int]]:
        columns, lots = self.columns, len(self.problem.lots)
        is_lot = columns.lot >= 0
        used = added_up(columns.counts[is_lot], columns.lot[is_lot], lots)
        return columns.kilograms(used), np.bincount(columns.lot[is_lot], minlength=lots).tolist()

    def total_roundings(self, offer: int, period: int) -> int:
        return int(self.orders.roundings[offer, period])

    def half_steps(self, offer: int) -> int:
        """Return the maximum rounding error of an order in half steps of the resolution."""
        return 2 if self.problem.offers[offer].offer.lot is not None else 1

    def in_lots(self, item: Bought) -> bool:
        return in_lots(self.problem, item.arc.offer)

    def ordered(self) -> Iterator[tuple[int, int, str | None, Decimal, int]]:
        """Yield offer, period, place, units, and half steps of every order. Runs of several outputs have no place."""
        for item in self.bought:
            offer = item.arc.offer
            if offer >= 0 and self.problem.offers[offer].has_one_output:
                yield offer, item.ordered, item.place, item.quantity, self.half_steps(offer)
        for make, offer in self.makes:
            yield offer, make.period, None, make.units, self.half_steps(offer)

    @cached_property
    def orders(self) -> Orders:
        runs = [(offer, make.period, make.units, self.half_steps(offer)) for make, offer in self.makes]
        return Orders.of(self.columns, runs, len(self.problem.offers), self.problem.case.horizon.count)

    def units(self) -> dict[tuple[int, int], Decimal]:
        offer, t = np.nonzero(self.orders.roundings)
        units = self.orders.decimals(offer, t)
        return dict(zip(zip(offer.tolist(), t.tolist(), strict=True), units, strict=True))

    def draws(self) -> Iterable[tuple[Node, str, int, Decimal, int]]:
        """Yield node, compliance class, period, kilograms, and offer of every input draw."""
        fed = np.zeros(len(self.problem.offers) + 1, dtype=bool)
        fed[[i for i, facts in enumerate(self.problem.offers) if facts.has_one_output and facts.offer.inputs]] = True
        for position in np.flatnonzero(fed[self.columns.offer]).tolist():
            item = self.bought[position]
            yield from self._draws_of(item.arc.offer, item.compliance_class, item.ordered, item.quantity)
        for make, offer in self.makes:
            yield from self._draws_of(offer, make.compliance_class, make.period, make.units)

    def _draws_of(
        self, offer: int, compliance_class: str, period: int, units: Decimal
    ) -> Iterable[tuple[Node, str, int, Decimal, int]]:
        facts = self.problem.offers[offer]
        for recipe_line in facts.offer.inputs:
            yield (recipe_line.material, facts.place), compliance_class, period, recipe_line.per_unit * units, offer
