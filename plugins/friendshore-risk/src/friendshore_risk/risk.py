"""The question `risk`: the decisions before events are known."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from friendshore.document import elements as doc
from friendshore.document.figures import count, large_money, percent, rounded_money
from friendshore.domain.base import as_decimal, exact, grouped
from friendshore.domain.differences import differences
from friendshore.domain.time import Horizon, add_months
from friendshore.errors import Diagnostic, InputError, VerificationError
from friendshore.questions.wording import mass_of, ranked, weighed
from friendshore.reading.records import path_of, record
from friendshore.reading.textfile import json_object

from .events import NOTHING_HAPPENS, RiskSettings, duration
from .risk_answer import WEIGHTS, Decision, Risk, RiskSearch, mean, recompute_answer
from .twostage import RiskMeasure, cvar_of

if TYPE_CHECKING:
    from friendshore.questions import Opened

    from .risk_answer import FrontierPoint, ScenarioOutcome, ShortOf


_PROVED = Decimal("1e-5")
MATERIALS = 3
"""Maximum number of materials in a cell."""


def risk_document(found: Risk, shown: int) -> doc.Document:
    """Return the figures, the worst scenarios, and the changes before the date.

    The whole document has the first `shown` rows of each table, or all if 0.
    """
    return doc.document(
        f"{found.case}: risk",
        doc.sentence(_head(found), strong=True),
        _figures(found),
        _worst(found, shown),
        _before(found, shown),
        _held(found, shown),
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
    """Return True if a plan may be better by more than a hundred-thousandth."""
    return found.minimised - found.bound > _PROVED * abs(found.minimised)


def _figures(found: Risk) -> doc.Section:
    def told(amount: Decimal) -> str:
        return large_money(amount, found.currency)

    worst = percent(1 - found.alpha)
    fine = found.expected - found.expected_money
    rows: list[tuple[str, str]] = [
        ("expected shortage", _expected_short(found)),
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
    """Return the spend without events, and that of the plan as it is."""
    spent, today = found.nothing_money or Decimal(0), found.today_money or Decimal(0)
    return f"{large_money(spent, found.currency)}; the plan as it is spends {large_money(today, found.currency)}"


def _saved(found: Risk) -> str:
    """Return the saving from planning for the events. A plan for the worst cases may cost more in the mean."""
    if found.vss is None:
        return "the plan as it is cannot be followed in every scenario, or there was no time to see what it comes to"
    told = rounded_money(abs(found.vss), found.currency)
    which = "against following the plan as it is until the day"
    return f"{told} in expectation, {which}" if found.vss >= 0 else f"nothing: {told} more in expectation, {which}"


def _knowing(found: Risk) -> str:
    if found.evpi is None:
        return "not found in time"
    return f"{rounded_money(found.evpi, found.currency)} in expectation: no forecast is worth more"


def _expected_short(found: Risk) -> str:
    told = _short(found, found.expected_short)
    more = [f"{len(told) - MATERIALS} more"] if len(told) > MATERIALS else []
    return ", ".join([*told[:MATERIALS], *more]) or "none"


def _short(found: Risk, short: Sequence[ShortOf]) -> list[str]:
    """Return the shortages, largest first."""
    told, names = sorted(short, key=lambda one: (-one.kilograms, one.material)), found.names
    return [f"{names.material(one.material)} {mass_of(names, one.material, one.kilograms)}" for one in told]


def _worst(found: Risk, shown: int) -> doc.Section:
    several = _of_several(found)
    scenarios = sorted(found.scenarios, key=lambda one: (-one.objective, one.name))
    columns = [
        doc.Column("Event"),
        doc.figures("Probability"),
        doc.Column("Short beyond now"),
        doc.figures("Present value", found.currency),
        doc.figures("Penalty"),
        doc.Column("As it is, with penalty", align="right", from_width=doc.WIDE),
    ]
    rows = [
        (
            doc.Several(tuple(_named(one, several)), between="; "),
            doc.Share(one.probability),
            doc.Several(tuple(short), named=MATERIALS) if (short := _short(found, one.short)) else doc.NOTHING,
            doc.NOTHING if one.spent is None else doc.Amount(one.spent),
            doc.NOTHING
            if one.spent is None or not _felt(one.objective - one.spent, found)
            else _both(one.objective - one.spent),
            doc.NOTHING if one.as_it_is is None else _both(one.as_it_is),
        )
        for one in scenarios
    ]
    more = "more scenario that costs less", "more scenarios that cost less"
    return doc.section("Scenarios, the worst first", ranked(columns, rows, *more, part=4, top=shown))


def _felt(penalties: Decimal, found: Risk) -> bool:
    """Return True if penalties exceed those of rounding."""
    return abs(penalties) > _PROVED * abs(found.expected)


def _both(amount: Decimal) -> doc.Cell:
    """Return spend and penalties together, gray and rounded."""
    return doc.Phrase(rounded_money(amount, "").strip(), doc.Tone.ASIDE)


def _named(one: ScenarioOutcome, several: Mapping[str, AbstractSet[str]]) -> list[str]:
    """Return its events in words, with their variant if there are several."""
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
    """Return the fields of each event that differ between scenarios: its factor, start, and duration."""
    by_name = grouped((event.event, event) for scenario in found.scenarios for event in scenario.events)
    return {
        name: {what for what in ("factor", "start", "lasts") if len({getattr(one, what) for one in some}) > 1}
        for name, some in by_name.items()
    }


def _before(found: Risk, shown: int) -> doc.Section:
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
    return doc.section(title, ranked(columns, rows, "more offer", part=3, top=shown))


def _held(found: Risk, shown: int) -> doc.Section | None:
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
    return doc.section(title, ranked(columns, rows, "more material", part=2, top=shown))


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


MOST = Decimal("1e-6")
"""Relative tolerance of a figure."""
MOST_ALPHA = Decimal("0.999")
UNKNOWN = ("vss", "evpi", "as_it_is", "known")
"""Figures that an answer may lack, if there was no time for them."""


def read_answer(path: Path) -> Risk:
    """Read an answer that was saved with `--json`.

    Raises:
        InputError: If the file doesn't contain one.
    """
    found: list[Diagnostic] = []
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("cannot be read", str(path), fix="name a file that `risk --json` was written to") from error
    data = json_object(text, str(path), found, "name a file that `risk --json` was written to")
    if data is None:
        raise InputError(found)
    return record(Risk, data, str(path))


def check_saved(search: RiskSearch, saved: Risk, seed: str, draws: int) -> int:
    """Recompute an answer from its decisions, and search for better ones. Return the number of verified plans.

    Args:
        search: The case and its events, laid out.
        saved: The answer.
        seed: Seed of the case's sample. Empty if its scenarios are complete.
        draws: Draws of the sample.

    Raises:
        InputError: For unknown decisions.
        OutOfTimeError: If time ended before it was known that nothing costs less.
        VerificationError: With every wrong figure.
    """
    wrong = list(_scenarios(search, saved)) or list(_plans(search, saved))
    if not wrong:
        measure = RiskMeasure(float(saved.weight), float(saved.alpha))
        followed = search.following(search.decided(saved.decisions))
        followed = replace(followed, bound=float(saved.bound - search.rest))
        derived = recompute_answer(search, followed, measure, seed, draws).but(frontier=saved.frontier)
        wrong = list(_differences(saved.model_dump(), derived.model_dump(), UNKNOWN if saved.evpi is None else ()))
    if not wrong:
        wrong = list(_better(search, saved))
    if wrong:
        search.session.go_on(0, 1 + len(saved.frontier), "plans")  # what there was no time to follow is not wrong
        raise VerificationError(wrong)
    return 1 + len(saved.frontier)


def _scenarios(search: RiskSearch, saved: Risk) -> Iterator[Diagnostic]:
    """Yield scenarios that differ from those of the case, also in probability."""
    told = [
        (tuple((e.event, e.start, e.factor, e.lasts) for e in one.events), one.probability) for one in saved.scenarios
    ]
    own = [(tuple(e.told for e in one.events), one.probability) for one in search.scenarios]
    if [events for events, _ in told] != [events for events, _ in own]:
        yield Diagnostic("its scenarios are not those of the case", found=str(len(told)), expected=str(len(own)))
        return
    for (_, chance), (_, true), scenario in zip(told, own, search.scenarios, strict=True):
        if _off(chance, as_decimal(true)):
            yield Diagnostic(f"the probability of `{scenario.name}`", found=str(chance), expected=str(as_decimal(true)))


def _plans(search: RiskSearch, saved: Risk) -> Iterator[Diagnostic]:
    """Yield figures of the plan and the frontier that don't follow from their decisions."""
    if not (0 <= saved.weight <= 1 and 0 <= saved.alpha <= MOST_ALPHA):
        yield Diagnostic(
            "nothing is minimised so", found=f"weight {saved.weight}, alpha {saved.alpha}", expected="shares"
        )
        return
    yield from _plan(
        search,
        saved,
        "the plan",
        saved.decisions,
        [one.objective for one in saved.scenarios],
        saved.expected,
        saved.cvar,
    )
    for p in saved.frontier:
        yield from _plan(
            search, saved, f"the plan at a weight of {p.weight}", p.decisions, list(p.objectives), p.expected, p.cvar
        )


