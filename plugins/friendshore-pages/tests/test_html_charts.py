"""Charts as pictures: what is drawn is as large as what it stands for, and every word of a picture is in it and can be read."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import combinations
from typing import NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.html_pages import Node, page

from friendshore.document.charts import (
    Bars,
    Chart,
    Curve,
    Flow,
    Ladder,
    Rung,
    Series,
    Stream,
    Timeline,
    TimelineMark,
    TimelineRow,
    TimelineSpan,
)
from friendshore.document.charts import Node as Place
from friendshore.document.elements import Column, Drawing, figures, table
from friendshore.document.tones import Tone
from friendshore_pages.html.svg import shortened, spread_out, text_width, ticks

D = Decimal


def drawn(chart: Chart) -> Node:
    """A page with a chart."""
    return page(Drawing("A chart", "What it shows.", chart, table([Column("What"), figures("Figure")], [["a", "1"]])))


def pictures(chart: Chart) -> list[Node]:
    """A chart as it is drawn for a wide and for a narrow page."""
    return drawn(chart).one("figure").all("svg")


def told(chart: Chart) -> list[str]:
    """What its parts say when they are pointed at; those of the narrow picture are the same, in the same order."""
    wide, narrow = pictures(chart)
    found = parts(wide)
    assert [(node.name, node.attributes.get("class")) for _, node in found] == [
        (node.name, node.attributes.get("class")) for _, node in parts(narrow)
    ]
    assert not narrow.all("title")[1:]
    return [": ".join(filter(None, (name, node.one("title").text))) for name, node in found if node.all("title")]


def parts(picture: Node) -> list[tuple[str, Node]]:
    """The parts of a picture, each with the name that is told with it."""
    found = []
    for group in picture.all("g"):
        if "parts" in group.attributes.get("class", "").split():
            inside = [node for node in group.inside if isinstance(node, Node)]
            name = "".join(node.text for node in inside if node.name == "title")
            found += [(name, node) for node in inside if node.name != "title"]
    return found


class Box(NamedTuple):
    """A rectangle of a picture."""

    x: float
    y: float
    width: float
    height: float


def number(node: Node, name: str) -> float:
    """An attribute that is a number."""
    return float(node.attributes[name])


def rectangles(picture: Node) -> list[Box]:
    """The parts that are drawn as rectangles."""
    found = (
        re.fullmatch(r"M(\S+) (\S+)h(\S+)v(\S+)h-\S+z", node.attributes.get("d", "")) for _, node in parts(picture)
    )
    return [Box(*map(float, one.groups())) for one in found if one]


def across(node: Node) -> float:
    """How wide an outline of a stream is where it begins."""
    found = [float(one) for one in re.findall(r"[-\d.]+", node.attributes["d"])]
    return found[0] - found[-2]


BARS = Bars(
    ("2027", "2028"), (Series("tin", (D(1000), D(3000))), Series("lost", (D(500), D(0)), Tone.BAD)), "kg", Series("wanted", (D(2000), D(2000)))
)  # fmt: skip
FLOW = Flow(
    ("Mine", "User"), (Place("a", "A", 0), Place("b", "B", 0), Place("u", "User", 1)),
    (Stream("a", "u", D(300), ""), Stream("b", "u", D(100), "late", Tone.DOUBTFUL)), "t",
)  # fmt: skip
TIMELINE = Timeline(
    date(2027, 1, 1), date(2028, 12, 31),
    (TimelineRow("tin", (TimelineSpan(date(2026, 1, 1), date(2027, 12, 31), "on its way"),)), TimelineRow("lead")),
    (TimelineMark(date(2028, 1, 2), "second"), TimelineMark(date(2028, 1, 1), "first"), TimelineMark(date(2031, 1, 1), "beyond")),
)  # fmt: skip
CURVE = Curve(
    (D(100), D(90), D(0)), "Cap", "USD",
    (Series("concern", (D(100), D(90), D(0)), Tone.CONCERN), Series("other", (D(20), D(40), D(30)))),
    "USD", ("Today", "", "None left"), (Series("tin, lead", (D(0), D(0), D(2)), Tone.BAD),), "short",
)  # fmt: skip
LADDER = Ladder((Rung("A", D(10), "chosen"), Rung("B", D(20), "", target=D(10)), Rung("C", None, "no price")), "USD/kg")
CHARTS = {"bars": BARS, "flow": FLOW, "timeline": TIMELINE, "curve": CURVE, "ladder": LADDER}


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_told_and_stands_beside_its_table(name: str) -> None:
    """It is a picture with a name and a description, for a wide and for a narrow page, and its table is below it."""
    root = drawn(CHARTS[name])
    figure = root.one("figure")
    ids = {node.attributes["id"]: node for node in root.walk() if "id" in node.attributes}
    assert [svg.attributes["class"] for svg in figure.all("svg")] == ["wide", "narrow"]
    for svg in figure.all("svg"):
        assert svg.attributes["role"] == "img"
        assert ids[svg.attributes["aria-labelledby"]].text == "A chart"
        assert ids[svg.attributes["aria-describedby"]].text == "What it shows."
    assert figure.one("table").one("caption").text == "A chart"
    keys = {node.attributes["class"].removeprefix("swatch ") for legend in figure.all("ul") for node in legend.all("b")}
    keys |= {word for node in figure.all("text") for word in node.attributes.get("class", "").split()}
    keys |= {"f-plain0"} if name == "timeline" else set()
    used = {
        word
        for svg in figure.all("svg")
        for node in svg.all("g") + svg.all("path")
        for word in node.attributes.get("class", "").split()
        if word.startswith("f-")
    }
    assert used <= keys


def test_bars_are_as_high_as_their_figures() -> None:
    """In one scale, parts on each other, in a unit that fits, each told."""
    for picture in pictures(BARS):
        first, third, second = rectangles(picture)
        assert second.height == pytest.approx(first.height / 2, abs=0.2)
        assert third.height == pytest.approx(first.height * 3, abs=0.2)
        assert second.y + second.height == pytest.approx(first.y, abs=0.2)
        assert [group.attributes["class"] for group in picture.all("g")] == [
            "parts bar f-plain0",
            "parts bar f-bad",
            "parts held",
        ]
        words = [node.text for node in picture.all("text")]
        assert {"t", "2027", "2028"} <= set(words)
    assert [item.text for item in drawn(BARS).one("figure").one("ul").all("li")] == ["tin", "lost", "wanted"]
    assert told(BARS) == [
        "tin: 2027, 1 t", "tin: 2028, 3 t", "lost: 2027, 500 kg", "wanted: 2027, 2 t; 2028, 2 t",
    ]  # fmt: skip


def test_streams_are_as_wide_as_what_flows() -> None:
    """And nodes as high, or as wide where layers stand below each other; a name stands with its amount; what flows to one node adds up there."""
    for picture, side in zip(pictures(FLOW), ("height", "width"), strict=True):
        nodes = [getattr(node, side) for node in rectangles(picture)]
        assert nodes == pytest.approx([nodes[0], nodes[0] / 3, nodes[0] * 4 / 3], abs=0.2)
        streams = [node for node in picture.all("path") if node.attributes.get("class") != "hatch"]
        wide = [number(node, "stroke-width") for node in streams if "stroke-width" in node.attributes]
        wide = wide or [across(node) for node in streams if node.attributes["d"].count("C") == 2]
        assert wide == pytest.approx([nodes[0] - 1, nodes[1] - 1], abs=0.2)
        words = " ".join(node.text for node in picture.all("text"))
        assert "User 400 t" in words or "400 t User" in words
    assert told(FLOW)[:2] == ["A to User: 300 t", "B to User: late"]


def test_a_stream_passes_a_layer_beside_its_nodes() -> None:
    """It goes by where there is room, and not over a node in which it does not stop; what a maker takes and what it gives may weigh otherwise."""
    nodes = (Place("a", "A", 0), Place("b", "B", 0), Place("m", "Maker", 1), Place("u", "User", 2))
    streams = (Stream("a", "m", D(100), ""), Stream("m", "u", D(200), ""), Stream("b", "u", D(150), ""))
    chart = Flow(("from", "by", "to"), nodes, streams, "t")
    wide = next(iter(pictures(chart)))
    maker = rectangles(wide)[2]
    (passing,) = [node.attributes["d"] for node in wide.all("path") if node.attributes.get("d", "").count("C") == 2]
    at = float(passing.split("C")[1].split("L")[0].split()[-1])
    assert not maker.y - 1 < at < maker.y + maker.height + 1
    assert "Maker: takes 100 t, gives 200 t" in told(chart)


def test_days_stand_where_they_belong() -> None:
    """Spans are cut at the ends of the picture, days outside it are left to the table; those that matter to all are numbered and told below."""
    root = drawn(TIMELINE)
    assert [item.text for item in root.one("figure").all("ul")[1].all("li")] == [
        "12028-01-01: first",
        "22028-01-02: second",
    ]
    for picture in root.one("figure").all("svg"):
        (span,) = rectangles(picture)
        first = next(node for node in picture.all("path") if node.attributes.get("class") == "day")
        assert span.x >= 0
        day = float(first.attributes["d"].split("L")[1].split()[0])
        assert span.x + span.width == pytest.approx(day, abs=0.2)
        assert {"2028", "tin", "lead"} <= {node.text for node in picture.all("text")}
    assert told(TIMELINE) == ["2028-01-01: first", "2028-01-02: second", "tin: on its way"]


def test_areas_are_as_high_as_their_amounts_and_rows_are_below_them() -> None:
    """The measure falls to the right, the areas of a point are stacked, and a row's bar starts at the point before its first value."""
    for picture in pictures(CURVE):
        areas = [group for group in picture.all("g") if "area" in group.attributes["class"].split()]
        outlines = [group.all("path")[0].attributes["d"] for group in areas[:2]]
        concern, other = (
            [list(map(float, re.findall(r"[-\d.]+", point))) for point in re.split("[ML]", outline)[1:]]
            for outline in outlines
        )
        xs = [x for x, _ in concern[:3]]
        assert xs == sorted(xs)
        assert (xs[1] - xs[0]) * 9 == pytest.approx(xs[2] - xs[1], abs=1)
        base = concern[-1][1]
        heights = [[base - y for _, y in points[:3]] for points in (concern, other)]
        assert heights[1] == pytest.approx([heights[0][0] * share for share in (1.2, 1.3, 0.3)], abs=0.3)
        (step,) = rectangles(picture)
        assert (step.x, step.x + step.width) == pytest.approx((xs[1], xs[2]), abs=0.2)
        texts = {node.text: node for node in picture.all("text")}
        assert {"Today", "None left", "short", "tin, lead"} <= set(texts)
        assert number(texts["tin, lead"], "y") > number(texts["short"], "y") > base


