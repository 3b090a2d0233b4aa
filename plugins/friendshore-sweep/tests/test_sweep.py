"""Sweeps: what is asked for, rows in order, errors as rows, and what is kept in a folder."""

from __future__ import annotations

import csv
import pickle
import shutil
import tracemalloc
from collections.abc import Iterable, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from tests.building import case, demand, metals, refused, rule

from friendshore.document.terminal import plain_text
from friendshore.domain.case import Scenario
from friendshore.domain.change import Change
from friendshore.errors import InputError, SolverError
from friendshore.plugins import Registry, processes
from friendshore.plugins.processes import ProcessEndedError
from friendshore.problem.inputs import Applied, Inputs
from friendshore.questions.pools import local_pool, pool_on
from friendshore.rules.kinds.limits import MaxShare
from friendshore.solve import AnswerCache, Limits
from friendshore_pages.html import html
from friendshore_sweep import planning, results
from friendshore_sweep.grid import grid_scenarios
from friendshore_sweep.planning import SweepFolder, SweptCase, run_sweep, sweep
from friendshore_sweep.results import JOURNAL, Sweep
from friendshore_sweep.sweep import sweep_document, sweep_notes

CASE = case(
    demand("metal", "civil", 40), scenarios=[Scenario(name="dear", change=(Change(price="cn-metal", factor=9),))]
)
FACTS = metals(cn=30, au=20)
PRICES = [[Change(price="cn-metal", factor=factor)] for factor in (1, 2, 9)]
REFUSED = [Change(disable="nothing-of-this-name")]


def swept(changes: Iterable[Any] = PRICES, **options: Any) -> Sweep:
    """A sweep of the case in this process, unless options say otherwise."""
    return sweep(CASE, changes, catalogs=[FACTS], registry=Registry.of(), **{"workers": 1, **options})


def spent(found: Sweep) -> list[float]:
    """Return the spending of each plan, or -1 without one."""
    return [float(scenario.plan.cost.total) if scenario.plan.cost else -1 for scenario in found.scenarios]


def files(folder: Path) -> dict[str, bytes]:
    """All that a folder holds."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_scenarios_are_told_in_the_order_in_which_they_were_given() -> None:
    """30 kg come from China and 10 from Australia; at nine times the price none do, and what Australia lacks comes from Japan."""
    answer = swept([*PRICES, [], Applied(scenario=("dear",))])
    assert spent(answer) == [800, 1100, 2600, 800, 2600]
    assert [scenario.number for scenario in answer.scenarios] == [1, 2, 3, 4, 5]
    assert [scenario.name for scenario in answer.scenarios][2:] == ["price cn-metal, factor 9", "as it is", "dear"]
    assert list(answer.to_frame()["total"]) == spent(answer)
    bought = answer.to_frame("purchases")
    assert list(bought[bought.number == 1].quantity_kg) == [10, 30]
    assert list(bought[bought.number == 1].share) == [0.25, 0.75]
    assert "The largest purchases total 40 kg" in html(sweep_document(answer, 20))  # in one of them, not in all


def test_cash_and_shortage_stand_apart_from_the_penalty() -> None:
    """With a shortage priced at 60, dear Chinese metal leaves 10 kg short: 20 kg from Australia at 50 spend 1,000, and the penalty is 600."""
    wanted = case(demand("metal", "civil", 30, price=60))
    found = sweep(wanted, PRICES[::2], catalogs=[metals(cn=30, au=20, jp=0)], registry=Registry.of(), workers=1)
    shown = " ".join(plain_text(sweep_document(found, 20), 140).split())
    assert "They spend USD 300 (price cn-metal, factor 1) to USD 1,000" in shown
    assert "1 metal 10 kg 1,000 1,000 +600" in shown
    assert "1,600" not in shown, "spend and penalty are not added up"


def test_what_goes_wrong_with_one_is_told_in_its_place() -> None:
    """A change that names nothing, a scenario that is not there: the others are planned all the same."""
    answer = swept([PRICES[0], REFUSED, Applied(scenario=("none",)), PRICES[1]])
    assert [scenario.plan.status for scenario in answer.scenarios] == ["optimal", "error", "error", "optimal"]
    assert "nothing-of-this-name" in answer.scenarios[1].plan.message
    assert "unknown scenario" in answer.scenarios[2].plan.message
    assert (spent(answer), len(answer.failed)) == ([800, -1, -1, 1100], 2)
    assert "nothing-of-this-name" in plain_text(sweep_document(answer, 20), 100)


class Inline(Executor):
    """An executor without workers of its own."""

    def __init__(self, most: int = 1) -> None:
        self._max_workers = most


class Backwards(Inline):
    """Does the first task last of the first three."""

    def __init__(self) -> None:
        super().__init__(3)
        self._asked: list[Any] = []

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Holds the first, and does it after the third."""
        self._asked.append((Future[Any](), fn, args))
        done = {1: [], 3: self._asked[::-2]}.get(len(self._asked), self._asked[-1:])
        for future, call, asked in done:
            future.set_result(call(*asked))
        return self._asked[-1][0]


