"""Limits and ranked objectives of a finished plan, in decimals."""

# Program and verifier would both miss a row that is left out. For caps on shares, the most frequent limits in law, `check_caps` therefore
# derives the purchases that must count: every purchase from a named party in a period with the rule in force.

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from decimal import Decimal
from functools import cached_property, partial
from itertools import zip_longest
from typing import assert_never, overload

import numpy as np

from ..domain.base import exact, grouped, totals
from ..domain.case import Minimize
from ..domain.plan import Cost
from ..domain.runtime import cached_method
from ..plugins import attributed
from ..plugins.interface import is_own
from ..problem import Problem
from ..problem.decimal_arrays import Floats, Integers, added_up, as_floats
from ..problem.network import Arc
from ..problem.parts import materials_of
from ..problem.problem import Objective
from ..problem.rule_facts import query_limit_rules
from ..rules import terms
from ..rules.answers import InvalidResult
from ..rules.base import Facts, Rule
from ..rules.kinds.limits import Budget, MaxShare
from ..rules.rows import Row, Rows, single_rows
from ..rules.terms import BoughtTerm, ForUses, Term
from .amounts import Amounts
from .compliance import ends_of
from .money import Costing
from .plan_entries import EPSILON, Ints, PlanEntries

ValueAndError = tuple[Decimal, Decimal]
"""A number and its rounding error."""
Cell = tuple[int, int]
"""Position of a demand, node, or offer, and of a period."""
ZERO, ONE = Decimal(0), Decimal(1)


@dataclass(frozen=True, slots=True, eq=False)
class MoveTotals:
    """Sums of the purchases of every move."""

    counts: Integers
    """Kilograms in units of the plan's tables."""
    parts: Ints
    """Maximum rounding error in half steps of the resolution."""
    doubles: Floats
    """Kilograms as doubles."""


