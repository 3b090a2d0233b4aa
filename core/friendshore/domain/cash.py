"""The cash of a run: what is spent when, for which site, and what price schedules take off."""

from __future__ import annotations

from typing import Literal, TypeAlias

from .base import Number, Record

Separate: TypeAlias = Literal["discounts", "onboarding", "fixed", "untaken", "holding"]
SEPARATE: tuple[Separate, ...] = ("discounts", "onboarding", "fixed", "untaken", "holding")
"""Parts of `Cost` that belong to no purchase."""
CashUse: TypeAlias = Literal["use", "stock", "unused", "discounts", "onboarding", "fixed", "untaken", "holding"]


class RunCash(Record):
    """Money spent in one period, not discounted. All rows of a run add up to `cost.nominal`."""

    period: str
    """Period of the order, as budgets count it, also for duty and freight that are paid on arrival. Of other money, the period in which it is due."""
    on: CashUse
    """`use`: purchases that end in deliveries, inputs included. `stock`: purchases that are in stock at the end. `unused`: goods made that nothing takes.
    The others are the parts of `cost` that belong to no purchase."""
    place: str = ""
    """Site of the deliveries; empty: the money belongs to no site."""
    amount: Number


class RunDiscount(Record):
    """What a price schedule takes off list prices over a span in which something is bought under it."""

    schedule: str
    """Offer, facility or supplier, and the materials it is about if not all."""
    span: str
    """Period, calendar year, or `horizon`."""
    settled: str
    """Period in which the difference to list prices is settled."""
    measure: Literal["quantity", "money"]
    measured: Number
    """What was added up: units, or undiscounted money at list prices."""
    tier: int
    """The tier it comes to, from 1."""
    least: Number
    """Where that tier begins."""
    next: Number | None
    """Where the next begins; none: it is the last."""
    most: Number | None = None
    """Where that tier ends; none: where the next begins."""
    at_list: Number
    """Undiscounted money at list prices."""
    discount: Number
    """Undiscounted money taken off, less lumps; negative: added."""
