"""Commands for questions about a plan, and the questions of `report --with`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
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
from .host import host
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
from .output import answering, answers_alone, bare, dated, dated_data, json_for_stdout, show, show_on_screen, warn
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
"""Options of all questions, with their defaults. A question's own option replaces the shared one (`compare --scenario`)."""
_READ_BY_ITSELF = {"scenario", "change", "out"}
MAX_NUMBER = 10**15
"""Largest number of an option, positive or negative. No quantity of a plan is larger, and arithmetic with it is exact."""
_TYPES: Mapping[Any, Any] = {Decimal: float, tuple[str, ...]: list[str] | None}


def command_for(name: str, args: Sequence[str] = ()) -> TyperCommand:
    """Return the command of a question, or one that reports why it is unavailable. Plugins blocked in `args` are ignored."""
    blocked_names = [*values_of(args, "--block")]
    from ..questions.base import question_named

    try:
        with answers_alone():
            registry = installed(blocked_names)
            question = question_named(registry, name)
    except FriendshoreError as error:
        return refusal(name, error, "--json" in args)

    return typed_command(name, function_of(question, registry, blocked_names))


def function_of(question: Question[Any, Any], registry: Registry, blocked: Sequence[str] = ()) -> Callable[..., None]:
    """Return the function of a question's command, whose signature is that of the command. `registry` has the question, without what is `blocked`."""
    from ..questions.base import question_named

    @answering
    def run(path: Path, **values: Any) -> int:
        current_registry = registry if (values["block"] or []) == [*blocked] else installed(values["block"])
        return _answer_question(question_named(current_registry, question.name), current_registry, path, values)

    _set_signature(run, question)
    return run


def values_of(args: Sequence[str], option: str) -> Iterator[str]:
    for number, arg in enumerate(args):
        if arg == option:
            yield from args[number + 1 : number + 2]
        elif arg.startswith(f"{option}="):
            yield arg.removeprefix(f"{option}=")


def refusal(name: str, error: FriendshoreError, as_json: bool) -> TyperCommand:

    @answering
    def run(**_: object) -> int:
        raise error

    rest = Annotated[list[str] | None, typer.Argument()]
    _set_parameters(run, [_keyword("rest", rest, None), _keyword("as_json", AsJson, as_json)])
    return typed_command(name, run, {"ignore_unknown_options": True, "help_option_names": ["--help-of-it"]})


def typed_command(name: str, run: Callable[..., None], settings: dict[str, Any] | None = None) -> TyperCommand:
    single_command = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)
    single_command.command(name, context_settings=settings)(run)
    command = get_command(single_command)
    assert isinstance(command, TyperCommand)
    return command


def _set_signature(run: Callable[..., None], question: Question[Any, Any]) -> None:
    from ..questions.base import options_of

    options = options_of(question)
    own = [_parameter(option) for option in options]
    names = {option.name for option in options}
    shared = [
        _keyword(name, annotation, default) for name, (annotation, default) in _SHARED.items() if name not in names
    ]
    _set_parameters(run, [_keyword("path", PlanPath), *own, *shared])
    run.__doc__ = question.__doc__


def _set_parameters(run: Callable[..., None], parameters: Sequence[Parameter]) -> None:
    vars(run)["__signature__"] = Signature(parameters)
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}


def _parameter(option: Option) -> Parameter:
    annotation = _argument(option) if option.setting.argument else _flag(option)
    default = Parameter.empty if option.needed else option.default
    if type(default) in _DEFAULT_AS_TYPED:
        default = _DEFAULT_AS_TYPED[type(default)](default)
    kind = _TYPES.get(option.kind, option.kind)
    return _keyword(option.name, Annotated[kind, annotation], default)


def _keyword(name: str, annotation: object, default: object = Parameter.empty) -> Parameter:
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


_DEFAULT_AS_TYPED: Mapping[type, Callable[[Any], Any]] = {Decimal: float, tuple: lambda value: list(value) or None}


def _argument(option: Option) -> Any:
    name = option.setting.unit or option.name.upper()
    return typer.Argument(help=option.setting.meaning, metavar=name if option.needed else f"[{name}]")


