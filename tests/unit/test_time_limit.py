"""Time limits: one for everything, and shared by independent parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import groupby
from threading import Event, Lock
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from friendshore import recommend, session
from friendshore.domain.case import Case
from friendshore.domain.facts import Catalog
from friendshore.domain.plan import PlanStatus
from friendshore.explain import replans
from friendshore.program.matrix import Floats, Linear
from friendshore.recommend import Recommendation
from friendshore.rules.base import Rule
from friendshore.rules.kinds.limits import Budget, MaxShare, MinSuppliers
from friendshore.solve import ENGINES, Ask, Limits, SolverAnswer, SolverOutcome, engine
from friendshore.solve.engines import solve_with_highs

from ..building import case, catalog, demand, facility, metals, planned, rule, source

# ---------------------------------------------------------------------------------------------- one limit for everything


class Clock:
    """A clock that stands still but where work is said to take time."""

    def __init__(self) -> None:
        self.now = 1000.0

    def slowed(self, monkeypatch: pytest.MonkeyPatch, where: Any, name: str, seconds: float) -> None:
        """Has work take so long."""
        work = getattr(where, name)

        def slow(*given: Any, **named: Any) -> Any:
            self.now += seconds
            return work(*given, **named)

        monkeypatch.setattr(where, name, slow)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Ten seconds of reading, three of laying out, twenty of searching."""
    made = Clock()
    for where in (recommend, session, replans):
        monkeypatch.setattr(where, "monotonic", lambda: made.now)
    for where, name, seconds in ((recommend, "gather", 10), (session, "compile_program", 3), (session, "solve", 20)):
        made.slowed(monkeypatch, where, name, seconds)
    return made


def given(monkeypatch: pytest.MonkeyPatch, where: Any, name: str) -> list[float | None]:
    """The seconds that whatever is called by this name is given from now on."""
    told: list[float | None] = []
    work = getattr(where, name)

    def noted(program: Any, *some: Any) -> Any:
        told.extend(one.seconds for one in some if isinstance(one, Limits))
        return work(program, *some)

    monkeypatch.setattr(where, name, noted)
    return told


@pytest.mark.parametrize(
    ("limit", "searched"), [(None, None), (60.0, 60 - 10 - 3 - 3), (17.0, 1.7), (5.0, 0.5), (0.0, 0.0)]
)
def test_the_search_gets_what_reading_leaves(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, limit: float | None, searched: float | None
) -> None:
    """And leaves as much for verifying as laying out took; a tenth of the limit at least."""
    told = given(monkeypatch, session, "solve")
    planned(case(demand("metal", "civil", 100)), metals(), time_limit=limit)
    assert told == [pytest.approx(searched)]
    assert clock.now > 1000


@pytest.mark.parametrize(("limit", "asked"), [(None, 60.0), (60.0, 60 - 10 - 3 - 20), (20.0, 0.0)])
def test_why_something_is_short_gets_what_the_search_leaves(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, limit: float | None, asked: float | None
) -> None:
    """Half of the metal may come from one country: the rest of it is short, and the rule that makes it so is looked for in the time left.

    Without a limit it gets a minute, or as long as the plan took.
    """
    told = given(monkeypatch, replans, "optima")
    share = rule(MaxShare, by="country", share="0.3")
    found = planned(case(demand("metal", "civil", 100)), metals(), share, time_limit=limit)
    assert found.run.shortages
    assert set(told) == {asked}


# ------------------------------------------------------------------------------------------- shared by independent parts


GOODS = {"metal": 100, "salt": 70, "oxide": 40}
"""Kilograms of each good that are needed in a year: a part for each."""
LIMIT = 12.0


@dataclass(eq=False)
class SlowEngine:
    """An engine that finds the best plan, proves little, and takes all the time that it may take."""

    gaps: Callable[[str], float] = lambda _good: 0.01
    """How far below the plan its bound is, as a share, by good."""
    workers: int = 1
    """How many search at the same time."""
    now: float = 1000.0
    searches: list[tuple[str, float]] = field(default_factory=list)
    """The good and the seconds of each search."""
    on_search: Callable[[], None] = lambda: None
    """Called during each search."""
    lock: Lock = field(default_factory=Lock)

    def __call__(self, linear: Linear, ask: Ask, hint: Floats | None = None, /) -> SolverAnswer:
        """Search by HiGHS, at once, and as if it had taken all the time."""
        answer = solve_with_highs(linear, replace(ask, seconds=None), hint)
        if ask.seconds is None or answer.x is None:
            return answer
        good = good_of(linear)
        with self.lock:
            self.now += ask.seconds / self.workers
            self.searches.append((good, ask.seconds))
            self.on_search()
        bound = answer.objective - self.gaps(good) * abs(answer.objective)
        return replace(answer, outcome=SolverOutcome.FEASIBLE, bound=bound, duals=None, out_of_time=True)

    @property
    def turns(self) -> list[str]:
        """The goods in the order of their turns; several searches in a row are one."""
        return [good for good, _ in groupby(good for good, _ in self.searches)]

    def plan(self, *rules: Rule, objectives: Any = (), **options: Any) -> Recommendation:
        """The plan of all goods within the limit, with the engines that friendshore has for linear programs. All goods are bought."""
        engines = replace(ENGINES, tree=(self,))
        options = {"time_limit": LIMIT, "workers": self.workers, "engines": engines, **options}
        found = planned(*goods(objectives=objectives), *rules, **options)
        assert {purchase.material for purchase in found.run.purchases} == set(GOODS)
        return found


