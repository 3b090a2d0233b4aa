"""Relaxation of repairs: a lower bound on the shortage that a set of levers leaves."""

# One program has every lever at its bound. To bound a set, the additions of all other levers are removed: the output of plants, stock, deliveries under
# a waiver, the slack of limits, and purchases that need a proof of origin or a license. A lever only ever allows more, so every plan of the set is still
# a plan of this program without its integer variables. If the program leaves a shortage, so does the set. The duals show more: levers without any dual
# value can be added without a change, so that one solve refutes a large set.

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import inf, isnan
from typing import Protocol

import numpy as np

from friendshore.domain.base import grouped
from friendshore.domain.runtime import cached_method
from friendshore.errors import InputError
from friendshore.problem import Problem
from friendshore.problem.compliance_classes import ComplianceClass
from friendshore.problem.inputs import Inputs
from friendshore.problem.network import Arc, final_node
from friendshore.program import Choices, Program
from friendshore.program.matrix import Entries, Floats, Ints, Linear, Mask
from friendshore.solve import SolverAnswer, SolverOutcome, WarmStartedSolver
from friendshore.solve.components import column_labels

from .levers import OUTPUT_KINDS, PERMIT_KINDS, Amounts, Delays, LeverFacts, LeverKind, Members

_Outlet = tuple[str, int, frozenset[str | int]]
"""Demand, period, and waivers: by their levers, or else by name."""


def with_separate_classes(problem: Problem, demands: Collection[str]) -> Problem:
    """Return the facts with separate compliance classes for some demands, unless a rule counts by class. The flow is the same, in finer detail."""
    classes = problem.compliance_classes
    has_co_products = any(
        not problem.offers[arc.offer].has_one_output for arc in problem.network.arcs if arc.offer >= 0
    )
    if (
        has_co_products
        or any(compliance_class.ends or compliance_class.free_of for compliance_class in classes)
        or any(rule.watches_stock for rule in problem.rules)
    ):
        return problem
    new_classes: list[ComplianceClass] = []
    for compliance_class in classes:
        named = ((problem.demands[o.demand].id, o) for o in compliance_class.outlets)
        for outlets in grouped((name if name in demands else "", o) for name, o in named).values():
            final_nodes = {final_node(problem.demands[o.demand].use) for o in outlets}
            nodes = set().union(*(problem.network.reach(end)[1] for end in final_nodes))
            new_classes.append(replace(compliance_class, index=len(new_classes), outlets=list(outlets), nodes=nodes))
    return replace(problem, compliance_classes=tuple(new_classes))


