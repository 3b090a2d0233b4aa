"""Rules: an id, a citation, dated phases, waivers, and up to three verbs; and the facts that a limit rule may read.

- `judge` (forbid): may this move serve this use?
- `charge`: what does this move add per unit?
- `rows` (limit): which conditions apply to the whole plan?

The verbs are pure and never see a date. The caller checks dates with `applies` and `weight`, so an answer can be reused for every day on
which the same phases apply.
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
        raise ValueError(f"`{value}` is not a whole number of months, like `36 months`")
    return int(months)


Months = Annotated[
    int,
    Field(gt=0),
    BeforeValidator(_months),
    PlainSerializer(lambda months: f"{months} months", return_type=str),
    WithJsonSchema({"type": "string", "examples": ["36 months"]}),
]


class WaiverTerms(Record):
    """A waiver that a rule's law provides."""

    id: str
    """Name, like `nonavailability`. `under` of a [[waiver]] refers to it."""
    citation: str = ""
    """Clause."""
    longest: Months | None = None
    """Maximum duration of a waiver in months. None if the law sets none."""
    note: str = ""
    """Remarks: doubts, and texts that were not read."""

    def last_day(self, start: date) -> date | None:
        """Return the last possible day of a waiver that begins on `start`. None if it needn't end."""
        return None if self.longest is None else add_months(start, self.longest) - timedelta(days=1)


def longest_run(terms: Sequence[WaiverTerms], first: date, last: date) -> Span:
    """Return the days of a waiver from `first`, as long as its law allows and at most until `last`. The usual waiver comes first in `terms`."""
    end = terms[0].last_day(first) if terms else None
    return Span(start=first, end=last if end is None else min(end, last))


def waiver_problems(waiver: WaiverSpec, terms: Sequence[WaiverTerms]) -> Iterator[Diagnostic]:
    """Yield an error if a waiver has an unknown kind, or a longer duration than its law allows. The usual waiver comes first in `terms`."""
    terms_by_id = {kind.id: kind for kind in terms}
    if waiver.under and waiver.under not in terms_by_id:
        yield Diagnostic(
            f"the law behind rule `{waiver.rule}` provides no waiver `{waiver.under}`",
            column="waiver.under",
            found=waiver.under,
            expected=", ".join(f"`{name}`" for name in terms_by_id) or "no `under`, since the rule lists no waivers",
            fix=did_you_mean(waiver.under, terms_by_id) or "delete `under`",
            code="FS300",
        )
    elif terms:
        yield from _duration_problems(waiver, terms_by_id.get(waiver.under, terms[0]), terms)


def _duration_problems(waiver: WaiverSpec, kind: WaiverTerms, terms: Sequence[WaiverTerms]) -> Iterator[Diagnostic]:
    if kind.longest is None:
        return
    limit = f"{kind.citation or f'the law behind rule `{waiver.rule}`'} allows waivers of at most {kind.longest} months"
    unlimited = [other for other in terms if other.longest is None]
    alternative = "".join(
        f', or add `under = "{other.id}"` if it relies on {other.citation or other.id}' for other in unlimited
    )
    if waiver.start is None or waiver.end is None:
        missing = "from" if waiver.start is None else "until"
        yield Diagnostic(
            f"the waiver of rule `{waiver.rule}` has no `{missing}`, but {limit}",
            column=f"waiver.{missing}",
            expected=f"`from` and `until`, at most {kind.longest} months apart",
            fix=f"add `{missing}`{alternative}",
            code="FS301",
        )
        return
    last = kind.last_day(waiver.start)
    assert last is not None
    if waiver.end > last:
        yield Diagnostic(
            f"the waiver of rule `{waiver.rule}` runs from {waiver.start} until {waiver.end}, but {limit}",
            column="waiver.until",
            found=str(waiver.end),
            expected=f"{last} or earlier",
            fix=f"end it on {last} and add another waiver for the time after{alternative}",
            code="FS301",
        )


K = TypeVar("K", bound=Hashable)
Counting = Callable[[Chained, Place], Decimal | int]
"""Weight of a purchase, given its offer and place of delivery. 0 leaves it out."""
CountingStock = Callable[[Material, Place], Decimal | int]


