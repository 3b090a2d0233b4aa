"""The page in a real Chromium: what it answers is what the same change of the case comes to."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from friendshore.document.figures import large_money, mass, percent
from friendshore.domain.change import Change
from friendshore.domain.countries import country_names
from friendshore.domain.plan import Cost
from friendshore.explain import plan_dependence
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
def window_of(answer: Interactive, browser: Any, folder: Path, address: str = "") -> Iterator[Any]:
    """The page in a window, ready to plan; in the end it has asked for nothing but itself, and said nothing."""
    path = folder / "page.html"
    path.write_text(page(answer, answer.offered), encoding="utf-8")
    asked: list[str] = []
    said: list[str] = []
    window = browser.new_page(viewport={"width": 1280, "height": 900})
    window.on("request", lambda request: asked.append(request.url))
    window.on("console", lambda message: said.append(message.text))
    window.on("pageerror", lambda error: said.append(str(error)))
    window.goto(path.as_uri() + address)
    window.evaluate("window.friendshore.ready.then(() => {})")
    yield window
    window.close()
    assert [address.partition("#")[0] for address in asked if not address.startswith("blob:")] == [path.as_uri()]
    assert said == []


@pytest.fixture(scope="module")
def shown(answer: Interactive, browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The page of the small case in a window."""
    with window_of(answer, browser, tmp_path_factory.mktemp("page")) as window:
        yield window


@pytest.fixture
def clean(shown: Any) -> Any:
    """The same without changes."""
    if shown.get_by_role("button", name="Original plan").is_enabled():
        shown.get_by_role("button", name="Original plan").click()
    settled(shown)
    return shown


@pytest.fixture(scope="module")
def stock(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Interactive, Any]]:
    """A case with a country of concern, lots, and rules, and its page in a window."""
    answer = InteractiveQuestion().ask(reopen(CASES / "stock"), NoOptions(), None)
    with window_of(answer, browser, tmp_path_factory.mktemp("stock")) as window:
        yield answer, window


def settled(window: Any) -> str:
    """Waits for the answer to the changes of the page, and returns what it says of its state."""
    window.locator("#plan-again:not([aria-busy])").wait_for()
    return str(window.locator("#plan-again .answer [role=status]").inner_text())


def pick(window: Any, words: str) -> None:
    """Takes the first change that the field suggests for some words, by keyboard."""
    window.get_by_role("combobox", name="Add a change").fill(words)
    window.keyboard.press("ArrowDown")
    window.keyboard.press("Enter")


def compared(
    found: OfferedLevers,
    answer: Interactive,
    window: Any,
    cost_after: Callable[..., Cost | None],
    changes: int = CHANGES,
) -> list[tuple[float, float, float]]:
    """Asks a page for changes that are drawn by lot, and holds what it answers against what the same changes of the case come to.

    Returns the relative differences of objective and spend, and the seconds, of each.
    """
    drawn = random.Random(5)
    periods = answer.session.problem.case.horizon.count
    measured: list[tuple[float, float, float]] = []
    asked = 0
    while asked < changes:
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
        cost = cost_after(answer.session, found, taken)
        asked += 1
        if told == "no plan satisfies all hard rules after this change":
            assert cost is None, given
            continue
        assert not isinstance(told, str), (told, given)
        assert cost is not None, given
        assert told["objective"] == pytest.approx(float(cost.objective), rel=2e-6, abs=1e-3), given
        # The solver's tolerance is a share of the objective, which may be mostly penalties.
        noise = 1e-3 + 1e-8 * float(cost.objective)
        assert told["spend"] == pytest.approx(float(cost.nominal), rel=2e-6, abs=noise), given
        pairs = ((told["objective"], cost.objective), (told["spend"], cost.nominal))
        differences = [abs(one - float(other)) / max(1.0, abs(float(other))) for one, other in pairs]
        measured.append((differences[0], differences[1], told["seconds"]))
    return measured


