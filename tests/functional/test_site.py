"""The documentation site is built without a warning, and everything that is documented is on it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
import typing
from collections import Counter
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import pytest
from markdown_it import MarkdownIt
from pydantic import BaseModel

import friendshore
import friendshore.errors
import friendshore.hookspecs
import friendshore_testing

from .program import made_once

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
LIBRARY = DOCS / "reference" / "library"
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("plugins/*/README.md"), *DOCS.rglob("*.md")])
FORMULA = re.compile(r"```math\n.*?\n```|\$`[^`\n]+`\$", re.DOTALL)
PICTURE = re.compile(r"^<!-- (screen|made): (.+) -->$", re.MULTILINE)
PICTURED = [page for page in PAGES if PICTURE.search(page.read_text(encoding="utf-8"))]
BLOCKS = {"blockquote", "h1", "h2", "h3", "h4", "li", "ol", "pre", "table", "td", "th", "tr", "ul"}


pytestmark = pytest.mark.nightly


@pytest.fixture(scope="module")
def built() -> tuple[Path, str]:
    """The folder of the site, and what was printed."""
    pytest.importorskip("mkdocs", reason="the site is built by mkdocs, which is not installed")
    return made_once("site", build)


def build(folder: Path) -> str:
    """Builds the site in a folder, and returns what was printed."""
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def pages(built: tuple[Path, str]) -> dict[str, str]:
    """All pages of the site, by path."""
    folder, _ = built
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in folder.rglob("*.html")}


def place(page: Path) -> str:
    """Where a page of the repository is on the site."""
    path = page.relative_to(DOCS if DOCS in page.parents else ROOT)
    return (path.with_name("index.html") if path.name == "README.md" else path.with_suffix(".html")).as_posix()


def anchors(page: str) -> set[str]:
    """What can be linked to on a page."""
    return set(re.findall(r'\bid="([^"]+)"', page))


def test_the_site_is_built_without_a_warning(built: tuple[Path, str]) -> None:
    """Nothing is printed but what is done."""
    _, printed = built
    assert [line for line in printed.splitlines() if not line.startswith("INFO ")] == []


def test_every_page_and_file_is_on_the_site(built: tuple[Path, str]) -> None:
    """Pages are pages, those of the plugins too; cases, catalogs and schemas can be fetched as they are."""
    folder, _ = built
    assert [page for page in PAGES if not (folder / place(page)).is_file()] == []
    for path in DOCS.rglob("*"):
        if path.is_file() and path.suffix != ".md":
            assert (folder / path.relative_to(DOCS)).read_bytes() == path.read_bytes()


class Shape(HTMLParser):
    """What a page consists of: how many blocks of each sort, and the code in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.blocks: Counter[str] = Counter()
        self.code: list[str] = []
        self.inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        """Counts it."""
        self.blocks[tag] += tag in BLOCKS
        if tag == "code":
            self.code.append("")
            self.inside = True

    def handle_endtag(self, tag: str) -> None:
        """Ends code."""
        self.inside = self.inside and tag != "code"

    def handle_data(self, data: str) -> None:
        """Keeps code."""
        if self.inside:
            self.code[-1] += data


def test_pages_read_the_same_in_the_repository_and_on_the_site(pages: dict[str, str]) -> None:
    """Both readers of Markdown find the same headings, lists, tables and code in a page; formulas are set."""
    markdown = MarkdownIt("commonmark").enable("table")
    for page in PAGES:
        if LIBRARY not in page.parents:
            here = Shape(markdown.render(FORMULA.sub("", page.read_text(encoding="utf-8"))))
            article = re.search("<article.*</article>", pages[place(page)], re.DOTALL)
            assert article is not None, page
            there = Shape(article[0])
            assert there.blocks == here.blocks, page
            assert [code.strip() for code in there.code] == [code.strip() for code in here.code], page


def test_every_formula_is_set(pages: dict[str, str]) -> None:
    """As MathML, as often as it is written, and nothing of it is left as it was written."""
    found = 0
    for page in PAGES:
        written = FORMULA.findall(page.read_text(encoding="utf-8"))
        shown = pages[place(page)]
        assert shown.count("<math ") == len(written), page
        assert not re.search(r"<m[ion]>[&\\]|formulahere", shown.replace("<mo>&#", "<mo>").replace("<mi>&#", "<mi>")), (
            page
        )
        found += len(written)
    assert found > 40


def test_pictures_are_what_commands_give(built: tuple[Path, str], pages: dict[str, str]) -> None:
    """Each comment is a picture: of a terminal with the page's own words, or of a report that stands beside it; none asks anybody for anything."""
    folder, _ = built
    assert [page.relative_to(ROOT).as_posix() for page in PICTURED] == [
        "README.md",
        "docs/gallery.md",
        "docs/tutorial/first-plan.md",
    ]
    for page in PICTURED:
        shown, here = pages[place(page)], (folder / place(page)).parent
        assert "<!-- screen" not in shown
        assert "<!-- made" not in shown
        images = re.findall(r'<(?:img|source)[^>]* (?:src|srcset)="(pictures/[^"]+)"', shown)
        assert len(images) >= len(PICTURE.findall(page.read_text(encoding="utf-8"))) - 2
        for name in images:
            picture = (here / name).read_text(encoding="utf-8")
            assert picture.startswith("<svg")
            assert not re.search(r"url\((?!#)|@import|(?:href|src)=\"(?!#)", picture), name
    told = (folder / "tutorial" / "pictures" / "friendshore-plan-first.txt").read_text(encoding="utf-8")
    page = (DOCS / "tutorial" / "first-plan.md").read_text(encoding="utf-8")
    assert told.splitlines()[0] in page
    assert "confirmed by a second solver · verified" in told
    report = (folder / "pictures" / "us-2027.html").read_text(encoding="utf-8")
    assert report.startswith("<!doctype html>")
    assert "NdFeB magnet: from mine to user" in report