def _flag(option: Option) -> Any:
    setting = option.setting
    flags = setting.flags or ((f"--{option.name.replace('_', '-')}",) if option.default is not True else ())
    return typer.Option(*flags, metavar=setting.unit or None, help=setting.meaning, min=setting.least, max=setting.most)


def _answer_question(question: Question[Any, Any], registry: Registry, path: Path, values: Mapping[str, Any]) -> int:
    from ..plugins import attributed_object
    from ..questions import OptionsError
    from ..questions.base import options_of, shown
    from ..report.formats import format_named, format_of

    own_values = {option.name: _value(option, values[option.name]) for option in options_of(question)}
    shared = {name: value for name, value in values.items() if name not in _READ_BY_ITSELF & own_values.keys()}
    form_of_file: dict[Path, Format] = {}
    if values["html"] is not None:
        warn("`--html FILE` is now `--out FILE.html`")
        form_of_file[values["html"]] = format_named("html", registry)
    if shared.get("out") is not None:
        form_of_file[shared["out"]] = format_of(shared["out"], registry)
    for file in form_of_file:
        reject_existing(file)  # before the work, not after it
    try:
        options = _options_of(question, own_values)
    except OptionsError as error:
        raise typer.BadParameter(str(error)) from error
    with _opened(path, registry, shared) as opened:
        for note in opened.notes:
            warn(note)
        result = answered(question, opened, options, shared)
        limit_notes = time_limit_note(opened)
    with attributed_object(question, question.name):
        notes, text = question.notes(result), question.text(result, options)
    for note in (*notes, *limit_notes):
        warn(note)
    text_on_screen = text
    for file, form in form_of_file.items():
        if form.name == "html" and question.text_is_page and text is not None:
            add_files(file.parent, {PurePosixPath(file.name): text.encode()})
            text_on_screen = None  # the file has it
        else:
            page = shown(question, lambda: question.document(result, options))
            _write_page(file, form, page, (*opened.notes, *notes, *limit_notes))
    if values["as_json"]:
        with attributed_object(question, question.name):
            data = json_for_stdout(dated_data(question.data(result, options)))
        bare(data)
        host().also_show(lambda: _with_origin(shown(question, lambda: question.document(result, options))))
    elif text_on_screen is not None:
        bare(text_on_screen)
    elif values["full"]:
        show(_with_origin(shown(question, lambda: question.document(result, options))))
    else:
        show_on_screen(_with_origin(shown(question, lambda: question.document(result, options))))
    return 0


def _write_page(file: Path, form: Format, page: Document, notes: Sequence[str]) -> None:
    from ..document import elements as doc
    from ..report.formats import write_document

    noted_page = doc.document(page.title, doc.notes(notes, doc.Tone.DOUBTFUL), *page.parts)
    write_document(file, _with_origin(noted_page), form)


def _with_origin(page: Document) -> Document:
    from ..document import elements as doc
    from ..report import not_advice

    return doc.document(page.title, *dated(page).parts, doc.for_whole(not_advice()))


def _value(option: Option, value: Any) -> Any:
    if isinstance(value, int | float) and not abs(value) <= MAX_NUMBER:  # also true of nan
        flag = option.name.upper() if option.setting.argument else f"--{option.name.replace('_', '-')}"
        raise typer.BadParameter(f"expected a number from -{MAX_NUMBER:,} to {MAX_NUMBER:,}", param_hint=flag)
    if option.kind is Decimal:
        return Decimal(str(value))
    return tuple(value or ()) if option.kind == tuple[str, ...] else value


def _options_of(question: Question[Any, Any], values: Mapping[str, Any]) -> Any:
    """Return the record of a question's options. Raise `OptionsError` if they are invalid."""
    from ..plugins import attributed_object

    with attributed_object(question, question.name):
        options = question.options(**values)
        question.check(options)
    return options


