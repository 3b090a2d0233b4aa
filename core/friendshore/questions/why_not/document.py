"""Why an offer is not in the plan, as a planner reads it: its break-even price, what keeps it out, and what relaxing that is worth."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from ...document import elements as doc
from ...document.figures import large_money, mass, money, number, percent, written
from ...domain.change import Change
from ...explain.break_even import BreakEven
from ...explain.obstacles import BarredDays
from ...explain.results import SHARE_PROVED, Difference
from ..told import difference, effort, ladder, rung
from .search import Relaxed, WhyNot

_STATES = {
    "in the plan": "is in the plan",
    "not bought": "may be bought, and is not",
    "kept out": "is kept out",
    "not wanted": "delivers nothing that the case wants",
}


def why_not_document(found: WhyNot) -> doc.Document:
    """Where the offer stands, its price, its obstacles, and what it took to find out."""
    materials = ", ".join(found.materials)
    by = "" if found.supplier in (found.facility, found.offer) else f" ({found.supplier})"
    head = f"{found.offer}: {materials} of {found.facility}{by}, {found.country}. It {_STATES[found.state]}."
    bought = doc.notes(f"the plan buys {mass(one.kilograms)} of {one.material} for {one.place}" for one in found.bought)
    price, later, together = found.entering, found.entering_lifted, found.together
    return doc.document(
        f"Why not {found.offer}",
        doc.sentence(head),
        bought,
        doc.notes(_full(found)),
        doc.section(_title(found), doc.notes(_price(price, found))) if price is not None else None,
        doc.section("What keeps it out", *_obstacles(found)) if found.obstacles else None,
        doc.section("All of these relaxed", doc.notes(_lifted(together, found))) if together is not None else None,
        doc.section(f"{_title(found)}, once relaxed", doc.notes(_price(later, found))) if later is not None else None,
        effort(found.effort),
    )


def _title(found: WhyNot) -> str:
    return "Break-even fee" if found.made_from else "Break-even price"


def _full(found: WhyNot) -> Iterator[str]:
    """Return what a kilogram costs with its inputs, of an offer that takes any."""
    if not found.made_from or found.state == "not wanted":
        return
    inputs, price = ", ".join(found.made_from), found.full_price
    if price is None:
        why = "it may not be bought as things are" if found.state == "kept out" else f"no admissible input ({inputs})"
        yield f"its own price is a fee, without inputs ({inputs}); no full price: {why}"
        return
    how = "in the plan" if price.how == "traced" else f"marginal, ordered in {price.ordered}"
    yield (
        f"its full price is {found.currency} {money(price.full_price)}/kg ({how}): a fee of {money(price.own)} with duty and freight, and "
        f"{money(price.inputs)} for inputs ({inputs})"
    )


def _price(entering: BreakEven, found: WhyNot) -> list[str]:
    """The price in sentences: what it is, how it compares with today's, what it rests on."""
    if entering.outcome == "no price":
        dear = "freight, duties, inputs and fixed costs alone exceed it"
        why = "nothing of it may be bought" if found.state == "kept out" else dear
        return [f"at no price: given for nothing it would save nothing ({why})"]
    if entering.outcome == "any price":
        return ["at any price: the rules of the case cannot be kept without it"]
    if entering.outcome == "conflict":
        return ["rules cannot hold together here, with or without it: nothing is planned"]
    if entering.outcome == "outranked":
        return ["at any price: what the case ranks before cost is better with it than without"]
    if entering.outcome == "paid":
        return ["its price is below zero: what it would have to cost is asked with a change of its price"]
    if entering.outcome == "ranked":
        return ["the case ranks money before its last objective, or a level is not proved: no price is told"]
    if entering.outcome == "not found" or entering.factor is None:
        return ["not found: what is left open of the plans proves no price"]
    return [*_root(entering, found), *_worth(entering, found)]


def _root(entering: BreakEven, found: WhyNot) -> Iterator[str]:
    assert entering.factor is not None
    unit = "/kg" if len(found.materials) == 1 else " per unit"
    if entering.price is not None:
        fee = "a fee of " if found.made_from else ""
        price = f"{fee}{found.currency} {money(entering.price)}{unit}"
        price += f" (in the last period {money(entering.last_price)})" if entering.last_price is not None else ""
    else:
        price = f"{number(entering.factor, 6)} times its {'fee' if found.made_from else 'price'}"
    today = ""
    if entering.today is not None:
        today = f"; {'asked about with' if entering.assumed else 'today it is'} {money(entering.today)}"
    if entering.proved:
        yield f"below {price} every cheapest plan buys it; above, none is cheaper than one without it{today}"
    else:
        yield f"not proved: by the plans found, up to {price}{today}"
        yield _surely(entering, found, unit)
    if not entering.assumed:
        yield _beside_today(entering.factor, "fee" if found.made_from else "price")
    if entering.premium is not None:
        sign = "+" if entering.premium >= 0 else "-"
        level = abs(entering.premium) <= SHARE_PROVED
        on_it = f"{sign}{percent(abs(entering.premium))} on it"
        if entering.premium >= 2:
            on_it = f"{number(1 + entering.premium)} times it"
        yield f"as a benchmark price: {'the benchmark itself' if level else on_it}"


