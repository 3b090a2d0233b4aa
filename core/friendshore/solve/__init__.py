"""Programs solved: components, engines, limits. The only place that imports ortools."""

from .answer_cache import AnswerCache, digest
from .components import split
from .engine import Ask, BreakdownError, Cancel, Engine, Engines, SolverAnswer, SolverOutcome, Watch
from .engines import ENGINES
from .planned import infeasible, plan_of
from .run import NO_LIMITS, Conflict, Limits, Progress, Solution, least, optimum, relaxation, solve

__all__ = [
    "ENGINES",
    "NO_LIMITS",
    "AnswerCache",
    "Ask",
    "BreakdownError",
    "Cancel",
    "Conflict",
    "Engine",
    "Engines",
    "Limits",
    "Progress",
    "Solution",
    "SolverAnswer",
    "SolverOutcome",
    "Watch",
    "digest",
    "infeasible",
    "least",
    "optimum",
    "plan_of",
    "relaxation",
    "solve",
    "split",
]
