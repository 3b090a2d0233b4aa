"""Independent pieces of a case that lists of changes affect. Each piece is planned separately under each list, and several run concurrently."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from ..domain.base import Groups, grouped
from ..domain.change import Change
from ..domain.runtime import cached_method, run_tasks
from ..problem import Problem
from ..problem.inputs import Inputs
from ..problem.parts import Impact, Members, impact
from ..rules.amend import with_bills
from ..session import PartPlan, Session
from ..solve import Progress

Changes = tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """Parts of a case that no list joins to others."""

    members: Members
    """Materials."""
    rules: frozenset[str]
    """Limit rules that apply to them under some list."""

    @property
    def demanded(self) -> tuple[str, ...]:
        """Names of its materials, sorted."""
        return tuple(sorted(self.members))


class Pieces:
    """All pieces that some lists of changes affect."""

    def __init__(self, session: Session, lists: Iterable[Sequence[Change]]) -> None:
        """Find the pieces that are independent under each list of changes.

        Raises:
            InputError: For every change that names nothing in the case.
            PluginError: If a plugin's rule raises.
        """
        self.session = session
        touched = [one for changes in lists for one in self._of(tuple(changes))]
        groups = Groups(name for one in touched for name in one.members)
        for one in touched:
            groups.join(one.members)
        rules = grouped((groups.first(min(one.members)), one.rules) for one in touched)
        self.all = tuple(Piece(members, frozenset().union(*rules[min(members)])) for members in groups.all())

    def bearing(self, piece: Piece, changes: Sequence[Change]) -> Changes:
        """Return the changes of a list that apply to a piece, in order, with the changes of bills."""
        bearing = {change for one in self._of(tuple(changes)) if one.members & piece.members for change in one.changes}
        return tuple(c for c in with_bills(changes, self.session.inputs.bills) if c in bearing)

    def facts(self, piece: Piece, changes: Sequence[Change]) -> Inputs:
        """Return the facts of a piece after changes that all apply to it."""
        return self.session.parts.part(piece.members, piece.rules).after(changes)

    def problem(self, piece: Piece, changes: Sequence[Change]) -> Problem:
        """Return the resolved facts of a piece after changes that all apply to it."""
        return self.facts(piece, changes).problem()

    def plan(self, piece: Piece, changes: Sequence[Change]) -> PartPlan:
        """Return the cheapest plan of a piece after changes that all apply to it."""
        return self.session.part_plan(piece.members, piece.rules, tuple(changes))

    @cached_method
    def _of(self, changes: Changes) -> tuple[Impact, ...]:
        return impact(self.session.parts, changes)


Asked = TypeVar("Asked")
Found = TypeVar("Found")


def ask_apart(
    session: Session,
    groups: Sequence[Sequence[Asked]],
    asking: Callable[[], Callable[[Asked], Found]],
    progress: Progress | None = None,
) -> list[list[Found]]:
    """Return the answers by group, and run as many groups concurrently as the session has workers.

    Questions that affect the same parts must be in one group. `asking` returns a function that answers the questions of a group, one after the other.
    `progress` is called in the caller's thread.

    Raises:
        Exception: The error of the first group that fails.
    """
    started, total = time.monotonic(), sum(map(len, groups))
    done: list[None] = []

    def answered(number: int) -> list[Found]:
        ask, found = asking(), []
        for question in groups[number]:
            found.append(ask(question))
            done.append(None)
        return found

    def tell() -> None:
        if progress is not None and done:
            progress(len(done), total, time.monotonic() - started)

    futures = {}
    with ThreadPoolExecutor(session.limits.workers or os.cpu_count() or 1) as pool:
        for number, future in run_tasks(pool, answered, deque(range(len(groups))), on_idle=tell):
            futures[number] = future
            tell()
    return [futures[number].result() for number in range(len(groups))]
