"""Stock in hand and orders already placed: none vanishes, each says what it may serve, what bars it since when, and what would heal it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from friendshore.document.markdown import markdown
from friendshore.domain.case import OrderSpec
from friendshore.domain.run import RunHolding
from friendshore.recommend import Recommendation
from friendshore.report import page_document, plan_document
from friendshore.rules.base import Rule
from friendshore.rules.kinds.trade import ExportControl

from ..building import METAL, ban, case, chain, demand, metals, planned, rule, stock, unwrapped


def halt(start: str, effect: str = "prohibit") -> Rule:
    """China lets no metal out from a day on."""
    return rule(ExportControl, id="halt", exporters=["CN"], effect=effect, phases=[{"from": start}])


def order(arrives: str) -> OrderSpec:
    """8 kg of Chinese metal that are on their way."""
    day = date.fromisoformat(arrives)
    return OrderSpec(id="po", offer="cn-metal", quantity=Decimal(8), arrives=day, ordered=date(2025, 6, 1))


def held(found: Recommendation, lot: str = "po") -> RunHolding:
    """What a run says of a lot."""
    return next(one for one in found.run.holdings if one.lot == lot)


def verdicts(one: RunHolding) -> dict[str, str]:
    """End use -> verdict."""
    return {use.end_use: use.verdict for use in one.uses}


BOTH = (demand("metal", "defense", 5, 5), demand("metal", "civil", 5, 5))


def test_an_order_that_a_rule_bars_is_told_with_rule_day_and_remedy() -> None:
    """An order for defense arrives after the halt: nothing of it is used, and plan, page and JSON say what became of it."""
    found = planned(case(BOTH[0], orders=(order("2027-05-15"),)), metals(), ban("melted"), halt("2027-03-01"))
    one = held(found)
    assert (one.quantity_kg, one.used_kg, one.left_kg) == (8, 0, 8)
    assert verdicts(one) == {"defense": "barred"}
    bars = {bar.rule: (str(bar.start), bar.fix) for bar in one.uses[0].prohibitions}
    assert bars == {"ban": ("2027-01-01", "a [[waiver]] of `ban`"), "halt": ("2027-03-01", "arrival by 2027-02-28")}
    for shown in (unwrapped(plan_document(found.run)), markdown(page_document(found.run))):
        assert "the order po, 8 kg of metal: ban, halt" in shown
        assert "melted in CN" in shown
        assert "arrival by 2027-02-28" in shown


def test_what_civil_use_may_take_is_used_and_the_rest_is_left_over() -> None:
    """30 kg in hand, barred for defense from 2027 on; civil use takes its 10 kg, defense its 5 kg of 2026, 15 kg are left."""
    lot = stock("metal", 30, chain("CN", *METAL), id="shelf")
    one = held(planned(case(*BOTH, stocks=(lot,)), metals(), ban("melted")), "shelf")
    assert verdicts(one) == {"defense": "may be used in part of the time", "civil": "may be used"}
    defence = next(use for use in one.uses if use.end_use == "defense")
    assert defence.periods == ["2026"]
    assert (one.used_kg, one.left_kg) == (15, 15)
    assert [bar.fix for bar in defence.prohibitions] == ["delivery by 2026-12-31 or a [[waiver]] of `ban`"]


@pytest.mark.parametrize(
    ("arrives", "effect", "fix"),
    [("2027-02-15", "prohibit", "periods one of which begins on 2027-03-01"), ("2027-05-15", "license", "an export license")],
)  # fmt: skip
def test_an_export_control_is_healed_by_its_own_means(arrives: str, effect: str, fix: str) -> None:
    """An order that arrives before the halt, in its period, is lost to the grid alone; a control by license asks for one."""
    one = held(planned(case(BOTH[1], orders=(order(arrives),)), metals(), halt("2027-03-01", effect)))
    assert verdicts(one) == {"civil": "barred"}
    assert one.uses[0].prohibitions[0].fix.startswith(fix)


def test_stock_of_unknown_origin_asks_for_proof() -> None:
    """Nobody says where the stock was melted: it is unproven for defense, and proof would heal it."""
    lot = stock("metal", 4, chain("?", *METAL), id="shelf")
    one = held(planned(case(demand("metal", "defense", 0, 5), stocks=(lot,)), metals(), ban("melted")), "shelf")
    (bar,) = one.uses[0].prohibitions
    assert (bar.unproven, bar.fix.startswith("proof of where it was melted")) == (True, True)


def test_a_lot_that_no_demand_can_take_says_so() -> None:
    """Metal in stock where magnets alone are wanted and nothing is made of metal."""
    given = case(demand("salt", "civil", 1, 1), stocks=(stock("metal", 4, chain("AU", *METAL), id="shelf"),))
    found = planned(given, metals())
    assert held(found, "shelf").uses == []
    assert "no demand can use it" in unwrapped(plan_document(found.run), 120)