def test_areas_have_their_names_on_them() -> None:
    """A name is in its area, in the class of its color. Only an area that is too small for its name is in the legend."""
    thin = Series("thin", (D(1), D(1), D(1)), Tone.UNKNOWN)
    for picture in pictures(replace(CURVE, series=(*CURVE.series, thin))):
        names = {node.text: node for node in picture.all("text") if "named" in node.attributes.get("class", "").split()}
        classes = {name: node.attributes["class"].split()[1] for name, node in names.items()}
        assert classes == {"concern": "f-concern0", "other": "f-plain0"}
        concern = next(group for group in picture.all("g") if "f-concern0" in group.attributes["class"].split())
        outline = [
            tuple(map(float, re.findall(r"[-\d.]+", point)))
            for point in re.split("[ML]", concern.all("path")[0].attributes["d"])[1:]
        ]
        x, y = number(names["concern"], "x"), number(names["concern"], "y")
        (_, left_y), (end_x, end_y) = outline[1], outline[2]
        start_x = outline[1][0]
        top = left_y + (end_y - left_y) * (x - start_x) / (end_x - start_x)
        assert top < y - 4 < outline[-1][1]
    figure = drawn(replace(CURVE, series=(*CURVE.series, thin))).one("figure")
    assert [item.text for item in figure.one("ul").all("li")] == ["thin"]


