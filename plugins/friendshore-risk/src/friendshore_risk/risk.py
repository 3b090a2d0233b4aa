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
from friendshore.domain.plan import without_residue
from friendshore.domain.time import Horizon, add_months
from friendshore.errors import Diagnostic, InputError, VerificationError
from friendshore.questions.wording import cash, first_few, mass_of, ranked, weighed
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


def risk_document(answer: Risk, shown: int) -> doc.Document:
    """Return the answer as a document. The whole document has the first `shown` rows of each table, or all if 0."""
    return doc.document(
        f"{answer.case}: risk",
        doc.answer(_headline(answer)),
        _result_section(answer),
        _worst(answer, shown),
        _before(answer, shown),
        _held(answer, shown),
        _frontier(answer),
        _sample(answer),
    )


def _headline(answer: Risk) -> str:
    measure_text = "expected cost" if not answer.weight else f"mean of the worst {percent(1 - answer.alpha)}"
    if 0 < answer.weight < 1:
        measure_text = (
            f"mix of expected cost and {percent(answer.weight)} of the mean of the worst {percent(1 - answer.alpha)}"
        )
    intro = "The plan with the lowest" if not _is_unproved(answer) else "The best plan found in time for"
    scenario_text = (
        f"{count(len(answer.scenarios), 'scenario')}{f' from a sample of {answer.draws:,}' if answer.draws else ''}"
    )
    spend_text = f"spends {large_money(answer.expected_money, answer.currency)} in expectation (present value)"
    return f"{intro} {measure_text}, including penalties for shortage, {spend_text}. It covers {scenario_text}, known from {answer.day} on."


def _is_unproved(answer: Risk) -> bool:
    return answer.minimized - answer.bound > _PROVED * abs(answer.minimized)


def _result_section(answer: Risk) -> doc.Section:
    def money_text(amount: Decimal) -> str:
        return large_money(amount, answer.currency)

    worst_share = percent(1 - answer.alpha)
    penalty_amount = answer.expected - answer.expected_money
    rows: list[tuple[str, str]] = [
        ("expected shortage", _expected_short(answer)),
        ("probability of any shortage", percent(answer.any_short)),
        ("probability of more than now", percent(answer.more_short)),
        ("expected spend", f"{money_text(answer.expected_money)} (present value)"),
        *([("spend without events", _calm_text(answer))] if answer.without_events_money is not None else []),
        *(
            [("expected penalties, not paid", f"about {rounded_money(penalty_amount, answer.currency)}")]
            if _is_noticeable(penalty_amount, answer)
            else []
        ),
    ]
    further_rows = [
        (f"mean of the worst {worst_share} (CVaR)", rounded_money(answer.cvar, answer.currency)),
        ("value of planning for events (VSS)", _vss_text(answer)),
        ("value of knowing events in advance (EVPI)", _evpi_text(answer)),
    ]
    rows += [(f"{name}, penalties included", text) for name, text in further_rows]
    if _is_unproved(answer):
        share = percent((answer.minimized - answer.bound) / abs(answer.minimized))
        bound_text = rounded_money(answer.bound, answer.currency)
        rows.append(("lower bound on the cost of any plan, penalties included", f"{bound_text}, {share} less"))
    if answer.onboarded:
        rows.append(("onboarded", ", ".join(answer.onboarded)))
    return doc.section("Results", doc.Pairs(tuple(rows)))


def _calm_text(answer: Risk) -> str:
    spent, today = answer.without_events_money or Decimal(0), answer.today_money or Decimal(0)
    return f"{large_money(spent, answer.currency)}. The current plan spends {large_money(today, answer.currency)}"


def _vss_text(answer: Risk) -> str:
    """Return the saving from planning for the events. A plan for the worst cases may have a higher mean cost."""
    if answer.vss is None:
        return "unknown, because the current plan can't be followed in every scenario, or time ended"
    amount_text = rounded_money(abs(answer.vss), answer.currency)
    comparison = "compared with following the current plan until the date"
    return (
        f"{amount_text} in expectation, {comparison}"
        if answer.vss >= 0
        else f"none. It costs {amount_text} more in expectation, {comparison}"
    )


