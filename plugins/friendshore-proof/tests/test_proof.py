"""Proofs of a bound: by search, and by a certificate without a solver."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
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
from friendshore.solve import Watch, relaxation
from friendshore.verify import VerifiedPlan, verify
from friendshore_proof.certificate import program_digest
from friendshore_proof.checks import OptimalityCheck
from friendshore_proof.exact import ExactProgram, implied_upper
from friendshore_proof.proving import prove_optimality

# ---------------------------------------------------------------------------------------------------------------- search


RANKED = ({"minimize": "shortage", "of": ["defense"]}, {"minimize": "concentration"})


def plain() -> Recommendation:
    """100 kg in each of two years: 60 a year at 10 from China, the rest at 50 from Australia; no column is integer."""
    return planned(case(demand("metal", "civil", 100, 100), stores=(store("metal", 1),)), metals(cn=60))


def ranked(**objectives: Any) -> Recommendation:
    """Two demands under two ranked objectives before cost."""
    wanted = demand("metal", "civil", 100, price=60), demand("metal", "defense", 40, price=20)
    return planned(case(*wanted, **{"objectives": RANKED, **objectives}), metals(cn=60, au=70))


def conflicting() -> Recommendation:
    """60 kg at least from a seller that may sell 45."""
    facts = catalog(facility("au", "AU", 45), source("CN", 10), source("AU", 50))
    return planned(case(demand("metal", "civil", 100)), facts, rule(Pin, offer="au-metal", at_least=60))


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
    return verify(found.problem, plan.but(status=PlanStatus.OPTIMAL, objective=cost, bound=cost))


def dearer(found: Recommendation) -> VerifiedPlan:
    """The cheapest plan that has to buy 20 kg more of Australian metal, said to be the cheapest of all."""
    facts = found.session.inputs
    pin = rule(Pin, offer="au-metal", at_least=bought(found)["au-metal"] + 20)
    return claimed(found.plan, planned(facts.case, facts.catalogs, *facts.rules, pin).plan.plan)


def stopped(found: Recommendation) -> VerifiedPlan:
    """The same, told as a plan that a limit ended, with an honest bound."""
    forged = dearer(found)
    return verify(forged.problem, forged.plan.but(status=PlanStatus.FEASIBLE, bound=found.cost.objective))


def test_a_linear_plan_is_proved_to_the_last_digit() -> None:
    """Two years of 60 kg at 10 and 40 kg at 50: no plan costs less than 5,200, and this one costs just that."""
    found = plain()
    proof = prove_optimality(found.plan)
    assert proof.bound == Fraction(found.cost.objective) == 5200
    assert (proof.proved, proof.gap, proof.findings) == (True, 0, ())
    assert proof.text == (
        "optimality: proved: no plan's spend and penalties are less than USD 5,200.00 in present value (this one is within 0%)"
    )


def test_integer_parts_are_proved_by_branching() -> None:
    """Where binary variables leave the relaxation below the optimum, the leaves of a search prove what it leaves open."""
    found = with_minima()
    relaxed = relaxation(compile_program(found.plan.problem).linear, Watch()).objective
    assert relaxed < float(found.cost.objective) - 50
    proof = prove_optimality(found.plan)
    assert proof.proved
    assert proof.bound == pytest.approx(Fraction(found.cost.objective), rel=1e-9)


def test_what_cannot_be_proved_in_time_is_told_beside_the_claim() -> None:
    """Without any time the bound is what every column costs at least: the run's claim is told, and not vouched for."""
    proof = prove_optimality(with_minima().plan, seconds=0.0)
    assert (proof.proved, proof.findings) == (False, ())
    assert proof.text.startswith(
        "optimality: not proved in the time given: the run claims to be within 0%; proved here"
    )


@pytest.mark.parametrize("made", [plain, with_minima], ids=["linear", "with integer parts"])
def test_a_dearer_plan_whose_bound_is_its_cost_is_found_out(made: Callable[[], Recommendation]) -> None:
    """A plan that costs more than need be and says that none costs less: what a cheaper one costs is told."""
    found = made()
    forged = dearer(found)
    assert forged.cost.objective > found.cost.objective * Decimal("1.01")
    proof = prove_optimality(forged)
    assert not proof.proved
    (finding,) = proof.findings
    assert f"{found.cost.objective:,.2f}" in finding.expected
    assert f"{forged.cost.objective:,.2f}" in finding.found
    assert "VERIFICATION FAILED" in proof.text


