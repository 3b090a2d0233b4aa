"""Two-stage programs with recourse: decisions before the scenario is known, and decisions after it.

    minimize  c x + E[Q(x, s)],  CVaR[Q(x, s)]  or a mix of both,   A x in rows, x in bounds, some x integer
    Q(x, s) = min  b_s x + q_s y + k_s   with  T_s x + W_s y in the rows of s, y in bounds, some y integer

Sources: J. R. Birge and F. Louveaux, Introduction to Stochastic Programming, 2nd ed., Springer 2011, ch. 2 and 4 (recourse, EVPI, VSS); R. T.
Rockafellar and S. Uryasev, Optimization of conditional value-at-risk, Journal of Risk 2 (2000) (CVaR as a linear program).
"""

from .program import RecourseProgram as RecourseProgram
from .program import RiskMeasure as RiskMeasure
from .program import ScenarioBranch as ScenarioBranch
from .program import SecondStage as SecondStage
from .program import cvar_of as cvar_of
from .solving import GapInterval as GapInterval
from .solving import RecourseAnswer as RecourseAnswer
from .solving import Solver as Solver
from .solving import branch_costs_at as branch_costs_at
from .solving import expected_value_program as expected_value_program
from .solving import followed as followed
from .solving import gap_interval as gap_interval
from .solving import solve_recourse as solve_recourse
from .solving import solver_within as solver_within
from .solving import wait_and_see as wait_and_see