def _evpi_text(answer: Risk) -> str:
    if answer.evpi is None:
        return "not known in time"
    return f"{rounded_money(answer.evpi, answer.currency)} in expectation. No forecast is worth more"


def _expected_short(answer: Risk) -> str:
    return first_few(_shortage_texts(answer, answer.expected_short), MATERIALS) or "none"


def _shortage_texts(answer: Risk, short: Sequence[ShortOf]) -> list[str]:
    sorted_shortages, names = sorted(short, key=lambda shortage: (-shortage.kilograms, shortage.material)), answer.names
    return [
        f"{names.material(shortage.material)} {mass_of(names, shortage.material, shortage.kilograms)}"
        for shortage in sorted_shortages
    ]


def _worst(answer: Risk, shown: int) -> doc.Section:
    varying_fields = _varying_fields(answer)
    scenarios = sorted(answer.scenarios, key=lambda outcome: (-outcome.objective, outcome.name))
    columns = [
        doc.Column("Event"),
        doc.figures("Probability"),
        doc.Column("More short than now"),
        doc.figures("Present value", answer.currency),
        doc.figures("Penalty"),
        doc.Column("Current plan, with penalty", align="right", from_width=doc.WIDE),
    ]
    rows = [
        (
            doc.Several(tuple(_event_texts(outcome, varying_fields)), between="; "),
            doc.Share(outcome.probability),
            doc.Several(tuple(short), named=MATERIALS)
            if (short := _shortage_texts(answer, outcome.short))
            else doc.NOTHING,
            doc.NOTHING if outcome.spent is None else cash(outcome.spent),
            doc.NOTHING
            if outcome.spent is None or not _is_noticeable(outcome.objective - outcome.spent, answer)
            else _total_cell(outcome.objective - outcome.spent),
            doc.NOTHING if outcome.current_plan is None else _total_cell(outcome.current_plan),
        )
        for outcome in scenarios
    ]
    more = "more scenario that costs less", "more scenarios that cost less"
    return doc.section(
        "Scenarios, worst first", ranked(columns, rows, *more, part=4, top=shown), column="Worst scenarios"
    )


def _is_noticeable(penalties: Decimal, answer: Risk) -> bool:
    return abs(penalties) > _PROVED * abs(answer.expected)


def _total_cell(amount: Decimal) -> doc.Cell:
    return doc.Phrase(rounded_money(amount, "").strip(), doc.Tone.ASIDE, value=amount)


def _event_texts(outcome: ScenarioOutcome, varying_fields: Mapping[str, AbstractSet[str]]) -> list[str]:
    event_texts = []
    for event in outcome.events:
        fields = varying_fields[event.event]
        details = [
            *([f"x {event.factor}"] if "factor" in fields else []),
            *([f"from {event.start}"] if "start" in fields else []),
            *([duration(event.lasts)] if "lasts" in fields else []),
        ]
        event_texts.append((event.title or event.event) + (f" ({', '.join(details)})" if details else ""))
    return event_texts or [NOTHING_HAPPENS]


def _varying_fields(answer: Risk) -> Mapping[str, AbstractSet[str]]:
    by_name = grouped((event.event, event) for scenario in answer.scenarios for event in scenario.events)
    return {
        name: {
            field_name
            for field_name in ("factor", "start", "lasts")
            if len({getattr(each, field_name) for each in events}) > 1
        }
        for name, events in by_name.items()
    }


