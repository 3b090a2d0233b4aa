"""What is told of an insured plan: its price, what becomes of each loss, what it does otherwise, the stock that would do instead.

And how one independent part of a case is insured: what is decided before the losses, so that each can be met.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import ClassVar

import numpy as np

from friendshore.domain.base import Number, Record, exact
from friendshore.explain.results import Difference, Effort, QuestionResult
from friendshore.program import Program
from friendshore.program.matrix import Floats, Ints, Linear
from friendshore.session import Session
from friendshore.solve import Solution, SolverAnswer, SolverOutcome, optimum, split

from .losses import Loss, LossKind
from .search import Shortfall
from .twostage import TwoStage, closed_by, decided_before, with_shortage_bounds


class LossMet(Record):
    """What becomes of one loss, under the plan as it is and under the insured one."""

    loss: Loss
    exposed: tuple[Shortfall, ...]
    """Least kilograms short in addition where the plan as it is is followed until the loss comes."""
    met: bool
    """Whether the insured plan leaves no demand more short after it: the plan that follows the loss orders the same before it, and
    is verified on the facts after it. All to within one step of the resolution a period."""
    costs: Number | None
    """What the loss then raises the objective of the insured plan by; None: what follows is not known, or not verified."""
    unmet: tuple[Shortfall, ...] = ()
    """Least kilograms short in addition, whatever is done before the loss, of what cannot be met."""
    reason: str = ""
    """Why it is not met."""


class Ordered(Record):
    """What is ordered of an offer before the loss, for all losses alike."""

    offer: str
    kilograms: Number
    """Under the insured plan."""
    today: Number
    """Under the plan as it is."""
    new: bool
    """Whether the plan as it is never buys of it."""


class KeptReady(Record):
    """An offer onboarded for the case of a loss alone."""

    offer: str
    cost: Number
    """Discounted money for its onboarding, with what take-or-pay makes due."""


class Ready(Record):
    """What is there when the loss comes: in stock, or ordered and on its way."""

    material: str
    kilograms: Number
    """Under the insured plan."""
    today: Number
    """Under the plan as it is."""


class StockNeeded(Record):
    """Stock of a material that would make every loss harmless by itself."""

    material: str
    kilograms: Number
    """In hand when the loss comes, lawful for every use: the most that any one loss leaves short."""
    loss: str
    """The loss that leaves so much short."""
    holding: Number | None
    """Money a year for holding it, in the dearest period; None: the case has no holding rate."""
    proved: bool
    """Whether, with it in stock, the plan made again without each loss in turn leaves nothing more short, verified."""


class Insurance(QuestionResult):
    """What it costs that no single loss leaves more short than the plan as it is."""

    TABLES: ClassVar[tuple[str, ...]] = ("losses", "stock", "ordered", "ready")
    TOLD_BY: ClassVar[str] = "friendshore.questions.stress.document:insurance_document"

    currency: str
    by: LossKind
    start: date
    """First day of the loss; it lasts to the end of the plan, and nobody knows before it which loss comes."""
    objective: Number
    """Of the plan as it is."""
    premium: Difference
    """By how much the insured plan is dearer, where no loss comes."""
    losses: tuple[LossMet, ...]
    """Losses that leave something short under the plan as it is, or are not met; then all others, in order of name."""
    ordered: tuple[Ordered, ...]
    """Offers of which the insured plan orders more or less before the loss, those with the largest difference first."""
    onboarded: tuple[KeptReady, ...]
    """Offers that are onboarded for the case of a loss, and of which nothing is bought where none comes; the premium holds their money."""
    ready: tuple[Ready, ...]
    """Materials of which more or less is there when the loss comes."""
    stock: tuple[StockNeeded, ...]
    """Stock that would do in the place of an insured plan."""
    effort: Effort


Kilograms = dict[str, Decimal]
"""By material."""
_NOTHING = 1e-6
"""Kilograms that a solver's tolerance explains."""


@dataclass(eq=False)
class InsuredPart:
    """The columns of a part's plan that meets its losses, and of what follows each of them."""

    program: Program
    x: Floats
    """Values where no loss comes."""
    today: Floats
    """Values of the plan as it is."""
    bound: float
    """No plan that meets the same losses costs less."""
    today_bound: float
    """No plan at all costs less."""
    rise: tuple[float, float]
    """By how much it is surely dearer than the cheapest plan: at least, at most."""
    closed: Mapping[int, Ints]
    """Loss -> columns that it closes; none: the loss does not touch the part."""
    unmet: dict[int, Kilograms] = field(default_factory=dict)
    """Loss -> least kilograms short in addition, whatever is done before it: what cannot be insured."""
    exposed: dict[int, Kilograms] = field(default_factory=dict)
    """Loss -> least kilograms short in addition where the plan as it is is followed until the loss."""
    together: set[int] = field(default_factory=set)
    """Losses that can be met one by one, and not together with the others."""
    conflicts: set[int] = field(default_factory=set)
    """Losses after which rules conflict, whatever is done before them."""
    unknown: set[int] = field(default_factory=set)
    """Losses of which a limit ended the search."""
    _pieces: dict[int, list[tuple[Ints, Floats]]] = field(default_factory=dict)

    def after(self, loss: int) -> Floats:
        """Values of all columns once a loss has come; of one after which rules conflict, or that is unknown, they mean nothing."""
        found = self.x.copy()
        for columns, values in self._pieces.get(loss, ()):
            found[columns] = values
        return found

    def keep(self, loss: int, columns: Ints, values: Floats) -> None:
        """Notes what some columns are once a loss has come."""
        self._pieces.setdefault(loss, []).append((columns, values))


