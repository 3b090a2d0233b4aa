"""The price of independence as a planner reads it: one sentence, the points, and what changes from one to the next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Literal

from friendshore.document import charts
from friendshore.document import elements as doc
from friendshore.document.figures import count, large_money, percent
from friendshore.domain.countries import COVERED_NATIONS, country_names
from friendshore.domain.shown_names import ShownNames
from friendshore.questions.wording import effort, mass_of, on_screen, weighed

from .records import CapPoint, Frontier, Shorter, Supply

_MILLION = Decimal(1_000_000)
_PROVED = Decimal("1e-6")
"""Share of the objective up to which a plan counts as proved cheapest."""


def frontier_screen(found: Frontier) -> doc.Document:
    """Return the sentence, and as many points as there is room for."""
    rows = [[*_figures(point, found), _shorter(point, found.names)] for point in found.points]
    columns = [*_columns(), doc.Column("Shorter by")]
    changes = [
        [doc.Count(number), _suppliers(point.new), _suppliers(point.gone)]
        for number, point in enumerate(found.points)
        if point.new or point.gone
    ]
    heads = [doc.figures("#"), doc.Column("New suppliers"), doc.Column("Gone")]
    return doc.document(
        _title(found),
        doc.sentence(headline(found), strong=True),
        doc.apart(_unit(found), on_screen(columns, rows, "more point", part=6)),
        doc.apart(on_screen(heads, changes, "more point with other suppliers", part=3)) if changes else None,
        doc.apart(
            doc.notes(_notes(found), doc.Tone.ASIDE),
            doc.sentence(doc.Phrase("--full", code=True), ": what is short at each point, and who comes and goes"),
        ),
    )


def frontier_document(found: Frontier) -> doc.Document:
    """Return every point with its chart, its shortages, and what changes."""
    columns = [
        *_columns(),
        doc.figures("Is of concern"),
        doc.figures("May be"),
        doc.figures("Gap"),
        doc.figures("Line above it by"),
    ]
    table = doc.table(columns, [[*_figures(point, found), *_proof(point, found)] for point in found.points])
    told = f"Cash for the whole plan at each point, in {found.currency}, not discounted, by dependence of its purchases on the countries."
    drawing = doc.Drawing("Cash at each point", told, _bars(found), table) if len(found.points) > 1 else table
    line = "the curve lies below the straight line from the point before by no more than the last column says; 0 means that the line is the curve"
    return doc.document(
        _title(found),
        doc.sentence(headline(found), strong=True),
        doc.section(
            "Points",
            _unit(found),
            drawing,
            doc.notes([*_notes(found), *([line] if found.exact and len(found.points) > 1 else [])]),
        ),
        _short_section(found),
        _changes_section(found),
        effort(found.effort),
    )


def headline(found: Frontier) -> str:
    """Return what independence costs, in a sentence or two."""
    today, last = found.points[0], found.points[-1]
    whom = _whom(found)
    if not today.capped:
        return f"The plan spends nothing on {whom}."
    spent = f"The plan spends {large_money(today.capped, found.currency)} on {whom}"
    if len(found.points) == 1:
        return f"{spent}."
    free = _without_more_shortage(found)
    first = (
        f"{spent}. It can fall to {large_money(free.capped, found.currency)} without more shortage, for {_cash(free, found)}."
        if free is not today
        else f"{spent}. Any lower cap that was tried leaves more short."
    )
    if last is free:
        return first
    more = [each for each in last.short if each.more > 0]
    return f"{first} At {large_money(last.capped, found.currency)}, {count(len(more), 'material')} {'is' if len(more) == 1 else 'are'} shorter."


def _without_more_shortage(found: Frontier) -> CapPoint:
    """Return the last of the first points at which nothing is shorter than today."""
    free = found.points[0]
    for point in found.points[1:]:
        if point.conflict or any(each.more > 0 for each in point.short):
            break
        free = point
    return free


def _cash(point: CapPoint, found: Frontier) -> str:
    more = large_money(abs(point.cost_more), found.currency)
    return f"{more} {'less' if point.cost_more < 0 else 'more'} cash"


def _title(found: Frontier) -> str:
    return f"{found.case}: the price of independence"


def _whom(found: Frontier) -> str:
    goods = f"purchases of {', '.join(map(found.names.material, found.materials))}" if found.materials else "purchases"
    sellers = f" from {', '.join(found.suppliers)}" if found.suppliers else ""
    if not found.countries:
        return f"{goods}{sellers}"
    names = country_names()
    if set(found.countries) == COVERED_NATIONS:
        return f"{goods}{sellers} that depend on countries of concern"
    return f"{goods}{sellers} that depend on {', '.join(names.get(code, code) for code in found.countries)}"


def _columns() -> list[doc.Column]:
    return [doc.figures(name) for name in ("#", "Capped", "Of concern", "Cash", "More cash")]


def _unit(found: Frontier) -> doc.Sentence:
    unit = f"{found.currency} million" if _in_millions(found) else found.currency
    return doc.sentence(f"Cash, not discounted, in {unit}:")


def _figures(point: CapPoint, found: Frontier) -> list[doc.Cell]:
    number = found.points.index(point)
    more = _money(point.cost_more, found, form="signed") if number else doc.NOTHING
    return [doc.Count(number), _money(point.capped, found), doc.Share(point.share), _money(point.cost, found), more]


def _proof(point: CapPoint, found: Frontier) -> list[doc.Cell]:
    gap = (point.objective - point.bound) / abs(point.objective) if point.objective else Decimal(0)
    error = doc.NOTHING if point.error is None else _money(point.error, found)
    return [_money(point.is_cost, found), _money(point.may_be_cost, found), doc.Share(gap), error]


def _money(amount: Decimal, found: Frontier, form: Literal["rounded", "signed"] = "rounded") -> doc.Amount:
    return doc.Amount(amount / _MILLION if _in_millions(found) else amount, form=form)


def _in_millions(found: Frontier) -> bool:
    return found.points[0].cost >= _MILLION * 100


def _shorter(point: CapPoint, names: ShownNames) -> doc.Cell:
    """Return the materials that are shorter than today, those with most kilograms first."""
    if point.conflict:
        return doc.Several(tuple(f"conflict: {name}" for name in point.conflict))
    told = [
        f"{names.material(each.material)} {mass_of(names, each.material, each.more)}"
        for each in _by_kilograms(point)
        if each.more > 0
    ]
    more = f", {len(told) - 1} more" if len(told) > 1 else ""
    return f"{told[0]}{more}" if told else doc.NOTHING


def _by_kilograms(point: CapPoint) -> list[Shorter]:
    return sorted(point.short, key=lambda each: (-each.more, each.material))


def _suppliers(some: Sequence[Supply]) -> doc.Cell:
    names = tuple(dict.fromkeys(each.facility for each in some))
    return doc.Several(names, one="supplier") if names else doc.NOTHING


def _bars(found: Frontier) -> charts.Bars:
    """Return a bar for each point: cash that is of concern, may be, and the rest."""
    labels = tuple(f"{number}: {percent(point.share)}" for number, point in enumerate(found.points))
    other = tuple(point.cost - point.is_cost - point.may_be_cost for point in found.points)
    series = (
        charts.Series("of concern", tuple(point.is_cost for point in found.points)),
        charts.Series("may be of concern", tuple(point.may_be_cost for point in found.points), doc.Tone.DOUBTFUL),
        charts.Series("other", tuple(max(amount, Decimal(0)) for amount in other), doc.Tone.ASIDE),
    )
    return charts.Bars(labels, series, found.currency)


def _short_section(found: Frontier) -> doc.Section | None:
    rows: list[list[doc.Cell]] = [
        [
            doc.Count(number),
            found.names.material(each.material),
            *(weighed(found.names, each.material, kg) for kg in (each.kilograms, each.more)),
        ]
        for number, point in enumerate(found.points)
        for each in _by_kilograms(point)
        if each.more or not number
    ]
    if not rows:
        return None
    columns = [doc.figures("#"), doc.Column("Material"), doc.figures("Short"), doc.figures("More than at 0")]
    return doc.section("Short at each point, where it differs from point 0", doc.table(columns, rows))


def _changes_section(found: Frontier) -> doc.Section | None:
    rows: list[list[doc.Cell]] = []
    for number, point in enumerate(found.points):
        for word, some in (("new", point.new), ("gone", point.gone)):
            rows += [
                [doc.Count(number), word, each.facility, found.names.material(each.material), each.offer]
                for each in some
            ]
        rows += [[doc.Count(number), "conflict", name, doc.NOTHING, doc.NOTHING] for name in point.conflict]
    if not rows:
        return None
    columns = [doc.figures("#"), *map(doc.Column, ("Change", "Supplier", "Material", "Offer"))]
    return doc.section("Suppliers that come and go", doc.table(columns, rows))


def _notes(found: Frontier) -> Iterator[str]:
    if found.exact:
        yield f"{count(len(found.points), 'point')}: the program is linear, so each point is a corner of the curve of the least objective"
    else:
        yield f"{count(len(found.points), 'point')}, evenly spaced: {found.why_grid}"
    gaps = [point.objective - point.bound > abs(point.objective) * _PROVED for point in found.points]
    unproved = ", ".join(str(number) for number, unproved in enumerate(gaps) if unproved)
    yield (
        f"not proved cheapest: points {unproved}"
        if unproved
        else "each plan is verified, and proved cheapest under its cap"
    )
    if found.conflict_at_zero:
        yield f"under a cap of zero, rules conflict: {', '.join(found.conflict_at_zero)}; the last point spends as little as they allow"
    if not (found.materials or found.suppliers) and any(p.capped > p.is_cost + p.may_be_cost + 1 for p in found.points):
        yield "the cap also counts what goes into goods of concern on the way, so it may be more than the cash of concern"
    if not found.complete:
        yield "the search was ended: points are missing"
