"""Problem of a case: facts resolved, sorted, indexed, judged by rules, and grouped into compliance classes."""

from .build import build_problem
from .problem import Problem

__all__ = ["Problem", "build_problem"]
