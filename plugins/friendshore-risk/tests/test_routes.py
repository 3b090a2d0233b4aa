"""Routes as events and as losses, in a case small enough to follow by hand: one metal, wanted in the US and in Korea."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from friendshore.catalog import read_catalogs
from friendshore.domain.facts import FactSort, Lane, StatedFact
from friendshore.errors import InputError, VerificationError
from friendshore.plugins import Registry
from friendshore.session import Session
from friendshore_risk.events import Event
from friendshore_risk.losses import default_losses, named_losses
from friendshore_risk.questions import RiskQuestion
from friendshore_risk.risk_answer import Risk, _check_routes, risk_of
from friendshore_risk.twostage import RiskMeasure
from friendshore_risk.withstand_search import withstand

from .small import Seller, opened, searching
from .test_risk import write_catalog

DAY = date(2027, 1, 1)
WANTED = {"civil": [10, 10], "defense": [10, 10]}
PLACES = {"civil": "US", "defense": "KR"}
CHEAP = [Seller("CN", 10), Seller("AU", 50)]


def session(sellers: Sequence[Seller] = CHEAP, lanes: dict[str, list[Lane]] | None = None) -> Session:
    """20 kg a year, half of it in Korea, which China sells for 10 and Australia for 50; shortages cost 100, a kilogram held 1 a year."""
    found = opened(sellers, WANTED, {"civil": 100, "defense": 100}, holding=1, places=PLACES)
    if lanes is None:
        return found
    (catalog,) = found.inputs.catalogs
    offers = tuple(offer.but(lanes=tuple(lanes.get(offer.id, ()))) for offer in catalog.offers)
    return Session.open(replace(found.inputs, catalogs=(catalog.but(offers=offers),)))


def lane(to: str, via: str = "") -> Lane:
    """A lane that passes some places, set apart by semicolons."""
    return Lane(to=to, facts=(StatedFact(name="via", type=FactSort.WORDS, value=via),) if via else ())


def asked(given: Session, lose: str, **more: object) -> Risk:
    event = Event.model_validate({"name": "lost", "probability": 0.5, "lose": lose, **more})
    return risk_of(searching(given, [event], DAY), RiskMeasure())


@pytest.mark.parametrize(
    ("route", "cost", "as_it_is"),
    [
        ("route:CN>US", 410, 800),  # without stock 10 kg cost 50 in place of 10
        ("route:CN>", 420, 1200),
        ("route:>KR", 410, 1300),  # nobody delivers to Korea: 10 kg are short
        ("route:AU>US", 400, 400),
    ],
)
def test_nothing_is_ordered_on_a_route_that_is_lost_and_all_else_goes_on(route: str, cost: int, as_it_is: int) -> None:
    """Its goods are bought a year earlier, for 1 more per kilogram. The other place is unaffected."""
    nothing, lost = asked(session(), route).scenarios
    assert (nothing.objective, lost.objective, lost.current_plan) == (cost, cost, as_it_is)


def test_what_was_ordered_before_a_route_is_lost_still_comes_and_a_year_without_it_ends() -> None:
    """China delivers a year after the order: what is wanted in 2027 is ordered in 2026, and in 2028 nothing is, for one year."""
    slow = opened([Seller("CN", 10, lead=1), Seller("AU", 50)], {"civil": [0, 10, 10, 10]}, {"civil": 100}, 1)
    assert asked(slow, "route:CN>US").scenarios[1].objective == 100 + 2 * 110 + 10  # all ordered in 2026
    assert asked(slow, "route:CN>US", lasts="12 months").scenarios[1].objective == 100 + 110 + 100


def test_a_place_on_the_way_takes_all_lanes_that_pass_it() -> None:
    """China's lane to the US goes by Panama, that to Korea does not; of what passes where nobody says, nothing is lost, and that is told."""
    given = session(
        lanes={"cn-metal": [lane("US", "pacific;panama"), lane("KR")], "au-metal": [lane("US"), lane("KR")]}
    )
    answer = asked(given, "via:panama")
    assert [scenario.objective for scenario in answer.scenarios] == [410, 410]
    assert answer.unknown_routes == ("au-metal", "cn-metal")
    assert "the way of au-metal, cn-metal is unknown" in "".join(RiskQuestion().notes(answer))
    assert asked(given, "route:CN>US").unknown_routes == ()
    said = {"cn-metal": [lane("US", "panama"), lane("KR", "malacca")], "au-metal": [lane("US", "pacific")]}
    assert asked(session(lanes=said), "via:panama").unknown_routes == ()
    (loss,) = named_losses(given, ["via:panama"])
    assert (loss.name, loss.moves) == ("all routes via panama", {("cn-metal", "US")})
    assert withstand(given, [loss], 1, start=DAY).unknown_routes == ("au-metal", "cn-metal")
    with pytest.raises(InputError, match="FS981") as caught:
        asked(given, "via:panam")
    assert caught.value.problems[0].fix == "did you mean `via:panama`?"


