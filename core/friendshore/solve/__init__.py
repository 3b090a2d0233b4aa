"""Programs solved: components, engines, limits. The only place that imports ortools."""

from .run import Cancel, Limits, Progress, Solution, least, solve

__all__ = ["Cancel", "Limits", "Progress", "Solution", "least", "solve"]