def test_changes_come_to_what_they_come_to_in_the_case(
    answer: Interactive, shown: Any, cost_after: Callable[..., Cost | None]
) -> None:
    """One to three at once, at random sizes."""
    compared(answer.offered, answer, shown, cost_after)


@pytest.mark.parametrize("case", ["orders", "stock", "limits"])
def test_so_do_integer_decisions_dates_and_rules(
    case: str, browser: Any, tmp_path: Path, cost_after: Callable[..., Cost | None]
) -> None:
    """Within the gaps of both: orders of a least size; rules dated by order, and later; rules that limit."""
    answer = InteractiveQuestion().ask(reopen(CASES / case), NoOptions(), None)
    with window_of(answer, browser, tmp_path) as window:
        compared(answer.offered, answer, window, cost_after)


@pytest.mark.nightly
def test_two_hundred_changes_of_the_worked_case(
    browser: Any,
    tmp_path: Path,
    cost_after: Callable[..., Cost | None],
    record_property: Callable[[str, object], None],
) -> None:
    """The report of the tests contains median and maximum of the relative differences and of the seconds."""
    answer = InteractiveQuestion().ask(reopen(CASES.parent / "us-2027"), NoOptions(), None)
    with window_of(answer, browser, tmp_path) as window:
        measured = compared(answer.offered, answer, window, cost_after, changes=200)
    for name, values in zip(("objective", "spend", "seconds"), zip(*measured, strict=True), strict=True):
        record_property(name, (median(values), max(values)))


FIGURES = r"""() => {
  const texts = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  const figures = [];
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!/[0-9]/.test(texts.currentNode.data) || element.closest("script, [data-input]") || !element.checkVisibility()) continue;
    const own = element.closest("[data-answer], details, section");
    const title = own.cellIndex === undefined ? own.querySelector(":scope > h2, :scope > summary") : own.closest("table").rows[0].cells[own.cellIndex];
    figures.push([texts.currentNode.data, own.dataset.answer ?? null, title ? title.textContent : own.textContent]);
  }
  return figures;
}"""


def check_figures(window: Any) -> None:
    """Every visible figure of an answer belongs to the current one, or is labeled as one of the original plan."""
    current = window.evaluate("location.hash.slice(1)")
    figures = window.evaluate(FIGURES)
    assert any(answer == current for _, answer, _ in figures)
    for text, answer, label in figures:
        if answer is None:
            assert label in ("Possible changes", "How answers are computed", "Original plan, as a document"), text
        elif answer != current:
            assert answer == "", text
            assert "original plan" in label.lower(), (text, label)


def purchases_on(window: Any) -> dict[tuple[str, str], str]:
    """Supplier and country -> the quantity now."""
    rows = window.locator("#plan-again [aria-label=Purchases] tbody tr").all()
    cells = [[cell.inner_text() for cell in row.locator("th, td").all()] for row in rows]
    quantity = 4 if cells and len(cells[0]) == 7 else 3
    return {(row[0], row[2]): row[quantity] for row in cells if row[quantity] != "–"}


