"""Questions that are asked of a plan, one folder each. Those of friendshore come by the same hook as a plugin's."""

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
    """Friendshore's own: each that its `friendshore.toml` announces, from the folder of its name."""
    for announced in own_questions():
        question: Question[Any, Any] = import_module(f".{announced.name.replace('-', '_')}", __name__).QUESTION
        yield question


__getattr__, __dir__, _ = load_on_use(__name__, {"..recommend": ["Opened"], "..solve": ["Progress"]})
