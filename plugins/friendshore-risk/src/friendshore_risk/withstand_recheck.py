"""Check of a proof against a case: all plans are verified, all combinations enumerated, and all bounds derived again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from itertools import combinations
from math import inf, isinf

import numpy as np

from friendshore.domain.base import Number, Record, exact
from friendshore.domain.plan import OPTIMAL_GAP, Plan
from friendshore.domain.runtime import cached_method
from friendshore.errors import Diagnostic, InputError, VerificationError
from friendshore.explain.results import CENT, Counted
from friendshore.rules.base import Rule
from friendshore.session import Session
from friendshore.solve import Progress
from friendshore.verify import VerifiedPlan, examine

from .loss_program import ready_costs
from .losses import PossibleLoss, named_losses
from .robust import Losses, RobustComponent, bounded_by
from .withstand_program import FollowsJudge, LossDay, PartProgram, part_program, rules_then
from .withstand_search import (
    MOST_COMBINATIONS,
    ProvedComponent,
    ProvedPart,
    WithstandProof,
    combinations_of,
    proved_least,
)

_NONE = Decimal(0)


class WithstandChecked(Record):
    """Results for a valid proof."""

    case: str
    same_facts: bool
    """True if the case hasn't changed since the proof was written. All results are for the case as it is."""
    currency: str
    losses: tuple[str, ...]
    start: date
    """First day without orders from lost parties."""
    reacts: date | None
    """First day with orders beyond the plan. None if the plan ends before."""
    most: int
    combinations: int
    """Number of all combinations. One of the plans responds to each."""
    not_withstood: int
    """Number of combinations with an unavoidable shortage."""
    plans: int
    """Number of verified plans."""
    extra: Number
    """Additional cost over the plan as it is of the plan that withstands them."""
    least: Number
    """Lower bound on the additional cost of any plan that withstands them."""
    proved: bool
    """True if this bound and the unavoidable shortages are proved in exact fractions. False if some of it relies on a solver, run again."""


def check_proof(session: Session, proof: WithstandProof, progress: Progress | None = None) -> WithstandChecked:
    """Check all statements of a proof against the case as it is.

    Exact arithmetic on the facts shows that plans are valid and that responses fit. The certificates of the proof show, in exact fractions, that
    shortages are unavoidable and that no plan is cheaper. Anything unproved is solved again, and the result says so.

    Raises:
        InputError: If it names losses or parts that the case doesn't have.
        SolverError: If a solver breaks down.
        VerificationError: With all invalid statements.
    """
    count = session.problem.case.horizon.count
    size = combinations_of(len(proof.losses), proof.most) if 0 <= proof.most <= len(proof.losses) + 1 else 0
    if not 0 <= proof.comes <= proof.reacts <= count or proof.comes >= count or not 0 < size <= MOST_COMBINATIONS:
        raise InputError(
            "the proof is of no moment of the plan, or of too many losses",
            found=f"{proof.comes}, {proof.reacts}, {proof.most}",
        )
    return _Checking(session, proof, Counted(session, progress)).checked()


@dataclass(frozen=True, slots=True, eq=False)
class _Followed:
    """A plan that may respond to losses, checked on its own."""

    verified: VerifiedPlan
    orders: frozenset[tuple[str, str]]
    dropped: bool
    """True if it lacks earlier orders, which only a rule can bar."""
    missing: Mapping[str, Decimal]
    """Demand -> kilograms of additional shortage."""
    lawful: dict[int, bool] = field(default_factory=dict)
    """Loss of a rule's suspension -> True if the plan is lawful under the rule."""


@dataclass(frozen=True, slots=True, eq=False)
class _CheckedComponent:
    """A component with its proved results."""

    component: RobustComponent
    weight: Mapping[str, float]
    """Demand -> weight of a missing kilogram."""
    proved: Sequence[tuple[Losses, float]]
    """Minimum missing amounts after some losses, in exact fractions."""
    regret: float = 0.0
    least: Decimal = _NONE
    """Lower bound on the additional cost of its plans that withstand the losses."""
    by_fractions: bool = True
    """True if this is proved. False if it relies on a solver."""

    def missing(self, one: _Followed) -> float:
        """Return the additional shortage of a plan, weighted by demand."""
        return sum(self.weight[name] * float(kg) for name, kg in one.missing.items() if name in self.weight)

    def unavoidable(self, losses: Losses) -> float:
        """Return the proved missing amount after some losses. Further losses can't reduce it."""
        return max((least for some, least in self.proved if some <= losses), default=0.0)


