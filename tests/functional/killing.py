"""Kill commands while they write, and check the files that they leave.

`python tests/functional/killing.py FOLDER every OPERATION...` kills each operation before every step: create a folder, open a file, write half or
all of it, rename, or delete. `... FOLDER NUMBER SEED [OPERATION...]` kills NUMBER times at random steps and moments. `... FOLDER together NUMBER`
writes and reads one run at once. The last line on stdout is JSON with counts and problems.
"""

from __future__ import annotations

import gc
import json
import os
import random
import shutil
import signal
import stat
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import is_zipfile

from friendshore.cli import app
from friendshore.domain.run import Run
from friendshore.errors import InputError
from friendshore.run import read_run, write_run

if TYPE_CHECKING:  # as a type checker finds it, and as this script does
    from .starter import get_ready
else:
    from starter import get_ready

MINE = {"notes.txt": "mine", "stock.csv": "mine too", "run.json": "{}", "below/plan.csv": "a,b\n"}
"""The user's own files, next to and inside the target."""
_STEPS = frozenset({"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link"})


Doing = Callable[[Path], None]
"""Operation in a sandbox."""


@dataclass(frozen=True)
class Operation:
    """An operation that writes `target`, a path in the sandbox."""

    do: Doing
    target: str
    again: Doing
    """Next call, which repairs the result of a killed one, or refuses."""
    before: Doing = lambda _: None
    """Preparation."""
    replaces: bool = False
    """True if the previous contents may remain."""


def command(*arguments: str) -> Doing:
    """Return the operation that runs a command in the sandbox."""

    def run(sandbox: Path) -> None:
        os.chdir(sandbox)
        app(list(arguments))

    return run


def _several(*steps: Doing) -> Doing:
    def run(sandbox: Path) -> None:
        for step in steps:
            assert _child(partial(step, sandbox)) == 0

    return run


def _changed(sandbox: Path) -> None:
    """Change the case and the catalog, so that a second plan or lock differs from the first."""
    case, offers = sandbox / "case" / "case.toml", sandbox / "case" / "catalog" / "catalog.toml"
    case.write_text(case.read_text().replace('name = "first-case"', 'name = "second-case"'))
    offers.write_text(offers.read_text().replace('title = "', 'title = "Second: '))


def _write(case: str) -> Doing:
    """Return the operation that writes a run without planning it."""
    cost = dict.fromkeys(
        ("price", "charges", "freight", "onboarding", "holding", "total", "nominal", "penalties", "shortage", "objective"), 0,
    )  # fmt: skip
    lists = ("materials", "demands", "makes", "lots", "draws", "stocks", "deliveries", "shortages", "exposed", "rules", "purchases",
             "compliance_classes", "limits", "conflicts", "unproven", "blocked", "leads", "assumptions", "plugins")  # fmt: skip
    run: dict[str, Any] = {
        **{name: [] for name in lists}, "case": case, "status": "optimal", "verified": True, "currency": "USD", "place": "US",
        "objective": 0, "bound": 0, "gap": 0, "cost": cost, "shortage_kg": {}, "largest_miss_kg": 0, "components": 1, "versions": {},
        "periods": [{"label": "2027", "start": "2027-01-01", "end": "2027-12-31"}],
    }  # fmt: skip
    return lambda sandbox: write_run(sandbox / "out" / "run", Run.model_validate(run), {"case": {"name": case}})


def _read(sandbox: Path) -> None:
    read_run(sandbox / "out" / "run")


CASE = command("init", "case")
PLAN = command("plan", "case", "--out", "out/run", "-q")
LOCK = command("lock", "case")
NEW = command("plugins", "new", "friendshore-acme", "acme")
CONVERT, WORKBOOK = (command("catalogs", "convert", "case/catalog", to) for to in ("made/catalog", "made.xlsx"))
PACKAGE = command("catalogs", "datapackage", "case/catalog")
OPERATIONS: dict[str, Operation] = {
    "run": Operation(_write("second"), "out/run", _read, _write("first"), replaces=True),
    "first run": Operation(_write("first"), "out/run", _write("first")),
    "init": Operation(CASE, "case", CASE),
    "plan": Operation(PLAN, "out/run", command("verify", "out/run"), _several(CASE, PLAN, _changed), replaces=True),
    "lock": Operation(LOCK, "case/friendshore.lock", LOCK, _several(CASE, LOCK, _changed), replaces=True),
    "plugins new": Operation(NEW, "acme", NEW),
    "convert": Operation(CONVERT, "made/catalog", CONVERT, _several(CASE)),
    "convert to a workbook": Operation(WORKBOOK, "made.xlsx", WORKBOOK, _several(CASE)),
    "datapackage": Operation(PACKAGE, "case/catalog/datapackage.json", PACKAGE, _several(CASE, PACKAGE, _changed), replaces=True),
}  # fmt: skip


