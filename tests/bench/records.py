"""An instance as friendshore's own records: a case, a catalog, and the rules of the case."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from friendshore.domain.base import exact
from friendshore.domain.case import Case, DemandSpec, StockSpec, StoreSpec
from friendshore.domain.evidence import Confidence, Source
from friendshore.domain.facts import (
    CapacityStep,
    Catalog,
    ChainEntry,
    Facility,
    Material,
    Offer,
    Price,
    RecipeLine,
    Status,
)
from friendshore.domain.market import BenchmarkPrice
from friendshore.domain.stages import Stage
from friendshore.domain.tiers import PriceSchedule, Tier, TierKind
from friendshore.domain.time import Horizon, PeriodLength, add_months
from friendshore.rules.base import Rule
from friendshore.rules.kinds.limits import Budget, MaxShare

from .instances import COUNTRIES, Instance

START = date(2027, 1, 1)
"""First day of every plan."""
STAGES = (Stage.MINED, Stage.REFINED)
CURRENCY = "USD"
PLACE = "US"
END_USE = "civil"
Facts = tuple[Case, Sequence[Catalog], Sequence[Rule]]
"""A case, its catalogs and its rules."""
_SOURCE = "drawn"
"""The one source of all figures, as the rows of a catalog name it."""


def material_id(number: int) -> str:
    """Name of a material; names sort like numbers."""
    return f"m{number:04}"


def facility_id(number: int) -> str:
    """Name of a facility."""
    return f"f{number:05}"


def offer_id(number: int) -> str:
    """Name of an offer."""
    return f"o{number:06}"


def facts_of(instance: Instance, budget: float | None = None) -> Facts:
    """All that friendshore is given."""
    return case_of(instance), (catalog_of(instance),), rules_of(instance, budget)


def case_of(instance: Instance) -> Case:
    """The planner's case: demand by month, stock in hand, what holding costs."""
    stocks = [
        StockSpec(id=f"stock-{material_id(m)}", material=material_id(m), quantity=exact(float(q)), chain=_chain("US"))
        for m, q in enumerate(instance.opening)
        if q
    ]
    return Case(
        name=f"bench-{instance.name.lower()}",
        horizon=Horizon(start=START, count=instance.months, length=PeriodLength.MONTH),
        currency=CURRENCY,
        place=PLACE,
        discount=exact(instance.discount),
        demands=tuple(
            DemandSpec(
                material=material_id(m),
                end_use=END_USE,
                quantities=tuple(exact(float(q)) for q in wanted),
                shortage_price=exact(float(instance.shortage[m])),
            )
            for m, wanted in enumerate(instance.demand)
        ),
        stocks=tuple(stocks),
        stores=tuple(
            StoreSpec(material=material_id(m), place=PLACE, holding=exact(float(h)))
            for m, h in enumerate(instance.holding)
        ),
    )


def rules_of(instance: Instance, budget: float | None = None) -> tuple[Rule, ...]:
    """The rules of the case: a cap on a country's share of a month's purchases, and a budget a year, where there are any."""
    rules: list[Rule] = []
    if instance.share is not None:
        rules.append(_cap("country-share", instance.share))
    if budget is not None:
        rules.append(Budget.model_validate({"id": "budget", "amount": budget, "per": "year"}))
    return tuple(rules)


def cap_id(material: int, prefix: str = "country") -> str:
    """Name of the cap on a country's share of one material."""
    return f"{prefix}-share-{material_id(material)}"


def rules_apart(instance: Instance, share: float | None, pending: str = "") -> tuple[Rule, ...]:
    """The same cap as a rule of its own for each material; none without a share.

    Args:
        instance: of which materials.
        share: most of a month's purchases from one country.
        pending: if given, the caps are no law yet, and their names begin with it.
    """
    if share is None:
        return ()
    phases = {"phases": [{"status": "pending"}]} if pending else {}
    names = [(cap_id(m, pending or "country"), material_id(m)) for m in range(len(instance.demand))]
    return tuple(_cap(name, share, materials=[material], **phases) for name, material in names)