def _before(answer: Risk, shown: int) -> doc.Section:
    if not answer.before:
        return doc.section("Before the date", doc.sentence("Orders are the same as in the current plan."))
    columns = [
        doc.Column("Offer"),
        doc.Column("Material", from_width=doc.MEDIUM),
        doc.figures("Ordered"),
        doc.figures("Current plan"),
        doc.figures("Difference", from_width=doc.NARROW),
    ]
    rows: list[list[doc.Cell]] = [
        [
            doc.Either(answer.names.offer_with_id(order.offer), doc.Several((answer.names.offer(order.offer),))),
            doc.Either(answer.names.material(order.material), answer.names.material(order.material)),
            *(
                weighed(answer.names, order.material, kg)
                for kg in (order.kilograms, order.today, order.kilograms - order.today)
            ),
        ]
        for order in answer.before
    ]
    title = f"Orders before {answer.day} that differ"
    table = ranked(columns, rows, "more offer", part=3, top=shown)
    return doc.section(title, table, column=f"Ordered before {answer.day}")


def _held(answer: Risk, shown: int) -> doc.Section | None:
    if not answer.held:
        return None
    columns = [
        doc.Column("Material", whole=True),
        doc.figures("In stock or on order"),
        doc.figures("Current plan"),
    ]
    sorted_stock = sorted(answer.held, key=lambda stock: (-abs(stock.kilograms - stock.today), stock.material))
    rows: list[list[doc.Cell]] = [
        [
            answer.names.material(stock.material),
            *(weighed(answer.names, stock.material, kg) for kg in (stock.kilograms, stock.today)),
        ]
        for stock in sorted_stock
    ]
    title = f"Stock and open orders on {answer.day} that differ"
    table = ranked(columns, rows, "more material", part=2, top=shown)
    return doc.section(title, table, column=f"Stock on {answer.day}")


def _frontier(answer: Risk) -> doc.Section | None:
    if not answer.frontier:
        return None
    columns = [
        doc.figures("Weight of CVaR"),
        doc.Column("Expected cost", align="right"),
        doc.Column(f"Worst {percent(1 - answer.alpha)}", align="right"),
        doc.Column("Most expensive scenario", align="right"),
    ]
    first_values = _point_costs(answer.frontier[0])
    rows: list[list[doc.Cell]] = [[doc.Share(answer.frontier[0].weight), *map(_total_cell, first_values)]]
    for point in answer.frontier[1:]:
        more = (
            doc.Amount(without_residue(amount - first_value, amount, first_value), form="signed")
            for amount, first_value in zip(_point_costs(point), first_values, strict=True)
        )
        rows.append([doc.Share(point.weight), *more])
    title = f"Expected cost and worst cases, {answer.currency}, penalties included"
    note = ["from the second row on, the difference from the first row"] if rows[1:] else []
    return doc.section(title, doc.table(columns, rows), doc.notes(note))


def _point_costs(point: FrontierPoint) -> tuple[Decimal, ...]:
    return point.expected, point.cvar, max(point.objectives)


def _sample(answer: Risk) -> doc.Section | None:
    if answer.gap is None:
        return None
    max_gap = large_money(answer.gap.max, answer.currency)
    text = (
        f"With 95% confidence, the plan's expected cost is at most {max_gap} above that of the best plan "
        f"({answer.gap.batches} independent samples of {answer.gap.size:,} draws)."
    )
    return doc.section("Accuracy of the sample", doc.sentence(text))


TOLERANCE = Decimal("1e-6")
MAX_ALPHA = Decimal("0.999")
OPTIONAL_FIGURES = ("vss", "evpi", "current_plan", "known_in_advance")


def read_answer(path: Path) -> Risk:
    problems: list[Diagnostic] = []
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            "the file can't be read",
            str(path),
            fix="name a file that contains the output of `risk --json`",
            code="FS011",
        ) from error
    data = json_object(text, str(path), problems, "name a file that contains the output of `risk --json`")
    if data is None:
        raise InputError(problems)
    answer = {name: value for name, value in data.items() if name not in ("made", "version")}
    return record(Risk, answer, str(path))


