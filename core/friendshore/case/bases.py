"""Masses of a case that name a substance, brought to the basis of their material once the catalogs are there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TypeVar

from ..domain.base import exact
from ..domain.basis import Factors, basis_factor, missing_factor
from ..domain.case import Case, DemandSpec, OfferAssumption, OrderSpec, StockSpec, StoreSpec
from ..domain.facts import Catalog, Material, Offer
from ..errors import InputError, Problem

Spec = DemandSpec | StockSpec | StoreSpec | OrderSpec | OfferAssumption
S = TypeVar("S", DemandSpec, StockSpec, StoreSpec, OrderSpec, OfferAssumption)

_MASSES = ("per_year", "quantity", "limit", "capacity")
_PRICES = ("shortage_price", "holding")


class _Converter:
    """Converts records one by one, collecting what cannot be converted."""

    def __init__(self, case: Case, catalogs: Iterable[Catalog]) -> None:
        catalogs = list(catalogs)
        self.case = case
        self.materials: dict[str, Material] = {m.id: m for c in catalogs for m in c.materials}
        self.offers: dict[str, Offer] = {o.id: o for c in catalogs for o in c.offers}
        self.factors = Factors(f for c in catalogs for f in c.factors)
        self.found: list[Problem] = []

    def all(self, section: str, specs: Sequence[S]) -> tuple[S, ...]:
        """The records in their materials' bases; one whose material is not known stays as it is."""
        return tuple(self._one(section, spec) if spec.substance else spec for spec in specs)

    def _one(self, section: str, spec: S) -> S:
        material = self._material(spec)
        if material is None:
            return spec
        ratio = basis_factor(material, spec.substance, self.factors)
        if ratio is None:
            element, compound = missing_factor(material, spec.substance, self.factors)
            self.found.append(
                Problem(
                    f"kilograms of {spec.substance} cannot be converted to the basis of `{material.id}` ({material.basis})",
                    file=f"case {self.case.name}",
                    column=section,
                    found=f"`{spec.substance}` in `{getattr(spec, 'id', '') or material.id}`",
                    expected=f"a factor that says how much {element} is in a kilogram of {compound}",
                    fix=f"add to factors.csv of a catalog: {element},{compound},<kg per kg>,<source>",
                )
            )
            return spec
        return scaled(spec, ratio)

    def _material(self, spec: Spec) -> Material | None:
        if isinstance(spec, OrderSpec | OfferAssumption):
            offer = self.offers.get(spec.offer if isinstance(spec, OrderSpec) else spec.id)
            return self.materials.get(offer.outputs[0].material) if offer and len(offer.outputs) == 1 else None
        return self.materials.get(spec.material)


def scaled(spec: S, ratio: Decimal) -> S:
    """`spec` with its masses times `ratio`, its prices per mass divided by it, and no substance named any more."""
    return spec.model_copy(update={"substance": "", **_scaled_fields(spec, ratio)})


def _scaled_fields(spec: Spec, ratio: Decimal) -> dict[str, object]:
    masses = {name: getattr(spec, name, None) for name in _MASSES}
    prices = {name: getattr(spec, name, None) for name in _PRICES}
    fields: dict[str, object] = {name: exact(kg * ratio) for name, kg in masses.items() if kg is not None}
    fields |= {name: exact(amount / ratio) for name, amount in prices.items() if amount is not None}
    if isinstance(spec, DemandSpec):
        fields["quantities"] = tuple(exact(kg * ratio) for kg in spec.quantities)
    if isinstance(spec, OfferAssumption) and spec.price is not None and spec.price.amount is not None:
        fields["price"] = spec.price.model_copy(update={"amount": exact(spec.price.amount / ratio)})
    return fields


def in_basis(case: Case, catalogs: Iterable[Catalog]) -> Case:
    """The case with all masses in the bases of their materials.

    Raises:
        InputError: with every missing factor.
    """
    converter = _Converter(case, catalogs)
    update = {
        "demands": converter.all("demand", case.demands),
        "stocks": converter.all("stock", case.stocks),
        "orders": converter.all("order", case.orders),
        "stores": converter.all("store", case.stores),
        "assume": case.assume.model_copy(update={"offer": converter.all("assume.offer", case.assume.offer)}),
    }
    if converter.found:
        raise InputError(converter.found)
    return case.model_copy(update=update)
