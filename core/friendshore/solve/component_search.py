"""Search for the cheapest plan of a component, and the division of a time limit among several, so that none is left without a plan.

With a time limit, each search first gets a short turn, the smallest search first. The rest goes, turn by turn, to the search whose gap costs most per
second of its next turn, or that has no plan. While no more searches are open than there are workers, each gets all the time that is left.

An engine starts from scratch in every turn, so each turn of a search lasts at least twice as long as the one before. A linear program has no plan until
it is solved, so its first turn is its equal share of the time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from math import inf
from threading import Lock, current_thread, main_thread

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
    LinkedSolution,
    LinkingMethod,
    SolverAnswer,
    SolverOutcome,
    UnboundedError,
    Watch,
    cheapest,
    is_open,
    worst_outcome,
)
from .engines import ENGINES
from .first_plan import LARGE, any_plan, lp_seconds, plan_with_choices
from .forcing import column_steps
from .lagrangian import MANY_CHOICES, LagrangianPricing, LinkedProgram, linked_program, shared_capacity_program
from .mip import branch_and_bound, solve_mip
from .scaling import Scale, scaled, with_money_unit
from .shared import SharedCapacitySearch

# First turn of a search, as a share of its equal part of the time.
FIRST_TURN = 1 / 8
# Seconds of the shortest turn. Hardly any search finds a plan in less.
SHORTEST_TURN = 0.2
TURN_GROWTH = 2.0
# Relative gap of a plan that a much better one usually follows soon, so that the next turn can be short.
POOR_GAP = 0.05


@dataclass(slots=True, eq=False)
class ResumableSearch:
    """Search of one of several programs that share a time limit."""

    linear: Linear
    search: Callable[[Watch, SolverAnswer], SolverAnswer]
    goals: Sequence[Goal] = ()
    answer: SolverAnswer = NOTHING
    done: bool = False
    """True if more time wouldn't change the answer, or if there is none."""
    seconds: float = 0.0
    """Length of the last turn. 0 before the first one."""
    _key: bytes = b""

    def resume(self, watch: Watch, cache: AnswerCache | None) -> None:
        if cache is not None and not self._key:
            self._key = digest(self.linear, self.goals)
            cached_answer = cache.find(self._key)
            if cached_answer is not None:
                self.answer, self.done = cached_answer, True
                return
        seconds = watch.seconds_left()
        answer = self.search(watch, hint(self.answer))
        self.answer = better_answer(self.answer, answer)
        seconds_left = watch.seconds_left()
        # Engines measure time in their own way. One that uses less than half of it gave up by itself, and would again.
        gave_up = seconds is None or seconds_left is None or seconds_left > seconds / 2
        if answer.outcome in (SolverOutcome.OPTIMAL, SolverOutcome.INFEASIBLE) or (gave_up and not watch.stopped()):
            self.end(cache)

    def end(self, cache: AnswerCache | None) -> None:
        self.done = True
        if cache is not None:
            cache.keep(self._key, self.answer)

    def next_seconds(self, share: float) -> float:
        if not self.seconds:
            return max(SHORTEST_TURN, share * FIRST_TURN if self.linear.integer.any() else share)
        next_turn, poor_gap = TURN_GROWTH * self.seconds, POOR_GAP * abs(self.answer.objective)
        return next_turn if self.answer.x is None or self.gap() > poor_gap else max(next_turn, share)

    def gap(self) -> float:
        """Return the amount by which the plan may be too expensive. With ranked objectives: the largest relative gap of a level, times the cost."""
        answer = self.answer
        if answer.x is None:
            return inf
        if not answer.levels:
            return answer.objective - answer.bound
        gaps = [(level.least - level.bound) / abs(level.least) if level.least else 0.0 for level in answer.levels]
        return max(gaps) * max(1.0, abs(answer.objective))


def in_turns(
    searches: Sequence[ResumableSearch],
    watch: Watch,
    workers: int,
    cache: AnswerCache | None = None,
    on_turn: Callable[[], None] = lambda: None,
) -> list[SolverAnswer]:
    _TimeSharing(searches, watch, workers, cache).run(on_turn)
    return [search.answer for search in searches]


