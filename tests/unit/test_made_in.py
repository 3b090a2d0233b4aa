"""Goods made in some countries may hold material from there: the good is judged by where it is made, its material by who takes it."""

from __future__ import annotations

from typing import Any

import pytest

from friendshore.domain.facts import Offer
from friendshore.rules.base import Rule
from friendshore.rules.kinds.origin_ban import OriginBan

from ..building import bought, case, catalog, chain, demand, facility, lines, offer, planned, rule, short, source, told

COUNTRIES = ("US", "JP", "DE", "MY")


def law(**more: Any) -> Rule:
    """Metal melted in the United States; or in Japan or Germany, in goods made in one of them."""
    allied = {"id": "allied", "citation": "(d)", "where": "an allied country", "countries": ["JP", "DE"]}
    words = {"stages": ["melted"], "allow": ["US"], "end_uses": ["defense"], "made_in": [{**allied, **more}]}
    return rule(OriginBan, id="melt", citation="the law", **words)


def made(country: str, **more: Any) -> Offer:
    """Magnets made in a country at 1, from bought metal."""
    name = country.lower()
    return offer(f"{name}-magnet", name, "magnet", 1, chain(country, "produced"), inputs=lines(metal=1), **more)


def supply(maker: str, **prices: float) -> Any:
    """One maker, and metal of several countries at these prices."""
    sites = [facility(c.lower(), c) for c in COUNTRIES]
    return catalog(*sites, made(maker), *(source(c, price) for c, price in prices.items()))


MAGNETS = case(demand("magnet", "defense", 10))


@pytest.mark.parametrize(
    ("maker", "metal"), [("JP", "jp-metal"), ("DE", "jp-metal"), ("MY", "us-metal"), ("US", "us-metal")]
)
def test_metal_is_judged_by_the_maker_who_takes_it(maker: str, metal: str) -> None:
    """Japanese metal at 10 goes to makers in Japan and Germany; those in Malaysia and the United States take American at 50."""
    found = planned(MAGNETS, supply(maker, JP=10, US=50, MY=5), law())
    assert bought(found) == {metal: 10, f"{maker.lower()}-magnet": 10}
    assert found.run.verified


def test_what_keeps_it_out_is_told() -> None:
    """The reason names where the metal is melted, and what the exception asks for."""
    found = planned(MAGNETS, supply("MY", JP=10), law())
    assert short(found) == {"magnet-defense": 10}
    (row,) = [row for row in found.run.blocked if row.offer == "jp-metal"]
    assert row.stage == "melted"
    assert "melted in JP" in row.reason
    assert "(d) excepts only goods known to be made in an allied country" in row.reason


def whole(made_in: str) -> Any:
    """Magnets of Japanese metal, all of whose chain one plant performs."""
    links = (*chain("JP", "mined", "refined", "melted"), *chain(made_in, "produced"))
    return catalog(facility("jp", "JP"), offer("jp-magnet", "jp", "magnet", 10, links))


@pytest.mark.parametrize(
    ("made_in", "group"),
    [("JP", "bought"), ("DE", "bought"), ("MY", "blocked"), ("US", "blocked"), ("JP?", "unproven")],
)
def test_the_good_is_judged_by_where_it_is_made(made_in: str, group: str) -> None:
    """In an allied country, elsewhere, or nobody knows."""
    found = planned(MAGNETS, whole(made_in), law())
    rows = {"blocked": found.run.blocked, "unproven": found.run.unproven}
    assert bought(found) == ({"jp-magnet": 10} if group == "bought" else {})
    assert [name for name, group_rows in rows.items() if group_rows] == ([] if group == "bought" else [group])


def test_material_bought_as_such_is_not_excepted() -> None:
    """Nobody makes a good of it: metal for defence must be American."""
    wanted = case(demand("metal", "defense", 10))
    found = planned(
        wanted, catalog(facility("jp", "JP"), facility("us", "US"), source("JP", 10), source("US", 50)), law()
    )
    assert bought(found) == {"us-metal": 10}


def test_an_exception_may_turn_on_a_fact_and_on_any_one_country() -> None:
    """Under an agreement metal and magnet may both be Malaysian; unstated, it claims nothing."""
    agreement = law(countries=[], material=["JP"], when=[{"fact": "agreement", "equals": True}])
    facts = supply("MY", MY=5)
    assert short(planned(MAGNETS, facts, agreement)) == {"magnet-defense": 10}
    stated = case(demand("magnet", "defense", 10, facts=(("agreement", True),)))
    found = planned(stated, facts, agreement)
    assert bought(found) == {"my-metal": 10, "my-magnet": 10}
    assert not told(found, "melt")


def test_a_list_of_barred_countries_may_have_such_an_exception_too() -> None:
    """What the ban does not bar is free as ever; of what it bars, only makers in the countries named may take it."""
    words = {"stages": ["mined", "melted"], "countries": ["CN", "MY"], "end_uses": ["defense"]}
    exception = [{"id": "allied", "countries": ["JP"], "material": ["MY"]}]
    barred = rule(OriginBan, id="melt", **words, made_in=exception)
    links = (*chain("DE", "mined", "refined"), *chain("MY", "melted"))
    metal = offer("de-metal", "de", "metal", 10, links)
    for maker, expected in (("JP", {"de-metal": 10, "jp-magnet": 10}), ("US", {})):
        sites = [facility(c.lower(), c) for c in COUNTRIES]
        assert bought(planned(MAGNETS, catalog(*sites, made(maker), metal), barred)) == expected