def _surely(entering: BreakEven, found: WhyNot, unit: str) -> str:
    """Between which prices the true one lies."""
    today = entering.today if entering.today is not None else Decimal(1)
    low, high = (entering.low or Decimal(0)) * today, entering.high
    below = f"it is surely bought below {found.currency} {money(low)}{unit}" if low else "nothing is sure below"
    above = (
        f"surely not above {found.currency} {money(high * today)}{unit}"
        if high is not None
        else "nothing is sure above"
    )
    return f"{below}, and {above}"


def _beside_today(factor: Decimal, what: str) -> str:
    if abs(factor - 1) <= SHARE_PROVED:
        return f"that is today's {what}: it is as good as what it would replace"
    if factor >= 3:
        return f"{number(factor)} times today's {what}"
    return f"{percent(abs(factor - 1))} {'below' if factor < 1 else 'above'} today's {what}"


def _worth(entering: BreakEven, found: WhyNot) -> Iterator[str]:
    yield f"just below that price the cheapest plan buys {mass(entering.units)} of it"
    if entering.most_saved is not None:
        yield f"given for nothing, it would save {large_money(entering.most_saved, found.currency)}"


def _obstacles(found: WhyNot) -> Iterator[doc.Element]:
    rows: list[list[doc.Cell]] = []
    for place, one in enumerate(found.obstacles, 1):
        obstacle, lifted = one.obstacle, one.lifted
        rule = f" [{obstacle.rule}]" if obstacle.rule else ""
        uses = f" (for {', '.join(obstacle.end_uses)})" if obstacle.end_uses else ""
        clause = f" ({obstacle.clause})" if obstacle.clause and obstacle.clause not in obstacle.text else ""
        days = "".join(f". {_first_and_last(one)}" for one in obstacle.days)
        yield doc.sentence(f"{place}. {obstacle.kind}{rule}{uses}: {obstacle.text}{clause}{days}")
        if lifted is None:
            rows.append([f"{place}.", "no change of the case relaxes it", doc.NOTHING, doc.NOTHING, doc.NOTHING])
        else:
            rows.append([f"{place}.", _words(lifted), _gives(lifted), _saving(lifted.saves), _saving(lifted.own)])
    columns = [doc.figures("#"), doc.Column("Relaxed alone"), doc.figures("It would give")]
    columns += [doc.Column("Saving", found.currency, "right"), doc.Column("of that its own", align="right")]
    rungs = [
        rung(f"{place}. {one.obstacle.kind}", one.lifted.saves, found.currency, _words(one.lifted), doc.Tone.GOOD)
        for place, one in enumerate(found.obstacles, 1)
        if one.lifted is not None and one.lifted.saves is not None
    ]
    told = f"What the plan saves if one obstacle is relaxed and all others stay, in {found.currency}."
    yield doc.apart(ladder("What relaxing each obstacle saves", told, rungs, found.currency, doc.table(columns, rows)))


def _first_and_last(days: BarredDays) -> str:
    """Return the first and the last day of a prohibition in words."""
    first = f"First day {days.start}" if days.start else "No first day is stated"
    return f"{first}, {f'last day {days.end}' if days.end else 'no last day is set'}"


def _lifted(lifted: Relaxed, found: WhyNot) -> Iterator[str]:
    saves = written(_saving(lifted.saves))
    money_saved = saves if saves == "nothing" else f"{found.currency} {saves}"
    yield f"{_words(lifted)}: it would give {written(_gives(lifted))} and save {money_saved}"
    if lifted.own is not None and lifted.saves is not None and abs(lifted.own.value - lifted.saves.value) >= 1:
        yield f"without it the plan would then cost {found.currency} {written(_saving(lifted.own))} more; the rest is due to others let in too"


def _gives(lifted: Relaxed) -> doc.Cell:
    return doc.Kilograms(lifted.gives_kg) if lifted.gives_kg else "nothing"


def _saving(found: Difference | None) -> doc.Cell:
    if found is None:
        return "rules conflict"
    return "nothing" if found.proved and abs(found.value) < 1 else difference(found)


def _words(lifted: Relaxed) -> str:
    return " and ".join(change_words(change) for change in lifted.changes)


def change_words(change: Change) -> str:
    """What a change that relaxes an obstacle makes of the case, in words."""
    if change.disable:
        return f"without {change.disable} altogether"
    if change.grant:
        return f"with a licence under {change.grant}"
    if change.prove:
        return "with its origins proved"
    if change.lift is not None:
        return f"without {change.lift.value}"
    if change.amount is not None:
        return f"at a price of {number(change.amount)}"
    if change.price:
        return f"at {number(change.factor or Decimal(0))} times its price"
    rate = f" at {number(change.per_year)} kg a year" if change.per_year is not None else ""
    sooner = " from the start" if change.delay is not None else ""
    return f"with {change.capacity} {change.status.value if change.status else 'as stated'}{rate}{sooner}"
