"""The facts of one case, resolved, sorted and indexed; judged by its rules and grouped into compliance classes."""

from .build import build_problem
from .problem import Problem

__all__ = ["Problem", "build_problem"]
