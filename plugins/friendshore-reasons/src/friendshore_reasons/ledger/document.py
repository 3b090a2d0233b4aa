"""The ledger as a document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import accumulate

from friendshore.document import charts
from friendshore.document import elements as doc
from friendshore.document.figures import count, large_money, money, percent
from friendshore.domain.shown_names import ShownNames
from friendshore.explain.results import Difference
from friendshore.questions.wording import (
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
)

from .items import Method
from .search import Bill, Ledger, LedgerItem, Margins

SHOWN = 12
"""Maximum number of rows in each table of savings in the whole document. The JSON form has all."""


def ledger_document(found: Ledger) -> doc.Document:
    """Return the ledger as a document: the total, the part of each item, and each item by itself."""
    told = [item for item in found.items if not changes_nothing(item)]
    if found.method is not Method.ORDER:
        told.sort(key=lambda item: (-abs(item.adds.amount), item.name))
    margins = _margins(found.margins, found.currency) if found.margins is not None else ()
    return doc.document(
        "The bill of compliance",
        doc.for_whole(doc.sentence(_head(found))),
        doc.for_screen(doc.sentence(_brief_head(found))),
        _split(found, told),
        doc.for_whole(_alone(told)),
        doc.for_whole(_pieces(found)),
        *margins,
        _about_the_screen(found, told),
        doc.for_whole(effort(found.effort)),
    )


def _about_the_screen(found: Ledger, told: Sequence[LedgerItem]) -> doc.Section | None:
    """Return the notes below a screen. The whole document has them in its sections."""
    nothing = len(found.items) - len(told)
    rest = [f"{count(nothing, 'more item')} could bear on the plan, and change nothing in it"] if nothing else []
    return doc.for_screen(
        doc.apart(
            not_proved(item.difference for item in told),
            doc.notes(_doubts(found), doc.Tone.DOUBTFUL),
            doc.notes(rest),
            doc.sentence(
                doc.Phrase("--full", code=True), ": to the cent, each item by itself, and part by part of the case"
            ),
        )
    )


def changes_nothing(item: LedgerItem) -> bool:
    """Return True if an item changes no plan, in any order."""
    differences = (item.difference, item.off_alone, item.on_alone)
    return not item.adds.amount and not item.adds.short_kg and all(map(_nothing, differences))


def _head(found: Ledger) -> str:
    if not found.items:
        return f"Nothing asked about can bear on the plan, which {_bill(found.after, found)}."
    several = len(found.items) > 1
    return (
        f"Without {'any of these ' + count(len(found.items), 'item') if several else found.items[0].name}, the plan "
        f"{_bill(found.before, found)}; with {'all of them' if several else 'it'}, it {_bill(found.after, found)}. "
        f"That is {found.currency} {abs(found.adds.cash):,.2f} {'less' if found.adds.cash < 0 else 'more'} cash."
    )


def _brief_head(found: Ledger) -> str:
    """Return the total of all items in one sentence."""
    adds, currency = found.adds, found.currency
    if not found.items:
        return f"Nothing asked about can bear on the plan, which spends {large_money(found.after.cash, currency)}."
    several = len(found.items) > 1
    how = (
        "one after the other"
        if found.method is Method.ORDER
        else "each averaged over all orders in which they may come (Shapley)"
    )
    return (
        f"{count(len(found.items), 'item')} {'add' if several else 'adds'} {large_money(adds.cash, currency)} of cash to the "
        f"{large_money(found.before.cash, currency)} of a plan without {'any of them' if several else 'it'}, and {_shorter(adds)}"
        f"{f'; {how}' if several else ''}."
    )


def _shorter(adds: Bill) -> str:
    """Return the number of materials with a larger or smaller shortage."""
    more, less = (sum(1 for kg in adds.short_kg.values() if kg * sign > 0) for sign in (1, -1))
    told = [f"{word} {count(number, 'material')}" for word, number in (("more of", more), ("less of", less)) if number]
    return f"shortage of {' and '.join(told)}" if told else "no shortage"


def _bill(bill: Bill, found: Ledger) -> str:
    """Return cash and shortage, in words."""
    short = (f"{found.names.material(name)} {mass_of(found.names, name, kg)}" for name, kg in bill.short_kg.items())
    lacking = f" and is short of {', '.join(short)}" if bill.short_kg else ""
    return f"spends {large_money(bill.cash, found.currency)}{lacking}"


def penalties_of(bill: Bill) -> doc.Cell:
    """Return the penalties, gray and rounded."""
    return penalty(bill.shortage + bill.penalties)


def _split(found: Ledger, told: Sequence[LedgerItem]) -> doc.Section | None:
    """Return the part of each item, and in the whole document their sum and notes on it."""
    if not found.items:
        return None
    currency = found.currency
    columns = [
        doc.Column("Item"),
        doc.Column("Short", from_width=doc.NARROW),
        doc.figures("Cash", currency),
        replace(doc.figures("Present value"), on="whole"),
        doc.figures("Penalty", from_width=doc.MEDIUM),
    ]
    rows = [doc.DataRow(_row(found.names, _named(item), item.adds)) for item in told]
    rows.append(doc.DataRow(_row(found.names, "all together", found.adds), strong=True, on="whole"))
    rungs = [
        charts.Rung(
            item.name,
            item.adds.cash,
            ", ".join((large_money(item.adds.cash, currency), *short_texts(found.names, item.adds.short_kg))),
            doc.Tone.PLAIN if item.difference.proved else doc.Tone.DOUBTFUL,
        )
        for item in told
    ]
    left = [*reversed(list(accumulate(item.adds.cash for item in reversed(told)))), Decimal(0)]
    rests = [
        doc.Several(
            (
                f"{count(len(told) - shown, 'more item')}, {large_money(left[shown], currency)} of cash together (--full)",
            )
        )
        for shown in range(len(told))
    ]
    table = doc.excerpt(columns, rows, [*rests, doc.NOTHING], part=4)
    text = f"The cash that each item adds, in {currency}. What it adds to shortage is in words."
    drawn = ladder("What each item adds", text, rungs, currency, table)
    title = "What each adds to those above it" if found.method is Method.ORDER else _AVERAGED
    shown = drawn if told else replace(drawn, on="whole")
    return doc.section(title, shown, doc.for_whole(doc.notes(_notes(found))), column="Item")


_AVERAGED = "What each adds, averaged over all orders in which they may come (Shapley)"


def _named(item: LedgerItem) -> doc.Cell:
    doubt = not item.difference.proved
    return doc.Either(f"{item.name} ~", f"{item.name} ?") if doubt else item.name


def _row(names: ShownNames, name: doc.Cell, bill: Bill) -> tuple[doc.Cell, ...]:
    cash = doc.Either(_cents(bill.cash), doc.Amount(bill.cash, form="signed"))
    return (name, short_cell(names, bill.short_kg), cash, _cents(bill.spent), penalties_of(bill))


def _cents(amount: Decimal) -> doc.Amount:
    """Return money to the cent, with its sign."""
    return doc.Amount(amount, form="cents")


def _doubts(found: Ledger) -> list[str]:
    """Return the caveats on the split."""
    told = []
    if found.method is Method.SAMPLED:
        worst = max((item.error for item in found.items if item.error is not None), default=Decimal(0))
        told.append(
            f"parts of the case with more than {found.exact_up_to} items are sampled: {found.samples} orders, seed {found.seed}; "
            f"95 % of such draws come within {money(worst)} of the true value of the item that is least sure"
        )
    told += [
        f"not split, and not counted here: {', '.join(map(found.names.material, part.materials))}, where {', '.join(part.conflict)} cannot hold together"
        for part in found.parts
        if part.method is Method.CONFLICT
    ]
    if found.ranked:
        told.append("the case ranks objectives: this is what its ranked plans cost, not what is least")
    return told


def _notes(found: Ledger) -> list[str]:
    told = _doubts(found)
    told += [f"~ {item.name}: {rise(item.difference)}" for item in found.items if not item.difference.proved]
    still = [item.name for item in found.items if changes_nothing(item)]
    if still:
        told.append(f"could bear on the plan, and change nothing in it: {', '.join(still)}")
    if found.idle:
        told.append(f"cannot bear on this plan: {count(len(found.idle), 'item')} (--json names them)")
    return told


def _alone(told: Sequence[LedgerItem]) -> doc.Section | None:
    """Return each item by itself, to the cent if it has no penalties, otherwise gray and rounded."""
    if len(told) < 2:
        return None
    weighed = any(item.adds.shortage or item.adds.penalties for item in told)
    columns = [doc.Column("Item", whole=True), doc.Column("Added to all others", align="right")]
    columns.append(doc.Column("Added to none of them", align="right"))
    rows = [[item.name, *(_alone_cell(one, weighed) for one in (item.off_alone, item.on_alone))] for item in told]
    what = "spend and penalty together" if weighed else "spend"
    return doc.section(f"Each by itself, {what} (present value); these do not add up", doc.table(columns, rows))


def _alone_cell(found: Difference, weighed: bool) -> doc.Cell:
    if not found.proved:
        return difference(found)
    if _nothing(found):
        return doc.NOTHING
    return penalty(found.value) if weighed else _cents(found.value)


def _nothing(found: Difference) -> bool:
    return found.proved and abs(found.value) < Decimal("0.005")


def _pieces(found: Ledger) -> doc.Section | None:
    split = [part for part in found.parts if part.method is not Method.CONFLICT]
    if len(split) < 2:
        return None
    felt = [part for part in split if part.adds.amount or part.adds.short_kg]
    rows: list[list[doc.Cell]] = [
        [
            ", ".join(map(found.names.material, part.materials)),
            doc.Count(len(part.items)),
            *_row(found.names, "", part.adds)[1:],
        ]
        for part in sorted(felt, key=lambda part: (-part.adds.amount, part.materials))
    ]
    columns = [doc.Column("Materials"), doc.figures("Items"), doc.Column("Short"), doc.figures("Cash", found.currency)]
    columns += [doc.figures("Present value"), doc.figures("Penalty")]
    none = len(split) - len(felt)
    more = doc.notes([f"{count(none, 'more part')} in which the items change nothing"] if none else [])
    return doc.section("By independent part of the case", doc.table(columns, rows), more)


def _margins(found: Margins, currency: str) -> Iterator[doc.Section | None]:
    """Yield the capacities and waivers with the largest savings from a little more of them."""
    part = percent(found.increment)
    saves = [doc.figures("Saves spend and penalty", currency), doc.figures("a kg", from_width=doc.NARROW)]
    scarce: list[list[doc.Cell]] = [
        [one.facility, _periods(one.full_in), doc.Kilograms(one.more_kg), saving(one.saves), penalty(one.per_kg)]
        for one in sorted(found.capacities, key=lambda one: (-one.saves.value, one.facility))
        if saves_something(one.saves)
    ]
    columns = [doc.Column("Facility"), doc.Column("Full in", on="whole"), doc.figures("More", from_width=doc.NARROW)]
    one, many = "more capacity that saves less", "more capacities that save less"
    yield doc.section_if_any(
        f"{part} more of each capacity that is used up, in every period",
        ranked([*columns, *saves], scarce, one, many, top=SHOWN, see=_SEE) if scarce else None,
        _useless(
            len(found.capacities) - len(scarce),
            "capacity is full, and more of it saves",
            "capacities are full, and more of them saves",
        ),
        column=f"{part} more capacity of",
    )
    waived: list[list[doc.Cell]] = [
        [one.rule, one.demand, doc.Kilograms(one.waived_kg), saving(one.saves), penalty(one.per_kg)]
        for one in sorted(found.waivers, key=lambda one: (-one.saves.value, one.rule, one.demand))
        if saves_something(one.saves)
    ]
    columns = [
        doc.Column("Rule"),
        doc.Column("for", from_width=doc.NARROW),
        doc.Column("Waived", "", "right", on="whole"),
    ]
    one, many = "more waiver that saves less", "more waivers that save less"
    yield doc.section_if_any(
        f"A waiver of each rule for {part} of a demand over the plan",
        ranked([*columns, *saves], waived, one, many, top=SHOWN, see=_SEE) if waived else None,
        _useless(len(found.waivers) - len(waived), "waiver alone saves", "waivers, each alone, save"),
        column=f"A waiver for {part} of",
    )


_SEE = "--json has all"


def _useless(number: int, one: str, many: str) -> doc.Notes | None:
    """Return a note on those that save nothing."""
    return doc.for_whole(doc.notes([f"{count(number, one, many)} nothing (--json names them)"] if number else []))


def saving(found: Difference) -> doc.Cell:
    """Return savings of spend and penalties together, gray and rounded. If unproved, return their range."""
    return penalty(found.value) if found.proved else difference(found)


def saves_something(saved: Difference) -> bool:
    """Return True if the saving is at least one unit of the currency. Less may be rounding."""
    return not saved.proved or abs(saved.value) >= 1


def _periods(labels: Sequence[str]) -> str:
    return f"{count(len(labels), 'period')} from {labels[0]}" if len(labels) > 1 else "".join(labels)