def check_saved(search: RiskSearch, saved: Risk, seed: str, draws: int) -> int:
    """Recompute an answer from its decisions, and search for better ones. Return the number of verified plans.

    Raises OutOfTimeError if time ended before it was known that nothing costs less, and VerificationError with every wrong figure.
    """
    problems = list(_scenario_problems(search, saved)) or list(_decision_problems(search, saved))
    if not problems:
        measure = RiskMeasure(float(saved.weight), float(saved.alpha))
        answer = search.follow(search.first_stage_values(saved.decisions))
        answer = replace(answer, bound=float(saved.bound - search.unaffected_cost))
        recomputed = recompute_answer(search, answer, measure, seed, draws).but(frontier=saved.frontier)
        problems = list(
            _figure_problems(
                saved.model_dump(), recomputed.model_dump(), OPTIONAL_FIGURES if saved.evpi is None else ()
            )
        )
    if not problems:
        problems = list(_cheaper_decisions(search, saved))
    if problems:
        search.session.raise_if_stopped(
            0, 1 + len(saved.frontier), "plans"
        )  # raises if time ended, so that plans without enough time aren't reported as wrong
        raise VerificationError(problems)
    return 1 + len(saved.frontier)


def _scenario_problems(search: RiskSearch, saved: Risk) -> Iterator[Diagnostic]:
    saved_scenarios = [
        (
            tuple((event.event, event.start, event.factor, event.lasts) for event in scenario.events),
            scenario.probability,
        )
        for scenario in saved.scenarios
    ]
    case_scenarios = [
        (tuple(event.key for event in scenario.events), scenario.probability) for scenario in search.scenarios
    ]
    if [events for events, _ in saved_scenarios] != [events for events, _ in case_scenarios]:
        message = "the scenarios differ from those of the case"
        yield Diagnostic(message, found=str(len(saved_scenarios)), expected=str(len(case_scenarios)), code="FS984")
        return
    for (_, saved_chance), (_, case_chance), scenario in zip(
        saved_scenarios, case_scenarios, search.scenarios, strict=True
    ):
        if _differs(saved_chance, as_decimal(case_chance)):
            message = f"the probability of `{scenario.name}` is wrong"
            yield Diagnostic(message, found=str(saved_chance), expected=str(as_decimal(case_chance)), code="FS984")


def _decision_problems(search: RiskSearch, saved: Risk) -> Iterator[Diagnostic]:
    if not (0 <= saved.weight <= 1 and 0 <= saved.alpha <= MAX_ALPHA):
        yield Diagnostic(
            "the weights of the objective are invalid",
            found=f"weight {saved.weight}, alpha {saved.alpha}",
            expected="a weight from 0 to 1, and alpha from 0 to 0.999",
            code="FS984",
        )
        return
    yield from _plan_problems(
        search,
        saved,
        "the plan",
        saved.decisions,
        [outcome.objective for outcome in saved.scenarios],
        saved.expected,
        saved.cvar,
    )
    for point in saved.frontier:
        yield from _plan_problems(
            search,
            saved,
            f"the plan at a weight of {point.weight}",
            point.decisions,
            list(point.objectives),
            point.expected,
            point.cvar,
        )


def _plan_problems(
    search: RiskSearch,
    saved: Risk,
    name: str,
    decisions: Sequence[Decision],
    objectives: Sequence[Decimal],
    expected: Decimal,
    cvar: Decimal,
) -> Iterator[Diagnostic]:
    answer = search.follow(search.first_stage_values(decisions))
    if len(objectives) != len(answer.costs):
        message = f"{name} has a wrong number of costs"
        yield Diagnostic(message, found=str(len(objectives)), expected=str(len(answer.costs)), code="FS984")
        return
    for scenario, saved_cost, cost in zip(search.scenarios, objectives, answer.costs, strict=True):
        if not np.isfinite(cost):
            yield Diagnostic(f"{name} can't be followed in the scenario `{scenario.name}`", code="FS984")
        elif _differs(saved_cost, Decimal(repr(float(cost))) + search.unaffected_cost):
            expected_cost = f"{float(cost) + float(search.unaffected_cost):.2f}"
            message = f"{name} has a wrong cost in the scenario `{scenario.name}`"
            yield Diagnostic(message, found=str(saved_cost), expected=expected_cost, code="FS984")
    chances = [scenario.probability for scenario in search.scenarios]
    true_mean = mean(objectives, chances)
    true_cvar = cvar_of([float(each) for each in objectives], search.probabilities, float(saved.alpha))
    for figure, saved_cost, computed in (
        ("expected cost", expected, true_mean),
        ("CVaR", cvar, Decimal(repr(true_cvar))),
    ):
        if _differs(saved_cost, computed):
            yield Diagnostic(
                f"{name} has a wrong {figure}", found=str(saved_cost), expected=str(computed), code="FS984"
            )


