"""A run as a document in reading order, its costs in full, which no page has, and the heading of the mix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from ..document import elements as doc
from ..document.figures import count, large_money, money, percent, written
from ..domain.base import grouped, totals
from ..domain.plan import Confirmation, PlanStatus
from ..domain.run import Run, RunDemand, RunDiscount, RunLevel, RunRange
from ..questions.wording import conversions
from .cash import cash_sections, costs, money_line
from .caveats import caveats, conflict_section, not_advice, stale_section, unexamined, warnings
from .demand import demands, for_whom, shortages, whole_periods
from .ground import assumptions, kept_out, limits, rules, versions
from .mix import bought, dependence_line, dependence_section, holdings, mix, orders

STATUS = {
    PlanStatus.OPTIMAL: ("optimal", "", doc.Tone.GOOD),
    PlanStatus.FEASIBLE: ("feasible", ", not proved cheapest", doc.Tone.DOUBTFUL),
    PlanStatus.INTERRUPTED: ("interrupted", ", the best plan found so far", doc.Tone.DOUBTFUL),
    PlanStatus.UNCONFIRMED: ("feasible", ", optimal according to one solver", doc.Tone.DOUBTFUL),
    PlanStatus.INFEASIBLE: ("infeasible", ": hard rules conflict", doc.Tone.BAD),
}
"""Status in a word, the rest of the sentence, and its tone."""
_CONFIRMED = {
    Confirmation.BOUND: "by a bound",
    Confirmation.SECOND_SOLVER: "by a second solver",
    Confirmation.SECOND_SEARCH: "by a second search",
}


def status_of(run: Run) -> tuple[str, doc.Tone]:
    """Return the status in words with its confirmation, and its tone."""
    word, more, tone = STATUS[run.status]
    words = word + more
    confirmed = " and ".join(_CONFIRMED[each] for each in run.confirmed_by)
    return f"{words}, confirmed {confirmed}" if confirmed else words, tone


def heading(run: Run) -> list[doc.Element | None]:
    """Return case, time, status, and the three most important figures. A screen has fewer lines, and counts the unmet demands."""
    name: list[str | doc.Phrase] = [doc.Phrase(run.case, strong=True)]
    if run.scenario:
        name.append(doc.Phrase(f"  with {', '.join(run.scenario)}", doc.Tone.CHOICE, strong=True))
    words, tone = status_of(run)
    status = f"{words} · {'verified' if run.verified else 'NOT VERIFIED'} · gap {percent(run.gap)}"
    return [
        doc.for_screen(doc.sentence(*name, f"  {time_of(run)}")),
        doc.for_whole(doc.sentence(*name)),
        doc.for_whole(doc.sentence(time_of(run))),
        doc.sentence(status, tone=tone, strong=True),
        doc.for_screen(doc.sentence(spends(run, named=False))),
        doc.for_whole(doc.sentence(spends(run))),
    ]


def time_of(run: Run) -> str:
    """Return the plan's time, place, and currency."""
    first, last = run.periods[0], run.periods[-1]
    return f"{first.start} to {last.end}, {count(len(run.periods), 'period')}, at {run.place}, money in {run.currency}"


def spends(run: Run, *, named: bool = True) -> str:
    """Return the cash spent or earned, and the demands met with their first periods."""
    verb = "earns" if run.cost.nominal < 0 else "spends"
    return f"{verb} {large_money(abs(run.cost.nominal), run.currency)}; {met(run, named=named)}"


def met(run: Run, *, named: bool = True) -> str:
    """Return the number of met demands, from when on, and the unmet ones. Kilograms of different materials are never summed."""
    lacking = [demand for demand in run.demands if demand.short_kg]
    if not lacking:
        return "all demand is met"
    later = [demand for demand in lacking if demand.first_met]
    partly = [demand for demand in lacking if not demand.first_met and demand.delivered_kg]
    never = [demand for demand in lacking if not demand.first_met and not demand.delivered_kg]
    whole = len(run.demands) - len(lacking)
    order = {period.label: number for number, period in enumerate(run.periods)}
    last = max((demand.first_met for demand in later), key=order.__getitem__, default="")
    wanted = count(len(run.demands), "demand")
    parts = [f"{whole} of {wanted} met in full"] if whole or not later else []
    if later:
        parts.append(f"{len(later)}{'' if parts else f' of {wanted} met'} from {last} on")
    for found, told in ((partly, "not to the end"), (never, "never")):
        parts += [f"{len(found)} {told}" + (f": {_who(run, found)}" if named else "")] if found else []
    return "; ".join(parts)


