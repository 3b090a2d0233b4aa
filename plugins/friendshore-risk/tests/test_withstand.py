"""`withstand`: a published optimum, the worked case as a planner asks it, names that mean nothing, and proofs that were tampered with."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import combinations, product
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from friendshore.cli.app import app
from friendshore.document.excerpts import LINES
from friendshore.document.terminal import plain_text
from friendshore.domain.plan import Plan
from friendshore.errors import InputError, OutOfTimeError, VerificationError
from friendshore.program.matrix import Entries, Floats, Linear
from friendshore.recommend import reopen
from friendshore.session import Session
from friendshore.solve import NO_LIMITS, AnswerCache, SolverAnswer, optimum
from friendshore_risk.losses import default_losses, named_losses
from friendshore_risk.robust import RobustProgram, RobustScenario, Solver, WorseScenario, solve_robust
from friendshore_risk.withstand import checked_document, withstand_document
from friendshore_risk.withstand_recheck import check_proof
from friendshore_risk.withstand_search import (
    CertifiedBound,
    ProvedComponent,
    ProvedPart,
    WithstandProof,
    certified_lower_bound,
    proved_lower_bound,
    read_proof,
    withstand,
    write_proof,
)

from .small import Seller, opened

CASES = Path(__file__).parents[3] / "docs" / "cases"
RUN = CliRunner()


class ListedScenarios:
    """Search that checks every scenario of a list, such as the vertices of a polyhedron.

    If the scenario only appears on the right-hand sides of rows, the objective is a convex function of it, and its maximum is at a vertex.
    """

    def __init__(self, robust: RobustProgram, scenarios: Sequence[RobustScenario], solve: Solver) -> None:
        self.robust, self.scenarios, self.solve = robust, scenarios, solve

    def scenario(self, key: int) -> RobustScenario:
        return self.scenarios[key]

    def worst(self, x: Floats, accounted: float, regret: float) -> list[WorseScenario[int]]:
        early_cost = float(self.robust.linear.cost @ np.where(self.robust.shared, x, 0.0)) + self.robust.linear.constant
        worse_scenarios = []
        for number, scenario in enumerate(self.scenarios):
            answer = self.solve(self.robust.after(x, scenario.with_more(regret)))
            cost = float("inf") if answer.x is None else answer.objective - early_cost
            worse_scenarios.append(WorseScenario(number, cost - accounted))
        return sorted(worse_scenarios, key=lambda each: (-each.violation, each.key))


def solve(linear: Linear) -> SolverAnswer:
    """With the engines that plans are solved with."""
    return optimum(linear, NO_LIMITS, None, AnswerCache())


def vertices() -> list[tuple[float, ...]]:
    """Those of 0 <= g <= 1, g1 + g2 + g3 <= 1.8, g1 + g2 <= 1.2: where three of the limits hold as equations."""
    limits = [(*row, end) for row, end in zip(np.eye(3).tolist() * 2, [0] * 3 + [1] * 3, strict=True)]
    limits += [[1, 1, 1, 1.8], [1, 1, 0, 1.2]]
    found = set()
    for three in combinations(limits, 3):
        rows, ends = np.array([each[:3] for each in three]), np.array([each[3] for each in three])
        if abs(np.linalg.det(rows)) > 1e-9:
            g = np.linalg.solve(rows, ends)
            if (g > -1e-9).all() and (g < 1 + 1e-9).all() and g.sum() < 1.8 + 1e-9 and g[:2].sum() < 1.2 + 1e-9:
                found.add(tuple(np.round(g, 9) + 0.0))
    return sorted(found)


def location_transport() -> tuple[RobustProgram, list[RobustScenario]]:
    """Zeng and Zhao (2013), section 4: three facilities are opened and sized before three customers' demand, in a budget, is known."""
    demand, more, three, nothing = np.array([206, 274, 220]), 40, np.eye(3), np.zeros((3, 3))
    matrix = np.block(
        [
            [-800 * three, three, np.zeros((3, 9))],
            [nothing, -three, np.kron(three, np.ones(3))],
            [np.zeros((1, 3)), np.ones((1, 3)), np.zeros((1, 9))],  # enough in any case, as the paper has it
            [nothing, nothing, np.tile(three, 3)],
        ]
    )
    linear = program(
        [400, 414, 326, 18, 25, 20, 22, 33, 24, 33, 23, 30, 20, 25, 27], [1.0] * 3 + [800] * 3 + [np.inf] * 9,
        [True] * 3 + [False] * 12, matrix, [*[-np.inf] * 6, demand.sum() + 1.8 * more, *demand], [0.0] * 6 + [np.inf] * 4,
    )  # fmt: skip
    scenarios = [
        RobustScenario(linear.upper, np.append(linear.row_lower[:-3], demand + more * np.array(g)), linear.row_upper)
        for g in vertices()
    ]
    return RobustProgram(linear, np.arange(15) < 6, worst=True), scenarios


