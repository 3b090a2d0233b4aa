"""A run as a document in reading order."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from decimal import Decimal

from ..document import elements as doc
from ..document.figures import count, money, percent, written
from ..domain.base import grouped, totals
from ..domain.countries import country_in_text, country_name
from ..domain.plan import Confirmation, PlanStatus
from ..domain.run import Run, RunDiscount, RunLevel, RunRange
from ..questions.wording import conversions
from .cash import cash_sections, costs, money_line, present_value
from .caveats import caveats, conflict_section, not_advice, relaxed_section, stale_section, unexamined, warnings
from .demand import demands, shortages, whole_periods
from .ground import assumptions, kept_out, limits, rules, versions
from .headline import headline_of
from .mix import bought, dependence_line, dependence_section, holdings, mix, orders

STATUS = {
    PlanStatus.OPTIMAL: ("optimal", "", doc.Tone.GOOD),
    PlanStatus.FEASIBLE: ("feasible", ", not proved cheapest", doc.Tone.DOUBTFUL),
    PlanStatus.INTERRUPTED: ("interrupted", ", the best plan found in time", doc.Tone.DOUBTFUL),
    PlanStatus.UNCONFIRMED: ("feasible", ", optimal according to one solver only", doc.Tone.DOUBTFUL),
    PlanStatus.INFEASIBLE: ("infeasible", ": hard rules conflict", doc.Tone.BAD),
}
"""Status in a word, the rest of the sentence, and its tone."""
_SMALLEST_GAP = Decimal("0.00001")
"""Gap from which on a screen shows it."""
_CONFIRMED = {
    Confirmation.BOUND: "by a bound",
    Confirmation.SECOND_SOLVER: "by a second solver",
    Confirmation.SECOND_SEARCH: "by a second search",
}


def status_of(run: Run) -> tuple[str, doc.Tone]:
    word, end, tone = STATUS[run.status]
    words = word + end
    confirmed = " and ".join(_CONFIRMED[confirmation] for confirmation in run.confirmed_by)
    return f"{words}, confirmed {confirmed}" if confirmed else words, tone


def heading(run: Run) -> list[doc.Element | None]:
    """Return the title, the headline, and the state of the plan."""
    headline = headline_of(run)
    words, tone = status_of(run)
    gap = [f"gap {percent(run.gap)}"] if run.gap >= _SMALLEST_GAP else []
    proof = [words, "verified" if run.verified else "NOT VERIFIED", *gap, *present_value(run)]
    return [
        doc.sentence(headline.title, strong=True),
        doc.sentence(
            " · ".join([*([run.case] if run.title else []), days_of(run), country_name(run.place), headline.origin]),
            tone=doc.Tone.ASIDE,
        ),
        doc.sentence(headline.text, tone=headline.tone),
        doc.sentence(" · ".join(proof), tone=doc.Tone.ASIDE if run.status is PlanStatus.OPTIMAL else tone),
    ]


def days_of(run: Run) -> str:
    return f"{run.periods[0].start} to {run.periods[-1].end}"


def time_of(run: Run) -> str:
    return f"{days_of(run)}, delivered to {country_in_text(run.place)}"


def plan_document(run: Run, folder: str = "", case: str = "CASE") -> doc.Document:
    """Return everything about a run. A screen shows the most important part.

    If a screen has little room, only rows of three tables are omitted and counted: by priority of the end use, by need, then by money. What a
    reader must know before relying on the plan is never omitted.

    Args:
        folder: Folder that the run was written to. Empty if none.
        case: Case as the user named it, for the commands that come next.
    """
    money_text = money_line(run)
    subject = shlex.quote(folder or case)
    first_caveats, other_caveats = caveats(run)
    notes_below = doc.apart(
        _weights(run),
        doc.notes(first_caveats, doc.Tone.DOUBTFUL),
        doc.sentence(other_caveats, tone=doc.Tone.ASIDE) if other_caveats else None,
        doc.sentence(*_further(run, folder, subject)),
    )
    for_whole = doc.for_whole
    return doc.document(
        run.case,
        *heading(run),
        doc.for_screen(doc.sentence(money_text)) if money_text else None,
        dependence_line(run),
        conflict_section(run),
        relaxed_section(run),
        for_whole(warnings(run)),
        for_whole(ranks(run)),
        for_whole(demands(run)),
        shortages(run, subject),
        bought(run),
        for_whole(mix(run)),
        *(for_whole(part) for part in (exchangeable(run), dependence_section(run), holdings(run), whole_periods(run))),
        orders(run, folder),
        *(
            for_whole(part)
            for part in (discounts(run), costs(run), *cash_sections(run), price_ranges(run), stale_section(run))
        ),
        *(
            for_whole(part)
            for part in (limits(run), kept_out(run), rules(run), assumptions(run), versions(run), not_advice())
        ),
        doc.for_screen(notes_below),
    )


def _weights(run: Run) -> doc.Sentence | None:
    spent = totals((p.material, p.cost) for p in run.purchases)
    short = [d.material for d in run.demands if d.short_kg]
    note = conversions(run.names, [*sorted(spent, key=lambda name: (-spent[name], name)), *short], shortly=True)
    return doc.sentence(note, tone=doc.Tone.ASIDE) if note else None


def _further(run: Run, folder: str, subject: str) -> Iterator[str | doc.Phrase]:
    yield "Next: "
    if run.purchases:
        yield from (doc.Phrase(f"friendshore alternatives {subject}", code=True), " (other sources), ")
    yield from (doc.Phrase("--full", code=True), " (every table), ")
    yield from () if folder else (doc.Phrase("--out FOLDER", code=True), " then ")
    yield from (doc.Phrase(f"friendshore report {folder or 'FOLDER'}", code=True), " (a report)")


def exchangeable(run: Run) -> doc.Section | None:
    texts = (
        f"{run.names.material(row.material)} in {country_in_text(row.place)}: {', '.join(map(run.names.offer_with_id, row.offers))}"
        for row in run.exchangeable
    )
    return doc.section_if_any("Interchangeable offers, at the same cost", doc.notes(texts))


def summary_document(run: Run) -> doc.Document:
    return doc.document(run.case, *heading(run), unexamined(run))


MAX_SETTLEMENTS = 12


def price_ranges(run: Run) -> doc.Section | None:
    if run.nominal_low is None or run.nominal_high is None:
        return None
    ranges_by_material = grouped((price_range.material, price_range) for price_range in run.ranges)
    rows = [
        doc.DataRow(
            (
                material,
                doc.Count(len({price_range.offer for price_range in ranges})),
                *map(doc.Amount, _at_ends(ranges)),
            )
        )
        for material, ranges in ranges_by_material.items()
    ]
    total_cells = (doc.Amount(run.nominal_low), doc.Amount(run.cost.nominal), doc.Amount(run.nominal_high))
    rows.append(doc.DataRow(("total", "", *total_cells), strong=True))
    columns = [doc.Column("Material"), doc.figures("Offers"), doc.figures("At the low end", run.currency)]
    columns += [doc.figures("In the plan", run.currency), doc.figures("At the high end", run.currency)]
    explanation = "Cost of the same purchases, not discounted, including duties on the price. At other prices, another plan may be cheaper."
    return doc.section("Price ranges", doc.table(columns, rows), doc.sentence(explanation))


def _at_ends(ranges: Sequence[RunRange]) -> tuple[Decimal, Decimal, Decimal]:
    zero = Decimal(0)
    ends = (
        sum((price_range.cost_low for price_range in ranges), zero),
        sum((price_range.cost_high for price_range in ranges), zero),
    )
    return ends[0], sum((price_range.cost for price_range in ranges), zero), ends[1]


def discounts(run: Run) -> doc.Section | None:
    if not run.discounts:
        return None
    settlements = sorted(run.discounts, key=lambda d: (-abs(d.discount), d.schedule, d.span))
    columns = [doc.Column("Price schedule of"), doc.Column("Span", whole=True), doc.figures("Bought")]
    any_limited = any(settlement.tier_max is not None for settlement in settlements)
    columns += [doc.figures("Tier from"), *([doc.figures("To")] if any_limited else []), doc.figures("Next from")]
    columns.append(doc.figures(f"{run.currency} off"))
    omitted = settlements[MAX_SETTLEMENTS:]
    off = money(sum((d.discount for d in omitted), Decimal(0)))
    summary = f"{count(len(omitted), 'more settlement')}, {run.currency} {off} off (all with --json or --out)"
    rows = [_settlement_row(settlement, run, any_limited) for settlement in settlements[:MAX_SETTLEMENTS]]
    return doc.section("Price schedules", doc.table(columns, rows), doc.notes([summary] if omitted else []))


def _settlement_row(settlement: RunDiscount, run: Run, any_limited: bool) -> list[doc.Cell]:
    quantity, tier_start = (
        _amount_in_measure(settlement, settlement.measured, run),
        _amount_in_measure(settlement, settlement.tier_min, run),
    )
    following = [
        doc.NOTHING if amount is None else _amount_in_measure(settlement, amount, run)
        for amount in (settlement.tier_max, settlement.next_tier_min)
    ]
    return [
        settlement.schedule,
        settlement.span,
        quantity,
        tier_start,
        *(following if any_limited else following[1:]),
        doc.Amount(settlement.discount),
    ]


def _amount_in_measure(settlement: RunDiscount, amount: Decimal, run: Run) -> doc.Cell:
    if not amount:
        return "0"
    return doc.Amount(amount, run.currency) if settlement.measure == "money" else doc.Kilograms(amount)


def ranks(run: Run) -> doc.Section | None:
    if not run.levels:
        return None
    columns = [
        doc.figures("#"),
        doc.Column("Minimized in this order"),
        doc.figures("Value"),
        doc.figures("Gap"),
    ]
    columns += [doc.figures("Saved by ranking"), doc.figures("Objective added", run.currency)]
    return doc.section("Lexicographic objectives", doc.table(columns, [_level(level, run) for level in run.levels]))


def _level(level: RunLevel, run: Run) -> list[doc.Cell]:
    return [
        doc.Count(level.rank),
        _objective(level, run),
        _amount(level, level.value, run),
        doc.Share(level.gap),
        doc.NOTHING if level.reduction is None else _amount(level, level.reduction, run),
        doc.NOTHING if level.objective_increase is None else doc.Amount(level.objective_increase),
    ]


def _objective(level: RunLevel, run: Run) -> str:
    if not level.within:
        return level.sentence
    minimum = written(_amount(level, level.best_value, run))
    return f"{level.sentence} (minimum {minimum}; later objectives may add {percent(level.within)})"


def _amount(level: RunLevel, amount: Decimal, run: Run) -> doc.Amount | doc.Kilograms:
    return doc.Amount(amount, run.currency) if level.unit == run.currency else doc.Kilograms(amount)