@contextmanager
def _opened(path: Path, registry: Registry, values: Mapping[str, Any]) -> Iterator[Opened]:
    """Open and solve a case or run. Ctrl-C ends solving and questions. Results not proved by then are intervals."""
    from ..case import parsed_changes
    from ..solve import Limits

    deadline = None if values["time_limit"] is None else monotonic() + values["time_limit"]
    with Interrupt() as cancel:
        with parsed_changes(values.get("change") or ()) as changes, progress_bar(_quiet(values)) as progress:
            opened = host().reopen(
                path,
                registry=registry,
                scenario=values.get("scenario") or (),
                changes=changes,
                strict=values["strict"],
                limits=Limits(values["gap"], values["time_limit"], values["workers"], until=deadline),
                progress=progress,
                cancel=cancel,
            )
        yield opened


def answered(question: Question[Any, Any], opened: Opened, options: Any, values: Mapping[str, Any]) -> Any:
    from ..plugins import attributed_object

    with (
        progress_bar(_quiet(values), question.doing, question.counted) as progress,
        attributed_object(question, question.name),
    ):
        return question.ask(opened, options, progress)


def time_limit_note(opened: Opened) -> tuple[str, ...]:
    limits = opened.session.limits
    if not limits.over:
        return ()
    return (f"the time limit of {limits.seconds:g} s was reached; more time may complete the answer",)


def _quiet(values: Mapping[str, Any]) -> bool:
    return bool(values["quiet"] or values["as_json"])


def questions_named(texts: Sequence[str], registry: Registry) -> list[tuple[Question[Any, Any], Any]]:
    """Return the questions of `--with` with their options. Raise `InputError` for one that needs further options."""
    from ..questions.base import question_named

    requests: list[tuple[str, dict[str, str]]] = []
    for word in (word for text in texts for word in text.split(",")):
        request, _, subject = word.strip().partition("=")
        name, _, option = request.partition(":")
        earlier_values = next(
            (values for other, values in requests if option and other == name and option not in values), None
        )
        if earlier_values is None:
            requests.append((name, {option: subject} if option or subject else {}))
        else:
            earlier_values[option] = subject
    return [_question_with_options(question_named(registry, name), values) for name, values in requests]


def _question_with_options(question: Question[Any, Any], values: Mapping[str, str]) -> tuple[Question[Any, Any], Any]:
    from ..errors import InputError
    from ..questions import OptionsError
    from ..questions.base import options_of

    options, by_itself = options_of(question), f"use the command `friendshore {question.name}`"
    subject = next((option for option in options if option.setting.argument and option.kind is str), None)
    settable = {option.name: option for option in options if option.kind in (str, Path | None)}
    converted: dict[str, object] = {}
    for name, value in values.items():
        option = settable.get(name) if name else subject
        if option is None or not value:
            message = f"has no option `{name}` for --with" if name else "takes no name in --with"
            expected = ", ".join(f"{question.name}:{known}=…" for known in settable)
            raise InputError(
                f"`{question.name}` {message}",
                column="--with",
                found=value,
                expected=expected,
                fix=by_itself,
                code="FS507",
            )
        converted[option.name] = value if option.kind is str else Path(value)
    if any(option.needed and option.name not in converted for option in options):
        unit = subject.setting.unit or subject.name.upper() if subject is not None else ""
        fix = f"write {question.name}={unit}" if subject is not None else by_itself
        raise InputError(f"`{question.name}` needs a subject", column="--with", fix=fix, code="FS508")
    try:
        return question, _options_of(question, converted)
    except OptionsError as error:
        raise InputError(f"`{question.name}`: {error}", column="--with", fix=by_itself, code="FS508") from error


def answers_of(
    questions: Sequence[tuple[Question[Any, Any], Any]], path: Path, registry: Registry, values: Mapping[str, Any]
) -> list[Document]:
    """Return the answers to questions about a run, each as a document that starts with its notes."""
    from ..document import elements as doc
    from ..plugins import attributed_object
    from ..questions.base import shown

    documents = []
    with _opened(path, registry, values) as opened:
        for question, options in questions:
            result = answered(question, opened, options, values)
            document = shown(question, partial(question.document, result, options))
            with attributed_object(question, question.name):
                notes = question.notes(result)
            notes_first = doc.notes((*opened.notes, *notes, *time_limit_note(opened)), doc.Tone.DOUBTFUL)
            answer = doc.document(document.title, notes_first, *document.parts)
            documents.append(replace(answer, question=question.name))
    return documents
