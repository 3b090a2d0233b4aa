"""Output and errors: stdout for answers, stderr for the rest. The only place that catches errors."""

from __future__ import annotations

import codecs
import functools
import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec

import typer

from ..errors import Diagnostic, FriendshoreError
from ..inert import visible, visible_lines
from ..writing import system_input_error
from .host import host

if TYPE_CHECKING:
    from datetime import date

    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment

    from ..document.elements import Document

P = ParamSpec("P")

# Characters of a line if stdout is not a terminal and COLUMNS is not set.
PIPE_WIDTH = 100
# In narrower lines, columns would have single letters. No terminal is wider than the maximum.
MIN_WIDTH, MAX_WIDTH = 40, 10_000
_IN_ASCII = {"·": "*", "–": "-", "─": "-", "…": "~", "→": ">", "✓": "+", "✗": "x", "█": "#"}
"""Replacements of friendshore's own signs on terminals that lack them. One letter each, to keep columns aligned."""
_TERMINAL_HEIGHT = 25


class StdoutError(Exception):
    """A failure to write to stdout: its reader is gone, or the disk is full."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.closed = isinstance(error, BrokenPipeError)
        self.reason = f"cannot be written: {error.strerror or error}"


def answering(command: Callable[P, int]) -> Callable[P, None]:
    """Return a command that exits with its code and reports errors: with `as_json` as one JSON object on stdout, else as text on stderr.

    Errors of the system, such as a full disk, are reported like input errors. Any other error is a bug and shows its traceback.
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
        print_problems(error.problems)
    return error.exit_code


_STDOUT: ContextVar[Any] = ContextVar("_STDOUT")


# Streams that `reserve_stdout` opened.
_RESERVED: list[Any] = []
_STDOUT_NUMBER, STDERR_NUMBER = 1, 2


def reserve_stdout() -> None:
    """Give stdout another descriptor. What libraries, plugins, and their processes write to the usual one goes to stderr, and never into an answer."""
    stream: Any = sys.stdout
    if stream.fileno() != _STDOUT_NUMBER:
        return
    stream.flush()
    answers = os.dup(_STDOUT_NUMBER)
    os.dup2(STDERR_NUMBER, _STDOUT_NUMBER)
    sys.stdout = os.fdopen(answers, "w", encoding=stream.encoding, errors=stream.errors)
    _RESERVED.append(sys.stdout)


@contextmanager
def answers_alone() -> Iterator[None]:
    """Reserve stdout for answers: output of plugin code goes to stderr, and never into a JSON object."""
    token = _STDOUT.set(sys.stdout)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        _STDOUT.reset(token)


def answer_stream() -> Any:
    """Return the stream for answers. `sys.stdout` is stderr while a command runs."""
    return _STDOUT.get(sys.stdout)


def print_problems(problems: Iterable[Diagnostic], *, counted: bool = True) -> None:
    """Print errors on stderr, with their number first. A terminal has colors and hanging indents."""
    from ..report import by_cause, problem_document, problem_lines

    listed = list(problems)
    if not listed:
        return
    causes = len(by_cause(listed))
    if counted and causes > 1:
        print_error(f"{causes} errors")
    if not _print_in_color(sys.stderr, lambda: [problem_document(listed)]):
        for line in problem_lines(listed):
            print_error(line)


def warn(text: str) -> None:
    from ..document import elements as doc

    note = doc.Sentence((doc.Phrase("note: ", doc.Tone.DOUBTFUL), text))
    if not _print_in_color(sys.stderr, lambda: [doc.document("", note)]):
        print_error(f"note: {visible(text)}")


def print_error(text: str) -> None:
    try:
        _write(sys.stderr, text)
    except (
        OSError
    ):  # its reader is gone, and there is no other place to report it; the answer and the exit code are still right
        discard_unwritten(sys.stderr)


def discard_unwritten(stream: Any) -> None:
    """Discard the unwritten output of a stream, so that Python doesn't write it again at exit."""
    if stream in (sys.__stdout__, sys.__stderr__, *_RESERVED):
        null_device = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null_device, stream.fileno())
        os.close(null_device)


def show_on_screen(document: Document) -> None:
    from ..document.excerpts import LINES

    show(document, max_lines=LINES)


def show(*documents: Document, max_lines: int | None = None) -> None:
    from ..document.terminal import plain_text

    stream = answer_stream()
    with _stdout_errors():
        if _print_in_color(stream, lambda: documents, max_lines):
            return
    width = width_of(stream)
    text = "\n".join(plain_text(document, width, max_lines=max_lines) for document in documents if document.parts)
    if text:
        bare(text)


