"""Cases under two editions: every verdict that turns, what it is worth, and the cheapest plan under each."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic

from ..case import load_case
from ..catalog import Once
from ..domain.case import Case
from ..errors import FriendshoreError, OutOfTimeError
from ..plugins import Registry
from ..plugins.elsewhere import OtherProcess
from ..problem.inputs import Applied
from ..questions.pools import carried_out, given, here, told_of
from ..recommend import Gathered, gather, refuse_old_prices
from ..solve import Cancel, Limits, Progress
from .given import Edition, Editions, Named, used_of, with_editions, with_settings
from .records import CaseWatched, Watched
from .worker import AskedCase, BothFacts, Found, found_of


def watch(
    editions: Editions,
    cases: Sequence[Path],
    *,
    registry: Registry | None = None,
    strict: bool = False,
    limits: Limits | None = None,
    executor: Executor | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Watched:
    """Every verdict that turns from one edition to the other, in each of several cases, with what is at stake and what the cheapest plan becomes.

    A case that cannot be planned under one of the editions is told with the reason, and the others are gone on with. The answer is the same whatever the
    executor and the number of workers.

    Args:
        editions: what changes.
        cases: case files, or their folders.
        registry: where names are looked up; None: what is installed.
        strict: enforce phases of unknown status under both.
        limits: of every plan that is made; with `until`, of all of them together: what is not done by then is told as not planned.
        executor: any executor of `concurrent.futures`, which stays open; None: processes of this machine (then, as for every program that starts
            processes, what the program does stands below `if __name__ == "__main__":`). Files are read here alone.
        workers: processes, or cases at once on the executor; None: the processors, or as many as the executor says. One: this process.
        progress: told after each case how many are done, of how many, and the seconds.
        cancel: once it is set, what is not done is told as not planned, for half an answer is none.

    Raises:
        InputError: if a case file cannot be read at all.
        SolverError: if the executor is lost.
    """
    known = registry if registry is not None else Registry.discover()
    read = [(path, load_case(path)) for path in cases]
    names = Counter(case.name for _, case in read)
    called = [case.name if names[case.name] == 1 else f"{case.name} ({path})" for path, case in read]
    told = [CaseWatched(case=name, file=str(path)) for name, (path, _) in zip(called, read, strict=True)]
    process, bounds = OtherProcess(), replace(limits or Limits(), workers=1)
    reading = _Reading(editions, known, Applied(strict=strict), bounds, Once(), process)
    done = _Watching(reading, told, [case for _, case in read], cancel, progress)
    with closing(process):
        done.run(executor, workers)
    canceled = cancel is not None and cancel.is_set()
    ended = told_of(OutOfTimeError.ended("before this case was done", canceled))
    found = [done.found.get(number, (one.but(error=ended), [], [])) for number, one in enumerate(told)]
    return Watched(
        editions=editions.names,
        cases=tuple(one for one, _, _ in found),
        flips=tuple(flip for _, flips, _ in found for flip in flips),
        offers=tuple(offer for _, _, offers in found for offer in offers),
    )


@dataclass(frozen=True, slots=True)
class _Reading:
    """How a case is read under two editions."""

    editions: Editions
    registry: Registry
    applied: Applied
    limits: Limits
    once: Once
    """Catalogs that were read for other cases."""
    process: OtherProcess
    """Where plugins are asked for the rule packs of cases."""

    def both(self, told: CaseWatched, case: Case) -> BothFacts | None:
        """The facts of a case under both editions; None: it uses neither.

        Raises:
            InputError, PluginError: if it cannot be read under one of them.
        """
        sides = (self.editions.old, self.editions.new)
        of_old, of_new = (with_settings(case, self.registry, side.values()) for side in sides)
        today = gather(of_old, self.registry, once=self.once, process=self.process)
        used = used_of(case, today, self.editions)
        if not used:
            return None
        settings_only = all(kind == "settings" for kind, _ in self.editions.old)
        old = today if settings_only else self._under(self.editions.old, of_old, today)
        new = self._under(self.editions.new, of_new, today)
        # An edition of before is old, and is what is asked about.
        before, after = (replace(one.inputs, doubts=()).apply(self.applied) for one in (old, new))
        for inputs in (before, after):
            refuse_old_prices(inputs, self.applied)
        limits = replace(self.limits, until=None)  # of the clock of this machine
        return BothFacts(told.but(uses=used), before, after, limits)

    def _under(self, side: Mapping[Named, Edition], case: Case, today: Gathered) -> Gathered:
        return gather(with_editions(case, today, side.values()), self.registry, once=self.once, process=self.process)


class _Watching:
    """Cases that are being watched."""

    def __init__(
        self,
        reading: _Reading,
        told: Sequence[CaseWatched],
        cases: Sequence[Case],
        cancel: Cancel | None,
        progress: Progress | None,
    ) -> None:
        self._reading, self._told, self._cases = reading, told, cases
        self._cancel, self._progress = cancel, progress
        self._began = monotonic()
        self.found: dict[int, Found] = {}
        """What is found, by the place of its case."""

    def run(self, executor: Executor | None, workers: int | None) -> None:
        """Finds all that can be found in time."""
        pool = (
            here(workers, len(self._cases), self._reading.limits.seconds)
            if executor is None
            else given(executor, workers)
        )
        with closing(carried_out(pool, found_of, self._tasks, deque(), self._stopped)) as done:
            for asked, future in done:
                error = future.exception()
                what = future.result() if error is None else self._failed(asked.number, told_of(error))
                self._keep(asked.number, what)

    def _tasks(self, _: int) -> Iterator[AskedCase]:
        """The cases, each read when it is its turn; of one that cannot be read, or uses neither edition, that is told at once."""
        until = self._reading.limits.until
        for number, (told, case) in enumerate(zip(self._told, self._cases, strict=True)):
            if self._stopped():
                return
            try:
                both = self._reading.both(told, case)
            except FriendshoreError as error:
                self._keep(number, self._failed(number, told_of(error)))
                continue
            if both is None:
                self._keep(number, (told, [], []))
                continue
            left = None if until is None else max(0.0, until - monotonic())
            yield AskedCase(number, left, both.packed())

    def _failed(self, number: int, problems: tuple[str, ...]) -> Found:
        return self._told[number].but(error=problems), [], []

    def _keep(self, number: int, found: Found) -> None:
        self.found[number] = found
        if self._progress is not None:
            self._progress(len(self.found), len(self._cases), monotonic() - self._began)

    def _stopped(self) -> bool:
        return self._reading.limits.over or (self._cancel is not None and self._cancel.is_set())
