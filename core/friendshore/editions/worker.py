"""One case under two editions, judged, planned and compared by a worker: a thread, a process, or a process of another machine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from time import monotonic

from ..domain.base import exact
from ..domain.time import Span
from ..domain.use import Result
from ..errors import FriendshoreError
from ..plugins.sent import packed, unpacked
from ..problem import Problem
from ..problem.inputs import Inputs
from ..problem.kept import Kept
from ..questions.compare.records import Comparison
from ..questions.compare.search import compare_plans
from ..session import Session
from ..solve import AnswerCache, Cancel, Limits
from ..verify import Bought, VerifiedPlan
from ..verify.compliance import FinalDelivery, Judging
from .judged import Standing, Standings, standings, turned, way_of
from .records import CaseWatched, Flip, OfferChange, Way

_PLACES = (("case", "packs"), ("case", "catalogs"), ("case", "settings"))
Found = tuple[CaseWatched, Sequence[Flip], Sequence[OfferChange]]
"""What two editions do to a case."""


@dataclass(frozen=True, slots=True, eq=False)
class BothFacts:
    """The facts of a case under two editions, as they go to a worker."""

    told: CaseWatched
    """What is known of it already."""
    old: Inputs
    new: Inputs
    limits: Limits
    """Of each plan."""

    def packed(self) -> bytes:
        """It, with what code it needs, as it is sent."""
        return packed(self, (*self.old.rules, *self.new.rules))


@dataclass(frozen=True, slots=True)
class AskedCase:
    """A case as it goes to a worker."""

    number: int
    """Its place, from 0."""
    seconds: float | None
    """Seconds left for all; None: any."""
    sent: bytes
    """Its `BothFacts`."""


def found_of(asked: AskedCase, cancel: Cancel | None = None) -> Found:
    """What the two editions do to a case.

    Raises:
        InputError: if friendshore or a plugin here is not what the case was sent by.
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
    """The new facts, with the very objects of the old ones where they say the same: what follows from these is then worked out once."""
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
