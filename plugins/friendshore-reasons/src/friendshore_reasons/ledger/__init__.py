"""The question `ledger`: the cost and shortage that each rule adds, to the cent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from friendshore.questions.base import OptionsError, Question, Setting

if TYPE_CHECKING:
    from friendshore.document.elements import Document
    from friendshore.recommend import Opened
    from friendshore.solve import Progress

    from .search import Ledger


@dataclass(frozen=True, slots=True)
class LedgerOptions:
    """Options of the question."""

    order: Annotated[
        str,
        Setting(
            "Rules, scenarios, and kinds of terms in the order in which to add them. Each cost is on top of the ones before.",
            "A,B,C",
        ),
    ] = ""
    items: Annotated[
        str, Setting("Items to split the cost over, in all orders. Default: every rule of the case.", "A,B,C")
    ] = ""
    exact: Annotated[
        int, Setting("Maximum number of items of an independent part for which all orders are counted.", "N", least=1)
    ] = 10
    samples: Annotated[int, Setting("Number of orders to sample if there are more items.", "N", least=2)] = 200
    seed: Annotated[int, Setting("Seed of the sample. The same seed gives the same orders.", "N")] = 0


class LedgerQuestion(Question[LedgerOptions, "Ledger"]):
    """Show the cost and shortage that each rule adds to the plan. The parts sum to the total, to the cent."""

    name = "ledger"
    options = LedgerOptions
    doing = "splitting"
    counted = "plans"

    def check(self, options: LedgerOptions) -> None:
        if options.order and options.items:
            raise OptionsError(
                "--order and --items can't be combined", fix="write the items in --order, or remove it", code="FS924"
            )

    def ask(self, opened: Opened, options: LedgerOptions, progress: Progress | None) -> Ledger:
        from .search import ledger

        return ledger(
            opened.session, order=_names(options.order), items=_names(options.items), applied=opened.scenario,
            exact_up_to=options.exact, samples=options.samples, seed=options.seed,
            more_units=not (options.order or options.items), progress=progress,
        )  # fmt: skip

    def document(self, result: Ledger, options: LedgerOptions) -> Document:
        from .document import ledger_document

        return ledger_document(result)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
