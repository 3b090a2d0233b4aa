"""The page in a real Chromium: what it answers is what the same change of the case comes to."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from math import inf
from pathlib import Path
from typing import Any

import pytest

from friendshore.recommend import Opened, reopen
from friendshore_pages.interactive.levers import OfferedLevers
from friendshore_pages.interactive.page import Interactive, page
from friendshore_pages.interactive.question import InteractiveQuestion, NoOptions

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed (Debian: apt-get install chromium)"),
]
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (uv run --group browser)")
CHANGES = 40
FACTORS = ("0.01", "0.25", "0.8", "1.37", "3")
CASES = Path(__file__).parents[3] / "docs/cases/small"


@pytest.fixture(scope="module")
def answer(recipes_without_choices: Callable[..., Opened], tmp_path_factory: pytest.TempPathFactory) -> Interactive:
    """What the page of a small case is made of."""
    opened = recipes_without_choices(tmp_path_factory.mktemp("recipes"))
    return InteractiveQuestion().ask(opened, NoOptions(), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium."""
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@contextmanager
def window_of(answer: Interactive, browser: Any, folder: Path) -> Iterator[Any]:
    """The page in a window, ready to plan; in the end it has asked for nothing but itself, and said nothing."""
    path = folder / "page.html"
    path.write_text(page(answer, answer.offered), encoding="utf-8")
    asked: list[str] = []
    said: list[str] = []
    window = browser.new_page(viewport={"width": 1280, "height": 900})
    window.on("request", lambda request: asked.append(request.url))
    window.on("console", lambda message: said.append(message.text))
    window.on("pageerror", lambda error: said.append(str(error)))
    window.goto(path.as_uri())
    window.get_by_text("This is the plan without changes.").wait_for()
    yield window
    window.close()
    assert [address for address in asked if not address.startswith("blob:")] == [path.as_uri()]
    assert said == []


@pytest.fixture(scope="module")
def shown(answer: Interactive, browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The page of the small case in a window."""
    with window_of(answer, browser, tmp_path_factory.mktemp("page")) as window:
        yield window


def compared(found: OfferedLevers, answer: Interactive, window: Any, expected: Callable[..., float]) -> None:
    """Asks a page for changes that are drawn by lot, and holds what it answers against what the same changes of the case come to."""
    drawn = random.Random(5)
    periods = answer.session.problem.case.horizon.count
    asked = 0
    while asked < CHANGES:
        taken = [
            (number, Decimal(drawn.choice(FACTORS)), drawn.randrange(periods))
            for number in drawn.sample(range(len(found.levers)), drawn.choice((1, 1, 2, 3)))
        ]
        given = [
            {
                **{name: getattr(found.levers[number], name) for name in ("kind", "name", "choice")},
                "factor": float(factor),
                "from": first,
            }
            for number, factor, first in taken
        ]
        told = window.evaluate("(some) => window.friendshore.ask(some).catch(error => error.message)", given)
        if told == "these changes can't be combined":
            continue
        worth = expected(answer.session, found, taken)
        if told == "no plan satisfies all hard rules after this change":
            assert worth == inf, given
        else:
            assert not isinstance(told, str), (told, given)
            assert told["objective"] == pytest.approx(worth, rel=2e-6, abs=1e-3), given
        asked += 1


def test_changes_come_to_what_they_come_to_in_the_case(
    answer: Interactive, shown: Any, expected: Callable[..., float]
) -> None:
    """One to three at once, at random sizes."""
    compared(answer.offered, answer, shown, expected)


@pytest.mark.parametrize("case", ["orders", "stock", "limits"])
def test_so_do_integer_decisions_dates_and_rules(
    case: str, browser: Any, tmp_path: Path, expected: Callable[..., float]
) -> None:
    """Within the gaps of both: orders of a least size; rules dated by order, and later; rules that limit."""
    answer = InteractiveQuestion().ask(reopen(CASES / case), NoOptions(), None)
    with window_of(answer, browser, tmp_path) as window:
        compared(answer.offered, answer, window, expected)


def plan_without(shown: Any, name: str) -> None:
    """Asks for the plan without something, by the controls of the page."""
    shown.locator("#plan-again").get_by_label("Change").select_option("remove")
    shown.get_by_label("of", exact=True).fill(name)
    shown.get_by_role("button", name="Plan again").click()


def take_back(shown: Any) -> None:
    """Takes it back."""
    shown.get_by_role("button", name="undo").click()
    shown.get_by_text("This is the plan without changes.").wait_for()


def test_a_planner_takes_an_offer_away_and_takes_that_back(shown: Any) -> None:
    """By the controls of the page: the answer stands beside the plan, with the command that asks for the same."""
    plan_without(shown, "swarf-oxide")
    shown.get_by_text("Planned again in").wait_for()
    told = shown.locator("#plan-again").inner_text()
    assert "--change 'remove=offer:swarf-oxide'" in told
    assert "Purchases that differ" in told
    take_back(shown)


def test_a_name_that_nothing_answers_to_is_told(shown: Any) -> None:
    """And nothing is planned."""
    plan_without(shown, "nobody")
    assert "Nothing is called" in shown.get_by_role("status").inner_text()


def test_a_loss_of_a_country_from_a_period_on_and_what_does_not_go_with_it(browser: Any, tmp_path: Path) -> None:
    """The command names the day; what takes the same away once more is not taken, and said to be."""
    answer = InteractiveQuestion().ask(reopen(CASES / "stock"), NoOptions(), None)
    with window_of(answer, browser, tmp_path) as shown:
        shown.locator("#plan-again").get_by_label("Change").select_option("remove")
        shown.get_by_role("combobox", name="from").select_option(index=1)
        plan_without(shown, "country:CN")
        shown.get_by_text("Planned again in").wait_for()
        assert "remove=country:CN, from=2027-01-01" in shown.locator("#plan-again").inner_text()
        plan_without(shown, "river-antimony")
        assert "both remove the same offers" in shown.get_by_role("status").inner_text()
        take_back(shown)


@pytest.mark.parametrize("width", [400, 1280])
def test_everybody_can_use_it(shown: Any, width: int) -> None:
    """Axe finds nothing to mend, and nothing is wider than the window."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    shown.set_viewport_size({"width": width, "height": 900})
    found = axe.run(shown).response["violations"]
    assert [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found] == []
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
