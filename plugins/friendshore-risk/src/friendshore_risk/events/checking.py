"""Events held against the case that states them: all that is wrong with them at once, each mistake with the event that makes it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from friendshore.domain.change import Change
from friendshore.errors import Diagnostic, InputError
from friendshore.problem.parts import Impact, impact
from friendshore.session import Session

from .consequences import bearing, facts_after
from .records import Event
from .scenarios import Begun

_SOME = Decimal(2)
"""A multiplier: what is wrong with an event does not turn on it."""


@dataclass(frozen=True, slots=True)
class Touched:
    """What an event touches."""

    changes: tuple[Change, ...]
    """Changes that touch the same."""
    members: frozenset[str]
    """Materials of the parts of the case that it bears on."""


def touched(session: Session, events: Sequence[Event], day: date) -> dict[str, Touched]:
    """What each event touches, by its name.

    Raises:
        InputError: with all that is wrong with any of them.
        PluginError: if a plugin's rule raises.
    """
    found: dict[str, Touched] = {}
    wrong: list[Diagnostic] = []
    for number, event in enumerate(events, 1):
        try:
            found[event.name] = _touched(session, event, day)
        except InputError as error:
            key = next(name for name in Event.SUBJECTS if getattr(event, name))
            wrong += [_located(one, session, f"event[{number}].{key}") for one in error.problems]
        wrong += [_located(one, session, f"event[{number}].from") for one in _early(event, day)]
    if wrong:
        raise InputError(wrong)
    return found


def _touched(session: Session, event: Event, day: date) -> Touched:
    parts = session.parts
    changes = bearing(event, event.start or day, parts)
    groups: tuple[Impact, ...] = impact(parts, changes)
    begun = Begun(event, event.start or day, _SOME if event.price or event.demand else None, event.lasts)
    for group in groups:
        inputs = parts.part(group.members, group.rules)
        facts_after(inputs, inputs.problem(), [begun])
    return Touched(changes, frozenset().union(*(group.members for group in groups)))


def _early(event: Event, day: date) -> Iterator[Diagnostic]:
    if event.start is not None and event.start < day:
        yield Diagnostic(
            f"event `{event.name}` begins before it is known whether it comes",
            found=str(event.start),
            expected=f"a day from {day} on",
            fix="let it begin later, or let events become known earlier: `day`",
        )


def _located(one: Diagnostic, session: Session, key: str) -> Diagnostic:
    file = session.problem.case.file
    return replace(one, file=one.file or str(file or ""), column=f"plugin.friendshore-risk.{key}")
