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
from friendshore.plugins import PluginInfo, Registry, asked_of
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

from .check import Check, NotLookedAt
from .worlds import World, worlds

_CASES = 3
"""Number of made-up cases for each question."""


def question_checks(name: str, registry: Registry) -> tuple[Check, ...]:
    """Return all checks of a question."""
    subject = f"question `{name}`"

    def written() -> Iterator[Diagnostic]:
        found, info = registry.question(name)
        if not isinstance(found, Question):
            yield Diagnostic("is no question", subject, found=repr(found), fix="derive its class from Question")
            return
        for fault in faults(found):
            yield Diagnostic(fault, info.file or subject)

    def answers() -> Iterator[Diagnostic]:
        question = _asked(name, registry)
        for world in worlds((), count=_CASES):
            yield from _answers(question, world, subject, registry)

    return (
        Check(
            subject,
            "written",
            "It has a text, and a record of options each with its meaning and a kind that is known.",
            written,
        ),
        Check(
            subject,
            "answers",
            "Asked of a made-up case as its command would be, it answers the same twice: a document that can be shown, and data that are JSON.",
            answers,
        ),
    )


def _asked(name: str, registry: Registry) -> Question[Any, Any]:
    try:
        question = question_named(registry, name)
    except PluginError as error:
        raise NotLookedAt("it cannot be asked: see `code` and `written`") from error
    needed = [one.name for one in options_of(question) if one.needed]
    if needed:
        raise NotLookedAt(f"it is asked about something, which no made-up case is known to hold: {', '.join(needed)}")
    return question


def _answers(question: Question[Any, Any], world: World, subject: str, registry: Registry) -> Iterator[Diagnostic]:
    told: list[tuple[str, str]] = []
    for _ in range(2):
        session = Session.open(Inputs(world.case, (world.catalog,), ()), Limits(workers=1))
        try:
            with asked_of(question, question.name):
                options = question.options()
                found = question.ask(Opened(session, (), {}, (), registry=registry), options, None)
                document, data = question.document(found, options), question.data(found, options)
        except FriendshoreError as error:
            yield from error.problems
            return
        if not isinstance(document, Document):
            yield Diagnostic("its document is none", subject, found=type(document).__name__, expected="a Document")
            return
        try:
            told.append((json_text(data), json_text(document.to_dict()) + "\n".join(cell_texts(document))))
        except (TypeError, ValueError, AttributeError, AssertionError) as error:
            fix = (
                "answer texts, numbers, lists and mappings as data, and elements of friendshore.document as a document"
            )
            yield Diagnostic(f"its answer cannot be shown: {error}", subject, fix=fix)
            return
    if told[0] != told[1]:
        yield Diagnostic("says something else when it is asked again", subject, fix="read no clock, dice or files")


_NOTHING = "nothing-answers-to-this"
_CASE = Case(name="example", horizon=Horizon(start=date(2027, 1, 1), periods=4, period=PeriodLength.YEAR), place="US")
"""A case to which demands of an example are added."""


def reader_checks(name: str, info: PluginInfo, registry: Registry) -> tuple[Check, ...]:
    """Return all checks of a reader."""
    subject = f"reader `{name}`"
    home = Path(info.file).parent

    def written() -> Iterator[Diagnostic]:
        reader = registry.reader(name)
        if not (type(reader).__doc__ or "").strip():
            yield Diagnostic("has no text", info.file or subject, fix="say in its docstring what it reads")
        if not _reads(reader):
            yield Diagnostic("reads nothing", info.file or subject, expected="`catalog`, `demand` or both")

    def reads() -> Iterator[Diagnostic]:
        reader = _there(name, registry)
        if not reader.example:
            raise NotLookedAt("it names no example: give its class `example`, a file of the package that it can read")
        for what in _reads(reader):
            yield from _example(f"{name}:{reader.example}", what, home, registry)

    def missing() -> Iterator[Diagnostic]:
        for what in _reads(_there(name, registry)):
            try:
                registry.read(f"{name}:{_NOTHING}", what, home)
            except InputError:
                continue
            except PluginError as error:
                yield from error.problems
            fix = "raise InputError(Diagnostic(message, file, fix=...)) where what is asked for is not there"
            yield Diagnostic(f"asked for a {what} that is not there, it does not say so", subject, fix=fix)

    return (
        Check(subject, "written", "It has a text, and reads catalogs, demands or both.", written),
        Check(subject, "reads", "What it reads of its example is the same twice, and without a mistake.", reads),
        Check(
            subject, "missing", "Where what it is asked for is not there, it says so as a mistake of the case.", missing
        ),
    )


def case_pack_checks(info: PluginInfo, registry: Registry) -> tuple[Check, ...]:
    """Return the check of the rule packs that a plugin makes from a case's settings."""
    subject = f"plugin `{info.distribution}`"
    home = Path(info.file).parent

    def makes() -> Iterator[Diagnostic]:
        example = 'model_config = {"json_schema_extra": {"examples": [{...}]}}'
        for world in worlds((), count=1):
            case = world.case.but(folder=home)
            try:
                first, second = (registry.case_packs(info.package, case, (world.catalog,)) for _ in range(2))
            except InputError as error:
                told = f"it needs settings that no made-up case has: give their model an example, {example} ({error})"
                raise NotLookedAt(told) from error
            if first != second:
                fix = "read no clock or dice"
                yield Diagnostic("makes something else of a case when it is asked again", subject, fix=fix)

    says = "Of a made-up case in the folder of its package it makes the same rule packs twice, whose rules can be made."
    return (Check(subject, "case packs", says, makes),)


