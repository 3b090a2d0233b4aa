"""What a country does not let out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from friendshore.domain.use import Result

from .samples import CLEAN, OXIDE_CN, control, move, offer, oxide_from, use


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        (("CN", "JP"), Result.FAIL),
        (("CN", "CN"), Result.PASS),
        (("JP", "US"), Result.PASS),
        (("JP", "CN"), Result.PASS),
    ],
)
def test_an_export_leaves_the_country(way: tuple[str, str], expected: Result) -> None:
    """Only a move out of the country is an export; one within it or into it is not."""
    assert control().judge(OXIDE_CN, move(*way), use()).result is expected


def test_only_controlled_goods_are_held_back() -> None:
    """A material that the control does not cover may go."""
    assert control().judge(offer(CLEAN, country="CN"), move("CN", "US"), use()).passes


@pytest.mark.parametrize(
    ("judged_on", "to", "place", "bears"),
    [
        ("use", "JP", "US", True),
        ("use", "US", "JP", False),
        ("move", "JP", "US", False),
        ("move", "US", "JP", True),
        ("either", "JP", "US", True),
        ("either", "US", "JP", True),
        ("either", "JP", "DE", False),
    ],
)
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
    """Chinese dysprosium oxide moved to Japan for a magnet of US defence use fails; the same for civil use does not."""
    rule = control(destinations=["US"], judged_on="use", end_uses=["defense"], reach="origin")
    assert rule.judge(OXIDE_CN, move("CN", "JP"), use()).result is Result.FAIL
    assert rule.judge(OXIDE_CN, move("CN", "JP"), use(end_use="civil")).passes
    assert not rule.concerns(use(end_use="civil"))
    assert not rule.concerns(use(place="JP"))


@pytest.mark.parametrize(
    ("separated", "expected"),
    [
        ("CN", Result.FAIL),
        ("JP", Result.PASS),
        ("JP CN", Result.UNPROVEN),
        ("JP ?", Result.UNPROVEN),
        ("", Result.UNPROVEN),
    ],
)
def test_reach_by_origin_follows_the_goods(separated: str, expected: Result) -> None:
    """Goods that may be of the exporting country's origin are held back wherever they are, by the verdict table."""
    stock = oxide_from("JP", separated)
    assert control(reach="origin").judge(stock, move("JP", "US"), use()).result is expected
    assert control().judge(stock, move("JP", "US"), use()).passes


def test_goods_may_go_home() -> None:
    """Chinese goods on their way back to China are not held back, nor are those that cross no border."""
    stock = oxide_from("JP", "CN")
    assert control(reach="origin").judge(stock, move("JP", "CN"), use()).passes
    assert control(reach="origin").judge(stock, move("JP", "JP"), use()).passes


def test_what_leaves_the_country_is_exported_whatever_its_origin() -> None:
    """Goods declared of another origin still leave China when they are moved from there."""
    transit = oxide_from("CN", "KZ", customs_origin="KZ")
    assert control(reach="origin").judge(transit, move("CN", "US"), use()).result is Result.FAIL


def test_a_stated_origin_where_nothing_is_done_is_no_way_out() -> None:
    """Separated in China and said to be Korean: Chinese goods are held back; so are Korean ones, where a stage is done in Korea they are Korean alone."""
    said = {"customs_origin": "KR"}
    assert control(reach="origin").judge(oxide_from("KR", "CN", **said), move("KR", "US"), use()).result is Result.FAIL
    korean = control(exporters=["KR"], reach="origin")
    assert korean.judge(oxide_from("JP", "CN", **said), move("JP", "US"), use()).result is Result.FAIL
    for separated in ("CN KR", ""):
        assert control(reach="origin").judge(oxide_from("KR", separated, **said), move("KR", "US"), use()).passes


def test_a_licence_leaves_it_unproven() -> None:
    """Where a licence would do, the verdict is unproven for want of it, even where the origin is open too."""
    rule = control(effect="licence", reach="origin")
    for chained, way in ((OXIDE_CN, move("CN", "US")), (oxide_from("JP", "JP CN"), move("JP", "US"))):
        verdict = rule.judge(chained, way, use())
        assert (verdict.result, verdict.licence, verdict.countries) == (Result.UNPROVEN, True, ("CN",))
    assert not control().judge(OXIDE_CN, move("CN", "US"), use()).licence


@pytest.mark.parametrize(
    ("buyer", "operator", "bears"),
    [
        ("MP Materials", "", True),
        ("mp materials corp.", "", True),
        ("", "MP Materials (Fort Worth)", True),
        ("MP Magnets", "", False),
        ("", "", False),
    ],
)
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
