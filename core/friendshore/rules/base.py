"""What a rule is: an id, a citation, dated phases, and one or more of three verbs.

- `judge` (forbid): may this move serve this use?
- `charge`: what does this move add per unit?
- `rows` (limit): what must hold across the plan?

All three are pure functions; dates are the caller's business (`applies`, `weight`), so that an answer can be reused for
every day on which the same phases hold.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal, Protocol, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from ..domain.base import Number, Record, UnreadableError
from ..domain.facts import Material, Place
from ..domain.naming import Names as Names  # noqa: PLC0414 (kinds import it from here)
from ..domain.quantities import parse_share
from ..domain.time import Horizon, Span
from ..domain.use import PASS, Chained, Fact, Move, Use, Verdict
from .rows import Purchases, Row, Rows
from .terms import BoughtTerm, DeliveredTerm, HoldingTerm, ReservedTerm, ShortTerm, StockTerm, Term, UsedTerm
from .waivers import WaiverTerms


class PhaseStatus(StrEnum):
    """What is known of a phase of a rule."""

    ENACTED = "enacted"
    PENDING = "pending"
    """A bill: applies only where a scenario enables it."""
    SUSPENDED = "suspended"
    """Stayed by whoever made it: does not apply."""
    UNKNOWN = "unknown"
    """Nobody knows whether it holds: does not apply, but the plan says what it would forbid; `--strict` enforces it."""


class Phase(Record):
    """A stretch of time with one status. Dates are inclusive."""

    start: date | None = Field(default=None, alias="from")
    """First day; none: since ever."""
    end: date | None = Field(default=None, alias="until")
    """Last day; none: for good."""
    status: PhaseStatus = PhaseStatus.ENACTED
    """What is known of it: `enacted`, `pending`, `suspended` or `unknown`."""
    note: str = ""
    """Why this status, with its source."""

    model_config = {**Record.model_config, "populate_by_name": True, "serialize_by_alias": True}

    @property
    def span(self) -> Span:
        """Its days."""
        return Span(start=self.start, end=self.end)


class Selector(Record):
    """Which materials: any of `materials`, or those that match every one of the other lists that is given."""

    materials: Annotated[tuple[str, ...], Names("material")] = ()
    """Ids."""
    elements: Annotated[tuple[str, ...], Names("element")] = ()
    forms: Annotated[tuple[str, ...], Names("form")] = ()
    tags: Annotated[tuple[str, ...], Names("tag")] = ()
    """All of these words."""
    hs: tuple[str, ...] = ()
    """Beginnings of the HS or tariff code."""

    def covers(self, material: Material) -> bool:
        """Whether `material` is selected; an empty selector selects every material."""
        if material.id in self.materials:
            return True
        tests = (
            not self.elements or material.element in self.elements,
            not self.forms or material.form in self.forms,
            not self.tags or material.tags.issuperset(self.tags),
            not self.hs
            or bool(material.hs)
            and material.hs.replace(".", "").startswith(tuple(code.replace(".", "") for code in self.hs)),
        )
        narrowed = bool(self.elements or self.forms or self.tags or self.hs)
        return all(tests) and (narrowed or not self.materials)


def _threshold(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return parse_share(value)
    except UnreadableError:
        raise
    except ValueError as error:
        raise ValueError(f"`{value}` is neither a number nor {error}") from None


Threshold = Annotated[Number, BeforeValidator(_threshold)]
"""A number, or a share like `50 %`."""


class FactTest(Record):
    """A test of one stated fact of the item."""

    fact: str
    equals: bool | str | None = None
    at_least: Threshold | None = None
    below: Threshold | None = None

    def holds(self, stated: dict[str, Fact]) -> bool | None:
        """True or false; None if the fact is not stated, or does not answer the test."""
        if self.fact not in stated:
            return None
        value = stated[self.fact]
        if self.equals is not None:
            # `mill_product = "sheet"` answers no yes-or-no question: taken for a no, it would open an exception.
            return value == self.equals if type(value) is type(self.equals) else None
        if isinstance(value, str | bool):
            return None
        return (self.at_least is None or value >= self.at_least) and (self.below is None or value < self.below)


class DemandLine(Protocol):
    """A demand as a limit rule sees it."""

    @property
    def id(self) -> str: ...
    @property
    def use(self) -> Use: ...
    @property
    def quantity(self) -> Sequence[Decimal]:
        """Kilograms wanted in each period."""
        ...


class IncumbentLine(Protocol):
    """What is bought today of one output of an offer, as a limit rule sees it."""

    @property
    def offer(self) -> str: ...
    @property
    def material(self) -> Material: ...
    @property
    def quantity(self) -> Sequence[Decimal]:
        """Kilograms that today's rate comes to in each period."""
        ...

    @property
    def placed(self) -> Sequence[Decimal]:
        """Kilograms that orders already placed with the offer bring in each period."""
        ...


