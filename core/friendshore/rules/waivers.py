"""Waivers that a law knows, and how long one may run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from ..domain.base import Record
from ..domain.case import WaiverSpec
from ..domain.quantities import parse_duration
from ..domain.suggest import did_you_mean
from ..domain.time import Span, add_months
from ..errors import Diagnostic


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