def test_no_element_shows_a_figure_of_an_earlier_answer(stock: tuple[Interactive, Any]) -> None:
    """After each change, all figures are those of `plan` with the same change."""
    _, window = stock
    steps: list[tuple[Callable[[], None], list[Change]]] = [
        (lambda: None, []),
        (lambda: window.get_by_role("button", name="Lose China").click(), [Change(remove="country:CN")]),
        (
            lambda: window.get_by_label("Antimony metal: Demand, civil, percent").fill("120"),
            [Change(demand="demand:civil", factor=Decimal("1.2")), Change(remove="country:CN")],
        ),
        (lambda: window.get_by_role("button", name="Undo").click(), [Change(remove="country:CN")]),
        (lambda: window.get_by_role("button", name="Original plan").click(), []),
    ]
    for act, changes in steps:
        act()
        window.keyboard.press("Tab")
        state = settled(window)
        assert ("Not verified again" in state, "verified." in state) == (bool(changes), not changes)
        check_figures(window)
        session = reopen(CASES / "stock", changes=changes).session
        verified, names = session.verified, session.problem.merged
        tiles = [tile.inner_text() for tile in window.locator("#plan-again .answer dd strong").all()]
        dependence = plan_dependence(verified, session.problem.case.concern.countries)
        assert dependence is not None
        short = verified.plan.short_by_demand
        assert tiles[0] == str(len(short))
        assert tiles[1] == large_money(verified.cost.nominal, "").strip()
        sums = dependence.plan
        assert tiles[2] == percent(sums.is_cash / sums.cash)
        aside = window.locator("#plan-again .answer dd.aside").last.inner_text()
        assert aside.endswith(f" {percent(sums.share)} if unknown origins are too")
        expected: dict[tuple[str, str], Decimal] = {}
        for line in verified.lines:
            facility = names.facilities[line.arc.chained.offer.facility]
            key = (facility.name, country_names()[facility.country])
            expected[key] = expected.get(key, Decimal(0)) + line.quantity
        for lot in verified.plan.lots:
            expected[lot.lot, ""] = expected.get((lot.lot, ""), Decimal(0)) + lot.quantity
        assert purchases_on(window) == {key: mass(kilograms) for key, kilograms in expected.items()}


WORKERS = {
    "never starts": "window.Worker = class { postMessage() {} };",
    "fails": "window.Worker = class { postMessage() { this.onerror(); } };",
}
"""Scripts that replace the worker of the solver."""


@pytest.mark.parametrize("worker", WORKERS)
def test_the_original_plan_is_shown_before_the_solver_has_started(
    worker: str, stock: tuple[Interactive, Any], browser: Any, tmp_path: Path
) -> None:
    """With its figures and a note, also if the solver doesn't start."""
    answer, ready = stock
    path = tmp_path / "page.html"
    path.write_text(page(answer, answer.offered), encoding="utf-8")
    context = browser.new_context()
    context.add_init_script(WORKERS[worker])
    window = context.new_page()
    window.goto(path.as_uri())
    note = window.get_by_text("The solver is loading" if worker == "never starts" else "This browser can't plan again")
    note.wait_for()
    assert settled(window).startswith("Original plan")
    check_figures(window)
    tiles = [
        [tile.inner_text() for tile in one.locator("#plan-again .answer dd strong").all()] for one in (window, ready)
    ]
    assert tiles[0] == tiles[1]
    assert purchases_on(window) == purchases_on(ready)
    if worker == "never starts":
        window.get_by_role("button", name="Lose China").click()
        window.get_by_text("Planning").wait_for()
    context.close()


def test_a_planner_takes_an_offer_away_and_takes_that_back(clean: Any) -> None:
    """By the controls of the page: the answer stands beside the plan, with the command that asks for the same."""
    pick(clean, "loss swarf")
    settled(clean)
    assert "--change 'remove=offer:swarf-oxide'" in clean.locator("#plan-again code").inner_text()
    assert clean.evaluate("location.hash") == "#remove:swarf-oxide:="
    clean.get_by_role("button", name="Undo").click()
    assert settled(clean).startswith("Original plan")


def test_a_slider_plans_while_it_moves_and_keeps_its_row(clean: Any) -> None:
    """Only its last position can be undone."""
    pick(clean, "price swarf")
    slider = clean.locator("#plan-again .changes input[type=range]")
    before = clean.evaluate("location.hash")
    for value in ("120", "100", "80"):
        slider.evaluate("(one, value) => { one.value = value; one.dispatchEvent(new Event('input')); }", value)
        assert "Not verified again" in settled(clean)
        assert clean.evaluate("location.hash") == before
    slider.evaluate("one => one.dispatchEvent(new Event('change'))")
    settled(clean)
    assert clean.evaluate("location.hash") == "#price:swarf-oxide:=0.8"
    slider.press("ArrowRight")
    settled(clean)
    assert clean.evaluate("location.hash") == "#price:swarf-oxide:=0.85"
    clean.get_by_role("button", name="Undo").click()
    settled(clean)
    assert clean.evaluate("location.hash") == "#price:swarf-oxide:=0.8"