def _cap(name: str, share: float, **more: object) -> Rule:
    given = {"id": name, "by": "country", "share": str(share), "of": "purchases", "per": "period"}
    return MaxShare.model_validate(given | more)


def catalog_of(instance: Instance) -> Catalog:
    """The catalog: materials, facilities with their capacity, offers, benchmarks and price tiers."""
    name = f"bench-{instance.name.lower()}"
    source = f"{name}:{_SOURCE}"
    return Catalog(
        name=name,
        licence="CC0-1.0",
        as_of=START,
        materials=tuple(
            Material(id=material_id(m), element="", stages=STAGES, source=source) for m in range(len(instance.demand))
        ),
        facilities=tuple(_facility(instance, f, source) for f in range(len(instance.capacity))),
        offers=tuple(_offer(instance, o, name, source) for o in range(len(instance.material))),
        schedules=_schedules(instance, source),
        prices=_benchmarks(instance, source),
        sources=(Source(id=source, reference="drawn for the bench", confidence=Confidence.VERIFIED),),
    )


def _chain(country: str, source: str = "") -> tuple[ChainEntry, ...]:
    return tuple(
        ChainEntry(stage=stage.value, countries=frozenset({country}), complete=True, source=source) for stage in STAGES
    )


def _facility(instance: Instance, number: int, source: str) -> Facility:
    step = CapacityStep(per_year=exact(float(instance.capacity[number])), status=Status.OPERATING, source=source)
    country = COUNTRIES[instance.country[number]]
    return Facility(id=facility_id(number), country=country, capacity=(step,), source=source)


def _offer(instance: Instance, number: int, catalog: str, source: str) -> Offer:
    material = material_id(int(instance.material[number]))
    figure = exact(float(instance.price[number]))
    if instance.benchmark is None:
        price = Price(amount=figure, currency=CURRENCY, source=source)
    else:
        price = Price(benchmark=f"b-{material}", premium=figure, source=source)
    least, onboarding = float(instance.least[number]), float(instance.onboarding[number])
    return Offer(
        id=offer_id(number),
        facility=facility_id(int(instance.facility[number])),
        outputs=(RecipeLine(material=material, per_unit=Decimal(1), source=source),),
        price=price,
        min_order=exact(least) if least else None,
        onboarding=exact(onboarding) if onboarding else None,
        onboarding_currency=CURRENCY if onboarding else "",
        capacity_use=exact(float(instance.capacity_use[number])),
        chain=_chain(COUNTRIES[instance.country[instance.facility[number]]], source),
        source=source,
        catalog=catalog,
    )


def _benchmarks(instance: Instance, source: str) -> tuple[BenchmarkPrice, ...]:
    if instance.benchmark is None:
        return ()
    days = [add_months(START, t) for t in range(instance.months)]
    return tuple(
        BenchmarkPrice(
            id=f"b-{material_id(m)}",
            material=material_id(m),
            date=days[t],
            amount=exact(float(amount)),
            currency=CURRENCY,
            source=source,
        )
        for m, path in enumerate(instance.benchmark)
        for t, amount in enumerate(path)
    )


def _schedules(instance: Instance, source: str) -> tuple[PriceSchedule, ...]:
    if instance.tiers is None:
        return ()
    return tuple(
        PriceSchedule(
            of="offer",
            id=offer_id(int(offer)),
            kind=TierKind.INCREMENTAL,
            per="year",
            currency=CURRENCY,
            tiers=tuple(
                Tier(least=exact(float(least)), price=exact(float(price)))
                for least, price in zip(leasts, prices, strict=True)
            ),
            source=source,
        )
        for offer, leasts, prices in zip(instance.tiers.offer, instance.tiers.least, instance.tiers.price, strict=True)
    )
