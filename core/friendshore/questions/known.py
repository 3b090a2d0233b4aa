"""Questions by name, whoever brings them, and what is wrong with one that cannot be asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from decimal import Decimal
from inspect import isabstract
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from ..errors import Diagnostic, PluginError
from ..plugins import asked_of
from .base import Question, Setting

if TYPE_CHECKING:
    from ..plugins import PluginInfo, Registry

KINDS: tuple[object, ...] = (str, int, float, Decimal, bool, Path | None, tuple[str, ...])
"""What an option can be."""


@dataclass(frozen=True, slots=True)
class Option:
    """A field of the record of a question's options."""

    name: str
    kind: object
    """One of `KINDS`."""
    setting: Setting
    default: object
    needed: bool
    """Whether it has no default, and must be given."""


def question_named(registry: Registry, name: str) -> Question[Any, Any]:
    """The question that a name stands for; its plugin is imported if it has not been.

    Raises:
        PluginError: if it is unavailable, or cannot be asked as it is written.
    """
    found, info = registry.question(name)
    if not isinstance(found, Question):
        raise _wrong(
            info, f"its question `{name}` is none", repr(found), "an object of a class that derives from Question"
        )
    with asked_of(found, name):
        wrong = list(faults(found))
    if wrong:
        raise PluginError(error for fault in wrong for error in _wrong(info, f"its question `{name}` {fault}").problems)
    return found


def options_of(question: Question[Any, Any]) -> list[Option]:
    """What can be set of a question, in the order of its record."""
    hints = get_type_hints(question.options, include_extras=True)
    return [_option(one, hints[one.name]) for one in fields(question.options)]


def _option(field: Field[Any], hint: Any) -> Option:
    kind, setting = get_args(hint)
    needed = field.default is MISSING
    return Option(field.name, kind, setting, None if needed else field.default, needed)


def faults(question: Question[Any, Any]) -> Iterator[str]:
    """Why a question cannot be asked, each in words that go on from its name."""
    record = getattr(question, "options", None)
    if isabstract(type(question)):
        yield "lacks a method: it needs `ask` and `document`"
    if not (question.__doc__ or "").strip() or question.__doc__ == Question.__doc__:
        yield "has no docstring, which is the help text of its command"
    if not (isinstance(record, type) and is_dataclass(record)):
        yield "has no record of options: `options` is to be a dataclass"
        return
    for one, hint in zip(fields(record), _hints(record), strict=True):
        told = get_args(hint)
        if len(told) != 2 or not isinstance(told[1], Setting):
            yield f"has an option `{one.name}` without a Setting: Annotated[..., Setting(...)]"
        elif told[0] not in KINDS:
            yield f"has an option `{one.name}` of a kind that is not known: str, int, float, Decimal, bool, Path | None or tuple[str, ...]"


def _hints(record: type[Any]) -> list[Any]:
    hints = get_type_hints(record, include_extras=True)
    return [hints[one.name] for one in fields(record)]


def _wrong(info: PluginInfo, message: str, found: str = "", expected: str = "") -> PluginError:
    fix = f"upgrade or repair {info.distribution}, or report this to its author"
    return PluginError(Diagnostic(f"{info.label}: {message}", info.file, found=found, expected=expected, fix=fix))
