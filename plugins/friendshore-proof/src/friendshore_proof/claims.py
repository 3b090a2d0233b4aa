"""Claims of optimality of a run, one for each ranked objective, and the sentence about their proof."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from fractions import Fraction

import numpy as np

from friendshore.domain.plan import OPTIMAL_GAP, Infeasible
from friendshore.errors import Diagnostic
from friendshore.program import Program
from friendshore.program.limits import Goal
from friendshore.program.matrix import Linear, capped
from friendshore.verify import VerifiedPlan

TOLERANCE = Decimal("1e-6")
"""Relative tolerance of a solver on a plan's cost."""
ANY = Decimal("1e30")
"""A cost above that of any plan."""
EARLIER_TOLERANCE = Decimal("1e-8")
"""Relative tolerance of a ranked objective for the later ones: ten times the solver's."""


@dataclass(frozen=True, slots=True, eq=False)
class Claim:
    """A claim: no plan that keeps the earlier objectives has a smaller value."""

    name: str
    """Objective in words. Empty for cost, if nothing is ranked."""
    in_money: bool
    """True for money, false for kilograms."""
    linear: Linear
    value: Decimal
    claimed: Decimal
    """Bound that the run states."""
    slack: Decimal
    """Tolerance for rounding and for the solver."""
    rank: int | None = None
    """Rank of the objective. None if nothing is ranked."""

    def is_refuted_by(self, other: VerifiedPlan, checked: VerifiedPlan) -> bool:
        """Return True if another plan of the same facts has a smaller value than the claimed bound and keeps the earlier objectives."""
        earlier = zip(other.levels[: self.rank or 0], checked.levels, strict=False)
        keeps_earlier = all(new_level.value <= max(level.most, level.value) for new_level, level in earlier)
        return keeps_earlier and self.of(other) < self.claimed - self.slack

    def of(self, verified: VerifiedPlan) -> Decimal:
        return verified.cost.objective if self.rank is None else verified.levels[self.rank].value


def claims_of(verified: VerifiedPlan, program: Program) -> Iterator[Claim]:
    plan, rounding = verified.plan, verified.rounding
    if not program.goals:
        cost = verified.cost.objective
        yield Claim("", True, program.linear, cost, min(plan.bound, cost), rounding + _tolerance(cost))
        return
    kilograms = verified.problem.case.resolution * (len(plan.purchases) + len(plan.lots) + 1)
    linear = program.linear
    for rank, (goal, level) in enumerate(zip(program.goals, verified.levels, strict=True)):
        in_money = level.objective.in_money
        # What is gained by missing an objective a little may be many times that in those after it.
        slack = (rounding if in_money else kilograms) + OPTIMAL_GAP * abs(level.least) + _tolerance(level.least)
        name = f"objective {rank + 1}, {level.objective.sentence}"
        ranked = replace(linear, cost=goal.cost, constant=0.0)
        yield Claim(name, in_money, ranked, level.least, min(level.bound, level.least), slack, rank)
        linear = _with_limited_objective(linear, goal, max(level.most, level.value))


def any_plan(program: Program) -> Claim:
    return Claim("", True, program.linear, ANY, ANY, Decimal(0))


def _tolerance(value: Decimal) -> Decimal:
    return TOLERANCE * max(abs(value), Decimal(1))


def _with_limited_objective(linear: Linear, goal: Goal, max_value: Decimal) -> Linear:
    """Return the program with an objective limited to a value. At 0, its columns are fixed."""
    if max_value <= 0 and (goal.cost >= 0).all():
        return replace(linear, upper=np.where(goal.cost > 0, 0.0, linear.upper))
    return capped(linear, goal.cost, float(max_value + EARLIER_TOLERANCE * max(abs(max_value), Decimal(1))))


_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class ProvedParts:
    """Number of parts whose minimum cost is proved to the accuracy of an optimal plan."""

    linear: int
    """Parts without integer columns."""
    linear_proved: int
    integer: int
    integer_proved: int
    certified: bool
    """True if the run's certificate alone proves them, without a solver."""

    @property
    def proved(self) -> int:
        return self.linear_proved + self.integer_proved

    @property
    def text(self) -> str:
        counts = [
            f"{proved:,} of {total:,} {kind}"
            for proved, total, kind in (
                (self.linear_proved, self.linear, "linear"),
                (self.integer_proved, self.integer, "integer"),
            )
            if total
        ]
        means = "by the run's certificate, without a solver" if self.certified else "by branching here"
        return f"independent parts proved {means}: {' and '.join(counts) or 'none'}"


@dataclass(frozen=True, slots=True)
class Proof:
    """Result of proving a plan."""

    text: str
    proved: bool
    """True if the run's claim, or the status optimal, is proved."""
    bound: Fraction | None = None
    """Proved lower bound; with ranked objectives, of the one in the sentence. None if nothing is proved."""
    gap: Decimal | None = None
    """Largest share by which another plan may be cheaper."""
    findings: tuple[Diagnostic, ...] = ()
    """Claims that are refuted."""
    conflicts: tuple[Infeasible, ...] = ()
    """Conflicts of rules that the plan names and that are proved."""
    parts: ProvedParts | None = None
    """Number of proved parts over all objectives. None if nothing was tried."""


