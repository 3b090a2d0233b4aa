"""Repairs against trying every set of levers: each restores what is short, no smaller set does, none is missing, no amount can be smaller."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import combinations

import pytest
from hypothesis import assume, given, reject
from hypothesis import strategies as st
from tests.property.settings import DEPTH, examples
from tests.property.strategies import ONE, Tiny, tiny_cases

from friendshore.domain.case import Level, Minimize
from friendshore.domain.change import Change
from friendshore.errors import InputError
from friendshore.problem.inputs import Inputs
from friendshore.session import Session
from friendshore_reasons.repairs.candidates import levers_for
from friendshore_reasons.repairs.levers import Lever, LeverBounds, LeverKind, Need
from friendshore_reasons.repairs.search import LeverUse, Repair, Repairs, repairs
from friendshore_reasons.repairs.trials import Trials

BOUNDS = LeverBounds(later=1)
SIZE = 2
MOST = 9 if DEPTH >= 1 else 6
"""Levers of which all sets are tried."""
Name = tuple[str, tuple[str, ...], str]


def shortage_of(inputs: Inputs, changes: Iterable[Change]) -> Decimal | None:
    """Kilograms short at best in the whole case, planned anew with shortage ranked first; None if rules conflict."""
    after = inputs.after(tuple(changes))
    case = after.case.model_copy(update={"objectives": (Level(minimize=Minimize.SHORTAGE),)})
    plan = Session.open(replace(after, case=case), ONE).verified.plan
    return None if plan.infeasible else sum((short.quantity for short in plan.shorts), Decimal(0))


def nothing(inputs: Inputs) -> Decimal:
    """Kilograms that rounding may leave short."""
    return 10 * inputs.case.resolution * inputs.case.horizon.count


def at_bounds(levers: Sequence[Lever]) -> list[list[Change]]:
    """The changes of levers at their bounds, demand wanted later or not."""
    free = [
        change for lever in levers if lever.kind is not LeverKind.LATER for change in lever.changes(lever.max_amounts)
    ]
    moved = [change for lever in levers if lever.kind is LeverKind.LATER for change in lever.changes(lever.max_amounts)]
    return [free, [*moved, *free]] if moved else [free]


def named(lever: Lever) -> Name:
    return lever.kind.value, lever.subjects, lever.of


def used(repair: Repair, levers: Sequence[Lever]) -> frozenset[Name]:
    """The levers of a repair."""
    uses = {(use.kind, use.subject, use.of) for use in repair.uses}
    return frozenset(
        named(lever) for lever in levers if uses & {(lever.kind, name, lever.of) for name in lever.subjects}
    )


def unknown(tiny: Tiny, position: int) -> Tiny:
    """The same where nobody published the capacity of one plant, if there are so many."""
    plants = [p.but(capacity=()) if at == position else p for at, p in enumerate(tiny.catalog.facilities)]
    return replace(tiny, catalog=tiny.catalog.but(facilities=tuple(plants)))


def opened(tiny: Tiny, lead: int) -> tuple[Session, Repairs, list[Lever], Need]:
    """A case in which one material alone is short, and perhaps a capacity unknown, its repairs, all levers there are for it, and what is needed."""
    tiny = unknown(tiny, lead).priced()
    try:
        session = tiny.session()
    except InputError:  # a rule names what does not count without the capacity
        reject()
    plan = session.verified.plan
    assume(plan.shorts and not plan.infeasible)
    material = {d.id: d.use.material.id for d in session.problem.demands}
    assume(len({material[short.demand] for short in plan.shorts}) == 1)
    answer = repairs(session, size=SIZE, trials=10**9, bounds=BOUNDS)
    (gap,) = answer.gaps
    short: dict[str, list[Decimal]] = {n: [Decimal(0)] * tiny.case.horizon.count for n in gap.demands}
    for entry in plan.shorts:
        short[entry.demand][entry.period] += entry.quantity
    need = Need(gap.demands, {name: tuple(by_period) for name, by_period in short.items()})
    assert gap.complete
    return session, answer, levers_for(session, need, BOUNDS), need


@pytest.mark.deep
@examples(40, least=1)
@given(tiny_cases(), st.integers(0, 8))
def test_repairs_are_all_minimal_sets(tiny: Tiny, lead: int) -> None:
    """Every set of up to two levers is tried by planning anew, shortage ranked first."""
    session, found, levers, _ = opened(tiny, lead)
    assume(len(levers) <= MOST)
    enough = nothing(session.inputs)

    def left(some: Sequence[Lever]) -> list[Decimal | None]:
        return [shortage_of(session.inputs, changes) for changes in at_bounds(some)]

    told = [used(repair, levers) for repair in found.repairs]
    told += [frozenset()] if found.gaps[0].costs_more_than_shortage else []
    if all(one is not None and one > enough for one in left(levers)):
        assert not told
        return
    doing: list[frozenset[Name]] = []
    for size in range(SIZE + 1):
        for some in combinations(levers, size):
            names = frozenset(map(named, some))
            if any(less <= names for less in doing) or any(less < names for less in told):
                continue
            if any(one is not None and one <= enough for one in left(some)):
                doing.append(names)
    stocks = {named(lever) for lever in levers if lever.kind is LeverKind.STOCK}
    # A stock at its bound may be more than can be held or paid for: that less of it does is shown by planning with the repair.
    plain = [names for names in told if names.isdisjoint(stocks) or names in doing]
    assert sorted(map(sorted, plain)) == sorted(map(sorted, doing))


@examples(60, least=2)
@given(tiny_cases(), st.integers(0, 8))
def test_repairs_restore_with_the_least_amounts(tiny: Tiny, lead: int) -> None:
    """Planned anew with its changes nothing of the material is short; with a thousandth less of any amount something is."""
    session, found, *_ = opened(tiny, lead)
    enough = nothing(session.inputs)
    for repair in found.repairs:
        left = shortage_of(session.inputs, repair.changes)
        assert left is not None
        assert left <= enough
        if repair.rounded:
            anew = Session.open(session.inputs.after(repair.changes), ONE).verified.plan
            demands = set(found.gaps[0].demands)
            assert sum((s.quantity for s in anew.shorts if s.demand in demands), Decimal(0)) <= enough
        for position, change in enumerate(repair.changes):
            for less in smaller(change, repair.uses, session):
                changes = [*repair.changes[:position], *less, *repair.changes[position + 1 :]]
                fewer = shortage_of(session.inputs, changes)
                assert fewer is None or fewer > 0, (change, less)


def smaller(change: Change, uses: Sequence[LeverUse], session: Session) -> Iterable[list[Change]]:
    """A change that does a little less; none where it is a matter of yes or no."""
    if change.delay is not None:
        yield []
    for field in ("quantity", "by"):
        amount = getattr(change, field)
        if amount is not None:
            yield [change.model_copy(update={field: amount - max(amount / 1000, Decimal("0.02"))})]
    if change.per_year is not None and change.end is None:
        use = next(use for use in uses if use.subject == change.capacity and use.unit == "kg/year")
        assert use.amount is not None
        less = max(use.amount / 1000, Decimal("0.02"))
        yield [change.model_copy(update={"per_year": change.per_year - less})]


@pytest.mark.deep
@examples(60, least=4)
@given(tiny_cases(), st.integers(0, 8), st.data())
def test_what_is_refuted_does_not_serve(tiny: Tiny, lead: int, data: st.DataObject) -> None:
    """Whatever set of levers is refuted without a trial, or is told to be no better than one that is: planned as it is, something is short."""
    session, _, levers, need = opened(tiny, lead)
    trials = Trials(session, need, levers)
    for _ in range(4):
        some = data.draw(st.frozensets(st.integers(0, max(len(levers) - 1, 0)), max_size=len(levers)))
        wide = trials.widened(some, True) if levers else None
        if wide is not None:
            assert some <= wide
            assert shortest(trials, sorted(wide)) > trials.tolerance


def shortest(trials: Trials, some: Sequence[int]) -> float:
    """Return the smallest planned shortage with levers at their bounds, over all delays of demand."""
    free = {i: trials.levers[i].max_amounts for i in some}
    later = [i for i in some if trials.levers[i].kind is LeverKind.LATER]
    moved = [
        {**free, i: (months,) * len(free[i])} for i in later for months in (Decimal(0), trials.levers[i].max_amounts[0])
    ]
    return min(trials.short(amounts) for amounts in moved or [free])
