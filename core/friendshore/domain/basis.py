"""Conversion between substances, such as kilograms of Sb2O3 and of Sb."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

from .base import exact
from .facts import Material
from .market import Factor

GROSS = "gross"
"""Basis of a material that is weighed as it is."""

_SAME = Decimal("1e-9")


class Factors:
    """Conversion factors by substance.

    Args:
        factors: Kilograms of an element in a kilogram of a compound or material. The element of one row may be the compound of another (WO3 in a
            concentrate, W in WO3): such rows are chained.
    """

    def __init__(self, factors: Iterable[Factor] = ()) -> None:
        self._rows: dict[str, dict[str, Decimal]] = {}
        self._contents: dict[str, dict[str, Decimal]] = {}
        for factor in factors:
            self.add(factor)

    def add(self, factor: Factor) -> None:
        """Add a row."""
        self._rows.setdefault(factor.compound, {})[factor.element] = factor.kg_per_kg
        self._contents.clear()

    def contents(self, substance: str) -> Mapping[str, Decimal]:
        """Return the kilograms of every known substance in a kilogram of `substance`, including itself."""
        if substance not in self._contents:
            found = {substance: Decimal(1)}
            open_ = [substance]
            while open_:
                whole = open_.pop()
                for part, share in sorted(self._rows.get(whole, {}).items()):
                    if part not in found:
                        found[part] = found[whole] * share
                        open_.append(part)
            self._contents[substance] = found
        return self._contents[substance]

    def compounds(self, element: str) -> list[str]:
        """Return the compounds that have a row for an element, sorted."""
        return sorted(compound for compound, parts in self._rows.items() if element in parts)


_METALLIC = frozenset(("metal", "sponge", "powder", "ferroalloy", "alloy", "magnet"))
"""Forms that trade weighs as they are, or by the element."""


def equal_weights(material: Material, factors: Factors) -> dict[str, Decimal]:
    """Return the kilograms of other substances that equal one kilogram of a material's basis: its element, its oxide, and what it is sold as.

    Empty for metals and goods that are weighed as they are: their weight has one meaning.
    """
    if material.basis == GROSS or not material.element or material.form in _METALLIC:
        return {}
    oxide = re.compile(rf"{re.escape(material.element)}\d*O\d*")
    compounds = factors.compounds(material.element)
    named = [each for each in compounds if each in (material.form, material.form.upper())]
    named += [each for each in compounds if oxide.fullmatch(each) and each not in named]
    weights = {each: basis_factor(material, each, factors) for each in (*named, material.element)}
    return {each: exact(1 / weight) for each, weight in weights.items() if weight and each != material.basis}


def _basis_name(material: Material) -> str:
    return material.id if material.basis == GROSS else material.basis


def _basis_contents(material: Material, factors: Factors) -> Mapping[str, Decimal]:
    contents = factors.contents(_basis_name(material))
    if material.content is not None and material.element:
        return {**contents, material.element: material.content}
    return contents


def basis_factor(material: Material, substance: str, factors: Factors | Iterable[Factor]) -> Decimal | None:
    """Kilograms of the material's basis that go with one kilogram of `substance`; None where no factor is known: `missing_factor` says which row
    to add. It is not rounded, so that what is computed with it rounds once.

    `substance` is an element, a compound, the material's own id or `gross` (the goods as they are); empty means the basis
    itself. A price per kilogram of `substance` is divided by this.
    """
    if substance in ("", material.basis, _basis_name(material)):
        return Decimal(1)
    if not isinstance(factors, Factors):
        factors = Factors(factors)
    of_basis = _basis_contents(material, factors)
    of_substance = factors.contents(material.id if substance == GROSS else substance)
    common = [part for part in of_basis if part in of_substance and of_basis[part]]
    if not common:
        return None
    ratios = {part: of_substance[part] / of_basis[part] for part in common}
    for part in (material.basis, substance, material.element):
        if part in ratios:
            return ratios[part]
    low, high = min(ratios.values()), max(ratios.values())
    return low if high - low <= _SAME * high else None


def missing_factor(material: Material, substance: str, factors: Factors) -> tuple[str, str]:
    """Return element and compound of the row that `basis_factor` lacks."""
    element = material.element or "?"
    named = material.id if substance == GROSS else substance
    if element != named and element not in factors.contents(named):
        return element, named
    return element, _basis_name(material)


def content_of(material: Material, factors: Factors) -> Decimal | None:
    """Return the kilograms of the material's element in a kilogram of its basis, stated or derived. None if unknown."""
    if material.content is not None or not material.element:
        return material.content
    found = factors.contents(_basis_name(material)).get(material.element)
    return None if found is None else exact(found)


def weighed(material: Material) -> str:
    """Return the substance that a material's kilograms measure, in words."""
    return "the goods as they are" if material.basis == GROSS else f"{material.basis} in it"
