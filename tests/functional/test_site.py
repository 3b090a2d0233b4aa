"""The documentation site is built without a warning, and everything that is documented is on it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest
from markdown_it import MarkdownIt

from .program import create_once

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
LIBRARY = DOCS / "reference" / "library"
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("plugins/*/README.md"), *DOCS.rglob("*.md")])
FORMULA = re.compile(r"```math\n.*?\n```|\$`[^`\n]+`\$", re.DOTALL)
PICTURE = re.compile(r"^<!-- (screen|made): (.+) -->$", re.MULTILINE)
PICTURED = [page for page in PAGES if PICTURE.search(page.read_text(encoding="utf-8"))]
BLOCK = re.compile(r"<(blockquote|h[1-4]|li|ol|pre|table|td|th|tr|ul)\b")
pytestmark = pytest.mark.nightly


@pytest.fixture(scope="module")
def built() -> tuple[Path, str]:
    """The folder of the site, and what was printed."""
    pytest.importorskip("mkdocs", reason="the site is built by mkdocs, which is not installed")
    return create_once("site", build)


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
    """Return the path of a page of the repository on the site."""
    path = page.relative_to(DOCS if DOCS in page.parents else ROOT)
    return (path.with_name("index.html") if path.name == "README.md" else path.with_suffix(".html")).as_posix()


def anchors(page: str) -> set[str]:
    """Return the ids on a page."""
    return set(re.findall(r'\bid="([^"]+)"', page))


def test_the_site_is_built_without_a_warning_from_every_page_and_file(built: tuple[Path, str]) -> None:
    """Also from the pages of the plugins; cases, catalogs, and schemas are as they are."""
    folder, printed = built
    assert [line for line in printed.splitlines() if not line.startswith("INFO ")] == []
    assert [page for page in PAGES if not (folder / place(page)).is_file()] == []
    for path in DOCS.rglob("*"):
        if path.is_file() and path.suffix != ".md" and "_site" not in path.parts:
            assert (folder / path.relative_to(DOCS)).read_bytes() == path.read_bytes()


def shape(page: str) -> tuple[Counter[str], list[str]]:
    """Return the number of blocks of each sort on a page, and its code."""
    code = re.findall(r"<code\b[^>]*>(.*?)</code>", page, re.DOTALL)
    return Counter(BLOCK.findall(page)), [unescape(re.sub("<[^>]+>", "", text)).strip() for text in code]


def test_pages_read_the_same_in_the_repository_and_on_the_site(pages: dict[str, str]) -> None:
    """Two readers of Markdown find the same headings, lists, tables, and code."""
    markdown = MarkdownIt("commonmark").enable("table")
    for page in PAGES:
        if LIBRARY not in page.parents:
            article = re.search("<article.*</article>", pages[place(page)], re.DOTALL)
            assert article is not None, page
            here = markdown.render(FORMULA.sub("", page.read_text(encoding="utf-8")))
            assert shape(article[0]) == shape(here), page


def test_every_formula_is_set(pages: dict[str, str]) -> None:
    """As MathML, with nothing left as it was written."""
    written = {page: len(FORMULA.findall(page.read_text(encoding="utf-8"))) for page in PAGES}
    assert sum(written.values()) > 40
    for page, count in written.items():
        assert pages[place(page)].count("<math ") == count, page
        shown = re.sub("<m([io])>&#", r"<m\1>", pages[place(page)])
        assert not re.search(r"<m[ion]>[&\\]|formulahere", shown), page


def test_pictures_are_what_commands_give(built: tuple[Path, str], pages: dict[str, str]) -> None:
    """Each comment is a picture of a terminal or of a report, and requests nothing."""
    folder, _ = built
    assert len(PICTURED) == 2
    for page in PICTURED:
        shown, here = pages[place(page)], (folder / place(page)).parent
        assert not re.search("<!-- (screen|made)", shown)
        images = re.findall(r'<(?:img|source)[^>]* (?:src|srcset)="(pictures/[^"]+)"', shown)
        assert len(images) >= len(PICTURE.findall(page.read_text(encoding="utf-8"))) - 2
        for name in images:
            if name.endswith(".png"):
                assert (here / name).read_bytes().startswith(b"\x89PNG"), name
                continue
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


def test_every_link_leads_somewhere(built: tuple[Path, str], pages: dict[str, str]) -> None:
    """Also those that a list of files or a docstring makes."""
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


def test_every_name_of_the_library_has_an_anchor(pages: dict[str, str]) -> None:
    """Other pages can link to each function and class."""
    names = {
        name
        for page in LIBRARY.glob("*.md")
        for name in re.findall(r"^::: (\S+)$", page.read_text("utf-8"), re.MULTILINE)
    }
    shown = {name for path, page in pages.items() if path.startswith("reference/library/") for name in anchors(page)}
    assert sorted(names - shown) == []
