"""What two editions of the law or of data do to cases: records, and the document for people who maintain the law or the data."""

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


class Way(Record):
    """An offer, or stock or an order in hand, that comes to a place for a kind of use."""

    offer: str
    """Of stock and orders: what they are called."""
    material: str
    """What it delivers."""
    place: str
    demand_material: str
    """What is demanded in the end."""
    end_use: str
    demand_place: str
    buyer: str
    facts: tuple[tuple[str, str], ...]
    """What the case states of the item."""


class Flip(Way):
    """One verdict that the new edition turns: of a way, on some days."""

    case: str
    start: date
    """First day."""
    end: date
    """Last day."""
    was: str
    """`pass`, `unproven` or `fail` under the old edition."""
    now: str
    """The same under the new edition."""
    was_by: tuple[str, ...]
    """Rules that forbade."""
    now_by: tuple[str, ...]
    """Rules that forbid."""
    reason: str
    """What the first of the rules that forbid says, under the new edition; else under the old one."""
    kg: Number
    """What the plan of the old edition buys this way, of what arrives or is used on such a day."""
    cost: Number
    """Undiscounted money on it."""


class OfferChange(Record):
    """An offer that only one of the two editions has, for a use of the case."""

    case: str
    offer: str
    material: str
    came: bool
    """Whether the new edition brings it; else it is gone."""


class CaseWatched(Record):
    """One case under both editions."""

    case: str
    file: str
    uses: tuple[str, ...] = ()
    """Packs and catalogs with two editions that it uses; none: it is as it was, and not planned."""
    judged: int = 0
    """Offers for uses that were judged under both."""
    kg_at_stake: Number = Decimal(0)
    """What the plan of the old edition buys that the new one forbids, each kilogram once."""
    cost_at_stake: Number = Decimal(0)
    """Undiscounted money on it."""
    comparison: Comparison | None = None
    """The cheapest plan under each edition, side by side: the second is the cheapest repair. None: nothing that the plan follows from differs."""
    error: tuple[str, ...] = ()
    """Why it could not be planned under one of the editions."""


class Watched(QuestionResult):
    """What changing from one edition to the other does to cases."""

    TABLES: ClassVar[tuple[str, ...]] = ("flips", "offers", "cases")

    editions: tuple[str, ...]
    """What there are two editions of."""
    cases: tuple[CaseWatched, ...]
    flips: tuple[Flip, ...]
    """In order of cases, offers, uses and days."""
    offers: tuple[OfferChange, ...]
    """What came and what went."""

    @property
    def rise(self) -> dict[str, Cost]:
        """Case -> what its cheapest plan costs more, line by line."""
        return {
            one.case: one.comparison.cost_after.minus(one.comparison.cost_before)
            for one in self.cases
            if one.comparison is not None
        }


_RESULTS = {"pass": "lawful", "unproven": "unproven", "fail": "barred"}
_TONES = {"pass": doc.Tone.GOOD, "unproven": doc.Tone.DOUBTFUL, "fail": doc.Tone.BAD}
SHOWN = 40
"""Rows shown of each table, unless more are asked for."""


def watch_document(found: Watched, shown: int = SHOWN) -> doc.Document:
    """What turns from one edition to the other, in all cases together and in each; of each table the first `shown` rows, 0: all."""
    return doc.document(
        "What a new edition turns",
        _head(found),
        doc.notes([f"{one.case}: not planned: {text}" for one in found.cases for text in one.error], doc.Tone.BAD),
        _cases(found),
        _flips(found, shown),
        _offers(found.offers, shown),
        *(_plan(one) for one in found.cases),
    )


def _head(found: Watched) -> doc.Sentence:
    lost = [flip for flip in found.flips if flip.was == "pass"]
    turned = count(len(found.flips), "verdict turns", "verdicts turn")
    touched = len({flip.case for flip in found.flips})
    whole = sum(not one.error for one in found.cases)
    planned = count(whole, "case")
    what = ", ".join(found.editions)
    if not whole:
        return doc.sentence(f"No case could be planned under both editions: {what}.", tone=doc.Tone.BAD, strong=True)
    if not found.flips:
        return doc.sentence(f"No verdict turns in {planned}: {what}.", strong=True)
    worse = f": {len(lost):,} of them against what was lawful" if lost else ", none of them against what was lawful"
    return doc.sentence(f"{turned} in {touched:,} of {planned}{worse} ({what}).", strong=True)


