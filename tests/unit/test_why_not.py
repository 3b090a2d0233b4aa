"""Why not: an offer's break-even price, what keeps it out, and what relaxing that is worth."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pytest

from friendshore.domain.change import Change, TermKind
from friendshore.domain.use import PASS, Chained, Move, Result, Use, Verdict
from friendshore.errors import InputError
from friendshore.explain import break_even
from friendshore.explain.break_even import BreakEven, break_even_price
from friendshore.plugins import Registry
from friendshore.questions.why_not.document import why_not_document
from friendshore.questions.why_not.search import WhyNot, why_not
from friendshore.recommend import reopen, verdicts
from friendshore.rules.base import Facts, Phase, Rule
from friendshore.rules.kinds import ExportControl, Tariff
from friendshore.rules.kinds.limits import Budget, Pin
from friendshore.rules.rows import Row
from friendshore.run import write_run

from ..building import (
    ban,
    benchmark,
    case,
    catalog,
    demand,
    facility,
    hard_case,
    maker,
    metals,
    opened,
    planned,
    price,
    rule,
    schedule,
    source,
    tier,
    unstored,
    unwrapped,
)


def root(found: BreakEven | None) -> float:
    """The price of a proved answer."""
    assert found.outcome == "price"
    assert found.proved
    assert found.price is not None
    return float(found.price)


def text(found: WhyNot) -> str:
    """The report as it is printed."""
    return unwrapped(why_not_document(found), 100)


def test_an_offer_enters_at_the_price_of_what_it_replaces() -> None:
    """Australia at 50 beside China at 10: at 10 it is as good."""
    found = why_not(opened(unstored(40), metals()), "au-metal")
    assert found.state == "not bought"
    assert root(found.entering) == pytest.approx(10, rel=1e-6)
    assert (found.entering.units, found.entering.today) == (40, 50)
    assert "below USD 10/kg every cheapest plan buys it" in text(found)
    assert "80 % below today's price" in text(found)


def test_an_offer_in_the_plan_stays_up_to_the_price_of_the_next_best() -> None:
    """China at 10 stays up to Australia's 50; of 40 kg, 30 come from it, Australia can give 5 and Japan the rest at 80."""
    assert root(why_not(opened(unstored(40), metals(cn=30)), "cn-metal").entering) == pytest.approx(50)
    found = why_not(opened(unstored(40), metals(cn=30, au=15)), "cn-metal")
    assert found.state == "in the plan"
    assert root(found.entering) == pytest.approx(80)  # beyond 50 it still delivers what Australia cannot


def test_duties_freight_and_onboarding_count() -> None:
    """At p it costs 1.25 p + 2 a kilogram and 100 once for 40 kg: 1.25 p + 2 + 2.5 = 10."""
    duty = Tariff.model_validate({"id": "duty", "rate": "0.25"})
    facts = catalog(source("US", 10), source("AU", 50, onboarding=100, onboarding_currency="USD"))
    found = break_even_price(opened(unstored(40, assume={"freight": 2}), facts, duty), "au-metal")
    assert root(found) == pytest.approx((10 - 2 - 2.5) / 1.25)


def test_an_offer_that_costs_too_much_for_nothing_enters_at_no_price() -> None:
    """Freight of 20 is more than the 10 of what there is."""
    facts = catalog(source("US", 10), source("AU", 50))
    found = why_not(opened(unstored(40, assume={"freight": 20}), facts), "au-metal")
    assert (found.entering.outcome, found.entering.proved) == ("no price", True)
    assert found.state == "not bought"
    assert "at no price" in text(found)


def test_a_price_by_a_benchmark_is_told_as_a_premium() -> None:
    """The benchmark of 40 with 25 % on it comes to 50; at 10 it stands 75 % below the benchmark."""
    mark = benchmark(40, name="m")
    dear = source("KZ", price(benchmark="m", premium=Decimal("0.25")))
    found = why_not(opened(unstored(40), metals(facility("kz", "KZ"), dear, mark)), "kz-metal").entering
    assert root(found) == pytest.approx(10)
    assert found.premium is not None
    assert float(found.premium) == pytest.approx(-0.75)