class _TimeSharing:
    def __init__(
        self, searches: Sequence[ResumableSearch], watch: Watch, workers: int, cache: AnswerCache | None
    ) -> None:
        self.watch, self.workers, self.cache = watch, workers, cache
        # Largest first ends soonest. With a time limit, smallest first leaves most of it to the large ones.
        order = sorted(searches, key=lambda search: len(search.linear.cost), reverse=watch.seconds_left() is None)
        self.queue = deque(search for search in order if not search.done)
        self.open = len(self.queue)
        self.lock = Lock()

    def run(self, on_turn: Callable[[], None]) -> None:
        if len(self.queue) == 1 and current_thread() is not main_thread():
            # Only the main thread has to stay free, to respond to Ctrl-C.
            (only_search,) = self.queue
            self._turn(only_search)
            while not only_search.done and not self.watch.stopped():
                self._turn(only_search)
            on_turn()
            return
        waiting: list[ResumableSearch] = []
        running = len(self.queue)
        with ThreadPoolExecutor(self.workers) as pool:
            for search, future in run_tasks(pool, self._turn, self.queue, on_idle=on_turn):
                future.result()
                running -= 1
                if not search.done:
                    waiting.append(search)
                if waiting and running < self.workers and not self.watch.stopped():
                    best_search = min(waiting, key=self._rank)
                    waiting.remove(best_search)
                    self.queue.append(best_search)
                    running += 1
                on_turn()

    def _turn(self, search: ResumableSearch) -> None:
        search.resume(self._watch(search), self.cache)
        if search.done:
            with self.lock:
                self.open -= 1

    def _watch(self, search: ResumableSearch) -> Watch:
        seconds = self.watch.seconds_left()
        if seconds is None or self.open <= self.workers:
            return self.watch
        search.seconds = search.next_seconds(self._share(seconds))
        return self.watch.within(search.seconds)

    def _rank(self, search: ResumableSearch) -> tuple[float, float]:
        """Return a number that is lower the more a turn may save per second, and the length of the turn for equal numbers."""
        seconds = search.next_seconds(self._share(self.watch.seconds_left() or 0.0))
        return -search.gap() / seconds if seconds else -inf, seconds

    def _share(self, seconds: float) -> float:
        return seconds * self.workers / max(1, self.open)


def hint(answer: SolverAnswer) -> SolverAnswer:
    """Return the plan of an answer as a starting point. Its bound is omitted, since a search that a limit ended doesn't prove it."""
    return NOTHING if answer.x is None else SolverAnswer(SolverOutcome.FEASIBLE, answer.x, answer.objective)


def better_answer(before: SolverAnswer, after: SolverAnswer) -> SolverAnswer:
    if after.outcome in (SolverOutcome.OPTIMAL, SolverOutcome.INFEASIBLE):
        return before if after.x is None and before.x is not None else after
    best = after if before.x is None else min(before, after, key=_value)
    if best.levels:  # the bound of a level is valid only for plans that are as good on the levels before it
        return best
    # A plan refutes any bound above it.
    bounds = [answer.bound for answer in (before, after) if not is_open(answer.bound, best.objective)]
    return replace(best, bound=min(max(bounds, default=-inf), best.objective))


def _value(answer: SolverAnswer) -> tuple[list[float], bool]:
    return [level.least for level in answer.levels] or [answer.objective], answer.outcome is SolverOutcome.FEASIBLE


