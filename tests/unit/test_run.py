"""Run folders: written whole or not at all, never over anything else, and read back with all that is wrong at once."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from decimal import Decimal
from hashlib import sha256
from math import inf
from pathlib import Path
from shutil import rmtree
from typing import Any

import pytest

from friendshore.domain.run import Run
from friendshore.errors import InputError
from friendshore.inert import json_inert
from friendshore.run import (
    PURCHASES,
    RUN_FILE,
    SIGNATURE_FILE,
    SUMS_FILE,
    TABLES,
    check_target,
    differences,
    differences_in_table,
    read_run,
    read_sums,
    rows_of,
    write_run,
)
from friendshore.run.json_files import json_pieces, json_text
from friendshore.run.tables import same

from ..building import refused

PURCHASE: dict[str, Any] = {
    "offer": "tin-au", "material": "tin", "facility": "Smelter, first", "supplier": "Tin Ltd", "country": "AU",
    "countries": {"mined": ["AU", "MY"], "refined": []}, "place": "US", "ordered": "2027", "order_by": "2027-12-31",
    "delivered": "2027", "end_use": "civil", "compliance_class": "R1", "quantity_kg": 1e-7, "cost": 12.5, "price": 12, "charges": 0,
    "freight": 0.5,
}  # fmt: skip
COST = dict.fromkeys(
    ("price", "charges", "freight", "onboarding", "holding", "total", "nominal", "penalties", "shortage", "objective"),
    1.5,
)


@pytest.fixture
def run() -> Run:
    """A run with one purchase."""
    lists = ("materials", "demands", "makes", "lots", "draws", "stocks", "deliveries", "shortages", "exposed", "rules")
    lists += ("compliance_classes", "limits", "conflicts", "unproven", "blocked", "leads", "assumptions", "plugins")
    data: dict[str, Any] = {
        **{name: [] for name in lists},
        "case": "tin", "status": "optimal", "verified": True, "currency": "USD", "place": "US", "objective": 1.5, "bound": 1.5,
        "gap": 0, "cost": COST, "shortage_kg": {}, "periods": [{"label": "2027", "start": "2027-01-01", "end": "2027-12-31"}],
        "purchases": [PURCHASE], "largest_miss_kg": 0, "components": 1, "versions": {},
    }  # fmt: skip
    return Run.model_validate(data)


@pytest.fixture
def folder(run: Run, tmp_path: Path) -> Path:
    """The folder into which it is written."""
    write_run(tmp_path / "run", run, {})
    return tmp_path / "run"


def names(folder: Path) -> list[str]:
    """What lies in a folder."""
    return sorted(path.name for path in folder.iterdir())


def test_what_is_written_is_read_back(run: Run, tmp_path: Path) -> None:
    """A run folder, one that was made beforehand too, holds the run itself, its facts and all tables."""
    (tmp_path / "made" / "run").mkdir(parents=True)
    write_run(tmp_path / "made" / "run", run, {"case": {"name": "tin"}})
    read = read_run(tmp_path / "made" / "run")
    assert (read.run, read.facts) == (run, {"case": {"name": "tin"}})
    assert set(read.tables) == {table.file for table in TABLES}
    assert names(tmp_path / "made") == ["run"]


def test_written_row_by_row_it_is_the_json_of_the_whole(run: Run) -> None:
    """Neither the way of writing nor the numbers and characters of a run change the bytes that every JSON writer gives."""
    more = run.but(
        title='Zinn \u201e"\u202e\n', purchases=[*run.purchases, run.purchases[0].but(quantity_kg=Decimal("1e16"))]
    )
    data = more.model_dump(mode="json", by_alias=True)
    expected = json_inert(json.dumps(data, indent=2, ensure_ascii=False) + "\n")
    assert b"".join(json_pieces(more)).decode() == json_text(data) == expected
    assert json_text(data, ascii_only=True) == json.dumps(data, indent=2) + "\n"
    assert (
        json_text({1: [], "a": {}, "b": [None, True, {"c": (1, 2.0, inf)}]})
        == json.dumps({1: [], "a": {}, "b": [None, True, {"c": (1, 2.0, inf)}]}, indent=2) + "\n"
    )


def test_a_cell_holds_all_digits_and_no_exponent(run: Run, folder: Path) -> None:
    """A spreadsheet reads the numbers as numbers, the lists as text."""
    cells = dict(zip(PURCHASES.columns, rows_of(PURCHASES, run, ())[0], strict=True))
    assert (cells["quantity_kg"], cells["countries"]) == ("0.0000001", "mined: AU MY; refined: ?")
    assert '"Smelter, first"' in (folder / "purchases.csv").read_text()


def test_a_run_is_replaced_by_a_run(run: Run, folder: Path) -> None:
    """Planning again into the same folder leaves the new run and nothing else, also of one that a killed write has put aside."""
    write_run(folder.with_name(".run.old"), run, {})
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    write_run(folder, run, {"more": 1})
    assert (read_run(folder).facts, names(folder.parent)) == ({"more": 1}, ["run"])
    write_run(folder, run, {})
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before, "nothing of the time gets in"


def listed(folder: Path) -> None:
    """Adds a file with its hash."""
    (folder / "notes.txt").write_text("mine")
    with (folder / SUMS_FILE).open("a") as sums:
        sums.write(f"{sha256(b'mine').hexdigest()}  notes.txt\n")


def as_folder(path: Path) -> None:
    """Puts a folder in the place of a file."""
    path.unlink()
    path.mkdir()


def only(folder: Path, *files: str) -> None:
    """Leaves files that are called like those of a run, and may be anybody's."""
    rmtree(folder)
    folder.mkdir()
    for name in files:
        (folder / name).write_text("mine")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda folder: (folder / "purchases.csv").write_text("my own figures"), "purchases.csv"),
        (lambda folder: as_folder(folder / "stock.csv"), "stock.csv"),
        (lambda folder: (folder / SUMS_FILE).unlink(), SUMS_FILE),
        (listed, "notes.txt"),
        (lambda folder: (folder / SIGNATURE_FILE).write_text("-----BEGIN PGP SIGNATURE-----"), SIGNATURE_FILE),
        (lambda folder: only(folder, "notes.txt"), ""),
        (lambda folder: only(folder, "notes.txt", "run.json"), ""),
        (lambda folder: only(folder, "purchases.csv"), ""),
        (lambda folder: only(folder, "run.json", "stock.csv"), SUMS_FILE),
    ],
)
def test_only_what_friendshore_wrote_is_replaced(
    change: Callable[[Path], None], named: str, run: Run, folder: Path
) -> None:
    """A run with a file that was changed or added, or whose hashes are gone, and what is no run, are refused and left as they are."""
    change(folder)
    before = {path.name: path.is_dir() or path.read_bytes() for path in folder.iterdir()}
    (problem,) = refused(write_run, folder, run, {})
    assert problem.code == "FS603"
    assert named in str(problem)
    assert "delete the files in this one" in problem.fix or not named
    assert {path.name: path.is_dir() or path.read_bytes() for path in folder.iterdir()} == before
    assert names(folder.parent) == ["run"]


