"""Alternatives as a document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
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
from ...domain.shown_names import ShownNames
from ...explain.break_even import BreakEven
from ..wording import (
    conversions,
    effort,
    full_price,
    ladder,
    left_out,
    mass_of,
    not_proved,
    penalty,
    ranked,
    rise,
    short_cell,
    short_texts,
    weighed,
)
from .find_alternatives import Alternative, Alternatives, MaterialMix, StageCheck, UsageShare, costs_nothing, unused

SHOWN = 12
"""Default number of offers shown of each material."""
_SHORT_FROM = 80
"""Minimum characters of a line of a screen that shows the added shortage."""
_LONG = 30
"""Length from which on an identifier that doesn't fit is counted instead."""
_KEPT_OUT = {"figure": "no figure", "unproven": "not proved", "licence": "no licence"}
"""Words for kinds of obstacles, if not their names."""


def alternatives_document(found: Alternatives, shown: int = SHOWN) -> doc.Document:
    """Return every material with its offers. Each table has the first `shown` rows, or all for 0.

    On a screen of several materials, each is a row with its cheapest alternative.
    """
    used = percent(found.used_from)
    head = [
        f"An offer is used from {used} of a material's demand on, or from all that it can give if that is less. Cash and shortage are what the "
        "cheapest plan that uses it adds to the recommended one. Penalties for shortage are not cash. Offers are ranked by present value, penalties included.",
        f"Its share is the least and the most of the demand that it delivers in plans that cost up to {percent(found.within)} of the money spent more: "
        "`must` in all of them, `may` in some, `never` in none.",
    ]
    if found.ranked_objectives:
        head.append(
            "The case ranks objectives: every plan here keeps those before cost, and what it costs is not proved unless said."
        )
    by_material = grouped((one.material, one) for one in found.offers)
    materials = [(mix, by_material.get(mix.material, [])) for mix in found.materials]
    note = conversions(found.names, by_material)
    head += [note] if note else []
    sections = [
        doc.section(_title(mix, found), doc.notes(_next(mix, offers, found)), *_material(offers, found, shown))
        for mix, offers in materials
    ]
    whole = (doc.notes(head), *sections, effort(found.effort))
    title = "Who else could deliver"
    if len(materials) == 1:
        return doc.document(title, *whole)
    overview = (doc.for_screen(part) for part in _overview(materials, found))
    return doc.document(title, *(doc.for_whole(part) for part in whole), *overview)


def _title(mix: MaterialMix, found: Alternatives) -> str:
    wanted = mass_of(found.names, mix.material, mix.wanted_kg, equal=True)
    text = (
        f"{found.names.material_with_id(mix.material)}: {wanted} {'bought for makers' if mix.for_makers else 'wanted'}"
    )
    text += f", {mass_of(found.names, mix.material, mix.short_kg)} short" if mix.short_kg else ""
    text += f", {mass_of(found.names, mix.material, mix.today_kg)} at today's rates" if mix.today_kg else ""
    return f"{text}; rules conflict, nothing is planned" if mix.allowed is None else text


def _next(mix: MaterialMix, offers: Sequence[Alternative], found: Alternatives) -> Iterator[str]:
    """Yield the break-even price of the next offer, for a maker its fee and full price, and the allowed extra cost of plans."""
    yield from _break_even(mix, offers, found)
    if mix.allowed is not None:
        beside = (
            f", together with {', '.join(map(found.names.material, mix.with_materials))}" if mix.with_materials else ""
        )
        allowed = rounded_money(mix.allowed, found.currency)
        yield f"plans that cost up to {percent(found.within)} of the money spent more: up to {allowed} of present value{beside}"


def _break_even(mix: MaterialMix, offers: Sequence[Alternative], found: Alternatives) -> Iterator[str]:
    price, offer = mix.next_price, next((one for one in offers if one.offer == mix.next_offer), None)
    if offer is None or price is None or price.outcome != "price" or price.price is None or price.today is None:
        return
    sure = "every cheapest plan buys it" if price.proved else "a plan that buys it is cheaper, for all that is found"
    fee, today = ("a fee of ", "today the fee is") if offer.made_from else ("", "today it is")
    with_inputs = f"; with its inputs, {full_price(offer.full_price)}" if offer.made_from else ""
    named = found.names.offer_with_id(mix.next_offer)
    yield f"{named} comes next: below {fee}{found.currency} {money(price.price)} {sure}; {today} {money(price.today)}{with_inputs}"