class Closings:
    """The columns of a program that buy, and the final uses that other facts allow them."""

    def __init__(self, program: Program, levers: Mapping[str, int]) -> None:
        self.problem = program.problem
        self._columns = program.columns
        self._levers = levers
        self._count = self.problem.case.horizon.count
        moves = self.problem.moves
        self.arc = moves.arc[self._columns.buy_move]
        self._delivered = moves.delivered[self._columns.buy_move]

    def no_columns(self) -> Mask:
        mask: Mask = np.zeros(len(self.arc), dtype=bool)
        return mask

    def closed(self, problem: Problem, levers: Mapping[str, int]) -> Mask:
        """Return the columns whose purchases have no possible end under other facts. Empty if co-products are lent."""
        if self._columns.transfer:
            return self.no_columns()
        arc_by_key = {_arc_key(arc): arc.index for arc in problem.network.arcs}
        arc_there = np.array([arc_by_key.get(_arc_key(arc), -1) for arc in self.problem.network.arcs], dtype=np.intp)
        opened = self._open_arcs(problem, levers)
        arc, closed = arc_there[self.arc], self.no_columns()
        for number, compliance_class in enumerate(self.problem.compliance_classes):
            keys = list(_outlets(self.problem, compliance_class, self._levers))
            if not keys or not all(key in opened for key in keys):
                continue
            is_open: Mask = np.logical_or.reduce([opened[key] for key in keys])
            is_of_class = self._columns.buy_compliance_class == number
            closed |= is_of_class & (arc >= 0) & ~is_open[arc, self._delivered]
        return closed

    def _open_arcs(self, problem: Problem, levers: Mapping[str, int]) -> dict[_Outlet, Mask]:
        """Return the arcs and periods of arrival that may serve each outlet of this program under other facts."""
        waiver_sets: dict[tuple[str, int], set[frozenset[str | int]]] = {}
        for compliance_class in self.problem.compliance_classes:
            for demand, period, waivers in _outlets(self.problem, compliance_class, self._levers):
                waiver_sets.setdefault((demand, period), set()).add(waivers)
        opened: dict[_Outlet, Mask] = {}
        for compliance_class in problem.compliance_classes:
            admits = _admits(compliance_class, len(problem.network.arcs), self._count)
            for demand, period, waivers in _outlets(problem, compliance_class, levers):
                own_sets = waiver_sets.get((demand, period), set())
                # One with the same waivers, or with fewer if some aren't needed here.
                matching = (
                    {waivers} & own_sets or {waiver_set for waiver_set in own_sets if waiver_set <= waivers} or own_sets
                )
                for key in [(demand, period, waiver_set) for waiver_set in matching]:
                    opened[key] = opened[key] | admits if key in opened else admits
        closed: Mask = np.zeros((len(problem.network.arcs), self._count), dtype=bool)
        served = {(demand, period) for demand, period, _ in opened}
        for (demand, period), own_sets in waiver_sets.items():
            for waiver_set in own_sets if (demand, period) in served else ():
                opened.setdefault((demand, period, waiver_set), closed)
        return opened


def _outlets(problem: Problem, compliance_class: ComplianceClass, levers: Mapping[str, int]) -> Iterator[_Outlet]:
    for outlet in compliance_class.outlets:
        waivers = frozenset(levers.get(name, name) for name in outlet.waivers)
        yield problem.demands[outlet.demand].id, outlet.period, waivers


def _arc_key(arc: Arc) -> tuple[object, ...]:
    return (arc.lot >= 0, arc.name, arc.output, arc.node)


def _admits(compliance_class: ComplianceClass, arcs: int, count: int) -> Mask:
    mask: Mask = np.ones((arcs, count), dtype=bool)
    mask[sorted(compliance_class.blocked)] = False
    for arc, arrival in compliance_class.blocked_cells:
        mask[arc, arrival] = False
    return mask


_SLACK = 1e-9
"""Tolerance of a plan at an end of a row or column, as a part of its largest quantity."""
_NEVER = 1e15
"""Kilograms that replace an absent limit."""
_DUAL = 1e-9
"""Duals and reduced costs below this, in kilograms short per kilogram, count as zero."""
_EndsOf = Callable[[Amounts], Floats]
_Block = tuple[Members, _EndsOf, list[Ints], list[Floats]]
"""Levers, the function for the ends of some rows, and the columns of each row with their weights."""


@dataclass(frozen=True, slots=True, eq=False)
class _Duals:
    """A proof of a minimum shortage by weak duality."""

    rows: Floats
    """Multipliers of upper ends, at most zero."""
    columns: Floats
    """Reduced costs that multiply upper ends of columns, at most zero."""
    fixed: float
    """Constant part of the bound, from the lower ends."""

    @classmethod
    def of(cls, linear: Linear, transposed: Entries, multipliers: Floats) -> _Duals:
        y = np.where(np.abs(multipliers) < _DUAL, 0.0, multipliers)
        reduced = linear.cost - transposed @ y
        reduced[np.abs(reduced) < _DUAL] = 0.0
        ends = ((np.maximum(y, 0.0), linear.row_lower), (np.maximum(reduced, 0.0), linear.lower))
        fixed = sum(float(weight[weight > 0] @ np.maximum(end[weight > 0], -_NEVER)) for weight, end in ends)
        return cls(np.minimum(y, 0.0), np.minimum(reduced, 0.0), fixed)

    def bound(self, upper: Floats, row_upper: Floats) -> float:
        of_rows = float(self.rows @ np.minimum(row_upper, _NEVER))
        return self.fixed + of_rows + float(self.columns @ np.minimum(upper, _NEVER))


