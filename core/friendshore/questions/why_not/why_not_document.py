"""Why an offer isn't in the plan, as a document: its break-even price, its obstacles, and the value of relaxing them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from ...document import charts
from ...document import elements as doc
from ...document.figures import BLANK, large_money, mass, money, number, percent, rounded_money, signed
from ...domain.change import Change
from ...explain.break_even import BreakEven
from ...explain.eligibility import BarredDays
from ...explain.results import SHARE_PROVED
from ..wording import effort, ladder, mass_of, penalty, short_texts
from .find_why_not import Relaxed, WhyNot

_STATES = {
    "in the plan": "is in the plan",
    "not bought": "may be bought, and is not",
    "kept out": "is kept out",
    "not wanted": "delivers nothing that the case wants",
}


def why_not_document(found: WhyNot) -> doc.Document:
    """Return the state of the offer, its price, its obstacles, and the effort of the search."""
    names = found.names
    materials = ", ".join(map(names.material_with_id, found.materials))
    by = "" if found.supplier in (found.facility, found.offer) else f", {found.supplier}"
    head = f"{found.facility}{by}, {found.country} ({found.offer}): {materials}. It {_STATES[found.state]}."
    bought = doc.notes(
        f"the plan buys {mass_of(names, one.material, one.kilograms, equal=True)} of {names.material(one.material)} for {one.place}"
        for one in found.bought
    )
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
    """Yield the cost of a kilogram with its inputs, if the offer takes any."""
    if not found.made_from or found.state == "not wanted":
        return
    inputs, price = ", ".join(map(found.names.material, found.made_from)), found.full_price
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
    """Return the price in sentences: its value, its distance from today's, and its assumptions."""
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
    """Return the bounds of the true price."""
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
    yield f"just below that price the cheapest plan buys {_mass(found, entering.units)} of it"
    if entering.most_saved is not None:
        saved = rounded_money(entering.most_saved, found.currency)
        yield f"given for nothing, it would save about {saved} of present value, penalties included"


def _mass(found: WhyNot, kilograms: Decimal) -> str:
    """Return kilograms of the offer. With several goods, the weighed substance is omitted."""
    return mass_of(found.names, found.materials[0], kilograms) if len(found.materials) == 1 else mass(kilograms)


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
            rows.append([f"{place}.", "no change of the case relaxes it", *[doc.NOTHING] * 4])
        else:
            rows.append([f"{place}.", _words(lifted), _gives(lifted, found), *_adds(lifted, found)])
    columns = [doc.figures("#"), doc.Column("Relaxed alone"), doc.figures("It would give")]
    columns += [
        doc.Column("Cash", found.currency, "right"),
        doc.Column("Short of more"),
        doc.Column("Penalty", align="right"),
    ]
    rungs = [
        charts.Rung(
            f"{place}. {one.obstacle.kind}",
            adds.cash,
            f"{large_money(adds.cash, found.currency)}, {_words(one.lifted)}",
        )
        for place, one in enumerate(found.obstacles, 1)
        if one.lifted is not None and (adds := one.lifted.adds) is not None
    ]
    told = (
        f"Cash that the plan spends more, or less, if one obstacle is relaxed and all others stay, in {found.currency}."
    )
    title = "Cash that relaxing each obstacle adds"
    yield doc.apart(
        ladder(title, told, rungs, found.currency, doc.table(columns, rows)),
        doc.notes(
            f"{place}. {_own_part(one.lifted, found)}"
            for place, one in enumerate(found.obstacles, 1)
            if _has_others(one.lifted)
        ),
    )


def _adds(lifted: Relaxed, found: WhyNot) -> list[doc.Cell]:
    """Return cash, shortage, and penalty after relaxing an obstacle, with a question mark if the plan isn't proved the cheapest."""
    adds, saves = lifted.adds, lifted.saves
    if adds is None or saves is None:
        return ["rules conflict", doc.NOTHING, doc.NOTHING]
    amount = signed(adds.cash)
    short = "; ".join(short_texts(found.names, adds.short_kg))
    return [amount if saves.proved else f"{amount} ?", short or doc.NOTHING, penalty(adds.penalty)]


def _has_others(lifted: Relaxed | None) -> bool:
    """Return True if relaxing an obstacle also admits other offers, and they save a part."""
    if lifted is None or lifted.own is None or lifted.saves is None:
        return False
    return abs(lifted.own.value - lifted.saves.value) >= 1


def _own_part(lifted: Relaxed | None, found: WhyNot) -> str:
    assert lifted is not None
    assert lifted.own is not None
    assert lifted.saves is not None
    own, whole = (rounded_money(each.value, found.currency) for each in (lifted.own, lifted.saves))
    return f"About {own} of the {whole} saved (present value, penalties included) is due to this offer; the rest is due to others let in too"


def _first_and_last(days: BarredDays) -> str:
    first = f"First day {days.start}" if days.start else "No first day is stated"
    return f"{first}, {f'last day {days.end}' if days.end else 'no last day is set'}"


def _lifted(lifted: Relaxed, found: WhyNot) -> Iterator[str]:
    head = f"{_words(lifted)}: it would give {_gives(lifted, found)}"
    if lifted.adds is None:
        yield f"{head}, and rules would conflict"
        return
    short = "; ".join(short_texts(found.names, lifted.adds.short_kg))
    cash = signed(lifted.adds.cash)
    parts = [
        f"cash {found.currency} {cash}" if cash != BLANK else "no more cash",
        f"short of {short}" if short else "nothing more short",
    ]
    yield f"{head}; {', '.join(parts)}"
    if _has_others(lifted):
        yield _own_part(lifted, found)


def _gives(lifted: Relaxed, found: WhyNot) -> str:
    return _mass(found, lifted.gives_kg) if lifted.gives_kg else "nothing"


def _words(lifted: Relaxed) -> str:
    return " and ".join(change_words(change) for change in lifted.changes)


def change_words(change: Change) -> str:
    """Return the effect of a relaxing change on the case, in words."""
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