def test_a_rung_is_as_long_as_its_price() -> None:
    """What it would have to be is a line across it; where there is no price it is said why."""
    for picture in pictures(LADDER):
        first, second = rectangles(picture)
        assert second.width == pytest.approx(2 * first.width, abs=0.2)
        assert {"A", "10", "B", "20 → 10", "C", "no price"} <= {node.text for node in picture.all("text")}
    assert told(LADDER) == ["A: chosen", "B: 20 USD/kg", "B: 10 USD/kg"]


# ------------------------------------------------------------------------------------------------------- any chart


TONES = st.sampled_from(Tone)
NAMES = st.text("abcdefgh MWil-,éñ你<&", max_size=30)
AMOUNTS = st.integers(0, 10**12).map(lambda whole: D(whole) / 1000) | st.sampled_from((D(0), D("0.001"), D(10) ** 12))
MONEY = st.integers(-(10**7), 10**9).map(lambda whole: D(whole) / 100)
DAYS = st.integers(-400, 3000).map(lambda days: date(2027, 1, 1) + timedelta(days))


LABELS = st.sampled_from([
    lambda i: f"{2027 + i}", lambda i: f"{2027 + i // 4}-Q{i % 4 + 1}", lambda i: f"{2027 + i // 12}-{i % 12 + 1:02}",
])  # fmt: skip


