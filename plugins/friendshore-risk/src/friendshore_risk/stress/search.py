"""The plan without each of those it depends on: what each loss costs, and what is then short."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import ClassVar

from friendshore.domain.base import Number, Record, exact
from friendshore.errors import A_SESSION, InputError, takes
from friendshore.explain.results import Counted, Difference, Effort, QuestionResult, difference, names_of, short_more
from friendshore.session import Answer, Session
from friendshore.session.decided import foreseen, keep_decisions
from friendshore.solve import Progress

from .losses import KINDS, Loss, LossKind, losses


class Shortfall(Record):
    """By how much more a material is short than in the plan as it is."""

    material: str
    kilograms: Number
    """Over the plan and all its demands; below zero: less short."""


class Stressed(Record):
    """The plan after one loss."""

    loss: Loss
    rise: Difference
    """Of the objective: money spent and priced shortage."""
    cash: Number
    """Rise of the cash spent; below zero where what is unavailable is not paid for."""
    spent: Number
    """Present value of the same."""
    shortage: Number
    """Rise of the penalty for shortage."""
    penalties: Number = Decimal(0)
    """Rise of the penalties for missed soft limits."""
    short: tuple[Shortfall, ...]
    """Materials of which more or less is short, in order of name."""
    conflict: tuple[str, ...] = ()
    """Rules that cannot hold together after the loss: then nothing is planned of what they touch, and `rise` is of the rest."""
    beyond: Number | None = None
    """Of two countries together: by how much the rise is above what the two cost alone; None: one alone, or not known."""
    tied: bool = False
    """Whether, for what is proved, it may rank below the next."""


class Stress(QuestionResult):
    """The plan without each of those it depends on, the dearest loss first."""

    TABLES: ClassVar[tuple[str, ...]] = ("losses", "pairs")
    TOLD_BY: ClassVar[str] = "friendshore.questions.stress.screen:stress_screen"

    currency: str
    start: date
    """First day on which nothing can be ordered any more of what is lost; what was ordered before still comes."""
    objective: Number
    """Of the plan as it is: present value of spend and penalties."""
    cash: Number = Decimal(0)
    """That the plan as it is spends."""
    everything: bool
    """Whether everyone who could deliver was taken away in turn, or only those that the plan buys from."""
    losses: tuple[Stressed, ...]
    """One after the other, each alone."""
    pairs: tuple[Stressed, ...]
    """Every two countries that the plan buys from, together."""
    unasked: int
    """Losses that were not asked about, since the user ended the search."""
    decided_before: date | None = None
    """What the plan orders before this day stays as it is after each loss; None: everything is planned anew."""
    foreseen: bool = False
    """Whether plans know of a loss before it comes, and may buy ahead of it."""
    effort: Effort


@takes(Session, A_SESSION)
def stress(
    session: Session,
    *,
    kinds: Sequence[LossKind] = KINDS,
    everything: bool = False,
    pairs: bool = True,
    start: date | None = None,
    decided_before: date | None = None,
    progress: Progress | None = None,
) -> Stress:
    """The plan made again without each of those it depends on, verified, ranked by what the loss costs.

    The loss is known from the start: everything is planned anew, also what comes before it, unless it is decided. An offer is closed in every
    period that the loss reaches into, so that a loss within a period counts for all of it.

    Args:
        session: a solved case.
        kinds: by what losses are told apart.
        everything: take away everyone who could deliver, not only those that the plan buys from.
        pairs: take away also every two countries that the plan buys from.
        start: first day of the loss; if not given, the day before which all is decided, or the first day of the plan.
        decided_before: a day; what the plan orders before it stays as it is. None: each plan knows of its loss from the start.
        progress: told the questions answered, all of them, and seconds.

    Raises:
        InputError: if a loss begins before what is decided ends.
        SolverError: if a solver breaks down.
        VerificationError: if a plan does not hold.
    """
    day = start or decided_before or session.problem.case.horizon.start
    if decided_before is not None:
        if day < decided_before:
            message, expected = "a loss begins before the day before which all is decided", f"{decided_before} or later"
            raise InputError(message, found=str(day), expected=expected, fix=f"--from {decided_before}")
        session = keep_decisions(session, decided_before)
    counted = Counted(session, progress)
    asked = losses(session, kinds, everything=everything, pairs=pairs)
    found = []
    for number, loss in enumerate(asked, 1):
        if session.stopped:
            break
        counted.questions += 1
        found.append(_stressed(session, loss, session.after(*loss.changes(day))))
        counted.told(number, len(asked))
    alone = [each for each in found if len(each.loss.names) == 1]
    return Stress(
        currency=session.problem.case.currency,
        names=names_of(session.problem, ()),
        start=day,
        objective=session.verified.cost.objective,
        cash=session.verified.cost.nominal,
        everything=everything,
        losses=_ranked(alone),
        pairs=_ranked([_beside(each, alone) for each in found if len(each.loss.names) > 1]),
        unasked=len(asked) - len(found),
        decided_before=decided_before,
        foreseen=decided_before is None and foreseen(session, [day]) is not None,
        effort=counted.effort,
    )


def _stressed(session: Session, loss: Loss, answer: Answer) -> Stressed:
    known = {rule for part in session.verified.plan.infeasible for rule in part.rules}
    conflict = {rule for part in answer.infeasible for rule in part.rules}
    rise = difference(answer)
    if any(part.plan.infeasible for part in (*answer.before, *answer.after)):  # of the rest alone, which proves nothing
        rise = rise.but(low=None, high=None, proved=False)
    return Stressed(
        loss=loss,
        rise=rise,
        cash=answer.rise.nominal,
        spent=answer.rise.total,
        shortage=answer.rise.shortage,
        penalties=answer.rise.penalties,
        short=shortfalls(session, answer),
        conflict=tuple(sorted(conflict - known)),
    )


def _beside(pair: Stressed, alone: Sequence[Stressed]) -> Stressed:
    """A loss of two countries beside what each of them costs alone, where that was asked."""
    rises = {word: each.rise.value for each in alone if not each.conflict for word in _words(each.loss)}
    apart = [rises.get(f"country {name}") for name in pair.loss.names]
    known = [rise for rise in apart if rise is not None]
    if pair.conflict or len(known) < len(apart):
        return pair
    return pair.but(beyond=exact(pair.rise.value - sum(known, Decimal(0))))


def _words(loss: Loss) -> list[str]:
    return [*(f"{kind} {loss.name}" for kind in loss.by), *loss.also]


def shortfalls(session: Session, answer: Answer) -> tuple[Shortfall, ...]:
    """Return what is short after some changes beyond what is short anyway, by material."""
    return tuple(Shortfall(material=name, kilograms=kg) for name, kg in short_more(session, answer).items())


def _ranked(found: Sequence[Stressed]) -> tuple[Stressed, ...]:
    """The dearest first, those that leave rules in conflict before all; neighbours whose intervals meet are marked."""
    ranked = sorted(found, key=lambda each: (not each.conflict, -each.rise.value, each.loss.names))
    tied = [_may_swap(one, other) for one, other in pairwise(ranked)]
    return tuple(each.but(tied=True) if tie else each for each, tie in zip(ranked, [*tied, False], strict=False))


def _may_swap(one: Stressed, other: Stressed) -> bool:
    """Whether the second may in truth be dearer than the first."""
    if one.rise.proved and other.rise.proved:
        return False
    low, high = one.rise.low, other.rise.high
    return low is None or high is None or low < high
