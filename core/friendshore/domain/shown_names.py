"""Names of materials, offers, and rules for readers, and what kilograms of each material weigh."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cached_property

from .base import Number, Record
from .basis import GROSS
from .elements import ELEMENT_SYMBOLS

_ID = re.compile(r"[\w-]+")
_COMPOUND = re.compile(r"\b[A-Za-z]+(?:-[A-Za-z]+)+\b")


class RunMaterial(Record):
    """A material in the run."""

    id: str
    name: str
    basis: str
    """Substance that its kilograms measure."""
    equal_kg: dict[str, Number] = {}
    """Kilograms of other substances that equal one kilogram of the basis: 1 kg of Sb is 1.197 kg of Sb2O3."""


class ShownNames(Record):
    """Names of materials, offers, and rules by id. An id without a name is shown as it is."""

    materials: list[RunMaterial] = []
    offers: dict[str, str] = {}
    """Offer -> the name of its plant."""
    rules: dict[str, str] = {}
    """Rule -> its title."""

    def joined(self, other: ShownNames) -> ShownNames:
        new = [material for material in other.materials if material.id not in self._by_id]
        return ShownNames(
            materials=[*self.materials, *new],
            offers={**other.offers, **self.offers},
            rules={**other.rules, **self.rules},
        )

    @cached_property
    def _by_id(self) -> dict[str, RunMaterial]:
        return {material.id: material for material in self.materials}

    @cached_property
    def _short(self) -> dict[str, str]:
        return short_names({material.id: material.name for material in self.materials})

    def material(self, material_id: str) -> str:
        return self._short.get(material_id, material_id)

    def material_with_id(self, material_id: str) -> str:
        material = self._by_id.get(material_id)
        if material is None or material.name in ("", material_id):
            return material_id
        return f"{material.name} ({material_id})"

    def offer(self, offer_id: str) -> str:
        return self.offers.get(offer_id, offer_id)

    def offer_with_id(self, offer_id: str) -> str:
        name = self.offer(offer_id)
        return name if offer_id in name else f"{name} ({offer_id})"

    def rule(self, rule_id: str) -> str:
        """Return the title of a rule in quotes, with the id if several rules have it. A rule without a title has its id."""
        title = self.rules.get(rule_id, "")
        return f'"{title}"' if self._titles[title] == 1 else self.rule_with_id(rule_id)

    def rule_with_id(self, rule_id: str) -> str:
        title = self.rules.get(rule_id, "")
        return f'"{title}" ({rule_id})' if title else rule_id

    @cached_property
    def _titles(self) -> Counter[str]:
        return Counter(self.rules.values())

    def in_text(self, text: str) -> str:
        """Return a text with the names of materials in place of their ids."""
        return _ID.sub(lambda match: self.material(match[0]), text)

    def basis(self, material_id: str) -> str:
        """Return the substance that kilograms of a material weigh. Empty for the goods as they are."""
        material = self._by_id.get(material_id)
        return "" if material is None or material.basis == GROSS else material.basis

    def equal_kg(self, material_id: str) -> Mapping[str, Decimal]:
        """Return the kilograms of other substances that equal one kilogram of a material."""
        material = self._by_id.get(material_id)
        return {} if material is None else material.equal_kg


def rule_titles(rules: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return titles by rule id, with symbols in place of compounds: `NdFeB magnets: from the mine on`."""
    return {rule: _COMPOUND.sub(_symbols, title) for rule, title in rules if title not in ("", rule)}


def offer_names(offers: Iterable[tuple[str, str, str, str]]) -> dict[str, str]:
    """Return the plant's name by offer id, with the id if the plant has several offers of a material. `offers` are offer, plant, plant name, and a material."""
    offers = list(offers)
    offers_by_plant: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for offer, _, plant, material in offers:
        offers_by_plant[plant, material].add(offer)
    ambiguous = {offer for ids in offers_by_plant.values() if len(ids) > 1 for offer in ids}
    return {
        offer: f"{plant} ({offer})" if offer in ambiguous else plant
        for offer, plant_id, plant, _ in offers
        if plant not in ("", plant_id)
    }


def short_names(names: Mapping[str, str]) -> dict[str, str]:
    """Return a short, unique name by id, like `NdFeB magnet (high temperature)` for `Neodymium-iron-boron magnet, sintered, high temperature`."""
    parts = {id_: _COMPOUND.sub(_symbols, name or id_).split(", ") for id_, name in names.items()}
    short: dict[str, str] = {}
    for id_, (head, *details) in parts.items():
        rivals = [other for other_id, other in parts.items() if other_id != id_ and other[0] == head]
        distinctive = [part for part in details if rivals and all(part not in other for other in rivals)]
        short[id_] = f"{head} ({distinctive[0]})" if distinctive else head
    counts = Counter(short.values())
    return {id_: f"{names[id_]} ({id_})" if counts[name] > 1 else name for id_, name in short.items()}


def _symbols(match: re.Match[str]) -> str:
    symbols = [ELEMENT_SYMBOLS.get(word.lower()) for word in match[0].split("-")]
    return "".join(map(str, symbols)) if all(symbols) else match[0]