class TermValues:
    """Values of terms on a finished plan."""

    def __init__(self, ledger: PlanEntries, amounts: Amounts, costing: Costing) -> None:
        self.problem = ledger.problem
        self.ledger, self.amounts, self.costing = ledger, amounts, costing
        self.resolution = self.problem.case.resolution
        self.unit = ledger.columns.unit
        self.placed_spans = {placed.position for placed in costing.placed}
        self.untaken = {untaken.position: untaken for untaken in costing.untaken}
        self.settlement_by_span = {settlement.position: settlement for settlement in costing.settlements}
        self._nodes = {node: i for i, node in enumerate(self.problem.network.nodes)}

    def counts(self, label: str, for_uses: terms.ForUses | None) -> bool:
        compliance_class = self.problem.class_of.get(label)
        return for_uses is None or for_uses.takes(
            *((compliance_class.ends, compliance_class.free_of) if compliance_class else (frozenset(), frozenset()))
        )

    @cached_method
    def bought(self, for_uses: terms.ForUses | None = None) -> MoveTotals:
        columns, moves = self.ledger.columns, self.problem.moves
        move = moves.slots[columns.arc, columns.ordered].astype(np.intp)
        counted_labels = np.array([self.counts(label, for_uses) for label in columns.labels], dtype=bool)
        counted = (move >= 0) & counted_labels[columns.compliance_class]
        counts = added_up(columns.counts[counted], move[counted], len(moves))
        parts: Ints = added_up(columns.roundings[counted], move[counted], len(moves))
        return MoveTotals(counts, parts, columns.as_doubles(counts))

    @cached_method
    def spent(self, for_uses: terms.ForUses | None) -> dict[int, Decimal]:
        spent: defaultdict[int, Decimal] = defaultdict(Decimal)
        for line in self.costing.lines:
            move = self.problem.moves.at(line.arc.index, line.ordered)
            if move is not None and self.counts(line.compliance_class, for_uses):
                spent[move] += line.direct + line.charges + line.freight
        return spent

    def production_costs(self, for_uses: terms.ForUses | None) -> dict[Cell, Decimal]:
        spent: defaultdict[Cell, Decimal] = defaultdict(Decimal)
        for make, offer in self.ledger.makes:
            if self.counts(make.compliance_class, for_uses):
                spent[offer, make.period] += self.problem.offers[offer].price[make.period] * make.units
        return spent

    @cached_property
    def delivered(self) -> dict[Cell, Decimal]:
        return totals(((demand, delivery.period), delivery.quantity) for delivery, demand in self.ledger.deliveries)

    @cached_property
    def short(self) -> dict[Cell, Decimal]:
        demands = {demand.id: i for i, demand in enumerate(self.problem.demands)}
        shorts = (short for short in self.ledger.plan.shorts if short.demand in demands)
        return totals(((demands[short.demand], short.period), short.quantity) for short in shorts)

    @cached_property
    def stock(self) -> dict[Cell, ValueAndError]:
        """Kilograms in stock by node and period, and the number of rounded values behind them."""
        nodes, amounts = self._nodes, self.amounts
        return {
            (nodes[node], t): (kilograms, amounts.stock_roundings.get((node, t), ONE))
            for (node, t), kilograms in amounts.stock.items()
            if node in nodes
        }

    @cached_property
    def reserved(self) -> dict[tuple[int, int, int], ValueAndError]:
        """Kilograms in stock by compliance class, node, and period, and the number of rounded values behind them."""
        classes = self.problem.class_of
        return {
            (classes[label].index, self._nodes[node], t): stock
            for ((node, label), t), stock in self.amounts.reserved.items()
            if node in self._nodes and label in classes
        }

    @cached_property
    def used(self) -> frozenset[int]:
        return frozenset(np.flatnonzero((self.ledger.orders.counts > 0).any(axis=1)).tolist())

    def value(self, term: Term) -> ValueAndError:
        value, slack = self._unscaled_value(term)
        times = Decimal(repr(term.times))
        return times * value, abs(times) * slack

    def _unscaled_value(self, term: Term) -> ValueAndError:  # noqa: C901 - a case for each term
        match term:
            case terms.BoughtTerm():
                return self._bought_in(term.moves, term.weight, self.bought(term.for_uses))
            case terms.UsedTerm():
                return Decimal(self._used(term)), ZERO
            case terms.SpentTerm():
                is_spent = np.isin(term.moves, list(self.spent(term.for_uses)))
                return self._summed(term.weight[is_spent], partial(self._spent, term.for_uses), term.moves[is_spent])
            case terms.DeliveredTerm():
                return self._summed(term.weight, self._delivered, term.demands, term.periods)
            case terms.ShortTerm():
                return self._summed(term.weight, self._short, term.demands, term.periods)
            case terms.StockTerm():
                return self._summed(term.weight, partial(self._stock, term.for_uses), term.nodes, term.periods)
            case terms.HoldingTerm():
                return self._summed(term.weight, partial(self._holding, term.for_uses), term.nodes, term.periods)
            case terms.ReservedTerm():
                return self._summed(term.weight, self._reserved, term.classes, term.nodes, term.periods)
            case terms.MakingTerm():
                value_of = partial(self._making, self.production_costs(term.for_uses))
                return self._summed(term.weight, value_of, term.offers, term.periods)
            case terms.OnboardingTerm():
                return self._summed(term.weight, self._onboarding, term.offers)
            case terms.DiscountsTerm():
                return self._summed(term.weight, self._discounts, term.price_spans)
            case terms.FixedTerm():
                return self._summed(term.weight, self._fixed, term.term_spans)
            case terms.UntakenTerm():
                return self._summed(term.weight, self._untaken, term.commitments)
            case terms.ShortfallTerm():
                return self._lacking(term)
            case _:
                assert_never(term)

    def _summed(self, weights: Floats, read: Callable[..., ValueAndError], *positions: Ints) -> ValueAndError:
        total = half_steps = ZERO
        for *at, weight in zip(
            *(positions_of_axis.tolist() for positions_of_axis in positions), weights.tolist(), strict=True
        ):
            value, error = read(*at)
            if value or error:
                factor = Decimal(repr(weight))
                total += factor * value
                half_steps += abs(factor) * error
        return total, half_steps * self.resolution / 2

    def _bought_in(self, moves: Ints, weights: Floats, bought: MoveTotals) -> ValueAndError:
        is_bought = bought.counts[moves] != 0
        return self._summed(weights[is_bought], partial(self._bought_of, bought), moves[is_bought])

    def _lacking(self, term: terms.ShortfallTerm) -> ValueAndError:
        most = slack = ZERO
        for base, part in term.parts:
            amount, moved = self.value(part)
            most, slack = max(most, base - amount), max(slack, moved)
        return most, slack

    def _used(self, term: terms.UsedTerm) -> int:
        bought = self.bought(term.for_uses)
        total, _ = self._bought_in(term.moves, term.weight, bought)
        threshold = Decimal(repr(term.at_least)) if term.at_least else self.resolution
        # A share of a demand need not be a multiple of the resolution: rounding may leave the sum half a step short.
        parts = int(np.maximum(bought.parts[term.moves], 1).sum())
        slack = self.resolution / 2 * parts if term.at_least else ZERO
        return int(total >= threshold - slack)

    # Each method returns the value at one entry of a term, and its rounding error in half steps of the resolution. An entry without a value has
    # none, except for stock, which is a difference of rounded numbers.

    def _bought_of(self, bought: MoveTotals, move: int) -> ValueAndError:
        count = int(bought.counts[move])
        return (Decimal(count) * self.unit, Decimal(int(bought.parts[move]))) if count else (ZERO, ZERO)

    def _spent(self, for_uses: terms.ForUses | None, move: int) -> ValueAndError:
        spent, parts = self.spent(for_uses).get(move, ZERO), int(self.bought(for_uses).parts[move])
        return spent, abs(self.problem.moves.money(move)) * parts if spent else ZERO

    def _delivered(self, demand: int, t: int) -> ValueAndError:
        delivered = self.delivered.get((demand, t), ZERO)
        return delivered, ONE if delivered else ZERO

    def _short(self, demand: int, t: int) -> ValueAndError:
        short = self.short.get((demand, t), ZERO)
        return short, ONE if short else ZERO

    def _stock(self, for_uses: terms.ForUses | None, node: int, t: int) -> ValueAndError:
        if for_uses is None:
            return self.stock.get((node, t), (ZERO, ONE))
        reserves = [
            self.reserved[r.index, node, t]
            for r in self.problem.compliance_classes
            if self.counts(r.label, for_uses) and (r.index, node, t) in self.reserved
        ]
        return sum((kilograms for kilograms, _ in reserves), ZERO), sum((roundings for _, roundings in reserves), ONE)

    def _holding(self, for_uses: terms.ForUses | None, node: int, t: int) -> ValueAndError:
        years = self.problem.case.horizon.periods[t].years
        rate = self.problem.stores[self.problem.network.nodes[node]].holding[t] * years.numerator / years.denominator
        kilograms, roundings = self._stock(for_uses, node, t)
        return kilograms * rate, rate * roundings

    def _reserved(self, compliance_class: int, node: int, t: int) -> ValueAndError:
        return self.reserved.get((compliance_class, node, t), (ZERO, ONE))

    def _making(self, spent: Mapping[Cell, Decimal], offer: int, t: int) -> ValueAndError:
        money = spent.get((offer, t), ZERO)
        return money, abs(self.problem.offers[offer].price[t]) if money else ZERO

    def _onboarding(self, offer: int) -> ValueAndError:
        return self.problem.offers[offer].onboarding if offer in self.used else ZERO, ZERO

    def _discounts(self, span: int) -> ValueAndError:
        if span not in self.settlement_by_span:
            return ZERO, ZERO
        settlement = self.settlement_by_span[span]
        return -settlement.discount, settlement.rate * settlement.roundings if settlement.discount else ZERO

    def _fixed(self, span: int) -> ValueAndError:
        return self.problem.term_spans[span].fixed if span in self.placed_spans else ZERO, ZERO

    def _untaken(self, commitment: int) -> ValueAndError:
        if commitment not in self.untaken:
            return ZERO, ZERO
        untaken = self.untaken[commitment]
        return untaken.due, untaken.commitment.rate * untaken.roundings if untaken.due else ZERO


