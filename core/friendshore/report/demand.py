"""Demand and shortages of a run, with their causes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import islice

from ..document import elements as doc
from ..document.excerpts import LINES, period_columns
from ..document.figures import count, mass, unit_for
from ..domain.base import grouped, totals
from ..domain.countries import country_in_text
from ..domain.plan import PlanStatus
from ..domain.run import Run, RunDemand
from ..domain.unmet import CauseKind, RunRounded, RunShortage, RunSupplyCause
from ..questions.wording import conversions, mass_of, weighed
from .cash import MAX_YEARS

_FIGURES = 52
"""Characters of the columns of figures beside the periods, gaps included."""
_USE = 16
"""Maximum characters of an end use beside columns of periods."""
_YEAR = 9
_SOFT_CAUSES: frozenset[CauseKind] = frozenset({"price", "rank", "competition", "rounding", "undetermined"})
"""Causes of shortages that could be met, at a price or at the expense of other demands."""
MAX_NAMED_DEMANDS = 12
MAX_ROUNDED = 8


def demands(run: Run) -> doc.Section:
    short = totals(((entry.demand, entry.period), entry.quantity_kg) for entry in run.shortages)
    uses = [for_whom(run, demand) for demand in run.demands]
    periods = period_columns(((p.label, p.start.year) for p in run.periods), _YEAR, "Short") if short else []
    ranged = any(d.low_kg is not None for d in run.demands)
    columns = [
        doc.Column("Material", room=doc.longest_word(demand.material for demand in run.demands)),
        doc.Column("For", room=min(_USE, doc.longest_word(uses))),
        doc.Column("Wanted", align="right", whole=True, room=_FIGURES),
        *([doc.Column("Range", align="right", whole=True, room=0)] if ranged else []),
        doc.Column("Delivered", align="right", whole=True, room=0),
        *periods,
        doc.Column("Met from", whole=True, room=0),
    ]
    rows = [
        [
            doc.Phrase(run.names.material_with_id(d.material), brief=d.material),
            use,
            weighed(run.names, d.material, d.wanted_kg),
            *([wanted_range(d)] if ranged else []),
            _delivered(run, d),
            *(doc.Kilograms(short.get((d.id, column.title), Decimal(0))) for column in periods),
            met_from(d),
        ]
        for d, use in zip(run.demands, uses, strict=True)
    ]
    note = conversions(run.names, [*(d.material for d in run.demands), *(p.material for p in run.purchases)])
    return doc.section("Demand", doc.table(columns, rows), doc.sentence(note) if note else None)


def for_whom(run: Run, demand: RunDemand) -> str:
    """Return the end use, with place and id only where demands for one material need them."""
    text = demand.end_use
    if demand.place != run.place:
        text += f" in {country_in_text(demand.place)}"
    return f"{text} ({demand.id})" if run.demands_for[demand.material, demand.end_use] > 1 else text


def wanted_range(demand: RunDemand) -> str:
    return "" if demand.low_kg is None or demand.high_kg is None else f"{mass(demand.low_kg)} to {mass(demand.high_kg)}"


def _delivered(run: Run, demand: RunDemand) -> doc.Cell:
    if not demand.short_kg:
        return "all"
    return weighed(run.names, demand.material, demand.delivered_kg) if demand.delivered_kg else "none"


def met_from(demand: RunDemand) -> str:
    return demand.first_met or "never"


def is_impossible(run: Run, demands: Iterable[RunDemand]) -> bool:
    """Return True if the plan is proved, and none of the shortages is a matter of cost, rank, or other demand."""
    return run.status is PlanStatus.OPTIMAL and all(_is_hard(run.shortages_of.get(demand.id, [])) for demand in demands)


def _is_hard(shortages: Sequence[RunShortage]) -> bool:
    """Return True if all shortages have a cause, and none is soft."""
    causes = [cause for shortage in shortages for cause in shortage.causes]
    soft = any(each.kind in _SOFT_CAUSES for cause in causes for each in cause.restrictions)
    return bool(shortages) and all(shortage.causes for shortage in shortages) and not soft


def shortages(run: Run, subject: str = "") -> doc.Section | None:
    """Return the shortages with their causes, by priority, then by weight. The whole document groups demands that compete.

    Args:
        subject: Case or run for the command that finds the cheapest fix. Empty shows no command.
    """
    lacking = [demand for demand in run.demands if demand.short_kg]
    if not lacking:
        return None
    by_program = list(grouped(((d.material, d.end_use, d.place, d.program), d) for d in lacking).values())
    by_program.sort(key=lambda group: (run.rank_of(d.end_use for d in group), -_weight(group), group[0].id))
    any_delivered = any(demand.delivered_kg for demand in lacking)
    years, any_met_later = _years_short(run), any(demand.first_met for demand in lacking)
    one_use = len({_program(run, group[0]) for group in by_program}) == 1
    columns = [
        doc.Column("Material"),
        doc.Column("For", from_width=doc.MEDIUM if one_use else 0),
        doc.figures("Short", from_width=doc.SPARE),
        doc.Column(
            "Part",
            "",
            "right",
            whole=True,
            from_width=doc.WIDE if any_met_later else doc.MEDIUM,
            on=None if any_delivered else "whole",
        ),
        doc.Column("When", on="whole"),
        *(doc.Column(year, align="right", from_width=doc.WIDE, on="screen") for year in years),
        *([doc.Column("Met from", from_width=doc.NARROW, on="screen")] if any_met_later else []),
        doc.Column("Why"),
        doc.Column(f"{run.currency}/kg short", "", "right", whole=True, on="whole"),
    ]
    rows = [
        doc.DataRow(_short_row(run, group, years, any_met_later), on="whole")
        for group in _competing_demands(run, lacking)
    ]
    rows += [doc.DataRow(_short_row(run, group, years, any_met_later), on="screen") for group in by_program[:LINES]]
    names = [f"{run.names.material(group[0].material)} for {_program(run, group[0]).brief[0]}" for group in by_program]
    rest_by_shown = [
        others_left(names[shown:], "more is short", "more are short") for shown in range(len(by_program[:LINES]) + 1)
    ]
    settled = settling_records(run, lacking)
    fix = doc.Phrase(f"friendshore repairs {subject} {by_program[0][0].material}", code=True)
    return doc.section(
        "Shortages",
        doc.excerpt(columns, rows, rest_by_shown, part=6),
        doc.sentence(settled, tone=doc.Tone.ASIDE) if settled else None,
        doc.for_screen(doc.sentence("The cheapest fix: ", fix)) if subject else None,
        doc.for_whole(doc.notes(because_lines(run))),
        column="Met late or not" if any_met_later else "Cannot be met" if is_impossible(run, lacking) else "Not met",
    )


def _short_row(run: Run, group: Sequence[RunDemand], years: Sequence[str], any_met_later: bool) -> tuple[doc.Cell, ...]:
    material, entries = group[0].material, _entries(run, group)
    short, wanted = sum_of(d.short_kg for d in group), sum_of(d.wanted_kg for d in group)
    causes = group_causes(run, group)
    return (
        doc.Either(doc.Phrase(run.names.material_with_id(material), brief=material), run.names.material(material)),
        doc.Either(", ".join(dict.fromkeys(for_whom(run, demand) for demand in group)), _program(run, group[0])),
        weighed(run.names, material, short),
        doc.Share(short / wanted) if wanted and any(d.delivered_kg for d in group) else "all",
        periods_of(run, entries) if entries else doc.NOTHING,
        *_short_by_year(run, entries, short, years),
        *([_met_from(run, group)] if any_met_later else []),
        doc.Either("; ".join(dict.fromkeys(cause.kinds for cause, _ in causes)), _causes(run, causes)),
        doc.Amount(max(demand.shortage_price for demand in group)),
    )


def _weight(demands: Iterable[RunDemand]) -> Decimal:
    return sum_of(demand.short_kg * demand.shortage_price for demand in demands)


def _program(run: Run, demand: RunDemand) -> doc.Several:
    """Return the program or the end use, both if they fit, and the place if it isn't the case's."""
    at = "" if demand.place == run.place else f" in {country_in_text(demand.place)}"
    named = f"{demand.program}, {demand.end_use}{at}" if demand.program else f"{demand.end_use}{at}"
    return doc.Several((named,), (demand.program or demand.end_use,))


def _years_short(run: Run) -> list[str]:
    """Return the years with shortages. Empty for a plan of one year, or if the years are too many for a line."""
    years = {period.label: str(period.start.year) for period in run.periods}
    short = {years[entry.period] for entry in run.shortages}
    return sorted(short) if len(set(years.values())) > 1 and len(short) <= MAX_YEARS else []


def _short_by_year(
    run: Run, entries: Iterable[RunShortage], short: Decimal, years: Sequence[str]
) -> Iterator[doc.Cell]:
    year_of = {period.label: str(period.start.year) for period in run.periods}
    kg_by_year = totals((year_of[entry.period], entry.quantity_kg) for entry in entries)
    unit = unit_for([short])
    yield from (doc.Kilograms(kg_by_year.get(year, Decimal(0)), unit, bare=True) for year in years)


def _met_from(run: Run, group: Sequence[RunDemand]) -> str:
    order = {period.label: period.start for period in run.periods}
    if not all(d.first_met for d in group):
        return "never"
    return max((d.first_met for d in group), key=lambda label: order[label])


def _causes(run: Run, causes: Sequence[tuple[RunSupplyCause, Decimal]]) -> doc.Several:
    """Return the causes. If there are several, each has the kilograms that would be served without it."""
    texts = {
        cause.as_shown(run.names) + (f" ({mass(served)})" if len(causes) > 1 and served else ""): cause.short_name(
            run.names
        )
        for cause, served in causes
    }
    return doc.Several(tuple(texts), tuple(texts.values()), between="; ", complete=True)


def settling_records(run: Run, demands: Iterable[RunDemand]) -> str:
    """Return the records that would settle the causes of some demands' shortages. Empty if no cause has one."""
    causes = (cause for cause, _ in group_causes(run, list(demands)))
    records = dict.fromkeys(each.settled_by for cause in causes for each in cause.restrictions)
    return f"Settled by: {'; '.join(filter(None, records))}." if any(records) else ""


