"""Commands for questions about a plan, each made from its question on use, and the questions of `report --with`.

The shared options (the case, scenarios, changes, limits, `--json`) are below. The help of all commands comes from manifests. Only the command of
a question imports its code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from inspect import Parameter, Signature
from pathlib import Path, PurePosixPath
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand
from typer.main import get_command

from ..errors import FriendshoreError
from ..writing import add_files, reject_existing
from .options import (
    DEFAULT_GAP,
    AnswerFile,
    AsJson,
    Blocked,
    Changes,
    Full,
    Gap,
    Html,
    PlanPath,
    Quiet,
    Scenarios,
    Strict,
    TimeLimit,
    Workers,
    installed,
)
from .output import answering, answers_alone, bare, json_for_stdout, show, show_on_screen, warn
from .waiting import Interrupt, progress_bar

if TYPE_CHECKING:
    from ..document.elements import Document
    from ..plugins import Registry
    from ..questions import Question
    from ..questions.base import Option
    from ..recommend import Opened
    from ..report.formats import Format


_SHARED: Mapping[str, tuple[Any, object]] = {
    "scenario": (Scenarios, None),
    "change": (Changes, None),
    "strict": (Strict, False),
    "time_limit": (TimeLimit, None),
    "gap": (Gap, DEFAULT_GAP),
    "workers": (Workers, None),
    "block": (Blocked, None),
    "out": (AnswerFile, None),
    "html": (Html, None),
    "as_json": (AsJson, False),
    "full": (Full, False),
    "quiet": (Quiet, False),
}
"""Options that all questions share, with their defaults. A question's own option replaces the shared one (`compare --scenario`)."""
_READ_BY_ITSELF = {"scenario", "change"}
"""Options that a question may read itself. Its case is then opened without them."""
_TYPES: Mapping[Any, Any] = {Decimal: float, tuple[str, ...]: list[str] | None}
"""Types of options that the command line reads as other types."""


def command_for(name: str, args: Sequence[str] = ()) -> TyperCommand:
    """Return the command of a question. If it is unavailable, the command reports the reason. Plugins blocked in `args` are ignored."""
    blocks = [*values_of(args, "--block")]
    from ..questions.base import question_named

    try:
        with answers_alone():
            registry = installed(blocks)
            question = question_named(registry, name)
    except FriendshoreError as error:
        return refusal(name, error, "--json" in args)

    @answering
    def run(path: Path, **given: Any) -> int:
        here = registry if (given["block"] or []) == blocks else installed(given["block"])
        return _asked(question_named(here, name), here, path, given)

    _sign(run, question)
    return typed_command(name, run)


def values_of(args: Sequence[str], option: str) -> Iterator[str]:
    """Yield the values of an option, which may be repeated."""
    for number, arg in enumerate(args):
        if arg == option:
            yield from args[number + 1 : number + 2]
        elif arg.startswith(f"{option}="):
            yield arg.removeprefix(f"{option}=")


def refusal(name: str, error: FriendshoreError, as_json: bool) -> TyperCommand:
    """Return a command that accepts any arguments and reports the error."""

    @answering
    def run(**_: object) -> int:
        raise error

    rest = Annotated[list[str] | None, typer.Argument()]
    _give(run, [_keyword("rest", rest, None), _keyword("as_json", AsJson, as_json)])
    return typed_command(name, run, {"ignore_unknown_options": True, "help_option_names": ["--help-of-it"]})


def typed_command(name: str, run: Callable[..., None], settings: dict[str, Any] | None = None) -> TyperCommand:
    """Return the command that typer makes from a function's parameters."""
    one = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)
    one.command(name, context_settings=settings)(run)
    made = get_command(one)
    assert isinstance(made, TyperCommand)
    return made


def _sign(run: Callable[..., None], question: Question[Any, Any]) -> None:
    """Set the options and the docstring of a command from its question."""
    from ..questions.base import options_of

    options = options_of(question)
    own = [_parameter(one) for one in options]
    names = {one.name for one in options}
    shared = [_keyword(name, told, default) for name, (told, default) in _SHARED.items() if name not in names]
    _give(run, [_keyword("path", PlanPath), *own, *shared])
    run.__doc__ = question.__doc__


def _give(run: Callable[..., None], parameters: Sequence[Parameter]) -> None:
    vars(run)["__signature__"] = Signature(parameters)
    run.__annotations__ = {one.name: one.annotation for one in parameters}


