"""The cheapest plans that withstand any few of many losses, with proofs."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from itertools import combinations
from math import comb, inf
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from friendshore.domain.base import Number, Record, exact, totals
from friendshore.domain.plan import Plan
from friendshore.errors import InputError
from friendshore.explain.results import Counted, Difference, QuestionResult, between, names_of
from friendshore.program.matrix import Linear
from friendshore.reading.records import record
from friendshore.reading.textfile import read_object
from friendshore.session import Session
from friendshore.solve import Cancel, Progress, Watch
from friendshore.verify import VerifiedPlan, verify
from friendshore.writing import reject_existing, replace_file
from friendshore_proof.certificate import Certified, NoCertificateError, certified, read, text_of
from friendshore_proof.claims import ANY, TOLERANCE, Aim
from friendshore_proof.search import ProofSearch

from .losses import PossibleLoss, unsaid
from .robust import Losses, RobustComponent
from .stress_answer import Carried, KeptReady, Kilograms, Ordered, Ready, decoded, first_loss, ordered_before, ready_at
from .withstand_program import (
    AfterLosses,
    FollowsJudge,
    LossDay,
    PartProgram,
    PreparedComponent,
    PreparedPart,
    part_program,
    prepared,
    rules_then,
    smallest,
)

FORMAT = 3
"""Version of the file format."""
_AGAIN = "write it anew: friendshore withstand CASE --out FILE"


class CertifiedLeast(Record):
    """Lower bound on a value, with its proof in exact fractions."""

    value: Number | None
    """Lower bound. None if there is no response at all."""
    certificate: str
    """Multipliers of rows, and splits of integer columns, as JSON: a certificate as in runs."""


class HeldLosses(Record):
    """Losses that any plan must withstand for the lower bound on cost."""

    losses: tuple[int, ...]
    """Losses by position."""
    allowed: Number
    """Allowed missing amount after them: kilograms, weighted by demand."""


class UnavoidableShortage(Record):
    """Missing amount after some losses, for any early decisions."""

    losses: tuple[int, ...]
    """Losses by position."""
    least: CertifiedLeast | None


class ProvedComponent(Record):
    """An independent component of a part."""

    held: tuple[HeldLosses, ...]
    """No plan that withstands these costs less."""
    cost: CertifiedLeast | None = None
    """Bound for the cheapest plan that does. None if nothing is proved."""
    unavoidable: tuple[UnavoidableShortage, ...] = ()


class ProvedPart(Record):
    """An independent part of the case."""

    materials: tuple[str, ...]
    first: Plan
    """Plan without losses."""
    ready: tuple[str, ...]
    """Offers onboarded without purchases in this plan."""
    components: tuple[ProvedComponent, ...]
    after: tuple[Plan, ...]
    """Plans after losses. One of them responds to each combination."""


class WithstandProof(Record):
    """File that `--out` writes and `--check` reads."""

    format: int
    case: str
    facts: str
    """SHA-256 of the facts for which it was written."""
    losses: tuple[str, ...]
    """Losses as named by the user."""
    comes: int
    """Period of the losses."""
    reacts: int
    """First period with time to react."""
    most: int
    """Maximum number of losses at a time."""
    extra: Number
    """Stated additional cost of the plan over the plan as it is."""
    not_withstood: int
    """Stated number of combinations that neither this plan nor any other withstands."""
    parts: tuple[ProvedPart, ...]


def write_proof(proof: WithstandProof, place: Path) -> None:
    """Write the proof.

    Raises:
        InputError: If the file exists.
        OSError: If it can't be written.
    """
    reject_existing(place)
    replace_file(place, (proof.model_dump_json(exclude_defaults=True) + "\n").encode())


def read_proof(place: Path) -> WithstandProof:
    """Read a proof, checking only its format.

    Raises:
        InputError: If it isn't one.
    """
    data = read_object(place, _AGAIN)
    if data.get("format") != FORMAT:
        raise InputError(
            "is no proof that losses are withstood, or one of another version",
            str(place),
            column="format",
            found=repr(data.get("format")),
            expected=str(FORMAT),
            fix=_AGAIN,
        )
    return record(WithstandProof, data, str(place))


MOST_ENTRIES = 2_000_000
"""Maximum number of coefficients of a program to prove."""


def certified_least(linear: Linear, value: float, cancel: Cancel | None) -> CertifiedLeast | None:
    """Return a proof of a lower bound of a program. None if it is too large to prove anything.

    Args:
        linear: The program.
        value: The lower bound. Infinite if the rows have no solution.
        cancel: Ends the search once it is set. The proof is then weaker.

    Raises:
        SolverError: If a solver breaks down.
    """
    if linear.entries.nnz > MOST_ENTRIES:
        return None
    stated = Decimal(repr(float(value))) if np.isfinite(value) else None
    search = ProofSearch(_aim(linear, stated), Watch(None, cancel), None)
    found = certified(search, None if stated is None else np.zeros(len(linear.cost)))
    return CertifiedLeast(value=stated, certificate=text_of([found]))


def proved_least(linear: Linear, given: CertifiedLeast | None) -> float:
    """Return the lower bound that a certificate proves. Infinite if the rows have no solution, and minus infinity if it proves nothing.

    No statement in it is trusted: a wrong or altered certificate proves less, or the same.
    """
    if given is None or linear.entries.nnz > MOST_ENTRIES:
        return -inf
    try:
        (one,) = read(json.loads(given.certificate))
        found = Certified(_aim(linear, given.value), one, Watch(None, None))
    except (NoCertificateError, ValueError, AttributeError):
        return -inf
    # All that is proved is proved of what comes to no more than `value`: all else comes to more, so that it is no less at any rate.
    most = inf if given.value is None else float(given.value)
    if any(found.empty):
        return most
    return -inf if found.bound is None else min(float(found.bound), most)


def _aim(linear: Linear, value: Decimal | None) -> Aim:
    if value is None:
        return Aim("", True, linear, ANY, ANY, Decimal(0))
    return Aim("", True, linear, value, value, TOLERANCE * max(abs(value), Decimal(1)))


class WorstLosses(Record):
    """Losses with the most expensive response of a plan."""

    losses: tuple[str, ...]
    rise: Number
    """Increase of the objective, including priced shortage. Negative if it falls, because orders that aren't placed aren't paid."""


class MissedDemand(Record):
    """A demand with an additional shortage after some losses."""

    demand: str
    material: str
    end_use: str
    kilograms: Number
    """Additional kilograms over the plan."""
    first: str
    """Label of the first period with a shortage after the loss."""
    last: str
    """Label of the last such period."""
    goes_on: bool
    """True if this is the last period of the plan."""
    suppliers: tuple[str, ...]
    """Offers of the material that still deliver for it, or for others of its compliance class, once there was time to react."""


class NotWithstood(Record):
    """Losses that no plan withstands: there is a shortage after them for any early decisions."""

    losses: tuple[str, ...]
    short: tuple[MissedDemand, ...]
    """Shortages after these losses that no subset of them causes."""
    conflict: bool = False
    """True if rules conflict after them. There are then no other details."""


class CurvePoint(Record):
    """The cheapest plan that withstands any losses up to a number."""

    losses: int
    cost: Number
    """Cost of the plan without losses, including priced shortage."""
    extra: Difference
    """Additional cost over the plan as it is: present value of spending and penalties."""
    cash: Number = Decimal(0)
    """Additional cash over the plan as it is, without losses."""
    penalties: Number = Decimal(0)
    """Additional penalties over the plan as it is, for shortages and violated soft limits."""
    combinations: int
    """Number of combinations up to the number of losses. All are enumerated."""
    not_withstood: int
    """Number of combinations with a shortage or a rule conflict afterward."""
    worst: WorstLosses | None
    """Most expensive combination without additional shortages. None if every one causes a shortage."""
    regret: bool
    """True if no single plan can prepare for all of them as well as for each. Some shortage is then avoidable by another plan."""
    plans: int
    """Number of plans that respond to them, each verified on the facts."""


class Withstood(QuestionResult):
    """Cost of withstanding any few of many losses."""

    TABLES: ClassVar[tuple[str, ...]] = ("curve", "not_withstood", "losses", "ordered", "ready", "never_met")

    case: str
    currency: str
    start: date
    """First day without orders from lost parties. Earlier orders still arrive."""
    reacts: date | None
    """First day with orders beyond the plan. None if the plan ends before."""
    objective: Number
    """Objective of the plan as it is, including priced shortage."""
    losses: tuple[PossibleLoss, ...]
    """Losses that may occur together."""
    left_out: int
    """Number of others that could deliver and aren't included."""
    most: int
    """Maximum number of losses at a time."""
    curve: tuple[CurvePoint, ...]
    """One entry for each number of losses from 0 on. There are fewer if the search was ended."""
    not_withstood: tuple[NotWithstood, ...]
    """For the last entry of `curve`, the smallest sets of losses that cause a shortage, most expensive first."""
    ordered: tuple[Ordered, ...]
    """Offers with larger or smaller orders before the loss than in the plan as it is."""
    onboarded: tuple[KeptReady, ...]
    """Offers onboarded only for a possible loss."""
    ready: tuple[Ready, ...]
    """Materials with a different amount available at the time of the loss."""
    never_met: tuple[str, ...]
    """Demands with a shortage today. A loss doesn't increase it, and the shortage has no charge."""
    idle: tuple[str, ...]
    """Suspended rules that would bar no further arrivals."""
    unsaid: tuple[str, ...]
    """If a place on the way may be lost, offers that cross a border on an unknown way. The loss doesn't affect them."""
    unplanned: tuple[str, ...]
    """Materials of parts with rule conflicts today. They are left out."""
    proof: Annotated[WithstandProof, Field(exclude=True)]
    """The plans of the last entry of `curve`, with their proof."""


