"""A certificate proves a bound without a solver; one that was changed proves less, or says itself that it is none."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from friendshore.domain.plan import PlanStatus
from friendshore.program import compile_program
from friendshore.proof import Proof, prove_optimality
from friendshore.proof.certificate import name_of
from friendshore.recommend import Recommendation
from friendshore.rules.kinds.limits import Pin
from friendshore.verify import verify

from ..building import case, catalog, demand, facility, metals, planned, rule, source
from .test_proof import RANKED, dearer, plain, with_minima


def ranked() -> Recommendation:
    """Two demands under two ranked objectives before cost."""
    given = case(demand("metal", "civil", 100, price=60), demand("metal", "defense", 40, price=20), objectives=RANKED)
    return planned(given, metals(cn=60, au=70))


def conflicting() -> Recommendation:
    """60 kg at least from a seller that may sell 45."""
    facts = catalog(facility("cn", "CN"), facility("au", "AU", 45), source("CN", 10), source("AU", 50))
    return planned(case(demand("metal", "civil", 100)), facts, rule(Pin, offer="au-metal", at_least=60))


def certificate_of(found: Recommendation) -> dict[str, Any]:
    """Its certificate, as read."""
    text = found.certificate()
    assert text is not None
    return dict(json.loads(text))


def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on no relaxation may be solved."""
    monkeypatch.setattr("friendshore.proof.tree.relaxation", lambda *_: pytest.fail("a solver was asked"))


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
    monkeypatch.setattr("friendshore.proof.tree.BEFORE_CUTS", 0)
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
