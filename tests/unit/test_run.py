"""Run folders: written whole or not at all, never over anything else, and read back with all that is wrong at once."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from friendshore.domain.run import Run
from friendshore.errors import InputError
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
from friendshore.run.compare import same

from ..building import refused

PURCHASE: dict[str, Any] = {
    "offer": "tin-au", "material": "tin", "facility": "Smelter, first", "supplier": "Tin Ltd", "country": "AU",
    "countries": {"mined": ["AU", "MY"], "refined": []}, "place": "US", "ordered": "2027", "order_by": "2027-12-31",
    "delivered": "2027", "end_use": "civil", "requirement": "R1", "quantity_kg": 1e-7, "cost": 12.5, "price": 12, "charges": 0,
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
    lists += ("requirements", "limits", "conflicts", "unproven", "blocked", "leads", "assumptions", "plugins")
    data: dict[str, Any] = {
        **{name: [] for name in lists},
        "case": "tin", "status": "optimal", "verified": True, "currency": "USD", "place": "US", "objective": 1.5, "bound": 1.5,
        "gap": 0, "cost": COST, "shortage_kg": {}, "periods": [{"label": "2027", "start": "2027-01-01", "end": "2027-12-31"}],
        "purchases": [PURCHASE], "largest_miss_kg": 0, "components": 1, "versions": {},
    }  # fmt: skip
    return Run.model_validate(data)


def test_what_is_written_is_read_back(run: Run, tmp_path: Path) -> None:
    """A run folder holds the run itself, its facts and all tables."""
    write_run(tmp_path / "made" / "run", run, {"case": {"name": "tin"}})
    read = read_run(tmp_path / "made" / "run")
    assert read.run == run
    assert read.facts == {"case": {"name": "tin"}}
    assert set(read.tables) == {table.file for table in TABLES}
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["run"]


def test_a_cell_holds_all_digits_and_no_exponent(run: Run, tmp_path: Path) -> None:
    """A spreadsheet reads the numbers as numbers, the lists as text."""
    write_run(tmp_path / "run", run, {})
    cells = dict(zip(PURCHASES.columns, rows_of(PURCHASES, run, ())[0], strict=True))
    assert cells["quantity_kg"] == "0.0000001"
    assert cells["countries"] == "mined: AU MY; refined: ?"
    assert '"Smelter, first"' in (tmp_path / "run" / "purchases.csv").read_text()


def test_the_same_run_gives_the_same_bytes(run: Run, tmp_path: Path) -> None:
    """Nothing of the time or the machine gets into the files."""
    for name in ("one", "two"):
        write_run(tmp_path / name, run, {"case": {}})
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_a_run_is_replaced_by_a_run(run: Run, tmp_path: Path) -> None:
    """Planning again into the same folder leaves the new run and nothing else."""
    write_run(tmp_path / "run", run, {})
    write_run(tmp_path / "run", run.but(case="zinc"), {})
    assert read_run(tmp_path / "run").run.case == "zinc"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_an_empty_folder_is_used(run: Run, tmp_path: Path) -> None:
    """A folder that was made beforehand is no obstacle."""
    (tmp_path / "run").mkdir()
    write_run(tmp_path / "run", run, {})
    assert (tmp_path / "run" / RUN_FILE).is_file()


@pytest.mark.parametrize("files", [["notes.txt"], ["run.json", "notes.txt"], ["purchases.csv"]])
def test_what_is_no_run_is_never_overwritten(run: Run, tmp_path: Path, files: list[str]) -> None:
    """A folder with anything else in it is refused, and left as it is."""
    for name in files:
        (tmp_path / name).write_text("mine")
    with pytest.raises(InputError, match="left as it is"):
        write_run(tmp_path, run, {})
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(files)
    assert all((tmp_path / name).read_text() == "mine" for name in files)


def _edit(folder: Path) -> None:
    (folder / "purchases.csv").write_text("my own figures")


def _add(folder: Path) -> None:
    (folder / "stock.csv").unlink()
    (folder / "stock.csv").mkdir()


def _older(folder: Path) -> None:
    (folder / SUMS_FILE).unlink()


def _listed(folder: Path) -> None:
    (folder / "notes.txt").write_text("mine")
    hashed = sha256(b"mine").hexdigest()
    with (folder / SUMS_FILE).open("a") as sums:
        sums.write(f"{hashed}  notes.txt\n")


def _signed_otherwise(folder: Path) -> None:
    (folder / SIGNATURE_FILE).write_text("-----BEGIN PGP SIGNATURE-----")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (_edit, "purchases.csv"),
        (_add, "stock.csv"),
        (_older, "SHA256SUMS"),
        (_listed, "notes.txt"),
        (_signed_otherwise, SIGNATURE_FILE),
    ],
)
def test_only_what_friendshore_wrote_is_replaced(
    change: Callable[[Path], None], named: str, run: Run, tmp_path: Path
) -> None:
    """A run with a file that was changed or added, or whose hashes are gone, is refused with the name, and left as it is."""
    folder = tmp_path / "run"
    write_run(folder, run, {})
    change(folder)
    before = {path.name: path.is_dir() or path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(InputError, match="left as it is") as refused:
        write_run(folder, run, {})
    assert named in str(refused.value)
    assert "delete what is in this one yourself" in refused.value.problems[0].fix
    assert {path.name: path.is_dir() or path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_table_of_the_users_beside_a_run_json_is_kept(run: Run, tmp_path: Path) -> None:
    """Names prove nothing: files that are called like those of a run may be anybody's."""
    for name in ("run.json", "stock.csv"):
        (tmp_path / name).write_text("mine")
    with pytest.raises(InputError, match="SHA256SUMS"):
        write_run(tmp_path, run, {})
    assert (tmp_path / "stock.csv").read_text() == "mine"


