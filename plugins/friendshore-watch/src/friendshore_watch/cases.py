"""Cases under two editions: the verdicts that change, what they are worth, and the cheapest plan under each.

This process reads the cases. Workers judge, plan, and compare them: threads, processes, or processes of other machines.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from time import monotonic

from friendshore.case import load_case
from friendshore.catalog import Once
from friendshore.domain.base import exact
from friendshore.domain.case import Case
from friendshore.domain.time import Span
from friendshore.domain.use import Result
from friendshore.errors import FriendshoreError, OutOfTimeError
from friendshore.plugins import Registry
from friendshore.plugins.isolated import OtherProcess
from friendshore.plugins.processes import packed, unpacked
from friendshore.problem import Problem
from friendshore.problem.inputs import Applied, Inputs
from friendshore.problem.kept import Kept
from friendshore.questions.compare.compare_plans import compare_plans
from friendshore.questions.compare.comparison import Comparison
from friendshore.questions.pools import carried_out, given, here, told_of
from friendshore.recommend import Gathered, gather, refuse_old_prices
from friendshore.session import Session
from friendshore.solve import AnswerCache, Cancel, Limits, Progress
from friendshore.verify import Bought, VerifiedPlan
from friendshore.verify.compliance import FinalDelivery, Judging

from .editions import Edition, Editions, Named, used_of, with_editions, with_settings
from .records import CaseWatched, Flip, OfferChange, Watched, Way
from .verdicts import Standing, Standings, standings, turned, way_of


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
    """Reader of cases under two editions."""

    editions: Editions
    registry: Registry
    applied: Applied
    limits: Limits
    once: Once
    """Cache of catalogs."""
    process: OtherProcess
    """Process that runs plugins for the rule packs of cases."""

    def both(self, told: CaseWatched, case: Case) -> BothFacts | None:
        """Return the facts of a case under both editions. None if it uses neither.

        Raises:
            InputError, PluginError: If it can't be read under one of them.
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
    """A running comparison of cases."""

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
        """Results by position of the case."""

    def run(self, executor: Executor | None, workers: int | None) -> None:
        """Find all results that the time allows."""
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
        """Yield the cases, each read on demand. A case that can't be read, or uses neither edition, gets its result at once."""
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


_PLACES = (("case", "packs"), ("case", "catalogs"), ("case", "settings"))
Found = tuple[CaseWatched, Sequence[Flip], Sequence[OfferChange]]
"""Effects of two editions on a case."""


@dataclass(frozen=True, slots=True, eq=False)
class BothFacts:
    """Facts of a case under two editions, as sent to a worker."""

    told: CaseWatched
    """Partial result."""
    old: Inputs
    new: Inputs
    limits: Limits
    """Limits of each plan."""

    def packed(self) -> bytes:
        """Return the facts with the code that they need, pickled."""
        return packed(self, (*self.old.rules, *self.new.rules))


@dataclass(frozen=True, slots=True)
class AskedCase:
    """A case as sent to a worker."""

    number: int
    """Position, from 0."""
    seconds: float | None
    """Seconds left for everything. None means no limit."""
    sent: bytes
    """Pickled `BothFacts`."""


def found_of(asked: AskedCase, cancel: Cancel | None = None) -> Found:
    """Return the effects of two editions on a case.

    Raises:
        InputError: If the worker's software differs from the sender's.
    """
    until = None if asked.seconds is None else monotonic() + asked.seconds
    both = unpacked(asked.sent)
    assert isinstance(both, BothFacts)
    try:
        return _between(both, replace(both.limits, until=until), cancel)
    except FriendshoreError as error:
        return both.told.but(error=tuple(map(str, error.problems))), [], []


def _between(both: BothFacts, limits: Limits, cancel: Cancel | None) -> Found:
    told, kept, answers = both.told, Kept(), AnswerCache()
    before, after = (
        Session.open(replace(one, kept=kept), limits, None, cancel, answers)
        for one in (both.old, _shared(both.old, both.new))
    )
    after.go_on(1, 3, "steps")
    was, now = standings(before.problem), standings(after.problem)
    stakes = _Stakes(before.verified, after.problem)
    flips = [_flip(told.case, stakes, *one) for one in turned(was, now)]
    alike = not flips and was.keys() == now.keys() and before.verified.cost == after.verified.cost
    comparison = None if alike else _side_by_side(before, after)
    after.go_on(2, 3, "steps")
    offers = [
        OfferChange(case=told.case, offer=offer, material=material, came=came)
        for here, there, came in ((was, now, False), (now, was, True))
        for offer, material in sorted(_offers(here) - _offers(there))
    ]
    kg, cost = stakes.lost
    judged = len(was.keys() & now.keys())
    return told.but(judged=judged, kg_at_stake=kg, cost_at_stake=cost, comparison=comparison), flips, offers


