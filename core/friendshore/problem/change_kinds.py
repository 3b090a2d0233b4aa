"""What each kind of change does to the facts of a case: which of them its words name, what it adds, and what it takes away.

Added are proofs, waivers, licences and stock; lead times and recipes are multiplied. Taken away are terms of trade: what a plan would
cost if they did not hold (relaxation).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import chain, count
from typing import Final

from ..domain.base import exact
from ..domain.case import Case, DemandSpec, LicenceSpec, StockSpec, WaiverSpec
from ..domain.change import Change, TermKind
from ..domain.facts import Catalog, ChainEntry, Facility, Offer, RecipeLine
from ..domain.market import BenchmarkPrice
from ..domain.suggest import closest
from ..domain.terms import Bearing, Terms
from ..errors import Diagnostic
from .demands import demand_name
from .merged import CASE_SOURCE
from .trade import covers

Facts = tuple[Case, tuple[Catalog, ...]]
"""What changes are applied to, rules apart."""


def prove(change: Change, case: Case, catalogs: tuple[Catalog, ...], troubles: list[Diagnostic]) -> Facts:
    """Takes as proved what is not, of one offer."""
    if all(offer.id != change.prove for catalog in catalogs for offer in catalog.offers):
        unknown(change, change.prove, "an offer", troubles, offers_of(catalogs))
    proven = tuple(sorted({*case.accept.proven, change.prove}))
    return case.but(accept=case.accept.but(proven=proven)), catalogs


def waive(change: Change, case: Case, catalogs: tuple[Catalog, ...], _: list[Diagnostic]) -> Facts:
    """Adds a waiver; what is wrong with its names is told when the case is put together."""
    assert change.quantity is not None
    waiver = WaiverSpec(
        id=_numbered(f"waiver:{change.waive}:{change.of}", [w.id for w in case.waivers]),
        rule=change.waive,
        demand=change.of,
        quantity=change.quantity,
        start=change.start,
        end=change.end,
        why=change.why,
    )
    return case.but(waivers=(*case.waivers, waiver)), catalogs


def grant(change: Change, case: Case, catalogs: tuple[Catalog, ...], _: list[Diagnostic]) -> Facts:
    """Adds an export licence; what is wrong with its names is told when the case is put together."""
    licence = LicenceSpec(
        id=_numbered(f"licence:{change.grant}:{change.of or '*'}", [one.id for one in case.licences]),
        rule=change.grant,
        exporter=change.of,
        quantity=change.quantity,
        start=change.start,
        end=change.end,
        why=change.why,
    )
    return case.but(licences=(*case.licences, licence)), catalogs


_WRITTEN = {"start": "from", "end": "until"}


def own_quantity(change: Change, case: Case, catalogs: tuple[Catalog, ...], troubles: list[Diagnostic]) -> Facts:
    """Multiplies, or states, how much an offer gives by itself, whatever its facility can make."""
    name, factor = change.capacity.removeprefix("offer:"), change.factor
    wrong = [word for word in ("status", "delay", "start", "end") if getattr(change, word) is not None]
    for word in (_WRITTEN.get(word, word) for word in wrong):
        message = f"an offer's own quantity has no `{word}`: it holds for the whole plan"
        troubles.append(
            Diagnostic(message, column=word, found=change.capacity, fix="leave it out, or name the facility")
        )

    def changed(offer: Offer) -> Offer:
        stated: dict[str, object] = {}
        for field, figure in (("max_per_year", change.per_year), ("total", change.quantity)):
            own = getattr(offer, field)
            if figure is not None:
                stated |= {field: figure, "source": CASE_SOURCE}
            elif factor is not None and own is not None:
                stated[field] = exact(own * factor)
        return offer.but(**stated)

    hit = [offer for catalog in catalogs for offer in catalog.offers if offer.id == name]
    if not hit:
        unknown(change, change.capacity, "an offer", troubles, (f"offer:{one}" for one in offers_of(catalogs)))
    elif factor is not None and all(offer.max_per_year is None and offer.total is None for offer in hit):
        message, fix = (
            f"`{name}` has no quantity of its own that could be changed",
            "state one with `per_year` or `quantity`",
        )
        troubles.append(Diagnostic(message, column="capacity", found=change.capacity, fix=fix))
    return case, tuple(c.but(offers=tuple(changed(o) if o.id == name else o for o in c.offers)) for c in catalogs)


def revoke(change: Change, case: Case, catalogs: tuple[Catalog, ...], troubles: list[Diagnostic]) -> Facts:
    """Takes no licence as granted any more, for one end use."""
    if change.revoke not in case.assume.licence:
        expected = "an end use of [assume.licence]: " + (", ".join(sorted(case.assume.licence)) or "it names none")
        unknown(change, change.revoke, expected, troubles, case.assume.licence)
    left = {use: held for use, held in case.assume.licence.items() if use != change.revoke}
    return case.but(assume=case.assume.but(licence=left)), catalogs


def _numbered(name: str, taken: Collection[str]) -> str:
    """A name that is not taken."""
    return next(n for n in chain((name,), (f"{name}:{i}" for i in count(2))) if n not in taken)


def add_stock(change: Change, case: Case, catalogs: tuple[Catalog, ...], troubles: list[Diagnostic]) -> Facts:
    """Puts more of a material in stock at the case's place, all its stages performed in stated countries."""
    assert change.quantity is not None
    stages = {m.id: m.stages for catalog in catalogs for m in catalog.materials}
    if change.stock not in stages:
        unknown(change, change.stock, "a material", troubles, stages)
    stock = StockSpec(
        id=_numbered(f"stock:{change.stock}", [stock.id for stock in case.stocks]),
        material=change.stock,
        quantity=change.quantity,
        chain=tuple(
            ChainEntry(stage=stage, countries=change.countries, complete=True) for stage in stages.get(change.stock, ())
        ),
        why=change.why,
    )
    return case.but(stocks=(*case.stocks, stock)), catalogs


