"""Small cases, written shortly: one call a thing, everything else at its plainest."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from friendshore.domain.case import Case, DemandSpec, StockSpec, StoreSpec
from friendshore.domain.evidence import Confidence, Source
from friendshore.domain.facts import (
    CapacityStep,
    Catalog,
    ChainEntry,
    Facility,
    Material,
    Offer,
    Price,
    RecipeLine,
    Status,
)
from friendshore.domain.market import BenchmarkPrice
from friendshore.domain.stages import Stage
from friendshore.domain.terms import Terms
from friendshore.domain.tiers import PriceSchedule, Tier, TierKind
from friendshore.domain.time import Horizon, PeriodLength
from friendshore.rules.kinds.origin_ban import OriginBan

SOURCE = "tiny:s"
"""The one source of all figures: verified."""
GUESS = "tiny:g"
"""A source that is only assumed."""
OXIDE = (Stage.MINED, Stage.REFINED)
METAL = (*OXIDE, Stage.MELTED)
MAGNET = (*METAL, Stage.PRODUCED)
MATERIALS = (
    Material(id="oxide", element="Dy", form="oxide", basis="gross", content=Decimal("0.8"), hs="2846", stages=OXIDE),
    Material(id="salt", element="La", form="oxide", basis="gross", content=Decimal("0.5"), hs="2846", stages=OXIDE),
    Material(id="metal", element="Dy", form="metal", basis="gross", content=Decimal(1), hs="2805", stages=METAL),
    Material(id="magnet", element="Dy", form="magnet", basis="gross", content=Decimal("0.5"), hs="8505", stages=MAGNET),
)


def done(stage: str, *countries: str, complete: bool = True, **more: Any) -> ChainEntry:
    """A stage performed in one of these countries."""
    return ChainEntry(stage=stage, countries=frozenset(countries), complete=complete, source=SOURCE, **more)


def chain(countries: str, *stages: str) -> tuple[ChainEntry, ...]:
    """The same countries (`CN/AU`: either) for each stage; `?` at the end: the list may not be complete."""
    complete = not countries.endswith("?")
    words = [word for word in countries.rstrip("?").split("/") if word]
    return tuple(done(stage, *words, complete=complete) for stage in stages)


def facility(
    name: str, country: str, per_year: float | None = None, status: str = "operating", **more: Any
) -> Facility:
    """A plant with one capacity since ever; None: unlimited."""
    amount = None if per_year is None else Decimal(str(per_year))
    step = CapacityStep(per_year=amount, status=Status(status), source=SOURCE)
    return Facility(**{"id": name, "country": country, "capacity": (step,), "source": SOURCE, **more})


def offer(
    name: str, plant: str, material: str, price: float | Price, links: tuple[ChainEntry, ...] = (), **more: Any
) -> Offer:
    """An offer of one material, its price in USD unless it says otherwise."""
    if not isinstance(price, Price):
        price = Price(amount=Decimal(str(price)), currency="USD", source=SOURCE)
    given = {
        "id": name,
        "facility": plant,
        "outputs": (RecipeLine(material=material, per_unit=Decimal(1), source=SOURCE),),
        "price": price,
        "chain": links,
        "source": SOURCE,
        "catalog": "tiny",
    }
    return Offer.model_validate({**given, **more})


def lines(**per_unit: float) -> tuple[RecipeLine, ...]:
    """Recipe lines: `lines(oxide=1.25)`."""
    return tuple(RecipeLine(material=m, per_unit=Decimal(str(x)), source=SOURCE) for m, x in per_unit.items())


def schedule(subject: str, *tiers: Tier, kind: str = "all-units", per: str = "period", **more: Any) -> PriceSchedule:
    """A price schedule of an offer, or with `of` of something else; in USD."""
    given = {"of": "offer", "id": subject, "kind": TierKind(kind), "per": per, "tiers": tiers, "currency": "USD"}
    return PriceSchedule.model_validate({**given, "source": SOURCE, **more})


def tier(
    least: float, price: float | None = None, discount: float | None = None, lump: float = 0, most: float | None = None
) -> Tier:
    """Terms from an amount on, perhaps to another: a price, or a share off."""
    given = {"least": least, "most": most, "price": price, "discount": discount, "lump": lump}
    return Tier.model_validate(given)


def terms(subject: str, *, of: str = "offer", per: str = "period", **more: Any) -> Terms:
    """Terms of trade of an offer, or with `of` of something else; in USD."""
    money = {"currency": "USD"} if "fixed" in more else {}
    return Terms.model_validate({"of": of, "id": subject, "per": per, "source": SOURCE, **money, **more})


def catalog(*things: Facility | Offer | BenchmarkPrice | PriceSchedule | Terms, **more: Any) -> Catalog:
    """One catalog of everything."""
    return Catalog(
        name="tiny",
        licence="CC0-1.0",
        as_of=date(2026, 1, 1),
        materials=MATERIALS,
        facilities=tuple(x for x in things if isinstance(x, Facility)),
        offers=tuple(x for x in things if isinstance(x, Offer)),
        schedules=tuple(x for x in things if isinstance(x, PriceSchedule)),
        terms=tuple(x for x in things if isinstance(x, Terms)),
        prices=tuple(x for x in things if isinstance(x, BenchmarkPrice)),
        sources=(
            Source(id=SOURCE, reference="made up", confidence=Confidence.VERIFIED),
            Source(id=GUESS, reference="guessed", confidence=Confidence.ASSUMED),
        ),
        **more,
    )


def demand(material: str, end_use: str, *quantities: float, price: float = 1000, **more: Any) -> DemandSpec:
    """Kilograms wanted in each period, with the price of a shortage."""
    given = {"quantities": tuple(Decimal(str(q)) for q in quantities), "shortage_price": Decimal(str(price))}
    return DemandSpec(**{"id": f"{material}-{end_use}", "material": material, "end_use": end_use, **given, **more})


def case(
    *demands: DemandSpec, start: date = date(2026, 1, 1), length: str = "year", count: int = 0, **more: Any
) -> Case:
    """A case in the US, with as many periods as its first demand has quantities."""
    horizon = Horizon(start=start, count=count or len(demands[0].quantities), length=PeriodLength(length))
    return Case(**{"name": "tiny", "horizon": horizon, "place": "US", "demands": demands, **more})


def store(material: str, holding: float, place: str = "US", limit: float | None = None, loss: float = 0) -> StoreSpec:
    """What holding a material costs a kilogram and year, and what is lost of it."""
    most = None if limit is None else Decimal(str(limit))
    held, lost = Decimal(str(holding)), Decimal(str(loss))
    return StoreSpec(material=material, place=place, holding=held, limit=most, loss=lost)


def stock(material: str, quantity: float, links: tuple[ChainEntry, ...], place: str = "US", **more: Any) -> StockSpec:
    """A stock in hand."""
    given = {"id": f"stock-{material}-{place}", "material": material, "place": place, "chain": links}
    return StockSpec(**{**given, "quantity": Decimal(str(quantity)), **more})


def ban(*stages: str, countries: str = "CN", start: str | None = "2027-01-01", **more: Any) -> OriginBan:
    """A ban on defence goods with these stages in a country, from a day on."""
    given = {
        "id": "ban",
        "stages": stages,
        "countries": countries.split("/"),
        "end_uses": ["defense"],
        "phases": [{"from": start}],
        "citation": "ban (a)",
    }
    return OriginBan.model_validate({**given, **more})
