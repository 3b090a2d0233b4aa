"""What a run claims to be the least, one claim for each objective that it ranks, and in one sentence what is proved of it."""

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
"""Share by which a solver may miss what a plan costs."""
ANY = Decimal("1e30")
"""More than any plan costs."""
KEPT = Decimal("1e-8")
"""Share by which a ranked objective may be missed by those after it: ten times the solver's tolerance."""


@dataclass(frozen=True, slots=True, eq=False)
class Aim:
    """A claim: no plan that keeps the objectives before this one comes to less than so much."""

    name: str
    """The objective, in words; empty: cost, and nothing is ranked."""
    in_money: bool
    """Else in kilograms."""
    linear: Linear
    """The program of which it is claimed."""
    value: Decimal
    """What the plan came to."""
    claimed: Decimal
    """The bound that the run states."""
    slack: Decimal
    """By how much rounding, and a solver's tolerance, may have moved either."""
    rank: int | None = None
    """Position of the objective among those ranked; None: nothing is ranked."""

    def is_beaten(self, other: VerifiedPlan, checked: VerifiedPlan) -> bool:
        """Whether another plan of the same facts comes to less than the run says that any can, and keeps the objectives before it."""
        earlier = zip(other.levels[: self.rank or 0], checked.levels, strict=False)
        kept = all(one.value <= max(level.most, level.value) for one, level in earlier)
        return kept and self.of(other) < self.claimed - self.slack

    def of(self, verified: VerifiedPlan) -> Decimal:
        """What another plan of the same facts comes to."""
        return verified.cost.objective if self.rank is None else verified.levels[self.rank].value


def aims_of(verified: VerifiedPlan, program: Program) -> Iterator[Aim]:
    """All that a run claims, in order of rank."""
    plan, rounding = verified.plan, verified.rounding
    if not program.goals:
        cost = verified.cost.objective
        yield Aim("", True, program.linear, cost, min(plan.bound, cost), rounding + _tolerance(cost))
        return
    kilograms = verified.problem.case.resolution * (len(plan.purchases) + len(plan.lots) + 1)
    step = program.linear
    for rank, (goal, level) in enumerate(zip(program.goals, verified.levels, strict=True)):
        in_money = level.objective.in_money
        # What is gained by missing an objective a little may be many times that in those after it.
        slack = (rounding if in_money else kilograms) + OPTIMAL_GAP * abs(level.least) + _tolerance(level.least)
        name = f"objective {rank + 1}, {level.objective.sentence}"
        asked = replace(step, cost=goal.cost, constant=0.0)
        yield Aim(name, in_money, asked, level.least, min(level.bound, level.least), slack, rank)
        step = _keeping(step, goal, max(level.most, level.value))


def any_plan(program: Program) -> Aim:
    """That there is a plan at all, whatever it costs."""
    return Aim("", True, program.linear, ANY, ANY, Decimal(0))


def _tolerance(value: Decimal) -> Decimal:
    return TOLERANCE * max(abs(value), Decimal(1))


def _keeping(step: Linear, goal: Goal, most: Decimal) -> Linear:
    """The program in which an objective comes to no more than so much: where that is nothing, its columns are closed."""
    if most <= 0 and (goal.cost >= 0).all():
        return replace(step, upper=np.where(goal.cost > 0, 0.0, step.upper))
    return capped(step, goal.cost, float(most + KEPT * max(abs(most), Decimal(1))))


