"""How good a plan is, proved: the bound holds whatever a solver says, and a run that claims too much is found out."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from random import Random

import numpy as np
import pytest
import scipy.sparse as sp

from friendshore.domain.plan import Infeasible, Plan, PlanStatus, Short
from friendshore.errors import VerificationError
from friendshore.program import compile_program
from friendshore.program.matrix import Entries, Linear
from friendshore.proof import Proof, prove_optimality
from friendshore.proof.exact import ExactProgram, reach
from friendshore.recommend import Recommendation
from friendshore.rules.kinds.limits import Pin
from friendshore.solve import Solution, Watch, relaxation
from friendshore.solve.planned import plan_of
from friendshore.verify import VerifiedPlan, verify

from ..building import bought, case, catalog, demand, facility, hard_case, metals, planned, rule, source, store

RANKED = ({"minimise": "shortage", "of": ["defense"]}, {"minimise": "concentration"})


def plain() -> Recommendation:
    """100 kg in each of two years: 60 a year at 10 from China, the rest at 50 from Australia; no column is integer."""
    return planned(case(demand("metal", "civil", 100, 100), stores=(store("metal", 1),)), metals(cn=60))


def with_minima() -> Recommendation:
    """The same with onboarding and an order minimum: the linear relaxation lies below what any plan costs."""
    facts = catalog(
        *(facility(c.lower(), c, 90) for c in ("CN", "AU", "JP")),
        source("CN", 10, onboarding=900),
        source("AU", 12, min_order=45, onboarding=100),
        source("JP", 15),
    )
    return planned(case(demand("metal", "civil", 100, 30), stores=(store("metal", 1),)), facts)


def claimed(found: VerifiedPlan, plan: Plan) -> VerifiedPlan:
    """Another plan of the same facts, whose bound is made to be what it costs."""
    open_ = plan.model_copy(
        update={"status": PlanStatus.FEASIBLE, "objective": Decimal(10**9), "bound": Decimal(-(10**9))}
    )
    cost = verify(found.problem, open_).cost.objective
    stated = {"status": PlanStatus.OPTIMAL, "objective": cost, "bound": cost}
    return verify(found.problem, plan.model_copy(update=stated))


def dearer(found: Recommendation) -> VerifiedPlan:
    """The cheapest plan that has to buy 20 kg more of Australian metal, said to be the cheapest of all."""
    facts = found.session.inputs if found.session is not None else None
    pinned = planned(
        facts.case, facts.catalogs, *facts.rules, rule(Pin, offer="au-metal", at_least=bought(found)["au-metal"] + 20)
    )
    return claimed(found.plan, pinned.plan.plan)


def idle(found: VerifiedPlan) -> VerifiedPlan:
    """A plan that buys nothing, said to be the cheapest."""
    program = compile_program(found.problem)
    x = np.zeros(len(program.linear.cost))
    count = len(found.problem.demands) * found.problem.case.horizon.count
    shorts = slice(program.columns.short, program.columns.short + count)
    x[shorts] = program.linear.upper[shorts]
    cost = float(program.linear.cost @ x)
    return claimed(found, plan_of(program, Solution(x, PlanStatus.OPTIMAL, cost, cost, (), 1)))


def test_a_linear_plan_is_proved_to_the_last_digit() -> None:
    """Two years of 60 kg at 10 and 40 kg at 50: no plan costs less than 5,200, and this one costs just that."""
    found = plain()
    proof = prove_optimality(found.plan)
    assert proof.bound == Fraction(found.cost.objective) == 5200
    assert (proof.proved, proof.gap, proof.findings) == (True, 0, ())
    assert proof.text == "optimality: proved: no plan costs less than USD 5,200.00 (this one is within 0 %)"


def test_integer_parts_are_proved_by_branching() -> None:
    """Where binary variables leave the relaxation below the optimum, the leaves of a search prove what it leaves open."""
    found = with_minima()
    linear = compile_program(found.plan.problem).linear
    relaxed = relaxation(linear, Watch()).objective
    assert relaxed < float(found.cost.objective) - 50
    proof = prove_optimality(found.plan)
    assert proof.proved
    assert proof.bound == pytest.approx(Fraction(found.cost.objective), rel=1e-9)


def test_what_cannot_be_proved_in_time_is_told_beside_the_claim() -> None:
    """Without any time the bound is what every column costs at least: the run's claim is told, and not vouched for."""
    proof = prove_optimality(with_minima().plan, seconds=0.0)
    assert not proof.proved
    assert proof.findings == ()
    assert proof.text.startswith(
        "optimality: not proved in the time given: the run claims to be within 0 %; proved here: "
    )