def program(cost: Any, upper: Any, integer: Any, matrix: Floats, least: Any, most: Any) -> Linear:
    """A program whose columns begin at 0."""
    at, column = np.nonzero(matrix)
    entries = Entries.summed(at, column, matrix[at, column], matrix.shape)
    cost, upper, least, most = (np.array(some, dtype=float) for some in (cost, upper, least, most))
    return Linear(cost, np.zeros(len(cost)), upper, np.array(integer), entries, least, most)


def test_the_published_location_transport_problem_by_its_iterations() -> None:
    """33,680, with the bounds that Zeng and Zhao print: 14,296 and 35,238 at first, then both the optimum."""
    robust, scenarios = location_transport()
    assert len(scenarios) == 12
    robust_plan = solve_robust(robust, ListedScenarios(robust, scenarios, solve), solve, tolerance=1e-6, max_added=4)
    assert robust_plan.proved
    assert [tuple(round(bound, 3) for bound in each) for each in robust_plan.bounds] == [(14296, 35238), (33680, 33680)]
    assert abs(robust_plan.objective - 33680) < 1e-6 * 33680


def test_one_scenario_a_round_comes_to_the_same_optimum() -> None:
    """The second master has several cheapest first stages, of which one is worse by 16 in its worst scenario: a third round tells them apart."""
    robust, scenarios = location_transport()
    robust_plan = solve_robust(robust, ListedScenarios(robust, scenarios, solve), solve, tolerance=1e-6)
    lower = [round(bound, 3) for bound, _ in robust_plan.bounds]
    assert lower == sorted(lower)
    assert [round(value, 3) for value in robust_plan.bounds[-1]] == [33680, 33680]


def test_no_first_stage_of_the_published_problem_is_better_in_its_worst_case() -> None:
    """Every choice of facilities alone, with all vertices in one program: the same optimum."""
    robust, scenarios = location_transport()
    best = []
    for chosen in product((0, 1), repeat=3):
        upper = np.array([*chosen, *robust.linear.upper[3:]])
        fixed = RobustProgram(replace(robust.linear, upper=upper), robust.shared, worst=True)
        best.append(solve(fixed.master(scenarios)).objective)
    assert abs(min(best) - 33680) < 0.04


@pytest.fixture(scope="module")
def us_2027() -> Session:
    """The worked case, solved."""
    return reopen(CASES / "us-2027").session


@pytest.fixture(scope="module")
def session(first: Path) -> Session:
    """The same, solved."""
    return reopen(first).session


def test_losses_that_are_withstood_are_told_with_their_price_and_others_with_what_is_short(first: Path) -> None:
    """Nobody takes the place of who sends gallium from Canada: what is short of which demand, from when, and after which loss."""
    words = [
        "--losses",
        "1",
        "--lose",
        "country:CN",
        "--lose",
        "route:CA>US",
        "--from",
        "2027-Q1",
        "--react",
        "3 months",
    ]
    result = RUN.invoke(app, ["withstand", str(first), "--quiet", *words], env={"COLUMNS": "100"})
    assert result.exit_code == 0, result.output
    text = " ".join(result.stdout.split())
    for part in (
        "Any one of 2 possible losses from 2027-01-01 on causes no additional shortage beyond what no plan can avoid",
        "as much cash as the current plan, at other times (present value +USD 23,690)",
        "1 1 of 2 – +23,690 China",
        "radar 740 kg 2027-Q2 to 2027-Q3 the route from Canada to the United kwinana-gallium States",
        "all 3 combinations checked",
    ):
        assert part in text


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--lose", "country:XX", "--lose", "quebec-galium"), ("country:XX", "did you mean `quebec-gallium`?")),
        (("--react", "soon"), ("soon",)),
        (("--check", "some.json"), ("some.json",)),
        (("--out", "some.json"), ("some.json",)),
    ],
)
def test_what_cannot_be_asked_is_refused(
    first: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], told: tuple[str, ...]
) -> None:
    """Names that take nothing away, all at once; times that are none; a file that is no proof, which is not written over."""
    monkeypatch.chdir(tmp_path)
    Path("some.json").write_text('{"format": 1, "losses": "CN"}')
    result = RUN.invoke(app, ["withstand", str(first), "--quiet", *words])
    assert result.exit_code == 2
    assert all(part in result.stderr for part in told)


