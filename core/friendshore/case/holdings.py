"""Stock, orders, incumbents, licences, waivers and stores of a case, and what it says of facilities described twice."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from ..domain.case import IncumbentSpec, LicenceSpec, OrderSpec, Overlap, StockSpec, StoreSpec, WaiverSpec
from ..reading.entry import Entry
from .wants import About, chain_of, distinct, money, order_of_dates, plain_mass, substance_of


def stocks(entries: Sequence[Entry], about: About) -> tuple[StockSpec, ...]:
    """Stock in hand."""
    return distinct(entries, [_stock(entry, about) for entry in entries], "id")


def _stock(entry: Entry, about: About) -> StockSpec | None:
    values = entry.values
    chain = chain_of(entry)
    acquired = values.get("acquired")
    if acquired and about.horizon and acquired > about.horizon.start:
        entry.problem(
            "acquired",
            f"stock in hand cannot have been acquired after the plan's start ({about.horizon.start})",
            "an earlier day",
            "write what is still to come as [[order]]",
        )
    if entry.bad:
        return None
    return StockSpec(
        id=values.get("id", f"{values['material']}/{values.get('place', about.place)}"),
        **entry.pick(material="material", place="place", acquired="acquired", why="why"),
        quantity=values["quantity"].kg,
        substance=substance_of(entry, ("quantity",)),
        chain=chain,
    )


def orders(entries: Sequence[Entry]) -> tuple[OrderSpec, ...]:
    """Orders already placed."""
    found: list[OrderSpec | None] = []
    for entry in entries:
        order_of_dates(entry, "ordered", "arrives")
        if entry.bad:
            found.append(None)
            continue
        found.append(
            OrderSpec(
                **entry.pick(id="id", offer="offer", arrives="arrives", ordered="ordered", place="place", why="why"),
                quantity=entry.values["quantity"].kg,
                substance=substance_of(entry, ("quantity",)),
            )
        )
    return distinct(entries, found, "id", lambda order: order.id or object())


def incumbents(entries: Sequence[Entry]) -> tuple[IncumbentSpec, ...]:
    """What is bought today."""
    found: list[IncumbentSpec | None] = []
    for entry in entries:
        if entry.bad:
            found.append(None)
            continue
        substance = substance_of(entry, ("per_year",))
        kept = entry.pick(offer="offer", why="why")
        found.append(IncumbentSpec(per_year=entry.values["per_year"].kg, substance=substance, **kept))
    return distinct(entries, found, "offer", lambda spec: spec.offer)


def licences(entries: Sequence[Entry]) -> tuple[LicenceSpec, ...]:
    """Export licences in hand."""
    found: list[LicenceSpec | None] = []
    for entry in entries:
        values = entry.values
        order_of_dates(entry)
        quantity = plain_mass(entry, "quantity")
        if entry.bad:
            found.append(None)
            continue
        name = values.get("id", f"{values['rule']}/{values.get('exporter', '*')}")
        kept = entry.pick(rule="rule", exporter="exporter", start="from", end="until", why="why")
        found.append(LicenceSpec(id=name, quantity=quantity, **kept))
    return distinct(entries, found, "id")


def waivers(entries: Sequence[Entry]) -> tuple[WaiverSpec, ...]:
    """Waivers."""
    found: list[WaiverSpec | None] = []
    for entry in entries:
        values = entry.values
        order_of_dates(entry)
        quantity = plain_mass(entry, "quantity")
        if entry.bad or quantity is None:
            found.append(None)
            continue
        name = values.get("id", f"{values['rule']}/{values.get('demand', '*')}")
        kept = entry.pick(rule="rule", demand="demand", start="from", end="until", under="under", why="why")
        found.append(WaiverSpec(id=name, quantity=quantity, **kept))
    return distinct(entries, found, "id")


def stores(entries: Sequence[Entry], about: About) -> tuple[StoreSpec, ...]:
    """How materials are held."""
    found: list[StoreSpec | None] = []
    for entry in entries:
        holding = money(entry, "holding", about)
        substance = substance_of(entry, ("holding", "limit"))
        loss = entry.values.get("loss", Decimal(0))
        if loss > 1:
            entry.problem(
                "loss",
                f"{loss * 100:f} % a year is more than is held",
                "0 to 100 % a year",
                "write what is lost in a year",
            )
        if entry.bad:
            found.append(None)
            continue
        limit = entry.values["limit"].kg if "limit" in entry.values else None
        kept = entry.pick(material="material", place="place")
        found.append(StoreSpec(holding=holding, limit=limit, loss=loss, substance=substance, **kept))
    return distinct(entries, found, "place", lambda s: (s.material, s.place or about.place))


def overlaps(entries: Sequence[Entry]) -> tuple[Overlap, ...]:
    """What is said of facilities that more than one catalog describes."""
    found = [_overlap(entry) for entry in entries]
    named: dict[str, Entry] = {}
    for entry, overlap in zip(entries, found, strict=True):
        for name in overlap.facilities if overlap is not None and overlap.keep else ():
            if named.setdefault(name, entry) is not entry:
                entry.problem(
                    "facilities", f"`{name}` is one with others in two places", fix="put all of them in one [[overlap]]"
                )
    return tuple(overlap for overlap in found if overlap is not None)


def _overlap(entry: Entry) -> Overlap | None:
    values = entry.values
    facilities = values.get("facilities", ())
    expected = "`catalog:facility`"
    for name in (*facilities, *([values["keep"]] if "keep" in values else ())):
        if name.count(":") != 1 or not all(name.split(":")):
            entry.problem("facilities", f"`{name}` does not say which facility of which catalog", expected)
    catalogs = [name.partition(":")[0] for name in facilities]
    if len(set(catalogs)) < max(2, len(catalogs)):
        entry.problem(
            "facilities",
            "an overlap is of facilities of different catalogs",
            "two or more, each of a catalog of its own",
            "put lines of one plant in it by `within`, in the catalog itself",
        )
    said = values.keys() | entry.bad  # what cannot be read has been said already
    if ("keep" in said) == bool(values.get("distinct", "distinct" in entry.bad)):
        entry.problem(
            "", "an overlap says which facility to keep, or that they are distinct", "`keep` or `distinct = true`"
        )
    elif "keep" in said:
        if "keep" in values and values["keep"] not in facilities:
            entry.problem("keep", "the one kept is none of the facilities", "one of " + ", ".join(facilities))
        if "offers" not in said:
            entry.problem("offers", "which offers stay is not said", '`offers = "all"` or `offers = "kept"`')
    elif "offers" in values:
        entry.problem("offers", "distinct facilities keep all their offers", fix="delete it")
    if entry.bad:
        return None
    return Overlap(**entry.pick(facilities="facilities", keep="keep", offers="offers", why="why"))
