"""Rules: an id, a citation, dated phases, waivers, and one or more of three verbs; and what a limit rule may ask of a case.

- `judge` (forbid): may this move serve this use?
- `charge`: what does this move add per unit?
- `rows` (limit): what must hold across the plan?

All three are pure functions; dates are the caller's business (`applies`, `weight`), so that an answer can be reused for
every day on which the same phases hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal, Protocol, Self, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    PrivateAttr,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from ..domain.base import Number, Record, UnreadableError
from ..domain.case import WaiverSpec
from ..domain.elements import elements_in, form_words, tag_words
from ..domain.facts import Material, Place
from ..domain.naming import Names
from ..domain.quantities import parse_duration, parse_share
from ..domain.suggest import did_you_mean
from ..domain.time import Horizon, Span, add_months
from ..domain.use import PASS, Chained, Fact, Move, Use, Verdict
from ..errors import Diagnostic
from .rows import Purchases, Row, Rows
from .terms import BoughtTerm, DeliveredTerm, ForUses, HoldingTerm, ReservedTerm, ShortTerm, StockTerm, Term, UsedTerm

__all__ = [
    "DemandLine",
    "FactTest",
    "Facts",
    "IncumbentLine",
    "Names",
    "Phase",
    "PhaseStatus",
    "Rule",
    "Selector",
    "Threshold",
]


def _months(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        months = parse_duration(value)
    except ValueError:
        months = None
    if months is None or months != int(months):
        raise ValueError(f"`{value}` is no whole number of months, like `36 months`")
    return int(months)


Months = Annotated[
    int,
    Field(gt=0),
    BeforeValidator(_months),
    PlainSerializer(lambda months: f"{months} months", return_type=str),
    WithJsonSchema({"type": "string", "examples": ["36 months"]}),
]
"""Whole months; written as a duration."""


class WaiverTerms(Record):
    """A waiver that a rule's law knows."""

    id: str
    """Name, like `nonavailability`; `under` of a [[waiver]] names it."""
    citation: str = ""
    """The clause."""
    longest: Months | None = None
    """Months that one waiver may run at most; None: the law sets no such limit."""
    note: str = ""
    """What to know: doubts, what was not read."""

    def last_day(self, start: date) -> date | None:
        """The last day of a waiver that begins on `start`; None: it need not end."""
        return None if self.longest is None else add_months(start, self.longest) - timedelta(days=1)


def longest_run(terms: Sequence[WaiverTerms], first: date, last: date) -> Span:
    """The days on which a waiver holds that begins on `first`, is needed until `last` and runs as long as its law lets it.

    Of the terms that the law knows, the usual one comes first; none: nothing is known of a limit.
    """
    end = terms[0].last_day(first) if terms else None
    return Span(start=first, end=last if end is None else min(end, last))


def misfits(waiver: WaiverSpec, terms: Sequence[WaiverTerms]) -> Iterator[Diagnostic]:
    """What is wrong with a waiver by the terms that its law knows, the usual one first: a kind that is none of them, or too long a time."""
    known = {each.id: each for each in terms}
    if waiver.under and waiver.under not in known:
        yield Diagnostic(
            f"the law of `{waiver.rule}` knows no waiver `{waiver.under}`",
            column="waiver.under",
            found=waiver.under,
            expected=", ".join(f"`{name}`" for name in known) or "none: the rule states no waivers of its own",
            fix=did_you_mean(waiver.under, known) or "delete it",
        )
    elif terms:
        yield from _too_long(waiver, known.get(waiver.under, terms[0]), terms)


def _too_long(waiver: WaiverSpec, kind: WaiverTerms, terms: Sequence[WaiverTerms]) -> Iterator[Diagnostic]:
    if kind.longest is None:
        return
    law = f"{kind.citation or waiver.rule} lets a waiver run {kind.longest} months at most"
    others = [each for each in terms if each.longest is None]
    other = "".join(f', or `under = "{each.id}"` if it rests on {each.citation or each.id}' for each in others)
    if waiver.start is None or waiver.end is None:
        missing = "from" if waiver.start is None else "until"
        yield Diagnostic(
            f"{law}; the one of `{waiver.rule}` has no {'first' if waiver.start is None else 'last'} day",
            column=f"waiver.{missing}",
            expected=f"`from` and `until`, {kind.longest} months apart at most",
            fix=f"state `{missing}`{other}",
        )
        return
    last = kind.last_day(waiver.start)
    assert last is not None
    if waiver.end > last:
        yield Diagnostic(
            f"{law}; the one of `{waiver.rule}` runs from {waiver.start} until {waiver.end}",
            column="waiver.until",
            found=str(waiver.end),
            expected=f"{last} or an earlier day",
            fix=f"end it on {last} and record a later waiver for what follows{other}",
        )