def test_the_command_writes_a_proof_and_checks_it(first: Path, tmp_path: Path) -> None:
    """`--out` is the question's own option here, not the file of the answer."""
    proof = tmp_path / "proof.json"
    words = ["withstand", str(first), "--quiet", "--losses", "1", "--lose", "country:CN"]
    written = RUN.invoke(app, [*words, "--out", str(proof)])
    assert written.exit_code == 0, written.output
    checked = RUN.invoke(app, ["withstand", str(first), "--quiet", "--check", str(proof)])
    assert checked.exit_code == 0, checked.output


WORDS = ("country:CN", "country:CA", "supplier:Example Alumina", "route:CA>US")


@pytest.fixture(scope="module")
def proof(session: Session) -> WithstandProof:
    """That it withstands any two of four losses, but for what no mix avoids."""
    return withstand(session, named_losses(session, WORDS), 2, react=Decimal(6), certify=True).proof


def test_a_proof_holds_as_it_was_written_and_read_back(session: Session, proof: WithstandProof, tmp_path: Path) -> None:
    """All 11 combinations are enumerated again, and the least cost is found again."""
    write_proof(proof, tmp_path / "proof.json")
    checked = check_proof(session, read_proof(tmp_path / "proof.json"))
    assert (checked.combinations, checked.proved, checked.same_facts) == (11, True, True)
    assert checked.not_withstood == proof.not_withstood > 0
    assert abs(checked.extra - checked.lower_bound) < Decimal("1e-5") * checked.extra


def test_a_proof_that_was_written_before_the_facts_changed_says_so(session: Session, proof: WithstandProof) -> None:
    """A source with another note changes no plan: what holds is said of the case as it is."""
    catalog, *others = session.inputs.catalogs
    changed = replace(session.inputs, catalogs=(catalog.but(note="read again"), *others))
    checked = check_proof(Session.open(changed, NO_LIMITS), proof)
    assert not checked.same_facts
    assert checked.extra == proof.extra
    assert "the facts have changed since the proof was written" in plain_text(checked_document(checked), 500)


def _richer(plan: Plan, session: Session) -> Plan:
    """The same plan with a purchase of one kilogram more."""
    first, *rest = plan.purchases
    return plan.but(purchases=(first.but(quantity=first.quantity + 1), *rest))