def test_an_empty_field_is_focused_and_an_unknown_name_finds_nothing(clean: Any) -> None:
    field = clean.get_by_role("combobox", name="Add a change")
    field.fill("")
    clean.keyboard.press("Enter")
    assert clean.evaluate("document.activeElement.id") == "change-field"
    assert clean.get_by_role("option").count() > 0
    field.fill("nobody")
    clean.keyboard.press("Enter")
    assert clean.get_by_role("option").count() == 0
    clean.keyboard.press("Escape")
    assert settled(clean).startswith("Original plan")


def test_a_change_without_an_effect_says_so(stock: tuple[Interactive, Any]) -> None:
    _, window = stock
    pick(window, "price river")
    pick(window, "loss of china")
    settled(window)
    window.get_by_text("No effect on the plan").wait_for()
    assert "Price of River smelter" in window.locator("#plan-again .changes li", has_text="No effect").inner_text()
    window.get_by_role("button", name="Original plan").click()
    settled(window)


def test_a_loss_of_a_country_from_a_period_on_and_what_does_not_go_with_it(stock: tuple[Interactive, Any]) -> None:
    """The command names the day; what takes the same away once more is not taken, and said to be."""
    _, window = stock
    pick(window, "loss of china")
    window.get_by_label("First period of").select_option(index=1)
    settled(window)
    assert "remove=country:CN, from=2027-01-01" in window.locator("#plan-again code").inner_text()
    pick(window, "loss of river")
    assert "both remove the same offers" in window.locator("#plan-again .note").inner_text()
    window.get_by_role("button", name="Original plan").click()
    settled(window)


def test_an_address_contains_the_changes(stock: tuple[Interactive, Any], browser: Any, tmp_path: Path) -> None:
    """Also the order and the first period."""
    answer, _ = stock
    address = "#remove:country%3ACN:=2027-01-01&demand:civil:=1.5"
    with window_of(answer, browser, tmp_path, address) as window:
        settled(window)
        assert window.evaluate("location.hash") == address
        assert "demand=demand:civil, factor=1.5" in window.locator("#plan-again code").inner_text()
        assert window.get_by_label("First period of").input_value() == "1"


@pytest.mark.parametrize(
    "address",
    [
        "#remove:country%3ACN:=<img src=x onerror=alert(1)>",
        "#demand:civil:=1e999&demand:civil:=-1&demand:civil:=NaN&demand:civil:=",
        "#demand:%E0%A4%A:=2&__proto__:constructor:=1&&==&toString",
        "#demand:civil:=1e9",
    ],
)
def test_hostile_addresses_do_nothing(
    stock: tuple[Interactive, Any], browser: Any, tmp_path: Path, address: str
) -> None:
    answer, _ = stock
    with window_of(answer, browser, tmp_path, address) as window:
        assert settled(window).startswith("Original plan")
        assert "left out" in window.locator("#plan-again .note").inner_text()
        assert window.locator("#plan-again img").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1280])
def test_everybody_can_use_it(stock: tuple[Interactive, Any], width: int, scheme: str) -> None:
    """Axe finds nothing to mend, and nothing is wider than the window: without and with changes, and with the list open."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    _, window = stock
    window.emulate_media(color_scheme=scheme)
    window.set_viewport_size({"width": width, "height": 900})
    pick(window, "demand civil")
    window.get_by_role("button", name="Lose China").click()
    for reset in ("Original plan", "Undo"):
        settled(window)
        window.get_by_role("combobox", name="Add a change").click()
        found = axe.run(window).response["violations"]
        assert [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found] == []
        assert window.evaluate("document.documentElement.scrollWidth") <= width
        window.keyboard.press("Escape")
        window.get_by_role("button", name=reset).click()
    window.get_by_role("button", name="Original plan").click()
