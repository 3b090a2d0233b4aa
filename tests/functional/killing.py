"""Kills commands while they write, each in a process of its own, and looks at what they leave.

`python tests/functional/killing.py FOLDER every OPERATION...` kills each operation before every one of its steps: a folder made, a file
opened, half written or written whole, renamed or deleted. `... FOLDER NUMBER SEED [OPERATION...]` kills NUMBER times at random: half of
them at a step, half of them at a moment. `... FOLDER together NUMBER` writes and reads one run at once. The last line on stdout is JSON: what was done, and what was found wrong.
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
"""Files of the user's, beside and within what is written to."""
_STEPS = frozenset({"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link"})


Doing = Callable[[Path], None]
"""What is done in a sandbox."""


@dataclass(frozen=True)
class Operation:
    """Something that writes `target`, a path in the sandbox."""

    do: Doing
    target: str
    again: Doing
    """The next call, which puts right what a killed one left; it may refuse."""
    before: Doing = lambda _: None
    """Makes what is there before."""
    replaces: bool = False
    """Whether what was there before may still be there."""


def command(*arguments: str) -> Doing:
    """A command, run in the sandbox."""

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
    """Another case, another catalog, so that a second plan or lock is not the first."""
    case, offers = sandbox / "case" / "case.toml", sandbox / "case" / "catalog" / "catalog.toml"
    case.write_text(case.read_text().replace('name = "first-case"', 'name = "second-case"'))
    offers.write_text(offers.read_text().replace('title = "', 'title = "Second: '))


def _write(case: str) -> Doing:
    """A run that was not planned: as good as any to be written and read."""
    cost = dict.fromkeys(
        ("price", "charges", "freight", "onboarding", "holding", "total", "nominal", "penalties", "shortage", "objective"), 0,
    )  # fmt: skip
    lists = ("materials", "demands", "makes", "lots", "draws", "stocks", "deliveries", "shortages", "exposed", "rules", "purchases",
             "compliance_classes", "limits", "conflicts", "unproven", "blocked", "leads", "assumptions", "plugins")  # fmt: skip
    told: dict[str, Any] = {
        **{name: [] for name in lists}, "case": case, "status": "optimal", "verified": True, "currency": "USD", "place": "US",
        "objective": 0, "bound": 0, "gap": 0, "cost": cost, "shortage_kg": {}, "largest_miss_kg": 0, "components": 1, "versions": {},
        "periods": [{"label": "2027", "start": "2027-01-01", "end": "2027-12-31"}],
    }  # fmt: skip
    return lambda sandbox: write_run(sandbox / "out" / "run", Run.model_validate(told), {"case": {"name": case}})


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
    """Does something in a process of its own; its exit code, negative for a signal."""
    with warnings.catch_warnings():
        # the threads that numpy may have started hold nothing of ours
        warnings.simplefilter("ignore", DeprecationWarning)
        process = os.fork()
    if process:
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    code = 70
    try:
        if quiet:
            nowhere = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(nowhere, stream)
        do()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 0
    finally:  # a traceback is code 70
        os._exit(code)


def _stepping(sandbox: Path, at: int, told: int = -1) -> None:
    """Kills this process before its step `at`; -1: never, and the number of steps is written to a pipe at every step."""
    root, done = str(sandbox), 0

    def step() -> bool:
        nonlocal done
        done += 1
        if told >= 0:
            os.pwrite(told, str(done).encode(), 0)
        return done == at

    def within(arguments: tuple[Any, ...]) -> bool:
        return any(str(Path.cwd() / one).startswith(root) for one in arguments if isinstance(one, (str, Path)))

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
    """All files at and below a path, and all folders (None)."""
    paths = [path, *path.rglob("*")] if path.is_dir() else [path] * path.exists()
    return {str(one.relative_to(path)): one.read_bytes() if one.is_file() else None for one in sorted(paths)}


