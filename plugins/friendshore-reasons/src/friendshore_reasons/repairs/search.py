"""Repairs: every minimal set of levers that serves a shortage in full or resolves a conflict of rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from decimal import ROUND_CEILING, Decimal
from functools import partial
from typing import ClassVar

from friendshore.domain.base import Number, Record, exact
from friendshore.domain.case import Level, Minimize
from friendshore.domain.change import Change
from friendshore.domain.plan import Infeasible, PlanStatus
from friendshore.domain.runtime import report_progress
from friendshore.domain.suggest import did_you_mean
from friendshore.domain.unmet import RunRelaxation
from friendshore.errors import InputError, NoPlanError, VerificationError
from friendshore.explain import described_relaxation
from friendshore.explain.results import (
    Difference,
    Effort,
    QuestionCounter,
    QuestionResult,
    between,
    difference,
    names_of,
    plan_rise,
    shortage,
)
from friendshore.plugins import sentence_of
from friendshore.problem import Problem
from friendshore.program import compile_program
from friendshore.recommend import PlanSource, session_of
from friendshore.session import Answer, Session
from friendshore.solve import Progress, plan_of, solve
from friendshore.verify import verify

from .candidates import levers_for
from .levers import Amounts, Lattice, Lever, LeverBounds, LeverKind, Need
from .trials import SearchEndedError, Trials, least_amounts


class LeverUse(Record):
    """A lever and its amount."""

    kind: LeverKind
    subject: str
    """Id of the demand, rule, offer, facility, or material."""
    name: str
    amount: Number | None
    """Kilograms, kilograms per year, months, or a limit's own unit. None for a yes-no decision."""
    max: Number | None
    """Maximum amount in a repair."""
    unit: str
    """`kg`, `kg/year`, or `months`. Empty for a limit's own unit or a share."""
    today: Number | None = None
    """Value without it, if a capacity is raised or a share of the demand moves."""
    to: Number | None = None
    """Value with it. For shares in several spans of time, the one that changes most."""
    of: str = ""
    """Demand of a waiver, country of a license or of a stock, or owner of the relaxed term."""
    since: date | None = None
    """First day of a waiver whose law bounds how long it runs."""
    until: date | None = None
    relaxed: tuple[RunRelaxation, ...] = ()
    """For a limit: rows that the plan with the repair doesn't keep today."""
    note: str = ""
    """Note: the clause, the missing proof, or the status of a plant."""


class Repair(Record):
    """A minimal set of levers, with the smallest sufficient amount of each."""

    rank: int
    """Rank by cost. 1 is the cheapest."""
    gap: int
    """Position of the repaired gap in `gaps`, counted from 1."""
    uses: tuple[LeverUse, ...]
    changes: tuple[Change, ...]
    """Changes of the case. A scenario with these changes is planned like the repair."""
    cost: Difference | None
    """Rise of the objective in the case's currency, including penalties. For a conflict, the rise above a plan without the conflicting rules. None if no plan
    was found in time.
    """
    cash: Number | None = None
    """Additional cash of the plan, without penalties and not discounted."""
    spent: Number | None
    """Present value of the additional cash."""
    penalty: Number | None = None
    """Rise of the penalties for shortage and violated limits. Negative if they fall."""
    cost_to_serve: Difference | None = None
    """Rise of the objective if the demands are served in full, penalties included, where the cheapest plan rather leaves them short."""
    remaining_kg: Number | None
    """Kilograms that the demands are short in the cheapest plan with these changes. None if no plan was found in time."""
    rounded: bool
    """True if `remaining_kg` is zero, apart from rounding."""
    others_short_kg: dict[str, Number]
    """Material -> additional shortage of other demands in kilograms. Negative if it falls."""
    minimal: bool
    """True if each amount is proved to be the smallest. False if the search ended early."""


