"""One catalog folder or workbook -> Catalog, with every mistake of every table at once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..domain.facts import Catalog
from ..errors import Diagnostic, all_of
from ..reading.fields import FactColumns
from . import basics, columns
from .bearing import read_terms, read_tiers, with_list_prices
from .known import ALL_IDS, IDS_IN, Known, known_from
from .offers import made_by_facility, read_offers, with_quotes
from .state import CatalogReading
from .tables import NO_FACTS, CatalogTables, tables_at

_PIECE = 1_000
"""Records of a table that are written at once where its facts are summed up."""


@dataclass(slots=True)
class CatalogDraft:
    """A catalog as far as it could be read, and what other catalogs may refer to in it."""

    catalog: Catalog
    known: Known


def read_catalog(
    folder: Path | str, distribution: str = "", context: Sequence[Catalog] = (), facts: FactColumns = NO_FACTS
) -> Catalog:
    """Reads a catalog.

    Args:
        folder: the folder that holds `catalog.toml`, or a workbook.
        distribution: the plugin distribution and version it came with, for messages.
        context: the catalogs that it requires, already read.
        facts: columns that plugins declare (`Registry.discover().fact_columns`); any other is refused.

    Raises:
        InputError: with every mistake of every file.
    """
    found: list[Diagnostic] = []
    tables = tables_at(Path(folder), found, facts)
    head = read_head(tables, found)
    missing = set(head.keys.get("requires", ())) - {c.name for c in context}
    if missing:
        found.append(
            Diagnostic(
                "requires catalogs that were not given",
                file=tables.head_file,
                column="requires",
                found=", ".join(sorted(missing)),
                fix="read them first and hand them over as `context`",
            )
        )
    known = known_from(context)
    if missing or not head.sure:
        known.unsure |= ALL_IDS
    draft = read_draft(tables, head.keys, distribution, known, found)
    if found:
        raise all_of(found)
    return draft.catalog


@dataclass(frozen=True, slots=True)
class Head:
    """What a catalog says of itself."""

    keys: dict[str, Any]
    """As far as they can be read."""
    sure: bool
    """Whether what it is called, and what it requires, is known for sure."""


def read_head(tables: CatalogTables, found: list[Diagnostic]) -> Head:
    """What a catalog says of itself, as far as it can be read."""
    entry = tables.head(found)
    if entry is None:
        return Head({}, sure=False)
    return Head(entry.values, sure="requires" not in entry.bad and "name" in entry.values)


def read_draft(
    tables: CatalogTables, head: Mapping[str, Any], distribution: str, known: Known, found: list[Diagnostic]
) -> CatalogDraft:
    """Reads what can be read of a catalog, whose `head` is what `read_head` found; mistakes go to `found`.

    To what the catalogs define that it requires, `known`, its own definitions are added.
    """
    name = head.get("name", "catalog")  # what has no name is not read for good: that has been told
    reading = CatalogReading(name, tables, known, found)
    # The others are read when it is their turn, so that not all their rows are held at once.
    for layout in columns.TABLES:
        if layout.name in IDS_IN:
            reading.table(layout)
    for stranger in tables.strangers():
        found.append(stranger.problem)
        if reading.read.get(stranger.meant) is None:  # what the table was to define may be referred to
            known.unsure.update(IDS_IN.get(stranger.meant, ()))
    facts = _assemble(reading)
    about = {key: value for key, value in head.items() if key not in ("schema", "name", "requires")}
    requires = tuple(sorted(head.get("requires", ())))
    catalog = Catalog(name=name, requires=requires, distribution=distribution, **about, **facts)
    return CatalogDraft(catalog.but(digest=digest(catalog)), known)


def _assemble(reading: CatalogReading) -> dict[str, object]:
    """All records; the order is that of what refers to what."""
    aliases = basics.read_aliases(reading)
    sources = basics.read_sources(reading)
    basics.name_materials(reading)
    factors = basics.read_factors(reading)
    reading.factors = reading.known.conversions()
    factors_file = reading.table(columns.FACTORS).file
    reading.factors_broken = any(problem.file == factors_file for problem in reading.found)
    materials = basics.read_materials(reading)
    prices = basics.read_prices(reading)
    rates = basics.read_rates(reading)
    basics.name_facilities(reading)
    offers = with_quotes(reading, read_offers(reading))
    capacity = basics.read_capacity(reading, made_by_facility(offers))
    schedules = read_tiers(reading)
    basics.check_aliases(reading)
    return {
        "aliases": aliases,
        "sources": sources,
        "factors": factors,
        "materials": materials,
        "prices": prices,
        "rates": rates,
        "offers": with_list_prices(offers, schedules),
        "schedules": schedules,
        "terms": read_terms(reading),
        "facilities": basics.read_facilities(reading, capacity),
    }


def digest(catalog: Catalog) -> str:
    """SHA-256 of the catalog's parsed, sorted facts: the same for every row order and every choice of units."""
    found = hashlib.sha256()
    for piece in _written(catalog):
        found.update(piece.encode())
    return found.hexdigest()


def _written(catalog: Catalog) -> Iterator[str]:
    """The facts as JSON, in pieces: the whole text of a large catalog would take as much memory as the catalog."""
    before = "{"
    for name in Catalog.model_fields:
        held = getattr(catalog, name)
        if name in ("digest", "distribution"):
            continue
        table = held if isinstance(held, tuple) else ()
        for start in range(0, len(table) or 1, _PIECE):
            some = {name: table[start : start + _PIECE]} if table else {}
            text = catalog.but(**some).model_dump_json(include={name}, exclude_defaults=True)[1:-1]
            if start:
                text = text.removeprefix(f'"{name}":[')
            if start + _PIECE < len(table):
                text = text.removesuffix("]")
            if text:
                yield before + text
                before = ","
    yield "}"
