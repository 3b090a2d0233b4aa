"""Alternatives: what using each offer costs, how small and large its share can be, and what keeps the others out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from threading import Event
from typing import Literal

import pytest

from friendshore.domain.case import IncumbentSpec
from friendshore.domain.use import PASS, Chained, Move, Result, Use, Verdict
from friendshore.errors import InputError
from friendshore.questions.alternatives.alternatives_document import alternatives_document
from friendshore.questions.alternatives.find_alternatives import Alternative, Alternatives, alternatives
from friendshore.rules.base import Facts, Rule
from friendshore.rules.rows import Row

from ..building import (
    ban,
    case,
    catalog,
    demand,
    facility,
    hard_case,
    maker,
    metals,
    named_metals,
    opened,
    source,
    store,
    text,
    unstored,
    unwrapped,
)


def of(found: Alternatives, offer: str) -> Alternative:
    """One of the offers."""
    return next(one for one in found.offers if one.offer == offer)


def test_offers_are_ranked_by_what_using_them_costs() -> None:
    """Of 40 kg all come from China at 10; 5% of them, 2 kg, cost 2 × 40 more from Australia and 2 × 70 more from Japan."""
    found = alternatives(opened(unstored(40), metals()))
    assert [(one.rank, one.offer) for one in found.offers] == [(1, "cn-metal"), (2, "au-metal"), (3, "jp-metal")]
    assert [one.rise and one.rise.value for one in found.offers] == [0, 80, 140]
    assert all(one.rise is not None and one.rise.proved and not one.tied for one in found.offers)
    assert [one.used_from_kg for one in found.offers] == [2, 2, 2]
    assert of(found, "cn-metal").plan_kg == 40


def test_cash_and_shortage_stand_apart_from_the_penalty() -> None:
    """Australia asks 50, and a shortage weighs 30 a kilogram: 2 kg of it cost 100 in cash, and end 2 kg of the shortage of 40 and its penalty of 60."""
    facts = catalog(facility("au", "AU"), source("AU", 50))
    found = alternatives(opened(case(demand("metal", "civil", 40, shortage_price=30)), facts))
    (one,) = found.offers
    assert (one.cash, one.spent, one.penalty, one.short_kg) == (100, 100, -60, {"metal": -2})
    assert one.rise.value == 40, "with the penalty"
    assert found.to_dict()["offers"][0]["cash"] == 100


def test_names_and_bases_stand_beside_ids() -> None:
    """On the screen, in the document, and in the data, whose ids stay as they are."""
    found = alternatives(opened(unstored(40), named_metals()))
    assert "Works of AU (au-metal)" in text(alternatives_document(found), 140)
    data = found.to_dict()
    assert [one["offer"] for one in data["offers"]] == ["cn-metal", "au-metal", "jp-metal"]
    assert data["names"]["offers"] == {f"{c}-metal": f"Works of {c.upper()}" for c in ("cn", "au", "jp")}


def test_the_offer_that_comes_next_is_told_with_its_break_even_price() -> None:
    """Australia asks 50 where China asks 10: below 10 all would come from there. Of what the plan buys nothing comes next."""
    (mix,) = alternatives(opened(unstored(40), metals())).materials
    next_ = mix.next_price
    assert (mix.next_offer, next_.price, next_.current_price, next_.proved) == ("au-metal", 10, 50, True)
    (alone,) = alternatives(opened(unstored(40), catalog(source("CN", 10)))).materials
    assert (alone.next_offer, alone.next_price) == ("", None)


def test_an_offer_that_can_give_less_is_used_from_all_that_it_can_give() -> None:
    """Japan makes 1 kg a year, less than 5% of 40. Or it melts without limit, of 3 kg of oxide, of which it takes 2 a kilogram."""
    one = of(alternatives(opened(unstored(40), metals(jp=1))), "jp-metal")
    assert (one.used_from_kg, one.max_kg, one.rise.value) == (1, 1, 70)
    pit = facility("pit", "AU", 3), source("AU", 5, "oxide", plant="pit")
    one = of(alternatives(opened(unstored(40), catalog(source("CN", 10), maker("JP", 20), *pit))), "jp-melt")
    assert float(one.used_from_kg) == pytest.approx(1.5, abs=0.002)
    assert float(one.rise.value) == pytest.approx(1.5 * (20 + 10 - 10), rel=1e-3)
    assert one.made_from == ["oxide"]


def test_shares_of_plans_nearly_as_cheap() -> None:
    """The plan costs 400; a tenth more pays for one kilogram at 50 in place of one at 10, and no kilogram is indispensable but 39."""
    today = (IncumbentSpec(offer="au-metal", per_year=Decimal(10)),)
    found = alternatives(opened(unstored(40, incumbents=today), metals()), within=Decimal("0.1"))
    china, australia = of(found, "cn-metal").share, of(found, "au-metal").share
    assert [float(x) for x in (china.min, china.max)] == pytest.approx([39 / 40, 1])
    assert [float(x) for x in (australia.min, australia.max)] == pytest.approx([0, 1 / 40])
    assert (china.role, australia.role) == ("must", "may")
    assert (of(found, "au-metal").today_kg, found.materials[0].today_kg) == (10, 10)
    assert of(found, "au-metal").qualification_months == 0, "an incumbent is qualified"
    assert of(alternatives(opened(unstored(40), metals()), within=Decimal(0)), "au-metal").share.role == "never"


def test_what_may_be_dearer_is_only_what_hangs_together() -> None:
    """Oxide for a million beside it leaves metal's share as it is: nothing joins the two."""
    wanted = case(demand("metal", "civil", 40), demand("oxide", "civil", 1000), stores=(store("metal", 0, limit=0),))
    found = alternatives(opened(wanted, metals(source("CA", 1000, "oxide"))), ["metal"], within=Decimal("0.1"))
    assert float(of(found, "au-metal").share.max) == pytest.approx(1 / 40)
    assert (found.materials[0].allowed_increase, found.materials[0].with_materials) == (40, [])


