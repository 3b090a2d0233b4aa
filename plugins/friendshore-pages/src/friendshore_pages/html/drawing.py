"""A chart in a page: drawn for a wide and for a narrow one, told in words, with the table of what it shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from friendshore.document import elements as doc
from friendshore.document.charts import Bars, Chart, Flow, Ladder, Timeline, WorldMap

from .bars import bars
from .flow import flow
from .ladder import ladder
from .markup import Markup, joined, tag, text
from .outline import Outline
from .svg import SIZE, Picture, untold
from .tables import table
from .timeline import days, timeline
from .world import world_map

_WIDTHS = {"wide": 800.0, "narrow": 352.0}
_TELLING = "wide"
"""The picture that tells what its parts are; the script knows it of the other, whose parts are the same."""
_OPEN = 12
"""Rows up to which a table stands open."""


def drawing(found: doc.Drawing, outline: Outline) -> Markup:
    """The chart, and its table, folded if it is long."""
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
    """One, or several below each other; `name` is an id of which those of parts of a map are made."""
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