def test_an_honest_gap_is_proved_as_it_is_claimed() -> None:
    """A plan that a limit ended may be dearer, if its bound says by how much: that is proved; its part is not one that is proved."""
    found, told = plain(), stopped(plain())
    data = certificate_of(found)
    data["claims"][0]["program"] = program_digest(compile_program(told.problem).linear)
    first_part(data)["value"] = str(told.cost.objective)
    searched, certified = prove_optimality(told), prove_optimality(told, certificate=data)
    for proof in (searched, certified):
        assert (proof.proved, proof.findings) == (True, ())
        assert proof.gap == pytest.approx(1 - found.cost.objective / told.cost.objective)
    assert (certified.parts.certified, certified.parts.linear, certified.parts.proved) == (True, 1, 0)


def test_a_ranked_objective_that_could_be_smaller_is_found_out() -> None:
    """The plan of cost alone, told as that of ranked objectives, with a first objective that is said not to come lower."""
    honest, cheap = ranked(), ranked(objectives=())
    x, largest = cheap.session.solution.x, max(float(line.quantity) for line in cheap.plan.plan.purchases)
    goals = compile_program(honest.plan.problem).goals
    padded = (np.concatenate([x, np.full(len(goal.cost) - len(x), largest)]) for goal in goals)
    values = [Decimal(repr(float(goal.cost @ one))) for goal, one in zip(goals, padded, strict=True)]
    levels = zip(honest.plan.plan.levels, values, strict=True)
    told = cheap.plan.plan.but(levels=tuple(level.but(best_value=v, bound=v, max_value=v) for level, v in levels))
    (finding,) = prove_optimality(verify(honest.plan.problem, told)).findings
    assert finding.message.startswith("objective 1, shortage of defense, at its price")
    assert (finding.code, finding.expected) == ("FS938", "at most USD 0.00")


def test_a_conflict_that_is_none_is_found_out() -> None:
    """Nothing planned, and a rule named that is said to conflict: there is a plan that keeps it."""
    found = planned(case(demand("metal", "civil", 100)), metals(), rule(Pin, offer="au-metal", at_least=30))
    named = Infeasible(materials=("metal",), demands=("metal-civil",), rules=("pin",))
    short = Short(demand="metal-civil", period=0, quantity=Decimal(100))
    told: dict[str, Any] = {"objective": Decimal(0), "bound": Decimal(0), "shorts": (short,), "infeasible": (named,)}
    forged = Plan(status=PlanStatus.INFEASIBLE, **told)
    (finding,) = prove_optimality(verify(found.plan.problem, forged)).findings
    assert (finding.code, finding.found) == ("FS937", "pin")


def test_a_conflict_that_is_named_excuses_nothing_that_is_planned() -> None:
    """A cap of 30 kg from Australia, and 40 bought: the cap is said to be in conflict, and is asked all the same."""
    capped = rule(Pin, id="cap", offer="au-metal", at_most=30)
    honest = planned(case(demand("metal", "civil", 40)), metals(cn=10), capped)
    assert honest.run.status is PlanStatus.OPTIMAL
    free = planned(case(demand("metal", "civil", 40)), metals(cn=0)).plan.plan
    named = Infeasible(materials=("metal",), demands=(), rules=("cap",))
    forged = free.but(status=PlanStatus.INFEASIBLE, infeasible=(named,))
    with pytest.raises(VerificationError, match="FS630 rule `cap`"):
        verify(honest.plan.problem, forged)


def test_a_conflict_beside_one_that_is_proved_is_not() -> None:
    """Each conflict that is named has to be proved: a material of no such part is not left unplanned in its name."""
    found = conflicting()
    assert found.run.status is PlanStatus.INFEASIBLE
    (honest,) = found.plan.plan.infeasible
    proof = prove_optimality(found.plan)
    assert (proof.conflicts, proof.proved, proof.findings) == ((honest,), False, ())
    assert "rules provably conflict" in proof.text
    more = honest.but(rules=(*honest.rules, "house-ban"), materials=("metal", "salt"))
    proof = prove_optimality(verify(found.plan.problem, found.plan.plan.but(infeasible=(honest, more))))
    assert proof.conflicts == (honest,)
    assert "which is unproved" in proof.text


