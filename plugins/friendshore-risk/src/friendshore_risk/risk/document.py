"""The answer to `risk` as it is told to people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import TYPE_CHECKING

from friendshore.document import elements as doc
from friendshore.document.figures import count, large_money, percent, rounded_money, written
from friendshore.domain.base import grouped
from friendshore.questions.wording import mass_of, weighed

from ..events.scenarios import NOTHING_HAPPENS, duration
from ..telling import Telling

if TYPE_CHECKING:
    from .records import FrontierPoint, Risk, ScenarioOutcome, ShortOf

_WIDE = 110
"""Characters of a line of a screen below which it is not said what is short in a scenario."""
_PROVED = Decimal("1e-5")
MATERIALS = 3
"""Materials that are named in a cell."""


def risk_document(found: Risk, telling: Telling) -> doc.Document:
    """The figures, the worst scenarios, and what to do otherwise before the day."""
    return doc.document(
        f"{found.case}: risk",
        doc.sentence(_head(found), strong=True),
        _figures(found),
        _worst(found, telling),
        _before(found, telling),
        _held(found, telling),
        _frontier(found),
        _sample(found),
    )


def _head(found: Risk) -> str:
    what = "expected cost" if not found.weight else f"mean of the worst {percent(1 - found.alpha)}"
    if 0 < found.weight < 1:
        what = f"mix of expected cost and {percent(found.weight)} of the mean of the worst {percent(1 - found.alpha)}"
    least = "Least" if not _open(found) else "Best plan that was found in time:"
    of = f"{count(len(found.scenarios), 'scenario')}{f' of a sample of {found.draws:,}' if found.draws else ''}"
    spent = f"spends {large_money(found.expected_money, found.currency)} in expectation (present value)"
    return f"{least} {what}, penalties for shortage included: {spent}; {of}, known from {found.day} on"


def _open(found: Risk) -> bool:
    """Whether a plan may be better by more than a hundred-thousandth."""
    return found.minimised - found.bound > _PROVED * abs(found.minimised)


def _figures(found: Risk) -> doc.Section:
    def told(amount: Decimal) -> str:
        return large_money(amount, found.currency)

    worst = percent(1 - found.alpha)
    fine = found.expected - found.expected_money
    rows: list[tuple[str, str]] = [
        ("expected shortage", written(_short(found, found.expected_short, Telling(0), "none"))),
        ("probability that anything is short", percent(found.any_short)),
        ("probability of more than now", percent(found.more_short)),
        ("expected spend", f"{told(found.expected_money)} (present value)"),
        *([("where nothing happens", _calm(found))] if found.nothing_money is not None else []),
        *(
            [("expected penalties, not paid", f"about {rounded_money(fine, found.currency)}")]
            if _felt(fine, found)
            else []
        ),
    ]
    both = [
        (f"mean of the worst {worst} (CVaR)", rounded_money(found.cvar, found.currency)),
        ("planning for it saves (VSS)", _saved(found)),
        ("knowing would save (EVPI)", _knowing(found)),
    ]
    rows += [(f"{name}, penalties included", text) for name, text in both]
    if _open(found):
        share = percent((found.minimised - found.bound) / abs(found.minimised))
        least = rounded_money(found.bound, found.currency)
        rows.append(("no plan costs less than, penalties included", f"{least}, {share} less"))
    if found.onboarded:
        rows.append(("onboarded", ", ".join(found.onboarded)))
    return doc.section("What it comes to", doc.Pairs(tuple(rows)))


def _calm(found: Risk) -> str:
    """Return what is spent where nothing happens, beside the plan as it is."""
    spent, today = found.nothing_money or Decimal(0), found.today_money or Decimal(0)
    return f"{large_money(spent, found.currency)}; the plan as it is spends {large_money(today, found.currency)}"


def _saved(found: Risk) -> str:
    """What planning for the events saves; who looks at the worst cases may pay for it in the mean."""
    if found.vss is None:
        return "the plan as it is cannot be followed in every scenario, or there was no time to see what it comes to"
    told = rounded_money(abs(found.vss), found.currency)
    which = "against following the plan as it is until the day"
    return f"{told} in expectation, {which}" if found.vss >= 0 else f"nothing: {told} more in expectation, {which}"


def _knowing(found: Risk) -> str:
    if found.evpi is None:
        return "not found in time"
    return f"{rounded_money(found.evpi, found.currency)} in expectation: no forecast is worth more"


def _short(found: Risk, short: Sequence[ShortOf], telling: Telling, nothing: doc.Cell) -> doc.Cell:
    told, names = sorted(short, key=lambda one: (-one.kilograms, one.material)), found.names
    named = [f"{names.material(one.material)} {mass_of(names, one.material, one.kilograms)}" for one in told]
    return telling.several(named, MATERIALS) if named else nothing


def _worst(found: Risk, telling: Telling) -> doc.Section:
    several = _of_several(found)
    ranked = sorted(found.scenarios, key=lambda one: (-one.objective, one.name))
    columns = [
        doc.Column("Event"),
        doc.figures("Probability"),
        doc.Column("Short beyond now"),
        doc.figures("Present value", found.currency),
        doc.figures("Penalty"),
        doc.Column("As it is, with penalty", align="right", from_width=_WIDE if telling.screen else 0),
    ]
    rows = [
        (
            telling.several(_named(one, several), len(one.events) or 1, "; "),
            doc.Share(one.probability),
            _short(found, one.short, telling, doc.NOTHING),
            doc.NOTHING if one.spent is None else doc.Amount(one.spent),
            doc.NOTHING
            if one.spent is None or not _felt(one.objective - one.spent, found)
            else _both(one.objective - one.spent),
            doc.NOTHING if one.as_it_is is None else _both(one.as_it_is),
        )
        for one in ranked
    ]
    more = "more scenario that costs less", "more scenarios that cost less"
    return doc.section("Scenarios, the worst first", *telling.tables(columns, rows, *more, part=4))


def _felt(penalties: Decimal, found: Risk) -> bool:
    """Return True if penalties are more than what rounding leaves short."""
    return abs(penalties) > _PROVED * abs(found.expected)


def _both(amount: Decimal) -> doc.Cell:
    """Return spend and penalties together, gray and rounded."""
    return doc.Phrase(rounded_money(amount, "").strip(), doc.Tone.ASIDE)


def _named(one: ScenarioOutcome, several: Mapping[str, AbstractSet[str]]) -> list[str]:
    """Its events in words; of those that may come in several ways, in which."""
    told = []
    for event in one.events:
        of = several[event.event]
        how = [
            *([f"x {event.factor}"] if "factor" in of else []),
            *([f"from {event.start}"] if "start" in of else []),
            *([duration(event.lasts)] if "lasts" in of else []),
        ]
        told.append((event.title or event.event) + (f" ({', '.join(how)})" if how else ""))
    return told or [NOTHING_HAPPENS]


def _of_several(found: Risk) -> Mapping[str, AbstractSet[str]]:
    """What of each event is not the same in all scenarios in which it comes: by what it multiplies, when it begins, how long it lasts."""
    by_name = grouped((event.event, event) for scenario in found.scenarios for event in scenario.events)
    return {
        name: {what for what in ("factor", "start", "lasts") if len({getattr(one, what) for one in some}) > 1}
        for name, some in by_name.items()
    }


def _before(found: Risk, telling: Telling) -> doc.Section:
    if not found.before:
        return doc.section("Before the day", doc.sentence("ordered as in the plan as it is"))
    columns = [
        doc.Column("offer"),
        doc.Column("material"),
        doc.figures("ordered"),
        doc.figures("plan as it is"),
        doc.figures("difference"),
    ]
    rows: list[list[doc.Cell]] = [
        [
            found.names.offer_with_id(one.offer),
            found.names.material(one.material),
            *(weighed(found.names, one.material, kg) for kg in (one.kilograms, one.today, one.kilograms - one.today)),
        ]
        for one in found.before
    ]
    title = f"Ordered before {found.day}, where that differs"
    return doc.section(title, *telling.tables(columns, rows, "more offer", part=3))


def _held(found: Risk, telling: Telling) -> doc.Section | None:
    if not found.held:
        return None
    columns = [
        doc.Column("material", whole=True),
        doc.figures("there or on its way"),
        doc.figures("plan as it is"),
    ]
    held = sorted(found.held, key=lambda one: (-abs(one.kilograms - one.today), one.material))
    rows: list[list[doc.Cell]] = [
        [
            found.names.material(one.material),
            *(weighed(found.names, one.material, kg) for kg in (one.kilograms, one.today)),
        ]
        for one in held
    ]
    title = f"In stock and on its way on {found.day}, where that differs"
    return doc.section(title, *telling.tables(columns, rows, "more material", part=2))


def _frontier(found: Risk) -> doc.Section | None:
    if not found.frontier:
        return None
    columns = [
        doc.figures("weight of CVaR"),
        doc.Column("expected cost", align="right"),
        doc.Column(f"worst {percent(1 - found.alpha)}", align="right"),
        doc.Column("most expensive scenario", align="right"),
    ]
    first = _point(found.frontier[0])
    rows: list[list[doc.Cell]] = [[doc.Share(found.frontier[0].weight), *map(_both, first)]]
    for one in found.frontier[1:]:
        more = (doc.Amount(amount - base, form="signed") for amount, base in zip(_point(one), first, strict=True))
        rows.append([doc.Share(one.weight), *more])
    title = f"Expected cost against the worst cases, {found.currency}, penalties included"
    note = ["from the second row on: more, or less, than in the first"] if rows[1:] else []
    return doc.section(title, doc.table(columns, rows), doc.notes(note))


def _point(one: FrontierPoint) -> tuple[Decimal, ...]:
    return one.expected, one.cvar, max(one.objectives)


def _sample(found: Risk) -> doc.Section | None:
    if found.gap is None:
        return None
    most = large_money(found.gap.most, found.currency)
    told = (
        f"With a confidence of 95 % the plan costs no more than {most} more in expectation than the best one "
        f"({found.gap.batches} samples of {found.gap.size:,} draws that had no part in making it)."
    )
    return doc.section("How far a sample can be trusted", doc.sentence(told))
