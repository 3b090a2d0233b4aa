"""Materials, offers, uses and rules that the tests of the kinds share."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from friendshore.domain.facts import ChainEntry, Facility, Feed, Material, Offer, Place, RecipeLine
from friendshore.domain.stages import Stage
from friendshore.domain.use import Chained, Fact, Move, Use, Verdict
from friendshore.rules.kinds import ExportControl, OriginBan, Tariff

ALL = tuple(Stage)
OXIDE = Material(id="oxide", element="Dy", form="oxide", content=Decimal("0.5"), hs="2846.90", stages=ALL[:3])
ALLOY = Material(id="alloy", element="Nd", form="alloy", stages=ALL[:4])
MAGNET = Material(
    id="magnet", element="Nd", form="magnet", hs="8505.11.00", stages=ALL, tags=frozenset({"contains-nd"})
)
NO_FACTS: Mapping[str, Fact] = {}
CLEAN = {"mined": "AU", "refined": "MY", "separated": "MY", "melted": "JP", "produced": "JP"}


def entry(stage: str, text: str) -> ChainEntry:
    """A chain entry from text: countries, `?` for an incomplete list, `recycled`."""
    words = text.split()
    countries = frozenset(words) - {"?", "recycled"}
    feed = Feed.RECYCLED if "recycled" in words else Feed.PRIMARY
    return ChainEntry(stage=stage, countries=countries, complete=bool(countries) and "?" not in words, feed=feed)


def offer(
    chain: Mapping[str, str], material: Material = MAGNET, country: str = "JP", inputs: bool = False, **more: Any
) -> Chained:
    """An offer as a rule sees it; with inputs, they cover what it does not perform unless `missing` says not."""
    performed = tuple(entry(stage, text) for stage, text in chain.items())
    done = {e.main_stage for e in performed}
    left = frozenset(stage for stage in material.stages if stage not in done)
    missing = frozenset(more.pop("missing", () if inputs else left))
    supplied = frozenset(more.pop("supplied", material.stages[:-1] if inputs else ())) - missing
    fields = {"id": "o", "facility": "f", "outputs": (RecipeLine(material=material.id, per_unit=Decimal(1)),)}
    facility = {"id": "f", "country": country} | {k: more.pop(k) for k in ("operator", "parent") if k in more}
    return Chained(
        offer=Offer.model_validate(fields | more),
        material=material,
        facility=Facility.model_validate(facility),
        performed=performed,
        missing=missing,
        supplied=supplied,
        source=not inputs,
    )


def use(
    material: Material = MAGNET,
    end_use: str = "defense",
    place: str = "US",
    buyer: str = "",
    facts: Mapping[str, Fact] = NO_FACTS,
) -> Use:
    """A final use."""
    stated = tuple(sorted(facts.items()))
    return Use(material=material, end_use=end_use, place=Place(id=place, country=place), buyer=buyer, facts=stated)


def move(origin: str = "JP", to: str = "US", operator: str = "") -> Move:
    """A move between two countries."""
    return Move(origin=Place(id=origin, country=origin), to=Place(id=to, country=to, operator=operator))


def ban(**fields: Any) -> OriginBan:
    """A ban on magnets for defense."""
    known = {
        "id": "ban",
        "citation": "the clause",
        "forms": ["magnet"],
        "countries": ["CN", "RU"],
        "end_uses": ["defense"],
    }
    return OriginBan.model_validate({**known, "stages": ALL, **fields})


def judged(rule: OriginBan, chained: Chained, of: Use | None = None) -> Verdict:
    """What a ban says of an offer."""
    return rule.judge(chained, move(), of or use())


COTS = {
    "id": "cots",
    "citation": "(c)(3)(A)",
    "when": [{"fact": "cots", "equals": True}],
    "unless": [{"fact": "tungsten_share", "at_least": 0.5}, {"fact": "mill_product", "equals": True}],
}


MAGNET_SCRAP = {
    "citation": "(c)(3)(C)",
    "needs": ["milling", "sintering"],
    "within": ["US"],
    "lifts": ["mined", "refined", "separated", "melted"],
}
METAL_SCRAP = {
    "citation": "(c)(3)(D)", "needs": ["melted", "produced"], "within": ["US", "AT"], "throughout": True,
    "clean_scrap": True,
}  # fmt: skip


def control(**fields: Any) -> ExportControl:
    """A Chinese control on dysprosium."""
    known = {"id": "control", "citation": "Ann. 0", "elements": ["Dy"], "exporters": ["CN"], "effect": "prohibit"}
    return ExportControl.model_validate({**known, **fields})


OXIDE_CN = offer({"mined": "CN", "refined": "CN", "separated": "CN"}, OXIDE, country="CN")


def oxide_from(country: str, separated: str, **more: Any) -> Chained:
    """Oxide held in a country, last worked where `separated` says."""
    return offer({"mined": "", "refined": "", "separated": separated}, OXIDE, country=country, **more)


def tariff(**fields: Any) -> Tariff:
    """A duty on magnets."""
    return Tariff.model_validate({"id": "duty", "hs": ["8505.11"], "rate": 0.25, **fields})