def test_tiers_move_with_the_price() -> None:
    """From 20 kg on Australia charges four fifths of its price: for all 40 kg it enters at 12.5."""
    tiers = schedule("au-metal", tier(0, discount=0), tier(20, discount=0.2))
    assert root(break_even_price(opened(unstored(40), metals(tiers)), "au-metal")) == pytest.approx(12.5)


def test_the_dearest_offer_does_not_move_what_a_shortage_costs() -> None:
    """A shortage is priced at ten times the dearest offer, Japan's 80; a dearer Japan leaves it at 800, and stays in up to there."""
    wanted = case(demand("metal", "civil", 40, price=1).but(shortage_price=None))
    found = break_even_price(opened(wanted, metals(cn=10, au=10)), "jp-metal")
    assert root(found) == pytest.approx(800)


def test_a_rule_that_asks_for_it_keeps_it_at_any_price() -> None:
    """A pin of 5 kg."""
    found = why_not(opened(unstored(40), metals(), Pin(id="p", offer="jp-metal", at_least=Decimal(5))), "jp-metal")
    assert found.entering.outcome == "any price"
    assert "cannot be kept without it" in text(found)


def test_a_budget_makes_the_search_halve() -> None:
    """All 40 kg for 1000 at most: a dearer China is not allowed for at all, and shortage at 1000 a kilogram is dearer still."""
    found = break_even_price(opened(unstored(40), metals(cn=40), Budget(id="b", amount=Decimal(1000))), "cn-metal")
    assert found.outcome == "price"
    assert found.price is not None
    assert found.low is not None
    assert found.high is not None
    assert float(found.low) <= float(found.high)
    assert float(found.price) > 10


def test_a_price_that_the_gap_leaves_unproved_is_not_doubled_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A solver that proves every plan to one dollar: no price proves that Japan isn't bought, and the second one tried tells no more than the first."""
    proved = break_even.bound
    monkeypatch.setattr(break_even, "bound", lambda answer: proved(answer) - 1)
    found = break_even_price(opened(unstored(40), metals(cn=40), Budget(id="b", amount=Decimal(1000))), "jp-metal")
    assert (found.outcome, found.low, found.high) == ("price", 0, None)
    assert found.solves == 3


def test_what_is_forbidden_is_asked_about_without_the_rule() -> None:
    """The ban keeps out China at 10 and lets in Australia at 50: without it 40 kg come from China, and 40 × 40 are saved."""
    wanted = case(demand("metal", "defense", 40), start=date(2027, 1, 1))
    found = why_not(opened(wanted, metals(), ban("melted")), "cn-metal")
    assert found.state == "kept out"
    (one,) = found.obstacles
    assert (one.obstacle.rule, one.obstacle.stage, one.obstacle.end_uses) == ("ban", "melted", ["metal for defense"])
    assert (one.lifted.gives_kg, one.lifted.saves.value, one.lifted.saves.proved) == (40, 1600, True)
    assert root(found.entering_lifted) == pytest.approx(50)
    assert "without ban altogether" in text(found)


def test_proving_an_origin_is_worth_what_the_offer_saves() -> None:
    """China and another sell at 10; of the other nobody says where it is melted. Proved, it saves 40 × 40."""
    wanted = case(demand("metal", "defense", 40), start=date(2027, 1, 1))
    hidden = source("CA?", 10, name="ca-metal", plant="ca")
    found = why_not(opened(wanted, metals(facility("ca", "CA"), hidden), ban("melted")), "ca-metal")
    (one,) = found.obstacles
    assert one.obstacle.kind == "unproven"
    assert text(found).count(one.obstacle.clause) == 1
    assert (one.lifted.changes, one.lifted.own.value) == ([Change(prove="ca-metal")], 1600)