def others_left(names: Sequence[str], *words: str) -> doc.Several | doc.Nothing:
    """Return the number of the other names, and the names. `words` are the singular and the plural."""
    if not names:
        return doc.NOTHING
    summary = f"{len(names)} {words[0] if len(names) == 1 else words[-1]} (--full)"
    return doc.Several((f"{summary}: {names[0]}", *names[1:]))


def because_lines(run: Run) -> Iterator[str]:
    demands_by_id = {demand.id: demand for demand in run.demands}
    entries_by_cause: defaultdict[str, defaultdict[str, list[RunShortage]]] = defaultdict(lambda: defaultdict(list))
    served: defaultdict[str, Decimal] = defaultdict(Decimal)
    for entry in run.shortages:
        for cause in entry.causes:
            text = cause.in_full(run.names)
            entries_by_cause[text][entry.demand].append(entry)
            served[text] += cause.served_kg or Decimal(0)
    for cause_text, by_demand in entries_by_cause.items():
        demand_texts = [
            f"{run.names.material(demands_by_id[name].material)} for {for_whom(run, demands_by_id[name])}, {periods_of(run, entries)}"
            for name, entries in islice(by_demand.items(), MAX_NAMED_DEMANDS)
        ]
        if len(by_demand) > MAX_NAMED_DEMANDS:
            demand_texts.append(count(len(by_demand) - MAX_NAMED_DEMANDS, "more demand"))
        effect = f" (without it {mass(served[cause_text])} would be served)" if served[cause_text] else ""
        yield f"{'; '.join(demand_texts)}: {cause_text}{effect}"