@pytest.mark.parametrize("executor", [Backwards, lambda: ThreadPoolExecutor(3)])
def test_whoever_plans_the_answer_is_the_same(executor: Any, tmp_path: Path) -> None:
    """Files and records are the same to the byte, in whichever order scenarios are done."""
    lists = [*PRICES, REFUSED, PRICES[0]]
    assert swept(lists, executor=executor(), folder=tmp_path / "a") == swept(lists, folder=tmp_path / "b")
    assert files(tmp_path / "a") == files(tmp_path / "b")
    assert set(files(tmp_path / "a")) == {JOURNAL, "totals.csv", "materials.csv", "purchases.csv"}


class Counting(ThreadPoolExecutor):
    """Counts what it plans; a plan that was kept is checked alone."""

    def __init__(self) -> None:
        super().__init__(1)
        self.changes: list[tuple[Change, ...]] = []

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Notes the changes of the scenario, unless what was kept of it holds."""
        future = super().submit(fn, *args, **kwargs)
        if args[0].stored_plan is None or future.result() not in (None, args[0].stored_plan):
            self.changes.append(args[0].applied.changes)
        return future


def resumed(folder: Path, lists: Sequence[Any] = PRICES, **options: Any) -> tuple[Sweep, list[tuple[Change, ...]]]:
    """A sweep gone on with, and what had to be planned for it."""
    with Counting() as executor:
        answer = swept(lists, folder=folder, resume=True, executor=executor, **options)
    return answer, executor.changes


def test_what_is_planned_already_is_not_planned_again(tmp_path: Path) -> None:
    """Of a longer list only what is new; of the same facts and settings alone."""
    folder = tmp_path / "kept"
    first = swept(PRICES, folder=folder)
    found, asked = resumed(folder, [*PRICES, []])
    assert asked == [()]
    assert found.scenarios[:3] == first.scenarios
    assert sweep_notes(first) == ()
    assert sweep_notes(found) == ("3 of 4 scenarios were already in the folder and aren't planned again",)
    assert "kept" not in found.to_dict()
    assert resumed(folder, [[]], gap=0.5)[1] == [()]
    with pytest.raises(InputError, match="--resume"):
        swept(PRICES, folder=folder)


def test_a_failed_scenario_is_planned_again_only_if_that_is_asked(tmp_path: Path) -> None:
    """Its row is kept like any other until then."""
    folder = tmp_path / "kept"
    lists = [PRICES[0], REFUSED]
    first = swept(lists, folder=folder)
    assert resumed(folder, lists) == (first.but(reused=2), [])
    assert resumed(folder, lists, rerun=True) == (first.but(reused=1), [tuple(REFUSED)])


def hashed(rest: bytes) -> bytes:
    """A line of a journal under a hash that fits."""
    return sha256(rest).hexdigest().encode() + b" " + rest + b"\n"


def content(line: bytes) -> bytes:
    """A line without its hash."""
    return line.rstrip(b"\n").partition(b" ")[2]


FORGED = {
    "a total": (b'"total":', b'"total":1'),
    "an objective": (b'"objective":', b'"objective":1'),
    "a bound": (b'"bound":', b'"bound":9'),
    "what is bought": (b'"bought_kg":', b'"bought_kg":1'),
    "a purchase": (b'"quantity_kg":', b'"quantity_kg":1'),
    "a share": (b'"share":', b'"share":7'),
    "no money": (b'"cost":{', b'"cost":null,"money":{'),
}
HARMS = ["cut off", "a figure", "a digest", "rubbish", "another plan", "no newline", "plans exchanged", *FORGED]


def under_another_key(line: bytes, other: bytes) -> bytes:
    """A line whose plan is that of another one, under a hash that fits."""
    key, plan = (content(one).split(b',"plan":', 1)[n] for n, one in enumerate((line, other)))
    return hashed(key + b',"plan":' + plan)


@pytest.mark.parametrize("harm", HARMS)
def test_a_journal_that_was_changed_is_not_believed(harm: str, tmp_path: Path) -> None:
    """A changed line is planned again. The others are kept."""
    folder = tmp_path / "kept"
    first = swept(PRICES, folder=folder)
    journal = folder / JOURNAL
    lines = journal.read_bytes().splitlines(keepends=True)
    harmed = {
        "cut off": [*lines[:2], lines[2][:-40]],
        "a figure": [lines[0].replace(b'"total":800.0', b'"total":700.0'), *lines[1:]],
        "a digest": [b"0" * 64 + lines[0][64:], *lines[1:]],
        "rubbish": [lines[0], b"\xff\x00 {}\n", b"\n", *lines[2:]],
        "another plan": [lines[0][:64] + lines[1][64:], *lines[1:]],
        "no newline": [*lines[:2], lines[2][:-1]],
        "plans exchanged": [under_another_key(*lines[:2]), under_another_key(*lines[1::-1]), lines[2]],
        **{name: [hashed(content(lines[0]).replace(*change, 1)), *lines[1:]] for name, change in FORGED.items()},
    }[harm]
    journal.write_bytes(b"".join(harmed))
    assert b"".join(harmed) != b"".join(lines)
    found, asked = resumed(folder)
    again = 2 if harm == "plans exchanged" else 1
    assert found == first.but(reused=3 - again)
    assert len(asked) == again
    assert journal.read_bytes() == b"".join(lines)


def test_a_sweep_that_is_ended_tells_what_it_has_and_goes_on_later(tmp_path: Path) -> None:
    """After one scenario: the others are counted, and planned the next time."""
    folder, ended = tmp_path / "kept", Event()
    part = swept(PRICES, folder=folder, cancel=ended, progress=lambda done, of, seconds: ended.set())
    assert (len(part.scenarios), part.not_tried) == (1, 2)
    found, asked = resumed(folder)
    assert (found, len(asked)) == (swept(PRICES).but(reused=1), 2)


class Fragile(ThreadPoolExecutor):
    """A pool that fails whenever it has a certain scenario, as where processes die; `lost`: as one that is gone then, and takes nothing more."""

    def __init__(self, fatal: Sequence[Change], *, lost: bool = False) -> None:
        super().__init__(1)
        self._fatal, self._lost, self._dead = tuple(fatal), lost, False

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Fails, or does what it is asked to."""
        if self._dead:
            raise BrokenExecutor
        if args[0].applied.changes != self._fatal:
            return super().submit(fn, *args, **kwargs)
        self._dead = self._lost
        future: Future[Any] = Future()
        future.set_exception(BrokenExecutor() if self._lost else ProcessEndedError())
        return future


