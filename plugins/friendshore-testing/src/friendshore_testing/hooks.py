"""Checks of a plugin's hooks: questions, readers, rule packs of cases, commands, formats, checks of runs, and formats of cases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from friendshore.case import load_case
from friendshore.case.formats import case_format
from friendshore.case.load import with_demands
from friendshore.catalog import read_catalogs
from friendshore.cli import Command
from friendshore.cli.cases import write_starter
from friendshore.cli.questions import typed_command
from friendshore.document import elements as doc
from friendshore.document.elements import Document
from friendshore.domain.case import Case
from friendshore.domain.time import Horizon, PeriodLength
from friendshore.errors import Diagnostic, FriendshoreError, InputError, PluginError
from friendshore.hookspecs import Named
from friendshore.plugins import PluginInfo, Registry, attributed_object
from friendshore.plugins.hosting import HookedWhat
from friendshore.plugins.isolated import What
from friendshore.problem.inputs import Inputs
from friendshore.questions import Question
from friendshore.questions.base import cell_texts, faults, options_of, question_named
from friendshore.readers import Reader
from friendshore.recommend import CheckRequest, Opened, plan
from friendshore.recommend.verify_run import answer_of, checker_named
from friendshore.report.formats import format_named, rendered
from friendshore.run import json_text, read_run, write_run
from friendshore.session import Session
from friendshore.solve import Limits

from .check import Check, CheckSkipped
from .generated_cases import GeneratedCase, generate_cases

_CASE_COUNT = 3


def question_checks(name: str, registry: Registry) -> tuple[Check, ...]:
    subject = f"question `{name}`"

    def definition_problems() -> Iterator[Diagnostic]:
        question, info = registry.question(name)
        if not isinstance(question, Question):
            fix = "derive its class from friendshore.questions.Question"
            yield Diagnostic("the object isn't a question", subject, found=repr(question), fix=fix, code="FS421")
            return
        for message in faults(question):
            yield Diagnostic(message, info.file or subject, code="FS526")

    def answer_problems() -> Iterator[Diagnostic]:
        question = _available_question(name, registry)
        for generated in generate_cases((), count=_CASE_COUNT):
            yield from _answer_problems(question, generated, subject, registry)

    return (
        Check(
            subject,
            "written",
            "It has a text, and options with meanings and known kinds.",
            definition_problems,
        ),
        Check(
            subject,
            "answers",
            "About a generated case, it twice returns the same document, which can be shown, and the same JSON data.",
            answer_problems,
        ),
    )


def _available_question(name: str, registry: Registry) -> Question[Any, Any]:
    try:
        question = question_named(registry, name)
    except PluginError as error:
        raise CheckSkipped("it can't be used, see checks `code` and `written`") from error
    required = [option.name for option in options_of(question) if option.needed]
    if required:
        raise CheckSkipped(f"it has required options, for which a generated case has no values: {', '.join(required)}")
    return question


def _answer_problems(
    question: Question[Any, Any], generated: GeneratedCase, subject: str, registry: Registry
) -> Iterator[Diagnostic]:
    texts: list[tuple[str, str]] = []
    for _ in range(2):
        session = Session.open(Inputs(generated.case, (generated.catalog,), ()), Limits(workers=1))
        try:
            with attributed_object(question, question.name):
                options = question.options()
                result = question.ask(Opened(session, (), {}, (), registry=registry), options, None)
                document, data = question.document(result, options), question.data(result, options)
        except FriendshoreError as error:
            yield from error.problems
            return
        if not isinstance(document, Document):
            kind = type(document).__name__
            yield Diagnostic("its document isn't one", subject, found=kind, expected="a Document", code="FS421")
            return
        try:
            texts.append((json_text(data), json_text(document.to_dict()) + "\n".join(cell_texts(document))))
        except (TypeError, ValueError, AttributeError, AssertionError) as error:
            fix = (
                "return texts, numbers, lists, and mappings as data, and elements of friendshore.document as a document"
            )
            yield Diagnostic(f"its answer can't be shown: {error}", subject, fix=fix, code="FS421")
            return
    if texts[0] != texts[1]:
        fix = "read no clock, random numbers, or files"
        yield Diagnostic("returns a different answer when asked twice", subject, fix=fix, code="FS955")


_MISSING_NAME = "missing-on-purpose"
_CASE = Case(name="example", horizon=Horizon(start=date(2027, 1, 1), periods=4, period=PeriodLength.YEAR), place="US")


def reader_checks(name: str, info: PluginInfo, registry: Registry) -> tuple[Check, ...]:
    subject = f"reader `{name}`"
    home = Path(info.file).parent

    def definition_problems() -> Iterator[Diagnostic]:
        reader = registry.reader(name)
        if not (type(reader).__doc__ or "").strip():
            fix = "describe in the docstring of its class what it reads"
            yield Diagnostic("the reader has no text", info.file or subject, fix=fix, code="FS958")
        if not _readable(reader):
            expected = "the method `catalog`, `demand`, or both"
            yield Diagnostic("the reader reads nothing", info.file or subject, expected=expected, code="FS958")

    def reading_problems() -> Iterator[Diagnostic]:
        reader = _available_reader(name, registry)
        if not reader.example:
            raise CheckSkipped("its class has no `example`, the name of a file of the package that it can read")
        for kind in _readable(reader):
            yield from _example_problems(f"{name}:{reader.example}", kind, home, registry)

    def missing() -> Iterator[Diagnostic]:
        for kind in _readable(_available_reader(name, registry)):
            try:
                registry.read(f"{name}:{_MISSING_NAME}", kind, home)
            except InputError:
                continue
            except PluginError as error:
                yield from error.problems
            fix = "raise InputError(Diagnostic(message, file, fix=...)) if the file is missing"
            yield Diagnostic(f"the reader doesn't report a missing {kind}", subject, fix=fix, code="FS958")

    return (
        Check(subject, "written", "It has a text, and reads catalogs, demands, or both.", definition_problems),
        Check(subject, "reads", "It reads its example twice the same, without errors.", reading_problems),
        Check(subject, "missing", "It reports a missing file as an error of the case.", missing),
    )


def case_pack_checks(info: PluginInfo, registry: Registry) -> tuple[Check, ...]:
    subject = f"plugin `{info.distribution}`"
    home = Path(info.file).parent

    def pack_problems() -> Iterator[Diagnostic]:
        example = 'model_config = {"json_schema_extra": {"examples": [{...}]}}'
        for generated in generate_cases((), count=1):
            case = generated.case.but(folder=home)
            try:
                first, second = (registry.case_packs(info.package, case, (generated.catalog,)) for _ in range(2))
            except InputError as error:
                reason = f"it needs settings; add an example to their model, such as {example} ({error})"
                raise CheckSkipped(reason) from error
            if first != second:
                fix = "read no clock or random numbers"
                yield Diagnostic("returns other rule packs when called twice", subject, fix=fix, code="FS955")

    text = "For a generated case, it twice makes the same rule packs, with valid rules."
    return (Check(subject, "case packs", text, pack_problems),)


def _available_reader(name: str, registry: Registry) -> Reader:
    try:
        return registry.reader(name)
    except PluginError as error:
        raise CheckSkipped("its code can't be used, see check `code`") from error


def _readable(reader: Reader) -> list[What]:
    every: tuple[What, ...] = ("catalog", "demand")
    return [what for what in every if getattr(type(reader), what) is not getattr(Reader, what)]


def _example_problems(name: str, kind: What, folder: Path, registry: Registry) -> Iterator[Diagnostic]:
    first, second = (registry.read(name, kind, folder) for _ in range(2))
    if first.digest != second.digest:
        fix = "read no clock or random numbers"
        yield Diagnostic(f"returns other rows of {name} when called twice", name, fix=fix, code="FS955")
    if kind == "demand":
        with_demands(_CASE, first.rows.tables["demand"], name)
    else:
        read_catalogs([first.catalog(folder)], registry.catalog_folder)


def _available_object(kind: HookedWhat, name: str, registry: Registry) -> Named:
    """Return an object that a hook yields. Raises CheckSkipped if the plugin's code can't be used."""
    try:
        return registry.thing(kind, name)[0]
    except PluginError as error:
        raise CheckSkipped("its code can't be used, see check `code`") from error


def command_checks(name: str, info: PluginInfo, registry: Registry) -> tuple[Check, ...]:
    subject = f"command `{name}`"

    def help_problems() -> Iterator[Diagnostic]:
        brought = _available_object("command", name, registry)
        if not isinstance(brought, Command):
            expected = "an object of friendshore.cli.Command"
            yield Diagnostic(
                "the object isn't a command", subject, found=repr(brought), expected=expected, code="FS421"
            )
            return
        if not (brought.function.__doc__ or "").strip():
            fix = "describe in the docstring of its function what it does"
            yield Diagnostic("the command has no help text", info.file or subject, fix=fix, code="FS958")
        try:
            command = typed_command(name.rpartition(" ")[2], brought.function)
            command.get_help(command.context_class(command))
        except (TypeError, RuntimeError) as error:
            fix = "annotate each parameter with a type, and with typer.Argument or typer.Option"
            yield Diagnostic(f"its options can't be read: {error}", info.file or subject, fix=fix, code="FS958")

    return (Check(subject, "help", "It has a help text, and its options can be read.", help_problems),)


_DOCUMENT = Document(
    "Example",
    (
        doc.sentence("Of 12 t that are needed, 3 t are short."),
        doc.table(
            [doc.Column("Material"), doc.figures("Short", "kg")], [["antimony-metal", doc.Amount(Decimal(3000))]]
        ),
        doc.section("Notes", doc.notes(["no offer of antimony-metal is allowed"])),
    ),
)


def format_checks(name: str, registry: Registry) -> tuple[Check, ...]:
    subject = f"format `{name}`"

    def rendering_problems() -> Iterator[Diagnostic]:
        _available_object("format", name, registry)
        output_format = format_named(name, registry)
        if rendered(_DOCUMENT, output_format) != rendered(_DOCUMENT, output_format):
            fix = "write no times, random numbers, or ids of objects"
            yield Diagnostic("writes different bytes when called twice", subject, fix=fix, code="FS955")

    return (Check(subject, "renders", "It writes an example document twice as the same bytes.", rendering_problems),)


def run_check_checks(name: str, registry: Registry) -> tuple[Check, ...]:
    subject = f"check `{name}`"

    def answer_problems() -> Iterator[Diagnostic]:
        _available_object("check", name, registry)
        checker = checker_named(name, registry)
        with TemporaryDirectory() as scratch:
            request = _generated_run(Path(scratch), registry)
            first, second = (answer_of(checker, request) for _ in range(2))
        try:
            json_text(dict(first.data))
        except (TypeError, ValueError) as error:
            fix = "return texts, numbers, lists, and mappings as data"
            yield Diagnostic(f"its data can't be written as JSON: {error}", subject, fix=fix, code="FS421")
        if first != second:
            fix = "read no clock or random numbers"
            yield Diagnostic("returns a different answer when asked twice", subject, fix=fix, code="FS955")

    return (Check(subject, "answers", "About a generated run, it gives the same answer twice.", answer_problems),)


def _generated_run(folder: Path, registry: Registry) -> CheckRequest:
    """Plan the case that `init` writes, write the run, and return the request to check it."""
    write_starter(folder / "case")
    planned = plan(load_case(folder / "case" / "case.toml"), registry=registry)
    write_run(folder / "run", planned.run, planned.facts())
    return CheckRequest(read_run(folder / "run"), planned.plan, (), registry)


def case_format_checks(name: str, registry: Registry) -> tuple[Check, ...]:
    subject = f"case format `{name}`"

    def missing_file_problems() -> Iterator[Diagnostic]:
        _available_object("case format", name, registry)
        found_format = case_format(Path(f"{_MISSING_NAME}.{name}"), registry)
        problems: list[Diagnostic] = []
        with TemporaryDirectory() as scratch, attributed_object(found_format, name, "case format"):
            try:
                case_file = found_format.read(Path(scratch) / f"{_MISSING_NAME}.{name}", problems)
            except InputError:
                return
        if case_file is not None or not problems:
            fix = "return None, and add a Diagnostic with the file to `problems`"
            yield Diagnostic("the format doesn't report a missing file", subject, fix=fix, code="FS958")

    return (Check(subject, "missing", "It reads nothing from a missing file, and reports it.", missing_file_problems),)