def test_any_multipliers_give_a_bound_that_holds() -> None:
    """Whatever is given for duals, and however large, no bound lies above the optimum of the program."""
    dice = Random(1)
    found = with_minima()
    linear = compile_program(found.plan.problem).linear
    best = relaxation(linear, Watch())
    assert best.duals is not None
    exact, upper = ExactProgram(linear), implied_upper(linear, float(found.cost.objective))
    for size in (0.0, 1e-9, 0.1, 1.0, 1e6) * 5:
        bound = exact.bound(
            best.duals + size * np.array([dice.uniform(-1, 1) for _ in best.duals]), linear.lower, upper
        )
        assert bound is not None
        assert bound <= Fraction(best.objective) * (1 + Fraction(1, 10**12))


def program(cost: list[float], rows: list[list[float]], lower: list[float], upper: list[float]) -> Linear:
    """A program of columns from 0 on, by the ends of its rows."""
    return Linear(
        cost=np.array(cost),
        lower=np.zeros(len(cost)),
        upper=np.full(len(cost), np.inf),
        integer=np.zeros(len(cost), dtype=bool),
        entries=Entries.of(sp.csr_matrix(np.array(rows))),
        row_lower=np.array(lower),
        row_upper=np.array(upper),
    )


@pytest.mark.parametrize(("cost", "bound"), [(1.0, Fraction(1, 3)), (0.1, Fraction(1, 30))])
def test_the_bound_is_exact_for_fractions_that_doubles_cannot_hold(cost: float, bound: Fraction) -> None:
    """Cost 1 for 3 units a row that asks for 1: a third, and not the double beside it."""
    linear = program([cost], [[3.0]], [1.0], [np.inf])
    assert ExactProgram(linear).bound(np.array([cost / 3]), linear.lower, linear.upper) == bound


def test_a_column_without_a_limit_is_limited_by_what_plans_cost() -> None:
    """Where neither the column nor a row limits it, no plan that is cheap enough has more of it than its price allows."""
    upper = implied_upper(program([2.0, 1.0], [[1.0, 1.0], [0.0, 1.0]], [5.0, -np.inf], [np.inf, 3.0]), 20.0)
    assert upper == pytest.approx([10.0, 3.0])
    assert (upper >= [10.0, 3.0]).all()


