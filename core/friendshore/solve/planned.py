"""From a solution to the plan that it describes, with what cannot be planned named."""

from __future__ import annotations

from ..domain.base import exact
from ..domain.plan import Infeasible, Plan, PlanLevel, PlanStatus
from ..problem.parts import materials_of
from ..program import Program
from ..program.decode import decode
from .run import Conflict, Solution


def plan_of(program: Program, solution: Solution) -> Plan:
    """The plan that a solution describes."""
    conflicts = [infeasible(program, conflict) for conflict in solution.conflicts]
    plan = decode(program, solution.x, solution.status, solution.objective, solution.bound, conflicts)
    levels = [PlanLevel(least=exact(n.least), bound=exact(n.bound), most=exact(n.most)) for n in solution.levels]
    confirmed_by = solution.confirmed_by if solution.status is PlanStatus.OPTIMAL else ()
    return plan.but(levels=tuple(levels), confirmed_by=confirmed_by)


def infeasible(program: Program, conflict: Conflict) -> Infeasible:
    """A part of a program in which rules conflict, by what it plans: its materials and demands."""
    problem, columns = program.problem, program.columns
    within = set(conflict.columns.tolist())
    materials = {
        problem.network.arcs[int(problem.moves.arc[move])].node[0]
        for column, move in zip(columns.buy.tolist(), columns.buy_move.tolist(), strict=True)
        if column in within
    }
    count = problem.case.horizon.count
    short = {d for d in range(len(problem.demands)) for t in range(count) if columns.short + d * count + t in within}
    materials |= {problem.demands[d].use.material.id for d in short}
    materials |= {problem.lots[lot].material for lot, column in columns.rest.items() if column in within}
    by_row = dict(zip(program.limits.program_rows, program.limits.rows, strict=True))
    for row in by_row.keys() & set(conflict.rows):
        materials |= materials_of(problem, by_row[row][1]) | (by_row[row][1].reads or set())
    return Infeasible(
        materials=tuple(sorted(materials)),
        demands=tuple(problem.demands[d].id for d in sorted(short)),
        rules=conflict.owners,
    )
