"""The program that runs a command. The command line plans each time; a server keeps plans, watches progress, and shows answers elsewhere."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ..errors import InputError

if TYPE_CHECKING:
    from ..document.elements import Document
    from ..domain.case import Case
    from ..domain.runtime import Watcher
    from ..plugins import Registry
    from ..recommend import Checked, Opened, Recommendation


class Host:
    """The command line. Derive a class for a program that answers many commands, and run them within `hosted_by`."""

    @property
    def watcher(self) -> Watcher | None:
        """Receiver of progress in place of a bar on a terminal."""
        return None

    def registry(self) -> Registry:
        from ..plugins import Registry

        return Registry.discover()

    def check(self, case: Path, registry: Registry, *, strict: bool) -> Checked:
        """Return what `friendshore.recommend.check` returns."""
        from ..recommend import check

        return check(case, registry, strict=strict)

    def plan(self, case: Case, **options: Any) -> Recommendation:
        """Return what `friendshore.recommend.plan` returns."""
        from ..recommend import plan

        return plan(case, **options)

    def reopen(self, path: Path, **options: Any) -> Opened:
        """Return what `friendshore.recommend.reopen` returns."""
        from ..recommend import reopen

        return reopen(path, **options)

    def also_show(self, document: Callable[[], Document]) -> None:
        """Receive the document of an answer that is printed as JSON."""


_HOST: ContextVar[Host] = ContextVar("_HOST")
_COMMAND_LINE = Host()


def host() -> Host:
    """Return the program that runs the current command."""
    return _HOST.get(_COMMAND_LINE)


@contextmanager
def hosted_by(program: Host) -> Iterator[None]:
    """Run commands for another program within this context."""
    token = _HOST.set(program)
    try:
        yield
    finally:
        _HOST.reset(token)


@dataclass(frozen=True, slots=True)
class Printed:
    """Output of a command."""

    code: int
    """Exit code."""
    out: str
    """Text on stdout: with `as_json`, one JSON object."""
    notes: tuple[str, ...]
    """Notes on stderr."""


def run_hosted(program: Host, function: Callable[..., None], values: Mapping[str, Any]) -> Printed:
    """Run the function of a command for another program, and return its output. Raise `InputError` for values that exclude each other."""
    out, errors, code = io.StringIO(), io.StringIO(), 0
    # While a command runs, stdout has only its answer. Everything else that is printed goes to stderr.
    with hosted_by(program), redirect_stdout(out), redirect_stderr(errors):
        try:
            function(**values)
        except typer.Exit as exit_:
            code = exit_.exit_code
        except typer.BadParameter as error:
            raise InputError("the arguments are invalid", found=str(error), code="FS988") from error
    notes = (line.removeprefix("note: ") for line in errors.getvalue().splitlines() if line.startswith("note: "))
    return Printed(code, out.getvalue(), tuple(notes))
