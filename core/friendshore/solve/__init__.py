"""Programs solved: components, engines, limits. The only place that imports ortools."""

from .answers import Answers
from .run import NO_LIMITS, Limits, Progress, Solution, least, solve
from .watch import Cancel

__all__ = ["NO_LIMITS", "Answers", "Cancel", "Limits", "Progress", "Solution", "least", "solve"]
