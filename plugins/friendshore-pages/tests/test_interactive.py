"""Pages that plan anew: what their levers do to the program is what a change of the case does."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import re
from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from friendshore.case.change_text import parse_changes
from friendshore.cli import app
from friendshore.document.terminal import plain_text
from friendshore.domain.change import Change
from friendshore.errors import InputError
from friendshore.recommend import Opened, reopen
from friendshore.session import Session
from friendshore_pages.interactive.levers import OfferedLevers, numbers, offered_levers
from friendshore_pages.interactive.page import Interactive, page
from friendshore_pages.interactive.question import InteractiveQuestion, NoOptions

ROOT = Path(__file__).parents[3]
Answered = Callable[..., float | None]
Expected = Callable[..., float]
DUTY = '[[rule]]\nkind = "tariff"\nid = "duty"\nrate = "10%"\norigins = ["AU"]\n'
FACTORS = [
    pytest.param(Decimal(text), marks=() if text == "0.3" else pytest.mark.deep)
    for text in ("0.01", "0.3", "0.91", "1.7", "4")
]
SMALL = [("orders", 4), ("stock", 4)] + [
    pytest.param(name, 12, marks=pytest.mark.deep)
    for name in ("limits", "money", "orders", "recipes", "stock", "tiers")
]
"""Worked cases with and without integer decisions, with lots, tiers, rules dated by order, and rules that a scenario switches on; and how many changes are drawn."""


def found_in(opened: Opened) -> OfferedLevers:
    """All that the page of a case offers."""
    return offered_levers(opened.session, lambda done, of: None)


@pytest.fixture(scope="module")
def recipes(recipes_without_choices: Callable[..., Opened], tmp_path_factory: pytest.TempPathFactory) -> Opened:
    """A case of several stages, outputs and a circle."""
    return recipes_without_choices(tmp_path_factory.mktemp("recipes"))


@pytest.fixture(scope="module")
def answer(recipes: Opened) -> Interactive:
    """What its page is made of."""
    return InteractiveQuestion().ask(recipes, NoOptions(), None)


@cache
def small(name: str) -> tuple[Opened, OfferedLevers]:
    """A worked case, and what its page offers."""
    opened = reopen(ROOT / "docs/cases/small" / name)
    return opened, found_in(opened)


@pytest.mark.parametrize("factor", FACTORS, ids=str)
def test_every_lever_comes_to_what_the_same_change_of_the_case_comes_to(
    recipes: Opened, answer: Interactive, answered: Answered, expected: Expected, factor: Decimal
) -> None:
    """Prices, capacities, demand and losses, one by one."""
    found = answer.offered
    assert {lever.kind for lever in found.levers} >= {"price", "capacity", "demand", "remove"}
    for number, lever in enumerate(found.levers):
        taken = [(number, factor, 0)]
        worth = expected(recipes.session, found, taken)
        assert answered(found, taken) == pytest.approx(worth, rel=1e-6, abs=1e-3), lever.option_text


@pytest.mark.parametrize(("case", "most"), SMALL)
def test_changes_come_to_what_they_come_to_in_the_case(
    answered: Answered, expected: Expected, case: str, most: int
) -> None:
    """One to three levers that are drawn by lot: dates, losses from a period on, rules on and off, and amounts, in cases with integer decisions as well."""
    opened, found = small(case)
    drawn = random.Random(case)
    periods = opened.session.problem.case.horizon.count
    names = [(lever.kind, lever.name) for lever in found.levers]
    asked = 0
    while asked < most:
        levers = drawn.sample(range(len(found.levers)), drawn.choice((1, 2, 3)))
        offers = [name for number in levers for name in found.levers[number].offers]
        if len({names[number] for number in levers}) < len(levers) or len(set(offers)) < len(offers):
            continue
        taken = [
            (number, Decimal(drawn.choice(("0.01", "0.4", "1.37", "3"))), drawn.randrange(periods)) for number in levers
        ]
        told = answered(found, taken)
        if told is not None:
            assert told == pytest.approx(expected(opened.session, found, taken), rel=2e-6, abs=1e-3), taken
            asked += 1


@pytest.mark.deep
def test_levers_taken_together_come_to_what_the_changes_together_come_to(
    recipes: Opened, answer: Interactive, answered: Answered, expected: Expected
) -> None:
    """Pairs that are not kept apart, at sizes at which none was tried out."""
    found = answer.offered
    numbers = [number for number, lever in enumerate(found.levers) if lever.kind != "remove"]
    for i, j in [(i, j) for i in numbers for j in numbers if j < i][::3]:
        taken = [(i, Decimal("1.3"), 0), (j, Decimal("0.6"), 0)]
        told = answered(found, taken)
        if told is not None:
            assert told == pytest.approx(expected(recipes.session, found, taken), rel=1e-6, abs=1e-3), taken


def test_a_price_and_the_duty_that_is_a_share_of_it_are_kept_apart(
    recipes_without_choices: Callable[..., Opened], tmp_path: Path
) -> None:
    """What the two do to a cost is a product, and does not add up."""
    found = found_in(recipes_without_choices(tmp_path, DUTY))
    apart = {frozenset(found.levers[n].kind for n in pair) for program in found.programs for pair in program.conflicts}
    assert frozenset(("price", "disable")) in apart


def test_dates_losses_and_integer_decisions_are_offered() -> None:
    """A rule that begins later, a rule that makes another program, whole countries and companies, and a case with orders of a least size."""
    (_, stock), (_, orders) = small("stock"), small("orders")
    assert {"move", "later", "disable", "enable", "remove"} <= {lever.kind for lever in stock.levers}
    assert stock.programs_by_lever
    assert orders.programs[0].layout.linear.integer.any()
    assert {lever.name.partition(":")[0] for lever in orders.levers if ":" in lever.name} >= {"country", "supplier"}


def test_a_case_that_ranks_objectives_has_no_page() -> None:
    """That is the answer, and asked for the page it is refused, with what answers in its place."""
    question = InteractiveQuestion()
    found = question.ask(reopen(ROOT / "docs/cases/small/objectives"), NoOptions(), None)
    assert "ranks objectives" in plain_text(question.document(found, NoOptions()), 100)
    with pytest.raises(InputError, match="ranks objectives"):
        question.text(found, NoOptions())


def test_how_far_the_trials_have_come_is_told(recipes: Opened) -> None:
    """So that a bar can say how long it still takes: never backwards, and all of them in the end."""
    heard: list[tuple[int, int]] = []
    InteractiveQuestion().ask(recipes, NoOptions(), lambda done, of, seconds: heard.append((done, of)))
    assert heard == sorted(heard)
    assert heard[-1][0] == heard[-1][1]


def held(text: str) -> Any:
    """What a page holds."""
    found = re.search(r'id="plan-again-data"[^>]*>([^<]*)<', text)
    return json.loads(gzip.decompress(b64decode(found[1])))


def test_a_page_needs_no_network_and_is_the_same_each_time(answer: Interactive, recipes: Opened) -> None:
    """Its policy lets nothing be loaded, and nothing in it names a place to load from."""
    text = page(answer, answer.offered)
    assert text == page(answer, found_in(recipes))
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    assert policy[1].startswith(("default-src &#x27;none&#x27;; ", "default-src 'none'; "))
    assert "worker-src blob:" in policy[1]
    assert not re.search(r'(?:src|href)="(?!#)', text)
    objective = sum(part["objective"] for part in held(text)["parts"])
    assert objective == pytest.approx(float(answer.session.verified.cost.objective), rel=1e-12)


def test_the_page_is_written_where_a_file_is_named(tmp_path: Path) -> None:
    """`--out` writes the page that plans anew, not a page about it, and prints what it can do; a file that is there stays."""
    file, asked = tmp_path / "page.html", ["interactive", str(ROOT / "docs/cases/small/stock"), "--quiet", "--out"]
    done = CliRunner().invoke(app, [*asked, str(file)])
    assert done.exit_code == 0
    assert held(file.read_text(encoding="utf-8"))["parts"]
    assert "Possible changes" in done.stdout
    assert "<" not in done.stdout
    assert CliRunner().invoke(app, [*asked, str(file)]).exit_code == 2


def test_the_solver_is_the_one_that_the_readme_names() -> None:
    """Byte for byte what the npm package holds."""
    readme = (ROOT / "plugins/friendshore-pages/README.md").read_text()
    packed = files("friendshore_pages.interactive").joinpath("highs")
    wasm = gzip.decompress(packed.joinpath("highs.wasm.gz").read_bytes())
    for name, data in (("highs.js", packed.joinpath("highs.js").read_bytes()), ("highs.wasm", wasm)):
        assert f"| `{name}` | `{hashlib.sha256(data).hexdigest()}` |" in readme


def test_the_plan_and_the_answers_call_what_is_bought_alike() -> None:
    """What is set aside of a lot by the name of the lot, not by that of the offer it was once ordered from."""
    opened, found = small("stock")
    data = held(page(Interactive(opened.session, "case.toml", found), found))
    assert opened.session.verified.plan.lots
    for number, part in enumerate(data["parts"]):
        in_program = {purchase for _, purchase, *_ in data["programs"][number]["bought"]}
        assert {purchase for purchase, *_ in part["bought"]} <= in_program


def test_columns_that_fall_away_are_closed() -> None:
    """Where a demand comes later, nothing is delivered to it before."""
    opened, found = small("stock")
    number = next(n for n, lever in enumerate(found.levers) if lever.kind == "later" and lever.name == "civil")
    layout, effect = found.programs[0].layout, found.programs[0].effects[number]
    (after,) = opened.session.parts_after(found.levers[number].change_at())
    gone = [n for n, column in enumerate(layout.columns) if column not in after.layout().columns]
    upper = numbers(layout) + effect.changes(Decimal(1), len(numbers(layout)))
    assert gone
    assert {upper[2 * len(layout.columns) + n] for n in gone} == {0}


def test_the_command_below_an_answer_asks_for_the_same() -> None:
    """As it is typed, every change is the one that the page makes."""
    _, found = small("stock")
    for lever in found.levers:
        (stated,) = parse_changes([f"{lever.option_text}, factor=2" if lever.has_factor else lever.option_text])
        assert stated == lever.change_at(Decimal(2))


def test_the_page_says_what_is_applied_to_its_case() -> None:
    """Its commands ask for the same scenario and changes."""
    path = ROOT / "docs/cases/small/stock"
    opened = reopen(path, scenario=["by-delivery"], changes=[Change(demand="demand:civil", factor=Decimal("1.5"))])
    found = InteractiveQuestion().ask(opened, NoOptions(), None)
    assert found.case.endswith("--scenario by-delivery --change 'demand=demand:civil, factor=1.5'")


def test_without_countries_of_concern_no_purchase_depends_on_them() -> None:
    """Also those of an unknown origin."""
    opened = reopen(ROOT / "docs/cases/small/stock")
    case = opened.session.inputs.case
    inputs = replace(opened.session.inputs, case=case.but(concern=case.concern.but(countries=frozenset())))
    session = Session.open(inputs)
    found = offered_levers(session, lambda done, of: None)
    data = held(page(Interactive(session, "case.toml", found), found))
    assert data["countriesOfConcern"] == []
    assert not any(dependence for program in data["programs"] for _, _, dependence, *_ in program["bought"])
    assert not any(sums[i] for part in data["parts"] for _, *sums in part["bought"] for i in (1, 2, 4, 5))
