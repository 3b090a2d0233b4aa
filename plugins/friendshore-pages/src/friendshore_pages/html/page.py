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
from friendshore.document.charts import Bars, Chart, Curve, Flow, Ladder, Timeline
from friendshore.document.figures import headline
from friendshore.document.tones import Tone

from .curve import curve, unnamed_parts
from .flows import flow
from .markup import KEY, Markup, Outline, iframe, joined, legend, phrase, prose, table, tag, text, tone_class, trusted
from .svg import (
    SIZE,
    Picture,
    bars,
    days,
    fill_class,
    ladder,
    rung_class,
    series_classes,
    timeline,
    without_tooltips,
)

_WIDTHS = {"wide": 800.0, "narrow": 352.0}
_LABELED = "wide"
"""The picture whose parts have labels. The script copies them to the other picture, which has the same parts."""


def drawing(data: doc.Drawing, outline: Outline) -> Markup:
    caption = tag("figcaption", tag("strong", text(data.title)), tag("span", text(data.description)))
    pictures = [svg for class_, width in _WIDTHS.items() for svg in _svg_elements(data, width, class_, outline)]
    day_list = days(data.chart) if isinstance(data.chart, Timeline) else joined(())
    figures = tag("details", tag("summary", text(f"Figures: {data.title}")), table(data.table, data.title))
    return tag("figure", caption, legend(_legend_entries(data)), *pictures, day_list, figures)


def _legend_entries(data: doc.Drawing) -> list[tuple[str, str]]:
    """Return the color class and the meaning of each color in a chart."""
    match data.chart:
        case Bars(_, series, _, line):
            names = [*zip(series_classes(series), (part.name for part in series), strict=True)]
            return [*names, *([("line", line.name)] if line else [])]
        case Curve(series=series):
            unnamed = unnamed_parts(data.chart, _WIDTHS.values())
            classes = zip(series_classes(series), series, strict=True)
            return [(class_, part.name) for class_, part in classes if part in unnamed]
        case Flow(streams=streams):
            tones = [stream.tone for stream in streams]
        case Timeline(rows=rows):
            tones = [span.tone for row in rows for span in row.spans]
        case Ladder(rungs, unit):
            tones = [rung.tone for rung in rungs if rung.value is not None]
            is_short = Tone.BAD in tones
            words = {Tone.PLAIN: "nothing short" if is_short else unit, Tone.BAD: "something short"} | dict(data.key)
            targets = [("target", "value to reach")] if any(rung.target is not None for rung in rungs) else []
            return [*((rung_class(tone), words.get(tone, KEY[tone])) for tone in KEY if tone in tones), *targets]
        case _:
            assert_never(data.chart)
    words = KEY | dict(data.key)
    return [(fill_class(tone), words[tone]) for tone in KEY if tone in tones]


def _svg_elements(data: doc.Drawing, width: float, class_: str, outline: Outline) -> Iterator[Markup]:
    title_id, description_id = (
        outline.new_id(f"{data.title} {class_}"),
        outline.new_id(f"{data.title} {class_} description"),
    )
    pictures = _pictures(data.chart, width)
    for number, picture in enumerate(pictures, 1):
        title = f"{data.title} ({number} of {len(pictures)})" if len(pictures) > 1 else data.title
        if number > 1:
            title_id, description_id = outline.new_id(title_id), outline.new_id(description_id)
        yield tag(
            "svg",
            tag("title", text(title), id=title_id),
            tag("desc", text(data.description), id=description_id),
            picture.content if class_ == _LABELED else without_tooltips(picture.content),
            viewBox=f"0 0 {picture.width:.0f} {picture.height:.0f}",
            role="img",
            aria_labelledby=title_id,
            aria_describedby=description_id,
            font_size=SIZE,
            class_=class_,
        )


def _pictures(chart: Chart, width: float) -> list[Picture]:
    """Return one picture, or several stacked ones."""
    match chart:
        case Bars():
            return [bars(chart, width)]
        case Flow():
            return [flow(chart, width)]
        case Timeline():
            return list(timeline(chart, width))
        case Curve():
            return [curve(chart, width)]
        case Ladder():
            return [ladder(chart, width)]
        case _:
            assert_never(chart)


_MAX_PER_ROW = 5


def parts(elements: Iterable[doc.Element], level: int, heading: str, outline: Outline) -> Iterator[Markup]:
    tables = 0
    for element in elements:
        if isinstance(element, doc.DataTable):
            tables += 1
            yield table(element, f"{heading}, table {tables}" if tables > 1 else heading)
        elif markup := _element(element, level, heading, outline):
            yield markup


def _element(element: doc.Element, level: int, heading: str, outline: Outline) -> Markup:
    match element:
        case doc.Sentence(phrases):
            return tag("p", joined(phrase(part) if isinstance(part, doc.Phrase) else prose(part) for part in phrases))
        case doc.Notes(texts, tone_):
            return tag("ul", joined(map(_note, texts)), class_=f"notes {tone_class(tone_) or ''}".strip())
        case doc.Verbatim(lines):
            return tag("pre", joined(map(text, lines), "\n"), tabindex="0")
        case doc.Pairs(rows):
            return tag("dl", joined(_pair(name, value) for name, value in rows), class_="pairs")
        case doc.KeyFigures(figures):
            return tag("dl", joined(map(_key_figure, figures)), class_=f"key k{_figures_per_row(len(figures))}")
        case doc.DataTable():
            return table(element, heading)
        case doc.Drawing():
            return drawing(element, outline)
        case doc.Section():
            return _section(element, level, heading, outline)
        case _:
            assert_never(element)