@pytest.mark.parametrize("made", [plain, with_minima], ids=["linear", "with integer parts"])
def test_a_dearer_plan_whose_bound_is_its_cost_is_found_out(made: object) -> None:
    """A plan that costs more than need be and says that none costs less: a plan that does is found, and what it costs is told."""
    found = made()  # type: ignore[operator]
    forged = dearer(found)
    assert forged.cost.objective > found.cost.objective * Decimal("1.01")
    proof = prove_optimality(forged)
    assert not proof.proved
    (finding,) = proof.findings
    assert "a plan of the same facts comes to" in finding.message
    assert f"{found.cost.objective:,.2f}" in finding.expected
    assert f"{forged.cost.objective:,.2f}" in finding.found
    assert "VERIFICATION FAILED" in proof.text


def test_a_plan_that_buys_nothing_is_found_out() -> None:
    """A plan that leaves all demand short, and says that none costs less, is not optimal."""
    found = plain()
    proof = prove_optimality(idle(found.plan))
    assert len(proof.findings) == 1
    assert "USD 5,200.00" in proof.text


def test_an_honest_gap_is_proved_as_it_is_claimed() -> None:
    """A plan that a limit ended may be dearer, if its bound says by how much: that is proved, and nothing is found."""
    found = plain()
    forged = dearer(found)
    bound = {"status": PlanStatus.FEASIBLE, "bound": found.cost.objective}
    proof = prove_optimality(verify(forged.problem, forged.plan.model_copy(update=bound)))
    assert (proof.proved, proof.findings) == (True, ())
    assert proof.gap == pytest.approx(1 - found.cost.objective / forged.cost.objective)


def test_ranked_objectives_are_proved_one_by_one() -> None:
    """Each objective is proved to be as small as those before it allow."""
    given = case(demand("metal", "civil", 100, price=60), demand("metal", "defense", 40, price=20), objectives=RANKED)
    found = planned(given, metals(cn=60, au=70))
    proof = prove_optimality(found.plan)
    assert proof.proved
    assert proof.text.startswith(
        "optimality: proved: each of 3 objectives is as small as those before it allow, within 0"
    )


def test_a_ranked_objective_that_could_be_smaller_is_found_out() -> None:
    """The plan of cost alone, told as that of ranked objectives, with a first objective that is said not to come lower."""
    wanted = (demand("metal", "civil", 100, price=60), demand("metal", "defense", 40, price=20))
    facts = metals(cn=60, au=70)
    ranked, cheap = planned(case(*wanted, objectives=RANKED), facts), planned(case(*wanted), facts)
    levels = compile_program(ranked.plan.problem).goals
    assert cheap.session is not None
    told = cheap.plan.plan.model_copy(
        update={
            "levels": tuple(
                level.model_copy(update={"least": value, "bound": value, "most": value})
                for level, value in zip(
                    ranked.plan.plan.levels,
                    [Decimal(repr(float(goal.cost @ _padded(cheap, len(goal.cost))))) for goal in levels],
                    strict=True,
                )
            )
        }
    )
    proof = prove_optimality(verify(ranked.plan.problem, told))
    (finding,) = proof.findings
    assert finding.message.startswith(
        "objective 1, shortage of defense, at its price: a plan of the same facts comes to USD 0.00"
    )


def _padded(found: Recommendation, columns: int) -> np.ndarray:
    """The values of a plan of cost alone, for a program that has columns beside them that count concentration."""
    x = found.session.solution.x
    bought = [float(line.quantity) for line in found.plan.plan.purchases]
    return np.concatenate([x, np.full(columns - len(x), max(bought))])


def test_a_conflict_is_proved() -> None:
    """60 kg at least from a seller that may sell 45: no plan keeps both, which is shown in exact arithmetic."""
    given = case(demand("metal", "civil", 100))
    facts = catalog(facility("cn", "CN"), facility("au", "AU", 45), source("CN", 10), source("AU", 50))
    found = planned(given, facts, rule(Pin, offer="au-metal", at_least=60))
    assert found.run.status is PlanStatus.INFEASIBLE
    proof = prove_optimality(found.plan)
    assert "rules conflict, which is proved" in proof.text
    assert (proof.proved, proof.findings) == (False, ())


def test_a_conflict_that_is_none_is_found_out() -> None:
    """Nothing planned, and a rule named that is said to conflict: there is a plan that keeps it."""
    pinned = rule(Pin, offer="au-metal", at_least=30)
    found = planned(case(demand("metal", "civil", 100)), metals(), pinned)
    named = Infeasible(materials=("metal",), demands=("metal-civil",), rules=("pin",))
    short = Short(demand="metal-civil", period=0, quantity=Decimal(100))
    forged = Plan(
        status=PlanStatus.INFEASIBLE, objective=Decimal(0), bound=Decimal(0), shorts=(short,), infeasible=(named,)
    )
    proof = prove_optimality(verify(found.plan.problem, forged))
    (finding,) = proof.findings
    assert finding.message == "the run says that rules conflict, and a plan of the same facts keeps them all"
    assert finding.found == "pin"


