"""Events of a case and what they come together to, followed by hand."""

from __future__ import annotations

import math
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy import stats

from friendshore.domain.time import Horizon, PeriodLength
from friendshore_risk.events import (
    NOTHING_HAPPENS,
    Event,
    RiskSettings,
    count_scenarios,
    enumerate_scenarios,
    sample_scenarios,
)

HORIZON = Horizon(start=date(2027, 1, 1), periods=12, period=PeriodLength.QUARTER)
DAY = date(2028, 1, 1)


def event(name: str, **stated: object) -> Event:
    """An event that loses a plant, unless it does something else."""
    does = {} if {"price", "demand"} & stated.keys() else {"lose": "plant"}
    return Event.model_validate({"name": name, **does, **stated})


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        # Two events that have nothing to do with each other.
        ([event("a", probability="20%"), event("b", probability=0.5)], {"a": "1/10", "b": "2/5", "a + b": "1/10"}),
        # A common cause: one chance with it and another without.
        (
            [event("war", probability="10%"), event("port", probability="90%", given="war", otherwise="1%")],
            {"war": "1/100", "war + port": "9/100", "port": "9/1000"},
        ),
        # Each factor of a price with its chance, and as it is with what is left.
        (
            [event("rise", price="ga", factors=["150%", 3], chances=["20%", "5%"])],
            {"rise x 1.5": "1/5", "rise x 3": "1/20"},
        ),
        # An empirical distribution: nothing is left for the chance that nothing changes.
        (
            [event("seen", price="ga", factors=[0.8, 1.1, 2.5])],
            {"seen x 0.8": "1/3", "seen x 1.1": "1/3", "seen x 2.5": "1/3"},
        ),
        # How long it lasts: each time with its chance, times the chance that it comes at all.
        (
            [event("out", probability="20%", durations=["6 months", "1 year"], duration_chances=["75%", "25%"])],
            {"out for 6 months": "3/20", "out for 12 months": "1/20"},
        ),
    ],
)
def test_probabilities_by_hand(events: list[Event], expected: dict[str, str]) -> None:
    """Of every combination of what may come; the rest is the chance that nothing does."""
    found = {
        enumerate_scenario.name: enumerate_scenario.probability
        for enumerate_scenario in enumerate_scenarios(events, DAY, HORIZON)
    }
    rest = 1 - sum(map(Fraction, expected.values()))
    nothing = {NOTHING_HAPPENS: rest} if rest else {}
    assert found == {name: Fraction(share) for name, share in expected.items()} | nothing


def test_when_an_event_begins_and_ends_by_years() -> None:
    """A chance a year is one for every year that is left; one that ends with some chance a year lasts geometrically long."""
    found = enumerate_scenarios([event("a", per_year="10%")], DAY, HORIZON)
    assert [([begun.start.year for begun in one.events], one.probability) for one in found] == [
        ([], Fraction(81, 100)),
        ([2028], Fraction(1, 10)),
        ([2029], Fraction(9, 100)),
    ]
    out = event("out", probability=1, ends_per_year="40%", **{"from": HORIZON.start})
    ends = [
        (enumerate_scenario.events[0].lasts, enumerate_scenario.probability)
        for enumerate_scenario in enumerate_scenarios([out], HORIZON.start, HORIZON)
    ]
    assert ends == [(12, Fraction(2, 5)), (24, Fraction(6, 25)), (None, Fraction(9, 25))]


def test_several_multiples_that_move_together_come_true_together() -> None:
    """Scenarios that were drawn elsewhere, one factor of each demand in each; enumerate_scenarios and sample_scenarios."""
    first = {"name": "a", "demand": "a", "factors": [1, 1, 3], "chances": ["20%", "30%", "40%"]}
    along = {"name": "b", "demand": "b", "factors": [2, 5, 7], "along_with": "a"}
    events = RiskSettings.model_validate({"event": [first, along]}).event
    told = {
        tuple(begun.factor for begun in enumerate_scenario.events): enumerate_scenario.probability
        for enumerate_scenario in enumerate_scenarios(events, DAY, HORIZON)
    }
    assert told == {(): Fraction(1, 10), (1, 2): Fraction(1, 5), (1, 5): Fraction(3, 10), (3, 7): Fraction(2, 5)}
    assert {
        tuple(b.factor for b in sample_scenario.events)
        for sample_scenario in sample_scenarios(events, DAY, HORIZON, 200, "1")
    } == set(told)


