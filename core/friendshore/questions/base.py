"""What a question is: a name, options, what it finds out of an opened case, and how that is told; and what is wrong with one that cannot be asked.

The command line makes a command of it, with all that commands of questions share; a plugin brings one by the hook `friendshore_questions`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from decimal import Decimal
from inspect import isabstract
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar, get_args, get_type_hints, runtime_checkable

from ..errors import InputError, PluginError
from ..plugins import asked_of
from ..plugins.attribution import wrong

if TYPE_CHECKING:
    from ..document.elements import Document, Element
    from ..plugins import Registry
    from ..recommend import Opened
    from ..solve import Progress

Options = TypeVar("Options")
Result = TypeVar("Result")


@runtime_checkable
class Tabled(Protocol):
    """An answer that knows how it is told as data."""

    def to_dict(self) -> dict[str, Any]: ...


class OptionsError(InputError):
    """Options that cannot be meant together, as whoever typed them is told."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What there is to know of one field of a record of options: `top: Annotated[int, Setting("Rows shown.", "N", least=0)] = 12`.

    A field is a `str`, `int`, `float`, `Decimal`, `bool`, `Path | None` or `tuple[str, ...]`; one without a default must be given.
    """

    meaning: str
    """A line for the help text."""
    unit: str = ""
    """What its value is called: `SHARE`, `DATE`; empty: as the field."""
    least: float | None = None
    """The least number."""
    most: float | None = None
    """The largest number."""
    flags: tuple[str, ...] = ()
    """What it is called on the command line; none: `--` and the name of the field."""
    argument: bool = False
    """Whether it is given by its place, without a name."""


class Question(ABC, Generic[Options, Result]):
    """One question: what it is called, what can be set, and how it is answered and told. Its docstring is the help text of its command."""

    name: ClassVar[str]
    """What it is called as a command, such as `why-not`."""
    options: type[Any]
    """The record of its options: a frozen dataclass whose fields are annotated with a `Setting`.

    A field called `scenario` or `change` takes the place of the option of that name that all questions have: the question then reads it itself,
    and the case is opened without.
    """
    doing: ClassVar[str] = "asking"
    """What is done while it is answered, for the bar."""
    counted: ClassVar[str] = "questions"
    """What is counted meanwhile, for the bar."""
    text_is_page: ClassVar[bool] = False
    """Whether its `text` is a page in HTML: `--html` then writes that, and not the document."""

    def check(self, options: Options) -> None:
        """Refuses options that make no sense, before anything is planned.

        Raises:
            OptionsError: for options that exclude each other.
            InputError: for a word that means nothing.
        """

    @abstractmethod
    def ask(self, opened: Opened, options: Options, progress: Progress | None) -> Result:
        """The answer.

        Args:
            opened: the case, solved: `opened.session.after(…)` says what a change costs.
            options: what was set.
            progress: told what is done, what there is in all, and seconds; None: nobody looks.

        Raises:
            InputError: for a name that nothing in the case answers to.
            SolverError: if a solver breaks down.
            VerificationError: if a plan does not hold.
            PluginError: if a plugin's rule raises.
        """

    @abstractmethod
    def document(self, result: Result, options: Options) -> Document:
        """Return the answer for people. A screen shows its form for that: `Document.on_screen`."""

    def data(self, result: Result, options: Options) -> dict[str, object]:
        """The answer as JSON-ready data, of which `--json` prints one object."""
        if not isinstance(result, Tabled):
            raise TypeError(f"the answer of `{self.name}` has no `to_dict`, and the question no `data` of its own")
        return result.to_dict()

    def text(self, result: Result, options: Options) -> str | None:
        """The answer as text that is to be copied somewhere, if the options ask for that in place of a document."""
        return None

    def notes(self, result: Result) -> Sequence[str]:
        """What to know of the answer, told beside it."""
        return ()


KINDS: tuple[object, ...] = (str, int, float, Decimal, bool, Path | None, tuple[str, ...])
"""What an option can be."""


@dataclass(frozen=True, slots=True)
class Option:
    """A field of the record of a question's options."""

    name: str
    kind: object
    """One of `KINDS`."""
    setting: Setting
    default: object
    needed: bool
    """Whether it has no default, and must be given."""


def shown(question: Question[Any, Any], make: Callable[[], Document]) -> Document:
    """A document that a question makes, of which every cell can be written.

    Raises:
        PluginError: if a plugin's question raises, or makes something else.
    """
    with asked_of(question, question.name):
        document = make()
        for _ in cell_texts(document):
            pass
        return document


def cell_texts(document: Document) -> Iterator[str]:
    """The cells of all tables of a document, as they are written where there is little room, and where there is much.

    Raises:
        TypeError: if it is no document, or something in it is no cell.
    """
    from ..document.elements import Document

    if not isinstance(document, Document):
        raise TypeError(f"a {type(document).__name__} is no document, of friendshore.document.elements")
    yield from _cell_texts(document.parts)


def _cell_texts(parts: Iterable[Element]) -> Iterator[str]:
    from ..document.elements import DataTable, Either, Section
    from ..document.figures import written

    for part in parts:
        if isinstance(part, Section):
            yield from _cell_texts(part.parts)
        elif isinstance(part, DataTable):
            for row in part.rows:
                if len(row.cells) != len(part.columns):
                    raise TypeError(f"a row has {len(row.cells)} cells, and its table {len(part.columns)} columns")
                for cell in row.cells:
                    told = (cell.whole, cell.screen) if isinstance(cell, Either) else (cell,)
                    yield from (written(one, width) for one in told for width in _WIDTHS)


_WIDTHS = (60, 200)
"""Characters of a line."""


def question_named(registry: Registry, name: str) -> Question[Any, Any]:
    """The question that a name stands for; its plugin is imported if it has not been.

    Raises:
        PluginError: if it is unavailable, or cannot be asked as it is written.
    """
    found, info = registry.question(name)
    if not isinstance(found, Question):
        raise wrong(
            info, f"its question `{name}` is none", repr(found), "an object of a class that derives from Question"
        )
    with asked_of(found, name):
        against = list(faults(found))
    if against:
        raise PluginError(
            error for fault in against for error in wrong(info, f"its question `{name}` {fault}").problems
        )
    return found


def options_of(question: Question[Any, Any]) -> list[Option]:
    """What can be set of a question, in the order of its record."""
    hints = get_type_hints(question.options, include_extras=True)
    return [_option(one, hints[one.name]) for one in fields(question.options)]


def _option(field: Field[Any], hint: Any) -> Option:
    kind, setting = get_args(hint)
    needed = field.default is MISSING
    return Option(field.name, kind, setting, None if needed else field.default, needed)


def faults(question: Question[Any, Any]) -> Iterator[str]:
    """Why a question cannot be asked, each in words that go on from its name."""
    record = getattr(question, "options", None)
    if isabstract(type(question)):
        yield "lacks a method: it needs `ask` and `document`"
    if not (question.__doc__ or "").strip() or question.__doc__ == Question.__doc__:
        yield "has no docstring, which is the help text of its command"
    if not (isinstance(record, type) and is_dataclass(record)):
        yield "has no record of options: `options` is to be a dataclass"
        return
    hints = get_type_hints(record, include_extras=True)
    for one in fields(record):
        told = get_args(hints[one.name])
        if len(told) != 2 or not isinstance(told[1], Setting):
            yield f"has an option `{one.name}` without a Setting: Annotated[..., Setting(...)]"
        elif told[0] not in KINDS:
            yield f"has an option `{one.name}` of a kind that is not known: str, int, float, Decimal, bool, Path | None or tuple[str, ...]"
