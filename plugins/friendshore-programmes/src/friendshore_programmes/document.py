"""The answer to `programmes` as it is told to people."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from friendshore.document import elements as doc
from friendshore.document.charts import Bars, Series
from friendshore.document.figures import count, large_money, mass

from .built import NO_PROGRAMME

if TYPE_CHECKING:
    from .built import Held, ProgrammeLine
    from .question import Programmes, SpendLine

MATERIALS = 3
"""Materials that are named in a cell."""


def programmes_document(result: Programmes, parts: int) -> doc.Document:
    """Programmes, then their late parts, of each the first `parts`, then money by year."""
    late = [_late_parts(line, parts) for line in result.lines if line.whole.late]
    return doc.document(_title(result), *_head(result), *late, *_spent(result), _to_know(result))


def programmes_screen(result: Programmes, parts: int) -> doc.Document:
    """The same, late parts last: they are what there may be too many of."""
    late = [_late_parts(line, parts) for line in result.lines if line.whole.late]
    return doc.document(_title(result), *_head(result), *_spent(result), _to_know(result), *late)


def _title(result: Programmes) -> str:
    return f"{result.case}: programmes"


def _head(result: Programmes) -> list[doc.Element]:
    late = sum(line.whole.late for line in result.lines)
    told = (
        f"{len(result.lines) - late} of {count(len(result.lines), 'programme')} can be built in full from the first day"
    )
    if [line.whole.name for line in result.lines] == [NO_PROGRAMME]:
        told = f"The case names no programme; what it wants is told as one, which {'cannot' if late else 'can'} be built in full from the first day"
    tone = doc.Tone.DOUBTFUL if late else doc.Tone.GOOD
    return [doc.sentence(told, tone=tone, strong=True), _programmes(result)]


def _spent(result: Programmes) -> list[doc.Element | None]:
    return [
        _money(result, "Spent by programme", "programme", result.spent.by_programme),
        _money(result, "Spent by place", "place", result.spent.by_place) if _places(result) else None,
        _rest(result),
    ]


def _to_know(result: Programmes) -> doc.Section | None:
    return doc.section_if_any("To be known", doc.notes(result.notes))


def _programmes(result: Programmes) -> doc.Element:
    columns = [doc.Column("programme", whole=True), doc.Column("built in full from", whole=True)]
    columns += [doc.figures("parts late"), doc.figures("of"), doc.Column("held up by")]
    rows = [
        [
            line.whole.name,
            _since(line.whole),
            str(len(line.parts)) if line.of else doc.NOTHING,
            str(line.of) if line.of else doc.NOTHING,
            _short(line),
        ]
        for line in result.lines
    ]
    return doc.section("Programmes", doc.table(columns, rows))


def _since(held: Held) -> str:
    if not held.late:
        return "the start"
    return held.met_from or "never in this plan"


def _short(line: ProgrammeLine) -> str:
    named = [f"{material} ({mass(kilograms)} short)" for material, kilograms in line.short[:MATERIALS]]
    more = len(line.short) - MATERIALS
    return ", ".join([*named, *([f"{more} more"] if more > 0 else [])])


def _late_parts(line: ProgrammeLine, parts: int) -> doc.Section | None:
    if not line.parts or not parts:
        return None
    shown = line.parts[:parts]
    columns = [doc.Column("part", whole=True), doc.Column("built in full from", whole=True), doc.Column("waits for")]
    rows = [[part.name, _since(part), ", ".join(part.held_by)] for part in shown]
    more = len(line.parts) - len(shown)
    rest = doc.sentence(f"{more} more: --parts {len(line.parts)}", tone=doc.Tone.ASIDE) if more else None
    return doc.section(f"Parts of {line.whole.name} that are late", doc.table(columns, rows), rest)


def _places(result: Programmes) -> bool:
    """Whether places tell anything that programmes do not: there are several, or a budget of one."""
    lines = result.spent.by_place
    return len({line.name for line in lines}) > 1 or any(line.budget is not None for line in lines)


def _money(result: Programmes, title: str, called: str, lines: Sequence[SpendLine]) -> doc.Section | None:
    """What is spent by year, against budgets where there are any."""
    if not lines:
        return None
    years = sorted({line.year for line in lines})
    names = list(dict.fromkeys(line.name for line in lines))
    of = {(line.name, line.year): line for line in lines}
    columns = [doc.Column(called, whole=True), *(doc.figures(str(year), result.currency) for year in years)]
    budgeted = any(line.budget is not None for line in lines)
    if budgeted:
        columns.append(doc.Column("against the budget"))
    rows = [
        [
            name,
            *(doc.Amount(of[name, year].spent) if (name, year) in of else doc.NOTHING for year in years),
            *([_against(result, [of[name, year] for year in years if (name, year) in of])] if budgeted else []),
        ]
        for name in names
    ]
    zero = Decimal(0)
    series = tuple(
        Series(name, tuple(of[name, year].spent if (name, year) in of else zero for year in years)) for name in names
    )
    chart = Bars(tuple(map(str, years)), series, result.currency)
    return doc.section(
        title, doc.Drawing(title, "Money by the year of the order, not discounted.", chart, doc.table(columns, rows))
    )


def _against(result: Programmes, lines: Sequence[SpendLine]) -> str:
    told = []
    for line in lines:
        if line.budget is not None:
            left = line.budget - line.spent
            what = "left" if left >= 0 else "over"
            told.append(f"{line.year}: {large_money(abs(left), result.currency)} {what}")
    return "; ".join(told)


def _rest(result: Programmes) -> doc.Element | None:
    """Money of no programme; less than one unit of money is what rounding leaves."""
    places = {
        "went into stock that is left at the end": result.spent.stock,
        "belong to no purchase (onboarding, discounts, take-or-pay, holding)": result.spent.others,
    }
    told = [f"{large_money(one, result.currency)} {what}" for what, one in places.items() if abs(one) >= 1]
    return doc.apart(doc.sentence(f"Besides, {' and '.join(told)}.")) if told else None
