"""A bill of compliance, as records: what items add, part by part of the case."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from friendshore.domain.base import Number, Record
from friendshore.explain.results import Difference, Effort, QuestionResult

from .items import ItemKind
from .margins import Margins


class Method(StrEnum):
    """How parts were found."""

    ORDER = "order"
    """Items come in one after the other, as was asked."""
    EXACT = "exact"
    """Shapley values over every coalition."""
    SAMPLED = "sampled"
    """Shapley values over orders drawn at random."""
    CONFLICT = "conflict"
    """Not split: with some of the items on, the rules conflict."""


class Bill(Record):
    """Money, to the cent, and kilograms."""

    cash: Number = Decimal(0)
    """Spent, not discounted."""
    spent: Number
    """Present value of the same."""
    penalties: Number
    """Penalties for missed soft rules, which are not paid."""
    shortage: Number
    """Penalties for shortage, which are not paid; present value."""
    amount: Number
    """Present value spent and penalties together: what is split."""
    short_kg: dict[str, Number]
    """Material -> kilograms short; what comes to nothing is left out."""


class LedgerItem(Record):
    """What one item adds."""

    name: str
    kind: ItemKind
    title: str
    adds: Bill
    """Its part of the whole: all of them add up to it."""
    difference: Difference
    """The same amount before rounding, with what is proved of it."""
    error: Number | None
    """Half of the 95 % confidence interval of what was sampled; None: nothing was."""
    off_alone: Difference
    """What the plan is dearer by with it than with all others. These do not add up."""
    on_alone: Difference
    """What it adds to a plan with none of the others. Nor do these."""
    parts: int
    """Independent parts of the case to which it can make a difference."""


class LedgerPart(Record):
    """One independent part of the case."""

    materials: tuple[str, ...]
    method: Method
    items: tuple[str, ...]
    """Those that can make a difference to it."""
    adds: Bill
    conflict: tuple[str, ...] = ()
    """Rules that cannot hold together with some of the items on."""


class LedgerCell(Record):
    """What one item adds to one part."""

    part: int
    """Position in `parts`."""
    item: str
    adds: Bill


class Ledger(QuestionResult):
    """From the plan without any of the items to the plan with all of them."""

    TABLES: ClassVar[tuple[str, ...]] = ("items", "parts", "cells")
    TOLD_BY: ClassVar[str] = "friendshore_reasons.ledger.screen:ledger_screen"

    currency: str
    """ISO 4217, of all its money."""
    method: Method
    """`order` if an order was asked for, else `sampled` if any part is, else `exact`."""
    before: Bill
    """Of the whole case with all items off, but for parts that are not split."""
    after: Bill
    """With all of them on."""
    adds: Bill
    """The difference, which is what the items' parts add up to."""
    items: tuple[LedgerItem, ...]
    idle: tuple[str, ...]
    """Items that make no difference to any part, whichever others are on."""
    parts: tuple[LedgerPart, ...]
    cells: tuple[LedgerCell, ...]
    exact_up_to: int
    samples: int
    seed: int
    ranked: bool
    """Whether the case ranks objectives: cost is then what the ranked plan costs."""
    margins: Margins | None
    """What one more unit of scarce capacity and of waivers would save; None: not asked."""
    effort: Effort
