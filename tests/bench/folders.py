"""An instance as case files: a case, a demand table, and a catalog folder."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from friendshore.domain.time import add_months

from .instances import COUNTRIES, Instance

START = date(2027, 1, 1)
"""First day of every plan."""
STAGES = ("mined", "refined")
SOURCE = "drawn"
"""Source of all figures."""
CASE = """schema = 1

[case]
name = "bench-{name}"
start = 2027-01-01
periods = {months}
period = "month"
currency = "USD"
place = "US"
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
holding = "{holding!r} USD/kg/year"
"""
STOCK = """
[[stock]]
material = "{material}"
quantity = "{quantity!r} kg"
chain = [{chain}]
"""
CHAIN = ", ".join(f'{{ stage = "{stage}", countries = "US", complete = true }}' for stage in STAGES)


def material_id(number: int) -> str:
    """Return the id of a material. Ids sort like numbers."""
    return f"m{number:04}"


def facility_id(number: int) -> str:
    return f"f{number:05}"


def offer_id(number: int) -> str:
    return f"o{number:06}"


def write(instance: Instance, folder: Path, budget: float | None = None) -> None:
    (folder / "catalog").mkdir(parents=True)
    (folder / "case.toml").write_text(_case(instance, budget), encoding="utf-8")
    demands = (
        (material_id(m), "civil", "; ".join(f"{q!r} kg" for q in quantities.tolist()), f"{price!r} USD/kg")
        for m, (quantities, price) in enumerate(zip(instance.demand, instance.shortage.tolist(), strict=True))
    )
    _table(folder / "demand.csv", ("material", "end_use", "quantities", "shortage_price"), demands)
    head = f'schema = 1\nname = "bench-{instance.name.lower()}"\nlicense = "CC0-1.0"\nas_of = {START}\n'
    (folder / "catalog" / "catalog.toml").write_text(head, encoding="utf-8")
    for name, (columns, rows) in _tables(instance).items():
        _table(folder / "catalog" / f"{name}.csv", (*columns.split(), "source"), ((*row, SOURCE) for row in rows))
    source = [(SOURCE, "drawn for the bench", "verified")]
    _table(folder / "catalog" / "sources.csv", ("id", "reference", "confidence"), source)


def _case(instance: Instance, budget: float | None) -> str:
    parts = [CASE.format(name=instance.name.lower(), months=instance.months, discount=instance.discount)]
    if instance.share is not None:
        parts.append(SHARE.format(share=instance.share))
    if budget is not None:
        parts.append(BUDGET.format(budget=budget))
    for m, holding in enumerate(instance.holding.tolist()):
        parts.append(STORE.format(material=material_id(m), holding=holding))
    for m, quantity in enumerate(instance.opening.tolist()):
        if quantity:
            parts.append(STOCK.format(material=material_id(m), quantity=quantity, chain=CHAIN))
    return "".join(parts)


def _table(path: Path, names: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows(rows)


def _tables(instance: Instance) -> dict[str, tuple[str, Iterable[Sequence[object]]]]:
    """Return columns and rows by catalog table. The source is added to each row later."""
    countries = [COUNTRIES[c] for c in instance.country]
    offer_facilities = list(enumerate(instance.facility.tolist()))
    tables: dict[str, tuple[str, Iterable[Sequence[object]]]] = {
        "materials": ("id stages", ((material_id(m), ";".join(STAGES)) for m in range(len(instance.demand)))),
        "facilities": ("id country", ((facility_id(f), country) for f, country in enumerate(countries))),
        "capacity": (
            "facility per_year status",
            ((facility_id(f), f"{a!r} kg/year", "operating") for f, a in enumerate(instance.capacity.tolist())),
        ),
        "chain": (
            "offer stage countries complete",
            ((offer_id(o), stage, countries[f], "yes") for o, f in offer_facilities for stage in STAGES),
        ),
        "offers": _offers(instance),
    }
    if instance.tiers is not None:
        offers, *steps = (
            column.tolist() for column in (instance.tiers.offer, instance.tiers.least, instance.tiers.price)
        )
        tables["tiers"] = (
            "id kind per least price",
            (
                (offer_id(offer), "incremental", "year", f"{least!r} kg", f"{price!r} USD/kg")
                for offer, leasts, prices in zip(offers, *steps, strict=True)
                for least, price in zip(leasts, prices, strict=True)
            ),
        )
    if instance.benchmark is not None:
        tables["prices"] = (
            "id material date price",
            (
                (f"b-{material_id(m)}", material_id(m), add_months(START, t), f"{amount!r} USD/kg")
                for m, path in enumerate(instance.benchmark.tolist())
                for t, amount in enumerate(path)
            ),
        )
    return tables


def _offers(instance: Instance) -> tuple[str, Iterable[Sequence[object]]]:
    quoted = instance.benchmark is None
    names = ("facility", "material", "price", "least", "onboarding", "capacity_use")
    figures = zip(*(getattr(instance, name).tolist() for name in names), strict=True)
    rows = (
        (
            offer_id(o),
            facility_id(f),
            material_id(m),
            f"{price!r} USD/kg" if quoted else repr(price),
            "" if quoted else f"b-{material_id(m)}",
            f"{least!r} kg" if least else "",
            f"{onboarding!r} USD" if onboarding else "",
            use,
        )
        for o, (f, m, price, least, onboarding, use) in enumerate(figures)
    )
    price = "price" if quoted else "premium"
    return f"id facility material {price} benchmark min_order onboarding capacity_use", rows