def test_a_scenario_that_ends_its_worker_twice_fails_and_no_other_does() -> None:
    """The others are planned as if nothing had been. Whoever gave an executor that is lost is told how far the sweep came, and how to go on."""
    answer = swept([*PRICES, []], executor=Fragile(PRICES[1]))
    assert "died twice" in answer.scenarios[1].plan.message
    assert spent(answer) == [800, -1, 2600, 800]
    with pytest.raises(SolverError, match=r"FS524 the executor has no workers left; \d of 4 scenarios .*--resume"):
        swept([*PRICES, []], executor=Fragile(PRICES[1], lost=True))


def test_a_worker_without_the_case_is_sent_it() -> None:
    """So is one that begins late: the case goes to it with the scenario that it had to give back."""

    class Forgetful(ThreadPoolExecutor):
        """A thread of its own for each task."""

        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            with ThreadPoolExecutor(1) as pool:
                return pool.submit(fn, *args, **kwargs)

    with Forgetful(1) as executor:
        assert swept(executor=executor) == swept()


def test_a_worker_of_other_software_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """It could plan otherwise: each row says so."""
    packed = swept_case(Inputs(CASE, (FACTS,), ())).packed()
    monkeypatch.setattr(processes, "versions", lambda: {"friendshore": "9.9", "ortools": "9.9"})
    with pytest.raises(InputError, match=r"FS427.*friendshore 9\.9"):
        planning.plan_scenario(planning.ScenarioTask(0, Applied(), planning.case_hash(packed), packed=packed))


FACTS_GIVEN = Inputs(CASE, (FACTS,), (rule(MaxShare, id="share", materials=["metal"], share="0.9", countries=["CN"]),))


def swept_case(given: Inputs = FACTS_GIVEN) -> SweptCase:
    """A case as it is sent to whoever plans."""
    return SweptCase(given, AnswerCache(), Limits(workers=1))


def grid(*vary: str, file: Path | None = None, base: Applied | None = None) -> list[Any]:
    """The scenarios of a grid."""
    return list(grid_scenarios(FACTS_GIVEN, base or Applied(), vary, file))


