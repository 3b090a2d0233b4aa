"""Alternatives as a document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Literal

from ...document import charts
from ...document import elements as doc
from ...document.figures import (
    BLANK,
    count,
    large_money,
    mass,
    money,
    number,
    percent,
    rounded_money,
    signed,
    unit_for,
    written,
)
from ...domain.base import grouped
from ...domain.countries import country_in_text, country_name
from ...domain.shown_names import ShownNames
from ...explain.break_even import BreakEven
from ...explain.results import CENT
from ..wording import (
    ESTIMATED,
    cash,
    conversions,
    effort,
    full_price,
    ladder,
    mass_of,
    not_proved,
    omitted_note,
    penalty,
    ranked,
    rise,
    short_cell,
    short_texts,
    weighed,
)
from .find_alternatives import Alternative, Alternatives, MaterialMix, StageCheck, UsageShare, costs_nothing, unused

SHOWN = 12
_MIN_WIDTH_FOR_SHORTAGE = 80
_MAX_ID_LENGTH = 30
_OBSTACLE_WORDS: Mapping[str, tuple[str, str]] = {
    "figure": ("lacks figures", "lack figures"),
    "capacity": ("lacks capacity", "lack capacity"),
    "dates": ("wrong dates", "wrong dates"),
    "time": ("too late", "too late"),
    "inputs": ("lacks inputs", "lack inputs"),
    "license": ("lacks a license", "lack a license"),
    "unproven": ("unproven", "unproven"),
    "forbidden": ("prohibited", "prohibited"),
}
"""Kind of obstacle -> words after the number of offers, 1 and more."""
_EXCLUDED_BY: Mapping[str, str] = {
    "license": "no license for",
    "unproven": "origin not proved for",
    "forbidden": "prohibited by",
}


def alternatives_document(answer: Alternatives, shown: int = SHOWN) -> doc.Document:
    """Return every material with the first `shown` offers, or all for 0. A screen has a row for each of several materials."""
    used_from = percent(answer.used_from)
    terms = [
        f"An offer counts as used if it delivers {used_from} of a material's demand, or everything that it can if that is less. Cash and shortage "
        "are what the cheapest plan that uses it adds to the recommended plan. Penalties for shortage aren't cash. Offers are ranked by present "
        "value, penalties included.",
        f"The usage range is the smallest and largest share of demand that it delivers in plans that cost up to {percent(answer.within)} of the spend "
        "more. It is used in all of them (`must`), some (`may`), or none (`never`).",
    ]
    if answer.ranked_objectives:
        terms.append(
            "The case ranks objectives. Every plan here keeps those before cost. Its cost isn't proved unless stated."
        )
    by_material = grouped((offer.material, offer) for offer in answer.offers)
    materials = [(mix, by_material.get(mix.material, [])) for mix in answer.materials]
    note = conversions(answer.names, by_material)
    terms += [note] if note else []
    sections = [
        doc.section(
            _title(mix, answer),
            doc.notes(_break_even(mix, offers, answer)),
            *_material_parts(offers, answer, shown),
            doc.notes(_allowed_increase(mix, answer)),
        )
        for mix, offers in materials
    ]
    whole = (*sections, doc.apart(doc.notes(terms, doc.Tone.ASIDE)), doc.for_whole(effort(answer.effort)))
    title = "Alternative offers"
    if len(materials) == 1:
        return doc.document(title, doc.answer(_material_answer(*materials[0], answer.names)), *whole)
    overview = (doc.for_screen(part) for part in _overview(materials, answer))
    return doc.document(title, *(doc.for_whole(part) for part in whole), *overview)


def _material_answer(mix: MaterialMix, offers: Sequence[Alternative], names: ShownNames) -> str:
    name, alternatives = names.material(mix.material), len(unused(offers))
    bought = sum(1 for offer in offers if offer.plan_kg)
    excluded = sum(map(_is_excluded, offers))
    if alternatives:
        text = f"{name} could come from {count(alternatives, 'offer')} that the plan doesn't use."
    elif bought:
        text = f"{name} has no alternative to the {count(bought, 'offer')} that the plan uses."
    else:
        text = f"No offer of {name} can be used."
    return f"{text} {count(excluded, 'more offer is', 'more offers are')} excluded." if excluded else text


def _title(mix: MaterialMix, answer: Alternatives) -> str:
    demand_text = mass_of(answer.names, mix.material, mix.wanted_kg, equal=True)
    text = f"{answer.names.material_with_id(mix.material)}: {demand_text} {'bought for makers' if mix.for_makers else 'wanted'}"
    text += f", {mass_of(answer.names, mix.material, mix.short_kg)} short" if mix.short_kg else ""
    text += f", {mass_of(answer.names, mix.material, mix.today_kg)} at today's rates" if mix.today_kg else ""
    return f"{text}; rules conflict, nothing is planned" if mix.allowed_increase is None else text


def _allowed_increase(mix: MaterialMix, answer: Alternatives) -> Iterator[str]:
    if mix.allowed_increase is not None and mix.allowed_increase >= CENT:
        shared = (
            f", shared with {', '.join(map(answer.names.material, mix.with_materials))}" if mix.with_materials else ""
        )
        allowed = rounded_money(mix.allowed_increase, answer.currency)
        yield f"usage ranges allow {percent(answer.within)} of the spend more: up to {allowed} of present value{shared}"


def _break_even(mix: MaterialMix, offers: Sequence[Alternative], answer: Alternatives) -> Iterator[str]:
    price, offer = mix.next_price, next((entry for entry in offers if entry.offer == mix.next_offer), None)
    if offer is None or price is None or price.outcome != "price" or price.price is None or price.current_price is None:
        return
    effect = "every cheapest plan buys it" if price.proved else "a plan that buys it is cheaper (not proved)"
    fee, today = ("a fee of ", "Current fee") if offer.made_from else ("", "Current price")
    with_inputs = f", with inputs {full_price(offer.full_price)}" if offer.made_from else ""
    name = answer.names.offer_with_id(mix.next_offer)
    yield f"next best is {name}. Below {fee}{answer.currency} {money(price.price)}, {effect}. {today}: {money(price.current_price)}{with_inputs}"


def _material_parts(offers: Sequence[Alternative], answer: Alternatives, shown: int) -> Iterator[doc.Element | None]:
    usable = [offer for offer in offers if offer.rank is not None or not offer.in_time]
    shown_offers = usable[: shown or None]
    if shown_offers:
        unit = unit_for(kg for offer in shown_offers for kg in (offer.today_kg, offer.plan_kg))
        unit_of = f"{unit} {answer.names.basis(shown_offers[0].material)}".rstrip()
        choice = doc.table(
            _offer_columns(unit_of, answer), [_offer_cells(offer, unit, answer) for offer in shown_offers]
        )
        description = f"Additional cash of the cheapest plan that uses an offer, compared with the recommended plan, in {answer.currency}."
        rungs = [_rung(offer, answer) for offer in shown_offers]
        has_makers = any(offer.made_from for offer in shown_offers)
        title = f"{answer.names.material(shown_offers[0].material)}: cash that using each offer adds"
        yield ladder(title, description, rungs, answer.currency, choice, _KEY)
        yield doc.apart(
            doc.table(
                _cost_columns(answer, has_makers), [_cost_cells(offer, answer, has_makers) for offer in shown_offers]
            ),
            doc.notes(_notes(shown_offers, len(usable))),
        )
    else:
        yield doc.sentence("no offer can be used")
    yield from _compliance(shown_offers, answer.names)
    yield from _excluded(answer.names, [offer for offer in offers if offer.rank is None and offer.in_time], shown)


_KEY = ((doc.Tone.PLAIN, "in the plan"), (doc.Tone.ASIDE, "not in the plan"))


def _rung(offer: Alternative, answer: Alternatives) -> charts.Rung:
    name = answer.names.offer(offer.offer)
    if offer.rise is None or offer.cash is None:
        return charts.Rung(name, None, "not found in time", doc.Tone.DOUBTFUL)
    role = f"{offer.share.role} be used" if offer.share is not None else ""
    short = ", ".join(short_texts(answer.names, offer.short_kg))
    doubt = "" if offer.rise.proved else "not proved"
    parts = filter(None, (large_money(offer.cash, answer.currency), role, short and f"short: {short}", doubt))
    tone = doc.Tone.DOUBTFUL if doubt else doc.Tone.PLAIN if offer.plan_kg else doc.Tone.ASIDE
    return charts.Rung(name, offer.cash, ", ".join(parts), tone)


def _offer_columns(unit: str, answer: Alternatives) -> list[doc.Column]:
    columns = [doc.figures("#"), doc.Column("Offer"), doc.Column("From")]
    columns += [doc.figures("Today", unit)] if _has_current_suppliers(answer) else []
    columns += [doc.figures("Plan", unit), doc.Column("Usage range")]
    columns += [doc.Column("Cash", answer.currency, "right"), doc.figures("Present value")]
    if any(offer.short_kg for offer in answer.offers):
        columns += [doc.Column("Added shortage"), doc.Column("Penalty", align="right")]
    return columns


def _has_current_suppliers(answer: Alternatives) -> bool:
    return any(mix.today_kg for mix in answer.materials)


def _offer_cells(offer: Alternative, unit: Literal["kg", "t"], answer: Alternatives) -> list[doc.Cell]:
    in_plan = costs_nothing(offer)
    cash_cell = "in the plan" if in_plan and offer.plan_kg >= offer.used_from_kg else cash_added(offer)
    short: list[doc.Cell] = []
    if any(other.short_kg for other in answer.offers):
        short = [
            "; ".join(short_texts(answer.names, offer.short_kg)) or doc.NOTHING,
            penalty(offer.penalty or Decimal(0)),
        ]
    mark = " ~" if offer.tied and not in_plan else ""
    rank = f"{offer.rank or BLANK}{mark}"
    masses = (offer.today_kg, offer.plan_kg) if _has_current_suppliers(answer) else (offer.plan_kg,)
    return [
        rank,
        answer.names.offer_with_id(offer.offer),
        _where_from(offer),
        *(doc.Kilograms(kg, unit, bare=True) for kg in masses),
        _range_cell(offer.share),
        cash_cell,
        doc.NOTHING if costs_nothing(offer) or offer.spent is None else doc.Amount(offer.spent, form="signed"),
        *short,
    ]


def cash_added(offer: Alternative) -> doc.Cell:
    if offer.rise is None or offer.cash is None:
        return "not found in time"
    if costs_nothing(offer):
        return "nothing"
    return cash(offer.cash, signed=True) if offer.rise.proved else f"{signed(offer.cash)} ?"


def _where_from(offer: Alternative) -> str:
    codes = dict.fromkeys(country for check in offer.checks for country in check.countries)
    return ", ".join(map(country_name, codes or [offer.country]))


def _range_cell(share: UsageShare | None) -> doc.Cell:
    if share is None:
        return doc.NOTHING
    open_ends = share.max_bound - share.max > Decimal("0.001") or share.min - share.min_bound > Decimal("0.001")
    bounds = f" (surely within {percent(share.min_bound)} and {percent(share.max_bound)})" if open_ends else ""
    return f"{_share_text(share.min)} to {_share_text(share.max)}, {share.role}{bounds}"


def _share_text(share: Decimal) -> str:
    return percent(share) if share >= Decimal("0.00001") else "0"


def _cost_columns(answer: Alternatives, has_makers: bool) -> list[doc.Column]:
    columns = [doc.Column("Offer"), doc.figures("Price")]
    columns += [
        doc.Column(part, align="right", whole=True, from_width=doc.MEDIUM) for part in ("Duties", "Freight", "Once")
    ]
    columns += [
        doc.figures("", f"{answer.currency}/kg"),
        *([doc.Column("Full price", align="right")] if has_makers else []),
        doc.figures("Could supply"),
        doc.figures("From"),
        doc.figures("Lead"),
    ]
    return [*columns, doc.Column("Evidence")]


def _cost_cells(offer: Alternative, answer: Alternatives, has_makers: bool) -> list[doc.Cell]:
    cost = offer.landed
    money_cells: list[doc.Cell] = [doc.NOTHING] * 5
    if cost is not None:
        listed = cost.price + cost.discounts
        parts = (listed, cost.charges, cost.freight, cost.one_off)
        total = f"fee {money(cost.total)}" if offer.made_from else _with_status(offer, cost.total)
        money_cells = [*(doc.Amount(part) if part else doc.NOTHING for part in parts), total]
    supply_share = "no limit" if offer.max_share is None else doc.Share(offer.max_share)
    qualification = offer.qualification_months or Decimal(0)
    lead = number(offer.lead_months or Decimal(0)) + (f"+{number(qualification)}" if qualification else "")
    full_price_cells = [_full_price_cell(offer)] if has_makers else []
    return [
        answer.names.offer(offer.offer),
        *money_cells,
        *full_price_cells,
        supply_share,
        offer.first_delivery or doc.NOTHING,
        f"{lead} mo",
        offer.confidence,
    ]


def _notes(shown_offers: Sequence[Alternative], usable: int) -> list[str]:
    notes = []
    if any(offer.made_from for offer in shown_offers):
        notes.append(
            "A fee is a maker's own price. The full price adds all inputs but no one-off costs. It is traced through the plan if the plan buys "
            "the offer. Otherwise it is marginal, with the cheapest admissible inputs."
        )
    notes += [f"?: the present value, penalties included, isn't proved: {rise}" for rise in _unproved(shown_offers)]
    if any(offer.tied and offer.rise is not None and abs(offer.rise.value) >= 1 for offer in shown_offers):
        notes.append("~: it isn't proved that the next offer is more expensive to use")
    notes += _duty_notes(shown_offers)
    return notes + omitted_note(usable - len(shown_offers), "more offer", which=" that can be used")


def _unproved(shown_offers: Sequence[Alternative]) -> list[str]:
    doubtful = [(entry.offer, entry.rise) for entry in shown_offers if entry.rise is not None and not entry.rise.proved]
    return ["; ".join(f"{offer} {rise(difference)}" for offer, difference in doubtful)] if doubtful else []


def _compliance(shown_offers: Sequence[Alternative], names: ShownNames) -> Iterator[doc.Element | None]:
    rows = [
        [names.offer(offer.offer), check.end_use, *_check_cells(check)]
        for offer in shown_offers
        for check in _failing_checks(offer)
    ]
    clean_offers = grouped(
        (_unchecked_uses(offer), names.offer(offer.offer)) for offer in shown_offers if not _failing_checks(offer)
    )
    if rows:
        yield doc.apart(doc.table(map(doc.Column, ("Offer", "For", "Stage", "Found", "Rule and clause")), rows))
    yield doc.notes(
        f"no rule of origin covers {' and '.join(uses)}, so nothing is checked: {', '.join(offers)}"
        if uses
        else f"passes every rule in force for every use: {', '.join(offers)}"
        for uses, offers in clean_offers.items()
    )


def _unchecked_uses(offer: Alternative) -> tuple[str, ...]:
    return tuple(dict.fromkeys(check.end_use for check in offer.checks if check.result == "no rule"))


def _failing_checks(offer: Alternative) -> list[StageCheck]:
    return [check for check in offer.checks if check.result in ("fail", "unproven")]


def _check_cells(check: StageCheck) -> list[str]:
    where = f" in {' or '.join(map(country_in_text, check.countries))}" if check.countries else ""
    since = f", from {check.since}" if check.since else ""
    clause = f": {check.clause}" if check.clause else ""
    result = "prohibited" if check.result == "fail" else check.result
    return [f"{check.stage or 'the move'}{where}", result, f"{check.rule}{since}{clause}"]


def _excluded(names: ShownNames, excluded: Sequence[Alternative], shown: int) -> Iterator[doc.Element | None]:
    by_reason: dict[str, list[str]] = {}
    for offer in excluded:
        for obstacle in offer.obstacles:
            excluded_by = f"{_EXCLUDED_BY.get(obstacle.kind, obstacle.kind)} {names.rule(obstacle.rule)}"
            reason = excluded_by if obstacle.rule else obstacle.reason or obstacle.text
            name = names.offer_with_id(offer.offer)
            today = f" (today {mass(offer.today_kg)})" if offer.today_kg else ""
            by_reason.setdefault(reason, []).append(name + today)
    lines = [f"{reason}: {', '.join(dict.fromkeys(offers))}" for reason, offers in by_reason.items()]
    if lines:
        yield doc.sentence(f"Excluded: {count(len(excluded), 'offer')} (`why-not` shows what would have to change)")
        shown_lines = lines[: shown or None]
        yield doc.notes(shown_lines)
        yield doc.notes(omitted_note(len(lines) - len(shown_lines), "more reason"))


def _overview(
    materials: Sequence[tuple[MaterialMix, Sequence[Alternative]]], answer: Alternatives
) -> Iterator[doc.Element | None]:
    with_alternative = [(mix, offers, others) for mix, offers in materials if (others := unused(offers))]
    with_alternative.sort(
        key=lambda each: (_rise(each[2][0]) is None, _rise(each[2][0]) or Decimal(0), each[0].material)
    )
    without_alternative = [(mix, offers) for mix, offers in materials if not unused(offers)]
    yield doc.answer(_overview_answer(with_alternative, without_alternative))
    yield _table_of_alternatives(with_alternative, answer) if with_alternative else None
    yield _table_without_alternatives(without_alternative, answer.names) if without_alternative else None
    ranked_first = (
        ["the case ranks objectives, and every plan here keeps those before cost"] if answer.ranked_objectives else []
    )
    terms = (
        f"Cash and present value: added by the cheapest plan that uses the offer for {percent(answer.used_from)} of the demand, or for all that "
        f"it can deliver. Break-even: price in {answer.currency} per kilogram (or unit) below which every cheapest plan buys it."
    )
    if any(others[0].made_from for _, _, others in with_alternative):
        terms += " A fee is a maker's own price; the full price adds its inputs, or the cheapest admissible ones if marginal."
    yield doc.apart(
        not_proved(others[0].rise for _, _, others in with_alternative),
        doc.notes([*ranked_first, *_duty_notes(others[0] for _, _, others in with_alternative)]),
        doc.sentence(terms, tone=doc.Tone.ASIDE) if with_alternative else None,
        doc.sentence(
            "Next: ",
            *(doc.Phrase("friendshore alternatives CASE MATERIAL", code=True), " (every offer of a material), "),
            *(doc.Phrase("friendshore why-not CASE OFFER", code=True), " (what would have to change for an offer), "),
            *(doc.Phrase("--full", code=True), " (every table)"),
        ),
    )


def _overview_answer(
    with_alternative: Sequence[tuple[MaterialMix, Sequence[Alternative], Sequence[Alternative]]],
    without_alternative: Sequence[tuple[MaterialMix, Sequence[Alternative]]],
) -> str:
    others = len(without_alternative)
    materials = count(len(with_alternative) + others, "material")
    text = f"{len(with_alternative) or 'None'} of {materials} could come from an offer that the plan doesn't use."
    if not others or not with_alternative:
        return text
    short = sum(1 for mix, _ in without_alternative if mix.short_kg)
    of_these = f", and {short} of these {'is' if short == 1 else 'are'} short" if short else ""
    return f"{text} The other{'' if others == 1 else f' {others}'} {'has' if others == 1 else 'have'} no alternative{of_these}."


def _rise(offer: Alternative) -> Decimal | None:
    return None if offer.rise is None else offer.rise.value


def _table_of_alternatives(
    with_alternative: Sequence[tuple[MaterialMix, Sequence[Alternative], Sequence[Alternative]]], answer: Alternatives
) -> doc.Element:
    has_makers = any(others[0].made_from for _, _, others in with_alternative)
    short = any(others[0].short_kg for _, _, others in with_alternative)
    names = answer.names
    columns = [
        doc.Column("Alternative for"),
        doc.Column("Offer"),
        doc.Column("Country", from_width=doc.WIDE),
        doc.Column("Cash", answer.currency, "right", from_width=doc.SPARE),
        doc.Column("Present value", align="right", from_width=doc.MEDIUM),
        *([doc.Column("Added shortage", from_width=_MIN_WIDTH_FOR_SHORTAGE)] if short else []),
        doc.Column("Break-even", align="right", from_width=doc.NARROW),
        doc.Column("Today", align="right", from_width=doc.WIDE),
        *([doc.Column("Full price", align="right", from_width=doc.WIDE)] if has_makers else []),
    ]
    rows: list[list[doc.Cell]] = [
        [
            *(
                names.material(mix.material),
                _offer_name(names, others[0].offer),
                doc.Several((_where_from(others[0]),)),
            ),
            cash_added(others[0]),
            doc.NOTHING if others[0].spent is None else cash(others[0].spent, signed=True),
            *([short_cell(names, others[0].short_kg)] if short else []),
            *(
                _fee_cell(others[0], _break_even_cell(mix.next_price)),
                _fee_cell(others[0], _brief_today(mix.next_price)),
            ),
            *([_full_price_cell(others[0])] if has_makers else []),
        ]
        for mix, _, others in with_alternative
    ]
    return doc.apart(ranked(columns, rows, "more material", part=3))


def _offer_name(names: ShownNames, offer: str) -> doc.Cell:
    """Return the plant of an offer. Without one, return the id, which is never cut."""
    name = names.offer(offer)
    if name != offer:
        return doc.Several((name,))
    return offer if len(offer) <= _MAX_ID_LENGTH else doc.Several((offer,), one="offer")


def _break_even_cell(break_even: BreakEven | None) -> doc.Cell:
    if break_even is None or break_even.outcome not in ("price", "no price", "any price"):
        return doc.NOTHING
    if break_even.price is None:
        return (
            "none" if break_even.outcome == "no price" else "any" if break_even.outcome == "any price" else doc.NOTHING
        )
    return doc.Amount(break_even.price) if break_even.proved else f"{money(break_even.price)} ?"


def _brief_today(break_even: BreakEven | None) -> doc.Cell:
    return (
        doc.NOTHING if break_even is None or break_even.current_price is None else doc.Amount(break_even.current_price)
    )


def _fee_cell(offer: Alternative, price: doc.Cell) -> doc.Cell:
    return f"fee {written(price)}" if offer.made_from and isinstance(price, doc.Amount | str) else price


def _full_price_cell(offer: Alternative) -> doc.Cell:
    if offer.made_from:
        return full_price(offer.full_price) + (ESTIMATED if offer.full_price and offer.estimated_duty else "")
    return doc.NOTHING if offer.full_price is None else _with_status(offer, offer.full_price.full_price)


def _with_status(offer: Alternative, price: Decimal) -> doc.Cell:
    return f"{money(price)}{ESTIMATED}" if offer.estimated_duty else doc.Amount(price)


def _duty_notes(offers: Iterable[Alternative]) -> list[str]:
    return [f"duty estimated: {offer.estimated_duty}" for offer in offers if offer.estimated_duty]


def _is_excluded(offer: Alternative) -> bool:
    return offer.rank is None and offer.in_time


def _table_without_alternatives(
    without_alternative: Sequence[tuple[MaterialMix, Sequence[Alternative]]], names: ShownNames
) -> doc.Element:
    columns = [
        doc.Column("No alternative"),
        doc.Column("Short", align="right", from_width=doc.SPARE),
        doc.Column("Bought from", from_width=doc.NARROW),
        doc.Column("Excluded offers"),
    ]
    ordered = sorted(
        without_alternative, key=lambda each: (-each[0].shortage_penalty, -_spend(each[1]), each[0].material)
    )
    rows: list[list[doc.Cell]] = [
        [
            names.material(mix.material),
            weighed(names, mix.material, mix.short_kg) if mix.short_kg else doc.NOTHING,
            _bought_cell([offer for offer in offers if offer.plan_kg], names),
            _excluded_cell([offer for offer in offers if _is_excluded(offer)])
            if mix.allowed_increase is not None
            else "rules conflict",
        ]
        for mix, offers in ordered
    ]
    return doc.apart(ranked(columns, rows, "more material", part=2))


def _spend(offers: Sequence[Alternative]) -> Decimal:
    """Return about the spend on purchases of a material, inputs included."""
    return sum((offer.plan_kg * offer.full_price.full_price for offer in offers if offer.full_price), Decimal(0))


def _bought_cell(offers: Sequence[Alternative], names: ShownNames) -> doc.Cell:
    names_shown = [
        names.offer(offer.offer) for offer in sorted(offers, key=lambda offer: (-offer.plan_kg, offer.offer))
    ]
    return doc.Several(tuple(names_shown)) if names_shown else doc.NOTHING


def _excluded_cell(excluded: Sequence[Alternative]) -> doc.Cell:
    kinds = Counter(kind for offer in excluded for kind in {obstacle.kind for obstacle in offer.obstacles})
    texts = [
        count(number, *_OBSTACLE_WORDS.get(kind, (kind, kind)))
        for kind, number in sorted(kinds.items(), key=lambda each: (-each[1], each[0]))
    ]
    return doc.Several(tuple(texts)) if texts else "no offer is known"
