"""Search for the cheapest plan of a component, and the division of a time limit among several, so that none is left without a plan.

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
from functools import cache, partial
from math import inf
from threading import Lock

import numpy as np

from ..domain.plan import Confirmation
from ..domain.runtime import run_tasks
from ..errors import Diagnostic
from ..program.limits import Goal
from ..program.matrix import Floats, Linear, continuous
from .components import AnswerCache, digest
from .engine import (
    NOTHING,
    Ask,
    Engines,
    Linked,
    LinkingMethod,
    SolverAnswer,
    SolverOutcome,
    UnboundedError,
    Watch,
    is_open,
    worst_outcome,
)
from .engines import ENGINES
from .first_plan import LARGE, any_plan, same_choices
from .forcing import steps
from .lagrangian import MANY_CHOICES, Joint, LagrangianPricing, joint_of, sharing_of
from .mip import branched, solve_mip
from .scaling import Scale, scaled
from .shared import SharedCapacitySearch

FIRST = 1 / 8
"""First turn of a search, as a share of its equal part of the time."""
LEAST = 0.2
"""Seconds of the shortest turn. Hardly any search finds a plan in less."""
LONGER = 2.0
"""Minimum factor by which each turn of a search is longer than its last one."""
POOR = 0.05
"""Relative gap of a plan that a much better one usually follows soon, so that the next turn can be short."""


@dataclass(slots=True, eq=False)
class ResumableSearch:
    """One of several searches that share a time limit."""

    linear: Linear
    search: Callable[[Watch, SolverAnswer], SolverAnswer]
    """Function that searches until a watch stops, from the best answer so far."""
    goals: Sequence[Goal] = ()
    answer: SolverAnswer = NOTHING
    done: bool = False
    """True if more time wouldn't change the answer, or if there is none."""
    seconds: float = 0.0
    """Length of the last turn. 0 before the first one."""
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
        """Make the best answer so far the final one, and add it to the known answers."""
        self.done = True
        if known is not None:
            known.keep(self._key, self.answer)

    def next_seconds(self, share: float) -> float:
        """Return the length of the next turn.

        Args:
            share: Time left, divided equally among all open searches.
        """
        if not self.seconds:
            return max(LEAST, share * FIRST if self.linear.integer.any() else share)
        longer, poor = LONGER * self.seconds, POOR * abs(self.answer.objective)
        return longer if self.answer.x is None or self.gap() > poor else max(longer, share)

    def gap(self) -> float:
        """Return the amount by which the plan may be too expensive. With ranked objectives: the largest relative gap of a level, times the cost."""
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
        searches: Searches. Finished ones are skipped. Unfinished ones can continue later.
        watch: Watch that stops all of them.
        workers: Number of searches that run at the same time.
        known: Answers to the same programs. Searches that end add theirs.
        tell: Function to call after each turn, and several times a second in between.
    """
    _Divided(searches, watch, workers, known).run(tell)
    return [search.answer for search in searches]


class _Divided:
    """Division of a watch's time among searches."""

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
            for search, ended in run_tasks(pool, self._turn, self.queue, on_idle=tell):
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
        left = self.watch.left()
        if left is None or self.open <= self.workers:
            return self.watch
        search.seconds = search.next_seconds(self._share(left))
        return self.watch.within(search.seconds)

    def _rank(self, search: ResumableSearch) -> tuple[float, float]:
        """Return a number that is lower the more a turn may save per second, and the length of the turn for equal numbers."""
        seconds = search.next_seconds(self._share(self.watch.left() or 0.0))
        return -search.gap() / seconds if seconds else -inf, seconds

    def _share(self, left: float) -> float:
        return left * self.workers / max(1, self.open)


def hint(answer: SolverAnswer) -> SolverAnswer:
    """Return the plan of an answer as a starting point. Its bound is omitted, since a search that a limit ended doesn't prove it."""
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


