"""What the name of a change may mean: an offer and a material may be called alike, and then the change says which of them it means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..domain.case import Case
from ..domain.change import Change
from ..domain.facts import Catalog
from ..errors import Diagnostic
from .change_kinds import DEMAND_WORDS, OFFER_WORDS, demand_words, offer_words

PRICE_WORDS = ("offer", "material", "benchmark")
_FIELDS = {"remove": "remove", "lead_time": "lead_time", "lift": "of", "price": "price", "demand": "demand"}
"""Subject of a change -> the field that names what may be several things."""
_WORDS = {"price": PRICE_WORDS, "demand": DEMAND_WORDS}
"""Subject -> what its name may be; of all others one of the words for offers."""


def ambiguity(change: Change, case: Case, catalogs: Sequence[Catalog]) -> Diagnostic | None:
    """What is wrong with a change whose name means several things, of which not all come to the same; None: nothing."""
    found = readings(change, case, catalogs)
    if len(set(found.values())) < 2:
        return None
    name = getattr(change, _FIELDS[change.subject])
    what = " and ".join(f"a{'n' * (word[0] in 'aeiou')} {word.replace('_', ' ')}" for word in found)
    said = [f"`{word}:{name}`" for word in found]
    return Diagnostic(
        f"`{name}` is the name of {what}, and which of them is meant is not said",
        column=_FIELDS[change.subject],
        found=name,
        expected=" or ".join(said),
        fix=f"write {said[0]} if the {next(iter(found)).replace('_', ' ')} is meant",
    )


def shortest(change: Change, case: Case, catalogs: Sequence[Catalog]) -> Change:
    """A change without the word before its name, where the name alone means the same."""
    field = _FIELDS.get(change.subject, "")
    word, _, name = getattr(change, field).partition(":") if field else ("", "", "")
    if word not in _WORDS.get(change.subject, OFFER_WORDS):
        return change
    bare = change.but(**{field: name})
    found = readings(bare, case, catalogs)
    return bare if change.date is not None or (word in found and len(set(found.values())) == 1) else change


def readings(change: Change, case: Case, catalogs: Sequence[Catalog]) -> Mapping[str, frozenset[str]]:
    """What the name of a change may be -> the offers, demands or benchmark that the change then is about; nothing where it says so itself."""
    field = _FIELDS.get(change.subject, "")
    name = getattr(change, field) if field else ""
    if not name or ":" in name or change.date is not None:
        return {}
    if change.demand:
        found = {
            word: {str(n) for n, d in enumerate(case.demands) if demand_words(d, case)[word] == name}
            for word in DEMAND_WORDS
        }
    else:
        found = _of_offers(name, change, catalogs)
    return {word: frozenset(about) for word, about in found.items() if about}


def _of_offers(name: str, change: Change, catalogs: Sequence[Catalog]) -> dict[str, set[str]]:
    facilities = {facility.id: facility for catalog in catalogs for facility in catalog.facilities}
    words = PRICE_WORDS if change.price else OFFER_WORDS
    found: dict[str, set[str]] = {word: set() for word in words}
    for catalog in catalogs:
        for offer in catalog.offers:
            called = offer_words(offer, facilities[offer.facility])
            if change.price:
                called = {
                    "offer": offer.id,
                    "material": name if any(ln.material == name for ln in offer.outputs) else "",
                }
            for word, known in called.items():
                if known == name:
                    found[word].add(offer.id)
        if change.price and any(row.id == name for row in catalog.prices):
            found["benchmark"].add(f"benchmark {name}")
    return found