@dataclass(frozen=True, slots=True)
class _Row:
    """Upper bound on the sum of some columns, with the levers without which it is zero."""

    levers: Members
    ends: _EndsOf
    rows: Ints


class LeverProgram:
    """The program with all levers at their bounds, and the part of it that each lever adds."""

    def __init__(
        self,
        facts: LeverFacts,
        program: Program,
        linear: Linear,
        short: Ints,
        amounts: Amounts | None = None,
        later: Delays = (),
    ) -> None:
        """Build the program with all levers at their bounds, or at `amounts` (later questions may then differ only in these), and delayed demand."""
        self._later = later
        self.facts = facts
        self.members = None if amounts is None else frozenset(amounts)
        self.without_rows: set[int] = set()
        """Levers that loosen limits by an extent that the rows don't show."""
        self.problem = program.problem
        self.columns = program.columns
        self.count = self.problem.case.horizon.count
        self._closings = Closings(program, facts.lever_by_waiver(facts.all))
        self._duals: list[_Duals] = []
        self._plans: list[tuple[Floats, Floats]] = []
        """Plans without shortage, with the values of the levers' rows in them."""
        arcs = self.problem.network.arcs
        self.arc = self._closings.arc
        proof = np.array(
            [facts.proofs.get(arc.chained.offer.id, -1) if arc.lot < 0 else -1 for arc in arcs], dtype=np.intp
        )
        self.proof: Ints = proof[self.arc]
        """Proof that each column that buys would need. -1 if none."""
        self.rows: list[_Row] = []
        lever_amounts = {i: lever.max_amounts for i, lever in enumerate(facts.levers)} if amounts is None else amounts
        labels = column_labels(linear.entries)
        is_relevant = np.isin(labels, np.unique(labels[short]))
        blocks = [
            *self._output_blocks(program),
            *self._stock_blocks(),
            *self._waiver_blocks(),
            *self._limit_blocks(program, linear, is_relevant, lever_amounts),
        ]
        self._assemble(linear, short, is_relevant, blocks)

    def refutes(self, amounts: Amounts) -> Members | None:
        """Return levers outside a set, of which serving more takes at least one. None if the set may serve everything."""
        # The closed columns of the facts without delay are the same for all programs. Those with delay prove more, but take longer.
        needed_levers = self._refuted_with_delay(amounts, ())
        if needed_levers is None and self._later and (self.facts.proofs or self.facts.permits):
            allowing = frozenset(amounts) & self.facts.permits
            if (self._closed_columns(allowing, self._later) & ~self._closed_columns(allowing, ())).any():
                return self._refuted_with_delay(amounts, self._later)
        return needed_levers

    def _refuted_with_delay(self, amounts: Amounts, later: Delays) -> Members | None:
        # Earlier results are reused: duals prove a bound for any ends (weak duality), and a plan within these ends is a plan.
        upper, row_upper, shut = self._ends(amounts, later)
        for duals in reversed(self._duals):
            if duals.bound(upper, row_upper) > self.facts.refuting_kg:
                return self._levers_behind(duals, shut, amounts)
        if any((x <= upper).all() and (rows <= row_upper[self.first :]).all() for x, rows in reversed(self._plans)):
            return None
        answer = self.optimum(upper, row_upper)
        if answer.outcome is SolverOutcome.INFEASIBLE:
            return self.facts.all - amounts.keys()
        if answer.outcome is not SolverOutcome.OPTIMAL or answer.duals is None or answer.x is None:
            return None
        if answer.objective <= self.facts.refuting_kg:
            slack = _SLACK * max(1.0, float(answer.x.max(initial=0.0)))
            rows = self.linear.entries[np.arange(self.first, len(row_upper))] @ answer.x
            self._plans.append((answer.x - slack, rows - slack))
            return None
        duals = _Duals.of(self.linear, self._transposed, answer.duals)
        self._duals.append(duals)
        return self._levers_behind(duals, shut, amounts)

    def optimum(self, upper: Floats, row_upper: Floats, lower: Floats | None = None) -> SolverAnswer:
        lower = self.linear.lower if lower is None else lower
        return self.facts.optimum(self._reasked, replace(self.linear, lower=lower, upper=upper, row_upper=row_upper))

    def _ends(self, amounts: Amounts, later: Delays) -> tuple[Floats, Floats, Mask]:
        facts, upper = self.facts, self.linear.upper.copy()
        closed = self._closed_columns(frozenset(amounts) & facts.permits, later)
        without_proof = closed & ~np.isin(self.proof, np.array(sorted(amounts), dtype=np.intp))
        columns = self.place[self.columns.buy[without_proof]]
        upper[columns[columns >= 0]] = 0.0
        return upper, self.ends_of_rows(amounts), without_proof

    def ends_of_rows(self, amounts: Amounts) -> Floats:
        row_upper = self.linear.row_upper.copy()
        for row in self.rows:
            row_upper[row.rows] = row.ends(amounts)
        return row_upper

    def _levers_behind(self, duals: _Duals, shut: Mask, amounts: Amounts) -> Members:
        active: set[int] = set()
        for row in self.rows:
            if duals.rows[row.rows].any():
                active |= row.levers
        columns = self.place[self.columns.buy]
        rewarded = shut & (columns >= 0)
        rewarded[rewarded] = duals.columns[columns[rewarded]] < 0
        if rewarded.any():
            active |= set(self.proof[rewarded].tolist()) - {-1}
            active |= self.facts.permits
        return frozenset(active - amounts.keys())

    def _assemble(self, linear: Linear, short: Ints, is_relevant: Mask, blocks: Sequence[_Block]) -> None:
        self.place = np.where(is_relevant, np.cumsum(is_relevant) - 1, -1)
        is_nonempty = np.diff(linear.entries.indptr) > 0
        kept_rows = np.zeros(len(is_nonempty), dtype=bool)
        kept_rows[is_nonempty] = is_relevant[linear.entries.indices[linear.entries.indptr[:-1][is_nonempty]]]
        rows, columns, values = (
            [linear.entries[kept_rows].rows],
            [linear.entries[kept_rows].indices],
            [linear.entries[kept_rows].data],
        )
        row_count = int(kept_rows.sum())
        for levers, ends, of_rows, weights in blocks:
            relevant_columns = [columns_of_row[is_relevant[columns_of_row]] for columns_of_row in of_rows]
            rows += [np.full(len(columns_of_row), row_count + i) for i, columns_of_row in enumerate(relevant_columns)]
            columns += relevant_columns
            values += [
                weight[is_relevant[columns_of_row]] for columns_of_row, weight in zip(of_rows, weights, strict=True)
            ]
            self.rows.append(_Row(levers, ends, row_count + np.arange(len(of_rows))))
            row_count += len(of_rows)
        entries = Entries.summed(
            np.concatenate(rows),
            self.place[np.concatenate(columns)],
            np.concatenate(values),
            (row_count, int(is_relevant.sum())),
        )
        lever_row_count = row_count - int(kept_rows.sum())
        cost = np.zeros(len(is_relevant))
        cost[short] = 1.0
        self.linear = Linear(
            cost[is_relevant], linear.lower[is_relevant], linear.upper[is_relevant], np.zeros(int(is_relevant.sum()), dtype=bool), entries,
            np.append(linear.row_lower[kept_rows], np.full(lever_row_count, -inf)), np.append(linear.row_upper[kept_rows], np.full(lever_row_count, inf)),
        )  # fmt: skip
        self._reasked = WarmStartedSolver()
        self.integer = linear.integer[is_relevant]
        self.first = int(kept_rows.sum())
        """First row of a lever."""
        self._transposed = entries.transposed()

    def _output_blocks(self, program: Program) -> Iterator[_Block]:
        """Yield the output of plants by period: without their levers today's capacity, and nothing from offers that don't count today."""
        facts, offers = self.facts, self.problem.offers
        today = {name for offer_facts in facts.base.offers for name in offer_facts.pools}
        counted = {offer_facts.offer.id for offer_facts in facts.base.offers}
        for pool in self.problem.pools:
            levers = frozenset(facts.output_levers.get(pool.facility, ()))
            if not (levers if self.members is None else levers & self.members):
                continue
            counts_all = self.members is not None or pool.facility in today
            positions = [o for o in pool.offers if counts_all or self._counts_only_by(o, pool.facility, counted)]
            of_rows, weights = [], []
            for t in range(self.count):
                columns = [np.array(program.units.get((o, t), []), dtype=np.intp) for o in positions]
                use = [
                    np.full(len(unit_columns), float(offers[o].offer.capacity_use))
                    for o, unit_columns in zip(positions, columns, strict=True)
                ]
                of_rows.append(np.concatenate([np.zeros(0, dtype=np.intp), *columns]))
                weights.append(np.concatenate([np.zeros(0), *use]))
            yield levers, partial(facts.capacity, pool.facility), of_rows, weights

    def _counts_only_by(self, offer: int, facility: str, counted: Collection[str]) -> bool:
        facts = self.problem.offers[offer]
        return facts.offer.id not in counted and not any(
            p in self.facts.output_levers for p in facts.pools if p != facility
        )

    def _stock_blocks(self) -> Iterator[_Block]:
        lever_by_lot = self.facts.lever_by_stock(self.facts.all if self.members is None else self.members)
        lots = [number for number, lot in enumerate(self.problem.lots) if lot.id in lever_by_lot]
        lot_verdict = np.array([arc.lot for arc in self.problem.network.arcs], dtype=np.intp)[self.arc]
        for number in lots:
            lever = lever_by_lot[self.problem.lots[number].id]
            columns = self.columns.buy[lot_verdict == number]
            yield frozenset({lever}), partial(_amount, lever), [columns], [np.ones(len(columns))]

    def _waiver_blocks(self) -> Iterator[_Block]:
        for name, lever in self.facts.lever_by_waiver(self.facts.all if self.members is None else self.members).items():
            keys = zip(self.columns.deliver, self.columns.deliver_key, strict=True)
            columns = np.array([column for column, key in keys if name in key[3]], dtype=np.intp)
            yield frozenset({lever}), partial(_amount, lever), [columns], [np.ones(len(columns))]

    def _limit_blocks(
        self, program: Program, linear: Linear, is_relevant: Mask, lever_amounts: Amounts
    ) -> Iterator[_Block]:
        rules, base_rules = ({rule.id: rule for rule in each.rules} for each in (program.problem, self.facts.base))
        limits = program.limits
        for lever in sorted(i for i in lever_amounts if self.facts.levers[i].kind is LeverKind.LOOSEN):
            name, by = self.facts.levers[lever].subjects[0], lever_amounts[lever][0]
            if name not in base_rules or rules[name].loosened - base_rules[name].loosened != by:
                # The rule counts its bounds in another unit. They stay as loose as they are.
                self.without_rows.add(lever)
                continue
            rows = zip(limits.program_rows, limits.rows, strict=True)
            own_rows = [(place, row) for place, (rule, row) in rows if rule.id == name]
            upper = [(1.0, place, row.at_most - by) for place, row in own_rows if row.at_most is not None]
            lower = [(-1.0, place, -row.at_least - by) for place, row in own_rows if row.at_least is not None]
            ends = [(sign, linear.entries[np.array([place])], float(end)) for sign, place, end in (*upper, *lower)]
            ends = [(sign, row, end) for sign, row, end in ends if is_relevant[row.indices].any()]
            ends_of = partial(_loosened_ends, lever, np.array([end for _, _, end in ends]))
            yield (
                frozenset({lever}),
                ends_of,
                [row.indices for _, row, _ in ends],
                [sign * row.data for sign, row, _ in ends],
            )

    @cached_method
    def _closed_columns(self, allowing: Members, later: Delays) -> Mask:
        """Return the columns whose purchases have no possible end, with these waivers and licenses alone, without proofs, and with this delay."""
        facts = self.facts
        problem = facts.allowed(allowing, later) if facts.proofs or facts.permits else None
        return (
            self._closings.no_columns()
            if problem is None
            else self._closings.closed(problem, facts.lever_by_waiver(allowing))
        )