def good_of(linear: Linear) -> str:
    """The good of a part, by how many offers it has; `all` if it is a program of several."""
    return {2: "metal", 3: "salt", 4: "oxide"}.get(int(np.count_nonzero(linear.integer)), "all")


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> SlowEngine:
    """The engine, with its clock as that of the search."""
    made = SlowEngine()
    monkeypatch.setattr(engine, "time", SimpleNamespace(monotonic=lambda: made.now))
    return made


def goods(**more: Any) -> tuple[Case, Catalog]:
    """Goods that have nothing to do with each other, with offers of some countries each, which have an order minimum."""
    countries = ("AU", "CA", "JP", "CN")
    sold = [
        source(country, 10 + n, good, min_order=30)
        for count, good in enumerate(GOODS, 2)
        for n, country in enumerate(countries[:count])
    ]
    wanted = [demand(good, "civil", need, price=1000) for good, need in GOODS.items()]
    return case(*wanted, **more), catalog(*(facility(c.lower(), c) for c in countries), *sold)


@pytest.mark.parametrize("workers", [1, 3])
def test_every_part_has_a_plan_before_any_is_searched_again(slow: SlowEngine, workers: int) -> None:
    """However few the workers: the plan buys every good, and is as good as with more of them."""
    slow.workers = workers
    found = slow.plan()
    assert (found.status, found.gap) == (PlanStatus.FEASIBLE, pytest.approx(0.01))
    if workers == 1:
        assert set(slow.turns[:3]) == set(GOODS)
        assert len(slow.turns) > 3
        assert slow.now <= 1000 + LIMIT


def test_the_time_goes_where_the_gap_costs_most(slow: SlowEngine) -> None:
    """Salt may be half as expensive, the others by a thousandth: most of the time is for salt."""
    slow.gaps = lambda good: 0.5 if good == "salt" else 0.001
    slow.plan()
    spent = {name: sum(seconds for good, seconds in slow.searches if good == name) for name in GOODS}
    assert spent["salt"] > spent["metal"] + spent["oxide"]


def test_a_part_with_a_small_gap_is_searched_again_too(slow: SlowEngine) -> None:
    """A gap that no search closes does not take all the time: a turn for it gets longer and longer, and then others cost more for each second."""
    slow.gaps = lambda good: 0.02 if good == "salt" else 0.01
    slow.plan()
    assert min(Counter(slow.turns)[good] for good in GOODS) >= 2


@pytest.mark.parametrize("workers", [1, 3])
def test_rules_that_require_purchases_leave_a_plan_of_every_part(slow: SlowEngine, workers: int) -> None:
    """Two suppliers of each good, which must hold: without a plan of one part there would be none at all."""
    slow.workers = workers
    found = slow.plan(rule(MinSuppliers, count=2))
    suppliers = {(p.material, p.supplier) for p in found.run.purchases}
    assert Counter(material for material, _ in suppliers) == dict.fromkeys(GOODS, 2)


def test_ranked_objectives_leave_a_plan_of_every_part(slow: SlowEngine) -> None:
    """Each rank of each part gets its share of the time, the last ranks included: no good is short, and each is cheapest."""
    objectives = ({"minimize": "shortage"}, {"minimize": "cost"})
    assert slow.plan(objectives=objectives).cost.total == planned(*goods(objectives=objectives)).cost.total


def test_parts_that_a_budget_joins_all_have_a_plan(slow: SlowEngine) -> None:
    """The parts share the time without the budget, and what is left of it is for the whole."""
    slow.plan(rule(Budget, amount=10_000))
    assert set(slow.turns[:3]) == set(GOODS)


def test_without_a_time_limit_each_part_is_searched_once() -> None:
    """And to the end: what turns are for is a limit."""
    asked: list[tuple[str, Floats | None]] = []

    def watched(linear: Linear, ask: Ask, hint: Floats | None = None, /) -> SolverAnswer:
        asked.append((good_of(linear), hint))
        return solve_with_highs(linear, ask, hint)

    found = planned(*goods(), workers=1, engines=replace(ENGINES, tree=(watched,)))
    assert found.status is PlanStatus.OPTIMAL
    assert asked == [("oxide", None), ("salt", None), ("metal", None)]


def test_canceled_after_the_first_turns_every_part_keeps_its_plan(slow: SlowEngine) -> None:
    """The fourth turn is the second one of some part: the user ends it, and all plans so far count."""
    cancel = Event()
    slow.on_search = lambda: cancel.set() if len(slow.turns) == 4 else None
    told: list[tuple[int, int]] = []
    found = slow.plan(cancel=cancel, progress=lambda done, total, _seconds: told.append((done, total)))
    assert (found.status, len(slow.turns)) == (PlanStatus.INTERRUPTED, 4)
    assert told == sorted(told)
    assert told[-1] == (3, 3)


def test_the_bound_of_a_search_that_the_limit_ended_proves_nothing_later(slow: SlowEngine) -> None:
    """Its bound reaches the plan, but one search that did not end confirms no optimum, and neither does the next turn that starts from its plan."""
    slow.gaps = lambda _good: 0.0
    found = slow.plan()
    assert (found.status, found.run.confirmed_by) == (PlanStatus.FEASIBLE, [])
    assert len(slow.turns) > 3