def test_a_conflict_that_is_named_excuses_nothing_that_is_planned() -> None:
    """A cap of 30 kg from Australia, and 40 bought: the cap is said to be in conflict, and is asked all the same."""
    capped = rule(Pin, id="cap", offer="au-metal", at_most=30)
    honest = planned(case(demand("metal", "civil", 40)), metals(cn=10), capped)
    assert honest.run.status is PlanStatus.OPTIMAL
    free = planned(case(demand("metal", "civil", 40)), metals(cn=0)).plan.plan
    named = Infeasible(materials=("metal",), demands=(), rules=("cap",))
    forged = free.model_copy(update={"status": PlanStatus.INFEASIBLE, "infeasible": (named,)})
    with pytest.raises(VerificationError, match="rule `cap` does not hold"):
        verify(honest.plan.problem, forged)


def test_a_conflict_beside_one_that_is_proved_is_not() -> None:
    """Each conflict that is named has to be proved: a material of no such part is not left unplanned in its name."""
    given = case(demand("metal", "civil", 100))
    facts = catalog(facility("cn", "CN"), facility("au", "AU", 45), source("CN", 10), source("AU", 50))
    found = planned(given, facts, rule(Pin, offer="au-metal", at_least=60))
    (honest,) = found.plan.plan.infeasible
    assert prove_optimality(found.plan).conflicts == (honest,)
    more = honest.model_copy(update={"rules": (*honest.rules, "house-ban"), "materials": ("metal", "salt")})
    told = found.plan.plan.model_copy(update={"infeasible": (honest, more)})
    proof = prove_optimality(verify(found.plan.problem, told))
    assert proof.conflicts == (honest,)
    assert "which is not proved" in proof.text


def test_any_multipliers_give_a_bound_that_holds() -> None:
    """Whatever is given for duals, and however large, no bound lies above the optimum of the program."""
    dice = Random(1)
    found = with_minima()
    linear = compile_program(found.plan.problem).linear
    best = relaxation(linear, Watch())
    assert best.duals is not None
    exact, upper = ExactProgram(linear), reach(linear, float(found.cost.objective))
    for size in (0.0, 1e-9, 0.1, 1.0, 1e6):
        for _ in range(5):
            hints = best.duals + size * np.array([dice.uniform(-1, 1) for _ in best.duals])
            bound = exact.bound(hints, linear.lower, upper)
            assert bound is not None
            assert bound <= Fraction(best.objective) * (1 + Fraction(1, 10**12))


def test_the_bound_is_exact_for_fractions_that_doubles_cannot_hold() -> None:
    """Cost 1 for 3 units a row that asks for 1: a third, and not the double beside it."""
    linear = Linear(
        cost=np.array([1.0]),
        lower=np.zeros(1),
        upper=np.array([np.inf]),
        integer=np.zeros(1, dtype=bool),
        entries=Entries.of(sp.csr_matrix(np.array([[3.0]]))),
        row_lower=np.ones(1),
        row_upper=np.array([np.inf]),
    )
    assert ExactProgram(linear).bound(np.array([1 / 3]), linear.lower, linear.upper) == Fraction(1, 3)
    assert ExactProgram(replace(linear, cost=np.array([0.1]))).bound(
        np.array([0.1 / 3]), linear.lower, linear.upper
    ) == Fraction(1, 30)


def test_a_column_without_a_limit_is_limited_by_what_plans_cost() -> None:
    """Where neither the column nor a row limits it, no plan that is cheap enough has more of it than its price allows."""
    linear = Linear(
        cost=np.array([2.0, 1.0]),
        lower=np.zeros(2),
        upper=np.array([np.inf, np.inf]),
        integer=np.zeros(2, dtype=bool),
        entries=Entries.of(sp.csr_matrix(np.array([[1.0, 1.0], [0.0, 1.0]]))),
        row_lower=np.array([5.0, -np.inf]),
        row_upper=np.array([np.inf, 3.0]),
    )
    upper = reach(linear, 20.0)
    assert upper == pytest.approx([10.0, 3.0])
    assert (upper >= [10.0, 3.0]).all()


def test_a_program_too_large_for_exact_arithmetic_is_left_unproved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded: what would not fit is said not to be checked."""
    found = plain()
    monkeypatch.setattr("friendshore.proof.MOST_ENTRIES", 3)
    proof = prove_optimality(found.plan)
    assert not proof.proved
    assert "coefficients, too many" in proof.text


@pytest.mark.deep
def test_a_hard_case_is_told_within_its_limits() -> None:
    """One component that takes minutes: what is proved within the limits holds, and the claim stands beside it."""
    given, facts = hard_case(offers=12, periods=4)
    found = planned(given, facts, time_limit=10)
    proof: Proof = prove_optimality(found.plan, seconds=5)
    assert proof.bound is None or proof.bound <= Fraction(found.cost.objective)
    assert proof.findings == ()