def _plan(
    search: RiskSearch,
    saved: Risk,
    name: str,
    decisions: Sequence[Decision],
    objectives: Sequence[Decimal],
    expected: Decimal,
    cvar: Decimal,
) -> Iterator[Diagnostic]:
    """Yield figures of a plan that don't follow from its decisions."""
    found = search.following(search.decided(decisions))
    if len(objectives) != len(found.costs):
        yield Diagnostic(f"{name}: costs of scenarios", found=str(len(objectives)), expected=str(len(found.costs)))
        return
    for scenario, told, cost in zip(search.scenarios, objectives, found.costs, strict=True):
        if not np.isfinite(cost):
            yield Diagnostic(f"{name} cannot be followed where this comes: {scenario.name}")
        elif _off(told, Decimal(repr(float(cost))) + search.rest):
            comes_to = f"{float(cost) + float(search.rest):.2f}"
            yield Diagnostic(f"{name}: what `{scenario.name}` comes to", found=str(told), expected=comes_to)
    chances = [scenario.probability for scenario in search.scenarios]
    true_mean = mean(objectives, chances)
    true_cvar = cvar_of([float(one) for one in objectives], search.chances, float(saved.alpha))
    for what, told, true in (("expected cost", expected, true_mean), ("CVaR", cvar, Decimal(repr(true_cvar)))):
        if _off(told, true):
            yield Diagnostic(f"{name}: its {what}", found=str(told), expected=str(true))


