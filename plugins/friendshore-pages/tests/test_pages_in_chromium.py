"""Pages as people use them: opened in a real Chromium, which asks nobody for anything, read by axe, by keyboard, on a phone, on paper, without scripts."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.html_gallery import gallery

import friendshore
from friendshore.document.elements import Column, Document, Drawing, section, sentence, table
from friendshore_pages.html import html
from friendshore_pages.report import report_document

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
CASE = Path(__file__).parents[3] / "docs" / "cases" / "us-2027"
WIDTHS = (400, 720, 1280, 1900)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed (Debian: apt-get install chromium)"),
]
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (uv run --group browser)")
HOSTILE = "</title></script><img src=http://127.0.0.1:9/x onerror=alert(1)>\u202e" + "very-long-name" * 30


def hostile() -> Document:
    """A document whose every name is hostile, and longer than a phone is wide."""
    found = gallery()
    charts = [part for one in found.parts for part in getattr(one, "parts", ()) if isinstance(part, Drawing)]
    told = [Drawing(HOSTILE, HOSTILE, chart.chart, table([Column(HOSTILE)], [[HOSTILE]] * 12)) for chart in charts]
    return Document(HOSTILE, (sentence(HOSTILE), section(HOSTILE, *told), section(HOSTILE, sentence(HOSTILE))))


@cache
def worked() -> Document:
    """The report of the worked case."""
    return report_document(friendshore.plan(friendshore.load_case(CASE)).run)


DOCUMENTS = {"gallery": gallery, "hostile": hostile, "us-2027": worked}


@dataclass
class Seen:
    """What happened while a page was shown."""

    page: Any
    asked: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, without a window."""
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The documents as files."""
    folder = tmp_path_factory.mktemp("pages")
    found = {name: folder / f"{name}.html" for name in DOCUMENTS}
    for name, path in found.items():
        path.write_text(html(DOCUMENTS[name]()), encoding="utf-8")
    return found


def opened(browser: Any, address: str, width: int = 1280, **options: Any) -> Seen:
    """A page in a window of its own."""
    context = browser.new_context(viewport={"width": width, "height": 900}, **options)
    seen = Seen(context.new_page())
    seen.page.on("request", lambda request: seen.asked.append(request.url))
    seen.page.on("console", lambda message: seen.said.append(message.text))
    seen.page.on("pageerror", lambda error: seen.said.append(str(error)))
    seen.page.on("dialog", lambda dialog: seen.said.append(dialog.message))
    seen.page.goto(address)
    return seen


@pytest.fixture
def page(browser: Any, files: dict[str, Path]) -> Iterator[Any]:
    """The gallery, 1,280 pixels wide."""
    seen = opened(browser, files["gallery"].as_uri())
    yield seen.page
    assert seen.said == []
    seen.page.context.close()


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [
        *(("gallery", width, scheme) for width in (400, 1280) for scheme in ("light", "dark")),
        *(
            (name, width, scheme)
            for name in ("hostile", "us-2027")
            for width, scheme in ((400, "dark"), (1280, "light"))
        ),
    ],
)
def test_everybody_can_read_it(browser: Any, files: dict[str, Path], name: str, width: int, scheme: str) -> None:
    """Axe finds nothing to mend; nothing but the file is asked for; nothing is said on the console."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    seen = opened(browser, files[name].as_uri(), width, color_scheme=scheme)
    found = axe.run(seen.page).response["violations"]
    assert [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found] == []
    assert (seen.asked, seen.said) == ([files[name].as_uri()], [])
    seen.page.context.close()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_nothing_is_wider_than_the_window(browser: Any, files: dict[str, Path], name: str) -> None:
    """From a phone to a large screen; what is wider scrolls in its own box, and no cell of a table runs into the next."""
    seen = opened(browser, files[name].as_uri())
    for width in WIDTHS:
        seen.page.set_viewport_size({"width": width, "height": 900})
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
        cells = "[...document.querySelectorAll('th, td')].filter(cell => cell.scrollWidth > cell.clientWidth + 1)"
        runs_over = seen.page.evaluate(f"{cells}.map(cell => cell.textContent.slice(0, 80))")
        assert name == "hostile" or runs_over == []  # of 400 letters without a space nobody can make a cell
    seen.page.context.close()


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("width", [400, 1280])
def test_no_word_of_a_picture_is_cut(browser: Any, files: dict[str, Path], name: str, width: int) -> None:
    """As the browser measures it, every text lies within its picture."""
    seen = opened(browser, files[name].as_uri(), width)
    cut = seen.page.evaluate(
        """() => [...document.querySelectorAll("figure svg")].filter(svg => svg.getClientRects().length).flatMap(svg => {
            const {width, height} = svg.viewBox.baseVal;
            return [...svg.querySelectorAll("text")].filter(text => {
                const box = text.getBBox();
                return box.x < -2 || box.y < -4 || box.x + box.width > width + 2 || box.y + box.height > height + 4;
            }).map(text => text.textContent);
        })"""
    )
    assert cut == []
    assert seen.page.locator("figure:has(> svg:visible)").count() == seen.page.locator("figure").count()
    seen.page.context.close()


