"""Document of the answer to `why-not`."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from ...document import charts
from ...document import elements as doc
from ...document.figures import BLANK, large_money, mass, money, number, percent, rounded_money, signed
from ...domain.change import Change
from ...domain.countries import country_in_text, country_name
from ...explain.break_even import BreakEven
from ...explain.eligibility import DaysInForce
from ...explain.results import SHARE_PROVED
from ..wording import ESTIMATED, effort, ladder, mass_of, penalty, short_texts
from .find_why_not import Relaxed, WhyNot

_STATES = {
    "in the plan": "is in the plan",
    "not bought": "may be bought, but isn't",
    "excluded": "is excluded",
    "not wanted": "delivers nothing that the case needs",
}
_OBSTACLES = {"license": "license needed under", "unproven": "origin not proved for", "forbidden": "prohibited by"}


def why_not_document(answer: WhyNot) -> doc.Document:
    names = answer.names
    materials = ", ".join(map(names.material_with_id, answer.materials))
    by = "" if answer.supplier in (answer.facility, answer.offer) else f", {answer.supplier}"
    country = country_name(answer.country)
    place = "" if country in answer.facility else f", {country}"
    head = f"{answer.facility}{by}{place} ({answer.offer}) {_STATES[answer.state]}. It offers {materials}."
    bought = doc.notes(
        f"the plan buys {mass_of(names, entry.material, entry.kilograms, equal=True)} of {names.material(entry.material)} for {country_in_text(entry.place)}"
        for entry in answer.bought
    )
    price, price_if_relaxed, together = answer.break_even, answer.break_even_relaxed, answer.together
    return doc.document(
        f"Why not {answer.offer}",
        doc.answer(head),
        bought,
        doc.notes(_full_price_notes(answer)),
        doc.notes([f"duty estimated: {answer.estimated_duty}"] if answer.estimated_duty else []),
        doc.section(_title(answer), doc.notes(_price_notes(price, answer))) if price is not None else None,
        doc.section("Obstacles", *_obstacle_parts(answer)) if answer.obstacles else None,
        doc.section("All obstacles relaxed", doc.notes(_relaxed_notes(together, answer)))
        if together is not None
        else None,
        doc.section(f"{_title(answer)} if relaxed", doc.notes(_price_notes(price_if_relaxed, answer)))
        if price_if_relaxed is not None
        else None,
        doc.for_whole(effort(answer.effort)),
    )


def _title(answer: WhyNot) -> str:
    return "Break-even fee" if answer.made_from else "Break-even price"


def _full_price_notes(answer: WhyNot) -> Iterator[str]:
    if not answer.made_from or answer.state == "not wanted":
        return
    inputs, price = ", ".join(map(answer.names.material, answer.made_from)), answer.full_price
    if price is None:
        reason = "the offer is excluded" if answer.state == "excluded" else f"no input is admissible ({inputs})"
        yield f"its own price is a fee that excludes inputs ({inputs}). It has no full price, because {reason}"
        return
    how = "in the plan" if price.how == "traced" else f"marginal, ordered in {price.ordered}"
    yield (
        f"its full price is {answer.currency} {money(price.full_price)}/kg{ESTIMATED if answer.estimated_duty else ''} ({how}): a fee of {money(price.own)} with duty and freight, and "
        f"{money(price.inputs)} for inputs ({inputs})"
    )


def _price_notes(break_even: BreakEven, answer: WhyNot) -> list[str]:
    if break_even.outcome == "no price":
        too_expensive = "freight, duties, inputs, and fixed costs alone exceed its value"
        reason = "it may not be bought" if answer.state == "excluded" else too_expensive
        return [f"at no price: even for free, it would save nothing ({reason})"]
    if break_even.outcome == "any price":
        return ["at any price: no plan follows the rules of the case without it"]
    if break_even.outcome == "conflict":
        return ["none: rules conflict here with or without it, so nothing is planned"]
    if break_even.outcome == "outranked":
        return ["at any price: an objective that the case ranks before cost is better with it"]
    if break_even.outcome == "paid":
        return ["none: its price is below zero. To see its effect at another price, change its price"]
    if break_even.outcome == "ranked":
        return ["none: the case ranks money before its last objective, or a level isn't proved"]
    if break_even.outcome == "not found" or break_even.factor is None:
        return ["not found: the plans aren't proved precisely enough"]
    return [*_break_even_notes(break_even, answer), *_effect_notes(break_even, answer)]


def _break_even_notes(break_even: BreakEven, answer: WhyNot) -> Iterator[str]:
    assert break_even.factor is not None
    assert break_even.price is not None
    noun = "fee" if answer.made_from else "price"
    unit = "/kg" if len(answer.materials) == 1 else " per unit"
    today = "" if break_even.current_price is None else f"{answer.currency} {money(break_even.current_price)}{unit}"
    price = f"{'a fee of ' if answer.made_from else ''}{answer.currency} {money(break_even.price)}{unit}"
    details = [f"in the last period {money(break_even.last_price)}"] if break_even.last_price is not None else []
    details += [f"{'assumed' if break_even.assumed else 'today'} {today}"] if today else []
    price += f" ({'; '.join(details)})" if details else ""
    if break_even.proved:
        yield f"below {price}, every cheapest plan buys it. Above, no plan is cheaper than without it"
    else:
        yield f"not proved: up to {price} in the plans found"
        yield _proved_bounds(break_even, answer, unit)
    if not break_even.assumed and break_even.factor < _MAX_COMPARED:
        yield _compared_with_today(break_even.factor, noun)
    if break_even.premium is not None:
        sign = "+" if break_even.premium >= 0 else "-"
        is_benchmark = abs(break_even.premium) <= SHARE_PROVED
        markup = f"{sign}{percent(abs(break_even.premium))} on it"
        if break_even.premium >= 2:
            markup = f"{number(1 + break_even.premium)} times it"
        yield f"as a benchmark price: {'the benchmark itself' if is_benchmark else markup}"


# Factor from which a percentage tells less than the two prices.
_MAX_COMPARED = 3


def _proved_bounds(break_even: BreakEven, answer: WhyNot, unit: str) -> str:
    today = break_even.current_price if break_even.current_price is not None else Decimal(1)
    low, high = (break_even.low or Decimal(0)) * today, break_even.high
    below = f"provably bought below {answer.currency} {money(low)}{unit}" if low else "no proved lower bound"
    above = (
        f"provably not bought above {answer.currency} {money(high * today)}{unit}"
        if high is not None
        else "no proved upper bound"
    )
    return f"{below}, {above}"


def _compared_with_today(factor: Decimal, noun: str) -> str:
    if abs(factor - 1) <= SHARE_PROVED:
        return f"that is today's {noun}, so it costs as much as what it would replace"
    return f"{percent(abs(factor - 1))} {'below' if factor < 1 else 'above'} today's {noun}"


def _effect_notes(break_even: BreakEven, answer: WhyNot) -> Iterator[str]:
    yield f"just below that price, the cheapest plan buys {_mass(answer, break_even.units)} of it"
    if break_even.max_saving is not None:
        saved = rounded_money(break_even.max_saving, answer.currency)
        yield f"if it were free, it would save about {saved} of present value, penalties included"


def _mass(answer: WhyNot, kilograms: Decimal) -> str:
    """Return kilograms of the offer. With several goods, the weighed substance is omitted."""
    return mass_of(answer.names, answer.materials[0], kilograms) if len(answer.materials) == 1 else mass(kilograms)


def _obstacle_parts(answer: WhyNot) -> Iterator[doc.Element]:
    rows: list[list[doc.Cell]] = []
    for position, entry in enumerate(answer.obstacles, 1):
        obstacle, lifted = entry.obstacle, entry.relaxed
        names, kind = answer.names, _OBSTACLES.get(obstacle.kind, obstacle.kind)
        rule = f" {names.rule_with_id(obstacle.rule)}" if obstacle.rule else ""
        uses = f" for {names.in_text(', '.join(obstacle.end_uses))}" if obstacle.end_uses else ""
        clause = f" ({obstacle.clause})" if obstacle.clause and obstacle.clause not in obstacle.text else ""
        period_texts = "".join(f". {_first_and_last(days)}" for days in obstacle.days)
        yield doc.sentence(
            f"{position}. {kind}{rule}{uses}: {names.in_text(obstacle.text)}{clause}{period_texts} ({obstacle.code})"
        )
        if lifted is None:
            rows.append([f"{position}.", "no change of the case relaxes it", *[doc.NOTHING] * 4])
        else:
            rows.append(
                [f"{position}.", _change_texts(lifted), _gained_mass(lifted, answer), *_effect_cells(lifted, answer)]
            )
    columns = [doc.figures("#"), doc.Column("If only this is relaxed"), doc.figures("Supply")]
    columns += [
        doc.figures("Cash", answer.currency),
        doc.Column("Added shortage"),
        doc.figures("Penalty"),
    ]
    rungs = [
        charts.Rung(
            f"{position}. {entry.obstacle.kind}",
            adds.cash,
            f"{large_money(adds.cash, answer.currency)}, {_change_texts(entry.relaxed)}",
        )
        for position, entry in enumerate(answer.obstacles, 1)
        if entry.relaxed is not None and (adds := entry.relaxed.adds) is not None
    ]
    description = f"Additional cash of the plan, in {answer.currency}, if one obstacle is relaxed and all others stay. Negative for savings."
    title = "Cash that relaxing each obstacle adds"
    yield doc.apart(
        ladder(title, description, rungs, answer.currency, doc.table(columns, rows)),
        doc.notes(
            f"{position}. {_own_part(entry.relaxed, answer)}"
            for position, entry in enumerate(answer.obstacles, 1)
            if _has_others(entry.relaxed)
        ),
    )


def _effect_cells(relaxed: Relaxed, answer: WhyNot) -> list[doc.Cell]:
    adds, saves = relaxed.adds, relaxed.saving
    if adds is None or saves is None:
        return ["rules conflict", doc.NOTHING, doc.NOTHING]
    amount = signed(adds.cash)
    short = "; ".join(short_texts(answer.names, adds.short_kg))
    return [amount if saves.proved else f"{amount} ?", short or doc.NOTHING, penalty(adds.penalty)]


def _has_others(relaxed: Relaxed | None) -> bool:
    if relaxed is None or relaxed.own is None or relaxed.saving is None:
        return False
    return relaxed.saving.value - relaxed.own.value >= 1


def _own_part(relaxed: Relaxed | None, answer: WhyNot) -> str:
    assert relaxed is not None
    assert relaxed.own is not None
    assert relaxed.saving is not None
    own, whole = (rounded_money(each.value, answer.currency) for each in (relaxed.own, relaxed.saving))
    return f"About {own} of the {whole} saved (present value, penalties included) is due to this offer, the rest to other offers admitted with it"


def _first_and_last(days: DaysInForce) -> str:
    first = f"First day {days.start}" if days.start else "No first day"
    return f"{first}, {f'last day {days.end}' if days.end else 'no last day'}"


def _relaxed_notes(relaxed: Relaxed, answer: WhyNot) -> Iterator[str]:
    head = f"{_change_texts(relaxed)}: it would give {_gained_mass(relaxed, answer)}"
    if relaxed.adds is None:
        yield f"{head}, and rules would conflict"
        return
    short = "; ".join(short_texts(answer.names, relaxed.adds.short_kg))
    cash = signed(relaxed.adds.cash)
    parts = [
        f"cash {answer.currency} {cash}" if cash != BLANK else "no added cash",
        f"added shortage: {short}" if short else "no added shortage",
    ]
    yield f"{head}. Effect: {', '.join(parts)}"
    if _has_others(relaxed):
        yield _own_part(relaxed, answer)


def _gained_mass(relaxed: Relaxed, answer: WhyNot) -> str:
    return _mass(answer, relaxed.bought_kg) if relaxed.bought_kg else "nothing"


def _change_texts(relaxed: Relaxed) -> str:
    return " and ".join(change_words(change) for change in relaxed.changes)


def change_words(change: Change) -> str:
    if change.disable:
        return f"without {change.disable}"
    if change.grant:
        return f"with a license under {change.grant}"
    if change.prove:
        return "with its origins proved"
    if change.lift is not None:
        return f"without {change.lift.value}"
    if change.amount is not None:
        return f"at a price of {number(change.amount)}"
    if change.price:
        return f"at {number(change.factor or Decimal(0))} times its price"
    rate = f" at {number(change.per_year)} kg a year" if change.per_year is not None else ""
    earlier = " from the start" if change.delay is not None else ""
    return f"with {change.capacity} {change.status.value if change.status else 'as stated'}{rate}{earlier}"
