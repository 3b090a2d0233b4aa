"""The facts of one case, resolved, sorted and indexed; judged by its rules and grouped into compliance classes."""

from .build import Problem, Store
from .capacity import Pool

__all__ = ["Pool", "Problem", "Store"]