def _cases(found: Watched) -> doc.Section:
    columns = [
        doc.Column("Case"),
        doc.figures("Judged"),
        doc.figures("Turn"),
        doc.figures("Bought, not lawful now"),
        doc.figures("Worth"),
        doc.figures("Plan costs more"),
        doc.figures("More short"),
    ]
    return doc.section("Cases", doc.table(columns, [_case(one, found.flips) for one in found.cases]))


def _case(one: CaseWatched, flips: Sequence[Flip]) -> list[doc.Cell]:
    turned = sum(flip.case == one.case for flip in flips)
    if one.error:
        return [one.case, *[doc.NOTHING] * 4, "not planned", doc.NOTHING]
    if not one.uses:
        return [one.case, *[doc.NOTHING] * 4, "uses none of it", doc.NOTHING]
    comparison = one.comparison
    rise, short = Decimal(0), Decimal(0)
    if comparison is not None:
        rise = comparison.cost_after.total - comparison.cost_before.total
        short = sum((m.short_after_kg - m.short_before_kg for m in comparison.materials), Decimal(0))
    currency = comparison.currency if comparison is not None else ""
    return [
        one.case,
        doc.Count(one.judged),
        doc.Count(turned),
        doc.Kilograms(one.kg_at_stake) if one.kg_at_stake else doc.NOTHING,
        doc.Amount(one.cost_at_stake, currency) if one.cost_at_stake else doc.NOTHING,
        doc.Amount(rise, currency, "signed") if rise else doc.NOTHING,
        doc.Kilograms(short, least=Decimal("0.05")) if short else doc.NOTHING,
    ]


def _flips(found: Watched, shown: int) -> doc.Section | None:
    """What turns, the costliest first: one row for all goods that an offer's delivery may end in and all places that it may go to."""
    alike = grouped(
        ((flip.case, flip.offer, flip.material, flip.end_use, flip.start, flip.end, flip.was, flip.now), flip)
        for flip in found.flips
    )
    ranked = sorted(alike.values(), key=lambda flips: (-_bought(flips), flips[0].was != "pass"))
    several = len({flip.case for flip in found.flips}) > 1
    rows = [_turn(flips, several=several) for flips in ranked[: shown or None]]
    columns = [
        *([doc.Column("Case")] if several else []),
        doc.Column("Offer", whole=True),
        doc.Column("Delivers"),
        doc.Column("For"),
        doc.Column("Days"),
        doc.Column("Was"),
        doc.Column("Is"),
        doc.Column("By"),
        doc.figures("Bought"),
    ]
    more = len(ranked) - len(rows)
    left = [f"{more:,} more: --top 0 shows all, --json tells all"] if more else []
    return doc.section("Verdicts that turn", doc.table(columns, rows), doc.notes(left)) if rows else None


def _turn(flips: Sequence[Flip], *, several: bool) -> list[doc.Cell]:
    one = flips[0]
    goods = sorted({flip.demand_material for flip in flips} - {one.material})
    by = sorted({rule for flip in flips for rule in flip.now_by or flip.was_by})
    bought = _bought(flips)
    return [
        *([one.case] if several else []),
        one.offer,
        one.material,
        f"{one.end_use}: {', '.join(goods)}" if goods else one.end_use,
        f"{one.start} to {one.end}",
        _RESULTS[one.was],
        doc.Phrase(_RESULTS[one.now], _TONES[one.now]),
        ", ".join(by),
        doc.Kilograms(bought) if bought else doc.NOTHING,
    ]


def _bought(flips: Sequence[Flip]) -> Decimal:
    """Kilograms bought: what may end in several goods is counted once."""
    by_place = grouped((flip.place, flip.kg) for flip in flips)
    return sum((max(kilograms) for kilograms in by_place.values()), Decimal(0))


def _offers(offers: Sequence[OfferChange], shown: int) -> doc.Section | None:
    if not offers:
        return None
    texts = []
    for came, word in ((False, "gone"), (True, "new")):
        names = [f"{one.offer} ({one.material})" for one in offers if one.came is came]
        if names:
            kept = names[: shown or None]
            more = f" and {len(names) - len(kept):,} more" if len(kept) < len(names) else ""
            texts.append(f"{word}: {', '.join(kept)}{more}")
    return doc.section("Offers that only one edition has", doc.notes(texts))


def _plan(one: CaseWatched) -> doc.Section | None:
    if one.comparison is None:
        return None
    return doc.section(f"{one.case}: the cheapest plan under each", *comparison_document(one.comparison).parts)
