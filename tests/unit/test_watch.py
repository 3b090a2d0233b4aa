"""How far reading has come is told to whoever watches."""

from __future__ import annotations

from pathlib import Path

from friendshore.catalog import read_catalog
from friendshore.reading.watch import watched


def test_rows_of_a_large_table_are_counted_while_they_are_read(tmp_path: Path) -> None:
    """Every thousand rows, with the file and how many there are; outside of it nobody is told."""
    (tmp_path / "catalog.toml").write_text('schema = 1\nname = "large"\n', encoding="utf-8")
    rows = "".join(f"plant-{number},AU\n" for number in range(2_500))
    (tmp_path / "facilities.csv").write_text("id,country\n" + rows, encoding="utf-8")
    told: list[tuple[int, int, str]] = []
    with watched(lambda done, of, seconds, file: told.append((done, of, Path(file).name)) if seconds >= 0 else None):
        read_catalog(tmp_path)
    assert [(done, of) for done, of, file in told if file == "facilities.csv"] == [
        (0, 2500),
        (1000, 2500),
        (2000, 2500),
    ]
    count = len(told)
    read_catalog(tmp_path)
    assert len(told) == count
