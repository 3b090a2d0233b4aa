"""What can go wrong, in six classes, each with its exit code.

Every error that a user can cause carries its diagnostics as data: all of them at once, each with the place
(file, row, column), what was found, what was expected and how to mend it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import wraps
from os import PathLike
from typing import Any, ParamSpec, TypeVar, cast


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One thing that is wrong with an input, in a planner's words."""

    message: str
    """What is wrong, in one sentence."""
    file: str = ""
    """The file, as the user named it, or the record it was built from in memory."""
    row: int | None = None
    """Line of the file (the header of a table is line 1)."""
    column: str = ""
    """Column or key."""
    found: str = ""
    """What stands there."""
    expected: str = ""
    """What would have been accepted."""
    fix: str = ""
    """What to do about it."""

    def __str__(self) -> str:
        place = self.file
        if self.row is not None:
            place += f":{self.row}"
        if self.column:
            place += f" [{self.column}]"
        parts = [f"{place}: {self.message}" if place else self.message]
        if self.found:
            parts.append(f"found {self.found}")
        if self.expected:
            parts.append(f"expected {self.expected}")
        if self.fix:
            parts.append(f"fix: {self.fix}")
        return "; ".join(parts)


class FriendshoreError(Exception):
    """Anything friendshore refuses to do, with its reasons.

    Made of all of them, or of one: of a `Diagnostic`, or of its message with whatever else a `Diagnostic` says.

    Attributes:
        problems: all that is wrong, never only the first.
    """

    exit_code = 1

    def __init__(
        self,
        problems: str | Diagnostic | Iterable[Diagnostic],
        file: str = "",
        row: int | None = None,
        column: str = "",
        found: str = "",
        expected: str = "",
        fix: str = "",
    ) -> None:
        if isinstance(problems, str):
            problems = Diagnostic(problems, file, row, column, found, expected, fix)
        if isinstance(problems, Diagnostic):
            problems = (problems,)
        self.problems: tuple[Diagnostic, ...] = tuple(dict.fromkeys(problems))  # one cause, however often it was met
        super().__init__("\n".join(str(p) for p in self.problems))


class InputError(FriendshoreError):
    """A case, catalog, rule pack or run folder cannot be read or does not make sense."""

    exit_code = 2


def all_of(problems: Iterable[Diagnostic]) -> InputError:
    """One error with all problems, by file and line: in the order in which a reader would mend them."""
    return InputError(sorted(problems, key=lambda p: (p.file, p.row or 0)))


def attempt(read: Callable[[], _T], errors: list[FriendshoreError]) -> _T | None:
    """What `read` returns; None, with the error kept, if it refuses: so that what is wrong with one file keeps nobody from hearing of the next."""
    try:
        return read()
    except FriendshoreError as error:
        errors.append(error)
        return None


class PluginError(FriendshoreError):
    """A plugin that the case needs is missing, broken, or clashes with another."""

    exit_code = 3


class VerificationError(FriendshoreError):
    """A plan does not hold: something it says fails verification."""

    exit_code = 4


class SolverError(FriendshoreError):
    """The solver failed; this is a bug or a numerical breakdown, never plain infeasibility."""

    exit_code = 5


class NoPlanError(SolverError):
    """The search ended before there was any plan that keeps the rules of the case, though there may be one."""


class OutOfTimeError(NoPlanError):
    """A limit or Ctrl-C ended it."""

    @classmethod
    def ended(cls, when: str, canceled: bool) -> OutOfTimeError:
        """Return the error of a search that the user canceled, or else a time limit ended.

        Args:
            when: what was not done by then, like `before this was found`.
            canceled: True if the user canceled it.
        """
        if canceled:
            return cls(f"the search was canceled {when}")
        return cls(f"the search was ended {when}", fix="allow it more time")


_P = ParamSpec("_P")
_T = TypeVar("_T")
A_CASE = "friendshore.load_case({path})"
A_SESSION = f"friendshore.plan({A_CASE}).session"


def takes(kind: type, line: str) -> Callable[[Callable[_P, _T]], Callable[_P, _T]]:
    """Have a public function say what it takes, where its first argument is not a record of a kind but, say, the path of a case.

    Args:
        kind: what its first argument is.
        line: what makes that of a path, which stands in it as `{path}`.
    """

    def checked(function: Callable[_P, _T]) -> Callable[_P, _T]:
        @wraps(function)
        def call(*args: _P.args, **kwargs: _P.kwargs) -> _T:
            if args and not isinstance(args[0], kind):
                given = args[0]
                is_path = isinstance(given, str | PathLike)
                path = f'"{given}"' if is_path else '"case.toml"'
                raise InputError(
                    f"`{function.__name__}` takes a {kind.__name__}",
                    found=f"the path {path}" if is_path else f"`{type(given).__name__}`",
                    expected=f"a {kind.__name__}",
                    fix=f"give it `{line.format(path=path)}`",
                )
            return function(*args, **kwargs)

        return call

    return checked


CHANGES = (
    '`Change(price="OFFER", factor="1.1")` is a change, `Change.model_validate(TABLE)` makes one of a dict; write '
    "`session.after(CHANGE, ...)`, and `changes=[CHANGE, ...]` elsewhere"
)
RULES = "write `rules=[RULE, ...]`; `registry.rule(TABLE)` makes a rule of a dict"
CATALOGS = "write `catalogs=[CATALOG, ...]`; `friendshore.read_catalog(PATH)` reads one"


def each_of(values: object, kind: type[_T], name: str, fix: str) -> tuple[_T, ...]:
    """Return the values of an argument as a tuple.

    Args:
        values: What the caller gave.
        kind: Type of every value.
        name: Name of the argument.
        fix: How to write it.

    Raises:
        InputError: If it is not a sequence of values of that type.
    """
    alone = isinstance(values, str | bytes | Mapping | kind) or not isinstance(values, Iterable)
    given: list[Any] = [values] if alone else list(cast("Iterable[Any]", values))
    for value in given:
        if alone or not isinstance(value, kind):
            found, expected = f"`{type(value).__name__}`", f"a tuple or list of `{kind.__name__}`"
            raise InputError(f"`{name}` cannot be read", found=found, expected=expected, fix=fix)
    return tuple(given)
