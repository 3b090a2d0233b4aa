"""Unknowns: facts that a case lacks, each with its question, its addressee, and the plan for each answer, and their document."""

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
from friendshore.domain.countries import country_name
from friendshore.explain.results import Difference, Effort, QuestionResult
from friendshore.questions.wording import (
    cash,
    effort,
    first_few,
    mass_or_nothing,
    ranked,
    rise,
    shortly,
    spend_and_penalty,
)

By = Literal["money", "kilograms"]


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
    LICENSE = "license"
    """Export license that is uncertain."""
    RULE = "rule"
    """Rule with an unknown status."""


class EvidenceToday(Record):
    """Today's evidence."""

    reference: str
    date: date | None
    """Date of its facts. None if unknown."""
    confidence: str


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

    cheapest_price: Number | None
    """Cheapest known price of the material in a usable offer, per unit in the case's currency. None if unknown."""
    saving: Difference | None
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
    addressee: str
    """Addressee: supplier, operator, or author of the rule."""
    country: str
    """Country of the addressee. Empty for a rule."""
    known: EvidenceToday
    assumption: str
    """Assumptions behind the tried answers: their figure and bound."""
    possibilities: tuple[Possibility, ...]
    saving: Difference
    """Maximum saving: the decrease of the plan's cost by the best answer. Zero if no tried answer is better than today's assumption."""
    best: int | None = None
    """Position of the best answer. None if no answer is better than today's assumption."""
    added_cost: Difference
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

    TABLES: ClassVar[tuple[str, ...]] = ("unknowns", "not_tried")
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
    not_tried: tuple[Unasked, ...]
    stopped: int = 0
    """Number of unknowns not tried, because the search ended."""
    sheets: tuple[str, ...] = ()
    """Written bid sheets, one per supplier."""
    unwritten: tuple[str, ...] = ()
    """Suppliers without a bid sheet, each with the reason."""
    effort: Effort


SHOWN = 6
"""Default number of unknowns in the table."""
DETAILED = 2
"""Default number of unknowns with details."""
MAX_OFFERS = 3
"""Maximum number of offers in a list of purchases."""


def ask_document(result: Unknowns, shown: int = SHOWN, detailed: int = DETAILED) -> doc.Document:
    """Return the document of the unknowns: a table of the first `shown` (0 means all), with details of the first `detailed`."""
    listed = result.unknowns[: shown or None]
    table = doc.apart(_table(result, shown), doc.notes(_notes(result, len(listed)), doc.Tone.ASIDE)) if listed else None
    details = [
        replace(
            doc.section(_question_line(unknown), _details(unknown, result)),
            on=None if detailed and not position else "whole" if detailed else "screen",
        )
        for position, unknown in enumerate(listed[: max(detailed, 1)])
    ]
    commands = doc.sentence(
        *(doc.Phrase("--full", code=True), " shows more, "),
        *(doc.Phrase("--bid-sheets FOLDER", code=True), " writes a workbook for each supplier"),
    )
    return doc.document(
        "What to find out next",
        doc.answer(_head(result)),
        table,
        *details,
        doc.apart(_stopped(result), doc.for_screen(commands)),
        doc.for_whole(effort(result.effort)),
    )


def _stopped(result: Unknowns) -> doc.Notes | None:
    lines = [f"the search ended early: {count(result.stopped, 'unknown')} not tried"] if result.stopped else []
    return doc.notes(lines, doc.Tone.DOUBTFUL)


def _head(result: Unknowns) -> str:
    relevant = [unknown for unknown in result.unknowns if unknown.best is not None or unknown.worst is not None]
    first = (
        f" Ask {relevant[0].addressee} first, about the {relevant[0].kind.value} of {relevant[0].subject}."
        if relevant
        else ""
    )
    shortage = f"{count(result.short, 'demand is', 'demands are')} short" if result.short else "nothing is short"
    return (
        f"{len(relevant):,} of {count(len(result.unknowns), 'unknown')}, each tried alone, would change the plan.{first} "
        f"Today, {shortage}, and the plan spends {large_money(result.cash, result.currency)}. Worth: present value of the fall in "
        f"spend and penalties.{_BY[result.by]}"
    )


_BY = {"money": "", "kilograms": " Ranked by kilograms no longer short."}


def _table(result: Unknowns, shown: int) -> doc.DataTable:
    listed = result.unknowns[: shown or None]
    proved = all(unknown.saving.proved and unknown.added_cost.proved for unknown in listed)  # intervals may wrap
    columns = [
        doc.figures("#", from_width=doc.NARROW),
        doc.Column("Unknown"),
        doc.Column("Subject"),
        doc.Column("Ask", from_width=doc.MEDIUM),
        doc.figures("Less short", from_width=doc.SPARE),
        doc.figures("Cash", result.currency, from_width=doc.NARROW),
        doc.Column("Worth at most", align="right", whole=proved),
        doc.Column("Costs at worst", align="right", whole=proved, on="whole"),
    ]
    return ranked(columns, [*map(_row, result.unknowns)], "more unknown", part=4, top=shown)