def _child(do: Callable[[], None], quiet: bool = True) -> int:
    """Run a function in a child process. Return its exit code, negative for a signal."""
    with warnings.catch_warnings():
        # the threads that numpy may have started hold nothing of ours
        warnings.simplefilter("ignore", DeprecationWarning)
        process = os.fork()
    if process:
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    code = 70
    try:
        if quiet:
            devnull = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(devnull, stream)
        do()
        code = 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 0
    finally:  # a traceback is code 70
        os._exit(code)


def _stepping(sandbox: Path, at: int, pipe: int = -1) -> None:
    """Kill this process before step `at`. -1 means never, and writes the number of steps to a pipe at every step."""
    root, done = str(sandbox), 0

    def step() -> bool:
        nonlocal done
        done += 1
        if pipe >= 0:
            os.pwrite(pipe, str(done).encode(), 0)
        return done == at

    def within(arguments: tuple[Any, ...]) -> bool:
        return any(
            str(Path.cwd() / argument).startswith(root) for argument in arguments if isinstance(argument, (str, Path))
        )

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        writes = os.O_WRONLY | os.O_RDWR | os.O_CREAT
        opened = event == "open" and isinstance(arguments[2], int) and arguments[2] & writes
        # as `shutil.rmtree` names its files
        in_folder = event in ("os.remove", "os.rmdir") and arguments[-1] not in (-1, None)
        if (event in _STEPS or opened) and (in_folder or within(arguments)) and step():
            os.kill(os.getpid(), signal.SIGKILL)

    sync = os.fsync

    def half(handle: int) -> None:
        if stat.S_ISREG(os.fstat(handle).st_mode) and step():
            os.ftruncate(handle, os.fstat(handle).st_size // 2)
            os.kill(os.getpid(), signal.SIGKILL)
        if step():
            os.kill(os.getpid(), signal.SIGKILL)
        sync(handle)

    os.fsync = half
    sys.addaudithook(hook)


def _tree(path: Path) -> dict[str, bytes | None]:
    """Return the contents of all files at and below a path, with None for folders."""
    paths = [path, *path.rglob("*")] if path.is_dir() else [path] * path.exists()
    return {str(child.relative_to(path)): child.read_bytes() if child.is_file() else None for child in sorted(paths)}


@dataclass
class Trial:
    """An operation, with its result if it isn't killed."""

    name: str
    start_folder: Path
    """Prepared sandbox."""
    steps: int
    seconds: float
    before: dict[str, bytes | None]
    after: dict[str, bytes | None]

    @staticmethod
    def of(name: str, place: Path) -> Trial:
        """Prepare the sandbox, and run the operation once."""
        operation, start_folder, sandbox = OPERATIONS[name], place / "made", place / "sandbox"
        start_folder.mkdir(parents=True)
        for path, text in MINE.items():
            (start_folder / path).parent.mkdir(exist_ok=True)
            (start_folder / path).write_text(text)
        assert _child(lambda: operation.before(start_folder)) == 0, f"{name}: cannot be prepared"
        before = _tree(start_folder / operation.target)
        shutil.copytree(start_folder, sandbox)
        step_file = os.open(place / "steps", os.O_RDWR | os.O_CREAT)
        started = time.monotonic()
        code = _child(lambda: (_stepping(sandbox, -1, step_file), operation.do(sandbox))[1])
        seconds = time.monotonic() - started
        assert code == 0, f"{name}: ends in {code}"
        after = _tree(sandbox / operation.target)
        shutil.rmtree(sandbox)
        return Trial(name, start_folder, int(os.pread(step_file, 20, 0)), seconds, before, after)

    def kill(self, prepare: Doing) -> list[str]:
        """Run the operation in a new sandbox, killed as `prepare` arranges. Return the problems that it leaves."""
        operation, sandbox = OPERATIONS[self.name], self.start_folder.parent / "sandbox"
        shutil.copytree(self.start_folder, sandbox)
        try:
            _child(lambda: (prepare(sandbox), operation.do(sandbox))[1])
            problems = self._untouched(sandbox, "killed")
            code = _child(lambda: operation.again(sandbox))
            target = _tree(sandbox / operation.target)
            valid_states = [self.before, self.after] if operation.replaces else [self.after]
            if operation.target.endswith(".xlsx"):  # a workbook holds the time at which it was written
                valid_states = [target] if is_zipfile(sandbox / operation.target) else []
            if target not in valid_states:
                problems.append(f"the next call leaves {sorted(target)} where {sorted(self.after)} should be")
            if code not in (0, 2) or (code and operation.replaces):
                problems.append(f"the next call ends in {code}")
            leftovers = [path for path in sandbox.rglob(".*.old") if not path.parent.name.endswith(".friendshore")]
            return problems + [f"left behind: {path}" for path in leftovers] + self._untouched(sandbox, "the next call")
        finally:
            shutil.rmtree(sandbox)

    def _untouched(self, sandbox: Path, when: str) -> list[str]:
        """Return the user's files that have changed."""
        return [
            f"{when}: {path.relative_to(self.start_folder)} is not what it was"
            for path in self.start_folder.rglob("*")
            if path.is_file() and OPERATIONS[self.name].target not in str(path)
            and (not (other := sandbox / path.relative_to(self.start_folder)).is_file() or other.read_bytes() != path.read_bytes())
        ]  # fmt: skip


def _at_moment(seconds: float) -> Doing:
    def prepare(_: Path) -> None:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)  # ends the process as SIGKILL does: nothing of it runs any more
        signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-6))

    return prepare