class Search:
    """Settings and cached answers that all components of one solve share."""

    def __init__(
        self,
        watch: Watch,
        gap: float,
        workers: int = 1,
        answer_cache: AnswerCache | None = None,
        engines: Engines = ENGINES,
    ) -> None:
        self.watch = watch
        self.gap = gap
        self.workers = workers
        self.engines = replace(engines, stopped=watch.cancelled)
        self.answer_cache = AnswerCache() if answer_cache is None else answer_cache

    def with_watch(self, watch: Watch) -> Search:
        return self if watch is self.watch else Search(watch, self.gap, self.workers, self.answer_cache, self.engines)

    def solve_component(
        self, linear: Linear, known: SolverAnswer = NOTHING, start: Floats | None = None
    ) -> SolverAnswer:
        """Return the best answer for a component within the limits. `start` is a plan of a similar program. Raises `UnboundedError`."""
        if self.watch.stopped():
            return known
        nearby = self._near_start(linear, start) if start is not None and known.x is None else None
        if nearby is not None:
            return nearby
        if (linked := linked_program(linear)) is not None:
            answer = self._solve_linked(linked, known, start)
        elif (sharing := shared_capacity_program(linear)) is not None:
            answer = self.solve_shared_capacities(sharing, known)
        else:
            answer = self.solve_as_one(linear, known, start=start)
        needs_any_plan = (
            answer.outcome is SolverOutcome.NOTHING and known.x is None and self.watch.seconds_left() is not None
        )
        return self._any_plan(linear, answer.bound) if needs_any_plan and linear.integer.any() else answer

    def _near_start(self, linear: Linear, start: Floats) -> SolverAnswer | None:
        """Return the optimum by branching from the choices of a similar plan. None if the program is large or the choices are too different."""
        if not 0 < np.count_nonzero(linear.integer) < MANY_CHOICES or linear.entries.nnz > LARGE:
            return None
        scaled_program, scale = scaled(linear)
        answer = branch_and_bound(scaled_program, scaled_program, NOTHING, self.gap, self.engines, self.watch, start)
        return None if answer is None else _unscaled(answer, linear, scale)

    def _any_plan(self, linear: Linear, bound: float) -> SolverAnswer:
        """Return some plan. If rules require purchases, one component without a plan leaves all of them without one."""
        scaled_program, scale = scaled(linear)
        answer = _unscaled(any_plan(scaled_program, self.engines, self.watch), linear, scale)
        return replace(answer, bound=min(bound, answer.objective))

    def solve_as_one(
        self,
        linear: Linear,
        known: SolverAnswer = NOTHING,
        confirm: bool = True,
        start: Floats | None = None,
        relaxed: SolverAnswer | None = None,
        branch: bool = False,
    ) -> SolverAnswer:
        """Return the best answer for a program. Without `confirm`, there is no second opinion. `relaxed` is the answer of its scaled linear relaxation, if known."""
        if not linear.entries.shape[0]:
            return _unconstrained_answer(linear)
        if len(linear.cost) == 1 and self.engines.simplex == ENGINES.simplex:  # a custom engine must be called
            only_column = _single_column_answer(linear)
            if only_column is not None:
                return only_column
        scaled_program, scale = scaled(linear)
        if not linear.integer.any():
            answer = NOTHING if self.watch.stopped() else self.engines.linear(scaled_program, self.watch.seconds_left())
            return _unscaled(answer, linear, scale)

        def search(program: Linear, scale: Scale, known: SolverAnswer) -> SolverAnswer:
            x = None if known.x is None else known.x / scale.columns
            answer = solve_mip(
                program,
                self.engines,
                self.watch,
                self.gap,
                replace(known, x=x, objective=known.objective / scale.money, bound=known.bound / scale.money),
                cache(lambda: column_steps(linear) / scale.columns),  # called again if prices are not enough
                scale.rows,
                confirm,
                start,
                relaxed,
                branch,
            )
            return _unscaled(answer, linear, scale)

        answer = search(scaled_program, scale, known)
        if answer.outcome is SolverOutcome.OPTIMAL and is_open(answer.objective, answer.bound):
            # Next to the largest costs, the plan's own is below the absolute tolerances of the engines.
            return search(*with_money_unit(scaled_program, scale, abs(answer.objective)), hint(answer))
        return answer

    def solve_with_choices(self, linear: Linear, start: Floats | None) -> SolverAnswer:
        if start is None or not linear.integer.any() or not linear.entries.shape[0]:
            return self.solve_as_one(linear)
        scaled_program, scale = scaled(linear)
        return _unscaled(plan_with_choices(scaled_program, start, self.engines, self.watch), linear, scale)

    def solve_exactly(self, linear: Linear) -> SolverAnswer:
        scaled_program, scale = scaled(linear)
        return _unscaled(self.engines.linear(scaled_program), linear, scale)

    def solve_several(self, programs: Sequence[Linear], gap: float | None = None) -> list[SolverAnswer]:
        """Return the answers of independent programs. With a time limit, use half of the time left, so that others can follow."""
        search = self if gap is None else Search(self.watch, gap, self.workers, self.answer_cache, self.engines)
        searches = [search.resumable(program, confirm=False) for program in programs]
        return in_turns(searches, self.watch.share(0.5), self.workers)

    def resumable(self, linear: Linear, confirm: bool = True) -> ResumableSearch:
        return ResumableSearch(linear, lambda watch, known: self.with_watch(watch).solve_as_one(linear, known, confirm))

    def opinions(self, programs: Sequence[Linear], gap: float | None = None) -> list[SolverAnswer]:
        with ThreadPoolExecutor(self.workers) as pool:
            return list(pool.map(partial(self._opinion, gap=self.gap if gap is None else gap), programs))

    def _opinion(self, linear: Linear, gap: float) -> SolverAnswer:
        if not linear.integer.any() or not linear.entries.shape[0]:
            return self.solve_as_one(linear)
        scaled_program, scale = scaled(linear)
        best = NOTHING
        for opinion in self.engines.opinions(scaled_program, self.watch, gap):
            answer = opinion()
            best = max(best, _unscaled(answer, linear, scale), key=lambda answer: answer.bound)
            if answer.outcome is SolverOutcome.OPTIMAL:
                break
        return best

    def _solve_linked(self, linked: LinkedProgram, known: SolverAnswer, start: Floats | None = None) -> SolverAnswer:
        """Solve without the linking constraints, then with prices, then all as one. With a time limit, each step gets half of the time left."""
        linear = linked.linear
        if 0 < np.count_nonzero(linear.integer) < MANY_CHOICES:
            relaxed = self._relaxed(linear)
            if _binds(linked, relaxed):
                answer = self.solve_as_one(linear, known, start=start, relaxed=relaxed, branch=True)
                return replace(answer, joined=_linked_solution(linked, LinkingMethod.JOINT))
        parts = [self.resumable(part.linear) for part in linked.parts]
        answers = in_turns(parts, self.watch.share(0.5), self.workers, self.answer_cache)
        if any(answer.outcome is SolverOutcome.INFEASIBLE for answer in answers):
            return SolverAnswer(SolverOutcome.INFEASIBLE)
        if any(answer.outcome is SolverOutcome.BROKEN for answer in answers):
            return replace(
                self.solve_as_one(linear, known, start=start), joined=_linked_solution(linked, LinkingMethod.JOINT)
            )
        combined = _combined_answer(linked, answers)
        if combined.x is not None and not all(part.done for part in parts) and not self.watch.stopped():
            combined = better_answer(
                combined, _combined_answer(linked, in_turns(parts, self.watch, self.workers, self.answer_cache))
            )
        plans = [answer.x for answer in answers if answer.x is not None]
        has_all_plans = len(plans) == len(answers)
        if combined.x is not None or (self.watch.stopped() and not has_all_plans):
            return combined
        if not linear.integer.any():
            return replace(
                self.solve_large(linear, combined.bound), joined=_linked_solution(linked, LinkingMethod.JOINT)
            )
        if not has_all_plans or np.count_nonzero(linear.integer) < MANY_CHOICES:
            return replace(
                self.solve_as_one(linear, known, start=start), joined=_linked_solution(linked, LinkingMethod.JOINT)
            )
        watch = self.watch.share(0.5)
        priced = LagrangianPricing(linked, plans, self.with_watch(watch), combined.bound).run()
        if watch.stopped() or worst_outcome(answers) is not SolverOutcome.OPTIMAL:  # nothing confirms the bound
            answer = better_answer(priced, self.solve_as_one(linear, hint(better_answer(known, priced))))
            return replace(answer, joined=_linked_solution(linked, LinkingMethod.JOINT))
        if priced.x is not None and priced.objective - priced.bound <= self.gap * abs(priced.objective):
            return replace(
                priced,
                outcome=SolverOutcome.OPTIMAL,
                joined=_linked_solution(linked, LinkingMethod.PRICED),
                confirmed_by=frozenset({Confirmation.SECOND_SOLVER}),
            )
        return replace(self.solve_as_one(linear, priced), joined=_linked_solution(linked, LinkingMethod.JOINT))

    def _relaxed(self, linear: Linear) -> SolverAnswer:
        scaled_program, _ = scaled(linear)
        if scaled_program.entries.nnz > LARGE:
            return NOTHING
        return self.engines.linear(continuous(scaled_program), lp_seconds(self.watch, 0.5))

    def solve_shared_capacities(self, linked: LinkedProgram, known: SolverAnswer = NOTHING) -> SolverAnswer:
        search = SharedCapacitySearch(linked, self)
        answer = _unscaled(search.run(), linked.linear, search.scale)
        if answer.outcome in (SolverOutcome.OPTIMAL, SolverOutcome.INFEASIBLE):
            return answer
        best = cheapest(answer, known)
        answer = self.solve_as_one(linked.linear, replace(best, bound=max(answer.bound, known.bound)))
        claimed = SolverAnswer(SolverOutcome.NOTHING, bound=search.unconfirmed_bound * search.scale.money)
        return better_answer(claimed, answer)

    def solve_large(self, linear: Linear, bound: float) -> SolverAnswer:
        """Return the best answer for a linear program of many parts, for which HiGHS takes a tenth of the time of GLOP."""
        if self.watch.stopped():
            return SolverAnswer(SolverOutcome.NOTHING, bound=bound)
        scaled_program, scale = scaled(linear)
        answer = _unscaled(self.engines.search(scaled_program, Ask(self.watch.seconds_left(), self.gap)), linear, scale)
        if answer.outcome is SolverOutcome.BROKEN:
            answer = self.solve_as_one(linear)
        return replace(answer, bound=min(max(bound, answer.bound), answer.objective))


