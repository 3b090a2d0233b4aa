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
"""A cost larger than any plan's."""
KEPT = Decimal("1e-8")
"""Relative tolerance of a ranked objective for the later ones: ten times the solver's."""


@dataclass(frozen=True, slots=True, eq=False)
class Claim:
    """A claim: no plan that keeps the earlier objectives has a smaller value."""

    name: str
    """Objective in words. Empty for cost, if nothing is ranked."""
    in_money: bool
    """True for money, false for kilograms."""
    linear: Linear
    """Program of the claim."""
    value: Decimal
    """Value of the plan."""
    claimed: Decimal
    """Bound that the run states."""
    slack: Decimal
    """Tolerance for rounding and for the solver."""
    rank: int | None = None
    """Rank of the objective. None if nothing is ranked."""

    def is_beaten(self, other: VerifiedPlan, checked: VerifiedPlan) -> bool:
        """Return True if another plan of the same facts has a smaller value than the claimed bound and keeps the earlier objectives."""
        earlier = zip(other.levels[: self.rank or 0], checked.levels, strict=False)
        kept = all(one.value <= max(level.most, level.value) for one, level in earlier)
        return kept and self.of(other) < self.claimed - self.slack

    def of(self, verified: VerifiedPlan) -> Decimal:
        """Return the value of another plan of the same facts."""
        return verified.cost.objective if self.rank is None else verified.levels[self.rank].value


def aims_of(verified: VerifiedPlan, program: Program) -> Iterator[Claim]:
    """Yield the claims of a run in order of rank."""
    plan, rounding = verified.plan, verified.rounding
    if not program.goals:
        cost = verified.cost.objective
        yield Claim("", True, program.linear, cost, min(plan.bound, cost), rounding + _tolerance(cost))
        return
    kilograms = verified.problem.case.resolution * (len(plan.purchases) + len(plan.lots) + 1)
    step = program.linear
    for rank, (goal, level) in enumerate(zip(program.goals, verified.levels, strict=True)):
        in_money = level.objective.in_money
        # What is gained by missing an objective a little may be many times that in those after it.
        slack = (rounding if in_money else kilograms) + OPTIMAL_GAP * abs(level.least) + _tolerance(level.least)
        name = f"objective {rank + 1}, {level.objective.sentence}"
        asked = replace(step, cost=goal.cost, constant=0.0)
        yield Claim(name, in_money, asked, level.least, min(level.bound, level.least), slack, rank)
        step = _keeping(step, goal, max(level.most, level.value))


def any_plan(program: Program) -> Claim:
    """Return the claim that any plan exists."""
    return Claim("", True, program.linear, ANY, ANY, Decimal(0))


def _tolerance(value: Decimal) -> Decimal:
    return TOLERANCE * max(abs(value), Decimal(1))


def _keeping(step: Linear, goal: Goal, most: Decimal) -> Linear:
    """Return the program with an objective limited to a value. At 0, its columns are fixed."""
    if most <= 0 and (goal.cost >= 0).all():
        return replace(step, upper=np.where(goal.cost > 0, 0.0, step.upper))
    return capped(step, goal.cost, float(most + KEPT * max(abs(most), Decimal(1))))


_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class ProvedParts:
    """Number of parts whose minimum cost is proved to the accuracy of an optimal plan."""

    linear: int
    """Parts without integer columns."""
    linear_proved: int
    integer: int
    """Parts with integer columns."""
    integer_proved: int
    certified: bool
    """True if the run's certificate alone proves them, without a solver."""

    @property
    def proved(self) -> int:
        """Number of proved parts."""
        return self.linear_proved + self.integer_proved

    @property
    def text(self) -> str:
        """The numbers in a sentence."""
        told = [
            f"{proved:,} of {all_:,} {kind}"
            for proved, all_, kind in (
                (self.linear_proved, self.linear, "linear"),
                (self.integer_proved, self.integer, "integer"),
            )
            if all_
        ]
        how = "by the run's certificate, without a solver" if self.certified else "by branching here"
        return f"independent parts proved {how}: {' and '.join(told) or 'none'}"


@dataclass(frozen=True, slots=True)
class Proof:
    """Result of proving a plan."""

    text: str
    """One sentence."""
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
class Shown:
    """A claim and its proof."""

    aim: Claim
    bound: Fraction | None
    """Proved lower bound. None if nothing is proved."""
    better: VerifiedPlan | None
    """A plan that beats the claim."""

    @property
    def claimed(self) -> Decimal:
        """Claimed gap."""
        return _share(Fraction(self.aim.value), Fraction(self.aim.claimed))

    @property
    def proved(self) -> Decimal | None:
        """Proved gap."""
        return None if self.bound is None else _share(Fraction(self.aim.value), self.bound)

    @property
    def holds(self) -> bool:
        """True if the proof is as good as the claim, or good enough for an optimal plan."""
        if self.proved is None or self.better is not None or self.contradicts:
            return False
        return self.proved <= max(OPTIMAL_GAP, self.claimed + TOLERANCE)

    @property
    def is_optimal(self) -> bool:
        """True if every part is proved optimal."""
        return self.holds and self.proved is not None and self.proved <= OPTIMAL_GAP

    @property
    def contradicts(self) -> bool:
        """True if provably no plan has a value as small as this plan's."""
        return self.bound is not None and self.bound > Fraction(self.aim.value + self.aim.slack)


