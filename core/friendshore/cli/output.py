"""Where answers and errors go: stdout for answers alone, stderr for the rest, and the one place where errors are caught.

All text leaves through `_write`, or on a terminal through `_Inert`: what the data hold is text there, and nothing that a terminal obeys.
"""

from __future__ import annotations

import codecs
import functools
import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from contextvars import ContextVar
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec

import typer

from ..errors import Diagnostic, FriendshoreError
from ..inert import visible, visible_lines
from ..writing import refused_by_the_machine

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment

    from ..document.elements import Document

P = ParamSpec("P")

PIPE_WIDTH = 100
"""Characters of a line where stdout is no terminal and COLUMNS says nothing."""


LEAST_WIDTH = 40
"""Narrower, and tables are columns of single letters."""
MOST_WIDTH = 10_000
"""Wider is no terminal."""
_IN_ASCII = {"·": "*", "–": "-", "─": "-", "…": "~", "→": ">"}
"""What friendshore's own signs are on a terminal that lacks them: one letter each, so that columns stay where they are."""
_HEIGHT = 25
"""Lines of a terminal, which nothing that is printed depends on."""


class StdoutError(Exception):
    """Stdout takes nothing more: whoever read it is gone, or the disk behind it is full."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.closed = isinstance(error, BrokenPipeError)
        """Whether its reader is gone, which is no mistake."""
        self.reason = f"cannot be written: {error.strerror or error}"


def answering(command: Callable[P, int]) -> Callable[P, None]:
    """A command that returns its exit code; what friendshore refuses is told here, and nowhere else.

    With `as_json` the errors are one JSON object on stdout, else text on stderr. What the machine refuses (a folder that may not be
    read, a name that is too long, a full disk) is told like a mistake of the input. Anything else is a bug of ours and shows its
    traceback.
    """

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        as_json = bool(kwargs.get("as_json"))
        try:
            with answers_alone():
                code = command(*args, **kwargs)
        except FriendshoreError as error:
            code = _refuse(error, as_json)
        except OSError as error:
            code = _refuse(refused_by_the_machine(error), as_json)
        raise typer.Exit(code)

    return run


def _refuse(error: FriendshoreError, as_json: bool) -> int:
    if as_json:
        from ..report import errors_data

        show_json(errors_data(error))
    else:
        complain(error.problems)
    return error.exit_code


_STDOUT: ContextVar[Any] = ContextVar("_STDOUT")


@contextmanager
def answers_alone() -> Iterator[None]:
    """Keeps stdout for answers: what a plugin's code prints goes to stderr, and never into a JSON object."""
    token = _STDOUT.set(sys.stdout)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        _STDOUT.reset(token)


def _stdout() -> Any:
    return _STDOUT.get(sys.stdout)


def complain(problems: Iterable[Diagnostic], *, counted: bool = True) -> None:
    """Problems as text on stderr, with their count, unless the answer on stdout is the count."""
    from ..report import by_cause, problem_lines

    found = list(problems)
    for line in problem_lines(found):
        tell(line)
    causes = len(by_cause(found))
    if counted and causes > 1:
        tell(f"{causes} problems")


def warn(text: str) -> None:
    """What to know of an answer, on stderr."""
    tell(f"note: {visible(text)}")


def tell(text: str) -> None:
    """A text on stderr."""
    try:
        _write(sys.stderr, text)
    except OSError:  # nobody reads it, and there is nowhere else to say so: the answer and the exit code still hold
        let_go(sys.stderr)


def let_go(stream: Any) -> None:
    """What a stream did not take goes nowhere, so that Python does not try again when it ends."""
    if stream in (sys.__stdout__, sys.__stderr__):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def show_on_screen(told: Document) -> None:
    """A document on stdout, shortened to the lines of a screen."""
    from ..document.excerpts import LINES

    show(told, most=LINES)


def show(*told: Document, most: int | None = None) -> None:
    """Documents on stdout: in colours on a terminal, else as text; each shortened to so many lines."""
    from ..document.terminal import plain_text, renderables

    stream = _stdout()
    width, ascii_only = width_of(stream), not (getattr(stream, "encoding", None) or "utf-8").lower().startswith("utf")
    with _telling_of_stdout():
        if _has_colours(stream):
            console = stdout_console()
            for part in chain.from_iterable(renderables(one, width, ascii_only=ascii_only, most=most) for one in told):
                console.print(_Inert(part))
            return
    text = "\n".join(plain_text(one, width, ascii_only=ascii_only, most=most) for one in told if one.parts)
    if text:
        bare(text)


