"""Cases under two editions: the verdicts that change, what they are worth, and the cheapest plan under each."""

# This process reads the cases. Workers judge, plan, and compare them: threads, processes, or processes of other machines.

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
from friendshore.catalog import CatalogCache
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
from friendshore.problem.shared import SharedData
from friendshore.questions.compare.compare_plans import compare_plans
from friendshore.questions.compare.comparison import Comparison
from friendshore.questions.pools import error_texts, local_pool, pool_on, run_in_pool
from friendshore.recommend import Gathered, gather, refuse_old_prices
from friendshore.session import Session
from friendshore.solve import AnswerCache, Cancel, Limits, Progress
from friendshore.verify import Bought, VerifiedPlan
from friendshore.verify.compliance import Compliance, FinalDelivery

from .editions import Edition, Editions, Named, used_of, with_editions, with_settings
from .records import CaseWatched, Flip, OfferChange, Watched, Way
from .verdicts import CombinedVerdict, VerdictsByWay, changed_verdicts, verdicts_by_way, way_of


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
    """Compare several cases under two editions: the verdicts that change, what is at stake, and the cheapest plan under each.

    A case that can't be planned gets the reason, and the others continue. The answer doesn't depend on the executor and its workers.

    Args:
        editions: Editions of what changes.
        cases: Case files, or their folders.
        registry: Plugins. None means the installed ones.
        strict: True to enforce phases of unknown status under both.
        limits: Limits of every plan. `until` limits all of them together, and later cases are reported as not planned.
        executor: Executor of `concurrent.futures`, which stays open. None means processes of this machine, which need `if __name__ == "__main__":`.
        workers: Number of cases at once. None means that of the processors or of the executor. 1 means this process.
        progress: Called after each case with the number of finished cases, of all cases, and seconds.
        cancel: Event that ends the comparison.
    """
    plugins = registry if registry is not None else Registry.discover()
    loaded = [(path, load_case(path)) for path in cases]
    names = Counter(case.name for _, case in loaded)
    case_names = [case.name if names[case.name] == 1 else f"{case.name} ({path})" for path, case in loaded]
    unplanned = [CaseWatched(case=name, file=str(path)) for name, (path, _) in zip(case_names, loaded, strict=True)]
    process, plan_limits = OtherProcess(), replace(limits or Limits(), workers=1)
    reader = _CaseReader(editions, plugins, Applied(strict=strict), plan_limits, CatalogCache(), process)
    runner = _CaseRunner(reader, unplanned, [case for _, case in loaded], cancel, progress)
    with closing(process):
        runner.run(executor, workers)
    canceled = cancel is not None and cancel.is_set()
    problems = error_texts(OutOfTimeError.ended("before this case was done", canceled))
    results = [
        runner.results.get(number, (partial.but(error=problems), [], [])) for number, partial in enumerate(unplanned)
    ]
    return Watched(
        editions=editions.names,
        cases=tuple(partial for partial, _, _ in results),
        changed_verdicts=tuple(flip for _, flips, _ in results for flip in flips),
        offers=tuple(offer for _, _, offers in results for offer in offers),
    )


@dataclass(frozen=True, slots=True)
class _CaseReader:
    """Reader of cases under two editions."""

    editions: Editions
    registry: Registry
    applied: Applied
    limits: Limits
    catalog_cache: CatalogCache
    process: OtherProcess
    """Process that runs plugins for the rule packs of cases."""

    def facts(self, result: CaseWatched, case: Case) -> BothFacts | None:
        """Return the facts of a case under both editions. None if it uses neither. Raises InputError or PluginError if it can't be read."""
        sides = (self.editions.old, self.editions.new)
        of_old, of_new = (with_settings(case, self.registry, side.values()) for side in sides)
        today = gather(of_old, self.registry, cache=self.catalog_cache, process=self.process)
        used = used_of(case, today, self.editions)
        if not used:
            return None
        settings_only = all(kind == "settings" for kind, _ in self.editions.old)
        old = today if settings_only else self._under(self.editions.old, of_old, today)
        new = self._under(self.editions.new, of_new, today)
        # The old edition may be stale, but the comparison asks for it.
        before, after = (replace(gathered.inputs, doubts=()).apply(self.applied) for gathered in (old, new))
        for inputs in (before, after):
            refuse_old_prices(inputs, self.applied)
        limits = replace(self.limits, until=None)  # a worker has another clock
        return BothFacts(result.but(uses=used), before, after, limits)

    def _under(self, side: Mapping[Named, Edition], case: Case, today: Gathered) -> Gathered:
        return gather(
            with_editions(case, today, side.values()), self.registry, cache=self.catalog_cache, process=self.process
        )