def _unscaled(answer: SolverAnswer, linear: Linear, scale: Scale) -> SolverAnswer:
    bound = answer.bound * scale.money
    if answer.x is None:
        return replace(answer, bound=bound)
    x = np.clip(answer.x * scale.columns, linear.lower, linear.upper)
    duals = None if answer.duals is None else scale.duals(answer.duals)
    return replace(answer, x=x, objective=linear.value(x), bound=bound, duals=duals)


def _binds(linked: LinkedProgram, relaxed: SolverAnswer) -> bool:
    """Return True if linking constraints bind in the linear relaxation. The cheapest plans of the parts then rarely satisfy them."""
    return relaxed.duals is not None and bool(np.abs(relaxed.duals[linked.rows]).max(initial=0.0) > 0)


def _linked_solution(linked: LinkedProgram, method: LinkingMethod) -> LinkedSolution:
    return LinkedSolution(linked.rows, len(linked.parts), method)


def _combined_answer(linked: LinkedProgram, answers: Sequence[SolverAnswer]) -> SolverAnswer:
    linear, loose_values = linked.linear, linked.linear.cheapest[linked.loose]
    bound = sum(answer.bound for answer in answers) + float(linear.cost[linked.loose] @ loose_values)
    plans = [answer.x for answer in answers if answer.x is not None]
    if len(plans) == len(answers) and np.isfinite(loose_values).all():
        x = linked.spread(plans, loose_values)
        if linked.satisfies_links(x):
            return SolverAnswer(
                worst_outcome(answers),
                x,
                float(linear.cost @ x),
                bound,
                joined=_linked_solution(linked, LinkingMethod.LEFT_OUT),
                confirmed_by=frozenset[Confirmation]().union(*(answer.confirmed_by for answer in answers)),
            )
    return SolverAnswer(SolverOutcome.NOTHING, bound=bound)


