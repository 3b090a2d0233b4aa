"""Editions of lists that come with the plugin: whole, each row with its source, and named by a case."""

from __future__ import annotations

import json
import re
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from friendshore.cli.app import app
from friendshore_screening.lists import InstalledEdition, ScreeningList, installed_editions, read_installed

from .test_screen import CASE, LISTED, NOW, write_catalog

EDITIONS = installed_editions()


def read(one: InstalledEdition) -> ScreeningList:
    """An edition."""
    return read_installed(one.list, one.edition)


def key(name: str) -> str:
    """A name without marks."""
    return re.sub(r"[^a-z0-9]", "", name.lower().replace("&", "and"))


@pytest.mark.parametrize("one", EDITIONS, ids=lambda one: f"{one.list}-{one.edition}")
def test_each_edition_is_whole(one: InstalledEdition) -> None:
    """As many parties as its document counts, none twice; each row with its source; subsidiaries under a company that stands there too."""
    entries = read(one).entries
    assert len(entries) == one.entries
    assert len({key(entry.name) for entry in entries}) == len(entries)
    names = {entry.name for entry in entries}
    assert {entry.remarks.removeprefix("under ") for entry in entries if entry.remarks} <= names
    assert all(entry.source and entry.list == one.list for entry in entries)
    assert all(entry.start is None or entry.start <= one.edition for entry in entries)
    assert all(
        entry.names == tuple(name.strip() for name in entry.names) and ";" not in entry.name for entry in entries
    )


def test_every_file_is_told_of() -> None:
    """No edition without its file, and no file that `editions.toml` says nothing of."""
    folder = files("friendshore_screening").joinpath("editions")
    found = {one.name for one in folder.iterdir() if one.name.endswith(".csv")}
    assert found == {f"{one.list}-{one.edition}.csv" for one in EDITIONS}


def test_what_changed_between_editions() -> None:
    """The changes that the page on screening tells are those of the files."""
    page = (Path(__file__).parents[3] / "docs/explanation/screening.md").read_text(encoding="utf-8")
    for before, after in (
        (("us-1260h", date(2025, 1, 7)), ("us-1260h", date(2026, 6, 8))),
        (("us-uflpa", date(2025, 1, 15)), ("us-uflpa", date(2026, 8, 3))),
    ):
        old, new = ({key(entry.name) for entry in read_installed(*one).entries} for one in (before, after))
        row = f"| `{after[0]}` | {before[1]} | {after[1]} | {len(old)} | {len(old - new)} | {len(new - old)} | {len(new)} |"
        assert row in page


def screen(folder: Path, lists: str, *words: str, code: int = 0) -> str:
    if not (folder / "catalog").exists():
        write_catalog(folder)
        facilities = folder / "catalog/facilities.csv"
        rows = (
            facilities.read_text()
            .replace("Hentzau Metals", "CALB Group")
            .replace("Zenda Smelting,", "Zijin Mining Group,")
        )
        facilities.write_text(rows.replace("Strelsau Holding", ""))
    (folder / "case.toml").write_text(CASE.replace(LISTED, f"lists = [{lists}]").replace('"civil"', '"defense"'))
    done = CliRunner().invoke(app, ["screen", str(folder), "--quiet", *words], env={**NOW, "COLUMNS": "200"})
    assert done.exit_code == code, done.output
    return done.output


@pytest.mark.deep
def test_a_case_names_an_edition(tmp_path: Path) -> None:
    """By list and day, without a file: what it bars is what stands there, so that a later edition bars more."""

    def barred(lists: str) -> set[str]:
        found: dict[str, Any] = json.loads(screen(tmp_path, lists, "--json"))
        return {facility for bar in found["prohibitions"] for facility in bar["facilities"]}

    before, after = '{ list = "us-1260h", edition = 2025-01-07 }', '{ list = "us-1260h", edition = 2026-06-08 }'
    assert barred(before) == set()
    assert barred(after) == {"cheap"}
    assert barred(f'{after}, {{ list = "us-uflpa", edition = 2026-08-03 }}') == {"cheap", "owned"}
    text = " ".join(screen(tmp_path, before).split())
    assert "the plugin contains a later edition: 2026-06-08" in text
    assert "older than allowed" in text


def test_what_an_edition_does_not_name_is_told(tmp_path: Path) -> None:
    """Who stands on the list without a name is cleared by none, and that is said."""
    text = " ".join(screen(tmp_path, '{ list = "us-uflpa", edition = 2026-08-03 }').split())
    assert "unnamed: no name clears them" in text


def test_an_edition_that_there_is_none_of(tmp_path: Path) -> None:
    """The editions that there are are named; under --strict, one that is too old is refused as a file is."""
    told = " ".join(screen(tmp_path, '{ list = "us-1260h", edition = 2024-01-31 }', code=2).split())
    assert "FS944" in told
    assert all(f"{one.list} {one.edition}" in told for one in EDITIONS)
    told = screen(tmp_path, '{ list = "us-1260h", edition = 2026-06-08 }', "--strict", code=2)
    assert "older than the case allows" in told