class _CaseRunner:
    """A running comparison of cases."""

    def __init__(
        self,
        reader: _CaseReader,
        unplanned: Sequence[CaseWatched],
        cases: Sequence[Case],
        cancel: Cancel | None,
        progress: Progress | None,
    ) -> None:
        self._reader, self._unplanned, self._cases = reader, unplanned, cases
        self._cancel, self._progress = cancel, progress
        self._started = monotonic()
        self.results: dict[int, CaseResult] = {}

    def run(self, executor: Executor | None, workers: int | None) -> None:
        pool = (
            local_pool(workers, len(self._cases), self._reader.limits.seconds)
            if executor is None
            else pool_on(executor, workers)
        )
        with closing(run_in_pool(pool, compare_case, self._tasks, deque(), self._stopped)) as done:
            for task, future in done:
                error = future.exception()
                result = future.result() if error is None else self._failure(task.number, error_texts(error))
                self._store(task.number, result)

    def _tasks(self, _: int) -> Iterator[CaseTask]:
        """Yield the cases, each read on demand. A case that can't be read, or uses neither edition, gets its result at once."""
        until = self._reader.limits.until
        for number, (result, case) in enumerate(zip(self._unplanned, self._cases, strict=True)):
            if self._stopped():
                return
            try:
                facts = self._reader.facts(result, case)
            except FriendshoreError as error:
                self._store(number, self._failure(number, error_texts(error)))
                continue
            if facts is None:
                self._store(number, (result, [], []))
                continue
            left = None if until is None else max(0.0, until - monotonic())
            yield CaseTask(number, left, facts.packed())

    def _failure(self, number: int, problems: tuple[str, ...]) -> CaseResult:
        return self._unplanned[number].but(error=problems), [], []

    def _store(self, number: int, result: CaseResult) -> None:
        self.results[number] = result
        if self._progress is not None:
            self._progress(len(self.results), len(self._cases), monotonic() - self._started)

    def _stopped(self) -> bool:
        return self._reader.limits.over or (self._cancel is not None and self._cancel.is_set())


_PLACES = (("case", "packs"), ("case", "catalogs"), ("case", "settings"))
CaseResult = tuple[CaseWatched, Sequence[Flip], Sequence[OfferChange]]


@dataclass(frozen=True, slots=True, eq=False)
class BothFacts:
    """Facts of a case under two editions, as sent to a worker."""

    result: CaseWatched
    old: Inputs
    new: Inputs
    limits: Limits

    def packed(self) -> bytes:
        return packed(self, (*self.old.rules, *self.new.rules))


@dataclass(frozen=True, slots=True)
class CaseTask:
    """A case as sent to a worker."""

    number: int
    seconds: float | None
    """Seconds left for everything. None means no limit."""
    sent: bytes
    """Pickled `BothFacts`."""


def compare_case(task: CaseTask, cancel: Cancel | None = None) -> CaseResult:
    """Compare the editions in one case. Raises InputError if the worker's software differs from the sender's."""
    until = None if task.seconds is None else monotonic() + task.seconds
    facts = unpacked(task.sent)
    assert isinstance(facts, BothFacts)
    try:
        return _compare(facts, replace(facts.limits, until=until), cancel)
    except FriendshoreError as error:
        return facts.result.but(error=tuple(map(str, error.problems))), [], []


def _compare(facts: BothFacts, limits: Limits, cancel: Cancel | None) -> CaseResult:
    result, kept, answers = facts.result, SharedData(), AnswerCache()
    before, after = (
        Session.open(replace(inputs, shared=kept), limits, None, cancel, answers)
        for inputs in (facts.old, _with_shared_objects(facts.old, facts.new))
    )
    after.raise_if_stopped(1, 3, "steps")
    old_verdicts, new_verdicts = verdicts_by_way(before.problem), verdicts_by_way(after.problem)
    stakes = _Stakes(before.verified, after.problem)
    flips = [_flip(result.case, stakes, *change) for change in changed_verdicts(old_verdicts, new_verdicts)]
    unchanged = not flips and old_verdicts.keys() == new_verdicts.keys() and before.verified.cost == after.verified.cost
    comparison = None if unchanged else _plan_comparison(before, after)
    after.raise_if_stopped(2, 3, "steps")
    offers = [
        OfferChange(case=result.case, offer=offer, material=material, added=came)
        for verdicts, others, came in ((old_verdicts, new_verdicts, False), (new_verdicts, old_verdicts, True))
        for offer, material in sorted(_offer_ids(verdicts) - _offer_ids(others))
    ]
    kg, cost = stakes.lost
    judged = len(old_verdicts.keys() & new_verdicts.keys())
    return (
        result.but(compared=judged, kg_at_stake=kg, cost_at_stake=cost, comparison=comparison),
        flips,
        offers,
    )


