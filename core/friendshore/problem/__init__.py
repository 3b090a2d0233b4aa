"""The facts of one case, resolved, sorted and indexed; judged by its rules and grouped into requirements."""

from .build import Pool, Problem, Store

__all__ = ["Pool", "Problem", "Store"]
