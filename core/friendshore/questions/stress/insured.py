"""What is told of an insured plan: its price, what becomes of each loss, what it does otherwise, the stock that would do instead."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from ...domain.base import Number, Record
from ...explain.results import Difference, Effort, QuestionResult
from .losses import Loss, LossKind
from .search import Shortfall


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
    """Money a year for holding it; None: the case has no holding rate."""
    proved: bool
    """Whether, with it in stock, the plan made again without each loss in turn leaves nothing more short, verified."""


class Insurance(QuestionResult):
    """What it costs that no single loss leaves more short than the plan as it is."""

    TABLES: ClassVar[tuple[str, ...]] = ("losses", "stock", "ordered", "ready")

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