def _row(unknown: Unknown) -> list[doc.Cell]:
    mark = " ~" if unknown.tied else ""
    saves: doc.Cell = doc.NOTHING
    if unknown.resolves:
        saves = "conflict resolved"
    elif unknown.best is not None:
        saves = (
            spend_and_penalty(unknown.saving)
            if unknown.saving.proved
            else doc.Either(spend_and_penalty(unknown.saving), shortly(unknown.saving))
        )
    loses: doc.Cell = (
        "rules conflict"
        if unknown.conflict
        else spend_and_penalty(unknown.added_cost)
        if unknown.worst is not None
        else doc.NOTHING
    )
    best = unknown.possibilities[unknown.best] if unknown.best is not None else None
    cash_cell = doc.NOTHING if best is None or best.cash is None else cash(best.cash, signed=True)
    shortage_saved, addressee = mass_or_nothing(unknown.saved_kg), doc.Several((unknown.addressee,))
    return [
        f"{unknown.rank}{mark}",
        unknown.kind.value,
        unknown.subject,
        addressee,
        shortage_saved,
        cash_cell,
        saves,
        loses,
    ]


def _notes(result: Unknowns, shown: int) -> Iterator[str]:
    if any(unknown.tied for unknown in result.unknowns[:shown]):
        yield "~ the proved bounds allow it to rank below the next"
    yield (
        "each unknown is tried alone, so savings can't be added. Figures without a stated range are tried "
        f"{percent(result.spread)} lower and higher (--spread)"
    )
    for why, subjects in grouped((unknown.why, unknown.subject) for unknown in result.not_tried).items():
        more = f" and {len(subjects) - 1} more" if len(subjects) > 1 else ""
        yield f"not tried: {subjects[0]}{more}. Reason: {why}"


def _question_line(unknown: Unknown) -> str:
    addressee = f"{unknown.addressee}, {country_name(unknown.country)}" if unknown.country else unknown.addressee
    return f"{unknown.rank}. {addressee}: {unknown.question}"


def _details(unknown: Unknown, result: Unknowns) -> doc.Pairs:
    rows = [("known", _evidence(unknown)), ("assumed", unknown.assumption)]
    rows += [(f"if {possibility.answer}", _effect(possibility, result)) for possibility in unknown.possibilities]
    if unknown.at_price is not None:
        rows.append(("at other prices", _at_price(unknown, result)))
    return doc.Pairs(tuple(rows))


def _evidence(unknown: Unknown) -> str:
    evidence = unknown.known
    if not evidence.reference:
        return "no evidence"
    date_text = f" of {evidence.date}" if evidence.date else ""
    details = ", ".join(filter(None, (evidence.confidence, date_text.strip())))
    return f"{evidence.reference}{f' ({details})' if details else ''}"


def _effect(possibility: Possibility, result: Unknowns) -> str:
    if possibility.rise is None:
        return f"not possible: {possibility.impossible}"
    if possibility.conflict:
        return f"rules would conflict: {', '.join(possibility.conflict)}"
    parts = [f"resolves the conflict of rules {', '.join(possibility.resolved)}"] if possibility.resolved else []
    if not possibility.rise.value and not possibility.buys:
        return "; ".join([*parts, "the plan doesn't change"])
    if possibility.short_kg:
        word = "no longer short" if possibility.short_kg < 0 else "more short"
        parts.append(f"{mass(abs(possibility.short_kg))} {word}")
    parts.append(_cash_and_penalty(possibility, result.currency))
    if not possibility.rise.proved:
        parts.append(f"spend and penalty together: {rise(possibility.rise)}")
    if possibility.bound and possibility.rise.value < 0:
        parts.append("no answer saves more")
    parts += _purchase_lines(possibility)
    return "; ".join(filter(None, parts))


def _cash_and_penalty(possibility: Possibility, currency: str) -> str:
    cash, penalty_change = (
        possibility.cash or Decimal(0),
        (possibility.rise.value if possibility.rise else Decimal(0)) - (possibility.spent or Decimal(0)),
    )
    cash_text = (
        f"{large_money(abs(cash), currency)} {'more' if cash > 0 else 'less'} cash"
        if abs(cash) >= 1
        else "the same cash"
    )
    penalty_text = (
        f" (penalty about {'+' if penalty_change > 0 else ''}{rounded_money(penalty_change, currency)})"
        if abs(penalty_change) >= 1
        else ""
    )
    return cash_text + penalty_text


def _purchase_lines(possibility: Possibility) -> Iterator[str]:
    for word, changes in (
        ("more", [b for b in possibility.buys if b.kilograms > 0]),
        ("less", [b for b in possibility.buys if b.kilograms < 0]),
    ):
        if changes:
            texts = [f"{mass(abs(b.kilograms))} {b.offer}" for b in changes]
            yield f"{word}: {first_few(texts, MAX_OFFERS)}"


def _at_price(unknown: Unknown, result: Unknowns) -> str:
    at_price = unknown.at_price
    assert at_price is not None
    parts = []
    if at_price.cheapest_price is not None and at_price.saving is not None:
        saves = at_price.saving
        parts.append(
            f"at {money(at_price.cheapest_price)} {result.currency}/kg, the lowest known price of the same goods, it saves {rise(saves)} of spend and penalty"
        )
    if at_price.break_even is not None:
        parts.append(f"from {money(at_price.break_even)} {result.currency}/kg, it saves nothing")
    return "; ".join(parts) or "it saves nothing at any price"