def _loosened_ends(lever: int, ends: Floats, amounts: Amounts) -> Floats:
    return ends + float(amounts[lever][0]) if lever in amounts else ends


def _amount(lever: int, amounts: Amounts) -> Floats:
    return np.array([float(amounts[lever][0]) if lever in amounts else 0.0])


class Relaxation:
    """Lower bounds on the shortage of some demands with levers."""

    def __init__(
        self,
        facts: LeverFacts,
        demands: Collection[str],
        shortage_program: Callable[[Inputs, Problem], tuple[Program, Linear, Ints]],
    ) -> None:
        """Start without a program. `shortage_program` returns the program of some facts for the smallest shortage, with the columns of the shortage."""
        self.facts = facts
        self.demands = demands
        self._shortage_program = shortage_program

    def refuted(self, amounts: Amounts) -> bool:
        return self._levers_behind(amounts) is not None

    def _levers_behind(self, amounts: Amounts) -> Members | None:
        lever_program = self._lever_program(amounts)
        return None if lever_program is None else lever_program.refutes(amounts)

    def widened(self, members: Members, delays: Callable[[Members], Sequence[Amounts]], grow: bool) -> Members | None:
        """Return a superset that provably doesn't repair, as large as possible if `grow`, trying all its `delays`. None if unknown."""
        needed_levers: set[int] = set(self.facts.delaying - members)
        for delay in delays(members):
            needed = self._levers_behind(self._amounts_at_bounds(members, delay))
            if needed is None:
                return None
            needed_levers |= needed
        other_levers = self.facts.all - members
        superset = self.facts.all - (needed_levers - members)
        last_unproved = 0

        def is_refuted(members_tried: Members) -> bool:
            nonlocal last_unproved
            all_delays = delays(members_tried)
            for delay in (
                *all_delays[last_unproved:],
                *all_delays[:last_unproved],
            ):  # first the one that was not refuted last time
                if not self.refuted(self._amounts_at_bounds(members_tried, delay)):
                    last_unproved = all_delays.index(delay)
                    return False
            return True

        if superset != members and not is_refuted(superset):
            superset = members
        if grow and is_refuted(superset | self.facts.permits):
            superset |= self.facts.permits
        for lever in sorted(other_levers - superset, key=lambda i: (i not in self.facts.permits, i)) if grow else ():
            if is_refuted(superset | {lever}):
                superset |= {lever}
        return superset

    def _amounts_at_bounds(self, members: Iterable[int], later: Amounts) -> Amounts:
        return {**{i: self.facts.levers[i].max_amounts for i in members}, **later}

    def _lever_program(self, amounts: Amounts) -> LeverProgram | None:
        later = tuple((i, tuple(amounts[i])) for i in sorted(self.facts.delaying & amounts.keys()) if any(amounts[i]))
        return self._delayed_program(later)

    @cached_method
    def _delayed_program(self, later: Delays) -> LeverProgram | None:
        try:
            inputs = self.facts.undelayed.after(self.facts.changes(dict(later)))
            problem = with_separate_classes(inputs.problem(), self.demands)
        except InputError:
            return None
        return LeverProgram(self.facts, *self._shortage_program(inputs, problem), later=later)

    def program_of_set(
        self, amounts: Amounts, program: Program, linear: Linear, short: Ints, search: SetSearch
    ) -> SetProgram | None:
        """Return the program of amounts of levers, for questions about smaller ones. None if smaller ones change more than the ends of rows."""
        row_kinds = OUTPUT_KINDS | PERMIT_KINDS | {LeverKind.STOCK, LeverKind.LATER, LeverKind.LOOSEN}
        if any(self.facts.levers[i].max_amounts and self.facts.levers[i].kind not in row_kinds for i in amounts):
            return None
        program_of_set = LeverProgram(self.facts, program, linear, short, amounts)
        return None if program_of_set.without_rows else SetProgram(program_of_set, program, search)


