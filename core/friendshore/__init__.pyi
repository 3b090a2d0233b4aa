# The names of this package for type checkers; `__init__.py` and `official.py` list the same.
# ruff: noqa: I001 - a module to a statement

from friendshore_reasons.calendar.search import Calendar as Calendar, calendar as calendar
from friendshore_reasons.ledger.search import Ledger as Ledger, ledger as ledger
from friendshore_reasons.repairs.search import Repairs as Repairs, repairs as repairs
from friendshore_risk.frontier import Frontier as Frontier, frontier as frontier
from friendshore_risk.stress_answer import (
    Insurance as Insurance,
    Stress as Stress,
    insurance as insurance,
    stress as stress,
)
from friendshore_sweep.planning import sweep as sweep
from friendshore_sweep.results import Sweep as Sweep
from friendshore_workbooks.ask import ask as ask
from friendshore_workbooks.unknowns import Unknowns as Unknowns

from .case import CaseFormat as CaseFormat, load_case as load_case
from .catalog import load_catalog as load_catalog
from .cli import Command as Command
from .domain.case import Case as Case, DemandSpec as DemandSpec
from .domain.change import Change as Change
from .domain.evidence import Confidence as Confidence, Source as Source
from .domain.facts import (
    CapacityStep as CapacityStep,
    Catalog as Catalog,
    ChainEntry as ChainEntry,
    Facility as Facility,
    Lane as Lane,
    Material as Material,
    Offer as Offer,
    Place as Place,
    RecipeLine as RecipeLine,
    Status as Status,
)
from .domain.market import Price as Price, Rate as Rate
from .domain.plan import Cost as Cost, PlanStatus as PlanStatus
from .domain.run import Run as Run
from .domain.stages import Stage as Stage
from .domain.time import Horizon as Horizon, PeriodLength as PeriodLength
from .domain.use import PASS as PASS, Chained as Chained, Move as Move, Result as Result, Use as Use, Verdict as Verdict
from .errors import (
    Diagnostic as Diagnostic,
    FriendshoreError as FriendshoreError,
    InputError as InputError,
    OutOfTimeError as OutOfTimeError,
    PluginError as PluginError,
    SolverError as SolverError,
    VerificationError as VerificationError,
)
from .hookspecs import hookimpl as hookimpl
from .plugins import Registry as Registry
from .plugins.interface import __version__ as __version__
from .questions import Question as Question, Setting as Setting
from .questions.base import question_named as question_named
from .questions.alternatives.find_alternatives import Alternatives as Alternatives, alternatives as alternatives
from .questions.compare.comparison import Comparison as Comparison
from .questions.compare.compare_plans import compare as compare, compare_plans as compare_plans
from .questions.why_not.find_why_not import WhyNot as WhyNot, why_not as why_not
from .readers import (
    CaseFacts as CaseFacts,
    CatalogRows as CatalogRows,
    Reader as Reader,
    ReadRequest as ReadRequest,
    TableRows as TableRows,
)
from .recommend import (
    CheckAnswer as CheckAnswer,
    CheckRequest as CheckRequest,
    Opened as Opened,
    Recommendation as Recommendation,
    RunChecker as RunChecker,
    plan as plan,
    reopen as reopen,
)
from .report import Format as Format
from .rules.base import Facts as Facts, Phase as Phase, Rule as Rule
from .rules.pack import RulePack as RulePack
from .rules.rows import Row as Row, Rows as Rows
from .run import read_run as read_run
from .session import Answer as Answer, Session as Session
