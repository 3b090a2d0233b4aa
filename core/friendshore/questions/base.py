"""Interface of a question: a name, options, an answer about an opened case, and its output. Also checks of faulty questions.

The command line makes a command of each, with the shared options of questions. Plugins add questions through the hook `friendshore_questions`.
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
    """An answer that can be converted to data."""

    def to_dict(self) -> dict[str, Any]: ...


class OptionsError(InputError):
    """Options that exclude each other."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Metadata of an option, as in `top: Annotated[int, Setting("Rows shown.", "N", least=0)] = 12`.

    A field is a `str`, `int`, `float`, `Decimal`, `bool`, `Path | None`, or `tuple[str, ...]`. One without a default is required.
    """

    meaning: str
    """Line in the help text."""
    unit: str = ""
    """Name of its value, such as `SHARE` or `DATE`. Empty if it is that of the field."""
    least: float | None = None
    """Minimum number."""
    most: float | None = None
    """Maximum number."""
    flags: tuple[str, ...] = ()
    """Names on the command line. Empty means `--` and the name of the field."""
    argument: bool = False
    """True for a positional argument."""


class Question(ABC, Generic[Options, Result]):
    """A question: its name, options, answer, and output. Its docstring is the help text of its command."""

    name: ClassVar[str]
    """Name of its command, such as `why-not`."""
    options: type[Any]
    """Record of its options: a frozen dataclass whose fields are annotated with a `Setting`.

    A field `scenario` or `change` replaces the shared option of that name. The question then reads the option itself, and the case is opened without
    it.
    """
    doing: ClassVar[str] = "asking"
    """Activity shown in the progress bar."""
    counted: ClassVar[str] = "questions"
    """Unit counted in the progress bar."""
    text_is_page: ClassVar[bool] = False
    """True if its `text` is an HTML page. `--html` then writes it in place of the document."""

    def check(self, options: Options) -> None:
        """Reject invalid options before planning.

        Raises:
            OptionsError: For options that exclude each other.
            InputError: For an unknown word.
        """

    @abstractmethod
    def ask(self, opened: Opened, options: Options, progress: Progress | None) -> Result:
        """Return the answer.

        Args:
            opened: The solved case. `opened.session.what_if(…)` returns the cost of a change.
            options: Options set by the user.
            progress: Called with the finished number, the total, and seconds. None if there is no progress bar.

        Raises:
            InputError: For a name that is unknown in the case.
            SolverError: If a solver fails.
            VerificationError: If a plan fails verification.
            PluginError: If a plugin's rule raises.
        """

    @abstractmethod
    def document(self, result: Result, options: Options) -> Document:
        """Return the answer for readers. A screen shows its form for that: `Document.on_screen`."""

    def data(self, result: Result, options: Options) -> dict[str, object]:
        """Return the answer as JSON-ready data, which `--json` prints as one object."""
        if not isinstance(result, Tabled):
            raise TypeError(f"the answer of `{self.name}` has no `to_dict`, and the question no `data` of its own")
        return result.to_dict()

    def text(self, result: Result, options: Options) -> str | None:
        """Return the answer as text to copy elsewhere. None if the options don't ask for that."""
        return None

    def notes(self, result: Result) -> Sequence[str]:
        """Return notes on the answer, shown beside it."""
        return ()


KINDS: tuple[object, ...] = (str, int, float, Decimal, bool, Path | None, tuple[str, ...])
"""Types of options."""


@dataclass(frozen=True, slots=True)
class Option:
    """A field of a question's options record."""

    name: str
    kind: object
    """One of `KINDS`."""
    setting: Setting
    default: object
    needed: bool
    """True if it has no default and is required."""


def shown(question: Question[Any, Any], make: Callable[[], Document]) -> Document:
    """Return the document of a question, after checking that every cell can be written.

    Raises:
        PluginError: If a plugin's question raises, or makes something else.
    """
    with asked_of(question, question.name):
        document = make()
        for _ in cell_texts(document):
            pass
        return document


def cell_texts(document: Document) -> Iterator[str]:
    """Yield the cells of all tables of a document, as written for narrow and for wide lines.

    Raises:
        TypeError: If it isn't a document, or contains something that isn't a cell.
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
"""Characters of a narrow and a wide line."""


def question_named(registry: Registry, name: str) -> Question[Any, Any]:
    """Return the question with a name, after importing its plugin if necessary.

    Raises:
        PluginError: If it is unavailable, or isn't written correctly.
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
    """Return the options of a question, in the order of its record."""
    hints = get_type_hints(question.options, include_extras=True)
    return [_option(one, hints[one.name]) for one in fields(question.options)]


def _option(field: Field[Any], hint: Any) -> Option:
    kind, setting = get_args(hint)
    needed = field.default is MISSING
    return Option(field.name, kind, setting, None if needed else field.default, needed)


def faults(question: Question[Any, Any]) -> Iterator[str]:
    """Yield the reasons why a question can't be asked, each as the rest of a sentence that starts with its name."""
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
