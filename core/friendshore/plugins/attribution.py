"""Attribution of running code to plugins, whose code all runs within `running`. It guards against mistakes, not malice (SECURITY.md)."""

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

from ..errors import FriendshoreError, InputError, PluginError
from ..hookspecs import Named
from ..inert import visible_lines
from ..official import OFFICIAL
from ..rules.answers import InvalidResult, as_sentence
from ..rules.base import Rule
from ..writing import is_working_folder_gone
from .interface import is_own, package_of
from .manifest import PluginInfo, declared

_HOME = Path(__file__).parents[1]
# Start of the last line of pydantic's errors, which is only a link.
_PYDANTIC_LINK = "For further information visit"
_NO_ATTRIBUTION = nullcontext()
# Packages that call the code of other plugins, as the conformance kit does.
_OFFICIAL = frozenset(plugin.package for plugin in OFFICIAL)
Code = type | Callable[..., object]


def exception_error(
    info: PluginInfo, error: BaseException, predicate: str, home: tuple[str, int | None] = ("", None)
) -> PluginError:
    """Return the error for a plugin's exception. `predicate` is like `cannot be imported`. `home` is the place if the traceback has no code of the plugin."""
    file, line = _raised_at(error, info.package)
    if not file:
        file, line = home
    text = _error_text(info, error)
    message = f"{info.label} {predicate}: {type(error).__name__}: {text}"
    fix = _default_fix(info)
    if wants_tracebacks():
        _print_traceback(info, error)
    else:
        fix += f". For its author: set {TRACEBACK_NAME}=1 to print the traceback"
    return PluginError(message, file or info.file, line, fix=fix, code="FS420")


def _print_traceback(info: PluginInfo, error: BaseException) -> None:
    with running(info.package, "the text of its error"):
        text = "".join(traceback.format_exception(error))
    if sys.stderr is not None:
        sys.stderr.write(visible_lines(text))
        sys.stderr.flush()


def defect_error(
    info: PluginInfo, message: str, found: str = "", expected: str = "", file: str = "", code: str = "FS421"
) -> PluginError:
    """Return the error for an invalid part of a plugin. `file` defaults to the manifest."""
    return PluginError(
        f"{info.label}: {message}", file or info.file, found=found, expected=expected, fix=_default_fix(info), code=code
    )


def _error_text(info: PluginInfo, error: BaseException) -> str:
    try:
        with running(info.package, "the text of its error"):
            text = str(error)
    except FriendshoreError:
        raise
    except Exception:  # noqa: BLE001 - the error itself is reported anyway
        return "an error without readable text"
    lines = [line for line in text.splitlines() if not line.lstrip().startswith(_PYDANTIC_LINK)]
    return " ".join(" ".join(lines).split())


def _default_fix(info: PluginInfo) -> str:
    return f"upgrade or repair {info.distribution}, or report this to its author"


def attributed(rule: Rule) -> AbstractContextManager[None]:
    """Convert exceptions of a plugin's rule, except a `FriendshoreError`, into a `PluginError` that names the rule, its kind, and its distribution.
    Wrap every call of `judge`, `charge`, and `rows`, or a loop of calls. Consume `rows` inside, since it may be a generator. An exception of a
    built-in kind is a bug of friendshore and passes through.
    """
    kind = type(rule)
    return _NO_ATTRIBUTION if is_own(kind) else _attributed(kind, f"its rule `{rule.id}` of kind `{rule.kind}`")


def attributed_object(
    thing: Named, name: str, what: str = "question", code: Code | None = None
) -> AbstractContextManager[None]:
    """Like `attributed`, for another object of a plugin. `what` is its sort, and `code` the plugin's function if the object only refers to it."""
    kind = type(thing) if code is None else code
    return _NO_ATTRIBUTION if is_own(kind) else _attributed(kind, f"its {what} `{name}`")


@contextmanager
def _attributed(kind: Code, whose: str) -> Iterator[None]:
    try:
        with running(package_of(kind), whose):
            yield
    except FriendshoreError:
        raise
    except BaseException as error:  # SystemExit too, since the program would seem to succeed
        if not is_plugin_fault(error):
            raise
        info = _owner_of(kind)
        if isinstance(error, InvalidResult):
            file, line = place_of(kind)
            raise PluginError(
                f"{info.label}: {whose}: {error}", file, line, fix=_default_fix(info), code="FS422"
            ) from error
        raise exception_error(info, error, f"failed: {whose} raised", place_of(kind)) from error


def sentence_of(rule: Rule) -> str:
    with attributed(rule):
        return as_sentence(rule.sentence())


def place_of(kind: Code) -> tuple[str, int | None]:
    """Return the file and line that define a class or function. Empty and None if unknown."""
    try:
        return inspect.getsourcefile(kind) or "", inspect.getsourcelines(kind)[1]
    except (OSError, TypeError):  # typed into an interpreter, or without a source file
        return getattr(sys.modules.get(kind.__module__), "__file__", None) or "", None


def _owner_of(kind: Code) -> PluginInfo:
    file = getattr(sys.modules.get(kind.__module__), "__file__", None) or ""
    info = owner_of_package(package_of(kind), f"module `{kind.__module__}`")
    return info.but(file=file)