def _section(section: doc.Section, level: int, outer_title: str, outline: Outline) -> Markup:
    if not section.title:
        return tag("div", joined(parts(section.parts, level, outer_title, outline), "\n"), class_="apart")
    headings_before = len(outline.headings)
    heading = outline.heading(level, section.title, tone_class(section.tone), is_listed=not section.folded)
    body = joined(parts(section.parts, level + 1, section.title, outline), "\n")
    if not body:
        del outline.headings[headings_before:]
        return body
    if section.folded:
        return tag("details", tag("summary", heading), body, class_="fold")
    return tag("section", heading, body)


def _note(note: str | doc.Quoted) -> Markup:
    if isinstance(note, str):
        return tag("li", prose(note))
    return tag("li", tag("span", joined(map(text, note.text.split("\n")), "\n"), class_="quoted"))


def _pair(name: str, value: str) -> Markup:
    return tag("div", tag("dt", text(name)), tag("dd", prose(value)))


def _figures_per_row(figures: int) -> int:
    rows = -(-figures // _MAX_PER_ROW)
    return -(-figures // max(1, rows))


def _key_figure(figure: doc.KeyFigure) -> Markup:
    aside = tag("dd", text(figure.aside), class_="aside") if figure.aside else joined(())
    value = tag("dd", text(headline(figure)))
    return tag("div", tag("dt", text(figure.name)), value, aside, class_=tone_class(figure.tone))


_LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class InteractivePart:
    """A part of a page above the document that a script fills."""

    title: str
    id: str
    fallback: str
    """Text shown without scripts, or until the script has run."""
    style: str
    script: str
    data: Mapping[str, str]
    """Texts for the script, by the id of their element."""
    solves: bool = False
    """True if the script needs workers and WebAssembly, which the page itself contains."""


def html(document: doc.Document, interactive: InteractivePart | None = None) -> str:
    """Return the document as a page. Equal documents give equal bytes.

    Raises:
        ValueError: If a text of `interactive` could end its element.
    """
    outline = Outline({"main", *(() if interactive is None else (interactive.id, *interactive.data))})
    interactive_markup = trusted("") if interactive is None else _interactive_part(interactive, outline)
    body = joined(parts(document.whole().parts, 2, document.title, outline), "\n")
    body_element = tag(
        "body",
        tag("a", text("Skip to the content"), href="#main", class_="skip"),
        tag("header", tag("h1", text(document.title))),
        outline.contents(),
        tag("main", interactive_markup, trusted("\n"), body, trusted("\n"), id="main", tabindex="-1"),
        tag("script", trusted(_script())),
        trusted("") if interactive is None else tag("script", trusted(interactive.script)),
    )
    styles, scripts = [_style()], [_script()]
    extra_policy = ""
    if interactive is not None:
        styles, scripts = [*styles, interactive.style], [*scripts, interactive.script]
        extra_policy = " 'wasm-unsafe-eval'; worker-src blob:" if interactive.solves else ""
    page = tag(
        "html", _head(document.title, styles, scripts, extra_policy), trusted("\n"), body_element, lang=_LANGUAGE
    )
    return f"<!doctype html>\n{page}\n"


_LINE_HEIGHT, _FRAME_HEIGHT, _MAX_HEIGHT = 25, 90, 1_200
"""Pixels of a line, of the frame around all lines, and of the height from which a frame scrolls."""


def frame(document: doc.Document, lines: int) -> str:
    """Return the document as a frame for another page, such as a notebook.

    Its styles and ids stay within the frame. It loads nothing and runs no script. `lines` is its approximate length, since a page can't ask its
    frame for the height.
    """
    outline = Outline({"main"})
    body = joined(parts(document.whole().parts, 2, document.title, outline), "\n")
    body_element = tag("body", tag("header", tag("h1", text(document.title))), tag("main", body, id="main"))
    page = tag("html", _head(document.title, [_style(), _FRAME_STYLE]), trusted("\n"), body_element, lang=_LANGUAGE)
    return iframe(f"<!doctype html>\n{page}\n", document.title, min(_FRAME_HEIGHT + _LINE_HEIGHT * lines, _MAX_HEIGHT))


_FRAME_STYLE = "body{display:block}header{padding-top:.5rem}main{padding-bottom:1rem}h1{font-size:1.2rem}h2{font-size:1rem;margin-top:1rem}"


def _interactive_part(interactive: InteractivePart, outline: Outline) -> Markup:
    data_elements = [
        tag("script", trusted(value), id=name, type="text/plain") for name, value in interactive.data.items()
    ]
    if any(
        end in value
        for value in (*interactive.data.values(), interactive.script, interactive.style)
        for end in ("</", "<!")
    ):
        raise ValueError(f"a text of the part `{interactive.id}` could end its element")
    return tag(
        "section",
        outline.heading(2, interactive.title, None),
        tag("div", tag("p", text(interactive.fallback)), id=interactive.id),
        *data_elements,
    )


def _head(title: str, styles: Sequence[str], scripts: Sequence[str] = (), extra_policy: str = "") -> Markup:
    scripts_allowed = f"script-src {' '.join(map(_hash, scripts))}{extra_policy}; " if scripts else ""
    policy = f"default-src 'none'; style-src {' '.join(map(_hash, styles))}; {scripts_allowed}base-uri 'none'; form-action 'none'"
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", text(title)),
        *(tag("style", trusted(style)) for style in styles),
    )


@cache
def _style() -> str:
    return _file("page.css")


@cache
def _script() -> str:
    return _file("page.js")


def _file(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _hash(content: str) -> str:
    """Return the hash by which a security policy allows exactly this style sheet or script."""
    return f"'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'"
