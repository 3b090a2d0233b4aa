"""Pictures of the documentation site, made by the commands that they show whenever the site is built.

`python docs/_site/pictures.py` writes those that the README shows, since code hosts run no commands. A test compares them with what the commands
print today. Comments in pages, which code hosts hide, say where pictures go:

- `<!-- screen: COMMAND && COMMAND -->`: what the last of these commands prints on a terminal.
- `<!-- made: FILE | CAPTION | … -->`: a file that the page's blocks of commands have written, with charts of it by their captions. A picture just before
  the comment opens the file.

Commands run in an empty folder, in which `docs` is the repository's.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from html import escape, unescape
from io import StringIO
from itertools import accumulate
from pathlib import Path
from posixpath import dirname, relpath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from rich.console import Console
from rich.text import Text

from friendshore_pages.html.svg import text_width, wrapped

ROOT = Path(__file__).parents[2]
FRONTIER = "The price of independence"
FRONTIER_TEXT = "Cheapest plan of the worked case for each cap on spend that depends on countries of concern"
README_PICTURES = ROOT / "docs" / "pictures"
README_DAY = "1795996800"
"""2026-11-30, after the last review of the law that the worked case uses."""
DAY = "1790726400"
"""2026-09-30. A case that `init` writes on this day starts on 2026-10-01, as in the text of the pages."""
SCREEN = re.compile(r"^<!-- screen: (.+) -->$", re.MULTILINE)
THUMBNAIL = re.compile(r"^(!\[[^\]\n]*\]\([^)\n]+\))(?=\n\n<!-- made: ([\w.-]+))", re.MULTILINE)
MADE = re.compile(r"^<!-- made: ([\w.-]+)((?: \| [^|\n]+)*) -->$", re.MULTILINE)
BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FIGURE = re.compile(r"<figure>.*?</figure>", re.DOTALL)
COLUMNS = 100
SVG = """<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg"><style>
.{unique_id}-matrix{{font:{char_height}px monospace;line-height:{line_height}px}}.{unique_id}-title{{font:18px sans-serif}}
{styles}</style><defs><clipPath id="{unique_id}-clip-terminal"><rect width="{terminal_width}" height="{terminal_height}"/></clipPath>{lines}</defs>
{chrome}<g transform="translate({terminal_x},{terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">{backgrounds}<g class="{unique_id}-matrix">{matrix}</g></g></svg>
"""
"""As rich draws a terminal, in a font of the reader's own machine."""
PICTURES = "pictures"
"""The folder beside a page that holds what is made for it."""
_made: dict[str, dict[str, bytes]] = {}


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Adds what is made for each page."""
    for page in list(files.documentation_pages()):
        _made[page.src_uri] = made(page.content_string)
        for name, content in _made[page.src_uri].items():
            files.append(File.generated(config, f"{folder(page)}/{name}", content=content))
    return files


def on_page_markdown(markdown: str, *, page: Page, **_: object) -> str:
    """The page with its pictures."""
    files, here = _made.get(page.file.src_uri, {}), relpath(folder(page.file), dirname(page.file.src_uri) or ".")
    shown = THUMBNAIL.sub(rf"[\1]({here}/\2)", markdown)
    shown = SCREEN.sub(lambda match: screen_shown(match[1], here), shown)
    return MADE.sub(lambda match: file_shown(match[1], captions(match), files, here), shown)


def folder(page: File) -> str:
    """Where on the site pictures of a page are."""
    return f"{dirname(page.src_uri)}/{PICTURES}".removeprefix("/")


def screen_shown(commands: str, here: str) -> str:
    """A terminal, in a box that scrolls where the window is narrower."""
    name = slug(commands)
    picture = f'<img src="{here}/{name}.svg" alt="{escape(last(commands))}: a terminal" loading="lazy">'
    box = f'<div class="screen" tabindex="0" role="group" aria-label="{escape(last(commands))}">{picture}</div>'
    return (
        f'<figure class="made">{box}<figcaption><a href="{here}/{name}.txt">The same as text</a></figcaption></figure>'
    )


def file_shown(name: str, titles: list[str], files: Mapping[str, bytes], here: str) -> str:
    """A file to open, under charts of it."""
    drawn = ""
    for title in titles:
        told = escape(unescape(" ".join(re.findall(r"<figcaption>.*?<span>([^<]*)", figure(files[name], title)))))
        wide, narrow = (f"{here}/{chart(name, title, width)}" for width in ("wide", "narrow"))
        image = f'<source media="(max-width: 58rem)" srcset="{narrow}"><img src="{wide}" alt="{escape(title)}. {told}" loading="lazy">'
        drawn += f'<strong>{escape(title)}</strong><a href="{here}/{name}"><picture>{image}</picture></a>'
    size = f"{len(files[name]) / 1000:,.0f} kB"
    return f'<figure class="made">{drawn}<figcaption><a href="{here}/{name}">{name}</a>, {size}</figcaption></figure>'


def captions(match: re.Match[str]) -> list[str]:
    """The charts that are shown of a file."""
    return [title.strip() for title in match[2].split(" | ")[1:]]


@cache
def made(markdown: str) -> dict[str, bytes]:
    """What is made for a page, by file name."""
    found: dict[str, bytes] = {}
    for commands in SCREEN.findall(markdown):
        with tempfile.TemporaryDirectory() as place:
            *before, shown = commands.split(" && ")
            day = DAY if "friendshore init" in commands else ""
            run("\n".join(before), Path(place), day)
            printed = Text.from_ansi(run(shown, Path(place), day))
            found[f"{slug(commands)}.svg"] = terminal(f"$ {shown}", printed).encode()
            found[f"{slug(commands)}.txt"] = f"{printed.plain}\n".encode()
    if MADE.search(markdown):
        with tempfile.TemporaryDirectory() as place:
            made = "\n".join(BLOCK.findall(markdown))
            run(made, Path(place), DAY if "friendshore init" in made else "")
            for match in MADE.finditer(markdown):
                found[match[1]] = (Path(place) / match[1]).read_bytes()
                found |= charts(match[1], found[match[1]], captions(match))
    return found


def run(commands: str, place: Path, day: str = "") -> str:
    """Return what commands print, in colors. They must succeed. They run on a given `day`, or today."""
    if not (place / "docs").exists():
        (place / "docs").symlink_to(ROOT / "docs")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    env = {**os.environ, "PATH": path, "FORCE_COLOR": "1", "COLUMNS": str(COLUMNS)}
    if day:
        env["SOURCE_DATE_EPOCH"] = day
    done = subprocess.run(  # noqa: S603
        ["bash", "-e", "-c", commands],  # noqa: S607
        cwd=place,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{commands}\n{done.stderr}"
    return done.stdout.rstrip("\n")


def terminal(title: str, printed: Text) -> str:
    """A terminal on which a text was printed."""
    console = Console(record=True, width=COLUMNS, file=StringIO(), force_terminal=True, color_system="truecolor")
    console.print(printed)
    return console.export_svg(title=title, code_format=SVG, unique_id="t")


def charts(name: str, page: bytes, titles: list[str]) -> Iterator[tuple[str, bytes]]:
    """Charts of a report, each a picture of its own for wide and for narrow windows."""
    text = page.decode() if titles else ""
    style = "".join(re.findall(r"<style>(.*?)</style>", text, re.DOTALL))
    own = "svg{font-family:var(--sans);fill:var(--ink);background:var(--paper);display:block!important}.swatch{fill:var(--c)}"
    for title in titles:
        for width in ("wide", "narrow"):
            head, drawing = one_picture(
                re.findall(rf'<svg([^>]*class="{width}"[^>]*)>(.*?)</svg>', figure(page, title), re.DOTALL)
            )
            head, drawing = with_legend(head, drawing, figure(page, title))
            drawn = f'<svg xmlns="http://www.w3.org/2000/svg"{head}><style>{style}{own}</style>{drawing}</svg>'
            yield chart(name, title, width), drawn.encode()


TITLE_SIZE, TITLE_LINE, TEXT_LINE = 15, 26, 16


def with_title(picture: str, title: str, text: str) -> str:
    """Return a picture below its title and lines of text, for places where it is alone."""
    size = re.search(r'viewBox="0 0 (\d+) (\d+)"', picture)
    assert size is not None
    width, height = map(int, size.groups())
    lines = [f'<text class="strong" y="{TITLE_SIZE}" font-size="{TITLE_SIZE}">{escape(title)}</text>']
    top = TITLE_LINE
    for line in wrapped(text, width, max_lines=3):
        lines.append(f'<text class="soft" y="{top + 10}">{escape(line)}</text>')
        top += TEXT_LINE
    head, drawing = picture.removesuffix("</svg>").split("</style>")
    width, height = width + 2 * MARGIN, height + top + 8 + 2 * MARGIN
    shown = f'width="{width * ALONE // 100}" height="{height * ALONE // 100}"'
    head = head.replace(size[0], f'{shown} viewBox="{-MARGIN} {-MARGIN} {width} {height}"')
    return f'{head}</style>{"".join(lines)}<g transform="translate(0 {top + 8})">{drawing}</g></svg>'


MARGIN, ALONE = 12, 125
"""Margin of a picture that is alone, and its size in percent."""


def with_legend(head: str, drawing: str, figure: str) -> tuple[str, str]:
    """The attributes and the content of a picture below its legend, which a page has beside the picture."""
    size = re.search(r'viewBox="0 0 (\d+) (\d+)"', head)
    assert size is not None
    width, height = map(int, size.groups())
    shown, x, y = [], 0.0, 0
    for class_, meaning in re.findall(r'<li><b class="(swatch [^"]*)"></b>([^<]*)</li>', figure):
        room = text_width(unescape(meaning)) + 36
        x, y = (0.0, y + 18) if x and x + room > width else (x, y)
        mark = f'<path class="held" d="M{x} {y + 6}h14"/>' if "line" in class_ else ""
        mark = mark or f'<rect class="{class_}" x="{x}" y="{y}" width="11" height="11"/>'
        hatched = "unknown" in class_ or "doubtful" in class_
        mark += f'<path class="hatch" d="M{x} {y + 5.5}h11" stroke-width="11"/>' if hatched else ""
        shown.append(f'{mark}<text class="soft" x="{x + 18}" y="{y + 10}">{meaning}</text>')
        x += room
    top = y + 28 if shown else 0
    head = head.replace(size[0], f'viewBox="0 0 {width} {height + top}"')
    return head, f'{"".join(shown)}<g transform="translate(0 {top})">{drawing}</g>'


def one_picture(parts: list[tuple[str, str]]) -> tuple[str, str]:
    """The attributes and what is in it of a picture; parts of a long chart stand below each other."""
    heads, drawings = zip(*parts, strict=True)
    if len(parts) == 1:
        return heads[0], drawings[0]
    tops = [0, *accumulate(int(re.findall(r'viewBox="0 0 \d+ (\d+)"', head)[0]) for head in heads)]
    moved = [f'<g transform="translate(0 {top})">{one}</g>' for top, one in zip(tops, drawings, strict=False)]
    return re.sub(r'(viewBox="0 0 \d+) \d+', rf"\1 {tops[-1]}", heads[0]), "".join(moved)


def figure(page: bytes, title: str) -> str:
    """A chart of a report, by its caption."""
    (found,) = (one for one in FIGURE.findall(page.decode()) if f"<strong>{escape(title)}</strong>" in one)
    return str(found)


def chart(name: str, title: str, width: str) -> str:
    """The file of a chart."""
    return f"{slug(f'{Path(name).stem} {title}')}.{width}.svg"


def slug(written: str) -> str:
    """A text as the name of a file."""
    return re.sub(r"\W+", "-", written.rpartition(" && ")[2]).strip("-").lower()


def last(commands: str) -> str:
    """The command that is shown."""
    return commands.rpartition(" && ")[2]


def of_readme() -> Iterator[tuple[str, bytes]]:
    """Yield the names and contents of the README's drawings."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        command = "friendshore plan docs/cases/us-2027"
        yield "plan.svg", terminal(f"$ {command}", Text.from_ansi(run(command, place, README_DAY))).encode()
        run("friendshore frontier docs/cases/us-2027 --quiet --out frontier.html", place, README_DAY)
        page = (place / "frontier.html").read_bytes()
        drawn = dict(charts("frontier.html", page, [FRONTIER]))
        narrow = drawn[chart("frontier.html", FRONTIER, "narrow")].decode()
        yield "frontier.svg", with_title(narrow, FRONTIER, FRONTIER_TEXT).encode()


