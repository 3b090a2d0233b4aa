"""Names of materials and offers for readers, and what kilograms of each material weigh."""

from __future__ import annotations

import re
import textwrap
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cached_property

from .base import Number, Record
from .basis import GROSS
from .elements import ELEMENT_SYMBOLS

_LABEL = 22
"""Characters of a label."""
_COMPOUND = re.compile(r"\b[A-Za-z]+(?:-[A-Za-z]+)+\b")


class RunMaterial(Record):
    """A material that the run speaks of."""

    id: str
    name: str
    basis: str
    """Substance that its kilograms measure."""
    equal_kg: dict[str, Number] = {}
    """Kilograms of other substances that equal one kilogram of the basis: 1 kg of Sb is 1.197 kg of Sb2O3."""


class ShownNames(Record):
    """Names of materials and offers by id. An id without a name is shown as it is."""

    materials: list[RunMaterial] = []
    offers: dict[str, str] = {}
    """Offer -> the name of its plant."""

    def joined(self, other: ShownNames) -> ShownNames:
        """Return these names, and those of another that are not among them."""
        more = [each for each in other.materials if each.id not in self._by_id]
        return ShownNames(materials=[*self.materials, *more], offers={**other.offers, **self.offers})

    @cached_property
    def _by_id(self) -> dict[str, RunMaterial]:
        return {each.id: each for each in self.materials}

    @cached_property
    def _short(self) -> dict[str, str]:
        return short_names({each.id: each.name for each in self.materials})

    @cached_property
    def _labels(self) -> dict[str, str]:
        cut = {each: textwrap.shorten(name, _LABEL, placeholder=" …") for each, name in self._short.items()}
        times = Counter(cut.values())
        return {each: each if times[name] > 1 or name == "…" else name for each, name in cut.items()}

    def material(self, name: str) -> str:
        """Return the short name of a material."""
        return self._short.get(name, name)

    def label(self, name: str) -> str:
        """Return the name of a material for a narrow column: cut where it is long, or the id if another material would then look the same."""
        return self._labels.get(name, name)

    def material_with_id(self, name: str) -> str:
        """Return the whole name of a material, then its id, which other commands ask for."""
        known = self._by_id.get(name)
        return name if known is None or known.name in ("", name) else f"{known.name} ({name})"

    def offer(self, name: str) -> str:
        """Return the name of an offer's plant."""
        return self.offers.get(name, name)

    def offer_with_id(self, name: str) -> str:
        """Return the name of an offer's plant, then the offer's id, which other commands ask for."""
        shown = self.offer(name)
        return shown if name in shown else f"{shown} ({name})"

    def basis(self, material: str) -> str:
        """Return the substance that kilograms of a material weigh. Empty for the goods as they are."""
        known = self._by_id.get(material)
        return "" if known is None or known.basis == GROSS else known.basis

    def equal_kg(self, material: str) -> Mapping[str, Decimal]:
        """Return the kilograms of other substances that equal one kilogram of a material."""
        known = self._by_id.get(material)
        return {} if known is None else known.equal_kg


def offer_names(offers: Iterable[tuple[str, str, str, str]]) -> dict[str, str]:
    """Return offer -> the name of its plant, with the offer's id where the plant has several offers of a material. Plants without a name are left out.

    Args:
        offers: id of the offer, id of its plant, name of its plant, and a material that it makes.
    """
    known = list(offers)
    alike: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for offer, _, plant, material in known:
        alike[plant, material].add(offer)
    ambiguous = {offer for same in alike.values() if len(same) > 1 for offer in same}
    return {
        offer: f"{plant} ({offer})" if offer in ambiguous else plant
        for offer, plant_id, plant, _ in known
        if plant not in ("", plant_id)
    }


def short_names(names: Mapping[str, str]) -> dict[str, str]:
    """Return id -> a short name that no other id has.

    A name loses what follows its first comma, except the part that tells it from others. Hyphenated elements become symbols:
    `Neodymium-iron-boron magnet, sintered, high temperature` is `NdFeB magnet (high temperature)`.
    """
    parts = {each: _COMPOUND.sub(_symbols, name or each).split(", ") for each, name in names.items()}
    shown: dict[str, str] = {}
    for each, (head, *more) in parts.items():
        rivals = [other for name, other in parts.items() if name != each and other[0] == head]
        own = [part for part in more if rivals and all(part not in other for other in rivals)]
        shown[each] = f"{head} ({own[0]})" if own else head
    times = Counter(shown.values())
    return {each: f"{names[each]} ({each})" if times[name] > 1 else name for each, name in shown.items()}


def _symbols(match: re.Match[str]) -> str:
    symbols = [ELEMENT_SYMBOLS.get(word.lower()) for word in match[0].split("-")]
    return "".join(map(str, symbols)) if all(symbols) else match[0]
