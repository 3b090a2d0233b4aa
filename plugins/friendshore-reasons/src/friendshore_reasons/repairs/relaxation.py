"""Relaxation of repairs: a lower bound on the shortage that a set of levers leaves.

One program has every lever at its bound. To bound a set, the additions of all other levers are removed: the output of plants, stock,
deliveries under a waiver, the slack of limits, and purchases that need a proof of origin or a license. A lever only ever allows more, so every
plan of the set is still a plan of this program without its integer variables. If the program leaves a shortage, so does the set. The duals show
more: levers without any dual value can be added without a change, so that one solve refutes a large set.
"""

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

from .levers import ALLOWS, MAKES, Amounts, Delays, LeverFacts, LeverKind, Members

_Outlet = tuple[str, int, frozenset[str | int]]
"""Demand, period, and waivers: by their levers, or else by name."""


def apart(problem: Problem, demands: Collection[str]) -> Problem:
    """Return the facts with separate compliance classes for some demands, unless a rule counts by class.

    Supply for these demands is then distinct from supply that may end elsewhere. The flow is the same, in finer detail.
    """
    classes = problem.compliance_classes
    several = any(not problem.offers[arc.offer].single for arc in problem.network.arcs if arc.offer >= 0)
    if several or any(one.ends or one.free_of for one in classes) or any(rule.watches_stock for rule in problem.rules):
        return problem
    found: list[ComplianceClass] = []
    for one in classes:
        named = ((problem.demands[o.demand].id, o) for o in one.outlets)
        for outlets in grouped((name if name in demands else "", o) for name, o in named).values():
            ends = {final_node(problem.demands[o.demand].use) for o in outlets}
            nodes = set().union(*(problem.network.reach(end)[1] for end in ends))
            found.append(replace(one, index=len(found), outlets=list(outlets), nodes=nodes))
    return replace(problem, compliance_classes=tuple(found))


class Closings:
    """The columns of a program that buy, and the ends that other facts allow them."""

    def __init__(self, program: Program, levers: Mapping[str, int]) -> None:
        """Read a program. `levers` maps waivers to the levers that bring them."""
        self.problem = program.problem
        self._columns = program.columns
        self._levers = levers
        self._count = self.problem.case.horizon.count
        moves = self.problem.moves
        self.arc = moves.arc[self._columns.buy_move]
        """Arc of every column that buys."""
        self._delivered = moves.delivered[self._columns.buy_move]

    def none(self) -> Mask:
        """Return a mask that closes no column."""
        found: Mask = np.zeros(len(self.arc), dtype=bool)
        return found

    def shut(self, problem: Problem, levers: Mapping[str, int]) -> Mask:
        """Return the columns whose purchases have no possible end under other facts. Empty if co-products are lent."""
        if self._columns.transfer:
            return self.none()
        known = {_named(arc): arc.index for arc in problem.network.arcs}
        there = np.array([known.get(_named(arc), -1) for arc in self.problem.network.arcs], dtype=np.intp)
        opened = self._opened(problem, levers)
        arc, shut = there[self.arc], self.none()
        for number, one in enumerate(self.problem.compliance_classes):
            keys = list(_outlets(self.problem, one, self._levers))
            if not keys or not all(key in opened for key in keys):
                continue
            open_: Mask = np.logical_or.reduce([opened[key] for key in keys])
            of = self._columns.buy_compliance_class == number
            shut |= of & (arc >= 0) & ~open_[arc, self._delivered]
        return shut

    def _opened(self, problem: Problem, levers: Mapping[str, int]) -> dict[_Outlet, Mask]:
        """Return the arcs and periods of arrival that may serve each outlet of this program under other facts.

        An outlet of the other facts corresponds to the one with the same waivers, or with fewer if some aren't needed here.
        """
        own: dict[tuple[str, int], set[frozenset[str | int]]] = {}
        for one in self.problem.compliance_classes:
            for demand, period, waivers in _outlets(self.problem, one, self._levers):
                own.setdefault((demand, period), set()).add(waivers)
        opened: dict[_Outlet, Mask] = {}
        for one in problem.compliance_classes:
            admits = _admits(one, len(problem.network.arcs), self._count)
            for demand, period, waivers in _outlets(problem, one, levers):
                here = own.get((demand, period), set())
                fewer = {waivers} & here or {some for some in here if some <= waivers} or here
                for key in [(demand, period, some) for some in fewer]:
                    opened[key] = opened[key] | admits if key in opened else admits
        closed: Mask = np.zeros((len(problem.network.arcs), self._count), dtype=bool)
        told = {(demand, period) for demand, period, _ in opened}
        for (demand, period), here in own.items():
            for some in here if (demand, period) in told else ():
                opened.setdefault((demand, period, some), closed)
        return opened


