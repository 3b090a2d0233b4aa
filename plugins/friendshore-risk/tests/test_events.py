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
from friendshore_risk.events import Event, RiskSettings
from friendshore_risk.events.scenarios import NOTHING_HAPPENS, count_of, enumerated, sampled

HORIZON = Horizon(start=date(2027, 1, 1), count=12, length=PeriodLength.QUARTER)
DAY = date(2028, 1, 1)


def event(name: str, **stated: object) -> Event:
    """An event that loses a plant."""
    return Event.model_validate({"name": name, "lose": "plant", **stated})


def test_every_combination_has_the_product_of_its_chances() -> None:
    """Two events that have nothing to do with each other."""
    events = [event("a", probability="20 %"), event("b", probability=0.5)]
    assert {one.name: one.probability for one in enumerated(events, DAY, HORIZON)} == {
        NOTHING_HAPPENS: Fraction(2, 5),
        "a": Fraction(1, 10),
        "b": Fraction(2, 5),
        "a + b": Fraction(1, 10),
    }


def test_a_common_cause_makes_events_come_together() -> None:
    """What turns on another event has one chance with it and another without."""
    events = [event("war", probability="10 %"), event("port", probability="90 %", given="war", otherwise="1 %")]
    found = {one.name: one.probability for one in enumerated(events, DAY, HORIZON)}
    assert found["war + port"] == Fraction(9, 100)
    assert found["port"] == Fraction(9, 1000)


def test_several_multiples_that_move_together_come_true_together() -> None:
    """Scenarios that were drawn elsewhere, one factor of each demand in each; enumerated and sampled."""
    first = {"name": "a", "demand": "a", "factors": [1, 1, 3], "chances": ["20 %", "30 %", "40 %"]}
    along = {"name": "b", "demand": "b", "factors": [2, 5, 7], "along_with": "a"}
    events = RiskSettings.model_validate({"event": [first, along]}).event
    told = {tuple(begun.factor for begun in one.events): one.probability for one in enumerated(events, DAY, HORIZON)}
    assert told == {(): Fraction(1, 10), (1, 2): Fraction(1, 5), (1, 5): Fraction(3, 10), (3, 7): Fraction(2, 5)}
    assert {tuple(b.factor for b in one.events) for one in sampled(events, DAY, HORIZON, 200, "1")} == set(told)


@pytest.mark.parametrize(
    ("along", "told"),
    [
        ({"factors": [2, 3], "along_with": "c"}, "is called `c`"),
        ({"factors": [2, 3, 4], "along_with": "a"}, "has 3 `factors`"),
        ({"factors": [2, 3], "chances": [0.1, 0.2], "along_with": "a"}, "are those of the event"),
    ],
)
def test_an_event_moves_along_with_one_that_has_as_many_factors(along: dict[str, object], told: str) -> None:
    """And has no chances of its own."""
    first = {"name": "a", "price": "a", "factors": [1, 2], "chances": [0.5, 0.5]}
    with pytest.raises(ValidationError, match=told):
        RiskSettings.model_validate({"event": [first, {"name": "b", "price": "b", **along}]})


def test_a_chance_a_year_is_one_for_every_year_that_is_left() -> None:
    """It begins with the first year, or with the second, or not at all."""
    found = enumerated([event("a", per_year="10 %")], DAY, HORIZON)
    told = [([begun.start for begun in one.events], one.probability) for one in found]
    assert told == [
        ([], Fraction(81, 100)),
        ([date(2028, 1, 1)], Fraction(1, 10)),
        ([date(2029, 1, 1)], Fraction(9, 100)),
    ]


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100), st.booleans()), max_size=4))
def test_probabilities_add_up_to_one(drawn: list[tuple[int, int, bool]]) -> None:
    """Whatever events there are, and whatever they turn on."""
    events: list[Event] = []
    for number, (chance, other, caused) in enumerate(drawn):
        more = {"given": f"e{number - 1}", "otherwise": f"{other} %"} if caused and number else {}
        events.append(event(f"e{number}", probability=f"{chance} %", **more))
    found = enumerated(events, DAY, HORIZON)
    assert sum(one.probability for one in found) == 1
    assert len({one.name for one in found}) == len(found) == count_of(events, DAY, HORIZON, 99)


