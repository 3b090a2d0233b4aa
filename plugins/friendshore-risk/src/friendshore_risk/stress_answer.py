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
from friendshore.errors import A_SESSION, InputError, VerificationError, takes
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
from friendshore.session import Answer, Session
from friendshore.session.decided import foreseen, keep_decisions
from friendshore.solve import Progress, Solution, SolverAnswer, SolverOutcome, optimum, split
from friendshore.verify import VerifiedPlan, examine, verify

from .loss_program import TwoStage, closed_by, decided_before, kept_ready, with_shortage_bounds
from .losses import KINDS, Loss, LossKind, losses


class Shortfall(Record):
    """By how much more a material is short than in the plan as it is."""

    material: str
    kilograms: Number
    """Over the plan and all its demands; below zero: less short."""


class Stressed(Record):
    """The plan after one loss."""

    loss: Loss
    rise: Difference
    """Of the objective: money spent and priced shortage."""
    cash: Number
    """Rise of the cash spent; below zero where what is unavailable is not paid for."""
    spent: Number
    """Present value of the same."""
    shortage: Number
    """Rise of the penalty for shortage."""
    penalties: Number = Decimal(0)
    """Rise of the penalties for missed soft limits."""
    short: tuple[Shortfall, ...]
    """Materials of which more or less is short, in order of name."""
    conflict: tuple[str, ...] = ()
    """Rules that cannot hold together after the loss: then nothing is planned of what they touch, and `rise` is of the rest."""
    beyond: Number | None = None
    """Of two countries together: by how much the rise is above what the two cost alone; None: one alone, or not known."""
    tied: bool = False
    """Whether, for what is proved, it may rank below the next."""


class Stress(QuestionResult):
    """The plan without each of those it depends on, the dearest loss first."""

    TABLES: ClassVar[tuple[str, ...]] = ("losses", "pairs")
    TOLD_BY: ClassVar[str] = "friendshore_risk.stress:stress_document"

    currency: str
    start: date
    """First day on which nothing can be ordered any more of what is lost; what was ordered before still comes."""
    objective: Number
    """Of the plan as it is: present value of spend and penalties."""
    cash: Number = Decimal(0)
    """That the plan as it is spends."""
    everything: bool
    """Whether everyone who could deliver was taken away in turn, or only those that the plan buys from."""
    losses: tuple[Stressed, ...]
    """One after the other, each alone."""
    pairs: tuple[Stressed, ...]
    """Every two countries that the plan buys from, together."""
    unasked: int
    """Losses that were not asked about, since the user ended the search."""
    decided_before: date | None = None
    """What the plan orders before this day stays as it is after each loss; None: everything is planned anew."""
    foreseen: bool = False
    """Whether plans know of a loss before it comes, and may buy ahead of it."""
    effort: Effort


@takes(Session, A_SESSION)
def stress(
    session: Session,
    *,
    kinds: Sequence[LossKind] = KINDS,
    everything: bool = False,
    pairs: bool = True,
    start: date | None = None,
    decided_before: date | None = None,
    progress: Progress | None = None,
) -> Stress:
    """The plan made again without each of those it depends on, verified, ranked by what the loss costs.

    The loss is known from the start: everything is planned anew, also what comes before it, unless it is decided. An offer is closed in every
    period that the loss reaches into, so that a loss within a period counts for all of it.

    Args:
        session: a solved case.
        kinds: by what losses are told apart.
        everything: take away everyone who could deliver, not only those that the plan buys from.
        pairs: take away also every two countries that the plan buys from.
        start: first day of the loss; if not given, the day before which all is decided, or the first day of the plan.
        decided_before: a day; what the plan orders before it stays as it is. None: each plan knows of its loss from the start.
        progress: told the questions answered, all of them, and seconds.

    Raises:
        InputError: if a loss begins before what is decided ends.
        SolverError: if a solver breaks down.
        VerificationError: if a plan does not hold.
    """
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
        found.append(_stressed(session, loss, session.after(*loss.changes(day))))
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
    """A loss of two countries beside what each of them costs alone, where that was asked."""
    rises = {word: each.rise.value for each in alone if not each.conflict for word in _words(each.loss)}
    apart = [rises.get(f"country {name}") for name in pair.loss.names]
    known = [rise for rise in apart if rise is not None]
    if pair.conflict or len(known) < len(apart):
        return pair
    return pair.but(beyond=exact(pair.rise.value - sum(known, Decimal(0))))


