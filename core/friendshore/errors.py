"""Errors, each class with its exit code, and the diagnostics in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any, TypeVar, cast


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """An error in an input, in a planner's words."""

    message: str
    file: str = ""
    """File as named by the user, or the record if it was built in memory."""
    row: int | None = None
    """Line of the file (the header of a table is line 1)."""
    column: str = ""
    found: str = ""
    expected: str = ""
    fix: str = ""
    code: str = ""
    """Stable code of this kind of error, such as `FS101`, from `codes.toml`. Plugins may have their own."""

    @property
    def place(self) -> str:
        """File, row, and column: `offers.csv:12 [material]`. Empty if there is none."""
        row = f":{self.row}" if self.row is not None else ""
        column = f" [{self.column}]" if self.column else ""
        return f"{self.file}{row}{column}".strip()

    @property
    def first_line(self) -> str:
        """Place, code, and message: `offers.csv:12 [material]: FS101 no material "galium"`."""
        text = f"{self.code} {self.message}" if self.code else self.message
        return f"{self.place}: {text}" if self.place else text

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
    """An error that friendshore reports, with all its diagnostics, never only the first."""

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
        self.problems: tuple[Diagnostic, ...] = tuple(dict.fromkeys(problems))  # without duplicates
        super().__init__("\n".join(str(p) for p in self.problems))


class InputError(FriendshoreError):
    """A case, catalog, rule pack, or run folder that can't be read or is invalid."""

    exit_code = 2


def all_of(problems: Iterable[Diagnostic]) -> InputError:
    return InputError(sorted(problems, key=lambda p: (p.file, p.row or 0)))


def attempt(read: Callable[[], _T], errors: list[FriendshoreError]) -> _T | None:
    """Return `read()`, or add its error to `errors` and return None."""
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
        """Return the error of a search that the user or a limit ended. `when` completes the sentence, such as `before a plan was found`."""
        if canceled:
            return cls(f"the search was canceled {when}", code="FS701")
        return cls(f"the search was ended {when}", fix="allow more time, such as `--time-limit 600`", code="FS701")


_T = TypeVar("_T")


def check_argument_type(value: object, function: str, types: Sequence[type]) -> None:
    """Raise an InputError with a fix if the first argument of a public function, such as the path of a case, has none of these types."""
    if isinstance(value, tuple(types)):
        return
    names = [kind.__name__ for kind in types]
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])}, or {names[-1]}"
    is_path = isinstance(value, str | PathLike)
    path = f'"{value}"' if is_path else '"case.toml"'
    raise InputError(
        f"{function} takes a {listed}",
        found=f"the path {path}" if is_path else f"`{type(value).__name__}`",
        expected=f"a {listed}",
        fix=f"pass `friendshore.load_case({path})`",
        code="FS590",
    )


CHANGES = (
    "write `session.what_if(CHANGE, ...)`, or `changes=[CHANGE, ...]` in other functions. "
    'Create a change by `Change(price="OFFER", factor="1.1")`, or from a dict by `Change.model_validate(TABLE)`'
)
RULES = "write `rules=[RULE, ...]`. Create a rule from a dict by `registry.rule(TABLE)`"
CATALOGS = "write `catalogs=[CATALOG, ...]`. Read a catalog by `friendshore.load_catalog(PATH)`"


def tuple_of(values: object, kind: type[_T], name: str, fix: str) -> tuple[_T, ...]:
    """Return the values of the argument `name` as a tuple. Raise an InputError if it isn't a sequence of values of type `kind`."""
    is_single = isinstance(values, str | bytes | Mapping | kind) or not isinstance(values, Iterable)
    entries: list[Any] = [values] if is_single else list(cast("Iterable[Any]", values))
    for entry in entries:
        if is_single or not isinstance(entry, kind):
            found, expected = f"`{type(entry).__name__}`", f"a tuple or list of `{kind.__name__}`"
            raise InputError(f"`{name}` has the wrong type", "", None, "", found, expected, fix, code="FS590")
    return tuple(entries)
