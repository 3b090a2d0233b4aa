"""What changes make of rules: switched on, switched off, moved in time, loosened."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta

from pydantic import ValidationError

from ..domain.change import Change
from ..domain.time import Span
from ..errors import Diagnostic, InputError
from ..reading.records import complaints
from .base import Phase, PhaseStatus, Rule
from .pack import LegislativeBill

DORMANT = frozenset({PhaseStatus.PENDING, PhaseStatus.UNKNOWN})
"""Phases that `enable` puts in force. A suspended phase stays suspended: its maker said so."""
RULE_SUBJECTS = ("enable", "disable", "move", "loosen", "limit")
"""Subjects of the changes that alter a rule."""


Amend = Callable[[Rule, Change], Rule]
"""What a change makes of a rule that it names."""


def amended(
    rules: Sequence[Rule],
    changes: Iterable[Change],
    bills: Sequence[LegislativeBill] = (),
    amend: Amend | None = None,
) -> tuple[Rule, ...]:
    """The rules after the changes that bear on rules, in order; changes of other facts are left alone.

    `enable` with the id of a bill applies the bill's own changes in its place. `amend` is what changes one rule: `amend_rule`, or what remembers
    what that came to.

    Raises:
        InputError: for every change that names no rule or bill.
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
    """A rule after one change that names it."""
    if change.by is not None:
        return rule.but(loosened=rule.loosened + change.by)
    if change.limit:
        return with_figure(rule, change.at)
    return rule.but(phases=_phases(rule.phases, change))


_FIGURES = ("amount", "share", "exactly", "at_least", "at_most", "count", "days")
"""Fields in which a limit states what it bounds by."""


def figure_of(rule: Rule) -> str:
    """Return the field with the one figure of a limit; empty if it states none, or several."""
    stated = [name for name in _FIGURES if name in type(rule).model_fields and getattr(rule, name) is not None]
    return stated[0] if len(stated) == 1 and "rows" in rule.verbs else ""


def with_figure(rule: Rule, figure: str) -> Rule:
    """Return a limit with another figure, checked as the rule's own kind checks it.

    Raises:
        InputError: if the rule has no figure, or several, or cannot have this one.
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
            "; ".join(one.message for one in complaints(type(rule), error))
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
    """The days of a phase that lie in a span."""
    if not phase.span.meets(span):
        return []
    starts = [day for day in (phase.start, span.start) if day]
    ends = [day for day in (phase.end, span.end) if day]
    return [phase.but(start=max(starts, default=None), end=min(ends, default=None))]


def _outside(phase: Phase, span: Span) -> list[Phase]:
    """The days of a phase that do not."""
    day = timedelta(days=1)
    before = _inside(phase, Span(end=span.start - day)) if span.start else []
    after = _inside(phase, Span(start=span.end + day)) if span.end else []
    return before + after
