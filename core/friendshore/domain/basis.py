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

# Largest relative difference of equal ratios.
_TOLERANCE = Decimal("1e-9")


class Factors:
    """Conversion factors by substance. Rows are chained: W in WO3, and WO3 in a concentrate."""

    def __init__(self, factors: Iterable[Factor] = ()) -> None:
        self._rows: dict[str, dict[str, Decimal]] = {}
        self._contents: dict[str, dict[str, Decimal]] = {}
        for factor in factors:
            self.add(factor)

    def add(self, factor: Factor) -> None:
        self._rows.setdefault(factor.compound, {})[factor.element] = factor.kg_per_kg
        self._contents.clear()

    def contents(self, substance: str) -> Mapping[str, Decimal]:
        """Return the kilograms of every known substance in a kilogram of a substance, including itself."""
        if substance not in self._contents:
            contents = {substance: Decimal(1)}
            waiting = [substance]
            while waiting:
                compound = waiting.pop()
                for element, share in sorted(self._rows.get(compound, {}).items()):
                    if element not in contents:
                        contents[element] = contents[compound] * share
                        waiting.append(element)
            self._contents[substance] = contents
        return self._contents[substance]

    def compounds(self, element: str) -> list[str]:
        return sorted(compound for compound, parts in self._rows.items() if element in parts)


# Forms that trade weighs as they are, or by the element.
_METALLIC = frozenset(("metal", "sponge", "powder", "ferroalloy", "alloy", "magnet"))


def equal_weights(material: Material, factors: Factors) -> dict[str, Decimal]:
    """Return the kilograms of a material's element, oxide, and form that equal one kilogram of its basis. Empty for goods that are weighed as they are."""
    if material.basis == GROSS or not material.element or material.form in _METALLIC:
        return {}
    oxide = re.compile(rf"{re.escape(material.element)}\d*O\d*")
    compounds = factors.compounds(material.element)
    substances = [compound for compound in compounds if compound in (material.form, material.form.upper())]
    substances += [compound for compound in compounds if oxide.fullmatch(compound) and compound not in substances]
    weights = {name: basis_factor(material, name, factors) for name in (*substances, material.element)}
    return {name: exact(1 / weight) for name, weight in weights.items() if weight and name != material.basis}


def _basis_name(material: Material) -> str:
    return material.id if material.basis == GROSS else material.basis


def _basis_contents(material: Material, factors: Factors) -> Mapping[str, Decimal]:
    contents = factors.contents(_basis_name(material))
    if material.content is not None and material.element:
        return {**contents, material.element: material.content}
    return contents


def basis_factor(material: Material, substance: str, factors: Factors | Iterable[Factor]) -> Decimal | None:
    """Return the kilograms of the material's basis for one kilogram of a substance. None if no factor is known (see `missing_factor`). The substance
    is an element, a compound, the material's own id, or `gross` (the goods as they are). Empty means the basis itself. A price per kilogram of the
    substance is divided by the factor. It isn't rounded, so that results round once.
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
    return low if high - low <= _TOLERANCE * high else None


def missing_factor(material: Material, substance: str, factors: Factors) -> tuple[str, str]:
    element = material.element or "?"
    compound = material.id if substance == GROSS else substance
    if element != compound and element not in factors.contents(compound):
        return element, compound
    return element, _basis_name(material)


def content_of(material: Material, factors: Factors) -> Decimal | None:
    """Return the kilograms of the material's element in a kilogram of its basis. None if unknown."""
    if material.content is not None or not material.element:
        return material.content
    content = factors.contents(_basis_name(material)).get(material.element)
    return None if content is None else exact(content)


def weighed(material: Material) -> str:
    return "the goods as they are" if material.basis == GROSS else f"{material.basis} in it"
