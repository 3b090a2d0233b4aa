"""What there is to find out: each unknown with the question, who can answer it, and the plan for each answer that is tried."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar, Literal

from friendshore.domain.base import Number, Record
from friendshore.domain.change import Change
from friendshore.explain.results import Difference, Effort, QuestionResult

By = Literal["money", "kilograms"]
"""What unknowns are ranked by: money saved, or kilograms no longer short."""


class UnknownKind(StrEnum):
    """What is not known."""

    CAPACITY = "capacity"
    """How much a facility can make: nobody published it, or not well enough."""
    PRICE = "price"
    """What an offer costs: nobody published it, or it is assumed."""
    LEAD_TIME = "lead time"
    """How long it takes from order to delivery: the case assumes it, or its evidence does not reach far."""
    CONVERSION = "conversion"
    """What a maker takes or gives a unit: assumed, or recalled."""
    ORIGIN = "origin"
    """Where a stage was done: it is not proved, and a rule asks for it."""
    LICENCE = "licence"
    """Whether an export is licensed."""
    RULE = "rule"
    """Whether a rule of unknown status holds."""


class EvidenceToday(Record):
    """The evidence that there is today."""

    reference: str
    """Title, address or document; of a rule the note on its phase."""
    date: date | None
    """Day of its facts; None: it has none."""
    confidence: str
    """How far to trust it; empty: there is no evidence."""


class BoughtMore(Record):
    """What is bought more or less of an offer."""

    material: str
    offer: str
    kilograms: Number
    """Over the plan; below zero: less."""


class Possibility(Record):
    """The plan for one answer."""

    answer: str
    """What turns out, in words."""
    changes: list[Change]
    """What that makes of the case."""
    bound: bool = False
    """Whether no answer could save more: a capacity that is never used up, a price of nothing."""
    impossible: str = ""
    """Why there is no case in which this is so; then nothing else is said."""
    rise: Difference | None = None
    """What the objective comes to more than in the plan as it is: money spent, penalties and priced shortage."""
    cash: Number | None = None
    """Additional spend."""
    spent: Number | None = None
    """Present value of the same."""
    short_kg: Number | None = None
    """Kilograms short more than in the plan as it is, all materials together; below zero: no longer short."""
    conflict: tuple[str, ...] = ()
    """Rules that then cannot hold together, and can today: what they touch is not planned, and `rise` is of the rest."""
    resolved: tuple[str, ...] = ()
    """Rules that cannot hold together today, and then can: `rise` holds what is then planned in addition."""
    buys: tuple[BoughtMore, ...] = ()
    """What is bought more or less, the most kilograms first."""


class AtPrice(Record):
    """A price that nobody published, tried."""

    known: Number | None
    """The cheapest price known of the material, of an offer that counts; money per unit in the case's currency. None: none is known."""
    saves: Difference | None
    """What the offer would save at that."""
    break_even: Number | None
    """From this price on it saves nothing; None: it would save nothing even for nothing, or no single price was found."""
    proved: bool
    """Whether that price is proved."""


class Unknown(Record):
    """One thing that is not known."""

    rank: int = 0
    """From 1: by the most that knowing it could save."""
    kind: UnknownKind
    subject: str
    """Id of the offer, facility or rule."""
    material: str
    """What it delivers, makes or takes; several in order of name. Of a rule nothing."""
    question: str
    """What to find out, as one would ask."""
    whom: str
    """Who can answer it: supplier, operator, or whoever made the rule."""
    country: str
    """Where they are; empty for a rule."""
    known: EvidenceToday
    taken: str
    """What is taken for the answers that are tried: which figure, and which bound."""
    possibilities: tuple[Possibility, ...]
    saves: Difference
    """What the plan costs less if it turns out best: the most that knowing it could save. Nothing, if no answer that is tried is better than what
    the plan takes today."""
    best: int | None = None
    """Which possibility that is; None: none is better than today."""
    loses: Difference
    """What the plan costs more if it turns out worst."""
    worst: int | None = None
    """Which possibility that is; None: none is worse than today."""
    saved_kg: Number
    """Kilograms no longer short if it turns out best, over all materials."""
    conflict: bool = False
    """Whether an answer leaves rules in conflict: its cost is then not known."""
    resolves: bool = False
    """Whether an answer lets rules hold together that cannot today: those come first."""
    at_price: AtPrice | None = None
    """Of a price that nobody published: what other prices would do."""
    tied: bool = False
    """Whether, for what is proved, it may rank below the next."""


class Unasked(Record):
    """What is not known either, and cannot be tried."""

    subject: str
    why: str


class Unknowns(QuestionResult):
    """What to find out next, that which could save most first."""

    TABLES: ClassVar[tuple[str, ...]] = ("unknowns", "unasked")
    TOLD_BY: ClassVar[str] = "friendshore_workbooks.document:ask_screen"

    case: str
    currency: str
    objective: Number
    """Of the plan as it is: present value of spend and penalties."""
    cash: Number = Decimal(0)
    """That the plan as it is spends."""
    short: int
    """Demands that are short in it."""
    spread: Number
    """Share by which a figure without a stated range is taken to be better or worse: an assumption."""
    by: By
    unknowns: tuple[Unknown, ...]
    unasked: tuple[Unasked, ...]
    stopped: int = 0
    """Unknowns that were not asked about, since the search was ended."""
    sheets: tuple[str, ...] = ()
    """Bid sheets that were written, one a supplier."""
    unwritten: tuple[str, ...] = ()
    """Suppliers for whom none was written though they were to be asked, each with the reason."""
    effort: Effort