def _unconstrained_answer(linear: Linear) -> SolverAnswer:
    x = linear.cheapest
    if not np.isfinite(x).all():
        raise UnboundedError(Diagnostic("the cost can fall without limit", fix="report this case", code="FS703"))
    return SolverAnswer(SolverOutcome.OPTIMAL, x, linear.value(x), linear.value(x))


def _single_column_answer(linear: Linear) -> SolverAnswer | None:
    """Return the optimum of a program with one continuous column. None if an engine must decide whether there is one.

    Shortages that nothing can serve are such programs. A plan has many, and an engine takes a millisecond for each.
    """
    values, bounds = linear.entries.data, np.stack([linear.row_lower, linear.row_upper])
    if linear.integer[0] or len(values) != len(linear.row_lower) or not values.all():
        return None
    limits = np.sort(bounds / values, axis=0)
    lower, upper = max(linear.lower[0], limits[0].max()), min(linear.upper[0], limits[1].min())
    if linear.cost[0] < 0:
        x, own_bound, row = upper, linear.upper[0], int(np.argmin(limits[1]))
    else:
        x, own_bound, row = lower, linear.lower[0], int(np.argmax(limits[0]))
    if lower > upper or not np.isfinite(x):
        return None
    duals = np.zeros(len(values))
    if x != own_bound:
        duals[row] = linear.cost[0] / values[row]
    plan = np.array([x])
    return SolverAnswer(SolverOutcome.OPTIMAL, plan, linear.value(plan), linear.value(plan), duals)
