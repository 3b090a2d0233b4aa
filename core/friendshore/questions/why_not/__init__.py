"""`why-not`: the break-even price of an offer, and what keeps it out."""

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
    """What can be set."""

    offer: Annotated[str, Setting("An offer, as `alternatives` and `catalogs show` name it.", "OFFER", argument=True)]


class WhyNotQuestion(Question[WhyNotOptions, "WhyNot"]):
    """Why an offer is not in the plan: its break-even price, what keeps it out, and what relaxing that is worth."""

    name = "why-not"
    options = WhyNotOptions

    def ask(self, opened: Opened, options: WhyNotOptions, progress: Progress | None) -> WhyNot:
        from .find_why_not import why_not

        return why_not(opened.session, options.offer, progress=progress)

    def document(self, result: WhyNot, options: WhyNotOptions) -> Document:
        from .why_not_document import why_not_document

        return why_not_document(result)


QUESTION = WhyNotQuestion()