def not_checked(why: str) -> Proof:
    """Return the result if nothing was tried."""
    return Proof(f"optimality: not checked, since {why}", proved=False)


def together(parts: Sequence[ProvedParts]) -> ProvedParts | None:
    """Return the sum over all objectives. None if nothing was tried."""
    if not parts:
        return None
    return ProvedParts(
        sum(one.linear for one in parts),
        sum(one.linear_proved for one in parts),
        sum(one.integer for one in parts),
        sum(one.integer_proved for one in parts),
        certified=all(one.certified for one in parts),
    )


def no_certificate(told: Iterable[str]) -> Proof:
    """Return the result for a certificate that states something it doesn't prove."""
    findings = tuple(Diagnostic(f"the certificate does not hold: {one}", "certificate.json") for one in told)
    return replace(not_checked("the run's certificate does not hold"), findings=findings)


def no_conflict(verified: VerifiedPlan) -> Proof:
    """Return the result for a conflict of rules that isn't one."""
    rules = sorted({rule for part in verified.plan.infeasible for rule in part.rules})
    text = "the run says that rules conflict, and a plan of the same facts keeps them all"
    finding = Diagnostic(text, "facts.json", column="plan.infeasible", found=", ".join(rules), expected="no conflict")
    return Proof(f"optimality: VERIFICATION FAILED: {text}", proved=False, findings=(finding,))


def told(shown: Sequence[Shown], verified: VerifiedPlan, *, late: bool) -> Proof:
    """Return the result for all claims of a run.

    Args:
        shown: Claims in order of rank, up to the first without a proof.
        verified: The plan.
        late: True if time ran out.
    """
    currency = verified.problem.case.currency
    worst = next((one for one in shown if not one.holds), max(shown, key=lambda one: one.proved or Decimal(0)))
    if worst.better is not None:
        finding = beaten(worst.aim, worst.better, currency)
        text = f"optimality: VERIFICATION FAILED: {finding.message} ({finding.found})"
        return Proof(text, proved=False, findings=(finding,))
    if worst.holds:
        return Proof(
            f"optimality: proved: {_least(worst, len(shown), currency)}",
            proved=True,
            bound=worst.bound,
            gap=worst.proved,
        )
    name = f"{worst.aim.name}: " if worst.aim.name else ""
    claim = f"the run claims to be within {_percent(worst.claimed)}"
    if worst.contradicts:
        here = "what was proved here does not fit this plan, and is left aside"
    elif worst.proved is None:
        here = "nothing could be proved here"
    else:
        here = f"proved here: {_least(worst, 1, currency)}"
    more = " in the time given" if late else ""
    text = f"optimality: not proved{more}: {name}{claim}; {here}"
    if worst.contradicts:
        return Proof(text, proved=False)
    return Proof(text, proved=False, bound=worst.bound, gap=worst.proved)


def beaten(aim: Claim, better: VerifiedPlan, currency: str) -> Diagnostic:
    """Return the diagnostic for a claim that another plan of the same facts refutes."""
    least = _amount(aim.of(better), aim, currency, ROUND_CEILING)
    what = f"{aim.name}: a plan" if aim.name else "a plan"
    text = f"{what} of the same facts comes to {least}, less than the run says that any can"
    claimed = _amount(aim.claimed, aim, currency, ROUND_FLOOR)
    return Diagnostic(text, "facts.json", column="plan.bound", found=claimed, expected=f"at most {least}")


def _least(shown: Shown, objectives: int, currency: str) -> str:
    assert shown.bound is not None and shown.proved is not None
    if objectives > 1:
        return f"each of {objectives} objectives is as small as those before it allow, within {_percent(shown.proved)}"
    bound = min(Decimal(shown.bound.numerator) / shown.bound.denominator, shown.aim.value)
    least = _amount(bound, shown.aim, currency, ROUND_FLOOR)
    comes_to = "costs" if shown.aim.in_money else "comes to"
    return f"no plan {comes_to} less than {least} (this one is within {_percent(shown.proved)})"


def _amount(value: Decimal, aim: Claim, currency: str, rounding: str) -> str:
    number = f"{value.quantize(_CENT, rounding):,}"
    return f"{currency} {number}" if aim.in_money else f"{number} kg"


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
        return "0 %"
    shown = gap * 100
    digits = max(0, 1 - shown.adjusted())
    return f"{shown.quantize(Decimal(1).scaleb(-digits), ROUND_CEILING):f} %"