K = TypeVar("K", bound=Hashable)
Counting = Callable[[Chained, Place], Decimal | int]
"""How much each purchase counts, by its offer and its place of delivery; 0: not at all."""
CountingStock = Callable[[Material, Place], Decimal | int]
"""How much stock of a material at a place counts."""


class DemandLine(Protocol):
    """A demand as a limit rule sees it."""

    @property
    def id(self) -> str: ...
    @property
    def use(self) -> Use: ...
    @property
    def quantity(self) -> Sequence[Decimal]:
        """Kilograms wanted in each period."""


CountingDemand = Callable[[DemandLine], Decimal | int]
"""How much each demand counts."""


class IncumbentLine(Protocol):
    """What is bought today of one output of an offer, as a limit rule sees it."""

    @property
    def offer(self) -> str: ...
    @property
    def material(self) -> Material: ...
    @property
    def quantity(self) -> Sequence[Decimal]:
        """Kilograms that today's rate comes to in each period."""

    @property
    def placed(self) -> Sequence[Decimal]:
        """Kilograms that orders already placed with the offer bring in each period."""


class Facts(Protocol):
    """What a limit rule may ask of a case. `friendshore.problem.rule_facts.ProblemFacts` satisfies it.

    The counting methods take a function that says how much each thing counts (0: not at all) and the periods meant; they
    return a term for a `Row`. A purchase is dated by its delivery, or, for a rule that is
    `dated_by` order, by its order.
    """

    @property
    def horizon(self) -> Horizon: ...
    @property
    def resolution(self) -> Decimal: ...
    @property
    def offers(self) -> Sequence[Chained]:
        """All offers that can take part, one entry an output, in canonical order."""

    @property
    def demands(self) -> Sequence[DemandLine]: ...
    @property
    def incumbents(self) -> Sequence[IncumbentLine]:
        """What the case says is bought today, one entry an output of an offer."""

    @property
    def place(self) -> Place:
        """The case's place."""

    @property
    def materials(self) -> Sequence[Material]:
        """All materials that are demanded, or may be bought for one that is."""

    @property
    def places(self) -> Sequence[Place]:
        """All places where one of these materials may be delivered or lie, in order."""

    def about(self, materials: Collection[str]) -> Facts:
        """The same questions about some materials only: of a large case, much quicker to answer."""

    def spans(self, per: Literal["period", "year", "horizon"]) -> Sequence[tuple[str, tuple[int, ...]]]:
        """Label and period indices of each stretch of the horizon, as far as the rule applies in it.

        Years are calendar years by the period's first day.
        """

    def bought(
        self, count: Counting, periods: Sequence[int], stock: bool = False, for_uses: ForUses | None = None
    ) -> BoughtTerm:
        """Kilograms of the moves that count; with `stock`, of stock in hand and orders placed as well.

        Here and below `for_uses` counts only what is for some end uses, which `Rule.counted_end_uses` names.
        """

    def purchases(self, stock: bool = False) -> Sequence[tuple[Chained, Place]]:
        """All that may be bought, each offer with a place of delivery; with `stock`, stock in hand and orders placed as well."""

    def bought_in_each(
        self,
        counts: Sequence[Sequence[float]],
        stretches: Sequence[Sequence[int]],
        stock: bool = False,
        for_uses: ForUses | None = None,
    ) -> Purchases:
        """What is `bought` by each of several counts in each of several stretches of periods, which have none in common.

        For `Rows`: stretch by stretch, and within each count by count. A count is a list: what each of `purchases` counts.
        """

    def used(
        self, count: Counting, periods: Sequence[int], at_least: Decimal | int = 0, for_uses: ForUses | None = None
    ) -> UsedTerm: ...
    def used_in_each(
        self,
        counts: Callable[[Chained, Place], Iterable[tuple[K, Decimal | int]]],
        stretches: Sequence[Sequence[int]],
        for_uses: ForUses | None = None,
    ) -> Sequence[Mapping[K, UsedTerm]]:
        """What is `used` by each of many names in each of several stretches of periods; every purchase is asked once what it counts for.

        Args:
            counts: names under which a purchase counts, each with what a unit counts there.
            stretches: periods of each stretch.
            for_uses: as elsewhere.

        Returns:
            For each stretch the terms by name, each of one unit of the resolution at least; a name for which nothing can be bought
            in a stretch has none.
        """

    def delivered(self, count: CountingDemand, periods: Sequence[int]) -> DeliveredTerm: ...
    def short(self, count: CountingDemand, periods: Sequence[int]) -> ShortTerm: ...
    def stock(self, count: CountingStock, periods: Sequence[int], for_uses: ForUses | None = None) -> StockTerm: ...
    def carried_in(
        self, held: CountingStock, making: Counting, period: int, for_uses: ForUses | None = None
    ) -> tuple[StockTerm, BoughtTerm]:
        """Kilograms that a period begins with, whether the rule holds before it or not: what is held, and what is in the making.

        Args:
            held: how much stock counts.
            making: how much purchases count that were ordered before the period and are delivered in it or later.
            period: the period; one after the last means what the plan ends with.
            for_uses: as elsewhere.
        """

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

    def spent(self, count: Counting, periods: Sequence[int], for_uses: ForUses | None = None) -> Sequence[Term]:
        """Price, charges and freight of the moves that count, with their offers' onboarding in the first period, and what price
        schedules take off or add, in the period of its settlement, what terms of trade make due at once, and what is paid for and not
        taken, when it is due.

        With `for_uses` that counts only what isn't free of what a rule taints: price, charges, and freight alone.

        Raises:
            InputError: with `for_uses`, if some of that is due whatever is bought for which use.
        """

    def ends(self, offer: Chained, place: Place) -> frozenset[str]:
        """Countries of the final demands that a purchase from an offer for a place may end in."""

    def holding(self, periods: Sequence[int]) -> HoldingTerm:
        """All money for holding stock."""

    def demanded(self, count: CountingDemand, periods: Sequence[int]) -> Decimal:
        """Kilograms demanded, weighted; a number, since demand is a fact."""


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

    @property
    def span(self) -> Span:
        """Its days. Worked out each time: a copy with another start or end would keep those of the old phase."""
        return Span(start=self.start, end=self.end)