def test_an_event_comes_in_the_same_draws_whatever_else_is_stated() -> None:
    """Common random numbers: what one more event changes is not noise of another sample."""
    alone = sampled([event("a", probability="30 %")], DAY, HORIZON, 500, "7")
    both = sampled([event("b", probability="50 %"), event("a", probability="30 %")], DAY, HORIZON, 500, "7")
    comes = sum(one.probability for one in alone if one.events)
    assert comes == sum(one.probability for one in both if any(b.event.name == "a" for b in one.events))
    assert abs(comes - Fraction(3, 10)) < Fraction(1, 15)
    assert comes != sum(
        one.probability for one in sampled([event("a", probability="30 %")], DAY, HORIZON, 500, "8") if one.events
    )


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        ({"probability": 0.1, "price": "ga", "factor": 2}, "what it changes is one of"),
        ({}, "one of `probability`, `per_year` and `chances`"),
        ({"probability": 0.1, "per_year": 0.1}, "one of `probability`, `per_year` and `chances`"),
        ({"probability": "ten"}, "a share, like `65 %` or `0.65`"),
        ({"probability": 0.1, "otherwise": 0.2}, "is read with `given` alone"),
        ({"probability": 0.1, "factor": 2}, "`price` and `demand` alone"),
    ],
)
def test_an_event_that_cannot_be_meant_is_refused(stated: dict[str, object], told: str) -> None:
    """With the words for what is wrong."""
    with pytest.raises(ValidationError, match=told):
        event("a", **stated)


def test_one_of_several_factors_comes_true_or_none() -> None:
    """A distribution of a price: each factor with its chance, and as it is with what is left."""
    rise = Event.model_validate({"name": "rise", "price": "ga", "factors": ["150 %", 3], "chances": ["20 %", "5 %"]})
    found = {one.name: one.probability for one in enumerated([rise], DAY, HORIZON)}
    assert found == {NOTHING_HAPPENS: Fraction(3, 4), "rise x 1.5": Fraction(1, 5), "rise x 3": Fraction(1, 20)}


def test_a_triangular_distribution_is_sampled() -> None:
    """Its mean is that of its three corners; and there are more scenarios than could be enumerated."""
    rise = Event.model_validate({"name": "rise", "demand": "civil", "between": [0.5, 1, 3]})
    assert count_of([rise], DAY, HORIZON, 200) > 200
    drawn = [(one.events[0].factor, one.probability) for one in sampled([rise], DAY, HORIZON, 500, "1")]
    assert sum(float(factor or 0) * float(chance) for factor, chance in drawn) == pytest.approx(1.5, abs=0.06)
    assert all(0.5 <= (factor or 0) <= 3 for factor, _ in drawn)


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        ({"factors": [2, 3], "chances": [0.5]}, "1 chances for 2 factors"),
        ({"factors": [2, 3], "chances": [0.5, 0.6]}, "come to more than 1"),
        ({"between": [3, 2, 1]}, "not a least, a likeliest and a most"),
        ({"probability": 0.1}, "need one of `factor`, `factors`, `between`, `uniform`, `normal`, `lognormal`"),
        ({"factors": [2, 3], "per_year": 0.1}, "0 chances for 2 factors"),
        ({"uniform": [2, 1]}, "not a least and a most multiplier"),
        ({"normal": [1, 0]}, "not a mean and a standard deviation"),
        ({"lognormal": [1]}, "not a median and the standard deviation of a logarithm"),
        ({"normal": [1, 0.1], "uniform": [1, 2]}, "need one of"),
        ({"factor": 2, "probability": 0.1, "along_with": "other"}, "is read with"),
        ({"factor": 2, "probability": 0.1, "lasts": 3, "ends_per_year": 0.5}, "is said by `lasts` and `ends_per_year`"),
        ({"factor": 2, "probability": 0.1, "durations": [3, 6], "duration_chances": [1]}, "1 chances for 2 durations"),
        ({"factor": 2, "probability": 0.1, "durations": [3], "duration_chances": [0.5]}, "do not come to 1"),
        ({"probability": 0.1, "factor": 2, "between": [1, 2, 3]}, "need one of"),
    ],
)
def test_a_distribution_that_cannot_be_meant_is_refused(stated: dict[str, object], told: str) -> None:
    """With the words for what is wrong."""
    with pytest.raises(ValidationError, match=told):
        Event.model_validate({"name": "rise", "price": "ga", **stated})