def add_demand(change: Change, case: Case, catalogs: tuple[Catalog, ...], troubles: list[Diagnostic]) -> Facts:
    """Add a demand."""
    materials = [material.id for catalog in catalogs for material in catalog.materials]
    if change.want not in materials:
        unknown(change, change.want, "a material", troubles, materials)
    place = change.place or case.place
    name = change.called or f"{change.want}/{change.end_use}/{place}"
    if name in {demand_name(one, case) for one in case.demands}:
        fix = "change that one with `demand`, or give this one a name of its own with `called`"
        troubles.append(Diagnostic(f"the case has a demand `{name}`", column="want", found=change.want, fix=fix))
    if change.quantities and len(change.quantities) != case.horizon.count:
        message, found = f"the plan has {case.horizon.count} periods", f"{len(change.quantities)} masses"
        fix = "state a mass for each of them"
        troubles.append(Diagnostic(message, column="quantities", found=found, fix=fix))
    if change.currency not in ("", case.currency):
        message, found = f"the case is in {case.currency}", f"{change.shortage_price} {change.currency}/kg"
        troubles.append(Diagnostic(message, column="shortage_price", found=found, fix="convert the price"))
    demand = DemandSpec(
        id=name,
        material=change.want,
        end_use=change.end_use,
        place=change.place,
        buyer=change.buyer,
        per_year=change.per_year,
        quantities=change.quantities,
        start=change.start,
        end=change.end,
        shortage_price=change.shortage_price,
        why=change.why,
    )
    return case.but(demands=(*case.demands, demand)), catalogs


def resize_order(change: Change, case: Case, catalogs: tuple[Catalog, ...], troubles: list[Diagnostic]) -> Facts:
    """State what an order already placed brings."""
    if change.order not in case.order_names:
        unknown(change, change.order, "an order of the case", troubles, case.order_names)
    orders = tuple(
        order.but(quantity=change.quantity) if name == change.order else order
        for name, order in zip(case.order_names, case.orders, strict=True)
    )
    return case.but(orders=orders), catalogs


OFFERS: Final = (
    "an offer, facility, supplier or parent (if need be `offer:name`, `facility:name`, and so on), `country:XX`, "
    "`outside:XX` or `catalog:name`"
)
"""What may name offers, for messages."""


def names_offer(name: str, offer: Offer, facility: Facility) -> bool:
    """Return True if a change's word for offers means one: its id, facility, supplier or owner, or a kind and a value."""
    kind, colon, value = name.partition(":")
    if colon and kind in _KINDS:
        return _KINDS[kind](offer, facility, value)
    called = offer_words(offer, facility)
    return called[kind] == value if colon and kind in called else name in called.values()


OFFER_WORDS: Final = ("offer", "facility", "supplier", "parent")
DEMAND_WORDS: Final = ("demand", "material", "end_use")
"""What a name may be that no word stands before; with one of these and a colon before it, it is that."""


