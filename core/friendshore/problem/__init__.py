"""The facts of one case, resolved, sorted and indexed; judged by its rules and grouped into compliance classes."""

from .build import build_problem
from .capacity import Pool
from .problem import Problem, Store

__all__ = ["Pool", "Problem", "Store", "build_problem"]