def owner_of_package(package: str, otherwise: str = "") -> PluginInfo:
    for plugin in declared():
        if plugin.package == package:
            return plugin.info
    return PluginInfo(distribution=otherwise or f"package `{package}`", package=package)


def _raised_at(error: BaseException, package: str) -> tuple[str, int | None]:
    """Return the file and line of the innermost frame in the plugin's package, or else outside friendshore and importlib."""
    if isinstance(error, SyntaxError) and error.filename:
        return error.filename, error.lineno
    frames = list(traceback.walk_tb(error.__traceback__))
    own = [(f.f_code.co_filename, line) for f, line in frames if _top_package(f.f_globals) == package]
    others = [(f.f_code.co_filename, line) for f, line in frames if not _is_skipped_file(f.f_code.co_filename)]
    candidates = own or others
    return candidates[-1] if candidates else ("", None)


def _top_package(module: Mapping[str, object]) -> str:
    return str(module.get("__name__", "")).partition(".")[0]


def _is_skipped_file(filename: str) -> bool:
    parts = Path(filename).parts
    return filename.startswith(("<", str(_HOME))) or "importlib" in parts or not _OFFICIAL.isdisjoint(parts)


_OWN = __name__.partition(".")[0]
# Environment variable: maximum seconds for one call of plugin code in a worker process. 0 means no limit, as for a debugger.
LIMIT_NAME = "FRIENDSHORE_PLUGIN_LIMIT"

# Environment variable: if set and not 0, tracebacks of plugin code are printed on stderr.
TRACEBACK_NAME = "FRIENDSHORE_PLUGIN_TRACEBACK"

# Default of `LIMIT_NAME` without a time limit.
LIMIT = 60.0
# Minimum seconds under a short time limit, since a plugin may have much to import.
_MIN_LIMIT = 5.0


def wants_tracebacks() -> bool:
    return os.environ.get(TRACEBACK_NAME, "0") not in ("", "0")


def environment_limit(otherwise: float) -> float:
    """Return the limit of the environment in seconds, or `otherwise`. 0 means no limit. Raises `InputError` if it is not a number."""
    text = os.environ.get(LIMIT_NAME, "")
    try:
        return float(text) if text else otherwise
    except ValueError as error:
        raise InputError(
            f"the environment variable {LIMIT_NAME} is not a number",
            found=text,
            expected="seconds",
            fix=f"set {LIMIT_NAME}=120, for example",
            code="FS011",
        ) from error


def limit_for(time_limit: float | None) -> float:
    return environment_limit(LIMIT if time_limit is None else max(time_limit, _MIN_LIMIT))


class _Process:
    """State of this process."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.running: list[tuple[str, str]] = []
        """Package and activity of each running call of plugin code, outermost first in each thread."""
        self.report: Callable[[str, str], None] | None = None
        self.ran: dict[str, None] = {}
        self.is_command_line = False
        """True for the command line, which owns the process."""


_PROCESS = _Process()


def report_running(report: Callable[[str, str], None]) -> None:
    """Register a callback for the start of plugin code (package and activity) and for its end (two empty texts)."""
    _PROCESS.report = report


def packages_run() -> tuple[str, ...]:
    return tuple(package for package in _PROCESS.ran if package != _OWN)


def forbid_exit() -> None:
    """Make `os._exit` raise SystemExit, so that a plugin, its threads, and its exit handlers can't end a command as if it had succeeded."""
    if _PROCESS.is_command_line:
        return
    _PROCESS.is_command_line = True
    original_exit, process = os._exit, os.getpid()

    def refuse(status: int) -> None:
        if os.getpid() == process:
            raise SystemExit(status)
        original_exit(status)

    os._exit = refuse  # type: ignore[assignment]


@contextmanager
def running(package: str, activity: str, may_change_decimals: bool = False) -> Iterator[None]:
    """Mark the enclosed code as a plugin's. Only with `may_change_decimals`, when friendshore computes nothing inside, may it change the decimal context. Otherwise: `InvalidResult`."""
    call = package, activity
    with decimal.localcontext():
        settings_before = _decimal_settings()
        with _PROCESS.lock:
            _PROCESS.ran[package] = None
            _PROCESS.running.append(call)
            _report_current()
        try:
            yield
        except KeyboardInterrupt:
            if _PROCESS.is_command_line and sys.stderr is not None:
                sys.stderr.write(f"{package}: {activity} was running when Ctrl-C ended it\n")
            raise
        finally:
            with _PROCESS.lock:
                _PROCESS.running.remove(call)
                _report_current()
        if not may_change_decimals and _decimal_settings() != settings_before:
            raise InvalidResult("it changed the decimal context of the process; fix: use decimal.localcontext()")


def _report_current() -> None:
    if _PROCESS.report is not None:
        _PROCESS.report(*(_PROCESS.running[0] if _PROCESS.running else ("", "")))


def _decimal_settings() -> tuple[object, ...]:
    context = decimal.getcontext()
    return context.prec, context.rounding, context.Emin, context.Emax, context.clamp, dict(context.traps)


def is_plugin_fault(error: BaseException) -> bool:
    # Python ends an unfinished generator with GeneratorExit.
    if isinstance(error, KeyboardInterrupt | GeneratorExit):
        return False
    return not (isinstance(error, FileNotFoundError) and error.filename is None and is_working_folder_gone())