def _outlets(problem: Problem, one: ComplianceClass, levers: Mapping[str, int]) -> Iterator[_Outlet]:
    """Yield the outlets of a compliance class, with the levers of waivers in place of their names."""
    for outlet in one.outlets:
        waivers = frozenset(levers.get(name, name) for name in outlet.waivers)
        yield problem.demands[outlet.demand].id, outlet.period, waivers


def _named(arc: Arc) -> tuple[object, ...]:
    """Return a key of an arc that is the same for facts with other levers."""
    return (arc.lot >= 0, arc.name, arc.output, arc.node)


def _admits(one: ComplianceClass, arcs: int, count: int) -> Mask:
    """Return the arcs that a compliance class admits, by period of arrival."""
    found: Mask = np.ones((arcs, count), dtype=bool)
    found[sorted(one.blocked)] = False
    for arc, arrival in one.blocked_cells:
        found[arc, arrival] = False
    return found


_SLACK = 1e-9
"""Tolerance of a plan at an end of a row or column, as a part of its largest quantity."""
_NEVER = 1e15
"""Kilograms that replace an absent limit."""
_DUAL = 1e-9
"""Duals and reduced costs below this, in kilograms short per kilogram, count as zero."""
_Most = Callable[[Amounts], Floats]
"""Function from amounts of levers to the ends of rows."""
_Block = tuple[Members, _Most, list[Ints], list[Floats]]
"""Levers, the function for the ends of some rows, and the columns of each row with their weights."""


@dataclass(frozen=True, slots=True, eq=False)
class _Duals:
    """A proof of a minimum shortage: multipliers of all rows, and the reduced cost of each column."""

    rows: Floats
    """Multipliers of upper ends, below zero or zero."""
    columns: Floats
    """Reduced costs that multiply upper ends of columns, below zero or zero."""
    fixed: float
    """Constant part of the bound, from the lower ends."""

    @classmethod
    def of(cls, linear: Linear, transposed: Entries, found: Floats) -> _Duals:
        """Return a proof from a solver's multipliers."""
        y = np.where(np.abs(found) < _DUAL, 0.0, found)
        reduced = linear.cost - transposed @ y
        reduced[np.abs(reduced) < _DUAL] = 0.0
        ends = ((np.maximum(y, 0.0), linear.row_lower), (np.maximum(reduced, 0.0), linear.lower))
        fixed = sum(float(weight[weight > 0] @ np.maximum(end[weight > 0], -_NEVER)) for weight, end in ends)
        return cls(np.minimum(y, 0.0), np.minimum(reduced, 0.0), fixed)

    def bound(self, upper: Floats, row_upper: Floats) -> float:
        """Return a lower bound on the shortage of every plan within these ends."""
        of_rows = float(self.rows @ np.minimum(row_upper, _NEVER))
        return self.fixed + of_rows + float(self.columns @ np.minimum(upper, _NEVER))


@dataclass(frozen=True, slots=True)
class _Row:
    """Upper bound on the sum of some columns, with the levers without which it is zero."""

    levers: Members
    most: _Most
    rows: Ints
    """Positions in the program, one per period."""