class Search:
    """Settings and known answers that all components of one solve share."""

    def __init__(
        self, watch: Watch, gap: float, workers: int = 1, known: AnswerCache | None = None, engines: Engines = ENGINES
    ) -> None:
        self.watch = watch
        self.gap = gap
        self.workers = workers
        self.engines = replace(engines, stopped=watch.cancelled)
        self.known = AnswerCache() if known is None else known
        """Known answers of components, and of parts without their linking constraints."""

    def until(self, watch: Watch) -> Search:
        return self if watch is self.watch else Search(watch, self.gap, self.workers, self.known, self.engines)

    def component(self, linear: Linear, known: SolverAnswer = NOTHING, start: Floats | None = None) -> SolverAnswer:
        """Return the best answer for a component within the limits, with its parts solved apart if only a few rows join them.

        Args:
            linear: The component.
            known: Plan to start from, if any.
            start: Plan of a similar program, whose choices are a starting point.

        Raises:
            UnboundedError: If the cost has no minimum.
        """
        if self.watch.stopped():
            return known
        near = self._near(linear, start) if start is not None and known.x is None else None
        if near is not None:
            return near
        if (joint := joint_of(linear)) is not None:
            answer = self._joint(joint, known, start)
        elif (sharing := sharing_of(linear)) is not None:
            answer = self.sharing(sharing, known)
        else:
            answer = self.alone(linear, known, start=start)
        late = answer.outcome is SolverOutcome.NOTHING and known.x is None and self.watch.left() is not None
        return self._any_plan(linear, answer.bound) if late and linear.integer.any() else answer

    def _near(self, linear: Linear, start: Floats) -> SolverAnswer | None:
        """Return the optimum of a small program, by branching from the choices of a similar one's plan. None if they are too far apart."""
        if not 0 < np.count_nonzero(linear.integer) < MANY_CHOICES or linear.entries.nnz > LARGE:
            return None
        near_one, scale = scaled(linear)
        found = branched(near_one, near_one, NOTHING, self.gap, self.engines, self.watch, start)
        return None if found is None else _read(found, linear, scale)

    def _any_plan(self, linear: Linear, bound: float) -> SolverAnswer:
        """Return some plan if there is no good one. If rules require purchases, one component without a plan leaves all of them without one."""
        near_one, scale = scaled(linear)
        found = _read(any_plan(near_one, self.engines, self.watch), linear, scale)
        return replace(found, bound=min(bound, found.objective))

    def alone(
        self,
        linear: Linear,
        known: SolverAnswer = NOTHING,
        confirm: bool = True,
        start: Floats | None = None,
        relaxed: SolverAnswer | None = None,
        branch: bool = False,
    ) -> SolverAnswer:
        """Return the best answer for a program solved as one.

        Args:
            confirm: False for one of many programs whose bounds are confirmed together (`opinions`).
            start: As for `component`.
            relaxed: Answer of its scaled linear relaxation, if known.
            branch: As for `solve_mip`.

        Raises:
            UnboundedError: If the cost has no minimum.
        """
        if not linear.entries.shape[0]:
            return _free(linear)
        near_one, scale = scaled(linear)
        if linear.integer.any():
            x = None if known.x is None else known.x / scale.columns
            answer = solve_mip(
                near_one,
                self.engines,
                self.watch,
                self.gap,
                replace(known, x=x, objective=known.objective / scale.money, bound=known.bound / scale.money),
                cache(lambda: steps(linear) / scale.columns),  # asked for again where prices do not suffice
                scale.rows,
                confirm,
                start,
                relaxed,
                branch,
            )
        else:
            answer = NOTHING if self.watch.stopped() else self.engines.linear(near_one, self.watch.left())
        return _read(answer, linear, scale)

    def with_choices(self, linear: Linear, start: Floats | None) -> SolverAnswer:
        """Return the cheapest plan with the choices of another. `NOTHING` if there is none."""
        if start is None or not linear.integer.any() or not linear.entries.shape[0]:
            return self.alone(linear)
        near_one, scale = scaled(linear)
        return _read(same_choices(near_one, start, self.engines, self.watch), linear, scale)

    def exact(self, linear: Linear) -> SolverAnswer:
        """Return the optimum of a linear program, without a time limit.

        Raises:
            UnboundedError: If the cost has no minimum.
        """
        near_one, scale = scaled(linear)
        return _read(self.engines.linear(near_one), linear, scale)

    def several(self, programs: Sequence[Linear], gap: float | None = None) -> list[SolverAnswer]:
        """Return the answers of independent programs. With a time limit, use half of the time left, so that others can follow."""
        search = self if gap is None else Search(self.watch, gap, self.workers, self.known, self.engines)
        searches = [search.resumable(program, confirm=False) for program in programs]
        return in_turns(searches, self.watch.share(0.5), self.workers)

    def resumable(self, linear: Linear, confirm: bool = True) -> ResumableSearch:
        """Return the search of a program solved as one, for `in_turns`. `confirm` is as for `alone`."""
        return ResumableSearch(linear, lambda watch, known: self.until(watch).alone(linear, known, confirm))

    def opinions(self, programs: Sequence[Linear], gap: float | None = None) -> list[SolverAnswer]:
        """Return second opinions on the bounds of programs, one per worker at a time."""
        with ThreadPoolExecutor(self.workers) as pool:
            return list(pool.map(partial(self._opinion, gap=self.gap if gap is None else gap), programs))

    def _opinion(self, linear: Linear, gap: float) -> SolverAnswer:
        if not linear.integer.any() or not linear.entries.shape[0]:
            return self.alone(linear)
        near_one, scale = scaled(linear)
        best = NOTHING
        for opinion in self.engines.opinions(near_one, self.watch, gap):
            answer = opinion()
            best = max(best, _read(answer, linear, scale), key=lambda each: each.bound)
            if answer.outcome is SolverOutcome.OPTIMAL:
                break
        return best

    def _joint(self, joint: Joint, known: SolverAnswer, start: Floats | None = None) -> SolverAnswer:
        """Solve without the linking constraints, then with prices, then all as one. With a time limit, each step gets half of the time left."""
        linear = joint.linear
        if self.watch.left() is None and 0 < np.count_nonzero(linear.integer) < MANY_CHOICES:
            relaxed = self._relaxed(linear)
            if _binds(joint, relaxed):
                answer = self.alone(linear, known, start=start, relaxed=relaxed, branch=True)
                return replace(answer, joined=_joined(joint, LinkingMethod.JOINT))
        parts = [self.resumable(part.linear) for part in joint.parts]
        answers = in_turns(parts, self.watch.share(0.5), self.workers, self.known)
        if any(a.outcome is SolverOutcome.INFEASIBLE for a in answers):
            return SolverAnswer(SolverOutcome.INFEASIBLE)
        if any(a.outcome is SolverOutcome.BROKEN for a in answers):
            return replace(self.alone(linear, known, start=start), joined=_joined(joint, LinkingMethod.JOINT))
        apart = _left_out(joint, answers)
        if apart.x is not None and not all(part.done for part in parts) and not self.watch.stopped():
            apart = better(apart, _left_out(joint, in_turns(parts, self.watch, self.workers, self.known)))
        found = [a.x for a in answers if a.x is not None]
        complete = len(found) == len(answers)
        if apart.x is not None or (self.watch.stopped() and not complete):
            return apart
        if not linear.integer.any():
            return replace(self.large(linear, apart.bound), joined=_joined(joint, LinkingMethod.JOINT))
        if not complete or np.count_nonzero(linear.integer) < MANY_CHOICES:
            return replace(self.alone(linear, known, start=start), joined=_joined(joint, LinkingMethod.JOINT))
        watch = self.watch.share(0.5)
        priced = LagrangianPricing(joint, found, self.until(watch), apart.bound).run()
        if watch.stopped() or worst_outcome(answers) is not SolverOutcome.OPTIMAL:  # nothing confirms the bound
            answer = better(priced, self.alone(linear, hint(better(known, priced))))
            return replace(answer, joined=_joined(joint, LinkingMethod.JOINT))
        if priced.x is not None and priced.objective - priced.bound <= self.gap * abs(priced.objective):
            return replace(
                priced,
                outcome=SolverOutcome.OPTIMAL,
                joined=_joined(joint, LinkingMethod.PRICED),
                confirmed_by=frozenset({Confirmation.SECOND_SOLVER}),
            )
        return replace(self.alone(linear, priced), joined=_joined(joint, LinkingMethod.JOINT))

    def _relaxed(self, linear: Linear) -> SolverAnswer:
        """Return the answer of the linear relaxation of a scaled program. `NOTHING` if it is large."""
        near_one, _ = scaled(linear)
        return self.engines.linear(continuous(near_one)) if near_one.entries.nnz <= LARGE else NOTHING

    def sharing(self, joint: Joint, known: SolverAnswer = NOTHING) -> SolverAnswer:
        """Solve many parts that share capacities: price and improve them part by part, then search the rest as one."""
        sharing = SharedCapacitySearch(joint, self)
        found = _read(sharing.run(), joint.linear, sharing.scale)
        if found.outcome in (SolverOutcome.OPTIMAL, SolverOutcome.INFEASIBLE):
            return found
        best = min(found, known, key=lambda answer: answer.objective)
        return self.alone(joint.linear, replace(best, bound=max(found.bound, known.bound)))

    def large(self, linear: Linear, bound: float) -> SolverAnswer:
        """Return the best answer for a linear program of many parts. For these, HiGHS takes a tenth of the time of GLOP."""
        if self.watch.stopped():
            return SolverAnswer(SolverOutcome.NOTHING, bound=bound)
        near_one, scale = scaled(linear)
        answer = _read(self.engines.search(near_one, Ask(self.watch.left(), self.gap)), linear, scale)
        if answer.outcome is SolverOutcome.BROKEN:
            answer = self.alone(linear)
        return replace(answer, bound=min(max(bound, answer.bound), answer.objective))


