"""Who is to blame: errors of plugins carry the distribution, its version, the file and what to do."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import FriendshoreError, PluginError, Problem
from ..rules.base import Rule
from .interface import OWN
from .manifest import PluginInfo, declared

_HOME = Path(__file__).parents[1]


def blame(info: PluginInfo, error: BaseException, doing: str) -> PluginError:
    """What a plugin's code raised, as an error that says whose it is.

    Args:
        info: the plugin.
        error: what it raised.
        doing: what it was asked for, like `cannot be imported`.
    """
    file, line = _place(error)
    message = f"{info.label} {doing}: {type(error).__name__}: {error}"
    fix = f"upgrade or repair {info.distribution}, or report this to its author"
    return PluginError(Problem(message, file or info.file, line, fix=fix))


@contextmanager
def attributed(rule: Rule) -> Iterator[None]:
    """Turns what a plugin's rule raises into an error that names the rule, its kind and its distribution.

    Around every call of `judge`, `charge` and `rows`, or a loop of them; `rows` is consumed inside it, since it may be a
    generator. A built-in kind that raises is friendshore's own bug and is let through, as is a `FriendshoreError`, which says
    already what is wrong with an input.

    Raises:
        PluginError: for anything else that a plugin's rule raises.
    """
    try:
        yield
    except FriendshoreError:
        raise
    except Exception as error:
        kind = type(rule)
        if kind.__module__.partition(".")[0] == OWN:
            raise
        raise blame(owner_of(kind), error, f"failed: its rule `{rule.id}` of kind `{rule.kind}` raised") from error


def owner_of(kind: type[Rule]) -> PluginInfo:
    """The plugin that a class comes from, by the package it is defined in; found only when something went wrong."""
    package = kind.__module__.partition(".")[0]
    file = getattr(sys.modules.get(kind.__module__), "__file__", None) or ""
    for one in declared():
        if one.package == package:
            return one.info.model_copy(update={"file": file})
    return PluginInfo(distribution=f"module `{kind.__module__}`", package=package, file=file)


def _place(error: BaseException) -> tuple[str, int | None]:
    """File and line in the plugin's code at which it was raised; friendshore and the import machinery are left out."""
    if isinstance(error, SyntaxError) and error.filename:
        return error.filename, error.lineno
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not _passed_through(frame.filename)]
    return (frames[-1].filename, frames[-1].lineno) if frames else ("", None)


def _passed_through(filename: str) -> bool:
    return filename.startswith(("<", str(_HOME))) or "importlib" in Path(filename).parts
