"""What a country does not let out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from friendshore.domain.use import Chained, Result

from .samples import CLEAN, OXIDE, OXIDE_CN, control, move, offer, oxide_from, use

ORIGIN = {"reach": "origin"}
KOREAN = {"customs_origin": "KR"}
MOVES = {
    "out of the country": ({}, OXIDE_CN, "CN", "JP", Result.FAIL),
    "within it": ({}, OXIDE_CN, "CN", "CN", Result.PASS),
    "elsewhere": ({}, OXIDE_CN, "JP", "US", Result.PASS),
    "into it": ({}, OXIDE_CN, "JP", "CN", Result.PASS),
    "goods that are not controlled": ({}, offer(CLEAN, country="CN"), "CN", "US", Result.PASS),
    "goods of its origin, wherever they are": (ORIGIN, oxide_from("JP", "CN"), "JP", "US", Result.FAIL),
    "which only the reach decides": ({}, oxide_from("JP", "CN"), "JP", "US", Result.PASS),
    "on their way home": (ORIGIN, oxide_from("JP", "CN"), "JP", "CN", Result.PASS),
    "across no border": (ORIGIN, oxide_from("JP", "CN"), "JP", "JP", Result.PASS),
    "of another origin": (ORIGIN, oxide_from("JP", "JP"), "JP", "US", Result.PASS),
    "of one of two origins": (ORIGIN, oxide_from("JP", "JP CN"), "JP", "US", Result.UNPROVEN),
    "of an open list": (ORIGIN, oxide_from("JP", "JP ?"), "JP", "US", Result.UNPROVEN),
    "of unknown origin": (ORIGIN, oxide_from("JP", ""), "JP", "US", Result.UNPROVEN),
    "transit, declared of another origin": (ORIGIN, oxide_from("CN", "KZ", customs_origin="KZ"), "CN", "US", Result.FAIL),
    # A stated origin where nothing is done is no way out.
    "separated in China, said to be Korean": (ORIGIN, oxide_from("KR", "CN", **KOREAN), "KR", "US", Result.FAIL),
    "a Korean control on them": (ORIGIN | {"exporters": ["KR"]}, oxide_from("JP", "CN", **KOREAN), "JP", "US", Result.FAIL),
    "separated in Korea or China, said to be Korean": (ORIGIN, oxide_from("KR", "CN KR", **KOREAN), "KR", "US", Result.PASS),
    "separated nobody knows where, said to be Korean": (ORIGIN, oxide_from("KR", "", **KOREAN), "KR", "US", Result.PASS),
}  # fmt: skip


@pytest.mark.parametrize(("fields", "goods", "origin", "to", "expected"), MOVES.values(), ids=MOVES)
def test_an_export_leaves_the_country(
    fields: dict[str, Any], goods: Chained, origin: str, to: str, expected: Result
) -> None:
    """Only a move out of the country is an export, and by origin any move of goods that may be of that country but to it."""
    assert control(**fields).judge(goods, move(origin, to), use()).result is expected


@pytest.mark.parametrize(
    ("refined", "expected", "countries"),
    [
        ("CN", Result.FAIL, ("CN",)), ("MY", Result.PASS, ()), ("MY CN", Result.UNPROVEN, ("CN",)),
        ("MY ?", Result.UNPROVEN, ()), ("", Result.UNPROVEN, ()), (None, Result.UNPROVEN, ()),
    ],
)  # fmt: skip
def test_content_of_unknown_country_is_unproven(
    refined: str | None, expected: Result, countries: tuple[str, ...]
) -> None:
    """A stage that may have taken place in the exporting country, stated or not, never passes."""
    chain = {"mined": "", "separated": "JP"} | ({} if refined is None else {"refined": refined})
    rule = control(reach="content", stages=["refined", "separated"])
    verdict = rule.judge(offer(chain, OXIDE), move("JP", "US"), use())
    assert (verdict.result, verdict.countries) == (expected, countries)
    unstaged = rule.judge(offer({"separated": "JP"}, OXIDE.but(stages=())), move("JP", "US"), use())
    assert unstaged.result is Result.UNPROVEN
    assert rule.judge(offer({"separated": "JP"}, OXIDE, inputs=True), move("JP", "US"), use()).passes


@pytest.mark.parametrize(
    ("judged_on", "to", "place", "bears"),
    [
        ("use", "JP", "US", True), ("use", "US", "JP", False), ("move", "JP", "US", False), ("move", "US", "JP", True),
        ("either", "JP", "US", True), ("either", "US", "JP", True), ("either", "JP", "DE", False),
    ],
)  # fmt: skip
def test_what_tells_the_destination(judged_on: str, to: str, place: str, bears: bool) -> None:
    """The destination is read from the final use, the move, or either."""
    rule = control(destinations=["US"], judged_on=judged_on)
    assert rule.judge(OXIDE_CN, move("CN", to), use(place=place)).passes is not bears


@pytest.mark.parametrize(("facts", "bears"), [({}, True), ({"relief": False}, True), ({"relief": True}, False)])
def test_a_stated_fact_may_take_a_use_out_of_a_control(facts: dict[str, bool], bears: bool) -> None:
    """Relief that the demand states is excepted; what is not stated claims nothing. The sentence names the fact."""
    rule = control(unless=[{"fact": "relief", "equals": True}])
    assert rule.judge(OXIDE_CN, move("CN", "JP"), use(facts=facts)).passes is not bears
    assert rule.sentence().endswith("unless the demand states relief.")


def test_a_first_stop_elsewhere_does_not_help_a_military_end_use() -> None:
    """Chinese dysprosium oxide moved to Japan for a magnet of US defense use fails; the same for civil use does not."""
    rule = control(destinations=["US"], judged_on="use", end_uses=["defense"], reach="origin")
    assert rule.judge(OXIDE_CN, move("CN", "JP"), use()).result is Result.FAIL
    assert rule.judge(OXIDE_CN, move("CN", "JP"), use(end_use="civil")).passes
    assert not rule.concerns(use(end_use="civil"))
    assert not rule.concerns(use(place="JP"))


def test_a_license_leaves_it_unproven() -> None:
    """Where a license would do, the verdict is unproven for want of it, even where the origin is open too."""
    rule = control(effect="license", reach="origin")
    for chained, way in ((OXIDE_CN, move("CN", "US")), (oxide_from("JP", "JP CN"), move("JP", "US"))):
        verdict = rule.judge(chained, way, use())
        assert (verdict.result, verdict.license, verdict.countries) == (Result.UNPROVEN, True, ("CN",))
    assert not control().judge(OXIDE_CN, move("CN", "US"), use()).license


@pytest.mark.parametrize(
    ("buyer", "operator", "bears"),
    [
        ("MP Materials", "", True), ("mp materials corp.", "", True), ("", "MP Materials (Fort Worth)", True),
        ("MP Magnets", "", False), ("", "", False),
    ],
)  # fmt: skip
def test_named_parties(buyer: str, operator: str, bears: bool) -> None:
    """A listed party is met as buyer or as the one who runs the site, with or without a suffix to its name."""
    verdict = control(buyers=["MP Materials"]).judge(OXIDE_CN, move("CN", "US", operator), use(buyer=buyer))
    assert verdict.passes is not bears


@given(
    separated=st.lists(st.sampled_from(["AU", "CN", "JP", "?"]), max_size=3, unique=True).map(" ".join),
    more=st.sampled_from(["AU", "JP", "RU"]),
)
def test_a_wider_control_never_turns_into_a_pass(separated: str, more: str) -> None:
    """Naming more exporters, more reach or more destinations never frees a move."""
    stock, way = oxide_from("JP", separated), move("JP", "US")
    first = control(reach="origin", destinations=["US"]).judge(stock, way, use())
    for wider in (control(reach="origin", exporters=["CN", more]), control(reach="origin")):
        assert wider.judge(stock, way, use()).result.rank >= first.result.rank
