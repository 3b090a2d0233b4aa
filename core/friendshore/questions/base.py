"""Interface of questions, and checks of faulty ones. Each question becomes a command."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass, replace
from decimal import Decimal
from inspect import isabstract
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar, get_args, get_type_hints, runtime_checkable

from ..errors import InputError, PluginError
from ..plugins import attributed_object
from ..plugins.attribution import defect_error

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
    """Metadata of an option, as in `top: Annotated[int, Setting("Rows shown.", "N", least=0)] = 12`. An option without a default is required."""

    meaning: str
    unit: str = ""
    """Name of its value, such as `SHARE` or `DATE`. Empty if it is that of the field."""
    least: float | None = None
    most: float | None = None
    flags: tuple[str, ...] = ()
    """Names on the command line. Empty means `--` and the name of the field."""
    argument: bool = False
    served: bool = True
    """False for the command line alone, because the value names a file, an address, or code. A server never offers a path."""


class Question(ABC, Generic[Options, Result]):
    """A question: its name, options, answer, and output. Its docstring is the help text of its command."""

    name: ClassVar[str]
    options: type[Any]
    """Frozen dataclass whose fields are annotated with a `Setting`. A field `scenario` or `change` replaces the shared option of that name, which the
    question then reads itself.
    """
    doing: ClassVar[str] = "asking"
    counted: ClassVar[str] = "questions"
    text_is_page: ClassVar[bool] = False
    """True if its `text` is an HTML page. `--out` then writes it in place of the document."""

    def check(self, options: Options) -> None:
        """Reject invalid options before planning, with an `OptionsError` or `InputError`."""

    @abstractmethod
    def ask(self, opened: Opened, options: Options, progress: Progress | None) -> Result:
        """Return the answer.

        Args:
            opened: The solved case. `opened.session.what_if(…)` returns the cost of a change.
            options: Options set by the user.
            progress: Called with the finished number, the total, and seconds. None if there is no progress bar.
        """

    @abstractmethod
    def document(self, result: Result, options: Options) -> Document:
        """Return the answer for readers. A screen shows its form for that: `Document.on_screen`."""

    def data(self, result: Result, options: Options) -> dict[str, object]:
        """Return JSON-ready data, which `--json` prints as one object."""
        if not isinstance(result, Tabled):
            raise TypeError(f"the answer of `{self.name}` has no `to_dict`, and the question doesn't define `data`")
        return result.to_dict()

    def text(self, result: Result, options: Options) -> str | None:
        """Return the answer as text to copy elsewhere. None if the options don't ask for that."""
        return None

    def notes(self, result: Result) -> Sequence[str]:
        return ()


KINDS: tuple[object, ...] = (str, int, float, Decimal, bool, Path | None, tuple[str, ...])


@dataclass(frozen=True, slots=True)
class Option:
    """A field of a question's options record."""

    name: str
    kind: object
    setting: Setting
    default: object
    needed: bool


def shown(question: Question[Any, Any], make: Callable[[], Document]) -> Document:
    """Return the document, after checking its cells. A `PluginError` names the plugin of a faulty question."""
    with attributed_object(question, question.name):
        document = make()
        for _ in cell_texts(document):
            pass
        return document


def cell_texts(document: Document) -> Iterator[str]:
    """Yield the cells of all tables, as written for narrow and for wide lines. Raise TypeError if one isn't a cell."""
    from ..document.elements import Document

    if not isinstance(document, Document):
        raise TypeError(f"a {type(document).__name__} isn't a `Document` of friendshore.document.elements")
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
                    raise TypeError(f"a row has {len(row.cells)} cells, but its table has {len(part.columns)} columns")
                for cell in row.cells:
                    forms = (cell.whole, cell.screen) if isinstance(cell, Either) else (cell,)
                    yield from (written(form, width) for form in forms for width in _WIDTHS)


_WIDTHS = (60, 200)


def question_named(registry: Registry, name: str) -> Question[Any, Any]:
    """Return a question, after importing its plugin if necessary. Raise PluginError if it is unavailable or invalid."""
    question, info = registry.question(name)
    if not isinstance(question, Question):
        raise _invalid(
            defect_error(
                info, f"`{name}` isn't a question", repr(question), "an object of a class that derives from Question"
            )
        )
    with attributed_object(question, name):
        problems = list(faults(question))
    if problems:
        raise _invalid(*(defect_error(info, f"its question `{name}` {problem}") for problem in problems))
    return question


def _invalid(*errors: PluginError) -> PluginError:
    return PluginError(replace(problem, code="FS526") for error in errors for problem in error.problems)


def options_of(question: Question[Any, Any]) -> list[Option]:
    hints = get_type_hints(question.options, include_extras=True)
    return [_option(field, hints[field.name]) for field in fields(question.options)]


def _option(field: Field[Any], hint: Any) -> Option:
    kind, setting = get_args(hint)
    is_required = field.default is MISSING
    return Option(field.name, kind, setting, None if is_required else field.default, is_required)


def faults(question: Question[Any, Any]) -> Iterator[str]:
    """Yield the reasons why a question can't be asked, each as the rest of a sentence that starts with its name."""
    record = getattr(question, "options", None)
    if isabstract(type(question)):
        yield "must define the methods `ask` and `document`"
    if not (question.__doc__ or "").strip() or question.__doc__ == Question.__doc__:
        yield "has no docstring. It is the help text of the command"
    if not (isinstance(record, type) and is_dataclass(record)):
        yield "has no options record. `options` must be a dataclass"
        return
    hints = get_type_hints(record, include_extras=True)
    for field in fields(record):
        annotation = get_args(hints[field.name])
        if len(annotation) != 2 or not isinstance(annotation[1], Setting):
            yield f"has an option `{field.name}` that isn't annotated as `Annotated[..., Setting(...)]`"
        elif annotation[0] not in KINDS:
            yield (
                f"has an option `{field.name}` of an unsupported type. Use str, int, float, Decimal, bool, Path | None, or tuple[str, ...]"
            )
