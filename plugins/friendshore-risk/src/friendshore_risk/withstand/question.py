"""The question `withstand`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

from friendshore.domain.quantities import parse_duration
from friendshore.errors import InputError
from friendshore.questions import Opened, Progress, Question, Setting

if TYPE_CHECKING:
    from friendshore.document.elements import Document
    from friendshore.questions.stress.losses import LossKind

    from .results import Withstood


@dataclass(frozen=True)
class WithstandOptions:
    """What can be set."""

    losses: Annotated[
        int, Setting("How many losses may come together; what fewer cost is told too.", "N", least=1, most=5)
    ] = 2
    lose: Annotated[
        tuple[str, ...],
        Setting(
            "Who may be lost, named as in a change's `remove` (`supplier:NAME`, `country:CN`, a facility or an offer), or a "
            "route between two countries, `route:AU>US`; may be given several times. Else everyone who could deliver.",
            "WHO",
        ),
    ] = ()
    by: Annotated[
        str,
        Setting("What everyone is told apart by, several with commas: supplier, parent, country, catalog.", "KIND"),
    ] = "supplier,parent,country"
    most: Annotated[
        int, Setting("Of everyone, so many: those that the plan spends most with; 0: all.", "N", least=0)
    ] = 100
    start: Annotated[
        str,
        Setting(
            "When losses come; a year after the start or the middle of the plan, if not given.",
            "DATE|PERIOD",
            flags=("--from",),
        ),
    ] = ""
    react: Annotated[
        str,
        Setting(
            "How long after it nothing can be ordered beyond what was planned, such as `6 months`; `0`: not at all.",
            "TIME",
        ),
    ] = "6 months"
    top: Annotated[int, Setting("Rows shown of each table; 0: all.", "N", least=0)] = 3


class WithstandQuestion(Question[WithstandOptions, "Withstood"]):
    """The cheapest mix that meets demand after any few losses together, and what each number of losses costs.

    What is lost delivers nothing ordered from a day on. What is decided before (orders, stock, onboarding) is the same whatever is lost; for
    some time after it orders stay as planned, less what is lost. All combinations are enumerated, and what follows each is verified.
    """

    name = "withstand"
    options = WithstandOptions
    doing = "taking away"
    counted = "combinations"

    def check(self, options: WithstandOptions) -> None:
        """Refuses words that name no kind of loss, and times that are none."""
        list(_kinds(options.by))
        _months(options.react)

    def ask(self, opened: Opened, options: WithstandOptions, progress: Progress | None) -> Withstood:
        """The plans, each verified."""
        from friendshore.questions.stress.losses import first_day

        from .losses import named_losses, usual_losses
        from .search import withstand

        session = opened.session
        start = first_day(session.problem.case.horizon, options.start) if options.start else None
        if options.lose:
            found, left_out = named_losses(session, options.lose), 0
        else:
            found, left_out = usual_losses(session, tuple(_kinds(options.by)), options.most)
        return withstand(
            session,
            found,
            options.losses,
            start=start,
            react=_months(options.react),
            left_out=left_out,
            progress=progress,
        )

    def document(self, result: Withstood, options: WithstandOptions) -> Document:
        """What each number of losses costs, what nothing withstands, and what the plan does otherwise."""
        from .document import withstand_document

        return withstand_document(result, options.top)

    def notes(self, result: Withstood) -> tuple[str, ...]:
        """What is left out."""
        found = []
        if len(result.curve) <= result.most:
            found.append(f"the search was ended: what {len(result.curve)} losses and more cost is not told")
        if result.unplanned:
            found.append(f"rules conflict as things are, and nothing is said of {', '.join(result.unplanned)}")
        return tuple(found)


def _kinds(words: str) -> Iterator[LossKind]:
    from friendshore.questions.stress.losses import loss_kind

    return (loss_kind(word.strip()) for word in words.split(","))


def _months(text: str) -> Decimal:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise InputError("`--react` is no time", column="--react", found=text, expected=str(error)) from None
