"""Programs solved: components, engines, limits. The only place that imports ortools."""

from .answers import Answers, digest
from .components import split
from .engines import Answer, Outcome
from .run import NO_LIMITS, Limits, Progress, Solution, least, optimum, solve
from .watch import Cancel

__all__ = [
    "NO_LIMITS",
    "Answer",
    "Answers",
    "Cancel",
    "Limits",
    "Outcome",
    "Progress",
    "Solution",
    "digest",
    "least",
    "optimum",
    "solve",
    "split",
]
