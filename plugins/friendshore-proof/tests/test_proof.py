"""Proofs of a bound: by search, and by a certificate without a solver."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from tests.building import bought, case, catalog, demand, facility, hard_case, metals, planned, rule, source, store

from friendshore.domain.plan import Infeasible, Plan, PlanStatus, Short
from friendshore.errors import VerificationError
from friendshore.program import compile_program
from friendshore.program.matrix import Entries, Linear
from friendshore.recommend import Recommendation
from friendshore.rules.kinds.limits import Pin
from friendshore.solve import Solution, Watch, relaxation
from friendshore.solve.planned import plan_of
from friendshore.verify import VerifiedPlan, verify
from friendshore_proof.certificate import name_of
from friendshore_proof.checks import OptimalityCheck
from friendshore_proof.claims import Proof
from friendshore_proof.exact import ExactProgram, reach
from friendshore_proof.proving import prove_optimality

# ---------------------------------------------------------------------------------------------------------------- search


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
    open_ = plan.but(status=PlanStatus.FEASIBLE, objective=Decimal(10**9), bound=Decimal(-(10**9)))
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
    told = cheap.plan.plan.but(
        levels=tuple(
            level.but(least=value, bound=value, most=value)
            for level, value in zip(
                ranked.plan.plan.levels,
                [Decimal(repr(float(goal.cost @ _padded(cheap, len(goal.cost))))) for goal in levels],
                strict=True,
            )
        )
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
    facts = catalog(facility("au", "AU", 45), source("CN", 10), source("AU", 50))
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
    forged = free.but(status=PlanStatus.INFEASIBLE, infeasible=(named,))
    with pytest.raises(VerificationError, match="rule `cap` does not hold"):
        verify(honest.plan.problem, forged)


def test_a_conflict_beside_one_that_is_proved_is_not() -> None:
    """Each conflict that is named has to be proved: a material of no such part is not left unplanned in its name."""
    given = case(demand("metal", "civil", 100))
    facts = catalog(facility("au", "AU", 45), source("CN", 10), source("AU", 50))
    found = planned(given, facts, rule(Pin, offer="au-metal", at_least=60))
    (honest,) = found.plan.plan.infeasible
    assert prove_optimality(found.plan).conflicts == (honest,)
    more = honest.but(rules=(*honest.rules, "house-ban"), materials=("metal", "salt"))
    told = found.plan.plan.but(infeasible=(honest, more))
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
    monkeypatch.setattr("friendshore_proof.proving.MOST_ENTRIES", 3)
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


# ---------------------------------------------------------------------------------------------------------- certificates


def ranked() -> Recommendation:
    """Two demands under two ranked objectives before cost."""
    given = case(demand("metal", "civil", 100, price=60), demand("metal", "defense", 40, price=20), objectives=RANKED)
    return planned(given, metals(cn=60, au=70))


def conflicting() -> Recommendation:
    """60 kg at least from a seller that may sell 45."""
    facts = catalog(facility("au", "AU", 45), source("CN", 10), source("AU", 50))
    return planned(case(demand("metal", "civil", 100)), facts, rule(Pin, offer="au-metal", at_least=60))


def certificate_of(found: Recommendation) -> dict[str, Any]:
    """Its certificate, as read."""
    text = OptimalityCheck().evidence(found)
    assert text is not None
    return dict(json.loads(text))


def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on no relaxation may be solved."""
    monkeypatch.setattr("friendshore_proof.search.relaxation", lambda *_: pytest.fail("a solver was asked"))


def first_part(data: dict[str, Any]) -> dict[str, Any]:
    """The first part of the first claim."""
    part: dict[str, Any] = data["claims"][0]["parts"][0]
    return part


