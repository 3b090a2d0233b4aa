"""Who else could deliver, on a screen: of each material the offer that comes next, and where nobody does, what keeps the others out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

from ...document import elements as doc
from ...document.figures import count, money, percent, written
from ...domain.base import grouped
from ...domain.shown_names import ShownNames
from ...explain.break_even import BreakEven
from ..told import full_price, not_proved, on_screen, short_cell, weighed
from .document import SHOWN, alternatives_document, cash, where_from
from .search import Alternative, Alternatives, MaterialMix, unused

_MIDDLING, _NARROW, _LAST = 80, 70, 1
"""Characters of a line below which columns are left out that are looked up elsewhere; the last of them only where names take their room."""
_LONG = 30
"""Characters of an identifier from which on it is counted where there is no room for it."""
_KEPT_OUT = {"figure": "no figure", "unproven": "not proved", "licence": "no licence"}
"""How a kind of obstacle is told, if not by its name."""


def alternatives_screen(found: Alternatives, shown: int = SHOWN) -> doc.Document:
    """Materials that have another offer, the cheapest to use first; then those that have none. Of one material all, to so many offers."""
    if len(found.materials) == 1:
        return alternatives_document(found, shown)
    by_material = grouped((one.material, one) for one in found.offers)
    materials = [(mix, by_material.get(mix.material, [])) for mix in found.materials]
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
    ranked = ["the case ranks objectives: every plan here keeps those before cost"] if found.ranked_objectives else []
    return doc.document(
        "Who else could deliver",
        doc.sentence(head),
        _table_ofunused(able, found) if able else None,
        _table_of_none(unable, found.names) if unable else None,
        doc.apart(
            not_proved(others[0].rise for _, _, others in able),
            doc.notes(ranked),
            doc.sentence(
                *(doc.Phrase("--full", code=True), ": every offer, with price, usage range and rules; "),
                *(
                    doc.Phrase("friendshore why-not CASE OFFER", code=True),
                    ": what any other would have to cost, or to become",
                ),
            ),
        ),
    )


def _rise(one: Alternative) -> Decimal | None:
    return None if one.rise is None else one.rise.value


def _table_ofunused(
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
        *([doc.Column("Full price", align="right", from_width=_NARROW)] if made else []),
        doc.Column("Cash", found.currency, "right", from_width=_NARROW),
        doc.Column("Discounted", align="right", from_width=_NARROW),
        *([doc.Column("Short of more", from_width=_MIDDLING)] if short else []),
        doc.Column("for", align="right", from_width=doc.WIDE),
        doc.Column("Others", align="right", from_width=doc.WIDE),
        doc.Column("Kept out", align="right", from_width=doc.WIDE),
    ]
    rows: list[list[doc.Cell]] = [
        [
            *(names.label(mix.material), _named(names, others[0].offer), where_from(others[0])),
            *(_fee(others[0], _price(mix.next_price)), _fee(others[0], _today(mix.next_price))),
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
    return doc.apart(on_screen(columns, rows, "more material", part=3))


def _named(names: ShownNames, offer: str) -> doc.Cell:
    """Return the plant of an offer; where it has none, the id, which is not cut."""
    name = names.offer(offer)
    if name != offer:
        return doc.Several((name,))
    return offer if len(offer) <= _LONG else doc.Several((offer,), one="offer")


def _price(found: BreakEven | None) -> doc.Cell:
    """The price up to which it is worth buying."""
    if found is None or found.outcome not in ("price", "no price", "any price"):
        return doc.NOTHING
    if found.price is None:
        return "none" if found.outcome == "no price" else "any" if found.outcome == "any price" else doc.NOTHING
    return doc.Amount(found.price) if found.proved else f"{money(found.price)} ?"


def _today(found: BreakEven | None) -> doc.Cell:
    return doc.NOTHING if found is None or found.today is None else doc.Amount(found.today)


def _fee(one: Alternative, price: doc.Cell) -> doc.Cell:
    """A maker's own price is a fee, and called so."""
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
        doc.Column("Short", align="right", from_width=_LAST),
        doc.Column("Bought from", from_width=_NARROW),
        doc.Column("Kept out"),
    ]
    ordered = sorted(unable, key=lambda each: (not each[0].short_kg, each[0].material))
    rows: list[list[doc.Cell]] = [
        [
            names.label(mix.material),
            weighed(names, mix.material, mix.short_kg) if mix.short_kg else doc.NOTHING,
            _bought([one for one in offers if one.plan_kg], names),
            _kept_out([one for one in offers if _is_out(one)]) if mix.allowed is not None else "rules conflict",
        ]
        for mix, offers in ordered
    ]
    return doc.apart(on_screen(columns, rows, "more material", part=2))


def _bought(offers: Sequence[Alternative], names: ShownNames) -> doc.Cell:
    told = [names.offer(one.offer) for one in sorted(offers, key=lambda one: (-one.plan_kg, one.offer))]
    return doc.Several(tuple(told)) if told else doc.NOTHING


def _kept_out(out: Sequence[Alternative]) -> doc.Cell:
    """How many offers there are, and what keeps them out, the most common first."""
    kinds = Counter(kind for one in out for kind in {obstacle.kind for obstacle in one.obstacles})
    told = [
        f"{_KEPT_OUT.get(kind, kind)} {number}"
        for kind, number in sorted(kinds.items(), key=lambda each: (-each[1], each[0]))
    ]
    return doc.Several((f"{len(out)}: {told[0]}", *told[1:])) if told else "no offer is known"
