"""The answer to `risk`, as records."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from friendshore.domain.base import Number, Record
from friendshore.explain.results import QuestionResult


class ComesTrue(Record):
    """An event that comes."""

    event: str
    start: date
    """First day."""
    factor: Number | None = None
    """By what it multiplies a price or a demand."""
    lasts: Number | None = None
    """Months that it lasts; None: to the end of the plan."""
    title: str = ""


class ShortOf(Record):
    """Kilograms of a material short over the plan."""

    material: str
    kilograms: Number


class ScenarioOutcome(Record):
    """What a scenario comes to under the plan that is recommended, whole case, shortage at its price included."""

    name: str
    events: tuple[ComesTrue, ...]
    probability: Number
    objective: Number
    """Money, discounted, and penalties for shortage and missed limits."""
    spent: Number | None = None
    """Present value of the money alone. None in answers of before it was recorded."""
    as_it_is: Number | None
    """The same where the plan that was made as if nothing happened is followed until the day; None: it cannot be followed then, or that was not found in time."""
    known: Number | None
    """The same for whoever had known from the start what comes; None: it was not found in time."""
    short: tuple[ShortOf, ...]
    """Beyond what the plan as it is leaves short where nothing happens."""


class BeforeTheDay(Record):
    """Something of the plan that is decided before the day."""

    offer: str
    material: str
    kilograms: Number
    """Ordered before the day, in this plan."""
    today: Number
    """In the plan that is made as if nothing happened."""


class HeldBefore(Record):
    """Kilograms of a material in stock, or ordered and on their way, when it becomes known what comes."""

    material: str
    kilograms: Number
    today: Number
    """In the plan that is made as if nothing happened."""


class Decision(Record):
    """A column of the first stage, by what it is about."""

    about: str
    value: float


class FrontierPoint(Record):
    """A plan between the least expected cost and the least CVaR."""

    weight: Number
    """Of CVaR."""
    expected: Number
    cvar: Number
    objectives: tuple[Number, ...]
    """What every scenario comes to, in their order."""
    decisions: tuple[Decision, ...]


class SampleGap(Record):
    """How good the plan of a sample is, from samples that had no part in making it."""

    batches: int
    size: int
    """Draws of each."""
    estimate: Number
    """Mean of what the plan costs more than the best plan of each batch: as a rule more than the true gap."""
    most: Number
    """With a confidence of 95 %, the plan costs no more than so much more than the best."""


class Risk(QuestionResult):
    """What to decide before anybody knows which events come."""

    TABLES: ClassVar[tuple[str, ...]] = ("scenarios", "before", "held", "frontier")

    case: str
    currency: str
    day: date
    """From which it is known which events come."""
    alpha: Number
    weight: Number
    seed: str
    """What the sample follows from; empty: these are all scenarios."""
    draws: int = 0
    """Of the sample."""
    expected: Number
    """Expected cost, penalties included."""
    cvar: Number
    """Mean cost of the worst `1 - alpha` of cases."""
    minimised: Number
    bound: Number
    """What is minimised cannot come to less."""
    expected_money: Number
    """Expected present value of the money spent, without penalties."""
    nothing: Number
    """Cost of the plan where nothing happens, penalties included."""
    nothing_money: Number | None = None
    """Present value of the money in it. None in answers of before it was recorded."""
    today: Number
    """Cost of the plan as it is where nothing happens, penalties included."""
    today_money: Number | None = None
    """Present value of the money in it."""
    vss: Number | None
    """What planning for the events saves in expectation, against following the plan as it is until the day; None: that cannot be followed, or was not found in time."""
    evpi: Number | None
    """What it would be worth to know from the start what comes; None: it was not found in time."""
    today_short: tuple[ShortOf, ...]
    """What the plan as it is leaves short where nothing happens."""
    expected_short: tuple[ShortOf, ...]
    """Kilograms short, in expectation."""
    any_short: Number
    """Probability that anything is short."""
    more_short: Number
    """Probability that more is short than the plan as it is leaves short where nothing happens."""
    scenarios: tuple[ScenarioOutcome, ...]
    """In the order in which they are enumerated: those of fewer events first."""
    before: tuple[BeforeTheDay, ...]
    """Offers of which more or less is ordered before the day than in the plan as it is, those with the largest difference first."""
    held: tuple[HeldBefore, ...]
    onboarded: tuple[str, ...]
    """Offers that are onboarded."""
    frontier: tuple[FrontierPoint, ...] = ()
    gap: SampleGap | None = None
    """Of a sample."""
    decisions: tuple[Decision, ...] = ()
    """All that is decided before the day, so that the rest can be derived again."""
    unsaid: tuple[str, ...] = ()
    """Where an event loses a place on the way, offers that cross a border by a way of which nobody says what it passes: it is not lost to them."""
    evaluated: int = 0
    """Plans of a saved answer that were derived again, and found to be as they are told."""
