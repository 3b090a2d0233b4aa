"""What it costs that no single loss leaves more short: the cheapest plan from which every loss can be met, and the stock that would do."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from friendshore.domain.base import exact, totals
from friendshore.domain.change import Change
from friendshore.domain.plan import Plan, PlanStatus
from friendshore.domain.time import Horizon, add_months
from friendshore.errors import A_SESSION, InputError, VerificationError, takes
from friendshore.explain.results import Counted, Difference, between, names_of
from friendshore.problem.demands import round_to
from friendshore.problem.parts import Members
from friendshore.program import Program
from friendshore.program.decode import decode
from friendshore.program.matrix import Floats
from friendshore.session import Session
from friendshore.solve import Progress, Solution
from friendshore.verify import VerifiedPlan, examine, verify

from .insured import Insurance, InsuredPart, KeptReady, Kilograms, LossMet, Ordered, Ready, StockNeeded, insure_part
from .losses import Loss, LossKind, losses
from .search import Shortfall, shortfalls
from .twostage import kept_ready

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
