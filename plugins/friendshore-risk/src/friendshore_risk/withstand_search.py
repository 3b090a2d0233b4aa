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
from friendshore.domain.plan import Plan, without_residue
from friendshore.errors import InputError
from friendshore.explain.results import Difference, QuestionCounter, QuestionResult, between, names_of
from friendshore.program.matrix import Linear
from friendshore.reading.records import record
from friendshore.reading.textfile import read_object
from friendshore.session import Session
from friendshore.solve import Cancel, Progress, Watch
from friendshore.verify import VerifiedPlan, verify
from friendshore.writing import reject_existing, replace_file
from friendshore_proof.certificate import CertificateError, Certified, certified, read, text_of
from friendshore_proof.claims import ANY, TOLERANCE, Claim
from friendshore_proof.search import ProofSearch

from .losses import PossibleLoss, offers_with_unknown_route
from .robust import Losses, RobustComponent
from .stress_answer import (
    CostedPlan,
    KeptReady,
    Kilograms,
    Ordered,
    Ready,
    changed_orders,
    decoded,
    first_loss,
    ordered_before,
    ready_at,
)
from .withstand_program import (
    LossDay,
    LossOutcome,
    PartProgram,
    PreparedComponent,
    PreparedPart,
    ResponseJudge,
    part_program,
    prepare_component,
    rules_after_losses,
    smallest_loss_sets,
)

FORMAT = 4
_REWRITE = "write it again with `friendshore withstand CASE --out FILE`"


class CertifiedBound(Record):
    """Lower bound on a value, with its proof in exact fractions."""

    value: Number | None
    """Lower bound. None if there is no response at all."""
    certificate: str
    """Multipliers of rows, and splits of integer columns, as JSON: a certificate as in runs."""


class CoveredLosses(Record):
    """Losses that any plan must withstand for the lower bound on cost."""

    losses: tuple[int, ...]
    allowed: Number
    """Allowed missing amount after them: kilograms, weighted by demand."""


class UnavoidableShortage(Record):
    """Missing amount after some losses, for any early decisions."""

    losses: tuple[int, ...]
    bound: CertifiedBound | None


class ProvedComponent(Record):
    """An independent component of a part."""

    held: tuple[CoveredLosses, ...]
    """No plan that withstands these costs less."""
    cost: CertifiedBound | None = None
    """Bound for the cheapest plan that does. None if nothing is proved."""
    unavoidable: tuple[UnavoidableShortage, ...] = ()


class ProvedPart(Record):
    """An independent part of the case."""

    materials: tuple[str, ...]
    first: Plan
    ready: tuple[str, ...]
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
    reacts: int
    """First period with time to react."""
    max_losses: int
    """Maximum number of losses at a time."""
    extra: Number
    """Stated additional cost of the plan over the current plan."""
    not_withstood: int
    """Stated number of combinations that neither this plan nor any other withstands."""
    parts: tuple[ProvedPart, ...]


def write_proof(proof: WithstandProof, path: Path) -> None:
    reject_existing(path)
    replace_file(path, (proof.model_dump_json(exclude_defaults=True) + "\n").encode())


def read_proof(path: Path) -> WithstandProof:
    """Read a proof, checking only its format."""
    data = read_object(path, _REWRITE)
    if data.get("format") != FORMAT:
        raise InputError(
            "the file isn't a proof, or is of another version",
            str(path),
            column="format",
            found=repr(data.get("format")),
            expected=str(FORMAT),
            fix=_REWRITE,
            code="FS984",
        )
    return record(WithstandProof, data, str(path))


MAX_ENTRIES = 2_000_000


def certified_lower_bound(linear: Linear, value: float, cancel: Cancel | None) -> CertifiedBound | None:
    """Return a proof of a lower bound of a program. None if the program is too large.

    `value` is the lower bound. It is infinite if the rows have no solution. If `cancel` ends the search, the proof is weaker.
    """
    if linear.entries.nnz > MAX_ENTRIES:
        return None
    claimed = Decimal(repr(float(value))) if np.isfinite(value) else None
    search = ProofSearch(_aim(linear, claimed), Watch(None, cancel), None)
    certificate = certified(search, None if claimed is None else np.zeros(len(linear.cost)))
    return CertifiedBound(value=claimed, certificate=text_of([certificate]))


