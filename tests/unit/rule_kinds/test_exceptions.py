"""Exceptions from bans: facts of the item, and recycled material."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from friendshore.domain.facts import Material
from friendshore.domain.stages import Stage
from friendshore.domain.use import Fact, Result

from .samples import ALLOY, CLEAN, COTS, MAGNET_SCRAP, METAL_SCRAP, ban, judged, offer, use


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, Result.FAIL),
        ({"cots": False}, Result.FAIL),
        ({"cots": True}, Result.UNPROVEN),
        ({"cots": True, "tungsten_share": Decimal("0.2")}, Result.UNPROVEN),
        ({"cots": True, "mill_product": True}, Result.FAIL),
        ({"cots": True, "tungsten_share": Decimal("0.5"), "mill_product": False}, Result.FAIL),
        ({"cots": True, "tungsten_share": Decimal("0.2"), "mill_product": False}, Result.PASS),
        ({"cots": True, "tungsten_share": Decimal("-0.6"), "mill_product": False}, Result.UNPROVEN),
        ({"cots": True, "tungsten_share": "little", "mill_product": False}, Result.UNPROVEN),
    ],
)
def test_exceptions_turn_on_what_is_stated(facts: dict[str, Fact], expected: Result) -> None:
    """An exception holds, with its clause, does not, or stays unproven by the facts of the demand alone. A clean magnet passes anyway."""
    verdict = judged(ban(exceptions=[COTS]), offer({**CLEAN, "melted": "CN"}), use(facts=facts))
    assert verdict.result is expected
    assert ((verdict.clause, verdict.rule) == ("(c)(3)(A)", "ban")) is (expected is Result.PASS)
    assert judged(ban(exceptions=[COTS]), offer(CLEAN), use(facts=facts)).passes
    assert expected is Result.PASS or (verdict.stage, verdict.countries) == ("melted", ("CN",))
    if facts == {"cots": True}:  # an open exception names the facts to state
        assert "mill_product and tungsten_share" in verdict.reason


SCRAP_IN_US = {"collection": "recycled", "milling": "US", "sintering": "US"}


@pytest.mark.parametrize(
    ("recycled", "chain", "expected"),
    [
        # Milling and sintering in the United States lift what belongs to the scrap's earlier life, and nothing else.
        (MAGNET_SCRAP, SCRAP_IN_US, Result.PASS),
        (MAGNET_SCRAP, {"collection": "recycled CN", "produced": "US"}, Result.PASS),
        (MAGNET_SCRAP, SCRAP_IN_US | {"sintering": "US ?"}, Result.UNPROVEN),
        (MAGNET_SCRAP, SCRAP_IN_US | {"sintering": "US CA"}, Result.UNPROVEN),
        (MAGNET_SCRAP, {"collection": "recycled", "milling": "US"}, Result.UNPROVEN),
        (MAGNET_SCRAP, SCRAP_IN_US | {"collection": "recycled US"}, Result.PASS),
        (MAGNET_SCRAP, {"mining": "US", "milling": "US", "sintering": "US"}, Result.UNPROVEN),
        (MAGNET_SCRAP, {"milling": "recycled US", "sintering": "recycled US"}, Result.UNPROVEN),
        (MAGNET_SCRAP, {"collection": "recycled", "melted": "CN", "produced": "US"}, Result.FAIL),
        (MAGNET_SCRAP, {"collection": "recycled", "melted": "recycled CN", "produced": "US"}, Result.FAIL),
        (MAGNET_SCRAP, {"collection": "recycled", "melted": "recycled JP", "produced": "US"}, Result.PASS),
        (MAGNET_SCRAP, SCRAP_IN_US | {"magnetizing": "CN"}, Result.FAIL),
        # The scrap must be clean, and melting and all further processing must lie in the countries named.
        (METAL_SCRAP, {"collection": "recycled DE", "melted": "AT", "produced": "US"}, Result.PASS),
        (METAL_SCRAP, {"collection": "recycled", "melted": "AT", "produced": "US"}, Result.UNPROVEN),
        (METAL_SCRAP, {"collection": "recycled CN", "melted": "AT", "produced": "US"}, Result.UNPROVEN),
        (METAL_SCRAP, {"collection": "recycled DE", "melted": "KR", "produced": "US"}, Result.UNPROVEN),
        (METAL_SCRAP, {"collection": "recycled DE", "refined": "recycled KR", "melted": "AT", "produced": "US"}, Result.UNPROVEN),
        (METAL_SCRAP, {"collection": "recycled DE", "produced": "US"}, Result.UNPROVEN),
    ],
)  # fmt: skip
def test_recycled_material(recycled: dict[str, Any], chain: dict[str, str], expected: Result) -> None:
    """An exception lifts what its clause says of magnets or metal."""
    assert judged(ban(recycled=recycled), offer(chain, country="US")).result is expected


def test_recycling_is_judged_on_the_covered_good_and_its_stages() -> None:
    """Powder that is never melted need be melted nowhere; scrap up the chain has no exception: where it is milled is the maker's to say."""
    powder = Material(id="powder", form="magnet", stages=(Stage.MINED, Stage.REFINED, Stage.PRODUCED))
    chained = offer({"collection": "recycled DE", "produced": "AT"}, powder)
    assert judged(ban(recycled=METAL_SCRAP), chained, use(powder)).passes
    assert not judged(ban(recycled=MAGNET_SCRAP), offer(SCRAP_IN_US, ALLOY, country="US")).passes


def test_recycled_metal_may_hang_on_a_fact_that_the_demand_states() -> None:
    """What the contractor has to show is asked for by name; shown not to be so, the exception is no matter."""
    shown = ban(recycled={**METAL_SCRAP, "when": [{"fact": "origin_shown", "equals": True}]})
    scrap = offer({"collection": "recycled DE", "melted": "AT", "produced": "US"}, country="US")
    assert judged(shown, scrap, use(facts={"origin_shown": True})).passes
    silent = judged(shown, scrap)
    assert silent.result is Result.UNPROVEN
    assert "if the demand states origin_shown" in silent.reason
    denied = judged(shown, scrap, use(facts={"origin_shown": False}))
    assert denied.result is Result.UNPROVEN
    assert "unknown where the metal of the scrap was first mined" in denied.reason