class DemandLine(Protocol):
    """A demand, as limit rules see it."""

    @property
    def id(self) -> str: ...
    @property
    def use(self) -> Use: ...
    @property
    def quantity(self) -> Sequence[Decimal]: ...


CountingDemand = Callable[[DemandLine], Decimal | int]


class IncumbentLine(Protocol):
    """Today's purchases of one output of an offer, as limit rules see them."""

    @property
    def offer(self) -> str: ...
    @property
    def material(self) -> Material: ...
    @property
    def quantity(self) -> Sequence[Decimal]:
        """Kilograms per period at today's rate."""

    @property
    def placed(self) -> Sequence[Decimal]:
        """Kilograms that placed orders bring in each period."""


class Facts(Protocol):
    """Facts of a case that a limit rule may read, answered by `friendshore.problem.rule_facts.ProblemFacts`. The counting methods take a weight
    function (0 leaves a thing out) and periods, and return a term for a `Row`. A purchase is dated by its delivery, or by its order for a rule with
    `dated_by` order. `for_uses` counts only what is for some end uses, which `Rule.counted_end_uses` must name.
    """

    @property
    def horizon(self) -> Horizon: ...
    @property
    def resolution(self) -> Decimal: ...
    @property
    def offers(self) -> Sequence[Chained]: ...

    @property
    def demands(self) -> Sequence[DemandLine]: ...
    @property
    def incumbents(self) -> Sequence[IncumbentLine]:
        """Today's purchases according to the case, one entry per output of an offer."""

    @property
    def place(self) -> Place: ...

    @property
    def materials(self) -> Sequence[Material]:
        """Materials that are demanded, or that may be bought for these."""

    @property
    def places(self) -> Sequence[Place]:
        """Places where these materials may be delivered or stored, in order."""

    def about(self, materials: Collection[str]) -> Facts:
        """Return the facts about some materials only, which is much faster in a large case."""

    def spans(self, per: Literal["period", "year", "horizon"]) -> Sequence[tuple[str, tuple[int, ...]]]:
        """Return label and period indices of each part of the horizon in which the rule applies. A calendar year contains the periods that begin in it."""

    def bought(
        self, count: Counting, periods: Sequence[int], stock: bool = False, for_uses: ForUses | None = None
    ) -> BoughtTerm:
        """Return kilograms purchased; with `stock`, also stock on hand and orders already placed."""

    def purchases(self, stock: bool = False) -> Sequence[tuple[Chained, Place]]:
        """Return every possible purchase as offer and place of delivery, with `stock` as in `bought`."""

    def bought_in_each(
        self,
        counts: Sequence[Sequence[float]],
        stretches: Sequence[Sequence[int]],
        stock: bool = False,
        for_uses: ForUses | None = None,
    ) -> Purchases:
        """Return the purchases that each weight counts in each disjoint stretch of periods, for `Rows`, by stretch and then by weight. Weights are per entry of `purchases`."""

    def used(
        self, count: Counting, periods: Sequence[int], at_least: Decimal | int = 0, for_uses: ForUses | None = None
    ) -> UsedTerm: ...
    def used_in_each(
        self,
        counts: Callable[[Chained, Place], Iterable[tuple[K, Decimal | int]]],
        stretches: Sequence[Sequence[int]],
        for_uses: ForUses | None = None,
    ) -> Sequence[Mapping[K, UsedTerm]]:
        """Return, per disjoint stretch, the `used` terms of at least one resolution unit by name. `counts` gives a purchase's names and weights. Names without any are absent."""

    def delivered(self, count: CountingDemand, periods: Sequence[int]) -> DeliveredTerm: ...
    def short(self, count: CountingDemand, periods: Sequence[int]) -> ShortTerm: ...
    def stock(self, count: CountingStock, periods: Sequence[int], for_uses: ForUses | None = None) -> StockTerm: ...
    def carried_in(
        self, stock_weight: CountingStock, purchase_weight: Counting, period: int, for_uses: ForUses | None = None
    ) -> tuple[StockTerm, BoughtTerm]:
        """Return the kilograms with which a period begins: stock, and orders before it that arrive in it or later. A period one past the last means the plan's end."""

    def usable(
        self, deliveries: Sequence[tuple[DemandLine, int, Decimal]], period: int
    ) -> Sequence[tuple[str, ReservedTerm, Decimal]]:
        """Return the stock required at the end of a period to serve future deliveries of one material at one place. `deliveries` lists demands with
        the period and kilograms of each. The result has a name, the stock that may serve them, and its minimum for sets of compliance classes. All
        deliveries can be served at once if and only if every minimum is met.
        """

    def spent(self, count: Counting, periods: Sequence[int], for_uses: ForUses | None = None) -> Sequence[Term]:
        """Return money for the purchases that count, dated by when each cost is due. This includes price, charges, freight, onboarding, discounts of
        price schedules, fixed costs, and quantities paid for but not taken. With `for_uses`, it includes price, charges, and freight alone, and
        raises `InputError` if another cost is due regardless of the end use.
        """

    def ends(self, offer: Chained, place: Place) -> frozenset[str]:
        """Return the countries of the final demands that a purchase may serve."""

    def holding(self, periods: Sequence[int]) -> HoldingTerm: ...

    def demanded(self, count: CountingDemand, periods: Sequence[int]) -> Decimal:
        """Return weighted kilograms demanded: a number, since demand is a fact."""


