"""Money that a case derives from its dearest offers, stated as it is: so that a change of one offer changes nothing else."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from ..domain.base import exact
from ..domain.basis import Factors, basis_factor
from ..domain.case import StoreSpec
from .build import Problem
from .demands import demand_name
from .inputs import Inputs


def steadied(inputs: Inputs, problem: Problem) -> Inputs:
    """The same facts with every price of a shortage and every cost of holding stated as it comes out.

    Where a case gives none, a shortage is priced at so many times the dearest offer, and holding at a share of it. A dearer
    price for one offer, or an offer that comes to count, would move both, and with them what is not about that offer.

    Args:
        inputs: the facts.
        problem: the same, resolved.
    """
    case, materials, factors = inputs.case, problem.merged.materials, Factors(problem.merged.factors)

    def of(material: str, substance: str) -> Decimal:
        return basis_factor(materials[material], substance, factors) or Decimal(1)

    priced = {}
    for demand, price in zip(problem.demands, problem.shortage_price, strict=True):
        per_substance = exact(price * of(demand.spec.material, demand.spec.substance))
        priced[demand.id] = demand.spec.model_copy(update={"shortage_price": per_substance})
    stores = {(s.material, s.place or case.place): s for s in case.stores}
    for node, store in problem.stores.items():
        spec = stores.get(node) or StoreSpec(material=node[0], place=node[1])
        if spec.holding is None:
            # Read with a limit, it is money per kilogram of the substance that the limit is of.
            factor = of(spec.material, spec.substance) if spec.limit is not None else Decimal(1)
            stores[node] = spec.model_copy(update={"holding": exact(store.holding * factor)})
    demands = tuple(priced[name] if (name := demand_name(spec, case)) in priced else spec for spec in case.demands)
    stated = {"demands": demands, "stores": tuple(stores[node] for node in sorted(stores))}
    return replace(inputs, case=case.model_copy(update=stated))