@dataclass
class Trial:
    """An operation, and what it does where nobody kills it."""

    name: str
    made: Path
    """A sandbox before it."""
    steps: int
    seconds: float
    before: dict[str, bytes | None]
    after: dict[str, bytes | None]

    @staticmethod
    def of(name: str, place: Path) -> Trial:
        """Makes the sandbox, and does it once."""
        operation, made, whole = OPERATIONS[name], place / "made", place / "sandbox"
        made.mkdir(parents=True)
        for path, text in MINE.items():
            (made / path).parent.mkdir(exist_ok=True)
            (made / path).write_text(text)
        assert _child(lambda: operation.before(made)) == 0, f"{name}: cannot be prepared"
        before = _tree(made / operation.target)
        shutil.copytree(made, whole)
        counted = os.open(place / "steps", os.O_RDWR | os.O_CREAT)
        began = time.monotonic()
        code = _child(lambda: (_stepping(whole, -1, counted), operation.do(whole))[1])
        seconds = time.monotonic() - began
        assert code == 0, f"{name}: ends in {code}"
        after = _tree(whole / operation.target)
        shutil.rmtree(whole)
        return Trial(name, made, int(os.pread(counted, 20, 0)), seconds, before, after)

    def kill(self, prepare: Doing) -> list[str]:
        """Does it in a new sandbox, killed as `prepare` provides for; what is wrong with what it leaves."""
        operation, sandbox = OPERATIONS[self.name], self.made.parent / "sandbox"
        shutil.copytree(self.made, sandbox)
        try:
            _child(lambda: (prepare(sandbox), operation.do(sandbox))[1])
            found = self._untouched(sandbox, "killed")
            code = _child(lambda: operation.again(sandbox))
            target = _tree(sandbox / operation.target)
            right = [self.before, self.after] if operation.replaces else [self.after]
            if operation.target.endswith(".xlsx"):  # a workbook holds the time at which it was written
                right = [target] if is_zipfile(sandbox / operation.target) else []
            if target not in right:
                found.append(f"the next call leaves {sorted(target)} where {sorted(self.after)} should be")
            if code not in (0, 2) or (code and operation.replaces):
                found.append(f"the next call ends in {code}")
            left = [one for one in sandbox.rglob(".*.old") if not one.parent.name.endswith(".friendshore")]
            return found + [f"left behind: {one}" for one in left] + self._untouched(sandbox, "the next call")
        finally:
            shutil.rmtree(sandbox)

    def _untouched(self, sandbox: Path, when: str) -> list[str]:
        """What became of the user's files."""
        return [
            f"{when}: {path.relative_to(self.made)} is not what it was"
            for path in self.made.rglob("*")
            if path.is_file() and OPERATIONS[self.name].target not in str(path)
            and (not (other := sandbox / path.relative_to(self.made)).is_file() or other.read_bytes() != path.read_bytes())
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
    dice = random.Random(int(how[1]))
    for number in range(int(how[0])):
        name = list(trials)[number % len(trials)]
        if number // len(trials) % 2:
            yield name, _at_moment(dice.uniform(0, trials[name].seconds))
        else:
            yield name, partial(_stepping, at=dice.randint(1, trials[name].steps))


def _together(place: Path, times: int) -> list[str]:
    """Write the same run over and over from two processes, and read it from a third; return what was found other than a whole run of either.

    A writer may be refused while the other one replaces the run.
    """
    names = ("first", "second")
    _write(names[0])(place)

    def write(name: str) -> None:
        for _ in range(times):
            with suppress(InputError):
                _write(name)(place)

    def read() -> None:
        for _ in range(times):
            found = read_run(place / "out" / "run")
            assert found.run.case == found.facts["case"]["name"]

    doing = [partial(write, name) for name in names] + [read]
    pids = []
    for do in doing:
        process = os.fork()
        if not process:
            os._exit(_child(do))
        pids.append(process)
    codes = [os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in pids]
    left = [str(path.relative_to(place)) for path in place.rglob(".*")]
    return [f"ended in {codes}"] * any(codes) + [f"left behind: {name}" for name in left]


def main(place: Path, how: list[str]) -> int:
    """Kills, and prints what was found."""
    place = Path(os.path.realpath(place))
    if how[0] == "together":
        wrong = _together(place, int(how[1]))
        sys.stdout.write(json.dumps({"kills": {}, "wrong": wrong}) + "\n")
        return 1 if wrong else 0
    names = how[1:] if how[0] == "every" else how[2:]
    if names != ["run"]:
        get_ready()  # here, and not in each process anew
    for do in (_write("nothing"), _read):
        do(place / "once")  # so that what is imported or made at the first time is there in each process
    gc.freeze()
    trials = {name: Trial.of(name, place / str(number)) for number, name in enumerate(names or OPERATIONS)}
    done: Counter[str] = Counter()
    wrong: list[str] = []
    for name, prepare in _kills(trials, how):
        done[name] += 1
        wrong += [f"{name}, kill {done[name]}: {one}" for one in trials[name].kill(prepare)]
    steps = {name: trial.steps for name, trial in trials.items()}
    sys.stdout.write(json.dumps({"kills": dict(done), "steps": steps, "wrong": wrong}) + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
