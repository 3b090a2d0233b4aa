"""Attribution: which plugin running code belongs to, and errors that name its distribution, version, file, and a fix.

Every call of plugin code runs within `running`: its import, its hooks, and its rules. A plugin is a program with its user's rights
(SECURITY.md), so this guards against mistakes, not against malice.
"""

from __future__ import annotations

import decimal
import inspect
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from threading import RLock

from ..errors import Diagnostic, FriendshoreError, InputError, PluginError
from ..hookspecs import Named
from ..inert import visible_lines
from ..official import OFFICIAL
from ..rules.answers import WrongAnswer, as_sentence
from ..rules.base import Rule
from .interface import is_own, package_of
from .manifest import PluginInfo, declared

_HOME = Path(__file__).parents[1]
_ADVERTISEMENT = "For further information visit"
"""Start of the last line of pydantic's errors, which is only a link."""
_AS_IT_IS = nullcontext()
_OFFICIAL = frozenset(plugin.package for plugin in OFFICIAL)
"""Packages that call the code of other plugins, as the conformance kit does."""
Code = type | Callable[..., object]
"""A class or function of a plugin."""


def blame(info: PluginInfo, error: BaseException, doing: str, home: tuple[str, int | None] = ("", None)) -> PluginError:
    """Return the error for an exception of a plugin's code.

    Args:
        info: The plugin.
        error: The exception.
        doing: Predicate for the message, like `cannot be imported`.
        home: File and line to name if the traceback contains no code of the plugin, as after a call with wrong arguments.
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
    """Print the traceback of an error on stderr. Its texts come from the plugin and may run its code."""
    with running(info.package, "the text of its error"):
        text = "".join(traceback.format_exception(error))
    if sys.stderr is not None:
        sys.stderr.write(visible_lines(text))
        sys.stderr.flush()


def wrong(info: PluginInfo, message: str, found: str = "", expected: str = "", file: str = "") -> PluginError:
    """Return the error for something wrong that a plugin brings. `file` defaults to the manifest."""
    told = f"{info.label}: {message}"
    return PluginError(told, file or info.file, found=found, expected=expected, fix=_fix(info))


def _said(info: PluginInfo, error: BaseException) -> str:
    """Return the text of an error on one line. Plugin code computes it and may fail."""
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
    """Convert exceptions of a plugin's rule into an error that names the rule, its kind, and its distribution.

    Wrap every call of `judge`, `charge`, and `rows`, or a loop of calls. Consume `rows` inside, since it may be a generator. An exception of a
    built-in kind is a bug of friendshore and passes through, and so does a `FriendshoreError`, which describes an input.

    Raises:
        PluginError: For any other exception of a plugin's rule, and for an answer of the wrong type.
    """
    kind = type(rule)
    return _AS_IT_IS if is_own(kind) else _attributed(kind, f"its rule `{rule.id}` of kind `{rule.kind}`")


def asked_of(thing: Named, name: str, what: str = "question", code: Code | None = None) -> AbstractContextManager[None]:
    """Convert exceptions of a plugin's object into an error that names the object and its distribution.

    Args:
        thing: Question, command, format, or check.
        name: Its name.
        what: Its sort, for the message.
        code: The plugin's function, if the object only refers to it.

    Raises:
        PluginError: For any exception of the object except a `FriendshoreError`.
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
        if not is_plugin_fault(error):
            raise
        info = _owner_of(kind)
        if isinstance(error, WrongAnswer):
            file, line = place_of(kind)
            raise PluginError(f"{info.label}: {whose}: {error}", file, line, fix=_fix(info)) from error
        raise blame(info, error, f"failed: {whose} raised", place_of(kind)) from error


def sentence_of(rule: Rule) -> str:
    """Return a rule's own sentence.

    Raises:
        PluginError: If a plugin's rule raises, or returns no text.
    """
    with attributed(rule):
        return as_sentence(rule.sentence())


def place_of(kind: Code) -> tuple[str, int | None]:
    """Return the file and line that define a class or function, as far as known."""
    try:
        return inspect.getsourcefile(kind) or "", inspect.getsourcelines(kind)[1]
    except (OSError, TypeError):  # made in an interpreter, or its source is not there
        return getattr(sys.modules.get(kind.__module__), "__file__", None) or "", None


def _owner_of(kind: Code) -> PluginInfo:
    """Return the plugin that defines a class or function, by its package."""
    file = getattr(sys.modules.get(kind.__module__), "__file__", None) or ""
    info = owner_of_package(package_of(kind), f"module `{kind.__module__}`")
    return info.but(file=file)


def owner_of_package(package: str, otherwise: str = "") -> PluginInfo:
    """Return the plugin of an import package. If none is installed, return one named `otherwise`."""
    for one in declared():
        if one.package == package:
            return one.info
    return PluginInfo(distribution=otherwise or f"package `{package}`", package=package)