def test_a_licence_that_is_missing_is_asked_about() -> None:
    """An export control that wants a licence: granted, China delivers."""
    control = rule(ExportControl, exporters=["CN"], effect="licence", citation="e")
    found = why_not(opened(unstored(40), metals(), control), "cn-metal")
    (one,) = found.obstacles
    assert one.obstacle.kind == "licence"
    assert (one.lifted.changes[0].grant, one.lifted.gives_kg) == ("export-control", 40)


def test_a_lead_says_which_figure_it_lacks_and_what_that_would_give() -> None:
    """A plant without a capacity sells at 5: with all that is wanted it saves 5 on each of 40 kg."""
    bare = facility("kz", "KZ").but(capacity=())
    found = why_not(opened(unstored(40), metals(bare, source("KZ", 5))), "kz-metal")
    (one,) = found.obstacles
    assert "nobody published its capacity" in one.obstacle.text
    assert "40 kg a year" in one.obstacle.text
    assert (one.lifted.gives_kg, one.lifted.saves.value) == (40, 200)
    assert root(found.entering_lifted) == pytest.approx(10)


def test_two_obstacles_are_lifted_alone_and_together() -> None:
    """Announced, and banned: neither alone lets it in."""
    wanted = case(demand("metal", "defense", 40), start=date(2027, 1, 1))
    plants = (facility("cn", "CN", 50, status="announced"), facility("au", "AU"))
    facts = catalog(*plants, source("CN", 10), source("AU", 50))
    found = why_not(opened(wanted, facts, ban("melted")), "cn-metal")
    assert [one.lifted and one.lifted.gives_kg for one in found.obstacles] == [0, 0]
    assert (found.together.gives_kg, found.together.saves.value) == (40, 1600)


@pytest.mark.parametrize(
    ("phases", "days", "words"),
    [
        ([{"from": "2020-01-01"}], [("2020-01-01", None)], "First day 2020-01-01, no last day is set"),
        ([{}], [(None, None)], "No first day is stated, no last day is set"),
        (
            [{"from": "2020-01-01", "until": "2027-03-31"}, {"from": "2027-04-01", "until": "2027-06-30"}],
            [("2020-01-01", "2027-06-30")],
            "First day 2020-01-01, last day 2027-06-30",
        ),
        (
            [
                {"until": "2020-12-31"},
                {"from": "2027-04-01", "until": "2027-06-30"},
                {"from": "2027-07-01", "status": "unknown"},
            ],
            [("2027-04-01", "2027-06-30")],
            "First day 2027-04-01, last day 2027-06-30",
        ),
    ],
)
def test_a_prohibition_is_told_with_its_first_and_last_day(phases: list[Any], days: list[Any], words: str) -> None:
    """As far as it reaches into the plan: what was over before it, and days of unknown status, are not among them."""
    wanted = case(demand("metal", "defense", 40), start=date(2027, 1, 1))
    given = ban("melted").but(phases=tuple(Phase.model_validate(one) for one in phases))
    (one,) = why_not(opened(wanted, metals(), given), "cn-metal").obstacles
    assert [(day.start and str(day.start), day.end and str(day.end)) for day in one.obstacle.days] == days
    assert words in text(why_not(opened(wanted, metals(), given), "cn-metal"))


def test_time_and_dates_that_lie_outside_the_plan_can_be_lifted() -> None:
    """Thirty months of qualification in a plan of twenty-four; a lead time of thirty-six; an offer from after the plan, and both."""
    plants = (
        facility("cn", "CN"),
        facility("ca", "CA"),
        facility("kz", "KZ"),
        facility("au", "AU"),
        facility("jp", "JP"),
    )
    both = {"qualification": 30, "lead_time": 36}
    facts = catalog(
        *plants, source("CN", 10), source("CA", 5, qualification=30), source("KZ", 5, lead_time=36),
        source("AU", 5, start=date(2040, 1, 1)), source("JP", 5, **both),
    )  # fmt: skip
    asked = opened(unstored(40, 40), facts)
    (one,) = why_not(asked, "ca-metal").obstacles
    assert (one.lifted.changes, one.lifted.gives_kg) == ([Change(lift=TermKind.QUALIFICATION, of="offer:ca-metal")], 80)
    late, unborn, slow = (why_not(asked, name) for name in ("kz-metal", "au-metal", "jp-metal"))
    for found, kind in ((late, TermKind.LEAD_TIME), (unborn, TermKind.DATES)):
        (only,) = found.obstacles
        assert only.lifted.changes == [Change(lift=kind, of=f"offer:{found.offer}")]
        assert (only.lifted.gives_kg, only.lifted.saves.value) == (80, 400)
        assert root(found.entering_lifted) == pytest.approx(10)
    assert "would have to within 12 to arrive in the plan" in text(late)
    assert "it may be ordered from 2040-01-01 on, and would have to be from 2027-01-01 at the latest" in text(unborn)
    assert [one.lifted and one.lifted.gives_kg for one in slow.obstacles] == [0, 0]
    assert slow.together.gives_kg == 80


