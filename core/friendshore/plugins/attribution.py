"""Code of plugins while it runs: which plugin it belongs to, and errors that name the distribution, its version, the file, and a fix.

Everything that calls a plugin's code does so within `running`: its import, its hooks, making its rules, and asking them. A plugin is a
program with its user's rights (SECURITY.md). What is here guards against mistakes and doesn't try to guard against malice.
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
"""How the last line of pydantic's errors begins, which is an address."""
_AS_IT_IS = nullcontext()
_OFFICIAL = frozenset(plugin.package for plugin in OFFICIAL)
"""Packages that call the code of other plugins, as the conformance kit does."""
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
    """Return the text of an error on one line. The plugin's code makes it, and may have none."""
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
        info = _owner_of(kind)
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


def _owner_of(kind: Code) -> PluginInfo:
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
    return str(module.get("__name__", "")).partition(".")[0]


def _passed_through(filename: str) -> bool:
    parts = Path(filename).parts
    return filename.startswith(("<", str(_HOME))) or "importlib" in parts or not _OFFICIAL.isdisjoint(parts)


_OWN = __name__.partition(".")[0]
LIMIT_NAME = "FRIENDSHORE_PLUGIN_LIMIT"
"""Environment variable: seconds that a plugin's code may take for one call in a worker process; 0: no limit, as for a debugger."""

TRACEBACK_NAME = "FRIENDSHORE_PLUGIN_TRACEBACK"
"""Environment variable: if it is set, and not 0, tracebacks of what plugins raise are printed on stderr."""

LIMIT = 60.0
"""Seconds that a plugin's code may take for one call in a worker process if no time limit is set."""
LEAST = 5.0
"""Fewest seconds, however short the time limit: a plugin may have much to import."""


def wants_tracebacks() -> bool:
    """Return True if the environment asks for tracebacks of what plugins raise."""
    return os.environ.get(TRACEBACK_NAME, "0") not in ("", "0")


def limit_given(otherwise: float) -> float:
    """Return the limit of the environment in seconds, or `otherwise`; 0 means no limit.

    Raises:
        InputError: if the environment gives a limit that is no number.
    """
    text = os.environ.get(LIMIT_NAME, "")
    try:
        return float(text) if text else otherwise
    except ValueError as error:
        problem = Diagnostic(f"{LIMIT_NAME} in the environment is no number", found=text, expected="seconds")
        raise InputError(problem) from error


def limit_for(time_limit: float | None) -> float:
    """Return the seconds that a plugin's code may take for one call under a time limit; 0 means no limit.

    Raises:
        InputError: if the environment gives a limit that is no number.
    """
    return limit_given(LIMIT if time_limit is None else max(time_limit, LEAST))


class _Process:
    """Plugin code that runs in this process at the moment."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.running: list[tuple[str, str]] = []
        """Package and activity of each call of plugin code, outermost first in each thread."""
        self.report: Callable[[str, str], None] | None = None
        self.ran: dict[str, None] = {}
        """Packages of plugins whose code was imported or called."""
        self.ours = False
        """True for the command line, which has the process to itself."""


_PROCESS = _Process()


def report_running(report: Callable[[str, str], None]) -> None:
    """Call `report` with package and activity whenever plugin code begins to run in this process, and with two empty texts when it ends."""
    _PROCESS.report = report


def have_run() -> tuple[str, ...]:
    """Return the packages of plugins whose code has run in this process."""
    return tuple(package for package in _PROCESS.ran if package != _OWN)


def own_process() -> None:
    """Let `os._exit` raise SystemExit in code of plugins, in a process that friendshore has to itself: a plugin that ends it must not look like success."""
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
    """Mark the code within as a plugin's.

    Args:
        package: import package of the plugin.
        doing: what it does, like `its hook ...`.
        whole: True if nothing of friendshore's is computed within, so that the plugin may use its own decimal arithmetic.

    Raises:
        WrongAnswer: if the plugin changed the decimal arithmetic with which figures of others are computed.
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
    """Return the settings of this thread's decimal arithmetic."""
    here = decimal.getcontext()
    return here.prec, here.rounding, here.Emin, here.Emax, here.clamp, dict(here.traps)


def to_blame(error: BaseException) -> bool:
    """Return True if a plugin is to blame for what its code raised; Ctrl-C and the end of a generator come from elsewhere."""
    return not isinstance(error, KeyboardInterrupt | GeneratorExit)
