"""Ids that a catalog no longer uses: its table, and what several catalogs say of the same id."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..domain.facts import Catalog
from ..domain.naming import Alias
from ..errors import Diagnostic
from . import columns
from .known import alias_faults
from .state import CatalogReading


def read_aliases(reading: CatalogReading) -> tuple[Alias, ...]:
    """The aliases of a catalog; what they lead to is looked at by `check_aliases`, once all its ids are known."""
    table = reading.table(columns.ALIASES)
    made = []
    for row in table.rows:
        row.values.setdefault("of", "offer")
    for row in table.unique("of", "old"):
        alias = table.made(row, Alias, reading.given(table, row, Alias))
        if alias is not None:
            reading.known.aliases[alias.of, alias.old] = alias
            made.append(alias)
    return tuple(made)


def check_aliases(reading: CatalogReading) -> None:
    """Records aliases that lead nowhere, back to themselves, or away from what is still there."""
    table = reading.table(columns.ALIASES)
    for row in table.rows:
        alias = reading.known.aliases.get((row.values["of"], row.values.get("old", "")))
        if alias is not None and not row.bad:
            table.entry(row).tell(alias_faults(alias, reading.known))


def as_required(catalog: Catalog) -> Catalog:
    """What a catalog contributes that is only required by others: neither facilities nor offers, nor what is said of them."""
    kept = tuple(alias for alias in catalog.aliases if alias.of in ("material", "benchmark"))
    return catalog.model_copy(update={"facilities": (), "offers": (), "schedules": (), "terms": (), "aliases": kept})


def ambiguous(catalogs: Sequence[Catalog]) -> Iterator[Diagnostic]:
    """Ids that one catalog says were renamed or retired, and another uses, or says something else of.

    Args:
        catalogs: those read together, each as it counts.
    """
    used = {
        key: catalog.name
        for catalog in catalogs
        for of, records in (
            ("offer", catalog.offers),
            ("facility", catalog.facilities),
            ("material", catalog.materials),
            ("benchmark", catalog.prices),
        )
        for key in ((of, record.id) for record in records)
    }
    said: dict[tuple[str, str], tuple[str, str]] = {}
    for catalog in catalogs:
        for alias in catalog.aliases:
            key = (alias.of, alias.old)
            other, new = said.setdefault(key, (catalog.name, alias.new))
            message = ""
            if key in used:
                message = f"{alias.of} `{alias.old}` is renamed or retired by one catalog, and catalog `{used[key]}` has one of that id"
            elif new != alias.new:
                message = f"{alias.of} `{alias.old}` became `{new or 'nothing'}` by catalog `{other}`, and `{alias.new or 'nothing'}` by this"
            if message:
                fix = "rename it in one catalog, or use only one of the two"
                yield Diagnostic(
                    message, f"catalog {catalog.name}", None, "aliases", f"`{alias.old}`", "one meaning", fix
                )