FORGERIES: dict[str, Callable[[ProvedPart, Session], ProvedPart]] = {
    "a plan that follows nothing is left out": lambda part, _: part.but(after=part.after[:1]),
    "all that follows is left out": lambda part, _: part.but(after=()),
    "another purchase in the first plan": lambda part, session: part.but(first=_richer(part.first, session)),
    "another purchase in what follows": lambda part, session: part.but(
        after=(*part.after[:-1], _richer(part.after[-1], session))
    ),
    "the plan as it is in place of the one that withstands": lambda part, session: part.but(
        first=session.part_plan(frozenset(part.materials)).plan
    ),
    "a bound by no losses at all": lambda part, _: _each(part, lambda one: one.but(held=())),
    "a bound by losses that do not touch it": lambda part, _: _each(
        part, lambda one: one.but(held=tuple(each.but(losses=(99,)) for each in one.held))
    ),
    "a least cost of next to nothing": lambda part, _: _each(
        part, lambda one: one.but(cost=one.cost and one.cost.but(value=Decimal(1)))
    ),
    "another part": lambda part, _: part.but(materials=("nothing",)),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_proof_that_was_tampered_with_is_refuted(name: str, session: Session, proof: WithstandProof) -> None:
    """In the only part that there is."""
    forged = proof.but(parts=(*proof.parts[:-1], FORGERIES[name](proof.parts[-1], session)))
    with pytest.raises(VerificationError):
        check_proof(session, forged)


def _each(part: ProvedPart, change: Callable[[ProvedComponent], ProvedComponent]) -> ProvedPart:
    return part.but(components=tuple(map(change, part.components)))


def _without_multipliers(given: CertifiedBound) -> CertifiedBound:
    return given.but(certificate=re.sub(r'"leaf", ?\d+, ?\[.*\]\]', '"leaf",1,[]]', given.certificate))


WEAKER: dict[str, Callable[[ProvedComponent], ProvedComponent]] = {
    "the least cost has no certificate": lambda one: one.but(cost=None),
    "that of the least cost proves nothing": lambda one: one.but(cost=one.cost and _without_multipliers(one.cost)),
    "that is no certificate": lambda one: one.but(cost=one.cost and one.cost.but(certificate="[1]")),
    "less may be missing than any plan leaves short": lambda one: one.but(
        held=tuple(each.but(allowed=each.allowed - 1) for each in one.held)
    ),
    "what is unavoidable has no certificate": lambda one: one.but(unavoidable=()),
    "those of what is unavoidable prove nothing": lambda one: one.but(
        unavoidable=tuple(each.but(bound=each.bound and _without_multipliers(each.bound)) for each in one.unavoidable)
    ),
}


@pytest.mark.parametrize("name", WEAKER)
def test_a_proof_whose_certificates_prove_less_is_not_said_to_be_proved(
    name: str, session: Session, proof: WithstandProof
) -> None:
    """It is true all the same: a solver says so once more, and the answer says that it does."""
    checked = check_proof(session, proof.but(parts=tuple(_each(part, WEAKER[name]) for part in proof.parts)))
    assert not checked.proved
    assert (checked.extra, checked.not_withstood) == (proof.extra, proof.not_withstood)


@given(st.data())
@settings(max_examples=25, deadline=None, derandomize=True)
def test_no_certificate_proves_more_than_the_optimum_whatever_it_states(data: st.DataObject) -> None:
    """Small mixed-integer programs: its own certificate proves the optimum, and one of other numbers no more."""
    dice = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    rows, columns = int(dice.integers(1, 4)), int(dice.integers(1, 5))
    matrix = dice.integers(-3, 4, (rows, columns)).astype(float)
    matrix[~matrix.any(axis=1), 0] = 1.0  # nothing is proved by a row without entries
    linear = program(
        dice.integers(0, 9, columns), dice.choice([4.0, 7.5, np.inf], columns), dice.random(columns) < 0.3,
        matrix, dice.integers(-4, 6, rows), np.full(rows, np.inf),
    )  # fmt: skip
    answer = solve(linear)
    least = np.inf if answer.x is None else answer.objective
    honest = certified_lower_bound(linear, least, None)
    assert proved_lower_bound(linear, honest) == pytest.approx(least, rel=1e-8, abs=1e-6)
    value = data.draw(st.one_of(st.none(), st.integers(0, 100).map(Decimal)))
    digits = iter(dice.integers(0, 9, 10_000).tolist())
    other = re.sub(r"(?<=\[)-?\d+(?=,)|(?<=,)-?\d+(?=\])", lambda _: str(next(digits)), honest.certificate)
    for certificate in (honest.certificate, other):
        assert proved_lower_bound(linear, CertifiedBound(value=value, certificate=certificate)) <= least + 1e-6


@pytest.mark.parametrize(
    "said",
    [{"extra": Decimal(0)}, {"not_withstood": 0}, {"max_losses": 3}, {"reacts": 4}, {"case": "another"}],
    ids=lambda said: next(iter(said)),
)
def test_a_proof_that_claims_more_than_it_proves_is_refuted(
    said: dict[str, Any], session: Session, proof: WithstandProof
) -> None:
    """A lower price, everything withstood, three losses in the place of two, no time needed to react, another case: plans to that are not there."""
    with pytest.raises(VerificationError):
        check_proof(session, proof.but(**said))


def test_where_the_plan_ends_before_there_is_time_to_react_only_what_is_there_helps(session: Session) -> None:
    """Stock and orders placed: to withstand a loss costs more than where anything can be ordered at once."""
    losses = named_losses(session, ("country:CN",))
    at_once, never = (withstand(session, losses, 1, react=Decimal(months)) for months in (0, 60))
    assert at_once.reacts == at_once.start
    assert never.reacts is None
    assert never.curve[1].extra.value > at_once.curve[1].extra.value >= 0


@pytest.mark.nightly
def test_any_two_of_thirty_losses_of_us_2027_are_withstood_and_all_pairs_enumerated(us_2027: Session) -> None:
    """435 pairs, 30 alone and none: each is followed by a verified plan, and what no mix avoids names its losses; the answer is one screen, and its proof holds."""
    losses, left_out = default_losses(us_2027, max_count=30)
    answer = withstand(us_2027, losses, 2, react=Decimal(6), left_out=left_out)
    assert [point.combinations for point in answer.curve] == [1, 31, 466]
    extra = [point.extra.value for point in answer.curve]
    assert extra == sorted(extra)
    assert all(point.extra.proved for point in answer.curve)
    short = {one.losses: {each.demand for each in one.short} for one in answer.not_withstood}
    assert {("China, antimony",), ("CN",)} <= short.keys()
    for pair, demands in short.items():
        for name in pair if len(pair) > 1 else ():
            assert not short.get((name,), set()) & demands
    lines = plain_text(withstand_document(answer, 12), 100, max_lines=LINES).splitlines()
    assert len(lines) <= LINES
    assert "all 466 combinations checked" in " ".join(lines)
    checked = check_proof(us_2027, answer.proof)
    assert checked.combinations == 466
    assert checked.not_withstood == answer.curve[2].not_withstood


@pytest.mark.deep
def test_a_suspension_that_ends_bars_what_arrives_from_then_on_and_its_proof_turns_on_the_rule(
    us_2027: Session,
) -> None:
    """China's suspended control of minerals: germanium is short. Who leaves the rule out of the proof's losses, or has other plans follow it, is refuted."""
    losses = named_losses(us_2027, ("rule:cn-46-2-minerals", "country:KR"))
    answer = withstand(us_2027, losses, 2, react=Decimal(6))
    assert ("the suspension of Gallium, germanium and antimony to the United States",) in {
        one.losses for one in answer.not_withstood
    }
    assert check_proof(us_2027, answer.proof).combinations == 4
    as_things_are = [us_2027.part_plan(frozenset(part.materials)).plan for part in answer.proof.parts]
    parts = [part.but(after=(plan,)) for part, plan in zip(answer.proof.parts, as_things_are, strict=True)]
    with pytest.raises(VerificationError):
        check_proof(us_2027, answer.proof.but(parts=tuple(parts)))


def test_a_rule_of_origin_is_no_loss_and_the_answer_says_where_to_ask() -> None:
    """Stock on the day could serve some uses and not others, which `risk` distinguishes before."""
    given = opened(
        [Seller("CN", 10), Seller("AU", 50)], {"civil": [5, 5], "defense": [5, 5]}, {"civil": 90, "defense": 90}, 1
    )
    with pytest.raises(InputError, match="FS981") as caught:
        withstand(given, named_losses(given, ("rule:ban",)), 1)
    assert "event of `risk`" in caught.value.problems[0].fix


@pytest.mark.deep
def test_a_rule_that_does_more_than_bar_what_crosses_a_border_is_refused(us_2027: Session) -> None:
    """A tariff makes dearer what arrives: that is no loss."""
    with pytest.raises(InputError, match="FS981"):
        withstand(us_2027, named_losses(us_2027, ("rule:tariff-145",)), 1)


def test_where_the_search_is_ended_what_was_settled_until_then_is_told(session: Session) -> None:
    """Ended while any two losses are looked at: any one is told; ended before anything is settled, nothing is answered."""
    cancel = Event()
    stopping = replace(session, cancel=cancel, answers=AnswerCache())

    def progress(done: int, total: int, _: float) -> None:
        if done > total * 2 // 3:
            cancel.set()

    answer = withstand(stopping, named_losses(session, WORDS), 2, progress=progress)
    assert [point.losses for point in answer.curve] == [0, 1]
    assert answer.proof.max_losses == 1
    with pytest.raises(OutOfTimeError):
        withstand(stopping, named_losses(session, WORDS), 2)