def proved_lower_bound(linear: Linear, certified: CertifiedBound | None) -> float:
    """Return the lower bound that a certificate proves. Infinite if the rows have no solution, and minus infinity if it proves nothing.

    No statement in it is trusted: a wrong or altered certificate proves less, or the same.
    """
    if certified is None or linear.entries.nnz > MAX_ENTRIES:
        return -inf
    try:
        (certificate,) = read(json.loads(certified.certificate))
        proof = Certified(_aim(linear, certified.value), certificate, Watch(None, None))
    except (CertificateError, ValueError, AttributeError):
        return -inf
    # The proof covers only solutions of at most `value`. All others cost more, so `value` is a bound for them.
    claimed = inf if certified.value is None else float(certified.value)
    if any(proof.empty):
        return claimed
    return -inf if proof.bound is None else min(float(proof.bound), claimed)


def _aim(linear: Linear, value: Decimal | None) -> Claim:
    if value is None:
        return Claim("", True, linear, ANY, ANY, Decimal(0))
    return Claim("", True, linear, value, value, TOLERANCE * max(abs(value), Decimal(1)))


class WorstLosses(Record):
    """Losses with the most expensive response of a plan."""

    losses: tuple[str, ...]
    rise: Number


class MissedDemand(Record):
    """A demand with an additional shortage after some losses."""

    demand: str
    material: str
    end_use: str
    kilograms: Number
    first: str
    last: str
    continues: bool
    """True if this is the last period of the plan."""
    suppliers: tuple[str, ...]


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
    extra: Difference
    cash: Number = Decimal(0)
    penalties: Number = Decimal(0)
    combinations: int
    not_withstood: int
    worst: WorstLosses | None
    """Most expensive combination without additional shortages. None if every one causes a shortage."""
    regret: bool
    """True if no single plan can prepare for all of them as well as for each. Some shortage is then avoidable by another plan."""
    plans: int


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
    losses: tuple[PossibleLoss, ...]
    losses_not_considered: int
    max_losses: int
    curve: tuple[CurvePoint, ...]
    """One entry for each number of losses from 0 on. There are fewer if the search was ended."""
    not_withstood: tuple[NotWithstood, ...]
    """For the last entry of `curve`, the smallest sets of losses that cause a shortage, most expensive first."""
    ordered: tuple[Ordered, ...]
    onboarded: tuple[KeptReady, ...]
    ready: tuple[Ready, ...]
    never_met: tuple[str, ...]
    """Demands with a shortage today. A loss doesn't increase it, and the shortage has no charge."""
    idle: tuple[str, ...]
    unknown_routes: tuple[str, ...]
    """If a place on the way may be lost, offers that cross a border on an unknown way. The loss doesn't affect them."""
    unplanned: tuple[str, ...]
    proof: Annotated[WithstandProof, Field(exclude=True)]
    """The plans of the last entry of `curve`, with their proof."""


MAX_COMBINATIONS = 500_000
_ZERO = Decimal(0)


def withstand(
    session: Session,
    losses: Sequence[PossibleLoss],
    max_losses: int,
    *,
    start: date | None = None,
    react: Decimal = Decimal(0),
    left_out: int = 0,
    certify: bool = False,
    progress: Progress | None = None,
) -> Withstood:
    """Return the cheapest plan for each number of losses up to `max_losses` that withstands any such losses. All combinations are checked.

    A plan withstands losses if they cause no additional shortage of any demand over the plan, other than an unavoidable one. The losses aren't known in
    advance. By default, they occur on the day that `first_loss` returns.

    Args:
        session: A solved case.
        losses: Losses that may occur together.
        max_losses: Maximum number of losses at a time.
        start: First day of the losses.
        react: Months after that day without orders beyond the plan.
        left_out: Number of other losses, for the result.
        certify: Prove exactly that shortages are unavoidable, and that no plan is cheaper.
        progress: Called after every step.

    Raises:
        InputError: If the case ranks objectives, or there are too many combinations.
    """
    if session.problem.objectives:
        raise InputError(
            "`withstand` doesn't support ranked objectives",
            column="objective",
            expected="a case without [[objective]]",
            fix="use a copy of the case without them",
            code="FS982",
        )
    count = combinations_of(len(losses), max_losses)
    if count > MAX_COMBINATIONS:
        raise InputError(
            "there are too many combinations of losses",
            column="--losses",
            found=f"{count:,} of at most {max_losses} of {len(losses)} losses",
            expected=f"at most {MAX_COMBINATIONS:,}",
            fix="name fewer losses with --lose or --most, or use a smaller --losses",
            code="FS961",
        )
    horizon = session.problem.case.horizon
    period = horizon.find(start or first_loss(horizon))
    if period is None:
        message = "the first day of the loss is outside the plan"
        raise InputError(message, found=str(start), expected=f"a day from {horizon.span}", code="FS705")
    react_period = min(period + horizon.steps(react), horizon.count)
    return _WithstandSearch(session, losses, LossDay(period, react_period), progress).result(
        max_losses, left_out, certify=certify
    )