def offer_words(offer: Offer, facility: Facility) -> dict[str, str]:
    """Names that mean an offer, by what they are the name of."""
    called = (offer.id, facility.id, facility.supplier, facility.owner)
    return dict(zip(OFFER_WORDS, called, strict=True))


def demand_words(demand: DemandSpec, case: Case) -> dict[str, str]:
    """The same of a demand."""
    return dict(zip(DEMAND_WORDS, (demand_name(demand, case), demand.material, demand.end_use), strict=True))


_KINDS: dict[str, Callable[[Offer, Facility, str], bool]] = {
    "country": lambda _, facility, value: facility.country == value,
    "outside": lambda _, facility, value: facility.country != value,
    "catalog": lambda offer, _, value: offer.catalog == value,
}
"""What stands before a colon, and whom it means."""


def reprices(change: Change, offer: Offer, facility: Facility) -> bool:
    """Return True if a change names an offer, a material that it delivers or where it sells from, to change its price; one of a day names a benchmark."""
    kind, colon, name = change.price.partition(":")
    if change.date is not None or (colon and kind == "benchmark"):
        return False
    material = name if colon and kind == "material" else change.price
    by_place = colon and names_offer(change.price, offer, facility)
    return bool(by_place) or change.price == offer.id or any(material == line.material for line in offer.outputs)


def follows(change: Change, row: BenchmarkPrice) -> bool:
    """Return True if a change of a price names a price of a benchmark."""
    return benchmark_named(change) == row.id and change.date in (None, row.date)


def benchmark_named(change: Change) -> str:
    """The benchmark that a change of a price names, if it names one."""
    return change.price.removeprefix("benchmark:")


def resizes(change: Change, demand: DemandSpec, case: Case) -> bool:
    """Return True if a change names a demand as reports do, its material or its end use."""
    words = demand_words(demand, case)
    kind, colon, name = change.demand.partition(":")
    return words[kind] == name if colon and kind in words else change.demand in words.values()


def unknown(change: Change, name: str, expected: str, troubles: list[Diagnostic], known: Iterable[str] = ()) -> None:
    """Notes a name that nothing in the case answers to; `known` are names of what may be meant."""
    message = f"`{change.subject}` names nothing in the case"
    troubles.append(Diagnostic(message, "", None, change.subject, name, expected, closest(name, known)))


def offers_of(catalogs: Iterable[Catalog]) -> list[str]:
    """Ids of all offers."""
    return [offer.id for catalog in catalogs for offer in catalog.offers]


def sellers_of(catalogs: Iterable[Catalog]) -> list[str]:
    """All names that mean offers."""
    facilities = [facility for catalog in catalogs for facility in catalog.facilities]
    named = (name for facility in facilities for name in (facility.id, facility.supplier, facility.owner))
    return [*offers_of(catalogs), *named]


def scale_lead_times(change: Change, case: Case, catalogs: tuple[Catalog, ...], troubles: list[Diagnostic]) -> Facts:
    """Multiplies the lead times of offers, on every lane; of one that states none, the case's."""
    factor = change.factor
    assert factor is not None
    facilities = {f.id: f for catalog in catalogs for f in catalog.facilities}

    def hit(offer: Offer) -> bool:
        return names_offer(change.lead_time, offer, facilities[offer.facility])

    def scaled(offer: Offer) -> Offer:
        own = case.assume.lead_time if offer.lead_time is None else offer.lead_time
        lanes = (
            lane if lane.lead_time is None else lane.but(lead_time=exact(lane.lead_time * factor))
            for lane in offer.lanes
        )
        return offer.but(lead_time=exact(own * factor), lanes=tuple(lanes))

    if not any(hit(offer) for catalog in catalogs for offer in catalog.offers):
        unknown(change, change.lead_time, OFFERS, troubles, sellers_of(catalogs))
    return case, tuple(c.but(offers=tuple(scaled(o) if hit(o) else o for o in c.offers)) for c in catalogs)


def scale_recipe(change: Change, case: Case, catalogs: tuple[Catalog, ...], troubles: list[Diagnostic]) -> Facts:
    """Multiplies what an offer takes, or gives, of a material a unit."""
    factor = change.factor
    assert factor is not None

    def hit(offer: Offer) -> bool:
        return offer.id == change.recipe and any(ln.material == change.of for ln in (*offer.inputs, *offer.outputs))

    def scaled(lines: tuple[RecipeLine, ...]) -> tuple[RecipeLine, ...]:
        return tuple(ln.but(per_unit=exact(ln.per_unit * factor)) if ln.material == change.of else ln for ln in lines)

    def changed(offer: Offer) -> Offer:
        return offer.but(inputs=scaled(offer.inputs), outputs=scaled(offer.outputs)) if hit(offer) else offer

    if not any(hit(offer) for catalog in catalogs for offer in catalog.offers):
        what = f"an offer that takes or gives `{change.of}`"
        unknown(change, change.recipe, what, troubles, set(offers_of(catalogs)) - {change.recipe})
    return case, tuple(catalog.but(offers=tuple(map(changed, catalog.offers))) for catalog in catalogs)