def test_the_landed_cost_adds_up() -> None:
    """Onboarding of 60 is spread over the 2 kg that it takes to use it; freight is 1 a kilogram across a border."""
    facts = catalog(source("US", 10), source("AU", 50, onboarding=60, onboarding_currency="USD"))
    one = of(alternatives(opened(unstored(40, assume={"freight": 1}), facts)), "au-metal").landed
    assert (one.kilograms, one.price, one.freight, one.one_off, one.total) == (2, 50, 1, 30, 81)


def test_what_is_kept_out_says_why_and_by_which_stage() -> None:
    """A ban on what is melted in China keeps it out of the one use that there is, and a plant without a capacity is a lead."""
    bare = facility("kz", "KZ", capacity=())
    wanted = case(demand("metal", "defense", 40, start="2027-01-01"), start=date(2027, 1, 1))
    found = alternatives(opened(wanted, metals(bare, source("KZ", 5)), ban("melted")))
    china, lead = of(found, "cn-metal"), of(found, "kz-metal")
    assert (china.rank, china.rise, lead.rank) == (None, None, None)
    assert china.share.role == "never"
    told = {check.stage: check.result for check in china.checks}
    assert told == {"mined": "undecided", "refined": "undecided", "melted": "fail", "": "pass"}
    assert [(o.kind, o.rule, o.stage, o.clause) for o in china.obstacles] == [("forbidden", "ban", "melted", "ban (a)")]
    assert [o.kind for o in lead.obstacles] == ["figure"]
    assert {check.result for check in of(found, "au-metal").checks} == {"pass"}


@pytest.mark.parametrize(
    ("use", "result", "told", "other"),
    [
        ("civil", "no rule", "no rule of origin covers civil, so nothing is checked: cn-metal", "passes every rule"),
        ("defense", "pass", "passes every rule in force for every use: au-metal", "no rule of origin"),
    ],
)  # fmt: skip
def test_what_no_rule_is_about_passes_no_rule(use: str, result: str, told: str, other: str) -> None:
    """Metal for civil use, of which a ban for defense says nothing: it is neither found lawful nor unlawful. For defense it passes."""
    found = alternatives(opened(unstored(40, end_use=use), metals(), ban("melted", start=None)))
    assert {check.result for check in of(found, "au-metal").checks if check.stage} == {result}
    shown = unwrapped(alternatives_document(found))
    assert told in shown
    assert other not in shown


def test_what_comes_too_late_says_so() -> None:
    """A capacity that starts after the plan, one that does not count, a lead time and a qualification that outlast it."""
    (step,) = facility("jp", "JP", 9).capacity
    late = facility("jp", "JP").but(capacity=(step.but(start=date(2029, 1, 1)),))
    facts = catalog(
        late, facility("au", "AU", 9, status="announced"), source("CN", 10), source("JP", 10), source("AU", 10),
        source("KZ", 10, lead_time=36), source("CA", 10, qualification=30),
    )  # fmt: skip
    offers = alternatives(opened(unstored(40, 40), facts)).offers
    found = {one.offer: one.obstacles[0] for one in offers if one.obstacles}
    assert {offer: (obstacle.kind, obstacle.code) for offer, obstacle in found.items()} == {
        "jp-metal": ("capacity", "FS755"),
        "au-metal": ("capacity", "FS755"),
        "kz-metal": ("time", "FS753"),
        "ca-metal": ("time", "FS754"),
    }
    figures = {
        "jp": ["2029-01-01"],
        "au": ["only announced"],
        "kz": ["36 months", "12 months"],
        "ca": ["30", "12 months"],
    }
    for country, words in figures.items():
        assert all(word in found[f"{country}-metal"].text for word in words)


def test_an_unknown_material_is_refused_with_a_suggestion() -> None:
    """All that are wanted are named."""
    with pytest.raises(InputError, match="did you mean `metal`"):
        alternatives(opened(unstored(40), metals()), ["mettal"])