@dataclass(frozen=True, slots=True, eq=False)
class ClaimProof:
    """A claim and its proof."""

    claim: Claim
    bound: Fraction | None
    """Proved lower bound. None if nothing is proved."""
    better: VerifiedPlan | None
    """A plan that beats the claim."""

    @property
    def claimed(self) -> Decimal:
        return _share(Fraction(self.claim.value), Fraction(self.claim.claimed))

    @property
    def proved(self) -> Decimal | None:
        return None if self.bound is None else _share(Fraction(self.claim.value), self.bound)

    @property
    def suffices(self) -> bool:
        """True if the proof is as good as the claim, or good enough for an optimal plan."""
        if self.proved is None or self.better is not None or self.contradicts:
            return False
        return self.proved <= max(OPTIMAL_GAP, self.claimed + TOLERANCE)

    @property
    def is_optimal(self) -> bool:
        return self.suffices and self.proved is not None and self.proved <= OPTIMAL_GAP

    @property
    def contradicts(self) -> bool:
        """True if provably no plan has a value as small as this plan's."""
        return self.bound is not None and self.bound > Fraction(self.claim.value + self.claim.slack)


def not_checked(reason: str) -> Proof:
    return Proof(f"optimality: not checked, because {reason}", proved=False)


def total_parts(parts: Sequence[ProvedParts]) -> ProvedParts | None:
    if not parts:
        return None
    return ProvedParts(
        sum(each.linear for each in parts),
        sum(each.linear_proved for each in parts),
        sum(each.integer for each in parts),
        sum(each.integer_proved for each in parts),
        certified=all(each.certified for each in parts),
    )


def no_certificate(reasons: Iterable[str]) -> Proof:
    findings = tuple(
        Diagnostic(
            f"invalid certificate: {reason}", "certificate.json", fix="plan again with a new --out folder", code="FS936"
        )
        for reason in reasons
    )
    return replace(not_checked("the run's certificate is invalid"), findings=findings)


def no_conflict(verified: VerifiedPlan) -> Proof:
    rules = sorted({rule for part in verified.plan.infeasible for rule in part.rules})
    text = "the run claims that rules conflict, but a plan of the same facts satisfies them all"
    finding = Diagnostic(
        text,
        "facts.json",
        column="plan.infeasible",
        found=", ".join(rules),
        expected="no conflict",
        fix="don't rely on the run, and plan again",
        code="FS937",
    )
    return Proof(f"optimality: VERIFICATION FAILED: {text}", proved=False, findings=(finding,))


def summary(claims: Sequence[ClaimProof], verified: VerifiedPlan, *, timed_out: bool) -> Proof:
    """Return the result for all claims of a run. `claims` ends with the first claim without a proof. `timed_out` is True if time ran out."""
    currency = verified.problem.case.currency
    worst = next(
        (claim for claim in claims if not claim.suffices), max(claims, key=lambda claim: claim.proved or Decimal(0))
    )
    if worst.better is not None:
        finding = refutation(worst.claim, worst.better, currency)
        text = f"optimality: VERIFICATION FAILED: {finding.message} ({finding.found})"
        return Proof(text, proved=False, findings=(finding,))
    if worst.suffices:
        return Proof(
            f"optimality: proved: {_least(worst, len(claims), currency)}",
            proved=True,
            bound=worst.bound,
            gap=worst.proved,
        )
    name = f"{worst.claim.name}: " if worst.claim.name else ""
    stated = f"the run claims to be within {_percent(worst.claimed)}"
    if worst.contradicts:
        result = "the bound found here contradicts this plan, so it is ignored"
    elif worst.proved is None:
        result = "nothing was proved here"
    else:
        result = f"proved here: {_least(worst, 1, currency)}"
    time = " in the time given" if timed_out else ""
    text = f"optimality: not proved{time}: {name}{stated}; {result}"
    if worst.contradicts:
        return Proof(text, proved=False)
    return Proof(text, proved=False, bound=worst.bound, gap=worst.proved)


def refutation(claim: Claim, better: VerifiedPlan, currency: str) -> Diagnostic:
    amount = _amount(claim.of(better), claim, currency, ROUND_CEILING)
    plan = f"{claim.name}: a plan" if claim.name else "a plan"
    verb = "costs" if claim.in_money else "has"
    message = f"{plan} of the same facts {verb} {amount}, less than the run claims to be possible"
    claimed = _amount(claim.claimed, claim, currency, ROUND_FLOOR)
    return Diagnostic(
        message,
        "facts.json",
        column="plan.bound",
        found=claimed,
        expected=f"at most {amount}",
        fix="don't rely on the run, and plan again",
        code="FS938",
    )


def _least(proof: ClaimProof, objectives: int, currency: str) -> str:
    assert proof.bound is not None and proof.proved is not None
    if objectives > 1:
        return f"each of {objectives} objectives is as small as the earlier ones allow, within {_percent(proof.proved)}"
    bound = min(Decimal(proof.bound.numerator) / proof.bound.denominator, proof.claim.value)
    least = _amount(bound, proof.claim, currency, ROUND_FLOOR)
    if proof.claim.name:
        subject = f"no plan {'costs' if proof.claim.in_money else 'has'} less than {least}"
    else:
        subject = f"no plan's spend and penalties are less than {least} in present value"
    return f"{subject} (this one is within {_percent(proof.proved)})"


def _amount(value: Decimal, claim: Claim, currency: str, rounding: str) -> str:
    number = f"{value.quantize(_CENT, rounding):,}"
    return f"{currency} {number}" if claim.in_money else f"{number} kg"


def _share(value: Fraction, bound: Fraction) -> Decimal:
    """Return the share by which a plan may be cheaper, rounded up."""
    if bound >= value:
        return Decimal(0)
    if not value:
        return Decimal(1)
    gap = (value - bound) / abs(value)
    return Decimal(gap.numerator) / Decimal(gap.denominator)


def _percent(gap: Decimal) -> str:
    """Return a gap rounded up to two digits. Below a billionth it is 0."""
    if gap < Decimal("1e-9"):
        return "0%"
    percentage = gap * 100
    digits = max(0, 1 - percentage.adjusted())
    return f"{percentage.quantize(Decimal(1).scaleb(-digits), ROUND_CEILING):f}%"
