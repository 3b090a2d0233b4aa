"""The cheapest plans that withstand any few of many losses, with what proves them."""

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
from friendshore.writing import refuse_present, replace_file
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
"""Version of the file's form."""
_AGAIN = "write it anew: friendshore withstand CASE --out FILE"


class CertifiedLeast(Record):
    """The least that something comes to, and what proves it in exact fractions."""

    value: Number | None
    """None: nothing can follow at all."""
    certificate: str
    """Multipliers of rows, and splits of integer columns, as JSON: a certificate as runs carry it."""


class HeldLosses(Record):
    """Losses that any plan is asked to withstand for the bound on cost."""

    losses: tuple[int, ...]
    """By position."""
    allowed: Number
    """How much may be missing after them: kilograms, each demand's by its weight."""


class UnavoidableShortage(Record):
    """What is missing after some losses whatever is decided before."""

    losses: tuple[int, ...]
    """By position."""
    least: CertifiedLeast | None


class ProvedComponent(Record):
    """An independent component of a part."""

    held: tuple[HeldLosses, ...]
    """No plan that withstands these costs less."""
    cost: CertifiedLeast | None = None
    """Of the cheapest plan that does; None: nothing is proved of it."""
    unavoidable: tuple[UnavoidableShortage, ...] = ()


class ProvedPart(Record):
    """An independent part of the case."""

    materials: tuple[str, ...]
    first: Plan
    """What is planned where nothing is lost."""
    ready: tuple[str, ...]
    """Offers that are onboarded though it buys nothing of them."""
    components: tuple[ProvedComponent, ...]
    after: tuple[Plan, ...]
    """What follows losses: for each combination there is one among them."""


class WithstandProof(Record):
    """The file that `--out` writes and `--check` reads."""

    format: int
    case: str
    facts: str
    """SHA-256 of the facts that it was written for."""
    losses: tuple[str, ...]
    """As they are named."""
    comes: int
    """Period in which losses come."""
    reacts: int
    """First period in which there is time to react."""
    most: int
    """Losses that may come together."""
    extra: Number
    """By how much the plan is said to be dearer than the plan as it is."""
    not_withstood: int
    """Combinations that are said not to be withstood, by this plan or any other."""
    parts: tuple[ProvedPart, ...]


def write_proof(proof: WithstandProof, place: Path) -> None:
    """Writes it.

    Raises:
        InputError: if there is such a file.
        OSError: if it cannot be written.
    """
    refuse_present(place)
    replace_file(place, (proof.model_dump_json(exclude_defaults=True) + "\n").encode())


def read_proof(place: Path) -> WithstandProof:
    """Reads it: its form is checked, and nothing else.

    Raises:
        InputError: if it is none.
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
"""Coefficients of a program beyond which no proof is tried."""


def certified_least(linear: Linear, value: float, cancel: Cancel | None) -> CertifiedLeast | None:
    """What proves that a program comes to no less than so much; None where it is too large to prove anything of.

    Args:
        linear: the program.
        value: what it comes to at the least; infinite: nothing keeps its rows.
        cancel: ends the search once it is set: less is then proved.

    Raises:
        SolverError: if a solver breaks down.
    """
    if linear.entries.nnz > MOST_ENTRIES:
        return None
    stated = Decimal(repr(float(value))) if np.isfinite(value) else None
    search = ProofSearch(_aim(linear, stated), Watch(None, cancel), None)
    found = certified(search, None if stated is None else np.zeros(len(linear.cost)))
    return CertifiedLeast(value=stated, certificate=text_of([found]))


def proved_least(linear: Linear, given: CertifiedLeast | None) -> float:
    """What a certificate proves that a program comes to at the least; infinite: nothing keeps its rows, minus infinity: it proves nothing.

    Nothing that it states is believed: another certificate, or one that was changed, proves less, or the same.
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
    """The losses after which a plan comes to the most."""

    losses: tuple[str, ...]
    rise: Number
    """By how much the plan then comes to more, shortage at its price included; below 0: to less, since what is not ordered is not paid."""


class MissedDemand(Record):
    """A demand that is short after some losses, beyond what is short anyway."""

    demand: str
    material: str
    end_use: str
    kilograms: Number
    """In addition, over the plan."""
    first: str
    """Label of the first period in which it is short after the loss."""
    last: str
    """Label of the last one."""
    goes_on: bool
    """Whether that is the last period of the plan."""
    suppliers: tuple[str, ...]
    """Offers of the material that still deliver for it, or for others of its compliance class, once there was time to react."""