def names(*vary: str, file: Path | None = None) -> list[str]:
    return [one.name for one in grid(*vary, file=file)]


def test_what_is_varied_makes_a_grid() -> None:
    """The last of it changes first; a range has its ends, and `none` is the case as it is."""
    assert names("price:cn-metal=0.5..2/4", "disable=none,share") == [
        f"price:cn-metal {factor}{also}" for factor in (0.5, "1", 1.5, "2") for also in ("", ", disable share")
    ]
    assert names("capacity:cn:per_year=10..30 kg/year/3") == [f"capacity:cn:per_year {n} kg/year" for n in (10, 20, 30)]
    assert names("price:country:CN=50%,200%") == ["price:country:CN 50%", "price:country:CN 200%"]
    strict = [f"strict {word}{also}" for word in ("no", "yes") for also in (", remove cn+au", "")]
    assert names("strict=no,yes", "remove=cn+au,none") == strict
    assert names() == names("scenario=*") == ["dear"]


def test_what_is_varied_is_applied_after_what_the_case_is_opened_with() -> None:
    """Scenarios and changes of all come first; of two values that are strict or not, one strict makes all strict."""
    base = Applied(scenario=("dear",), changes=(Change(price="au-metal", factor=3),), strict=True)
    (one,) = grid("price:cn-metal=2", base=base)
    assert one.applied == base.but(changes=(*base.changes, Change(price="cn-metal", factor=2)))


def test_a_file_of_scenarios_is_varied_like_the_rest(tmp_path: Path) -> None:
    """They may inherit the case's own, and each is planned at every point of the grid."""
    file = tmp_path / "some.toml"
    file.write_text(
        '[[scenario]]\nname = "dearer"\ninherits = ["dear"]\nchange = [{ price = "au-metal", factor = 2 }]\n'
        '[[scenario]]\nname = "gone"\nchange = [{ remove = "au" }]\n'
    )
    expected = [f"{name}, price:cn-metal {factor}" for name in ("dearer", "gone") for factor in (1, 2)]
    assert names("price:cn-metal=1,2", file=file) == expected
    told = [change.text for change in grid(file=file)[0].applied.changes]
    assert told == ["price cn-metal, factor 9", "price au-metal, factor 2"]


@pytest.mark.parametrize(
    ("vary", "code"),
    [
        ("price:cn-metal", "FS960"),
        ("prise:cn=1,2", "FS003"),
        ("price:cn-metal=1..x/4", "FS960"),
        ("price:cn-metal=1 kg..2 t/4", "FS960"),
        ("price:cn-metal=1..2/1", "FS960"),
        ("remove:cn=1", "FS960"),
        ("strict=perhaps", "FS003"),
        ("price=cn-metal, factor=1..x/4", "FS960"),
        ("price:cn-metal=1..2/2000", "FS961"),
    ],
)
def test_invalid_axes_are_reported_before_planning(vary: str, code: str) -> None:
    more = ["price:au-metal=1..2/2000"] if "/2000" in vary else []
    problems = refused(grid, vary, *more)
    assert {p.code for p in problems} == {code}
    assert all(p.file == f"--vary '{vary}'" for p in problems if code != "FS961")


@pytest.mark.parametrize(
    ("vary", "text"),
    [
        ("prise:cn=1,2", "did you mean `price`"),
        ("price:chn-metal=0.5..2/4", "cn-metal"),
        ("price=cn-metal, factr=1..2/3", "did you mean `factor`"),
        ("scenario=deer", "deer"),
    ],
)
def test_unknown_names_in_axes_are_reported_with_their_option(vary: str, text: str) -> None:
    problems = refused(grid, vary)
    assert all(p.file == f"--vary '{vary}'" for p in problems)
    assert text in "\n".join(map(str, problems))


@pytest.mark.parametrize(
    ("vary", "older"),
    [
        ("price=cn-metal, factor=0.5..2/4", "price:cn-metal=0.5..2/4"),
        ("price=cn-metal, factor=none,2", "price:cn-metal=none,2"),
        ("capacity=cn, per_year=1 t..3 t/3", "capacity:cn:per_year=1 t..3 t/3"),
    ],
)
def test_a_varied_change_is_written_like_a_change(vary: str, older: str) -> None:
    """One of its keys has several values. The older form gives the same grid."""
    assert [(one.name, one.applied) for one in grid(vary)] == [(one.name, one.applied) for one in grid(older)]