def limit_rows(problem: Problem) -> list[tuple[Rule, Row | Rows]]:
    """Return every row of every limit rule, in the order of the problem's rules. Rules of plugins are asked again."""
    plugin_rules = [rule for rule in problem.rules if "rows" in rule.verbs and not is_own(type(rule))]
    if not plugin_rules:
        return problem.limit_rows
    first = grouped((id(rule), row) for rule, row in problem.limit_rows)
    second = grouped(
        (id(rule), row)
        for rule, row in query_limit_rules(plugin_rules, problem.case.horizon.periods, problem.law, problem.facts)
    )
    for rule in plugin_rules:
        with attributed(rule):
            _reject_difference(first.get(id(rule), ()), second.get(id(rule), ()))
    rows_by_rule = {**first, **second}
    return [(rule, row) for rule in problem.rules for row in rows_by_rule.get(id(rule), ())]


def _reject_difference(first: Sequence[Row | Rows], second: Sequence[Row | Rows]) -> None:
    for before, after in zip_longest(first, second):
        if contents(before) != contents(after):
            raise InvalidResult(
                f"`rows` gave two different answers: first {_row_text(before)}, then {_row_text(after)}. "
                "A rule must depend only on its arguments"
            )


def contents(value: object) -> object:
    if is_dataclass(value):
        return type(value), *(contents(getattr(value, field.name)) for field in fields(value))
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.tobytes()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(map(contents, value))
    return value


