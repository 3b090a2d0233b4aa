"""An instance as the files of a planner: a case, a table of demands and a catalog folder."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from friendshore.domain.time import add_months

from .instances import COUNTRIES, Instance, Tiers
from .records import CURRENCY, END_USE, PLACE, STAGES, START, facility_id, material_id, offer_id

CASE = """schema = 1

[case]
name = "bench-{name}"
start = {start}
periods = {months}
period = "month"
currency = "{currency}"
place = "{place}"
discount = {discount}

[use]
catalogs = ["./catalog"]
demand = "demand.csv"
"""
SHARE = """
[[rule]]
id = "country-share"
kind = "max-share"
by = "country"
share = {share}
of = "purchases"
per = "period"
"""
BUDGET = """
[[rule]]
id = "budget"
kind = "budget"
amount = {budget}
per = "year"
"""
STORE = """
[[store]]
material = "{material}"
holding = "{holding!r} {currency}/kg/year"
"""
STOCK = """
[[stock]]
material = "{material}"
quantity = "{quantity!r} kg"
chain = [{chain}]
"""


def write(instance: Instance, folder: Path, budget: float | None = None) -> None:
    """Writes `case.toml`, `demand.csv` and the folder `catalog`."""
    (folder / "catalog").mkdir(parents=True)
    (folder / "case.toml").write_text(_case(instance, budget), encoding="utf-8")
    _table(
        folder / "demand.csv",
        ("material", "end_use", "quantities", "shortage_price"),
        (
            (material_id(m), END_USE, "; ".join(f"{q!r} kg" for q in wanted.tolist()), f"{price!r} {CURRENCY}/kg")
            for m, (wanted, price) in enumerate(zip(instance.demand, instance.shortage.tolist(), strict=True))
        ),
    )
    head = f'schema = 1\nname = "bench-{instance.name.lower()}"\nlicence = "CC0-1.0"\nas_of = {START}\n'
    (folder / "catalog" / "catalog.toml").write_text(head, encoding="utf-8")
    _catalog(instance, folder / "catalog")


def _case(instance: Instance, budget: float | None) -> str:
    head = CASE.format(
        name=instance.name.lower(),
        start=START,
        months=instance.months,
        currency=CURRENCY,
        place=PLACE,
        discount=instance.discount,
    )
    parts = [head]
    if instance.share is not None:
        parts.append(SHARE.format(share=instance.share))
    if budget is not None:
        parts.append(BUDGET.format(budget=budget))
    chain = ", ".join(f'{{ stage = "{s.value}", countries = "US", complete = true }}' for s in STAGES)
    for m, holding in enumerate(instance.holding.tolist()):
        parts.append(STORE.format(material=material_id(m), holding=holding, currency=CURRENCY))
    for m, quantity in enumerate(instance.opening.tolist()):
        if quantity:
            parts.append(STOCK.format(material=material_id(m), quantity=quantity, chain=chain))
    return "".join(parts)


def _table(path: Path, names: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows(rows)


def _catalog(instance: Instance, folder: Path) -> None:
    materials, countries = range(len(instance.demand)), [COUNTRIES[c] for c in instance.country]
    source = "drawn"
    _table(folder / "sources.csv", ("id", "reference", "confidence"), [(source, "drawn for the bench", "verified")])
    stages = ";".join(stage.value for stage in STAGES)
    _table(folder / "materials.csv", ("id", "stages", "source"), ((material_id(m), stages, source) for m in materials))
    _table(
        folder / "facilities.csv",
        ("id", "country", "source"),
        ((facility_id(f), country, source) for f, country in enumerate(countries)),
    )
    _table(
        folder / "capacity.csv",
        ("facility", "per_year", "status", "source"),
        ((facility_id(f), f"{a!r} kg/year", "operating", source) for f, a in enumerate(instance.capacity.tolist())),
    )
    _table(
        folder / "chain.csv",
        ("offer", "stage", "countries", "complete", "source"),
        (
            (offer_id(o), stage.value, countries[f], "yes", source)
            for o, f in enumerate(instance.facility.tolist())
            for stage in STAGES
        ),
    )
    _offers(instance, folder / "offers.csv", source)
    if instance.tiers is not None:
        _tiers(instance.tiers, folder / "tiers.csv", source)
    if instance.benchmark is not None:
        _table(
            folder / "prices.csv",
            ("id", "material", "date", "price", "source"),
            (
                (f"b-{material_id(m)}", material_id(m), add_months(START, t), f"{amount!r} {CURRENCY}/kg", source)
                for m, path in enumerate(instance.benchmark.tolist())
                for t, amount in enumerate(path)
            ),
        )


def _tiers(tiers: Tiers, path: Path, source: str) -> None:
    _table(
        path,
        ("id", "kind", "per", "least", "price", "source"),
        (
            (offer_id(offer), "incremental", "year", f"{least!r} kg", f"{price!r} {CURRENCY}/kg", source)
            for offer, leasts, prices in zip(
                tiers.offer.tolist(), tiers.least.tolist(), tiers.price.tolist(), strict=True
            )
            for least, price in zip(leasts, prices, strict=True)
        ),
    )


def _offers(instance: Instance, path: Path, source: str) -> None:
    quoted = instance.benchmark is None
    names = ("id", "facility", "material", "price" if quoted else "premium", "benchmark", "min_order", "onboarding")
    figures = zip(
        instance.facility.tolist(),
        instance.material.tolist(),
        instance.price.tolist(),
        instance.least.tolist(),
        instance.onboarding.tolist(),
        instance.capacity_use.tolist(),
        strict=True,
    )
    _table(
        path,
        (*names, "capacity_use", "source"),
        (
            (
                offer_id(o),
                facility_id(f),
                material_id(m),
                f"{price!r} {CURRENCY}/kg" if quoted else repr(price),
                "" if quoted else f"b-{material_id(m)}",
                f"{least!r} kg" if least else "",
                f"{onboarding!r} {CURRENCY}" if onboarding else "",
                use,
                source,
            )
            for o, (f, m, price, least, onboarding, use) in enumerate(figures)
        ),
    )
