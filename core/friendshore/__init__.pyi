# The names of this package for type checkers; `__init__.py` and `official.py` list the same.
# ruff: noqa: I001 - a module to a statement

from friendshore_reasons.calendar.search import Calendar as Calendar, calendar as calendar
from friendshore_reasons.ledger.search import Ledger as Ledger, ledger as ledger
from friendshore_reasons.repairs.search import Repairs as Repairs, repairs as repairs

from .case import load_case as load_case
from .catalog import load_catalog as load_catalog
from .plugins import Registry as Registry
from .plugins.interface import __version__ as __version__
from .questions.alternatives.find_alternatives import Alternatives as Alternatives, alternatives as alternatives
from .questions.compare.comparison import Comparison as Comparison
from .questions.compare.compare_plans import compare as compare, compare_plans as compare_plans
from .questions.why_not.find_why_not import WhyNot as WhyNot, why_not as why_not
from .recommend import Recommendation as Recommendation, plan as plan