NAMED = 6
"""Number of demands that the heading names. The table below it has all."""


def _who(run: Run, demands: Sequence[RunDemand]) -> str:
    names = [f"{run.names.material(demand.material)} for {for_whom(run, demand)}" for demand in demands]
    more = [f"{len(names) - NAMED} more"] if len(names) > NAMED else []
    return ", ".join([*names[:NAMED], *more])


def plan_document(run: Run, folder: str = "") -> doc.Document:
    """Return everything about a run. A screen shows the most important part.

    If a screen has little room, only rows of three tables are omitted and counted: by priority of the end use, by need, then by money. What a
    reader must know before relying on the plan is never omitted.

    Args:
        run: Run to show.
        folder: Folder that it was written to. Empty if none.
    """
    money = money_line(run)
    below = doc.apart(_weights(run), doc.notes(caveats(run), doc.Tone.DOUBTFUL), doc.sentence(*_further(folder)))
    whole = doc.for_whole
    return doc.document(
        run.case,
        *heading(run),
        doc.for_screen(doc.sentence(money)) if money else None,
        dependence_line(run),
        conflict_section(run),
        whole(warnings(run)),
        whole(ranks(run)),
        whole(demands(run)),
        shortages(run),
        bought(run),
        whole(mix(run)),
        *(whole(part) for part in (exchangeable(run), dependence_section(run), holdings(run), whole_periods(run))),
        orders(run, folder),
        *(
            whole(part)
            for part in (discounts(run), costs(run), *cash_sections(run), price_ranges(run), stale_section(run))
        ),
        *(
            whole(part)
            for part in (limits(run), kept_out(run), rules(run), assumptions(run), versions(run), not_advice())
        ),
        doc.for_screen(below),
    )


def _weights(run: Run) -> doc.Sentence | None:
    """Return the equivalents of contained elements and oxides that are bought or short."""
    spent = totals((p.material, p.cost) for p in run.purchases)
    short = [d.material for d in run.demands if d.short_kg]
    note = conversions(run.names, [*sorted(spent, key=lambda name: (-spent[name], name)), *short], shortly=True)
    return doc.sentence(note, tone=doc.Tone.ASIDE) if note else None


def _further(folder: str) -> Iterator[str | doc.Phrase]:
    """Yield how to see the rest."""
    yield from (doc.Phrase("--full", code=True), ": every table; ")
    if not folder:
        yield from (doc.Phrase("--out FOLDER", code=True), ", then ")
    yield from (doc.Phrase(f"friendshore report {folder or 'FOLDER'}", code=True), ": a page")


def exchangeable(run: Run) -> doc.Section | None:
    """Return the offers that could replace one another at the same cost."""
    lines = (
        f"{run.names.material(row.material)} at {row.place}: {', '.join(map(run.names.offer_with_id, row.offers))}"
        for row in run.exchangeable
    )
    return doc.section_if_any("Any of these would do, at the same cost", doc.notes(lines))


def summary_document(run: Run) -> doc.Document:
    """Return the heading and the essential caveats."""
    return doc.document(run.case, *heading(run), unexamined(run))


MOST = 12
"""Maximum number of settlements of price schedules that are shown, by descending amount."""