class NoKangaroos(Rule):
    """A rule that some plugin might bring: nothing from Australia for civil use, and no more than 30 kg from China."""

    kind: Literal["no-kangaroos"] = "no-kangaroos"

    def judge(self, offer: Chained, move: Move, use: Use) -> Verdict:
        if offer.facility.country != "AU":
            return PASS
        return Verdict(result=Result.FAIL, rule=self.id, stage="mined", clause="k (1)", reason="kangaroos were seen")

    def rows(self, facts: Facts) -> Iterable[Row]:
        everything = range(len(facts.horizon.periods))
        term = facts.bought(lambda offer, _: int(offer.facility.country == "CN"), everything)
        yield Row(label="china", terms=(term,), at_most=Decimal(30))


def test_a_plugins_rule_is_explained_like_any_other() -> None:
    """It keeps Australia out, and makes Japan indispensable for the last quarter of the demand."""
    found = alternatives(opened(unstored(40), metals(), NoKangaroos(id="k")), within=Decimal(0))
    told = [(o.kind, o.rule, o.text) for o in of(found, "au-metal").obstacles]
    assert told == [("forbidden", "k", "kangaroos were seen")]
    share = of(found, "jp-metal").share
    assert (float(share.min), share.role) == (pytest.approx(0.25), "must")
    assert "prohibited by k: au-metal" in text(alternatives_document(found))


def test_materials_that_share_nothing_are_asked_about_at_once_with_the_same_answer() -> None:
    """One worker or several: the same offers, ranks and shares."""
    wanted = case(demand("metal", "civil", 40), demand("oxide", "civil", 30), stores=(store("metal", 0, limit=0),))
    facts = metals(source("CA", 9, "oxide"), source("KZ", 7, "oxide"))
    one, three = (
        alternatives(opened(wanted, facts, workers=workers)).model_dump(exclude={"effort"}) for workers in (1, 3)
    )
    assert one == three
    assert {offer["material"] for offer in one["offers"]} == {"metal", "oxide"}


def test_progress_is_told_offer_by_offer() -> None:
    """Three offers."""
    steps: list[tuple[int, int]] = []
    alternatives(opened(unstored(40), metals()), progress=lambda done, total, _: steps.append((done, total)))
    assert all(total == 3 for _, total in steps)
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)


@pytest.mark.deep
@pytest.mark.parametrize("periods", [1, pytest.param(2, marks=pytest.mark.deep)])
def test_where_a_gap_is_left_what_using_costs_is_an_interval_from_nothing_on(periods: int) -> None:
    """A further rule never makes the least cost less; ranks whose intervals meet are marked."""
    given, facts = hard_case(offers=4, periods=periods)
    rough = alternatives(opened(given, facts, gap=0.3, workers=1), ["metal"])
    fine = alternatives(opened(given, facts, workers=1), ["metal"])
    assert any(one.tied for one in rough.offers)
    for one in rough.offers:
        true = of(fine, one.offer).rise
        assert 0 <= one.rise.low <= true.value + 1
        assert one.rise.high >= true.value - 1
    assert "not proved" in text(alternatives_document(rough))


def test_what_makers_take_in_is_asked_about_too() -> None:
    """Japan melts 40 kg of 80 kg of oxide at 5; more oxide at 9 costs 4 more on the 4 kg from which it counts as used."""
    facts = catalog(source("US", 80), maker("JP", 20), source("AU", 5, "oxide"), source("KZ", 9, "oxide"))
    asked = opened(unstored(40), facts)
    found = alternatives(asked, inputs=True)
    wanted = [(mix.material, mix.for_makers, mix.wanted_kg) for mix in found.materials]
    assert wanted == [("metal", False, 40), ("oxide", True, 80)]
    one = of(found, "kz-oxide")
    assert (one.used_from_kg, one.rise.value) == (4, 16)
    assert {check.end_use for check in one.checks} == {"metal for civil"}
    assert alternatives(asked, ["oxide"]).offers == [o for o in found.offers if o.material == "oxide"]


def test_what_is_not_found_in_time_is_said_and_nothing_is_claimed() -> None:
    """After Ctrl-C no further plan is found: what using an offer costs is unknown, its share lies between what is surely so."""
    facts = catalog(*(source(c, cost, onboarding=Decimal(5)) for c, cost in (("CN", 10), ("AU", 50), ("JP", 80))))
    cancel = Event()
    asked = opened(unstored(40), facts, cancel=cancel, workers=1)
    cancel.set()
    found = alternatives(asked)
    late = of(found, "au-metal")
    assert (late.rise, late.in_time, late.rank) == (None, False, None)
    assert (late.share.min_bound, late.share.max_bound, late.share.role) == (0, 1, "not proved")
    share = of(found, "cn-metal").share
    assert share.min_bound <= share.min == share.max == 1
    assert "not found in time" in text(alternatives_document(found))
