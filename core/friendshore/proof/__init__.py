"""Is the plan as good as the run says? A lower bound on what any plan costs, proved from the facts in exact arithmetic.

The program is compiled anew from the facts. Solvers give hints alone: the multipliers of a bound by duality (`exact`), which leaves to look at
(`search`), and plans, which count once `verify` has derived them from the facts. So nothing has to be believed of a solver. That the
program holds every plan worth having, and costs it rightly, is believed of `friendshore.program`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ..domain.plan import Infeasible, PlanStatus
from ..program import Program, compile_program
from ..program.matrix import Floats, Ints
from ..solve import Cancel, Conflict, Progress, Solution, Watch, infeasible, plan_of
from ..solve.components import empty_rows
from ..solve.engine import Reached
from ..verify import VerifiedPlan, examine
from .claims import Aim, Proof, Shown, aims_of, any_plan, beaten, no_conflict, not_checked, told
from .search import ProofSearch

__all__ = ["SECONDS", "Proof", "aims_of", "beaten", "not_checked", "prove_optimality"]

SECONDS = 30.0
"""Time for a proof, if nothing else is asked."""
MOST_ENTRIES = 2_000_000
"""Coefficients of a program beyond which no proof is tried: as fractions they would take more than half a gigabyte."""


def prove_optimality(
    verified: VerifiedPlan,
    seconds: float | None = SECONDS,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Proof:
    """What can be proved of how good a plan is, beside what its run claims.

    Args:
        verified: a plan that holds.
        seconds: time for it; what is not proved by then is told as such. None: there is no such limit.
        progress: told how far it is.
        cancel: ends it once it is set.

    Raises:
        SolverError: if the cost of the program has no least value.
        PluginError: if a plugin's limit rule raises.
    """
    program = compile_program(verified.problem)
    if program.linear.entries.nnz > MOST_ENTRIES:
        return not_checked(
            f"the program has {program.linear.entries.nnz:,} coefficients, too many to prove anything of"
        )
    watch = Watch(seconds, cancel)
    if verified.plan.infeasible:
        return _conflict(verified, program, watch, progress)
    shown = []
    for aim in aims_of(verified, program):
        search = ProofSearch(aim, watch, progress)
        better = _better(verified, program, aim, search.best())
        shown.append(Shown(aim, search.bound, better))
        if better is not None or search.bound is None:
            break  # the objectives after it are about plans that keep it
    return told(shown, verified, late=watch.stopped())


def _better(verified: VerifiedPlan, program: Program, aim: Aim, x: Floats | None) -> VerifiedPlan | None:
    """A plan that holds and comes to less than the run says that any can, if `x` is one."""
    if x is None or float(aim.linear.cost @ x) + aim.linear.constant >= float(aim.claimed - aim.slack):
        return None
    found = _derived(verified, program, x)
    return found if found is not None and aim.is_beaten(found, verified) else None


def _derived(verified: VerifiedPlan, program: Program, x: Floats) -> VerifiedPlan | None:
    """The plan that `x` describes, derived from the facts; None where it does not hold."""
    cost = float(program.linear.cost @ x) + program.linear.constant
    levels = tuple(Reached(value, value, value) for value in (float(goal.cost @ x) for goal in program.goals))
    # The bound of this plan is not what is asked: that all but nothing is proved of it lets `examine` take it as it is.
    plan = plan_of(program, Solution(x, PlanStatus.FEASIBLE, cost, min(0.0, 2 * cost), (), 1, levels))
    return examine(verified.problem, plan)[0]


def _conflict(verified: VerifiedPlan, program: Program, watch: Watch, progress: Progress | None) -> Proof:
    """Whether rules conflict as the run says: each part proved by itself, as one that no plan keeps; refuted by a plan that keeps them all."""
    search = ProofSearch(any_plan(program), watch, progress)
    empty = list(_without_plan(program, search))
    named = verified.plan.infeasible
    excused = _excused(verified) <= {row for conflict in empty for row in _labels(program, conflict)}
    parts = [infeasible(program, conflict) for conflict in empty]
    proved = tuple(part for part in named if excused and any(_is_within(part, one) for one in parts))
    if len(proved) == len(named):
        told_so = not_checked("rules conflict, which is proved: what they leave unplanned has no cost to compare")
        return replace(told_so, conflicts=proved)
    x = search.best()
    if x is not None and _derived(verified, program, x) is not None:
        return no_conflict(verified)
    rules = ", ".join(dict.fromkeys(rule for part in named if part not in proved for rule in part.rules))
    return replace(not_checked(f"the run says that rules conflict ({rules}), which is not proved"), conflicts=proved)


def _without_plan(program: Program, search: ProofSearch) -> Iterator[Conflict]:
    """The parts of a program that no plan keeps, each with all rules that have a row in it."""
    for part, tree in zip(search.parts, search.trees, strict=True):
        if tree.empty:
            yield Conflict(part.columns, _rules(program, part.rows), tuple(part.rows.tolist()))
    for row in empty_rows(program.linear):
        yield Conflict(np.array([], dtype=np.intp), _rules(program, np.array([row])), (int(row),))


def _excused(verified: VerifiedPlan) -> set[tuple[str, str]]:
    """The rows of limit rules that the plan misses, since rules conflict: rule and label."""
    return {
        (one.rule.id, one.row.label)
        for one in verified.readings
        if one.unplanned and one.row.penalty is None and one.miss > one.tolerance
    }


def _labels(program: Program, conflict: Conflict) -> Iterator[tuple[str, str]]:
    """The rows of limit rules in a part of a program: rule and label."""
    within = set(conflict.rows)
    for position, (rule, row) in zip(program.limits.program_rows, program.limits.rows, strict=True):
        if position in within:
            yield rule.id, row.label


def _rules(program: Program, rows: Ints) -> tuple[str, ...]:
    return tuple({owner.removeprefix("rule ") for owner in program.owners_of(rows)})


def _is_within(named: Infeasible, empty: Infeasible) -> bool:
    """Whether a conflict that a plan names is of a part that no plan keeps: nothing else is left unplanned in its name."""
    return (
        set(named.materials) <= set(empty.materials)
        and set(named.demands) <= set(empty.demands)
        and set(named.rules) <= set(empty.rules)
    )