class PhaseStatus(StrEnum):
    """Legal status of a phase of a rule."""

    ENACTED = "enacted"
    PENDING = "pending"
    """A bill. It applies only if a scenario enables it."""
    SUSPENDED = "suspended"
    """Suspended by its authority. It doesn't apply."""
    UNKNOWN = "unknown"
    """Unknown whether it applies. It doesn't, but the plan shows what it would forbid. `--strict` enforces it."""


class Phase(Record):
    """A period of time with one legal status. Dates are inclusive."""

    start: date | None = Field(default=None, alias="from")
    """First day. None means always."""
    end: date | None = Field(default=None, alias="until")
    """Last day. None means no end."""
    status: PhaseStatus = PhaseStatus.ENACTED
    """Legal status: `enacted`, `pending`, `suspended`, or `unknown`."""
    note: str = ""
    """Reason for the status, with its source."""

    @property
    def span(self) -> Span:
        # Not cached, since a copy with other dates would keep the old value.
        return Span(start=self.start, end=self.end)


def share_in_force(phases: Sequence[Phase], span: Span, statuses: frozenset[PhaseStatus]) -> Fraction:
    """Return the share of the days of a bounded span on which a phase with one of `statuses` is in force. Phases never overlap."""
    assert span.start is not None and span.end is not None
    days = (span.end - span.start).days + 1
    return Fraction(sum(phase.span.days_within(span) for phase in phases if phase.status in statuses), days)


def _hs_prefix(code: str) -> str:
    if not re.fullmatch(r"[0-9][0-9.]*", code):
        raise ValueError(f"`{code}` is not the start of an HS or tariff code, like 8112.92")
    return code


class Selector(Record):
    """Selection of materials: any of `materials`, or those that match every other nonempty list."""

    materials: Annotated[tuple[str, ...], Names("material")] = ()
    """Ids."""
    elements: Annotated[tuple[str, ...], Names("element")] = ()
    """Symbols. `Nd` also selects groups written with symbols, such as `NdPr` and `NdFeB`."""
    forms: Annotated[tuple[str, ...], Names("form")] = ()
    """Words of the form: `magnet` also selects a `Sintered magnet`."""
    tags: Annotated[tuple[str, ...], Names("tag")] = ()
    """Tags that it must all have."""
    hs: tuple[Annotated[str, AfterValidator(_hs_prefix)], ...] = ()
    """Prefixes of the HS or tariff code."""

    def covers(self, material: Material) -> bool:
        """Return True if a material is selected. An empty selector selects all."""
        if material.id in self.materials:
            return True
        if not (self.elements or self.forms or self.tags or self.hs):
            return not self.materials
        return (
            (not self.elements or not elements_in(material.element).isdisjoint(self.elements))
            and (not self.forms or not form_words(material.form).isdisjoint(self.forms))
            and (not self.tags or tag_words(material.tags) >= tag_words(frozenset(self.tags)))
            and (not self.hs or _has_prefix(material.hs, self.hs))
        )


