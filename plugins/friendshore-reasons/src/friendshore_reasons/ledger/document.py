"""The ledger as a document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import accumulate

from friendshore.document import charts
from friendshore.document import elements as doc
from friendshore.document.figures import count, large_money, percent, rounded_money
from friendshore.domain.plan import without_residue
from friendshore.explain.results import Difference
from friendshore.questions.wording import (
    cash,
    difference,
    effort,
    ladder,
    mass_of,
    not_proved,
    penalty,
    ranked,
    rise,
    short_cell,
    short_texts,
    spend_and_penalty,
)

from .items import Method
from .search import Bill, Ledger, LedgerItem, Margins

SHOWN = 12
"""Maximum number of rows in each table of savings in the whole document. The JSON form has all."""


def ledger_document(result: Ledger) -> doc.Document:
    effective_items = [item for item in result.items if not changes_nothing(item)]
    if result.method is not Method.ORDER:
        effective_items.sort(key=lambda item: (-abs(item.adds.amount), item.name))
    margins = _margins(result.margins, result.currency) if result.margins is not None else ()
    return doc.document(
        "Cost of compliance",
        doc.for_whole(doc.sentence(_headline(result))),
        doc.for_screen(doc.answer(_brief_headline(result))),
        _costs_by_item(result, effective_items),
        doc.for_whole(_individual_costs(effective_items)),
        doc.for_whole(_costs_by_part(result)),
        *margins,
        _screen_notes(result, effective_items),
        doc.for_whole(effort(result.effort)),
    )


def _screen_notes(result: Ledger, items: Sequence[LedgerItem]) -> doc.Section | None:
    idle_count = len(result.items) - len(items)
    idle_notes = [f"{count(idle_count, 'more item')} could affect the plan, but without effect"] if idle_count else []
    return doc.for_screen(
        doc.apart(
            not_proved(item.difference for item in items),
            doc.notes(_caveats(result), doc.Tone.DOUBTFUL),
            doc.notes(idle_notes),
            doc.sentence(
                doc.Phrase("--full", code=True), ": to the cent, each item by itself, and part by part of the case"
            ),
        )
    )


def changes_nothing(item: LedgerItem) -> bool:
    differences = (item.difference, item.off_alone, item.on_alone)
    return not item.adds.amount and not item.adds.short_kg and all(map(_is_zero, differences))


def _headline(result: Ledger) -> str:
    if not result.items:
        return f"None of the items can affect the plan, which {_spend_and_shortage(result.after, result)}."
    is_plural = len(result.items) > 1
    return (
        f"Without {'any of these ' + count(len(result.items), 'item') if is_plural else result.items[0].name}, the plan "
        f"{_spend_and_shortage(result.before, result)}; with {'all of them' if is_plural else 'it'}, it {_spend_and_shortage(result.after, result)}. "
        f"That is {result.currency} {abs(result.adds.cash):,.2f} {'less' if result.adds.cash < 0 else 'more'} cash."
    )


def _brief_headline(result: Ledger) -> str:
    adds, currency = result.adds, result.currency
    if not result.items:
        return f"None of the items can affect the plan, which spends {large_money(result.after.cash, currency)}."
    is_plural = len(result.items) > 1
    ordered = result.method is Method.ORDER
    method = (
        "They are added one after the other" if ordered else "Each item's part is its average over all orders (Shapley)"
    )
    return (
        f"{count(len(result.items), 'item')} {'add' if is_plural else 'adds'} {large_money(adds.cash, currency)} of cash and {_shortage_changes(adds)}. "
        f"Without {'them' if is_plural else 'it'}, the plan spends {large_money(result.before.cash, currency)}."
        f"{f' {method}.' if is_plural else ''}"
    )


def _shortage_changes(adds: Bill) -> str:
    more, less = (sum(1 for kg in adds.short_kg.values() if kg * sign > 0) for sign in (1, -1))
    phrases = [f"{word} {count(number, 'material')}" for word, number in (("more", more), ("less", less)) if number]
    return " and ".join(f"{phrase.replace(' ', ' shortage of ', 1)}" for phrase in phrases) or "no shortage"


def _spend_and_shortage(bill: Bill, result: Ledger) -> str:
    shortages = (
        f"{result.names.material(name)} {mass_of(result.names, name, kg)}" for name, kg in bill.short_kg.items()
    )
    shortage = f" and is short of {', '.join(shortages)}" if bill.short_kg else ""
    return f"spends {large_money(bill.cash, result.currency)}{shortage}"


def penalties_of(bill: Bill) -> doc.Cell:
    return penalty(bill.shortage + bill.penalties)


def _costs_by_item(result: Ledger, items: Sequence[LedgerItem]) -> doc.Section | None:
    if not result.items:
        return None
    currency = result.currency
    columns = [
        doc.Column("Item"),
        doc.Column("Rule", from_width=doc.WIDE, on="screen"),
        doc.Column("Short", from_width=doc.NARROW),
        doc.figures("Cash", currency),
        replace(doc.figures("Present value"), on="whole"),
        doc.figures("Penalty", from_width=doc.MEDIUM),
    ]
    rows = [doc.DataRow(_row(result, _named(item), result.names.rules.get(item.name, ""), item.adds)) for item in items]
    rows.append(doc.DataRow(_row(result, "all together", "", result.adds), strong=True, on="whole"))
    rungs = [
        charts.Rung(
            item.name,
            item.adds.cash,
            ", ".join((large_money(item.adds.cash, currency), *short_texts(result.names, item.adds.short_kg))),
            doc.Tone.PLAIN if item.difference.proved else doc.Tone.DOUBTFUL,
        )
        for item in items
    ]
    cash_below = [*reversed(list(accumulate(item.adds.cash for item in reversed(items)))), Decimal(0)]
    rest_rows = [
        doc.Several(
            (
                f"{count(len(items) - position, 'more item')}, {large_money(cash_below[position], currency)} of cash together (--full)",
            )
        )
        for position in range(len(items))
    ]
    table = doc.excerpt(columns, rows, [*rest_rows, doc.NOTHING], part=4)
    text = f"Cash that each item adds, in {currency}. The effect on shortage is in words."
    chart = ladder("Cash added by each item", text, rungs, currency, table)
    title = "Added to the items above" if result.method is Method.ORDER else _AVERAGED
    shown = chart if items else replace(chart, on="whole")
    return doc.section(title, shown, doc.for_whole(doc.notes(_notes(result))), column="Item")


_AVERAGED = "Added by each item, averaged over all orders (Shapley)"


def _named(item: LedgerItem) -> doc.Cell:
    doubt = not item.difference.proved
    return doc.Either(f"{item.name} ~", f"{item.name} ?") if doubt else item.name


def _row(result: Ledger, name: doc.Cell, title: str, bill: Bill) -> tuple[doc.Cell, ...]:
    shown = cash(without_residue(bill.cash, result.before.cash, result.after.cash), signed=True)
    cash_cell = doc.Either(_cents(bill.cash), shown.screen if isinstance(shown, doc.Either) else shown)
    return (
        name,
        doc.Several((title,)) if title else doc.NOTHING,
        short_cell(result.names, bill.short_kg),
        cash_cell,
        _cents(bill.spent),
        penalties_of(bill),
    )


def _cents(amount: Decimal) -> doc.Amount:
    return doc.Amount(amount, form="cents")


def _caveats(result: Ledger) -> list[str]:
    caveats = []
    if result.method is Method.SAMPLED:
        largest_error = max((item.error for item in result.items if item.error is not None), default=Decimal(0))
        caveats.append(
            f"parts of the case with more than {result.exact_up_to} items are sampled: {result.samples} orders, seed {result.seed}; "
            f"the least certain item is within {rounded_money(largest_error, result.currency)} of its true value at 95% confidence"
        )
    caveats += [
        f"not split and not counted: {', '.join(map(result.names.material, part.materials))} (conflicting rules: {', '.join(part.conflict)})"
        for part in result.parts
        if part.method is Method.CONFLICT
    ]
    if result.ranked:
        caveats.append("the case ranks objectives, so costs are those of ranked plans, not minimum costs")
    return caveats


def _notes(result: Ledger) -> list[str]:
    notes = _caveats(result)
    notes += [f"~ {item.name}: {rise(item.difference)}" for item in result.items if not item.difference.proved]
    idle_names = [item.name for item in result.items if changes_nothing(item)]
    if idle_names:
        notes.append(f"could affect the plan, but without effect: {', '.join(idle_names)}")
    if result.without_effect:
        notes.append(f"cannot affect this plan: {count(len(result.without_effect), 'item')} (--json names them)")
    return notes


def _individual_costs(items: Sequence[LedgerItem]) -> doc.Section | None:
    if len(items) < 2:
        return None
    has_penalties = any(item.adds.shortage or item.adds.penalties for item in items)
    columns = [doc.Column("Item", whole=True), doc.Column("Added to all others", align="right")]
    columns.append(doc.Column("Added to none", align="right"))
    rows = [
        [item.name, *(_individual_cost(alone, has_penalties) for alone in (item.off_alone, item.on_alone))]
        for item in items
    ]
    meaning = "spend and penalty" if has_penalties else "spend"
    return doc.section(f"Each item alone, {meaning} (present value, not additive)", doc.table(columns, rows))


def _individual_cost(change: Difference, has_penalties: bool) -> doc.Cell:
    if not change.proved:
        return difference(change)
    if _is_zero(change):
        return doc.NOTHING
    return penalty(change.value) if has_penalties else _cents(change.value)


def _is_zero(change: Difference) -> bool:
    return change.proved and abs(change.value) < Decimal("0.005")


def _costs_by_part(result: Ledger) -> doc.Section | None:
    split = [part for part in result.parts if part.method is not Method.CONFLICT]
    if len(split) < 2:
        return None
    affected = [part for part in split if part.adds.amount or part.adds.short_kg]
    rows: list[list[doc.Cell]] = [
        [
            ", ".join(map(result.names.material, part.materials)),
            doc.Count(len(part.items)),
            *_row(result, "", "", part.adds)[2:],
        ]
        for part in sorted(affected, key=lambda part: (-part.adds.amount, part.materials))
    ]
    columns = [doc.Column("Materials"), doc.figures("Items"), doc.Column("Short"), doc.figures("Cash", result.currency)]
    columns += [doc.figures("Present value"), doc.figures("Penalty")]
    unaffected_count = len(split) - len(affected)
    notes = doc.notes(
        [f"{count(unaffected_count, 'more part')} without effect of the items"] if unaffected_count else []
    )
    return doc.section("By independent part of the case", doc.table(columns, rows), notes)


def _margins(margins: Margins, currency: str) -> Iterator[doc.Section | None]:
    part = percent(margins.increment)
    saves = [doc.figures("Saves spend and penalty", currency), doc.figures("a kg", from_width=doc.NARROW)]
    scarce: list[list[doc.Cell]] = [
        [
            capacity.facility,
            _periods(capacity.full_periods),
            doc.Kilograms(capacity.added_kg),
            spend_and_penalty(capacity.saving),
            penalty(capacity.per_kg),
        ]
        for capacity in sorted(margins.capacities, key=lambda capacity: (-capacity.saving.value, capacity.facility))
        if saves_something(capacity.saving)
    ]
    columns = [doc.Column("Facility"), doc.Column("Full in", on="whole"), doc.figures("More", from_width=doc.NARROW)]
    singular, plural = "more capacity that saves less", "more capacities that save less"
    yield doc.section_if_any(
        f"{part} more of each capacity that is used up, in every period",
        ranked([*columns, *saves], scarce, singular, plural, top=SHOWN, see=_SEE) if scarce else None,
        _no_savings_note(
            len(margins.capacities) - len(scarce),
            "full capacity isn't worth increasing",
            "full capacities aren't worth increasing",
        ),
        column=f"{part} more capacity of",
    )
    waived: list[list[doc.Cell]] = [
        [
            waiver.rule,
            waiver.demand,
            doc.Kilograms(waiver.waived_kg),
            spend_and_penalty(waiver.saving),
            penalty(waiver.per_kg),
        ]
        for waiver in sorted(margins.waivers, key=lambda waiver: (-waiver.saving.value, waiver.rule, waiver.demand))
        if saves_something(waiver.saving)
    ]
    columns = [
        doc.Column("Rule"),
        doc.Column("for", from_width=doc.SPARE),
        doc.Column("Waived", "", "right", on="whole"),
    ]
    singular, plural = "more waiver that saves less", "more waivers that save less"
    yield doc.section_if_any(
        f"A waiver of each rule for {part} of a demand over the plan",
        ranked([*columns, *saves], waived, singular, plural, top=SHOWN, see=_SEE) if waived else None,
        _no_savings_note(
            len(margins.waivers) - len(waived), "waiver saves nothing alone", "waivers save nothing alone"
        ),
        column=f"A waiver for {part} of",
    )


_SEE = "--json has all"


def _no_savings_note(number: int, singular: str, plural: str) -> doc.Notes | None:
    return doc.for_whole(doc.notes([f"{count(number, singular, plural)} (--json names them)"] if number else []))


def saves_something(change: Difference) -> bool:
    return not change.proved or abs(change.value) >= 1


def _periods(labels: Sequence[str]) -> str:
    return f"{count(len(labels), 'period')} from {labels[0]}" if len(labels) > 1 else "".join(labels)
