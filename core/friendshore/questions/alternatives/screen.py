"""Who else could deliver, on a screen: of each material the offer that comes next, and where nobody does, what keeps the others out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal

from ...document import elements as doc
from ...document.figures import count, percent
from ...domain.base import grouped
from ..told import not_proved, on_screen, shortly
from .document import SHOWN, alternatives_document, costs_nothing, where_from
from .search import Alternative, Alternatives, MaterialMix

_WIDE, _MIDDLING, _NARROW = 90, 80, 70
"""Characters of a line below which columns are left out that are looked up elsewhere."""
_KEPT_OUT = {"figure": "no figure", "unproven": "not proved", "licence": "no licence"}
"""How a kind of obstacle is told, if not by its name."""


def alternatives_screen(found: Alternatives, shown: int = SHOWN) -> doc.Document:
    """Materials that have another offer, the cheapest to use first; then those that have none. Of one material all, to so many offers."""
    if len(found.materials) == 1:
        return alternatives_document(found, shown)
    by_material = grouped((one.material, one) for one in found.offers)
    materials = [(mix, by_material.get(mix.material, [])) for mix in found.materials]
    able = [(mix, offers, others) for mix, offers in materials if (others := _others(offers))]
    able.sort(key=lambda each: (_rise(each[2][0]) is None, _rise(each[2][0]) or Decimal(0), each[0].material))
    unable = [(mix, offers) for mix, offers in materials if not _others(offers)]
    head = (
        f"{len(able)} of {count(len(materials), 'material')} can come from an offer that the plan does not use already. Adds: what the cheapest "
        f"plan that uses it for {percent(found.used_from)} of what is wanted, or for all that it can give, costs more."
    )
    ranked = ["the case ranks objectives: every plan here keeps those before cost"] if found.ranked_objectives else []
    return doc.document(
        "Who else could deliver",
        doc.sentence(head),
        _table_of_others(able, found.currency) if able else None,
        _table_of_none(unable) if unable else None,
        doc.apart(
            not_proved(others[0].rise for _, _, others in able),
            doc.notes(ranked),
            doc.sentence(
                *(doc.Phrase("--full", code=True), ": every offer, with price, usage range and rules; "),
                *(doc.Phrase("friendshore why-not CASE OFFER", code=True), ": its break-even price"),
            ),
        ),
    )


def _others(offers: Iterable[Alternative]) -> list[Alternative]:
    """Those that can be used, and that the plan does not use, in order of rank."""
    usable = (one for one in offers if one.rank is not None or not one.in_time)
    return [one for one in usable if not (costs_nothing(one) and one.plan_kg >= one.uses_kg)]


def _rise(one: Alternative) -> Decimal | None:
    return None if one.rise is None else one.rise.value


def _table_of_others(
    able: Sequence[tuple[MaterialMix, Sequence[Alternative], Sequence[Alternative]]], currency: str
) -> doc.Element:
    columns = [
        doc.Column("Others for"),
        doc.Column("Cheapest"),
        doc.Column("From", from_width=_NARROW),
        doc.Column("Adds", currency, "right"),
        doc.Column("for", align="right", from_width=_NARROW),
        doc.Column("Others", align="right", from_width=_MIDDLING),
        doc.Column("Kept out", align="right", from_width=_WIDE),
    ]
    rows: list[list[doc.Cell]] = [
        [
            *(mix.material, doc.Several((others[0].offer,), one="offer"), where_from(others[0]), _adds(others[0])),
            doc.Kilograms(others[0].uses_kg),
            doc.Count(len(others) - 1) if others[1:] else doc.NOTHING,
            doc.Count(out) if (out := sum(map(_is_out, offers))) else doc.NOTHING,
        ]
        for mix, offers, others in able
    ]
    return doc.apart(on_screen(columns, rows, "more material", part=3))


def _is_out(one: Alternative) -> bool:
    return one.rank is None and one.in_time


def _adds(one: Alternative) -> doc.Cell:
    if one.rise is None:
        return "not found in time"
    return "nothing" if costs_nothing(one) else shortly(one.rise)


def _table_of_none(unable: Sequence[tuple[MaterialMix, Sequence[Alternative]]]) -> doc.Element:
    columns = [
        doc.Column("Nobody else for"),
        doc.Column("Short", align="right"),
        doc.Column("Bought from", from_width=_NARROW),
        doc.Column("Kept out"),
    ]
    ordered = sorted(unable, key=lambda each: (not each[0].short_kg, each[0].material))
    rows: list[list[doc.Cell]] = [
        [
            mix.material,
            doc.Kilograms(mix.short_kg) if mix.short_kg else doc.NOTHING,
            _bought([one for one in offers if one.plan_kg]),
            _kept_out([one for one in offers if _is_out(one)]) if mix.allowed is not None else "rules conflict",
        ]
        for mix, offers in ordered
    ]
    return doc.apart(on_screen(columns, rows, "more material", part=2))


def _bought(offers: Sequence[Alternative]) -> doc.Cell:
    told = [one.offer for one in sorted(offers, key=lambda one: (-one.plan_kg, one.offer))]
    return doc.Several(tuple(told), one="offer") if told else doc.NOTHING


def _kept_out(out: Sequence[Alternative]) -> doc.Cell:
    """How many offers there are, and what keeps them out, the most common first."""
    kinds = Counter(kind for one in out for kind in {obstacle.kind for obstacle in one.obstacles})
    told = [
        f"{_KEPT_OUT.get(kind, kind)} {number}"
        for kind, number in sorted(kinds.items(), key=lambda each: (-each[1], each[0]))
    ]
    return doc.Several((f"{len(out)}: {told[0]}", *told[1:])) if told else "no offer is known"
