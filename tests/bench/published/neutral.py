"""Published problems in one neutral form, and a reader of OR-Library's files. `tests/data/published` contains some, with sources and optima."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
DATA = Path(__file__).parents[2] / "data" / "published"


@dataclass(frozen=True, slots=True, eq=False)
class Location:
    """Facility location: `cost` is that of a customer's whole demand, site x customer."""

    name: str
    source: str
    optimum: float | None
    """None if unknown."""
    fixed: Floats
    capacity: Floats
    """Infinite for no limit."""
    demand: Floats
    cost: Floats
    single: bool
    """True if one site must serve each customer alone."""


@dataclass(frozen=True, slots=True, eq=False)
class Lots:
    """Lot sizing on one machine, with setup costs and setup times. Arrays are product x period, except `capacity`."""

    name: str
    source: str
    optimum: float | None
    demand: Floats
    setup: Floats
    """Cost of a setup, by product."""
    setup_use: Floats
    """Capacity used by a setup, by product."""
    holding: Floats
    """Cost per unit held at the end of a period, by product."""
    capacity: float
    """Capacity of each period. A unit uses one."""


Problem = Location | Lots


DRAWN = {"capa_like": (100, 1_000), "capa_like_small": (30, 200)}
"""Sites and customers of generated problems, as large as OR-Library's `capa` to `capc`."""


ORLIB = {
    "capa": {8_000: 19240822.449, 10_000: 18438046.543, 12_000: 17765201.949, 14_000: 17160439.012},
    "capb": {5_000: 13656379.578, 6_000: 13361927.449, 7_000: 13198556.434, 8_000: 13082516.496},
    "capc": {5_000: 11646596.974, 5_750: 11570340.289, 6_500: 11518743.744, 7_250: 11505767.394},
}
"""Capacities of OR-Library's large location problems, with published optima. Their files are too large for the repository."""


def names(orlib: Path | None = None) -> list[str]:
    """Return the names of stored and generated problems, and of OR-Library's problems in a folder."""
    large = [f"{orlib}/{name}_{size}" for name, sizes in ORLIB.items() for size in sizes] if orlib else []
    return sorted([*(path.name.removesuffix(".json.gz") for path in DATA.glob("*.json.gz")), *DRAWN, *large])


def drawn(name: str, sites: int, customers: int) -> Location:
    """Return random sites and customers in a square. A tenth of the sites is needed, and a site costs about as much as ten distant customers."""
    rng = np.random.default_rng(1)
    sites_at, customers_at = rng.uniform(0, 1, (sites, 2)), rng.uniform(0, 1, (customers, 2))
    demand = rng.integers(5, 101, customers).astype(np.float64)
    capacity = np.round(demand.sum() / (0.1 * sites) * rng.uniform(0.8, 1.2, sites))
    distance = np.hypot(*(sites_at[:, None] - customers_at[None]).transpose(2, 0, 1))
    cost = np.round(100 * distance * demand, 2)
    fixed = np.round(rng.uniform(2e4, 3e4, sites) * customers / 1_000)
    return Location(name, "drawn from a seed", None, fixed, capacity, demand, cost, single=False)


def read(name: str) -> Problem:
    if name in DRAWN:
        return drawn(name, *DRAWN[name])
    file, _, capacity = name.rpartition("_")
    optimum = ORLIB.get(Path(file).name, {}).get(int(capacity) if capacity.isdecimal() else 0)
    if optimum is not None:
        text = Path(f"{file}.txt").read_text(encoding="utf-8")
        return read_orlib(Path(name).name, text, float(capacity), optimum=optimum)
    data = json.loads(gzip.decompress((DATA / f"{name}.json.gz").read_bytes()))
    return _lots(data) if "inventory" in data else _location(data)


def read_orlib(name: str, text: str, capacity: float | None = None, *, optimum: float | None = None) -> Location:
    """Read a file of OR-Library's location problems (`cap41` … `capc`).

    Args:
        name: Name of the problem.
        text: Sites, customers; capacity and fixed cost of each site; demand and costs of each customer.
        capacity: Value of the word `capacity` in the large ones. Infinite for the uncapacitated problem.
        optimum: Published optimum.
    """
    words = text.replace("capacity", "nan").split()
    sites, customers = int(words[0]), int(words[1])
    numbers = np.array(words[2:], dtype=np.float64)
    opened = numbers[: 2 * sites].reshape(sites, 2)
    served = numbers[2 * sites :].reshape(customers, 1 + sites)
    limits = opened[:, 0] if capacity is None else np.full(sites, capacity)
    source = f"J. E. Beasley, OR-Library, {name}"
    return Location(name, source, optimum, opened[:, 1], limits, served[:, 0], served[:, 1:].T, single=False)


def _location(data: dict[str, Any]) -> Location:
    sites, customers = data["suppliers"], data["demands"]
    demand = np.array([customer["quantity"] for customer in customers], dtype=np.float64)
    unit_cost = np.array(
        [[data["unit_cost"][site["id"]][customer["item"]] for customer in customers] for site in sites]
    )
    fixed = np.array([site["fixed_cost"] for site in sites], dtype=np.float64)
    capacity = np.array([np.inf if site["capacity"] is None else site["capacity"] for site in sites])
    labels = data["name"], data["source"], data["optimum"]
    return Location(*labels, fixed, capacity, demand, unit_cost * demand, single=bool(data.get("single_source")))


def _lots(data: dict[str, Any]) -> Lots:
    products, setups = list(data["inventory"]), {lot["items"][0]: lot for lot in data["lots"]}
    demand = np.zeros((len(products), data["periods"]))
    for entry in data["demands"]:
        demand[products.index(entry["item"]), entry["period"]] += entry["quantity"]
    setup, setup_use = (np.array([setups[p].get(key, 0.0) for p in products]) for key in ("fixed_cost", "setup_use"))
    holding = np.array([data["inventory"][product]["holding_cost"] for product in products], dtype=np.float64)
    labels, capacity = (data["name"], data["source"], data["optimum"]), float(data["suppliers"][0]["capacity"])
    return Lots(*labels, demand, setup.astype(np.float64), setup_use.astype(np.float64), holding, capacity)