def part_held(phases: Sequence[Phase], span: Span, statuses: frozenset[PhaseStatus]) -> Fraction:
    """The part of the days of the bounded `span` on which one of some phases with one of `statuses` holds; phases do not overlap."""
    assert span.start is not None and span.end is not None
    days = (span.end - span.start).days + 1
    return Fraction(sum(phase.span.days_within(span) for phase in phases if phase.status in statuses), days)


def _beginning(code: str) -> str:
    if not re.fullmatch(r"[0-9][0-9.]*", code):
        raise ValueError(f"`{code}` is the beginning of no HS or tariff code, like 8112.92")
    return code


class Selector(Record):
    """Which materials: any of `materials`, or those that match every one of the other lists that is given."""

    materials: Annotated[tuple[str, ...], Names("material")] = ()
    """Ids."""
    elements: Annotated[tuple[str, ...], Names("element")] = ()
    """Symbols. `Nd` is also in groups that are written by symbols, such as `NdPr` and `NdFeB`."""
    forms: Annotated[tuple[str, ...], Names("form")] = ()
    """Words of what it comes as: `magnet` is also a `Sintered magnet`."""
    tags: Annotated[tuple[str, ...], Names("tag")] = ()
    """All of these words."""
    hs: tuple[Annotated[str, AfterValidator(_beginning)], ...] = ()
    """Beginnings of the HS or tariff code."""

    def covers(self, material: Material) -> bool:
        """Return True if `material` is selected; an empty selector selects every material."""
        if material.id in self.materials:
            return True
        if not (self.elements or self.forms or self.tags or self.hs):
            return not self.materials
        return (
            (not self.elements or not elements_in(material.element).isdisjoint(self.elements))
            and (not self.forms or not form_words(material.form).isdisjoint(self.forms))
            and (not self.tags or tag_words(material.tags) >= tag_words(frozenset(self.tags)))
            and (not self.hs or _begins(material.hs, self.hs))
        )


@lru_cache(maxsize=4096)
def _begins(code: str, beginnings: tuple[str, ...]) -> bool:
    return bool(code) and code.replace(".", "").startswith(tuple(one.replace(".", "") for one in beginnings))