def _shared(old: Inputs, new: Inputs) -> Inputs:
    """Return the new facts with equal objects replaced by the old ones, so that results of these are computed once."""
    case = {name: was for name, was in old.case.__dict__.items() if new.case.__dict__[name] == was}
    known = {catalog.name: catalog for catalog in old.catalogs}
    catalogs = (known[one.name] if known.get(one.name) == one else one for one in new.catalogs)
    return replace(new, case=new.case.but(**case), catalogs=tuple(catalogs))


def _flip(case: str, stakes: _Stakes, way: Way, days: Span, was: Standing, now: Standing) -> Flip:
    kg, cost = stakes.on(way, days, (*was.rules, *now.rules), lost=now.result is not Result.PASS)
    assert days.start is not None and days.end is not None
    return Flip(
        case=case,
        **dict(way),
        start=days.start,
        end=days.end,
        was=was.result.value,
        now=now.result.value,
        was_by=was.rules,
        now_by=now.rules,
        reason=now.reason or was.reason,
        kg=kg,
        cost=cost,
    )


def _side_by_side(before: Session, after: Session) -> Comparison:
    """Return the comparison of the two plans, without the locations of the editions."""
    found = compare_plans(before, after, names=("the old edition", "the new edition"))
    return found.but(facts=tuple(fact for fact in found.facts if (fact.kind, fact.name) not in _PLACES))


def _offers(found: Standings) -> set[tuple[str, str]]:
    return {(way.offer, way.material) for way in found}


class _Stakes:
    """Purchases of the old edition's plan, by way and by possible final delivery."""

    def __init__(self, verified: VerifiedPlan, after: Problem) -> None:
        self._periods = verified.problem.case.horizon.periods
        judging = Judging(verified.ledger)
        self._costing = verified.costing
        self._bought: defaultdict[Way, list[tuple[Bought, FinalDelivery]]] = defaultdict(list)
        for item in verified.ledger.bought:
            for served in judging.ends(item):
                self._bought[way_of(verified.problem, item.arc, served.use)].append((item, served))
        self._sorts = {
            rule.id: "trade" if rule.bears_on == "trade" else rule.dated_by
            for rule in (*verified.problem.rules, *after.rules)
        }
        self._lost: dict[int, Bought] = {}

    def on(self, way: Way, days: Span, rules: Sequence[str], *, lost: bool) -> tuple[Decimal, Decimal]:
        """Return kilograms and money bought this way on some days, by the date that counts for each rule, each purchase once.

        Args:
            way: Offer, place, and use.
            days: Period of time.
            rules: Rules that forbid it.
            lost: True if it may no longer be bought, so that it counts as lost.
        """
        sorts = {self._sorts[rule] for rule in rules}
        found = {
            id(item): item
            for item, served in self._bought.get(way, ())
            if any(self._periods[period].span.meets(days) for period in _dated(item, served, sorts))
        }
        if lost:
            self._lost |= found
        return self._sums(found)

    @property
    def lost(self) -> tuple[Decimal, Decimal]:
        """Return kilograms and money of all purchases that may no longer be made, each once."""
        return self._sums(self._lost)

    def _sums(self, items: Mapping[int, Bought]) -> tuple[Decimal, Decimal]:
        kg = sum((item.quantity for item in items.values()), Decimal(0))
        bought = [item for item in items.values() if item.arc.offer >= 0]
        return exact(kg), exact(sum((self._costing.line(item).total for item in bought), Decimal(0)))


def _dated(item: Bought, served: FinalDelivery, sorts: Collection[str]) -> Iterator[int]:
    """Yield the periods that count for some sorts of rules: arrival, delivery to the user, or order."""
    if "trade" in sorts:
        yield item.delivered
    if "delivery" in sorts:
        yield served.period
    if "order" in sorts:
        yield item.ordered
