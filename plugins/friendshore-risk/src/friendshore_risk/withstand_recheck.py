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
from friendshore.explain.results import CENT, QuestionCounter
from friendshore.rules.base import Rule
from friendshore.session import Session
from friendshore.solve import Progress
from friendshore.verify import VerifiedPlan, examine

from .loss_program import ready_costs
from .losses import PossibleLoss, named_losses
from .robust import Losses, RobustComponent, robust_bound
from .withstand_program import LossDay, PartProgram, ResponseJudge, part_program, rules_after_losses
from .withstand_search import (
    MAX_COMBINATIONS,
    ProvedComponent,
    ProvedPart,
    WithstandProof,
    combinations_of,
    proved_lower_bound,
)

_ZERO = Decimal(0)


class WithstandChecked(Record):
    """Result for a valid proof."""

    case: str
    same_facts: bool
    """True if the case hasn't changed since the proof was written. All results are for the current case."""
    currency: str
    losses: tuple[str, ...]
    start: date
    reacts: date | None
    """First day with orders beyond the plan. None if the plan ends before."""
    max_losses: int
    combinations: int
    not_withstood: int
    plans: int
    extra: Number
    lower_bound: Number
    """Lower bound on the additional cost of any plan that withstands them."""
    proved: bool
    """True if this bound and the unavoidable shortages are proved in exact fractions. False if some of it relies on a solver, run again."""


def check_proof(session: Session, proof: WithstandProof, progress: Progress | None = None) -> WithstandChecked:
    """Check all statements of a proof against the current case.

    Exact arithmetic on the facts shows that plans are valid and that responses fit. The certificates of the proof show, in exact fractions, that
    shortages are unavoidable and that no plan is cheaper. Anything unproved is solved again, and the result says so. Raises VerificationError with all
    invalid statements.
    """
    count = session.problem.case.horizon.count
    combination_count = (
        combinations_of(len(proof.losses), proof.max_losses) if 0 <= proof.max_losses <= len(proof.losses) + 1 else 0
    )
    if (
        not 0 <= proof.comes <= proof.reacts <= count
        or proof.comes >= count
        or not 0 < combination_count <= MAX_COMBINATIONS
    ):
        message = "the proof has a day outside the plan or too many losses"
        raise InputError(message, found=f"{proof.comes}, {proof.reacts}, {proof.max_losses}", code="FS984")
    return _ProofCheck(session, proof, QuestionCounter(session, progress)).result()