FRAME = """document.body.append(Object.assign(document.createElement("div"), {id: "frame"}));
Object.assign(document.getElementById("frame").style, {position: "fixed", inset: 0, border: "1px solid #c4ccd4", zIndex: 9})"""
"""Script that draws a border, since white screenshots are shown on white."""


def screenshots() -> Iterator[tuple[str, bytes]]:
    """Yield the names and contents of the screenshots, which Chromium takes, or LibreOffice of the workbook."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        place = Path(folder)
        run("friendshore plan docs/cases/us-2027 --quiet --out run", place, README_DAY)
        run("friendshore report run --out report.html", place, README_DAY)
        run("friendshore interactive docs/cases/us-2027 --quiet --out interactive.html", place, README_DAY)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        window = browser.new_page(viewport={"width": 800, "height": 560}, device_scale_factor=1.25)
        window.goto((place / "report.html").as_uri())
        window.evaluate(FRAME)
        yield "report.png", window.screenshot()
        window.goto((place / "interactive.html").as_uri())
        window.evaluate("window.friendshore.ready.then(() => {})")
        window.get_by_role("button", name="Lose China").click()
        window.get_by_text("Not verified again").first.wait_for()
        window.evaluate(FRAME)
        yield "interactive.png", window.screenshot()
        browser.close()
        run("friendshore report run --out report.xlsx", place, README_DAY)
        run(
            f"soffice -env:UserInstallation={(place / 'office').as_uri()} --headless --convert-to pdf report.xlsx",
            place,
        )
        run("pdftoppm -png -singlefile -scale-to-x 1000 -scale-to-y -1 -W 1000 -H 700 report.pdf workbook", place)
        yield "workbook.png", (place / "workbook.png").read_bytes()


if __name__ == "__main__":
    for name, content in (*of_readme(), *(screenshots() if "--screenshots" in sys.argv else ())):
        (README_PICTURES / name).write_bytes(content)
