"""A bill of compliance on a screen: the whole, the items that add most, and what one more unit of what is scarce would save."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import accumulate

from friendshore.document import elements as doc
from friendshore.document.figures import count, large_money
from friendshore.questions.told import not_proved, on_screen, penalty, short_cell

from .document import changes_nothing, doubts_told, penalties_of, saves_something, saving
from .margins import Margins
from .records import Bill, Ledger, LedgerItem, Method

_WIDE, _NARROW = 90, 70
"""Characters of a line below which columns are left out that the whole bill has."""


def ledger_screen(found: Ledger) -> doc.Document:
    """The items, in an order that was asked for or those first that add most, and what scarcity costs."""
    currency = found.currency
    told = [item for item in found.items if not changes_nothing(item)]
    if found.method is not Method.ORDER:
        told.sort(key=lambda item: (-abs(item.adds.amount), item.name))
    nothing = len(found.items) - len(told)
    rest = [f"{count(nothing, 'more item')} could bear on the plan, and change nothing in it"] if nothing else []
    return doc.document(
        "The bill of compliance",
        doc.sentence(_head(found, currency)),
        _items(told, found) if told else None,
        *(_margins(found.margins, currency) if found.margins is not None else ()),
        doc.apart(
            not_proved(item.difference for item in told),
            doc.notes(doubts_told(found), doc.Tone.DOUBTFUL),
            doc.notes(rest),
            doc.sentence(
                doc.Phrase("--full", code=True), ": to the cent, each item by itself, and part by part of the case"
            ),
        ),
    )


def _head(found: Ledger, currency: str) -> str:
    """What all items come to, and of what."""
    adds = found.adds
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
    """Number of materials that are short of more or less."""
    more, less = (sum(1 for kg in adds.short_kg.values() if kg * sign > 0) for sign in (1, -1))
    told = [f"{word} {count(number, 'material')}" for word, number in (("more of", more), ("less of", less)) if number]
    return f"shortage of {' and '.join(told)}" if told else "no shortage"


def _items(told: Sequence[LedgerItem], found: Ledger) -> doc.Section:
    currency = found.currency
    columns = [
        doc.Column("Item"),
        doc.Column("Short", from_width=_NARROW),
        doc.Column("Cash", currency, "right"),
        doc.Column("Penalty", align="right", from_width=_WIDE),
    ]
    rows: list[list[doc.Cell]] = [
        [
            item.name + ("" if item.difference.proved else " ?"),
            short_cell(found.names, item.adds.short_kg),
            doc.Amount(item.adds.cash, form="signed"),
            penalties_of(item.adds),
        ]
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
    return doc.apart(doc.excerpt(columns, rows, [*rests, doc.NOTHING], part=4))


def _margins(found: Margins, currency: str) -> list[doc.Section]:
    """The capacities and waivers of which a little more would save most."""
    part = f"{(found.increment * 100).normalize():f} %"
    scarce = sorted(
        (one for one in found.capacities if saves_something(one.saves)),
        key=lambda one: (-one.saves.value, one.facility),
    )
    waived = sorted(
        (one for one in found.waivers if saves_something(one.saves)),
        key=lambda one: (-one.saves.value, one.rule, one.demand),
    )
    saves = [
        doc.Column("Saves spend and penalty", currency, "right"),
        doc.Column("a kg", align="right", from_width=_NARROW),
    ]
    made = []
    if scarce:
        rows: list[list[doc.Cell]] = [
            [one.facility, doc.Kilograms(one.more_kg), saving(one.saves), penalty(one.per_kg)] for one in scarce
        ]
        columns = [
            doc.Column(f"{part} more capacity of"),
            doc.Column("More", align="right", from_width=_NARROW),
            *saves,
        ]
        made.append(
            doc.apart(on_screen(columns, rows, "more capacity that saves less", "more capacities that save less"))
        )
    if waived:
        rows = [[one.rule, one.demand, saving(one.saves), penalty(one.per_kg)] for one in waived]
        columns = [doc.Column(f"A waiver for {part} of"), doc.Column("for", from_width=_NARROW), *saves]
        made.append(doc.apart(on_screen(columns, rows, "more waiver that saves less", "more waivers that save less")))
    return made
