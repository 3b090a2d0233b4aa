"""Pages as people use them: opened in a real Chromium, which asks nobody for anything, read by axe, by keyboard, on a phone, on paper, without scripts."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.functional.test_site import built
from tests.html_gallery import gallery

import friendshore
from friendshore.document.elements import Column, Document, Drawing, section, sentence, table
from friendshore_pages.html import html
from friendshore_pages.report import report_document

__all__ = ["built"]

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
    """Return a document whose names are all hostile, and longer than a phone is wide."""
    found = gallery()
    charts = [part for one in found.parts for part in getattr(one, "parts", ()) if isinstance(part, Drawing)]
    told = [Drawing(HOSTILE, HOSTILE, chart.chart, table([Column(HOSTILE)], [[HOSTILE]] * 12)) for chart in charts]
    return Document(
        HOSTILE,
        (
            sentence(HOSTILE),
            section(HOSTILE, *told),
            section(HOSTILE, sentence(HOSTILE), table([Column(HOSTILE)], [[HOSTILE]])),
        ),
    )


@cache
def worked() -> Document:
    """Return the report of the worked case."""
    return report_document(friendshore.plan(friendshore.load_case(CASE)).run)


DOCUMENTS = {"gallery": gallery, "hostile": hostile, "us-2027": worked}


@dataclass
class Seen:
    """A page, and what happened while it was shown."""

    page: Any
    asked: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


Open = Callable[..., Seen]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Start Chromium without a window."""
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the documents as files."""
    folder = tmp_path_factory.mktemp("pages")
    found = {name: folder / f"{name}.html" for name in DOCUMENTS}
    for name, path in found.items():
        path.write_text(html(DOCUMENTS[name]()), encoding="utf-8")
    return found


@pytest.fixture
def opened(browser: Any, files: dict[str, Path]) -> Iterator[Open]:
    """Return a function that opens a document, or an address, in a window of its own; no page may say anything."""
    shown: list[Seen] = []

    def open_one(name: str, width: int = 1280, **options: Any) -> Seen:
        seen = Seen(browser.new_context(viewport={"width": width, "height": 900}, **options).new_page())
        seen.page.on("request", lambda request: seen.asked.append(request.url))
        seen.page.on("console", lambda message: seen.said.append(message.text))
        seen.page.on("pageerror", lambda error: seen.said.append(str(error)))
        seen.page.on("dialog", lambda dialog: seen.said.append(dialog.message))
        seen.page.goto(files[name].as_uri() if name in files else name)
        shown.append(seen)
        return seen

    yield open_one
    for seen in shown:
        seen.page.context.close()
    assert [seen.said for seen in shown if seen.said] == []


@pytest.fixture
def page(opened: Open) -> Any:
    """Return the gallery, 1,280 pixels wide."""
    return opened("gallery").page


def violations(axe: Any, page: Any) -> list[tuple[str, list[str]]]:
    """Return what axe finds on a page."""
    found = axe.run(page).response["violations"]
    return [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found]


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [
        *(("gallery", width, scheme) for width in (400, 1280) for scheme in ("light", "dark")),
        *((name, *look) for name in ("hostile", "us-2027") for look in ((400, "dark"), (1280, "light"))),
    ],
)
def test_everybody_can_read_it(opened: Open, files: dict[str, Path], name: str, width: int, scheme: str) -> None:
    """Axe finds nothing to improve, and nothing but the file is requested."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    seen = opened(name, width, color_scheme=scheme)
    assert violations(axe, seen.page) == []
    assert seen.asked == [files[name].as_uri()]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_nothing_is_wider_than_the_window(opened: Open, name: str) -> None:
    """What is wider scrolls in its own box, and no cell of a table runs into the next."""
    page = opened(name).page
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        cells = "[...document.querySelectorAll('th, td')].filter(cell => cell.scrollWidth > cell.clientWidth + 1)"
        runs_over = page.evaluate(f"{cells}.map(cell => cell.textContent.slice(0, 80))")
        assert name == "hostile" or runs_over == []  # a word of 400 letters fits into no cell


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("width", [400, 1280])
def test_no_word_of_a_picture_is_cut(opened: Open, name: str, width: int) -> None:
    """As the browser measures it, every text lies within its picture."""
    page = opened(name, width).page
    cut = page.evaluate(
        """() => [...document.querySelectorAll("figure svg")].filter(svg => svg.getClientRects().length).flatMap(svg => {
            const {width, height} = svg.viewBox.baseVal;
            return [...svg.querySelectorAll("text")].filter(text => {
                const box = text.getBBox();
                return box.x < -2 || box.y < -4 || box.x + box.width > width + 2 || box.y + box.height > height + 4;
            }).map(text => text.textContent);
        })"""
    )
    assert cut == []
    assert page.locator("figure:has(> svg:visible)").count() == page.locator("figure").count()


