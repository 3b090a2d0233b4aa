"""What a rule is: an id, a citation, dated phases, and one or more of three verbs.

- `judge` (forbid): may this move serve this use?
- `charge`: what does this move add per unit?
- `rows` (limit): what must hold across the plan?

All three are pure functions; dates are the caller's business (`applies`, `weight`), so that an answer can be reused for
every day on which the same phases hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, field_validator, model_validator

from ..domain.base import Number, Record, UnreadableError
from ..domain.elements import elements_in, form_words, tag_words
from ..domain.facts import Material
from ..domain.naming import Names
from ..domain.quantities import parse_share
from ..domain.time import Span
from ..domain.use import PASS, Chained, Fact, Move, Use, Verdict
from .facts import DemandLine, Facts, IncumbentLine
from .rows import Row, Rows
from .waivers import WaiverTerms

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
        """Whether `material` is selected; an empty selector selects every material."""
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
        """Whether a phase of one of `statuses` holds on any day of `span`."""
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
        """Whether `rows` counts what is made of offers that it `taints`. Deliveries then get compliance classes that are free of these too."""
        return False

    def taints(self, offer: Chained) -> bool:
        """Return True if a class that is free of what the rule taints doesn't admit an offer, anywhere up the chain."""
        return False

    @property
    def charged_origins(self) -> tuple[frozenset[str], ...] | None:
        """Sets of customs origins that `charge` treats alike, the rest of the world being another; None: it may tell any two apart."""
        return None

    def concerns(self, use: Use) -> bool:
        """Whether the rule can bear on this use at all. A shortcut: False saves asking about every offer."""
        return True

    def charges_on(self, material: Material) -> bool:
        """Return False if the rule never charges anything on a material. A shortcut: it saves asking about every move of the material."""
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