def combinations_of(count: int, max_losses: int) -> int:
    return sum(comb(count, size) for size in range(max_losses + 1))


class _WithstandSearch:
    def __init__(
        self, session: Session, losses: Sequence[PossibleLoss], day: LossDay, progress: Progress | None
    ) -> None:
        self.session, self.losses, self.day = session, losses, day
        self.counted = QuestionCounter(session, progress)
        self.slack = session.problem.case.resolution * session.problem.case.horizon.count
        self.steps_done = self.step_count = 0

    def result(self, max_losses: int, left_out: int, *, certify: bool) -> Withstood:
        session, horizon = self.session, self.session.problem.case.horizon
        all_parts = [part_program(session, members, self.losses, self.day) for members in session.parts.members]
        parts = [part for part in all_parts if not part.today.conflicts]
        components = [component for part in parts for component in part.components]
        affecting = {loss for component in components for loss in component.closed}
        self.step_count = len(components) * (max_losses + 1)
        points: list[CurvePoint] = []
        last_parts: list[PreparedPart] = []
        levels: list[PreparedComponent] | None = None
        for number in range(max_losses + 1):
            levels = self._prepare_components(components, number, levels)
            if levels is None:
                break
            level_by_component = dict(zip(map(id, components), levels, strict=True))
            prepared_parts = [
                self._prepare_part(part, [level_by_component[id(component)] for component in part.components])
                for part in parts
            ]
            point = self._point(number, prepared_parts, levels, components)
            if not all(part.is_proved for part in prepared_parts):
                break
            points.append(point)
            last_parts = prepared_parts
        if not points:
            session.raise_if_stopped(0, max_losses + 1, "numbers of losses")
        costed_plans = [level.first for level in last_parts]
        return Withstood(
            names=names_of(self.session.problem, [facts.offer.id for facts in self.session.problem.offers]),
            case=session.problem.case.name,
            currency=session.problem.case.currency,
            start=horizon.periods[self.day.loss_period].start,
            reacts=horizon.periods[self.day.react_period].start if self.day.react_period < horizon.count else None,
            objective=session.verified.cost.objective,
            losses=tuple(self.losses),
            losses_not_considered=left_out,
            max_losses=max_losses,
            curve=tuple(points),
            not_withstood=tuple(self._not_withstood(len(points) - 1, last_parts)),
            ordered=self._ordered(costed_plans),
            onboarded=tuple(
                KeptReady(offer=name, cost=money) for plan in costed_plans for name, money in sorted(plan.ready.items())
            ),
            ready=self._ready(costed_plans),
            never_met=tuple(sorted(session.verified.plan.short_by_demand)),
            proof=self._proof(points[-1], last_parts, certify=certify),
            idle=tuple(loss.name for number, loss in enumerate(self.losses) if loss.rule and number not in affecting),
            unknown_routes=offers_with_unknown_route(session.problem, (loss.word for loss in self.losses)),
            unplanned=tuple(sorted(name for part in all_parts if part.today.conflicts for name in part.members)),
        )

    def _proof(self, point: CurvePoint, parts: Sequence[PreparedPart], *, certify: bool) -> WithstandProof:
        return WithstandProof(
            format=FORMAT,
            case=self.session.problem.case.name,
            facts=self.session.inputs.digest,
            losses=tuple(loss.word for loss in self.losses),
            comes=self.day.loss_period,
            reacts=self.day.react_period,
            max_losses=point.losses,
            extra=exact(point.cost - self.session.verified.cost.objective),
            not_withstood=point.not_withstood,
            parts=tuple(
                ProvedPart(
                    materials=tuple(sorted(part.part.members)),
                    first=part.first.verified.plan,
                    ready=tuple(sorted(part.first.ready)),
                    components=tuple(
                        self._prove_component(component, level, certify=certify)
                        for component, level in zip(part.part.components, part.levels, strict=True)
                    ),
                    after=tuple(part.response_plans),
                )
                for part in parts
                if part.levels
            ),
        )

    def _prove_component(
        self, component: RobustComponent, level: PreparedComponent, *, certify: bool
    ) -> ProvedComponent:
        robust_plan, cancel = level.robust_plan, self.session.cancel
        scenarios = [component.scenario(losses).with_more(robust_plan.regret) for losses in robust_plan.keys]
        covered = tuple(
            CoveredLosses(losses=tuple(sorted(losses)), allowed=exact(scenario.allowed))
            for losses, scenario in zip(robust_plan.keys, scenarios, strict=True)
        )
        if not certify:
            return ProvedComponent(held=covered)
        master = None if robust_plan.regret else component.robust.master(scenarios)
        cost = None if master is None else certified_lower_bound(master, robust_plan.objective, cancel)
        short_responses = (response for response in component.unavoidable.known if response.value > component.tolerance)
        unavoidable = tuple(
            UnavoidableShortage(
                losses=tuple(sorted(response.losses)),
                bound=certified_lower_bound(
                    component.robust.least_excess(component.closed_scenario(response.losses)), response.value, cancel
                ),
            )
            for response in short_responses
        )
        return ProvedComponent(held=covered, cost=cost, unavoidable=unavoidable)

    def _prepare_components(
        self, components: Sequence[RobustComponent], number: int, before: Sequence[PreparedComponent] | None
    ) -> list[PreparedComponent] | None:
        """Return the plan of each component that withstands a number of losses. None if the search was ended."""
        previous: list[PreparedComponent | None] = [None] * len(components) if before is None else [*before]
        # HiGHS blocks Ctrl-C in its own thread, so the main thread only waits.
        with ThreadPoolExecutor(self.session.limits.workers or os.cpu_count() or 1) as pool:
            results = []
            for result in pool.map(prepare_component, components, [number] * len(components), previous):
                results.append(result)
                self.steps_done += 1
                self.counted.report_progress(self.steps_done, self.step_count)
        finished = [result for result in results if result is not None]
        return finished if len(finished) == len(results) else None

    def _prepare_part(self, part: PartProgram, levels: Sequence[PreparedComponent]) -> PreparedPart:
        program = part.program
        x = part.values([level.robust_plan.x for level in levels])
        plan, idle_costs = decoded(program, x)
        cost = exact(float(program.linear.cost @ x) + program.linear.constant - float(sum(idle_costs.values(), _ZERO)))
        first = CostedPlan(
            verify(program.problem, plan.but(objective=cost, bound=min(exact(part.today.bound), cost))), idle_costs
        )
        current_short = self.session.part_plan(part.members).plan.short_by_demand
        ready = {purchase.offer for purchase in plan.purchases} | idle_costs.keys()
        return PreparedPart(
            part,
            levels,
            self.losses,
            ResponseJudge(program.problem, self.day, plan, ready, current_short),
            rules_after_losses(self.session, part.members, self.losses, self.day),
            first,
        )

    def _point(
        self,
        number: int,
        parts: Sequence[PreparedPart],
        levels: Sequence[PreparedComponent],
        components: Sequence[RobustComponent],
    ) -> CurvePoint:
        worst: tuple[Decimal, tuple[int, ...]] | None = None
        not_withstood = 0
        for chosen in self._combinations(number):
            loss_set = frozenset(chosen)
            outcomes = [part.after(loss_set & part.affecting_losses) for part in parts]
            if any(outcome.plan is None or outcome.missing for outcome in outcomes):
                not_withstood += 1
                continue
            rise = sum((outcome.rise for outcome in outcomes), _ZERO)
            if chosen and (worst is None or rise > worst[0]):
                worst = rise, chosen
        value, low, high = self._extra_cost(parts, levels, components)
        objective = self.session.verified.cost.objective
        cost_increases = [
            part.first.verified.cost.minus(self.session.part_plan(part.part.members).verified.cost) for part in parts
        ]
        ready = sum((money for part in parts for money in part.first.ready.values()), _ZERO)
        return CurvePoint(
            losses=number,
            cost=exact(objective + value),
            extra=between(value, min(low, value), max(high, value), objective),
            cash=exact(without_residue(sum((rise.nominal for rise in cost_increases), ready), objective)),
            penalties=exact(
                without_residue(sum((rise.penalties + rise.shortage for rise in cost_increases), _ZERO), objective)
            ),
            combinations=combinations_of(len(self.losses), number),
            not_withstood=not_withstood,
            worst=None
            if worst is None
            else WorstLosses(losses=self._names(worst[1]), rise=exact(without_residue(worst[0], objective))),
            regret=any(
                level.robust_plan.regret > component.tolerance
                for level, component in zip(levels, components, strict=True)
            ),
            plans=sum(part.plans for part in parts),
        )

    def _combinations(self, max_losses: int) -> Iterator[tuple[int, ...]]:
        return (
            loss_numbers
            for size in range(max_losses + 1)
            for loss_numbers in combinations(range(len(self.losses)), size)
        )

    def _extra_cost(
        self, parts: Sequence[PreparedPart], levels: Sequence[PreparedComponent], components: Sequence[RobustComponent]
    ) -> tuple[Decimal, Decimal, Decimal]:
        """Return the additional cost over the current plan: verified, lower bound, and upper bound."""
        value = sum(
            (
                part.first.objective - self.session.part_plan(part.part.members).verified.cost.objective
                for part in parts
            ),
            _ZERO,
        )
        low = high = _ZERO
        for level, component in zip(levels, components, strict=True):
            current = component.solve(component.robust.linear)
            low += exact(level.robust_plan.bound - current.objective)
            high += exact(level.robust_plan.objective - current.bound)
        return exact(value), low, high

    def _names(self, losses: Sequence[int]) -> tuple[str, ...]:
        return tuple(self.losses[loss].name for loss in losses)

    def _not_withstood(self, max_losses: int, parts: Sequence[PreparedPart]) -> list[NotWithstood]:
        """Return the smallest sets of losses that cause a shortage, highest priced shortage first."""
        missed_by_losses: dict[Losses, list[MissedDemand]] = {}
        conflicts: set[Losses] = set()
        price_by_demand: dict[str, Decimal] = {}
        for part in parts:
            problem = part.judge.problem
            price_by_demand |= zip((demand.id for demand in problem.demands), problem.shortage_price, strict=True)
            for losses, short in smallest_loss_sets(part, max_losses):
                after = part.after(losses)
                missed_by_losses.setdefault(losses, []).extend(
                    self._missed_demand(part, after, demand) for demand in short
                )
                conflicts |= {losses} if after.plan is None else set()
        cost_by_losses = {
            losses: sum(price_by_demand[missed.demand] * missed.kilograms for missed in short)
            for losses, short in missed_by_losses.items()
        }
        ranked = sorted(
            missed_by_losses,
            key=lambda loss_set: (loss_set not in conflicts, -cost_by_losses[loss_set], sorted(loss_set)),
        )
        return [
            NotWithstood(
                losses=self._names(sorted(loss_set)),
                short=tuple(missed_by_losses[loss_set]),
                conflict=loss_set in conflicts,
            )
            for loss_set in ranked
        ]

    def _missed_demand(self, part: PreparedPart, after: LossOutcome, demand: str) -> MissedDemand:
        problem, horizon = part.judge.problem, part.judge.problem.case.horizon
        use = next(each.use for each in problem.demands if each.id == demand)
        assert after.plan is not None
        short_before = {
            short.period: short.quantity for short in part.first.verified.plan.shorts if short.demand == demand
        }
        periods = [
            short.period
            for short in after.plan.shorts
            if short.demand == demand
            and short.quantity > short_before.get(short.period, _ZERO) + problem.case.resolution
        ] or [self.day.loss_period]
        classes = {delivery.compliance_class for delivery in after.plan.deliveries if delivery.demand == demand}
        remaining = {
            purchase.offer
            for purchase in after.plan.purchases
            if purchase.material == use.material.id
            and purchase.compliance_class in classes
            and purchase.ordered >= self.day.react_period
        }
        return MissedDemand(
            demand=demand,
            material=use.material.id,
            end_use=use.end_use,
            kilograms=after.missing[demand],
            first=horizon.label(min(periods)),
            last=horizon.label(max(periods)),
            continues=max(periods) == horizon.count - 1,
            suppliers=tuple(sorted(remaining)),
        )

    def _ordered(self, plans: Sequence[CostedPlan]) -> tuple[Ordered, ...]:
        current, planned = (
            ordered_before(self.session.verified, self.day.loss_period),
            self._total_by_material(plans, ordered_before),
        )
        return changed_orders(self.session, current, planned, self.slack)

    def _ready(self, plans: Sequence[CostedPlan]) -> tuple[Ready, ...]:
        current, planned = (
            ready_at(self.session.verified, self.day.loss_period),
            self._total_by_material(plans, ready_at),
        )
        stocks = [
            Ready(material=name, kilograms=planned.get(name, _ZERO), today=current.get(name, _ZERO))
            for name in sorted(current | planned)
        ]
        return tuple(stock for stock in stocks if abs(stock.kilograms - stock.today) > self.slack)

    def _total_by_material(
        self, plans: Sequence[CostedPlan], read: Callable[[VerifiedPlan, int], Kilograms]
    ) -> Kilograms:
        return totals(entry for plan in plans for entry in read(plan.verified, self.day.loss_period).items())
