"""A proof that losses are withstood, checked against a case: every plan verified again, every combination enumerated again, and the bounds found again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import combinations

import numpy as np

from friendshore.domain.base import Number, Record, exact
from friendshore.domain.plan import OPTIMAL_GAP, Plan
from friendshore.errors import Diagnostic, InputError, VerificationError
from friendshore.explain.results import CENT, Counted
from friendshore.program.twostage import kept_ready
from friendshore.rules.base import Rule
from friendshore.session import Session
from friendshore.solve import Progress
from friendshore.verify import VerifiedPlan, examine

from .check import FollowsJudge, rules_then
from .component import Losses, RobustComponent
from .generation import bounded_by
from .losses import PossibleLoss, named_losses
from .program import LossDay, PartProgram, part_program
from .proof import ProvedPart, WithstandProof
from .search import MOST_COMBINATIONS, combinations_of

_NONE = Decimal(0)


class WithstandChecked(Record):
    """What is found of a proof that holds."""

    case: str
    currency: str
    losses: tuple[str, ...]
    start: date
    """First day on which nothing can be ordered any more of what is lost."""
    reacts: date | None
    """First day on which anything can be ordered beyond what was planned; None: the plan ends before."""
    most: int
    combinations: int
    """All of them, each followed by one of the plans."""
    not_withstood: int
    """Those after which something is short that no plan avoids."""
    plans: int
    """Plans that were verified."""
    extra: Number
    """By how much the plan that withstands them is dearer than the plan as it is."""
    least: Number
    """No plan that withstands them is dearer by less."""


def check_proof(session: Session, proof: WithstandProof, progress: Progress | None = None) -> WithstandChecked:
    """Checks all that a proof says, against the case as it is.

    That plans hold, and follow one another, is judged in exact arithmetic on the facts; that what is short is unavoidable, and that no plan is cheaper, by
    solving for it again.

    Raises:
        InputError: if it names losses or parts that the case does not have.
        SolverError: if a solver breaks down.
        VerificationError: with all that does not hold.
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
    """A plan that may follow losses, judged by itself."""

    verified: VerifiedPlan
    orders: frozenset[tuple[str, str]]
    dropped: bool
    """Whether it lacks what is ordered before: only a rule can bar it."""
    missing: float
    """What it leaves short in addition, as demands count; 0: nothing."""
    lawful: dict[int, bool] = field(default_factory=dict)
    """Rule that comes to apply, by its loss -> whether it is lawful under it."""