def _has_colours(stream: Any) -> bool:
    """Return True if a stream is a terminal, or counts as one. If it surely isn't, rich isn't loaded."""
    told = any(os.environ.get(name) for name in ("FORCE_COLOR", "TTY_COMPATIBLE"))
    return stream is not None and (told or stream.isatty()) and stdout_console().is_terminal


class _Inert:
    """Something shown on a terminal: its colors are ours, its text isn't."""

    def __init__(self, part: RenderableType) -> None:
        self._part = part

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        """The part, as segments of text and style."""
        from rich.segment import Segment

        for text, style, control in console.render(self._part, options):
            yield Segment(text if control else visible_lines(text), style, control)


def show_json(data: object) -> None:
    """One JSON object on stdout."""
    bare(json_for_stdout(data))


def json_for_stdout(data: object) -> str:
    """One JSON object, in signs that the encoding of stdout can hold."""
    from ..run import json_text

    encoding = getattr(_stdout(), "encoding", None) or "utf-8"
    return json_text(data, ascii_only=codecs.lookup(encoding).name != "utf-8").rstrip("\n")


def answer(as_json: bool, data: Callable[[], object], told: Callable[[], Document]) -> int:
    """An answer as one JSON object, or as a document; only the one that is shown is made. Returns the exit code of what is done."""
    show_json(data()) if as_json else show(told())
    return 0


def wrote(as_json: bool, paths: Iterable[Path], **more: object) -> None:
    """What was written, a line a file, or with whatever else there is to say in one JSON object."""
    named = [str(path) for path in paths]
    if as_json:
        show_json({"wrote": named, **more})
    else:
        for name in named:
            bare(f"wrote {name}")


def bare(text: str) -> None:
    """A text on stdout, as it is but for signs that cannot be seen."""
    with _telling_of_stdout():
        _write(_stdout(), text)


@contextmanager
def _telling_of_stdout() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StdoutError(error) from error


def stdout_console() -> Console:
    """A console for stdout: colours only on a terminal, and not under NO_COLOR."""
    _lenient(_stdout())
    return console_on(io.StringIO() if _stdout() is None else _stdout())


def console_on(stream: Any) -> Console:
    """A console that prints what it is given as text; how wide is settled here, since COLUMNS and LINES may hold anything."""
    from rich.console import Console

    options: dict[str, Any] = {"markup": False, "emoji": False, "highlight": False, "soft_wrap": False}
    return Console(file=stream, width=width_of(stream), height=_HEIGHT, **options)


def width_of(stream: Any) -> int:
    """Characters of a line on a stream."""
    told = os.environ.get("COLUMNS", "")
    if told.isdecimal() and len(told) < 10 and int(told):
        return min(max(int(told), LEAST_WIDTH), MOST_WIDTH)
    if told or stream is None or not stream.isatty():
        return PIPE_WIDTH
    return os.get_terminal_size(stream.fileno()).columns or PIPE_WIDTH


def _write(stream: Any, text: str) -> None:
    if stream is None:
        return  # closed by whoever started us
    _lenient(stream)
    stream.write(visible_lines(text) + "\n")
    stream.flush()


def _lenient(stream: Any) -> None:
    """Let a terminal replace signs that its encoding lacks with similar ones or numbers."""
    if hasattr(stream, "reconfigure"):
        codecs.register_error(_LENIENT, _shown)
        stream.reconfigure(errors=_LENIENT)


_LENIENT = "friendshore"


def _shown(error: UnicodeError) -> tuple[str | bytes, int]:
    """Return the replacement of a sign that an encoding lacks, and where to continue."""
    if isinstance(error, UnicodeEncodeError):
        if sign := _IN_ASCII.get(error.object[error.start]):
            return sign, error.start + 1
        error.end = error.start + 1  # the sign after it may be one of ours
    return codecs.backslashreplace_errors(error)
