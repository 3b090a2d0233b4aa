"""Questions about a plan, one folder each. friendshore's own use the same hook as those of plugins."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..hookspecs import hookimpl
from ..lazy_exports import load_on_use
from ..plugins.hosting import own_questions
from .base import OptionsError, Question, Setting

if TYPE_CHECKING:
    from ..recommend import Opened
    from ..solve import Progress

__all__ = ["Opened", "OptionsError", "Progress", "Question", "Setting", "friendshore_questions"]


@hookimpl
def friendshore_questions() -> Iterator[Question[Any, Any]]:
    for announced in own_questions():
        question: Question[Any, Any] = import_module(f".{announced.name.replace('-', '_')}", __name__).QUESTION
        yield question


__getattr__, __dir__, _ = load_on_use(__name__, {"..recommend": ["Opened"], "..solve": ["Progress"]})