def _material(offers: Sequence[Alternative], found: Alternatives, shown: int) -> Iterator[doc.Element | None]:
    usable = [one for one in offers if one.rank is not None or not one.in_time]
    kept = usable[: shown or None]
    if kept:
        unit = unit_for(kg for one in kept for kg in (one.today_kg, one.plan_kg))
        unit_of = f"{unit} {found.names.basis(kept[0].material)}".rstrip()
        choice = doc.table(_choice_columns(unit_of, found), [_choice(one, unit, found) for one in kept])
        told = (
            f"Cash that the cheapest plan that uses an offer spends more than the recommended one, in {found.currency}."
        )
        rungs = [_rung(one, found) for one in kept]
        made = any(one.made_from for one in kept)
        title = f"{found.names.material(kept[0].material)}: cash that using each offer adds"
        yield ladder(title, told, rungs, found.currency, choice)
        yield doc.apart(
            doc.table(_cost_columns(found, made), [_cost(one, found, made) for one in kept]),
            doc.notes(_notes(kept, len(usable))),
        )
    else:
        yield doc.sentence("no offer can be used")
    yield from _compliance(kept, found.names)
    yield from _kept_out(found.names, [one for one in offers if one.rank is None and one.in_time], shown)


def _rung(one: Alternative, found: Alternatives) -> charts.Rung:
    """Return the cash that using an offer adds as a bar, with the added shortage."""
    name = found.names.offer(one.offer)
    if one.rise is None or one.cash is None:
        return charts.Rung(name, None, "not found in time", doc.Tone.DOUBTFUL)
    role = f"{one.share.role} be used" if one.share is not None else ""
    short = ", ".join(short_texts(found.names, one.short_kg))
    doubt = "" if one.rise.proved else "not proved"
    told = filter(None, (large_money(one.cash, found.currency), role, short and f"short: {short}", doubt))
    tone = doc.Tone.DOUBTFUL if doubt else doc.Tone.GOOD if one.plan_kg else doc.Tone.PLAIN
    return charts.Rung(name, one.cash, ", ".join(told), tone)


def _choice_columns(unit: str, found: Alternatives) -> list[doc.Column]:
    columns = [doc.figures("#"), doc.Column("Offer"), doc.Column("From")]
    columns += [doc.figures("Today", unit)] if _today(found) else []
    columns += [doc.figures("Plan", unit), doc.Column("Usage range")]
    columns += [doc.Column("Cash", found.currency, "right"), doc.figures("Present value")]
    if any(one.short_kg for one in found.offers):
        columns += [doc.Column("Short of more"), doc.Column("Penalty", align="right")]
    return columns


def _today(found: Alternatives) -> bool:
    return any(mix.today_kg for mix in found.materials)


def _choice(one: Alternative, unit: Literal["kg", "t"], found: Alternatives) -> list[doc.Cell]:
    in_plan = costs_nothing(one)
    adds = "in the plan" if in_plan and one.plan_kg >= one.uses_kg else cash(one)
    short: list[doc.Cell] = []
    if any(each.short_kg for each in found.offers):
        short = ["; ".join(short_texts(found.names, one.short_kg)) or doc.NOTHING, penalty(one.penalty or Decimal(0))]
    mark = " ~" if one.level_with_next and not in_plan else ""
    rank = f"{one.rank or BLANK}{mark}"
    masses = (one.today_kg, one.plan_kg) if _today(found) else (one.plan_kg,)
    return [
        rank,
        found.names.offer_with_id(one.offer),
        _where_from(one),
        *(doc.Kilograms(kg, unit, bare=True) for kg in masses),
        _share(one.share),
        adds,
        doc.NOTHING if costs_nothing(one) or one.spent is None else doc.Amount(one.spent, form="signed"),
        *short,
    ]


def cash(one: Alternative) -> doc.Cell:
    """Return the cash that using an offer adds, with a question mark if its plan isn't proved the cheapest."""
    if one.rise is None or one.cash is None:
        return "not found in time"
    if costs_nothing(one):
        return "nothing"
    amount = signed(one.cash)
    return amount if one.rise.proved else f"{amount} ?"


