"""A saved answer derived again: its decisions followed by what is best in every scenario, all that it tells worked out from that, and better decisions looked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np

from friendshore.domain.base import as_decimal, exact
from friendshore.errors import Diagnostic, InputError, VerificationError
from friendshore.reading.records import record
from friendshore.reading.textfile import json_object

from ..twostage import RiskMeasure, cvar_of
from .answer import WEIGHTS, mean, told_again
from .records import Decision, Risk
from .search import RiskSearch

MOST = Decimal("1e-6")
"""Relative: by so much a figure may be off."""
MOST_ALPHA = Decimal("0.999")
UNKNOWN = ("vss", "evpi", "as_it_is", "known")
"""Figures that an answer without EVPI need not tell: there was no time for them."""


def read_answer(path: Path) -> Risk:
    """An answer that was saved with `--json`.

    Raises:
        InputError: if the file holds none.
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
    """Derives an answer again from its decisions, and looks for better ones; how many plans it holds.

    Args:
        search: the case and its events, laid out.
        saved: the answer.
        seed: what the sample of the case follows from; empty: its scenarios are all that there are.
        draws: of the sample.

    Raises:
        InputError: for decisions that the case does not know.
        OutOfTimeError: if it was not settled in time whether anything costs less.
        VerificationError: with every figure that is not what it comes to.
    """
    wrong = list(_scenarios(search, saved)) or list(_plans(search, saved))
    if not wrong:
        measure = RiskMeasure(float(saved.weight), float(saved.alpha))
        followed = search.following(search.decided(saved.decisions))
        followed = replace(followed, bound=float(saved.bound - search.rest))
        derived = told_again(search, followed, measure, seed, draws).but(frontier=saved.frontier)
        wrong = list(_differences(saved.model_dump(), derived.model_dump(), "", UNKNOWN if saved.evpi is None else ()))
    if not wrong:
        wrong = list(_better(search, saved))
    if wrong:
        search.session.go_on(0, 1 + len(saved.frontier), "plans")  # what there was no time to follow is not wrong
        raise VerificationError(wrong)
    return 1 + len(saved.frontier)


def _scenarios(search: RiskSearch, saved: Risk) -> Iterator[Diagnostic]:
    """Scenarios that are not those of the case, or not as probable."""
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
    """Figures of the plan, and of those of the frontier, that are not what their decisions come to."""
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
    """Figures of a plan that are not what its decisions come to."""
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


def _differences(told: object, true: object, path: str, unknown: Sequence[str]) -> Iterator[Diagnostic]:
    """Where a record as data is not what the decisions come to, down to the single figure; what there was no time for may be left open."""
    if isinstance(told, dict) and isinstance(true, dict):
        for name in told:
            if told[name] is None and name in unknown:
                continue
            yield from _differences(told[name], true[name], f"{path}.{name}" if path else str(name), unknown)
    elif isinstance(told, list | tuple) and isinstance(true, list | tuple) and len(told) == len(true):
        for number, (ours, theirs) in enumerate(zip(told, true, strict=True), 1):
            yield from _differences(ours, theirs, f"{path}[{number}]", unknown)
    elif isinstance(told, Decimal | float) and isinstance(true, Decimal | float):
        if _off(exact(told), exact(true)):
            yield Diagnostic(f"`{path}` is not what the plan comes to", found=str(told), expected=str(true))
    elif told != true:
        yield Diagnostic(f"`{path}` is not what the plan comes to", found=_shown(told), expected=_shown(true))


def _shown(value: object) -> str:
    return f"{len(value)} entries" if isinstance(value, list | tuple) else str(value)


def _better(search: RiskSearch, saved: Risk) -> Iterator[Diagnostic]:
    """Decisions that cost less than those told, where these are said to be the best: the plan by its bound, those of the frontier by their weight."""
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
