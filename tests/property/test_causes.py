"""Causes of shortages in random cases: each serves what it says, none holds more than it needs, and every shortage has one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

import pytest
from hypothesis import assume, given, reject

from friendshore.domain.change import Change, TermKind
from friendshore.domain.facts import Facility
from friendshore.domain.unmet import RunConflict, RunSupplyCause
from friendshore.errors import InputError
from friendshore.explain import competing, shortage_causes
from friendshore.explain.causes import consistent_causes
from friendshore.explain.replans import PartReplans
from friendshore.explain.restrictions import Restriction, unproven_offers
from friendshore.recommend.describe import describe_shortages
from friendshore.session import Session
from friendshore.solve import least

from .settings import examples
from .strategies import ONE, Tiny, tiny_cases

_WITHOUT_RESTRICTIONS = {"undetermined", "conflict", "rounding"}
_TERMS = ("minimum-load", "lot", "fixed-cost", "onboarding", "take-or-pay", "setup", "tiers")


def opened(tiny: Tiny) -> Session:
    """A solved case in which something is short."""
    try:
        session = tiny.priced().session()
    except InputError:
        reject()
    assume(session.verified.plan.shorts)
    return session


def removed(session: Session, cause: RunSupplyCause, demand: str) -> frozenset[Restriction]:
    """Return the restrictions of a cause as the search for causes names them."""
    lacking = session.verified.plan.short_by_demand
    group = tuple(name for name in competing(session.problem)[demand] if name in lacking)
    found = set()
    for each in cause.restrictions:
        kind = "price" if each.kind == "rank" else each.kind
        names = tuple(each.names) if kind in ("limit", "law", "inputs") else ()
        found.add(Restriction(kind, group if kind in ("price", "competition") else names))
    return frozenset(found)


def changes(session: Session, some: Iterable[Restriction]) -> list[Change] | None:
    """Return the removal of restrictions as changes that a planner can ask about. None if there are no such changes."""
    problem = session.problem
    unproven = sorted(unproven_offers(problem))
    of_kind: dict[str, Callable[[tuple[str, ...]], list[Change]]] = {
        "limit": lambda names: [Change(disable=names[0])],
        "law": lambda names: [Change(disable=names[0])],
        "lead time": lambda names: [Change(lift=TermKind.LEAD_TIME)],
        "terms": lambda names: [Change(lift=TermKind(kind)) for kind in _TERMS],
        "capacity": lambda names: [
            Change(lift=TermKind.MAXIMUM_LOAD),
            *(unlimited(problem.merged.facilities[pool.facility]) for pool in problem.pools),
        ],
        "proof": lambda names: [Change(prove=name) for name in unproven],
        "price": lambda names: [Change(demand=f"demand:{name}", shortage_price=Decimal(10**7)) for name in names],
    }
    if not problem.merged.offers.keys() >= set(unproven):
        del of_kind["proof"]  # no change proves where a stock comes from
    if any(each.kind not in of_kind for each in some):
        return None
    return [change for each in sorted(some) for change in of_kind[each.kind](each.names)]


def unlimited(plant: Facility) -> Change:
    """Return the change to ample capacity from the day on from which the plant has any."""
    given = {"capacity": plant.id, "per_year": Decimal(10**7), "status": "operating", "from": plant.capacity[0].start}
    return Change.model_validate(given)


def short_of(session: Session) -> dict[tuple[str, int], float]:
    """Return the kilograms short by demand and period."""
    return {(entry.demand, entry.period): float(entry.quantity) for entry in session.verified.plan.shorts}


@pytest.mark.deep
@examples(200, least=4)
@given(tiny_cases())
def test_every_shortage_has_minimal_causes_that_serve_it(tiny: Tiny) -> None:
    """Each set of restrictions serves what it says when it is left out of account, and none of its proper subsets does."""
    session = opened(tiny)
    found = shortage_causes(session)
    short = short_of(session)
    assert found.keys() == short.keys()
    slack = 3 * float(session.problem.case.resolution)
    part_of = {d.id: session.parts.of_material[d.use.material.id] for d in session.problem.demands}
    for (demand, period), causes in found.items():
        assert causes
        for cause in causes:
            kinds = {each.kind for each in cause.restrictions}
            if kinds & _WITHOUT_RESTRICTIONS or cause.served_kg is None:
                assert len(causes) == 1
                continue
            assert 0 < float(cause.served_kg) <= short[demand, period] + slack
            some = removed(session, cause, demand)
            cells = [cell for cell in short if part_of[cell[0]] == part_of[demand]]
            replans = PartReplans(session, session.parts.members[part_of[demand]], cells)
            assert (demand, period) in replans.served(some)
            for one in some if len(some) > 1 else ():
                assert (demand, period) not in replans.served(some - {one})
            for each in cause.restrictions:
                if each.kind == "price":
                    assert each.marginal_cost is not None
                    assert each.shortage_price is not None
                    assert each.marginal_cost >= each.shortage_price * Decimal("0.9999")


@pytest.mark.deep
@examples(200, least=4)
@given(tiny_cases())
def test_a_case_without_a_cause_is_short_of_less(tiny: Tiny) -> None:
    """Planned again from its facts after changes that say the same: for no more money in all, and short of so much less at best."""
    session = opened(tiny)
    assume(not session.verified.plan.infeasible and not session.problem.objectives)
    found = shortage_causes(session)
    served: dict[frozenset[Restriction], float] = {}
    for (demand, _), causes in found.items():
        for cause in causes:
            if cause.served_kg is not None:
                some = removed(session, cause, demand)
                served[some] = served.get(some, 0.0) + float(cause.served_kg)
    before = sum(short_of(session).values())
    case, demands = session.problem.case, {demand.id for demand in session.problem.demands}
    slack = 3 * float(case.resolution) * len(demands) * case.horizon.count
    for some, kilograms in served.items():
        asked = changes(session, some)
        if asked is None:
            continue
        after = Session.open(session.inputs.after(asked), ONE)
        assert not after.verified.plan.infeasible
        best = least(after.program, after.program.short_of(demands))
        assert best is not None
        assert best <= before - kilograms + slack, (some, asked)
        if not any(each.kind == "price" for each in some):
            assert float(after.verified.cost.objective) <= float(session.verified.cost.objective) * (1 + 1e-6) + 1


@given(tiny_cases())
@examples(60)
def test_the_check_of_a_run_allows_every_cause_that_the_search_finds(tiny: Tiny) -> None:
    """The facts contradict no cause that was found by planning without it."""
    session = opened(tiny)
    found = shortage_causes(session)
    conflicts = [
        RunConflict(rules=list(part.rules), sentences=[], materials=[], demands=list(part.demands))
        for part in session.verified.plan.infeasible
    ]
    told = consistent_causes(session.inputs, session.problem, describe_shortages(session.verified, found), conflicts)
    assert told == {cell: causes for cell, causes in found.items() if causes}
