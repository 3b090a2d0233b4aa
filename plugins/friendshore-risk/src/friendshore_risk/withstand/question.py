"""The question `withstand`."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from friendshore.domain.quantities import parse_duration
from friendshore.domain.suggest import did_you_mean
from friendshore.errors import InputError
from friendshore.questions import OptionsError, Question, Setting

from ..telling import Telling

if TYPE_CHECKING:
    from friendshore.document.elements import Document
    from friendshore.questions import Opened, Progress

    from .recheck import WithstandChecked
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
            "Who may be lost, named as in a change's `remove` (`supplier:NAME`, `country:CN`, a facility or an offer), a "
            "route, `route:AU>US`, `route:CN>`, `route:>US` or `via:suez`, or a suspended rule, `rule:ID`; may be given several times. Else "
            "everyone who could deliver.",
            "WHO",
        ),
    ] = ()
    by: Annotated[
        str,
        Setting(
            "What everyone is told apart by, several with commas: supplier, parent, country, catalog, route (between two "
            "countries), via (by a place that lanes pass).",
            "KIND",
        ),
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
    out: Annotated[Path | None, Setting("Also write what proves the answer, to be checked with --check.", "FILE")] = (
        None
    )
    check: Annotated[
        Path | None,
        Setting("Check such a file against the case in place of searching: every combination, and the cost.", "FILE"),
    ] = None
    top: Annotated[int, Setting("Rows shown of each table with --full; 0: all.", "N", least=0)] = 12


class WithstandQuestion(Question[WithstandOptions, "Withstood | WithstandChecked"]):
    """The cheapest mix that meets demand after any few losses together, and what each number of losses costs.

    What is lost delivers nothing ordered from a day on. What is decided before (orders, stock, onboarding) is the same whatever is lost; for
    some time after it orders stay as planned, less what is lost. All combinations are enumerated, and what follows each is verified.
    """

    name = "withstand"
    options = WithstandOptions
    doing = "preparing for losses"
    counted = "components"

    def check(self, options: WithstandOptions) -> None:
        """Refuses words that name no kind of loss, times that are none, and a file that would be written over."""
        from friendshore.writing import refuse_present

        if options.out is not None and options.check is not None:
            raise OptionsError("a proof is written, or checked: --out or --check")
        if options.out is not None:
            refuse_present(options.out)
        _kinds(options.by)
        _months(options.react)

    def ask(self, opened: Opened, options: WithstandOptions, progress: Progress | None) -> Withstood | WithstandChecked:
        """The plans, each verified; or what is found of a proof of them."""
        from ..stress.losses import first_day
        from .losses import named_losses, usual_losses
        from .proof import read_proof, write_proof
        from .recheck import check_proof
        from .search import withstand

        session = opened.session
        if options.check is not None:
            return check_proof(session, read_proof(options.check), progress)
        start = first_day(session.problem.case.horizon, options.start) if options.start else None
        if options.lose:
            found, left_out = named_losses(session, options.lose), 0
        else:
            found, left_out = usual_losses(session, _kinds(options.by), options.most)
        answer = withstand(
            session,
            found,
            options.losses,
            start=start,
            react=_months(options.react),
            left_out=left_out,
            certify=options.out is not None,
            progress=progress,
        )
        if options.out is not None:
            write_proof(answer.proof, options.out)
        return answer

    def document(self, result: Withstood | WithstandChecked, options: WithstandOptions) -> Document:
        """What each number of losses costs, what nothing withstands, and what the plan does otherwise."""
        return _document(result, Telling(options.top))

    def screen(self, result: Withstood | WithstandChecked, options: WithstandOptions) -> Document:
        """The same: of each table as many rows as there is room for."""
        return _document(result, Telling(options.top, screen=True))

    def data(self, result: Withstood | WithstandChecked, options: WithstandOptions) -> dict[str, object]:
        """The answer, without its plans: those are written with `--out`."""
        return result.model_dump(mode="json", by_alias=True)

    def notes(self, result: Withstood | WithstandChecked) -> tuple[str, ...]:
        """What is left out."""
        from ..routes import unsaid_told
        from .results import Withstood

        if not isinstance(result, Withstood):
            return ()
        found = []
        if len(result.curve) <= result.most:
            found.append(f"the search was ended: what more than {len(result.curve) - 1} losses cost is not told")
        if result.idle:
            found.append(f"nothing that could arrive from then on is barred at the end of {', '.join(result.idle)}")
        found += unsaid_told(result.unsaid)
        if result.unplanned:
            found.append(f"rules conflict as things are, and nothing is said of {', '.join(result.unplanned)}")
        return tuple(found)


def _document(result: Withstood | WithstandChecked, telling: Telling) -> Document:
    from .document import checked_document, withstand_document
    from .results import Withstood

    return withstand_document(result, telling) if isinstance(result, Withstood) else checked_document(result)


def _kinds(words: str) -> list[str]:
    from ..stress.losses import KINDS
    from .losses import ROUTE_KINDS

    found, known = [word.strip() for word in words.split(",")], (*KINDS, *ROUTE_KINDS)
    wrong = [word for word in found if word not in known]
    if wrong:
        raise InputError(
            "unknown kind of loss",
            column="--by",
            found=", ".join(wrong),
            expected=", ".join(known),
            fix=did_you_mean(wrong[0], known),
        )
    return found


def _months(text: str) -> Decimal:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise InputError("`--react` is no time", column="--react", found=text, expected=str(error)) from None