def _where_from(one: Alternative) -> str:
    """Return the countries of all stages of an offer."""
    return "/".join(dict.fromkeys(c for check in one.checks for c in check.countries)) or one.country


def _share(share: UsageShare | None) -> doc.Cell:
    """Return the range of its share and its role. Unproved ends are marked."""
    if share is None:
        return doc.NOTHING
    open_ends = share.most_bound - share.most > Decimal("0.001") or share.least - share.least_bound > Decimal("0.001")
    unsure = f" (surely within {percent(share.least_bound)} and {percent(share.most_bound)})" if open_ends else ""
    return f"{_part(share.least)} to {_part(share.most)}, {share.role}{unsure}"


def _part(share: Decimal) -> str:
    return percent(share) if share >= Decimal("0.00001") else "0"


def _cost_columns(found: Alternatives, made: bool) -> list[doc.Column]:
    columns = [doc.Column("Offer"), doc.figures("Price")]
    columns += [
        doc.Column(part, align="right", whole=True, from_width=doc.MEDIUM) for part in ("Duties", "Freight", "Once")
    ]
    columns += [
        doc.figures("", f"{found.currency}/kg"),
        *([doc.Column("Full price", align="right")] if made else []),
        doc.figures("Could give"),
        doc.figures("From"),
        doc.figures("Lead"),
    ]
    return [*columns, doc.Column("Evidence")]


def _cost(one: Alternative, found: Alternatives, made: bool) -> list[doc.Cell]:
    cost = one.landed
    money_of: list[doc.Cell] = [doc.NOTHING] * 5
    if cost is not None:
        listed = cost.price + cost.discounts
        parts = (listed, cost.charges, cost.freight, cost.once)
        total = f"fee {money(cost.total)}" if one.made_from else doc.Amount(cost.total)
        money_of = [*(doc.Amount(part) if part else doc.NOTHING for part in parts), total]
    gives = "no limit" if one.could_give_share is None else doc.Share(one.could_give_share)
    wait = one.qualification_months or Decimal(0)
    lead = number(one.lead_months or Decimal(0)) + (f"+{number(wait)}" if wait else "")
    whole = [_full(one)] if made else []
    return [
        found.names.offer(one.offer),
        *money_of,
        *whole,
        gives,
        one.first_delivery or doc.NOTHING,
        f"{lead} mo",
        one.confidence,
    ]


def _notes(kept: Sequence[Alternative], usable: int) -> list[str]:
    told = []
    if any(one.made_from for one in kept):
        told.append(
            "A fee is what a maker asks. The full price adds all inputs: traced through the plan where it buys the offer, else marginal, "
            "with the cheapest admissible inputs. One-off cost is not in it."
        )
    told += [f"?: present value, penalties included, is not proved: {rise}" for rise in _unproved(kept)]
    if any(one.level_with_next and one.rise is not None and abs(one.rise.value) >= 1 for one in kept):
        told.append("~ for what is proved, the next may be as cheap to use")
    return told + left_out(usable - len(kept), "more offer", which=" that can be used")


def _unproved(kept: Sequence[Alternative]) -> list[str]:
    doubtful = [(one.offer, one.rise) for one in kept if one.rise is not None and not one.rise.proved]
    return ["; ".join(f"{offer} {rise(found)}" for offer, found in doubtful)] if doubtful else []


def _compliance(kept: Sequence[Alternative], names: ShownNames) -> Iterator[doc.Element | None]:
    """Yield the stages that fail, of usable offers. The others are summarized in one line."""
    rows = [[names.offer(one.offer), check.end_use, *_judged(check)] for one in kept for check in _against(one)]
    clean = grouped((_unasked(one), names.offer(one.offer)) for one in kept if not _against(one))
    if rows:
        yield doc.apart(doc.table(map(doc.Column, ("Offer", "For", "Stage", "Found", "Rule and clause")), rows))
    yield doc.notes(
        f"no rule of origin applies for {' and '.join(uses)}, and nothing is found for or against: {', '.join(offers)}"
        if uses
        else f"passes every rule in force for every use: {', '.join(offers)}"
        for uses, offers in clean.items()
    )


