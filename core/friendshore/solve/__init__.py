"""Solution of programs: components, engines, and limits. Only this package imports highspy and ortools."""
# ruff: noqa: I001 - what the package offers is imported as itself, once, the names of a module together

from .components import AnswerCache as AnswerCache, digest as digest
from .components import Component as Component, split as split
from .engine import (
    Ask as Ask,
    BreakdownError as BreakdownError,
    Cancel as Cancel,
    Engine as Engine,
    Engines as Engines,
    SolverAnswer as SolverAnswer,
    SolverOutcome as SolverOutcome,
    Watch as Watch,
)
from .engines import ENGINES as ENGINES, WarmStartedSolver as WarmStartedSolver
from .solving import conflict_record as conflict_record, plan_of as plan_of
from .solving import (
    NO_LIMITS as NO_LIMITS,
    Conflict as Conflict,
    Limits as Limits,
    Progress as Progress,
    Solution as Solution,
    compared as compared,
    least as least,
    optima as optima,
    optimum as optimum,
    relaxation as relaxation,
    solve as solve,
)
from .relaxing import RelaxationSearch as RelaxationSearch
from .steadiest import TieBreaker as TieBreaker