def test_what_an_offer_takes_in_and_nobody_offers_is_lifted_by_nothing() -> None:
    """A smelter without an ore that counts."""
    facts = catalog(source("US", 80), maker("JP", 20))
    found = why_not(opened(unstored(40), facts), "jp-melt")
    assert found.obstacles[0].lifted is None
    assert "no change of the case relaxes it" in text(found)


def test_an_input_is_asked_about_as_well() -> None:
    """Oxide at 30 for a smelter that takes two of it at 20: metal at 80 beside it, so that oxide enters at 30."""
    facts = catalog(facility("pit", "AU"), source("US", 80), maker("JP", 20), source("AU", 35, "oxide", plant="pit"))  # fmt: skip
    assert root(break_even_price(opened(unstored(40), facts), "au-oxide")) == pytest.approx(30)


def test_an_unknown_offer_is_refused_with_what_was_meant() -> None:
    """The nearest name, or the offers of a plant."""
    asked = opened(unstored(40), metals())
    with pytest.raises(InputError, match="did you mean `au-metal`"):
        why_not(asked, "au-mettal")
    with pytest.raises(InputError, match="its offers are jp-metal"):
        why_not(asked, "jp")


class Grumpy(Rule):
    """A rule that some plugin might bring: a fee of 3 a kilogram outside China, and nothing to do with Japan."""

    kind: Literal["grumpy"] = "grumpy"

    def judge(self, offer: Chained, move: Move, use: Use) -> Verdict:
        """Fails Japan."""
        failed = Verdict(result=Result.FAIL, rule=self.id, clause="g (2)", reason="no manners")
        return failed if offer.facility.country == "JP" else PASS

    def charge(self, offer: Chained, move: Move, use: Use, origin: str, value: Decimal) -> Decimal:
        """By the kilogram, whatever its price."""
        return Decimal(3 if origin != "CN" else 0)

    def rows(self, facts: Facts) -> Iterable[Row]:
        """No more than 30 kg from China."""
        term = facts.bought(lambda offer, _: int(offer.facility.country == "CN"), range(len(facts.horizon.periods)))
        yield Row(label="china", terms=(term,), at_most=Decimal(30))


def test_a_plugins_rule_counts_like_any_other() -> None:
    """Its fee moves the price at which Kazakhstan replaces Australia, and what it forbids is asked about without it."""
    asked = opened(unstored(40), metals(facility("kz", "KZ"), source("KZ", 90)), Grumpy(id="g"))
    assert root(break_even_price(asked, "kz-metal")) == pytest.approx(50)
    assert root(break_even_price(asked, "cn-metal")) == pytest.approx(53)
    (one,) = why_not(asked, "jp-metal").obstacles
    assert (one.obstacle.rule, one.obstacle.clause, one.obstacle.text) == ("g", "g (2)", "no manners")
    assert one.lifted.saves.value == 30 * 10 + 10 * 53 - 40 * 10  # without it, China may give all


