"""The ledger as a document, in full and on one screen."""

from __future__ import annotations

from collections.abc import Sequence
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
    on_screen,
    penalty,
    rise,
    short_cell,
    short_texts,
)

from .items import Method
from .search import Bill, Ledger, LedgerItem, Margins

SHOWN = 12
"""Rows shown of what one more unit saves; all of it is in the JSON form."""


def ledger_document(found: Ledger) -> doc.Document:
    """Return the ledger as a document: the total, the part of each item, and each item by itself."""
    currency = found.currency
    told = [item for item in found.items if not changes_nothing(item)]
    return doc.document(
        "The bill of compliance",
        doc.sentence(_head(found, currency)),
        doc.section(_title(found), _split(found, told, currency), doc.notes(_notes(found))) if found.items else None,
        _alone(told),
        _pieces(found, currency),
        *_margins(found.margins, currency),
        effort(found.effort),
    )


def changes_nothing(item: LedgerItem) -> bool:
    """Return True if an item changes no plan, in any order."""
    differences = (item.difference, item.off_alone, item.on_alone)
    return not item.adds.amount and not item.adds.short_kg and all(map(_nothing, differences))


def _head(found: Ledger, currency: str) -> str:
    if not found.items:
        return f"Nothing asked about can bear on the plan, which {_bill(found.after, found)}."
    several = len(found.items) > 1
    return (
        f"Without {'any of these ' + count(len(found.items), 'item') if several else found.items[0].name}, the plan "
        f"{_bill(found.before, found)}; with {'all of them' if several else 'it'}, it {_bill(found.after, found)}. "
        f"That is {currency} {abs(found.adds.cash):,.2f} {'less' if found.adds.cash < 0 else 'more'} cash."
    )


def _bill(bill: Bill, found: Ledger) -> str:
    """Cash and shortage, in words."""
    short = (f"{found.names.material(name)} {mass_of(found.names, name, kg)}" for name, kg in bill.short_kg.items())
    lacking = f" and is short of {', '.join(short)}" if bill.short_kg else ""
    return f"spends {large_money(bill.cash, found.currency)}{lacking}"


def penalties_of(bill: Bill) -> doc.Cell:
    """Return the penalties, gray and in round figures."""
    return penalty(bill.shortage + bill.penalties)


def _title(found: Ledger) -> str:
    if found.method is Method.ORDER:
        return "What each adds to those above it"
    return "What each adds, averaged over all orders in which they may come (Shapley)"


def _split(found: Ledger, told: Sequence[LedgerItem], currency: str) -> doc.Drawing | doc.DataTable:
    columns = [
        doc.Column("Item"),
        doc.Column("Short"),
        doc.figures("Cash", currency),
        doc.figures("Present value"),
        doc.figures("Penalty"),
    ]
    rows = [
        doc.DataRow(_row(found.names, item.name + ("" if item.difference.proved else " ~"), item.adds)) for item in told
    ]
    rows.append(doc.DataRow(_row(found.names, "all together", found.adds), strong=True))
    rungs = [
        charts.Rung(
            item.name,
            item.adds.cash,
            ", ".join(
                filter(
                    None,
                    (large_money(item.adds.cash, currency), ", ".join(short_texts(found.names, item.adds.short_kg))),
                )
            ),
            doc.Tone.PLAIN if item.difference.proved else doc.Tone.DOUBTFUL,
        )
        for item in told
    ]
    text = f"The cash that each item adds, in {currency}. What it adds to shortage is in words."
    return ladder("What each item adds", text, rungs, currency, doc.table(columns, rows))


def _row(names: ShownNames, name: str, bill: Bill) -> tuple[doc.Cell, ...]:
    short = ", ".join(short_texts(names, bill.short_kg))
    return (name, short or doc.NOTHING, _cents(bill.cash), _cents(bill.spent), penalties_of(bill))


def _cents(amount: Decimal) -> doc.Amount:
    """Money to the cent, with its sign."""
    return doc.Amount(amount, form="cents")


def doubts_told(found: Ledger) -> list[str]:
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
    told = doubts_told(found)
    told += [f"~ {item.name}: {rise(item.difference)}" for item in found.items if not item.difference.proved]
    still = [item.name for item in found.items if changes_nothing(item)]
    if still:
        told.append(f"could bear on the plan, and change nothing in it: {', '.join(still)}")
    if found.idle:
        told.append(f"cannot bear on this plan: {count(len(found.idle), 'item')} (--json names them)")
    return told


