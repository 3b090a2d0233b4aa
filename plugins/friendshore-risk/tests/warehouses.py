"""The warehouses of cap41 for demand that nobody knows, as a case: `python -m tests.warehouses 100 1 FOLDER` writes that of a hundred demands of the first seed.

What `cap41` of `test_published_recourse` states as a program: 16 warehouses that cost something to open, 50 customers, and demands drawn together. The
generator of borelian/AdaptiveBenders takes the two numbers of a warehouse the other way round: 5,000 is what it costs, and the other one what it holds.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np

CAP41 = Path(__file__).parents[3] / "docs" / "cases" / "published" / "cap41"


def rows(name: str) -> list[dict[str, str]]:
    """A table of the published case."""
    with (CAP41 / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def holds() -> list[float]:
    """Return the capacity of each warehouse."""
    return [float((row["onboarding"] or "0 USD").split()[0].replace(",", "")) for row in rows("catalog/offers.csv")]


def wanted() -> list[float]:
    """Return the maximum demand of each customer."""
    return [float(row["quantity"].split()[0].replace(",", "")) for row in rows("demand.csv")]


def drawn(count: int, seed: int) -> list[list[float]]:
    """Shares of that, by customer and scenario."""
    found: list[list[float]] = np.random.default_rng(seed=seed).random((len(wanted()), count)).tolist()
    return found


def write(folder: Path, count: int, seed: int) -> Path:
    """Writes the case; its folder."""
    (folder / "catalog").mkdir(parents=True)
    for name in ("catalog.toml", "facilities.csv", "lanes.csv", "materials.csv", "sources.csv"):
        (folder / "catalog" / name).write_bytes((CAP41 / "catalog" / name).read_bytes())
    (folder / "demand.csv").write_bytes((CAP41 / "demand.csv").read_bytes())
    capacity, offers = rows("catalog/capacity.csv"), rows("catalog/offers.csv")
    for row, most in zip(capacity, holds(), strict=True):
        row["per_year"] = f"{most:g} kg/year"
    for row in offers:
        row["onboarding"] = "5000 USD"
    for name, table in (("capacity.csv", capacity), ("offers.csv", offers)):
        with (folder / "catalog" / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(table[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(table)
    lines = [(CAP41 / "case.toml").read_text(encoding="utf-8"), "[plugin.friendshore-risk]", "day = 2027-01-01"]
    first = rows("demand.csv")[0]["id"]
    for row, shares in zip(rows("demand.csv"), drawn(count, seed), strict=True):
        name = row["id"]
        how = f'along_with = "{first}"' if name != first else f"chances = {[1 / count] * count}"
        lines += ["", "[[plugin.friendshore-risk.event]]", f'name = "{name}"', f'demand = "{name}"']
        lines += [f"factors = {shares}", how]
    (folder / "case.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


if __name__ == "__main__":
    sys.stdout.write(f"{write(Path(sys.argv[3]), int(sys.argv[1]), int(sys.argv[2]))}\n")