@pytest.mark.parametrize(
    ("along", "code"),
    [
        ({"factors": [2, 3], "along_with": "c"}, "FS978"),
        ({"factors": [2, 3, 4], "along_with": "a"}, "FS978"),
        ({"factors": [2, 3], "chances": [0.1, 0.2], "along_with": "a"}, "FS976"),
    ],
)
def test_an_event_moves_along_with_one_that_has_as_many_factors(along: dict[str, object], code: str) -> None:
    """And has no chances of its own."""
    first = {"name": "a", "price": "a", "factors": [1, 2], "chances": [0.5, 0.5]}
    with pytest.raises(ValidationError) as caught:
        RiskSettings.model_validate({"event": [first, {"name": "b", "price": "b", **along}]})
    assert fault_codes(caught.value) == [code]


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100), st.booleans()), max_size=4))
def test_probabilities_add_up_to_one(drawn: list[tuple[int, int, bool]]) -> None:
    """Whatever events there are, and whatever they turn on."""
    events: list[Event] = []
    for number, (chance, other, caused) in enumerate(drawn):
        more = {"given": f"e{number - 1}", "otherwise": f"{other}%"} if caused and number else {}
        events.append(event(f"e{number}", probability=f"{chance}%", **more))
    found = enumerate_scenarios(events, DAY, HORIZON)
    assert sum(one.probability for one in found) == 1
    assert len({one.name for one in found}) == len(found) == count_scenarios(events, DAY, HORIZON, 99)


def test_an_event_comes_in_the_same_draws_whatever_else_is_stated() -> None:
    """Common random numbers: what one more event changes is not noise of another sample."""
    a, b = event("a", probability="30%"), event("b", probability="50%")

    def share(events: list[Event], seed: str) -> Fraction:
        draws = sample_scenarios(events, DAY, HORIZON, 500, seed)
        return sum(draw.probability for draw in draws if any(begun.event.name == "a" for begun in draw.events))

    assert share([a], "7") == share([b, a], "7") != share([a], "8")
    assert abs(share([a], "7") - Fraction(3, 10)) < Fraction(1, 15)


