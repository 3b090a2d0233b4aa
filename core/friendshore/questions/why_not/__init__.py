"""`why-not`: the break-even price of an offer, and the reasons that exclude it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from ..base import Question, Setting

if TYPE_CHECKING:
    from ...document.elements import Document
    from ...recommend import Opened
    from ...solve import Progress
    from .find_why_not import WhyNot


@dataclass(frozen=True, slots=True)
class WhyNotOptions:
    """Options of `why-not`."""

    offer: Annotated[str, Setting("Offer, as named by `alternatives` and `catalogs show`.", "OFFER", argument=True)]


class WhyNotQuestion(Question[WhyNotOptions, "WhyNot"]):
    """Explain why an offer isn't in the plan: its break-even price, the reasons that exclude it, and the value of relaxing them."""

    name = "why-not"
    options = WhyNotOptions

    def ask(self, opened: Opened, options: WhyNotOptions, progress: Progress | None) -> WhyNot:
        from .find_why_not import why_not

        return why_not(opened.session, options.offer, progress=progress)

    def document(self, result: WhyNot, options: WhyNotOptions) -> Document:
        from .why_not_document import why_not_document

        return why_not_document(result)


QUESTION = WhyNotQuestion()
