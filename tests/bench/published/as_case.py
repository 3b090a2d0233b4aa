"""A published problem as a case like those in `docs/cases/published`: units are kilograms, periods are years, and shortage costs most."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from .neutral import Location, Lots, Problem

SHORTAGE = "1000000 USD/kg"
CASE = """schema = 1

[case]
name = "{name}"
start = 2027-01-01
periods = {periods}
period = "year"
currency = "USD"
place = "US"

[use]
catalogs = ["./catalog"]
demand = "demand.csv"
"""
SINGLE = """
[[rule]]
id = "one-source"
kind = "single-source"
"""
HOLDING = """
[[store]]
material = "{material}"
holding = "{cost} USD/kg/year"
"""
CATALOG = 'schema = 1\nname = "{name}"\ntitle = "{source}"\nlicense = "CC0-1.0"\nas_of = 2026-10-01\n'


def write(problem: Problem, folder: Path) -> None:
    (folder / "catalog").mkdir(parents=True)
    catalog = CATALOG.format(name=_name(problem), source=problem.source)
    (folder / "catalog" / "catalog.toml").write_text(catalog, encoding="utf-8")
    _table(folder, "catalog/sources", "id reference confidence", [["published", problem.source, "verified"]])
    if isinstance(problem, Location):
        _location(problem, folder)
    else:
        _lots(problem, folder)


def _location(problem: Location, folder: Path) -> None:
    sites = [f"s{i + 1}" for i in range(len(problem.fixed))]
    places = [f"site-c{j + 1}" for j in range(len(problem.demand))]
    freight = problem.cost / problem.demand
    case = CASE.format(name=_name(problem), periods=1) + (SINGLE if problem.single else "")
    (folder / "case.toml").write_text(case, encoding="utf-8")
    demand_pairs = zip(places, problem.demand, strict=True)
    demands = [[place[5:], "goods", "civil", place, _kilograms(q), SHORTAGE] for place, q in demand_pairs]
    _table(folder, "demand", "id material end_use place quantity shortage_price", demands)
    _facts(folder, ["goods"], sites, problem.capacity, places)
    opening = zip(sites, problem.fixed, strict=True)
    offers = [[site, site, "goods", "0 USD/kg", f"{fixed:.12g} USD", "published"] for site, fixed in opening]
    _table(folder, "catalog/offers", "id facility material price onboarding source", offers)
    lanes = [
        [site, place, f"{freight[i, j]:.12f} USD/kg", "published"]
        for i, site in enumerate(sites)
        for j, place in enumerate(places)
    ]
    _table(folder, "catalog/lanes", "offer to freight source", lanes)


def _lots(problem: Lots, folder: Path) -> None:
    goods = [f"p{i + 1}" for i in range(len(problem.demand))]
    stores = "".join(HOLDING.format(material=m, cost=f"{h:.12g}") for m, h in zip(goods, problem.holding, strict=True))
    case = CASE.format(name=_name(problem), periods=problem.demand.shape[1])
    (folder / "case.toml").write_text(case + stores, encoding="utf-8")
    demand_pairs = zip(goods, problem.demand, strict=True)
    demands = [[good, "civil", "; ".join(map(_kilograms, row)), SHORTAGE] for good, row in demand_pairs]
    _table(folder, "demand", "material end_use quantities shortage_price", demands)
    _facts(folder, goods, ["machine"], [problem.capacity], [])
    offers = [[good, "machine", good, "0 USD/kg", "published"] for good in goods]
    _table(folder, "catalog/offers", "id facility material price source", offers)
    setups = [
        ["offer", good, "period", f"{money:.12g} USD", _kilograms(setup_use) if setup_use else "", "published"]
        for good, money, setup_use in zip(goods, problem.setup, problem.setup_use, strict=True)
    ]
    _table(folder, "catalog/terms", "of id per fixed setup_use source", setups)


def _facts(
    folder: Path, goods: Sequence[str], sites: Sequence[str], capacity: Iterable[float], places: Sequence[str]
) -> None:
    """Write materials, facilities with their capacity, and a facility at each place of delivery."""
    _table(folder, "catalog/materials", "id source", [[good, "published"] for good in goods])
    facilities = [[site, site, "US", "", "published"] for site in sites]
    facilities += [[f"at-{place[5:]}", "", "US", place, "published"] for place in places]
    _table(folder, "catalog/facilities", "id operator country place source", facilities)
    capacities = [
        [site, f"{limit:.12g} kg/year" if np.isfinite(limit) else "unlimited", "operating", "published"]
        for site, limit in zip(sites, capacity, strict=True)
    ]
    _table(folder, "catalog/capacity", "facility per_year status source", capacities)


def _name(problem: Problem) -> str:
    return problem.name.lower().replace("_", "-").replace(".", "-")


def _kilograms(quantity: float) -> str:
    return f"{quantity:.12g} kg"


def _table(folder: Path, name: str, head: str, rows: Iterable[Sequence[str]]) -> None:
    with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([head.split(), *rows])