def _words(loss: Loss) -> list[str]:
    return [*(f"{kind} {loss.name}" for kind in loss.by), *loss.also]


def shortfalls(session: Session, answer: Answer) -> tuple[Shortfall, ...]:
    """Return what is short after some changes beyond what is short anyway, by material."""
    return tuple(Shortfall(material=name, kilograms=kg) for name, kg in short_more(session, answer).items())


def _ranked(found: Sequence[Stressed]) -> tuple[Stressed, ...]:
    """The dearest first, those that leave rules in conflict before all; neighbours whose intervals meet are marked."""
    ranked = sorted(found, key=lambda each: (not each.conflict, -each.rise.value, each.loss.names))
    tied = [_may_swap(one, other) for one, other in pairwise(ranked)]
    return tuple(each.but(tied=True) if tie else each for each, tie in zip(ranked, [*tied, False], strict=False))


def _may_swap(one: Stressed, other: Stressed) -> bool:
    """Whether the second may in truth be dearer than the first."""
    if one.rise.proved and other.rise.proved:
        return False
    low, high = one.rise.low, other.rise.high
    return low is None or high is None or low < high


class LossMet(Record):
    """What becomes of one loss, under the plan as it is and under the insured one."""

    loss: Loss
    exposed: tuple[Shortfall, ...]
    """Least kilograms short in addition where the plan as it is is followed until the loss comes."""
    met: bool
    """Whether the insured plan leaves no demand more short after it: the plan that follows the loss orders the same before it, and
    is verified on the facts after it. All to within one step of the resolution a period."""
    costs: Number | None
    """What the loss then raises the objective of the insured plan by; None: what follows is not known, or not verified."""
    unmet: tuple[Shortfall, ...] = ()
    """Least kilograms short in addition, whatever is done before the loss, of what cannot be met."""
    reason: str = ""
    """Why it is not met."""


class Ordered(Record):
    """What is ordered of an offer before the loss, for all losses alike."""

    offer: str
    kilograms: Number
    """Under the insured plan."""
    today: Number
    """Under the plan as it is."""
    new: bool
    """Whether the plan as it is never buys of it."""


class KeptReady(Record):
    """An offer onboarded for the case of a loss alone."""

    offer: str
    cost: Number
    """Discounted money for its onboarding, with what take-or-pay makes due."""


class Ready(Record):
    """What is there when the loss comes: in stock, or ordered and on its way."""

    material: str
    kilograms: Number
    """Under the insured plan."""
    today: Number
    """Under the plan as it is."""


class StockNeeded(Record):
    """Stock of a material that would make every loss harmless by itself."""

    material: str
    kilograms: Number
    """In hand when the loss comes, lawful for every use: the most that any one loss leaves short."""
    loss: str
    """The loss that leaves so much short."""
    holding: Number | None
    """Money a year for holding it, in the dearest period; None: the case has no holding rate."""
    proved: bool
    """Whether, with it in stock, the plan made again without each loss in turn leaves nothing more short, verified."""