MOST_COMBINATIONS = 500_000
"""Maximum number of combinations of losses to enumerate."""
_NONE = Decimal(0)


def withstand(
    session: Session,
    losses: Sequence[PossibleLoss],
    most: int,
    *,
    start: date | None = None,
    react: Decimal = Decimal(0),
    left_out: int = 0,
    certify: bool = False,
    progress: Progress | None = None,
) -> Withstood:
    """Return the cheapest plan for each number of losses up to `most` that withstands any such losses. All combinations are enumerated and verified.

    A plan withstands losses if they cause no additional shortage of any demand over the plan, other than an unavoidable one. The actual losses aren't
    known in advance.

    Args:
        session: A solved case.
        losses: Losses that may occur together.
        most: Maximum number of losses at a time.
        start: First day of the losses; see `first_loss`.
        react: Months after that day without orders beyond the plan.
        left_out: Number of other losses, for the result.
        certify: True to prove in exact fractions that shortages are unavoidable, and that no plan is cheaper.
        progress: Called after every step.

    Raises:
        InputError: If the case ranks objectives, or there are too many combinations.
        SolverError: If a solver breaks down.
        VerificationError: If a plan is invalid.
    """
    if session.problem.objectives:
        raise InputError(
            "what it costs to withstand losses is told for cost alone, and the case ranks objectives",
            column="objective",
            expected="a case without [[objective]]",
            fix="ask of a copy of the case without them; a plan that has to keep shortage at the least first withstands no more for it",
        )
    count = combinations_of(len(losses), most)
    if count > MOST_COMBINATIONS:
        raise InputError(
            "more combinations of losses than are enumerated",
            column="--losses",
            found=f"{count:,} of at most {most} of {len(losses)} losses",
            expected=f"no more than {MOST_COMBINATIONS:,}",
            fix="name fewer losses (--lose, --most), or let fewer come together",
        )
    horizon = session.problem.case.horizon
    period = horizon.find(start or first_loss(horizon))
    if period is None:
        raise InputError("the loss begins outside the plan", found=str(start), expected=f"a day of {horizon.span}")
    reacts = min(period + horizon.steps(react), horizon.count)
    return _Withstanding(session, losses, LossDay(period, reacts), progress).told(most, left_out, certify=certify)


