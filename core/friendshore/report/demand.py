"""What is wanted, what is delivered, what is short and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from rich.console import RenderableType

from ..domain.run import Run, RunDemand
from ..domain.unmet import RunShortage, RunSupplyCause
from .figures import NOTHING, mass, money, percent, unit_for
from .tables import Column, PeriodSpan, figures, lines, section, stretches, table, widest

_FIGURES = 40
"""Characters of the columns of figures beside the years, and of the gaps."""
_YEAR = 9
_NAMED = 3
"""Offers that are named of those with the same cause."""


def demands(run: Run, width: int) -> RenderableType:
    """Every demand: wanted, delivered, short by year, and from when it is met."""
    short: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for entry in run.shortages:
        short[entry.demand, entry.period] += entry.quantity_kg
    uses = [for_whom(run, demand) for demand in run.demands]
    taken = widest(demand.material for demand in run.demands) + min(16, widest(uses)) + _FIGURES
    times = stretches(run, max(2, (width - taken) // _YEAR)) if short else []
    columns = [Column("Material"), Column("For"), figures("Wanted"), figures("Delivered")]
    columns += [figures(f"Short {time.title}" if i == 0 else time.title) for i, time in enumerate(times)]
    rows = [
        [d.material, use, mass(d.wanted_kg), _delivered(d), *_short(d, times, short), met_from(d)]
        for d, use in zip(run.demands, uses, strict=True)
    ]
    return section("Demand", table([*columns, Column("Met from", whole=True)], rows, width))


def for_whom(run: Run, demand: RunDemand) -> str:
    """End use, and what else tells the demand from others of its material."""
    alike = [d for d in run.demands if (d.material, d.end_use) == (demand.material, demand.end_use)]
    text = demand.end_use
    if demand.place != run.place:
        text += f" at {demand.place}"
    return f"{text} ({demand.id})" if len(alike) > 1 else text


def _delivered(demand: RunDemand) -> str:
    if not demand.short_kg:
        return "all"
    return mass(demand.delivered_kg) if demand.delivered_kg else "none"


def _short(demand: RunDemand, times: list[PeriodSpan], short: defaultdict[tuple[str, str], Decimal]) -> list[str]:
    totals = [sum((short.get((demand.id, p), Decimal(0)) for p in time.periods), Decimal(0)) for time in times]
    unit = unit_for(totals)
    return [f"{mass(kg, unit)} {unit}" if kg else NOTHING for kg in totals]


def met_from(demand: RunDemand) -> str:
    """First period from which it is met to the end."""
    return demand.first_met or "never"


def by_reason(run: Run) -> dict[tuple[str, str], list[RunShortage]]:
    """Shortages by demand and reason."""
    found: defaultdict[tuple[str, str], list[RunShortage]] = defaultdict(list)
    for entry in run.shortages:
        found[entry.demand, entry.reason].append(entry)
    return dict(found)


def shortages(run: Run, width: int) -> RenderableType | None:
    """Shortages, with the periods, the reason, and the price they are weighed at."""
    if not run.shortages:
        return None
    known = {demand.id: demand for demand in run.demands}
    rows = []
    for (name, reason), entries in by_reason(run).items():
        demand = known[name]
        total = sum((entry.quantity_kg for entry in entries), Decimal(0))
        part = percent(total / demand.wanted_kg) if demand.wanted_kg else NOTHING
        price = money(demand.shortage_price)
        why = causes_of(entries) or reason
        rows.append([demand.material, for_whom(run, demand), mass(total), part, periods_of(run, entries), why, price])
    columns = [Column("Material"), Column("For"), figures("Short"), figures("of demand")]
    columns += [Column("When"), Column("Why"), figures(f"{run.currency}/kg short")]
    details = list(because_lines(run))
    return section("Shortages", table(columns, rows, width), lines(details) if details else None)


def causes_of(entries: list[RunShortage]) -> str:
    """What keeps supply out, in a few words; empty where supply is not what is wanting."""
    return ", ".join(dict.fromkeys(cause.kind for entry in entries for cause in entry.causes))


def _told(cause: RunSupplyCause) -> str:
    """A cause in words; where several offers only come late, who they are is left to the JSON form."""
    if not cause.offers or (cause.kind == "lead time" and len(cause.offers) > 1):
        return cause.text
    more = len(cause.offers) - _NAMED
    return f"{cause.text}: {', '.join(cause.offers[:_NAMED])}" + (f" and {more} more" if more > 0 else "")


def because_lines(run: Run) -> Iterator[str]:
    """What keeps supply out, with rules, dates and offers: once for all demands and periods of which the same is to be said."""
    known = {demand.id: demand for demand in run.demands}
    said: defaultdict[tuple[str, ...], defaultdict[str, list[RunShortage]]] = defaultdict(lambda: defaultdict(list))
    for entry in run.shortages:
        if entry.causes:
            said[tuple(map(_told, entry.causes))][entry.demand].append(entry)
    for because, by_demand in said.items():
        whom = [
            f"{known[name].material} for {for_whom(run, known[name])}, {periods_of(run, entries)}"
            for name, entries in by_demand.items()
        ]
        yield f"{'; '.join(whom)}: {'; '.join(because)}"


def periods_of(run: Run, entries: list[RunShortage]) -> str:
    """`2026-Q4 to 2027-Q2`; with gaps, how many of the periods between."""
    order = {period.label: i for i, period in enumerate(run.periods)}
    found = sorted({order[entry.period] for entry in entries})
    first, last = run.periods[found[0]].label, run.periods[found[-1]].label
    if len(found) == 1:
        return first
    gaps = "" if len(found) == found[-1] - found[0] + 1 else f" ({len(found)} periods)"
    return f"{first} to {last}{gaps}"