def test_a_program_too_large_for_exact_arithmetic_is_left_unproved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded: what would not fit is said not to be checked."""
    monkeypatch.setattr("friendshore_proof.proving.MAX_ENTRIES", 3)
    proof = prove_optimality(plain().plan)
    assert not proof.proved
    assert "coefficients, too many" in proof.text


@pytest.mark.deep
def test_a_hard_case_is_told_within_its_limits() -> None:
    """One component that takes minutes: what is proved within the limits holds, and the claim stands beside it."""
    found = planned(*hard_case(offers=12, periods=4), time_limit=10)
    proof = prove_optimality(found.plan, seconds=5)
    assert proof.bound is None or proof.bound <= Fraction(found.cost.objective)
    assert proof.findings == ()


# ---------------------------------------------------------------------------------------------------------- certificates


def certificate_of(found: Recommendation) -> dict[str, Any]:
    """Its certificate, as read."""
    text = OptimalityCheck().evidence(found.session)
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
    assert "rules provably conflict" in proof.text
    assert proof.conflicts == found.plan.plan.infeasible
    empty = next(part for part in data["claims"][0]["parts"] if part is not None)
    empty["tree"] = [["empty", 1, []]]
    (finding,) = prove_optimality(found.plan, certificate=data).findings
    assert (finding.code, "claims to have no plan" in finding.message) == ("FS936", True)


@pytest.mark.parametrize(
    "change",
    [
        lambda part: part.update(bound=str(Decimal(part["bound"]) + 1)), lambda part: part.update(value=str(Decimal(part["value"]) / 2)),
        lambda part: part["tree"][0].__setitem__(1, 2 * part["tree"][0][1]), lambda part: part["tree"].__setitem__(0, ["leaf", 1, []]),
    ],
    ids=["bound", "value", "multiplier", "leaf"],
)  # fmt: skip
def test_a_bound_that_is_not_proved_is_found(change: Callable[[dict[str, Any]], object]) -> None:
    """Each changed by itself: the certificate does not hold, and the run with it."""
    found = plain()
    data = certificate_of(found)
    change(first_part(data))
    proof = prove_optimality(found.plan, certificate=data)
    assert (proof.proved, len(proof.findings) > 0) == (False, True)
    assert all(one.code == "FS936" for one in proof.findings)


def finding(found: Recommendation, data: dict[str, Any], field: str, change: Callable[[list[Any]], object]) -> str:
    """What is found of the certificate once a field of its first part is changed."""
    changed = deepcopy(data)
    change(first_part(changed)[field])
    (one,) = prove_optimality(found.plan, certificate=changed).findings
    return one.message


def test_a_tree_that_leaves_something_out_is_none() -> None:
    """Leaves missing or left over, splits of what is no integer column, rows named twice: each is refused in words."""
    found = with_minima()
    honest = certificate_of(found)
    changes: dict[str, list[Callable[[list[Any]], object]]] = {
        "a leaf is missing": [lambda tree: tree.pop()],
        "a leaf is left over": [lambda tree: tree.append(tree[-1])],
        "cannot be split": [lambda tree: tree.insert(0, ["split", 10**6, 0])],
        "neither a split nor a leaf": [lambda tree: tree[0].__setitem__(0, "twig")],
        "one for each": [lambda tree: tree[-1].__setitem__(2, [[0, 1], [0, 1]])],
        "isn't a valid whole number": [
            lambda tree: tree[-1].__setitem__(1, 0),
            lambda tree: tree[-1].__setitem__(1, True),
        ],
        "too large": [lambda tree: tree[-1].__setitem__(2, [[0, 10**400]])],
    }
    for words, each in changes.items():
        for change in each:
            assert words in finding(found, honest, "tree", change)


def test_a_cut_that_follows_from_nothing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cuts are worked out from their multipliers: of rows that there are, of those before it, and of columns with an end to count from."""
    monkeypatch.setattr("friendshore_proof.search.BEFORE_CUTS", 0)
    found = with_minima()
    honest = certificate_of(found)
    assert first_part(honest)["cuts"]
    quiet(monkeypatch)
    changes: list[tuple[str, Callable[[list[Any]], object]]] = [
        ("but proves nothing", lambda cuts: cuts[0].__setitem__(1, [[10**6, 1]])),
        ("isn't a cut", lambda cuts: cuts[0].pop()),
        ("isn't a valid whole number", lambda cuts: cuts[0].__setitem__(0, 0)),
        ("one for each", lambda cuts: cuts[0].__setitem__(1, [[1, 1], [0, 1]])),
        ("but proves", lambda cuts: cuts[0].__setitem__(1, [[0, 1]])),
    ]
    for words, change in changes:
        assert words in finding(found, honest, "cuts", change)


@pytest.mark.parametrize(
    "data",
    [{}, {"format": 2, "claims": []}, {"format": 1}, {"format": 1, "claims": [[]]}, {"format": 1, "claims": [{"parts": 1}]}],
)  # fmt: skip
def test_what_is_no_certificate_is_found(data: dict[str, Any]) -> None:
    """Another form than it has: said, and nothing proved."""
    proof = prove_optimality(plain().plan, certificate=data)
    assert (proof.proved, len(proof.findings)) == (False, 1)


def test_a_certificate_of_other_numbers_is_no_mistake_of_the_run() -> None:
    """Where another version compiles another program its multipliers prove what they prove, and the rest is searched."""
    found = plain()
    data = certificate_of(found)
    data["claims"][0]["program"] = "0" * 32
    first_part(data).update(tree=[["leaf", 1, []]], cuts=[[1, [[10**6, 1]], []]])
    proof = prove_optimality(found.plan, certificate=data)
    assert (proof.proved, proof.findings, proof.parts.certified) == (True, (), False)


def test_a_bound_of_a_dearer_plan_is_not_enough() -> None:
    """A certificate of too little beside a claim of more: a search is made all the same, and proves it."""
    found = with_minima()
    data = certificate_of(found)
    first_part(data).update(tree=[["leaf", 1, []]], bound="0")
    proof = prove_optimality(found.plan, certificate=data)
    assert (proof.proved, proof.parts.certified) == (True, False)
    assert proof.bound is not None
    assert proof.bound <= Fraction(found.cost.objective)