def _alone(told: Sequence[LedgerItem]) -> doc.Section | None:
    """Each item by itself; to the cent where no penalty is in it, else gray and rounded."""
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


def _pieces(found: Ledger, currency: str) -> doc.Section | None:
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
    columns = [doc.Column("Materials"), doc.figures("Items"), doc.Column("Short"), doc.figures("Cash", currency)]
    columns += [doc.figures("Present value"), doc.figures("Penalty")]
    none = len(split) - len(felt)
    more = doc.notes([f"{count(none, 'more part')} in which the items change nothing"] if none else [])
    return doc.section("By independent part of the case", doc.table(columns, rows), more)


def _margins(found: Margins | None, currency: str) -> list[doc.Section]:
    return [part for part in (_capacities(found, currency), _waivers(found, currency)) if part] if found else []


def _capacities(found: Margins, currency: str) -> doc.Section | None:
    if not found.capacities:
        return None
    kept = [each for each in found.capacities if saves_something(each.saves)]
    rows: list[list[doc.Cell]] = [
        [
            each.facility,
            _periods(each.full_in),
            doc.Kilograms(each.more_kg),
            saving(each.saves),
            penalty(each.per_kg),
        ]
        for each in kept[:SHOWN]
    ]
    columns = [doc.Column("Facility"), doc.Column("Full in"), doc.figures("More")]
    columns += [doc.figures("Saves spend and penalty", currency), doc.figures("per kg")]
    none = len(found.capacities) - len(kept)
    one, many = "capacity is full, and more of it saves", "capacities are full, and more of them saves"
    title = f"{percent(found.increment)} more of each capacity that is used up, in every period"
    return doc.section(title, doc.table(columns, rows) if rows else None, doc.notes(_rest(len(kept), none, one, many)))


def _waivers(found: Margins, currency: str) -> doc.Section | None:
    if not found.waivers:
        return None
    kept = [each for each in found.waivers if saves_something(each.saves)]
    rows: list[list[doc.Cell]] = [
        [each.rule, each.demand, doc.Kilograms(each.waived_kg), saving(each.saves), penalty(each.per_kg)]
        for each in kept[:SHOWN]
    ]
    columns = [doc.Column("Rule"), doc.Column("Demand"), doc.figures("Waived")]
    columns += [doc.figures("Saves spend and penalty", currency), doc.figures("per kg")]
    none = len(found.waivers) - len(kept)
    told = _rest(len(kept), none, "waiver alone saves", "waivers, each alone, save")
    title = f"A waiver of each rule for {percent(found.increment)} of a demand over the plan"
    return doc.section(title, doc.table(columns, rows) if rows else None, doc.notes(told))


def saving(found: Difference) -> doc.Cell:
    """Return what is saved of spend and penalty together, gray and rounded; where it lies, if that is not proved."""
    return penalty(found.value) if found.proved else difference(found)


def saves_something(saved: Difference) -> bool:
    """Return True if the saving is at least one unit of the currency. Less may be rounding."""
    return not saved.proved or abs(saved.value) >= 1


def _rest(worth: int, none: int, one: str, many: str) -> list[str]:
    told = [f"{worth - SHOWN} more that save something (--json holds all)"] if worth > SHOWN else []
    return told + ([f"{count(none, one, many)} nothing (--json names them)"] if none else [])


def _periods(labels: Sequence[str]) -> str:
    return labels[0] if len(labels) == 1 else f"{count(len(labels), 'period')} from {labels[0]}"


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
        doc.sentence(_screen_head(found, currency)),
        _items(told, found) if told else None,
        *(_screen_margins(found.margins, currency) if found.margins is not None else ()),
        doc.apart(
            not_proved(item.difference for item in told),
            doc.notes(doubts_told(found), doc.Tone.DOUBTFUL),
            doc.notes(rest),
            doc.sentence(
                doc.Phrase("--full", code=True), ": to the cent, each item by itself, and part by part of the case"
            ),
        ),
    )


def _screen_head(found: Ledger, currency: str) -> str:
    """Return the title: the total of all items."""
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


def _screen_margins(found: Margins, currency: str) -> list[doc.Section]:
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
