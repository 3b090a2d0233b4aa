"""Tiny catalogs and cases written to disk as their authors would, catalogs in kilograms or in tonnes."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from friendshore.domain.case import Case, DemandSpec, StockSpec, StoreSpec
from friendshore.domain.facts import Catalog, Offer, Price, Quote
from friendshore.domain.terms import OrderCondition, PriceSchedule, Terms, Tier
from friendshore.rules.base import Rule

from .random_cases.facts import in_days

Row = dict[str, Any]
UNITS = {"g": Decimal("0.001"), "kg": Decimal(1), "t": Decimal(1000)}
STEPS = {Decimal(1): "1 month", Decimal(3): "1 quarter", Decimal(12): "1 year", Decimal(0): "0"}
STEPS |= {in_days(number): f"{number} days" for number in (45, 91)}


def write(catalog: Catalog, folder: Path, unit: str, order: Random) -> Path:
    """Writes a catalog as a folder whose masses are in one unit and whose rows stand in any order."""
    folder.mkdir(parents=True)
    head = f'schema = 1\nname = "{catalog.name}"\nlicense = "{catalog.license}"\nas_of = {catalog.as_of}\n'
    (folder / "catalog.toml").write_text(head, encoding="utf-8")
    for name, rows in _tables(catalog, unit).items():
        _table(folder / f"{name}.csv", order.sample(rows, len(rows)))
    return folder


def _table(path: Path, rows: Sequence[Row]) -> None:
    if not rows:
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _mass(kilograms: Decimal | None, unit: str, per: str = "") -> str:
    return "" if kilograms is None else f"{(kilograms / UNITS[unit]).normalize():f} {unit}{per}"


def _local(source: str) -> str:
    return source.rpartition(":")[2]


def _fields(record: Any, *names: str) -> Row:
    return {name: getattr(record, name) for name in names} | {"source": _local(record.source)}


def _tables(catalog: Catalog, unit: str) -> dict[str, list[Row]]:
    # What an offer or a plant holds is written once, also where the record itself is there twice.
    offers = {o.id: o for o in catalog.offers}.values()
    plants = {f.id: f for f in catalog.facilities}.values()
    return {
        "sources": [{"id": _local(s.id), "reference": s.reference, "confidence": s.confidence.value} for s in catalog.sources],
        "materials": [
            _fields(m, "id", "element", "form", "basis", "content", "hs") | {"stages": ";".join(m.stages)} for m in catalog.materials
        ],
        "facilities": [_fields(f, "id", "country", "place", "within") for f in catalog.facilities],
        "capacity": [
            {"facility": f.id, "from": step.start or "", "per_year": _mass(step.per_year, unit, "/year") or "unlimited"}
            | {"status": step.status.value, "source": _local(step.source)}
            for f in plants for step in f.capacity
        ],
        "rates": [_fields(r, "currency", "to", "rate") | {"from": r.start} for r in catalog.rates],
        "lanes": [
            {"offer": o.id, "to": lane.to, "from": lane.start or "", "source": _local(lane.source)}
            | {"freight": "" if lane.freight is None else f"{lane.freight * UNITS[unit]} {lane.currency}/{unit}"}
            | {"lead_time": "" if lane.lead_time is None else STEPS[lane.lead_time]}
            for o in offers for lane in o.lanes
        ],
        "offers": [_offer(o, unit) for o in catalog.offers],
        "recipe": [
            {"offer": o.id, "role": role, "material": line.material, "per_unit": line.per_unit, "source": "s"}
            for o in offers for role, found in (("output", o.outputs if len(o.outputs) > 1 else ()), ("input", o.inputs)) for line in found
        ],
        "quotes": [
            {"offer": o.id, "from": q.start or "", "until": q.end or "", "source": _local(q.source)}
            | {"price": _price(q, unit if len(o.outputs) == 1 else "kg")}
            for o in offers for q in o.quotes
        ],
        "terms": [_terms(terms, unit) for terms in catalog.terms],
        "tiers": [_tier(schedule, tier, unit) for schedule in catalog.schedules for tier in schedule.tiers],
        "chain": [
            {"offer": o.id, "stage": e.stage, "countries": ";".join(sorted(e.countries))}
            | {"complete": "yes" if e.complete else "no", "source": _local(e.source)}
            for o in offers for e in o.chain
        ],
    }  # fmt: skip


def _offer(offer: Offer, unit: str) -> Row:
    single = len(offer.outputs) == 1
    assert offer.quotes or (offer.price is not None and offer.price.amount is not None)
    # The price of a run of several outputs is by unit of run, whatever the masses are written in.
    price = "" if offer.price is None else _price(offer.price, unit if single else "kg")
    return {
        "id": offer.id, "facility": offer.facility, "material": offer.outputs[0].material if single else "",
        "price": price, "price_source": _local(offer.price.source) if offer.price else "", "from": offer.start or "", "until": offer.end or "",
        **{name: _mass(getattr(offer, name), unit) for name in ("min_order", "max_order", "lot", "total")},
        **{name: _mass(getattr(offer, name), unit, "/year") for name in ("take_or_pay", "max_per_year")},
        "max_lots": offer.max_lots or "", "take_or_pay_share": offer.take_or_pay_share if offer.take_or_pay else "",
        "qualification": "" if offer.qualification is None else f"{offer.qualification} months",
        "onboarding": f"{offer.onboarding} {offer.onboarding_currency}" if offer.onboarding else "",
        "lead_time": "" if offer.lead_time is None else STEPS[offer.lead_time],
        "capacity_use": offer.capacity_use, "customs_origin": offer.customs_origin, "source": _local(offer.source),
    }  # fmt: skip


def _price(price: Price | Quote, unit: str) -> str:
    assert price.amount is not None
    return f"{price.amount * UNITS[unit]:f} {price.currency}/{unit}"


def _bearing(bearing: OrderCondition) -> Row:
    """What price schedules and terms of trade are about, when, and by whom."""
    return {
        "of": bearing.of, "id": bearing.id, "materials": ";".join(sorted(bearing.materials)), "per": bearing.per,
        "from": bearing.start or "", "until": bearing.end or "", "source": _local(bearing.source),
    }  # fmt: skip


def _terms(terms: Terms, unit: str) -> Row:
    fixed = "" if terms.fixed is None else f"{terms.fixed} {terms.currency}"
    masses = {name: _mass(getattr(terms, name), unit) for name in ("least", "most", "setup_use")}
    return {**_bearing(terms), "places": ";".join(sorted(terms.places)), "fixed": fixed, **masses}


def _tier(schedule: PriceSchedule, tier: Tier, unit: str) -> Row:
    assert tier.price is None, "not written here"
    lump = f"{tier.lump} {schedule.currency}" if tier.lump else ""
    own = {"kind": schedule.kind.value, "least": _mass(tier.least, unit), "lump": lump}
    return {**_bearing(schedule), **own, "discount": "" if tier.discount is None else tier.discount}


def write_case(case: Case, rules: Iterable[Rule], folder: Path, *catalogs: str) -> Path:
    """Writes a case that uses catalogs of folders beside it, all in kilograms and in its own currency."""
    kg = case.currency
    head = {
        "name": case.name, "start": case.horizon.start, "periods": case.horizon.count, "period": case.horizon.length.value, "currency": kg,
        "place": case.place, "discount": case.discount, "resolution": f"{case.resolution} kg",
    }  # fmt: skip
    assume = {name: f"{getattr(case.assume, name)} months" for name in ("lead_time", "safety_lead")}
    freight = None if case.assume.freight is None else f"{case.assume.freight} {kg}/kg"
    tables: list[tuple[str, list[Row]]] = [
        ("case", [head]),
        ("use", [{"catalogs": [f"./{name}" for name in catalogs]}]),
        ("accept", [{"unproven": case.accept.unproven, "confidence": case.accept.confidence.value}]),
        ("assume", [{**assume, "license": case.assume.license, "freight": freight}]),
        ("[demand]", [_demand(demand, kg) for demand in case.demands]),
        ("[stock]", [_stock(stock) for stock in case.stocks]),
        ("[order]", [o.model_dump(exclude_defaults=True) | {"quantity": f"{o.quantity} kg"} for o in case.orders]),
        ("[incumbent]", [{"offer": i.offer, "per_year": f"{i.per_year} kg/year"} for i in case.incumbents]),
        ("[license]", [_paper(paper) for paper in case.licenses]),
        ("[waiver]", [_paper(paper) for paper in case.waivers]),
        ("[store]", [_store(store, kg) for store in case.stores]),
        ("[rule]", [rule.model_dump(mode="json", by_alias=True, exclude_defaults=True) | {"kind": rule.kind} for rule in rules ]),
    ]  # fmt: skip
    text = "schema = 1\n" + "".join(
        f"\n[{name}]\n" + "".join(f"{key} = {_toml(value)}\n" for key, value in row.items() if value not in (None, ""))
        for name, rows in tables
        for row in rows
    )
    (folder / "case.toml").write_text(text, encoding="utf-8")
    return folder / "case.toml"


def _demand(demand: DemandSpec, currency: str) -> Row:
    price, rate = demand.shortage_price, demand.per_year
    return {
        "id": demand.id, "material": demand.material, "end_use": demand.end_use, "place": demand.place, "from": demand.start, "until": demand.end,
        "per_year": None if rate is None else f"{rate} kg/year", "quantities": [f"{quantity} kg" for quantity in demand.quantities] or None,
        "shortage_price": None if price is None else f"{price} {currency}/kg", **dict(demand.facts),
    }  # fmt: skip


def _stock(stock: StockSpec) -> Row:
    links = [{"stage": e.stage, "countries": sorted(e.countries), "complete": e.complete} for e in stock.chain]
    own = {name: getattr(stock, name) for name in ("id", "material", "place", "acquired")}
    return {**own, "quantity": f"{stock.quantity} kg", "chain": links or None}


def _store(store: StoreSpec, currency: str) -> Row:
    return {
        "material": store.material, "place": store.place, "limit": None if store.limit is None else f"{store.limit} kg",
        "holding": f"{store.holding} {currency}/kg/year", "loss": f"{store.loss * 100}%/year" if store.loss else None,
        "from": store.start, "until": store.end,
    }  # fmt: skip


def _paper(paper: Any) -> Row:
    quantity = None if paper.quantity is None else f"{paper.quantity} kg"
    return paper.model_dump(by_alias=True, exclude_defaults=True) | {"quantity": quantity}


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        pairs = (f"{json.dumps(key)} = {_toml(one)}" for key, one in value.items() if one is not None)
        return "{ " + ", ".join(pairs) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value) if isinstance(value, str) else str(value)