def price_ranges(run: Run) -> doc.Section | None:
    """Return the cost of the same purchases with all prices at the low or high end of their ranges, by material and in total."""
    if run.nominal_low is None or run.nominal_high is None:
        return None
    groups = grouped((one.material, one) for one in run.ranges)
    rows = [
        doc.DataRow((material, doc.Count(len({one.offer for one in some})), *map(doc.Amount, _at_ends(some))))
        for material, some in groups.items()
    ]
    whole = (doc.Amount(run.nominal_low), doc.Amount(run.cost.nominal), doc.Amount(run.nominal_high))
    rows.append(doc.DataRow(("all that is spent", "", *whole), strong=True))
    columns = [doc.Column("Material"), doc.figures("Offers"), doc.figures("At the low end", run.currency)]
    columns += [doc.figures("In the plan", run.currency), doc.figures("At the high end", run.currency)]
    told = "Sums over the same purchases, not discounted, with duties that are a share of a price; at other prices another plan may be cheaper."
    return doc.section("Prices that are given as ranges", doc.table(columns, rows), doc.sentence(told))


def _at_ends(ranges: Sequence[RunRange]) -> tuple[Decimal, Decimal, Decimal]:
    nothing = Decimal(0)
    ends = sum((one.cost_low for one in ranges), nothing), sum((one.cost_high for one in ranges), nothing)
    return ends[0], sum((one.cost for one in ranges), nothing), ends[1]


def discounts(run: Run) -> doc.Section | None:
    """Return every settlement of a price schedule: purchases, start of its tier and the next, and discount."""
    if not run.discounts:
        return None
    told = sorted(run.discounts, key=lambda d: (-abs(d.discount), d.schedule, d.span))
    columns = [doc.Column("Price schedule of"), doc.Column("Span", whole=True), doc.figures("Bought")]
    ends = any(one.most is not None for one in told)
    columns += [doc.figures("Tier from"), *([doc.figures("To")] if ends else []), doc.figures("Next from")]
    columns.append(doc.figures(f"{run.currency} off"))
    rest = told[MOST:]
    off = money(sum((d.discount for d in rest), Decimal(0)))
    more = f"{count(len(rest), 'more settlement')}, {run.currency} {off} off (all with --json or --out)"
    rows = [_settled(one, run, ends) for one in told[:MOST]]
    return doc.section("Price schedules", doc.table(columns, rows), doc.notes([more] if rest else []))


def _settled(one: RunDiscount, run: Run, ends: bool) -> list[doc.Cell]:
    bought, least = _measured(one, one.measured, run), _measured(one, one.least, run)
    after = [doc.NOTHING if each is None else _measured(one, each, run) for each in (one.most, one.next)]
    return [one.schedule, one.span, bought, least, *(after if ends else after[1:]), doc.Amount(one.discount)]


def _measured(one: RunDiscount, amount: Decimal, run: Run) -> doc.Cell:
    if not amount:
        return "0"
    return doc.Amount(amount, run.currency) if one.measure == "money" else doc.Kilograms(amount)


def ranks(run: Run) -> doc.Section | None:
    """Return lexicographic objectives: each level's value and gap, what ranking it gains, and by how much it raises the objective."""
    if not run.levels:
        return None
    columns = [
        doc.figures("#"),
        doc.Column("As small as those above it allow"),
        doc.figures("Comes to"),
        doc.figures("Gap"),
    ]
    columns += [doc.figures("Ranking it saves"), doc.figures("and adds", run.currency)]
    return doc.section("Lexicographic objectives", doc.table(columns, [_level(level, run) for level in run.levels]))


def _level(level: RunLevel, run: Run) -> list[doc.Cell]:
    return [
        doc.Count(level.rank),
        _what(level, run),
        _amount(level, level.value, run),
        doc.Share(level.gap),
        doc.NOTHING if level.gained is None else _amount(level, level.gained, run),
        doc.NOTHING if level.raised_objective is None else doc.Amount(level.raised_objective),
    ]


def _what(level: RunLevel, run: Run) -> str:
    """Return the objective of a level, and the worsening that later levels may cause."""
    if not level.within:
        return level.sentence
    least = written(_amount(level, level.least, run))
    return f"{level.sentence} (least {least}; later ones may add {percent(level.within)})"


def _amount(level: RunLevel, amount: Decimal, run: Run) -> doc.Amount | doc.Kilograms:
    return doc.Amount(amount, run.currency) if level.unit == run.currency else doc.Kilograms(amount)
