"""Published two-stage problems, solved and told with the time they take: those too long for a test, or whose data lie elsewhere.

cd plugins/friendshore-risk
uv run --group bench python -m tests.published cap41 100 1-10 --raw     # CVaR of the worst tenth; beside HiGHS alone on the same program
uv run python -m tests.published cap41 500 1 --weight 0                 # expected cost, decomposed
uv run python -m tests.published --whole cap41 500 1 --weight 0         # the same as one program
uv run python -m tests.published smps lands.cor lands.tim lands.sto     # expected cost of a problem in SMPS files
uv run python -m tests.published sampled lands.cor lands.tim lands.sto 225.6294   # how often 95% intervals hold the least cost
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from friendshore.program.matrix import Linear
from friendshore.solve import Limits
from friendshore_risk.twostage import RecourseProgram, RiskMeasure, gap_interval, solve_recourse, solver_within, solving
from friendshore_risk.twostage.program import extensive_form

from . import smps
from .test_published_recourse import cap41

GAP = 1e-4
"""To which published results of mixed-integer problems were found."""


@contextmanager
def timed() -> Iterator[list[str]]:
    """Seconds by the clock and by the processor, of this process and those that it started, added to what is told, and the most memory of either so far."""
    told: list[str] = []
    began, used = time.monotonic(), _used()
    yield told
    most = sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) // 1024
    took = f"{time.monotonic() - began:.1f} s, processor {_used() - used:.1f} s, {most:,} MB\n"
    sys.stdout.write(" ".join([*told, took]))
    sys.stdout.flush()


def _used() -> float:
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in both)


def warehouses(count: int, seeds: Sequence[int], measure: RiskMeasure, seconds: float, *, raw: bool) -> None:
    """So many demands, for each seed; with `raw`, by HiGHS alone too, on the same extensive form."""
    for seed in seeds:
        program = cap41(count, seed)
        with timed() as told:
            limits = Limits(gap=GAP, seconds=seconds, workers=1)
            answer = solve_recourse(program, measure, solver_within(limits), GAP)
            gap = (answer.objective - answer.bound) / answer.objective
            told.append(f"cap41, {count:,} demands, seed {seed}: {answer.objective:,.6f}, gap {gap:.1e},")
        if raw:
            with timed() as told:
                told.append(f"    HiGHS alone: {_alone(extensive_form(program, measure).linear, seconds):,.6f},")


def _alone(linear: Linear, seconds: float) -> float:
    """The objective that HiGHS finds without anything of ours."""
    import highspy

    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = len(linear.cost), linear.entries.shape[0]
    model.col_cost_, model.col_lower_, model.col_upper_ = linear.cost, linear.lower, linear.upper
    model.row_lower_, model.row_upper_ = linear.row_lower, linear.row_upper
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_, model.a_matrix_.index_ = linear.entries.indptr, linear.entries.indices
    model.a_matrix_.value_ = linear.entries.data
    kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    model.integrality_ = [kinds[int(whole)] for whole in linear.integer]
    engine = highspy.Highs()
    options = {"log_to_console": False, "output_flag": False, "threads": 1, "mip_rel_gap": GAP, "time_limit": seconds}
    for name, value in options.items():
        engine.setOptionValue(name, value)
    engine.passModel(model)
    engine.run()
    return float(engine.getInfoValue("objective_function_value")[1])


def _read(core: Path, times: Path, outcomes: Path) -> tuple[smps.Read, Sequence[Sequence[smps.Outcome]]]:
    read = smps.Read(core.read_text("latin-1"), times.read_text("latin-1"))
    return read, smps.read_outcomes(outcomes.read_text("latin-1"), read.core)


def expected(core: Path, times: Path, outcomes: Path, seconds: float) -> None:
    """The least expected cost over all outcomes."""
    read, elements = _read(core, times, outcomes)
    program = read.program(smps.every(elements))
    with timed() as told:
        limits = Limits(gap=GAP if program.first.integer.any() else 1e-6, seconds=seconds, workers=1)
        answer = solve_recourse(program, RiskMeasure(), solver_within(limits, separately=False))
        if answer is None:
            told.append(f"{core.stem}: nothing was found,")
            return
        told.append(
            f"{core.stem}, {len(program.stages):,} outcomes: {answer.objective:,.9g}, bound {answer.bound:,.9g},"
        )


def sampled(core: Path, times: Path, outcomes: Path, truth: float, repeats: int) -> None:
    """Of so many plans for a hundred outcomes drawn by lot, how many of their 95% intervals, from ten samples of fifty others, hold the least cost of all."""
    read, elements = _read(core, times, outcomes)
    solver = solver_within(separately=False)

    def drawn(dice: np.random.Generator, count: int) -> RecourseProgram:
        some = []
        for _ in range(count):
            changes: dict[tuple[str, str], float] = {}
            for element in elements:
                chances = np.cumsum([chance for chance, _ in element])
                changes |= element[int(np.searchsorted(chances, dice.random() * chances[-1], "right"))][1]
            some.append((1 / count, changes))
        return read.program(some)

    with timed() as told:
        held = 0
        for seed in range(repeats):
            dice = np.random.default_rng(seed)
            plan = solve_recourse(drawn(dice, 100), RiskMeasure(), solver)
            interval = gap_interval(plan.x, [drawn(dice, 50) for _ in range(10)], RiskMeasure(), solver)
            held += interval.low <= truth <= interval.high
        told.append(f"{core.stem}: {held} of {repeats} intervals hold {truth:,},")


def main() -> None:
    """Reads what is typed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--whole", action="store_true", help="as one program, whatever its size")
    kinds = parser.add_subparsers(dest="kind", required=True)
    one = kinds.add_parser("cap41")
    one.add_argument("count", type=int)
    one.add_argument("seeds")
    one.add_argument("--raw", action="store_true")
    share = "of CVaR of the worst tenth; the rest is that of expected cost"
    one.add_argument("--weight", type=float, default=1.0, help=share)
    for name in ("smps", "sampled"):
        files = kinds.add_parser(name)
        for file in ("core", "times", "outcomes"):
            files.add_argument(file, type=Path)
    files.add_argument("truth", type=float)
    files.add_argument("--repeats", type=int, default=100)
    given = parser.parse_args()
    if given.whole:
        solving.LARGE = sys.maxsize
    if given.kind == "cap41":
        first, _, last = given.seeds.partition("-")
        seeds = range(int(first), int(last or first) + 1)
        warehouses(given.count, seeds, RiskMeasure(given.weight, 0.9), given.seconds, raw=given.raw)
    elif given.kind == "smps":
        expected(given.core, given.times, given.outcomes, given.seconds)
    else:
        sampled(given.core, given.times, given.outcomes, given.truth, given.repeats)


if __name__ == "__main__":
    main()
