"""What all answers to questions about a plan have in common: differences with what is proved of them, effort, tables."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from ..document.notebook import ShownOnScreen
from ..domain.base import Number, Record, Tables, exact, totals
from ..domain.basis import Factors, equal_weights
from ..domain.shown_names import RunMaterial, ShownNames, offer_names

if TYPE_CHECKING:
    import pandas

    from ..problem import Problem
    from ..session import Answer, Session
    from ..solve import Progress

SHARE_PROVED = Decimal("1e-6")
CENT = Decimal("0.01")
"""A difference is one number if it is known to a cent, or to a millionth of the plan's objective."""


class Difference(Record):
    """By how much one plan's objective is above another's, and what is proved of it."""

    value: Number
    """Of the two plans found."""
    low: Number | None
    """It is surely no less than this; None: nothing is sure."""
    high: Number | None
    """It is surely no more than this; None: nothing is sure."""
    proved: bool
    """Whether both plans are proved cheapest, to a cent or a millionth: `value` is then the difference, else it lies between."""


class PlanRise(Record):
    """What some changes add to a plan, with money and penalties apart."""

    cash: Number
    """Cash, not discounted; below zero: less is spent."""
    spent: Number
    """Present value of the same."""
    penalty: Number
    """Penalties for shortage and missed limits, which are not paid."""
    short_kg: dict[str, Number]
    """Material -> kilograms that are short in addition, or (negative) less."""


class Effort(Record):
    """What an answer took."""

    questions: int
    """Lists of changes that were asked about."""
    solved: int
    """Components that were solved for it."""
    reused: int
    """Components whose answer was known already."""

    @property
    def share_reused(self) -> float:
        """Share of components whose answer was known already."""
        return self.reused / max(self.solved + self.reused, 1)


class QuestionResult(ShownOnScreen, Tables):
    """An answer, as records. Its tables are the fields that `TABLES` names."""

    TABLES: ClassVar[tuple[str, ...]] = ()

    names: ShownNames = ShownNames()
    """Names of the materials and offers that it speaks of by id, and what kilograms weigh."""

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data, as `--json` prints it."""
        return self.model_dump(mode="json", by_alias=True)

    def to_frame(self, table: str = "") -> pandas.DataFrame:
        """One of `TABLES`, the first if none is named, as a data frame, one row an entry.

        Raises:
            ValueError: for another table.
        """
        import pandas

        name = table or self.TABLES[0]
        if name not in self.TABLES:
            raise ValueError(f"no table `{name}`: one of {', '.join(self.TABLES)}")
        return pandas.DataFrame([row.model_dump(mode="json") for row in getattr(self, name)])


class Counted:
    """Counts what is asked of a session from here on, and tells how far the answer is."""

    def __init__(self, session: Session, progress: Progress | None = None) -> None:
        self.session = session
        self.questions = 0
        self._progress, self._began = progress, time.monotonic()
        self._solved, self._reused = session.answers.solved, session.answers.reused

    def told(self, done: int, total: int) -> None:
        """Report progress, with the elapsed seconds."""
        if self._progress is not None:
            self._progress(done, total, time.monotonic() - self._began)

    @property
    def effort(self) -> Effort:
        """Effort so far."""
        answers = self.session.answers
        solved, reused = answers.solved - self._solved, answers.reused - self._reused
        return Effort(questions=self.questions, solved=solved, reused=reused)


def difference(answer: Answer) -> Difference:
    """What some changes raise the objective by, with what is proved of it."""
    low, high = answer.rise_between
    return between(answer.rise.objective, low, high, answer.cost.objective)


def between(value: Decimal, low: Decimal, high: Decimal, objective: Decimal) -> Difference:
    """A difference of `value` between two plans found that surely lies from `low` to `high`; a millionth is one of the larger plan's `objective`."""
    known = low.is_finite() and high.is_finite()
    return Difference(
        value=exact(value),
        low=exact(low) if known else None,
        high=exact(high) if known else None,
        proved=known and high - low <= max(CENT, SHARE_PROVED * abs(objective)),
    )


def shortage(answer: Answer, *, after: bool = True) -> Mapping[str, Decimal]:
    """Demand -> kilograms short over the plan, of the parts that some changes touch; what is met in full is left out."""
    parts = answer.after if after else answer.before
    return dict(sorted(totals(short for part in parts for short in part.plan.short_by_demand.items()).items()))


def short_more(session: Session, answer: Answer) -> dict[str, Decimal]:
    """Return material -> kilograms short after some changes beyond what is short anyway, or (negative) less. Rounding is left out."""
    before, after = shortage(answer, after=False), shortage(answer)
    slack = session.problem.case.resolution * session.problem.case.horizon.count
    rise = (
        (demand.use.material.id, more)
        for demand in session.problem.demands
        if abs(more := after.get(demand.id, Decimal(0)) - before.get(demand.id, Decimal(0))) > slack
    )
    return {name: exact(kilograms) for name, kilograms in sorted(totals(rise).items()) if kilograms}


def plan_rise(session: Session, answer: Answer) -> PlanRise:
    """Return what some changes add to a plan."""
    cost = answer.rise
    return PlanRise(
        cash=cost.nominal,
        spent=cost.total,
        penalty=cost.shortage + cost.penalties,
        short_kg=short_more(session, answer),
    )


def total(quantities: Sequence[Decimal]) -> Decimal:
    """The sum, as every stored number is rounded."""
    return exact(sum(quantities, Decimal(0)))


def materials_of(problem: Problem) -> list[RunMaterial]:
    """Return the materials of a problem, with what their kilograms equal in other substances."""
    used = sorted({material for material, _ in problem.network.nodes})
    factors = Factors(problem.merged.factors)
    found = [problem.merged.materials[name] for name in used]
    return [RunMaterial(id=m.id, name=m.name, basis=m.basis, equal_kg=equal_weights(m, factors)) for m in found]


def names_of(problem: Problem, offers: Iterable[str]) -> ShownNames:
    """Return the names of all materials of a problem, and of some offers."""
    merged = problem.merged
    known = [merged.offers[name] for name in dict.fromkeys(offers) if name in merged.offers]
    rows = (
        (offer.id, offer.facility, merged.facilities[offer.facility].name, line.material)
        for offer in known
        for line in offer.outputs
    )
    return ShownNames(materials=materials_of(problem), offers=offer_names(rows))
