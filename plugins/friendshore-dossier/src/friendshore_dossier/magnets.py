"""Origin of magnets (FY2023 NDAA section 857), and the tracing of a purchase through its inputs, which other forms use too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import chain
from typing import NamedTuple

from friendshore.document.figures import count
from friendshore.domain.base import grouped
from friendshore.domain.countries import country_name
from friendshore.domain.facts import ChainEntry, Material
from friendshore.domain.run import RunDraw
from friendshore.domain.stages import Route
from friendshore.domain.use import Chained

from .forms import UNKNOWN, FormFacts, FormRow, FormSection, inquiry, kg, row, table

BASIS = "FY2023 NDAA section 857: disclosure of the provenance of magnets, after commercially reasonable inquiry"
LIMITS = (
    "It shows what the catalogs of the case record. It doesn't claim that a record is true.",
    "A country counts as known only if the records of every input name it, are complete, and are accepted by the case.",
    "It covers the magnets that the plan buys as magnets. Magnets inside other goods aren't traced.",
    "It traces only the inputs that the catalogs list. Others, often iron and boron, aren't covered.",
    "An inquiry that is listed is still to be made. Nothing here shows that it was made.",
    "The rule that implements section 857 (DFARS Case 2023-D003) wasn't final in the sources read. It may ask for more.",
)


class OriginStep(NamedTuple):
    """A step of a chain that a form asks about."""

    title: str
    words: frozenset[str]
    """Stages and steps of the catalogs that belong to it."""
    routes: tuple[Route, ...] = ()
    """Those that together say where it was done."""


def _step(title: str, enough: str, others: str = "") -> OriginStep:
    return OriginStep(title, frozenset(f"{enough} {others}".split()), tuple((word,) for word in enough.split()))


STEPS = (
    _step("Mined", "mined mining", "concentration collection"),
    _step("Refined to oxide", "separated separation", "refined refining cracking leaching calcination"),
    _step("Made into metal", "electrolysis reduction"),
    _step("Melted or alloyed", "melted melting alloying", "strip-casting"),
    _step("Sintered or bonded", "produced sintering bonding", "milling pressing"),
    _step("Magnetized", "produced magnetizing"),
)


class Traced(NamedTuple):
    """Where a step of a purchase may have been done."""

    countries: frozenset[str]
    is_known: bool
    """True if every record is complete and accepted, along every input."""
    entries: tuple[tuple[str, ChainEntry], ...] = ()
    """Offers and their records of the step."""
    open_offers: tuple[str, ...] = ()
    """Offers whose supplier could say more."""

    def in_words(self) -> str:
        names = " or ".join(country_name(code) for code in sorted(self.countries))
        if self.is_known:
            return names
        return f"{UNKNOWN}, possibly {names}" if names else UNKNOWN


def is_proved(entry: ChainEntry) -> bool:
    return entry.complete and bool(entry.countries) and not entry.unmined


class BoughtLot(NamedTuple):
    """Purchases of one material from one offer for one place and compliance class."""

    offer: str
    material: str
    place: str
    compliance_class: str


@dataclass(frozen=True, eq=False)
class Lots:
    """Purchases of a run, with their records along the whole chain."""

    facts: FormFacts

    @cached_property
    def purchases(self) -> dict[BoughtLot, list[int]]:
        """Return each lot that is bought, with the positions of its orders in the run."""
        orders = enumerate(self.facts.run.purchases)
        return grouped((BoughtLot(p.offer, p.material, p.place, p.compliance_class), i) for i, p in orders)

    def total_kg(self, lot: BoughtLot) -> Decimal:
        return sum((self.facts.run.purchases[i].quantity_kg for i in self.purchases[lot]), Decimal(0))

    @cached_property
    def _draws(self) -> dict[tuple[str, str], list[RunDraw]]:
        return grouped(((draw.offer, draw.compliance_class), draw) for draw in self.facts.run.draws)

    @cached_property
    def _suppliers(self) -> dict[tuple[str, str], list[BoughtLot]]:
        """Return material and place -> purchases, stock, and open orders."""
        stock = [BoughtLot(lot.lot, lot.material, lot.place, lot.compliance_class) for lot in self.facts.run.lots]
        return grouped(((lot.material, lot.place), lot) for lot in dict.fromkeys((*self.purchases, *stock)))

    @cached_property
    def chained(self) -> dict[str, Chained]:
        """Return an offer, or stock and open orders by name -> what it performs."""
        return {arc.name: arc.chained for arc in self.facts.problem.network.arcs}

    def inputs(self, lot: BoughtLot) -> list[list[BoughtLot]]:
        """Return the lots that may have supplied each input of a lot."""
        draws = self._draws.get((lot.offer, lot.compliance_class), ())
        keys = dict.fromkeys((draw.material, draw.place) for draw in draws)
        return [[each for each in self._suppliers.get(key, ()) if self._may_supply(each, lot)] for key in keys]

    def _may_supply(self, supplier: BoughtLot, lot: BoughtLot) -> bool:
        # A co-product may serve another compliance class than the one that it was made for.
        is_co_product = len(self.chained[supplier.offer].offer.outputs) > 1
        return is_co_product or supplier.compliance_class == lot.compliance_class

    def trace(self, lot: BoughtLot, step: OriginStep, seen: frozenset[BoughtLot] = frozenset()) -> Traced:
        """Return where a step of a lot may have been done, by its own supplier and in all its inputs."""
        own = [entry for entry in self.chained[lot.offer].stage_entries if entry.stage in step.words]
        inputs = self.inputs(lot) if lot not in seen else []
        traced = [self.trace(supplier, step, seen | {lot}) for supplier in chain.from_iterable(inputs)]
        recorded = {entry.stage for entry in own}
        is_known = all(map(is_proved, own))
        if any(recorded.issuperset(route) for route in step.routes):
            # Inputs may have gone through the same step before.
            traced = [each for each in traced if each.entries]
        else:
            is_known = not own and bool(inputs) and all(inputs)
        is_known = is_known and all(each.is_known for each in traced)
        stated = (entry.countries for entry in own if not entry.unmined)
        countries = frozenset[str]().union(*stated, *(each.countries for each in traced))
        entries = [(lot.offer, entry) for entry in own] + [entry for each in traced for entry in each.entries]
        open_offers = [name for each in traced for name in each.open_offers] or [lot.offer] * (not is_known)
        return Traced(countries, is_known, tuple(dict.fromkeys(entries)), tuple(dict.fromkeys(open_offers)))

    def evidence(self, entries: Iterable[tuple[str, ChainEntry]]) -> tuple[str, ...]:
        """Return the record of each step with its document."""
        unique = dict.fromkeys(entries)
        return tuple(f"{offer}, {entry.stage}: {self.facts.cite(entry.source)}" for offer, entry in unique)

    def name(self, lot: BoughtLot) -> str:
        return f"{self.facts.run.names.material(lot.material)}, {lot.offer}, {lot.place} {lot.compliance_class}"

    def source(self, name: str) -> str:
        """Return the supplier of an offer, or of stock and open orders by name."""
        chained = self.chained[name]
        source = self.facts.source(chained.offer.id, chained.facility)
        return source if name == chained.offer.id else f"{name}, from {source}"


def sections(facts: FormFacts) -> tuple[str, list[FormSection]]:
    """Return the summary and the pages of the form: the lots, the origin of each, and the inquiries to make."""
    lots = Lots(facts)
    magnets = [lot for lot in lots.purchases if _is_magnet(facts.problem.merged.materials[lot.material])]
    if not magnets:
        return "The plan buys nothing that its catalogs call a magnet.", []
    traced = [(lot, step, lots.trace(lot, step)) for lot in magnets for step in STEPS]
    unknown = sum(not each.is_known for _, _, each in traced)
    summary = (
        f"The plan buys {count(len(magnets), 'lot')} of magnets. Of {len(traced)} steps, {len(traced) - unknown} have a known country, and "
        f"{unknown} {'is' if unknown == 1 else 'are'} unknown."
    )
    note = "A lot is all that the plan buys from one offer for one place and one compliance class."
    bought = table("Lot | Supplier | Place | For | Orders | Kilograms", (_lot_row(lots, lot) for lot in magnets))
    origin = table("Lot | Step | Countries | Recorded for", (_step_row(lots, *each) for each in traced))
    asked = table("Ask | About | Document to request", _inquiries(lots, traced))
    return summary, [
        FormSection(title="Lots", notes=(note,), tables=(bought,)),
        FormSection(title="Origin", tables=(origin,)),
        FormSection(title="Inquiries to make", tables=(asked,)),
    ]


def _is_magnet(material: Material) -> bool:
    return any("magnet" in word.casefold() for word in (material.id, material.name, material.form, *material.tags))


def _lot_row(lots: Lots, lot: BoughtLot) -> FormRow:
    positions = lots.purchases[lot]
    uses = " and ".join(dict.fromkeys(lots.facts.run.purchases[i].end_use for i in positions))
    cells = (lots.name(lot), lots.source(lot.offer), lot.place, uses, count(len(positions), "order"))
    figures = [lots.facts.plan(f"purchases[{i}].quantity_kg") for i in positions]
    return row(*cells, kg(lots.total_kg(lot)), figures=figures)


def _step_row(lots: Lots, lot: BoughtLot, step: OriginStep, traced: Traced) -> FormRow:
    suppliers = "; ".join(dict.fromkeys(lots.source(offer) for offer, _ in traced.entries)) or UNKNOWN
    evidence = lots.evidence(traced.entries) or ("no record",)
    return row(lots.name(lot), step.title, traced.in_words(), suppliers, evidence=evidence, unknown=not traced.is_known)


def _inquiries(lots: Lots, traced: Sequence[tuple[BoughtLot, OriginStep, Traced]]) -> Iterator[FormRow]:
    """Yield the questions to each supplier whose answer the form lacks, with the document to request."""
    open_steps = grouped((offer, step.title.lower()) for _, step, each in traced for offer in each.open_offers)
    for offer, steps in open_steps.items():
        material = lots.chained[offer].material
        name = material.name or material.id
        about = f"In which country is {name} {', '.join(dict.fromkeys(steps))}, and what proves it?"
        yield inquiry(lots.source(offer), about, material)
