"""Where answers and errors go: stdout for answers alone, stderr for the rest, and the one place where errors are caught."""

from __future__ import annotations

import functools
import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ParamSpec

import typer

from ..errors import FriendshoreError

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from ..errors import Problem

P = ParamSpec("P")

PIPE_WIDTH = 100
"""Characters of a line where stdout is no terminal and COLUMNS says nothing."""


LEAST_WIDTH = 40
"""Narrower, and tables are columns of single letters."""


def answering(command: Callable[P, int]) -> Callable[P, None]:
    """A command that returns its exit code; what friendshore refuses is told here, and nowhere else.

    With `as_json` the errors are one JSON object on stdout, else text on stderr. Anything but a `FriendshoreError` is a bug of
    ours and shows its traceback.
    """

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            with _answers_alone():
                code = command(*args, **kwargs)
        except FriendshoreError as error:
            if kwargs.get("as_json"):
                from ..report import errors_data

                show_json(errors_data(error))
            else:
                complain(error.problems)
            code = error.exit_code
        raise typer.Exit(code)

    return run


_STDOUT: ContextVar[Any] = ContextVar("_STDOUT")


@contextmanager
def _answers_alone() -> Iterator[None]:
    """Keeps stdout for answers: what a plugin's code prints goes to stderr, and never into a JSON object."""
    token = _STDOUT.set(sys.stdout)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        _STDOUT.reset(token)


def _stdout() -> Any:
    return _STDOUT.get(sys.stdout)


def complain(problems: Iterable[Problem]) -> None:
    """Problems as text on stderr, with their count."""
    from ..report import problem_lines

    found = list(problems)
    for line in problem_lines(found):
        _write(sys.stderr, line)
    if len(found) > 1:
        _write(sys.stderr, f"{len(found)} problems")


def warn(text: str) -> None:
    """What to know of an answer, on stderr."""
    _write(sys.stderr, f"note: {text}")


def show(parts: Iterable[RenderableType]) -> None:
    """Text on stdout."""
    console = stdout_console()
    if console.is_terminal:
        for part in parts:
            console.print(part)
        return
    with console.capture() as captured:
        for part in parts:
            console.print(part)
    for line in captured.get().splitlines():
        bare(line.rstrip())


def show_json(data: object) -> None:
    """One JSON object on stdout."""
    from ..run import json_text

    bare(json_text(data).rstrip("\n"))


def bare(text: str) -> None:
    """A text as it is, on stdout."""
    _write(_stdout(), text)


def stdout_console() -> Console:
    """A console for stdout: colours only on a terminal, and not under NO_COLOR."""
    from rich.console import Console

    told = os.environ.get("COLUMNS", "")
    if told.isdigit():
        columns: int | None = max(int(told), LEAST_WIDTH) if int(told) else PIPE_WIDTH
    else:
        columns = None if _stdout() is not None and _stdout().isatty() else PIPE_WIDTH
    _lenient(_stdout())
    file = io.StringIO() if _stdout() is None else _stdout()
    return Console(file=file, width=columns, markup=False, emoji=False, highlight=False, soft_wrap=False)


def width() -> int:
    """Characters of a line on stdout."""
    return stdout_console().width


def _write(stream: Any, text: str) -> None:
    if stream is None:
        return  # closed by whoever started us
    _lenient(stream)
    stream.write(text + "\n")
    stream.flush()


def _lenient(stream: Any) -> None:
    """A terminal whose encoding lacks a sign shows its number in the place of it, rather than nothing at all."""
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")
