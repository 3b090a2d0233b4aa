"""Parameters of the function of a command: names, types, and limits, for programs that call it without a command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from inspect import Parameter, signature
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

from typer.models import ArgumentInfo


@dataclass(frozen=True, slots=True)
class CommandParameter:
    """A parameter of a command."""

    name: str
    kind: Any
    """Type, without None: a plain type, a `StrEnum`, or `list[str]`."""
    default: Any
    """Default of the function. Meaningless if it `is_required`."""
    is_required: bool
    is_argument: bool
    """True if the command line takes it by position."""
    meaning: str
    least: float | None
    most: float | None

    @property
    def is_case(self) -> bool:
        return self.kind is Path and self.is_argument

    @property
    def is_file(self) -> bool:
        return self.kind is Path and not self.is_argument

    @property
    def is_list(self) -> bool:
        return get_origin(self.kind) is list

    @property
    def words(self) -> tuple[str, ...]:
        """Possible values. Empty if it isn't a choice of words."""
        return tuple(map(str, self.kind)) if isinstance(self.kind, type) and issubclass(self.kind, StrEnum) else ()

    def value(self, given: Any) -> Any:
        """Return a value as the function takes it."""
        return self.kind(given) if self.words else given


def parameters_of(function: Callable[..., None]) -> Iterator[CommandParameter]:
    """Yield the parameters of the function of a command, such as that of `function_of` a question."""
    hints = get_type_hints(function, include_extras=True)
    for name, parameter in signature(function).parameters.items():
        kind, info = get_args(hints[name])
        options = [option for option in get_args(kind) if option is not NoneType]
        if NoneType in get_args(kind) and len(options) == 1:
            (kind,) = options
        yield CommandParameter(
            name,
            kind,
            parameter.default,
            parameter.default is Parameter.empty,
            isinstance(info, ArgumentInfo),
            info.help or "",
            info.min,
            info.max,
        )
