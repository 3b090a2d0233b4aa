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
from friendshore.questions.wording import ladder, mass_or_nothing, penalty, ranked, rise, weighed

from .withstand_recheck import WithstandChecked
from .withstand_search import CurvePoint, MissedDemand, NotWithstood, Withstood

NAMED = 2
"""Maximum number of names in a list of the whole document."""


def withstand_document(found: Withstood, shown: int) -> doc.Document:
    """Return the curve, the sets of losses that no plan withstands, and the changes of the curve's last plan.

    The whole document has the first `shown` rows of each table, or all if 0.
    """
    last = found.curve[-1]
    return doc.document(
        f"{found.case}: what it costs to withstand losses",
        doc.sentence(_head(found, last), strong=True),
        _key_figures(found),
        doc.sentence(_terms(found.start, found.reacts)),
        _curve(found, shown),
        _not_withstood(found, last, shown),
        _otherwise(found, shown),
        doc.apart(doc.notes(_notes(found))),
    )


def _head(found: Withstood, last: CurvePoint) -> str:
    if not last.losses:
        return f"What it costs to withstand any of {count(len(found.losses), 'loss', 'losses')} was not found in time."
    whatever = f"Whatever {_any(last.losses)} of {count(len(found.losses), 'loss', 'losses')} from {found.start} on"
    but = ", but for what no mix avoids" if last.not_withstood else ""
    worst = ""
    if last.worst is not None and abs(last.worst.rise) >= CENT:
        rise = last.worst.rise
        then = f"spend and penalty {'rise' if rise >= 0 else 'fall'} by {large_money(abs(rise), found.currency)} (present value)"
        worst = f" The dearest to lose: {_names(last.worst.losses)}; then {then}."
    return f"{whatever}, no more is short{but}: {_price(found, last)} where nothing is lost.{worst}"


def _any(losses: int) -> str:
    return "one comes" if losses == 1 else f"{losses} come"


def _price(found: Withstood, point: CurvePoint) -> str:
    """Return cash, then the proved range of the present value."""
    if point.extra.proved and abs(point.extra.value) < CENT and abs(point.cash) < CENT:
        return "no more than the plan"
    value = _present(point)
    cash = (
        "as much cash as the plan, at other times"
        if abs(point.cash) < 1
        else f"{large_money(abs(point.cash), found.currency)} {'more' if point.cash > 0 else 'less'} cash than the plan"
    )
    sign = "+" if value > 0 else ""
    of_it = f" (present value {sign}{large_money(value, found.currency)})" if value != point.cash else ""
    open_still = "" if point.extra.proved else f"; not proved: {found.currency} {rise(point.extra)} of present value"
    return cash + of_it + open_still


def _present(point: CurvePoint) -> Decimal:
    """Return the present value of the additional spend."""
    return point.extra.value - point.penalties


def _key_figures(found: Withstood) -> doc.KeyFigures:
    figures = [
        doc.KeyFigure(f"To withstand any {point.losses}", f"{large_money(point.cash, found.currency)} more cash")
        for point in found.curve
        if point.losses
    ]
    return doc.KeyFigures(tuple(figures))


def _terms(start: date, reacts: date | None) -> str:
    until = "the plan ends" if reacts is None else str(reacts)
    wait = (
        "anything else can be ordered at once"
        if reacts == start
        else f"until {until} nothing is ordered beyond what was planned"
    )
    return (
        f"What was ordered before a loss still comes; {wait}. What is decided before it is the same whatever is lost."
    )


def _curve(found: Withstood, shown: int) -> doc.Section:
    discounted = any(_present(point) != point.cash for point in found.curve)
    weighed = any(abs(point.penalties) >= 1 for point in found.curve)
    columns = [
        doc.figures("Any"),
        doc.figures("Not withstood"),
        doc.figures("More cash", found.currency),
        *([doc.figures("Present value")] if discounted else []),
        *([doc.figures("Penalty")] if weighed else []),
        doc.Column("Worst withstood"),
        doc.figures("Spend and penalty then"),
    ]
    rows: list[list[doc.Cell]] = [
        [
            doc.Count(point.losses),
            f"{point.not_withstood:,} of {point.combinations - 1:,}" if point.losses else doc.NOTHING,
            doc.Amount(point.cash, form="signed") if point.losses else doc.NOTHING,
            *([doc.Amount(_present(point), form="signed") if point.losses else doc.NOTHING] if discounted else []),
            *([penalty(point.penalties)] if weighed else []),
            doc.Several(tuple(point.worst.losses), between=" and ") if point.worst else doc.NOTHING,
            penalty(point.worst.rise) if point.worst else doc.NOTHING,
        ]
        for point in found.curve
    ]
    rungs = [
        charts.Rung(
            f"any {point.losses}" if point.losses else "none",
            point.cash,
            large_money(point.cash, found.currency),
            doc.Tone.PLAIN if point.extra.proved else doc.Tone.DOUBTFUL,
        )
        for point in found.curve
    ]
    title = "What each number of losses costs"
    told = f"The cash that the plan which withstands so many losses spends more where nothing is lost, in {found.currency}."
    return doc.section(title, ladder(title, told, rungs, found.currency, ranked(columns, rows, "more number", part=9)))


def _names(names: Iterable[str]) -> str:
    return " and ".join(names)


