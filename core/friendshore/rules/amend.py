"""Changes of rules: enable, disable, move in time, loosen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta

from pydantic import ValidationError

from ..domain.change import Change
from ..domain.time import Span
from ..errors import Diagnostic, InputError
from ..reading.records import validation_diagnostics
from .base import Phase, PhaseStatus, Rule
from .pack import LegislativeBill

DORMANT = frozenset({PhaseStatus.PENDING, PhaseStatus.UNKNOWN})
"""Phases that `enable` puts in force. A suspended phase stays suspended, since its authority suspended it."""
RULE_SUBJECTS = ("enable", "disable", "move", "loosen", "limit")
"""Subjects of the changes that alter a rule."""


Amend = Callable[[Rule, Change], Rule]
"""Function that applies a change to a rule that the change names."""


def amended(
    rules: Sequence[Rule],
    changes: Iterable[Change],
    bills: Sequence[LegislativeBill] = (),
    amend: Amend | None = None,
) -> tuple[Rule, ...]:
    """Return the rules after the changes that apply to rules. Changes of other facts are ignored.

    `enable` with the id of a bill applies the bill's own changes.

    Args:
        rules: Rules in order.
        changes: Changes in order.
        bills: Bills that changes may name.
        amend: Function that changes one rule. Defaults to `amend_rule`; a cache may replace it.
    """
    found = {rule.id: rule for rule in rules}
    known = {bill.id: bill for bill in bills}
    problems: list[Diagnostic] = []
    for change in with_bills(changes, bills):
        if change.subject not in RULE_SUBJECTS:
            continue
        name = getattr(change, change.subject)
        if name not in found:
            what = "a rule or bill" if change.subject == "enable" else "a rule"
            names = ", ".join(sorted([*found, *(known if change.subject == "enable" else ())]))
            problems.append(
                Diagnostic(
                    f"`{change.subject}` names no rule in use",
                    found=name,
                    expected=f"{what}: {names or 'there are none'}",
                )
            )
            continue
        try:
            found[name] = (amend or amend_rule)(found[name], change)
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return tuple(found[rule.id] for rule in rules)


def amend_rule(rule: Rule, change: Change) -> Rule:
    """Return a rule after one change that names it."""
    if change.by is not None:
        return rule.but(loosened=rule.loosened + change.by)
    if change.limit:
        return with_figure(rule, change.at)
    return rule.but(phases=_phases(rule.phases, change))


_FIGURES = ("amount", "share", "exactly", "at_least", "at_most", "count", "days")
"""Fields that state the bound of a limit."""


def figure_of(rule: Rule) -> str:
    """Return the field that contains a limit's only figure. Empty if it has none or several."""
    stated = [name for name in _FIGURES if name in type(rule).model_fields and getattr(rule, name) is not None]
    return stated[0] if len(stated) == 1 and "rows" in rule.verbs else ""


def with_figure(rule: Rule, figure: str) -> Rule:
    """Return a limit with another figure, validated by its own kind.

    Raises:
        InputError: If the rule has no figure or several, or doesn't accept this one.
    """
    name = figure_of(rule)
    if not name:
        expected = "a limit that states one figure: " + ", ".join(_FIGURES)
        raise InputError(
            f"rule `{rule.id}` states no figure of its own, or several",
            column="limit",
            found=rule.id,
            expected=expected,
        )
    fields = {field: getattr(rule, field) for field in type(rule).model_fields}
    try:
        made = type(rule).model_validate({**fields, name: figure})
    except ValueError as error:
        reason = (
            "; ".join(one.message for one in validation_diagnostics(type(rule), error))
            if isinstance(error, ValidationError)
            else str(error)
        )
        raise InputError(f"`{figure}` is no figure of rule `{rule.id}`: {reason}", column="at", found=figure) from error
    return made.given(rule.settings)


def with_bills(changes: Iterable[Change], bills: Iterable[LegislativeBill]) -> list[Change]:
    """Return changes with those of a bill in place of the change that enables it.

    Raises:
        InputError: for a bill that enables itself.
    """
    known = {bill.id: bill for bill in bills}

    def spelt_out(some: Iterable[Change], within: tuple[str, ...]) -> Iterator[Change]:
        for change in some:
            bill = known.get(change.enable)
            if bill is None:
                yield change
            elif bill.id in within:
                raise InputError(f"bill `{bill.id}` enables itself", fix="take the circle out of its `change` list")
            else:
                yield from spelt_out(bill.change, (*within, bill.id))

    return list(spelt_out(changes, ()))


def _phases(phases: Sequence[Phase], change: Change) -> tuple[Phase, ...]:
    span = Span(start=change.start, end=change.end)
    if change.subject == "move":
        return tuple(part for phase in phases for part in _inside(phase, span))
    if change.subject == "disable":
        return tuple(part for phase in phases for part in _outside(phase, span))
    woken: list[Phase] = []
    for phase in phases:
        if phase.status in DORMANT:
            woken += _outside(phase, span)
            woken += [part.but(status=PhaseStatus.ENACTED) for part in _inside(phase, span)]
        else:
            woken.append(phase)
    return tuple(sorted(woken, key=lambda phase: phase.start or date.min))


def _inside(phase: Phase, span: Span) -> list[Phase]:
    """Return the days of a phase inside a span, as phases."""
    if not phase.span.meets(span):
        return []
    starts = [day for day in (phase.start, span.start) if day]
    ends = [day for day in (phase.end, span.end) if day]
    return [phase.but(start=max(starts, default=None), end=min(ends, default=None))]


def _outside(phase: Phase, span: Span) -> list[Phase]:
    """Return the days of a phase outside a span, as phases."""
    day = timedelta(days=1)
    before = _inside(phase, Span(end=span.start - day)) if span.start else []
    after = _inside(phase, Span(start=span.end + day)) if span.end else []
    return before + after
