"""`sweep` on the command line: what it writes and tells, the same from every executor, and what is lost when whoever plans is killed."""

from __future__ import annotations

import csv
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import friendshore
from friendshore.cli import app
from friendshore.domain.change import Change
from friendshore.errors import SolverError
from friendshore.problem.inputs import Applied
from friendshore.recommend import gather
from friendshore.solve import AnswerCache, Limits
from friendshore_sweep.planning import SweepFolder, SweptCase, dask, run_sweep, sweep
from friendshore_sweep.results import JOURNAL, StoredScenario, SweepScenario

GRID = ("--vary", "price:quebec-gallium=0.5..2/4", "--vary", "demand:civil=1,2")
SCENARIOS = 8


def command(*arguments: str | Path) -> Result:
    """A command, in this process."""
    return CliRunner().invoke(app, list(map(str, arguments)))


@pytest.fixture(scope="module")
def case(first: Path) -> Path:
    return first


@pytest.fixture(scope="module")
def serial(case: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The grid planned in one process."""
    folder = tmp_path_factory.mktemp("sweep") / "serial"
    done = command("sweep", case, *GRID, "--workers", "1", "--folder", folder)
    assert done.exit_code == 0, done.output
    return folder


def files(folder: Path) -> dict[str, bytes]:
    """All that a folder holds."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def table(folder: Path, name: str) -> list[dict[str, str]]:
    """The rows of a table."""
    with (folder / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_row_is_what_plan_says_of_the_same_changes(case: Path, serial: Path) -> None:
    """To the gram and the cent: money, shortage, and what is bought of which offer."""
    number = 7  # price twice as high, demand as it is
    changes = [Change(price="quebec-gallium", factor=Decimal(2)), Change(demand="civil", factor=Decimal(1))]
    run = friendshore.plan(friendshore.load_case(case), changes=changes).run
    row = table(serial, "totals")[number - 1]
    assert (row["price:quebec-gallium"], row["demand:civil"], row["status"]) == ("2", "1", "optimal")
    assert {name: Decimal(row[name]) for name in type(run.cost).model_fields} == dict(run.cost)
    rows = [one for one in table(serial, "purchases") if one["number"] == str(number)]
    bought = {(p.material, p.end_use, p.offer): [Decimal(0), Decimal(0)] for p in run.purchases}
    for p in run.purchases:
        sums = bought[p.material, p.end_use, p.offer]
        sums[:] = sums[0] + p.quantity_kg, sums[1] + p.cost
    assert bought == {
        (row["material"], row["end_use"], row["offer"]): [Decimal(row["quantity_kg"]), Decimal(row["cost"])]
        for row in rows
    }
    short = [(one["material"], Decimal(one["short_kg"])) for one in table(serial, "materials") if one["number"] == "7"]
    assert {name: kilograms for name, kilograms in short if kilograms} == run.shortage_kg


def test_json_and_a_page_tell_the_same_sweep(case: Path, tmp_path: Path) -> None:
    """One object on stdout, and a page that nothing is overwritten by."""
    page = tmp_path / "sweep.html"
    words = "sweep", case, "--vary", "price:quebec-gallium=1,2", "--workers", "1", "--out", page
    data: dict[str, Any] = json.loads(command(*words, "--json").stdout)
    assert [one["name"] for one in data["scenarios"]] == ["price:quebec-gallium 1", "price:quebec-gallium 2"]
    assert "price:quebec-gallium 2" in page.read_text(encoding="utf-8")
    again = command(*words)
    assert again.exit_code == 2
    assert "FS080" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("--resume", "FS501"),
        ("--rerun all --folder x", "FS003"),
        ("--dask a --executor b", "FS501"),
        ("--executor nowhere:make", "FS962"),
        ("--executor os:getcwd", "FS962"),
        ("--vary price:nobody=1,2 --vary strict=x", "FS003"),
    ],
)
def test_invalid_options_are_reported(case: Path, arguments: str, code: str) -> None:
    done = command("sweep", case, "--workers", "1", *arguments.split())
    assert (done.exit_code, "Traceback" in done.output) == (2, False)
    assert code in done.stderr


def test_a_missing_file_of_scenarios_is_reported(case: Path) -> None:
    done = command("sweep", case, "--scenarios", "nowhere.toml")
    assert (done.exit_code, "nowhere.toml" in done.stderr) == (2, True)


DEADLY = """
import os, signal
from concurrent.futures import ThreadPoolExecutor

class Counted(ThreadPoolExecutor):
    fatal = int(os.environ.get("FATAL", "0"))
    count = 0

    def submit(self, *args, **kwargs):
        self.count += 1
        if self.count == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        future, known = super().submit(*args, **kwargs), args[1].stored_plan
        if known is None or future.result() not in (None, known):
            with open(os.environ["PLANNED"], "a") as file:
                file.write("x")
        return future

def make():
    return Counted(1)
"""


