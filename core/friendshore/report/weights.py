"""Quantities with what they weigh: contained element, oxide, or the goods as they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from ..document import elements as doc
from ..document.figures import count, mass, number
from ..domain.basis import GROSS
from ..domain.run import Run

_DIGITS = 4
"""Digits of a conversion factor."""
_FEW = 2
"""Conversions that a note for a screen names."""


def basis_of(run: Run, material: str) -> str:
    """Return what kilograms of a material weigh; empty for the goods as they are."""
    basis = next((each.basis for each in run.materials if each.id == material), "")
    return "" if basis == GROSS else basis


def weighed(run: Run, material: str, kilograms: Decimal) -> doc.Kilograms:
    """Return a quantity of a material as a cell that says what it weighs."""
    return doc.Kilograms(kilograms, of=basis_of(run, material))


def mass_of(run: Run, material: str, kilograms: Decimal) -> str:
    """Return a quantity of a material as text that says what it weighs."""
    return mass(kilograms, basis_of(run, material))


def conversions(run: Run, materials: Iterable[str], *, shortly: bool = False) -> str:
    """Return what a kilogram of each basis equals in substances that trade may weigh instead; empty if nothing is to be converted.

    `materials`: those first that matter most. `shortly`: the first substance alone, and few of them.
    """
    known = {each.id: each for each in run.materials}
    found: defaultdict[str, dict[str, Decimal]] = defaultdict(dict)
    for each in filter(None, map(known.get, materials)):
        if each.equal_kg:
            found[each.basis].update(each.equal_kg)
    told = []
    for basis, equal in found.items():
        parts = [f"{number(kg, _DIGITS)} t {name}" for name, kg in equal.items()]
        told.append(" = ".join([f"1 t {basis}", *parts[: 1 if shortly else None]]))
    if shortly and len(told) > _FEW:
        told[_FEW:] = [f"{count(len(told) - _FEW, 'other')} (--full)"]
    return f"By weight: {', '.join(told)}." if told else ""


def named_material(run: Run, material: str) -> str:
    """Return the name of a material with its id, or the id alone if it has none."""
    name = next((each.name for each in run.materials if each.id == material), "")
    return material if name in ("", material) else f"{name} ({material})"