def test_where_something_ranks_before_cost_the_price_is_that_among_plans_as_good_in_it() -> None:
    """Shortage first: without Japan nobody is short, so that cost decides. Where only Japan can fill a gap, no price keeps it out."""
    first = {"minimise": "shortage"}
    asked = opened(unstored(40, objectives=(first,)), metals())
    assert root(break_even_price(asked, "jp-metal")) == pytest.approx(10)
    scarce = opened(unstored(40, objectives=(first,)), metals(cn=30, au=5, jp=5))
    found = why_not(scarce, "jp-metal")
    assert found.entering.outcome == "outranked"
    assert "ranks before cost is better with it" in text(found)


def test_where_money_ranks_before_the_last_objective_no_price_is_told() -> None:
    """Spend first, then shortage."""
    ranked = unstored(40, objectives=({"minimise": "spend"}, {"minimise": "shortage"}))
    found = why_not(opened(ranked, metals()), "au-metal")
    assert found.entering.outcome == "ranked"
    assert "no price is told" in text(found)


def test_a_maker_whose_input_nobody_offers_says_so() -> None:
    """Japan melts oxide, and the one that would sell oxide is a lead."""
    bare = facility("pit", "AU").but(capacity=())
    facts = catalog(bare, source("US", 80), maker("JP", 20), source("AU", 5, "oxide", plant="pit"))
    found = why_not(opened(unstored(40), facts), "jp-melt")
    assert found.state == "kept out"
    assert [one.obstacle.kind for one in found.obstacles] == ["inputs"]
    assert "oxide, of which no offer counts in the case; leads that might: au-oxide" in found.obstacles[0].obstacle.text


def test_what_other_rules_leave_no_room_for_says_so() -> None:
    """A pin of nothing, which no rule on origins tells of."""
    found = why_not(opened(unstored(40), metals(), Pin(id="none", offer="au-metal", at_most=Decimal(0))), "au-metal")
    assert (found.state, [one.obstacle.kind for one in found.obstacles]) == ("kept out", ["no room"])


def test_a_lead_without_a_price_says_up_to_which_price_it_would_enter() -> None:
    """Nobody published what Kazakhstan asks: below China's 10 it would deliver all."""
    bare = source("KZ", price()).but(price=None)
    found = why_not(opened(unstored(40), metals(facility("kz", "KZ"), bare)), "kz-metal")
    (one,) = found.obstacles
    assert "nobody published its price" in one.obstacle.text
    assert one.lifted.changes == [Change(price="offer:kz-metal", amount=Decimal(1))]
    assert root(found.entering_lifted) == pytest.approx(10)
    assert "asked about with 1" in text(found)
    assert "today" not in text(found)


@pytest.mark.deep
@pytest.mark.parametrize("periods", [1, pytest.param(2, marks=pytest.mark.nightly)])
def test_where_a_gap_is_left_a_price_is_an_interval(periods: int) -> None:
    """Plans that may lie a third from the bound prove no price: what is sure is told, and nothing is claimed of every cheapest plan."""
    given, facts = hard_case(offers=6, periods=periods)
    rough = opened(given, facts, gap=0.3, workers=1)
    fine = opened(given, facts, workers=1)
    for offer in ("p00-run", "p03-run"):
        found, exact = why_not(rough, offer), break_even_price(fine, offer)
        assert exact.factor is not None
        assert not found.entering.proved
        assert found.entering.low is None or found.entering.low <= exact.factor
        assert found.entering.high is None or found.entering.high >= exact.factor
        assert "prove" in text(found)
        assert "every cheapest plan" not in text(found)


def test_a_run_knows_what_a_lead_would_take_in(tmp_path: Path) -> None:
    """A smelter without a capacity, and the oxide for it that nobody else takes: asked of the run as of the case."""
    bare = facility("jp", "JP").but(capacity=())
    facts = catalog(
        bare, facility("pit", "AU"), source("US", 80), maker("JP", 20), source("AU", 5, "oxide", plant="pit")
    )
    found = planned(unstored(40), facts)
    write_run(tmp_path / "run", found.run, found.facts(), verdicts(found.plan))
    of_run = reopen(tmp_path / "run", registry=Registry.of()).session
    told = [why_not(each, "jp-melt").obstacles[0].lifted for each in (found.session, of_run)]
    assert told[0] == told[1]
    assert told[0].gives_kg == 40
