"""The page in a real Chromium: what it answers is what the same change of the case comes to."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from friendshore.domain.change import Change
from friendshore.recommend import Opened
from friendshore_interactive.page import page
from friendshore_interactive.question import Interactive, InteractiveQuestion, NoOptions

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed (Debian: apt-get install chromium)"),
]
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (uv run --group browser)")
CHANGES = 60
FACTORS = ("0", "0.25", "0.8", "1.37", "3")


@pytest.fixture(scope="module")
def answer(recipes_without_choices: Callable[..., Opened], tmp_path_factory: pytest.TempPathFactory) -> Interactive:
    """What the page of a small case is made of."""
    opened = recipes_without_choices(tmp_path_factory.mktemp("recipes"))
    return InteractiveQuestion().ask(opened, NoOptions(), None)


@pytest.fixture(scope="module")
def shown(answer: Interactive, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The page in a window, ready to plan; in the end it has asked for nothing but itself, and said nothing."""
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_text(page(answer), encoding="utf-8")
    asked: list[str] = []
    said: list[str] = []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        window = browser.new_page(viewport={"width": 1280, "height": 900})
        window.on("request", lambda request: asked.append(request.url))
        window.on("console", lambda message: said.append(message.text))
        window.on("pageerror", lambda error: said.append(str(error)))
        window.goto(path.as_uri())
        window.get_by_text("This is the plan, nothing changed.").wait_for()
        yield window
        browser.close()
    assert [address for address in asked if not address.startswith("blob:")] == [path.as_uri()]
    assert said == []


def test_changes_come_to_what_they_come_to_in_the_case(answer: Interactive, shown: Any) -> None:
    """One to three at once, at random sizes, with and without a rule."""
    drawn = random.Random(5)
    session = answer.session
    asked = 0
    while asked < CHANGES:
        number = drawn.randrange(len(answer.situations))
        situation = answer.situations[number]
        levers = drawn.sample(situation.levers.levers, drawn.choice((1, 1, 2, 3)))
        factors = [Decimal(drawn.choice(FACTORS)) if lever.has_size else Decimal(1) for lever in levers]
        changes = [lever.change(factor) for lever, factor in zip(levers, factors, strict=True)]
        if situation.change:
            changes.insert(0, Change(disable=situation.change.partition("=")[2]))
        given = [
            {"kind": lever.kind, "name": lever.name, "factor": float(factor)}
            for lever, factor in zip(levers, factors, strict=True)
        ]
        found = shown.evaluate(
            "([changes, of]) => window.friendshore.ask(changes, of).catch(error => error.message)", [given, number]
        )
        if found == "these changes are not offered together":
            continue
        assert not isinstance(found, str), (found, given)
        expected = session.after(*changes).cost.objective
        assert found["objective"] == pytest.approx(float(expected), rel=1e-6, abs=1e-3), given
        asked += 1


def test_a_planner_takes_an_offer_away_and_takes_that_back(shown: Any) -> None:
    """By the controls of the page: the answer stands beside the plan, with the command that asks for the same."""
    shown.get_by_label("Change", exact=False).select_option("remove")
    shown.get_by_label("of", exact=True).fill("swarf-oxide")
    shown.get_by_role("button", name="Plan anew").click()
    shown.get_by_text("Planned anew in").wait_for()
    told = shown.locator("#plan-anew").inner_text()
    assert "--change 'remove=swarf-oxide'" in told
    assert "What is bought more or less" in told
    shown.get_by_role("button", name="take back").click()
    shown.get_by_text("This is the plan, nothing changed.").wait_for()


def test_a_name_that_nothing_answers_to_is_told(shown: Any) -> None:
    """And nothing is planned."""
    shown.get_by_label("of", exact=True).fill("nobody")
    shown.get_by_role("button", name="Plan anew").click()
    assert "Nothing here is called" in shown.get_by_role("status").inner_text()


@pytest.mark.parametrize("width", [400, 1280])
def test_everybody_can_use_it(shown: Any, width: int) -> None:
    """Axe finds nothing to mend, and nothing is wider than the window."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    shown.set_viewport_size({"width": width, "height": 900})
    found = axe.run(shown).response["violations"]
    assert [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found] == []
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
