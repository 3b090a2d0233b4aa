"""Effects of two editions of law or data on cases: records, and the document."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import ClassVar

from friendshore.document import elements as doc
from friendshore.document.figures import count
from friendshore.domain.base import Number, Record, grouped
from friendshore.domain.plan import Cost
from friendshore.explain.results import QuestionResult
from friendshore.questions.compare.comparison import Comparison
from friendshore.questions.compare.comparison_document import comparison_document
from friendshore.questions.wording import first_few


class Way(Record):
    """An offer, lot of stock, or open order at a place, for a kind of use."""

    offer: str
    """Id of the offer, lot, or order."""
    material: str
    place: str
    demand_material: str
    end_use: str
    demand_place: str
    buyer: str
    facts: tuple[tuple[str, str], ...]
    """Facts of the item in the case."""


class Flip(Way):
    """A verdict that the new edition changes, on some days."""

    case: str
    start: date
    end: date
    before: str
    """Verdict under the old edition: `pass`, `unproven`, or `fail`."""
    after: str
    """Verdict under the new edition."""
    before_by: tuple[str, ...]
    """Rules that forbade it."""
    after_by: tuple[str, ...]
    """Rules that forbid it."""
    reason: str
    """Reason of the first rule that forbids it under the new edition, or else under the old one."""
    quantity_kg: Number
    """Kilograms that the old edition's plan buys this way for arrival or use on these days."""
    cost: Number


class OfferChange(Record):
    """An offer for a use of the case that only one edition has."""

    case: str
    offer: str
    material: str
    added: bool
    """True if it is new, false if it is gone."""


class CaseWatched(Record):
    """A case under both editions."""

    case: str
    file: str
    uses: tuple[str, ...] = ()
    """Packs and catalogs with two editions that it uses. If empty, it is unchanged and not planned."""
    compared: int = 0
    """Number of verdicts compared, by offer and use."""
    kg_at_stake: Number = Decimal(0)
    """Kilograms that the old edition's plan buys and the new edition forbids, each once."""
    cost_at_stake: Number = Decimal(0)
    """Undiscounted spending on them."""
    comparison: Comparison | None = None
    """Cheapest plans under the editions. The second is the cheapest repair. None if nothing that affects the plan differs."""
    error: tuple[str, ...] = ()
    """Reason why it couldn't be planned under one of the editions."""


class Watched(QuestionResult):
    """Effects of changing from one edition to the other on cases."""

    TABLES: ClassVar[tuple[str, ...]] = ("changed_verdicts", "offers", "cases")

    editions: tuple[str, ...]
    cases: tuple[CaseWatched, ...]
    changed_verdicts: tuple[Flip, ...]
    """In order of cases, offers, uses, and days."""
    offers: tuple[OfferChange, ...]

    @property
    def rise(self) -> dict[str, Cost]:
        return {
            case.case: case.comparison.cost_after.minus(case.comparison.cost_before)
            for case in self.cases
            if case.comparison is not None
        }


_RESULTS = {"pass": "lawful", "unproven": "unproven", "fail": "prohibited"}
_TONES = {"pass": doc.Tone.GOOD, "unproven": doc.Tone.DOUBTFUL, "fail": doc.Tone.BAD}
SHOWN = 40
"""Default number of rows of each table."""


def watch_document(result: Watched, shown: int = SHOWN) -> doc.Document:
    return doc.document(
        "Effects of the new edition",
        _headline(result),
        doc.notes([f"{case.case}: not planned: {text}" for case in result.cases for text in case.error], doc.Tone.BAD),
        _cases(result),
        _flips(result, shown),
        _offer_changes(result.offers, shown),
        *(_plans(case) for case in result.cases),
    )


def _headline(result: Watched) -> doc.Sentence:
    lost = [flip for flip in result.changed_verdicts if flip.before == "pass"]
    changes = count(len(result.changed_verdicts), "verdict changes", "verdicts change")
    affected_count = len({flip.case for flip in result.changed_verdicts})
    planned_count = sum(not case.error for case in result.cases)
    cases = count(planned_count, "case")
    editions = ", ".join(result.editions)
    if not planned_count:
        return doc.sentence(
            f"No case could be planned under both editions: {editions}.", tone=doc.Tone.BAD, strong=True
        )
    if not result.changed_verdicts:
        return doc.sentence(f"No verdict changes in {cases}: {editions}.", strong=True)
    worse = f", {len(lost):,} of them lawful before" if lost else ", none of them lawful before"
    return doc.sentence(f"{changes} in {affected_count:,} of {cases}{worse} ({editions}).", strong=True)