def _print_in_color(stream: Any, documents: Callable[[], Iterable[Document]], max_lines: int | None = None) -> bool:
    """Print documents on a terminal. Return False if a stream is none, without making them or loading rich."""
    is_forced = any(os.environ.get(name) for name in ("FORCE_COLOR", "TTY_COMPATIBLE"))
    if stream is None or not (is_forced or stream.isatty()):
        return False
    _replace_unknown_characters(stream)
    console = console_on(stream)
    if not console.is_terminal:
        return False
    from ..document.terminal import renderables

    width = width_of(stream)
    for document in documents():
        for text_line in renderables(document, width, max_lines=max_lines):
            console.print(_Inert(text_line))
    return True


class _Inert:
    """Output for a terminal with friendshore's own colors and inert text."""

    def __init__(self, part: RenderableType) -> None:
        self._part = part

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        from rich.segment import Segment

        for text, style, control in console.render(self._part, options):
            yield Segment(text if control else visible_lines(text), style, control)


def show_json(data: object) -> None:
    bare(json_for_stdout(data))


def json_for_stdout(data: object) -> str:
    from ..run import json_text

    encoding = getattr(answer_stream(), "encoding", None) or "utf-8"
    return json_text(data, ascii_only=codecs.lookup(encoding).name != "utf-8").rstrip("\n")


def answer(as_json: bool, data: Callable[[], object], document: Callable[[], Document]) -> int:
    """Print an answer as a JSON object or as a document. Only the printed one is made. Return the exit code for success."""
    if as_json:
        show_json(data())
        host().also_show(document)
    else:
        show(document())
    return 0


def screen_text(document: Document) -> str:
    """Return what `show_on_screen` prints where there is no terminal."""
    from ..document.excerpts import LINES
    from ..document.terminal import plain_text

    return visible_lines(plain_text(document, PIPE_WIDTH, max_lines=LINES))


def dated_data(data: Mapping[str, object]) -> dict[str, object]:
    """Return the data of an answer with today's date and friendshore's version."""
    made, version = _origin()
    return {**data, "made": made.isoformat(), "version": version}


def dated(document: Document) -> Document:
    """Return an answer that ends with today's date and friendshore's version."""
    from ..document import elements as doc

    made, version = _origin()
    origin = doc.sentence(f"Made {made} with friendshore {version}.", tone=doc.Tone.ASIDE)
    return doc.document(document.title, *document.parts, doc.for_screen(origin), doc.for_whole(doc.apart(origin)))


def _origin() -> tuple[date, str]:
    from importlib.metadata import version

    from ..domain.time import today

    return today(), version("friendshore")


def wrote(as_json: bool, paths: Iterable[Path], **more: object) -> None:
    """Print the paths of written files, one per line, or as a JSON object with further data."""
    names = [str(path) for path in paths]
    if as_json:
        show_json({"wrote": names, **more})
    else:
        for name in names:
            bare(f"wrote {name}")


def bare(text: str) -> None:
    with _stdout_errors():
        _write(answer_stream(), text)


@contextmanager
def _stdout_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StdoutError(error) from error


def stdout_console() -> Console:
    _replace_unknown_characters(answer_stream())
    return console_on(io.StringIO() if answer_stream() is None else answer_stream())


def console_on(stream: Any) -> Console:
    """Return a console for plain text. Its width is set here, since COLUMNS and LINES may have any value."""
    from rich.console import Console

    options: dict[str, Any] = {"markup": False, "emoji": False, "highlight": False, "soft_wrap": False}
    return Console(file=stream, width=width_of(stream), height=_TERMINAL_HEIGHT, **options)


def width_of(stream: Any) -> int:
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and len(columns) < 10 and int(columns):
        return min(max(int(columns), MIN_WIDTH), MAX_WIDTH)
    if columns or stream is None or not stream.isatty():
        return PIPE_WIDTH
    return os.get_terminal_size(stream.fileno()).columns or PIPE_WIDTH


# All text on a stream passes through this function, or on a terminal through `_Inert`, so that text in the data can't control the terminal.
def _write(stream: Any, text: str) -> None:
    if stream is None:
        return  # closed by the calling process
    _replace_unknown_characters(stream)
    stream.write(visible_lines(text) + "\n")
    stream.flush()


def _replace_unknown_characters(stream: Any) -> None:
    if hasattr(stream, "reconfigure"):
        codecs.register_error(_ERROR_HANDLER, _replacement)
        stream.reconfigure(errors=_ERROR_HANDLER)


_ERROR_HANDLER = "friendshore"


def _replacement(error: UnicodeError) -> tuple[str | bytes, int]:
    if isinstance(error, UnicodeEncodeError):
        if sign := _IN_ASCII.get(error.object[error.start]):
            return sign, error.start + 1
        error.end = error.start + 1  # the next character may have a replacement
    return codecs.backslashreplace_errors(error)
