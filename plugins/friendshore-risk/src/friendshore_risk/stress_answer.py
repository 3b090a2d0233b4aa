"""The answer to `stress`: the cost of each loss, and the cheapest plan from which every loss can be met."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import ClassVar

import numpy as np

from friendshore.domain.base import Number, Record, exact, totals
from friendshore.domain.change import Change
from friendshore.domain.plan import Plan, PlanStatus
from friendshore.domain.time import Horizon, add_months
from friendshore.errors import InputError, VerificationError
from friendshore.explain.results import (
    Counted,
    Difference,
    Effort,
    QuestionResult,
    between,
    difference,
    names_of,
    short_more,
)
from friendshore.problem.demands import round_to
from friendshore.problem.parts import Members
from friendshore.program import Program
from friendshore.program.decode import decode
from friendshore.program.matrix import Floats, Ints, Linear
from friendshore.recommend import PlanSource, session_of
from friendshore.session import Answer, Session
from friendshore.session.decided import foreseen, keep_decisions
from friendshore.solve import Progress, Solution, SolverAnswer, SolverOutcome, optimum, split
from friendshore.verify import VerifiedPlan, examine, verify

from .loss_program import TwoStage, closed_by, decided_before, kept_ready, with_shortage_bounds
from .losses import KINDS, Loss, LossKind, losses


class Shortfall(Record):
    """Change of the shortage of a material relative to the plan as it is."""

    material: str
    kilograms: Number
    """Over the plan and all its demands. Negative if it falls."""


class Stressed(Record):
    """The plan after one loss."""

    loss: Loss
    rise: Difference
    """Rise of the objective: money spent and priced shortage."""
    cash: Number
    """Rise of the cash spent. Negative if unavailable goods aren't paid for."""
    spent: Number
    """Present value of the rise of cash."""
    shortage: Number
    """Rise of the penalty for shortage."""
    penalties: Number = Decimal(0)
    """Rise of the penalties for violated soft limits."""
    short: tuple[Shortfall, ...]
    """Materials with a changed shortage, by name."""
    conflict: tuple[str, ...] = ()
    """Rules that conflict after the loss. Their part then isn't planned, and `rise` covers the rest."""
    beyond: Number | None = None
    """For two countries together, the rise beyond the sum of both alone. None for one, or if unknown."""
    tied: bool = False
    """True if the proved bounds allow it to rank below the next."""


class Stress(QuestionResult):
    """The plan without each dependency, the most expensive loss first."""

    TABLES: ClassVar[tuple[str, ...]] = ("losses", "pairs")
    DOCUMENT_FUNCTION: ClassVar[str] = "friendshore_risk.stress:stress_document"

    currency: str
    start: date
    """First day from which lost offers take no orders. Earlier orders still arrive."""
    objective: Number
    """Present value of spend and penalties in the plan as it is."""
    cash: Number = Decimal(0)
    """Cash that the plan as it is spends."""
    everything: bool
    """True if all possible suppliers were removed in turn. False if only those with purchases in the plan."""
    losses: tuple[Stressed, ...]
    """Single losses."""
    pairs: tuple[Stressed, ...]
    """Every pair of countries with purchases in the plan."""
    unasked: int
    """Losses not evaluated, because the user ended the search."""
    decided_before: date | None = None
    """Orders before this day stay as they are after each loss. None if everything is replanned."""
    foreseen: bool = False
    """True if plans know of a loss in advance and may buy ahead of it."""
    effort: Effort


