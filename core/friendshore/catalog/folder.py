"""One catalog folder -> Catalog, with every mistake of every file at once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..domain.facts import Catalog
from ..errors import Problem
from ..reading.csvfile import read_table
from ..reading.order import all_of
from ..reading.suggest import did_you_mean, nearest
from ..reading.tomlfile import read_section, read_toml
from . import columns
from .basics import name_materials, read_factors, read_materials, read_prices, read_rates, read_sources
from .facilities import name_facilities, read_capacity, read_facilities
from .known import Known, known_from
from .offers import made_by_facility, read_offers
from .quotes import with_quotes
from .state import Reading
from .terms import read_terms
from .tiers import read_tiers, with_list_prices

HEAD_FILE = "catalog.toml"
_LOOK_LIKE_TABLES = frozenset({".csv", ".tsv", ".xls", ".xlsx", ".ods"})


@dataclass(slots=True)
class Draft:
    """A catalog as far as it could be read, and what other catalogs may refer to in it."""

    catalog: Catalog
    known: Known


def read_catalog(folder: Path, distribution: str = "", context: Sequence[Catalog] = ()) -> Catalog:
    """Reads a catalog folder.

    Args:
        folder: the folder that holds `catalog.toml`.
        distribution: the plugin distribution and version it came with, for messages.
        context: the catalogs that it requires, already read.

    Raises:
        InputError: with every mistake of every file.
    """
    found: list[Problem] = []
    head = read_head(folder, found)
    missing = set(head.get("requires", ())) - {c.name for c in context}
    if missing:
        found.append(
            Problem(
                "requires catalogs that were not given",
                file=str(folder / HEAD_FILE),
                column="requires",
                found=", ".join(sorted(missing)),
                fix="read them first and hand them over as `context`",
            )
        )
    draft = read_draft(folder, head, distribution, known_from(context), found)
    if found:
        raise all_of(found)
    return draft.catalog


def read_head(folder: Path, found: list[Problem]) -> dict[str, Any]:
    """The keys of `catalog.toml`, as far as they can be read."""
    path = folder / HEAD_FILE
    if not path.is_file():
        found.append(_no_head(folder))
        return {}
    toml = read_toml(path, found)
    return {} if toml is None else read_section(toml, columns.HEAD, toml.data).values


def _no_head(folder: Path) -> Problem:
    if not folder.is_dir():
        return Problem("there is no such folder", file=str(folder), expected="a catalog folder", fix="check the path")
    near = nearest(HEAD_FILE, [p.name for p in folder.iterdir()], alike=0.7)
    return Problem(
        f"the folder has no {HEAD_FILE}",
        file=str(folder),
        found=f"`{near}`" if near else "",
        expected=f"{HEAD_FILE} with schema = 1 and a name",
        fix=f"rename `{near}` to {HEAD_FILE}" if near else "",
    )


def read_draft(folder: Path, head: dict[str, Any], distribution: str, known: Known, found: list[Problem]) -> Draft:
    """Reads what can be read; mistakes go to `found`.

    Args:
        folder: the catalog folder.
        head: what `read_head` found.
        distribution: where the catalog came from.
        known: what the required catalogs define; this catalog's own definitions are added.
        found: where problems are put.
    """
    name = head.get("name", folder.name)
    reading = Reading(name, {}, known, found)
    for layout in columns.TABLES:
        if (folder / layout.name).is_file():
            reading.tables[layout.name] = read_table(folder / layout.name, layout, found)
    found.extend(_strangers(folder))
    facts = _assemble(reading)
    about = {key: value for key, value in head.items() if key not in ("schema", "name", "requires")}
    requires = tuple(sorted(head.get("requires", ())))
    catalog = Catalog(name=name, requires=requires, distribution=distribution, **about, **facts)
    return Draft(catalog.model_copy(update={"digest": digest(catalog)}), known)


def _assemble(reading: Reading) -> dict[str, Any]:
    """All records; the order is that of what refers to what."""
    sources = read_sources(reading)
    name_materials(reading)
    factors = read_factors(reading)
    reading.factors = reading.known.conversions()
    factors_file = reading.table(columns.FACTORS).file
    reading.factors_broken = any(problem.file == factors_file for problem in reading.found)
    materials = read_materials(reading)
    prices = read_prices(reading)
    rates = read_rates(reading)
    name_facilities(reading)
    offers = with_quotes(reading, read_offers(reading))
    capacity = read_capacity(reading, made_by_facility(offers))
    schedules = read_tiers(reading)
    return {
        "sources": sources,
        "factors": factors,
        "materials": materials,
        "prices": prices,
        "rates": rates,
        "offers": with_list_prices(offers, schedules),
        "schedules": schedules,
        "terms": read_terms(reading),
        "facilities": read_facilities(reading, capacity),
    }


def _strangers(folder: Path) -> list[Problem]:
    """Files that look like tables but are none of a catalog's."""
    if not folder.is_dir():
        return []
    names = [layout.name for layout in columns.TABLES]
    strangers = sorted(
        p.name for p in folder.iterdir() if p.suffix.lower() in _LOOK_LIKE_TABLES and p.name not in names
    )
    return [
        Problem(
            "a catalog has no such table, so it would not be read",
            file=str(folder / stranger),
            expected="one of " + ", ".join(names),
            fix=did_you_mean(stranger, names) or "move the file elsewhere",
        )
        for stranger in strangers
    ]


def digest(catalog: Catalog) -> str:
    """SHA-256 of the catalog's parsed, sorted facts: the same for every row order and every choice of units."""
    facts = catalog.model_dump_json(exclude={"digest", "distribution"}, exclude_defaults=True)
    return hashlib.sha256(facts.encode()).hexdigest()