class Facts(Protocol):
    """What a limit rule may ask of a case. `Problem` satisfies it.

    The counting methods take a function that says how much each thing counts (0: not at all) and the periods meant; they
    return a term for a `Row`. A purchase is dated by its delivery.
    """

    @property
    def horizon(self) -> Horizon: ...
    @property
    def resolution(self) -> Decimal: ...
    @property
    def offers(self) -> Sequence[Chained]:
        """All offers that can take part, one entry an output, in canonical order."""
        ...

    @property
    def demands(self) -> Sequence[DemandLine]: ...
    @property
    def incumbents(self) -> Sequence[IncumbentLine]:
        """What the case says is bought today, one entry an output of an offer."""
        ...

    @property
    def place(self) -> Place:
        """The case's place."""
        ...

    @property
    def materials(self) -> Sequence[Material]:
        """All materials that are demanded, or may be bought for one that is."""
        ...

    @property
    def places(self) -> Sequence[Place]:
        """All places where one of these materials may be delivered or lie, in order."""
        ...

    def about(self, materials: Collection[str]) -> Facts:
        """The same questions about some materials only: of a large case, much quicker to answer."""
        ...

    def spans(self, per: Literal["period", "year", "horizon"]) -> Sequence[tuple[str, tuple[int, ...]]]:
        """Label and period indices of each stretch of the horizon, as far as the rule applies in it.

        Years are calendar years by the period's first day.
        """
        ...

    def bought(
        self, count: Callable[[Chained, Place], Decimal | int], periods: Sequence[int], stock: bool = False
    ) -> BoughtTerm:
        """Kilograms of the moves that count; with `stock`, of stock in hand and orders placed as well."""
        ...

    def purchases(self, stock: bool = False) -> Sequence[tuple[Chained, Place]]:
        """All that may be bought, each offer with a place of delivery; with `stock`, stock in hand and orders placed as well."""
        ...

    def bought_in_each(
        self, counts: Sequence[Sequence[float]], stretches: Sequence[Sequence[int]], stock: bool = False
    ) -> Purchases:
        """What is `bought` by each of several counts in each of several stretches of periods, which have none in common.

        For `Rows`: stretch by stretch, and within each count by count. A count is a list: what each of `purchases` counts.
        """
        ...

    def used(
        self, count: Callable[[Chained, Place], Decimal | int], periods: Sequence[int], at_least: Decimal | int = 0
    ) -> UsedTerm: ...
    def delivered(self, count: Callable[[DemandLine], Decimal | int], periods: Sequence[int]) -> DeliveredTerm: ...
    def short(self, count: Callable[[DemandLine], Decimal | int], periods: Sequence[int]) -> ShortTerm: ...
    def stock(self, count: Callable[[Material, Place], Decimal | int], periods: Sequence[int]) -> StockTerm: ...
    def usable(
        self, wanted: Sequence[tuple[DemandLine, int, Decimal]], period: int
    ) -> Sequence[tuple[str, ReservedTerm, Decimal]]:
        """What must be in stock at the end of a period to serve all that is wanted of one material at one place.

        Args:
            wanted: demands, each with the period of its delivery and kilograms.
            period: the period at whose end the stock is looked at.

        Returns:
            For sets of compliance classes, a name, the stock that may serve any of the demands in question, and what it must
            come to. All that is wanted can be served at once if and only if every one of them holds.
        """
        ...

    def spent(self, count: Callable[[Chained, Place], Decimal | int], periods: Sequence[int]) -> Sequence[Term]:
        """Price, charges and freight of the moves that count, with their offers' onboarding in the first period, and what price
        schedules take off or add, in the period of its settlement, what terms of trade make due at once, and what is paid for and not
        taken, when it is due.
        """
        ...

    def ends(self, offer: Chained, place: Place) -> frozenset[str]:
        """Countries of the final demands that a purchase from an offer for a place may end in."""
        ...

    def holding(self, periods: Sequence[int]) -> HoldingTerm:
        """All money for holding stock."""
        ...

    def demanded(self, count: Callable[[DemandLine], Decimal | int], periods: Sequence[int]) -> Decimal:
        """Kilograms demanded, weighted; a number, since demand is a fact."""
        ...


