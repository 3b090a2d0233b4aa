"""Who is to blame: errors of plugins carry the distribution, its version, the file and what to do."""

from __future__ import annotations

import inspect
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from ..errors import FriendshoreError, PluginError
from ..hookspecs import Named
from ..inert import visible_lines
from ..rules.answers import WrongAnswer, as_sentence
from ..rules.base import Rule
from .interface import is_own, package_of
from .manifest import PluginInfo, declared
from .running import TRACEBACK_NAME, running, to_blame, wants_tracebacks

_HOME = Path(__file__).parents[1]
_ADVERTISEMENT = "For further information visit"
"""How the last line of pydantic's errors begins, which is an address."""
_AS_IT_IS = nullcontext()
Code = type | Callable[..., object]
"""A class or function of a plugin."""


def blame(info: PluginInfo, error: BaseException, doing: str, home: tuple[str, int | None] = ("", None)) -> PluginError:
    """What a plugin's code raised while it was `doing` something (like `cannot be imported`), as an error that says whose it is.

    `home` is the file and line to name if it was raised nowhere in its code, as when it is called with what it does not take.
    """
    file, line = _place(error, info.package)
    if not file:
        file, line = home
    said = _said(info, error)
    message = f"{info.label} {doing}: {type(error).__name__}: {said}"
    fix = _fix(info)
    if wants_tracebacks():
        _print_traceback(info, error)
    else:
        fix += f"; its author: {TRACEBACK_NAME}=1 in the environment prints the traceback"
    return PluginError(message, file or info.file, line, fix=fix)


def _print_traceback(info: PluginInfo, error: BaseException) -> None:
    """Print the traceback of an error on stderr; the texts in it come from the plugin, and may run its code."""
    with running(info.package, "the text of its error"):
        text = "".join(traceback.format_exception(error))
    if sys.stderr is not None:
        sys.stderr.write(visible_lines(text))
        sys.stderr.flush()


def wrong(info: PluginInfo, message: str, found: str = "", expected: str = "", file: str = "") -> PluginError:
    """What is wrong with something that a plugin brings, as an error that says whose it is; `file` where it is not the manifest."""
    told = f"{info.label}: {message}"
    return PluginError(told, file or info.file, found=found, expected=expected, fix=_fix(info))


def _said(info: PluginInfo, error: BaseException) -> str:
    """The text of an error, in one line; an error of a plugin's own class may have none, and makes it in the plugin's code."""
    try:
        with running(info.package, "the text of its error"):
            text = str(error)
    except FriendshoreError:
        raise
    except Exception:  # noqa: BLE001 - whatever it is, the error itself is told
        return "an error that cannot be put into words"
    lines = [line for line in text.splitlines() if not line.lstrip().startswith(_ADVERTISEMENT)]
    return " ".join(" ".join(lines).split())


def _fix(info: PluginInfo) -> str:
    return f"upgrade or repair {info.distribution}, or report this to its author"


def attributed(rule: Rule) -> AbstractContextManager[None]:
    """Turns what a plugin's rule raises into an error that names the rule, its kind and its distribution.

    Around every call of `judge`, `charge` and `rows`, or a loop of them; `rows` is consumed inside it, since it may be a
    generator. A built-in kind that raises is friendshore's own bug and is let through, as is a `FriendshoreError`, which says
    already what is wrong with an input.

    Raises:
        PluginError: for anything else that a plugin's rule raises, and for what it answers that is no answer.
    """
    kind = type(rule)
    return _AS_IT_IS if is_own(kind) else _attributed(kind, f"its rule `{rule.id}` of kind `{rule.kind}`")


def asked_of(thing: Named, name: str, what: str = "question", code: Code | None = None) -> AbstractContextManager[None]:
    """Turn what an object of a plugin raises into an error that names the object and its distribution.

    Args:
        thing: A question, command, format, or check.
        name: Its name, for the error.
        what: Its sort, for the error.
        code: The plugin's function, if the object only refers to it.

    Raises:
        PluginError: For anything but a `FriendshoreError` that the object of a plugin raises.
    """
    kind = type(thing) if code is None else code
    return _AS_IT_IS if is_own(kind) else _attributed(kind, f"its {what} `{name}`")


@contextmanager
def _attributed(kind: Code, whose: str) -> Iterator[None]:
    try:
        with running(package_of(kind), whose):
            yield
    except FriendshoreError:
        raise
    except BaseException as error:  # a rule that ends the program would end it as if all were well
        if not to_blame(error):
            raise
        info = owner_of(kind)
        if isinstance(error, WrongAnswer):
            file, line = place_of(kind)
            raise PluginError(f"{info.label}: {whose}: {error}", file, line, fix=_fix(info)) from error
        raise blame(info, error, f"failed: {whose} raised", place_of(kind)) from error


def sentence_of(rule: Rule) -> str:
    """A rule in its own sentence.

    Raises:
        PluginError: if a plugin's rule raises, or answers no text.
    """
    with attributed(rule):
        return as_sentence(rule.sentence())


def place_of(kind: Code) -> tuple[str, int | None]:
    """File and line in which a kind of rule or question is defined, as far as that is available."""
    try:
        return inspect.getsourcefile(kind) or "", inspect.getsourcelines(kind)[1]
    except (OSError, TypeError):  # made in an interpreter, or its source is not there
        return getattr(sys.modules.get(kind.__module__), "__file__", None) or "", None


def owner_of(kind: Code) -> PluginInfo:
    """The plugin that a class comes from, by the package it is defined in; found only when something went wrong."""
    file = getattr(sys.modules.get(kind.__module__), "__file__", None) or ""
    info = owner_of_package(package_of(kind), f"module `{kind.__module__}`")
    return info.but(file=file)


def owner_of_package(package: str, otherwise: str = "") -> PluginInfo:
    """The plugin of an import package; where nothing of it is installed, one that is called `otherwise`."""
    for one in declared():
        if one.package == package:
            return one.info
    return PluginInfo(distribution=otherwise or f"package `{package}`", package=package)


def _place(error: BaseException, package: str) -> tuple[str, int | None]:
    """File and line in the plugin's code at which it was raised.

    The innermost in its own package; where there is none, in any but friendshore and the import machinery.
    """
    if isinstance(error, SyntaxError) and error.filename:
        return error.filename, error.lineno
    walked = list(traceback.walk_tb(error.__traceback__))
    own = [(f.f_code.co_filename, line) for f, line in walked if _package(f.f_globals) == package]
    others = [(f.f_code.co_filename, line) for f, line in walked if not _passed_through(f.f_code.co_filename)]
    found = own or others
    return found[-1] if found else ("", None)


def _package(module: Mapping[str, object]) -> str:
    """Top-level package of a module, given its names."""
    return str(module.get("__name__", "")).partition(".")[0]


def _passed_through(filename: str) -> bool:
    return filename.startswith(("<", str(_HOME))) or "importlib" in Path(filename).parts