def _row_text(rows: Row | Rows | None) -> str:
    if rows is None or (isinstance(rows, Rows) and not len(rows)):
        return "no further row"
    row, named = (rows, "row `{}`") if isinstance(rows, Row) else (rows[0], "rows `{}` and on")
    ends = (("at least", row.at_least), ("at most", row.at_most))
    bounds = [f"{words} {end.normalize():f}" for words, end in ends if end is not None]
    return f"{named.format(row.label)} with {' and '.join(bounds) or 'no bound'}"


def check_share_caps(ledger: PlanEntries) -> None:
    problem, columns = ledger.problem, ledger.columns
    # Shares of use also count stock from before the plan, whichever supplier it came from, so only shares of purchases can be derived here.
    caps = [r for r in problem.rules if isinstance(r, MaxShare) and r.share < 1 and r.counts == "bought"]
    moves = problem.moves.slots[columns.arc, columns.ordered] if caps else np.array([], dtype=np.intp)
    for rule in caps:
        periods = problem.case.horizon.periods
        in_force = np.array([rule.applies(period.span, problem.law.statuses) for period in periods], dtype=bool)
        demanded = {rule.group(demand.use.material) for demand in problem.demands if rule.is_here(demand)}
        is_named = np.array([_is_named(rule, arc, demanded, problem.facts) for arc in problem.network.arcs], dtype=bool)
        uses = ForUses(rule.end_uses, surely=False) if rule.end_uses else None
        class_counts = [uses is None or uses.takes(ends_of(problem, label)) for label in columns.labels]
        day = columns.ordered if rule.dated_by == "order" else columns.delivered
        must_count = (
            is_named[columns.arc] & in_force[day] & np.array(class_counts, dtype=bool)[columns.compliance_class]
        )
        rows = [row for of, row in problem.limit_rows if of is rule]
        counted = np.concatenate([np.array([], dtype=np.intp), *map(np.asarray, _counted_moves(rows))])
        for position in np.flatnonzero(must_count & ~np.isin(moves, counted)).tolist():
            ledger.report("FS631", f"no row of rule `{rule.id}` counts {ledger.bought[position]}, which it names")


def _is_named(rule: MaxShare, arc: Arc, demanded: Collection[str], facts: Facts) -> bool:
    offer, place = arc.chained, arc.move.to
    group = rule.group(offer.material) if arc.offer >= 0 else ""
    if not group or not (rule.selects or group in demanded) or not rule.is_at(place):
        return False
    if not (rule.takes_part(offer) and rule.selected(offer) and rule.ends_here(facts, offer, place, surely=False)):
        return False
    names, complete = rule.possible_entities(offer)
    return not complete or bool(rule.about(sorted(names)))


def _counted_moves(limit_rows: list[Row | Rows]) -> Iterator[Ints]:
    for row in limit_rows:
        if isinstance(row, Rows):
            yield row.bought.moves[row.bought.weight != 0]
        else:
            yield from (term.moves[term.weight != 0] for term in row.terms if isinstance(term, BoughtTerm))


TOLERANCE = Decimal("1e-6")
"""Tolerance of the solver, relative to the value of a level, or to 1 if that is larger."""