def stress(
    source: PlanSource,
    *,
    kinds: Sequence[LossKind] = KINDS,
    everything: bool = False,
    pairs: bool = True,
    start: date | None = None,
    decided_before: date | None = None,
    progress: Progress | None = None,
) -> Stress:
    """Return new plans without each dependency, verified, ranked by the cost of the loss.

    The loss is known from the start. Everything is replanned, including earlier periods, except decided orders. An offer is closed in every
    period that the loss reaches, so that a loss within a period counts for all of it.

    Args:
        source: A recommendation, a session, or a case.
        kinds: Kinds of losses.
        everything: True to remove all possible suppliers, not only those with purchases in the plan.
        pairs: True to remove also every pair of countries with purchases in the plan.
        start: First day of the loss. None means the day before which all is decided, or the first day of the plan.
        decided_before: Day before which orders stay as they are. None if each plan knows of its loss from the start.
        progress: Called with the number of answered questions, of all questions, and seconds.

    Raises:
        InputError: If a loss begins before decisions end.
        SolverError: If a solver fails.
        VerificationError: If a plan fails verification.
    """
    session = session_of(source)
    day = start or decided_before or session.problem.case.horizon.start
    if decided_before is not None:
        if day < decided_before:
            message, expected = "a loss begins before the day before which all is decided", f"{decided_before} or later"
            raise InputError(message, found=str(day), expected=expected, fix=f"--from {decided_before}")
        session = keep_decisions(session, decided_before)
    counted = Counted(session, progress)
    asked = losses(session, kinds, everything=everything, pairs=pairs)
    found = []
    for number, loss in enumerate(asked, 1):
        if session.stopped:
            break
        counted.questions += 1
        found.append(_stressed(session, loss, session.what_if(*loss.changes(day))))
        counted.told(number, len(asked))
    alone = [each for each in found if len(each.loss.names) == 1]
    return Stress(
        currency=session.problem.case.currency,
        names=names_of(session.problem, ()),
        start=day,
        objective=session.verified.cost.objective,
        cash=session.verified.cost.nominal,
        everything=everything,
        losses=_ranked(alone),
        pairs=_ranked([_beside(each, alone) for each in found if len(each.loss.names) > 1]),
        unasked=len(asked) - len(found),
        decided_before=decided_before,
        foreseen=decided_before is None and foreseen(session, [day]) is not None,
        effort=counted.effort,
    )


def _stressed(session: Session, loss: Loss, answer: Answer) -> Stressed:
    known = {rule for part in session.verified.plan.infeasible for rule in part.rules}
    conflict = {rule for part in answer.infeasible for rule in part.rules}
    rise = difference(answer)
    if any(part.plan.infeasible for part in (*answer.before, *answer.after)):  # of the rest alone, which proves nothing
        rise = rise.but(low=None, high=None, proved=False)
    return Stressed(
        loss=loss,
        rise=rise,
        cash=answer.rise.nominal,
        spent=answer.rise.total,
        shortage=answer.rise.shortage,
        penalties=answer.rise.penalties,
        short=shortfalls(session, answer),
        conflict=tuple(sorted(conflict - known)),
    )


def _beside(pair: Stressed, alone: Sequence[Stressed]) -> Stressed:
    """Return a loss of two countries with the rise beyond the sum of both alone, if those were evaluated."""
    rises = {word: each.rise.value for each in alone if not each.conflict for word in _words(each.loss)}
    apart = [rises.get(f"country {name}") for name in pair.loss.names]
    known = [rise for rise in apart if rise is not None]
    if pair.conflict or len(known) < len(apart):
        return pair
    return pair.but(beyond=exact(pair.rise.value - sum(known, Decimal(0))))


def _words(loss: Loss) -> list[str]:
    return [*(f"{kind} {loss.name}" for kind in loss.by), *loss.also]


def shortfalls(session: Session, answer: Answer) -> tuple[Shortfall, ...]:
    """Return the additional shortage after some changes, by material."""
    return tuple(Shortfall(material=name, kilograms=kg) for name, kg in short_more(session, answer).items())


def _ranked(found: Sequence[Stressed]) -> tuple[Stressed, ...]:
    """Return losses that cause conflicts of rules, then the others, the most expensive first. Overlapping neighbors are marked."""
    ranked = sorted(found, key=lambda each: (not each.conflict, -each.rise.value, each.loss.names))
    tied = [_may_swap(one, other) for one, other in pairwise(ranked)]
    return tuple(each.but(tied=True) if tie else each for each, tie in zip(ranked, [*tied, False], strict=False))


