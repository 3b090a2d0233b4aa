"""Outlines of countries for maps on pages, from public data.

    npm pack world-atlas@2.0.2 && tar xzf world-atlas-2.0.2.tgz
    uv run python -m tests.reference.world package/countries-110m.json package/countries-10m.json > core/friendshore/document/html/world.json

Outlines are from Natural Earth at 1:110 million, in Equal Earth (Šavrič, Patterson and Jenny 2018, doi 10.1080/13658816.2018.1504949), in
whole pixels. States without an outline there get a point from 1:10 million.
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
"""Width in pixels."""
NORTH, SOUTH = 84.0, -57.0
"""Degrees of latitude at the edges."""
LEAST = 1.5
"""Minimum area of an island in square pixels."""
_A1, _A2, _A3, _A4 = 1.340264, -0.081106, 0.000893, 0.003796
Point: TypeAlias = tuple[float, float]
Ring: TypeAlias = list[Point]


class Country(TypedDict):
    """A country of a TopoJSON file: its code, and polygons of rings of arc numbers. `~number` is a reversed arc."""

    code: str | None
    polygons: list[list[list[int]]]


class World(TypedDict):
    """Contents of the file: size in pixels, paths and points by ISO 3166-1 alpha-2, and outlines without a code."""

    width: int
    height: int
    shapes: dict[str, str]
    points: dict[str, tuple[int, int]]
    rest: str


def projected(longitude: float, latitude: float) -> Point:
    """Return the Equal Earth projection on the unit sphere."""
    theta = asin(sqrt(3) / 2 * sin(radians(latitude)))
    bent = 9 * _A4 * theta**8 + 7 * _A3 * theta**6 + 3 * _A2 * theta**2 + _A1
    x = 2 * sqrt(3) * radians(longitude) * cos(theta) / (3 * bent)
    return x, _A4 * theta**9 + _A3 * theta**7 + _A2 * theta**3 + _A1 * theta


_EDGE = projected(180, 0)[0]
_TOP = projected(0, NORTH)[1]


def pixel(longitude: float, latitude: float) -> Point:
    """Return the position on the map."""
    x, y = projected(longitude, latitude)
    scale = WIDTH / (2 * _EDGE)
    return (x + _EDGE) * scale, (_TOP - y) * scale


class Atlas:
    """A file of countries."""

    def __init__(self, path: Path) -> None:
        topology = json.loads(path.read_text(encoding="utf-8"))
        self.arcs = [list(self._walked(arc, topology["transform"])) for arc in topology["arcs"]]
        self.countries = [self._country(geometry) for geometry in topology["objects"]["countries"]["geometries"]]

    @staticmethod
    def _country(geometry: dict[str, Any]) -> Country:
        is_multiple = geometry["type"] == "MultiPolygon"
        return Country(code=code(geometry.get("id")), polygons=geometry["arcs"] if is_multiple else [geometry["arcs"]])

    @staticmethod
    def _walked(arc: Iterable[tuple[int, int]], transform: dict[str, tuple[float, float]]) -> Iterator[Point]:
        (across, up), (west, south) = transform["scale"], transform["translate"]
        x = y = 0
        for dx, dy in arc:
            x, y = x + dx, y + dy
            yield x * across + west, y * up + south

    def rings(self, country: Country) -> list[Ring]:
        """Return the outlines without lakes, the largest first."""
        outlines = [self._ring(polygon[0]) for polygon in country["polygons"]]
        drawn = [[pixel(*place) for place in part] for outline in outlines for part in apart(outline)]
        return sorted(drawn, key=lambda ring: -abs(area(ring)))

    def _ring(self, arcs: Iterable[int]) -> Ring:
        return [point for arc in arcs for point in (self.arcs[arc] if arc >= 0 else self.arcs[~arc][::-1])]


def apart(ring: Ring) -> list[Ring]:
    """Cut an outline in degrees where it crosses the date line."""
    turned, turns = [ring[0]], 0
    for (before, _), (longitude, latitude) in pairwise(ring):
        turns += (longitude - before < -180) - (longitude - before > 180)
        turned.append((longitude + 360 * turns, latitude))
    parts = [_cut(turned, 360.0 * turn) for turn in (-1, 0, 1)]
    return [part for part in parts if len(part) > 2]


def _cut(ring: Ring, shift: float) -> Ring:
    """Return the part of a shifted outline between the date lines (Sutherland and Hodgman)."""
    moved = [(longitude - shift, latitude) for longitude, latitude in ring]
    for side in (1, -1):
        clipped: Ring = []
        for (x, y), (to_x, to_y) in pairwise([*moved, *moved[:1]]):
            is_inside, is_next_inside = side * x <= 180, side * to_x <= 180
            if is_inside:
                clipped.append((x, y))
            if is_inside != is_next_inside:
                clipped.append((180.0 * side, y + (to_y - y) * (180 * side - x) / (to_x - x)))
        moved = clipped
    return moved


def area(ring: Ring) -> float:
    """Return the signed area in square pixels."""
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise([*ring, ring[0]])) / 2


def middle(ring: Ring) -> tuple[int, int]:
    """Return the centroid."""
    size = area(ring)
    if not size:
        return round(ring[0][0]), round(ring[0][1])
    x = sum((a[0] + b[0]) * (a[0] * b[1] - b[0] * a[1]) for a, b in pairwise([*ring, ring[0]]))
    y = sum((a[1] + b[1]) * (a[0] * b[1] - b[0] * a[1]) for a, b in pairwise([*ring, ring[0]]))
    return round(x / (6 * size)), round(y / (6 * size))


def path(rings: Iterable[Ring]) -> str:
    """Return outlines as an SVG path in whole pixels, relative to the previous point."""
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
    """Return the ISO 3166-1 alpha-2 code."""
    country = pycountry.countries.get(numeric=numeric) if numeric else None
    return None if country is None else str(country.alpha_2)


def world(coarse: Atlas, fine: Atlas) -> World:
    """Return the outlines of the coarse file, and points of both."""
    shapes, points, rest = {}, {}, ""
    for country in fine.countries:
        if country_code := country["code"]:
            points[country_code] = middle(fine.rings(country)[0])
    for country in coarse.countries:
        country_code, rings = country["code"], coarse.rings(country)
        if country_code == "AQ":
            continue
        drawn = path([rings[0], *(ring for ring in rings[1:] if abs(area(ring)) >= LEAST)])
        if country_code is None or not drawn:
            rest += drawn
            continue
        shapes[country_code] = drawn
        points[country_code] = middle(rings[0])
    points.pop("AQ", None)
    height = round(pixel(0, SOUTH)[1])
    return World(
        width=WIDTH, height=height, shapes=dict(sorted(shapes.items())), points=dict(sorted(points.items())), rest=rest
    )


if __name__ == "__main__":
    world_data = world(*(Atlas(Path(name)) for name in sys.argv[1:]))
    sys.stdout.write(json.dumps(world_data, separators=(",", ":")).replace(',"', ',\n"') + "\n")
