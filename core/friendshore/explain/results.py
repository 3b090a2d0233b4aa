"""Common parts of all answers to questions about a plan: proved differences, effort, and tables."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from ..document.notebook import ShownOnScreen
from ..domain.base import Number, Record, Tables, exact, totals
from ..domain.basis import Factors, equal_weights
from ..domain.plan import without_residue
from ..domain.shown_names import RunMaterial, ShownNames, offer_names, rule_titles

if TYPE_CHECKING:
    import pandas

    from ..problem import Problem
    from ..session import Answer, Session
    from ..solve import Progress

SHARE_PROVED = Decimal("1e-6")
CENT = Decimal("0.01")
"""Precision in money to which a difference counts as one number. The alternative is a millionth of the plan's objective."""


class Difference(Record):
    """Difference between the objectives of two plans, with proved bounds."""

    value: Number
    """Difference between the two plans found. 0 for a residue of rounding."""
    low: Number | None
    """Proved lower bound. None if there is none."""
    high: Number | None
    """Proved upper bound. None if there is none."""
    proved: bool
    """True if both plans are proved cheapest, to a cent or a millionth. `value` is then their difference. Otherwise, the difference lies between the bounds."""


class PlanRise(Record):
    """Increase of a plan's money and penalties through some changes."""

    cash: Number
    """Cash, not discounted. Below zero if the spend decreases."""
    spent: Number
    """Present value of the cash."""
    penalty: Number
    """Penalties for shortages and violated limits. Not paid."""
    short_kg: dict[str, Number]
    """Material -> kilograms of additional shortage, negative if it decreases."""


class Effort(Record):
    """Effort for an answer."""

    questions: int
    solved: int
    """Number of components solved for it."""
    reused: int
    """Number of components with a known answer."""

    @property
    def share_reused(self) -> float:
        return self.reused / max(self.solved + self.reused, 1)


class QuestionResult(ShownOnScreen, Tables):
    """An answer, as records. `TABLES` names the fields that are its tables."""

    TABLES: ClassVar[tuple[str, ...]] = ()

    names: ShownNames = ShownNames()
    """Names of the materials and offers in the answer, and the basis of kilograms."""

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data, as in the output of `--json`."""
        return self.model_dump(mode="json", by_alias=True)

    def to_frame(self, table: str = "") -> pandas.DataFrame:
        """Return one of `TABLES`, by default the first. Raises ValueError for another table."""
        import pandas

        name = table or self.TABLES[0]
        if name not in self.TABLES:
            raise ValueError(f"no table `{name}`: one of {', '.join(self.TABLES)}")
        return pandas.DataFrame([row.model_dump(mode="json") for row in getattr(self, name)])


class QuestionCounter:
    """Counter of the questions to a session from now on, and reporter of progress."""

    def __init__(self, session: Session, progress: Progress | None = None) -> None:
        self.session = session
        self.questions = 0
        self._progress, self._began = progress, time.monotonic()
        self._solved, self._reused = session.answers.solved, session.answers.reused

    def report_progress(self, done: int, total: int) -> None:
        if self._progress is not None:
            self._progress(done, total, time.monotonic() - self._began)

    @property
    def effort(self) -> Effort:
        answers = self.session.answers
        solved, reused = answers.solved - self._solved, answers.reused - self._reused
        return Effort(questions=self.questions, solved=solved, reused=reused)


def difference(answer: Answer) -> Difference:
    low, high = answer.rise_between
    return between(answer.rise.objective, low, high, answer.cost.objective)


def between(value: Decimal, low: Decimal, high: Decimal, objective: Decimal) -> Difference:
    is_bounded, shown = low.is_finite() and high.is_finite(), without_residue(value, objective)
    return Difference(
        value=exact(shown),
        low=exact(min(low, shown)) if is_bounded else None,
        high=exact(max(high, shown)) if is_bounded else None,
        proved=is_bounded and high - low <= max(CENT, SHARE_PROVED * abs(objective)),
    )


def shortage(answer: Answer, *, after: bool = True) -> Mapping[str, Decimal]:
    parts = answer.after if after else answer.before
    return dict(sorted(totals(short for part in parts for short in part.plan.short_by_demand.items()).items()))


def short_more(session: Session, answer: Answer) -> dict[str, Decimal]:
    before, after = shortage(answer, after=False), shortage(answer)
    slack = session.problem.case.resolution * session.problem.case.horizon.count
    rise = (
        (demand.use.material.id, added_kg)
        for demand in session.problem.demands
        if abs(added_kg := after.get(demand.id, Decimal(0)) - before.get(demand.id, Decimal(0))) > slack
    )
    return {name: exact(kilograms) for name, kilograms in sorted(totals(rise).items()) if kilograms}


def plan_rise(session: Session, answer: Answer) -> PlanRise:
    cost = answer.rise_shown
    return PlanRise(
        cash=cost.nominal,
        spent=cost.total,
        penalty=cost.shortage + cost.penalties,
        short_kg=short_more(session, answer),
    )


def total(quantities: Sequence[Decimal]) -> Decimal:
    return exact(sum(quantities, Decimal(0)))


def materials_of(problem: Problem) -> list[RunMaterial]:
    used = sorted({material for material, _ in problem.network.nodes})
    factors = Factors(problem.merged.factors)
    materials = [problem.merged.materials[name] for name in used]
    return [RunMaterial(id=m.id, name=m.name, basis=m.basis, equal_kg=equal_weights(m, factors)) for m in materials]


def names_of(problem: Problem, offers: Iterable[str]) -> ShownNames:
    merged = problem.merged
    existing = [merged.offers[name] for name in dict.fromkeys(offers) if name in merged.offers]
    rows = (
        (offer.id, offer.facility, merged.facilities[offer.facility].name, line.material)
        for offer in existing
        for line in offer.outputs
    )
    titles = rule_titles((rule.id, rule.short_title or rule.title) for rule in problem.rules)
    return ShownNames(materials=materials_of(problem), offers=offer_names(rows), rules=titles)