@pytest.mark.parametrize("name", ["gallery", "us-2027"])
@pytest.mark.parametrize("width", [400, 1280])
def test_no_label_is_shortened_and_none_lies_on_another(opened: Open, name: str, width: int) -> None:
    """Names take several lines where they need them."""
    page = opened(name, width).page
    texts = """[...document.querySelectorAll("figure svg")].filter(svg => svg.getClientRects().length)
        .map(svg => [...svg.querySelectorAll("text")])"""
    assert page.evaluate(f"{texts}.flat().map(text => text.textContent).filter(text => text.includes('…'))") == []
    overlaps = page.evaluate(
        f"""() => {texts}.flatMap(labels => labels.flatMap((one, place) => labels.slice(place + 1).filter(other => {{
            const [a, b] = [one.getBBox(), other.getBBox()];
            const across = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
            return across > 1.5 && Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y) > 4;
        }}).map(other => [one.textContent, other.textContent])))"""
    )
    assert overlaps == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["gallery", "us-2027"])
def test_every_color_has_a_legend(opened: Open, name: str, scheme: str) -> None:
    """In each chart, and above each table with bars in its cells, or a name in or on it that has the color."""
    page = opened(name, color_scheme=scheme).page
    unexplained = page.evaluate(
        """() => {
            const color = element => getComputedStyle(element).getPropertyValue("--c");
            const colored = (root, part) => [...root.querySelectorAll(part)].filter(color);
            const charts = [...document.querySelectorAll("figure")].map(figure => [figure, colored(figure, "svg .parts, svg .parts > *")]);
            const tables = [...document.querySelectorAll(".scroll")].map(box => {
                const above = box.previousElementSibling;
                return [above?.matches(".tools") ? above.previousElementSibling : above, colored(box, "svg.bar path")];
            });
            return [...charts, ...tables].flatMap(([place, parts]) => {
                const legends = place ? [place, ...place.querySelectorAll(".legend")].filter(one => one.matches(".legend")) : [];
                const names = place ? colored(place, "svg text") : [];
                const keys = new Set([...legends.flatMap(legend => colored(legend, ".swatch")), ...names].map(color));
                return parts.filter(part => !keys.has(color(part))).map(part => part.outerHTML.slice(0, 200));
            });
        }"""
    )
    assert unexplained == []
    assert page.locator("td svg.bar path").count() > 0


