"""What one more unit is worth: of capacities that are used up, and of waivers."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from tests.building import METAL, ban, metals, opened, terms, unstored

from friendshore.domain.use import PASS, Chained, Move, Result, Use, Verdict
from friendshore.rules.base import Rule
from friendshore.rules.kinds.export_control import ExportControl
from friendshore_reasons.ledger.search import ledger, margins


def test_more_of_a_capacity_that_is_used_up() -> None:
    """China's 20 a year are used up in the second year alone: a tenth more saves 2 kg at 40, told by the 4 kg that it adds."""
    found = margins(opened(unstored(10, 30), metals(cn=20, au=50)), increment=Decimal("0.1"))
    (one,) = found.capacities
    assert (one.facility, one.full_in, one.more_kg) == ("cn", ("2027",), 4)
    assert (one.saves.value, one.saves.proved, one.per_kg) == (80, True, 20)


def test_what_is_not_used_up_is_not_asked_about() -> None:
    """Neither a plant with room left nor one that nothing is bought from."""
    assert margins(opened(unstored(10), metals(cn=20, au=0))).capacities == ()


def test_a_capacity_that_set_ups_use_up() -> None:
    """A campaign's set-up takes 5 of the 15: with it the plant is full."""
    found = margins(opened(unstored(10), metals(terms("cn-metal", setup_use=5), cn=15)))
    assert [one.facility for one in found.capacities] == ["cn"]
    assert found.capacities[0].saves.value == 0


def test_a_waiver_of_a_rule_that_bears() -> None:
    """A kilogram of ten may come from China at 10 in place of Australia's 50."""
    found = margins(
        opened(unstored(10, end_use="defense"), metals(), ban(*METAL, start=None)), increment=Decimal("0.1")
    )
    (one,) = found.waivers
    assert (one.rule, one.demand, one.waived_kg) == ("ban", "metal-defense", 1)
    assert (one.saves.value, one.per_kg) == (40, 40)


def test_each_of_two_waivers_alone_saves_nothing() -> None:
    """What one lets pass the other still forbids."""
    rules = (ban(*METAL, start=None), ban(*METAL, start=None, id="also"))
    found = margins(opened(unstored(10, end_use="defense"), metals(), *rules))
    assert {one.rule: one.saves.value for one in found.waivers} == {"ban": 0, "also": 0}


def test_a_buyer_cannot_waive_an_export_control() -> None:
    """Its own government licenses it."""
    control = ExportControl.model_validate({"id": "control", "exporters": ["CN"], "effect": "prohibit"})
    assert margins(opened(unstored(10, end_use="defense"), metals(), control)).waivers == ()


class Small(Rule):
    """A plugin's kind: nothing from the plant `cn`."""

    kind: Literal["small"] = "small"

    def judge(self, offer: Chained, move: Move, use: Use) -> Verdict:
        """Fails what comes from `cn`."""
        return Verdict(result=Result.FAIL, rule=self.id) if offer.facility.id == "cn" else PASS


def test_a_rule_of_a_plugin_can_be_waived() -> None:
    """1 % of 10 kg at 40 less."""
    found = margins(opened(unstored(10), metals(), Small(id="small")))
    assert [(one.rule, one.waived_kg, one.saves.value) for one in found.waivers] == [("small", Decimal("0.1"), 4)]


def test_the_bill_holds_them_if_asked() -> None:
    """Each is one more question."""
    session = opened(unstored(10, end_use="defense"), metals(cn=5), ban(*METAL, start=None))
    bare, full = ledger(session), ledger(session, more_units=True)
    assert bare.margins is None
    assert len(full.margins.waivers) == 1
    assert full.effort.questions == bare.effort.questions + 1