class Gap(Record):
    """Short demands of one material, or conflicting rules, with the results of the search."""

    material: str
    """Empty for a conflict."""
    demands: tuple[str, ...]
    short_kg: Number
    """Kilograms short over the plan. For a conflict, the total of its demands."""
    first: str
    last: str
    rules: tuple[str, ...] = ()
    """Minimal set of rules that conflict."""
    sentences: tuple[str, ...] = ()
    """Rules in words, with their source."""
    levers: tuple[LeverUse, ...] = ()
    """Tried levers, each at its bound."""
    costs_more_than_shortage: bool = False
    """True if nothing needs repair: the demands can be served, at a cost above their shortage penalty."""
    cost_to_serve: Difference | None = None
    """Rise of the objective by that, penalties included. None if it wasn't found in time."""
    remaining_kg: Number | None = None
    """Smallest shortage in kilograms with all levers at their bounds. None if unknown, or if rules still conflict."""
    size: int
    """Maximum number of levers in a repair."""
    complete: bool
    """True if these are all repairs. False if the search ended early."""
    stopped: bool = False
    """True if a time limit or the user ended the search, not the number of trials. With more time it may find more."""
    searched: int
    """All repairs with up to this number of levers are known. -1 if even the need for a repair is unproved."""
    tried: int
    """Number of solved programs: of sets of levers and amounts, and of their bounds."""


class Repairs(QuestionResult):
    """Repairs of a plan."""

    TABLES = ("repairs", "gaps")
    DOCUMENT_FUNCTION: ClassVar[str] = "friendshore_reasons.repairs.document:repairs_document"

    currency: str
    gaps: tuple[Gap, ...]
    repairs: tuple[Repair, ...]
    """Repairs by gap, cheapest first."""
    effort: Effort


TRIALS = 10_000
"""Default number of programs that are solved for all repairs, independent of the machine."""
_ROUNDS = 2
"""Number of turns of every search. Quick searches leave trials to the others."""
_TRIES = 4
"""Number of times that an amount is raised by the shortage that rounding left."""
SIZE = 3
"""Default maximum number of levers in a repair."""


def repairs(
    source: PlanSource,
    material: str = "",
    *,
    size: int = SIZE,
    trials: int = TRIALS,
    bounds: LeverBounds | None = None,
    progress: Progress | None = None,
) -> Repairs:
    """Return every minimal repair of every gap of a plan, each proved and priced by a new plan.

    Args:
        source: A recommendation, a session, or a case.
        material: Material of the demands. Empty means all.
        size: Maximum number of levers in a repair.
        trials: Maximum number of programs to solve for all repairs, of sets of levers and amounts. Incomplete results are marked.
        bounds: Bounds of levers.
        progress: Called with the number of finished gaps, of all gaps, and seconds.

    Raises:
        InputError: If no demand is for the material.
    """
    session = session_of(source)
    material = session.inputs.name_of_today("material", material)
    counted = QuestionCounter(session, progress)
    needs = [*_conflicts(session, material), *_shortages(session, material)]
    counted.report_progress(0, len(needs))
    searches = [_RepairSearch(session, need, conflict, bounds or LeverBounds(), size) for need, conflict in needs]
    done = 0
    for _ in range(_ROUNDS):
        waiting = [search for search in searches if not search.complete]
        for position, search in enumerate(waiting):
            trials_left = trials - sum(each.solved for each in searches)
            search.continue_for(
                trials_left // (len(waiting) - position), partial(counted.report_progress, done, len(searches))
            )
            done += search.complete
            counted.report_progress(done, len(searches))
    gaps = [search.gap() for search in searches]
    planned = 0
    ranked_repairs = []
    for position, search in enumerate(searches, 1):
        report_progress(planned, sum(len(each.repairs) for each in searches), "planning repairs", "repairs")
        ranked_repairs += search.priced(counted, position)
        planned += len(search.repairs)
    tried = sum(search.solved for search in searches)
    effort = counted.effort
    effort = effort.but(solved=effort.solved + tried, questions=effort.questions + tried)
    offers = (use.subject for repair in ranked_repairs for use in repair.uses)
    return Repairs(
        currency=session.problem.case.currency,
        gaps=tuple(gaps),
        repairs=tuple(ranked_repairs),
        names=names_of(session.problem, offers),
        effort=effort,
    )


