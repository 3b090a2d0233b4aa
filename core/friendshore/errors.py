"""Errors in six classes, each with its exit code.

Every error that a user can cause has all its diagnostics as data. Each has the place (file, row, column), the value found, the expected value,
and the fix.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import wraps
from os import PathLike
from typing import Any, ParamSpec, TypeVar, cast


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """An error in an input, in a planner's words."""

    message: str
    """Error in one sentence."""
    file: str = ""
    """File as named by the user, or the record if it was built in memory."""
    row: int | None = None
    """Line of the file (the header of a table is line 1)."""
    column: str = ""
    found: str = ""
    """Value that was found."""
    expected: str = ""
    """Values that are accepted."""
    fix: str = ""
    """Fix of the error."""
    code: str = ""
    """Stable code of this kind of error, such as `FS101`. `codes.toml` lists them. Errors of a plugin may have its own codes, or none."""

    @property
    def first_line(self) -> str:
        """Place, code, and message: `offers.csv:12 [material]: FS101 no material "galium"`."""
        place = self.file
        if self.row is not None:
            place += f":{self.row}"
        if self.column:
            place += f" [{self.column}]"
        told = f"{self.code} {self.message}" if self.code else self.message
        return f"{place.strip()}: {told}" if place.strip() else told

    def __str__(self) -> str:
        parts = [self.first_line]
        if self.found:
            parts.append(f"found {self.found}")
        if self.expected:
            parts.append(f"expected {self.expected}")
        if self.fix:
            parts.append(f"fix: {self.fix}")
        return "; ".join(parts)


class FriendshoreError(Exception):
    """An error that friendshore reports, with all its diagnostics.

    It takes diagnostics, a single `Diagnostic`, or a message with the other fields of a `Diagnostic`.

    Attributes:
        problems: All diagnostics, never only the first.
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
        code: str = "",
    ) -> None:
        if isinstance(problems, str):
            problems = Diagnostic(problems, file, row, column, found, expected, fix, code)
        if isinstance(problems, Diagnostic):
            problems = (problems,)
        self.problems: tuple[Diagnostic, ...] = tuple(dict.fromkeys(problems))  # one cause, however often it was met
        super().__init__("\n".join(str(p) for p in self.problems))


class InputError(FriendshoreError):
    """A case, catalog, rule pack, or run folder that can't be read or is invalid."""

    exit_code = 2


def all_of(problems: Iterable[Diagnostic]) -> InputError:
    """Return one error with all problems, sorted by file and line."""
    return InputError(sorted(problems, key=lambda p: (p.file, p.row or 0)))


def attempt(read: Callable[[], _T], errors: list[FriendshoreError]) -> _T | None:
    """Return `read()`, or add its error to `errors` and return None. An error in one file doesn't hide those of the next."""
    try:
        return read()
    except FriendshoreError as error:
        errors.append(error)
        return None


class PluginError(FriendshoreError):
    """A missing or broken plugin, or a conflict between plugins."""

    exit_code = 3


class VerificationError(FriendshoreError):
    """A plan that fails verification."""

    exit_code = 4


class SolverError(FriendshoreError):
    """A failure of the solver: a bug or a numerical breakdown, never plain infeasibility."""

    exit_code = 5


class NoPlanError(SolverError):
    """End of a search without a feasible plan, although one may exist."""


class OutOfTimeError(NoPlanError):
    """End of a search by a limit or Ctrl-C."""

    @classmethod
    def ended(cls, when: str, canceled: bool) -> OutOfTimeError:
        """Return the error of a search that the user or a time limit ended.

        Args:
            when: Rest of the sentence, such as `before this was found`.
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
    """Make a public function reject a first argument of another type, such as the path of a case, with a helpful error.

    Args:
        kind: Expected type.
        line: Code that makes such an object from a path, with `{path}` in place of the path.
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
    "`session.what_if(CHANGE, ...)`, and `changes=[CHANGE, ...]` elsewhere"
)
RULES = "write `rules=[RULE, ...]`; `registry.rule(TABLE)` makes a rule of a dict"
CATALOGS = "write `catalogs=[CATALOG, ...]`; `friendshore.load_catalog(PATH)` reads one"


def each_of(values: object, kind: type[_T], name: str, fix: str) -> tuple[_T, ...]:
    """Return the values of an argument as a tuple.

    Args:
        values: Argument of the caller.
        kind: Type of every value.
        name: Name of the argument.
        fix: How to write it.

    Raises:
        InputError: If it isn't a sequence of values of that type.
    """
    alone = isinstance(values, str | bytes | Mapping | kind) or not isinstance(values, Iterable)
    given: list[Any] = [values] if alone else list(cast("Iterable[Any]", values))
    for value in given:
        if alone or not isinstance(value, kind):
            found, expected = f"`{type(value).__name__}`", f"a tuple or list of `{kind.__name__}`"
            raise InputError(f"`{name}` cannot be read", found=found, expected=expected, fix=fix)
    return tuple(given)