@dataclass(frozen=True, slots=True)
class LevelReading:
    """A level and its value in the plan."""

    objective: Objective
    value: Decimal
    """Exact value in the plan."""
    least: Decimal
    """Value when the level was optimized."""
    bound: Decimal
    """Lower bound on this level among plans that keep the earlier levels."""
    most: Decimal
    """Maximum value that later levels may leave."""


def value_and_rounding(
    objective: Objective, ledger: PlanEntries, values: TermValues, cost: Cost
) -> tuple[Decimal, Decimal]:
    """Return the value of a level on a plan, and the maximum effect of rounding kilograms. The latter is 0 for levels in money."""
    problem, minimize = ledger.problem, objective.level.minimize
    match minimize:
        case Minimize.COST:
            return cost.objective, Decimal(0)
        case Minimize.SPEND:
            return cost.total, Decimal(0)
        case Minimize.SHORTAGE:
            price = {problem.demands[i].id: problem.shortage_price[i] for i in objective.demands}
            short = (s for s in ledger.plan.shorts if s.demand in price)
            money = sum((problem.discount[s.period] * price[s.demand] * s.quantity for s in short), Decimal(0))
            return exact(money), Decimal(0)
        case Minimize.CONCENTRATION:
            values_of_rows = [values.value(row.terms[0]) for row in objective.rows]
            return exact(sum((v for v, _ in values_of_rows), Decimal(0))), sum(
                (error for _, error in values_of_rows), Decimal(0)
            )
        case _:
            assert_never(minimize)


def read_levels(ledger: PlanEntries, values: TermValues, cost: Cost, rounding: Decimal) -> list[LevelReading]:
    """Return every level with its value. Differences from the plan's statement beyond `rounding` (for levels in money) are findings."""
    ranked, stated = ledger.problem.objectives, ledger.plan.levels
    if len(ranked) != len(stated):
        ledger.report(
            "FS634",
            f"the plan states {len(stated)} ranked objectives",
            expected=f"{len(ranked)}, as in the case, with cost last",
        )
        return []
    readings = []
    for rank, (objective, level) in enumerate(zip(ranked, stated, strict=True), 1):
        value, moved = value_and_rounding(objective, ledger, values, cost)
        reading = LevelReading(objective, value, level.best_value, level.bound, level.max_value)
        readings.append(reading)
        if not ledger.plan.infeasible:  # the solver has no level for materials that conflicting rules leave unplanned
            allowed = (rounding if objective.in_money else moved) + TOLERANCE * max(abs(value), Decimal(1))
            _check_level(ledger, reading, rank, allowed)
    return readings


def _check_level(ledger: PlanEntries, reading: LevelReading, rank: int, allowed: Decimal) -> None:
    level_name, level = f"level {rank} ({reading.objective.sentence})", reading.objective.level
    if reading.value > reading.most + allowed:
        ledger.report(
            "FS634", f"{level_name} is exceeded", found=f"{reading.value}", expected=f"at most {reading.most}"
        )
    if reading.bound > reading.value + allowed:
        ledger.report(
            "FS634",
            f"the bound of {level_name} is above the plan's value",
            found=f"{reading.bound}",
            expected=f"at most {reading.value}",
        )
    allowed_increase = reading.most - reading.least
    never_below = level.minimize in (Minimize.SHORTAGE, Minimize.CONCENTRATION)
    if allowed_increase < -allowed or (
        allowed_increase > level.within * abs(reading.least) + allowed and (never_below or not level.within)
    ):
        ledger.report(
            "FS634",
            f"{level_name} may increase by another share than the case states",
            found=f"{reading.least} to {reading.most}",
            expected=f"{(level.within * 100).normalize():f}%",
        )


_DIGITS = Decimal("1e-9")
"""Relative violation that is always allowed for a row, as a share of its largest bound or value, or of 1 if that is larger."""


@dataclass(frozen=True, slots=True)
class LimitReading:
    """A row and its value in the plan."""

    rule: Rule
    row: Row
    value: Decimal
    tolerance: Decimal
    """Maximum violation through rounding."""
    distance: Decimal
    """Violation of the row. Negative if it has room to the nearest of its bounds."""
    unplanned: bool
    """True if it is about materials left unplanned because of conflicting rules."""

    @property
    def miss(self) -> Decimal:
        return max(self.distance, Decimal(0))

    def exceeds_before(self, loosened: Decimal) -> bool:
        """Return True if the row would be violated with bounds that are tighter by an amount."""
        return self.distance + loosened > self.tolerance


