"""Progress of long work, and whose plugin code is running."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from friendshore import load_case
from friendshore.catalog import load_catalog
from friendshore.cli.waiting import ProgressBar
from friendshore.domain.runtime import watched
from friendshore.plugins import Registry, attribution
from friendshore.program import compile_program
from friendshore.recommend import gather, plan

from .large import large_case

# -------------------------------------------------------------------------------------------------------------- progress


Told = dict[str, list[tuple[int, int]]]


@contextmanager
def watching() -> Iterator[Told]:
    """How far each kind of work says that it has come."""
    told: Told = {}
    with watched(lambda done, total, seconds, doing, of: told.setdefault(f"{doing}: {of}", []).append((done, total))):
        yield told


def test_rows_of_a_large_table_are_counted_while_they_are_read(tmp_path: Path) -> None:
    """Every thousand rows, with the file and how many there are; outside of it nobody is told."""
    (tmp_path / "catalog.toml").write_text('schema = 1\nname = "large"\n', encoding="utf-8")
    rows = "".join(f"plant-{number},AU\n" for number in range(2_500))
    (tmp_path / "facilities.csv").write_text("id,country\n" + rows, encoding="utf-8")
    with watching() as told:
        load_catalog(tmp_path)
    load_catalog(tmp_path)
    assert told[f"reading {tmp_path / 'facilities.csv'}: rows"] == [(0, 2500), (1000, 2500), (2000, 2500)]


def test_what_is_done_with_many_offers_before_anything_is_solved_is_told(tmp_path: Path) -> None:
    """Not only the reading of tables: each step that grows with the offers says how far it is."""
    loaded = load_case(large_case(tmp_path, 1_500))
    with watching() as told:
        compile_program(gather(loaded, Registry.of()).inputs.problem())
    assert {doing: steps for doing, steps in told.items() if not doing.startswith("reading")} == {
        "pricing offers: offers": [(0, 1500), (1000, 1500)],
        "looking where offers can go: ways": [(0, 1500), (1000, 1500)],
        "asking rule ban: ways": [(0, 1500), (1000, 1500)],
        "laying out the program: compliance classes": [(0, 1)],
    }


def test_finding_out_why_a_demand_is_short_is_told(tmp_path: Path) -> None:
    """Part by part."""
    loaded = load_case(large_case(tmp_path, 10))
    with watching() as told:
        found = plan(loaded, registry=Registry.of())
    assert all(row.causes for row in found.run.shortages)
    assert told["finding out why demands are short: parts"] == [(0, 1)]


def test_what_is_done_within_a_question_is_shown_only_where_it_takes_its_time() -> None:
    """A question that says how far it is stays on the bar: the many small programs that are laid out for it are not told, a long one is."""
    bar = ProgressBar("repairing", "gaps")
    bar.show(0, 9, 2.5, "reading", "rows")
    assert bar.shown == "reading"
    bar(0, 6, 3.0)
    bar.show(0, 3, 3.1, "laying out the program", "classes")
    bar.show(0, 3, 4.9, "laying out the program", "classes")
    assert bar.shown == "repairing"
    bar.show(1, 3, 7.0, "laying out the program", "classes")
    assert bar.shown == "laying out the program"
    bar(1, 6, 7.1)
    bar.stop()
    assert bar.shown == "repairing"


# ------------------------------------------------------------------------------------------------------- code of plugins


def test_the_outermost_code_is_reported_until_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hook that makes a rule is what is waited for; once it has ended, no code is."""
    reported: list[tuple[str, str]] = []
    monkeypatch.setattr(attribution._PROCESS, "report", lambda *call: reported.append(call))
    with attribution.running("acme", "its hook"), attribution.running("acme", "its rule"):
        assert reported[-1] == ("acme", "its hook")
    assert reported[-1] == ("", "")
