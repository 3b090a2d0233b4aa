"""A case with very many offers in one catalog, written to a folder."""

from __future__ import annotations

from pathlib import Path

CASE = """schema = 1
rule = [{ kind = "origin-ban", id = "ban", stages = ["mined"], countries = ["CN"], end_uses = ["defense"] }]
use = { catalogs = ["./catalog"] }
accept = { confidence = "reported" }
[case]
name = "large"
start = 2027-01-01
periods = 4
period = "quarter"
currency = "USD"
place = "US"
[[demand]]
material = "metal"
end_use = "defense"
per_year = "100 t"
shortage_price = "5000 USD/kg"
"""
COUNTRIES = ("AU", "CA", "JP", "KR", "DE", "FR", "BR", "CL", "CN", "ZA")


def large_case(folder: Path, offers: int) -> Path:
    """One demand for a metal that so many plants offer, each with its capacity, price and origin; a rule bars one in ten."""
    made = range(offers)
    where = [COUNTRIES[k % len(COUNTRIES)] for k in made]
    tables = {
        "sources": ["id,reference,date,confidence", "s,Invented,2026-10-01,reported"],
        "materials": ["id,element,form,basis,content,stages,source", "metal,Sb,metal,gross,1,mined;refined,s"],
        "facilities": [
            "id,name,operator,country,source",
            *(f"plant-{k},Plant {k},Op {k % 97},{where[k]},s" for k in made),
        ],
        "capacity": ["facility,per_year,status,source", *(f"plant-{k},{1 + k % 50} t/year,operating,s" for k in made)],
        "offers": [
            "id,facility,material,price,price_source,source",
            *(f"offer-{k},plant-{k},metal,{10 + k % 777} USD/kg,s,s" for k in made),
        ],
        "chain": [
            "offer,stage,countries,complete,source",
            *(f"offer-{k},{stage},{where[k]},yes,s" for k in made for stage in ("mined", "refined")),
        ],
    }
    (folder / "catalog").mkdir(parents=True)
    (folder / "catalog" / "catalog.toml").write_text('schema = 1\nname = "large"\n', encoding="utf-8")
    for name, rows in tables.items():
        (folder / "catalog" / f"{name}.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (folder / "case.toml").write_text(CASE, encoding="utf-8")
    return folder