class NotWithstood(Record):
    """Losses that no mix withstands: something is short after them whatever is decided before."""

    losses: tuple[str, ...]
    short: tuple[MissedDemand, ...]
    """What is short after these losses and after no fewer of them."""
    conflict: bool = False
    """Whether rules cannot hold together after them; nothing else is then told."""


class CurvePoint(Record):
    """The cheapest plan that withstands any so many losses."""

    losses: int
    cost: Number
    """Of that plan where nothing is lost, shortage at its price included."""
    extra: Difference
    """By how much that is more than the plan as it is: present value of spend and penalties."""
    cash: Number = Decimal(0)
    """Cash that it spends more than the plan as it is, where nothing is lost."""
    penalties: Number = Decimal(0)
    """Penalties for shortage and missed soft limits beyond those of the plan as it is."""
    combinations: int
    """Combinations of at most so many losses: all are enumerated."""
    not_withstood: int
    """Those among them after which something is short, or rules conflict."""
    worst: WorstLosses | None
    """Of those that leave nothing more short, the one after which it comes to the most; None: each leaves something short."""
    regret: bool
    """Whether one plan cannot be prepared for all of them as well as for each: something is then short that another plan would avoid."""
    plans: int
    """Plans that follow them, each verified on the facts."""


class Withstood(QuestionResult):
    """What it costs to withstand any few of many losses."""

    TABLES: ClassVar[tuple[str, ...]] = ("curve", "not_withstood", "losses", "ordered", "ready", "never_met")

    case: str
    currency: str
    start: date
    """First day on which nothing can be ordered any more of what is lost; what was ordered before still comes."""
    reacts: date | None
    """First day on which anything can be ordered beyond what was planned; None: the plan ends before."""
    objective: Number
    """Of the plan as it is, shortage at its price included."""
    losses: tuple[PossibleLoss, ...]
    """Any of these may come together."""
    left_out: int
    """Others who could deliver and are not among them."""
    most: int
    """Losses that may come together."""
    curve: tuple[CurvePoint, ...]
    """One entry for each number of losses, from none on; fewer where the search was ended."""
    not_withstood: tuple[NotWithstood, ...]
    """Of the last of `curve`, the smallest sets of losses that leave anything short; the dearest first."""
    ordered: tuple[Ordered, ...]
    """Offers of which that plan orders more or less before the loss than the plan as it is."""
    onboarded: tuple[KeptReady, ...]
    """Offers that are onboarded for the case of a loss alone."""
    ready: tuple[Ready, ...]
    """Materials of which more or less is there when the loss comes."""
    never_met: tuple[str, ...]
    """Demands that are short as things are: of them no more is short after a loss, and nothing is charged for the rest."""
    idle: tuple[str, ...]
    """Suspended rules that would bar nothing more of what could arrive from then on."""
    unsaid: tuple[str, ...]
    """Where a place on the way may be lost, offers that cross a border by a way of which nobody says what it passes: it is not lost to them."""
    unplanned: tuple[str, ...]
    """Materials of parts in which rules conflict as things are: they are left out."""
    proof: Annotated[WithstandProof, Field(exclude=True)]
    """The plans behind the last entry of `curve`, and what proves it."""


MOST_COMBINATIONS = 500_000
"""Combinations of losses that are enumerated; more are refused."""
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
    """The cheapest plan that withstands any number of losses up to `most`, for each such number; verified, all combinations enumerated.

    A plan withstands losses if after them no demand is short of more kilograms over the plan than as things are, but for what is short after them
    whatever is decided before. Nobody knows beforehand which of them come.

    Args:
        session: a solved case.
        losses: any of them may come together.
        most: how many may come together.
        start: their first day; see `first_loss`.
        react: months after it in which nothing can be ordered beyond what was planned.
        left_out: others that are not among the losses, to be told.
        certify: also prove, in exact fractions, what is unavoidably short and that no plan is cheaper.
        progress: told after every step.

    Raises:
        InputError: if the case ranks objectives, or there are too many combinations.
        SolverError: if a solver breaks down.
        VerificationError: if a plan does not hold.
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
    """How many combinations of at most `most` of `count` losses there are, that of none included."""
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
        """What the last point of the curve rests on."""
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
        """What proves that a component costs no less, and that what is missing in it is unavoidable."""
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
        """Of each component, what withstands a number of losses; None where the search was ended."""
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
        """A part under its own plan, verified."""
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
        """A number of losses: every combination of so many is looked at."""
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
        """By how much the plans are dearer than those as things are: as verified, and surely at least and at most."""
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
        """The smallest sets of losses that leave a demand short; those whose shortage is priced highest first."""
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
