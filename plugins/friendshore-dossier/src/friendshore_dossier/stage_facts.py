"""Statements of documents on the stages of an offer's goods, with the reasons why a list of countries is open."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby

from friendshore.domain.stages import Stage, stage_of

from .templates import MINES, SMELTERS, Declaration, Smelter, StatedFacility


@dataclass(frozen=True, slots=True)
class StageFact:
    """Countries of a stage, as far as a document states them in some cells."""

    stage: str
    countries: frozenset[str]
    cells: str = ""
    reasons: tuple[str, ...] = ()
    """Reasons why the list of countries may lack some."""
    unasked: tuple[str, ...] = ()
    """Reasons that the supplier may rule out in a letter, because the form doesn't ask."""
    recycled: bool = False
    facilities: tuple[StatedFacility, ...] = ()
    reference: str = ""
    """Document with its cells, hash, and confirmation."""
    day: date | None = None

    @property
    def is_complete(self) -> bool:
        return bool(self.countries) and not self.why_open

    @property
    def why_open(self) -> str:
        return "; ".join(dict.fromkeys((*self.reasons, *self.unasked)))


def combined(facts: Sequence[StageFact]) -> StageFact:
    """Return one fact from several documents about the same stage. It is complete only if all are, and as old as the oldest."""
    days = [fact.day for fact in facts if fact.day is not None]
    return StageFact(
        stage=facts[0].stage,
        countries=frozenset().union(*(fact.countries for fact in facts)),
        # A document without a country leaves the list open too.
        reasons=tuple(fact.why_open or "no country is stated" for fact in facts if not fact.is_complete),
        recycled=all(fact.recycled for fact in facts),
        facilities=tuple(dict.fromkeys(place for fact in facts for place in fact.facilities)),
        reference=" + ".join(fact.reference for fact in facts),
        day=min(days) if len(days) == len(facts) else None,
    )


def declared_facts(form: Declaration, metal: str, product: str, stages: Sequence[str]) -> Iterator[StageFact]:
    """Yield what a declaration workbook states about a product's metal. `product` is empty if its number isn't known.

    Of the stages, `mined` comes from the mines, and all others come from the smelters. Empty means mined and refined.
    """
    answers, smelters = form.answers[metal], [smelter for smelter in form.smelters if smelter.metal == metal]
    reasons = (*answers.reasons, *_reasons(form, product, smelters))
    is_scrap = answers.all_recycled is True and not reasons and all(smelter.is_recycled for smelter in smelters)
    unasked = () if form.asks_for_all else ("the form doesn't ask whether all smelters are listed",)
    places = [smelter.place for smelter in smelters]
    for stage in dict.fromkeys(stages or (Stage.REFINED.value, Stage.MINED.value)):
        draft = StageFact(stage, frozenset(), "", reasons, unasked, is_scrap)
        if stage_of(stage) is not Stage.MINED:
            yield _located(draft, places, _cells(SMELTERS, places), answers.cells)
        elif not is_scrap:  # the form doesn't ask where scrap was collected
            yield _mined_fact(form, metal, smelters, draft)


def _located(draft: StageFact, places: Collection[StatedFacility], *cells: str) -> StageFact:
    countries = frozenset(place.country for place in places) - {""}
    facilities = tuple(place for place in places if place.country and (place.id or place.name))
    return replace(draft, countries=countries, cells="; ".join(filter(None, cells)), facilities=facilities)


def _mined_fact(form: Declaration, metal: str, smelters: Sequence[Smelter], draft: StageFact) -> StageFact:
    """Return the countries of the mines. No form asks whether all mines are listed, so only a letter can close the list."""
    mines = [mine for mine in form.mines if mine.metal == metal]
    own, listed = [place for smelter in smelters for place in smelter.mines], [mine.place for mine in mines]
    suppliers = {mine.smelter.casefold() for mine in mines if mine.smelter}
    names = {smelter.place.name.casefold() for smelter in smelters}
    reasons = [
        f"the mines of {SMELTERS}!{smelter.place.cell} aren't stated"
        for smelter in smelters
        if not smelter.mines and smelter.place.name.casefold() not in suppliers
    ]
    reasons += [
        f"{MINES}!{mine.place.cell} is of a smelter that isn't listed"
        for mine in mines
        if mine.smelter.casefold() not in names
    ]
    reasons += [f"{place.cell} names no country of the mine" for place in (*own, *listed) if not place.country]
    unasked = (*draft.unasked, "the form doesn't ask whether all mines are listed")
    draft = replace(draft, reasons=(*draft.reasons, *reasons), unasked=unasked)
    return _located(draft, (*own, *listed), _cells(SMELTERS, own), _cells(MINES, listed))


def _reasons(form: Declaration, product: str, smelters: Collection[Smelter]) -> Iterator[str]:
    """Yield the reasons why a declaration isn't about the product, or doesn't state where all its smelters are."""
    if form.scope == "A":
        yield "the declaration is about the whole company (Declaration!D9), not about a product"
    elif form.scope != "B":
        yield "the declaration has a scope of its own (Declaration!D9), not a list of products"
    elif product not in form.products:
        yield f"product {product} isn't in the product list" if product else "it isn't known which listed product it is"
    if not smelters:
        yield "no smelter of the metal is listed"
    for smelter in smelters:
        if not smelter.is_identified or not smelter.place.country:
            what = "of unknown country" if smelter.is_identified else "that isn't identified"
            yield f"{SMELTERS}!{smelter.place.cell} is a smelter {what}"


def _cells(sheet: str, places: Collection[StatedFacility]) -> str:
    """Return the cells of places in one column, with ranges: `Smelter List!E5:E7, E9`. Empty if there are none."""
    rows = sorted({int(place.cell[1:]) for place in places})
    runs = [[row for _, row in run] for _, run in groupby(enumerate(rows), lambda entry: entry[1] - entry[0])]
    letter = next((place.cell[0] for place in places), "")
    cells = [f"{letter}{run[0]}" + (f":{letter}{run[-1]}" if len(run) > 1 else "") for run in runs]
    return f"{sheet}!{', '.join(cells)}" if cells else ""
