# The names of this package for type checkers; `__init__.py` lists the same.
# ruff: noqa: I001 - a module to a statement

from .case import load_case as load_case
from .catalog import read_catalog as read_catalog
from .plugins import Registry as Registry
from .plugins.interface import __version__ as __version__
from .questions.alternatives.search import Alternatives as Alternatives, alternatives as alternatives
from .questions.calendar.search import Calendar as Calendar, calendar as calendar
from .questions.compare.records import Comparison as Comparison
from .questions.compare.search import compare as compare, compare_plans as compare_plans
from .questions.ledger.records import Ledger as Ledger
from .questions.ledger.search import ledger as ledger
from .questions.repairs.records import Repairs as Repairs
from .questions.repairs.search import repairs as repairs
from .questions.why_not.search import WhyNot as WhyNot, why_not as why_not
from .recommend import Recommendation as Recommendation, plan as plan