def insure_part(
    session: Session, program: Program, today: Solution, losses: Mapping[int, frozenset[str]], period: int
) -> InsuredPart | None:
    """The cheapest plan of a part that meets every loss that can be met; None where rules conflict as things are.

    Each loss takes away some offers from `period` on.

    Raises:
        SolverError: if a solver breaks down.
    """
    if today.conflicts:
        return None
    closed = {loss: closed_by(program, offers, period) for loss, offers in losses.items()}
    found = InsuredPart(program, today.x.copy(), today.x, today.bound, today.bound, (0.0, 0.0), closed)
    bounded = with_shortage_bounds(program, today.x)
    shared = decided_before(program, period)
    own_rows = program.linear.entries.shape[0]
    for part in split(bounded):
        here = {loss: np.flatnonzero(np.isin(part.columns, columns)) for loss, columns in closed.items()}
        here = {loss: columns for loss, columns in here.items() if part.linear.upper[columns].any()}
        if here:
            rows = np.flatnonzero(part.rows >= own_rows)
            demands = (part.rows[rows] - own_rows).tolist()
            materials = [program.problem.demands[demand].use.material.id for demand in demands]
            stage = TwoStage(part.linear, shared[part.columns], rows)
            _Component(session, found, stage, part.columns, materials, here).insure()
    return found


class _Component:
    """What hangs together of a part, with the losses that close any of its columns."""

    def __init__(
        self,
        session: Session,
        found: InsuredPart,
        stage: TwoStage,
        columns: Ints,
        materials: Sequence[str],
        closed: Mapping[int, Ints],
    ) -> None:
        self.session, self.found, self.stage = session, found, stage
        self.columns, self.materials, self.closed = columns, materials, closed

    def insure(self) -> None:
        """Solves it, and notes what is found."""
        today = self.found.today[self.columns]
        for loss, columns in self.closed.items():
            exposed = self._solved(self.stage.afterwards(today, columns, "least"))
            _add(self.found.exposed, loss, self._short(exposed))
        before = self._solved(self.stage.linear)
        met = list(self.closed)
        answer = self._insured(met)
        if answer.x is None:
            met, answer = self._all_that_can_be()
        if answer.x is None or before.x is None:
            self.found.unknown.update(self.closed)
            return
        own = answer.x[: len(self.columns)]
        self.found.x[self.columns] = own
        self.found.bound += answer.bound - before.bound
        low, high = self.found.rise
        self.found.rise = low + answer.bound - before.objective, high + answer.objective - before.bound
        for loss, columns in self.closed.items():
            after = self._solved(self.stage.afterwards(own, columns, "bounded" if loss in met else "priced"))
            if after.x is not None:
                self.found.keep(loss, self.columns, self.stage.completed(own, after.x))
            elif loss in met:
                self.found.keep(loss, self.columns, self.stage.second(answer.x, met.index(loss)))
            else:
                self.found.conflicts.add(loss)

    def _all_that_can_be(self) -> tuple[list[int], SolverAnswer]:
        """The losses that can be met together, and the plan that meets them: those that nothing can meet are left out first."""
        able = [loss for loss in self.closed if self._can_be_met(loss)]
        answer = self._insured(able)
        if answer.x is not None:
            return able, answer
        met: list[int] = []
        answer = self._insured(met)
        for loss in able:
            more = self._insured([*met, loss])
            if more.x is None:
                denied = more.outcome is SolverOutcome.INFEASIBLE
                (self.found.together if denied else self.found.unknown).add(loss)
            else:
                met, answer = [*met, loss], more
        return met, answer

    def _can_be_met(self, loss: int) -> bool:
        """Whether anything can be done before a loss so that it can be met; if not, what is then short at least is noted."""
        answer = self._solved(self.stage.least_short(self.closed[loss]))
        if answer.outcome is SolverOutcome.INFEASIBLE:
            self.found.conflicts.add(loss)
        elif answer.x is None or (answer.bound <= _NOTHING < answer.objective):
            self.found.unknown.add(loss)
        elif answer.objective > _NOTHING:
            _add(self.found.unmet, loss, self._short(answer))
        else:
            return True
        return False

    def _insured(self, losses: Sequence[int]) -> SolverAnswer:
        return self._solved(self.stage.insured([self.closed[loss] for loss in losses]))

    def _short(self, answer: SolverAnswer) -> Kilograms:
        """Kilograms short in addition by material: the last columns of an elastic program."""
        found: Kilograms = {}
        if answer.x is not None:
            beyond = answer.x[len(answer.x) - len(self.materials) :].tolist()
            for material, value in zip(self.materials, beyond, strict=True):
                if value > _NOTHING:
                    found[material] = found.get(material, Decimal(0)) + exact(value)
        return found

    def _solved(self, linear: Linear) -> SolverAnswer:
        return optimum(linear, self.session.limits, self.session.cancel, self.session.answers)


def _add(table: dict[int, Kilograms], loss: int, short: Kilograms) -> None:
    for material, kilograms in short.items():
        by_material = table.setdefault(loss, {})
        by_material[material] = by_material.get(material, Decimal(0)) + kilograms
