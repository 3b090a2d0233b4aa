"""Plans of equal cost: the one least of concern is taken, then the steadiest, and the same facts give the same plan."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from time import monotonic
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog
from tests import building as b
from tests.building import case, catalog, demand, facility, ordered, planned, rule, source, store

from friendshore.domain.facts import Offer
from friendshore.domain.plan import PlanStatus
from friendshore.program import Program, compile_program
from friendshore.program.decode import columns_of
from friendshore.recommend import Recommendation
from friendshore.rules.kinds.limits import Budget, Pin
from friendshore.rules.verdicts import Dependence, dependence_of
from friendshore.session.answer import PartPlan
from friendshore.solve import AnswerCache, Limits, TieBreaker, plan_of, solve
from friendshore.solve.steadiest import MAX_STEP_DISTANCE
from friendshore.verify import verify

from .mid_size import mid_size
from .settings import examples
from .strategies import Tiny


class Optima:
    """All plans that cost no more than the optimum, as one program for another solver: costs are capped."""

    def __init__(self, program: Program, cost: float) -> None:
        linear, columns, moves = program.linear, program.columns, program.problem.moves
        self.count, self.early = len(linear.cost), np.zeros(len(linear.cost))
        of_line: dict[tuple[int, int], list[int]] = defaultdict(list)
        for column, move in zip(columns.buy.tolist(), columns.buy_move.tolist(), strict=True):
            offer = program.problem.network.arcs[int(moves.arc[move])].offer
            if offer >= 0:
                of_line[offer, int(moves.ordered[move])].append(column)
                self.early[column] = program.problem.case.horizon.count - int(moves.ordered[move])
        self.concern = np.array([concern_of(program, each) for each in (Dependence.MAY_BE, Dependence.IS)])
        steps = [(of_line[offer, t - 1], now) for (offer, t), now in of_line.items() if (offer, t - 1) in of_line]
        changes = sp.lil_matrix((len(steps), self.count + 2 * len(steps)))
        for row, (before, now) in enumerate(steps):
            changes[row, now], changes[row, before] = 1.0, -1.0
            changes[row, self.count + 2 * row], changes[row, self.count + 2 * row + 1] = -1.0, 1.0
        self.more = np.concatenate([np.zeros(self.count), np.ones(2 * len(steps))])
        wide = sp.hstack([linear.matrix, sp.csr_matrix((linear.matrix.shape[0], 2 * len(steps)))]).tocsr()
        upper, lower = np.isfinite(linear.row_upper), np.isfinite(linear.row_lower)
        money = np.concatenate([linear.cost, np.zeros(2 * len(steps))])
        self.rows = [wide[upper], -wide[lower], sp.csr_matrix(money)]
        self.ends = [linear.row_upper[upper], -linear.row_lower[lower], np.array([cost - linear.constant + 1e-7])]
        self.changes = changes.tocsr()
        self.bounds = [*zip(linear.lower, linear.upper, strict=True), *[(0, None)] * (2 * len(steps))]

    def variation(self, x: np.ndarray[Any, Any]) -> float:
        """Return the variation of a plan."""
        return float(np.abs(self.changes[:, : self.count] @ x).sum())

    def least_concern(self) -> list[float]:
        """Return the least money of concern, surely or possibly, of any of these plans; then how much of it surely is. Keep plans with no more."""
        found = []
        for money in self.concern:
            wide = np.concatenate([money, np.zeros(len(self.more) - self.count)])
            found.append(self._least(wide))
            self.rows.append(sp.csr_matrix(wide))
            self.ends.append(np.array([found[-1] * (1 + 1e-7) + 1e-4]))
        return found

    def least_variation(self) -> float:
        """Return the least variation of any of these plans."""
        return self._least(self.more)

    def least_early(self, variation: float) -> float:
        """Return the least kilograms times periods left of any of these plans with no more variation."""
        self.rows.append(sp.csr_matrix(self.more))
        self.ends.append(np.array([variation]))
        return self._least(np.concatenate([self.early, np.zeros(len(self.more) - self.count)]))

    def _least(self, cost: np.ndarray[Any, Any]) -> float:
        zero = np.zeros(self.changes.shape[0])
        closely = {"primal_feasibility_tolerance": 1e-9, "dual_feasibility_tolerance": 1e-9}
        found = linprog(
            cost, sp.vstack(self.rows), np.concatenate(self.ends), self.changes, zero, self.bounds, options=closely
        )
        assert found.status == 0
        return float(found.fun)


def concern_of(program: Program, least: Dependence) -> np.ndarray[Any, Any]:
    """Return what a unit of each column costs, if it is bought from an offer that is at least so dependent by itself."""
    problem, columns, found = program.problem, program.columns, np.zeros(len(program.linear.cost))
    countries = problem.case.concern.countries

    def counts(facts: Any) -> bool:
        return dependence_of(facts, countries).rank >= least.rank

    for column, move in zip(columns.buy.tolist(), columns.buy_move.tolist(), strict=True):
        arc = problem.network.arcs[int(problem.moves.arc[move])]
        if arc.offer >= 0 and counts(arc.chained):
            found[column] = float(problem.moves.money(move))
    for (number, _, period), column in columns.make.items():
        if any(map(counts, problem.offers[number].chained)):
            found[column] = float(problem.offers[number].price[period])
    return found


def linear_case(seed: int, rate: str) -> Tiny:
    """Return a random case without integer variables and soft limits. At a rate of 0, many plans cost the same."""
    tiny = mid_size(2 * seed)
    rules = tuple(each for each in tiny.rules if getattr(each, "penalty", None) is None)
    return Tiny(tiny.case.but(discount=Decimal(rate)), tiny.catalog, rules)


linear_cases = st.builds(linear_case, st.integers(0, 10_000), st.sampled_from(["0", "0.08"]))


def program_of(tiny: Tiny) -> Program:
    """Return the program of a case."""
    program = compile_program(tiny.inputs.problem())
    assert not program.linear.integer.any()
    return program


@examples(200)
@given(linear_cases)
def test_no_plan_of_the_same_cost_is_less_of_concern_or_steadier_or_later(tiny: Tiny) -> None:
    """Another solver gets the whole program with its cost capped, and finds none."""
    program = program_of(tiny)
    found = solve(program)
    if found.status is not PlanStatus.OPTIMAL:
        return
    steady = TieBreaker(program, found, Limits(), None, AnswerCache()).steadiest()
    assert steady.tie_broken is not None
    assert steady.tie_broken[program.columns.buy].all()
    cost = [float(program.linear.cost @ each.x) + program.linear.constant for each in (found, steady)]
    assert cost[1] == pytest.approx(cost[0], rel=1e-9, abs=0.01)
    others = Optima(program, cost[0])
    for money, smallest in zip(others.concern, others.least_concern(), strict=True):
        assert money @ steady.x <= smallest * (1 + 1e-6) + 0.01
    least = others.least_variation()
    assert others.variation(steady.x) <= least * (1 + 1e-4) + 0.01
    assert others.early @ steady.x <= others.least_early(least * (1 + 1e-5) + 0.001) * (1 + 1e-3) + 0.1


@examples(200)
@given(linear_cases)
def test_a_limit_that_never_binds_changes_no_order(tiny: Tiny) -> None:
    """It joins all materials into one program, which the solver solves along another path."""
    slack = rule(Budget, id="slack", amount=10**11)
    one, other = (planned(tiny.case, tiny.catalog, *rules) for rules in (tiny.rules, (*tiny.rules, slack)))
    if one.status is PlanStatus.OPTIMAL and not one.run.not_tie_broken and not other.run.not_tie_broken:
        before, after = ordered(one), ordered(other)
        moved = {key: before.get(key, 0.0) - after.get(key, 0.0) for key in before | after}
        # A gram may be rounded the other way. From rounded plans, a few grams: these depend on the solver's path.
        rounded = one.session.solution.from_rounded or other.session.solution.from_rounded
        most = (MAX_STEP_DISTANCE + 1 if rounded else 1) * float(tiny.case.resolution) + 1e-9
        assert all(abs(change) <= most for change in moved.values()), moved


@examples(100)
@given(st.integers(0, 10_000))
def test_the_plan_costs_no_more_to_the_cent(seed: int) -> None:
    """Otherwise, rounded quantities cost more, and the first plan is kept and called not tie-broken."""
    tiny = mid_size(seed)
    found = tiny.planned()
    session = found.session
    if found.status is PlanStatus.OPTIMAL:
        first = verify(session.problem, plan_of(session.program, solve(session.program)))
        assert round(found.run.objective, 2) <= round(first.cost.objective, 2)


def of_metal(*offers: Any, wanted: Sequence[float] = (10, 10), plants: Any = (), **more: Any) -> Recommendation:
    """Return the plan of metal, a shortage of which costs 100."""
    return planned(case(demand("metal", "civil", *wanted, price=100), **more), catalog(*plants, *offers))


def exchangeable(found: Recommendation) -> list[tuple[str, ...]]:
    """Return the sets of offers that could replace one another."""
    return [each.offers for each in found.run.exchangeable]


def of_australia(names: Sequence[str]) -> list[Offer]:
    """Return offers of one price."""
    return [source("AU", 10, name=name) for name in names]


def test_steady_orders_are_preferred() -> None:
    """Buying 30 at once, or 20 and 10, costs as much as buying 10 in each of three periods."""
    found = of_metal(source("AU", 10), wanted=(5, 5, 20), stores=[store("metal", 0)])
    assert list(ordered(found).values()) == [10, 10, 10]


def test_equal_suppliers_always_get_the_same_shares() -> None:
    """The order of rows in a catalog decides nothing."""
    first, second = (b.bought(of_metal(*of_australia(names))) for names in ("ba", "ab"))
    assert first == second
    assert len(first) == 1


@pytest.mark.parametrize("removed", ["a", "abc", "abcdefg"])
def test_offers_of_another_material_move_no_order(removed: str) -> None:
    """A scenario that removes offers leaves the choice among equal offers of other materials as it is."""
    metal, oxide = (
        [source("AU", 5, what, name=f"{name}-{what}") for name in "abcdefgh"] for what in ("metal", "oxide")
    )
    left = [offer for offer in metal if offer.id.removesuffix("-metal") not in removed]
    wanted = case(*(demand(name, "civil", 10, 20, price=100) for name in ("oxide", "metal")))
    first, second = (ordered(planned(wanted, catalog(*offers, *oxide))) for offers in (metal, left))
    assert [key for key in first.items() if "oxide" in key[0][0]] == [
        key for key in second.items() if "oxide" in key[0][0]
    ]


def test_suppliers_that_ask_one_price_could_replace_one_another() -> None:
    """Three of one price are named, also those that the plan doesn't buy from. A more expensive one isn't."""
    dear = source("AU", 11, name="d")
    assert exchangeable(of_metal(*of_australia("abc"), dear)) == [("a", "b", "c")]
    assert exchangeable(of_metal(*of_australia("a"), dear)) == []


@pytest.mark.parametrize(("wanted", "told"), [(10, []), (9, [("a", "b")])])
def test_suppliers_that_are_needed_in_full_replace_nobody(wanted: float, told: list[Any]) -> None:
    """Two of one price that together give no more than is wanted."""
    plants = [facility("p", "AU", 5), facility("q", "AU", 5)]
    both = [source("AU", 10, name="a", plant="p"), source("AU", 10, name="b", plant="q")]
    assert exchangeable(of_metal(*both, plants=plants, wanted=(wanted, wanted))) == told


@examples(60)
@given(st.integers(0, 10_000))
def test_more_or_less_of_each_exchangeable_offer_costs_the_same(seed: int) -> None:
    """A rule that asks for a little more of it, or a little less, makes no plan more expensive before quantities are rounded to whole steps."""
    tiny = linear_case(seed, "0")
    found = tiny.planned()
    plan, little = found.plan.plan, Decimal("0.05")
    for name in {offer for each in found.run.exchangeable for offer in each.offers}:
        amount = sum((p.quantity for p in plan.purchases if p.offer == name), Decimal(0))
        changes = [{"at_least": amount + little}, *([{"at_most": amount - little}] if amount > little else [])]
        rises = []
        for change in changes:
            answer = found.session.what_if(rules=(rule(Pin, id="pin", offer=name, **change),))
            rises += [] if answer.infeasible else [optimum(answer.after) - optimum(answer.before)]
        assert min(rises) == pytest.approx(0, abs=1e-7 * float(plan.objective)), name


def optimum(parts: Sequence[PartPlan]) -> float:
    """Return the least cost of the parts, in present value, before quantities are rounded to whole steps."""
    return float(sum(part.plan.objective for part in parts))


def test_of_equal_suppliers_those_of_concern_are_left_out() -> None:
    """The Chinese one is not called an equal offer either. It is taken if Australia is the country of concern."""
    same = [source("CN", 10, name="b"), *of_australia("ac")]
    found = of_metal(*same)
    assert {purchase.concern for purchase in found.run.purchases} == {"no"}
    assert exchangeable(found) == [("a", "c")]
    assert b.bought(of_metal(*same, concern={"countries": frozenset({"AU"})})).keys() == {"b"}


def test_an_unknown_origin_is_taken_before_one_that_surely_is_of_concern() -> None:
    """Both count in full as of concern. Of two that do, the one that may not be is taken."""
    unknown = source("AU", 10, name="a").but(chain=b.chain("AU", *b.METAL[1:]))
    run = of_metal(source("CN", 10, name="b"), unknown).run
    assert {(purchase.offer, purchase.concern) for purchase in run.purchases} == {("a", "may be")}


def test_a_cheaper_supplier_of_concern_is_taken() -> None:
    """Less dependence is worth no money to a plan. A budget for countries of concern can ask for it."""
    assert b.bought(of_metal(source("CN", 10, name="a"), source("AU", 10.01, name="b"))).keys() == {"a"}


def ties_of(*materials: str, wanted: float) -> tuple[TieBreaker, dict[str, Any]]:
    """Return the tie-breaking of a plan for some materials that are wanted in the last of three periods, and the columns of their orders."""
    facts = catalog(*(source("AU", 10, name) for name in materials))
    wants = [demand(name, "civil", 0, 0, wanted, price=100) for name in materials]
    program = compile_program(b.built(case(*wants, stores=[store(name, 0) for name in materials]), facts))
    found = solve(program)
    first = columns_of(program, plan_of(program, found), found.x)
    arcs, moves = program.problem.network.arcs, program.problem.moves
    material = np.array([arcs[arc].node[0] for arc in moves.arc[program.columns.buy_move].tolist()])
    orders = {name: program.columns.buy[material == name] for name in materials}
    return TieBreaker(program, found, Limits(), None, AnswerCache(), first), orders


def test_equal_quantities_become_whole_steps_the_larger_ones_later() -> None:
    """Ten grams in three periods. Rounded one by one, a third of it three times is a gram short."""
    ties, orders = ties_of("metal", wanted=0.01)
    steady = ties.steadiest()
    assert steady.x[orders["metal"]] == pytest.approx([0.01 / 3] * 3, abs=1e-6)
    whole = ties.in_whole_steps(steady, None)
    assert whole.x[orders["metal"]] == pytest.approx([0.003, 0.003, 0.004], abs=1e-9)


def test_most_tiny_plans_are_tie_broken() -> None:
    """Rounding equal quantities one by one would keep the first plan in some of these cases."""
    kept = [tiny.planned() for tiny in (linear_case(seed, "0") for seed in range(6))]
    assert sum(bool(found.run.not_tie_broken) for found in kept) <= 1


@examples(100)
@given(linear_cases)
def test_the_columns_of_a_rounded_plan_cost_what_the_plan_costs(tiny: Tiny) -> None:
    """The verifier adds the plan up from its records."""
    program = program_of(tiny)
    found = solve(program)
    if found.status is PlanStatus.OPTIMAL:
        plan = verify(program.problem, plan_of(program, found))
        x = columns_of(program, plan.plan, found.x)
        cost = float(program.linear.cost @ x) + program.linear.constant
        assert cost == pytest.approx(float(plan.cost.objective), abs=1e-6)


def test_only_the_component_that_loses_by_rounding_keeps_the_first_plan() -> None:
    """Oxide costs a cent more than in the plan that was found. Metal stays steady."""
    ties, orders = ties_of("metal", "oxide", wanted=30)
    steady = ties.steadiest()
    outcome = steady.x.copy()
    outcome[orders["oxide"][0]] += 0.001
    kept = ties.without_loss(steady, outcome)
    assert kept.tie_broken is not None
    assert not kept.tie_broken[orders["oxide"]].any()
    assert kept.x[orders["oxide"]] == pytest.approx(ties.start[orders["oxide"]])
    assert kept.tie_broken[orders["metal"]].all()
    assert kept.x[orders["metal"]] == pytest.approx([10, 10, 10])


def test_a_session_beside_another_breaks_ties_and_looks_for_no_equal_offers() -> None:
    """`calendar` and `compare` show orders of such sessions, and never their equal offers."""
    session = of_metal(*of_australia("ab")).session
    assert session.verified.plan.exchangeable
    beside = session.with_inputs(session.inputs, session.program, monotonic())
    assert not beside.verified.plan.exchangeable
    assert not beside.verified.plan.not_tie_broken
    assert beside.verified.plan.purchases == session.verified.plan.purchases


def test_a_budget_that_costs_little_beside_shortages_still_binds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shortage of oxide costs ten billion, so that what the budget costs is a millionth of the objective. Duals without it prove nothing."""
    monkeypatch.setattr("friendshore.solve.lagrangian.FEW_ENTRIES", 0)  # small programs are cut into parts too
    sources = [source("CN", 10), source("AU", 10), source("JP", 10, "oxide", total=2, min_order=1)]
    wanted = [demand("metal", "civil", 100, 100, price=20), demand("oxide", "civil", 1000, 1000, price=10**7)]
    found = planned(case(*wanted), catalog(*sources), rule(Budget, id="purse", amount=500))
    assert found.run.objective > 10**10
    assert found.run.not_tie_broken == []
    assert b.bought(found).keys() == {"au-metal", "jp-oxide"}