class Insurance(QuestionResult):
    """What it costs that no single loss leaves more short than the plan as it is."""

    TABLES: ClassVar[tuple[str, ...]] = ("losses", "stock", "ordered", "ready")
    TOLD_BY: ClassVar[str] = "friendshore_risk.stress:insurance_document"

    currency: str
    by: LossKind
    start: date
    """First day of the loss; it lasts to the end of the plan, and nobody knows before it which loss comes."""
    objective: Number
    """Of the plan as it is."""
    premium: Difference
    """By how much the insured plan is dearer, where no loss comes."""
    losses: tuple[LossMet, ...]
    """Losses that leave something short under the plan as it is, or are not met; then all others, in order of name."""
    ordered: tuple[Ordered, ...]
    """Offers of which the insured plan orders more or less before the loss, those with the largest difference first."""
    onboarded: tuple[KeptReady, ...]
    """Offers that are onboarded for the case of a loss, and of which nothing is bought where none comes; the premium holds their money."""
    ready: tuple[Ready, ...]
    """Materials of which more or less is there when the loss comes."""
    stock: tuple[StockNeeded, ...]
    """Stock that would do in the place of an insured plan."""
    effort: Effort


Kilograms = dict[str, Decimal]
"""By material."""
_NOTHING = 1e-6
"""Kilograms that a solver's tolerance explains."""


@dataclass(eq=False)
class InsuredPart:
    """The columns of a part's plan that meets its losses, and of what follows each of them."""

    program: Program
    x: Floats
    """Values where no loss comes."""
    today: Floats
    """Values of the plan as it is."""
    bound: float
    """No plan that meets the same losses costs less."""
    today_bound: float
    """No plan at all costs less."""
    rise: tuple[float, float]
    """By how much it is surely dearer than the cheapest plan: at least, at most."""
    closed: Mapping[int, Ints]
    """Loss -> columns that it closes; none: the loss does not touch the part."""
    unmet: dict[int, Kilograms] = field(default_factory=dict)
    """Loss -> least kilograms short in addition, whatever is done before it: what cannot be insured."""
    exposed: dict[int, Kilograms] = field(default_factory=dict)
    """Loss -> least kilograms short in addition where the plan as it is is followed until the loss."""
    together: set[int] = field(default_factory=set)
    """Losses that can be met one by one, and not together with the others."""
    conflicts: set[int] = field(default_factory=set)
    """Losses after which rules conflict, whatever is done before them."""
    unknown: set[int] = field(default_factory=set)
    """Losses of which a limit ended the search."""
    _pieces: dict[int, list[tuple[Ints, Floats]]] = field(default_factory=dict)

    def after(self, loss: int) -> Floats:
        """Values of all columns once a loss has come; of one after which rules conflict, or that is unknown, they mean nothing."""
        found = self.x.copy()
        for columns, values in self._pieces.get(loss, ()):
            found[columns] = values
        return found

    def keep(self, loss: int, columns: Ints, values: Floats) -> None:
        """Notes what some columns are once a loss has come."""
        self._pieces.setdefault(loss, []).append((columns, values))


