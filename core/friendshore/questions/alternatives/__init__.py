"""`alternatives`: every offer of a material, ranked by the cost of using it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

from ..base import Question, Setting

if TYPE_CHECKING:
    from ...document.elements import Document
    from ...recommend import Opened
    from ...solve import Progress
    from .find_alternatives import Alternatives


@dataclass(frozen=True, slots=True)
class AlternativesOptions:
    """Options of `alternatives`."""

    material: Annotated[tuple[str, ...], Setting("Materials. Defaults to all demanded materials.", argument=True)] = ()
    inputs: Annotated[bool, Setting("Include the inputs that the plan buys for makers.")] = False
    within: Annotated[
        Decimal,
        Setting("Share of the spend by which plans in a usage range may cost more. 0.01 is 1%.", "SHARE", least=0),
    ] = Decimal("0.01")
    top: Annotated[int, Setting("Offers of each material with --full. 0 means all.", "N", least=0)] = 12


class AlternativesQuestion(Question[AlternativesOptions, "Alternatives"]):
    """List every offer of a material, the cost of using it, and the reasons that exclude the others."""

    name = "alternatives"
    options = AlternativesOptions
    doing = "asking about"
    counted = "offers"

    def ask(self, opened: Opened, options: AlternativesOptions, progress: Progress | None) -> Alternatives:
        from .find_alternatives import alternatives

        return alternatives(
            opened.session, options.material, inputs=options.inputs, within=options.within, progress=progress
        )

    def document(self, result: Alternatives, options: AlternativesOptions) -> Document:
        from .alternatives_document import alternatives_document

        return alternatives_document(result, options.top)


QUESTION = AlternativesQuestion()