def _unasked(one: Alternative) -> tuple[str, ...]:
    return tuple(dict.fromkeys(check.end_use for check in one.checks if check.result == "no rule"))


def _against(one: Alternative) -> list[StageCheck]:
    return [check for check in one.checks if check.result in ("fail", "unproven")]


def _judged(check: StageCheck) -> list[str]:
    where = f" {'/'.join(check.countries)}" if check.countries else ""
    since = f", from {check.since}" if check.since else ""
    clause = f": {check.clause}" if check.clause else ""
    return [f"{check.stage or 'the move'}{where}", check.result, f"{check.rule}{since}{clause}"]


def _kept_out(names: ShownNames, out: Sequence[Alternative], shown: int) -> Iterator[doc.Element | None]:
    """Yield the reasons that exclude the others, with the offers that share each."""
    by_reason: dict[str, list[str]] = {}
    for one in out:
        for obstacle in one.obstacles:
            reason = f"{obstacle.kind} by {obstacle.rule}" if obstacle.rule else obstacle.reason or obstacle.text
            named = names.offer_with_id(one.offer)
            today = f" (today {mass(one.today_kg)})" if one.today_kg else ""
            by_reason.setdefault(reason, []).append(named + today)
    told = [f"{reason}: {', '.join(dict.fromkeys(offers))}" for reason, offers in by_reason.items()]
    if told:
        yield doc.sentence(f"Kept out: {count(len(out), 'offer')} (`why-not` says what each would have to become)")
        kept = told[: shown or None]
        yield doc.notes(kept)
        yield doc.notes(left_out(len(told) - len(kept), "more reason"))


def _overview(
    materials: Sequence[tuple[MaterialMix, Sequence[Alternative]]], found: Alternatives
) -> Iterator[doc.Element | None]:
    """Yield the materials that have another offer, the cheapest to use first, then those that have none."""
    able = [(mix, offers, others) for mix, offers in materials if (others := unused(offers))]
    able.sort(key=lambda each: (_rise(each[2][0]) is None, _rise(each[2][0]) or Decimal(0), each[0].material))
    unable = [(mix, offers) for mix, offers in materials if not unused(offers)]
    head = (
        f"{len(able)} of {count(len(materials), 'material')} can come from an offer of which the plan buys none. Break-even: the price in "
        f"{found.currency} a kilogram (or unit) below which every cheapest plan buys it. Cash and shortage: what the cheapest plan that uses "
        f"it for {percent(found.used_from)} of the demand, or for all that it can give, adds."
    )
    if any(others[0].made_from for _, _, others in able):
        head += (
            " A fee is a maker's own price; the full price adds its inputs, if marginal the cheapest admissible ones."
        )
    yield doc.sentence(head)
    yield _table_of_unused(able, found) if able else None
    yield _table_of_none(unable, found.names) if unable else None
    ranked_first = (
        ["the case ranks objectives: every plan here keeps those before cost"] if found.ranked_objectives else []
    )
    yield doc.apart(
        not_proved(others[0].rise for _, _, others in able),
        doc.notes(ranked_first),
        doc.sentence(
            *(doc.Phrase("--full", code=True), ": every offer, with price, usage range and rules; "),
            *(
                doc.Phrase("friendshore why-not CASE OFFER", code=True),
                ": what any other would have to cost, or to become",
            ),
        ),
    )


def _rise(one: Alternative) -> Decimal | None:
    return None if one.rise is None else one.rise.value


