"""The outlines of countries that a map on a page is drawn of, made from public data.

    npm pack world-atlas@2.0.2 && tar xzf world-atlas-2.0.2.tgz
    uv run python -m tests.reference.world package/countries-110m.json package/countries-10m.json > core/friendshore/document/html/world.json

Outlines are those of Natural Earth at 1:110 million, in Equal Earth (Šavrič, Patterson and Jenny 2018, doi 10.1080/13658816.2018.1504949), in
whole pixels. States too small to have one there get a point, of those at 1:10 million.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from itertools import pairwise
from math import asin, cos, radians, sin, sqrt
from pathlib import Path
from typing import Any, TypeAlias, TypedDict

import pycountry

WIDTH = 960
"""Pixels from the date line to the date line."""
NORTH, SOUTH = 84.0, -57.0
"""Degrees between which anybody lives."""
LEAST = 1.5
"""Square pixels below which an island is left out."""
_A1, _A2, _A3, _A4 = 1.340264, -0.081106, 0.000893, 0.003796
Point: TypeAlias = tuple[float, float]
Ring: TypeAlias = list[Point]


class Country(TypedDict):
    """A country of a TopoJSON file: its code, and polygons of rings of arcs by number, `~number` for an arc walked backwards."""

    code: str | None
    polygons: list[list[list[int]]]


class World(TypedDict):
    """What is written: sizes in pixels, paths and points by ISO 3166-1 alpha-2, and what has no code."""

    width: int
    height: int
    shapes: dict[str, str]
    points: dict[str, tuple[int, int]]
    rest: str


def projected(longitude: float, latitude: float) -> Point:
    """Equal Earth, of the unit sphere."""
    theta = asin(sqrt(3) / 2 * sin(radians(latitude)))
    bent = 9 * _A4 * theta**8 + 7 * _A3 * theta**6 + 3 * _A2 * theta**2 + _A1
    x = 2 * sqrt(3) * radians(longitude) * cos(theta) / (3 * bent)
    return x, _A4 * theta**9 + _A3 * theta**7 + _A2 * theta**3 + _A1 * theta


_EDGE = projected(180, 0)[0]
_TOP = projected(0, NORTH)[1]


def pixel(longitude: float, latitude: float) -> Point:
    """Where a place stands on the map."""
    x, y = projected(longitude, latitude)
    scale = WIDTH / (2 * _EDGE)
    return (x + _EDGE) * scale, (_TOP - y) * scale


class Atlas:
    """A file of countries."""

    def __init__(self, path: Path) -> None:
        read = json.loads(path.read_text(encoding="utf-8"))
        self.arcs = [list(self._walked(arc, read["transform"])) for arc in read["arcs"]]
        self.countries = [self._country(found) for found in read["objects"]["countries"]["geometries"]]

    @staticmethod
    def _country(found: dict[str, Any]) -> Country:
        several = found["type"] == "MultiPolygon"
        return Country(code=code(found.get("id")), polygons=found["arcs"] if several else [found["arcs"]])

    @staticmethod
    def _walked(arc: Iterable[tuple[int, int]], transform: dict[str, tuple[float, float]]) -> Iterator[Point]:
        (across, up), (west, south) = transform["scale"], transform["translate"]
        x = y = 0
        for dx, dy in arc:
            x, y = x + dx, y + dy
            yield x * across + west, y * up + south

    def rings(self, country: Country) -> list[Ring]:
        """Its outlines, without the lakes in them, the largest first."""
        outlines = [self._ring(polygon[0]) for polygon in country["polygons"]]
        drawn = [[pixel(*place) for place in part] for outline in outlines for part in apart(outline)]
        return sorted(drawn, key=lambda ring: -abs(area(ring)))

    def _ring(self, arcs: Iterable[int]) -> Ring:
        return [point for arc in arcs for point in (self.arcs[arc] if arc >= 0 else self.arcs[~arc][::-1])]


def apart(ring: Ring) -> list[Ring]:
    """An outline in degrees, cut where it crosses the date line."""
    turned, turns = [ring[0]], 0
    for (before, _), (longitude, latitude) in pairwise(ring):
        turns += (longitude - before < -180) - (longitude - before > 180)
        turned.append((longitude + 360 * turns, latitude))
    parts = [_cut(turned, 360.0 * turn) for turn in (-1, 0, 1)]
    return [part for part in parts if len(part) > 2]


def _cut(ring: Ring, shift: float) -> Ring:
    """The part of an outline that lies between the date lines once it is moved, by Sutherland and Hodgman."""
    moved = [(longitude - shift, latitude) for longitude, latitude in ring]
    for side in (1, -1):
        kept: Ring = []
        for (x, y), (to_x, to_y) in pairwise([*moved, *moved[:1]]):
            inside, then = side * x <= 180, side * to_x <= 180
            if inside:
                kept.append((x, y))
            if inside != then:
                kept.append((180.0 * side, y + (to_y - y) * (180 * side - x) / (to_x - x)))
        moved = kept
    return moved


def area(ring: Ring) -> float:
    """Square pixels, of either sign."""
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise([*ring, ring[0]])) / 2


def middle(ring: Ring) -> tuple[int, int]:
    """The centroid of an outline."""
    size = area(ring)
    if not size:
        return round(ring[0][0]), round(ring[0][1])
    x = sum((a[0] + b[0]) * (a[0] * b[1] - b[0] * a[1]) for a, b in pairwise([*ring, ring[0]]))
    y = sum((a[1] + b[1]) * (a[0] * b[1] - b[0] * a[1]) for a, b in pairwise([*ring, ring[0]]))
    return round(x / (6 * size)), round(y / (6 * size))


def path(rings: Iterable[Ring]) -> str:
    """Outlines as the path of an SVG, in whole pixels, each relative to the one before."""
    return "".join(map(_closed, rings))


def _closed(ring: Ring) -> str:
    whole: list[tuple[int, int]] = []
    for x, y in ring:
        if not whole or whole[-1] != (round(x), round(y)):
            whole.append((round(x), round(y)))
    if len(whole) > 1 and whole[0] == whole[-1]:
        whole.pop()
    if len(whole) < 3:
        return ""
    steps = "".join(f"{_signed(b[0] - a[0])}{_signed(b[1] - a[1])}" for a, b in pairwise(whole))
    return f"M{whole[0][0]} {whole[0][1]}l{steps.removeprefix(' ')}z"


def _signed(number: int) -> str:
    return f"{number}" if number < 0 else f" {number}"


def code(numeric: str | None) -> str | None:
    """ISO 3166-1 alpha-2 of a country's number there."""
    found = pycountry.countries.get(numeric=numeric) if numeric else None
    return None if found is None else str(found.alpha_2)


def world(coarse: Atlas, fine: Atlas) -> World:
    """Outlines of the coarse file, points of both."""
    shapes, points, rest = {}, {}, ""
    for country in fine.countries:
        if found := country["code"]:
            points[found] = middle(fine.rings(country)[0])
    for country in coarse.countries:
        found, rings = country["code"], coarse.rings(country)
        if found == "AQ":
            continue
        drawn = path([rings[0], *(ring for ring in rings[1:] if abs(area(ring)) >= LEAST)])
        if found is None or not drawn:
            rest += drawn
            continue
        shapes[found] = drawn
        points[found] = middle(rings[0])
    points.pop("AQ", None)
    height = round(pixel(0, SOUTH)[1])
    return World(
        width=WIDTH, height=height, shapes=dict(sorted(shapes.items())), points=dict(sorted(points.items())), rest=rest
    )


if __name__ == "__main__":
    made = world(*(Atlas(Path(name)) for name in sys.argv[1:]))
    sys.stdout.write(json.dumps(made, separators=(",", ":")).replace(',"', ',\n"') + "\n")