def _may_swap(one: Stressed, other: Stressed) -> bool:
    """Return True if the second may in truth be more expensive than the first."""
    if one.rise.proved and other.rise.proved:
        return False
    low, high = one.rise.low, other.rise.high
    return low is None or high is None or low < high


class LossMet(Record):
    """One loss under the plan as it is and under the insured one."""

    loss: Loss
    exposed: tuple[Shortfall, ...]
    """Smallest additional shortage if the plan as it is stays in place until the loss."""
    met: bool
    """True if the insured plan increases no shortage after the loss, to within one step of the resolution per period. The plan after the loss
    has the same orders before it and is verified on the facts after it.
    """
    costs: Number | None
    """Rise of the insured plan's objective after the loss. None if unknown or unverified."""
    unmet: tuple[Shortfall, ...] = ()
    """Smallest additional shortage in kilograms with any decisions before the loss, for demand that can't be met."""
    reason: str = ""
    """Reason if it isn't met."""


class Ordered(Record):
    """Orders of an offer before the loss, common to all losses."""

    offer: str
    kilograms: Number
    """Under the insured plan."""
    today: Number
    """Under the plan as it is."""
    new: bool
    """True if the plan as it is never buys from the offer."""


class KeptReady(Record):
    """An offer onboarded only for a possible loss."""

    offer: str
    cost: Number
    """Discounted cost of its onboarding and take-or-pay."""


class Ready(Record):
    """Stock and open orders when the loss begins."""

    material: str
    kilograms: Number
    """Under the insured plan."""
    today: Number
    """Under the plan as it is."""


class StockNeeded(Record):
    """Stock of a material that would make every loss harmless by itself."""

    material: str
    kilograms: Number
    """Stock on hand at the loss, lawful for every use: the largest shortage of any one loss."""
    loss: str
    """The loss with that shortage."""
    holding: Number | None
    """Yearly cost of holding it in the most expensive period. None if the case has no holding rate."""
    proved: bool
    """True if a verified new plan with it in stock has no additional shortage after any single loss."""


class Insurance(QuestionResult):
    """Cost of insurance: no single loss leaves more shortage than the plan as it is."""

    TABLES: ClassVar[tuple[str, ...]] = ("losses", "stock", "ordered", "ready")
    DOCUMENT_FUNCTION: ClassVar[str] = "friendshore_risk.stress:insurance_document"

    currency: str
    by: LossKind
    start: date
    """First day of the loss, which lasts to the end of the plan. The lost one is unknown before that day."""
    objective: Number
    """Objective of the plan as it is."""
    premium: Difference
    """Additional cost of the insured plan without a loss."""
    losses: tuple[LossMet, ...]
    """Losses with a shortage in the plan as it is or that aren't met, then all others, by name."""
    ordered: tuple[Ordered, ...]
    """Offers with other orders before the loss in the insured plan, those with the largest difference first."""
    onboarded: tuple[KeptReady, ...]
    """Offers onboarded for a possible loss, without purchases if there is none. The premium includes their cost."""
    ready: tuple[Ready, ...]
    """Materials with a changed stock, including open orders, when the loss begins."""
    stock: tuple[StockNeeded, ...]
    """Stock that would replace an insured plan."""
    effort: Effort


Kilograms = dict[str, Decimal]
"""Kilograms by material."""
_NOTHING = 1e-6
"""Kilograms within a solver's tolerance."""


