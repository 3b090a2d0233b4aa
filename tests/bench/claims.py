"""Claims of optimality, checked: random programs with integer variables, solved again from scratch by SCIP and by HiGHS.

uv run python -m tests.bench.claims --count 100 --seconds 60

Each program is one that friendshore claims to have solved. The other two get it as compiled: without our reductions, our starting plan, or our tolerances.
A claim is false if either finds a plan that is cheaper by more than both gaps. A solver that isn't done in time checks nothing unless it finds such a plan.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np

import friendshore
from friendshore.domain.case import Case
from friendshore.domain.facts import Catalog
from friendshore.problem import build_problem
from friendshore.program import compile_program
from friendshore.program.matrix import Linear
from friendshore.recommend import gather
from friendshore.rules.base import Rule
from friendshore.rules.kinds.limits import Budget, MaxSuppliers, MinSuppliers
from friendshore.solve import Limits, Solution, solve
from friendshore.solve.engine import Ask, Engine
from friendshore.solve.engines import solve_with_highs, solve_with_scip

from ..building import case, catalog, demand, facility, hard_case, rule, schedule, source, store, tier
from .answer import cpu_seconds
from .published.as_case import write
from .published.neutral import Location, Lots, Problem

GAP = 1e-6
ROUNDING = 1e-6
"""Share of the cost that two solvers' tolerances may differ by."""

Facts = tuple[Case, Sequence[Catalog], Sequence[Rule]]


def single_source(dice: Random) -> Facts:
    sites, customers = dice.randrange(10, 21), dice.randrange(20, 46)
    rng = np.random.default_rng(dice.randrange(2**32))
    demands = rng.integers(5, 51, customers).astype(np.float64)
    capacity = np.round(demands.sum() / (0.3 * sites) * rng.uniform(0.7, 1.3, sites))
    cost = np.round(rng.uniform(5, 100, (sites, customers)), 0)
    fixed = np.round(rng.uniform(200, 800, sites))
    return _read(Location("drawn", "drawn", None, fixed, capacity, demands, cost, single=True))


def lots(dice: Random) -> Facts:
    """Return a lot-sizing problem of several products on one machine."""
    products, periods = dice.randrange(5, 10), dice.randrange(10, 16)
    rng = np.random.default_rng(dice.randrange(2**32))
    demands = rng.integers(0, 120, (products, periods)).astype(np.float64)
    setup_use = rng.integers(5, 30, products).astype(np.float64)
    setup = rng.integers(100, 800, products).astype(np.float64)
    holding = rng.integers(1, 5, products).astype(np.float64)
    capacity = float(np.ceil(1.1 * (demands.sum() / periods + setup_use.sum() * 0.6)))
    return _read(Lots("drawn", "drawn", None, demands, setup, setup_use, holding, capacity))


def counts(dice: Random) -> Facts:
    """Return orders of all or nothing, with counts of suppliers."""
    base_case, facts = hard_case(dice.randrange(10, 17), dice.randrange(2, 4), dice.randrange(10**6))
    rules = [rule(MaxSuppliers, count=dice.randrange(5, 9)), rule(MinSuppliers, count=dice.randrange(2, 4))]
    return base_case, (facts,), rules


def tiers(dice: Random) -> Facts:
    """Return suppliers whose price falls with the size of the order."""
    periods, suppliers = dice.randrange(6, 13), dice.randrange(6, 13)
    sites = [facility(f"p{i:02}", "AU", 40 * periods + dice.randrange(200)) for i in range(suppliers)]
    offers = [source("AU", 60 + dice.randrange(30), name=f"p{i:02}-metal", plant=f"p{i:02}") for i in range(suppliers)]
    schedules = []
    for offer in offers:
        price = 60 + dice.randrange(30)
        first, second = 10 + dice.randrange(20), 40 + dice.randrange(30)
        lower_tiers = tier(first, price - dice.randrange(4, 12)), tier(second, price - dice.randrange(12, 25))
        schedules.append(schedule(offer.id, tier(0, price), *lower_tiers))
    demands = demand("metal", "civil", *(30 + dice.randrange(60) for _ in range(periods)))
    return case(demands, stores=[store("metal", 1, limit=80)]), (catalog(*sites, *offers, *schedules),), ()


