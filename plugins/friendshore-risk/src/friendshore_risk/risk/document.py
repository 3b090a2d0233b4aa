"""The answer to `risk` as it is told to people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import TYPE_CHECKING

from friendshore.document import elements as doc
from friendshore.document.figures import count, large_money, mass, percent
from friendshore.domain.base import grouped

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
    told = large_money(found.minimised, found.currency)
    least = "Least" if not _open(found) else "Best plan that was found in time:"
    of = f"{count(len(found.scenarios), 'scenario')}{f' of a sample of {found.draws:,}' if found.draws else ''}"
    return f"{least} {what}: {told}, shortage at its price included; {of}, known from {found.day} on"


def _open(found: Risk) -> bool:
    """Whether a plan may be better by more than a hundred-thousandth."""
    return found.minimised - found.bound > _PROVED * abs(found.minimised)


def _figures(found: Risk) -> doc.Section:
    def told(amount: Decimal) -> str:
        return large_money(amount, found.currency)

    worst = percent(1 - found.alpha)
    rows: list[tuple[str, str]] = [
        ("expected cost", f"{told(found.expected)}, of which money {told(found.expected_money)}"),
        (f"mean of the worst {worst} (CVaR)", told(found.cvar)),
        ("where nothing happens", f"{told(found.nothing)}; the plan as it is comes to {told(found.today)}"),
        (
            "planning for it saves (VSS)",
            _saved(found),
        ),
        ("knowing would save (EVPI)", _knowing(found)),
        ("probability that anything is short", percent(found.any_short)),
        ("probability of more than now", percent(found.more_short)),
        ("expected shortage", str(_short(found.expected_short, Telling(0), "none"))),
    ]
    if _open(found):
        share = percent((found.minimised - found.bound) / abs(found.minimised))
        rows.insert(0, ("no plan comes to less than", f"{told(found.bound)}, {share} less"))
    if found.onboarded:
        rows.append(("onboarded", ", ".join(found.onboarded)))
    return doc.section("What it comes to", doc.Pairs(tuple(rows)))


def _saved(found: Risk) -> str:
    """What planning for the events saves; who looks at the worst cases may pay for it in the mean."""
    if found.vss is None:
        return "the plan as it is cannot be followed in every scenario, or there was no time to see what it comes to"
    told = large_money(abs(found.vss), found.currency)
    which = "against following the plan as it is until the day"
    return f"{told} in expectation, {which}" if found.vss >= 0 else f"nothing: {told} more in expectation, {which}"


def _knowing(found: Risk) -> str:
    if found.evpi is None:
        return "not found in time"
    return f"{large_money(found.evpi, found.currency)} in expectation: no forecast is worth more"


def _short(short: Sequence[ShortOf], telling: Telling, nothing: doc.Cell) -> doc.Cell:
    told = sorted(short, key=lambda one: (-one.kilograms, one.material))
    named = [f"{one.material} {mass(one.kilograms)}" for one in told]
    return telling.several(named, MATERIALS) if named else nothing


def _worst(found: Risk, telling: Telling) -> doc.Section:
    several = _of_several(found)
    ranked = sorted(found.scenarios, key=lambda one: (-one.objective, one.name))
    columns = [
        doc.Column("what comes"),
        doc.figures("probability"),
        doc.figures("cost", found.currency),
        doc.figures("plan as it is", found.currency),
        doc.Column("short beyond now", from_width=_WIDE if telling.screen else 0),
    ]
    rows = [
        (
            telling.several(_named(one, several), len(one.events) or 1, "; "),
            doc.Share(one.probability),
            doc.Amount(one.objective),
            doc.NOTHING if one.as_it_is is None else doc.Amount(one.as_it_is),
            _short(one.short, telling, doc.NOTHING),
        )
        for one in ranked
    ]
    more = "more scenario that costs less", "more scenarios that cost less"
    return doc.section("Scenarios, the worst first", *telling.tables(columns, rows, *more, part=4))


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
        doc.Column("offer", whole=True),
        doc.Column("material"),
        doc.figures("ordered"),
        doc.figures("plan as it is"),
        doc.figures("difference"),
    ]
    rows = [
        (
            one.offer,
            one.material,
            doc.Kilograms(one.kilograms),
            doc.Kilograms(one.today),
            doc.Kilograms(one.kilograms - one.today),
        )
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
    rows = [(one.material, doc.Kilograms(one.kilograms), doc.Kilograms(one.today)) for one in held]
    title = f"In stock and on its way on {found.day}, where that differs"
    return doc.section(title, *telling.tables(columns, rows, "more material", part=2))


def _frontier(found: Risk) -> doc.Section | None:
    if not found.frontier:
        return None
    columns = [
        doc.figures("weight of CVaR"),
        doc.figures("expected cost", found.currency),
        doc.figures(f"worst {percent(1 - found.alpha)}", found.currency),
        doc.figures("dearest scenario", found.currency),
    ]
    rows = [_point(one) for one in found.frontier]
    return doc.section("Expected cost against the worst cases", doc.table(columns, rows))


def _point(one: FrontierPoint) -> tuple[doc.Share, doc.Amount, doc.Amount, doc.Amount]:
    return doc.Share(one.weight), doc.Amount(one.expected), doc.Amount(one.cvar), doc.Amount(max(one.objectives))


def _sample(found: Risk) -> doc.Section | None:
    if found.gap is None:
        return None
    most = large_money(found.gap.most, found.currency)
    told = (
        f"With a confidence of 95 % the plan costs no more than {most} more in expectation than the best one "
        f"({found.gap.batches} samples of {found.gap.size:,} draws that had no part in making it)."
    )
    return doc.section("How far a sample can be trusted", doc.sentence(told))
