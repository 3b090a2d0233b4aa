"""Exceptions from bans: facts of the item, and recycled material."""

from __future__ import annotations

from decimal import Decimal

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


def test_an_open_exception_names_the_facts_to_state() -> None:
    """An exception that hangs on something says on what, and keeps the stage and country it would lift."""
    verdict = judged(ban(exceptions=[COTS]), offer({**CLEAN, "melted": "CN"}), use(facts={"cots": True}))
    assert "mill_product and tungsten_share" in verdict.reason
    assert (verdict.stage, verdict.countries) == ("melted", ("CN",))


@pytest.mark.parametrize(
    ("chain", "expected"),
    [
        ({"collection": "recycled", "milling": "US", "sintering": "US"}, Result.PASS),
        ({"collection": "recycled CN", "produced": "US"}, Result.PASS),
        ({"collection": "recycled", "milling": "US", "sintering": "US ?"}, Result.UNPROVEN),
        ({"collection": "recycled", "milling": "US", "sintering": "US CA"}, Result.UNPROVEN),
        ({"collection": "recycled", "milling": "US"}, Result.UNPROVEN),
        ({"collection": "recycled US", "milling": "US", "sintering": "US"}, Result.PASS),
        ({"mining": "US", "milling": "US", "sintering": "US"}, Result.UNPROVEN),
        ({"milling": "recycled US", "sintering": "recycled US"}, Result.UNPROVEN),
        ({"collection": "recycled", "melted": "CN", "produced": "US"}, Result.FAIL),
        ({"collection": "recycled", "melted": "recycled CN", "produced": "US"}, Result.FAIL),
        ({"collection": "recycled", "melted": "recycled JP", "produced": "US"}, Result.PASS),
        ({"collection": "recycled", "milling": "US", "sintering": "US", "magnetizing": "CN"}, Result.FAIL),
    ],
)
def test_recycled_magnets(chain: dict[str, str], expected: Result) -> None:
    """Milling and sintering in the United States lift what belongs to the scrap's earlier life, and nothing else."""
    assert judged(ban(recycled=MAGNET_SCRAP), offer(chain, country="US")).result is expected


@pytest.mark.parametrize(
    ("chain", "expected"),
    [
        ({"collection": "recycled DE", "melted": "AT", "produced": "US"}, Result.PASS),
        ({"collection": "recycled", "melted": "AT", "produced": "US"}, Result.UNPROVEN),
        ({"collection": "recycled CN", "melted": "AT", "produced": "US"}, Result.UNPROVEN),
        ({"collection": "recycled DE", "melted": "KR", "produced": "US"}, Result.UNPROVEN),
        ({"collection": "recycled DE", "refined": "recycled KR", "melted": "AT", "produced": "US"}, Result.UNPROVEN),
        ({"collection": "recycled DE", "produced": "US"}, Result.UNPROVEN),
    ],
)
def test_recycled_metal(chain: dict[str, str], expected: Result) -> None:
    """The scrap must be clean, and melting and all further processing must lie in the countries named."""
    assert judged(ban(recycled=METAL_SCRAP), offer(chain, country="US")).result is expected


def test_a_stage_that_the_material_has_not_is_not_needed() -> None:
    """Powder that is never melted need not be melted anywhere in particular."""
    powder = Material(id="powder", form="magnet", stages=(Stage.MINED, Stage.REFINED, Stage.PRODUCED))
    chained = offer({"collection": "recycled DE", "produced": "AT"}, powder)
    assert judged(ban(recycled=METAL_SCRAP), chained, use(powder)).passes


def test_recycling_is_judged_on_the_offer_that_delivers_the_covered_good() -> None:
    """Scrap up the chain of a magnet is not lifted: whether the magnet maker mills it in the right place is not its own to say."""
    scrap = offer({"collection": "recycled", "milling": "US", "sintering": "US"}, ALLOY, country="US")
    assert not judged(ban(recycled=MAGNET_SCRAP), scrap).passes


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
    assert "nobody says where the metal of the scrap was mined" in denied.reason
