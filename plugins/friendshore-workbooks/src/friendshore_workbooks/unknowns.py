"""Unknowns: facts that a case lacks, each with its question, its addressee, and the plan for each answer. Also their document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar, Literal

from friendshore.document import elements as doc
from friendshore.document.figures import count, large_money, mass, money, percent, rounded_money
from friendshore.domain.base import Number, Record, grouped
from friendshore.domain.change import Change
from friendshore.explain.results import Difference, Effort, QuestionResult
from friendshore.questions.wording import (
    difference,
    effort,
    mass_or_nothing,
    penalty,
    ranked,
    rise,
    shortly,
)

By = Literal["money", "kilograms"]
"""Measure of the ranking of unknowns: money saved, or kilograms no longer short."""


class UnknownKind(StrEnum):
    """Kind of an unknown."""

    CAPACITY = "capacity"
    """Capacity of a facility that is unpublished or without sufficient evidence."""
    PRICE = "price"
    """Price of an offer that is unpublished or assumed."""
    LEAD_TIME = "lead time"
    """Time from order to delivery that the case assumes or that lacks sufficient evidence."""
    CONVERSION = "conversion"
    """Quantity per unit in a maker's recipe that is assumed or recalled."""
    ORIGIN = "origin"
    """Place of a stage that is unproved and that a rule requires."""
    LICENCE = "licence"
    """Export license that is uncertain."""
    RULE = "rule"
    """Rule with an unknown status."""


class EvidenceToday(Record):
    """Today's evidence."""

    reference: str
    """Title, address, or document. For a rule, the note on its phase."""
    date: date | None
    """Date of its facts. None if unknown."""
    confidence: str
    """Confidence in it. Empty without evidence."""


class BoughtMore(Record):
    """Change in the purchases from an offer."""

    material: str
    offer: str
    kilograms: Number
    """Over the plan. Negative for less."""


class Possibility(Record):
    """The plan for one answer."""

    answer: str
    changes: list[Change]
    """Changes of the case with this answer."""
    bound: bool = False
    """True if no answer could save more, like a capacity that is never used up or a price of zero."""
    impossible: str = ""
    """Reason why no case has this answer. The other fields are then empty."""
    rise: Difference | None = None
    """Rise of the objective above the plan: money spent, penalties, and priced shortage."""
    cash: Number | None = None
    """Additional spend."""
    spent: Number | None = None
    """Present value of the additional spend."""
    short_kg: Number | None = None
    """Additional shortage in kilograms over all materials. Negative if it falls."""
    conflict: tuple[str, ...] = ()
    """Rules that conflict with this answer but not today. Their part isn't planned, and `rise` covers the rest."""
    resolved: tuple[str, ...] = ()
    """Rules that conflict today but not with this answer. `rise` includes the part that can then be planned."""
    buys: tuple[BoughtMore, ...] = ()
    """Changes of purchases, the most kilograms first."""


class AtPrice(Record):
    """Results at possible values of an unpublished price."""

    known: Number | None
    """Cheapest known price of the material in a usable offer, per unit in the case's currency. None if unknown."""
    saves: Difference | None
    """Saving from the offer at that price."""
    break_even: Number | None
    """Price from which the offer saves nothing. None if it saves nothing even for free, or if no single price was found."""
    proved: bool
    """True if that price is proved."""


class Unknown(Record):
    """A fact that the case lacks."""

    rank: int = 0
    """Rank from 1 by the maximum saving."""
    kind: UnknownKind
    subject: str
    """Id of the offer, facility, or rule."""
    material: str
    """Material that it delivers, makes, or takes. Several in order of name. Empty for a rule."""
    question: str
    whom: str
    """Addressee: supplier, operator, or author of the rule."""
    country: str
    """Country of the addressee. Empty for a rule."""
    known: EvidenceToday
    taken: str
    """Assumptions behind the tried answers: their figure and bound."""
    possibilities: tuple[Possibility, ...]
    saves: Difference
    """Maximum saving: the decrease of the plan's cost by the best answer. Zero if no tried answer is better than today's assumption."""
    best: int | None = None
    """Position of the best answer. None if no answer is better than today's assumption."""
    loses: Difference
    """Increase of the plan's cost by the worst answer."""
    worst: int | None = None
    """Position of the worst answer. None if no answer is worse than today's assumption."""
    saved_kg: Number
    """Kilograms no longer short with the best answer, over all materials."""
    conflict: bool = False
    """True if an answer causes a conflict of rules. Its cost is then unknown."""
    resolves: bool = False
    """True if an answer resolves a conflict of rules. These unknowns come first."""
    at_price: AtPrice | None = None
    """Results at other prices, for an unpublished price."""
    tied: bool = False
    """True if the proved bounds allow it to rank below the next."""