@dataclass(frozen=True, slots=True)
class Penalties:
    """Penalties for the violations of soft limits."""

    money: Decimal = Decimal(0)
    rounding: Decimal = Decimal(0)
    """Maximum change of the money through rounding quantities to the resolution."""

    def plus(self, reading: LimitReading, price: Decimal) -> Penalties:
        # Rounding doesn't violate a row that has more room than its tolerance.
        moved = reading.tolerance if reading.distance > -reading.tolerance else Decimal(0)
        return Penalties(self.money + price * reading.miss, self.rounding + price * moved)


@dataclass(frozen=True, slots=True, eq=False)
class Readings(Sequence[LimitReading]):
    """All readings of limits. Those in blocks are read on access."""

    values: TermValues
    blocks: list[tuple[Rule, Rows] | list[LimitReading]] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    """Number of readings up to the end of each block."""

    def add(self, block: tuple[Rule, Rows] | list[LimitReading]) -> None:
        self.blocks.append(block)
        self.ends.append(len(self) + (len(block) if isinstance(block, list) else len(block[1])))

    def __len__(self) -> int:
        return self.ends[-1] if self.ends else 0

    @overload
    def __getitem__(self, position: int) -> LimitReading: ...
    @overload
    def __getitem__(self, position: slice) -> tuple[LimitReading, ...]: ...
    def __getitem__(self, position: int | slice) -> LimitReading | tuple[LimitReading, ...]:
        if isinstance(position, slice):
            return tuple(self[i] for i in range(*position.indices(len(self))))
        at = range(len(self))[position]
        number = bisect_right(self.ends, at)
        block, within = self.blocks[number], at - (self.ends[number - 1] if number else 0)
        if isinstance(block, list):
            return block[within]
        rule, rows = block
        return _read(rule, rows[within], self.values)

    def __iter__(self) -> Iterator[LimitReading]:
        for block in self.blocks:
            if isinstance(block, list):
                yield from block
            else:
                rule, rows = block
                yield from (_read(rule, row, self.values) for row in single_rows(rows))

    @property
    def rules(self) -> Counter[str]:
        row_counts: Counter[str] = Counter()
        for block in self.blocks:
            if isinstance(block, list):
                row_counts.update(reading.rule.id for reading in block)
            else:
                rule, rows = block
                row_counts[rule.id] += len(rows)
        return row_counts


def read_limits(ledger: PlanEntries, amounts: Amounts, costing: Costing) -> tuple[Readings, Penalties]:
    """Return every row with its value, and the penalties for soft violations. Hard violations are findings."""
    values = TermValues(ledger, amounts, costing)
    readings = Readings(values)
    penalties = Penalties()
    rows_by_rule = limit_rows(ledger.problem)
    for rows_of_budget in grouped(
        (rule.id, (rule, rows)) for rule, rows in rows_by_rule if isinstance(rule, Budget)
    ).values():
        _check_budget(rows_of_budget[0][0], [row for _, rows in rows_of_budget for row in single_rows(rows)], values)
    for rule, rows in rows_by_rule:
        if isinstance(rows, Rows) and rows.penalty is None:
            readings.add((rule, rows))
            for position in _possibly_violated(rows, values):
                _check_row(_read(rule, rows[position], values), values)
            continue
        row_readings = [_read(rule, row, values) for row in single_rows(rows)]
        readings.add(row_readings)
        for reading in row_readings:
            if reading.row.penalty is not None:
                penalties = penalties.plus(reading, reading.row.penalty)
            else:
                _check_row(reading, values)
    return readings, penalties


def _check_budget(rule: Rule, rows: Sequence[Row], values: TermValues) -> None:
    """Report purchases that the rows of a budget count although the budget doesn't by their offer, or the reverse."""
    assert isinstance(rule, Budget)
    problem = values.problem
    spent = [term for row in rows for term in row.terms if isinstance(term, terms.SpentTerm)]
    counted, counted_if_tainted = (
        {int(move) for term in spent if _is_of_tainted(term) is is_tainted for move in term.moves}
        for is_tainted in (False, True)
    )
    periods = problem.case.horizon.periods
    for item in values.ledger.bought:
        move = problem.moves.at(item.arc.index, item.ordered)
        if move is None or item.arc.offer < 0 or not rule.applies(periods[item.ordered].span, problem.law.statuses):
            continue
        offer = item.arc.chained
        if rule.counts(offer) != (move in counted) or rule.counts_if_tainted(offer) != (move in counted_if_tainted):
            values.ledger.report("FS631", f"rule `{rule.id}` counts the wrong purchases", found=str(item))