def _kills(trials: dict[str, Trial], how: list[str]) -> Iterator[tuple[str, Doing]]:
    if how[0] == "every":
        for name, trial in trials.items():
            for step in range(1, trial.steps + 1):
                yield name, partial(_stepping, at=step)
        return
    rng = random.Random(int(how[1]))
    for number in range(int(how[0])):
        name = list(trials)[number % len(trials)]
        if number // len(trials) % 2:
            yield name, _at_moment(rng.uniform(0, trials[name].seconds))
        else:
            yield name, partial(_stepping, at=rng.randint(1, trials[name].steps))


def _together(place: Path, times: int) -> list[str]:
    """Write a run repeatedly from two processes, read it from a third, and return the problems. A writer may be refused meanwhile."""
    names = ("first", "second")
    _write(names[0])(place)

    def write(name: str) -> None:
        for _ in range(times):
            with suppress(InputError):
                _write(name)(place)

    def read() -> None:
        for _ in range(times):
            stored = read_run(place / "out" / "run")
            assert stored.run.case == stored.facts["case"]["name"]

    doing = [partial(write, name) for name in names] + [read]
    pids = []
    for do in doing:
        process = os.fork()
        if not process:
            os._exit(_child(do))
        pids.append(process)
    codes = [os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in pids]
    leftovers = [str(path.relative_to(place)) for path in place.rglob(".*")]
    return [f"ended in {codes}"] * any(codes) + [f"left behind: {name}" for name in leftovers]


def main(place: Path, how: list[str]) -> int:
    place = Path(os.path.realpath(place))
    if how[0] == "together":
        problems = _together(place, int(how[1]))
        sys.stdout.write(json.dumps({"kills": {}, "wrong": problems}) + "\n")
        return 1 if problems else 0
    names = how[1:] if how[0] == "every" else how[2:]
    if names != ["run"]:
        get_ready()  # here, and not in each process anew
    for do in (_write("nothing"), _read):
        do(place / "once")  # so that what is imported or made at the first time is there in each process
    gc.freeze()
    trials = {name: Trial.of(name, place / str(number)) for number, name in enumerate(names or OPERATIONS)}
    done: Counter[str] = Counter()
    problems: list[str] = []
    for name, prepare in _kills(trials, how):
        done[name] += 1
        problems += [f"{name}, kill {done[name]}: {problem}" for problem in trials[name].kill(prepare)]
    steps = {name: trial.steps for name, trial in trials.items()}
    sys.stdout.write(json.dumps({"kills": dict(done), "steps": steps, "wrong": problems}) + "\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