@dataclass(eq=False)
class InsuredPart:
    """The columns of a part's plan that meets its losses, and of the decisions after each."""

    program: Program
    x: Floats
    """Values without a loss."""
    today: Floats
    """Values of the plan as it is."""
    bound: float
    """Lower bound on the cost of plans that meet the same losses."""
    today_bound: float
    """Lower bound on the cost of all plans."""
    rise: tuple[float, float]
    """Lower and upper bound on its cost above that of the cheapest plan."""
    closed: Mapping[int, Ints]
    """Loss -> columns that it closes. Empty if the loss doesn't affect the part."""
    unmet: dict[int, Kilograms] = field(default_factory=dict)
    """Loss -> smallest additional shortage with any decisions before it, which can't be insured."""
    exposed: dict[int, Kilograms] = field(default_factory=dict)
    """Loss -> smallest additional shortage if the plan as it is stays in place until the loss."""
    together: set[int] = field(default_factory=set)
    """Losses that can be met one by one, but not together with the others."""
    conflicts: set[int] = field(default_factory=set)
    """Losses after which rules conflict with any decisions before them."""
    unknown: set[int] = field(default_factory=set)
    """Losses whose search a limit ended."""
    _pieces: dict[int, list[tuple[Ints, Floats]]] = field(default_factory=dict)

    def after(self, loss: int) -> Floats:
        """Return the values of all columns after a loss. They are meaningless after a loss with conflicting rules or an unknown one."""
        found = self.x.copy()
        for columns, values in self._pieces.get(loss, ()):
            found[columns] = values
        return found

    def keep(self, loss: int, columns: Ints, values: Floats) -> None:
        """Store the values of some columns after a loss."""
        self._pieces.setdefault(loss, []).append((columns, values))


def insure_part(
    session: Session, program: Program, today: Solution, losses: Mapping[int, frozenset[str]], period: int
) -> InsuredPart | None:
    """Return the cheapest plan of a part that meets every loss that can be met. None if rules conflict today.

    Each loss removes some offers from `period` on.

    Raises:
        SolverError: If a solver fails.
    """
    if today.conflicts:
        return None
    closed = {loss: closed_by(program, offers, period) for loss, offers in losses.items()}
    found = InsuredPart(program, today.x.copy(), today.x, today.bound, today.bound, (0.0, 0.0), closed)
    bounded = with_shortage_bounds(program, today.x)
    shared = decided_before(program, period)
    own_rows = program.linear.entries.shape[0]
    for part in split(bounded):
        here = {loss: np.flatnonzero(np.isin(part.columns, columns)) for loss, columns in closed.items()}
        here = {loss: columns for loss, columns in here.items() if part.linear.upper[columns].any()}
        if here:
            rows = np.flatnonzero(part.rows >= own_rows)
            demands = (part.rows[rows] - own_rows).tolist()
            materials = [program.problem.demands[demand].use.material.id for demand in demands]
            stage = TwoStage(part.linear, shared[part.columns], rows)
            _Component(session, found, stage, part.columns, materials, here).insure()
    return found