def _differences(told: object, true: object, unknown: Collection[str]) -> Iterator[Diagnostic]:
    """Yield each figure that doesn't follow from the decisions. Fields in `unknown`, which there was no time for, may be empty."""
    for path, one, other in differences(told, true, equal=_same):
        if one is not None or path[-1] not in unknown:
            message = f"`{path_of(path)}` is not what the plan comes to"
            yield Diagnostic(message, found=_shown(one), expected=_shown(other))


def _same(one: object, other: object) -> bool:
    if isinstance(one, Decimal | float) and isinstance(other, Decimal | float):
        return not _off(exact(one), exact(other))
    return one == other


def _shown(value: object) -> str:
    return f"{len(value)} entries" if isinstance(value, list | tuple) else str(value)


def _better(search: RiskSearch, saved: Risk) -> Iterator[Diagnostic]:
    """Yield decisions that cost less than recorded ones that are claimed to be best: the plan by its bound, those of the frontier by their weight."""
    best = search.best(RiskMeasure(float(saved.weight), float(saved.alpha)))
    found = exact(best.objective) + search.rest
    if saved.bound > found + MOST * max(abs(found), Decimal(1)):
        yield Diagnostic("there is a plan below the bound", found=str(saved.bound), expected=f"no more than {found}")
    if not saved.frontier:
        return
    costs = [np.array([float(one) for one in point.objectives]) for point in saved.frontier]
    weights = [float(point.weight) for point in saved.frontier]
    if not set(weights) <= set(WEIGHTS) or weights != sorted(set(weights)):
        yield Diagnostic(
            "the weights of the frontier", found=str(weights), expected=f"some of {list(WEIGHTS)}, in order"
        )
        return
    for weight in WEIGHTS:
        measure = RiskMeasure(weight, float(saved.alpha))
        best = search.best(measure)
        least = best.objective + float(search.rest)
        of_points = [measure.of(one, search.chances) for one in costs]
        mine = of_points[weights.index(weight)] if weight in weights else min(of_points)
        if mine > least + max(float(MOST), search.session.limits.gap) * max(abs(least), 1.0):
            yield Diagnostic(
                f"a plan costs less at a weight of {weight:g}", found=f"{mine:.2f}", expected=f"{least:.2f}"
            )


def _off(told: Decimal, true: Decimal) -> bool:
    return abs(told - true) > MOST * max(abs(true), Decimal(1))


PLUGIN = "friendshore-risk"
BATCHES = 10
"""Number of samples that estimate the quality of a sample's plan."""


def settings_of(opened: Opened) -> RiskSettings:
    """Return the case's settings, or settings without events if it has none."""
    settings = opened.settings(PLUGIN)
    return settings if isinstance(settings, RiskSettings) else RiskSettings()


def known_from(settings: RiskSettings, horizon: Horizon) -> date:
    """Return the first day of the period from which the events are known.

    Raises:
        InputError: For a day outside the plan.
    """
    if settings.day is None:
        year = [period.index for period in horizon.periods if period.start >= add_months(horizon.start, 12)]
        period: int | None = min([*year, horizon.count // 2])
    else:
        period = horizon.find(settings.day)
    if period is None:
        raise InputError(
            "the day on which events become known lies outside the plan",
            column=f"plugin.{PLUGIN}.day",
            found=str(settings.day),
            expected=f"a day of {horizon.span}",
        )
    return horizon.periods[period].start
