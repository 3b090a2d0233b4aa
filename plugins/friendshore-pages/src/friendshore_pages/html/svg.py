"""What all charts are drawn with: how wide a text is, units that fit, ticks, and the looks by which parts are told apart without colour too."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from unicodedata import combining, east_asian_width, normalize

from friendshore.document.charts import Tone
from friendshore.document.figures import number, unit_for
from friendshore.inert import visible

from .markup import Markup, joined, own, tag, text

SIZE = 12.0
"""Pixels of a letter."""
SMALL = 11.0
_WIDTHS = dict(zip(map(chr, range(32, 127)), (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278,
    584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944,
    667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500,
    278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
), strict=True))  # fmt: skip
"""Thousandths of its size that a letter of Helvetica takes; Arial and Liberation Sans are as wide."""
_WIDEST, _ROOMY = 1000, 800
"""The same of a sign of East Asia, and of any other that is not listed."""
_BOLD = 1.09
SERIES = 8
"""Looks of parts that are told apart by their order."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart as it is drawn for a width of a page, in pixels."""

    width: float
    height: float
    content: Markup


@dataclass(frozen=True, slots=True)
class Axis:
    """Values as places on a picture."""

    low: float
    high: float
    start: float
    """Where the least stands."""
    end: float

    def at(self, value: float) -> float:
        """Where a value stands."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


BESIDE = 600.0
"""Pixels across, beyond which names have room beside what they name."""


@dataclass(frozen=True, slots=True)
class Numbered:
    """Round numbers that reach from the least to the most of some amounts, in a unit that fits the largest."""

    divisor: Decimal
    """What amounts are divided by."""
    unit: str
    steps: list[float]

    @property
    def written(self) -> list[str]:
        """The numbers as they are told."""
        return [number(Decimal(repr(step))) for step in self.steps]

    def axis(self, start: float, end: float) -> Axis:
        """Where amounts stand, the least of them at `start`."""
        return Axis(self.steps[0], self.steps[-1], start, end)

    def value(self, exact: Decimal) -> float:
        """An amount in the unit."""
        return float(exact / self.divisor)

    def grid(self, axis: Axis, low: float, high: float) -> list[Markup]:
        """A line for each number across the axis, from `low` to `high`; that of nothing is firm."""
        here, there = ("x", "y") if axis.end > axis.start else ("y", "x")
        drawn = []
        for step in self.steps:
            at = round(axis.at(step)) + 0.5
            ends = {f"{here}1": at, f"{here}2": at, f"{there}1": low, f"{there}2": high}
            drawn.append(tag("line", **ends, class_="grid" if step else "axis"))
        return drawn


def numbered(amounts: Sequence[Decimal], unit: str, largest: Decimal | None = None) -> Numbered:
    """The scale of amounts, with nothing among them; `largest` settles the unit where it is none of them."""
    most = max(map(abs, amounts), default=Decimal(0)) if largest is None else largest
    divisor, name = scaled(most, unit)
    low, high = (float(bound([*amounts, Decimal(0)]) / divisor) for bound in (min, max))
    return Numbered(divisor, name, ticks(low, high or 1.0))


def measured(written: str, size: float = SIZE, *, strong: bool = False) -> float:
    """Pixels that a text takes, if anything too many."""
    return sum(map(_letter, visible(written))) * size / 1000 * (_BOLD if strong else 1)


def _letter(sign: str) -> int:
    if found := _WIDTHS.get(sign):
        return found
    if combining(sign):
        return 0
    if east_asian_width(sign) in "WF":
        return _WIDEST
    return _WIDTHS.get(normalize("NFD", sign)[0], _ROOMY)


def cut(written: str, room: float, size: float = SIZE, *, strong: bool = False) -> str:
    """A text that takes no more than `room` pixels: its beginning and an ellipsis, if all of it does."""
    if measured(written, size, strong=strong) <= room:
        return written
    kept, taken = "", measured("…", size, strong=strong)
    for sign in visible(written):
        taken += measured(sign, size, strong=strong)
        if taken > room:
            break
        kept += sign
    return f"{kept.rstrip(' ,-')}…" if kept else ""


def label(
    x: float, y: float, written: str, *, anchor: str | None = None, class_: str | None = None, size: float | None = None
) -> Markup:
    """A line of text: `anchor` is `middle` or `end`, its baseline at `y`."""
    if not written:
        return joined(())
    return tag("text", text(written), x=x, y=y, text_anchor=anchor, class_=class_, font_size=size)


def titled(told: str) -> Markup:
    """What is told of a part when it is pointed at."""
    return tag("title", text(told)) if told else joined(())


def box(left: float, top: float, wide: float, tall: float, told: str, class_: str | None = None) -> Markup:
    """A rectangle, in fewer bytes than `rect` takes."""
    return tag("path", titled(told), d=path("M{} {}h{}v{}h-{}z", left, top, wide, tall, wide), class_=class_)


def parts(told: str, inside: Iterable[Markup], class_: str = "") -> Markup:
    """Parts of which a name is told together with what each of them tells."""
    return tag("g", titled(told), joined(inside), class_=f"parts {class_}".strip())


def untold(content: Markup) -> Markup:
    """A picture without what `titled` tells of its parts."""
    return own(re.sub("></(path|circle|rect|use)>", "/>", re.sub("<title>[^<]*</title>", "", content)))


def look(place: int, tone: Tone) -> str:
    """The class of a part's fill: by its order, or by its tone."""
    return f"f{place % SERIES}" if tone in (Tone.PLAIN, Tone.TITLE) else f"f-{tone.value}"


