"""Whatever the order of rows and the choice of units, the same facts are the same catalog."""

from __future__ import annotations

import csv
import io
import random
import shutil
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from friendshore.catalog import read_catalog
from friendshore.domain.facts import Catalog
from friendshore.domain.quantities import KILOGRAMS

from ..property.settings import examples

GOOD = Path(__file__).parents[1] / "data" / "good-catalog"


def shuffled(text: str, seed: int) -> str:
    """A table with its rows and columns in another order."""
    shuffle = random.Random(seed)
    header, *rows = list(csv.reader(io.StringIO(text)))
    order = list(range(len(header)))
    shuffle.shuffle(order)
    shuffle.shuffle(rows)
    out = io.StringIO()
    csv.writer(out).writerows([[row[i] for i in order] for row in [header, *rows]])
    return out.getvalue()


@examples(25)
@given(st.integers())
def test_the_order_of_rows_and_columns_changes_nothing(seed: int) -> None:
    """Shuffled tables give the same catalog and the same digest."""
    before = read_catalog(GOOD)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(shutil.copytree(GOOD, Path(scratch) / "small"))
        for table in folder.glob("*.csv"):
            table.write_text(shuffled(table.read_text(encoding="utf-8"), seed), encoding="utf-8", newline="")
        after = read_catalog(folder)
    assert after == before
    assert after.digest == before.digest


def with_figures(mass: str, price: str) -> Catalog:
    """A catalog of one offer with these masses and prices."""
    tables = {
        "catalog.toml": 'schema = 1\nname = "one"\n',
        "sources.csv": "id,reference,confidence\ns,a paper,verified\n",
        "materials.csv": "id,basis\nm,X\n",
        "facilities.csv": "id,country\nf,AU\n",
        "capacity.csv": f"facility,per_year,status,source\nf,{mass}/year,operating,s\n",
        "offers.csv": f"id,facility,material,price,total,max_per_year,source\no,f,m,{price},{mass},{mass}/year,s\n",
        "prices.csv": f"id,material,date,price,source\nb,m,2026-01-01,{price},s\n",
    }
    with tempfile.TemporaryDirectory() as scratch:
        for name, text in tables.items():
            (Path(scratch) / name).write_text(text, encoding="utf-8")
        return read_catalog(Path(scratch))


@examples(50)
@given(st.integers(min_value=1, max_value=10**6), st.sampled_from(["g", "t", "kt", "lb", "st", "mtu"]))
def test_units_change_nothing(count: int, unit: str) -> None:
    """A figure in tonnes, pounds or ton units is the same fact as in kilograms, to the digest."""
    each = KILOGRAMS[unit]
    there = with_figures(f"{count} {unit} X", f"{count * each:f} USD/{unit} X")
    assert there == with_figures(f"{count * each:f} kg X", f"{count} USD/kg X")


def test_digests_tell_facts_apart() -> None:
    """Another figure is another digest; another distribution is not."""
    assert with_figures("1 kg", "1 USD/kg").digest != with_figures("2 kg", "1 USD/kg").digest
    assert read_catalog(GOOD, "a 1").digest == read_catalog(GOOD, "b 2").digest


def test_a_catalog_survives_json() -> None:
    """A catalog written as JSON and read back is the same."""
    catalog = read_catalog(GOOD)
    assert Catalog.model_validate_json(catalog.model_dump_json()) == catalog
