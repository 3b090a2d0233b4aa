"""What a supplier bids, as the tables of a catalog: his own figures by the evidence of his quotation, what he was not asked as the case knows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ..domain.evidence import Confidence
from ..domain.facts import Catalog, Facility, Offer
from ..readers import CatalogRows, Cell, TableRows
from ..reading.fields import FactColumns

_QUOTATION = "quotation"
"""The source of all that is bid but origins."""
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "sources": ("id", "reference", "date", "states", "confidence"),
    "facilities": ("id", "name", "operator", "parent", "country", "place"),
    "offers": (
        "id",
        "facility",
        "material",
        "max_per_year",
        "from",
        "lead_time",
        "min_order",
        "customs_origin",
        "source",
    ),
    "quotes": ("offer", "until", "price", "source"),
    "recipe": ("offer", "role", "material", "per_unit", "source"),
    "chain": ("offer", "stage", "countries", "complete", "feed", "source"),
}
Line = tuple[int, Mapping[str, Cell]]
"""A row of a table, and the row of the sheet that it comes from."""


@dataclass(frozen=True, slots=True)
class BidRow:
    """A row that is filled in."""

    line: int
    texts: Mapping[str, str]
    """By column, units of the head included."""


@dataclass(frozen=True, slots=True)
class Bid:
    """A bid sheet without mistakes."""

    about: Mapping[str, str]
    """What the sheet says of itself and of whoever bids."""
    offers: Mapping[str, BidRow]
    origins: Mapping[tuple[str, ...], BidRow]
    """By offer and stage."""


@dataclass(frozen=True, slots=True)
class BidPlace:
    """Where a bid lies that has been read: in no folder."""

    place: CatalogRows
    columns: FactColumns
    distribution: str = ""

    @property
    def folder(self) -> Path:
        """The sheet."""
        return Path(self.place.file)


def bid_catalog(name: str, bid: Bid, catalogs: Sequence[Catalog], file: str) -> CatalogRows:
    """The catalog of a bid on offers of some catalogs, under a name of its own."""
    offers = {one.id: one for catalog in catalogs for one in catalog.offers if one.id in bid.offers}
    facilities = {one.id: one for catalog in catalogs for one in catalog.facilities}
    chain = [*_proved(bid, offers), *_known(bid, offers)]
    named = dict.fromkeys(offers[name_].facility for name_ in bid.offers)
    lines: dict[str, Iterable[Line]] = {
        "sources": ((1, one) for one in (_quotation(bid.about), *_proofs(bid))),
        "facilities": ((1, _facility(facilities[one])) for one in named),
        "offers": ((row.line, _offer(offers[one], row)) for one, row in bid.offers.items()),
        "quotes": ((row.line, _quote(one, row, bid.about)) for one, row in bid.offers.items()),
        "recipe": ((bid.offers[one].line, line) for one in bid.offers for line in _recipe(offers[one])),
        "chain": chain,
    }
    tables = {of: _table(_COLUMNS[of], rows, file) for of, rows in lines.items()}
    materials = {line.material for one in offers.values() for line in (*one.inputs, *one.outputs)}
    homes = {catalog.name for catalog in catalogs if any(one.id in materials for one in catalog.materials)}
    cited = {source for one in offers.values() for source in _cited(one, chain)}
    head = {
        "name": name,
        "title": f"Bid of {bid.about['supplier']}",
        "as_of": date.fromisoformat(bid.about["quoted on*"]),
        "requires": sorted(homes | cited),
    }
    return CatalogRows(head, tables, file)


def overlaps(name: str, rows: CatalogRows, catalogs: Sequence[Catalog]) -> str:
    """What a case says so that a bid counts in place of what was known of the same facilities."""
    homes = {one.id: catalog.name for catalog in catalogs for one in catalog.facilities}
    bidding = [str(cells[0]) for _, cells in rows.tables["facilities"].rows]
    return "\n".join(
        f'[[overlap]]\nfacilities = ["{name}:{one}", "{homes[one]}:{one}"]\nkeep = "{name}:{one}"\noffers = "kept"'
        for one in bidding
    )


def _table(columns: Sequence[str], rows: Iterable[Line], file: str) -> TableRows:
    return TableRows(columns, [(line, [one.get(column) or "" for column in columns]) for line, one in rows], file)


def _cited(offer: Offer, chain: Sequence[Line]) -> set[str]:
    """Catalogs whose evidence is cited for what is not asked again."""
    sources = [line.source for line in offer.inputs]
    sources += [str(one["source"]) for _, one in chain if one["offer"] == offer.id]
    return {home for home, colon, _ in (source.partition(":") for source in sources) if colon}


def _quotation(about: Mapping[str, str]) -> Mapping[str, Cell]:
    called = about.get("quotation") or "without a number"
    by, until = about["filled in by*"], about["valid until*"]
    reference = f"quotation {called} of {about['supplier']}, by {by}, valid until {until}"
    return {
        "id": _QUOTATION,
        "reference": reference,
        "date": about["quoted on*"],
        "confidence": Confidence.QUOTED.value,
    }


def _proofs(bid: Bid) -> Iterator[Mapping[str, Cell]]:
    """A source for each origin that is filled in."""
    for number, ((_, stage), row) in enumerate(bid.origins.items(), 1):
        reference = f"{row.texts['proof*']}, as {bid.about['supplier']} says"
        told: dict[str, Cell] = {"id": f"proof-{number}", "reference": reference, "date": bid.about["quoted on*"]}
        yield {**told, "states": stage, "confidence": Confidence.QUOTED.value}


def _proved(bid: Bid, offers: Mapping[str, Offer]) -> Iterator[Line]:
    for number, ((name, stage), row) in enumerate(bid.origins.items(), 1):
        feed = next((entry.feed.value for entry in offers[name].chain if entry.stage == stage), None)
        stated: dict[str, Cell] = {"countries": row.texts["countries*"], "complete": row.texts["all of it*"]}
        yield row.line, {"offer": name, "stage": stage, **stated, "feed": feed, "source": f"proof-{number}"}


def _known(bid: Bid, offers: Mapping[str, Offer]) -> Iterator[Line]:
    """Stages of which nothing is filled in, as the case knows them."""
    for name, row in bid.offers.items():
        for entry in offers[name].chain:
            if (name, entry.stage) not in bid.origins:
                stated: dict[str, Cell] = {"countries": ";".join(sorted(entry.countries)), "feed": entry.feed.value}
                complete = "yes" if entry.complete else "no"
                yield (
                    row.line,
                    {"offer": name, "stage": entry.stage, **stated, "complete": complete, "source": entry.source},
                )


def _facility(one: Facility) -> Mapping[str, Cell]:
    return {name: getattr(one, name) for name in _COLUMNS["facilities"]}


def _offer(offer: Offer, row: BidRow) -> Mapping[str, Cell]:
    texts = row.texts
    known: dict[str, Cell] = {"id": offer.id, "facility": offer.facility, "material": offer.outputs[0].material}
    stated: dict[str, Cell] = {
        "max_per_year": texts["capacity*"],
        "from": texts["from"],
        "lead_time": texts["lead time*"],
    }
    origin = offer.customs_origin
    return {**known, **stated, "min_order": texts["min order"], "customs_origin": origin, "source": _QUOTATION}


def _quote(name: str, row: BidRow, about: Mapping[str, str]) -> Mapping[str, Cell]:
    return {"offer": name, "until": about["valid until*"], "price": row.texts["price*"], "source": _QUOTATION}


def _recipe(offer: Offer) -> Iterator[Mapping[str, Cell]]:
    for line in offer.inputs:
        stated: dict[str, Cell] = {"material": line.material, "per_unit": line.per_unit, "source": line.source}
        yield {"offer": offer.id, "role": "input", **stated}
