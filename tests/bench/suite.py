"""Jobs of the benchmark, with their order and limits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from .answer import Stop
from .job import CBC, HIGHSPY, OURS, PEERS, Job, JobResult
from .table import Section

Perform = Callable[[Job], JobResult]


@dataclass(frozen=True, slots=True)
class Suite:
    """Scales and limits of one run of the benchmark."""

    scale: float = 1.0
    """Share of the full size of L, D, J and X."""
    seconds: float = 600.0
    """Limit of every search on D and J."""
    short: float = 60.0
    """Limit of the run of J that is to be cut off."""
    only: tuple[str, ...] = ()
    """Instances or sections to run, in capitals. Empty means all."""

    def sections(self, perform: Perform) -> Iterator[Section]:
        """Run all sections, one job after the other."""
        groups = {"L": self._linear, "D": self._decisions, "J": self._joint, "X": self._extra_large}
        for name, run in groups.items():
            if not self.only or any(selection.split()[0].strip(",") == name for selection in self.only):
                yield from run(perform)

    def wants(self, section: str) -> bool:
        """Return True if a section or its instance is selected."""
        return not self.only or section.upper() in self.only or section.split(maxsplit=1)[0] in self.only

    def _linear(self, perform: Perform) -> Iterator[Section]:
        yield _section("L", Job(OURS, "L", self.scale, Stop(1e-6)), PEERS, (), perform)

    def _decisions(self, perform: Perform) -> Iterator[Section]:
        """Run D without a budget, with one that binds, and with one that doesn't."""
        job = Job(OURS, "D", self.scale, Stop(1e-4, self.seconds))
        free = _section("D", job, (HIGHSPY, CBC), _others(), perform, beside=True)
        yield free
        dearest = free.ours.answer.notes.get("dearest year")
        if isinstance(dearest, float):
            for name, share in (("D, budget binds", 0.95), ("D, budget idle", 1.05)):
                within = replace(job, budget=round(share * dearest))
                yield _section(name, within, (), (), perform)

    def _joint(self, perform: Perform) -> Iterator[Section]:
        """Run J to 1%, to 0.1%, and cut off."""
        rough = Job(OURS, "J", self.scale, Stop(1e-2, self.seconds))
        if self.wants("J to 1%"):
            yield _section("J to 1%", rough, (HIGHSPY,), _others(), perform)
        if self.wants("J to 0.1%"):
            fine = replace(rough, stop=Stop(1e-3, self.seconds))
            yield _section("J to 0.1%", fine, (HIGHSPY, CBC), (), perform, beside=True)
        if self.wants("J cut off"):
            short = replace(rough, stop=Stop(1e-6, self.short))
            yield _section("J cut off", short, (HIGHSPY,), (), perform)

    def _extra_large(self, perform: Perform) -> Iterator[Section]:
        """Run X at a tenth with the peers, and in full without."""
        job = Job(OURS, "X", self.scale / 10, Stop(1e-6))
        yield _section("X / 10", job, PEERS, (), perform)
        yield _section("X", replace(job, scale=self.scale), (), (), perform)


def _others() -> list[str]:
    """Return the peers that call the same solver as raw HiGHS."""
    return [peer for peer in PEERS if peer not in (HIGHSPY, CBC)]


def _section(
    name: str, job: Job, solving: Iterable[str], building: Iterable[str], perform: Perform, beside: bool = False
) -> Section:
    """Run friendshore on an instance, then its peers, with `beside` two at a time: each has one thread, and runs until its time limit."""
    ours = perform(job)
    searches = [replace(job, who=peer) for peer in solving]
    with ThreadPoolExecutor(2 if beside else 1) as pool:
        peers = list(pool.map(perform, searches))
    peers += [perform(replace(job, who=peer, solve=False)) for peer in building]
    return Section(name, ours, tuple(peers))


QUICK = Suite(scale=0.1, seconds=8.0, short=3.0)
"""Less than two minutes on two cores."""
