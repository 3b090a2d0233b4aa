"""Questions that are asked of a plan, one folder each. Those of friendshore come by the same hook as a plugin's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..hookspecs import hookimpl
from ..lazy_exports import load_on_use
from .base import OptionsError, Question, Setting

if TYPE_CHECKING:
    from ..recommend import Opened
    from ..solve import Progress

__all__ = ["Opened", "OptionsError", "Progress", "Question", "Setting", "friendshore_questions"]


@hookimpl
def friendshore_questions() -> Iterator[Question[Any, Any]]:
    """Friendshore's own; `friendshore.toml` announces them."""
    from .alternatives import ALTERNATIVES
    from .calendar import CALENDAR
    from .compare import COMPARE
    from .ledger import LEDGER
    from .repairs import REPAIRS
    from .stress import STRESS
    from .why_not import WHY_NOT

    yield from (ALTERNATIVES, WHY_NOT, REPAIRS, LEDGER, CALENDAR, COMPARE, STRESS)


__getattr__, __dir__ = load_on_use(__name__, {"Opened": ".recommend", "Progress": ".solve"})