class Rule(Record):
    """One thing that limits a plan. Subclasses set `kind` to a literal and implement one verb or more."""

    kind: str
    id: str = ""
    """Name, unique in a case; given by its position where a case leaves it out."""
    title: str = ""
    """One line."""
    citation: str = ""
    """The clause."""
    source: str = ""
    """Where its text was read."""
    note: str = ""
    """What to know: doubts, what was not read."""
    phases: tuple[Phase, ...] = (Phase(),)
    """When it holds, and how surely."""
    dated_by: Literal["delivery", "order"] = "delivery"
    """The day that counts: delivery to the user, or the order of the final good, inputs included."""

    waivers: tuple[WaiverTerms, ...] = ()
    """Waivers that its law knows, the usual one first: a [[waiver]] that says nothing else is taken for that. None: nothing is known of
    how long a waiver may run."""
    loosened: Number = Decimal(0)
    """For a limit: how far every bound is relaxed, in the bound's own unit. Never law: what a change of the case does to it."""

    bears_on: ClassVar[Literal["chain", "trade"]] = "chain"
    """What `judge` is asked about. `chain`: every offer up the chain of the final demand's material, on the final
    delivery. `trade`: every move of any material, on its arrival, given the final use."""
    charge_reads_use: ClassVar[bool] = True
    """Whether `charge` depends on the final use; False lets its answers be shared among uses."""
    watches_stock: ClassVar[bool] = False
    """Whether `rows` asks what is `usable`: stock bought for one compliance class may then be delivered for any that admits all
    that it admits."""
    verbs: ClassVar[frozenset[str]] = frozenset()
    """Which of `judge`, `charge` and `rows` the kind implements; set by the class machinery."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        names = ("judge", "charge", "rows")
        cls.verbs = frozenset(n for n in names if getattr(cls, n) is not getattr(Rule, n))

    @field_validator("phases")
    @classmethod
    def _one_after_another(cls, phases: tuple[Phase, ...]) -> tuple[Phase, ...]:
        in_order = sorted(phases, key=lambda phase: phase.start or date.min)
        for phase in in_order:
            if phase.start and phase.end and phase.start > phase.end:
                raise ValueError(f"a phase runs from {phase.start} until {phase.end}, which is earlier")
        for earlier, later in pairwise(in_order):
            if earlier.span.meets(later.span):
                raise ValueError(f"phases overlap: one is not over when the next begins on {later.start or 'no date'}")
        return phases

    @model_validator(mode="after")
    def _dated_by_what_is_read(self) -> Self:
        reads_order = "judge" in self.verbs and self.bears_on == "chain"
        if self.dated_by == "order" and not reads_order:
            raise ValueError(
                "only a rule of origin may be dated by the order of the final good: moves and charges are dated by arrival, limits by delivery"
            )
        return self

    def applies(self, span: Span, statuses: frozenset[PhaseStatus]) -> bool:
        """Whether a phase of one of `statuses` holds on any day of `span`."""
        return any(p.status in statuses and p.span.meets(span) for p in self.phases)

    def bites(self, span: Span, statuses: frozenset[PhaseStatus]) -> bool:
        """`applies`, by the name that it had until version 0.1; for one version more."""
        warnings.warn("Rule.bites is now Rule.applies", DeprecationWarning, stacklevel=2)
        return self.applies(span, statuses)

    def weight(self, span: Span, statuses: frozenset[PhaseStatus]) -> Fraction:
        """The part of the days of the bounded `span` on which a phase of one of `statuses` holds (phases do not overlap)."""
        assert span.start is not None and span.end is not None
        days = (span.end - span.start).days + 1
        return Fraction(sum(p.span.days_within(span) for p in self.phases if p.status in statuses), days)

    def concerns(self, use: Use) -> bool:
        """Whether the rule can bear on this use at all. A shortcut: False saves asking about every offer."""
        return True

    def judge(self, offer: Chained, move: Move, use: Use) -> Verdict:
        """Whether this move may serve this use, on a day on which the rule holds."""
        return PASS

    def charge(self, offer: Chained, move: Move, use: Use, origin: str, value: Decimal) -> Decimal:
        """Money per kilogram that the rule adds to a move.

        Args:
            origin: the customs origin asked about; with several possible ones the caller takes the dearest.
            value: the price per kilogram in the case's currency, before freight.
        """
        return Decimal(0)

    def in_currency(self, currency: str, exchange: Callable[[str], Decimal | None]) -> Rule:
        """The same rule with its own amounts of money in the case's currency, the one in which `charge` answers.

        Args:
            currency: the case's currency.
            exchange: what one unit of another currency is worth in it; None if the case has no such rate.

        Raises:
            InputError: if a rate is needed and there is none.
        """
        del currency, exchange
        return self

    def rows(self, facts: Facts) -> Iterable[Row | Rows]:
        """What must hold across the plan."""
        return ()

    def sentence(self) -> str:
        """The rule in one sentence."""
        return self.title or self.id