def _shortages(session: Session, material: str) -> Iterator[tuple[Need, Infeasible | None]]:
    problem, plan = session.problem, session.verified.plan
    materials = sorted({d.use.material.id for d in problem.demands})
    if material and material not in materials:
        raise InputError(
            f"the case has no demand for `{material}`",
            found=material,
            expected="a material with demand: " + ", ".join(materials),
            fix=did_you_mean(material, materials),
            code="FS523",
        )
    conflicting = {name for part in plan.infeasible for name in part.demands}
    by_demand: dict[str, list[Decimal]] = {}
    for entry in plan.shorts:
        by_demand.setdefault(entry.demand, [Decimal(0)] * problem.case.horizon.count)[entry.period] += entry.quantity
    for name in [material] if material else materials:
        short = {
            d.id: tuple(by_demand[d.id])
            for d in problem.demands
            if d.use.material.id == name and d.id in by_demand and d.id not in conflicting
        }
        if short:
            yield Need(tuple(short), short), None


def _conflicts(session: Session, material: str) -> Iterator[tuple[Need, Infeasible | None]]:
    for part in session.verified.plan.infeasible:
        if material and material not in part.materials:
            continue
        demands = [d for d in session.problem.demands if d.id in part.demands or d.use.material.id in part.materials]
        names = tuple(d.id for d in demands)
        yield Need(names, {d.id: d.quantity for d in demands}, frozenset(part.rules), frozenset(part.materials)), part


