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
    rules: frozenset[str]
    """Limit rules that apply to them under some list."""

    @property
    def demanded(self) -> tuple[str, ...]:
        return tuple(sorted(self.members))


class Pieces:
    """All pieces that some lists of changes affect."""

    def __init__(self, session: Session, change_lists: Iterable[Sequence[Change]]) -> None:
        self.session = session
        effects = [effect for changes in change_lists for effect in self._of(tuple(changes))]
        groups = Groups(name for effect in effects for name in effect.members)
        for effect in effects:
            groups.join(effect.members)
        rules = grouped((groups.first(min(effect.members)), effect.rules) for effect in effects)
        self.all = tuple(Piece(members, frozenset().union(*rules[min(members)])) for members in groups.all())

    def changes_for(self, piece: Piece, changes: Sequence[Change]) -> Changes:
        """Return the changes that apply to a piece, in order, with the changes of bills."""
        applicable = {
            change for effect in self._of(tuple(changes)) if effect.members & piece.members for change in effect.changes
        }
        return tuple(c for c in with_bills(changes, self.session.inputs.bills) if c in applicable)

    def facts(self, piece: Piece, changes: Sequence[Change]) -> Inputs:
        return self.session.parts.part(piece.members, piece.rules).after(changes)

    def problem(self, piece: Piece, changes: Sequence[Change]) -> Problem:
        return self.facts(piece, changes).problem()

    def plan(self, piece: Piece, changes: Sequence[Change]) -> PartPlan:
        return self.session.part_plan(piece.members, piece.rules, tuple(changes))

    @cached_method
    def _of(self, changes: Changes) -> tuple[Impact, ...]:
        return impact(self.session.parts, changes)


Question = TypeVar("Question")
AnswerT = TypeVar("AnswerT")


def answer_concurrently(
    session: Session,
    groups: Sequence[Sequence[Question]],
    make_asker: Callable[[], Callable[[Question], AnswerT]],
    progress: Progress | None = None,
) -> list[list[AnswerT]]:
    """Return the answers by group, with as many groups at a time as the session has workers. Questions about the same part must share a group."""
    start, total = time.monotonic(), sum(map(len, groups))
    done: list[None] = []

    def answer_group(number: int) -> list[AnswerT]:
        ask, answers = make_asker(), []
        for question in groups[number]:
            answers.append(ask(question))
            done.append(None)
        return answers

    def report_progress() -> None:
        if progress is not None and done:
            progress(len(done), total, time.monotonic() - start)

    futures = {}
    with ThreadPoolExecutor(session.limits.workers or os.cpu_count() or 1) as pool:
        for number, future in run_tasks(pool, answer_group, deque(range(len(groups))), on_idle=report_progress):
            futures[number] = future
            report_progress()
    return [futures[number].result() for number in range(len(groups))]