@pytest.mark.parametrize(("made", "linear", "integer"), [(plain, 1, 0), (with_minima, 0, 1), (ranked, 3, 0)])
def test_a_certificate_proves_what_a_search_proves(
    made: Callable[[], Recommendation], linear: int, integer: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same sentence, with no solver asked, and every part counted; the same plan has the same certificate."""
    found = made()
    data = certificate_of(found)
    assert data == certificate_of(made())
    searched = prove_optimality(found.plan)
    quiet(monkeypatch)
    proof = prove_optimality(found.plan, certificate=data)
    assert (proof.text, proof.proved, proof.findings) == (searched.text, True, ())
    assert proof.parts.certified
    assert (proof.parts.linear_proved, proof.parts.integer_proved) == (linear, integer)
    assert (searched.parts.certified, searched.parts.proved) == (False, linear + integer)


def test_a_conflict_is_proved_by_a_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Multipliers that show that no plan keeps the rules; bent, they show nothing, which is found."""
    found = conflicting()
    assert found.status is PlanStatus.INFEASIBLE
    data = certificate_of(found)
    quiet(monkeypatch)
    proof = prove_optimality(found.plan, certificate=data)
    assert "rules conflict, which is proved" in proof.text
    assert proof.conflicts == found.plan.plan.infeasible
    empty = next(part for part in data["claims"][0]["parts"] if part is not None)
    empty["tree"] = [["empty", 1, []]]
    (finding,) = prove_optimality(found.plan, certificate=data).findings
    assert "states that no plan keeps it, and does not prove that" in finding.message


def test_a_bound_that_is_not_proved_is_found() -> None:
    """A bound, a multiplier or what a part comes to, each changed by itself: the certificate does not hold, and the run with it."""
    found = plain()
    for change in (
        lambda part: part.update(bound=str(Decimal(part["bound"]) + 1)),
        lambda part: part.update(value=str(Decimal(part["value"]) / 2)),
        lambda part: part["tree"][0].__setitem__(1, 2 * part["tree"][0][1]),
        lambda part: part["tree"].__setitem__(0, ["leaf", 1, []]),
    ):
        data = certificate_of(found)
        change(first_part(data))
        proof = prove_optimality(found.plan, certificate=data)
        assert not proof.proved
        assert all("the certificate does not hold" in one.message for one in proof.findings)
        assert proof.findings


def test_a_tree_that_leaves_something_out_is_none() -> None:
    """Leaves missing or left over, splits of what is no integer column, rows named twice: each is refused in words."""
    found = with_minima()

    def told(change: Callable[[list[Any]], object]) -> str:
        data = certificate_of(found)
        change(first_part(data)["tree"])
        (finding,) = prove_optimality(found.plan, certificate=data).findings
        return finding.message

    assert "a leaf is missing" in told(lambda tree: tree.pop())
    assert "a leaf is left over" in told(lambda tree: tree.append(tree[-1]))
    assert "cannot be split" in told(lambda tree: tree.insert(0, ["split", 10**6, 0]))
    assert "neither a split nor a leaf" in told(lambda tree: tree[0].__setitem__(0, "twig"))
    assert "one for each" in told(lambda tree: tree[-1].__setitem__(2, [[0, 1], [0, 1]]))
    assert "no whole number" in told(lambda tree: tree[-1].__setitem__(1, 0))
    assert "no whole number" in told(lambda tree: tree[-1].__setitem__(1, True))
    assert "too large" in told(lambda tree: tree[-1].__setitem__(2, [[0, 10**400]]))


def test_a_cut_that_follows_from_nothing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cuts are worked out from their multipliers: of rows that there are, of those before it, and of columns with an end to count from."""
    monkeypatch.setattr("friendshore_proof.search.BEFORE_CUTS", 0)
    found = with_minima()
    honest = certificate_of(found)
    assert first_part(honest)["cuts"]
    quiet(monkeypatch)

    def told(change: Callable[[list[Any]], object]) -> str:
        data = deepcopy(honest)
        change(first_part(data)["cuts"])
        (finding,) = prove_optimality(found.plan, certificate=data).findings
        return finding.message

    assert "and proves nothing" in told(lambda cuts: cuts[0].__setitem__(1, [[10**6, 1]]))
    assert "is no cut" in told(lambda cuts: cuts[0].pop())
    assert "no whole number" in told(lambda cuts: cuts[0].__setitem__(0, 0))
    assert "one for each" in told(lambda cuts: cuts[0].__setitem__(1, [[1, 1], [0, 1]]))
    assert "and proves" in told(lambda cuts: cuts[0].__setitem__(1, [[0, 1]]))


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"format": 2, "claims": []},
        {"format": 1},
        {"format": 1, "claims": [[]]},
        {"format": 1, "claims": [{"parts": 1}]},
    ],
)
def test_what_is_no_certificate_is_found(data: dict[str, Any]) -> None:
    """Another form than it has: said, and nothing proved."""
    proof = prove_optimality(plain().plan, certificate=data)
    assert (proof.proved, len(proof.findings)) == (False, 1)


def test_a_part_that_is_left_open_is_not_counted() -> None:
    """A plan that says that it may be dearer than need be is proved to be so; its part is not one that is proved."""
    found = plain()
    forged = dearer(found)
    bound = {"status": PlanStatus.FEASIBLE, "bound": found.cost.objective}
    open_ = verify(forged.problem, forged.plan.model_copy(update=bound))
    program = compile_program(open_.problem)
    data = certificate_of(found)
    data["claims"][0]["program"] = name_of(program.linear)
    first_part(data)["value"] = str(open_.cost.objective)
    proof = prove_optimality(open_, certificate=data)
    assert (proof.proved, proof.findings) == (True, ())
    assert (proof.parts.certified, proof.parts.linear, proof.parts.proved) == (True, 1, 0)


def test_a_certificate_of_other_numbers_is_no_mistake_of_the_run() -> None:
    """Where another version compiles another program its multipliers prove what they prove, and the rest is searched."""
    found = plain()
    data = certificate_of(found)
    data["claims"][0]["program"] = "0" * 32
    first_part(data).update(tree=[["leaf", 1, []]], cuts=[[1, [[10**6, 1]], []]])
    proof: Proof = prove_optimality(found.plan, certificate=data)
    assert (proof.proved, proof.findings) == (True, ())
    assert not proof.parts.certified


def test_a_bound_of_a_dearer_plan_is_not_enough() -> None:
    """A certificate of too little beside a claim of more: a search is made all the same, and proves it."""
    found = with_minima()
    data = certificate_of(found)
    part = first_part(data)
    part["tree"] = [["leaf", 1, []]]
    part["bound"] = "0"
    proof = prove_optimality(found.plan, certificate=data)
    assert proof.proved
    assert proof.bound is not None
    assert proof.bound <= Fraction(found.cost.objective)
    assert not proof.parts.certified