def test_a_run_that_was_put_aside_is_read(run: Run, tmp_path: Path) -> None:
    """Killed between two renames, a write leaves the old run aside: a reader finds it back in its place."""
    folder = tmp_path / "run"
    write_run(folder, run, {})
    folder.rename(tmp_path / ".run.old")
    assert read_run(folder).run == run
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_run_whose_replacement_is_in_place_is_deleted(run: Run, tmp_path: Path) -> None:
    """Killed after the second rename, a write leaves both runs: the next write deletes the old one."""
    write_run(tmp_path / "run", run, {})
    write_run(tmp_path / ".run.old", run, {})
    write_run(tmp_path / "run", run, {"more": 1})
    assert read_run(tmp_path / "run").facts == {"more": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_what_was_put_in_the_place_of_a_run_meanwhile_is_kept(run: Run, tmp_path: Path) -> None:
    """Where a killed write has left the old run aside and the user has put something in its place, both are kept and named."""
    folder, old = tmp_path / "run", tmp_path / ".run.old"
    write_run(folder, run, {})
    folder.rename(old)
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="put in the place of a run"):
        write_run(folder, run, {})
    assert (folder / "notes.txt").read_text() == "mine"
    assert (old / "run.json").is_file()


def test_a_hidden_folder_of_someone_elses_is_left_alone(run: Run, tmp_path: Path) -> None:
    """A folder that has the name of a run put aside, and holds something else, is refused."""
    old = tmp_path / ".run.old"
    old.mkdir()
    (old / "mine.txt").write_text("mine")
    write_run(tmp_path / "other", run, {})
    (tmp_path / "other").rename(tmp_path / "run")
    with pytest.raises(InputError, match="in the way"):
        write_run(tmp_path / "run", run, {})
    assert (old / "mine.txt").read_text() == "mine"


def test_anybody_can_check_the_hashes(run: Run, tmp_path: Path) -> None:
    """`SHA256SUMS` names every other file of the folder, with its hash."""
    write_run(tmp_path / "run", run, {})
    sums = read_sums(tmp_path / "run")
    assert sums is not None
    files = [path for path in (tmp_path / "run").iterdir() if path.name != SUMS_FILE]
    assert sums == {path.name: sha256(path.read_bytes()).hexdigest() for path in files}


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


