"""Forged runs: changed facts, a plan from them, and a run folder that friendshore itself writes."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from friendshore.case import load_case
from friendshore.catalog import digest
from friendshore.domain.facts import Catalog
from friendshore.plugins import Registry
from friendshore.recommend import plan, verdicts
from friendshore.recommend.describe import run_of
from friendshore.recommend.facts import facts_file
from friendshore.recommend.recheck import _context_of, read_facts
from friendshore.run import read_run, write_run
from friendshore.run.folder import SIGNATURE_FILE, SUMS_FILE, sums_text
from friendshore.session import Session
from friendshore.solve import Limits

from .case_books import friendshore as command

Facts = dict[str, Any]
Bend = Callable[[Facts], None]

CASE = """schema = 1
case = { name = "tungsten", start = 2027-01-01, periods = 2, period = "year", currency = "USD", place = "US" }
use = { catalogs = ["usgs-2026", "./own"], packs = ["us-10usc4872", "us-tariffs", "cn-export-controls", "./house"] }
accept = { confidence = "assumed" }
assume = { lead_time = "0", license = { civil = "granted" } }
demand = [
    { id = "penetrators", material = "tungsten-powder", end_use = "defense", per_year = "10 t", shortage_price = "9000 USD/kg" },
    { id = "tools", material = "tungsten-powder", end_use = "civil", per_year = "20 t", shortage_price = "9000 USD/kg" },
]
rule = [{ kind = "max-share", id = "not-all-from-one", materials = ["tungsten-powder"], by = "country", of = "purchases", share = "90%", per = "year" }]
[[stock]]
id = "vault"
material = "tungsten-powder"
quantity = "1 t"
chain = [{ stage = "mined", countries = ["US"], complete = true }, { stage = "refined", countries = ["US"], complete = true },
         { stage = "produced", countries = ["US"], complete = true }]
[[scenario]]
name = "relaxed"
change = [{ disable = "us-4872-tungsten" }, { disable = "us-4872-tungsten-2027" }, { disable = "house-ban" }]
"""
OWN = {
    "catalog.toml": 'schema = 1\nname = "own"\ntitle = "Invented sellers"\nlicense = "CC0-1.0"\nas_of = 2026-10-01\n'
    'requires = ["materials"]\n',
    "facilities.csv": "id,name,operator,country,source\nhill,Hill works,Hill Metals,AU,invented\nvale,Vale works,Vale Metals,PT,invented\n",
    "capacity.csv": "facility,from,per_year,status,source\nhill,,12 t/year,operating,invented\nvale,,30 t/year,operating,invented\n",
    "offers.csv": "id,facility,material,price,price_source,lead_time,source\n"
    "hill-powder,hill,tungsten-powder,300 USD/kg,invented,,invented\nvale-powder,vale,tungsten-powder,340 USD/kg,invented,,invented\n",
    "chain.csv": "offer,stage,countries,complete,source\n"
    + "".join(
        f"{offer}-powder,{stage},{country},yes,invented\n"
        for offer, country in (("hill", "AU"), ("vale", "PT"))
        for stage in ("mined", "refined", "produced")
    ),
    "sources.csv": "id,reference,date,confidence,note\ninvented,Invented for this test,2026-10-01,assumed,\n",
}
HOUSE = """schema = 1
id = "house"
title = "House rules"
authority = "House"
as_of = 2026-10-01
license = "CC0-1.0"
[[rule]]
kind = "origin-ban"
id = "house-ban"
title = "Nothing refined in China for defense"
citation = "House rule 1"
source = "invented"
stages = ["refined"]
countries = ["CN"]
end_uses = ["defense"]
phases = [{ from = 2026-01-01, status = "enacted" }]
"""


def friendshore(*arguments: str | Path) -> tuple[int, str]:
    """Return the exit code and output of a command."""
    result = command(*arguments, COLUMNS="400")
    return result.exit_code, result.output


def write_case(folder: Path) -> Path:
    """Write the case with its catalog and pack."""
    for name, text in {"case.toml": CASE, "house/pack.toml": HOUSE, **{f"own/{n}": t for n, t in OWN.items()}}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder / "case.toml"


def write_original(folder: Path, registry: Registry, scenario: str = "") -> Path:
    """Write an unforged run of the case."""
    recommendation = plan(load_case(write_case(folder / "case")), registry=registry, scenario=scenario or (), workers=1)
    write_run(folder / "run", recommendation.run, recommendation.facts(), verdicts(recommendation.plan))
    return folder / "run"


def forge(original: Path, out: Path, bend: Bend, registry: Registry) -> Path:
    """Write a run that follows from changed facts, and is otherwise as friendshore writes it."""
    stored = read_run(original)
    facts = copy.deepcopy(dict(stored.facts))
    bend(facts)
    facts = json.loads(json.dumps(facts))
    read = read_facts(facts, registry)
    session = Session.open(read.inputs, Limits(workers=1))
    file = facts_file(facts).model_copy(update={"plan": session.verified.plan})
    run = run_of(session.verified, _context_of(stored.run, read_facts(file.written, registry)))
    write_run(out, run, file.written, verdicts(session.verified))
    return out


def resum(run: Path) -> None:
    """Update the hashes, as a forger would."""
    files = [file for file in run.iterdir() if file.name not in (SUMS_FILE, SIGNATURE_FILE)]
    hashes = {file.name: sha256(file.read_bytes()).hexdigest() for file in files}
    (run / SUMS_FILE).write_text(sums_text(hashes), encoding="utf-8")


def redigest(facts: Facts) -> None:
    """Update the digest of every catalog to its contents, wherever it occurs."""
    for data in facts["catalogs"]:
        catalog = Catalog.model_validate(data)
        data["digest"] = digest(catalog)
        plugin = next(p for p in facts["plugins"] if (p["kind"], p["name"]) == ("catalog", catalog.name))
        plugin["digest"] = data["digest"]


def catalog_of(facts: Facts, name: str) -> Facts:
    catalog: Facts = next(candidate for candidate in facts["catalogs"] if candidate["name"] == name)
    return catalog


def record_of(facts: Facts, catalog: str, table: str, name: str) -> Facts:
    record: Facts = next(candidate for candidate in catalog_of(facts, catalog)[table] if candidate["id"] == name)
    return record


def rule_of(facts: Facts, name: str) -> Facts:
    """Return a rule of the facts, with its origin."""
    record: Facts = next(candidate for candidate in facts["rules"] if candidate["data"]["id"] == name)
    return record