def combinations_of(count: int, most: int) -> int:
    """Return the number of combinations of at most `most` of `count` losses, including the empty one."""
    return sum(comb(count, size) for size in range(most + 1))


class _Withstanding:
    def __init__(
        self, session: Session, losses: Sequence[PossibleLoss], day: LossDay, progress: Progress | None
    ) -> None:
        self.session, self.losses, self.day = session, losses, day
        self.counted = Counted(session, progress)
        self.slack = session.problem.case.resolution * session.problem.case.horizon.count
        self.done = self.steps = 0

    def told(self, most: int, left_out: int, *, certify: bool) -> Withstood:
        session, horizon = self.session, self.session.problem.case.horizon
        every = [part_program(session, members, self.losses, self.day) for members in session.parts.members]
        parts = [part for part in every if not part.today.conflicts]
        components = [component for part in parts for component in part.components]
        touching = {loss for component in components for loss in component.closed}
        self.steps = len(components) * (most + 1)
        points: list[CurvePoint] = []
        last: list[PreparedPart] = []
        levels: list[PreparedComponent] | None = None
        for number in range(most + 1):
            levels = self._level(components, number, levels)
            if levels is None:
                break
            of_component = dict(zip(map(id, components), levels, strict=True))
            found = [self._part_level(part, [of_component[id(c)] for c in part.components]) for part in parts]
            point = self._point(number, found, levels, components)
            if not all(part.settled for part in found):
                break
            points.append(point)
            last = found
        if not points:
            session.go_on(0, most + 1, "numbers of losses")
        carried = [level.first for level in last]
        return Withstood(
            names=names_of(self.session.problem, [facts.offer.id for facts in self.session.problem.offers]),
            case=session.problem.case.name,
            currency=session.problem.case.currency,
            start=horizon.periods[self.day.comes].start,
            reacts=horizon.periods[self.day.reacts].start if self.day.reacts < horizon.count else None,
            objective=session.verified.cost.objective,
            losses=tuple(self.losses),
            left_out=left_out,
            most=most,
            curve=tuple(points),
            not_withstood=tuple(self._not_withstood(len(points) - 1, last)),
            ordered=self._ordered(carried),
            onboarded=tuple(
                KeptReady(offer=name, cost=money) for plan in carried for name, money in sorted(plan.ready.items())
            ),
            ready=self._ready(carried),
            never_met=tuple(sorted(session.verified.plan.short_by_demand)),
            proof=self._proof(points[-1], last, certify=certify),
            idle=tuple(loss.name for number, loss in enumerate(self.losses) if loss.rule and number not in touching),
            unsaid=unsaid(session.problem, (loss.word for loss in self.losses)),
            unplanned=tuple(sorted(name for part in every if part.today.conflicts for name in part.members)),
        )

    def _proof(self, point: CurvePoint, parts: Sequence[PreparedPart], *, certify: bool) -> WithstandProof:
        """Return the proof of the last entry of the curve."""
        return WithstandProof(
            format=FORMAT,
            case=self.session.problem.case.name,
            facts=self.session.inputs.digest,
            losses=tuple(loss.word for loss in self.losses),
            comes=self.day.comes,
            reacts=self.day.reacts,
            most=point.losses,
            extra=point.extra.value,
            not_withstood=point.not_withstood,
            parts=tuple(
                ProvedPart(
                    materials=tuple(sorted(part.part.members)),
                    first=part.first.verified.plan,
                    ready=tuple(sorted(part.first.ready)),
                    components=tuple(
                        self._proved(component, level, certify=certify)
                        for component, level in zip(part.part.components, part.levels, strict=True)
                    ),
                    after=tuple(part.followers),
                )
                for part in parts
                if part.levels
            ),
        )

    def _proved(self, component: RobustComponent, level: PreparedComponent, *, certify: bool) -> ProvedComponent:
        """Return the proof that a component can't cost less, and that its missing amounts are unavoidable."""
        found, cancel = level.found, self.session.cancel
        scenarios = [component.scenario(losses).with_more(found.regret) for losses in found.keys]
        held = tuple(
            HeldLosses(losses=tuple(sorted(losses)), allowed=exact(scenario.allowed))
            for losses, scenario in zip(found.keys, scenarios, strict=True)
        )
        if not certify:
            return ProvedComponent(held=held)
        master = None if found.regret else component.robust.master(scenarios)
        cost = None if master is None else certified_least(master, found.objective, cancel)
        short = (one for one in component.unavoidable.known if one.value > component.tolerance)
        unavoidable = tuple(
            UnavoidableShortage(
                losses=tuple(sorted(one.losses)),
                least=certified_least(component.robust.least_excess(component.bare(one.losses)), one.value, cancel),
            )
            for one in short
        )
        return ProvedComponent(held=held, cost=cost, unavoidable=unavoidable)

    def _level(
        self, components: Sequence[RobustComponent], number: int, before: Sequence[PreparedComponent] | None
    ) -> list[PreparedComponent] | None:
        """Return the plan of each component that withstands a number of losses. None if the search was ended."""
        known: list[PreparedComponent | None] = [None] * len(components) if before is None else [*before]
        # In threads of their own: HiGHS lets no Ctrl-C through to the main one, which waits.
        with ThreadPoolExecutor(self.session.limits.workers or os.cpu_count() or 1) as pool:
            found = []
            for one in pool.map(prepared, components, [number] * len(components), known):
                found.append(one)
                self.done += 1
                self.counted.told(self.done, self.steps)
        kept = [one for one in found if one is not None]
        return kept if len(kept) == len(found) else None

    def _part_level(self, part: PartProgram, levels: Sequence[PreparedComponent]) -> PreparedPart:
        """Return a part under its own plan, verified."""
        program = part.program
        x = part.values([level.found.x for level in levels])
        plan, idle = decoded(program, x)
        cost = exact(float(program.linear.cost @ x) + program.linear.constant - float(sum(idle.values(), _NONE)))
        first = Carried(
            verify(program.problem, plan.but(objective=cost, bound=min(exact(part.today.bound), cost))), idle
        )
        today = self.session.part_plan(part.members).plan.short_by_demand
        ready = {purchase.offer for purchase in plan.purchases} | idle.keys()
        return PreparedPart(
            part,
            levels,
            self.losses,
            FollowsJudge(program.problem, self.day, plan, ready, today),
            rules_then(self.session, part.members, self.losses, self.day),
            first,
        )

    def _point(
        self,
        number: int,
        parts: Sequence[PreparedPart],
        levels: Sequence[PreparedComponent],
        components: Sequence[RobustComponent],
    ) -> CurvePoint:
        """Return the curve entry of a number of losses, checking every combination."""
        worst: tuple[Decimal, tuple[int, ...]] | None = None
        open_still = 0
        for chosen in self._combinations(number):
            taken = frozenset(chosen)
            after = [part.after(taken & part.touching) for part in parts]
            if any(one.plan is None or one.missing for one in after):
                open_still += 1
                continue
            rise = sum((one.rise for one in after), _NONE)
            if chosen and (worst is None or rise > worst[0]):
                worst = rise, chosen
        value, low, high = self._extra(parts, levels, components)
        more = [
            part.first.verified.cost.minus(self.session.part_plan(part.part.members).verified.cost) for part in parts
        ]
        ready = sum((money for part in parts for money in part.first.ready.values()), _NONE)
        return CurvePoint(
            losses=number,
            cost=exact(self.session.verified.cost.objective + value),
            extra=between(value, min(low, value), max(high, value), self.session.verified.cost.objective),
            cash=exact(sum((one.nominal for one in more), ready)),
            penalties=exact(sum((one.penalties + one.shortage for one in more), _NONE)),
            combinations=combinations_of(len(self.losses), number),
            not_withstood=open_still,
            worst=None if worst is None else WorstLosses(losses=self._names(worst[1]), rise=exact(worst[0])),
            regret=any(
                level.found.regret > component.tolerance for level, component in zip(levels, components, strict=True)
            ),
            plans=sum(part.plans for part in parts),
        )

    def _combinations(self, most: int) -> Iterator[tuple[int, ...]]:
        return (chosen for size in range(most + 1) for chosen in combinations(range(len(self.losses)), size))

    def _extra(
        self, parts: Sequence[PreparedPart], levels: Sequence[PreparedComponent], components: Sequence[RobustComponent]
    ) -> tuple[Decimal, Decimal, Decimal]:
        """Return the additional cost of the plans over the plan as it is: verified, lower bound, and upper bound."""
        value = sum(
            (
                part.first.objective - self.session.part_plan(part.part.members).verified.cost.objective
                for part in parts
            ),
            _NONE,
        )
        low = high = _NONE
        for level, component in zip(levels, components, strict=True):
            before = component.solve(component.robust.linear)
            low += exact(level.found.bound - before.objective)
            high += exact(level.found.objective - before.bound)
        return exact(value), low, high

    def _names(self, losses: Sequence[int]) -> tuple[str, ...]:
        return tuple(self.losses[loss].name for loss in losses)

    def _not_withstood(self, most: int, parts: Sequence[PreparedPart]) -> list[NotWithstood]:
        """Return the smallest sets of losses that cause a shortage, highest priced shortage first."""
        found: dict[Losses, list[MissedDemand]] = {}
        conflicts: set[Losses] = set()
        price: dict[str, Decimal] = {}
        for part in parts:
            problem = part.judge.problem
            price |= zip((demand.id for demand in problem.demands), problem.shortage_price, strict=True)
            for losses, short in smallest(part, most):
                after = part.after(losses)
                found.setdefault(losses, []).extend(self._missed(part, after, demand) for demand in short)
                conflicts |= {losses} if after.plan is None else set()
        money = {losses: sum(price[one.demand] * one.kilograms for one in short) for losses, short in found.items()}
        ranked = sorted(found, key=lambda each: (each not in conflicts, -money[each], sorted(each)))
        return [
            NotWithstood(losses=self._names(sorted(each)), short=tuple(found[each]), conflict=each in conflicts)
            for each in ranked
        ]

    def _missed(self, part: PreparedPart, after: AfterLosses, demand: str) -> MissedDemand:
        problem, horizon = part.judge.problem, part.judge.problem.case.horizon
        use = next(one.use for one in problem.demands if one.id == demand)
        assert after.plan is not None
        before = {short.period: short.quantity for short in part.first.verified.plan.shorts if short.demand == demand}
        periods = [
            short.period
            for short in after.plan.shorts
            if short.demand == demand and short.quantity > before.get(short.period, _NONE) + problem.case.resolution
        ] or [self.day.comes]
        classes = {one.requirement for one in after.plan.deliveries if one.demand == demand}
        left = {
            purchase.offer
            for purchase in after.plan.purchases
            if purchase.material == use.material.id
            and purchase.requirement in classes
            and purchase.ordered >= self.day.reacts
        }
        return MissedDemand(
            demand=demand,
            material=use.material.id,
            end_use=use.end_use,
            kilograms=after.missing[demand],
            first=horizon.label(min(periods)),
            last=horizon.label(max(periods)),
            goes_on=max(periods) == horizon.count - 1,
            suppliers=tuple(sorted(left)),
        )

    def _ordered(self, plans: Sequence[Carried]) -> tuple[Ordered, ...]:
        today, then = ordered_before(self.session.verified, self.day.comes), self._together(plans, ordered_before)
        used = {purchase.offer for purchase in self.session.verified.plan.purchases}
        found = [
            Ordered(offer=name, kilograms=then.get(name, _NONE), today=today.get(name, _NONE), new=name not in used)
            for name in today | then
        ]
        changed = [each for each in found if abs(each.kilograms - each.today) > self.slack]
        return tuple(sorted(changed, key=lambda each: (-abs(each.kilograms - each.today), each.offer)))

    def _ready(self, plans: Sequence[Carried]) -> tuple[Ready, ...]:
        today, then = ready_at(self.session.verified, self.day.comes), self._together(plans, ready_at)
        found = [
            Ready(material=name, kilograms=then.get(name, _NONE), today=today.get(name, _NONE))
            for name in sorted(today | then)
        ]
        return tuple(each for each in found if abs(each.kilograms - each.today) > self.slack)

    def _together(self, plans: Sequence[Carried], read: Callable[[VerifiedPlan, int], Kilograms]) -> Kilograms:
        return totals(entry for plan in plans for entry in read(plan.verified, self.day.comes).items())