def _threshold(value: object) -> object:
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
    """Name of the fact, as `facts` of a demand states it."""
    equals: bool | str | None = None
    """What it must be: `true`, `false` or a word. None: that is not asked."""
    at_least: Threshold | None = None
    """The least it may be: a number, or a share like `50 %`. None: there is none."""
    below: Threshold | None = None
    """What it must be less than, likewise."""

    def holds(self, stated: dict[str, Fact]) -> bool | None:
        """True or false; None if the fact is not stated, or does not answer the test."""
        if self.fact not in stated:
            return None
        value = stated[self.fact]
        bounds = [bound for bound in (self.at_least, self.below) if bound is not None]
        if self.equals is not None:
            # `mill_product = "sheet"` answers no yes-or-no question: taken for a no, it would open an exception.
            return value == self.equals if type(value) is type(self.equals) else None
        if isinstance(value, str | bool) or (value < 0 and all(bound >= 0 for bound in bounds)):
            return None  # a share below nothing answers no question about one
        return (self.at_least is None or value >= self.at_least) and (self.below is None or value < self.below)


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
    phases: tuple[Phase, ...] = (Phase.model_construct(),)
    """When it holds, and how surely."""
    dated_by: Literal["delivery", "order"] = "delivery"
    """The day that counts: delivery to the user, or the order of the final good, inputs included. For a limit on purchases the day of
    each purchase's own delivery, or of its order."""

    waivers: tuple[WaiverTerms, ...] = ()
    """Waivers that its law knows, the usual one first: a [[waiver]] that says nothing else is taken for that. None: nothing is known of
    how long a waiver may run."""
    loosened: Number = Decimal(0)
    """For a limit: how far every bound is relaxed, in the bound's own unit. Never law: what a change of the case does to it."""

    _settings: Any = PrivateAttr(default=None)

    bears_on: ClassVar[Literal["chain", "trade"]] = "chain"
    """What `judge` is asked about. `chain`: every offer up the chain of the final demand's material, on the final
    delivery. `trade`: every move of any material, on its arrival, given the final use."""
    charge_reads_use: ClassVar[bool] = True
    """Whether `charge` depends on the final use; False lets its answers be shared among uses."""
    may_count_orders: ClassVar[bool] = False
    """Whether `rows` may count purchases by the day of their order."""
    watches_stock: ClassVar[bool] = False
    """Whether `rows` asks what is `usable`: stock bought for one compliance class may then be delivered for any that admits all
    that it admits."""
    verbs: ClassVar[frozenset[str]] = frozenset()
    """Which of `judge`, `charge` and `rows` the kind implements; set by the class machinery."""

    @property
    def settings(self) -> Any:
        """What the case sets for the plugin of this kind, `[plugin.NAME]`, as a record of the plugin's model; None: it takes no settings."""
        return self._settings

    def given(self, settings: object) -> Self:
        """The same rule with the settings of its plugin."""
        if settings is None:
            return self
        copy = self.model_copy()
        copy._settings = settings  # noqa: SLF001 - its own, of a record that nobody has seen yet
        return copy

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
        reads_order = self.may_count_orders or ("judge" in self.verbs and self.bears_on == "chain")
        if self.dated_by == "order" and not reads_order:
            raise ValueError(
                "only a rule of origin may be dated by the order of the final good, and a limit on what is bought by the order of each "
                "purchase: moves and charges are dated by arrival, other limits by delivery"
            )
        return self

    def applies(self, span: Span, statuses: frozenset[PhaseStatus]) -> bool:
        """Return True if a phase of one of `statuses` holds on any day of `span`."""
        return any(p.status in statuses and p.span.meets(span) for p in self.phases)

    def weight(self, span: Span, statuses: frozenset[PhaseStatus]) -> Fraction:
        """The part of the days of the bounded `span` on which a phase of one of `statuses` holds."""
        return part_held(self.phases, span, statuses)

    @property
    def counted_end_uses(self) -> frozenset[str]:
        """End uses that `rows` counts by themselves: each gets compliance classes of its own."""
        return frozenset()

    @property
    def keeps_apart(self) -> bool:
        """True if `rows` counts what is made of offers that it `taints`. Deliveries then get compliance classes that are free of these too."""
        return False

    def taints(self, offer: Chained) -> bool:
        """Return True if a class that is free of what the rule taints doesn't admit an offer, anywhere up the chain."""
        return False

    @property
    def charged_origins(self) -> tuple[frozenset[str], ...] | None:
        """Sets of customs origins that `charge` treats alike, the rest of the world being another; None: it may tell any two apart."""
        return None

    def concerns(self, use: Use) -> bool:
        """Return True if the rule can bear on this use at all. A shortcut: False saves asking about every offer."""
        return True

    def charges_on(self, material: Material) -> bool:
        """Return False if the rule never charges anything on a material. A shortcut: it saves asking about every move of the material."""
        return True

    def judge(self, offer: Chained, move: Move, use: Use) -> Verdict:
        """Return the verdict on a move for a use, on a day on which the rule holds."""
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