class Unasked(Record):
    """An unknown that can't be tried."""

    subject: str
    why: str


class Unknowns(QuestionResult):
    """Unknowns, the one with the largest possible saving first."""

    TABLES: ClassVar[tuple[str, ...]] = ("unknowns", "unasked")
    DOCUMENT_FUNCTION: ClassVar[str] = "friendshore_workbooks.unknowns:ask_document"

    case: str
    currency: str
    objective: Number
    """Present value of the plan's spend and penalties."""
    cash: Number = Decimal(0)
    """Cash that the plan spends."""
    short: int
    """Demands that are short in the plan."""
    spread: Number
    """Assumed relative variation of a figure without a stated range."""
    by: By
    unknowns: tuple[Unknown, ...]
    unasked: tuple[Unasked, ...]
    stopped: int = 0
    """Number of unknowns not tried, because the search ended."""
    sheets: tuple[str, ...] = ()
    """Written bid sheets, one per supplier."""
    unwritten: tuple[str, ...] = ()
    """Suppliers without a bid sheet, each with the reason."""
    effort: Effort


SHOWN = 6
"""Default number of unknowns in the table."""
TOLD = 2
"""Number of these with details."""
OFFERS_SHOWN = 3
"""Maximum number of offers named in changes of purchases."""


def ask_document(found: Unknowns, shown: int = SHOWN, told: int = TOLD) -> doc.Document:
    """Return the unknowns in order, and the first in detail.

    The whole document has the first `shown` (0: all), with details of the first `told`.
    """
    kept = found.unknowns[: shown or None]
    table = doc.apart(_table(found, shown), doc.notes(_notes(found, len(kept)), doc.Tone.ASIDE)) if kept else None
    lengthy = [
        replace(
            doc.section(_asked(one), _at_length(one, found)),
            on=None if told and not place else "whole" if told else "screen",
        )
        for place, one in enumerate(kept[: max(told, 1)])
    ]
    commands = doc.sentence(
        *(doc.Phrase("--full", code=True), ": the next at length too; "),
        *(doc.Phrase("--bid-sheets FOLDER", code=True), ": a workbook for each who is asked"),
    )
    return doc.document(
        "What to find out next",
        doc.sentence(_head(found)),
        table,
        *lengthy,
        doc.apart(_stopped(found), doc.for_screen(commands)),
        doc.for_whole(effort(found.effort)),
    )


def _stopped(found: Unknowns) -> doc.Notes | None:
    told = [f"the search was ended: {count(found.stopped, 'unknown')} not asked about"] if found.stopped else []
    return doc.notes(told, doc.Tone.DOUBTFUL)


def _head(found: Unknowns) -> str:
    matter = sum(_matters(one) for one in found.unknowns)
    lacking = f"{count(found.short, 'demand is', 'demands are')} short" if found.short else "nothing is short"
    return (
        f"{count(len(found.unknowns), 'unknown')}, each tried alone; {count(matter, 'of them', 'of them')} would change the plan. "
        f"As it is, {lacking}, and it spends {large_money(found.cash, found.currency)}. Worth: what spend and penalties fall "
        f"by together (present value).{_BY[found.by]}"
    )


_BY = {"money": "", "kilograms": " Ranked by kilograms no longer short."}


def _matters(one: Unknown) -> bool:
    return one.best is not None or one.worst is not None


def _table(found: Unknowns, shown: int) -> doc.DataTable:
    kept = found.unknowns[: shown or None]
    proved = all(one.saves.proved and one.loses.proved for one in kept)  # an interval is broken over lines
    columns = [
        doc.figures("#", from_width=doc.NARROW),
        doc.Column("Not known"),
        doc.Column("Of"),
        doc.Column("Ask", from_width=doc.MEDIUM),
        doc.figures("Less short", from_width=doc.SPARE),
        doc.figures("Cash", found.currency, from_width=doc.NARROW),
        doc.Column("Worth at most", align="right", whole=proved),
        doc.Column("Costs at worst", align="right", whole=proved, on="whole"),
    ]
    return ranked(columns, [*map(_row, found.unknowns)], "more unknown", part=4, top=shown)


def _row(one: Unknown) -> list[doc.Cell]:
    mark = " ~" if one.tied else ""
    saves: doc.Cell = doc.NOTHING
    if one.resolves:
        saves = "rules hold together"
    elif one.best is not None:
        saves = _weighed(one.saves) if one.saves.proved else doc.Either(_weighed(one.saves), shortly(one.saves))
    loses: doc.Cell = (
        "rules conflict" if one.conflict else _weighed(one.loses) if one.worst is not None else doc.NOTHING
    )
    best = one.possibilities[one.best] if one.best is not None else None
    cash = doc.NOTHING if best is None or best.cash is None else doc.Amount(best.cash, form="signed")
    less, whom = mass_or_nothing(one.saved_kg), doc.Several((one.whom,))
    return [f"{one.rank}{mark}", one.kind.value, one.subject, whom, less, cash, saves, loses]