@lru_cache(maxsize=4096)
def _has_prefix(code: str, prefixes: tuple[str, ...]) -> bool:
    return bool(code) and code.replace(".", "").startswith(tuple(prefix.replace(".", "") for prefix in prefixes))


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
"""A number, or a share like `50%`."""


class FactTest(Record):
    """Test of a stated fact of the item."""

    fact: str
    """Name of the fact in `facts` of a demand."""
    equals: bool | str | None = None
    """Required value: `true`, `false`, or a word. None accepts any."""
    at_least: Threshold | None = None
    """Minimum: a number, or a share like `50%`. None means no minimum."""
    below: Threshold | None = None
    """Exclusive maximum: a number, or a share like `50%`. None means no maximum."""

    def succeeds(self, stated: dict[str, Fact]) -> bool | None:
        """Return the result of the test, or None if the fact is missing or of another type."""
        if self.fact not in stated:
            return None
        value = stated[self.fact]
        bounds = [bound for bound in (self.at_least, self.below) if bound is not None]
        if self.equals is not None:
            # `mill_product = "sheet"` doesn't answer a yes-or-no question. Read as "no", it would open an exception.
            return value == self.equals if type(value) is type(self.equals) else None
        if isinstance(value, str | bool) or (value < 0 and all(bound >= 0 for bound in bounds)):
            return None  # a negative share is a mistake, which must not open an exception
        return (self.at_least is None or value >= self.at_least) and (self.below is None or value < self.below)


