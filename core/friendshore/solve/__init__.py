"""Programs solved: components, engines, limits. The only place that imports ortools."""

from .answers import Answers, digest
from .components import split
from .engines import Answer, Outcome
from .planned import plan_of
from .run import NO_LIMITS, Limits, Progress, Solution, least, optimum, relaxation, solve
from .watch import Cancel, Watch

__all__ = [
    "NO_LIMITS",
    "Answer",
    "Answers",
    "Cancel",
    "Limits",
    "Outcome",
    "Progress",
    "Solution",
    "Watch",
    "digest",
    "least",
    "optimum",
    "plan_of",
    "relaxation",
    "solve",
    "split",
]