class _Component:
    """A connected part, with the losses that close any of its columns."""

    def __init__(
        self,
        session: Session,
        found: InsuredPart,
        stage: TwoStage,
        columns: Ints,
        materials: Sequence[str],
        closed: Mapping[int, Ints],
    ) -> None:
        self.session, self.found, self.stage = session, found, stage
        self.columns, self.materials, self.closed = columns, materials, closed

    def insure(self) -> None:
        """Solve it and store the results."""
        today = self.found.today[self.columns]
        for loss, columns in self.closed.items():
            exposed = self._solved(self.stage.afterwards(today, columns, "least"))
            _add(self.found.exposed, loss, self._short(exposed))
        before = self._solved(self.stage.linear)
        met = list(self.closed)
        answer = self._insured(met)
        if answer.x is None:
            met, answer = self._all_that_can_be()
        if answer.x is None or before.x is None:
            self.found.unknown.update(self.closed)
            return
        own = answer.x[: len(self.columns)]
        self.found.x[self.columns] = own
        self.found.bound += answer.bound - before.bound
        low, high = self.found.rise
        self.found.rise = low + answer.bound - before.objective, high + answer.objective - before.bound
        for loss, columns in self.closed.items():
            after = self._solved(self.stage.afterwards(own, columns, "bounded" if loss in met else "priced"))
            if after.x is not None:
                self.found.keep(loss, self.columns, self.stage.completed(own, after.x))
            elif loss in met:
                self.found.keep(loss, self.columns, self.stage.second(answer.x, met.index(loss)))
            else:
                self.found.conflicts.add(loss)

    def _all_that_can_be(self) -> tuple[list[int], SolverAnswer]:
        """Return the losses that can be met together, with their plan. Losses that can't be met by any plan are left out first."""
        able = [loss for loss in self.closed if self._can_be_met(loss)]
        answer = self._insured(able)
        if answer.x is not None:
            return able, answer
        met: list[int] = []
        answer = self._insured(met)
        for loss in able:
            more = self._insured([*met, loss])
            if more.x is None:
                denied = more.outcome is SolverOutcome.INFEASIBLE
                (self.found.together if denied else self.found.unknown).add(loss)
            else:
                met, answer = [*met, loss], more
        return met, answer

    def _can_be_met(self, loss: int) -> bool:
        """Return True if decisions before a loss can meet it. Otherwise store its smallest shortage."""
        answer = self._solved(self.stage.least_short(self.closed[loss]))
        if answer.outcome is SolverOutcome.INFEASIBLE:
            self.found.conflicts.add(loss)
        elif answer.x is None or (answer.bound <= _NOTHING < answer.objective):
            self.found.unknown.add(loss)
        elif answer.objective > _NOTHING:
            _add(self.found.unmet, loss, self._short(answer))
        else:
            return True
        return False

    def _insured(self, losses: Sequence[int]) -> SolverAnswer:
        return self._solved(self.stage.insured([self.closed[loss] for loss in losses]))

    def _short(self, answer: SolverAnswer) -> Kilograms:
        """Return the additional shortage in kilograms by material: the last columns of an elastic program."""
        found: Kilograms = {}
        if answer.x is not None:
            beyond = answer.x[len(answer.x) - len(self.materials) :].tolist()
            for material, value in zip(self.materials, beyond, strict=True):
                if value > _NOTHING:
                    found[material] = found.get(material, Decimal(0)) + exact(value)
        return found

    def _solved(self, linear: Linear) -> SolverAnswer:
        return optimum(linear, self.session.limits, self.session.cancel, self.session.answers)


def _add(table: dict[int, Kilograms], loss: int, short: Kilograms) -> None:
    for material, kilograms in short.items():
        by_material = table.setdefault(loss, {})
        by_material[material] = by_material.get(material, Decimal(0)) + kilograms


Touched = tuple[Program, Solution, Mapping[int, frozenset[str]]]
"""Program of a part, its cheapest plan, and the offers that each loss removes."""