def test_a_run_that_was_put_aside_is_read(run: Run, folder: Path) -> None:
    """Killed between two renames, a write leaves the old run aside: a reader finds it back in its place."""
    folder.rename(folder.with_name(".run.old"))
    assert read_run(folder).run == run
    assert names(folder.parent) == ["run"]


@pytest.mark.parametrize("place", ["run", ".run.old"], ids=["its place", "aside"])
def test_what_was_put_in_the_place_of_a_run_meanwhile_is_kept(place: str, run: Run, folder: Path) -> None:
    """Where a killed write has left the old run aside, or the user has put something there, both are kept and named."""
    if place == "run":
        folder.rename(folder.with_name(".run.old"))
    mine = folder.with_name(place) / "notes.txt"
    mine.parent.mkdir()
    mine.write_text("mine")
    (problem,) = refused(write_run, folder, run, {})
    assert (problem.code, problem.file) == ("FS605", str(folder.with_name(place)))
    assert mine.read_text() == "mine"
    assert len(list(folder.parent.glob("*/run.json"))) == 1


def test_anybody_can_check_the_hashes(folder: Path) -> None:
    """`SHA256SUMS` names every other file of the folder, with its hash."""
    files = [path for path in folder.iterdir() if path.name != SUMS_FILE]
    assert read_sums(folder) == {path.name: sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    """A file is no folder, nor can a folder be made within it."""
    (tmp_path / "file").write_text("mine")
    for target in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(InputError):
            check_target(target)


@pytest.mark.skipif(os.name == "nt" or os.getuid() == 0, reason="needs a user whom permissions bind")
def test_a_folder_that_may_not_be_written_is_said_so(run: Run, tmp_path: Path) -> None:
    """The planner reads which folder, not a traceback."""
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="cannot be written"):
        write_run(tmp_path / "run", run, {})


