"""A catalog written anew: rows in another order, tonnes as kilograms. What it says must stay the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from ..catalog import columns, read_catalogs
from ..catalog.convert import Texts, texts_of, write_folder
from ..domain.facts import Catalog
from ..errors import Diagnostic
from ..plugins import Registry
from ..plugins.registry import CatalogRef
from ..reading import kinds

TONNES = re.compile(r"^([\d.,]+) ?t\b")
_MASSES = (kinds.MASS, kinds.MASS_RATE)


def differences(catalog: Catalog, ref: CatalogRef, registry: Registry) -> Iterator[Diagnostic]:
    """What a catalog says otherwise once its tables are written anew."""
    texts = texts_of(ref.folder)
    masses = {layout.name: {f.name for f in layout.fields if f.kind in _MASSES} for layout in columns.TABLES}
    tables = {name: (head, _anew(head, rows, masses[name])) for name, (head, rows) in texts.tables.items()}
    with TemporaryDirectory() as made:
        folder = Path(made, "catalog")
        write_folder(Texts(texts.head, tables), folder)
        again = read_catalogs([CatalogRef(name=ref.name, folder=folder)], registry.catalog_folder)
    other = next(c for c in again if c.name == ref.name)
    if other.digest != catalog.digest:
        named = [name for name in Catalog.model_fields if name not in ("digest", "distribution")]
        changed = [name for name in named if getattr(other, name) != getattr(catalog, name)]
        fix = "write every mass with its unit, and make no row rest on the one before it"
        text = f"{', '.join(changed)} change with the order of rows, or with kilograms for tonnes"
        yield Diagnostic(text, str(ref.folder), fix=fix)


def _anew(head: Sequence[str], rows: Sequence[tuple[str, ...]], masses: set[str]) -> tuple[tuple[str, ...], ...]:
    """The rows of a table in another order, its masses in kilograms."""
    made = [tuple(in_kilograms(c) if name in masses else c for name, c in zip(head, row, strict=True)) for row in rows]
    return tuple(Random(len(made)).sample(made, len(made)))


def in_kilograms(text: str) -> str:
    """A mass with its unit, tonnes as kilograms."""
    return TONNES.sub(lambda found: f"{Decimal(found[1].replace(',', '')) * 1000:f} kg", text)
