"""What a question is: a name, options, what it finds out of an opened case, and how that is told.

The command line makes a command of it, with all that commands of questions share; a plugin brings one by the hook `friendshore_questions`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar, runtime_checkable

from ..errors import InputError

if TYPE_CHECKING:
    from ..document.elements import Document
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
        """The answer as it is told to people."""

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