@pytest.mark.deep
def test_whoever_asks_is_killed_and_loses_what_was_in_flight_alone(case: Path, serial: Path, tmp_path: Path) -> None:
    """`--resume` verifies the plans in the journal, plans the rest, and gives the same bytes."""
    (tmp_path / "deadly.py").write_text(DEADLY)
    folder, counted = tmp_path / "out", tmp_path / "planned"
    words = [sys.executable, "-m", "friendshore", "sweep", str(case), *GRID, "--executor", "deadly:make"]
    words += ["--folder", str(folder)]
    env = {**os.environ, "PYTHONPATH": str(tmp_path), "PLANNED": str(counted)}
    killed = subprocess.run([*words], env={**env, "FATAL": "6"}, capture_output=True, check=False)
    assert killed.returncode != 0
    planned = (folder / JOURNAL).read_bytes().count(b"\n")
    assert planned >= 3  # the sixth is handed out once four have come back, of which the last may be on its way
    counted.unlink()
    done = subprocess.run([*words, "--resume"], env=env, capture_output=True, check=True)
    assert len(counted.read_text()) == SCENARIOS - planned
    assert b"8 scenarios are planned" in done.stdout
    assert files(folder) == files(serial)


@pytest.mark.deep
def test_a_worker_is_killed_and_the_sweep_goes_on(case: Path, serial: Path, tmp_path: Path) -> None:
    """Processes of this machine: one is killed once three scenarios are planned, others take its place, and the bytes are the same."""
    folder, killed = tmp_path / "out", list[int]()

    def kill(done: int, of: int, seconds: float) -> None:
        if done == 3:
            victim = active_children()[0].pid
            os.kill(victim, signal.SIGKILL)
            killed.append(victim)

    answer = sweep(friendshore.load_case(case), CHANGES, workers=2, folder=folder, progress=kill)
    assert killed
    assert not answer.failed
    assert [scenario.plan.model_dump_json() for scenario in answer.scenarios] == figures(serial)


CHANGES = [
    (Change(price="quebec-gallium", factor=price), Change(demand="civil", factor=demand))
    for price in (Decimal("0.5"), Decimal(1), Decimal("1.5"), Decimal(2))
    for demand in (Decimal(1), Decimal(2))
]
"""The changes of the grid's scenarios."""


def plans(folder: Path) -> list[str]:
    """The plans in a journal, as JSON."""
    lines = (folder / JOURNAL).read_text(encoding="utf-8").splitlines()
    return [line.partition('","plan":')[2][:-1] for line in lines]


def figures(folder: Path) -> list[str]:
    """The figures of the plans in a journal, as JSON."""
    return [StoredScenario.model_validate_json(plan).outcome.model_dump_json() for plan in plans(folder)]


@contextmanager
def cluster() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A Dask scheduler with two workers on this machine: its address and its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address, begun = f"tcp://127.0.0.1:{port}", list[subprocess.Popen[bytes]]()

    def start(name: str, *words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.{name}", *words, "--no-dashboard"]
        begun.append(subprocess.Popen(command, stderr=subprocess.DEVNULL))
        return begun[-1]

    try:
        scheduler = start("dask_scheduler", "--host", "127.0.0.1", "--port", str(port))
        for _ in range(2):
            start("dask_worker", address, "--nthreads", "1", "--no-nanny")
        yield address, scheduler
    finally:
        for one in begun:
            one.kill()
            one.wait()


@pytest.mark.nightly
def test_dask_plans_the_same_and_its_scheduler_may_die(case: Path, serial: Path, tmp_path: Path) -> None:
    """The same bytes from two workers of a scheduler on this machine; one that is killed loses no more than was in flight."""
    distributed = pytest.importorskip("distributed")
    folder, gathered = tmp_path / "out", gather(friendshore.load_case(case))
    swept = SweptCase(gathered.inputs, AnswerCache(), Limits(workers=1))
    asked = [SweepScenario(name=str(n), applied=Applied(changes=one)) for n, one in enumerate(CHANGES)]
    with cluster() as (address, scheduler):
        with distributed.Client(address, timeout=60, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)

        def kill(done: int, of: int, seconds: float) -> None:
            if done == 3:
                scheduler.kill()

        with pytest.raises(SolverError, match="FS524"):
            run_sweep(swept, gathered.plugins, asked, dask(address), SweepFolder(folder), progress=kill)
        kept = plans(folder)
        assert len(kept) >= 3
    with cluster() as (address, _):
        answer = run_sweep(swept, gathered.plugins, asked, dask(address), SweepFolder(folder, resume=True))
    assert answer.reused == len(kept)
    assert plans(folder) == plans(serial)
    assert len(answer.scenarios) == SCENARIOS