def insure_part(
    session: Session, program: Program, today: Solution, losses: Mapping[int, frozenset[str]], period: int
) -> InsuredPart | None:
    """The cheapest plan of a part that meets every loss that can be met; None where rules conflict as things are.

    Each loss takes away some offers from `period` on.

    Raises:
        SolverError: if a solver breaks down.
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
    """What hangs together of a part, with the losses that close any of its columns."""

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
        """Solves it, and notes what is found."""
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
        """The losses that can be met together, and the plan that meets them: those that nothing can meet are left out first."""
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
        """Whether anything can be done before a loss so that it can be met; if not, what is then short at least is noted."""
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
        """Kilograms short in addition by material: the last columns of an elastic program."""
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
"""The program of a part, its cheapest plan, and what each loss takes away of it."""


def first_loss(horizon: Horizon) -> date:
    """When a loss comes if nobody says: with the first period that begins a year or more after the plan, or in its middle if that is sooner."""
    year = [period.index for period in horizon.periods if period.start >= add_months(horizon.start, 12)]
    return horizon.periods[min([*year, horizon.count // 2])].start


@takes(Session, A_SESSION)
def insurance(
    session: Session,
    *,
    by: LossKind = "supplier",
    start: date | None = None,
    stock: bool = True,
    progress: Progress | None = None,
) -> Insurance:
    """The cheapest plan from which each loss can be met, and what it costs more than the cheapest plan.

    A loss is met if no demand is short of more kilograms over the plan than in the plan as it is. Everyone who could deliver may be
    lost, each alone, since the insured plan may come to depend on others than the plan as it is.

    Args:
        session: a solved case.
        by: whose losses.
        start: first day of the loss; see `first_loss`.
        stock: also find the stock that would do instead.
        progress: told after every step.

    Raises:
        InputError: if the case ranks objectives: a premium is a matter of cost alone.
        SolverError: if a solver breaks down.
        VerificationError: if a plan does not hold.
    """
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
    """A plan that is carried out, with or without a loss."""

    verified: VerifiedPlan
    ready: Mapping[str, Decimal]
    """Money for offers that are onboarded and of which nothing is bought."""

    @property
    def objective(self) -> Decimal:
        """All that it comes to."""
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
        """The program of a part, its cheapest plan, and what each loss takes away of it."""
        program, today = self.session.compiled(members)
        self.counted.questions += 1
        known = program.problem.offers
        lost = {
            number: frozenset(facts.offer.id for facts in known if loss.takes(facts))
            for number, loss in enumerate(self.losses)
        }
        return program, today, {number: offers for number, offers in lost.items() if offers}

    def _verified(self, part: InsuredPart) -> Carried:
        """The insured plan where no loss comes: its cost is the solver's, less what keeps offers ready that it buys nothing of."""
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
        """Kilograms to the resolution; what rounding explains is left out."""
        found = {name: round_to(kilograms, self.resolution) for name, kilograms in sorted(short.items())}
        return tuple(Shortfall(material=name, kilograms=kg) for name, kg in found.items() if kg > self.slack)

    def _after(self, loss: Loss, number: int, members: Members, part: InsuredPart) -> Carried:
        """What follows a loss in a part, verified on the facts after it."""
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
        """What keeps a verified plan from being what follows a loss under the insured plan, with no more short."""
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
        """Stock that covers the worst loss of every material, and whether it does."""
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
        """Materials that some loss leaves more short though the stocks of all that it leaves short are there."""
        found: set[str] = set()
        for row in rows:
            short = {each.material for each in row.exposed}
            own = [change for change in stocks if change.stock in short]
            self.counted.questions += 1
            answer = self.session.after(*own, *row.loss.changes(self.day))
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
    """The plan that some values describe, its cost not yet said; and money for offers kept ready that it buys nothing of."""
    plan = decode(program, x, PlanStatus.FEASIBLE, 0.0, 0.0)
    used = {purchase.offer for purchase in plan.purchases}
    return plan, {name: exact(money) for name, money in kept_ready(program, x, used).items()}


def add_up(table: dict[str, Decimal], more: Mapping[str, Decimal]) -> None:
    """Adds each entry to that of the same name."""
    for name, amount in more.items():
        table[name] = table.get(name, Decimal(0)) + amount


def _before(verified: VerifiedPlan, period: int) -> dict[tuple[str, str, str, str, int], Decimal]:
    """Kilograms ordered in periods before one."""
    before = (p for p in verified.plan.purchases if p.ordered < period)
    return totals(((p.offer, p.material, p.place, p.requirement, p.ordered), p.quantity) for p in before)


def ordered_before(verified: VerifiedPlan, period: int) -> Kilograms:
    """Kilograms ordered of each offer before a period."""
    return totals((p.offer, p.quantity) for p in verified.plan.purchases if p.ordered < period)


def ready_at(verified: VerifiedPlan, period: int) -> Kilograms:
    """Kilograms in stock at the end of the period before, or ordered by then and still to come, by material."""
    held = [(stock.material, stock.quantity) for stock in verified.plan.stocks if stock.period == period - 1]
    bought = verified.plan.purchases
    return totals(held + [(p.material, p.quantity) for p in bought if p.ordered < period <= p.delivered])


def _worst_first(row: LossMet) -> tuple[bool, Decimal, str]:
    return row.met, -sum((each.kilograms for each in row.exposed), Decimal(0)), row.loss.name