@dataclass(eq=False)
class _CheckedPart:
    part: PartProgram
    judge: FollowsJudge
    rules: Mapping[int, Rule]
    rise: Decimal
    """By how much its plan is dearer than the plan as it is."""
    rounding: Decimal
    """Money by which rounding may have moved it."""
    followed: Sequence[_Followed]
    slack: float
    regret: float
    least: Decimal
    """No plan of it that withstands the losses is dearer by less."""
    _open: dict[Losses, bool | None] = field(default_factory=dict)

    def withstands(self, losses: Losses, known: Sequence[PossibleLoss]) -> bool | None:
        """Whether nothing more is short after some losses; None: more is than no plan avoids."""
        touching = frozenset(loss for component in self.part.components for loss in component.closed)
        here = losses & (touching | self.rules.keys())
        if here not in self._open:
            self._open[here] = self._answer(here, known)
        return self._open[here]

    def _answer(self, losses: Losses, known: Sequence[PossibleLoss]) -> bool | None:
        lost = frozenset().union(*(known[loss].moves for loss in losses))
        able = (one for one in self.followed if not one.orders & lost and self._lawful(one, losses))
        least = min((one.missing for one in able), default=np.inf)
        if least <= 0:
            return True
        unavoidable = sum(c.unavoidable.of(losses & frozenset(c.closed)).value for c in self.part.components)
        return False if least <= unavoidable + self.regret + self.slack or not np.isfinite(unavoidable) else None

    def _lawful(self, one: _Followed, losses: Losses) -> bool:
        """Whether a plan holds under the rules that come to apply with some losses, and lacks nothing that none of them bars."""
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
        """All of it.

        Raises:
            VerificationError: with all that does not hold.
        """
        parts = list(self._parts())
        open_still = self._enumerated(parts)
        if open_still != self.proof.not_withstood:
            self._find(
                "not as many combinations are withstood as is said", str(self.proof.not_withstood), str(open_still)
            )
        extra = exact(sum((part.rise for part in parts), _NONE))
        least = exact(sum((part.least for part in parts), _NONE))
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
        )

    def _find(self, message: str, found: str = "", expected: str = "") -> None:
        self.findings.append(Diagnostic(message, found=found, expected=expected))

    def _parts(self) -> Iterator[_CheckedPart]:
        """The parts that a loss touches, each held against what the proof says of it."""
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
        followed = [one for plan in given.after for one in self._followed(plan, judge, part, name)]
        least, regret = _NONE, 0.0
        if len(given.held) != len(part.components):
            self._find(
                f"{name} has as many components as sets of losses are told",
                str(len(given.held)),
                str(len(part.components)),
            )
            return None
        for component, sets in zip(part.components, given.held, strict=True):
            rise, more = self._bound(component, sets, name)
            least, regret = least + rise, regret + more
        rules = rules_then(self.session, part.members, self.losses, self.day)
        slack = float(judge.slack) * len(problem.demands)
        rise = exact(first.cost.objective + money - today.verified.cost.objective)
        return _CheckedPart(
            part, judge, rules, rise, first.rounding + today.verified.rounding, followed, slack, regret, least
        )

    def _followed(self, plan: Plan, judge: FollowsJudge, part: PartProgram, name: str) -> Iterator[_Followed]:
        verified, findings = examine(judge.problem, plan, all_rules=False)
        faults = judge.faults(plan)
        self.findings += findings
        for fault in faults:
            self._find(f"what is to follow losses of {name} does not follow its plan: {fault}")
        if verified is not None and not faults:
            weight = dict(zip((demand.id for demand in judge.problem.demands), part.weight.tolist(), strict=True))
            missing = sum(weight[demand] * float(kilograms) for demand, kilograms in judge.missing(plan).items())
            yield _Followed(verified, judge.orders(plan), bool(judge.dropped(plan)), missing)

    def _bound(self, component: RobustComponent, sets: Sequence[Sequence[int]], name: str) -> tuple[Decimal, float]:
        """By how much any plan that withstands some sets of losses is dearer than the plan as it is, and how much more may be missing."""
        keys = [frozenset(losses) for losses in sets]
        if any(len(losses) > self.proof.most or not losses <= component.closed.keys() for losses in keys):
            self._find(f"a bound of {name} is told by losses that are none of its own, or too many")
            return _NONE, 0.0
        bound, regret = bounded_by(component.robust, component.scenario, component.solve, keys, component.tolerance)
        before = component.solve(component.robust.linear)
        return exact(bound - before.objective), regret

    def _enumerated(self, parts: Sequence[_CheckedPart]) -> int:
        """How many combinations leave something short that no plan avoids; those that leave more short are findings."""
        found, done = 0, 0
        total = combinations_of(len(self.losses), self.proof.most)
        for size in range(self.proof.most + 1):
            for chosen in combinations(range(len(self.losses)), size):
                done += 1
                self.counted.told(done, total) if done % 1_024 == 0 else None
                answers = [part.withstands(frozenset(chosen), self.losses) for part in parts]
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
    """Money for offers that are onboarded and of which nothing is bought."""
    program = part.program
    x = np.zeros(len(program.linear.cost))
    for index, column in program.columns.onboard.items():
        x[column] = program.problem.offers[index].offer.id in ready
    return kept_ready(program, x, used)