def _parameter(one: Option) -> Parameter:
    told = _argument(one) if one.setting.argument else _flag(one)
    default = Parameter.empty if one.needed else one.default
    if type(default) in _AS_TYPED:
        default = _AS_TYPED[type(default)](default)
    kind = _TYPES.get(one.kind, one.kind)
    return _keyword(one.name, Annotated[kind, told], default)


def _keyword(name: str, annotation: object, default: object = Parameter.empty) -> Parameter:
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


_AS_TYPED: Mapping[type, Callable[[Any], Any]] = {Decimal: float, tuple: lambda value: list(value) or None}
"""Conversion of a default for the command line."""


def _argument(one: Option) -> Any:
    name = one.setting.unit or one.name.upper()
    return typer.Argument(help=one.setting.meaning, metavar=name if one.needed else f"[{name}]")


def _flag(one: Option) -> Any:
    told = one.setting
    flags = told.flags or ((f"--{one.name.replace('_', '-')}",) if one.default is not True else ())
    return typer.Option(*flags, metavar=told.unit or None, help=told.meaning, min=told.least, max=told.most)


def _asked(question: Question[Any, Any], registry: Registry, path: Path, given: Mapping[str, Any]) -> int:
    from ..plugins import asked_of
    from ..questions import OptionsError
    from ..questions.base import options_of, shown
    from ..report.formats import format_named, format_of

    typed = {one.name: _value(one, given[one.name]) for one in options_of(question)}
    shared = {name: value for name, value in given.items() if name not in _READ_BY_ITSELF & typed.keys()}
    file, form = given["out"] or given["html"], None
    if given["html"] is not None:
        warn("`--html FILE` is now `--out FILE.html`")
    if file is not None:
        form = format_of(file, registry) if given["html"] is None else format_named("html", registry)
        reject_existing(file)  # before the work, not after it
    try:
        asked = _options_of(question, typed)
    except OptionsError as error:
        raise typer.BadParameter(str(error)) from error
    with _opened(path, registry, shared) as opened:
        for note in opened.notes:
            warn(note)
        found = answered(question, opened, asked, shared)
        up = late(opened)
    with asked_of(question, question.name):
        notes, text = question.notes(found), question.text(found, asked)
    for note in (*notes, *up):
        warn(note)
    if file is not None and form is not None:
        if form.name == "html" and question.text_is_page and text is not None:
            add_files(file.parent, {PurePosixPath(file.name): text.encode()})
            text = None  # the screen shows its subject instead
        else:
            page = shown(question, lambda: question.document(found, asked))
            _write_page(file, form, page, (*opened.notes, *notes, *up))
    if given["as_json"]:
        with asked_of(question, question.name):
            data = json_for_stdout(dict(question.data(found, asked)))
        bare(data)
    elif text is not None:
        bare(text)
    elif given["full"]:
        show(_as_report(shown(question, lambda: question.document(found, asked))))
    else:
        show_on_screen(shown(question, lambda: question.document(found, asked)))
    return 0


def _write_page(file: Path, form: Format, page: Document, notes: Sequence[str]) -> None:
    from ..document import elements as doc
    from ..report.formats import write_document

    told = doc.document(page.title, doc.notes(notes, doc.Tone.DOUBTFUL), *page.parts)
    write_document(file, _as_report(told), form)


def _as_report(page: Document) -> Document:
    from ..document import elements as doc
    from ..report import not_advice

    return doc.document(page.title, *page.parts, not_advice())


def _value(one: Option, given: Any) -> Any:
    """Return a typed value as the options record stores it."""
    if one.kind is Decimal:
        return Decimal(str(given))
    return tuple(given or ()) if one.kind == tuple[str, ...] else given


def _options_of(question: Question[Any, Any], typed: Mapping[str, Any]) -> Any:
    """Return the record of a question's options.

    Raises:
        OptionsError: If they are invalid.
    """
    from ..plugins import asked_of

    with asked_of(question, question.name):
        asked = question.options(**typed)
        question.check(asked)
    return asked