@pytest.mark.browser
@pytest.mark.parametrize("page", ["index", "gallery", "tutorial/first-plan", "explanation/model"])
def test_everybody_can_read_a_page_with_pictures(built: tuple[Path, str], page: str) -> None:
    """In Chromium, wide and on a phone, light and dark: axe finds nothing to mend, nothing is wider than the window, every picture is there, and all of it is
    the site's own.
    """
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (uv run --group browser)")
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        pytest.skip("no Chromium is installed (Debian: apt-get install chromium)")
    handler = partial(QuietHandler, directory=str(built[0]))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, sync_api.sync_playwright() as playwright:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        own = f"http://127.0.0.1:{server.server_port}/"
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for width, scheme in ((1280, "light"), (400, "dark")):
            shown = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
            asked: list[str] = []
            shown.on("request", lambda request, asked=asked: asked.append(request.url))
            shown.goto(f"{own}{page}.html")
            shown.evaluate("document.querySelectorAll('img').forEach(image => image.loading = 'eager')")
            shown.wait_for_function("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
            shown.wait_for_selector(".md-search[aria-label]", state="attached")
            found = axe.run(shown).response["violations"]
            assert [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found] == []
            assert [url for url in asked if not url.startswith((own, "data:"))] == []
            assert shown.evaluate("document.documentElement.scrollWidth") <= width
            shown.close()
        browser.close()
        server.shutdown()
        thread.join()


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves a folder, and says nothing of it."""

    def log_message(self, *args: object) -> None:
        """Says nothing."""


def test_every_link_leads_somewhere(built: tuple[Path, str], pages: dict[str, str]) -> None:
    """Links to a file of the site, and to a place on a page, also where a list of files or a docstring makes them."""
    folder, _ = built
    places = {path: anchors(page) for path, page in pages.items()}
    for path, page in pages.items():
        for link in set(re.findall(r'\b(?:href|src)="([^"]*)"', page)):
            # Of the page for what is not found, nobody knows where it is shown: its links begin at the top.
            target, _, anchor = unquote(link).partition("#")
            if not re.match(r"https?:|mailto:|data:", target) and path != "404.html":
                there = (folder / path).parent / target if target else folder / path
                assert there.exists(), f"{path}: {link}"
                name = there.resolve().relative_to(folder.resolve()).as_posix()
                assert not anchor or name not in places or anchor in places[name], f"{path}: {link}"


def test_nothing_is_fetched_from_elsewhere(pages: dict[str, str]) -> None:
    """No font, script, style or picture of a page comes from another host."""
    for path, page in pages.items():
        loaded = re.findall(r"<(?:script|img|iframe)\b[^>]*\bsrc=\"([^\"]+)\"|<link\b[^>]*\bhref=\"([^\"]+)\"", page)
        assert [link for pair in loaded for link in pair if re.match(r"(?:https?:)?//", link)] == [], path


def test_every_command_is_on_the_site(pages: dict[str, str]) -> None:
    """The page of the command line has a heading for each command, and the navigation of every page leads to it."""
    commands = re.findall(r"^## `(.+)`$", (DOCS / "reference" / "cli.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert "friendshore plan CASE" in commands
    shown = re.findall(r"<h2[^>]*><code>([^<]+)</code>", pages["reference/cli.html"])
    assert [text.replace("&lt;", "<").replace("&gt;", ">") for text in shown] == commands
    assert 'href="reference/cli.html"' in pages["index.html"]


def public() -> Iterator[str]:
    """What a program or a plugin may rely on, by the name it goes by."""
    for module in (friendshore, friendshore_testing):
        yield from (f"{module.__name__}.{name}" for name in module.__all__)
    for module in (friendshore.errors, friendshore.hookspecs):
        own = [name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__]
        yield from (f"{module.__name__}.{name}" for name in own if not name.startswith("_"))


def records() -> Iterator[str]:
    """The records that answers consist of, by the module that holds each."""
    waiting: list[object] = [getattr(friendshore, name) for name in friendshore.__all__]
    seen: set[object] = set()
    while waiting:
        one = waiting.pop()
        waiting += typing.get_args(one)
        if not isinstance(one, type) or not one.__module__.startswith(("friendshore.", "friendshore_")) or one in seen:
            continue
        seen.add(one)
        if one.__name__ not in friendshore.__all__:
            yield f"{one.__module__}.{one.__name__}"
        if issubclass(one, BaseModel):
            waiting += [field.annotation for field in one.model_fields.values()]


def test_every_public_name_is_in_the_reference_of_the_library(pages: dict[str, str]) -> None:
    """Functions and classes, and the records that answers are made of, each have a place that can be linked to."""
    library = {name for path, page in pages.items() if path.startswith("reference/library/") for name in anchors(page)}
    assert sorted({*public(), *records()} - library) == []
