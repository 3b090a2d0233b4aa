"""Effects of two editions of law or data on cases: records, and the document."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import ClassVar

from friendshore.document import elements as doc
from friendshore.document.figures import count, large_money
from friendshore.domain.base import Number, Record, grouped, totals
from friendshore.domain.plan import Cost
from friendshore.domain.shown_names import ShownNames
from friendshore.explain.results import QuestionResult
from friendshore.questions.compare.comparison import Comparison
from friendshore.questions.compare.comparison_document import DELIVERED, MIN_KG, comparison_document
from friendshore.questions.wording import cash, first_few, ranked, short_cell, weighed


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
            case.case: case.comparison.cost_after.rise_from(case.comparison.cost_before)
            for case in self.cases
            if case.comparison is not None
        }


_RESULTS = {"pass": "lawful", "unproven": "unproven", "fail": "prohibited"}
SHOWN = 40
"""Default number of rows of each table."""


def watch_document(result: Watched, shown: int = SHOWN) -> doc.Document:
    """Return the changes of all cases, those with the most money first. The whole document has `shown` rows of each table, or all for 0."""
    comparisons = sorted(result.cases, key=lambda case: (-case.cost_at_stake, case.case))
    return doc.document(
        "Effects of the new edition",
        doc.answer(_answer(result)) if any(not case.error for case in result.cases) else _nothing_planned(result),
        doc.notes([f"{case.case}: not planned: {text}" for case in result.cases for text in case.error], doc.Tone.BAD),
        _flips(result, shown),
        _cases(comparisons, result, shown),
        _offer_changes(result.offers, shown),
        *(_plans(case) for case in comparisons),
        doc.for_screen(
            doc.apart(doc.sentence(doc.Phrase("--full", code=True), ": all tables, and every difference of the plans"))
        ),
    )


def _nothing_planned(result: Watched) -> doc.Sentence:
    editions = ", ".join(result.editions)
    return doc.sentence(f"No case could be planned under both editions: {editions}.", tone=doc.Tone.BAD, strong=True)


def _answer(result: Watched) -> str:
    editions, flips = ", ".join(result.editions), result.changed_verdicts
    cases = count(sum(not case.error for case in result.cases), "case")
    if not flips:
        return f"No verdict changes in {cases}: {editions}."
    lost = sum(flip.before == "pass" for flip in flips)
    of_them = f"{lost:,} of them" if 0 < lost < len(flips) else "all" if lost else "none"
    were = (
        f"{of_them} {'was' if lost == 1 else 'were'} lawful before"
        if len(flips) > 1
        else f"it was {'' if lost else 'not '}lawful before"
    )
    affected_count = len({flip.case for flip in flips})
    text = f"{count(len(flips), 'verdict changes', 'verdicts change')} in {affected_count:,} of {cases}; {were}."
    spend = totals(
        (case.comparison.currency, case.cost_at_stake) for case in result.cases if case.comparison is not None
    )
    money = [large_money(amount, currency) for currency, amount in spend.items() if amount]
    return f"{text} {' and '.join(money) or 'Nothing'} that the plans buy is no longer lawful. New edition: {editions}."


def _cases(cases: Sequence[CaseWatched], result: Watched, shown: int) -> doc.Section:
    columns = [
        doc.Column("Case"),
        doc.figures("No longer lawful"),
        doc.figures("Cash"),
        doc.Column("Added shortage", from_width=doc.SPARE),
        doc.figures("Changed", from_width=doc.NARROW),
        doc.figures("Verdicts", from_width=doc.MEDIUM),
    ]
    rows = [_case_row(case, result.changed_verdicts) for case in cases]
    return doc.section("Cases", ranked(columns, rows, "more case", part=2, top=shown), column="Case")


def _case_row(case: CaseWatched, flips: Sequence[Flip]) -> list[doc.Cell]:
    if case.error or not case.uses:
        return [case.case, "not planned" if case.error else "unaffected", *[doc.NOTHING] * 4]
    comparison = case.comparison
    cash_cell: doc.Cell = doc.NOTHING
    short: dict[str, Decimal] = {}
    if comparison is not None:
        rise = comparison.cost_after.rise_from(comparison.cost_before).nominal
        cash_cell = cash(rise, comparison.currency, signed=True) if rise else doc.NOTHING
        added = ((line.material, line.short_after_kg - line.short_before_kg) for line in comparison.materials)
        short = {material: kg for material, kg in added if abs(kg) >= MIN_KG}
    currency = comparison.currency if comparison is not None else ""
    return [
        case.case,
        cash(case.cost_at_stake, currency) if case.cost_at_stake else doc.NOTHING,
        cash_cell,
        short_cell(_names(case), short),
        doc.Count(sum(flip.case == case.case for flip in flips)),
        doc.Count(case.compared),
    ]


def _names(case: CaseWatched) -> ShownNames:
    return ShownNames() if case.comparison is None else case.comparison.names


def _flips(result: Watched, shown: int) -> doc.Section | None:
    flips_by_row = grouped(
        ((flip.case, flip.offer, flip.material, flip.end_use, flip.start, flip.end, flip.before, flip.after), flip)
        for flip in result.changed_verdicts
    )
    ordered = sorted(flips_by_row.values(), key=lambda flips: (-_most_by_place(flips)[1], flips[0].before != "pass"))
    several = len({flip.case for flip in result.changed_verdicts}) > 1
    names = {case.case: _names(case) for case in result.cases}
    currencies = {case.comparison.currency for case in result.cases if case.comparison is not None}
    rows = [_flip_row(flips, names[flips[0].case], several=several) for flips in ordered]
    columns = [
        *([doc.Column("Case")] if several else []),
        doc.Column("Offer"),
        doc.Column("Material", from_width=doc.NARROW),
        doc.Column("For", from_width=doc.MEDIUM),
        doc.Column("Days", on="whole"),
        doc.Column("From", whole=True, from_width=doc.SPARE, on="screen"),
        doc.Column("Before", from_width=doc.WIDE),
        doc.Column("Now"),
        doc.figures("Bought", from_width=doc.MEDIUM),
        doc.figures("Spend", currencies.pop() if len(currencies) == 1 else ""),
        doc.Column("Rule", from_width=doc.WIDE),
    ]
    table = ranked(columns, rows, "more verdict", part=4, top=shown)
    return doc.section("Changed verdicts", table, column="Changed") if rows else None


def _flip_row(flips: Sequence[Flip], names: ShownNames, *, several: bool) -> list[doc.Cell]:
    first = flips[0]
    goods = sorted({names.material(flip.demand_material) for flip in flips if flip.demand_material != first.material})
    rules = sorted({rule for flip in flips for rule in flip.after_by or flip.before_by})
    bought, spend = _most_by_place(flips)
    return [
        *([first.case] if several else []),
        doc.Either(names.offer_with_id(first.offer), doc.Several((names.offer(first.offer),))),
        doc.Either(names.material(first.material), names.material(first.material)),
        f"{first.end_use}: {', '.join(goods)}" if goods else first.end_use,
        *(f"{first.start} to {first.end}", first.start),
        _RESULTS[first.before],
        doc.Phrase(_RESULTS[first.after], strong=True),
        weighed(names, first.material, bought) if bought else doc.NOTHING,
        cash(spend) if spend else doc.NOTHING,
        doc.Either(", ".join(rules), doc.Several(tuple(map(names.rule, rules)))),
    ]


def _most_by_place(flips: Sequence[Flip]) -> tuple[Decimal, Decimal]:
    """Return kilograms and money bought, each purchase once, since it may serve several demands."""
    by_place = grouped((flip.place, (flip.quantity_kg, flip.cost)) for flip in flips).values()
    kilograms = sum((max(kg for kg, _ in purchases) for purchases in by_place), Decimal(0))
    return kilograms, sum((max(cost for _, cost in purchases) for purchases in by_place), Decimal(0))


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
    parts = comparison_document(case.comparison).parts
    deliveries = (part for part in parts if isinstance(part, doc.Section) and part.column == DELIVERED)
    return doc.section(
        f"{case.case}: cheapest plan under each edition",
        *(doc.for_screen(part) for part in (parts[0], *deliveries)),
        *(doc.for_whole(part) for part in parts if part.on != "screen"),
    )
