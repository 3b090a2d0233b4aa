"""Programs solved: components, engines, limits. The only place that imports ortools."""

from .answer_cache import AnswerCache, digest
from .components import split
from .engines import SolverAnswer, SolverOutcome
from .planned import plan_of
from .run import NO_LIMITS, Limits, Progress, Solution, least, optimum, relaxation, solve
from .watch import Cancel, Watch

__all__ = [
    "NO_LIMITS",
    "AnswerCache",
    "Cancel",
    "Limits",
    "Progress",
    "Solution",
    "SolverAnswer",
    "SolverOutcome",
    "Watch",
    "digest",
    "least",
    "optimum",
    "plan_of",
    "relaxation",
    "solve",
    "split",
]
