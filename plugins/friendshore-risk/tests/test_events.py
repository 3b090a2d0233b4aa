"""Events of a case and what they come together to, followed by hand."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

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
        ({}, "either `probability` or `per_year`"),
        ({"probability": 0.1, "per_year": 0.1}, "either `probability` or `per_year`"),
        ({"probability": "ten"}, "a share, like `65 %` or `0.65`"),
        ({"probability": 0.1, "otherwise": 0.2}, "is read with `given` alone"),
        ({"probability": 0.1, "factor": 2}, "`price` and `demand` alone"),
    ],
)
def test_an_event_that_cannot_be_meant_is_refused(stated: dict[str, object], told: str) -> None:
    """With the words for what is wrong."""
    with pytest.raises(ValidationError, match=told):
        event("a", **stated)


def test_a_cause_is_stated_before_what_it_causes() -> None:
    """Else nobody could say in which order chances are to be multiplied."""
    late = event("a", probability=0.1, given="b")
    with pytest.raises(ValidationError, match="no event stated before this one is called `b`"):
        RiskSettings(event=(late, event("b", probability=0.1)))