def _weighed(found: Difference) -> doc.Cell:
    """Return spend and penalty together, gray and rounded. If unproved, return their range."""
    return penalty(found.value) if found.proved else difference(found)


def _notes(found: Unknowns, shown: int) -> Iterator[str]:
    if any(one.tied for one in found.unknowns[:shown]):
        yield "~ for what is proved, it may rank below the next"
    yield (
        "one unknown at a time: what several save together is not their sum. Where no range is stated, "
        f"{percent(found.spread)} less and more are tried (--spread)"
    )
    for why, subjects in grouped((one.why, one.subject) for one in found.unasked).items():
        more = f" and {len(subjects) - 1} more" if len(subjects) > 1 else ""
        yield f"not tried: {subjects[0]}{more}: {why}"


def _asked(one: Unknown) -> str:
    whom = f"{one.whom}, {one.country}" if one.country else one.whom
    return f"{one.rank}. {whom}: {one.question}"


def _at_length(one: Unknown, found: Unknowns) -> doc.Pairs:
    """Return the evidence, and the plan for each answer."""
    rows = [("known", _known(one)), ("taken", one.taken)]
    rows += [(f"if {each.answer}", _then(each, found)) for each in one.possibilities]
    if one.at_price is not None:
        rows.append(("at other prices", _at_price(one, found)))
    return doc.Pairs(tuple(rows))


def _known(one: Unknown) -> str:
    known = one.known
    if not known.reference:
        return "nothing: there is no evidence"
    dated = f" of {known.date}" if known.date else ""
    aside = ", ".join(filter(None, (known.confidence, dated.strip())))
    return f"{known.reference}{f' ({aside})' if aside else ''}"


def _then(each: Possibility, found: Unknowns) -> str:
    """Return the effect on the plan."""
    if each.rise is None:
        return f"it cannot be so: {each.impossible}"
    if each.conflict:
        return f"rules can no longer hold together: {', '.join(each.conflict)}"
    told = [f"rules can hold together: {', '.join(each.resolved)}"] if each.resolved else []
    if not each.rise.value and not each.buys:
        return "; ".join([*told, "the plan stays what it is"])
    if each.short_kg:
        word = "no longer short" if each.short_kg < 0 else "more short"
        told.append(f"{mass(abs(each.short_kg))} {word}")
    told.append(_cash_words(each, found.currency))
    if not each.rise.proved:
        told.append(f"spend and penalty together: {rise(each.rise)}")
    if each.bound and each.rise.value < 0:
        told.append("no answer saves more")
    told += _bought(each)
    return "; ".join(filter(None, told))


def _cash_words(each: Possibility, currency: str) -> str:
    """Return cash, then the penalty, labeled."""
    cash, weighed = each.cash or Decimal(0), (each.rise.value if each.rise else Decimal(0)) - (each.spent or Decimal(0))
    told = (
        f"{large_money(abs(cash), currency)} {'more' if cash > 0 else 'less'} cash"
        if abs(cash) >= 1
        else "as much cash"
    )
    more = (
        f" (penalty about {'+' if weighed > 0 else ''}{rounded_money(weighed, currency)})" if abs(weighed) >= 1 else ""
    )
    return told + more


def _bought(each: Possibility) -> Iterator[str]:
    for word, some in (
        ("more", [b for b in each.buys if b.kilograms > 0]),
        ("less", [b for b in each.buys if b.kilograms < 0]),
    ):
        if some:
            named = [f"{mass(abs(b.kilograms))} {b.offer}" for b in some[:OFFERS_SHOWN]]
            rest = [f"{len(some) - OFFERS_SHOWN} more"] if len(some) > OFFERS_SHOWN else []
            yield f"{word}: {', '.join([*named, *rest])}"


def _at_price(one: Unknown, found: Unknowns) -> str:
    price = one.at_price
    assert price is not None
    told = []
    if price.known is not None and price.saves is not None:
        saves = price.saves
        told.append(
            f"at {money(price.known)} {found.currency}/kg, the cheapest known of the same goods, it saves {rise(saves)} of spend and penalty"
        )
    if price.break_even is not None:
        told.append(f"from {money(price.break_even)} {found.currency}/kg on it saves nothing")
    return "; ".join(told) or "it saves nothing at any price"
