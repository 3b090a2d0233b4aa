"""A catalog written anew: rows in another order, tonnes as kilograms. What it says must stay the same."""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from ..catalog import columns, read_catalogs
from ..domain.facts import Catalog
from ..errors import Problem
from ..plugins import Registry
from ..plugins.registry import CatalogRef
from ..reading import kinds

TONNES = re.compile(r"^([\d.,]+) ?t\b")
_MASSES = (kinds.MASS, kinds.MASS_RATE)


def differences(catalog: Catalog, ref: CatalogRef, registry: Registry) -> Iterator[Problem]:
    """What a catalog says otherwise once its tables are written anew."""
    with TemporaryDirectory() as made:
        folder = Path(made, "catalog")
        shutil.copytree(ref.folder, folder)
        for layout in columns.TABLES:
            masses = {field.name for field in layout.fields if field.kind in _MASSES}
            if (folder / layout.name).is_file():
                _rewrite(folder / layout.name, masses)
        again = read_catalogs([CatalogRef(name=ref.name, folder=folder)], registry.catalog_folder)
    other = next(c for c in again if c.name == ref.name)
    if other.digest != catalog.digest:
        named = [name for name in Catalog.model_fields if name not in ("digest", "distribution")]
        changed = [name for name in named if getattr(other, name) != getattr(catalog, name)]
        fix = "write every mass with its unit, and make no row rest on the one before it"
        text = f"{', '.join(changed)} change with the order of rows, or with kilograms for tonnes"
        yield Problem(text, str(ref.folder), fix=fix)


def _rewrite(file: Path, masses: set[str]) -> None:
    with file.open(encoding="utf-8-sig", newline="") as opened:
        head, *rows = list(csv.reader(opened)) or [[]]
    heavy = [position for position, name in enumerate(head) if name.strip() in masses]
    Random(len(rows)).shuffle(rows)
    for row in rows:
        for position in heavy:
            if position < len(row):
                row[position] = in_kilograms(row[position])
    with file.open("w", encoding="utf-8", newline="") as opened:
        csv.writer(opened).writerows([head, *rows])


def in_kilograms(text: str) -> str:
    """A mass with its unit, tonnes as kilograms."""
    return TONNES.sub(lambda found: f"{Decimal(found[1].replace(',', '')) * 1000:f} kg", text)