def test_routes_are_losses_of_a_kind_of_their_own_each_once() -> None:
    """Korea sells to itself alone: no route. A route that takes what a country's loss takes is told with it."""
    given = opened([*CHEAP, Seller("KR", 70)], WANTED, {"civil": 100, "defense": 100}, 1, PLACES)
    found, _ = default_losses(given, ["route"])
    ways = "AU>KR", "AU>US", "CN>KR", "CN>US", "KR>US"
    assert [one.word for one in found] == [f"route:{way}" for way in ways]
    assert found[1].name == "the route from Australia to the United States"
    alone = opened(CHEAP, {"civil": [10, 10]}, {"civil": 100}, 1)
    both, _ = default_losses(alone, ["country", "route"])
    names = {"AU": "Australia", "CN": "China"}
    expected = [(f"country:{code}", (f"the route from {name} to the United States",)) for code, name in names.items()]
    assert [(one.word, one.also) for one in both] == expected


def test_any_two_routes_are_withstood_by_stock_for_the_place_that_loses_both() -> None:
    """20 kg wait, 10 at each place, since no pair takes more from either than both of its suppliers: 1 a kilogram."""
    given = session()
    curve = withstand(given, default_losses(given, ["route"])[0], 2, start=DAY).curve
    assert ([point.extra.value for point in curve], curve[2].not_withstood) == ([0, 0, 20], 0)


def test_an_order_on_a_lost_route_is_refused_by_a_check_that_reads_the_plan_alone() -> None:
    """The plan as it is orders of China in 2027: held against the stage in which it cannot."""
    given = session()
    event = Event.model_validate({"name": "lost", "probability": 0.5, "lose": "route:CN>US"})
    ((part),) = searching(given, [event], DAY).staged.parts
    with pytest.raises(VerificationError, match="FS985"):
        _check_routes(part.stages[1], given.verified.plan)
    _check_routes(part.stages[0], given.verified.plan)


@pytest.mark.parametrize(
    ("stated", "code"),
    [
        ({"lose": "route:CN"}, "FS011"),
        ({"lose": "via:"}, "FS011"),
        ({"lose": "route:CN>US", "share": 0.5}, "FS976"),
    ],
)
def test_an_unreadable_route_or_a_share_of_one_is_refused(stated: dict[str, object], code: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Event.model_validate({"name": "a", "probability": 0.1, **stated})
    (error,) = caught.value.errors()
    assert [fault.code for fault in error["ctx"]["error"].faults] == [code]


def test_places_on_the_way_are_read_of_lanes_in_a_column_that_this_plugin_declares(tmp_path: Path) -> None:
    """Words set apart by semicolons; a blank cell states nothing."""
    known = Registry.discover()
    write_catalog(tmp_path)
    (tmp_path / "catalog" / "lanes.csv").write_text("offer,to,via\nga-au,US,malacca; suez\nga-au,KR,\n")
    (catalog,) = read_catalogs([known.catalog_folder("./catalog", tmp_path)], known.catalog_folder)
    korea, states = catalog.offers[0].lanes
    assert states.fact("via", frozenset) == {"malacca", "suez"}
    assert korea.facts == ()