def _not_withstood(found: Withstood, last: CurvePoint, shown: int) -> doc.Section | None:
    if not found.not_withstood:
        return None
    rows = list(_rows(found.not_withstood))
    told = "no one plan is prepared for each of these as well as another would be: more is short than has to be"
    columns = [
        doc.Column("Demand"),
        doc.figures("Short"),
        doc.Column("From"),
        doc.Column("If lost"),
        doc.Column("Who is left", from_width=doc.MEDIUM),
    ]
    table = ranked(columns, rows, "more demand", part=4, top=shown)
    return doc.section("What no mix withstands", table, doc.notes([told] if last.regret else []))


def _rows(sets: Sequence[NotWithstood]) -> Iterator[list[doc.Cell]]:
    """Yield conflicts, then demands in the order of the first set that leaves them short, with all sets that leave the same shortage as early."""
    for one in sets:
        if one.conflict:
            yield ["rules conflict", doc.NOTHING, doc.NOTHING, _names(one.losses), doc.NOTHING]
    pairs = (((short.demand, mass(short.kilograms), _when(short)), (one, short)) for one in sets for short in one.short)
    for (demand, _, when), found in grouped(pairs).items():
        named = doc.Several(tuple(_names(one.losses) for one, _ in found), between="; or ", named=NAMED)
        left = sorted({name for _, short in found for name in short.suppliers})
        who = doc.Several(tuple(left), named=NAMED) if left else "nobody"
        yield [demand, doc.Kilograms(found[0][1].kilograms), when, named, who]


def _when(short: MissedDemand) -> str:
    return short.first if short.goes_on else f"{short.first} to {short.last}"


def _otherwise(found: Withstood, shown: int) -> doc.Section:
    title = "What it does otherwise before the loss"
    if not found.ordered and not found.ready and not found.onboarded:
        return doc.section(title, doc.sentence("nothing: the plan as it is already does"))
    then, today = doc.figures("Then"), doc.figures("Today")
    ready = sorted(found.ready, key=lambda row: (-abs(row.kilograms - row.today), row.material))
    rows: list[list[doc.Cell]] = [
        [
            f"in stock or on its way: {found.names.material(row.material)}",
            *(weighed(found.names, row.material, kg) if kg else doc.NOTHING for kg in (row.kilograms, row.today)),
        ]
        for row in ready
    ]
    rows += [
        [
            f"ordered from {found.names.offer_with_id(row.offer)}" + (" (new)" if row.new else ""),
            mass_or_nothing(row.kilograms),
            mass_or_nothing(row.today),
        ]
        for row in found.ordered
    ]
    rows = [row for pair in zip_longest(rows[: len(ready)], rows[len(ready) :]) for row in pair if row is not None]
    told = [
        f"{found.names.offer_with_id(one.offer)} is onboarded for {large_money(one.cost, found.currency)}, and only used if a loss comes"
        for one in found.onboarded
    ]
    columns = [doc.Column("When the loss comes"), then, today]
    return doc.section(title, ranked(columns, rows, "more row", part=3, top=shown), doc.notes(told))


def _notes(found: Withstood) -> Iterator[str]:
    last = found.curve[-1]
    others = f"; {count(found.left_out, 'other')} left out (--most 0)" if found.left_out else ""
    combinations = count(last.combinations, "combination")
    for point in found.curve:
        if point.losses and not point.extra.proved:
            yield f"any {point.losses}: not proved, spend and penalty together {rise(point.extra)} more (present value)"
    yield f"all {combinations} enumerated, {count(last.plans, 'plan')} verified{others}"
    if found.never_met:
        yield f"short as things are, and no shorter after a loss: {_listed(found.never_met)}"


def _listed(names: Sequence[str]) -> str:
    rest = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {rest} more" if rest > 0 else "")


def checked_document(found: WithstandChecked) -> doc.Document:
    """Return the result of a valid proof."""
    told = (
        f"The proof holds: whatever {_any(found.most)} of {count(len(found.losses), 'loss', 'losses')} from {found.start} on, no more is short"
        + (
            f", but for what no mix avoids after {count(found.not_withstood, 'combination')}"
            if found.not_withstood
            else ""
        )
        + f". Spend and penalty are {large_money(found.extra, found.currency)} more than of the plan as it is, and of none that "
        f"withstands as much less than {large_money(found.least, found.currency)} more (present value)."
    )
    how = (
        "are proved in exact fractions, without a solver"
        if found.proved
        else "are solved for again where no certificate proves them: a solver's word"
    )
    checked = (
        f"all {count(found.combinations, 'combination')} enumerated again, {count(found.plans, 'plan')} verified again; what is unavoidably short, "
        f"and the least cost, {how}"
    )
    changed = "the facts have changed since the proof was written: what it says was checked against the case as it is"
    return doc.document(
        f"{found.case}: a proof that losses are withstood",
        doc.sentence(told, tone=doc.Tone.GOOD, strong=True),
        doc.sentence(_terms(found.start, found.reacts)),
        doc.notes([f"losses: {'; '.join(found.losses)}", checked, *([] if found.same_facts else [changed])]),
    )


def _kinds(words: str) -> list[str]:
    from .losses import KINDS, ROUTE_KINDS

    found, known = [word.strip() for word in words.split(",")], (*KINDS, *ROUTE_KINDS)
    wrong = [word for word in found if word not in known]
    if wrong:
        raise InputError(
            "unknown kind of loss",
            column="--by",
            found=", ".join(wrong),
            expected=", ".join(known),
            fix=did_you_mean(wrong[0], known),
        )
    return found


def _months(text: str) -> Decimal:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise InputError("`--react` is no time", column="--react", found=text, expected=str(error)) from None