class LeverProgram:
    """The program with all levers at their bounds, and the part of it that each lever adds."""

    def __init__(
        self,
        asked: LeverFacts,
        program: Program,
        linear: Linear,
        short: Ints,
        amounts: Amounts | None = None,
        later: Delays = (),
    ) -> None:
        """Build the program with all levers at their bounds and with demand `later`.

        If `amounts` is given, the levers are at these amounts instead, and later questions may differ only in them.
        """
        self._later = later
        self.asked = asked
        self.members = None if amounts is None else frozenset(amounts)
        self.loose: set[int] = set()
        """Levers that loosen limits by an extent that the rows don't show."""
        self.problem = program.problem
        self.columns = program.columns
        self.count = self.problem.case.horizon.count
        self._buying = Closings(program, asked.names_of_waivers(asked.all))
        self._duals: list[_Duals] = []
        """Proofs of a shortage."""
        self._plans: list[tuple[Floats, Floats]] = []
        """Plans without shortage, with the values of the levers' rows in them."""
        arcs = self.problem.network.arcs
        self.arc = self._buying.arc
        proof = np.array(
            [asked.proofs.get(arc.chained.offer.id, -1) if arc.lot < 0 else -1 for arc in arcs], dtype=np.intp
        )
        self.proof: Ints = proof[self.arc]
        """Proof that each column that buys would need. -1 if none."""
        self.rows: list[_Row] = []
        given = {i: lever.most for i, lever in enumerate(asked.levers)} if amounts is None else amounts
        labels = column_labels(linear.entries)
        wanted = np.isin(labels, np.unique(labels[short]))
        blocks = [
            *self._made(program),
            *self._drawn(),
            *self._waived(),
            *self._loosened(program, linear, wanted, given),
        ]
        self._join(linear, short, wanted, blocks)

    def refutes(self, amounts: Amounts) -> Members | None:
        """Return levers outside a set: serving more takes at least one of them. None if the set may serve everything.

        The closed columns first come from the facts without delay, which are the same for all programs. Those with delay prove more, but take longer.
        """
        found = self._refuted_by(amounts, ())
        if found is None and self._later and (self.asked.proofs or self.asked.allowing):
            allowing = frozenset(amounts) & self.asked.allowing
            if (self._shut(allowing, self._later) & ~self._shut(allowing, ())).any():
                return self._refuted_by(amounts, self._later)
        return found

    def _refuted_by(self, amounts: Amounts, later: Delays) -> Members | None:
        """Return the result of `refutes` with the columns that are closed if demand is delayed by `later`.

        Earlier results are reused: duals prove a bound for any ends of rows and columns (weak duality), and a plan that satisfies these ends is a plan.
        """
        upper, row_upper, shut = self._ends(amounts, later)
        for duals in reversed(self._duals):
            if duals.bound(upper, row_upper) > self.asked.sure:
                return self._speaking(duals, shut, amounts)
        if any((x <= upper).all() and (rows <= row_upper[self.first :]).all() for x, rows in reversed(self._plans)):
            return None
        answer = self.optimum(upper, row_upper)
        if answer.outcome is SolverOutcome.INFEASIBLE:
            return self.asked.all - amounts.keys()
        if answer.outcome is not SolverOutcome.OPTIMAL or answer.duals is None or answer.x is None:
            return None
        if answer.objective <= self.asked.sure:
            slack = _SLACK * max(1.0, float(answer.x.max(initial=0.0)))
            rows = self.linear.entries[np.arange(self.first, len(row_upper))] @ answer.x
            self._plans.append((answer.x - slack, rows - slack))
            return None
        duals = _Duals.of(self.linear, self._transposed, answer.duals)
        self._duals.append(duals)
        return self._speaking(duals, shut, amounts)

    def optimum(self, upper: Floats, row_upper: Floats, lower: Floats | None = None) -> SolverAnswer:
        """Solve with these ends of columns and rows, and count it."""
        lower = self.linear.lower if lower is None else lower
        return self.asked.optimum(self._reasked, replace(self.linear, lower=lower, upper=upper, row_upper=row_upper))

    def _ends(self, amounts: Amounts, later: Delays) -> tuple[Floats, Floats, Mask]:
        """Return the ends of columns and rows for amounts of levers, and the columns that are closed without other levers."""
        asked, upper = self.asked, self.linear.upper.copy()
        closed = self._shut(frozenset(amounts) & asked.allowing, later)
        shut = closed & ~np.isin(self.proof, np.array(sorted(amounts), dtype=np.intp))
        held = self.place[self.columns.buy[shut]]
        upper[held[held >= 0]] = 0.0
        return upper, self.ends_of_rows(amounts), shut

    def ends_of_rows(self, amounts: Amounts) -> Floats:
        """Return the upper ends of rows for amounts of levers."""
        row_upper = self.linear.row_upper.copy()
        for row in self.rows:
            row_upper[row.rows] = row.most(amounts)
        return row_upper

    def _speaking(self, duals: _Duals, shut: Mask, amounts: Amounts) -> Members:
        """Return the levers whose absence a proof depends on."""
        active: set[int] = set()
        for row in self.rows:
            if duals.rows[row.rows].any():
                active |= row.levers
        columns = self.place[self.columns.buy]
        missed = shut & (columns >= 0)
        missed[missed] = duals.columns[columns[missed]] < 0
        if missed.any():
            active |= set(self.proof[missed].tolist()) - {-1}
            active |= self.asked.allowing
        return frozenset(active - amounts.keys())

    def _join(self, linear: Linear, short: Ints, wanted: Mask, blocks: Sequence[_Block]) -> None:
        """Add the relevant part of the program, with separate rows for the additions of levers."""
        self.place = np.where(wanted, np.cumsum(wanted) - 1, -1)
        first = np.diff(linear.entries.indptr) > 0
        kept = np.zeros(len(first), dtype=bool)
        kept[first] = wanted[linear.entries.indices[linear.entries.indptr[:-1][first]]]
        rows, columns, values = [linear.entries[kept].rows], [linear.entries[kept].indices], [linear.entries[kept].data]
        number = int(kept.sum())
        for levers, most, of_rows, weights in blocks:
            inside = [of[wanted[of]] for of in of_rows]
            rows += [np.full(len(of), number + i) for i, of in enumerate(inside)]
            columns += inside
            values += [weight[wanted[of]] for of, weight in zip(of_rows, weights, strict=True)]
            self.rows.append(_Row(levers, most, number + np.arange(len(of_rows))))
            number += len(of_rows)
        entries = Entries.summed(
            np.concatenate(rows),
            self.place[np.concatenate(columns)],
            np.concatenate(values),
            (number, int(wanted.sum())),
        )
        more = number - int(kept.sum())
        cost = np.zeros(len(wanted))
        cost[short] = 1.0
        self.linear = Linear(
            cost[wanted], linear.lower[wanted], linear.upper[wanted], np.zeros(int(wanted.sum()), dtype=bool), entries,
            np.append(linear.row_lower[kept], np.full(more, -inf)), np.append(linear.row_upper[kept], np.full(more, inf)),
        )  # fmt: skip
        self._reasked = WarmStartedSolver()
        self.integer = linear.integer[wanted]
        """Integer variables, which the program relaxes."""
        self.first = int(kept.sum())
        """First row of a lever."""
        self._transposed = entries.transposed()

    def _made(self, program: Program) -> Iterator[_Block]:
        """Yield the output of plants by period: without their levers today's capacity, and nothing from offers that don't count today."""
        asked, offers = self.asked, self.problem.offers
        today = {name for facts in asked.base.offers for name in facts.pools}
        counted = {facts.offer.id for facts in asked.base.offers}
        for pool in self.problem.pools:
            levers = frozenset(asked.making.get(pool.facility, ()))
            if not (levers if self.members is None else levers & self.members):
                continue
            told = self.members is not None or pool.facility in today
            own = [o for o in pool.offers if told or self._only(o, pool.facility, counted)]
            of_rows, weights = [], []
            for t in range(self.count):
                columns = [np.array(program.units.get((o, t), []), dtype=np.intp) for o in own]
                use = [
                    np.full(len(some), float(offers[o].offer.capacity_use))
                    for o, some in zip(own, columns, strict=True)
                ]
                of_rows.append(np.concatenate([np.zeros(0, dtype=np.intp), *columns]))
                weights.append(np.concatenate([np.zeros(0), *use]))
            yield levers, partial(asked.capacity, pool.facility), of_rows, weights

    def _only(self, offer: int, facility: str, counted: Collection[str]) -> bool:
        """Return True if an offer counts because of levers for one facility only."""
        facts = self.problem.offers[offer]
        return facts.offer.id not in counted and not any(p in self.asked.making for p in facts.pools if p != facility)

    def _drawn(self) -> Iterator[_Block]:
        """Yield the use of each stock that a lever adds."""
        brought = self.asked.names_of_stocks(self.asked.all if self.members is None else self.members)
        given = [number for number, lot in enumerate(self.problem.lots) if lot.id in brought]
        of_lot = np.array([arc.lot for arc in self.problem.network.arcs], dtype=np.intp)[self.arc]
        for number in given:
            lever = brought[self.problem.lots[number].id]
            columns = self.columns.buy[of_lot == number]
            yield frozenset({lever}), partial(_amount, lever), [columns], [np.ones(len(columns))]

    def _waived(self) -> Iterator[_Block]:
        """Yield the deliveries under each waiver that a lever adds."""
        for name, lever in self.asked.names_of_waivers(
            self.asked.all if self.members is None else self.members
        ).items():
            keys = zip(self.columns.deliver, self.columns.deliver_key, strict=True)
            columns = np.array([column for column, key in keys if name in key[3]], dtype=np.intp)
            yield frozenset({lever}), partial(_amount, lever), [columns], [np.ones(len(columns))]

    def _loosened(self, program: Program, linear: Linear, wanted: Mask, given: Amounts) -> Iterator[_Block]:
        """Yield the rows of limits again, with the ends for smaller amounts of loosening."""
        rules, base = ({rule.id: rule for rule in each.rules} for each in (program.problem, self.asked.base))
        limits = program.limits
        for lever in sorted(i for i in given if self.asked.levers[i].kind is LeverKind.LOOSEN):
            name, by = self.asked.levers[lever].subjects[0], given[lever][0]
            if name not in base or rules[name].loosened - base[name].loosened != by:
                self.loose.add(lever)  # the rule counts its bounds in another unit: they stay as loose as they are
                continue
            rows = zip(limits.program_rows, limits.rows, strict=True)
            own = [(place, row) for place, (rule, row) in rows if rule.id == name]
            upper = [(1.0, place, row.at_most - by) for place, row in own if row.at_most is not None]
            lower = [(-1.0, place, -row.at_least - by) for place, row in own if row.at_least is not None]
            ends = [(sign, linear.entries[np.array([place])], float(end)) for sign, place, end in (*upper, *lower)]
            ends = [(sign, row, end) for sign, row, end in ends if wanted[row.indices].any()]
            most = partial(_loose, lever, np.array([end for _, _, end in ends]))
            yield (
                frozenset({lever}),
                most,
                [row.indices for _, row, _ in ends],
                [sign * row.data for sign, row, _ in ends],
            )

    @cached_method
    def _shut(self, allowing: Members, later: Delays) -> Mask:
        """Return the columns whose purchases have no possible end, with these waivers and licenses alone, without proofs, and with this delay."""
        asked = self.asked
        problem = asked.allowed(allowing, later) if asked.proofs or asked.allowing else None
        return self._buying.none() if problem is None else self._buying.shut(problem, asked.names_of_waivers(allowing))


