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


class Way(Record):
    """An offer, lot of stock, or open order at a place, for a kind of use."""

    offer: str
    """Id of the offer, lot, or order."""
    material: str
    """Material that it delivers."""
    place: str
    demand_material: str
    """Demanded material."""
    end_use: str
    demand_place: str
    buyer: str
    facts: tuple[tuple[str, str], ...]
    """Facts of the item in the case."""


class Flip(Way):
    """A verdict that the new edition changes, on some days."""

    case: str
    start: date
    """First day."""
    end: date
    """Last day."""
    was: str
    """Verdict under the old edition: `pass`, `unproven`, or `fail`."""
    now: str
    """Verdict under the new edition."""
    was_by: tuple[str, ...]
    """Rules that forbade it."""
    now_by: tuple[str, ...]
    """Rules that forbid it."""
    reason: str
    """Reason of the first rule that forbids it under the new edition, or else under the old one."""
    kg: Number
    """Kilograms that the old edition's plan buys this way for arrival or use on these days."""
    cost: Number
    """Undiscounted spending on it."""


class OfferChange(Record):
    """An offer for a use of the case that only one edition has."""

    case: str
    offer: str
    material: str
    came: bool
    """True if it is new, false if it is gone."""


class CaseWatched(Record):
    """A case under both editions."""

    case: str
    file: str
    uses: tuple[str, ...] = ()
    """Packs and catalogs with two editions that it uses. If empty, it is unchanged and not planned."""
    judged: int = 0
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

    TABLES: ClassVar[tuple[str, ...]] = ("flips", "offers", "cases")

    editions: tuple[str, ...]
    """Names with two editions."""
    cases: tuple[CaseWatched, ...]
    flips: tuple[Flip, ...]
    """In order of cases, offers, uses, and days."""
    offers: tuple[OfferChange, ...]
    """New and removed offers."""

    @property
    def rise(self) -> dict[str, Cost]:
        """Return the increase in the cost of each case's cheapest plan, line by line."""
        return {
            one.case: one.comparison.cost_after.minus(one.comparison.cost_before)
            for one in self.cases
            if one.comparison is not None
        }


_RESULTS = {"pass": "lawful", "unproven": "unproven", "fail": "barred"}
_TONES = {"pass": doc.Tone.GOOD, "unproven": doc.Tone.DOUBTFUL, "fail": doc.Tone.BAD}
SHOWN = 40
"""Default number of rows of each table."""


def watch_document(found: Watched, shown: int = SHOWN) -> doc.Document:
    """Return the changes in all cases and in each. Each table has the first `shown` rows; 0 means all."""
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
    """Return the changed verdicts by cost: one row for all goods and places of an offer."""
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
    """Return the kilograms bought. A purchase for several goods counts once."""
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