def _is_of_tainted(term: terms.SpentTerm) -> bool:
    return term.for_uses is not None and bool(term.for_uses.not_free_of)


_PLANNED = (
    terms.BoughtTerm,
    terms.UsedTerm,
    terms.SpentTerm,
    terms.DeliveredTerm,
    terms.MakingTerm,
    terms.OnboardingTerm,
)
"""Terms that are 0 if nothing is planned."""


def _check_row(reading: LimitReading, values: TermValues) -> None:
    """Record a finding for a violated row, unless conflicting rules leave everything that it counts unplanned."""
    if reading.miss <= reading.tolerance:
        return
    counted = any(values.value(term)[0] for term in reading.row.terms if isinstance(term, _PLANNED))
    if counted or not reading.unplanned:
        rule, row = reading.rule, reading.row
        values.ledger.report(
            "FS630",
            f"rule `{rule.id}` is violated: {row.sentence or row.label}",
            found=f"{reading.value.normalize():f}",
            expected=_expected(row),
        )


def _possibly_violated(rows: Rows, values: TermValues) -> list[int]:
    """Return the rows that may be violated, judged in doubles with a bound on their error."""
    bought, count = rows.bought, len(rows)
    row = np.repeat(np.arange(count), np.diff(bought.first))
    sums = values.bought(bought.for_uses)
    amounts = bought.weight * sums.doubles[bought.moves]
    value = np.bincount(row, amounts, count)
    magnitude = np.bincount(row, np.abs(amounts), count)
    at_least = as_floats(rows.at_least) if rows.at_least is not None else np.full(count, -np.inf)
    at_most = as_floats(rows.at_most) if rows.at_most is not None else np.full(count, np.inf)
    bounds = np.maximum(*(np.where(np.isfinite(bound), np.abs(bound), 0.0) for bound in (at_least, at_most)))
    error = (np.diff(bought.first) + 8) * EPSILON * (magnitude + bounds)
    halves = np.bincount(row, np.abs(bought.weight) * sums.parts[bought.moves], count)
    tolerance = float(values.resolution) / 2 * halves
    tolerance += np.maximum(np.maximum(np.abs(value), bounds), 1.0) * float(_DIGITS)
    miss = np.maximum(at_least - value, value - at_most)
    positions: list[int] = np.flatnonzero(miss + 2 * error > tolerance * (1 - 1e-9)).tolist()
    return positions


def _expected(row: Row) -> str:
    parts = []
    if row.at_least is not None:
        parts.append(f"at least {row.at_least.normalize():f}")
    if row.at_most is not None:
        parts.append(f"at most {row.at_most.normalize():f}")
    return " and ".join(parts)


def _read(rule: Rule, row: Row, values: TermValues) -> LimitReading:
    value = tolerance = Decimal(0)
    for term in row.terms:
        amount, slack = values.value(term)
        value += amount
        tolerance += slack
    distance = Decimal("-Infinity")
    if row.at_least is not None:
        distance = row.at_least - value
    if row.at_most is not None:
        distance = max(distance, value - row.at_most)
    bounds = [abs(bound) for bound in (row.at_least, row.at_most) if bound is not None]
    scale = max(abs(value), *bounds, Decimal(1))
    return LimitReading(
        rule, row, value, tolerance + scale * _DIGITS, distance, _touches_unplanned(rule, row, values.ledger)
    )


def _touches_unplanned(rule: Rule, row: Row, ledger: PlanEntries) -> bool:
    """Return True if a row can't be required: it is in a conflict that the plan names, or its materials are unplanned."""
    if not ledger.plan.infeasible:
        return False
    materials = materials_of(ledger.problem, row)
    if not materials:
        return any(rule.id in part.rules for part in ledger.plan.infeasible)
    return bool(materials & ledger.unplanned)