def periods_of(run: Run, entries: list[RunShortage]) -> str:
    order = {period.label: i for i, period in enumerate(run.periods)}
    positions = sorted({order[entry.period] for entry in entries})
    first, last = run.periods[positions[0]].label, run.periods[positions[-1]].label
    if len(positions) == 1:
        return first
    gaps = "" if len(positions) == positions[-1] - positions[0] + 1 else f" ({len(positions)} periods)"
    return f"{first} to {last}{gaps}"


def whole_periods(run: Run) -> doc.Section | None:
    """Return how a plan in months differs, and the rounded dates and lead times. None if nothing differs."""
    demands_by_id = {demand.id: demand for demand in run.demands}
    rows: list[list[doc.Cell]] = [
        [
            demands_by_id[row.demand].material,
            for_whom(run, demands_by_id[row.demand]),
            weighed(run.names, demands_by_id[row.demand].material, row.short_kg) if row.short_kg else doc.NOTHING,
            weighed(run.names, demands_by_id[row.demand].material, row.monthly_short_kg)
            if row.monthly_short_kg
            else doc.NOTHING,
            weighed(run.names, demands_by_id[row.demand].material, row.due_to_periods_kg)
            if row.due_to_periods_kg
            else doc.NOTHING,
        ]
        for row in run.by_months
        if row.monthly_short_kg is not None
    ]
    explanations = doc.notes([*_by_months_notes(run), *_rounded_lines(run)])
    if not rows and explanations is None:
        return None
    columns = [doc.Column("Material"), doc.Column("For"), doc.figures("Short"), doc.figures("By months")]
    monthly = doc.table([*columns, doc.figures("Only because of the periods")], rows) if rows else None
    return doc.section("Effect of whole periods", monthly, explanations)