class _RepairSearch:
    """Search for the repairs of one gap."""

    def __init__(
        self, session: Session, need: Need, conflict: Infeasible | None, bounds: LeverBounds, size: int
    ) -> None:
        self.session = session
        self.need = need
        self.conflict = conflict
        self.size = size
        self.levers = levers_for(session, need, bounds)
        self.trials = Trials(session, need, self.levers)
        self.lattice = Lattice(len(self.levers), lambda _: False)
        self.repairs: list[Amounts] = []
        self.is_least: list[bool] = []
        self.left: float | None = None
        self.complete = False
        self.stopped = False

    @property
    def solved(self) -> int:
        return self.trials.solved

    def continue_for(self, more: int, on_solve: Callable[[], object]) -> None:
        """Continue the search for `more` solves, and call `on_solve` before each. Known results don't count."""
        self.trials.until, self.trials.on_solve = self.solved + more, on_solve
        self.repairs.clear()
        self.is_least.clear()
        try:
            self._search()
            self.complete = True
        except SearchEndedError:
            self.complete = False
            self.stopped = self.solved < self.trials.until

    def gap(self) -> Gap:
        problem = self.session.problem
        short = [t for by_period in self.need.short.values() for t, kilograms in enumerate(by_period) if kilograms]
        label = problem.case.horizon.label
        rules = self.conflict.rules if self.conflict is not None else ()
        needs_nothing = any(not amounts for amounts in self.repairs)
        return Gap(
            material="" if self.conflict is not None else min(self._materials),
            demands=self.need.demands,
            short_kg=self.need.kilograms,
            first=label(min(short)) if short else "",
            last=label(max(short)) if short else "",
            rules=rules,
            sentences=tuple(_rule_with_source(problem, name) for name in rules),
            levers=tuple(use for lever in self.levers for use in _lever_uses(lever, lever.max_amounts)),
            costs_more_than_shortage=needs_nothing,
            cost_to_serve=self._cost_of_serving({}) if needs_nothing and self.conflict is None else None,
            remaining_kg=exact(self.left) if self.left is not None and self.left < float("inf") else None,
            size=self.size,
            complete=self.complete,
            stopped=self.stopped,
            searched=self.size if self.complete else self.lattice.searched,
            tried=self.solved,
        )

    def priced(self, counted: QuestionCounter, gap: int) -> list[Repair]:
        repairs = [
            self._repair(amounts, least, counted, gap)
            for amounts, least in zip(self.repairs, self.is_least, strict=True)
            if amounts
        ]
        repairs.sort(key=lambda r: (not r.rounded, r.cost is None, r.cost.value if r.cost else 0, len(r.uses)))
        return [repair.but(rank=rank) for rank, repair in enumerate(repairs, 1)]

    @property
    def _materials(self) -> frozenset[str]:
        return frozenset(d.use.material.id for d in self.session.problem.demands if d.id in self.need.demands)

    def _search(self) -> None:
        amounts_by_set: dict[frozenset[int], Amounts] = {}

        def suffices(members: frozenset[int]) -> bool:
            amounts = self.trials.at_bounds(sorted(members))
            if amounts is not None:
                amounts_by_set[members] = amounts
            return amounts is not None

        self.lattice = Lattice(len(self.levers), suffices, self.trials.widened)
        if not self.lattice.suffices(self.lattice.all):
            self.left = self.trials.best()
            return
        for members in self.lattice.minimal(self.size):
            self.repairs.append(amounts_by_set.get(members, {}))
            self.is_least.append(False)
            self.repairs[-1] = least_amounts(self.trials, self.repairs[-1])
            self.is_least[-1] = True

    def _repair(self, amounts: Amounts, least: bool, counted: QuestionCounter, gap: int) -> Repair:
        counted.questions += 1
        answer, left = self._plan_with(amounts)
        for attempt in range(_TRIES):
            raised = self._slightly_raised(amounts, left * 2**attempt) if left else None
            if raised is None:
                break
            amounts = raised
            counted.questions += 1
            answer, left = self._plan_with(amounts)
        if answer is None:
            left = None
        is_left_short = left is not None and left > self._rounding and self.conflict is None
        rise = plan_rise(self.session, answer) if answer is not None else None
        return Repair(
            rank=0,
            gap=gap,
            uses=tuple(self._uses(amounts, answer)),
            changes=self.trials.changes(amounts),
            cost=difference(answer) if answer is not None else None,
            cash=rise.cash if rise else None,
            spent=rise.spent if rise else None,
            penalty=rise.penalty if rise else None,
            cost_to_serve=self._cost_of_serving(amounts) if is_left_short else None,
            remaining_kg=left,
            rounded=left is not None and left <= self._rounding,
            others_short_kg=self._other_shortages(answer) if answer is not None else {},
            minimal=least,
        )

    def _uses(self, amounts: Amounts, answer: Answer | None) -> Iterator[LeverUse]:
        for i in sorted(amounts):
            relaxed: tuple[RunRelaxation, ...] = ()
            if self.levers[i].kind is LeverKind.LOOSEN and answer is not None:
                relaxed = self._relaxed_rows(self.levers[i].subjects[0], amounts[i][0], answer)
            yield from (use.but(relaxed=relaxed) for use in _lever_uses(self.levers[i], amounts[i]) if use.amount != 0)

    def _relaxed_rows(self, rule: str, by: Decimal, answer: Answer) -> tuple[RunRelaxation, ...]:
        """Return the rows of a loosened limit that the plan with a repair doesn't keep today."""
        currency = self.session.problem.case.currency
        readings = [reading for part in answer.after for reading in part.verified.readings if reading.rule.id == rule]
        return tuple(described_relaxation(reading, by, currency) for reading in readings if reading.exceeds_before(by))

    def _plan_with(self, amounts: Amounts) -> tuple[Answer | None, Decimal | None]:
        """Return the plan with a repair and its shortage. None if time is up before a plan shows it."""
        if self.session.stopped:
            return None, None
        try:
            answer = self.session.what_if(*self.trials.changes(amounts))
        except NoPlanError:
            return None, None
        except VerificationError:
            # A plan that violates a rule by a rounding error counts as short by a step of the resolution.
            if self._slightly_raised(amounts, self.session.problem.case.resolution) is None:
                raise
            return None, self.session.problem.case.resolution
        planned_materials = frozenset().union(*(part.members for part in answer.after))
        if not self._materials <= planned_materials:
            return None, None  # the changes do not reach the demands: nothing is shown
        shortage_after = shortage(answer)
        left = sum((shortage_after.get(name, Decimal(0)) for name in self.need.demands), Decimal(0))
        if any(self._persists(part) for part in answer.infeasible):
            return None, None
        if left > self._rounding and any(part.plan.status is not PlanStatus.OPTIMAL for part in answer.after):
            return None, None  # what a search that was ended leaves short says nothing
        return answer, left

    def _persists(self, conflict: Infeasible) -> bool:
        """Return True if the conflict of a changed plan is one that the changes were meant to end."""
        return bool(set(conflict.demands) & set(self.need.demands) or set(conflict.rules) & self.need.rules)

    def _cost_of_serving(self, amounts: Amounts) -> Difference | None:
        """Return the rise of the objective if the demands are served at any cost: their shortage is ranked first."""
        session = self.session
        if session.stopped:
            return None
        inputs = session.inputs.after(self.trials.changes(amounts))
        shortage_first = Level(minimize=Minimize.SHORTAGE, of=self.need.demands)
        case = inputs.case.but(objectives=(shortage_first, *inputs.case.objectives))
        problem = replace(inputs, case=case).problem()
        program = compile_program(problem)
        limits = replace(session.limits, seconds=session.limits.next_seconds(), until=None)
        try:
            solution = solve(program, limits, None, session.cancel, session.answers, session.choices)
        except NoPlanError:
            return None
        plan = verify(problem, plan_of(program, solution))
        short = sum((entry.quantity for entry in plan.plan.shorts if entry.demand in self.need.demands), Decimal(0))
        if short > self._rounding or plan.plan.infeasible:
            return None
        before = session.verified
        ranked = bool(session.problem.case.objectives)
        low = Decimal("-Infinity") if ranked else plan.plan.bound - before.plan.objective
        high = Decimal("Infinity") if ranked else plan.plan.objective - before.plan.bound
        return between(plan.cost.objective - before.cost.objective, low, high, plan.cost.objective)

    @property
    def _rounding(self) -> Decimal:
        case = self.session.problem.case
        return 10 * case.resolution * case.horizon.count

    def _slightly_raised(self, amounts: Amounts, left: Decimal) -> Amounts | None:
        """Return a little more of the last lever with an amount, if only rounding leaves a shortage. None otherwise."""
        raisable = [i for i in amounts if self.levers[i].max_amounts and not self.levers[i].tried_one_by_one]
        if not raisable or left > self._rounding:
            return None
        last = max(raisable)
        lever = self.levers[last]
        amount = amounts[last][0] + lever.step * (left / lever.step).to_integral_value(ROUND_CEILING)
        return {**amounts, last: (amount,)} if amount <= lever.max_amounts[0] else None

    def _other_shortages(self, answer: Answer) -> dict[str, Decimal]:
        """Return the additional shortage of other demands by material in kilograms. Negative if it falls."""
        before, after = shortage(answer, after=False), shortage(answer)
        rise_by_material: dict[str, Decimal] = {}
        for demand in self.session.problem.demands:
            if demand.id not in self.need.demands:
                name, zero = demand.use.material.id, Decimal(0)
                rise = after.get(demand.id, zero) - before.get(demand.id, zero)
                rise_by_material[name] = rise_by_material.get(name, zero) + rise
        return {name: kg for name, kg in sorted(rise_by_material.items()) if abs(kg) > self._rounding}


def _lever_uses(lever: Lever, amounts: Sequence[Decimal]) -> Iterator[LeverUse]:
    for position, subject in enumerate(lever.subjects):
        yield LeverUse(
            kind=lever.kind,
            subject=subject,
            name=lever.name or subject,
            amount=amounts[position] if amounts else None,
            max=lever.max_amounts[position] if lever.max_amounts else None,
            unit=lever.unit,
            today=lever.today,
            to=_value_with(lever, amounts),
            of=lever.of,
            since=lever.since,
            until=lever.until,
            note=lever.note,
        )


def _value_with(lever: Lever, amounts: Sequence[Decimal]) -> Decimal | None:
    if lever.today is None:
        return None
    return exact(lever.today + (amounts[0] / lever.base if lever.base else amounts[0]))


def _rule_with_source(problem: Problem, name: str) -> str:
    """Return a rule in words with its source, or the name of a store, which isn't a rule."""
    rule = next((rule for rule in problem.rules if rule.id == name), None)
    if rule is None:
        return name
    return sentence_of(rule) + (f" ({rule.citation})" if rule.citation else "")