@dataclass(frozen=True, slots=True, eq=False)
class _CheckedResponse:
    verified: VerifiedPlan
    orders: frozenset[tuple[str, str]]
    dropped: bool
    """True if it lacks earlier orders, which only a rule can prohibit."""
    missing: Mapping[str, Decimal]
    is_lawful_under: dict[int, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class _CheckedComponent:
    component: RobustComponent
    weight: Mapping[str, float]
    proved: Sequence[tuple[Losses, float]]
    regret: float = 0.0
    least: Decimal = _ZERO
    is_exact: bool = True

    def missing(self, response: _CheckedResponse) -> float:
        return sum(self.weight[name] * float(kg) for name, kg in response.missing.items() if name in self.weight)

    def unavoidable(self, losses: Losses) -> float:
        """Return the proved missing amount after some losses. Further losses can't reduce it."""
        return max((least for subset, least in self.proved if subset <= losses), default=0.0)


@dataclass(eq=False)
class _CheckedPart:
    part: PartProgram
    judge: ResponseJudge
    rules: Mapping[int, Rule]
    rise: Decimal
    rounding: Decimal
    responses: Sequence[_CheckedResponse]
    slack: float
    losses: Sequence[PossibleLoss]
    components: tuple[_CheckedComponent, ...] = ()
    is_exact: bool = True

    def withstands(self, losses: Losses) -> bool | None:
        """Return True if there is no additional shortage after some losses, False if it is unavoidable, and None if it is avoidable."""
        affecting = frozenset(loss for component in self.part.components for loss in component.closed)
        return self._answer(losses & (affecting | self.rules.keys()))

    def valid_responses(self, losses: Losses) -> Iterator[_CheckedResponse]:
        lost_moves = frozenset().union(*(self.losses[loss].moves for loss in losses))
        return (
            response
            for response in self.responses
            if not response.orders & lost_moves and self._is_lawful(response, losses)
        )

    @cached_method
    def _answer(self, losses: Losses) -> bool | None:
        responses = list(self.valid_responses(losses))
        if any(not response.missing for response in responses):
            return True
        least_missing = min(
            (sum(component.missing(response) for component in self.components) for response in responses), default=inf
        )
        allowed = sum(component.regret for component in self.components) + self.slack
        proved = sum(component.unavoidable(losses) for component in self.components)
        if isinf(proved) or least_missing <= proved + allowed:
            return False
        self.is_exact = False
        solved = sum(
            component.unavoidable.of(losses & frozenset(component.closed)).value for component in self.part.components
        )
        return False if isinf(solved) or least_missing <= solved + allowed else None

    def _is_lawful(self, response: _CheckedResponse, losses: Losses) -> bool:
        rules = losses & self.rules.keys()
        for loss in rules - response.is_lawful_under.keys():
            response.is_lawful_under[loss] = self.judge.lawful(response.verified, [self.rules[loss]])
        return all(response.is_lawful_under[loss] for loss in rules) and (bool(rules) or not response.dropped)


class _ProofCheck:
    def __init__(self, session: Session, proof: WithstandProof, counted: QuestionCounter) -> None:
        self.session, self.proof, self.counted = session, proof, counted
        self.losses = named_losses(session, proof.losses)
        self.day = LossDay(proof.comes, proof.reacts)
        self.findings: list[Diagnostic] = []

    def result(self) -> WithstandChecked:
        if self.proof.case != self.session.problem.case.name:
            self._add_finding("the proof is for another case", self.proof.case, self.session.problem.case.name)
        parts = list(self._checked_parts())
        not_withstood = self._count_not_withstood(parts)
        if not_withstood != self.proof.not_withstood:
            self._add_finding(
                "the number of combinations that aren't withstood is wrong",
                str(self.proof.not_withstood),
                str(not_withstood),
            )
        extra = exact(sum((part.rise for part in parts), _ZERO))
        components = [component for part in parts for component in part.components]
        least = exact(sum((component.least for component in components), _ZERO))
        allowed = CENT + sum((part.rounding for part in parts), _ZERO) + OPTIMAL_GAP * abs(extra)
        if abs(extra - self.proof.extra) > CENT:
            self._add_finding("the additional cost of the plan is wrong", str(self.proof.extra), str(extra))
        if extra - least > allowed:
            self._add_finding("a cheaper plan may withstand the losses", str(extra), f"at most {least}")
        if self.findings:
            raise VerificationError(self.findings)
        periods = self.session.problem.case.horizon.periods
        return WithstandChecked(
            case=self.session.problem.case.name,
            same_facts=self.proof.facts == self.session.inputs.digest,
            currency=self.session.problem.case.currency,
            losses=tuple(loss.name for loss in self.losses),
            start=periods[self.day.loss_period].start,
            reacts=periods[self.day.react_period].start if self.day.react_period < len(periods) else None,
            max_losses=self.proof.max_losses,
            combinations=combinations_of(len(self.losses), self.proof.max_losses),
            not_withstood=not_withstood,
            plans=sum(len(part.responses) for part in parts),
            extra=extra,
            lower_bound=min(least, extra),
            proved=all(part.is_exact for part in parts) and all(component.is_exact for component in components),
        )

    def _add_finding(self, message: str, found: str = "", expected: str = "") -> None:
        self.findings.append(Diagnostic(message, found=found, expected=expected, code="FS984"))

    def _checked_parts(self) -> Iterator[_CheckedPart]:
        proved_parts = {frozenset(part.materials): part for part in self.proof.parts}
        for members in self.session.parts.members:
            part = part_program(self.session, members, self.losses, self.day)
            proved_part = proved_parts.pop(members, None)
            if part.components and proved_part is None:
                self._add_finding("the proof lacks a part of the case", expected=", ".join(sorted(members)))
            elif part.components and proved_part is not None:
                checked_part = self._checked_part(part, proved_part)
                if checked_part is not None:
                    yield checked_part
        for materials in proved_parts:
            self._add_finding("the proof has a part that no loss affects", found=", ".join(sorted(materials)))

    def _checked_part(self, part: PartProgram, proved_part: ProvedPart) -> _CheckedPart | None:
        name = ", ".join(proved_part.materials[:2])
        problem = part.program.problem
        first, findings = examine(problem, proved_part.first, all_rules=False)
        if first is None:
            self.findings += findings
            return None
        used_offers = {purchase.offer for purchase in proved_part.first.purchases}
        ready_cost = sum((exact(cost) for cost in _ready(part, proved_part.ready, used_offers).values()), _ZERO)
        current = self.session.part_plan(part.members)
        judge = ResponseJudge(
            problem, self.day, proved_part.first, used_offers | set(proved_part.ready), current.plan.short_by_demand
        )
        if judge.missing(proved_part.first):
            self._add_finding(f"the plan of {name} has a larger shortage than the current plan")
        followed = [response for plan in proved_part.after for response in self._check_response(plan, judge, name)]
        if len(proved_part.components) != len(part.components):
            component_counts = f"{len(proved_part.components)}", f"{len(part.components)}"
            self._add_finding(f"the number of components of {name} is wrong", *component_counts)
            return None
        rise = exact(first.cost.objective + ready_cost - current.verified.cost.objective)
        checked_part = _CheckedPart(
            part,
            judge,
            rules_after_losses(self.session, part.members, self.losses, self.day),
            rise,
            first.rounding + current.verified.rounding,
            followed,
            float(judge.slack) * len(problem.demands),
            self.losses,
        )
        pairs = zip(part.components, proved_part.components, strict=True)
        checked_part.components = tuple(
            self._checked_component(checked_part, component, proved_component, name)
            for component, proved_component in pairs
        )
        return checked_part

    def _check_response(self, plan: Plan, judge: ResponseJudge, name: str) -> Iterator[_CheckedResponse]:
        verified, findings = examine(judge.problem, plan, all_rules=False)
        faults = judge.faults(plan)
        self.findings += findings
        for fault in faults:
            self._add_finding(f"a plan after losses of {name} doesn't follow its first plan: {fault}")
        if verified is not None and not faults:
            yield _CheckedResponse(verified, judge.orders(plan), bool(judge.dropped(plan)), judge.missing(plan))

    def _checked_component(
        self, part: _CheckedPart, component: RobustComponent, proved_component: ProvedComponent, name: str
    ) -> _CheckedComponent:
        """Return the proved results of a component, from certificates, or if they don't suffice, by solving again."""
        problem, weight = part.judge.problem, part.part.weight
        weight_by_demand = {problem.demands[at].id: float(weight[at]) for at in component.demands.tolist()}
        covered = [frozenset(covered_losses.losses) for covered_losses in proved_component.held]
        short_after = [frozenset(shortage.losses) for shortage in proved_component.unavoidable]
        own_losses = component.closed.keys()
        if any(
            len(loss_set) > self.proof.max_losses or not loss_set <= own_losses for loss_set in (*covered, *short_after)
        ):
            self._add_finding(f"the proof of {name} has losses that don't affect it, or too many")
            return _CheckedComponent(component, weight_by_demand, ())
        unavoidable = [
            (
                loss_set,
                proved_lower_bound(component.robust.least_excess(component.closed_scenario(loss_set)), shortage.bound),
            )
            for shortage, loss_set in zip(proved_component.unavoidable, short_after, strict=True)
        ]
        checked_component = _CheckedComponent(
            component, weight_by_demand, [(loss_set, max(least, 0.0)) for loss_set, least in unavoidable]
        )
        linear = component.robust.linear
        current_cost = float(linear.cost @ part.part.today_of(component)) + linear.constant
        least = self._cost(part, checked_component, proved_component)
        if least is not None:
            return replace(checked_component, least=exact(least - current_cost))
        bound, regret = robust_bound(
            component.robust, component.scenario, component.solve, covered, component.tolerance
        )
        return replace(checked_component, least=exact(bound - current_cost), regret=regret, is_exact=False)

    def _cost(
        self, part: _CheckedPart, checked_component: _CheckedComponent, proved_component: ProvedComponent
    ) -> float | None:
        """Return the proved lower bound on the cost of a plan that withstands the losses. None if the proof isn't close enough.

        The amount allowed to be missing after each must cover the shortage that some plan leaves. Otherwise, no plan might comply.
        """
        if proved_component.cost is None or proved_component.cost.value is None:
            return None
        scenarios = []
        for covered in proved_component.held:
            losses, allowed = frozenset(covered.losses), float(covered.allowed)
            if (
                min((checked_component.missing(plan) for plan in part.valid_responses(losses)), default=inf)
                > allowed + part.slack
            ):
                return None
            scenarios.append(replace(checked_component.component.closed_scenario(losses), allowed=allowed))
        proved, value = (
            proved_lower_bound(checked_component.component.robust.master(scenarios), proved_component.cost),
            float(proved_component.cost.value),
        )
        return proved if value - proved <= float(OPTIMAL_GAP) * max(abs(value), 1.0) else None

    def _count_not_withstood(self, parts: Sequence[_CheckedPart]) -> int:
        """Return the number of combinations with an unavoidable shortage. Avoidable shortages are findings."""
        not_withstood, checked_count = 0, 0
        total = combinations_of(len(self.losses), self.proof.max_losses)
        for size in range(self.proof.max_losses + 1):
            for loss_numbers in combinations(range(len(self.losses)), size):
                checked_count += 1
                self.counted.report_progress(checked_count, total) if checked_count % 1_024 == 0 else None
                answers = [part.withstands(frozenset(loss_numbers)) for part in parts]
                not_withstood += any(answer is not True for answer in answers)
                if any(answer is None for answer in answers):
                    names = " and ".join(self.losses[loss].name for loss in loss_numbers) or "nothing"
                    self._add_finding(f"after the loss of {names}, every plan of the proof has an avoidable shortage")
        if self.session.stopped or not all(
            component.unavoidable.is_proved for part in parts for component in part.part.components
        ):
            self.session.raise_if_stopped(0, total, "combinations")
            self._add_finding("the unavoidable shortages couldn't be proved")
        return not_withstood


def _ready(part: PartProgram, ready: Sequence[str], used: set[str]) -> Mapping[str, float]:
    program = part.program
    x = np.zeros(len(program.linear.cost))
    for index, column in program.columns.onboard.items():
        x[column] = program.problem.offers[index].offer.id in ready
    return ready_costs(program, x, used)