@pytest.mark.parametrize(
    ("stated", "of"),
    [
        ({"between": [0.5, 1, 3]}, stats.triang(0.2, loc=0.5, scale=2.5)),
        ({"uniform": ["80 %", "150 %"]}, stats.uniform(0.8, 0.7)),
        ({"normal": [1, 0.2]}, stats.norm(1, 0.2)),
        ({"lognormal": [1.5, "40 %"]}, stats.lognorm(0.4, scale=1.5)),
    ],
    ids=["triangular", "uniform", "normal", "lognormal"],
)
def test_samples_follow_their_distribution(stated: dict[str, object], of: Any) -> None:
    """Kolmogorov and Smirnov would reject fewer than one in a thousand samples of 1,000 draws for being farther off."""
    rise = Event.model_validate({"name": "rise", "demand": "civil", **stated})
    drawn = [float(one.events[0].factor or 0) for one in sampled([rise], DAY, HORIZON, 1000, "1")]
    assert stats.kstest(drawn, of.cdf).statistic < 1.95 / math.sqrt(1000)


def test_a_normal_multiplier_below_nothing_is_nothing() -> None:
    """Mean 1 and deviation 2: a share of Phi(-0.5), 30.9 %, of draws."""
    wild = Event.model_validate({"name": "wild", "demand": "civil", "normal": [1, 2]})
    found = sampled([wild], DAY, HORIZON, 1000, "1")
    none = sum(one.probability for one in found if one.events[0].factor == 0)
    assert float(none) == pytest.approx(float(stats.norm.cdf(-0.5)), abs=0.05)


def test_what_was_observed_is_as_probable_each() -> None:
    """An empirical distribution: nothing is left for the chance that nothing changes, and all are enumerated."""
    seen = Event.model_validate({"name": "seen", "price": "ga", "factors": [0.8, 1.1, 2.5]})
    found = enumerated([seen], DAY, HORIZON)
    assert [(one.name, one.probability) for one in found] == [
        (f"seen x {factor}", Fraction(1, 3)) for factor in (0.8, 1.1, 2.5)
    ]


def test_multipliers_that_go_along_rise_and_fall_together() -> None:
    """A common cause of price and demand: the same share of either distribution; without it they have nothing to do with each other."""
    price = Event.model_validate({"name": "price", "price": "ga", "uniform": [1, 3]})
    for along, least, most in (({"along_with": "price"}, 0.999, 1), ({}, -0.15, 0.15)):
        demand = Event.model_validate({"name": "demand", "demand": "civil", "lognormal": [1, 0.5], **along})
        RiskSettings(event=(price, demand))
        drawn = [
            tuple(float(b.factor or 0) for b in one.events) for one in sampled([price, demand], DAY, HORIZON, 300, "1")
        ]
        assert least <= stats.spearmanr(drawn).statistic <= most
    with pytest.raises(ValidationError, match="of which samples are drawn, is called `price`"):
        RiskSettings(event=(demand.but(along_with="price"), price))


def test_how_long_an_event_lasts_may_be_one_of_several_times() -> None:
    """Each with its chance, times the chance that it comes at all."""
    out = event("out", probability="20 %", durations=["6 months", "1 year"], duration_chances=["75 %", "25 %"])
    found = {one.name: one.probability for one in enumerated([out], DAY, HORIZON)}
    assert found == {
        NOTHING_HAPPENS: Fraction(4, 5),
        "out for 6 months": Fraction(3, 20),
        "out for 12 months": Fraction(1, 20),
    }


def test_an_event_that_ends_with_some_chance_a_year_lasts_geometrically_long() -> None:
    """From 2027 on, of three years: to the end of the first with a chance of p, of the second with (1 - p) p, else to the end of the plan."""
    out = event("out", probability=1, ends_per_year="40 %", **{"from": HORIZON.start})
    found = [(one.events[0].lasts, one.probability) for one in enumerated([out], HORIZON.start, HORIZON)]
    assert found == [(12, Fraction(2, 5)), (24, Fraction(6, 25)), (None, Fraction(9, 25))]


def test_a_cause_is_stated_before_what_it_causes() -> None:
    """Else nobody could say in which order chances are to be multiplied."""
    late = event("a", probability=0.1, given="b")
    with pytest.raises(ValidationError, match="no event stated before this one is called `b`"):
        RiskSettings(event=(late, event("b", probability=0.1)))
