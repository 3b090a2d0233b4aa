"""The program in which all levers are at their bounds, what each of them brings to it, and what its duals prove of sets of levers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import inf

import numpy as np

from friendshore.program import Program
from friendshore.program.matrix import Entries, Floats, Ints, Linear, Mask
from friendshore.solve import Reasked, SolverAnswer, SolverOutcome
from friendshore.solve.components import column_labels

from .closings import Closings
from .lever_facts import Delays, LeverFacts
from .levers import Amounts, LeverKind, Members

_SLACK = 1e-9
"""By how much of its largest quantity a plan may miss an end."""
_NEVER = 1e15
"""Kilograms in the place of no limit."""
_DUAL = 1e-9
"""Duals and reduced costs below this, in kilograms short by kilogram, are none."""
_Most = Callable[[Amounts], Floats]
"""Ends of rows by the amounts of levers."""
_Block = tuple[Members, _Most, list[Ints], list[Floats]]
"""Levers, the ends of some rows, and the columns of each with their weights."""


@dataclass(frozen=True, slots=True, eq=False)
class _Duals:
    """A proof of what is short at least: multipliers of all rows, with what they leave of each column's cost."""

    rows: Floats
    """Below zero, of the upper ends; zero elsewhere."""
    columns: Floats
    """Likewise."""
    fixed: float
    """What the lower ends come to."""

    @classmethod
    def of(cls, linear: Linear, transposed: Entries, found: Floats) -> _Duals:
        """From the multipliers that a solver found."""
        y = np.where(np.abs(found) < _DUAL, 0.0, found)
        reduced = linear.cost - transposed @ y
        reduced[np.abs(reduced) < _DUAL] = 0.0
        ends = ((np.maximum(y, 0.0), linear.row_lower), (np.maximum(reduced, 0.0), linear.lower))
        fixed = sum(float(weight[weight > 0] @ np.maximum(end[weight > 0], -_NEVER)) for weight, end in ends)
        return cls(np.minimum(y, 0.0), np.minimum(reduced, 0.0), fixed)

    def bound(self, upper: Floats, row_upper: Floats) -> float:
        """No plan within these ends is short of less."""
        of_rows = float(self.rows @ np.minimum(row_upper, _NEVER))
        return self.fixed + of_rows + float(self.columns @ np.minimum(upper, _NEVER))


@dataclass(frozen=True, slots=True)
class _Row:
    """What some columns come to, with the levers that it takes for more than nothing of it."""

    levers: Members
    most: _Most
    rows: Ints
    """Its places in the program, one a period."""