@dataclass(eq=False)
class _CheckedPart:
    part: PartProgram
    judge: FollowsJudge
    rules: Mapping[int, Rule]
    rise: Decimal
    """Additional cost of its plan over the plan as it is."""
    rounding: Decimal
    """Maximum effect of rounding in money."""
    followed: Sequence[_Followed]
    slack: float
    losses: Sequence[PossibleLoss]
    components: tuple[_CheckedComponent, ...] = ()
    by_fractions: bool = True
    """True if all results so far are proved in exact fractions."""

    def withstands(self, losses: Losses) -> bool | None:
        """Return True if there is no additional shortage after some losses, False if it is unavoidable, and None if it is avoidable."""
        touching = frozenset(loss for component in self.part.components for loss in component.closed)
        return self._answer(losses & (touching | self.rules.keys()))

    def able(self, losses: Losses) -> Iterator[_Followed]:
        """Return the plans that respond to some losses."""
        lost = frozenset().union(*(self.losses[loss].moves for loss in losses))
        return (one for one in self.followed if not one.orders & lost and self._lawful(one, losses))

    @cached_method
    def _answer(self, losses: Losses) -> bool | None:
        able = list(self.able(losses))
        if any(not one.missing for one in able):
            return True
        least = min((sum(of.missing(one) for of in self.components) for one in able), default=inf)
        allowed = sum(of.regret for of in self.components) + self.slack
        proved = sum(of.unavoidable(losses) for of in self.components)
        if isinf(proved) or least <= proved + allowed:
            return False
        self.by_fractions = False
        again = sum(c.unavoidable.of(losses & frozenset(c.closed)).value for c in self.part.components)
        return False if isinf(again) or least <= again + allowed else None

    def _lawful(self, one: _Followed, losses: Losses) -> bool:
        """Return True if a plan is lawful under the rules that begin to apply with some losses, and lacks only goods that these bar."""
        rules = losses & self.rules.keys()
        for loss in rules - one.lawful.keys():
            one.lawful[loss] = self.judge.lawful(one.verified, [self.rules[loss]])
        return all(one.lawful[loss] for loss in rules) and (bool(rules) or not one.dropped)


