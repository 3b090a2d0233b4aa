"""Small cases in memory: one metal, a few offers of it, yearly periods, and a ban that an event may bring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from friendshore.domain.case import Case, DemandSpec, StoreSpec
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
from friendshore.domain.stages import Stage
from friendshore.domain.time import Horizon, PeriodLength
from friendshore.explain.results import Counted
from friendshore.problem.inputs import Inputs
from friendshore.rules.base import Rule
from friendshore.rules.kinds.limits.shares import MaxShare
from friendshore.rules.kinds.limits.stocks import Cover
from friendshore.rules.kinds.origin_ban import OriginBan
from friendshore.session import Session
from friendshore_risk.events import Event
from friendshore_risk.events.scenarios import enumerated
from friendshore_risk.risk.search import RiskSearch

SOURCE = "small:s"
STAGES = (Stage.MINED, Stage.REFINED)
START = 2026


@dataclass(frozen=True)
class Seller:
    """An offer of the metal, of a plant of its own."""

    country: str
    price: int
    capacity: int | None = None
    """Kilograms a year."""
    lead: int = 0
    """Years from order to delivery."""
    onboarding: int = 0

    @property
    def name(self) -> str:
        """Of the offer."""
        return f"{self.country.lower()}-metal"


def catalog(sellers: Sequence[Seller]) -> Catalog:
    """Their catalog."""
    metal = Material(
        id="metal", element="Dy", form="metal", basis="gross", content=Decimal(1), hs="2805", stages=STAGES
    )
    facilities, offers = [], []
    for seller in sellers:
        most = None if seller.capacity is None else Decimal(seller.capacity)
        step = CapacityStep(per_year=most, status=Status.OPERATING, source=SOURCE)
        plant = seller.country.lower()
        facilities.append(Facility(id=plant, country=seller.country, operator=plant, capacity=(step,), source=SOURCE))
        chain = tuple(
            ChainEntry(stage=stage, countries=frozenset({seller.country}), complete=True, source=SOURCE)
            for stage in STAGES
        )
        offers.append(
            Offer(
                id=seller.name,
                facility=plant,
                outputs=(RecipeLine(material="metal", per_unit=Decimal(1), source=SOURCE),),
                price=Price(amount=Decimal(seller.price), currency="USD", source=SOURCE),
                chain=chain,
                lead_time=Decimal(12 * seller.lead),
                onboarding=Decimal(seller.onboarding),
                onboarding_currency="USD" if seller.onboarding else "",
                source=SOURCE,
                catalog="small",
            )
        )
    sources = (Source(id=SOURCE, reference="made up", confidence=Confidence.VERIFIED),)
    return Catalog(
        name="small", licence="CC0-1.0", as_of=date(2026, 1, 1), materials=(metal,),
        facilities=tuple(facilities), offers=tuple(offers), sources=sources,
    )  # fmt: skip


def ban() -> Rule:
    """Nothing mined or refined in China for defence, once an event brings it."""
    return OriginBan.model_validate(
        {
            "id": "ban",
            "stages": list(STAGES),
            "countries": ["CN"],
            "end_uses": ["defense"],
            "phases": [{"status": "pending"}],
            "citation": "ban (a)",
        }
    )


def apart() -> Rule:
    """A limit on what is bought for defence, which never binds: compliance classes are told apart by end use for it."""
    return MaxShare.model_validate(
        {"id": "cap", "citation": "cap", "end_uses": ["defense"], "share": 1, "of": "purchases", "phases": _ENACTED}
    )


def cover() -> Rule:
    """Stock for a day, missed at next to no price: a rule that watches stock."""
    return Cover.model_validate(
        {"id": "cover", "citation": "cover", "days": 1, "penalty": "0.01 USD/kg", "phases": _ENACTED}
    )


_ENACTED = [{"status": "enacted"}]


def opened(
    sellers: Sequence[Seller],
    wanted: Mapping[str, Sequence[int]],
    short: Mapping[str, int],
    holding: int,
    places: Mapping[str, str] = MappingProxyType({}),
    rules: Sequence[Rule] = (),
) -> Session:
    """The case, solved: `wanted` by end use and year, at prices of a shortage, held at so much a kilogram and year; in the US where nothing is said."""
    count = len(next(iter(wanted.values())))
    demands = tuple(
        DemandSpec(
            id=use,
            material="metal",
            end_use=use,
            place=places.get(use, ""),
            quantities=tuple(Decimal(q) for q in quantities),
            shortage_price=Decimal(short[use]),
        )
        for use, quantities in wanted.items()
    )
    case = Case(
        name="small", horizon=Horizon(start=date(START, 1, 1), count=count, length=PeriodLength.YEAR), place="US",
        demands=demands,
        stores=tuple(
            StoreSpec(material="metal", place=place, holding=Decimal(holding)) for place in sorted({"US", *places.values()})
        ),
    )  # fmt: skip
    return Session.open(Inputs(case, (catalog(sellers),), (ban(), *rules)))


def searching(session: Session, events: Sequence[Event], day: date) -> RiskSearch:
    """All that may happen, laid out."""
    scenarios = enumerated(events, day, session.problem.case.horizon)
    return RiskSearch(session, events, scenarios, day, Counted(session))