def budgets(dice: Random) -> Facts:
    """Return orders of all or nothing under a budget."""
    base_case, facts = hard_case(dice.randrange(9, 14), dice.randrange(2, 4), dice.randrange(10**6))
    return base_case, (facts,), [rule(Budget, amount=dice.randrange(30_000, 120_000), per="period")]


FAMILIES: dict[str, Callable[[Random], Facts]] = {
    "single source": single_source, "counts": counts, "lots": lots, "tiers": tiers, "budgets": budgets,
}  # fmt: skip
OTHERS: dict[str, Engine] = {"SCIP": solve_with_scip, "HiGHS": solve_with_highs}


def _read(problem: Problem) -> Facts:
    with tempfile.TemporaryDirectory() as folder:
        write(problem, Path(folder))
        gathered = gather(friendshore.load_case(folder))
    return gathered.case, gathered.catalogs, gathered.rules


@dataclass(frozen=True, slots=True)
class Check:
    """One program, solved by friendshore and by others."""

    seconds: float
    """CPU seconds of friendshore's own solve."""
    solution: Solution
    others: dict[str, tuple[float, float, float]]
    """Cost, bound, and CPU seconds by solver."""

    @property
    def refuted_by(self) -> list[str]:
        """Solvers that found a cheaper plan than one that is called optimal."""
        least = self.solution.objective - (GAP + ROUNDING) * max(1.0, abs(self.solution.objective))
        claimed = self.solution.status == "optimal"
        return [name for name, (cost, _, _) in self.others.items() if claimed and cost < least]

    @property
    def confirmed_by(self) -> list[str]:
        """Solvers whose own bound is as high as the claimed optimum."""
        most = self.solution.objective - (2 * GAP + ROUNDING) * max(1.0, abs(self.solution.objective))
        return [name for name, (_, bound, _) in self.others.items() if bound >= most]


def checked(facts: Facts, seconds: float) -> Check:
    """Solve one program with friendshore and the other solvers."""
    program = compile_program(build_problem(*facts))
    began = cpu_seconds()
    solution = solve(program, Limits(gap=GAP, seconds=seconds))
    spent = cpu_seconds() - began
    return Check(spent, solution, {name: _other(engine, program.linear, seconds) for name, engine in OTHERS.items()})


def _other(engine: Engine, linear: Linear, seconds: float) -> tuple[float, float, float]:
    began = cpu_seconds()
    answer = engine(linear, Ask(seconds, GAP, path=7))
    return answer.objective, answer.bound, cpu_seconds() - began


def main() -> None:
    """Draw programs, and print a line for each and a summary."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.claims", description=__doc__)
    add = parser.add_argument
    add("--count", type=int, default=20, help="programs to solve")
    add("--seconds", type=float, default=60.0, help="time limit of each search")
    add("--least", type=float, default=0.0, help="leave out programs that friendshore solves in fewer CPU seconds")
    add("--seed", type=int, default=1)
    add("--only", default="", help="one family of programs")
    options = parser.parse_args()
    families = [name for name in FAMILIES if options.only in name]
    tally, number = Counter[str](), 0
    while tally["programs"] < options.count:
        name = families[number % len(families)]
        check = checked(FAMILIES[name](Random(f"{options.seed} {number}")), options.seconds)
        number += 1
        if check.seconds < options.least:
            tally["left out as too quick"] += 1
            continue
        status, cost = check.solution.status.value, check.solution.objective
        tally.update(["programs", status])
        tally["false claims"] += bool(check.refuted_by)
        tally["optimal, and another solver proves it"] += bool(check.confirmed_by)
        _say(f"{number - 1:4} {name:14} {status:12} {cost:16,.4f} {check.seconds:6.1f} s", check)
    sys.stdout.write(", ".join(f"{label}: {count}" for label, count in tally.items()) + "\n")


def _say(line: str, check: Check) -> None:
    by = "+".join(check.solution.confirmed_by) or "-"
    others = "  ".join(f"{name} {cost:,.4f} {spent:.1f} s" for name, (cost, _, spent) in check.others.items())
    verdict = f"FALSE: {', '.join(check.refuted_by)}" if check.refuted_by else ""
    sys.stdout.write(f"{line}  confirmed by {by}  {others}  {verdict}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
