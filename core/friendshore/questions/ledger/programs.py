"""Whether two problems come to the same program."""

from __future__ import annotations

from ...problem import Problem
from ...program import compile_program
from ...solve import digest


def digest_of(problem: Problem) -> bytes:
    """A short name for the program of a problem: the same for two problems that come to the same numbers.

    Raises:
        PluginError: if a plugin's limit rule raises.
    """
    program = compile_program(problem)
    return digest(program.linear, program.goals)
