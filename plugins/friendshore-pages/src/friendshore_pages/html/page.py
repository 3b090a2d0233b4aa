"""A chart in a page: drawn for wide and narrow pages, described in words, with the table of its data."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import assert_never

from friendshore.document import elements as doc
from friendshore.document.charts import Bars, Chart, Flow, Ladder, Timeline, WorldMap
from friendshore.document.figures import headline

from .maps import flow, outlines, world_map
from .markup import Markup, Outline, framed, joined, own, phrase, prose, table, tag, text, tone
from .svg import SIZE, Picture, bars, days, ladder, timeline, untold

_WIDTHS = {"wide": 800.0, "narrow": 352.0}
_TELLING = "wide"
"""The picture whose parts have labels. The script copies them to the other picture, which has the same parts."""
_OPEN = 12
"""Maximum number of rows of a table that is open at first."""


def drawing(found: doc.Drawing, outline: Outline) -> Markup:
    """Return the chart and its table, folded if it is long."""
    caption = tag("figcaption", tag("strong", text(found.title)), tag("span", text(found.told)))
    outline.mapped = outline.mapped or isinstance(found.chart, WorldMap)
    pictures = [svg for class_, width in _WIDTHS.items() for svg in _svgs(found, width, class_, outline)]
    below = days(found.chart) if isinstance(found.chart, Timeline) else joined(())
    rows = len(found.table.rows)
    shown = tag(
        "details",
        tag("summary", text(f"Figures: {found.title}")),
        table(found.table, found.title),
        open="" if rows <= _OPEN else None,
    )
    return tag("figure", caption, *pictures, below, shown)


def _svgs(found: doc.Drawing, width: float, class_: str, outline: Outline) -> Iterator[Markup]:
    title, told = outline.fresh(f"{found.title} {class_}"), outline.fresh(f"{found.title} {class_} told")
    pictures = _pictures(found.chart, width, title)
    for place, picture in enumerate(pictures, 1):
        titled = f"{found.title} ({place} of {len(pictures)})" if len(pictures) > 1 else found.title
        if place > 1:
            title, told = outline.fresh(title), outline.fresh(told)
        yield tag(
            "svg",
            tag("title", text(titled), id=title),
            tag("desc", text(found.told), id=told),
            picture.content if class_ == _TELLING else untold(picture.content),
            viewBox=f"0 0 {picture.width:.0f} {picture.height:.0f}",
            role="img",
            aria_labelledby=title,
            aria_describedby=told,
            font_size=SIZE,
            class_=class_,
        )


def _pictures(chart: Chart, width: float, name: str) -> list[Picture]:
    """Return one picture, or several stacked ones. `name` is a prefix for ids of parts of maps."""
    match chart:
        case Bars():
            return [bars(chart, width)]
        case Flow():
            return [flow(chart, width)]
        case Timeline():
            return list(timeline(chart, width))
        case WorldMap():
            return [world_map(chart, width, name)]
        case Ladder():
            return [ladder(chart, width)]
        case _:
            assert_never(chart)


_ABREAST = 5
"""Maximum number of key figures in a row of a page."""


def parts(found: Iterable[doc.Element], level: int, under: str, outline: Outline) -> Iterator[Markup]:
    """Yield elements below a heading `under`. Their own headings have `level`."""
    tables = 0
    for part in found:
        if isinstance(part, doc.DataTable):
            tables += 1
            yield table(part, f"{under}, table {tables}" if tables > 1 else under)
        elif made := _element(part, level, under, outline):
            yield made


def _element(element: doc.Element, level: int, under: str, outline: Outline) -> Markup:
    match element:
        case doc.Sentence(phrases):
            return tag("p", joined(phrase(part) if isinstance(part, doc.Phrase) else prose(part) for part in phrases))
        case doc.Notes(texts, tone_):
            return tag("ul", joined(map(_note, texts)), class_=f"notes {tone(tone_) or ''}".strip())
        case doc.Verbatim(lines):
            return tag("pre", joined(map(text, lines), "\n"), tabindex="0")
        case doc.Pairs(rows):
            return tag("dl", joined(_pair(name, told) for name, told in rows), class_="pairs")
        case doc.KeyFigures(figures):
            return tag("dl", joined(map(_key_figure, figures)), class_=f"key k{_abreast(len(figures))}")
        case doc.DataTable():
            return table(element, under)
        case doc.Drawing():
            return drawing(element, outline)
        case doc.Section():
            return _section(element, level, under, outline)
        case _:
            assert_never(element)


def _section(section: doc.Section, level: int, under: str, outline: Outline) -> Markup:
    if not section.title:
        return tag("div", joined(parts(section.parts, level, under, outline), "\n"), class_="apart")
    place = len(outline.headings)
    heading = outline.heading(level, section.title, tone(section.tone))
    body = joined(parts(section.parts, level + 1, section.title, outline), "\n")
    if not body:
        del outline.headings[place:]
        return body
    return tag("section", heading, body)


def _note(note: str | doc.Quoted) -> Markup:
    if isinstance(note, str):
        return tag("li", prose(note))
    return tag("li", tag("span", joined(map(text, note.text.split("\n")), "\n"), class_="quoted"))


def _pair(name: str, told: str) -> Markup:
    return tag("div", tag("dt", text(name)), tag("dd", prose(told)))


def _abreast(figures: int) -> int:
    """Return the number of figures per row: at most five, with the fewest gaps."""
    rows = -(-figures // _ABREAST)
    return -(-figures // max(1, rows))


def _key_figure(figure: doc.KeyFigure) -> Markup:
    aside = tag("dd", text(figure.aside), class_="aside") if figure.aside else joined(())
    shown = tag("dd", text(headline(figure)))
    return tag("div", tag("dt", text(figure.name)), shown, aside, class_=tone(figure.tone))


_LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class Working:
    """An interactive part of a page, above the document, filled by its script."""

    title: str
    id: str
    """Id of the part for its script."""
    told: str
    """Text until its script has run, or without scripts."""
    style: str
    script: str
    data: Mapping[str, str]
    """Texts for the script, by the id of their element."""
    solves: bool = False
    """True if the script needs workers and WebAssembly, both from the page itself."""


def html(document: doc.Document, working: Working | None = None) -> str:
    """Return the document as a page. Equal documents give equal bytes.

    Raises:
        ValueError: If a text of `working` could end its element.
    """
    outline = Outline({"main", *(() if working is None else (working.id, *working.data))})
    works = own("") if working is None else _working(working)
    body = joined(parts(document.whole().parts, 2, document.title, outline), "\n")
    shown = tag(
        "body",
        tag("a", text("Skip to the content"), href="#main", class_="skip"),
        tag("header", tag("h1", text(document.title))),
        outline.contents(),
        tag("main", works, own("\n"), body, own("\n"), id="main", tabindex="-1"),
        _shared(outline),
        tag("script", own(_script())),
        own("") if working is None else tag("script", own(working.script)),
    )
    styles, scripts = [_style()], [_script()]
    also = ""
    if working is not None:
        styles, scripts = [*styles, working.style], [*scripts, working.script]
        also = " 'wasm-unsafe-eval'; worker-src blob:" if working.solves else ""
    page = tag("html", _head(document.title, styles, scripts, also), own("\n"), shown, lang=_LANGUAGE)
    return f"<!doctype html>\n{page}\n"


_LINE, _HEAD, _MOST = 25, 90, 1_200
"""Pixels of a line, of the frame around all lines, and of the height from which a frame scrolls."""


def frame(document: doc.Document, lines: int) -> str:
    """Return the document as a frame for another page, such as a notebook.

    Its styles, ids, and names stay within the frame, it loads nothing, and no script runs in it. `lines` is its approximate length, since a page
    can't ask its frame for the height.
    """
    outline = Outline({"main"})
    body = joined(parts(document.whole().parts, 2, document.title, outline), "\n")
    shown = tag("body", tag("header", tag("h1", text(document.title))), tag("main", body, id="main"), _shared(outline))
    page = tag("html", _head(document.title, [_style(), _IN_A_FRAME]), own("\n"), shown, lang=_LANGUAGE)
    return framed(f"<!doctype html>\n{page}\n", document.title, min(_HEAD + _LINE * lines, _MOST))


_IN_A_FRAME = "body{display:block}header{padding-top:.5rem}main{padding-bottom:1rem}h1{font-size:1.2rem}h2{font-size:1rem;margin-top:1rem}"


def _shared(outline: Outline) -> Markup:
    """Return the definitions that pictures refer to."""
    if not outline.mapped:
        return joined(())
    return tag("svg", tag("defs", outlines()), width=0, height=0, class_="shared", aria_hidden="true")


def _working(working: Working) -> Markup:
    held = [tag("script", own(value), id=name, type="text/plain") for name, value in working.data.items()]
    if any(end in value for value in (*working.data.values(), working.script, working.style) for end in ("</", "<!")):
        raise ValueError(f"a text of the part `{working.id}` could end its element")
    return tag(
        "section", tag("h2", text(working.title)), tag("div", tag("p", text(working.told)), id=working.id), *held
    )


def _head(title: str, styles: Sequence[str], scripts: Sequence[str] = (), also: str = "") -> Markup:
    allowed = f"script-src {' '.join(map(_hash, scripts))}{also}; " if scripts else ""
    policy = (
        f"default-src 'none'; style-src {' '.join(map(_hash, styles))}; {allowed}base-uri 'none'; form-action 'none'"
    )
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", text(title)),
        *(tag("style", own(style)) for style in styles),
    )


@cache
def _style() -> str:
    return _file("page.css")


@cache
def _script() -> str:
    return _file("page.js")


def _file(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _hash(held: str) -> str:
    """Return the hash by which a policy allows exactly this style sheet or script."""
    return f"'sha256-{b64encode(sha256(held.encode()).digest()).decode()}'"
