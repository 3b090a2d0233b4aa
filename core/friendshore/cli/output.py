"""Output and errors: stdout for answers, stderr for the rest, and the only place that catches errors.

All text passes through `_write`, or on a terminal through `_Inert`, so that text in the data can't control the terminal.
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
from ..writing import system_input_error

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment

    from ..document.elements import Document

P = ParamSpec("P")

PIPE_WIDTH = 100
"""Characters of a line if stdout isn't a terminal and COLUMNS isn't set."""


MIN_WIDTH = 40
"""Minimum width. In narrower lines, columns would have single letters."""
MOST_WIDTH = 10_000
"""Maximum width. No terminal is wider."""
_IN_ASCII = {"·": "*", "–": "-", "─": "-", "…": "~", "→": ">"}
"""Replacements of friendshore's own signs on terminals that lack them. One letter each, to keep columns aligned."""
_HEIGHT = 25
"""Lines of a terminal. The output doesn't depend on it."""


class StdoutError(Exception):
    """A failure to write to stdout: its reader is gone, or the disk is full."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.closed = isinstance(error, BrokenPipeError)
        """True if the reader is gone, which isn't an error."""
        self.reason = f"cannot be written: {error.strerror or error}"


def answering(command: Callable[P, int]) -> Callable[P, None]:
    """Return a command that exits with its code and reports friendshore's errors. No other place reports them.

    With `as_json`, errors are one JSON object on stdout, else text on stderr. Errors of the system, such as an unreadable folder, a name that is too
    long, or a full disk, are reported like input errors. Any other error is a bug and shows its traceback.
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
            code = _refuse(system_input_error(error), as_json)
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
    """Reserve stdout for answers: output of plugin code goes to stderr, and never into a JSON object."""
    token = _STDOUT.set(sys.stdout)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        _STDOUT.reset(token)


def _stdout() -> Any:
    return _STDOUT.get(sys.stdout)


def complain(problems: Iterable[Diagnostic], *, counted: bool = True) -> None:
    """Print errors as text on stderr, with their number unless `counted` is False."""
    from ..report import by_cause, problem_lines

    found = list(problems)
    for line in problem_lines(found):
        tell(line)
    causes = len(by_cause(found))
    if counted and causes > 1:
        tell(f"{causes} problems")


def warn(text: str) -> None:
    """Print a note on an answer to stderr."""
    tell(f"note: {visible(text)}")


def tell(text: str) -> None:
    """Print a text to stderr."""
    try:
        _write(sys.stderr, text)
    except OSError:  # nobody reads it, and there is nowhere else to say so: the answer and the exit code still hold
        let_go(sys.stderr)


def let_go(stream: Any) -> None:
    """Discard the unwritten output of a stream, so that Python doesn't write it again at exit."""
    if stream in (sys.__stdout__, sys.__stderr__):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def show_on_screen(told: Document) -> None:
    """Print a document to stdout, shortened to the lines of a screen."""
    from ..document.excerpts import LINES

    show(told, most=LINES)


def show(*told: Document, most: int | None = None) -> None:
    """Print documents to stdout, in colors on a terminal, else as text. Each has at most `most` lines."""
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
    """Return True if a stream is a terminal or counts as one. If it surely isn't, rich isn't loaded."""
    told = any(os.environ.get(name) for name in ("FORCE_COLOR", "TTY_COMPATIBLE"))
    return stream is not None and (told or stream.isatty()) and stdout_console().is_terminal


class _Inert:
    """Output for a terminal with friendshore's own colors and inert text."""

    def __init__(self, part: RenderableType) -> None:
        self._part = part

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        from rich.segment import Segment

        for text, style, control in console.render(self._part, options):
            yield Segment(text if control else visible_lines(text), style, control)


def show_json(data: object) -> None:
    """Print a JSON object to stdout."""
    bare(json_for_stdout(data))


def json_for_stdout(data: object) -> str:
    """Return a JSON object in characters that the encoding of stdout supports."""
    from ..run import json_text

    encoding = getattr(_stdout(), "encoding", None) or "utf-8"
    return json_text(data, ascii_only=codecs.lookup(encoding).name != "utf-8").rstrip("\n")


def answer(as_json: bool, data: Callable[[], object], told: Callable[[], Document]) -> int:
    """Print an answer as a JSON object or as a document. Only the printed one is made. Return the exit code for success."""
    show_json(data()) if as_json else show(told())
    return 0


def wrote(as_json: bool, paths: Iterable[Path], **more: object) -> None:
    """Print the paths of written files, one per line, or with further data as a JSON object."""
    named = [str(path) for path in paths]
    if as_json:
        show_json({"wrote": named, **more})
    else:
        for name in named:
            bare(f"wrote {name}")


def bare(text: str) -> None:
    """Print a text to stdout, with invisible characters escaped."""
    with _telling_of_stdout():
        _write(_stdout(), text)


@contextmanager
def _telling_of_stdout() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StdoutError(error) from error


def stdout_console() -> Console:
    """Return a console for stdout, with colors only on a terminal and without NO_COLOR."""
    _lenient(_stdout())
    return console_on(io.StringIO() if _stdout() is None else _stdout())


def console_on(stream: Any) -> Console:
    """Return a console that prints plain text. Its width is set here, since COLUMNS and LINES may have any value."""
    from rich.console import Console

    options: dict[str, Any] = {"markup": False, "emoji": False, "highlight": False, "soft_wrap": False}
    return Console(file=stream, width=width_of(stream), height=_HEIGHT, **options)


def width_of(stream: Any) -> int:
    """Return the characters of a line on a stream."""
    told = os.environ.get("COLUMNS", "")
    if told.isdecimal() and len(told) < 10 and int(told):
        return min(max(int(told), MIN_WIDTH), MOST_WIDTH)
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
    """Make a terminal replace characters that its encoding lacks with similar ones or numbers."""
    if hasattr(stream, "reconfigure"):
        codecs.register_error(_LENIENT, _shown)
        stream.reconfigure(errors=_LENIENT)


_LENIENT = "friendshore"


def _shown(error: UnicodeError) -> tuple[str | bytes, int]:
    """Return the replacement of a character that an encoding lacks, and the position to continue at."""
    if isinstance(error, UnicodeEncodeError):
        if sign := _IN_ASCII.get(error.object[error.start]):
            return sign, error.start + 1
        error.end = error.start + 1  # the sign after it may be one of ours
    return codecs.backslashreplace_errors(error)