OFFER_TERMS: dict[TermKind, dict[str, object]] = {
    TermKind.MINIMUM_LOAD: {"min_order": None},
    TermKind.MAXIMUM_LOAD: {"max_order": None, "max_lots": None, "max_per_year": None, "total": None},
    TermKind.LOT: {"lot": None, "max_lots": None},
    TermKind.ONBOARDING: {"onboarding": None},
    TermKind.QUALIFICATION: {"qualification": None},
    TermKind.DATES: {"start": None, "end": None},
    TermKind.LEAD_TIME: {"lead_time": Decimal(0)},
    TermKind.TAKE_OR_PAY: {"take_or_pay": None, "take_or_pay_share": Decimal(1)},
}
"""Fields of an offer that a kind of term is stated in, each with what stands for none."""
TERMS_FIGURES: dict[TermKind, str] = {
    TermKind.FIXED_COST: "fixed",
    TermKind.MINIMUM_LOAD: "least",
    TermKind.MAXIMUM_LOAD: "most",
    TermKind.SETUP: "setup_use",
}
"""Field of `Terms` that a kind of term is stated in."""


def relax(change: Change, case: Case, catalogs: tuple[Catalog, ...], troubles: list[Diagnostic]) -> Facts:
    """Takes away a kind of term of trade, from everyone or from what the change names."""
    facilities = {f.id: f for catalog in catalogs for f in catalog.facilities}
    if change.of and not any(_meant(change, o, facilities) for catalog in catalogs for o in catalog.offers):
        unknown(change, change.of, OFFERS, troubles, sellers_of(catalogs))
    offers = [offer for catalog in catalogs for offer in catalog.offers]
    return case, tuple(_without(change, catalog, offers, facilities) for catalog in catalogs)


def has_term(change: Change, offer: Offer, facility: Facility) -> bool:
    """Return True if a change that relaxes names an offer."""
    return not change.of or names_offer(change.of, offer, facility)


def _meant(change: Change, offer: Offer, facilities: Mapping[str, Facility]) -> bool:
    return has_term(change, offer, facilities[offer.facility])


def _without(change: Change, catalog: Catalog, offers: list[Offer], facilities: Mapping[str, Facility]) -> Catalog:
    kind = change.lift
    assert kind is not None
    gone = OFFER_TERMS.get(kind)
    update: dict[str, object] = {}
    if gone is not None:
        update["offers"] = tuple(
            _free_of(offer, kind, gone) if _meant(change, offer, facilities) else offer for offer in catalog.offers
        )

    def bears(bearing: Bearing) -> bool:
        """Return True if all that it is about is meant; what is about more than that is left alone."""
        about = [offer for offer in offers if covers(bearing, offer, facilities)]
        return not change.of or (bool(about) and all(_meant(change, offer, facilities) for offer in about))

    if kind is TermKind.TIERS:
        update["schedules"] = tuple(schedule for schedule in catalog.schedules if not bears(schedule))
    if kind in TERMS_FIGURES:
        update["terms"] = tuple(_lifted(catalog.terms, TERMS_FIGURES[kind], bears))
    return catalog.but(**update)


def _free_of(offer: Offer, kind: TermKind, gone: Mapping[str, object]) -> Offer:
    lanes = offer.lanes
    if kind is TermKind.MAXIMUM_LOAD and offer.paid:
        return offer  # without its limit a plan would buy without end
    if kind is TermKind.LEAD_TIME:
        lanes = tuple(lane.but(lead_time=None) for lane in lanes)
    return offer.but(**gone, lanes=lanes)


def _lifted(terms: tuple[Terms, ...], name: str, bears: Callable[[Bearing], bool]) -> Iterator[Terms]:
    """Terms without one of their figures; those that then say nothing are left out."""
    for one in terms:
        if not bears(one):
            yield one
            continue
        left = one.but(**{name: None})
        if any(getattr(left, figure) is not None for figure in TERMS_FIGURES.values()):
            yield left
