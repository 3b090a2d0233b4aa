"""Random rules on shares, numbers and named purchases, with all that may be said of whom and where they count."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from tests.building import rule

from friendshore.domain.facts import Offer
from friendshore.rules.base import Rule
from friendshore.rules.kinds.limits import (
    Budget,
    Cover,
    MaxChurn,
    MaxPlaces,
    MaxShare,
    MaxSuppliers,
    MinDelivered,
    MinShare,
    MinSuppliers,
    Pin,
    SingleSource,
    StockLevel,
)

from .facts import COUNTRIES, Draw, sometimes

BLOCS = {"east": ["CN", "JP"], "south": ["AU"]}
SITES = [country.lower() for country in COUNTRIES]


def whom(draw: Draw[Any], offers: tuple[Offer, ...], floor: bool) -> dict[str, Any]:
    """Who is counted, and from whom."""
    by = draw(st.sampled_from(("country", "bloc", "supplier", "parent", "facility")))
    words: dict[str, Any] = {"by": by}
    if by in ("country", "bloc"):
        words["stage"] = draw(st.sampled_from((None, "mined", "melted")))
        words |= {"blocs": BLOCS} if by == "bloc" else {}
        words |= draw(st.sampled_from(({}, {"countries": ["AU", "CN"]}, {"except_countries": ["AU"]})))
    names = {"offers": [o.id for o in offers], "facilities": SITES, "suppliers": SITES, "inputs": ["oxide", "metal"]}
    if key := sometimes(draw, st.sampled_from(sorted(names)), 2):
        words[key] = draw(st.lists(st.sampled_from(names[key]), min_size=1, max_size=3, unique=True))
    if floor and not set(words) & {*names, "countries", "except_countries"}:
        words["facilities"] = draw(st.lists(st.sampled_from(SITES), min_size=1, max_size=3, unique=True))
    if chosen := sometimes(draw, st.sampled_from((["oxide"], ["metal", "oxide"])), 4):
        words["materials"] = chosen
    words["group_by"] = draw(st.sampled_from(("", "", "material", "element", "all")))
    return words


def a_share(draw: Draw[Any], offers: tuple[Offer, ...]) -> Rule:
    """A cap or a floor, each or together."""
    kind: type[Rule] = draw(st.sampled_from((MaxShare, MaxShare, MinShare)))
    words = whom(draw, offers, kind is MinShare)
    words["share"] = draw(st.sampled_from(("0.2", "0.5", "0.65")))
    words["of"] = draw(st.sampled_from(("demand", "demand", "purchases")))
    words["each_place"] = draw(st.booleans())
    lists = {"supplier": "suppliers", "facility": "facilities", "country": "countries", "bloc": "countries"}
    named = {"countries", "except_countries", "offers", "facilities", "suppliers", "inputs"} & set(words)
    if kind is MaxShare:
        words["each"] = not named or draw(st.booleans())
    else:
        words["each"] = lists.get(words["by"], "") in words and draw(st.booleans())
    return rule(kind, **words | {"penalty": draw(st.sampled_from((None, None, 300)))})


def a_number(draw: Draw[Any], offers: tuple[Offer, ...]) -> Rule:
    """How many suppliers or places, or one source alone."""
    kind: type[Rule] = draw(st.sampled_from((MinSuppliers, MaxSuppliers, SingleSource, MaxPlaces)))
    words = whom(draw, offers, floor=False)
    words |= {} if kind is SingleSource else {"count": 1 if kind is MaxPlaces else draw(st.integers(1, 2))}
    words |= {} if kind is MaxPlaces else {"each_place": draw(st.booleans())}
    words |= {"least_share": draw(st.sampled_from(("0.1", "0.4")))} if kind is MinSuppliers else {}
    return rule(kind, **words | {"penalty": draw(st.sampled_from((None, None, 300)))})


def a_pin(draw: Draw[Any], offers: tuple[Offer, ...]) -> Rule:
    """Several offers by weight, at one place, at two or anywhere."""
    names = draw(st.lists(st.sampled_from([o.id for o in offers]), min_size=1, max_size=3, unique=True))
    words: dict[str, Any] = {"offers": {name: draw(st.sampled_from(("1", "0.5", "2"))) for name in names}}
    words |= draw(st.sampled_from(({}, {"place": "US"}, {"places": ["JP", "AU"]})))
    words[draw(st.sampled_from(("exactly", "at_least", "at_most", "at_most")))] = draw(st.integers(0, 20))
    words["from"] = draw(st.sampled_from((None, "2027-01-01")))
    return rule(Pin, **words | {"penalty": draw(st.sampled_from((None, 40)))})


@st.composite
def deliveries(draw: Draw[Any]) -> Rule:
    """What must be delivered, of some demands or all, each or together."""
    words: dict[str, Any] = {"share": draw(st.sampled_from(("1", "0.9", "0.5"))), "together": draw(st.booleans())}
    words |= draw(st.sampled_from(({}, {}, {"places": ["US"]}, {"materials": ["metal"]}, {"end_uses": ["defense"]})))
    words |= {"id": "must", "per": draw(st.sampled_from(("period", "year", "horizon")))}
    return rule(MinDelivered, **words | {"penalty": draw(st.sampled_from((None, None, 40)))})


@st.composite
def limits(draw: Draw[Any], offers: tuple[Offer, ...]) -> Rule:
    """One rule."""
    limit: Rule = draw(st.sampled_from((a_share, a_share, a_number, a_pin)))(draw, offers)
    counted = "count" in type(limit).model_fields
    per = draw(st.sampled_from(("year", "horizon") if counted else ("period", "year", "horizon")))
    return limit.but(id=limit.kind, per=per)


def of_one_site(limit: Rule) -> st.SearchStrategy[Rule]:
    """The same rule about what is delivered at some places."""
    return st.sampled_from((("US",), ("JP",), ("AU", "US"))).map(lambda places: limit.but(at=places))


def by_order(limit: Rule) -> Rule:
    """The same rule by day of order; of a demand, which has none, it is one of purchases."""
    changed = {"dated_by": "order"} | ({"of": "purchases"} if "of" in type(limit).model_fields else {})
    return limit.model_copy(update=changed)


def of_end_uses(limit: Rule) -> st.SearchStrategy[Rule]:
    """The same rule about some end uses."""
    some = st.sampled_from((("defense",), ("civil",), ("civil", "defense")))
    return some.map(lambda uses: limit.but(end_uses=frozenset(uses)))


def budgets_by_use() -> st.SearchStrategy[Rule]:
    """A budget for an end use."""
    end_uses, penalty = st.sampled_from((["defense"], ["civil"])), st.sampled_from((None, None, "0.5"))
    given = {"amount": st.integers(0, 1500), "per": st.sampled_from(("period", "horizon"))}
    return st.builds(rule, st.just(Budget), **given, penalty=penalty, end_uses=end_uses)


PENALTIES = ("0.7", "30", "300", "5000", "90000")
"""Penalties per kilogram, number, or unit of money."""


def _stock_rule(draw: Draw[Any]) -> Rule:
    """Return cover in days, often a fraction of a period, or a level of stock."""
    words = draw(st.sampled_from(({}, {"places": ["US"]}, {"end_uses": ["defense"]})))
    if draw(st.booleans()):
        return rule(Cover, days=draw(st.sampled_from(("0.3", "30", "73", "91.5", "365", "500"))), **words)
    bound, kilograms = draw(st.sampled_from(("at_least", "at_most", "exactly"))), draw(st.integers(0, 60))
    words |= {"when": draw(st.sampled_from(("every-period", "end"))), "together": draw(st.booleans())}
    return rule(StockLevel, **words, **{bound: Decimal(kilograms) / 7})


@st.composite
def soft_limits(draw: Draw[Any], offers: tuple[Offer, ...]) -> tuple[Rule, ...]:
    """Return one to three limits of any kind, most of them soft. They may contradict each other."""
    pers = st.sampled_from(("period", "year", "horizon"))
    churns = st.builds(rule, st.just(MaxChurn), share=st.sampled_from(("0", "0.3")), per=pers)
    budgets = st.builds(rule, st.just(Budget), amount=st.integers(0, 1500), per=pers)
    some = []
    for number in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(("stock", "delivered", "budget", "churn", "purchases")))
        others = {"delivered": deliveries(), "budget": budgets, "churn": churns, "purchases": limits(offers)}
        limit = _stock_rule(draw) if kind == "stock" else draw(others[kind])
        penalty = draw(st.sampled_from((None, *map(Decimal, PENALTIES))))
        some.append(limit.but(id=f"soft-{number}", penalty=penalty))
    return tuple(some)