def _table_of_unused(
    able: Sequence[tuple[MaterialMix, Sequence[Alternative], Sequence[Alternative]]], found: Alternatives
) -> doc.Element:
    made = any(others[0].made_from for _, _, others in able)
    short = any(others[0].short_kg for _, _, others in able)
    names = found.names
    columns = [
        doc.Column("Material"),
        doc.Column("Alternative"),
        doc.Column("From", from_width=doc.WIDE),
        doc.Column("Break-even", align="right"),
        doc.Column("today", align="right", from_width=doc.WIDE),
        *([doc.Column("Full price", align="right", from_width=doc.NARROW)] if made else []),
        doc.Column("Cash", found.currency, "right", from_width=doc.NARROW),
        doc.Column("Discounted", align="right", from_width=doc.NARROW),
        *([doc.Column("Short of more", from_width=_SHORT_FROM)] if short else []),
        doc.Column("for", align="right", from_width=doc.WIDE),
        doc.Column("Others", align="right", from_width=doc.WIDE),
        doc.Column("Kept out", align="right", from_width=doc.WIDE),
    ]
    rows: list[list[doc.Cell]] = [
        [
            *(names.label(mix.material), _named(names, others[0].offer), _where_from(others[0])),
            *(_fee(others[0], _price(mix.next_price)), _fee(others[0], _brief_today(mix.next_price))),
            *([_full(others[0])] if made else []),
            cash(others[0]),
            doc.NOTHING if others[0].spent is None else doc.Amount(others[0].spent, form="signed"),
            *([short_cell(names, others[0].short_kg)] if short else []),
            weighed(names, mix.material, others[0].uses_kg),
            doc.Count(len(others) - 1) if others[1:] else doc.NOTHING,
            doc.Count(out) if (out := sum(map(_is_out, offers))) else doc.NOTHING,
        ]
        for mix, offers, others in able
    ]
    return doc.apart(ranked(columns, rows, "more material", part=3))


def _named(names: ShownNames, offer: str) -> doc.Cell:
    """Return the plant of an offer. Without one, return the id, which is never cut."""
    name = names.offer(offer)
    if name != offer:
        return doc.Several((name,))
    return offer if len(offer) <= _LONG else doc.Several((offer,), one="offer")


def _price(found: BreakEven | None) -> doc.Cell:
    if found is None or found.outcome not in ("price", "no price", "any price"):
        return doc.NOTHING
    if found.price is None:
        return "none" if found.outcome == "no price" else "any" if found.outcome == "any price" else doc.NOTHING
    return doc.Amount(found.price) if found.proved else f"{money(found.price)} ?"


def _brief_today(found: BreakEven | None) -> doc.Cell:
    return doc.NOTHING if found is None or found.today is None else doc.Amount(found.today)


def _fee(one: Alternative, price: doc.Cell) -> doc.Cell:
    """Return a price, marked as a fee if it is a maker's own."""
    return f"fee {written(price)}" if one.made_from and isinstance(price, doc.Amount | str) else price


def _full(one: Alternative) -> doc.Cell:
    if one.made_from:
        return full_price(one.full_price)
    return doc.NOTHING if one.full_price is None else doc.Amount(one.full_price.full_price)


def _is_out(one: Alternative) -> bool:
    return one.rank is None and one.in_time


def _table_of_none(unable: Sequence[tuple[MaterialMix, Sequence[Alternative]]], names: ShownNames) -> doc.Element:
    columns = [
        doc.Column("No alternative"),
        doc.Column("Short", align="right", from_width=doc.SPARE),
        doc.Column("Bought from", from_width=doc.NARROW),
        doc.Column("Kept out"),
    ]
    ordered = sorted(unable, key=lambda each: (not each[0].short_kg, each[0].material))
    rows: list[list[doc.Cell]] = [
        [
            names.label(mix.material),
            weighed(names, mix.material, mix.short_kg) if mix.short_kg else doc.NOTHING,
            _bought([one for one in offers if one.plan_kg], names),
            _brief_kept_out([one for one in offers if _is_out(one)]) if mix.allowed is not None else "rules conflict",
        ]
        for mix, offers in ordered
    ]
    return doc.apart(ranked(columns, rows, "more material", part=2))


def _bought(offers: Sequence[Alternative], names: ShownNames) -> doc.Cell:
    told = [names.offer(one.offer) for one in sorted(offers, key=lambda one: (-one.plan_kg, one.offer))]
    return doc.Several(tuple(told)) if told else doc.NOTHING


def _brief_kept_out(out: Sequence[Alternative]) -> doc.Cell:
    """Return the number of offers and the reasons that exclude them, the most common first."""
    kinds = Counter(kind for one in out for kind in {obstacle.kind for obstacle in one.obstacles})
    told = [
        f"{_KEPT_OUT.get(kind, kind)} {number}"
        for kind, number in sorted(kinds.items(), key=lambda each: (-each[1], each[0]))
    ]
    return doc.Several((f"{len(out)}: {told[0]}", *told[1:])) if told else "no offer is known"