def test_a_server_is_asked_for_the_page_alone(browser: Any, files: dict[str, Path]) -> None:
    """Not even for a picture of its own."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(files["hostile"].read_bytes())

        def log_message(self, *args: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        seen = opened(browser, f"http://127.0.0.1:{server.server_port}/page")
        seen.page.wait_for_load_state("networkidle")
        seen.page.context.close()
        server.shutdown()
        thread.join()
    assert asked == ["/page"]
    assert seen.said == []


def column(page: Any, place: int) -> list[str]:
    """A column of the first table, as it stands."""
    rows = page.locator("main table").first.locator("tbody tr")
    return list(rows.evaluate_all("(rows, place) => rows.map(row => row.cells[place].textContent)", place))


def test_a_table_is_sorted_by_keyboard(page: Any) -> None:
    """By what figures are, in whatever unit they are written; the third time as it was; what adds up stays below; names are no longer left out."""
    before = column(page, 2)
    assert page.locator(".ditto").first.bounding_box()["width"] <= 1
    assert before == [
        "9,040 t",
        "1,928 t",
        "980 kg",
        "98.5 kg",
        "12 t",
        "41 t",
        "1 t",
        "3,235 t",
        "1,201 t",
        "15,459 t",
    ]
    head = page.locator("main table").first.get_by_role("columnheader", name="Quantity")
    head.get_by_role("button").focus()
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert column(page, 2) == [
        "9,040 t",
        "3,235 t",
        "1,928 t",
        "1,201 t",
        "41 t",
        "12 t",
        "1 t",
        "980 kg",
        "98.5 kg",
        "15,459 t",
    ]
    assert column(page, 0)[:4] == ["antimony", "tungsten", "antimony", "tungsten"]
    assert page.locator(".ditto").first.bounding_box()["width"] > 30
    page.keyboard.press("Space")
    assert head.get_attribute("aria-sort") == "ascending"
    assert column(page, 2)[:3] == ["98.5 kg", "980 kg", "1 t"]
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") is None
    assert column(page, 2) == before


def test_dates_and_names_are_sorted_too(page: Any) -> None:
    """Cells without anything come last."""
    for name, first in (("Order by", "2026-11-30"), ("Supplier", "Bolivia")):
        page.locator("main table").first.get_by_role("columnheader", name=name).get_by_role("button").click()
        place = 4 if name == "Order by" else 1
        assert column(page, place)[0] == first


def test_rows_are_filtered(page: Any) -> None:
    """By any words that stand in a row, in any order, and it is told how many are left."""
    box = page.get_by_label("Filter rows").first
    box.fill("  SANG tung ")
    rows = page.locator("main table").first.locator("tbody tr:visible")
    assert rows.count() == 1
    assert "Sangdong" in rows.inner_text()
    assert page.locator("output").first.inner_text() == "1 of 10 rows"
    box.fill("")
    assert rows.count() == 10


def test_a_part_of_a_picture_is_told_where_it_is_pointed_at(page: Any) -> None:
    """With the name of what it belongs to."""
    page.locator("figure svg.wide .parts.f0 > path").first.hover()
    assert page.locator(".tip").inner_text() == "China, antimony: 2027-Q1, 900 t"
    page.locator("h1").hover()
    assert page.locator(".tip").is_hidden()


def test_the_keyboard_skips_to_the_content(page: Any) -> None:
    """The first stop is the link that does it, and it is seen then."""
    page.keyboard.press("Tab")
    link = page.locator(":focus")
    assert link.inner_text() == "Skip to the content"
    assert link.bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_all_is_there_without_scripts(browser: Any, files: dict[str, Path], name: str) -> None:
    """The same words in the same order; pictures too; nothing that would do nothing."""
    without = opened(browser, files[name].as_uri(), java_script_enabled=False).page
    with_ = opened(browser, files[name].as_uri()).page
    for words in ("p", "li", "th", "td", "dt", "dd", "h2", "h3", "figcaption", "svg text"):
        assert (
            without.locator(f"main {words}").all_text_contents() == with_.locator(f"main {words}").all_text_contents()
        )
    for shown in ("table", "svg"):
        assert without.locator(f"main {shown}:visible").count() == with_.locator(f"main {shown}:visible").count() > 0
    assert without.locator("button, input").count() == 0
    for one in (without, with_):
        one.context.close()


def test_it_prints(page: Any) -> None:
    """On paper every table is there, folded or not, and what is there to be pressed is not; pictures are printed as lines, not as dots."""
    assert page.locator("details:not([open]) table:visible").count() == 0
    page.emulate_media(media="print")
    tables = page.locator("details:not([open]) table")
    assert tables.count() > 0
    assert all(box["height"] > 50 for box in (table.bounding_box() for table in tables.all()))
    assert page.locator("nav:visible, .tools:visible").count() == 0
    pdf = page.pdf(format="A4")
    assert pdf.startswith(b"%PDF")
    assert len(pdf) < 1_000_000
    assert 3 <= pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") <= 20