def _figure_problems(saved: object, computed: object, optional: Collection[str]) -> Iterator[Diagnostic]:
    for path, first, second in differences(saved, computed, equal=_is_close):
        if first is not None or path[-1] not in optional:
            message = f"`{path_of(path)}` doesn't follow from the plan"
            yield Diagnostic(message, found=_shown(first), expected=_shown(second), code="FS984")


def _is_close(first: object, second: object) -> bool:
    if isinstance(first, Decimal | float) and isinstance(second, Decimal | float):
        return not _differs(exact(first), exact(second))
    return first == second


def _shown(value: object) -> str:
    return f"{len(value)} entries" if isinstance(value, list | tuple) else str(value)


def _cheaper_decisions(search: RiskSearch, saved: Risk) -> Iterator[Diagnostic]:
    best = search.best(RiskMeasure(float(saved.weight), float(saved.alpha)))
    best_objective = exact(best.objective) + search.unaffected_cost
    if saved.bound > best_objective + TOLERANCE * max(abs(best_objective), Decimal(1)):
        message = "a plan costs less than the bound"
        yield Diagnostic(message, found=str(saved.bound), expected=f"no more than {best_objective}", code="FS984")
    if not saved.frontier:
        return
    costs = [np.array([float(each) for each in point.objectives]) for point in saved.frontier]
    weights = [float(point.weight) for point in saved.frontier]
    if not set(weights) <= set(WEIGHTS) or weights != sorted(set(weights)):
        message = "the weights of the frontier are invalid"
        yield Diagnostic(message, found=str(weights), expected=f"some of {list(WEIGHTS)}, in order", code="FS984")
        return
    for weight in WEIGHTS:
        measure = RiskMeasure(weight, float(saved.alpha))
        best = search.best(measure)
        best_value = best.objective + float(search.unaffected_cost)
        point_values = [measure.of(each, search.probabilities) for each in costs]
        saved_value = point_values[weights.index(weight)] if weight in weights else min(point_values)
        if saved_value > best_value + max(float(TOLERANCE), search.session.limits.gap) * max(abs(best_value), 1.0):
            message = f"a cheaper plan exists at a weight of {weight:g}"
            yield Diagnostic(message, found=f"{saved_value:.2f}", expected=f"{best_value:.2f}", code="FS984")


def _differs(saved: Decimal, computed: Decimal) -> bool:
    return abs(saved - computed) > TOLERANCE * max(abs(computed), Decimal(1))


PLUGIN = "friendshore-risk"
BATCHES = 10


def settings_of(opened: Opened) -> RiskSettings:
    settings = opened.settings(PLUGIN)
    return settings if isinstance(settings, RiskSettings) else RiskSettings()


def known_date(settings: RiskSettings, horizon: Horizon) -> date:
    """Return the first day of the period from which the events are known."""
    if settings.day is None:
        later_periods = [period.index for period in horizon.periods if period.start >= add_months(horizon.start, 12)]
        period: int | None = min([*later_periods, horizon.count // 2])
    else:
        period = horizon.find(settings.day)
    if period is None:
        raise InputError(
            "the day on which events become known is outside the plan",
            column=f"plugin.{PLUGIN}.day",
            found=str(settings.day),
            expected=f"a day from {horizon.span}",
            code="FS705",
        )
    return horizon.periods[period].start
