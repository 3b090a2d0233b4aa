"""Stock, orders, incumbents, licences, waivers and stores of a case, and what it says of facilities described twice."""

from __future__ import annotations

from ..domain.case import IncumbentSpec, LicenceSpec, OrderSpec, Overlap, StockSpec, StoreSpec, WaiverSpec
from ..reading.entry import Entry
from .wants import About, chain_of, money, plain_mass, substance_of


def stock(entry: Entry, about: About) -> StockSpec | None:
    """Stock in hand."""
    given = entry.pick(id="id", material="material", place="place", acquired="acquired", why="why")
    given |= {"substance": substance_of(entry, ("quantity",)), "chain": chain_of(entry)} | _kg(entry, "quantity")
    found = entry.made(StockSpec, given)
    if found is None or found.id:
        return found
    return found.model_copy(update={"id": f"{found.material}/{found.place or about.place}"})


def order(entry: Entry) -> OrderSpec | None:
    """An order already placed."""
    given = entry.pick(id="id", offer="offer", arrives="arrives", ordered="ordered", place="place", why="why")
    given |= {"substance": substance_of(entry, ("quantity",))} | _kg(entry, "quantity")
    return entry.made(OrderSpec, given)


def incumbent(entry: Entry) -> IncumbentSpec | None:
    """What is bought today of an offer."""
    given = entry.pick(offer="offer", why="why") | _kg(entry, "per_year")
    return entry.made(IncumbentSpec, given | {"substance": substance_of(entry, ("per_year",))})


def licence(entry: Entry) -> LicenceSpec | None:
    """An export licence in hand."""
    given = entry.pick(id="id", rule="rule", exporter="exporter", start="from", end="until", why="why")
    found = entry.made(LicenceSpec, given | {"quantity": plain_mass(entry, "quantity")})
    if found is None or found.id:
        return found
    return found.model_copy(update={"id": f"{found.rule}/{found.exporter or '*'}"})


def waiver(entry: Entry) -> WaiverSpec | None:
    """A waiver."""
    given = entry.pick(id="id", rule="rule", demand="demand", start="from", end="until", under="under", why="why")
    quantity = plain_mass(entry, "quantity")
    found = entry.made(WaiverSpec, given | ({} if quantity is None else {"quantity": quantity}))
    if found is None or found.id:
        return found
    return found.model_copy(update={"id": f"{found.rule}/{found.demand or '*'}"})


def store(entry: Entry, about: About) -> StoreSpec | None:
    """How a material is held."""
    given = entry.pick(material="material", place="place", loss="loss") | _kg(entry, "limit")
    substance = substance_of(entry, ("holding", "limit"))
    return entry.made(StoreSpec, given | {"holding": money(entry, "holding", about), "substance": substance})


def _kg(entry: Entry, column: str) -> dict[str, object]:
    """The kilograms of a mass under its name; nothing where none is given."""
    return {column: entry.values[column].kg} if column in entry.values else {}


def overlap(entry: Entry) -> Overlap | None:
    """What is said of facilities that more than one catalog describes."""
    values = entry.values
    said = values.keys() | entry.bad  # what cannot be read has been said already
    if ("keep" in said) == bool(values.get("distinct", "distinct" in entry.bad)):
        entry.problem(
            "", "an overlap says which facility to keep, or that they are distinct", "`keep` or `distinct = true`"
        )
    elif "keep" in said:
        if "offers" not in said:
            entry.problem("offers", "which offers stay is not said", '`offers = "all"` or `offers = "kept"`')
    elif "offers" in values:
        entry.problem("offers", "distinct facilities keep all their offers", fix="delete it")
    return entry.made(Overlap, entry.pick(facilities="facilities", keep="keep", offers="offers", why="why"))