def _read(answer: SolverAnswer, linear: Linear, scale: Scale) -> SolverAnswer:
    """Return the answer of a scaled program for the original one."""
    bound = answer.bound * scale.money
    if answer.x is None:
        return replace(answer, bound=bound)
    x = np.clip(answer.x * scale.columns, linear.lower, linear.upper)
    duals = None if answer.duals is None else scale.duals(answer.duals)
    return replace(answer, x=x, objective=linear.value(x), bound=bound, duals=duals)


def _binds(joint: Joint, relaxed: SolverAnswer) -> bool:
    """Return True if linking constraints bind in the linear relaxation. The cheapest plans of the parts then rarely satisfy them."""
    return relaxed.duals is not None and bool(np.abs(relaxed.duals[joint.rows]).max(initial=0.0) > 0)


def _joined(joint: Joint, how: LinkingMethod) -> Linked:
    return Linked(joint.rows, len(joint.parts), how)


def _left_out(joint: Joint, answers: Sequence[SolverAnswer]) -> SolverAnswer:
    """Return the parts' plans together if they satisfy the linking constraints. Otherwise only the bound."""
    linear, loose = joint.linear, joint.linear.cheapest[joint.loose]
    bound = sum(a.bound for a in answers) + float(linear.cost[joint.loose] @ loose)
    found = [a.x for a in answers if a.x is not None]
    if len(found) == len(answers) and np.isfinite(loose).all():
        x = joint.spread(found, loose)
        if joint.holds(x):
            return SolverAnswer(
                worst_outcome(answers),
                x,
                float(linear.cost @ x),
                bound,
                joined=_joined(joint, LinkingMethod.LEFT_OUT),
                confirmed_by=frozenset[Confirmation]().union(*(a.confirmed_by for a in answers)),
            )
    return SolverAnswer(SolverOutcome.NOTHING, bound=bound)


def _free(linear: Linear) -> SolverAnswer:
    """Return the cheapest bounds of columns without rows."""
    x = linear.cheapest
    if not np.isfinite(x).all():
        raise UnboundedError(
            Diagnostic("a column without limits lowers the cost for ever", fix="please report this case")
        )
    return SolverAnswer(SolverOutcome.OPTIMAL, x, linear.value(x), linear.value(x))