_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class ProvedParts:
    """Of how many parts what they cost at least is proved, to the share that an optimal plan may leave open."""

    linear: int
    """Parts without integer columns."""
    linear_proved: int
    integer: int
    """Parts with integer columns."""
    integer_proved: int
    certified: bool
    """Whether by the run's certificate alone, without a solver."""

    @property
    def proved(self) -> int:
        """Parts of either kind that are proved."""
        return self.linear_proved + self.integer_proved

    @property
    def text(self) -> str:
        """In a sentence."""
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
    """What is to be said of how good a plan is."""

    text: str
    """One sentence."""
    proved: bool
    """Whether what the run claims, or that the plan may be called optimal, is proved."""
    bound: Fraction | None = None
    """No plan comes to less, as proved; of ranked objectives, in the one that the sentence is about. None: nothing is proved."""
    gap: Decimal | None = None
    """Share by which a plan may come to less, at most."""
    findings: tuple[Diagnostic, ...] = ()
    """Claims that are proved wrong."""
    conflicts: tuple[Infeasible, ...] = ()
    """Conflicts of rules that the plan names, and that are proved."""
    parts: ProvedParts | None = None
    """Of how many independent parts it is proved, over all objectives; None: nothing was tried."""


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """One claim, with what is proved of it."""

    aim: Aim
    bound: Fraction | None
    """No plan comes to less; None: nothing is proved."""
    better: VerifiedPlan | None
    """A plan that comes to less than the run says that any can."""

    @property
    def claimed(self) -> Decimal:
        """The gap that the run claims."""
        return _share(Fraction(self.aim.value), Fraction(self.aim.claimed))

    @property
    def proved(self) -> Decimal | None:
        """The gap that is proved."""
        return None if self.bound is None else _share(Fraction(self.aim.value), self.bound)

    @property
    def holds(self) -> bool:
        """Whether what is proved is as good as what is claimed, or as an optimal plan has to be."""
        if self.proved is None or self.better is not None or self.contradicts:
            return False
        return self.proved <= max(OPTIMAL_GAP, self.claimed + TOLERANCE)

    @property
    def is_optimal(self) -> bool:
        """Whether it is proved that the plan may be called optimal: each of its parts then is."""
        return self.holds and self.proved is not None and self.proved <= OPTIMAL_GAP

    @property
    def contradicts(self) -> bool:
        """Whether no plan of the program comes to as little as this plan does."""
        return self.bound is not None and self.bound > Fraction(self.aim.value + self.aim.slack)


def not_checked(why: str) -> Proof:
    """Nothing was tried."""
    return Proof(f"optimality: not checked, since {why}", proved=False)


def together(parts: Sequence[ProvedParts]) -> ProvedParts | None:
    """Those of all objectives; None: nothing was tried."""
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
    """That the certificate of a run states what it does not prove."""
    findings = tuple(Diagnostic(f"the certificate does not hold: {one}", "certificate.json") for one in told)
    return replace(not_checked("the run's certificate does not hold"), findings=findings)


def no_conflict(verified: VerifiedPlan) -> Proof:
    """That the rules which a run says to conflict do not."""
    rules = sorted({rule for part in verified.plan.infeasible for rule in part.rules})
    text = "the run says that rules conflict, and a plan of the same facts keeps them all"
    finding = Diagnostic(text, "facts.json", column="plan.infeasible", found=", ".join(rules), expected="no conflict")
    return Proof(f"optimality: VERIFICATION FAILED: {text}", proved=False, findings=(finding,))


def told(shown: Sequence[Shown], verified: VerifiedPlan, *, late: bool) -> Proof:
    """What is proved of all claims of a run.

    Args:
        shown: the claims, in order of rank, up to the first of which nothing is proved.
        verified: the plan.
        late: whether the time was up before all was done.
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


def beaten(aim: Aim, better: VerifiedPlan, currency: str) -> Diagnostic:
    """That the run says of a claim what a plan of the same facts contradicts."""
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


def _amount(value: Decimal, aim: Aim, currency: str, rounding: str) -> str:
    """Money to the cent, kilograms to their hundredth."""
    number = f"{value.quantize(_CENT, rounding):,}"
    return f"{currency} {number}" if aim.in_money else f"{number} kg"


def _share(value: Fraction, bound: Fraction) -> Decimal:
    """By what share of it a plan may be cheaper than one of this value; never less than it is."""
    if bound >= value:
        return Decimal(0)
    if not value:
        return Decimal(1)
    gap = (value - bound) / abs(value)
    return Decimal(gap.numerator) / Decimal(gap.denominator)


def _percent(gap: Decimal) -> str:
    """A gap, rounded up to two digits; what is below a billionth is nothing."""
    if gap < Decimal("1e-9"):
        return "0 %"
    shown = gap * 100
    digits = max(0, 1 - shown.adjusted())
    return f"{shown.quantize(Decimal(1).scaleb(-digits), ROUND_CEILING):f} %"
