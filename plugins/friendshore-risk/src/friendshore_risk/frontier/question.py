"""The question `frontier`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from friendshore.questions import OptionsError, Question, Setting

if TYPE_CHECKING:
    from friendshore.document.elements import Document
    from friendshore.questions import Opened, Progress

    from .records import Frontier


@dataclass(frozen=True, slots=True)
class FrontierOptions:
    """Options of `frontier`."""

    country: Annotated[
        tuple[str, ...],
        Setting(
            "Purchases that depend on this country, in place of the countries of concern of the case; may repeat.",
            "COUNTRY",
        ),
    ] = ()
    supplier: Annotated[
        tuple[str, ...],
        Setting("Purchases from this company, or from companies that it owns, of concern or not; may repeat.", "NAME"),
    ] = ()
    material: Annotated[tuple[str, ...], Setting("Only purchases of this material; may repeat.", "MATERIAL")] = ()
    points: Annotated[int, Setting("Most points of the curve, the plan as it is included.", "N", least=2, most=500)] = (
        16
    )


class FrontierQuestion(Question[FrontierOptions, "Frontier"]):
    """The price of independence: the cheapest plan for every cap on money that depends on countries of concern.

    The cap falls from what the plan spends today to zero. Each point is a verified plan with its bound.
    """

    name = "frontier"
    options = FrontierOptions
    doing = "lowering the cap"
    counted = "plans"

    def check(self, options: FrontierOptions) -> None:
        """Refuse words that name no country."""
        from friendshore.domain.countries import countries_of

        for word in options.country:
            try:
                countries_of(word)
            except ValueError as error:
                raise OptionsError("--country names no country", found=word, expected=str(error)) from None

    def ask(self, opened: Opened, options: FrontierOptions, progress: Progress | None) -> Frontier:
        """Return the frontier."""
        from friendshore.domain.countries import countries_of

        from .search import frontier

        countries = frozenset[str]().union(*map(countries_of, options.country))
        return frontier(
            opened.session,
            countries=countries,
            suppliers=options.supplier,
            materials=options.material,
            points=options.points,
            progress=progress,
        )

    def document(self, result: Frontier, options: FrontierOptions) -> Document:
        """Return every point, with a chart."""
        from .document import frontier_document

        return frontier_document(result)

    def screen(self, result: Frontier, options: FrontierOptions) -> Document:
        """Return the points that fit on a screen."""
        from .document import frontier_screen

        return frontier_screen(result)
