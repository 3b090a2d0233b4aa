"""The calendar as a document, in full and on one screen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from friendshore.document import charts
from friendshore.document import elements as doc
from friendshore.document.figures import count, mass
from friendshore.domain.base import grouped
from friendshore.domain.shown_names import ShownNames
from friendshore.questions.wording import cash, effort_line, first_few, mass_of, ranked, weighed

from .search import UNKNOWN, Calendar, Cause, Cliff, Stretch

_EFFECTS = {"bars": "prohibits", "frees": "allows"}
CHANGES_SHOWN = 4
"""Maximum number of changes per day in the whole document."""


def calendar_document(result: Calendar, *, every: bool = False) -> doc.Document:
    head = (
        f"From {result.start} to {result.until}. Each stretch is planned as a year at its own rates, without stock, open orders, and lead times. "
        f"{_dates_of_change(result)}."
    )
    short = len({cliff.demand for cliff in result.cliffs})
    short_demands = (
        f"{count(short, 'demand is', 'demands are')} short at some time" if short else "No demand is short on any day"
    )
    brief = (
        f"{short_demands}. {_dates_of_change(result)}. "
        "Each stretch is planned as a year at its own rates, without stock and lead times."
    )
    law = doc.section_if_any("Changes of law", doc.notes(_law_notes(result)), tone=doc.Tone.PLAIN)
    stretches = [_demand(name, rows, result) for name, rows in _by_demand(result).items()] if every else []
    caveats = _caveats(result)
    hints = [] if every else ["--all shows every change, and every demand stretch by stretch"]
    commands = doc.sentence(
        *(doc.Phrase("--full", code=True), ": every table; "),
        *(doc.Phrase("--full --all", code=True), ": every change, and every demand stretch by stretch"),
    )
    return doc.document(
        "What is available when",
        doc.for_whole(doc.sentence(head)),
        doc.for_screen(doc.answer(brief)),
        _cliffs(result),
        _missed_floors(result),
        _intervals(result, every),
        doc.for_whole(law),
        doc.for_screen(_law_table(result)),
        _affected_goods(result, every),
        *map(doc.for_whole, stretches),
        doc.for_whole(
            doc.apart(doc.notes([*caveats, *hints]), doc.sentence(effort_line(result.effort), tone=doc.Tone.ASIDE))
        ),
        doc.for_screen(doc.apart(doc.notes(caveats, doc.Tone.DOUBTFUL), commands)),
    )


def _caveats(result: Calendar) -> list[str]:
    left_out = f"rules about stock are left out, because the calendar carries no stock: {', '.join(result.rules_not_considered)}"
    caveats = [left_out] if result.rules_not_considered else []
    if result.beyond_budget:
        days = ", ".join(f"{span.start} to {span.end}" for span in result.beyond_budget)
        caveats.append(f"planned without budgets, because other rules conflict: {days}")
    if result.stopped:
        caveats.append(f"the search was ended: days after {result.until} are not planned, and causes may be missing")
    return caveats


DATES_NAMED = 6
"""Maximum number of dates in the first line."""


def _dates_of_change(result: Calendar) -> str:
    days = [interval.start for interval in result.intervals[1:]]
    dates = f" ({first_few([*map(str, days)], DATES_NAMED)})" if days else ""
    return f"{count(result.days, 'date changes', 'dates change')} supply, cost, or law from {result.start} to {result.until}{dates}"


def _law_notes(result: Calendar) -> list[str]:
    notes = []
    for change in result.law:
        title = f"{change.rule}, {change.title}" if change.title else change.rule
        clause = f" ({change.clause})" if change.clause else ""
        until = f", until {change.until}" if change.until else ""
        note = f": {' '.join(change.note.split()).rstrip('.')}" if change.note else ""
        notes.append(f"{change.day}: {title}{clause}: {change.effect} from that day on{until}{note}")
    return notes


def _intervals(result: Calendar, every: bool) -> doc.Section:
    columns = [
        doc.Column("From", whole=True),
        doc.Column("Until", whole=True, from_width=doc.NARROW),
        doc.figures("Costs a year", result.currency, from_width=doc.NARROW),
        doc.figures("Short"),
        doc.Column("What changes"),
    ]
    rows: list[list[doc.Cell]] = [
        [
            *(interval.start, interval.end, cash(interval.spent)),
            doc.Count(len(interval.short), "demand") if interval.short else doc.NOTHING,
            _listed([_subject(change, result.names) for change in interval.changed], 0 if every else CHANGES_SHOWN),
        ]
        for interval in result.intervals
    ]
    return doc.section("Between the dates", ranked(columns, rows, "later date", part=3), column="From")


def _law_table(result: Calendar) -> doc.Section | None:
    if not result.law:
        return None
    columns = [*map(doc.Column, ("Law from", "Becomes", "Rule")), doc.Column("Clause", from_width=doc.WIDE)]
    ordered = sorted(result.law, key=lambda change: (change.effect == UNKNOWN, change.day, change.rule))
    first_changes = {(change.rule, change.effect): change for change in reversed(ordered)}
    rows: list[list[doc.Cell]] = [
        [change.day, change.effect, doc.Several((change.title or change.rule,)), doc.Several((change.clause,))]
        for change in ordered
        if first_changes[change.rule, change.effect] is change
    ]
    return doc.apart(ranked(columns, rows, "more change of law", "more changes of law", part=3))


def _affected_goods(result: Calendar, every: bool) -> doc.Section | None:
    shown = [goods for goods in result.affected if every or goods.kind != "offer" or goods.kilograms]
    hidden_count = len(result.affected) - len(shown)
    names = result.names
    rows: list[list[doc.Cell]] = [
        [
            f"{_EFFECTS[goods.effect]} {goods.kind} {names.offer_with_id(goods.id) if goods.kind == 'offer' else goods.id}",
            *(goods.day, names.rule(goods.rule), names.material(goods.material)),
            doc.Kilograms(goods.kilograms, per="year" if goods.kind == "offer" else "", of=names.basis(goods.material)),
            _listed(goods.end_uses, 0, "use"),
        ]
        for goods in shown
    ]
    columns = [
        doc.Column("Prohibits or allows"),
        doc.Column("On", whole=True),
        doc.Column("By", from_width=doc.NARROW),
        doc.Column("Of", on="whole"),
        doc.figures("Quantity", from_width=doc.SPARE),
        doc.Column("For", from_width=doc.MEDIUM),
    ]
    hidden = f"{count(hidden_count, 'offer')} prohibited or allowed, but not bought"
    return doc.section_if_any(
        "Orders, stock, and purchases that the dates prohibit or allow",
        ranked(columns, rows, "more", "more", part=2) if rows else None,
        doc.for_whole(doc.notes([f"{hidden} (--all)"] if hidden_count else [])),
        doc.for_screen(doc.notes([f"{hidden} (--full --all)"] if hidden_count else [])),
        column="Prohibited or allowed",
    )


def _listed(names: Sequence[str], named: int, singular: str = "change") -> doc.Cell:
    """Return names as a list. The whole document has the first `named`, or all if 0."""
    return doc.Several(tuple(names), one=singular, named=named) if names else doc.NOTHING


def _changes(subjects: Sequence[str]) -> str:
    return first_few(subjects, CHANGES_SHOWN, " and ")


def _cliffs(result: Calendar) -> doc.Section | None:
    title = "Shortages"
    if not result.cliffs:
        return doc.for_whole(doc.section(title, doc.sentence("No demand is short on any day.")))
    names, ordered = result.names, sorted(result.cliffs, key=lambda cliff: (cliff.start, cliff.demand))
    columns = [
        doc.Column("Material"),
        doc.Column("Demand", from_width=doc.MEDIUM),
        doc.Column("From", whole=True, from_width=doc.WIDE),
        doc.Column(f"{result.start:%Y-%m} to {result.until:%Y-%m}", whole=True, from_width=doc.MEDIUM, on="screen"),
        doc.figures("A year", from_width=doc.SPARE),
        doc.Column("Met again", from_width=doc.WIDE),
        doc.Column("Why"),
    ]
    rows: list[list[doc.Cell]] = [
        [
            doc.Either(names.material(cliff.material), _label(cliff, result)),
            *(
                cliff.demand,
                cliff.start,
                doc.Phrase(_strip(cliff, result), doc.Tone.BAD),
                _shortage_of_demand(cliff, names),
            ),
            doc.Several((_shortage_end(cliff, result),), ("not wanted later",) if cliff.ends_unwanted else ()),
            doc.Either(_start_causes(cliff, names), _brief_causes(cliff, names)),
        ]
        for cliff in ordered
    ]
    table = ranked(columns, rows, "more shortage", part=4)
    notes = doc.for_whole(doc.notes(_unexplained_causes(ordered, names)))
    return doc.section(title, _timeline(result, table), notes, column="Short")


def _missed_floors(result: Calendar) -> doc.Section | None:
    columns = [doc.Column("Floor not kept"), doc.Column("From"), doc.Column("Until"), doc.figures("Lacks a year")]
    rows: list[list[doc.Cell]] = [
        [doc.Several((result.names.rule(floor.rule),)), floor.start, floor.end, mass(floor.lack)]
        for floor in sorted(result.floors, key=lambda floor: (floor.start, floor.rule))
    ]
    table = ranked(columns, rows, "more floor", part=4) if rows else None
    return doc.section_if_any("Floors of deliveries that are not kept", table, column="Floor not kept")


def _label(cliff: Cliff, result: Calendar) -> str:
    """Return the name of the material, with the demand if several demands for it are short."""
    demands = {other.demand for other in result.cliffs if other.material == cliff.material}
    label = result.names.material(cliff.material)
    return label if len(demands) == 1 else f"{label}, {cliff.demand}"


STRIP = 18
"""Maximum characters of a strip of months."""


def _strip(cliff: Cliff, result: Calendar) -> str:
    """Return the plan as a strip in which each character is some months, dark if the demand is short in one of them."""
    first, last = _month(result.start), _month(result.until)
    months = -(-(last - first + 1) // STRIP)
    start = _month(cliff.start)
    end = last if cliff.resolved is None else max(start, _month(cliff.resolved - timedelta(1)))
    return "".join("█" if month <= end and start < month + months else "·" for month in range(first, last + 1, months))


def _month(day: date) -> int:
    return day.year * 12 + day.month


def _brief_causes(cliff: Cliff, names: ShownNames) -> doc.Several:
    changes = _causes(cliff.caused_by, names)
    causes = tuple(cause.short_name(names) for cause in cliff.causes)
    return doc.Several((changes,) if changes else causes or ("from its first day",))


def _timeline(result: Calendar, table: doc.DataTable) -> doc.Drawing:
    rows = [
        charts.TimelineRow(
            f"{result.names.material(cliffs[0].material)}: {demand}",
            tuple(_timeline_span(cliff, result) for cliff in cliffs),
        )
        for demand, cliffs in grouped((cliff.demand, cliff) for cliff in result.cliffs).items()
    ]
    marks = [
        charts.TimelineMark(interval.start, _changes(interval.changed))
        for interval in result.intervals
        if interval.changed
    ]
    description = "The days on which each demand is short, and the days on which supply or cost changes."
    return doc.Drawing(
        "When demands are short",
        description,
        charts.Timeline(result.start, result.until, tuple(rows), tuple(marks)),
        table,
    )


def _timeline_span(cliff: Cliff, result: Calendar) -> charts.TimelineSpan:
    last = result.until if cliff.resolved is None else min(cliff.resolved - timedelta(1), result.until)
    text = f"{_shortage_of_demand(cliff, result.names)} a year short from {cliff.start}, met again: {_shortage_end(cliff, result)}"
    return charts.TimelineSpan(cliff.start, max(cliff.start, last), text, doc.Tone.BAD)


def _shortage_of_demand(cliff: Cliff, names: ShownNames) -> str:
    wanted = mass_of(names, cliff.material, cliff.wanted)
    return f"all {wanted}" if cliff.short == cliff.wanted else f"{mass(cliff.short)} of {wanted}"


def _start_causes(cliff: Cliff, names: ShownNames) -> str:
    if cliff.from_start:
        return "from its first day"
    return _causes(cliff.caused_by, names) or "no single change found"


def _unexplained_causes(cliffs: Sequence[Cliff], names: ShownNames) -> list[str]:
    """Return the causes of shortages that no change on a date explains. Demands with the same causes share an entry."""
    unexplained = (cliff for cliff in cliffs if cliff.causes and not cliff.caused_by)
    shortages_by_cause = grouped(
        ("; ".join(cause.in_full(names) for cause in cliff.causes), f"{cliff.demand} from {cliff.start}")
        for cliff in unexplained
    )
    return [f"{', '.join(shortages)}: {causes}" for causes, shortages in shortages_by_cause.items()]


def _shortage_end(cliff: Cliff, result: Calendar) -> str:
    if cliff.resolved is None:
        return f"not by {result.until}"
    if cliff.ends_unwanted:
        return f"not wanted from {cliff.resolved}"
    return f"{cliff.resolved}, by {_causes(cliff.resolved_by, result.names) or 'no single change found'}"


def _causes(causes: Sequence[Cause], names: ShownNames) -> str:
    changes = [_subject(f"{cause.kind} {cause.name}", names) for cause in causes]
    alone = bool(causes) and causes[0].alone
    return (" or " if alone else " with ").join(changes)


def _subject(change: str, names: ShownNames) -> str:
    kind, _, name = change.partition(" ")
    shown = {"offer": names.offer_with_id, "rule": names.rule}
    return f"{kind} {shown[kind](name)}" if kind in shown else change


def _by_demand(result: Calendar) -> dict[str, list[Stretch]]:
    return grouped((stretch.demand, stretch) for stretch in result.stretches)


def _demand(name: str, stretches: Sequence[Stretch], result: Calendar) -> doc.Section:
    columns = [
        doc.Column("From", whole=True),
        doc.Column("Until", whole=True),
        doc.figures("Wanted a year"),
        doc.figures("Short a year"),
    ]
    columns += [doc.Column("Cause"), doc.figures(f"{result.currency} a year"), doc.Column("shared with")]
    rows: list[list[doc.Cell]] = [
        [
            stretch.start,
            stretch.end,
            weighed(result.names, stretch.material, stretch.wanted),
            weighed(result.names, stretch.material, stretch.short) if stretch.short else doc.NOTHING,
            "; ".join(cause.brief(result.names) for cause in stretch.causes) or doc.NOTHING,
            doc.Amount(stretch.spent),
            _listed([other for other in stretch.group if other != name], CHANGES_SHOWN),
        ]
        for stretch in stretches
    ]
    return doc.section(f"{result.names.material(stretches[0].material)}: {name}", doc.table(columns, rows))
