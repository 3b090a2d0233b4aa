"""Changes of rules: enable, disable, move in time, loosen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta

from pydantic import ValidationError

from ..domain.change import Change
from ..domain.suggest import did_you_mean
from ..domain.time import Span
from ..errors import Diagnostic, InputError
from ..reading.records import validation_diagnostics
from .base import Phase, PhaseStatus, Rule
from .pack import LegislativeBill

# Phases that `enable` puts in force. A suspended phase stays suspended, since its authority suspended it.
DORMANT = frozenset({PhaseStatus.PENDING, PhaseStatus.UNKNOWN})
RULE_SUBJECTS = ("enable", "disable", "move", "loosen", "limit")


Amend = Callable[[Rule, Change], Rule]


def amended(
    rules: Sequence[Rule],
    changes: Iterable[Change],
    bills: Sequence[LegislativeBill] = (),
    amend: Amend | None = None,
) -> tuple[Rule, ...]:
    """Return the rules after the changes that apply to rules, with a bill's own changes if one enables it. `amend` replaces `amend_rule`, as a cache does."""
    rule_by_id = {rule.id: rule for rule in rules}
    bill_by_id = {bill.id: bill for bill in bills}
    problems: list[Diagnostic] = []
    for change in with_bills(changes, bills):
        if change.subject not in RULE_SUBJECTS:
            continue
        name = getattr(change, change.subject)
        if name not in rule_by_id:
            sort = "the id of a rule or bill" if change.subject == "enable" else "the id of a rule"
            names = sorted([*rule_by_id, *(bill_by_id if change.subject == "enable" else ())])
            problems.append(
                Diagnostic(
                    f"`{change.subject}` names `{name}`, which isn't a rule of this case",
                    found=name,
                    expected=f"{sort}: {', '.join(names)}" if names else f"{sort}, but the case has none",
                    fix=did_you_mean(name, names) or "use the id of a rule",
                    code="FS302",
                )
            )
            continue
        try:
            rule_by_id[name] = (amend or amend_rule)(rule_by_id[name], change)
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return tuple(rule_by_id[rule.id] for rule in rules)


def amend_rule(rule: Rule, change: Change) -> Rule:
    if change.by is not None and change.of:
        return rule.but(loosened_rows=(*rule.loosened_rows, (change.of, change.by)))
    if change.by is not None:
        return rule.but(loosened=rule.loosened + change.by)
    if change.limit:
        return with_figure(rule, change.at)
    return rule.but(phases=_changed_phases(rule.phases, change))


_BOUND_FIELDS = ("amount", "share", "exactly", "at_least", "at_most", "count", "days")


def figure_of(rule: Rule) -> str:
    """Return the field that contains a limit's only figure. Empty if it has none or several."""
    fields = [name for name in _BOUND_FIELDS if name in type(rule).model_fields and getattr(rule, name) is not None]
    return fields[0] if len(fields) == 1 and "rows" in rule.verbs else ""


def with_figure(rule: Rule, figure: str) -> Rule:
    name = figure_of(rule)
    if not name:
        expected = "a limit with exactly one of " + ", ".join(_BOUND_FIELDS)
        raise InputError(
            f"rule `{rule.id}` doesn't have exactly one figure to change",
            column="limit",
            found=rule.id,
            expected=expected,
            code="FS303",
        )
    values = {field: getattr(rule, field) for field in type(rule).model_fields}
    try:
        changed = type(rule).model_validate({**values, name: figure})
    except ValueError as error:
        reason = (
            "; ".join(problem.message for problem in validation_diagnostics(type(rule), error))
            if isinstance(error, ValidationError)
            else str(error)
        )
        raise InputError(
            f"rule `{rule.id}` can't have the figure `{figure}`: {reason}", column="at", found=figure, code="FS012"
        ) from error
    return changed.with_settings(rule.settings)


def with_bills(changes: Iterable[Change], bills: Iterable[LegislativeBill]) -> list[Change]:
    """Return changes with those of a bill in place of the change that enables it."""
    bill_by_id = {bill.id: bill for bill in bills}

    def expanded(changes: Iterable[Change], enabled: tuple[str, ...]) -> Iterator[Change]:
        for change in changes:
            bill = bill_by_id.get(change.enable)
            if bill is None:
                yield change
            elif bill.id in enabled:
                raise InputError(
                    f"bill `{bill.id}` enables itself", fix="remove the circle from its `change` list", code="FS304"
                )
            else:
                yield from expanded(bill.change, (*enabled, bill.id))

    return list(expanded(changes, ()))


def _changed_phases(phases: Sequence[Phase], change: Change) -> tuple[Phase, ...]:
    span = Span(start=change.start, end=change.end)
    if change.subject == "move":
        return tuple(part for phase in phases for part in _parts_inside(phase, span))
    if change.subject == "disable":
        return tuple(part for phase in phases for part in _parts_outside(phase, span))
    enabled: list[Phase] = []
    for phase in phases:
        if phase.status in DORMANT:
            enabled += _parts_outside(phase, span)
            enabled += [part.but(status=PhaseStatus.ENACTED) for part in _parts_inside(phase, span)]
        else:
            enabled.append(phase)
    return tuple(sorted(enabled, key=lambda phase: phase.start or date.min))


def _parts_inside(phase: Phase, span: Span) -> list[Phase]:
    if not phase.span.meets(span):
        return []
    starts = [day for day in (phase.start, span.start) if day]
    ends = [day for day in (phase.end, span.end) if day]
    return [phase.but(start=max(starts, default=None), end=min(ends, default=None))]


def _parts_outside(phase: Phase, span: Span) -> list[Phase]:
    day = timedelta(days=1)
    before = _parts_inside(phase, Span(end=span.start - day)) if span.start else []
    after = _parts_inside(phase, Span(start=span.end + day)) if span.end else []
    return before + after