class SetSearch(Protocol):
    """Comparison of the smallest shortage of a program with integer variables to a sufficient value (`solve.compared`)."""

    def __call__(self, linear: Linear, enough: float, start: Floats | None, /, *, sure: bool) -> SolverAnswer:
        """Search from the choices of a plan. With `sure`, a second solver confirms the answer."""


class SetProgram:
    """The program of a set of levers whose amounts are only ends of rows. A search may raise SearchEndedError."""

    def __init__(self, lever_program: LeverProgram, program: Program, search: SetSearch) -> None:
        self._lever_program, self._program, self._search = lever_program, program, search
        self._plan: Floats | None = None

    @property
    def integer(self) -> bool:
        return bool(self._lever_program.integer.any())

    @property
    def choices(self) -> Choices:
        if self._plan is None:
            return {}
        place = self._lever_program.place
        choices = self._program.choices(np.where(place >= 0, self._plan[place], np.nan))
        return {choice: value for choice, value in choices.items() if not isnan(value)}

    def within(self, amounts: Amounts, enough: float) -> bool:
        if self.short(amounts)[0] > enough:
            return False
        if not self.integer or self.short_as_chosen(amounts)[0] <= enough:
            return True
        return self._searched(amounts, enough, sure=True).objective <= enough

    def look_for_plan(self, amounts: Amounts, enough: float) -> None:
        """Search for a plan with a small shortage. It proves nothing, but later questions start from its choices."""
        if self.short_as_chosen(amounts)[0] > enough:
            self._searched(amounts, enough, sure=False)

    def _searched(self, amounts: Amounts, enough: float, *, sure: bool) -> SolverAnswer:
        lever_program = self._lever_program
        linear = replace(
            lever_program.linear, integer=lever_program.integer, row_upper=lever_program.ends_of_rows(amounts)
        )
        answer = self._search(linear, enough, self._plan, sure=sure)
        self._plan = answer.x if answer.x is not None else self._plan
        return answer

    def short(self, amounts: Amounts, more: Amounts | None = None) -> tuple[float, float]:
        """Return the smallest shortage in kilograms without integrality, and a bound on its decrease with `more`. Infinite if not found."""
        lever_program = self._lever_program
        return self._optimum(amounts, more, lever_program.linear.lower, lever_program.linear.upper)

    def short_as_chosen(self, amounts: Amounts, more: Amounts | None = None) -> tuple[float, float]:
        """Return the result of `short` with the choices of the last plan. Infinite without one."""
        if self._plan is None:
            return inf, 0.0
        lever_program = self._lever_program
        whole = np.clip(np.round(self._plan), lever_program.linear.lower, lever_program.linear.upper)
        lower = np.where(lever_program.integer, whole, lever_program.linear.lower)
        return self._optimum(amounts, more, lower, np.where(lever_program.integer, whole, lever_program.linear.upper))

    def _optimum(self, amounts: Amounts, more: Amounts | None, lower: Floats, upper: Floats) -> tuple[float, float]:
        lever_program = self._lever_program
        row_upper = lever_program.ends_of_rows(amounts)
        answer = lever_program.optimum(upper, row_upper, lower)
        if answer.outcome is not SolverOutcome.OPTIMAL or answer.duals is None:
            return inf, 0.0
        if more is None:
            return answer.objective, 0.0
        before, after, duals = (
            row_upper[lever_program.first :],
            lever_program.ends_of_rows(more)[lever_program.first :],
            answer.duals[lever_program.first :],
        )
        is_changed = (after != before) & (duals != 0)  # an end may be infinite
        return answer.objective, float(duals[is_changed] @ (after[is_changed] - before[is_changed]))
