"""A case of one demand for tin and a catalog beside it, for tests of what is brought to either."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

TABLES = {
    "catalog.toml": 'schema = 1\nname = "ours"\n',
    "sources.csv": "id,reference,date,confidence\ns,somebody,2026-11-01,verified\n",
    "materials.csv": "id,element,form,basis,stages\ntin,Sn,metal,gross,\n",
}
"""What any such catalog holds, beside its facilities, capacities and offers."""
CASE = """schema = 1
[case]
name = "c"
start = 2027-01-01
periods = 1
period = "year"
place = "US"
[use]
catalogs = ["./ours"]
[[demand]]
material = "tin"
end_use = "civil"
per_year = "1 t"
"""


def write_catalog(folder: Path, tables: Mapping[str, str]) -> None:
    """Writes the catalog, these tables with what any holds."""
    (folder / "ours").mkdir()
    for name, text in {**TABLES, **tables}.items():
        (folder / "ours" / name).write_text(text, encoding="utf-8")


def write_case(folder: Path, text: str) -> Path:
    """Writes the case file, and returns its path."""
    file = folder / "case.toml"
    file.write_text(text, encoding="utf-8")
    return file
