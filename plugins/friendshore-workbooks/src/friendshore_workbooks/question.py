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
    """Options of `ask`."""

    top: Annotated[int, Setting("Number of unknowns in the table with --full. 0 means all.", "N", least=0)] = 6
    details: Annotated[int, Setting("Number of unknowns with details, with --full.", "N", least=0)] = 2
    spread: Annotated[
        str,
        Setting(
            "Share by which a figure without a stated range is tried lower and higher. This is an assumption.", "SHARE"
        ),
    ] = "25%"
    by: Annotated[str, Setting("Ranking: `money` saved, or `kilograms` no longer short.", "WORD")] = "money"
    bid_sheets: Annotated[
        Path | None,
        Setting("Also write a workbook with the questions to each supplier into a new folder.", "FOLDER"),
    ] = None


class AskQuestion(Question[AskOptions, Unknowns]):
    """Facts to find out next: capacities, prices, lead times, conversions, origins, licenses, and rules, each with the question and whom to ask.

    They are ranked by the maximum saving of an answer. Each is tried alone, with a new plan for each answer.
    """

    name = "ask"
    options = AskOptions
    doing = "asking about"
    counted = "unknowns"

    def check(self, options: AskOptions) -> None:
        _spread(options)
        if options.by not in ("money", "kilograms"):
            fix = "write `--by money` or `--by kilograms`"
            raise InputError(
                "unknown ranking", column="by", found=options.by, expected="money or kilograms", fix=fix, code="FS003"
            )

    def ask(self, opened: Opened, options: AskOptions, progress: Progress | None) -> Unknowns:
        by: By = "kilograms" if options.by == "kilograms" else "money"
        from .ask import ask

        unknowns = ask(opened.session, spread=_spread(options), by=by, progress=progress)
        if options.bid_sheets is None:
            return unknowns
        from .bid_sheets import write_bid_sheets

        return write_bid_sheets(opened.session, unknowns, options.bid_sheets)

    def notes(self, result: Unknowns) -> tuple[str, ...]:
        written = f"{len(result.sheets)} bid sheets written: {', '.join(result.sheets)}"
        return ((written,) if result.sheets else ()) + tuple(
            f"no bid sheet for {supplier}" for supplier in result.unwritten
        )

    def document(self, result: Unknowns, options: AskOptions) -> Document:
        return ask_document(result, options.top, options.details)


def _spread(options: AskOptions) -> Decimal:
    try:
        share = parse_share(options.spread)
    except ValueError as error:
        raise InputError(
            "the spread isn't a share", column="spread", found=options.spread, expected=str(error), code="FS011"
        ) from error
    if not 0 <= share < 1:
        expected = "0% or more, below 100%"
        raise InputError(
            "the spread is out of range", column="spread", found=options.spread, expected=expected, code="FS012"
        )
    return share
