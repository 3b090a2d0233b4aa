"""Pages that plan anew: what their levers do to the program is what a change of the case does."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from base64 import b64decode
from collections.abc import Callable
from decimal import Decimal
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import LinearConstraint, milp
from scipy.sparse import csr_matrix

from friendshore.document.terminal import plain_text
from friendshore.errors import InputError
from friendshore.recommend import Opened, reopen
from friendshore_interactive.levers import ALL, PageLevers, find_levers, numbers
from friendshore_interactive.page import page
from friendshore_interactive.question import Interactive, InteractiveQuestion, NoOptions

ROOT = Path(__file__).parents[3]
DUTY = '[[rule]]\nkind = "tariff"\nid = "duty"\nrate = "10 %"\norigins = ["AU"]\n'
FACTORS = [
    pytest.param(Decimal(text), marks=() if text == "0.3" else pytest.mark.deep)
    for text in ("0", "0.3", "0.91", "1.7", "4")
]


@pytest.fixture(scope="module")
def recipes(recipes_without_choices: Callable[..., Opened], tmp_path_factory: pytest.TempPathFactory) -> Opened:
    """A case of several stages, outputs and a circle."""
    return recipes_without_choices(tmp_path_factory.mktemp("recipes"))


@pytest.fixture(scope="module")
def answer(recipes: Opened) -> Interactive:
    """What its page is made of."""
    return InteractiveQuestion().ask(recipes, NoOptions(), None)


@pytest.fixture(scope="module")
def levers(answer: Interactive) -> PageLevers:
    """The levers of the case as it is."""
    return answer.situations[0].levers


def optimum(found: PageLevers, moved: np.ndarray, gone: list[int]) -> float:
    """Of the program whose numbers are those, without some columns."""
    linear = found.linear
    columns, rows = len(linear.cost), len(linear.row_lower)
    cost, lower, upper, row_lower, row_upper, values = np.split(
        moved, np.cumsum([columns, columns, columns, rows, rows])
    )
    upper[gone] = 0
    matrix = csr_matrix((values, linear.entries.indices, linear.entries.indptr), linear.entries.shape)
    found_by = milp(cost, constraints=LinearConstraint(matrix, row_lower, row_upper), bounds=(lower, upper))
    assert found_by.success, found_by.message
    return float(found_by.fun)


def test_the_program_of_a_page_has_the_plan_s_optimum(recipes: Opened, levers: PageLevers) -> None:
    """Upper ends that only follow from what is wanted are left out; the optimum stays."""
    assert optimum(levers, numbers(levers.linear), []) == pytest.approx(
        float(recipes.session.verified.cost.objective), rel=1e-6
    )


@pytest.mark.parametrize("factor", FACTORS, ids=str)
def test_every_lever_comes_to_what_the_same_change_of_the_case_comes_to(
    recipes: Opened, levers: PageLevers, factor: Decimal
) -> None:
    """Prices, capacities, demand, losses and rules, one by one."""
    base = numbers(levers.linear)
    assert {lever.kind for lever in levers.levers} >= {"price", "capacity", "demand", "remove"}
    for lever in levers.levers:
        found = optimum(levers, base + lever.moves(factor, len(base)), lever.columns.tolist())
        expected = float(recipes.session.after(lever.change(factor)).cost.objective)
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-3), (lever.kind, lever.name)


@pytest.mark.deep
def test_levers_taken_together_come_to_what_the_changes_together_come_to(recipes: Opened, levers: PageLevers) -> None:
    """All pairs that are not kept apart, at sizes at which none was tried out."""
    base = numbers(levers.linear)
    pairs = [
        (i, j)
        for i in range(len(levers.levers))
        for j in range(i)
        if (j, i) not in levers.apart and (i, j) not in levers.apart
    ]
    for i, j in pairs[::3]:
        one, other = levers.levers[i], levers.levers[j]
        moved = base + one.moves(Decimal("1.3"), len(base)) + other.moves(Decimal("0.6"), len(base))
        found = optimum(levers, moved, [*one.columns.tolist(), *other.columns.tolist()])
        changes = one.change(Decimal("1.3")), other.change(Decimal("0.6"))
        assert found == pytest.approx(float(recipes.session.after(*changes).cost.objective), rel=1e-6, abs=1e-3)


def test_a_price_and_the_duty_that_is_a_share_of_it_are_kept_apart(
    recipes_without_choices: Callable[..., Opened], tmp_path: Path
) -> None:
    """What the two do to a cost is a product, and does not add up."""
    session = recipes_without_choices(tmp_path, DUTY).session
    found = find_levers(session.inputs, session.program, ALL, lambda done, of: None)
    apart = {frozenset((found.levers[a].kind, found.levers[b].kind)) for a, b in found.apart}
    assert frozenset(("price", "disable")) in apart


def test_a_case_with_integer_decisions_has_no_page() -> None:
    """That is the answer, and asked for the page it is refused, with what answers in its place."""
    question = InteractiveQuestion()
    found = question.ask(reopen(ROOT / "docs/cases/small/orders"), NoOptions(), None)
    assert "integer decisions" in plain_text(question.document(found, NoOptions()), 100)
    with pytest.raises(InputError, match="integer decisions"):
        question.text(found, NoOptions())


def test_a_page_needs_no_network_and_is_the_same_each_time(answer: Interactive) -> None:
    """Its policy lets nothing be loaded, and nothing in it names a place to load from."""
    text = page(answer)
    assert text == page(answer)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    assert policy[1].startswith("default-src &#x27;none&#x27;; ") or policy[1].startswith("default-src 'none'; ")
    assert "worker-src blob:" in policy[1]
    assert not re.search(r'(?:src|href)="(?!#)', text)
    held = re.search(r'id="plan-anew-data"[^>]*>([^<]*)<', text)
    assert held is not None
    data = json.loads(gzip.decompress(b64decode(held[1])))
    assert data["plan"]["objective"] == float(answer.session.verified.cost.objective)


def test_the_solver_is_the_one_that_the_readme_names() -> None:
    """Byte for byte what the npm package holds."""
    readme = (ROOT / "plugins/friendshore-interactive/README.md").read_text()
    held = files("friendshore_interactive").joinpath("highs")
    for name, data in (
        ("highs.js", held.joinpath("highs.js").read_bytes()),
        ("highs.wasm", gzip.decompress(held.joinpath("highs.wasm.gz").read_bytes())),
    ):
        assert f"| `{name}` | `{hashlib.sha256(data).hexdigest()}` |" in readme


def test_the_plan_and_the_answers_call_what_is_bought_alike() -> None:
    """What is set aside of a lot by the name of the lot, not by that of the offer it was once ordered from."""
    opened = reopen(ROOT / "docs/cases/small/stock")
    held = page(InteractiveQuestion().ask(opened, NoOptions(), None))
    found = re.search(r'id="plan-anew-data"[^>]*>([^<]*)<', held)
    assert found is not None
    data = json.loads(gzip.decompress(b64decode(found[1])))
    assert opened.session.verified.plan.lots
    assert set(data["plan"]["bought"]) <= set(data["situations"][0]["groupNames"])
