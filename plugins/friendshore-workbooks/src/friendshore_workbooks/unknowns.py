"""Unknowns: facts that a case lacks, each with its question, who can answer it, and the plan for each answer; and how they are printed."""

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
    TOLD_BY: ClassVar[str] = "friendshore_workbooks.unknowns:ask_document"

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


SHOWN = 6
"""Unknowns in the table, unless more are asked for."""
TOLD = 2
"""Of these, how many are told at length."""
OFFERS_SHOWN = 3
"""Offers that are named of what is bought more or less."""


def ask_document(found: Unknowns, shown: int = SHOWN, told: int = TOLD) -> doc.Document:
    """Return the unknowns in order, and the first at length.

    The whole document has the first `shown` (0: all), of which the first `told` are at length.
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
    """Return spend and penalty together, gray and rounded; where it lies, if that is not proved."""
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
    """The evidence, and the plan for each answer."""
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
    """What becomes of the plan."""
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
