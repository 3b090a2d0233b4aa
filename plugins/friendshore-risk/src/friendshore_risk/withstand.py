"""The question `withstand`: the cheapest mix that meets demand after any few losses, and the cost of each number of losses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import zip_longest

from friendshore.document import charts
from friendshore.document import elements as doc
from friendshore.document.figures import count, large_money, mass
from friendshore.domain.base import grouped
from friendshore.domain.quantities import parse_duration
from friendshore.domain.suggest import did_you_mean
from friendshore.errors import InputError
from friendshore.explain.results import CENT
from friendshore.questions.wording import cash, first_few, ladder, mass_or_nothing, penalty, ranked, rise, weighed

from .withstand_recheck import WithstandChecked
from .withstand_search import CurvePoint, MissedDemand, NotWithstood, Withstood

MAX_NAMES = 2


def withstand_document(answer: Withstood, shown: int) -> doc.Document:
    """Return the answer as a document. The whole document has the first `shown` rows of each table, or all if 0."""
    last_point = answer.curve[-1]
    return doc.document(
        f"{answer.case}: cost of withstanding losses",
        doc.answer(_headline(answer, last_point)),
        doc.for_whole(_key_figures(answer)),
        _curve(answer, shown),
        _not_withstood(answer, last_point, shown),
        _changes(answer, shown),
        doc.apart(doc.notes(_notes(answer)), doc.sentence(_terms(answer.start, answer.reacts), tone=doc.Tone.ASIDE)),
    )


def _headline(answer: Withstood, last_point: CurvePoint) -> str:
    if not last_point.losses:
        return f"The cost of withstanding {count(len(answer.losses), 'loss', 'losses')} wasn't known in time."
    introduction = f"Any {_losses_text(last_point.losses)} of {count(len(answer.losses), 'possible loss', 'possible losses')} from {answer.start} on"
    exception_text = " beyond what no plan can avoid" if last_point.not_withstood else ""
    worst_text = ""
    if last_point.worst is not None and abs(last_point.worst.rise) >= CENT:
        rise = last_point.worst.rise
        change_text = f"spend plus penalties {'rise' if rise >= 0 else 'fall'} by {large_money(abs(rise), answer.currency)} (present value)"
        worst_text = f" The most expensive loss is {_joined_names(last_point.worst.losses)}. After it, {change_text}."
    return f"{introduction} {'causes' if last_point.losses == 1 else 'cause'} no additional shortage{exception_text}. Without a loss, the plan spends {_price_text(answer, last_point)}.{worst_text}"


def _losses_text(losses: int) -> str:
    return "one" if losses == 1 else f"{losses}"


def _price_text(answer: Withstood, point: CurvePoint) -> str:
    if point.extra.proved and abs(point.extra.value) < CENT and abs(point.cash) < CENT:
        return "no more than the current plan"
    value = _present_value(point)
    cash_text = (
        "as much cash as the current plan, at other times"
        if abs(point.cash) < 1
        else f"{large_money(abs(point.cash), answer.currency)} {'more' if point.cash > 0 else 'less'} cash than the current plan"
    )
    sign = "+" if value > 0 else ""
    present_value_text = f" (present value {sign}{large_money(value, answer.currency)})" if value != point.cash else ""
    unproved_text = (
        "" if point.extra.proved else f" (not proved: {answer.currency} {rise(point.extra)} of present value)"
    )
    return cash_text + present_value_text + unproved_text


def _present_value(point: CurvePoint) -> Decimal:
    return point.extra.value - point.penalties


def _key_figures(answer: Withstood) -> doc.KeyFigures:
    figures = [
        doc.KeyFigure(f"Withstand any {point.losses}", f"{large_money(point.cash, answer.currency)} more cash")
        for point in answer.curve
        if point.losses
    ]
    return doc.KeyFigures(tuple(figures))


def _terms(start: date, reacts: date | None) -> str:
    end_text = "the plan ends" if reacts is None else str(reacts)
    wait_text = (
        "other orders are possible at once"
        if reacts == start
        else f"until {end_text}, nothing is ordered beyond the plan"
    )
    return f"Orders from before a loss still arrive. After it, {wait_text}. Decisions before it are the same for all losses."


def _curve(answer: Withstood, shown: int) -> doc.Section:
    discounted = any(_present_value(point) != point.cash for point in answer.curve)
    has_penalties = any(abs(point.penalties) >= 1 for point in answer.curve)
    columns = [
        doc.figures("Any"),
        doc.figures("Not withstood"),
        doc.figures("More cash", answer.currency),
        *([doc.figures("Present value", from_width=doc.MEDIUM)] if discounted else []),
        *([doc.figures("Penalty", from_width=doc.WIDE)] if has_penalties else []),
        doc.Column("Most expensive loss"),
        doc.figures("Spend and penalty after it", from_width=doc.WIDE),
    ]
    rows: list[list[doc.Cell]] = [
        [
            doc.Count(point.losses),
            f"{point.not_withstood:,} of {point.combinations - 1:,}" if point.losses else doc.NOTHING,
            cash(point.cash, signed=True) if point.losses else doc.NOTHING,
            *([cash(_present_value(point), signed=True) if point.losses else doc.NOTHING] if discounted else []),
            *([penalty(point.penalties)] if has_penalties else []),
            doc.Several(tuple(point.worst.losses), between=" and ") if point.worst else doc.NOTHING,
            penalty(point.worst.rise) if point.worst else doc.NOTHING,
        ]
        for point in answer.curve
    ]
    rungs = [
        charts.Rung(
            f"any {point.losses}" if point.losses else "none",
            point.cash,
            large_money(point.cash, answer.currency),
            doc.Tone.PLAIN if point.extra.proved else doc.Tone.DOUBTFUL,
        )
        for point in answer.curve
    ]
    title = "Cost by number of losses"
    description = (
        f"Additional cash without a loss of the plan that withstands this number of losses, in {answer.currency}."
    )
    return doc.section(
        title,
        ladder(title, description, rungs, answer.currency, ranked(columns, rows, "more number", part=9)),
        column="Withstand any",
    )


def _joined_names(names: Iterable[str]) -> str:
    return " and ".join(names)


def _not_withstood(answer: Withstood, last_point: CurvePoint, shown: int) -> doc.Section | None:
    if not answer.not_withstood:
        return None
    rows = list(_rows(answer.not_withstood))
    note = (
        "no single plan prepares for all of these as well as separate plans would, so some of the shortage is avoidable"
    )
    columns = [
        doc.Column("Demand"),
        doc.figures("Short"),
        doc.Column("From"),
        doc.Column("If lost"),
        doc.Column("Remaining suppliers", from_width=doc.MEDIUM),
    ]
    table = ranked(columns, rows, "more demand", part=4, top=shown)
    return doc.section(
        "Losses that no plan withstands",
        table,
        doc.notes([note] if last_point.regret else []),
        column="Not withstood",
    )


def _rows(sets: Sequence[NotWithstood]) -> Iterator[list[doc.Cell]]:
    for loss_set in sets:
        if loss_set.conflict:
            yield ["rules conflict", doc.NOTHING, doc.NOTHING, _joined_names(loss_set.losses), doc.NOTHING]
    pairs = (
        ((short.demand, mass(short.kilograms), _period_text(short)), (loss_set, short))
        for loss_set in sets
        for short in loss_set.short
    )
    for (demand, _, period_text), short_entries in grouped(pairs).items():
        loss_names = doc.Several(
            tuple(_joined_names(loss_set.losses) for loss_set, _ in short_entries), between="; or ", named=MAX_NAMES
        )
        suppliers = sorted({name for _, short in short_entries for name in short.suppliers})
        supplier_cell = doc.Several(tuple(suppliers), named=MAX_NAMES) if suppliers else "none"
        yield [demand, doc.Kilograms(short_entries[0][1].kilograms), period_text, loss_names, supplier_cell]


def _period_text(short: MissedDemand) -> str:
    return short.first if short.continues else f"{short.first} to {short.last}"


def _changes(answer: Withstood, shown: int) -> doc.Section:
    title = "Changes before the loss"
    if not answer.ordered and not answer.ready and not answer.onboarded:
        return doc.section(title, doc.sentence("None. The current plan already withstands the losses."))
    planned_column, current_column = doc.figures("Planned"), doc.figures("Current")
    stock_entries = sorted(answer.ready, key=lambda row: (-abs(row.kilograms - row.today), row.material))
    rows: list[list[doc.Cell]] = [
        [
            f"in stock or on order: {answer.names.material(row.material)}",
            *(weighed(answer.names, row.material, kg) if kg else doc.NOTHING for kg in (row.kilograms, row.today)),
        ]
        for row in stock_entries
    ]
    rows += [
        [
            f"ordered from {answer.names.offer_with_id(row.offer)}" + (" (new)" if row.new else ""),
            mass_or_nothing(row.kilograms),
            mass_or_nothing(row.today),
        ]
        for row in answer.ordered
    ]
    rows = [
        row
        for pair in zip_longest(rows[: len(stock_entries)], rows[len(stock_entries) :])
        for row in pair
        if row is not None
    ]
    note_texts = [
        f"{answer.names.offer_with_id(offer.offer)} is onboarded for {large_money(offer.cost, answer.currency)}, and used only after a loss"
        for offer in answer.onboarded
    ]
    columns = [doc.Column("Before the loss"), planned_column, current_column]
    table = ranked(columns, rows, "more row", part=3, top=shown)
    return doc.section(title, table, doc.notes(note_texts), column="Before the loss")


def _notes(answer: Withstood) -> Iterator[str]:
    last_point = answer.curve[-1]
    left_out_text = (
        f"; {count(answer.losses_not_considered, 'other')} left out (--most 0)" if answer.losses_not_considered else ""
    )
    combinations = count(last_point.combinations, "combination")
    for point in answer.curve:
        if point.losses and not point.extra.proved:
            yield f"not proved for any {point.losses}: spend plus penalties are {rise(point.extra)} higher (present value)"
    yield f"all {combinations} checked, {count(last_point.plans, 'plan')} verified{left_out_text}"
    if answer.never_met:
        yield f"short already, and not more so after a loss: {first_few(answer.never_met, MAX_NAMES, ' and ')}"


def checked_document(answer: WithstandChecked) -> doc.Document:
    text = (
        f"The proof is valid. Any {_losses_text(answer.max_losses)} of {count(len(answer.losses), 'possible loss', 'possible losses')} from {answer.start} on {'causes' if answer.max_losses == 1 else 'cause'} no additional shortage"
        + (
            f" beyond what no plan can avoid after {count(answer.not_withstood, 'combination')}"
            if answer.not_withstood
            else ""
        )
        + f". Spend plus penalties are {large_money(answer.extra, answer.currency)} above the current plan. Every plan that "
        f"withstands as much costs at least {large_money(answer.lower_bound, answer.currency)} more (present value)."
    )
    proof_text = (
        "are proved exactly, without a solver" if answer.proved else "rely on a solver where no certificate proves them"
    )
    checked_note = (
        f"all {count(answer.combinations, 'combination')} and {count(answer.plans, 'plan')} checked again. The unavoidable shortages "
        f"and the lowest cost {proof_text}"
    )
    changed_note = "the facts have changed since the proof was written. It was checked against the current case"
    return doc.document(
        f"{answer.case}: check of a proof",
        doc.sentence(text, tone=doc.Tone.GOOD, strong=True),
        doc.sentence(_terms(answer.start, answer.reacts)),
        doc.notes(
            [f"losses: {'; '.join(answer.losses)}", checked_note, *([] if answer.same_facts else [changed_note])]
        ),
    )


def parse_kinds(words: str) -> list[str]:
    from .losses import KINDS, ROUTE_KINDS

    kinds, known_kinds = [word.strip() for word in words.split(",")], (*KINDS, *ROUTE_KINDS)
    unknown_kinds = [word for word in kinds if word not in known_kinds]
    if unknown_kinds:
        raise InputError(
            "unknown kind of loss",
            column="--by",
            found=", ".join(unknown_kinds),
            expected=", ".join(known_kinds),
            fix=did_you_mean(unknown_kinds[0], known_kinds),
            code="FS003",
        )
    return kinds


def parse_months(text: str) -> Decimal:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise InputError(
            "the time of --react can't be read", column="--react", found=text, expected=str(error), code="FS011"
        ) from None
