"""The question `ask`: its options, evaluation, and output."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from friendshore.document.elements import Document
from friendshore.domain.quantities import parse_share
from friendshore.errors import InputError
from friendshore.questions import Question, Setting

from .unknowns import By, Unknowns, ask_document

if TYPE_CHECKING:
    from friendshore.questions import Opened, Progress


@dataclass(frozen=True, slots=True)
class AskOptions:
    """Options of the question."""

    top: Annotated[int, Setting("Unknowns shown in the table with --full; 0: all.", "N", least=0)] = 6
    told: Annotated[int, Setting("With --full, how many of these are told at length.", "N", least=0)] = 2
    spread: Annotated[
        str, Setting("How much less and more a figure is tried of which no range is stated: an assumption.", "SHARE")
    ] = "25 %"
    by: Annotated[str, Setting("What they are ranked by: money saved, or kilograms no longer short.", "WORD")] = "money"
    bid_sheets: Annotated[
        Path | None,
        Setting(
            "Also write a workbook for each supplier with what he is asked; the folder must not be there.", "FOLDER"
        ),
    ] = None


class AskQuestion(Question[AskOptions, Unknowns]):
    """Unknowns to clarify next: capacities, prices, lead times, conversions, origins, licenses, and rules, with the question and its addressee.

    They are ranked by the maximum saving of an answer. Each is tried alone, with a new plan for each answer.
    """

    name = "ask"
    options = AskOptions
    doing = "asking about"
    counted = "unknowns"

    def check(self, options: AskOptions) -> None:
        _spread(options)
        if options.by not in ("money", "kilograms"):
            raise InputError("it ranks nothing", column="by", found=options.by, expected="money or kilograms")

    def ask(self, opened: Opened, options: AskOptions, progress: Progress | None) -> Unknowns:
        by: By = "kilograms" if options.by == "kilograms" else "money"
        from .ask import ask

        found = ask(opened.session, spread=_spread(options), by=by, progress=progress)
        if options.bid_sheets is None:
            return found
        from .bid_sheets import write_bid_sheets

        return write_bid_sheets(opened.session, found, options.bid_sheets)

    def notes(self, result: Unknowns) -> tuple[str, ...]:
        """Return the number of bid sheets, and the suppliers without one."""
        written = f"{len(result.sheets)} bid sheets written: {', '.join(result.sheets)}"
        return ((written,) if result.sheets else ()) + tuple(f"no bid sheet for {one}" for one in result.unwritten)

    def document(self, result: Unknowns, options: AskOptions) -> Document:
        return ask_document(result, options.top, options.told)


def _spread(options: AskOptions) -> Decimal:
    try:
        share = parse_share(options.spread)
    except ValueError as error:
        raise InputError(
            "the spread is no share", column="spread", found=options.spread, expected=str(error)
        ) from error
    if not 0 <= share < 1:
        expected = "0 % or more, below 100 %"
        raise InputError("a figure cannot be so much less", column="spread", found=options.spread, expected=expected)
    return share