@contextmanager
def _opened(path: Path, registry: Registry, given: Mapping[str, Any]) -> Iterator[Opened]:
    """Open and solve a case or run. Ctrl-C ends solving and questions. Results not proved by then are intervals."""
    from ..case import changes_stated
    from ..recommend import reopen
    from ..solve import Limits

    until = None if given["time_limit"] is None else monotonic() + given["time_limit"]
    with Interrupt() as cancel:
        with changes_stated(given.get("change") or ()) as changes, progress_bar(_quiet(given)) as progress:
            opened = reopen(
                path,
                registry=registry,
                scenario=given.get("scenario") or (),
                changes=changes,
                strict=given["strict"],
                limits=Limits(given["gap"], given["time_limit"], given["workers"], until=until),
                progress=progress,
                cancel=cancel,
            )
        yield opened


def answered(question: Question[Any, Any], opened: Opened, asked: Any, given: Mapping[str, Any]) -> Any:
    """Return the answer of a question, with a progress bar."""
    from ..plugins import asked_of

    with progress_bar(_quiet(given), question.doing, question.counted) as progress, asked_of(question, question.name):
        return question.ask(opened, asked, progress)


def late(opened: Opened) -> tuple[str, ...]:
    """Return the note on answers that reached the time limit."""
    limits = opened.session.limits
    if not limits.over:
        return ()
    return (
        f"the time limit of {limits.seconds:g} s was reached: with more time, or on a quicker machine, the answer may say more",
    )


def _quiet(given: Mapping[str, Any]) -> bool:
    return bool(given["quiet"] or given["as_json"])


def questions_named(texts: Sequence[str], registry: Registry) -> list[tuple[Question[Any, Any], Any]]:
    """Return questions with their options, as in `--with`.

    A text is `stress`, `why-not=OFFER` with a subject, or `programmes:budgets=FILE` with an option. Commas separate several.

    Raises:
        InputError: For a question that needs further options.
        PluginError: For an unavailable question.
    """
    from ..questions.base import question_named

    asked: list[tuple[str, dict[str, str]]] = []
    for word in (word for text in texts for word in text.split(",")):
        named, _, subject = word.strip().partition("=")
        name, _, option = named.partition(":")
        before = next((given for other, given in asked if option and other == name and option not in given), None)
        if before is None:
            asked.append((name, {option: subject} if option or subject else {}))
        else:
            before[option] = subject
    return [_about(question_named(registry, name), given) for name, given in asked]


def _about(question: Question[Any, Any], given: Mapping[str, str]) -> tuple[Question[Any, Any], Any]:
    """Return a question with options that are texts or paths, by name. The name of its subject is empty."""
    from ..errors import InputError
    from ..questions import OptionsError
    from ..questions.base import options_of

    options, by_itself = options_of(question), f"ask it by itself: friendshore {question.name}"
    takes = next((one for one in options if one.setting.argument and one.kind is str), None)
    worded = {one.name: one for one in options if one.kind in (str, Path | None)}
    typed: dict[str, object] = {}
    for name, value in given.items():
        one = worded.get(name) if name else takes
        if one is None or not value:
            message = f"has no such option that --with could set: `{name}`" if name else "is about nothing of a name"
            expected = ", ".join(f"{question.name}:{known}=…" for known in worded)
            raise InputError(
                f"`{question.name}` {message}", column="--with", found=value, expected=expected, fix=by_itself
            )
        typed[one.name] = value if one.kind is str else Path(value)
    if any(one.needed and one.name not in typed for one in options):
        unit = takes.setting.unit or takes.name.upper() if takes is not None else ""
        fix = f"write {question.name}={unit}" if takes is not None else by_itself
        raise InputError(f"`{question.name}` has to be told what it is about", column="--with", fix=fix)
    try:
        return question, _options_of(question, typed)
    except OptionsError as error:
        raise InputError(f"`{question.name}` has to be told more: {error}", column="--with", fix=by_itself) from error


def answers_of(
    questions: Sequence[tuple[Question[Any, Any], Any]], path: Path, registry: Registry, given: Mapping[str, Any]
) -> list[Document]:
    """Return the answers to questions about a run, each as a document that starts with its notes.

    Raises:
        InputError, PluginError, SolverError, VerificationError: As `reopen` and questions do.
    """
    from ..document import elements as doc
    from ..plugins import asked_of
    from ..questions.base import shown

    told = []
    with _opened(path, registry, given) as opened:
        for question, asked in questions:
            found = answered(question, opened, asked, given)
            document = shown(question, partial(question.document, found, asked))
            with asked_of(question, question.name):
                notes = question.notes(found)
            head = doc.notes((*opened.notes, *notes, *late(opened)), doc.Tone.DOUBTFUL)
            told.append(doc.document(document.title, head, *document.parts))
    return told