class _Checking:
    def __init__(self, session: Session, proof: WithstandProof, counted: Counted) -> None:
        self.session, self.proof, self.counted = session, proof, counted
        self.losses = named_losses(session, proof.losses)
        self.day = LossDay(proof.comes, proof.reacts)
        self.findings: list[Diagnostic] = []

    def checked(self) -> WithstandChecked:
        """Return the results.

        Raises:
            VerificationError: With all invalid statements.
        """
        if self.proof.case != self.session.problem.case.name:
            self._find("the proof is of another case", self.proof.case, self.session.problem.case.name)
        parts = list(self._parts())
        open_still = self._enumerated(parts)
        if open_still != self.proof.not_withstood:
            self._find(
                "not as many combinations are withstood as is said", str(self.proof.not_withstood), str(open_still)
            )
        extra = exact(sum((part.rise for part in parts), _NONE))
        components = [one for part in parts for one in part.components]
        least = exact(sum((one.least for one in components), _NONE))
        allowed = CENT + sum((part.rounding for part in parts), _NONE) + OPTIMAL_GAP * abs(extra)
        if abs(extra - self.proof.extra) > CENT:
            self._find("the plan is not as dear as is said", str(self.proof.extra), str(extra))
        if extra - least > allowed:
            self._find("a cheaper plan may withstand the losses", str(extra), f"no more than {least}")
        if self.findings:
            raise VerificationError(self.findings)
        periods = self.session.problem.case.horizon.periods
        return WithstandChecked(
            case=self.session.problem.case.name,
            same_facts=self.proof.facts == self.session.inputs.digest,
            currency=self.session.problem.case.currency,
            losses=tuple(loss.name for loss in self.losses),
            start=periods[self.day.comes].start,
            reacts=periods[self.day.reacts].start if self.day.reacts < len(periods) else None,
            most=self.proof.most,
            combinations=combinations_of(len(self.losses), self.proof.most),
            not_withstood=open_still,
            plans=sum(len(part.followed) for part in parts),
            extra=extra,
            least=min(least, extra),
            proved=all(part.by_fractions for part in parts) and all(one.by_fractions for one in components),
        )

    def _find(self, message: str, found: str = "", expected: str = "") -> None:
        self.findings.append(Diagnostic(message, found=found, expected=expected))

    def _parts(self) -> Iterator[_CheckedPart]:
        """Yield the parts that a loss affects, each compared with the proof."""
        stated = {frozenset(part.materials): part for part in self.proof.parts}
        for members in self.session.parts.members:
            part = part_program(self.session, members, self.losses, self.day)
            given = stated.pop(members, None)
            if part.components and given is None:
                self._find("a part of the case is left out", expected=", ".join(sorted(members)))
            elif part.components and given is not None:
                found = self._part(part, given)
                if found is not None:
                    yield found
        for materials in stated:
            self._find("no loss touches what is told as a part of the case", found=", ".join(sorted(materials)))

    def _part(self, part: PartProgram, given: ProvedPart) -> _CheckedPart | None:
        name = ", ".join(given.materials[:2])
        problem = part.program.problem
        first, findings = examine(problem, given.first, all_rules=False)
        if first is None:
            self.findings += findings
            return None
        used = {purchase.offer for purchase in given.first.purchases}
        money = sum((exact(cost) for cost in _ready(part, given.ready, used).values()), _NONE)
        today = self.session.part_plan(part.members)
        judge = FollowsJudge(problem, self.day, given.first, used | set(given.ready), today.plan.short_by_demand)
        if judge.missing(given.first):
            self._find(f"the plan of {name} is short of more than the plan as it is")
        followed = [one for plan in given.after for one in self._followed(plan, judge, name)]
        if len(given.components) != len(part.components):
            told = f"{len(given.components)}", f"{len(part.components)}"
            self._find(f"{name} has as many components as are told", *told)
            return None
        rise = exact(first.cost.objective + money - today.verified.cost.objective)
        found = _CheckedPart(
            part,
            judge,
            rules_then(self.session, part.members, self.losses, self.day),
            rise,
            first.rounding + today.verified.rounding,
            followed,
            float(judge.slack) * len(problem.demands),
            self.losses,
        )
        pairs = zip(part.components, given.components, strict=True)
        found.components = tuple(self._component(found, component, own, name) for component, own in pairs)
        return found

    def _followed(self, plan: Plan, judge: FollowsJudge, name: str) -> Iterator[_Followed]:
        verified, findings = examine(judge.problem, plan, all_rules=False)
        faults = judge.faults(plan)
        self.findings += findings
        for fault in faults:
            self._find(f"what is to follow losses of {name} does not follow its plan: {fault}")
        if verified is not None and not faults:
            yield _Followed(verified, judge.orders(plan), bool(judge.dropped(plan)), judge.missing(plan))

    def _component(
        self, part: _CheckedPart, component: RobustComponent, given: ProvedComponent, name: str
    ) -> _CheckedComponent:
        """Return the proved results of a component, from certificates, or if they don't suffice, by solving again."""
        problem, weight = part.judge.problem, part.part.weight
        of_demand = {problem.demands[at].id: float(weight[at]) for at in component.demands.tolist()}
        held = [frozenset(one.losses) for one in given.held]
        short_after = [frozenset(one.losses) for one in given.unavoidable]
        known = component.closed.keys()
        if any(len(some) > self.proof.most or not some <= known for some in (*held, *short_after)):
            self._find(f"what is told of {name} is told by losses that are none of its own, or too many")
            return _CheckedComponent(component, of_demand, ())
        short = [
            (some, proved_least(component.robust.least_excess(component.bare(some)), one.least))
            for one, some in zip(given.unavoidable, short_after, strict=True)
        ]
        found = _CheckedComponent(component, of_demand, [(some, max(least, 0.0)) for some, least in short])
        linear = component.robust.linear
        today = float(linear.cost @ part.part.today_of(component)) + linear.constant
        least = self._cost(part, found, given)
        if least is not None:
            return replace(found, least=exact(least - today))
        bound, regret = bounded_by(component.robust, component.scenario, component.solve, held, component.tolerance)
        return replace(found, least=exact(bound - today), regret=regret, by_fractions=False)

    def _cost(self, part: _CheckedPart, of: _CheckedComponent, given: ProvedComponent) -> float | None:
        """Return the proved lower bound on the cost of a plan that withstands the losses. None if the proof isn't close enough.

        The amount allowed to be missing after each must cover the shortage that some plan leaves. Otherwise, no plan might comply.
        """
        if given.cost is None or given.cost.value is None:
            return None
        scenarios = []
        for one in given.held:
            losses, allowed = frozenset(one.losses), float(one.allowed)
            if min((of.missing(plan) for plan in part.able(losses)), default=inf) > allowed + part.slack:
                return None
            scenarios.append(replace(of.component.bare(losses), allowed=allowed))
        found, value = proved_least(of.component.robust.master(scenarios), given.cost), float(given.cost.value)
        return found if value - found <= float(OPTIMAL_GAP) * max(abs(value), 1.0) else None

    def _enumerated(self, parts: Sequence[_CheckedPart]) -> int:
        """Return the number of combinations with an unavoidable shortage. Avoidable shortages are findings."""
        found, done = 0, 0
        total = combinations_of(len(self.losses), self.proof.most)
        for size in range(self.proof.most + 1):
            for chosen in combinations(range(len(self.losses)), size):
                done += 1
                self.counted.told(done, total) if done % 1_024 == 0 else None
                answers = [part.withstands(frozenset(chosen)) for part in parts]
                found += any(answer is not True for answer in answers)
                if any(answer is None for answer in answers):
                    names = " and ".join(self.losses[loss].name for loss in chosen) or "nobody"
                    self._find(
                        f"after the loss of {names} more is short than no plan avoids, in all plans that are told"
                    )
        if self.session.stopped or not all(c.unavoidable.settled for part in parts for c in part.part.components):
            self.session.go_on(0, total, "combinations")
            self._find("what is unavoidably short could not be settled")
        return found


def _ready(part: PartProgram, ready: Sequence[str], used: set[str]) -> Mapping[str, float]:
    """Return the cost of offers that are onboarded without purchases."""
    program = part.program
    x = np.zeros(len(program.linear.cost))
    for index, column in program.columns.onboard.items():
        x[column] = program.problem.offers[index].offer.id in ready
    return ready_costs(program, x, used)