def _loose(lever: int, most: Floats, amounts: Amounts) -> Floats:
    """Return the ends of a limit's rows, loosened by the lever's amount."""
    return most + float(amounts[lever][0]) if lever in amounts else most


def _amount(lever: int, amounts: Amounts) -> Floats:
    return np.array([float(amounts[lever][0]) if lever in amounts else 0.0])


class Relaxation:
    """Lower bounds on the shortage of some demands with levers."""

    def __init__(
        self,
        facts: LeverFacts,
        demands: Collection[str],
        laid_out: Callable[[Inputs, Problem], tuple[Program, Linear, Ints]],
    ) -> None:
        """Start without a program.

        Args:
            facts: All levers, and the facts without them.
            demands: Demands to serve.
            laid_out: Function that returns the program of some facts for the smallest shortage, with the columns of the shortage.
        """
        self.facts = facts
        self.demands = demands
        self._laid_out = laid_out

    def refuted(self, amounts: Amounts) -> bool:
        """Return True if the demands are provably short with these amounts of some levers."""
        return self._speaking(amounts) is not None

    def _speaking(self, amounts: Amounts) -> Members | None:
        world = self._world(amounts)
        return None if world is None else world.refutes(amounts)

    def widened(self, members: Members, delays: Callable[[Members], Sequence[Amounts]], far: bool) -> Members | None:
        """Return a set of levers that contains some and provably doesn't repair. None if unknown.

        Args:
            members: Levers that the set must contain.
            delays: Function that returns all delays of demand with a set of levers.
            far: True to return a set as large as possible.
        """
        speaking: set[int] = set(self.facts.moving - members)
        for later in delays(members):
            active = self._speaking(self._free(members, later))
            if active is None:
                return None
            speaking |= active
        rest = self.facts.all - members
        found = self.facts.all - (speaking - members)
        doubtful = 0

        def holds(some: Members) -> bool:
            nonlocal doubtful
            tried = delays(some)
            for later in (*tried[doubtful:], *tried[:doubtful]):  # first the one that was no proof the last time
                if not self.refuted(self._free(some, later)):
                    doubtful = tried.index(later)
                    return False
            return True

        if found != members and not holds(found):
            found = members
        if far and holds(found | self.facts.allowing):
            found |= self.facts.allowing
        for lever in sorted(rest - found, key=lambda i: (i not in self.facts.allowing, i)) if far else ():
            if holds(found | {lever}):
                found |= {lever}
        return found

    def _free(self, members: Iterable[int], later: Amounts) -> Amounts:
        return {**{i: self.facts.levers[i].most for i in members}, **later}

    def _world(self, amounts: Amounts) -> LeverProgram | None:
        """Return the program of all levers with the delay of demand in `amounts`. None if they don't form one."""
        later = tuple((i, tuple(amounts[i])) for i in sorted(self.facts.moving & amounts.keys()) if any(amounts[i]))
        return self._world_later(later)

    @cached_method
    def _world_later(self, later: Delays) -> LeverProgram | None:
        free = {i: lever.most for i, lever in enumerate(self.facts.levers) if i not in self.facts.moving}
        try:
            inputs = self.facts.inputs.after(self.facts.changes({**free, **dict(later)}))
            problem = apart(inputs.problem(), self.demands)
        except InputError:
            return None
        return LeverProgram(self.facts, *self._laid_out(inputs, problem), later=later)

    def of_set(
        self, amounts: Amounts, program: Program, linear: Linear, short: Ints, search: SetSearch
    ) -> SetProgram | None:
        """Return the program of amounts of levers, for questions about smaller ones. None if smaller ones change more than the ends of rows."""
        told = MAKES | ALLOWS | {LeverKind.STOCK, LeverKind.LATER, LeverKind.LOOSEN}
        if any(self.facts.levers[i].most and self.facts.levers[i].kind not in told for i in amounts):
            return None
        world = LeverProgram(self.facts, program, linear, short, amounts)
        return None if world.loose else SetProgram(world, program, search)


