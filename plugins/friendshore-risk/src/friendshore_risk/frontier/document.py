"""The price of independence as a planner reads it: one sentence, the points, and what changes from one to the next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from friendshore.document import charts
from friendshore.document import elements as doc
from friendshore.document.figures import count, large_money, mass, percent
from friendshore.domain.countries import COVERED_NATIONS, country_names
from friendshore.questions.told import effort, on_screen

from .records import Frontier, FrontierPoint, Shorter, Supply

_NARROW = 70
"""Characters of a line below which columns are left out that are looked up elsewhere."""


def frontier_screen(found: Frontier) -> doc.Document:
    """Return the sentence, and as many points as there is room for."""
    rows = [[*_figures(point, found), _shorter(point), _changes(point)] for point in found.points]
    columns = [*_columns(found), doc.Column("Shorter by"), doc.Column("Suppliers (+ new, - gone)", from_width=_NARROW)]
    return doc.document(
        _title(found),
        doc.sentence(headline(found), strong=True),
        doc.apart(on_screen(columns, rows, "more point")),
        doc.apart(
            doc.notes(_notes(found), doc.Tone.ASIDE),
            doc.sentence(doc.Phrase("--full", code=True), ": every point, what is short at it, and who comes and goes"),
        ),
    )


def frontier_document(found: Frontier) -> doc.Document:
    """Return every point with its chart, what is short, and what changes."""
    table = doc.table(_columns(found, full=True), [_figures(point, found, full=True) for point in found.points])
    told = "Cash for the whole plan under each cap, by dependence of its purchases on the countries."
    drawing = doc.Drawing("Cash under each cap", told, _bars(found), table) if len(found.points) > 1 else table
    return doc.document(
        _title(found),
        doc.sentence(headline(found), strong=True),
        doc.section("Points", drawing),
        _short_section(found),
        _changes_section(found),
        doc.section("How sure this is", doc.notes([*_notes(found), *_errors(found)])),
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


def _without_more_shortage(found: Frontier) -> FrontierPoint:
    """Return the last of the first points at which nothing is shorter than today."""
    free = found.points[0]
    for point in found.points[1:]:
        if point.conflict or any(each.more > 0 for each in point.short):
            break
        free = point
    return free


def _cash(point: FrontierPoint, found: Frontier) -> str:
    more = large_money(abs(point.cost_more), found.currency)
    return f"{more} {'less' if point.cost_more < 0 else 'more'} cash"


def _title(found: Frontier) -> str:
    return f"{found.case}: the price of independence"


def _whom(found: Frontier) -> str:
    goods = f"purchases of {', '.join(found.materials)}" if found.materials else "purchases"
    sellers = f" from {', '.join(found.suppliers)}" if found.suppliers else ""
    if not found.countries:
        return f"{goods}{sellers}"
    names = country_names()
    if set(found.countries) == COVERED_NATIONS:
        return f"{goods}{sellers} that depend on countries of concern"
    return f"{goods}{sellers} that depend on {', '.join(names.get(code, code) for code in found.countries)}"


def _columns(found: Frontier, *, full: bool = False) -> list[doc.Column]:
    columns = [doc.figures("#"), doc.figures("Capped", found.currency), doc.figures("Of concern")]
    columns += [doc.figures("Cash", found.currency), doc.figures("More cash")]
    if full:
        columns[1:1] = [doc.figures("Cap")]
        columns += [
            doc.figures("Is"),
            doc.figures("May be"),
            doc.Column("Status"),
            doc.figures("Objective"),
            doc.figures("Bound"),
        ]
    return columns


def _figures(point: FrontierPoint, found: Frontier, *, full: bool = False) -> list[doc.Cell]:
    number = found.points.index(point)
    money = (point.capped, point.cost)
    capped, cash = (doc.Amount(amount) for amount in money)
    more = doc.Amount(point.cost_more, form="signed") if number else doc.NOTHING
    cells: list[doc.Cell] = [doc.Count(number), capped, doc.Share(point.share), cash, more]
    if full:
        cells[1:1] = [doc.NOTHING if point.cap is None else doc.Amount(point.cap)]
        cells += [doc.Amount(point.is_cost), doc.Amount(point.may_be_cost), point.status.value]
        cells += [doc.Amount(point.objective), doc.Amount(point.bound)]
    return cells


def _shorter(point: FrontierPoint) -> doc.Cell:
    """Return the materials that are shorter than today, those with most kilograms first."""
    if point.conflict:
        return doc.Several(tuple(f"conflict: {name}" for name in point.conflict))
    told = [f"{each.material} {mass(each.more)}" for each in _by_kilograms(point) if each.more > 0]
    return doc.Several(tuple(told), one="material") if told else doc.NOTHING


def _by_kilograms(point: FrontierPoint) -> list[Shorter]:
    return sorted(point.short, key=lambda each: (-each.more, each.material))


def _changes(point: FrontierPoint) -> doc.Cell:
    told = [*(f"+ {_named(each)}" for each in point.new), *(f"- {_named(each)}" for each in point.gone)]
    return doc.Several(tuple(told), one="supplier") if told else doc.NOTHING


def _named(supply: Supply) -> str:
    return f"{supply.facility} ({supply.material})"


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
    names = sorted({each.material for point in found.points for each in point.short})
    if not names:
        return None
    columns = [doc.Column("Material"), *(doc.figures(str(number)) for number in range(len(found.points)))]
    kilograms = [{each.material: each.kilograms for each in point.short} for point in found.points]
    rows = [
        [name, *(doc.Kilograms(each[name]) if each.get(name) else doc.NOTHING for each in kilograms)] for name in names
    ]
    return doc.section("Short at each point", doc.table(columns, rows))


def _changes_section(found: Frontier) -> doc.Section | None:
    rows: list[list[doc.Cell]] = []
    for number, point in enumerate(found.points):
        for word, some in (("new", point.new), ("gone", point.gone)):
            rows += [[doc.Count(number), word, each.facility, each.material, each.offer] for each in some]
        rows += [[doc.Count(number), "conflict", name, doc.NOTHING, doc.NOTHING] for name in point.conflict]
    if not rows:
        return None
    columns = [doc.figures("#"), *map(doc.Column, ("Change", "Supplier", "Material", "Offer"))]
    return doc.section("Suppliers that come and go", doc.table(columns, rows))


def _notes(found: Frontier) -> Iterator[str]:
    if found.exact:
        yield f"{count(len(found.points), 'point')}: the program is linear, so each point is a corner of the curve"
    else:
        yield f"{count(len(found.points), 'point')}, evenly spaced: {found.why_grid}"
    unproved = [
        str(n) for n, point in enumerate(found.points) if point.objective - point.bound > abs(point.objective) / 10**6
    ]
    yield (
        f"not proved cheapest: points {', '.join(unproved)}"
        if unproved
        else "each plan is verified, and proved cheapest under its cap"
    )
    if (
        any(point.is_cost + point.may_be_cost > point.capped + 1 for point in found.points)
        and found.countries
        and not found.materials
        and not found.suppliers
    ):
        yield "the cap counts what is paid for goods with a seller or step there; the share also counts what is made of them elsewhere"
    if not found.complete:
        yield "the search was ended: points are missing"


def _errors(found: Frontier) -> Iterator[str]:
    """Yield how far the curve may lie below the straight line between points."""
    if not found.exact:
        return
    pieces = [(n, point.error) for n, point in enumerate(found.points) if n and point.error is not None]
    straight = [n for n, error in pieces if not error]
    if straight:
        yield f"proved straight before points {_listed(straight)}"
    for number, error in pieces:
        if error:
            yield f"between points {number - 1} and {number}, the least objective lies at most {large_money(error, found.currency)} below the straight line"


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))