def tell(folder: Path, **changed: Any) -> None:
    """Changes what the run says."""
    told = json.loads((folder / RUN_FILE).read_text())
    (folder / RUN_FILE).write_text(json.dumps({**told, **changed}))


def test_all_that_is_wrong_with_a_folder_is_told_at_once(folder: Path) -> None:
    """A missing table, a broken JSON file and a missing column are three problems of one reading."""
    (folder / "stock.csv").unlink()
    (folder / "facts.json").write_text('{"case":\n nonsense}')
    (folder / "inputs.csv").write_text("offer,materiel\n")
    tell(folder, gap="small", colour="red")
    places = {(Path(p.file).name, p.column) for p in refused(read_run, folder)}
    assert {("stock.csv", ""), ("facts.json", ""), ("run.json", "gap"), ("run.json", "colour")} <= places
    assert {("inputs.csv", "materiel"), ("inputs.csv", "period")} <= places


def test_a_run_of_an_earlier_format_is_one_problem(folder: Path) -> None:
    """Its tables have other columns, which nobody should be told to delete."""
    tell(folder, schema_version=2)
    (folder / "shortages.csv").write_text("demand,reason\n")
    (problem,) = refused(read_run, folder)
    assert (problem.column, problem.found, problem.expected) == ("schema_version", "2", "4")


def test_a_folder_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    """A wrong path is one problem, not seven."""
    (problem,) = refused(read_run, tmp_path / "nowhere")
    assert (problem.code, problem.file) == ("FS606", str(tmp_path / "nowhere"))


def test_a_difference_is_named_by_row_and_figure(run: Run, tmp_path: Path) -> None:
    """A changed figure is told with its place in the file and what it should be; order does not matter."""
    expected, told = run.model_dump(mode="json"), run.model_dump(mode="json")
    told["purchases"][0]["countries"]["mined"] = ["CN"]
    told["cost"]["total"] = 2.5
    found = differences(told, expected, tmp_path / RUN_FILE)
    assert {p.column for p in found} == {"purchases[1].countries.mined", "cost.total"}
    assert any("tin-au" in p.message for p in found)


def test_a_row_that_is_missing_or_invented_is_named(run: Run, tmp_path: Path) -> None:
    """Rows are matched by what names them, so that one deleted row is one difference."""
    expected = run.model_dump(mode="json")
    fewer = {**expected, "purchases": []}
    (missing,), (invented,) = (differences(*pair, tmp_path) for pair in ((fewer, expected), (expected, fewer)))
    assert "is missing" in missing.message
    assert "no such purchase" in invented.message


def test_a_table_saved_by_a_spreadsheet_says_the_same(run: Run, folder: Path) -> None:
    """Trailing zeros and another order of columns are no difference; another number is, by row and column."""
    path = folder / "purchases.csv"
    rows = rows_of(PURCHASES, run, ())
    path.write_text(path.read_text().replace(",12.5,", ",12.50,"))
    assert differences_in_table(PURCHASES, read_run(folder).tables["purchases.csv"], rows) == []
    path.write_text(path.read_text().replace(",12.50,", ",11.50,"))
    found = differences_in_table(PURCHASES, read_run(folder).tables["purchases.csv"], rows)
    assert [(p.row, p.column, p.found, p.expected) for p in found] == [(2, "cost", '"11.50"', '"12.5"')]
    assert [same("1e2", "100"), same("R1", "R2")] == [True, False]