def _there(name: str, registry: Registry) -> Reader:
    try:
        return registry.reader(name)
    except PluginError as error:
        raise NotLookedAt("its code is unavailable: see `code`") from error


def _reads(reader: Reader) -> list[What]:
    """Return the methods that it overrides."""
    every: tuple[What, ...] = ("catalog", "demand")
    return [what for what in every if getattr(type(reader), what) is not getattr(Reader, what)]


def _example(name: str, what: What, home: Path, registry: Registry) -> Iterator[Diagnostic]:
    first, second = (registry.read(name, what, home) for _ in range(2))
    if first.digest != second.digest:
        yield Diagnostic(f"reads something else of {name} when it is asked again", name, fix="read no clock or dice")
    if what == "demand":
        with_demands(_CASE, first.rows.tables["demand"], name)
    else:
        read_catalogs([first.catalog(home)], registry.catalog_folder)


def _brought(what: HookedWhat, name: str, registry: Registry) -> Named:
    """Return an object that a hook yields.

    Raises:
        NotLookedAt: If the code of the plugin can't be used.
    """
    try:
        return registry.thing(what, name)[0]
    except PluginError as error:
        raise NotLookedAt("its code is unavailable: see `code`") from error


def command_checks(name: str, info: PluginInfo, registry: Registry) -> tuple[Check, ...]:
    """Return all checks of a command."""
    subject = f"command `{name}`"

    def has_help() -> Iterator[Diagnostic]:
        found = _brought("command", name, registry)
        if not isinstance(found, Command):
            yield Diagnostic(
                "is no command", subject, found=repr(found), expected="an object of friendshore.cli.Command"
            )
            return
        if not (found.function.__doc__ or "").strip():
            fix = "say in the docstring of its function what it does"
            yield Diagnostic("has no help text", info.file or subject, fix=fix)
        try:
            command = typed_command(name.rpartition(" ")[2], found.function)
            command.get_help(command.context_class(command))
        except (TypeError, RuntimeError) as error:
            fix = "annotate each parameter with a type, and with typer.Argument or typer.Option"
            yield Diagnostic(f"its options can't be read: {error}", info.file or subject, fix=fix)

    return (Check(subject, "help", "It has a help text, and its options can be read.", has_help),)


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
"""A made-up document."""


def format_checks(name: str, registry: Registry) -> tuple[Check, ...]:
    """Return all checks of an output format."""
    subject = f"format `{name}`"

    def renders() -> Iterator[Diagnostic]:
        _brought("format", name, registry)
        form = format_named(name, registry)
        if rendered(_DOCUMENT, form) != rendered(_DOCUMENT, form):
            fix = "write no times, random numbers, or ids of objects"
            yield Diagnostic("writes other bytes when it is asked again", subject, fix=fix)

    return (Check(subject, "renders", "It writes a made-up document as the same bytes twice.", renders),)


def run_check_checks(name: str, registry: Registry) -> tuple[Check, ...]:
    """Return all checks of a check of runs."""
    subject = f"check `{name}`"

    def answers() -> Iterator[Diagnostic]:
        _brought("check", name, registry)
        checker = checker_named(name, registry)
        with TemporaryDirectory() as scratch:
            asked = _made_up_run(Path(scratch), registry)
            first, second = (answer_of(checker, asked) for _ in range(2))
        try:
            json_text(dict(first.data))
        except (TypeError, ValueError) as error:
            fix = "answer texts, numbers, lists, and mappings as data"
            yield Diagnostic(f"its data are no JSON: {error}", subject, fix=fix)
        if first != second:
            yield Diagnostic("answers something else when it is asked again", subject, fix="read no clock or dice")

    return (Check(subject, "answers", "Asked about a made-up run, it gives the same answer twice.", answers),)


def _made_up_run(folder: Path, registry: Registry) -> CheckRequest:
    """Plan the case that `init` writes, write the run, and return the request to check it."""
    write_starter(folder / "case")
    made = plan(load_case(folder / "case" / "case.toml"), registry=registry)
    write_run(folder / "run", made.run, made.facts())
    return CheckRequest(read_run(folder / "run"), made.plan, (), registry)


def case_format_checks(name: str, registry: Registry) -> tuple[Check, ...]:
    """Return all checks of a format of cases."""
    subject = f"case format `{name}`"

    def missing() -> Iterator[Diagnostic]:
        _brought("case format", name, registry)
        form = case_format(Path(f"{_NOTHING}.{name}"), registry)
        problems: list[Diagnostic] = []
        with TemporaryDirectory() as scratch, asked_of(form, name, "case format"):
            try:
                found = form.read(Path(scratch) / f"{_NOTHING}.{name}", problems)
            except InputError:
                return
        if found is not None or not problems:
            fix = "return None, and add a Diagnostic with the file to `problems`"
            yield Diagnostic("doesn't say that a file is missing", subject, fix=fix)

    return (Check(subject, "missing", "It reads nothing from a missing file, and says so.", missing),)
