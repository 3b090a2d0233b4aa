"""Published problems in one neutral form, and a reader of OR-Library's files; no solver and no formulation is known here.

`tests/data/published` holds some of them, each with its source and optimum; its README says where they are from.
"""

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
    """Sites that cost something to open serve customers; `cost` is of a customer's whole demand (site x customer)."""

    name: str
    source: str
    optimum: float | None
    """None: nobody published one."""
    fixed: Floats
    capacity: Floats
    """Infinite where there is no limit."""
    demand: Floats
    cost: Floats
    single: bool
    """Whether one site alone serves each customer."""


@dataclass(frozen=True, slots=True, eq=False)
class Lots:
    """Products made on one machine; a set-up costs money, and may take capacity. Product x period, but for `capacity`."""

    name: str
    source: str
    optimum: float | None
    demand: Floats
    setup: Floats
    """Money for a set-up, by product."""
    taken: Floats
    """Capacity that it takes, by product."""
    holding: Floats
    """Money for a unit held at the end of a period, by product."""
    capacity: float
    """In each period; a unit takes one."""


Problem = Location | Lots


DRAWN = {"capa_like": (100, 1_000), "capa_like_small": (30, 200)}
"""Sites and customers of problems that are drawn from a seed: of the size of OR-Library's `capa` to `capc`."""


ORLIB = {
    "capa": {8_000: 19240822.449, 10_000: 18438046.543, 12_000: 17765201.949, 14_000: 17160439.012},
    "capb": {5_000: 13656379.578, 6_000: 13361927.449, 7_000: 13198556.434, 8_000: 13082516.496},
    "capc": {5_000: 11646596.974, 5_750: 11570340.289, 6_500: 11518743.744, 7_250: 11505767.394},
}
"""Capacities of OR-Library's large location problems, and the optimum that it publishes for each. Their files are too large to lie here."""


def names(orlib: Path | None = None) -> list[str]:
    """All problems that are here, those that are drawn, and those of OR-Library in a folder of its files, each with its path."""
    large = [f"{orlib}/{name}_{each}" for name, all_ in ORLIB.items() for each in all_] if orlib else []
    return sorted([*(path.name.removesuffix(".json.gz") for path in DATA.glob("*.json.gz")), *DRAWN, *large])


def drawn(name: str, sites: int, customers: int) -> Location:
    """Sites and customers in a square, a tenth of the sites needed; each site costs about as much as ten customers far away."""
    dice = np.random.default_rng(1)
    where, homes = dice.uniform(0, 1, (sites, 2)), dice.uniform(0, 1, (customers, 2))
    demand = dice.integers(5, 101, customers).astype(np.float64)
    capacity = np.round(demand.sum() / (0.1 * sites) * dice.uniform(0.8, 1.2, sites))
    far = np.hypot(*(where[:, None] - homes[None]).transpose(2, 0, 1))
    cost = np.round(100 * far * demand, 2)
    fixed = np.round(dice.uniform(2e4, 3e4, sites) * customers / 1_000)
    return Location(name, "drawn from a seed", None, fixed, capacity, demand, cost, single=False)


def read(name: str) -> Problem:
    """One of them."""
    if name in DRAWN:
        return drawn(name, *DRAWN[name])
    file, _, capacity = name.rpartition("_")
    optimum = ORLIB.get(Path(file).name, {}).get(int(capacity) if capacity.isdecimal() else 0)
    if optimum is not None:
        text = Path(f"{file}.txt").read_text(encoding="utf-8")
        return read_orlib(Path(name).name, text, float(capacity), optimum=optimum)
    given = json.loads(gzip.decompress((DATA / f"{name}.json.gz").read_bytes()))
    return _lots(given) if "inventory" in given else _location(given)


def read_orlib(name: str, text: str, capacity: float | None = None, *, optimum: float | None = None) -> Location:
    """A file of OR-Library's location problems (`cap41` … `capc`).

    Args:
        name: what it is called.
        text: the file: sites, customers; capacity and fixed cost of each site; then of each customer demand and costs.
        capacity: stands for the word `capacity` in the large ones; infinite for the uncapacitated problem.
        optimum: from the file of optima.
    """
    words = text.replace("capacity", "nan").split()
    sites, customers = int(words[0]), int(words[1])
    numbers = np.array(words[2:], dtype=np.float64)
    opened = numbers[: 2 * sites].reshape(sites, 2)
    served = numbers[2 * sites :].reshape(customers, 1 + sites)
    limits = opened[:, 0] if capacity is None else np.full(sites, capacity)
    source = f"J. E. Beasley, OR-Library, {name}"
    return Location(name, source, optimum, opened[:, 1], limits, served[:, 0], served[:, 1:].T, single=False)


def _location(given: dict[str, Any]) -> Location:
    sites, customers = given["suppliers"], given["demands"]
    demand = np.array([customer["quantity"] for customer in customers], dtype=np.float64)
    each = np.array([[given["unit_cost"][site["id"]][customer["item"]] for customer in customers] for site in sites])
    fixed = np.array([site["fixed_cost"] for site in sites], dtype=np.float64)
    capacity = np.array([np.inf if site["capacity"] is None else site["capacity"] for site in sites])
    about = given["name"], given["source"], given["optimum"]
    return Location(*about, fixed, capacity, demand, each * demand, single=bool(given.get("single_source")))


def _lots(given: dict[str, Any]) -> Lots:
    products, setups = list(given["inventory"]), {lot["items"][0]: lot for lot in given["lots"]}
    demand = np.zeros((len(products), given["periods"]))
    for one in given["demands"]:
        demand[products.index(one["item"]), one["period"]] += one["quantity"]
    setup, taken = (np.array([setups[p].get(key, 0.0) for p in products]) for key in ("fixed_cost", "setup_use"))
    holding = np.array([given["inventory"][product]["holding_cost"] for product in products], dtype=np.float64)
    about, capacity = (given["name"], given["source"], given["optimum"]), float(given["suppliers"][0]["capacity"])
    return Lots(*about, demand, setup.astype(np.float64), taken.astype(np.float64), holding, capacity)