def scaled(largest: Decimal, unit: str) -> tuple[Decimal, str]:
    """By what amounts are divided, and the unit they are told in then: tonnes once there is one, millions and billions."""
    divisor = Decimal(1)
    if unit == "kg" and unit_for([largest]) == "t":
        divisor, unit = Decimal(1000), "t"
    for size, word in ((Decimal(10) ** 9, "billion"), (Decimal(10) ** 6, "million")):
        if abs(largest) / divisor >= size:
            return divisor * size, f"{word} {unit}"
    return divisor, unit


def amount(value: Decimal, unit: str) -> str:
    """A figure with its unit."""
    divisor, name = scaled(value, unit)
    return f"{number(value / divisor)} {name}".strip()


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers from below the least to above the most, at most so many steps and one."""
    reach = high - low or 1.0
    step = 10.0 ** len(str(int(reach)))
    while step > reach / most:
        step /= 10
    step = next(step * factor for factor in (1, 2, 5, 10) if step * factor >= reach / most)
    first = int(low / step) - (low < 0 and int(low / step) * step > low)
    found = [first * step]
    while found[-1] < high - step / 1000:
        found.append((first + len(found)) * step)
    return found


def spread(wanted: Sequence[float], apart: float, low: float, high: float) -> list[float]:
    """Places in rising order as near to what is wanted as they can be, `apart` from each other, within `low` and `high` if there is room."""
    found: list[float] = []
    for place in wanted:
        found.append(max(place, found[-1] + apart if found else low))
    limit = high
    for place in reversed(range(len(found))):
        found[place] = min(found[place], limit)
        limit = found[place] - apart
    if found and found[0] < low:
        return [low + apart * place for place in range(len(found))]
    return found


_SIGNS = {
    Tone.BAD: ("M{} {}l8 8m0 -8l-8 8", 4, 4),
    Tone.DOUBTFUL: ("M{} {}l5 9h-10z", 0, 5),
    Tone.CHOICE: ("M{} {}l5 5l-5 5l-5 -5z", 0, 5),
}


def mark(x: float, y: float, tone: Tone, told: str) -> Markup:
    """A day or a price, as a sign that is another for each tone."""
    class_ = f"m-{tone.value}"
    if tone not in _SIGNS:
        return tag("circle", titled(told), cx=x, cy=y, r=4.5, class_=class_)
    form, left, up = _SIGNS[tone]
    return tag("path", titled(told), d=path(form, x - left, y - up), class_=class_)


def path(form: str, *places: float) -> str:
    """A path with its numbers as they are written in pictures."""
    return form.format(*(f"{round(place, 1) + 0.0:.1f}".removesuffix(".0") for place in places))


_PLAIN = frozenset(("f0", "f-good", "f-aside"))
"""Looks without stripes."""


def stripes(lines: Iterable[str], thick: float, class_: str) -> Markup:
    """Stripes over parts, by which they are told apart without colour: lines as thick as they are, which the style sheet breaks.

    Patterns would be the usual way; but Chromium prints each part that has one as a picture, and a page as 40 megabytes.
    """
    drawn = "" if class_ in _PLAIN else "".join(lines)
    return tag("path", d=drawn, stroke_width=thick, class_=f"st h{class_.removeprefix('f')}") if drawn else joined(())
