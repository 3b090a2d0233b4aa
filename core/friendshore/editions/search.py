"""Cases under two editions: every verdict that turns, what it is worth, and the cheapest plan under each."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from time import monotonic

from ..case import load_case
from ..domain.base import exact
from ..domain.case import Case
from ..domain.time import Span
from ..domain.use import Result
from ..errors import FriendshoreError
from ..plugins import Registry
from ..plugins.patches import unaltered
from ..problem import Problem
from ..problem.inputs import Applied
from ..questions.compare.records import Comparison
from ..questions.compare.search import compare_plans
from ..recommend import Gathered, gather, refuse_old_prices
from ..session import Session
from ..solve import Cancel, Limits, Progress
from ..verify import Bought, VerifiedPlan
from ..verify.compliance import FinalDelivery, Judging
from .given import Edition, Editions, Named, with_editions
from .judged import Standing, Standings, standings, turned, way_of
from .records import CaseWatched, Flip, OfferChange, Watched, Way

_PLACES = (("case", "packs"), ("case", "catalogs"))


def watch(
    editions: Editions,
    cases: Sequence[Path],
    *,
    registry: Registry | None = None,
    strict: bool = False,
    limits: Limits | None = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Watched:
    """Every verdict that turns from one edition to the other, in each of several cases, with what is at stake and what the cheapest plan becomes.

    A case that cannot be planned under one of the editions is told with the reason, and the others are gone on with.

    Args:
        editions: what changes.
        cases: case files, or their folders.
        registry: where names are looked up; None: what is installed.
        strict: enforce phases of unknown status under both.
        limits: of every plan that is made; with `until`, of all of them together: what is not done by then is told as not planned.
        progress: told after each case how many are done, of how many, and the seconds.
        cancel: once it is set, the case at hand is told as not planned, for half an answer is none, and no further one is begun.

    Raises:
        InputError: if a case file cannot be read at all.
    """
    began = monotonic()
    known = registry if registry is not None else Registry.discover()
    read = [(path, load_case(path)) for path in cases]
    names = Counter(case.name for _, case in read)
    found: list[tuple[CaseWatched, list[Flip], list[OfferChange]]] = []
    for number, (path, case) in enumerate(read):
        if cancel is not None and cancel.is_set():
            break
        called = case.name if names[case.name] == 1 else f"{case.name} ({path})"
        found.append(_Watch(called, path, case, known, strict, limits or Limits(), cancel).found(editions))
        if progress is not None:
            progress(number + 1, len(read), monotonic() - began)
    return Watched(
        editions=editions.names,
        cases=tuple(one for one, _, _ in found),
        flips=tuple(flip for _, flips, _ in found for flip in flips),
        offers=tuple(offer for _, _, offers in found for offer in offers),
    )


@dataclass(frozen=True, slots=True)
class _Watch:
    """One case."""

    called: str
    """Its name; where several have it, with its file."""
    path: Path
    case: Case
    registry: Registry
    strict: bool
    limits: Limits
    cancel: Cancel | None

    def found(self, editions: Editions) -> tuple[CaseWatched, list[Flip], list[OfferChange]]:
        """What the two editions do to it."""
        told = CaseWatched(case=self.called, file=str(self.path))
        try:
            today = gather(self.case, self.registry)
            uses = _used(today, editions)
            if not uses:
                return told, [], []
            old, new = (self._under(side, today) for side in (editions.old, editions.new))
            return self._between(told.but(uses=uses), old, new)
        except FriendshoreError as error:
            return told.but(error=tuple(map(str, error.problems))), [], []

    def _under(self, side: Mapping[Named, Edition], today: Gathered) -> Gathered:
        return gather(with_editions(self.case, today, side.values()), self.registry)

    def _between(
        self, told: CaseWatched, old: Gathered, new: Gathered
    ) -> tuple[CaseWatched, list[Flip], list[OfferChange]]:
        applied = Applied(strict=self.strict)
        with unaltered((*old.records, *new.records)):
            asked = [one.inputs.apply(applied) for one in (old, new)]
            for inputs in asked:
                refuse_old_prices(inputs, applied)
            before, after = (Session.open(inputs, self.limits, None, self.cancel) for inputs in asked)
            after.go_on(1, 3, "steps")
            was, now = standings(before.problem), standings(after.problem)
            stakes = _Stakes(before.verified, after.problem)
            flips = [self._flip(stakes, *one) for one in turned(was, now)]
            alike = not flips and was.keys() == now.keys() and before.verified.cost == after.verified.cost
            comparison = None if alike else _side_by_side(before, after)
            after.go_on(2, 3, "steps")
        offers = [
            OfferChange(case=self.called, offer=offer, material=material, came=came)
            for here, there, came in ((was, now, False), (now, was, True))
            for offer, material in sorted(_offers(here) - _offers(there))
        ]
        kg, cost = stakes.lost
        judged = len(was.keys() & now.keys())
        found = told.but(judged=judged, kg_at_stake=kg, cost_at_stake=cost, comparison=comparison)
        return found, flips, offers

    def _flip(self, stakes: _Stakes, way: Way, days: Span, was: Standing, now: Standing) -> Flip:
        kg, cost = stakes.on(way, days, (*was.rules, *now.rules), lost=now.result is not Result.PASS)
        assert days.start is not None and days.end is not None
        return Flip(
            case=self.called,
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


def _used(today: Gathered, editions: Editions) -> tuple[str, ...]:
    """What a case uses of that of which there are two editions."""
    here = {("rule pack", pack.id) for pack, _ in today.packs} | {("catalog", one.name) for one in today.read}
    return tuple(f"{kind} {name}" for kind, name in sorted(editions.old) if (kind, name) in here)


def _side_by_side(before: Session, after: Session) -> Comparison:
    """The two plans; where the editions lie is no difference in facts."""
    found = compare_plans(before, after, names=("the old edition", "the new edition"))
    return found.but(facts=tuple(fact for fact in found.facts if (fact.kind, fact.name) not in _PLACES))


def _offers(found: Standings) -> set[tuple[str, str]]:
    return {(way.offer, way.material) for way in found}


class _Stakes:
    """What the plan of the old edition buys, by way and by the deliveries that it may end in."""

    def __init__(self, verified: VerifiedPlan, after: Problem) -> None:
        self._periods = verified.problem.case.horizon.periods
        judging = Judging(verified.ledger)
        self._cost = {id(line.item): line.total for line in verified.lines}
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
        """Kilograms and money bought this way of what some rules, by the day that counts for each, date to `days`; each purchase once.

        `lost` says that it may not be bought so any more: it is then among `lost` of all.
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
        """Kilograms and money of all purchases that may not be made so any more, each once."""
        return self._sums(self._lost)

    def _sums(self, items: Mapping[int, Bought]) -> tuple[Decimal, Decimal]:
        kg = sum((item.entry.quantity for item in items.values()), Decimal(0))
        return exact(kg), exact(sum((self._cost.get(key, Decimal(0)) for key in items), Decimal(0)))


def _dated(item: Bought, served: FinalDelivery, sorts: Collection[str]) -> Iterator[int]:
    """Periods that count for rules of some sorts: of arrival, of the delivery to the user, of the order."""
    if "trade" in sorts:
        yield item.delivered
    if "delivery" in sorts:
        yield served.period
    if "order" in sorts:
        yield item.ordered