def _with_shared_objects(old: Inputs, new: Inputs) -> Inputs:
    """Return the new facts with equal objects replaced by the old ones, so that results of these are computed once."""
    case = {name: value for name, value in old.case.__dict__.items() if new.case.__dict__[name] == value}
    old_catalogs = {catalog.name: catalog for catalog in old.catalogs}
    catalogs = (
        old_catalogs[catalog.name] if old_catalogs.get(catalog.name) == catalog else catalog for catalog in new.catalogs
    )
    return replace(new, case=new.case.but(**case), catalogs=tuple(catalogs))


def _flip(
    case: str, stakes: _Stakes, way: Way, days: Span, old_verdict: CombinedVerdict, new_verdict: CombinedVerdict
) -> Flip:
    kg, cost = stakes.on(
        way, days, (*old_verdict.rules, *new_verdict.rules), lost=new_verdict.result is not Result.PASS
    )
    assert days.start is not None and days.end is not None
    return Flip(
        case=case,
        **dict(way),
        start=days.start,
        end=days.end,
        before=old_verdict.result.value,
        after=new_verdict.result.value,
        before_by=old_verdict.rules,
        after_by=new_verdict.rules,
        reason=new_verdict.reason or old_verdict.reason,
        quantity_kg=kg,
        cost=cost,
    )


def _plan_comparison(before: Session, after: Session) -> Comparison:
    comparison = compare_plans(before, after, names=("the old edition", "the new edition"))
    return comparison.but(facts=tuple(fact for fact in comparison.facts if (fact.kind, fact.name) not in _PLACES))


def _offer_ids(verdicts: VerdictsByWay) -> set[tuple[str, str]]:
    return {(way.offer, way.material) for way in verdicts}


class _Stakes:
    """Purchases of the old edition's plan, by way and by possible final delivery."""

    def __init__(self, verified: VerifiedPlan, after: Problem) -> None:
        self._periods = verified.problem.case.horizon.periods
        compliance = Compliance(verified.ledger)
        self._costing = verified.costing
        self._bought: defaultdict[Way, list[tuple[Bought, FinalDelivery]]] = defaultdict(list)
        for item in verified.ledger.bought:
            for delivery in compliance.deliveries_of(item):
                self._bought[way_of(verified.problem, item.arc, delivery.use)].append((item, delivery))
        self._date_kind = {
            rule.id: "trade" if rule.judge_scope == "trade" else rule.dated_by
            for rule in (*verified.problem.rules, *after.rules)
        }
        self._lost: dict[int, Bought] = {}

    def on(self, way: Way, days: Span, rules: Sequence[str], *, lost: bool) -> tuple[Decimal, Decimal]:
        """Return kilograms and money of purchases by a way, each once, whose date counts for the rules on some days. `lost` adds them to the lost ones."""
        date_kinds = {self._date_kind[rule] for rule in rules}
        purchases = {
            id(item): item
            for item, served in self._bought.get(way, ())
            if any(self._periods[period].span.meets(days) for period in _counting_periods(item, served, date_kinds))
        }
        if lost:
            self._lost |= purchases
        return self._totals(purchases)

    @property
    def lost(self) -> tuple[Decimal, Decimal]:
        return self._totals(self._lost)

    def _totals(self, items: Mapping[int, Bought]) -> tuple[Decimal, Decimal]:
        kg = sum((item.quantity for item in items.values()), Decimal(0))
        bought = [item for item in items.values() if item.arc.offer >= 0]
        return exact(kg), exact(sum((self._costing.line(item).total for item in bought), Decimal(0)))


def _counting_periods(item: Bought, served: FinalDelivery, date_kinds: Collection[str]) -> Iterator[int]:
    if "trade" in date_kinds:
        yield item.delivered
    if "delivery" in date_kinds:
        yield served.period
    if "order" in date_kinds:
        yield item.ordered
