"""The bill of compliance on random tiny cases, held against planning anew and against the textbook formula."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import permutations
from math import factorial

from hypothesis import given
from hypothesis import strategies as st
from tests.property.compare import allowed
from tests.property.oracle import optimum
from tests.property.settings import examples
from tests.property.strategies import ONE, Tiny, tiny_cases
from tests.property.test_sessions import beside

from friendshore.domain.change import Change, TermKind
from friendshore.errors import InputError
from friendshore.problem.inputs import Inputs
from friendshore.session import Session
from friendshore_reasons.ledger.items import Method, round_to_total
from friendshore_reasons.ledger.search import Bill, Ledger, ledger


def anew(inputs: Inputs, off: Sequence[Change]) -> float | None:
    """Plan the whole case again with some items off. None if rules conflict."""
    session = Session.open(inputs.after(off), ONE)
    return None if session.verified.plan.infeasible else float(session.verified.cost.objective)


def adds_up(found: Ledger) -> None:
    """Asserts that everything adds up, in every direction, to the cent and the gram."""
    materials = {name for bill in (found.before, found.after, found.adds) for name in bill.short_kg}

    def line(bill: Bill, name: str) -> Decimal:
        return bill.short_kg.get(name, Decimal(0)) if name in materials else getattr(bill, name)

    for name in ("amount", "spent", "penalties", "shortage", *sorted(materials)):
        total = line(found.adds, name)
        assert sum(line(item.adds, name) for item in found.items) == total
        assert sum(line(part.adds, name) for part in found.parts) == total
        assert line(found.after, name) - line(found.before, name) == total
        for item in found.items:
            cells = (line(cell.adds, name) for cell in found.cells if cell.item == item.name)
            assert sum(cells) == line(item.adds, name)


@examples(60)
@given(tiny_cases(), st.integers(5, 60), st.booleans(), st.data())
def test_marginal_costs_add_up_in_every_order(tiny: Tiny, capacity: int, joint: bool, data: st.DataObject) -> None:
    """Rules and kinds of terms in any order: to the cent, item by item and part by part."""
    inputs = beside(tiny.priced(), capacity, joint)
    names = [rule.id for rule in inputs.rules] + ["fixed-cost", "minimum-load", "onboarding"]
    order = data.draw(st.permutations(names))
    session = Session.open(inputs, ONE)
    answer = ledger(session, order=order)
    adds_up(answer)
    assert [item.name for item in answer.items] == [name for name in order if name not in answer.without_effect]


@examples(100)
@given(tiny_cases(), st.sampled_from((2, 10, 10)), st.sampled_from((None, *TermKind)))
def test_shapley_values_are_those_of_the_textbook(tiny: Tiny, exact_up_to: int, kind: TermKind | None) -> None:
    """The mean over all orders of what each rule (and a kind of terms) adds, every coalition planned from the start; sampled, they add up.

    Neither rules that make no difference, nor those beside one that forbids as much, nor parts taken by themselves change anything.
    """
    session = tiny.priced().session()
    off = {rule.id: Change(disable=rule.id) for rule in tiny.rules} | ({kind.value: Change(lift=kind)} if kind else {})
    answer = ledger(session, items=list(off), exact_up_to=exact_up_to, samples=4)
    adds_up(answer)
    names = list(off)
    if len(names) > 4 or answer.method is not Method.EXACT:
        return
    coalitions = {frozenset(order[:size]) for order in permutations(names) for size in range(len(names) + 1)}
    try:
        planned = {
            coalition: anew(session.inputs, [off[n] for n in names if n not in coalition]) for coalition in coalitions
        }
    except InputError:
        return  # a limit names what no longer counts
    values = {some: value for some, value in planned.items() if value is not None}
    if len(values) < len(planned):
        return
    whole, nobody = frozenset(names), frozenset[str]()
    for name in names:
        share = 0.0
        for order in permutations(names):
            before = frozenset(order[: order.index(name)])
            share += (values[before | {name}] - values[before]) / factorial(len(names))
        expected = [share, values[whole] - values[whole - {name}], values[frozenset({name})] - values[nobody]]
        shown = [(item.difference, item.off_alone, item.on_alone) for item in answer.items if item.name == name]
        for value, wanted in zip([float(d.value) for d in shown[0]] if shown else [0.0] * 3, expected, strict=True):
            assert abs(value - wanted) <= 2 * allowed(session, max(map(abs, values.values())))


@examples(40)
@given(tiny_cases())
def test_the_ends_are_what_brute_force_finds(tiny: Tiny) -> None:
    """Without any rule, and with all of them, no mix of supply trees is cheaper than what the bill goes from and to."""
    tiny = tiny.priced()
    session = tiny.session()
    answer = ledger(session)
    if any(part.method is Method.CONFLICT for part in answer.parts) or session.verified.plan.infeasible:
        return
    case = session.inputs.case
    papers = {"licenses": (), "waivers": ()}  # of rules that are not there
    for rules, bill in (((), answer.before), (tiny.rules, answer.after)):
        wanted = optimum(case if rules else case.model_copy(update=papers), [tiny.catalog], rules).objective
        assert abs(float(bill.amount) - wanted) <= 2 * allowed(session, wanted) + 0.02


@examples(60)
@given(tiny_cases(), st.sampled_from(list(TermKind)))
def test_a_kind_of_terms_alone_costs_what_the_case_is_dearer_by(tiny: Tiny, kind: TermKind) -> None:
    """The bill of one kind of terms is the case as it is less the case without it."""
    session = tiny.priced().session()
    try:
        without = anew(session.inputs, [Change(lift=kind)])
    except InputError:
        return  # a limit names what no longer counts
    answer = ledger(session, items=[kind.value])
    if without is None or session.verified.plan.infeasible or any(p.conflict for p in answer.parts):
        return
    wanted = float(session.verified.cost.objective) - without
    assert abs(float(answer.adds.amount) - wanted) <= 2 * allowed(session, abs(without)) + 0.02


@examples(300)
@given(st.lists(st.fractions(-1000, 1000, max_denominator=7), min_size=1, max_size=8))
def test_whole_units_add_up_and_stay_near(parts: list[Fraction]) -> None:
    """No part is off by a unit or more, and what is nothing stays nothing."""
    total = round(sum(parts))
    found = round_to_total(total, parts)
    assert sum(found) == total
    for units, part in zip(found, parts, strict=True):
        assert abs(units - part) < 1 + Fraction(1, 2) or len([p for p in parts if p]) <= 1
        assert part or not units or not any(parts)
    assert round_to_total(3, [Fraction(0), Fraction(0)]) == [2, 1]
    assert Decimal(sum(found)) == Decimal(total)
