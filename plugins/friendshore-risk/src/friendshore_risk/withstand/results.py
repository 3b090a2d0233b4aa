"""What is told of plans that withstand losses: what each number of losses costs, which are worst, what cannot be withstood."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, ClassVar

from pydantic import Field

from friendshore.domain.base import Number, Record
from friendshore.explain.results import Difference, QuestionResult

from ..stress.insured import KeptReady, Ordered, Ready
from .losses import PossibleLoss
from .proof import WithstandProof


class WorstLosses(Record):
    """The losses after which a plan comes to the most."""

    losses: tuple[str, ...]
    rise: Number
    """By how much the plan then comes to more, shortage at its price included; below 0: to less, since what is not ordered is not paid."""


class MissedDemand(Record):
    """A demand that is short after some losses, beyond what is short anyway."""

    demand: str
    material: str
    end_use: str
    kilograms: Number
    """In addition, over the plan."""
    first: str
    """Label of the first period in which it is short after the loss."""
    last: str
    """Label of the last one."""
    goes_on: bool
    """Whether that is the last period of the plan."""
    suppliers: tuple[str, ...]
    """Offers of the material that still deliver for it, or for others of its compliance class, once there was time to react."""


class NotWithstood(Record):
    """Losses that no mix withstands: something is short after them whatever is decided before."""

    losses: tuple[str, ...]
    short: tuple[MissedDemand, ...]
    """What is short after these losses and after no fewer of them."""
    conflict: bool = False
    """Whether rules cannot hold together after them; nothing else is then told."""


class CurvePoint(Record):
    """The cheapest plan that withstands any so many losses."""

    losses: int
    cost: Number
    """Of that plan where nothing is lost, shortage at its price included."""
    extra: Difference
    """By how much that is more than the plan as it is: present value of spend and penalties."""
    cash: Number = Decimal(0)
    """Cash that it spends more than the plan as it is, where nothing is lost."""
    penalties: Number = Decimal(0)
    """Penalties for shortage and missed soft limits beyond those of the plan as it is."""
    combinations: int
    """Combinations of at most so many losses: all are enumerated."""
    not_withstood: int
    """Those among them after which something is short, or rules conflict."""
    worst: WorstLosses | None
    """Of those that leave nothing more short, the one after which it comes to the most; None: each leaves something short."""
    regret: bool
    """Whether one plan cannot be prepared for all of them as well as for each: something is then short that another plan would avoid."""
    plans: int
    """Plans that follow them, each verified on the facts."""


class Withstood(QuestionResult):
    """What it costs to withstand any few of many losses."""

    TABLES: ClassVar[tuple[str, ...]] = ("curve", "not_withstood", "losses", "ordered", "ready", "never_met")

    case: str
    currency: str
    start: date
    """First day on which nothing can be ordered any more of what is lost; what was ordered before still comes."""
    reacts: date | None
    """First day on which anything can be ordered beyond what was planned; None: the plan ends before."""
    objective: Number
    """Of the plan as it is, shortage at its price included."""
    losses: tuple[PossibleLoss, ...]
    """Any of these may come together."""
    left_out: int
    """Others who could deliver and are not among them."""
    most: int
    """Losses that may come together."""
    curve: tuple[CurvePoint, ...]
    """One entry for each number of losses, from none on; fewer where the search was ended."""
    not_withstood: tuple[NotWithstood, ...]
    """Of the last of `curve`, the smallest sets of losses that leave anything short; the dearest first."""
    ordered: tuple[Ordered, ...]
    """Offers of which that plan orders more or less before the loss than the plan as it is."""
    onboarded: tuple[KeptReady, ...]
    """Offers that are onboarded for the case of a loss alone."""
    ready: tuple[Ready, ...]
    """Materials of which more or less is there when the loss comes."""
    never_met: tuple[str, ...]
    """Demands that are short as things are: of them no more is short after a loss, and nothing is charged for the rest."""
    idle: tuple[str, ...]
    """Suspended rules that would bar nothing more of what could arrive from then on."""
    unsaid: tuple[str, ...]
    """Where a place on the way may be lost, offers that cross a border by a way of which nobody says what it passes: it is not lost to them."""
    unplanned: tuple[str, ...]
    """Materials of parts in which rules conflict as things are: they are left out."""
    proof: Annotated[WithstandProof, Field(exclude=True)]
    """The plans behind the last entry of `curve`, and what proves it."""