class SetSearch(Protocol):
    """Comparison of the smallest shortage of a program with integer variables to a sufficient value (`solve.compared`)."""

    def __call__(self, linear: Linear, enough: float, start: Floats | None, /, *, sure: bool) -> SolverAnswer:
        """Return the answer, searched from the choices of a plan. With `sure`, a second solver confirms it."""


class SetProgram:
    """The program of a set of levers whose amounts are only ends of rows."""

    def __init__(self, world: LeverProgram, program: Program, search: SetSearch) -> None:
        self._world, self._program, self._search = world, program, search
        self._plan: Floats | None = None

    @property
    def integer(self) -> bool:
        """True if it has integer variables."""
        return bool(self._world.integer.any())

    @property
    def choices(self) -> Choices:
        """Choices of the last plan."""
        if self._plan is None:
            return {}
        place = self._world.place
        choices = self._program.choices(np.where(place >= 0, self._plan[place], np.nan))
        return {choice: value for choice, value in choices.items() if not isnan(value)}

    def within(self, amounts: Amounts, enough: float) -> bool:
        """Return True if the shortage can be at most `enough`.

        Raises:
            SearchEndedError: If the search is over.
        """
        if self.short(amounts)[0] > enough:
            return False
        if not self.integer or self.short_as_chosen(amounts)[0] <= enough:
            return True
        return self._searched(amounts, enough, sure=True).objective <= enough

    def look_for_plan(self, amounts: Amounts, enough: float) -> None:
        """Search for a plan with a small shortage. It proves nothing, but later questions start from its choices.

        Raises:
            SearchEndedError: If the search is over.
        """
        if self.short_as_chosen(amounts)[0] > enough:
            self._searched(amounts, enough, sure=False)

    def _searched(self, amounts: Amounts, enough: float, *, sure: bool) -> SolverAnswer:
        world = self._world
        linear = replace(world.linear, integer=world.integer, row_upper=world.ends_of_rows(amounts))
        answer = self._search(linear, enough, self._plan, sure=sure)
        self._plan = answer.x if answer.x is not None else self._plan
        return answer

    def short(self, amounts: Amounts, more: Amounts | None = None) -> tuple[float, float]:
        """Return the smallest shortage in kilograms without integrality, and a bound on its decrease with `more`. Infinite if not found."""
        world = self._world
        return self._optimum(amounts, more, world.linear.lower, world.linear.upper)

    def short_as_chosen(self, amounts: Amounts, more: Amounts | None = None) -> tuple[float, float]:
        """Return the result of `short` with the choices of the last plan. Infinite without one."""
        if self._plan is None:
            return inf, 0.0
        world = self._world
        whole = np.clip(np.round(self._plan), world.linear.lower, world.linear.upper)
        lower = np.where(world.integer, whole, world.linear.lower)
        return self._optimum(amounts, more, lower, np.where(world.integer, whole, world.linear.upper))

    def _optimum(self, amounts: Amounts, more: Amounts | None, lower: Floats, upper: Floats) -> tuple[float, float]:
        world = self._world
        row_upper = world.ends_of_rows(amounts)
        answer = world.optimum(upper, row_upper, lower)
        if answer.outcome is not SolverOutcome.OPTIMAL or answer.duals is None:
            return inf, 0.0
        if more is None:
            return answer.objective, 0.0
        before, after, duals = (
            row_upper[world.first :],
            world.ends_of_rows(more)[world.first :],
            answer.duals[world.first :],
        )
        moved = (after != before) & (duals != 0)  # an end may be infinite
        return answer.objective, float(duals[moved] @ (after[moved] - before[moved]))