class Rule(Record):
    """A rule of law or policy. Subclasses set `kind` to a literal and implement one verb or more."""

    kind: str
    id: str = ""
    """Name, unique in a case. Defaults to kind and position."""
    title: str = ""
    """One line."""
    short_title: str = ""
    """A few words for narrow columns. Defaults to the title."""
    citation: str = ""
    """Clause."""
    source: str = ""
    """Source of its text."""
    note: str = ""
    """Remarks: doubts, and texts that were not read."""
    phases: tuple[Phase, ...] = (Phase.model_construct(),)
    """Times at which it applies, with their legal status."""
    dated_by: Literal["delivery", "order"] = "delivery"
    """Relevant day: the delivery to the user, or the order of the final good, for inputs too. A limit on purchases counts each purchase by its own delivery or order."""

    waivers: tuple[WaiverTerms, ...] = ()
    """Waivers that its law provides. A [[waiver]] without a kind is of the first. Empty if no limit on the duration of a waiver is known."""
    loosened: Number = Decimal(0)
    """For a limit: amount by which every bound is relaxed, in the bound's own unit. Set by changes of a case, never by law."""
    loosened_rows: tuple[tuple[str, Number], ...] = ()
    """Labels of single rows, with the amounts by which their bounds are relaxed. Set like `loosened`."""

    _settings: Any = PrivateAttr(default=None)

    judge_scope: ClassVar[Literal["chain", "trade"]] = "chain"
    """Calls of `judge`. `chain`: every offer up the chain of the demanded material, on the final delivery. `trade`: every move of any material, on its arrival, given the final use."""
    judge_reads_terms: ClassVar[bool] = True
    """False if `judge` reads no prices, terms, lanes, lead times, and capacities. Offers that differ in nothing else then share its answers. A class with
    a `judge` of its own must say so itself."""
    charge_reads_use: ClassVar[bool] = True
    """True if `charge` depends on the final use. False lets uses share its answers."""
    may_count_orders: ClassVar[bool] = False
    """True if `rows` may count purchases by order date."""
    watches_stock: ClassVar[bool] = False
    """True if `rows` uses `usable`: stock of a compliance class may then be delivered for any class that admits all that it admits."""
    verbs: ClassVar[frozenset[str]] = frozenset()
    """Verbs that the kind implements, out of `judge`, `charge`, and `rows`."""

    @property
    def settings(self) -> Any:
        """Settings of the case for the plugin of this kind, as a record of its model. None if the plugin takes no settings."""
        return self._settings

    def with_settings(self, settings: object) -> Self:
        if settings is None:
            return self
        copy = self.model_copy()
        copy._settings = settings  # noqa: SLF001 - a private attribute of this class, on a new copy
        return copy

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "judge" in vars(cls) and "judge_reads_terms" not in vars(cls):
            cls.judge_reads_terms = True
        names = ("judge", "charge", "rows")
        cls.verbs = frozenset(verb for verb in names if getattr(cls, verb) is not getattr(Rule, verb))

    @field_validator("phases")
    @classmethod
    def _check_phases(cls, phases: tuple[Phase, ...]) -> tuple[Phase, ...]:
        ordered = sorted(phases, key=lambda phase: phase.start or date.min)
        for phase in ordered:
            if phase.start and phase.end and phase.start > phase.end:
                raise ValueError(f"a phase ends on {phase.end}, before it begins on {phase.start}")
        for earlier, later in pairwise(ordered):
            if earlier.span.meets(later.span):
                begins = f"begins on {later.start}" if later.start else "has no `from`"
                raise ValueError(f"phases overlap, since one {begins} before the previous one ends")
        return phases

    @model_validator(mode="after")
    def _check_dated_by(self) -> Self:
        reads_order = self.may_count_orders or ("judge" in self.verbs and self.judge_scope == "chain")
        if self.dated_by == "order" and not reads_order:
            raise ValueError(
                'only a rule of origin or a limit on purchases can have `dated_by = "order"`. Moves and charges are dated by arrival, other '
                "limits by delivery"
            )
        return self

    def applies(self, span: Span, statuses: frozenset[PhaseStatus]) -> bool:
        return any(p.status in statuses and p.span.meets(span) for p in self.phases)

    def weight(self, span: Span, statuses: frozenset[PhaseStatus]) -> Fraction:
        return share_in_force(self.phases, span, statuses)

    @property
    def counted_end_uses(self) -> frozenset[str]:
        """End uses that `rows` counts separately. Each gets compliance classes of its own."""
        return frozenset()

    @property
    def keeps_apart(self) -> bool:
        """True if `rows` counts goods made from offers that it `taints`. Deliveries then get compliance classes that are also free of these."""
        return False

    def taints(self, offer: Chained) -> bool:
        """Return True if compliance classes free of this rule's tainted offers exclude an offer, anywhere up the chain."""
        return False

    @property
    def charged_origins(self) -> tuple[frozenset[str], ...] | None:
        """Sets of customs origins that `charge` treats alike, with the rest of the world as another. None if it may distinguish any two."""
        return None

    def concerns(self, use: Use) -> bool:
        """Return False if the rule can't apply to a use. This avoids a call for every offer."""
        return True

    def concerns_move(self, move: Move) -> bool:
        """Return False if `judge` passes every offer on a move, for any use. This avoids a call for every offer and use."""
        return True

    def charges_on(self, material: Material) -> bool:
        """Return False if the rule never charges a material. This avoids a call for every move of the material."""
        return True

    def judge(self, offer: Chained, move: Move, use: Use) -> Verdict:
        """Return the verdict on a move for a use, on a day on which the rule applies."""
        return PASS

    def charge(self, offer: Chained, move: Move, use: Use, origin: str, value: Decimal) -> Decimal:
        """Return the money per kilogram that the rule adds to a move priced `value` before freight, in the case's currency. Of several customs origins, the caller takes the worst."""
        return Decimal(0)

    def in_currency(self, currency: str, exchange: Callable[[str], Decimal | None]) -> Rule:
        """Return the rule in the case's currency, or raise `InputError`. `exchange` returns the value of one unit of another currency, or None without a rate."""
        del currency, exchange
        return self

    def rows(self, facts: Facts) -> Iterable[Row | Rows]:
        return ()

    def sentence(self) -> str:
        """Return the rule in one sentence."""
        return self.title or self.id