@pytest.mark.parametrize(
    ("stated", "code"),
    [
        ({"lose": "plant", "probability": 0.1, "price": "ga", "factor": 2}, "FS975"),
        ({"lose": "plant"}, "FS975"),
        ({"lose": "plant", "probability": 0.1, "per_year": 0.1}, "FS975"),
        ({"lose": "plant", "probability": 0.1, "otherwise": 0.2}, "FS976"),
        ({"lose": "plant", "probability": 0.1, "factor": 2}, "FS976"),
        ({"factors": [2, 3], "chances": [0.5]}, "FS977"),
        ({"factors": [2, 3], "chances": [0.5, 0.6]}, "FS977"),
        ({"between": [3, 2, 1]}, "FS977"),
        ({"probability": 0.1}, "FS975"),
        ({"factors": [2, 3], "per_year": 0.1}, "FS977"),
        ({"uniform": [2, 1]}, "FS977"),
        ({"normal": [1, 0]}, "FS977"),
        ({"lognormal": [1]}, "FS977"),
        ({"normal": [1, 0.1], "uniform": [1, 2]}, "FS975"),
        ({"factor": 2, "probability": 0.1, "along_with": "other"}, "FS976"),
        ({"factor": 2, "probability": 0.1, "lasts": 3, "ends_per_year": 0.5}, "FS975"),
        ({"factor": 2, "probability": 0.1, "durations": [3, 6], "duration_chances": [1]}, "FS977"),
        ({"factor": 2, "probability": 0.1, "durations": [3], "duration_chances": [0.5]}, "FS977"),
        ({"probability": 0.1, "factor": 2, "between": [1, 2, 3]}, "FS975"),
    ],
)
def test_a_contradictory_event_is_refused(stated: dict[str, object], code: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Event.model_validate({"name": "rise", **({} if "lose" in stated else {"price": "ga"}), **stated})
    assert code in fault_codes(caught.value)


def test_a_probability_in_words_is_refused() -> None:
    with pytest.raises(ValidationError, match="a share, like"):
        Event.model_validate({"name": "rise", "lose": "plant", "probability": "ten"})


def fault_codes(error: ValidationError) -> list[str]:
    """The codes of the contradictions within records."""
    causes = [each["ctx"]["error"] for each in error.errors() if "error" in each.get("ctx", {})]
    return [fault.code for cause in causes for fault in cause.faults]


@pytest.mark.parametrize(
    ("stated", "of"),
    [
        ({"between": [0.5, 1, 3]}, stats.triang(0.2, loc=0.5, scale=2.5)),
        ({"uniform": ["80%", "150%"]}, stats.uniform(0.8, 0.7)),
        ({"normal": [1, 0.2]}, stats.norm(1, 0.2)),
        ({"lognormal": [1.5, "40%"]}, stats.lognorm(0.4, scale=1.5)),
    ],
)
def test_samples_follow_their_distribution(stated: dict[str, object], of: Any) -> None:
    """Kolmogorov and Smirnov would reject fewer than one in a thousand samples of 1,000 draws for being farther off."""
    rise = event("rise", demand="civil", **stated)
    assert count_scenarios([rise], DAY, HORIZON, 200) > 200  # more than could be enumerate_scenarios
    draws = sample_scenarios([rise], DAY, HORIZON, 1000, "1")
    assert stats.kstest([float(draw.events[0].factor or 0) for draw in draws], of.cdf).statistic < 1.95 / math.sqrt(
        1000
    )


def test_a_normal_multiplier_below_nothing_is_nothing() -> None:
    """Mean 1 and deviation 2: a share of Phi(-0.5), 30.9%, of draws."""
    found = sample_scenarios([event("wild", demand="civil", normal=[1, 2])], DAY, HORIZON, 1000, "1")
    none = sum(one.probability for one in found if one.events[0].factor == 0)
    assert float(none) == pytest.approx(float(stats.norm.cdf(-0.5)), abs=0.05)


def test_multipliers_that_go_along_rise_and_fall_together() -> None:
    """A common cause of price and demand: the same share of either distribution; without it they have nothing to do with each other."""
    price = event("price", price="ga", uniform=[1, 3])
    for along, least, most in (({"along_with": "price"}, 0.999, 1), ({}, -0.15, 0.15)):
        demand = event("demand", demand="civil", lognormal=[1, 0.5], **along)
        RiskSettings(event=(price, demand))
        draws = sample_scenarios([price, demand], DAY, HORIZON, 300, "1")
        factors = [tuple(float(begun.factor or 0) for begun in draw.events) for draw in draws]
        assert least <= stats.spearmanr(factors).statistic <= most


def test_a_cause_is_stated_before_what_it_causes() -> None:
    """Else nobody could say in which order chances are to be multiplied."""
    late, price = event("a", probability=0.1, given="b"), event("price", price="ga", uniform=[1, 3])
    with pytest.raises(ValidationError) as caught:
        RiskSettings(event=(late, event("b", probability=0.1)))
    assert fault_codes(caught.value) == ["FS978"]
    with pytest.raises(ValidationError) as caught:
        RiskSettings(event=(event("demand", demand="civil", lognormal=[1, 0.5], along_with="price"), price))
    assert fault_codes(caught.value) == ["FS978"]