class LeverProgram:
    """The program in which all levers are at their bounds, and what of it each lever brings."""

    def __init__(
        self,
        asked: LeverFacts,
        program: Program,
        linear: Linear,
        short: Ints,
        amounts: Amounts | None = None,
        later: Delays = (),
    ) -> None:
        """The program of all levers at their bounds, with demand wanted `later`; or of so much of some, by whose amounts alone it is then asked."""
        self._later = later
        self.asked = asked
        self.members = None if amounts is None else frozenset(amounts)
        self.loose: set[int] = set()
        """Levers that loosen limits whose rows do not show how far."""
        self.problem = program.problem
        self.columns = program.columns
        self.count = self.problem.case.horizon.count
        self._buying = Closings(program, asked.names_of_waivers(asked.all))
        self._closed: dict[tuple[Members, Delays], Mask] = {}
        self._duals: list[_Duals] = []
        """Proofs that something is short."""
        self._plans: list[tuple[Floats, Floats]] = []
        """Plans that leave nothing short, with what the rows of levers come to in them."""
        arcs = self.problem.network.arcs
        self.arc = self._buying.arc
        proof = np.array(
            [asked.proofs.get(arc.chained.offer.id, -1) if arc.lot < 0 else -1 for arc in arcs], dtype=np.intp
        )
        self.proof: Ints = proof[self.arc]
        """Of every column that buys, the proof that would let it pass; -1: none."""
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
        """The levers that would have to be added to so much of some for more to be served; None where all may be served as it is.

        What is closed is first read off facts without delay, which are the same for all programs. Those with it tell more, and take longer.
        """
        found = self._refuted_by(amounts, ())
        if found is None and self._later and (self.asked.proofs or self.asked.allowing):
            allowing = frozenset(amounts) & self.asked.allowing
            if (self._shut(allowing, self._later) & ~self._shut(allowing, ())).any():
                return self._refuted_by(amounts, self._later)
        return found

    def _refuted_by(self, amounts: Amounts, later: Delays) -> Members | None:
        """The same, with what is closed if demand is wanted so much later.

        What was found before is looked at first: duals prove a bound whatever the ends of rows and columns are (weak duality), and a plan
        that keeps to these is one.
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
        """The optimum with these ends of columns and rows, counted."""
        lower = self.linear.lower if lower is None else lower
        return self.asked.optimum(self._reasked, replace(self.linear, lower=lower, upper=upper, row_upper=row_upper))

    def _ends(self, amounts: Amounts, later: Delays) -> tuple[Floats, Floats, Mask]:
        """The ends of columns and rows with so much of some levers, and which columns that buy are closed for want of others."""
        asked, upper = self.asked, self.linear.upper.copy()
        closed = self._shut(frozenset(amounts) & asked.allowing, later)
        shut = closed & ~np.isin(self.proof, np.array(sorted(amounts), dtype=np.intp))
        held = self.place[self.columns.buy[shut]]
        upper[held[held >= 0]] = 0.0
        return upper, self.ends_of_rows(amounts), shut

    def ends_of_rows(self, amounts: Amounts) -> Floats:
        """The upper ends of rows with so much of some levers."""
        row_upper = self.linear.row_upper.copy()
        for row in self.rows:
            row_upper[row.rows] = row.most(amounts)
        return row_upper

    def _speaking(self, duals: _Duals, shut: Mask, amounts: Amounts) -> Members:
        """Levers of whose absence a proof speaks."""
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
        """The part of the program that what is short has to do with, with rows of its own for what levers bring."""
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
        self._reasked = Reasked()
        self.integer = linear.integer[wanted]
        """The integer variables, which are left aside in the program."""
        self.first = int(kept.sum())
        """The first row of a lever."""
        self._transposed = entries.transposed()

    def _made(self, program: Program) -> Iterator[_Block]:
        """What plants make, period by period: with none of their levers what they can make today, and nothing of offers that do not count today."""
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
        """Whether an offer counts because of levers about one facility, and of no other."""
        facts = self.problem.offers[offer]
        return facts.offer.id not in counted and not any(p in self.asked.making for p in facts.pools if p != facility)

    def _drawn(self) -> Iterator[_Block]:
        """What is drawn of each stock that a lever brings."""
        brought = self.asked.names_of_stocks(self.asked.all if self.members is None else self.members)
        given = [number for number, lot in enumerate(self.problem.lots) if lot.id in brought]
        of_lot = np.array([arc.lot for arc in self.problem.network.arcs], dtype=np.intp)[self.arc]
        for number in given:
            lever = brought[self.problem.lots[number].id]
            columns = self.columns.buy[of_lot == number]
            yield frozenset({lever}), partial(_amount, lever), [columns], [np.ones(len(columns))]

    def _waived(self) -> Iterator[_Block]:
        """What is delivered under each waiver that a lever brings."""
        for name, lever in self.asked.names_of_waivers(
            self.asked.all if self.members is None else self.members
        ).items():
            keys = zip(self.columns.deliver, self.columns.deliver_key, strict=True)
            columns = np.array([column for column, key in keys if name in key[3]], dtype=np.intp)
            yield frozenset({lever}), partial(_amount, lever), [columns], [np.ones(len(columns))]

    def _loosened(self, program: Program, linear: Linear, wanted: Mask, given: Amounts) -> Iterator[_Block]:
        """The rows of limits, once more, with the ends that they have if less of a limit is loosened."""
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

    def _shut(self, allowing: Members, later: Delays) -> Mask:
        """Columns that buy what nothing may end in with these waivers and licences alone, and no proof, if demand is wanted so much later."""
        if (allowing, later) not in self._closed:
            asked = self.asked
            problem = asked.allowed(allowing, later) if asked.proofs or asked.allowing else None
            names = asked.names_of_waivers(allowing)
            found = self._buying.none() if problem is None else self._buying.shut(problem, names)
            self._closed[allowing, later] = found
        return self._closed[allowing, later]


def _loose(lever: int, most: Floats, amounts: Amounts) -> Floats:
    """Ends of a limit's rows, loosened by so much of a lever as is used."""
    return most + float(amounts[lever][0]) if lever in amounts else most


def _amount(lever: int, amounts: Amounts) -> Floats:
    """So much of a lever as is used."""
    return np.array([float(amounts[lever][0]) if lever in amounts else 0.0])