def _place(error: BaseException, package: str) -> tuple[str, int | None]:
    """Return the file and line of the plugin's code that raised: the innermost frame in its package, or else outside friendshore and importlib."""
    if isinstance(error, SyntaxError) and error.filename:
        return error.filename, error.lineno
    walked = list(traceback.walk_tb(error.__traceback__))
    own = [(f.f_code.co_filename, line) for f, line in walked if _package(f.f_globals) == package]
    others = [(f.f_code.co_filename, line) for f, line in walked if not _passed_through(f.f_code.co_filename)]
    found = own or others
    return found[-1] if found else ("", None)


def _package(module: Mapping[str, object]) -> str:
    return str(module.get("__name__", "")).partition(".")[0]


def _passed_through(filename: str) -> bool:
    parts = Path(filename).parts
    return filename.startswith(("<", str(_HOME))) or "importlib" in parts or not _OFFICIAL.isdisjoint(parts)


_OWN = __name__.partition(".")[0]
LIMIT_NAME = "FRIENDSHORE_PLUGIN_LIMIT"
"""Environment variable: maximum seconds for one call of plugin code in a worker process. 0 means no limit, as for a debugger."""

TRACEBACK_NAME = "FRIENDSHORE_PLUGIN_TRACEBACK"
"""Environment variable: if set and not 0, tracebacks of plugin code are printed on stderr."""

LIMIT = 60.0
"""Default of `LIMIT_NAME` without a time limit."""
LEAST = 5.0
"""Minimum seconds under a short time limit, since a plugin may have much to import."""


def wants_tracebacks() -> bool:
    """Return True if the environment asks for tracebacks of plugin code."""
    return os.environ.get(TRACEBACK_NAME, "0") not in ("", "0")


def environment_limit(otherwise: float) -> float:
    """Return the limit of the environment in seconds, or `otherwise`. 0 means no limit.

    Raises:
        InputError: If the environment's limit is not a number.
    """
    text = os.environ.get(LIMIT_NAME, "")
    try:
        return float(text) if text else otherwise
    except ValueError as error:
        problem = Diagnostic(f"{LIMIT_NAME} in the environment is no number", found=text, expected="seconds")
        raise InputError(problem) from error


def limit_for(time_limit: float | None) -> float:
    """Return the maximum seconds for one call of plugin code under a time limit. 0 means no limit.

    Raises:
        InputError: If the environment's limit is not a number.
    """
    return environment_limit(LIMIT if time_limit is None else max(time_limit, LEAST))


class _Process:
    """State of this process: plugin code that runs and has run."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.running: list[tuple[str, str]] = []
        """Package and activity of each running call of plugin code, outermost first in each thread."""
        self.report: Callable[[str, str], None] | None = None
        self.ran: dict[str, None] = {}
        """Packages of plugins whose code has run."""
        self.ours = False
        """True for the command line, which owns the process."""


_PROCESS = _Process()


def report_running(report: Callable[[str, str], None]) -> None:
    """Register a callback for the start of plugin code (package and activity) and for its end (two empty texts)."""
    _PROCESS.report = report


def packages_run() -> tuple[str, ...]:
    """Return the packages of plugins whose code has run in this process."""
    return tuple(package for package in _PROCESS.ran if package != _OWN)


def forbid_exit() -> None:
    """Make `os._exit` raise SystemExit in plugin code, so that a plugin can't end a command as if it had succeeded."""
    if _PROCESS.ours:
        return
    _PROCESS.ours = True
    end, process = os._exit, os.getpid()

    def refuse(status: int) -> None:
        if _PROCESS.running and os.getpid() == process:
            raise SystemExit(status)
        end(status)

    os._exit = refuse  # type: ignore[assignment]


@contextmanager
def running(package: str, doing: str, whole: bool = False) -> Iterator[None]:
    """Mark the enclosed code as a plugin's.

    Args:
        package: Import package of the plugin.
        doing: Activity for messages, like `its hook ...`.
        whole: True if friendshore computes nothing inside, so that the plugin may change the decimal context.

    Raises:
        WrongAnswer: If the plugin changed the decimal context that friendshore's own figures use.
    """
    call = package, doing
    with decimal.localcontext():
        before = _arithmetic()
        with _PROCESS.lock:
            _PROCESS.ran[package] = None
            _PROCESS.running.append(call)
            _report()
        try:
            yield
        except KeyboardInterrupt:
            if _PROCESS.ours and sys.stderr is not None:
                sys.stderr.write(f"{package}: {doing} was running when Ctrl-C ended it\n")
            raise
        finally:
            with _PROCESS.lock:
                _PROCESS.running.remove(call)
                _report()
        if not whole and _arithmetic() != before:
            raise WrongAnswer("it changed the decimal arithmetic of the process; fix: use decimal.localcontext()")


def _report() -> None:
    if _PROCESS.report is not None:
        _PROCESS.report(*(_PROCESS.running[0] if _PROCESS.running else ("", "")))


def _arithmetic() -> tuple[object, ...]:
    """Return the settings of this thread's decimal context."""
    here = decimal.getcontext()
    return here.prec, here.rounding, here.Emin, here.Emax, here.clamp, dict(here.traps)


def is_plugin_fault(error: BaseException) -> bool:
    """Return True if an exception is a plugin's fault. Ctrl-C and the end of a generator aren't."""
    return not isinstance(error, KeyboardInterrupt | GeneratorExit)