@st.composite
def any_bars(draw: st.DrawFn) -> Bars:
    """Bars by quarters, months or years."""
    count = draw(st.integers(0, 70))
    values = st.lists(AMOUNTS, min_size=count, max_size=count).map(tuple)
    series = draw(st.lists(st.builds(Series, NAMES, values, TONES), max_size=10))
    line = draw(st.none() | st.builds(Series, NAMES, values))
    labels = tuple(map(draw(LABELS), range(count)))
    return Bars(labels, tuple(series), draw(st.sampled_from(("kg", "t", "USD"))), line)


@st.composite
def any_curve(draw: st.DrawFn) -> Curve:
    """Areas over a measure that falls."""
    count = draw(st.integers(2, 16))
    values = st.lists(AMOUNTS, min_size=count, max_size=count).map(tuple)
    x = sorted(draw(st.lists(AMOUNTS, min_size=count, max_size=count, unique=True)), reverse=True)
    series = draw(st.lists(st.builds(Series, NAMES, values, TONES), min_size=1, max_size=3))
    counts = st.lists(st.integers(0, 2).map(D), min_size=count, max_size=count).map(tuple)
    rows = draw(st.lists(st.builds(Series, NAMES, counts, TONES), max_size=4))
    labels = ["" for _ in range(count)]
    labels[0], labels[-1] = draw(NAMES), draw(NAMES)
    return Curve(
        tuple(x), draw(NAMES), "USD", tuple(series), "USD", tuple(labels), tuple(rows), draw(NAMES), draw(NAMES)
    )


@st.composite
def any_flow(draw: st.DrawFn) -> Flow:
    """Nodes in up to five layers, with streams between any."""
    layers = draw(st.integers(1, 5))
    nodes = [
        Place(f"{layer} {i}", draw(NAMES), layer, draw(TONES)) for layer in range(layers) for i in range(draw(st.integers(0, 9)))
    ]  # fmt: skip
    pairs = [(a.id, b.id) for a in nodes for b in nodes if a.layer < b.layer]
    chosen = draw(st.lists(st.sampled_from(pairs), max_size=20)) if pairs else []
    streams = tuple(Stream(a, b, draw(AMOUNTS), draw(NAMES), draw(TONES)) for a, b in chosen)
    return Flow(tuple(draw(NAMES) for _ in range(layers)), tuple(nodes), streams, "kg")


def test_a_long_timeline_is_drawn_in_parts_between_which_paper_can_end() -> None:
    """Of about as many rows, each row in one of them, each with the years above it; a short one is one picture."""
    rows = tuple(
        TimelineRow(f"supplier {n}", (TimelineSpan(date(2027, 2, 1), date(2027, 5, 31), "on its way"),))
        for n in range(26)
    )
    figure = drawn(replace(TIMELINE, rows=rows)).one("figure")
    wide = [svg for svg in figure.all("svg") if svg.attributes["class"] == "wide"]
    named = [[node.text for node in svg.all("text") if node.text.startswith("supplier")] for svg in wide]
    assert [len(names) for names in named] == [9, 9, 8]
    assert [name for names in named for name in names] == [row.name for row in rows]
    assert all("2028" in [node.text for node in svg.all("text")] for svg in wide)
    assert [svg.all("title")[0].text for svg in wide] == [f"A chart ({n} of 3)" for n in (1, 2, 3)]
    assert len(pictures(replace(TIMELINE, rows=rows[:12]))) == 2


@st.composite
def any_span(draw: st.DrawFn) -> TimelineSpan:
    """Some days."""
    day = draw(DAYS)
    return TimelineSpan(day, day + timedelta(draw(st.integers(0, 900))), draw(NAMES), draw(TONES))


@st.composite
def any_timeline(draw: st.DrawFn) -> Timeline:
    """Rows of spans and marks, some of them outside."""
    start = date(2027, 1, 1) + timedelta(draw(st.integers(0, 400)))
    marks = st.lists(st.builds(TimelineMark, DAYS, NAMES), max_size=6).map(tuple)
    spans = st.lists(any_span(), max_size=4).map(tuple)
    rows = draw(st.lists(st.builds(TimelineRow, NAMES, spans), max_size=8))
    return Timeline(start, start + timedelta(draw(st.integers(0, 9000))), tuple(rows), draw(marks))