def test_the_first_screen_has_the_answer(opened: Open) -> None:
    """The headline, four figures, and the first unmet needs, without scrolling; then the next orders."""
    page = opened("us-2027").page
    assert [element.inner_text() for element in page.locator("dl.key dt").all()] == [
        "Needs met", "Cash to spend", "From countries of concern", "Next orders",
    ]  # fmt: skip
    needs = page.locator("main table").first
    for shown in (page.locator("main > p").first, page.locator("dl.key"), needs.locator("tbody tr").nth(2)):
        box = shown.bounding_box()
        assert box["y"] + box["height"] <= 900
    assert needs.locator("tbody tr").count() == 10
    assert page.locator("main h2").all_inner_texts()[:2] == ["Unmet needs", "Next orders"]


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Serve a folder, and give its address and the paths that are requested."""
    asked: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            """Keep the path in place of printing it."""
            asked.append(self.path)

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", asked
        server.shutdown()
        thread.join()


def test_a_server_is_asked_for_the_page_alone(opened: Open, files: dict[str, Path]) -> None:
    """Not even for an icon."""
    with served(files["hostile"].parent) as (own, asked):
        opened(f"{own}hostile.html").page.wait_for_load_state("networkidle")
    assert asked == ["/hostile.html"]


@pytest.mark.nightly
@pytest.mark.parametrize("page", ["index", "gallery", "tutorial/first-plan", "explanation/model"])
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (400, "dark")])
def test_everybody_can_read_a_page_of_the_site(
    browser: Any, built: tuple[Path, str], page: str, width: int, scheme: str
) -> None:
    """Axe finds nothing, nothing is too wide, every picture is there, and all of it is the site's own."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    with served(built[0]) as (own, _):
        shown = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        asked: list[str] = []
        shown.on("request", lambda request: asked.append(request.url))
        shown.goto(f"{own}{page}.html")
        shown.evaluate("document.querySelectorAll('img').forEach(image => image.loading = 'eager')")
        shown.wait_for_function("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
        shown.wait_for_selector(".md-search[aria-label]", state="attached")
        assert violations(axe, shown) == []
        assert [url for url in asked if not url.startswith((own, "data:"))] == []
        assert shown.evaluate("document.documentElement.scrollWidth") <= width
        shown.close()


def column(page: Any, place: int) -> list[str]:
    """Return a column of the first table."""
    rows = page.locator("main table").first.locator("tbody tr")
    return list(rows.evaluate_all("(rows, place) => rows.map(row => row.cells[place].textContent)", place))


def test_a_table_is_sorted_by_keyboard(page: Any) -> None:
    """By amounts in any unit, with totals at the end; the third time it is as before. Repeated names are shown again."""
    before = column(page, 2)
    assert page.locator(".ditto").first.bounding_box()["width"] <= 1
    assert "|".join(before) == "9,040 t|1,928 t|980 kg|98.5 kg|12 t|41 t|1 t|3,235 t|1,201 t|15,459 t"
    head = page.locator("main table").first.get_by_role("columnheader", name="Quantity")
    head.get_by_role("button").focus()
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert "|".join(column(page, 2)) == "9,040 t|3,235 t|1,928 t|1,201 t|41 t|12 t|1 t|980 kg|98.5 kg|15,459 t"
    assert column(page, 0)[:4] == ["antimony", "tungsten", "antimony", "tungsten"]
    assert page.locator(".ditto").first.bounding_box()["width"] > 30
    page.keyboard.press("Space")
    assert head.get_attribute("aria-sort") == "ascending"
    assert column(page, 2)[:3] == ["98.5 kg", "980 kg", "1 t"]
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") is None
    assert column(page, 2) == before


@pytest.mark.parametrize(("name", "place", "first"), [("Order by", 4, "2026-11-30"), ("Supplier", 1, "Bolivia")])
def test_dates_and_names_are_sorted_too(page: Any, name: str, place: int, first: str) -> None:
    """Empty cells come last."""
    page.locator("main table").first.get_by_role("columnheader", name=name).get_by_role("button").click()
    assert column(page, place)[0] == first


def test_rows_are_filtered(page: Any) -> None:
    """By words in any order; the number of rows is shown."""
    page.get_by_role("heading", name="Many").click()
    box = page.get_by_label("Filter rows").first
    box.fill("  17 AM ")
    rows = page.locator("details.fold tbody tr:visible")
    assert rows.count() == 1
    assert "name 17" in rows.inner_text()
    assert page.locator("output").first.inner_text() == "1 of 25 rows"
    box.fill("")
    assert rows.count() == 25


def test_a_part_of_a_picture_is_told_where_it_is_pointed_at(page: Any) -> None:
    """With the name of its series."""
    page.locator("figure svg.wide .parts.f-plain0 > path").first.hover()
    assert page.locator(".tip").inner_text() == "China, antimony: 2027-Q1, 900 t"
    page.locator("h1").hover()
    assert page.locator(".tip").is_hidden()


def test_the_keyboard_skips_to_the_content(page: Any) -> None:
    """The first stop is a visible link."""
    page.keyboard.press("Tab")
    link = page.locator(":focus")
    assert link.inner_text() == "Skip to the content"
    assert link.bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_all_is_there_without_scripts(opened: Open, name: str) -> None:
    """The same words in the same order, and pictures, but no controls."""
    without, with_ = opened(name, java_script_enabled=False).page, opened(name).page
    for words in ("p", "li", "th", "td", "dt", "dd", "h2", "h3", "figcaption", "svg text"):
        told, expected = (one.locator(f"main {words}").all_text_contents() for one in (without, with_))
        assert told == expected
    for shown in ("table", "svg"):
        assert without.locator(f"main {shown}:visible").count() == with_.locator(f"main {shown}:visible").count() > 0
    assert without.locator("button, input").count() == 0


def test_it_prints(page: Any) -> None:
    """On paper every table is there, folded or not, and no control; pictures are lines, not dots."""
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