def test_a_varied_change_may_have_fixed_keys() -> None:
    """They are part of every value."""
    changes = [one.applied.changes[0] for one in grid("capacity=cn, per_year=1 t,2 t, from=2027-07-01")]
    assert [(change.per_year, str(change.start)) for change in changes] == [(1000, "2027-07-01"), (2000, "2027-07-01")]


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    """Every option, and the file."""
    file = tmp_path / "some.toml"
    file.write_text('[[scenario]]\nname = "dear"\nchange = [{ price = "cn-metal" }]\n')
    problems = refused(grid, "strict=perhaps", "prise:cn=1", file=file)
    found = {(p.code, p.file, p.found) for p in problems}
    assert {("FS003", "--vary 'strict=perhaps'", "perhaps"), ("FS003", "--vary 'prise:cn=1'", "prise")} < found
    assert ("FS012", str(file), "dear") in found
    assert any(p.file.startswith(str(file)) and "factor" in str(p) for p in problems)


def test_tables_say_what_is_varied_in_columns_of_their_own(tmp_path: Path) -> None:
    """A row a scenario, with every digit of the money."""
    scenarios = grid("price:cn-metal=1,2", "disable=none,share")
    answer = run_sweep(swept_case(), (), scenarios, local_pool(1, 4), SweepFolder(tmp_path / "out"))
    with (tmp_path / "out" / "totals.csv").open(newline="") as file:
        rows = [(row["price:cn-metal"], row["disable"], Decimal(row["objective"])) for row in csv.DictReader(file)]
    assert rows == [
        (*map(scenario.varied.get, ("price:cn-metal", "disable")), scenario.plan.cost.objective)
        for scenario in answer.scenarios
    ]
    page = html(sweep_document(answer, 20))
    assert "Purchases that differ between scenarios" not in page or "<svg" in page
    assert "By price:cn-metal" in plain_text(sweep_document(answer, 20), 100)


def test_parquet_holds_what_csv_does(tmp_path: Path) -> None:
    """The same rows, numbers as doubles, and the same bytes each time."""
    parquet = pytest.importorskip("pyarrow.parquet")
    answer = swept(folder=tmp_path / "a", parquet=True)
    swept(folder=tmp_path / "b", parquet=True)
    assert files(tmp_path / "a") == files(tmp_path / "b")
    for table in Sweep.TABLES:
        read = parquet.read_table(tmp_path / "a" / f"{table}.parquet").to_pylist()
        frame = answer.to_frame(table).astype(object)
        assert [list(row.values()) for row in read] == frame.where(frame.notna(), None).to_numpy().tolist()


def test_plans_are_read_when_they_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a file without a name where they are too many for memory: one, several, all, after the folder is gone, and pickled."""
    first = swept([*PRICES, REFUSED], folder=tmp_path / "a")
    monkeypatch.setattr(results, "MAX_BYTES_IN_MEMORY", 1)
    answer = swept([*PRICES, REFUSED], folder=tmp_path / "b")
    assert files(tmp_path / "a") == files(tmp_path / "b")
    shutil.rmtree(tmp_path / "b")
    assert answer == first == pickle.loads(pickle.dumps(answer))
    assert answer.scenarios[-1].plan.failed
    assert [scenario.number for scenario in answer.scenarios[1:3]] == [2, 3]
    assert pickle.loads(pickle.dumps(answer)).model_dump_json() == first.model_dump_json()


class Repeating(Inline):
    """Plans one scenario, and says of every other that its plan is the same."""

    plan: Any = None

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """At once."""
        self.plan = self.plan or fn(*args)
        future: Future[Any] = Future()
        future.set_result(self.plan)
        return future


def memory(scenarios: int, folder: Path) -> int:
    """Most bytes that a sweep of so many scenarios of a grid, with its tables and its document, takes at once."""
    asked = grid(f"price:cn-metal=1..2/{scenarios}")
    tracemalloc.start()
    try:
        sweep_document(run_sweep(swept_case(), (), asked, pool_on(Repeating()), SweepFolder(folder)), 20)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.deep
def test_memory_hardly_grows_with_scenarios(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than 2 kB each, for its key, its place and what a table says of it; as records a plan of this small case takes 10."""
    monkeypatch.setattr(results, "MAX_BYTES_IN_MEMORY", 1)
    few, many = (memory(count, tmp_path / str(count)) for count in (200, 1_200))
    assert (many - few) / 1_000 < 2_000


def test_a_sweep_is_kept_only_where_it_may_be(tmp_path: Path) -> None:
    """A folder of somebody's own is left as it is, also where a sweep is to go on."""
    (tmp_path / "notes.txt").write_text("mine")
    for more in ({}, {"resume": True}):
        with pytest.raises(InputError, match="FS964"):
            swept(folder=tmp_path, **more)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