def test_all_that_is_wrong_with_a_folder_is_told_at_once(run: Run, tmp_path: Path) -> None:
    """A missing table, a broken JSON file and a missing column are three problems of one reading."""
    folder = tmp_path / "run"
    write_run(folder, run, {})
    (folder / "stock.csv").unlink()
    (folder / "facts.json").write_text('{"case":\n nonsense}')
    (folder / "inputs.csv").write_text("offer,materiel\n")
    told = json.loads((folder / RUN_FILE).read_text())
    (folder / RUN_FILE).write_text(json.dumps({**told, "gap": "small", "colour": "red"}))
    places = {(Path(p.file).name, p.column) for p in refused(read_run, folder)}
    assert {("stock.csv", ""), ("facts.json", ""), ("run.json", "gap"), ("run.json", "colour")} <= places
    assert ("inputs.csv", "materiel") in places
    assert ("inputs.csv", "period") in places


def test_a_run_of_an_earlier_format_is_one_problem(run: Run, tmp_path: Path) -> None:
    """Its tables have other columns, which nobody should be told to delete."""
    folder = tmp_path / "run"
    write_run(folder, run, {})
    told = json.loads((folder / RUN_FILE).read_text())
    (folder / RUN_FILE).write_text(json.dumps({**told, "schema_version": 2}))
    (folder / "shortages.csv").write_text("demand,reason\n")
    (problem,) = refused(read_run, folder)
    assert (problem.column, problem.found, problem.expected) == ("schema_version", "2", "3")


def test_a_folder_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    """A wrong path is one problem, not seven."""
    with pytest.raises(InputError, match="no such run folder") as error:
        read_run(tmp_path / "nowhere")
    assert len(error.value.problems) == 1


def test_a_difference_is_named_by_row_and_figure(run: Run, tmp_path: Path) -> None:
    """A changed figure is told with its place in the file and what it should be; order does not matter."""
    expected = run.model_dump(mode="json")
    told = json.loads(json.dumps(expected))
    told["purchases"][0]["countries"]["mined"] = ["CN"]
    told["cost"]["total"] = 2.5
    found = differences(told, expected, tmp_path / RUN_FILE)
    assert {p.column for p in found} == {"purchases[1].countries.mined", "cost.total"}
    assert any("tin-au" in p.message for p in found)


def test_a_row_that_is_missing_or_invented_is_named(run: Run, tmp_path: Path) -> None:
    """Rows are matched by what names them, so that one deleted row is one difference."""
    expected = run.model_dump(mode="json")
    found = differences({**expected, "purchases": []}, expected, tmp_path / RUN_FILE)
    assert ["is missing" in p.message for p in found] == [True]
    found = differences(expected, {**expected, "purchases": []}, tmp_path / RUN_FILE)
    assert ["no such purchase" in p.message for p in found] == [True]


def test_a_table_saved_by_a_spreadsheet_says_the_same(run: Run, tmp_path: Path) -> None:
    """Trailing zeros and another order of columns are no difference; another number is, by row and column."""
    write_run(tmp_path / "run", run, {})
    path = tmp_path / "run" / "purchases.csv"
    rows = rows_of(PURCHASES, run, ())
    path.write_text(path.read_text().replace(",12.5,", ",12.50,"))
    assert differences_in_table(PURCHASES, read_run(tmp_path / "run").tables["purchases.csv"], rows) == []
    path.write_text(path.read_text().replace(",12.50,", ",11.50,"))
    found = differences_in_table(PURCHASES, read_run(tmp_path / "run").tables["purchases.csv"], rows)
    assert [(p.row, p.column, p.found, p.expected) for p in found] == [(2, "cost", '"11.50"', '"12.5"')]


def test_texts_are_compared_as_texts() -> None:
    """`1e2` is a hundred, `R1` is not `R2`."""
    assert same("1e2", "100")
    assert not same("R1", "R2")