ANY_LADDER = st.builds(
    Ladder,
    st.lists(st.builds(Rung, NAMES, st.none() | MONEY, NAMES, TONES, st.none() | MONEY), max_size=12).map(tuple),
    st.just("USD/kg"),
)
ANY = st.one_of(any_bars(), any_flow(), any_timeline(), any_curve(), ANY_LADDER)


def boxes(picture: Node) -> list[tuple[str, float, float, float, float]]:
    """Every text of a picture with where it stands: left, top, right and bottom."""
    found = []
    for node in picture.all("text"):
        size = float(node.attributes.get("font-size", picture.attributes["font-size"]))
        inside = (
            (part, size) if isinstance(part, str) else (part.text, number(part, "font-size")) for part in node.inside
        )
        wide = sum(text_width(*one) for one in inside)
        x, y = number(node, "x"), number(node, "y")
        left = x - {"middle": wide / 2, "end": wide}.get(node.attributes.get("text-anchor", ""), 0.0)
        found.append((node.text, left, y - size * 0.72, left + wide, y + size * 0.1))
    return found


LONG_NAMES = tuple(Place(f"{i}", "A node with a long name", i) for i in range(4))
BELOW_ZERO = (Rung("A", D("-7335.83"), "", target=D("-24.34")), Rung("B", D("-1.62"), "", target=D("13143.49")))


@given(ANY)
@example(Bars(tuple(f"{2027 + i // 4}-Q{i % 4 + 1}" for i in range(61)), (Series("tin", (D(1),) * 61),), "kg"))
@example(Bars(tuple(f"{2027 + i // 12}-{i % 12 + 1:02}" for i in range(70)), (Series("tin", (D(1),) * 70),), "kg"))
@example(Flow(("A layer with a long name",) * 4, LONG_NAMES, (), "kg"))
@example(Ladder(BELOW_ZERO, "USD/kg"))
@example(Timeline(date(2027, 1, 1), date(2028, 2, 18), ()))
def test_every_word_is_in_the_picture(chart: Chart) -> None:
    """None is cut off at an edge, and none lies on another, however long names are and however many there are; no number is no number."""
    for picture in pictures(chart):
        _, _, wide, high = map(float, picture.attributes["viewbox"].split())
        words = boxes(picture)
        assert not [box for box in words if box[1] < -1 or box[2] < -1 or box[3] > wide + 1 or box[4] > high + 1]
        for one, other in combinations(words, 2):
            beside = one[3] <= other[1] + 1 or other[3] <= one[1] + 1
            assert beside or one[4] <= other[2] + 1 or other[4] <= one[2] + 1, (one, other)
        values = [value for node in picture.walk() for value in node.attributes.values()]
        assert not [value for value in values if re.search(r"\b(nan|inf)\b", value)]


def test_what_is_little_of_the_axis_is_told_in_a_unit_of_its_own() -> None:
    """Nobody reads 0.000554 billion."""
    rungs = (Rung("most", D("41_120_000_000"), ""), Rung("least", D(554_000), ""), Rung("none", D(0), ""))
    for picture in pictures(Ladder(rungs, "USD")):
        words = [node.text for node in picture.all("text")]
        assert {"billion USD", "41.12", "554,000 USD"} <= set(words)


def test_ticks_are_round_and_reach_the_ends() -> None:
    """From below the least to above the most, in steps of one, two or five."""
    assert ticks(0, 4610) == [0, 1000, 2000, 3000, 4000, 5000]
    assert ticks(0, 1) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert ticks(-3, 9) == [-5, 0, 5, 10]
    assert ticks(0, 0.0004)[-1] == pytest.approx(0.0004)


def test_names_are_spread_and_cut() -> None:
    """No nearer than they need, as near to their place as there is room; an ellipsis is within the room too."""
    assert spread_out([5, 5, 5], 10, 0, 100) == [5, 15, 25]
    assert spread_out([95, 96], 10, 0, 100) == [90, 100]
    assert spread_out([1, 2, 3], 10, 0, 15) == [0, 10, 20]
    room: Callable[[str], float] = text_width
    assert [text_width(sign, 10) for sign in ("i", "M", "é", "你", "\u0301")] == pytest.approx(
        [2.22, 8.33, 5.56, 10, 0]
    )
    assert shortened("a name", 1000) == "a name"
    assert room(shortened("a long name of a supplier", 60)) <= 60
    assert shortened("a long name", 60).endswith("…")