def first_loss(horizon: Horizon) -> date:
    """Return the default date of a loss: the first period that begins a year or more after the plan's start, or the middle if that is earlier."""
    year = [period.index for period in horizon.periods if period.start >= add_months(horizon.start, 12)]
    return horizon.periods[min([*year, horizon.count // 2])].start


def insurance(
    source: PlanSource,
    *,
    by: LossKind = "supplier",
    start: date | None = None,
    stock: bool = True,
    progress: Progress | None = None,
) -> Insurance:
    """Return the cheapest plan from which each loss can be met, with its cost above the cheapest plan.

    A loss is met if no demand is shorter over the plan than in the plan as it is. All possible suppliers may be lost, each alone, since the
    insured plan may depend on others than the plan as it is.

    Args:
        source: A recommendation, a session, or a case.
        by: Kind of losses.
        start: First day of the loss. See `first_loss`.
        stock: True to find the equivalent stock too.
        progress: Called after every step.

    Raises:
        InputError: If the case ranks objectives, because a premium concerns cost alone.
        SolverError: If a solver fails.
        VerificationError: If a plan fails verification.
    """
    session = session_of(source)
    if session.problem.objectives:
        raise InputError("a premium is told for cost alone, and the case ranks objectives", column="objective")
    horizon = session.problem.case.horizon
    day = start or first_loss(horizon)
    period = horizon.find(day)
    if period is None:
        raise InputError("the loss begins outside the plan", found=str(day), expected=f"a day of {horizon.span}")
    return _Insuring(session, by, horizon.periods[period].start, period, progress).told(stock)


@dataclass(frozen=True, slots=True, eq=False)
class Carried:
    """A plan, with or without a loss."""

    verified: VerifiedPlan
    ready: Mapping[str, Decimal]
    """Cost of onboarded offers without purchases."""

    @property
    def objective(self) -> Decimal:
        """Total cost."""
        return exact(self.verified.cost.objective + sum(self.ready.values(), _NONE))


class _Insuring:
    def __init__(self, session: Session, by: LossKind, day: date, period: int, progress: Progress | None) -> None:
        self.session, self.by, self.day, self.period = session, by, day, period
        self.counted, self.done = Counted(session, progress), 0
        self.losses = losses(session, (by,), everything=True)
        self.resolution = session.problem.case.resolution
        self.slack = self.resolution * session.problem.case.horizon.count

    def told(self, stock: bool) -> Insurance:
        session, parts = self.session, self.session.parts.members
        self.steps = len(parts) + len(self.losses)
        # In threads of their own: HiGHS lets no Ctrl-C through to the main one, which waits.
        touched = [self._touched(members) for members in parts]
        with ThreadPoolExecutor(session.limits.workers or os.cpu_count() or 1) as pool:
            insured = []
            for found in pool.map(self._insured, touched):
                insured.append(found)
                self._step()
        verified = [None if part is None else self._verified(part) for part in insured]
        premium = self._premium(insured, verified)
        rows = [self._met(number, loss, insured, verified) for number, loss in enumerate(self.losses)]
        exposed = [row for row in rows if row.exposed or not row.met]
        calm = [row for row in rows if not row.exposed and row.met]
        return Insurance(
            currency=session.problem.case.currency,
            names=names_of(session.problem, [facts.offer.id for facts in session.problem.offers]),
            by=self.by,
            start=self.day,
            objective=session.verified.cost.objective,
            premium=premium,
            losses=(*sorted(exposed, key=_worst_first), *calm),
            ordered=self._ordered(verified),
            onboarded=tuple(
                KeptReady(offer=name, cost=money)
                for plan in verified
                for name, money in sorted(plan.ready.items() if plan is not None else ())
            ),
            ready=self._ready(verified),
            stock=self._stock(rows) if stock else (),
            effort=self.counted.effort,
        )

    def _step(self) -> None:
        self.done += 1
        self.counted.told(min(self.done, self.steps), self.steps)

    def _insured(self, part: Touched) -> InsuredPart | None:
        program, today, losses = part
        return insure_part(self.session, program, today, losses, self.period)

    def _touched(self, members: Members) -> Touched:
        """Return the program of a part, its cheapest plan, and the offers that each loss removes."""
        program, today = self.session.compiled(members)
        self.counted.questions += 1
        known = program.problem.offers
        lost = {
            number: frozenset(facts.offer.id for facts in known if loss.takes(facts))
            for number, loss in enumerate(self.losses)
        }
        return program, today, {number: offers for number, offers in lost.items() if offers}

    def _verified(self, part: InsuredPart) -> Carried:
        """Return the insured plan without a loss. Its cost is the solver's, less that of offers kept ready without purchases."""
        program = part.program
        plan, idle = decoded(program, part.x)
        cost = exact(float(program.linear.cost @ part.x) + program.linear.constant - float(sum(idle.values(), _NONE)))
        told = plan.but(objective=cost, bound=min(exact(part.today_bound), cost))
        return Carried(verify(program.problem, told), idle)

    def _premium(self, parts: Sequence[InsuredPart | None], verified: Sequence[Carried | None]) -> Difference:
        value = low = high = Decimal(0)
        for members, part, plan in zip(self.session.parts.members, parts, verified, strict=True):
            if part is not None and plan is not None:
                before = self.session.part_plan(members).verified.cost.objective
                value += plan.objective - before
                low, high = low + exact(part.rise[0]), high + exact(part.rise[1])
        return between(value, min(low, value), max(high, value), self.session.verified.cost.objective)

    def _met(
        self, number: int, loss: Loss, parts: Sequence[InsuredPart | None], verified: Sequence[Carried | None]
    ) -> LossMet:
        exposed: Kilograms = {}
        unmet: Kilograms = {}
        reasons: set[str] = set()
        costs = Decimal(0)
        for members, part, plan in zip(self.session.parts.members, parts, verified, strict=True):
            if part is None or plan is None:
                reasons.add(_CONFLICT)
            elif number in part.closed:
                add_up(exposed, part.exposed.get(number, {}))
                add_up(unmet, part.unmet.get(number, {}))
                why = _reasons(number, part)
                if not why & {_CONFLICT, _UNKNOWN}:
                    after = self._after(loss, number, members, part)
                    costs += after.objective - plan.objective
                    why = why or self._breaches(plan.verified, after.verified, members)
                reasons |= why
        self._step()
        return LossMet(
            loss=loss,
            exposed=self._told(exposed),
            met=not reasons,
            costs=None if reasons & {_CONFLICT, _UNKNOWN, _OTHERWISE, _MORE_SHORT} else exact(costs),
            unmet=self._told(unmet),
            reason="; ".join(sorted(reasons)),
        )

    def _told(self, short: Kilograms) -> tuple[Shortfall, ...]:
        """Return kilograms to the resolution, without rounding errors."""
        found = {name: round_to(kilograms, self.resolution) for name, kilograms in sorted(short.items())}
        return tuple(Shortfall(material=name, kilograms=kg) for name, kg in found.items() if kg > self.slack)

    def _after(self, loss: Loss, number: int, members: Members, part: InsuredPart) -> Carried:
        """Return the plan of a part after a loss, verified on the facts after it."""
        linear = part.program.linear
        upper = linear.upper.copy()
        upper[part.closed[number]] = 0.0
        x = part.after(number)
        program = replace(part.program, linear=replace(linear, upper=upper))
        plan, idle = decoded(program, x)
        facts = self.session.parts.part(members).after(loss.changes(self.day)).problem()
        # Its cost is worked out on the facts after the loss: who is lost is owed nothing for what is not taken of him.
        verified, findings = examine(facts, plan, all_rules=False)
        if verified is None:
            raise VerificationError(findings)
        return Carried(verified, idle)

    def _breaches(self, insured: VerifiedPlan, after: VerifiedPlan, members: Members) -> set[str]:
        """Return the reasons why a verified plan can't follow a loss under the insured plan without additional shortage."""
        found = set()
        one, other = _before(insured, self.period), _before(after, self.period)
        if any(abs(one.get(key, _NONE) - other.get(key, _NONE)) > self.slack for key in one.keys() | other.keys()):
            found.add(_OTHERWISE)
        today = self.session.part_plan(members).plan.short_by_demand
        if any(kg > today.get(demand, _NONE) + self.slack for demand, kg in after.plan.short_by_demand.items()):
            found.add(_MORE_SHORT)
        return found

    def _ordered(self, verified: Sequence[Carried | None]) -> tuple[Ordered, ...]:
        today, insured = ordered_before(self.session.verified, self.period), self._together(verified, ordered_before)
        used = {purchase.offer for purchase in self.session.verified.plan.purchases}
        found = [
            Ordered(offer=name, kilograms=insured.get(name, _NONE), today=today.get(name, _NONE), new=name not in used)
            for name in today | insured
        ]
        changed = [each for each in found if abs(each.kilograms - each.today) > self.slack]
        return tuple(sorted(changed, key=lambda each: (-abs(each.kilograms - each.today), each.offer)))

    def _ready(self, verified: Sequence[Carried | None]) -> tuple[Ready, ...]:
        today, insured = ready_at(self.session.verified, self.period), self._together(verified, ready_at)
        found = [
            Ready(material=name, kilograms=insured.get(name, _NONE), today=today.get(name, _NONE))
            for name in sorted(today | insured)
        ]
        return tuple(each for each in found if abs(each.kilograms - each.today) > self.slack)

    def _together(
        self, verified: Sequence[Carried | None], read: Callable[[VerifiedPlan, int], Kilograms]
    ) -> Kilograms:
        found = [read(plan.verified, self.period) for plan in verified if plan is not None]
        return totals(entry for kilograms in found for entry in kilograms.items())

    def _stock(self, rows: Sequence[LossMet]) -> tuple[StockNeeded, ...]:
        """Return the stock that covers the worst loss of every material, with its proof."""
        needed: dict[str, tuple[Decimal, str]] = {}
        for row in rows:
            for short in row.exposed:
                if short.kilograms > needed.get(short.material, _NOBODY)[0]:
                    needed[short.material] = short.kilograms, row.loss.name
        problem = self.session.problem
        place = problem.merged.place(problem.case.place)
        home = frozenset({place.country})
        stocks = [
            Change(stock=name, quantity=kilograms, countries=home) for name, (kilograms, _) in sorted(needed.items())
        ]
        open_still = self._still_short([row for row in rows if row.exposed], stocks)
        found = []
        for change in stocks:
            store = problem.stores.get((change.stock, place.id))
            assert change.quantity is not None
            found.append(
                StockNeeded(
                    material=change.stock,
                    kilograms=change.quantity,
                    loss=needed[change.stock][1],
                    holding=exact(max(store.holding) * change.quantity)
                    if store is not None and any(store.holding)
                    else None,
                    proved=change.stock not in open_still,
                )
            )
        return tuple(found)

    def _still_short(self, rows: Sequence[LossMet], stocks: Sequence[Change]) -> set[str]:
        """Return the materials with additional shortage after some loss despite the stocks of all its short materials."""
        found: set[str] = set()
        for row in rows:
            short = {each.material for each in row.exposed}
            own = [change for change in stocks if change.stock in short]
            self.counted.questions += 1
            answer = self.session.what_if(*own, *row.loss.changes(self.day))
            found |= {each.material for each in shortfalls(self.session, answer) if each.kilograms > 0}
            if any(part.plan.infeasible for part in answer.after):
                found |= short
            self._step()
        return found


_NONE = Decimal(0)
_NOBODY = _NONE, ""
_CONFLICT = "rules conflict"
_UNKNOWN = "not found in time"
_OTHERWISE = "not verified: other orders before the loss"
_MORE_SHORT = "more is short"


def _reasons(number: int, part: InsuredPart) -> set[str]:
    found = set()
    if number in part.unmet:
        found.add("cannot be met at any price")
    if number in part.together:
        found.add("can be met alone, not together with the others")
    if number in part.conflicts:
        found.add(_CONFLICT)
    if number in part.unknown:
        found.add(_UNKNOWN)
    return found


def decoded(program: Program, x: Floats) -> tuple[Plan, Mapping[str, Decimal]]:
    """Return the plan of some values, without its cost, and the cost of offers kept ready without purchases."""
    plan = decode(program, x, PlanStatus.FEASIBLE, 0.0, 0.0)
    used = {purchase.offer for purchase in plan.purchases}
    return plan, {name: exact(money) for name, money in kept_ready(program, x, used).items()}


def add_up(table: dict[str, Decimal], more: Mapping[str, Decimal]) -> None:
    """Add each entry to that of the same name."""
    for name, amount in more.items():
        table[name] = table.get(name, Decimal(0)) + amount


def _before(verified: VerifiedPlan, period: int) -> dict[tuple[str, str, str, str, int], Decimal]:
    """Return kilograms ordered before a period."""
    before = (p for p in verified.plan.purchases if p.ordered < period)
    return totals(((p.offer, p.material, p.place, p.requirement, p.ordered), p.quantity) for p in before)


def ordered_before(verified: VerifiedPlan, period: int) -> Kilograms:
    """Return kilograms ordered before a period by offer."""
    return totals((p.offer, p.quantity) for p in verified.plan.purchases if p.ordered < period)


def ready_at(verified: VerifiedPlan, period: int) -> Kilograms:
    """Return kilograms in stock at the end of the previous period, or on order by then, by material."""
    held = [(stock.material, stock.quantity) for stock in verified.plan.stocks if stock.period == period - 1]
    bought = verified.plan.purchases
    return totals(held + [(p.material, p.quantity) for p in bought if p.ordered < period <= p.delivered])


def _worst_first(row: LossMet) -> tuple[bool, Decimal, str]:
    return row.met, -sum((each.kilograms for each in row.exposed), Decimal(0)), row.loss.name