def _by_months_notes(run: Run) -> Iterator[str]:
    if any(row.monthly_short_kg is not None for row in run.by_months):
        yield (
            "By months: the shortage in the cheapest plan with months as periods, which is also verified. It isn't a bound, since even shorter "
            "periods may change more, and limits per period then apply to each month"
        )
    if any(row.monthly_short_kg is not None and row.monthly_short_kg > row.short_kg for row in run.by_months):
        yield "A shortage can be larger by months, because a longer period makes all its capacity available on the first day"
    by_note = grouped((row.note, row.demand) for row in run.by_months if row.monthly_short_kg is None)
    for note, names in by_note.items():
        yield f"Not compared by months ({note}): {', '.join(names)}"


def _rounded_lines(run: Run) -> Iterator[str]:
    for row in run.rounded[:MAX_ROUNDED]:
        yield _rounding(row)
    if len(run.rounded) > MAX_ROUNDED:
        yield f"{count(len(run.rounded) - MAX_ROUNDED, 'other date or lead time', 'other dates and lead times')} (all with --json or --out)"


def only_by_periods(run: Run, max_names: int | None = None) -> Iterator[str]:
    rows = [row for row in run.by_months if row.due_to_periods_kg]
    if not rows:
        return
    demands_by_id = {demand.id: demand for demand in run.demands}
    names = []
    for row in rows[:max_names]:
        material = demands_by_id[row.demand].material
        purpose = row.demand if max_names is None else demands_by_id[row.demand].program or row.demand
        short = f"{mass(row.due_to_periods_kg)} of {mass_of(run.names, material, row.short_kg)}"
        names.append(f"{run.names.material(material)} for {purpose} {short}")
    names += [f"{len(rows) - len(names)} more"] if len(rows) > len(names) else []
    end = ". By months, this much more is available" if max_names is None else " (`--full`)"
    yield f"Short only because the plan counts in whole periods: {', '.join(names)}{end}"


def hidden_by_periods(run: Run) -> Iterator[str]:
    if not run.rounded:
        return
    leads = len({row.name for row in run.rounded if row.kind == "lead time"})
    dates = sum(row.kind != "lead time" for row in run.rounded)
    parts = [count(number, noun) for number, noun in ((leads, "lead time"), (dates, "date")) if number]
    days = (run.periods[0].end - run.periods[0].start).days + 1
    period_name = "years" if days > _QUARTER else "quarters" if days > _MONTH else "months"
    finer = "" if period_name == "months" else ", `--period month`"
    yield f"Counted in whole {period_name}: {' and '.join(parts)} rounded (`--full`{finer})"


_MONTH, _QUARTER = 31, 92
"""Maximum days of each."""


def _rounding(row: RunRounded) -> str:
    subject = f"lead time of {row.name}" if row.kind == "lead time" else f"{row.kind} {row.name}"
    return f"{subject}: {row.stated}, counted {row.counted}"


def sum_of(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))


def _competing_demands(run: Run, demands: Sequence[RunDemand]) -> list[list[RunDemand]]:
    """Return the demands, grouped if the same supply can serve them."""
    groups: dict[str, list[RunDemand]] = {}
    for demand in demands:
        entries = run.shortages_of.get(demand.id, ())
        others = [demand.id, *(other for entry in entries for other in entry.competes_with)]
        group = next((groups[name] for name in others if name in groups), [])
        group.append(demand)
        groups[demand.id] = group
    return [group for name, group in groups.items() if group[0].id == name]


def group_causes(run: Run, demands: Sequence[RunDemand]) -> list[tuple[RunSupplyCause, Decimal]]:
    """Return the causes of some demands' shortages, each with the kilograms that would be served without it, the largest first."""
    served: defaultdict[object, Decimal] = defaultdict(Decimal)
    weight: defaultdict[object, Decimal] = defaultdict(Decimal)
    causes: dict[object, RunSupplyCause] = {}
    for entry in _entries(run, demands):
        for cause in entry.causes:
            causes.setdefault(cause.key, cause)
            served[cause.key] += cause.served_kg or Decimal(0)
            weight[cause.key] += cause.served_kg or entry.quantity_kg
    return [(causes[key], served[key]) for key in sorted(causes, key=lambda key: (-weight[key], str(key)))]


def _entries(run: Run, demands: Iterable[RunDemand]) -> list[RunShortage]:
    return [entry for demand in demands for entry in run.shortages_of.get(demand.id, ())]
