"""Divide a time limit among independent searches so that none is left without a plan.

Without a time limit, each search runs once, to its end. With one:

- Each search first gets a short turn, the smallest search first.
- The rest of the time goes, turn by turn, to the search whose gap costs most per second of its next turn. Searches without a plan come first.
- While no more searches are open than there are workers, each gets all the time that is left.

An engine starts from scratch in every turn, with the best plan so far as a hint. So each turn of a search lasts at least twice as long as the one before:
all its earlier turns together take no longer than its last one. A linear program has no plan until it is solved, so its first turn is its equal share
of the time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from math import inf
from threading import Lock

from ..domain.runtime import finished
from ..program.matrix import Linear
from ..program.objectives import Goal
from .answer_cache import AnswerCache, digest
from .engine import SolverAnswer, SolverOutcome, Watch, is_open
from .mip import NOTHING

FIRST = 1 / 8
"""First turn of a search, as a part of its equal share of the time."""
LEAST = 0.2
"""Seconds of the shortest turn: in less, hardly any search gets to a plan."""
LONGER = 2.0
"""Factor by which each turn of a search is longer than its last one, at least."""
POOR = 0.05
"""Relative gap of a plan that is usually followed by a much better one soon, so that the next turn need not be long."""


@dataclass(slots=True, eq=False)
class ResumableSearch:
    """One of several searches that share a time limit."""

    linear: Linear
    search: Callable[[Watch, SolverAnswer], SolverAnswer]
    """Searches until a watch stops, starting from the best answer so far."""
    goals: Sequence[Goal] = ()
    """Ranked objectives, if any."""
    answer: SolverAnswer = NOTHING
    """The best answer so far."""
    done: bool = False
    """True if more time would not change the answer, or there is none."""
    seconds: float = 0.0
    """Length of the last turn; 0 before the first one."""
    _key: bytes = b""

    def resume(self, watch: Watch, known: AnswerCache | None) -> None:
        """Search until the watch stops, unless the answer is known."""
        if known is not None and not self._key:
            self._key = digest(self.linear, self.goals)
            before = known.find(self._key)
            if before is not None:
                self.answer, self.done = before, True
                return
        seconds = watch.left()
        found = self.search(watch, hint(self.answer))
        self.answer = better(self.answer, found)
        left = watch.left()
        # Engines measure time in their own way. One that uses less than half of it gave up by itself, and would again.
        unused = seconds is None or left is None or left > seconds / 2
        if found.outcome in (SolverOutcome.OPTIMAL, SolverOutcome.INFEASIBLE) or (unused and not watch.stopped()):
            self.end(known)

    def end(self, known: AnswerCache | None) -> None:
        """Make the best answer so far the final one, and add it to those that are known."""
        self.done = True
        if known is not None:
            known.keep(self._key, self.answer)

    def next_seconds(self, share: float) -> float:
        """Return the length of the next turn.

        Args:
            share: the time that is left, divided equally among all open searches.
        """
        if not self.seconds:
            return max(LEAST, share * FIRST if self.linear.integer.any() else share)
        longer, poor = LONGER * self.seconds, POOR * abs(self.answer.objective)
        return longer if self.answer.x is None or self.gap() > poor else max(longer, share)

    def gap(self) -> float:
        """Return by how much the plan may be too expensive; of ranked objectives, that share of the cost by which any level may be too large."""
        answer = self.answer
        if answer.x is None:
            return inf
        if not answer.levels:
            return answer.objective - answer.bound
        shares = [(n.least - n.bound) / abs(n.least) if n.least else 0.0 for n in answer.levels]
        return max(shares) * max(1.0, abs(answer.objective))


def in_turns(
    searches: Sequence[ResumableSearch],
    watch: Watch,
    workers: int,
    known: AnswerCache | None = None,
    tell: Callable[[], None] = lambda: None,
) -> list[SolverAnswer]:
    """Return the best answers found until a watch stops.

    Args:
        searches: the searches. Those that are done are skipped; those that are not done in the end can go on later.
        watch: stops all of them.
        workers: searches that run at the same time.
        known: answers to the same programs; those of searches that end are added.
        tell: called after each turn, and several times a second in between.
    """
    _Divided(searches, watch, workers, known).run(tell)
    return [search.answer for search in searches]


class _Divided:
    """The time of a watch, divided among searches."""

    def __init__(
        self, searches: Sequence[ResumableSearch], watch: Watch, workers: int, known: AnswerCache | None
    ) -> None:
        self.watch, self.workers, self.known = watch, workers, known
        # Largest first ends soonest. With a time limit, smallest first leaves most of it to those that need it.
        order = sorted(searches, key=lambda search: len(search.linear.cost), reverse=watch.left() is None)
        self.queue = deque(search for search in order if not search.done)
        self.open = len(self.queue)
        self.lock = Lock()

    def run(self, tell: Callable[[], None]) -> None:
        waiting: list[ResumableSearch] = []
        running = len(self.queue)
        with ThreadPoolExecutor(self.workers) as pool:
            for search, ended in finished(pool, self._turn, self.queue, meanwhile=tell):
                ended.result()
                running -= 1
                if not search.done:
                    waiting.append(search)
                if waiting and running < self.workers and not self.watch.stopped():
                    first = min(waiting, key=self._rank)
                    waiting.remove(first)
                    self.queue.append(first)
                    running += 1
                tell()

    def _turn(self, search: ResumableSearch) -> None:
        search.resume(self._watch(search), self.known)
        if search.done:
            with self.lock:
                self.open -= 1

    def _watch(self, search: ResumableSearch) -> Watch:
        """Return the watch of a search's next turn."""
        left = self.watch.left()
        if left is None or self.open <= self.workers:
            return self.watch
        search.seconds = search.next_seconds(self._share(left))
        return self.watch.within(search.seconds)

    def _rank(self, search: ResumableSearch) -> tuple[float, float]:
        """Return a number that is lower the more a turn may save, and for equal numbers the length of the turn."""
        seconds = search.next_seconds(self._share(self.watch.left() or 0.0))
        return -search.gap() / seconds if seconds else -inf, seconds

    def _share(self, left: float) -> float:
        return left * self.workers / max(1, self.open)


def hint(answer: SolverAnswer) -> SolverAnswer:
    """Return the plan of an answer as one to start from. Its bound is left out: a search that a limit ended does not prove it."""
    return NOTHING if answer.x is None else SolverAnswer(SolverOutcome.FEASIBLE, answer.x, answer.objective)


def better(before: SolverAnswer, after: SolverAnswer) -> SolverAnswer:
    """Return the better of two answers to the same program, with the better bound."""
    if after.outcome in (SolverOutcome.OPTIMAL, SolverOutcome.INFEASIBLE):
        return before if after.x is None and before.x is not None else after
    best = after if before.x is None else min(before, after, key=_value)
    if best.levels:  # the bound of a level is valid only for plans that are as good on the levels before it
        return best
    # A plan refutes any bound above it.
    bounds = [each.bound for each in (before, after) if not is_open(each.bound, best.objective)]
    return replace(best, bound=min(max(bounds, default=-inf), best.objective))


def _value(answer: SolverAnswer) -> tuple[list[float], bool]:
    return [level.least for level in answer.levels] or [answer.objective], answer.outcome is SolverOutcome.FEASIBLE