def _cases(result: Watched) -> doc.Section:
    columns = [
        doc.Column("Case"),
        doc.figures("Judged"),
        doc.figures("Changed"),
        doc.figures("Bought, no longer lawful"),
        doc.figures("Spend"),
        doc.figures("Plan cost"),
        doc.figures("Shortage"),
    ]
    return doc.section("Cases", doc.table(columns, [_case_row(case, result.changed_verdicts) for case in result.cases]))


def _case_row(case: CaseWatched, flips: Sequence[Flip]) -> list[doc.Cell]:
    change_count = sum(flip.case == case.case for flip in flips)
    if case.error:
        return [case.case, *[doc.NOTHING] * 4, "not planned", doc.NOTHING]
    if not case.uses:
        return [case.case, *[doc.NOTHING] * 4, "unaffected", doc.NOTHING]
    comparison = case.comparison
    rise, short = Decimal(0), Decimal(0)
    if comparison is not None:
        rise = comparison.cost_after.total - comparison.cost_before.total
        short = sum((m.short_after_kg - m.short_before_kg for m in comparison.materials), Decimal(0))
    currency = comparison.currency if comparison is not None else ""
    return [
        case.case,
        doc.Count(case.compared),
        doc.Count(change_count),
        doc.Kilograms(case.kg_at_stake) if case.kg_at_stake else doc.NOTHING,
        doc.Amount(case.cost_at_stake, currency) if case.cost_at_stake else doc.NOTHING,
        doc.Amount(rise, currency, "signed") if rise else doc.NOTHING,
        doc.Kilograms(short, least=Decimal("0.05")) if short else doc.NOTHING,
    ]


def _flips(result: Watched, shown: int) -> doc.Section | None:
    flips_by_row = grouped(
        ((flip.case, flip.offer, flip.material, flip.end_use, flip.start, flip.end, flip.before, flip.after), flip)
        for flip in result.changed_verdicts
    )
    ranked = sorted(flips_by_row.values(), key=lambda flips: (-_kg_bought(flips), flips[0].before != "pass"))
    several = len({flip.case for flip in result.changed_verdicts}) > 1
    rows = [_flip_row(flips, several=several) for flips in ranked[: shown or None]]
    columns = [
        *([doc.Column("Case")] if several else []),
        doc.Column("Offer", whole=True),
        doc.Column("Delivers"),
        doc.Column("For"),
        doc.Column("Days"),
        doc.Column("Before"),
        doc.Column("Now"),
        doc.Column("By"),
        doc.figures("Bought"),
    ]
    hidden_count = len(ranked) - len(rows)
    notes = [f"{hidden_count:,} more (--top 0 shows all)"] if hidden_count else []
    return doc.section("Changed verdicts", doc.table(columns, rows), doc.notes(notes)) if rows else None


def _flip_row(flips: Sequence[Flip], *, several: bool) -> list[doc.Cell]:
    first = flips[0]
    goods = sorted({flip.demand_material for flip in flips} - {first.material})
    by = sorted({rule for flip in flips for rule in flip.after_by or flip.before_by})
    bought = _kg_bought(flips)
    return [
        *([first.case] if several else []),
        first.offer,
        first.material,
        f"{first.end_use}: {', '.join(goods)}" if goods else first.end_use,
        f"{first.start} to {first.end}",
        _RESULTS[first.before],
        doc.Phrase(_RESULTS[first.after], _TONES[first.after]),
        ", ".join(by),
        doc.Kilograms(bought) if bought else doc.NOTHING,
    ]


def _kg_bought(flips: Sequence[Flip]) -> Decimal:
    by_place = grouped((flip.place, flip.quantity_kg) for flip in flips)
    return sum((max(kilograms) for kilograms in by_place.values()), Decimal(0))


def _offer_changes(offers: Sequence[OfferChange], shown: int) -> doc.Section | None:
    if not offers:
        return None
    texts = []
    for came, word in ((False, "removed"), (True, "new")):
        names = [f"{offer.offer} ({offer.material})" for offer in offers if offer.added is came]
        if names:
            texts.append(f"{word}: {first_few(names, shown or len(names), ' and ')}")
    return doc.section("Offers that only one edition has", doc.notes(texts))


def _plans(case: CaseWatched) -> doc.Section | None:
    if case.comparison is None:
        return None
    return doc.section(f"{case.case}: cheapest plan under each edition", *comparison_document(case.comparison).parts)
