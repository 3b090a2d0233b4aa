"""A saved answer evaluated again: its decisions followed by what is best in every scenario, its figures worked out from that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path

import numpy as np

from friendshore.domain.base import as_decimal
from friendshore.errors import Diagnostic, InputError, VerificationError
from friendshore.reading.records import record
from friendshore.reading.textfile import json_object

from ..twostage import RiskMeasure, cvar_of
from .answer import mean
from .records import Decision, Risk
from .search import RiskSearch

MOST = Decimal("1e-6")
"""Relative: by so much a figure may be off."""


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


def check_saved(search: RiskSearch, saved: Risk) -> int:
    """Evaluates every plan of an answer again; how many there are.

    Raises:
        InputError: for decisions that the case does not know.
        VerificationError: with every figure that is not what it comes to.
    """
    wrong = list(_scenarios(search, saved))
    if not wrong:
        plans = [("the plan", saved.decisions, [one.objective for one in saved.scenarios], saved.expected, saved.cvar)]
        plans += [
            (f"the plan at a weight of {p.weight}", p.decisions, list(p.objectives), p.expected, p.cvar)
            for p in saved.frontier
        ]
        for plan in plans:
            wrong.extend(_plan(search, saved, *plan))
        wrong.extend(_summary(search, saved))
    if wrong:
        raise VerificationError(wrong)
    return 1 + len(saved.frontier)


def _scenarios(search: RiskSearch, saved: Risk) -> Iterator[Diagnostic]:
    """Scenarios that are not those of the case, or not as probable."""
    told = [(tuple((e.event, e.start, e.factor) for e in one.events), one.probability) for one in saved.scenarios]
    own = [(tuple((e.event.name, e.start, e.factor) for e in one.events), one.probability) for one in search.scenarios]
    if [events for events, _ in told] != [events for events, _ in own]:
        yield Diagnostic("its scenarios are not those of the case", found=str(len(told)), expected=str(len(own)))
        return
    for (_, chance), (_, true), scenario in zip(told, own, search.scenarios, strict=True):
        if _off(chance, as_decimal(true)):
            yield Diagnostic(f"the probability of `{scenario.name}`", found=str(chance), expected=str(as_decimal(true)))


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


def _summary(search: RiskSearch, saved: Risk) -> Iterator[Diagnostic]:
    """What is told beside the plan: what is minimised, and what planning and knowing are worth."""
    objectives = [one.objective for one in saved.scenarios]
    chances = [scenario.probability for scenario in search.scenarios]
    measure = RiskMeasure(float(saved.weight), float(saved.alpha))
    minimised = measure.of(np.array([float(one) for one in objectives]), search.chances)
    known = mean([Decimal(repr(float(cost))) + search.rest for cost in search.known], chances)
    told = [("what is minimised", saved.minimised, Decimal(repr(minimised)))]
    told.append(("EVPI", saved.expected - saved.evpi, known))
    as_it_is = search.as_it_is
    if as_it_is is not None and saved.vss is not None and np.isfinite(as_it_is.costs).all():
        followed = mean([Decimal(repr(float(cost))) + search.rest for cost in as_it_is.costs], chances)
        told.append(("VSS", saved.expected + saved.vss, followed))
    for what, found, true in told:
        if _off(found, true):
            yield Diagnostic(f"{what} is not what it comes to", found=str(found), expected=str(true))
    if saved.bound > saved.minimised + MOST * max(abs(saved.minimised), Decimal(1)):
        yield Diagnostic(
            "the bound lies above what the plan comes to", found=str(saved.bound), expected=str(saved.minimised)
        )


def _off(told: Decimal, true: Decimal) -> bool:
    return abs(told - true) > MOST * max(abs(true), Decimal(1))
